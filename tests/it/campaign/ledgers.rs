//! Mutations of the two ledgers: the one in the bundle, and the study's own that goes on from it.

use sequester::digest::Digest;
use sequester::random::Stream;
use serde_json::Value;

use super::kinds::Made;
use super::subject::{Subject, nowhere};
use super::tree::{Tree, chained, events};

const STUDY: &str = "ledger.jsonl";

fn own(subject: &Subject) -> String {
    format!("{}/data/ledger.jsonl", subject.bag)
}

/// The bundle with another ledger, manifests repaired.
fn with(subject: &Subject, ledger: Vec<u8>, blame: bool, note: String) -> Option<Made> {
    let path = own(subject);
    if ledger == subject.tree.files[&path] {
        return None;
    }
    let mut tree = subject.tree.clone();
    tree.put(&path, ledger);
    tree.seal(&subject.bag);
    Some(Made { tree, bag: subject.bag.clone(), begins: blame.then_some(path), note })
}

/// The study with another ledger.
fn study_with(subject: &Subject, ledger: Vec<u8>, blame: bool, note: String) -> Option<Made> {
    if ledger == subject.tree.files[STUDY] {
        return None;
    }
    let mut tree = subject.tree.clone();
    tree.put(STUDY, ledger);
    Some(Made { tree, bag: subject.bag.clone(), begins: blame.then(|| STUDY.to_owned()), note })
}

/// The study's ledger says that this bundle was published, in place of the one that was.
pub fn publish(tree: &mut Tree, bag: &str) {
    let root = tree.root(bag).to_string();
    let mut all = events(&tree.files[STUDY]);
    let last = all.last_mut().expect("events");
    last["digests"]["tagmanifest-sha256.txt"] = Value::from(root);
    tree.put(STUDY, chained(&all));
}

/// Whether nothing in a bundle by itself says what the event has to be: a readers' file that came in at its
/// time, a bundle that was published before, and a version that the plan refused.
fn is_unbound(event: &Value) -> bool {
    let name = event["event"].as_str().unwrap_or_default();
    is_refused(event) || ["reads-imported", "evidence-published"].contains(&name)
}

/// Whether a version was held against a plan that does not allow it.
fn is_refused(event: &Value) -> bool {
    event["event"] == "change-assessed" && event.get("reason").is_some()
}

pub fn event_gone(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    let mut all = events(&subject.tree.files[&own(subject)]);
    let gone = all.remove(stream.below(all.len() as u64) as usize);
    if is_unbound(&gone) {
        return None;
    }
    with(subject, chained(&all), true, format!("{} gone", gone["event"]))
}

pub fn events_moved(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    let mut all = events(&subject.tree.files[&own(subject)]);
    let at = stream.below(all.len() as u64 - 1) as usize;
    // Sealing, locking, importing, a custodian's grant, and the locking of a plan or the holding of a version
    // against it have no order among themselves.
    let free = [
        "test-set-sealed",
        "model-locked",
        "reference-standard-locked",
        "reads-imported",
        "opening-granted",
        "change-plan-locked",
        "change-assessed",
    ];
    let both = [&all[at], &all[at + 1]].map(|event| event["event"].as_str().expect("a name").to_owned());
    let imports = |name: &String| name == "reads-imported";
    // But a plan is locked before anything is held against it.
    let of_plan = both == ["change-plan-locked", "change-assessed"];
    let unordered = both.iter().all(|name| free.contains(&name.as_str())) && !of_plan;
    if unordered || both.iter().any(imports) || all[at..=at + 1].iter().any(is_refused) {
        return None;
    }
    all.swap(at, at + 1);
    with(subject, chained(&all), true, both.join(" after "))
}

pub fn event_digest(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    let mut all = events(&subject.tree.files[&own(subject)]);
    let at = stream.below(all.len() as u64) as usize;
    if is_unbound(&all[at]) {
        return None;
    }
    let event = all[at]["event"].to_string();
    let digests = all[at]["digests"].as_object_mut()?;
    let names: Vec<String> = digests.keys().cloned().collect();
    let name = names.get(stream.below(names.len() as u64) as usize)?.clone();
    let how = match stream.below(4) {
        0 => {
            digests.remove(&name);
            "gone"
        }
        1 => {
            digests.insert("inputs/another.csv".to_owned(), Value::from(nowhere().to_string()));
            "one more"
        }
        2 => {
            digests.clear();
            "all gone"
        }
        _ => {
            digests.insert(name.clone(), Value::from(nowhere().to_string()));
            "another"
        }
    };
    with(subject, chained(&all), true, format!("{event} {name} {how}"))
}

/// An event about readers' files or about an earlier bundle, gone or about something else, chain repaired.
pub fn event_unbound(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    let mut all = events(&subject.tree.files[&own(subject)]);
    let at = stream.below(all.len() as u64) as usize;
    if !is_unbound(&all[at]) {
        return None;
    }
    if stream.below(2) == 0 {
        all.remove(at);
    } else {
        let digests = all[at]["digests"].as_object_mut()?;
        digests.values_mut().for_each(|digest| *digest = Value::from(nowhere().to_string()));
    }
    with(subject, chained(&all), false, format!("line {at}"))
}

pub fn event_words(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    let mut all = events(&subject.tree.files[&own(subject)]);
    let at = stream.below(all.len() as u64) as usize;
    let event = &mut all[at];
    let name = match stream.below(4) {
        0 => {
            event["at"] = Value::from("2025-06-01T00:00:00Z");
            "at"
        }
        1 => {
            event["by"] = Value::from("B. Other");
            "by"
        }
        2 => {
            event["reason"] = Value::from("another reason");
            "reason"
        }
        _ => {
            event["program"] = Value::from("sequester 0.1.9");
            "program"
        }
    };
    with(subject, chained(&all), false, format!("line {at} {name}"))
}

/// One value, nothing repaired but the manifests. Of the last line nothing is hashed inside the bundle, so
/// only its digests are changed.
pub fn event_unchained(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    let bytes = &subject.tree.files[&own(subject)];
    let mut all = events(bytes);
    let at = stream.below(all.len() as u64) as usize;
    let is_last = at + 1 == all.len();
    if !is_last && stream.below(2) == 0 {
        all[at]["program"] = Value::from("sequester 0.1.9");
    } else if is_last && is_unbound(&all[at]) {
        return None;
    } else {
        let digests = all[at]["digests"].as_object_mut()?;
        let first = digests.keys().next()?.clone();
        digests.insert(first, Value::from(nowhere().to_string()));
    }
    let lines = all.iter().map(|e| serde_json_canonicalizer::to_string(e).expect("JSON") + "\n");
    with(subject, lines.collect::<String>().into_bytes(), true, format!("line {at}"))
}

pub fn foreign(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    // Another study: the same events about other files.
    let mut all = events(&subject.tree.files[&own(subject)]);
    for event in &mut all {
        for digest in event["digests"].as_object_mut()?.values_mut() {
            let other = format!("{digest} {}", stream.below(1 << 40));
            *digest = Value::from(Digest::of(other.as_bytes()).to_string());
        }
    }
    with(subject, chained(&all), false, "digests of others".to_owned())
}

pub fn study_gone(subject: &Subject, _: &mut Stream) -> Option<Made> {
    let mut tree = subject.tree.clone();
    tree.files.remove(STUDY);
    let (bag, begins) = (subject.bag.clone(), Some(STUDY.to_owned()));
    Some(Made { tree, bag, begins, note: "deleted".to_owned() })
}

pub fn study_cut(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    let bytes = &subject.tree.files[STUDY];
    let lines: Vec<usize> =
        bytes.iter().enumerate().filter(|(_, b)| **b == b'\n').map(|(at, _)| at + 1).collect();
    let at = match stream.below(2) {
        0 => stream.below(bytes.len() as u64) as usize,
        _ => lines[stream.below(lines.len() as u64 - 1) as usize],
    };
    study_with(subject, bytes[..at].to_vec(), false, format!("at byte {at}"))
}

pub fn study_flipped(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    let mut bytes = subject.tree.files[STUDY].clone();
    let last = bytes[..bytes.len() - 1].iter().rposition(|b| *b == b'\n')? + 1;
    let at = stream.below(last as u64) as usize;
    bytes[at] ^= 1 << stream.below(7);
    study_with(subject, bytes, true, format!("byte {at}"))
}

/// An event changed, taken out or put in, and the chain repaired: the bundles hold the beginning of it.
pub fn study_event(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    let mut all = events(&subject.tree.files[STUDY]);
    let note = match stream.below(5) {
        0 => {
            let at = stream.below(all.len() as u64) as usize;
            let gone = all.remove(at);
            format!("{} at {at} gone", gone["event"])
        }
        1 => {
            let at = stream.below(all.len() as u64 - 1) as usize;
            all[at]["reason"] = Value::from("as agreed with the sponsor");
            format!("reason at {at}")
        }
        2 => {
            let last = all.last_mut()?;
            last["digests"]["tagmanifest-sha256.txt"] = Value::from(nowhere().to_string());
            "another root published".to_owned()
        }
        3 => {
            let mut event = all.last()?.clone();
            event["digests"]["tagmanifest-sha256.txt"] = Value::from(nowhere().to_string());
            all.push(event);
            "a bundle more".to_owned()
        }
        _ => {
            // A second look without its reason.
            let mut opened = all.iter().find(|e| e["event"] == "test-set-opened")?.clone();
            let digests = opened["digests"].as_object_mut()?;
            digests.insert("protocol.toml".to_owned(), Value::from(nowhere().to_string()));
            if let Some(members) = opened.as_object_mut() {
                members.remove("reason");
            }
            opened["at"] = all.last()?["at"].clone();
            all.push(opened);
            "a second opening without a reason".to_owned()
        }
    };
    study_with(subject, chained(&all), false, note)
}

/// Words of the last event: nothing rests on them.
pub fn study_end(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    let mut all = events(&subject.tree.files[STUDY]);
    let last = all.last_mut()?;
    match stream.below(3) {
        0 => last["by"] = Value::from("B. Other"),
        1 => last["at"] = Value::from("2031-01-01T00:00:00Z"),
        _ => last["program"] = Value::from("sequester 9.9.9"),
    }
    study_with(subject, chained(&all), false, "last line".to_owned())
}
