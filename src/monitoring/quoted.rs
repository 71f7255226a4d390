//! The one interval that is quoted of a metric, without replicates.

use crate::statistics::estimate::{Estimate, IntervalMethod, ResamplingUnit};
use crate::statistics::metric::{Metric, Plan, Sample, estimate, sound_first};

/// Of each kind of metric the interval that is wanted; those behind it stand in where patients have several
/// cases or the wanted one is a point.
const METHODS: [IntervalMethod; 6] = [
    IntervalMethod::Delong,
    IntervalMethod::Obuchowski,
    IntervalMethod::Wilson,
    IntervalMethod::KornGraubard,
    IntervalMethod::ClopperPearson,
    IntervalMethod::ClopperPearsonPatients,
];

/// How intervals of these cases are made.
pub(super) fn how(sample: &Sample<'_>, level: f64) -> Plan {
    let unit = if sample.patients.is_some() { ResamplingUnit::Patient } else { ResamplingUnit::Case };
    Plan::new(level, METHODS.to_vec(), unit, 0, 1)
}

/// A metric with the interval that is sound on these cases: first DeLong's of an area and Wilson's of a
/// share.
pub(super) fn quoted(metric: Metric, sample: &Sample<'_>, threshold: f64, level: f64) -> Estimate {
    let at = metric.needs_threshold().then_some(threshold);
    let mut found = estimate(metric, sample, at, &how(sample, level));
    sound_first(&mut found, metric, sample, at);
    found.intervals.truncate(1);
    found
}
