//! A whole study small enough to be counted by hand, and what must follow from it.

use super::*;
use crate::digest::Digest;
use crate::statistics::estimate::{Estimate, IntervalMethod, Scenario};
use crate::statistics::proportion;
use crate::study::results::{EndpointResult, Verdict};

mod agreement;
mod beside_readers;
mod compared;
mod comparisons;
mod other_standards;
mod reader_study;
mod remarks;

const PROTOCOL: &str = r#"
format = "sequester-protocol/2"
[study]
id = "small"
title = "A small study"
version = "1.0"
finding = "pneumonia"
[data]
cases = ["cases.csv"]
[[eligibility]]
id = "age"
kind = "age"
min = 18
max = 80
reason = "too young or too old"
[[eligibility]]
id = "view"
kind = "one-of"
field = "view"
allowed = ["PA", "AP"]
reason = "another view"
[reference_standard]
readers = 3
rule = "majority"
qualification = "radiologist"
[scores]
file = "scores.csv"
[operating_point]
source = "declared"
threshold = 0.5
rationale = "given by the maker"
[analysis]
seed = 7
replicates = 100
resampling_unit = "case"
subgroup_minimum = 3
intended_use_prevalence = 0.1
[[endpoint]]
id = "found"
metric = "sensitivity"
role = "primary"
interval = "clopper-pearson"
criterion = "lower > 0.05"
[[endpoint]]
id = "cleared"
metric = "specificity"
role = "primary"
interval = "clopper-pearson"
criterion = "lower > 0.05"
[[endpoint]]
id = "seen"
metric = "auc"
role = "secondary"
interval = "delong"
[[subgroup]]
by = "sex"
[[subgroup]]
by = "age"
bands = [[18, 44], [45, 75], [76, 80]]
"#;

/// c09 is too young, c10 (of p1) has another view, c11 both.
const CASES: &str = "\
case_id,patient_id,sex,age_years,view,label,site
c01,p1,F,30,PA,1,north
c02,p2,F,40,PA,0,north
c03,p3,M,50,AP,1,south
c04,p4,M,60,PA,0,south
c05,p5,F,70,PA,1,north
c06,p6,,20,AP,0,south
c07,p7,F,45,PA,0,north
c08,p8,M,55,PA,1,south
c09,p9,F,10,PA,0,north
c10,p1,F,31,LL,1,north
c11,p10,F,12,LL,0,north
c12,p12,F,50,PA,0,
";

/// By reader, the reads of c01 to c08: c03 and c04 by majority, c05 without the third, c07 undecided.
const READS: [(&str, &str); 3] = [("r1", "PNPNPNPP"), ("r2", "PNPNPNNP"), ("r3", "PNNP-NIP")];

const SCORES: &str = "\
case_id,score,refused
c01,1.0,
c02,0.2,
c03,0.7,
c04,0.6,
c05,0.4,
c06,0.1,
c07,0.8,
c08,,too dark
c12,,no image
c99,0.9,
";

fn reads(reader: &str, reads: &str) -> String {
    let mut text = "case_id,reader_id,read\n".to_owned();
    for (number, read) in reads.chars().enumerate() {
        let word = match read {
            'P' => "positive",
            'N' => "negative",
            'I' => "indeterminate",
            _ => continue,
        };
        text += &format!("c{:02},{reader},{word}\n", number + 1);
    }
    text
}

/// A valid protocol: that of the study with texts replaced.
fn protocol(edits: &[(&str, &str)]) -> Protocol {
    let mut text = PROTOCOL.to_owned();
    for (from, to) in edits {
        assert!(text.contains(from), "{from}");
        text = text.replacen(from, to, 1);
    }
    crate::protocol::parse(Path::new("protocol.toml"), &text)
        .unwrap_or_else(|problems| panic!("{problems:#?}"))
}

fn path(text: &str) -> RelativePath {
    text.parse().expect("a path")
}

fn study(edits: &[(&str, &str)]) -> Inputs {
    let mut files = Files::new();
    files.insert(path("cases.csv"), CASES.into());
    files.insert(path("scores.csv"), SCORES.into());
    for (reader, said) in READS {
        files.insert(path(&format!("reads/{reader}.csv")), reads(reader, said).into());
    }
    Inputs {
        protocol: protocol(edits),
        files,
        lock: None,
        manifests: Files::new(),
        program_version: "0".to_owned(),
    }
}

impl Inputs {
    fn with(mut self, name: &str, text: impl Into<Vec<u8>>) -> Self {
        let bytes: Vec<u8> = text.into();
        self.files.insert(path(name), bytes.into());
        self
    }

    /// A file with a text replaced.
    fn changed(self, name: &str, from: &str, to: &str) -> Self {
        let text = String::from_utf8(self.files[&path(name)].read().into_owned()).expect("text");
        assert!(text.contains(from), "{from}");
        self.with(name, text.replace(from, to))
    }

    fn derived(&self) -> Derived {
        derive(self).unwrap_or_else(|error| panic!("{:#?}", error.diagnostics()))
    }

    fn problem(&self) -> Diagnostic {
        let problems = derive(self).expect_err("a problem").diagnostics();
        let [problem] = &problems[..] else { panic!("{problems:#?}") };
        problem.clone()
    }
}

fn text(derived: &Derived, name: &str) -> String {
    String::from_utf8(derived.files[&path(name)].read().into_owned()).expect("text")
}

fn overall<'a>(derived: &'a Derived, id: &str) -> &'a Estimate {
    let plain = |e: &&Estimate| e.id == id && e.subgroup.is_none() && e.scenario.is_none();
    derived.results.estimates.iter().filter(plain).find(|e| e.prevalence.is_none()).expect("an estimate")
}

fn endpoint<'a>(derived: &'a Derived, id: &str) -> &'a EndpointResult {
    derived.results.endpoints.iter().find(|e| e.id == id).expect("an endpoint")
}

#[test]
fn a_star_matches_within_one_folder() {
    assert!(matches("reads/*.csv", "reads/reader-1.csv"));
    assert!(matches("reads/*.csv", "reads/.csv"), "a star may stand for nothing");
    assert!(!matches("reads/*.csv", "reads/old/reader-1.csv"));
    assert!(!matches("reads/*.csv", "reads/reader-1.txt"));
    assert!(!matches("reads/*.csv", "other/reader-1.csv"));
    assert!(matches("scores.csv", "scores.csv"));
    assert!(!matches("ab*bc", "abc"));
    assert!(matches("ab*bc", "abbc"));
}

#[test]
fn nobody_is_dropped_silently_on_the_way_to_the_analysis() {
    let derived = study(&[]).derived();
    let flow = &derived.results.flow;
    assert_eq!((flow.considered, flow.considered_patients), (12, 11));
    let excluded: Vec<_> = flow.excluded.iter().map(|r| (r.id.as_str(), r.count, r.count_any)).collect();
    assert_eq!(excluded, [("age", 2, 2), ("view", 1, 2)]);
    assert_eq!((flow.eligible, flow.not_sampled, flow.sampled, flow.sampled_patients), (9, 0, 9, 9));
    assert_eq!((flow.without_consensus, flow.without_score), (2, 1));
    assert_eq!((flow.analysed, flow.analysed_patients, flow.positives, flow.negatives), (6, 6, 3, 3));
    assert_eq!(
        text(&derived, "cases.csv"),
        "case_id,patient_id,status,excluded_by,all_reasons\n\
         c01,p1,analysed,,\nc02,p2,analysed,,\nc03,p3,analysed,,\nc04,p4,analysed,,\nc05,p5,analysed,,\n\
         c06,p6,analysed,,\nc07,p7,no-consensus,,\nc08,p8,no-score,,\nc09,p9,excluded,age,age\n\
         c10,p1,excluded,view,view\nc11,p10,excluded,age,age;view\nc12,p12,no-consensus,,\n"
    );
    assert!(!derived.results.study.synthetic);
    assert_eq!(derived.results.study.title, "A small study");
}

#[test]
fn cases_beyond_the_sample_are_counted_and_take_no_part() {
    let derived = study(&[("[reference_standard]", "[sample]\ncases = 8\nseed = 2\n[reference_standard]")]);
    let derived = derived.derived();
    let flow = &derived.results.flow;
    assert_eq!((flow.eligible, flow.not_sampled, flow.sampled), (9, 1, 8));
    let cases = text(&derived, "cases.csv");
    let left: Vec<_> = cases.lines().filter(|line| line.contains(",not-sampled,")).collect();
    let [left] = left[..] else { panic!("{cases}") };
    let id = &left[..3];
    assert_eq!(text(&derived, "reference.csv").lines().count(), 9);
    assert!(!text(&derived, "reference.csv").contains(id));
    assert!(!text(&derived, "scores.csv").contains(id));
}

#[test]
fn several_cases_of_a_patient_are_one_patient() {
    let derived = study(&[]).changed("cases.csv", "c06,p6", "c06,p2").derived();
    let flow = &derived.results.flow;
    assert_eq!((flow.considered_patients, flow.sampled_patients, flow.analysed_patients), (10, 8, 5));
    assert_eq!((flow.sampled, flow.analysed), (9, 6));
    // Where a patient has several cases, intervals that leave them together stand beside the others.
    let methods =
        |d: &Derived| -> Vec<_> { overall(d, "specificity").intervals.iter().map(|i| i.method).collect() };
    assert!(methods(&derived).contains(&IntervalMethod::ClopperPearsonPatients), "{:?}", methods(&derived));
    let single = study(&[]).derived();
    assert!(!methods(&single).contains(&IntervalMethod::ClopperPearsonPatients), "{:?}", methods(&single));
}

#[test]
fn the_votes_of_each_case_and_the_consensus_are_a_table() {
    let derived = study(&[]).derived();
    assert_eq!(
        text(&derived, "reference.csv"),
        "case_id,positive_reads,negative_reads,indeterminate_reads,set_aside,consensus,basis\n\
         c01,3,0,0,0,positive,unanimous\nc02,0,3,0,0,negative,unanimous\nc03,2,1,0,0,positive,majority\n\
         c04,1,2,0,0,negative,majority\nc05,2,0,0,0,positive,incomplete\nc06,0,3,0,0,negative,unanimous\n\
         c07,1,1,1,0,none,none\nc08,3,0,0,0,positive,unanimous\nc12,0,0,0,0,none,none\n"
    );
    let summary = &derived.results.consensus;
    assert_eq!((summary.unanimous, summary.majority, summary.incomplete, summary.none), (4, 2, 1, 2));
    assert_eq!((summary.positive, summary.negative), (4, 3));
    assert_eq!(summary.cases_without, ["c07", "c12"]);
}

#[test]
fn each_reader_is_counted_over_the_drawn_cases() {
    let row = |derived: &Derived| -> Vec<_> {
        let readers = &derived.results.readers;
        readers
            .iter()
            .map(|r| {
                (r.id.clone(), [r.reads, r.positive, r.negative, r.indeterminate, r.set_aside], r.missing)
            })
            .collect()
    };
    let derived = study(&[]).derived();
    let (r1, r2, r3) = ("r1".to_owned(), "r2".to_owned(), "r3".to_owned());
    assert_eq!(
        row(&derived),
        [
            (r1.clone(), [8, 5, 3, 0, 0], Some(1)),
            (r2.clone(), [8, 4, 4, 0, 0], Some(1)),
            (r3.clone(), [7, 3, 3, 1, 0], Some(2)),
        ]
    );
    // A case read twice by one reader is set aside, and is not missing.
    let twice = "qualification = \"radiologist\"\nrepeated_read = \"set-aside\"";
    let derived = study(&[("qualification = \"radiologist\"", twice)]);
    let derived = derived.changed("reads/r3.csv", "c02,r3,negative\n", "c02,r3,negative\nc02,r3,positive\n");
    let derived = derived.derived();
    assert_eq!(row(&derived)[2], (r3, [6, 3, 2, 1, 1], Some(2)));
    assert!(text(&derived, "reference.csv").contains("c02,0,2,0,1,negative,incomplete\n"));
    // Readers who are not fixed miss nothing, and one who read no drawn case is no reader of the study.
    let free = "qualification = \"radiologist\"\nfixed_readers = false";
    let derived = study(&[("qualification = \"radiologist\"", free)]);
    let derived = derived.with("reads/r4.csv", "case_id,reader_id,read\nc09,r4,positive\n").derived();
    let found = row(&derived);
    assert_eq!(found.iter().map(|r| r.0.as_str()).collect::<Vec<_>>(), ["r1", "r2", "r3"]);
    assert!(found.iter().all(|r| r.2.is_none()));
    assert_eq!(found[0], (r1, [8, 5, 3, 0, 0], None));
    assert_eq!(found[1], (r2, [8, 4, 4, 0, 0], None));
}

#[test]
fn the_device_stands_beside_each_of_a_few_readers() {
    let beside = |derived: &Derived, id: &str| {
        let model = Some("device / others, cases of r2");
        let found = derived.results.agreement.iter().find(|e| e.id == id && e.model.as_deref() == model);
        found.map(|e| (e.numerator, e.denominator))
    };
    // r1 and r3 agree on c01, c02 and c06, one of them alone votes on c05 and c07; c08 has no score. At 0.8
    // the device calls c01 and c07.
    let derived = study(&[("threshold = 0.5", "threshold = 0.8")]).derived();
    assert_eq!(beside(&derived, "sensitivity"), Some((Some(2), Some(3))));
    assert_eq!(beside(&derived, "specificity"), Some((Some(2), Some(2))));
    let free =
        [("qualification = \"radiologist\"", "qualification = \"radiologist\"\nfixed_readers = false")];
    let of = |readers: &[&str]| {
        let more = readers.iter().map(|r| format!("c09,{r},positive\n")).collect::<String>();
        study(&free).with("reads/more.csv", format!("case_id,reader_id,read\n{more}")).derived()
    };
    assert!(beside(&of(&["r4", "r5", "r6"]), "sensitivity").is_some());
    assert_eq!(beside(&of(&["r4", "r5", "r6", "r7"]), "sensitivity"), None, "seven are shown together alone");
}

#[test]
fn scores_meet_the_consensus_at_the_operating_point() {
    let derived = study(&[]).derived();
    let table = derived.results.curves.confusion;
    assert_eq!((table.true_positives, table.false_negatives), (2, 1));
    assert_eq!((table.true_negatives, table.false_positives), (2, 1));
    // Pairs won: 3 of 1.0, 3 of 0.7, 2 of 0.4.
    assert!((overall(&derived, "auc").value.expect("a value") - 8.0 / 9.0).abs() < 1e-12);
    let at = study(&[("threshold = 0.5", "threshold = 0.7")]).derived().results.curves.confusion;
    assert_eq!((at.true_positives, at.false_positives), (2, 0), "positive is score >= threshold");
    let histogram = &derived.results.curves.histogram;
    let filled = |counts: &[u64]| -> Vec<_> { (0..20).filter(|bin| counts[*bin] > 0).collect() };
    assert_eq!(histogram.edges.len(), 21);
    assert_eq!((histogram.edges[0], histogram.edges[1], histogram.edges[20]), (0.0, 0.05, 1.0));
    assert_eq!(filled(&histogram.positives), [8, 14, 19], "1.0 is in the last bin");
    assert_eq!(filled(&histogram.negatives), [2, 4, 12]);
    let same = derived.results.operating_point;
    assert_eq!((same.threshold, same.provenance.as_str()), (0.5, "given by the maker"));
}

#[test]
fn the_cohort_is_counted_by_the_declared_levels_and_by_sex_and_view_always() {
    let derived = study(&[]).derived();
    let rows: Vec<_> = derived
        .results
        .cohort
        .iter()
        .map(|r| (r.variable.as_str(), r.level.as_str(), r.cases, r.patients, r.positives))
        .collect();
    assert_eq!(
        rows,
        [
            ("sex", "F", 3, 3, 2),
            ("sex", "M", 2, 2, 1),
            ("sex", "not recorded", 1, 1, 0),
            ("age", "18-44", 3, 3, 1),
            ("age", "45-75", 3, 3, 2),
            ("age", "76-80", 0, 0, 0),
            ("view", "AP", 2, 2, 1),
            ("view", "PA", 4, 4, 2),
        ]
    );
    // Ages outside the bands, and none, are levels too; what is not recorded comes last.
    let wide = [("min = 18", "min = 0\nmissing = \"include\""), ("[18, 44]", "[25, 44]")];
    let derived = study(&wide).changed("cases.csv", "c02,p2,F,40", "c02,p2,F,");
    let derived = derived.changed("scores.csv", "c99,0.9,", "c09,,not read").derived();
    let ages: Vec<_> = derived.results.cohort.iter().filter(|r| r.variable == "age").collect();
    let ages: Vec<_> = ages.iter().map(|r| (r.level.as_str(), r.cases)).collect();
    assert_eq!(
        ages,
        [("25-44", 1), ("45-75", 3), ("76-80", 0), ("outside the bands", 1), ("not recorded", 1)]
    );
}

#[test]
fn subgroups_are_estimated_and_small_ones_marked() {
    let derived = study(&[]).derived();
    let of = |id: &str, level: &str| {
        let wanted =
            |e: &&Estimate| e.id == id && e.subgroup.as_ref().is_some_and(|s| s.to_string() == level);
        derived.results.estimates.iter().find(wanted).unwrap_or_else(|| panic!("{id} {level}")).clone()
    };
    let found = of("sensitivity", "sex=F");
    assert_eq!((found.n, found.numerator, found.denominator), (3, Some(1), Some(2)));
    assert!(found.warnings.iter().all(|w| w.code != Code::Insufficient), "three are enough");
    let small = of("auc", "sex=M");
    assert_eq!((small.n, small.value), (2, Some(1.0)));
    assert!(small.warnings.iter().any(|w| w.code == Code::Insufficient), "two are not: {small:?}");
    assert_eq!(of("specificity", "age=18-44").numerator, Some(2));
    let listed = derived.results.warnings.iter().find(|w| w.code == Code::SubgroupInsufficient);
    assert_eq!(listed.expect("a warning").message, "Fewer than 3 cases: age=76-80, sex=M, sex=not recorded.");
}

#[test]
fn incomplete_cases_are_counted_for_and_against_the_device() {
    let derived = study(&[]).derived();
    let share = |scenario: Scenario, id: &str| {
        let wanted = |e: &&Estimate| e.id == id && e.scenario == Some(scenario);
        let found = derived.results.estimates.iter().find(wanted).expect("an estimate");
        (found.numerator.unwrap_or(0), found.denominator.unwrap_or(0))
    };
    // c07 was called, c08 is positive without a score, of c12 nothing is known.
    assert_eq!(share(Scenario::BestCase, "sensitivity"), (5, 6));
    assert_eq!(share(Scenario::BestCase, "specificity"), (2, 3));
    assert_eq!(share(Scenario::WorstCase, "sensitivity"), (2, 5));
    assert_eq!(share(Scenario::WorstCase, "specificity"), (2, 4));
    assert_eq!(share(Scenario::UnanimousOnly, "sensitivity"), (1, 1));
    assert_eq!(share(Scenario::UnanimousOnly, "specificity"), (2, 2));
    // With a score of 0.3 c07 is not called: negative at best, positive at worst. At the threshold it is.
    let derived = study(&[]).changed("scores.csv", "c07,0.8", "c07,0.3").derived();
    let share = |scenario: Scenario, id: &str| {
        let wanted = |e: &&Estimate| e.id == id && e.scenario == Some(scenario);
        let found = derived.results.estimates.iter().find(wanted).expect("an estimate");
        (found.numerator.unwrap_or(0), found.denominator.unwrap_or(0))
    };
    assert_eq!(share(Scenario::BestCase, "specificity"), (3, 4));
    assert_eq!(share(Scenario::WorstCase, "sensitivity"), (2, 6));
    let derived = study(&[]).changed("scores.csv", "c07,0.8", "c07,0.5").derived();
    let wanted = |e: &&Estimate| e.id == "sensitivity" && e.scenario == Some(Scenario::BestCase);
    assert_eq!(derived.results.estimates.iter().find(wanted).expect("one").numerator, Some(5));
}

#[test]
fn a_thousand_patients_of_intended_use_are_expected_from_sensitivity_and_specificity() {
    let derived = study(&[]).derived();
    let (lower, upper) = proportion::clopper_pearson(2, 3, 0.95);
    let expected = [
        ("true-positives", 100.0 * 2.0 / 3.0, 100.0 * lower, 100.0 * upper),
        ("false-negatives", 100.0 / 3.0, 100.0 * (1.0 - upper), 100.0 * (1.0 - lower)),
        ("true-negatives", 600.0, 900.0 * lower, 900.0 * upper),
        ("false-positives", 300.0, 900.0 * (1.0 - upper), 900.0 * (1.0 - lower)),
    ];
    for (name, value, lower, upper) in expected {
        let id = format!("per-1000-{name}");
        let found = derived.results.estimates.iter().find(|e| e.id == id).expect("an estimate");
        let [interval] = &found.intervals[..] else { panic!("{found:?}") };
        assert!((found.value.expect("a value") - value).abs() < 1e-9, "{found:?}");
        assert!((interval.lower - lower).abs() < 1e-9 && (interval.upper - upper).abs() < 1e-9, "{found:?}");
        assert_eq!((found.prevalence, found.numerator, found.standard_error), (Some(0.1), None, None));
    }
    let projected = |derived: &Derived, id: &str| {
        derived.results.estimates.iter().find(|e| e.id == id && e.prevalence == Some(0.1)).cloned()
    };
    // PPV at 10 %: 0.1 * 2/3 of 0.1 * 2/3 + 0.9 * 1/3.
    let ppv = projected(&derived, "ppv").expect("projected").value.expect("a value");
    assert!((ppv - (0.2 / 3.0) / (1.1 / 3.0)).abs() < 1e-12, "{ppv}");
    assert!(projected(&derived, "npv").is_some() && projected(&derived, "f1").is_some());
    let without = study(&[("intended_use_prevalence = 0.1\n", "")]).derived();
    assert!(without.results.estimates.iter().all(|e| e.prevalence.is_none()));
}

#[test]
fn a_study_is_met_when_every_primary_endpoint_is() {
    let derived = study(&[]).derived();
    let (lower, upper) = proportion::clopper_pearson(2, 3, 0.95);
    let found = endpoint(&derived, "found");
    assert_eq!((found.verdict, found.bound), (Some(Verdict::Met), Some(lower)));
    assert_eq!(found.criterion.as_deref(), Some("lower > 0.05"));
    assert!((found.value.expect("a value") - 2.0 / 3.0).abs() < 1e-12);
    assert_eq!(derived.results.conclusion, Verdict::Met);
    let seen = endpoint(&derived, "seen");
    assert_eq!((seen.verdict, seen.bound), (None, None), "no criterion, no verdict");

    let second = r#"metric = "specificity"
role = "primary"
interval = "clopper-pearson"
criterion = "lower > 0.05""#;
    let with = |criterion: &str| study(&[(second, &second.replace("lower > 0.05", criterion))]).derived();
    let missed = with("lower > 0.10");
    assert_eq!(endpoint(&missed, "cleared").verdict, Some(Verdict::NotMet));
    assert_eq!(endpoint(&missed, "found").verdict, Some(Verdict::Met));
    assert_eq!(missed.results.conclusion, Verdict::NotMet, "one missed endpoint is enough");
    let below = with("upper < 1.0");
    assert_eq!(endpoint(&below, "cleared").bound, Some(upper));
    assert_eq!(below.results.conclusion, Verdict::Met);
    // A secondary endpoint decides nothing.
    let secondary = second.replace("primary", "secondary").replace("0.05", "0.99");
    let derived = study(&[(second, &secondary)]).derived();
    assert_eq!(endpoint(&derived, "cleared").verdict, Some(Verdict::NotMet));
    assert_eq!(derived.results.conclusion, Verdict::Met);
}

#[test]
fn an_interval_that_is_none_decides_nothing_or_gives_way_as_declared() {
    // Wilson of 3 of 3 sees no spread.
    let wilson = "interval = \"wilson\"\ncriterion = \"lower > 0.05\"";
    let declared = "interval = \"clopper-pearson\"\ncriterion = \"lower > 0.05\"";
    let all_found = |fallback: &str| {
        let edits = [(declared, &*format!("{wilson}\nfallback = \"{fallback}\""))];
        study(&edits).changed("scores.csv", "c05,0.4", "c05,0.65").derived()
    };
    let derived = all_found("effective-number");
    let found = endpoint(&derived, "found");
    let fallback = found.fallback.as_ref().expect("a fallback");
    assert_eq!(fallback.reason, Code::AtBoundary);
    assert_eq!(fallback.declared.as_ref().map(|i| i.method), Some(IntervalMethod::Wilson));
    let interval = found.interval.as_ref().expect("an interval");
    assert_eq!(interval.method, IntervalMethod::ClopperPearson);
    assert_eq!(found.bound, Some(proportion::clopper_pearson(3, 3, 0.95).0));
    assert_eq!((found.verdict, derived.results.conclusion), (Some(Verdict::Met), Verdict::Met));
    let said = |derived: &Derived| {
        let warning = derived
            .results
            .warnings
            .iter()
            .find(|w| w.code == Code::FallbackDecided && w.message.starts_with("found,"));
        warning.map(|w| w.message.clone()).unwrap_or_default()
    };
    assert!(said(&derived).starts_with("found, declared by Wilson"), "{}", said(&derived));
    assert!(said(&derived).ends_with("the interval by Clopper and Pearson (1934), exact decides."));

    let derived = all_found("none");
    let found = endpoint(&derived, "found");
    assert_eq!((found.interval.clone(), found.bound), (None, None));
    assert_eq!(found.verdict, Some(Verdict::NotEvaluable));
    assert_eq!(derived.results.conclusion, Verdict::NotEvaluable);
    assert!(said(&derived).ends_with("the protocol declares that no other interval decides."));
    assert!(said(&study(&[]).derived()).is_empty());
}

#[test]
fn several_claims_share_the_level_where_the_protocol_says_so() {
    let derived = study(&[("seed = 7", "seed = 7\nmultiplicity = \"bonferroni\"")]).derived();
    let method = &derived.results.method;
    assert_eq!((method.level, method.criterion_level), (0.95, Some(0.975)));
    let found = endpoint(&derived, "found");
    assert_eq!(found.interval.as_ref().map(|i| i.level), Some(0.975), "two primary criteria share 0.05");
    assert_eq!(found.bound, Some(proportion::clopper_pearson(2, 3, 0.975).0));
    let seen = endpoint(&derived, "seen");
    assert_eq!(seen.interval.as_ref().map(|i| i.level), Some(0.95), "what is not judged keeps the level");
    let levels = |id: &str| -> Vec<_> {
        let exact =
            overall(&derived, id).intervals.iter().filter(|i| i.method == IntervalMethod::ClopperPearson);
        exact.map(|i| i.level).collect()
    };
    assert_eq!(levels("sensitivity"), [0.95, 0.975]);
    assert_eq!(levels("ppv"), [0.95]);
    assert_eq!(study(&[]).derived().results.method.criterion_level, None);
}

#[test]
fn what_the_reader_has_to_know_is_said() {
    let derived = study(&[]).derived();
    let codes = |d: &Derived| -> BTreeSet<_> { d.results.warnings.iter().map(|w| w.code.as_str()).collect() };
    assert_eq!(
        codes(&derived),
        ["fallback-decided", "no-consensus", "no-score", "subgroup-insufficient"].into()
    );
    let said = |code: Code| {
        derived
            .results
            .warnings
            .iter()
            .find(|w| w.code == code)
            .map(|w| w.message.as_str())
            .unwrap_or_default()
    };
    assert_eq!(said(Code::NoConsensus), "2 of 9 cases have no consensus.");
    assert_eq!(said(Code::NoScore), "1 of 9 cases have no score.");
    // A program made a case; a criterion excludes nobody; F1 is an endpoint; ids look alike.
    let edits = [
        ("metric = \"auc\"", "metric = \"f1\""),
        ("\"delong\"", "\"bootstrap-percentile\""),
        ("max = 80", "max = 90"),
        ("min = 18", "min = 0"),
    ];
    let made = CASES
        .replace("label,site", "label,site,origin")
        .replace("c01,p1,F,30,PA,1,north", "c01,P 1,F,30,PA,1,north,synthetic");
    let rows: Vec<String> = made
        .lines()
        .map(|l| if l.matches(',').count() < 7 { format!("{l},") } else { l.to_owned() })
        .collect();
    let derived = study(&edits).with("cases.csv", rows.join("\n"));
    let derived = derived.changed("scores.csv", "c99,0.9,", "c09,,not read").derived();
    assert!(derived.results.study.synthetic);
    let found = codes(&derived);
    for code in ["synthetic", "criterion-matched-nothing", "prevalence-dependent", "ids-alike"] {
        assert!(found.contains(code), "{code}: {found:?}");
    }
    assert!(derived.results.warnings.is_sorted());
}

#[test]
fn what_takes_cases_of_a_patient_as_independent_does_not_decide_and_is_named() {
    let clustered = |edits: &[(&str, &str)]| study(edits).changed("cases.csv", "c06,p6", "c06,p2");
    let derived = clustered(&[]).derived();
    let cleared = endpoint(&derived, "cleared");
    assert_eq!(cleared.fallback.as_ref().map(|f| f.reason), Some(Code::ClusteringIgnored));
    let warning =
        derived.results.warnings.iter().find(|w| w.code == Code::ClusteredCases).expect("a warning");
    assert!(warning.message.starts_with("6 cases come from 5 patients."), "{}", warning.message);
    assert!(warning.message.contains("cleared") && !warning.message.contains("found"), "{}", warning.message);

    let inputs = clustered(&[]);
    let cohort = cohort(&inputs).expect("a cohort");
    let found = endpoints_that_ignore_patients(&inputs.protocol, &cohort);
    let named: Vec<_> = found.iter().map(|w| w.message.split('`').nth(1).unwrap_or_default()).collect();
    assert_eq!(named, ["found", "cleared", "seen"]);
    assert!(found[0].message.contains("the 9 drawn cases of 8 patients"), "{}", found[0].message);
    let hint = |n: usize| found[n].hint.clone().unwrap_or_default();
    assert!(hint(0).contains("`korn-graubard`") && hint(2).contains("`obuchowski`"));
    let inputs = study(&[]);
    let cohort = super::cohort(&inputs).expect("a cohort");
    assert_eq!(endpoints_that_ignore_patients(&inputs.protocol, &cohort), []);
}

#[test]
fn every_drawn_case_has_a_score_or_a_reason_for_none() {
    let problem = study(&[]).changed("scores.csv", "c06,0.1,\n", "").problem();
    assert_eq!(problem.code, Code::ScoreMissing);
    assert_eq!(problem.message, "the score is missing for 1 of 9 cases: c06");
    assert_eq!(problem.location, Some(Location::file("scores.csv")));
    let problem = study(&[]).changed("scores.csv", "c06,0.1,", "C06,0.1,").problem();
    assert!(
        problem.hint.clone().unwrap_or_default().contains("`C06` has a score, and `c06` is probably meant"),
        "{problem:?}"
    );
    // A refused image is an error where the protocol refuses it; an excluded case needs no score.
    let problem = study(&[("seed = 7", "seed = 7\nmissing_score = \"refuse\"")]).problem();
    assert_eq!(
        (problem.code, problem.message.as_str()),
        (Code::ScoreMissing, "the score is missing for 2 of 9 cases: c08, c12")
    );
    let problem = study(&[("seed = 7", "seed = 7\nno_consensus = \"refuse\"")]).problem();
    assert_eq!(
        (problem.code, problem.message.as_str()),
        (Code::NoConsensus, "consensus is missing for 2 of 9 cases: c07, c12")
    );
    let inputs = study(&[]);
    let cohort = cohort(&inputs).expect("a cohort");
    // That of a case that was not drawn is checked like the others, and not kept.
    assert_eq!(read_scores(&inputs).expect("scores").len(), 10);
    let needed = scores_of_all(&inputs, &cohort).expect("scores");
    assert_eq!((needed.len(), needed.contains_key("c99")), (cohort.drawn.len(), false));
    for (row, code) in [("c99,0.9,\nc99,0.8,\n", Code::DuplicateCase), ("c99,7,\n", Code::ScoreOutOfRange)] {
        let inputs = study(&[]).changed("scores.csv", "c99,0.9,\n", row);
        let found = scores_of_all(&inputs, &cohort).expect_err("refused").diagnostics();
        let all = read_scores(&inputs).expect_err("refused").diagnostics();
        assert_eq!((found[0].code, &found), (code, &all));
    }
    let inputs = study(&[]).changed("scores.csv", "c06,0.1,\n", "");
    assert!(scores_of_all(&inputs, &cohort).is_err());
}

#[test]
fn many_missing_cases_are_named_in_part() {
    let rows: String = (1..=12).map(|n| format!("k{n:02},q{n},F,50,PA,0,\n")).collect();
    let inputs = |rows: String| study(&[]).with("cases.csv", format!("{CASES}{rows}"));
    let problem = inputs(rows.clone()).problem();
    assert!(
        problem.message.ends_with("12 of 21 cases: k01, k02, k03, k04, k05, k06, k07, k08, k09, k10, ..."),
        "{}",
        problem.message
    );
    let ten: String = rows.lines().take(10).map(|line| format!("{line}\n")).collect();
    assert!(inputs(ten).problem().message.ends_with("k09, k10"), "ten are all named");
}

#[test]
fn several_score_columns_become_one_as_declared() {
    let table = "case_id,a,b\nc01,0.2,0.6\n";
    let with = |combine: &str| {
        let edit = format!("file = \"scores.csv\"\ncolumns = [\"a\", \"b\"]\ncombine = \"{combine}\"");
        let inputs = study(&[("file = \"scores.csv\"", &edit)]).with("scores.csv", table);
        read_scores(&inputs).expect("scores")["c01"].score.expect("a score")
    };
    assert_eq!(with("max"), 0.6);
    assert!((with("mean") - 0.4).abs() < 1e-12);
    assert!((with("noisy-or") - (1.0 - 0.8 * 0.4)).abs() < 1e-12);
}

#[test]
fn only_drawn_cases_score_in_evidence() {
    let derived = study(&[]).derived();
    let scores = text(&derived, "scores.csv");
    assert_eq!(scores.lines().count(), 10, "{scores}");
    assert!(scores.contains("c08,,too dark,") && !scores.contains("c99"), "{scores}");
    assert_eq!(
        String::from_utf8_lossy(&cohort_table(&cohort(&study(&[])).expect("a cohort"))).lines().count(),
        10
    );
    assert!(!derived.files.contains_key(&path("tuning.csv")));
    let names: Vec<_> = derived.files.keys().map(ToString::to_string).collect();
    assert_eq!(
        names,
        ["cases.csv", "derivation.csv", "description.json", "reference.csv", "results.json", "scores.csv"]
    );
    assert!(
        text(&derived, "results.json").ends_with("}\n")
            && text(&derived, "description.json").ends_with("}\n")
    );
}

const DECLARED_POINT: &str = "source = \"declared\"\nthreshold = 0.5\nrationale = \"given by the maker\"";

#[test]
fn the_operating_point_follows_from_scored_cases_of_other_patients() {
    let tuned = "source = \"tuning\"\ncases = \"tuning.csv\"\nrule = \"youden\"";
    // t1 is a patient of the study's table, t5 has no score, t6 no label: none of them tunes.
    let tuning = "case_id,patient_id,label\nt4,q4,0\nt3,q3,0\nt2,q2,1\nt1,p9,1\nt5,q5,1\nt6,q6,\nt7,q2,1\n";
    let scores = format!("{SCORES}t1,0.05,\nt2,0.65,\nt3,0.3,\nt4,0.35,\nt6,0.99,\nt7,0.9,\n");
    let inputs = study(&[(DECLARED_POINT, tuned)]).with("tuning.csv", tuning).with("scores.csv", scores);
    let derived = inputs.derived();
    assert_eq!(
        text(&derived, "tuning.csv"),
        "case_id,patient_id,label,score\nt2,q2,1,0.65\nt3,q3,0,0.3\nt4,q4,0,0.35\nt7,q2,1,0.9\n"
    );
    let point = &derived.results.operating_point;
    assert!(point.threshold > 0.35 && point.threshold <= 0.65, "{point:?}");
    assert!(
        point.provenance.contains("on 4 scored cases (2 positive by their source label) of 3 patients"),
        "{point:?}"
    );
    assert!(needed_files(&inputs.protocol, Step::All).contains("tuning.csv"));
    assert!(!needed_files(&inputs.protocol, Step::Reads).contains("tuning.csv"));

    let inputs =
        inputs.changed("tuning.csv", "t2,q2,1", "t2,q2,0").changed("tuning.csv", "t7,q2,1", "t7,q2,0");
    let problem = inputs.problem();
    assert_eq!(
        (problem.code, problem.location.clone()),
        (Code::TuningOneClass, Some(Location::file("tuning.csv")))
    );
    assert!(problem.hint.clone().unwrap_or_default().contains("of both classes"), "{problem:?}");
    let cohort = cohort(&inputs).expect("a cohort");
    assert!(scores_of_all(&inputs, &cohort).is_err(), "`check` says it before anything is locked");
}

#[test]
fn a_step_needs_the_files_it_opens() {
    let listed = r#"reason = "another view"
[[eligibility]]
id = "scored"
kind = "listed-in"
file = "scored.csv"
column = "id"
reason = "never scored""#;
    let edits = [
        ("reason = \"another view\"", listed),
        ("cases = [\"cases.csv\"]", "cases = [\"cases.csv\"]\ndevelopment = \"development.csv\""),
    ];
    let protocol = protocol(&edits);
    let needed = |step| needed_files(&protocol, step).into_iter().collect::<Vec<_>>();
    assert_eq!(needed(Step::Cohort), ["cases.csv", "development.csv", "scored.csv"]);
    assert_eq!(needed(Step::Reads), ["cases.csv", "development.csv", "reads/*.csv", "scored.csv"]);
    assert_eq!(
        needed(Step::All),
        ["cases.csv", "development.csv", "reads/*.csv", "scored.csv", "scores.csv"]
    );

    let development = "case_id,patient_id\nd1,q1\n";
    let inputs = study(&edits).with("development.csv", development);
    let problem = inputs.problem();
    assert_eq!((problem.code, problem.location), (Code::FileMissing, Some(Location::file("scored.csv"))));
    let inputs = study(&edits).with("development.csv", development).with("scored.csv", "id\nc01\nc02\n");
    let cohort = cohort(&inputs).expect("a cohort");
    assert_eq!(cohort.drawn_cases().map(|c| c.case_id.as_str()).collect::<Vec<_>>(), ["c01", "c02"]);
    let problem =
        study(&edits).with("development.csv", development).with("scored.csv", "case\nc01\n").problem();
    assert_eq!(problem.code, Code::ColumnMissing);
}

#[test]
fn development_shares_no_patient_and_no_case_with_the_study() {
    let edits = [("cases = [\"cases.csv\"]", "cases = [\"cases.csv\"]\ndevelopment = \"development.csv\"")];
    let with = |rows: &str| study(&edits).with("development.csv", format!("case_id,patient_id\n{rows}"));
    assert_eq!(cohort(&with("d1,q1\n")).expect("a cohort").warnings, []);
    let problem = with("d1,q1\nd2,p3\n").problem();
    assert_eq!(
        (problem.code, problem.location),
        (Code::PatientOnBothSides, Some(Location::line("development.csv", 3)))
    );
    assert_eq!(problem.message, "1 patients are in development and in the study: p3");
    let problem = with("d1,q1\nd2,q2\nc04,q3\n").problem();
    assert_eq!(
        (problem.code, problem.location),
        (Code::CaseOnBothSides, Some(Location::line("development.csv", 4)))
    );
    assert_eq!(problem.message, "1 cases are in development and in the study: c04");
    // A shared case of a shared patient is named once, by its patient.
    assert_eq!(with("c04,p4\n").problem().code, Code::PatientOnBothSides);
    let warnings = cohort(&with("d1,P 3\n")).expect("a cohort").warnings;
    assert_eq!(warnings.iter().map(|w| w.code).collect::<Vec<_>>(), [Code::PatientProbablyShared]);
    // The description counts both sides.
    let description = text(&with("d1,q1\nd2,q2\n").derived(), "description.json");
    assert!(description.contains("\"Development\"") && description.contains("\"Test set\""));
    assert!(description.contains("development.csv"), "{description}");
    assert!(!text(&study(&[]).derived(), "description.json").contains("Development"));
}

#[test]
fn tables_are_taken_together_and_a_case_stands_in_one() {
    let edits = [("cases = [\"cases.csv\"]", "cases = [\"cases.csv\", \"more.csv\"]")];
    let header = "case_id,patient_id,sex,age_years,view,label\n";
    let with = |rows: &str| study(&edits).with("more.csv", format!("{header}{rows}"));
    let found = cohort(&with("k1,q1,F,50,PA,0\n")).expect("a cohort");
    assert_eq!((found.cases.len(), found.drawn.len()), (13, 10));
    assert!(!found.fields.contains("site") && found.fields.contains("view"), "what every table has");
    assert_eq!(found.warnings, []);
    let problem = with("c01,q1,F,50,PA,0\n").problem();
    assert_eq!(
        (problem.code, problem.message.as_str()),
        (Code::DuplicateCase, "the case `c01` is in two case tables")
    );
    // Patients of two tables that are probably the same; those of one are said once, where it is read.
    let warnings = cohort(&with("k1,P01,F,50,PA,0\n")).expect("a cohort").warnings;
    assert_eq!(warnings.iter().map(|w| w.code).collect::<Vec<_>>(), [Code::IdsAlike]);
    let problems = cohort(&with("k1,,F,50,PA,0\n").with("cases.csv", "case_id\nc01\n"));
    let codes: Vec<_> = problems.expect_err("two").diagnostics().iter().map(|p| p.code).collect();
    assert_eq!(codes, [Code::ColumnMissing, Code::PatientIdMissing], "every table is read");
}

#[test]
fn a_rule_needs_its_column() {
    let plain = "case_id,patient_id\nc01,p1\n";
    let missing = |edits: &[(&str, &str)]| {
        let found = cohort(&study(edits).with("cases.csv", plain)).expect_err("columns are missing");
        let column = |d: &Diagnostic| {
            assert_eq!(
                (d.code, d.location.clone()),
                (Code::ColumnMissing, Some(Location::line("cases.csv", 1)))
            );
            d.message.clone()
        };
        found.diagnostics().iter().map(column).collect::<Vec<_>>()
    };
    let needs = |who: &str, column: &str| format!("{who} needs the column `{column}`, which is not there");
    assert_eq!(
        missing(&[]),
        [
            needs("the criterion `age`", "age_years"),
            needs("the criterion `view`", "view"),
            needs("the subgroup by `sex`", "sex"),
            needs("the subgroup by `age`", "age_years"),
        ]
    );
    let prior = |more: &str| format!("kind = \"prior-finding\"\n{more}\nid2 = 1").replace("\nid2 = 1", "");
    let days = prior("source = \"days_since_prior_finding\"\nlookback_days = 365");
    let images = prior("source = \"earlier-images\"\nfindings = [\"Pneumonia\"]");
    let of = "kind = \"age\"\nmin = 18\nmax = 80";
    assert!(missing(&[(of, &days)]).contains(&needs("the criterion `age`", "days_since_prior_finding")));
    assert!(missing(&[(of, &images)]).contains(&needs("the criterion `age`", "follow_up")));
    let sample = "[sample]\ncases = 4\npositives = 2\nseed = 1\n[reference_standard]";
    assert!(missing(&[("[reference_standard]", sample)]).contains(&needs("`sample.positives`", "label")));
    let any = "[sample]\ncases = 4\nseed = 1\n[reference_standard]";
    assert!(!missing(&[("[reference_standard]", any)]).contains(&needs("`sample.positives`", "label")));
}

#[test]
fn what_the_source_says_of_all_images_holds_where_the_table_has_no_column() {
    let said = "cases = [\"cases.csv\"]\nmodality = \"dx\"\nbody_part = \"chest\"";
    let edits = [("cases = [\"cases.csv\"]", said)];
    let found = cohort(&study(&edits)).expect("a cohort");
    assert!(found.cases.iter().all(|c| c.modality.as_deref() == Some("DX")));
    assert!(found.cases.iter().all(|c| c.body_part.as_deref() == Some("CHEST")));
    assert!(found.fields.contains("modality") && found.fields.contains("body_part"));
    let table = CASES.replace("label,site", "modality,body_part").replace(",1,north", ",CR,HAND");
    let found = cohort(&study(&edits).with("cases.csv", table)).expect("a cohort");
    assert_eq!(found.cases[0].modality.as_deref(), Some("CR"), "the table is believed");
    assert_eq!(found.cases[0].body_part.as_deref(), Some("HAND"));
}

#[test]
fn a_criterion_that_excludes_nobody_and_one_that_excludes_all_are_said() {
    let found = cohort(&study(&[("min = 18", "min = 0")])).expect("a cohort");
    let said: Vec<_> = found.warnings.iter().map(|w| (w.code, w.message.as_str())).collect();
    assert_eq!(
        said,
        [(Code::CriterionMatchedNothing, "the criterion `age` excluded no case: too young or too old")]
    );
    let problem = study(&[("min = 18\nmax = 80", "min = 99\nmax = 100")]).problem();
    assert_eq!(
        (problem.code, problem.message.as_str()),
        (Code::TooFewEligible, "no case meets every criterion")
    );
    assert_eq!(cohort(&study(&[])).expect("a cohort").warnings, []);
}

#[test]
fn readers_files_are_needed_and_as_many_readers_as_declared() {
    let without = |names: &[&str]| {
        let mut inputs = study(&[]);
        names.iter().for_each(|name| drop(inputs.files.remove(&path(name))));
        inputs
    };
    let all = ["reads/r1.csv", "reads/r2.csv", "reads/r3.csv"];
    assert_eq!(without(&all).problem().code, Code::ReadsMissing);
    let problem = without(&all[2..]).problem();
    assert_eq!(
        (problem.code, problem.message.as_str()),
        (Code::ReaderCount, "2 readers read, the protocol declares 3: r1, r2")
    );
    let unknown = study(&[]).changed("reads/r1.csv", "c01,r1,positive", "c01,r1,maybe");
    let codes: Vec<Code> =
        derive(&unknown).expect_err("a problem").diagnostics().iter().map(|d| d.code).collect();
    assert_eq!(codes, [Code::ReadUnknown, Code::ReadsWords]);
    assert_eq!(study(&[]).changed("reads/r1.csv", "c01,r1", "c77,r1").problem().code, Code::UnknownCase);
    let fourth = study(&[(
        "qualification = \"radiologist\"",
        "qualification = \"radiologist\"\nfixed_readers = false",
    )]);
    let problem = fourth.with("reads/r4.csv", reads("r4", "P")).problem();
    assert_eq!(problem.code, Code::TooManyReaders);
}

#[test]
fn one_class_alone_is_no_study() {
    let problem = study(&[])
        .with(
            "scores.csv",
            SCORES.replace("c01,1.0,", "c01,,x").replace("c03,0.7,", "c03,,x").replace("c05,0.4,", "c05,,x"),
        )
        .problem();
    assert_eq!(
        (problem.code, problem.message.as_str()),
        (Code::OneClass, "all 3 analysed cases are negative by the reference standard")
    );
    let problem = study(&[])
        .with(
            "scores.csv",
            SCORES.replace("c02,0.2,", "c02,,x").replace("c04,0.6,", "c04,,x").replace("c06,0.1,", "c06,,x"),
        )
        .problem();
    assert_eq!(problem.message, "all 3 analysed cases are positive by the reference standard");
    let refused: String = SCORES.lines().skip(1).map(|line| format!("{},,x\n", &line[..3])).collect();
    let problem = study(&[]).with("scores.csv", format!("case_id,score,refused\n{refused}")).problem();
    assert_eq!(problem.message, "no case has both a reference standard and a score");
}

#[test]
fn a_locked_operating_point_needs_a_lock() {
    let inputs = study(&[(DECLARED_POINT, "source = \"lock\""), ("[scores]\nfile = \"scores.csv\"\n", "")]);
    let problem = inputs.problem();
    assert_eq!(
        (problem.code, problem.location),
        (Code::OperatingPointMissing, Some(Location::file("model/lock.json")))
    );
}

#[test]
fn a_study_is_kept_apart_from_what_made_the_model() {
    let mut inputs = study(&[]);
    let digest = Digest::of(b"image");
    let manifest = |rows: &str| format!("case_id,patient_id,label,image_sha256\n{rows}").into_bytes();
    inputs.manifests.insert(path("training-manifest.csv"), manifest(&format!("t1,p9,0,{digest}\n")).into());
    assert_eq!(inputs.problem().code, Code::TrainedOnTestSet, "p9 was considered");
    inputs.manifests.insert(path("training-manifest.csv"), manifest(&format!("t1,P 9,0,{digest}\n")).into());
    let derived = inputs.derived();
    let shared = |w: &&Diagnostic| w.code == Code::PatientProbablyShared;
    assert_eq!(derived.warnings.iter().filter(shared).count(), 1);
    assert!(derived.results.warnings.iter().any(|w| w.code == Code::PatientProbablyShared));
    // The digest of an image file that the case table records counts as well.
    let table = CASES
        .replace("label,site", "label,image_sha256")
        .replace("c01,p1,F,30,PA,1,north", &format!("c01,p1,F,30,PA,1,{digest}"));
    let table: String = table
        .lines()
        .map(|l| format!("{}\n", l.trim_end_matches(",north").trim_end_matches(",south")))
        .collect();
    let table: String = table
        .lines()
        .map(|l| if l.matches(',').count() < 6 { format!("{l},\n") } else { format!("{l}\n") })
        .collect();
    inputs.manifests.insert(path("training-manifest.csv"), manifest(&format!("t1,q9,0,{digest}\n")).into());
    let problem = inputs.with("cases.csv", table).problem();
    assert!(problem.message.ends_with("1 by image file (c01)"), "{}", problem.message);
}

mod readers_and_labels;
