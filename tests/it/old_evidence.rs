//! Evidence that earlier versions wrote verifies as long as its format number stands, and is refused by name
//! after (`fixtures/evidence/`).

use std::path::{Path, PathBuf};

use sequester::evidence::{bag, bundle};
use sequester::study;

use crate::support::{bundle_copy, files, sequester};

const V1: [&str; 2] = ["scored-elsewhere", "locked-model"];
const V2: [&str; 5] = ["scored-elsewhere", "locked-model", "adjudicated", "reader-study", "second-version"];

fn fixture(version: u8, name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/evidence/v{version}")).join(name)
}

fn verify(folder: &Path) -> crate::support::Ran {
    sequester(&["verify", folder.to_str().expect("UTF-8"), "--json"])
}

/// A copy of a fixture in which a text of `results.json` is another.
fn changed(version: u8) -> (tempfile::TempDir, PathBuf) {
    let (folder, copy) = bundle_copy(version, "scored-elsewhere");
    let results = copy.join("data/results.json");
    let text = std::fs::read_to_string(&results).expect("reads");
    std::fs::write(&results, text.replacen("0.9", "0.8", 1)).expect("writes");
    (folder, copy)
}

#[test]
fn bundles_of_format_2_verify() {
    for name in V2 {
        let ran = verify(&fixture(2, name));
        assert_eq!(ran.code, 0, "{name}: {}{}", ran.stdout, ran.stderr);
        let told: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
        assert_eq!(told["holds"], true, "{name}: {told}");
    }
}

#[test]
fn bundles_of_format_1_are_refused_by_name_with_the_way_out() {
    for name in V1 {
        let folder = fixture(1, name);
        let ran = verify(&folder);
        // Not 20: nothing is wrong with the evidence, this version cannot read it.
        assert_eq!(ran.code, 1, "{name}: {}{}", ran.stdout, ran.stderr);
        let said = format!("{}{}", ran.stdout, ran.stderr);
        for words in [
            "format-unknown",
            "sequester-evidence/1",
            "data/environment.json",
            "sequester 0.1",
            "sha256sum -c",
        ] {
            assert!(said.contains(words), "{name}: {said}");
        }
        assert_eq!(sequester(&["report", folder.to_str().expect("UTF-8")]).code, 1, "{name}");
    }
}

#[test]
fn the_fixtures_say_which_formats_they_are_of() {
    for (version, names) in [(1, &V1[..]), (2, &V2[..])] {
        for name in names {
            let told =
                |path: &str| std::fs::read_to_string(fixture(version, name).join(path)).expect("reads");
            assert!(told("data/results.json").contains(&format!("\"sequester-results/{version}\"")));
            assert!(told("data/protocol.toml").contains(&format!("\"sequester-protocol/{version}\"")));
            assert!(told("data/environment.json").contains(&format!("\"sequester-evidence/{version}\"")));
        }
    }
}

/// A fixture that cannot fail tests nothing; bytes are looked at whatever the format.
#[test]
fn a_changed_byte_in_a_fixture_is_found() {
    for version in [1, 2] {
        let (_folder, bag) = changed(version);
        assert_eq!(verify(&bag).code, 20, "format {version}");
    }
}

/// Results name the program that made them; a later version derives them with that name, and not with its
/// own.
#[test]
fn a_later_version_derives_the_results_that_an_earlier_one_wrote() {
    for name in V2 {
        let mut payload = bag::open(&fixture(2, name)).expect("opens").payload;
        let path = |name: &str| bundle::path("", name).expect("a path");
        let edited = |payload: &bag::Payload, name: &str, before: &str, after: &str| {
            let text = bundle::text(payload, name).expect("text");
            assert!(text.contains(before), "{name} holds {before}");
            text.replace(before, after).into_bytes()
        };
        let then = "0.2.0";
        let environment =
            edited(&payload, bundle::ENVIRONMENT, &format!("sequester {then}"), "sequester 0.0.9");
        let results = edited(
            &payload,
            bundle::RESULTS,
            &format!("\"program_version\": \"{then}\""),
            "\"program_version\": \"0.0.9\"",
        );
        payload.insert(path(bundle::ENVIRONMENT), environment.into());
        let derived = study::derive(&bundle::inputs(&payload).expect("inputs")).expect("derives");
        assert_eq!(derived.results.method.program_version, "0.0.9");
        assert!(
            derived.files[&path(bundle::RESULTS)] == results,
            "{name}: the same bytes but for the version"
        );
    }
}

/// The statement that an earlier version signed is read, and counts, by every later one.
#[test]
fn a_signature_that_an_earlier_version_made_counts() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/statements/v1");
    let (bundle, signatures, trust) =
        (fixture(2, "scored-elsewhere"), folder.join("signatures"), folder.join("trust.toml"));
    let text = |path: &Path| path.to_str().expect("UTF-8").to_owned();
    let asked = |bundle: &Path| {
        sequester(&["verify", &text(bundle), "--signatures", &text(&signatures), "--trust", &text(&trust)])
    };
    let ran = asked(&bundle);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let said = "A. Example as engineer, meaning approval";
    assert!(ran.stdout.lines().any(|line| line.starts_with("yes") && line.contains(said)), "{}", ran.stdout);
    let (_folder, other) = bundle_copy(2, "adjudicated");
    assert_eq!(asked(&other).code, 20, "it is about one bundle");
}

/// What version 1.0.0 rendered of these bundles (`sequester report BUNDLE --documents all --no-pdf`), with
/// the bundle's version in the plan: 1.0.0 wrote its own there, which is the same for what it made itself.
const DOCUMENTS: &str = include_str!("../../fixtures/evidence/documents-1.0.0.sha256");

#[test]
fn documents_of_old_bundles_are_rendered_to_the_same_bytes() {
    let mut expected: Vec<&str> = DOCUMENTS.lines().collect();
    expected.sort_unstable();
    let mut found = Vec::new();
    for name in V2 {
        let out = tempfile::tempdir().expect("a folder");
        let (place, bundle) = (out.path().join("documents"), fixture(2, name));
        let words = ["report", bundle.to_str().expect("UTF-8"), "--documents", "all", "--out"];
        let ran = sequester(&[&words[..], &[place.to_str().expect("UTF-8")]].concat());
        assert_eq!(ran.code, 0, "{name}: {}{}", ran.stdout, ran.stderr);
        for (path, bytes) in files(&place) {
            let within = path.strip_prefix(&place).expect("below").to_str().expect("UTF-8").to_owned();
            found.push(format!("{}  {name}/{within}", sequester::digest::Digest::of(&bytes)));
        }
    }
    found.sort_unstable();
    let other: Vec<&String> = found.iter().filter(|line| !expected.contains(&line.as_str())).collect();
    assert_eq!(other, Vec::<&String>::new());
    assert_eq!(found.len(), expected.len());
}
