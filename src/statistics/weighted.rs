//! Measures of a sample in which each case stands for a number of others: ratios of weighted totals (Hájek
//! 1971) with the variance of their linearised values (Särndal, Swensson and Wretman 1992, section 5.5;
//! Binder 1983), between patients, within strata where every patient is in one stratum. The population is
//! taken as large, so no correction for a finite one is made. Limits on the logit scale.

use std::collections::BTreeMap;

use super::at_prevalence::logit_limits;
use super::special::z_two_sided;

/// A case with what it counts for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct WeightedCase {
    /// Positive by the reference standard.
    pub positive: bool,
    /// Called positive.
    pub called: bool,
    /// How many cases it stands for; above 0.
    pub weight: f64,
    /// Number of its patient.
    pub patient: u32,
    /// Number of its stratum.
    pub stratum: u32,
}

/// A ratio of two weighted totals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Ratio {
    /// The ratio.
    pub value: f64,
    /// Its standard error; `None` where there is no spread, or a stratum has one patient alone.
    pub standard_error: Option<f64>,
}

impl Ratio {
    /// Limits on the logit scale; `None` at 0 and 1, and without a standard error.
    pub fn limits(&self, level: f64) -> Option<(f64, f64)> {
        let slope = self.value * (1.0 - self.value);
        let error = self.standard_error.filter(|_| slope > 0.0)?;
        debug_assert!(z_two_sided(level) > 0.0, "a level between 0 and 1");
        logit_limits(self.value, error / slope, level)
    }
}

/// Kish's (1965) effective number of cases: (Σw)² / Σw²; 0 without cases.
pub fn effective_number(weights: impl Iterator<Item = f64>) -> f64 {
    let (sum, squares) = weights.fold((0.0, 0.0), |(sum, squares), w| (sum + w, squares + w * w));
    if squares > 0.0 { sum * sum / squares } else { 0.0 }
}

/// Σw·above / Σw·below, where `parts` gives both of a case; `None` where nothing is below.
pub fn ratio(cases: &[WeightedCase], parts: impl Fn(&WeightedCase) -> (f64, f64)) -> Option<Ratio> {
    let total = |part: &dyn Fn(&WeightedCase) -> f64| cases.iter().map(|c| c.weight * part(c)).sum::<f64>();
    let above = total(&|case| parts(case).0);
    let below = total(&|case| parts(case).1);
    if below <= 0.0 {
        return None;
    }
    let value = above / below;
    let linear = |case: &WeightedCase| {
        let (above, below_of) = parts(case);
        case.weight * (above - value * below_of) / below
    };
    Some(Ratio { value, standard_error: variance(cases, linear).filter(|v| *v > 0.0).map(f64::sqrt) })
}

/// Between patients, within strata where every patient is in one.
fn variance(cases: &[WeightedCase], linear: impl Fn(&WeightedCase) -> f64) -> Option<f64> {
    let mut stratum_of: BTreeMap<u32, u32> = BTreeMap::new();
    let apart = cases.iter().all(|c| *stratum_of.entry(c.patient).or_insert(c.stratum) == c.stratum);
    let mut totals: BTreeMap<u32, BTreeMap<u32, f64>> = BTreeMap::new();
    for case in cases {
        let stratum = if apart { case.stratum } else { 0 };
        *totals.entry(stratum).or_default().entry(case.patient).or_default() += linear(case);
    }
    let mut sum = 0.0;
    for patients in totals.values() {
        let n = patients.len() as f64;
        let mean = patients.values().sum::<f64>() / n;
        let squares = patients.values().map(|z| (z - mean).powi(2)).sum::<f64>();
        if patients.len() < 2 {
            return None;
        }
        sum += n / (n - 1.0) * squares;
    }
    Some(sum)
}

/// Prevalence, then measures that depend on it and those that do not, by their ids.
pub fn measures(cases: &[WeightedCase]) -> Vec<(&'static str, Option<Ratio>)> {
    let one = |holds: bool| f64::from(u8::from(holds));
    vec![
        ("prevalence", ratio(cases, |c| (one(c.positive), 1.0))),
        ("sensitivity", ratio(cases, |c| (one(c.positive && c.called), one(c.positive)))),
        ("specificity", ratio(cases, |c| (one(!c.positive && !c.called), one(!c.positive)))),
        ("ppv", ratio(cases, |c| (one(c.positive && c.called), one(c.called)))),
        ("npv", ratio(cases, |c| (one(!c.positive && !c.called), one(!c.called)))),
        ("accuracy", ratio(cases, |c| (one(c.positive == c.called), 1.0))),
        ("f1", ratio(cases, |c| (2.0 * one(c.positive && c.called), one(c.positive) + one(c.called)))),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn case(number: u32, positive: bool, called: bool, weight: f64, stratum: u32) -> WeightedCase {
        WeightedCase { positive, called, weight, patient: number, stratum }
    }

    fn cases() -> Vec<WeightedCase> {
        // 400 positives of a pool of 800, 600 negatives of a pool of 19,200.
        let positives = (0..400).map(|n| case(n, n % 10 != 0, n % 5 != 0, 2.0, 0));
        let negatives = (400..1000).map(|n| case(n, n % 20 == 0, n % 6 == 0, 32.0, 1));
        positives.chain(negatives).collect()
    }

    fn of(found: &[(&str, Option<Ratio>)], id: &str) -> Ratio {
        found.iter().find(|(name, _)| *name == id).and_then(|(_, ratio)| *ratio).expect("a value")
    }

    #[test]
    fn without_weights_and_strata_a_share_has_its_usual_error() {
        let cases: Vec<WeightedCase> = (0..50).map(|n| case(n, n % 4 == 0, n % 3 == 0, 1.0, 0)).collect();
        let share = of(&measures(&cases), "prevalence");
        assert!((share.value - 13.0 / 50.0).abs() < 1e-15);
        // s²/n with n − 1 below.
        let error = (0.26_f64 * 0.74 / 49.0).sqrt();
        assert!((share.standard_error.expect("spread") - error).abs() < 1e-15);
        let (low, high) = share.limits(0.95).expect("limits");
        assert!(low > 0.0 && low < 0.26 && high > 0.26 && high < 1.0);
    }

    #[test]
    fn weighted_totals_are_those_of_the_pool() {
        let found = measures(&cases());
        // 360 of 400 positive count 2 each, 30 of 600 count 32 each.
        let prevalence = of(&found, "prevalence").value;
        assert!((prevalence - (360.0 * 2.0 + 30.0 * 32.0) / 20_000.0).abs() < 1e-15);
        let weights: Vec<f64> = cases().iter().map(|c| c.weight).collect();
        assert!((weights.iter().sum::<f64>() - 20_000.0).abs() < 1e-12);
        let kish = 20_000.0_f64.powi(2) / (400.0 * 4.0 + 600.0 * 1024.0);
        assert!((effective_number(weights.into_iter()) - kish).abs() < 1e-9);
        assert_eq!(effective_number(std::iter::empty()), 0.0);
    }

    /// A second route: each patient is left out once (Rao and Wu 1988, the jackknife of strata).
    #[test]
    fn the_linearised_error_is_that_of_the_jackknife() {
        let all = cases();
        let found = measures(&all);
        let mut variances = vec![0.0; found.len()];
        for (stratum, n) in [(0, 400.0), (1, 600.0)] {
            for gone in all.iter().filter(|c| c.stratum == stratum) {
                let more = |c: &WeightedCase| if c.stratum == stratum { n / (n - 1.0) } else { 1.0 };
                let left = all.iter().filter(|c| c.patient != gone.patient);
                let left: Vec<WeightedCase> =
                    left.map(|c| WeightedCase { weight: c.weight * more(c), ..*c }).collect();
                for ((sum, whole), part) in variances.iter_mut().zip(&found).zip(measures(&left)) {
                    let apart = part.1.expect("a value").value - whole.1.expect("a value").value;
                    *sum += (n - 1.0) / n * apart * apart;
                }
            }
        }
        for ((id, ratio), variance) in found.into_iter().zip(variances) {
            let error = ratio.and_then(|ratio| ratio.standard_error).expect("spread");
            assert!((variance.sqrt() / error - 1.0).abs() < 0.04, "{id}: {error} and {}", variance.sqrt());
        }
    }

    #[test]
    fn what_has_no_spread_has_no_limits_and_patients_of_two_strata_are_taken_together() {
        let all: Vec<WeightedCase> = (0..10).map(|n| case(n, true, true, 3.0, 0)).collect();
        let sensitivity = of(&measures(&all), "sensitivity");
        assert_eq!(
            (sensitivity.value, sensitivity.standard_error, sensitivity.limits(0.95)),
            (1.0, None, None)
        );
        assert_eq!(measures(&all)[2], ("specificity", None));
        // One patient in a stratum has no variance.
        let mut lonely = cases();
        lonely.push(case(2000, true, true, 5.0, 2));
        assert_eq!(of(&measures(&lonely), "ppv").standard_error, None);
        // A patient with images in both strata: no stratification, and a variance all the same.
        let mut both = cases();
        both[500].patient = both[0].patient;
        assert!(of(&measures(&both), "ppv").standard_error.is_some());
    }
}
