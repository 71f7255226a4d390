//! `sequester verify` of several things: is this the model that was validated, is this the document, what
//! differs?

use std::path::Path;
use std::time::{Duration, Instant};

use super::{Context, Outcome};
use crate::audit::{Audit, Exhibit, Fit, Kind, State, commands, differences, fits};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::workflow::report::find_bundle;

/// How long the words of documents are compared.
const PATIENCE: Duration = Duration::from_secs(20);

/// Whether it is something else than a study or a bundle.
pub fn is_one(target: &Path) -> bool {
    is_model(target) || (target.exists() && !target.is_dir())
}

fn is_bundle(folder: &Path) -> bool {
    folder.join("bagit.txt").is_file() || folder.join("manifest-sha256.txt").is_file()
}

fn is_model(folder: &Path) -> bool {
    !is_bundle(folder) && folder.join(crate::model::lock::FILE).is_file()
}

/// What a target is: one thing, or a model's weights and lock.
fn exhibits_at(target: &Path, run: Option<&str>) -> Result<Vec<Exhibit>> {
    if !target.exists() {
        let problem = Diagnostic::error(Code::FileMissing, "is not there").at(Location::file(target));
        return Err(problem
            .hint("name a study, a bundle, a locked model, weights, a lock or a document")
            .into());
    }
    if !target.is_dir() {
        return Ok(vec![Exhibit::file(target)?]);
    }
    if is_model(target) {
        return Exhibit::model(target);
    }
    let bundle = find_bundle(target, run).map_err(|error| {
        let message = "there is neither an evidence bundle nor a locked model here";
        let hint = error.diagnostics().into_iter().find_map(|problem| problem.hint).unwrap_or_default();
        let problem = Diagnostic::error(Code::NotABundle, message).at(Location::file(target));
        Error::from(problem.hint(format!("{hint}; of a model, the folder with lock.json")))
    })?;
    Ok(vec![Exhibit::bundle(&bundle)?])
}

/// How a bundle among them is audited by itself, and what is required of its answers.
pub struct Audits<'a> {
    /// Asks everything about a bundle.
    pub of: &'a dyn Fn(&Path) -> Result<Audit>,
    /// Whether what was required is shown.
    pub required: &'a dyn Fn(&Audit) -> Result<Outcome>,
}

/// Says which of the targets belong together; `run` is the run of a study among them.
pub fn compare(targets: &[&Path], run: Option<&str>, ask: &Audits<'_>, context: Context) -> Result<Outcome> {
    let mut exhibits: Vec<Exhibit> = Vec::new();
    for target in targets {
        for exhibit in exhibits_at(target, run)? {
            if exhibits.iter().all(|known| known.path != exhibit.path) {
                exhibits.push(exhibit);
            }
        }
    }
    let fits = fits(&exhibits, Instant::now() + PATIENCE)?;
    let mut audits = Vec::new();
    for exhibit in exhibits.iter().filter(|e| e.kind() == Kind::Bundle) {
        audits.push((exhibit, (ask.of)(&exhibit.path)?));
    }
    // Nothing is known of what nothing else was compared with.
    let alone: Vec<&Exhibit> = exhibits
        .iter()
        .filter(|exhibit| {
            let judged = |fit: &&Fit| {
                (fit.first == exhibit.path || fit.second == exhibit.path) && fit.answer != State::NotShown
            };
            exhibit.kind() != Kind::Bundle && fits.iter().find(judged).is_none()
        })
        .collect();
    let holds = fits.iter().all(|fit| fit.answer != State::No) && audits.iter().all(|(_, a)| a.holds());
    if context.json {
        print_json(&exhibits, &fits, &audits, holds);
    } else {
        print(&exhibits, &fits, &audits);
    }
    if !holds {
        let found = fits.into_iter().flat_map(|fit| fit.discrepancies);
        let found =
            found.chain(audits.into_iter().flat_map(|(_, a)| a.answers).flat_map(|a| a.discrepancies));
        return Err(Error::Evidence(if context.json { Vec::new() } else { found.collect() }));
    }
    for (_, audit) in &audits {
        if (ask.required)(audit)? == Outcome::NotShown {
            return Ok(Outcome::NotShown);
        }
    }
    // A chain of versions with a link that is not here.
    let open: Vec<&Fit> = fits.iter().filter(|fit| fit.first == fit.second).collect();
    for fit in &open {
        let problem = Diagnostic::error(Code::NotShown, fit.words.clone()).at(Location::file(&fit.first));
        eprintln!("{}", problem.hint("name its bundle as well"));
    }
    if alone.is_empty() {
        return Ok(if open.is_empty() { Outcome::Done } else { Outcome::NotShown });
    }
    for exhibit in alone {
        let message = format!("nothing here shows what this {} belongs to", exhibit.kind().words());
        let problem = Diagnostic::error(Code::NotShown, message).at(Location::file(&exhibit.path));
        eprintln!("{}", problem.hint("name the bundle, study or lock that it should fit as well"));
    }
    Ok(Outcome::NotShown)
}

fn print(exhibits: &[Exhibit], fits: &[Fit], audits: &[(&Exhibit, Audit)]) {
    for exhibit in exhibits {
        let digest = exhibit.digest().map_or("without a digest".to_owned(), |d| d.to_string());
        let root = if exhibit.kind() == Kind::Bundle { "root " } else { "" };
        println!("{:<9}  {}\n           {root}{digest}", exhibit.kind().words(), exhibit.path.display());
    }
    println!();
    for fit in fits {
        println!("{:<14}  {}", fit.answer.words(), fit.words);
        println!("                {}  with  {}", fit.first.display(), fit.second.display());
    }
    for (exhibit, audit) in audits {
        let open: Vec<&str> = audit.not_shown().map(|a| a.question).collect();
        let open = if open.is_empty() { String::new() } else { format!("; not shown: {}", open.join(", ")) };
        let (answer, words) = match audit.holds() {
            true => (State::Yes, "the evidence is intact"),
            false => (State::No, "the evidence is not intact"),
        };
        println!("{:<14}  {words}{open}\n                {}", answer.words(), exhibit.path.display());
    }
    println!("\nthe same without this program:");
    for (command, prints) in commands(exhibits) {
        println!("  {command}\n      must print {prints}");
    }
}

fn print_json(exhibits: &[Exhibit], fits: &[Fit], audits: &[(&Exhibit, Audit)], holds: bool) {
    let report = serde_json::json!({
        "exhibits": exhibits.iter().map(|e| serde_json::json!({
            "path": e.path, "kind": e.kind(), "sha256": e.digest(),
        })).collect::<Vec<_>>(),
        "fits": fits,
        "audits": audits.iter().map(|(exhibit, audit)| serde_json::json!({
            "bundle": exhibit.path, "root": audit.root, "holds": audit.holds(), "answers": audit.answers,
        })).collect::<Vec<_>>(),
        "commands": commands(exhibits).into_iter().map(|(command, prints)| serde_json::json!({
            "command": command, "prints": prints,
        })).collect::<Vec<_>>(),
        "holds": holds,
    });
    println!("{report:#}");
}

/// Says what differs between two things of a kind.
pub fn differ(targets: &[&Path], run: Option<&str>, context: Context) -> Result<Outcome> {
    let [first, second] = targets else {
        let message = format!("--diff takes two things, here are {}", targets.len());
        return Err(Error::usage(Diagnostic::error(Code::Usage, message)));
    };
    // Of a model its lock says what it is.
    let one = |target: &Path| -> Result<Exhibit> {
        exhibits_at(target, run)?.pop().ok_or_else(|| {
            Diagnostic::error(Code::NotComparable, "there is nothing here").at(Location::file(target)).into()
        })
    };
    let (first, second) = (one(first)?, one(second)?);
    let found = differences(&first, &second)?;
    if context.json {
        let report = serde_json::json!({
            "first": first.path, "second": second.path, "same": found.is_empty(), "differences": found,
        });
        println!("{report:#}");
    } else if found.is_empty() {
        println!("no difference in meaning");
    } else {
        let nothing = "(nothing)".to_owned();
        for d in &found {
            println!("{:<12}  {}", d.part, d.key);
            println!("              - {}", d.first.as_ref().unwrap_or(&nothing));
            println!("              + {}", d.second.as_ref().unwrap_or(&nothing));
        }
        println!("{} differences: - {}, + {}", found.len(), first.path.display(), second.path.display());
    }
    Ok(if found.is_empty() { Outcome::Done } else { Outcome::CriterionNotMet })
}
