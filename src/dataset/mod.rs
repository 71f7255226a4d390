//! Cases, patients and images: what comes in, before any decision about it. Imports `digest` alone
//! (besides `diagnostic` and `storage`).

pub mod allocation;
pub mod case;
pub mod cases;
pub mod describe;
pub mod dicom;
pub mod facts;
pub mod folder;
pub mod gate;
pub mod image;
pub mod image_folder;
pub mod intensity;
pub mod leakage;
pub mod lists;
mod png;
pub mod radiograph;
pub mod split;
pub mod standardised;
pub mod table;
pub mod traces;
