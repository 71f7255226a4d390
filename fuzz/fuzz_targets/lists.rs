//! Lists of cases and tables of splits.
#![cfg_attr(not(test), no_main)]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use sequester::dataset::lists;

fuzz_target!(|bytes: &[u8]| {
    let _ = lists::parse(Path::new("list.txt"), bytes, Some("test"));
    let _ = lists::parse(Path::new("split.csv"), bytes, None);
});
