//! A drawing surface over plotters' SVG backend: opaque shapes, text in Liberation Sans metrics, nothing from
//! outside.
//!
//! The backend knows whole pixels only: of the 268 points of the demonstrated ROC curve 253 would be left,
//! each up to half a pixel off, and the curve would be stairs. So it draws [`SCALE`] times as large, and the
//! finished file says through its `viewBox` at what size that is to be shown.
//!
//! Why plotters does not draw axes and legends itself (judged again): without system fonts, which would give
//! each machine other bytes, it takes .7 em for every byte of a label. "Sensitivity" is 4.5 em wide in
//! Liberation Sans and is taken for 7.7, so its meshes and legends stand 1.7 times as far off as the words
//! need, and a dash counts as three letters. Shapes and escaping are plotters' own; places, titles and
//! descriptions are ours.

use plotters::coord::Shift;
use plotters::element::DashedPathElement;
use plotters::prelude::{
    Circle, Color as _, DrawingArea, FontDesc, FontFamily, FontStyle, FontTransform, IntoDrawingArea as _,
    PathElement, Polygon, RGBColor, Rectangle, SVGBackend, ShapeStyle, Text, WHITE,
};
use plotters::style::text_anchor::{HPos, Pos, VPos};

use super::text;

/// Pixels of the backend in one user unit.
pub(super) const SCALE: f64 = 20.0;
/// The farthest coordinate, in user units; keeps differences of coordinates within whole numbers.
const FAR: f64 = 1e6;
/// The backend divides font sizes by this.
const FONT_DIVISOR: f64 = 1.24;
/// From the backend's `VPos::Top` down to the baseline, in units of the font size. Its other positions hang
/// on the x-height of whatever font the reader has.
pub(super) const ASCENT: f64 = 0.76;

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
/// The second series beside the first, blue one: lighter than it also where colours are not seen.
pub const ORANGE: &str = "#cf6a33";
/// A light fill for positive cases.
pub const RED_LIGHT: &str = "#eac4b6";
/// A light fill for boxes.
pub const PAPER: &str = "#f5f7fa";

const FONT: &str = "Liberation Sans, Arial, Helvetica, sans-serif";

/// Where a text is anchored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// At its start.
    Start,
    /// At its middle.
    Middle,
    /// At its end.
    End,
}

/// Which gaps a line has: what tells lines apart where colours are not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Gaps {
    /// None.
    Solid,
    /// Short dashes.
    Dashed,
    /// Long dashes with short gaps.
    Long,
    /// Dots.
    Dotted,
}

/// How a line looks.
#[derive(Clone, Copy, Debug)]
pub struct Stroke {
    /// `#rrggbb`.
    pub color: &'static str,
    /// In user units.
    pub width: f64,
    /// Its gaps.
    pub gaps: Gaps,
}

impl Stroke {
    /// A line without gaps.
    pub const fn new(color: &'static str, width: f64) -> Self {
        Self { color, width, gaps: Gaps::Solid }
    }

    /// A line with gaps.
    pub const fn dashed(color: &'static str, width: f64) -> Self {
        Self { color, width, gaps: Gaps::Dashed }
    }

    /// Lengths of a dash and of a gap, in pixels of the backend. `None`: it has no gaps.
    pub(super) const fn dash(self) -> Option<(u32, u32)> {
        match self.gaps {
            Gaps::Solid => None,
            Gaps::Dashed => Some((100, 80)),
            Gaps::Long => Some((240, 70)),
            Gaps::Dotted => Some((30, 60)),
        }
    }
}

/// Pixels of the backend.
pub(super) type Point = (i32, i32);
type Area<'a> = DrawingArea<SVGBackend<'a>, Shift>;
type Drawn = Result<(), plotters::drawing::DrawingAreaErrorKind<std::io::Error>>;

/// What a drawing holds, in pixels of the backend.
#[derive(Clone, Debug)]
pub(super) enum Shape {
    Path { points: Vec<Point>, stroke: Stroke },
    Polygon { points: Vec<Point>, fill: RGBColor },
    Rect { corners: [Point; 2], fill: RGBColor },
    Disc { center: Point, radius: u32, fill: RGBColor },
    Ring { center: Point, radius: u32, stroke: Stroke },
    Text { at: Point, size: f64, anchor: Anchor, bold: bool, upward: bool, color: RGBColor, words: String },
}

/// A drawing in the making.
#[derive(Clone, Debug)]
pub struct Canvas {
    width: f64,
    height: f64,
    shapes: Vec<Shape>,
}

/// A coordinate in pixels of the backend; not finite becomes 0.
fn pixel(value: f64) -> i32 {
    let value = if value.is_finite() { value.clamp(-FAR, FAR) } else { 0.0 };
    (value * SCALE).round() as i32
}

fn point(at: (f64, f64)) -> Point {
    (pixel(at.0), pixel(at.1))
}

/// A length in pixels of the backend.
pub(super) fn length(value: f64) -> u32 {
    pixel(value).unsigned_abs()
}

/// `#rrggbb`; black when it is anything else.
pub(super) fn rgb(hex: &str) -> RGBColor {
    let [_, r, g, b] = u32::from_str_radix(hex.trim_start_matches('#'), 16).unwrap_or(0).to_be_bytes();
    RGBColor(r, g, b)
}

/// The size to ask of the backend so that it writes exactly `size`, where there is one.
fn font_size(size: f64) -> f64 {
    let near = size * FONT_DIVISOR;
    let exact = |s: &f64| (*s / FONT_DIVISOR).to_bits() == size.to_bits();
    [near, near.next_up(), near.next_down()].into_iter().find(exact).unwrap_or(near)
}

impl Shape {
    fn draw(&self, area: &Area) -> Drawn {
        match self {
            Self::Path { points, stroke } => match stroke.dash() {
                Some((dash, gap)) => {
                    area.draw(&DashedPathElement::new(points.clone(), dash, gap, style(*stroke)))
                }
                None => area.draw(&PathElement::new(points.clone(), style(*stroke))),
            },
            Self::Polygon { points, fill } => area.draw(&Polygon::new(points.clone(), fill.filled())),
            Self::Rect { corners, fill } => area.draw(&Rectangle::new(*corners, fill.filled())),
            Self::Disc { center, radius, fill } => area.draw(&Circle::new(*center, *radius, fill.filled())),
            Self::Ring { center, radius, stroke } => {
                area.draw(&Circle::new(*center, *radius, style(*stroke)))
            }
            Self::Text { at, size, anchor, bold, upward, color, words } => {
                let weight = if *bold { FontStyle::Bold } else { FontStyle::Normal };
                let turn = if *upward { FontTransform::Rotate270 } else { FontTransform::None };
                let side = match anchor {
                    Anchor::Start => HPos::Left,
                    Anchor::Middle => HPos::Center,
                    Anchor::End => HPos::Right,
                };
                let font = FontDesc::new(FontFamily::Name(FONT), font_size(*size), weight).transform(turn);
                area.draw(&Text::new(words.as_str(), *at, font.color(color).pos(Pos::new(side, VPos::Top))))
            }
        }
    }
}

impl Canvas {
    /// A white drawing of this size, in user units.
    pub fn new(width: f64, height: f64) -> Self {
        Self { width, height, shapes: Vec::new() }
    }

    /// Its width in user units.
    pub fn width(&self) -> f64 {
        self.width
    }

    /// Its height in user units.
    pub fn height(&self) -> f64 {
        self.height
    }

    /// The lines of text on it, in the order of drawing.
    pub fn lines(&self) -> impl Iterator<Item = &str> {
        self.shapes.iter().filter_map(|shape| match shape {
            Shape::Text { words, .. } => Some(words.as_str()),
            _ => None,
        })
    }

    /// What it holds, in pixels of the backend, in the order of drawing.
    pub(super) fn shapes(&self) -> &[Shape] {
        &self.shapes
    }

    /// A filled rectangle from its upper left corner, with an outline where it has one.
    pub fn rect(&mut self, x: f64, y: f64, width: f64, height: f64, fill: &str, stroke: Option<Stroke>) {
        let (left, top) = point((x, y));
        let (right, bottom) = point((x + width.max(0.0), y + height.max(0.0)));
        self.shapes.push(Shape::Rect { corners: [(left, top), (right, bottom)], fill: rgb(fill) });
        if let Some(stroke) = stroke {
            // The backend gives outlines of rectangles no width. The path runs on past its start, so that
            // the first corner is joined like the others.
            let points =
                vec![(left, top), (right, top), (right, bottom), (left, bottom), (left, top), (right, top)];
            self.shapes.push(Shape::Path { points, stroke });
        }
    }

    /// A straight line.
    pub fn line(&mut self, from: (f64, f64), to: (f64, f64), stroke: Stroke) {
        self.polyline(&[from, to], stroke);
    }

    /// Straight lines from point to point.
    pub fn polyline(&mut self, points: &[(f64, f64)], stroke: Stroke) {
        self.shapes.push(Shape::Path { points: points.iter().copied().map(point).collect(), stroke });
    }

    /// A filled shape without outline.
    pub fn polygon(&mut self, points: &[(f64, f64)], fill: &str) {
        let points = points.iter().copied().map(point).collect();
        self.shapes.push(Shape::Polygon { points, fill: rgb(fill) });
    }

    /// A filled disc, with an outline where it has one.
    pub fn circle(&mut self, center: (f64, f64), radius: f64, fill: &str, stroke: Option<Stroke>) {
        let (center, radius) = (point(center), length(radius));
        self.shapes.push(Shape::Disc { center, radius, fill: rgb(fill) });
        if let Some(stroke) = stroke {
            self.shapes.push(Shape::Ring { center, radius, stroke });
        }
    }

    /// A line of text; `y` is the baseline.
    pub fn text(&mut self, at: (f64, f64), size: f64, anchor: Anchor, color: &str, words: &str) {
        self.words((at.0, at.1 - ASCENT * size), size, anchor, color, words, (false, false));
    }

    /// The same in bold.
    pub fn bold(&mut self, at: (f64, f64), size: f64, anchor: Anchor, color: &str, words: &str) {
        self.words((at.0, at.1 - ASCENT * size), size, anchor, color, words, (true, false));
    }

    /// The same turned by 90 degrees to the left around its anchor.
    pub fn vertical_text(&mut self, at: (f64, f64), size: f64, color: &str, words: &str) {
        self.words((at.0 - ASCENT * size, at.1), size, Anchor::Middle, color, words, (false, true));
    }

    fn words(
        &mut self,
        top: (f64, f64),
        size: f64,
        anchor: Anchor,
        color: &str,
        words: &str,
        (bold, upward): (bool, bool),
    ) {
        self.shapes.push(Shape::Text {
            at: point(top),
            size: size * SCALE,
            anchor,
            bold,
            upward,
            color: rgb(color),
            words: text::one_line(words),
        });
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
        let (w, h) = (length(self.width), length(self.height));
        let mut drawn = String::new();
        {
            let area = SVGBackend::with_string(&mut drawn, (w, h)).into_drawing_area();
            // Into a string, as here, the backend cannot fail.
            let _ = self.draw(&area);
        }
        // The backend's opening tag gives way to one with the size to show; nothing else is touched.
        let body = drawn.split_once('>').map_or("</svg>\n", |(_, body)| body);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {w} {h}\" \
             role=\"img\" stroke-linejoin=\"round\">\n<title>{}</title>\n<desc>{}</desc>{body}",
            f64::from(w) / SCALE,
            f64::from(h) / SCALE,
            text::html(title),
            text::html(description),
        )
    }

    fn draw(&self, area: &Area) -> Drawn {
        area.fill(&WHITE)?;
        self.shapes.iter().try_for_each(|shape| shape.draw(area))?;
        area.present()
    }
}

fn style(stroke: Stroke) -> ShapeStyle {
    rgb(stroke.color).stroke_width(length(stroke.width))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn study_text_stays_text_in_svg() {
        let mut canvas = Canvas::new(10.0, 10.0);
        canvas.text((0.0, 0.0), 10.0, Anchor::Start, INK, "<script>alert('x')</script> & \"y\"\u{0}");
        let svg = canvas.finish("<t>", "\"d\"");
        assert!(!svg.contains("<script"), "{svg}");
        assert!(
            svg.contains("&lt;script&gt;alert(&apos;x&apos;)&lt;/script&gt; &amp; &quot;y&quot;\u{fffd}")
        );
        assert!(svg.contains("<title>&lt;t&gt;</title>\n<desc>&quot;d&quot;</desc>"), "{svg}");
    }

    #[test]
    fn a_drawing_keeps_its_size_and_its_fractions_of_a_unit() {
        let mut canvas = Canvas::new(10.0, 20.0);
        canvas.crop(12.5);
        canvas.line((0.25, 1.5), (f64::NAN, f64::INFINITY), Stroke::new(RED, 1.2));
        canvas.line((0.0, 0.0), (10.0, 0.0), Stroke::dashed(BLUE, 1.0));
        canvas.rect(-1e300, 0.0, 1e300, 1.0, PAPER, Some(Stroke::new(INK, 1.0)));
        canvas.text((5.0, 10.0), 12.0, Anchor::End, INK, "words");
        let svg = canvas.finish("t", "d");
        let head =
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"10\" height=\"12.5\" viewBox=\"0 0 200 250\"";
        assert!(svg.starts_with(head), "{svg}");
        assert_eq!(svg.matches("<svg").count(), 1);
        assert!(svg.ends_with("</svg>\n"), "{svg}");
        assert!(svg.contains("stroke=\"#B3431E\" stroke-width=\"24\" points=\"5,30 0,0 \""), "{svg}");
        assert!(svg.contains("points=\"0,0 100,0 \"") && svg.contains("points=\"180,0 200,0 \""), "{svg}");
        // The baseline is the backend's 0.76 em below the point that it is given: 18 + 0.76 x 240 = 200.
        assert!(svg.contains("x=\"100\" y=\"18\" dy=\"0.76em\" text-anchor=\"end\""), "{svg}");
        assert!(svg.contains("font-size=\"240"), "{svg}");
        assert_eq!(svg, canvas.finish("t", "d"));
    }

    #[test]
    fn font_sizes_are_written_as_asked_within_rounding() {
        for size in [10.5, 11.0, 12.0, 13.0, 26.0].map(|s| s * SCALE) {
            assert!((font_size(size) / FONT_DIVISOR - size).abs() < 1e-9, "{size}");
        }
    }
}
