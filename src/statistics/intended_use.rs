//! Calibration and net benefit where the device is to be used. A sample that is enriched with positive cases
//! has a prevalence of its own: a device that is well calibrated in use is not so there. Each class is taken
//! as a sample of its kind, and both are put together at the prevalence of intended use.
//!
//! Intervals take patients as the units that vary (linearisation: Binder 1983), K/(K − 1) times the sum of
//! the squares of K patients' parts, and are normal. With one case a patient they are those of independent
//! cases.

use crate::calibration::{Coefficient, recalibrate};
use crate::special::{logistic, z_two_sided};

/// Labelled scores, with the patient of each case as a dense number.
#[derive(Clone, Copy, Debug)]
pub struct Cases<'a> {
    /// Positive by the reference standard.
    pub labels: &'a [bool],
    /// Probabilities in 0..=1.
    pub scores: &'a [f64],
    /// Patients, numbered from 0.
    pub patients: &'a [u32],
}

/// A value with the limits of its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known {
    /// The value.
    pub value: f64,
    /// Lower and upper limit; none where nothing varies, or there is one patient.
    pub limits: Option<(f64, f64)>,
}

/// Calibration at a prevalence.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AtPrevalence {
    /// Mean score that is to be expected at that prevalence.
    pub mean_score: f64,
    /// Prevalence over mean score, on the log scale; 1 is ideal. None where every score is 0.
    pub observed_to_expected: Option<Known>,
    /// Intercept of the logistic recalibration, moved to that prevalence (Prentice and Pyke 1979); 0 is
    /// ideal.
    pub intercept: Option<Known>,
    /// Its slope, which the prevalence does not change; 1 is ideal.
    pub slope: Option<Known>,
}

impl Cases<'_> {
    fn class_sizes(&self) -> Option<(f64, f64)> {
        let positives = self.labels.iter().filter(|label| **label).count();
        let negatives = self.labels.len() - positives;
        (positives > 0 && negatives > 0).then_some((positives as f64, negatives as f64))
    }

    /// The variance of a statistic from each case's part in it (its influence): K/(K − 1) times the sum of
    /// the
    /// squares of the patients' sums.
    fn variance(&self, parts: impl Iterator<Item = f64>) -> Option<f64> {
        let count = self.patients.iter().max().map_or(0, |last| *last as usize + 1);
        if count < 2 {
            return None;
        }
        let mut sums = vec![0.0; count];
        for (patient, part) in self.patients.iter().zip(parts) {
            sums[*patient as usize] += part;
        }
        let patients = count as f64;
        Some(sums.iter().map(|sum| sum * sum).sum::<f64>() * patients / (patients - 1.0))
    }

    /// Mean of a function of each case at a prevalence: the class means, weighted by it. With the parts of
    /// the
    /// cases in it.
    fn mean_at(&self, prevalence: f64, of: impl Fn(usize) -> f64) -> Option<(f64, Vec<f64>)> {
        let (positives, negatives) = self.class_sizes()?;
        let (mut in_positives, mut in_negatives) = (0.0, 0.0);
        for (index, label) in self.labels.iter().enumerate() {
            *(if *label { &mut in_positives } else { &mut in_negatives }) += of(index);
        }
        let (of_positives, of_negatives) = (in_positives / positives, in_negatives / negatives);
        let parts = self.labels.iter().enumerate().map(|(index, label)| {
            if *label {
                prevalence * (of(index) - of_positives) / positives
            } else {
                (1.0 - prevalence) * (of(index) - of_negatives) / negatives
            }
        });
        Some((prevalence * of_positives + (1.0 - prevalence) * of_negatives, parts.collect()))
    }
}

fn within(value: f64, variance: Option<f64>, level: f64) -> Known {
    let half = variance.filter(|v| *v > 0.0 && v.is_finite()).map(|v| z_two_sided(level) * v.sqrt());
    Known { value, limits: half.map(|half| (value - half, value + half)) }
}

/// Calibration of the scores as probabilities at a prevalence in (0, 1). None without cases of both classes.
pub fn calibration(cases: &Cases<'_>, prevalence: f64, level: f64) -> Option<AtPrevalence> {
    let (mean_score, parts) = cases.mean_at(prevalence, |index| cases.scores[index])?;
    let observed_to_expected = (mean_score > 0.0).then(|| {
        let variance = cases.variance(parts.into_iter().map(|part| part / mean_score));
        let on_log = within((prevalence / mean_score).ln(), variance, level);
        Known {
            value: prevalence / mean_score,
            limits: on_log.limits.map(|(low, high)| (low.exp(), high.exp())),
        }
    });
    let fitted = recalibrate(cases.labels, cases.scores, None);
    let (positives, negatives) = cases.class_sizes()?;
    let moved = (prevalence / (1.0 - prevalence)).ln() - (positives / negatives).ln();
    let lines = fitted.and_then(|fit| {
        let (intercept, slope) = sandwich(cases, fit.intercept, fit.slope)?;
        let intercept_moved = within(fit.intercept.value + moved, Some(intercept), level);
        Some((intercept_moved, within(fit.slope.value, Some(slope), level)))
    });
    let (intercept, slope) = lines.unzip();
    Some(AtPrevalence { mean_score, observed_to_expected, intercept, slope })
}

/// The variances of both coefficients with patients as units (sandwich of information and patients' scores).
fn sandwich(cases: &Cases<'_>, intercept: Coefficient, slope: Coefficient) -> Option<(f64, f64)> {
    let logit = |score: f64| score.ln() - (-score).ln_1p();
    let (mut h00, mut h01, mut h11) = (0.0, 0.0, 0.0);
    let mut residuals = Vec::with_capacity(cases.labels.len());
    for (label, score) in cases.labels.iter().zip(cases.scores) {
        let x = logit(*score);
        let (p, rest) = logistic(intercept.value + slope.value * x);
        let weight = p * rest;
        h00 += weight;
        h01 += weight * x;
        h11 += weight * x * x;
        residuals.push((if *label { rest } else { -p }, x));
    }
    let determinant = h00 * h11 - h01 * h01;
    if determinant <= 0.0 {
        return None;
    }
    let of_intercept = residuals.iter().map(|(r, x)| (h11 * r - h01 * r * x) / determinant);
    let of_slope = residuals.iter().map(|(r, x)| (h00 * r * x - h01 * r) / determinant);
    Some((cases.variance(of_intercept)?, cases.variance(of_slope)?))
}

/// Net benefit of acting on a score at or above `threshold` at a prevalence, both in (0, 1) (Vickers and
/// Elkin
/// 2006): prevalence·sensitivity − (1 − prevalence)·(1 − specificity)·threshold/(1 − threshold), in true
/// positives a patient. Treating nobody has 0. None without cases of both classes.
pub fn net_benefit(cases: &Cases<'_>, prevalence: f64, threshold: f64, level: f64) -> Option<Known> {
    let harm = threshold / (1.0 - threshold);
    let gain = |index: usize| match (cases.scores[index] >= threshold, cases.labels[index]) {
        (false, _) => 0.0,
        (true, true) => 1.0,
        (true, false) => -harm,
    };
    let (value, parts) = cases.mean_at(prevalence, gain)?;
    Some(within(value, cases.variance(parts.into_iter()), level))
}

/// Net benefit of treating everybody.
pub fn treat_all(prevalence: f64, threshold: f64) -> f64 {
    prevalence - (1.0 - prevalence) * threshold / (1.0 - threshold)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;
    use crate::special::normal_quantile;

    /// Positives and negatives of a device that is well calibrated at `use_prevalence`, one case a patient,
    /// and
    /// `twins` of each case of one patient.
    fn drawn(
        stream: &mut Stream,
        each: usize,
        use_prevalence: f64,
        twins: usize,
    ) -> (Vec<bool>, Vec<f64>, Vec<u32>) {
        let (spread, middle) = (1.6_f64, (use_prevalence / (1.0 - use_prevalence)).ln());
        let (mut labels, mut scores, mut patients) = (Vec::new(), Vec::new(), Vec::new());
        for index in 0..2 * each {
            let positive = index % 2 == 0;
            let side = if positive { 0.5 } else { -0.5 };
            let noise = normal_quantile(stream.unit().clamp(1e-12, 1.0 - 1e-12));
            let score = logistic(middle + side * spread * spread + spread * noise).0;
            for _ in 0..twins {
                labels.push(positive);
                scores.push(score);
                patients.push(index as u32);
            }
        }
        (labels, scores, patients)
    }

    #[test]
    fn the_net_benefit_is_that_of_a_table_worked_by_hand() {
        // Sensitivity 3/4, specificity 4/5, prevalence .1, threshold .2: .075 - .9 * .2 * .25 = .03.
        let labels = [true, true, true, true, false, false, false, false, false];
        let scores = [0.9, 0.8, 0.2, 0.1, 0.3, 0.1, 0.1, 0.1, 0.0];
        let patients = [0, 1, 2, 3, 4, 5, 6, 7, 8];
        let cases = Cases { labels: &labels, scores: &scores, patients: &patients };
        let found = net_benefit(&cases, 0.1, 0.2, 0.95).expect("both classes");
        assert!((found.value - 0.03).abs() < 1e-15, "{found:?}");
        // The variance by the binomial law of each class, and 9/8 for nine patients.
        let variance = 9.0 / 8.0 * (0.01 * 0.75 * 0.25 / 4.0 + (0.9_f64 * 0.25).powi(2) * 0.2 * 0.8 / 5.0);
        let half = z_two_sided(0.95) * variance.sqrt();
        let (low, high) = found.limits.expect("limits");
        assert!((low - 0.03 + half).abs() < 1e-14 && (high - 0.03 - half).abs() < 1e-14);
        assert!((treat_all(0.1, 0.2) - (0.1 - 0.9 * 0.25)).abs() < 1e-15);
        let one_class = Cases { labels: &[true], scores: &[0.5], patients: &[0] };
        assert_eq!(net_benefit(&one_class, 0.1, 0.2, 0.95), None);
        assert_eq!(calibration(&one_class, 0.1, 0.95), None);
    }

    #[test]
    fn an_enriched_sample_shows_the_calibration_of_use_and_intervals_cover() {
        let (prevalence, studies) = (0.05, 400);
        let mut stream = Stream::new(5, 0);
        let mut covered = [0_u32; 4];
        // The truth of the net benefit, from a large sample.
        let (labels, scores, patients) = drawn(&mut stream, 200_000, prevalence, 1);
        let all = Cases { labels: &labels, scores: &scores, patients: &patients };
        let truth = net_benefit(&all, prevalence, 0.1, 0.95).expect("a value").value;
        for _ in 0..studies {
            let (labels, scores, patients) = drawn(&mut stream, 150, prevalence, 2);
            let cases = Cases { labels: &labels, scores: &scores, patients: &patients };
            let found = calibration(&cases, prevalence, 0.95).expect("both classes");
            let benefit = net_benefit(&cases, prevalence, 0.1, 0.95);
            let asked = [
                (found.observed_to_expected, 1.0),
                (found.intercept, 0.0),
                (found.slope, 1.0),
                (benefit, truth),
            ];
            for (count, (known, truth)) in covered.iter_mut().zip(asked) {
                let (low, high) = known.and_then(|known| known.limits).expect("limits");
                *count += u32::from(low <= truth && truth <= high);
            }
        }
        // Cases come twice: intervals that took them as independent would cover 83 %.
        for count in covered {
            let share = f64::from(count) / f64::from(studies);
            assert!((0.915..=0.985).contains(&share), "{covered:?} of {studies}");
        }
    }

    #[test]
    fn at_the_prevalence_of_the_sample_nothing_is_moved() {
        let mut stream = Stream::new(9, 0);
        let (labels, scores, patients) = drawn(&mut stream, 100, 0.5, 1);
        let cases = Cases { labels: &labels, scores: &scores, patients: &patients };
        let found = calibration(&cases, 0.5, 0.95).expect("both classes");
        let fit = recalibrate(&labels, &scores, None).expect("a fit");
        assert!((found.intercept.expect("a value").value - fit.intercept.value).abs() < 1e-12);
        assert_eq!(found.slope.expect("a value").value, fit.slope.value);
        assert!((found.mean_score - scores.iter().sum::<f64>() / 200.0).abs() < 1e-12);
    }
}
