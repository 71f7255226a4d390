//! How often cases of a score are positive, from the recorded histogram of scores.

use crate::document::canvas::{BLUE, Canvas, INK, MUTED, Stroke};
use crate::document::plot::{self, Axis, CURVE, HALF, Plot, SQUARE};
use crate::report::submission::source::Source;
use crate::statistics::proportion::clopper_pearson;
use crate::study::results::ScoreHistogram;

/// Bins of the recorded histogram that are one point.
const MERGED: usize = 2;

/// A bin: its middle, positives and cases.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Bin {
    middle: f64,
    positives: u64,
    cases: u64,
}

/// Bins that have cases.
fn bins(histogram: &ScoreHistogram) -> Vec<Bin> {
    let edges = histogram.edges.windows(2).collect::<Vec<_>>();
    edges
        .chunks(MERGED)
        .enumerate()
        .filter_map(|(place, chunk)| {
            let (low, high) = (*chunk.first()?.first()?, *chunk.last()?.last()?);
            let sum = |counts: &[u64]| -> u64 { counts.iter().skip(place * MERGED).take(chunk.len()).sum() };
            let (positives, negatives) = (sum(&histogram.positives), sum(&histogram.negatives));
            let cases = positives + negatives;
            (cases > 0).then_some(Bin { middle: f64::midpoint(low, high), positives, cases })
        })
        .collect()
}

/// Points with exact intervals, and the line on which scores are shares.
pub fn draw(source: &Source) -> Canvas {
    let results = &source.results;
    let mut canvas = Canvas::new(HALF, SQUARE);
    let plot = Plot::square((0.0, 1.0), (0.0, 1.0));
    let title = plot::with_n("Share of positive cases", results.flow.analysed);
    plot.frame(
        &mut canvas,
        &Axis::nice("Score, middle of its bin", (0.0, 1.0), 5, false),
        &Axis::nice(&title, (0.0, 1.0), 5, false),
    );
    canvas.line(plot.at(0.0, 0.0), plot.at(1.0, 1.0), Stroke::dashed(MUTED, 1.0));
    let bins = bins(&results.curves.histogram);
    if bins.is_empty() {
        plot.nothing(&mut canvas, "no cases");
        return canvas;
    }
    let share = |bin: &Bin| bin.positives as f64 / bin.cases as f64;
    let points: Vec<(f64, f64)> = bins.iter().map(|bin| plot.at(bin.middle, share(bin))).collect();
    for (bin, (x, _)) in bins.iter().zip(&points) {
        let (lower, upper) = clopper_pearson(bin.positives, bin.cases, results.method.level);
        canvas.line((*x, plot.py(lower)), (*x, plot.py(upper)), Stroke::new(INK, 1.0));
        for limit in [lower, upper] {
            canvas.line((x - 3.0, plot.py(limit)), (x + 3.0, plot.py(limit)), Stroke::new(INK, 1.0));
        }
    }
    canvas.polyline(&points, Stroke::new(BLUE, CURVE));
    for point in points {
        plot::mark(&mut canvas, point, 0);
    }
    canvas
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_merged_and_none_is_lost() {
        let histogram = ScoreHistogram {
            edges: (0..=5).map(|i| f64::from(i) / 5.0).collect(),
            positives: vec![0, 1, 0, 0, 7],
            negatives: vec![4, 0, 0, 0, 0],
        };
        let found = bins(&histogram);
        let expected = [(0.2, 1, 5), (0.9, 7, 7)].map(|(m, p, c)| (format!("{m:.6}"), p, c));
        let found: Vec<(String, u64, u64)> =
            found.iter().map(|b| (format!("{:.6}", b.middle), b.positives, b.cases)).collect();
        assert_eq!(found, expected);
        let none = ScoreHistogram { edges: Vec::new(), positives: Vec::new(), negatives: Vec::new() };
        assert!(bins(&none).is_empty());
    }
}
