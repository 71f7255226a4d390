//! Agreement on an ordered scale: weighted kappa of two readers and Gwet's AC2 of all, with weights that fall
//! with the distance of two answers. Pure: numbers on the scale in, coefficients out.

use super::estimates::{Clustered, Clusters, of_coefficient};
use super::{Coefficient, without_rounding};
use crate::estimate::Estimate;

/// How much two answers agree, by their distance on the scale from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Weights {
    /// 1 − distance.
    Linear,
    /// 1 − distance².
    Quadratic,
}

impl Weights {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Linear, Self::Quadratic];

    /// The name in ids of estimates.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linear => "linear",
            Self::Quadratic => "quadratic",
        }
    }

    /// Of every two answers of a scale. One answer agrees with itself.
    fn of(self, scale: &[f64]) -> Vec<Vec<f64>> {
        let width = match scale {
            [first, .., last] => last - first,
            _ => 1.0,
        };
        let one = |a: f64, b: f64| {
            let distance = (a - b).abs() / width;
            1.0 - if self == Self::Linear { distance } else { distance * distance }
        };
        scale.iter().map(|a| scale.iter().map(|b| one(*a, *b)).collect()).collect()
    }
}

/// Weighted kappa (Cohen 1968) with the standard error of Fleiss, Cohen and Everitt (1969), of readers `a`
/// and `b` over the cases that both read. `table` has one row a case and the place of each reader's answer on
/// `scale`, whose values ascend. None without common cases, or where both gave one and the same answer
/// throughout.
pub fn weighted_kappa(
    table: &[Vec<Option<usize>>],
    a: usize,
    b: usize,
    scale: &[f64],
    weights: Weights,
) -> Option<Coefficient> {
    kappa_of(&square(table, a, b, scale.len(), |_| 1), &weights.of(scale))
}

/// How often reader `a` gave the one answer and `b` the other; each case counts as often as `times` says.
fn square(
    table: &[Vec<Option<usize>>],
    a: usize,
    b: usize,
    answers: usize,
    times: impl Fn(usize) -> u64,
) -> Vec<Vec<u64>> {
    let mut counts = vec![vec![0_u64; answers]; answers];
    for (case, row) in table.iter().enumerate() {
        if let (Some(Some(x)), Some(Some(y))) = (row.get(a), row.get(b)) {
            counts[*x][*y] += times(case);
        }
    }
    counts
}

fn kappa_of(counts: &[Vec<u64>], w: &[Vec<f64>]) -> Option<Coefficient> {
    let places = 0..counts.len();
    let cases: u64 = counts.iter().flatten().sum();
    if cases == 0 || places.clone().any(|k| counts[k][k] == cases) {
        return None;
    }
    let n = cases as f64;
    let p: Vec<Vec<f64>> = counts.iter().map(|row| row.iter().map(|k| *k as f64 / n).collect()).collect();
    let rows: Vec<f64> = p.iter().map(|row| row.iter().sum()).collect();
    let columns: Vec<f64> = places.clone().map(|j| p.iter().map(|row| row[j]).sum()).collect();
    let sum = |of: &dyn Fn(usize, usize) -> f64| -> f64 {
        places.clone().map(|i| places.clone().map(|j| of(i, j)).sum::<f64>()).sum()
    };
    let observed = sum(&|i, j| w[i][j] * p[i][j]);
    let expected = sum(&|i, j| w[i][j] * rows[i] * columns[j]);
    let room = 1.0 - expected;
    if room <= 1e-15 {
        return None;
    }
    let of_row: Vec<f64> =
        places.clone().map(|i| places.clone().map(|j| w[i][j] * columns[j]).sum()).collect();
    let of_column: Vec<f64> =
        places.clone().map(|j| places.clone().map(|i| w[i][j] * rows[i]).sum()).collect();
    let squares = sum(&|i, j| {
        let term = w[i][j] * room - (of_row[i] + of_column[j]) * (1.0 - observed);
        p[i][j] * term * term
    });
    let centre = observed * expected - 2.0 * expected + observed;
    let variance = (squares - centre * centre) / (n * room.powi(4));
    let standard_error = without_rounding(variance.max(0.0).sqrt());
    Some(Coefficient { value: (observed - expected) / room, standard_error: Some(standard_error), cases })
}

/// Gwet's AC2 (2014) with missing reads and his variance over cases; with weights that are 0 off the diagonal
/// it is AC1. `table` and `scale` as for [`weighted_kappa`]; every answer of the scale counts as one to
/// choose from, given or not. None when no case has two reads, or the scale has one answer.
pub fn gwet_ac2(table: &[Vec<Option<usize>>], scale: &[f64], weights: Weights) -> Option<Coefficient> {
    ac2_of(&tallies(table, scale.len()), &weights.of(scale), |_| 1)
}

/// How many reads of each case give each answer.
fn tallies(table: &[Vec<Option<usize>>], answers: usize) -> Vec<Vec<f64>> {
    let tally = |row: &Vec<Option<usize>>| {
        let mut tally = vec![0.0; answers];
        row.iter().flatten().filter(|place| **place < answers).for_each(|place| tally[*place] += 1.0);
        tally
    };
    table.iter().map(tally).collect()
}

/// AC2 where each case counts as often as `times` says.
fn ac2_of(tallies: &[Vec<f64>], w: &[Vec<f64>], times: impl Fn(usize) -> u32) -> Option<Coefficient> {
    let answers = 0..w.len();
    let q = w.len() as f64;
    // Cases that were read and count: how often, the number of reads, and the reads of each answer.
    let read: Vec<(f64, f64, &Vec<f64>)> = tallies
        .iter()
        .enumerate()
        .map(|(case, tally)| (f64::from(times(case)), tally.iter().sum::<f64>(), tally))
        .filter(|(count, reads, _)| *count > 0.0 && *reads > 0.0)
        .collect();
    let n: f64 = read.iter().map(|(count, ..)| count).sum();
    let pairable: f64 = read.iter().filter(|(_, reads, _)| *reads > 1.5).map(|(count, ..)| count).sum();
    if pairable < 0.5 || w.len() < 2 {
        return None;
    }
    let share = |k: usize| read.iter().map(|(count, reads, tally)| count * tally[k] / reads).sum::<f64>() / n;
    let shares: Vec<f64> = answers.clone().map(share).collect();
    let chance = w.iter().flatten().sum::<f64>() / (q * (q - 1.0));
    let expected = chance * shares.iter().map(|p| p * (1.0 - p)).sum::<f64>();
    let room = 1.0 - expected;
    if room <= 1e-15 {
        return None;
    }
    // Weighted agreement of the pairs of reads of one case.
    let agreement = |reads: f64, tally: &[f64]| {
        let with = |k: usize| w[k].iter().zip(tally).map(|(w, t)| w * t).sum::<f64>();
        answers.clone().map(|k| tally[k] * (with(k) - 1.0)).sum::<f64>() / (reads * (reads - 1.0))
    };
    let of_pairs = read.iter().filter(|(_, reads, _)| *reads > 1.5);
    let observed =
        of_pairs.map(|(count, reads, tally)| count * agreement(*reads, tally)).sum::<f64>() / pairable;
    let value = (observed - expected) / room;
    let squares: f64 = read
        .iter()
        .map(|(count, reads, tally)| {
            let paired = *reads > 1.5;
            let here = if paired { n / pairable * (agreement(*reads, tally) - expected) / room } else { 0.0 };
            let by_chance =
                chance * tally.iter().zip(&shares).map(|(t, p)| t * (1.0 - p)).sum::<f64>() / reads;
            let deviation = here - 2.0 * (1.0 - value) * (by_chance - expected) / room - value;
            count * deviation * deviation
        })
        .sum();
    let standard_error = (n > 1.5).then(|| without_rounding((squares / (n * (n - 1.0))).sqrt()));
    Some(Coefficient { value, standard_error, cases: n as u64 })
}

/// Of each pair of readers (`model` is "R1 vs R2") `weighted_kappa_linear` and `weighted_kappa_quadratic`,
/// and of all `gwet_ac2_linear` and `gwet_ac2_quadratic`; `table` and `scale` as for [`weighted_kappa`].
/// Where a patient has several cases that were read, standard error and interval are those of a bootstrap of
/// patients.
pub fn estimates(
    readers: &[String],
    table: &[Vec<Option<usize>>],
    scale: &[f64],
    level: f64,
    clusters: Option<&Clusters<'_>>,
) -> Vec<Estimate> {
    let clustered = Clustered::of(table, level, clusters);
    let tallies = tallies(table, scale.len());
    let finish = |mut estimate: Estimate, statistic: &(dyn Fn(&[u32]) -> Option<f64> + Sync)| {
        if let Some((clustered, _)) = &clustered {
            clustered.put(&mut estimate, statistic);
        }
        estimate
    };
    let mut out = Vec::new();
    for weights in Weights::ALL {
        let w = weights.of(scale);
        for first in 0..readers.len() {
            for second in first + 1..readers.len() {
                let kappa = weighted_kappa(table, first, second, scale, weights);
                let id = format!("weighted_kappa_{}", weights.name());
                let why = "the two have no case in common, or gave one and the same answer throughout";
                let mut estimate = of_coefficient(&id, kappa, why, level);
                estimate.model = Some(format!("{} vs {}", readers[first], readers[second]));
                out.push(finish(estimate, &|drawn: &[u32]| {
                    let counts = square(table, first, second, scale.len(), |case| u64::from(drawn[case]));
                    kappa_of(&counts, &w).map(|found| found.value)
                }));
            }
        }
        let id = format!("gwet_ac2_{}", weights.name());
        let found = gwet_ac2(table, scale, weights);
        let estimate = of_coefficient(&id, found, "no case has two reads on the scale", level);
        out.push(finish(estimate, &|drawn: &[u32]| {
            ac2_of(&tallies, &w, |case| drawn[case]).map(|found| found.value)
        }));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agreement::{cohen, gwet_ac1};
    use crate::estimate::ResamplingUnit;

    fn reference() -> serde_json::Value {
        let text =
            include_str!("../../../fixtures/reference-values/ref/ordinal_statsmodels0.15.0_irrCAC0.4.4.json");
        serde_json::from_str(text).expect("JSON")
    }

    fn table(of: &serde_json::Value) -> Vec<Vec<Option<usize>>> {
        let row = |row: &serde_json::Value| {
            let cells = row.as_array().expect("a row").iter();
            cells.map(|cell| cell.as_u64().map(|place| place as usize)).collect()
        };
        of["rows"].as_array().expect("rows").iter().map(row).collect()
    }

    #[test]
    fn weighted_kappa_matches_statsmodels_and_ac2_matches_irrcac() {
        let (mut compared, all) = (0, reference());
        for (name, of) in all.as_object().expect("tables") {
            let rows = table(of);
            let scale: Vec<f64> = (0..of["answers"].as_u64().expect("a number")).map(|k| k as f64).collect();
            let mut check = |found: Option<f64>, key: &str| {
                let (found, expected) = (found.expect(key), of[key].as_f64().expect(key));
                assert!((found - expected).abs() < 1e-12, "{name} {key} {found} {expected}");
                compared += 1;
            };
            for weights in Weights::ALL {
                let ac2 = gwet_ac2(&rows, &scale, weights).expect("ac2");
                check(Some(ac2.value), &format!("ac2.{}", weights.name()));
                check(ac2.standard_error, &format!("ac2.{}.se", weights.name()));
                for a in 0..rows[0].len() {
                    for b in a + 1..rows[0].len() {
                        let kappa = weighted_kappa(&rows, a, b, &scale, weights).expect("kappa");
                        check(Some(kappa.value), &format!("kappa.{}.{a}.{b}", weights.name()));
                        check(kappa.standard_error, &format!("kappa.{}.{a}.{b}.se", weights.name()));
                    }
                }
            }
        }
        assert_eq!(compared, 16 + 4 * (1 + 3 + 10 + 3));
    }

    #[test]
    fn on_a_scale_of_two_answers_they_are_kappa_and_ac1() {
        let rows: Vec<Vec<Option<usize>>> = [(0, 0), (1, 1), (0, 1), (0, 0), (1, 0), (1, 1), (0, 0)]
            .map(|(a, b)| vec![Some(a), Some(b)])
            .to_vec();
        let kappa = cohen(&rows, 0, 1).kappa.expect("kappa");
        let ac1 = gwet_ac1(&rows, 2).expect("ac1");
        for weights in Weights::ALL {
            let weighted = weighted_kappa(&rows, 0, 1, &[1.0, 5.0], weights).expect("kappa");
            assert!((weighted.value - kappa.value).abs() < 1e-14);
            let gap = weighted.standard_error.expect("error") - kappa.standard_error.expect("error");
            assert!(gap.abs() < 1e-14);
            let ac2 = gwet_ac2(&rows, &[1.0, 5.0], weights).expect("ac2");
            assert!((ac2.value - ac1.value).abs() < 1e-14);
        }
    }

    #[test]
    fn a_case_that_counts_twice_is_two_cases() {
        let rows = table(&reference()["o3"]);
        let scale = [0.0, 1.0, 2.0, 3.0];
        let times: Vec<u32> = (0..rows.len() as u32).map(|case| case % 3).collect();
        let repeated: Vec<Vec<Option<usize>>> =
            rows.iter().zip(&times).flat_map(|(row, times)| vec![row.clone(); *times as usize]).collect();
        for weights in Weights::ALL {
            let w = weights.of(&scale);
            let ac2 = ac2_of(&tallies(&rows, 4), &w, |case| times[case]).expect("ac2");
            let direct = gwet_ac2(&repeated, &scale, weights).expect("ac2");
            assert!((ac2.value - direct.value).abs() < 1e-12 && ac2.cases == direct.cases);
            let counts = square(&rows, 0, 1, 4, |case| u64::from(times[case]));
            assert_eq!(kappa_of(&counts, &w), weighted_kappa(&repeated, 0, 1, &scale, weights));
        }
    }

    #[test]
    fn nothing_is_nan_and_patients_stay_together() {
        let same = vec![vec![Some(1), Some(1)]; 4];
        assert_eq!(weighted_kappa(&same, 0, 1, &[1.0, 2.0, 3.0], Weights::Linear), None);
        assert_eq!(gwet_ac2(&same, &[1.0, 2.0, 3.0], Weights::Linear).map(|found| found.value), Some(1.0));
        assert_eq!(gwet_ac2(&[vec![Some(0), None]], &[1.0, 2.0], Weights::Linear), None);
        assert_eq!(gwet_ac2(&same, &[1.0], Weights::Linear), None);
        let all = reference();
        let rows = table(&all["o1"]);
        let patients: Vec<u32> = (0..rows.len() as u32).map(|case| case / 2).collect();
        let clusters = Clusters { patients: &patients, replicates: 100, seed: 1 };
        let readers = ["R1".to_owned(), "R2".to_owned()];
        let scale = [0.0, 1.0, 2.0, 3.0, 4.0];
        let found = estimates(&readers, &rows, &scale, 0.95, Some(&clusters));
        assert_eq!(found.len(), 4);
        assert!(found.iter().all(|e| e.intervals[0].unit == Some(ResamplingUnit::Patient)), "{found:?}");
    }
}
