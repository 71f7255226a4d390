//! SSHSIG, the signatures of `ssh-keygen -Y sign` (OpenSSH, PROTOCOL.sshsig).

use sha2::Digest as _;

use super::key::{Algorithm, PublicKey};
use super::pem;
use super::private::PrivateKey;
use super::wire::{Parts, mpint, scalar, string};
use crate::diagnostic::{Code, Diagnostic};

/// What a signature is for; `ssh-keygen -Y sign -n` takes it.
pub const NAMESPACE: &str = "sequester";
const LABEL: &str = "SSH SIGNATURE";
const MAGIC: &[u8] = b"SSHSIG";
/// Bytes of a signature file.
const LARGEST: usize = 16_384;

/// A signature that names its key.
#[derive(Clone, Debug)]
pub struct SshSignature {
    key: PublicKey,
    namespace: String,
    hash: Hash,
    signature: Vec<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hash {
    Sha256,
    Sha512,
}

impl Hash {
    fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha256",
            Self::Sha512 => "sha512",
        }
    }

    fn of(self, message: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => sha2::Sha256::digest(message).to_vec(),
            Self::Sha512 => sha2::Sha512::digest(message).to_vec(),
        }
    }
}

/// What the key signs in the end.
fn signed(namespace: &str, hash: Hash, message: &[u8]) -> Vec<u8> {
    [
        MAGIC.to_vec(),
        string(namespace.as_bytes()),
        string(b""),
        string(hash.name().as_bytes()),
        string(&hash.of(message)),
    ]
    .concat()
}

/// The signature that `ssh-keygen -Y sign` would make of a message with this key.
pub fn sign(key: &PrivateKey, namespace: &str, message: &[u8]) -> String {
    let hash = Hash::Sha512;
    let public = key.public();
    let raw = key.sign(&signed(namespace, hash, message));
    let raw = match public.algorithm() {
        Algorithm::Ed25519 => raw,
        Algorithm::P256 => match p256::ecdsa::Signature::from_der(&raw) {
            Ok(pair) => {
                let (r, s) = pair.split_bytes();
                [mpint(&r), mpint(&s)].concat()
            }
            Err(_) => unreachable!("what was just written"),
        },
    };
    let signature = [string(public.algorithm().openssh().as_bytes()), string(&raw)].concat();
    let whole = [
        MAGIC.to_vec(),
        1_u32.to_be_bytes().to_vec(),
        string(&public.wire()),
        string(namespace.as_bytes()),
        string(b""),
        string(hash.name().as_bytes()),
        string(&signature),
    ];
    pem::encode(LABEL, &whole.concat(), pem::OPENSSH)
}

impl SshSignature {
    /// Reads what `ssh-keygen -Y sign` wrote.
    ///
    /// # Errors
    /// `signature-malformed`; also for keys other than ed25519 and P-256, and for hardware keys.
    pub fn parse(text: &str) -> Result<Self, Diagnostic> {
        let wrong = || {
            Diagnostic::error(
                Code::SignatureMalformed,
                "no signature of `ssh-keygen -Y sign`, or of a key that is \
                              neither ed25519 nor P-256",
            )
        };
        if text.len() > LARGEST {
            return Err(wrong());
        }
        let bytes = pem::decode(LABEL, text, pem::OPENSSH).ok_or_else(wrong)?;
        Self::of(&bytes).ok_or_else(wrong)
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        let mut parts = Parts(bytes.strip_prefix(MAGIC)?);
        if parts.number()? != 1 {
            return None;
        }
        let key = PublicKey::from_wire(parts.string()?)?;
        let namespace = String::from_utf8(parts.string()?.to_vec()).ok()?;
        let reserved = parts.string()?;
        let hash = match parts.string()? {
            b"sha256" => Hash::Sha256,
            b"sha512" => Hash::Sha512,
            _ => return None,
        };
        let mut inner = Parts(parts.string()?);
        if !parts.0.is_empty() || !reserved.is_empty() || namespace.is_empty() {
            return None;
        }
        let name = inner.string()?;
        let raw = inner.string()?;
        if !inner.0.is_empty() || name != key.algorithm().openssh().as_bytes() {
            return None;
        }
        let signature = match key.algorithm() {
            Algorithm::Ed25519 => raw.to_vec(),
            Algorithm::P256 => {
                let mut pair = Parts(raw);
                let (r, s) = (scalar(pair.string()?)?, scalar(pair.string()?)?);
                if !pair.0.is_empty() {
                    return None;
                }
                let pair = p256::ecdsa::Signature::from_scalars(r, s).ok()?;
                pair.to_der().as_bytes().to_vec()
            }
        };
        Some(Self { key, namespace, hash, signature })
    }

    /// The key that it names.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// Whether it is one of this message, for this purpose, by the key that it names.
    pub fn verifies(&self, namespace: &str, message: &[u8]) -> bool {
        self.namespace == namespace
            && self.key.verifies(&signed(namespace, self.hash, message), &self.signature)
    }
}
