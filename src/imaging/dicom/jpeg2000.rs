//! JPEG 2000 (ISO/IEC 15444-1) inside DICOM: one component, up to 16 bits.

use hayro_jpeg2000::{DecodeSettings, DecoderContext, Image};

/// What the size marker says of the only component.
struct Component {
    width: u32,
    height: u32,
    precision: u32,
    signed: bool,
}

/// The stored values, row by row; each fits the `stored` bits of the header. A codestream may declare more
/// bits than it uses. One without a sign in a file whose header has one holds two's complement, as some
/// archives write it.
pub(super) fn decode(
    bytes: &[u8],
    columns: u32,
    rows: u32,
    stored: u32,
    signed: bool,
) -> Result<Vec<i32>, String> {
    // The bare codestream: a file format around it (15444-1, annex I) has no say in DICOM (PS3.5, A.4.4).
    let start = bytes.windows(4).position(|window| window == [0xFF, 0x4F, 0xFF, 0x51]);
    let bytes = start.and_then(|start| bytes.get(start..));
    let bytes = bytes.ok_or("the pixel data hold no JPEG 2000 codestream")?;
    let component = component(bytes)?;
    let (width, height) = (component.width, component.height);
    if (width, height) != (columns, rows) {
        return Err(format!(
            "the JPEG 2000 picture has {width} x {height} pixels, the header says {columns} x {rows}"
        ));
    }
    if component.precision > 16 {
        return Err(format!("{} bits of a JPEG 2000 picture are not read", component.precision));
    }
    let settings = DecodeSettings { resolve_palette_indices: false, strict: true, target_resolution: None };
    let wrong =
        |error: hayro_jpeg2000::DecodeError| format!("the JPEG 2000 picture cannot be decoded: {error}");
    let image = Image::new(bytes, &settings).map_err(wrong)?;
    let mut context = DecoderContext::default();
    let decoded = image.decode(&mut context).map_err(wrong)?;
    let samples = match decoded.components() {
        [only] if only.samples().len() == columns as usize * rows as usize => only.samples(),
        _ => return Err("the JPEG 2000 picture does not hold one component of its size".to_owned()),
    };
    // The decoder adds the level shift of unsigned components to signed ones, too (15444-1, G.1.2).
    let half = 1_i32 << (component.precision - 1);
    let shift = if component.signed { half } else { 0 };
    let (least, most) = (-shift, 2 * half - 1 - shift);
    // Added and taken away, it rounds what lies within 16 bits to a whole number, ties to the even one.
    const ROUNDS: f32 = 12_582_912.0;
    let value = |sample: f32| {
        let value = (sample.clamp(-65_536.0, 65_536.0) + ROUNDS - ROUNDS) as i32 - shift;
        let value = value.clamp(least, most);
        if signed && !component.signed && value >= half { value - 2 * half } else { value }
    };
    let values: Vec<i32> = samples.iter().map(|&sample| value(sample)).collect();
    let fits = if signed { -(1 << (stored - 1))..1 << (stored - 1) } else { 0..1_i32 << stored };
    match values.iter().find(|value| !fits.contains(value)) {
        Some(value) => Err(format!(
            "the JPEG 2000 picture of {} bits holds the value {value}, the header says {stored} bits{}",
            component.precision,
            if signed { " with a sign" } else { "" }
        )),
        None => Ok(values),
    }
}

/// Reads the size marker (15444-1, A.5.1), which follows the start of the codestream.
fn component(bytes: &[u8]) -> Result<Component, String> {
    let siz = bytes.get(6..).ok_or("the JPEG 2000 size marker is cut")?;
    let short = |at: usize| siz.get(at..)?.first_chunk::<2>().map(|b| u16::from_be_bytes(*b));
    let long = |at: usize| siz.get(at..)?.first_chunk::<4>().map(|b| u32::from_be_bytes(*b));
    let read = || {
        let width = long(2)?.checked_sub(long(10)?)?;
        let height = long(6)?.checked_sub(long(14)?)?;
        Some((width, height, short(34)?, *siz.get(36)?, *siz.get(37)?, *siz.get(38)?))
    };
    let (width, height, components, depth, dx, dy) = read().ok_or("the JPEG 2000 size marker is cut")?;
    if components != 1 || (dx, dy) != (1, 1) {
        return Err(format!("the JPEG 2000 picture has {components} components, or subsamples them"));
    }
    let precision = u32::from(depth & 0x7F) + 1;
    Ok(Component { width, height, precision, signed: depth & 0x80 != 0 })
}
