//! What a boolean rule says of cases, in three values: where a datum that decides is not recorded it says
//! neither yes nor no (Kleene 1952), and the criterion's `missing` decides.

use std::collections::BTreeMap;

use crate::dataset::case::Case;
use crate::protocol::rule::{Column, Datum, DeclaredRule, Direction, Expr, Holds, Per, Relation};

/// Yes, no, or not known; ordered, so that "and" is the least and "or" the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Truth {
    /// It does not hold.
    No,
    /// A datum that decides is not recorded.
    Unknown,
    /// It holds.
    Yes,
}

impl Truth {
    fn of(holds: Option<bool>) -> Self {
        holds.map_or(Self::Unknown, |holds| if holds { Self::Yes } else { Self::No })
    }

    fn not(self) -> Self {
        match self {
            Self::No => Self::Yes,
            Self::Unknown => Self::Unknown,
            Self::Yes => Self::No,
        }
    }
}

/// What the rule says of each case, in their order.
pub fn judge(rule: &DeclaredRule, cases: &[Case]) -> Vec<Truth> {
    let patients = together(cases, |_, case| (case.patient_id.to_string(), None, None));
    let single = each(&rule.rule, cases, &patients);
    let groups = match &rule.per {
        Per::Image => return single,
        Per::Patient => patients,
        Per::Study { study_column } => {
            let column =
                Column { name: study_column.clone(), kind: crate::dataset::other_columns::CellKind::Text };
            together(cases, |place, case| {
                let study = column.datum(case).map(|datum| format!("{datum:?}"));
                // Without a study an image is judged by itself.
                let alone = study.is_none().then_some(place);
                (case.patient_id.to_string(), study, alone)
            })
        }
    };
    let mut found = single.clone();
    for group in &groups {
        let truths = group.iter().map(|place| single[*place]);
        let of_all = match rule.holds {
            Holds::Every => truths.min(),
            Holds::Any => truths.max(),
        };
        for place in group {
            found[*place] = of_all.unwrap_or(Truth::Unknown);
        }
    }
    found
}

type Key = (String, Option<String>, Option<usize>);

fn together(cases: &[Case], key: impl Fn(usize, &Case) -> Key) -> Vec<Vec<usize>> {
    let mut groups: BTreeMap<Key, Vec<usize>> = BTreeMap::new();
    for (place, case) in cases.iter().enumerate() {
        groups.entry(key(place, case)).or_default().push(place);
    }
    groups.into_values().collect()
}

/// The rule of each case by itself; `patients` are the places of each patient's cases.
fn each(expr: &Expr, cases: &[Case], patients: &[Vec<usize>]) -> Vec<Truth> {
    let by_case = |holds: &dyn Fn(&Case) -> Option<bool>| -> Vec<Truth> {
        cases.iter().map(|case| Truth::of(holds(case))).collect()
    };
    let combined = |parts: &[Expr], start: Truth, with: fn(Truth, Truth) -> Truth| {
        let mut all = vec![start; cases.len()];
        for part in parts {
            for (known, one) in all.iter_mut().zip(each(part, cases, patients)) {
                *known = with(*known, one);
            }
        }
        all
    };
    match expr {
        Expr::All(parts) => combined(parts, Truth::Yes, Ord::min),
        Expr::Any(parts) => combined(parts, Truth::No, Ord::max),
        Expr::Not(inner) => each(inner, cases, patients).into_iter().map(Truth::not).collect(),
        Expr::Compare { column, relation, value } => {
            let value = value.datum();
            by_case(&|case| compared(&column.datum(case)?, *relation, &value))
        }
        Expr::OneOf { column, values } => {
            let values: Vec<Datum> = values.iter().map(crate::protocol::rule::Value::datum).collect();
            by_case(&|case| column.datum(case).map(|datum| values.contains(&datum)))
        }
        Expr::Has { column, values } => {
            by_case(&|case| column.entries(case).map(|entries| values.iter().any(|v| entries.contains(v))))
        }
        Expr::Missing { column } => by_case(&|case| Some(column.datum(case).is_none())),
        Expr::Span { from, to, relation, days } => by_case(&|case| {
            let span = number(to, case)? - number(from, case)?;
            span.partial_cmp(days).map(|order| relation.holds(order))
        }),
        Expr::Other { direction, by, within, only } => {
            let among = among(only.as_deref(), cases, patients);
            let timed: Vec<Option<f64>> = cases.iter().map(|case| number(by, case)).collect();
            other_image(&timed, &among, patients, *direction, within.map(f64::from))
        }
        Expr::Extreme { direction, by, only } => {
            let among = among(only.as_deref(), cases, patients);
            let timed: Vec<Option<f64>> = cases.iter().map(|case| number(by, case)).collect();
            let other = other_image(&timed, &among, patients, *direction, None);
            among.into_iter().zip(other).map(|(own, other)| own.min(other.not())).collect()
        }
    }
}

fn among(only: Option<&Expr>, cases: &[Case], patients: &[Vec<usize>]) -> Vec<Truth> {
    only.map_or_else(|| vec![Truth::Yes; cases.len()], |only| each(only, cases, patients))
}

fn number(column: &Column, case: &Case) -> Option<f64> {
    match column.datum(case)? {
        Datum::Number(number) => Some(number),
        Datum::Text(_) => None,
    }
}

fn compared(datum: &Datum, relation: Relation, value: &Datum) -> Option<bool> {
    datum.partial_cmp(value).map(|order| relation.holds(order))
}

/// Whether the patient has an image among `among` strictly before (or after) each, at most `within` away.
/// An image that may be among them, or whose own time is not recorded, makes the answer unknown where no
/// other one gives it.
fn other_image(
    timed: &[Option<f64>],
    among: &[Truth],
    patients: &[Vec<usize>],
    direction: Direction,
    within: Option<f64>,
) -> Vec<Truth> {
    let mut found = vec![Truth::No; timed.len()];
    for patient in patients {
        // Times that count, and those that may: sorted, so that each window is found by halving.
        let (mut sure, mut perhaps) = (Vec::new(), Vec::new());
        let mut untimed = Vec::new();
        for place in patient {
            match (among[*place], timed[*place]) {
                (Truth::No, _) => {}
                (Truth::Yes, Some(time)) => sure.push(time),
                (Truth::Unknown, Some(time)) => perhaps.push(time),
                (_, None) => untimed.push(*place),
            }
        }
        sure.sort_by(f64::total_cmp);
        perhaps.sort_by(f64::total_cmp);
        let possible = sure.len() + perhaps.len() + untimed.len();
        for place in patient {
            found[*place] = match timed[*place] {
                // Whether one of the others is before it nobody knows.
                None => {
                    let own = usize::from(among[*place] != Truth::No);
                    if possible > own { Truth::Unknown } else { Truth::No }
                }
                Some(time) if has_between(&sure, time, direction, within) => Truth::Yes,
                Some(time) => {
                    let open = !untimed.is_empty() || has_between(&perhaps, time, direction, within);
                    if open { Truth::Unknown } else { Truth::No }
                }
            };
        }
    }
    found
}

fn has_between(times: &[f64], now: f64, direction: Direction, within: Option<f64>) -> bool {
    match direction {
        Direction::Earlier => {
            let from = within.map_or(0, |days| times.partition_point(|time| *time < now - days));
            from < times.partition_point(|time| *time < now)
        }
        Direction::Later => {
            let to = within.map_or(times.len(), |days| times.partition_point(|time| *time <= now + days));
            times.partition_point(|time| *time <= now) < to
        }
    }
}

#[cfg(test)]
mod tests;
