//! The list of keys against the parser, table by table and word by word.

mod everything;
mod mutated;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::LazyLock;

use super::*;
use crate::diagnostic::{Code, Diagnostic};
use crate::protocol::parse;

/// Problems of a value, and not of what stands beside it.
const OF_VALUE: [Code; 10] = [
    Code::ValueType,
    Code::ValueRange,
    Code::ValueEmpty,
    Code::ValueUnknown,
    Code::Path,
    Code::UnknownKey,
    Code::Criterion,
    Code::CriterionOnEstimate,
    Code::FormatUnknown,
    Code::Margin,
];

/// A document that has what is set in it, and nothing else.
#[derive(Default)]
struct Typed(toml::Table);

impl Typed {
    /// Sets a key below a path; of arrays of tables the first.
    fn set(&mut self, path: &str, value: toml::Value) {
        let parts: Vec<&str> = path.split('.').collect();
        let (last, tables) = parts.split_last().expect("a path");
        let mut keys = root();
        let mut table = &mut self.0;
        for part in tables {
            let key = keys.iter().find(|key| key.name == *part).expect("a table").clone();
            let fresh = || toml::Value::Table(toml::Table::new());
            let entry = table.entry((*part).to_owned()).or_insert_with(|| match key.kind {
                Kind::Tables(_) => toml::Value::Array(vec![fresh()]),
                _ => fresh(),
            });
            table = match entry {
                toml::Value::Array(list) => list[0].as_table_mut().expect("a table"),
                other => other.as_table_mut().expect("a table"),
            };
            keys = key.keys().to_vec();
        }
        table.insert((*last).to_owned(), value);
    }

    /// Sets whatever a key needs to stand there at all.
    fn allow(&mut self, path: &str, key: &Key, siblings: &[Key]) {
        let (Need::OnlyWhen(other, words, _) | Need::RequiredWhen(other, words)) = &key.need else { return };
        let table = path.rsplit_once('.').map_or("", |(table, _)| table);
        let other = siblings.iter().find(|key| key.name == *other).expect("a sibling");
        let at = format!("{table}.{}", other.name);
        self.allow(&at, other, siblings);
        self.set(&at, toml::Value::String(words[0].to_owned()));
    }

    /// Gives every choice that has to be made in a table its first word: the keys beside it are looked at
    /// only then.
    fn decide(&mut self, table: &str, keys: &[Key]) {
        for key in keys.iter().filter(|key| key.need == Need::Required) {
            if let (Kind::Choice { words, .. }, false) = (&key.kind, table.is_empty()) {
                self.set(&format!("{table}.{}", key.name), toml::Value::String(words[0].to_owned()));
            }
        }
    }

    fn text(&self) -> String {
        toml::to_string(&self.0).expect("TOML")
    }
}

fn problems(text: &str) -> Vec<Diagnostic> {
    parse(Path::new("protocol.toml"), text).err().unwrap_or_default()
}

/// `value` as typed.
fn typed(value: &str) -> toml::Value {
    let table: toml::Table = toml::from_str(&format!("x = {value}")).expect(value);
    table["x"].clone()
}

type Place = (String, Key, Vec<Key>);

/// Every key of a protocol with its path and the keys beside it.
static EVERY: LazyLock<Vec<Place>> = LazyLock::new(|| keys_with_siblings(&root(), ""));

fn keys_with_siblings(keys: &[Key], table: &str) -> Vec<Place> {
    let mut found = Vec::new();
    for key in keys {
        let path = if table.is_empty() { key.name.to_owned() } else { format!("{table}.{}", key.name) };
        found.push((path.clone(), key.clone(), keys.to_vec()));
        found.extend(keys_with_siblings(key.keys(), &path));
    }
    found
}

#[test]
fn the_parser_asks_for_the_keys_of_the_list_and_for_no_others() {
    let mut looked = 0;
    let mut check = |path: &str, keys: &[Key], typed: &Typed, other: Option<(&str, &str)>| {
        let found = problems(&typed.text());
        // Words that may stand there only beside another choice: which keys there are is not known then.
        let refused = |(_, word): (&str, &str)| {
            let is = format!("is \"{word}\", must be one of");
            found.iter().any(|d| d.code == Code::ValueUnknown && d.message.contains(&is))
        };
        if other.is_some_and(refused) {
            return;
        }
        let unknown = found.iter().find(|d| d.code == Code::UnknownKey && d.message.contains("zzzzzzzzzzzz"));
        let hint = unknown.and_then(|d| d.hint.clone()).unwrap_or_else(|| panic!("{path}: {found:#?}"));
        let asked: BTreeSet<&str> =
            hint.strip_prefix("the keys here are: ").expect("a list").split(", ").collect();
        let named: BTreeSet<&str> = keys.iter().map(|key| key.name).collect();
        let extra: Vec<_> = asked.difference(&named).collect();
        assert!(extra.is_empty(), "the parser knows {extra:?} in [{path}], and the list does not");
        for key in keys {
            let here = match (&key.need, other) {
                (Need::OnlyWhen(of, words, _), Some((name, word))) => *of == name && words.contains(&word),
                (Need::OnlyWhen(..), None) => false,
                _ => true,
            };
            assert!(!here || asked.contains(key.name), "[{path}] {other:?}: nobody asks for `{}`", key.name);
        }
        looked += 1;
    };
    let unknown = || toml::Value::Integer(1);
    let mut whole = Typed::default();
    whole.0.insert("zzzzzzzzzzzz".to_owned(), unknown());
    check("", &root(), &whole, None);
    for (path, key, _) in EVERY.iter() {
        let keys = key.keys();
        if keys.is_empty() {
            continue;
        }
        let at = format!("{path}.zzzzzzzzzzzz");
        let siblings =
            EVERY.iter().find(|(other, ..)| *other == *path).map(|(.., siblings)| siblings).expect("itself");
        let mut plain = Typed::default();
        plain.decide(path, keys);
        if path.contains('.') {
            plain.allow(path, key, siblings);
        }
        plain.set(&at, unknown());
        check(path, keys, &plain, None);
        for governing in keys {
            let Kind::Choice { words, .. } = &governing.kind else { continue };
            for word in words {
                let mut variant = Typed::default();
                variant.decide(path, keys);
                if path.contains('.') {
                    variant.allow(path, key, siblings);
                }
                let name = format!("{path}.{}", governing.name);
                variant.allow(&name, governing, keys);
                variant.set(&name, toml::Value::String((*word).to_owned()));
                variant.set(&at, unknown());
                check(path, keys, &variant, Some((governing.name, word)));
            }
        }
    }
    assert!(looked > 100, "{looked}");
}

#[test]
fn the_parser_takes_the_words_of_the_list_and_no_others() {
    let mut looked = 0;
    for (path, key, siblings) in EVERY.iter() {
        let Kind::Choice { words, .. } = &key.kind else { continue };
        if path == "format" {
            continue;
        }
        let mut typed = Typed::default();
        typed.decide(path.rsplit_once('.').map_or("", |(table, _)| table), siblings);
        if let Some((table, _)) = path.rsplit_once('.').filter(|(table, _)| table.contains('.')) {
            let outer = EVERY.iter().find(|(other, ..)| other == table);
            let (name, key, siblings) = outer.expect("its table");
            typed.allow(name, key, siblings);
        }
        typed.allow(path, key, siblings);
        typed.set(path, toml::Value::String("zzzz-no".to_owned()));
        let found = problems(&typed.text());
        let refused = found
            .iter()
            .find(|d| d.code == Code::ValueUnknown && d.message.contains("zzzz-no"))
            .unwrap_or_else(|| panic!("{path}: {found:#?}"));
        let (_, list) = refused.message.split_once("must be one of ").expect("a list");
        let taken: Vec<&str> = list.split(", ").map(|word| word.trim_matches('"')).collect();
        if ["endpoint.interval", "endpoint.metric"].contains(&path.as_str()) {
            // Those of the metric, and of endpoints that are judged by a goal.
            assert!(taken.iter().all(|word| words.contains(word)), "{path}: {taken:?}");
        } else {
            assert_eq!(&taken, words, "{path}");
        }
        looked += 1;
    }
    assert!(looked > 35, "{looked}");
}

#[test]
fn every_key_has_a_line_that_may_stand_there_and_one_that_may_not() {
    let described = Described::all();
    for (path, key, siblings) in EVERY.iter() {
        let problem = |value: &str| {
            let mut document = Typed::default();
            document.decide(path.rsplit_once('.').map_or("", |(table, _)| table), siblings);
            if let Some((table, _)) = path.rsplit_once('.').filter(|(table, _)| table.contains('.')) {
                let outer = EVERY.iter().find(|(other, ..)| other == table);
                let (name, key, siblings) = outer.expect("its table");
                document.allow(name, key, siblings);
            }
            document.allow(path, key, siblings);
            // Of a table of columns an empty one has a meaning of its own.
            if path.starts_with("data.development_columns.") {
                document.set("data.development_columns.case_id", typed("\"id\""));
            }
            document.set(path, typed(value));
            let text = document.text();
            let lines: Vec<&str> = text.lines().collect();
            let headed = |name: &str| {
                lines.iter().position(|l| *l == format!("[{name}]") || *l == format!("[[{name}]]"))
            };
            let table = path.rsplit_once('.').and_then(|(table, _)| headed(table)).unwrap_or(0);
            let set = |l: &&str| l.starts_with(&format!("{} = ", key.name));
            let line = headed(path).or_else(|| lines.iter().skip(table).position(set).map(|n| n + table));
            let line = line.unwrap_or_else(|| panic!("{path} is not in {text}")) as u64 + 1;
            let at = |d: &Diagnostic| d.location.as_ref().and_then(|l| l.line);
            let found = problems(&text);
            // A range of which one end is typed says nothing of that end, nor of this what stands elsewhere.
            let elsewhere =
                [" is above ", " declared before", "and the endpoints are ", "with `value` in it"];
            let of_value = |d: &Diagnostic| {
                OF_VALUE.contains(&d.code) && !elsewhere.iter().any(|words| d.message.contains(words))
            };
            found.into_iter().find(|d| at(d) == Some(line) && of_value(d))
        };
        let good = good(key, path, &described);
        assert_eq!(problem(&good), None, "{path} = {good}");
        let bad = bad(&key.kind);
        assert!(problem(&bad).is_some(), "{path} = {bad} is taken");
    }
}

#[test]
fn the_page_says_what_every_key_does() {
    let described = Described::all();
    let keys = all_keys(&root(), "");
    for (path, key) in &keys {
        let top = !path.contains('.') && !key.keys().is_empty();
        assert!(top || described.of(path).is_some(), "docs/protocol.md has no row for `{path}`");
    }
    // And no row is of a key that is not there.
    for (path, _) in described.rows() {
        assert!(keys.iter().any(|(known, _)| known == path), "docs/protocol.md has a row for `{path}`");
    }
}

#[test]
fn every_reason_is_of_something_and_every_code_of_a_protocols_meaning_has_one() {
    let reasons = Reasons::all();
    assert!(reasons.key.len() > 20 && reasons.code.len() > 50);
    let keys = all_keys(&root(), "");
    for name in reasons.key.keys() {
        assert!(keys.iter().any(|(path, _)| path == name), "{name} is no key");
    }
    for name in reasons.code.keys() {
        assert!(Code::from_text(name).is_some(), "{name} is no code");
    }
    let from = Code::ALL.iter().position(|code| *code == Code::CriterionOnEstimate).expect("there");
    let to = Code::ALL.iter().position(|code| *code == Code::TextUnfinished).expect("there");
    for code in &Code::ALL[from..=to] {
        assert!(reasons.code.contains_key(code.as_str()), "{code} has no reason");
    }
}

#[test]
fn the_schema_that_is_shipped_is_that_of_the_list() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas/protocol.json");
    let text = format!("{:#}\n", schema());
    if std::env::var_os("SEQUESTER_WRITE_SCHEMAS").is_some() {
        std::fs::write(&path, &text).expect("writes");
    }
    let shipped = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(shipped == text, "docs/schemas/protocol.json is another: SEQUESTER_WRITE_SCHEMAS=1 writes it");
}

#[test]
fn the_reference_that_is_shipped_is_that_of_the_list() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/protocol-keys.md");
    let page = reference();
    if std::env::var_os("SEQUESTER_WRITE_SCHEMAS").is_some() {
        std::fs::write(&path, &page).expect("writes");
    }
    let shipped = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(shipped == page, "docs/protocol-keys.md is another: SEQUESTER_WRITE_SCHEMAS=1 writes it");
    // Every key has its row, in the section of its table.
    for (key, _) in all_keys(&root(), "") {
        let (table, name) = key.rsplit_once('.').map_or(("The file", &*key), |(table, name)| (table, name));
        let heading =
            if table == "The file" { "\n## The file\n".to_owned() } else { format!("\n## `{table}`\n") };
        let section = page.split(&heading).nth(1).unwrap_or_else(|| panic!("no section of {table}"));
        let section = section.split("\n## ").next().unwrap_or_default();
        assert!(section.contains(&format!("\n| `{name}` | ")), "{key} has no row");
    }
}

/// `taplo` where there is one: as `SEQUESTER_TAPLO` says, or as `scripts/setup-browser.sh` installs it.
fn taplo() -> Option<std::path::PathBuf> {
    let beside = "tests/browser/node_modules/.bin/taplo";
    let path = std::env::var_os("SEQUESTER_TAPLO")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join(beside), std::path::PathBuf::from);
    path.is_file().then_some(path)
}

#[test]
fn taplo_and_the_parser_agree_in_all_that_a_schema_can_say() {
    let Some(taplo) = taplo() else {
        eprintln!(
            "SKIPPED taplo: none is installed; scripts/setup-browser.sh installs it, SEQUESTER_TAPLO \
                   names one"
        );
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("protocol.schema.json"), schema().to_string()).expect("writes");
    let corpus = mutated::corpus();
    for (number, file) in corpus.iter().enumerate() {
        let text = format!("#:schema ./protocol.schema.json\n{}", file.text);
        std::fs::write(folder.path().join(format!("p{number:03}.toml")), text).expect("writes");
    }
    let names = (0..corpus.len()).map(|number| format!("p{number:03}.toml"));
    let ran = std::process::Command::new(taplo).arg("lint").args(names).current_dir(folder.path()).output();
    let said = String::from_utf8_lossy(&ran.expect("taplo runs").stderr).into_owned();
    assert!(said.contains(&format!("total={}", corpus.len())), "{said}");
    let (mut good, mut bad, mut only_ours, mut apart) = (0, 0, 0, Vec::new());
    for (number, file) in corpus.iter().enumerate() {
        let name = format!("p{number:03}.toml");
        let refused = said.lines().any(|line| line.contains("invalid file") && line.contains(&name));
        match (refused, file.is_good) {
            (false, true) => good += 1,
            (true, false) => bad += 1,
            (false, false) if file.is_ours => only_ours += 1,
            (true, true) => apart.push(format!("taplo alone refuses {}", file.what)),
            (false, false) => apart.push(format!("taplo takes {}", file.what)),
        }
    }
    assert!(apart.is_empty(), "{}\n{said}", apart.join("\n"));
    let all = corpus.len();
    assert!(all >= 180 && good > 20 && bad > 80, "{good} good, {bad} bad, {only_ours} ours of {all}");
}
