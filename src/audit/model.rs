//! Is the model the one that was locked, does its threshold follow from its tuning scores, and were its
//! patients kept out of the study? Three questions: that one cannot be answered says nothing of the others.

use std::path::Path;

use super::LOCK;
use super::answer::{Answer, State};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::Digest;
use crate::evidence::bag::Opened;
use crate::evidence::bundle;
use crate::inference::scores::Scores;
use crate::model::lock::Lock;
use crate::model::operating_point;
use crate::model::run::read_tuning_scores;
use crate::study::results::SiteAnswer;
use crate::study::{self, Cohort, Inputs};

const ELSEWHERE: &str = "the device lives elsewhere: no lock in the bundle";

/// The lock of the bundle; `None` where the device lives elsewhere.
fn recorded(opened: &Opened) -> Option<&[u8]> {
    let path = bundle::path(bundle::MODEL, LOCK).ok()?;
    opened.payload.get(&path).map(|bytes| bytes.as_slice())
}

/// The weights beside the evidence are the locked ones.
pub(super) fn weights(opened: &Opened, model: Option<&Path>) -> Answer {
    let words = "Is the model the one that was locked?";
    let Some(recorded) = recorded(opened) else {
        return Answer::open("model", words, State::NotApplicable, ELSEWHERE);
    };
    if let Err(error) = Lock::from_bytes(recorded, Path::new("data/model/lock.json")) {
        return Answer::of("model", words, "the lock in the bundle".to_owned(), error.diagnostics());
    }
    let Some(folder) = model.filter(|folder| folder.is_dir()) else {
        let why = "no model folder beside the evidence: name it with --model";
        return Answer::open("model", words, State::NotShown, why);
    };
    let mut problems = Vec::new();
    if crate::storage::read(&folder.join(LOCK)).ok().as_deref() != Some(recorded) {
        let at = Location::file(folder.join(LOCK));
        problems.push(Diagnostic::error(Code::LockDiffers, "is not the lock in the bundle").at(at));
    }
    if let Err(error) = Lock::read(folder).and_then(|lock| lock.verify_weights(folder)) {
        problems.extend(error.diagnostics());
    }
    Answer::of("model", words, "lock.json and weights beside the evidence".to_owned(), problems)
}

/// The locked operating point follows from the tuning scores by the locked rule.
pub(super) fn threshold(opened: &Opened) -> Answer {
    let words = "Does the locked threshold follow from the tuning scores by the locked rule?";
    let Some(recorded) = recorded(opened) else {
        return Answer::open("threshold", words, State::NotApplicable, ELSEWHERE);
    };
    match chosen_again(opened, recorded) {
        Ok(true) => Answer::of("threshold", words, "tuning-scores.csv in the bundle".to_owned(), Vec::new()),
        Ok(false) => {
            let why = "the bundle holds no tuning scores: any threshold would pass";
            Answer::open("threshold", words, State::NotShown, why)
        }
        Err(error) => {
            Answer::of("threshold", words, "tuning-scores.csv in the bundle".to_owned(), error.diagnostics())
        }
    }
}

/// Whether there was anything to choose from.
fn chosen_again(opened: &Opened, recorded: &[u8]) -> Result<bool> {
    let lock = Lock::from_bytes(recorded, Path::new("data/model/lock.json"))?;
    let name = "model/tuning-scores.csv";
    let Ok(bytes) = bundle::file(&opened.payload, name) else { return Ok(false) };
    let scores = read_tuning_scores(Path::new("data/model/tuning-scores.csv"), bytes)?;
    let chosen = operating_point::choose(lock.operating_point.rule, &scores, Digest::of(bytes))
        .map_err(|problem| problem.at(Location::file(format!("data/{name}"))))?;
    if chosen == lock.operating_point {
        return Ok(true);
    }
    let message = format!(
        "the locked threshold is {}, the tuning scores give {}",
        lock.operating_point.threshold, chosen.threshold
    );
    let problem = Diagnostic::error(Code::OperatingPointDiffers, message);
    Err(problem.at(Location::file(format!("data/{name}"))).into())
}

/// Patients, cases and image files of the training and tuning manifests that are in the study.
pub(super) fn separation(opened: &Opened, inputs: Option<&Inputs>, cohort: Option<&Cohort>) -> Answer {
    let words = "Were the patients of training and tuning kept out of the study?";
    let Some(recorded) = recorded(opened) else {
        let why = "the device was trained elsewhere: nothing here lists its patients";
        return Answer::open("separation", words, State::NotShown, why);
    };
    let missing: Vec<&str> = study::MANIFESTS
        .into_iter()
        .filter(|name| bundle::file(&opened.payload, &format!("{}/{name}", bundle::MODEL)).is_err())
        .collect();
    let looked_at = "the manifests of training and tuning beside every case considered".to_owned();
    let problems = match manifests(opened, recorded, inputs, cohort) {
        Ok(()) => Vec::new(),
        Err(error) => error.diagnostics(),
    };
    if problems.is_empty() && !missing.is_empty() {
        let why = format!("the bundle does not hold {}", missing.join(" and "));
        return Answer::open("separation", words, State::NotShown, &why);
    }
    Answer::of("separation", words, looked_at, problems)
}

/// The sites of the study beside those of development; `None` where the protocol states nothing of them. A
/// site on both sides contradicts the evidence where the protocol states that there is none; `why_not` is why
/// the inputs give no results.
pub(super) fn sites(
    inputs: Option<&Inputs>,
    cohort: Option<&Cohort>,
    why_not: Option<&Error>,
) -> Option<Answer> {
    let words = "Are the sites of the study others than those of development?";
    let data = &inputs?.protocol.data;
    if !data.separate_sites && data.development_sites.is_empty() {
        return None;
    }
    let Some(separation) = cohort.and_then(|cohort| cohort.sites.as_ref()) else {
        let problems = why_not.map(Error::diagnostics).unwrap_or_default();
        let shared: Vec<Diagnostic> =
            problems.into_iter().filter(|problem| problem.code == Code::SiteOnBothSides).collect();
        if !shared.is_empty() {
            return Some(Answer::of("sites", words, "the case tables of both".to_owned(), shared));
        }
        let why = "the inputs give no cohort: the question of the results says why";
        return Some(Answer::open("sites", words, State::NotShown, why));
    };
    Some(match separation.answer {
        SiteAnswer::Yes => Answer::of("sites", words, separation.why(), Vec::new()),
        SiteAnswer::NotShown => Answer::open("sites", words, State::NotShown, &separation.why()),
        // Nothing is contradicted: the protocol says itself where development data come from.
        SiteAnswer::No => {
            let why = format!("the protocol does not state that they are; {}", separation.why());
            Answer::open("sites", words, State::NotApplicable, &why)
        }
    })
}

/// Those that are there are the ones that the lock names, and share nothing with the study.
fn manifests(
    opened: &Opened,
    recorded: &[u8],
    inputs: Option<&Inputs>,
    cohort: Option<&Cohort>,
) -> Result<()> {
    let lock = Lock::from_bytes(recorded, Path::new("data/model/lock.json"))?;
    let sides = [&lock.experiment.training, &lock.experiment.tuning];
    let mut problems = Vec::new();
    for (name, side) in study::MANIFESTS.into_iter().zip(sides) {
        let name = format!("{}/{name}", bundle::MODEL);
        if bundle::digest(&opened.payload, &name).is_some_and(|digest| digest != side.manifest_sha256) {
            let problem = Diagnostic::error(Code::ManifestDiffers, "is not the manifest that the lock names");
            problems.push(problem.at(Location::file(format!("data/{name}"))));
        }
    }
    if !problems.is_empty() {
        return Err(problems.into());
    }
    // Inputs that cannot be read are answered by another question.
    let Some((inputs, cohort)) = inputs.zip(cohort) else { return Ok(()) };
    let scores: Option<Scores> = study::read_needed_scores(inputs, cohort).ok();
    study::separate(inputs, cohort, scores.as_ref()).map(drop).map_err(|error| match error {
        Error::Input(problems) => Error::Evidence(problems),
        other => other,
    })
}
