//! What a key may hold, and when it may stand in its table.

/// An end of a range.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct End {
    /// The number.
    pub at: f64,
    /// Whether it is in the range itself.
    pub included: bool,
}

/// What a key holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// Any text.
    Text,
    /// A text that is not blank.
    Words,
    /// A text of this form, as a regular expression that JSON Schema and Rust read alike.
    Form(&'static str),
    /// A relative path.
    Path,
    /// One of these words.
    Choice {
        /// All of them, in the order of the messages.
        words: Vec<&'static str>,
        /// The one that holds where the key is absent.
        default: Option<&'static str>,
    },
    /// A list of such texts, or one of them.
    List {
        /// What each is: any of the kinds above.
        of: Box<Kind>,
        /// At least so many.
        least: u64,
    },
    /// True or false.
    Flag,
    /// A whole number.
    Whole {
        /// The least.
        least: u64,
        /// The greatest, where there is one.
        most: Option<u64>,
    },
    /// A number.
    Number {
        /// The lower end, where there is one.
        from: Option<End>,
        /// The upper end, where there is one.
        to: Option<End>,
    },
    /// A list of pairs: of numbers, or of days.
    Pairs,
    /// A list of numbers.
    Numbers,
    /// A number, or a fraction as text.
    Share,
    /// Shares by the name of what gets them.
    Shares,
    /// A table of its own.
    Table(Vec<Key>),
    /// Any number of tables.
    Tables(Vec<Key>),
}

/// When a key has to stand there, and when it may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Need {
    /// Always.
    Required,
    /// It may be absent.
    Optional,
    /// Where another key of the table has one of these words; it may stand there otherwise.
    RequiredWhen(&'static str, Vec<&'static str>),
    /// It may stand there only where another key has one of these words; the last says whether it has to
    /// then.
    OnlyWhen(&'static str, Vec<&'static str>, bool),
}

/// A key of a table.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// As typed.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// When it stands there.
    pub need: Need,
    /// Keys of the same table that it needs beside it.
    pub beside: Vec<&'static str>,
    /// What is checked besides and no schema can say; empty: nothing.
    pub ours: &'static str,
}

impl Key {
    /// A key that may be absent.
    pub(super) fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, need: Need::Optional, beside: Vec::new(), ours: "" }
    }

    pub(super) fn required(self) -> Self {
        Self { need: Need::Required, ..self }
    }

    pub(super) fn required_when(self, key: &'static str, words: &[&'static str]) -> Self {
        Self { need: Need::RequiredWhen(key, words.to_vec()), ..self }
    }

    pub(super) fn only_when(self, key: &'static str, words: &[&'static str]) -> Self {
        Self { need: Need::OnlyWhen(key, words.to_vec(), false), ..self }
    }

    pub(super) fn always_when(self, key: &'static str, words: &[&'static str]) -> Self {
        Self { need: Need::OnlyWhen(key, words.to_vec(), true), ..self }
    }

    pub(super) fn beside(self, keys: &[&'static str]) -> Self {
        Self { beside: keys.to_vec(), ..self }
    }

    pub(super) fn ours(self, ours: &'static str) -> Self {
        Self { ours, ..self }
    }

    /// Keys of the tables that it holds.
    pub fn keys(&self) -> &[Self] {
        match &self.kind {
            Kind::Table(keys) | Kind::Tables(keys) => keys,
            _ => &[],
        }
    }
}

impl Key {
    /// When it has to stand there or may, in words.
    pub fn needed(&self) -> String {
        let when = match &self.need {
            Need::Required => "required".to_owned(),
            Need::Optional => "may be absent".to_owned(),
            Need::RequiredWhen(other, words) => format!("required with {other} = {}", words.join(" or ")),
            Need::OnlyWhen(other, words, always) => {
                let with = format!("{other} = {}", words.join(" or "));
                if *always {
                    format!("required with {with}, not otherwise")
                } else {
                    format!("only with {with}")
                }
            }
        };
        match &self.beside[..] {
            [] => when,
            others => format!("{when}; beside {}", others.join(", ")),
        }
    }
}

impl Kind {
    /// What may stand there, in words.
    pub fn in_words(&self) -> String {
        let quoted =
            |words: &[&str]| words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(", ");
        match self {
            Self::Text | Self::Words | Self::Form(_) => "text".to_owned(),
            Self::Path => "path".to_owned(),
            Self::Choice { words, .. } => quoted(words),
            Self::List { of, least } => {
                let one = match &**of {
                    Self::Path => "paths",
                    _ => "texts",
                };
                format!("list of {one}, or one{}", if *least > 0 { "; not empty" } else { "" })
            }
            Self::Flag => "true or false".to_owned(),
            Self::Whole { least: 0, most: None } => "whole number".to_owned(),
            Self::Whole { least, most: None } => format!("whole number from {least}"),
            Self::Whole { least, most: Some(most) } => format!("whole number, {least} to {most}"),
            Self::Number { from, to } => {
                let end = |end: &Option<End>, word: &str| {
                    end.map(|e| format!(", {word} {}{}", e.at, if e.included { "" } else { " (excluded)" }))
                };
                format!(
                    "number{}{}",
                    end(from, "from").unwrap_or_default(),
                    end(to, "to").unwrap_or_default()
                )
            }
            Self::Pairs => "list of pairs of numbers, or of days".to_owned(),
            Self::Numbers => "list of numbers".to_owned(),
            Self::Share => "number, or a fraction such as \"1/3\"".to_owned(),
            Self::Shares => "table of numbers or fractions".to_owned(),
            Self::Table(keys) | Self::Tables(keys) => {
                let names: Vec<&str> = keys.iter().map(|key| key.name).collect();
                let what = if matches!(self, Self::Table(_)) { "table" } else { "tables" };
                format!("{what} of {}", names.join(", "))
            }
        }
    }
}
