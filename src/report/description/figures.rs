//! Figures of a description: horizontal bars, outlines of distributions, differences, a matrix.

use super::words::variable;
use crate::dataset::describe::{Comparison, DifferenceKind, SetDescription};
use crate::dataset::standardised::NOTABLE;
use crate::document::canvas::{Anchor, BAND, Canvas, GRID, INK, MUTED, Stroke};
use crate::document::plot::{self, AXIS, Axis, LABEL, Plot, SMALL};
use crate::document::{format, text};

/// So many sets stand beside each other in a drawing.
pub const MOST_SERIES: usize = 5;
const SIZE: f64 = LABEL;

/// A series of bars.
pub struct Series {
    pub name: String,
    pub color: &'static str,
    /// One value a category; `None`: there is nothing to divide by.
    pub values: Vec<Option<f64>>,
}

/// What a legend shows beside a name.
#[derive(Clone, Copy)]
enum Sample {
    Bar(&'static str),
    Line(Stroke),
    Mark(usize),
}

fn legend(canvas: &mut Canvas, left: f64, room: f64, entries: &[(&str, Sample)]) -> f64 {
    let (mut x, mut y) = (left, 16.0);
    for (name, sample) in entries {
        let name = text::fit(&text::one_line(name), SIZE, 240.0);
        let width = text::width(&name) * SIZE * 1.12 + 46.0;
        if x > left && x + width > left + room {
            (x, y) = (left, y + 19.0);
        }
        match sample {
            Sample::Bar(color) => canvas.rect(x + 6.0, y - 9.0, 14.0, 10.0, color, None),
            Sample::Line(stroke) => canvas.line((x, y - 4.0), (x + 22.0, y - 4.0), *stroke),
            Sample::Mark(series) => plot::mark(canvas, (x + 12.0, y - 4.0), *series),
        }
        canvas.text((x + 26.0, y), SIZE, Anchor::Start, INK, &name);
        x += width;
    }
    y + 14.0
}

/// The largest value of figures that stand under one another: they have one axis, so that lengths compare.
pub fn largest<'a>(series: impl Iterator<Item = &'a Series>) -> f64 {
    series.flat_map(|s| &s.values).flatten().copied().fold(0.0, f64::max)
}

/// Horizontal bars: one group a category, in each group one bar a series. Values are shares, `largest` ends
/// the axis.
pub fn bars(title: &str, categories: &[String], series: &[Series], largest: f64) -> Canvas {
    let thick = 12.0;
    let group = thick * series.len() as f64 + 9.0;
    let labels: Vec<String> = categories.iter().map(|c| text::fit(&text::one_line(c), SIZE, 170.0)).collect();
    let widest = labels.iter().map(|l| text::width(l) * SIZE).fold(0.0, f64::max);
    let left = widest.max(50.0) * 1.08 + 20.0;
    let width = 680.0 - left - 66.0;
    let mut canvas = Canvas::new(680.0, group * categories.len() as f64 + 160.0);
    let entries: Vec<(&str, Sample)> =
        series.iter().map(|s| (s.name.as_str(), Sample::Bar(s.color))).collect();
    let top = if series.len() > 1 { legend(&mut canvas, left, width + 50.0, &entries) } else { 12.0 };
    let upper = if largest > 0.0 { largest * 100.0 } else { 1.0 };
    let plot = Plot {
        left,
        top,
        width,
        height: group * categories.len() as f64,
        x: (0.0, upper * 1.02),
        y: (0.0, 1.0),
    };
    let mut x = Axis::nice(title, (0.0, upper), 6, false);
    for (_, label) in &mut x.ticks {
        label.push('%');
    }
    plot.scale(&mut canvas, &x);
    for (index, label) in labels.iter().enumerate() {
        let start = top + group * index as f64 + 4.5;
        let middle = start + thick * series.len() as f64 / 2.0;
        canvas.text((left - 8.0, middle + 4.2), SIZE, Anchor::End, INK, label);
        for (nth, one) in series.iter().enumerate() {
            let y = start + thick * nth as f64;
            let Some(value) = one.values.get(index).copied().flatten() else {
                canvas.text((left + 4.0, y + thick * 0.8), SMALL, Anchor::Start, MUTED, "\u{2013}");
                continue;
            };
            let end = plot.px(value * 100.0);
            canvas.rect(left, y, end - left, thick - 1.0, one.color, None);
            let words = format::number(value, format::Style::Percent);
            canvas.text((end + 4.0, y + thick * 0.8), SMALL, Anchor::Start, MUTED, &words);
        }
    }
    canvas.crop(plot.bottom() + 52.0);
    canvas
}

/// Distributions over bins of equal width: the first filled, the others as outlines. Values are shares of
/// each series, `largest` ends the axis.
pub fn outlines(x_title: &str, range: (f64, f64), series: &[Series], whole: bool, largest: f64) -> Canvas {
    let mut canvas = Canvas::new(640.0, 330.0);
    let stroke = |place: usize, one: &Series| Stroke { color: one.color, ..plot::stroke(place) };
    let entries: Vec<(&str, Sample)> = series
        .iter()
        .enumerate()
        .map(|(place, s)| (s.name.as_str(), Sample::Line(stroke(place, s))))
        .collect();
    let top = legend(&mut canvas, 70.0, 550.0, &entries);
    let upper = if largest > 0.0 { largest * 100.0 } else { 1.0 };
    let plot =
        Plot { left: 70.0, top, width: 550.0, height: 330.0 - top - 56.0, x: range, y: (0.0, upper * 1.05) };
    let mut y = Axis::nice("Share", (0.0, upper), 5, false);
    for (_, label) in &mut y.ticks {
        label.push('%');
    }
    let corners = |values: &[Option<f64>]| {
        let step = (range.1 - range.0) / values.len().max(1) as f64;
        let mut points = vec![plot.at(range.0, 0.0)];
        for (bin, value) in values.iter().enumerate() {
            let height = value.unwrap_or(0.0) * 100.0;
            points.push(plot.at(range.0 + step * bin as f64, height));
            points.push(plot.at(range.0 + step * (bin + 1) as f64, height));
        }
        points.push(plot.at(range.1, 0.0));
        points
    };
    if let Some(first) = series.first() {
        canvas.polygon(&corners(&first.values), BAND);
    }
    plot.frame(&mut canvas, &Axis::nice(x_title, range, 8, whole), &y);
    for (place, one) in series.iter().enumerate() {
        canvas.polyline(&corners(&one.values), stroke(place, one));
    }
    canvas
}

/// Standardised differences of every variable, one dot a pair of sets (a Love plot).
pub fn differences(comparisons: &[Comparison]) -> Canvas {
    let Some(first) = comparisons.first() else { return Canvas::new(680.0, 40.0) };
    let key = |d: &crate::dataset::describe::Difference| (d.variable.clone(), d.level.clone());
    let rows: Vec<_> = first
        .differences
        .iter()
        .filter(|d| d.kind != DifferenceKind::Binary || ["label", "finding"].contains(&d.variable.as_str()))
        .collect();
    let labels: Vec<String> =
        rows.iter().map(|d| text::fit(&variable(&d.variable, d.level.as_deref()), SIZE, 200.0)).collect();
    let widest = labels.iter().map(|l| text::width(l) * SIZE).fold(0.0, f64::max);
    let left = widest.max(50.0) * 1.08 + 20.0;
    let step = 19.0;
    let width = 680.0 - left - 20.0;
    let mut canvas = Canvas::new(680.0, step * rows.len() as f64 + 180.0);
    let names: Vec<String> = comparisons.iter().map(|c| format!("{} and {}", c.first, c.second)).collect();
    let entries: Vec<(&str, Sample)> =
        names.iter().enumerate().map(|(i, name)| (name.as_str(), Sample::Mark(i))).collect();
    let top = legend(&mut canvas, left, width, &entries);
    let size = |value: Option<f64>| value.map(f64::abs).filter(|v| v.is_finite());
    let largest =
        comparisons.iter().flat_map(|c| &c.differences).filter_map(|d| size(d.value)).fold(0.12, f64::max);
    let plot =
        Plot { left, top, width, height: step * rows.len() as f64, x: (0.0, largest * 1.04), y: (0.0, 1.0) };
    let x = Axis::nice("Absolute standardised difference", (0.0, largest), 6, false);
    plot.scale(&mut canvas, &x);
    let notable = plot.px(NOTABLE);
    canvas.line((notable, plot.top), (notable, plot.bottom()), Stroke::dashed(INK, AXIS));
    for (index, (row, label)) in rows.iter().zip(&labels).enumerate() {
        let y = top + step * (index as f64 + 0.5);
        canvas.text((left - 8.0, y + 4.2), SIZE, Anchor::End, INK, label);
        for (nth, comparison) in comparisons.iter().enumerate() {
            let other = comparison.differences.iter().find(|d| key(d) == key(row));
            if let Some(value) = other.and_then(|d| size(d.value)) {
                plot::mark(&mut canvas, (plot.px(value), y), nth);
            }
        }
    }
    canvas.crop(plot.bottom() + 52.0);
    canvas
}

/// Which findings stand on the same images: each cell the share of the row's images that also have the
/// column's.
pub fn matrix(set: &SetDescription) -> Canvas {
    let names: Vec<String> = set
        .co_occurrence
        .findings
        .iter()
        .map(|f| text::fit(&text::one_line(&f.replace('_', " ")), SIZE, 130.0))
        .collect();
    let count = names.len().max(1) as f64;
    let left = names.iter().map(|l| text::width(l) * SIZE).fold(60.0, f64::max) * 1.08 + 14.0;
    let cell = ((680.0 - left - 10.0) / count).min(38.0);
    let top = left;
    let mut canvas = Canvas::new(680.0, top + cell * count + 12.0);
    for (index, name) in names.iter().enumerate() {
        let at = index as f64 * cell + cell / 2.0;
        canvas.text((left - 8.0, top + at + 4.2), SIZE, Anchor::End, INK, name);
        // Upward text is anchored in its middle.
        let half = text::width(name) * SIZE / 2.0;
        canvas.vertical_text((left + at + 4.2, top - 8.0 - half), SIZE, INK, name);
    }
    for (row, counts) in set.co_occurrence.images.iter().enumerate() {
        let own = counts.get(row).copied().unwrap_or(0);
        for (column, images) in counts.iter().enumerate() {
            let (x, y) = (left + cell * column as f64, top + cell * row as f64);
            #[expect(clippy::cast_precision_loss, reason = "counts of images are far below 2^53")]
            let share = if own > 0 { *images as f64 / own as f64 } else { 0.0 };
            let fill = if row == column { "#eef1f5".to_owned() } else { shade(share) };
            canvas.rect(x, y, cell, cell, &fill, Some(Stroke::new("#ffffff", 1.0)));
            let words = if row == column { short(own) } else { format::fixed(share * 100.0, 0) };
            let ink = if row != column && share > 0.3 { "#ffffff" } else { INK };
            let size = if cell > 30.0 { SMALL } else { 9.0 };
            canvas.text((x + cell / 2.0, y + cell / 2.0 + 3.5), size, Anchor::Middle, ink, &words);
        }
    }
    canvas.line((left, top), (left + cell * count, top), Stroke::new(GRID, 1.0));
    canvas
}

/// From white to blue.
fn shade(share: f64) -> String {
    let part = (share / 0.6).clamp(0.0, 1.0).sqrt();
    let mix = |from: f64, to: f64| {
        let value = (from + (to - from) * part).round().clamp(0.0, 255.0);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0..=255")]
        let byte = value as u8;
        byte
    };
    format!("#{:02x}{:02x}{:02x}", mix(255.0, 31.0), mix(255.0, 78.0), mix(255.0, 140.0))
}

/// A count in four characters.
fn short(count: u64) -> String {
    if count < 10_000 { count.to_string() } else { format!("{}k", (count + 500) / 1000) }
}
