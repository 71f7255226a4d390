//! No number is typed into a document: a template that holds a literal result is refused, with its place.
//!
//! A literal result is a decimal number, a percentage, or a count over a total. Citations are not results:
//! `21 CFR 892.2080`, `807.92(b)(3)`, versions of three parts, numbers with a standard's name before
//! them. A line may carry an exception with its reason: `{# literal: reason #}`.

use crate::diagnostic::{Code, Diagnostic, Location};

/// Every literal number and every unsafe filter of a template, in order.
pub fn lint(name: &str, template: &str) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    // Comments may hold anything; line breaks are kept, so that places stay right.
    let (bare, comments) = blank_comments(template);
    let comments: Vec<&str> = comments.lines().collect();
    for (index, line) in bare.lines().enumerate() {
        let excepted = comments.get(index).copied().and_then(exception).is_some();
        let place = |column: usize| Location {
            path: std::path::PathBuf::from("templates").join(name).into(),
            line: Some(index as u64 + 1),
            column: Some(column as u64 + 1),
        };
        if !excepted {
            for (column, literal) in literals(line) {
                problems.push(
                    Diagnostic::error(
                        Code::LiteralNumber,
                        format!(
                            "the template holds the literal number \
                     `{literal}`"
                        ),
                    )
                    .at(place(column))
                    .hint(
                        "take it from the data, such as {{ estimate(id=\"auc\") }}; if it is no result, \
                             say so on the same line: {# literal: reason #}",
                    ),
                );
            }
        }
        for filter in ["safe", "float", "round"] {
            if let Some(column) = has_filter(line, filter) {
                let why = if filter == "safe" { "lets study text become markup" } else { "changes numbers" };
                problems.push(
                    Diagnostic::error(Code::UnsafeFilter, format!("the filter `{filter}` {why}"))
                        .at(place(column))
                        .hint("use the value as it is, or estimate(...), decimals(...) and percent"),
                );
            }
        }
    }
    problems
}

/// A line on which a number may be typed, because somebody said why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// From 1.
    pub line: usize,
    /// Why, as the mark says.
    pub reason: String,
    /// The line without its comments.
    pub text: String,
}

/// The lines of a template whose literal numbers a mark lets pass.
pub fn marks(template: &str) -> Vec<Mark> {
    let (bare, comments) = blank_comments(template);
    let marked = bare.lines().zip(comments.lines()).enumerate().filter_map(|(index, (text, comment))| {
        let reason = exception(comment)?;
        let text = text.trim().to_owned();
        (!literals(&text).is_empty()).then(|| Mark { line: index + 1, reason: reason.to_owned(), text })
    });
    marked.collect()
}

/// The reason that a comment gives for numbers of its line.
fn exception(comment: &str) -> Option<&str> {
    let (_, reason) = comment.split_once("literal:")?;
    let reason = reason.split("#}").next()?.trim();
    (reason.len() > 2).then_some(reason)
}

/// The template with comments as spaces, and the comments with everything else as spaces.
fn blank_comments(template: &str) -> (String, String) {
    let (mut bare, mut comments) = (String::new(), String::new());
    let mut inside = false;
    let mut rest = template;
    while let Some(c) = rest.chars().next() {
        let opening = !inside && rest.starts_with("{#");
        let closing = inside && rest.starts_with("#}");
        let take = if opening || closing { 2 } else { c.len_utf8() };
        inside = inside || opening;
        for c in rest[..take].chars() {
            let blank = if c == '\n' { '\n' } else { ' ' };
            bare.push(if inside { blank } else { c });
            comments.push(if inside { c } else { blank });
        }
        inside = inside && !closing;
        rest = &rest[take..];
    }
    (bare, comments)
}

fn has_filter(line: &str, filter: &str) -> Option<usize> {
    line.match_indices('|').find_map(|(at, _)| {
        let after = line[at + 1..].trim_start();
        let rest = after.strip_prefix(filter)?;
        let last = |marks: [&str; 2]| marks.iter().filter_map(|m| line[..at].rfind(m)).max();
        let inside = last(["{{", "{%"]) > last(["}}", "%}"]);
        let ends = !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
        (inside && ends).then(|| line[..at].chars().count())
    })
}

/// Literal results of a line: column in characters from 0, and the text.
fn literals(line: &str) -> Vec<(usize, String)> {
    let chars: Vec<char> = line.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or(' ');
    let mut found = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        let leading_dot = at(i) == '.' && at(i + 1).is_ascii_digit() && (i == 0 || !is_word(at(i - 1)));
        if !at(i).is_ascii_digit() && !leading_dot {
            i += 1;
            continue;
        }
        let start = i;
        // The whole run of digits, dots, commas and letters: `0.87`, `807.92`, `1.2.3`, `v1.0`, `95%`.
        let mut end = start;
        while at(end).is_ascii_digit() || (matches!(at(end), '.' | ',' | '/') && at(end + 1).is_ascii_digit())
        {
            end += 1;
        }
        let run: String = chars[start..end].iter().collect();
        i = end.max(start + 1);
        let before: String = chars[..start].iter().collect();
        let after: String = chars[end..].iter().collect();
        if is_result(&run, &before, &after) {
            let sign = if after.trim_start().starts_with('%') { "%" } else { "" };
            found.push((start, format!("{run}{sign}")));
        }
    }
    found
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn is_result(run: &str, before: &str, after: &str) -> bool {
    let next = after.trim_start_matches([' ', '\u{a0}', '\u{202f}']);
    let percent = next.starts_with('%') && !next.starts_with("%}")
        || next.to_lowercase().starts_with("percent")
        || next.to_lowercase().starts_with("per cent");
    if percent {
        return true;
    }
    // A count over a total: 436/500, 436 of 500, 436 out of 500.
    let digits = |text: &str| text.chars().take_while(char::is_ascii_digit).count();
    if let Some((part, whole)) = run.split_once('/') {
        return digits(part) >= 2 && digits(whole) >= 2 && !cited(before);
    }
    let of = next.strip_prefix("of ").or_else(|| next.strip_prefix("out of "));
    if run.len() >= 2 && of.is_some_and(|whole| digits(whole) >= 2) {
        return true;
    }
    // A decimal comma behind a zero: 0,87.
    if run.starts_with("0,") {
        return true;
    }
    let parts: Vec<&str> = run.split('.').collect();
    if parts.len() != 2 || run.contains(',') && parts.len() < 2 {
        return false;
    }
    // Part of a word, such as `DenseNet1.5` or `sha2.1`: a name.
    if before.ends_with(is_word) {
        return false;
    }
    let regulation =
        parts.first().and_then(|p| p.parse::<u32>().ok()).is_some_and(|part| (800..=898).contains(&part))
            && parts.last().is_some_and(|section| (1..=4).contains(&section.len()));
    !(regulation || cited(before))
}

/// Whether a citation stands right before: `21 CFR`, `CFR Part`, `BagIt`, `section`, ...
fn cited(before: &str) -> bool {
    let mut words = before.trim_end().rsplit(|c: char| c.is_whitespace() || matches!(c, '(' | '*' | '_'));
    words.next().is_some_and(|word| {
        matches!(
            word.trim_start_matches(['(', '[']),
            "CFR"
                | "Part"
                | "part"
                | "\u{a7}"
                | "BagIt"
                | "Section"
                | "PDF"
                | "IEC"
                | "ISO"
                | "DICOM"
                | "RFC"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(template: &str, expected: &[&str]) {
        let found: Vec<String> = lint("t.md", template)
            .iter()
            .map(|d| {
                let place = d.location.as_ref().map(ToString::to_string).unwrap_or_default();
                format!("{} {place}", d.code.as_str())
            })
            .collect();
        assert_eq!(found, expected, "{template}");
    }

    #[test]
    fn a_literal_result_is_found_where_it_stands() {
        check("# Title\n\nThe AUC is 0.87.\n", &["literal-number templates/t.md:3:12"]);
        check("AUC .87", &["literal-number templates/t.md:1:5"]);
        check("Sensitivity 87%", &["literal-number templates/t.md:1:13"]);
        check(
            "a 95 % interval, 95 percent",
            &["literal-number templates/t.md:1:3", "literal-number templates/t.md:1:18"],
        );
        check(
            "436/500 and 436 of 500",
            &["literal-number templates/t.md:1:1", "literal-number templates/t.md:1:13"],
        );
        check("AUC 0,87", &["literal-number templates/t.md:1:5"]);
        check("é 0.87", &["literal-number templates/t.md:1:3"]);
        check("mean 123.4 s", &["literal-number templates/t.md:1:6"]);
        check("(0.8)", &["literal-number templates/t.md:1:2"]);
    }

    #[test]
    fn a_number_hidden_in_an_expression_is_found_too() {
        check("{{ figure(id=\"roc\", caption=\"AUC 0.87\") }}", &["literal-number templates/t.md:1:34"]);
        check("{{ 0.87 }}", &["literal-number templates/t.md:1:4"]);
        check("{% if x > 0.5 %}", &["literal-number templates/t.md:1:11"]);
    }

    #[test]
    fn citations_counts_of_things_and_comments_are_no_results() {
        check("21 CFR 892.2080, 807.92(b)(3), 21 CFR 11.10(e), 21 CFR Part 820", &[]);
        check("Three readers, 14 days, 1,000 examinations, ISO 14971, IEC 62304:2006, (0018,5101)", &[]);
        check("program 1.2.3, RFC 8493, PDF/A-2a, BagIt 1.0, DenseNet121", &[]);
        check("{# AUC 0.87\n 0.9 #} fine", &[]);
        check("a threshold of 0.5 {# literal: the default of the source project, not a result #}", &[]);
        check("a threshold of 0.5 {# literal: #}", &["literal-number templates/t.md:1:16"]);
        check("{% if a %}2{% endif %}", &[]);
    }

    #[test]
    fn switching_off_the_escape_is_refused() {
        check("{{ study.title | safe }}", &["unsafe-filter templates/t.md:1:16"]);
        check("{{ flow.analysed | count }} | safe words in a table |", &[]);
    }
}
