//! `sequester qualify` on this machine, run once for all tests.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::Value;

use crate::support::{files, sequester};

struct Qualified {
    /// The files of the report by name.
    report: BTreeMap<PathBuf, Vec<u8>>,
    printed: Value,
    code: i32,
}

fn qualified() -> &'static Qualified {
    static ONCE: OnceLock<Qualified> = OnceLock::new();
    ONCE.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let report = folder.path().join("made/qualification");
        let out = report.to_str().expect("UTF-8");
        let ran = sequester(&["qualify", "--out", out, "--no-pdf", "--docx", "--json"]);
        let printed = serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {}", ran.stderr));
        let strip = |(path, bytes): (PathBuf, Vec<u8>)| {
            (path.strip_prefix(&report).expect("below").to_path_buf(), bytes)
        };
        Qualified { report: files(&report).into_iter().map(strip).collect(), printed, code: ran.code }
    })
}

/// What it prints, for the test of the schema.
pub fn printed() -> Value {
    qualified().printed.clone()
}

fn read(name: &str) -> String {
    String::from_utf8(qualified().report[Path::new(name)].clone()).expect("text")
}

#[test]
fn this_installation_qualifies_and_says_what_is_not_there() {
    let Qualified { printed, code, .. } = qualified();
    let failed: Vec<&Value> =
        printed["tests"].as_array().expect("tests").iter().filter(|t| t["outcome"] == "failed").collect();
    assert!(*code == 0 && failed.is_empty(), "{failed:#?}");
    assert_eq!(printed["passed"], true);
    let tests = printed["tests"].as_array().expect("tests");
    assert!(tests.len() > 90, "{}", tests.len());
    for test in tests {
        for key in ["id", "requirement", "harm", "severity", "outcome", "expected", "found"] {
            assert!(test[key].as_str().is_some_and(|text| !text.is_empty()), "{test}");
        }
    }
    let outcome = |id: &str| tests.iter().find(|test| test["id"] == id).expect(id)["outcome"].clone();
    let fonts = if cfg!(feature = "pdf") { "passed" } else { "not-applicable" };
    assert_eq!(outcome("IQ-05"), fonts);
    let absent = printed["absent"].to_string();
    assert_eq!(absent.contains("feature pdf"), !cfg!(feature = "pdf"), "{absent}");
    // The digest is that of the program that ran.
    let program = std::fs::read(env!("CARGO_BIN_EXE_sequester")).expect("reads");
    let digest = sequester::digest::Digest::of(&program).to_string();
    assert_eq!(printed["program"]["sha256"], digest.as_str());
}

#[test]
fn the_report_says_what_the_json_says_and_has_a_form_to_fill_in() {
    let told: Value = serde_json::from_str(&read("qualification.json")).expect("JSON");
    assert_eq!(&told, &qualified().printed);
    let page = read("qualification.html");
    for test in told["tests"].as_array().expect("tests") {
        assert!(page.contains(test["id"].as_str().expect("id")), "{test}");
    }
    for words in ["Performance Qualification", "PQ-01", "Printed name", "Approval", "SHA-256"] {
        assert!(page.contains(words), "{words}");
    }
    assert!(read("qualification.md").contains("Performance Qualification"));
    let draft = &qualified().report[Path::new("qualification.docx")];
    assert!(draft.starts_with(b"PK") && draft.len() > 10_000, "{} bytes", draft.len());
    // A place of the documentation is named by its words, not by its marks.
    assert!(!page.contains("**"), "marks of Markdown in the page");
    assert!(!page.contains("Tests That Failed"));
}

#[test]
fn a_report_is_not_written_over_another() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("mine"), "mine").expect("writes");
    let ran = sequester(&["qualify", "--out", folder.path().to_str().expect("UTF-8"), "--no-pdf"]);
    assert!(ran.code == 1 && ran.stderr.contains("file-exists"), "{}", ran.stderr);
    assert_eq!(files(folder.path()).len(), 1);
}

/// `SEQUESTER_WRITE_DIGESTS=1` writes the digest again where a change of the document engine was meant.
#[test]
fn the_specimen_renders_to_the_digest_that_is_known() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/qualification-specimen.sha256");
    let found = sequester::workflow::qualify::specimen_digest().expect("renders");
    if std::env::var_os("SEQUESTER_WRITE_DIGESTS").is_some() {
        std::fs::write(&path, format!("{found}\n")).expect("writes");
    }
    let known = std::fs::read_to_string(&path).expect("reads");
    assert_eq!(known.trim(), found, "rendering changed: SEQUESTER_WRITE_DIGESTS=1 if it was meant");
}
