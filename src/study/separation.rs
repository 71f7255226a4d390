//! The study's cases beside what the model was trained and tuned on, as the manifests of the training run
//! list it: patients, cases, and image files by their digest, where the case tables or the scores hold it.
//! Every case considered counts, drawn or not: the pool that a test set is drawn from is kept apart from the
//! model as a whole, as the declared development cases are. Pixels and near-duplicates need the images, which
//! lie outside a study's derivation: `dataset leakage` compares those.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Cohort, Inputs};
use crate::dataset::cases::{self, CaseFormat};
use crate::dataset::shared::{self, Shared};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::inference::scores::Scores;
use crate::study::results::Rules;

/// Refuses a study that shares anything with a manifest; a warning for each with which it shares patients
/// that are probably the same. Without scores only digests in the case tables are compared.
///
/// # Errors
/// `trained-on-test-set` for each manifest; a table that cannot be read.
pub fn separate(inputs: &Inputs, cohort: &Cohort, scores: Option<&Scores>) -> Result<Vec<Diagnostic>> {
    if inputs.manifests.is_empty() {
        return Ok(Vec::new());
    }
    let mut recorded = BTreeMap::new();
    for table in &inputs.protocol.data.cases {
        if let Some(bytes) = inputs.files.get(&table.path) {
            recorded.extend(shared::recorded_digests(Path::new(table.path.as_str()), &bytes.read())?);
        }
    }
    let own = shared::items(0, &cohort.cases, |case| {
        let scored = scores.and_then(|scores| scores.get(&case.case_id)?.image_sha256.as_deref().copied());
        scored.or_else(|| recorded.get(case.case_id.as_str()).copied())
    });
    let (mut problems, mut warnings) = (Vec::new(), Vec::new());
    for (path, bytes) in &inputs.manifests {
        let path = Path::new("model").join(path.as_str());
        let manifest =
            cases::parse(&path, &bytes.read(), CaseFormat::Cases, &[]).map_err(Error::Input)?.cases;
        let recorded = shared::recorded_digests(&path, &bytes.read())?;
        let mut items = own.clone();
        items.extend(shared::items(1, &manifest, |case| recorded.get(case.case_id.as_str()).copied()));
        let found = shared::shared(&items, Rules::of(&inputs.program_version).ids());
        let probable = shared::probably_shared(&found, "the study", "those that made the model");
        warnings.extend(probable.map(|warning| warning.at(Location::file(&path))));
        if !found.is_empty() {
            problems.push(
                Diagnostic::error(Code::TrainedOnTestSet, message(&found)).at(Location::file(path)).hint(
                    "take these cases out of the case tables (a criterion that excludes them is not \
                     enough), or train on others; `sequester dataset leakage` lists every pair",
                ),
            );
        }
    }
    if problems.is_empty() { Ok(warnings) } else { Err(problems.into()) }
}

fn message(found: &Shared) -> String {
    let parts = [("patient", &found.patients), ("case", &found.cases), ("image file", &found.files)];
    let parts: Vec<String> = parts
        .into_iter()
        .filter(|(_, ids)| !ids.is_empty())
        .map(|(what, ids)| format!("{} by {what} ({})", ids.len(), shared::some(ids)))
        .collect();
    let cases = if found.of_first == 1 { "case" } else { "cases" };
    format!(
        "{} {cases} of the study are shared with what made the model: {}",
        found.of_first,
        parts.join("; ")
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::case::Case;
    use crate::diagnostic::Severity;
    use crate::digest::Digest;
    use crate::inference::scores::Score;
    use crate::study::Files;

    /// What is wrong with three drawn cases beside a training manifest of these rows; `P1` is also in the
    /// tuning manifest.
    fn problems(rows: &str) -> Vec<Diagnostic> {
        let text = include_str!("../../protocols/pneumonia-exp2a.toml");
        let protocol = crate::protocol::parse(Path::new("protocol.toml"), text).expect("valid");
        let case = |n: u8| Case {
            case_id: format!("C{n}").into(),
            patient_id: format!("P{n}").into(),
            ..Case::default()
        };
        let cohort = Cohort {
            cases: vec![case(0), case(1), case(2), case(3)],
            fields: ["case_id", "patient_id"].into(),
            failed: vec![Vec::new().into(); 4],
            drawn: vec![1, 2, 3],
            draw: crate::sampling::Draw::default(),
            sites: None,
            warnings: Vec::new(),
        };
        let score = |n: u8| {
            let image_sha256 = Some(Box::new(Digest::of(&[n])));
            (format!("C{n}").into(), Score { score: Some(0.5), refused: None, image_sha256, line: 1 })
        };
        let scores = (1..4).map(score).collect();
        let manifest = |rows: &str| format!("case_id,patient_id,label,image_sha256\n{rows}").into_bytes();
        let mut manifests = Files::new();
        manifests.insert("training-manifest.csv".parse().expect("a path"), manifest(rows).into());
        let other = format!("T9,P9,0,{}\n", Digest::of(b"other"));
        manifests.insert("tuning-manifest.csv".parse().expect("a path"), manifest(&other).into());
        let program_version = String::new();
        let inputs = Inputs { protocol, files: Files::new(), lock: None, manifests, program_version };
        separate(&inputs, &cohort, Some(&scores)).unwrap_or_else(|error| error.diagnostics())
    }

    #[test]
    fn a_study_that_shares_anything_with_a_manifest_is_refused_with_counts() {
        let own = |digest: u8| Digest::of(&[digest]);
        assert_eq!(problems(&format!("T1,Q1,0,{}\n", own(77))), []);
        // C0 was considered and not drawn: the pool is kept apart as a whole.
        let found = problems(&format!("T1,P0,1,{}\n", own(0)));
        assert!(found[0].message.starts_with("1 case of the study"), "{}", found[0].message);
        assert!(found[0].message.ends_with(": 1 by patient (P0)"), "{}", found[0].message);
        // Probably the same is no refusal.
        let found = problems(&format!("T1,p 01,1,{}\n", own(77)));
        let [warning] = &found[..] else { panic!("{found:?}") };
        assert_eq!((warning.severity, warning.code), (Severity::Warning, Code::PatientProbablyShared));
        assert!(warning.message.contains("`P1` and `p 01`"), "{}", warning.message);
        let found = problems(&format!("T1,P1,1,{}\nT2,P1,1,{}\nT3,Q,0,{}\n", own(60), own(61), own(3)));
        let [problem] = &found[..] else { panic!("{found:?}") };
        assert_eq!(problem.code.as_str(), "trained-on-test-set");
        assert!(problem.message.contains("1 by patient (P1); 1 by image file (C3)"), "{}", problem.message);
        let found = problems(&format!("C2,P2,1,{}\n", own(2)));
        for words in ["1 by case (C2)", "1 by patient (P2)", "1 by image file (C2)"] {
            assert!(found[0].message.contains(words), "{}", found[0].message);
        }
    }
}
