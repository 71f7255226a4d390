//! Figures that only documents of the set have.

use crate::document::canvas::{Anchor, BLUE, Canvas, MUTED, RED, Stroke};
use crate::document::format;
use crate::document::plot::{Axis, CURVE, HALF, LABEL, Plot, SQUARE, with_n};
use crate::document::text;
use crate::document::tree::Figure;
use crate::report::submission::Source;

/// Their ids.
pub const IDS: [&str; 1] = ["f1"];

/// A figure by its id. `None`: there is no such id.
pub fn build(source: &Source, id: &str) -> Option<Figure> {
    if id != "f1" {
        return None;
    }
    let results = &source.results;
    let threshold = format::threshold(results.operating_point.threshold);
    let caption = format!(
        "F1 score over thresholds on the analysed cases ({}), at the share of positive cases there. \
         Exploratory: \
         the threshold of {threshold}, the dashed line, was fixed before these cases were opened.",
        format::count(results.flow.analysed)
    );
    let alt = format!(
        "The F1 score, the harmonic mean of precision and recall, against the threshold; the operating point \
         is at \
         {threshold}."
    );
    let drawings = if results.curves.precision_recall.is_empty() { Vec::new() } else { vec![f1(source)] };
    Some(Figure::drawn(id, (caption, alt), drawings, |_| text::humanise("F1 over thresholds")))
}

fn f1(source: &Source) -> Canvas {
    let results = &source.results;
    let points = results.curves.precision_recall.iter().filter(|p| p.threshold.is_finite());
    let points: Vec<(f64, f64)> = points
        .map(|p| {
            let sum = p.precision + p.recall;
            (p.threshold, if sum > 0.0 { 2.0 * p.precision * p.recall / sum } else { 0.0 })
        })
        .collect();
    let threshold = results.operating_point.threshold;
    let xs = || points.iter().map(|(x, _)| *x).chain([0.0, 1.0, threshold]);
    let range = (xs().fold(f64::INFINITY, f64::min), xs().fold(f64::NEG_INFINITY, f64::max));
    let mut canvas = Canvas::new(HALF, SQUARE);
    let plot = Plot::square(range, (0.0, 1.0));
    plot.frame(
        &mut canvas,
        &Axis::nice("Threshold", range, 5, false),
        &Axis::nice(&with_n("F1", results.flow.analysed), (0.0, 1.0), 5, false),
    );
    let drawn: Vec<(f64, f64)> = points.iter().map(|(x, y)| plot.at(*x, *y)).collect();
    canvas.polyline(&drawn, Stroke::new(BLUE, CURVE));
    let at = plot.px(threshold);
    canvas.line((at, plot.top), (at, plot.bottom()), Stroke::dashed(RED, 1.4));
    let anchor = if at > plot.left + plot.width / 2.0 { Anchor::End } else { Anchor::Start };
    let aside = if at > plot.left + plot.width / 2.0 { -6.0 } else { 6.0 };
    canvas.text(
        (at + aside, plot.top + 16.0),
        LABEL,
        anchor,
        MUTED,
        &format!("fixed at {}", format::threshold(threshold)),
    );
    canvas
}
