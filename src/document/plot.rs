//! Plotting areas and axes: linear scales, round ticks, grid and titles on a [`Canvas`]; and the hand of all
//! figures: one size of letters for one duty, one thickness of lines, one look for each series.

use super::canvas::{Anchor, BLUE, Canvas, GRID, Gaps, INK, MUTED, ORANGE, Stroke};
use super::{format, text};

/// Letters of titles, of axes and of panels.
pub const TITLE: f64 = 13.0;
/// Letters of everything else: ticks, legends, names of rows.
pub const LABEL: f64 = 12.0;
/// Letters beside or inside of marks that leave no room for more, and the smallest: 6.8 points in a PDF.
pub const SMALL: f64 = 11.0;
/// Width of a drawing of which two stand beside each other.
pub const HALF: f64 = 390.0;
/// Height of a drawing with a square plot and nothing below it.
pub const SQUARE: f64 = 384.0;
/// Thickness of curves.
pub const CURVE: f64 = 2.0;
/// Thickness of axes and of lines that divide.
pub const AXIS: f64 = 1.2;

/// Dark and light ones alternate, so that neighbours differ where colours are not seen; and so do the gaps of
/// their lines and the shapes of their marks.
const COLORS: [&str; 6] = [BLUE, ORANGE, "#0f4a2c", "#8f7fc0", "#6b1f4f", "#8c8c3c"];
const GAPS: [Gaps; 4] = [Gaps::Solid, Gaps::Dashed, Gaps::Long, Gaps::Dotted];

/// The colour of a series, by its place.
pub fn color(series: usize) -> &'static str {
    COLORS[series % COLORS.len()]
}

/// The line of a series, by its place.
pub fn stroke(series: usize) -> Stroke {
    Stroke { color: color(series), width: CURVE, gaps: GAPS[series % GAPS.len()] }
}

/// The mark of a series, by its place: disc, square, diamond, triangle.
pub fn mark(canvas: &mut Canvas, (x, y): (f64, f64), series: usize) {
    let fill = color(series);
    match series % 4 {
        0 => canvas.circle((x, y), 4.4, fill, Some(Stroke::new("#ffffff", 1.0))),
        1 => canvas.rect(x - 4.0, y - 4.0, 8.0, 8.0, fill, Some(Stroke::new("#ffffff", 1.0))),
        2 => canvas.polygon(&[(x, y - 5.6), (x + 5.6, y), (x, y + 5.6), (x - 5.6, y)], fill),
        _ => canvas.polygon(&[(x, y - 5.2), (x + 5.4, y + 4.2), (x - 5.4, y + 4.2)], fill),
    }
}

/// A name with how many cases or patients it stands for.
pub fn with_n(name: &str, n: u64) -> String {
    format!("{name} (n = {})", format::count(n))
}

/// A plotting area with linear scales.
#[derive(Clone, Copy, Debug)]
pub struct Plot {
    /// Left edge.
    pub left: f64,
    /// Upper edge.
    pub top: f64,
    /// Width.
    pub width: f64,
    /// Height.
    pub height: f64,
    /// Values at the left and the right edge.
    pub x: (f64, f64),
    /// Values at the lower and the upper edge.
    pub y: (f64, f64),
}

impl Plot {
    /// The square plot in a drawing of [`HALF`] by [`SQUARE`].
    pub const fn square(x: (f64, f64), y: (f64, f64)) -> Self {
        Self { left: 62.0, top: 12.0, width: 318.0, height: 318.0, x, y }
    }

    /// Where a value stands from left to right.
    pub fn px(&self, x: f64) -> f64 {
        self.left + (x - self.x.0) / (self.x.1 - self.x.0) * self.width
    }

    /// Where a value stands from top to bottom.
    pub fn py(&self, y: f64) -> f64 {
        self.top + self.height - (y - self.y.0) / (self.y.1 - self.y.0) * self.height
    }

    /// Where a pair of values stands.
    pub fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (self.px(x), self.py(y))
    }

    /// The lower edge.
    pub fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// The right edge.
    pub fn right(&self) -> f64 {
        self.left + self.width
    }

    /// Grid, frame, ticks and axis titles.
    pub fn frame(&self, canvas: &mut Canvas, x: &Axis, y: &Axis) {
        for (value, _) in &y.ticks {
            let at = self.py(*value);
            canvas.line((self.left, at), (self.right(), at), Stroke::new(GRID, 1.0));
        }
        self.scale(canvas, x);
        for (value, label) in &y.ticks {
            canvas.text((self.left - 8.0, self.py(*value) + 4.2), LABEL, Anchor::End, INK, label);
        }
        canvas.line((self.left, self.top), (self.left, self.bottom()), Stroke::new(INK, AXIS));
        let widest = y.ticks.iter().map(|(_, l)| text::width(l) * LABEL).fold(0.0, f64::max);
        let title = (self.left - widest - 20.0, self.top + self.height / 2.0);
        canvas.vertical_text(title, TITLE, INK, &y.title);
    }

    /// The scale below alone, with its grid: for plots whose rows have names.
    pub fn scale(&self, canvas: &mut Canvas, x: &Axis) {
        for (value, label) in &x.ticks {
            let at = self.px(*value);
            canvas.line((at, self.top), (at, self.bottom()), Stroke::new(GRID, 1.0));
            canvas.text((at, self.bottom() + 18.0), LABEL, Anchor::Middle, INK, label);
        }
        canvas.line((self.left, self.bottom()), (self.right(), self.bottom()), Stroke::new(INK, AXIS));
        if !x.title.is_empty() {
            let title = (self.left + self.width / 2.0, self.bottom() + 40.0);
            canvas.text(title, TITLE, Anchor::Middle, INK, &x.title);
        }
    }

    /// Said in the middle of a plot that has nothing to show.
    pub fn nothing(&self, canvas: &mut Canvas, words: &str) {
        let middle = (self.left + self.width / 2.0, self.top + self.height / 2.0);
        canvas.text(middle, TITLE, Anchor::Middle, MUTED, words);
    }
}

/// An axis: its title, and where its ticks stand with their labels.
#[derive(Clone, Debug)]
pub struct Axis {
    /// What it shows.
    pub title: String,
    /// Values with their labels.
    pub ticks: Vec<(f64, String)>,
}

impl Axis {
    /// Ticks at round values within a range, about `wanted` of them; whole numbers when `whole`.
    pub fn nice(title: &str, range: (f64, f64), wanted: u32, whole: bool) -> Self {
        let step = nice_step(range.1 - range.0, wanted, whole);
        let decimals = (0..6).find(|d| {
            let scaled = step * 10_f64.powi(*d);
            (scaled - scaled.round()).abs() < 1e-9 * scaled.max(1.0)
        });
        let decimals = decimals.and_then(|d| usize::try_from(d).ok()).unwrap_or(3);
        let mut ticks = Vec::new();
        let mut index = (range.0 / step - 1e-9).ceil();
        while index * step <= range.1 + step * 1e-9 && ticks.len() < 200 {
            let label = format::fixed(index * step, decimals);
            let label = match label.parse::<u64>() {
                Ok(value) => format::count(value),
                Err(_) => label,
            };
            ticks.push((index * step, label));
            index += 1.0;
        }
        Self { title: title.to_owned(), ticks }
    }
}

/// 1, 2 or 5 times a power of ten, so that a span holds about `wanted` steps.
pub fn nice_step(span: f64, wanted: u32, whole: bool) -> f64 {
    let raw = if span.is_finite() && span > 0.0 { span / f64::from(wanted.max(1)) } else { 1.0 };
    let power = 10_f64.powf(raw.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].iter().map(|m| m * power).find(|s| *s >= raw * 0.999).unwrap_or(raw);
    if whole { step.max(1.0) } else { step }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_series_differ_without_colour() {
        // Relative luminance of sRGB (WCAG 2.2).
        let linear = |byte: u32| {
            let part = f64::from(byte) / 255.0;
            if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
        };
        let luminance = |hex: &str| {
            let [_, r, g, b] = u32::from_str_radix(&hex[1..], 16).expect("a colour").to_be_bytes();
            0.2126 * linear(r.into()) + 0.7152 * linear(g.into()) + 0.0722 * linear(b.into())
        };
        for series in 0..12 {
            let (own, next) = (luminance(color(series)), luminance(color(series + 1)));
            let contrast = (own.max(next) + 0.05) / (own.min(next) + 0.05);
            assert!(contrast > 1.5, "{} and {}: {contrast}", color(series), color(series + 1));
            assert!(1.05 / (own + 0.05) >= 3.0, "{} on white", color(series));
            assert_ne!(stroke(series).gaps, stroke(series + 1).gaps);
        }
    }

    #[test]
    fn ticks_are_round_and_cover_the_range() {
        let labels = |range, whole| {
            Axis::nice("", range, 5, whole).ticks.into_iter().map(|(_, l)| l).collect::<Vec<_>>()
        };
        assert_eq!(labels((0.0, 1.0), false), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels((0.0, 3.0), true), ["0", "1", "2", "3"]);
        assert_eq!(labels((0.0, 5000.0), true), ["0", "1,000", "2,000", "3,000", "4,000", "5,000"]);
        assert_eq!(labels((0.62, 0.71), false), ["0.62", "0.64", "0.66", "0.68", "0.70"]);
        assert_eq!(labels((0.0, 0.0), false).len(), 1);
    }
}
