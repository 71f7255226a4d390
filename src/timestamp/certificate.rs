//! Certificates (RFC 5280), as far as a time-stamp token needs them: who, when, for what, and signed by whom.

use chrono::{NaiveDate, NaiveDateTime};

use super::der::{self, Item, Malformed, Reader, constructed};
use super::signature::{self, Key, Scheme};

/// A certificate whose form is right; nothing is said about its signature yet.
#[derive(Clone, Debug)]
pub(super) struct Certificate<'a> {
    /// All its bytes.
    pub(super) whole: &'a [u8],
    signed: &'a [u8],
    /// Serial number.
    pub(super) serial: &'a [u8],
    /// Whoever issued it, as its bytes.
    pub(super) issuer: &'a [u8],
    /// Whose it is, as its bytes.
    pub(super) subject: &'a [u8],
    /// First and last second at which it is valid.
    pub(super) valid: (NaiveDateTime, NaiveDateTime),
    key_info: &'a [u8],
    key: Key,
    scheme: Scheme,
    signature: &'a [u8],
    /// `cA`, and how many authorities may stand between it and the last certificate.
    authority: Option<Option<u64>>,
    usage: Option<u8>,
    /// Extended uses: whether critical, and their identifiers.
    pub(super) uses: Option<(bool, Vec<&'a [u8]>)>,
    /// Name of the key.
    pub(super) key_name: Option<&'a [u8]>,
}

/// Extended use "time stamping" (RFC 3161, 2.3).
pub(super) const TIME_STAMPING: [u8; 8] = [0x2b, 6, 1, 5, 5, 7, 3, 8];
const ANY_USE: [u8; 4] = [0x55, 0x1d, 0x25, 0];
const DIGITAL_SIGNATURE: u8 = 0x80;
const NON_REPUDIATION: u8 = 0x40;
const SIGN_CERTIFICATES: u8 = 0x04;

impl<'a> Certificate<'a> {
    /// Reads one certificate and nothing behind it.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Self, Malformed> {
        let mut all = Reader::new(bytes);
        let outer = all.take(der::SEQUENCE, "certificate")?;
        all.end("certificate")?;
        let mut outer_parts = outer.parts();
        let signed = outer_parts.take(der::SEQUENCE, "certificate")?;
        let mut algorithm_again = outer_parts.clone();
        let scheme = signature::scheme(&mut outer_parts, "certificate")?;
        let signature_bits = signature::bit_string(&mut outer_parts, "certificate")?;
        outer_parts.end("certificate")?;

        let mut parts = signed.parts();
        let mut version = parts.within(constructed(0), "certificate: version 3")?;
        if version.number("version")? != 2 {
            return Err("certificate: not of version 3".to_owned());
        }
        version.end("version")?;
        let serial = parts.integer("serial number")?;
        if parts.take(der::SEQUENCE, "certificate")?.whole
            != algorithm_again.take(der::SEQUENCE, "certificate")?.whole
        {
            return Err("certificate: names two signature algorithms".to_owned());
        }
        let issuer = parts.take(der::SEQUENCE, "issuer")?.whole;
        let mut valid = parts.within(der::SEQUENCE, "validity")?;
        let range = (time(&valid.any()?)?, time(&valid.any()?)?);
        valid.end("validity")?;
        let subject = parts.take(der::SEQUENCE, "subject")?.whole;
        let key_info = parts.take(der::SEQUENCE, "public key")?.whole;
        let mut found = Self {
            whole: outer.whole,
            signed: signed.whole,
            serial,
            issuer,
            subject,
            valid: range,
            key_info,
            key: signature::key(key_info)?,
            scheme,
            signature: signature_bits,
            authority: None,
            usage: None,
            uses: None,
            key_name: None,
        };
        parts.maybe(der::primitive(1))?;
        parts.maybe(der::primitive(2))?;
        if let Some(extensions) = parts.maybe(constructed(3))? {
            let mut wrapped = extensions.parts();
            let mut list = wrapped.within(der::SEQUENCE, "extensions")?;
            wrapped.end("extensions")?;
            let mut seen: Vec<&[u8]> = Vec::new();
            while !list.is_empty() {
                let mut extension = list.within(der::SEQUENCE, "extension")?;
                let name = extension.object("extension")?;
                let critical = extension.default_false("extension")?;
                let value = extension.take(der::OCTET_STRING, "extension")?.body;
                extension.end("extension")?;
                if seen.contains(&name) {
                    return Err(format!("certificate: two extensions {}", der::dotted(name)));
                }
                seen.push(name);
                found.extension(name, critical, value)?;
            }
        }
        parts.end("certificate")?;
        Ok(found)
    }

    fn extension(&mut self, name: &'a [u8], critical: bool, value: &'a [u8]) -> Result<(), Malformed> {
        let mut value = Reader::new(value);
        match name {
            [0x55, 0x1d, 0x13] => {
                let mut parts = value.within(der::SEQUENCE, "basic constraints")?;
                let authority = parts.default_false("basic constraints")?;
                let length = match parts.is_empty() {
                    true => None,
                    false => Some(parts.number("basic constraints")?),
                };
                parts.end("basic constraints")?;
                self.authority = authority.then_some(length);
            }
            [0x55, 0x1d, 0x0f] => {
                let bits = value.take(der::BIT_STRING, "key usage")?.body;
                let [unused @ 0..=7, first, ..] = bits else {
                    return Err("key usage: no bits".to_owned());
                };
                let last = bits.last().copied().unwrap_or_default();
                if bits.len() > 3 || last.trailing_zeros() != u32::from(*unused) {
                    return Err("key usage: bits that are not in their one form".to_owned());
                }
                self.usage = Some(*first);
            }
            [0x55, 0x1d, 0x25] => {
                let mut parts = value.within(der::SEQUENCE, "extended key usage")?;
                let mut uses = Vec::new();
                while !parts.is_empty() {
                    uses.push(parts.object("extended key usage")?);
                }
                self.uses = Some((critical, uses));
            }
            [0x55, 0x1d, 0x0e] => self.key_name = Some(value.take(der::OCTET_STRING, "key name")?.body),
            // Policies and alternative names change nothing about who signed; others that are critical might.
            [0x55, 0x1d, 0x20 | 0x11 | 0x12] => return Ok(()),
            _ if critical => {
                return Err(format!(
                    "certificate: the critical extension {} is not understood",
                    der::dotted(name)
                ));
            }
            _ => return Ok(()),
        }
        value.end("extension")
    }

    /// Whether it was issued, by name, by the owner of another.
    pub(super) fn names_as_issuer(&self, issuer: &Certificate<'_>) -> bool {
        self.issuer == issuer.subject
    }

    /// Whether the key of another made its signature.
    pub(super) fn is_signed_by(&self, issuer: &Certificate<'_>) -> bool {
        // An RSA identifier without a hash function signs no certificate (RFC 5280, 4.1.1.2).
        let hash = match self.scheme {
            Scheme::Rsa(None) => return false,
            Scheme::Rsa(Some(hash)) | Scheme::Ecdsa(hash) => hash,
        };
        signature::verifies(&issuer.key, self.scheme, hash, self.signed, self.signature)
    }

    /// Whether its key may issue others with so many authorities between; an extended use, where it is
    /// limited, has to be time stamping or any.
    pub(super) fn may_issue(&self, between: u64) -> bool {
        let signs = self.usage.is_none_or(|usage| usage & SIGN_CERTIFICATES != 0);
        let stamps = self.uses.as_ref().is_none_or(|(_, uses)| {
            uses.iter().any(|allowed| *allowed == TIME_STAMPING || *allowed == ANY_USE)
        });
        let length = self.authority.is_some_and(|most| most.is_none_or(|most| between <= most));
        signs && stamps && length
    }

    /// Whether its key may sign a message.
    pub(super) fn may_sign(&self) -> bool {
        self.usage.is_none_or(|usage| usage & (DIGITAL_SIGNATURE | NON_REPUDIATION) != 0)
    }

    /// The same owner with the same key, whoever issued it.
    pub(super) fn same_key(&self, other: &Certificate<'_>) -> bool {
        self.subject == other.subject && self.key_info == other.key_info
    }

    /// Its key.
    pub(super) fn key(&self) -> &Key {
        &self.key
    }

    /// The common name, or else the organisation, of its owner.
    pub(super) fn owner(&self) -> String {
        let of = |wanted: &[u8]| name_part(self.subject, wanted).ok().flatten();
        of(&[0x55, 4, 3]).or_else(|| of(&[0x55, 4, 10])).unwrap_or_else(|| "without a name".to_owned())
    }
}

/// A part of a distinguished name as text that prints.
fn name_part(name: &[u8], wanted: &[u8]) -> Result<Option<String>, Malformed> {
    let mut sets = Reader::new(name).within(der::SEQUENCE, "name")?;
    while !sets.is_empty() {
        let mut set = sets.within(der::SET, "name")?;
        while !set.is_empty() {
            let mut part = set.within(der::SEQUENCE, "name")?;
            let kind = part.object("name")?;
            let value = part.any()?;
            if kind == wanted {
                let text = String::from_utf8_lossy(value.body);
                return Ok(Some(text.chars().filter(|c| !c.is_control()).take(100).collect()));
            }
        }
    }
    Ok(None)
}

/// `UTCTime` or `GeneralizedTime` with whole seconds in UTC (RFC 5280, 4.1.2.5).
fn time(item: &Item<'_>) -> Result<NaiveDateTime, Malformed> {
    let digits = match item.tag {
        der::UTC_TIME => {
            let early = item.body.first().is_some_and(|first| *first < b'5');
            [if early { b"20" } else { b"19" }, item.body].concat()
        }
        der::GENERALIZED_TIME => item.body.to_vec(),
        tag => return Err(format!("validity: tag {tag:#04x} is no time")),
    };
    whole_seconds(&digits).ok_or_else(|| "validity: no time in UTC".to_owned())
}

/// `YYYYMMDDhhmmssZ`.
pub(super) fn whole_seconds(text: &[u8]) -> Option<NaiveDateTime> {
    let digits = text.strip_suffix(b"Z")?;
    if digits.len() != 14 || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number =
        |from: usize, to: usize| digits[from..to].iter().fold(0, |n, d| n * 10 + u32::from(d - b'0'));
    let year = i32::try_from(number(0, 4)).ok()?;
    NaiveDate::from_ymd_opt(year, number(4, 6), number(6, 8))?.and_hms_opt(
        number(8, 10),
        number(10, 12),
        number(12, 14),
    )
}
