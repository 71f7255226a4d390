//! Sealing a plan: the evidence of a validation is verified, and what batches are compared with is taken
//! from it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::audit::{self, Beside};
use crate::dataset::case::Case;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::Digest;
use crate::evidence::{bag, bundle};
use crate::model::lock;
use crate::monitoring::plan::MonitoringPlan;
use crate::monitoring::sealed::{CohortCase, SEAL_FORMAT, Seal, SealedChart, ValidationCohort};
use crate::storage;
use crate::study;
use crate::study::results::Results;
use crate::table::Word;

/// The bundle that is meant: the folder itself, or the last run below `evidence/`.
fn bundle_at(place: &Path) -> Result<PathBuf> {
    let runs = place.join("evidence");
    if place.join("bagit.txt").is_file() || !runs.is_dir() {
        return Ok(place.to_path_buf());
    }
    let number = |path: &PathBuf| {
        path.file_name()?
            .to_str()?
            .strip_prefix("run-")?
            .parse::<u64>()
            .ok()
            .map(|number| (number, path.clone()))
    };
    let last = storage::listed(&runs)?.iter().filter_map(number).max();
    last.map(|(_, path)| path).ok_or_else(|| {
        Diagnostic::error(Code::NotABundle, "the study has no evidence yet")
            .at(Location::file(runs))
            .hint("`sequester run` makes it")
            .into()
    })
}

/// What a plan is sealed with, from evidence that verifies.
pub(super) fn of_bundle(
    plan: &MonitoringPlan,
    plan_sha256: Digest,
    path: &Path,
    place: &Path,
) -> Result<(Seal, ValidationCohort)> {
    let folder = bundle_at(place)?;
    let found = audit::audit(&folder, &Beside::default())?;
    if !found.holds() {
        let contradicted = found.answers.into_iter().flat_map(|answer| answer.discrepancies);
        return Err(Error::Evidence(contradicted.collect()));
    }
    if found.rehearsal {
        let message = "a rehearsal is no validation: its scores and reads were simulated";
        let problem = Diagnostic::error(Code::Rehearsal, message).at(Location::file(&folder));
        return Err(Error::Evidence(vec![
            problem.hint("seal the plan with the evidence of the study itself"),
        ]));
    }
    let opened = bag::open(&folder)?;
    let Some(bundle_root) = opened.root else {
        return Err(Diagnostic::error(Code::NotABundle, "no root digest").at(Location::file(&folder)).into());
    };
    let inputs = bundle::inputs(&opened.payload)?;
    let results: Results = serde_json::from_slice(bundle::file(&opened.payload, bundle::RESULTS)?)
        .map_err(|e| bundle::unreadable(bundle::RESULTS, &e.to_string()))?;
    let cohort = cohort_of(plan, &inputs)?;
    let threshold = results.operating_point.threshold;
    let lock_sha256 = inputs.lock.as_deref().map(lock::digest_of);
    let mut problems = cohort.lacks(plan, path);
    if plan.columns.lock.is_some() && lock_sha256.is_none() {
        problems.push(
            Diagnostic::error(
                Code::MonitoringChart,
                "the validated device was scored elsewhere and has no lock",
            )
            .at(Location::file(path))
            .hint("name a version instead: `columns.version` and `device.version`"),
        );
    }
    let charts = match charts(plan, &cohort, threshold, path) {
        Ok(charts) => charts,
        Err(more) => {
            problems.extend(more);
            Vec::new()
        }
    };
    if !problems.is_empty() {
        return Err(problems.into());
    }
    let seal = Seal {
        format: SEAL_FORMAT.to_owned(),
        plan: plan.id.clone(),
        plan_sha256,
        study: inputs.protocol.study.id.clone(),
        study_version: inputs.protocol.study.version.clone(),
        bundle_root,
        lock_sha256,
        threshold,
        cohort_sha256: Digest::of(&cohort.to_bytes(plan)),
        charts,
    };
    Ok((seal, cohort))
}

/// The charts with their values in control.
pub(super) fn charts(
    plan: &MonitoringPlan,
    cohort: &ValidationCohort,
    threshold: f64,
    path: &Path,
) -> Result<Vec<SealedChart>, Vec<Diagnostic>> {
    let (mut sealed, mut problems) = (Vec::new(), Vec::new());
    for chart in &plan.charts {
        match SealedChart::new(chart, cohort, threshold, path) {
            Ok(chart) => sealed.push(chart),
            Err(problem) => problems.push(problem),
        }
    }
    if problems.is_empty() { Ok(sealed) } else { Err(problems) }
}

/// The study's drawn cases with what batches are compared with.
fn cohort_of(plan: &MonitoringPlan, inputs: &study::Inputs) -> Result<ValidationCohort> {
    let cohort = study::cohort(inputs)?;
    let reference = study::consensus_of_all(inputs, &cohort)?;
    let scores = study::scores_of_all(inputs, &cohort)?;
    let mut patients: BTreeMap<Word, u64> = BTreeMap::new();
    let mut cases = Vec::new();
    for (case, consensus) in cohort.drawn_cases().zip(&reference.consensus) {
        let next = patients.len() as u64 + 1;
        let patient = *patients.entry(case.patient_id.clone()).or_insert(next);
        let input = |column: &crate::monitoring::plan::InputColumn| {
            cell_of(case, &column.cohort).map(|cell| (column.column.clone(), cell))
        };
        cases.push(CohortCase {
            patient,
            score: scores.get(&case.case_id).and_then(|score| score.score),
            label: consensus.positive(),
            inputs: plan.inputs.iter().filter_map(input).collect(),
        });
    }
    Ok(ValidationCohort { cases })
}

/// A cell of the study's case table, by the name that protocols have for its column.
fn cell_of(case: &Case, column: &str) -> Option<String> {
    match column {
        "age" | "age_years" => case.age_years.map(|age| age.to_string()),
        "sex" => case.sex.map(|sex| sex.to_string()),
        "view" => case.view.as_ref().map(ToString::to_string),
        "site" => case.site.as_ref().map(ToString::to_string),
        "country" => case.country.as_ref().map(ToString::to_string),
        "manufacturer" => case.manufacturer.as_ref().map(ToString::to_string),
        "modality" => case.modality.as_ref().map(ToString::to_string),
        "body_part" => case.body_part.as_ref().map(ToString::to_string),
        other => case.other.get(other).cloned(),
    }
}
