//! Real pixels through dataset, train, lock and score: NIH images in the NIH layout, and DICOM files through
//! the gate of the locked model. Only with libtorch.

use std::collections::BTreeSet;
use std::io::Read as _;
use std::path::Path;

use crate::support::{real_data, sequester};

const PROTOCOL: &str = r#"format = "sequester-protocol/2"

[study]
id = "nih-pixels"
title = "NIH images in the NIH layout"
version = "1.0"
finding = "pneumonia"

[data]
cases = "Data_Entry_test.csv"
development = "Data_Entry_train_val.csv"
format = "nih"
positive_findings = ["Pneumonia"]
images = "images"

[gate]
modality = ["DX", "CR"]
body_part = ["CHEST"]
view = ["PA", "AP"]
age_years = { min = 18, max = 80 }

[[eligibility]]
id = "age"
kind = "age"
min = 18
max = 80
reason = "age outside 18-80 years"

[[eligibility]]
id = "view"
kind = "one-of"
field = "view"
allowed = ["PA", "AP"]
reason = "view other than PA or AP"

[reference_standard]
readers = 3
qualification = "not read in this test"
rule = "majority"

[model]
experiment = "experiment.toml"

[operating_point]
source = "lock"

[analysis]
seed = 1

[[endpoint]]
id = "auc"
metric = "auc"
role = "primary"
interval = "delong"
criterion = "lower > 0.5"
"#;

fn text_of(path: &Path) -> String {
    let bytes = std::fs::read(path).expect("reads");
    if path.extension().is_none_or(|e| e != "gz") {
        return String::from_utf8(bytes).expect("UTF-8");
    }
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(&bytes[..]).read_to_string(&mut text).expect("gzip");
    text
}

/// NIH's table of the images that are there, split by the official list.
fn write_study(data: &Path, study: &Path) {
    let images: BTreeSet<String> = std::fs::read_dir(data.join("nih-images-256"))
        .expect("lists")
        .flatten()
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".png"))
        .collect();
    assert_eq!(images.len(), 621);
    let test = text_of(&data.join("nih-metadata/test_list.txt.gz"));
    let test: BTreeSet<&str> = test.lines().map(str::trim).collect();
    let table = text_of(&data.join("nih-metadata/Data_Entry_2017_v2020.csv.gz"));
    let mut lines = table.lines();
    let header = lines.next().expect("a header");
    let mut tables = [format!("{header}\n"), format!("{header}\n")];
    for line in lines {
        let name = line.split(',').next().expect("a cell");
        if images.contains(name) {
            tables[usize::from(test.contains(name))].push_str(&format!("{line}\n"));
        }
    }
    let write = |name: &str, text: &str| std::fs::write(study.join(name), text).expect("writes");
    write("Data_Entry_train_val.csv", &tables[0]);
    write("Data_Entry_test.csv", &tables[1]);
    write("protocol.toml", PROTOCOL);
    let experiment =
        include_str!("../../protocols/exp-random-smoke.toml").replace("resolution = 96", "resolution = 32");
    write("experiment.toml", &experiment);
    std::os::unix::fs::symlink(
        data.join("nih-images-256").canonicalize().expect("is there"),
        study.join("images"),
    )
    .expect("links");
}

#[test]
fn nih_images_and_dicom_files_go_from_the_table_to_a_score() {
    let Some(data) = real_data("nih_images_and_dicom_files_go_from_the_table_to_a_score") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    write_study(&data, folder.path());
    let study = folder.path().to_str().expect("UTF-8");
    for command in ["check", "dataset", "train", "lock"] {
        let ran = sequester(&[command, study]);
        assert_eq!(ran.code, 0, "{command}: {}{}", ran.stdout, ran.stderr);
    }
    let again = sequester(&["lock", study]);
    assert_eq!(again.code, 30, "{}", again.stderr);
    assert!(again.stderr.contains("error[already-locked]"), "{}", again.stderr);

    // NIH's table names no modality and no body part, and the protocol declares neither: the gate cannot
    // tell.
    let ran = sequester(&["score", study, "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(report["scored"], 0);
    assert!(report["refused"].as_u64().expect("a count") > 50);

    dicom_files(&data, &folder.path().join("model"));

    // One changed byte of the weights, and nothing is scored.
    let weights = folder.path().join("model/weights.safetensors");
    let mut bytes = std::fs::read(&weights).expect("reads");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&weights, bytes).expect("writes");
    let ran = sequester(&["score", study]);
    assert_eq!(ran.code, 30, "{}", ran.stderr);
    assert!(ran.stderr.contains("error[weights-differ]"), "{}", ran.stderr);
}

#[test]
fn nih_images_are_scored_where_the_protocol_declares_what_their_table_leaves_out() {
    let Some(data) =
        real_data("nih_images_are_scored_where_the_protocol_declares_what_their_table_leaves_out")
    else {
        return;
    };
    let folder = tempfile::tempdir().expect("a folder");
    write_study(&data, folder.path());
    let declared = "images = \"images\"\nmodality = \"DX\"\nbody_part = \"CHEST\"\n";
    let protocol = PROTOCOL.replace("images = \"images\"\n", declared);
    std::fs::write(folder.path().join("protocol.toml"), protocol).expect("writes");
    let study = folder.path().to_str().expect("UTF-8");
    for command in ["dataset", "train", "lock"] {
        let ran = sequester(&[command, study]);
        assert_eq!(ran.code, 0, "{command}: {}{}", ran.stdout, ran.stderr);
    }
    let ran = sequester(&["score", study, "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(report["refused"], 0);
    let scores = std::fs::read_to_string(folder.path().join("scores.csv")).expect("reads");
    assert_eq!(scores.lines().count() as u64 - 1, report["scored"].as_u64().expect("a count"));
}

/// Tests 2 and 3 are scored; 1 is refused by age; 4, 5 and 6 by age and one more reason each.
fn dicom_files(data: &Path, model: &Path) {
    let files: Vec<String> =
        (1..=6).map(|n| data.join(format!("dicom-udacity/test{n}.dcm")).display().to_string()).collect();
    let mut arguments = vec!["score", "--json", "--model", model.to_str().expect("UTF-8")];
    arguments.extend(files.iter().map(String::as_str));
    let ran = sequester(&arguments);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let expected: [&[&str]; 6] = [
        &["age 81"],
        &[],
        &[],
        &["body part RIBCAGE", "age 81"],
        &["modality CT", "age 81"],
        &["view XX", "age 81"],
    ];
    for (index, reasons) in expected.iter().enumerate() {
        let file = &report["files"][index];
        if reasons.is_empty() {
            let score = file["score"].as_f64().expect("a score");
            assert!((0.0..=1.0).contains(&score));
            continue;
        }
        assert!(file["score"].is_null(), "{file}");
        let refused = file["refused"].as_array().expect("reasons");
        assert_eq!(refused.len(), reasons.len(), "{file}");
        for reason in *reasons {
            let found = refused.iter().any(|r| r.as_str().expect("text").starts_with(reason));
            assert!(found, "{reason} is not among {refused:?}");
        }
    }
}
