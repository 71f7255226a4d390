//! Private keys: made of random bytes that come in, and on disk as PKCS#8 (RFC 5958), with a passphrase as
//! PBES2 (RFC 8018).

use std::fmt;

use p256::ecdsa::signature::Signer as _;
use pkcs8::pkcs5::{EncryptionScheme, pbes2};
use pkcs8::{DecodePrivateKey as _, EncryptedPrivateKeyInfoRef};
use zeroize::Zeroizing;

use super::key::{Algorithm, PublicKey};
use super::pem;
use crate::diagnostic::{Code, Diagnostic};

/// Rounds of PBKDF2 with HMAC-SHA-256 (OWASP, 2023).
pub const ROUNDS: u32 = 600_000;
/// More rounds than anybody writes: a file that asks for more would take minutes to be refused.
const MOST_ROUNDS: u32 = 10_000_000;
/// Of scrypt N r: 128 times this many bytes are taken.
const MOST_SCRYPT: u64 = 1 << 22;
/// Bytes of a key file.
const LARGEST: usize = 16_384;

const PLAIN: &str = "PRIVATE KEY";
const ENCRYPTED: &str = "ENCRYPTED PRIVATE KEY";
const P256_HEADER: [u8; 36] = [
    0x30, 0x81, 0x87, 0x02, 0x01, 0x00, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
    0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x04, 0x6d, 0x30, 0x6b, 0x02, 0x01, 0x01,
    0x04, 0x20,
];
const P256_BETWEEN: [u8; 5] = [0xa1, 0x44, 0x03, 0x42, 0x00];
const ED25519_HEADER: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];

/// A private key; it is forgotten when it is dropped, and never shown.
pub struct PrivateKey(Kind);

enum Kind {
    P256(Box<p256::ecdsa::SigningKey>),
    Ed25519(Box<ed25519_dalek::SigningKey>),
}

impl fmt::Debug for PrivateKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrivateKey({:?})", self.public())
    }
}

/// Fills a buffer with random bytes.
pub type Random<'a> = &'a mut dyn FnMut(&mut [u8]);

fn unreadable(why: &str) -> Diagnostic {
    Diagnostic::error(Code::KeyUnreadable, format!("no private key: {why}")).hint(
        "a P-256 or ed25519 key as PKCS#8 in PEM: `sequester keys new` makes one, `openssl pkcs8 \
         -topk8 -in KEY` converts one",
    )
}

impl PrivateKey {
    /// A new key.
    pub fn generate(algorithm: Algorithm, random: Random<'_>) -> Self {
        let mut secret = Zeroizing::new([0_u8; 32]);
        match algorithm {
            Algorithm::Ed25519 => {
                random(&mut *secret);
                Self(Kind::Ed25519(Box::new(ed25519_dalek::SigningKey::from_bytes(&secret))))
            }
            // All but one of 2^32 numbers of 256 bits are below the order of the curve.
            Algorithm::P256 => loop {
                random(&mut *secret);
                if let Ok(key) = p256::ecdsa::SigningKey::from_slice(&*secret) {
                    break Self(Kind::P256(Box::new(key)));
                }
            },
        }
    }

    /// The public half.
    pub fn public(&self) -> PublicKey {
        match &self.0 {
            Kind::P256(key) => PublicKey::of_p256(key.verifying_key()),
            Kind::Ed25519(key) => PublicKey::of_ed25519(&key.verifying_key()),
        }
    }

    /// A signature as [`PublicKey::verifies_canonically`] takes it. It follows from key and message alone
    /// (RFC 6979, RFC 8032).
    pub fn sign(&self, message: &[u8]) -> Vec<u8> {
        match &self.0 {
            Kind::P256(key) => {
                let signature: p256::ecdsa::Signature = key.sign(message);
                signature.normalize_s().to_der().as_bytes().to_vec()
            }
            Kind::Ed25519(key) => key.sign(message).to_bytes().to_vec(),
        }
    }

    fn pkcs8(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(match &self.0 {
            Kind::P256(key) => {
                let secret = Zeroizing::new(key.to_bytes());
                [&P256_HEADER[..], secret.as_slice(), &P256_BETWEEN, &self.public().raw()].concat()
            }
            Kind::Ed25519(key) => [&ED25519_HEADER[..], key.as_bytes()].concat(),
        })
    }

    /// PKCS#8 in PEM, for who keeps the file safe otherwise.
    pub fn to_pem(&self) -> Zeroizing<String> {
        Zeroizing::new(pem::encode(PLAIN, &self.pkcs8(), pem::PKIX))
    }

    /// PKCS#8 in PEM, encrypted: PBES2 with PBKDF2 (HMAC-SHA-256, so many rounds) and AES-256-CBC.
    ///
    /// # Errors
    /// `key-passphrase` for an empty passphrase.
    pub fn to_encrypted_pem(
        &self,
        passphrase: &[u8],
        rounds: u32,
        random: Random<'_>,
    ) -> Result<String, Diagnostic> {
        if passphrase.is_empty() {
            return Err(Diagnostic::error(Code::KeyPassphrase, "the passphrase is empty"));
        }
        let (mut salt, mut iv) = ([0_u8; 16], [0_u8; 16]);
        random(&mut salt);
        random(&mut iv);
        let wrong = |e: pkcs8::pkcs5::Error| Diagnostic::error(Code::KeyPassphrase, e.to_string());
        let scheme = pbes2::Parameters::generate_pbkdf2_sha256_aes256cbc(rounds, &salt, iv).map_err(wrong)?;
        let data = scheme.encrypt(passphrase, &self.pkcs8()).map_err(wrong)?;
        let der = pkcs8::EncryptedPrivateKeyInfoOwned {
            encryption_algorithm: EncryptionScheme::from(scheme),
            encrypted_data: pkcs8::der::asn1::OctetString::new(data)
                .map_err(|e| Diagnostic::error(Code::KeyPassphrase, e.to_string()))?,
        };
        let der = pkcs8::der::Encode::to_der(&der)
            .map_err(|e| Diagnostic::error(Code::KeyPassphrase, e.to_string()))?;
        Ok(pem::encode(ENCRYPTED, &der, pem::PKIX))
    }

    /// Whether a text is a key that needs a passphrase.
    pub fn is_encrypted(text: &str) -> bool {
        pem::label(text) == Some(ENCRYPTED)
    }

    /// A key of PKCS#8 in PEM.
    ///
    /// # Errors
    /// `key-unreadable`; `key-passphrase` where it needs one and there is none, or another.
    pub fn parse(text: &str, passphrase: Option<&[u8]>) -> Result<Self, Diagnostic> {
        if text.len() > LARGEST {
            return Err(unreadable("larger than any"));
        }
        match pem::label(text) {
            Some(PLAIN) => {
                let der = pem::decode(PLAIN, text, pem::PKIX).map(Zeroizing::new);
                let der = der.ok_or_else(|| unreadable("the PEM is damaged"))?;
                Self::from_pkcs8(&der).ok_or_else(|| unreadable("of another algorithm, or damaged"))
            }
            Some(ENCRYPTED) => {
                let der = pem::decode(ENCRYPTED, text, pem::PKIX);
                let der = der.ok_or_else(|| unreadable("the PEM is damaged"))?;
                Self::decrypt(&der, passphrase)
            }
            Some("OPENSSH PRIVATE KEY") => {
                Err(unreadable("a key of OpenSSH").hint("`--ssh KEY` signs with it, through `ssh-keygen`"))
            }
            Some("EC PRIVATE KEY" | "RSA PRIVATE KEY" | "DSA PRIVATE KEY") => {
                Err(unreadable("in the older form, which is not PKCS#8"))
            }
            Some("PUBLIC KEY") => Err(unreadable("this is a public key")),
            _ => Err(unreadable("not PKCS#8 in PEM")),
        }
    }

    fn decrypt(der: &[u8], passphrase: Option<&[u8]>) -> Result<Self, Diagnostic> {
        let Ok(info) = EncryptedPrivateKeyInfoRef::try_from(der) else {
            return Err(unreadable("it is encrypted in a way that is not PBES2, or damaged"));
        };
        let affordable = match &info.encryption_algorithm {
            EncryptionScheme::Pbes2(scheme) => match (scheme.kdf.pbkdf2(), scheme.kdf.scrypt()) {
                (Some(kdf), _) => kdf.iteration_count <= MOST_ROUNDS,
                (_, Some(kdf)) => {
                    let size = kdf.cost_parameter.checked_mul(u64::from(kdf.block_size));
                    size.is_some_and(|size| size <= MOST_SCRYPT) && kdf.parallelization <= 16
                }
                _ => false,
            },
            _ => return Err(unreadable("it is encrypted in a way that is not PBES2")),
        };
        if !affordable {
            return Err(unreadable("it asks for more work than any key does"));
        }
        let Some(passphrase) = passphrase else {
            return Err(Diagnostic::error(
                Code::KeyPassphrase,
                "the key needs a passphrase, and none was given",
            )
            .hint("type it at a terminal, or give --passphrase-file FILE or SEQUESTER_PASSPHRASE"));
        };
        let wrong = || {
            Diagnostic::error(Code::KeyPassphrase, "the passphrase is another one, or the file is damaged")
                .hint("one that is lost cannot be replaced: make a new key and have that trusted")
        };
        let plain = info.decrypt(passphrase).map_err(|_| wrong())?;
        Self::from_pkcs8(plain.as_bytes()).ok_or_else(wrong)
    }

    fn from_pkcs8(der: &[u8]) -> Option<Self> {
        if let Ok(key) = ed25519_dalek::SigningKey::from_pkcs8_der(der) {
            return Some(Self(Kind::Ed25519(Box::new(key))));
        }
        let key = p256::SecretKey::from_pkcs8_der(der).ok()?;
        Some(Self(Kind::P256(Box::new(p256::ecdsa::SigningKey::from(key)))))
    }
}
