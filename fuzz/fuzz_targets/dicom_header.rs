//! Headers of DICOM files, and the gate on them.
#![cfg_attr(not(test), no_main)]

use libfuzzer_sys::fuzz_target;
use sequester::dataset::gate::Gate;
use sequester::imaging::dicom;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(header) = dicom::header_from_bytes(bytes) {
        let _ = Gate::default().checks(&header.observed);
    }
});
