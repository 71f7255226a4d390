//! REDCap's flat CSV, raw or with labels (fields as columns, one row a record, event and repeat instance).
//!
//! REDCap writes a form that nobody opened as zeros in its checkboxes and `0` in its status: an answer counts
//! alone where the status of its form is `2` or `Complete`. The form's status is the next column behind the
//! answer whose name ends in `_complete`, as REDCap orders them, unless one is declared.

use std::path::Path;

use super::columns::{Headed, headed};
use super::place::{Extra, Place, is_complete, short};
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::protocol::{ReaderFrom, ReadsSource};
use crate::reads::export::{Answer, Export, NoRead, NoReadReason, SEVERAL};
use crate::table::{Row, Table, Words, cell, limited, typed};

/// Column of the reader where none is declared.
const READER: &str = "reader_id";
/// Column of the answer where none is declared.
const READ: &str = "read";
/// What REDCap calls its own columns, raw and as labels.
const EVENT: [&str; 2] = ["redcap_event_name", "Event Name"];
const INSTRUMENT: [&str; 2] = ["redcap_repeat_instrument", "Repeat Instrument"];
const INSTANCE: [&str; 2] = ["redcap_repeat_instance", "Repeat Instance"];
/// What the status of a completed form says.
const COMPLETE: [&str; 2] = ["2", "Complete"];
/// Between a field of checkboxes and the code of a box.
const BOX: &str = "___";
/// Between a record and the person who entered it, with double data entry.
const ENTRY: &str = "--";

/// Where an answer stands in a row.
enum Answered {
    /// In one cell.
    Cell(usize),
    /// In the boxes of a field, each with its code.
    Boxes(Vec<(usize, String)>),
}

impl Answered {
    /// The words; none where a cell is empty or no box is ticked, which does not tell "none" from "not
    /// asked".
    fn text(&self, row: Row<'_>) -> Option<String> {
        match self {
            Self::Cell(column) => row.get(Some(*column)).map(str::to_owned),
            Self::Boxes(boxes) => {
                let ticked = |text: &str| ["1", "Checked"].iter().any(|word| cell::is_word(word, text));
                let codes = boxes.iter().filter(|(column, _)| row.get(Some(*column)).is_some_and(ticked));
                let codes: Vec<&str> = codes.map(|(_, code)| code.as_str()).collect();
                (!codes.is_empty()).then(|| codes.join(&SEVERAL.to_string()))
            }
        }
    }
}

/// An answer of a row: where it stands, whose it is where the header says so, and the status of its form.
struct Asked {
    answered: Answered,
    reader: Option<String>,
    complete: usize,
}

/// Answers of a project's export.
///
/// # Errors
/// `redcap-eav`, `export-without-reads` and `redcap-double-entry` for exports of another kind,
/// `redcap-completion` where no form's status stands behind the answer, `redcap-checkbox` for boxes in one
/// column, `column-missing`, `value-missing`, `time-unreadable`: everything at once.
pub fn read(
    path: &Path,
    table: &Table,
    source: &ReadsSource,
    reader_of_path: Option<&str>,
) -> Result<Export, Vec<Diagnostic>> {
    another_kind(path, table)?;
    let find = |names: [&str; 2]| names.iter().find_map(|name| table.column(name));
    let (event, instrument, instance) = (find(EVENT), find(INSTRUMENT), find(INSTANCE));
    let mut missing = Vec::new();
    let case = match source.case_column.as_deref() {
        Some(name) => table.required(name).map_err(|problem| missing.push(problem)).ok(),
        None => Some(0),
    };
    let own = |column: Option<usize>, what: &str, missing: &mut Vec<Diagnostic>| {
        if column.is_none() {
            let message = format!("there is no column of {what}, and the reader is declared to stand there");
            let hint = "REDCap leaves the columns of events and repeats out where no row of an export has \
                        one: \
                        export the whole project";
            missing.push(Diagnostic::error(Code::ColumnMissing, message).at(table.at(1)).hint(hint));
        }
        column
    };
    let reader = match source.reader_from {
        ReaderFrom::Column => {
            let name = source.reader_column.as_deref().unwrap_or(READER);
            table.required(name).map_err(|problem| missing.push(problem)).ok()
        }
        ReaderFrom::Event => own(event, "events (`redcap_event_name`)", &mut missing),
        ReaderFrom::Instance => own(instance, "repeat instances (`redcap_repeat_instance`)", &mut missing),
        _ => None,
    };
    if !source.events.is_empty() {
        own(event, "events (`redcap_event_name`)", &mut missing);
    }
    if source.instrument.is_some() {
        own(instrument, "repeat instruments (`redcap_repeat_instrument`)", &mut missing);
    }
    let extra = Extra::of(table, source, &mut missing);
    let asked = asked(table, source).map_err(|problems| missing.extend(problems)).unwrap_or_default();
    let Some(case) = case.filter(|_| missing.is_empty()) else { return Err(missing) };
    let values: Vec<String> = if source.complete_values.is_empty() {
        COMPLETE.map(str::to_owned).to_vec()
    } else {
        source.complete_values.clone()
    };
    let rows = Rows {
        table,
        source: &ReadsSource { complete_values: values, ..source.clone() },
        asked: &asked,
        extra,
        case,
        reader,
        reader_of_path,
        event,
        instrument,
        instance,
    };
    rows.read(path)
}

/// With labels for names every form's status is called `Complete?`: says what to do about it.
pub fn labels_for_names(mut problems: Vec<Diagnostic>) -> Vec<Diagnostic> {
    for problem in problems.iter_mut().filter(|problem| problem.code == Code::ColumnDuplicate) {
        problem.hint = Some(
            "export with raw names in the header (\"raw data\"; with the API rawOrLabelHeaders \"raw\"): as \
             labels, \
             several forms have a column of one name"
                .to_owned(),
        );
    }
    problems
}

/// Refuses exports that hold no reads in this form, by their columns.
///
/// # Errors
/// `redcap-eav`, `export-without-reads`.
pub fn another_kind(path: &Path, table: &Table) -> Result<(), Vec<Diagnostic>> {
    let has = |name: &str| table.column(name).is_some();
    let refuse = |code, message: &str, hint: &str| {
        Err(vec![Diagnostic::error(code, message).at(Location::file(path)).hint(hint)])
    };
    if has("field_name") && has("value") && (has("record") || has("record_id")) {
        return refuse(
            Code::RedcapEav,
            "this is REDCap's EAV export, one row a field: a form that was not completed cannot be told in \
             it",
            "export again: \"Export Data\", format \"CSV / Microsoft Excel (raw data)\"; with the API type \
             \"flat\"",
        );
    }
    if has("Variable / Field Name") || (has("field_name") && has("form_name")) {
        return refuse(
            Code::ExportWithoutReads,
            "this is the project's data dictionary: it says which fields there are, and holds no reads",
            "give the export of the records; the dictionary may lie beside it, where no pattern of `files` \
             matches it",
        );
    }
    if has("unique_event_name") && has("arm_num") {
        return refuse(
            Code::ExportWithoutReads,
            "this is the project's list of events, and holds no reads",
            "give the export of the records",
        );
    }
    Ok(())
}

/// Where the answers stand, each with the status of its form.
fn asked(table: &Table, source: &ReadsSource) -> Result<Vec<Asked>, Vec<Diagnostic>> {
    let declared = match source.complete_column.as_deref().filter(|name| !name.contains('*')) {
        Some(name) => Some(table.required(name).map_err(|problem| vec![problem])?),
        None => None,
    };
    let behind = |column: usize| {
        let form = |name: &String| name.ends_with("_complete") || name == "Complete?";
        declared.or_else(|| Some(column + 1 + table.header().get(column + 1..)?.iter().position(form)?))
    };
    let status = |column: usize, complete: Option<usize>| {
        complete.or_else(|| behind(column)).ok_or_else(|| {
            let name = table.header().get(column).map_or("", String::as_str);
            let hint = "export the form's status as well (`<form>_complete`), or name it in \
                        `complete_column`: \
                        REDCap writes a form that nobody opened as if all its boxes were empty";
            vec![
                Diagnostic::error(
                    Code::RedcapCompletion,
                    format!("no column behind `{name}` says whether its form was completed"),
                )
                .at(table.at(1))
                .hint(hint),
            ]
        })
    };
    if source.reader_from == ReaderFrom::Header {
        let by_reader = source.complete_column.as_deref().filter(|name| name.contains('*'));
        return headed(table, &source.reader_columns, by_reader)?
            .into_iter()
            .map(|Headed { column, id, complete }| {
                let complete = status(column, complete)?;
                Ok(Asked { answered: Answered::Cell(column), reader: Some(id), complete })
            })
            .collect();
    }
    let name = source.read_column.as_deref().unwrap_or(READ);
    let (column, answered) = match table.column(name) {
        Some(column) => (column, Answered::Cell(column)),
        None => {
            let prefix = format!("{name}{BOX}");
            let code = |header: &String| header.strip_prefix(&prefix).map(str::to_owned);
            let boxes: Vec<(usize, String)> = table
                .header()
                .iter()
                .enumerate()
                .filter_map(|(at, header)| Some((at, code(header)?)))
                .collect();
            let field = name.split(BOX).next().unwrap_or(name);
            match boxes.last().map(|(column, _)| *column) {
                Some(last) => (last, Answered::Boxes(boxes)),
                None if field != name && table.column(field).is_some() => {
                    let hint = "export again without \"Combine checkbox options into single column\"";
                    let message =
                        format!("the boxes of `{field}` stand in one column, and `{name}` is not there");
                    return Err(vec![
                        Diagnostic::error(Code::RedcapCheckbox, message).at(table.at(1)).hint(hint),
                    ]);
                }
                None => return Err(table.required(name).map(|_| Vec::new()).unwrap_or_else(|p| vec![p])),
            }
        }
    };
    Ok(vec![Asked { answered, reader: None, complete: status(column, None)? }])
}

struct Rows<'t> {
    table: &'t Table,
    source: &'t ReadsSource,
    asked: &'t [Asked],
    extra: Extra,
    case: usize,
    reader: Option<usize>,
    reader_of_path: Option<&'t str>,
    event: Option<usize>,
    instrument: Option<usize>,
    instance: Option<usize>,
}

/// What a row says.
enum Said {
    /// A reader's answer.
    Read(Answer),
    /// The merged record of double data entry.
    Given(Answer),
    Nothing(NoRead),
}

impl Rows<'_> {
    fn read(self, path: &Path) -> Result<Export, Vec<Diagnostic>> {
        let ids: Vec<usize> = std::iter::once(self.case).chain(self.reader).collect();
        let cells = self.asked.iter().filter_map(|asked| match asked.answered {
            Answered::Cell(column) => Some(column),
            Answered::Boxes(_) => None,
        });
        let (mut export, mut problems) = (Export::default(), Vec::new());
        match typed(self.table, &ids, &cells.collect::<Vec<usize>>()) {
            Ok(warnings) => export.warnings = warnings,
            Err(found) => problems = found,
        }
        problems.extend(self.double_entry());
        let extras: Vec<Extra> =
            self.asked.iter().map(|asked| self.extra.completed_by(Some(asked.complete))).collect();
        for row in self.table.rows() {
            let at = self.table.at(row.line);
            let Some(record) = row.get(Some(self.case)) else {
                let hint = "say which case it is, or remove the row";
                problems.push(
                    Diagnostic::error(Code::ValueMissing, "the cell of the record is empty")
                        .at(at)
                        .hint(hint),
                );
                continue;
            };
            if !self.holds_reads(row) {
                export.no_reads.push(none(record, None, NoReadReason::Elsewhere, at));
                continue;
            }
            for (asked, extra) in self.asked.iter().zip(&extras) {
                match self.said(row, record, asked, extra) {
                    Ok(Said::Read(answer)) => export.answers.push(answer),
                    Ok(Said::Given(answer)) => export.given.push(answer),
                    Ok(Said::Nothing(none)) => export.no_reads.push(none),
                    Err(problem) => problems.push(problem),
                }
            }
        }
        export.warnings.extend(self.table.notes().iter().cloned());
        if problems.is_empty() { Ok(export) } else { Err(limited(problems, path)) }
    }

    /// Records of double data entry where they are not declared to be readers: each case would be two.
    fn double_entry(&self) -> Option<Diagnostic> {
        if self.source.reader_from == ReaderFrom::Record || self.source.case_pattern.is_some() {
            return None;
        }
        let entered = |row: &Row<'_>| {
            row.get(Some(self.case))
                .and_then(|record| record.rsplit_once(ENTRY))
                .is_some_and(|(case, entry)| !case.is_empty() && matches!(entry, "1" | "2"))
        };
        let row = self.table.rows().find(entered)?;
        let record = short(row.get(Some(self.case)).unwrap_or_default());
        let message = format!("the record `{record}` is one of two entries of one case (double data entry)");
        Some(Diagnostic::error(Code::RedcapDoubleEntry, message).at(self.table.at(row.line)).hint(
            "declare reader_from = \"record\" where the two persons are readers; a record without `--1` or \
                       `--2` is then the merged one and does not vote",
        ))
    }

    /// Whether the row is of a declared event and instrument, and the form of an answer stands in it.
    fn holds_reads(&self, row: Row<'_>) -> bool {
        let is = |column, wanted: &str| row.get(column).is_some_and(|text| cell::is_word(wanted, text));
        let of_event =
            self.source.events.is_empty() || self.source.events.iter().any(|event| is(self.event, event));
        let of_instrument =
            self.source.instrument.as_ref().is_none_or(|instrument| is(self.instrument, instrument));
        let asked =
            |asked: &Asked| row.get(Some(asked.complete)).is_some() || asked.answered.text(row).is_some();
        of_event && of_instrument && self.asked.iter().any(asked)
    }

    fn said(&self, row: Row<'_>, record: &str, asked: &Asked, extra: &Extra) -> Result<Said, Diagnostic> {
        let at = self.table.at(row.line);
        let (case_id, entry) = match self.source.reader_from {
            ReaderFrom::Record => match record.rsplit_once(ENTRY) {
                Some((case, entry)) if !case.is_empty() && !entry.is_empty() => (case, Some(entry)),
                _ => (record, None),
            },
            _ => (record, None),
        };
        let merged = self.source.reader_from == ReaderFrom::Record && entry.is_none();
        let text = asked.answered.text(row);
        let reader = asked
            .reader
            .as_deref()
            .or(entry)
            .or_else(|| row.get(self.reader))
            .or(self.reader_of_path)
            .or(merged.then_some("merged"));
        let Some(reader_id) = reader else {
            if !is_complete(row.get(Some(asked.complete)), &self.source.complete_values) {
                return Ok(Said::Nothing(none(case_id, None, NoReadReason::NotCompleted, at)));
            }
            if text.is_none() {
                return Ok(Said::Nothing(none(case_id, None, NoReadReason::Empty, at)));
            }
            let hint = "ask who read, and enter it in REDCap; or declare another `reader_from`";
            let message = format!("nobody is named as the reader of `{}`", short(case_id));
            return Err(Diagnostic::error(Code::ValueMissing, message).at(at).hint(hint));
        };
        let place = Place { row, case_id, reader_id, text };
        Ok(match place.answer(extra, self.source, at, &mut Words::default())? {
            Err(none) => Said::Nothing(none),
            Ok(mut answer) => {
                if self.source.session_column.is_none() {
                    let columns =
                        [self.event, self.instance].map(|column| column.filter(|c| Some(*c) != self.reader));
                    let parts: Vec<&str> = columns.iter().filter_map(|column| row.get(*column)).collect();
                    answer.session = (!parts.is_empty()).then(|| parts.join(" ").into());
                }
                if merged { Said::Given(answer) } else { Said::Read(answer) }
            }
        })
    }
}

fn none(case_id: &str, reader_id: Option<&str>, reason: NoReadReason, at: Location) -> NoRead {
    NoRead {
        case_id: Some(case_id.to_owned()),
        reader_id: reader_id.map(str::to_owned),
        reason,
        comment: None,
        at,
    }
}
