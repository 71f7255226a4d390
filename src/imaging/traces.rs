//! What in a text looks as if it told of a person or of the finding: dates, telephone numbers, names in file
//! names, words of findings. Heuristics that point a person to a place; none of them proves anything, and no
//! text is ever repeated.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

/// What a text seems to hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Trace {
    /// A date of 1880 to 2099 in full.
    Date,
    /// A telephone number: at least nine digits in groups, or after a plus.
    Telephone,
    /// The word for a finding, which may give the label away.
    Finding,
    /// A name.
    Name,
    /// An identifier.
    Identifier,
}

impl fmt::Display for Trace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Date => "date",
            Self::Telephone => "telephone",
            Self::Finding => "finding",
            Self::Name => "name",
            Self::Identifier => "identifier",
        })
    }
}

/// Beginnings of words for findings of chest radiographs, and for their absence.
const FINDINGS: [&str; 24] = [
    "pneumon",
    "infiltrat",
    "consolidat",
    "opacit",
    "effusion",
    "atelecta",
    "nodul",
    "mass",
    "edema",
    "oedema",
    "emphysem",
    "fibros",
    "cardiomegal",
    "hernia",
    "pneumothora",
    "pleural",
    "tubercul",
    "covid",
    "tumor",
    "tumour",
    "lesion",
    "fractur",
    "normal",
    "no finding",
];

/// Traces in free text.
pub fn in_text(text: &str) -> BTreeSet<Trace> {
    let mut found = BTreeSet::new();
    if has_date(text) {
        found.insert(Trace::Date);
    }
    if has_telephone(text) {
        found.insert(Trace::Telephone);
    }
    let lower = text.to_lowercase();
    let begins = |at: usize| !lower[..at].ends_with(char::is_alphabetic);
    if FINDINGS.iter().any(|word| lower.match_indices(word).any(|(at, _)| begins(at))) {
        found.insert(Trace::Finding);
    }
    found
}

/// Traces in an identifier or in the name of a file: a date, or two words in a row that begin with a capital
/// and are not of those that archives put there.
pub fn in_name(name: &str) -> BTreeSet<Trace> {
    let mut found = BTreeSet::new();
    let name = name.rsplit('/').next().unwrap_or(name);
    let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
    // Digits alone are as often a number of a series as a date.
    if !stem.chars().all(|c| c.is_ascii_digit()) && has_date(stem) {
        found.insert(Trace::Date);
    }
    let is_name = |part: &&str| {
        let mut letters = part.chars();
        part.chars().count() >= 2
            && letters.next().is_some_and(char::is_uppercase)
            && letters.all(char::is_lowercase)
            && !USUAL.contains(&part.to_lowercase().as_str())
    };
    let parts: Vec<&str> =
        stem.split(['_', '-', ' ', '^', ',', '=']).filter(|part| !part.is_empty()).collect();
    let two = parts.windows(2).any(|pair| pair.iter().all(is_name));
    // `DOE^JOHN` is how DICOM writes a name.
    let carets =
        stem.split('^').filter(|part| part.len() >= 2 && part.chars().all(char::is_alphabetic)).count() >= 2;
    if two || carets {
        found.insert(Trace::Name);
    }
    found
}

/// Words that stand in names of files without naming anybody.
const USUAL: [&str; 42] = [
    "ap",
    "bacteria",
    "body",
    "case",
    "chest",
    "cohort",
    "control",
    "crop",
    "data",
    "digital",
    "export",
    "female",
    "file",
    "finding",
    "frontal",
    "image",
    "img",
    "lateral",
    "left",
    "lung",
    "male",
    "no",
    "normal",
    "pa",
    "patient",
    "person",
    "pneumonia",
    "portable",
    "radiograph",
    "right",
    "scan",
    "series",
    "site",
    "study",
    "subject",
    "test",
    "thorax",
    "train",
    "view",
    "virus",
    "xr",
    "xray",
];

/// Runs of digits and single separators, as `1931-07-17`.
fn runs(text: &str, separators: &str) -> Vec<String> {
    let mut all = Vec::new();
    let mut run = String::new();
    for c in text.chars() {
        let last = run.chars().next_back();
        if c.is_ascii_digit()
            || (separators.contains(c) && last.is_some_and(|l| l.is_ascii_digit() || l == ')'))
        {
            run.push(c);
        } else if !run.is_empty() {
            all.push(std::mem::take(&mut run));
        }
    }
    all.push(run);
    all.retain(|run| !run.is_empty());
    all
}

fn has_date(text: &str) -> bool {
    let day = |year: &str, month: &str, day: &str| {
        let number =
            |text: &str, from: u16, to: u16| text.parse().is_ok_and(|n: u16| (from..=to).contains(&n));
        year.len() == 4 && number(year, 1880, 2099) && number(month, 1, 12) && number(day, 1, 31)
    };
    runs(text, "-./").iter().any(|run| {
        let parts: Vec<&str> = run.split(['-', '.', '/']).filter(|part| !part.is_empty()).collect();
        match parts[..] {
            [a, b, c] => day(a, b, c) || day(c, b, a) || day(c, a, b),
            [whole] if whole.len() == 8 => day(&whole[..4], &whole[4..6], &whole[6..]),
            _ => false,
        }
    })
}

fn has_telephone(text: &str) -> bool {
    let grouped = |run: &String| {
        let digits = run.chars().filter(char::is_ascii_digit).count();
        let groups = run.split(|c: char| !c.is_ascii_digit()).filter(|part| !part.is_empty()).count();
        // Numbers of versions and identifiers have dots alone.
        (9..=15).contains(&digits) && groups >= 3 && run.contains([' ', '-', '/', ')'])
    };
    let after_plus = text.split('+').skip(1).any(|rest| {
        let own = rest.chars().take_while(|c| c.is_ascii_digit() || " -/()".contains(*c));
        (9..=15).contains(&own.filter(char::is_ascii_digit).count())
    });
    after_plus || runs(text, " -/.()").iter().any(|run| grouped(run) && !has_date(run))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(found: &BTreeSet<Trace>, expected: &[Trace], text: &str) {
        assert_eq!(found.iter().copied().collect::<Vec<_>>(), expected, "{text}");
    }

    #[test]
    fn texts_that_give_something_away_are_told_from_those_that_do_not() {
        use Trace::{Date, Finding, Telephone};
        for (text, expected) in [
            ("CHEST PA", &[][..]),
            ("Thorax 2 Ebenen", &[]),
            ("v2.10.3 protocol 1.2.840.10008", &[]),
            ("seen on 1931-07-17", &[Date]),
            ("17.07.1931, 07/17/1931", &[Date]),
            ("19310717", &[Date]),
            ("99999999 and 2016-13-45", &[]),
            ("call 555-123-4567", &[Telephone]),
            ("+49 30 1234567", &[Telephone]),
            ("Pneumonia?", &[Finding]),
            ("bilateral PLEURAL effusion, 2016-01-31", &[Date, Finding]),
            ("abnormality of the device", &[]),
            ("compass view", &[]),
        ] {
            check(&in_text(text), expected, text);
        }
    }

    #[test]
    fn names_of_files_and_cases_that_name_somebody_are_found() {
        use Trace::{Date, Name};
        for (name, expected) in [
            ("images/Doe_John_1970.png", &[Name][..]),
            ("Doe_John_1970-01-31.png", &[Date, Name]),
            ("DOE^JOHN", &[Name]),
            ("scan_20160131.dcm", &[Date]),
            // NIH's, Kermany's, and ours.
            ("00000001_000.png", &[]),
            ("images_001/images/00030805_000.png", &[]),
            ("person12_bacteria_34.jpeg", &[]),
            ("NORMAL2-IM-0927-0001.jpeg", &[]),
            ("Chest_Xray_Portable_12.png", &[]),
            ("C0113", &[]),
            ("P0007", &[]),
            // A number that is a date as often as not.
            ("19450203", &[]),
            ("", &[]),
        ] {
            check(&in_name(name), expected, name);
        }
    }
}
