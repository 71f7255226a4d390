//! What else lies in the study of a bundle: its other bundles, byte by byte; documents of runs of which no
//! bundle is there; files of the study that are not those of the bundle any more.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::diagnostic::{Code, Diagnostic, Location};
use crate::digest::{Bytes, Digest};
use crate::evidence::bag::{self, Opened};
use crate::evidence::bundle;

/// Discrepancies that are listed of one other bundle.
const LISTED: usize = 20;

/// The bytes of the other bundles of a study that are not those that were recorded. Whether their roots are
/// those that were published is another matter.
pub(super) fn edited(study: &Path, run: &str, runs: &BTreeMap<String, Option<Digest>>) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for name in runs.keys().filter(|name| *name != run) {
        let folder = study.join("evidence").join(name);
        let found = match bag::open(&folder) {
            Ok(opened) => opened.discrepancies,
            Err(error) => error.diagnostics(),
        };
        let more = found.len().saturating_sub(LISTED);
        problems.extend(found.into_iter().take(LISTED).map(|problem| within(problem, study)));
        if more > 0 {
            let message = format!("and {more} more discrepancies of this bundle");
            let place = Location::file(format!("evidence/{name}"));
            problems.push(Diagnostic::error(Code::FileChanged, message).at(place));
        }
    }
    problems
}

/// The problem with its place as one in the study.
fn within(mut problem: Diagnostic, study: &Path) -> Diagnostic {
    if let Some(location) = &mut problem.location
        && let Ok(path) = location.path.strip_prefix(study)
    {
        location.path = path.into();
    }
    problem
}

/// Folders of documents that are named as those of a run that is not there.
pub(super) fn without_bundle(study: &Path, runs: &BTreeMap<String, Option<Digest>>) -> Vec<Diagnostic> {
    let Ok(entries) = std::fs::read_dir(study.join("reports")) else { return Vec::new() };
    let names: BTreeSet<String> =
        entries.flatten().map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    let is_run = |name: &&String| name.strip_prefix("run-").is_some_and(|n| n.parse::<u64>().is_ok());
    let lost = names.iter().filter(is_run).filter(|name| !runs.contains_key(*name));
    lost.map(|name| {
        let message = format!("documents of {name} lie here, and there is no such bundle");
        let place = Location::file(format!("reports/{name}"));
        Diagnostic::error(Code::BundleLost, message)
            .at(place)
            .hint("restore the bundle; what documents say that come from no evidence here nobody can verify")
    })
    .collect()
}

/// The study's own files that are not those of the bundle: they were changed since, or the bundle was made of
/// others. A study goes on, so this is said and no discrepancy.
pub(super) fn changed(study: &Path, opened: &Opened) -> Vec<String> {
    let own = |path: &str| match path {
        bundle::PROTOCOL | bundle::DEVICE => Some(path.to_owned()),
        _ => path.strip_prefix(bundle::INPUTS)?.strip_prefix('/').map(str::to_owned),
    };
    let differs = |name: &String, recorded: &Bytes| {
        let path = study.join(name);
        let Ok(metadata) = std::fs::metadata(&path) else { return false };
        metadata.is_file()
            && (metadata.len() != recorded.len() as u64
                || Digest::of_file(&path).is_ok_and(|digest| digest != recorded.digest()))
    };
    let named = opened.payload.iter().filter_map(|(path, bytes)| Some((own(path.as_str())?, bytes)));
    named.filter(|(name, bytes)| differs(name, bytes)).map(|(name, _)| name).collect()
}
