//! Protocols with one key changed: what the parser, the meaning and the schema make of them.

use std::path::Path;

use proptest::prelude::*;
use serde_json::Value as Json;
use toml::{Table, Value};

use super::everything::FOUR;
use super::*;
use crate::protocol::{Protocol, lint, parse_gate};

/// One step from a value to one in it.
#[derive(Clone, Debug)]
enum Step {
    Key(String),
    Item(usize),
}

/// A protocol with one thing changed.
struct Mutant {
    /// What was changed, in words.
    what: String,
    /// `analysis.level`: the key, without places in arrays.
    path: String,
    /// What the protocol is now.
    text: String,
}

fn places(value: &Value, here: &[Step], found: &mut Vec<Vec<Step>>) {
    let mut down = |step: Step, value: &Value| {
        let path = [here, &[step]].concat();
        found.push(path.clone());
        places(value, &path, found);
    };
    match value {
        Value::Table(table) => table.iter().for_each(|(key, value)| down(Step::Key(key.clone()), value)),
        Value::Array(list) => list.iter().enumerate().for_each(|(i, value)| down(Step::Item(i), value)),
        _ => {}
    }
}

fn at<'v>(value: &'v mut Value, path: &[Step]) -> &'v mut Value {
    path.iter().fold(value, |value, step| match step {
        Step::Key(key) => value.get_mut(key).expect("there"),
        Step::Item(index) => value.get_mut(index).expect("there"),
    })
}

fn name(path: &[Step]) -> String {
    let keys = path.iter().filter_map(|step| match step {
        Step::Key(key) => Some(key.as_str()),
        Step::Item(_) => None,
    });
    keys.collect::<Vec<_>>().join(".")
}

/// Values of another type, empty ones, words that nobody knows, and numbers that cannot be.
fn others(value: &Value) -> Vec<Value> {
    let text = |text: &str| Value::String(text.to_owned());
    match value {
        Value::String(word) => vec![
            Value::Integer(1),
            Value::Boolean(true),
            Value::Array(vec![Value::Integer(1)]),
            text(""),
            text(" "),
            text("zzz-no-such-word"),
            text(&format!("{word}x")),
            text(&word.to_uppercase()),
            Value::Table(Table::new()),
        ],
        Value::Integer(number) => vec![
            text("7"),
            text(&number.to_string()),
            Value::Boolean(false),
            Value::Integer(-1),
            Value::Integer(number + 1),
            Value::Integer(i64::MAX),
            Value::Float(*number as f64 + 0.5),
            Value::Array(Vec::new()),
        ],
        Value::Float(number) => vec![
            text(&number.to_string()),
            Value::Boolean(true),
            Value::Float(-0.25),
            Value::Float(number * 100.0),
            Value::Float(number / 2.0),
            Value::Array(Vec::new()),
        ],
        Value::Boolean(truth) => {
            vec![Value::Boolean(!truth), text("yes"), Value::Integer(1), Value::Array(Vec::new())]
        }
        Value::Array(list) => vec![
            Value::Array(Vec::new()),
            text("x"),
            Value::Integer(1),
            Value::Array(list.iter().cloned().chain([Value::Integer(1)]).collect()),
            Value::Array(list.iter().cloned().chain(list.first().cloned()).collect()),
            Value::Table(Table::new()),
        ],
        Value::Table(_) => {
            vec![text("x"), Value::Integer(1), Value::Boolean(true), Value::Table(Table::new())]
        }
        Value::Datetime(_) => vec![text("x")],
    }
}

/// Every single change of a protocol that this file can think of.
fn mutants(text: &str) -> Vec<Mutant> {
    let whole: Value = Value::Table(toml::from_str(text).expect("TOML"));
    let mut found = Vec::new();
    places(&whole, &[], &mut found);
    let mut mutants = Vec::new();
    let mut add = |what: String, path: &[Step], value: &Value| {
        mutants.push(Mutant { what, path: name(path), text: toml::to_string(value).expect("TOML") });
    };
    for path in &found {
        let (last, before) = path.split_last().expect("a step");
        let told = name(path);
        let mut without = whole.clone();
        match (at(&mut without, before), last) {
            (Value::Table(table), Step::Key(key)) => {
                let value = table.remove(key).expect("there");
                add(format!("{told} left out"), path, &without);
                let mut renamed = without.clone();
                if let Value::Table(table) = at(&mut renamed, before) {
                    table.insert(format!("{key}x"), value);
                }
                add(format!("{told} misspelt"), path, &renamed);
            }
            (Value::Array(list), Step::Item(index)) => {
                list.remove(*index);
                add(format!("an item of {told} left out"), path, &without);
            }
            _ => {}
        }
        let mut original = whole.clone();
        let value = at(&mut original, path).clone();
        for other in others(&value) {
            if other == value {
                continue;
            }
            let mut changed = whole.clone();
            let what = format!("{told} = {}", other.to_string().replace('\n', " "));
            *at(&mut changed, path) = other;
            add(what, path, &changed);
        }
        if let Value::Table(_) = value {
            let mut more = whole.clone();
            if let Value::Table(table) = at(&mut more, path) {
                table.insert("zzz".to_owned(), Value::Integer(1));
            }
            add(format!("a key more in {told}"), path, &more);
        }
    }
    mutants
}

/// Every line that sets a key, once more behind itself.
fn doubled(text: &str) -> Vec<Mutant> {
    let written = toml::to_string(&toml::from_str::<Table>(text).expect("TOML")).expect("TOML");
    let lines: Vec<&str> = written.lines().collect();
    let sets = lines.iter().enumerate().filter(|(_, line)| line.contains(" = "));
    sets.map(|(index, line)| Mutant {
        what: format!("{line}, twice"),
        path: line.split(" = ").next().unwrap_or_default().to_owned(),
        text: [&lines[..=index], &lines[index..]].concat().join("\n"),
    })
    .collect()
}

fn read(text: &str) -> Result<Protocol, Vec<Diagnostic>> {
    parse(Path::new("protocol.toml"), text)
}

/// The meaning: everything that the protocol declares, defaults written out.
fn meaning(protocol: &Protocol) -> Json {
    serde_json::to_value(protocol).expect("JSON")
}

/// What is typed, said in one way: lists of one, capitals where they do not matter, without what holds
/// anyway.
fn plainly(table: &Table, keys: &[Key], path: &str, described: &Described) -> Table {
    let mut plain = Table::new();
    for (name, value) in table {
        let Some(key) = keys.iter().find(|key| key.name == name) else {
            plain.insert(name.clone(), value.clone());
            continue;
        };
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let capitals = |text: &str| {
            let upper = ["gate.", "eligibility.allowed", "data.modality", "data.body_part"];
            let matters = !upper.iter().any(|start| path.starts_with(start));
            Value::String(if matters { text.to_owned() } else { text.to_uppercase() })
        };
        let value = match (&key.kind, value) {
            (Kind::List { .. }, Value::String(one)) => Value::Array(vec![capitals(one)]),
            (Kind::List { .. }, Value::Array(list)) => Value::Array(
                list.iter().map(|item| item.as_str().map_or_else(|| item.clone(), capitals)).collect(),
            ),
            (Kind::Table(keys), Value::Table(inner)) => Value::Table(plainly(inner, keys, &path, described)),
            (Kind::Tables(keys), Value::Array(list)) => Value::Array(
                list.iter()
                    .map(|item| match item {
                        Value::Table(inner) => Value::Table(plainly(inner, keys, &path, described)),
                        other => other.clone(),
                    })
                    .collect(),
            ),
            (_, Value::String(one)) => capitals(one),
            (_, other) => other.clone(),
        };
        let empty = value.as_table().is_some_and(Table::is_empty);
        let default = described.of(&path).map(|row| row.default.clone()).unwrap_or_default();
        let holds_anyway = default.split('`').skip(1).step_by(2).any(|part| {
            let typed: Option<Table> = toml::from_str(&format!("x = {part}")).ok();
            let typed = typed.and_then(|table| table.get("x").cloned());
            let listed = typed.clone().map(|one| Value::Array(vec![one]));
            typed.as_ref() == Some(&value) || listed.as_ref() == Some(&value)
        });
        // That [scores] is there says that the device lives elsewhere.
        let says_nothing = empty && path != "scores";
        if !says_nothing && !holds_anyway {
            plain.insert(name.clone(), value);
        }
    }
    plain
}

#[test]
fn every_change_of_a_key_is_caught_or_changes_the_meaning() {
    let described = Described::all();
    let (mut caught, mut changed, mut same, mut all) = (0, 0, 0, 0);
    for (which, text) in FOUR {
        let original = read(text).unwrap_or_else(|e| panic!("{which}: {e:#?}"));
        for mutant in mutants(text).into_iter().chain(doubled(text)) {
            all += 1;
            match read(&mutant.text) {
                Err(problems) => {
                    assert!(problems.iter().all(|p| p.location.is_some()), "{which}: {}", mutant.what);
                    caught += 1;
                }
                Ok(other) if meaning(&other) != meaning(&original) => changed += 1,
                Ok(_) => {
                    // Then it says the same in other words.
                    let said = |text: &str| {
                        let table: Table = toml::from_str(text).expect("TOML");
                        plainly(&table, &root(), "", &described)
                    };
                    let (now, before) = (said(&mutant.text), said(text));
                    assert_eq!(now, before, "{which}: nothing sees that {}", mutant.what);
                    same += 1;
                }
            }
        }
    }
    let told = format!("{caught} caught, {changed} changed, {same} the same of {all}");
    assert!(caught > 1500 && changed > 100 && same < 100 && all > 2000, "{told}");
}

#[test]
fn a_valid_protocol_comes_back_from_its_canonical_form() {
    for (which, text) in FOUR {
        let first = read(text).expect(which);
        let table: Table = toml::from_str(text).expect("TOML");
        let json = serde_json_canonicalizer::to_string(&table).expect("canonical JSON");
        let back: Table = serde_json::from_str(&json).expect("JSON");
        let second =
            read(&toml::to_string(&back).expect("TOML")).unwrap_or_else(|e| panic!("{which}: {e:#?}"));
        assert_eq!(first, second, "{which}");
        assert_eq!(meaning(&first), meaning(&second), "{which}");
    }
}

/// Codes of what no schema can say: it knows no other key's value, no other file, no regular expression.
const OURS: [Code; 12] = [
    Code::DuplicateId,
    Code::ReadAmbiguous,
    Code::ReadsKeyUnused,
    Code::ColumnsKeyUnused,
    Code::EndpointMissing,
    Code::OperatingPointWithoutLock,
    Code::ModelAndScores,
    Code::DevelopmentMissing,
    Code::SourceLabelMissing,
    Code::ReferenceRule,
    Code::Regex,
    Code::TomlSyntax,
];

/// Whether the list says of a key, or of one beside it, that more is checked than a schema can say.
fn is_ours(path: &str) -> bool {
    let keys = all_keys(&root(), "");
    let table = path.rsplit_once('.').map_or("", |(table, _)| table);
    let below = |name: &str, table: &str| name.strip_prefix(table).is_some_and(|rest| rest.starts_with('.'));
    keys.iter().any(|(name, key)| {
        !key.ours.is_empty()
            && (name == path
                || path.starts_with(&format!("{name}."))
                || below(name, table)
                || below(name, path))
    })
}

/// A file, and what the parser makes of it.
pub struct Judged {
    /// What was changed, in words.
    pub what: String,
    /// The protocol.
    pub text: String,
    /// Whether the parser takes it.
    pub is_good: bool,
    /// Whether what the parser alone refuses is marked as ours.
    pub is_ours: bool,
}

/// Some two hundred files, good and bad: the four protocols, every so many a mutant of them, and the slips.
pub fn corpus() -> Vec<Judged> {
    let own =
        FOUR.into_iter().map(|(which, text)| (format!("{which} as it is"), String::new(), text.to_owned()));
    let changed = FOUR.into_iter().flat_map(|(which, text)| {
        let named = move |m: Mutant| (format!("{which}: {}", m.what), m.path, m.text);
        mutants(text).into_iter().step_by(31).map(named)
    });
    let slips = Slips::all().protocol.into_iter().step_by(3);
    let slips = slips.map(|slip| (slip.code.to_string(), String::new(), slip.protocol()));
    own.chain(changed).chain(slips).map(|(what, path, text)| judged(what, &path, text)).collect()
}

fn judged(what: String, path: &str, text: String) -> Judged {
    let problems = read(&text).err().unwrap_or_default();
    let is_ours = problems.iter().any(|p| OURS.contains(&p.code)) || is_ours(path) || path.is_empty();
    Judged { what, text, is_good: problems.is_empty(), is_ours }
}

#[test]
fn schema_and_parser_agree_in_all_that_a_schema_can_say() {
    let validator = jsonschema::validator_for(&schema()).expect("a schema");
    let (mut good, mut bad, mut only_ours, mut all) = (0, 0, 0, 0);
    let mut apart = Vec::new();
    for (which, text) in FOUR {
        let own = [Mutant { what: "as it is".to_owned(), path: String::new(), text: text.to_owned() }];
        // A validator takes its time: every fourth of some 4,700, which is beyond a thousand files.
        for mutant in own.into_iter().chain(mutants(text).into_iter().step_by(4)) {
            all += 1;
            let table: Table = toml::from_str(&mutant.text).expect("TOML");
            let json = serde_json::to_value(&table).expect("JSON");
            let fits = validator.is_valid(&json);
            match read(&mutant.text) {
                Ok(_) if fits => good += 1,
                Ok(_) => {
                    let why: Vec<String> =
                        validator.iter_errors(&json).map(|e| format!("{} {e}", e.instance_path())).collect();
                    apart.push(format!("{which}: the schema alone refuses {}: {why:?}", mutant.what));
                }
                Err(_) if !fits => bad += 1,
                Err(problems) => {
                    only_ours += 1;
                    let marked = problems.iter().any(|p| OURS.contains(&p.code)) || is_ours(&mutant.path);
                    if !marked {
                        apart
                            .push(format!("{which}: the parser alone refuses {}: {problems:?}", mutant.what));
                    }
                }
            }
        }
    }
    assert!(apart.is_empty(), "{} of {all}:\n{}", apart.len(), apart.join("\n"));
    assert!(
        good > 100 && bad > 500 && only_ours < all / 4,
        "{good} good, {bad} bad, {only_ours} ours of {all}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn no_bytes_make_the_language_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let text = String::from_utf8_lossy(&bytes);
        let path = Path::new("p.toml");
        let _ = parse(path, &text);
        let _ = parse_gate(path, &text);
        let protocol = read(EXAMPLE).expect("valid");
        let _ = crate::protocol::disagreements_of_device(path, &text, &protocol);
        let _ = crate::protocol::typed_results(path, &text);
    }

    #[test]
    fn no_cut_or_exchange_of_characters_makes_it_panic(
        which in 0..4_usize,
        at in any::<prop::sample::Index>(),
        cut in 0..40_usize,
        new in "[\\[\\]{}=\"#,.\\-0-9a-zé\n]{0,12}",
    ) {
        let text = FOUR[which].1;
        let starts: Vec<usize> = text.char_indices().map(|(at, _)| at).collect();
        let from = at.index(starts.len());
        let to = (from + cut).min(starts.len() - 1);
        let changed = format!("{}{new}{}", &text[..starts[from]], &text[starts[to]..]);
        let path = Path::new("p.toml");
        if let Ok(protocol) = parse(path, &changed) {
            let _ = lint(path, &changed, &protocol);
        }
    }
}
