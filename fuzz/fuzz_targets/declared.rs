//! Declared files: protocol, gate, experiment, facts, change control plan.
#![cfg_attr(not(test), no_main)]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use sequester::dataset::facts;
use sequester::model::experiment::Experiment;
use sequester::protocol;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let path = Path::new("declared.toml");
    let _ = protocol::parse(path, text);
    let _ = protocol::parse_gate(path, text);
    let _ = Experiment::parse(path, text);
    let _ = facts::parse(path, text);
    if let Ok(plan) = protocol::change::parse(path, text) {
        let _ = plan.unwritten();
    }
});
