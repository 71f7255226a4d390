//! The ledger: what is read is written as the same bytes.
#![cfg_attr(not(test), no_main)]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use sequester::evidence::ledger::Ledger;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(ledger) = Ledger::parse(Path::new("ledger.jsonl"), bytes) {
        assert_eq!(ledger.to_bytes(), bytes);
    }
});
