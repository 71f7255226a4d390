//! What lies where in a bundle, and the way between a bundle and the inputs of a study.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::bag::Payload;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::{Bytes, Digest, RelativePath};
use crate::study::{self, Files, Inputs};

/// Version of the layout; a change of meaning raises the number.
pub const FORMAT: &str = "sequester-evidence/2";
/// The format before, and what to do with it.
const FORMER: &str = "sequester-evidence/1";
const WAY_OUT: &str = "in format 2 an interval that collapsed, or that takes a patient's images as \
                       independent, no longer decides an endpoint, so verdicts may differ; sequester 0.1 \
                       verifies and renders bundles of format 1, and `sha256sum -c manifest-sha256.txt \
                       tagmanifest-sha256.txt` checks their bytes";
/// The protocol, exact bytes.
pub const PROTOCOL: &str = "protocol.toml";
/// Who submits what, exact bytes.
pub const DEVICE: &str = "device.toml";
/// Deviations from the protocol, exact bytes; most bundles have none.
pub const DEVIATIONS: &str = "deviations.toml";
/// Exact bytes of everything that the protocol names, below this folder.
pub const INPUTS: &str = "inputs";
/// Lock, experiment and training log of the model.
pub const MODEL: &str = "model";
/// The model's lock, below [`MODEL`].
pub const MODEL_LOCK: &str = "model/lock.json";
/// Below [`MODEL`]: what a bundle takes from the training run beside the lock.
pub const RUN_FILES: [&str; 5] = [
    "experiment.toml",
    "training.jsonl",
    "training-manifest.csv",
    "tuning-manifest.csv",
    "tuning-scores.csv",
];
/// Below [`MODEL`]: on which kind of machine the scores were made.
pub const SCORING: &str = "scoring.json";
/// Labels of `bag-info.txt`, each once.
pub const LABELS: [&str; 5] =
    ["Bagging-Date", "External-Identifier", "Bag-Software-Agent", "External-Description", "Payload-Oxum"];
/// The templates that documents are rendered from.
pub const TEMPLATES: &str = "templates";
/// Fonts for what the built-in ones lack; most bundles have none.
pub const FONTS: &str = "fonts";
/// The ledger up to the results.
pub const LEDGER: &str = "ledger.jsonl";
/// Where and with what it was made.
pub const ENVIRONMENT: &str = "environment.json";
/// Every estimate.
pub const RESULTS: &str = "results.json";
/// Every case considered, with what became of it.
pub const CASES: &str = "cases.csv";
/// From the reads of each case to its answer.
pub const DERIVATION: &str = "derivation.csv";
/// The data in counts, test set and development side by side.
pub const DESCRIPTION: &str = "description.json";

/// What `environment.json` says of a time that the user gave.
pub const CLOCK_SET: &str = "SOURCE_DATE_EPOCH";

/// `environment.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Environment {
    /// [`FORMAT`].
    pub format: String,
    /// `run-1`, ...
    pub run: String,
    /// RFC 3339, UTC: when the bundle was written. Documents print it.
    pub created: String,
    /// [`CLOCK_SET`] where the user gave the time; absent where it is that of a clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub clock: Option<String>,
    /// `sequester 0.1.0`.
    pub program: String,
    /// Target triple's operating system and architecture.
    pub platform: String,
    /// Digest of the program's dependency lock file.
    pub cargo_lock_sha256: String,
}

/// Puts a path below a folder of the bundle.
///
/// # Errors
/// Never for constants and checked paths.
pub fn path(folder: &str, inner: &str) -> Result<RelativePath> {
    let joined = if folder.is_empty() { inner.to_owned() } else { format!("{folder}/{inner}") };
    joined
        .parse()
        .map_err(|e: crate::digest::RelativePathError| Diagnostic::error(Code::Path, e.to_string()).into())
}

/// Everything below a folder of the bundle, by the path within it.
pub fn below(payload: &Payload, folder: &str) -> Files {
    let prefix = format!("{folder}/");
    payload
        .iter()
        .filter_map(|(path, bytes)| Some((path.as_str().strip_prefix(&prefix)?.parse().ok()?, bytes.clone())))
        .collect()
}

/// A file of the bundle.
///
/// # Errors
/// `bundle-incomplete` when it is not there.
pub fn file<'a>(payload: &'a Payload, name: &str) -> Result<&'a [u8]> {
    let found = name.parse::<RelativePath>().ok().and_then(|path| payload.get(&path));
    found.map(Bytes::as_slice).ok_or_else(|| {
        let problem = Diagnostic::error(Code::BundleIncomplete, "the bundle has no such file");
        Error::Evidence(vec![problem.at(Location::file(format!("data/{name}")))])
    })
}

/// The digest of a file of the bundle, where it is there.
pub fn digest(payload: &Payload, name: &str) -> Option<Digest> {
    let path = name.parse::<RelativePath>().ok()?;
    payload.get(&path).map(Bytes::digest)
}

/// A file of the bundle as text.
///
/// # Errors
/// As [`file`], and `bundle-unreadable` when it is not UTF-8.
pub fn text<'a>(payload: &'a Payload, name: &str) -> Result<&'a str> {
    std::str::from_utf8(file(payload, name)?).map_err(|e| unreadable(name, &e.to_string()))
}

/// A file of the bundle that cannot be understood.
pub fn unreadable(name: &str, why: &str) -> Error {
    let problem = Diagnostic::error(Code::BundleUnreadable, why.to_owned());
    Error::Evidence(vec![problem.at(Location::file(format!("data/{name}")))])
}

/// Whether this version reads the bundle.
///
/// # Errors
/// `Error::Input` with `format-unknown` for a bundle of another format: it is as intact as its manifests say,
/// and cannot be understood here. A bundle without a format is left to the questions that need it.
pub fn readable(payload: &Payload) -> Result<()> {
    let environment = file(payload, ENVIRONMENT).ok();
    let environment: Option<serde_json::Value> = environment.and_then(|b| serde_json::from_slice(b).ok());
    let format = environment.as_ref().and_then(|e| e.get("format")?.as_str());
    match format {
        None | Some(FORMAT) => Ok(()),
        Some(other) => {
            let message = format!("the bundle's format is \"{other}\", this program reads \"{FORMAT}\"");
            let problem = Diagnostic::error(Code::FormatUnknown, message)
                .at(Location::file(format!("data/{ENVIRONMENT}")));
            Err(Error::Input(vec![if other == FORMER { problem.hint(WAY_OUT) } else { problem }]))
        }
    }
}

/// `environment.json`, where there is one that can be read.
pub fn environment(payload: &Payload) -> Option<Environment> {
    serde_json::from_slice(file(payload, ENVIRONMENT).ok()?).ok()
}

/// Version of the program that wrote the bundle, as its `environment.json` says; this one's where it says
/// none.
fn program_version(payload: &Payload) -> String {
    let environment = environment(payload);
    let program = environment.as_ref().and_then(|e| e.program.strip_prefix("sequester "));
    program.unwrap_or(env!("CARGO_PKG_VERSION")).to_owned()
}

/// The study's inputs as a bundle holds them.
///
/// # Errors
/// When the protocol is missing or not valid.
pub fn inputs(payload: &Payload) -> Result<Inputs> {
    let protocol = crate::protocol::parse(Path::new("data/protocol.toml"), text(payload, PROTOCOL)?)
        .map_err(Error::Evidence)?;
    let lock = path(MODEL, "lock.json")?;
    let mut manifests = below(payload, MODEL);
    manifests.retain(|path, _| study::MANIFESTS.contains(&path.as_str()));
    Ok(Inputs {
        protocol,
        files: below(payload, INPUTS),
        lock: payload.get(&lock).map(|bytes| bytes.read().into_owned()),
        manifests,
        program_version: program_version(payload),
    })
}

/// The templates as a bundle holds them.
///
/// # Errors
/// When one is not UTF-8.
pub fn templates(payload: &Payload) -> Result<BTreeMap<String, String>> {
    below(payload, TEMPLATES)
        .into_iter()
        .map(|(path, bytes)| {
            let name = path.to_string();
            let text = String::from_utf8(bytes.read().into_owned())
                .map_err(|e| unreadable(&name, &e.to_string()))?;
            Ok((name, text))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload(files: &[(&str, &[u8])]) -> Payload {
        files.iter().map(|(name, bytes)| (name.parse().expect("a path"), bytes.to_vec().into())).collect()
    }

    fn code(error: Error) -> Code {
        error.diagnostics()[0].code
    }

    #[test]
    fn files_are_found_by_their_folder() {
        let bundle = payload(&[
            ("inputs/cases.csv", b"c"),
            ("inputs/reads/r.csv", b"r"),
            ("inputs2/x", b"x"),
            ("templates/a.md", b"words"),
            ("results.json", b"\xff"),
        ]);
        let names: Vec<_> = below(&bundle, INPUTS).keys().map(ToString::to_string).collect();
        assert_eq!(names, ["cases.csv", "reads/r.csv"]);
        assert_eq!(file(&bundle, "inputs/cases.csv").expect("there"), b"c");
        assert_eq!(code(file(&bundle, "inputs/other").expect_err("not there")), Code::BundleIncomplete);
        assert_eq!(code(file(&bundle, "../x").expect_err("no path")), Code::BundleIncomplete);
        assert_eq!(text(&bundle, "templates/a.md").expect("text"), "words");
        assert_eq!(code(text(&bundle, RESULTS).expect_err("no text")), Code::BundleUnreadable);
        assert_eq!(path("model", "lock.json").expect("a path").as_str(), MODEL_LOCK);
        assert_eq!(path("", "lock.json").expect("a path").as_str(), "lock.json");
        assert!(path("model", "../x").is_err());
        let found = templates(&bundle).expect("templates");
        assert_eq!(found, BTreeMap::from([("a.md".to_owned(), "words".to_owned())]));
        let broken = payload(&[("templates/a.md", b"\xff")]);
        assert_eq!(code(templates(&broken).expect_err("no text")), Code::BundleUnreadable);
    }

    #[test]
    fn a_bundle_of_another_format_is_refused_by_name() {
        let with = |environment: &str| readable(&payload(&[(ENVIRONMENT, environment.as_bytes())]));
        assert!(with(&format!("{{\"format\": \"{FORMAT}\"}}")).is_ok());
        assert!(with("{}").is_ok() && with("no json").is_ok() && readable(&Payload::new()).is_ok());
        let hint = |format: &str| {
            let problem = with(&format!("{{\"format\": \"{format}\"}}")).expect_err("refused").diagnostics();
            assert_eq!(problem[0].code, Code::FormatUnknown);
            problem[0].hint.clone().unwrap_or_default()
        };
        assert!(hint(FORMER).contains("sequester 0.1"));
        assert_eq!(hint("sequester-evidence/9"), "");
    }

    #[test]
    fn the_inputs_of_a_study_come_out_as_they_went_in() {
        let protocol = include_str!("../../protocols/pneumonia-exp2a.toml").as_bytes();
        let bundle = payload(&[
            (PROTOCOL, protocol),
            ("inputs/cases.csv", b"c"),
            (MODEL_LOCK, b"lock"),
            ("model/training-manifest.csv", b"t"),
            ("model/log.csv", b"l"),
        ]);
        let found = inputs(&bundle).expect("inputs");
        assert_eq!(found.protocol.study.id, "pneumonia-exp2a");
        assert_eq!(found.files, below(&bundle, INPUTS));
        assert_eq!(found.lock.as_deref(), Some(&b"lock"[..]));
        assert_eq!(found.manifests.keys().map(|p| p.as_str()).collect::<Vec<_>>(), ["training-manifest.csv"]);
        assert_eq!(code(inputs(&Payload::new()).expect_err("no protocol")), Code::BundleIncomplete);
    }
}
