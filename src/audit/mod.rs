//! Is every byte the one that was recorded? Is every file known? Does the ledger hold, and the study's own go
//! on from it? Do the recorded inputs give the recorded results? Does the report render to the same bytes? Is
//! the model the locked one, does its threshold follow, and were its patients kept out? Does it give the
//! scores again?
//!
//! Each is answered yes, no, not shown or not applicable; every discrepancy is listed, and nothing here needs
//! libtorch.

mod answer;
mod bar;
mod contents;
mod custody;
mod difference;
mod exhibit;
mod fits;
mod history;
mod ledger;
mod model;
mod origin;
mod report;
mod rescore;
mod results;
mod unlike;

use std::path::Path;

use serde::Serialize;

use self::bar::Witnesses;
use self::custody::Custodian;
use self::ledger::Recomputed;
use crate::attestation::Trust;
use crate::diagnostic::{Code, Diagnostic, Location, Result};
use crate::digest::Digest;
use crate::evidence::bag;
use crate::evidence::bundle;
use crate::storage;
use crate::study;
use crate::study::results::Verdict;
use crate::timestamp::Authorities;

pub use answer::{Answer, QUESTIONS, State};
pub use difference::{Difference, differences};
pub use exhibit::{Exhibit, Kind};
pub use fits::{Fit, commands, fits};
pub use history::History;
pub use rescore::{Rescore, TOLERANCE};

/// Name of the lock in the bundle and beside the weights.
const LOCK: &str = crate::model::lock::FILE;

/// What an audit of one bundle found.
#[derive(Clone, Debug, Serialize)]
pub struct Audit {
    /// Digest of the tag manifest: compare it with the one in the document.
    pub root: Option<Digest>,
    /// Whether it is a rehearsal, on simulated scores and reads.
    pub rehearsal: bool,
    /// In the order of [`QUESTIONS`]; `bar` only where something was committed to or certificates were given,
    /// `custody` only where something was sealed or a custodian's ledger was given, `scores` only where it
    /// was asked for.
    pub answers: Vec<Answer>,
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
    /// Whose signatures count.
    pub trust: Option<&'a Trust>,
    /// The custodian's own ledger, got from the custodian, with its place.
    pub custodian: Option<(&'a Path, &'a [u8])>,
    /// Certificates of time-stamp authorities whose tokens count.
    pub authorities: Option<&'a Authorities>,
    /// Where the images are, when they are to be scored again.
    pub rescore: Option<Rescore<'a>>,
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
    let inputs = bundle::inputs(&opened.payload);
    let (derived, cohort, inputs) = match inputs {
        Ok(inputs) => match study::cohort(&inputs) {
            Ok(cohort) => (study::derive_of(&inputs, &cohort), Some(cohort), Some(inputs)),
            Err(error) => (Err(error), None, Some(inputs)),
        },
        Err(error) => (Err(error), None, None),
    };
    let recomputed =
        Recomputed { inputs: inputs.as_ref(), cohort: cohort.as_ref(), derived: derived.as_ref().ok() };
    let contents = contents::contents(&opened, recomputed.inputs, recomputed.derived);
    let ledger = ledger::ledger(&opened, &recomputed);
    let results = results::results(&opened, &derived);
    let conclusion = recomputed.derived.map(|derived| derived.results.conclusion);
    let separation = model::separation(&opened, recomputed.inputs, recomputed.cohort);
    let custodian = Custodian {
        register: beside.custodian,
        trust: beside.trust,
        study: beside.history.and_then(|history| history.ledger.as_deref()),
    };
    let (custody, granted) = custody::custody(&opened, recomputed.inputs, custodian);
    let of_root = root_token(folder)?;
    let witnesses = Witnesses {
        authorities: beside.authorities,
        of_root: of_root.as_ref().map(|(token, manifest)| (token.as_slice(), manifest.as_slice())),
        granted,
    };
    let bar = bar::bar(&opened, &recomputed, &witnesses);
    let rehearsal = recomputed.inputs.is_some_and(|inputs| inputs.protocol.study.rehearsal);
    // Of a large study these are most of the memory, and the documents need as much again.
    drop((derived, inputs, cohort));
    let mut answers = vec![
        bytes,
        contents,
        ledger,
        history::history(&opened, beside.history),
        results,
        report::report(&opened, beside.reports)?,
        model::weights(&opened, beside.model),
        model::threshold(&opened),
        separation,
    ];
    answers.extend(bar);
    answers.extend(custody);
    if let Some(rescore) = &beside.rescore {
        answers.push(rescore::scores(&opened, beside.model, rescore)?);
    }
    report::explain(&mut answers);
    let begins = origin::begins(&opened, &answers, folder, beside.reports);
    let own_templates = contents::own_templates(&opened);
    Ok(Audit { root: opened.root, rehearsal, answers, begins, conclusion, own_templates })
}
