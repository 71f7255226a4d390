//! Forest plot of subgroups: one row a subgroup, one panel a metric.

use crate::document::canvas::{Anchor, BLUE, Canvas, GRID, INK, MUTED, PAPER, Stroke};
use crate::document::plot::{Plot, nice_step};
use crate::document::{format, text};
use crate::report::submission::subgroups::{in_subgroup, is_insufficient, subgroup_levels};
use crate::report::wording;
use crate::statistics::estimate::Estimate;
use crate::study::results::Results;

const ROW: f64 = 21.0;
const ROWS_A_DRAWING: usize = 21;
const LABELS: f64 = 232.0;
const PANEL: f64 = 142.0;
const GAP: f64 = 32.0;
const TOP: f64 = 46.0;

enum Line {
    Head(String),
    Level { variable: String, level: String },
}

/// Drawings of about half a page: many subgroups need several.
pub fn images(results: &Results) -> Vec<Canvas> {
    let mut pages: Vec<Vec<Line>> = vec![Vec::new()];
    let mut current = String::new();
    for (variable, level) in subgroup_levels(results) {
        let full = pages.last().is_some_and(|page| page.len() + 2 > ROWS_A_DRAWING);
        if full {
            pages.push(Vec::new());
            current.clear();
        }
        if let Some(page) = pages.last_mut() {
            if variable != current {
                page.push(Line::Head(text::humanise(&variable)));
                current.clone_from(&variable);
            }
            page.push(Line::Level { variable, level });
        }
    }
    let range = range(results);
    pages.iter().map(|page| draw(results, page, range)).collect()
}

/// The same scale on all panels and pages: from a round number below the lowest limit to 1.
fn range(results: &Results) -> (f64, f64) {
    let lowest = results
        .estimates
        .iter()
        .filter(|e| matches!(e.id.as_str(), "auc" | "sensitivity" | "specificity"))
        .filter(|e| e.scenario.is_none() && !(e.subgroup.is_some() && is_insufficient(results, e)))
        .filter_map(|e| e.intervals.first().map(|i| i.lower).or(e.value))
        .fold(0.9, f64::min);
    (((lowest * 10.0).floor() / 10.0).clamp(0.0, 0.9), 1.0)
}

fn draw(results: &Results, lines: &[Line], range: (f64, f64)) -> Canvas {
    let metrics = ["auc", "sensitivity", "specificity"];
    let height = ROW * lines.len().max(1) as f64;
    let mut canvas = Canvas::new(LABELS + 3.0 * PANEL + 2.0 * GAP + 24.0, TOP + height + 40.0);
    canvas.bold((4.0, TOP - 14.0), 12.0, Anchor::Start, INK, "Subgroup");
    canvas.bold((LABELS - 16.0, TOP - 14.0), 12.0, Anchor::End, INK, "Cases");
    if lines.is_empty() {
        canvas.text((4.0, TOP + 15.0), 12.0, Anchor::Start, MUTED, "The protocol declares no subgroups.");
    }
    for (index, line) in lines.iter().enumerate() {
        let y = TOP + ROW * index as f64;
        match line {
            Line::Head(name) => {
                canvas.rect(0.0, y, LABELS + 3.0 * PANEL + 2.0 * GAP + 24.0, ROW, PAPER, None);
                canvas.bold((4.0, y + 15.0), 12.0, Anchor::Start, INK, &text::fit(name, 12.5, LABELS - 20.0));
            }
            Line::Level { variable, level } => {
                let all = metrics.iter().find_map(|id| in_subgroup(results, id, variable, level));
                let cases = all.map_or_else(|| "\u{2013}".to_owned(), |e| format::count(e.n));
                canvas.text(
                    (14.0, y + 15.0),
                    12.0,
                    Anchor::Start,
                    INK,
                    &text::fit(level, 12.0, LABELS - 78.0),
                );
                canvas.text((LABELS - 16.0, y + 15.0), 12.0, Anchor::End, INK, &cases);
            }
        }
    }
    for (index, id) in metrics.iter().enumerate() {
        let left = LABELS + index as f64 * (PANEL + GAP);
        let plot = Plot { left, top: TOP, width: PANEL, height, x: range, y: (0.0, 1.0) };
        panel(&mut canvas, &plot, results, id, lines);
    }
    canvas
}

fn panel(canvas: &mut Canvas, plot: &Plot, results: &Results, id: &str, lines: &[Line]) {
    let title = wording::metric(id);
    canvas.bold((plot.left + plot.width / 2.0, TOP - 14.0), 12.0, Anchor::Middle, INK, &title);
    let step = nice_step(plot.x.1 - plot.x.0, 4, false).max(0.1);
    let mut index = (plot.x.0 / step - 1e-9).ceil();
    while index * step <= plot.x.1 + 1e-9 {
        let at = plot.px(index * step);
        canvas.line((at, plot.top), (at, plot.bottom() + 4.0), Stroke::new(GRID, 1.0));
        let label = format::fixed(index * step, 1);
        canvas.text((at, plot.bottom() + 18.0), 11.0, Anchor::Middle, INK, &label);
        index += 1.0;
    }
    canvas.line((plot.left, plot.bottom()), (plot.right(), plot.bottom()), Stroke::new(INK, 1.0));
    let overall = results
        .estimates
        .iter()
        .find(|e| e.id == id && e.subgroup.is_none() && e.scenario.is_none() && e.prevalence.is_none());
    if let Some(value) = overall.and_then(|e| e.value)
        && (plot.x.0..=plot.x.1).contains(&value)
    {
        let at = plot.px(value);
        canvas.line((at, plot.top), (at, plot.bottom()), Stroke::dashed(MUTED, 1.1));
    }
    for (index, line) in lines.iter().enumerate() {
        let Line::Level { variable, level } = line else { continue };
        let y = TOP + ROW * (index as f64 + 0.5);
        match in_subgroup(results, id, variable, level) {
            Some(estimate) if estimate.value.is_some() => mark(canvas, plot, results, estimate, y),
            Some(_) => {
                canvas.text(
                    (plot.left + plot.width / 2.0, y + 4.0),
                    10.5,
                    Anchor::Middle,
                    MUTED,
                    "not evaluable",
                );
            }
            None => {
                canvas.text((plot.left + plot.width / 2.0, y + 4.0), 11.0, Anchor::Middle, MUTED, "\u{2013}")
            }
        }
    }
}

fn mark(canvas: &mut Canvas, plot: &Plot, results: &Results, estimate: &Estimate, y: f64) {
    let open = is_insufficient(results, estimate);
    let color = if open { MUTED } else { BLUE };
    let inside = |x: f64| x.clamp(plot.x.0, plot.x.1);
    if let Some(interval) = estimate.intervals.first() {
        let (lower, upper) = (plot.px(inside(interval.lower)), plot.px(inside(interval.upper)));
        canvas.line((lower, y), (upper, y), Stroke::new(color, 1.6));
        // A limit outside the scale is an arrow head, inside it is a bar.
        if interval.lower < plot.x.0 {
            canvas.polygon(&[(lower, y), (lower + 6.0, y - 3.5), (lower + 6.0, y + 3.5)], color);
        } else {
            canvas.line((lower, y - 3.5), (lower, y + 3.5), Stroke::new(color, 1.6));
        }
        canvas.line((upper, y - 3.5), (upper, y + 3.5), Stroke::new(color, 1.6));
    }
    if let Some(value) = estimate.value.filter(|v| (plot.x.0..=plot.x.1).contains(v)) {
        let x = plot.px(value);
        let fill = if open { "#ffffff" } else { color };
        canvas.rect(x - 3.8, y - 3.8, 7.6, 7.6, fill, Some(Stroke::new(color, 1.4)));
    }
}
