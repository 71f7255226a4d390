//! Evidence that earlier versions wrote verifies as long as its format number stands (`fixtures/evidence/`).

use std::path::{Path, PathBuf};

use crate::support::{files, sequester};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/evidence/v1").join(name)
}

#[test]
fn bundles_of_format_1_verify() {
    for name in ["scored-elsewhere", "locked-model"] {
        let folder = fixture(name);
        let ran = sequester(&["verify", folder.to_str().expect("UTF-8"), "--json"]);
        assert_eq!(ran.code, 0, "{name}: {}{}", ran.stdout, ran.stderr);
        let told: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
        assert_eq!(told["holds"], true, "{name}: {told}");
    }
}

#[test]
fn the_fixtures_say_which_formats_they_are_of() {
    let told = |name: &str, path: &str| std::fs::read_to_string(fixture(name).join(path)).expect("reads");
    for name in ["scored-elsewhere", "locked-model"] {
        assert!(told(name, "data/results.json").contains("\"sequester-results/1\""));
        assert!(told(name, "data/protocol.toml").contains("\"sequester-protocol/1\""));
        assert!(told(name, "data/environment.json").contains("\"sequester-evidence/1\""));
    }
    assert!(told("locked-model", "data/model/lock.json").contains("\"sequester-lock/1\""));
}

/// A fixture that cannot fail tests nothing.
#[test]
fn a_changed_byte_in_a_fixture_is_found() {
    let copy = tempfile::tempdir().expect("a folder");
    let source = fixture("scored-elsewhere");
    for (path, bytes) in files(&source) {
        let to = copy.path().join(path.strip_prefix(&source).expect("below"));
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("makes");
        std::fs::write(to, bytes).expect("writes");
    }
    let results = copy.path().join("data/results.json");
    let text = std::fs::read_to_string(&results).expect("reads");
    std::fs::write(&results, text.replacen("0.9", "0.8", 1)).expect("writes");
    assert_eq!(sequester(&["verify", copy.path().to_str().expect("UTF-8")]).code, 20);
}
