//! Templates of documents.
#![cfg_attr(not(test), no_main)]

use libfuzzer_sys::fuzz_target;
use sequester::document::lint;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let _ = lint::lint("submission.md", text);
});
