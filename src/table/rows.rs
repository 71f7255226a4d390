//! The rows of a text one after another, each with its line: what every reader of a table stands on.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use csv::StringRecord;

use super::dialect::{Dialect, fault_of_quotes};
use super::text::{Text, line_ends};
use crate::diagnostic::{Code, Diagnostic, Location, few};

/// Column names that a hint shows.
const SHOWN: usize = 12;

/// The names of a table's columns, as in the header, trimmed.
#[derive(Clone, Debug)]
pub struct Columns {
    path: PathBuf,
    names: Vec<String>,
    places: BTreeMap<String, usize>,
    /// Line of the header.
    line: u64,
}

impl Columns {
    /// # Errors
    /// `table-empty` without a name; `column-duplicate` for each name that stands twice.
    pub(super) fn new(path: &Path, names: Vec<String>, line: u64) -> Result<Self, Vec<Diagnostic>> {
        if names.iter().all(String::is_empty) {
            return Err(vec![
                Diagnostic::error(Code::TableEmpty, "the table is empty: there is no header line")
                    .at(Location::file(path))
                    .hint("the first line names the columns, each further line is one row"),
            ]);
        }
        let mut places = BTreeMap::new();
        let mut problems = Vec::new();
        for (index, name) in names.iter().enumerate().filter(|(_, name)| !name.is_empty()) {
            if let Some(first) = places.insert(name.clone(), index) {
                let shown: String = name.chars().take(60).collect();
                let (first, second) = (first + 1, index + 1);
                let message = format!("the column `{shown}` occurs twice: it is number {first} and {second}");
                problems.push(
                    Diagnostic::error(Code::ColumnDuplicate, message)
                        .at(Location::line(path, line))
                        .hint("rename or remove one of them"),
                );
            }
        }
        let columns = Self { path: path.to_path_buf(), names, places, line };
        if problems.is_empty() { Ok(columns) } else { Err(problems) }
    }

    /// The header as it stands.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Where the column is, if it is there.
    pub fn find(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// Where the column is.
    ///
    /// # Errors
    /// `column-missing` with the columns that are there.
    pub fn required(&self, name: &str) -> Result<usize, Diagnostic> {
        self.find(name).ok_or_else(|| {
            let short = |name: &String| name.chars().take(60).collect::<String>();
            let mut names = few::and_more(self.names.iter().map(short), SHOWN);
            if self.names.iter().any(|name| name.contains([',', ';', '\t'])) {
                names.push_str("; separate the cells by commas, or by one other sign throughout");
            }
            Diagnostic::error(Code::ColumnMissing, format!("there is no column `{name}`"))
                .at(Location::line(&self.path, self.line))
                .hint(format!("the columns are: {names}"))
        })
    }
}

/// Rows as they come. Memory is that of the text and of one row.
pub struct Rows<'t> {
    path: &'t Path,
    above: &'t str,
    text: &'t str,
    separator: u8,
    reader: csv::Reader<&'t [u8]>,
    columns: Columns,
    notes: Vec<Diagnostic>,
    /// Up to where line ends are counted, and the line there.
    counted: (usize, u64),
    /// Rows without any text: how many, and the line of the first.
    empty: Option<(u64, u64)>,
    record: StringRecord,
}

impl<'t> Rows<'t> {
    /// The header, and what separates the cells.
    ///
    /// # Errors
    /// `table-separator` where commas and semicolons would both do, `table-empty` for no header,
    /// `column-duplicate`, and `quote-unclosed` for a quote that swallows what follows it.
    pub fn new(path: &'t Path, text: &'t Text<'_>) -> Result<Self, Vec<Diagnostic>> {
        Self::below(path, text, 1)
    }

    /// The same with the columns named in this line, counted from 1: a title may stand above it.
    ///
    /// # Errors
    /// As [`Rows::new`]; `table-header` where the text has no such line.
    pub fn below(path: &'t Path, text: &'t Text<'_>, header_row: u64) -> Result<Self, Vec<Diagnostic>> {
        let mut notes = text.notes.clone();
        let (title, lines) = lines_above(path, &text.text, header_row)?;
        let (above, text) = text.text.split_at(title);
        let dialect = Dialect::of(path, text)?;
        notes.extend(dialect.notes);
        let text = &text[dialect.skipped..];
        let before = 1 + lines + u64::from(dialect.skipped > 0);
        let mut reader = csv::ReaderBuilder::new()
            .flexible(true)
            .has_headers(false)
            .delimiter(dialect.separator)
            .from_reader(text.as_bytes());
        let mut record = StringRecord::new();
        // The text is UTF-8 and in memory, and rows of any length are taken: there is nothing to fail.
        reader.read_record(&mut record).map_err(|e| vec![unreadable(path, &e)])?;
        let start = text.len() - text.trim_start_matches(['\r', '\n']).len();
        let counted = (start, before + line_ends(&text.as_bytes()[..start]));
        if let Some((line, fault)) = fault_of_quotes(text, dialect.separator, record.len()) {
            return Err(vec![
                Diagnostic::error(Code::QuoteUnclosed, fault.message())
                    .at(Location::line(path, line + before - 1))
                    .hint("close it, or double it where it belongs to the text; a truncated file ends early"),
            ]);
        }
        let names = record.iter().map(|name| name.trim().to_owned()).collect();
        let columns = Columns::new(path, names, counted.1)?;
        let separator = dialect.separator;
        Ok(Self { path, above, text, separator, reader, columns, notes, counted, empty: None, record })
    }

    /// The rows of a further text of the same table, of which the one before ended with the end of a line.
    pub(super) fn resumed(path: &'t Path, text: &'t str, before: Ended) -> Self {
        let Ended { separator, columns, notes, line, empty } = before;
        let reader = csv::ReaderBuilder::new()
            .flexible(true)
            .has_headers(false)
            .delimiter(separator)
            .from_reader(text.as_bytes());
        let (above, counted, record) = ("", (0, line), StringRecord::new());
        Self { path, above, text, separator, reader, columns, notes, counted, empty, record }
    }

    /// What the next text of the table goes on from, once all rows of this one were asked for.
    pub(super) fn ended(self) -> Ended {
        let (from, line) = self.counted;
        let line = line + line_ends(self.text.as_bytes().get(from..).unwrap_or_default());
        let Self { separator, columns, notes, empty, .. } = self;
        Ended { separator, columns, notes, line, empty }
    }

    /// The lines above the one that names the columns, with their ends.
    pub fn above(&self) -> &'t str {
        self.above
    }

    /// The header.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// The next row with any text: its line, and its cells as they stand.
    ///
    /// # Errors
    /// `row-length` for a row with a wrong number of cells; rows follow it.
    #[expect(clippy::should_implement_trait, reason = "a row is lent until the next one is asked for")]
    pub fn next(&mut self) -> Option<Result<(u64, &StringRecord), Diagnostic>> {
        loop {
            match self.reader.read_record(&mut self.record) {
                Ok(true) => {}
                Ok(false) => return None,
                Err(e) => return Some(Err(unreadable(self.path, &e))),
            }
            let line = self.line();
            // What a spreadsheet leaves below its last row.
            if self.columns.names.len() > 1 && self.record.iter().all(|cell| cell.trim().is_empty()) {
                self.empty.get_or_insert((0, line)).0 += 1;
                continue;
            }
            let (found, wanted) = (self.record.len(), self.columns.names.len());
            if found != wanted {
                return Some(Err(Diagnostic::error(
                    Code::RowLength,
                    format!("{found} cells where the header has {wanted}"),
                )
                .at(Location::line(self.path, line))
                .hint("a cell that holds a separator needs quotes; a truncated file ends within a row")));
            }
            return Some(Ok((line, &self.record)));
        }
    }

    /// What was read other than as plain CSV in UTF-8, once all rows were asked for: warnings.
    pub fn notes(mut self) -> Vec<Diagnostic> {
        if let Some((count, first)) = self.empty {
            let message = format!("{count} rows have no cell and were left out");
            self.notes
                .push(Diagnostic::warning(Code::RowsEmpty, message).at(Location::line(self.path, first)));
        }
        self.notes
    }

    /// The line where the record begins that was read last. The reader ends a record at `\r`, and counts
    /// what stands between it and the next one to the next.
    fn line(&mut self) -> u64 {
        let bytes = self.text.as_bytes();
        let at = self.record.position().map_or(0, |p| usize::try_from(p.byte()).unwrap_or(usize::MAX));
        let rest = bytes.get(at..).unwrap_or_default();
        let at = at + rest.iter().take_while(|b| matches!(b, b'\r' | b'\n')).count();
        let (from, line) = self.counted;
        let line = line + line_ends(bytes.get(from..at).unwrap_or_default());
        self.counted = (at, line);
        line
    }
}

/// What is known of a table between two of its texts.
pub(super) struct Ended {
    separator: u8,
    columns: Columns,
    notes: Vec<Diagnostic>,
    /// The line that comes next.
    line: u64,
    empty: Option<(u64, u64)>,
}

/// Where the line of the header begins, and how many stand above it.
fn lines_above(path: &Path, text: &str, header_row: u64) -> Result<(usize, u64), Vec<Diagnostic>> {
    let (mut at, mut above) = (0, 0);
    while above + 1 < header_row {
        let rest = &text[at..];
        let Some(end) = rest.find(['\r', '\n']) else { break };
        at += end + if rest[end..].starts_with("\r\n") { 2 } else { 1 };
        above += 1;
    }
    if above + 1 < header_row || (above > 0 && text[at..].trim().is_empty()) {
        let lines = line_ends(text.trim_end().as_bytes()) + 1;
        let message = format!("the columns are to be named in line {header_row}, and the file has {lines}");
        return Err(vec![
            Diagnostic::error(Code::TableHeader, message)
                .at(Location::file(path))
                .hint("correct `header_row`: lines are counted from 1, also empty ones"),
        ]);
    }
    Ok((at, above))
}

fn unreadable(path: &Path, e: &csv::Error) -> Diagnostic {
    Diagnostic::error(Code::TableUnreadable, e.to_string())
        .at(Location::file(path))
        .hint("save the table as CSV in UTF-8 with a comma between the cells")
}
