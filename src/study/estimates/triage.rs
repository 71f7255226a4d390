//! What a triage device takes, and what its priority saves on the declared worklist.

use super::cases::StudyCase;
use crate::protocol::Triage;
use crate::statistics::clustered::Shares;
use crate::statistics::durations::Durations;
use crate::statistics::proportion::{Limits, clopper_pearson};
use crate::statistics::queue::Waits;
use crate::study::results::{Limited, ProcessingTime, QuantileOfTime, TriageResult, Waiting};

/// Shares of cases whose quantiles are given.
const QUANTILES: [f64; 4] = [0.5, 0.9, 0.95, 0.99];

/// Of the analysed cases at the threshold; `times` in seconds.
pub fn triage(
    declared: &Triage,
    times: Option<&[f64]>,
    cases: &[StudyCase<'_>],
    threshold: f64,
    level: f64,
) -> TriageResult {
    let processing = times.and_then(|times| processing(declared, times, level));
    let waiting = waiting(declared, processing.as_ref(), cases, threshold, level);
    TriageResult { level, processing, waiting }
}

fn processing(declared: &Triage, times: &[f64], level: f64) -> Option<ProcessingTime> {
    let durations = Durations::of(times.iter().copied())?;
    let quantile = |share| QuantileOfTime {
        share,
        time: Limited { value: durations.quantile(share), limits: durations.quantile_limits(share, level) },
    };
    Some(ProcessingTime {
        column: declared.processing_column.clone().unwrap_or_default(),
        cases: durations.count(),
        mean: Limited { value: durations.mean(), limits: durations.mean_limits(level) },
        standard_deviation: durations.standard_deviation(),
        quantiles: QUANTILES.map(quantile).to_vec(),
        longest: durations.longest(),
    })
}

/// A share of cases of one class that are called as they should be, with limits that keep patients together.
fn share(cases: &[StudyCase<'_>], positive: bool, threshold: f64, level: f64) -> Option<(f64, Limits)> {
    let patients = cases.iter().map(|case| case.patient as usize + 1).max().unwrap_or_default();
    let of_class = cases.iter().filter(|case| case.consensus.positive() == Some(positive));
    let called = of_class.filter_map(|case| Some((case.patient, (case.score? >= threshold) == positive)));
    let shares = Shares::of(patients, called);
    if shares.cases() == 0 {
        return None;
    }
    let value = shares.right() as f64 / shares.cases() as f64;
    // Where patients do not differ, each is one trial.
    let limits = shares.korn_graubard(level).or_else(|| shares.on_patients(level));
    Some((value, limits.unwrap_or_else(|| clopper_pearson(shares.right(), shares.cases(), level))))
}

fn waiting(
    declared: &Triage,
    processing: Option<&ProcessingTime>,
    cases: &[StudyCase<'_>],
    threshold: f64,
    level: f64,
) -> Option<Waiting> {
    let each = f64::midpoint(1.0, level);
    let (sensitivity, of_sensitivity) = share(cases, true, threshold, each)?;
    let (specificity, of_specificity) = share(cases, false, threshold, each)?;
    let list = declared.worklist();
    let device = processing.map_or(0.0, |found| found.mean.value / 60.0);
    let at = list.waits(sensitivity, specificity)?;
    let limited = |quantity: &dyn Fn(&Waits) -> f64| Limited {
        value: quantity(&at),
        limits: list.over(of_sensitivity, of_specificity, quantity),
    };
    // An examination is on the list once the device is done with it: what that takes is waited by each.
    Some(Waiting {
        sensitivity: Limited { value: sensitivity, limits: Some(of_sensitivity) },
        specificity: Limited { value: specificity, limits: Some(of_specificity) },
        level_of_each: each,
        occupancy: list.occupancy(),
        flagged_share: at.flagged_share,
        processing_minutes: device,
        without_device: at.without_device,
        flagged: limited(&|w| w.flagged + device),
        unflagged: limited(&|w| w.unflagged + device),
        positive: limited(&|w| w.positive + device),
        negative: limited(&|w| w.negative + device),
        saved: limited(&|w| w.without_device - w.positive - device),
    })
}
