//! `sequester sign`: a signed statement of a bundle that passed `verify`, or of a commitment.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use clap::{Args, ValueEnum};

use super::passphrase::PassphraseArgs;
use super::who::WhoArgs;
use super::{Context, Outcome, say};
use crate::attestation::{Kind, Meaning, PrivateKey, PublicKey, Statement, ssh};
use crate::audit::{self, Beside, History, Signatures};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::storage;
use crate::workflow::commitment_signature;
use crate::workflow::model_signature;
use crate::workflow::report::{find_bundle, reports_of};
use crate::workflow::sign::{self, Signing, With};
use crate::workflow::signature_record;

/// Sign a bundle that passes `verify`, a commitment, or the folder of a locked model.
///
/// Of a bundle everything is verified first; where anything is contradicted, nothing is signed
/// (exit code 20). What is signed: the root digest, the head of the ledger with the number of
/// events and of openings, the answers of `verify`, the verdicts of the endpoints with their
/// thresholds, your name, your role, and what your signature means. It is written to
/// signatures/<run> beside evidence/, never into the bundle. Each signer signs an own statement;
/// `verify --trust` says whose count.
///
/// The file of a commitment (`sequester commit`) is signed by itself, wherever it was sent: its
/// digest and the bar that it holds. The signature lies beside it until `sequester commit STUDY
/// --signature FILE` takes it into the study, before the test set is opened.
///
/// A locked model is signed as OpenSSF Model Signing says (P-256), with the digest of every file,
/// in signatures/model.sig beside its folder: `model_signing verify key` reads it, and so does
/// `sequester verify MODEL --signature FILE --trust FILE`. Such a signature says neither name nor
/// meaning.
///
///   sequester sign my-study --key statistician.pem --by "A. Example" --role statistician --meaning approval
///
///   sequester sign my-study --ssh ~/.ssh/id_ed25519 --by "B. Example" --role quality --meaning review
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct SignArgs {
    /// Study folder (its newest run is signed), folder of a bundle or of a locked model, or the file of a
    /// commitment.
    #[arg(value_name = "STUDY|BUNDLE|MODEL|FILE")]
    target: PathBuf,
    /// Which run of the study, for example run-1 [default: the newest].
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    /// Your private key, as `sequester keys new` makes it.
    #[arg(long, value_name = "FILE", required_unless_present = "ssh", conflicts_with = "ssh")]
    key: Option<PathBuf>,
    /// Your key of OpenSSH (ed25519 or P-256), with its `.pub` beside it; `ssh-keygen` signs with it.
    #[arg(long, value_name = "FILE")]
    ssh: Option<PathBuf>,
    /// What your signature means; of a bundle or a commitment.
    #[arg(long, value_name = "MEANING")]
    meaning: Option<MeaningName>,
    #[command(flatten)]
    who: WhoArgs,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// Folder of the signatures [default: signatures/<run> beside evidence/; of a model signatures/ beside
    /// its folder; of a commitment the folder that it lies in].
    #[arg(long, value_name = "DIR")]
    signatures: Option<PathBuf>,
    /// With --ssh: write what is to be signed into this file, for `ssh-keygen -Y sign -n sequester`
    /// elsewhere, and sign nothing.
    #[arg(long, value_name = "FILE", requires = "ssh")]
    statement: Option<PathBuf>,
    /// Verify, show what would be signed, and sign nothing.
    #[arg(long)]
    dry_run: bool,
}

/// [`Meaning`] as an option takes it.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum MeaningName {
    /// I read it.
    Review,
    /// I approve it.
    Approval,
    /// I made it.
    Authorship,
}

impl From<MeaningName> for Meaning {
    fn from(name: MeaningName) -> Self {
        match name {
            MeaningName::Review => Self::Review,
            MeaningName::Approval => Self::Approval,
            MeaningName::Authorship => Self::Authorship,
        }
    }
}

/// Runs the command.
///
/// # Errors
/// `Error::Evidence` with everything that contradicts the bundle: nothing is written then.
pub fn run(args: &SignArgs, context: Context) -> Result<Outcome> {
    if is_model(&args.target) {
        return model(args, context);
    }
    let outside = args.who.outside(context)?;
    let (Some(name), Some(role), Some(meaning)) = (outside.who.by(), outside.who.role(), args.meaning) else {
        let message = "a signature needs the name and the role of who signs, and what it means";
        let problem = Diagnostic::error(Code::Usage, message);
        return Err(Error::usage(
            problem.hint("give --by NAME --role ROLE --meaning review|approval|authorship"),
        ));
    };
    let at = outside.at();
    let signing = Signing { name, role, meaning: meaning.into(), at: &at };
    // A key that cannot be opened is told before a minute of verifying.
    let private = args.key.as_deref().map(|path| args.passphrase.open(path)).transpose()?;
    let public = match (&private, &args.ssh) {
        (Some(key), _) => key.public(),
        (None, Some(path)) => public_of(path)?,
        (None, None) => return Err(Error::usage(Diagnostic::error(Code::Usage, "--key or --ssh is needed"))),
    };
    let said = if args.target.is_file() {
        of_commitment(args, &public, &signing)?
    } else {
        of_bundle(args, &public, &signing)?
    };
    let Said { statement, folder, .. } = &said;
    let bytes = statement.to_bytes()?;
    let told = |written: bool, files: &[PathBuf]| said.tell(&public, &signing, written, files, context);
    if args.dry_run {
        told(false, &[])?;
        return Ok(Outcome::Done);
    }
    if let Some(path) = &args.statement {
        if path.exists() {
            let problem = Diagnostic::error(Code::FileExists, "there is a file of this name");
            return Err(problem.at(Location::file(path)).hint("name another --statement").into());
        }
        storage::write_atomic(path, &bytes)?;
        told(false, std::slice::from_ref(path))?;
        return Ok(Outcome::Done);
    }
    let by_program = |bytes: &[u8]| match &args.ssh {
        Some(path) => by_ssh_keygen(path, bytes),
        None => Err(Error::usage(Diagnostic::error(Code::Usage, "--key or --ssh is needed"))),
    };
    let with = private.as_ref().map_or(With::Ssh(&by_program), |key: &PrivateKey| With::Key(key));
    let written = sign::signature(statement, &with, folder)?;
    sign::write(&written)?;
    let files: Vec<PathBuf> = written.files.iter().map(|(path, _)| path.clone()).collect();
    told(true, &files)?;
    if said.statement.kind == Kind::Verified {
        let record = audit::record_beside(&reports_of(&said.target));
        signature_record::refresh(&said.target, folder, &record, &outside)?;
    }
    Ok(Outcome::Done)
}

/// What is to be signed, and where the signature goes.
struct Said {
    statement: Statement,
    folder: PathBuf,
    /// The bundle, or the file of the commitment.
    target: PathBuf,
}

impl Said {
    /// What was signed, or would be.
    fn tell(
        &self,
        public: &PublicKey,
        signing: &Signing<'_>,
        written: bool,
        files: &[PathBuf],
        context: Context,
    ) -> Result<()> {
        let of_bundle = self.statement.kind == Kind::Verified;
        let digest = self.statement.subjects.first().map(|subject| subject.digest);
        let (target, what) = if of_bundle { ("bundle", "root") } else { ("commitment", "sha256") };
        if context.json {
            let said: serde_json::Value =
                serde_json::from_slice(&self.statement.to_bytes()?).unwrap_or_default();
            let report = serde_json::json!({target: self.target, what: digest, "key": public.id(),
                "statement": said, "files": files, "written": written});
            println!("{report:#}");
            return Ok(());
        }
        println!("signer    {} as {}, meaning {}", signing.name, signing.role, signing.meaning.name());
        println!("key       {} ({})", public.id(), public.algorithm().name());
        if let Some(digest) = digest {
            println!("{what:<10}{digest}");
        }
        for path in files {
            println!("written   {}", path.display());
        }
        if !written {
            println!("nothing was signed");
        } else if !of_bundle {
            println!("next      sequester commit STUDY --signature FILE");
        }
        Ok(())
    }
}

/// A bundle, which is verified first.
fn of_bundle(args: &SignArgs, public: &PublicKey, signing: &Signing<'_>) -> Result<Said> {
    let bundle = find_bundle(&args.target, args.run.as_deref())?;
    say("verify", &format!("{}", bundle.display()));
    let folder = args.signatures.clone().unwrap_or_else(|| audit::signatures_of(&bundle));
    let reports = reports_of(&bundle);
    let model = reports.parent().and_then(Path::parent).map(|study| study.join("model"));
    let history = History::around(&bundle)?;
    let signatures = Signatures::in_folder(&folder)?;
    let of_other_runs = Signatures::of_other_runs(&folder)?;
    let beside = Beside {
        reports: Some(&reports),
        model: model.as_deref(),
        history: history.as_ref(),
        signatures: Some(&signatures),
        of_other_runs: &of_other_runs,
        ..Beside::default()
    };
    let audit = audit::audit(&bundle, &beside)?;
    let statement = sign::statement(&bundle, &audit, history.as_ref(), public, signing)?;
    Ok(Said { statement, folder, target: bundle })
}

/// The file of a commitment, wherever it lies.
fn of_commitment(args: &SignArgs, public: &PublicKey, signing: &Signing<'_>) -> Result<Said> {
    if args.run.is_some() {
        let problem = Diagnostic::error(Code::Usage, "a commitment is of no run");
        return Err(Error::usage(problem.hint("leave --run out")));
    }
    let statement = commitment_signature::statement(&args.target, public, signing)?;
    let beside = args.target.parent().map(Path::to_path_buf).unwrap_or_default();
    let folder = args.signatures.clone().unwrap_or(beside);
    Ok(Said { statement, folder, target: args.target.clone() })
}

/// Whether a target is the folder of a locked model, and no study and no bundle.
fn is_model(target: &Path) -> bool {
    let has = |name: &str| target.join(name).is_file();
    has(crate::model::lock::FILE) && !has("bagit.txt") && !has("protocol.toml")
}

/// Signs the folder of a locked model.
fn model(args: &SignArgs, context: Context) -> Result<Outcome> {
    let Some(key) = &args.key else {
        let problem = Diagnostic::error(Code::Usage, "a model is signed with --key");
        return Err(Error::usage(problem.hint("OpenSSF Model Signing has no signatures of OpenSSH")));
    };
    let key = args.passphrase.open(key)?;
    let absolute = args.target.canonicalize().map_err(|e| Error::io("look at", &args.target, &e))?;
    let beside = absolute.parent().unwrap_or(Path::new("/")).join("signatures");
    let file = args.signatures.clone().unwrap_or(beside).join("model.sig");
    let bytes = model_signature::sign(&args.target, &key, &file)?;
    if file.exists() && storage::read(&file)? != bytes {
        let problem = Diagnostic::error(Code::FileExists, "there is another signature of this name");
        return Err(problem.at(Location::file(&file)).hint("signatures are never replaced").into());
    }
    if !args.dry_run {
        storage::write_atomic(&file, &bytes)?;
    }
    let public = key.public();
    if context.json {
        let report = serde_json::json!({"model": args.target, "key": public.id(), "files": [file],
            "written": !args.dry_run});
        println!("{report:#}");
        return Ok(Outcome::Done);
    }
    println!("key       {} ({})", public.id(), public.algorithm().name());
    if args.dry_run {
        println!("nothing was signed");
    } else {
        println!("written   {}", file.display());
    }
    Ok(Outcome::Done)
}

/// The public half of a key of OpenSSH.
fn public_of(path: &Path) -> Result<PublicKey> {
    let public = if path.extension().is_some_and(|extension| extension == "pub") {
        path.to_path_buf()
    } else {
        let mut name = path.as_os_str().to_owned();
        name.push(".pub");
        name.into()
    };
    if !public.is_file() {
        let problem = Diagnostic::error(Code::FileMissing, "the public half of the key is not there");
        let hint = "`ssh-keygen -y -f KEY > KEY.pub` writes it";
        return Err(problem.at(Location::file(&public)).hint(hint).into());
    }
    let text = String::from_utf8(storage::read(&public)?).unwrap_or_default();
    PublicKey::parse(&text).map_err(|problem| problem.at(Location::file(&public)).into())
}

/// What `ssh-keygen -Y sign` makes of these bytes. It asks for the passphrase itself, or has an agent sign.
fn by_ssh_keygen(key: &Path, bytes: &[u8]) -> Result<Vec<u8>> {
    let failed = |why: String| {
        Diagnostic::error(Code::SshKeygen, format!("`ssh-keygen -Y sign` did not sign: {why}"))
            .at(Location::file(key))
            .hint("it comes with OpenSSH 8.1 or later; --statement writes what is to be signed for elsewhere")
    };
    let folder = tempfile::tempdir().map_err(|e| failed(e.to_string()))?;
    let file = folder.path().join("statement.json");
    storage::write_atomic(&file, bytes)?;
    let ran = Command::new("ssh-keygen")
        .args(["-Y", "sign", "-n", ssh::NAMESPACE, "-f"])
        .arg(key)
        .arg(&file)
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .output()
        .map_err(|e| failed(e.to_string()))?;
    if !ran.status.success() {
        let said = String::from_utf8_lossy(&ran.stderr);
        return Err(failed(said.trim().lines().last().unwrap_or("it gives no reason").to_owned()).into());
    }
    storage::read(&folder.path().join("statement.json.sig"))
}
