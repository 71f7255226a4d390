//! Every kind of mutation. Each is made from a seed, and says what `verify` has to answer.

use sequester::evidence::bag::TAG_MANIFEST;
use sequester::random::Stream;
use sequester::study;

use super::subject::{Subject, rendered};
use super::tree::{Tree, follow};
use super::{ledgers, values};

/// What `verify` is asked of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum View {
    /// The bundle in its study, with ledger and documents.
    Study,
    /// The bundle by itself.
    Alone,
}

impl View {
    pub fn words(self) -> &'static str {
        match self {
            Self::Study => "study",
            Self::Alone => "bundle",
        }
    }
}

/// What it has to answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// That something is wrong or not shown.
    Told,
    /// At least another root digest: the bundle contradicts nothing.
    Root,
    /// Whatever it says: without a signature it cannot know.
    Signature,
    /// That all is well.
    Honest,
}

/// What was made of a subject.
pub struct Made {
    pub tree: Tree,
    pub bag: String,
    /// The file in which the differences begin, where it can be decided.
    pub begins: Option<String>,
    pub note: String,
}

type Make = fn(&Subject, &mut Stream) -> Option<Made>;

/// A kind of mutation.
pub struct Kind {
    pub name: &'static str,
    pub what: &'static str,
    pub view: View,
    pub expect: Expect,
    pub make: Make,
}

const fn kind(name: &'static str, what: &'static str, view: View, expect: Expect, make: Make) -> Kind {
    Kind { name, what, view, expect, make }
}

use Expect::{Honest, Root, Signature, Told};
use View::{Alone, Study};

pub const KINDS: [Kind; 55] = [
    kind("bit-flipped", "one bit of a file of the bundle", Study, Told, bit_flipped),
    kind("byte-put-in", "a byte more in a file of the bundle", Study, Told, byte_put_in),
    kind("cut", "a file of the bundle cut", Study, Told, cut),
    kind("emptied", "a file of the bundle emptied", Study, Told, emptied),
    kind("deleted", "a file of the bundle deleted", Study, Told, deleted),
    kind("added", "a file that no manifest names", Study, Told, added),
    kind("renamed", "a file of the bundle under another name", Study, Told, renamed),
    kind("swapped", "two files in each other's place", Study, Told, swapped),
    kind("line-ends", "line ends of a file of the bundle", Study, Told, line_ends),
    kind("empty-folder", "an empty folder in the bundle", Study, Told, empty_folder),
    kind("look-alike", "what looks like a manifest or a signature", Study, Told, look_alike),
    kind("fetch", "a fetch.txt", Study, Told, fetch),
    kind("older-run", "an older bundle edited, its manifests repaired", Study, Told, older_run),
    kind("older-bytes", "a file of an older bundle edited, cut or deleted", Study, Told, older_bytes),
    kind("no-bundle", "documents of a run that is not there", Study, Told, no_bundle),
    kind("run-renamed", "a bundle's folder under another name", Study, Told, run_renamed),
    kind("oxum", "another Payload-Oxum, the tag manifest repaired", Alone, Told, oxum),
    kind("label", "a label of bag-info.txt, the tag manifest repaired", Alone, Told, label),
    kind("manifest-form", "form of a manifest, the tag manifest repaired", Alone, Told, manifest_form),
    kind("unknown-file", "an unknown file, manifests repaired", Alone, Told, unknown_file),
    kind("input-edited", "a value of an input, manifests repaired", Alone, Told, |s, r| {
        edited(s, r, |p| p.starts_with("inputs/"), false)
    }),
    kind("protocol-edited", "a value of the protocol, manifests repaired", Alone, Told, |s, r| {
        edited(s, r, |p| p == "protocol.toml", false)
    }),
    kind("result-edited", "a value of what is derived, manifests repaired", Alone, Told, |s, r| {
        edited(s, r, is_derived, false)
    }),
    kind("result-followed", "the same, the ledger repaired as well", Alone, Told, |s, r| {
        edited(s, r, is_derived, true)
    }),
    kind("input-followed", "a value of an input, manifests and ledger repaired", Alone, Root, |s, r| {
        edited(s, r, |p| p.starts_with("inputs/"), true)
    }),
    kind("lock-edited", "a value of the lock, manifests repaired", Alone, Told, |s, r| {
        edited(s, r, |p| p == "model/lock.json", false)
    }),
    kind("lock-followed", "the same, the ledger repaired as well", Alone, Root, |s, r| {
        edited(s, r, |p| p == "model/lock.json", true)
    }),
    kind("run-edited", "a value of the training's records, manifests repaired", Alone, Told, run_edited),
    kind("environment", "a value of environment.json, manifests repaired", Alone, Root, |s, r| {
        edited(s, r, |p| p == "environment.json", false)
    }),
    kind("words-edited", "a value of device.toml, manifests repaired", Alone, Root, |s, r| {
        edited(s, r, |p| p == "device.toml", false)
    }),
    kind("template-lies", "a template says what the results do not", Alone, Told, template_lies),
    kind("template-study", "the same with documents rendered from it", Study, Told, template_in_study),
    kind("custody-edited", "a grant, a request, what was sealed, manifests repaired", Alone, Told, |s, r| {
        edited(s, r, |p| p.starts_with("custody/"), false)
    }),
    kind("custody-followed", "the same, the ledger repaired as well", Alone, Told, |s, r| {
        edited(s, r, |p| p.starts_with("custody/"), true)
    }),
    kind("ratings-edited", "a value of a reading session, manifests repaired", Alone, Told, |s, r| {
        edited(s, r, is_rating, false)
    }),
    kind("ratings-followed", "the same, the ledger repaired as well", Alone, Root, |s, r| {
        edited(s, r, is_rating, true)
    }),
    kind(
        "change-edited",
        "a plan or a copy of the predecessor's, manifests repaired",
        Alone,
        Told,
        |s, r| edited(s, r, is_of_change, false),
    ),
    kind("change-followed", "the same, the ledger repaired as well", Alone, Root, |s, r| {
        edited(s, r, is_of_change, true)
    }),
    kind("proof-removed", "a file that shows something, manifests repaired", Alone, Told, proof_removed),
    kind("forged-whole", "inputs, ledger, results and manifests made to agree", Alone, Root, forged_alone),
    kind("forged-study", "the same with documents, in its study", Study, Told, forged_in_study),
    kind("event-gone", "an event less in the ledger, chain repaired", Alone, Told, ledgers::event_gone),
    kind(
        "events-moved",
        "two events in each other's place, chain repaired",
        Alone,
        Told,
        ledgers::events_moved,
    ),
    kind("event-digest", "a digest of an event, chain repaired", Alone, Told, ledgers::event_digest),
    kind(
        "event-unbound",
        "an import or an earlier publication, chain repaired",
        Alone,
        Root,
        ledgers::event_unbound,
    ),
    kind(
        "event-words",
        "time, name or reason of an event, chain repaired",
        Alone,
        Root,
        ledgers::event_words,
    ),
    kind("event-unchained", "a value of an event, chain as it was", Alone, Told, ledgers::event_unchained),
    kind("ledger-foreign", "the ledger of another study", Alone, Told, ledgers::foreign),
    kind("study-ledger-gone", "the study's ledger deleted", Study, Told, ledgers::study_gone),
    kind("study-ledger-cut", "the study's ledger cut", Study, Told, ledgers::study_cut),
    kind("study-ledger-flip", "a byte of the study's ledger", Study, Told, ledgers::study_flipped),
    kind("study-ledger-event", "an event of it changed, chain repaired", Study, Told, ledgers::study_event),
    kind("study-ledger-end", "words of its last event", Study, Signature, ledgers::study_end),
    kind("document", "a document edited, deleted, added or from another run", Study, Told, document),
    kind("honest", "copied, renamed, rendered again, signed, other files", Study, Honest, honest),
];

fn pick<'a>(from: &'a [String], stream: &mut Stream) -> Option<&'a String> {
    from.get(stream.below(from.len() as u64) as usize)
}

fn made(subject: &Subject, tree: Tree, begins: Option<&str>, note: impl Into<String>) -> Option<Made> {
    Some(Made { tree, bag: subject.bag.clone(), begins: begins.map(str::to_owned), note: note.into() })
}

/// A file of the bundle with other bytes.
fn other_bytes(
    subject: &Subject,
    stream: &mut Stream,
    change: impl Fn(&mut Vec<u8>, &mut Stream),
) -> Option<Made> {
    let path = pick(&subject.bundle(), stream)?.clone();
    let mut tree = subject.tree.clone();
    let bytes = tree.files.get_mut(&path)?;
    change(bytes, stream);
    if *bytes == subject.tree.files[&path] {
        return None;
    }
    made(subject, tree, Some(&path), path.clone())
}

fn bit_flipped(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    other_bytes(subject, stream, |bytes, stream| {
        let at = stream.below(bytes.len() as u64) as usize;
        if let Some(byte) = bytes.get_mut(at) {
            *byte ^= 1 << stream.below(8);
        }
    })
}

fn byte_put_in(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    other_bytes(subject, stream, |bytes, stream| {
        let at = stream.below(bytes.len() as u64 + 1) as usize;
        bytes.insert(at, b" \n0a\0"[stream.below(5) as usize]);
    })
}

fn cut(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    other_bytes(subject, stream, |bytes, stream| bytes.truncate(stream.below(bytes.len() as u64) as usize))
}

fn emptied(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    other_bytes(subject, stream, |bytes, _| bytes.clear())
}

fn line_ends(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    let made = other_bytes(subject, stream, |bytes, _| {
        *bytes = bytes.iter().flat_map(|b| if *b == b'\n' { vec![b'\r', b'\n'] } else { vec![*b] }).collect();
    })?;
    // Labels are the same with other line ends: they or the tag manifest may be what changed.
    let begins = made.begins.filter(|path| !path.ends_with("bag-info.txt"));
    Some(Made { begins, ..made })
}

fn deleted(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    let path = pick(&subject.bundle(), stream)?.clone();
    let mut tree = subject.tree.clone();
    tree.files.remove(&path);
    made(subject, tree, Some(&path), path.clone())
}

fn added(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    const NAMES: [&str; 7] = [
        "data/notes.txt",
        "data/inputs/x.csv",
        "x",
        "data/model/weights",
        ".hidden",
        "data/.x",
        "data/fonts/a.ttf",
    ];
    let path = format!("{}/{}", subject.bag, NAMES[stream.below(7) as usize]);
    let mut tree = subject.tree.clone();
    tree.put(&path, "x");
    made(subject, tree, Some(&path), path.clone())
}

fn renamed(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    let path = pick(&subject.data(|_| true), stream)?.clone();
    let mut tree = subject.tree.clone();
    let bytes = tree.files.remove(&path)?;
    let inside = path[subject.bag.len() + 6..].to_uppercase();
    let upper = format!("{}/data/{inside}", subject.bag);
    let to = if stream.below(2) == 0 && upper != path { upper } else { format!("{path}~") };
    tree.put(&to, bytes);
    made(subject, tree, None, path)
}

fn swapped(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    let files = subject.data(|_| true);
    let (a, b) = (pick(&files, stream)?.clone(), pick(&files, stream)?.clone());
    let mut tree = subject.tree.clone();
    if tree.files[&a] == tree.files[&b] {
        return None;
    }
    let (of_a, of_b) = (tree.files[&a].clone(), tree.files[&b].clone());
    tree.put(&a, of_b);
    tree.put(&b, of_a);
    made(subject, tree, Some(&a), format!("{a} and {b}"))
}

fn empty_folder(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    let name = ["data/empty", "data/inputs/empty", "empty", "data/a/b"][stream.below(4) as usize];
    let path = format!("{}/{name}", subject.bag);
    let mut tree = subject.tree.clone();
    tree.folders.insert(path.clone());
    if name == "data/a/b" {
        tree.folders.insert(format!("{}/data/a", subject.bag));
        return made(subject, tree, None, path);
    }
    made(subject, tree, Some(&path), path.clone())
}

fn look_alike(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    const FILES: [&str; 6] = [
        "tagmanifest-sha512.txt",
        "tagmanifest-sha256.txt~",
        "manifest-md5.txt",
        "Tagmanifest-sha256.txt",
        "tagmanifest-sha256.txt.bak",
        "data/tagmanifest-sha256.txt.asc",
    ];
    let mut tree = subject.tree.clone();
    let nth = stream.below(7) as usize;
    let Some(name) = FILES.get(nth) else {
        let path = format!("{}/tagmanifest-sha256.txt.asc", subject.bag);
        tree.put(&format!("{path}/x"), "x");
        return made(subject, tree, None, path);
    };
    let path = format!("{}/{name}", subject.bag);
    let bytes = tree.files[&format!("{}/tagmanifest-sha256.txt", subject.bag)].clone();
    tree.put(&path, bytes);
    made(subject, tree, Some(&path), path.clone())
}

fn fetch(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    let path = format!("{}/fetch.txt", subject.bag);
    let mut tree = subject.tree.clone();
    tree.put(&path, "https://example.org/x 10 data/x.csv\n");
    let tags = format!("{}/tagmanifest-sha256.txt", subject.bag);
    if stream.below(2) == 0 {
        let digest = sequester::digest::Digest::of(&tree.files[&path]);
        let text = tree.text(&tags);
        let (first, rest) = text.split_at(text.find("bagit.txt")? + "bagit.txt\n".len());
        tree.put(&tags, format!("{first}{digest}  fetch.txt\n{rest}"));
    }
    made(subject, tree, None, "fetch.txt")
}

fn older_run(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    let older = "evidence/run-1";
    if subject.bag == older {
        return None;
    }
    let files = ["data/device.toml", "data/environment.json", "data/inputs/scores.csv", "data/results.json"];
    let path = format!("{older}/{}", files[stream.below(4) as usize]);
    let mut tree = subject.tree.clone();
    let (bytes, what) = values::of(&path, &tree.files[&path], stream)?;
    tree.put(&path, bytes);
    tree.seal(older);
    made(subject, tree, Some(older), format!("{path}: {what}"))
}

/// As `older_run`, and nothing is repaired.
fn older_bytes(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    let older = "evidence/run-1/";
    if subject.bag == "evidence/run-1" {
        return None;
    }
    let files: Vec<&String> = subject.tree.files.keys().filter(|path| path.starts_with(older)).collect();
    let path = files[stream.below(files.len() as u64) as usize].clone();
    let mut tree = subject.tree.clone();
    let mut bytes = tree.files.remove(&path)?;
    let at = stream.below(bytes.len().max(1) as u64) as usize;
    // Of another tag manifest the root is another one: that is said of the bundle and of the ledger.
    let begins = (!path.ends_with(TAG_MANIFEST)).then_some(path.as_str());
    match stream.below(3) {
        0 if !bytes.is_empty() => bytes.truncate(at),
        1 if !bytes.is_empty() => bytes[at] ^= 1 << stream.below(8),
        // Without its manifest a folder is no bundle any more: the folder is named.
        _ => {
            let begins = begins.filter(|path| !path.ends_with("manifest-sha256.txt"));
            return made(subject, tree, begins, format!("{path} deleted"));
        }
    }
    tree.put(&path, bytes);
    made(subject, tree, begins, format!("{path} at {at}"))
}

fn no_bundle(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    let to = format!("reports/run-{}", 3 + stream.below(90));
    let mut tree = subject.tree.clone();
    for path in subject.documents() {
        let bytes = tree.files[&path].clone();
        tree.put(&path.replacen(&subject.reports, &to, 1), bytes);
    }
    made(subject, tree, Some(&to), to.clone())
}

fn run_renamed(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    let to = format!("evidence/run-{}", 3 + stream.below(90));
    let mut tree = subject.tree.clone();
    for path in subject.bundle() {
        let bytes = tree.files.remove(&path)?;
        tree.put(&path.replacen(&subject.bag, &to, 1), bytes);
    }
    Some(Made { tree, bag: to.clone(), begins: Some(to.clone()), note: to })
}

fn oxum(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    let path = format!("{}/bag-info.txt", subject.bag);
    let mut tree = subject.tree.clone();
    let text = tree.text(&path);
    let kept: String =
        text.lines().filter(|l| !l.starts_with("Payload-Oxum")).map(|l| format!("{l}\n")).collect();
    let line = ["", "Payload-Oxum: 1.1\n", "Payload-Oxum: 0.0\nPayload-Oxum: x\n"][stream.below(3) as usize];
    tree.put(&path, format!("{kept}{line}"));
    tree.seal_tags(&subject.bag);
    made(subject, tree, Some(&path), line)
}

fn label(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    let path = format!("{}/bag-info.txt", subject.bag);
    let mut tree = subject.tree.clone();
    let text = tree.text(&path);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let nth = stream.below(lines.len() as u64) as usize;
    if stream.below(4) == 0 {
        lines.remove(nth);
    } else if stream.below(3) == 0 {
        lines.insert(nth, "Contact-Name: somebody".to_owned());
    } else {
        lines[nth].push('x');
    }
    tree.put(&path, lines.iter().map(|line| format!("{line}\n")).collect::<String>());
    tree.seal_tags(&subject.bag);
    made(subject, tree, Some(&path), lines.join(" | "))
}

fn manifest_form(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    let path = format!("{}/manifest-sha256.txt", subject.bag);
    let mut tree = subject.tree.clone();
    let text = tree.text(&path);
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let nth = stream.below(lines.len() as u64 - 1) as usize;
    let (end, what) = match stream.below(5) {
        0 => {
            lines[nth] = lines[nth].to_uppercase().replace("DATA/", "data/");
            ("\n", "capitals")
        }
        1 => {
            lines.swap(nth, nth + 1);
            ("\n", "order")
        }
        2 => {
            let line = lines[nth].clone();
            lines.insert(nth, line);
            ("\n", "a line twice")
        }
        3 => ("\r\n", "line ends"),
        _ => {
            lines.remove(nth);
            ("\n", "a line less")
        }
    };
    tree.put(&path, lines.iter().map(|line| format!("{line}{end}")).collect::<String>());
    tree.seal_tags(&subject.bag);
    let begins = (what != "a line less" && what != "capitals").then_some(path.as_str());
    made(subject, tree, begins, what)
}

fn unknown_file(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    const NAMES: [&str; 6] = [
        "notes.txt",
        "inputs/x.csv",
        "model/x.bin",
        "templates/x.html",
        "inputs/reads/x.txt",
        "more/results.json",
    ];
    let path = format!("{}/data/{}", subject.bag, NAMES[stream.below(6) as usize]);
    let mut tree = subject.tree.clone();
    tree.put(&path, "x");
    tree.seal(&subject.bag);
    made(subject, tree, Some(&path), path.clone())
}

/// Sessions of a reader study.
fn is_rating(path: &str) -> bool {
    path.starts_with("inputs/reader-study/")
}

/// A change control plan, and what beside it is the predecessor's.
fn is_of_change(path: &str) -> bool {
    path.starts_with("inputs/change/")
}

fn is_derived(path: &str) -> bool {
    const DERIVED: [&str; 7] = [
        "cases.csv",
        "reference.csv",
        "derivation.csv",
        "scores.csv",
        "results.json",
        "description.json",
        "reference-differences.csv",
    ];
    DERIVED.contains(&path)
}

/// A value of a file, the manifests made to agree, and the ledger where it is to follow.
fn edited(subject: &Subject, stream: &mut Stream, wanted: fn(&str) -> bool, follows: bool) -> Option<Made> {
    let path = pick(&subject.data(wanted), stream)?.clone();
    let mut tree = subject.tree.clone();
    let (bytes, what) = values::of(&path, &tree.files[&path], stream)?;
    tree.put(&path, bytes);
    if follows {
        follow(&mut tree, &subject.bag);
    }
    tree.seal(&subject.bag);
    // Where the ledger followed, results beside inputs are all that is left; which of them came first is
    // not to be known.
    let begins = (!follows || is_derived(&path[subject.bag.len() + 6..])).then_some(path.as_str());
    made(subject, tree, begins, format!("{path}: {what}"))
}

fn run_edited(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    let wanted = |p: &str| {
        let name = p.strip_prefix("model/");
        name.is_some_and(|name| name != "lock.json" && name != "scoring.json")
    };
    let path = pick(&subject.data(wanted), stream)?.clone();
    let mut tree = subject.tree.clone();
    let (bytes, what) = values::of(&path, &tree.files[&path], stream)?;
    // How long an epoch took is bound to nothing, and of the experiment only the digest counts.
    if what.ends_with("/seconds") {
        return None;
    }
    tree.put(&path, bytes);
    tree.seal(&subject.bag);
    made(subject, tree, Some(&path), format!("{path}: {what}"))
}

fn lying(subject: &Subject, stream: &mut Stream) -> Option<(Tree, String)> {
    const LIES: [&str; 4] = [
        "Every primary endpoint is **met**.",
        "The AUC is 0.99 {# literal: a citation #}",
        "{# literal: as agreed #} Sensitivity 99.9 %",
        "Nothing else has to be read.",
    ];
    let path = pick(&subject.data(|p| p.starts_with("templates/")), stream)?.clone();
    let mut tree = subject.tree.clone();
    let lie = LIES[stream.below(4) as usize];
    let text = match stream.below(2) {
        0 => format!("{}\n\n{lie}\n", tree.text(&path)),
        _ => format!("{lie}\n"),
    };
    tree.put(&path, text);
    tree.seal(&subject.bag);
    Some((tree, path))
}

fn template_lies(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    let (tree, path) = lying(subject, stream)?;
    made(subject, tree, None, path)
}

/// As `sequester validate` would publish it.
fn template_in_study(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    let (mut tree, path) = lying(subject, stream)?;
    ledgers::publish(&mut tree, &subject.bag);
    render(&mut tree, subject)?;
    made(subject, tree, None, path)
}

fn render(tree: &mut Tree, subject: &Subject) -> Option<()> {
    for path in subject.documents() {
        tree.files.remove(&path);
    }
    for (path, bytes) in rendered(tree, &subject.bag)? {
        tree.put(&format!("{}/{path}", subject.reports), bytes);
    }
    Some(())
}

fn proof_removed(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    let wanted = |p: &str| {
        (p.starts_with("model/") && p != "model/lock.json")
            || ["environment.json", "device.toml"].contains(&p)
    };
    let path = pick(&subject.data(wanted), stream)?.clone();
    let mut tree = subject.tree.clone();
    tree.files.remove(&path);
    tree.seal(&subject.bag);
    made(subject, tree, None, path)
}

/// Other inputs, everything derived from them, and a ledger that says so.
fn forged(subject: &Subject, stream: &mut Stream) -> Option<(Tree, String)> {
    let path = pick(&subject.data(|p| p.starts_with("inputs/") && p.ends_with(".csv")), stream)?.clone();
    let mut tree = subject.tree.clone();
    let (bytes, what) = values::of(&path, &tree.files[&path], stream)?;
    tree.put(&path, bytes);
    let inputs = sequester::evidence::bundle::inputs(&tree.payload(&subject.bag)).ok()?;
    let derived = study::derive(&inputs).ok()?;
    for (name, bytes) in derived.files {
        tree.put(&format!("{}/data/{name}", subject.bag), bytes.read().into_owned());
    }
    follow(&mut tree, &subject.bag);
    tree.seal(&subject.bag);
    Some((tree, format!("{path}: {what}")))
}

fn forged_alone(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    let (tree, note) = forged(subject, stream)?;
    made(subject, tree, None, note)
}

fn forged_in_study(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    let (mut tree, note) = forged(subject, stream)?;
    render(&mut tree, subject)?;
    made(subject, tree, None, note)
}

fn document(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    let documents = subject.documents();
    let path = pick(&documents, stream)?.clone();
    let mut tree = subject.tree.clone();
    match stream.below(5) {
        0 => {
            tree.files.remove(&path);
        }
        1 => tree.put(&format!("{}/more.html", subject.reports), "<p>met</p>"),
        2 => {
            let other = pick(&documents, stream)?;
            let bytes = tree.files[other].clone();
            if bytes == tree.files[&path] {
                return None;
            }
            tree.put(&path, bytes);
        }
        3 => {
            let text = tree.text(&path);
            let digit = text.bytes().filter(u8::is_ascii_digit).count();
            let nth = stream.below(digit.max(1) as u64) as usize;
            let at = text.bytes().enumerate().filter(|(_, b)| b.is_ascii_digit()).nth(nth)?.0;
            let mut bytes = text.into_bytes();
            bytes[at] = b'0' + (bytes[at] - b'0' + 1 + stream.below(9) as u8) % 10;
            tree.put(&path, bytes);
        }
        _ => {
            let bytes = tree.files.get_mut(&path)?;
            let at = stream.below(bytes.len() as u64) as usize;
            *bytes.get_mut(at)? ^= 1;
        }
    }
    let begins = if tree.files.contains_key(&format!("{}/more.html", subject.reports)) {
        format!("{}/more.html", subject.reports)
    } else {
        path.clone()
    };
    made(subject, tree, Some(&begins), path)
}

fn honest(subject: &Subject, stream: &mut Stream) -> Option<Made> {
    let mut tree = subject.tree.clone();
    let mut bag = subject.bag.clone();
    let note = match stream.below(7) {
        0 => {
            const ENDS: [&str; 4] = ["asc", "tsr", "sigstore.json", "p7s"];
            let end = ENDS[stream.below(4) as usize];
            tree.put(&format!("{bag}/tagmanifest-sha256.txt.{end}"), "x");
            "signed"
        }
        1 => {
            render(&mut tree, subject)?;
            "rendered again"
        }
        2 => {
            tree.put("notes.txt", "x");
            tree.put("protocol.toml", "format = \"another draft\"\r\n");
            tree.put("evidence/README.txt", "x");
            "other files around it"
        }
        3 => {
            subject.documents().iter().for_each(|path| drop(tree.files.remove(path)));
            "without documents"
        }
        4 if bag == "evidence/run-2" => {
            bag = "evidence/run-1".to_owned();
            "an older run"
        }
        5 => {
            for path in subject.bundle() {
                let bytes = tree.files.remove(&path)?;
                tree.put(&path.replacen(&bag, "copies/received", 1), bytes);
            }
            let other = tree.files.keys().filter(|p| !p.starts_with("copies")).cloned().collect::<Vec<_>>();
            other.iter().for_each(|path| drop(tree.files.remove(path)));
            bag = "copies/received".to_owned();
            "a copy by itself under another name"
        }
        _ => "as it is",
    };
    Some(Made { tree, bag, begins: None, note: note.to_owned() })
}
