//! Results and bills of materials in the formats of others: CycloneDX 1.7 of the program and of the model,
//! and the results as CDISC Analysis Results Standard (ARS) 1.0.
//!
//! Everything is made from the texts of a bundle, which has been verified by whoever calls: numbers are taken
//! over as they are written, and never computed. No clock and no file: the same bundle gives the same bytes.

mod ars;
mod bundled;
mod model;
mod program;

pub use ars::reporting_event;
pub use bundled::Bundled;
pub use model::model_bom;
pub use program::{Features, program_bom};

use serde_json::{Value, json};

use crate::digest::Digest;

/// Version of CycloneDX.
const CYCLONEDX: &str = "1.7";

/// A serial number that follows from what is described: the first 16 bytes of a digest as a UUID of version 8
/// (RFC 9562, 5.8).
fn serial_number(of: &str) -> String {
    let digest = Digest::of(of.as_bytes());
    let mut bytes = [0_u8; 16];
    for (byte, from) in bytes.iter_mut().zip(digest.as_bytes()) {
        *byte = *from;
    }
    bytes[6] = 0x80 | (bytes[6] & 0x0F);
    bytes[8] = 0x80 | (bytes[8] & 0x3F);
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let part = |from: usize, to: usize| hex.get(from..to).unwrap_or_default().to_owned();
    let parts = [part(0, 8), part(8, 12), part(12, 16), part(16, 20), part(20, 32)];
    format!("urn:uuid:{}", parts.join("-"))
}

/// The head of a CycloneDX document.
fn head(serial_of: &str, metadata: &Value) -> Value {
    json!({
        "$schema": format!("http://cyclonedx.org/schema/bom-{CYCLONEDX}.schema.json"),
        "bomFormat": "CycloneDX",
        "specVersion": CYCLONEDX,
        "serialNumber": serial_number(serial_of),
        "version": 1,
        "metadata": metadata,
    })
}

/// A SHA-256 as CycloneDX has it.
fn sha256(digest: &str) -> Value {
    json!([{"alg": "SHA-256", "content": digest}])
}

/// A property of ours.
fn property(name: &str, value: &str) -> Value {
    json!({"name": format!("sequester:{name}"), "value": value})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serial_numbers_follow_from_what_is_described() {
        let first = serial_number("a");
        assert_eq!(first, "urn:uuid:ca978112-ca1b-8dca-bac2-31b39a23dc4d");
        assert_ne!(first, serial_number("b"));
    }
}
