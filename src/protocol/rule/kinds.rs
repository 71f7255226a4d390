//! What each column of a rule holds, which follows from how the rule uses it, and has to follow alike from
//! every place.

use std::collections::BTreeMap;

use super::token::Fault;
use super::{Column, Expr};
use crate::dataset::other_columns::CellKind;
use crate::diagnostic::Code;

/// How a place uses a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// For cells of this kind.
    Is(CellKind),
    /// By which images are ordered: numbers or days.
    Order,
    /// For anything.
    Whatever,
}

/// The byte at which a column is used, its name, and for what.
pub(super) type Used = (usize, String, Use);

/// A rule that takes a column for what it is not.
pub(super) fn mistyped(at: usize, message: impl Into<String>, hint: impl Into<String>) -> Fault {
    Fault { at, code: Code::RuleType, message: message.into(), hint: hint.into() }
}

/// The kind of each column, which every place has to use alike.
pub(super) fn kinds(uses: &[Used]) -> Result<BTreeMap<String, CellKind>, Fault> {
    let mut kinds: BTreeMap<String, CellKind> = BTreeMap::new();
    for (_, name, _) in uses {
        if let Some(kind) = Column::kind_of_field(name) {
            kinds.insert(name.clone(), kind);
        }
    }
    for (at, name, used) in uses {
        let Use::Is(kind) = used else { continue };
        let known = *kinds.entry(name.clone()).or_insert(*kind);
        if known != *kind {
            let message = format!("`{name}` holds {}, and is taken for {} here", told(known), told(*kind));
            return Err(mistyped(*at, message, form_of(known)));
        }
    }
    for (at, name, used) in uses {
        match (used, kinds.get(name)) {
            (Use::Order, Some(CellKind::Text)) => {
                let message = format!("`{name}` holds texts, and images are ordered by days or numbers");
                return Err(mistyped(*at, message, "name the column of the day of acquisition"));
            }
            (Use::Order, None) => {
                kinds.insert(name.clone(), CellKind::Date);
            }
            _ => {}
        }
    }
    Ok(kinds)
}

fn told(kind: CellKind) -> &'static str {
    match kind {
        CellKind::Text => "texts",
        CellKind::Number => "numbers",
        CellKind::Date => "days",
    }
}

fn form_of(kind: CellKind) -> &'static str {
    match kind {
        CellKind::Text => "a text stands in quotes: \"3\"",
        CellKind::Number => "a number stands without quotes: 3",
        CellKind::Date => "a day stands without quotes, the year first: 2024-01-31",
    }
}

/// The same with the kind of each column.
pub(super) fn resolved(expr: Expr, kinds: &BTreeMap<String, CellKind>) -> Expr {
    let column = |column: Column| {
        let kind = kinds.get(&column.name).copied().unwrap_or(CellKind::Text);
        Column { kind, ..column }
    };
    let inner = |expr: Box<Expr>| Box::new(resolved(*expr, kinds));
    match expr {
        Expr::All(parts) => Expr::All(parts.into_iter().map(|part| resolved(part, kinds)).collect()),
        Expr::Any(parts) => Expr::Any(parts.into_iter().map(|part| resolved(part, kinds)).collect()),
        Expr::Not(part) => Expr::Not(inner(part)),
        Expr::Compare { column: of, relation, value } => {
            Expr::Compare { column: column(of), relation, value }
        }
        Expr::OneOf { column: of, values } => Expr::OneOf { column: column(of), values },
        Expr::Has { column: of, values } => Expr::Has { column: column(of), values },
        Expr::Missing { column: of } => Expr::Missing { column: column(of) },
        Expr::Span { from, to, relation, days } => {
            Expr::Span { from: column(from), to: column(to), relation, days }
        }
        Expr::Other { direction, by, within, only } => {
            Expr::Other { direction, by: column(by), within, only: only.map(inner) }
        }
        Expr::Extreme { direction, by, only } => {
            Expr::Extreme { direction, by: column(by), only: only.map(inner) }
        }
    }
}
