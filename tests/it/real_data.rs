//! Real data, where they are there.

use crate::support::{real_data, sequester};

/// 935 NIH images with radiologists' reads and scores of a DenseNet121; 891 of them of adults of 18-80.
#[test]
fn the_three_reader_study_runs_from_the_files_as_they_were_published() {
    let Some(data) = real_data("the_three_reader_study_runs_from_the_files_as_they_were_published") else {
        return;
    };
    let out = tempfile::tempdir().expect("a folder");
    let study = concat!(env!("CARGO_MANIFEST_DIR"), "/protocols/nih-airspace-opacity");
    let (data, out) = (data.to_str().expect("UTF-8"), out.path().to_str().expect("UTF-8"));
    let ran = sequester(&["run", study, "--data", data, "--out", out, "--json"]);
    assert_eq!(ran.code, 10, "sensitivity does not reach its goal: {}", ran.stderr);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let flow = &report["flow"];
    assert_eq!((flow["considered"].as_u64(), flow["eligible"].as_u64()), (Some(4376), Some(891)));
    assert_eq!(flow["excluded"][0]["count"], 4376 - 935);
    assert_eq!(flow["excluded"][1]["count"], 44);
    assert_eq!((flow["analysed"].as_u64(), flow["without_consensus"].as_u64()), (Some(890), Some(1)));
    assert_eq!((flow["positives"].as_u64(), flow["negatives"].as_u64()), (Some(413), Some(477)));
    let verify = sequester(&["verify", out]);
    assert_eq!(verify.code, 0, "{}{}", verify.stdout, verify.stderr);
}
