//! DICOM files: what the gate and the tables need of a header, and grey pixels.
//!
//! Read: Implicit and Explicit VR Little Endian, Deflated, Explicit VR Big Endian, Encapsulated Uncompressed,
//! JPEG Baseline, JPEG Extended, JPEG Lossless, JPEG-LS, JPEG 2000, RLE Lossless; 1, 8, 16 and 32 bits
//! allocated. Every other transfer syntax, colour, several frames and look-up tables are refused by name. The
//! data set is parsed by `dicom-object` after [`structure`] has bounded its lengths and depth; pixels are
//! decoded here, so that an image that does not fill its rows and columns is an error and never silently
//! black.
//!
//! Not read: names and descriptions. The former identify a person, the latter may give the finding away.

mod data_set;
mod elements;
mod header;
mod identifiers;
mod jpeg12;
mod jpeg2000;
mod jpeg_ls;
mod pixels;
mod structure;
mod transfer_syntax;

pub use header::{Header, RawValue};
pub use identifiers::Identifier;
pub use pixels::Stored;

use std::path::Path;

use crate::diagnostic::{Diagnostic, Error, Location, Result};
use crate::imaging::radiograph::Radiograph;
use crate::storage;
use data_set::parse;
use header::header;

/// Reads a header; the pixel data stay untouched.
///
/// # Errors
/// `dicom-unreadable`, `dicom-transfer-syntax` when not even the header can be read in it, and what reading
/// the file reports.
pub fn read_header(path: &Path) -> Result<Header> {
    let read = |bytes: &[u8]| {
        let parsed = parse(bytes, true)?;
        let mut header = header(&parsed.object, parsed.syntax, parsed.pixel_data);
        header.identifiers.extend(identifiers::in_name(&parsed.object, path));
        Ok(header)
    };
    read(&storage::read(path)?).map_err(|problem| located(problem, path))
}

/// Reads the pixels: rescaled (0028,1052-1053), windowed by the first window (0028,1050-1051) or else scaled
/// from the range that the bits stored can hold, and inverted for MONOCHROME1.
///
/// # Errors
/// `dicom-unreadable`, `dicom-transfer-syntax`, `dicom-pixels-missing`, `dicom-multi-frame`, `dicom-colour`,
/// `dicom-bits`, `dicom-lookup-table`, `dicom-window`, `dicom-pixels-unreadable`, `image-too-large`, and what
/// reading the file reports.
pub fn load(path: &Path) -> Result<Radiograph> {
    from_bytes(&storage::read(path)?).map_err(|problem| located(problem, path))
}

/// Reads the stored values, for whoever wants them before they are made intensities.
///
/// # Errors
/// As [`load`], without `dicom-window`.
pub fn stored(path: &Path) -> Result<Stored> {
    let read = |bytes: &[u8]| {
        let parsed = parse(bytes, false)?;
        pixels::stored(&parsed.object, &parsed.syntax, parsed.native)
    };
    read(&storage::read(path)?).map_err(|problem| located(problem, path))
}

/// The header in the bytes of a file, without what the file's name may say.
///
/// # Errors
/// As [`read_header`].
pub fn header_from_bytes(bytes: &[u8]) -> Result<Header, Diagnostic> {
    let parsed = parse(bytes, true)?;
    Ok(header(&parsed.object, parsed.syntax, parsed.pixel_data))
}

/// The pixels in the bytes of a file.
///
/// # Errors
/// As [`load`].
pub fn from_bytes(bytes: &[u8]) -> Result<Radiograph, Diagnostic> {
    let parsed = parse(bytes, false)?;
    pixels::decode(&parsed.object, &parsed.syntax, parsed.native)
}

fn located(problem: Diagnostic, path: &Path) -> Error {
    problem.at(Location::file(path)).into()
}

#[cfg(test)]
mod tests;
