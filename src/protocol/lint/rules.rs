//! Boolean rules: whether one can be satisfied at all, or fails nobody, and what it looks at.
//!
//! Every way in which the columns of a rule can stand to its values is tried, with what looks at other images
//! taken as free: what holds in none of them holds never, and what holds in all of them always.

use std::collections::{BTreeMap, BTreeSet};

use super::Look;
use super::eligibility::numbers;
use crate::diagnostic::Code;
use crate::protocol::rule::{Column, Datum, DeclaredRule, Expr};
use crate::protocol::{Criterion, Missing};

/// So many ways are tried at most; of a rule with more nothing is said.
const MOST: usize = 20_000;

impl Look<'_> {
    pub(super) fn rule(&mut self, criterion: &Criterion, rule: &DeclaredRule, place: &str) {
        let (id, at) = (&criterion.id, format!("{place}.rule"));
        match constant(&rule.rule, criterion.missing) {
            Some(false) => self.refuses(
                Code::RuleExcludesAll,
                &at,
                format!("no case can satisfy the rule of `{id}`: {}", rule.rule),
                "`and` asks for both, `or` for one; a range stands as `between ... and ...`",
            ),
            Some(true) => self.asks(
                Code::CriterionAdmitsAll,
                &at,
                format!("every case satisfies the rule of `{id}`: {}", rule.rule),
                "write the rule that was meant, or take it out",
            ),
            None => {}
        }
        let mut windows = BTreeSet::new();
        let (mut empty, mut endless) = (false, false);
        rule.rule.walk(&mut |expr| match expr {
            Expr::Other { within: Some(days), .. } => {
                empty |= *days == 0;
                windows.insert(u64::from(*days));
            }
            Expr::Other { within: None, only: Some(_), .. } => endless = true,
            Expr::Span { days, .. } => {
                windows.insert(days.abs().round() as u64);
            }
            _ => {}
        });
        if empty {
            self.asks(
                Code::LookbackEmpty,
                &at,
                format!(
                    "a window of `{id}` is 0 days: another image of the same day is neither before nor after"
                ),
                "give the days within which another image counts",
            );
        }
        if endless {
            self.asks(
                Code::LookbackMissing,
                &at,
                format!("`{id}` looks at other images without end, however old they are"),
                "`within 365 days`, or let `definition` say why every earlier image counts",
            );
        }
        if rule.columns().iter().any(|column| column.name == "label") {
            self.asks(
                Code::RuleByLabel,
                &at,
                format!("`{id}` chooses cases by the label that came with the data"),
                "let [sample] enrich (`method = \"enriched\"`), which keeps count of it",
            );
        }
        let other = numbers(&criterion.reason)
            .into_iter()
            .find(|(n, unit)| unit.starts_with("day") && !windows.is_empty() && !windows.contains(n));
        if let Some((other, _)) = other {
            let told: Vec<String> = windows.iter().map(u64::to_string).collect();
            self.asks(
                Code::ReasonDisagrees,
                &format!("{place}.reason"),
                format!("the reason of `{id}` speaks of {other} days, and its rule of {}", told.join(", ")),
                "documents print the reason: let it say what the rule does",
            );
        }
    }
}

type Known<'a> = BTreeMap<&'a str, Option<Datum>>;

/// What the rule always says; `None` where it depends on the case, or on more than is tried.
fn constant(rule: &Expr, missing: Missing) -> Option<bool> {
    let mut values: BTreeMap<&str, Vec<Datum>> = BTreeMap::new();
    let mut free: Vec<String> = Vec::new();
    rule_leaves(rule, &mut |leaf| match leaf {
        Expr::Compare { column, value, .. } => values.entry(&column.name).or_default().push(value.datum()),
        Expr::OneOf { column, values: of } => {
            values
                .entry(&column.name)
                .or_default()
                .extend(of.iter().map(crate::protocol::rule::Value::datum));
        }
        Expr::Missing { column } => {
            values.entry(&column.name).or_default();
        }
        other => free.push(other.to_string()),
    });
    free.sort();
    free.dedup();
    let sides: Vec<(&str, Vec<Option<Datum>>)> =
        values.into_iter().map(|(name, values)| (name, sides(values))).collect();
    let ways = sides.iter().map(|(_, sides)| sides.len()).chain(free.iter().map(|_| 3));
    let all = ways.clone().try_fold(1_usize, |all, n| all.checked_mul(n).filter(|all| *all <= MOST))?;
    let mut said = BTreeSet::new();
    for way in 0..all {
        let mut rest = way;
        let mut next = |n: usize| {
            let which = rest % n;
            rest /= n;
            which
        };
        let known: Known<'_> =
            sides.iter().map(|(name, sides)| (*name, sides[next(sides.len())].clone())).collect();
        let of_free: BTreeMap<&str, Option<bool>> =
            free.iter().map(|text| (text.as_str(), [Some(false), None, Some(true)][next(3)])).collect();
        said.insert(says(rule, &known, &of_free).unwrap_or(missing == Missing::Include));
    }
    let mut said = said.into_iter();
    match (said.next(), said.next()) {
        (Some(one), None) => Some(one),
        _ => None,
    }
}

/// The leaves of the rule itself, and not of what it asks of other images.
fn rule_leaves<'a>(expr: &'a Expr, see: &mut dyn FnMut(&'a Expr)) {
    match expr {
        Expr::All(parts) | Expr::Any(parts) => parts.iter().for_each(|part| rule_leaves(part, see)),
        Expr::Not(inner) => rule_leaves(inner, see),
        leaf => see(leaf),
    }
}

/// Every way to stand to these values: each of them, between, before and after, and not recorded.
fn sides(values: Vec<Datum>) -> Vec<Option<Datum>> {
    let mut texts: BTreeSet<String> = BTreeSet::new();
    let mut numbers: Vec<f64> = Vec::new();
    for value in values {
        match value {
            Datum::Text(text) => {
                texts.insert(text);
            }
            Datum::Number(number) => numbers.push(number),
        }
    }
    numbers.sort_by(f64::total_cmp);
    numbers.dedup();
    let between: Vec<f64> = numbers.windows(2).map(|pair| f64::midpoint(pair[0], pair[1])).collect();
    let ends = numbers.first().map(|first| first - 1.0).into_iter();
    let ends = ends.chain(numbers.last().map(|last| last + 1.0));
    let around: Vec<f64> = ends.chain(between).collect();
    let other = texts.iter().map(String::len).max().map_or_else(|| "other".to_owned(), |n| "?".repeat(n + 1));
    let mut found: Vec<Option<Datum>> = vec![None];
    found.extend(numbers.into_iter().chain(around).map(|number| Some(Datum::Number(number))));
    found.extend(texts.into_iter().chain([other]).map(|text| Some(Datum::Text(text))));
    found
}

fn says(expr: &Expr, known: &Known<'_>, free: &BTreeMap<&str, Option<bool>>) -> Option<bool> {
    let datum = |column: &Column| known.get(column.name.as_str()).cloned().flatten();
    let all = |parts: &[Expr], stop: bool| {
        let said: Vec<Option<bool>> = parts.iter().map(|part| says(part, known, free)).collect();
        if said.contains(&Some(stop)) {
            Some(stop)
        } else if said.contains(&None) {
            None
        } else {
            Some(!stop)
        }
    };
    match expr {
        Expr::All(parts) => all(parts, false),
        Expr::Any(parts) => all(parts, true),
        Expr::Not(inner) => says(inner, known, free).map(|said| !said),
        Expr::Compare { column, relation, value } => {
            let value = value.datum();
            // A way to be of another kind than the value says nothing.
            datum(column)?.partial_cmp(&value).map(|order| relation.holds(order))
        }
        Expr::OneOf { column, values } => {
            let datum = datum(column)?;
            Some(values.iter().any(|value| value.datum() == datum))
        }
        Expr::Missing { column } => Some(datum(column).is_none()),
        other => free.get(other.to_string().as_str()).copied().flatten(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::rule;

    fn of(text: &str, missing: Missing) -> Option<bool> {
        constant(&rule::read(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}")), missing)
    }

    #[test]
    fn a_rule_that_is_always_the_same_is_seen_and_no_other() {
        for never in [
            "age_years > 80 and age_years < 18",
            "view = \"PA\" and view = \"AP\"",
            "view in [\"PA\"] and not view in [\"PA\", \"AP\"]",
            "site is missing and site = \"A\"",
            "acquired >= 2024-02-01 and acquired < 2024-01-01 and first by acquired",
            "earlier by acquired and not earlier by acquired",
        ] {
            assert_eq!(of(never, Missing::Exclude), Some(false), "{never}");
        }
        for always in [
            "site is missing or site is not missing",
            "age_years is missing or age_years > 5 or age_years <= 5",
        ] {
            assert_eq!(of(always, Missing::Exclude), Some(true), "{always}");
        }
        assert_eq!(of("age_years > 5 or age_years <= 5", Missing::Include), Some(true));
        assert_eq!(of("age_years > 5 or age_years <= 5", Missing::Exclude), None, "those without an age");
        for depends in [
            "age_years >= 18 and age_years < 80",
            "view = \"PA\" or view = \"AP\"",
            "not earlier within 30 days by acquired",
            "first by acquired and acquired >= 2024-01-01",
            "findings has \"Mass\"",
        ] {
            assert_eq!(of(depends, Missing::Exclude), None, "{depends}");
        }
    }
}
