//! Time-stamp tokens, certificates, and files of age: whatever the bytes, an answer and no panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sequester::custody::age;
use sequester::timestamp::{self, Authorities};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(authorities) = Authorities::parse(bytes) {
        let _ = timestamp::check(bytes, b"stamped", &authorities);
    }
    let _ = timestamp::check(bytes, b"stamped", &Authorities::default());
    let identity = age::Identity::generate(&mut |buffer: &mut [u8]| buffer.fill(7));
    let _ = age::decrypt(bytes, std::slice::from_ref(&identity));
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = age::identities(text);
        let _ = age::Recipient::parse(text);
    }
});
