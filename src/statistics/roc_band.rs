//! Pointwise bootstrap band of the ROC curve: what the resampling unit says of sensitivity at each false
//! positive rate.

use serde::{Deserialize, Serialize};

use crate::bootstrap;
use crate::bootstrap::{Cases, Replicates, Resampler};
use crate::estimate::ResamplingUnit;
use crate::metric::Sample;
use crate::warning::Warning;
use sequester_diagnostic::Code;

/// Confidence band at one false positive rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct BandPoint {
    /// 1 - specificity.
    pub fpr: f64,
    /// Lower limit of sensitivity.
    pub lower: f64,
    /// Upper limit of sensitivity.
    pub upper: f64,
}

/// How the band was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
pub struct BandMethod {
    /// Confidence level at each rate, two-sided.
    pub level: f64,
    /// What was drawn.
    pub unit: ResamplingUnit,
    /// How many replicates were drawn.
    pub replicates: u64,
    /// The seed.
    pub seed: u64,
    /// Replicates with one class alone, left out of the quantiles.
    pub dropped: u64,
    /// Things to know about the band, as `code: message`.
    #[serde(default, skip_serializing_if = "Vec::is_empty", with = "crate::warning::texts")]
    #[cfg_attr(feature = "schemas", schemars(with = "Vec<String>", inner(regex(pattern = "^[a-z0-9-]+: "))))]
    pub warnings: Vec<Warning>,
}

/// Grid of false positive rates: 0, 0.02, ..., 1.
const POINTS: usize = 51;

/// Percentile band at `level` on a fixed grid of false positive rates, from `replicates` resamples of
/// `unit`. Sensitivity at a rate is the height of the empirical curve there (linear between its points).
/// Replicates without both classes are left out and counted. No point when the unit cannot be drawn. A band
/// that is a point where sensitivity is not 1 by definition carries a warning.
pub fn roc_band(
    sample: &Sample<'_>,
    unit: ResamplingUnit,
    replicates: u64,
    seed: u64,
    level: f64,
) -> (Vec<BandPoint>, BandMethod) {
    let mut method = BandMethod { level, unit, replicates, seed, dropped: 0, warnings: Vec::new() };
    let cases = Cases { labels: sample.labels, patients: sample.patients, sites: sample.sites };
    let resampler = match Resampler::new(unit, &cases) {
        Ok(resampler) => resampler,
        Err(reason) => {
            method
                .warnings
                .push(Warning::new(Code::IntervalNotEvaluable, format!("there is no band: {reason}")));
            return (Vec::new(), method);
        }
    };
    let mut order: Vec<usize> = (0..sample.scores.len()).collect();
    order.sort_by(|a, b| sample.scores[*b].total_cmp(&sample.scores[*a]));
    let buffers = || vec![0_u32; resampler.leaves];
    let curves: Vec<Option<[f64; POINTS]>> =
        bootstrap::replicate(replicates, seed, buffers, |leaves, stream| {
            resampler.draw(stream, leaves);
            heights(sample, &order, |case| f64::from(leaves[resampler.leaf_of_case[case] as usize]))
        });
    method.dropped = curves.iter().filter(|curve| curve.is_none()).count() as u64;
    let points: Vec<BandPoint> = (0..POINTS)
        .filter_map(|k| {
            let values = curves.iter().map(|curve| curve.as_ref().map(|c| c[k])).collect();
            let (lower, upper) = Replicates::collect(values).percentile(level)?;
            Some(BandPoint { fpr: k as f64 / (POINTS - 1) as f64, lower, upper })
        })
        .collect();
    if points.is_empty() {
        method.warnings.push(Warning::new(
            Code::IntervalNotEvaluable,
            "there is no band: no replicate could be evaluated",
        ));
    } else if method.dropped > 0 {
        method.warnings.push(Warning::new(
            Code::ReplicatesDropped,
            format!(
                "{} of {replicates} replicates have one class alone and were left out of the quantiles",
                method.dropped
            ),
        ));
    }
    // At the end of the grid sensitivity is 1 by definition.
    let collapsed = points.iter().filter(|p| p.fpr < 1.0 && p.upper - p.lower <= 1e-12).count();
    if collapsed > 0 {
        method.warnings.push(Warning::new(
            Code::NoSpread,
            format!(
                "at {collapsed} of {} rates below 1 the band is a point, because every replicate gives one \
                 height; it does not show how sure that height is: the exact intervals of sensitivity and \
                 specificity do",
                POINTS - 1
            ),
        ));
    }
    (points, method)
}

/// Height of the weighted empirical curve on the grid; `None` without both classes.
fn heights(sample: &Sample<'_>, order: &[usize], weight: impl Fn(usize) -> f64) -> Option<[f64; POINTS]> {
    let (mut positives, mut negatives) = (0.0, 0.0);
    for (case, positive) in sample.labels.iter().enumerate() {
        *(if *positive { &mut positives } else { &mut negatives }) += weight(case);
    }
    if positives == 0.0 || negatives == 0.0 {
        return None;
    }
    let mut heights = [0.0; POINTS];
    let (mut tp, mut fp) = (0.0, 0.0);
    let mut previous = (0.0, 0.0);
    let mut next = 0;
    let mut at = 0;
    while at < order.len() {
        let score = sample.scores[order[at]];
        while at < order.len() && sample.scores[order[at]] == score {
            let case = order[at];
            *(if sample.labels[case] { &mut tp } else { &mut fp }) += weight(case);
            at += 1;
        }
        let point: (f64, f64) = (fp / negatives, tp / positives);
        while next < POINTS {
            let rate = next as f64 / (POINTS - 1) as f64;
            if rate > point.0 || (rate == point.0 && at < order.len()) {
                break;
            }
            let run = point.0 - previous.0;
            let share = if run > 0.0 { (rate - previous.0) / run } else { 1.0 };
            heights[next] = previous.1 + share * (point.1 - previous.1);
            next += 1;
        }
        previous = point;
    }
    while next < POINTS {
        heights[next] = 1.0;
        next += 1;
    }
    Some(heights)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unweighted_curve_is_met_on_the_grid() {
        // Curve through (0, .5), (.5, .5), (.5, 1), (1, 1).
        let labels = [true, false, true, false];
        let scores = [0.9, 0.8, 0.7, 0.1];
        let sample = Sample { labels: &labels, scores: &scores, patients: None, sites: None };
        let order = [0, 1, 2, 3];
        let heights = heights(&sample, &order, |_| 1.0).expect("both classes");
        assert_eq!(
            (heights[0], heights[12], heights[25], heights[26], heights[50]),
            (0.5, 0.5, 1.0, 1.0, 1.0)
        );
    }

    #[test]
    fn the_band_contains_the_curve_of_a_middling_marker() {
        let labels: Vec<bool> = (0..200).map(|i| i % 2 == 0).collect();
        let scores: Vec<f64> =
            (0..200).map(|i| f64::from((i * 37) % 200) + if i % 2 == 0 { 60.0 } else { 0.0 }).collect();
        let sample = Sample { labels: &labels, scores: &scores, patients: None, sites: None };
        let (band, method) = roc_band(&sample, ResamplingUnit::Case, 200, 1, 0.95);
        assert_eq!((method.replicates, method.seed, method.dropped), (200, 1, 0));
        let mut order: Vec<usize> = (0..200).collect();
        order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
        let curve = heights(&sample, &order, |_| 1.0).expect("both classes");
        assert_eq!(band.len(), POINTS);
        for (point, height) in band.iter().zip(curve) {
            assert!(point.lower <= height + 0.05 && height <= point.upper + 0.05, "{point:?} {height}");
        }
    }

    #[test]
    fn a_band_of_separated_classes_says_that_it_is_a_point() {
        let labels = [true, false, true];
        let scores = [0.9, 0.1, 0.8];
        let sample = Sample { labels: &labels, scores: &scores, patients: None, sites: None };
        let (band, method) = roc_band(&sample, ResamplingUnit::Case, 500, 1, 0.95);
        assert!(band.iter().all(|p| (p.lower, p.upper) == (1.0, 1.0)));
        // One class alone: (2/3)³ + (1/3)³ of 500 is 167.
        assert!((120..215).contains(&method.dropped), "{method:?}");
        let codes: Vec<&str> = method.warnings.iter().map(|w| w.code.as_str()).collect();
        assert_eq!(codes, ["replicates-dropped", "no-spread"]);
        let (none, method) = roc_band(&sample, ResamplingUnit::Site, 500, 1, 0.95);
        assert!(none.is_empty() && method.warnings[0].message.contains("no site is recorded"), "{method:?}");
    }
}
