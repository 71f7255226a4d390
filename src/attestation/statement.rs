//! A statement: an in-toto Statement v1 with a predicate of this program, in canonical JSON. It says what is
//! meant (digests), what is said of it (by kind), and who says it, as what, meaning what, and when.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::encoding::{canonical, from_canonical};
use super::key::PublicKey;
use crate::chained::is_time;
use crate::diagnostic::{Code, Diagnostic, line};
use crate::digest::Digest;

/// `_type` of in-toto.
const TYPE: &str = "https://in-toto.io/Statement/v1";
/// The type of the predicate; a change of meaning raises the number.
pub const PREDICATE_TYPE: &str = "urn:sequester:statement:1";
/// Bytes of a statement.
pub const LARGEST: usize = 1 << 20;

/// What kind of thing is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A bundle was verified, with these verdicts and this ledger ([`super::verified::Verified`]).
    Verified,
    /// A custodian grants an opening of the test set.
    Granted,
    /// A commitment, made before the test set was opened, is stood for.
    Committed,
}

impl Kind {
    /// Every kind, as `trust.toml` names them.
    pub const ALL: [Self; 3] = [Self::Verified, Self::Granted, Self::Committed];

    /// As the statement writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Verified => "verified",
            Self::Granted => "granted",
            Self::Committed => "committed",
        }
    }
}

/// What a signature means (21 CFR 11.50).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Meaning {
    /// I read it.
    Review,
    /// I approve it.
    Approval,
    /// I made it.
    Authorship,
}

impl Meaning {
    /// Every meaning.
    pub const ALL: [Self; 3] = [Self::Review, Self::Approval, Self::Authorship];

    /// As statement and option write it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Review => "review",
            Self::Approval => "approval",
            Self::Authorship => "authorship",
        }
    }
}

/// Who signs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Signer {
    /// SubjectPublicKeyInfo in base64: the statement names its key itself.
    pub key: String,
    /// What the signature means.
    pub meaning: Meaning,
    /// Printed name.
    pub name: String,
    /// In which role.
    pub role: String,
}

/// What is meant: a file by its digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Subject {
    /// The file's name.
    pub name: String,
    /// SHA-256 of its bytes.
    pub digest: Digest,
}

/// A statement that can be written; what it holds was checked.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    /// What kind of thing is said.
    pub kind: Kind,
    /// What is meant, at least one thing, in the order written, each name once.
    pub subjects: Vec<Subject>,
    /// Who says it.
    pub signer: Signer,
    /// RFC 3339, UTC, whole seconds, by the signer's clock.
    pub at: String,
    /// `sequester 0.2.0`.
    pub program: String,
    /// What is said, by kind: texts, whole numbers from 0, truth values, lists and objects of them.
    pub claim: Map<String, Value>,
}

/// A statement as it is written.
#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<WrittenSubject>,
    #[serde(rename = "predicateType")]
    predicate_type: String,
    predicate: Predicate,
}

/// The schema of a statement as it is written.
#[cfg(test)]
pub fn schema(generator: schemars::SchemaGenerator) -> Value {
    generator.into_root_schema_for::<Written>().to_value()
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct WrittenSubject {
    name: String,
    digest: Sha256,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Sha256 {
    sha256: Digest,
}

#[derive(Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
struct Predicate {
    at: String,
    claim: Map<String, Value>,
    kind: Kind,
    program: String,
    signer: Signer,
}

/// Neither empty nor long nor with a character that ends a line, moves a cursor or turns the direction of
/// what follows, nor with space around it.
pub fn is_name(text: &str) -> bool {
    let short = !text.is_empty() && text.len() <= 1_000 && text.trim() == text;
    short && line::stays_in_line(text)
}

/// Only what canonical JSON has one form of: a fraction could be written as several texts.
fn is_plain(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(_) | Value::String(_) => true,
        // Beyond 2^53 other readers of JSON round.
        Value::Number(number) => number.as_u64().is_some_and(|n| n < 1 << 53),
        Value::Array(list) => list.iter().all(is_plain),
        Value::Object(map) => map.values().all(is_plain),
    }
}

fn wrong(why: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Code::StatementMalformed, format!("no statement: {}", why.into()))
        .hint("`docs/files.md` has the form")
}

impl Statement {
    /// Checks what a statement has to keep to.
    fn check(&self) -> Result<(), Diagnostic> {
        for (what, text) in
            [("name", &self.signer.name), ("role", &self.signer.role), ("program", &self.program)]
        {
            if !is_name(text) {
                return Err(wrong(format!("the {what} is empty, or holds a character that does not print")));
            }
        }
        if !is_time(&self.at) {
            return Err(wrong(format!(
                "`{}` is no time such as 2026-01-31T12:00:00Z",
                self.at.escape_debug()
            )));
        }
        if PublicKey::from_base64(&self.signer.key).is_none() {
            return Err(wrong("the key is no SubjectPublicKeyInfo of P-256 or ed25519 in base64"));
        }
        let mut names: Vec<&str> = self.subjects.iter().map(|subject| subject.name.as_str()).collect();
        names.sort_unstable();
        if names.is_empty()
            || !names.iter().all(|name| is_name(name))
            || names.windows(2).any(|w| w[0] == w[1])
        {
            return Err(wrong("it means nothing, or one name twice"));
        }
        if !self.claim.values().all(is_plain) {
            return Err(wrong("a number that is not whole from 0, or null"));
        }
        Ok(())
    }

    /// The signer's key.
    pub fn key(&self) -> Option<PublicKey> {
        PublicKey::from_base64(&self.signer.key)
    }

    /// The digest of a subject.
    pub fn subject(&self, name: &str) -> Option<Digest> {
        self.subjects.iter().find(|subject| subject.name == name).map(|subject| subject.digest)
    }

    /// The statement's bytes: canonical JSON (RFC 8785) without a line end.
    ///
    /// # Errors
    /// `statement-malformed` where a part is not as it has to be.
    pub fn to_bytes(&self) -> Result<Vec<u8>, Diagnostic> {
        self.check()?;
        let subject = |subject: &Subject| WrittenSubject {
            name: subject.name.clone(),
            digest: Sha256 { sha256: subject.digest },
        };
        let written = Written {
            kind: TYPE.to_owned(),
            subject: self.subjects.iter().map(subject).collect(),
            predicate_type: PREDICATE_TYPE.to_owned(),
            predicate: Predicate {
                at: self.at.clone(),
                claim: self.claim.clone(),
                kind: self.kind,
                program: self.program.clone(),
                signer: self.signer.clone(),
            },
        };
        Ok(canonical(&written))
    }

    /// Reads a statement.
    ///
    /// # Errors
    /// `statement-malformed` for anything that [`Statement::to_bytes`] would not write.
    pub fn parse(bytes: &[u8]) -> Result<Self, Diagnostic> {
        if bytes.len() > LARGEST {
            return Err(wrong("larger than any"));
        }
        let written: Written = from_canonical(bytes).map_err(wrong)?;
        if written.kind != TYPE {
            return Err(wrong("no in-toto Statement v1"));
        }
        if written.predicate_type != PREDICATE_TYPE {
            return Err(wrong(format!("the predicate is `{}`", written.predicate_type.escape_debug())));
        }
        let Predicate { at, claim, kind, program, signer } = written.predicate;
        let subject = |s: WrittenSubject| Subject { name: s.name, digest: s.digest.sha256 };
        let subjects = written.subject.into_iter().map(subject).collect();
        let statement = Self { kind, subjects, signer, at, program, claim };
        statement.check()?;
        Ok(statement)
    }
}
