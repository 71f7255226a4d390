//! What separates the cells of a table, and whether a quote swallows what follows it.

use std::path::Path;

use crate::diagnostic::{Code, Diagnostic, Location};

/// Rows that are looked at where the header leaves open what separates the cells.
const PROBED: usize = 200;

/// How the cells of a text are told apart.
#[derive(Debug)]
pub struct Dialect {
    /// What stands between two cells: a comma, a semicolon or a tab.
    pub separator: u8,
    /// Bytes of a line `sep=` before the header.
    pub skipped: usize,
    /// Such as that the separator is none that CSV has by default.
    pub notes: Vec<Diagnostic>,
}

/// The first line, without its end, and where the next begins.
fn first_line(text: &str) -> (&str, usize) {
    let end = text.find(['\n', '\r']).unwrap_or(text.len());
    let next = end + if text[end..].starts_with("\r\n") { 2 } else { usize::from(end < text.len()) };
    (&text[..end], next)
}

fn name(separator: u8) -> &'static str {
    match separator {
        b';' => "semicolons",
        b'\t' => "tabs",
        _ => "commas",
    }
}

/// The separator that a line `sep=` declares, as spreadsheets write it; once saved again, with the
/// separators of the other columns behind it.
fn declared(first: &str) -> Option<Result<u8, String>> {
    let first = first.trim_matches('"');
    let rest = first.get(..4).filter(|start| start.eq_ignore_ascii_case("sep=")).map(|_| &first[4..])?;
    let sign = rest.bytes().next().filter(|b| matches!(b, b',' | b';' | b'\t'));
    Some(match sign {
        Some(one) if rest.bytes().all(|b| b == one) => Ok(one),
        _ => Err(rest.chars().take(10).collect()),
    })
}

impl Dialect {
    /// What separates the cells.
    ///
    /// The header decides. Where it holds more than one kind of separator outside quotes, that one is taken
    /// with which the first rows have as many cells as the header; a comma where that is one of several,
    /// because that is what CSV says.
    ///
    /// # Errors
    /// `table-separator` for a line `sep=` with another sign, and where two separators fit all rows.
    pub fn of(path: &Path, text: &str) -> Result<Self, Vec<Diagnostic>> {
        let (first, next) = first_line(text);
        let wrong = |message: String, hint: &str| {
            vec![Diagnostic::error(Code::TableSeparator, message).at(Location::line(path, 1)).hint(hint)]
        };
        let noted = |separator: u8, skipped: usize, message: String| {
            let note = Diagnostic::warning(Code::TableSeparator, message).at(Location::line(path, 1));
            let notes = if separator == b',' { Vec::new() } else { vec![note] };
            Self { separator, skipped, notes }
        };
        match declared(first) {
            Some(Ok(separator)) => {
                let message = format!("the first line says that {} separate the cells", name(separator));
                return Ok(noted(separator, next, message));
            }
            Some(Err(shown)) => {
                let hint = "a comma, a semicolon or a tab separates cells";
                return Err(wrong(format!("`sep={shown}` names no separator that is read"), hint));
            }
            None => {}
        }
        let found = in_header(text);
        let separator = match found[..] {
            [] => b',',
            [one] => one,
            _ => {
                let fits: Vec<u8> = found.iter().copied().filter(|one| regular(text, *one)).collect();
                match fits[..] {
                    [one] => one,
                    [b',', ..] if !fits[1..].is_empty() => {
                        let names: Vec<&str> = fits.iter().map(|one| name(*one)).collect();
                        let hint = "put a line `sep=,` or `sep=;` before the header, or put names that hold \
                                    a separator in quotes";
                        let message = format!(
                            "the cells may be separated by {}: both fit all rows",
                            names.join(" or by ")
                        );
                        return Err(wrong(message, hint));
                    }
                    // Nothing fits: the errors of the usual form are the ones to read.
                    _ => found.first().copied().unwrap_or(b','),
                }
            }
        };
        Ok(noted(separator, 0, format!("{} separate the cells; the table was read so", name(separator))))
    }
}

/// Separators that the header holds outside quotes: commas first.
fn in_header(text: &str) -> Vec<u8> {
    let header = text.trim_start_matches(['\n', '\r']);
    let mut quoted = false;
    let mut found: Vec<u8> = Vec::new();
    for byte in header.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b'\n' | b'\r' if !quoted => break,
            b',' | b';' | b'\t' if !quoted && !found.contains(&byte) => found.push(byte),
            _ => {}
        }
    }
    found.sort_unstable_by_key(|b| (*b != b',', *b));
    found
}

/// Whether the first rows have as many cells as the header, with this separator.
fn regular(text: &str, separator: u8) -> bool {
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .has_headers(false)
        .delimiter(separator)
        .from_reader(text.as_bytes());
    let mut lengths = reader.byte_records().take(PROBED).map(|r| r.map_or(0, |r| r.len()));
    let header = lengths.next().unwrap_or(0);
    header > 1 && lengths.all(|length| length == header)
}

/// What is wrong with a quote.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It opens a cell and is never closed: everything behind it would be one cell.
    NeverClosed,
    /// Text follows the quote that closes a cell: it was meant to be text, or the one before is missing.
    ClosedEarly,
    /// The cell holds whole rows: the quote that closes it is missing, and another cell's was taken for it.
    HoldsRows,
}

impl Fault {
    /// What is said of it.
    pub fn message(self) -> &'static str {
        match self {
            Self::NeverClosed => "a quote opens here and is never closed",
            Self::ClosedEarly => "a quote closes a cell here, and text follows it",
            Self::HoldsRows => "a quote opens here, and the cell holds whole rows of the table",
        }
    }
}

/// The first quote that is not used as RFC 4180 has it (clause 2, 5 to 7), with its line. A quote within a
/// cell that does not begin with one is text.
pub fn fault_of_quotes(text: &str, separator: u8, columns: usize) -> Option<(u64, Fault)> {
    if !text.contains('"') {
        return None;
    }
    let bytes = text.as_bytes();
    let mut line = 1_u64;
    // Within a quoted cell: where it opened, and of each whole line in it whether it looks like a row.
    let mut opened: Option<(u64, Lines)> = None;
    let (mut start, mut at) = (true, 0);
    while let Some(byte) = bytes.get(at).copied() {
        let next = bytes.get(at + 1).copied();
        let ends_line = byte == b'\n' || (byte == b'\r' && next != Some(b'\n'));
        line += u64::from(ends_line);
        match &mut opened {
            Some((_, lines)) if byte != b'"' => lines.push(byte == separator, ends_line, columns),
            Some(_) if next == Some(b'"') => at += 1,
            Some((from, lines)) => {
                if lines.are_rows(columns) {
                    return Some((*from, Fault::HoldsRows));
                }
                opened = None;
                // Blanks before the separator are no text.
                let rest = bytes[at + 1..].iter().find(|b| **b != b' ');
                if rest.is_some_and(|b| *b != separator && !matches!(b, b'\n' | b'\r')) {
                    return Some((line, Fault::ClosedEarly));
                }
                start = false;
            }
            None if byte == b'"' && start => opened = Some((line, Lines::default())),
            None => start = byte == separator || matches!(byte, b'\n' | b'\r'),
        }
        at += 1;
    }
    opened.map(|(from, _)| (from, Fault::NeverClosed))
}

/// Whole lines within one cell.
#[derive(Default)]
struct Lines {
    /// Line ends so far.
    ends: usize,
    /// Separators since the last one.
    separators: usize,
    /// Lines that begin and end within the cell.
    whole: usize,
    /// Those of them that have as many separators as a row of the table. Two columns are too few to tell.
    rows: usize,
}

impl Lines {
    /// Whether every line within the cell looks like a row: those between its first and its last, and where
    /// there is none, the last up to the quote.
    fn are_rows(&self, columns: usize) -> bool {
        let last = columns > 2 && self.separators + 1 == columns;
        self.ends > 0 && self.whole == self.rows && (self.whole > 0 || last)
    }

    fn push(&mut self, separates: bool, ends_line: bool, columns: usize) {
        self.separators += usize::from(separates);
        if ends_line {
            if self.ends > 0 {
                self.whole += 1;
                self.rows += usize::from(columns > 2 && self.separators + 1 == columns);
            }
            self.ends += 1;
            self.separators = 0;
        }
    }
}
