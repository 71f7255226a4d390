//! Time stamps that somebody brings: RFC 3161 tokens, checked offline against certificates that are given. A
//! token shows one thing: the bytes it is of existed when it was given. It shows nothing about what did *not*
//! exist yet.
//!
//! Checked are the form, the imprint of the stamped bytes, the authority's signature, that the certificate is
//! for time stamping alone (RFC 3161, 2.3), and the chain up to a given certificate, each valid at the
//! token's time. Revocation is not asked: that would need a network. Pure: bytes in, an answer out.

mod certificate;
mod der;
mod signature;
mod token;

use std::fmt;

use base64ct::Encoding as _;
use chrono::{Duration, NaiveDateTime};

use self::certificate::{Certificate, TIME_STAMPING};
use self::token::{Signer, Token};
use crate::diagnostic::Code;

/// Why a token does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// It is no token, or one of a form that is not read.
    Unreadable(String),
    /// It is of other bytes.
    OtherBytes(String),
    /// Its signature is not the authority's.
    Signature(String),
    /// The certificate is not for time stamping.
    Usage(String),
    /// A certificate of the chain was not valid at the token's time.
    Expired(String),
    /// No chain leads to a given certificate.
    Untrusted(String),
}

impl Refusal {
    /// The code with which it is reported.
    pub fn code(&self) -> Code {
        match self {
            Self::Unreadable(_) => Code::TimestampUnreadable,
            Self::OtherBytes(_) => Code::TimestampOtherBytes,
            Self::Signature(_) => Code::TimestampSignature,
            Self::Usage(_) => Code::TimestampUsage,
            Self::Expired(_) => Code::TimestampExpired,
            Self::Untrusted(_) => Code::TimestampUntrusted,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(why) => write!(f, "no time-stamp token that is read here: {why}"),
            Self::OtherBytes(why)
            | Self::Signature(why)
            | Self::Usage(why)
            | Self::Expired(why)
            | Self::Untrusted(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for Refusal {}

/// What a token shows that holds: its bytes existed not later than [`Stamp::latest`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamp {
    at: NaiveDateTime,
    accuracy: Duration,
    /// Whose certificate signed it.
    pub authority: String,
    /// Owner of the given certificate in which the chain ends.
    pub trusted: String,
    /// Number of the token at its authority, hexadecimal.
    pub serial: String,
    /// Policy under which it was given, as an object identifier.
    pub policy: String,
    /// Hash function of the imprint.
    pub hash: &'static str,
}

impl Stamp {
    /// The earliest time it can have been given, by its authority's accuracy.
    pub fn earliest(&self) -> NaiveDateTime {
        self.at.checked_sub_signed(self.accuracy).unwrap_or(NaiveDateTime::MIN)
    }

    /// The latest time it can have been given.
    pub fn latest(&self) -> NaiveDateTime {
        self.at.checked_add_signed(self.accuracy).unwrap_or(NaiveDateTime::MAX)
    }

    /// Its time as it stands in it: RFC 3339, UTC.
    pub fn at(&self) -> String {
        self.at.format("%Y-%m-%dT%H:%M:%S%.fZ").to_string()
    }
}

/// Certificates that are given: the authorities whose tokens count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Authorities {
    certificates: Vec<Vec<u8>>,
}

impl Authorities {
    /// Certificates in PEM, any text around them, or one in DER.
    ///
    /// # Errors
    /// Why one is none that is read here.
    pub fn parse(bytes: &[u8]) -> Result<Self, String> {
        const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
        const END: &str = "-----END CERTIFICATE-----";
        let mut certificates = Vec::new();
        if bytes.first() == Some(&der::SEQUENCE) {
            certificates.push(bytes.to_vec());
        } else {
            let text = std::str::from_utf8(bytes).map_err(|_| "neither PEM nor DER".to_owned())?;
            let mut rest = text;
            while let Some((_, after)) = rest.split_once(BEGIN) {
                let (inside, after) =
                    after.split_once(END).ok_or("a certificate in PEM that does not end".to_owned())?;
                let plain: String = inside.split_ascii_whitespace().collect();
                let decoded = base64ct::Base64::decode_vec(&plain)
                    .map_err(|_| "a certificate in PEM that is not base64".to_owned())?;
                certificates.push(decoded);
                rest = after;
            }
        }
        if certificates.is_empty() {
            return Err("no certificate (PEM: -----BEGIN CERTIFICATE-----, or DER)".to_owned());
        }
        for certificate in &certificates {
            Certificate::parse(certificate)?;
        }
        Ok(Self { certificates })
    }

    /// Adds those of another file.
    pub fn extend(&mut self, others: Self) {
        self.certificates.extend(others.certificates);
    }

    /// Whether none is given.
    pub fn is_empty(&self) -> bool {
        self.certificates.is_empty()
    }
}

/// Whether a token is one, and of these bytes; whose it is, is not asked.
///
/// # Errors
/// [`Refusal::Unreadable`], [`Refusal::OtherBytes`].
pub fn is_of(token: &[u8], stamped: &[u8]) -> Result<(), Refusal> {
    of_bytes(&Token::parse(token).map_err(Refusal::Unreadable)?, stamped)
}

fn of_bytes(token: &Token<'_>, stamped: &[u8]) -> Result<(), Refusal> {
    let (hash, digest) = token.info.imprint;
    let found = hash.of(stamped);
    if found == digest {
        return Ok(());
    }
    let found = found.iter().take(6).map(|b| format!("{b:02x}")).collect::<String>();
    Err(Refusal::OtherBytes(format!(
        "the token is of other bytes: its imprint is not their {} ({found}...)",
        hash.name()
    )))
}

/// Certificates between two ends of a chain, at most.
const LONGEST: usize = 6;

/// Checks a token (`.tsr`, `.tst`) of these bytes.
///
/// # Errors
/// Why it does not count.
pub fn check(token: &[u8], stamped: &[u8], authorities: &Authorities) -> Result<Stamp, Refusal> {
    let token = Token::parse(token).map_err(Refusal::Unreadable)?;
    let info = &token.info;
    of_bytes(&token, stamped)?;
    let mut given = Vec::new();
    for bytes in &authorities.certificates {
        given.push(Certificate::parse(bytes).map_err(Refusal::Unreadable)?);
    }
    let all = || token.certificates.iter().chain(&given);
    let named = all().find(|certificate| match &token.signer {
        Signer::Number(issuer, serial) => certificate.issuer == *issuer && certificate.serial == *serial,
        Signer::Key(name) => certificate.key_name == Some(*name),
    });
    let Some(signer) = named else {
        let why = "the authority's certificate is neither in the token nor given";
        return Err(Refusal::Untrusted(why.to_owned()));
    };
    let is_named = |(hash, digest): &(Option<signature::Hash>, &[u8])| {
        hash.map_or_else(|| signature::sha1(signer.whole), |hash| hash.of(signer.whole)) == *digest
    };
    if !token.names.iter().all(is_named) {
        let why = "the token was signed with another certificate than the one that it names";
        return Err(Refusal::Signature(why.to_owned()));
    }
    if token.hash.of(token.content) != token.digest {
        return Err(Refusal::Signature("the signature is of other time-stamp information".to_owned()));
    }
    if !signature::verifies(signer.key(), token.scheme, token.hash, &token.attributes, token.signature) {
        return Err(Refusal::Signature("the signature is not that of the authority's key".to_owned()));
    }
    match &signer.uses {
        Some((true, uses)) if uses.as_slice() == [TIME_STAMPING] && signer.may_sign() => {}
        _ => {
            let why = format!(
                "the certificate of {} is not for time stamping, critically and alone (RFC 3161, 2.3)",
                signer.owner()
            );
            return Err(Refusal::Usage(why));
        }
    }
    let pool: Vec<&Certificate<'_>> = all().collect();
    let trusted: Vec<&Certificate<'_>> = given.iter().collect();
    let mut chain = vec![signer];
    climb(&mut chain, &mut Vec::new(), &pool, &trusted, info.at)?;
    strangers(&token.certificates, &chain, &trusted)?;
    Ok(Stamp {
        at: info.at,
        accuracy: info.accuracy,
        authority: signer.owner(),
        trusted: chain.last().map_or_else(String::new, |last| last.owner()),
        serial: info.serial.iter().map(|byte| format!("{byte:02x}")).collect(),
        policy: der::dotted(info.policy),
        hash: info.imprint.0.name(),
    })
}

/// Goes up from the last certificate of a chain to a given one; every certificate on the way was valid at the
/// time, and may issue.
fn climb<'c, 'a>(
    chain: &mut Vec<&'c Certificate<'a>>,
    tried: &mut Vec<&'a [u8]>,
    pool: &[&'c Certificate<'a>],
    trusted: &[&'c Certificate<'a>],
    at: NaiveDateTime,
) -> Result<(), Refusal> {
    let Some(&last) = chain.last() else { return Ok(()) };
    if at < last.valid.0 || at > last.valid.1 {
        return Err(Refusal::Expired(format!(
            "the certificate of {} was valid from {} to {}, and the token is of {at}",
            last.owner(),
            last.valid.0,
            last.valid.1
        )));
    }
    if trusted.iter().any(|one| one.whole == last.whole) {
        return Ok(());
    }
    let mut why = Refusal::Untrusted(format!(
        "no chain of certificates leads from {} to one that is given",
        last.owner()
    ));
    if chain.len() > LONGEST {
        return Err(why);
    }
    for issuer in pool.iter().copied().filter(|issuer| last.names_as_issuer(issuer)) {
        // Each certificate is climbed once: whoever made them all could make the ways up countless.
        if tried.contains(&issuer.whole) || !last.is_signed_by(issuer) {
            continue;
        }
        tried.push(issuer.whole);
        if !issuer.may_issue(chain.len() as u64 - 1) {
            let owner = issuer.owner();
            why = Refusal::Usage(format!("the certificate of {owner} may not issue the one below it"));
            continue;
        }
        chain.push(issuer);
        match climb(chain, tried, pool, trusted, at) {
            Ok(()) => return Ok(()),
            Err(other) => {
                chain.pop();
                if !matches!(other, Refusal::Untrusted(_)) {
                    why = other;
                }
            }
        }
    }
    Err(why)
}

/// A certificate in a token that has no part in its chain is refused: nothing covers its bytes. The same
/// owner and key, certified by another whose certificate is given, is none.
fn strangers(
    came: &[Certificate<'_>],
    chain: &[&Certificate<'_>],
    trusted: &[&Certificate<'_>],
) -> Result<(), Refusal> {
    let all = || chain.iter().chain(trusted);
    let known = |one: &Certificate<'_>| {
        let crossed = || {
            all().any(|other| one.same_key(other))
                && all().any(|issuer| one.names_as_issuer(issuer) && one.is_signed_by(issuer))
        };
        all().any(|other| one.whole == other.whole) || crossed()
    };
    match came.iter().find(|one| !known(one)) {
        None => Ok(()),
        Some(one) => Err(Refusal::Untrusted(format!(
            "the token holds a certificate of {} that has no part in its chain, and its issuer is not given",
            one.owner()
        ))),
    }
}
