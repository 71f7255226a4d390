//! Which interval decides an endpoint, as every output of the program says it.

use crate::support::Study;

/// A small study whose device makes no error, every patient with one case, and its declared endpoints.
fn perfect(endpoints: &str) -> Study {
    let study = Study::small();
    let text = study.read("protocol.toml");
    let (before, after) = text.split_once("[[endpoint]]").expect("an endpoint");
    let (_, subgroups) = after.split_once("[[subgroup]]").expect("a subgroup");
    study.write("protocol.toml", &format!("{before}{endpoints}\n[[subgroup]]{subgroups}"));
    study.replace("protocol.toml", "[sample]\n", "[sample]\nimages_per_patient = \"one\"\n");
    study.replace("protocol.toml", "cases = 80\npositives = 40\n", "");
    let scores: String = std::iter::once("case_id,score\n".to_owned())
        .chain((0..120).map(|i| format!("C{i:03},{}\n", if i % 2 == 0 { 0.9 } else { 0.1 })))
        .collect();
    study.write("scores.csv", &scores);
    for reader in 1..=3 {
        let reads: String =
            std::iter::once("case_id,reader_id,read\n".to_owned())
                .chain((0..120).map(|i| {
                    format!("C{i:03},R{reader},{}\n", if i % 2 == 0 { "positive" } else { "negative" })
                }))
                .collect();
        study.write(&format!("reads/reader-{reader}.csv"), &reads);
    }
    study
}

fn endpoint(id: &str, metric: &str, interval: &str, criterion: &str) -> String {
    format!(
        "[[endpoint]]\nid = \"{id}\"\nmetric = \"{metric}\"\nrole = \"primary\"\ninterval = \"{interval}\"\n\
         criterion = \"{criterion}\"\n\n"
    )
}

#[test]
fn a_perfect_device_is_judged_by_exact_intervals_and_every_output_says_so() {
    let study = perfect(
        &(endpoint("auc", "auc", "delong", "lower > 0.99")
            + &endpoint("sensitivity", "sensitivity", "bootstrap-percentile", "lower > 0.80")),
    );
    let ran = study.run("validate", &["--json"]);
    assert_eq!(ran.code, 10, "{}{}", ran.stdout, ran.stderr);
    let told: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let auc = &told["endpoints"][0];
    assert_eq!(auc["verdict"], "not-met", "{auc}");
    assert_eq!(auc["interval_method"], "delong");
    assert_eq!(auc["interval"]["method"], "clopper-pearson");
    assert_eq!(auc["fallback"]["rule"], "effective-number");
    assert_eq!(auc["fallback"]["reason"], "interval-collapsed");
    assert_eq!(auc["fallback"]["declared"]["lower"], 1.0);
    let sensitivity = &told["endpoints"][1];
    assert_eq!(sensitivity["verdict"], "met", "{sensitivity}");
    let lower = sensitivity["bound"].as_f64().expect("a bound");
    assert!(lower > 0.8 && lower < 0.95, "{lower}");
    let results: serde_json::Value =
        serde_json::from_str(&study.read("evidence/run-1/data/results.json")).expect("JSON");
    assert_eq!(results["endpoints"], told["endpoints"]);
    let of = |id: &str| {
        let all = results["estimates"].as_array().expect("estimates");
        all.iter().find(|e| e["id"] == id && e.get("subgroup").is_none()).expect("an estimate").clone()
    };
    // The quoted interval is the sound one.
    assert_eq!(of("auc")["intervals"][0]["method"], "clopper-pearson");
    assert!(results["warnings"].to_string().contains("fallback-decided"));
    let text = study.run("validate", &[]);
    assert!(text.stdout.contains("Clopper and Pearson (1934) of disjoint pairs"), "{}", text.stdout);
    assert!(
        text.stdout.contains("not by the declared interval (DeLong (1988), 1.000 to 1.000)"),
        "{}",
        text.stdout
    );
    assert_eq!(study.run("report", &[]).code, 0);
    let html = study.read("reports/run-1/report.html");
    assert!(html.contains("not by the declared interval"));
    assert!(html.contains("interval-collapsed"));
    assert_eq!(study.run("verify", &[]).code, 0);
}

#[test]
fn a_declared_none_is_not_evaluable() {
    let declared =
        endpoint("auc", "auc", "delong", "lower > 0.5").replace("role", "fallback = \"none\"\nrole");
    let ran = perfect(&declared).run("validate", &["--json"]);
    assert_eq!(ran.code, 10, "{}{}", ran.stdout, ran.stderr);
    let told: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(told["conclusion"], "not-evaluable");
    assert_eq!(told["endpoints"][0]["interval"], serde_json::Value::Null);
}

#[test]
fn several_images_a_patient_are_said_before_and_decided_by_patients_after() {
    let study = Study::small();
    study.replace(
        "protocol.toml",
        "[[subgroup]]",
        &(endpoint("accuracy", "accuracy", "clopper-pearson", "lower > 0.20") + "[[subgroup]]"),
    );
    // The declared intervals are right for one image a patient.
    let checked = study.run("check", &[]);
    assert_eq!(checked.code, 0, "{}{}", checked.stdout, checked.stderr);
    for id in ["auc", "accuracy"] {
        let words = format!("warning[clustering-ignored]: the endpoint `{id}` declares");
        assert!(checked.stdout.contains(&words), "{}", checked.stdout);
    }
    let ran = study.run("validate", &["--json"]);
    let told: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let [auc, accuracy] = [&told["endpoints"][0], &told["endpoints"][1]];
    assert_eq!(auc["interval"]["method"], "obuchowski", "{auc}");
    assert_eq!(accuracy["interval"]["method"], "korn-graubard", "{accuracy}");
    assert_eq!(accuracy["fallback"]["reason"], "clustering-ignored");
    study.replace("protocol.toml", "[sample]\n", "[sample]\nimages_per_patient = \"one\"\n");
    study.replace("protocol.toml", "cases = 80\npositives = 40\n", "");
    let checked = study.run("check", &[]);
    assert!(!checked.stdout.contains("clustering-ignored"), "{}", checked.stdout);
}

#[test]
fn a_protocol_of_format_1_is_refused_with_what_changed() {
    let study = Study::small();
    study.replace("protocol.toml", "sequester-protocol/2", "sequester-protocol/1");
    let ran = study.run("check", &[]);
    assert_eq!(ran.code, 1);
    for words in
        ["format-unknown", "protocol.toml:1", "sequester-protocol/1", "`fallback`", "sequester 0.1 reads"]
    {
        assert!(ran.stderr.contains(words), "{}", ran.stderr);
    }
}
