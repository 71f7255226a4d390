//! Pixels of DICOM files, every codec.
#![cfg_attr(not(test), no_main)]

use libfuzzer_sys::fuzz_target;
use sequester::imaging::dicom;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(image) = dicom::from_bytes(bytes) {
        assert!(image.pixels().iter().all(|v| (0.0..=1.0).contains(v)));
    }
});
