//! Readers without a part in the reference standard, beside it and beside the device, counted by hand.

use super::{path, protocol, reads};
use crate::statistics::estimate::{Estimate, IntervalMethod, ResamplingUnit};
use crate::statistics::paired_shares::PairedShares;
use crate::study::results::{BesideReaders, PairedTest};
use crate::study::{Files, Inputs, derive};

const READERS: &str = "[[reader]]\nid = \"r1\"\nrole = \"reference\"\n\
    [[reader]]\nid = \"a\"\nrole = \"comparison\"\n[[reader]]\nid = \"b\"\nrole = \"comparison\"\n[scores]\n";

/// What the case is, what the two readers say, what the device calls; six positive cases and six negative.
const TRUTH: &str = "PPPPPPNNNNNN";
const A: &str = "PPPPNNNNNNPI";
const B: &str = "PPNNNNNNNNN-";
const SCORES: [Option<f64>; 12] = [
    Some(0.9),
    Some(0.9),
    Some(0.8),
    Some(0.2),
    Some(0.7),
    None,
    Some(0.1),
    Some(0.2),
    Some(0.8),
    Some(0.1),
    Some(0.3),
    Some(0.4),
];

fn study(patients: [u32; 12]) -> BesideReaders {
    let mut files = Files::new();
    let mut cases = "case_id,patient_id,sex,age_years,view\n".to_owned();
    let mut scores = "case_id,score,refused\n".to_owned();
    for (number, (score, patient)) in (1..).zip(SCORES.iter().zip(patients)) {
        cases += &format!("c{number:02},p{patient},F,50,PA\n");
        scores += &score.map_or(format!("c{number:02},,dark\n"), |score| format!("c{number:02},{score},\n"));
    }
    files.insert(path("cases.csv"), cases.into());
    files.insert(path("scores.csv"), scores.into());
    for (reader, said) in [("r1", TRUTH), ("a", A), ("b", B)] {
        files.insert(path(&format!("reads/{reader}.csv")), reads(reader, said).into());
    }
    let edits = [("readers = 3\n", ""), ("[scores]\n", READERS)];
    let inputs = Inputs {
        protocol: protocol(&edits),
        files,
        lock: None,
        manifests: Files::new(),
        program_version: "0".to_owned(),
    };
    let derived = derive(&inputs).unwrap_or_else(|error| panic!("{:#?}", error.diagnostics()));
    derived.results.beside_readers.expect("two readers")
}

fn shares(estimate: &Estimate) -> (Option<u64>, Option<u64>) {
    (estimate.numerator, estimate.denominator)
}

#[test]
fn a_reader_is_judged_on_all_cases_and_the_device_on_those_that_it_scored() {
    let found = study([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    let [a, b] = &found.readers[..] else { panic!("{found:?}") };
    assert_eq!((a.reader.as_str(), a.undecided, b.reader.as_str(), b.undecided), ("a", 1, "b", 0));
    // The device is right on the five positive cases that it scored but one, the reader on four of six.
    assert_eq!(shares(&a.sensitivity.reader), (Some(4), Some(6)));
    assert_eq!(shares(&a.sensitivity.device), (Some(4), Some(5)));
    assert_eq!(a.sensitivity.right, [3, 1, 1, 0]);
    assert_eq!((a.sensitivity.difference.value, a.sensitivity.difference.n), (Some(0.0), 5));
    assert_eq!(a.sensitivity.difference.p_value, Some(1.0));
    assert_eq!(shares(&a.specificity.reader), (Some(4), Some(5)));
    assert_eq!(shares(&a.specificity.device), (Some(4), Some(5)));
    assert_eq!(b.sensitivity.right, [2, 2, 0, 1]);
    assert_eq!(b.sensitivity.difference.value, Some(0.4));
    assert_eq!(b.specificity.right, [4, 0, 1, 0]);
    for share in [&a.sensitivity, &a.specificity, &b.sensitivity, &b.specificity] {
        assert_eq!(share.test, PairedTest::McnemarExact);
        let [both, only_first, only_second, neither] = share.right;
        let counts = PairedShares { both, only_first, only_second, neither };
        let limits: Vec<_> =
            share.difference.intervals.iter().map(|i| (i.method, (i.lower, i.upper))).collect();
        let expected = [
            (IntervalMethod::Tango, counts.tango(0.95).expect("cases")),
            (IntervalMethod::Newcombe, counts.newcombe(0.95).expect("cases")),
        ];
        assert_eq!(limits, expected);
    }
    let mean = found.mean.expect("of two readers");
    assert_eq!((mean.readers, mean.sensitivity, mean.specificity), (2, 0.5, 0.9));
}

#[test]
fn cases_of_one_patient_stay_together() {
    let found = study([1, 1, 2, 2, 3, 4, 5, 5, 6, 6, 7, 8]);
    let share = &found.readers[1].sensitivity;
    assert_eq!(share.test, PairedTest::Obuchowski);
    assert_eq!(share.difference.intervals[0].unit, Some(ResamplingUnit::Patient));
    assert_eq!(share.difference.value, Some(0.4));
    // Patients 1 to 3 with gaps 0, 1, 1: (2)² · 2/(3 · 2) is χ² with one degree of freedom.
    let expected = crate::statistics::special::chi_squared_sf(4.0 / 3.0, 1);
    assert!((share.difference.p_value.expect("a test") - expected).abs() < 1e-12, "{share:?}");
    let interval = &share.reader.intervals[0];
    assert_ne!(interval.method, IntervalMethod::ClopperPearson, "{:?}", share.reader.intervals);
}
