//! `reads mrmc` and `design mrmc` as they are typed.

use serde_json::Value;

use crate::reference_values::folder;
use crate::support::sequester;

fn input(name: &str) -> String {
    folder().join(format!("mrmc/inputs/{name}.csv")).to_str().expect("UTF-8").to_owned()
}

fn report(words: &[&str]) -> (i32, Value) {
    let ran = sequester(&[&["reads", "mrmc", "--json"], words].concat());
    let value =
        serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {}{}", ran.stdout, ran.stderr));
    (ran.code, value)
}

/// The line of a section.
fn line<'a>(report: &'a Value, merit: usize, section: &str, of: &str) -> &'a Value {
    let sections = report["merits"][merit]["sections"].as_array().expect("sections");
    let section = sections.iter().find(|s| s["id"] == section).expect("the section");
    section["lines"].as_array().expect("lines").iter().find(|l| l["of"] == of).expect("the line")
}

fn expected(name: &str, key: &str) -> f64 {
    let text = std::fs::read_to_string(folder().join("mrmc/ref/exact.json")).expect("the values");
    let all: Value = serde_json::from_str(&text).expect("JSON");
    all[name][key].as_str().expect("a text").parse().expect("a number")
}

fn close(found: &Value, expected: f64) {
    let found = found.as_f64().expect("a number");
    assert!((found - expected).abs() <= 1e-9 * expected.abs(), "{found} is not {expected}");
}

#[test]
fn a_difference_of_two_modalities_and_its_decision_are_the_reference() {
    let (code, found) = report(&[&input("m1_crossed"), "--aim", "non-inferiority", "--margin", "0.02"]);
    let of = line(&found, 0, "readers-and-cases", "A - B");
    close(&of["lower"], expected("m1_crossed", "or.delong.rrrc.diff.A-B.lo"));
    close(&of["p"], expected("m1_crossed", "or.delong.rrrc.diff.A-B.p"));
    close(&line(&found, 0, "u-statistics", "A - B")["lower"], expected("m1_crossed", "u.A-B.lo_t"));
    let shown = of["lower"].as_f64().expect("a number") > -0.02;
    assert_eq!(found["decision"]["shown"], shown);
    assert_eq!(code, if shown { 0 } else { 10 });
    // Turned round, the difference has the other sign.
    let (_, turned) = report(&[&input("m1_crossed"), "--between", "B,A"]);
    let other = line(&turned, 0, "readers-and-cases", "B - A");
    close(&other["lower"], -of["upper"].as_f64().expect("a number"));
}

#[test]
fn the_device_stands_beside_the_mean_of_the_readers() {
    let words = [&input("m3_device")[..], "--device-modality", "DEVICE", "--aim", "superiority"];
    let (code, found) = report(&words);
    let of = line(&found, 0, "device-readers-and-cases", "DEVICE - READERS");
    close(&of["upper"], -expected("m3_device", "dev.delong.rrrc.lo"));
    let u = line(&found, 0, "device-u-statistics", "DEVICE - READERS");
    close(&u["p"], expected("m3_device", "dev.u.p_t"));
    assert_eq!(code, if found["decision"]["shown"] == true { 0 } else { 10 });
}

#[test]
fn patients_decide_the_covariances_and_calls_give_shares() {
    let (_, found) = report(&[&input("m7_clusters"), "--patient", "patient"]);
    let of = line(&found, 0, "readers-and-cases", "A - B");
    close(&of["p"], expected("m7_clusters", "or.obuchowski.rrrc.diff.A-B.p"));
    assert!(
        found["merits"][0]["sections"]
            .as_array()
            .expect("sections")
            .iter()
            .all(|s| s["id"] != "u-statistics")
    );
    let (_, found) = report(&[&input("m6_binary"), "--threshold", "1"]);
    assert_eq!(found["merits"][1]["metric"], "sensitivity");
    let of = line(&found, 1, "readers-and-cases", "A - B");
    close(&of["p"], expected("m6_binary", "sens.or.jackknife.rrrc.diff.A-B.p"));
    let u = line(&found, 2, "u-statistics", "A - B");
    close(&u["lower"], expected("m6_binary", "spec.u.A-B.lo_t"));
}

#[test]
fn a_negative_variance_is_said_and_gives_no_interval() {
    let (_, found) = report(&[&input("m10_tiny_negvar")]);
    assert!(line(&found, 0, "u-statistics", "A - B").get("lower").is_none());
    let warnings = found["merits"][0]["warnings"].as_array().expect("warnings");
    assert!(warnings.iter().any(|w| w["code"] == "variance-not-positive"));
}

#[test]
fn one_reader_one_class_and_unknown_names_are_told_with_the_way_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("one.csv");
    std::fs::write(
        &file,
        "reader,case,modality,truth,rating\nR1,C1,A,1,3\nR1,C2,A,0,1\nR1,C3,A,0,2\nR1,C4,A,1,2\n",
    )
    .expect("writes");
    let path = file.to_str().expect("UTF-8");
    let (code, found) = report(&[path]);
    assert_eq!(code, 0);
    let warnings = found["merits"][0]["warnings"].to_string();
    assert!(warnings.contains("one reader is no sample of readers"), "{warnings}");
    let ran = sequester(&["reads", "mrmc", path, "--device-modality", "X"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    assert!(ran.stderr.contains("the modalities are A"), "{}", ran.stderr);
    let ran = sequester(&["reads", "mrmc", path, "--aim", "superiority"]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    std::fs::write(&file, "reader,case,modality,truth,rating\nR1,C1,A,1,3\nR1,C2,A,1,1\n").expect("writes");
    let ran = sequester(&["reads", "mrmc", path]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("[one-class]"), "{}", ran.stderr);
}

#[test]
fn the_list_that_imrmc_reads_gives_the_same_numbers() {
    let folder = tempfile::tempdir().expect("a folder");
    let list = folder.path().join("study.imrmc");
    let path = list.to_str().expect("UTF-8");
    let (_, whole) = report(&[&input("m5_missing"), "--export-imrmc", path]);
    let (_, again) = report(&[path]);
    for (section, of) in [("readers-and-cases", "A - B"), ("u-statistics", "A - B"), ("u-statistics", "A")] {
        assert_eq!(line(&again, 0, section, of), line(&whole, 0, section, of));
    }
    let ran = sequester(&["reads", "mrmc", &input("m5_missing"), "--export-imrmc", path]);
    assert_eq!(ran.code, 2, "an existing file stays: {}", ran.stderr);
}

#[test]
fn a_study_is_planned_in_readers_and_cases() {
    let words = |more: &[&str]| {
        let base = [
            "design",
            "mrmc",
            "--json",
            "--difference",
            "0.05",
            "--variance",
            "0.002",
            "--cov1",
            "0.0012",
            "--cov2",
            "0.0011",
            "--cov3",
            "0.0007",
            "--interaction",
            "0.0004",
            "--pilot-cases",
            "100",
        ];
        let ran = sequester(&[&base[..], more].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        serde_json::from_str::<Value>(&ran.stdout).expect("JSON")
    };
    assert_eq!(words(&["--readers", "5"])["cases"], 1175);
    close(&words(&["--readers", "5", "--cases", "100"])["power"], 0.310_549_594_448_378_4);
    assert!(words(&["--cases", "400"])["readers"].as_u64().expect("a number") > 5);
}
