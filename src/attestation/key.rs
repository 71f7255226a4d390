//! Public keys: P-256 (FIPS 186-5, ECDSA with SHA-256) and ed25519 (RFC 8032), as SubjectPublicKeyInfo
//! (RFC 5280) in PEM or as a line of OpenSSH.

use std::fmt;

use p256::ecdsa::signature::Verifier as _;

use super::encoding::{base64, from_base64};
use super::pem;
use super::wire::{Parts, string};
use crate::diagnostic::{Code, Diagnostic};
use crate::digest::Digest;

/// The one header of a P-256 key that is not compressed, in SubjectPublicKeyInfo.
const P256_HEADER: [u8; 26] = [
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06, 0x08, 0x2a, 0x86,
    0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00,
];
/// The one header of an ed25519 key in SubjectPublicKeyInfo (RFC 8410).
const ED25519_HEADER: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
/// What stands around a public key in PEM.
const LABEL: &str = "PUBLIC KEY";

/// What a key signs with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// ECDSA on P-256 with SHA-256.
    P256,
    /// Ed25519.
    Ed25519,
}

impl Algorithm {
    /// Every one, as an option names them.
    pub const ALL: [Self; 2] = [Self::P256, Self::Ed25519];

    /// As options and messages name it.
    pub fn name(self) -> &'static str {
        match self {
            Self::P256 => "p256",
            Self::Ed25519 => "ed25519",
        }
    }

    /// As OpenSSH names it (RFC 5656, RFC 8709).
    pub(super) fn openssh(self) -> &'static str {
        match self {
            Self::P256 => "ecdsa-sha2-nistp256",
            Self::Ed25519 => "ssh-ed25519",
        }
    }
}

/// A public key that lies on its curve; an ed25519 key of small order is none.
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey(Kind);

#[derive(Clone, PartialEq, Eq)]
enum Kind {
    P256(Box<p256::ecdsa::VerifyingKey>),
    Ed25519(Box<ed25519_dalek::VerifyingKey>),
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({} {})", self.algorithm().name(), self.id())
    }
}

fn unreadable(why: &str) -> Diagnostic {
    Diagnostic::error(Code::KeyUnreadable, format!("no public key: {why}")).hint(
        "a P-256 or ed25519 key, as PEM (`-----BEGIN PUBLIC KEY-----`) or as a line of OpenSSH (`ssh-ed25519 \
         AAAA...`)",
    )
}

impl PublicKey {
    /// A key of a signing key that lies in memory.
    pub(super) fn of_p256(key: &p256::ecdsa::VerifyingKey) -> Self {
        Self(Kind::P256(Box::new(*key)))
    }

    /// The same of ed25519.
    pub(super) fn of_ed25519(key: &ed25519_dalek::VerifyingKey) -> Self {
        Self(Kind::Ed25519(Box::new(*key)))
    }

    /// A point of P-256 that is not compressed (65 bytes, SEC 1); none where it is no point of the curve.
    pub(super) fn p256(point: &[u8]) -> Option<Self> {
        let whole = point.len() == 65 && point[0] == 4;
        let key = p256::ecdsa::VerifyingKey::from_sec1_bytes(point).ok().filter(|_| whole)?;
        Some(Self::of_p256(&key))
    }

    /// 32 bytes of ed25519; none where they are no point, or one of small order.
    pub(super) fn ed25519(bytes: &[u8]) -> Option<Self> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(bytes.try_into().ok()?).ok()?;
        // What decodes and is written otherwise is a second form of one key.
        (!key.is_weak() && key.to_edwards().compress().as_bytes() == bytes).then(|| Self::of_ed25519(&key))
    }

    /// What it signs with.
    pub fn algorithm(&self) -> Algorithm {
        match &self.0 {
            Kind::P256(_) => Algorithm::P256,
            Kind::Ed25519(_) => Algorithm::Ed25519,
        }
    }

    /// The point (65 bytes) or the 32 bytes of ed25519.
    pub(super) fn raw(&self) -> Vec<u8> {
        match &self.0 {
            Kind::P256(key) => key.to_sec1_point(false).as_bytes().to_vec(),
            Kind::Ed25519(key) => key.as_bytes().to_vec(),
        }
    }

    /// SubjectPublicKeyInfo in DER.
    pub fn spki(&self) -> Vec<u8> {
        let header: &[u8] = match &self.0 {
            Kind::P256(_) => &P256_HEADER,
            Kind::Ed25519(_) => &ED25519_HEADER,
        };
        [header, &self.raw()].concat()
    }

    /// The key of a SubjectPublicKeyInfo; none for another algorithm or form.
    pub fn from_spki(der: &[u8]) -> Option<Self> {
        match (der.strip_prefix(&P256_HEADER), der.strip_prefix(&ED25519_HEADER)) {
            (Some(point), _) => Self::p256(point),
            (_, Some(bytes)) => Self::ed25519(bytes),
            _ => None,
        }
    }

    /// SubjectPublicKeyInfo as base64 in one line, as statements hold it.
    pub fn to_base64(&self) -> String {
        base64(&self.spki())
    }

    /// The key that [`PublicKey::to_base64`] wrote.
    pub fn from_base64(text: &str) -> Option<Self> {
        Self::from_spki(&from_base64(text)?)
    }

    /// The key's id: SHA-256 of its SubjectPublicKeyInfo.
    pub fn id(&self) -> Digest {
        Digest::of(&self.spki())
    }

    /// PEM with LF and a final one.
    pub fn to_pem(&self) -> String {
        pem::encode(LABEL, &self.spki(), pem::PKIX)
    }

    /// `ssh-ed25519 AAAA...` or `ecdsa-sha2-nistp256 AAAA...`, without a comment.
    pub fn to_openssh(&self) -> String {
        format!("{} {}", self.algorithm().openssh(), base64(&self.wire()))
    }

    /// The key as RFC 4253 (6.6) writes it.
    pub(super) fn wire(&self) -> Vec<u8> {
        let name = string(self.algorithm().openssh().as_bytes());
        match self.algorithm() {
            Algorithm::P256 => [name, string(b"nistp256"), string(&self.raw())].concat(),
            Algorithm::Ed25519 => [name, string(&self.raw())].concat(),
        }
    }

    /// The key of what RFC 4253 writes; none for another algorithm or a byte too many.
    pub(super) fn from_wire(blob: &[u8]) -> Option<Self> {
        let mut parts = Parts(blob);
        let key = match parts.string()? {
            b"ssh-ed25519" => Self::ed25519(parts.string()?),
            b"ecdsa-sha2-nistp256" => {
                let curve = parts.string()?;
                Self::p256(parts.string()?).filter(|_| curve == b"nistp256")
            }
            _ => None,
        };
        key.filter(|_| parts.0.is_empty())
    }

    /// A key in PEM, or a line of OpenSSH with or without a comment.
    ///
    /// # Errors
    /// `key-unreadable`.
    pub fn parse(text: &str) -> Result<Self, Diagnostic> {
        match pem::label(text) {
            Some(LABEL) => {
                let der =
                    pem::decode(LABEL, text, pem::PKIX).ok_or_else(|| unreadable("the PEM is damaged"))?;
                Self::from_spki(&der).ok_or_else(|| unreadable("of another algorithm, or damaged"))
            }
            Some(label) if label.contains("PRIVATE") => Err(unreadable("this is a private key")
                .hint("name the public half: `sequester keys public KEY` writes it")),
            Some(_) => Err(unreadable("PEM of another kind")),
            None => {
                let line = text.strip_suffix('\n').unwrap_or(text);
                let line = line.strip_suffix('\r').unwrap_or(line);
                let mut words = line.splitn(3, ' ');
                let (name, blob) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
                if line.contains('\n') {
                    return Err(unreadable("several lines"));
                }
                let key = from_base64(blob).and_then(|blob| Self::from_wire(&blob));
                match key {
                    Some(key) if key.algorithm().openssh() == name => Ok(key),
                    _ if ["ssh-rsa", "ssh-dss"].contains(&name)
                        || name.contains("nistp")
                        || name.starts_with("sk-") =>
                    {
                        Err(unreadable(&format!(
                            "`{}` keys are not read, or it is damaged",
                            name.escape_debug()
                        )))
                    }
                    _ => Err(unreadable("neither PEM nor a line of OpenSSH")),
                }
            }
        }
    }

    /// Whether the signature is one of these bytes by this key: of P-256 ASN.1 (r, s) in DER, of ed25519 64
    /// bytes, checked as RFC 8032 says it strictly.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        match &self.0 {
            Kind::P256(key) => p256::ecdsa::Signature::from_der(signature).is_ok_and(|parsed| {
                parsed.to_der().as_bytes() == signature && key.verify(message, &parsed).is_ok()
            }),
            Kind::Ed25519(key) => ed25519_dalek::Signature::from_slice(signature)
                .is_ok_and(|signature| key.verify_strict(message, &signature).is_ok()),
        }
    }

    /// The same, where of the two ECDSA signatures that anybody can make of one the one with the smaller s
    /// counts alone.
    pub fn verifies_canonically(&self, message: &[u8], signature: &[u8]) -> bool {
        let low = match &self.0 {
            Kind::P256(_) => p256::ecdsa::Signature::from_der(signature)
                .is_ok_and(|signature| signature.normalize_s() == signature),
            Kind::Ed25519(_) => true,
        };
        low && self.verifies(message, signature)
    }
}
