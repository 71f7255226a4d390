//! Text from a study, made harmless for each language a document passes through: Markdown, HTML and
//! SVG, typst strings. Study text is data: no device name can become markup.

/// The same text with control characters and bidirectional overrides replaced by U+FFFD (the latter can
/// make a document show something else than it holds); line breaks and tabs stay.
pub fn clean(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\t' => c,
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}' => '\u{fffd}',
            '\u{fffe}' | '\u{ffff}' => '\u{fffd}',
            c if c.is_control() => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// A character as messages name it, with its number: `é (U+00E9)`.
pub fn with_number(c: char) -> String {
    format!("{c} (U+{:04X})", u32::from(c))
}

/// The same text on one line, runs of white space as one space.
pub fn one_line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

/// One line of Markdown that reads as the text itself (CommonMark: any ASCII punctuation may be escaped).
pub fn markdown(text: &str) -> String {
    let line = one_line(text);
    let mut out = String::with_capacity(line.len() + 8);
    let digits = line.chars().take_while(char::is_ascii_digit).count();
    let marks_item = line.chars().nth(digits + 1).is_none_or(char::is_whitespace);
    for (index, c) in line.chars().enumerate() {
        let always = matches!(
            c,
            '\\' | '`'
                | '*'
                | '_'
                | '['
                | ']'
                | '<'
                | '>'
                | '#'
                | '|'
                | '~'
                | '&'
                | '$'
                | '!'
                | '^'
                | '{'
                | '}'
        );
        // What would start a list, a heading underline or a definition, if it came first on its line.
        let first = index == 0 && matches!(c, '-' | '+' | '=' | ':')
            || index == digits && matches!(c, '.' | ')') && marks_item;
        if always || first {
            out.push('\\');
        }
        out.push(c);
    }
    out
}

/// Several paragraphs of Markdown, as the text has them: an empty line separates them.
pub fn markdown_paragraphs(text: &str) -> String {
    let text = clean(text);
    let mut paragraphs = vec![String::new()];
    for line in text.lines() {
        if line.trim().is_empty() {
            paragraphs.push(String::new());
        } else if let Some(last) = paragraphs.last_mut() {
            last.push_str(line);
            last.push(' ');
        }
    }
    let paragraphs: Vec<String> = paragraphs.iter().map(|p| markdown(p)).filter(|p| !p.is_empty()).collect();
    paragraphs.join("\n\n")
}

/// Text for HTML and SVG, in content and in double-quoted attributes.
pub fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in clean(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}

/// The characters that [`html`] escapes, as they were.
pub fn of_html(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")]
        .into_iter()
        .fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character))
}

/// A typst string literal with its quotes. Text reaches typst only inside string literals, so that typst
/// markup needs no escaping rules of its own.
pub fn typst_string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in clean(text).chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Lower-case words joined by `-`, for anchors.
pub fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() {
            out.push(c.to_ascii_lowercase());
        } else if !out.is_empty() && !out.ends_with('-') {
            out.push('-');
        }
    }
    out.trim_end_matches('-').to_owned()
}

/// A measure's name within a sentence; names of people and abbreviations keep their capitals.
pub fn within(name: &str) -> String {
    let mut letters = name.chars();
    match (letters.next(), letters.next()) {
        (Some(first), Some(second)) if second.is_lowercase() && !name.starts_with("Matthews") => {
            format!("{}{}{}", first.to_lowercase(), second, letters.as_str())
        }
        _ => name.to_owned(),
    }
}

/// An identifier in words: `without_consensus` becomes `Without consensus`.
pub fn humanise(id: &str) -> String {
    let mut words = id.replace(['_', '-'], " ");
    if let Some(first) = words.get(..1) {
        let upper = first.to_ascii_uppercase();
        words.replace_range(..1, &upper);
    }
    words
}

/// A message as a sentence: it begins with a capital and ends with a full stop.
pub fn sentence(message: &str) -> String {
    let line = one_line(message);
    let mut chars = line.chars();
    let first: String = chars.next().map(|c| c.to_uppercase().collect()).unwrap_or_default();
    let end = if line.ends_with(['.', '!', '?']) || line.is_empty() { "" } else { "." };
    format!("{first}{}{end}", chars.as_str())
}

/// Width of a line of Helvetica-metric text (Liberation Sans, Arial) in units of the font size.
/// Advance widths of ASCII after Adobe's Helvetica font metrics; anything else is estimated.
pub fn width(text: &str) -> f64 {
    const ASCII: [u16; 95] = [
        278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556,
        556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778,
        722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278,
        278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
        556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
    ];
    let one = |c: char| match u32::from(c) {
        code @ 32..=126 => ASCII.get((code - 32) as usize).copied().unwrap_or(556),
        0x1100.. => 1000,
        _ => 620,
    };
    text.chars().map(|c| f64::from(one(c))).sum::<f64>() / 1000.0
}

/// The text, with an ellipsis in its middle where it is wider than `room` at this font size: names that
/// differ at their end stay different.
pub fn fit(text: &str, size: f64, room: f64) -> String {
    if width(text) * size <= room {
        return text.to_owned();
    }
    let chars: Vec<char> = text.chars().collect();
    let keep = |n: usize| -> String {
        let (head, tail) = (n - n * 2 / 5, n * 2 / 5);
        let start: String = chars.iter().take(head).collect();
        let end: String = chars.iter().skip(chars.len() - tail).collect();
        format!("{start}\u{2026}{end}")
    };
    (0..chars.len()).rev().map(keep).find(|cut| width(cut) * size <= room).unwrap_or_default()
}

/// Lines of at most `room` at this font size; a longer word is cut hard, nothing is lost.
pub fn wrap(text: &str, size: f64, room: f64) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let candidate = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
        if width(&candidate) * size <= room {
            line = candidate;
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        for c in word.chars() {
            if !line.is_empty() && (width(&line) + width(&c.to_string())) * size > room {
                lines.push(std::mem::take(&mut line));
            }
            line.push(c);
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_line_of_study_text_cannot_start_a_block() {
        assert_eq!(markdown("- not a list"), "\\- not a list");
        assert_eq!(markdown("12. not a list"), "12\\. not a list");
        assert_eq!(markdown("# no\n<b>"), "\\# no \\<b\\>");
        assert_eq!(markdown("---"), "\\---");
        assert_eq!(markdown("7)"), "7\\)");
        assert_eq!(markdown("0.87 to 0.9"), "0.87 to 0.9");
        assert_eq!(markdown("2026-01-31"), "2026-01-31");
        assert_eq!(markdown("AUC 0.9 (95%)"), "AUC 0.9 (95%)");
    }

    #[test]
    fn overrides_and_control_characters_are_made_visible() {
        assert_eq!(clean("a\u{202e}b\u{0}c\n"), "a\u{fffd}b\u{fffd}c\n");
    }

    #[test]
    fn a_cut_name_keeps_its_end() {
        let cut = fit("Regional Teaching Hospital number 17", 10.0, 120.0);
        assert!(cut.ends_with("17") && cut.starts_with("Region") && width(&cut) * 10.0 <= 120.0, "{cut}");
        assert_eq!(fit("short", 10.0, 120.0), "short");
    }

    #[test]
    fn wrapping_loses_nothing_and_respects_the_room() {
        let text = "University Hospital of Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch, North";
        let lines = wrap(text, 10.0, 120.0);
        assert!(lines.iter().all(|line| width(line) * 10.0 <= 120.0), "{lines:?}");
        let kept: String = lines.concat().chars().filter(|c| !c.is_whitespace()).collect();
        let given: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        assert_eq!(kept, given);
    }

    proptest! {
        #[test]
        fn escaped_markdown_reads_as_the_text_itself(text in "[ -~\u{e9}\u{4e2d}]{0,40}") {
            use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};
            let escaped = markdown(&text);
            let mut read = String::new();
            for event in Parser::new_ext(&escaped, Options::all()) {
                match event {
                    Event::Text(t) => read.push_str(&t),
                    Event::Start(Tag::Paragraph) | Event::End(TagEnd::Paragraph) => {}
                    other => prop_assert!(false, "{other:?} from {escaped:?}"),
                }
            }
            // Smart punctuation (part of `Options::all`) changes quotes, dashes and dots only.
            let kept = |c: &char| c.is_alphanumeric() || "<>*_`|#$&".contains(*c);
            let plain = |t: &str| t.chars().filter(kept).collect::<String>();
            prop_assert_eq!(plain(&read), plain(&one_line(&text)));
        }

        #[test]
        fn a_typst_string_ends_where_it_should(text in "\\PC{0,40}") {
            let literal = typst_string(&text);
            let inner = &literal[1..literal.len() - 1];
            let mut escaped = false;
            for c in inner.chars() {
                prop_assert!(escaped || c != '"');
                escaped = !escaped && c == '\\';
            }
            prop_assert!(!escaped);
        }
    }
}
