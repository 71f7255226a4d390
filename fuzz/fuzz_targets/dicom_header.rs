//! Headers of DICOM files, and the gate on them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sequester::imaging::dicom;
use sequester::dataset::gate::Gate;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(header) = dicom::header_from_bytes(bytes) {
        let _ = Gate::default().checks(&header.observed);
    }
});
