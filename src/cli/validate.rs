//! `sequester validate`: opens the test set once, computes every result, and leaves a bundle.

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Args;

use super::study::{Study, StudyArgs};
use super::{Context, Outcome, dataset, reads, say};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::Digest;
use crate::evidence::bag::{self, Payload};
use crate::evidence::bundle::{self, Environment};
use crate::evidence::ledger::Event;
use crate::evidence::opening::{self, Decision, Refusal};
use crate::inference::scoring::{self, Scoring};
use crate::model::lock::Lock;
use crate::storage;
use crate::study::results::{Results, Verdict};
use crate::study::{self, Derived, Step};

/// Open the test set, compute every result, and write the evidence bundle.
///
/// Scores and reference standard meet here and nowhere else. Every opening is counted in the ledger:
/// the first needs nothing, each further one with other inputs needs `--reason`, which the documents
/// print. With the same inputs nothing is opened again. Ends with exit code 10 when a primary
/// endpoint is not met.
#[derive(Debug, Args)]
pub struct ValidateArgs {
    #[command(flatten)]
    pub study: StudyArgs,
    /// Why the test set is opened again. Printed in every document.
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// Check that everything is there and say what would happen; open and write nothing.
    #[arg(long)]
    pub dry_run: bool,
}

/// What the bundle takes from the training run beside the lock.
const RUN_FILES: [&str; 5] = [
    "experiment.toml",
    "training.jsonl",
    "training-manifest.csv",
    "tuning-manifest.csv",
    "tuning-scores.csv",
];

/// What `validate` left.
pub struct Validated {
    /// The bundle's folder.
    pub bundle: PathBuf,
    /// Its results.
    pub results: Results,
    /// Nothing had to be done.
    pub unchanged: bool,
}

/// Runs the command.
///
/// # Errors
/// Whatever is wrong in the inputs; `Error::Lock` without a reason for a second opening.
pub fn run(args: &ValidateArgs, context: Context) -> Result<Outcome> {
    let study = Study::open(&args.study)?;
    if args.dry_run {
        let inputs = study.inputs(Step::All)?;
        let cohort = study::cohort(&inputs)?;
        let openings = study.ledger()?.count(Event::TestSetOpened);
        println!(
            "{} cases would be analysed; the test set was opened {openings} times so far",
            cohort.drawn.len()
        );
        println!("dry run: nothing was opened or written");
        return Ok(Outcome::Done);
    }
    let validated = validate(&study, args.reason.as_deref(), context)?;
    show(&validated, context);
    Ok(outcome(&validated.results))
}

/// The exit code follows the primary endpoints.
pub fn outcome(results: &Results) -> Outcome {
    if results.conclusion == Verdict::Met { Outcome::Done } else { Outcome::CriterionNotMet }
}

/// Opens the test set and writes the bundle, or finds that nothing has changed.
///
/// # Errors
/// As [`run`].
pub fn validate(study: &Study, reason: Option<&str>, context: Context) -> Result<Validated> {
    let inputs = study.inputs(Step::All)?;
    say("validate", "cohort and reference standard");
    let cohort = study::cohort(&inputs)?;
    dataset::seal(study, &cohort, context)?;
    study::reference_standard(&inputs, &cohort)?;
    // A score table that cannot be read must not count as an opening of the test set.
    study::read_scores(&inputs)?;
    lock_model(study, &inputs, context)?;
    reads::lock(study, &inputs, context)?;

    let ledger = study.ledger()?;
    let opened = opening::digests(&inputs, &study.protocol_bytes);
    if let Decision::Refused(why) = opening::decide(ledger.entries(), &opened, None, reason) {
        return Err(refused(study, why));
    }
    say("validate", "estimates, intervals and subgroups");
    let derived = study::derive(&inputs)?;
    let recorded: BTreeMap<String, Digest> =
        derived.files.iter().map(|(path, bytes)| (path.to_string(), Digest::of(bytes))).collect();
    match opening::decide(ledger.entries(), &opened, Some(&recorded), reason) {
        Decision::Refused(why) => return Err(refused(study, why)),
        Decision::Same => {
            if let Some(validated) = unchanged(study, &derived)? {
                return Ok(validated);
            }
        }
        Decision::GoOn => study.record(Event::ResultsRecorded, context, recorded, None)?,
        Decision::Open => {
            study.record(Event::TestSetOpened, context, opened, reason.map(str::to_owned))?;
            study.record(Event::ResultsRecorded, context, recorded, None)?;
        }
    }
    publish(study, &inputs, derived, context)
}

/// What is said when the test set may not be opened.
fn refused(study: &Study, why: Refusal) -> Error {
    let (message, hint) = match why {
        Refusal::OtherInputs { openings } => (
            format!("the test set was opened {openings} times, and the inputs have changed since"),
            "put the inputs back, or give a written reason with --reason; every document will print it",
        ),
        Refusal::OtherResults => (
            "the inputs are the same, but this version of the program gives other results".to_owned(),
            "use the version that the evidence names, or give a written reason with --reason",
        ),
    };
    let problem = Diagnostic::error(Code::SecondOpening, message);
    Error::Lock(vec![problem.at(Location::file(study.out.join("ledger.jsonl"))).hint(hint)])
}

/// The last bundle, if its words are the ones that lie in the study.
fn unchanged(study: &Study, derived: &Derived) -> Result<Option<Validated>> {
    let Some((_, folder)) = study.runs().pop() else { return Ok(None) };
    let opened = bag::open(&folder)?;
    if !opened.discrepancies.is_empty() {
        return Err(Error::Evidence(opened.discrepancies));
    }
    let same_words = words(study)?.iter().all(|(path, bytes)| opened.payload.get(path) == Some(bytes));
    Ok(same_words.then(|| Validated { bundle: folder, results: derived.results.clone(), unchanged: true }))
}

/// What only people write: device.toml and the templates.
fn words(study: &Study) -> Result<Payload> {
    let mut words = Payload::new();
    let device = study.folder.join("device.toml");
    let device = if device.is_file() { storage::read(&device)? } else { Vec::new() };
    if let Err(e) = toml::from_str::<toml::Table>(&String::from_utf8_lossy(&device)) {
        let problem = Diagnostic::error(Code::TomlSyntax, e.message().to_owned());
        return Err(problem.at(Location::file(study.folder.join("device.toml"))).into());
    }
    words.insert(bundle::path("", bundle::DEVICE)?, device);
    for (name, text) in super::report::templates(&study.folder)? {
        words.insert(bundle::path(bundle::TEMPLATES, &name)?, text.into_bytes());
    }
    Ok(words)
}

fn lock_model(study: &Study, inputs: &study::Inputs, context: Context) -> Result<()> {
    let digests = if let Some(bytes) = &inputs.lock {
        let folder = study.model_folder();
        Lock::read(&folder)?.verify_weights(&folder)?;
        BTreeMap::from([opening::lock_digest(bytes)])
    } else {
        let file = &study.protocol.scores.file;
        let scores = inputs.files.get(file).map(|bytes| Digest::of(bytes));
        scores.map(|digest| (format!("inputs/{file}"), digest)).into_iter().collect()
    };
    if study.ledger()?.last(Event::ModelLocked).is_some_and(|e| e.digests == digests) {
        return Ok(());
    }
    study.record(Event::ModelLocked, context, digests, None)
}

fn publish(study: &Study, inputs: &study::Inputs, derived: Derived, context: Context) -> Result<Validated> {
    say("validate", "writing the evidence bundle");
    let mut payload = words(study)?;
    payload.insert(bundle::path("", bundle::PROTOCOL)?, study.protocol_bytes.clone());
    for (path, bytes) in &inputs.files {
        payload.insert(bundle::path(bundle::INPUTS, path.as_str())?, bytes.clone());
    }
    if let Some(lock) = &inputs.lock {
        payload.insert(bundle::path(bundle::MODEL, "lock.json")?, lock.clone());
        for name in RUN_FILES {
            if let Some(path) = study.run_file(name) {
                payload.insert(bundle::path(bundle::MODEL, name)?, storage::read(&path)?);
            }
        }
        // Only what made this very table: it may have been replaced by hand.
        let path = study.out.join(scoring::FILE);
        let table = inputs.files.get(&study.protocol.scores.file);
        if let (Some(record), Some(table)) = (Scoring::read(&path), table)
            && record.clone().machine_of(table).is_some()
        {
            payload.insert(bundle::path(bundle::MODEL, bundle::SCORING)?, record.to_bytes());
        }
    }
    payload.extend(derived.files);
    payload.insert(bundle::path("", bundle::LEDGER)?, study.ledger()?.to_bytes());
    let number = study.runs().last().map_or(1, |(number, _)| number + 1);
    let run = format!("run-{number}");
    let environment = Environment {
        format: bundle::FORMAT.to_owned(),
        run: run.clone(),
        created: context.timestamp(),
        program: format!("sequester {}", env!("CARGO_PKG_VERSION")),
        platform: format!("{}-{}", std::env::consts::ARCH, std::env::consts::OS),
        cargo_lock_sha256: Digest::of(include_bytes!("../../Cargo.lock")).to_string(),
    };
    let mut json = serde_json::to_vec_pretty(&environment).unwrap_or_default();
    json.push(b'\n');
    payload.insert(bundle::path("", bundle::ENVIRONMENT)?, json);
    let folder = study.out.join("evidence").join(&run);
    let info = [
        ("Bagging-Date", context.timestamp()[..10].to_owned()),
        ("External-Identifier", format!("{}/{run}", study.protocol.study.id)),
        ("Bag-Software-Agent", format!("sequester {}", env!("CARGO_PKG_VERSION"))),
        ("External-Description", study.protocol.study.title.clone()),
    ];
    let root = bag::write(&folder, &payload, &info)?;
    let digests = BTreeMap::from([("tagmanifest-sha256.txt".to_owned(), root)]);
    study.record(Event::EvidencePublished, context, digests, None)?;
    Ok(Validated { bundle: folder, results: derived.results, unchanged: false })
}

/// Prints the verdicts.
pub fn show(validated: &Validated, context: Context) {
    let results = &validated.results;
    if context.json {
        let report = serde_json::json!({
            "bundle": validated.bundle, "unchanged": validated.unchanged,
            "conclusion": results.conclusion, "endpoints": results.endpoints, "flow": results.flow,
        });
        println!("{report:#}");
        return;
    }
    let flow = &results.flow;
    println!(
        "{} of {} cases analysed: {} positive and {} negative by the reference standard",
        flow.analysed, flow.sampled, flow.positives, flow.negatives
    );
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["endpoint", "role", "estimate", "interval", "method", "criterion", "verdict"]);
    for endpoint in &results.endpoints {
        let number = |value: Option<f64>| value.map_or("-".to_owned(), |v| format!("{v:.4}"));
        let interval = endpoint.interval.as_ref();
        table.add_row([
            endpoint.id.clone(),
            endpoint.role.clone(),
            number(endpoint.value),
            interval.map_or("-".to_owned(), |i| format!("{:.4} to {:.4}", i.lower, i.upper)),
            endpoint.interval_method.describe().to_owned(),
            endpoint.criterion.clone().unwrap_or_default(),
            match endpoint.verdict {
                Some(Verdict::Met) => "met",
                Some(Verdict::NotMet) => "NOT MET",
                Some(Verdict::NotEvaluable) => "not evaluable",
                None => "-",
            }
            .to_owned(),
        ]);
    }
    println!("{table}");
    let words = match results.conclusion {
        Verdict::Met => "every primary endpoint is met",
        Verdict::NotMet => "a primary endpoint is NOT met",
        Verdict::NotEvaluable => "a primary endpoint is not evaluable",
    };
    println!("conclusion: {words}");
    let how = if validated.unchanged { "unchanged" } else { "written" };
    println!("evidence {how}: {}", validated.bundle.display());
}
