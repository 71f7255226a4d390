//! Power against the number of sampled cases, one drawing an endpoint.

use super::Source;
use crate::document::canvas::{Anchor, BLUE, Canvas, INK, MUTED, RED, Stroke};
use crate::document::plot::{AXIS, Axis, CURVE, HALF, LABEL, Plot, TITLE};
use crate::document::tree::Figure;
use crate::document::{format, text};
use crate::report::wording;
use crate::statistics::metric::Metric;
use crate::study::planning::PlannedEndpoint;

/// Two drawings stand beside each other.
const WIDTH: f64 = HALF + 10.0;
const HEIGHT: f64 = 316.0;

/// Every endpoint that has a curve; a figure without drawings where none has.
pub fn power(source: &Source) -> Figure {
    let goals = source.protocol.endpoints.iter().zip(&source.plan.endpoints).map(|(endpoint, planned)| {
        let criterion = endpoint.criterion.as_ref().map_or("", |c| c.text.as_str());
        let title = format!("{}: {criterion}", wording::metric(endpoint.metric.id()));
        Drawn { title, metric: endpoint.metric, planned }
    });
    let compared = source.protocol.comparisons.iter().zip(&source.plan.comparisons);
    let compared = compared.map(|(endpoint, planned)| {
        let metric = wording::metric(endpoint.metric.id());
        let title = format!("{metric}: {}, margin {}", endpoint.aim.id(), endpoint.margin);
        Drawn { title, metric: endpoint.metric, planned }
    });
    let drawn: Vec<Drawn> = goals.chain(compared).filter(|d| !d.planned.curve.is_empty()).collect();
    let caption = "Probability that the criterion is met, against the number of sampled cases: at the \
                   expected value, and at both ends of the range that is thought possible. Grey: the \
                   probability that is asked for";
    let alt = "Curves of power against the number of sampled cases, one drawing an endpoint. The table \
               beside it gives the power at the planned size.";
    let columns = if drawn.len() > 1 { 2.0 } else { 1.0 };
    let mut canvas = Canvas::new(WIDTH * columns, HEIGHT * drawn.len().div_ceil(2) as f64);
    for (index, drawn) in drawn.iter().enumerate() {
        let corner = (WIDTH * (index % 2) as f64, HEIGHT * (index / 2) as f64);
        one(&mut canvas, corner, source, drawn);
    }
    let drawings = if drawn.is_empty() { Vec::new() } else { vec![canvas] };
    Figure::drawn("power", (caption.to_owned(), alt.to_owned()), drawings, |_| {
        "Power against the number of cases".to_owned()
    })
}

/// An endpoint with a curve.
struct Drawn<'a> {
    title: String,
    metric: Metric,
    planned: &'a PlannedEndpoint,
}

fn one(canvas: &mut Canvas, (left, top): (f64, f64), source: &Source, drawn: &Drawn<'_>) {
    let Drawn { title, metric, planned } = drawn;
    let value = |v: f64| format::number(v, wording::style_of(metric.id(), false));
    let last = planned.curve.last().map_or(1.0, |point| point.cases as f64).max(1.0);
    let plot = Plot {
        left: left + 62.0,
        top: top + 34.0,
        width: 312.0,
        height: 200.0,
        x: (0.0, last),
        y: (0.0, 1.0),
    };
    canvas.bold(
        (plot.left, top + 18.0),
        TITLE,
        Anchor::Start,
        INK,
        &text::fit(&text::one_line(title), TITLE * 1.1, 310.0),
    );
    let mut y = Axis::nice("Power", (0.0, 1.0), 5, false);
    for (value, label) in &mut y.ticks {
        *label = format::number(*value, format::Style::Percent).replace(".0%", "%");
    }
    plot.frame(canvas, &Axis::nice("Sampled cases", (0.0, last), 5, true), &y);
    canvas.line(
        plot.at(0.0, source.plan.power),
        plot.at(last, source.plan.power),
        Stroke::dashed(MUTED, 1.0),
    );
    let line = |of: &dyn Fn(&crate::study::planning::CurvePoint) -> Option<f64>| -> Vec<(f64, f64)> {
        planned.curve.iter().filter_map(|point| Some(plot.at(point.cases as f64, of(point)?))).collect()
    };
    let (low, high) = (line(&|p| Some(p.at_ends?.0)), line(&|p| Some(p.at_ends?.1)));
    if !low.is_empty() {
        canvas.polyline(&low, Stroke::dashed(BLUE, AXIS));
        canvas.polyline(&high, Stroke::dashed(BLUE, AXIS));
    }
    canvas.polyline(&line(&|p| Some(p.power)), Stroke::new(BLUE, CURVE));
    let mut legend = Vec::new();
    if let Some(expected) = &planned.expected {
        legend.push((Stroke::new(BLUE, CURVE), format!("expected, {}", value(expected.value))));
        if let Some((low, high)) = expected.range {
            let words = format!("{} and {}", value(low), value(high));
            legend.push((Stroke::dashed(BLUE, AXIS), words));
        }
    }
    if let Some(size) = source.plan.planned {
        let x = (size.cases as f64).min(last);
        canvas.line(plot.at(x, 0.0), plot.at(x, 1.0), Stroke::new(RED, AXIS));
        legend.push((Stroke::new(RED, AXIS), format!("planned, {}", format::count(size.cases))));
    }
    for (index, (stroke, words)) in legend.into_iter().enumerate() {
        let (x, y) =
            (plot.left + 165.0 * (index % 2) as f64, plot.bottom() + 64.0 + 18.0 * (index / 2) as f64);
        canvas.line((x, y - 4.0), (x + 22.0, y - 4.0), stroke);
        canvas.text((x + 28.0, y), LABEL, Anchor::Start, INK, &words);
    }
}
