//! The record of signatures: a document beside the others that says who signed, as what, meaning what.

use std::path::Path;

use crate::support::{Ran, Study, files, sequester};

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn sign(study: &Study, by: &str, role: &str, meaning: &str) {
    let key = study.file(&format!("{role}.pem"));
    let made = ["keys", "new", "--out", text(&key), "--algorithm", "ed25519", "--no-passphrase"];
    assert_eq!(sequester(&made).code, 0);
    let said = ["--key", text(&key), "--by", by, "--role", role, "--meaning", meaning];
    let ran = study.run("sign", &said);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
}

fn record(study: &Study) -> Ran {
    study.run("report", &["--documents", "signatures", "--no-pdf"])
}

#[test]
fn the_record_says_who_signed_and_is_verified_with_the_documents() {
    let study = Study::small();
    assert_eq!(study.run("run", &["--no-pdf"]).code, 0);
    let unsigned = record(&study);
    assert!(unsigned.code == 1 && unsigned.stderr.contains("nobody signed"), "{}", unsigned.stderr);
    sign(&study, "A. Example", "statistician", "authorship");
    assert_eq!(record(&study).code, 0);
    let page = study.file("reports/signatures/run-1/signatures.html");
    let read = || std::fs::read_to_string(&page).expect("reads");
    let root = sequester::digest::Digest::of_file(&study.file("evidence/run-1/tagmanifest-sha256.txt"));
    for words in ["A. Example", "statistician", "authorship", "not shown", &root.expect("reads").to_string()]
    {
        assert!(read().contains(words), "{words}");
    }
    let bundle = files(&study.file("evidence"));
    let verify = || study.run("verify", &[]);
    assert_eq!(verify().code, 0);
    // Who signs later is in it as well.
    sign(&study, "B. Example", "quality", "approval");
    assert!(read().contains("B. Example"));
    assert_eq!((verify().code, files(&study.file("evidence"))), (0, bundle));
    let whole = read();
    std::fs::write(&page, whole.replace("A. Example", "C. Example")).expect("writes");
    let edited = verify();
    assert!(edited.code == 20 && edited.stderr.contains("report-differs"), "{}", edited.stderr);
    let refused = study.run(
        "sign",
        &[
            "--key",
            text(&study.file("quality.pem")),
            "--by",
            "B. Example",
            "--role",
            "quality",
            "--meaning",
            "review",
        ],
    );
    assert_eq!(refused.code, 20, "nothing is signed beside a record that was edited: {}", refused.stdout);
    std::fs::write(&page, whole).expect("writes");
    // A signature that was taken away is told by the record.
    let gone = files(&study.file("signatures/run-1")).into_keys().next().expect("a signature");
    std::fs::remove_file(gone).expect("removes");
    assert_eq!(verify().code, 20);
}
