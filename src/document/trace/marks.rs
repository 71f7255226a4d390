//! Marks around what was put into a text by name: characters of the private use plane 16, which no text of a
//! study keeps.

use super::passage::Span;

const OPEN: char = '\u{100000}';
const CLOSE: char = '\u{100001}';
/// Names of origins are spelled with ASCII moved here.
const LETTERS: u32 = 0x10_0100;

fn is_mark(c: char) -> bool {
    c >= '\u{100000}'
}

/// Marks a text of one or several lines; what stands for the start of a list item stays outside.
pub fn marked(text: &str, from: &str) -> String {
    let name: String = from
        .chars()
        .filter(|c| c.is_ascii_graphic() || *c == ' ')
        .filter_map(|c| char::from_u32(LETTERS + u32::from(c)))
        .collect();
    let lines: Vec<String> = text
        .split('\n')
        .map(|line| {
            let clean: String = line.chars().map(|c| if is_mark(c) { '\u{fffd}' } else { c }).collect();
            let (before, rest) = match clean.strip_prefix("- ") {
                Some(rest) => ("- ", rest),
                None => ("", clean.as_str()),
            };
            if rest.trim().is_empty() {
                clean.clone()
            } else {
                format!("{before}{OPEN}{name}{OPEN}{rest}{CLOSE}")
            }
        })
        .collect();
    lines.join("\n")
}

/// The text without marks, and what they stood around. What is open at the end ends there.
pub fn read(text: &str) -> (String, Vec<Span>) {
    let (mut plain, mut spans) = (String::new(), Vec::new());
    let mut open: Vec<(usize, String)> = Vec::new();
    let mut name: Option<String> = None;
    for c in text.chars() {
        match (c, &mut name) {
            (OPEN, None) => name = Some(String::new()),
            (OPEN, Some(_)) => open.push((plain.len(), name.take().unwrap_or_default())),
            (CLOSE, _) => {
                if let Some((start, from)) = open.pop() {
                    spans.push(Span { at: start..plain.len(), from });
                }
            }
            (c, Some(name)) => {
                name.extend(u32::from(c).checked_sub(LETTERS).and_then(char::from_u32));
            }
            (c, None) => plain.push(c),
        }
    }
    for (start, from) in open {
        spans.push(Span { at: start..plain.len(), from });
    }
    (plain, spans)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_mark_says_what_put_the_words_there() {
        let text = format!("AUC {} of {}.", marked("0.871", "estimate auc"), marked("500", "a value"));
        let (plain, spans) = read(&text);
        assert_eq!(plain, "AUC 0.871 of 500.");
        let found: Vec<(&str, &str)> =
            spans.iter().map(|s| (&plain[s.at.clone()], s.from.as_str())).collect();
        assert_eq!(found, [("0.871", "estimate auc"), ("500", "a value")]);
        assert_eq!(marked("\n\n- x\n", "d").matches("- \u{100000}").count(), 1);
    }

    proptest! {
        #[test]
        fn no_text_breaks_the_marks(text in "\\PC{0,30}", from in "\\PC{0,10}") {
            let (plain, spans) = read(&marked(&text, &from));
            let clean: String = text.chars().map(|c| if is_mark(c) { '\u{fffd}' } else { c }).collect();
            prop_assert_eq!(&plain, &clean);
            prop_assert!(spans.iter().all(|s| plain.get(s.at.clone()).is_some()));
            let _ = read(&text);
        }
    }
}
