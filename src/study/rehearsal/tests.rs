use super::*;
use crate::study::{Step, cohort, derive, needed_files, read_scores};

/// The protocol of experiment 2A with few replicates: what an interval is has no part here.
fn protocol() -> String {
    include_str!("../../../protocols/pneumonia-exp2a.toml")
        .replace("replicates = 2000", "replicates = 100")
        .replace("cases = 1000", "cases = 600")
        .replace("positives = 500", "positives = 300")
}

/// Cases of patients with two images each, every second patient positive.
fn cases(count: usize) -> String {
    let mut text = "case_id,patient_id,sex,age_years,view,modality,body_part,site,manufacturer,\
                    days_since_prior_finding,label\n"
        .to_owned();
    for i in 0..count {
        let _ = writeln!(text, "C{i:04},P{:04},F,{},PA,DX,CHEST,A,M,,{}", i / 2, 20 + i % 50, (i / 2) % 2);
    }
    text
}

fn inputs(text: &str, files: &[(&str, String)]) -> Inputs {
    let files = files.iter().map(|(name, text)| (name.parse().expect("a path"), text.clone().into()));
    Inputs {
        protocol: crate::protocol::parse(Path::new("p"), text).expect("valid"),
        files: files.collect(),
        lock: None,
        manifests: Files::new(),
        program_version: "0".to_owned(),
    }
}

const QUALITY: Quality = Quality {
    device: Separation::AtPoint { sensitivity: 0.9, specificity: 0.8 },
    reader_accuracy: 0.95,
    prevalence: 0.3,
    seed: 3,
};

/// The rehearsal as inputs of a study, and everything derived of it.
fn rehearsed(text: &str, files: &[(&str, String)], quality: &Quality) -> (Inputs, crate::study::Derived) {
    let given = inputs(text, files);
    let drawn = cohort(&given).expect("a cohort");
    let rehearsal = rehearse(text, &given, &drawn, quality).expect("a rehearsal");
    let mut of = inputs(&rehearsal.protocol, &[]);
    for path in &rehearsal.taken {
        of.files.insert(path.clone(), given.files[path].clone());
    }
    of.files.extend(rehearsal.simulated.clone());
    let needed = needed_files(&of.protocol, Step::All);
    for pattern in &needed {
        assert!(of.files.keys().any(|path| crate::study::matches(pattern, path.as_str())), "{pattern}");
    }
    let derived = derive(&of).expect("derives");
    (of, derived)
}

#[test]
fn a_rehearsal_has_the_quality_that_was_declared_and_says_what_it_is() {
    let text =
        protocol().replace("cases = 600", "cases = 1600").replace("positives = 300", "positives = 800");
    let files = [("cases.csv", cases(2400))];
    let (of, derived) = rehearsed(&text, &files, &QUALITY);
    let results = &derived.results;
    assert!(results.study.rehearsal && of.protocol.study.id.ends_with("-rehearsal"));
    assert!(results.warnings.iter().any(|warning| warning.code == Code::Rehearsal));
    let value = |id: &str| results.estimates.iter().find(|e| e.id == id).and_then(|e| e.value).expect(id);
    // The reference standard is what most of three readers say, so it errs in under 1 % of cases.
    assert!((value("sensitivity") - 0.9).abs() < 0.04, "{}", value("sensitivity"));
    assert!((value("specificity") - 0.8).abs() < 0.04, "{}", value("specificity"));
    let (_, again) = rehearsed(&text, &files, &QUALITY);
    assert_eq!(again.files, derived.files, "the same seed gives the same bytes");
    let (_, other) = rehearsed(&text, &files, &Quality { seed: 4, ..QUALITY });
    assert_ne!(other.files, derived.files);
}

#[test]
fn a_study_that_is_no_rehearsal_refuses_what_was_simulated() {
    let (mut of, _) = rehearsed(&protocol(), &[("cases.csv", cases(800))], &QUALITY);
    of.protocol.study.rehearsal = false;
    assert_eq!(read_scores(&of).expect_err("refused").diagnostics()[0].code, Code::RehearsalData);
    assert_eq!(derive(&of).expect_err("refused").diagnostics()[0].code, Code::RehearsalData);
}

#[test]
fn every_kind_of_reference_standard_and_operating_point_can_be_rehearsed() {
    let cases = cases(800);
    let rule = "rule = \"majority\"\nminimum_agreeing = 2             # two agreeing reads make a consensus \
                ...\n\
                require_all_readers = false      # ... also when the third is missing or indeterminate\n";
    let declared = protocol();
    assert!(declared.contains(rule));
    let reader = |id: &str, role: &str| {
        format!("[[reader]]\nid = \"{id}\"\nrole = \"{role}\"\nqualification = \"radiologist\"\n")
    };
    let panel = declared
        .replace(rule, "rule = \"panel\"\n")
        .replace("readers = 3\n", "")
        .replace("indeterminate = \"no-vote\"", "# indeterminate")
        + &reader("panel", "adjudicator")
        + &reader("other", "comparison");
    let adjudicated = declared
        .replace(rule, "rule = \"adjudicated\"\nadjudicate = \"disagreement\"\n")
        .replace("readers = 3\n", "")
        + &reader("a", "reference")
        + &reader("b, c", "reference")
        + &reader("d", "adjudicator");
    let given = declared
        .replace(
            rule,
            "rule = \"given\"\ngiven = { file = \"labels/*.xlsx\", label_column = \"l\", source = \"a \
             registry\" }\n",
        )
        .replace("readers = 3\n", "")
        .replace("[reads]\nfiles = [\"reads/*.csv\"]          # case_id, reader_id, read\n", "");
    let tuned = declared
        .replace("source = \"lock\"", "source = \"tuning\"\ncases = \"tuning.csv\"\nrule = \"youden\"");
    let elsewhere = declared
        .replace("source = \"lock\"", "source = \"declared\"\nthreshold = 0.2\nrationale = \"why\"")
        + "\n[scores]\nfile = \"device/out.csv\"\ncase_column = \"image, id\"\ncolumns = [\"p1\", \
           \"p2\"]\ncombine = \"noisy-or\"\n";
    let tuning = cases.replace("\nC", "\nT").replace(",P", ",Q");
    for (name, text) in [
        ("panel", panel),
        ("adjudicated", adjudicated),
        ("given", given),
        ("tuned", tuned),
        ("elsewhere", elsewhere),
    ] {
        let files = [("cases.csv", cases.clone()), ("tuning.csv", tuning.clone())];
        let parsed = crate::protocol::parse(Path::new("p"), &text);
        assert!(parsed.is_ok(), "{name}: {parsed:?}");
        let (_, derived) = rehearsed(&text, &files, &QUALITY);
        let value = |id: &str| derived.results.estimates.iter().find(|e| e.id == id).and_then(|e| e.value);
        let auc = value("auc").expect("an AUC");
        assert!((0.86..0.99).contains(&auc), "{name}: {auc}");
    }
}

#[test]
fn a_reader_study_is_rehearsed_in_each_design() {
    for (design, more) in [
        (
            "crossed",
            "order = \"crossover\"\nwashout_days = 28\ncase_map = { file = \"codes.csv\", id_column = \
             \"code\" }",
        ),
        ("nested", ""),
        ("split-plot", "order = \"sequential\""),
    ] {
        let declared = format!(
            "[reader_study]\nfiles = [\"ratings/*.csv\"]\nunaided = \"without\"\naided = \"with\"\n\
             design = \"{design}\"\ntime_column = \"read_at\"\nseconds_column = \"s\"\n\
             scale = {{ min = 1, max = 100, positive_from = 50 }}\n{more}\n"
        );
        let endpoint = "[[endpoint]]\nid = \"helps\"\nmetric = \"auc\"\nrole = \"secondary\"\n\
                        against = \"unaided-readers\"\naim = \"superiority\"\n";
        let text = format!("{}\n{declared}{endpoint}", protocol());
        let text = text.replace("cases = 600", "cases = 200").replace("positives = 300", "positives = 100");
        let (of, derived) = rehearsed(&text, &[("cases.csv", cases(400))], &QUALITY);
        let found = derived.results.reader_study.expect("a reader study");
        assert_eq!(found.missing, 0, "{design}");
        assert!(of.protocol.reader_study.is_some_and(|source| source.case_map.is_none()));
        let helps = derived.results.comparisons.iter().find(|c| c.id == "helps").expect("an endpoint");
        assert!(helps.difference.is_some_and(|d| d > -0.05 && d < 0.2), "{design} {helps:?}");
        assert!(helps.interval.is_some(), "{design} {helps:?}");
    }
}
