//! Signing a bundle: what is said of it after it was verified, and where the signature goes.

use std::path::{Path, PathBuf};

use crate::attestation::verified::ROOT;
use crate::attestation::{
    Kind, Meaning, PrivateKey, PublicKey, Signed, Signer, Statement, Subject, Trust, open_envelope, open_ssh,
    seal,
};
use crate::audit::{self, Audit, ENVELOPE, History, SSH, STATEMENT};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::Digest;
use crate::evidence::bag;
use crate::storage;

/// Who signs, as what, meaning what.
#[derive(Clone, Debug)]
pub struct Signing<'a> {
    /// Printed name.
    pub name: &'a str,
    /// In which role.
    pub role: &'a str,
    /// What the signature means.
    pub meaning: Meaning,
    /// RFC 3339, UTC, whole seconds, by the signer's clock.
    pub at: &'a str,
}

/// What is said of a bundle: that it passed `verify`, with these verdicts and this ledger.
///
/// # Errors
/// `Error::Evidence` with everything that `verify` found; `statement-malformed` for a name or role that does
/// not print.
pub fn statement(
    bundle: &Path,
    audit: &Audit,
    history: Option<&History>,
    key: &PublicKey,
    signing: &Signing<'_>,
) -> Result<Statement> {
    if !audit.holds() {
        return Err(Error::Evidence(audit.answers.iter().flat_map(|a| a.discrepancies.clone()).collect()));
    }
    if audit.rehearsal {
        let message = "a rehearsal is no evidence about the device: scores and reads were simulated";
        let problem = Diagnostic::error(Code::Rehearsal, message).at(Location::file(bundle));
        return Err(problem.hint("sign the study when it was run").into());
    }
    let opened = bag::open(bundle)?;
    let Some(root) = opened.root.filter(|root| audit.root == Some(*root) && opened.discrepancies.is_empty())
    else {
        let problem = Diagnostic::error(Code::FileChanged, "the bundle changed while it was being verified");
        return Err(Error::Evidence(vec![problem.at(Location::file(bundle))]));
    };
    let claim = audit::claim(&opened.payload, history, &audit.answers)?;
    let statement = Statement {
        kind: Kind::Verified,
        subjects: vec![Subject { name: ROOT.to_owned(), digest: root }],
        signer: Signer {
            key: key.to_base64(),
            meaning: signing.meaning,
            name: signing.name.to_owned(),
            role: signing.role.to_owned(),
        },
        at: signing.at.to_owned(),
        program: format!("sequester {}", env!("CARGO_PKG_VERSION")),
        claim: claim.to_claim(),
    };
    statement.to_bytes().map_err(|problem| Error::Input(vec![problem]))?;
    Ok(statement)
}

/// How a statement is signed.
pub enum With<'a> {
    /// In an envelope, by this key.
    Key(&'a PrivateKey),
    /// By a program that gives the SSHSIG of these bytes.
    Ssh(&'a dyn Fn(&[u8]) -> Result<Vec<u8>>),
}

/// A signature as it is written.
#[derive(Clone, Debug)]
pub struct Written {
    /// The statement, with the key that signed.
    pub signed: Signed,
    /// Files with their bytes, in the order in which they are written.
    pub files: Vec<(PathBuf, Vec<u8>)>,
}

/// Signs, and checks the signature; nothing is written yet.
///
/// # Errors
/// What the key or the program says; `signature-invalid` where the program signed with another key.
pub fn signature(statement: &Statement, with: &With<'_>, folder: &Path) -> Result<Written> {
    let bytes = statement.to_bytes()?;
    let name = format!("{}-{}", statement.signer.meaning.name(), Digest::of(&bytes).short());
    match with {
        With::Key(key) => {
            let sealed = seal(statement, key)?;
            let signed = open_envelope(&sealed)?;
            Ok(Written { signed, files: vec![(folder.join(format!("{name}{ENVELOPE}")), sealed)] })
        }
        With::Ssh(sign) => {
            let signature = sign(&bytes)?;
            let signed = open_ssh(&bytes, &signature)?;
            let file = folder.join(format!("{name}{STATEMENT}"));
            let beside = folder.join(format!("{name}{STATEMENT}{SSH}"));
            Ok(Written { signed, files: vec![(beside, signature), (file, bytes)] })
        }
    }
}

/// Writes a signature where none of its name lies.
///
/// # Errors
/// `file-exists` where another one does.
pub fn write(written: &Written) -> Result<()> {
    for (path, bytes) in &written.files {
        if path.exists() && storage::read(path)? != *bytes {
            let problem = Diagnostic::error(Code::FileExists, "there is another signature of this name");
            return Err(problem.at(Location::file(path)).hint("signatures are never replaced").into());
        }
    }
    for (path, bytes) in &written.files {
        storage::write_atomic(path, bytes)?;
    }
    Ok(())
}

/// Reads `trust.toml` and the key files that it names.
///
/// # Errors
/// Every problem with its place.
pub fn trust(path: &Path) -> Result<Trust> {
    let bytes = storage::read(path)?;
    let text = crate::diagnostic::utf8(path, &bytes, Code::TomlSyntax)?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let read = |name: &str| {
        let read = storage::read(&folder.join(name));
        read.map_err(|e| {
            e.diagnostics().into_iter().next().unwrap_or_else(|| unreachable!("an error says why"))
        })
    };
    Trust::parse(path, text, &read).map_err(Error::Input)
}
