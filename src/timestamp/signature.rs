//! Signatures that certificates and tokens carry: RSA with PKCS #1 v1.5 (RFC 8017) and ECDSA on P-256 and
//! P-384 (FIPS 186-5), over SHA-256, SHA-384 and SHA-512 (FIPS 180-4). SHA-1 is read in one place alone, the
//! digest by which an older token names its certificate (RFC 2634).

use p256::ecdsa::signature::hazmat::PrehashVerifier as _;
use sha2::Digest as _;

use super::der::{self, Malformed, Reader};

/// A hash function of the SHA-2 family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

const SHA2: [u8; 8] = [0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02];
const PKCS1: [u8; 8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01];
const ECDSA_SHA2: [u8; 7] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03];
const EC_KEY: [u8; 7] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const P256: [u8; 8] = [0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07];
const P384: [u8; 5] = [0x2b, 0x81, 0x04, 0x00, 0x22];
/// Smallest RSA modulus in bits: NIST SP 800-131A Rev. 2 (2019) asks for it.
const RSA_BITS: usize = 2048;

impl Hash {
    /// By the last number of its identifier below 2.16.840.1.101.3.4.2.
    fn of_object(object: &[u8]) -> Option<Self> {
        match object.strip_prefix(&SHA2)? {
            [1] => Some(Self::Sha256),
            [2] => Some(Self::Sha384),
            [3] => Some(Self::Sha512),
            _ => None,
        }
    }

    /// Its name, as people write it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        }
    }

    /// The digest of bytes.
    pub(super) fn of(self, bytes: &[u8]) -> Vec<u8> {
        match self {
            Self::Sha256 => sha2::Sha256::digest(bytes).to_vec(),
            Self::Sha384 => sha2::Sha384::digest(bytes).to_vec(),
            Self::Sha512 => sha2::Sha512::digest(bytes).to_vec(),
        }
    }

    /// `DigestInfo` up to the digest (RFC 8017, 9.2).
    fn prefix(self) -> Box<[u8]> {
        let (number, length) = match self {
            Self::Sha256 => (1, 32),
            Self::Sha384 => (2, 48),
            Self::Sha512 => (3, 64),
        };
        let mut prefix = vec![der::SEQUENCE, length + 17, der::SEQUENCE, 13, der::OBJECT, 9];
        prefix.extend(SHA2);
        prefix.extend([number, der::NULL, 0, der::OCTET_STRING, length]);
        prefix.into()
    }
}

/// A hash function as an `AlgorithmIdentifier`, with the parameter NULL or none (RFC 5754).
pub(super) fn hash(from: &mut Reader<'_>, what: &str) -> Result<Hash, Malformed> {
    let mut parts = from.within(der::SEQUENCE, what)?;
    let object = parts.object(what)?;
    no_parameters(&mut parts, what)?;
    Hash::of_object(object)
        .ok_or_else(|| format!("{what}: {} is none of SHA-256, SHA-384, SHA-512", der::dotted(object)))
}

fn no_parameters(parts: &mut Reader<'_>, what: &str) -> Result<(), Malformed> {
    if let Some(null) = parts.maybe(der::NULL)?
        && !null.body.is_empty()
    {
        return Err(format!("{what}: NULL that holds something"));
    }
    parts.end(what)
}

/// How a signature was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scheme {
    /// PKCS #1 v1.5; the hash function where the identifier names it.
    Rsa(Option<Hash>),
    /// ECDSA with this hash function.
    Ecdsa(Hash),
}

/// A signature algorithm as an `AlgorithmIdentifier`.
pub(super) fn scheme(from: &mut Reader<'_>, what: &str) -> Result<Scheme, Malformed> {
    let mut parts = from.within(der::SEQUENCE, what)?;
    let object = parts.object(what)?;
    let unknown = || format!("{what}: the signature algorithm {} is not checked here", der::dotted(object));
    if let Some(last) = object.strip_prefix(&PKCS1) {
        no_parameters(&mut parts, what)?;
        return match last {
            [1] => Ok(Scheme::Rsa(None)),
            [11] => Ok(Scheme::Rsa(Some(Hash::Sha256))),
            [12] => Ok(Scheme::Rsa(Some(Hash::Sha384))),
            [13] => Ok(Scheme::Rsa(Some(Hash::Sha512))),
            _ => Err(unknown()),
        };
    }
    let hash = match object.strip_prefix(&ECDSA_SHA2) {
        Some([2]) => Hash::Sha256,
        Some([3]) => Hash::Sha384,
        Some([4]) => Hash::Sha512,
        _ => return Err(unknown()),
    };
    parts.end(what)?;
    Ok(Scheme::Ecdsa(hash))
}

/// A public key.
#[derive(Clone, Debug)]
pub(super) enum Key {
    Rsa(Box<rsa::PublicKey>),
    P256(Box<p256::ecdsa::VerifyingKey>),
    P384(Box<p384::ecdsa::VerifyingKey>),
}

/// The key of a `SubjectPublicKeyInfo` (RFC 5280).
pub(super) fn key(info: &[u8]) -> Result<Key, Malformed> {
    let what = "public key";
    let mut parts = Reader::new(info).within(der::SEQUENCE, what)?;
    let mut algorithm = parts.within(der::SEQUENCE, what)?;
    let bits = bit_string(&mut parts, what)?;
    parts.end(what)?;
    let object = algorithm.object(what)?;
    if object == EC_KEY {
        let curve = algorithm.object(what)?;
        algorithm.end(what)?;
        let bad = |_| format!("{what}: no point of its curve");
        return if curve == P256 {
            p256::ecdsa::VerifyingKey::from_sec1_bytes(bits).map(|key| Key::P256(key.into())).map_err(bad)
        } else if curve == P384 {
            p384::ecdsa::VerifyingKey::from_sec1_bytes(bits).map(|key| Key::P384(key.into())).map_err(bad)
        } else {
            Err(format!("{what}: the curve {} is not checked here", der::dotted(curve)))
        };
    }
    if object.strip_prefix(&PKCS1) != Some(&[1]) {
        return Err(format!("{what}: the kind {} is not checked here", der::dotted(object)));
    }
    no_parameters(&mut algorithm, what)?;
    let mut rsa = Reader::new(bits).within(der::SEQUENCE, what)?;
    let (modulus, exponent) = (rsa.integer(what)?, rsa.integer(what)?);
    rsa.end(what)?;
    let number = |bytes: &[u8]| {
        let most = rsa::PublicKey::MAX_SIZE / 8 + 1;
        let positive = bytes.len() <= most && bytes.first().is_some_and(|first| first & 0x80 == 0);
        positive.then(|| rsa::BoxedUint::from_be_slice_vartime(bytes))
    };
    let (Some(modulus), Some(exponent)) = (number(modulus), number(exponent)) else {
        return Err(format!("{what}: an RSA key that is negative or too long"));
    };
    let sizes = RSA_BITS..=rsa::PublicKey::MAX_SIZE;
    rsa::PublicKey::new_with_size_limits(modulus, exponent, sizes)
        .map(|key| Key::Rsa(key.into()))
        .map_err(|e| format!("{what}: no RSA key of at least {RSA_BITS} bits ({e})"))
}

/// The bytes of a `BIT STRING` of whole bytes.
pub(super) fn bit_string<'a>(from: &mut Reader<'a>, what: &str) -> Result<&'a [u8], Malformed> {
    match from.take(der::BIT_STRING, what)?.body.split_first() {
        Some((0, bytes)) => Ok(bytes),
        _ => Err(format!("{what}: bits that are no whole bytes")),
    }
}

/// Whether the key made this signature of the message; `hash` where the scheme names none.
pub(super) fn verifies(key: &Key, scheme: Scheme, hash: Hash, message: &[u8], signature: &[u8]) -> bool {
    match (key, scheme) {
        (Key::Rsa(key), Scheme::Rsa(named)) => {
            let hash = named.unwrap_or(hash);
            let digest = hash.of(message);
            let padding = rsa::Pkcs1v15Sign { hash_len: Some(digest.len()), prefix: hash.prefix() };
            key.verify(padding, &digest, signature).is_ok()
        }
        (Key::P256(key), Scheme::Ecdsa(hash)) => p256::ecdsa::Signature::from_der(signature)
            .is_ok_and(|signature| key.verify_prehash(&hash.of(message), &signature).is_ok()),
        (Key::P384(key), Scheme::Ecdsa(hash)) => p384::ecdsa::Signature::from_der(signature)
            .is_ok_and(|signature| key.verify_prehash(&hash.of(message), &signature).is_ok()),
        _ => false,
    }
}

/// SHA-1, for the name that an older token gives its certificate: never for a signature.
pub(super) fn sha1(bytes: &[u8]) -> Vec<u8> {
    sha1::Sha1::digest(bytes).to_vec()
}
