//! The drawn test set beside what the model was trained and tuned on, as the manifests of the training run
//! list it: patients, cases, and image files by their digest, which the score table holds. Pixels and
//! near-duplicates need the images, which lie outside a study's derivation: `dataset leakage` compares those.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Cohort, Inputs};
use crate::dataset::leakage::{self, Item, Kind};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::inference::scores::Scores;
use crate::table::Table;

/// Refuses a test set that shares anything with a manifest.
pub(super) fn check(inputs: &Inputs, cohort: &Cohort, scores: &Scores) -> Result<()> {
    let mut items: Vec<Item> = cohort
        .drawn_cases()
        .map(|case| Item {
            set: 0,
            case_id: case.case_id.clone(),
            patient_id: case.patient_id.clone(),
            file: scores.get(&case.case_id).and_then(|score| score.image_sha256),
            ..Item::default()
        })
        .collect();
    let mut problems = Vec::new();
    let drawn = items.len();
    for (path, bytes) in &inputs.manifests {
        let path = Path::new("model").join(path.as_str());
        let table = Table::parse(&path, bytes).map_err(Error::Input)?;
        let (case, patient) = (table.required("case_id")?, table.required("patient_id")?);
        let digest = table.column("image_sha256");
        items.truncate(drawn);
        items.extend(table.rows().iter().map(|row| Item {
            set: 1,
            case_id: row.get(Some(case)).unwrap_or_default().to_owned(),
            patient_id: row.get(Some(patient)).unwrap_or_default().to_owned(),
            file: row.get(digest).and_then(|text| text.parse().ok()),
            ..Item::default()
        }));
        let mut shared: BTreeMap<Kind, Vec<&str>> = BTreeMap::new();
        let found = leakage::in_common(&items, 0);
        for pair in found.pairs.iter().filter(|pair| pair.kind.leaks()) {
            let (first, second) = (&items[pair.first], &items[pair.second]);
            if first.set != second.set {
                let own = if first.set == 0 { first } else { second };
                shared.entry(pair.kind).or_default().push(&own.case_id);
            }
        }
        if shared.is_empty() {
            continue;
        }
        let counts: Vec<String> = shared
            .iter_mut()
            .map(|(kind, cases)| {
                cases.sort_unstable();
                cases.dedup();
                let what = match kind {
                    Kind::Case => "by case",
                    Kind::Patient => "by patient",
                    _ => "by image file",
                };
                let more = if cases.len() > 5 { ", ..." } else { "" };
                format!("{} {what} ({}{more})", cases.len(), cases[..cases.len().min(5)].join(", "))
            })
            .collect();
        problems.push(
            Diagnostic::error(
                Code::TrainedOnTestSet,
                format!("cases of the test set are among those that made the model: {}", counts.join("; ")),
            )
            .at(Location::file(path))
            .hint(
                "take these cases out of the study, or train on others; `dataset leakage` lists every pair",
            ),
        );
    }
    if problems.is_empty() { Ok(()) } else { Err(problems.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dataset::case::Case;
    use crate::digest::Digest;
    use crate::inference::scores::Score;
    use crate::study::Files;

    /// What is wrong with three drawn cases beside a training manifest of these rows; `P1` is also in the
    /// tuning manifest.
    fn problems(rows: &str) -> Vec<Diagnostic> {
        let text = include_str!("../../protocols/pneumonia-exp2a.toml");
        let protocol = crate::protocol::parse(Path::new("protocol.toml"), text).expect("valid");
        let case = |n: u8| Case { case_id: format!("C{n}"), patient_id: format!("P{n}"), ..Case::default() };
        let cohort = Cohort {
            cases: vec![case(0), case(1), case(2), case(3)],
            fields: ["case_id", "patient_id"].into(),
            failed: vec![Vec::new(); 4],
            drawn: vec![1, 2, 3],
            warnings: Vec::new(),
        };
        let score = |n: u8| {
            let image_sha256 = Some(Digest::of(&[n]));
            (format!("C{n}"), Score { score: Some(0.5), refused: None, image_sha256, line: 1 })
        };
        let scores = (1..4).map(score).collect();
        let manifest = |rows: &str| format!("case_id,patient_id,label,image_sha256\n{rows}").into_bytes();
        let mut manifests = Files::new();
        manifests.insert("training-manifest.csv".parse().expect("a path"), manifest(rows));
        let other = format!("T9,P9,0,{}\n", Digest::of(b"other"));
        manifests.insert("tuning-manifest.csv".parse().expect("a path"), manifest(&other));
        let inputs = Inputs { protocol, files: Files::new(), lock: None, manifests };
        check(&inputs, &cohort, &scores).map_or_else(|error| error.diagnostics(), |()| Vec::new())
    }

    #[test]
    fn a_test_set_that_shares_anything_with_a_manifest_is_refused_with_counts() {
        let own = |digest: u8| Digest::of(&[digest]);
        // C0 was considered and not drawn: it is in no test set.
        assert_eq!(problems(&format!("C0,P0,1,{}\nT1,Q1,0,{}\n", own(0), own(77))), []);
        let found = problems(&format!("T1,P1,1,{}\nT2,P1,1,{}\nT3,Q,0,{}\n", own(60), own(61), own(3)));
        let [problem] = &found[..] else { panic!("{found:?}") };
        assert_eq!(problem.code.as_str(), "trained-on-test-set");
        assert!(problem.message.contains("1 by patient (C1); 1 by image file (C3)"), "{}", problem.message);
        let found = problems(&format!("C2,P2,1,{}\n", own(2)));
        for words in ["1 by case (C2)", "1 by patient (C2)", "1 by image file (C2)"] {
            assert!(found[0].message.contains(words), "{}", found[0].message);
        }
    }
}
