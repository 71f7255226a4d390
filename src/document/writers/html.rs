//! The tree as one HTML page that needs nothing else: inline style, inline figures, no script.
//!
//! Written by hand (judged again): 37 elements for 9 kinds of blocks, and every text of a document goes
//! through the one escape in `document::text`. pulldown-cmark's own writer knows no numbered headings, looks
//! of cells or figures. maud writes a table of 1,000 rows and 8 columns in 0.15 ms and this writer in 1.5 ms
//! (`benches/engines`, one run on two busy cores); a document has few such tables, and its figures and
//! templates take hundreds of milliseconds, so nobody waits for either. It stays for the bytes: documents of
//! bundles that were handed in have to render again to what they were.

use std::fmt::Write as _;

use crate::document::text::html;
use crate::document::tree::{
    Align, Block, Callout, Cell, Document, Figure, Inline, Link, Look, Row, Table, beside, plain,
};

const STYLE: &str = include_str!("../../../templates/style.css");
/// The style of numbers that say where they come from; a document without such numbers does not have it.
const ORIGINS: &str = include_str!("../../../templates/origins.css");

/// The page.
pub fn page(document: &Document) -> String {
    let mut out = String::new();
    let _ = write!(
        out,
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <meta name=\"author\" content=\"{}\">\n<meta name=\"date\" content=\"{}\">\n\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'; img-src data:\">\n\
         <title>{}</title>\n<style>\n{STYLE}{}{}</style>\n</head>\n<body{}>\n",
        html(&document.facts.author),
        html(&document.facts.date),
        html(&document.facts.title),
        running(document),
        origins(document),
        if document.facts.banner.is_some() { " class=\"banner\"" } else { "" },
    );
    out.push_str("<a class=\"skip\" href=\"#content\">Skip to the content</a>\n");
    let _ = write!(out, "<header class=\"running\"><span>{}</span>", html(&document.facts.running_title));
    if let Some(banner) = &document.facts.banner {
        let _ = write!(out, "<strong>{}</strong>", html(banner));
    }
    out.push_str("</header>\n<div class=\"cover\">\n");
    blocks(&mut out, &document.cover);
    out.push_str("</div>\n<nav aria-label=\"Contents\">\n<h2>Contents</h2>\n<ul>\n");
    contents(&mut out, document);
    out.push_str("</ul>\n</nav>\n<main id=\"content\">\n");
    blocks(&mut out, &document.body);
    if !document.footnotes.is_empty() {
        out.push_str("<section class=\"footnotes\" aria-label=\"Footnotes\">\n<ol>\n");
        for (label, content) in &document.footnotes {
            let _ = write!(out, "<li id=\"fn-{}\">", html(&crate::document::text::slug(label)));
            blocks(&mut out, content);
            out.push_str("</li>\n");
        }
        out.push_str("</ol>\n</section>\n");
    }
    let _ = writeln!(out, "</main>\n<footer>{}</footer>\n</body>\n</html>", html(&document.facts.footer));
    out
}

/// The rows that say where numbers come from, by their marks.
fn rows_of_origins(document: &Document) -> impl Iterator<Item = &str> {
    let tables = document.cover.iter().chain(&document.body).filter_map(|block| match block {
        Block::Table(table) if table.link == Link::List => Some(table),
        _ => None,
    });
    tables.flat_map(|table| &table.rows).filter_map(row_mark)
}

/// The mark of a row that says where numbers come from.
fn row_mark(row: &Row) -> Option<&str> {
    match row {
        Row::Cells(cells) => match cells.first().map(|cell| &cell.link) {
            Some(Link::Here(mark)) => Some(mark),
            _ => None,
        },
        Row::Group(_) => None,
    }
}

/// The style by which such a row is shown with a number that leads to it. One description serves every place
/// where its number stands, and needs no script.
fn origins(document: &Document) -> String {
    let mut marks = rows_of_origins(document).peekable();
    if marks.peek().is_none() {
        return String::new();
    }
    let shown: Vec<String> = marks
        .map(|mark| format!("body:has(a[href=\"#o-{mark}\"]:is(:hover,:focus-visible)) #o-{mark}"))
        .collect();
    format!(
        "{ORIGINS}@media screen {{\n{} {{\n  position: fixed; left: 0; right: 0; bottom: 5.6em; z-index: 9; \
         display: flex; flex-wrap: wrap; gap: 0 1.2em;\n  max-height: 50vh; overflow: auto; padding: .3em \
         1em; background: #fff; color: #1b1b1b; border-top: 2px solid #5a6370;\n}}\n{} {{ border: 0; \
         padding: .1em 0; background: none; text-align: left; }}\n}}\n",
        shown.join(",\n"),
        shown.iter().map(|rule| format!("{rule} > *")).collect::<Vec<_>>().join(",\n"),
    )
}

/// What is printed, as a way to where it comes from.
fn linked(link: &Link, inside: &str) -> String {
    match link.mark() {
        Some(mark) => format!(
            "<a class=\"from\" href=\"#o-{mark}\" data-o=\"{mark}\" aria-describedby=\"o-{mark} \
             o-all\">{inside}</a>"
        ),
        None => inside.to_owned(),
    }
}

/// What every printed page says, in the page's margins (CSS Paged Media).
fn running(document: &Document) -> String {
    let mut out = String::from("@media print { @page {\n");
    if let Some(banner) = &document.facts.banner {
        let _ = writeln!(
            out,
            "  @top-center {{ content: \"{}\"; color: #a8390f; font: bold 8pt Arial, sans-serif; }}",
            css(banner)
        );
    } else {
        let _ = writeln!(
            out,
            "  @top-left {{ content: \"{}\"; color: #5a6370; font: 8pt Arial, sans-serif; }}",
            css(&document.facts.running_title)
        );
    }
    let _ = writeln!(
        out,
        "  @bottom-left {{ content: \"{}\"; color: #5a6370; font: 8pt Arial, sans-serif; }}",
        css(&document.facts.footer)
    );
    out.push_str(
        "  @bottom-right { content: counter(page) \" / \" counter(pages); color: #5a6370; font: \
                  8pt Arial, sans-serif; }\n} }\n",
    );
    out
}

/// Text for a CSS string inside a style element: whatever is not a letter or a digit as its code
/// point in six digits (a space after fewer, or a plain one after six, would be swallowed).
fn css(text: &str) -> String {
    crate::document::text::clean(text)
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_string() } else { format!("\\{:06x}", u32::from(c)) })
        .collect()
}

fn contents(out: &mut String, document: &Document) {
    let mut open = false;
    let mut first = true;
    for block in &document.body {
        let Block::Heading { level, number, anchor, content } = block else { continue };
        let words = format!("{} {}", number.as_deref().unwrap_or_default(), plain(content));
        let link = format!("<a href=\"#{anchor}\">{}</a>", html(words.trim()));
        match level {
            3 if !first => {
                if !open {
                    out.push_str("\n<ul>\n");
                    open = true;
                }
                let _ = writeln!(out, "<li>{link}</li>");
            }
            2 | 3 => {
                if open {
                    out.push_str("</ul>\n");
                    open = false;
                }
                if !first {
                    out.push_str("</li>\n");
                }
                let _ = write!(out, "<li>{link}");
                first = false;
            }
            _ => {}
        }
    }
    if open {
        out.push_str("</ul>\n");
    }
    if !first {
        out.push_str("</li>\n");
    }
}

fn blocks(out: &mut String, list: &[Block]) {
    let mut rest = list;
    while let Some(first) = rest.first() {
        let run: Vec<&Figure> =
            rest.iter().map_while(|b| if let Block::Figure(f) = b { Some(f) } else { None }).collect();
        if run.is_empty() {
            block(out, first);
        } else {
            figures(out, &run);
        }
        rest = rest.get(run.len().max(1)..).unwrap_or_default();
    }
}

/// Figures one after another: those of one drawing stand beside each other where they fit.
fn figures(out: &mut String, run: &[&Figure]) {
    let width = |figure: &&Figure| match figure.images.as_slice() {
        [one] => one.width,
        _ => 1.0,
    };
    let widths: Vec<f64> = run.iter().map(width).collect();
    for row in beside(&widths) {
        let row = run.get(row).unwrap_or_default();
        if let [one] = row {
            figure(out, one, None);
        } else {
            out.push_str("<div class=\"beside\">\n");
            row.iter().for_each(|one| figure(out, one, Some(width(one))));
            out.push_str("</div>\n");
        }
    }
}

fn block(out: &mut String, block: &Block) {
    match block {
        Block::Heading { level, number, anchor, content } => {
            let level = (*level).clamp(1, 6);
            let number =
                number.as_ref().map(|n| format!("<span class=\"number\">{n}</span> ")).unwrap_or_default();
            let _ = writeln!(out, "<h{level} id=\"{anchor}\">{number}{}</h{level}>", inlines(content));
        }
        Block::Paragraph(content) => {
            let _ = writeln!(out, "<p>{}</p>", inlines(content));
        }
        Block::List { start, items } => {
            let tag = if start.is_some() { "ol" } else { "ul" };
            let from = start.filter(|s| *s != 1).map(|s| format!(" start=\"{s}\"")).unwrap_or_default();
            let _ = writeln!(out, "<{tag}{from}>");
            for item in items {
                out.push_str("<li>");
                if let [Block::Paragraph(content)] = item.as_slice() {
                    out.push_str(&inlines(content));
                } else {
                    blocks(out, item);
                }
                out.push_str("</li>\n");
            }
            let _ = writeln!(out, "</{tag}>");
        }
        Block::Callout { kind, content } => {
            let (class, role) = match kind {
                Callout::Plain => ("plain", ""),
                Callout::Note => ("note", " role=\"note\""),
                Callout::Warning => ("warning", " role=\"note\""),
            };
            let _ = writeln!(out, "<blockquote class=\"{class}\"{role}>");
            blocks(out, content);
            out.push_str("</blockquote>\n");
        }
        Block::Code(code) => {
            let _ = writeln!(out, "<pre tabindex=\"0\"><code>{}</code></pre>", html(code));
        }
        Block::Grid { alignments, header, rows } => {
            out.push_str("<div class=\"wide\" tabindex=\"0\">\n<table>\n<thead><tr>");
            for (index, cell) in header.iter().enumerate() {
                let _ =
                    write!(out, "<th scope=\"col\"{}>{}</th>", align(alignments.get(index)), inlines(cell));
            }
            out.push_str("</tr></thead>\n<tbody>\n");
            for row in rows {
                out.push_str("<tr>");
                for (index, cell) in row.iter().enumerate() {
                    let _ = write!(out, "<td{}>{}</td>", align(alignments.get(index)), inlines(cell));
                }
                out.push_str("</tr>\n");
            }
            out.push_str("</tbody>\n</table>\n</div>\n");
        }
        Block::Table(t) => table(out, t),
        Block::Figure(f) => figure(out, f, None),
        Block::PageBreak => out.push_str("<hr class=\"page\">\n"),
    }
}

fn align(align: Option<&Align>) -> &'static str {
    match align {
        Some(Align::Right) => " class=\"r\"",
        Some(Align::Center) => " class=\"c\"",
        _ => "",
    }
}

fn table(out: &mut String, table: &Table) {
    let facts = table.caption.is_empty();
    let _ = writeln!(
        out,
        "<div class=\"wide\" tabindex=\"0\">\n<table{}>",
        if facts { " class=\"facts\"" } else { "" }
    );
    if !facts {
        let _ = writeln!(
            out,
            "<caption><strong>Table {}.</strong> {}</caption>",
            table.number,
            linked(&table.link, &html(&table.caption))
        );
        out.push_str("<thead><tr>");
        for column in &table.columns {
            let _ = write!(
                out,
                "<th scope=\"col\"{}>{}</th>",
                align(Some(&column.align)),
                header(&column.header)
            );
        }
        out.push_str("</tr></thead>\n");
    }
    out.push_str("<tbody>\n");
    for row in &table.rows {
        match row {
            Row::Group(name) => {
                let _ = writeln!(
                    out,
                    "<tr class=\"group\"><th scope=\"rowgroup\" colspan=\"{}\">{}</th></tr>",
                    table.columns.len(),
                    html(name)
                );
            }
            Row::Cells(cells) => {
                match row_mark(row) {
                    Some(mark) => out.push_str(&format!("<tr id=\"o-{mark}\">")),
                    None => out.push_str("<tr>"),
                }
                for (index, cell) in cells.iter().enumerate() {
                    let column = table.columns.get(index);
                    let classes = classes(cell, column.map(|c| c.align));
                    let (open, close) = if index == 0 { ("th scope=\"row\"", "th") } else { ("td", "td") };
                    let text = html(&cell.text);
                    let text = if cell.look == Look::Code { format!("<code>{text}</code>") } else { text };
                    let text = linked(&cell.link, &text);
                    let _ = write!(out, "<{open}{classes}>{text}</{close}>");
                }
                out.push_str("</tr>\n");
            }
        }
    }
    out.push_str("</tbody>\n</table>\n");
    for (index, note) in table.notes.iter().enumerate() {
        let id = if index == 0 && table.link == Link::List { " id=\"o-all\"" } else { "" };
        let _ = writeln!(out, "<p class=\"note\"{id}>{}</p>", html(note));
    }
    out.push_str("</div>\n");
}

fn classes(cell: &Cell, align: Option<Align>) -> String {
    let mut classes = Vec::new();
    match align {
        Some(Align::Right) => classes.push("r"),
        Some(Align::Center) => classes.push("c"),
        _ => {}
    }
    match cell.look {
        Look::Strong => classes.push("strong"),
        Look::Good => classes.push("good"),
        Look::Bad => classes.push("bad"),
        Look::Muted => classes.push("muted"),
        Look::Plain | Look::Code => {}
    }
    if classes.is_empty() { String::new() } else { format!(" class=\"{}\"", classes.join(" ")) }
}

/// A figure; `share` is its own width where it stands beside others.
fn figure(out: &mut String, figure: &Figure, share: Option<f64>) {
    match share {
        Some(share) => {
            let _ = writeln!(out, "<figure style=\"width:{:.1}%\">", share * 100.0);
        }
        None => out.push_str("<figure>\n"),
    }
    for image in &figure.images {
        let width = if share.is_some() { 100.0 } else { image.width * 100.0 };
        let _ = writeln!(out, "<div style=\"max-width:{width:.1}%\">{}</div>", image.svg.trim_end());
    }
    let _ = writeln!(
        out,
        "<figcaption><strong>Figure {}.</strong> {}</figcaption>\n</figure>",
        figure.number,
        linked(&figure.link, &html(&figure.caption))
    );
}

/// A column's name: a long word gets places to break, where a short one is never broken.
fn header(text: &str) -> String {
    let part = |word: &str| {
        let chars: Vec<char> = word.chars().collect();
        chars.chunks(22).map(|c| html(&c.iter().collect::<String>())).collect::<Vec<_>>().join("<wbr>")
    };
    text.split_inclusive(char::is_whitespace).map(part).collect()
}

fn inlines(content: &[Inline]) -> String {
    content
        .iter()
        .map(|inline| match inline {
            Inline::Text(t) => html(t),
            Inline::Emphasis(c) => format!("<em>{}</em>", inlines(c)),
            Inline::Strong(c) => format!("<strong>{}</strong>", inlines(c)),
            Inline::Code(t) => format!("<code>{}</code>", html(t)),
            Inline::Link { to, content } => format!("<a href=\"{}\">{}</a>", html(to), inlines(content)),
            Inline::Number { link, content } => linked(link, &inlines(content)),
            Inline::Break => "<br>".to_owned(),
            Inline::Footnote(label) => {
                let slug = html(&crate::document::text::slug(label));
                format!("<sup><a href=\"#fn-{slug}\">{}</a></sup>", html(label))
            }
        })
        .collect()
}
