//! Reading a table of foreign origin: bytes in, rows with line numbers out, every error located.
//!
//! What a spreadsheet makes of a CSV is read where it can be read in one way only, and said: semicolons or
//! tabs instead of commas, Excel's `sep=` line, UTF-16, rows without a cell. Where two readings are possible
//! the table is refused.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic, Location};

/// At most this many problems of one table are listed; the rest is counted.
pub const LISTED: usize = 50;
/// A compressed table may not grow beyond this, in bytes: fifty times the NIH metadata with a column for each
/// pixel row.
const LARGEST: u64 = 4 << 30;
/// Rows that are looked at where the header leaves open what separates the cells.
const PROBED: usize = 200;
/// Column names that a hint shows.
const SHOWN: usize = 30;

/// A table in memory. Column names are as in the header, trimmed, without a byte order mark.
#[derive(Clone, Debug)]
pub struct Table {
    path: PathBuf,
    columns: BTreeMap<String, usize>,
    header: Vec<String>,
    header_line: u64,
    rows: Vec<Row>,
    notes: Vec<Diagnostic>,
}

/// One row with its line in the file.
#[derive(Clone, Debug)]
pub struct Row {
    /// Line, counted from 1; the header is line 1.
    pub line: u64,
    cells: csv::StringRecord,
}

impl Row {
    /// The trimmed cell, `None` when the column is absent or the cell is empty.
    pub fn get(&self, column: Option<usize>) -> Option<&str> {
        column.and_then(|index| self.cells.get(index)).map(str::trim).filter(|text| !text.is_empty())
    }
}

/// A file's text, and what had to be done to get it.
#[derive(Clone, Debug)]
pub struct Text<'a> {
    /// Without a byte order mark.
    pub text: Cow<'a, str>,
    /// Such as that it was UTF-16.
    pub notes: Vec<Diagnostic>,
}

/// The text of a file: decompressed where its content is gzip, UTF-8 with or without a byte order mark, or
/// UTF-16 with one.
///
/// # Errors
/// `table-unreadable`, with the line where the text ends to be text, and what else it may be.
pub fn text<'a>(path: &Path, bytes: &'a [u8]) -> Result<Text<'a>, Vec<Diagnostic>> {
    let unreadable = |message: String, hint: &str| {
        vec![Diagnostic::error(Code::TableUnreadable, message).at(Location::file(path)).hint(hint)]
    };
    let mut notes = Vec::new();
    let named = path.extension().is_some_and(|e| e == "gz");
    let bytes: Cow<'a, [u8]> = if bytes.starts_with(b"\x1f\x8b") || named {
        let mut inflated = Vec::new();
        flate2::read::MultiGzDecoder::new(bytes).take(LARGEST + 1).read_to_end(&mut inflated).map_err(
            |e| {
                let hint = "fetch the file again, or decompress it; a truncated file ends early";
                unreadable(format!("not a whole gzip file: {e}"), hint)
            },
        )?;
        if inflated.len() as u64 > LARGEST {
            return Err(unreadable(
                format!("it grows beyond {LARGEST} bytes"),
                "give the part that is needed",
            ));
        }
        Cow::Owned(inflated)
    } else {
        Cow::Borrowed(bytes)
    };
    if let Some(what) = foreign(&bytes) {
        let hint = "save the table as CSV in UTF-8 with a comma between the cells";
        return Err(unreadable(format!("this is {what}, not CSV"), hint));
    }
    for (mark, big) in [(b"\xff\xfe", false), (b"\xfe\xff", true)] {
        let Some(rest) = bytes.strip_prefix(mark) else { continue };
        let units = rest.chunks(2).map(|pair| match *pair {
            [a, b] if big => u16::from_be_bytes([a, b]),
            [a, b] => u16::from_le_bytes([a, b]),
            _ => 0xd800,
        });
        let mut out = String::with_capacity(rest.len() / 2);
        for unit in char::decode_utf16(units) {
            let Ok(c) = unit else {
                let line = out.matches('\n').count() as u64 + 1;
                return Err(vec![
                    Diagnostic::error(Code::TableUnreadable, "not UTF-16 text, as its first two bytes say")
                        .at(Location::line(path, line))
                        .hint("save the table as CSV in UTF-8; a truncated file ends early"),
                ]);
            };
            out.push(c);
        }
        notes.push(
            Diagnostic::warning(
                Code::TableUtf16,
                "the table is UTF-16, as Excel's \"Unicode text\" is; it was read so",
            )
            .at(Location::file(path)),
        );
        return Ok(Text { text: Cow::Owned(out), notes });
    }
    let not_text = |bytes: &[u8], e: std::str::Utf8Error| {
        let line = bytes[..e.valid_up_to()].iter().filter(|b| **b == b'\n').count() as u64 + 1;
        vec![
            Diagnostic::error(Code::TableUnreadable, format!("not UTF-8 text: {e}"))
                .at(Location::line(path, line))
                .hint("save the table as \"CSV UTF-8\": plain \"CSV\" has the letters of one system only"),
        ]
    };
    let marked = usize::from(bytes.starts_with(b"\xef\xbb\xbf")) * 3;
    let text = match bytes {
        Cow::Borrowed(bytes) => {
            Cow::Borrowed(std::str::from_utf8(&bytes[marked..]).map_err(|e| not_text(&bytes[marked..], e))?)
        }
        Cow::Owned(mut bytes) => {
            bytes.drain(..marked);
            Cow::Owned(String::from_utf8(bytes).map_err(|e| not_text(e.as_bytes(), e.utf8_error()))?)
        }
    };
    Ok(Text { text, notes })
}

/// What a file is by its first bytes, where it is certainly no table.
fn foreign(bytes: &[u8]) -> Option<&'static str> {
    let starts = |magic: &[u8]| bytes.starts_with(magic);
    Some(match () {
        () if starts(b"PK\x03\x04") => "a ZIP archive, such as an Excel workbook",
        () if starts(b"\xd0\xcf\x11\xe0") => "an old Office file, such as an Excel workbook",
        () if starts(b"\x89PNG") => "a PNG image",
        () if starts(b"\xff\xd8\xff") => "a JPEG image",
        () if starts(b"%PDF") => "a PDF document",
        () if bytes.get(128..132) == Some(b"DICM") => "a DICOM file",
        () if starts(b"\xff\xfe\x00\x00") || starts(b"\x00\x00\xfe\xff") => "UTF-32 text",
        // Text has no NUL; UTF-16 without its mark has one beside every Latin letter.
        () if !starts(b"\xff\xfe") && !starts(b"\xfe\xff") && bytes.iter().take(4096).any(|b| *b == 0) => {
            "binary data or UTF-16 without its mark"
        }
        () => return None,
    })
}

/// The first line that has any text, without its end, and where the next begins.
fn first_line(text: &str) -> (&str, usize) {
    let end = text.find('\n').map_or(text.len(), |at| at + 1);
    (text[..end].trim_end_matches(['\r', '\n']), end)
}

/// What separates the cells, and how many bytes of `sep=` line stand before the header.
///
/// The header decides. Where it holds more than one kind of separator outside quotes, that one is taken with
/// which the first rows have as many cells as the header; a comma where that is one of several, because that
/// is what CSV says.
fn dialect(path: &Path, text: &str) -> Result<(u8, usize, Vec<Diagnostic>), Vec<Diagnostic>> {
    let name = |separator: u8| match separator {
        b';' => "semicolons",
        b'\t' => "tabs",
        _ => "commas",
    };
    let (first, end) = first_line(text);
    if let Some(declared) = first.trim_start_matches('"').strip_prefix("sep=") {
        let declared = declared.trim_end_matches('"');
        let separator = match declared.as_bytes() {
            [one @ (b',' | b';' | b'\t')] => *one,
            _ => {
                let shown: String = declared.chars().take(10).collect();
                return Err(vec![
                    Diagnostic::error(
                        Code::TableSeparator,
                        format!("`sep={shown}` names no separator that is read"),
                    )
                    .at(Location::line(path, 1))
                    .hint("a comma, a semicolon or a tab separates cells"),
                ]);
            }
        };
        let message = format!("the first line says that {} separate the cells", name(separator));
        let note = Diagnostic::warning(Code::TableSeparator, message).at(Location::line(path, 1));
        return Ok((separator, end, if separator == b',' { Vec::new() } else { vec![note] }));
    }
    let mut quoted = false;
    let mut found: Vec<u8> = Vec::new();
    for byte in first.bytes() {
        match byte {
            b'"' => quoted = !quoted,
            b',' | b';' | b'\t' if !quoted && !found.contains(&byte) => found.push(byte),
            _ => {}
        }
    }
    found.sort_unstable_by_key(|b| (*b != b',', *b));
    let separator = match found[..] {
        [] => b',',
        [one] => one,
        _ => {
            let fits: Vec<u8> = found.iter().copied().filter(|one| regular(text, *one)).collect();
            match fits[..] {
                [one] => one,
                [b',', ..] if !fits[1..].is_empty() => {
                    let names: Vec<&str> = fits.iter().map(|one| name(*one)).collect();
                    return Err(vec![
                        Diagnostic::error(
                            Code::TableSeparator,
                            format!(
                                "the cells may be separated by {}: both fit all rows",
                                names.join(" or by ")
                            ),
                        )
                        .at(Location::line(path, 1))
                        .hint(
                            "put a line `sep=,` or `sep=;` before the header, or put names that hold a \
                               separator in quotes",
                        ),
                    ]);
                }
                // Nothing fits: the errors of the usual form are the ones to read.
                _ => found.first().copied().unwrap_or(b','),
            }
        }
    };
    let message = format!("{} separate the cells; the table was read so", name(separator));
    let note = Diagnostic::warning(Code::TableSeparator, message).at(Location::line(path, 1));
    Ok((separator, 0, if separator == b',' { Vec::new() } else { vec![note] }))
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

/// The line of a quote that is opened and never closed: everything behind it would be one cell.
fn unclosed_quote(text: &str, separator: u8) -> Option<u64> {
    if !text.contains('"') {
        return None;
    }
    let bytes = text.as_bytes();
    let (mut line, mut opened, mut start, mut at) = (1_u64, None, true, 0);
    while let Some(byte) = bytes.get(at).copied() {
        if byte == b'\n' {
            line += 1;
        }
        if opened.is_some() {
            if byte == b'"' {
                if bytes.get(at + 1) == Some(&b'"') {
                    at += 1;
                } else {
                    opened = None;
                }
            }
            start = false;
        } else if byte == b'"' && start {
            opened = Some(line);
        } else {
            start = byte == separator || byte == b'\n' || byte == b'\r';
        }
        at += 1;
    }
    opened
}

impl Table {
    /// Parses a table; gzip is decompressed first, by its content or by the name's ending `.gz`.
    ///
    /// # Errors
    /// `table-unreadable` for bytes that are no text, `table-separator` where commas and semicolons would
    /// both do, `table-empty` for no header, `column-duplicate`, `quote-unclosed`, and `row-length` for each
    /// row with a wrong number of cells.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, Vec<Diagnostic>> {
        let Text { text, mut notes } = text(path, bytes)?;
        let (separator, skipped, note) = dialect(path, &text)?;
        notes.extend(note);
        let before = u64::from(skipped > 0);
        let text = &text[skipped..];
        if let Some(line) = unclosed_quote(text, separator) {
            return Err(vec![
                Diagnostic::error(Code::QuoteUnclosed, "a quote opens here and is never closed")
                    .at(Location::line(path, line + before))
                    .hint("close it, or double it where it belongs to the text; a truncated file ends early"),
            ]);
        }
        let mut reader =
            csv::ReaderBuilder::new().flexible(true).delimiter(separator).from_reader(text.as_bytes());
        let unreadable = |e: &csv::Error| {
            let line = e.position().map(|p| p.line() + before);
            Diagnostic::error(Code::TableUnreadable, e.to_string())
                .at(Location { line, ..Location::file(path) })
                .hint("save the table as CSV in UTF-8 with a comma between the cells")
        };
        let header: Vec<String> =
            reader.headers().map_err(|e| vec![unreadable(&e)])?.iter().map(|h| h.trim().to_owned()).collect();
        if header.iter().all(String::is_empty) {
            return Err(vec![
                Diagnostic::error(Code::TableEmpty, "the table is empty: there is no header line")
                    .at(Location::file(path))
                    .hint("the first line names the columns, each further line is one row"),
            ]);
        }
        let header_line = before + 1;
        let mut problems = Vec::new();
        let mut columns = BTreeMap::new();
        for (index, name) in header.iter().enumerate() {
            if name.is_empty() {
                continue;
            }
            if let Some(first) = columns.insert(name.clone(), index) {
                let shown: String = name.chars().take(60).collect();
                problems.push(
                    Diagnostic::error(
                        Code::ColumnDuplicate,
                        format!(
                            "the column `{shown}` occurs twice: it is number {} and {}",
                            first + 1,
                            index + 1
                        ),
                    )
                    .at(Location::line(path, header_line))
                    .hint("rename or remove one of them"),
                );
            }
        }
        let mut rows = Vec::new();
        let mut empty: Vec<u64> = Vec::new();
        for record in reader.records() {
            let cells = match record {
                Ok(cells) => cells,
                Err(e) => {
                    problems.push(unreadable(&e));
                    break;
                }
            };
            // The reader ends a record at `\r`, and counts what stands between it and the next one to the
            // next.
            let line = cells.position().map_or(0, |at| {
                let start = usize::try_from(at.byte()).unwrap_or(usize::MAX);
                let between = text.as_bytes().get(start..).unwrap_or_default().iter();
                let ends =
                    between.take_while(|b| matches!(b, b'\r' | b'\n')).filter(|b| **b == b'\n').count();
                at.line() + ends as u64
            }) + before;
            // What a spreadsheet leaves below its last row.
            if cells.len() > 1 && cells.iter().all(|cell| cell.trim().is_empty()) {
                empty.push(line);
                continue;
            }
            if cells.len() != header.len() {
                problems.push(
                    Diagnostic::error(
                        Code::RowLength,
                        format!("{} cells where the header has {}", cells.len(), header.len()),
                    )
                    .at(Location::line(path, line))
                    .hint("a cell that holds a separator needs quotes; a truncated file ends within a row"),
                );
                continue;
            }
            rows.push(Row { line, cells });
        }
        if let Some(first) = empty.first() {
            notes.push(
                Diagnostic::warning(
                    Code::RowsEmpty,
                    format!("{} rows have no cell and were left out", empty.len()),
                )
                .at(Location::line(path, *first)),
            );
        }
        if problems.is_empty() {
            Ok(Self { path: path.to_path_buf(), columns, header, header_line, rows, notes })
        } else {
            Err(limited(problems, path))
        }
    }

    /// The rows in file order.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The header as it stands.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// What was read other than as plain CSV in UTF-8: warnings.
    pub fn notes(&self) -> &[Diagnostic] {
        &self.notes
    }

    /// Where the column is, if it is there.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.columns.get(name).copied()
    }

    /// Where the column is.
    ///
    /// # Errors
    /// `column-missing` with the columns that are there.
    pub fn required(&self, name: &str) -> Result<usize, Diagnostic> {
        self.column(name).ok_or_else(|| {
            let short = |name: &String| name.chars().take(60).collect::<String>();
            let mut names = self.header.iter().take(SHOWN).map(short).collect::<Vec<_>>().join(", ");
            if self.header.len() > SHOWN {
                names.push_str(&format!(" and {} more", self.header.len() - SHOWN));
            }
            Diagnostic::error(Code::ColumnMissing, format!("there is no column `{name}`"))
                .at(Location::line(&self.path, self.header_line))
                .hint(format!("the columns are: {names}"))
        })
    }

    /// A place in this table.
    pub fn at(&self, line: u64) -> Location {
        Location::line(&self.path, line)
    }
}

/// Keeps the first [`LISTED`] problems and says how many more there are.
pub fn limited(mut problems: Vec<Diagnostic>, path: &Path) -> Vec<Diagnostic> {
    if problems.len() > LISTED {
        let more = problems.len() - LISTED;
        problems.truncate(LISTED);
        problems.push(
            Diagnostic::error(Code::MoreProblems, format!("and {more} more problems in this file"))
                .at(Location::file(path)),
        );
    }
    problems
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> Result<Table, Vec<Diagnostic>> {
        Table::parse(Path::new("t.csv"), bytes)
    }

    type Lines = Vec<(u64, Vec<String>)>;

    /// Header, cells of all rows with their lines, and codes of the notes.
    fn seen(bytes: &[u8]) -> (Vec<String>, Lines, Vec<&'static str>) {
        let table = read(bytes).expect("reads");
        let rows =
            table.rows().iter().map(|r| (r.line, r.cells.iter().map(str::to_owned).collect())).collect();
        (table.header.clone(), rows, table.notes.iter().map(|n| n.code.as_str()).collect())
    }

    fn problem(bytes: &[u8]) -> (&'static str, Option<u64>) {
        let problems = read(bytes).expect_err("refused");
        assert!(problems[0].hint.is_some(), "{problems:?}");
        (problems[0].code.as_str(), problems[0].location.as_ref().and_then(|l| l.line))
    }

    fn utf16(text: &str, big: bool) -> Vec<u8> {
        let unit = |u: u16| if big { u.to_be_bytes() } else { u.to_le_bytes() };
        std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(unit).collect()
    }

    #[test]
    fn what_excel_writes_is_read_as_the_same_table() {
        let plain = seen(b"a,b\n1,x\n2,y\n");
        assert_eq!(plain.2, [""; 0]);
        let same: [(&[u8], &[&str], u64); 8] = [
            (b"\xef\xbb\xbfa,b\r\n1,x\r\n2,y\r\n", &[], 0),
            (b"\xef\xbb\xbfa;b\r\n1;x\r\n2;y\r\n", &["table-separator"], 0),
            (b"a\tb\n1\tx\n2\ty\n", &["table-separator"], 0),
            (b"sep=;\r\na;b\r\n1;x\r\n2;y\r\n", &["table-separator"], 1),
            (b"\"sep=,\"\na,b\n1,x\n2,y\n", &[], 1),
            (b"\"a\";\"b\"\n\"1\";x\n2;y\n", &["table-separator"], 0),
            (&utf16("a\tb\r\n1\tx\r\n2\ty\r\n", false), &["table-utf16", "table-separator"], 0),
            (&utf16("a,b\n1,x\n2,y\n,\n,\n", true), &["table-utf16", "rows-empty"], 0),
        ];
        for (bytes, notes, shift) in same {
            let (header, rows, codes) = seen(bytes);
            let shifted: Vec<_> = plain.1.iter().map(|(line, cells)| (line + shift, cells.clone())).collect();
            assert_eq!(
                (&header, &rows, &codes[..]),
                (&plain.0, &shifted, notes),
                "{}",
                String::from_utf8_lossy(bytes)
            );
        }
    }

    #[test]
    fn a_header_with_two_kinds_of_separator_is_read_only_where_the_rows_decide() {
        assert_eq!(seen(b"a,b;c,d\n1,2,3\n").0, ["a", "b;c", "d"]);
        assert_eq!(seen(b"size[x,y];b\n1;2\n").0, ["size[x,y]", "b"]);
        assert_eq!(seen(b"\"a,b\";c\n1;2\n").0, ["a,b", "c"]);
        assert_eq!(problem(b"a,b;c\n1,2;3\n"), ("table-separator", Some(1)));
        assert_eq!(seen(b"sep=;\na,b;c\n1,2;3\n").0, ["a,b", "c"]);
        assert_eq!(problem(b"sep=|\na|b\n"), ("table-separator", Some(1)));
        // Nothing fits: the complaint is the one about the rows.
        assert_eq!(problem(b"a,b;c\n1\n"), ("row-length", Some(2)));
    }

    #[test]
    fn what_is_no_table_is_refused_by_name_and_line() {
        let gzip = {
            use std::io::Write as _;
            let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            out.write_all(b"a,b\n1,x\n2,y\n").expect("writes");
            out.finish().expect("ends")
        };
        assert_eq!(seen(&gzip).1.len(), 2, "gzip under another name");
        assert_eq!(problem(&gzip[..gzip.len() - 9]), ("table-unreadable", None));
        for bytes in [&b"PK\x03\x04rest"[..], b"\x89PNG....", b"%PDF-1.7", b"a\0,\0b\0", b"\xff\xd8\xff\xe0"]
        {
            assert_eq!(problem(bytes), ("table-unreadable", None));
        }
        assert_eq!(problem(b"a,b\n1,Gr\xfc\xdfe\n"), ("table-unreadable", Some(2)));
        assert_eq!(problem(b"\xff\xfea\0,\0b\0\n\0\xd8"), ("table-unreadable", Some(2)));
        assert_eq!(problem(b""), ("table-empty", None));
        assert_eq!(problem(b"\xef\xbb\xbf\n\n"), ("table-empty", None));
    }

    #[test]
    fn a_quote_that_is_never_closed_is_found_before_it_swallows_rows() {
        assert_eq!(problem(b"a,b\n1,\"x\n2,y\n"), ("quote-unclosed", Some(2)));
        assert_eq!(problem(b"sep=;\na;b\n1;2\n\"3;y\n4;z"), ("quote-unclosed", Some(4)));
        let fine = seen(b"a,b\n1,\"x\ny \"\"z\"\"\"\n2,5\" tube\n");
        assert_eq!(
            fine.1,
            [
                (2, vec!["1".to_owned(), "x\ny \"z\"".to_owned()]),
                (4, vec!["2".to_owned(), "5\" tube".to_owned()])
            ]
        );
    }

    #[test]
    fn ten_thousand_columns_are_a_table_and_a_short_complaint() {
        let names: Vec<String> = (0..10_000).map(|i| format!("c{i}")).collect();
        let text = format!("{}\n{}\n", names.join(","), vec!["1"; 10_000].join(","));
        let table = read(text.as_bytes()).expect("reads");
        assert_eq!((table.header().len(), table.rows().len()), (10_000, 1));
        let missing = table.required("case_id").expect_err("missing");
        assert!(missing.hint.expect("hint").ends_with("c29 and 9970 more"));
        let twice = text.replacen("c7,", "c8,", 1);
        assert_eq!(problem(twice.as_bytes()), ("column-duplicate", Some(1)));
    }
}
