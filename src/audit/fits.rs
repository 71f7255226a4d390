//! Is this the model that was validated? Which of the things that an auditor was handed belong together.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use serde::Serialize;

use super::answer::State;
use super::exhibit::{Exhibit, What, lock_in};
use super::succession;
use super::unlike::{Unlike, unlike};
use crate::diagnostic::line::shell_word;
use crate::diagnostic::{Code, Diagnostic, Location, Result, shown};
use crate::digest::{Digest, RelativePath};
use crate::document::reading::{Finished, names};
use crate::evidence::bag::Opened;
use crate::model::lock::{self, Lock};
use crate::report::set::is_of_set;
use crate::report::{Documents, Formats};

/// Differences of a document that are named one by one.
const NAMED: usize = 12;

/// How two exhibits stand to each other.
#[derive(Clone, Debug, Serialize)]
pub struct Fit {
    /// The narrower one: weights before lock before bundle.
    #[serde(serialize_with = "shown")]
    pub first: PathBuf,
    /// What it was compared with.
    #[serde(serialize_with = "shown")]
    pub second: PathBuf,
    /// Whether they belong together.
    pub answer: State,
    /// What was found, as a sentence.
    pub words: String,
    /// Why not.
    pub discrepancies: Vec<Diagnostic>,
}

impl Fit {
    fn new(first: &Exhibit, second: &Exhibit, answer: State, words: impl Into<String>) -> Self {
        let (first, second) = (first.path.clone(), second.path.clone());
        Self { first, second, answer, words: words.into(), discrepancies: Vec::new() }
    }

    fn no(first: &Exhibit, second: &Exhibit, words: impl Into<String>, problem: Diagnostic) -> Self {
        let problem =
            if problem.location.is_some() { problem } else { problem.at(Location::file(&first.path)) };
        Self { discrepancies: vec![problem], ..Self::new(first, second, State::No, words) }
    }
}

/// Every pair that can be judged, in the order of the exhibits.
///
/// A difference of documents is searched until `until`; what is left then counts as one difference.
///
/// # Errors
/// None but for memory: what cannot be rendered or read is a discrepancy or not shown.
pub fn fits(exhibits: &[Exhibit], until: Instant) -> Result<Vec<Fit>> {
    let mut rendered: BTreeMap<(usize, Formats, bool), Option<Rendered>> = BTreeMap::new();
    let mut fits = Vec::new();
    for (number, first) in exhibits.iter().enumerate() {
        for (other, second) in exhibits.iter().enumerate() {
            if number == other {
                continue;
            }
            match (&first.what, &second.what) {
                (What::Document { kind, bytes, .. }, What::Bundle(opened)) => {
                    let formats = match kind {
                        Finished::Pdf => Formats::All,
                        Finished::Docx => Formats::Drafts,
                        Finished::Html | Finished::Text => Formats::WithoutPdf,
                    };
                    // A document of the set is known by its name: most are not, and rendering all is costly.
                    let name = first.path.file_name().unwrap_or_default().to_string_lossy();
                    let set = is_of_set(&name);
                    let documents = if set { Documents::All } else { Documents::Report };
                    let files = rendered
                        .entry((other, formats, set))
                        .or_insert_with(|| render(opened, documents, formats));
                    fits.push(document(first, second, *kind, bytes, opened, files.as_ref(), until));
                }
                (What::Bundle(successor), What::Bundle(other)) => {
                    // A bundle that was published again has the same lock: the one that is named decides.
                    let named = succession::plan_in(successor).map(|plan| plan.predecessor.root);
                    let is_here = |root| {
                        let is_it = |e: &Exhibit| matches!(&e.what, What::Bundle(o) if o.root == Some(root));
                        exhibits.iter().any(is_it)
                    };
                    if named == other.root || !named.is_some_and(is_here) {
                        fits.extend(follows(first, second, successor, other));
                    }
                }
                // Each pair of equals once.
                (What::Weights(_), What::Weights(_)) | (What::Lock { .. }, What::Lock { .. })
                    if number > other => {}
                _ => fits.extend(digests(first, second)),
            }
        }
    }
    fits.extend(without_predecessor(exhibits));
    Ok(fits)
}

/// How a bundle follows another of which it says that it does.
fn follows(first: &Exhibit, second: &Exhibit, successor: &Opened, other: &Opened) -> Option<Fit> {
    Some(match succession::link(successor, other)? {
        Ok(()) => {
            let words =
                "the bundle follows its predecessor: the same protocol, cases, reference standard and scores";
            Fit::new(first, second, State::Yes, words)
        }
        Err(discrepancies) => {
            let words = "the bundle does not follow what it names as its predecessor";
            Fit { discrepancies, ..Fit::new(first, second, State::No, words) }
        }
    })
}

/// Bundles among several whose predecessor is not there: the chain is open.
fn without_predecessor(exhibits: &[Exhibit]) -> Vec<Fit> {
    let bundles: Vec<(&Exhibit, &Opened)> = exhibits
        .iter()
        .filter_map(|exhibit| match &exhibit.what {
            What::Bundle(opened) => Some((exhibit, opened.as_ref())),
            _ => None,
        })
        .collect();
    let is_linked =
        |opened: &Opened| bundles.iter().any(|(_, other)| succession::link(opened, other).is_some());
    let open = |(exhibit, opened): &(&Exhibit, &Opened)| {
        let plan = succession::plan_in(opened).filter(|_| bundles.len() > 1 && !is_linked(opened))?;
        let words = format!("its predecessor, root {}, is not here", plan.predecessor.root);
        Some(Fit::new(exhibit, exhibit, State::NotShown, words))
    };
    bundles.iter().filter_map(open).collect()
}

/// Documents by name.
type Rendered = BTreeMap<RelativePath, Vec<u8>>;

/// Every document of a bundle, where it renders.
fn render(opened: &Opened, documents: Documents, formats: Formats) -> Option<Rendered> {
    let source = crate::report::from_bundle(&opened.payload, opened.root).ok()?;
    crate::report::render(&source, documents, formats).ok().map(|rendered| rendered.files)
}

/// What digests alone decide.
fn digests(first: &Exhibit, second: &Exhibit) -> Option<Fit> {
    let yes = |words: &str| Some(Fit::new(first, second, State::Yes, words));
    match (&first.what, &second.what) {
        (What::Weights(one), What::Weights(other)) => match one == other {
            true => yes("the same weights"),
            false => {
                let message = format!("{one} is not {other}");
                let problem = Diagnostic::error(Code::WeightsDiffer, message);
                Some(Fit::no(first, second, "two different files of weights", problem))
            }
        },
        (What::Lock { digest: one, lock: a }, What::Lock { digest: other, lock: b }) => match one == other {
            true => yes("the same lock"),
            false => {
                let problem = Diagnostic::error(Code::LockDiffers, format!("{one} is not {other}"));
                let words = if a.weights.sha256 == b.weights.sha256 {
                    "two different locks of the same weights"
                } else {
                    "two different locks, of different weights"
                };
                Some(Fit::no(first, second, words, problem.hint(diff_hint(first, second))))
            }
        },
        (What::Weights(digest), What::Lock { lock, .. }) => match *digest == lock.weights.sha256 {
            true => yes("the weights are the ones that were locked"),
            false => Some(Fit::no(
                first,
                second,
                "the weights are not the ones that were locked",
                other(*digest, lock),
            )),
        },
        (What::Weights(digest), What::Bundle(opened)) => Some(match recorded(opened) {
            None => elsewhere(first, second),
            Some(lock) if lock.weights.sha256 == *digest => {
                Fit::new(first, second, State::Yes, "the weights are the ones that were validated")
            }
            Some(lock) => {
                let problem = other(*digest, &lock);
                Fit::no(first, second, "the weights are not the ones that were validated", problem)
            }
        }),
        (What::Lock { digest, lock }, What::Bundle(opened)) => {
            Some(of_lock(first, second, *digest, lock, opened))
        }
        (What::Document { kind, bytes, .. }, What::Lock { lock, .. }) => {
            named(first, second, *kind, bytes, lock.weights.sha256)
        }
        (What::Document { kind, bytes, .. }, What::Weights(digest)) => {
            named(first, second, *kind, bytes, *digest)
        }
        (What::File(digest), What::Bundle(opened)) => {
            let found = opened.payload.iter().find(|(_, bytes)| bytes.digest() == *digest);
            Some(match found {
                Some((path, _)) => {
                    Fit::new(first, second, State::Yes, format!("the file is data/{path} of the bundle"))
                }
                None => Fit::new(first, second, State::NotShown, "no file of the bundle has these bytes"),
            })
        }
        _ => None,
    }
}

fn diff_hint(first: &Exhibit, second: &Exhibit) -> String {
    format!("`sequester verify --diff {} {}` says what differs", quoted(&first.path), quoted(&second.path))
}

fn other(found: Digest, lock: &Lock) -> Diagnostic {
    let message = format!("the locked weights are {}, these are {found}", lock.weights.sha256);
    Diagnostic::error(Code::WeightsDiffer, message)
}

fn elsewhere(first: &Exhibit, second: &Exhibit) -> Fit {
    let words = "the device lives elsewhere: the bundle holds no lock, so no model can be recognised";
    Fit::new(first, second, State::NotShown, words)
}

fn recorded(opened: &Opened) -> Option<Lock> {
    lock_in(opened).and_then(|bytes| Lock::from_bytes(bytes, Path::new("data/model/lock.json")).ok())
}

fn of_lock(first: &Exhibit, second: &Exhibit, digest: Digest, lock: &Lock, opened: &Opened) -> Fit {
    let Some(bytes) = lock_in(opened) else { return elsewhere(first, second) };
    let there = lock::digest_of(bytes);
    if there == digest {
        return Fit::new(first, second, State::Yes, "the lock is the one in the bundle");
    }
    let words = match recorded(opened) {
        Some(recorded) if recorded.weights.sha256 == lock.weights.sha256 => {
            "the lock is not the one in the bundle; the weights that both name are the same"
        }
        _ => "the lock is not the one in the bundle, and the weights that it names are others",
    };
    let problem =
        Diagnostic::error(Code::LockDiffers, format!("the bundle's lock is {there}, this one is {digest}"));
    Fit::no(first, second, words, problem.hint(diff_hint(first, second)))
}

/// A document beside a model alone: it names the weights, or it does not.
fn named(first: &Exhibit, second: &Exhibit, kind: Finished, bytes: &[u8], digest: Digest) -> Option<Fit> {
    let Some(words) = kind.words(bytes) else {
        return Some(Fit::new(first, second, State::NotShown, "the text of the document cannot be read"));
    };
    if names(&words, &digest.to_string()) {
        return Some(Fit::new(first, second, State::Yes, "the document names these weights"));
    }
    let problem = Diagnostic::error(Code::DocumentOfAnother, format!("does not name the weights {digest}"));
    Some(Fit::no(first, second, "the document is about another model", problem))
}

/// A document beside the bundle that it should be rendered from.
fn document(
    first: &Exhibit,
    second: &Exhibit,
    kind: Finished,
    bytes: &[u8],
    opened: &Opened,
    rendered: Option<&Rendered>,
    until: Instant,
) -> Fit {
    if kind == Finished::Pdf && !cfg!(feature = "pdf") {
        return Fit::new(first, second, State::NotShown, "this build can neither read nor render a PDF");
    }
    let Some(rendered) = rendered else {
        return Fit::new(first, second, State::NotShown, "the bundle does not render");
    };
    let ending = format!(".{}", kind.extension());
    let candidates: Vec<(&RelativePath, &Vec<u8>)> =
        rendered.iter().filter(|(path, _)| path.as_str().ends_with(&ending)).collect();
    if let Some((path, _)) = candidates.iter().find(|(_, expected)| expected.as_slice() == bytes) {
        let words = match kind {
            Finished::Docx => {
                format!("the draft is {path} as the bundle renders it, byte for byte; a draft is no evidence")
            }
            _ => format!("the document is {path}, rendered from the bundle, byte for byte"),
        };
        return Fit::new(first, second, State::Yes, words);
    }
    let differs = |message: String| Diagnostic::error(Code::ReportDiffers, message);
    let Some(words) = kind.words(bytes) else {
        let problem =
            differs("its bytes are not those that the bundle renders to, and its text cannot be read".into());
        return Fit::no(first, second, "the document is not what the bundle renders to", problem);
    };
    let root = opened.root.map(|root| root.to_string()).unwrap_or_default();
    if !names(&words, &root) {
        let problem =
            Diagnostic::error(Code::DocumentOfAnother, format!("does not name the root digest {root}"));
        return Fit::no(first, second, "the document is not of this bundle", problem);
    }
    // The one that it is nearest to, where a bundle renders to several.
    let places = candidates
        .iter()
        .filter_map(|(path, expected)| Some((path, unlike(&words, &kind.words(expected)?, until))))
        .min_by_key(|(_, places)| places.len());
    let Some((path, places)) = places else {
        let problem = differs(format!("the bundle renders to no {} document", kind.extension()));
        return Fit::no(first, second, "the document is not what the bundle renders to", problem);
    };
    if kind == Finished::Docx && places.is_empty() {
        // What a company's own styles and a program for text change; it is neither right nor wrong.
        let words = format!(
            "the draft has the words and numbers of {path}, and other bytes: its form is another; a draft is \
             no evidence"
        );
        return Fit::new(first, second, State::NotShown, words);
    }
    let numbers = places.iter().filter(|place| place.is_number()).count();
    let words = match (places.len(), numbers) {
        (0, _) => format!("the document has the words and numbers of {path}, and other bytes"),
        (1, 1) => format!("1 number is not that of {path}"),
        (n, 0) => format!("{n} places have other words than {path}, and no number differs"),
        (n, numbers) => format!("{n} places are not those of {path}, {numbers} of them with a number"),
    };
    let mut fit = Fit::no(
        first,
        second,
        words,
        differs(format!("its bytes are not those of {path} as the bundle renders it")),
    );
    // Numbers first: they are what an auditor reads.
    let mut order: Vec<&Unlike> = places.iter().filter(|place| place.is_number()).collect();
    order.extend(places.iter().filter(|place| !place.is_number()));
    for place in order.iter().take(NAMED) {
        let message = format!(
            "after \"{}\" the document says \"{}\", the evidence \"{}\"",
            short(&place.after),
            short(&place.handed),
            short(&place.rendered)
        );
        fit.discrepancies.push(differs(message).at(Location::file(&first.path)));
    }
    if order.len() > NAMED {
        let message = format!("{} more places differ", order.len() - NAMED);
        fit.discrepancies.push(differs(message).at(Location::file(&first.path)));
    }
    fit
}

/// So much of a text as fits a line; what a terminal would obey is left out.
fn short(text: &str) -> String {
    const MOST: usize = 80;
    let plain: String = text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    match plain.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}...", &plain[..end]),
        None => plain,
    }
}

/// The commands that show the same without this program, with what each must print.
pub fn commands(exhibits: &[Exhibit]) -> Vec<(String, String)> {
    let mut commands = Vec::new();
    for exhibit in exhibits {
        let path = quoted(&exhibit.path);
        let Some(digest) = exhibit.digest() else { continue };
        match &exhibit.what {
            What::Bundle(_) => {
                commands.push((
                    format!("(cd {path} && sha256sum -c manifest-sha256.txt tagmanifest-sha256.txt)"),
                    "OK for every file".to_owned(),
                ));
                commands.push((format!("sha256sum {path}/tagmanifest-sha256.txt"), digest.to_string()));
                if let What::Bundle(opened) = &exhibit.what
                    && let (Some(bytes), Some(lock)) = (lock_in(opened), recorded(opened))
                {
                    commands.push((
                        format!("sha256sum {path}/data/model/lock.json"),
                        lock::digest_of(bytes).to_string(),
                    ));
                    commands.push((
                        format!("grep -A3 '\"weights\"' {path}/data/model/lock.json"),
                        format!("\"sha256\": \"{}\"", lock.weights.sha256),
                    ));
                }
            }
            _ => commands.push((format!("sha256sum {path}"), digest.to_string())),
        }
    }
    commands
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    shell_word(&path.display().to_string())
}
