//! DICOM files: what the gate and the tables need of a header, and grey pixels.
//!
//! Read: Implicit and Explicit VR Little Endian, Deflated, Explicit VR Big Endian, Encapsulated Uncompressed,
//! JPEG Baseline, JPEG Extended, JPEG Lossless, JPEG-LS, JPEG 2000, RLE Lossless; 1, 8, 16 and 32 bits
//! allocated. Every other transfer syntax, colour, several frames and look-up tables are refused by name.
//! Data set and pixels are read here ([`reader`] says why): files as archives write them are read with a
//! warning that says what is irregular, and an image that does not fill its rows and columns is an error and
//! never silently black.
//!
//! Not read: names and descriptions. The former identify a person, the latter may give the finding away.

mod content;
mod data_set;
mod file;
mod header;
mod identifiers;
mod jpeg;
mod jpeg2000;
mod jpeg_ls;
mod pixels;
mod reader;
mod transfer_syntax;

pub use content::{Coded, ContentItem, ContentValue, Report, report};
pub use header::{Header, RawValue};
pub use identifiers::Identifier;
pub use pixels::{Stored, Unwindowed};

use std::path::Path;

use crate::diagnostic::{Diagnostic, Error, Location, Result};
use crate::imaging::radiograph::Radiograph;
use crate::storage;
use file::File;
use header::header;

/// Reads a header; the pixel data stay untouched.
///
/// # Errors
/// `dicom-unreadable`, `dicom-transfer-syntax` when not even the header can be read in it, and what reading
/// the file reports.
pub fn read_header(path: &Path) -> Result<Header> {
    let read = |bytes: &[u8]| {
        let file = File::open(bytes)?;
        let parsed = file.data_set(true)?;
        let mut header = header(&parsed, file.syntax);
        header.identifiers.extend(identifiers::in_name(&parsed.data, path));
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
    stored_from_bytes(&storage::read(path)?).map_err(|problem| located(problem, path))
}

/// The header in the bytes of a file, without what the file's name may say.
///
/// # Errors
/// As [`read_header`].
pub fn header_from_bytes(bytes: &[u8]) -> Result<Header, Diagnostic> {
    let file = File::open(bytes)?;
    Ok(header(&file.data_set(true)?, file.syntax))
}

/// The pixels in the bytes of a file.
///
/// # Errors
/// As [`load`].
pub fn from_bytes(bytes: &[u8]) -> Result<Radiograph, Diagnostic> {
    let file = File::open(bytes)?;
    pixels::decode(&file.data_set(false)?.data, &file.syntax)
}

/// The stored values in the bytes of a file.
///
/// # Errors
/// As [`stored`].
pub fn stored_from_bytes(bytes: &[u8]) -> Result<Stored, Diagnostic> {
    let file = File::open(bytes)?;
    pixels::stored(&file.data_set(false)?.data, &file.syntax)
}

/// The values in the bytes of a file before its window, and the window.
///
/// # Errors
/// As [`load`].
pub fn unwindowed_from_bytes(bytes: &[u8]) -> Result<Unwindowed, Diagnostic> {
    let file = File::open(bytes)?;
    pixels::unwindowed(&file.data_set(false)?.data, &file.syntax)
}

/// Whether the bytes are a DICOM file: with its preamble (PS3.10, 7.1), or one that begins with an element of
/// group 2 or 8, as some archives write it.
pub fn is_dicom(bytes: &[u8]) -> bool {
    file::is_dicom(bytes)
}

fn located(problem: Diagnostic, path: &Path) -> Error {
    problem.at(Location::file(path)).into()
}

#[cfg(test)]
mod tests;
