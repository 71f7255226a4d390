//! Evidence that was changed by somebody who repairs every manifest and every chain: what `verify` finds
//! without a key.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sequester::digest::Digest;
use sequester::evidence::ledger::{Event, Ledger};

use crate::support::{Study, bundle_copy, files, sequester};

/// Writes the manifests of a bag again, as its payload is now.
pub fn seal(bag: &Path) {
    let list = |names: &[(String, Vec<u8>)]| -> String {
        names.iter().map(|(name, bytes)| format!("{}  {name}\n", Digest::of(bytes))).collect()
    };
    let payload: Vec<(String, Vec<u8>)> = files(&bag.join("data"))
        .into_iter()
        .map(|(path, bytes)| {
            (path.strip_prefix(bag).expect("below").to_str().expect("UTF-8").to_owned(), bytes)
        })
        .collect();
    std::fs::write(bag.join("manifest-sha256.txt"), list(&payload)).expect("writes");
    let info = std::fs::read_to_string(bag.join("bag-info.txt")).expect("reads");
    let octets: usize = payload.iter().map(|(_, bytes)| bytes.len()).sum();
    let kept: String =
        info.lines().filter(|l| !l.starts_with("Payload-Oxum")).map(|l| format!("{l}\n")).collect();
    let info = format!("{kept}Payload-Oxum: {octets}.{}\n", payload.len());
    std::fs::write(bag.join("bag-info.txt"), info).expect("writes");
    let tags = ["bag-info.txt", "bagit.txt", "manifest-sha256.txt"]
        .map(|name| (name.to_owned(), std::fs::read(bag.join(name)).expect("reads")));
    std::fs::write(bag.join("tagmanifest-sha256.txt"), list(&tags)).expect("writes");
}

/// The answer to each question, and the codes of all discrepancies.
fn asked(target: &Path, more: &[&str]) -> (i32, BTreeMap<String, String>, Vec<String>) {
    let arguments = [&["verify", target.to_str().expect("UTF-8"), "--json"], more].concat();
    let ran = sequester(&arguments);
    let told: serde_json::Value =
        serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {}", ran.stdout));
    let answers = told["answers"].as_array().expect("answers");
    let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
    let states = answers.iter().map(|a| (text(&a["question"]), text(&a["answer"]))).collect();
    let codes =
        answers.iter().flat_map(|a| a["discrepancies"].as_array().expect("a list")).map(|d| text(&d["code"]));
    (ran.code, states, codes.collect())
}

#[test]
fn what_was_taken_out_of_a_bundle_is_not_shown_and_never_yes() {
    let (_folder, bag) = bundle_copy(2, "locked-model");
    let (code, before, codes) = asked(&bag, &[]);
    assert_eq!((code, codes), (0, Vec::new()), "{before:?}");
    assert_eq!((before["threshold"].as_str(), before["separation"].as_str()), ("yes", "yes"));
    assert_eq!(before["model"], "not-shown", "there is no model beside it");
    for (gone, question) in [
        (&["tuning-scores.csv"][..], "threshold"),
        (&["training-manifest.csv"], "separation"),
        (&["training-manifest.csv", "tuning-manifest.csv"], "separation"),
    ] {
        let (_folder, bag) = bundle_copy(2, "locked-model");
        for name in gone {
            std::fs::remove_file(bag.join("data/model").join(name)).expect("removes");
        }
        seal(&bag);
        let (code, states, codes) = asked(&bag, &[]);
        assert_eq!((code, states[question].as_str()), (0, "not-shown"), "{gone:?}: {states:?} {codes:?}");
        assert_eq!(asked(&bag, &["--require", question]).0, 21);
        assert_eq!(asked(&bag, &["--require", "bytes,ledger"]).0, 0);
        assert_eq!(asked(&bag, &["--require", "all"]).0, 21);
    }
}

#[test]
fn every_file_of_a_bundle_is_known_read_and_bound() {
    type Change = fn(&Path);
    fn edit(path: PathBuf, from: &str, to: &str) {
        let text = std::fs::read_to_string(&path).expect("reads");
        assert!(text.contains(from), "{} holds {from}", path.display());
        std::fs::write(path, text.replacen(from, to, 1)).expect("writes");
    }
    let changes: [(&str, Change); 14] = [
        ("a file that nothing names", |data| std::fs::write(data.join("notes.txt"), "x").expect("writes")),
        ("an input that nothing names", |data| {
            std::fs::write(data.join("inputs/x.csv"), "x").expect("writes")
        }),
        ("a file beside the model", |data| std::fs::write(data.join("model/x.bin"), "x").expect("writes")),
        ("environment gone", |data| std::fs::remove_file(data.join("environment.json")).expect("removes")),
        ("environment of another format", |data| {
            edit(data.join("environment.json"), "\"created\"", "\"made\"");
        }),
        ("environment of another run", |data| edit(data.join("environment.json"), "run-1", "run-2")),
        ("environment with another time", |data| {
            edit(data.join("environment.json"), "2026-01-01", "2025-12-31")
        }),
        ("device broken", |data| std::fs::write(data.join("device.toml"), "[device\n").expect("writes")),
        ("templates gone", |data| std::fs::remove_dir_all(data.join("templates")).expect("removes")),
        ("experiment changed", |data| edit(data.join("model/experiment.toml"), "seed", "seed ")),
        ("curve changed", |data| {
            edit(data.join("model/training.jsonl"), "\"tuning_auc\":0.", "\"tuning_auc\":0.9")
        }),
        ("curve broken", |data| std::fs::write(data.join("model/training.jsonl"), "{}\n").expect("writes")),
        ("scoring of another table", |data| {
            edit(data.join("model/scoring.json"), "scores_sha256\": \"", "x\": \"")
        }),
        ("scoring broken", |data| std::fs::write(data.join("model/scoring.json"), "[]").expect("writes")),
    ];
    for (what, change) in changes {
        let (_folder, bag) = bundle_copy(2, "locked-model");
        change(&bag.join("data"));
        seal(&bag);
        let (code, states, codes) = asked(&bag, &[]);
        assert_eq!((code, states["contents"].as_str()), (20, "no"), "{what}: {states:?} {codes:?}");
        assert_eq!(states["bytes"], "yes", "{what}: the manifests agree, {codes:?}");
    }
}

/// The ledger with one entry changed, its chain whole.
fn forged(bytes: &[u8], change: impl Fn(Event, &mut BTreeMap<String, Digest>) -> bool) -> Vec<u8> {
    let mut ledger = Ledger::default();
    for entry in Ledger::parse(Path::new("l"), bytes).expect("holds").entries() {
        let mut digests = entry.digests.clone();
        if change(entry.event, &mut digests) {
            ledger.append(entry.event, &entry.at, digests, entry.reason.clone()).expect("in order");
        }
    }
    ledger.to_bytes()
}

#[test]
fn every_event_of_the_ledger_is_what_it_says_it_happened_to() {
    use Event::{
        ModelLocked, ProtocolLocked, ReferenceStandardLocked, ResultsRecorded, TestSetOpened, TestSetSealed,
    };
    let other = Digest::of(b"another one");
    for event in
        [ProtocolLocked, TestSetSealed, ModelLocked, ReferenceStandardLocked, TestSetOpened, ResultsRecorded]
    {
        for how in ["emptied", "another digest", "one name less", "one name more"] {
            let (_folder, bag) = bundle_copy(2, "locked-model");
            let path = bag.join("data/ledger.jsonl");
            let bytes = std::fs::read(&path).expect("reads");
            let changed = forged(&bytes, |at, digests| {
                if at == event {
                    let first = digests.keys().next().cloned().expect("a name");
                    match how {
                        "emptied" => digests.clear(),
                        "another digest" => drop(digests.insert(first, other)),
                        "one name less" => drop(digests.remove(&first)),
                        _ => drop(digests.insert("inputs/another.csv".to_owned(), other)),
                    }
                }
                true
            });
            std::fs::write(&path, changed).expect("writes");
            seal(&bag);
            let (code, states, codes) = asked(&bag, &[]);
            assert_eq!((code, states["ledger"].as_str()), (20, "no"), "{event:?} {how}: {codes:?}");
        }
    }
}

#[test]
fn the_study_s_ledger_is_read_and_every_bundle_has_its_place_in_it() {
    let study = Study::small();
    assert_eq!(study.run("run", &[]).code, 0);
    study.write("device.toml", "[device]\nname = \"Renamed device\"\n");
    assert_eq!(study.run("run", &[]).code, 0);
    let (code, states, _) = asked(study.path(), &[]);
    assert_eq!((code, states["history"].as_str()), (0, "yes"), "{states:?}");
    let ledger = std::fs::read(study.file("ledger.jsonl")).expect("reads");
    let check = |codes: &[&str], what: &str| {
        let (code, states, found) = asked(study.path(), &[]);
        assert_eq!((code, states["history"].as_str()), (20, "no"), "{what}: {states:?}");
        assert_eq!(found, codes, "{what}");
    };
    std::fs::remove_file(study.file("ledger.jsonl")).expect("removes");
    check(&["ledger-lost"], "deleted");
    let lines =
        ledger.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at + 1).collect::<Vec<_>>();
    std::fs::write(study.file("ledger.jsonl"), &ledger[..lines[lines.len() - 2]]).expect("writes");
    check(&["bundle-unpublished"], "cut by its last line");
    let other = Study::small();
    other.replace("protocol.toml", "lower > 0.70", "lower > 0.71");
    assert_eq!(other.run("run", &[]).code, 0);
    std::fs::write(study.file("ledger.jsonl"), other.read("ledger.jsonl")).expect("writes");
    check(&["bundle-lost", "bundle-unpublished", "bundle-unpublished", "ledger-foreign"], "of another study");
    std::fs::write(study.file("ledger.jsonl"), &ledger).expect("writes");
    std::fs::rename(study.file("evidence/run-1"), study.file("evidence/run-3")).expect("renames");
    check(&["bundle-lost", "bundle-renamed"], "an older run under another name, and its documents");
    std::fs::rename(study.file("evidence/run-3"), study.file("evidence/run-1")).expect("renames");
    std::fs::write(study.file("evidence/run-1/data/device.toml"), "").expect("writes");
    seal(&study.file("evidence/run-1"));
    check(&["bundle-lost", "bundle-unpublished"], "an older run edited");
}

#[test]
fn what_an_interruption_left_between_bundle_and_ledger_is_recorded_by_the_next_run() {
    let study = Study::small();
    assert_eq!(study.run("run", &[]).code, 0);
    let whole = study.snapshot();
    let ledger = study.read("ledger.jsonl");
    let cut: String =
        ledger.lines().take(ledger.lines().count() - 1).map(|line| format!("{line}\n")).collect();
    study.write("ledger.jsonl", &cut);
    assert_eq!(asked(study.path(), &[]).0, 20);
    assert_eq!(study.run("run", &[]).code, 0);
    assert_eq!(study.snapshot(), whole, "the same bytes as without the interruption");
    assert_eq!(asked(study.path(), &[]).0, 0);
}

#[test]
fn a_root_is_compared_as_people_copy_it_and_a_reason_has_words() {
    let study = Study::small();
    assert_eq!(study.run("run", &[]).code, 0);
    let root =
        Digest::of_file(&study.file("evidence/run-1/tagmanifest-sha256.txt")).expect("reads").to_string();
    let spaced: Vec<String> =
        root.as_bytes().chunks(8).map(|c| String::from_utf8_lossy(c).into_owned()).collect();
    for text in [root.to_uppercase(), format!("sha256:{root}"), spaced.join(" ")] {
        assert_eq!(study.run("verify", &["--root", &text]).code, 0, "{text}");
    }
    assert_eq!(study.run("verify", &["--root", &root[1..]]).code, 2);
    study.replace("scores.csv", "C000,", "C000,0");
    for reason in ["", ".", "n/a", "1234"] {
        let refused = study.run("run", &["--reason", reason]);
        assert_eq!(refused.code, 30, "{reason:?}: {}", refused.stderr);
    }
    assert_eq!(study.run("run", &["--reason", "score of C000 was mistyped"]).code, 0);
}

/// Earlier bundles keep their roots when a file of them is edited and no manifest is; documents of a run that
/// is not there come from nowhere; and a study whose files are other ones now goes on, not without a word.
#[test]
fn what_lies_beside_a_bundle_in_its_study_is_looked_at() {
    let study = Study::small();
    assert_eq!(study.run("run", &[]).code, 0);
    study.write("device.toml", "[device]\nname = \"Another name\"\n");
    assert_eq!(study.run("run", &[]).code, 0);
    let said = |path: &str| {
        let ran = sequester(&["verify", study.file(path).to_str().expect("UTF-8")]);
        (ran.code, ran.stdout)
    };
    let (code, told) = said("evidence/run-2");
    assert!(code == 0 && !told.contains("any more"), "{told}");
    let (code, told) = said("evidence/run-1");
    assert!(code == 0 && told.contains("not as in this bundle any more: device.toml"), "{told}");
    let older = study.file("evidence/run-1/data/results.json");
    let results = std::fs::read(&older).expect("reads");
    for edited in [&results[..results.len() / 2], b"{}", &[]] {
        std::fs::write(&older, edited).expect("writes");
        let (code, states, codes) = asked(study.path(), &[]);
        assert_eq!((code, states["history"].as_str()), (20, "no"), "{codes:?}");
        assert_eq!((codes, states["bytes"].as_str()), (vec!["file-changed".to_owned()], "yes"));
        assert!(study.run("verify", &[]).stderr.contains("evidence/run-1/data/results.json"));
    }
    std::fs::write(&older, &results).expect("writes");
    for path in files(&study.file("reports/run-2")).into_keys() {
        let to =
            study.file("reports/run-9").join(path.strip_prefix(study.file("reports/run-2")).expect("below"));
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("makes");
        std::fs::copy(path, to).expect("copies");
    }
    let (code, _, codes) = asked(study.path(), &[]);
    assert_eq!((code, codes), (20, vec!["bundle-lost".to_owned()]));
    std::fs::remove_dir_all(study.file("reports/run-9")).expect("removes");
    for (name, from, to) in [
        ("protocol.toml", "lower > 0.70", "lower > 0.10"),
        ("scores.csv", "C000,", "C000,0"),
        ("reads/reader-1.csv", "positive", "negative"),
    ] {
        let before = study.read(name);
        study.replace(name, from, to);
        let (code, told) = said("");
        assert!(code == 0 && told.contains(&format!("not as in this bundle any more: {name}")), "{told}");
        study.write(name, &before);
    }
    // An opening whose results were never published is a second look at the test set.
    study.replace("scores.csv", "C000,", "C000,0");
    assert_eq!(study.run("validate", &["--reason", "C000 was typed wrongly"]).code, 0);
    let (code, told) = said("evidence/run-2");
    assert!(code == 0 && told.contains("1 opening of the test set recorded since this bundle"), "{told}");
}
