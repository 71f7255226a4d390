//! Figures of a comparison: several models in one picture, each with its own colour, or side by side.

use super::differences::spread;
use crate::comparison::{Comparison, Contender, Epoch};
use crate::document::canvas::{Anchor, BAND, BLUE, Canvas, INK, MUTED, RED, Stroke};
use crate::document::plot::{self, AXIS, Axis, CURVE, HALF, LABEL, Plot, SMALL, SQUARE, TITLE, stroke};
use crate::document::tree::Figure;
use crate::document::{format, text};
use crate::report::wording;

/// The ids of all figures, for the error that names them.
pub const IDS: &[&str] =
    &["auc", "roc", "precision-recall", "thresholds", "confusion", "calibration", "training"];

/// From the lower edge of a plot past its axis to the first entry of the legend.
const BELOW: f64 = SQUARE - 12.0 - 318.0 + 10.0;

/// Height of an entry.
const LINE: f64 = 18.0;

/// Panels that stand in one row.
const COLUMNS: usize = 2;

fn unit(title: &str) -> Axis {
    Axis::nice(title, (0.0, 1.0), 5, false)
}

/// A figure by its id. `None`: there is no such id.
pub fn build(comparison: &Comparison, id: &str) -> Option<Figure> {
    let level = format::level(comparison.method.level);
    let names: Vec<&str> = comparison.contenders.iter().map(|c| c.name.as_str()).collect();
    let names = names.join(", ");
    let (caption, alt, canvases) = match id {
        "auc" => (
            format!(
                "Area under the ROC curve with {level} confidence intervals. Overlapping intervals do \
                     not say whether a paired difference is shown; the tests do."
            ),
            format!("Forest plot of the AUC of {names}; the numbers are those of the table of contenders."),
            vec![forest(comparison)],
        ),
        "roc" => (
            "ROC curves. Dots are the operating points.".to_owned(),
            format!(
                "ROC curves, sensitivity against one minus specificity, of {names}, with their \
                     operating points."
            ),
            vec![roc(comparison)],
        ),
        "precision-recall" => (
            "Precision-recall curves at the prevalence of these cases, as steps whose area is the average \
             precision. Dots are the operating points; the dashed line is the prevalence."
                .to_owned(),
            format!("Precision-recall curves of {names}, with their operating points."),
            vec![precision_recall(comparison)],
        ),
        "thresholds" => (
            "Sensitivity and specificity over thresholds. The dashed line is the operating point.".to_owned(),
            format!("For each of {names}: sensitivity falling and specificity rising with the threshold."),
            rows_of(&comparison.contenders, |c| !c.curves.thresholds.is_empty(), (290.0, 2), thresholds),
        ),
        "confusion" => (
            "Cases by call and by label at each operating point.".to_owned(),
            format!("Two by two tables of {names}; the numbers are those of the table of counts."),
            rows_of(&comparison.contenders, |c| c.confusion.is_some(), (240.0, 3), confusion),
        ),
        "calibration" => (
            "Reliability: share of positives against mean score in ten bins of equal width; bins without \
             cases are left out. On the dashed line scores are probabilities."
                .to_owned(),
            format!("Reliability curves of {names}; the diagonal is ideal."),
            vec![calibration(comparison)],
        ),
        "training" => (
            "Training curves on the same scales: loss on training and on tuning cases above, AUC on the \
             tuning cases below. Dashed lines separate stages; the ring marks the epoch whose weights were \
             kept."
                .to_owned(),
            format!("Training curves side by side of {names}."),
            training(&comparison.contenders),
        ),
        _ => return None,
    };
    Some(Figure::drawn(id, (caption, alt), canvases, |_| text::humanise(id)))
}

/// The training curve of one run as an SVG file.
pub fn training_svg(name: &str, epochs: &[Epoch]) -> String {
    let mut canvas = Canvas::new(430.0, 400.0);
    learning(&mut canvas, (0.0, 0.0), name, epochs, &Scales::of(epochs));
    canvas.finish(
        &format!("Training of {name}"),
        &format!(
            "Losses on training and tuning cases, and AUC on tuning cases, over {} epochs",
            epochs.len()
        ),
    )
}

/// Panels side by side in rows of a height; as many rows in an image as fit on a page beside other things.
fn rows_of(
    contenders: &[Contender],
    has: impl Fn(&Contender) -> bool,
    (height, rows): (f64, usize),
    draw: impl Fn(&mut Canvas, (f64, f64), &Contender),
) -> Vec<Canvas> {
    let shown: Vec<&Contender> = contenders.iter().filter(|c| has(c)).collect();
    shown
        .chunks(COLUMNS * rows)
        .map(|page| {
            let mut canvas = Canvas::new(800.0, height * page.len().div_ceil(COLUMNS) as f64);
            for (index, contender) in page.iter().enumerate() {
                let (row, column) = (index / COLUMNS, index % COLUMNS);
                draw(&mut canvas, (400.0 * column as f64, height * row as f64), contender);
            }
            canvas
        })
        .collect()
}

/// Names and colours below a plot, where they cannot cover a curve.
fn legend(canvas: &mut Canvas, plot: &Plot, entries: &[(usize, String)]) {
    for (row, (index, words)) in entries.iter().enumerate() {
        let y = plot.bottom() + BELOW + LINE * row as f64;
        canvas.line((plot.left, y), (plot.left + 30.0, y), stroke(*index));
        plot::mark(canvas, (plot.left + 15.0, y), *index);
        let words = text::fit(words, LABEL, plot.width - 38.0);
        canvas.text((plot.left + 37.0, y + 4.2), LABEL, Anchor::Start, INK, &words);
    }
}

fn named(comparison: &Comparison, id: &str, label: &str) -> Vec<(usize, String)> {
    let words = |c: &Contender| match c.estimate(id) {
        Some(e) => format!("{}: {label} {}", c.name, wording::value(e)),
        None => c.name.clone(),
    };
    comparison.contenders.iter().map(words).enumerate().collect()
}

/// A square plot with room for the legend below.
fn square(entries: usize) -> (Canvas, Plot) {
    let plot = Plot::square((0.0, 1.0), (0.0, 1.0));
    (Canvas::new(HALF, plot.bottom() + BELOW + LINE * entries as f64), plot)
}

fn roc(comparison: &Comparison) -> Canvas {
    let (mut canvas, plot) = square(comparison.contenders.len());
    plot.frame(&mut canvas, &unit("1 \u{2212} specificity"), &unit("Sensitivity"));
    canvas.line(plot.at(0.0, 0.0), plot.at(1.0, 1.0), Stroke::dashed(MUTED, 1.0));
    for (index, contender) in comparison.contenders.iter().enumerate() {
        let points: Vec<(f64, f64)> = contender.curves.roc.iter().map(|p| plot.at(p.fpr, p.tpr)).collect();
        if !points.is_empty() {
            canvas.polyline(&points, stroke(index));
        }
    }
    for (index, contender) in comparison.contenders.iter().enumerate() {
        let at = |id: &str| contender.estimate(id).and_then(|e| e.value);
        if let (Some(sensitivity), Some(specificity)) = (at("sensitivity"), at("specificity")) {
            plot::mark(&mut canvas, plot.at(1.0 - specificity, sensitivity), index);
        }
    }
    legend(&mut canvas, &plot, &named(comparison, "auc", "AUC"));
    canvas
}

fn precision_recall(comparison: &Comparison) -> Canvas {
    let (mut canvas, plot) = square(comparison.contenders.len());
    plot.frame(&mut canvas, &unit("Recall (sensitivity)"), &unit("Precision (PPV)"));
    let data = &comparison.data;
    if data.cases > 0 {
        let prevalence = data.positives as f64 / data.cases as f64;
        canvas.line(plot.at(0.0, prevalence), plot.at(1.0, prevalence), Stroke::dashed(MUTED, 1.0));
    }
    for (index, contender) in comparison.contenders.iter().enumerate() {
        // As steps: the area below them is the average precision.
        let mut points = Vec::new();
        let mut before = 0.0;
        for point in contender.curves.precision_recall.iter().filter(|p| p.recall > 0.0) {
            points.push(plot.at(before, point.precision));
            points.push(plot.at(point.recall, point.precision));
            before = point.recall;
        }
        if !points.is_empty() {
            canvas.polyline(&points, stroke(index));
        }
        let at = |id: &str| contender.estimate(id).and_then(|e| e.value);
        if let (Some(recall), Some(precision)) = (at("sensitivity"), at("ppv")) {
            plot::mark(&mut canvas, plot.at(recall, precision), index);
        }
    }
    legend(&mut canvas, &plot, &named(comparison, "average_precision", "average precision"));
    canvas
}

fn calibration(comparison: &Comparison) -> Canvas {
    let (mut canvas, plot) = square(comparison.contenders.len());
    plot.frame(&mut canvas, &unit("Mean score"), &unit("Share of positives"));
    canvas.line(plot.at(0.0, 0.0), plot.at(1.0, 1.0), Stroke::dashed(MUTED, 1.0));
    for (index, contender) in comparison.contenders.iter().enumerate() {
        let points: Vec<(f64, f64)> =
            contender.curves.reliability.iter().map(|p| plot.at(p.mean_score, p.observed)).collect();
        if points.is_empty() {
            continue;
        }
        canvas.polyline(&points, stroke(index));
        for point in &points {
            plot::mark(&mut canvas, *point, index);
        }
    }
    legend(&mut canvas, &plot, &named(comparison, "brier", "Brier"));
    canvas
}

fn forest(comparison: &Comparison) -> Canvas {
    let rows = comparison.contenders.len() as f64;
    let limits: Vec<(f64, f64, f64)> = comparison
        .contenders
        .iter()
        .filter_map(|c| {
            let auc = c.estimate("auc")?;
            let value = auc.value?;
            let (low, high) = spread(auc).map_or((value, value), |i| (i.lower, i.upper));
            Some((value, low, high))
        })
        .collect();
    let low = limits.iter().map(|l| l.1).fold(f64::INFINITY, f64::min);
    let high = limits.iter().map(|l| l.2).fold(f64::NEG_INFINITY, f64::max);
    let (low, high) = if low.is_finite() { (low, high) } else { (0.0, 1.0) };
    let margin = ((high - low) * 0.06).max(0.005);
    let range = (low - margin, high + margin);
    let height = 26.0 * rows;
    let mut canvas = Canvas::new(720.0, height + 76.0);
    let plot = Plot { left: 190.0, top: 12.0, width: 330.0, height, x: range, y: (0.0, rows) };
    plot.scale(&mut canvas, &Axis::nice("AUC", range, 5, false));
    for (index, contender) in comparison.contenders.iter().enumerate() {
        let y = plot.py(rows - 0.5 - index as f64);
        let name = text::fit(&contender.name, LABEL, 160.0);
        canvas.text((plot.left - 12.0, y + 4.5), LABEL, Anchor::End, INK, &name);
        let Some(auc) = contender.estimate("auc") else { continue };
        let limits = spread(auc).map(|i| wording::limits(i, wording::style(auc)));
        let words = format!("{} ({})", wording::value(auc), limits.as_deref().unwrap_or("\u{2013}"));
        canvas.text((plot.right() + 12.0, y + 4.5), LABEL, Anchor::Start, INK, &words);
        let Some(value) = auc.value else { continue };
        if let Some(interval) = spread(auc) {
            canvas.line((plot.px(interval.lower), y), (plot.px(interval.upper), y), Stroke::new(MUTED, 1.6));
        }
        plot::mark(&mut canvas, (plot.px(value), y), index);
    }
    canvas
}

fn thresholds(canvas: &mut Canvas, (left, top): (f64, f64), contender: &Contender) {
    let points = &contender.curves.thresholds;
    let x = (points.first().map_or(0.0, |p| p.threshold), points.last().map_or(1.0, |p| p.threshold));
    let plot = Plot { left: left + 64.0, top: top + 30.0, width: 318.0, height: 204.0, x, y: (0.0, 1.0) };
    plot.frame(canvas, &Axis::nice("Threshold", x, 5, false), &unit("Share"));
    let name = text::fit(&contender.name, 13.0, 130.0);
    canvas.bold((plot.left, top + 20.0), TITLE, Anchor::Start, INK, &name);
    for (label, series, at) in [("Sensitivity", 0, 130.0), ("Specificity", 1, 228.0)] {
        canvas.line((plot.left + at, top + 16.0), (plot.left + at + 20.0, top + 16.0), stroke(series));
        canvas.text((plot.left + at + 25.0, top + 20.0), LABEL, Anchor::Start, INK, label);
    }
    if let Some(point) = &contender.operating_point {
        let at = plot.px(point.threshold.clamp(x.0, x.1));
        canvas.line((at, plot.top), (at, plot.bottom()), Stroke::dashed(INK, AXIS));
    }
    let line = |value: fn(&crate::comparison::ThresholdPoint) -> f64| -> Vec<(f64, f64)> {
        points.iter().map(|p| plot.at(p.threshold, value(p))).collect()
    };
    canvas.polyline(&line(|p| p.sensitivity), stroke(0));
    canvas.polyline(&line(|p| p.specificity), stroke(1));
}

fn confusion(canvas: &mut Canvas, (left, top): (f64, f64), contender: &Contender) {
    let Some(table) = &contender.confusion else { return };
    let (x0, y0, width, height) = (left + 110.0, top + 56.0, 135.0, 80.0);
    let name = text::fit(&contender.name, 13.0, 320.0);
    canvas.bold((left + 20.0, top + 20.0), TITLE, Anchor::Start, INK, &name);
    for (index, (call, label)) in
        [("Called positive", "Positive"), ("Called negative", "Negative")].into_iter().enumerate()
    {
        let shift = index as f64 + 0.5;
        canvas.text((x0 + width * shift, y0 - 10.0), LABEL, Anchor::Middle, INK, label);
        canvas.text((x0 - 8.0, y0 + height * shift + 4.0), LABEL, Anchor::End, INK, call);
    }
    let cells = [
        (0.0, 0.0, table.true_positives, "true positives", BAND, BLUE),
        (1.0, 0.0, table.false_positives, "false positives", "#f7e6df", RED),
        (0.0, 1.0, table.false_negatives, "false negatives", "#f7e6df", RED),
        (1.0, 1.0, table.true_negatives, "true negatives", BAND, BLUE),
    ];
    for (column, row, count, words, fill, ink) in cells {
        let (x, y) = (x0 + column * width, y0 + row * height);
        canvas.rect(x, y, width, height, fill, Some(Stroke::new("#ffffff", 3.0)));
        canvas.bold((x + width / 2.0, y + 42.0), 20.0, Anchor::Middle, ink, &format::count(count));
        canvas.text((x + width / 2.0, y + 60.0), SMALL, Anchor::Middle, INK, words);
    }
}

/// What the axes of training curves span.
struct Scales {
    last: u32,
    loss: (f64, f64),
    auc: (f64, f64),
}

impl Scales {
    fn of<'a>(epochs: impl IntoIterator<Item = &'a Epoch> + Clone) -> Self {
        let span = |values: &mut dyn Iterator<Item = f64>| {
            let (low, high) = values
                .filter(|y| y.is_finite())
                .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), y| (l.min(y), h.max(y)));
            let (low, high) = if low.is_finite() { (low, high) } else { (0.0, 1.0) };
            let margin = ((high - low) * 0.08).max(0.005);
            (low - margin, high + margin)
        };
        let all = || epochs.clone().into_iter();
        Self {
            last: all().map(|e| e.epoch).max().unwrap_or(1),
            loss: span(&mut all().flat_map(|e| [e.training_loss, e.tuning_loss])),
            auc: span(&mut all().map(|e| e.tuning_auc)),
        }
    }
}

/// On the same scales, so that panels can be compared.
fn training(contenders: &[Contender]) -> Vec<Canvas> {
    let scales = Scales::of(contenders.iter().flat_map(|c| &c.training));
    let draw = |canvas: &mut Canvas, corner: (f64, f64), c: &Contender| {
        learning(canvas, corner, &c.name, &c.training, &scales);
    };
    rows_of(contenders, |c| !c.training.is_empty(), (400.0, 2), draw)
}

/// Losses above, AUC below.
fn learning(canvas: &mut Canvas, (left, above): (f64, f64), name: &str, epochs: &[Epoch], scales: &Scales) {
    let last = scales.last;
    let name = text::fit(name, 13.0, 130.0);
    canvas.bold((left + 70.0, above + 20.0), TITLE, Anchor::Start, INK, &name);
    for (label, series, at) in [("Training loss", 1, 176.0), ("Tuning loss", 0, 286.0)] {
        canvas.line((left + at, above + 16.0), (left + at + 20.0, above + 16.0), stroke(series));
        canvas.text((left + at + 24.0, above + 20.0), LABEL, Anchor::Start, INK, label);
    }
    let series = |value: fn(&Epoch) -> f64| -> Vec<(f64, f64)> {
        epochs.iter().map(|e| (f64::from(e.epoch), value(e))).filter(|(_, y)| y.is_finite()).collect()
    };
    let losses = [(series(|e| e.training_loss), 1), (series(|e| e.tuning_loss), 0)];
    let auc = series(|e| e.tuning_auc);
    // Of equals the first is kept.
    let kept = auc.iter().copied().reduce(|best, e| if e.1 > best.1 { e } else { best });
    let panels = [
        ("Loss", &losses[..], scales.loss, above + 30.0),
        ("AUC, tuning split", &[(auc, 0)][..], scales.auc, above + 204.0),
    ];
    for (index, (title, lines, y, top)) in panels.into_iter().enumerate() {
        let x = (0.5, f64::from(last) + 0.5);
        let plot = Plot { left: left + 70.0, top, width: 312.0, height: 140.0, x, y };
        let mut ticks = Axis::nice(if index == 0 { "" } else { "Epoch" }, (1.0, f64::from(last)), 6, true);
        for tick in ticks.ticks.iter_mut().filter(|_| index == 0) {
            tick.1.clear();
        }
        plot.frame(canvas, &ticks, &Axis::nice(title, y, 4, false));
        for pair in epochs.windows(2) {
            if let [a, b] = pair
                && a.stage != b.stage
            {
                let at = plot.px((f64::from(a.epoch) + f64::from(b.epoch)) / 2.0);
                canvas.line((at, plot.top), (at, plot.bottom()), Stroke::dashed(INK, 1.0));
            }
        }
        for (points, look) in lines {
            let drawn: Vec<(f64, f64)> = points.iter().map(|(x, y)| plot.at(*x, *y)).collect();
            if !drawn.is_empty() {
                canvas.polyline(&drawn, stroke(*look));
            }
            for point in drawn {
                canvas.circle(point, 2.6, plot::color(*look), None);
            }
        }
        if let Some((epoch, value)) = kept.filter(|_| index == 1) {
            canvas.circle(plot.at(epoch, value), 5.2, "#ffffff", Some(Stroke::new(BLUE, CURVE)));
        }
    }
}
