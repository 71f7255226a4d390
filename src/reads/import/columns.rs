//! Columns of tables of a coordinator's own: one row a read or a box, or one column a reader or a case.

use std::path::Path;

use super::place::{Extra, Place, some};
use crate::diagnostic::{Code, Diagnostic};
use crate::protocol::{ReaderFrom, ReadsSource};
use crate::reads::export::Export;
use crate::table::pattern::star;
use crate::table::{Row, Table, Words, limited, typed};

/// Column of the case where none is declared.
pub const CASE: &str = "case_id";
/// Column of the reader where none is declared.
pub const READER: &str = "reader_id";
/// Column of the answer where none is declared.
const READ: &str = "read";

/// What iMRMC and tables made for it call the reader of rows that state the truth: no person, and no vote.
fn is_truth(reader: &str) -> bool {
    ["truth", "ground truth", "ground_truth"].iter().any(|name| name.eq_ignore_ascii_case(reader))
}

/// What is read of a table so far, with everything that is wrong.
struct Sheet<'t> {
    table: &'t Table,
    source: &'t ReadsSource,
    export: Export,
    words: Words,
    problems: Vec<Diagnostic>,
}

impl<'t> Sheet<'t> {
    /// A cell that has to be filled.
    fn filled(&mut self, row: Row<'t>, column: usize, name: &str) -> Option<&'t str> {
        let cell = row.get(Some(column));
        if cell.is_none() {
            let message = format!("the cell `{name}` is empty");
            self.problems.push(
                Diagnostic::error(Code::ValueMissing, message)
                    .at(self.table.at(row.line))
                    .hint("say which case and which reader it is, or remove the row"),
            );
        }
        cell
    }

    fn take(&mut self, place: Place<'_>, extra: &Extra) {
        let at = self.table.at(place.row.line);
        let given = is_truth(place.reader_id);
        match place.answer(extra, self.source, at, &mut self.words) {
            Ok(Ok(answer)) if given => self.export.given.push(answer),
            Ok(Ok(answer)) => self.export.answers.push(answer),
            Ok(Err(none)) => self.export.no_reads.push(none),
            Err(problem) => self.problems.push(problem),
        }
    }

    fn finish(mut self, path: &Path) -> Result<Export, Vec<Diagnostic>> {
        self.export.warnings.extend(self.table.notes().iter().cloned());
        if self.problems.is_empty() { Ok(self.export) } else { Err(limited(self.problems, path)) }
    }
}

fn sheet<'t>(table: &'t Table, source: &'t ReadsSource, ids: &[usize], answers: &[usize]) -> Sheet<'t> {
    let mut sheet =
        Sheet { table, source, export: Export::default(), words: Words::default(), problems: Vec::new() };
    match typed(table, ids, answers) {
        Ok(warnings) => sheet.export.warnings = warnings,
        Err(problems) => sheet.problems = problems,
    }
    sheet
}

/// Refuses an export of REDCap that is declared as a plain table and says nothing of completed forms: those
/// that nobody opened would be negatives.
fn no_status_of_forms(table: &Table, source: &ReadsSource) -> Result<(), Vec<Diagnostic>> {
    let own = ["redcap_event_name", "redcap_repeat_instrument", "redcap_repeat_instance"];
    let has = |name: &&str| table.column(name).is_some();
    let status = table.header().iter().any(|name| name.ends_with("_complete"));
    let mark = if let Some(name) = own.iter().copied().find(|name| has(name)) {
        name
    } else if let Some(name) = source.read_column.as_deref().filter(|name| name.contains("___")) {
        name
    } else if status && has(&"record_id") {
        "record_id"
    } else {
        return Ok(());
    };
    if source.complete_column.is_some() {
        return Ok(());
    }
    let message = format!(
        "this is an export of REDCap (`{mark}`), and nothing says which forms were completed: it writes a \
         form \
         that nobody opened as if its boxes were answered with 0"
    );
    Err(vec![
        Diagnostic::error(Code::RedcapCompletion, message)
            .at(table.at(1))
            .hint("declare format = \"redcap\", or `complete_column` and `complete_values`"),
    ])
}

/// One row a read, or one row a box.
///
/// # Errors
/// `column-missing`, `value-missing`, `time-unreadable`: everything at once.
pub fn long(
    path: &Path,
    table: &Table,
    source: &ReadsSource,
    reader_of_path: Option<&str>,
) -> Result<Export, Vec<Diagnostic>> {
    no_status_of_forms(table, source)?;
    let mut missing = Vec::new();
    let mut find = |name: &str| table.required(name).map_err(|problem| missing.push(problem)).ok();
    let case_name = source.case_column.as_deref().unwrap_or(CASE);
    let reader_name = source.reader_column.as_deref().unwrap_or(READER);
    let case = find(case_name);
    let reader = if source.reader_from == ReaderFrom::Column { find(reader_name) } else { None };
    let read = find(source.read_column.as_deref().unwrap_or(READ));
    let extra = Extra::of(table, source, &mut missing);
    let Some(case) = case.filter(|_| missing.is_empty()) else { return Err(missing) };
    let ids: Vec<usize> = std::iter::once(case).chain(reader).collect();
    let mut sheet = sheet(table, source, &ids, read.as_slice());
    // One answer a row: a list that grows would be up to twice as large.
    sheet.export.answers.reserve_exact(table.rows().len());
    for row in table.rows() {
        let case_id = sheet.filled(row, case, case_name);
        let reader_id = match reader {
            Some(column) => sheet.filled(row, column, reader_name),
            None => None,
        };
        let (Some(case_id), Some(reader_id)) = (case_id, reader_id.or(reader_of_path)) else { continue };
        sheet.take(Place { row, case_id, reader_id, text: row.get(read).map(str::to_owned) }, &extra);
    }
    sheet.finish(path)
}

/// A column that belongs to one reader or one case.
pub struct Headed {
    /// Where the column is.
    pub column: usize,
    /// Whom or what it belongs to.
    pub id: String,
    /// The column that says whether its answers were completed.
    pub complete: Option<usize>,
}

/// The columns that the declared names or patterns say, in the order of the table.
///
/// # Errors
/// `column-missing` for a name or pattern that no column has, and for a column of completion that is not
/// there.
pub fn headed(
    table: &Table,
    declared: &[String],
    complete: Option<&str>,
) -> Result<Vec<Headed>, Vec<Diagnostic>> {
    let mut missing = Vec::new();
    let mut found: Vec<Headed> = Vec::new();
    for name in declared {
        if !name.contains('*') {
            match table.required(name) {
                Ok(column) => found.push(Headed { column, id: name.clone(), complete: None }),
                Err(problem) => missing.push(problem),
            }
            continue;
        }
        let matching = table.header().iter().enumerate().filter_map(|(column, header)| {
            Some(Headed { column, id: star(name, header)?.to_owned(), complete: None })
        });
        let before = found.len();
        found.extend(matching);
        if found.len() == before {
            let seen = some(table.header().iter().map(String::as_str));
            missing.push(
                Diagnostic::error(Code::ColumnMissing, format!("no column fits `{name}`"))
                    .at(table.at(1))
                    .hint(format!("the columns are: {seen}")),
            );
        }
    }
    // A pattern must not take the column that says whether another one was completed.
    if let Some(complete) = complete {
        let taken = |headed: &Headed| star_or_same(complete, &table.header()[headed.column]);
        found.retain(|headed| !taken(headed));
        for headed in &mut found {
            match table.required(&complete.replacen('*', &headed.id, 1)) {
                Ok(column) => headed.complete = Some(column),
                Err(problem) => missing.push(problem),
            }
        }
    }
    found.sort_by_key(|headed| headed.column);
    found.dedup_by_key(|headed| headed.column);
    if missing.is_empty() { Ok(found) } else { Err(missing) }
}

fn star_or_same(pattern: &str, header: &str) -> bool {
    if pattern.contains('*') { star(pattern, header).is_some() } else { pattern == header }
}

/// One column a reader (one row a case), or one column a case (one row a reader).
///
/// # Errors
/// `column-missing`, `value-missing`: everything at once.
pub fn wide(
    path: &Path,
    table: &Table,
    source: &ReadsSource,
    reader_of_path: Option<&str>,
) -> Result<Export, Vec<Diagnostic>> {
    no_status_of_forms(table, source)?;
    let by_case = !source.case_columns.is_empty();
    let (declared, row_name) = if by_case {
        (&source.case_columns, source.reader_column.as_deref().unwrap_or(READER))
    } else {
        (&source.reader_columns, source.case_column.as_deref().unwrap_or(CASE))
    };
    let headed = headed(table, declared, source.complete_column.as_deref());
    let of_row =
        if by_case && reader_of_path.is_some() { Ok(None) } else { table.required(row_name).map(Some) };
    let (headed, of_row) = match (headed, of_row) {
        (Ok(headed), Ok(of_row)) => (headed, of_row),
        (headed, of_row) => {
            let mut missing = headed.err().unwrap_or_default();
            missing.extend(of_row.err());
            return Err(missing);
        }
    };
    let extra = Extra::of(table, source, &mut Vec::new());
    let extras: Vec<Extra> = headed.iter().map(|one| extra.completed_by(one.complete)).collect();
    let answers: Vec<usize> = headed.iter().map(|one| one.column).collect();
    let mut sheet = sheet(table, source, of_row.as_slice(), &answers);
    for row in table.rows() {
        let row_id = match of_row {
            Some(column) => sheet.filled(row, column, row_name),
            None => reader_of_path,
        };
        let Some(row_id) = row_id else { continue };
        for (one, extra) in headed.iter().zip(&extras) {
            let (case_id, reader_id) = if by_case { (&*one.id, row_id) } else { (row_id, &*one.id) };
            let text = row.get(Some(one.column)).map(str::to_owned);
            sheet.take(Place { row, case_id, reader_id, text }, extra);
        }
    }
    sheet.finish(path)
}
