//! The documents below `reports/` are those that the program renders today, byte for byte, from studies that
//! anybody can run again. `SEQUESTER_WRITE_SAMPLES=1` writes them.
//!
//! What differs from build to build and from machine to machine is recorded beside each (`made-by.json`) and
//! put in its place before the comparison: where the evidence was made, and by which libraries.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sequester::evidence::bag;
use sequester::report::{default_templates, reader_study};
use serde::{Deserialize, Serialize};

use crate::support::{bundle_copy, files, real_data, sequester};

/// What in a bundle is another one on another machine, or with other libraries.
#[derive(Serialize, Deserialize)]
struct MadeBy {
    platform: String,
    libraries_sha256: String,
    environment_sha256: String,
    root_sha256: String,
}

const MADE_BY: &str = "made-by.json";

/// So many digits of a digest stand where it is cut short.
const SHORT: [usize; 3] = [64, 16, 12];

impl MadeBy {
    fn of(bundle: &Path) -> Self {
        let read = |name: &str| std::fs::read(bundle.join(name)).expect("reads");
        let digest = |name: &str| sequester::digest::Digest::of(&read(name)).to_string();
        let environment: serde_json::Value =
            serde_json::from_slice(&read("data/environment.json")).expect("JSON");
        let said = |key: &str| environment[key].as_str().expect("a text").to_owned();
        Self {
            platform: said("platform"),
            libraries_sha256: said("cargo_lock_sha256"),
            environment_sha256: digest("data/environment.json"),
            root_sha256: digest("tagmanifest-sha256.txt"),
        }
    }

    /// The text as it would have been made by another.
    fn put_in(&self, other: &Self, text: &str) -> String {
        let mut text = text.replace(&self.platform, &other.platform);
        for (own, theirs) in [
            (&self.libraries_sha256, &other.libraries_sha256),
            (&self.environment_sha256, &other.environment_sha256),
            (&self.root_sha256, &other.root_sha256),
        ] {
            for length in SHORT {
                text = text.replace(&own[..length], &theirs[..length]);
            }
        }
        text
    }
}

/// The texts of a folder by their names: pages, plain text, tables and cards, no pictures and no PDF.
fn texts(folder: &Path) -> BTreeMap<String, String> {
    let is_text = |path: &Path| {
        let ending = path.extension().and_then(|ending| ending.to_str()).unwrap_or_default();
        ["html", "txt", "csv", "json", "xml"].contains(&ending) && !path.ends_with(MADE_BY)
    };
    let of = |(path, bytes): (PathBuf, Vec<u8>)| {
        let name = path.strip_prefix(folder).expect("inside").to_str().expect("UTF-8").to_owned();
        (name, String::from_utf8(bytes).expect("text"))
    };
    files(folder).into_iter().filter(|(path, _)| is_text(path)).map(of).collect()
}

/// Renders every document of a study that ran, and compares those that the sample holds.
fn is_as_in(sample: &str, study: &Path, holds: impl Fn(&str) -> bool) {
    let done = sequester(&["report", study.to_str().expect("UTF-8"), "--documents", "all"]);
    assert_eq!(done.code, 0, "{}", done.stderr);
    let made = MadeBy::of(&study.join("evidence/run-1"));
    let mut rendered = texts(&study.join("reports/run-1"));
    rendered.retain(|name, _| holds(name));
    assert!(rendered.len() >= 5, "{sample}: {:?}", rendered.keys());
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("reports").join(sample);
    if std::env::var_os("SEQUESTER_WRITE_SAMPLES").is_some() {
        std::fs::create_dir_all(&folder).expect("creates");
        for name in texts(&folder).keys().filter(|name| !rendered.contains_key(*name)) {
            std::fs::remove_file(folder.join(name)).expect("removes");
        }
        for (name, text) in &rendered {
            std::fs::write(folder.join(name), text).expect("writes");
        }
        let made = serde_json::to_string_pretty(&made).expect("JSON") + "\n";
        std::fs::write(folder.join(MADE_BY), made).expect("writes");
        return;
    }
    let said = std::fs::read_to_string(folder.join(MADE_BY)).expect("who made the sample");
    let theirs: MadeBy = serde_json::from_str(&said).expect("JSON");
    let kept = texts(&folder);
    assert_eq!(kept.keys().collect::<Vec<_>>(), rendered.keys().collect::<Vec<_>>(), "{sample}");
    for (name, text) in &rendered {
        let text = made.put_in(&theirs, text);
        let Some((line, (now, before))) =
            text.lines().zip(kept[name].lines()).enumerate().find(|(_, (now, before))| now != before)
        else {
            assert!(text == kept[name], "{sample}/{name}: one is longer");
            continue;
        };
        let around = |line: &str| {
            let same = now.chars().zip(before.chars()).take_while(|(a, b)| a == b).count();
            line.chars().skip(same.saturating_sub(60)).take(200).collect::<String>()
        };
        panic!(
            "{sample}/{name}, line {}: it is\n  {}\nand was\n  {}\nif it should be so: \
             SEQUESTER_WRITE_SAMPLES=1 cargo test --features torch --test it samples",
            line + 1,
            around(now),
            around(before)
        );
    }
}

/// Runs a study to its end, whatever its verdict.
fn ran(arguments: &[&str]) {
    let ran = sequester(arguments);
    assert!([0, 10].contains(&ran.code), "{arguments:?}: {}{}", ran.stdout, ran.stderr);
}

/// A device for triage that lives elsewhere: the study that `init` writes, as it is.
#[test]
fn the_sample_of_a_device_elsewhere_is_what_is_rendered() {
    let folder = tempfile::tempdir().expect("a folder");
    let study = folder.path().join("study");
    let path = study.to_str().expect("UTF-8");
    ran(&["init", path, "--kind", "triage"]);
    ran(&["run", path]);
    is_as_in("device-elsewhere", &study, |name| name != "truthing-cases.csv");
}

/// The demonstration, with the model that was trained and locked when `fixtures/evidence` was made: that
/// bundle, with the templates of today in place of its own.
#[test]
fn the_sample_of_the_demonstration_is_what_is_rendered() {
    let (_folder, bundle) = bundle_copy(2, "locked-model");
    let mut opened = bag::open(&bundle).expect("opens");
    opened.payload.retain(|path, _| !path.as_str().starts_with("templates/"));
    let today = default_templates().into_iter().filter(|(name, _)| name != reader_study::MAIN_TEMPLATE);
    for (name, text) in today {
        let path = format!("templates/{name}").parse().expect("a path");
        opened.payload.insert(path, text.into());
    }
    // How much it holds is counted again.
    let told = opened.info.iter().filter(|(label, _)| label != "Payload-Oxum");
    let info: Vec<(&str, String)> = told.map(|(label, value)| (label.as_str(), value.clone())).collect();
    let folder = tempfile::tempdir().expect("a folder");
    bag::write(&folder.path().join("evidence/run-1"), &opened.payload, &info).expect("writes");
    // Those that say something of a model, and of its data.
    let of_model = [
        "report.html",
        "algorithm.html",
        "data.html",
        "software.html",
        "fda-submission.html",
        "model-card-chai.xml",
    ];
    is_as_in("demonstration", folder.path(), |name| of_model.contains(&name));
}

/// The real study of `protocols/nih-airspace-opacity`, where its data are there.
#[test]
fn the_sample_of_the_real_study_is_what_is_rendered() {
    let Some(data) = real_data("the_sample_of_the_real_study_is_what_is_rendered") else { return };
    let out = tempfile::tempdir().expect("a folder");
    let protocol = concat!(env!("CARGO_MANIFEST_DIR"), "/protocols/nih-airspace-opacity");
    let (data, study) = (data.to_str().expect("UTF-8"), out.path().to_str().expect("UTF-8"));
    ran(&["run", protocol, "--data", data, "--out", study]);
    // None that lists answers to single cases.
    let kept = [
        "report.html",
        "data.html",
        "summary.html",
        "labelling.html",
        "model-card.html",
        "evidence-map.html",
    ];
    is_as_in("nih-airspace-opacity", out.path(), |name| kept.contains(&name));
}
