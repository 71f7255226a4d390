//! The verifier in Python (`docs/verify.py`) beside ours: both say the same of what both can judge.

use std::path::Path;
use std::process::Command;

use sequester::digest::Digest;
use serde_json::Value;

use crate::audit::seal;
use crate::support::{bundle_copy, files, sequester};

const FIXTURES: [&str; 5] =
    ["scored-elsewhere", "locked-model", "adjudicated", "reader-study", "second-version"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Whether there is a Python that the verifier runs on; says so loudly where there is none.
fn python(test: &str) -> bool {
    let check = "import sys, tomllib; sys.exit(sys.version_info < (3, 11))";
    let there = Command::new("python3").args(["-c", check]).output().is_ok_and(|ran| ran.status.success());
    if !there {
        eprintln!("SKIPPED {test}: python3 is not there, or is older than 3.11");
    }
    there
}

/// Exit code and what was printed.
fn second(target: &Path) -> (i32, String) {
    let ran = Command::new("python3").arg(root().join("docs/verify.py")).arg(target).output().expect("runs");
    let said = [ran.stdout, ran.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (ran.status.code().unwrap_or(-1), said)
}

fn first(target: &Path) -> i32 {
    sequester(&["verify", target.to_str().expect("UTF-8")]).code
}

/// Writes a payload file as somebody would who repairs whatever names its digest: the last event that has it,
/// the chain from there on, and the manifests.
fn forge(bag: &Path, name: &str, bytes: &[u8]) {
    std::fs::write(bag.join("data").join(name), bytes).expect("writes");
    let ledger = bag.join("data/ledger.jsonl");
    let text = std::fs::read_to_string(&ledger).expect("reads");
    let mut previous = "0".repeat(64);
    let mut forged = String::new();
    for line in text.lines() {
        let mut event: Value = serde_json::from_str(line).expect("JSON");
        if let Some(digest) = event["digests"].get_mut(name) {
            *digest = Digest::of(bytes).to_string().into();
        }
        event["previous"] = previous.into();
        let line = event.to_string();
        previous = Digest::of(line.as_bytes()).to_string();
        forged.push_str(&line);
        forged.push('\n');
    }
    std::fs::write(&ledger, forged).expect("writes");
    seal(bag);
}

#[test]
fn honest_bundles_pass_and_both_name_the_same_root() {
    if !python("honest_bundles_pass_and_both_name_the_same_root") {
        return;
    }
    for name in FIXTURES {
        let bag = root().join("fixtures/evidence/v2").join(name);
        let (code, said) = second(&bag);
        assert_eq!((code, first(&bag)), (0, 0), "{name}: {said}");
        let root = Digest::of_file(&bag.join("tagmanifest-sha256.txt")).expect("reads");
        assert!(said.contains(&format!("root digest {root}")), "{said}");
        let answers = said.lines().filter(|line| line.starts_with("yes ")).count();
        assert!(answers >= 6 && !said.contains("\nno "), "{said}");
        let (_folder, copied) = bundle_copy(2, name);
        forge(&copied, "results.json", &std::fs::read(bag.join("data/results.json")).expect("reads"));
        assert_eq!(second(&copied).0, 0, "what is repaired without a change is as before");
    }
    let nothing = tempfile::tempdir().expect("a folder");
    assert_eq!(second(nothing.path()).0, 1);
}

#[test]
fn a_changed_byte_of_any_file_is_found_by_both() {
    if !python("a_changed_byte_of_any_file_is_found_by_both") {
        return;
    }
    let (_folder, bag) = bundle_copy(2, "adjudicated");
    for (nth, (path, bytes)) in files(&bag).into_iter().enumerate() {
        let name = path.strip_prefix(&bag).expect("below").display().to_string();
        let mut other = bytes.clone();
        let at = (nth * 7919) % other.len().max(1);
        match other.get_mut(at) {
            Some(byte) => *byte ^= 1 << (nth % 7),
            None => other.push(b'x'),
        }
        std::fs::write(&path, &other).expect("writes");
        let (code, said) = second(&bag);
        assert_eq!(code, 20, "{name} at {at}: {said}");
        assert!(said.contains("\nno "), "{said}");
        // Where the format itself is hit, ours refuses to read on.
        assert!([1, 20].contains(&first(&bag)), "{name} at {at}");
        std::fs::write(&path, &bytes).expect("writes");
    }
    assert_eq!(second(&bag).0, 0);
    std::fs::create_dir(bag.join("data/more")).expect("makes");
    assert_eq!((second(&bag).0, first(&bag)), (20, 20), "an empty folder");
}

/// Every number and verdict that the second verifier judges, each changed alone.
fn forgeries(results: &Value) -> Vec<(String, Value)> {
    let mut changed = Vec::new();
    let mut change = |pointer: String, to: Value| {
        let mut other = results.clone();
        if let Some(value) = other.pointer_mut(&pointer).filter(|value| **value != to) {
            *value = to;
            changed.push((pointer, other));
        }
    };
    let more = |value: &Value| Value::from(value.as_f64().map_or(1.0, |number| number + 0.01));
    let count = |value: &Value| Value::from(value.as_u64().unwrap_or_default() + 1);
    for part in
        ["considered", "eligible", "not_sampled", "sampled", "without_consensus", "analysed", "positives"]
    {
        change(format!("/flow/{part}"), count(&results["flow"][part]));
    }
    for level in ["unanimous", "incomplete", "none"] {
        change(format!("/consensus/{level}"), count(&results["consensus"][level]));
    }
    for cell in ["tp", "fn", "fp", "tn"] {
        change(format!("/curves/confusion/{cell}"), count(&results["curves"]["confusion"][cell]));
    }
    change("/operating_point/threshold".into(), more(&results["operating_point"]["threshold"]));
    change("/endpoints/0/verdict".into(), "not-evaluable".into());
    change("/endpoints/0/criterion".into(), "lower > 0.01".into());
    change("/conclusion".into(), if results["conclusion"] == "met" { "not-met" } else { "met" }.into());
    for (nth, estimate) in results["estimates"].as_array().expect("estimates").iter().enumerate().take(7) {
        change(format!("/estimates/{nth}/value"), more(&estimate["value"]));
        for (at, interval) in estimate["intervals"].as_array().into_iter().flatten().enumerate() {
            let exact = ["clopper-pearson", "wilson"].iter().any(|method| interval["method"] == *method);
            if exact && estimate["denominator"].is_u64() {
                change(format!("/estimates/{nth}/intervals/{at}/lower"), more(&interval["lower"]));
                change(format!("/estimates/{nth}/intervals/{at}/upper"), more(&interval["upper"]));
            }
        }
    }
    changed
}

#[test]
fn a_forged_number_with_repaired_digests_is_found_by_both() {
    if !python("a_forged_number_with_repaired_digests_is_found_by_both") {
        return;
    }
    let (_folder, bag) = bundle_copy(2, "scored-elsewhere");
    let bytes = std::fs::read(bag.join("data/results.json")).expect("reads");
    let forged = forgeries(&serde_json::from_slice(&bytes).expect("JSON"));
    assert!(forged.len() > 30, "{}", forged.len());
    for (nth, (what, results)) in forged.iter().enumerate() {
        forge(&bag, "results.json", results.to_string().as_bytes());
        let (code, said) = second(&bag);
        assert_eq!(code, 20, "{what}: {said}");
        assert!(said.contains("yes        Is every byte"), "{what}: the forger was careful: {said}");
        // Ours compares all bytes of the results, whatever changed in them.
        if nth % 8 == 0 {
            assert_eq!(first(&bag), 20, "{what}");
        }
    }
}

#[test]
fn forged_tables_with_repaired_digests_are_found_by_both() {
    if !python("forged_tables_with_repaired_digests_are_found_by_both") {
        return;
    }
    let forgeries: [(&str, &str, &str); 7] = [
        ("reference.csv", ",0,3,0,0,negative,", ",0,3,0,0,positive,"),
        ("reference.csv", ",0,3,0,0,negative,", ",0,2,0,0,negative,"),
        ("derivation.csv", "reader-1=negative", "reader-1=positive"),
        ("cases.csv", ",analysed,", ",no-score,"),
        ("cases.csv", ",analysed,", ",not-sampled,"),
        ("inputs/reads/reader-1.csv", ",negative,", ",positive,"),
        ("protocol.toml", "threshold = 0.5", "threshold = 0.4"),
    ];
    for (name, from, to) in forgeries {
        let (_folder, bag) = bundle_copy(2, "scored-elsewhere");
        let text = std::fs::read_to_string(bag.join("data").join(name)).expect("reads");
        assert!(text.contains(from), "{name}: {from}");
        forge(&bag, name, text.replacen(from, to, 1).as_bytes());
        let (code, said) = second(&bag);
        assert_eq!(code, 20, "{name}: {from}: {said}");
        assert_eq!(first(&bag), 20, "{name}: {from}");
    }
}

#[test]
fn the_second_verifier_stays_short_and_needs_the_standard_library_alone() {
    let text = std::fs::read_to_string(root().join("docs/verify.py")).expect("reads");
    assert!(text.lines().count() <= 400, "{} lines", text.lines().count());
    assert!(text.lines().all(|line| line.chars().count() <= 110));
    let imported = text.lines().filter(|line| line.starts_with("import ") || line.starts_with("from "));
    let known = [
        "base64",
        "bisect",
        "collections",
        "csv",
        "datetime",
        "hashlib",
        "io",
        "json",
        "math",
        "os",
        "pathlib",
        "re",
        "shutil",
        "statistics",
        "subprocess",
        "sys",
        "tempfile",
        "tomllib",
    ];
    for line in imported {
        let line = line.strip_prefix("from ").map_or(line, |rest| rest.split(' ').next().unwrap_or_default());
        for module in line.trim_start_matches("import ").split(", ") {
            assert!(known.contains(&module), "{module}");
        }
    }
}
