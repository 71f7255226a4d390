//! The intended population in the submitter's numbers, beside the analysed cases. What a study says holds for
//! people like its sample; how far these are the people the device is for is seen only where both stand
//! side by side. Nothing here is a test: a sample that was drawn by design differs by design.

use serde_json::Value as Json;

use crate::dataset::describe::NOT_RECORDED;
use crate::dataset::standardised;
use crate::declared::Section;
use crate::diagnostic::{Code, Diagnostic};
use crate::document::tree::{Cell, Column, Look, Row, Table};
use crate::document::{format, text};
use crate::report::submission::Source;
use crate::study::results::{CohortRow, Results};

/// The key of the tables in `device.toml`.
pub(super) const KEY: &str = "population";
const NONE: &str = "\u{2013}";

/// A share of the intended population, as the submitter typed it.
#[derive(Clone, Debug, PartialEq)]
pub struct Level {
    /// A characteristic of the analysed cases, such as `sex`, or of nothing that is recorded.
    pub characteristic: String,
    /// Such as `F`.
    pub level: String,
    /// Percent of the intended population, 0 to 100.
    pub percent: f64,
    /// Where the number stands.
    pub source: String,
}

impl Level {
    /// The percentage with the digits that were typed.
    pub fn printed(&self) -> String {
        format!("{}%", self.percent)
    }

    fn is(&self, characteristic: &str, level: &str) -> bool {
        alike(&self.characteristic, characteristic) && alike(&self.level, level)
    }
}

fn alike(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// The rows of a device file that [`check`] found nothing wrong with.
pub fn declared(device: &Json) -> Vec<Level> {
    let word =
        |row: &Json, key: &str| text::one_line(row.get(key).and_then(Json::as_str).unwrap_or_default());
    let level = |row: &Json| {
        Some(Level {
            characteristic: word(row, "characteristic"),
            level: word(row, "level"),
            percent: row.get("percent").and_then(Json::as_f64)?,
            source: word(row, "source"),
        })
    };
    device.get(KEY).and_then(Json::as_array).into_iter().flatten().filter_map(level).collect()
}

/// Everything that is wrong in the rows: a number without its source, a level twice, shares of one
/// characteristic beyond the whole.
pub(super) fn check(root: &Section<'_, '_>) {
    let mut seen: Vec<(String, Vec<String>, f64)> = Vec::new();
    for row in root.sections(KEY) {
        let characteristic = row.required_string("characteristic");
        let level = row.required_string("level");
        let percent = row.required_number_in("percent", "from 0 to 100", |p| (0.0..=100.0).contains(&p));
        let source = row.string("source").unwrap_or_default();
        if source.trim().is_empty() {
            let message = format!("the share of {characteristic} {level} has no source");
            row.report(
                Diagnostic::error(Code::PopulationSource, message)
                    .at(row.at("percent"))
                    .hint("name in `source` where the number stands: publication or register, year, table"),
            );
        }
        let place = seen.iter().position(|(known, _, _)| alike(known, &characteristic));
        let place = place.unwrap_or_else(|| {
            seen.push((characteristic.clone(), Vec::new(), 0.0));
            seen.len() - 1
        });
        let (_, levels, sum) = &mut seen[place];
        let is_twice = levels.iter().any(|known| alike(known, &level));
        levels.push(level.clone());
        let before = *sum;
        *sum += percent.unwrap_or_default();
        // A tenth a level: printed shares are rounded.
        let most = 100.0 + 0.1 * levels.len() as f64;
        let wrong = if is_twice {
            Some((format!("{characteristic} {level} stands here twice"), "give each level one share"))
        } else if *sum > most && before <= most {
            let message = format!("the shares of {characteristic} add up to more than 100 percent");
            Some((message, "shares are of the whole intended population; they may add up to less"))
        } else {
            None
        };
        if let Some((message, hint)) = wrong {
            row.report(Diagnostic::error(Code::PopulationShares, message).at(row.at("level")).hint(hint));
        }
        row.finish();
    }
}

/// A line of the table: a level as the intended population and as the analysed cases have it.
struct Line {
    level: String,
    /// As typed or as the protocol declares it, and as a share.
    intended: Option<(String, f64)>,
    /// Analysed cases of the level; `None` where the characteristic is not recorded.
    cases: Option<u64>,
}

impl Line {
    /// Share of the analysed cases minus share of the intended population, and the same standardised.
    fn differences(&self, analysed: u64) -> Option<(f64, Option<f64>)> {
        let (_, intended) = self.intended.as_ref()?;
        let cases = self.cases.filter(|_| analysed > 0)?;
        #[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^53")]
        let share = cases as f64 / analysed as f64;
        Some((share - intended, standardised::shares(share, *intended)))
    }
}

/// Characteristics with their lines: the prevalence that the protocol declares, then what was typed. Empty
/// where neither is there.
fn lines(source: &Source) -> Vec<(String, Vec<Line>)> {
    let results = &source.results;
    let mut found = Vec::new();
    if let Some(prevalence) = results.method.intended_use_prevalence {
        let line = Line {
            level: results.study.finding.clone(),
            intended: Some((format::prevalence(prevalence), prevalence)),
            cases: Some(results.flow.positives),
        };
        found.push(("Positive by the reference standard".to_owned(), vec![line]));
    }
    let declared = declared(&source.device);
    let mut characteristics: Vec<&str> = Vec::new();
    for one in &declared {
        if !characteristics.iter().any(|known| alike(known, &one.characteristic)) {
            characteristics.push(&one.characteristic);
        }
    }
    for characteristic in characteristics {
        let recorded = rows_of(results, characteristic);
        let intended = |level: &str| {
            let one = declared.iter().find(|one| one.is(characteristic, level))?;
            Some((one.printed(), one.percent / 100.0))
        };
        let of_sample = recorded.iter().map(|row| Line {
            level: row.level.clone(),
            intended: intended(&row.level),
            cases: Some(row.cases),
        });
        let others = declared.iter().filter(|one| {
            alike(&one.characteristic, characteristic)
                && !recorded.iter().any(|r| alike(&r.level, &one.level))
        });
        let others = others.map(|one| Line {
            level: one.level.clone(),
            intended: Some((one.printed(), one.percent / 100.0)),
            cases: (!recorded.is_empty()).then_some(0),
        });
        let mut lines: Vec<Line> = of_sample.chain(others).collect();
        lines.sort_by_key(|line| line.level == NOT_RECORDED);
        found.push((text::humanise(characteristic), lines));
    }
    found
}

fn rows_of<'a>(results: &'a Results, characteristic: &str) -> Vec<&'a CohortRow> {
    results.cohort.iter().filter(|row| alike(&row.variable, characteristic)).collect()
}

/// Whether there is anything of the intended population in numbers.
pub fn is_declared(source: &Source) -> bool {
    !lines(source).is_empty()
}

/// Levels that the intended population has and no analysed case: (characteristic, level).
pub(super) fn without_cases(source: &Source) -> Vec<(String, String)> {
    let is_without = |one: &Level| {
        let rows = rows_of(&source.results, &one.characteristic);
        let is_recorded = rows.iter().any(|row| row.level != NOT_RECORDED);
        is_recorded && !rows.iter().any(|row| alike(&row.level, &one.level) && row.cases > 0)
    };
    declared(&source.device)
        .into_iter()
        .filter(|one| one.percent > 0.0 && is_without(one))
        .map(|one| (one.characteristic, one.level))
        .collect()
}

/// A difference of shares in percentage points.
fn points(difference: f64) -> String {
    format::fixed(format::hundredfold(difference), 1)
}

/// The same in units of the spread.
fn of_spread(difference: f64) -> String {
    format::fixed(difference, 3)
}

/// Every difference that the table prints, for the trace of numbers.
pub fn differences(source: &Source) -> Vec<String> {
    let analysed = source.results.flow.analysed;
    let lines = lines(source);
    let found = lines.iter().flat_map(|(_, lines)| lines).filter_map(|line| line.differences(analysed));
    found
        .flat_map(|(difference, spread)| [Some(points(difference)), spread.map(of_spread)])
        .flatten()
        .collect()
}

/// The analysed cases beside the intended population.
pub(super) fn table(source: &Source) -> Table {
    let analysed = source.results.flow.analysed;
    let mut rows = Vec::new();
    for (characteristic, lines) in lines(source) {
        rows.push(Row::Group(characteristic));
        rows.extend(lines.iter().map(|line| {
            let muted = |words: &str| Cell::new(words).look(Look::Muted);
            let difference = line.differences(analysed);
            Row::Cells(vec![
                Cell::new(line.level.clone()),
                line.intended
                    .as_ref()
                    .map_or_else(|| muted("not given"), |(words, _)| Cell::new(words.clone())),
                line.cases.map_or_else(|| muted("not recorded"), Cell::count),
                line.cases.map_or_else(|| muted(NONE), |n| Cell::new(format::share(n, analysed))),
                difference.map_or_else(|| muted(NONE), |(d, _)| Cell::new(points(d))),
                match difference {
                    None => muted(NONE),
                    Some((_, None)) => muted("not evaluable"),
                    Some((_, Some(d))) if d.abs() > standardised::NOTABLE => {
                        Cell::new(of_spread(d)).look(Look::Strong)
                    }
                    Some((_, Some(d))) => Cell::new(of_spread(d)),
                },
            ])
        }));
    }
    let mut table = Table::or_none(
        "The analysed cases beside the intended population",
        vec![
            Column::left("Characteristic", 1.0),
            Column::right("Intended population"),
            Column::right("Analysed cases"),
            Column::right("Share of these"),
            Column::right("Difference, points"),
            Column::right("Std. difference"),
        ],
        rows,
    );
    table.notes = notes(source);
    table
}

fn notes(source: &Source) -> Vec<String> {
    let declared = declared(&source.device);
    let mut notes = Vec::new();
    // One sentence a source and characteristic.
    let mut told: Vec<(&str, &str)> = Vec::new();
    for one in &declared {
        let key = (one.characteristic.as_str(), one.source.as_str());
        if told.contains(&key) {
            continue;
        }
        told.push(key);
        let levels: Vec<&str> = declared
            .iter()
            .filter(|other| (other.characteristic.as_str(), other.source.as_str()) == key)
            .map(|other| other.level.as_str())
            .collect();
        notes.push(format!(
            "{} ({}) of the intended population: {}.",
            text::humanise(&one.characteristic),
            levels.join(", "),
            one.source.trim_end_matches('.')
        ));
    }
    if source.results.method.intended_use_prevalence.is_some() {
        notes.push("The prevalence of intended use is the one that the protocol declares.".to_owned());
    }
    if !declared.is_empty() {
        notes.push(
            "Shares of the intended population were typed by the submitter from the sources named; they are \
             not part of the evidence, and no result rests on them."
                .to_owned(),
        );
    }
    notes.push(format!(
        "Difference: share of the analysed cases minus share of the intended population, in percentage \
         points; standardised, over the square root of the mean of both variances (Austin 2009), and in \
         bold beyond {}.",
        standardised::NOTABLE
    ));
    let sample = &source.protocol.sample;
    if sample.target.as_ref().is_some_and(|target| target.positives.is_some()) {
        notes.push(
            "The share of positive cases in the sample was declared: what goes with the finding differs from \
             the intended population by that design."
                .to_owned(),
        );
    }
    notes
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::report::submission::tests::realistic::realistic;

    fn row(characteristic: &str, level: &str, percent: f64) -> Json {
        let source = "A register, 2024.";
        json!({"characteristic": characteristic, "level": level, "percent": percent, "source": source})
    }

    fn cells(source: &Source) -> Vec<Vec<String>> {
        if !is_declared(source) {
            return Vec::new();
        }
        let of = |row: &Row| match row {
            Row::Cells(cells) => cells.iter().map(|cell| cell.text.clone()).collect(),
            Row::Group(name) => vec![name.clone()],
        };
        table(source).rows.iter().map(of).collect()
    }

    /// A study of 200 analysed cases, of whom sex is recorded.
    fn study(rows: &[Json]) -> Source {
        let mut source = realistic();
        source.results.method.intended_use_prevalence = None;
        source.results.flow.analysed = 200;
        let row = |level: &str, cases| CohortRow {
            variable: "sex".to_owned(),
            level: level.to_owned(),
            cases,
            patients: cases,
            positives: 0,
        };
        source.results.cohort = vec![row("F", 90), row("M", 108), row("not recorded", 2)];
        source.device[KEY] = json!(rows);
        source
    }

    #[test]
    fn each_level_stands_beside_the_share_that_was_typed() {
        let source =
            study(&[row("Sex", "f", 51.0), row("sex", "X", 0.5), row("ethnicity", "Hispanic", 19.0)]);
        // (0.45 - 0.51) / sqrt((0.45 x 0.55 + 0.51 x 0.49) / 2) = -0.1203; X: (0 - 0.005) over
        // sqrt(0.005 x 0.995 / 2) = -0.1002.
        let expected = [
            &["Sex"][..],
            &["F", "51%", "90", "45.0%", "\u{2212}6.0", "\u{2212}0.120"],
            &["M", "not given", "108", "54.0%", "\u{2013}", "\u{2013}"],
            &["X", "0.5%", "0", "0.0%", "\u{2212}0.5", "\u{2212}0.100"],
            &["not recorded", "not given", "2", "1.0%", "\u{2013}", "\u{2013}"],
            &["Ethnicity"],
            &["Hispanic", "19%", "not recorded", "\u{2013}", "\u{2013}", "\u{2013}"],
        ];
        assert_eq!(cells(&source), expected);
        assert_eq!(without_cases(&source), [("sex".to_owned(), "X".to_owned())]);
        let notes = table(&source).notes.join(" ");
        assert!(notes.contains("Sex (f) of the intended population: A register, 2024."), "{notes}");
        assert!(notes.contains("no result rests on them"), "{notes}");
    }

    #[test]
    fn the_prevalence_of_the_protocol_is_part_of_it_and_nothing_is_nothing() {
        let mut source = study(&[]);
        assert!(!is_declared(&source) && differences(&source).is_empty());
        source.results.method.intended_use_prevalence = Some(0.02);
        source.results.flow.positives = 100;
        let finding = source.results.study.finding.clone();
        let expected = ["50.0%", "48.0"];
        assert!(is_declared(&source));
        assert_eq!(cells(&source)[1][0], finding);
        assert_eq!(cells(&source)[1][3..5], expected);
    }

    #[test]
    fn a_share_has_a_source_a_place_and_room_beside_the_others() {
        let check = |rows: &str, expected: &[&str]| {
            let problems = super::super::device::check(Path::new("device.toml"), rows);
            let line = |p: &Diagnostic| p.location.as_ref().and_then(|l| l.line).unwrap_or_default();
            let found: Vec<String> = problems.iter().map(|p| format!("{}:{}", p.code, line(p))).collect();
            assert_eq!(found, expected, "{rows}");
        };
        let row = |level: &str, percent: &str, source: &str| {
            format!(
                "[[population]]\ncharacteristic = \"sex\"\nlevel = \"{level}\"\npercent = {percent}\n{source}"
            )
        };
        let known = "source = \"A register\"\n";
        check(&(row("F", "51", known) + &row("M", "49.0", known)), &[]);
        check(&row("F", "51", ""), &["population-source:4"]);
        check(&row("F", "51", "source = \" \"\n"), &["population-source:4"]);
        check(&(row("F", "51", known) + &row("M", "50", known)), &["population-shares:8"]);
        check(&(row("F", "33.4", known) + &row("M", "33.4", known) + &row("X", "33.4", known)), &[]);
        check(&(row("F", "51", known) + &row("f", "1", known)), &["population-shares:8"]);
        for wrong in ["100.1", "-1", "nan", "\"51\"", "[1]"] {
            let problems = super::super::device::check(Path::new("d"), &row("F", wrong, known));
            assert_eq!(problems.len(), 1, "{wrong}: {problems:?}");
        }
        check("[[population]]\nlevel = \"F\"\npercent = 1\nsource = \"x\"\n", &["key-missing:1"]);
    }

    proptest! {
        /// Whatever was typed and recorded: a table with a difference for each pair that there is.
        #[test]
        fn any_rows_make_a_table(
            rows in prop::collection::vec((0_usize..4, 0_usize..5, 0.0_f64..=100.0), 0..12),
            analysed in 0_u64..300,
        ) {
            let names = ["sex", "SEX ", "age", "\u{202e}x"];
            let levels = ["F", "m", "not recorded", "18-44", ""];
            let rows: Vec<Json> = rows.iter().map(|(c, l, p)| row(names[*c], levels[*l], *p)).collect();
            let mut source = study(&rows);
            source.results.flow.analysed = analysed;
            let cells = cells(&source);
            prop_assert_eq!(cells.is_empty(), rows.is_empty());
            let pairs = cells.iter().filter(|r| r.len() > 1 && r[1] != "not given" && r[2] != "not recorded");
            let differences = cells.iter().filter(|r| r.len() > 1 && r[4] != NONE).count();
            prop_assert_eq!(differences, if analysed == 0 { 0 } else { pairs.count() });
        }
    }
}
