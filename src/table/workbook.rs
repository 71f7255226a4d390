//! Workbooks (XLSX, ECMA-376): the cells of one sheet as a table, and what a program for tables did to them.
//!
//! Said: rows and columns that are hidden and were read, cells that are merged, other sheets. Refused:
//! formulas that nobody computed, more than one sheet without a declared one. Ids that were made numbers or
//! dates are told by the kind of a cell. Every size is limited before memory is taken for it.

mod grid;
mod limits;
mod notation;

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _};
use std::path::Path;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use zip::ZipArchive;

use self::grid::Cells;
pub(super) use self::grid::Grid;
pub use self::grid::{CellKind, Sheet};
use self::limits::{CELLS, COLUMNS, LARGEST, LARGEST_PART, ROWS, unreadable};
use self::notation::{Shows, date, percent, place, range, shown};
use super::xml::entity;
use crate::diagnostic::{Code, Diagnostic, Location};

/// Numbers beyond this have lost digits: a program for tables keeps fifteen.
const EXACT: f64 = 1e15;

/// Whether the bytes are a ZIP archive with a workbook in it.
pub(super) fn is_workbook(bytes: &[u8]) -> bool {
    let named = |name: &[u8]| bytes.windows(name.len()).any(|window| window == name);
    bytes.starts_with(b"PK\x03\x04") && named(b"xl/") && named(b"[Content_Types].xml")
}

/// The cells of a sheet.
///
/// # Errors
/// As [`super::Table::parse_sheet`].
pub(super) fn sheet(path: &Path, bytes: &[u8], wanted: &Sheet<'_>) -> Result<Grid, Vec<Diagnostic>> {
    let mut book = Book::open(path, bytes).map_err(|problem| vec![problem])?;
    let mut notes = Vec::new();
    let (name, part) = book.choose(wanted.name, &mut notes).map_err(|problem| vec![problem])?;
    let found = book.cells(&part).map_err(|problem| vec![problem])?;
    found.into_grid(path, &name, wanted, notes)
}

/// A workbook with what its sheets share.
struct Book<'a> {
    path: &'a Path,
    archive: ZipArchive<Cursor<&'a [u8]>>,
    /// Bytes inflated so far.
    inflated: u64,
    /// Name, part, and whether it can be seen.
    sheets: Vec<(String, String, bool)>,
    strings: Vec<String>,
    /// Of each cell format, what it shows a number as.
    formats: Vec<Shows>,
    /// Days are counted from 1904.
    from_1904: bool,
}

impl<'a> Book<'a> {
    fn open(path: &'a Path, bytes: &'a [u8]) -> Result<Self, Diagnostic> {
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| unreadable(path, error))?;
        let mut book = Self {
            path,
            archive,
            inflated: 0,
            sheets: Vec::new(),
            strings: Vec::new(),
            formats: Vec::new(),
            from_1904: false,
        };
        let root = book.relations("_rels/.rels", "")?;
        let main = root.values().find(|(kind, _)| kind.ends_with("/officeDocument"));
        let main = main.map_or_else(|| "xl/workbook.xml".to_owned(), |(_, part)| part.clone());
        let (folder, name) = main.rsplit_once('/').unwrap_or(("", &main));
        let relations = book.relations(&format!("{folder}/_rels/{name}.rels"), folder)?;
        let part = book.part(&main)?.ok_or_else(|| unreadable(path, "there is no workbook in it"))?;
        book.workbook(&part, &relations)?;
        let of_kind = |kind: &str| {
            let ending = format!("/{kind}");
            relations.values().find(|(found, _)| found.ends_with(&ending)).map(|(_, part)| part.clone())
        };
        if let Some(part) = of_kind("sharedStrings").map(|part| book.part(&part)).transpose()?.flatten() {
            book.strings = strings(&part).map_err(|error| unreadable(path, error))?;
        }
        if let Some(part) = of_kind("styles").map(|part| book.part(&part)).transpose()?.flatten() {
            book.formats = formats(&part).map_err(|error| unreadable(path, error))?;
        }
        Ok(book)
    }

    /// The text of a part; `None` where there is none of this name.
    fn part(&mut self, name: &str) -> Result<Option<String>, Diagnostic> {
        let left = LARGEST_PART.min(LARGEST - self.inflated.min(LARGEST));
        let file = match self.archive.by_name(name) {
            Ok(file) => file,
            Err(zip::result::ZipError::FileNotFound) => return Ok(None),
            Err(error) => return Err(unreadable(self.path, error)),
        };
        let mut bytes = Vec::new();
        file.take(left + 1).read_to_end(&mut bytes).map_err(|error| unreadable(self.path, error))?;
        if bytes.len() as u64 > left {
            return Err(unreadable(self.path, format!("`{name}` grows beyond {left} bytes")));
        }
        self.inflated += bytes.len() as u64;
        String::from_utf8(bytes)
            .map(Some)
            .map_err(|_| unreadable(self.path, format!("`{name}` is not UTF-8")))
    }

    /// Relations of a part by their id: kind and target. Absent: none.
    fn relations(
        &mut self,
        name: &str,
        folder: &str,
    ) -> Result<BTreeMap<String, (String, String)>, Diagnostic> {
        let Some(text) = self.part(name)? else { return Ok(BTreeMap::new()) };
        let mut found = BTreeMap::new();
        let mut xml = reader(&text);
        loop {
            match xml.read_event().map_err(|error| unreadable(self.path, error))? {
                Event::Start(element) if element.local_name().as_ref() == "Relationship" => {
                    let get = |name| value(&element, name).unwrap_or_default();
                    let target = get("Target");
                    let part = match target.strip_prefix('/') {
                        Some(absolute) => absolute.to_owned(),
                        None if folder.is_empty() => target,
                        None => format!("{folder}/{target}"),
                    };
                    found.insert(get("Id"), (get("Type"), part));
                }
                Event::Eof => return Ok(found),
                _ => {}
            }
        }
    }

    fn workbook(
        &mut self,
        text: &str,
        relations: &BTreeMap<String, (String, String)>,
    ) -> Result<(), Diagnostic> {
        let mut xml = reader(text);
        loop {
            match xml.read_event().map_err(|error| unreadable(self.path, error))? {
                Event::Start(element) => match element.local_name().as_ref() {
                    "workbookPr" => {
                        let said = value(&element, "date1904").unwrap_or_default();
                        self.from_1904 = matches!(said.as_str(), "1" | "true");
                    }
                    "sheet" => {
                        let name = value(&element, "name").unwrap_or_default();
                        let part = id(&element).and_then(|id| relations.get(&id));
                        // Sheets of charts and macros hold no cells.
                        if let Some((_, part)) = part.filter(|(kind, _)| kind.ends_with("/worksheet")) {
                            let seen = value(&element, "state").is_none_or(|state| state == "visible");
                            self.sheets.push((name, part.clone(), seen));
                        }
                    }
                    _ => {}
                },
                Event::Eof => return Ok(()),
                _ => {}
            }
        }
    }

    /// The sheet that is read: its name and its part.
    fn choose(
        &mut self,
        wanted: Option<&str>,
        notes: &mut Vec<Diagnostic>,
    ) -> Result<(String, String), Diagnostic> {
        let told = |sheets: &[(String, String, bool)]| {
            let name = |(name, _, seen): &(String, String, bool)| {
                let name: String = name.chars().take(60).collect();
                if *seen { format!("`{name}`") } else { format!("`{name}` (hidden)") }
            };
            sheets.iter().take(12).map(name).collect::<Vec<_>>().join(", ")
        };
        let wrong = |message: String, hint: &str| {
            Diagnostic::error(Code::WorkbookSheet, message).at(Location::file(self.path)).hint(hint)
        };
        if let Some(wanted) = wanted {
            let found = self.sheets.iter().find(|(name, ..)| name == wanted);
            return found.map(|(name, part, _)| (name.clone(), part.clone())).ok_or_else(|| {
                wrong(
                    format!("there is no sheet `{wanted}`; the sheets are {}", told(&self.sheets)),
                    "correct `sheet` in [reads]",
                )
            });
        }
        let mut seen = self.sheets.iter().filter(|(.., seen)| *seen);
        match (seen.next(), seen.next()) {
            (Some((name, part, _)), None) => {
                if self.sheets.len() > 1 {
                    let message =
                        format!("the sheet `{name}` is read; the workbook has {}", told(&self.sheets));
                    notes.push(
                        Diagnostic::warning(Code::WorkbookHidden, message)
                            .at(Location::file(self.path))
                            .hint("look at the hidden sheets; name the one that is read in `sheet`"),
                    );
                }
                Ok((name.clone(), part.clone()))
            }
            (None, _) => Err(wrong(
                "the workbook has no sheet with cells that can be seen".to_owned(),
                "name it in `sheet`",
            )),
            _ => Err(wrong(
                format!("the workbook has several sheets: {}", told(&self.sheets)),
                "name the one that is read: sheet = \"...\" in [reads]; elsewhere save that sheet as CSV",
            )),
        }
    }

    /// Every cell of a sheet.
    fn cells(&mut self, part: &str) -> Result<Cells, Diagnostic> {
        let path = self.path;
        let text = self.part(part)?.ok_or_else(|| unreadable(path, format!("there is no part `{part}`")))?;
        let mut xml = reader(&text);
        let mut found = Cells::default();
        let (mut row, mut column) = (0_u32, 0_u32);
        let mut cell: Option<Cell> = None;
        let mut inside = Inside::Nothing;
        loop {
            match xml.read_event().map_err(|error| unreadable(path, error))? {
                Event::Start(element) => match element.local_name().as_ref() {
                    "row" => {
                        let said = value(&element, "r").and_then(|text| text.parse::<u32>().ok());
                        row = said.unwrap_or(row.saturating_add(1));
                        column = 0;
                        if flag(&element, "hidden") {
                            found.hidden_rows.push(row);
                        }
                    }
                    "col" if flag(&element, "hidden") && found.hidden_columns.len() < COLUMNS as usize => {
                        let number = |name| value(&element, name).and_then(|text| text.parse::<u32>().ok());
                        if let (Some(from), Some(to)) = (number("min"), number("max")) {
                            found.hidden_columns.push((from, to.min(COLUMNS)));
                        }
                    }
                    "mergeCell" => found.merged.extend(value(&element, "ref").and_then(|text| range(&text))),
                    "c" => {
                        let at = value(&element, "r").and_then(|text| place(&text));
                        let (at_row, at_column) = at.unwrap_or((row, column.saturating_add(1)));
                        if at_row == 0 || at_row > ROWS || at_column == 0 || at_column > COLUMNS {
                            return Err(unreadable(path, "a cell stands outside of what a sheet can hold"));
                        }
                        (row, column) = (at_row, at_column);
                        let style = value(&element, "s").and_then(|text| text.parse::<usize>().ok());
                        cell = Some(Cell {
                            row,
                            column,
                            kind: value(&element, "t").unwrap_or_default(),
                            shows: style
                                .and_then(|style| self.formats.get(style))
                                .copied()
                                .unwrap_or_default(),
                            formula: false,
                            value: None,
                        });
                    }
                    "f" => {
                        if let Some(cell) = &mut cell {
                            cell.formula = true;
                        }
                        inside = Inside::Formula;
                    }
                    "v" | "t" if cell.is_some() && inside == Inside::Nothing => {
                        inside = Inside::Value;
                        if let Some(cell) = &mut cell {
                            cell.value.get_or_insert_default();
                        }
                    }
                    // How a text is spoken is not part of it.
                    "rPh" => inside = Inside::Spoken,
                    _ => {}
                },
                Event::Text(text) => push(&mut cell, inside, &text),
                Event::CData(text) => push(&mut cell, inside, &text),
                Event::GeneralRef(name) => push(&mut cell, inside, &entity(&name)),
                Event::End(element) => match element.local_name().as_ref() {
                    "v" | "t" if inside == Inside::Value => inside = Inside::Nothing,
                    "f" | "rPh" => inside = Inside::Nothing,
                    "c" => {
                        if let Some(cell) = cell.take() {
                            self.take(cell, &mut found)?;
                        }
                        inside = Inside::Nothing;
                    }
                    _ => {}
                },
                Event::Eof => return Ok(found),
                _ => {}
            }
        }
    }

    /// A cell as text with its kind.
    fn take(&self, cell: Cell, found: &mut Cells) -> Result<(), Diagnostic> {
        let at = (cell.row, cell.column);
        let Some(text) = cell.value else {
            if cell.formula {
                found.uncomputed.push(at);
            }
            return Ok(());
        };
        let wrong = |what: &str| {
            unreadable(self.path, format!("{what} in cell {}", shown(at))).at(Location {
                path: self.path.into(),
                line: Some(u64::from(at.0)),
                column: Some(u64::from(at.1)),
            })
        };
        let (kind, text) = match cell.kind.as_str() {
            "s" => {
                let index = text.trim().parse::<usize>().ok();
                let shared = index.and_then(|index| self.strings.get(index));
                (CellKind::Text, shared.cloned().ok_or_else(|| wrong("a text is missing"))?)
            }
            "b" => (CellKind::Truth, if text.trim() == "1" { "TRUE" } else { "FALSE" }.to_owned()),
            "str" | "inlineStr" | "e" => (CellKind::Text, text),
            "d" => (CellKind::Date, text),
            _ if text.trim().is_empty() => {
                if cell.formula {
                    found.uncomputed.push(at);
                }
                return Ok(());
            }
            _ => {
                let number = text.trim().parse::<f64>().ok().filter(|number| number.is_finite());
                let number = number.ok_or_else(|| wrong("a number that is none"))?;
                let day = (cell.shows == Shows::Date).then(|| date(number, self.from_1904)).flatten();
                match day {
                    Some(date) => (CellKind::Date, date),
                    // As it is shown, and as the same table saved as text has it: on a scale of 0 to 100 the
                    // number behind `51%` would pass for half a percent.
                    None if cell.shows == Shows::Percent => (CellKind::Number, percent(number)),
                    // A whole number in digits, also where the file has 1E+10.
                    None if number.fract() == 0.0 && number.abs() < EXACT => {
                        (CellKind::Number, format!("{number:.0}"))
                    }
                    None => (CellKind::Number, text.trim().to_owned()),
                }
            }
        };
        if !text.trim().is_empty() {
            found.cells.insert(at, (kind, text));
            if found.cells.len() > CELLS {
                return Err(unreadable(self.path, "it holds too many cells"));
            }
        }
        Ok(())
    }
}

/// A cell as the file has it.
struct Cell {
    row: u32,
    column: u32,
    kind: String,
    shows: Shows,
    formula: bool,
    value: Option<String>,
}

/// Where in a cell the text stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    Nothing,
    Value,
    Formula,
    Spoken,
}

fn push(cell: &mut Option<Cell>, inside: Inside, text: &str) {
    if let (Some(value), Inside::Value) = (cell.as_mut().and_then(|cell| cell.value.as_mut()), inside) {
        value.push_str(text);
    }
}

fn reader(text: &str) -> Reader<&[u8]> {
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    reader.config_mut().check_end_names = false;
    reader
}

fn value(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = element.try_get_attribute(name).ok()??;
    attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok().map(|value| value.into_owned())
}

fn flag(element: &BytesStart<'_>, name: &str) -> bool {
    value(element, name).is_some_and(|text| matches!(text.as_str(), "1" | "true"))
}

/// The id of a relation, whatever the prefix of its name space.
fn id(element: &BytesStart<'_>) -> Option<String> {
    element.attributes().flatten().find_map(|attribute| {
        let local = attribute.key.local_name().as_ref() == "id" && attribute.key.prefix().is_some();
        let text = local.then(|| attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok())??;
        Some(text.into_owned())
    })
}

/// Texts that cells share, without how they are spoken.
fn strings(text: &str) -> Result<Vec<String>, quick_xml::Error> {
    let mut xml = reader(text);
    let (mut found, mut current, mut inside, mut spoken) = (Vec::new(), String::new(), false, false);
    loop {
        match xml.read_event()? {
            Event::Start(element) => match element.local_name().as_ref() {
                "si" => current.clear(),
                "t" => inside = !spoken,
                "rPh" => spoken = true,
                _ => {}
            },
            Event::Text(text) if inside => current.push_str(&text),
            Event::CData(text) if inside => current.push_str(&text),
            Event::GeneralRef(name) if inside => current.push_str(&entity(&name)),
            Event::End(element) => match element.local_name().as_ref() {
                "si" => found.push(std::mem::take(&mut current)),
                "t" => inside = false,
                "rPh" => spoken = false,
                _ => {}
            },
            Event::Eof => return Ok(found),
            _ => {}
        }
    }
}

/// Of each cell format, what it shows a number as.
fn formats(text: &str) -> Result<Vec<Shows>, quick_xml::Error> {
    let mut xml = reader(text);
    let (mut own, mut found, mut inside) = (BTreeMap::<u32, Shows>::new(), Vec::new(), false);
    let number =
        |element: &BytesStart<'_>| value(element, "numFmtId").and_then(|text| text.parse::<u32>().ok());
    loop {
        match xml.read_event()? {
            Event::Start(element) => match element.local_name().as_ref() {
                "numFmt" => {
                    if let (Some(id), Some(code)) = (number(&element), value(&element, "formatCode")) {
                        own.insert(id, Shows::of(&code));
                    }
                }
                "cellXfs" => inside = true,
                "xf" if inside => {
                    let id = number(&element).unwrap_or(0);
                    found.push(own.get(&id).copied().unwrap_or_else(|| Shows::known(id)));
                }
                _ => {}
            },
            Event::End(element) if element.local_name().as_ref() == "cellXfs" => inside = false,
            Event::Eof => return Ok(found),
            _ => {}
        }
    }
}
