//! Is every byte the one that was recorded? Is every file known? Does the ledger hold, and the study's own go
//! on from it? Do the recorded inputs give the recorded results? Does the report render to the same bytes? Is
//! the model the locked one, does its threshold follow, and were its patients kept out? Does it give the
//! scores again? Who signed?
//!
//! Each is answered yes, no, not shown or not applicable; every discrepancy is listed, and nothing here needs
//! libtorch.

mod answer;
mod bar;
mod beside;
mod claim;
mod committed;
mod contents;
mod custody;
mod difference;
mod exhibit;
mod fits;
mod history;
mod ledger;
mod model;
mod origin;
mod record;
mod report;
mod rescore;
mod results;
mod signatures;
mod signed;
mod succession;
mod unlike;

use std::path::Path;

use serde::Serialize;

use self::bar::Witnesses;
use self::committed::Committed;
use self::custody::Custodian;
use self::ledger::Recomputed;
use self::signed::Lying;
use crate::attestation::Trust;
use crate::diagnostic::{Code, Diagnostic, Location, Result};
use crate::digest::Digest;
use crate::evidence::bag::{self, Opened};
use crate::evidence::bundle;
use crate::report::at_once;
use crate::storage;
use crate::study;
use crate::study::results::Verdict;
use crate::timestamp::Authorities;

pub use answer::{Answer, QUESTIONS, State};
pub use claim::claim;
pub use difference::{Difference, differences};
pub use exhibit::{Exhibit, Kind};
pub use fits::{Fit, commands, fits};
pub use history::History;
pub use record::{record, record_beside};
pub use rescore::{Rescore, TOLERANCE};
pub use signatures::{ENVELOPE, SSH, STATEMENT, Signatures, signatures_of};
pub use signed::Signature;
pub use succession::{lock_of, plan_in, problems as problems_of_succession};

/// Name of the lock in the bundle and beside the weights.
const LOCK: &str = crate::model::lock::FILE;

/// Bytes of a bundle whose documents are rendered while its results are computed.
const AT_ONCE: usize = 16 << 20;

/// What an audit of one bundle found.
#[derive(Clone, Debug, Serialize)]
pub struct Audit {
    /// Digest of the tag manifest: compare it with the one in the document.
    pub root: Option<Digest>,
    /// Whether it is a rehearsal, on simulated scores and reads.
    pub rehearsal: bool,
    /// In the order of [`QUESTIONS`]; `bar` only where something was committed to or certificates were given,
    /// `custody` only where something was sealed or a custodian's ledger was given, `scores` only where it
    /// was asked for, `sites` only where the protocol states something of them, `signatures` only where there
    /// are any or somebody's are asked for.
    pub answers: Vec<Answer>,
    /// Signatures that hold.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub signatures: Vec<Signature>,
    /// What `trust.toml` requires and nobody signed, in words.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unsigned: Vec<String>,
    /// The files in which the differences begin: names in the bundle, in the study, or below the folder of
    /// documents. Where nothing decides between two, both.
    pub begins: Vec<String>,
    /// What the inputs of the bundle give, computed now: whatever a document says beside it. `None` where
    /// they give nothing.
    pub conclusion: Option<Verdict>,
    /// Templates of the bundle that this program did not come with: they say what they like.
    pub own_templates: Vec<String>,
}

impl Audit {
    /// Whether nothing is contradicted.
    pub fn holds(&self) -> bool {
        self.answers.iter().all(|a| a.answer != State::No)
    }

    /// Questions to which the evidence shows nothing.
    pub fn not_shown(&self) -> impl Iterator<Item = &Answer> {
        self.answers.iter().filter(|a| a.answer == State::NotShown)
    }
}

/// What is audited besides the bundle.
#[derive(Clone, Copy, Default)]
pub struct Beside<'a> {
    /// Folder of the documents rendered from it.
    pub reports: Option<&'a Path>,
    /// Folder of the locked model.
    pub model: Option<&'a Path>,
    /// The study that it lies in; `None` for a bundle by itself.
    pub history: Option<&'a History>,
    /// The root digest that somebody got on another way, for example from a document.
    pub root: Option<Digest>,
    /// The custodian's own ledger, got from the custodian, with its place.
    pub custodian: Option<(&'a Path, &'a [u8])>,
    /// Certificates of time-stamp authorities whose tokens count.
    pub authorities: Option<&'a Authorities>,
    /// Where the images are, when they are to be scored again.
    pub rescore: Option<Rescore<'a>>,
    /// What lies among the signatures of the bundle.
    pub signatures: Option<&'a Signatures>,
    /// What lies among those of the study's other runs: the ledger they were signed with is this one.
    pub of_other_runs: &'a [Signatures],
    /// Whose signatures count, and which are required.
    pub trust: Option<&'a Trust>,
}

/// What needs everything that follows from a bundle's inputs.
struct Computed {
    contents: Answer,
    ledger: Answer,
    results: Answer,
    separation: Answer,
    sites: Option<Answer>,
    bar: Option<Answer>,
    custody: Option<Answer>,
    conclusion: Option<Verdict>,
    rehearsal: bool,
}

fn computed(
    opened: &Opened,
    beside: &Beside<'_>,
    of_root: Option<(&[u8], &[u8])>,
    committed: &[Committed],
) -> Computed {
    let (derived, cohort, inputs) = match bundle::inputs(&opened.payload) {
        Ok(inputs) => match study::cohort(&inputs) {
            Ok(cohort) => (study::derive_of(&inputs, &cohort), Some(cohort), Some(inputs)),
            Err(error) => (Err(error), None, Some(inputs)),
        },
        Err(error) => (Err(error), None, None),
    };
    let recomputed =
        Recomputed { inputs: inputs.as_ref(), cohort: cohort.as_ref(), derived: derived.as_ref().ok() };
    let custodian = Custodian {
        register: beside.custodian,
        trust: beside.trust,
        study: beside.history.and_then(|history| history.ledger.as_deref()),
    };
    let (custody, granted) = custody::custody(opened, recomputed.inputs, custodian);
    let (authorities, trust) = (beside.authorities, beside.trust);
    let witnesses = Witnesses { authorities, of_root, granted, trust, committed };
    Computed {
        bar: bar::bar(opened, &recomputed, &witnesses),
        custody,
        contents: contents::contents(opened, recomputed.inputs, recomputed.derived),
        ledger: ledger::ledger(opened, &recomputed),
        results: results::results(opened, &derived),
        separation: model::separation(opened, recomputed.inputs, recomputed.cohort),
        sites: model::sites(recomputed.inputs, recomputed.cohort, derived.as_ref().err()),
        conclusion: recomputed.derived.map(|derived| derived.results.conclusion),
        rehearsal: recomputed.inputs.is_some_and(|inputs| inputs.protocol.study.rehearsal),
    }
}

/// The token that lies beside the tag manifest, and the manifest.
fn root_token(folder: &Path) -> Result<Option<(Vec<u8>, Vec<u8>)>> {
    let token = folder.join(format!("{}.tsr", bag::TAG_MANIFEST));
    if !token.is_file() {
        return Ok(None);
    }
    Ok(Some((storage::read(&token)?, storage::read(&folder.join(bag::TAG_MANIFEST))?)))
}

/// Audits a bundle and, where they lie there, the documents rendered from it, the locked weights and the
/// study.
///
/// # Errors
/// Only when there is no bundle to look at, a file cannot be read, the images cannot be scored again, or the
/// bundle is intact and of a format that this version does not read.
pub fn audit(folder: &Path, beside: &Beside<'_>) -> Result<Audit> {
    let mut opened = bag::open(folder)?;
    if let Some(expected) = beside.root
        && opened.root != Some(expected)
    {
        let found = opened.root.map_or("nothing".to_owned(), |r| r.to_string());
        opened.discrepancies.push(
            Diagnostic::error(Code::RootDigest, format!("the root digest is {found}, expected {expected}"))
                .at(Location::file(folder.join("tagmanifest-sha256.txt"))),
        );
    }
    let bytes = Answer::of(
        "bytes",
        "Is every byte the one that was recorded?",
        format!("{} files against their manifests", opened.payload.len()),
        std::mem::take(&mut opened.discrepancies),
    );
    if bytes.answer == State::Yes {
        bundle::readable(&opened.payload)?;
    }
    let of_root = root_token(folder)?;
    let of_root = of_root.as_ref().map(|(token, manifest)| (token.as_slice(), manifest.as_slice()));
    let committed = committed::committed(&opened);
    let reports = beside.reports;
    let documents = || report::report(&opened, reports);
    // Of a large study what is derived is most of the memory, and the documents need as much again: there it
    // is dropped before they are rendered.
    let (computed, report) = if opened.payload.values().map(|bytes| bytes.len()).sum::<usize>() <= AT_ONCE {
        at_once(|| computed(&opened, beside, of_root, &committed), documents)
    } else {
        let computed = computed(&opened, beside, of_root, &committed);
        (computed, documents())
    };
    let Computed { contents, ledger, results, separation, sites, bar, custody, conclusion, rehearsal } =
        computed;
    let mut answers = vec![
        bytes,
        contents,
        ledger,
        history::history(&opened, beside.history),
        results,
        report?,
        model::weights(&opened, beside.model),
        model::threshold(&opened),
        separation,
    ];
    answers.extend(sites);
    answers.extend(bar);
    answers.extend(custody);
    if let Some(rescore) = &beside.rescore {
        answers.push(rescore::scores(&opened, beside.model, rescore)?);
    }
    report::explain(&mut answers);
    let nothing = Signatures::default();
    let lying = beside.signatures.filter(|signatures| !signatures.is_empty());
    let (mut signatures, mut unsigned) = (Vec::new(), Vec::new());
    let heads = signed::heads(&opened, beside.history, beside.of_other_runs, beside.trust);
    if lying.is_some() || beside.trust.is_some() || !heads.is_empty() || !committed.is_empty() {
        let there = Lying { signatures: lying.unwrap_or(&nothing), committed: &committed };
        let judged = signed::judged(&opened, beside.history, there, beside.trust, heads);
        answers.push(judged.answer);
        (signatures, unsigned) = (judged.signatures, judged.missing);
    }
    record::ask(&opened, &signatures, beside.reports, &mut answers)?;
    let begins = origin::begins(&opened, &answers, folder, beside.reports);
    let own_templates = contents::own_templates(&opened);
    Ok(Audit {
        root: opened.root,
        rehearsal,
        answers,
        signatures,
        unsigned,
        begins,
        conclusion,
        own_templates,
    })
}
