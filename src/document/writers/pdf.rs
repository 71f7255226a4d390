//! The tree as PDF/A-2a and PDF/UA-1 through the embedded typesetter: fonts, figures and the date come in
//! as values; the same document gives the same bytes.

use std::collections::BTreeMap;
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
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::document::tree::Document;

/// Liberation Sans first; the typesetter's own fonts for monospaced text and for what Liberation lacks.
static FONTS: LazyLock<Vec<Font>> = LazyLock::new(|| {
    let own: [&'static [u8]; 4] = [
        include_bytes!("../../../templates/fonts/LiberationSans-Regular.ttf"),
        include_bytes!("../../../templates/fonts/LiberationSans-Bold.ttf"),
        include_bytes!("../../../templates/fonts/LiberationSans-Italic.ttf"),
        include_bytes!("../../../templates/fonts/LiberationSans-BoldItalic.ttf"),
    ];
    own.into_iter().chain(typst_assets::fonts()).flat_map(|bytes| Font::iter(Bytes::new(bytes))).collect()
});

/// Whether any font of the document can show a character.
fn is_covered(c: char) -> bool {
    c.is_whitespace() || FONTS.iter().any(|font| font.info().coverage.contains(u32::from(c)))
}

/// Text with what no font can show as its code point: a missing glyph is neither readable nor allowed.
fn covered(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_ascii() || c == '\u{200b}' || is_covered(c) {
            out.push(c);
        } else {
            out.push_str(&format!("[U+{:04X}]", u32::from(c)));
        }
    }
    out
}

struct Files {
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
        FONTS.get(index).cloned()
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}

/// The PDF.
///
/// # Errors
/// `typesetting` with everything the typesetter reports, `date` when the bundle's date cannot be read.
pub fn compile(document: &Document) -> Result<Vec<u8>> {
    let markup = covered(&typst_markup::markup(document));
    let path = VirtualPath::new("/report.typ")
        .map_err(|e| Diagnostic::error(Code::Typesetting, format!("{e:?}")))?;
    let id = FileId::new(RootedPath::new(VirtualRoot::Project, path));
    let world = Files {
        library: LazyHash::new(Library::default()),
        book: LazyHash::new(FontBook::from_fonts(FONTS.iter())),
        main: Source::new(id, markup),
        files: document
            .figures()
            .into_iter()
            .map(|image| {
                // A line of a figure has one font: what that font lacks becomes a question mark.
                let own = FONTS.first().map(|font| &font.info().coverage);
                let known = |c: char| c.is_whitespace() || own.is_some_and(|o| o.contains(u32::from(c)));
                let svg: String = image.svg.chars().map(|c| if known(c) { c } else { '?' }).collect();
                (format!("/figures/{}.svg", image.name), Bytes::from_string(svg))
            })
            .collect(),
    };
    let paged: PagedDocument = typst::compile(&world).output.map_err(|e| problems(&world, &e))?;
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
