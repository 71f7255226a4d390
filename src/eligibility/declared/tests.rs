//! The evaluator beside a second one that is as plain as it can be: a case at a time, every pair of images,
//! days by the calendar.

use chrono::NaiveDate;
use proptest::prelude::*;

use super::*;
use crate::dataset::case::Attributes;
use crate::protocol::rule::{Value, read};

fn rule(text: &str) -> DeclaredRule {
    let rule = read(text).unwrap_or_else(|fault| panic!("{text}: {fault:?}"));
    DeclaredRule { rule, per: Per::Image, holds: Holds::Every }
}

/// What a case says, as text.
fn cell(name: &str, case: &Case) -> Option<String> {
    match name {
        "view" => case.view.as_deref().map(str::to_owned),
        "site" => case.site.as_deref().map(str::to_owned),
        "sex" => case.sex.map(|sex| sex.to_string()),
        "age_years" => case.age_years.map(|n| n.to_string()),
        "follow_up" => case.follow_up.map(|n| n.to_string()),
        other => case.other.get(other).cloned(),
    }
}

fn ordered(cell: &str) -> f64 {
    match NaiveDate::parse_from_str(cell, "%Y-%m-%d") {
        Ok(day) => day.signed_duration_since(NaiveDate::default()).num_days() as f64,
        Err(_) => cell.parse().expect("a number"),
    }
}

fn typed(value: &Value) -> String {
    match value {
        Value::Text(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Day(day) => day.clone(),
    }
}

/// `None`: nobody knows.
fn plainly(expr: &Expr, cases: &[Case], at: usize) -> Option<bool> {
    let case = &cases[at];
    let any = |said: Vec<Option<bool>>| {
        if said.contains(&Some(true)) {
            Some(true)
        } else if said.contains(&None) {
            None
        } else {
            Some(false)
        }
    };
    let beside = |by: &Column, earlier: bool, within: Option<u32>, only: &Option<Box<Expr>>| {
        let others = (0..cases.len()).filter(|j| *j != at && cases[*j].patient_id == case.patient_id);
        any(others
            .map(|j| {
                let counts = only.as_ref().map_or(Some(true), |only| plainly(only, cases, j));
                let near = match (cell(&by.name, case), cell(&by.name, &cases[j])) {
                    (Some(own), Some(other)) => {
                        let gap = ordered(&own) - ordered(&other);
                        let gap = if earlier { gap } else { -gap };
                        Some(gap > 0.0 && within.is_none_or(|days| gap <= f64::from(days)))
                    }
                    _ => None,
                };
                match (counts, near) {
                    (Some(false), _) | (_, Some(false)) => Some(false),
                    (Some(true), Some(true)) => Some(true),
                    _ => None,
                }
            })
            .collect())
    };
    match expr {
        Expr::All(parts) => {
            let none: Vec<Option<bool>> =
                parts.iter().map(|part| plainly(part, cases, at).map(|said| !said)).collect();
            any(none).map(|said| !said)
        }
        Expr::Any(parts) => any(parts.iter().map(|part| plainly(part, cases, at)).collect()),
        Expr::Not(inner) => plainly(inner, cases, at).map(|said| !said),
        Expr::Compare { column, relation, value } => {
            let (own, value) = (cell(&column.name, case)?, typed(value));
            if relation.is_equality() && column.kind == crate::dataset::other_columns::CellKind::Text {
                return Some((own == value) == (*relation == Relation::Equal));
            }
            let (own, value) = (ordered(&own), ordered(&value));
            Some(match relation {
                Relation::Equal => own == value,
                Relation::Unequal => own != value,
                Relation::Below => own < value,
                Relation::AtMost => own <= value,
                Relation::Above => own > value,
                Relation::AtLeast => own >= value,
            })
        }
        Expr::OneOf { column, values } => {
            let own = cell(&column.name, case)?;
            Some(values.iter().any(|value| typed(value) == own))
        }
        Expr::Has { values, .. } => Some(values.iter().any(|value| case.findings.contains(value))),
        Expr::Missing { column } => Some(cell(&column.name, case).is_none()),
        Expr::Span { from, to, relation, days } => {
            let span = ordered(&cell(&to.name, case)?) - ordered(&cell(&from.name, case)?);
            span.partial_cmp(days).map(|order| relation.holds(order))
        }
        Expr::Other { direction, by, within, only } => {
            beside(by, *direction == Direction::Earlier, *within, only)
        }
        Expr::Extreme { direction, by, only } => {
            let own = only.as_ref().map_or(Some(true), |only| plainly(only, cases, at));
            let other = beside(by, *direction == Direction::Earlier, None, only).map(|said| !said);
            any(vec![own.map(|said| !said), other.map(|said| !said)]).map(|said| !said)
        }
    }
}

fn case(
    patient: u8,
    view: Option<u8>,
    age: Option<u16>,
    follow_up: Option<u32>,
    day: Option<u16>,
    mass: bool,
) -> Case {
    let start = NaiveDate::from_ymd_opt(2023, 12, 15).expect("a day");
    let date = |day: u16| (start + chrono::Days::new(u64::from(day))).format("%Y-%m-%d").to_string();
    Case {
        patient_id: format!("P{patient}").into(),
        age_years: age,
        follow_up,
        attributes: Attributes {
            view: view.map(|view| ["PA", "AP", "LL"][usize::from(view % 3)].into()),
            findings: if mass { vec!["Mass".to_owned()] } else { Vec::new() },
            other: day.map(|day| ("acquired".to_owned(), date(day))).into_iter().collect(),
            ..Attributes::default()
        }
        .into(),
        ..Case::default()
    }
}

fn tables() -> impl Strategy<Value = Vec<Case>> {
    let one = (
        0_u8..4,
        prop::option::weighted(0.8, 0_u8..3),
        prop::option::weighted(0.8, 10_u16..90),
        prop::option::weighted(0.8, 0_u32..4),
        prop::option::weighted(0.8, 0_u16..80),
        any::<bool>(),
    );
    prop::collection::vec(one, 1..16).prop_map(|rows| {
        let mut cases: Vec<Case> =
            rows.into_iter().map(|(p, v, a, f, d, m)| case(p, v, a, f, d, m)).collect();
        for (number, case) in cases.iter_mut().enumerate() {
            case.case_id = format!("C{number:02}").into();
        }
        cases
    })
}

fn rules() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "view = \"PA\"".to_owned(),
        "view in [\"PA\", \"LL\"]".to_owned(),
        "view != \"AP\"".to_owned(),
        "view is missing".to_owned(),
        "age_years >= 40".to_owned(),
        "age_years between 20 and 60".to_owned(),
        "follow_up = 1".to_owned(),
        "findings has \"Mass\"".to_owned(),
        "acquired between 2024-01-01 and 2024-02-01".to_owned(),
        "acquired is not missing".to_owned(),
        "acquired < 2024-01-20".to_owned(),
    ]);
    leaf.prop_recursive(3, 12, 3, |inner| {
        let pair = (inner.clone(), inner.clone());
        prop_oneof![
            pair.clone().prop_map(|(a, b)| format!("({a}) and ({b})")),
            pair.prop_map(|(a, b)| format!("({a}) or ({b})")),
            inner.clone().prop_map(|a| format!("not ({a})")),
            (inner.clone(), 0_u32..40)
                .prop_map(|(a, n)| format!("earlier where ({a}) within {n} days by acquired")),
            (inner.clone(), 0_u32..40)
                .prop_map(|(a, n)| format!("later where ({a}) within {n} days by acquired")),
            inner.clone().prop_map(|a| format!("earlier where ({a}) by follow_up")),
            inner.clone().prop_map(|a| format!("first where ({a}) by acquired")),
            inner.prop_map(|a| format!("last where ({a}) by follow_up")),
            (0_u32..40).prop_map(|n| format!("not earlier within {n} days by acquired")),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn both_evaluators_say_the_same_of_every_case(cases in tables(), text in rules()) {
        let rule = rule(&text);
        let found = judge(&rule, &cases);
        for (at, found) in found.iter().enumerate() {
            let plain = Truth::of(plainly(&rule.rule, &cases, at));
            prop_assert_eq!(*found, plain, "{} of {:?}", text, cases[at]);
        }
    }

    #[test]
    fn the_order_of_the_rows_says_nothing_and_groups_are_judged_as_one(
        cases in tables(),
        text in rules(),
        every in any::<bool>(),
        turn in 0_usize..16,
    ) {
        let holds = if every { Holds::Every } else { Holds::Any };
        let rule = DeclaredRule { per: Per::Patient, holds, ..rule(&text) };
        let found = judge(&rule, &cases);
        let mut turned = cases.clone();
        turned.reverse();
        let by = turn % turned.len();
        turned.rotate_left(by);
        let again = judge(&rule, &turned);
        let single = judge(&DeclaredRule { per: Per::Image, ..rule.clone() }, &cases);
        for (at, case) in cases.iter().enumerate() {
            let there = turned.iter().position(|other| other.case_id == case.case_id).expect("there");
            prop_assert_eq!(found[at], again[there], "{}", text);
            let own = (0..cases.len()).filter(|j| cases[*j].patient_id == case.patient_id).map(|j| single[j]);
            let expected = if every { own.min() } else { own.max() };
            prop_assert_eq!(Some(found[at]), expected, "{}", text);
        }
    }
}

#[test]
fn a_window_has_its_last_day_and_not_the_day_itself() {
    let days = [Some(0), Some(0), Some(30), Some(61), None];
    let cases: Vec<Case> = days.iter().map(|day| case(1, None, None, None, *day, false)).collect();
    let said = |text: &str| judge(&rule(text), &cases);
    use Truth::{No, Unknown, Yes};
    // The undated image may be anywhere.
    assert_eq!(said("earlier within 30 days by acquired"), [Unknown, Unknown, Yes, Unknown, Unknown]);
    let cases = &cases[..4];
    let said = |text: &str| judge(&rule(text), cases);
    assert_eq!(said("earlier within 30 days by acquired"), [No, No, Yes, No]);
    assert_eq!(said("earlier within 31 days by acquired"), [No, No, Yes, Yes]);
    assert_eq!(said("later within 30 days by acquired"), [Yes, Yes, No, No]);
    assert_eq!(said("first by acquired"), [Yes, Yes, No, No], "those of one day are all first");
    assert_eq!(said("last by acquired"), [No, No, No, Yes]);
    assert_eq!(said("first where (acquired > 2024-01-01) by acquired"), [No, No, Yes, No]);
}

#[test]
fn studies_are_of_one_patient_and_an_image_without_one_is_alone() {
    let of = |patient: u8, study: Option<&str>, age: u16| {
        let mut case = case(patient, None, Some(age), None, None, false);
        case.other.extend(study.map(|study| ("accession".to_owned(), study.to_owned())));
        case
    };
    let cases =
        [of(1, Some("a"), 50), of(1, Some("a"), 10), of(2, Some("a"), 50), of(1, None, 50), of(1, None, 10)];
    let study_column = "accession".to_owned();
    let study = |holds| DeclaredRule {
        per: Per::Study { study_column: study_column.clone() },
        holds,
        ..rule("age_years > 18")
    };
    use Truth::{No, Yes};
    assert_eq!(judge(&study(Holds::Every), &cases), [No, No, Yes, Yes, No]);
    assert_eq!(judge(&study(Holds::Any), &cases), [Yes, Yes, Yes, Yes, No]);
}

#[test]
fn a_hundred_thousand_images_of_one_patient_are_judged_at_once() {
    let cases: Vec<Case> = (0..100_000_u32)
        .map(|n| Case { patient_id: "P".into(), follow_up: Some(n), ..Case::default() })
        .collect();
    let found = judge(&rule("first by follow_up or last by follow_up"), &cases);
    assert_eq!(found.iter().filter(|said| **said == Truth::Yes).count(), 2);
}
