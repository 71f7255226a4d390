//! Everything that follows from a study's files, in one go.

use std::collections::BTreeSet;
use std::path::Path;

use super::{
    Cohort, Files, Inputs, ReferenceStandard, cohort, description, processing_times, read_needed_scores,
    read_scores, reference_standard, repeats, separate, tables,
};
use crate::dataset::case::Case;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result, few};
use crate::digest::Bytes;
use crate::inference::scores::{self, Scores};
use crate::model::lock::Lock;
use crate::protocol::{Incomplete, OperatingPointSource};
use crate::statistics::operating_point;
use crate::statistics::operating_point::ChosenBy;
use crate::statistics::warning::Warning;
use crate::study::change::succession;
use crate::study::comparators::predicate;
use crate::study::estimates::{Beside, StudyCase, acceptance, analyse, repeatability, triage};
use crate::study::reader_study::readings;
use crate::study::results::{OperatingPointRecord, Results};
use crate::table::Word;
use crate::table::id::Alike;

/// What a study's files give.
#[derive(Clone, Debug)]
pub struct Derived {
    /// Every estimate.
    pub results: Results,
    /// `cases.csv`, `reference.csv`, `derivation.csv`, `scores.csv`, `results.json`, `description.json`;
    /// `tuning.csv` where the operating point was fixed in this study, and `reference-differences.csv` where
    /// labels came with the reads.
    pub files: Files,
    /// Things to know that are not results.
    pub warnings: Vec<Diagnostic>,
}

/// Derives everything.
///
/// # Errors
/// Whatever is wrong in the files, as the steps report it.
pub fn derive(inputs: &Inputs) -> Result<Derived> {
    derive_of(inputs, &cohort(inputs)?)
}

/// The same where the cohort is known already: of a large study it is the largest part in memory.
///
/// # Errors
/// As [`derive`].
pub fn derive_of(inputs: &Inputs, cohort: &Cohort) -> Result<Derived> {
    let reference = consensus_of_all(inputs, cohort)?;
    derive_from(inputs, cohort, reference, read_needed_scores(inputs, cohort)?)
}

/// The same where reference standard and scores were read already.
///
/// # Errors
/// As [`derive`].
pub fn derive_from(
    inputs: &Inputs,
    cohort: &Cohort,
    reference: ReferenceStandard,
    scores: Scores,
) -> Result<Derived> {
    let protocol = &inputs.protocol;
    every_case_has_an_answer(inputs, cohort, &reference)?;
    every_case_is_accounted_for(inputs, cohort, &scores)?;
    let predicate = predicate(inputs, cohort)?;
    let repeats = repeats(inputs)?;
    let times = processing_times(inputs, cohort, &scores)?;
    let succession = succession(inputs)?;
    let readings = readings(inputs, cohort, &reference)?;
    let mut warnings = cohort.warnings.clone();
    warnings.extend(separate(inputs, cohort, Some(&scores))?);
    warnings.extend(reference.warnings.iter().cloned());
    warnings.extend(readings.iter().flat_map(|readings| readings.warnings.iter().cloned()));
    let (operating_point, tuning) = operating_point(inputs, cohort, &scores)?;
    let score = |case: &Case| scores.get(&case.case_id).and_then(|s| s.score);
    let decided = cohort.drawn_cases().zip(&reference.consensus);
    let cases = StudyCase::all(decided.map(|(case, consensus)| (case, *consensus, score(case))));
    let beside = Beside { predicate: &predicate, readings: readings.as_ref() };
    let mut results =
        analyse(protocol, cohort, &cases, &reference, beside, operating_point, &inputs.program_version)
            .map_err(Error::Input)?;
    if let (Some(repeats), Some(source)) = (&repeats, &protocol.repeatability) {
        let (threshold, level) = (results.operating_point.threshold, protocol.analysis.level);
        results.repeatability = repeatability(repeats, &source.conditions, threshold, level, results.rules());
    }
    if let Some(declared) = &protocol.triage {
        let (threshold, level) = (results.operating_point.threshold, protocol.analysis.level);
        results.triage = Some(triage(declared, times.as_deref(), &cases, threshold, level));
    }
    if let Some(succession) = succession {
        let threshold = results.operating_point.threshold;
        let compared = acceptance(protocol, &cases, threshold, &succession, &inputs.program_version);
        results.change = Some(succession.assess(compared, &results));
    }
    // What a reader of the results has to know of patients and readers: evidence holds it, documents print
    // it.
    let of_patients = [
        Code::PatientProbablyShared,
        Code::IdsAlike,
        Code::PatientEachCase,
        Code::SampleShort,
        Code::StratumNotDrawn,
        Code::SitesNotShown,
    ];
    let said = warnings.iter().filter(|w| of_patients.contains(&w.code));
    results.warnings.extend(said.chain(&reference.warnings).map(Warning::of));
    results.warnings.sort();
    results.warnings.dedup();
    let mut json = serde_json::to_vec_pretty(&results)
        .map_err(|e| Diagnostic::error(Code::ResultsNotFinite, format!("a result cannot be written: {e}")))?;
    json.push(b'\n');
    let drawn: BTreeSet<&str> = cohort.drawn_cases().map(|case| case.case_id.as_str()).collect();
    let used = scores.iter().filter(|(id, _)| drawn.contains(id.as_str()));
    let mut files = Files::new();
    let mut put = |name: &str, bytes: Bytes| {
        if let Ok(path) = name.parse() {
            files.insert(path, bytes);
        }
    };
    put("cases.csv", tables::cases(protocol, cohort, &reference, &scores));
    let mut put = |name: &str, bytes: Vec<u8>| put(name, bytes.into());
    put("reference.csv", tables::reference(protocol, cohort, &reference));
    put("derivation.csv", tables::reference_for_people(cohort, &reference));
    if reference.came.is_some() {
        put("reference-differences.csv", tables::differences(cohort, &reference));
    }
    put("scores.csv", scores::to_csv(used));
    put("results.json", json);
    put("description.json", description::json(inputs, cohort)?);
    if let Some(tuning) = tuning {
        put("tuning.csv", tables::tuning(&tuning));
    }
    Ok(Derived { results, files, warnings })
}

/// The reference standard, in which every drawn case has a consensus where the protocol demands it.
///
/// # Errors
/// As [`reference_standard`]; `no-consensus`.
pub fn consensus_of_all(inputs: &Inputs, cohort: &Cohort) -> Result<ReferenceStandard> {
    let reference = reference_standard(inputs, cohort)?;
    every_case_has_an_answer(inputs, cohort, &reference)?;
    Ok(reference)
}

/// Every drawn case has a consensus, where the protocol demands it.
fn every_case_has_an_answer(inputs: &Inputs, cohort: &Cohort, reference: &ReferenceStandard) -> Result<()> {
    let without: Vec<_> = cohort
        .drawn_cases()
        .zip(&reference.consensus)
        .filter(|(_, consensus)| consensus.positive().is_none())
        .map(|(case, _)| case.case_id.as_str())
        .collect();
    if inputs.protocol.analysis.no_consensus == Incomplete::Refuse && !without.is_empty() {
        let is_vote = inputs.protocol.reference_standard.rule.is_vote();
        let (what, hint) = if is_vote {
            ("consensus", "add the missing reads")
        } else {
            ("the reference standard", "add the missing answers to its file")
        };
        return Err(incomplete(what, Code::NoConsensus, &without, cohort.drawn.len(), hint));
    }
    Ok(())
}

/// The scores, of which every drawn case has one, or a reason for none where the protocol allows it; and
/// where the protocol takes its operating point from tuning cases, one follows from them.
///
/// # Errors
/// What [`derive`] would say of them.
pub fn scores_of_all(inputs: &Inputs, cohort: &Cohort) -> Result<Scores> {
    let scores = read_needed_scores(inputs, cohort)?;
    every_case_is_accounted_for(inputs, cohort, &scores)?;
    if matches!(inputs.protocol.operating_point, OperatingPointSource::Tuning { .. }) {
        operating_point(inputs, cohort, &scores)?;
    }
    Ok(scores)
}

fn incomplete(what: &str, code: Code, ids: &[&str], of: usize, hint: &str) -> Error {
    let some = few::and_so_on(ids, 10);
    Diagnostic::error(code, format!("{what} is missing for {} of {of} cases: {some}", ids.len()))
        .hint(hint)
        .into()
}

/// A case of the cohort has a score or the reason why the device gave none.
fn every_case_is_accounted_for(inputs: &Inputs, cohort: &Cohort, scores: &Scores) -> Result<()> {
    let file = Location::file(inputs.protocol.scores.file.as_str());
    let absent: Vec<_> =
        cohort.drawn_cases().map(|c| c.case_id.as_str()).filter(|id| !scores.contains_key(*id)).collect();
    let of = cohort.drawn.len();
    let located = |error: Error| {
        let at = |d: Diagnostic| d.at(file.clone());
        Error::Input(error.diagnostics().into_iter().map(at).collect())
    };
    if !absent.is_empty() {
        let scores = read_scores(inputs)?;
        let known: Alike<'_> = scores.keys().map(Word::as_str).collect();
        let meant = absent.iter().find_map(|id| Some((id, known.likely(id)?)));
        let meant = meant.map_or_else(String::new, |(id, likely)| {
            format!("; `{likely}` has a score, and `{id}` is probably meant: ids are compared as they stand")
        });
        let hint = format!("score them, or add a row with the reason in a column `refused`{meant}");
        return Err(located(incomplete("the score", Code::ScoreMissing, &absent, of, &hint)));
    }
    let refused: Vec<_> = cohort
        .drawn_cases()
        .map(|c| c.case_id.as_str())
        .filter(|id| scores.get(*id).is_some_and(|s| s.score.is_none()))
        .collect();
    if inputs.protocol.analysis.missing_score == Incomplete::Refuse && !refused.is_empty() {
        let hint = "the protocol declares `missing_score = \"refuse\"`";
        return Err(located(incomplete("the score", Code::ScoreMissing, &refused, of, hint)));
    }
    Ok(())
}

type Tuning = Vec<(String, String, bool, f64)>;

fn operating_point(
    inputs: &Inputs,
    cohort: &Cohort,
    scores: &Scores,
) -> Result<(OperatingPointRecord, Option<Tuning>)> {
    match &inputs.protocol.operating_point {
        OperatingPointSource::Declared { threshold, rationale } => Ok((
            OperatingPointRecord {
                threshold: *threshold,
                rule: ChosenBy::Declared,
                provenance: rationale.clone(),
            },
            None,
        )),
        OperatingPointSource::Lock => Ok((locked_operating_point(inputs)?, None)),
        OperatingPointSource::Tuning { cases: table, rule } => {
            let study: BTreeSet<&str> = cohort.cases.iter().map(|case| case.patient_id.as_str()).collect();
            let labelled = inputs.case_table(table)?;
            let mut tuning: Tuning = labelled
                .cases
                .iter()
                .filter(|case| !study.contains(case.patient_id.as_str()))
                .filter_map(|case| {
                    let score = scores.get(&case.case_id)?.score?;
                    Some((case.case_id.to_string(), case.patient_id.to_string(), case.source_label?, score))
                })
                .collect();
            tuning.sort_by(|a, b| a.0.cmp(&b.0));
            let labels: Vec<bool> = tuning.iter().map(|row| row.2).collect();
            let values: Vec<f64> = tuning.iter().map(|row| row.3).collect();
            let point = operating_point::choose(*rule, &labels, &values).map_err(|problem| {
                let problem = problem.at(Location::file(table.path.as_str()));
                match problem.code {
                    Code::TuningOneClass => problem
                        .hint("tuning needs scored cases of both classes, of patients outside the study"),
                    _ => problem,
                }
            })?;
            let patients: BTreeSet<&str> = tuning.iter().map(|row| row.1.as_str()).collect();
            let positives = labels.iter().filter(|l| **l).count();
            let provenance = format!(
                "fixed by the rule \"{rule}\" on {} scored cases ({positives} positive by their source \
                 label) of {} patients outside the study, before the test set was opened",
                tuning.len(),
                patients.len()
            );
            let record =
                OperatingPointRecord { threshold: point.threshold, rule: ChosenBy::Rule(*rule), provenance };
            Ok((record, Some(tuning)))
        }
    }
}

fn locked_operating_point(inputs: &Inputs) -> Result<OperatingPointRecord> {
    let path = Path::new("model/lock.json");
    let bytes = inputs.lock.as_deref().ok_or_else(|| {
        Diagnostic::error(
            Code::OperatingPointMissing,
            "the operating point is in the model lock, and there is none",
        )
        .at(Location::file(path))
        .hint("lock the model with `sequester lock`, or declare the operating point in the protocol")
    })?;
    let point = Lock::from_bytes(bytes, path)?.operating_point;
    let origin = &point.provenance;
    Ok(OperatingPointRecord {
        threshold: point.threshold,
        rule: ChosenBy::Rule(point.rule),
        provenance: format!(
            "{}; {} cases ({} positive by their source label) of {} patients of the {} split, locked with \
             the model before the test set was opened",
            point.rule.describe(),
            origin.cases,
            origin.positives,
            origin.patients,
            origin.split
        ),
    })
}
