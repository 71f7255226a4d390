//! Tables of scores.
#![cfg_attr(not(test), no_main)]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use sequester::inference::scores;

fuzz_target!(|bytes: &[u8]| {
    let _ = scores::parse(Path::new("scores.csv"), bytes, "case_id", &["score".to_owned()], |v| v[0]);
});
