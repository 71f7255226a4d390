//! Facts about a data set that were stated elsewhere, checked against what its tables give: a number that a
//! document repeats has to follow from the data.

use std::path::Path;

use super::describe::{Description, Fact, SetDescription};
use crate::declared::{Document, Section};
use crate::diagnostic::{Code, Diagnostic, Result};

/// Version of the file.
pub const FORMAT: &str = "sequester-facts/1";

/// What a stated number is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Measure {
    Images,
    Patients,
    Positives,
    Prevalence,
    FindingImages,
    FindingPercent,
    BesideImages,
    BesidePercent,
    BesideRank,
}

const MEASURES: [(&str, Measure); 9] = [
    ("images", Measure::Images),
    ("patients", Measure::Patients),
    ("positives", Measure::Positives),
    ("prevalence-percent", Measure::Prevalence),
    ("finding-images", Measure::FindingImages),
    ("finding-percent", Measure::FindingPercent),
    ("beside-images", Measure::BesideImages),
    ("beside-percent", Measure::BesidePercent),
    ("beside-rank", Measure::BesideRank),
];

/// A stated fact.
#[derive(Clone, Debug, PartialEq)]
pub struct Stated {
    statement: String,
    measure: Measure,
    finding: Option<String>,
    set: Option<String>,
    value: f64,
}

/// Reads a file of facts.
///
/// # Errors
/// Everything wrong with it, located.
pub fn parse(path: &Path, text: &str) -> Result<Vec<Stated>, Vec<Diagnostic>> {
    let document = Document::new(path, text);
    let Some(table) = document.parse() else { return Err(document.into_problems()) };
    let root = Section::root(&document, &table);
    root.format(FORMAT);
    let mut facts = Vec::new();
    for section in root.sections("fact") {
        let statement = section.required_string("statement");
        let word = section.required_string("measure");
        let measure =
            if word.is_empty() { None } else { Some(section.choice("measure", &MEASURES, Measure::Images)) };
        let finding = section.string("finding");
        let set = section.string("set");
        let value = section.number("value");
        if value.is_none() && !section.has("value") {
            section.report(
                Diagnostic::error(Code::KeyMissing, "the key `value` is missing: it is the stated number")
                    .at(section.here()),
            );
        }
        let about = matches!(
            measure,
            Some(
                Measure::FindingImages
                    | Measure::FindingPercent
                    | Measure::BesideImages
                    | Measure::BesidePercent
                    | Measure::BesideRank
            )
        );
        if about && finding.is_none() {
            section.report(
                Diagnostic::error(
                    Code::KeyMissing,
                    format!("`measure = \"{word}\"` needs the key `finding`"),
                )
                .at(section.here()),
            );
        }
        if let (Some(measure), Some(value)) = (measure, value) {
            facts.push(Stated { statement, measure, finding, set, value });
        }
        section.finish();
    }
    root.finish();
    let problems = document.into_problems();
    if problems.is_empty() { Ok(facts) } else { Err(problems) }
}

/// Looks up what the data give for each stated fact: in the set that it names, or in the first.
pub fn check(stated: &[Stated], description: &Description) -> Vec<Fact> {
    stated
        .iter()
        .map(|fact| {
            let set = match &fact.set {
                Some(name) => description.sets.iter().find(|s| s.name == *name),
                None => description.sets.first(),
            };
            let found = set.and_then(|set| look_up(fact, set));
            let digits = decimals(fact.value);
            let holds =
                found.is_some_and(|found| format!("{found:.digits$}") == format!("{:.digits$}", fact.value));
            Fact { statement: fact.statement.clone(), stated: fact.value, found, holds }
        })
        .collect()
}

/// As many decimals as the number was stated with.
fn decimals(value: f64) -> usize {
    value.to_string().split_once('.').map_or(0, |(_, fraction)| fraction.len())
}

#[expect(clippy::cast_precision_loss, reason = "counts of images are far below 2^53")]
fn look_up(fact: &Stated, set: &SetDescription) -> Option<f64> {
    let name = fact.finding.as_deref().unwrap_or_default();
    let finding = || set.findings.iter().find(|f| f.finding == name);
    let beside = || set.co_occurring.iter().find(|f| f.finding == name);
    Some(match fact.measure {
        Measure::Images => set.images as f64,
        Measure::Patients => set.patients as f64,
        Measure::Positives => set.positives.numerator as f64,
        Measure::Prevalence => set.positives.value? * 100.0,
        Measure::FindingImages => finding()?.images.numerator as f64,
        Measure::FindingPercent => finding()?.images.value? * 100.0,
        Measure::BesideImages => beside()?.among_positives.numerator as f64,
        Measure::BesidePercent => beside()?.among_positives.value? * 100.0,
        Measure::BesideRank => (set.co_occurring.iter().position(|f| f.finding == name)? + 1) as f64,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_wrong_with_a_file_of_facts_is_located() {
        let text = "format = \"sequester-facts/1\"\n[[fact]]\nstatement = \"a\"\n\
                    measure = \"imagse\"\nvalue = 1\n\
                    [[fact]]\nstatement = \"b\"\nmeasure = \"finding-images\"\nvalu = 2\n";
        let problems = parse(Path::new("facts.toml"), text).expect_err("problems");
        let lines: Vec<_> =
            problems.iter().map(|p| (p.code.as_str(), p.location.as_ref().and_then(|l| l.line))).collect();
        let expected = [("value-unknown", 4), ("key-missing", 6), ("key-missing", 6), ("key-unknown", 9)];
        assert_eq!(lines.len(), expected.len(), "{problems:?}");
        for (code, line) in expected {
            assert!(lines.iter().any(|l| l.1 == Some(line)), "{code} {lines:?}");
        }
    }

    #[test]
    fn a_number_was_stated_with_the_decimals_it_shows() {
        assert_eq!([112_120.0, 17.7, 1.28, -0.5].map(decimals), [0, 1, 2, 1]);
    }
}
