//! What an auditor was handed: a bundle, a locked model, weights, a lock, a document, or any other file.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::LOCK;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::Digest;
use crate::document::reading::Finished;
use crate::evidence::bag::{self, Opened};
use crate::evidence::bundle;
use crate::model::lock::{self, Lock};
use crate::storage;

/// Locks and documents beyond this many bytes are known by their digest alone.
const LARGEST: u64 = 256 << 20;

/// One thing that was handed over.
#[derive(Clone, Debug)]
pub struct Exhibit {
    /// Where it lies.
    pub path: PathBuf,
    /// What it is.
    pub what: What,
}

/// What it is, with what is needed to say what it belongs to.
#[derive(Clone, Debug)]
pub enum What {
    /// An evidence bundle.
    Bundle(Box<Opened>),
    /// A model's lock.
    Lock {
        /// Of its exact bytes.
        digest: Digest,
        /// What it says.
        lock: Box<Lock>,
    },
    /// A file of weights.
    Weights(Digest),
    /// A finished document.
    Document {
        /// Of its bytes.
        digest: Digest,
        /// PDF, HTML or text.
        kind: Finished,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// Any other file.
    File(Digest),
}

/// The kind of an exhibit, for people and programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An evidence bundle; its digest is the root digest.
    Bundle,
    /// A model's lock.
    Lock,
    /// Weights.
    Weights,
    /// A document.
    Document,
    /// Another file.
    File,
}

impl Kind {
    /// As people read it.
    pub fn words(self) -> &'static str {
        match self {
            Self::Bundle => "bundle",
            Self::Lock => "lock",
            Self::Weights => "weights",
            Self::Document => "document",
            Self::File => "file",
        }
    }
}

impl Exhibit {
    /// Its kind.
    pub fn kind(&self) -> Kind {
        match self.what {
            What::Bundle(_) => Kind::Bundle,
            What::Lock { .. } => Kind::Lock,
            What::Weights(_) => Kind::Weights,
            What::Document { .. } => Kind::Document,
            What::File(_) => Kind::File,
        }
    }

    /// The digest that it is known by: of a bundle the root digest, which a bundle without tag manifest
    /// lacks.
    pub fn digest(&self) -> Option<Digest> {
        match &self.what {
            What::Bundle(opened) => opened.root,
            What::Lock { digest, .. }
            | What::Weights(digest)
            | What::Document { digest, .. }
            | What::File(digest) => Some(*digest),
        }
    }

    /// A bundle that was found.
    ///
    /// # Errors
    /// As [`bag::open`].
    pub fn bundle(folder: &Path) -> Result<Self> {
        Ok(Self { path: folder.to_path_buf(), what: What::Bundle(Box::new(bag::open(folder)?)) })
    }

    /// The lock of a model's folder, and its weights where they lie there.
    ///
    /// # Errors
    /// A lock that cannot be read, as [`Error::Lock`].
    pub fn model(folder: &Path) -> Result<Vec<Self>> {
        let lock = Self::file(&folder.join(LOCK))?;
        let What::Lock { lock: read, .. } = &lock.what else {
            // Not a lock at all: said as every other command says it.
            return Err(Lock::read(folder).err().unwrap_or_else(|| {
                Diagnostic::error(Code::LockUnreadable, "this is not a model lock").into()
            }));
        };
        let weights = read.weights_path(folder);
        let mut all = Vec::new();
        if weights.exists() {
            all.push(Self::file(&weights)?);
        }
        all.push(lock);
        Ok(all)
    }

    /// Any file, known by what stands in it and not by its name.
    ///
    /// # Errors
    /// When it is no plain file or cannot be read.
    pub fn file(path: &Path) -> Result<Self> {
        let metadata = std::fs::metadata(path).map_err(|e| Error::io("read", path, &e))?;
        if !metadata.is_file() {
            let problem = Diagnostic::error(Code::NotAFile, "is neither a plain file nor a folder");
            return Err(problem.at(Location::file(path)).into());
        }
        let mut head = Vec::new();
        let file = storage::open(path)?;
        file.take(512).read_to_end(&mut head).map_err(|e| Error::io("read", path, &e))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let digest = || Digest::of_file(path).map_err(|e| Error::io("read", path, &e));
        let what = if is_weights(&head) {
            What::Weights(digest()?)
        } else if metadata.len() > LARGEST {
            What::File(digest()?)
        } else if let Some(kind) = Finished::of(&name, &head) {
            let bytes = storage::read(path)?;
            What::Document { digest: Digest::of(&bytes), kind, bytes }
        } else {
            let bytes = storage::read(path)?;
            match says_lock(&bytes) {
                true => {
                    let lock = Box::new(Lock::from_bytes(&bytes, path)?);
                    What::Lock { digest: lock::digest_of(&bytes), lock }
                }
                false => What::File(Digest::of(&bytes)),
            }
        };
        Ok(Self { path: path.to_path_buf(), what })
    }
}

/// Whether the bytes begin as a safetensors file does: the length of a header, which is a JSON object.
fn is_weights(head: &[u8]) -> bool {
    let Some((length, rest)) = head.split_first_chunk::<8>() else { return false };
    let length = u64::from_le_bytes(*length);
    (2..100_000_000).contains(&length) && rest.first() == Some(&b'{')
}

/// Whether it calls itself a model lock, of whatever version.
fn says_lock(bytes: &[u8]) -> bool {
    #[derive(serde::Deserialize)]
    struct Format {
        format: String,
    }
    bytes.trim_ascii_start().starts_with(b"{")
        && serde_json::from_slice::<Format>(bytes).is_ok_and(|f| f.format.starts_with("sequester-lock/"))
}

/// The lock in a bundle: its exact bytes. `None` where the device lives elsewhere.
pub(super) fn lock_in(opened: &Opened) -> Option<&[u8]> {
    bundle::file(&opened.payload, bundle::MODEL_LOCK).ok()
}
