//! The campaign against `monitor verify`: what is changed in the folder of a plan that watches a device is
//! told, beside the evidence that the plan was sealed with.

use std::path::Path;

use sequester::random::Stream;
use sequester::workflow::monitor::Monitored;
use serde_json::Value;

use super::subject::nowhere;
use super::tree::{Tree, chained, events};
use super::{SEED, values};

const LEDGER: &str = "ledger.jsonl";

/// What is to be said of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expect {
    /// That something is wrong.
    Told,
    /// At least another head of the ledger: nothing in the folder contradicts the rest, and who has the head
    /// from elsewhere sees it.
    Head,
    /// That all is well.
    Honest,
}

/// Changes the tree; what was done, or `None` where this draw changes nothing.
type Change = fn(&mut Tree, &mut Stream) -> Option<String>;

fn pick(tree: &Tree, wanted: impl Fn(&str) -> bool, stream: &mut Stream) -> Option<String> {
    let paths: Vec<&String> = tree.files.keys().filter(|path| wanted(path)).collect();
    paths.get(stream.below(paths.len() as u64) as usize).map(|path| (*path).clone())
}

/// Reports and drafts are no records.
fn is_record(path: &str) -> bool {
    path.starts_with("batches/") || ["monitoring.toml", "seal.json", "cohort.csv", LEDGER].contains(&path)
}

fn other_bytes(tree: &mut Tree, stream: &mut Stream) -> Option<String> {
    let path = pick(tree, is_record, stream)?;
    let bytes = tree.files.get_mut(&path)?;
    // Of the last line of the ledger nothing is hashed: it is the other kinds' turn.
    let hashed = if path == LEDGER {
        bytes[..bytes.len() - 1].iter().rposition(|b| *b == b'\n')?
    } else {
        bytes.len()
    };
    let at = stream.below(hashed as u64) as usize;
    match stream.below(3) {
        0 => bytes[at] ^= 1 << stream.below(7),
        1 => bytes.truncate(at),
        _ => bytes.insert(at, b'x'),
    }
    Some(format!("{path} at {at}"))
}

fn deleted(tree: &mut Tree, stream: &mut Stream) -> Option<String> {
    let path = pick(tree, |path| is_record(path) && path != LEDGER, stream)?;
    tree.files.remove(&path);
    Some(path)
}

fn value(tree: &mut Tree, path: &str, stream: &mut Stream) -> Option<String> {
    let (bytes, what) = values::of(path, &tree.files[path], stream)?;
    tree.put(path, bytes);
    Some(format!("{path}: {what}"))
}

fn edited(tree: &mut Tree, stream: &mut Stream) -> Option<String> {
    let path = pick(tree, |path| is_record(path) && path != LEDGER, stream)?;
    value(tree, &path, stream)
}

/// The ledger says of every file what it is now.
fn follow(tree: &mut Tree) {
    let mut all = events(&tree.files[LEDGER]);
    for event in &mut all {
        for (name, digest) in event["digests"].as_object_mut().into_iter().flatten() {
            if let Some(bytes) = tree.files.get(name) {
                *digest = Value::from(sequester::digest::Digest::of(bytes).to_string());
            }
        }
    }
    tree.put(LEDGER, chained(&all));
}

/// What the evidence gives: seal and cohort.
fn sealed_followed(tree: &mut Tree, stream: &mut Stream) -> Option<String> {
    let path = pick(tree, |path| ["seal.json", "cohort.csv"].contains(&path), stream)?;
    let what = value(tree, &path, stream)?;
    follow(tree);
    Some(what)
}

fn plan_followed(tree: &mut Tree, stream: &mut Stream) -> Option<String> {
    let what = value(tree, "monitoring.toml", stream)?;
    follow(tree);
    Some(what)
}

fn batch_followed(tree: &mut Tree, stream: &mut Stream) -> Option<String> {
    let path = pick(tree, |path| path.starts_with("batches/"), stream)?;
    let what = value(tree, &path, stream)?;
    follow(tree);
    Some(what)
}

fn with_events(tree: &mut Tree, change: impl FnOnce(&mut Vec<Value>) -> Option<String>) -> Option<String> {
    let mut all = events(&tree.files[LEDGER]);
    let what = change(&mut all)?;
    tree.put(LEDGER, chained(&all));
    Some(what)
}

/// An event that a batch or an alarm stands for.
fn event_gone(tree: &mut Tree, stream: &mut Stream) -> Option<String> {
    with_events(tree, |all| {
        let gone = all.remove(stream.below(all.len() as u64) as usize);
        (gone["event"] != "alarm-answered").then(|| gone["event"].to_string())
    })
}

fn event_digest(tree: &mut Tree, stream: &mut Stream) -> Option<String> {
    with_events(tree, |all| {
        let at = stream.below(all.len() as u64) as usize;
        let digests = all[at]["digests"].as_object_mut()?;
        let names: Vec<String> = digests.keys().cloned().collect();
        let name = names.get(stream.below(names.len().max(1) as u64) as usize)?.clone();
        match stream.below(2) {
            0 => drop(digests.remove(&name)),
            _ => drop(digests.insert(name.clone(), Value::from(nowhere().to_string()))),
        }
        Some(name)
    })
}

fn alarm_forged(tree: &mut Tree, stream: &mut Stream) -> Option<String> {
    with_events(tree, |all| {
        let at = all.iter().position(|event| event.get("alarms").is_some())?;
        let alarms = all[at]["alarms"].as_array_mut()?;
        match stream.below(3) {
            0 => drop(alarms.pop()),
            1 => alarms.push(Value::from("chart another")),
            _ => alarms.reverse(),
        }
        // One alarm is the same forwards and backwards.
        if alarms.len() < 2 && stream.below(2) == 0 {
            return None;
        }
        let none_left = alarms.is_empty();
        if none_left {
            all[at].as_object_mut()?.remove("alarms");
        }
        Some("alarms".to_owned())
    })
}

fn event_words(tree: &mut Tree, stream: &mut Stream) -> Option<String> {
    with_events(tree, |all| {
        let at = stream.below(all.len() as u64) as usize;
        match stream.below(2) {
            0 => all[at]["by"] = Value::from("B. Other"),
            _ => all[at]["program"] = Value::from("sequester 9.9.9"),
        }
        Some(format!("line {at}"))
    })
}

fn honest(tree: &mut Tree, stream: &mut Stream) -> Option<String> {
    let what = ["as it is", "a draft beside it", "reports taken away"][stream.below(3) as usize];
    match what {
        "a draft beside it" => tree.put("notes.txt", "x"),
        "reports taken away" => tree.files.retain(|path, _| !path.starts_with("reports/")),
        _ => {}
    }
    Some(what.to_owned())
}

const KINDS: [(&str, Expect, Change); 11] = [
    ("bytes", Expect::Told, other_bytes),
    ("deleted", Expect::Told, deleted),
    ("edited", Expect::Told, edited),
    ("sealed-followed", Expect::Told, sealed_followed),
    ("plan-followed", Expect::Told, plan_followed),
    ("batch-followed", Expect::Head, batch_followed),
    ("event-gone", Expect::Told, event_gone),
    ("event-digest", Expect::Told, event_digest),
    ("alarm-forged", Expect::Told, alarm_forged),
    ("event-words", Expect::Head, event_words),
    ("honest", Expect::Honest, honest),
];

/// Whether something is said, and the head of the ledger where it can be read.
fn asked(folder: &Path, bundle: &Path) -> (bool, Option<String>) {
    let Ok(monitored) = Monitored::open(folder) else { return (true, None) };
    let head = monitored.ledger.head().map(|head| head.to_string());
    (monitored.verify(Some(bundle)).map_or(true, |problems| !problems.is_empty()), head)
}

#[test]
fn what_is_changed_in_a_watched_folder_is_told_and_what_is_honest_passes() {
    let number = std::env::var("SEQUESTER_CAMPAIGN").ok().and_then(|n| n.parse().ok());
    let count = number.map_or(33, |n: usize| n / 20);
    let (watched, _evidence, bundle) = crate::monitor::three_months();
    let whole = Tree::read(watched.path());
    let (told, head) = asked(watched.path(), &bundle);
    assert!(!told && head.is_some(), "an honest folder");
    let (place, mut there) = (tempfile::tempdir().expect("a folder"), Tree::default());
    let mut wrong = Vec::new();
    for nth in 0..count {
        let (name, expect, change) = KINDS[nth % KINDS.len()];
        let mut stream = Stream::new(SEED + 2, nth as u64);
        let made = (0..10_000).find_map(|_| {
            let mut tree = whole.clone();
            let what = change(&mut tree, &mut stream)?;
            (expect == Expect::Honest || tree.files != whole.files).then_some((tree, what))
        });
        let Some((tree, what)) = made else { panic!("{name} changes nothing") };
        tree.write(place.path(), &there);
        there = tree;
        let (told, now) = asked(place.path(), &bundle);
        let fits = match expect {
            Expect::Told => told,
            Expect::Head => told || now != head,
            Expect::Honest => !told && now == head,
        };
        if !fits {
            wrong.push(format!("{name}: {what}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
