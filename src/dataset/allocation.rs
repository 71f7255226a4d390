//! Training, tuning and test from one pool: whole patients, stratified, seeded, and as near to the wanted
//! numbers of images as whole patients allow. [`super::split`] divides a development table for a training;
//! this divides before that.
//!
//! Patients are sorted into strata and put in random order within each; then one after the other goes to the
//! set that lags farthest behind its share of the images so far. So every stratum, and every run of
//! neighbouring strata, is divided by the shares within about one patient (systematic sampling with implicit
//! stratification; Cochran 1977, chapter 8). The totals are then made exact by exchanging patients without a
//! positive image.

use std::collections::BTreeMap;

use super::case::Case;
use super::describe::{self, AgeBand, NOT_RECORDED};
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::random::Stream;

/// How a pool is divided.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Names and wanted numbers of images, which sum to the images of the pool.
    pub wanted: Vec<(String, u64)>,
    /// Fields of [`describe::FIELDS`] besides the label.
    pub stratify: Vec<String>,
    /// For `age_band`.
    pub bands: Vec<AgeBand>,
    /// Seed of the order within strata.
    pub seed: u64,
}

struct Patient<'a> {
    id: &'a str,
    images: u64,
    positives: u64,
    group: Vec<String>,
}

/// The set of each case, as a place in `rule.wanted`.
///
/// # Errors
/// `label-missing` when a case has no label; `split-too-few` when there are fewer patients than sets with
/// images.
pub fn allocate(cases: &[Case], rule: &Rule) -> Result<Vec<usize>> {
    let unlabelled = cases.iter().filter(|c| c.source_label.is_none()).count();
    if unlabelled > 0 {
        return Err(Diagnostic::error(
            Code::LabelMissing,
            format!("{unlabelled} of {} cases have no label to stratify by", cases.len()),
        )
        .hint("name the finding with --positive, or give the tables a column `label`")
        .into());
    }
    let mut patients = patients(cases, rule);
    let sets = rule.wanted.iter().filter(|(_, wanted)| *wanted > 0).count();
    if patients.len() < sets {
        return Err(Diagnostic::error(
            Code::SplitTooFew,
            format!("{} patients cannot be divided into {sets} sets", patients.len()),
        )
        .hint("a patient's images stay together: give more patients or ask for fewer sets")
        .into());
    }
    // Random order, then a stable sort by stratum: random within each.
    patients.sort_unstable_by(|a, b| a.id.cmp(b.id));
    Stream::new(rule.seed, 0).shuffle(&mut patients);
    patients.sort_by(|a, b| {
        let key = |p: &Patient<'_>| (p.positives > 0, size_class(p.images), size_class(p.positives));
        key(a).cmp(&key(b)).then_with(|| a.group.cmp(&b.group))
    });
    let mut set_of = systematic(&patients, rule);
    exchange(&patients, rule, &mut set_of);
    let by_id: BTreeMap<&str, usize> = patients.iter().map(|p| p.id).zip(set_of).collect();
    Ok(cases.iter().map(|c| by_id.get(c.patient_id.as_str()).copied().unwrap_or(0)).collect())
}

fn patients<'a>(cases: &'a [Case], rule: &Rule) -> Vec<Patient<'a>> {
    let mut images: BTreeMap<&str, Vec<&Case>> = BTreeMap::new();
    for case in cases {
        images.entry(&case.patient_id).or_default().push(case);
    }
    images
        .into_iter()
        .map(|(id, own)| Patient {
            id,
            images: own.len() as u64,
            positives: own.iter().filter(|c| c.source_label == Some(true)).count() as u64,
            group: rule.stratify.iter().map(|field| usual(&own, field, &rule.bands)).collect(),
        })
        .collect()
}

/// The level that most images of a patient have; of equals the first by name, a recorded one before
/// `not recorded`.
fn usual(images: &[&Case], field: &str, bands: &[AgeBand]) -> String {
    let mut counts: BTreeMap<String, usize> = BTreeMap::new();
    for case in images {
        *counts.entry(describe::level(case, field, bands)).or_default() += 1;
    }
    let best = counts
        .iter()
        .max_by_key(|(level, count)| (*level != NOT_RECORDED, **count, std::cmp::Reverse((*level).clone())));
    best.map_or_else(|| NOT_RECORDED.to_owned(), |(level, _)| level.clone())
}

/// 0, 1, 2, 3-4, 5-8, 9-16, ...: patients with like numbers of images are divided among themselves.
fn size_class(images: u64) -> u32 {
    images.checked_sub(1).map_or(0, |below| 65 - below.leading_zeros())
}

/// Each patient goes to the set that lags farthest behind.
fn systematic(patients: &[Patient<'_>], rule: &Rule) -> Vec<usize> {
    let total: i128 = rule.wanted.iter().map(|(_, wanted)| i128::from(*wanted)).sum();
    let positives: i128 = patients.iter().map(|p| i128::from(p.positives)).sum();
    // Deficits times the total, in whole numbers: images, and among positive patients positive images as
    // well.
    let mut deficit = vec![(0_i128, 0_i128); rule.wanted.len()];
    // A random start, so that the first patient of all is not always in the same set.
    let mut start = Stream::new(rule.seed, 1);
    let mut at = i128::from(start.below(u64::try_from(total).unwrap_or(0)));
    for (set, (_, wanted)) in deficit.iter_mut().zip(&rule.wanted) {
        set.0 += i128::from(*wanted);
        if at >= 0 && at < i128::from(*wanted) {
            set.0 -= total;
        }
        at -= i128::from(*wanted);
    }
    let mut positive_mean = 1;
    if positives > 0 {
        let images: i128 = patients.iter().filter(|p| p.positives > 0).map(|p| i128::from(p.images)).sum();
        positive_mean = (images / positives).max(1);
    }
    patients
        .iter()
        .map(|patient| {
            for (set, (_, wanted)) in deficit.iter_mut().zip(&rule.wanted) {
                set.0 += i128::from(*wanted) * i128::from(patient.images);
                set.1 += i128::from(*wanted) * i128::from(patient.positives);
            }
            let lag = |set: usize| {
                let (images, positive) = deficit[set];
                if patient.positives > 0 { images + positive * positive_mean } else { images }
            };
            let open = (0..deficit.len()).filter(|&set| rule.wanted[set].1 > 0);
            let chosen = open.max_by_key(|&set| (lag(set), std::cmp::Reverse(set))).unwrap_or(0);
            deficit[chosen].0 -= total * i128::from(patient.images);
            deficit[chosen].1 -= total * i128::from(patient.positives);
            chosen
        })
        .collect()
}

/// Makes the totals exact, or as near as moves of one patient and exchanges of two bring them.
fn exchange(patients: &[Patient<'_>], rule: &Rule, set_of: &mut [usize]) {
    let mut over: Vec<i128> = rule.wanted.iter().map(|(_, wanted)| -i128::from(*wanted)).collect();
    for (patient, set) in patients.iter().zip(set_of.iter()) {
        over[*set] += i128::from(patient.images);
    }
    // Every step brings the totals nearer, so there are at most as many steps as images that are off.
    loop {
        let Some(from) = (0..over.len()).filter(|&s| over[s] > 0).max_by_key(|&s| over[s]) else { return };
        let Some(to) = (0..over.len()).filter(|&s| over[s] < 0).min_by_key(|&s| over[s]) else { return };
        let room = over[from].min(-over[to]);
        // One patient of each size in both sets; of the negative ones alone, so that positives stay where
        // they are.
        let mut sizes: [BTreeMap<i128, usize>; 2] = [BTreeMap::new(), BTreeMap::new()];
        let mut any = [0_usize; 2];
        for (place, patient) in patients.iter().enumerate() {
            let side = if set_of[place] == from {
                0
            } else if set_of[place] == to {
                1
            } else {
                continue;
            };
            any[side] += 1;
            if patient.positives == 0 {
                sizes[side].entry(i128::from(patient.images)).or_insert(place);
            }
        }
        // What a step moves: nearest to what is off without going so far beyond that nothing is gained.
        let gain = |moved: i128| {
            let before = over[from].abs() + over[to].abs();
            before - (over[from] - moved).abs() - (over[to] + moved).abs()
        };
        let mut best: Option<(i128, usize, Option<usize>)> = None;
        let mut consider = |moved: i128, give: usize, take: Option<usize>| {
            let value = gain(moved);
            if value > 0 && best.is_none_or(|(known, ..)| value > known) {
                best = Some((value, give, take));
            }
        };
        for (&size, &give) in &sizes[0] {
            if any[0] > 1 {
                consider(size, give, None);
            }
            for (&other, &take) in &sizes[1] {
                if size > other && size - other <= 2 * room {
                    consider(size - other, give, Some(take));
                }
            }
        }
        let Some((_, give, take)) = best else { return };
        let mut shift = |place: usize, from: usize, to: usize| {
            let images = i128::from(patients[place].images);
            over[from] -= images;
            over[to] += images;
            set_of[place] = to;
        };
        shift(give, from, to);
        if let Some(take) = take {
            shift(take, to, from);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;
    use crate::dataset::case::Attributes;

    fn pool(sizes: &[(usize, usize)]) -> Vec<Case> {
        let mut cases = Vec::new();
        for (patient, (images, positives)) in sizes.iter().enumerate() {
            for image in 0..*images {
                cases.push(Case {
                    case_id: format!("{patient}-{image}").into(),
                    patient_id: format!("P{patient:05}").into(),
                    attributes: Attributes {
                        view: Some(if (patient + image) % 3 == 0 { "AP" } else { "PA" }.into()),
                        source_label: Some(image < *positives),
                        ..Attributes::default()
                    }
                    .into(),
                    ..Case::default()
                });
            }
        }
        cases
    }

    fn rule(wanted: &[u64], seed: u64) -> Rule {
        let wanted = wanted.iter().enumerate().map(|(i, n)| (i.to_string(), *n)).collect();
        Rule { wanted, stratify: vec!["view".into()], bands: AgeBand::USUAL.to_vec(), seed }
    }

    fn images(set_of: &[usize], sets: usize) -> Vec<usize> {
        (0..sets).map(|s| set_of.iter().filter(|x| **x == s).count()).collect()
    }

    #[test]
    fn totals_are_exact_where_patients_of_one_image_are_there() {
        let sizes: Vec<(usize, usize)> =
            (0..900).map(|p| (if p % 2 == 0 { 1 } else { 1 + p % 37 }, usize::from(p % 9 == 0))).collect();
        let cases = pool(&sizes);
        let n = cases.len() as u64;
        let wanted = [n - 777 - 1234, 777, 1234];
        let set_of = allocate(&cases, &rule(&wanted, 5)).expect("divides");
        assert_eq!(images(&set_of, 3), wanted.map(|w| w as usize));
        let positives = |set: usize| {
            let own = cases.iter().zip(&set_of).filter(|(_, s)| **s == set);
            own.filter(|(c, _)| c.source_label == Some(true)).count() as f64
        };
        for (set, want) in wanted.into_iter().enumerate() {
            let expected = 100.0 * want as f64 / n as f64;
            assert!((positives(set) - expected).abs() <= 2.0, "{set}: {} of {expected}", positives(set));
        }
        assert_eq!(allocate(&cases, &rule(&wanted, 5)).expect("divides"), set_of);
        assert_ne!(allocate(&cases, &rule(&wanted, 6)).expect("divides"), set_of);
    }

    #[test]
    fn what_cannot_be_divided_is_refused() {
        let mut cases = pool(&[(3, 1), (2, 0)]);
        let code = |cases: &[Case]| {
            allocate(cases, &rule(&[2, 2, 1], 1)).expect_err("refused").diagnostics()[0].code.as_str()
        };
        assert_eq!(code(&cases), "split-too-few");
        cases[0].source_label = None;
        assert_eq!(code(&cases), "label-missing");
    }

    #[test]
    fn sizes_fall_into_classes_of_powers_of_two() {
        assert_eq!([0, 1, 2, 3, 4, 5, 8, 9, 184].map(size_class), [0, 1, 2, 3, 3, 4, 4, 5, 9]);
    }

    proptest! {
        #[test]
        fn no_patient_is_in_two_sets_and_every_case_in_one(
            sizes in proptest::collection::vec((1_usize..12, 0_usize..3), 4..80),
            cut in (0.05_f64..0.9, 0.05_f64..0.9),
            seed in any::<u64>(),
            rotate in any::<proptest::sample::Index>(),
        ) {
            let cases = pool(&sizes);
            let n = cases.len() as u64;
            let first = (cut.0 * n as f64) as u64;
            let second = (cut.1 * (n - first) as f64) as u64;
            let rule = rule(&[first, second, n - first - second], seed);
            let set_of = allocate(&cases, &rule).expect("divides");
            prop_assert_eq!(set_of.len(), cases.len());
            let mut seen: BTreeMap<&str, BTreeSet<usize>> = BTreeMap::new();
            for (case, set) in cases.iter().zip(&set_of) {
                prop_assert!(*set < 3);
                seen.entry(&case.patient_id).or_default().insert(*set);
            }
            prop_assert!(seen.values().all(|sets| sets.len() == 1));
            // The order of the rows does not matter.
            let mut other = cases.clone();
            let by = rotate.index(other.len());
            other.rotate_left(by);
            let again = allocate(&other, &rule).expect("divides");
            let of = |cases: &[Case], sets: &[usize]| -> BTreeMap<String, usize> {
                cases.iter().map(|c| c.case_id.to_string()).zip(sets.iter().copied()).collect()
            };
            prop_assert_eq!(of(&cases, &set_of), of(&other, &again));
        }
    }
}
