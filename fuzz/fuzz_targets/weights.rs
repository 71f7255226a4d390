//! Weights in safetensors, and the lock of a model.
#![cfg_attr(not(test), no_main)]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use sequester::model::lock::Lock;
use sequester::model::weights;

fuzz_target!(|bytes: &[u8]| {
    let _ = weights::from_bytes(bytes);
    let _ = Lock::from_bytes(bytes, Path::new("lock.json"));
});
