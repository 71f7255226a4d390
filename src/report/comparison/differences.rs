//! Differences and spreads, as sentences, tables and figures of a comparison write them.

use crate::document::format;
use crate::statistics::estimate::{Estimate, Interval};

/// A difference of areas: three decimals, more where that would print nothing but zeros.
pub fn difference(value: f64) -> String {
    (3..=5)
        .map(|decimals| format::fixed(value, decimals))
        .find(|text| value == 0.0 || text.bytes().any(|b| matches!(b, b'1'..=b'9')))
        .unwrap_or_else(|| format::fixed(value, 6))
}

/// The declared interval, or the exact one beside it where that has collapsed to a point: from cases that do
/// not vary the bootstrap draws nothing else.
pub fn spread(estimate: &Estimate) -> Option<&Interval> {
    let wide = estimate.intervals.iter().find(|i| i.lower < i.upper);
    wide.or(estimate.intervals.first())
}

/// Whether [`spread`] is not the declared interval.
pub fn collapsed(estimate: &Estimate) -> bool {
    estimate.intervals.first().is_some_and(|i| i.lower >= i.upper)
        && estimate.intervals.iter().any(|i| i.lower < i.upper)
}
