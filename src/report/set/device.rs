//! What `device.toml` says beside its fields: rows that compare the device with the predicate, shares of the
//! intended population, and decisions on drafted limitations; with every problem at its place.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value as Json;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::population;
use super::requirements::fields;
use crate::declared::{Document, Section, distance};
use crate::diagnostic::{Code, Diagnostic};

/// Tables that stand there once a row.
const REPEATED: [&str; 3] = ["comparison", "limitation", population::KEY];

/// A row of the comparison with the predicate.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Comparison {
    /// What is compared.
    pub characteristic: String,
    /// Of the device: words, or `auto:` with the id of a fact.
    pub subject: String,
    /// Of the predicate, in the submitter's words.
    pub predicate: String,
    /// Where a number of the predicate stands.
    pub source: String,
    /// Whether both are the same, as the submitter says.
    pub same: bool,
    /// What a difference means.
    pub discussion: String,
}

/// What was decided on a drafted limitation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// The draft.
    pub id: String,
    /// Whether it stands in the labelling.
    pub accepted: bool,
    /// Why, where it does not.
    pub reason: String,
}

/// The rows of a device file that [`check`] found nothing wrong with.
pub fn comparisons(device: &Json) -> Vec<Comparison> {
    tables(device, "comparison")
        .map(|row| Comparison {
            characteristic: word(row, "characteristic"),
            subject: word(row, "subject"),
            predicate: word(row, "predicate"),
            source: word(row, "source"),
            same: row.get("same").and_then(Json::as_bool).unwrap_or_default(),
            discussion: word(row, "discussion"),
        })
        .collect()
}

/// The decisions of a device file that [`check`] found nothing wrong with.
pub fn decisions(device: &Json) -> Vec<Decision> {
    tables(device, "limitation")
        .map(|row| Decision {
            id: word(row, "id"),
            accepted: row.get("accepted").and_then(Json::as_bool).unwrap_or_default(),
            reason: word(row, "reason"),
        })
        .collect()
}

fn tables<'a>(device: &'a Json, key: &str) -> impl Iterator<Item = &'a Json> {
    device.get(key).and_then(Json::as_array).into_iter().flatten()
}

fn word(row: &Json, key: &str) -> String {
    row.get(key).and_then(Json::as_str).unwrap_or_default().trim().to_owned()
}

/// Everything that is wrong in the tables that repeat. A text that is not TOML says nothing here.
pub fn check(path: &Path, text: &str) -> Vec<Diagnostic> {
    let document = Document::new(path, text);
    let Some(table) = document.parse() else { return Vec::new() };
    let root = Section::root(&document, &table);
    for row in root.sections("comparison") {
        comparison(&row);
        row.finish();
    }
    population::check(&root);
    for row in root.sections("limitation") {
        row.required_string("id");
        let accepted = row.boolean("accepted");
        let reason = row.string("reason").unwrap_or_default();
        if accepted == Some(false) && reason.trim().is_empty() {
            let message = "a drafted limitation is declined without a reason";
            row.report(
                Diagnostic::error(Code::LimitationReason, message)
                    .at(row.at("accepted"))
                    .hint("say in `reason` what shows that the limitation does not hold"),
            );
        }
        row.finish();
    }
    document.into_problems()
}

fn comparison(row: &Section<'_, '_>) {
    row.required_string("characteristic");
    row.required_string("subject");
    let predicate = row.string("predicate").unwrap_or_default();
    let source = row.string("source").unwrap_or_default();
    let same = row.boolean("same");
    let discussion = row.string("discussion").unwrap_or_default();
    let wrong = |code, key, message: String, hint: &str| {
        row.report(Diagnostic::error(code, message).at(row.at(key)).hint(hint));
    };
    if let (Some(number), true) = (number_in(&predicate), source.trim().is_empty()) {
        wrong(
            Code::ComparisonSource,
            "predicate",
            format!("the predicate's number `{number}` has no source"),
            "name the submission and the page in `source`, such as \"K123456, page 7\"",
        );
    }
    if same != Some(true) && !predicate.trim().is_empty() && discussion.trim().is_empty() {
        wrong(
            Code::ComparisonDiscussion,
            "characteristic",
            "the row differs from the predicate and is not discussed".to_owned(),
            "say in `discussion` why the difference raises no new question, or set `same = true`",
        );
    }
}

/// The first number of a text: digits at the beginning of a word. `DenseNet121` and `K123456` are names.
pub fn number_in(text: &str) -> Option<&str> {
    let mut words = text.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | ';' | '/'));
    words.find(|word| {
        let bare = word.trim_start_matches(['.', '-', '+', '<', '>', '=', '\u{2264}', '\u{2265}', '~']);
        bare.starts_with(|c: char| c.is_ascii_digit())
    })
}

/// Keys of the device file that no document of the program asks for: most are slips of the pen. A key that a
/// template of the study asks for is none.
pub fn unknown_keys(path: &Path, text: &str, templates: &BTreeMap<String, String>) -> Vec<Diagnostic> {
    let document = Document::new(path, text);
    let Some(table) = document.parse() else { return Vec::new() };
    let known: BTreeSet<&str> = fields().iter().map(|field| field.path.as_str()).collect();
    let groups: BTreeSet<&str> = known.iter().filter_map(|path| path.split('.').next()).collect();
    let asked = |path: &str| templates.values().any(|template| template.contains(&format!("\"{path}\"")));
    let mut found = Vec::new();
    let mut say = |key: &Spanned<std::borrow::Cow<'_, str>>, path: &str, near: Option<&str>| {
        let problem = Diagnostic::warning(Code::DeviceKeyUnknown, format!("no document asks for `{path}`"))
            .at(document.location(key.span()));
        found.push(match near {
            Some(near) => problem.hint(format!("is `{near}` meant?")),
            None => {
                problem.hint("`sequester init` writes every field; a template of your own may ask for more")
            }
        });
    };
    for (group, value) in table.get_ref() {
        let name = group.get_ref().as_ref();
        if name == "format" || REPEATED.contains(&name) {
            continue;
        }
        let DeValue::Table(inside) = value.get_ref() else {
            if !asked(name) {
                say(group, name, nearest(name, groups.iter().copied().chain(REPEATED)));
            }
            continue;
        };
        if !groups.contains(name) {
            if !templates.values().any(|template| template.contains(&format!("\"{name}."))) {
                say(group, name, nearest(name, groups.iter().copied()));
            }
            continue;
        }
        in_group(name, inside, &known, &asked, &mut say);
    }
    found
}

/// Says a key that is none: where it stands, its path, and the nearest one.
type Say<'s, 'a> = &'s mut dyn FnMut(&Spanned<std::borrow::Cow<'a, str>>, &str, Option<&str>);

fn in_group<'a>(
    group: &str,
    inside: &DeTable<'a>,
    known: &BTreeSet<&str>,
    asked: &dyn Fn(&str) -> bool,
    say: Say<'_, 'a>,
) {
    for key in inside.keys() {
        let path = format!("{group}.{}", key.get_ref());
        if !known.contains(path.as_str()) && !asked(&path) {
            say(key, &path, nearest(&path, known.iter().copied()));
        }
    }
}

/// The name that differs by the fewest letters, where that are few.
fn nearest<'a>(name: &str, among: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    among.map(|other| (distance(name, other), other)).filter(|(d, _)| *d <= 3).min().map(|(_, other)| other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(text: &str) -> Vec<String> {
        let problems = check(Path::new("device.toml"), text);
        problems
            .iter()
            .map(|p| {
                let line = p.location.as_ref().and_then(|l| l.line).unwrap_or_default();
                format!("{}:{line}", p.code)
            })
            .collect()
    }

    #[test]
    fn a_predicate_number_needs_a_source_and_a_difference_a_discussion() {
        let row =
            |more: &str| format!("[[comparison]]\ncharacteristic = \"AUC\"\nsubject = \"auto:auc\"\n{more}");
        let check = |more: &str, expected: &[&str]| assert_eq!(codes(&row(more)), expected, "{more}");
        check("predicate = \"0.95\"\nsame = true\n", &["comparison-source:4"]);
        check("predicate = \"0.95\"\nsource = \"K123456, p. 7\"\nsame = true\n", &[]);
        check("predicate = \"DenseNet121\"\nsame = true\n", &[]);
        check("predicate = \"radiologists\"\nsame = false\n", &["comparison-discussion:2"]);
        check("predicate = \"radiologists\"\ndiscussion = \"Both read.\"\n", &[]);
        check("", &[]);
        let limits = "[[limitation]]\nid = \"x\"\naccepted = false\n";
        assert_eq!(codes(limits), ["limitation-reason:3"]);
        assert_eq!(codes(&format!("{limits}reason = \"y\"\n")), Vec::<String>::new());
        assert!(!codes("[[comparison]]\nsubject = 3\n").is_empty());
        assert_eq!(codes("comparison = [[[\n"), Vec::<String>::new(), "no TOML is said elsewhere");
    }

    #[test]
    fn a_table_of_rows_that_nobody_asks_for_is_said_with_the_one_that_is_meant() {
        for (typed, meant) in
            [("populaton", "population"), ("limitations", "limitation"), ("comparision", "comparison")]
        {
            let found = unknown_keys(Path::new("d"), &format!("[[{typed}]]\nid = \"x\"\n"), &BTreeMap::new());
            let hints: Vec<&str> = found.iter().filter_map(|p| p.hint.as_deref()).collect();
            assert_eq!(hints, [format!("is `{meant}` meant?")], "{typed}");
        }
        let right = REPEATED.map(|name| format!("[[{name}]]\nid = \"x\"\n")).concat();
        assert_eq!(unknown_keys(Path::new("d"), &right, &BTreeMap::new()), []);
    }

    #[test]
    fn a_key_that_nobody_asks_for_is_said_with_the_one_that_is_meant() {
        let text =
            "[device]\nname = \"x\"\nintented_use = \"y\"\n[sumbitter]\nname = \"z\"\n[own]\nkey = 1\n";
        let templates = BTreeMap::from([("a.md".to_owned(), "{{ device(path=\"own.key\") }}".to_owned())]);
        let found = unknown_keys(Path::new("device.toml"), text, &templates);
        let said: Vec<String> = found
            .iter()
            .map(|p| format!("{} {}", p.location.as_ref().and_then(|l| l.line).unwrap_or(0), p.message))
            .collect();
        assert_eq!(
            said,
            ["3 no document asks for `device.intented_use`", "4 no document asks for `sumbitter`"]
        );
        assert!(found[0].hint.as_ref().is_some_and(|h| h.contains("device.intended_use")), "{found:?}");
        assert_eq!(unknown_keys(Path::new("d"), crate::report::DEVICE_EXAMPLE, &BTreeMap::new()), []);
    }
}
