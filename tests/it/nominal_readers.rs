//! Readers with more than two answers, through `sequester reads agreement`, beside irrCAC, krippendorff and
//! statsmodels.

use serde_json::Value;

use crate::metrics::{find, input, json, sequester};
use crate::reference_values::reference;

#[test]
fn coefficients_of_any_number_of_answers_match_irrcac_krippendorff_and_statsmodels() {
    let peers = reference("nominal_statsmodels0.15.0_krippendorff0.9.0_irrCAC0.4.4");
    let mut compared = 0;
    for (name, truth) in peers.as_object().expect("object") {
        let file = input(name);
        let mut args = vec!["reads", "agreement", &file];
        // The two-valued readers are compared both ways.
        let nominal = name.starts_with('n');
        args.extend(nominal.then_some("--nominal"));
        for args in [args.clone(), [&args[..3], &["--nominal"]].concat()] {
            let report = json(&args);
            assert_eq!(
                report["categories"].as_array().map(Vec::len),
                truth["categories"].as_u64().map(|n| n as usize)
            );
            let mut check = |got: &Value, key: &str| {
                let expected = truth[key].as_f64().unwrap_or_else(|| panic!("{name} {key}"));
                let got = got.as_f64().unwrap_or_else(|| panic!("{name} {key}: {got}"));
                assert!((got - expected).abs() < 1e-12, "{name} {key}: {got} {expected}");
                compared += 1;
            };
            for (id, key) in [
                ("gwet_ac1", "ac1#irrCAC"),
                ("fleiss_kappa", "fleiss#irrCAC"),
                ("conger_kappa", "conger#irrCAC"),
                ("krippendorff_alpha", "kripp_alpha#irrCAC"),
                ("krippendorff_alpha", "kripp_alpha#krippendorff"),
            ] {
                check(&find(&report, id, &[])["value"], key);
            }
            check(&find(&report, "gwet_ac1", &[])["standard_error"], "ac1_se#irrCAC");
            check(&find(&report, "fleiss_kappa", &[])["standard_error"], "fleiss_se#irrCAC");
            for estimate in report["estimates"].as_array().expect("list") {
                let pair = estimate["model"].as_str().unwrap_or_default();
                if estimate["id"] == "cohen_kappa" && pair.contains(" vs R") {
                    for (field, key) in [("value", "kappa"), ("standard_error", "se"), ("n", "n")] {
                        check(&estimate[field], &format!("cohen.{pair}.{key}"));
                    }
                }
            }
        }
    }
    assert!(compared > 150, "{compared}");
}

#[test]
fn answers_are_declared_or_taken_from_the_file_and_misspelt_ones_are_named() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("reads.csv");
    let rows = "case_id,reader_id,label\nA,R1,Normal\nA,R2,normal\n\
                B,R1,mass\nB,R2,efusion\nC,R1,mass\nC,R2,unclear\n";
    std::fs::write(&path, rows).expect("writes");
    let file = path.to_str().expect("path");
    let run = |more: &[&str]| {
        let output = sequester(&[&["reads", "agreement", file], more].concat(), "1");
        let text = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8_lossy(&text).into_owned())
    };
    let (code, shown) = run(&[]);
    assert!(
        code == Some(1) && shown.contains("label-not-binary") && shown.contains("--categories"),
        "{shown}"
    );
    let (code, shown) = run(&["--categories", "normal,mass,effusion", "--missing", "unclear"]);
    assert_eq!(code, Some(1));
    assert!(
        shown.contains("category-unknown") && shown.contains("\"efusion\"") && shown.contains("reads.csv:5"),
        "{shown}"
    );
    let (code, shown) = run(&["--nominal", "--missing", "unclear"]);
    assert_eq!(code, Some(0));
    assert!(shown.contains("answers: Normal 2, efusion 1, mass 2"), "{shown}");
    assert!(!shown.contains("majority of the others"), "{shown}");
    for (more, says) in [
        (&["--categories", "normal"][..], "needs a choice"),
        (&["--categories", "normal,Normal"], "repeated"),
        (&["--categories", "a,b", "--nominal"], "cannot be used with"),
        (&["--nominal", "--device-reader", "R1"], "cannot be used with"),
    ] {
        let (code, shown) = run(more);
        assert!(code == Some(2) && shown.contains(says), "{more:?} {shown}");
    }
    // An answer that nobody gave makes agreement by chance rarer.
    std::fs::write(&path, rows.replace("efusion", "effusion")).expect("writes");
    let ac1 = |categories: &str| {
        let report = json(&["reads", "agreement", file, "--missing", "unclear", "--categories", categories]);
        find(&report, "gwet_ac1", &[])["value"].as_f64().expect("value")
    };
    assert!(ac1("normal,mass,effusion,other") > ac1("normal,mass,effusion"));
}
