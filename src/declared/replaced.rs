//! Texts in TOML with each value in its turn replaced by another: whatever reads them tells one problem.

use std::ops::Range;

use crate::diagnostic::{Code, Diagnostic};

/// A word that means nothing anywhere.
const WORD: &str = "\"\u{2020}\"";

/// Where values stand in a line behind `key = `, those inside of tables in a line among them.
fn values(line: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let outside_of_texts = |(at, _): &(usize, &str)| line[..*at].matches('"').count().is_multiple_of(2);
    for (at, _) in line.match_indices(" = ").filter(outside_of_texts) {
        let start = at + 3;
        let (mut depth, mut quoted) = (0, false);
        let ends = |(_, c): &(usize, char)| {
            match c {
                '"' => quoted = !quoted,
                _ if quoted => {}
                '[' | '{' => depth += 1,
                ']' | '}' if depth > 0 => depth -= 1,
                ',' | '}' | '#' if depth == 0 => return true,
                _ => {}
            }
            false
        };
        let end = line[start..].char_indices().find(ends).map_or(line.len(), |(place, _)| start + place);
        found.push(start..start + line[start..end].trim_end().len());
    }
    found
}

/// Each value replaced by each of `others`: how many of the texts have a problem with the code. Each of those
/// has it alone.
fn replaced(
    text: &str,
    others: &[&str],
    code: Code,
    problems: impl Fn(&str) -> Option<Vec<Diagnostic>>,
) -> usize {
    assert_eq!(problems(text), None);
    let lines: Vec<&str> = text.lines().collect();
    let mut told = 0;
    for (number, line) in lines.iter().enumerate().filter(|(_, line)| !line.starts_with('#')) {
        for value in values(line) {
            for other in others {
                let with = format!("{}{other}{}", &line[..value.start], &line[value.end..]);
                let mut changed = lines.clone();
                changed[number] = &with;
                let found = problems(&changed.join("\n")).unwrap_or_default();
                if found.iter().any(|problem| problem.code == code) {
                    assert_eq!(found.len(), 1, "{with}: {found:#?}");
                    told += 1;
                }
            }
        }
    }
    told
}

/// Values of other types: how many were told. `problems` reads a text.
pub fn of_another_type(text: &str, problems: impl Fn(&str) -> Option<Vec<Diagnostic>>) -> usize {
    replaced(text, &["true", "3", "0.5", WORD, "[[1]]", "{ a = 1 }"], Code::ValueType, problems)
}

/// Words that are none of those that there are: how many were told. `problems` reads a text.
pub fn words(text: &str, problems: impl Fn(&str) -> Option<Vec<Diagnostic>>) -> usize {
    replaced(text, &[WORD], Code::ValueUnknown, problems)
}
