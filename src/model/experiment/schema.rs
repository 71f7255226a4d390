//! `docs/schemas/formats/experiment.json` beside the parser: what one takes the other takes.

use std::path::{Path, PathBuf};

use super::Experiment;
use crate::diagnostic::Diagnostic;

fn parse(text: &str) -> Result<Experiment, Vec<Diagnostic>> {
    Experiment::parse(Path::new("exp.toml"), text)
}

/// What the schema says of the same file.
fn schema_takes(schema: &jsonschema::Validator, file: &toml::Table) -> bool {
    schema.is_valid(&serde_json::to_value(file).expect("is JSON"))
}

/// Whether `key` of the innermost table is one of those that a schema says less of than the parser: layers
/// are those of the network, and the smallest shard is at most the shard.
fn is_more_than_a_schema_says(path: &str) -> bool {
    ["trainable_top_share", "unfreeze_from", "shard_size", "smallest_shard_size", "architecture"]
        .iter()
        .any(|key| path.ends_with(key))
}

/// Every place of a value: `network.std`, `stage.0.epochs`.
fn places(value: &toml::Value, path: &str, into: &mut Vec<String>) {
    let inner: Vec<(String, &toml::Value)> = match value {
        toml::Value::Table(table) => table.iter().map(|(key, inner)| (key.clone(), inner)).collect(),
        toml::Value::Array(list) => list.iter().enumerate().map(|(n, v)| (n.to_string(), v)).collect(),
        _ => Vec::new(),
    };
    for (name, inner) in inner {
        let path = if path.is_empty() { name } else { format!("{path}.{name}") };
        places(inner, &path, into);
        into.push(path);
    }
}

/// The file with another value at a place, or without it.
fn changed(file: &toml::Table, path: &str, value: Option<toml::Value>) -> toml::Table {
    fn within(inside: &mut toml::Value, parts: &[&str], value: Option<toml::Value>) {
        match (inside, parts, value) {
            (toml::Value::Table(table), [last], None) => drop(table.remove(*last)),
            (toml::Value::Table(table), [last], Some(value)) => {
                table.insert((*last).to_owned(), value);
            }
            (toml::Value::Array(list), [last], None) => drop(list.remove(last.parse().expect("a number"))),
            (toml::Value::Array(list), [last], Some(value)) => {
                list[last.parse::<usize>().expect("a number")] = value;
            }
            (toml::Value::Table(table), [first, rest @ ..], value) => {
                within(table.get_mut(*first).expect("there"), rest, value);
            }
            (toml::Value::Array(list), [first, rest @ ..], value) => {
                within(&mut list[first.parse::<usize>().expect("a number")], rest, value);
            }
            _ => panic!("no place {parts:?}"),
        }
    }
    let mut whole = toml::Value::Table(file.clone());
    within(&mut whole, &path.split('.').collect::<Vec<_>>(), value);
    whole.as_table().expect("a table").clone()
}

#[test]
fn the_schema_of_an_experiment_says_what_the_parser_says() {
    let schema = include_str!("../../../docs/schemas/formats/experiment.json");
    let schema = serde_json::from_str(schema).expect("is JSON");
    let schema = jsonschema::validator_for(&schema).expect("is a schema");
    // No fraction that is whole: JSON does not tell 1.0 from 1, and TOML does.
    let values = |text: &str| text.parse::<toml::Table>().expect("is TOML").remove("v").expect("there");
    let values: Vec<toml::Value> = [
        "v = -1",
        "v = 0",
        "v = 1",
        "v = 2",
        "v = 181",
        "v = 70000",
        "v = -0.5",
        "v = 0.25",
        "v = 0.5",
        "v = 12",
        "v = 1.5",
        "v = 10.5",
        "v = true",
        "v = \"\"",
        "v = \" \"",
        "v = \"x\"",
        "v = []",
        "v = [1.0]",
        "v = [0.1, 0.2]",
        "v = [0.1, 0.2, 0.3]",
        "v = [0.0, 0.5, 1.0]",
        "v = {}",
        "v = \"random\"",
        "v = \"focal\"",
        "v = \"effective-number\"",
        "v = \"affine\"",
        "v = \"none\"",
        "v = \"cosine\"",
        "v = \"plateau\"",
        "v = \"constant\"",
        "v = \"head\"",
        "v = \"all\"",
        "v = \"batch\"",
        "v = \"x.safetensors\"",
        "v = \"sequester-experiment/2\"",
        "v = \"efficientnet-lite0\"",
        "v = \"balanced\"",
        "v = \"horizontal-flip\"",
    ]
    .map(values)
    .into();
    let files: Vec<PathBuf> = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("protocols"))
        .expect("there")
        .map(|entry| entry.expect("reads").path())
        .filter(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("exp-")))
        .collect();
    let mut texts: Vec<String> =
        files.iter().map(|path| std::fs::read_to_string(path).expect("reads")).collect();
    assert!(texts.len() > 5);
    // Every key that goes with a choice, once.
    texts.push(
        texts[0]
            .replace("loss = \"weighted-binary-cross-entropy\"", "loss = \"focal\"\nfocal_gamma = 2.0")
            .replace(
                "batch_size = ",
                "schedule = \"plateau\"\nplateau_factor = 0.5\n\
                plateau_patience = 2\nearly_stopping_patience = 5\nbatch_size = ",
            ),
    );
    let (mut taken, mut refused) = (0, 0);
    for text in texts {
        let file: toml::Table = text.parse().expect("is TOML");
        assert!(parse(&text).is_ok() && schema_takes(&schema, &file), "{text}");
        let mut all = Vec::new();
        places(&toml::Value::Table(file.clone()), "", &mut all);
        for path in all {
            let further =
                path.rsplit_once('.').map_or("further".to_owned(), |(table, _)| format!("{table}.further"));
            let is_of_list = path.rsplit('.').next().is_some_and(|last| last.parse::<usize>().is_ok());
            let mut cases: Vec<(String, toml::Table)> = values
                .iter()
                .map(|value| (format!("{path} = {value}"), changed(&file, &path, Some(value.clone()))))
                .collect();
            cases.push((format!("no {path}"), changed(&file, &path, None)));
            if !is_of_list {
                cases.push((further.clone(), changed(&file, &further, Some(toml::Value::Boolean(true)))));
            }
            for (what, file) in cases {
                let text = toml::to_string(&file).expect("is written");
                let (ours, theirs) = (parse(&text), schema_takes(&schema, &file));
                if ours.is_ok() != theirs && !(theirs && is_more_than_a_schema_says(&path)) {
                    panic!("{what}: the schema takes it: {theirs}; the parser: {ours:?}");
                }
                if theirs { taken += 1 } else { refused += 1 }
            }
        }
    }
    assert!(taken > 200 && refused > 5_000, "{taken} {refused}");
}
