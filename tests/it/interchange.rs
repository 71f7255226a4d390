//! `sequester export --format sbom | ml-bom | ars`: what is written, against the public validators where they
//! are installed, and always against `results.json` to the last character.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value;

use crate::support::{bundle_copy, sequester};

const FIXTURES: [&str; 3] = ["scored-elsewhere", "locked-model", "adjudicated"];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

fn fixture(name: &str) -> PathBuf {
    root().join("fixtures/evidence/v2").join(name)
}

/// What is exported of every fixture, as text: each export verifies its bundle first, so each is made once.
fn exported(format: &'static str) -> Vec<(&'static str, String)> {
    static ONCE: OnceLock<BTreeMap<(&str, &str), String>> = OnceLock::new();
    let all = ONCE.get_or_init(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let mut all = BTreeMap::new();
        for name in FIXTURES {
            for format in ["ml-bom", "ars"] {
                let (target, out) = (fixture(name), folder.path().join(format!("{name}-{format}.json")));
                let arguments = ["export", text(&target), "--format", format, "--out", text(&out)];
                let ran = sequester(&arguments);
                assert_eq!(ran.code, 0, "{format}: {}{}", ran.stdout, ran.stderr);
                all.insert((name, format), std::fs::read_to_string(out).expect("reads"));
            }
        }
        all
    });
    FIXTURES.map(|name| (name, all[&(name, format)].clone())).to_vec()
}

/// The same as files in a folder.
fn written(format: &'static str, folder: &Path) -> Vec<PathBuf> {
    let write = |(name, text): (&str, String)| {
        let path = folder.join(format!("{name}-{format}.json"));
        std::fs::write(&path, text).expect("writes");
        path
    };
    exported(format).into_iter().map(write).collect()
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

/// Every number of a JSON text as it is written.
fn numbers(text: &str) -> BTreeSet<String> {
    fn walk(value: &Value, out: &mut BTreeSet<String>) {
        match value {
            Value::Number(number) => drop(out.insert(number.to_string())),
            Value::Array(all) => all.iter().for_each(|value| walk(value, out)),
            Value::Object(all) => all.values().for_each(|value| walk(value, out)),
            _ => {}
        }
    }
    let mut out = BTreeSet::new();
    walk(&serde_json::from_str(text).expect("JSON"), &mut out);
    // A number is in the text as this program writes it, not only equal to it.
    for number in &out {
        assert!(text.contains(number.as_str()), "{number}");
    }
    out
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value[key].as_array().map_or(&[], Vec::as_slice)
}

#[test]
fn every_number_of_a_model_bom_is_the_text_of_the_results() {
    for (name, written) in exported("ml-bom") {
        let bom = parsed(&written);
        let results = std::fs::read_to_string(fixture(name).join("data/results.json")).expect("reads");
        let written = numbers(&results);
        let results: Value = serde_json::from_str(&results).expect("JSON");
        let card = &bom["metadata"]["component"]["modelCard"];
        let metrics = list(&card["quantitativeAnalysis"], "performanceMetrics");
        let mut seen = 0;
        for metric in metrics {
            let values = [
                &metric["value"],
                &metric["confidenceInterval"]["lowerBound"],
                &metric["confidenceInterval"]["upperBound"],
            ];
            for value in values.into_iter().filter_map(Value::as_str) {
                let is_told = value.starts_with("not evaluable: ");
                assert!(is_told || written.contains(value), "{name}: {metric}");
                seen += usize::from(!is_told);
            }
        }
        // Nothing is left out: one entry an interval, one an estimate without.
        let expected: usize =
            list(&results, "estimates").iter().map(|e| list(e, "intervals").len().max(1)).sum();
        assert_eq!(metrics.len(), expected, "{name}");
        assert!(seen > 100, "{name}: {seen}");
        assert!(metrics.iter().any(|m| m["slice"].as_str().is_some_and(|slice| slice.starts_with("sex=F"))));
        let endpoint = &list(&results, "endpoints")[0];
        let verdict = format!(
            "{}: {}",
            endpoint["verdict"].as_str().expect("verdict"),
            endpoint["criterion"].as_str().unwrap_or("none")
        );
        assert!(bom.to_string().contains(&verdict), "{name}: {verdict}");
        // The model is named by its digest where it was locked, and its data by theirs.
        let locked = fixture(name).join("data/model/lock.json").is_file();
        assert_eq!(!bom["metadata"]["component"]["hashes"].is_null(), locked, "{name}");
        assert_eq!(list(&bom, "components").len(), if locked { 2 } else { 1 });
    }
}

/// What the schema does not ask: ids stand once, and whatever is referred to is there.
fn check_structure(event: &Value, written: &BTreeSet<String>) {
    let ids = |key: &str| -> Vec<String> {
        list(event, key).iter().map(|one| one["id"].as_str().expect("an id").to_owned()).collect()
    };
    let operations: Vec<String> = list(event, "methods")
        .iter()
        .flat_map(|method| list(method, "operations"))
        .map(|one| one["id"].as_str().expect("an id").to_owned())
        .collect();
    let groups: Vec<(String, String)> = list(event, "analysisGroupings")
        .iter()
        .flat_map(|by| list(by, "groups").iter().map(|group| (by["id"].to_string(), group["id"].to_string())))
        .collect();
    let analyses = ids("analyses");
    let mut all =
        [ids("methods"), ids("analysisSets"), ids("analysisGroupings"), ids("referenceDocuments")].concat();
    all.extend(analyses.iter().cloned());
    all.extend(operations.iter().cloned());
    all.extend(groups.iter().map(|(_, group)| group.clone()));
    assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "an id stands twice");
    let methods = ids("methods");
    let mut values = 0;
    for analysis in list(event, "analyses") {
        assert!(methods.iter().any(|id| analysis["methodId"] == id.as_str()), "{analysis}");
        assert_eq!(analysis["analysisSetId"], "analysed");
        assert!(!list(analysis, "results").is_empty(), "{analysis}");
        for result in list(analysis, "results") {
            assert!(operations.iter().any(|id| result["operationId"] == id.as_str()), "{result}");
            for group in list(result, "resultGroups") {
                let pair = (group["groupingId"].to_string(), group["groupId"].to_string());
                assert!(groups.contains(&pair), "{group}");
            }
            match result["rawValue"].as_str() {
                Some(value) if value.parse::<f64>().is_ok() => {
                    assert!(written.contains(value), "{result}");
                    values += 1;
                }
                Some(_) => {}
                None => {
                    let told = result["formattedValue"].as_str();
                    assert!(told.is_some_and(|told| told.starts_with("not evaluable: ")), "{result}");
                }
            }
        }
    }
    assert!(values > 300, "{values}");
    let contents = list(&event["mainListOfContents"]["contentsList"], "listItems");
    let listed: Vec<&str> = contents.iter().filter_map(|item| item["analysisId"].as_str()).collect();
    assert_eq!(listed, analyses);
}

#[test]
fn analysis_results_refer_to_what_is_there_and_hold_the_text_of_the_results() {
    for (name, written) in exported("ars") {
        let event = parsed(&written);
        let results = std::fs::read_to_string(fixture(name).join("data/results.json")).expect("reads");
        check_structure(&event, &numbers(&results));
        let results: Value = serde_json::from_str(&results).expect("JSON");
        let endpoints =
            list(&event, "analyses").iter().filter(|a| a["methodId"] == "method-endpoint").count();
        assert_eq!(endpoints, list(&results, "endpoints").len(), "{name}");
    }
}

#[test]
fn the_same_bundle_gives_the_same_bytes_whatever_the_clock() {
    let folder = tempfile::tempdir().expect("a folder");
    let again = |format: &str, target: Option<PathBuf>, epoch: &str| {
        let out = folder.path().join(format!("{format}-{epoch}.json"));
        let mut command = Command::new(env!("CARGO_BIN_EXE_sequester"));
        command.arg("export").args(target).args(["--format", format, "--out"]).arg(&out);
        let ran = command.env("SOURCE_DATE_EPOCH", epoch).output().expect("starts");
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        std::fs::read_to_string(&out).expect("reads")
    };
    for format in ["ml-bom", "ars"] {
        let (name, first) = &exported(format)[0];
        assert!(*first == again(format, Some(fixture(name)), "1"), "{format}");
    }
    assert!(again("sbom", None, "1") == again("sbom", None, "1767225600"));
}

#[test]
fn nothing_is_exported_from_evidence_that_does_not_verify() {
    let (folder, bundle) = bundle_copy(2, "scored-elsewhere");
    let results = bundle.join("data/results.json");
    let changed = std::fs::read_to_string(&results).expect("reads").replacen("0.9", "0.8", 1);
    std::fs::write(&results, changed).expect("writes");
    for format in ["ml-bom", "ars"] {
        let out = folder.path().join(format!("{format}.json"));
        let ran = sequester(&["export", text(&bundle), "--format", format, "--out", text(&out)]);
        assert_eq!(ran.code, 20, "{format}: {}{}", ran.stdout, ran.stderr);
        assert!(!out.exists(), "{format}");
    }
}

#[test]
fn an_export_says_what_it_needs_and_writes_over_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("there.json");
    std::fs::write(&out, "mine").expect("writes");
    let ran = sequester(&["export", "--format", "sbom", "--out", text(&out)]);
    assert!(ran.code == 1 && ran.stderr.contains("file-exists"), "{}", ran.stderr);
    assert_eq!(std::fs::read_to_string(&out).expect("reads"), "mine");
    let free = folder.path().join("free.json");
    let bundle = fixture("locked-model");
    for (arguments, code, says) in [
        (vec!["export", "--format", "ars"], 2, "name a study or a bundle"),
        (vec!["export", "--format", "ml-bom"], 2, "name a study or a bundle"),
        (vec!["export", "--format", "onnx"], 2, "name a folder of a locked model"),
        (vec!["export"], 2, "required"),
        (vec!["export", text(&bundle), "--format", "sbom"], 2, "takes no model or study"),
        (vec!["export", text(folder.path()), "--format", "ars"], 1, "no evidence bundle"),
    ] {
        let ran = sequester(&[&arguments[..], &["--out", text(&free)]].concat());
        assert!(ran.code == code && ran.stderr.contains(says), "{arguments:?}: {} {}", ran.code, ran.stderr);
        assert!(!free.exists());
    }
}

/// The Python of the environment that `scripts/setup-validators.sh` makes, or nothing, said loudly.
fn validator(test: &str) -> Option<PathBuf> {
    let python = root().join("tests/validators/.venv/bin/python");
    if root().join("tests/validators/.venv/.locked").is_file() {
        return Some(python);
    }
    eprintln!("SKIPPED {test}: run scripts/setup-validators.sh for the public validators");
    None
}

fn validate(python: &Path, arguments: &[&str]) -> (bool, String) {
    let script = root().join("tests/validators/validate.py");
    let ran = Command::new(python).arg(script).args(arguments).output().expect("starts");
    let told = [ran.stdout, ran.stderr].concat();
    (ran.status.success(), String::from_utf8_lossy(&told).into_owned())
}

#[test]
fn bills_of_materials_are_valid_by_the_public_library() {
    let test = "bills_of_materials_are_valid_by_the_public_library";
    let Some(python) = validator(test) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let sbom = folder.path().join("sbom.json");
    assert_eq!(sequester(&["export", "--format", "sbom", "--out", text(&sbom)]).code, 0);
    let mut files = vec![sbom.clone()];
    files.extend(written("ml-bom", folder.path()));
    let names: Vec<&str> = files.iter().map(|file| text(file)).collect();
    let (valid, told) = validate(&python, &[&["cyclonedx"][..], &names].concat());
    assert!(valid, "{told}");
    // The library would say so if one were not.
    let broken = folder.path().join("broken.json");
    let changed =
        std::fs::read_to_string(&sbom).expect("reads").replacen("\"application\"", "\"nothing\"", 1);
    std::fs::write(&broken, changed).expect("writes");
    let (valid, told) = validate(&python, &["cyclonedx", text(&broken)]);
    assert!(!valid && told.contains("nothing"), "{told}");
}

#[test]
fn analysis_results_are_valid_against_the_schema_of_cdisc() {
    let test = "analysis_results_are_valid_against_the_schema_of_cdisc";
    let Some(data) = crate::support::real_data(test) else { return };
    let schema = data.join("interop/ars/ars_ldm.schema.json");
    if !schema.is_file() {
        eprintln!("SKIPPED {test}: {} is not there", schema.display());
        return;
    }
    let Some(python) = validator(test) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let files = written("ars", folder.path());
    let names: Vec<&str> = files.iter().map(|file| text(file)).collect();
    let (valid, told) = validate(&python, &[&["ars", text(&schema)][..], &names].concat());
    assert!(valid, "{told}");
    // The validator would say so if one were not.
    let broken = folder.path().join("broken.json");
    let changed = std::fs::read_to_string(&files[0]).expect("reads");
    std::fs::write(&broken, changed.replacen("SPECIFIED IN PROTOCOL", "NO REASON", 1)).expect("writes");
    let (valid, told) = validate(&python, &["ars", text(&schema), text(&broken)]);
    assert!(!valid && told.contains("NO REASON"), "{told}");
}
