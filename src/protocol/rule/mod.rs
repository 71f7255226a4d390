//! A boolean rule over the columns of a case table, as `[[eligibility]]` of kind `rule` declares it: what it
//! asks, which columns it needs, and its canonical text, by which two rules that say the same are the same.
//! What it says of cases is computed in `eligibility`.

mod declared;
mod kinds;
mod read;
mod token;

use std::fmt;

use crate::dataset::case::Case;
use crate::dataset::cases::COLUMNS;
use crate::dataset::other_columns::{CellKind, OtherColumn};

pub use declared::{DeclaredRule, Holds, Per};
pub use read::{LONGEST, read};
pub use token::Fault;

/// A column as a rule reads it: a field that every study knows, or any other column of the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// The field's name, or as in the header.
    pub name: String,
    /// What its cells are read as.
    pub kind: CellKind,
}

/// What a case says in a column.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub enum Datum {
    /// A text as it stands; of fields that have a form of their own in that form.
    Text(String),
    /// A number, or a day as the number of days from the first of the year 1.
    Number(f64),
}

/// Days from the first of the year 1 to a day written as `2024-01-31`.
pub fn day_number(day: &str) -> Option<f64> {
    use chrono::Datelike as _;
    chrono::NaiveDate::parse_from_str(day, "%Y-%m-%d").ok().map(|date| f64::from(date.num_days_from_ce()))
}

impl Column {
    /// Whether it is a field that every study knows.
    pub fn is_field(&self) -> bool {
        COLUMNS.contains(&self.name.as_str())
    }

    /// The kind of a field's cells; `None` for another column.
    pub fn kind_of_field(name: &str) -> Option<CellKind> {
        COLUMNS.contains(&name).then_some(match name {
            "age_years" | "follow_up" | "days_since_prior_finding" => CellKind::Number,
            _ => CellKind::Text,
        })
    }

    /// What has to be read for it beside the fields; `None` for a field.
    pub fn other(&self) -> Option<OtherColumn> {
        (!self.is_field()).then(|| OtherColumn { name: self.name.clone(), kind: self.kind })
    }

    /// The texts of a list: the findings, or a cell whose entries `|` or `;` part; `None` where nothing is
    /// recorded.
    pub fn entries(&self, case: &Case) -> Option<Vec<String>> {
        if self.name == "findings" {
            return Some(case.findings.clone());
        }
        let Datum::Text(cell) = self.datum(case)? else { return None };
        Some(cell.split(['|', ';']).map(|entry| entry.trim().to_owned()).collect())
    }

    /// What a case says; `None` where nothing is recorded.
    pub fn datum(&self, case: &Case) -> Option<Datum> {
        let text = |text: Option<&str>| text.map(|text| Datum::Text(text.to_owned()));
        let number = |n: Option<u32>| n.map(|n| Datum::Number(f64::from(n)));
        match self.name.as_str() {
            "case_id" => Some(Datum::Text(case.case_id.to_string())),
            "patient_id" => Some(Datum::Text(case.patient_id.to_string())),
            "image" => case.image.as_ref().map(|image| Datum::Text(image.to_string())),
            "site" => text(case.site.as_deref()),
            "country" => text(case.country.as_deref()),
            "manufacturer" => text(case.manufacturer.as_deref()),
            "sex" => case.sex.map(|sex| Datum::Text(sex.to_string())),
            "age_years" => number(case.age_years.map(u32::from)),
            "view" => text(case.view.as_deref()),
            "modality" => text(case.modality.as_deref()),
            "body_part" => text(case.body_part.as_deref()),
            "follow_up" => number(case.follow_up),
            "days_since_prior_finding" => number(case.days_since_prior_finding),
            "findings" => Some(Datum::Text(case.findings.join("|"))),
            "label" => case
                .source_label
                .map(|label| Datum::Text(if label { "positive" } else { "negative" }.to_owned())),
            "origin" => text(case.origin.as_deref()),
            other => {
                let cell = case.other.get(other)?;
                match self.kind {
                    CellKind::Text => Some(Datum::Text(cell.clone())),
                    CellKind::Number => cell.parse().ok().map(Datum::Number),
                    CellKind::Date => day_number(cell).map(Datum::Number),
                }
            }
        }
    }
}

/// How two values stand to each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Relation {
    /// `=`
    Equal,
    /// `!=`
    Unequal,
    /// `<`
    Below,
    /// `<=`
    AtMost,
    /// `>`
    Above,
    /// `>=`
    AtLeast,
}

impl Relation {
    fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::Unequal => "!=",
            Self::Below => "<",
            Self::AtMost => "<=",
            Self::Above => ">",
            Self::AtLeast => ">=",
        }
    }

    /// Whether it is `=` or `!=`.
    pub fn is_equality(self) -> bool {
        matches!(self, Self::Equal | Self::Unequal)
    }

    /// Whether it holds where the first is so ordered to the second.
    pub fn holds(self, order: std::cmp::Ordering) -> bool {
        match self {
            Self::Equal => order.is_eq(),
            Self::Unequal => order.is_ne(),
            Self::Below => order.is_lt(),
            Self::AtMost => order.is_le(),
            Self::Above => order.is_gt(),
            Self::AtLeast => order.is_ge(),
        }
    }
}

/// A value as typed.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub enum Value {
    /// A text.
    Text(String),
    /// A number.
    Number(f64),
    /// A day as `2024-01-31`.
    Day(String),
}

impl Value {
    /// As a case's datum is compared with it.
    pub fn datum(&self) -> Datum {
        match self {
            Self::Text(text) => Datum::Text(text.clone()),
            Self::Number(number) => Datum::Number(*number),
            Self::Day(day) => Datum::Number(day_number(day).unwrap_or(f64::NAN)),
        }
    }
}

/// Before or after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// `earlier`, `first`
    Earlier,
    /// `later`, `last`
    Later,
}

/// What a rule asks of a case.
#[derive(Clone, Debug, PartialEq)]
pub enum Expr {
    /// All of them.
    All(Vec<Expr>),
    /// Any of them.
    Any(Vec<Expr>),
    /// Not this.
    Not(Box<Expr>),
    /// A column beside a value.
    Compare {
        /// The column.
        column: Column,
        /// How it stands to the value.
        relation: Relation,
        /// The value, of the column's kind.
        value: Value,
    },
    /// A column is one of several values.
    OneOf {
        /// The column.
        column: Column,
        /// Sorted, each once.
        values: Vec<Value>,
    },
    /// A list holds any of several texts.
    Has {
        /// The column.
        column: Column,
        /// Sorted, each once.
        values: Vec<String>,
    },
    /// Nothing is recorded.
    Missing {
        /// The column.
        column: Column,
    },
    /// Days from one column to another, beside a number.
    Span {
        /// Where the days begin.
        from: Column,
        /// Where they end.
        to: Column,
        /// How they stand to the number.
        relation: Relation,
        /// The number of days.
        days: f64,
    },
    /// Another image of the same patient, strictly before or after this one.
    Other {
        /// Before or after.
        direction: Direction,
        /// By which column of numbers or days.
        by: Column,
        /// At most so many days away; `None`: however far.
        within: Option<u32>,
        /// Only images of which this holds.
        only: Option<Box<Expr>>,
    },
    /// The first or last image of its patient: none of the same patient is strictly before, or after, it.
    Extreme {
        /// `Earlier` is the first.
        direction: Direction,
        /// By which column of numbers or days.
        by: Column,
        /// Among the images of which this holds, and this is one of them.
        only: Option<Box<Expr>>,
    },
}

impl Expr {
    /// Calls `see` with every expression of it, itself first.
    pub fn walk<'a>(&'a self, see: &mut dyn FnMut(&'a Self)) {
        see(self);
        match self {
            Self::All(parts) | Self::Any(parts) => parts.iter().for_each(|part| part.walk(see)),
            Self::Not(inner) => inner.walk(see),
            Self::Other { only: Some(only), .. } | Self::Extreme { only: Some(only), .. } => only.walk(see),
            _ => {}
        }
    }

    /// Every column that it names.
    pub fn columns(&self) -> Vec<&Column> {
        let mut found: Vec<&Column> = Vec::new();
        self.walk(&mut |expr| match expr {
            Self::Compare { column, .. }
            | Self::OneOf { column, .. }
            | Self::Has { column, .. }
            | Self::Missing { column } => found.push(column),
            Self::Span { from, to, .. } => found.extend([from, to]),
            Self::Other { by, .. } | Self::Extreme { by, .. } => found.push(by),
            Self::All(_) | Self::Any(_) | Self::Not(_) => {}
        });
        found
    }
}

fn quoted(text: &str) -> String {
    // A text holds at most one kind of quotes: the other one closes it.
    if text.contains('"') { format!("'{text}'") } else { format!("\"{text}\"") }
}

impl fmt::Display for Column {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if token::is_plain(&self.name) { f.write_str(&self.name) } else { write!(f, "`{}`", self.name) }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(&quoted(text)),
            Self::Number(number) => write!(f, "{number}"),
            Self::Day(day) => f.write_str(day),
        }
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |parts: &[Self], word: &str| {
            let one = |part: &Self| match part {
                Self::All(_) | Self::Any(_) => format!("({part})"),
                _ => part.to_string(),
            };
            parts.iter().map(one).collect::<Vec<_>>().join(word)
        };
        let only =
            |only: &Option<Box<Self>>| only.as_ref().map(|e| format!(" where ({e})")).unwrap_or_default();
        match self {
            Self::All(parts) => f.write_str(&list(parts, " and ")),
            Self::Any(parts) => f.write_str(&list(parts, " or ")),
            Self::Not(inner) => match &**inner {
                Self::All(_) | Self::Any(_) => write!(f, "not ({inner})"),
                _ => write!(f, "not {inner}"),
            },
            Self::Compare { column, relation, value } => write!(f, "{column} {} {value}", relation.sign()),
            Self::OneOf { column, values } => {
                let values: Vec<String> = values.iter().map(ToString::to_string).collect();
                write!(f, "{column} in [{}]", values.join(", "))
            }
            Self::Has { column, values } => {
                let values: Vec<String> = values.iter().map(|text| quoted(text)).collect();
                write!(f, "{column} has [{}]", values.join(", "))
            }
            Self::Missing { column } => write!(f, "{column} is missing"),
            Self::Span { from, to, relation, days } => {
                write!(f, "days from {from} to {to} {} {days}", relation.sign())
            }
            Self::Other { direction, by, within, only: among } => {
                let word = if *direction == Direction::Earlier { "earlier" } else { "later" };
                let within = within.map(|days| format!(" within {days} days")).unwrap_or_default();
                write!(f, "{word}{}{within} by {by}", only(among))
            }
            Self::Extreme { direction, by, only: among } => {
                let word = if *direction == Direction::Earlier { "first" } else { "last" };
                write!(f, "{word}{} by {by}", only(among))
            }
        }
    }
}

#[cfg(test)]
mod tests;
