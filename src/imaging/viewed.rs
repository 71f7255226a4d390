//! An image for a person who reads it on a screen: grey values of 8 or 16 bits with the window that the file
//! declares, and a PNG that holds them and nothing else.

use std::path::Path;

use super::{dicom, image};
use crate::diagnostic::Code;
use crate::diagnostic::{Diagnostic, Error, Location, Result};

/// Grey values before the window; a greater one is brighter.
#[derive(Clone, Debug, PartialEq)]
pub struct Viewed {
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
    /// Row-major, at most `most`.
    pub values: Vec<u16>,
    /// The greatest value that there can be: at least 1.
    pub most: u16,
    /// As the file declares, this value is black; it may lie outside of what there is.
    pub from: f64,
    /// And this one white.
    pub to: f64,
}

impl Viewed {
    /// The image in the bytes of the file `path`.
    ///
    /// # Errors
    /// As [`image::from_bytes`].
    pub fn of(bytes: &[u8], path: &Path) -> Result<Self> {
        if dicom::is_dicom(bytes) {
            let at = |problem: Diagnostic| Error::from(problem.at(Location::file(path)));
            return Ok(Self::of_values(&dicom::unwindowed_from_bytes(bytes).map_err(at)?));
        }
        let read = image::from_bytes(bytes, path)?;
        let of_bytes = |pixel: &f32| (pixel * 255.0 - (pixel * 255.0).round()).abs() < 1e-3;
        let most = if read.pixels().iter().all(of_bytes) { u16::from(u8::MAX) } else { u16::MAX };
        let value = |pixel: &f32| (f64::from(*pixel) * f64::from(most)).round() as u16;
        Ok(Self {
            width: read.width(),
            height: read.height(),
            values: read.pixels().iter().map(value).collect(),
            most,
            from: 0.0,
            to: f64::from(most),
        })
    }

    /// Whole numbers that fit are moved to begin at 0; others are spread over 16 bits.
    fn of_values(found: &dicom::Unwindowed) -> Self {
        let values = found.values.iter().copied();
        let (low, high) = values
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)));
        let span = high - low;
        let fits = span <= f64::from(u16::MAX) && found.values.iter().all(|value| value.fract() == 0.0);
        let scale = if fits || span <= 0.0 { 1.0 } else { f64::from(u16::MAX) / span };
        let place = |value: f64| (value - low) * scale;
        Self {
            width: found.columns,
            height: found.rows,
            values: found.values.iter().map(|value| place(*value).round() as u16).collect(),
            most: (place(high).round() as u16).max(1),
            from: place(found.from),
            to: place(found.to),
        }
    }

    /// 8, or 16 where the values need them.
    pub fn bits(&self) -> u8 {
        if self.most > u16::from(u8::MAX) { 16 } else { 8 }
    }

    /// A PNG without any text: grey of 8 bits, or, because browsers give 8 bits a channel, with the high byte
    /// of 16 in red and the low one in green.
    ///
    /// # Errors
    /// `image-unreadable` when it cannot be encoded.
    pub fn png(&self) -> Result<Vec<u8>> {
        let mut out = Vec::new();
        let mut encoder = png::Encoder::new(&mut out, self.width, self.height);
        encoder.set_depth(png::BitDepth::Eight);
        let bytes: Vec<u8> = if self.bits() == 8 {
            encoder.set_color(png::ColorType::Grayscale);
            self.values.iter().map(|value| *value as u8).collect()
        } else {
            encoder.set_color(png::ColorType::Rgb);
            self.values.iter().flat_map(|value| [(value >> 8) as u8, *value as u8, 0]).collect()
        };
        let wrong = |e: png::EncodingError| {
            Diagnostic::error(Code::ImageUnreadable, format!("the image cannot be written as PNG: {e}"))
        };
        let mut writer = encoder.write_header().map_err(wrong)?;
        writer.write_image_data(&bytes).map_err(wrong)?;
        writer.finish().map_err(wrong)?;
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unwindowed(values: &[f64], from: f64, to: f64) -> dicom::Unwindowed {
        dicom::Unwindowed { columns: values.len() as u32, rows: 1, values: values.to_vec(), from, to }
    }

    #[test]
    fn whole_numbers_stay_exact_and_the_window_goes_with_them() {
        let found = Viewed::of_values(&unwindowed(&[-1024.0, 0.0, 3071.0], -160.0, 240.0));
        assert_eq!((found.values.as_slice(), found.most), (&[0, 1024, 4095][..], 4095));
        assert_eq!((found.from, found.to, found.bits()), (864.0, 1264.0, 16));
        let flat = Viewed::of_values(&unwindowed(&[7.0, 7.0], 0.0, 255.0));
        assert_eq!((flat.values.as_slice(), flat.most, flat.from, flat.to), (&[0, 0][..], 1, -7.0, 248.0));
    }

    #[test]
    fn numbers_that_do_not_fit_are_spread_over_sixteen_bits() {
        let found = Viewed::of_values(&unwindowed(&[0.0, 0.25, 1.0], 0.0, 0.5));
        assert_eq!(found.values, [0, 16384, 65535]);
        assert_eq!((found.from, found.to), (0.0, 32767.5));
        let wide = Viewed::of_values(&unwindowed(&[0.0, 200_000.0], 0.0, 200_000.0));
        assert_eq!((wide.values.as_slice(), wide.to), (&[0, 65535][..], 65535.0));
    }

    #[test]
    fn a_png_holds_every_value_and_no_text() {
        let deep = Viewed { width: 3, height: 1, values: vec![0, 300, 4095], most: 4095, from: 0.0, to: 1.0 };
        let png = deep.png().expect("encodes");
        let rgb = ::image::load_from_memory(&png).expect("reads").to_rgb8();
        assert_eq!(rgb.as_raw(), &[0, 0, 0, 1, 44, 0, 15, 255, 0]);
        let flat = Viewed { values: vec![0, 30, 255], most: 255, ..deep };
        let png = flat.png().expect("encodes");
        assert_eq!(::image::load_from_memory(&png).expect("reads").to_luma8().as_raw(), &[0, 30, 255]);
        for chunk in [&b"tEXt"[..], b"iTXt", b"zTXt", b"eXIf"] {
            assert!(!png.windows(4).any(|four| four == chunk));
        }
        let again = Viewed::of(&png, Path::new("a.png")).expect("reads");
        assert_eq!((again.values, again.most), (flat.values, 255));
    }
}
