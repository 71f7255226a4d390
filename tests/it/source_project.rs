//! The source project's table of experiments: from 222 positives and 16,148 negatives its printed numbers
//! come out, and so does what it could not claim.

use sequester::statistics::auc::hanley_mcneil_variance;
use sequester::statistics::confusion::Confusion;

/// `fixtures/reference-values/source-project.csv`: one experiment a row, as printed.
fn rows() -> Vec<csv::StringRecord> {
    let path = crate::reference_values::folder().join("source-project.csv");
    let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_path(path).expect("table");
    reader.records().map(|r| r.expect("row")).collect()
}

#[test]
fn the_printed_numbers_of_experiment_2a_come_out_of_its_counts() {
    let mut compared = 0;
    for row in rows() {
        let counts: Vec<u64> = (2..6).filter_map(|i| row[i].parse().ok()).collect();
        let [tp, fn_, fp, tn] = counts[..] else { continue };
        let table =
            Confusion { true_positives: tp, false_negatives: fn_, false_positives: fp, true_negatives: tn };
        assert_eq!((table.positives(), table.negatives()), (222, 16_148));
        let share = |(k, n): (u64, u64)| k as f64 / n as f64;
        for (place, value) in [
            (6, share(table.sensitivity())),
            (7, share(table.specificity())),
            (8, share(table.ppv())),
            (9, table.f1().expect("f1")),
        ] {
            assert_eq!(format!("{value:.4}"), &row[place], "{} column {place}", &row[0]);
            compared += 1;
        }
    }
    assert_eq!(compared, 4);
}

/// Whole numbers throughout: k/n in ten-thousandths, rounded half up.
fn digits(k: u64, n: u64) -> u64 {
    (20_000 * k + n) / (2 * n)
}

#[test]
fn the_counts_of_experiment_2a_are_the_only_ones_that_give_its_printed_numbers() {
    let row = rows().into_iter().find(|r| &r[0] == "2A").expect("2A");
    let printed = |place: usize| row[place].trim_start_matches("0.").parse::<u64>().expect("digits");
    let [sensitivity, specificity, precision, f1] = [6, 7, 8, 9].map(printed);
    let near = |n: u64, share: u64| {
        let (low, high) = ((2 * share - 1) * n / 20_000, (2 * share + 1) * n / 20_000 + 1);
        (low..=high.min(n)).filter(move |&k| digits(k, n) == share)
    };
    let mut found = Vec::new();
    for positives in 1..16_370_u64 {
        let negatives = 16_370 - positives;
        for tp in near(positives, sensitivity) {
            for tn in near(negatives, specificity) {
                let fp = negatives - tn;
                if tp + fp > 0
                    && digits(tp, tp + fp) == precision
                    && digits(2 * tp, tp + fp + positives) == f1
                {
                    found.push([tp, positives - tp, fp, tn]);
                }
            }
        }
    }
    let counts: Vec<u64> = (2..6).map(|i| row[i].parse().expect("count")).collect();
    assert_eq!(found, [[counts[0], counts[1], counts[2], counts[3]]]);
}

#[test]
fn no_experiment_is_shown_to_be_best() {
    let aucs: Vec<f64> = rows().iter().map(|r| r[1].parse().expect("auc")).collect();
    assert_eq!(aucs.len(), 4);
    let best = aucs.iter().copied().fold(0.0, f64::max);
    for auc in aucs {
        let se = hanley_mcneil_variance(auc, 222.0, 16_148.0).sqrt();
        assert!((se - 0.020).abs() < 5e-4, "{se}");
        // Even perfectly uncorrelated errors leave the largest difference far inside the noise.
        assert!(best - auc <= 0.0095 + 1e-12 && (best - auc) / (2.0_f64.sqrt() * se) < 0.5);
    }
}
