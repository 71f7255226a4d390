//! `sequester keys`: makes keys for signing, and shows their public halves.

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use super::passphrase::PassphraseArgs;
use super::{Context, Outcome};
use crate::attestation::private::ROUNDS;
use crate::attestation::{Algorithm, PrivateKey, PublicKey};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::storage;

/// Make keys for signing, and show their public halves.
///
/// A private key stays with its owner, who gives the public half to whoever asks who signed: it goes into
/// trust.toml. People who have a key of OpenSSH need none of these (`sequester sign --ssh`).
#[derive(Debug, Args)]
pub struct KeysArgs {
    #[command(subcommand)]
    command: KeysCommand,
}

#[derive(Debug, Subcommand)]
enum KeysCommand {
    New(NewArgs),
    Public(PublicArgs),
}

/// Make a private key, encrypted with a passphrase, and its public half beside it.
///
/// The private key is PKCS#8 in PEM, the public one SubjectPublicKeyInfo in PEM, in a file with
/// `.pub` behind its name: `openssl` reads both. Neither is ever replaced.
///
///   sequester keys new --out statistician.pem
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct NewArgs {
    /// File of the private key.
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// What it signs with; OpenSSF Model Signing takes p256 alone.
    #[arg(long, value_name = "ALGORITHM", default_value = "p256")]
    algorithm: AlgorithmName,
    /// Write the private key as it is, where the file is kept safe otherwise.
    #[arg(long, conflicts_with = "passphrase_file")]
    no_passphrase: bool,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// Say what would be written, and make no key.
    #[arg(long)]
    dry_run: bool,
}

/// Show the public half of a key: its id, as PEM, and as a line of OpenSSH.
#[derive(Debug, Args)]
pub struct PublicArgs {
    /// File of a private or a public key.
    #[arg(value_name = "KEY")]
    key: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArgs,
}

/// [`Algorithm`] as an option takes it.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum AlgorithmName {
    P256,
    Ed25519,
}

impl From<AlgorithmName> for Algorithm {
    fn from(name: AlgorithmName) -> Self {
        match name {
            AlgorithmName::P256 => Self::P256,
            AlgorithmName::Ed25519 => Self::Ed25519,
        }
    }
}

/// Runs the command.
///
/// # Errors
/// `file-exists`, `key-unreadable`, `key-passphrase`.
pub fn run(args: &KeysArgs, context: Context) -> Result<Outcome> {
    match &args.command {
        KeysCommand::New(args) => new(args, context),
        KeysCommand::Public(args) => {
            let text = String::from_utf8(storage::read(&args.key)?).unwrap_or_default();
            let public = match PublicKey::parse(&text) {
                Ok(public) => public,
                Err(_) if text.contains("PRIVATE") => args.passphrase.open(&args.key)?.public(),
                Err(problem) => return Err(problem.at(Location::file(&args.key)).into()),
            };
            show(&public, &[], true, context);
            Ok(Outcome::Done)
        }
    }
}

/// The file of the public half.
fn beside(private: &Path) -> PathBuf {
    let mut name = private.as_os_str().to_owned();
    name.push(".pub");
    name.into()
}

fn new(args: &NewArgs, context: Context) -> Result<Outcome> {
    let files = [args.out.clone(), beside(&args.out)];
    for path in &files {
        if path.exists() {
            let problem =
                Diagnostic::error(Code::FileExists, "there is a file of this name: a key is never replaced");
            return Err(problem.at(Location::file(path)).hint("name another --out").into());
        }
    }
    if args.dry_run {
        if context.json {
            println!("{:#}", serde_json::json!({"files": files, "written": false}));
        } else {
            println!("dry run: a key would be made in {}", args.out.display());
        }
        return Ok(Outcome::Done);
    }
    let passphrase = if args.no_passphrase { None } else { Some(args.passphrase.chosen()?) };
    let mut failed = None;
    let mut random = |buffer: &mut [u8]| {
        if let Err(error) = getrandom::fill(buffer) {
            failed = Some(error);
            // Never taken as a key; something that is a number on the curve ends the search for one.
            buffer.fill(1);
        }
    };
    let key = PrivateKey::generate(args.algorithm.into(), &mut random);
    let text = match &passphrase {
        Some(passphrase) => key.to_encrypted_pem(passphrase.as_bytes(), ROUNDS, &mut random)?.into(),
        None => key.to_pem(),
    };
    if let Some(error) = failed {
        let error = std::io::Error::other(error.to_string());
        return Err(Error::io("read random bytes for", &args.out, &error));
    }
    storage::write_secret(&args.out, text.as_bytes())?;
    storage::write_atomic(&files[1], key.public().to_pem().as_bytes())?;
    show(&key.public(), &files, false, context);
    Ok(Outcome::Done)
}

fn show(public: &PublicKey, files: &[PathBuf], pem: bool, context: Context) {
    let (id, algorithm) = (public.id().to_string(), public.algorithm().name());
    if context.json {
        let mut told = serde_json::json!({
            "id": id, "algorithm": algorithm, "pem": public.to_pem(), "openssh": public.to_openssh(),
        });
        if !files.is_empty() {
            told["files"] = serde_json::json!(files);
            told["written"] = true.into();
        }
        println!("{told:#}");
        return;
    }
    for path in files {
        println!("written   {}", path.display());
    }
    println!("key       {id} ({algorithm})");
    println!("OpenSSH   {}", public.to_openssh());
    if pem {
        println!("{}", public.to_pem().trim_end());
    } else {
        println!("next      give the file with .pub to whoever asks who signed; keep the other to yourself");
    }
}
