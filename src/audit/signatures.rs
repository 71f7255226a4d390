//! What lies in the folder of a bundle's signatures, by the form in which it is signed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::attestation::{Signed, open_envelope, open_ssh};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::storage;

/// How the name of an envelope ends.
pub const ENVELOPE: &str = ".dsse.json";
/// How the name of a statement ends that is signed with SSHSIG; its signature has `.sig` behind it.
pub const STATEMENT: &str = ".statement.json";
/// Behind the name of a statement: its SSHSIG.
pub const SSH: &str = ".sig";
/// Files in the folder: more than anybody signs.
const MOST: usize = 1_000;
/// Bytes of a file in it.
const LARGEST: u64 = 4 << 20;

/// `signatures/<run>` beside `evidence/`, as it was read.
#[derive(Clone, Debug, Default)]
pub struct Signatures {
    folder: PathBuf,
    files: BTreeMap<String, Vec<u8>>,
    /// What is no plain file with a name in UTF-8.
    strange: Vec<String>,
}

/// One signed statement of the folder, and the file that holds it.
#[derive(Clone, Debug)]
pub struct Found {
    /// The file of the envelope, or of the statement.
    pub file: String,
    /// The statement with its key, or why it is none.
    pub signed: Result<Signed, Diagnostic>,
}

/// `signatures/<run>` beside `evidence/<run>`.
pub fn signatures_of(bundle: &Path) -> PathBuf {
    let bundle = std::path::absolute(bundle).unwrap_or_else(|_| bundle.to_path_buf());
    let run = bundle.file_name().unwrap_or_default();
    let study = bundle.parent().and_then(Path::parent).unwrap_or(Path::new("."));
    study.join("signatures").join(run)
}

impl Signatures {
    /// What lies in a folder; nothing where there is none.
    ///
    /// # Errors
    /// When a file cannot be read, or there are more or larger ones than anybody signs.
    pub fn in_folder(folder: &Path) -> Result<Self> {
        let mut found = Self { folder: folder.to_path_buf(), ..Self::default() };
        if !folder.is_dir() {
            return Ok(found);
        }
        let wrong = |e: std::io::Error| Error::io("list", folder, &e);
        for entry in std::fs::read_dir(folder).map_err(wrong)? {
            let entry = entry.map_err(wrong)?;
            let kind = entry.file_type().map_err(wrong)?;
            let name = entry.file_name();
            let Some(name) = name.to_str().filter(|_| kind.is_file()) else {
                found.strange.push(name.to_string_lossy().into_owned());
                continue;
            };
            let bytes = entry.metadata().map_err(wrong)?.len();
            if bytes > LARGEST || found.files.len() >= MOST {
                let message = format!("more than {MOST} signatures, or one with more than {LARGEST} bytes");
                let problem = Diagnostic::error(Code::TooLarge, message).at(Location::file(entry.path()));
                return Err(problem.hint("remove what is no signature").into());
            }
            found.files.insert(name.to_owned(), storage::read(&entry.path())?);
        }
        found.strange.sort();
        Ok(found)
    }

    /// Where a file of the folder is.
    pub fn place(&self, file: &str) -> Location {
        Location::file(self.folder.join(file))
    }

    /// Whether nothing lies there.
    pub fn is_empty(&self) -> bool {
        self.files.is_empty() && self.strange.is_empty()
    }

    /// Every statement with its signature, and every file that is none, sorted by name.
    pub fn found(&self) -> Vec<Found> {
        let stranger = |file: &str| {
            let message = "is no signature: neither an envelope nor a statement beside its `.sig`";
            let problem = Diagnostic::error(Code::SignatureMalformed, message).at(self.place(file));
            let hint = format!("`*{ENVELOPE}`, or `*{STATEMENT}` with `*{STATEMENT}{SSH}`, lie here alone");
            Found { file: file.to_owned(), signed: Err(problem.hint(hint)) }
        };
        let mut found: Vec<Found> = self.strange.iter().map(|file| stranger(file)).collect();
        for (file, bytes) in &self.files {
            let signed = if file.ends_with(ENVELOPE) {
                open_envelope(bytes)
            } else if file.ends_with(STATEMENT) {
                match self.files.get(&format!("{file}{SSH}")) {
                    Some(signature) => open_ssh(bytes, signature),
                    None => Err(Diagnostic::error(
                        Code::SignatureMalformed,
                        format!("the statement has no signature `{file}{SSH}` beside it"),
                    )),
                }
            } else {
                let statement = file.strip_suffix(SSH).filter(|name| name.ends_with(STATEMENT));
                if statement.is_none_or(|statement| !self.files.contains_key(statement)) {
                    found.push(stranger(file));
                }
                continue;
            };
            found.push(Found { file: file.clone(), signed: signed.map_err(|e| e.at(self.place(file))) });
        }
        found.sort_by(|a, b| a.file.cmp(&b.file));
        found
    }
}
