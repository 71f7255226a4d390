//! The tables that only the truthing report has.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::diagnostic::Result;
use crate::document::format;
use crate::document::tree::{Cell, Column, Look, Row, Table};
use crate::document::writers::csv;
use crate::protocol::ReaderRole;
use crate::report::submission::Source;
use crate::report::submission::tables::brought::{NOT_RECORDED, remarks};
use crate::study::Derivation;
use crate::study::imports::BroughtFile;
use crate::study::results::ReaderSummary;

/// The ids of the tables that only this report has.
const OWN: [&str; 5] = ["who", "files", "disagreements", "derivation", "comments"];

/// The ids of the submission's tables that stand here as they stand there.
pub(super) const SHARED: [&str; 17] = [
    "title",
    "readers",
    "consensus",
    "reads-per-case",
    "repeated-reads",
    "label-differences",
    "agreement",
    "agreement-explained",
    "agreement-by-group",
    "intra-reader",
    "ordinal-agreement",
    "sensitivity-analyses",
    "other-standards",
    "beside-readers",
    "openings",
    "amendments",
    "deviations",
];

/// The ids of all tables.
pub(super) static IDS: LazyLock<Vec<&str>> = LazyLock::new(|| [OWN.as_slice(), &SHARED].concat());

/// So many cases are listed in the document; the table beside it has each.
const MOST_CASES: usize = 500;
/// So many files are.
const MOST_FILES: usize = 100;

/// A table of this report by its id. `None`: it is none of them.
pub fn build(source: &Source, id: &str) -> Option<Table> {
    Some(match id {
        "who" => who(source),
        "files" => files(&source.brought),
        "disagreements" => disagreements(source),
        "derivation" => derivation(source),
        "comments" => comments(source),
        _ => return None,
    })
}

/// What the readers saw, as given with their files; each statement once.
pub fn blinding(source: &Source) -> BTreeSet<&str> {
    source.brought.iter().filter_map(BroughtFile::blinding).collect()
}

/// Characters of a qualification that fit into its column in two lines.
const WIDE: usize = 60;

/// Who read, in which role, and when.
fn who(source: &Source) -> Table {
    let general = source.protocol.reference_standard.qualification.as_deref();
    // One that fills lines stands once below the table, not beside every reader.
    let below = general.filter(|text| text.chars().count() > WIDE);
    let not_declared = || "not declared".to_owned();
    let row = |reader: &ReaderSummary| {
        let general = if below.is_some() { Some("as for all") } else { general };
        let qualification = reader.qualification.as_deref().or(general);
        Row::plain([
            reader.id.clone(),
            reader.role.map_or("reference", ReaderRole::name).to_owned(),
            qualification.map_or_else(not_declared, str::to_owned),
            reader.specialty.clone().unwrap_or_else(not_declared),
            reader.years.map_or_else(not_declared, |years| years.to_string()),
            if reader.labelled_training_data { "yes" } else { "no" }.to_owned(),
            dates(reader),
        ])
    };
    let mut table = Table::or_none(
        "The readers, as declared, and when they read",
        vec![
            Column::left("Reader", 0.0),
            Column::right("Role"),
            Column::left("Qualification", 1.0),
            Column::left("Specialty", 0.0),
            Column::right("Years"),
            Column::right("Labelled training data"),
            Column::left("Read", 0.0),
        ],
        source.results.readers.iter().map(row).collect(),
    );
    table.notes.push(
        "Years of experience, and whether the reader labelled data that the device was trained on, are as \
         declared: no is also what holds where nothing was declared. Dates are those of the first and the \
         last answer, where the readers' files say when an answer was given."
            .to_owned(),
    );
    table.notes.extend(below.map(|text| format!("Qualification declared for all readers: {text}")));
    if source.results.readers.iter().all(|reader| reader.role.is_none()) {
        table.notes.push("No readers are declared, so whoever read is a reference reader.".to_owned());
    }
    table
}

/// The days of the first and the last answer.
fn dates(reader: &ReaderSummary) -> String {
    let day = |time: &String| time.split('T').next().unwrap_or_default().to_owned();
    match (&reader.first_read, &reader.last_read) {
        (Some(first), Some(last)) if day(first) == day(last) => day(first),
        (Some(first), Some(last)) => format!("{} to {}", day(first), day(last)),
        _ => "not recorded".to_owned(),
    }
}

/// The files that the reference standard rests on, and how each came in.
fn files(files: &[BroughtFile]) -> Table {
    let row = |file: &BroughtFile| {
        let came = match (&file.import, file.by()) {
            (None, _) => NOT_RECORDED.to_owned(),
            (Some(import), None) => format!("{}, by whom is not recorded", import.at),
            (Some(import), Some(by)) => format!("{}, by {by}", import.at),
        };
        Row::Cells(vec![
            Cell::new(file.path.clone()),
            Cell::new(file.sha256.get(..12).unwrap_or(&file.sha256)).look(Look::Code),
            Cell::new(came),
            Cell::new(file.blinding().unwrap_or(NOT_RECORDED)),
            Cell::new(remarks(file)),
        ])
    };
    let mut table = Table::or_none(
        "The files of the reference standard, as they came",
        vec![
            Column::left("File", 1.0),
            Column::right("SHA-256"),
            Column::left("Brought in", 1.0),
            Column::left("What the readers saw, as given with the file", 1.0),
            Column::left("Remarks", 0.8),
        ],
        files.iter().take(MOST_FILES).map(row).collect(),
    );
    table.notes.extend(not_shown("files", files.len(), MOST_FILES, "the bundle's manifest"));
    table
}

/// Cases on which votes differ, or that have no answer.
fn disagreements(source: &Source) -> Table {
    let found: Vec<&Derivation> = source
        .derivation
        .iter()
        .filter(|case| case.reference == "none" || (case.positive_reads > 0 && case.negative_reads > 0))
        .collect();
    let shown = Shown { sure: false, adjudication: any_adjudication(source) };
    let rows = found.iter().take(MOST_CASES).map(|case| row(case, shown, told)).collect();
    let mut table = Table::or_none(
        "Cases on which reference readers disagree, or that have no reference standard",
        columns(shown),
        rows,
    );
    table.notes.extend(counted(&source.derivation));
    table.notes.extend(not_shown("cases", found.len(), MOST_CASES, "truthing-cases.csv"));
    table
}

/// From the reads of each case to its answer.
fn derivation(source: &Source) -> Table {
    let shown = Shown { sure: any_confidence(source), adjudication: any_adjudication(source) };
    let rows = source.derivation.iter().take(MOST_CASES).map(|case| row(case, shown, told)).collect();
    let mut table = Table::or_none("From the reads of each case to its answer", columns(shown), rows);
    table.notes.extend(shown.sure.then(|| {
        "How sure a reader was is as the reader stated it, on a page of this program from 1 (little) to 5 \
         (very); it takes no part in the reference standard."
            .to_owned()
    }));
    table.notes.extend(counted(&source.derivation));
    table.notes.extend(not_shown("cases", source.derivation.len(), MOST_CASES, "truthing-cases.csv"));
    table
}

/// The same of every case, for the file beside the document.
pub fn every_case(source: &Source) -> Result<Vec<u8>> {
    let (shown, commented) =
        (Shown { sure: any_confidence(source), adjudication: true }, any_comment(source));
    let mut columns = columns(shown);
    columns.extend(commented.then(|| Column::left("Comments", 2.0)));
    let whole = |case: &Derivation| {
        let mut row = row(case, shown, or_dash);
        if let (true, Row::Cells(cells)) = (commented, &mut row) {
            cells.push(Cell::new(or_dash(&case.comments)));
        }
        row
    };
    csv::rows(&columns, false, source.derivation.iter().map(whole))
}

/// What readers wrote beside their answers.
fn comments(source: &Source) -> Table {
    let found: Vec<&Derivation> = source.derivation.iter().filter(|case| !case.comments.is_empty()).collect();
    let rows = found
        .iter()
        .take(MOST_CASES)
        .map(|case| Row::plain([case.case_id.clone(), case.comments.clone(), case.reference.clone()]))
        .collect();
    let mut table = Table::or_none(
        "What readers wrote, as it came",
        vec![Column::left("Case", 0.9), Column::left("Comments", 3.0), Column::right("Reference standard")],
        rows,
    );
    table.notes.extend(not_shown("cases", found.len(), MOST_CASES, "truthing-cases.csv"));
    table
}

/// Whether any reader said how sure.
fn any_confidence(source: &Source) -> bool {
    source.derivation.iter().any(|case| !case.confidence.is_empty())
}

/// Whether any reader wrote something.
pub fn any_comment(source: &Source) -> bool {
    source.derivation.iter().any(|case| !case.comments.is_empty())
}

/// Whether anybody adjudicated a case.
fn any_adjudication(source: &Source) -> bool {
    source.derivation.iter().any(|case| !case.adjudication.is_empty())
}

/// Which columns a table of cases has beside those that each has.
#[derive(Clone, Copy)]
struct Shown {
    /// How sure readers were.
    sure: bool,
    adjudication: bool,
}

fn columns(shown: Shown) -> Vec<Column> {
    let mut columns = vec![Column::left("Case", 0.0), Column::left("What each reader said", 1.6)];
    columns.extend(shown.sure.then(|| Column::left("How sure, as stated", 0.8)));
    columns.extend(shown.adjudication.then(|| Column::right("Adjudication")));
    columns.extend(["Level", "Reference standard"].map(Column::right));
    columns
}

fn or_dash(text: &str) -> String {
    if text.is_empty() { "\u{2013}".to_owned() } else { text.to_owned() }
}

/// More answers than this to one case are counted in the document, whose note says the number as a word.
const MOST_ANSWERS: usize = 8;

/// Every answer to a case, or how many there were of each.
fn told(readers: &str) -> String {
    let answers: Vec<&str> = readers.split("; ").collect();
    if answers.len() <= MOST_ANSWERS {
        return or_dash(readers);
    }
    let mut counted: Vec<(&str, u64)> = Vec::new();
    for answer in answers {
        let said = answer.rsplit_once('=').map_or(answer, |(_, said)| said);
        match counted.iter_mut().find(|(known, _)| *known == said) {
            Some((_, count)) => *count += 1,
            None => counted.push((said, 1)),
        }
    }
    counted.sort_unstable();
    let parts: Vec<String> =
        counted.iter().map(|(said, n)| format!("{said}: {}", format::count(*n))).collect();
    parts.join("; ")
}

/// Said where answers are counted.
fn counted(cases: &[Derivation]) -> Option<String> {
    cases.iter().any(|case| case.readers.split("; ").count() > MOST_ANSWERS).then(|| {
        "Where a case has more than eight answers, how many there are of each is shown; truthing-cases.csv \
         has every one."
            .to_owned()
    })
}

/// `said`: how the answers of the readers are told.
fn row(case: &Derivation, shown: Shown, said: fn(&str) -> String) -> Row {
    let level = match case.reason_for_none.as_str() {
        "" => case.level.clone(),
        reason => format!("none ({})", reason.replace('-', " ")),
    };
    let mut cells = vec![case.case_id.clone(), said(&case.readers)];
    cells.extend(shown.sure.then(|| or_dash(&case.confidence)));
    cells.extend(shown.adjudication.then(|| or_dash(&case.adjudication)));
    cells.extend([level, case.reference.clone()]);
    Row::plain(cells)
}

fn not_shown(what: &str, all: usize, most: usize, place: &str) -> Option<String> {
    (all > most).then(|| {
        format!(
            "Of {} {what} the first {} are shown; {place} has each.",
            format::count(all as u64),
            format::count(most as u64)
        )
    })
}
