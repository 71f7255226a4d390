//! The words of a rule: columns, texts, numbers, days, signs; and what is wrong in it.

use crate::dataset::other_columns::day;
use crate::diagnostic::Code;

/// Words of the language: a column of that name stands in backquotes.
pub(super) const WORDS: [&str; 18] = [
    "and", "or", "not", "in", "between", "is", "missing", "has", "days", "from", "to", "earlier", "later",
    "where", "within", "by", "first", "last",
];

/// What is wrong in a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The byte of the text at which it is.
    pub at: usize,
    /// `rule-syntax` or `rule-type`.
    pub code: Code,
    /// What is wrong.
    pub message: String,
    /// The way out.
    pub hint: String,
}

/// A rule that cannot be read.
pub(super) fn syntax(at: usize, message: impl Into<String>) -> Fault {
    let hint = "such as `view in [\"PA\", \"AP\"] and age_years >= 18 and not earlier within 30 days by \
                acquired`: texts in quotes, days as 2024-01-31 without, other column names in backquotes";
    Fault { at, code: Code::RuleSyntax, message: message.into(), hint: hint.to_owned() }
}

/// Whether a column's name can stand without backquotes.
pub(super) fn is_plain(name: &str) -> bool {
    let first = name.chars().next().is_some_and(|c| c.is_alphabetic() || c == '_');
    first
        && name.chars().all(|c| c.is_alphanumeric() || c == '_' || c == '.')
        && !WORDS.contains(&name.to_lowercase().as_str())
}

/// One word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token {
    Word(String),
    Column(String),
    Text(String),
    Number(f64),
    Day(String),
    Sign(&'static str),
}

impl Token {
    /// As messages name it.
    pub(super) fn told(&self) -> String {
        match self {
            Self::Word(word) | Self::Column(word) => format!("`{word}`"),
            Self::Text(text) => format!("the text \"{text}\""),
            Self::Number(number) => format!("the number {number}"),
            Self::Day(day) => format!("the day {day}"),
            Self::Sign(sign) => format!("`{sign}`"),
        }
    }
}

const SIGNS: [(&str, &str); 15] = [
    ("<=", "<="),
    (">=", ">="),
    ("!=", "!="),
    ("<>", "!="),
    ("==", "="),
    ("\u{2264}", "<="),
    ("\u{2265}", ">="),
    ("\u{2260}", "!="),
    ("=", "="),
    ("<", "<"),
    (">", ">"),
    ("(", "("),
    (")", ")"),
    ("[", "["),
    ("]", "]"),
];

/// Every word with the byte at which it begins.
///
/// # Errors
/// The first thing that is no word.
pub(super) fn tokens(text: &str) -> Result<Vec<(usize, Token)>, Fault> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(c) = text[at..].chars().next() {
        let rest = &text[at..];
        if c.is_whitespace() {
            at += c.len_utf8();
            continue;
        }
        let (token, length) = if let Some((sign, canonical)) = SIGNS.iter().find(|(s, _)| rest.starts_with(s))
        {
            (Token::Sign(canonical), sign.len())
        } else if c == ',' {
            (Token::Sign(","), 1)
        } else if matches!(c, '"' | '\'' | '`') {
            let Some(end) = rest[1..].find(c) else {
                return Err(syntax(at, format!("the {c} is not closed")));
            };
            let inner = rest[1..=end].to_owned();
            if inner.trim().is_empty() || inner.chars().any(char::is_control) {
                let message = "a text or name in quotes is not empty and without control characters: what is \
                               not recorded is asked for with `is missing`";
                return Err(syntax(at, message));
            }
            (if c == '`' { Token::Column(inner) } else { Token::Text(inner) }, end + 2)
        } else if c.is_ascii_digit() || (c == '-' && rest[1..].starts_with(|c: char| c.is_ascii_digit())) {
            number_or_day(at, rest)?
        } else if c.is_alphabetic() || c == '_' {
            let end =
                rest.find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.')).unwrap_or(rest.len());
            (Token::Word(rest[..end].to_owned()), end)
        } else {
            return Err(syntax(at, format!("`{}` means nothing here", c.escape_default())));
        };
        found.push((at, token));
        at += length;
    }
    Ok(found)
}

fn number_or_day(at: usize, rest: &str) -> Result<(Token, usize), Fault> {
    let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
    let end = rest.find(|c: char| !part(c)).unwrap_or(rest.len());
    let word = &rest[..end];
    if word.len() == 10 && word.as_bytes()[4] == b'-' {
        return match day(word) {
            Some(read) => Ok((Token::Day(read), end)),
            None => Err(syntax(at, format!("`{word}` is no day"))),
        };
    }
    match word.parse::<f64>() {
        Ok(number) if number.is_finite() => Ok((Token::Number(number), end)),
        _ => Err(syntax(at, format!("`{word}` is neither a number nor a day such as 2024-01-31"))),
    }
}
