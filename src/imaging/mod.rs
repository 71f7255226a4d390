//! Images: DICOM, PNG and JPEG to a [`radiograph::Radiograph`], what an image says about itself, and what in
//! it or in a text identifies a person. Imports leaves alone.

pub mod dicom;
pub mod image;
pub mod image_folder;
pub mod intensity;
mod limits;
pub mod observed;
pub mod radiograph;
pub mod traces;
pub mod viewed;
