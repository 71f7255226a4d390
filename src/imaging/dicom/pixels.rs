//! Stored samples to intensities: codec, sign, rescale, window, inversion.

use dicom_core::{DicomValue, PrimitiveValue};
use dicom_dictionary_std::tags;
use dicom_object::InMemDicomObject;
use jpeg_decoder::PixelFormat;

use super::elements::{text, whole};
use super::transfer_syntax::{Codec, Syntax, refused_syntax};
use super::{jpeg_ls, jpeg12, jpeg2000};
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
pub(super) fn admit(object: &InMemDicomObject, syntax: &Syntax, pixel_data: bool) -> Result<(), Diagnostic> {
    if !pixel_data {
        return Err(missing(object));
    }
    layout(object, codec(syntax)?).map(drop)
}

fn codec(syntax: &Syntax) -> Result<Codec, Diagnostic> {
    syntax.codec.ok_or_else(|| refused_syntax(&format!("{} ({})", syntax.name, syntax.uid)))
}

fn missing(object: &InMemDicomObject) -> Diagnostic {
    let kind =
        [tags::FLOAT_PIXEL_DATA, tags::DOUBLE_FLOAT_PIXEL_DATA].iter().any(|&t| object.get(t).is_some());
    let what = if kind { "the samples are floating-point numbers" } else { "the file holds no pixel data" };
    Diagnostic::error(Code::DicomPixelsMissing, what).hint("export the image with its pixels")
}

/// Stored values, before rescaling, in the order of the rows.
/// `native`: the pixel data, when they are not in the data set.
pub(super) fn stored(
    object: &InMemDicomObject,
    syntax: &Syntax,
    native: Option<&[u8]>,
) -> Result<Stored, Diagnostic> {
    if native.is_none() && object.get(tags::PIXEL_DATA).is_none() {
        return Err(missing(object));
    }
    let codec = codec(syntax)?;
    let layout = layout(object, codec)?;
    let samples = samples(object, codec, &layout, syntax, native)?;
    let values = samples.into_iter().map(|sample| layout.value(sample)).collect();
    Ok(Stored {
        columns: layout.columns,
        rows: layout.rows,
        bits: layout.stored,
        signed: layout.signed,
        values,
    })
}

/// `native` as for [`stored`].
pub(super) fn decode(
    object: &InMemDicomObject,
    syntax: &Syntax,
    native: Option<&[u8]>,
) -> Result<Radiograph, Diagnostic> {
    if native.is_none() && object.get(tags::PIXEL_DATA).is_none() {
        return Err(missing(object));
    }
    let codec = codec(syntax)?;
    let layout = layout(object, codec)?;
    let display = Display::of(object, &layout)?;
    let intensity = |sample: u32| display.intensity(layout.value(sample));
    // Where the image has more pixels than there are stored values, each value's intensity is computed once.
    let pixels = if layout.stored <= 16 && layout.samples() >> layout.stored != 0 {
        let (shift, mask) = (layout.high_bit + 1 - layout.stored, layout.mask());
        let all: Vec<f32> = (0..=mask).map(|bits| intensity(bits << shift)).collect();
        let look_up = |sample: u32| all[(sample >> shift & mask) as usize];
        match native {
            Some(bytes) if codec == Codec::Native && layout.allocated == 16 => {
                let words = enough(bytes, &layout)?.chunks_exact(2);
                words.map(|word| look_up(u16::from_le_bytes([word[0], word[1]]).into())).collect()
            }
            _ => samples(object, codec, &layout, syntax, native)?.into_iter().map(look_up).collect(),
        }
    } else {
        samples(object, codec, &layout, syntax, native)?.into_iter().map(intensity).collect()
    };
    Ok(Radiograph::new(layout.columns, layout.rows, pixels))
}

fn layout(object: &InMemDicomObject, codec: Codec) -> Result<Layout, Diagnostic> {
    let need = |tag, name: &str| whole(object, tag).ok_or_else(|| wrong(format!("{name} is not given")));
    let photometric = text(object, tags::PHOTOMETRIC_INTERPRETATION).unwrap_or_default().to_uppercase();
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
    match text(object, tags::NUMBER_OF_FRAMES).as_deref() {
        None | Some("1") => {}
        Some(frames) => {
            let what = format!("the file holds {} frames", frames.chars().take(16).collect::<String>());
            return Err(
                Diagnostic::error(Code::DicomMultiFrame, what).hint("a case is one image: export one frame")
            );
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
    let stored = whole(object, tags::BITS_STORED).unwrap_or(allocated);
    let high_bit = whole(object, tags::HIGH_BIT).unwrap_or(stored.saturating_sub(1));
    if !matches!(allocated, 1 | 8 | 16 | 32)
        || stored == 0
        || stored > allocated
        || high_bit + 1 < stored
        || high_bit >= allocated
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
    let signed = match whole(object, tags::PIXEL_REPRESENTATION) {
        None | Some(0) => false,
        Some(1) => true,
        Some(other) => {
            return Err(wrong(format!("PixelRepresentation (0028,0103) {other} is neither 0 nor 1")));
        }
    };
    for (tag, name) in [
        (tags::MODALITY_LUT_SEQUENCE, "ModalityLUTSequence (0028,3000)"),
        (tags::VOILUT_SEQUENCE, "VOILUTSequence (0028,3010)"),
    ] {
        // A window is an alternative to a VOI table (PS3.3, C.11.2); nothing is one to a modality table.
        let alternative = tag == tags::VOILUT_SEQUENCE && object.get(tags::WINDOW_CENTER).is_some();
        if object.get(tag).is_some() && !alternative {
            return Err(Diagnostic::error(Code::DicomLookupTable, format!("{name} is not applied"))
                .hint("export the image for presentation, with a window instead of a table"));
        }
    }
    Ok(Layout { rows, columns, allocated, stored, high_bit, signed, inverted })
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

/// The samples as they are stored, one a pixel.
fn samples(
    object: &InMemDicomObject,
    codec: Codec,
    layout: &Layout,
    syntax: &Syntax,
    uncompressed: Option<&[u8]>,
) -> Result<Vec<u32>, Diagnostic> {
    if let Some(bytes) = uncompressed {
        return match codec {
            Codec::Native => native(bytes, layout),
            _ => Err(wrong("the pixel data are not encapsulated, the transfer syntax is")),
        };
    }
    let element = object.get(tags::PIXEL_DATA).ok_or_else(|| wrong("the file holds no pixel data"))?;
    let encapsulated = match (codec, element.value()) {
        (Codec::Native, DicomValue::Primitive(value)) => {
            return plain(value, layout, syntax);
        }
        (Codec::Native, _) => {
            return Err(wrong("the pixel data are encapsulated, the transfer syntax is not"));
        }
        (_, DicomValue::PixelSequence(sequence)) => {
            // One frame: however many fragments it was cut into.
            let mut bytes = Vec::new();
            sequence.fragments().iter().for_each(|fragment| bytes.extend_from_slice(fragment));
            bytes
        }
        _ => return Err(wrong("the pixel data are not encapsulated, the transfer syntax is")),
    };
    match codec {
        Codec::Native | Codec::EncapsulatedNative => native(&encapsulated, layout),
        Codec::Rle => rle(&encapsulated, layout),
        Codec::Jpeg => jpeg(&encapsulated, layout, syntax),
        Codec::Jpeg2000 => {
            let (columns, rows) = (layout.columns, layout.rows);
            jpeg2000::decode(&encapsulated, columns, rows, layout.stored, layout.signed)
                .map(|values| values.into_iter().map(|value| layout.sample(value)).collect())
                .map_err(wrong)
        }
        Codec::JpegLs => {
            let samples = jpeg_ls::decode(&encapsulated, layout.columns, layout.rows).map_err(wrong)?;
            match samples.iter().find(|&&sample| u32::from(sample) >> (layout.high_bit + 1) != 0) {
                Some(sample) => {
                    let high_bit = layout.high_bit;
                    Err(wrong(format!(
                        "the JPEG-LS picture holds the value {sample} above high bit {high_bit}"
                    )))
                }
                None => Ok(samples.into_iter().map(u32::from).collect()),
            }
        }
    }
}

/// Samples that are not encapsulated.
fn plain(value: &PrimitiveValue, layout: &Layout, syntax: &Syntax) -> Result<Vec<u32>, Diagnostic> {
    match value {
        PrimitiveValue::U16(words) if layout.allocated == 16 && words.len() >= layout.samples() => {
            Ok(words[..layout.samples()].iter().map(|&word| word.into()).collect())
        }
        // Words of 16 bits are put in order by the parser; a sample of 32 bits is two, the upper one first in
        // Big Endian (PS3.5, 7.3).
        PrimitiveValue::U16(_) if layout.allocated == 32 && syntax.encoding.big_endian => {
            let mut samples = native(&value.to_bytes(), layout)?;
            samples.iter_mut().for_each(|sample| *sample = sample.rotate_left(16));
            Ok(samples)
        }
        _ => native(&value.to_bytes(), layout),
    }
}

/// As many bytes as the pixels take.
fn enough<'a>(bytes: &'a [u8], layout: &Layout) -> Result<&'a [u8], Diagnostic> {
    let wanted = (layout.samples() * layout.allocated as usize).div_ceil(8);
    bytes.get(..wanted).ok_or_else(|| {
        let (columns, rows, there) = (layout.columns, layout.rows, bytes.len());
        wrong(format!("{columns} x {rows} pixels need {wanted} bytes, {there} are there"))
    })
}

fn native(bytes: &[u8], layout: &Layout) -> Result<Vec<u32>, Diagnostic> {
    let bytes = enough(bytes, layout)?;
    Ok(match layout.allocated {
        // The first pixel in the least significant bit; rows are not padded (PS3.5, 8.1.1).
        1 => (0..layout.samples()).map(|at| u32::from(bytes[at / 8] >> (at % 8) & 1)).collect(),
        8 => bytes.iter().map(|&byte| byte.into()).collect(),
        16 => bytes.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]]).into()).collect(),
        _ => bytes.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect(),
    })
}

/// JPEG (ISO/IEC 10918-1). The picture has to be as large as the header says.
fn jpeg(bytes: &[u8], layout: &Layout, syntax: &Syntax) -> Result<Vec<u32>, Diagnostic> {
    if jpeg12::is_one(bytes) {
        let samples = jpeg12::decode(bytes, layout.columns, layout.rows).map_err(wrong)?;
        return Ok(samples.into_iter().map(u32::from).collect());
    }
    let refused = |error: jpeg_decoder::Error| match error {
        jpeg_decoder::Error::Unsupported(feature) => {
            refused_syntax(&format!("{} ({}) with {feature:?}", syntax.name, syntax.uid))
        }
        other => wrong(format!("the JPEG picture cannot be decoded: {other}")),
    };
    let mut decoder = jpeg_decoder::Decoder::new(bytes);
    decoder.read_info().map_err(refused)?;
    let info = decoder.info().ok_or_else(|| wrong("the JPEG picture has no frame header"))?;
    if (u32::from(info.width), u32::from(info.height)) != (layout.columns, layout.rows) {
        let (width, height) = (info.width, info.height);
        return Err(wrong(format!(
            "the JPEG picture has {width} x {height} pixels, the header says {} x {}",
            layout.columns, layout.rows
        )));
    }
    if !matches!(info.pixel_format, PixelFormat::L8 | PixelFormat::L16) {
        return Err(
            Diagnostic::error(Code::DicomColour, "the JPEG picture is in colour").hint("only grey is read")
        );
    }
    decoder.set_max_decoding_buffer_size(4 * layout.samples() + 4096);
    let decoded = decoder.decode().map_err(refused)?;
    let samples: Vec<u32> = match info.pixel_format {
        PixelFormat::L16 => {
            decoded.chunks_exact(2).map(|pair| u16::from_ne_bytes([pair[0], pair[1]]).into()).collect()
        }
        _ => decoded.into_iter().map(u32::from).collect(),
    };
    if samples.len() == layout.samples() { Ok(samples) } else { Err(wrong("the JPEG picture is incomplete")) }
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
    fn of(object: &InMemDicomObject, layout: &Layout) -> Result<Self, Diagnostic> {
        // Several windows are alternatives; the first is the default one.
        let number = |tag, name: &str| match text(object, tag) {
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
                let function = text(object, tags::VOILUT_FUNCTION).unwrap_or_else(|| "LINEAR".to_owned());
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
