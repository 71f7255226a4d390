//! PNG and JPEG to [`Radiograph`]. DICOM goes to its own reader, [`crate::imaging::dicom`].

use std::io::Cursor;
use std::path::Path;

use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder as _, ImageFormat, ImageReader, Limits};

use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::imaging::limits::{LARGEST_SIDE, MOST_PIXELS};
use crate::imaging::radiograph::Radiograph;
use crate::storage;

/// Largest memory a decoder may take for one image, in bytes.
const MOST_BYTES: u64 = 1 << 30;

/// Reads an image file by its content, not by its name: PNG (grey or colour, 1 to 16 bits, with or without
/// alpha) or JPEG. Intensities are the stored values divided by the largest the type can hold. Colour becomes
/// grey: the common value where the three channels are equal, else luma `0.299 R + 0.587 G + 0.114 B`
/// (Rec. ITU-R BT.601). Alpha is ignored: exported radiographs carry an opaque one. An image that its EXIF
/// data turn is refused.
///
/// # Errors
/// `image-unreadable` when the content is not such an image, is truncated or is too large; what reading the
/// file and [`crate::imaging::dicom::load`] report.
pub fn load(path: &Path) -> Result<Radiograph> {
    from_bytes(&storage::read(path)?, path)
}

/// The same for the bytes of the file `path`, already in memory.
///
/// # Errors
/// As [`load`].
pub fn from_bytes(bytes: &[u8], path: &Path) -> Result<Radiograph> {
    if is_dicom(bytes) {
        return crate::imaging::dicom::from_bytes(bytes)
            .map_err(|problem| problem.at(Location::file(path)).into());
    }
    decode(bytes).map_err(|message| {
        Error::from(
            Diagnostic::error(Code::ImageUnreadable, message)
                .at(Location::file(path))
                .hint("replace the file with a complete PNG, JPEG or DICOM image, or leave the case out"),
        )
    })
}

/// Whether the bytes are a DICOM file, with or without its preamble.
pub fn is_dicom(bytes: &[u8]) -> bool {
    crate::imaging::dicom::is_dicom(bytes)
}

/// Whether the bytes begin as an image that is read: PNG, JPEG or DICOM.
pub fn is_image(bytes: &[u8]) -> bool {
    is_dicom(bytes) || format_of(bytes).is_some()
}

fn format_of(bytes: &[u8]) -> Option<ImageFormat> {
    let format = image::guess_format(bytes).ok();
    format.filter(|format| matches!(format, ImageFormat::Png | ImageFormat::Jpeg))
}

fn decode(bytes: &[u8]) -> Result<Radiograph, String> {
    if bytes.is_empty() {
        return Err("the file is empty".to_owned());
    }
    let format =
        format_of(bytes).ok_or_else(|| "the content is neither PNG nor JPEG nor DICOM".to_owned())?;
    if format == ImageFormat::Jpeg && !jpeg_has_its_end(bytes) {
        return Err("the JPEG image is truncated: its end marker is not there".to_owned());
    }
    let mut limits = Limits::default();
    limits.max_image_width = Some(LARGEST_SIDE);
    limits.max_image_height = Some(LARGEST_SIDE);
    limits.max_alloc = Some(MOST_BYTES);
    let mut header = ImageReader::with_format(Cursor::new(bytes), format);
    header.limits(limits.clone());
    let mut header = header.into_decoder().map_err(|e| e.to_string())?;
    let (width, height) = header.dimensions();
    // A viewer turns such an image and a reader reads it upright; the pixels as they are stored are another.
    if header.orientation().is_ok_and(|orientation| orientation != Orientation::NoTransforms) {
        return Err(
            "its EXIF orientation says that it is shown turned or mirrored: save it with its pixels \
                    turned"
                .to_owned(),
        );
    }
    let pixels = u64::from(width) * u64::from(height);
    if pixels == 0 || pixels > MOST_PIXELS || width.max(height) > LARGEST_SIDE {
        return Err(format!(
            "{width} x {height} pixels; at most {LARGEST_SIDE} on a side and {MOST_PIXELS} in all are read"
        ));
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(limits);
    let decoded = reader.decode().map_err(|e| e.to_string())?;
    let (width, height) = (decoded.width(), decoded.height());
    let pixels =
        grey(&decoded).ok_or_else(|| format!("pixels of type {:?} are not read", decoded.color()))?;
    Ok(Radiograph::new(width, height, pixels))
}

/// A decoder fills what a truncated JPEG lacks with grey; the end marker tells (ISO/IEC 10918-1, B.2.1).
/// Padding after it is common and harmless.
fn jpeg_has_its_end(bytes: &[u8]) -> bool {
    bytes.windows(2).rposition(|pair| pair == [0xff, 0xd9]).is_some_and(|end| {
        let scan = bytes.windows(2).rposition(|pair| pair == [0xff, 0xda]);
        scan.is_some_and(|scan| end > scan)
    })
}

fn byte(value: u8) -> f32 {
    f32::from(value) / 255.0
}

fn grey(image: &DynamicImage) -> Option<Vec<f32>> {
    let word = |value: u16| f32::from(value) / 65_535.0;
    Some(match image {
        DynamicImage::ImageLuma8(i) => i.as_raw().iter().map(|&v| byte(v)).collect(),
        DynamicImage::ImageLumaA8(i) => i.as_raw().chunks_exact(2).map(|p| byte(p[0])).collect(),
        DynamicImage::ImageRgb8(i) => i.as_raw().chunks_exact(3).map(|p| luma(p, byte)).collect(),
        DynamicImage::ImageRgba8(i) => i.as_raw().chunks_exact(4).map(|p| luma(p, byte)).collect(),
        DynamicImage::ImageLuma16(i) => i.as_raw().iter().map(|&v| word(v)).collect(),
        DynamicImage::ImageLumaA16(i) => i.as_raw().chunks_exact(2).map(|p| word(p[0])).collect(),
        DynamicImage::ImageRgb16(i) => i.as_raw().chunks_exact(3).map(|p| luma(p, word)).collect(),
        DynamicImage::ImageRgba16(i) => i.as_raw().chunks_exact(4).map(|p| luma(p, word)).collect(),
        _ => return None,
    })
}

fn luma<T: Copy + PartialEq>(pixel: &[T], scale: impl Fn(T) -> f32) -> f32 {
    if pixel[0] == pixel[1] && pixel[1] == pixel[2] {
        return scale(pixel[0]);
    }
    0.299 * scale(pixel[0]) + 0.587 * scale(pixel[1]) + 0.114 * scale(pixel[2])
}

#[cfg(test)]
mod tests {
    use image::{GrayImage, ImageBuffer, Luma, LumaA, Rgb, Rgba};
    use proptest::prelude::*;

    use super::*;

    fn encoded(image: impl Into<DynamicImage>, format: ImageFormat) -> Vec<u8> {
        let mut out = Cursor::new(Vec::new());
        image.into().write_to(&mut out, format).expect("encodes");
        out.into_inner()
    }

    fn gradient() -> GrayImage {
        GrayImage::from_fn(40, 30, |x, y| Luma([u8::try_from((x * 5 + y * 2) % 256).expect("a byte")]))
    }

    fn pixels(bytes: &[u8]) -> Vec<f32> {
        from_bytes(bytes, Path::new("a.png")).expect("reads").pixels().to_vec()
    }

    #[test]
    fn grey_with_and_without_alpha_and_equal_colours_give_the_same_pixels() {
        let grey = gradient();
        let plain = pixels(&encoded(grey.clone(), ImageFormat::Png));
        assert_eq!(plain[0], 0.0);
        assert_eq!(plain[1], 5.0 / 255.0);
        let at = |x, y| grey.get_pixel(x, y).0[0];
        let with_alpha = ImageBuffer::from_fn(40, 30, |x, y| LumaA([at(x, y), 255 - at(x, y)]));
        let colour = ImageBuffer::from_fn(40, 30, |x, y| Rgb([at(x, y); 3]));
        let rgba = ImageBuffer::from_fn(40, 30, |x, y| Rgba([at(x, y), at(x, y), at(x, y), 7]));
        assert_eq!(pixels(&encoded(with_alpha, ImageFormat::Png)), plain);
        assert_eq!(pixels(&encoded(colour, ImageFormat::Png)), plain);
        assert_eq!(pixels(&encoded(rgba, ImageFormat::Png)), plain);
    }

    #[test]
    fn unequal_colours_become_luma_and_sixteen_bits_keep_their_depth() {
        let colour = ImageBuffer::from_pixel(1, 1, Rgb([255_u8, 0, 0]));
        assert_eq!(pixels(&encoded(colour, ImageFormat::Png)), [0.299]);
        let deep: ImageBuffer<Luma<u16>, Vec<u16>> = ImageBuffer::from_pixel(1, 1, Luma([257]));
        assert_eq!(pixels(&encoded(deep, ImageFormat::Png)), [257.0 / 65_535.0]);
    }

    #[test]
    fn jpeg_is_read_by_content_and_close_to_what_was_written() {
        let bytes = encoded(gradient(), ImageFormat::Jpeg);
        let image = from_bytes(&bytes, Path::new("misnamed.png")).expect("reads");
        assert_eq!((image.width(), image.height()), (40, 30));
        let plain = pixels(&encoded(gradient(), ImageFormat::Png));
        let worst = image.pixels().iter().zip(&plain).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(worst < 0.3, "{worst}");
    }

    #[test]
    fn an_image_that_exif_turns_is_refused_and_an_upright_one_read() {
        let plain = encoded(gradient(), ImageFormat::Jpeg);
        let turned = |orientation: u8| {
            // APP1 with one entry of TIFF: 0x0112, a short (CIPA DC-008, 4.6.5).
            let tiff =
                [b"II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0", &[orientation, 0, 0, 0][..], &[0; 4]]
                    .concat();
            let body = [b"Exif\0\0", &tiff[..]].concat();
            let length = (body.len() as u16 + 2).to_be_bytes();
            [&plain[..2], &[0xff, 0xe1], &length, &body, &plain[2..]].concat()
        };
        assert_eq!(pixels(&turned(1)), pixels(&plain));
        for orientation in 2..=8 {
            let said = decode(&turned(orientation)).expect_err("is turned");
            assert!(said.contains("EXIF orientation"), "{orientation}: {said}");
        }
    }

    #[test]
    fn truncated_foreign_and_empty_files_are_refused_with_their_name() {
        let png = encoded(gradient(), ImageFormat::Png);
        let jpeg = encoded(gradient(), ImageFormat::Jpeg);
        for bytes in [&png[..png.len() * 2 / 3], &png[..30], &jpeg[..jpeg.len() * 2 / 3], b"GIF89a....", b""]
        {
            let error = from_bytes(bytes, Path::new("images/bad.png")).expect_err("refused");
            let diagnostic = &error.diagnostics()[0];
            assert_eq!(diagnostic.code.as_str(), "image-unreadable");
            assert_eq!(diagnostic.location, Some(Location::file("images/bad.png")));
        }
    }

    #[test]
    fn a_file_that_claims_huge_dimensions_is_refused_before_memory_is_taken() {
        let mut png = encoded(gradient(), ImageFormat::Png);
        png[16..24].copy_from_slice(&[0, 1, 0x80, 0, 0, 1, 0x80, 0]);
        let crc = crc32(&png[12..29]);
        png[29..33].copy_from_slice(&crc.to_be_bytes());
        assert!(from_bytes(&png, Path::new("bomb.png")).is_err());
        png[16..24].copy_from_slice(&[0, 0, 0x40, 0, 0, 0, 0x40, 0]);
        let crc = crc32(&png[12..29]);
        png[29..33].copy_from_slice(&crc.to_be_bytes());
        let error = from_bytes(&png, Path::new("bomb.png")).expect_err("refused").to_string();
        assert!(error.contains("16384 x 16384"), "{error}");
    }

    /// PNG's checksum (ISO 3309), so that the test can change a header.
    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0_u32, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |c, _| if c & 1 == 1 { c >> 1 ^ 0xedb8_8320 } else { c >> 1 })
        })
    }

    proptest! {
        #[test]
        fn damaged_images_never_panic(position in 0_usize..2000, byte in any::<u8>(), jpeg in any::<bool>()) {
            let format = if jpeg { ImageFormat::Jpeg } else { ImageFormat::Png };
            let mut bytes = encoded(gradient(), format);
            let position = position % bytes.len();
            bytes[position] = byte;
            let _ = from_bytes(&bytes, Path::new("x"));
        }
    }
}
