//! A document as plain text, for forms that take nothing else: headings with their numbers, tables line by
//! line.

use crate::document::text;
use crate::document::tree::{Block, Document, Inline, Link, Row, Table, plain};

/// Letters of a line.
const WIDTH: usize = 96;

/// The whole document.
pub fn text_of(document: &Document) -> String {
    let mut out = String::new();
    if let Some(banner) = &document.facts.banner {
        paragraph(&mut out, banner, "");
    }
    blocks(&mut out, &document.cover, "");
    blocks(&mut out, &document.body, "");
    for (_, content) in &document.footnotes {
        blocks(&mut out, content, "  ");
    }
    out.trim_end().to_owned() + "\n"
}

fn blocks(out: &mut String, list: &[Block], indent: &str) {
    for block in list {
        match block {
            Block::Heading { level, number, content, .. } => {
                let words = format!("{} {}", number.as_deref().unwrap_or_default(), plain(content));
                let words = text::one_line(words.trim());
                let rule = if *level <= 2 { "=" } else { "-" };
                let long = words.chars().count().min(WIDTH);
                out.push_str(&format!("{words}\n{}\n\n", rule.repeat(long)));
            }
            Block::Paragraph(content) => paragraph(out, &lines(content), indent),
            Block::List { start, items } => {
                for (index, item) in items.iter().enumerate() {
                    let mark =
                        start.map_or_else(|| "- ".to_owned(), |from| format!("{}. ", from + index as u64));
                    let mut inside = String::new();
                    blocks(&mut inside, item, "");
                    let inside = inside.trim_end().replace('\n', &format!("\n{indent}  "));
                    out.push_str(&format!("{indent}{mark}{inside}\n"));
                }
                out.push('\n');
            }
            Block::Callout { content, .. } => blocks(out, content, indent),
            Block::Code(code) => out.push_str(&format!("{}\n\n", code.trim_end())),
            Block::Grid { header, rows, .. } => {
                let names: Vec<String> = header.iter().map(|cell| plain(cell)).collect();
                let rows = rows.iter().map(|row| row.iter().map(|cell| plain(cell)).collect::<Vec<_>>());
                rows.for_each(|row| out.push_str(&line(&names, &row)));
                out.push('\n');
            }
            Block::Table(found) => table(out, found),
            Block::Figure(figure) => {
                paragraph(
                    out,
                    &format!(
                        "Figure {}. {}{} {}",
                        figure.number,
                        figure.caption,
                        mark(&figure.link),
                        figure.alt
                    ),
                    indent,
                );
            }
            Block::PageBreak => out.push('\n'),
        }
    }
}

/// A run of text with its breaks.
fn lines(content: &[Inline]) -> String {
    content
        .iter()
        .map(|inline| match inline {
            Inline::Break => "\n".to_owned(),
            Inline::Number { link, content } => format!("{}{}", lines(content), mark(link)),
            other => plain(std::slice::from_ref(other)),
        })
        .collect()
}

/// The mark of the row that says where a number comes from.
fn mark(link: &Link) -> String {
    link.mark().map(|mark| format!("[{mark}]")).unwrap_or_default()
}

fn paragraph(out: &mut String, words: &str, indent: &str) {
    for long in words.lines() {
        for line in wrapped(long, WIDTH - indent.len()) {
            out.push_str(&format!("{indent}{line}\n"));
        }
    }
    out.push('\n');
}

fn table(out: &mut String, table: &Table) {
    if !table.caption.is_empty() {
        paragraph(out, &format!("Table {}. {}{}", table.number, table.caption, mark(&table.link)), "");
    }
    let names: Vec<String> = table.columns.iter().map(|column| column.header.clone()).collect();
    for row in &table.rows {
        match row {
            Row::Group(name) => out.push_str(&format!("{}\n", text::one_line(name))),
            Row::Cells(cells) => {
                let cells: Vec<String> =
                    cells.iter().map(|cell| text::one_line(&cell.text) + &mark(&cell.link)).collect();
                out.push_str(&line(&names, &cells));
            }
        }
    }
    out.push('\n');
    table.notes.iter().for_each(|note| paragraph(out, note, ""));
}

/// A row: its first cell, and the others each with the name of its column. A table of names and values needs
/// no names of columns.
fn line(names: &[String], cells: &[String]) -> String {
    let first = cells.first().map_or("", String::as_str);
    let others = cells.iter().zip(names).skip(1).filter(|(cell, _)| !cell.is_empty());
    let is_list = names.len() == 2;
    let others: Vec<String> = others
        .map(|(cell, name)| if is_list || name.is_empty() { cell.clone() } else { format!("{name}: {cell}") })
        .collect();
    let row = match (others.is_empty(), is_list) {
        (true, _) => first.to_owned(),
        (_, true) => format!("{first}: {}", others.join("; ")),
        _ => format!("{first} \u{2013} {}", others.join("; ")),
    };
    let mut out = String::new();
    for (index, line) in wrapped(&row, WIDTH - 4).iter().enumerate() {
        let indent = if index == 0 { "  " } else { "    " };
        out.push_str(&format!("{indent}{line}\n"));
    }
    out
}

/// Lines of at most so many letters; a longer word has a line of its own.
fn wrapped(words: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in words.split_whitespace() {
        let Some(line) = lines.last_mut() else { break };
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > room {
            lines.push(word.to_owned());
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_what_each_number_is_and_no_line_is_too_long() {
        let names = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        assert_eq!(line(&names(&["What", "Which"]), &names(&["Name", "A device"])), "  Name: A device\n");
        let heads = names(&["Sex", "Cases", "Share"]);
        assert_eq!(line(&heads, &names(&["F", "300", "50.5%"])), "  F \u{2013} Cases: 300; Share: 50.5%\n");
        let long = line(&heads, &names(&["F", &"word ".repeat(60), "x"]));
        assert!(long.lines().count() > 3 && long.lines().all(|l| l.chars().count() <= WIDTH), "{long}");
        assert!(long.lines().skip(1).all(|l| l.starts_with("    ")), "{long}");
    }
}
