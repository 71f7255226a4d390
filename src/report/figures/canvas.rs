//! A small SVG writer: shapes with coordinates to a hundredth, text in Liberation Sans metrics, no
//! transparency, nothing from outside.

use std::fmt::Write as _;

use crate::report::text;

/// Text and axes.
pub const INK: &str = "#1b1f24";
/// Secondary text.
pub const MUTED: &str = "#5a6370";
/// Grid lines and frames.
pub const GRID: &str = "#dfe3e8";
/// The main series, and negative cases.
pub const BLUE: &str = "#1f4e8c";
/// Band around the main series.
pub const BAND: &str = "#d5e2f3";
/// Positive cases, the operating point.
pub const RED: &str = "#b3431e";
/// A light fill for positive cases.
pub const RED_LIGHT: &str = "#eac4b6";
/// A light fill for boxes.
pub const PAPER: &str = "#f5f7fa";

const FONT: &str = "Liberation Sans, Arial, Helvetica, sans-serif";

/// Where a text is anchored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    Start,
    Middle,
    End,
}

/// How a line looks.
#[derive(Clone, Copy, Debug)]
pub struct Stroke {
    pub color: &'static str,
    pub width: f64,
    pub dashed: bool,
}

impl Stroke {
    pub const fn new(color: &'static str, width: f64) -> Self {
        Self { color, width, dashed: false }
    }

    pub const fn dashed(color: &'static str, width: f64) -> Self {
        Self { color, width, dashed: true }
    }
}

/// An SVG drawing in the making.
#[derive(Clone, Debug)]
pub struct Canvas {
    width: f64,
    height: f64,
    body: String,
}

/// A coordinate with at most two decimals; not finite becomes 0.
fn n(value: f64) -> String {
    let value = if value.is_finite() { value } else { 0.0 };
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

impl Canvas {
    /// A white drawing of this size, in user units.
    pub fn new(width: f64, height: f64) -> Self {
        Self { width, height, body: String::new() }
    }

    pub fn rect(&mut self, x: f64, y: f64, width: f64, height: f64, fill: &str, stroke: Option<Stroke>) {
        let (x, y, width, height) = (n(x), n(y), n(width.max(0.0)), n(height.max(0.0)));
        let _ = writeln!(
            self.body,
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" fill=\"{fill}\"{}/>",
            stroke.map(attributes).unwrap_or_default()
        );
    }

    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), stroke: Stroke) {
        let (x1, y1, x2, y2) = (n(from.0), n(from.1), n(to.0), n(to.1));
        let _ = writeln!(
            self.body,
            "<line x1=\"{x1}\" y1=\"{y1}\" x2=\"{x2}\" y2=\"{y2}\"{}/>",
            attributes(stroke)
        );
    }

    pub fn polyline(&mut self, points: &[(f64, f64)], stroke: Stroke) {
        let points = list(points);
        let _ = writeln!(
            self.body,
            "<polyline points=\"{points}\" fill=\"none\" stroke-linejoin=\"round\"{}/>",
            attributes(stroke)
        );
    }

    pub fn polygon(&mut self, points: &[(f64, f64)], fill: &str) {
        let points = list(points);
        let _ = writeln!(self.body, "<polygon points=\"{points}\" fill=\"{fill}\"/>");
    }

    pub fn circle(&mut self, center: (f64, f64), radius: f64, fill: &str, stroke: Option<Stroke>) {
        let (x, y, r) = (n(center.0), n(center.1), n(radius));
        let _ = writeln!(
            self.body,
            "<circle cx=\"{x}\" cy=\"{y}\" r=\"{r}\" fill=\"{fill}\"{}/>",
            stroke.map(attributes).unwrap_or_default()
        );
    }

    /// A line of text; `y` is the baseline.
    pub fn text(&mut self, at: (f64, f64), size: f64, anchor: Anchor, color: &str, words: &str) {
        self.styled_text(at, size, anchor, color, words, "");
    }

    /// The same in bold.
    pub fn bold(&mut self, at: (f64, f64), size: f64, anchor: Anchor, color: &str, words: &str) {
        self.styled_text(at, size, anchor, color, words, " font-weight=\"bold\"");
    }

    /// The same turned by 90 degrees to the left around its anchor.
    pub fn vertical_text(&mut self, at: (f64, f64), size: f64, color: &str, words: &str) {
        let turn = format!(" transform=\"rotate(-90 {} {})\"", n(at.0), n(at.1));
        self.styled_text(at, size, Anchor::Middle, color, words, &turn);
    }

    fn styled_text(
        &mut self,
        at: (f64, f64),
        size: f64,
        anchor: Anchor,
        color: &str,
        words: &str,
        more: &str,
    ) {
        let anchor = match anchor {
            Anchor::Start => "start",
            Anchor::Middle => "middle",
            Anchor::End => "end",
        };
        let (x, y, size, words) = (n(at.0), n(at.1), n(size), text::html(&text::one_line(words)));
        let _ = writeln!(
            self.body,
            "<text x=\"{x}\" y=\"{y}\" font-size=\"{size}\" text-anchor=\"{anchor}\" fill=\"{color}\"{more}>{words}</text>"
        );
    }

    /// An arrow down or sideways, with its head at `to`.
    pub fn arrow(&mut self, from: (f64, f64), to: (f64, f64)) {
        self.line(from, to, Stroke::new(MUTED, 1.2));
        let (dx, dy) = (to.0 - from.0, to.1 - from.1);
        let length = dx.hypot(dy).max(1e-9);
        let (ux, uy) = (dx / length, dy / length);
        let base = (to.0 - 7.0 * ux, to.1 - 7.0 * uy);
        self.polygon(
            &[to, (base.0 - 3.6 * uy, base.1 + 3.6 * ux), (base.0 + 3.6 * uy, base.1 - 3.6 * ux)],
            MUTED,
        );
    }

    /// Ends the drawing at this height.
    pub fn crop(&mut self, height: f64) {
        self.height = height;
    }

    /// The whole SVG file with its title and description.
    pub fn finish(&self, title: &str, description: &str) -> String {
        let (w, h) = (n(self.width), n(self.height));
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{w}\" height=\"{h}\" viewBox=\"0 0 {w} {h}\" role=\"img\" font-family=\"{FONT}\">\n\
             <title>{}</title>\n<desc>{}</desc>\n\
             <rect x=\"0\" y=\"0\" width=\"{w}\" height=\"{h}\" fill=\"#ffffff\"/>\n{}</svg>\n",
            text::html(title),
            text::html(description),
            self.body
        )
    }
}

fn attributes(stroke: Stroke) -> String {
    let dashes = if stroke.dashed { " stroke-dasharray=\"5 4\"" } else { "" };
    format!(" stroke=\"{}\" stroke-width=\"{}\"{dashes}", stroke.color, n(stroke.width))
}

fn list(points: &[(f64, f64)]) -> String {
    points.iter().map(|(x, y)| format!("{},{}", n(*x), n(*y))).collect::<Vec<_>>().join(" ")
}

/// A plotting area with linear scales.
#[derive(Clone, Copy, Debug)]
pub struct Plot {
    pub left: f64,
    pub top: f64,
    pub width: f64,
    pub height: f64,
    pub x: (f64, f64),
    pub y: (f64, f64),
}

impl Plot {
    pub fn px(&self, x: f64) -> f64 {
        self.left + (x - self.x.0) / (self.x.1 - self.x.0) * self.width
    }

    pub fn py(&self, y: f64) -> f64 {
        self.top + self.height - (y - self.y.0) / (self.y.1 - self.y.0) * self.height
    }

    pub fn at(&self, x: f64, y: f64) -> (f64, f64) {
        (self.px(x), self.py(y))
    }

    pub fn bottom(&self) -> f64 {
        self.top + self.height
    }

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
    pub title: String,
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
            let label = crate::report::format::fixed(index * step, decimals);
            let label = match label.parse::<u64>() {
                Ok(value) => crate::report::format::count(value),
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

    #[test]
    fn study_text_stays_text_in_svg() {
        let mut canvas = Canvas::new(10.0, 10.0);
        canvas.text((0.0, 0.0), 10.0, Anchor::Start, INK, "<script>alert('x')</script> & \"y\"\u{0}");
        let svg = canvas.finish("<t>", "\"d\"");
        assert!(!svg.contains("<script"), "{svg}");
        assert!(svg.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;y&quot;\u{fffd}"));
    }
}
