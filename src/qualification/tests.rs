use std::collections::{BTreeMap, BTreeSet};

use super::requirement::{Operation, Risk, Severity};
use super::requirements::all;
use super::*;
use crate::statistics::estimate::IntervalMethod;
use crate::statistics::metric::Metric;

const STATISTICS: &str = include_str!("../../docs/statistics.md");

/// `Section: first cell` of every row of every table of statistics in the documentation.
fn documented() -> BTreeSet<String> {
    let (mut section, mut header, mut out) = ("", "", BTreeSet::new());
    let mut before = "";
    for line in STATISTICS.lines() {
        if let Some(title) = line.strip_prefix("## ").or_else(|| line.strip_prefix("### ")) {
            section = title;
        }
        let first = |line: &'static str| line.trim_matches('|').split('|').next().unwrap_or_default().trim();
        if line.starts_with("|--") {
            header = first(before);
        } else if line.starts_with('|') && before.starts_with('|') {
            // Codes are rules, speeds no statistics; both have tests of their own.
            let counts = ["metric", "method", "what", "of", "rule"].contains(&header);
            if counts && section != "Speed" {
                out.insert(format!("{section}: {}", first(line)));
            }
        }
        before = line;
    }
    out
}

#[test]
fn every_documented_statistic_is_traced_to_a_requirement_and_back() {
    let rows = documented();
    assert!(rows.len() >= 65, "{}", rows.len());
    let traced: BTreeSet<&str> = all().flat_map(|r| r.documented.iter().copied()).collect();
    let untraced: Vec<&String> = rows.iter().filter(|row| !traced.contains(row.as_str())).collect();
    assert!(untraced.is_empty(), "documented, and no requirement says so: {untraced:#?}");
    let words = STATISTICS.split_whitespace().collect::<Vec<_>>().join(" ");
    let nowhere: Vec<&&str> = traced
        .iter()
        .filter(|t| !rows.contains(**t) && !words.contains(t.trim_start_matches('#').trim()))
        .collect();
    assert!(nowhere.is_empty(), "required, and not documented: {nowhere:#?}");
}

#[test]
fn every_metric_and_interval_method_is_covered() {
    let covered: BTreeSet<&str> = all().flat_map(|r| r.covers.iter().copied()).collect();
    let ids: BTreeSet<&str> =
        Metric::ALL.iter().map(|m| m.id()).chain(IntervalMethod::ALL.iter().map(|m| m.id())).collect();
    assert_eq!(covered, ids);
}

#[test]
fn ids_and_tests_stand_once() {
    let ids: Vec<&str> = all().map(|r| r.id).collect();
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    let mut by_key: BTreeMap<(Set, &str), &str> = BTreeMap::new();
    for requirement in all() {
        if let Test::Values { set, keys, .. } = requirement.test {
            for key in keys {
                let other = by_key.insert((set, key), requirement.id);
                assert_eq!(other, None, "{key} is of two requirements");
            }
        }
    }
}

/// The statistics themselves, on every embedded input: what `sequester qualify` does.
#[test]
fn every_reference_value_is_computed_again_and_of_a_requirement() {
    let computed = Computed::all();
    let mut wrong = Vec::new();
    for requirement in all() {
        if let Some(tested) = tested_values(requirement, &computed)
            && tested.outcome != Outcome::Passed
        {
            let beyond = tested.numbers.map(|numbers| numbers.beyond.join("\n  ")).unwrap_or_default();
            wrong.push(format!("{} {}\n  {beyond}", tested.id, tested.found));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let claimed: BTreeSet<(Set, &str)> = all()
        .filter_map(|r| match r.test {
            Test::Values { set, keys, .. } => Some(keys.iter().map(move |key| (set, *key))),
            _ => None,
        })
        .flatten()
        .collect();
    let mut unclaimed = BTreeSet::new();
    let mut count = 0;
    for set in Set::ALL {
        for one in computed.of(set) {
            count += 1;
            if !claimed.contains(&(set, one.key.as_str())) {
                unclaimed.insert(format!("{set:?} {}", one.key));
            }
        }
    }
    assert!(unclaimed.is_empty(), "compared, and of no requirement: {unclaimed:?}");
    assert!(count > 6_500, "{count} values");
}

#[test]
fn a_statistic_of_which_nothing_was_compared_has_not_passed() {
    let requirement = Requirement {
        id: "OQ-0",
        text: "",
        documented: &[],
        covers: &[],
        risk: Risk { harm: "", severity: Severity::High },
        test: Test::Values { set: Set::Tails, keys: &["chi-squared", "another"], tolerance: 1.0 },
    };
    let nothing = tested_values(&requirement, &Computed::default()).expect("values");
    assert_eq!(nothing.outcome, Outcome::Failed);
    let one = Compared {
        at: "x".into(),
        key: "chi-squared".into(),
        expected: Some("1".into()),
        computed: Some(1.0),
        deviation: 0.0,
    };
    let computed = Computed(BTreeMap::from([(Set::Tails, vec![one.clone()])]));
    let half = tested_values(&requirement, &computed).expect("values");
    assert!(half.outcome == Outcome::Failed && half.found.contains("another"), "{half:?}");
    let far = Compared { deviation: 2.0, key: "another".into(), ..one.clone() };
    let computed = Computed(BTreeMap::from([(Set::Tails, vec![one, far])]));
    let beyond = tested_values(&requirement, &computed).expect("values");
    assert_eq!(beyond.outcome, Outcome::Failed);
    assert_eq!(beyond.numbers.expect("numbers").beyond.len(), 1);
    let other = Requirement { test: Test::Operation(Operation::Sha256), ..requirement };
    assert_eq!(tested_values(&other, &computed), None);
}
