//! The page to look at the evidence with: what it says is what the evidence has, and nothing in it is run
//! that came from a study.

use serde_json::{Value, json};

use crate::reading::{browser, driven};
use crate::support::Study;

/// The page of a study whose title is markup.
fn page(study: &Study) -> std::path::PathBuf {
    assert_eq!(study.run("validate", &[]).code, 0);
    let ran = study.run("report", &["--explore"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    study.file("views/run-1/evidence.html")
}

fn hostile() -> Study {
    let study = Study::small();
    let protocol = study.read("protocol.toml");
    let title = protocol.lines().find(|line| line.starts_with("title = ")).expect("a title");
    let evil = "title = \"</script><script>alert(1)</script><img src=x onerror=alert(2)>\"";
    study.write("protocol.toml", &protocol.replace(title, evil));
    study
}

#[test]
fn the_page_runs_nothing_that_came_from_a_study_and_the_record_stays_as_it_was() {
    let study = hostile();
    let html = std::fs::read_to_string(page(&study)).expect("reads");
    assert_eq!(html.matches("<script").count(), 2, "the data and the program");
    assert!(!html.contains("<img") && html.contains("&lt;/script&gt;"));
    assert!(html.contains("default-src &#39;none&#39;") && html.contains("script-src &#39;sha256-"));
    assert!(
        !html.contains("http://")
            || html.matches("http://").count() == html.matches("http://www.w3.org/").count()
    );
    let data =
        html.split("id=\"data\">").nth(1).and_then(|rest| rest.split("</script>").next()).expect("data");
    let data: Value = serde_json::from_str(data).expect("JSON");
    let analysed =
        data["cases"].as_array().expect("cases").iter().filter(|one| one["status"] == "analysed").count();
    let results: Value = serde_json::from_str(&study.read("evidence/run-1/data/results.json")).expect("JSON");
    assert_eq!(results["flow"]["analysed"], json!(analysed));
    assert_eq!(study.run("report", &["--explore"]).code, 0, "a view is written again");
    assert_eq!(std::fs::read_to_string(study.file("views/run-1/evidence.html")).expect("reads"), html);
    assert_eq!(study.run("verify", &[]).code, 0);
}

#[test]
fn threshold_flow_and_filters_say_what_the_evidence_has() {
    let Some(script) = browser("threshold_flow_and_filters_say_what_the_evidence_has", "explore.mjs") else {
        return;
    };
    let study = hostile();
    let said = driven(&script, &[&page(&study)]);
    for key in ["axe", "requests", "faults"] {
        assert_eq!(said[key], json!([]), "{key}");
    }
    let results: Value = serde_json::from_str(&study.read("evidence/run-1/data/results.json")).expect("JSON");
    assert_eq!(said["locked"], results["curves"]["confusion"]);
    assert_eq!(said["back"], said["locked"]);
    assert_eq!(
        (&said["lowest"]["fn"], &said["lowest"]["tn"]),
        (&json!(0), &json!(0)),
        "everything is called positive"
    );
    assert!(said["highest"]["tp"].as_u64() <= said["locked"]["tp"].as_u64());
    assert!(said["said"].as_str().expect("words").contains("no interval, and no result"));
    for one in said["boxes"].as_array().expect("boxes") {
        assert_eq!(one[0], one[1], "a box lists as many cases as it says: {}", said["boxes"]);
    }
    let outcome = |words: &str| said["outcomes"][words].clone();
    assert_eq!(outcome("true positive"), said["locked"]["tp"]);
    assert_eq!(outcome("false negative"), said["locked"]["fn"]);
    assert!(said["found"].as_u64() >= Some(1));
    assert_eq!(said["injected"], json!(0));
}
