//! What a public document must not hold: ids of cases, patients and readers, paths, digests.
//!
//! An id is told from a word by its form. One that is a short number or a short word cannot be told from a
//! count or from prose, and is not looked for; ids are compared word by word, or as a whole where they hold
//! a blank.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::outline::Outline;
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::report::submission::{Identifiers, Source};

/// Endings of the names of input files.
const ENDINGS: [&str; 10] =
    [".csv", ".dcm", ".json", ".jsonl", ".toml", ".png", ".jpg", ".jpeg", ".xlsx", ".safetensors"];
/// Hexadecimal digits from which a word is a digest.
const DIGEST: usize = 16;

/// How many ids were looked for.
pub fn searched(source: &Source) -> usize {
    Known::of(source).iter().count()
}

/// Everything that identifies something, each once, with its section.
pub fn problems(source: &Source, outline: &Outline) -> Vec<Diagnostic> {
    let ids = Known::of(source);
    let with_blanks: Vec<(&str, &str)> =
        ids.iter().filter(|(id, _)| id.contains(char::is_whitespace)).collect();
    let mut found: BTreeMap<String, Diagnostic> = BTreeMap::new();
    for section in &outline.sections {
        let text = format!("{} {} {}", section.title, section.captions.join(" "), section.words);
        let place = if section.number.is_empty() {
            "the cover".to_owned()
        } else {
            format!("section {}", section.number)
        };
        let mut say = |kind: &str, word: &str| {
            found.entry(word.to_owned()).or_insert_with(|| {
                let message =
                    format!("the 510(k) summary is public and holds the {kind} `{word}` in {place}");
                let problem =
                    Diagnostic::error(Code::SummaryIdentifier, message).at(Location::file("summary.html"));
                match field_with(&source.device, word) {
                    Some(field) => problem.hint(format!("take it out of {field} in device.toml")),
                    None => {
                        problem.hint("take it out of the template summary.md, or rename what has this id")
                    }
                }
            });
        };
        for word in
            text.split_whitespace().flat_map(|word| word.split(['(', ')', '[', ']', ',', ';', '"', '|']))
        {
            let word = word
                .trim_matches(|c: char| matches!(c, '.' | ':' | '\'' | '`' | '\u{201c}' | '\u{201d}' | '*'));
            if let Some(kind) = ids.get(word) {
                say(kind, word);
            } else if is_digest(word) {
                say("digest", word);
            } else if is_path(word) {
                say("path", word);
            }
        }
        with_blanks.iter().filter(|(id, _)| text.contains(id)).for_each(|(id, kind)| say(kind, id));
    }
    found.into_values().collect()
}

/// Ids that can be told from words, with what they are of.
struct Known<'a> {
    /// Of all cases and patients, told from words or not.
    all: &'a Identifiers,
    /// Of drawn cases and of readers.
    more: BTreeMap<&'a str, &'static str>,
}

const OF_CASES: &str = "id of a case or patient";

impl<'a> Known<'a> {
    fn of(source: &'a Source) -> Self {
        let derived = source.derivation.iter().map(|row| (row.case_id.as_str(), OF_CASES));
        let readers = source.results.readers.iter().map(|reader| (reader.id.as_str(), "id of a reader"));
        let more = derived.chain(readers).filter(|(id, _)| is_telling(id)).collect();
        Self { all: &source.identifiers, more }
    }

    fn get(&self, word: &str) -> Option<&'static str> {
        let of_cases = || (is_telling(word) && self.all.contains(word)).then_some(OF_CASES);
        self.more.get(word).copied().or_else(of_cases)
    }

    fn iter(&self) -> impl Iterator<Item = (&str, &'static str)> {
        let others = self.all.iter().filter(|id| is_telling(id) && !self.more.contains_key(id));
        others.map(|id| (id, OF_CASES)).chain(self.more.iter().map(|(id, kind)| (*id, *kind)))
    }
}

/// Whether an id is more than a short number or a short word.
fn is_telling(id: &str) -> bool {
    let digits = id.chars().filter(char::is_ascii_digit).count();
    let letters = id.chars().filter(|c| c.is_alphabetic()).count();
    match (digits, letters) {
        (0, letters) => letters >= 4,
        (digits, 0) => digits >= 5,
        _ => true,
    }
}

fn is_digest(word: &str) -> bool {
    let bare = word.trim_end_matches('\u{2026}');
    bare.len() >= DIGEST
        && bare.bytes().all(|b| b.is_ascii_hexdigit())
        && bare.bytes().any(|b| b.is_ascii_digit())
        && bare.bytes().any(|b| b.is_ascii_alphabetic())
}

fn is_path(word: &str) -> bool {
    let lower = word.to_lowercase();
    if lower.contains("://") && !lower.starts_with("file:") {
        return false;
    }
    let rooted = word
        .strip_prefix('/')
        .is_some_and(|rest| rest.starts_with(char::is_alphanumeric) && rest.contains('/'));
    let named = lower.len() > 5 && ENDINGS.iter().any(|ending| lower.ends_with(ending));
    let windows = word.contains(":\\") || word.starts_with("\\\\");
    rooted || named || windows || word.starts_with("file:")
}

/// The field of the device file that holds a word.
fn field_with(device: &Json, word: &str) -> Option<String> {
    match device {
        Json::String(text) => text.contains(word).then(String::new),
        Json::Array(items) => items.iter().find_map(|item| field_with(item, word)),
        Json::Object(fields) => fields.iter().find_map(|(key, value)| {
            let below = field_with(value, word)?;
            Some(if below.is_empty() { key.clone() } else { format!("{key}.{below}") })
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_told_from_a_count_and_a_word() {
        let telling: Vec<_> = ["C0001", "R1", "12", "00012", "PA", "Meier", "P-1"]
            .into_iter()
            .filter(|id| is_telling(id))
            .collect();
        assert_eq!(telling, ["C0001", "R1", "00012", "Meier", "P-1"]);
        assert!(is_path("/data/a/b") && is_path("reads-1.csv") && is_path("C:\\x") && !is_path("PA/AP"));
        assert!(
            !is_path("and/or")
                && !is_path("//")
                && !is_path("https://e.x/i.png")
                && !is_digest("1234567890123456")
                && is_digest("0123456789abcdef\u{2026}")
        );
    }
}
