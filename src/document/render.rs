//! From a kind of document and its templates to the finished files.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::content::Content;
use super::font::FontFile;
use super::tree::Document;
pub use super::writers::docx::Look;
use super::{lint, markdown, origins, template, writers};
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::digest::RelativePath;

/// Finished files by their path.
pub type Files = BTreeMap<RelativePath, Vec<u8>>;

/// Which files of a document are wanted.
#[derive(Clone, Copy, Debug)]
pub enum Wanted<'a> {
    /// HTML and Markdown.
    Pages,
    /// The same and a PDF (feature `pdf`), with fonts for what the built-in ones lack.
    WithPdf(&'a [FontFile]),
    /// The passages alone, as `NAME.trace.json`: what [`super::trace`] says of the document.
    Traced,
    /// A DOCX alone, which is a draft.
    Draft(&'a Look),
}

impl<'a> From<Option<&'a [FontFile]>> for Wanted<'a> {
    fn from(fonts: Option<&'a [FontFile]>) -> Self {
        fonts.map_or(Self::Pages, Self::WithPdf)
    }
}

/// Characters of a text that no PDF can show: no font has them. None in a program without PDF.
///
/// # Errors
/// `font-unreadable`.
pub fn without_font(text: &str, fonts: &[FontFile]) -> Result<BTreeSet<char>> {
    #[cfg(feature = "pdf")]
    if !text.is_ascii() {
        return writers::pdf::lacking(text, fonts);
    }
    let _ = (text, fonts);
    Ok(BTreeSet::new())
}

/// A document put together, before it is written.
#[derive(Clone, Debug)]
pub struct Composed {
    /// The filled templates.
    pub markdown: String,
    /// The tree.
    pub document: Document,
}

/// Puts a document together from its main template. The same content gives the same document.
///
/// # Errors
/// Every `literal-number` and `unsafe-filter` of the templates at once; then the first template that asks
/// for something that does not exist (`unknown-table`, `unknown-figure`, ...), with its line.
pub fn compose<C: Content>(
    content: &Arc<C>,
    main: &str,
    templates: &BTreeMap<String, String>,
) -> Result<Composed> {
    let problems: Vec<Diagnostic> =
        templates.iter().flat_map(|(name, text)| lint::lint(name, text)).collect();
    if !problems.is_empty() {
        return Err(problems.into());
    }
    let mut filled = template::fill(content, main, templates)?;
    if let Some(notice) = content.notice() {
        let [first, last] = [&notice.first, &notice.last].map(|text| origins::without_marks(text));
        filled.markdown = template::tidy(&format!("{first}\n{}\n{last}", filled.markdown));
    }
    let mut document = markdown::assemble(&filled.markdown, filled.pieces, content.facts())?;
    origins::resolve(&mut document, |key| content.origin(key), content.origin_notes());
    Ok(Composed { markdown: origins::unmarked(&filled.markdown), document })
}

impl Composed {
    /// The document in the formats that are wanted: `NAME.html`, `NAME.pdf` (feature `pdf`), `NAME.md` and
    /// its figures, or `NAME.docx`.
    ///
    /// # Errors
    /// `font-unreadable`, `font-missing` with every place whose characters no font has, and when the
    /// typesetter refuses the document.
    pub fn files<'a>(self, name: &str, wanted: impl Into<Wanted<'a>>) -> Result<Files> {
        let wanted = wanted.into();
        if let Wanted::Draft(look) = wanted {
            let mut files = Files::new();
            add(&mut files, &format!("{name}.docx"), writers::docx::write(&self.document, look)?)?;
            return Ok(files);
        }
        if let Wanted::Traced = wanted {
            let passages = super::trace::passages(&self.document);
            let bytes = serde_json::to_vec(&passages)
                .map_err(|e| Diagnostic::error(Code::TemplateContext, e.to_string()))?;
            let mut files = Files::new();
            add(&mut files, &format!("{name}.trace.json"), bytes)?;
            return Ok(files);
        }
        let mut files = self.page(name)?;
        #[cfg(feature = "pdf")]
        if let Wanted::WithPdf(fonts) = wanted {
            add(&mut files, &format!("{name}.pdf"), writers::pdf::compile(&self.document, fonts)?)?;
        }
        add(&mut files, &format!("{name}.md"), self.markdown.into_bytes())?;
        Ok(files)
    }

    /// The page `NAME.html` and the figures.
    ///
    /// # Errors
    /// `figure-name` when a name is no path.
    pub fn page(&self, name: &str) -> Result<Files> {
        let mut files = Files::new();
        for figure in self.document.figures() {
            add(&mut files, &format!("figures/{}.svg", figure.name), figure.svg.clone().into_bytes())?;
        }
        add(&mut files, &format!("{name}.html"), writers::html::page(&self.document).into_bytes())?;
        Ok(files)
    }
}

/// Adds a file.
///
/// # Errors
/// `figure-name` when its name is no path.
pub fn add(files: &mut Files, path: &str, bytes: Vec<u8>) -> Result<()> {
    let path: RelativePath = path.parse().map_err(|e| Diagnostic::error(Code::FigureName, format!("{e}")))?;
    files.insert(path, bytes);
    Ok(())
}
