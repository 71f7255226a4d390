//! Sensitivity analyses of the reference standard, against direct recomputation from reads and scores.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{PROTOCOL, path, protocol, reads};
use crate::statistics::confusion::Confusion;
use crate::statistics::estimate::{Estimate, ResamplingUnit, Scenario};
use crate::statistics::metric::{Metric, Plan, estimate_from_table};
use crate::study::results::{OtherStandard as By, UnderOtherStandard};
use crate::study::{Derived, Files, Inputs, derive};

const AUC_DECIDES: (&str, &str) = (
    "metric = \"auc\"\nrole = \"secondary\"\ninterval = \"delong\"",
    "metric = \"auc\"\nrole = \"primary\"\ninterval = \"delong\"\ncriterion = \"lower > 0.5\"",
);

/// A study of so many cases with these reads (a text a reader) and scores.
fn study(said: &[String], scores: &[Option<f64>], edits: &[(&str, &str)]) -> Inputs {
    let mut files = Files::new();
    let mut cases = "case_id,patient_id,sex,age_years,view\n".to_owned();
    let mut table = "case_id,score,refused\n".to_owned();
    for (number, score) in (1..).zip(scores) {
        cases += &format!("c{number:02},p{number},F,50,PA\n");
        table += &match score {
            Some(score) => format!("c{number:02},{score},\n"),
            None => format!("c{number:02},,too dark\n"),
        };
    }
    files.insert(path("cases.csv"), cases.into());
    files.insert(path("scores.csv"), table.into());
    for (number, said) in (1..).zip(said) {
        files.insert(path(&format!("reads/r{number}.csv")), reads(&format!("r{number}"), said).into());
    }
    Inputs {
        protocol: protocol(&[&[AUC_DECIDES], edits].concat()),
        files,
        lock: None,
        manifests: Files::new(),
        program_version: "0".to_owned(),
    }
}

/// What a case is by three readers' majority of at least two votes.
fn majority(votes: &[Option<bool>], least: usize) -> Option<bool> {
    let count = |answer| votes.iter().filter(|vote| **vote == Some(answer)).count();
    let (yes, no) = (count(true), count(false));
    (yes != no && yes.max(no) >= least).then_some(yes > no)
}

fn vote(letter: char, indeterminate: Option<bool>) -> Option<bool> {
    match letter {
        'P' => Some(true),
        'N' => Some(false),
        'I' => indeterminate,
        _ => None,
    }
}

/// Sensitivity, specificity and AUC by counting; `None`: there is no case to count.
fn counted(pairs: &[(bool, f64)]) -> [Option<f64>; 3] {
    let of = |class: bool| pairs.iter().filter(move |(truth, _)| *truth == class);
    let share = |class: bool| {
        let all = of(class).count();
        let right = of(class).filter(|(_, score)| (*score >= 0.5) == class).count();
        (all > 0).then(|| right as f64 / all as f64)
    };
    let mut won = 0.0;
    for (_, high) in of(true) {
        for (_, low) in of(false) {
            won += if high > low {
                1.0
            } else if high == low {
                0.5
            } else {
                0.0
            };
        }
    }
    let pairs = of(true).count() * of(false).count();
    [share(true), share(false), (pairs > 0).then(|| won / pairs as f64)]
}

fn same(found: &Estimate, expected: Option<f64>) -> bool {
    match (found.value, expected) {
        (Some(a), Some(b)) => (a - b).abs() < 1e-12,
        (a, b) => a.is_none() && b.is_none() && found.not_evaluable.is_some(),
    }
}

fn by<'a>(derived: &'a Derived, standard: By, reader: Option<&str>) -> Option<&'a UnderOtherStandard> {
    let found = derived.results.other_standards.as_ref().expect("analyses");
    assert!(found.exploratory);
    found.analyses.iter().find(|a| a.standard == standard && a.reader.as_deref() == reader)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_analysis_is_what_reads_and_scores_give_directly(
        rows in prop::collection::vec(
            ([prop::sample::select(vec!['P', 'N', 'P', 'N', 'I', '-']),
              prop::sample::select(vec!['P', 'N', 'P', 'N', 'I', '-']),
              prop::sample::select(vec!['P', 'N', 'P', 'N', 'I', '-'])],
             prop::option::weighted(0.9, 0_u8..5)), 4..11),
    ) {
        // Two cases that every reader gives and the device scores, so that there is a study at all.
        let mut rows = rows;
        rows.push((['P', 'P', 'P'], Some(3)));
        rows.push((['N', 'N', 'N'], Some(1)));
        let said: Vec<String> = (0..3).map(|r| rows.iter().map(|row| row.0[r]).collect()).collect();
        let scores: Vec<Option<f64>> = rows.iter().map(|row| row.1.map(|s| f64::from(s) / 4.0)).collect();
        let derived = derive(&study(&said, &scores, &[])).unwrap_or_else(|e| panic!("{:?}", e.diagnostics()));
        let votes = |row: &[char; 3], way| row.map(|letter| vote(letter, way));
        let pairs = |answer: &dyn Fn(&[char; 3]) -> Option<bool>| -> Vec<(bool, f64)> {
            rows.iter().zip(&scores).filter_map(|(row, score)| Some((answer(&row.0)?, (*score)?))).collect()
        };
        let check = |standard, reader: Option<&str>, answer: &dyn Fn(&[char; 3]) -> Option<bool>| {
            let found = by(&derived, standard, reader).unwrap_or_else(|| panic!("{standard:?}"));
            let expected = counted(&pairs(answer));
            prop_assert_eq!(found.cases, pairs(answer).len() as u64);
            let without = rows.iter().filter(|row| answer(&row.0).is_none()).count();
            prop_assert_eq!(found.without_answer, without as u64);
            let declared = |row: &[char; 3]| majority(&votes(row, None), 2);
            let changed = rows.iter().filter(|row| {
                answer(&row.0).zip(declared(&row.0)).is_some_and(|(new, old)| new != old)
            });
            prop_assert_eq!(found.changed, changed.count() as u64);
            for (estimate, expected) in found.estimates.iter().zip(expected) {
                let of = (standard, reader);
                prop_assert!(same(estimate, expected), "{of:?} {estimate:?} {expected:?}");
            }
            Ok(())
        };
        check(By::UnanimousOnly, None, &|row| {
            let votes = votes(row, None);
            votes[0].filter(|_| votes.iter().all(|vote| *vote == votes[0]))
        })?;
        // One metric on the same cases has one interval, wherever it is quoted.
        for alone in by(&derived, By::UnanimousOnly, None).into_iter().flat_map(|found| &found.estimates) {
            let same = |e: &&Estimate| e.id == alone.id && e.scenario == Some(Scenario::UnanimousOnly);
            let quoted = derived.results.estimates.iter().find(same).and_then(|e| e.intervals.first());
            prop_assert_eq!(quoted, alone.intervals.first(), "{}", alone.id);
        }
        for (place, reader) in ["r1", "r2", "r3"].into_iter().enumerate() {
            check(By::OneReader, Some(reader), &|row| votes(row, None)[place])?;
            check(By::WithoutReader, Some(reader), &|row| {
                let mut votes = votes(row, None).to_vec();
                votes.remove(place);
                majority(&votes, 2)
            })?;
        }
        if said.concat().contains('I') {
            check(By::IndeterminatePositive, None, &|row| majority(&votes(row, Some(true)), 2))?;
            check(By::IndeterminateNegative, None, &|row| majority(&votes(row, Some(false)), 2))?;
        } else {
            prop_assert!(by(&derived, By::IndeterminatePositive, None).is_none());
        }
        // The bounds over every labelling of the cases on which votes differ.
        let split = |row: &[char; 3]| row.contains(&'P') && row.contains(&'N');
        let open: Vec<usize> =
            (0..rows.len()).filter(|&i| split(&rows[i].0) && scores[i].is_some()).collect();
        let mut bounds: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
        for bits in 0..1_u32 << open.len() {
            let labelled: Vec<(bool, f64)> = (0..rows.len())
                .filter_map(|i| {
                    let turned = open.iter().position(|o| *o == i).map(|place| bits >> place & 1 == 1);
                    Some((turned.or_else(|| majority(&votes(&rows[i].0, None), 2))?, scores[i]?))
                })
                .collect();
            for (metric, value) in counted(&labelled).into_iter().enumerate() {
                let Some(value) = value else { continue };
                let bound = bounds.entry(metric).or_insert((value, value));
                *bound = (bound.0.min(value), bound.1.max(value));
            }
        }
        match (by(&derived, By::SplitForDevice, None), by(&derived, By::SplitAgainstDevice, None)) {
            (Some(most), Some(least)) => {
                for metric in 0..3 {
                    let (low, high) = bounds[&metric];
                    prop_assert!(same(&most.estimates[metric], Some(high)), "{} {:?}", metric, most);
                    prop_assert!(same(&least.estimates[metric], Some(low)), "{} {:?}", metric, least);
                }
            }
            (most, least) => prop_assert!(most.is_none() && least.is_none() && open.is_empty()),
        }
    }
}

#[test]
fn the_interval_of_an_analysis_is_the_one_that_would_decide() {
    let said = ["PPPPNNNNNPPP", "PPPPNNNNNPPN", "PPPNNNNNNPNP"].map(str::to_owned);
    let scores: Vec<Option<f64>> =
        [9, 8, 7, 6, 1, 2, 3, 6, 1, 7, 9, 8].map(|s| Some(f64::from(s) / 10.0)).to_vec();
    let derived = derive(&study(&said, &scores, &[])).expect("derives");
    let all = by(&derived, By::OneReader, Some("r1")).expect("there");
    for (estimate, endpoint) in all.estimates.iter().zip(&derived.results.endpoints) {
        assert_eq!(estimate.model.as_deref(), Some(endpoint.id.as_str()));
        assert_eq!(estimate.id, endpoint.metric.id());
        assert_eq!(estimate.intervals.len(), 1, "{estimate:?}");
    }
    let alone = by(&derived, By::UnanimousOnly, None).expect("there");
    assert_eq!((alone.cases, alone.without_answer, alone.changed), (9, 3, 0));
    // Perfect sensitivity has no spread that Wilson's interval may decide by.
    let wilson = [("interval = \"clopper-pearson\"", "interval = \"wilson\"")];
    let derived = derive(&study(&said, &scores, &wilson)).expect("derives");
    let alone = by(&derived, By::UnanimousOnly, None).expect("there");
    let found = &alone.estimates[0];
    assert_eq!((found.value, found.intervals[0].method.id()), (Some(1.0), "clopper-pearson"));
    assert_eq!(found.warnings.len(), 1);
}

#[test]
fn what_a_rule_does_not_allow_is_said() {
    assert!(PROTOCOL.contains("rule = \"majority\""));
    let said = ["PPNN", "PPNN", "PPNN"].map(str::to_owned);
    let scores = [0.9, 0.8, 0.1, 0.2].map(Some);
    let derived = derive(&study(&said, &scores, &[])).expect("derives");
    let found = derived.results.other_standards.as_ref().expect("analyses");
    assert_eq!(found.left_out.len(), 2, "{:?}", found.left_out);
    assert!(found.left_out[0].contains("no answer is indeterminate"));
    assert!(found.left_out[1].contains("no votes differ"));
    assert!(found.analyses.iter().all(|a| a.changed == 0 && a.cases == 4), "{found:?}");
}

#[test]
fn without_a_reader_the_cases_of_others_stay_where_readers_differ_by_case() {
    let free =
        [("qualification = \"radiologist\"", "qualification = \"radiologist\"\nfixed_readers = false")];
    // r3 reads the last case alone, with r1.
    let said = ["PNPN", "PNP-", "---N"].map(str::to_owned);
    let scores = [0.9, 0.1, 0.8, 0.2].map(Some);
    let derived = derive(&study(&said, &scores, &free)).expect("derives");
    let cases = |reader| by(&derived, By::WithoutReader, Some(reader)).expect("there").cases;
    // Two agreeing votes are needed of three readers, and of the two that are left.
    assert_eq!((cases("r1"), cases("r2"), cases("r3")), (0, 1, 3));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    /// Of a metric of the 2×2 table no labelling of cases goes beyond the one by the device's calls.
    #[test]
    fn calls_are_the_extreme_labels_of_every_metric_of_a_table(
        [tp, fp, fn_, tn] in [0_u64..6, 0..6, 0..6, 0..6],
        (called, cleared) in (0_u64..4, 0_u64..4),
    ) {
        let table = |yes: u64, no: u64| Confusion {
            true_positives: tp + yes,
            false_positives: fp + called - yes,
            false_negatives: fn_ + no,
            true_negatives: tn + cleared - no,
        };
        let plan = Plan::new(0.95, Vec::new(), ResamplingUnit::Case, 0, 0);
        for metric in Metric::ENDPOINTS.into_iter().filter(|metric| metric.is_of_table()) {
            let sign = if metric == Metric::LrNegative { -1.0 } else { 1.0 };
            let of = |yes, no| estimate_from_table(metric, &table(yes, no), &plan).value.map(|v| sign * v);
            let (best, worst) = (of(called, 0), of(0, cleared));
            for (yes, no) in (0..=called).flat_map(|yes| (0..=cleared).map(move |no| (yes, no))) {
                let Some(value) = of(yes, no) else { continue };
                prop_assert!(best.is_none_or(|best| value <= best + 1e-12), "{metric:?} {value} {best:?}");
                let above = worst.is_none_or(|worst| value >= worst - 1e-12);
                prop_assert!(above, "{metric:?} {value} {worst:?}");
            }
        }
    }
}
