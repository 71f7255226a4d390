//! Reading rounds on disk: a round is made once, its forms are handed out, and what comes back is taken in by
//! `import`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::outside::Outside;
use super::study::Study;
use crate::dataset::case::Case;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result, few};
use crate::digest::{Digest, RelativePath};
use crate::imaging::dicom;
use crate::imaging::image_folder::ImageFolder;
use crate::protocol::{ReaderRole, RepeatedRead};
use crate::reads::consensus::{Consensus, Undecided};
use crate::reads::files::ReadFile;
use crate::reads::round::{self, Round, RoundKind};
use crate::reads::status::is_ready;
use crate::reads::{form, returned};
use crate::storage;
use crate::study::rounds::places;
use crate::study::{self, Cohort, Inputs, SoFar, Step};

/// Below the output folder: what is handed out to readers, which is no evidence.
const HANDED_OUT: &str = "rounds";
/// So many cases are named in a warning.
const NAMED: usize = 5;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The round's name.
    pub name: &'a str,
    /// The cases that need adjudication, for the adjudicators, instead of all for the readers.
    pub adjudication: bool,
    /// Who reads; empty: every declared reader of the roles that the round is for.
    pub readers: &'a [String],
    /// So many cases are shown twice.
    pub repeated: usize,
    /// From which the codes of a new round follow.
    pub secret: Digest,
}

/// A round as it stands on disk.
#[derive(Clone, Debug)]
pub struct Made {
    /// The round.
    pub round: Round,
    /// Its file.
    pub file: PathBuf,
    /// It was there before.
    pub already: bool,
    /// The form of each reader.
    pub forms: BTreeMap<String, PathBuf>,
    /// What the coordinator should know.
    pub warnings: Vec<Diagnostic>,
}

/// Makes a round, or finds that it is there, and writes the forms that are not.
///
/// # Errors
/// `round-name`, `round-exists`, `round-empty`, `round-reader`, `repeated-read` where the protocol refuses
/// what is to be repeated; what is wrong in case tables, readers' files and images.
pub fn make(study: &Study, request: &Request<'_>, outside: &Outside<'_>) -> Result<Made> {
    let file = map_file(study, request.name)?;
    let inputs = inputs_so_far(study)?;
    let cohort = study::cohort(&inputs)?;
    let so_far = study::reads_so_far(&inputs, &cohort)?;
    let kind = if request.adjudication { RoundKind::Adjudication } else { RoundKind::Reading };
    let mut warnings = Vec::new();
    let cases: Vec<&Case> = match kind {
        RoundKind::Reading => cohort.drawn_cases().collect(),
        RoundKind::Adjudication => to_adjudicate(study, &cohort, &so_far, &mut warnings)?,
    };
    let readers = readers(request, &so_far)?;
    if request.repeated > 0 {
        check_repeats(study, request.repeated, cases.len())?;
    }
    outside.say("worklist", "looking at the images");
    let images = images(study, &cases, &mut warnings)?;
    let before = file.is_file().then(|| read_round(&file)).transpose()?;
    let ids = cohort.cases.iter().flat_map(|case| [&case.case_id, &case.patient_id]);
    let never: BTreeSet<String> = ids.map(|id| id.to_lowercase()).collect();
    let made = Round::new(&round::Asked {
        study: &study.protocol.study.id,
        name: request.name,
        kind,
        finding: &study.protocol.study.finding,
        source: &study.protocol.reads,
        seed: study.protocol.sample.seed,
        secret: before.as_ref().map_or(request.secret, |before| before.secret),
        cases: &images,
        readers: &readers,
        repeated: request.repeated,
        never: &never,
    });
    let already = before.is_some();
    if let Some(before) = before.filter(|before| *before != made) {
        return Err(exists(&before, &made, &file));
    }
    if !already {
        storage::write_atomic(&file, &made.to_bytes())?;
    }
    let mut forms = BTreeMap::new();
    for part in &made.readers {
        let path = handed_out(study, &made.name, &part.id).with_extension("csv");
        let Some(empty) = form::empty(&made, &part.id) else { continue };
        if !path.exists() {
            storage::write_atomic(&path, &empty)?;
        } else if storage::read(&path)? != empty {
            let message = "the form is there already, with answers or other contents: it is left as it is";
            warnings.push(Diagnostic::warning(Code::FileExists, message).at(Location::file(&path)));
        }
        forms.insert(part.id.clone(), path);
    }
    Ok(Made { round: made, file, already, forms, warnings })
}

/// The round of a name.
///
/// # Errors
/// `round-name`, `round-unknown`, `round-unreadable`.
pub fn open(study: &Study, name: &str) -> Result<Round> {
    let file = map_file(study, name)?;
    if file.is_file() {
        return read_round(&file);
    }
    let known = study.rounds();
    let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
    Err(Diagnostic::error(
        Code::RoundUnknown,
        format!("the study has no round `{name}`; its rounds: {known}"),
    )
    .at(Location::file(&file))
    .hint(format!("`sequester reads worklist STUDY --round {name}` makes it"))
    .into())
}

/// A path for what is handed out to a reader, without an ending.
pub(super) fn handed_out(study: &Study, round: &str, reader: &str) -> PathBuf {
    let plain = |c: char| c.is_alphanumeric() || c == '-' || c == '_';
    let mut name: String = reader.chars().map(|c| if plain(c) { c } else { '_' }).collect();
    if name != reader {
        // Two ids may differ in what is no part of a name.
        name = format!("{name}-{}", &Digest::of(reader.as_bytes()).short()[..6]);
    }
    study.out.join(HANDED_OUT).join(round).join(format!("{round}-{name}"))
}

/// A form that came back, as `import` takes it in.
pub(super) struct CameBack {
    /// Where it is kept, relative to the data folder.
    pub folder: String,
    /// Its reads.
    pub read: ReadFile,
    /// The file of its round.
    pub round: (RelativePath, Vec<u8>),
}

/// Whether a file is a form of a round, and what it says then.
///
/// # Errors
/// `form-other-round` where the study has no such round; what the form is refused for.
pub(super) fn returned(
    study: &Study,
    source: &Path,
    bytes: &[u8],
    kept: form::Kept,
) -> Result<Option<CameBack>> {
    if !form::is_form(source, bytes) {
        return Ok(None);
    }
    let name = form::parse(source, bytes, kept).map_err(Error::Input)?.round;
    let place = places(&study.protocol, &name).filter(|(map, _)| map.below(&study.data).is_file());
    let Some((map, folder)) = place else {
        let known = study.rounds();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        let message = format!("it is of the round `{}`; this study has {known}", name.escape_debug());
        return Err(Diagnostic::error(Code::FormOtherRound, message)
            .at(Location::file(source))
            .hint("ask for the file of a round of this study")
            .into());
    };
    let contents = storage::read(&map.below(&study.data))?;
    let round = Round::parse(&map.below(&study.data), &contents)?;
    let read = returned::read(source, bytes, kept, &round, &study.protocol.reads).map_err(Error::Input)?.file;
    Ok(Some(CameBack { folder, read, round: (map, contents) }))
}

/// What there is of case tables and readers' files; what is still to come is no error.
///
/// # Errors
/// Whatever is wrong in what there is.
pub fn inputs_so_far(study: &Study) -> Result<Inputs> {
    let mut inputs = study.inputs(Step::Cohort)?;
    for pattern in study.patterns(Step::Reads) {
        let (paths, problems) = study.expand(&pattern)?;
        if !problems.is_empty() {
            return Err(problems.into());
        }
        for path in paths {
            let at = path.below(&study.data);
            if at.is_file() && !inputs.files.contains_key(&path) {
                inputs.files.insert(path, storage::read(&at)?.into());
            }
        }
    }
    Ok(inputs)
}

fn map_file(study: &Study, name: &str) -> Result<PathBuf> {
    let named = places(&study.protocol, name).map(|(map, _)| map.below(&study.data));
    named.ok_or_else(|| {
        let message = format!("`{}` cannot name a round", name.escape_debug());
        Error::usage(
            Diagnostic::error(Code::RoundName, message).hint(
                "use up to 40 letters, digits, `-` and `_`; a study without readers' files has no rounds",
            ),
        )
    })
}

fn read_round(file: &Path) -> Result<Round> {
    Ok(Round::parse(file, &storage::read(file)?)?)
}

/// A round of the name is there, and another one is asked for.
fn exists(before: &Round, made: &Round, file: &Path) -> Error {
    let mut differs = Vec::new();
    let ids = |round: &Round| round.readers.iter().map(|part| part.id.clone()).collect::<Vec<_>>();
    for (what, differ) in [
        ("kind", before.kind != made.kind),
        ("readers", ids(before) != ids(made)),
        ("cases", before.cases() != made.cases()),
        (
            "images",
            before.cases() == made.cases()
                && before.shown.len() == made.shown.len()
                && before.shown != made.shown,
        ),
        (
            "number of repeated cases",
            before.cases() == made.cases() && before.shown.len() != made.shown.len(),
        ),
        ("finding or scale", before.finding != made.finding || before.numbers != made.numbers),
        ("study or seed", before.study != made.study || before.seed != made.seed),
    ] {
        if differ {
            differs.push(what);
        }
    }
    let message = format!("the round `{}` is there, with other {}", before.name, differs.join(", other "));
    Diagnostic::error(Code::RoundExists, message)
        .at(Location::file(file))
        .hint("give the new round another name: what was handed out of this one stays valid")
        .into()
}

/// Cases that the readers left open and that every reader who is expected has read.
fn to_adjudicate<'c>(
    study: &Study,
    cohort: &'c Cohort,
    so_far: &SoFar,
    warnings: &mut Vec<Diagnostic>,
) -> Result<Vec<&'c Case>> {
    let rule = &study.protocol.reference_standard;
    let none = |message: &str, hint: &str| {
        Error::from(Diagnostic::error(Code::RoundEmpty, message).hint(hint.to_owned()))
    };
    if !rule.has_adjudication() {
        return Err(none(
            "the protocol declares no adjudication",
            "rules with one are \"adjudicated\", \"panel\" and tie = \"adjudicator\" in [reference_standard]",
        ));
    }
    let standard = &so_far.standard;
    let waits = |consensus: &Consensus| *consensus == Consensus::None(Undecided::AwaitsAdjudication);
    let (mut ready, mut open) = (Vec::new(), Vec::new());
    for (case, consensus) in cohort.drawn_cases().zip(&standard.consensus) {
        if waits(consensus) {
            let reads = standard.assembled.of_role(&case.case_id, &standard.roster, ReaderRole::Reference);
            if is_ready(reads.len(), &standard.voting) {
                ready.push(case)
            } else {
                open.push(case.case_id.as_str())
            }
        }
    }
    if ready.is_empty() {
        let message =
            format!("no case needs adjudication; {} cases still lack reads of reference readers", open.len());
        return Err(none(&message, "`sequester reads status STUDY` says who is missing"));
    }
    if !open.is_empty() {
        let message =
            format!("{} cases still lack reads and are not in the round: {}", open.len(), some(&open));
        warnings.push(
            Diagnostic::warning(Code::ReadsMissing, message)
                .hint("make a further round for what will need adjudication then"),
        );
    }
    Ok(ready)
}

fn some(ids: &[&str]) -> String {
    few::and_more(ids, NAMED)
}

/// Who reads.
fn readers(request: &Request<'_>, so_far: &SoFar) -> Result<BTreeSet<String>> {
    let roster = &so_far.standard.roster;
    let roles: &[ReaderRole] = if request.adjudication {
        &[ReaderRole::Adjudicator]
    } else {
        &[ReaderRole::Reference, ReaderRole::Comparison]
    };
    let wrong = |message: String, hint: &str| {
        Error::from(Diagnostic::error(Code::RoundReader, message).hint(hint.to_owned()))
    };
    let roles_named: Vec<&str> = roles.iter().map(|role| role.name()).collect();
    let roles_named = roles_named.join(" or ");
    if request.readers.is_empty() {
        let all: BTreeSet<String> =
            roles.iter().flat_map(|role| roster.of_role(*role)).map(str::to_owned).collect();
        if all.is_empty() {
            let message = format!("no reader with the role {roles_named} is declared");
            return Err(wrong(message, "declare the readers with their roles, or name them with --reader"));
        }
        return Ok(all);
    }
    let mut named = BTreeSet::new();
    for id in request.readers {
        if id.trim().is_empty() || id.chars().any(char::is_control) || id.trim() != id {
            let message = format!("`{}` is no reader's id", id.escape_debug());
            return Err(wrong(message, "give the id as the readers' files will have it"));
        }
        if let Some(declared) = roster.declared() {
            match declared.get(id) {
                Some(reader) if roles.contains(&reader.role) => {}
                Some(reader) => {
                    let message = format!(
                        "the reader `{id}` has the role {}, and the round is for {roles_named}",
                        reader.role.name()
                    );
                    return Err(wrong(message, "the role is declared in the protocol before anybody reads"));
                }
                None => {
                    let known: Vec<&str> = declared.keys().map(String::as_str).collect();
                    let hint = format!("declared are {}", known.join(", "));
                    return Err(wrong(format!("the reader `{id}` is not declared"), &hint));
                }
            }
        } else if request.adjudication {
            let message = "no reader is declared, so nobody is an adjudicator".to_owned();
            return Err(wrong(message, "declare the readers with their roles in the protocol"));
        }
        named.insert(id.clone());
    }
    Ok(named)
}

fn check_repeats(study: &Study, repeated: usize, cases: usize) -> Result<()> {
    if repeated > cases {
        let message = format!("{repeated} cases are to be repeated, and the round has {cases}");
        let problem = Diagnostic::error(Code::OptionOutOfRange, message);
        return Err(Error::usage(problem.hint("--repeat is at most the number of cases")));
    }
    if study.protocol.reference_standard.repeated_read == RepeatedRead::Refuse {
        let message = "cases are to be read twice, and the protocol refuses repeated reads";
        return Err(Diagnostic::error(Code::RepeatedRead, message)
            .at(Location::file(study.folder.join("protocol.toml")))
            .hint("declare what several reads of one reader count as, such as repeated_read = \"all-agree\"")
            .into());
    }
    Ok(())
}

/// The folder of the study's images; `None` where it is not at hand.
pub(super) fn image_folder(study: &Study) -> Result<Option<ImageFolder>> {
    let folder = study.protocol.data.images.as_ref().map(|images| images.below(&study.data));
    folder.filter(|folder| folder.is_dir()).map(|folder| ImageFolder::open(&folder)).transpose()
}

/// Where the image of a case lies.
///
/// # Errors
/// `image-missing`, `image-outside`.
pub(super) fn image_of(case: &Case, folder: &ImageFolder) -> Result<PathBuf> {
    let named = case.image.as_ref().ok_or_else(|| {
        Diagnostic::error(Code::ImageMissing, format!("the case `{}` names no image", case.case_id))
            .hint("fill the column `image`, relative to `data.images`")
    })?;
    folder.inside(named)
}

/// The cases with the digests of their images; warns of text that may stand in a picture.
fn images(
    study: &Study,
    cases: &[&Case],
    warnings: &mut Vec<Diagnostic>,
) -> Result<Vec<(String, Option<Digest>)>> {
    let Some(folder) = image_folder(study)? else {
        let message = "the images are not at hand: the round is not bound to what the readers will be shown";
        warnings.push(
            Diagnostic::warning(Code::RoundWithoutImages, message)
                .hint("name their folder in `data.images`, or say with --data where it lies"),
        );
        return Ok(cases.iter().map(|case| (case.case_id.to_string(), None)).collect());
    };
    let (mut found, mut problems) = (Vec::new(), Vec::new());
    let mut text: BTreeMap<&'static str, Vec<&str>> = BTreeMap::new();
    for case in cases {
        match image_of(case, &folder).and_then(|path| storage::read(&path)) {
            Ok(bytes) => {
                found.push((case.case_id.to_string(), Some(Digest::of(&bytes))));
                if let Some(why) = text_in_picture(&bytes) {
                    text.entry(why).or_default().push(&case.case_id);
                }
            }
            Err(error) => problems.extend(error.diagnostics()),
        }
    }
    if !problems.is_empty() {
        return Err(problems.into());
    }
    for (why, ids) in text {
        let message = format!("{} of {} images {why}: {}", ids.len(), cases.len(), some(&ids));
        warnings.push(Diagnostic::warning(Code::RoundBurnedIn, message).hint(
            "look at them before they are handed out: text in a picture can name the patient or give the \
             finding away, and nothing takes it out here",
        ));
    }
    Ok(found)
}

/// Why a picture may hold text; PNG and JPEG say nothing of it.
fn text_in_picture(bytes: &[u8]) -> Option<&'static str> {
    if !dicom::is_dicom(bytes) {
        return None;
    }
    let header = dicom::header_from_bytes(bytes).ok()?;
    match header.observed.burned_in.as_deref() {
        Some("YES") => Some("say that text is burned into the picture"),
        Some("NO") => None,
        _ if header.secondary => Some("are captures and may hold text in the picture"),
        _ => Some("do not say whether text is burned into the picture"),
    }
}
