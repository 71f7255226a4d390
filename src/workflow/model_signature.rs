//! OpenSSF Model Signing of a locked model's folder: signed, and compared with what lies there.

use std::collections::BTreeMap;
use std::path::Path;

use crate::attestation::oms::{self, ModelSignature};
use crate::attestation::{PrivateKey, Trust};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::Digest;
use crate::model::lock::Lock;
use crate::storage;

/// Files of a model's folder: more than any has.
const MOST: usize = 100_000;

/// What a signature of a model says, held against the folder.
#[derive(Clone, Debug)]
pub struct ModelSigned {
    /// How many files were signed.
    pub files: usize,
    /// Who has the key.
    pub name: String,
    /// The key's id.
    pub key: Digest,
}

/// The digest of every file below a folder, by path; what is left out has none, and neither has the
/// signature.
fn digests(
    folder: &Path,
    below: &str,
    signature: &Path,
    left_out: &dyn Fn(&str) -> bool,
    found: &mut BTreeMap<String, Digest>,
) -> Result<()> {
    let here = folder.join(below);
    let wrong = |e: std::io::Error| Error::io("list", &here, &e);
    for entry in std::fs::read_dir(&here).map_err(wrong)? {
        let entry = entry.map_err(wrong)?;
        let path = entry.path();
        let refused = |message: &str| Diagnostic::error(Code::FileKind, message).at(Location::file(&path));
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            return Err(refused("the name is not UTF-8: no signature can list it").into());
        };
        let inner = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
        if left_out(&inner) || same(&path, signature) {
            continue;
        }
        let kind = entry.file_type().map_err(wrong)?;
        if kind.is_dir() {
            digests(folder, &inner, signature, left_out, found)?;
        } else if kind.is_file() {
            if found.len() >= MOST {
                return Err(refused("the folder has more files than any model").into());
            }
            let digest = Digest::of_reader(storage::open(&path)?);
            found.insert(inner, digest.map_err(|e| Error::io("read", &path, &e))?);
        } else {
            return Err(refused("neither a file nor a folder (a link?): links are not signed").into());
        }
    }
    Ok(())
}

/// Whether two paths are one file.
fn same(a: &Path, b: &Path) -> bool {
    a.canonicalize().is_ok_and(|a| b.canonicalize().is_ok_and(|b| a == b))
}

/// Signs the folder of a locked model whose weights are those of its lock.
///
/// # Errors
/// `Error::Lock` where the weights are others; `signature-unsupported` for a key that is not P-256.
pub fn sign(folder: &Path, key: &PrivateKey, signature: &Path) -> Result<Vec<u8>> {
    Lock::read(folder)?.verify_weights(folder)?;
    let mut files = BTreeMap::new();
    digests(folder, "", signature, &oms::is_never_signed, &mut files)?;
    let absolute = folder.canonicalize().map_err(|e| Error::io("look at", folder, &e))?;
    let name = absolute.file_name().map_or("model".to_owned(), |name| name.to_string_lossy().into_owned());
    Ok(oms::sign(&name, &files, key)?)
}

/// Whether somebody who is trusted signed every file that lies in a model's folder, and no other. Roles and
/// meanings are not asked: a signature of this form says neither, and no time.
///
/// # Errors
/// `Error::Evidence` with `signature-malformed`, `signer-unknown` and every file that differs;
/// `signature-unsupported` where this program cannot check it.
pub fn verify(folder: &Path, signature: &Path, trust: &Trust) -> Result<ModelSigned> {
    let bytes = storage::read(signature)?;
    let placed = |problem: Diagnostic| problem.at(Location::file(signature));
    let evidence = |problem: Diagnostic| Error::Evidence(vec![placed(problem)]);
    let parsed = ModelSignature::parse(&bytes).map_err(evidence)?;
    let unsupported = |problem: Diagnostic| match problem.code {
        Code::SignatureUnsupported => Error::Input(vec![placed(problem)]),
        _ => evidence(problem),
    };
    let keys = trust.signers.iter().flat_map(|signer| signer.keys.iter().map(move |key| (signer, key)));
    let mut refused = None;
    let mut signed = None;
    for (signer, key) in keys {
        match parsed.check_key(key) {
            Ok(()) => signed = Some((signer.name.clone(), key.id())),
            Err(problem) => refused = Some(problem),
        }
    }
    let Some((name, key)) = signed else {
        let unknown = Diagnostic::error(Code::SignerUnknown, "no key of the trust file made this signature");
        return Err(match refused {
            Some(problem) if problem.code == Code::SignatureUnsupported => unsupported(problem),
            _ => evidence(unknown.hint("it was changed after signing, or its key is not in the trust file")),
        });
    };
    let mut files = BTreeMap::new();
    digests(folder, "", signature, &|path| parsed.leaves_out(path), &mut files)?;
    let differences = parsed.differences(&files).map_err(unsupported)?;
    if !differences.is_empty() {
        let told = |(path, problem): (String, Diagnostic)| problem.at(Location::file(folder.join(path)));
        return Err(Error::Evidence(differences.into_iter().map(told).collect()));
    }
    Ok(ModelSigned { files: parsed.count(), name, key })
}
