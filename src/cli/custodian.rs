//! `sequester custodian`: readers' files go to somebody else's key, and come back with a signed grant for one
//! opening. What the study does (`seal`, `request`, `open`) and what the custodian does (`key`, `grant`).

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde_json::json;
use zeroize::Zeroizing;

use super::passphrase::PassphraseArgs;
use super::study::StudyArgs;
use super::who::WhoArgs;
use super::{Context, Outcome};
use crate::attestation::PublicKey;
use crate::custody::age::{self, Identity, Recipient};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::Digest;
use crate::storage;
use crate::workflow::custody::{self, Custodian};

/// Seal the readers' files with a custodian, who grants each opening of the test set.
///
/// Whoever runs the study cannot read the files alone: they are encrypted (age) to the custodian's
/// key. A request names the opening's number and every input by digest; the custodian answers with
/// a signed grant and the files, and counts in a ledger of the custodian's own. Without a grant
/// `validate` opens nothing, and `verify` finds an opening that was not granted, or that the
/// evidence does not tell of. Everything goes by files.
///
///   sequester custodian seal STUDY --recipient age1... --grants-by custodian.pub --remove
///
///   sequester custodian request STUDY
///
///   sequester custodian grant request.json --sealed SEALED --identity custodian.age --key custodian.key
///   --recipient age1... --name "A. Custodian" --custodian grants.jsonl --out grant-1
///
///   sequester custodian open STUDY grant-1 --identity study.age
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct CustodianArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    Key(KeyArgs),
    Seal(SealArgs),
    Request(RequestArgs),
    Grant(GrantArgs),
    Open(OpenArgs),
}

/// Make a pair of keys to encrypt with: a file for its owner alone, and the recipient for others.
///
/// As `age-keygen` does. Whoever loses the file cannot decrypt any more: keep a copy where only its owner
/// gets at it. An existing file is never replaced.
#[derive(Debug, Args)]
struct KeyArgs {
    /// The file of the secret key.
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

/// Encrypt every file that the reference standard rests on to a custodian.
///
/// They lie in custody/sealed/ then, with the list sealed.json: the custodian gets that folder. The list,
/// with digests and no reads, is part of the evidence. With --remove the plain files go; without a copy
/// elsewhere nobody but the custodian can bring them back.
#[derive(Debug, Args)]
struct SealArgs {
    #[command(flatten)]
    study: StudyArgs,
    /// To whom the files are encrypted, age1...; several times: any of them can decrypt alone.
    #[arg(long, value_name = "RECIPIENT", required = true)]
    recipient: Vec<String>,
    /// Public key whose signature grants an opening (PEM or a line of OpenSSH).
    #[arg(long, value_name = "KEY")]
    grants_by: PathBuf,
    /// Remove the plain files afterwards.
    #[arg(long)]
    remove: bool,
    #[command(flatten)]
    who: WhoArgs,
    /// Say what would be sealed, and write nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Ask for the next opening of the test set: one file for the custodian.
///
/// It holds the number of the opening, the digests of protocol, cases, scores, lock and sealed files, the
/// drawn cases, the last commitment, and the head of the study's ledger. What is granted is exactly that.
#[derive(Debug, Args)]
struct RequestArgs {
    #[command(flatten)]
    study: StudyArgs,
    /// Why a further opening is needed.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// Where the request is written [default: request.json in the study's output folder].
    #[arg(long, value_name = "FILE")]
    request: Option<PathBuf>,
    /// Say what would be asked for, and write nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Answer a request: count it, sign a grant, and hand the files out encrypted to the study.
///
/// Refused is a request whose number is not the next by the custodian's own ledger: the files were opened
/// elsewhere. The same request again gives the same grant and is counted once.
#[derive(Debug, Args)]
struct GrantArgs {
    /// The request.
    #[arg(value_name = "REQUEST")]
    request: PathBuf,
    /// Folder with sealed.json and the encrypted files, as it came from the study.
    #[arg(long, value_name = "DIR")]
    sealed: PathBuf,
    /// File with the secret key that decrypts (`custodian key`, `age-keygen`).
    #[arg(long, value_name = "FILE")]
    identity: PathBuf,
    /// Private key that signs.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    #[command(flatten)]
    passphrase: PassphraseArgs,
    /// To whom the files are handed out, age1...: the study's own key. One that was lost is replaced by
    /// granting the same request to another.
    #[arg(long, value_name = "RECIPIENT", required = true)]
    recipient: Vec<String>,
    /// Printed name of the custodian, for the signature.
    #[arg(long, value_name = "NAME")]
    name: String,
    /// The custodian's own ledger; it is made where there is none.
    #[arg(long, value_name = "LEDGER")]
    custodian: PathBuf,
    /// Folder for the answer.
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Say what would be granted, and write nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Take a grant: check it, record it in the ledger, and put the readers' files in their places.
///
/// The test set is opened by `validate`, with the inputs that were granted and no others.
#[derive(Debug, Args)]
struct OpenArgs {
    #[command(flatten)]
    study: StudyArgs,
    /// Folder of the custodian's answer.
    #[arg(value_name = "GRANT")]
    grant: PathBuf,
    /// File with the study's secret key.
    #[arg(long, value_name = "FILE")]
    identity: PathBuf,
    #[command(flatten)]
    who: WhoArgs,
    /// Say what the grant is, and write nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Runs the command.
///
/// # Errors
/// What `workflow::custody` refuses; keys that cannot be read.
pub fn run(args: &CustodianArgs, context: Context) -> Result<Outcome> {
    match &args.what {
        What::Key(args) => key(args, context),
        What::Seal(args) => seal(args, context),
        What::Request(args) => request(args, context),
        What::Grant(args) => grant(args, context),
        What::Open(args) => open(args, context),
    }
}

/// Random bytes of the operating system; whether all came.
struct Source {
    failed: Option<String>,
}

impl Source {
    fn fill(&mut self, buffer: &mut [u8]) {
        if let Err(error) = getrandom::fill(buffer) {
            self.failed = Some(error.to_string());
        }
    }
}

/// Runs something that takes random bytes; an error where the system gave none. Bytes that were not random
/// would encrypt to everybody, so nothing is begun before the source was tried.
fn with_random<T>(work: impl FnOnce(age::Random<'_>) -> Result<T>) -> Result<T> {
    let mut source = Source { failed: None };
    let mut tried = [0; 32];
    source.fill(&mut tried);
    let refuse = |why: &str| {
        let message = format!("the operating system gives no random bytes: {why}");
        Error::from(Diagnostic::error(Code::Io, message))
    };
    if let Some(why) = &source.failed {
        return Err(refuse(why));
    }
    let done = work(&mut |buffer: &mut [u8]| source.fill(buffer));
    match source.failed {
        Some(why) => Err(refuse(&why)),
        None => done,
    }
}

fn recipients(texts: &[String]) -> Result<Vec<Recipient>> {
    let parsed = texts.iter().map(|text| Recipient::parse(text.trim()));
    parsed.collect::<Result<Vec<_>, _>>().map_err(Error::from)
}

fn identities(file: &Path) -> Result<Vec<Identity>> {
    let bytes = Zeroizing::new(storage::read(file)?);
    let at = |problem: Diagnostic| Error::from(problem.at(Location::file(file)));
    let text = std::str::from_utf8(&bytes)
        .map_err(|_| at(Diagnostic::error(Code::AgeKey, "is no file of secret keys: not UTF-8")))?;
    age::identities(text).map_err(at)
}

fn public(file: &Path) -> Result<PublicKey> {
    let text = String::from_utf8_lossy(&storage::read(file)?).into_owned();
    PublicKey::parse(&text).map_err(|problem| problem.at(Location::file(file)).into())
}

/// Writes a file that is not there yet and that its owner alone may read.
fn write_secret(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(path).map_err(|e| Error::io("write a new file", path, &e))?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all());
    written.map_err(|e| Error::io("write", path, &e))
}

fn key(args: &KeyArgs, context: Context) -> Result<Outcome> {
    let identity = with_random(|random| Ok(Identity::generate(random)))?;
    write_secret(&args.file, identity.to_text().as_bytes())?;
    let recipient = identity.recipient().to_string();
    if context.json {
        println!("{:#}", json!({"file": args.file, "recipient": recipient}));
    } else {
        println!("wrote {}: keep it, and show it to nobody", args.file.display());
        println!("recipient {recipient}");
    }
    Ok(Outcome::Done)
}

fn seal(args: &SealArgs, context: Context) -> Result<Outcome> {
    let study = args.study.open()?;
    let outside = args.who.outside(context)?;
    let to = recipients(&args.recipient)?;
    let grants_by = public(&args.grants_by)?;
    let _alone = if args.dry_run { None } else { Some(study.alone()?) };
    let sealing = with_random(|random| {
        custody::seal(&study, &to, &grants_by, (args.remove, args.dry_run), random, &outside)
    })?;
    if context.json {
        let report = json!({
            "sealed": sealing.set, "sha256": sealing.set.digest(), "plain": sealing.plain,
            "removed": sealing.removed, "dry_run": args.dry_run,
        });
        println!("{report:#}");
        return Ok(Outcome::Done);
    }
    let (verb, end) =
        if args.dry_run { ("would seal", "; dry run: nothing was done") } else { ("sealed", "") };
    println!("{verb} {} files to {}{end}", sealing.set.files.len(), sealing.set.recipient);
    for file in &sealing.set.files {
        println!("  {}  {}", file.sha256, file.name.strip_prefix("inputs/").unwrap_or(&file.name));
    }
    if !args.dry_run {
        println!("the custodian gets the folder {}", study.out.join("custody/sealed").display());
        match sealing.removed {
            true => println!("the plain files were removed"),
            false => println!("the plain files still lie here: whoever can read them needs no custodian"),
        }
    }
    Ok(Outcome::Done)
}

fn request(args: &RequestArgs, context: Context) -> Result<Outcome> {
    let study = args.study.open()?;
    let asked = custody::request(&study, args.reason.as_deref())?;
    let file = args.request.clone().unwrap_or_else(|| study.out.join("request.json"));
    let bytes = asked.to_bytes();
    if !args.dry_run {
        storage::write_atomic(&file, &bytes)?;
    }
    if context.json {
        let report = json!({
            "file": file, "sha256": Digest::of(&bytes), "request": asked, "dry_run": args.dry_run,
        });
        println!("{report:#}");
        return Ok(Outcome::Done);
    }
    match args.dry_run {
        true => println!("would ask for opening {}; dry run: nothing was done", asked.number),
        false => println!("wrote {}: asks the custodian for opening {}", file.display(), asked.number),
    }
    println!("SHA-256 {}", Digest::of(&bytes));
    if asked.commitment.is_none() {
        println!("no commitment is named: with `sequester commit` before it the grant would show the bar");
    }
    Ok(Outcome::Done)
}

fn grant(args: &GrantArgs, context: Context) -> Result<Outcome> {
    let outside = context.outside();
    let identities = identities(&args.identity)?;
    let to = recipients(&args.recipient)?;
    let key = args.passphrase.open(&args.key)?;
    let custodian = Custodian {
        sealed: &args.sealed,
        identities: &identities,
        key: &key,
        to: &to,
        name: &args.name,
        register: &args.custodian,
    };
    let granting = with_random(|random| {
        custody::grant(&args.request, &custodian, &args.out, args.dry_run, random, &outside)
    })?;
    if context.json {
        let report = json!({
            "out": args.out, "grant": granting.line, "request": granting.request,
            "already": granting.already, "dry_run": args.dry_run,
        });
        println!("{report:#}");
        return Ok(Outcome::Done);
    }
    let (number, study) = (granting.line.number, &granting.line.study);
    match (args.dry_run, granting.already) {
        (true, _) => println!("would grant opening {number} of {study}; dry run: nothing was done"),
        (false, true) => println!("opening {number} of {study} was granted before: the same grant again"),
        (false, false) => println!("granted opening {number} of {study}"),
    }
    if let Some(reason) = &granting.request.reason {
        println!("reason: {reason}");
    }
    match granting.request.commitment {
        Some(commitment) => println!("the study had committed to its bar: {commitment}"),
        None => println!("the study had committed to no bar"),
    }
    if !args.dry_run {
        println!("the study gets the folder {}", args.out.display());
        println!("counted in {}", args.custodian.display());
    }
    Ok(Outcome::Done)
}

fn open(args: &OpenArgs, context: Context) -> Result<Outcome> {
    let study = args.study.open()?;
    let outside = args.who.outside(context)?;
    let identities = identities(&args.identity)?;
    let _alone = if args.dry_run { None } else { Some(study.alone()?) };
    let opened = custody::take(&study, &args.grant, &identities, args.dry_run, &outside)?;
    if context.json {
        let report = json!({
            "grant": opened.granted, "by": opened.by, "files": opened.files, "dry_run": args.dry_run,
        });
        println!("{report:#}");
        return Ok(Outcome::Done);
    }
    let number = opened.granted.number;
    match args.dry_run {
        true => println!("a grant of opening {number} by {}; dry run: nothing was done", opened.by),
        false => println!("opening {number} is granted by {}, and recorded", opened.by),
    }
    let where_to = if args.dry_run { "would come" } else { "are in their places" };
    println!("{} readers' files {where_to}", opened.files.len());
    println!("next  sequester validate");
    Ok(Outcome::Done)
}
