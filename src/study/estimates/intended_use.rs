//! Calibration and net benefit at the prevalence of intended use, where the protocol declares them.

use super::cases::{Analysed, Columns};
use crate::protocol::Protocol;
use crate::statistics::intended_use::{Cases, Known, calibration, net_benefit, treat_all};
use crate::study::results::{CalibrationInUse, InIntendedUse, Limited, NetBenefit, Rules};

/// Nothing where neither is declared.
pub(super) fn in_intended_use(
    protocol: &Protocol,
    analysed: &[Analysed],
    rules: Rules,
) -> Option<InIntendedUse> {
    let analysis = &protocol.analysis;
    let prevalence = analysis.intended_use_prevalence?;
    if !analysis.calibration_in_use && analysis.net_benefit_thresholds.is_empty() {
        return None;
    }
    let columns = Columns::of(analysed);
    let cases = Cases { labels: &columns.labels, scores: &columns.scores, patients: &columns.patients };
    // Where nothing varies a sum of zeros is left as rounding: that is no interval.
    let spread = |(lower, upper): (f64, f64)| rules == Rules::First || upper - lower > 1e-9;
    let limited = |known: Known| Limited { value: known.value, limits: known.limits.filter(|l| spread(*l)) };
    let level = analysis.level;
    let calibrated = analysis.calibration_in_use.then(|| calibration(&cases, prevalence, level)).flatten();
    let thresholds = analysis.net_benefit_thresholds.iter();
    Some(InIntendedUse {
        prevalence,
        level,
        calibration: calibrated.map(|found| CalibrationInUse {
            mean_score: found.mean_score,
            observed_to_expected: found.observed_to_expected.map(limited),
            intercept: found.intercept.map(limited),
            slope: found.slope.map(limited),
        }),
        net_benefit: thresholds
            .filter_map(|&threshold| {
                let device = limited(net_benefit(&cases, prevalence, threshold, level)?);
                Some(NetBenefit { threshold, device, treat_all: treat_all(prevalence, threshold) })
            })
            .collect(),
    })
}
