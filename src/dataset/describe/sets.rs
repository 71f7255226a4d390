//! Sets described and compared.

use std::collections::BTreeSet;

use super::description::{Description, FORMAT, SetDescription};
use super::request::{Request, Set};
use super::{compare, counts};

/// With more sets than this, each is compared with the first alone.
const ALL_PAIRS: usize = 5;

/// Describes sets and compares each two of them.
pub fn describe(sets: &[Set<'_>], request: &Request) -> Description {
    let described: Vec<SetDescription> = sets.iter().map(|set| counts::of_set(set, request)).collect();
    let compared = if request.whole_first && sets.len() > 1 { 1 } else { 0 };
    let mut comparisons = Vec::new();
    for first in compared..sets.len() {
        if first > compared && sets.len() - compared > ALL_PAIRS {
            break;
        }
        for second in first + 1..sets.len() {
            let shared = shared_patients(&sets[first], &sets[second]);
            comparisons.push(compare::compare(&described[first], &described[second], shared));
        }
    }
    Description {
        format: FORMAT.into(),
        inputs: Vec::new(),
        facts: Vec::new(),
        positive: request.positive.clone(),
        synthetic: sets.iter().flat_map(|s| &s.cases).any(|case| case.is_synthetic()),
        sets: described,
        comparisons,
    }
}

/// Patients of both sets.
pub fn shared_patients(first: &Set<'_>, second: &Set<'_>) -> u64 {
    let ids = |set: &Set<'_>| set.cases.iter().map(|c| c.patient_id.clone()).collect::<BTreeSet<_>>();
    ids(first).intersection(&ids(second)).count() as u64
}
