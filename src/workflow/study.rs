//! A study on disk: its folder, where its data lie, where its results go, and its ledger.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic, Error, Location, Result, Severity};
use crate::digest::{Digest, RelativePath};
use crate::evidence::amendment::locked_name;
use crate::evidence::bundle;
use crate::evidence::ledger::{Event, Ledger};
use crate::evidence::names::{self, Named};
use crate::protocol::{self, Protocol, change};
use crate::storage::{self, Alone};
use crate::study::{self, Files, Inputs, Step, rounds};

use super::outside::Outside;

/// An open study: its protocol is valid.
#[derive(Clone, Debug)]
pub struct Study {
    /// Holds protocol.toml.
    pub folder: PathBuf,
    /// Holds the data.
    pub data: PathBuf,
    /// Takes what is written.
    pub out: PathBuf,
    /// The valid protocol.
    pub protocol: Protocol,
    /// The protocol's exact bytes.
    pub protocol_bytes: Vec<u8>,
}

/// Why a place is no study, and the way out of it.
fn no_study(folder: &Path) -> Diagnostic {
    let problem = |message: &str| Diagnostic::error(Code::NotAStudy, message).at(Location::file(folder));
    if folder.is_file() {
        return problem("this is a file, and a study is the folder with its protocol.toml")
            .hint("name the folder that the file lies in");
    }
    if !folder.exists() {
        return problem("there is no such folder").hint(
            "look how its name is spelt, and in which folder you are (`pwd`); `sequester init DIR` writes a \
             study to start from",
        );
    }
    problem("there is no protocol.toml here").hint(
        "`sequester init DIR` writes a study to start from; `sequester demo DIR` a complete synthetic one",
    )
}

impl Study {
    /// Reads and validates the protocol. Data and results lie in the study folder unless others are given.
    ///
    /// # Errors
    /// Everything that is wrong in it.
    pub fn open(folder: &Path, data: Option<&Path>, out: Option<&Path>) -> Result<Self> {
        let path = folder.join("protocol.toml");
        if !path.is_file() {
            return Err(no_study(folder).into());
        }
        let protocol_bytes = storage::read(&path)?;
        let text = crate::diagnostic::utf8(&path, &protocol_bytes, Code::TomlSyntax)?;
        let protocol = protocol::parse(&path, text).map_err(Error::Input)?;
        Ok(Self {
            data: data.unwrap_or(folder).to_path_buf(),
            out: out.unwrap_or(folder).to_path_buf(),
            folder: folder.to_path_buf(),
            protocol,
            protocol_bytes,
        })
    }

    /// Becomes the only writer of this study until the guard is dropped.
    ///
    /// # Errors
    /// `study-busy` while another process writes it.
    pub fn alone(&self) -> Result<Alone> {
        Alone::in_folder(
            &self.out,
            &["evidence", "reports", "model", "model/run", "work", "reads", "reads/rounds"],
        )
    }

    /// Where the locked model lies.
    pub fn model_folder(&self) -> PathBuf {
        self.out.join("model")
    }

    fn ledger_path(&self) -> PathBuf {
        self.out.join("ledger.jsonl")
    }

    /// The ledger; empty when nothing happened yet.
    ///
    /// # Errors
    /// `Error::Evidence` when its chain is broken.
    pub fn ledger(&self) -> Result<Ledger> {
        let path = self.ledger_path();
        if !path.exists() {
            return Ok(Ledger::default());
        }
        Ledger::parse(&path, &storage::read(&path)?).map_err(Error::Evidence)
    }

    /// Adds an event and writes the ledger.
    ///
    /// # Errors
    /// When the event is out of order or the file cannot be written.
    pub fn record(
        &self,
        event: Event,
        outside: &Outside<'_>,
        digests: BTreeMap<String, Digest>,
        reason: Option<String>,
    ) -> Result<()> {
        let mut ledger = self.ledger()?;
        ledger.append_by(&outside.who, event, &outside.at(), digests, reason)?;
        storage::write_atomic(&self.ledger_path(), &ledger.to_bytes())
    }

    /// What no study can be, though the protocol can be read: it is not locked with that.
    fn impossible(&self) -> Vec<Diagnostic> {
        let text = String::from_utf8_lossy(&self.protocol_bytes);
        let found = protocol::lint(&self.folder.join("protocol.toml"), &text, &self.protocol);
        found.into_iter().filter(|d| d.severity == Severity::Error).collect()
    }

    /// Locks the protocol at the first step, and refuses every later change of it.
    ///
    /// # Errors
    /// `Error::Lock` when the protocol is not the one that was locked; names that no bundle can hold.
    pub fn lock_protocol(&self, outside: &Outside<'_>) -> Result<()> {
        let digest = Digest::of(&self.protocol_bytes);
        match self.ledger()?.last(Event::ProtocolLocked) {
            None => {
                // A locked protocol cannot give its files other names.
                let (named, mut refused) = self.named_inputs();
                refused.extend(self.impossible());
                refused.extend(names::check(&named).into_iter().filter(|d| d.severity == Severity::Error));
                if !refused.is_empty() {
                    return Err(refused.into());
                }
                let digests = BTreeMap::from([("protocol.toml".to_owned(), digest)]);
                self.keep_locked(1)?;
                self.record(Event::ProtocolLocked, outside, digests, None)
            }
            Some(entry) if entry.digests.get("protocol.toml") == Some(&digest) => Ok(()),
            Some(entry) => {
                let locked = entry.digests.get("protocol.toml").map(Digest::short).unwrap_or_default();
                let message = format!(
                    "the protocol was locked at {} with digest {locked}..., it is now {}...",
                    entry.at,
                    digest.short()
                );
                Err(Error::Lock(vec![
                    Diagnostic::error(Code::ProtocolChanged, message)
                        .at(Location::file(self.folder.join("protocol.toml")))
                        .hint(
                            "put the locked text back, or `sequester protocol amend STUDY --reason TEXT`: \
                             the amendment, what it changes and whether it came before or after an opening \
                             of the test set are printed in every document; `--dry-run` shows it first. \
                             Before the opening words and columns of [reads] alone may also be mended by \
                             `sequester reads STUDY --reason TEXT`",
                        ),
                ]))
            }
        }
    }

    /// Where the text of the protocol lies that was locked as so many-th.
    pub(super) fn locked_text(&self, number: usize) -> PathBuf {
        self.out.join("work").join(locked_name(number))
    }

    /// Keeps the protocol's text, which is being locked as so many-th.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(super) fn keep_locked(&self, number: usize) -> Result<()> {
        storage::write_atomic(&self.locked_text(number), &self.protocol_bytes)
    }

    /// The files a step needs, from disk.
    ///
    /// # Errors
    /// When one is missing or cannot be read: all of them at once.
    pub fn inputs(&self, step: Step) -> Result<Inputs> {
        self.inputs_but(step, |_| false)
    }

    /// The same, where some of the files may be missing still.
    ///
    /// # Errors
    /// As [`Study::inputs`].
    pub(super) fn inputs_but(&self, step: Step, may_miss: impl Fn(&RelativePath) -> bool) -> Result<Inputs> {
        let mut files = Files::new();
        let (needed, mut problems) = self.needed(step);
        let named: Vec<Named> = needed.iter().map(|needed| needed.named.clone()).collect();
        problems.extend(names::check(&named).into_iter().filter(|d| d.severity == Severity::Error));
        for Needed { path, pattern, named } in needed {
            if may_miss(&path) && !named.at.path.exists() {
                continue;
            }
            match storage::read(&named.at.path) {
                Ok(bytes) => {
                    files.insert(path, bytes.into());
                }
                Err(error) => {
                    problems.extend(error.diagnostics().into_iter().map(|d| {
                        if d.code == Code::FileMissing { d.hint(self.way_out(&pattern)) } else { d }
                    }))
                }
            }
        }
        if !problems.is_empty() {
            return Err(problems.into());
        }
        let lock = self.model_folder().join("lock.json");
        let lock = if lock.is_file() { Some(storage::read(&lock)?) } else { None };
        let manifests = if lock.is_some() { self.manifests()? } else { Files::new() };
        let program_version = env!("CARGO_PKG_VERSION").to_owned();
        Ok(Inputs { protocol: self.protocol.clone(), files, lock, manifests, program_version })
    }

    /// The names that the inputs of all steps have in a bundle, and what is wrong with them already; no file
    /// is opened.
    pub fn named_inputs(&self) -> (Vec<Named>, Vec<Diagnostic>) {
        let (needed, problems) = self.needed(Step::All);
        (needed.into_iter().map(|needed| needed.named).collect(), problems)
    }

    /// What stands for the files that a step needs, as [`study::needed_files`], and the register of imports
    /// once something was imported.
    pub(super) fn patterns(&self, step: Step) -> BTreeSet<String> {
        let mut patterns = study::needed_files(&self.protocol, step);
        if step != Step::Cohort
            && let Some(register) = study::register_path(&self.protocol)
            && register.below(&self.data).is_file()
        {
            patterns.insert(register.to_string());
        }
        if step != Step::Cohort {
            patterns.extend(self.of_rounds());
        }
        if step == Step::All && self.has_change_plan() {
            patterns.extend(change::FILES.map(str::to_owned));
        }
        patterns
    }

    /// Whether the study is one of a new version under a change control plan.
    pub fn has_change_plan(&self) -> bool {
        self.data.join(change::PLAN).is_file()
    }

    /// The names of all reading rounds, sorted.
    pub fn rounds(&self) -> Vec<String> {
        let Some(folder) = rounds::folder(&self.protocol) else { return Vec::new() };
        let entries = std::fs::read_dir(self.data.join(folder)).into_iter().flatten().flatten();
        let files = entries.filter(|entry| entry.path().is_file());
        let files: BTreeSet<String> =
            files.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
        rounds::named(files.iter().map(String::as_str)).map(str::to_owned).collect()
    }

    /// What stands for the files of rounds from which something came back.
    fn of_rounds(&self) -> BTreeSet<String> {
        let mut patterns = BTreeSet::new();
        for name in self.rounds() {
            if let Some((map, returned)) = rounds::places(&self.protocol, &name)
                && std::fs::read_dir(self.data.join(&returned)).is_ok_and(|mut files| files.next().is_some())
            {
                patterns.extend([map.to_string(), format!("{returned}/*")]);
            }
        }
        patterns
    }

    /// The files a step needs, whether they are there or not.
    fn needed(&self, step: Step) -> (Vec<Needed>, Vec<Diagnostic>) {
        let (mut needed, mut problems) = (Vec::new(), Vec::new());
        for pattern in self.patterns(step) {
            match self.expand(&pattern) {
                Ok((paths, refused)) => {
                    problems.extend(refused);
                    for path in paths {
                        // What `score` writes goes to the output folder, what the team brings lies with the
                        // data.
                        let own_scores = !self.protocol.scores.external && path == self.protocol.scores.file;
                        let at = Location::file(path.below(if own_scores { &self.out } else { &self.data }));
                        match names::path_of(&format!("{}/{path}", bundle::INPUTS), at.clone()) {
                            Ok(inside) => needed.push(Needed {
                                path,
                                pattern: pattern.clone(),
                                named: Named { path: inside, at },
                            }),
                            Err(problem) => problems.push(problem),
                        }
                    }
                }
                Err(error) => problems.extend(error.diagnostics()),
            }
        }
        (needed, problems)
    }

    /// A file that a training run left: in the run's folder or, where a model was brought without it, beside
    /// the lock.
    pub fn run_file(&self, name: &str) -> Option<PathBuf> {
        let model = self.model_folder();
        [run_folder(&model), model].into_iter().map(|folder| folder.join(name)).find(|path| path.is_file())
    }

    /// What the training run lists of its cases, as far as it is there.
    ///
    /// # Errors
    /// When a manifest cannot be read.
    pub fn manifests(&self) -> Result<Files> {
        let mut manifests = Files::new();
        for name in study::MANIFESTS {
            if let (Some(path), Ok(relative)) = (self.run_file(name), name.parse()) {
                manifests.insert(relative, storage::read(&path)?.into());
            }
        }
        Ok(manifests)
    }

    /// What is known of the study before anything is scored: case tables, the manifests of a training, locked
    /// or not, and the scores where they are there already.
    ///
    /// # Errors
    /// As [`Study::inputs`].
    pub fn known(&self) -> Result<Inputs> {
        let mut inputs = self.inputs(Step::Cohort)?;
        inputs.manifests = self.manifests()?;
        let scores = &self.protocol.scores;
        let path = scores.file.below(if scores.external { &self.data } else { &self.out });
        if path.is_file() {
            inputs.files.insert(scores.file.clone(), storage::read(&path)?.into());
        }
        if let Some(predicate) = &self.protocol.predicate {
            let path = predicate.file.below(&self.data);
            if path.is_file() {
                inputs.files.insert(predicate.file.clone(), storage::read(&path)?.into());
            }
        }
        if let Some(repeated) = &self.protocol.repeatability {
            let path = repeated.file.below(&self.data);
            if path.is_file() {
                inputs.files.insert(repeated.file.clone(), storage::read(&path)?.into());
            }
        }
        for pattern in self.protocol.reader_study.iter().flat_map(|source| source.tables()) {
            for file in self.expand(&pattern)?.0 {
                let path = file.below(&self.data);
                if path.is_file() {
                    inputs.files.insert(file, storage::read(&path)?.into());
                }
            }
        }
        Ok(inputs)
    }

    fn way_out(&self, pattern: &str) -> String {
        if pattern == self.protocol.scores.file.as_str() && !self.protocol.scores.external {
            "`sequester score` writes it from the locked model".to_owned()
        } else {
            "the protocol names it; put it there, or say with --data where the data lie".to_owned()
        }
    }

    /// The files that a pattern of the protocol names, sorted, and a problem for each name that no path can
    /// have; the pattern's last component may hold `*`.
    ///
    /// # Errors
    /// When the folder cannot be listed.
    pub(super) fn expand(&self, pattern: &str) -> Result<(Vec<RelativePath>, Vec<Diagnostic>)> {
        if !pattern.contains('*') {
            let path = pattern.parse().map_err(|e: crate::digest::RelativePathError| {
                Diagnostic::error(Code::Path, e.to_string())
            })?;
            return Ok((vec![path], Vec::new()));
        }
        let folder = pattern.rsplit_once('/').map_or("", |(folder, _)| folder);
        let here = self.data.join(folder);
        let entries = match std::fs::read_dir(&here) {
            Ok(entries) => entries,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok((Vec::new(), Vec::new())),
            Err(e) => return Err(Error::io("list", &here, &e)),
        };
        let (mut paths, mut problems) = (Vec::new(), Vec::new());
        for entry in entries {
            let entry = entry.map_err(|e| Error::io("list", &here, &e))?;
            let within =
                |name: &str| if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") };
            // A folder is no file that a pattern means: what was withheld lies in one, and so do rounds.
            let folder = entry.path().is_dir();
            if folder || !study::matches(pattern, &within(&entry.file_name().to_string_lossy())) {
                continue;
            }
            let at = Location::file(entry.path());
            let path = names::of_system(&entry.file_name(), at.clone())
                .and_then(|name| names::path_of(&within(&name), at));
            match path {
                Ok(path) => paths.push(path),
                Err(problem) => problems.push(problem),
            }
        }
        paths.sort();
        Ok((paths, problems))
    }

    /// The runs below `evidence/`, in order of their number.
    pub fn runs(&self) -> Vec<(u64, PathBuf)> {
        runs(&self.out)
    }
}

/// A file that a step needs.
struct Needed {
    /// As the protocol gives it.
    path: RelativePath,
    /// What in the protocol stands for it.
    pattern: String,
    /// In the bundle, and on disk.
    named: Named,
}

/// The runs below `evidence/` of a folder, in order of their number.
pub fn runs(out: &Path) -> Vec<(u64, PathBuf)> {
    let mut runs: Vec<(u64, PathBuf)> = std::fs::read_dir(out.join("evidence"))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| {
            let number = entry.file_name().to_str()?.strip_prefix("run-")?.parse().ok()?;
            Some((number, entry.path()))
        })
        .collect();
    runs.sort();
    runs
}

/// Folder of the training run within the model's folder.
pub fn run_folder(model: &Path) -> PathBuf {
    model.join("run")
}
