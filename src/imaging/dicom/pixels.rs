//! Stored samples to intensities: codec, sign, rescale, window, inversion.

use std::borrow::Cow;

use dicom_core::{Tag, VR};
use dicom_dictionary_std::tags;

use super::data_set::{DataSet, Element, Value};
use super::jpeg::{self, Refused};
use super::transfer_syntax::{Codec, Syntax, refused_syntax};
use super::{jpeg_ls, jpeg2000};
use crate::diagnostic::{Code, Diagnostic};
use crate::imaging::limits::MOST_PIXELS;
use crate::imaging::radiograph::Radiograph;

/// Stored values as the file holds them: after decompression, before Modality LUT, window and inversion.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Columns (0028,0011).
    pub columns: u32,
    /// Rows (0028,0010).
    pub rows: u32,
    /// Bits Stored (0028,0101).
    pub bits: u32,
    /// Pixel Representation (0028,0103) is 1.
    pub signed: bool,
    /// Row-major.
    pub values: Vec<i64>,
}

/// Values after rescaling and before the window, of which a greater one is brighter.
#[derive(Clone, Debug, PartialEq)]
pub struct Unwindowed {
    /// Columns (0028,0011).
    pub columns: u32,
    /// Rows (0028,0010).
    pub rows: u32,
    /// Row-major.
    pub values: Vec<f64>,
    /// By the first window, or by what the bits stored can hold, this value is black.
    pub from: f64,
    /// And this one white.
    pub to: f64,
}

fn wrong(what: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Code::DicomPixelsUnreadable, what)
        .hint("export the image again, or convert it to Explicit VR Little Endian")
}

/// What the header says about the samples.
#[derive(Clone, Copy, Debug)]
struct Layout {
    rows: u32,
    columns: u32,
    allocated: u32,
    stored: u32,
    high_bit: u32,
    signed: bool,
    inverted: bool,
}

impl Layout {
    fn samples(&self) -> usize {
        self.rows as usize * self.columns as usize
    }
}

/// Whether pixels are decoded as the header describes them, with the reason why not.
pub(super) fn admit(data: &DataSet<'_>, syntax: &Syntax, pixel_data: bool) -> Result<(), Diagnostic> {
    if !pixel_data {
        return Err(missing(data));
    }
    layout(data, codec(syntax)?).map(drop)
}

fn codec(syntax: &Syntax) -> Result<Codec, Diagnostic> {
    syntax.codec.ok_or_else(|| refused_syntax(&format!("{} ({})", syntax.name, syntax.uid)))
}

fn missing(data: &DataSet<'_>) -> Diagnostic {
    let kind =
        [tags::FLOAT_PIXEL_DATA, tags::DOUBLE_FLOAT_PIXEL_DATA].iter().any(|&t| data.filled(t).is_some());
    let what = if kind { "the samples are floating-point numbers" } else { "the file holds no pixel data" };
    Diagnostic::error(Code::DicomPixelsMissing, what).hint("export the image with its pixels")
}

/// Stored values, before rescaling, in the order of the rows.
pub(super) fn stored(data: &DataSet<'_>, syntax: &Syntax) -> Result<Stored, Diagnostic> {
    let element = data.filled(tags::PIXEL_DATA).ok_or_else(|| missing(data))?;
    let codec = codec(syntax)?;
    let layout = layout(data, codec)?;
    let samples = samples(element, codec, &layout, syntax)?;
    let values = samples.each(|sample| layout.value(sample));
    Ok(Stored {
        columns: layout.columns,
        rows: layout.rows,
        bits: layout.stored,
        signed: layout.signed,
        values,
    })
}

/// Intensities.
pub(super) fn decode(data: &DataSet<'_>, syntax: &Syntax) -> Result<Radiograph, Diagnostic> {
    let element = data.filled(tags::PIXEL_DATA).ok_or_else(|| missing(data))?;
    let codec = codec(syntax)?;
    let layout = layout(data, codec)?;
    let display = Display::of(data, &layout)?;
    let intensity = |sample: u32| display.intensity(layout.value(sample));
    // Where the image has more pixels than there are stored values, each value's intensity is computed once.
    let pixels = if layout.stored <= 16 && layout.samples() >> layout.stored != 0 {
        let (shift, mask) = (layout.high_bit + 1 - layout.stored, layout.mask());
        let all: Vec<f32> = (0..=mask).map(|bits| intensity(bits << shift)).collect();
        let look_up = |sample: u32| all[(sample >> shift & mask) as usize];
        samples(element, codec, &layout, syntax)?.each(look_up)
    } else {
        samples(element, codec, &layout, syntax)?.each(intensity)
    };
    Ok(Radiograph::new(layout.columns, layout.rows, pixels))
}

/// Values before the window, and the window.
pub(super) fn unwindowed(data: &DataSet<'_>, syntax: &Syntax) -> Result<Unwindowed, Diagnostic> {
    let element = data.filled(tags::PIXEL_DATA).ok_or_else(|| missing(data))?;
    let codec = codec(syntax)?;
    let layout = layout(data, codec)?;
    let display = Display::of(data, &layout)?;
    let samples = samples(element, codec, &layout, syntax)?;
    let (window, curved) = match display.curve {
        Curve::Range { low, high } => ((low, high), false),
        Curve::Linear { centre, width } => {
            let half = (width - 1.0) / 2.0;
            ((centre - 0.5 - half, centre - 0.5 + half), false)
        }
        Curve::LinearExact { centre, width } => ((centre - width / 2.0, centre + width / 2.0), false),
        // A curve is no window: what it gives is taken, which is all of the picture.
        Curve::Sigmoid { .. } => ((0.0, f64::from(u16::MAX)), true),
    };
    let turned = layout.inverted && !curved;
    let value = |sample: u32| {
        let stored = layout.value(sample);
        if curved {
            return (f64::from(display.intensity(stored)) * f64::from(u16::MAX)).round();
        }
        let value = stored as f64 * display.slope + display.intercept;
        if turned { -value } else { value }
    };
    let (from, to) = if turned { (-window.1, -window.0) } else { window };
    Ok(Unwindowed { columns: layout.columns, rows: layout.rows, values: samples.each(value), from, to })
}

fn layout(data: &DataSet<'_>, codec: Codec) -> Result<Layout, Diagnostic> {
    // Present and empty is as absent; present and no number is a fault, never a default.
    let number = |tag, name: &str| {
        data.whole(tag).map_err(|value| wrong(format!("{name} `{value}` is not a whole number")))
    };
    let need = |tag, name: &str| number(tag, name)?.ok_or_else(|| wrong(format!("{name} is not given")));
    let photometric = data.text(tags::PHOTOMETRIC_INTERPRETATION).unwrap_or_default().to_uppercase();
    let per_pixel = need(tags::SAMPLES_PER_PIXEL, "SamplesPerPixel (0028,0002)")?;
    let inverted = match photometric.as_str() {
        "MONOCHROME1" if per_pixel == 1 => true,
        "MONOCHROME2" if per_pixel == 1 => false,
        other => {
            let other: String = other.chars().take(16).collect();
            let what =
                format!("photometric interpretation `{other}` with {per_pixel} samples a pixel is not grey");
            return Err(
                Diagnostic::error(Code::DicomColour, what).hint("only MONOCHROME1 and MONOCHROME2 are read")
            );
        }
    };
    match number(tags::NUMBER_OF_FRAMES, "NumberOfFrames (0028,0008)")? {
        None | Some(1) => {}
        Some(frames) => {
            return Err(Diagnostic::error(Code::DicomMultiFrame, format!("the file holds {frames} frames"))
                .hint("a case is one image: export one frame"));
        }
    }
    let (rows, columns) =
        (need(tags::ROWS, "Rows (0028,0010)")?, need(tags::COLUMNS, "Columns (0028,0011)")?);
    let pixels = u64::from(rows) * u64::from(columns);
    if pixels == 0 {
        return Err(wrong(format!("{columns} x {rows} is not an image")));
    }
    if pixels > MOST_PIXELS {
        let what = format!("{columns} x {rows} pixels; at most {MOST_PIXELS} in all are read");
        return Err(Diagnostic::error(Code::ImageTooLarge, what));
    }
    let allocated = need(tags::BITS_ALLOCATED, "BitsAllocated (0028,0100)")?;
    let stored = number(tags::BITS_STORED, "BitsStored (0028,0101)")?.unwrap_or(allocated);
    let high_bit = number(tags::HIGH_BIT, "HighBit (0028,0102)")?.unwrap_or(stored.saturating_sub(1));
    if !matches!(allocated, 1 | 8 | 16 | 32)
        || stored == 0
        || stored > allocated
        || high_bit >= allocated
        || high_bit + 1 < stored
    {
        let what =
            format!("{stored} bits stored of {allocated} allocated, high bit {high_bit}, are not read");
        return Err(Diagnostic::error(Code::DicomBits, what).hint("1, 8, 16 or 32 bits allocated are read"));
    }
    // PS3.5, 8.2: the codecs hold 8 or 16 bits; RLE takes a sample byte by byte.
    let held = match codec {
        Codec::Native | Codec::EncapsulatedNative => true,
        Codec::Rle => allocated >= 8,
        Codec::Jpeg | Codec::JpegLs | Codec::Jpeg2000 => matches!(allocated, 8 | 16),
    };
    if !held {
        let what = format!("{allocated} bits allocated are not read in a compressed picture");
        return Err(Diagnostic::error(Code::DicomBits, what).hint("convert it to Explicit VR Little Endian"));
    }
    let signed = match number(tags::PIXEL_REPRESENTATION, "PixelRepresentation (0028,0103)")? {
        None | Some(0) => false,
        Some(1) => true,
        Some(other) => {
            return Err(wrong(format!("PixelRepresentation (0028,0103) {other} is neither 0 nor 1")));
        }
    };
    refuse_tables(data)?;
    Ok(Layout { rows, columns, allocated, stored, high_bit, signed, inverted })
}

/// A table that would have to be applied. A window is an alternative to a VOI table (PS3.3, C.11.2) if it has
/// values; nothing is one to the other tables.
fn refuse_tables(data: &DataSet<'_>) -> Result<(), Diagnostic> {
    let window = [tags::WINDOW_CENTER, tags::WINDOW_WIDTH].iter().all(|&tag| data.text(tag).is_some());
    let tables: [(Tag, &str); 3] = [
        (tags::MODALITY_LUT_SEQUENCE, "ModalityLUTSequence (0028,3000)"),
        (tags::VOILUT_SEQUENCE, "VOILUTSequence (0028,3010)"),
        (tags::PRESENTATION_LUT_SEQUENCE, "PresentationLUTSequence (2050,0010)"),
    ];
    let applies = |tag: Tag| data.filled(tag).is_some() && !(tag == tags::VOILUT_SEQUENCE && window);
    match tables.into_iter().find(|(tag, _)| applies(*tag)) {
        None => Ok(()),
        Some((_, name)) => Err(Diagnostic::error(Code::DicomLookupTable, format!("{name} is not applied"))
            .hint("export the image for presentation, with a window instead of a table")),
    }
}

impl Layout {
    /// The stored value of a sample: the bits stored, below the high bit, with their sign.
    fn value(&self, sample: u32) -> i64 {
        let bits = i64::from((sample >> (self.high_bit + 1 - self.stored)) & self.mask());
        if self.signed && bits >> (self.stored - 1) == 1 { bits - (1 << self.stored) } else { bits }
    }

    /// The sample that holds a stored value in its low bits, where codecs put it, or at the high bit.
    fn sample(&self, value: i32) -> u32 {
        (value as u32 & self.mask()) << (self.high_bit + 1 - self.stored)
    }

    /// Samples of a codec of this precision. Bits above the high bit are none, or repeat the sign of a
    /// picture with more bits than the header has; all else would be dropped without a word.
    fn decoded(
        &self,
        samples: Vec<u16>,
        precision: u32,
        codec: &str,
    ) -> Result<Samples<'static>, Diagnostic> {
        let above = self.high_bit + 1;
        // Nothing tells where a shorter sample has its sign, or which of its bits count.
        if precision < above && (self.signed || above != self.stored) {
            return Err(wrong(format!(
                "the {codec} picture has {precision} bits, which do not reach high bit {}",
                self.high_bit
            )));
        }
        let ones = (u32::MAX >> (32 - precision)).checked_shr(above).unwrap_or(0);
        let fits = |sample: u32| match sample >> above {
            0 => true,
            upper => self.signed && upper == ones && sample >> self.high_bit & 1 == 1,
        };
        let any = u32::from(samples.iter().fold(0, |any, sample| any | sample));
        let unfit = if any >> above == 0 { None } else { samples.iter().find(|&&s| !fits(s.into())) };
        if let Some(sample) = unfit {
            let high_bit = self.high_bit;
            let what = format!("the {codec} picture holds the value {sample} above high bit {high_bit}");
            return Err(wrong(what));
        }
        Ok(Samples::Short(samples))
    }

    /// As many ones as bits are stored: 1 to 32.
    fn mask(&self) -> u32 {
        u32::MAX >> (32 - self.stored)
    }

    /// The least and the greatest stored value.
    fn range(&self) -> (f64, f64) {
        let span = (1_u64 << self.stored) as f64;
        if self.signed { (-span / 2.0, span / 2.0 - 1.0) } else { (0.0, span - 1.0) }
    }
}

/// Samples as they are stored, one a pixel, in the form in which they came.
enum Samples<'a> {
    /// Of 8 bits.
    Bytes(Cow<'a, [u8]>),
    /// Of 16 bits, the lower byte first.
    Words(Cow<'a, [u8]>),
    Short(Vec<u16>),
    Long(Vec<u32>),
}

impl Samples<'_> {
    /// What each gives.
    fn each<T>(self, gives: impl Fn(u32) -> T) -> Vec<T> {
        match self {
            Self::Bytes(all) => all.iter().map(|&byte| gives(byte.into())).collect(),
            Self::Words(all) => {
                let (words, _) = all.as_chunks();
                words.iter().map(|&word| gives(u16::from_le_bytes(word).into())).collect()
            }
            Self::Short(all) => all.into_iter().map(|sample| gives(sample.into())).collect(),
            Self::Long(all) => all.into_iter().map(gives).collect(),
        }
    }
}

/// The samples of an element.
fn samples<'a>(
    element: &'a Element<'_>,
    codec: Codec,
    layout: &Layout,
    syntax: &Syntax,
) -> Result<Samples<'a>, Diagnostic> {
    let encapsulated = match (codec, &element.value) {
        (Codec::Native, Value::Bytes(bytes)) => return native(in_order(bytes, element, layout), layout),
        (Codec::Native, _) => {
            return Err(wrong("the pixel data are encapsulated, the transfer syntax is not"));
        }
        // One frame: however many fragments it was cut into.
        (_, Value::Fragments(fragments)) => match fragments[..] {
            [whole] => Cow::Borrowed(whole),
            _ => Cow::Owned(fragments.concat()),
        },
        _ => return Err(wrong("the pixel data are not encapsulated, the transfer syntax is")),
    };
    match codec {
        Codec::Native | Codec::EncapsulatedNative => native(encapsulated, layout),
        Codec::Rle => rle(&encapsulated, layout).map(Samples::Long),
        Codec::Jpeg => jpeg(&encapsulated, layout, syntax),
        Codec::Jpeg2000 => {
            let (columns, rows) = (layout.columns, layout.rows);
            jpeg2000::decode(&encapsulated, columns, rows, layout.stored, layout.signed)
                .map(|values| Samples::Long(values.into_iter().map(|value| layout.sample(value)).collect()))
                .map_err(wrong)
        }
        Codec::JpegLs => {
            let picture = jpeg_ls::decode(&encapsulated, layout.columns, layout.rows).map_err(wrong)?;
            layout.decoded(picture.samples, picture.precision, "JPEG-LS")
        }
    }
}

/// The bytes with the lowest of each sample first. Words have 16 bits, two samples of 8 in each, and a sample
/// of 32 bits is two, the upper one first in Big Endian (PS3.5, 7.3 and annex D).
fn in_order<'a>(bytes: &'a [u8], element: &Element<'_>, layout: &Layout) -> Cow<'a, [u8]> {
    if !element.big_endian || element.vr == VR::OB {
        return Cow::Borrowed(bytes);
    }
    let width = if layout.allocated == 32 { 4 } else { 2 };
    Cow::Owned(bytes.chunks_exact(width).flat_map(|word| word.iter().rev().copied()).collect())
}

/// As many bytes as the pixels take.
fn native<'a>(bytes: Cow<'a, [u8]>, layout: &Layout) -> Result<Samples<'a>, Diagnostic> {
    let wanted = (layout.samples() * layout.allocated as usize).div_ceil(8);
    if bytes.len() < wanted {
        let (columns, rows, there) = (layout.columns, layout.rows, bytes.len());
        return Err(wrong(format!("{columns} x {rows} pixels need {wanted} bytes, {there} are there")));
    }
    // Their number is even, so there may be one more (PS3.5, 8.1.1); some devices pad with zeros, up to a
    // row. With more, rows end elsewhere than is said.
    let row = (layout.columns as usize * layout.allocated as usize).div_ceil(8);
    let padded = bytes.len() <= wanted + row && bytes[wanted..].iter().all(|byte| *byte == 0);
    if bytes.len() > wanted.next_multiple_of(2) && !padded {
        let (columns, rows, there) = (layout.columns, layout.rows, bytes.len());
        let message = format!(
            "{columns} x {rows} pixels take {wanted} bytes, and {there} are there: Rows, Columns or Bits \
             Allocated are not those of the pixels"
        );
        return Err(wrong(message));
    }
    let bytes = match bytes {
        Cow::Borrowed(all) => Cow::Borrowed(&all[..wanted]),
        Cow::Owned(mut all) => {
            all.truncate(wanted);
            Cow::Owned(all)
        }
    };
    Ok(match layout.allocated {
        // The first pixel in the least significant bit; rows are not padded (PS3.5, 8.1.1).
        1 => {
            Samples::Long((0..layout.samples()).map(|at| u32::from(bytes[at / 8] >> (at % 8) & 1)).collect())
        }
        8 => Samples::Bytes(bytes),
        16 => Samples::Words(bytes),
        _ => Samples::Long(bytes.as_chunks().0.iter().map(|&long| u32::from_le_bytes(long)).collect()),
    })
}

/// JPEG. The picture has to be as large as the header says.
fn jpeg(bytes: &[u8], layout: &Layout, syntax: &Syntax) -> Result<Samples<'static>, Diagnostic> {
    let refused = |refused| match refused {
        Refused::Process(process) => {
            refused_syntax(&format!("{} ({}) with {process}", syntax.name, syntax.uid))
        }
        Refused::Colour(components) => {
            let what = format!("the JPEG picture has {components} components");
            Diagnostic::error(Code::DicomColour, what).hint("only grey is read")
        }
        Refused::Wrong(what) => wrong(what),
    };
    let picture = jpeg::decode(bytes, layout.columns, layout.rows).map_err(refused)?;
    layout.decoded(picture.samples, picture.precision, "JPEG")
}

/// RLE (PS3.5, annex G): one segment a byte of the sample, the most significant first, each in PackBits.
fn rle(bytes: &[u8], layout: &Layout) -> Result<Vec<u32>, Diagnostic> {
    let long = |index: usize| {
        let bytes = bytes.get(4 * index..)?.first_chunk::<4>()?;
        Some(u32::from_le_bytes(*bytes) as usize)
    };
    let segments = layout.allocated as usize / 8;
    if long(0) != Some(segments) {
        return Err(wrong(format!(
            "RLE pixel data need {segments} segments, {:?} are there",
            long(0).unwrap_or(0)
        )));
    }
    let mut samples = vec![0_u32; layout.samples()];
    let mut plane = Vec::with_capacity(samples.len() + 128);
    for segment in 0..segments {
        let begin = long(1 + segment).filter(|&begin| begin >= 64);
        let end = if segment + 1 < segments { long(2 + segment) } else { Some(bytes.len()) };
        let packed = begin.zip(end).and_then(|(begin, end)| bytes.get(begin..end));
        let packed = packed.ok_or_else(|| wrong("an RLE segment lies outside the pixel data"))?;
        plane.clear();
        unpack(packed, samples.len(), &mut plane)
            .ok_or_else(|| wrong("an RLE segment ends before the image is full"))?;
        // A run may not cross the end, but padding of one byte happens: what is too much is left.
        for (sample, &byte) in samples.iter_mut().zip(&plane) {
            *sample = (*sample << 8) | u32::from(byte);
        }
    }
    Ok(samples)
}

/// Unpacks until `wanted` bytes are there; the last run may bring more.
fn unpack(mut packed: &[u8], wanted: usize, plane: &mut Vec<u8>) -> Option<()> {
    while plane.len() < wanted {
        let (&control, rest) = packed.split_first()?;
        // -128 is no operation; 0 and above copies, below 0 repeats.
        packed = match control as i8 {
            i8::MIN => rest,
            0.. => {
                let count = usize::from(control) + 1;
                // The last copy may be cut where the image is full.
                let count = if rest.len() < count { count.min(wanted - plane.len()) } else { count };
                let (copied, rest) = rest.split_at_checked(count)?;
                plane.extend_from_slice(copied);
                rest
            }
            repeats => {
                let (&byte, rest) = rest.split_first()?;
                plane.resize(plane.len() + usize::from(repeats.unsigned_abs()) + 1, byte);
                rest
            }
        };
    }
    Some(())
}

/// From stored values to intensities.
#[derive(Clone, Copy, Debug)]
struct Display {
    slope: f64,
    intercept: f64,
    curve: Curve,
    inverted: bool,
}

#[derive(Clone, Copy, Debug)]
enum Curve {
    /// All that the bits stored can hold.
    Range { low: f64, high: f64 },
    /// PS3.3, C.11.2.1.2.1.
    Linear { centre: f64, width: f64 },
    /// PS3.3, C.11.2.1.3.2.
    LinearExact { centre: f64, width: f64 },
    /// PS3.3, C.11.2.1.3.1.
    Sigmoid { centre: f64, width: f64 },
}

impl Display {
    fn of(data: &DataSet<'_>, layout: &Layout) -> Result<Self, Diagnostic> {
        // Several windows are alternatives; the first is the default one.
        let number = |tag, name: &str| match data.text(tag) {
            None => Ok(None),
            Some(text) => {
                let first = text.split('\\').next().unwrap_or_default().trim().to_owned();
                let value = first.parse::<f64>().ok().filter(|value| value.is_finite());
                let shown: String = first.chars().take(32).collect();
                value.map(Some).ok_or_else(|| window(format!("{name} `{shown}` is not a number")))
            }
        };
        let slope = number(tags::RESCALE_SLOPE, "RescaleSlope (0028,1053)")?.unwrap_or(1.0);
        let intercept = number(tags::RESCALE_INTERCEPT, "RescaleIntercept (0028,1052)")?.unwrap_or(0.0);
        if slope == 0.0 {
            return Err(window("RescaleSlope (0028,1053) is 0: the image would be empty".to_owned()));
        }
        let centre = number(tags::WINDOW_CENTER, "WindowCenter (0028,1050)")?;
        let width = number(tags::WINDOW_WIDTH, "WindowWidth (0028,1051)")?;
        let curve = match (centre, width) {
            (Some(centre), Some(width)) => {
                let function = data.text(tags::VOILUT_FUNCTION).unwrap_or_else(|| "LINEAR".to_owned());
                match function.to_uppercase().as_str() {
                    "LINEAR" if width >= 1.0 => Curve::Linear { centre, width },
                    "LINEAR_EXACT" if width > 0.0 => Curve::LinearExact { centre, width },
                    "SIGMOID" if width > 0.0 => Curve::Sigmoid { centre, width },
                    "LINEAR" | "LINEAR_EXACT" | "SIGMOID" => {
                        return Err(window(format!("WindowWidth (0028,1051) {width} is too small")));
                    }
                    other => {
                        let other: String = other.chars().take(32).collect();
                        return Err(window(format!("VOILUTFunction (0028,1056) `{other}` is not known")));
                    }
                }
            }
            (None, None) => {
                let (least, greatest) = layout.range();
                let (one, other) = (least * slope + intercept, greatest * slope + intercept);
                Curve::Range { low: one.min(other), high: one.max(other) }
            }
            _ => return Err(window("a window needs both WindowCenter and WindowWidth".to_owned())),
        };
        Ok(Self { slope, intercept, curve, inverted: layout.inverted })
    }

    /// In 0..=1.
    fn intensity(&self, stored: i64) -> f32 {
        // At most 32 bits: exact.
        let x = stored as f64 * self.slope + self.intercept;
        let y = match self.curve {
            Curve::Range { low, high } => (x - low) / (high - low),
            Curve::Linear { centre, width } => {
                let from_centre = x - (centre - 0.5);
                let half = (width - 1.0) / 2.0;
                if from_centre <= -half {
                    0.0
                } else if from_centre > half {
                    1.0
                } else {
                    from_centre / (width - 1.0) + 0.5
                }
            }
            Curve::LinearExact { centre, width } => (x - centre) / width + 0.5,
            Curve::Sigmoid { centre, width } => 1.0 / (1.0 + (-4.0 * (x - centre) / width).exp()),
        };
        let y = if y.is_finite() { y.clamp(0.0, 1.0) } else { 0.0 };
        (if self.inverted { 1.0 - y } else { y }) as f32
    }
}

fn window(what: String) -> Diagnostic {
    Diagnostic::error(Code::DicomWindow, what)
        .hint("mend the value, or remove the window so that the full range is used")
}
