//! What a finished page holds: its sections with their anchors, its captions and its words. Read from the
//! page itself and not from what was meant to be written, so that a place that is named is there.

use crate::document::text;

/// A section of a page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Section {
    /// Where a link goes.
    pub anchor: String,
    /// `2.1`, where it has a number.
    pub number: String,
    /// Its heading.
    pub title: String,
    /// Captions of its tables and figures, without `Table 3.`; those of tables that say `None.` are left out.
    pub captions: Vec<String>,
    /// Its words, in one line.
    pub words: String,
}

/// A page.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// The cover and then each section.
    pub sections: Vec<Section>,
}

/// Reads a page as the writer writes it.
pub fn read(page: &str) -> Outline {
    let body = page.split_once("<div class=\"cover\">").map_or(page, |(_, body)| body);
    let mut sections = vec![Section::default()];
    let mut rest = body;
    let mut contents = false;
    while let Some(at) = rest.find('<') {
        let (before, tag) = rest.split_at(at);
        if let (false, Some(section)) = (contents, sections.last_mut()) {
            add(&mut section.words, before);
        }
        if let Some((heading, after)) = heading(tag) {
            sections.push(heading);
            rest = after;
        } else if let Some((caption, after)) = caption(tag) {
            if let (Some(caption), Some(section)) = (caption, sections.last_mut()) {
                section.captions.push(caption);
            }
            rest = after;
        } else {
            contents = (contents || tag.starts_with("<nav")) && !tag.starts_with("</nav");
            let hidden = if tag.starts_with("<svg") { tag.find("</svg>") } else { None };
            let tag = hidden.map_or(tag, |end| &tag[end..]);
            rest = tag.find('>').map_or("", |end| &tag[end + 1..]);
        }
    }
    Outline { sections }
}

fn add(words: &mut String, html: &str) {
    for word in text::of_html(html).split_whitespace() {
        if !words.is_empty() {
            words.push(' ');
        }
        words.push_str(word);
    }
}

/// A heading with an anchor at the beginning, and what stands behind it.
fn heading(tag: &str) -> Option<(Section, &str)> {
    let level = tag.strip_prefix("<h")?.chars().next().filter(char::is_ascii_digit)?;
    let after = tag.get(3..)?.strip_prefix(" id=\"")?;
    let (anchor, after) = after.split_once("\">")?;
    let (inside, after) = after.split_once(&format!("</h{level}>"))?;
    let (number, title) = match inside.strip_prefix("<span class=\"number\">") {
        Some(numbered) => numbered.split_once("</span> ")?,
        None => ("", inside),
    };
    let title = text::one_line(&text::of_html(&without_tags(title)));
    let section =
        Section { anchor: anchor.to_owned(), number: number.to_owned(), title, ..Section::default() };
    Some((section, after))
}

/// A caption at the beginning, and what stands behind it; none where its table says nothing.
fn caption(tag: &str) -> Option<(Option<String>, &str)> {
    let figure = tag.strip_prefix("<figcaption").map(|after| (after, "</figcaption>"));
    let (after, end) = figure.or_else(|| tag.strip_prefix("<caption").map(|after| (after, "</caption>")))?;
    let (_, after) = after.split_once('>')?;
    let (inside, after) = after.split_once(end)?;
    let words = inside.split_once("</strong> ").map_or(inside, |(_, words)| words);
    let says = figure.is_some()
        || after
            .split_once("</tbody>")
            .is_some_and(|(rows, _)| rows.contains("<td") || rows.contains("scope=\"row\""));
    Some((says.then(|| text::of_html(&without_tags(words))), after))
}

fn without_tags(html: &str) -> String {
    let mut out = String::new();
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        out.push_str(&rest[..at]);
        rest = rest[at..].find('>').map_or("", |end| &rest[at + end + 1..]);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_captions_and_words_are_read_with_their_anchors() {
        let page = "<html><body><div class=\"cover\">\n<h1 id=\"s-x\">A &amp; B</h1><p>first</p></div>\
                    <nav aria-label=\"Contents\"><h2>Contents</h2><a href=\"#s-y\">1 Y</a></nav>\
                    <h2 id=\"s-y\"><span class=\"number\">1</span> Y <em>z</em></h2><p>some  <b>words</b></p>\
                    <caption><strong>Table 1.</strong> Full</caption><tbody><tr><td>1</td></tr></tbody>\
                    <caption><strong>Table 2.</strong> Empty</caption><tbody><tr class=\"group\"><th \
                    scope=\"rowgroup\">None.</th></tr></tbody>\
                    <figcaption><strong>Figure 1.</strong> F</figcaption>";
        let outline = read(page);
        let titles: Vec<_> = outline.sections.iter().map(|s| (s.number.as_str(), s.title.as_str())).collect();
        assert_eq!(titles, [("", ""), ("", "A & B"), ("1", "Y z")]);
        assert_eq!(outline.sections[1].words, "first");
        assert_eq!(outline.sections[2].anchor, "s-y");
        assert_eq!(outline.sections[2].captions, ["Full", "F"]);
        assert!(outline.sections[2].words.starts_with("some words 1"), "{}", outline.sections[2].words);
    }

    #[test]
    fn what_is_no_page_is_read_without_panic() {
        for text in ["", "<", "<h2 id=\"", "<h2 id=\"a\">x", "<caption>", "&amp;lt;<svg><", "<figcaption>x"] {
            let _ = read(text);
        }
    }
}
