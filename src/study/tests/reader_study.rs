//! Readers as a population in a study: what endpoints are judged by, what is refused, and what must not
//! change it.

use proptest::prelude::*;

use super::compared::{self, compared, endpoint, results};
use super::{path, reads};
use crate::diagnostic::{Code, Error};
use crate::reads::ratings::Ratings;
use crate::statistics::estimate::IntervalMethod as By;
use crate::statistics::mrmc::analysis::{Meeting, analyse};
use crate::statistics::mrmc::{CovarianceMethod, Moments, covariances};
use crate::study::results::{ComparisonResult, ReaderStudyResult, Results, Verdict};
use crate::study::{Files, Inputs, derive};

/// Every other case is positive.
const CASES: usize = 40;
const READERS: usize = 5;

fn noise(seed: usize) -> usize {
    (seed.wrapping_mul(2_654_435_761) >> 7) % 41
}

fn rating(reader: usize, case: usize, aided: bool) -> usize {
    let of_case = noise(case * 31 + 7);
    let own = noise(case * 97 + reader * 1009 + usize::from(aided) * 5_003);
    let found = if case.is_multiple_of(2) { 22 + if aided { 9 } else { 0 } + reader } else { 8 };
    (found + of_case / 2 + own / 2).min(100)
}

/// One row a rating, in this order of readers.
fn table(rate: impl Fn(usize, usize, bool) -> Option<String>) -> String {
    let mut text = "reader,case_id,modality,rating,read_at,seconds\n".to_owned();
    for aided in [false, true] {
        for reader in 0..READERS {
            for case in 0..CASES {
                let Some(rating) = rate(reader, case, aided) else { continue };
                let (word, month) = if aided { ("aided", 3) } else { ("unaided", 1) };
                let seconds = 30 + noise(case + reader) / 4 + if aided { 5 } else { 0 };
                text += &format!(
                    "R{},c{:02},{word},{rating},2026-{month:02}-{:02} 09:00,{seconds}\n",
                    reader + 1,
                    case + 1,
                    case % 5 + 10
                );
            }
        }
    }
    text
}

fn plain() -> String {
    table(|reader, case, aided| Some(rating(reader, case, aided).to_string()))
}

const SECTION: &str = r#"[reader_study]
files = ["ratings.csv"]
unaided = "unaided"
aided = "aided"
design = "crossed"
order = "independent"
washout_days = 28
time_column = "read_at"
seconds_column = "seconds"
scale = { min = 0, max = 100, positive_from = 30 }
"#;

const HELPS: &str = "role = \"secondary\"\naim = \"superiority\"";

fn asked() -> String {
    [
        endpoint("area", "auc", "unaided-readers", HELPS),
        endpoint("area-u", "auc", "unaided-readers", &format!("{HELPS}\ninterval = \"u-statistic\"")),
        endpoint("sensitivity", "sensitivity", "unaided-readers", HELPS),
        endpoint("alone", "auc", "reader-population", HELPS),
        endpoint("alone-u", "auc", "reader-population", &format!("{HELPS}\ninterval = \"u-statistic\"")),
        endpoint("alone-specificity", "specificity", "reader-population", HELPS),
    ]
    .concat()
}

/// The study with these ratings; `images` a patient.
fn inputs(ratings: &str, section: &str, analysis: &str, images: usize) -> Inputs {
    let mut files = Files::new();
    let mut cases = "case_id,patient_id,sex,age_years,view\n".to_owned();
    let mut scores = "case_id,score\n".to_owned();
    let mut truth = String::new();
    for case in 0..CASES {
        cases += &format!("c{:02},p{},F,50,PA\n", case + 1, case / images);
        let score = noise(case * 17 + 3) as f64 / 100.0 + if case.is_multiple_of(2) { 0.45 } else { 0.2 };
        scores += &format!("c{:02},{score}\n", case + 1);
        truth.push(if case.is_multiple_of(2) { 'P' } else { 'N' });
    }
    files.insert(path("cases.csv"), cases.into());
    files.insert(path("scores.csv"), scores.into());
    files.insert(path("reads/truth-maker.csv"), reads("truth-maker", &truth).into());
    files.insert(path("ratings.csv"), ratings.into());
    let reader = "[[reader]]\nid = \"truth-maker\"\nrole = \"reference\"\n";
    compared::inputs(files, &format!("{reader}{}{section}", asked()), analysis)
}

fn of_readers(results: &Results) -> &ReaderStudyResult {
    results.reader_study.as_ref().expect("a reader study")
}

/// What is said first, and all of it.
fn refused(ratings: &str, section: &str) -> (Code, String) {
    let error: Error = derive(&inputs(ratings, section, "", 1)).expect_err("refused");
    let all = error.diagnostics();
    let first = all.first().expect("a problem");
    let at = first.location.as_ref().map(ToString::to_string).unwrap_or_default();
    (first.code, format!("{at}: {}", first.message))
}

#[test]
fn an_endpoint_is_judged_by_the_analysis_of_the_ratings() {
    let results = results(&inputs(&plain(), SECTION, "", 1));
    // The same by hand: truth from the reference standard, aided first.
    let truth: Vec<(String, bool)> =
        (0..CASES).map(|case| (format!("c{:02}", case + 1), case.is_multiple_of(2))).collect();
    let mut ratings = Ratings::of_cases(truth.iter().map(|(id, positive)| (id.as_str(), *positive, None)));
    for aided in [true, false] {
        for reader in 0..READERS {
            for (case, (id, _)) in truth.iter().enumerate() {
                let word = if aided { "aided" } else { "unaided" };
                ratings.add([&format!("R{reader}"), id, word], rating(reader, case, aided) as f64);
            }
        }
    }
    let study = ratings.study(&[0, 1]).expect("a study");
    let moments = Moments::new(&study);
    let matrix = covariances(&study, &moments, CovarianceMethod::DeLong).expect("covariances");
    let found = analyse(&study.aucs(), &matrix, Meeting::Crossed, 0.95).expect("an analysis");
    let expected = found.readers_and_cases.differences[0].2.expect("an interval");
    let own = compared(&results, "area");
    let interval = own.interval.as_ref().expect("an interval");
    assert_eq!((own.interval_method, interval.method), (By::ObuchowskiRockette, By::ObuchowskiRockette));
    assert!((own.difference.expect("one") - expected.estimate).abs() < 1e-12);
    assert!((interval.lower - expected.limits.0).abs() < 1e-12);
    assert!((interval.upper - expected.limits.1).abs() < 1e-12);
    assert!((own.p_value.expect("one") - expected.p / 2.0).abs() < 1e-12, "one-sided, above 0");
    assert_eq!(own.verdict == Verdict::Met, interval.lower > 0.0);
    assert_eq!((own.n, own.positives, own.without_comparator), (40, 20, 0));
    let mean = |of: &[f64]| of.iter().sum::<f64>() / of.len() as f64;
    assert!((own.device.expect("aided") - mean(&study.aucs()[0])).abs() < 1e-12);
    assert!((own.other.expect("unaided") - mean(&study.aucs()[1])).abs() < 1e-12);
    // The device alone: its area less the mean of the readers.
    let alone = compared(&results, "alone");
    let auc = results.estimates.iter().find(|e| e.id == "auc").and_then(|e| e.value).expect("an area");
    assert!((alone.device.expect("the device") - auc).abs() < 1e-12);
    assert!((alone.difference.expect("one") - (auc - own.other.expect("unaided"))).abs() < 1e-12);
    for id in ["area-u", "alone-u", "sensitivity", "alone-specificity"] {
        let found = compared(&results, id);
        let interval = found.interval.as_ref().unwrap_or_else(|| panic!("{id}: {found:?}"));
        let difference = found.difference.expect("one");
        assert!(interval.lower < difference && difference < interval.upper, "{id}");
        let apart = found.device.expect("one") - found.other.expect("other");
        assert!((apart - difference).abs() < 1e-12, "{id}");
    }
    let study = of_readers(&results);
    assert_eq!((study.readers.len(), study.ratings, study.missing), (5, 400, 0));
    assert_eq!(study.least_days, Some(59));
    let time = study.reading_time.expect("timed");
    assert!((time.difference - 5.0).abs() < 1e-9 && time.readers == 5 && time.pairs == 200);
    assert!(study.warnings.is_empty(), "{:?}", study.warnings);
    assert_eq!(study.curves.iter().filter(|curve| curve.reader.is_none()).count(), 2);
}

#[test]
fn several_primary_endpoints_share_the_error_by_the_law_of_their_intervals() {
    let results = results(&inputs(&plain(), SECTION, "", 1));
    let one = compared(&results, "area").interval.clone().expect("an interval");
    let primary = |text: &str| text.replacen(HELPS, "role = \"primary\"\naim = \"superiority\"", 1);
    let files = inputs(&plain(), SECTION, "", 1).files;
    let text = primary(&endpoint("area", "auc", "unaided-readers", HELPS));
    let sections = format!("[[reader]]\nid = \"truth-maker\"\nrole = \"reference\"\n{text}{SECTION}");
    let shared = derive(&compared::inputs(files, &sections, "multiplicity = \"bonferroni\"\n"))
        .expect("derived")
        .results;
    let wide = compared(&shared, "area").interval.clone().expect("an interval");
    assert!((wide.level - (1.0 - 0.05 / 3.0)).abs() < 1e-12, "three primary endpoints: {}", wide.level);
    assert!(wide.lower < one.lower && wide.upper > one.upper);
    let p = compared(&shared, "area");
    assert!((p.adjusted_p.expect("one") - (3.0 * p.p_value.expect("one")).min(1.0)).abs() < 1e-12);
}

#[test]
fn what_cannot_be_a_reader_study_is_refused_where_it_stands() {
    let all = |reader, case, aided| Some(rating(reader, case, aided).to_string());
    let without = |skip: fn(usize, usize, bool) -> bool| {
        table(move |reader, case, aided| all(reader, case, aided).filter(|_| !skip(reader, case, aided)))
    };
    let cases: Vec<(&str, String, Code, &str)> = vec![
        (
            "a reader without reads in one modality",
            without(|reader, _, aided| reader == 2 && aided),
            Code::ReaderWithoutReads,
            "ratings.csv: reader `R3` has no reads in the modality `aided`",
        ),
        (
            "no reads with the device",
            without(|_, _, aided| aided),
            Code::ReadsMissing,
            "ratings.csv: no case is rated in the modality `aided`",
        ),
        (
            "one class",
            without(|_, case, _| case.is_multiple_of(2)),
            Code::OneClass,
            "ratings.csv: every rated case is negative",
        ),
        (
            "a reader of one class",
            without(|reader, case, _| reader == 1 && !case.is_multiple_of(2)),
            Code::ReaderWithoutReads,
            "ratings.csv: reader `R2` rated no negative case in `aided`",
        ),
        (
            "a case of another study",
            plain().replacen("R1,c01,", "R1,c77,", 1),
            Code::UnknownCase,
            "ratings.csv:2: the case `c77` is in no case table",
        ),
        (
            "another modality",
            plain().replacen("c03,unaided", "c03,alone", 1),
            Code::ModalityUnknown,
            "ratings.csv:4: the modality `alone`",
        ),
        (
            "off the scale",
            table(|r, c, a| Some(if (r, c, a) == (0, 1, false) { "101".into() } else { all(r, c, a)? })),
            Code::ReadOffScale,
            "ratings.csv:3: the rating 101 is not on the scale from 0 to 100",
        ),
        (
            "no number",
            table(|r, c, a| Some(if (r, c, a) == (0, 1, false) { "high".into() } else { all(r, c, a)? })),
            Code::ScoreNotANumber,
            "ratings.csv:3: the rating is not a finite number: `high`",
        ),
        (
            "twice",
            plain() + "R5,c40,aided,20,2026-03-14 09:00,30\n",
            Code::RepeatedRead,
            "reader `R5` rated the case `c40` twice",
        ),
        (
            "one reader under two ids",
            plain().replacen("R1,c01,", "R01,c01,", 1),
            Code::ReadersAlike,
            "ratings.csv: the readers `R01`, `R1` are probably one",
        ),
    ];
    for (what, ratings, code, says) in cases {
        let (found, message) = refused(&ratings, SECTION);
        assert_eq!(found, code, "{what}: {message}");
        assert!(message.contains(says), "{what}: {message}");
    }
    let nested = SECTION.replace("\"crossed\"", "\"nested\"");
    assert_eq!(refused(&plain(), &nested).0, Code::ReadingDesign);
    let split = SECTION.replace("\"crossed\"", "\"split-plot\"");
    assert_eq!(refused(&plain(), &split).0, Code::ReadingDesign);
    let complete = format!("{SECTION}missing_reads = \"refuse\"\n");
    let lacking = without(|reader, case, aided| reader == 3 && case == 4 && aided);
    let (code, message) = refused(&lacking, &complete);
    assert_eq!(code, Code::ReadsMissing, "{message}");
    assert!(message.contains("`R4`") && message.contains("c05"), "{message}");
}

#[test]
fn one_reader_is_no_population_and_few_are_told() {
    let of = |readers: usize| {
        let text =
            table(|reader, case, aided| (reader < readers).then(|| rating(reader, case, aided).to_string()));
        results(&inputs(&text, SECTION, "", 1))
    };
    let one = of(1);
    for id in ["area", "area-u", "alone", "sensitivity"] {
        let found = compared(&one, id);
        assert_eq!(found.verdict, Verdict::NotEvaluable, "{id}");
        assert!(found.not_evaluable.is_some() && found.interval.is_none(), "{id}: {found:?}");
    }
    let told = |results: &Results| of_readers(results).warnings.iter().any(|w| w.code == Code::ReadersFew);
    assert!(told(&one) && told(&of(4)) && !told(&of(5)));
}

#[test]
fn reads_alike_in_both_modalities_have_no_difference_and_no_interval() {
    let text = table(|reader, case, _| Some(rating(reader, case, false).to_string()));
    let results = results(&inputs(&text, SECTION, "", 1));
    let area = compared(&results, "area");
    assert_eq!((area.difference, area.verdict), (Some(0.0), Verdict::NotEvaluable));
    assert!(area.not_evaluable.as_deref().is_some_and(|why| why.contains("not above 0")), "{area:?}");
}

#[test]
fn patients_with_several_images_stay_together() {
    let apart = results(&inputs(&plain(), SECTION, "", 1));
    let together = results(&inputs(&plain(), SECTION, "", 2));
    assert_eq!(of_readers(&apart).patients, None);
    assert_eq!(of_readers(&together).patients, Some(20));
    let method = |results: &Results| of_readers(results).merits[0].methods[0].method.clone();
    assert!(method(&apart).contains("delong") && method(&together).contains("obuchowski"));
    let u = compared(&together, "area-u");
    assert_eq!(u.verdict, Verdict::NotEvaluable);
    assert!(u.not_evaluable.as_deref().is_some_and(|why| why.contains("independent")), "{u:?}");
    assert!(compared(&together, "sensitivity").interval.is_some());
}

#[test]
fn dated_reads_show_what_washout_and_order_were() {
    let codes = |ratings: &str, section: &str| -> Vec<Code> {
        let results = results(&inputs(ratings, section, "", 1));
        of_readers(&results).warnings.iter().map(|w| w.code).collect()
    };
    let near = plain().replace("2026-03", "2026-01");
    assert_eq!(codes(&near, SECTION), [Code::WashoutBroken]);
    let undated = SECTION.replace("time_column = \"read_at\"\n", "");
    assert_eq!(codes(&plain(), &undated), [Code::WashoutNotShown]);
    let sequential = SECTION.replace("\"independent\"", "\"sequential\"");
    assert_eq!(codes(&near, &sequential), []);
    let turned = plain().replace("2026-03", "2025-12");
    assert_eq!(codes(&turned, &sequential), [Code::ReadingOrderBroken]);
}

#[test]
fn readers_who_made_the_reference_standard_are_named() {
    let ratings = plain().replace("\nR2,", "\ntruth-maker,");
    let results = results(&inputs(&ratings, SECTION, "", 1));
    let warnings = &of_readers(&results).warnings;
    assert!(warnings.iter().any(|w| w.code == Code::ReaderOfReference && w.message.contains("truth-maker")));
}

#[test]
fn imrmcs_list_is_read_and_its_truth_has_to_be_the_studys() {
    let mut list = "BEGIN DATA:\n".to_owned();
    for case in 0..CASES {
        list += &format!("truth,c{:02},truth,{}\n", case + 1, u8::from(case.is_multiple_of(2)));
    }
    for line in plain().lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        list += &format!("{},{},{},{}\n", cells[0], cells[1], cells[2], cells[3]);
    }
    let (table, listed) = (inputs(&plain(), SECTION, "", 1), inputs(&list, SECTION, "", 1));
    let interval = |inputs: &Inputs| compared(&results(inputs), "area").interval.clone();
    assert_eq!(interval(&table), interval(&listed));
    let (code, message) = refused(&list.replacen("truth,c01,truth,1", "truth,c01,truth,0", 1), SECTION);
    assert_eq!(code, Code::CaseContradicts, "{message}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]
    #[test]
    fn neither_names_of_readers_nor_the_order_of_rows_change_a_result(seed in 0_u64..1000) {
        let first = results(&inputs(&plain(), SECTION, "", 1));
        let mut lines: Vec<String> = plain().lines().skip(1).map(str::to_owned).collect();
        crate::random::Stream::new(seed, 1).shuffle(&mut lines);
        // Readers change places: R1 is called Q5, and so on.
        let renamed: Vec<String> = lines
            .iter()
            .map(|line| {
                let number: usize = line[1..2].parse().expect("a digit");
                format!("Q{}{}", 6 - number, &line[2..])
            })
            .collect();
        let text = format!("reader,case_id,modality,rating,read_at,seconds\n{}\n", renamed.join("\n"));
        let other = results(&inputs(&text, SECTION, "", 1));
        for (a, b) in first.comparisons.iter().zip(&other.comparisons) {
            let limits = |c: &ComparisonResult| c.interval.as_ref().map(|i| [i.lower, i.upper]);
            let near = |x: f64, y: f64| (x - y).abs() < 1e-12;
            match (limits(a), limits(b)) {
                (Some(x), Some(y)) => {
                    prop_assert!(near(x[0], y[0]) && near(x[1], y[1]), "{} {:?} {:?}", a.id, x, y);
                }
                (x, y) => prop_assert_eq!(x, y),
            }
            prop_assert_eq!(a.verdict, b.verdict);
        }
    }
}
