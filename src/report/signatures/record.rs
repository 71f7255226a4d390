//! What the document says.

use crate::document::font::FontFile;

/// Name of the document's files.
pub const NAME: &str = "signatures";

/// What the document says.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// The study's id.
    pub study: String,
    /// `run-1`.
    pub run: String,
    /// Root digest of the bundle, in hexadecimal.
    pub root: String,
    /// When the bundle was made, RFC 3339.
    pub created: String,
    /// Over all primary endpoints.
    pub conclusion: String,
    /// The endpoints that were signed.
    pub verdicts: Vec<Judged>,
    /// Signatures that hold, in the order of their files.
    pub signatures: Vec<Signature>,
    /// The study's own fonts, for names that the built-in ones lack.
    pub fonts: Vec<FontFile>,
}

/// An endpoint with its verdict, in the texts of the results.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judged {
    /// Its id.
    pub id: String,
    /// With its threshold; empty where there is none.
    pub criterion: String,
    /// The bound that was compared, or else the value; empty where neither is.
    pub bound: String,
    /// `met`, ...; empty where there is no criterion.
    pub verdict: String,
}

/// One signature that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Its file.
    pub file: String,
    /// Printed name.
    pub name: String,
    /// In which role.
    pub role: String,
    /// What it means.
    pub meaning: String,
    /// What was signed, in words.
    pub of: String,
    /// RFC 3339, by the signer's clock.
    pub at: String,
    /// The key's id.
    pub key: String,
}
