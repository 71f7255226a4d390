//! The tree of a document, from which every writer writes, and the parts a table or a figure is made of.

use std::collections::BTreeSet;

use super::{canvas::Canvas, format, text};

/// A whole document.
#[derive(Clone, Debug)]
pub struct Document {
    /// What it says beside its text.
    pub facts: Facts,
    /// What stands before the first thematic break.
    pub cover: Vec<Block>,
    /// The rest.
    pub body: Vec<Block>,
    /// Footnote definitions by label, in order of definition.
    pub footnotes: Vec<(String, Vec<Block>)>,
}

/// Something with a place of its own.
#[derive(Clone, Debug)]
pub enum Block {
    /// A heading; level 2 is a section, with its number and anchor.
    Heading {
        /// 1 is the title.
        level: u8,
        /// `2` or `2.1`, given when the document is put together.
        number: Option<String>,
        /// Where links go, given when the document is put together.
        anchor: String,
        /// Its words.
        content: Vec<Inline>,
    },
    /// A paragraph.
    Paragraph(Vec<Inline>),
    /// A list; `Some(start)` when it is numbered.
    List {
        /// The first number.
        start: Option<u64>,
        /// Each with its blocks.
        items: Vec<Vec<Block>>,
    },
    /// A box that stands out.
    Callout {
        /// How it stands out.
        kind: Callout,
        /// What is in it.
        content: Vec<Block>,
    },
    /// Text as it is.
    Code(String),
    /// A table that a template typed.
    Grid {
        /// One a column.
        alignments: Vec<Align>,
        /// One cell a column.
        header: Vec<Vec<Inline>>,
        /// Rows of cells.
        rows: Vec<Vec<Vec<Inline>>>,
    },
    /// A table from data.
    Table(Table),
    /// A figure from data.
    Figure(Figure),
    /// A new page.
    PageBreak,
}

/// How a box stands out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Callout {
    /// A quotation or an aside.
    Plain,
    /// Good to know.
    Note,
    /// Has to be known.
    Warning,
}

/// A run of text.
#[derive(Clone, Debug)]
pub enum Inline {
    /// Plain.
    Text(String),
    /// Emphasised.
    Emphasis(Vec<Inline>),
    /// Strong.
    Strong(Vec<Inline>),
    /// Monospaced.
    Code(String),
    /// A link to an `http`, `https` or `mailto` address.
    Link {
        /// The address.
        to: String,
        /// Its words.
        content: Vec<Inline>,
    },
    /// A line break.
    Break,
    /// A footnote's mark.
    Footnote(String),
    /// A number that can say where it comes from.
    Number {
        /// To where it is said.
        link: Link,
        /// As it is printed.
        content: Vec<Inline>,
    },
}

/// The way from a number to the row that says where it comes from, see the file `origins.rs`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Link {
    /// There is none.
    #[default]
    Nowhere,
    /// Its key; until the document is put together.
    Key(String),
    /// The mark of the row.
    To(String),
    /// This is the row of that mark.
    Here(String),
    /// This is the table of the rows.
    List,
}

impl Link {
    /// The mark of the row it leads to.
    pub fn mark(&self) -> Option<&str> {
        if let Self::To(mark) = self { Some(mark) } else { None }
    }
}

/// Where a column's text stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Align {
    /// Text.
    Left,
    /// Short words.
    Center,
    /// Numbers.
    Right,
}

/// A table from data.
#[derive(Clone, Debug)]
pub struct Table {
    /// What it shows.
    pub caption: String,
    /// `Table 3`, given when the document is put together.
    pub number: usize,
    /// Columns.
    pub columns: Vec<Column>,
    /// Rows.
    pub rows: Vec<Row>,
    /// Below the table.
    pub notes: Vec<String>,
    /// Where its numbers come from, where that is one place.
    pub link: Link,
}

/// A column of a table from data.
#[derive(Clone, Debug)]
pub struct Column {
    /// Its header.
    pub header: String,
    /// Its alignment.
    pub align: Align,
    /// Its share of the width; 0: as wide as its content.
    pub weight: f64,
}

/// A row of a table from data.
#[derive(Clone, Debug)]
pub enum Row {
    /// One cell a column.
    Cells(Vec<Cell>),
    /// One cell over all columns, which heads the rows below.
    Group(String),
}

/// A cell of a table from data.
#[derive(Clone, Debug, Default)]
pub struct Cell {
    /// Its text.
    pub text: String,
    /// How it looks; the text alone says everything.
    pub look: Look,
    /// Where its number comes from.
    pub link: Link,
}

/// How a cell looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Look {
    /// As usual.
    #[default]
    Plain,
    /// A key or a total.
    Strong,
    /// A criterion that is met.
    Good,
    /// A criterion that is not met or not evaluable.
    Bad,
    /// Too few cases to rely on.
    Muted,
    /// Monospaced: digests, ids.
    Code,
}

/// A figure from data: one or several SVG images under one caption.
#[derive(Clone, Debug)]
pub struct Figure {
    /// What it shows.
    pub caption: String,
    /// `Figure 3`, given when the document is put together.
    pub number: usize,
    /// What it shows, for those who cannot see it.
    pub alt: String,
    /// The images.
    pub images: Vec<Image>,
    /// Where its numbers come from.
    pub link: Link,
}

/// One SVG image.
#[derive(Clone, Debug)]
pub struct Image {
    /// File name without extension.
    pub name: String,
    /// The SVG text.
    pub svg: String,
    /// The drawing that it was made of.
    pub drawing: Canvas,
    /// Share of the text width it takes, in 0..=1.
    pub width: f64,
}

/// User units of a drawing in the width of the text: one scale for all, so that no drawing is smaller than
/// its neighbours and their letters are of one size.
const TEXT_WIDTH: f64 = 800.0;

/// Space between two drawings beside each other, as a share of the text width.
const BETWEEN: f64 = 0.02;

/// Rows of drawings of these widths, as ranges of their places: as many beside each other as fit.
pub fn beside(widths: &[f64]) -> Vec<std::ops::Range<usize>> {
    let mut rows: Vec<std::ops::Range<usize>> = Vec::new();
    let mut taken = f64::INFINITY;
    for (place, width) in widths.iter().enumerate() {
        taken += BETWEEN + width;
        match rows.last_mut() {
            Some(row) if taken <= 1.0 + 1e-9 => row.end = place + 1,
            _ => {
                taken = *width;
                rows.push(place..place + 1);
            }
        }
    }
    rows
}

/// What a template function put into the Markdown as a placeholder.
#[derive(Clone, Debug)]
pub enum Piece {
    /// `table(id=...)`
    Table(Table),
    /// `figure(id=...)`
    Figure(Figure),
    /// `text_of(id=...)`
    Text(String),
    /// `origins()`
    Origins,
}

impl Document {
    /// Every image, in document order, once.
    pub fn figures(&self) -> Vec<&Image> {
        let mut seen = BTreeSet::new();
        self.cover
            .iter()
            .chain(&self.body)
            .filter_map(|block| if let Block::Figure(figure) = block { Some(&figure.images) } else { None })
            .flatten()
            .filter(|image| seen.insert(image.name.clone()))
            .collect()
    }
}

impl Piece {
    /// The placeholder in the Markdown, with the content in a form that people can read there.
    pub fn placeholder(&self, index: usize) -> String {
        let (name, body) = match self {
            Self::Table(table) => ("table", table.to_markdown()),
            Self::Figure(figure) => ("figure", figure_to_markdown(figure)),
            Self::Text(text) => ("text", format!("{} lines as they are\n", text.lines().count())),
            Self::Origins => ("origins", "where the numbers come from\n".to_owned()),
        };
        format!("\n\n~~~~{{{name}}} {index}\n{body}~~~~\n\n")
    }
}

fn figure_to_markdown(figure: &Figure) -> String {
    let mut out = String::new();
    for image in &figure.images {
        out.push_str(&format!("image: figures/{}.svg\n", image.name));
    }
    out.push_str(&format!("caption: {}\n", text::markdown(&figure.caption)));
    out.push_str(&format!("alt: {}\n", text::markdown(&figure.alt)));
    out
}

impl Table {
    /// A pipe table, for reading and for comparing versions.
    pub fn to_markdown(&self) -> String {
        let mut out = format!("caption: {}\n", text::markdown(&self.caption));
        let line = |cells: Vec<String>| format!("| {} |\n", cells.join(" | "));
        out.push_str(&line(self.columns.iter().map(|c| text::markdown(&c.header)).collect()));
        let rule = |align| match align {
            Align::Left => "---",
            Align::Center => ":-:",
            Align::Right => "--:",
        };
        out.push_str(&line(self.columns.iter().map(|c| rule(c.align).to_owned()).collect()));
        for row in &self.rows {
            out.push_str(&match row {
                Row::Cells(cells) => line(cells.iter().map(|c| text::markdown(&c.text)).collect()),
                Row::Group(name) => line(vec![format!("**{}**", text::markdown(name))]),
            });
        }
        for note in &self.notes {
            out.push_str(&format!("note: {}\n", text::markdown(note)));
        }
        out
    }
}

/// What a document says beside its text.
#[derive(Clone, Debug)]
pub struct Facts {
    /// For metadata: the first heading of the cover, or this where the text has none.
    pub title: String,
    /// For the running header.
    pub running_title: String,
    /// For metadata.
    pub author: String,
    /// The banner of every page, when there is one.
    pub banner: Option<String>,
    /// For the running footer.
    pub footer: String,
    /// RFC 3339.
    pub date: String,
    /// Identifies the document for ever; only a PDF has it.
    pub identifier: String,
}

/// The words of a run of text.
pub fn plain(content: &[Inline]) -> String {
    content
        .iter()
        .map(|inline| match inline {
            Inline::Text(t) | Inline::Code(t) => t.clone(),
            Inline::Emphasis(c)
            | Inline::Strong(c)
            | Inline::Link { content: c, .. }
            | Inline::Number { content: c, .. } => plain(c),
            Inline::Break => " ".to_owned(),
            Inline::Footnote(_) => String::new(),
        })
        .collect()
}

impl Cell {
    /// A plain cell.
    pub fn new(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }

    /// A count.
    pub fn count(value: u64) -> Self {
        Self::new(format::count(value))
    }

    /// The same with another look.
    #[must_use]
    pub fn look(mut self, look: Look) -> Self {
        self.look = look;
        self
    }

    /// The same as a number whose origin is known by a key.
    #[must_use]
    pub fn of(mut self, key: impl Into<String>) -> Self {
        self.link = Link::Key(key.into());
        self
    }
}

impl Column {
    /// A column of text; a weight of 0 makes it as wide as its content.
    pub fn left(header: &str, weight: f64) -> Self {
        Self { header: header.to_owned(), align: Align::Left, weight }
    }

    /// A column of numbers, as wide as its content.
    pub fn right(header: &str) -> Self {
        Self { header: header.to_owned(), align: Align::Right, weight: 0.0 }
    }
}

impl Row {
    /// A row of plain cells.
    pub fn plain(texts: impl IntoIterator<Item = String>) -> Self {
        Self::Cells(texts.into_iter().map(Cell::new).collect())
    }
}

impl Table {
    /// A table with what it has.
    pub fn new(caption: impl Into<String>, columns: Vec<Column>, rows: Vec<Row>) -> Self {
        Self { caption: caption.into(), number: 0, columns, rows, notes: Vec::new(), link: Link::Nowhere }
    }

    /// The same, but a table without rows says `None.`
    pub fn or_none(caption: impl Into<String>, columns: Vec<Column>, rows: Vec<Row>) -> Self {
        let mut table = Self::new(caption, columns, rows);
        if table.rows.is_empty() {
            table.rows.push(Row::Group("None.".to_owned()));
        }
        table
    }
}

impl Figure {
    /// Drawings under one caption, in files named by `id`, numbered where there are several; `title` gives a
    /// file's title from its name.
    pub fn drawn(
        id: &str,
        (caption, alt): (String, String),
        drawings: Vec<Canvas>,
        title: impl Fn(&str) -> String,
    ) -> Self {
        let several = drawings.len() > 1;
        let images = drawings
            .into_iter()
            .enumerate()
            .map(|(index, canvas)| {
                let name = if several { format!("{id}-{}", index + 1) } else { id.to_owned() };
                let width = (canvas.width() / TEXT_WIDTH).min(1.0);
                Image { svg: canvas.finish(&title(&name), &alt), name, width, drawing: canvas }
            })
            .collect();
        Self { caption, number: 0, alt, images, link: Link::Nowhere }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drawings_stand_beside_each_other_where_they_fit_and_keep_their_order() {
        assert_eq!(beside(&[0.49, 0.49, 0.48]), [0..2, 2..3]);
        assert_eq!(beside(&[0.5, 0.5]), [0..1, 1..2]);
        assert_eq!(beside(&[0.3, 0.3, 0.3, 1.0, 0.2]), [0..3, 3..4, 4..5]);
        assert!(beside(&[]).is_empty());
    }

    #[test]
    fn one_scale_for_all_drawings() {
        let drawn = |width: f64| {
            let drawing = Canvas::new(width, 100.0);
            Figure::drawn("x", (String::new(), String::new()), vec![drawing], str::to_owned).images[0].width
        };
        assert_eq!((drawn(400.0), drawn(200.0), drawn(1600.0)), (0.5, 0.25, 1.0));
    }
}
