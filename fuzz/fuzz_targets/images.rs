//! PNG and JPEG images.
#![cfg_attr(not(test), no_main)]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use sequester::imaging::image;

fuzz_target!(|bytes: &[u8]| {
    // DICOM is read by its path again; it has its own target.
    if image::is_dicom(bytes) {
        return;
    }
    if let Ok(image) = image::from_bytes(bytes, Path::new("image")) {
        assert!(image.pixels().iter().all(|v| (0.0..=1.0).contains(v)));
    }
});
