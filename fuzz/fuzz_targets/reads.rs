//! Files of readers.
#![cfg_attr(not(test), no_main)]

use std::path::Path;
use std::sync::LazyLock;

use libfuzzer_sys::fuzz_target;
use sequester::protocol::{self, Protocol};
use sequester::reads::files as reads;

fuzz_target!(|bytes: &[u8]| {
    static DECLARED: LazyLock<Protocol> = LazyLock::new(|| {
        protocol::parse(Path::new("protocol.toml"), include_str!("../../protocols/pneumonia-exp2a.toml"))
            .expect("valid")
    });
    let _ = reads::parse(Path::new("reads.csv"), bytes, &DECLARED.reads);
});
