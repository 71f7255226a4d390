//! Time-stamp tokens, certificates, files of age and of custody: whatever the bytes, an answer and no panic.
#![cfg_attr(not(test), no_main)]

use libfuzzer_sys::fuzz_target;
use sequester::custody::age;
use sequester::custody::commitment::Commitment;
use sequester::custody::grant::Granted;
use sequester::custody::register::Register;
use sequester::custody::request::OpeningRequest;
use sequester::custody::sealed::SealedSet;
use sequester::timestamp::{self, Authorities};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(authorities) = Authorities::parse(bytes) {
        let _ = timestamp::check(bytes, b"stamped", &authorities);
    }
    let _ = timestamp::check(bytes, b"stamped", &Authorities::default());
    let identity = age::Identity::generate(&mut |buffer: &mut [u8]| buffer.fill(7));
    let _ = age::decrypt(bytes, std::slice::from_ref(&identity));
    let _ = Granted::open(bytes);
    // What is read is written as the same bytes.
    if let Ok(read) = Commitment::parse(bytes) {
        assert_eq!(read.to_bytes(), bytes);
    }
    if let Ok(read) = SealedSet::parse(bytes) {
        assert_eq!(read.to_bytes(), bytes);
    }
    if let Ok(read) = OpeningRequest::parse(bytes) {
        assert_eq!(read.to_bytes(), bytes);
    }
    if let Ok(read) = Register::parse(bytes) {
        assert_eq!(read.to_bytes(), bytes);
    }
    if let Ok(text) = std::str::from_utf8(bytes) {
        let _ = age::identities(text);
        let _ = age::Recipient::parse(text);
    }
});
