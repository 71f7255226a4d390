//! How a statement is signed: in a DSSE envelope (secure-systems-lab, 1.0), or as a file beside its SSHSIG.

use serde::{Deserialize, Serialize};

use super::encoding::{base64, canonical, from_base64, from_canonical};
use super::key::PublicKey;
use super::private::PrivateKey;
use super::ssh::{self, SshSignature};
use super::statement::{self, Statement};
use crate::diagnostic::{Code, Diagnostic};
use crate::digest::Digest;

/// What a DSSE envelope of ours carries.
pub const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope {
    payload: String,
    #[serde(rename = "payloadType")]
    payload_type: String,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvelopeSignature {
    keyid: String,
    sig: String,
}

/// A statement whose signature is one of its bytes by the key that it names itself. Whether that key is
/// anybody's is for [`super::Trust`] to say.
#[derive(Clone, Debug)]
pub struct Signed {
    /// What is said.
    pub statement: Statement,
    /// Digest of the statement's bytes: two envelopes with one statement are one.
    pub digest: Digest,
    /// The key that signed.
    pub key: PublicKey,
}

/// Pre-authentication encoding of DSSE: what the key signs.
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    [head.as_bytes(), payload].concat()
}

fn wrong(why: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Code::SignatureMalformed, format!("no envelope: {}", why.into()))
        .hint("a DSSE envelope with one statement and one signature, as `docs/files.md` says")
}

fn invalid() -> Diagnostic {
    let message = "the signature is not one of this statement by the key that it names";
    Diagnostic::error(Code::SignatureInvalid, message)
        .hint("statement or signature was changed after signing")
}

/// Signs a statement: one line of canonical JSON.
///
/// # Errors
/// `statement-malformed`; `signature-invalid` where the statement names another key than the one that signs.
pub fn seal(statement: &Statement, key: &PrivateKey) -> Result<Vec<u8>, Diagnostic> {
    let payload = statement.to_bytes()?;
    if statement.key() != Some(key.public()) {
        return Err(invalid());
    }
    let signature = EnvelopeSignature {
        keyid: key.public().id().to_string(),
        sig: base64(&key.sign(&pae(PAYLOAD_TYPE, &payload))),
    };
    let envelope = Envelope {
        payload: base64(&payload),
        payload_type: PAYLOAD_TYPE.to_owned(),
        signatures: vec![signature],
    };
    let mut bytes = canonical(&envelope);
    bytes.push(b'\n');
    Ok(bytes)
}

/// Reads an envelope and checks its signature with the key that the statement names.
///
/// # Errors
/// `signature-malformed`, `statement-malformed`, `signature-invalid`.
pub fn open_envelope(bytes: &[u8]) -> Result<Signed, Diagnostic> {
    if bytes.len() > 2 * statement::LARGEST {
        return Err(wrong("larger than any"));
    }
    let line = bytes.strip_suffix(b"\n").ok_or_else(|| wrong("the line does not end"))?;
    let envelope: Envelope = from_canonical(line).map_err(wrong)?;
    if envelope.payload_type != PAYLOAD_TYPE {
        return Err(wrong(format!("it carries `{}`", envelope.payload_type.escape_debug())));
    }
    let [signature] = &envelope.signatures[..] else {
        return Err(wrong(format!(
            "{} signatures; each signer makes a statement",
            envelope.signatures.len()
        )));
    };
    let payload = from_base64(&envelope.payload).ok_or_else(|| wrong("the payload is no base64"))?;
    let sig = from_base64(&signature.sig).ok_or_else(|| wrong("the signature is no base64"))?;
    let statement = Statement::parse(&payload)?;
    let key = statement.key().ok_or_else(invalid)?;
    let signed = signature.keyid == key.id().to_string()
        && key.verifies_canonically(&pae(PAYLOAD_TYPE, &payload), &sig);
    if signed { Ok(Signed { statement, digest: Digest::of(&payload), key }) } else { Err(invalid()) }
}

/// Reads a statement and the signature of `ssh-keygen -Y sign -n sequester` beside it.
///
/// # Errors
/// As [`open_envelope`].
pub fn open_ssh(statement: &[u8], signature: &[u8]) -> Result<Signed, Diagnostic> {
    let text = std::str::from_utf8(signature).map_err(|_| wrong("the signature is not text"))?;
    let signature = SshSignature::parse(text)?;
    let parsed = Statement::parse(statement)?;
    let key = parsed.key().ok_or_else(invalid)?;
    let signed = *signature.key() == key && signature.verifies(ssh::NAMESPACE, statement);
    if signed { Ok(Signed { statement: parsed, digest: Digest::of(statement), key }) } else { Err(invalid()) }
}
