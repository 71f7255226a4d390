//! Points for the figures.

use super::cases::Analysed;
use crate::study::results::ScoreHistogram;

/// The band is a picture: more replicates than this do not change it visibly.
pub(super) const BAND_REPLICATES: u64 = 1000;

/// How many bins the score histogram has.
pub(super) const BINS: usize = 20;

pub(super) fn histogram(analysed: &[Analysed]) -> ScoreHistogram {
    let mut histogram = ScoreHistogram {
        edges: (0..=BINS).map(|k| k as f64 / BINS as f64).collect(),
        positives: vec![0; BINS],
        negatives: vec![0; BINS],
    };
    for case in analysed {
        let after = histogram.edges.partition_point(|edge| *edge <= case.score);
        let bin = after.saturating_sub(1).min(BINS - 1);
        let counts = if case.positive { &mut histogram.positives } else { &mut histogram.negatives };
        counts[bin] += 1;
    }
    histogram
}
