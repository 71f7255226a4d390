//! `sequester commit`: writes down in one file what is fixed before the first score, and takes tokens of it.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::study::StudyArgs;
use super::who::WhoArgs;
use super::{Context, Outcome};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::storage;
use crate::timestamp::Authorities;
use crate::workflow::commitment::{self, Committed, Stamped};
use crate::workflow::commitment_signature::{self, TakenIn};

/// Commit to the bar before the first score: one file whose digest stands for everything that is
/// fixed.
///
/// Digests of protocol, drawn cases, case tables, rules on readers and locked model, the seed, and
/// every endpoint with its threshold go into commitments/commitment-1.json; the text beside it can
/// be mailed or filed, and says how to check it. The file can be time-stamped and signed. The
/// protocol is locked and the test set sealed. After an opening nothing is committed any more (exit
/// code 30).
///
/// With --signature somebody's signature of the file comes in, as `sequester sign` or `ssh-keygen`
/// made it from the file alone: `verify --trust` says who stands for the bar, and answers that it
/// was set before the result where a witness signed it before the opening.
///
/// With --token a time-stamp token (RFC 3161) of the file comes in. Before the opening, the opening
/// rests on it: `verify --tsa` can then answer that the bar was set before the result.
///
///   sequester commit my-study
///
///   openssl ts -query -data my-study/commitments/commitment-1.json -sha256 -cert -out query.tsq
///
///   sequester commit my-study --token reply.tsr --tsa authority.pem
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct CommitArgs {
    #[command(flatten)]
    study: StudyArgs,
    /// A time-stamp token of the commitment (.tsr, .tst), as an authority gave it.
    #[arg(long, value_name = "FILE")]
    token: Option<PathBuf>,
    /// Certificates of time-stamp authorities whose tokens count, in PEM or DER.
    #[arg(long, value_name = "CERTIFICATES", requires = "token")]
    tsa: Vec<PathBuf>,
    /// A signature of the commitment: its envelope (.dsse.json), or the statement (.statement.json) that has
    /// its SSHSIG beside it.
    #[arg(long, value_name = "FILE", conflicts_with = "token")]
    signature: Option<PathBuf>,
    #[command(flatten)]
    who: WhoArgs,
    /// Say what would be committed to, or what the token shows, and write nothing.
    #[arg(long)]
    dry_run: bool,
}

/// Runs the command.
///
/// # Errors
/// `commitment-late` (`Error::Lock`) after an opening; why a token does not count; what is wrong with the
/// study.
pub fn run(args: &CommitArgs, context: Context) -> Result<Outcome> {
    let study = args.study.open()?;
    let outside = args.who.outside(context)?;
    if let Some(token) = &args.token {
        let authorities = authorities(&args.tsa)?;
        let _alone = if args.dry_run { None } else { Some(study.alone()?) };
        let stamped = commitment::stamp(&study, token, authorities.as_ref(), args.dry_run, &outside)?;
        show_token(&stamped, args.dry_run, context);
        return Ok(Outcome::Done);
    }
    if let Some(signature) = &args.signature {
        let _alone = if args.dry_run { None } else { Some(study.alone()?) };
        let taken = commitment_signature::take(&study, signature, args.dry_run, &outside)?;
        show_signature(&taken, args.dry_run, context);
        return Ok(Outcome::Done);
    }
    let committed = if args.dry_run {
        commitment::proposed(&study, &outside)?
    } else {
        let _alone = study.alone()?;
        commitment::commit(&study, &outside)?
    };
    show(&committed, args.dry_run, context);
    Ok(Outcome::Done)
}

/// The certificates of all files; none where no file is named.
///
/// # Errors
/// `certificate-unreadable`.
pub fn authorities(files: &[PathBuf]) -> Result<Option<Authorities>> {
    let mut all: Option<Authorities> = None;
    for file in files {
        let found = Authorities::parse(&storage::read(file)?).map_err(|why| {
            Error::from(
                Diagnostic::error(Code::CertificateUnreadable, format!("no certificate that is read: {why}"))
                    .at(Location::file(file))
                    .hint("the authority's root, in PEM (-----BEGIN CERTIFICATE-----) or DER"),
            )
        })?;
        match &mut all {
            Some(all) => all.extend(found),
            None => all = Some(found),
        }
    }
    Ok(all)
}

fn show(committed: &Committed, dry_run: bool, context: Context) {
    if context.json {
        let report = json!({
            "file": committed.name, "sha256": committed.digest(), "commitment": committed.commitment,
            "already": committed.already, "dry_run": dry_run, "text": committed.text(),
        });
        println!("{report:#}");
        return;
    }
    match (committed.already, dry_run) {
        (true, _) => println!("{} was made before; it is the same", committed.name),
        (false, true) => println!("would write {}; dry run: nothing was done", committed.name),
        (false, false) => {
            println!("wrote {} and the text beside it, {}", committed.name, committed.text_name());
        }
    }
    if committed.commitment.scores.is_some() {
        println!("the scores are here already: the commitment says so");
    }
    println!();
    print_text(&committed.text());
}

fn print_text(text: &str) {
    for line in text.lines() {
        println!("{line}");
    }
}

fn show_token(stamped: &Stamped, dry_run: bool, context: Context) {
    if context.json {
        let stamp = stamped.stamp.as_ref().map(|stamp| {
            json!({
                "at": stamp.at(), "authority": stamp.authority, "trusted": stamp.trusted,
                "serial": stamp.serial, "policy": stamp.policy, "hash": stamp.hash,
            })
        });
        let report = json!({
            "commitment": stamped.commitment, "file": stamped.name, "stamp": stamp,
            "already": stamped.already, "before_opening": stamped.before_opening, "dry_run": dry_run,
        });
        println!("{report:#}");
        return;
    }
    let what = came_in(stamped.already, dry_run);
    println!("the token of {} {what} as {}", stamped.commitment, stamped.name);
    match &stamped.stamp {
        Some(stamp) => println!(
            "it shows that the file existed by {} (authority {}, trusted by {})",
            stamp.at(),
            stamp.authority,
            stamp.trusted
        ),
        None => println!("it is of this file; whose it is was not asked (--tsa)"),
    }
    if !stamped.before_opening {
        println!("the test set has been opened: the opening does not rest on this token");
    }
}

fn came_in(already: bool, dry_run: bool) -> &'static str {
    match (already, dry_run) {
        (true, _) => "came in before",
        (false, true) => "would come in; dry run: nothing was done",
        (false, false) => "came in",
    }
}

fn show_signature(taken: &TakenIn, dry_run: bool, context: Context) {
    let signer = &taken.signed.statement.signer;
    if context.json {
        let report = json!({
            "commitment": taken.commitment, "files": taken.files, "name": signer.name, "role": signer.role,
            "meaning": signer.meaning, "key": taken.signed.key.id(), "already": taken.already,
            "before_opening": taken.before_opening, "dry_run": dry_run,
        });
        println!("{report:#}");
        return;
    }
    let (files, what) = (taken.files.join(" and "), came_in(taken.already, dry_run));
    println!("the signature of {} {what} as {files}", taken.commitment);
    println!("signer    {} as {}, meaning {}", signer.name, signer.role, signer.meaning.name());
    println!("key       {}; whose it is, is for `verify --trust` to say", taken.signed.key.id());
    if !taken.before_opening {
        println!("the test set has been opened: the opening does not rest on this signature");
    }
}
