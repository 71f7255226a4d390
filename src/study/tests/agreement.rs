//! Agreement in groups, explained, and of a reader with the same reader's other reads.

use super::study;
use crate::diagnostic::Code;
use crate::statistics::estimate::{Estimate, SubgroupLevel};

fn of<'a>(list: &'a [Estimate], id: &str, model: &str) -> &'a Estimate {
    list.iter().find(|e| e.id == id && e.model.as_deref() == Some(model)).expect(model)
}

#[test]
fn repeated_reads_are_kept_and_compared_with_each_other() {
    let aside = [(
        "qualification = \"radiologist\"",
        "qualification = \"radiologist\"\nrepeated_read = \"set-aside\"",
    )];
    let again =
        "case_id,reader_id,read\nc01,r1,positive\nc02,r1,positive\nc03,r1,positive\nc04,r1,indeterminate\n";
    let results = study(&aside).with("reads/again.csv", again).derived().results;
    let model = "r1, first vs second read";
    let agreement = of(&results.intra_reader, "percent_agreement", model);
    // c04 has no answer the first time.
    assert_eq!((agreement.numerator, agreement.denominator), (Some(2), Some(3)));
    let bias = of(&results.intra_reader, "bias_index", model);
    assert!((bias.value.expect("a value") - 1.0 / 3.0).abs() < 1e-15, "{bias:?}");
    assert_eq!(of(&results.intra_reader, "cohen_kappa", model).n, 3);
    assert!(results.intra_reader.iter().all(|e| e.model.as_deref() == Some(model)));
    assert_eq!(study(&[]).derived().results.intra_reader, []);
}

#[test]
fn numbers_on_a_declared_scale_agree_more_or_less() {
    let scale = [(
        "[scores]\n",
        "[reads]\nscale = { min = 1, max = 5, positive_from = 4 }\nmissing = [\"9\"]\n[scores]\n",
    )];
    let said = |reader: &str, numbers: [u8; 8]| {
        let rows = (1..).zip(numbers).map(|(case, n)| format!("c{case:02},{reader},{n}\n"));
        format!("case_id,reader_id,read\n{}", rows.collect::<String>())
    };
    let results = study(&scale)
        .with("reads/r1.csv", said("r1", [5, 1, 4, 2, 5, 1, 3, 4]))
        .with("reads/r2.csv", said("r2", [4, 1, 5, 2, 5, 2, 3, 9]))
        .with("reads/r3.csv", said("r3", [5, 2, 4, 1, 4, 1, 2, 5]))
        .derived()
        .results;
    let ids: Vec<&str> = results.ordinal_agreement.iter().map(|e| e.id.as_str()).collect();
    assert_eq!(ids.iter().filter(|id| id.starts_with("weighted_kappa")).count(), 6, "{ids:?}");
    let of = |id: &str, model: &str| of(&results.ordinal_agreement, id, model).clone();
    // 9 is no answer.
    assert_eq!(
        (of("weighted_kappa_linear", "r1 vs r2").n, of("weighted_kappa_linear", "r1 vs r3").n),
        (7, 8)
    );
    assert!(of("weighted_kappa_quadratic", "r1 vs r3").value > of("weighted_kappa_linear", "r1 vs r3").value);
    let rows =
        [(5, 4), (1, 1), (4, 5), (2, 2), (5, 5), (1, 2), (3, 3)].map(|(a, b)| vec![Some(a - 1), Some(b - 1)]);
    let direct = crate::statistics::agreement::ordinal::weighted_kappa(
        &rows,
        0,
        1,
        &[1.0, 2.0, 3.0, 4.0, 5.0],
        crate::statistics::agreement::ordinal::Weights::Linear,
    );
    assert_eq!(of("weighted_kappa_linear", "r1 vs r2").value, direct.map(|found| found.value));
    assert_eq!(study(&[]).derived().results.ordinal_agreement, []);
}

#[test]
fn agreement_is_given_for_pairs_subgroups_and_sites() {
    let results = study(&[]).derived().results;
    // r1 and r2 both decided c01 to c08, and differ on c07.
    let agreement = of(&results.agreement_explained, "percent_agreement", "r1 vs r2");
    assert_eq!((agreement.numerator, agreement.denominator), (Some(7), Some(8)));
    assert_eq!(of(&results.agreement_explained, "prevalence_index", "r1 vs r2").value, Some(1.0 / 8.0));
    assert_eq!(results.agreement_explained.len(), 12);
    let group = |id: &str, variable: &str, level: &str| {
        let wanted = Some(SubgroupLevel::new(variable, level));
        results.agreement_by_group.iter().find(|e| e.id == id && e.subgroup == wanted).expect(level).clone()
    };
    let south = group("gwet_ac1", "site", "south");
    assert_eq!(south.n, 4);
    assert!(south.value.is_some() && south.warnings.iter().all(|w| w.code != Code::Insufficient));
    let unknown = group("fleiss_kappa", "sex", "not recorded");
    assert!(unknown.warnings.iter().any(|w| w.code == Code::Insufficient), "{unknown:?}");
}
