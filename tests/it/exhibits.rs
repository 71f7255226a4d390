//! Is this the model that was validated? What `verify` says of several things.

use std::path::Path;

use sequester::dataset::gate::Gate;
use sequester::model::architecture::Architecture;
use serde_json::Value;

use crate::locked_model::{lock_random, study};
#[cfg(feature = "pdf")]
use crate::support::with_pdf;
use crate::support::{Ran, Study, sequester};

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn asked(targets: &[&Path], more: &[&str]) -> (Ran, Value) {
    let targets: Vec<&str> = targets.iter().map(|path| text(path)).collect();
    let ran = sequester(&[&["verify", "--json"], &targets[..], more].concat());
    let told =
        serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {}{}", ran.stdout, ran.stderr));
    (ran, told)
}

/// The answers of all pairs, each with its sentence.
fn answers(told: &Value) -> Vec<(String, String)> {
    let of = |fit: &Value, key: &str| fit[key].as_str().expect("text").to_owned();
    let fits = told["fits"].as_array().expect("fits");
    fits.iter().map(|fit| (of(fit, "answer"), of(fit, "words"))).collect()
}

fn validated() -> Study {
    let study = study();
    assert_eq!(study.run("score", &[]).code, 0);
    let ran = study.run("validate", &[]);
    assert!([0, 10].contains(&ran.code), "{}", ran.stderr);
    study
}

#[test]
fn the_model_that_was_validated_is_known_by_its_bytes_whatever_its_name() {
    let study = validated();
    let (ran, told) = asked(&[&study.file("model"), study.path()], &[]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert_eq!(told["holds"], true);
    let all = answers(&told);
    assert_eq!(all.len(), 3, "{all:?}");
    assert!(all.iter().all(|(answer, _)| answer == "yes"), "{all:?}");
    // The commands that are printed give the same digests without this program.
    for command in told["commands"].as_array().expect("commands") {
        let (line, prints) =
            (command["command"].as_str().expect("text"), command["prints"].as_str().expect("text"));
        let ran = std::process::Command::new("sh").args(["-c", line]).output().expect("a shell");
        assert!(ran.status.success(), "{line}");
        assert!(
            prints == "OK for every file" || String::from_utf8_lossy(&ran.stdout).contains(prints),
            "{line}"
        );
    }
    let renamed = study.file("what is this?.bin");
    std::fs::copy(study.file("model/weights.safetensors"), &renamed).expect("copies");
    let (ran, told) = asked(&[&renamed, &study.file("evidence/run-1")], &[]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert_eq!(told["exhibits"][0]["kind"], "weights");
    assert_eq!(answers(&told)[0].1, "the weights are the ones that were validated");
    // One bit.
    let mut bytes = std::fs::read(&renamed).expect("reads");
    *bytes.last_mut().expect("bytes") ^= 1;
    std::fs::write(&renamed, bytes).expect("writes");
    let (ran, told) = asked(&[&renamed, &study.file("evidence/run-1")], &[]);
    assert_eq!((ran.code, told["holds"].as_bool()), (20, Some(false)));
    assert_eq!(
        answers(&told)[0],
        ("no".to_owned(), "the weights are not the ones that were validated".to_owned())
    );
}

#[test]
fn a_model_by_itself_is_compared_with_its_lock_and_a_lone_file_with_nothing() {
    let study = study();
    let model = study.file("model");
    let (ran, told) = asked(&[&model], &[]);
    assert_eq!((ran.code, answers(&told).len()), (0, 1));
    let (ran, told) = asked(&[&model.join("weights.safetensors")], &[]);
    assert_eq!((ran.code, answers(&told).len()), (21, 0), "nothing is not yes");
    assert!(ran.stderr.contains("not-shown"), "{}", ran.stderr);
    let other = study.file("other");
    lock_random(
        &other,
        Architecture::EfficientnetLite0,
        Gate { minimum_dimension: Some(21), ..Gate::default() },
    );
    // The same random weights under another lock.
    let (ran, told) = asked(&[&other.join("lock.json"), &model], &[]);
    assert_eq!(ran.code, 20);
    let all = answers(&told);
    assert!(
        all.contains(&("no".to_owned(), "two different locks of the same weights".to_owned())),
        "{all:?}"
    );
    let (ran, told) = asked(&[&other, &model], &["--diff"]);
    assert_eq!(ran.code, 10);
    assert_eq!(
        told["differences"],
        serde_json::json!([{"part": "lock", "key": "gate.minimum_dimension", "first": "21", "second": "20"}])
    );
    let (ran, told) = asked(&[&model, &model], &["--diff"]);
    assert_eq!((ran.code, told["same"].as_bool()), (0, Some(true)));
    let ran = sequester(&["verify", "--diff", text(&model)]);
    assert_eq!(ran.code, 2, "{}", ran.stderr);
    let ran = sequester(&["verify", text(&study.file("nowhere.pdf")), text(&model)]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
}

#[test]
fn a_document_is_told_what_number_is_not_the_evidence_s() {
    let study = validated();
    let (page, bundle) = (study.file("reports/run-1/report.html"), study.file("evidence/run-1"));
    assert_eq!(study.run("report", &["--no-pdf"]).code, 0);
    let (ran, told) = asked(&[&bundle], &["--against", text(&page)]);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert!(answers(&told)[0].1.ends_with("byte for byte"), "{told}");
    let original = std::fs::read_to_string(&page).expect("reads");
    let copy = study.file("handed.html");
    let handed = |from: &str, to: &str| {
        assert!(original.contains(from), "{from}");
        std::fs::write(&copy, original.replacen(from, to, 1)).expect("writes");
        let (ran, told) = asked(&[&bundle], &["--against", text(&copy)]);
        assert_eq!(ran.code, 20);
        told["fits"][0].clone()
    };
    // A count of the flow, in the text of the page.
    let results: Value = serde_json::from_str(&study.read("evidence/run-1/data/results.json")).expect("JSON");
    let analysed = results["flow"]["analysed"].as_u64().expect("a count");
    let fit = handed(&format!("({analysed} cases"), "(987 cases");
    let told = fit["discrepancies"].to_string();
    assert!(told.contains("987") && told.contains(&analysed.to_string()), "{told}");
    assert!(fit["words"].as_str().expect("text").contains("1 number"), "{fit}");
    let root = results_root(&bundle);
    std::fs::write(&copy, original.replace(&root, &root.replace('a', "b"))).expect("writes");
    let (_, told) = asked(&[&bundle], &["--against", text(&copy)]);
    assert_eq!(told["fits"][0]["discrepancies"][0]["code"], "document-of-another", "{told}");
    // Its model is known without any bundle.
    let (ran, told) = asked(&[&page, &study.file("model")], &[]);
    assert_eq!(ran.code, 0, "{told}");
    // A file of the bundle is found by its bytes.
    let (ran, told) = asked(&[&study.file("cases.csv"), &bundle], &[]);
    assert_eq!(ran.code, 0, "{told}");
    assert_eq!(answers(&told)[0].1, "the file is data/inputs/cases.csv of the bundle");
    let (ran, _) = asked(&[&study.file("experiment-of-nobody.toml"), &bundle], &[]);
    assert_eq!(ran.code, 1, "what is not there is no JSON document of exhibits");
}

fn results_root(bundle: &Path) -> String {
    sequester::digest::Digest::of_file(&bundle.join("tagmanifest-sha256.txt")).expect("reads").to_string()
}

#[cfg(feature = "pdf")]
#[test]
fn a_number_that_was_changed_in_a_pdf_is_named() {
    let study = validated();
    let report = || with_pdf(&["report", text(study.path())]);
    assert_eq!(report().code, 0);
    let (pdf, bundle) = (study.file("reports/run-1/report.pdf"), study.file("evidence/run-1"));
    let (ran, told) = asked(&[&bundle], &["--against", text(&pdf)]);
    assert_eq!(ran.code, 0, "{told}");
    // The document of the same study with another case analysed: other evidence, printed over this root
    // digest would be forgery; here it names its own.
    study.replace("device.toml", "Example device", "Another device");
    let again = study.run("validate", &["--reason", "another name of the device"]);
    assert!([0, 10].contains(&again.code), "{}", again.stderr);
    assert_eq!(report().code, 0);
    let (ran, told) = asked(&[&bundle], &["--against", text(&study.file("reports/run-2/report.pdf"))]);
    assert_eq!(ran.code, 20);
    assert_eq!(told["fits"][0]["discrepancies"][0]["code"], "document-of-another", "{told}");
    let (ran, told) = asked(&[&bundle, &study.file("evidence/run-2")], &["--diff"]);
    assert_eq!(ran.code, 10);
    let parts: Vec<&str> =
        told["differences"].as_array().expect("a list").iter().filter_map(|d| d["part"].as_str()).collect();
    assert!(parts.contains(&"device") && !parts.contains(&"lock"), "{parts:?}");
}

#[test]
fn no_bytes_end_the_question() {
    let study = study();
    let odd: [(&str, Vec<u8>); 6] = [
        ("empty", Vec::new()),
        ("pdf.pdf", [b"%PDF-1.7\n1 0 obj\n".as_slice(), &[b'['; 200_000]].concat()),
        ("page.html", b"<html><style><b".to_vec()),
        ("lock.json", b"{\"format\": \"sequester-lock/9\"}".to_vec()),
        ("weights", [&9_u64.to_le_bytes()[..], b"{"].concat()),
        ("nested.json", vec![b'{'; 100_000]),
    ];
    for (name, bytes) in odd {
        let path = study.file(name);
        std::fs::write(&path, bytes).expect("writes");
        let ran = sequester(&["verify", text(&path), text(&study.file("model"))]);
        assert!([20, 21, 30].contains(&ran.code), "{name}: {} {}", ran.code, ran.stderr);
    }
}
