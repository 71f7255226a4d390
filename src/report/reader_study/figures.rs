//! ROC curves of every reader and averaged, and a forest over readers.

use crate::document::canvas::{Anchor, BLUE, Canvas, GRID, INK, MUTED, RED, Stroke};
use crate::document::plot::{Axis, Plot, nice_step};
use crate::document::tree::Figure;
use crate::document::{format, text};
use crate::report::wording;
use crate::study::results::{ReaderEstimate, ReaderMerit, ReaderStudyResult};

/// The ids of all figures.
pub const IDS: &[&str] = &["reader-roc", "reader-forest"];

/// Two drawings stand beside each other.
const HALF: f64 = 390.0;
const ROW: f64 = 21.0;
const TOP: f64 = 40.0;
const LABELS: f64 = 250.0;
const WIDTH: f64 = 620.0;
/// Rows of a forest that one drawing holds.
const ROWS: usize = 30;

/// A figure by its id.
pub fn build(found: &ReaderStudyResult, id: &str) -> Option<Figure> {
    let (caption, alt, images): (String, String, Vec<Canvas>) = match id {
        "reader-roc" => (
            "ROC curves of the readers, one drawing a modality: thin lines are readers, the thick line is \
             the mean of their sensitivities at each false positive rate"
                .to_owned(),
            format!(
                "Empirical receiver operating characteristic curves of {} readers in {}, and their means.",
                format::count(found.readers.len() as u64),
                found.modalities.join(" and ")
            ),
            found.modalities.iter().map(|modality| roc(found, modality)).collect(),
        ),
        "reader-forest" => (
            format!(
                "Each reader, with {} intervals of other cases, and at the end the mean, for {}",
                format::level(found.level),
                super::tables::population(&found.holds_for)
            ),
            "Forest plot: one row a reader; the numbers are those of the tables of readers and of means."
                .to_owned(),
            forests(found),
        ),
        _ => return None,
    };
    Some(Figure::drawn(id, (caption, alt), images, |_| text::humanise(id)))
}

fn roc(found: &ReaderStudyResult, modality: &str) -> Canvas {
    let mut canvas = Canvas::new(HALF, 404.0);
    let plot = Plot { left: 62.0, top: 32.0, width: 318.0, height: 318.0, x: (0.0, 1.0), y: (0.0, 1.0) };
    canvas.bold((plot.left, 18.0), 12.5, Anchor::Start, INK, &text::fit(modality, 12.5, 300.0));
    let axis = |title: &str| Axis::nice(title, (0.0, 1.0), 5, false);
    plot.frame(&mut canvas, &axis("1 \u{2212} specificity"), &axis("Sensitivity"));
    canvas.line(plot.at(0.0, 0.0), plot.at(1.0, 1.0), Stroke::dashed(MUTED, 1.0));
    let own = || found.curves.iter().filter(|curve| curve.modality == modality);
    let draw = |canvas: &mut Canvas, points: &[(f64, f64)], stroke: Stroke| {
        let points: Vec<(f64, f64)> = points.iter().map(|(x, y)| plot.at(*x, *y)).collect();
        canvas.polyline(&points, stroke);
    };
    for curve in own().filter(|curve| curve.reader.is_some()) {
        draw(&mut canvas, &curve.points, Stroke::new(MUTED, 0.9));
    }
    for curve in own().filter(|curve| curve.reader.is_none()) {
        draw(&mut canvas, &curve.points, Stroke::new(BLUE, 2.4));
    }
    canvas
}

/// The rows of a metric: each reader's difference where there are two modalities, else each reader's value;
/// then the mean that decides.
fn rows<'f>(found: &'f ReaderStudyResult, merit: &'f ReaderMerit) -> Vec<(&'f ReaderEstimate, bool)> {
    let of = |id: &str| merit.methods.iter().find(|method| method.id == id).map(|method| &method.lines);
    let differences = of("each-reader-difference").filter(|lines| !lines.is_empty());
    let each = differences.or_else(|| of("each-reader")).into_iter().flatten().map(|line| (line, false));
    let mean = of(&found.holds_for).and_then(|lines| match differences {
        Some(_) => lines.last(),
        None => lines.first(),
    });
    each.chain(mean.map(|line| (line, true))).collect()
}

fn forests(found: &ReaderStudyResult) -> Vec<Canvas> {
    let mut drawings = Vec::new();
    for merit in &found.merits {
        let rows = rows(found, merit);
        for part in rows.chunks(ROWS) {
            drawings.push(forest(merit, &rows, part));
        }
    }
    drawings
}

/// One drawing; `all` rows set the scale.
fn forest(merit: &ReaderMerit, all: &[(&ReaderEstimate, bool)], rows: &[(&ReaderEstimate, bool)]) -> Canvas {
    let ends = |line: &ReaderEstimate| {
        line.found.map_or((line.value, line.value), |found| (found.lower, found.upper))
    };
    // Areas and shares need no line at 0, differences do: the scale ends at what is there.
    let lowest = all.iter().map(|(line, _)| ends(line).0).fold(1.0, f64::min);
    let low = if lowest > 0.3 { lowest } else { lowest.min(0.0) };
    let high = all.iter().map(|(line, _)| ends(line).1).fold(low + 0.02, f64::max);
    let span = high - low;
    let range = (low - 0.04 * span, high + 0.04 * span);
    let height = ROW * rows.len().max(1) as f64;
    let mut canvas = Canvas::new(WIDTH, TOP + height + 36.0);
    let plot = Plot { left: LABELS, top: TOP, width: WIDTH - LABELS - 20.0, height, x: range, y: (0.0, 1.0) };
    canvas.bold((4.0, TOP - 14.0), 12.0, Anchor::Start, INK, &wording::metric(&merit.metric));
    let step = nice_step(range.1 - range.0, 5, false);
    let mut index = (range.0 / step - 1e-9).ceil();
    while index * step <= range.1 + 1e-9 {
        let at = plot.px(index * step);
        canvas.line((at, plot.top), (at, plot.bottom() + 4.0), Stroke::new(GRID, 1.0));
        let decimals = if step < 0.01 { 3 } else { 2 };
        let label = format::fixed(index * step, decimals);
        canvas.text((at, plot.bottom() + 18.0), 11.0, Anchor::Middle, INK, &label);
        index += 1.0;
    }
    canvas.line((plot.left, plot.bottom()), (plot.right(), plot.bottom()), Stroke::new(INK, 1.0));
    if range.0 < 0.0 && range.1 > 0.0 {
        canvas.line((plot.px(0.0), plot.top), (plot.px(0.0), plot.bottom()), Stroke::dashed(MUTED, 1.1));
    }
    for (place, (line, mean)) in rows.iter().enumerate() {
        let y = TOP + ROW * (place as f64 + 0.5);
        let (color, width) = if *mean { (RED, 2.2) } else { (BLUE, 1.4) };
        let label = if *mean { format!("Mean: {}", line.of) } else { line.of.clone() };
        let label = text::fit(&label, 12.0, LABELS - 20.0);
        canvas.text((4.0, y + 4.0), 12.0, Anchor::Start, INK, &label);
        if let Some(found) = line.found {
            canvas.line((plot.px(found.lower), y), (plot.px(found.upper), y), Stroke::new(color, width));
        }
        canvas.circle((plot.px(line.value), y), 3.6, color, None);
    }
    canvas
}
