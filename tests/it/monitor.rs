//! Monitoring of a device in use: sealing, batches, alarms, reports and what is refused.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{Ran, bundle_copy, by_the_clock, files, sequester};

/// Park and Miller's generator (1988), so that months are the same everywhere.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0 * 16_807 % 2_147_483_647;
        self.0 as usize % n
    }
}

/// A plan in a folder, sealed with the evidence of `fixtures/evidence`.
struct Watch {
    folder: tempfile::TempDir,
    bundle: PathBuf,
    evidence: tempfile::TempDir,
    /// Score, age, sex of one case of each patient.
    cases: Vec<(f64, String, String)>,
}

const PLAN: &str = include_str!("../../protocols/monitoring-demo.toml");

impl Watch {
    fn unsealed(plan: &str) -> Self {
        let (bundle_folder, bundle) = bundle_copy(2, "scored-elsewhere");
        let folder = tempfile::tempdir().expect("a folder");
        std::fs::write(folder.path().join("monitoring.toml"), plan).expect("writes");
        Self { folder, bundle, evidence: bundle_folder, cases: Vec::new() }
    }

    fn sealed(plan: &str) -> Self {
        let mut watch = Self::unsealed(plan);
        let bundle = watch.bundle.display().to_string();
        watch.says("seal", &["--bundle", &bundle], 0);
        let mut reader = csv::Reader::from_path(watch.file("cohort.csv")).expect("opens");
        let mut seen = std::collections::BTreeSet::new();
        for row in reader.records() {
            let row = row.expect("a row");
            if !row[1].is_empty() && seen.insert(row[0].to_owned()) {
                let score = row[1].parse().expect("a score");
                watch.cases.push((score, row[3].to_owned(), row[4].to_owned()));
            }
        }
        watch
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, command: &str, more: &[&str]) -> Ran {
        let place = self.folder.path().display().to_string();
        sequester(&[&["monitor", command, place.as_str()], more].concat())
    }

    fn says(&self, command: &str, more: &[&str], code: i32) -> Ran {
        let ran = self.run(command, more);
        assert_eq!(ran.code, code, "monitor {command} {more:?}: {}{}", ran.stdout, ran.stderr);
        ran
    }

    fn json(&self, command: &str, more: &[&str], code: i32) -> Value {
        let ran = self.says(command, &[more, &["--json"]].concat(), code);
        serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {}", ran.stdout))
    }

    /// A month of 150 cases drawn from the validation's; `moved`: what share of its way to 1 a score goes.
    fn month(&self, name: &str, moved: f64, labels: bool) -> String {
        let seed = name[5..].parse::<u64>().expect("a month") * 7919 + 11;
        let mut draw = Draw(seed);
        let mut text = "case_id,patient_id,score,refused,study_date,age,sex".to_owned();
        text += if labels { ",label\n" } else { "\n" };
        for row in 0..150 {
            let (score, age, sex) = &self.cases[draw.below(self.cases.len())];
            let score = score + moved * (1.0 - score);
            let day = 1 + draw.below(28);
            text += &format!("{name}-{row},P{name}-{row},{score:.4},,{name}-{day:02},{age},{sex}");
            if labels {
                text += &format!(",{}", u8::from((draw.below(100) as f64) < 100.0 * score));
            }
            text.push('\n');
        }
        text
    }

    fn batch(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(format!("given-{name}.csv"));
        std::fs::write(&path, text).expect("writes");
        path.display().to_string()
    }

    fn add(&self, name: &str, moved: f64, code: i32) {
        let batch = self.batch(name, &self.month(name, moved, false));
        self.says("add", &[&batch], code);
    }
}

/// A sealed plan with three batches, the second with an alarm that was answered, in its folder; and the
/// evidence that it was sealed with, in the folder that goes with it.
pub fn three_months() -> (tempfile::TempDir, tempfile::TempDir, PathBuf) {
    let watch = Watch::sealed(PLAN);
    watch.add("2026-01", 0.0, 0);
    watch.add("2026-02", 0.4, 10);
    watch.says("answer", &["--month", "2026-02", "--reason", "a new scanner; its protocol was mended"], 0);
    watch.add("2026-03", 0.0, 0);
    for month in 1..=3 {
        std::fs::remove_file(watch.file(&format!("given-2026-0{month}.csv"))).expect("was there");
    }
    (watch.folder, watch.evidence, watch.bundle)
}

#[test]
fn a_planted_shift_is_found_in_the_month_it_happens_and_answered() {
    let watch = Watch::sealed(PLAN);
    for (month, moved, code) in [
        ("2026-01", 0.0, 0),
        ("2026-02", 0.0, 0),
        ("2026-03", 0.0, 0),
        ("2026-04", 0.4, 10),
        ("2026-05", 0.0, 0),
    ] {
        watch.add(month, moved, code);
    }
    let status = watch.json("status", &[], 10);
    assert_eq!(status["unanswered"], serde_json::json!(["2026-04"]));
    let alarms: Vec<&str> = status["months"][3]["alarms"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|alarm| alarm["name"].as_str().expect("a name"))
        .collect();
    assert!(alarms.contains(&"chart scores") && alarms.contains(&"chart positive-calls"), "{alarms:?}");
    watch.says("verify", &[], 0);
    let bundle = watch.bundle.display().to_string();
    watch.says("verify", &["--bundle", &bundle], 0);
    assert_eq!(watch.says("answer", &["--month", "2026-03", "--reason", "none"], 1).stdout, "");
    watch.says("answer", &["--month", "2026-04", "--reason", "a new scanner; its protocol was mended"], 0);
    watch.says("status", &[], 0);
    watch.says("verify", &[], 0);
    let report = watch.json("report", &["--no-pdf"], 0);
    let page = std::fs::read_to_string(watch.file("reports/monitoring.html")).expect("the report");
    assert!(page.contains("a new scanner; its protocol was mended"), "the answer is printed");
    assert!(report["files"].as_array().expect("files").iter().any(|f| f == "figures/charts.svg"));
}

/// What a document or an output would say of performance.
const CLAIMS: [&str; 9] = [
    "sensitivity",
    "specificity",
    "AUC",
    "accuracy",
    "predictive value",
    "PPV",
    "NPV",
    "Performance on",
    "performs well",
];

#[test]
fn without_labels_no_claim_on_performance_is_printed() {
    // Metrics and charts of labels are declared, and no batch has a label.
    let plan = PLAN.replace("refused = \"refused\"\n", "refused = \"refused\"\nlabel = \"label\"\n")
        + "\n[[performance]]\nmetric = \"auc\"\n\n[[performance]]\nmetric = \"accuracy\"\n";
    let watch = Watch::sealed(&plan);
    for (month, moved) in [("2026-01", 0.0), ("2026-02", 0.0)] {
        watch.add(month, moved, 0);
    }
    let mut said = vec![watch.says("status", &[], 0).stdout, watch.json("status", &[], 0).to_string()];
    watch.says("report", &["--no-pdf"], 0);
    for (path, bytes) in files(&watch.file("reports")) {
        if path.extension().is_some_and(|e| e == "html" || e == "md" || e == "svg" || e == "json") {
            said.push(String::from_utf8(bytes).expect("text"));
        }
    }
    assert!(said.len() >= 6, "{} texts", said.len());
    for text in &said {
        for claim in CLAIMS {
            assert!(!text.contains(claim), "{claim:?} in: {text}");
        }
    }
    let page = std::fs::read_to_string(watch.file("reports/monitoring.md")).expect("the report");
    assert!(page.contains("Without labels this report makes no statement on how well the device performs"));
    // A month with labels has its metrics, with intervals, and the others none.
    let labelled = watch.batch("2026-03", &watch.month("2026-03", 0.0, true));
    let added = watch.json("add", &[&labelled], 0);
    let metrics = added["batch"]["performance"].as_array().expect("metrics");
    assert_eq!(metrics.len(), 2);
    assert!(metrics.iter().all(|m| m["intervals"][0]["lower"].as_f64() < m["value"].as_f64()));
    watch.says("report", &["--no-pdf"], 0);
    let page = std::fs::read_to_string(watch.file("reports/monitoring.md")).expect("the report");
    assert!(
        page.contains("Performance on Labelled Cases")
            && page.contains("Months without labels: 2026-01, 2026-02.")
    );
    let status = watch.json("status", &[], 0);
    assert!(
        status["months"][0].get("performance").is_none() && status["months"][2].get("performance").is_some()
    );
}

#[test]
fn batches_out_of_order_twice_or_of_another_device_are_refused_and_leave_nothing() {
    let plan = PLAN
        .replace("date = \"study_date\"\n", "date = \"study_date\"\nversion = \"version\"\n")
        .replace("[[chart]]\nid = \"scores\"", "[device]\nversion = \"1.0\"\n\n[[chart]]\nid = \"scores\"");
    let watch = Watch::sealed(&plan);
    let versioned = |text: &str, version: &str| -> String {
        text.lines()
            .enumerate()
            .map(|(nth, line)| format!("{line},{}\n", if nth == 0 { "version" } else { version }))
            .collect()
    };
    let march = watch.batch("2026-03", &versioned(&watch.month("2026-03", 0.0, false), "1.0"));
    watch.says("add", &[&march], 0);
    let before = files(watch.folder.path());
    let refused = |name: &str, text: &str, more: &[&str], code: i32, told: &str| {
        let batch = watch.batch("tried", text);
        let ran = watch.says("add", &[&[batch.as_str()], more].concat(), code);
        assert!(
            ran.stderr.contains(told) && ran.stderr.contains("given-tried.csv"),
            "{name}: {}",
            ran.stderr
        );
        std::fs::remove_file(watch.file("given-tried.csv")).expect("was there");
        assert_eq!(files(watch.folder.path()), before, "{name} left something");
    };
    let of = |month: &str, version: &str| versioned(&watch.month(month, 0.0, false), version);
    refused("twice", &of("2026-03", "1.0"), &[], 1, "error[batch-twice]");
    let other = of("2026-03", "1.0").replace("2026-03-1,", "2026-03-x,");
    refused("the month twice", &other, &[], 1, "error[batch-twice]");
    refused("out of order", &of("2026-02", "1.0"), &[], 1, "error[batch-out-of-order]");
    refused("another version", &of("2026-04", "1.1"), &[], 30, "error[batch-device]");
    refused("another month", &of("2026-05", "1.0"), &["--month", "2026-04"], 1, "error[batch-month]");
    refused("no row", &of("2026-04", "1.0")[..60], &["--month", "2026-04"], 1, "error[");
    refused("no table", "\u{0}\u{1}", &["--month", "2026-04"], 1, "error[");
    let months = watch.run("add", &[&march, "--month", "2026-13"]);
    assert_eq!(months.code, 2, "{}", months.stderr);
}

#[test]
fn a_plan_changed_after_its_sealing_is_a_violated_lock() {
    let watch = Watch::sealed(PLAN);
    watch.add("2026-01", 0.0, 0);
    let looser = PLAN.replacen("run_length = 500", "run_length = 5000", 1);
    for changed in [looser.as_str(), "format =", "", "\u{feff}"] {
        std::fs::write(watch.file("monitoring.toml"), changed).expect("writes");
        let batch = watch.batch("2026-02", &watch.month("2026-02", 0.0, false));
        let all = [("status", vec![]), ("add", vec![batch.as_str()]), ("report", vec!["--no-pdf"])];
        // Of a plan that cannot be read nothing else is looked at: one command says it for all.
        let tried = if changed == looser { 3 } else { 1 };
        for (command, more) in all.into_iter().take(tried) {
            let ran = watch.says(command, &more, 30);
            assert!(ran.stderr.contains("error[monitoring-plan-changed]"), "{}", ran.stderr);
            assert!(ran.stderr.contains("monitoring.toml"), "{}", ran.stderr);
        }
    }
    std::fs::write(watch.file("monitoring.toml"), &looser).expect("writes");
    watch.says("verify", &[], 30);
    std::fs::write(watch.file("monitoring.toml"), PLAN).expect("writes");
    watch.says("verify", &[], 0);
    let bundle = watch.bundle.display().to_string();
    assert!(watch.says("seal", &["--bundle", &bundle], 1).stderr.contains("error[monitoring-sealed]"));
}

/// Every byte of every recorded file.
#[test]
fn what_is_changed_in_the_folder_is_told() {
    let watch = Watch::sealed(PLAN);
    watch.add("2026-01", 0.0, 0);
    watch.add("2026-02", 0.4, 10);
    watch.says("verify", &[], 0);
    for name in ["seal.json", "cohort.csv", "ledger.jsonl", "batches/2026-01.csv", "batches/2026-02.csv"] {
        let bytes = std::fs::read(watch.file(name)).expect("reads");
        for at in [0, bytes.len() / 2] {
            let mut changed = bytes.clone();
            changed[at] ^= 1;
            std::fs::write(watch.file(name), &changed).expect("writes");
            let ran = watch.says("verify", &[], 20);
            let file = name.rsplit('/').next().expect("a name");
            assert!(ran.stderr.contains(file), "{name} at {at}: {}", ran.stderr);
        }
        std::fs::write(watch.file(name), &bytes).expect("writes");
    }
    std::fs::remove_file(watch.file("batches/2026-01.csv")).expect("was there");
    watch.says("verify", &[], 20);
    watch.says("status", &[], 20);
}

/// A killed `add` leaves a batch that no event knows; a killed `seal` files without a ledger.
#[test]
fn what_was_killed_half_way_is_done_by_the_same_command() {
    let watch = Watch::sealed(PLAN);
    let ledger = std::fs::read(watch.file("ledger.jsonl")).expect("reads");
    watch.add("2026-01", 0.0, 0);
    let whole = files(watch.folder.path());
    std::fs::write(watch.file("ledger.jsonl"), &ledger).expect("writes");
    std::fs::write(watch.file("batches/.sequester-killed"), "half").expect("writes");
    let ran = watch.says("verify", &[], 0);
    assert!(ran.stderr.contains("warning[batch-not-added]"), "{}", ran.stderr);
    assert_eq!(watch.json("status", &[], 0)["months"], serde_json::json!([]));
    watch.add("2026-01", 0.0, 0);
    assert_eq!(files(watch.folder.path()), whole);
    std::fs::remove_file(watch.file("ledger.jsonl")).expect("was there");
    let bundle = watch.bundle.display().to_string();
    watch.says("seal", &["--bundle", &bundle], 0);
    assert_eq!(std::fs::read(watch.file("ledger.jsonl")).expect("reads"), ledger);
}

#[test]
fn a_plan_is_sealed_with_evidence_that_verifies_and_has_what_it_asks_for() {
    let seal = |watch: &Watch, code: i32| {
        let bundle = watch.bundle.display().to_string();
        let ran = watch.says("seal", &["--bundle", &bundle], code);
        assert!(code == 0 || !watch.file("ledger.jsonl").exists());
        ran.stderr
    };
    let watch = Watch::unsealed(PLAN);
    assert!(watch.says("status", &[], 1).stderr.contains("error[monitoring-not-sealed]"));
    std::fs::write(watch.bundle.join("data/scores.csv"), "case_id,score\n").expect("writes");
    seal(&watch, 20);
    let lacking = PLAN.replace("column = \"age\"\n", "column = \"age\"\ncohort_column = \"weight\"\n");
    assert!(seal(&Watch::unsealed(&lacking), 1).contains("error[monitoring-chart]"));
    let never = PLAN.replacen("measure = \"mean-score\"", "measure = \"refusals\"", 1);
    let told = seal(&Watch::unsealed(&never), 1);
    assert!(told.contains("error[monitoring-chart]") && told.contains("in_control"), "{told}");
    let locked = PLAN.replace("date = \"study_date\"\n", "date = \"study_date\"\nlock = \"lock\"\n");
    assert!(seal(&Watch::unsealed(&locked), 1).contains("has no lock"));
}

/// A locked model: rows name its lock.
#[test]
fn a_batch_of_another_lock_is_refused_at_its_line() {
    let (_folder, bundle) = bundle_copy(2, "locked-model");
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().display().to_string();
    let plan = PLAN.replace("date = \"study_date\"\n", "lock = \"lock\"\n");
    std::fs::write(folder.path().join("monitoring.toml"), plan).expect("writes");
    let sealed = sequester(&["monitor", "seal", &place, "--bundle", &bundle.display().to_string(), "--json"]);
    assert_eq!(sealed.code, 0, "{}{}", sealed.stdout, sealed.stderr);
    let value: Value = serde_json::from_str(&sealed.stdout).expect("JSON");
    let lock = value["seal"]["lock_sha256"].as_str().expect("a lock").to_owned();
    let lock_bytes = std::fs::read(bundle.join("data/model/lock.json")).expect("reads");
    assert_eq!(lock, sequester::digest::Digest::of(&lock_bytes).to_string());
    let table = |second: &str| {
        format!(
            "case_id,patient_id,score,refused,age,sex,lock\na,P1,0.1,,40,F,{lock}\nb,P2,0.1,,50,M,{second}\n"
        )
    };
    let batch = folder.path().join("b.csv").display().to_string();
    for (second, code) in [("", 30), ("0000", 30), (lock.to_uppercase().as_str(), 0)] {
        std::fs::write(&batch, table(second)).expect("writes");
        let ran = sequester(&["monitor", "add", &place, &batch, "--month", "2026-01"]);
        assert_eq!(ran.code, code, "{second:?}: {}{}", ran.stdout, ran.stderr);
        assert!(code == 0 || ran.stderr.contains("b.csv:3"), "{}", ran.stderr);
    }
}

/// The columns of a registry's upload template, with calls and no scores.
#[test]
fn the_columns_that_hospitals_upload_to_a_registry_are_read() {
    let plan = "format = \"sequester-monitoring/1\"\n[monitoring]\nid = \"R\"\ntitle = \"t\"\n\
                batch_minimum = 20\n\
                [columns]\ncase = \"Accession Number\"\npatient = \"Patient ID\"\ncall = \"AI Result\"\n\
                positive = \"Pneumonia suspected\"\ndate = \"Study Date\"\nversion = \"Software Version\"\n\
                [device]\nversion = \"2.1\"\n[[chart]]\nid = \"calls\"\nmeasure = \"positive-calls\"\n\
                run_length = 200\n\
                in_control = 0.25\n[[input]]\ncolumn = \"Sex\"\ncohort_column = \"sex\"\n\
                kind = \"category\"\n";
    let watch = Watch::unsealed(plan);
    let bundle = watch.bundle.display().to_string();
    watch.says("seal", &["--bundle", &bundle], 0);
    let table = |month: &str, every: usize| {
        let mut text =
            "Patient ID,Accession Number,Result Indicator,AI Result,Manufacturer,Model,Study Date,\
                        Software Version,\
                        Platform,Inference Date,Age,Sex,Race,Ethnicity,Exam Name,Modality,Body Part Examined,\
                        Contrast Indication\n"
                .to_owned();
        for row in 0..80 {
            let call = if row % every == 0 { "Pneumonia suspected" } else { "No finding" };
            let sex = if row % 2 == 0 { "F" } else { "M" };
            let day = format!("2026{month}05");
            let device = format!("1,{call},Maker,M1,{day},2.1,P,{day}");
            text += &format!("{month}P{row},A{month}{row},{device},50,{sex},,,Chest,DX,CHEST,N\n");
        }
        text
    };
    let first = watch.batch("2026-01", &table("01", 4));
    let added = watch.json("add", &[&first], 0);
    assert_eq!(
        (&added["batch"]["month"], &added["batch"]["positive_calls"]),
        (&"2026-01".into(), &20.into())
    );
    let second = watch.batch("2026-02", &table("02", 1));
    let added = watch.json("add", &[&second], 10);
    assert_eq!(added["batch"]["alarms"][0]["name"], "chart calls");
    watch.says("report", &["--no-pdf"], 10);
}

#[test]
fn the_plan_that_is_written_to_begin_from_can_be_sealed() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("watch").display().to_string();
    assert_eq!(sequester(&["monitor", "init", &place]).code, 0);
    assert_eq!(sequester(&["monitor", "init", &place]).code, 1, "nothing is overwritten");
    let (_bundle_folder, bundle) = bundle_copy(2, "scored-elsewhere");
    let ran = sequester(&["monitor", "seal", &place, "--bundle", &bundle.display().to_string()]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
}

/// The demonstration, with a bundle that is there already.
#[test]
fn the_demonstration_of_six_months_runs() {
    let (_folder, bundle) = bundle_copy(2, "scored-elsewhere");
    let folder = tempfile::tempdir().expect("a folder");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/demo-lifecycle.sh");
    let ran: Ran = Command::new(script)
        .arg(env!("CARGO_BIN_EXE_sequester"))
        .arg(folder.path().join("demo"))
        .arg(bundle)
        .env("SOURCE_DATE_EPOCH", "1767225600")
        .output()
        .expect("starts")
        .into();
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("found in the month in which it happened"), "{}", ran.stdout);
}

/// Old and new version on old and new data: four values, and what of the change is whose.
#[test]
fn a_better_model_is_told_from_easier_data() {
    let folder = tempfile::tempdir().expect("a folder");
    let mut draw = Draw(7);
    // Both versions see the same cases; the new data are easier for both, and the new version is the better.
    let mut table = |name: &str, easier: f64| {
        let mut text = "case_id,patient_id,label,old,new\n".to_owned();
        for row in 0..400 {
            let label = row % 2;
            let noise = |draw: &mut Draw| (0..4).map(|_| draw.below(1000) as f64).sum::<f64>() / 4000.0 - 0.5;
            let common = noise(&mut draw);
            let at = 0.5 + (label as f64 - 0.5) * (0.1 + easier);
            let old = (at + common * 0.6 + noise(&mut draw) * 0.6).clamp(0.0, 1.0);
            let new =
                (at + (label as f64 - 0.5) * 0.12 + common * 0.6 + noise(&mut draw) * 0.4).clamp(0.0, 1.0);
            text += &format!("{name}{row},{name}P{row},{label},{old:.5},{new:.5}\n");
        }
        let path = folder.path().join(format!("{name}.csv"));
        std::fs::write(&path, text).expect("writes");
        path.display().to_string()
    };
    let (old, new) = (table("o", 0.0), table("n", 0.15));
    let told = |more: &[&str]| -> BTreeMap<(String, String), Value> {
        let ran = sequester(&[&["monitor", "versions", &old, &new, "--json"], more].concat());
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        let value: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        let all = value["components"].as_array().expect("a list").clone();
        let key = |v: &Value, name: &str| v[name].as_str().expect("a text").to_owned();
        all.into_iter().map(|v| ((key(&v, "measure"), key(&v, "component")), v)).collect()
    };
    for more in [&[][..], &["--patient", "patient_id"][..]] {
        let found = told(&[more, &["--old-threshold", "0.5", "--new-threshold", "0.5"]].concat());
        assert_eq!(found.len(), 27);
        for measure in ["auc", "sensitivity", "specificity"] {
            let of = |component: &str| {
                let one = &found[&(measure.to_owned(), component.to_owned())];
                let value = one["value"].as_f64().expect("a value");
                let limits = ["lower", "upper"].map(|end| one["interval"][end].as_f64().expect("a limit"));
                assert!(limits[0] <= value && value <= limits[1], "{measure} {component}: {one}");
                (value, limits)
            };
            let (gain, data, whole) = (of("gain"), of("data-for-old"), of("whole"));
            assert!((gain.0 + data.0 - whole.0).abs() < 1e-12, "{measure}: the parts are the whole");
            let other_way = of("on-old-data").0 + of("data-for-new").0;
            assert!((other_way - whole.0).abs() < 1e-12, "{measure}: on the other way too");
            if measure == "auc" {
                assert!(gain.1[0] > 0.0 && data.1[0] > 0.0, "both are found: {gain:?} {data:?}");
            }
        }
        // The gain is what `metrics paired` has of the same table: DeLong's difference.
        let ran = sequester(&[
            "metrics",
            &new,
            "--score",
            "new",
            "--compare",
            "old",
            "--metric",
            "auc",
            "--bootstrap",
            "0",
            "--json",
        ]);
        let metrics: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        let difference = metrics["estimates"]
            .as_array()
            .expect("a list")
            .iter()
            .find(|e| e["id"] == "auc_difference")
            .expect("the difference");
        let gain = &found[&("auc".to_owned(), "gain".to_owned())];
        assert_eq!(gain["interval"]["lower"], difference["intervals"][0]["lower"]);
        assert_eq!(gain["interval"]["method"], "delong");
    }
    let shared = sequester(&["monitor", "versions", &old, &old]);
    assert_eq!(shared.code, 1);
    assert!(shared.stderr.contains("error[versions-shared]"), "{}", shared.stderr);
    assert_eq!(sequester(&["monitor", "versions", &old, &new, "--level", "1.5"]).code, 2);
}

/// What the schema of `monitoring.toml` says of one, and what the program says.
#[test]
fn the_schema_of_the_plan_and_the_program_say_the_same_of_its_form() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let schema = std::fs::read_to_string(root.join("docs/schemas/monitoring.json")).expect("reads");
    let schema = jsonschema::validator_for(&serde_json::from_str(&schema).expect("JSON")).expect("a schema");
    let both = |text: &str| {
        let value: toml::Table = toml::from_str(text).expect("TOML");
        let parsed = sequester::monitoring::plan::MonitoringPlan::parse(Path::new("m.toml"), text);
        (schema.is_valid(&serde_json::to_value(value).expect("JSON")), parsed.is_ok())
    };
    let guide = std::fs::read_to_string(root.join("docs/monitoring.md")).expect("the guide");
    let guide = guide.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).expect("a plan");
    let begun = std::fs::read_to_string(root.join("protocols/monitoring.toml")).expect("the plan");
    for good in [PLAN, guide, &begun] {
        assert_eq!(both(good), (true, true));
    }
    for (from, to) in [
        ("monitoring/1", "monitoring/2"),
        ("id = \"PNEUMONIA-2026\"\n", ""),
        ("id = \"PNEUMONIA-2026\"", "id = \" \""),
        ("batch_minimum = 50", "batch_minimum = 1"),
        ("batch_minimum = 50", "level = 1.0"),
        ("case = \"Accession Number\"\n", ""),
        ("score = \"AI Result\"\n", ""),
        ("score = \"AI Result\"", "score = \"AI Result\"\ncall = \"c\""),
        ("score = \"AI Result\"", "score = \"AI Result\"\npositive = \"yes\""),
        ("refused = ", "refusal = "),
        ("version = \"1.0\"", "versions = \"1.0\""),
        ("\"mean-score\"", "\"mean\""),
        ("run_length = 200\n", ""),
        ("run_length = 200", "run_length = 1"),
        ("run_length = 200", "run_length = \"200\""),
        ("direction = \"up\"", "direction = \"upwards\""),
        ("direction = \"up\"", "reference_value = 0.05"),
        ("kind = \"number\"\n", ""),
        ("kind = \"number\"", "kind = \"numbers\""),
        ("metric = \"auc\"", "metric = \"mcc\""),
        ("at_least = 0.6", "at_least = \"0.6\""),
        ("[[performance]]", "[drift]\nalpha = 0.5\n[[performance]]"),
        ("[[performance]]", "[limits]\nmissing = -0.1\n[[performance]]"),
        ("[[performance]]", "[other]\n[[performance]]"),
    ] {
        assert!(guide.contains(from), "{from}");
        assert_eq!(both(&guide.replacen(from, to, 1)), (false, false), "{to}");
    }
}

#[test]
fn a_month_that_has_not_begun_is_refused_and_the_right_one_is_then_added() {
    let watch = Watch::sealed(PLAN);
    let batch = watch.batch("2062-01", &watch.month("2062-01", 0.0, false));
    let place = watch.folder.path().display().to_string();
    let before = files(watch.folder.path());
    let ran = by_the_clock(&["monitor", "add", &place, &batch]);
    assert_eq!(ran.code, 1, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains("batch-out-of-order") && ran.stderr.contains("2062-01 has not begun"));
    assert_eq!(files(watch.folder.path()), before);
    let batch = watch.batch("2026-01", &watch.month("2026-01", 0.0, false));
    let ran = by_the_clock(&["monitor", "add", &place, &batch]);
    assert!([0, 10].contains(&ran.code), "{}{}", ran.stdout, ran.stderr);
}
