//! The form of a time-stamp response and of its token (RFC 3161 over CMS, RFC 5652): what is in it, nothing
//! about whether it holds.

use chrono::{Duration, NaiveDateTime};

use super::certificate::{Certificate, whole_seconds};
use super::der::{self, Malformed, Reader, constructed, primitive};
use super::signature::{self, Hash, Scheme};

const PKCS7_SIGNED: [u8; 9] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2];
const TST_INFO: [u8; 11] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9, 16, 1, 4];
/// Attributes of PKCS #9: content type, message digest; the certificate that signed, by SHA-1 and by others.
const PKCS9: [u8; 8] = [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 9];

/// What a token says.
#[derive(Clone, Debug)]
pub(super) struct Info<'a> {
    /// Policy under which it was given.
    pub(super) policy: &'a [u8],
    /// Hash function and digest of what was stamped.
    pub(super) imprint: (Hash, &'a [u8]),
    /// Number of the token at its authority.
    pub(super) serial: &'a [u8],
    /// When it was given.
    pub(super) at: NaiveDateTime,
    /// How far that may be off.
    pub(super) accuracy: Duration,
}

/// Which certificate signed.
#[derive(Clone, Debug)]
pub(super) enum Signer<'a> {
    /// By issuer and serial number.
    Number(&'a [u8], &'a [u8]),
    /// By the name of its key.
    Key(&'a [u8]),
}

/// A token in its parts.
#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    pub(super) info: Info<'a>,
    /// The bytes of [`Info`], which the signature is of by their digest.
    pub(super) content: &'a [u8],
    /// Certificates that came with it.
    pub(super) certificates: Vec<Certificate<'a>>,
    pub(super) signer: Signer<'a>,
    pub(super) hash: Hash,
    pub(super) scheme: Scheme,
    /// What the signature is of: the signed attributes as a `SET`.
    pub(super) attributes: Vec<u8>,
    /// The digest of the content, as a signed attribute holds it.
    pub(super) digest: &'a [u8],
    /// Digests of the certificate that signed, each with its hash function; `None` is SHA-1.
    pub(super) names: Vec<(Option<Hash>, &'a [u8])>,
    pub(super) signature: &'a [u8],
}

impl<'a> Token<'a> {
    /// Reads a response that was granted (`.tsr`), or the token alone.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut all = Reader::new(bytes);
        let outer = all.take(der::SEQUENCE, "time stamp")?;
        all.end("time stamp")?;
        let mut parts = outer.parts();
        if parts.peek() == Some(der::OBJECT) {
            return Self::content_info(outer.parts());
        }
        let mut status = parts.within(der::SEQUENCE, "status of the response")?;
        let granted = status.number("status of the response")?;
        if granted != 0 {
            return Err(format!(
                "status of the response: {granted}, not 0 (granted): the authority gave no token as asked"
            ));
        }
        // Words for people; no signature covers them.
        if let Some(words) = status.maybe(der::SEQUENCE)? {
            let mut words = words.parts();
            while !words.is_empty() {
                words.take(der::UTF8, "words of the response")?;
            }
        }
        status.end("status of the response")?;
        let token = parts.within(der::SEQUENCE, "token of the response")?;
        parts.end("response")?;
        Self::content_info(token)
    }

    fn content_info(mut parts: Reader<'a>) -> Result<Self, Malformed> {
        if parts.object("token")? != PKCS7_SIGNED {
            return Err("token: no signed data of CMS".to_owned());
        }
        let mut wrapped = parts.within(constructed(0), "token")?;
        parts.end("token")?;
        let mut data = wrapped.within(der::SEQUENCE, "signed data")?;
        wrapped.end("token")?;
        if data.number("version of the signed data")? != 3 {
            return Err("signed data: not of version 3".to_owned());
        }
        let mut hashes = data.within(der::SET, "hash functions")?;
        let named = signature::hash(&mut hashes, "hash function of the signed data")?;
        hashes.end("hash functions: more than one")?;
        let mut content = data.within(der::SEQUENCE, "content")?;
        if content.object("content")? != TST_INFO {
            return Err("content: no time-stamp information (RFC 3161)".to_owned());
        }
        let mut content_parts = content.within(constructed(0), "content")?;
        content.end("content")?;
        let content = content_parts.take(der::OCTET_STRING, "content")?.body;
        content_parts.end("content")?;
        let mut certificates = Vec::new();
        if let Some(set) = data.maybe(constructed(0))? {
            let mut set = set.parts();
            while !set.is_empty() {
                certificates.push(Certificate::parse(set.any()?.whole)?);
            }
        }
        // Lists of revoked certificates are not judged.
        data.maybe(constructed(1))?;
        let mut signers = data.within(der::SET, "signers")?;
        data.end("signed data")?;
        let mut signer = signers.within(der::SEQUENCE, "signer")?;
        signers.end("signers: more than one")?;

        let version = signer.number("version of the signer")?;
        let by = if let Some(name) = signer.maybe(primitive(0))? {
            Signer::Key(name.body)
        } else {
            let mut id = signer.within(der::SEQUENCE, "signer")?;
            let by = Signer::Number(
                id.take(der::SEQUENCE, "issuer of the signer")?.whole,
                id.integer("serial number of the signer")?,
            );
            id.end("signer")?;
            by
        };
        if version != if matches!(by, Signer::Key(_)) { 3 } else { 1 } {
            return Err("signer: its version does not fit its form".to_owned());
        }
        let hash = signature::hash(&mut signer, "hash function of the signer")?;
        if hash != named {
            return Err("signed data: names another hash function than its signer".to_owned());
        }
        let attributes = signer.take(constructed(0), "signed attributes")?;
        let scheme = signature::scheme(&mut signer, "signature")?;
        let made = signer.take(der::OCTET_STRING, "signature")?.body;
        // Attributes outside of the signature are not judged.
        signer.maybe(constructed(1))?;
        signer.end("signer")?;
        if !matches!(scheme, Scheme::Rsa(None)) && scheme != Scheme::Rsa(Some(hash)) {
            // ECDSA names its own hash function, which has to be that of the attributes.
            if scheme != Scheme::Ecdsa(hash) {
                return Err("signature: of another hash function than the signer's".to_owned());
            }
        }
        let (digest, names) = signed_attributes(attributes.parts())?;
        // It is signed as a SET, and stands in the token with another tag (RFC 5652, 5.4).
        let mut signed = attributes.whole.to_vec();
        signed[0] = der::SET;
        Ok(Self {
            info: info(content)?,
            content,
            certificates,
            signer: by,
            hash,
            scheme,
            attributes: signed,
            digest,
            names,
            signature: made,
        })
    }
}

type Attributes<'a> = (&'a [u8], Vec<(Option<Hash>, &'a [u8])>);

/// Digest of the content and digests of the certificate; each attribute once.
fn signed_attributes<'a>(mut list: Reader<'a>) -> Result<Attributes<'a>, Malformed> {
    let (mut seen, mut digest, mut names) = (Vec::new(), None, Vec::new());
    let mut of_content = false;
    while !list.is_empty() {
        let mut attribute = list.within(der::SEQUENCE, "attribute")?;
        let kind = attribute.object("attribute")?;
        let mut values = attribute.within(der::SET, "attribute")?;
        attribute.end("attribute")?;
        if seen.contains(&kind) {
            return Err(format!("attribute {} stands twice", der::dotted(kind)));
        }
        seen.push(kind);
        match kind.strip_prefix(&PKCS9) {
            Some([3]) => of_content = values.object("content type")? == TST_INFO,
            Some([4]) => digest = Some(values.take(der::OCTET_STRING, "message digest")?.body),
            Some([16, 2, which @ (12 | 47)]) => {
                let mut certificate = values.within(der::SEQUENCE, "signing certificate")?;
                let mut ids = certificate.within(der::SEQUENCE, "signing certificate")?;
                let mut first = ids.within(der::SEQUENCE, "signing certificate")?;
                let hash = match which {
                    12 => None,
                    _ if first.peek() == Some(der::SEQUENCE) => {
                        Some(signature::hash(&mut first, "signing certificate")?)
                    }
                    _ => Some(Hash::Sha256),
                };
                names.push((hash, first.take(der::OCTET_STRING, "signing certificate")?.body));
            }
            _ => continue,
        }
        values.end("attribute: more than one value")?;
    }
    if !of_content {
        return Err("signed attributes: the content type is missing or another".to_owned());
    }
    let digest = digest.ok_or("signed attributes: the message digest is missing")?;
    if names.is_empty() {
        return Err(
            "signed attributes: the certificate that signed is not named (RFC 3161, 2.4.2)".to_owned()
        );
    }
    Ok((digest, names))
}

/// `TSTInfo` (RFC 3161, 2.4.2).
fn info(content: &[u8]) -> Result<Info<'_>, Malformed> {
    let mut all = Reader::new(content);
    let mut parts = all.within(der::SEQUENCE, "time-stamp information")?;
    all.end("time-stamp information")?;
    if parts.number("version")? != 1 {
        return Err("time-stamp information: not of version 1".to_owned());
    }
    let policy = parts.object("policy")?;
    let mut imprint = parts.within(der::SEQUENCE, "message imprint")?;
    let hash = signature::hash(&mut imprint, "message imprint")?;
    let digest = imprint.take(der::OCTET_STRING, "message imprint")?.body;
    imprint.end("message imprint")?;
    let serial = parts.integer("serial number")?;
    let at = stamped_at(parts.take(der::GENERALIZED_TIME, "time")?.body)
        .ok_or("time: not of the form YYYYMMDDhhmmss[.fraction]Z")?;
    let mut accuracy = Duration::zero();
    if let Some(item) = parts.maybe(der::SEQUENCE)? {
        let mut item = item.parts();
        if item.peek() == Some(der::INTEGER) {
            let seconds = item.number("accuracy")?.min(u64::from(u32::MAX));
            accuracy = Duration::seconds(i64::try_from(seconds).unwrap_or_default());
        }
        for (tag, unit) in [(primitive(0), 1_000), (primitive(1), 1)] {
            if let Some(part) = item.maybe(tag)? {
                let count = der::small(der::is_integer(part.body, "accuracy")?, "accuracy")?;
                if !(1..=999).contains(&count) {
                    return Err("accuracy: a part that is not from 1 to 999".to_owned());
                }
                accuracy += Duration::microseconds(i64::try_from(count).unwrap_or_default() * unit);
            }
        }
        item.end("accuracy")?;
    }
    parts.default_false("ordering")?;
    if parts.peek() == Some(der::INTEGER) {
        parts.integer("nonce")?;
    }
    parts.maybe(constructed(0))?;
    if parts.peek() == Some(constructed(1)) {
        return Err("time-stamp information: extensions are not understood".to_owned());
    }
    parts.end("time-stamp information")?;
    Ok(Info { policy, imprint: (hash, digest), serial, at, accuracy })
}

/// `YYYYMMDDhhmmss[.fraction]Z`, the fraction without a zero at its end (RFC 3161, 2.4.2).
fn stamped_at(text: &[u8]) -> Option<NaiveDateTime> {
    let without = text.strip_suffix(b"Z")?;
    let (whole, fraction) = match without.iter().position(|byte| *byte == b'.') {
        Some(at) => (&without[..at], &without[at + 1..]),
        None => return whole_seconds(text),
    };
    let digits = !fraction.is_empty() && fraction.len() <= 9 && fraction.iter().all(u8::is_ascii_digit);
    if !digits || fraction.last() == Some(&b'0') {
        return None;
    }
    let padded = fraction.iter().copied().chain(std::iter::repeat(b'0')).take(9);
    let nanoseconds = padded.fold(0_i64, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    whole_seconds(&[whole, b"Z"].concat())?.checked_add_signed(Duration::nanoseconds(nanoseconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_one_form() {
        let at = |text: &str| stamped_at(text.as_bytes()).map(|at| at.to_string());
        assert_eq!(at("20260131120000Z").as_deref(), Some("2026-01-31 12:00:00"));
        assert_eq!(at("20260131120000.25Z").as_deref(), Some("2026-01-31 12:00:00.250"));
        for bad in [
            "20260131120000",
            "20260131120000.Z",
            "20260131120000.250Z",
            "20260131120000.1234567891Z",
            "20261331120000Z",
            "20260131126000Z",
            "2026013112000Z",
            "20260131120000+0100",
            "",
            "Z",
        ] {
            assert_eq!(at(bad), None, "{bad}");
        }
    }
}
