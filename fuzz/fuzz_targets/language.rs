//! The language of protocols: text that is mended until it is one is looked at by the lint as well, and so
//! is a device file beside the example. The first byte says whether the rest stands alone, or in place of a
//! line of the example.
#![cfg_attr(not(test), no_main)]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use sequester::protocol::language::EXAMPLE;
use sequester::protocol::{disagreements_of_device, lint, parse, typed_results};

fuzz_target!(|bytes: &[u8]| {
    let Some((first, rest)) = bytes.split_first() else { return };
    let Ok(typed) = std::str::from_utf8(rest) else { return };
    let path = Path::new("protocol.toml");
    let lines: Vec<&str> = EXAMPLE.lines().collect();
    let text = match usize::from(*first) {
        255 => typed.to_owned(),
        line => {
            let mut lines = lines.clone();
            let at = line % lines.len();
            lines[at] = typed;
            lines.join("\n")
        }
    };
    if let Ok(protocol) = parse(path, &text) {
        let _ = lint(path, &text, &protocol);
        let _ = disagreements_of_device(path, typed, &protocol);
    }
    let _ = typed_results(path, typed);
});
