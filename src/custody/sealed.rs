//! What was encrypted to a custodian: which files, their digests before and after, and whose word opens them.

use serde::{Deserialize, Serialize};

use super::canonical;
use crate::diagnostic::{Code, Diagnostic};
use crate::digest::{Digest, RelativePath};

/// Version of the format.
pub const FORMAT: &str = "sequester-sealed/1";
/// Where it lies, in a study and in a bundle.
pub const FILE: &str = "custody/sealed.json";
/// Where the encrypted files lie in a study; they are no part of a bundle.
pub const FOLDER: &str = "custody/sealed";

/// An encrypted file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedFile {
    /// Digest of the encrypted file.
    pub encrypted: Digest,
    /// Its name in a bundle, `inputs/reads/r1.csv`, once it is opened.
    pub name: String,
    /// Digest of the file itself.
    pub sha256: Digest,
}

/// `custody/sealed.json`. Fields in the order of canonical JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedSet {
    /// The key whose signature grants an opening: SubjectPublicKeyInfo in base64.
    pub custodian: String,
    /// The files by name, each once.
    pub files: Vec<SealedFile>,
    /// [`FORMAT`].
    pub format: String,
    /// To whom the files are encrypted, `age1...`.
    pub recipient: String,
    /// The study's id.
    pub study: String,
}

impl SealedSet {
    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        canonical::to_bytes(self)
    }

    /// Its digest, which requests and grants name.
    pub fn digest(&self) -> Digest {
        Digest::of(&self.to_bytes())
    }

    /// Reads it.
    ///
    /// # Errors
    /// `custody-unreadable`.
    pub fn parse(bytes: &[u8]) -> Result<Self, Diagnostic> {
        let read: Self = canonical::parse(bytes, "list of sealed files", FORMAT, |read: &Self| &read.format)?;
        let in_order = read.files.windows(2).all(|pair| pair[0].name < pair[1].name);
        let named = |file: &SealedFile| {
            file.name.strip_prefix("inputs/").is_some_and(|path| path.parse::<RelativePath>().is_ok())
        };
        if read.files.is_empty() || !in_order || !read.files.iter().all(named) {
            let why = "is no list of sealed files: none, one twice, out of order, or no input of a study";
            return Err(Diagnostic::error(Code::CustodyUnreadable, why));
        }
        Ok(read)
    }

    /// A file by its name in a bundle.
    pub fn file(&self, name: &str) -> Option<&SealedFile> {
        self.files.iter().find(|file| file.name == name)
    }
}

/// Where a file's encrypted form lies below the folder of the encrypted ones.
pub fn encrypted_name(name: &str) -> String {
    format!("{}.age", name.strip_prefix("inputs/").unwrap_or(name))
}
