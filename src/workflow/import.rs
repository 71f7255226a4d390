//! Readers' files come in: looked at first, all of it, and then kept as they came.
//!
//! A killed import is finished by the same command: files, register and ledger are written in this order,
//! each only where it is not there already.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::outside::Outside;
use super::round;
use super::study::Study;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::{Digest, RelativePath};
use crate::evidence::ledger::Event;
use crate::evidence::opening;
use crate::protocol::{LabelTable, ReaderRole, ReadsFormat, ReadsSource};
use crate::reads::case_map::CaseMap;
use crate::reads::export::NoReadReason;
use crate::reads::files::{self, Beside, Read, ReadFile};
use crate::reads::form::Kept;
use crate::reads::labels::Labels;
use crate::reads::register::{ChangedRead, ChangedReference, Correction, Import, Register, Withheld};
use crate::reads::{import, privacy};
use crate::storage;
use crate::study::imports::readers_files;
use crate::study::{self, Cohort, Inputs, Step, is_labels_file, is_reads_file, register_path};

/// Where originals lie whose columns are withheld: beside the readers' files, and matched by no pattern.
const WITHHELD: &str = "withheld";

/// What is to be imported, and how.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Files anywhere.
    pub files: &'a [PathBuf],
    /// What the person takes them for; `None`: what the protocol declares.
    pub format: Option<ReadsFormat>,
    /// Columns that are kept out of the evidence.
    pub withhold: &'a [String],
    /// The file that no longer counts.
    pub supersedes: Option<&'a str>,
    /// Why.
    pub reason: Option<&'a str>,
    /// What the readers saw and did not see.
    pub blinding: Option<&'a str>,
}

/// How often a reader gave each answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReaderCounts {
    /// Reads with each meaning.
    pub reads: BTreeMap<Read, usize>,
    /// Different cases.
    pub cases: usize,
    /// Cases that were read more than once.
    pub repeated: usize,
}

/// One file as it would be kept.
#[derive(Clone, Debug)]
pub struct Found {
    /// Where it came from.
    pub source: PathBuf,
    /// Where it is kept, relative to the data folder.
    pub file: RelativePath,
    /// Digest of what is kept.
    pub sha256: Digest,
    /// It is there and in the register already.
    pub already: bool,
    /// By reader.
    pub readers: BTreeMap<String, ReaderCounts>,
    /// What is no read, by reason.
    pub no_reads: BTreeMap<NoReadReason, usize>,
    /// Labels that the file marks as ground truth or adjudicated: none of them is a read.
    pub given: usize,
    /// Answers, and cases without one, to which the reader wrote something.
    pub comments: usize,
    /// Cases with each label, where the file is one of labels that were not computed here.
    pub labels: BTreeMap<Read, usize>,
    /// Columns that identify a person and are not withheld, with the reason.
    pub identifying: BTreeMap<String, &'static str>,
    /// What a person should know.
    pub warnings: Vec<Diagnostic>,
    /// The file of the round that it came back from, where it did.
    round: Option<(RelativePath, Vec<u8>)>,
    bytes: Vec<u8>,
    original: Option<Vec<u8>>,
}

/// An import that was looked at and can be kept.
#[derive(Clone, Debug)]
pub struct Plan {
    /// The files.
    pub files: Vec<Found>,
    /// What changes, where one corrects another.
    pub correction: Option<Correction>,
    /// Why there is no reference standard yet, where there is none: readers who are still missing, for
    /// example.
    pub incomplete: Vec<Diagnostic>,
    /// Drawn cases.
    pub drawn: usize,
    /// Of readers whose files these are: drawn cases that they have not read yet, where each reader reads
    /// every case and no round says otherwise.
    pub not_read: BTreeMap<String, Vec<String>>,
    /// The register as it will be.
    pub register: Register,
    place: RelativePath,
}

/// Looks at everything that an import would do. Nothing is written.
///
/// # Errors
/// Whatever is wrong in the files, all at once; `reads-not-matched`, `reads-format`, `reads-replaced`,
/// `correction-incomplete`; reads of cases and readers that the study does not have.
pub fn plan(study: &Study, request: &Request<'_>, outside: &Outside<'_>) -> Result<Plan> {
    let place = register_path(&study.protocol).ok_or_else(|| {
        Diagnostic::error(Code::ReadsMissing, "the protocol names no readers' files")
            .hint("declare `files` in [reads]")
    })?;
    let map = case_map(study)?;
    // A correction keeps the reader whom the name of the first file says.
    let registered = storage::read(&place.below(&study.data)).unwrap_or_default();
    let registered = Register::parse(Path::new(place.as_str()), &registered).unwrap_or_default();
    let corrected = request.supersedes.and_then(|old| old.parse::<RelativePath>().ok());
    let named = corrected.as_ref().map(|old| Path::new(registered.first_of(old).as_str()));
    let beside = Beside { map: map.as_ref(), named };
    let mut problems = Vec::new();
    let mut found = Vec::new();
    for (nth, source) in request.files.iter().enumerate() {
        // Named twice it is one file: what came twice would stand twice in the register.
        if request.files[..nth].contains(source) {
            continue;
        }
        match look(study, request, source, &place, beside) {
            Ok(file) => found.push(file),
            Err(error) => problems.extend(error.diagnostics()),
        }
    }
    let superseded = correction_asked(request, &found, &mut problems)?;
    if !problems.is_empty() {
        return Err(problems.into());
    }
    // The study as it stands: case tables, and the readers' files that are there.
    let before = study.inputs_but(Step::Reads, |path| is_labels_file(&study.protocol, path))?;
    let mut register = register_of(&before, &place)?;
    for file in &mut found {
        check_place(study, &register, file, &mut problems);
    }
    if let Some(old) = &superseded
        && register.of(old).is_none()
    {
        let named = Path::new(old.as_str()).file_name();
        let kept =
            register.imports.iter().find(|import| Path::new(import.file.as_str()).file_name() == named);
        let hint = match kept {
            Some(import) => format!("`{}` was: name the file as it is kept", import.file),
            None => "import it as it is first: only what is recorded can be corrected".to_owned(),
        };
        let message = format!("`{old}` was not imported");
        problems.push(Diagnostic::error(Code::CorrectionIncomplete, message).hint(hint));
    }
    if !problems.is_empty() {
        return Err(problems.into());
    }
    let mut after = before.clone();
    for file in &found {
        after.files.insert(file.file.clone(), file.bytes.clone().into());
        after.files.extend(file.round.clone().map(|(path, bytes)| (path, bytes.into())));
    }
    for file in found.iter().filter(|file| !file.already) {
        register.imports.push(entry(file, request, outside, superseded.as_ref()));
    }
    after.files.insert(place.clone(), register.to_bytes().into());
    let cohort = study::cohort(&before)?;
    let mut incomplete = Vec::new();
    let now = reference(&after, &cohort).map_err(|error| {
        // Nothing is kept yet: what is wrong is wrong in the file that the person has.
        let at_source = |mut problem: Diagnostic| {
            if let Some(place) = &mut problem.location
                && let Some(file) = found.iter().find(|file| Path::new(file.file.as_str()) == &*place.path)
            {
                place.path = file.source.as_path().into();
            }
            problem
        };
        let told = error.diagnostics().into_iter().map(at_source);
        let (open, wrong): (Vec<_>, Vec<_>) = told.partition(is_open);
        incomplete = open;
        wrong
    });
    let now = match now {
        Ok(now) => Some(now),
        Err(wrong) if wrong.is_empty() => None,
        Err(wrong) => return Err(wrong.into()),
    };
    let mut correction = None;
    if let Some(entry) = register.imports.last_mut()
        && let Some(corrected) = &mut entry.correction
        && corrected.reads.is_empty()
        && superseded.is_some()
    {
        corrected.reads = changed_reads(&before, &after)?;
        let was = reference(&before, &cohort).ok();
        corrected.reference = changed_reference(&cohort, was.as_deref(), now.as_deref());
        correction = Some(corrected.clone());
    }
    let not_read = not_read(study, &after, &cohort, &found)?;
    let drawn = cohort.drawn_cases().count();
    Ok(Plan { files: found, correction, incomplete, drawn, not_read, register, place })
}

/// See [`Plan::not_read`].
fn not_read(
    study: &Study,
    after: &Inputs,
    cohort: &Cohort,
    found: &[Found],
) -> Result<BTreeMap<String, Vec<String>>> {
    let rule = &study.protocol.reference_standard;
    if !rule.fixed_readers || !rule.rule.is_vote() || !study.rounds().is_empty() {
        return Ok(BTreeMap::new());
    }
    let so_far = study::reads_so_far(after, cohort)?;
    let roster = &so_far.standard.roster;
    let votes =
        |id: &String| roster.declared().is_none() || roster.of_role(ReaderRole::Reference).any(|r| r == id);
    let read = so_far.rows.iter().map(|row| (row.reader_id.as_str(), row.case_id.as_str()));
    let read: BTreeSet<(&str, &str)> = read.collect();
    let left = |reader: &String| {
        let cases = cohort.drawn_cases().map(|case| case.case_id.to_string());
        cases.filter(|case| !read.contains(&(reader.as_str(), case.as_str()))).collect::<Vec<_>>()
    };
    let readers: BTreeSet<&String> = found.iter().flat_map(|file| file.readers.keys()).collect();
    let of_each = readers.into_iter().filter(|id| votes(id)).map(|id| (id.clone(), left(id)));
    Ok(of_each.filter(|(_, cases)| !cases.is_empty()).collect())
}

/// Keeps what was planned: originals, files, register, ledger.
///
/// # Errors
/// When something cannot be written; the same command goes on from there.
pub fn keep(study: &Study, plan: &Plan, reason: Option<&str>, outside: &Outside<'_>) -> Result<()> {
    let mut digests = BTreeMap::new();
    for file in &plan.files {
        if let (Some(original), Some(import)) = (&file.original, plan.register.of(&file.file))
            && let Some(withheld) = &import.withheld
        {
            write(&withheld.original.below(&study.data), original)?;
        }
        write(&file.file.below(&study.data), &file.bytes)?;
        digests.insert(format!("inputs/{}", file.file), file.sha256);
    }
    let register = plan.register.to_bytes();
    let name = format!("inputs/{}", plan.place);
    digests.insert(name.clone(), Digest::of(&register));
    write(&plan.place.below(&study.data), &register)?;
    let recorded = study.ledger()?.last(Event::ReadsImported).and_then(|e| e.digests.get(&name).copied());
    if recorded == digests.get(&name).copied() {
        return Ok(());
    }
    study.record(Event::ReadsImported, outside, digests, reason.map(str::to_owned))
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    if storage::read(path).is_ok_and(|there| there == bytes) {
        return Ok(());
    }
    if let Some(folder) = path.parent() {
        storage::create_folder(folder)?;
    }
    storage::write_atomic(path, bytes)
}

/// The map of cases, where the protocol names one.
fn case_map(study: &Study) -> Result<Option<CaseMap>> {
    let protocol = &study.protocol;
    let Some(declared) = protocol.reads.case_map.as_ref().filter(|_| protocol.reference_standard.has_reads)
    else {
        return Ok(None);
    };
    let path = declared.file.below(&study.data);
    let others = protocol.reference_standard.ignore_other_cases;
    CaseMap::parse(&path, &storage::read(&path)?, declared, others).map(Some).map_err(Error::Input)
}

/// A file's place in a folder of the study.
fn inside(folder: &str, source: &Path) -> Result<RelativePath, Diagnostic> {
    let name = source.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let path = if folder.is_empty() { name } else { format!("{folder}/{name}") };
    path.parse().map_err(|e: crate::digest::RelativePathError| {
        Diagnostic::error(Code::Path, e.to_string()).at(Location::file(source))
    })
}

/// Where a file would be kept, and the table of labels that it belongs to, where it holds no reads.
fn kept_as<'s>(
    study: &'s Study,
    source: &Path,
    place: &RelativePath,
) -> Result<(RelativePath, Option<&'s LabelTable>)> {
    let below = |folder: &str| inside(folder, source);
    let folder = |path: &str| path.rsplit_once('/').map_or("", |(folder, _)| folder).to_owned();
    for table in study.protocol.reference_standard.label_tables() {
        for pattern in &table.files {
            let path = below(&folder(pattern.as_str()))?;
            if study::matches(pattern.as_str(), path.as_str()) {
                return Ok((path, Some(table)));
            }
        }
    }
    let path = below(&folder(place.as_str()))?;
    if is_reads_file(&study.protocol, &path) {
        return Ok((path, None));
    }
    let labels = study.protocol.reference_standard.label_tables().flat_map(|table| &table.files);
    let patterns: Vec<&str> = study.protocol.reads.files.iter().map(String::as_str).collect();
    let named: Vec<&str> = labels.map(RelativePath::as_str).collect();
    let message = if study.protocol.reference_standard.has_reads {
        format!("it would be kept as `{path}`, which `reads.files` ({}) does not match", patterns.join(", "))
    } else {
        format!("the protocol names no readers' files, and the labels are in {}", named.join(", "))
    };
    let hint = if is_picture(source) {
        "this looks like an image, and no table or export of readers".to_owned()
    } else if named.is_empty() {
        "add a pattern for it to `files` in [reads]; one pattern may end in `*` alone".to_owned()
    } else {
        format!(
            "add a pattern for it to `files` in [reads]; a table of labels has the name that the protocol \
             gives it ({})",
            named.join(", ")
        )
    };
    Err(Diagnostic::error(Code::ReadsNotMatched, message).at(Location::file(source)).hint(hint).into())
}

/// Whether the name is that of an image.
fn is_picture(path: &Path) -> bool {
    let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default();
    ["png", "jpg", "jpeg", "gif", "bmp", "tif", "tiff", "webp"].contains(&&*ending)
}

/// One file: what it says, and what of it would be kept.
fn look(
    study: &Study,
    request: &Request<'_>,
    source: &Path,
    place: &RelativePath,
    beside: Beside<'_>,
) -> Result<Found> {
    let original = storage::read(source).map_err(|error| {
        let hint = "look how its name is spelt, and in which folder it lies; a name with blanks needs quotes";
        let with_way_out = |problem: Diagnostic| match problem.code {
            Code::FileMissing => problem.hint(hint),
            _ if source.is_dir() => {
                problem.hint("this is a folder: name the files in it, such as FOLDER/*.csv")
            }
            _ => problem,
        };
        Error::Input(error.diagnostics().into_iter().map(with_way_out).collect())
    })?;
    let mut returned = round::returned(study, source, &original, Kept::AsItCame)?;
    let (file, table) = match &returned {
        // What comes back from a round lies with the round.
        Some(returned) => (inside(&returned.folder, source)?, None),
        None => kept_as(study, source, place)?,
    };
    // A table of labels has its columns' names in the first line.
    let header_row = study.protocol.reads.header_row.filter(|_| table.is_none()).unwrap_or(1);
    let (bytes, kept) = if request.withhold.is_empty() {
        (original, None)
    } else {
        let reduced =
            privacy::withhold(source, &original, request.withhold, header_row).map_err(Error::Input)?;
        if returned.is_some() {
            // What is left has to be a form still.
            returned = round::returned(study, source, &reduced, Kept::Reduced)?;
        }
        (reduced, Some(original))
    };
    let declared = &study.protocol.reads;
    let mut labels = Labels::default();
    let (read, round) = match (table, returned) {
        (Some(table), _) => {
            labels.add(source, &bytes, table).map_err(Error::Input)?;
            (ReadFile::default(), None)
        }
        (None, Some(returned)) => (returned.read, Some(returned.round)),
        (None, None) => (read(source, &bytes, declared, request.format, beside)?, None),
    };
    Ok(Found {
        source: source.to_path_buf(),
        file,
        sha256: Digest::of(&bytes),
        already: false,
        readers: counts(&read),
        no_reads: read.no_reads.iter().fold(BTreeMap::new(), |mut reasons, none| {
            *reasons.entry(none.reason).or_default() += 1;
            reasons
        }),
        given: read.given.len() + read.given_unknown.len(),
        comments: read.rows.iter().filter(|row| row.remark.comment().is_some()).count()
            + read.no_reads.iter().filter(|none| none.comment.is_some()).count(),
        labels: labels.counts(),
        identifying: privacy::identifying(source, &bytes, header_row),
        warnings: read.warnings,
        round,
        bytes,
        original: kept,
    })
}

/// What a file says, or why it cannot be read as the protocol declares: then also what it looks like.
fn read(
    source: &Path,
    bytes: &[u8],
    declared: &ReadsSource,
    format: Option<ReadsFormat>,
    beside: Beside<'_>,
) -> Result<ReadFile> {
    if let Some(format) = format
        && format != declared.format
    {
        let message = format!(
            "it is to be read as \"{}\", and the protocol declares \"{}\"",
            format.name(),
            declared.format.name()
        );
        return Err(Diagnostic::error(Code::ReadsFormat, message)
            .at(Location::file(source))
            .hint(format!("write format = \"{}\" in [reads]: evidence is read as it declares", format.name()))
            .into());
    }
    files::read_with(source, bytes, declared, beside).map_err(|mut problems| {
        let guess = import::sniff(source, bytes);
        if let Some(format) = guess.format.filter(|format| *format != declared.format) {
            let message = format!(
                "it looks like \"{}\" ({}), and the protocol declares \"{}\"",
                format.name(),
                guess.why,
                declared.format.name()
            );
            problems.insert(
                0,
                Diagnostic::error(Code::ReadsFormat, message)
                    .at(Location::file(source))
                    .hint(format!("write format = \"{}\" in [reads]", format.name())),
            );
        }
        Error::Input(problems)
    })
}

fn counts(read: &ReadFile) -> BTreeMap<String, ReaderCounts> {
    let mut by_case: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    let mut readers: BTreeMap<String, ReaderCounts> = BTreeMap::new();
    for row in &read.rows {
        *readers.entry(row.reader_id.to_string()).or_default().reads.entry(row.read).or_default() += 1;
        *by_case.entry(&row.reader_id).or_default().entry(&row.case_id).or_default() += 1;
    }
    for (reader, cases) in by_case {
        if let Some(counts) = readers.get_mut(reader) {
            counts.cases = cases.len();
            counts.repeated = cases.values().filter(|times| **times > 1).count();
        }
    }
    readers
}

/// The file that is corrected, where one is.
fn correction_asked(
    request: &Request<'_>,
    found: &[Found],
    problems: &mut Vec<Diagnostic>,
) -> Result<Option<RelativePath>> {
    let hint = "sequester reads import STUDY NEW --supersedes OLD --reason \"...\"";
    let wrong = |message: &str| Diagnostic::error(Code::CorrectionIncomplete, message).hint(hint);
    let reason = request.reason.is_some_and(opening::is_reason);
    let Some(old) = request.supersedes else {
        if request.reason.is_some() {
            problems.push(wrong("a reason is given, and no file that is superseded"));
        }
        return Ok(None);
    };
    if !reason {
        problems.push(wrong("a correction needs its reason in words: one of three letters at least"));
    }
    if request.files.len() != 1 {
        problems.push(wrong("one file takes the place of one file"));
    }
    let old: RelativePath = old
        .parse()
        .map_err(|e: crate::digest::RelativePathError| Diagnostic::error(Code::Path, e.to_string()))?;
    if found.iter().any(|file| file.file == old) {
        problems
            .push(wrong("the new file has the name of the old one: both are kept, so give it another name"));
    }
    Ok(Some(old))
}

/// The register as it stands. An import never builds on files that were replaced.
fn register_of(inputs: &Inputs, place: &RelativePath) -> Result<Register> {
    if !inputs.files.contains_key(place) {
        return Ok(Register::default());
    }
    readers_files(inputs).map(|files| files.register).map_err(Error::Input)
}

/// Whether the place is free, taken by this very file, or by another one.
fn check_place(study: &Study, register: &Register, file: &mut Found, problems: &mut Vec<Diagnostic>) {
    let there = storage::read(&file.file.below(&study.data)).ok().map(|bytes| Digest::of(&bytes));
    let registered = register.of(&file.file).map(|import| import.sha256);
    file.already = registered == Some(file.sha256);
    if there.is_some_and(|digest| digest != file.sha256) {
        let message = format!("`{}` is there already, with other contents", file.file);
        problems.push(Diagnostic::error(Code::ReadsReplaced, message).at(Location::file(&file.source)).hint(
            "a correction is brought in under a name of its own, with --supersedes and --reason; the \
                 old file stays",
        ));
    }
}

fn entry(
    file: &Found,
    request: &Request<'_>,
    outside: &Outside<'_>,
    superseded: Option<&RelativePath>,
) -> Import {
    let withheld = file.original.as_ref().and_then(|original| {
        let (folder, name) = file.file.as_str().rsplit_once('/').unwrap_or(("", file.file.as_str()));
        let place = format!("{folder}/{WITHHELD}/{name}");
        Some(Withheld {
            columns: request.withhold.to_vec(),
            original: place.trim_start_matches('/').parse().ok()?,
            original_sha256: Digest::of(original),
        })
    });
    let (by, role) = (outside.who.by(), outside.who.role());
    Import {
        file: file.file.clone(),
        sha256: file.sha256,
        at: outside.at(),
        by: by.map(str::to_owned),
        role: role.map(str::to_owned),
        blinding: request.blinding.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty()),
        withheld,
        correction: superseded.map(|old| Correction {
            supersedes: old.clone(),
            reason: request.reason.unwrap_or_default().trim().to_owned(),
            reads: Vec::new(),
            reference: Vec::new(),
        }),
    }
}

/// A problem that more files may end.
fn is_open(problem: &Diagnostic) -> bool {
    matches!(problem.code, Code::ReaderCount | Code::ReadsMissing | Code::FileMissing)
}

/// The reference standard of each drawn case: `positive`, `negative` or `none`.
fn reference(inputs: &Inputs, cohort: &Cohort) -> Result<Vec<&'static str>> {
    let standard = study::reference_standard(inputs, cohort)?;
    let word = |positive| match positive {
        Some(true) => "positive",
        Some(false) => "negative",
        None => "none",
    };
    Ok(standard.consensus.iter().map(|consensus| word(consensus.positive())).collect())
}

/// All reads of a case and a reader, as words in order.
fn all_reads(inputs: &Inputs) -> Result<BTreeMap<(String, String), String>> {
    let mut reads: BTreeMap<(String, String), Vec<&'static str>> = BTreeMap::new();
    let map = study::imports::case_map(inputs).map_err(Error::Input)?;
    let counting = readers_files(inputs).map_err(Error::Input)?;
    let (files, problems) = study::answers::read_all(inputs, &counting, map.as_ref(), &BTreeSet::new());
    if !problems.is_empty() {
        return Err(problems.into());
    }
    for row in files.into_iter().flat_map(|file| file.rows) {
        reads.entry((row.case_id.to_string(), row.reader_id.to_string())).or_default().push(row.read.name());
    }
    let joined = |mut words: Vec<&str>| {
        words.sort_unstable();
        words.join(", ")
    };
    Ok(reads.into_iter().map(|(key, words)| (key, joined(words))).collect())
}

fn changed_reads(before: &Inputs, after: &Inputs) -> Result<Vec<ChangedRead>> {
    let (before, after) = (all_reads(before)?, all_reads(after)?);
    let keys: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    Ok(keys
        .into_iter()
        .filter(|key| before.get(*key) != after.get(*key))
        .map(|key| ChangedRead {
            case: key.0.clone(),
            reader: key.1.clone(),
            before: before.get(key).cloned(),
            after: after.get(key).cloned(),
        })
        .collect())
}

fn changed_reference(
    cohort: &Cohort,
    before: Option<&[&'static str]>,
    after: Option<&[&'static str]>,
) -> Vec<ChangedReference> {
    let (Some(before), Some(after)) = (before, after) else { return Vec::new() };
    cohort
        .drawn_cases()
        .zip(before.iter().zip(after))
        .filter(|(_, (before, after))| before != after)
        .map(|(case, (before, after))| ChangedReference {
            case: case.case_id.to_string(),
            before: (*before).to_owned(),
            after: (*after).to_owned(),
        })
        .collect()
}
