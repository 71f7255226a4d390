//! Everything a study brings, opened before anything is locked: what would stop `run` on its input. Reads and
//! scores are parsed by the rules of the study and compared with the cases; no statistic of the test set is
//! computed from them, and nothing of them is shown, so this is no opening.

mod cases;
mod reads;
mod words;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::names;
use super::report::templates;
use super::spelling;
use super::study::Study;
use crate::dataset::ages::too_old;
use crate::dataset::case::Case;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result, Severity, few};
use crate::digest::RelativePath;
use crate::document::lint::lint;
use crate::imaging::image;
use crate::imaging::image_folder::ImageFolder;
use crate::model::experiment::Experiment;
use crate::model::lock::{self, Lock};
use crate::storage;
use crate::study::{self, Cohort, Inputs, ReferenceStandard, Step};
use crate::table::Table;

pub use words::have_fonts;

/// So many images are named that are missing, or none.
const NAMED: usize = 10;

/// So many bytes say what kind of file it is.
const BEGINNING: u64 = 512;

/// What was found.
#[derive(Clone, Debug, Default)]
pub struct Looked {
    /// Errors that would stop the study, and warnings.
    pub found: Vec<Diagnostic>,
    /// What is not there yet, in words: `run` stops until it is.
    pub absent: Vec<String>,
    /// The cohort could be drawn.
    pub cohort: bool,
}

/// Opens everything that the protocol names, as far as one thing does not keep from looking at the next.
pub fn look(study: &Study) -> Looked {
    let mut looked = Looked::default();
    looked.said(Ok(names::of_study(study)));
    looked.said(templates(&study.folder).map(|texts| {
        let linted = texts.iter().flat_map(|(name, text)| lint(name, text));
        linted.filter(|d| d.severity == Severity::Error).collect()
    }));
    if let Err(error) = looked.data(study) {
        looked.said(Err(error));
    }
    looked
}

impl Looked {
    /// Takes over warnings or errors; each is told once.
    fn said(&mut self, result: Result<Vec<Diagnostic>>) {
        for one in result.unwrap_or_else(|error| error.diagnostics()) {
            if !self.found.contains(&one) {
                self.found.push(one);
            }
        }
    }

    /// The cases first: everything else is compared with them.
    fn data(&mut self, study: &Study) -> Result<()> {
        let mut inputs = study.known()?;
        let cohort = match study::cohort(&inputs) {
            Ok(cohort) => cohort,
            Err(error) => {
                // The draw knows no files: what is declared for it stands in the protocol.
                let of_protocol = |one: Diagnostic| match one.location {
                    None => one.at(Location::file(study.folder.join("protocol.toml"))),
                    Some(_) => one,
                };
                self.said(Ok(error.diagnostics().into_iter().map(of_protocol).collect()));
                self.without_cases(study, &mut inputs);
                return Ok(());
            }
        };
        self.cohort = true;
        self.said(Ok(cohort.warnings.clone()));
        self.said(Ok(too_old(None, &cohort.cases).into_iter().collect()));
        self.said(Ok(formulas(&cohort)));
        self.said(Ok(spelling::of_cases(&cohort)));
        let protocol = study.folder.join("protocol.toml");
        let endpoints = study::endpoints_that_ignore_patients(&study.protocol, &cohort).into_iter();
        self.said(Ok(endpoints.map(|d| d.at(Location::file(&protocol))).collect()));
        self.said(Ok(cases::expectations(study, &inputs, &cohort)));
        self.said(bring_reads(study, &mut inputs));
        self.said(Ok(unmatched(study)));
        // The case tables' own notes are among the cohort's.
        let tables: BTreeSet<&str> = study.protocol.data.cases.iter().map(|t| t.path.as_str()).collect();
        for (path, bytes) in inputs.files.iter().filter(|(path, _)| !tables.contains(path.as_str())) {
            if let Ok(table) = Table::parse(Path::new(path.as_str()), &bytes.read()) {
                self.said(Ok(table.notes().to_vec()));
            }
        }
        let has_reads = self.readers_files(study, &inputs);
        let absent: Vec<&RelativePath> = study
            .protocol
            .reference_standard
            .files()
            .filter(|named| !inputs.files.keys().any(|path| study::matches(named.as_str(), path.as_str())))
            .collect();
        if has_reads && absent.is_empty() {
            self.said(Ok(spelling::of_reads(&inputs, &cohort)));
            self.said(Ok(reads::copied(&inputs, &cohort)));
            let reference = study::consensus_of_all(&inputs, &cohort);
            if let Ok(reference) = &reference {
                self.ratings(study, &inputs, &cohort, reference);
            }
            let readers = reference.as_ref().ok().map(|reference| &reference.assembled.readers);
            self.said(words::without_font(study, &cohort, readers));
            self.said(reference.map(|reference| reference.warnings));
        } else if !has_reads {
            self.said(words::without_font(study, &cohort, None));
        }
        self.scores(study, &inputs, &cohort);
        self.model(study, &cohort)
    }

    /// What can be looked at where the cases cannot be read: which files are there and can be opened, the
    /// repeated images, and what the model is or is made from.
    fn without_cases(&mut self, study: &Study, inputs: &mut Inputs) {
        self.said(bring_reads(study, inputs));
        self.said(Ok(unmatched(study)));
        self.readers_files(study, inputs);
        self.outputs(study, inputs);
        self.lock(study);
    }

    /// Whether the readers' files are there, where the reference standard needs any.
    fn readers_files(&mut self, study: &Study, inputs: &Inputs) -> bool {
        let there = !study.protocol.reference_standard.has_reads
            || inputs.files.keys().any(|path| study::is_reads_file(&study.protocol, path));
        if !there {
            let reads = study.protocol.reads.files.join(", ");
            self.absent.push(format!("the readers' files ({reads})"));
        }
        there
    }

    /// Whether the outputs of model and predicate are there, and what was said of repeated images, which are
    /// compared with no case.
    fn outputs(&mut self, study: &Study, inputs: &Inputs) {
        let scores = &study.protocol.scores;
        let predicate = study.protocol.predicate.as_ref().map(|predicate| &predicate.file);
        let named = scores.external.then_some((&scores.file, "the score table"));
        for (file, what) in named.into_iter().chain(predicate.map(|file| (file, "the predicate's output"))) {
            if !inputs.files.contains_key(file) {
                self.absent.push(format!("{what} ({file})"));
            }
        }
        if let Some(repeated) = &study.protocol.repeatability {
            if inputs.files.contains_key(&repeated.file) {
                self.said(study::repeats(inputs).map(|_| Vec::new()));
            } else {
                self.absent.push(format!("the repeated images ({})", repeated.file));
            }
        }
    }

    /// The score table, and what the study shares with a model, images by their digests in it included.
    fn scores(&mut self, study: &Study, inputs: &Inputs, cohort: &Cohort) {
        let mut scores = None;
        if inputs.files.contains_key(&study.protocol.scores.file) {
            match study::scores_of_all(inputs, cohort) {
                Ok(found) => scores = Some(found),
                Err(error) => self.said(Err(error)),
            }
        }
        self.said(study::separate(inputs, cohort, scores.as_ref()));
        if study.protocol.predicate.as_ref().is_some_and(|own| inputs.files.contains_key(&own.file)) {
            self.said(study::predicate(inputs, cohort).map(|_| Vec::new()));
        }
        self.outputs(study, inputs);
    }

    /// The ratings of a reader study. They are read and compared with the cases, and no figure is computed.
    fn ratings(&mut self, study: &Study, inputs: &Inputs, cohort: &Cohort, reference: &ReferenceStandard) {
        let Some(source) = &study.protocol.reader_study else { return };
        let there = |pattern: &String| inputs.files.keys().any(|path| study::matches(pattern, path.as_str()));
        if source.files.iter().any(there) {
            let found = study::reader_study::readings(inputs, cohort, reference);
            self.said(found.map(|found| found.map_or_else(Vec::new, |found| found.warnings)));
        } else {
            self.absent.push(format!("the ratings of the reader study ({})", source.files.join(", ")));
        }
    }

    /// The locked model, or what it will be made from: whether it is locked.
    fn lock(&mut self, study: &Study) -> bool {
        let folder = study.model_folder();
        let locked = folder.join(lock::FILE).is_file();
        if locked {
            self.said(Lock::read(&folder).map(|lock| cases::of_lock(study, &lock)));
        } else if let Some(model) = &study.protocol.model {
            let path = model.experiment.below(&study.folder);
            self.said(Experiment::read(&path).map(|_| Vec::new()));
        } else if !study.protocol.scores.external {
            self.absent.push("a locked model (model/lock.json)".to_owned());
        }
        locked
    }

    /// The model, and the images that are scored or trained on.
    fn model(&mut self, study: &Study, cohort: &Cohort) -> Result<()> {
        let locked = self.lock(study);
        let scored = study.protocol.scores.file.below(&study.out).is_file();
        let mut needed: Vec<&Case> = Vec::new();
        if !study.protocol.scores.external && !scored {
            needed.extend(cohort.drawn_cases());
        }
        let development = match &study.protocol.data.development {
            Some(table) if !locked && study.protocol.model.is_some() => {
                let path = table.path.below(&study.data);
                table.parse(&path, &storage::read(&path)?.into()).map_err(Error::Input)?.cases
            }
            _ => Vec::new(),
        };
        needed.extend(&development);
        if !needed.is_empty() {
            match &study.protocol.data.images {
                Some(images) => self.images(&images.below(&study.data), &needed)?,
                None => self.found.push(
                    Diagnostic::error(Code::ImagesMissing, "the protocol names no image folder")
                        .at(Location::file(study.folder.join("protocol.toml")))
                        .hint("add `images = \"...\"` to [data]"),
                ),
            }
        }
        Ok(())
    }

    fn images(&mut self, folder: &Path, cases: &[&Case]) -> Result<()> {
        if !folder.is_dir() {
            self.absent.push(format!("the image folder ({})", folder.display()));
            return Ok(());
        }
        let images = ImageFolder::open(folder)?;
        let path = |case: &Case| -> std::result::Result<PathBuf, String> {
            let named =
                case.image.as_ref().ok_or_else(|| format!("the case `{}` names none", case.case_id))?;
            images
                .inside(named)
                .map_err(|e| e.diagnostics().first().map_or(String::new(), |d| d.message.clone()))
        };
        let (mut missing, mut no_image): (Vec<String>, Vec<String>) = Default::default();
        for case in cases {
            let name = || case.image.as_ref().map_or(String::new(), ToString::to_string);
            match path(case) {
                Ok(file) if file.is_file() => match storage::beginning(&file, BEGINNING) {
                    Ok(bytes) if image::is_image(&bytes) => {}
                    Ok(bytes) if bytes.is_empty() => no_image.push(format!("{} (empty)", name())),
                    Ok(_) => no_image.push(name()),
                    Err(error) => self.said(Err(error)),
                },
                Ok(_) => missing.push(name()),
                Err(why) => missing.push(why),
            }
        }
        if let Some(count) = Some(no_image.len()).filter(|n| *n > 0) {
            let some = few::and_so_on(&no_image, NAMED);
            let message =
                format!("{count} of {} images are neither PNG nor JPEG nor DICOM: {some}", cases.len());
            self.found.push(
                Diagnostic::error(Code::ImageUnreadable, message)
                    .at(Location::file(folder))
                    .hint("replace the files with complete images, or correct the column `image`"),
            );
        }
        if let Some(count) = Some(missing.len()).filter(|n| *n > 0) {
            let some = few::and_so_on(&missing, NAMED);
            let message = format!("{count} of {} images are missing: {some}", cases.len());
            self.found.push(
                Diagnostic::error(Code::ImageMissing, message)
                    .at(Location::file(folder))
                    .hint("bring them, or correct the column `image`; `--data` says where the data lie"),
            );
        }
        Ok(())
    }
}

/// Files in the readers' folder that no pattern matches, such as `AB.CSV` beside `*.csv`: a reader who is
/// forgotten would be one who never read.
pub fn unmatched(study: &Study) -> Vec<Diagnostic> {
    let patterns = &study.protocol.reads.files;
    let needed = study::needed_files(&study.protocol, Step::All);
    let folders: BTreeSet<&str> = patterns
        .iter()
        .filter(|pattern| pattern.contains('*'))
        .filter_map(|pattern| pattern.rsplit_once('/').map(|(folder, _)| folder))
        .collect();
    let mut warnings = Vec::new();
    for folder in folders {
        let here = study.data.join(folder);
        let Ok(entries) = std::fs::read_dir(&here) else { continue };
        let names = entries.flatten().filter(|entry| entry.path().is_file()).map(|entry| entry.file_name());
        let names: BTreeSet<String> = names.map(|name| name.to_string_lossy().into_owned()).collect();
        for name in names.iter().filter(|name| !name.starts_with('.')) {
            let path = format!("{folder}/{name}");
            let register = study::register_path(&study.protocol).is_some_and(|own| own.as_str() == path);
            if !register && !needed.iter().any(|pattern| study::matches(pattern, &path)) {
                let message =
                    format!("no pattern of `reads.files` matches the file `{name}`: it is not read");
                let hint = format!(
                    "`reads.files` is {}: capitals count, and so does the ending; name the file there, or \
                     take it \
                     out of the folder",
                    patterns.join(", ")
                );
                let at = Location::file(here.join(name));
                warnings.push(Diagnostic::warning(Code::ReadsFileUnmatched, message).at(at).hint(hint));
            }
        }
    }
    warnings
}

/// Adds the readers' files that are there, and the tables of readers and labels; those that a protocol names
/// and that are not there are errors.
fn bring_reads(study: &Study, inputs: &mut Inputs) -> Result<Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let cohort = study::needed_files(&study.protocol, Step::Cohort);
    let needed = study.patterns(Step::Reads);
    for pattern in needed.difference(&cohort) {
        // Names that cannot be are told among the names.
        for path in study.expand(pattern)?.0 {
            match storage::read(&path.below(&study.data)) {
                Ok(bytes) => {
                    inputs.files.insert(path, bytes.into());
                }
                Err(error) => problems.extend(error.diagnostics()),
            }
        }
    }
    if problems.is_empty() { Ok(Vec::new()) } else { Err(Error::Input(problems)) }
}

/// Ids that a program for tables would compute instead of show: they stay as they are, since ids are compared
/// as they stand.
fn formulas(cohort: &Cohort) -> Vec<Diagnostic> {
    let is_formula = |id: &&str| id.starts_with(['=', '+', '-', '@']) && id.parse::<f64>().is_err();
    let ids = cohort.cases.iter().flat_map(|case| [case.case_id.as_str(), case.patient_id.as_str()]);
    let found: BTreeSet<&str> = ids.filter(is_formula).collect();
    let Some(first) = found.first() else { return Vec::new() };
    let message = format!(
        "{} ids begin like a formula, such as `{first}`: a program for tables computes them instead of \
         showing them",
        found.len()
    );
    let hint = "open tables with such ids as text, or give the cases other ids before the study begins";
    vec![Diagnostic::warning(Code::CellFormula, message).hint(hint)]
}
