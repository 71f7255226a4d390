//! The published figures of pROC's example, on the data that an installed pROC holds. The data are not in
//! this repository: without R and pROC the test is skipped, and says so.

use std::process::Command;

use crate::metrics::{find, json, limit};

/// Robin et al. 2011 (BMC Bioinformatics 12:77) and pROC's manual: AUC and DeLong's 95 % interval of each
/// marker.
const PUBLISHED: [(&str, f64, f64, f64); 2] = [
    ("ndka", 0.611_957_994_6, 0.501_244_999_3, 0.722_670_989_9),
    // Printed with four digits.
    ("s100b", 0.7314, 0.6301, 0.8326),
];

#[test]
fn the_published_aucs_of_asah_come_out() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("asah.csv");
    let script = "suppressMessages(library(pROC)); data(aSAH); write.csv(aSAH, commandArgs(TRUE)[1], \
        row.names = FALSE)";
    let wrote = Command::new("Rscript").args(["-e", script]).arg(&path).output();
    if !wrote.is_ok_and(|o| o.status.success()) || !path.exists() {
        eprintln!(
            "SKIPPED the_published_aucs_of_asah_come_out: there is no R with pROC to read data(aSAH) from"
        );
        return;
    }
    let file = path.to_str().expect("path");
    for (marker, auc, lower, upper) in PUBLISHED {
        let report = json(&[
            "metrics",
            file,
            "--label",
            "outcome",
            "--positive",
            "Poor",
            "--score",
            marker,
            "--metric",
            "auc",
            "--bootstrap",
            "0",
            "--threshold",
            "0.2",
        ]);
        assert_eq!((&report["n"], &report["positives"]), (&113.into(), &41.into()));
        let found = find(&report, "auc", &[]);
        let printed = if marker == "ndka" { 1e-10 } else { 5e-5 };
        for (got, expected) in [
            (found["value"].as_f64().expect("value"), auc),
            (limit(found, "delong", "lower"), lower),
            (limit(found, "delong", "upper"), upper),
        ] {
            assert!((got - expected).abs() < printed, "{marker}: {got} {expected}");
        }
    }
}
