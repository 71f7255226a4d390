//! Answers without a declared meaning, and the lines of `[reads]` that would give them one. What a word
//! means is for a person to say: the lines are a proposal to be read, and are never taken by themselves.

use std::collections::BTreeMap;
use std::path::Path;

use crate::diagnostic::{Code, Diagnostic, Location, few};
use crate::protocol::ReadsSource;
use crate::reads::export::SEVERAL;
use crate::table::cell;

/// So many words are proposed.
const MOST: usize = 40;

/// Words that mostly mean the same, by the key of `[reads]` that they would go to.
const USUAL: [(&str, &[&str]); 5] = [
    (
        "positive",
        &[
            "1", "yes", "y", "true", "present", "abnormal", "positive", "pos", "disease", "definite",
            "probable",
        ],
    ),
    (
        "negative",
        &[
            "0",
            "no",
            "n",
            "false",
            "absent",
            "normal",
            "negative",
            "neg",
            "none",
            "no finding",
            "no findings",
            "clear",
        ],
    ),
    (
        "indeterminate",
        &[
            "indeterminate",
            "hedge",
            "maybe",
            "unsure",
            "uncertain",
            "equivocal",
            "possible",
            "cannot tell",
            "unclear",
            "-1",
        ],
    ),
    (
        "uninterpretable",
        &[
            "uninterpretable",
            "unreadable",
            "poor quality",
            "not interpretable",
            "non-diagnostic",
            "nondiagnostic",
        ],
    ),
    ("missing", &["na", "n/a", "nan", "null", "missing", "not read", "not done", "skipped", "."]),
];

/// Words without a meaning, with how often each stands in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Unknown(pub BTreeMap<String, usize>);

impl Unknown {
    /// Adds the words of an answer that have no meaning; whether one of them is new.
    pub fn add(&mut self, answer: &str, is_unknown: impl Fn(&str) -> bool) -> bool {
        let before = self.0.len();
        let words = answer.split(SEVERAL).map(str::trim).filter(|word| !word.is_empty());
        for word in words.filter(|word| is_unknown(word)) {
            *self.0.entry(word.to_owned()).or_default() += 1;
        }
        self.0.len() > before
    }

    /// What to add to `[reads]`: the lines to type, with every word in the list that it probably belongs to
    /// and what is not known in a comment. `None` where every word has a meaning, or there are so many
    /// different ones that this is not the column of the answers.
    pub fn proposal(&self, path: &Path, source: &ReadsSource) -> Option<Diagnostic> {
        let words = &self.0;
        if words.is_empty() {
            return None;
        }
        let shown = |(word, times): (&String, &usize)| format!("`{}` ({times})", cell::short(word));
        let some = few::and_so_on(words.iter().map(shown), MOST);
        let all = match words.len() {
            1 => "one answer has".to_owned(),
            n => format!("{n} different answers have"),
        };
        let message = format!("{all} no declared meaning: {some}");
        let problem = Diagnostic::error(Code::ReadsWords, message).at(Location::file(path));
        if words.len() > MOST {
            return Some(problem.hint(
                "this is probably not the column of the answers (`read_column`), or they are numbers \
                (`scale`)",
            ));
        }
        Some(problem.hint(format!(
            "these lines of [reads] would give each a meaning; a person has to read them:\n{}",
            lines(words, source)
        )))
    }
}

/// The lines of TOML.
fn lines(words: &BTreeMap<String, usize>, source: &ReadsSource) -> String {
    let declared: [(&str, &[String], &str); 5] = [
        ("positive", &source.positive, "positive"),
        ("negative", &source.negative, "negative"),
        ("indeterminate", &source.indeterminate, "indeterminate"),
        ("uninterpretable", &source.uninterpretable, "uninterpretable"),
        ("missing", &source.missing, ""),
    ];
    let mut out = String::new();
    let mut open: Vec<&String> = words.keys().collect();
    for (key, list, default) in declared {
        let usual = USUAL.iter().find(|(name, _)| *name == key).map_or(&[][..], |(_, usual)| usual);
        let belongs = |word: &&String| usual.iter().any(|known| cell::is_word(known, word));
        let added: Vec<&String> = open.iter().copied().filter(belongs).collect();
        open.retain(|word| !belongs(word));
        if added.is_empty() {
            continue;
        }
        // A list that is declared stays; the one that holds without a declaration is replaced by a
        // declared one.
        let kept = list.iter().filter(|word| word.as_str() != default);
        let texts: Vec<String> = kept.chain(added).map(|word| text(word)).collect();
        out.push_str(&format!("    {key} = [{}]\n", texts.join(", ")));
    }
    if !open.is_empty() {
        let texts: Vec<String> = open.into_iter().map(|word| text(word)).collect();
        out.push_str(&format!(
            "    # positive, negative, indeterminate, uninterpretable or missing? {}\n",
            texts.join(", ")
        ));
    }
    out.trim_end().to_owned()
}

/// A text as TOML writes it.
fn text(word: &str) -> String {
    toml::Value::String(word.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol;

    fn source(keys: &str) -> ReadsSource {
        let declared = include_str!("../../protocols/pneumonia-exp2a.toml");
        let begin = declared.find("[reads]").expect("a section");
        let end = begin + declared[begin..].find("\n[").expect("a section follows");
        let text = format!("{}[reads]\n{keys}\n{}", &declared[..begin], &declared[end..]);
        protocol::parse(Path::new("p.toml"), &text).expect("valid").reads
    }

    fn proposed(keys: &str, words: &[&str]) -> String {
        let unknown = Unknown(words.iter().map(|word| ((*word).to_owned(), 1)).collect());
        unknown.proposal(Path::new("r.csv"), &source(keys)).and_then(|d| d.hint).expect("a hint")
    }

    #[test]
    fn the_proposed_lines_are_toml_that_gives_every_word_a_meaning_or_says_that_it_has_none() {
        let hint = proposed("positive = [\"finding\"]", &["Present", "Absent", "HEDGE", "NA", "a \"b\""]);
        let expected = "    positive = [\"finding\", \"Present\"]\n    negative = [\"Absent\"]\n    \
                        indeterminate = [\"HEDGE\"]\n    missing = [\"NA\"]\n    # positive, negative, \
                        indeterminate, uninterpretable or missing? 'a \"b\"'";
        assert!(hint.ends_with(expected), "{hint}");
        let lines: Vec<&str> = hint.lines().skip(1).collect();
        let read = source(&lines.join("\n"));
        assert_eq!(read.positive, ["finding", "Present"]);
        assert_eq!(read.missing, ["NA"]);
    }

    #[test]
    fn many_different_answers_are_no_words() {
        let many: Vec<String> = (0..60).map(|i| format!("x{i}")).collect();
        let many: Vec<&str> = many.iter().map(String::as_str).collect();
        assert!(proposed("", &many).contains("read_column"));
        assert_eq!(Unknown::default().proposal(Path::new("r.csv"), &source("")), None);
    }
}
