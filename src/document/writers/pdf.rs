//! The tree as PDF/A-2a and PDF/UA-1 through the embedded typesetter: fonts, figures and the date come in
//! as values; the same document gives the same bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use typst::diag::{FileError, FileResult, SourceDiagnostic};
use typst::foundations::{Bytes, Datetime, Duration, Smart};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};
use typst_layout::PagedDocument;
use typst_pdf::{PdfOptions, PdfStandard, PdfStandards, Timestamp};

use super::typst_markup;
use crate::diagnostic::{Code, Diagnostic, Result, few};
use crate::document::font::FontFile;
use crate::document::places::texts;
use crate::document::text::{clean, with_number};
use crate::document::tree::Document;

/// Liberation Sans; the first one draws the lines of figures.
static LIBERATION: LazyLock<Vec<Font>> = LazyLock::new(|| {
    let own: [&'static [u8]; 4] = [
        include_bytes!("../../../templates/fonts/LiberationSans-Regular.ttf"),
        include_bytes!("../../../templates/fonts/LiberationSans-Bold.ttf"),
        include_bytes!("../../../templates/fonts/LiberationSans-Italic.ttf"),
        include_bytes!("../../../templates/fonts/LiberationSans-BoldItalic.ttf"),
    ];
    own.into_iter().flat_map(|bytes| Font::iter(Bytes::new(bytes))).collect()
});

/// The typesetter's own fonts, for monospaced text and for what Liberation lacks.
static FURTHER: LazyLock<Vec<Font>> =
    LazyLock::new(|| typst_assets::fonts().flat_map(|bytes| Font::iter(Bytes::new(bytes))).collect());

/// The most places that are named.
const NAMED: usize = 20;

/// Every font of a document: Liberation Sans, those that the user names, the typesetter's.
fn fonts(named: &[FontFile]) -> Result<Vec<Font>> {
    let mut fonts = LIBERATION.clone();
    for file in named {
        let before = fonts.len();
        fonts.extend(Font::iter(Bytes::new(file.bytes.clone())));
        if fonts.len() == before {
            let message = format!("the font {} cannot be read", file.name);
            return Err(Diagnostic::error(Code::FontUnreadable, message)
                .hint("TrueType and OpenType files (.ttf, .otf, .ttc) are read")
                .into());
        }
    }
    fonts.extend(FURTHER.iter().cloned());
    Ok(fonts)
}

/// The fonts that lines of figures are drawn with: those of the document without the typesetter's own.
fn drawing(fonts: &[Font]) -> &[Font] {
    fonts.split_at(fonts.len() - FURTHER.len()).0
}

/// Whether one of the fonts can show a character, or it shows nothing.
fn is_covered(fonts: &[Font], c: char) -> bool {
    c.is_ascii()
        || c.is_whitespace()
        || c == '\u{200b}'
        || fonts.iter().any(|font| font.info().coverage.contains(u32::from(c)))
}

/// Characters of a text that no font has.
///
/// # Errors
/// `font-unreadable`.
pub fn lacking(text: &str, named: &[FontFile]) -> Result<BTreeSet<char>> {
    let fonts = fonts(named)?;
    Ok(clean(text).chars().filter(|c| !is_covered(&fonts, *c)).collect())
}

/// One problem a place whose characters no font has: a missing glyph is neither readable nor allowed, and a
/// sign in its place would be something else than the study says.
fn uncovered(document: &Document, fonts: &[Font]) -> Vec<Diagnostic> {
    let mut known: BTreeMap<(char, bool), bool> = BTreeMap::new();
    let mut places: Vec<(String, Vec<char>)> = Vec::new();
    for placed in texts(document) {
        let may_use = if placed.drawn { drawing(fonts) } else { fonts };
        let mut lacking: Vec<char> = clean(&placed.text)
            .chars()
            .filter(|c| !(placed.drawn && *c == '\u{fffd}'))
            .filter(|c| !*known.entry((*c, placed.drawn)).or_insert_with(|| is_covered(may_use, *c)))
            .collect();
        lacking.sort_unstable();
        lacking.dedup();
        match places.iter_mut().find(|(place, _)| *place == placed.place) {
            _ if lacking.is_empty() => {}
            Some((_, chars)) => {
                chars.extend(lacking);
                chars.sort_unstable();
                chars.dedup();
            }
            None => places.push((placed.place, lacking)),
        }
    }
    let further = places.len().saturating_sub(NAMED);
    let mut problems: Vec<Diagnostic> = places
        .into_iter()
        .take(NAMED)
        .map(|(place, chars)| {
            let names = chars.iter().map(|c| with_number(*c));
            let names = few::and_more(names, NAMED);
            Diagnostic::error(Code::FontMissing, format!("no font has {names}: {place}"))
        })
        .collect();
    if further > 0 {
        problems.push(Diagnostic::error(Code::FontMissing, format!("and {further} more places")));
    }
    problems
}

struct Files {
    fonts: Vec<Font>,
    library: LazyHash<Library>,
    book: LazyHash<FontBook>,
    main: Source,
    files: BTreeMap<String, Bytes>,
}

impl World for Files {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        &self.book
    }

    fn main(&self) -> FileId {
        self.main.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.main.id() { Ok(self.main.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        let path = id.vpath().get_with_slash();
        self.files.get(path).cloned().ok_or(FileError::AccessDenied)
    }

    fn font(&self, index: usize) -> Option<Font> {
        self.fonts.get(index).cloned()
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}

/// The PDF; `named` are the user's fonts.
///
/// # Errors
/// `font-unreadable`; `font-missing` with every place whose characters no font has, before anything is
/// typeset; `typesetting` with everything the typesetter reports; `date` when the bundle's date cannot be
/// read.
pub fn compile(document: &Document, named: &[FontFile]) -> Result<Vec<u8>> {
    let (world, paged) = typeset(document, named)?;
    let date = timestamp(&document.facts.date)?;
    let standards = PdfStandards::new(&[PdfStandard::A_2a, PdfStandard::Ua_1])
        .map_err(|e| Diagnostic::error(Code::Typesetting, e.message().to_string()))?;
    let options = PdfOptions {
        ident: Smart::Custom(document.facts.identifier.clone()),
        creator: Smart::Custom(Some("Sequester".to_owned())),
        timestamp: Some(date),
        standards,
        ..PdfOptions::default()
    };
    Ok(typst_pdf::pdf(&paged, &options).map_err(|e| problems(&world, &e))?)
}

/// The pages, with what they were made from.
fn typeset(document: &Document, named: &[FontFile]) -> Result<(Files, PagedDocument)> {
    let fonts = fonts(named)?;
    let lacking = uncovered(document, &fonts);
    if !lacking.is_empty() {
        return Err(lacking.into());
    }
    let path = VirtualPath::new("/report.typ")
        .map_err(|e| Diagnostic::error(Code::Typesetting, format!("{e:?}")))?;
    let id = FileId::new(RootedPath::new(VirtualRoot::Project, path));
    let world = Files {
        library: LazyHash::new(Library::default()),
        book: LazyHash::new(FontBook::from_fonts(fonts.iter())),
        main: Source::new(id, typst_markup::markup(document)),
        fonts,
        files: document
            .figures()
            .into_iter()
            .map(|image| {
                // The sign for a character that cannot be printed; fonts for drawings rarely have it.
                let svg = image.svg.replace('\u{fffd}', "?");
                (format!("/figures/{}.svg", image.name), Bytes::from_string(svg))
            })
            .collect(),
    };
    let paged: PagedDocument = typst::compile(&world).output.map_err(|e| problems(&world, &e))?;
    Ok((world, paged))
}

fn problems(world: &Files, list: &[SourceDiagnostic]) -> Vec<Diagnostic> {
    list.iter()
        .map(|problem| {
            let mut message = problem.message.to_string();
            if let Some(range) = typst::WorldExt::range(&world, problem.span)
                && let Some(text) = world.main.text().get(range)
            {
                let start: String = text.chars().take(80).collect();
                message = format!("{message}: {start}");
            }
            Diagnostic::error(Code::Typesetting, message)
        })
        .collect()
}

/// RFC 3339, with or without a time of day.
fn timestamp(date: &str) -> Result<Timestamp> {
    use chrono::{Datelike as _, Timelike as _};
    let wrong = || {
        Diagnostic::error(Code::Date, format!("`{date}` is not an RFC 3339 date"))
            .hint("the date of a document comes from the evidence bundle, such as 2026-01-31T12:00:00Z")
    };
    let at = match chrono::DateTime::parse_from_rfc3339(date) {
        Ok(at) => at.naive_utc(),
        Err(_) => chrono::NaiveDate::parse_from_str(date, "%Y-%m-%d")
            .ok()
            .and_then(|day| day.and_hms_opt(0, 0, 0))
            .ok_or_else(wrong)?,
    };
    let small = |n: u32| u8::try_from(n).unwrap_or(0);
    let datetime = Datetime::from_ymd_hms(
        at.year(),
        small(at.month()),
        small(at.day()),
        small(at.hour()),
        small(at.minute()),
        small(at.second()),
    )
    .ok_or_else(wrong)?;
    Ok(Timestamp::new_utc(datetime))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use typst::layout::{Frame, FrameItem, Point};

    use super::*;
    use crate::document::canvas::{Anchor, Canvas, INK};
    use crate::document::tree::{Block, Cell, Column, Facts, Figure, Inline, Row, Table};

    fn document(body: Vec<Block>) -> Document {
        let facts = Facts {
            title: "t".to_owned(),
            running_title: "running".to_owned(),
            author: "a".to_owned(),
            banner: Some("banner".to_owned()),
            footer: "footer".to_owned(),
            date: "2026-01-31T12:00:00Z".to_owned(),
            identifier: "i".to_owned(),
        };
        Document { facts, cover: Vec::new(), body, footnotes: Vec::new() }
    }

    fn heading(words: String) -> Block {
        let content = vec![Inline::Text(words)];
        Block::Heading { level: 3, number: None, anchor: String::new(), content }
    }

    /// Every run of text with its left and right edge and its height on the page, and where drawings end.
    fn walk(frame: &Frame, at: Point, found: &mut Vec<(String, f64, f64, f64)>) {
        for (offset, item) in frame.items() {
            let at = at + *offset;
            match item {
                FrameItem::Group(group) => walk(&group.frame, at, found),
                FrameItem::Text(text) => {
                    let end = at.x + text.width();
                    found.push((text.text.to_string(), at.x.to_pt(), end.to_pt(), at.y.to_pt()));
                }
                FrameItem::Image(_, size, _) => found.push((
                    String::new(),
                    at.x.to_pt(),
                    (at.x + size.x).to_pt(),
                    (at.y + size.y).to_pt(),
                )),
                _ => {}
            }
        }
    }

    fn pages(body: Vec<Block>) -> Vec<Vec<(String, f64, f64, f64)>> {
        let (_, paged) = typeset(&document(body), &[]).expect("typesets");
        let page = |page: &typst_layout::Page| {
            let mut found = Vec::new();
            walk(&page.frame, Point::zero(), &mut found);
            found
        };
        paged.pages().iter().map(page).collect()
    }

    /// A table whose cells say where they belong; every seventh row heads a group, some cells have several
    /// lines.
    fn table(number: usize, rows: usize) -> Table {
        let row = |index: usize| {
            if index % 7 == 3 && index + 1 < rows {
                Row::Group(format!("t{number}g{index}."))
            } else {
                let long = "word ".repeat((number * 5 + index * 11) % 29);
                Row::plain([format!("t{number}r{index}."), long])
            }
        };
        let columns = vec![Column::left("A", 1.0), Column::left("B", 2.0)];
        let mut table = Table::new(format!("Caption t{number}c."), columns, (0..rows).map(row).collect());
        table.number = number;
        if number.is_multiple_of(3) {
            table.notes = vec![format!("Note t{number}n.")];
        }
        table
    }

    #[test]
    fn no_page_holds_a_single_row_of_a_table_and_what_belongs_together_stays_together() {
        let mut body = Vec::new();
        for rows in 1..=80 {
            body.push(heading(format!("h{rows}.")));
            body.push(Block::Table(table(rows, rows)));
        }
        let pages = pages(body);
        let on = |mark: &str| -> Vec<usize> {
            let has =
                |page: &&Vec<(String, f64, f64, f64)>| page.iter().any(|(text, ..)| text.contains(mark));
            // The first pages hold the contents.
            pages.iter().enumerate().skip(1).filter(|(_, page)| has(page)).map(|(index, _)| index).collect()
        };
        for rows in 1..=80_usize {
            let mark = |row: usize| {
                let group = row % 7 == 3 && row + 1 < rows;
                format!("t{rows}{}{row}.", if group { 'g' } else { 'r' })
            };
            let place: Vec<usize> = (0..rows).map(|row| *on(&mark(row)).first().expect("is there")).collect();
            let held: BTreeSet<usize> = place.iter().copied().collect();
            for page in &held {
                let own = place.iter().filter(|p| *p == page).count();
                assert!(own > 1 || rows == 1, "table of {rows} rows: one row on page {page}: {place:?}");
            }
            assert_eq!(on(&format!("t{rows}c.")).first(), place.first(), "caption of {rows}");
            assert!(on(&format!("h{rows}.")).contains(&place[0]), "heading of {rows}");
            if rows.is_multiple_of(3) {
                assert_eq!(on(&format!("t{rows}n.")).first(), place.last(), "notes of {rows}");
            }
            for row in (0..rows).filter(|row| row % 7 == 3 && row + 1 < rows) {
                assert_eq!(place[row], place[row + 1], "group {row} of {rows}");
            }
        }
    }

    #[test]
    fn a_page_is_never_left_more_than_half_empty_by_figures_of_less_than_half_a_page() {
        let mut body = Vec::new();
        for index in 0..40_usize {
            body.push(heading(format!("h{index}.")));
            body.push(Block::Table(table(index + 1, (index * 7) % 23 + 1)));
            for panel in 0..index % 4 {
                let width = [390.0, 390.0, 746.0][panel % 3];
                let mut drawing = Canvas::new(width, 200.0 + 40.0 * (index % 5) as f64);
                drawing.rect(0.0, 0.0, width, 100.0, "#000000", None);
                let words = (format!("Figure f{index}p{panel}."), String::from("alt"));
                let id = format!("f{index}-{panel}");
                body.push(Block::Figure(Figure::drawn(&id, words, vec![drawing], str::to_owned)));
            }
        }
        let pages = pages(body);
        assert!(pages.len() > 15, "{}", pages.len());
        // The text runs from 2.9 cm below the upper edge to 2.1 cm above the lower one; footers stand below
        // it.
        let (top, bottom) = (82.2, 792.0 - 59.5);
        let (_, filled) = pages.split_last().expect("pages");
        for (index, page) in filled.iter().enumerate().skip(2) {
            let end = page.iter().map(|(.., y)| *y).filter(|y| *y < bottom + 1.0).fold(top, f64::max);
            assert!(end - top > 0.5 * (bottom - top), "page {index} ends at {end} of {bottom}");
        }
    }

    #[test]
    fn words_of_300_characters_stay_inside_the_page_wherever_they_stand() {
        let name = "Radiological-Institute_of.the/UniversityHospital"
            .repeat(7)
            .chars()
            .take(300)
            .collect::<String>();
        let solid = "x".repeat(300);
        let mut body = Vec::new();
        for word in [&name, &solid] {
            body.push(heading(word.clone()));
            body.push(Block::Paragraph(vec![Inline::Text(word.clone()), Inline::Code(word.clone())]));
            let cells = || {
                Row::Cells(vec![
                    Cell::new(word.clone()),
                    Cell::new(word.clone()).look(crate::document::tree::Look::Code),
                    Cell::new("0.91 (0.88 to 0.94)"),
                ])
            };
            let columns = vec![Column::left(word, 1.0), Column::left("B", 0.0), Column::right(word)];
            let mut table = Table::new(
                word.clone(),
                columns,
                vec![cells(), Row::Group(word.clone()), cells(), cells(), cells(), cells()],
            );
            table.notes = vec![word.clone()];
            body.push(Block::Table(table.clone()));
            table.caption = String::new();
            body.push(Block::Table(table));
            let words = (word.clone(), String::from("alt"));
            body.push(Block::Figure(Figure::drawn(
                "f",
                words,
                vec![Canvas::new(400.0, 50.0)],
                str::to_owned,
            )));
        }
        let mut given = document(body);
        given.facts.running_title.clone_from(&name);
        given.facts.footer.clone_from(&name);
        given.facts.banner = Some(solid);
        let (_, paged) = typeset(&given, &[]).expect("typesets");
        // The text is 612 points less 2.1 cm on both sides wide.
        for page in paged.pages() {
            let mut found = Vec::new();
            walk(&page.frame, Point::zero(), &mut found);
            for (text, left, right, _) in found {
                assert!(left > 59.0 && right < 553.0, "{left} to {right}: {text}");
            }
        }
    }

    #[test]
    fn a_font_that_the_user_names_is_read_and_what_is_no_font_is_refused() {
        let body = || vec![Block::Paragraph(vec![Inline::Text("\u{80ba}".to_owned())])];
        let error = compile(&document(body()), &[]).expect_err("is refused").diagnostics();
        assert_eq!(error.len(), 1);
        assert_eq!(error[0].code, Code::FontMissing);
        assert_eq!(error[0].message, "no font has \u{80ba} (U+80BA): the beginning");
        let signs = include_bytes!("../../../fixtures/fonts/two-signs.ttf").to_vec();
        let named = [FontFile { name: "two-signs.ttf".to_owned(), bytes: signs }];
        let mut drawing = Canvas::new(200.0, 50.0);
        drawing.text((10.0, 30.0), 12.0, Anchor::Start, INK, "\u{80ba} and \u{708e}");
        let words = ("\u{708e}".to_owned(), String::from("alt"));
        let mut both = body();
        both.push(Block::Figure(Figure::drawn("f", words, vec![drawing], str::to_owned)));
        let pdf = compile(&document(both.clone()), &named).expect("renders");
        assert_eq!(pdf, compile(&document(both), &named).expect("renders"));
        assert!(pdf.windows(8).any(|w| w == b"TwoSigns"), "the font is in the file");
        let broken = FontFile { name: "broken.ttf".to_owned(), bytes: b"no font".to_vec() };
        let error = compile(&document(body()), &[broken]).expect_err("is refused").diagnostics();
        assert_eq!(error[0].code, Code::FontUnreadable);
    }
}
