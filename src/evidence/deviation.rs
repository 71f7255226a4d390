//! Deviations from the protocol: what was done otherwise than declared, in a file of its own that only grows.
//!
//! Every addition is an event of the ledger with the digest of the whole file as it was then. So the file has
//! to be, beginning by beginning, what the ledger names: a deviation that is removed, edited, slipped in or
//! moved is found.

use std::fmt::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::bundle::DEVIATIONS;
use super::ledger::{Entry, Event};
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::digest::Digest;

/// Version of the file's format; a change of meaning raises the number.
pub const FORMAT: &str = "sequester-deviations/1";

const HEAD: &str = "# Deviations from the protocol, in the order in which they were recorded. `sequester \
                    protocol deviation` adds\n# to this file, and the ledger holds its digest after each: it \
                    is not edited by hand.\n";

/// How much a deviation matters, as whoever recorded it judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// May affect the results, the rights of patients or the conclusion.
    Major,
    /// Does not.
    Minor,
}

impl Grade {
    /// Both with the names that the command line uses.
    pub const NAMES: [(&'static str, Self); 2] = [("major", Self::Major), ("minor", Self::Minor)];

    /// The name in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Major => "major",
            Self::Minor => "minor",
        }
    }
}

/// One deviation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deviation {
    /// From 1, in the order of recording.
    pub number: u64,
    /// When it was recorded: RFC 3339, UTC.
    pub recorded: String,
    /// When it happened: YYYY-MM-DD.
    pub date: String,
    /// How much it matters.
    pub grade: Grade,
    /// What was done otherwise.
    pub description: String,
    /// What it means for the results.
    pub impact: String,
    /// Cases that it affects; empty: none, or all.
    pub cases: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    format: String,
    #[serde(default)]
    deviation: Vec<Deviation>,
}

/// The file of these deviations; always the same bytes for the same deviations.
pub fn render(deviations: &[Deviation]) -> String {
    let mut text = format!("{HEAD}format = {}\n", quoted(FORMAT));
    for deviation in deviations {
        let cases: Vec<String> = deviation.cases.iter().map(|case| quoted(case)).collect();
        let _ = write!(
            text,
            "\n[[deviation]]\nnumber = {}\nrecorded = {}\ndate = {}\ngrade = {}\ndescription = {}\nimpact = \
             {}\n\
             cases = [{}]\n",
            deviation.number,
            quoted(&deviation.recorded),
            quoted(&deviation.date),
            quoted(deviation.grade.name()),
            quoted(&deviation.description),
            quoted(&deviation.impact),
            cases.join(", "),
        );
    }
    text
}

/// A TOML basic string: JSON's, but that TOML wants DEL escaped as well.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}

/// The deviations of a file. `path` is for messages.
///
/// # Errors
/// `deviations-invalid` where it is not as [`render`] writes it.
pub fn parse(path: &Path, bytes: &[u8]) -> Result<Vec<Deviation>, Vec<Diagnostic>> {
    let wrong = |message: String| {
        let problem = Diagnostic::error(Code::DeviationsInvalid, message).at(Location::file(path));
        vec![problem.hint("put the file back as `sequester protocol deviation` left it")]
    };
    let text = std::str::from_utf8(bytes).map_err(|e| wrong(format!("not UTF-8: {e}")))?;
    let file: File = toml::from_str(text).map_err(|e| wrong(e.message().to_owned()))?;
    if file.format != FORMAT {
        return Err(wrong(format!("the format is \"{}\", this program reads \"{FORMAT}\"", file.format)));
    }
    if file.deviation.iter().zip(1..).any(|(deviation, number)| deviation.number != number) {
        return Err(wrong("deviations are not numbered 1, 2, 3, ...".to_owned()));
    }
    if render(&file.deviation) != text {
        return Err(wrong("it was edited by hand: it is not as the program writes it".to_owned()));
    }
    Ok(file.deviation)
}

/// The deviation with what is said of it checked: a day that there is and that is not in the future, words
/// where words are asked for.
///
/// # Errors
/// `deviation-invalid` for each of those that does not hold.
pub fn checked(deviation: Deviation) -> Result<Deviation, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let mut wrong = |message: String, hint: &str| {
        problems.push(Diagnostic::error(Code::DeviationInvalid, message).hint(hint));
    };
    let day = chrono::NaiveDate::parse_from_str(&deviation.date, "%Y-%m-%d").ok();
    let written = day.is_some_and(|day| day.format("%Y-%m-%d").to_string() == deviation.date);
    if !written {
        wrong(format!("`{}` is no day", deviation.date), "write it as 2026-01-31");
    } else if deviation.recorded.get(..10).is_some_and(|today| deviation.date.as_str() > today) {
        wrong(format!("{} is in the future", deviation.date), "give the day on which it happened");
    }
    for (what, text) in [("description", &deviation.description), ("impact", &deviation.impact)] {
        if !super::opening::is_reason(text) {
            wrong(format!("the {what} {text:?} says nothing"), "say it in words: documents print it");
        }
    }
    if deviation.cases.iter().any(|case| case.trim().is_empty()) {
        wrong("a case without an id".to_owned(), "separate ids by commas, or leave the option out");
    }
    if problems.is_empty() { Ok(deviation) } else { Err(problems) }
}

/// What is wrong between the events of a ledger and the file, and its deviations as far as they can be read.
/// `place` is the file's, for messages.
pub fn problems(entries: &[Entry], file: Option<&[u8]>, place: &Path) -> (Vec<Deviation>, Vec<Diagnostic>) {
    let events: Vec<&Entry> =
        entries.iter().filter(|entry| entry.event == Event::DeviationRecorded).collect();
    let at = || Location::file(place);
    let Some(bytes) = file else {
        let lost = events.first().map(|_| {
            let message =
                format!("the ledger records {} deviations, and the file is not there", events.len());
            Diagnostic::error(Code::DeviationsDiffer, message).at(at())
        });
        return (Vec::new(), lost.into_iter().collect());
    };
    let deviations = match parse(place, bytes) {
        Ok(deviations) => deviations,
        Err(problems) => return (Vec::new(), problems),
    };
    let mut problems = Vec::new();
    if deviations.len() != events.len() {
        let message =
            format!("the ledger records {} deviations, the file holds {}", events.len(), deviations.len());
        problems.push(Diagnostic::error(Code::DeviationsDiffer, message).at(at()));
    }
    for (entry, count) in events.iter().zip(1..=deviations.len()) {
        let digest = Digest::of(render(&deviations[..count]).as_bytes());
        if entry.digests.get(DEVIATIONS) != Some(&digest) {
            let message = format!(
                "deviation {count} is not the one that line {} of the ledger records",
                entry.sequence
            );
            problems.push(Diagnostic::error(Code::DeviationsDiffer, message).at(at()));
            break;
        }
        if deviations[count - 1].recorded > entry.at {
            let message = format!("deviation {count} says that it was recorded after the ledger did so");
            problems.push(Diagnostic::error(Code::DeviationsDiffer, message).at(at()));
        }
    }
    (deviations, problems)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;
    use crate::evidence::ledger::Ledger;

    const AT: &str = "2026-02-01T00:00:00Z";

    fn deviation(number: u64, description: &str) -> Deviation {
        Deviation {
            number,
            recorded: AT.to_owned(),
            date: "2026-01-31".to_owned(),
            grade: if number.is_multiple_of(2) { Grade::Major } else { Grade::Minor },
            description: description.to_owned(),
            impact: "none on the results".to_owned(),
            cases: vec!["C1".to_owned(), "C 2\"".to_owned()],
        }
    }

    /// A ledger with these deviations recorded one after the other, and the file.
    fn recorded(deviations: &[Deviation]) -> (Ledger, String) {
        let mut ledger = Ledger::default();
        ledger.append(Event::ProtocolLocked, AT, BTreeMap::new(), None).expect("first");
        for count in 1..=deviations.len() {
            let digest = Digest::of(render(&deviations[..count]).as_bytes());
            let digests = BTreeMap::from([(DEVIATIONS.to_owned(), digest)]);
            ledger.append(Event::DeviationRecorded, AT, digests, None).expect("in order");
        }
        (ledger, render(deviations))
    }

    fn codes(ledger: &Ledger, file: Option<&str>) -> Vec<Code> {
        let (_, found) = problems(ledger.entries(), file.map(str::as_bytes), Path::new(DEVIATIONS));
        found.into_iter().map(|problem| problem.code).collect()
    }

    #[test]
    fn a_deviation_that_is_removed_edited_moved_or_slipped_in_is_found() {
        let three = [deviation(1, "one"), deviation(2, "two"), deviation(3, "three")];
        let (ledger, file) = recorded(&three);
        assert_eq!(codes(&ledger, Some(&file)), []);
        assert_eq!(codes(&ledger, None), [Code::DeviationsDiffer]);
        assert_eq!(codes(&Ledger::default(), None), []);
        assert_eq!(codes(&ledger, Some(&render(&three[..2]))), [Code::DeviationsDiffer]);
        assert_eq!(codes(&ledger, Some(&file.replace("minor", "major"))), [Code::DeviationsDiffer]);
        assert_eq!(codes(&ledger, Some(&file.replace("\"two\"", "\"2\""))), [Code::DeviationsDiffer]);
        let mut four = three.to_vec();
        four.push(deviation(4, "four"));
        assert_eq!(codes(&ledger, Some(&render(&four))), [Code::DeviationsDiffer]);
        let mut moved = three.to_vec();
        moved.swap(0, 2);
        moved[0].number = 1;
        moved[2].number = 3;
        assert_eq!(codes(&ledger, Some(&render(&moved))), [Code::DeviationsDiffer]);
        assert_eq!(codes(&ledger, Some(&format!("{file}# a note\n"))), [Code::DeviationsInvalid]);
        assert_eq!(codes(&ledger, Some("[")), [Code::DeviationsInvalid]);
        // Every byte counts.
        for at in 0..file.len() {
            let mut changed = file.clone().into_bytes();
            changed[at] ^= 1;
            let (_, found) = problems(ledger.entries(), Some(&changed), Path::new(DEVIATIONS));
            assert!(!found.is_empty(), "byte {at}");
        }
    }

    #[test]
    fn what_is_said_of_a_deviation_is_checked() {
        assert!(checked(deviation(1, "reader 2 saw the report")).is_ok());
        for date in ["2026-02-30", "31.1.2026", "2026-1-1", "", "2026-02-02"] {
            let wrong = Deviation { date: date.to_owned(), ..deviation(1, "words") };
            assert!(checked(wrong).is_err(), "{date}");
        }
        assert_eq!(
            checked(Deviation { impact: "-".to_owned(), ..deviation(1, ".") }).expect_err("").len(),
            2
        );
        assert!(checked(Deviation { cases: vec![" ".to_owned()], ..deviation(1, "words") }).is_err());
    }

    proptest! {
        #[test]
        fn whatever_is_said_comes_back(text in "(?s).{0,40}", case in "(?s).{0,10}") {
            let said = Deviation { cases: vec![case], ..deviation(1, &text) };
            let file = render(std::slice::from_ref(&said));
            prop_assert_eq!(parse(Path::new("d"), file.as_bytes()), Ok(vec![said]));
        }
    }
}
