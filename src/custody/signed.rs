//! A commitment that somebody signed: who stands for the bar, as what, meaning what.
//!
//! Whoever runs a study can sign at any time: that shows who stands for the bar, and no order. Somebody who
//! does not run it, whom the auditor's `trust.toml` calls a witness, shows more: the signature cannot be
//! known before it is made, so that a line of the ledger that rests on it came later.

use serde_json::{Map, Value};

use super::commitment::{Commitment, FOLDER};
use crate::attestation::{Kind, Signed, Signer, Statement, Subject};
use crate::diagnostic::{Code, Diagnostic};
use crate::digest::Digest;

/// The role in which somebody signs who does not run the study, as the auditor says.
pub const WITNESS: &str = "witness";
/// The one subject of a statement on a commitment, whatever the file is called.
pub const SUBJECT: &str = "commitment.json";
/// What parts the name of a signature from that of its commitment.
const MARK: &str = "-signature-";

/// How the files of a signature of a commitment begin, both counted from 1.
pub fn stem(commitment: usize, signature: usize) -> String {
    format!("{FOLDER}/commitment-{commitment}{MARK}{signature}")
}

/// The commitment that a file of a signature belongs to, by its name.
pub fn commitment_of(file: &str) -> Option<String> {
    file.split_once(MARK).map(|(commitment, _)| format!("{commitment}.json"))
}

/// What is said of a commitment, in the form of a claim.
fn claim(commitment: &Commitment) -> Map<String, Value> {
    Map::from_iter([
        ("bar".to_owned(), commitment.bar.clone().into()),
        ("study".to_owned(), commitment.study.clone().into()),
        ("version".to_owned(), commitment.version.clone().into()),
    ])
}

/// The statement on the bytes of a commitment: their digest, and the bar in words.
///
/// # Errors
/// `commitment-unreadable`; `statement-malformed` for a name or role that does not print.
pub fn statement(bytes: &[u8], signer: Signer, at: &str, program: &str) -> Result<Statement, Diagnostic> {
    let commitment = Commitment::parse(bytes)?;
    let statement = Statement {
        kind: Kind::Committed,
        subjects: vec![Subject { name: SUBJECT.to_owned(), digest: Digest::of(bytes) }],
        signer,
        at: at.to_owned(),
        program: program.to_owned(),
        claim: claim(&commitment),
    };
    statement.to_bytes()?;
    Ok(statement)
}

/// Whether a signed statement is of these bytes of a commitment, and says its bar.
///
/// # Errors
/// `commitment-unreadable`; `signature-foreign` where it means something else; `statement-differs` where it
/// says another bar.
pub fn is_of(signed: &Signed, bytes: &[u8]) -> Result<(), Diagnostic> {
    let commitment = Commitment::parse(bytes)?;
    let said = &signed.statement;
    let here = Digest::of(bytes);
    if said.kind != Kind::Committed || said.subjects.len() != 1 || said.subject(SUBJECT) != Some(here) {
        let named =
            said.subject(SUBJECT).map_or("none".to_owned(), |digest| format!("{}...", digest.short()));
        let message = format!("is about the commitment {named}, this one is {}...", here.short());
        let hint = "it was signed for another commitment, or is a statement of another kind";
        return Err(Diagnostic::error(Code::SignatureForeign, message).hint(hint));
    }
    if said.claim != claim(&commitment) {
        let message = "says another bar, study or version than the commitment";
        return Err(Diagnostic::error(Code::StatementDiffers, message));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::attestation::{Algorithm, Meaning, PrivateKey, open_envelope, seal};

    fn commitment(bar: &str) -> Vec<u8> {
        let digest = Digest::of(b"x");
        let commitment = Commitment {
            bar: vec![bar.to_owned()],
            cases: BTreeMap::new(),
            cohort: digest,
            format: super::super::commitment::FORMAT.to_owned(),
            lock: None,
            protocol: digest,
            reader_rules: digest,
            scores: None,
            sealed: None,
            seed: "7".to_owned(),
            study: "s".to_owned(),
            version: "1".to_owned(),
        };
        commitment.to_bytes()
    }

    fn signer(key: &PrivateKey) -> Signer {
        Signer {
            key: key.public().to_base64(),
            meaning: Meaning::Review,
            name: "A. Example".to_owned(),
            role: WITNESS.to_owned(),
        }
    }

    #[test]
    fn a_signature_is_of_one_commitment_and_every_flipped_bit_of_it_is_noticed() {
        let key = PrivateKey::generate(Algorithm::Ed25519, &mut |bytes: &mut [u8]| bytes.fill(7));
        let bytes = commitment("auc, lower > 0.7");
        let said =
            statement(&bytes, signer(&key), "2026-01-31T12:00:00Z", "sequester 1").expect("a statement");
        let sealed = seal(&said, &key).expect("seals");
        let signed = open_envelope(&sealed).expect("opens");
        assert_eq!(is_of(&signed, &bytes), Ok(()));
        let code = |bytes: &[u8]| is_of(&signed, bytes).expect_err("is another").code;
        assert_eq!(code(&commitment("auc, lower > 0.6")), Code::SignatureForeign);
        assert_eq!(code(b"{}\n"), Code::CommitmentUnreadable);
        for bit in 0..sealed.len() * 8 {
            let mut flipped = sealed.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert!(open_envelope(&flipped).is_err(), "bit {bit}");
        }
        // A claim that does not say the commitment's bar.
        let lying = Statement { claim: Map::new(), ..said };
        let lying = open_envelope(&seal(&lying, &key).expect("seals")).expect("opens");
        assert_eq!(is_of(&lying, &bytes).expect_err("differs").code, Code::StatementDiffers);
        let kind = Statement { kind: Kind::Verified, ..signed.statement.clone() };
        let kind = open_envelope(&seal(&kind, &key).expect("seals")).expect("opens");
        assert_eq!(is_of(&kind, &bytes).expect_err("foreign").code, Code::SignatureForeign);
        assert_eq!(commitment_of(&stem(1, 2)).as_deref(), Some("commitments/commitment-1.json"));
    }
}
