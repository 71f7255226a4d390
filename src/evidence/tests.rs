//! The schemas of the files that a bundle holds, `docs/schemas/formats`, from the types that write and read
//! them, and every fixture beside them. `SEQUESTER_WRITE_SCHEMAS=1` writes the schemas.

use std::path::{Path, PathBuf};

use regex::Regex;
use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Value, json};

use crate::attestation::statement;
use crate::dataset::describe::Description;
use crate::evidence::bundle::Environment;
use crate::evidence::ledger::Entry;
use crate::inference::scoring::Scoring;
use crate::model::lock::Lock;
use crate::study::results::Results;

fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn generator() -> SchemaGenerator {
    SchemaSettings::draft2020_12().for_serialize().into_generator()
}

fn of<T: JsonSchema>() -> Value {
    generator().into_root_schema_for::<T>().to_value()
}

/// Every schema with its name and title, which ends with the version of the format that it is of.
fn schemas() -> Vec<(&'static str, &'static str, Value)> {
    let all = [
        ("lock", "lock.json of Sequester (sequester-lock/1)", of::<Lock>()),
        ("results", "results.json of Sequester (sequester-results/2)", of::<Results>()),
        ("ledger", "a line of ledger.jsonl of Sequester (sequester-evidence/2)", of::<Entry>()),
        ("environment", "environment.json of Sequester (sequester-evidence/2)", of::<Environment>()),
        ("description", "description.json of Sequester (sequester-description/1)", of::<Description>()),
        ("scoring", "scoring.json of Sequester (sequester-evidence/2)", of::<Scoring>()),
        ("statement", "a statement of Sequester (urn:sequester:statement:1)", statement::schema(generator())),
    ];
    all.into_iter()
        .map(|(name, title, mut schema)| {
            schema["title"] = json!(title);
            let version = title.split(['(', ')']).nth(1).unwrap_or_default();
            if let Some(format) = schema.pointer_mut("/properties/format").and_then(Value::as_object_mut) {
                format.insert("const".to_owned(), json!(version));
            }
            in_plain_words(&mut schema);
            (name, title, schema)
        })
        .collect()
}

/// Links of the sources' own documentation lead nowhere from a schema.
fn in_plain_words(schema: &mut Value) {
    let link = Regex::new(r"\[(`[^`]+`)\](\([^)]*\))?").expect("is a pattern");
    match schema {
        Value::Object(fields) => {
            if let Some(Value::String(text)) = fields.get_mut("description") {
                *text = link.replace_all(text, "$1").replace('\n', " ");
            }
            fields.values_mut().for_each(in_plain_words);
        }
        Value::Array(list) => list.iter_mut().for_each(in_plain_words),
        _ => {}
    }
}

fn path_of(name: &str) -> PathBuf {
    repository().join(format!("docs/schemas/formats/{name}.json"))
}

/// The same schema that takes no key beyond those it names: what a fixture has and the schema does not say is
/// found so. A later version may write further keys, so the schema that is shipped lets them pass.
fn closed(schema: &Value) -> Value {
    let mut closed = schema.clone();
    close(&mut closed);
    closed
}

fn close(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            fields.values_mut().for_each(close);
            let free = fields.contains_key("additionalProperties") || !fields.contains_key("properties");
            // Parts of one object say nothing of each other's keys.
            if !free && fields.get("type").is_some_and(|is| *is == "object") && !fields.contains_key("allOf")
            {
                fields.insert("unevaluatedProperties".to_owned(), json!(false));
            }
        }
        Value::Array(list) => list.iter_mut().for_each(close),
        _ => {}
    }
}

/// All files of this name in the fixtures of the present format, each line by itself where it has lines.
fn fixtures(name: &str) -> Vec<(PathBuf, Value)> {
    let mut found = Vec::new();
    let mut folders =
        vec![repository().join("fixtures/evidence/v2"), repository().join("fixtures/statements")];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten() {
            let path = entry.expect("reads").path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let is_of = |ending: &str| path.to_string_lossy().ends_with(ending);
            let parse = |text: &str| serde_json::from_str(text).expect("is JSON");
            if is_of(&format!("/{name}.json")) {
                found.push((path.clone(), parse(&std::fs::read_to_string(&path).expect("reads"))));
            } else if is_of(&format!("/{name}.jsonl")) {
                let text = std::fs::read_to_string(&path).expect("reads");
                found.extend(text.lines().map(|line| (path.clone(), parse(line))));
            }
        }
    }
    found
}

#[test]
fn the_schemas_that_are_shipped_are_those_of_the_types() {
    for (name, _, schema) in schemas() {
        let text = format!("{schema:#}\n");
        if std::env::var_os("SEQUESTER_WRITE_SCHEMAS").is_some() {
            std::fs::write(path_of(name), &text).expect("writes");
        }
        let shipped = std::fs::read_to_string(path_of(name)).unwrap_or_default();
        assert!(shipped == text, "docs/schemas/formats/{name}.json: SEQUESTER_WRITE_SCHEMAS=1 writes it");
    }
}

#[test]
fn every_fixture_is_what_its_schema_says_and_the_schema_names_every_key() {
    for (name, title, schema) in schemas() {
        let closed = jsonschema::validator_for(&closed(&schema)).expect("is a schema");
        let files = fixtures(name);
        assert!(!files.is_empty(), "{title} has no fixture");
        for (path, value) in files {
            let wrong: Vec<String> =
                closed.iter_errors(&value).map(|e| format!("{}: {e}", e.instance_path())).collect();
            assert!(wrong.is_empty(), "{}: {}", path.display(), wrong.join("\n"));
        }
    }
}

/// Every object in a value, as the keys that lead there.
fn objects(value: &Value, at: &str, into: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            into.push(at.to_owned());
            for (key, inner) in fields {
                objects(inner, &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")), into);
            }
        }
        // The first of a list stands for the others.
        Value::Array(list) => list.iter().take(1).for_each(|inner| objects(inner, &format!("{at}/0"), into)),
        _ => {}
    }
}

#[test]
fn what_a_reader_refuses_of_a_fixture_the_schema_refuses() {
    fn is<T: serde::de::DeserializeOwned>(value: &Value) -> bool {
        serde_json::from_value::<T>(value.clone()).is_ok()
    }
    let reads = |name: &str, value: &Value| match name {
        "lock" => is::<Lock>(value),
        "results" => is::<Results>(value),
        "ledger" => is::<Entry>(value),
        _ => is::<Environment>(value),
    };
    for name in ["lock", "results", "ledger", "environment"] {
        let (_, _, schema) = schemas().into_iter().find(|(of, _, _)| *of == name).expect("there");
        let open = jsonschema::validator_for(&schema).expect("is a schema");
        let mut refused = 0;
        // Of results the first is enough, and the others are small.
        let some = if name == "results" { 1 } else { 6 };
        for (path, value) in fixtures(name).into_iter().take(some) {
            let mut places = Vec::new();
            objects(&value, "", &mut places);
            for place in places {
                let keys: Vec<String> = value
                    .pointer(&place)
                    .and_then(Value::as_object)
                    .map(|fields| fields.keys().cloned().collect())
                    .unwrap_or_default();
                for key in keys {
                    for other in [None, Some(json!(["x"])), Some(json!(-1.5))] {
                        let mut changed = value.clone();
                        let fields = changed.pointer_mut(&place).and_then(Value::as_object_mut);
                        let fields = fields.expect("there");
                        match &other {
                            None => fields.remove(&key),
                            Some(other) => fields.insert(key.clone(), other.clone()),
                        };
                        if !reads(name, &changed) {
                            refused += 1;
                            let what = other.map_or("is gone".to_owned(), |other| format!("is {other}"));
                            assert!(!open.is_valid(&changed), "{}{place}/{key} {what}", path.display());
                        }
                    }
                }
            }
        }
        assert!(refused > 20, "{name}: {refused}");
    }
}
