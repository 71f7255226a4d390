//! Where a passphrase comes from: a file, the environment, or the terminal. Never the command line, which
//! others on the machine can read.

use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};

use clap::Args;
use zeroize::Zeroizing;

use super::context::variable;
use super::progress;
use crate::attestation::PrivateKey;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::storage;

/// The variable that holds a passphrase.
const VARIABLE: &str = "SEQUESTER_PASSPHRASE";

/// How a passphrase is given.
#[derive(Clone, Debug, Default, Args)]
pub struct PassphraseArgs {
    /// File whose first line is the key's passphrase [env: SEQUESTER_PASSPHRASE; default: typed at the
    /// terminal].
    #[arg(long, value_name = "FILE")]
    passphrase_file: Option<PathBuf>,
}

impl PassphraseArgs {
    /// The passphrase; none where it was not given and there is no terminal.
    fn given(&self, prompt: &str) -> Result<Option<Zeroizing<String>>> {
        if let Some(path) = &self.passphrase_file {
            let bytes = Zeroizing::new(storage::read(path)?);
            let text = std::str::from_utf8(&bytes).map_err(|_| {
                Diagnostic::error(Code::KeyPassphrase, "the passphrase is not UTF-8").at(Location::file(path))
            })?;
            let line = text.lines().next().unwrap_or_default();
            return Ok(Some(Zeroizing::new(line.to_owned())));
        }
        if let Some(text) = variable(VARIABLE, Code::Usage)? {
            return Ok(Some(Zeroizing::new(text)));
        }
        if !std::io::stdin().is_terminal() {
            return Ok(None);
        }
        progress::ask();
        let typed = rpassword::prompt_password(prompt);
        let typed =
            typed.map_err(|e| Error::io("read the passphrase from", Path::new("the terminal"), &e))?;
        Ok(Some(Zeroizing::new(typed)))
    }

    /// A private key, opened with the passphrase where it needs one.
    ///
    /// # Errors
    /// `key-unreadable`, `key-passphrase`.
    pub fn open(&self, path: &Path) -> Result<PrivateKey> {
        let bytes = Zeroizing::new(storage::read(path)?);
        let placed = |problem: Diagnostic| Error::from(problem.at(Location::file(path)));
        let text = std::str::from_utf8(&bytes)
            .map_err(|_| placed(Diagnostic::error(Code::KeyUnreadable, "no private key: not text")))?;
        let passphrase = if PrivateKey::is_encrypted(text) {
            self.given(&format!("passphrase of {}: ", path.display()))?
        } else {
            None
        };
        PrivateKey::parse(text, passphrase.as_ref().map(|text| text.as_bytes())).map_err(placed)
    }

    /// The passphrase of a key that is made, typed twice.
    ///
    /// # Errors
    /// `key-passphrase` where there is none, or the two differ.
    pub fn chosen(&self) -> Result<Zeroizing<String>> {
        let wrong = |message: &str| Diagnostic::error(Code::KeyPassphrase, message);
        let typed = self.passphrase_file.is_none() && std::env::var_os(VARIABLE).is_none();
        let first = self.given("passphrase for the new key: ")?.ok_or_else(|| {
            wrong("the key needs a passphrase, and there is no terminal to type one").hint(
                "give --passphrase-file FILE or SEQUESTER_PASSPHRASE, or --no-passphrase where the file is \
                 safe otherwise",
            )
        })?;
        if typed && self.given("the same again: ")?.as_deref() != Some(&*first) {
            return Err(wrong("the two passphrases differ").into());
        }
        if first.is_empty() {
            return Err(wrong("the passphrase is empty").into());
        }
        Ok(first)
    }
}
