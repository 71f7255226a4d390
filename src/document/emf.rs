//! A drawing as an enhanced metafile (EMF; [MS-EMF] 2021, clauses of the records at each): what programs for
//! text show without a rasteriser, sharp at every size, with its letters as text.
//!
//! A DOCX needs a picture that every such program knows. PNG would need a rasteriser with fonts (`resvg` and
//! twenty crates below it, which the build without PDF does not have); SVG needs a picture of another kind
//! beside it. The nine kinds of records here are those that every reader of the format has.

use plotters::prelude::RGBColor;

use super::canvas::{ASCENT, Anchor, Canvas, Point, SCALE, Shape, Stroke, length, rgb};
use super::text;

/// Millimetres of a user unit: 800 of them are as wide as the text of a page, 6.5 inches.
const UNIT_MM: f64 = 165.1 / 800.0;

/// The brush that fills nothing and the pen that draws nothing, which every device has (2.1.31).
const NULL_BRUSH: u32 = 0x8000_0005;
const NULL_PEN: u32 = 0x8000_0008;

/// Handles: one for whatever is selected now.
const HANDLE: u32 = 1;

#[derive(Default)]
struct Records {
    bytes: Vec<u8>,
    count: u32,
}

impl Records {
    /// A record: its type, its size, what it holds.
    fn add(&mut self, kind: u32, fields: &[u32]) {
        self.whole(kind, &fields.iter().flat_map(|f| f.to_le_bytes()).collect::<Vec<u8>>());
    }

    fn whole(&mut self, kind: u32, body: &[u8]) {
        let padding = (4 - body.len() % 4) % 4;
        let size = u32::try_from(8 + body.len() + padding).unwrap_or(u32::MAX);
        self.bytes.extend(kind.to_le_bytes());
        self.bytes.extend(size.to_le_bytes());
        self.bytes.extend(body);
        self.bytes.extend(std::iter::repeat_n(0, padding));
        self.count += 1;
    }

    /// A pen of this width and colour (EMR_CREATEPEN, 2.3.7.7), selected.
    fn pen(&mut self, stroke: Stroke) {
        self.add(38, &[HANDLE, 0, length(stroke.width).max(1), 0, color(rgb(stroke.color))]);
        self.add(37, &[HANDLE]);
    }

    /// A brush of this colour (EMR_CREATEBRUSHINDIRECT, 2.3.7.1), selected.
    fn brush(&mut self, fill: RGBColor) {
        self.add(39, &[HANDLE, 0, color(fill), 0]);
        self.add(37, &[HANDLE]);
    }

    /// The object that was selected last is let go (EMR_DELETEOBJECT, 2.3.8.3): `stock` takes its place.
    fn done(&mut self, stock: u32) {
        self.add(37, &[stock]);
        self.add(40, &[HANDLE]);
    }

    /// Points of EMR_POLYGON (3) or EMR_POLYLINE (4), 2.3.5.
    fn points(&mut self, kind: u32, points: &[Point]) {
        let (mut low, mut high) = ((i32::MAX, i32::MAX), (i32::MIN, i32::MIN));
        for (x, y) in points {
            low = (low.0.min(*x), low.1.min(*y));
            high = (high.0.max(*x), high.1.max(*y));
        }
        let mut fields: Vec<u32> = [low.0, low.1, high.0, high.1].map(signed).to_vec();
        fields.push(u32::try_from(points.len()).unwrap_or(0));
        fields.extend(points.iter().flat_map(|(x, y)| [signed(*x), signed(*y)]));
        self.add(kind, &fields);
    }

    fn shape(&mut self, shape: &Shape) {
        match shape {
            Shape::Path { points, stroke } => {
                self.pen(*stroke);
                if let Some(lengths) = stroke.dash() {
                    dashes(points, lengths).iter().for_each(|dash| self.points(4, dash));
                } else if points.len() > 1 {
                    self.points(4, points);
                }
                self.done(NULL_PEN);
            }
            Shape::Polygon { points, fill } => {
                self.brush(*fill);
                self.points(3, points);
                self.done(NULL_BRUSH);
            }
            Shape::Rect { corners: [(left, top), (right, bottom)], fill } => {
                self.brush(*fill);
                let corners = [(*left, *top), (*right, *top), (*right, *bottom), (*left, *bottom)];
                self.points(3, &corners);
                self.done(NULL_BRUSH);
            }
            Shape::Disc { center, radius, fill } => {
                self.brush(*fill);
                self.ellipse(*center, *radius);
                self.done(NULL_BRUSH);
            }
            Shape::Ring { center, radius, stroke } => {
                self.pen(*stroke);
                self.ellipse(*center, *radius);
                self.done(NULL_PEN);
            }
            Shape::Text { at, size, anchor, bold, upward, color: ink, words } => {
                // Where the backend for SVG puts the baseline.
                let down = (ASCENT * size).round() as i32;
                let at = if *upward { (at.0 + down, at.1) } else { (at.0, at.1 + down) };
                self.words(at, *size, *anchor, (*bold, *upward), *ink, words);
            }
        }
    }

    /// EMR_ELLIPSE, 2.3.5.5.
    fn ellipse(&mut self, (x, y): Point, radius: u32) {
        let radius = i32::try_from(radius).unwrap_or(0);
        self.add(42, &[x - radius, y - radius, x + radius, y + radius].map(signed));
    }

    /// A font (EMR_EXTCREATEFONTINDIRECTW, 2.3.7.8), and a line of text (EMR_EXTTEXTOUTW, 2.3.5.8) with the
    /// advance of every letter, so that a font of other widths does not move its neighbours.
    fn words(
        &mut self,
        at: Point,
        size: f64,
        anchor: Anchor,
        (bold, upward): (bool, bool),
        ink: RGBColor,
        words: &str,
    ) {
        let mut font = Vec::with_capacity(324);
        font.extend(HANDLE.to_le_bytes());
        let turn = if upward { 900 } else { 0 };
        let weight = if bold { 700 } else { 400 };
        for field in [-(size.round() as i32), 0, turn, turn, weight] {
            font.extend(field.to_le_bytes());
        }
        font.extend([0_u8; 8]);
        // Arial has the widths of Liberation Sans, and programs that lack it take that.
        font.extend("Arial".encode_utf16().flat_map(u16::to_le_bytes));
        font.resize(324, 0);
        self.whole(82, &font);
        self.add(37, &[HANDLE]);
        self.add(24, &[color(ink)]);
        let side = match anchor {
            Anchor::Start => 0,
            Anchor::Middle => 6,
            Anchor::End => 2,
        };
        // TA_BASELINE is 24.
        self.add(22, &[side | 24]);
        let (mut units, mut advances): (Vec<u16>, Vec<u32>) = (Vec::new(), Vec::new());
        let mut so_far = 0.0;
        for c in text::clean(words).chars() {
            let end = so_far + text::width(c.encode_utf8(&mut [0; 4])) * size;
            advances.push((end.round() - so_far.round()).max(0.0) as u32);
            so_far = end;
            units.extend(c.encode_utf16(&mut [0; 2]).iter());
            // The second half of a pair does not go on.
            advances.resize(units.len(), 0);
        }
        let letters = u32::try_from(units.len()).unwrap_or(0);
        let string: Vec<u8> = units.into_iter().flat_map(u16::to_le_bytes).collect();
        let padded = string.len().next_multiple_of(4);
        let spacing = 76 + u32::try_from(padded).unwrap_or(0);
        let scale = (UNIT_MM * 100.0 / SCALE) as f32;
        let mut body = Vec::with_capacity(68 + padded * 3);
        for field in [0, 0, u32::MAX, u32::MAX, 1, scale.to_bits(), scale.to_bits()] {
            body.extend(field.to_le_bytes());
        }
        for field in [signed(at.0), signed(at.1), letters, 76, 0, 0, 0, u32::MAX, u32::MAX, spacing] {
            body.extend(field.to_le_bytes());
        }
        body.extend(&string);
        body.resize(68 + padded, 0);
        body.extend(advances.into_iter().flat_map(u32::to_le_bytes));
        self.whole(84, &body);
        // SYSTEM_FONT.
        self.done(0x8000_000D);
    }
}

/// Bits of a signed coordinate.
fn signed(value: i32) -> u32 {
    u32::from_le_bytes(value.to_le_bytes())
}

/// `0x00bbggrr`.
fn color(RGBColor(red, green, blue): RGBColor) -> u32 {
    u32::from_le_bytes([red, green, blue, 0])
}

/// The dashes of a path, gaps left out; lengths of a dash and of a gap.
fn dashes(points: &[Point], (long, gap): (u32, u32)) -> Vec<Vec<Point>> {
    let mut all = Vec::new();
    let (mut drawing, mut left) = (true, f64::from(long));
    let mut dash: Vec<Point> = points.first().copied().into_iter().collect();
    for pair in points.windows(2) {
        let [from, to] = [pair.first(), pair.last()].map(|p| p.copied().unwrap_or_default());
        let (dx, dy) = (f64::from(to.0) - f64::from(from.0), f64::from(to.1) - f64::from(from.1));
        let whole = dx.hypot(dy);
        let mut gone = 0.0;
        while whole - gone > left {
            gone += left;
            let at = |start: i32, d: f64| (f64::from(start) + d * gone / whole).round() as i32;
            let here = (at(from.0, dx), at(from.1, dy));
            if drawing {
                dash.push(here);
                all.push(std::mem::take(&mut dash));
            } else {
                dash = vec![here];
            }
            drawing = !drawing;
            left = f64::from(if drawing { long } else { gap });
        }
        left -= whole - gone;
        if drawing {
            dash.push(to);
        }
    }
    if dash.len() > 1 {
        all.push(dash);
    }
    all
}

/// The drawing as an EMF file; the same drawing gives the same bytes.
pub fn metafile(canvas: &Canvas) -> Vec<u8> {
    let (width, height) = (length(canvas.width()), length(canvas.height()));
    let mut records = Records::default();
    // Pixels of the drawing onto the picture, whatever its size: MM_ANISOTROPIC, window and viewport
    // (2.3.11).
    records.add(17, &[8]);
    records.add(10, &[0, 0]);
    records.add(9, &[width, height]);
    records.add(12, &[0, 0]);
    records.add(11, &[width, height]);
    // A transparent ground behind text; no outline but where there is a pen.
    records.add(18, &[1]);
    records.add(37, &[NULL_PEN]);
    records.brush(RGBColor(255, 255, 255));
    let corners = [(0, 0), (width, 0), (width, height), (0, height)];
    records.points(3, &corners.map(|(x, y)| (x.cast_signed(), y.cast_signed())));
    records.done(NULL_BRUSH);
    canvas.shapes().iter().for_each(|shape| records.shape(shape));
    records.add(14, &[0, 16, 20]);
    // EMR_HEADER (2.3.4.2): bounds in pixels, frame in hundredths of a millimetre, and the device that both
    // are of.
    let millimetres = |pixels: u32| f64::from(pixels) / SCALE * UNIT_MM;
    let hundredths = |pixels: u32| (millimetres(pixels) * 100.0).round() as u32;
    let micrometres = |pixels: u32| (millimetres(pixels) * 1000.0).round() as u32;
    let whole = |pixels: u32| (millimetres(pixels).round() as u32).max(1);
    let size = u32::try_from(108 + records.bytes.len()).unwrap_or(u32::MAX);
    let handles = (HANDLE + 1) & 0xffff;
    let header = [
        1,
        108,
        0,
        0,
        width,
        height,
        0,
        0,
        hundredths(width),
        hundredths(height),
        0x464D_4520,
        0x0001_0000,
        size,
        records.count + 1,
        handles,
        0,
        0,
        0,
        width,
        height,
        whole(width),
        whole(height),
        0,
        0,
        0,
        micrometres(width),
        micrometres(height),
    ];
    let mut file: Vec<u8> = header.iter().flat_map(|f: &u32| f.to_le_bytes()).collect();
    file.extend(records.bytes);
    file
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::canvas::{BLUE, INK, RED};

    /// Types of all records, each of which begins where the one before says that it ends.
    fn kinds(file: &[u8]) -> Vec<u32> {
        let number = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().expect("four bytes"));
        let (mut at, mut kinds) = (0, Vec::new());
        while at < file.len() {
            kinds.push(number(at));
            let size = number(at + 4) as usize;
            assert!(size >= 8 && size.is_multiple_of(4), "{size} at {at}");
            at += size;
        }
        assert_eq!(at, file.len());
        assert_eq!(number(48) as usize, file.len(), "the header says how long the file is");
        assert_eq!(number(52) as usize, kinds.len(), "and how many records it has");
        assert_eq!(number(40), 0x464D_4520);
        kinds
    }

    #[test]
    fn a_drawing_is_a_metafile_with_its_letters_as_text() {
        let mut canvas = Canvas::new(100.0, 50.0);
        canvas.line((0.0, 0.0), (50.0, 50.0), Stroke::new(BLUE, 1.2));
        canvas.line((0.0, 0.0), (100.0, 0.0), Stroke::dashed(RED, 1.0));
        canvas.circle((20.0, 20.0), 4.0, RED, Some(Stroke::new(INK, 1.0)));
        canvas.text((10.0, 40.0), 12.0, Anchor::Start, INK, "AUC 0.871 \u{1f600}");
        canvas.vertical_text((10.0, 20.0), 12.0, INK, "n = 500");
        let file = metafile(&canvas);
        let kinds = kinds(&file);
        assert_eq!((kinds.first(), kinds.last()), (Some(&1), Some(&14)));
        let count = |kind: u32| kinds.iter().filter(|k| **k == kind).count();
        assert_eq!((count(84), count(42), count(3)), (2, 2, 1), "{kinds:?}");
        // 2,000 pixels in dashes of 100 and gaps of 80, and the line without gaps.
        assert_eq!(count(4), 12 + 1);
        let words: Vec<u8> = "AUC 0.871".encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert!(file.windows(words.len()).any(|w| w == words));
        assert_eq!(file, metafile(&canvas));
    }

    #[test]
    fn nothing_that_is_drawn_breaks_the_file() {
        let mut canvas = Canvas::new(1e9, f64::NAN);
        canvas.polyline(&[], Stroke::dashed(BLUE, 0.0));
        canvas.polyline(&[(1.0, 1.0)], Stroke::new(BLUE, 0.0));
        canvas.polyline(&[(f64::INFINITY, -1e300), (1e300, f64::NAN)], Stroke::new(BLUE, 1e300));
        canvas.polygon(&[], RED);
        canvas.text((0.0, 0.0), 0.0, Anchor::End, INK, "");
        kinds(&metafile(&canvas));
    }
}
