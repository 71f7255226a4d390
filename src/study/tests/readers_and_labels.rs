//! Readers in their roles, labels that were made elsewhere, and which files they come in.

use super::*;
use crate::protocol::{Fallback, ReaderRole};
use crate::reads::register::{Correction, Import, Register};
use crate::study::results::{LabelDifference, ReadsPerCase};

const QUALIFIED: &str = "qualification = \"radiologist\"";
const RULE: &str = "readers = 3\nrule = \"majority\"\nqualification = \"radiologist\"";
const CAME: &str = "compare_with = { file = \"labels.csv\", label_column = \"label\", positive = \"1\", \
                    negative = \"0\", indeterminate = \"?\", source = \"the report\" }";
const GIVEN: &str = "rule = \"given\"\ngiven = { file = \"labels.csv\", label_column = \"label\", positive = \
                     \"1\", negative = \"0\", indeterminate = \"?\", source = \"culture\" }";

/// c02 differs, c07 has no consensus, c08 an indeterminate label, c12 none.
const LABELS: &str = "case_id,label\nc01,1\nc02,1\nc03,1\nc04,0\nc05,0\nc06,0\nc07,1\nc08,?\nc99,1\n";

fn said(warnings: &[Diagnostic]) -> Vec<(Code, &str)> {
    warnings.iter().map(|w| (w.code, w.message.as_str())).collect()
}

/// A protocol's readers as sections, with the sections of the study before them.
fn with_readers(rule: &str, readers: &[(&str, &str)]) -> Vec<(&'static str, String)> {
    let sections: String =
        readers.iter().map(|(id, more)| format!("[[reader]]\nid = \"{id}\"\n{more}\n")).collect();
    vec![(RULE, format!("{rule}\n{QUALIFIED}")), ("[scores]", format!("{sections}[scores]"))]
}

fn edited(edits: &[(&'static str, String)]) -> Inputs {
    let edits: Vec<(&str, &str)> = edits.iter().map(|(from, to)| (*from, to.as_str())).collect();
    study(&edits)
}

#[test]
fn labels_that_came_are_compared_with_the_computed_ones_and_change_nothing() {
    let edit = format!("{QUALIFIED}\n{CAME}");
    let inputs = study(&[(QUALIFIED, &edit)]).with("labels.csv", LABELS);
    let derived = inputs.derived();
    assert_eq!(derived.results.consensus.positive, study(&[]).derived().results.consensus.positive);
    let compared = derived.results.consensus.compared.as_ref().expect("labels came");
    let difference = |id: &str, computed: &str, level: &str, label: &str| LabelDifference {
        case_id: id.to_owned(),
        computed: computed.to_owned(),
        level: level.to_owned(),
        label: label.to_owned(),
    };
    assert_eq!((compared.source.as_str(), compared.compared), ("the report", 6));
    assert_eq!((compared.without_consensus, compared.without_label), (1, 2));
    assert_eq!(
        compared.differences,
        [
            difference("c02", "negative", "unanimous", "positive"),
            difference("c05", "positive", "incomplete", "negative"),
        ]
    );
    assert_eq!(
        text(&derived, "reference-differences.csv"),
        "case_id,consensus,basis,label_that_came\nc02,negative,unanimous,positive\n\
         c05,positive,incomplete,negative\n"
    );
    let differs = "the computed reference standard differs from the label that came with the reads (the \
                   report) on 2 of 7 cases";
    assert!(said(&derived.warnings).contains(&(Code::ReferenceDiffers, differs)), "{:?}", derived.warnings);
    let same = LABELS.replace("c02,1", "c02,0").replace("c05,0", "c05,1");
    let derived = inputs.with("labels.csv", same).derived();
    assert!(derived.warnings.iter().all(|w| w.code != Code::ReferenceDiffers));
    assert_eq!(text(&derived, "reference-differences.csv").lines().count(), 1);
    let plain = study(&[]).derived();
    assert_eq!(plain.results.consensus.compared, None);
    assert!(!plain.files.contains_key(&path("reference-differences.csv")));
}

#[test]
fn a_given_reference_standard_is_the_label_of_its_table() {
    let inputs = study(&[(RULE, GIVEN)]).with("labels.csv", LABELS);
    let derived = inputs.derived();
    let summary = &derived.results.consensus;
    assert_eq!((summary.given, summary.none, summary.unanimous), (7, 2, 0));
    assert_eq!((summary.positive, summary.negative), (4, 3));
    assert_eq!(summary.cases_without, ["c08", "c12"]);
    assert!(text(&derived, "reference.csv").contains("\nc02,0,0,0,0,positive,given\n"));
    // Nobody reads: the readers' files that lie there are none of this study.
    assert_eq!((derived.results.readers.len(), derived.results.agreement.len()), (0, 0));
    assert!(derived.results.estimates.iter().all(|e| e.scenario != Some(Scenario::UnanimousOnly)));
    assert!(derived.results.estimates.iter().any(|e| e.scenario == Some(Scenario::BestCase)));
    let warning = derived.results.warnings.iter().find(|w| w.code == Code::NoConsensus).expect("a warning");
    assert_eq!(warning.message, "2 of 9 cases have no reference standard.");

    let refused = study(&[(RULE, GIVEN), ("seed = 7", "seed = 7\nno_consensus = \"refuse\"")]);
    let problem = refused.with("labels.csv", LABELS).problem();
    assert_eq!(problem.message, "the reference standard is missing for 2 of 9 cases: c08, c12");
    // A table of other cases is not one of a study without labels.
    let other = "case_id,label\nx1,1\nC-01,0\nC01,1\n";
    let problem = study(&[(RULE, GIVEN)]).with("labels.csv", other).problem();
    assert_eq!((problem.code, problem.location), (Code::LabelsMissing, Some(Location::file("labels.csv"))));
    assert_eq!(
        problem.message,
        "the table has no label for any of the 9 cases; `C01` has one, and `c01` is probably meant: ids are \
         compared as they stand"
    );
    let problem = study(&[(RULE, GIVEN)]).with("labels.csv", "case_id,label\nx1,1\n").problem();
    assert_eq!(problem.message, "the table has no label for any of the 9 cases");
    assert_eq!(study(&[(RULE, GIVEN)]).problem().code, Code::FileMissing);
    let wrong = study(&[(RULE, GIVEN)]).with("labels.csv", LABELS.replace("c04,0", "c04,maybe")).problem();
    assert_eq!(wrong.code, Code::ReadUnknown);
}

#[test]
fn an_adjudicator_decides_what_the_readers_leave_open_and_is_no_reader_of_the_study() {
    let readers =
        [("r1", "role = \"reference\""), ("r2", "role = \"reference\""), ("r3", "role = \"adjudicator\"")];
    let edits = with_readers("rule = \"adjudicated\"\nadjudicate = \"disagreement\"", &readers);
    let derived = edited(&edits).derived();
    // r1 and r2 agree but for c07, where r3 could not decide; c03 is theirs, whatever r3 says.
    assert_eq!(
        text(&derived, "reference.csv"),
        "case_id,positive_reads,negative_reads,indeterminate_reads,set_aside,adjudication,consensus,basis\n\
         c01,2,0,0,0,positive,positive,unanimous\nc02,0,2,0,0,negative,negative,unanimous\n\
         c03,2,0,0,0,negative,positive,unanimous\nc04,0,2,0,0,positive,negative,unanimous\n\
         c05,2,0,0,0,,positive,unanimous\nc06,0,2,0,0,negative,negative,unanimous\n\
         c07,1,1,0,0,indeterminate,none,none\nc08,2,0,0,0,positive,positive,unanimous\n\
         c12,0,0,0,0,,none,none\n"
    );
    let decided = edited(&edits).changed("reads/r3.csv", "c07,r3,indeterminate", "c07,r3,positive").derived();
    assert!(text(&decided, "reference.csv").contains("c07,1,1,0,0,positive,positive,adjudicated\n"));
    assert_eq!(decided.results.consensus.adjudicated, 1);
    let ids: Vec<_> = decided.results.readers.iter().map(|r| (r.id.as_str(), r.missing)).collect();
    assert_eq!(ids, [("r1", Some(1)), ("r2", Some(1)), ("r3", None)], "what an adjudicator reads is chosen");

    let more = [&readers[..], &[("r4", "role = \"adjudicator\"")]].concat();
    let edits = with_readers("rule = \"adjudicated\"\nadjudicate = \"disagreement\"", &more);
    let with =
        |read: &str| edited(&edits).with("reads/r4.csv", format!("case_id,reader_id,read\nc07,r4,{read}\n"));
    let problem = with("positive").problem();
    assert_eq!(
        (problem.code, problem.message.as_str()),
        (Code::AdjudicatorsDisagree, "the adjudicators of the case `c07` do not say the same")
    );
    assert_eq!(text(&with("indeterminate").derived(), "reference.csv"), text(&derived, "reference.csv"));
}

#[test]
fn readers_beside_the_device_have_no_vote_and_the_ignored_are_counted_alone() {
    let readers = [
        ("r1", "role = \"reference\"\nyears = 7\nspecialty = \"thorax\""),
        ("r2", "role = \"comparison\"\nlabelled_training_data = true"),
        ("r3", "role = \"ignored\"\nlabelled_training_data = true"),
        ("r4", "role = \"comparison\""),
        ("r5", "role = \"ignored\""),
    ];
    let derived = edited(&with_readers("rule = \"majority\"", &readers)).derived();
    assert!(text(&derived, "reference.csv").contains("\nc03,1,0,0,0,positive,unanimous\n"));
    let rows: Vec<_> = derived
        .results
        .readers
        .iter()
        .map(|r| (r.id.as_str(), r.role, r.reads, r.positive, r.missing))
        .collect();
    let (reference, comparison, ignored) =
        (ReaderRole::Reference, ReaderRole::Comparison, ReaderRole::Ignored);
    assert_eq!(
        rows,
        [
            ("r1", Some(reference), 8, 5, Some(1)),
            ("r2", Some(comparison), 8, 4, Some(1)),
            ("r3", Some(ignored), 7, 0, None),
            ("r4", Some(comparison), 0, 0, Some(9)),
            ("r5", Some(ignored), 0, 0, None),
        ]
    );
    let first = &derived.results.readers[0];
    assert_eq!((first.years, first.specialty.as_deref()), (Some(7.0), Some("thorax")));
    assert_eq!(first.qualification, None);
    assert!(!first.labelled_training_data && derived.results.readers[1].labelled_training_data);
    assert_eq!(
        said(&derived.warnings),
        [
            (
                Code::ReaderLabelledTraining,
                "the comparison reader r2 labelled data that the device was trained on"
            ),
            (Code::ReaderWithoutReads, "the declared comparison reader r4 read no case"),
        ],
        "what an ignored reader did is no matter of the study"
    );
    // The comparison reader beside the reference standard, on the seven cases that both judged.
    let beside = derived.results.beside_readers.as_ref().expect("a comparison reader");
    let r2 = beside.readers.iter().find(|reader| reader.reader == "r2").expect("r2");
    let counts = |share: &results::ShareBeside| (share.reader.numerator, share.reader.denominator);
    assert_eq!(counts(&r2.sensitivity), (Some(4), Some(5)));
    assert_eq!(counts(&r2.specificity), (Some(3), Some(3)));
    // A declared reference reader who read nothing stops the study where readers are fixed.
    let silent = [
        ("r1", "role = \"reference\""),
        ("r2", "role = \"reference\""),
        ("r3", "role = \"ignored\""),
        ("r9", "role = \"reference\""),
    ];
    let problem = edited(&with_readers("rule = \"majority\"", &silent)).problem();
    assert_eq!(
        (problem.code, problem.message.as_str()),
        (Code::ReaderCount, "1 declared reference readers read no case: r9")
    );
    let free = with_readers("rule = \"majority\"\nfixed_readers = false\nminimum_agreeing = 1", &silent);
    let derived = edited(&free).derived();
    assert!(
        said(&derived.warnings)
            .contains(&(Code::ReaderWithoutReads, "the declared reference reader r9 read no case"))
    );
    assert!(derived.results.readers.iter().all(|r| r.missing.is_none()));
}

#[test]
fn cases_are_counted_by_the_number_of_their_reads_where_readers_differ_by_case() {
    let free = "readers = 3\nrule = \"majority\"\nqualification = \"radiologist\"\nfixed_readers = false\n\
                repeated_read = \"set-aside\"";
    let inputs = study(&[(RULE, free)]);
    let inputs = inputs.changed("reads/r3.csv", "c02,r3,negative\n", "c02,r3,negative\nc02,r3,positive\n");
    let derived = inputs.derived();
    let numbers = |derived: &Derived| -> Vec<_> {
        let of = |n: &ReadsPerCase| (n.reads, n.cases);
        derived.results.consensus.reads_per_case.iter().map(of).collect()
    };
    // c12 was not read, c05 by two; what was set aside was read.
    assert_eq!(numbers(&derived), [(0, 1), (2, 1), (3, 7)]);
    let repeated = &derived.results.consensus.repeated;
    let [one] = &repeated[..] else { panic!("{repeated:?}") };
    assert_eq!((one.case_id.as_str(), one.reader_id.as_str(), one.reads), ("c02", "r3", 2));
    assert_eq!(one.counts_as, None);
    assert_eq!(numbers(&study(&[]).derived()), [], "the same readers read every case");
    // Readers without a vote make no read of the reference standard.
    let readers =
        [("r1", "role = \"reference\""), ("r2", "role = \"reference\""), ("r3", "role = \"comparison\"")];
    let two = with_readers(
        "rule = \"majority\"\nfixed_readers = false\nminimum_agreeing = 1\nrepeated_read = \"set-aside\"",
        &readers,
    );
    let inputs =
        edited(&two).changed("reads/r3.csv", "c02,r3,negative\n", "c02,r3,negative\nc02,r3,positive\n");
    assert_eq!(numbers(&inputs.derived()), [(0, 1), (2, 8)]);
    // An excluded case is no case of the study, and what was said of it twice is not listed.
    let more = "case_id,reader_id,read\nc09,r1,positive\nc09,r1,negative\n";
    let derived = study(&[(RULE, free)]).with("reads/more.csv", more).derived();
    assert_eq!(
        (numbers(&derived), derived.results.consensus.repeated.len()),
        (vec![(0, 1), (2, 1), (3, 7)], 0)
    );
}

#[test]
fn the_reference_standard_for_people_says_who_said_what() {
    let edit = format!("{QUALIFIED}\n{CAME}\nrepeated_read = \"set-aside\"");
    let inputs = study(&[(QUALIFIED, &edit)]).with("labels.csv", LABELS);
    let inputs = inputs
        .changed("reads/r3.csv", "c02,r3,negative\n", "c02,r3,negative\nc02,r3,positive\n")
        .changed("reads/r3.csv", "c06,r3,negative\n", "c06,r3,uninterpretable\n");
    let cohort = cohort(&inputs).expect("a cohort");
    let standard = reference_standard(&inputs, &cohort).expect("a standard");
    let table = String::from_utf8(reference_table(&cohort, &standard)).expect("text");
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(
        lines[0],
        "case_id,reference,level,reason_for_none,positive_reads,negative_reads,indeterminate_reads,\
         uninterpretable_reads,set_aside,adjudication,label_that_came,readers"
    );
    assert_eq!(
        lines[2],
        "c02,negative,incomplete,,0,2,0,0,1,,positive,r1=negative; r2=negative; r3=set aside"
    );
    assert_eq!(
        lines[6],
        "c06,negative,incomplete,,0,2,0,1,0,,negative,r1=negative; r2=negative; r3=uninterpretable"
    );
    assert_eq!(lines[7], "c07,none,none,tie,1,1,1,0,0,,positive,r1=positive; r2=negative; r3=indeterminate");
    assert_eq!(lines[9], "c12,none,none,no-vote,0,0,0,0,0,,,");
    // A column of reads that could not be read stands where there are any.
    let derived = inputs.derived();
    let header = "case_id,positive_reads,negative_reads,indeterminate_reads,uninterpretable_reads,set_aside,";
    assert!(text(&derived, "reference.csv").starts_with(header));
    assert!(text(&derived, "reference.csv").contains("\nc06,0,2,0,1,0,negative,incomplete\n"));
    let readers =
        [("r1", "role = \"reference\""), ("r2", "role = \"comparison\""), ("r3", "role = \"ignored\"")];
    let inputs = edited(&with_readers("rule = \"majority\"", &readers));
    let cohort = super::cohort(&inputs).expect("a cohort");
    let standard = reference_standard(&inputs, &cohort).expect("a standard");
    let table = String::from_utf8(reference_table(&cohort, &standard)).expect("text");
    assert!(table.contains(",r1=positive; r2=positive (comparison)\n"), "{table}");
}

#[test]
fn what_is_said_of_many_files_is_said_once_with_their_number() {
    let empty = "case_id,reader_id,read\nc01,r1,\n";
    let none = |inputs: &Inputs| {
        let derived = inputs.derived();
        let of = |w: &&Diagnostic| w.code == Code::ReadsNone;
        let found = derived.warnings.iter().filter(of).map(|w| (w.message.clone(), w.location.clone()));
        found.collect::<Vec<_>>()
    };
    let told = |message: &str| vec![(message.to_owned(), Some(Location::file("reads/e1.csv")))];
    let inputs = study(&[]).with("reads/e1.csv", empty);
    assert_eq!(none(&inputs), told("no read stands in this file"));
    let inputs = inputs.with("reads/e2.csv", empty).with("reads/e3.csv", empty);
    assert_eq!(none(&inputs), told("no read stands in this file; the same of 2 more files"));
    assert_eq!(none(&study(&[])), []);
}

#[test]
fn a_readers_file_is_one_that_a_pattern_matches_and_nothing_else_names() {
    let edit = format!("{RULE}\nreaders_file = \"reads/readers.csv\"\n{CAME}")
        .replace("labels.csv", "reads/labels.csv");
    let edit = edit.replace("readers = 3\n", "");
    let reads = "[reads]\nfiles = [\"reads/*.csv\", \"more/one.csv\"]\nrows = \"boxes\"\n\
                 read_list = \"reads/list.csv\"\n[scores]";
    let inputs = study(&[(RULE, &edit), ("[scores]", reads)]);
    let protocol = &inputs.protocol;
    assert_eq!(register_path(protocol), Some(path("reads/imports.json")));
    for (name, reads, reference) in [
        ("reads/r1.csv", true, true),
        ("more/one.csv", true, true),
        ("reads/readers.csv", false, true),
        ("reads/labels.csv", false, true),
        ("reads/list.csv", false, true),
        ("reads/imports.json", false, true),
        ("more/imports.json", false, false),
        ("reads/old/r1.csv", false, false),
        ("scores.csv", false, false),
    ] {
        assert_eq!(is_reads_file(protocol, &path(name)), reads, "{name}");
        assert_eq!(is_reference_file(protocol, &path(name)), reference, "{name}");
    }
    // A file that is named as it stands is read, also where it is the register's neighbour by pattern.
    let named = study(&[("[scores]", "[reads]\nfiles = \"one.csv\"\n[scores]")]);
    assert_eq!(register_path(&named.protocol), Some(path("imports.json")));
    assert!(is_reads_file(&named.protocol, &path("one.csv")));
    assert!(is_reference_file(&named.protocol, &path("imports.json")));
    let given = study(&[(RULE, GIVEN)]);
    assert!(!is_reads_file(&given.protocol, &path("reads/r1.csv")), "nobody reads");
    assert!(is_reference_file(&given.protocol, &path("labels.csv")));
}

fn import(file: &str, bytes: &[u8], supersedes: Option<&str>) -> Import {
    Import {
        file: path(file),
        sha256: Digest::of(bytes),
        at: "2026-01-01T00:00:00Z".to_owned(),
        by: None,
        role: None,
        blinding: None,
        withheld: None,
        correction: supersedes.map(|old| Correction {
            supersedes: path(old),
            reason: "a typing error".to_owned(),
            reads: Vec::new(),
            reference: Vec::new(),
        }),
    }
}

#[test]
fn imported_files_count_until_another_one_takes_their_place() {
    let inputs = study(&[]).with("reads/r4.csv", reads("r3", "NNNP-NIP"));
    let bytes = |name: &str| inputs.files[&path(name)].clone();
    let imports = ["reads/r1.csv", "reads/r3.csv"].map(|name| import(name, &bytes(name).read(), None));
    let correction = import("reads/r4.csv", &bytes("reads/r4.csv").read(), Some("reads/r3.csv"));
    let imports = imports.into_iter().chain([correction]).collect();
    let register = Register { imports, ..Register::default() };
    let inputs = inputs.clone().with("reads/imports.json", register.to_bytes());
    let files = imports::readers_files(&inputs).expect("files");
    let counting: Vec<_> = files.counting.keys().map(ToString::to_string).collect();
    assert_eq!(counting, ["reads/r1.csv", "reads/r2.csv", "reads/r4.csv"]);
    assert_eq!(files.register, register);
    let places: Vec<_> = files.warnings.iter().map(|w| (w.code, w.location.clone())).collect();
    assert_eq!(places, [(Code::ReadsUnregistered, Some(Location::file("reads/r2.csv")))]);
    // The corrected read is the one that votes, and the warning reaches whoever reads the results.
    let derived = inputs.derived();
    assert!(text(&derived, "reference.csv").contains("\nc01,2,1,0,0,positive,majority\n"));
    assert!(derived.warnings.iter().any(|w| w.code == Code::ReadsUnregistered));
    // A file that is not the one that came in stops everything.
    let problem = inputs.changed("reads/r1.csv", "c01,r1,positive", "c01,r1,negative").problem();
    assert_eq!((problem.code, problem.location), (Code::ReadsReplaced, Some(Location::file("reads/r1.csv"))));
    let plain = study(&[]);
    let files = imports::readers_files(&plain).expect("files");
    assert_eq!((files.counting.len(), files.warnings.len(), files.register), (3, 0, Register::default()));
}

#[test]
fn calibration_is_estimated_with_an_interval_that_respects_patients() {
    let of = |derived: &Derived| -> Vec<_> {
        let found = derived.results.estimates.iter().filter(|e| e.id == "brier" && e.subgroup.is_none());
        found.map(|e| (e.value, e.intervals.iter().map(|i| i.method).collect::<Vec<_>>())).collect()
    };
    // Scores of positives 1, .7, .4, of negatives .2, .6, .1.
    let brier = (0.0 + 0.09 + 0.36 + 0.04 + 0.36 + 0.01) / 6.0;
    let (single, clustered) =
        (study(&[]).derived(), study(&[]).changed("cases.csv", "c06,p6", "c06,p2").derived());
    for (derived, method) in
        [(&single, IntervalMethod::Wald), (&clustered, IntervalMethod::BootstrapPercentile)]
    {
        let found = of(derived);
        let [(value, methods)] = &found[..] else { panic!("{found:?}") };
        assert!((value.expect("a value") - brier).abs() < 1e-12, "{value:?}");
        assert!(methods.iter().all(|m| *m == method), "{methods:?}");
        for id in ["calibration_in_the_large", "calibration_intercept", "calibration_slope"] {
            assert_eq!(derived.results.estimates.iter().filter(|e| e.id == id).count(), 1, "{id}");
        }
    }
}

#[test]
fn sites_are_told_apart_and_those_that_are_not_recorded_are_one() {
    let derived = study(&[]).changed("cases.csv", "c04,p4,M,60,PA,0,south", "c04,p4,M,60,PA,0,").derived();
    let pooled = derived.results.poolability.as_ref().expect("sites");
    let names: Vec<_> = pooled.sites.iter().map(|site| site.site.as_str()).collect();
    assert_eq!(names, ["north", "south", "not recorded"]);
    let one = CASES.replace("south", "north").replace("PA,0,\n", "PA,0,north\n");
    assert_eq!(study(&[]).with("cases.csv", one).derived().results.poolability, None);
}

#[test]
fn what_was_planned_stands_beside_what_was_achieved() {
    let edits = [
        ("[reference_standard]", "[sample]\ncases = 9\npositives = 4\nseed = 2\n[reference_standard]"),
        (
            "criterion = \"lower > 0.05\"\n[[endpoint]]\nid = \"seen\"",
            "criterion = \"upper < 0.9\"\n[[endpoint]]\nid = \"seen\"",
        ),
    ];
    let derived = study(&edits).derived();
    let sizes = &derived.results.sample_sizes;
    let [one] = &sizes[..] else { panic!("a lower bound of sensitivity alone: {sizes:?}") };
    assert_eq!((one.endpoint.as_str(), one.planned, one.power), ("found", Some([4, 5]), 0.9));
    assert_eq!(one.analysed, [derived.results.flow.positives, derived.results.flow.negatives]);
    let interval = endpoint(&derived, "found").interval.as_ref().expect("an interval");
    assert_eq!(one.half_width, Some((interval.upper - interval.lower) / 2.0));
    let plain = study(&[]).derived();
    let ids: Vec<_> = plain.results.sample_sizes.iter().map(|s| (s.endpoint.as_str(), s.planned)).collect();
    assert_eq!(ids, [("found", None), ("cleared", None)], "no criterion, nothing to show");
    // Three of three found have .292 as their lower limit (.025 to the power of 1/3): a goal of .2 can be
    // shown, and is with a probability of 90 % from a share of .9 to the power of 1/3 on.
    let goal = [("criterion = \"lower > 0.05\"", "criterion = \"lower > 0.2\"")];
    let shown = study(&goal).derived().results.sample_sizes[0].shown_from.expect("a share");
    assert!((shown - 0.9_f64.powf(1.0 / 3.0)).abs() < 1e-6, "{shown}");
    let high = [("criterion = \"lower > 0.05\"", "criterion = \"lower > 0.3\"")];
    assert_eq!(study(&high).derived().results.sample_sizes[0].shown_from, None, "three of three show no .3");
}

#[test]
fn a_stand_in_that_is_there_already_is_not_shown_twice_and_one_of_the_quoted_level_stands_first() {
    // Wilson of 3 of 3 sees no spread: Clopper and Pearson stands in, which every share has beside it.
    let wilson = [("interval = \"clopper-pearson\"\ncriterion", "interval = \"wilson\"\ncriterion")];
    let all = |edits: &[(&str, &str)]| study(edits).changed("scores.csv", "c05,0.4", "c05,0.65").derived();
    let exact = |derived: &Derived| -> Vec<_> {
        let intervals = &overall(derived, "sensitivity").intervals;
        let places = intervals.iter().enumerate().filter(|(_, i)| i.method == IntervalMethod::ClopperPearson);
        places.map(|(place, i)| (place, i.level)).collect()
    };
    let derived = all(&wilson);
    assert_eq!(
        endpoint(&derived, "found").fallback.as_ref().map(|f| f.rule),
        Some(Fallback::EffectiveNumber)
    );
    assert_eq!(exact(&derived).len(), 1);
    // Where claims share the level, the one that decided comes after those that are quoted.
    let shared = [wilson[0], ("seed = 7", "seed = 7\nmultiplicity = \"bonferroni\"")];
    let derived = all(&shared);
    let found = exact(&derived);
    let last = overall(&derived, "sensitivity").intervals.len() - 1;
    assert!(
        found.contains(&(last, 0.975)) && found.iter().any(|(place, level)| *place < last && *level == 0.95),
        "{found:?}"
    );
}

#[test]
fn where_no_other_interval_can_decide_that_is_said() {
    // All cases are of one patient: no pair of a positive and a negative is independent of another.
    let one: String = CASES
        .lines()
        .enumerate()
        .map(|(row, line)| match line.split_once(",p") {
            Some((id, rest)) if row > 0 => {
                let (_, rest) = rest.split_once(',').expect("more columns");
                format!("{id},p1,{rest}\n")
            }
            _ => format!("{line}\n"),
        })
        .collect();
    let derived = study(&[]).with("cases.csv", one).derived();
    let seen = endpoint(&derived, "seen");
    assert_eq!(seen.interval, None);
    assert_eq!(
        seen.fallback.as_ref().map(|f| (f.rule, f.reason)),
        Some((Fallback::EffectiveNumber, Code::ClusteringIgnored))
    );
    let warning = derived
        .results
        .warnings
        .iter()
        .find(|w| w.code == Code::FallbackDecided && w.message.starts_with("seen,"));
    let message = &warning.expect("a warning").message;
    assert!(message.ends_with("; no other interval can decide on these cases."), "{message}");
}
