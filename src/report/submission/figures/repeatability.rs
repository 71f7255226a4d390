//! Differences of two images of a patient against their mean (Bland and Altman 1986).

use crate::document::canvas::{Anchor, BLUE, Canvas, INK, MUTED, RED, Stroke};
use crate::document::format;
use crate::document::plot::{Axis, LABEL, Plot, with_n};
use crate::study::results::Repeatability;

const WIDTH: f64 = 560.0;
const HEIGHT: f64 = 360.0;

/// Points, the mean difference and both limits of agreement.
pub fn differences(found: &Repeatability) -> Canvas {
    let mut canvas = Canvas::new(WIDTH, HEIGHT);
    let pairs = &found.differences;
    let lines = [
        (Some(pairs.mean.value), Stroke::new(INK, 1.4), "mean"),
        (pairs.lower.map(|l| l.value), Stroke::dashed(RED, 1.4), "limit"),
        (pairs.upper.map(|l| l.value), Stroke::dashed(RED, 1.4), "limit"),
    ];
    let reach = found.points.iter().map(|(_, difference)| difference.abs());
    let reach = reach.chain(lines.iter().filter_map(|(at, ..)| at.map(f64::abs))).fold(0.01, f64::max) * 1.1;
    let plot = Plot {
        left: 74.0,
        top: 16.0,
        width: WIDTH - 74.0 - 120.0,
        height: HEIGHT - 80.0,
        x: (0.0, 1.0),
        y: (-reach, reach),
    };
    let x = Axis::nice(&with_n("Mean of both scores", pairs.patients), plot.x, 5, false);
    plot.frame(&mut canvas, &x, &Axis::nice("Second score less first", plot.y, 6, false));
    canvas.line(plot.at(0.0, 0.0), plot.at(1.0, 0.0), Stroke::new(MUTED, 1.0));
    for (mean, difference) in &found.points {
        canvas.circle(plot.at(*mean, *difference), 3.0, "#ffffff", Some(Stroke::new(BLUE, 1.2)));
    }
    for (at, stroke, name) in lines {
        let Some(at) = at else { continue };
        canvas.line(plot.at(0.0, at), plot.at(1.0, at), stroke);
        let words = format!("{name} {}", format::fixed(at, 3));
        canvas.text((plot.right() + 6.0, plot.py(at) + 4.0), LABEL, Anchor::Start, INK, &words);
    }
    canvas
}
