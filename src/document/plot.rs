//! Plotting areas and axes: linear scales, round ticks, grid and titles on a [`Canvas`].

use super::canvas::{Anchor, Canvas, GRID, INK, Stroke};
use super::{format, text};

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
        for (value, label) in &x.ticks {
            let at = self.px(*value);
            canvas.line((at, self.top), (at, self.bottom()), Stroke::new(GRID, 1.0));
            canvas.text((at, self.bottom() + 18.0), 12.0, Anchor::Middle, INK, label);
        }
        for (value, label) in &y.ticks {
            let at = self.py(*value);
            canvas.line((self.left, at), (self.right(), at), Stroke::new(GRID, 1.0));
            canvas.text((self.left - 8.0, at + 4.2), 12.0, Anchor::End, INK, label);
        }
        canvas.line((self.left, self.bottom()), (self.right(), self.bottom()), Stroke::new(INK, 1.2));
        canvas.line((self.left, self.top), (self.left, self.bottom()), Stroke::new(INK, 1.2));
        canvas.text(
            (self.left + self.width / 2.0, self.bottom() + 40.0),
            13.0,
            Anchor::Middle,
            INK,
            &x.title,
        );
        let widest = y.ticks.iter().map(|(_, l)| text::width(l) * 12.0).fold(0.0, f64::max);
        canvas.vertical_text((self.left - widest - 20.0, self.top + self.height / 2.0), 13.0, INK, &y.title);
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
