//! Envelopes, statements, signatures of OpenSSH and of models, keys, and trust files: what is read is written
//! as the same bytes, and nothing that the fuzzer makes is signed by anybody.
#![cfg_attr(not(test), no_main)]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use sequester::attestation::oms::ModelSignature;
use sequester::attestation::ssh::SshSignature;
use sequester::attestation::{PrivateKey, PublicKey, Statement, Trust, open_envelope, open_ssh};
use sequester::diagnostic::{Code, Diagnostic};

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    let text = String::from_utf8_lossy(bytes);
    match kind % 7 {
        0 => drop(open_envelope(bytes)),
        1 => {
            if let Ok(statement) = Statement::parse(bytes) {
                assert_eq!(statement.to_bytes().expect("what was read"), bytes);
            }
        }
        2 => {
            let half = bytes.len() / 2;
            drop(open_ssh(&bytes[..half], &bytes[half..]));
            drop(SshSignature::parse(&text));
        }
        3 => {
            if let Ok(key) = PublicKey::parse(&text) {
                assert_eq!(PublicKey::parse(&key.to_pem()).expect("PEM"), key);
                assert_eq!(PublicKey::parse(&key.to_openssh()).expect("a line"), key);
            }
        }
        4 => drop(PrivateKey::parse(&text, None)),
        5 => drop(ModelSignature::parse(bytes)),
        _ => {
            let read = |name: &str| Err(Diagnostic::error(Code::FileMissing, name.to_owned()));
            drop(Trust::parse(Path::new("trust.toml"), &text, &read));
        }
    }
});
