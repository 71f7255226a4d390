//! A grant: the custodian's signed word that one opening may be, of exactly one request.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::canonical;
use super::register::Line;
use super::request::{Head, OpeningRequest};
use super::sealed::SealedSet;
use crate::attestation::{self, Kind, PrivateKey, Signed, Signer, Statement, Subject};
use crate::diagnostic::{Code, Diagnostic};
use crate::digest::Digest;

/// The role in which a custodian signs.
pub const ROLE: &str = "custodian";

/// What a grant says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Granted {
    /// The commitment that the request named; absent where it named none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub commitment: Option<Digest>,
    /// Which opening of these files it is, by the custodian's count.
    pub number: u64,
    /// The custodian's ledger before this grant; absent before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub register: Option<Head>,
    /// The request.
    pub request: Digest,
    /// The sealed set.
    pub sealed: Digest,
    /// The study's id.
    pub study: String,
}

impl Granted {
    /// What is granted with a line of the custodian's ledger.
    pub fn of(request: &OpeningRequest, line: &Line, register: Option<Head>) -> Self {
        Self {
            commitment: request.commitment,
            number: line.number,
            register,
            request: line.request,
            sealed: line.sealed,
            study: line.study.clone(),
        }
    }

    /// The statement of it.
    fn statement(&self, signer: Signer, at: &str, program: &str) -> Statement {
        let claim = match serde_json::to_value(self) {
            Ok(Value::Object(map)) => map,
            _ => unreachable!("texts and numbers"),
        };
        let (request, _) = super::request::names(self.number);
        let subject = |name: &str, digest| Subject { name: name.to_owned(), digest };
        let subjects = vec![subject(&request, self.request), subject(super::sealed::FILE, self.sealed)];
        Statement {
            kind: Kind::Granted,
            subjects,
            signer,
            at: at.to_owned(),
            program: program.to_owned(),
            claim,
        }
    }

    /// Signs the grant: the envelope.
    ///
    /// # Errors
    /// `grant-differs` where the key is not the one that the sealed set names; `statement-malformed`.
    pub fn seal(
        &self,
        sealed: &SealedSet,
        signer: Signer,
        at: &str,
        program: &str,
        key: &PrivateKey,
    ) -> Result<Vec<u8>, Diagnostic> {
        if signer.key != sealed.custodian {
            let message = "the sealed set names another key of its custodian than the one that signs";
            return Err(Diagnostic::error(Code::GrantDiffers, message)
                .hint("sign with the key that `custodian seal --grants-by` was given"));
        }
        attestation::seal(&self.statement(signer, at, program), key)
    }

    /// Reads a grant and checks its signature; whose key it is, is another question.
    ///
    /// # Errors
    /// As [`attestation::open_envelope`]; `grant-differs` where it is a statement of another kind.
    pub fn open(envelope: &[u8]) -> Result<(Self, Signed), Diagnostic> {
        let signed = attestation::open_envelope(envelope)?;
        let wrong = |why: String| Diagnostic::error(Code::GrantDiffers, format!("is no grant: {why}"));
        if signed.statement.kind != Kind::Granted {
            return Err(wrong(format!("it is a statement of the kind `{}`", signed.statement.kind.name())));
        }
        let claim: &Map<String, Value> = &signed.statement.claim;
        let granted: Self =
            serde_json::from_value(Value::Object(claim.clone())).map_err(|e| wrong(e.to_string()))?;
        if canonical::line(&granted) != canonical::line(claim) {
            return Err(wrong("written in another form".to_owned()));
        }
        let (request, _) = super::request::names(granted.number);
        let named = signed.statement.subject(&request) == Some(granted.request)
            && signed.statement.subject(super::sealed::FILE) == Some(granted.sealed)
            && signed.statement.subjects.len() == 2;
        if !named {
            return Err(wrong("it does not mean what it says".to_owned()));
        }
        Ok((granted, signed))
    }

    /// Whether it is the grant of a request, by the key that the sealed set names.
    ///
    /// # Errors
    /// `grant-differs` with what is another.
    pub fn fits(
        &self,
        signed: &Signed,
        request: &OpeningRequest,
        sealed: &SealedSet,
    ) -> Result<(), Diagnostic> {
        let differs = |what: &str| Err(Diagnostic::error(Code::GrantDiffers, format!("the grant {what}")));
        if signed.key.to_base64() != sealed.custodian {
            return differs("is not signed with the key of the custodian to whom the reads were sealed");
        }
        if self.request != Digest::of(&request.to_bytes()) || self.number != request.number {
            return differs("is of another request");
        }
        if self.sealed != sealed.digest() || request.sealed != self.sealed || self.study != request.study {
            return differs("is of another sealed set");
        }
        if self.commitment != request.commitment {
            return differs("names another commitment than its request");
        }
        Ok(())
    }
}
