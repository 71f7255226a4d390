//! `sequester verify`: answers an auditor's questions about a bundle and the documents beside it. What
//! belongs to what is in `exhibits`.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use clap::Args;

use super::commit::authorities;
use super::context::from_one;
use super::exhibits::{self, Audits};
use super::{Context, Outcome, cores, interrupted, machine, progress, say};
use crate::audit::{self, Audit, Beside, History, QUESTIONS, Rescore, Signatures, State, TOLERANCE};
use crate::diagnostic::{Code, Diagnostic, Error, Result};
use crate::digest::Digest;
use crate::storage;
use crate::study::results::Verdict;
use crate::workflow::model_signature::{self, ModelSigned};
use crate::workflow::report::{find_bundle, reports_of};
use crate::workflow::sign;

/// Check evidence and models: every byte, the ledger, every number, the rendering, and what belongs
/// to what.
///
/// Of one study or bundle every question is asked. Several things, or a locked model, weights, a
/// lock or a document by themselves, are told which of them belong together: is this the model that
/// was validated, is this the document that the evidence renders to, and if not, which numbers
/// differ?
///
///   sequester verify my-study                               everything about its newest run
///   sequester verify model/ my-study                        is this the model that was validated?
///   sequester verify weights.safetensors report.pdf run-1   which of these belong together?
///   sequester verify --diff model-a/ model-b/               what differs between two models or bundles?
///   sequester verify v3 --predecessor v2 v1                 does each version follow the one before?
///
/// Everything is recomputed from the recorded inputs; libtorch is not needed. Each question is
/// answered yes, NO, not shown (what would show it is not there) or not applicable, and every
/// discrepancy is listed. Exit code 0: nothing is contradicted; 20: the evidence is not intact; 21:
/// something that --require names is not shown. The same bytes can be checked without this program:
/// `cd evidence/run-1 && sha256sum -c manifest-sha256.txt tagmanifest-sha256.txt`.
///
/// With --rescore the locked weights score the study's images again. With the program and on the
/// kind of machine that made the scores they must come out equal to the last bit, with others
/// within --tolerance.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct VerifyArgs {
    /// Study folder (its newest run is checked), folder of a bundle or of a locked model, weights, lock.json,
    /// a document, or any other file; several of them are compared with each other.
    #[arg(value_name = "STUDY|BUNDLE|MODEL|FILE", required = true)]
    targets: Vec<PathBuf>,
    /// A document (PDF, HTML, Markdown) to compare with what the bundle renders to.
    #[arg(long, value_name = "DOCUMENT")]
    against: Vec<PathBuf>,
    /// Bundles of earlier versions of the device: does each follow the one before, back to the first?
    #[arg(long, value_name = "BUNDLE", num_args = 1.., conflicts_with = "diff")]
    predecessor: Vec<PathBuf>,
    /// What differs between two locks or models, or between two bundles or studies, by meaning. Exit code 10
    /// when something does.
    #[arg(long, conflicts_with_all = ["rescore", "require", "root", "against"])]
    diff: bool,
    /// Which run of the study, for example run-1 [default: the newest].
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    /// Root digest as a document prints it; the bundle must have this one.
    #[arg(long, value_name = "SHA256")]
    root: Option<String>,
    /// Folder of the documents [default: reports/<run> beside evidence/].
    #[arg(long, value_name = "DIR")]
    reports: Option<PathBuf>,
    /// Folder of the locked model [default: model/ beside evidence/].
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// Questions that have to be shown, separated by commas: all, or some of bytes, contents, ledger,
    /// history, results, report, model, threshold, separation, sites, bar, custody, scores, signatures (all
    /// asks for these with --trust).
    #[arg(long, value_name = "QUESTIONS", value_delimiter = ',', value_parser = questions())]
    require: Vec<String>,
    /// Whose signatures count, and which are required: trust.toml. Exit code 20 where anything among the
    /// signatures is not one of them, 21 where a required one is not there.
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// Signature of the model's folder that is named, as OpenSSF Model Signing says: this is asked alone.
    #[arg(long, value_name = "FILE", requires = "trust", conflicts_with_all = ["diff", "rescore", "against"])]
    signature: Option<PathBuf>,
    /// Folder of the signatures [default: signatures/<run> beside evidence/].
    #[arg(long, value_name = "DIR")]
    signatures: Option<PathBuf>,
    /// The custodian's own ledger, got from the custodian: was every opening of these files told?
    #[arg(long, value_name = "LEDGER")]
    custodian: Option<PathBuf>,
    /// Certificates of time-stamp authorities whose tokens count, in PEM or DER: was the bar set before the
    /// result?
    #[arg(long, value_name = "CERTIFICATES")]
    tsa: Vec<PathBuf>,
    /// Score the images again with the locked weights and compare with the recorded scores.
    #[arg(long)]
    rescore: bool,
    /// With --rescore: the folder that the protocol's image folder is relative to [default: the study
    /// folder].
    #[arg(long, value_name = "DIR", requires = "rescore")]
    data: Option<PathBuf>,
    /// With --rescore: how much a score (0 to 1) made on another kind of machine may differ.
    #[arg(long, value_name = "X", requires = "rescore", default_value_t = TOLERANCE)]
    tolerance: f64,
    /// With --rescore: images that are decoded and scored at a time [default: the number of cores].
    #[arg(long, value_name = "N", value_parser = from_one(), requires = "rescore")]
    workers: Option<usize>,
}

fn questions() -> clap::builder::PossibleValuesParser {
    ["all"].into_iter().chain(QUESTIONS).collect::<Vec<_>>().into()
}

/// Runs the command.
///
/// # Errors
/// `Error::Evidence` with every discrepancy.
pub fn run(args: &VerifyArgs, context: Context) -> Result<Outcome> {
    if let (Some(signature), Some(trust)) = (&args.signature, &args.trust) {
        return model(args, signature, trust, context);
    }
    let targets: Vec<&Path> =
        args.targets.iter().chain(&args.predecessor).chain(&args.against).map(PathBuf::as_path).collect();
    let run = args.run.as_deref();
    if args.diff {
        return exhibits::differ(&targets, run, context);
    }
    let bundle = match args.targets.as_slice() {
        [target] if args.against.is_empty() && args.predecessor.is_empty() && !exhibits::is_one(target) => {
            find_bundle(target, run)?
        }
        _ => {
            let (of, required) =
                (|bundle: &Path| audit_of(args, bundle), |audit: &Audit| required(args, audit));
            return exhibits::compare(&targets, run, &Audits { of: &of, required: &required }, context);
        }
    };
    let audit = audit_of(args, &bundle)?;
    show(&audit, &bundle, context);
    if audit.holds() {
        return required(args, &audit);
    }
    if context.json {
        // The document on standard output holds everything already.
        return Err(Error::Evidence(Vec::new()));
    }
    Err(Error::Evidence(audit.answers.into_iter().flat_map(|a| a.discrepancies).collect()))
}

/// Whether somebody who is trusted signed the folder of a model.
fn model(args: &VerifyArgs, signature: &Path, trust: &Path, context: Context) -> Result<Outcome> {
    let [folder] = args.targets.as_slice() else {
        let problem = Diagnostic::error(Code::Usage, "--signature is of one folder of a model");
        return Err(Error::usage(problem.hint("name that folder alone")));
    };
    let trust = sign::trust(trust)?;
    let signed = model_signature::verify(folder, signature, &trust)?;
    if context.json {
        let report = serde_json::json!({"model": folder, "signature": signature, "holds": true,
            "files": signed.files, "name": signed.name, "key": signed.key});
        println!("{report:#}");
    } else {
        let ModelSigned { files, name, key } = signed;
        println!(
            "yes             Is every file of the model one that was signed?  ({files} files, and no other)"
        );
        println!("yes             Is the key somebody's who is trusted?  ({name}, {key})");
    }
    Ok(Outcome::Done)
}

/// Asks everything about one bundle and what lies beside it.
fn audit_of(args: &VerifyArgs, bundle: &Path) -> Result<Audit> {
    let root = match &args.root {
        None => None,
        Some(text) => Some(
            digest_of(text)
                .parse::<Digest>()
                .map_err(|e| Error::usage(Diagnostic::error(Code::Usage, format!("--root: {e}"))))?,
        ),
    };
    let reports = args.reports.clone().unwrap_or_else(|| reports_of(bundle));
    let beside = reports.parent().and_then(Path::parent).map(|p| p.join("model"));
    let model = args.model.clone().or(beside);
    say("verify", &format!("{}", bundle.display()));
    if !args.tolerance.is_finite() || args.tolerance < 0.0 {
        let problem = Diagnostic::error(Code::Usage, format!("--tolerance is {}", args.tolerance));
        return Err(Error::usage(problem.hint("a difference of scores, such as 1e-5")));
    }
    let absolute = std::path::absolute(bundle).unwrap_or_else(|_| bundle.to_path_buf());
    // The bundle is evidence/run-N of its study.
    let study = absolute.parent().and_then(Path::parent).unwrap_or(Path::new("."));
    let data = args.data.as_deref().unwrap_or(study);
    let machine = machine();
    let bar = OnceCell::new();
    let done = |done: usize, total: usize| {
        let template = "  rescore  {wide_bar} {pos}/{len} {per_sec} eta {eta}";
        bar.get_or_init(|| progress::bar(template, Some(total))).set_position(done as u64);
    };
    let rescore = args.rescore.then(|| Rescore {
        data,
        tolerance: args.tolerance,
        machine: &machine,
        workers: args.workers.unwrap_or_else(cores),
        stop: interrupted(),
        done: &done,
    });
    let history = History::around(bundle)?;
    let authorities = authorities(&args.tsa)?;
    let custodian = args.custodian.as_deref().map(storage::read).transpose()?;
    let folder = args.signatures.clone().unwrap_or_else(|| audit::signatures_of(bundle));
    if let Some(named) = args.signatures.as_ref().filter(|named| !named.is_dir()) {
        return Err(Error::io("list", named, &std::io::ErrorKind::NotFound.into()));
    }
    let signatures = Signatures::in_folder(&folder)?;
    let of_other_runs = Signatures::of_other_runs(&folder)?;
    let trust = args.trust.as_deref().map(sign::trust).transpose()?;
    let beside = Beside {
        reports: Some(&reports),
        model: model.as_deref(),
        history: history.as_ref(),
        root,
        custodian: args.custodian.as_deref().zip(custodian.as_deref()),
        authorities: authorities.as_ref(),
        rescore,
        signatures: Some(&signatures),
        of_other_runs: &of_other_runs,
        trust: trust.as_ref(),
    };
    let audit = audit::audit(bundle, &beside)?;
    if let Some(bar) = bar.into_inner() {
        bar.finish_and_clear();
    }
    Ok(audit)
}

/// A root digest as people copy it: in capitals, with blanks, or after `sha256:`.
fn digest_of(text: &str) -> String {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect();
    text.strip_prefix("sha256:").map_or(text.clone(), str::to_owned)
}

/// What was required is shown, or [`Outcome::NotShown`] after saying what is not.
fn required(args: &VerifyArgs, audit: &Audit) -> Result<Outcome> {
    let state = |question: &str| audit.answers.iter().find(|a| a.question == question).map(|a| a.answer);
    // Where the protocol states nothing of sites, nothing is asked of them unless they are named; and
    // signatures are asked for by who says whose count.
    let of_all = |question: &str| match question {
        "sites" => state(question).is_some(),
        "signatures" => args.trust.is_some(),
        _ => true,
    };
    let wanted = |question: &str| {
        args.require.iter().any(|name| (name == "all" && of_all(question)) || name == question)
    };
    let open: Vec<&str> = QUESTIONS
        .into_iter()
        .filter(|question| {
            wanted(question) && !matches!(state(question), Some(State::Yes | State::NotApplicable))
        })
        .collect();
    for unsigned in &audit.unsigned {
        let message = format!("required and not signed: {unsigned}");
        let problem = Diagnostic::error(Code::NotShown, message);
        eprintln!("{}", problem.hint("`sequester sign` signs; the trust file says who may"));
    }
    if open.is_empty() {
        return Ok(if audit.unsigned.is_empty() { Outcome::Done } else { Outcome::NotShown });
    }
    let message = format!("required and not shown: {}", open.join(", "));
    let hint = if open.contains(&"scores") {
        "`scores` is asked with --rescore; the answers above say what would show the others"
    } else {
        "the answers above say what would show it"
    };
    eprintln!("{}", Diagnostic::error(Code::NotShown, message).hint(hint));
    Ok(Outcome::NotShown)
}

/// What the recorded inputs give, whatever a document says.
fn conclusion(audit: &Audit) -> &'static str {
    match audit.conclusion {
        Some(Verdict::Met) => "the inputs give: every primary endpoint is met",
        Some(Verdict::NotMet) => "the inputs give: a primary endpoint is NOT met",
        Some(Verdict::NotEvaluable) => "the inputs give: a primary endpoint is not evaluable",
        None => "the inputs give no conclusion",
    }
}

/// Prints the answers.
pub fn show(audit: &Audit, bundle: &Path, context: Context) {
    if context.json {
        let mut report = serde_json::json!({
            "bundle": bundle, "root": audit.root, "holds": audit.holds(), "rehearsal": audit.rehearsal,
            "answers": audit.answers, "begins": audit.begins, "conclusion": audit.conclusion,
            "own_templates": audit.own_templates,
        });
        if audit.answers.iter().any(|answer| answer.question == "signatures") {
            report["signatures"] = serde_json::json!(audit.signatures);
            report["unsigned"] = serde_json::json!(audit.unsigned);
        }
        println!("{report:#}");
        return;
    }
    for answer in &audit.answers {
        println!("{:<14}  {}  ({})", answer.answer.words(), answer.words, answer.looked_at);
    }
    if let Some(root) = audit.root {
        println!("root digest {root}");
    }
    if audit.rehearsal {
        println!("REHEARSAL: scores and reads were simulated; this is no evidence about the device");
    }
    println!("{}", conclusion(audit));
    if !audit.own_templates.is_empty() {
        println!(
            "the documents' words are not those of sequester (own templates: {}): read them beside this \
             conclusion",
            audit.own_templates.join(", ")
        );
    }
    if !audit.begins.is_empty() {
        println!("the differences begin in {}", audit.begins.join(", "));
    }
    let n: usize = audit.answers.iter().map(|a| a.discrepancies.len()).sum();
    let open: Vec<&str> = audit.not_shown().map(|a| a.question).collect();
    match (n, open.is_empty()) {
        (0, true) => println!("the evidence is intact"),
        (0, false) => println!("the evidence is intact; not shown: {}", open.join(", ")),
        (1, _) => println!("1 discrepancy"),
        _ => println!("{n} discrepancies"),
    }
}
