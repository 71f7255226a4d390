//! ROC curve, precision-recall curve, score histogram, confusion matrix, training curves.

use crate::document::canvas::{Anchor, BAND, BLUE, Canvas, GRID, INK, MUTED, RED, RED_LIGHT, Stroke};
use crate::document::plot::{self, AXIS, Axis, CURVE, HALF, LABEL, Plot, SQUARE, TITLE, with_n};
use crate::document::{format, text};
use crate::report::submission::source::{Source, TrainingEpoch};
use crate::report::wording;

fn unit_axis(title: &str) -> Axis {
    Axis::nice(title, (0.0, 1.0), 5, false)
}

pub fn roc(source: &Source) -> Canvas {
    let results = &source.results;
    let curves = &results.curves;
    let mut canvas = Canvas::new(HALF, SQUARE);
    let plot = Plot::square((0.0, 1.0), (0.0, 1.0));
    if !curves.roc_band.is_empty() {
        let mut outline: Vec<(f64, f64)> = curves.roc_band.iter().map(|b| plot.at(b.fpr, b.upper)).collect();
        outline.extend(curves.roc_band.iter().rev().map(|b| plot.at(b.fpr, b.lower)));
        canvas.polygon(&outline, BAND);
    }
    let x = with_n("1 \u{2212} specificity", results.flow.negatives);
    let y = with_n("Sensitivity", results.flow.positives);
    plot.frame(&mut canvas, &unit_axis(&x), &unit_axis(&y));
    if curves.roc.is_empty() {
        plot.nothing(&mut canvas, "The ROC curve is not evaluable.");
        return canvas;
    }
    canvas.line(plot.at(0.0, 0.0), plot.at(1.0, 1.0), Stroke::dashed(MUTED, 1.0));
    let points: Vec<(f64, f64)> = curves.roc.iter().map(|p| plot.at(p.fpr, p.tpr)).collect();
    canvas.polyline(&points, Stroke::new(BLUE, CURVE));
    // The operating point is the last corner that is still called positive at or above the threshold.
    let threshold = results.operating_point.threshold;
    let operating = curves.roc.iter().rfind(|p| p.threshold.is_none_or(|t| t >= threshold));
    let mut legend = vec![("auc", legend_auc(source))];
    if let Some(point) = operating {
        canvas.circle(plot.at(point.fpr, point.tpr), 5.0, RED, Some(Stroke::new("#ffffff", 1.5)));
        legend.push(("point", format!("Operating point, score \u{2265} {}", format::threshold(threshold))));
    }
    if !curves.roc_band.is_empty() {
        let level = format::level(results.method.level);
        legend.push(("band", format!("Pointwise {level} confidence band")));
    }
    let beside = results.beside_readers.as_ref();
    let readers: Vec<(f64, f64)> = beside
        .into_iter()
        .flat_map(|beside| &beside.readers)
        .filter_map(|r| Some((1.0 - r.specificity.reader.value?, r.sensitivity.reader.value?)))
        .collect();
    let mean = beside.and_then(|beside| beside.mean.as_ref());
    if !readers.is_empty() {
        legend.push(("reader", "A reader".to_owned()));
    }
    if let Some(mean) = mean {
        legend.push(("mean", format!("Mean of the {} readers", format::count(mean.readers))));
    }
    // The lower right corner is below the chance line: no useful curve passes there.
    let top = plot.bottom() - 14.0 - 19.0 * (legend.len() as f64 - 1.0) - 12.0;
    let width = legend.iter().map(|(_, l)| text::width(l) * 13.2).fold(0.0, f64::max) + 44.0;
    let left = plot.right() - width - 8.0;
    canvas.rect(
        left,
        top - 8.0,
        width,
        19.0 * legend.len() as f64 + 10.0,
        "#ffffff",
        Some(Stroke::new(GRID, 1.0)),
    );
    for (index, (kind, words)) in legend.iter().enumerate() {
        let y = top + 8.0 + 19.0 * index as f64;
        match *kind {
            "auc" => canvas.line((left + 8.0, y), (left + 30.0, y), Stroke::new(BLUE, CURVE)),
            "point" => canvas.circle((left + 19.0, y), 5.0, RED, None),
            "reader" => square(&mut canvas, (left + 19.0, y)),
            "mean" => diamond(&mut canvas, (left + 19.0, y)),
            _ => canvas.rect(left + 8.0, y - 6.0, 22.0, 12.0, BAND, None),
        }
        canvas.text((left + 36.0, y + 4.2), LABEL, Anchor::Start, INK, words);
    }
    // Above the legend, so that none is hidden.
    for (fpr, tpr) in readers {
        square(&mut canvas, plot.at(fpr, tpr));
    }
    if let Some(mean) = mean {
        diamond(&mut canvas, plot.at(1.0 - mean.specificity, mean.sensitivity));
    }
    canvas
}

/// The mark of a reader.
fn square(canvas: &mut Canvas, (x, y): (f64, f64)) {
    canvas.rect(x - 3.5, y - 3.5, 7.0, 7.0, "#ffffff", Some(Stroke::new(INK, 1.4)));
}

/// The mark of the readers' mean.
fn diamond(canvas: &mut Canvas, (x, y): (f64, f64)) {
    canvas.polygon(&[(x, y - 6.0), (x + 6.0, y), (x, y + 6.0), (x - 6.0, y)], INK);
}

fn legend_auc(source: &Source) -> String {
    let auc = source
        .results
        .estimates
        .iter()
        .find(|e| e.id == "auc" && e.subgroup.is_none() && e.scenario.is_none());
    match auc {
        Some(e) if !e.intervals.is_empty() => format!("AUC {} ({})", wording::value(e), wording::interval(e)),
        Some(e) => format!("AUC {}", wording::value(e)),
        None => "ROC curve".to_owned(),
    }
}

pub fn precision_recall(source: &Source) -> Canvas {
    let results = &source.results;
    let mut canvas = Canvas::new(HALF, SQUARE);
    let plot = Plot::square((0.0, 1.0), (0.0, 1.0));
    let x = with_n("Recall, sensitivity", results.flow.positives);
    let y = with_n("Precision, PPV", results.flow.analysed);
    plot.frame(&mut canvas, &unit_axis(&x), &unit_axis(&y));
    let curve = &results.curves.precision_recall;
    if curve.is_empty() {
        plot.nothing(&mut canvas, "The precision-recall curve was not computed.");
        return canvas;
    }
    let points: Vec<(f64, f64)> = curve.iter().map(|p| plot.at(p.recall, p.precision)).collect();
    canvas.polyline(&points, Stroke::new(BLUE, CURVE));
    let threshold = results.operating_point.threshold;
    if let Some(point) = curve.iter().rfind(|p| p.threshold >= threshold) {
        canvas.circle(plot.at(point.recall, point.precision), 5.0, RED, Some(Stroke::new("#ffffff", 1.5)));
    }
    canvas
}

pub fn histogram(source: &Source) -> Canvas {
    let results = &source.results;
    let h = &results.curves.histogram;
    let mut canvas = Canvas::new(HALF, SQUARE);
    let highest = |counts: &[u64]| counts.iter().copied().max().unwrap_or(0);
    let threshold = results.operating_point.threshold;
    let panels = [
        (with_n("Reference positive", results.flow.positives), &h.positives, RED_LIGHT, RED),
        (with_n("Reference negative", results.flow.negatives), &h.negatives, BAND, BLUE),
    ];
    for (index, (name, counts, fill, edge)) in panels.into_iter().enumerate() {
        let first = index == 0;
        let top = if first { 34.0 } else { 200.0 };
        let max = highest(counts).max(1) as f64;
        let axis = Axis::nice("Cases", (0.0, max), 4, true);
        let upper = axis.ticks.last().map_or(max, |(v, _)| v.max(max)) * 1.02;
        let plot = Plot { left: 74.0, top, width: 304.0, height: 126.0, x: (0.0, 1.0), y: (0.0, upper) };
        let mut x = unit_axis(if first { "" } else { "Score" });
        if first {
            // The scale below serves both.
            for tick in &mut x.ticks {
                tick.1.clear();
            }
        }
        plot.frame(&mut canvas, &x, &axis);
        canvas.bold((plot.left, plot.top - 9.0), LABEL, Anchor::Start, edge, &name);
        for (count, edges) in counts.iter().zip(h.edges.windows(2)) {
            let [low, high] = edges else { continue };
            let (x0, y0) = plot.at(*low, *count as f64);
            canvas.rect(x0, y0, plot.px(*high) - x0, plot.bottom() - y0, fill, Some(Stroke::new(edge, 0.8)));
        }
        if counts.iter().all(|c| *c == 0) {
            plot.nothing(&mut canvas, "no cases");
        }
        let at = plot.px(threshold.clamp(0.0, 1.0));
        canvas.line((at, plot.top - 4.0), (at, plot.bottom()), Stroke::dashed(INK, 1.4));
        if first {
            let words = format!("threshold {}", format::threshold(threshold));
            let (x, anchor) =
                if threshold > 0.7 { (at - 6.0, Anchor::End) } else { (at + 6.0, Anchor::Start) };
            // Above the plot, so that no bar runs through it; to the right of the panel's name.
            let room = plot.left + text::width(&name) * 14.5 + 12.0;
            let x = if anchor == Anchor::Start { x.max(room) } else { x };
            canvas.text((x, plot.top - 9.0), 12.0, anchor, INK, &words);
        }
    }
    canvas
}

pub fn confusion(source: &Source) -> Canvas {
    let c = &source.results.curves.confusion;
    let mut canvas = Canvas::new(HALF, 330.0);
    let (left, top, width, height) = (104.0, 62.0, 142.0, 126.0);
    canvas.text((left + width, 20.0), TITLE, Anchor::Middle, INK, "Reference standard");
    canvas.vertical_text((24.0, top + height), TITLE, INK, "Device");
    let flow = &source.results.flow;
    for (index, (name, n)) in [("Positive", flow.positives), ("Negative", flow.negatives)].iter().enumerate()
    {
        let shift = index as f64;
        let head = with_n(name, *n);
        canvas.bold((left + width * (shift + 0.5), 46.0), LABEL, Anchor::Middle, INK, &head);
        canvas.bold((left - 12.0, top + height * (shift + 0.5) + 4.0), LABEL, Anchor::End, INK, name);
    }
    let cells = [
        (0.0, 0.0, c.true_positives, "true positives", BAND, BLUE),
        (1.0, 0.0, c.false_positives, "false positives", "#f7e6df", RED),
        (0.0, 1.0, c.false_negatives, "false negatives", "#f7e6df", RED),
        (1.0, 1.0, c.true_negatives, "true negatives", BAND, BLUE),
    ];
    for (column, row, count, name, fill, ink) in cells {
        let (x, y) = (left + column * width, top + row * height);
        canvas.rect(x, y, width, height, fill, Some(Stroke::new("#ffffff", 3.0)));
        canvas.bold(
            (x + width / 2.0, y + height / 2.0 + 4.0),
            26.0,
            Anchor::Middle,
            ink,
            &format::count(count),
        );
        canvas.text((x + width / 2.0, y + height / 2.0 + 26.0), LABEL, Anchor::Middle, INK, name);
    }
    canvas
}

pub fn training(source: &Source) -> Canvas {
    let log = &source.training;
    let mut canvas = Canvas::new(640.0, 430.0);
    let last = log.iter().map(|e| e.epoch).max().unwrap_or(1);
    let x = (0.5, f64::from(last) + 0.5);
    let loss: Vec<(f64, f64)> =
        log.iter().filter(|e| e.loss.is_finite()).map(|e| (f64::from(e.epoch), e.loss)).collect();
    let known = |value: fn(&TrainingEpoch) -> Option<f64>| -> Vec<(f64, f64)> {
        log.iter().filter_map(|e| Some((f64::from(e.epoch), value(e).filter(|v| v.is_finite())?))).collect()
    };
    let (tuning_loss, auc) = (known(|e| e.tuning_loss), known(|e| e.tuning_auc));
    let panels = [
        ("Loss", vec![(loss, 1, "training"), (tuning_loss, 0, "tuning")], 24.0),
        ("AUC, tuning split", vec![(auc, 0, "")], 222.0),
    ];
    for (index, (name, series, top)) in panels.into_iter().enumerate() {
        let points = series.iter().flat_map(|(points, ..)| points);
        let (low, high) =
            points.fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), (_, y)| (l.min(*y), h.max(*y)));
        let (low, high) = if low.is_finite() { (low, high) } else { (0.0, 1.0) };
        let margin = ((high - low) * 0.08).max(0.005);
        let y = (low - margin, high + margin);
        let plot = Plot { left: 86.0, top, width: 536.0, height: 154.0, x, y };
        let mut epochs = Axis::nice(if index == 0 { "" } else { "Epoch" }, (1.0, f64::from(last)), 8, true);
        if index == 0 {
            for tick in &mut epochs.ticks {
                tick.1.clear();
            }
        }
        plot.frame(&mut canvas, &epochs, &Axis::nice(name, y, 4, false));
        for pair in log.windows(2) {
            if let [a, b] = pair
                && a.stage != b.stage
            {
                let at = plot.px((f64::from(a.epoch) + f64::from(b.epoch)) / 2.0);
                canvas.line((at, plot.top), (at, plot.bottom()), Stroke::dashed(INK, AXIS));
                if index == 0 {
                    canvas.text(
                        (at - 6.0, plot.top - 8.0),
                        LABEL,
                        Anchor::End,
                        INK,
                        &format!("stage {}", a.stage),
                    );
                    canvas.text(
                        (at + 6.0, plot.top - 8.0),
                        LABEL,
                        Anchor::Start,
                        INK,
                        &format!("stage {}", b.stage),
                    );
                }
            }
        }
        if series.iter().all(|(points, ..)| points.is_empty()) {
            plot.nothing(&mut canvas, "not recorded");
            continue;
        }
        for (place, (points, look, words)) in series.iter().enumerate() {
            let drawn: Vec<(f64, f64)> = points.iter().map(|(x, y)| plot.at(*x, *y)).collect();
            canvas.polyline(&drawn, plot::stroke(*look));
            for point in &drawn {
                canvas.circle(*point, 2.6, plot::color(*look), None);
            }
            if !words.is_empty() && !drawn.is_empty() {
                let y = plot.top + 16.0 + 16.0 * place as f64;
                canvas.line(
                    (plot.right() - 88.0, y - 4.0),
                    (plot.right() - 62.0, y - 4.0),
                    plot::stroke(*look),
                );
                canvas.text((plot.right() - 8.0, y), LABEL, Anchor::End, INK, words);
            }
        }
    }
    canvas
}
