//! Readers' files go to a custodian, and come back with a signed grant for one opening. By files alone.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use super::commitment;
use super::outside::Outside;
use super::study::Study;
use crate::attestation::{PrivateKey, PublicKey, Signer};
use crate::custody::age::{self, Identity, Random, Recipient};
use crate::custody::grant::Granted;
use crate::custody::register::{Line, Register};
use crate::custody::request::{self, Head, OpeningRequest};
use crate::custody::sealed::{self, SealedFile, SealedSet, encrypted_name};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::{Bytes, Digest, RelativePath};
use crate::evidence::bundle;
use crate::evidence::ledger::{Event, Ledger};
use crate::evidence::opening::{self, Digests};
use crate::storage::{self, Alone};
use crate::study::{self, Step};

/// The name of a grant where a custodian leaves it, and of the folder with the files.
const GRANT: &str = "grant.json";
const MATERIAL: &str = "files";

/// Files that were encrypted to a custodian, or would be.
#[derive(Clone, Debug)]
pub struct Sealing {
    /// What was sealed.
    pub set: SealedSet,
    /// The plain files, which still lie there unless they were removed.
    pub plain: Vec<PathBuf>,
    /// They were removed.
    pub removed: bool,
}

fn lock(code: Code, message: impl Into<String>, at: &Path, hint: &str) -> Error {
    Error::Lock(vec![Diagnostic::error(code, message).at(Location::file(at)).hint(hint)])
}

/// The sealed set of a study, where its ledger names one.
///
/// # Errors
/// `Error::Evidence` where the file is not the one that was recorded.
pub fn sealed_set(study: &Study) -> Result<Option<SealedSet>> {
    let ledger = study.ledger()?;
    let Some(entry) = ledger.last(Event::ReadsSealed) else { return Ok(None) };
    let path = study.out.join(sealed::FILE);
    let bytes = storage::read(&path)?;
    let at = |problem: Diagnostic| Error::Evidence(vec![problem.at(Location::file(&path))]);
    if entry.digests.get(sealed::FILE) != Some(&Digest::of(&bytes)) {
        let message = "is not the list of sealed files that the ledger names";
        return Err(at(Diagnostic::error(Code::LedgerDigest, message).hint("put the file back")));
    }
    SealedSet::parse(&bytes).map(Some).map_err(at)
}

/// Encrypts every file that the reference standard rests on to a custodian; with `remove` the plain ones go
/// afterwards.
///
/// # Errors
/// `already-sealed` (`Error::Lock`) a second time or after an opening; where there is nothing to seal.
pub fn seal(
    study: &Study,
    to: &[Recipient],
    grants_by: &PublicKey,
    (remove, dry_run): (bool, bool),
    random: Random<'_>,
    outside: &Outside<'_>,
) -> Result<Sealing> {
    let ledger = study.ledger()?;
    if let Some(entry) = ledger.last(Event::ReadsSealed).or_else(|| ledger.last(Event::TestSetOpened)) {
        let message = format!("{} already at {}", entry.event.name(), entry.at);
        let hint = "files are sealed once, before the first opening, when all of them are in";
        return Err(lock(Code::AlreadySealed, message, &study.folder, hint));
    }
    let inputs = study.inputs_but(Step::All, |path| *path == study.protocol.scores.file)?;
    let files: BTreeMap<&RelativePath, &Bytes> =
        inputs.files.iter().filter(|(path, _)| study::is_reference_file(&study.protocol, path)).collect();
    if files.is_empty() {
        let problem = Diagnostic::error(Code::FileMissing, "there is no readers' file to seal");
        return Err(problem
            .at(Location::file(&study.data))
            .hint("the protocol names them in [reads]")
            .into());
    }
    let mut set = SealedSet {
        custodian: grants_by.to_base64(),
        files: Vec::new(),
        format: sealed::FORMAT.to_owned(),
        recipient: to.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
        study: study.protocol.study.id.clone(),
    };
    let folder = study.out.join(sealed::FOLDER);
    let mut plain = Vec::new();
    for (path, bytes) in files {
        let name = format!("{}/{path}", bundle::INPUTS);
        let encrypted = age::encrypt(&bytes.read(), to, &mut *random)?;
        let file =
            SealedFile { encrypted: Digest::of(&encrypted), sha256: bytes.digest(), name: name.clone() };
        set.files.push(file);
        plain.push(path.below(&study.data));
        if !dry_run {
            storage::write_atomic(&folder.join(encrypted_name(&name)), &encrypted)?;
        }
    }
    set.files.sort_by(|a, b| a.name.cmp(&b.name));
    if dry_run {
        return Ok(Sealing { set, plain, removed: false });
    }
    study.lock_protocol(outside)?;
    let bytes = set.to_bytes();
    storage::write_atomic(&study.out.join(sealed::FILE), &bytes)?;
    storage::write_atomic(&folder.join("sealed.json"), &bytes)?;
    let digests = BTreeMap::from([(sealed::FILE.to_owned(), Digest::of(&bytes))]);
    study.record(Event::ReadsSealed, outside, digests, None)?;
    if remove {
        for path in &plain {
            std::fs::remove_file(path).map_err(|e| Error::io("remove", path, &e))?;
        }
    }
    Ok(Sealing { set, plain, removed: remove })
}

/// The request for the next opening; nothing is written.
///
/// # Errors
/// `not-sealed` where nothing was sealed; `sealed-reads-differ` where a readers' file that lies there is not
/// the sealed one; what is wrong with the study.
pub fn request(study: &Study, reason: Option<&str>) -> Result<OpeningRequest> {
    let Some(set) = sealed_set(study)? else {
        return Err(Diagnostic::error(Code::NotSealed, "no readers' file was sealed with a custodian")
            .at(Location::file(&study.folder))
            .hint("`sequester custodian seal STUDY` does it; without, `validate` asks for no grant")
            .into());
    };
    let ledger = study.ledger()?;
    let sealed_name = |path: &RelativePath| format!("{}/{path}", bundle::INPUTS);
    let inputs = study.inputs_but(Step::All, |path| set.file(&sealed_name(path)).is_some())?;
    let mut digests = opening::digests(&inputs, &study.protocol_bytes);
    let mut wrong = Vec::new();
    for path in inputs.files.keys() {
        let name = sealed_name(path);
        if study::is_reference_file(&study.protocol, path)
            && set.file(&name).is_none_or(|file| digests.get(&name) != Some(&file.sha256))
        {
            let message = "is not the file that was sealed, or was not sealed";
            let at = Location::file(path.below(&study.data));
            wrong.push(
                Diagnostic::error(Code::SealedReadsDiffer, message)
                    .at(at)
                    .hint("put the sealed one back, or take it away: the custodian grants what was sealed"),
            );
        }
    }
    if !wrong.is_empty() {
        return Err(Error::Lock(wrong));
    }
    digests.extend(set.files.iter().map(|file| (file.name.clone(), file.sha256)));
    let cohort = study::cohort(&inputs)?;
    let cohort = Digest::of(&study::cohort_table(&cohort));
    let sealed_cohort = ledger.last(Event::TestSetSealed).and_then(|entry| entry.digests.values().next());
    if sealed_cohort != Some(&cohort) {
        let hint = "`sequester dataset STUDY`, or `sequester commit STUDY`, seals the test set first";
        let message = "the test set is not sealed, or another one";
        return Err(lock(Code::SealedDataChanged, message, &study.folder, hint));
    }
    let Some(head) = Head::of(&ledger.to_bytes()) else {
        unreachable!("a ledger that names a sealed set has lines")
    };
    Ok(OpeningRequest {
        cohort,
        commitment: commitment::made(ledger.entries()).last().map(|(_, digest)| *digest),
        digests,
        format: request::FORMAT.to_owned(),
        ledger: head,
        number: ledger.count(Event::TestSetOpened) as u64 + 1,
        reason: reason.map(|reason| reason.trim().to_owned()),
        sealed: set.digest(),
        study: study.protocol.study.id.clone(),
    })
}

/// What a custodian grants with.
#[derive(Debug)]
pub struct Custodian<'a> {
    /// Folder with `sealed.json` and the encrypted files.
    pub sealed: &'a Path,
    /// Secret keys that decrypt them.
    pub identities: &'a [Identity],
    /// The key that signs.
    pub key: &'a PrivateKey,
    /// To whom the files are handed out.
    pub to: &'a [Recipient],
    /// Printed name.
    pub name: &'a str,
    /// The custodian's own ledger.
    pub register: &'a Path,
}

/// A grant, or what would be granted.
#[derive(Clone, Debug)]
pub struct Granting {
    /// The request.
    pub request: OpeningRequest,
    /// The line of the custodian's ledger.
    pub line: Line,
    /// The same request was granted before: the same grant again.
    pub already: bool,
}

/// Grants a request: decrypts, encrypts to the study, signs, and adds a line to the custodian's ledger before
/// anything is handed out.
///
/// # Errors
/// `study-busy` while another process writes beside the custodian's ledger; `opening-number`,
/// `grant-differs`; `age-other-key`, `age-damaged`; a ledger of the custodian's that is none
/// (`Error::Evidence`).
pub fn grant(
    request: &Path,
    custodian: &Custodian<'_>,
    out: &Path,
    dry_run: bool,
    random: Random<'_>,
    outside: &Outside<'_>,
) -> Result<Granting> {
    let at = |path: &Path| {
        let location = Location::file(path);
        move |problem: Diagnostic| Error::from(problem.at(location.clone()))
    };
    let list = custodian.sealed.join("sealed.json");
    let set = SealedSet::parse(&storage::read(&list)?).map_err(at(&list))?;
    let asked = OpeningRequest::parse(&storage::read(request)?).map_err(at(request))?;
    // Two grants at once would each read the ledger before the other counted in it. A name without a folder
    // lies in this one.
    let beside = custodian.register.parent().filter(|folder| !folder.as_os_str().is_empty());
    let _alone = if dry_run { None } else { Some(Alone::in_folder(beside.unwrap_or(Path::new(".")), &[])?) };
    let mut register = register(custodian.register)?;
    let (line, already) = register
        .decide(&asked, &set, &outside.at())
        .map_err(|problem| Error::Lock(vec![problem.at(Location::file(request))]))?;
    // Everything is decrypted before anything is said: a grant of files that cannot be read helps nobody.
    let mut material: Vec<(String, Zeroizing<Vec<u8>>)> = Vec::new();
    for file in &set.files {
        let path = custodian.sealed.join(encrypted_name(&file.name));
        let plain = age::decrypt(&storage::read(&path)?, custodian.identities).map_err(at(&path))?;
        if Digest::of(&plain) != file.sha256 {
            let message = "what it holds is not the file that was sealed";
            return Err(at(&path)(Diagnostic::error(Code::SealedReadsDiffer, message)));
        }
        material.push((encrypted_name(&file.name), plain));
    }
    let before =
        register.lines().get(..line.sequence as usize - 1).filter(|lines| !lines.is_empty()).and_then(
            |lines| {
                let bytes = register.to_bytes().split_inclusive(|b| *b == b'\n').take(lines.len());
                Head::of(&bytes.flatten().copied().collect::<Vec<u8>>())
            },
        );
    let granted = Granted::of(&asked, &line, before);
    let signer = Signer {
        key: custodian.key.public().to_base64(),
        meaning: crate::attestation::Meaning::Approval,
        name: custodian.name.to_owned(),
        role: crate::custody::grant::ROLE.to_owned(),
    };
    let program = format!("sequester {}", env!("CARGO_PKG_VERSION"));
    let envelope = granted.seal(&set, signer, &line.at, &program, custodian.key).map_err(at(request))?;
    if dry_run {
        return Ok(Granting { request: asked, line, already });
    }
    // Counted first: an interruption leaves a count without a grant, and the same request gives it then.
    if !already {
        register.add(line.clone());
        storage::write_atomic(custodian.register, register.to_bytes())?;
    }
    for (name, plain) in material {
        let bytes = age::encrypt(&plain, custodian.to, &mut *random)?;
        storage::write_atomic(&out.join(MATERIAL).join(name), &bytes)?;
    }
    storage::write_atomic(&out.join("request.json"), &asked.to_bytes())?;
    storage::write_atomic(&out.join(GRANT), &envelope)?;
    Ok(Granting { request: asked, line, already })
}

/// A custodian's ledger; empty where there is none yet.
///
/// # Errors
/// `Error::Evidence` where it is none.
pub fn register(path: &Path) -> Result<Register> {
    if !path.exists() {
        return Ok(Register::default());
    }
    Register::parse(&storage::read(path)?)
        .map_err(|problem| Error::Evidence(vec![problem.at(Location::file(path))]))
}

/// A grant came in, or would.
#[derive(Clone, Debug)]
pub struct Opened {
    /// What it says.
    pub granted: Granted,
    /// Who signed it.
    pub by: String,
    /// The files that are in their places now.
    pub files: Vec<PathBuf>,
}

/// Takes a grant: checks it, puts the files in their places, and records it. The test set is opened by
/// `validate` alone.
///
/// # Errors
/// `grant-differs`, `sealed-reads-differ` (`Error::Lock`); `age-other-key`, `age-damaged`.
pub fn take(
    study: &Study,
    folder: &Path,
    identities: &[Identity],
    dry_run: bool,
    outside: &Outside<'_>,
) -> Result<Opened> {
    let Some(set) = sealed_set(study)? else {
        let problem = Diagnostic::error(Code::NotSealed, "no readers' file was sealed with a custodian");
        return Err(problem.at(Location::file(&study.folder)).into());
    };
    let refused = |problem: Diagnostic, path: &Path| Error::Lock(vec![problem.at(Location::file(path))]);
    let (grant_path, request_path) = (folder.join(GRANT), folder.join("request.json"));
    let (envelope, asked) = (storage::read(&grant_path)?, storage::read(&request_path)?);
    let asked = OpeningRequest::parse(&asked).map_err(|p| refused(p, &request_path))?;
    let (granted, signed) = Granted::open(&envelope).map_err(|p| refused(p, &grant_path))?;
    granted.fits(&signed, &asked, &set).map_err(|p| refused(p, &grant_path))?;
    let ledger = study.ledger()?;
    if !asked.ledger.stands_in(&ledger.to_bytes()) {
        let message = "the grant is of another ledger than this study's";
        let problem = Diagnostic::error(Code::GrantDiffers, message);
        return Err(refused(problem.hint("it belongs to the folder in which it was asked for"), &grant_path));
    }
    // The test set is opened with these inputs or not at all: better known before the reads are here.
    let here = request(study, None)?.digests;
    if let Some(name) = differing(&here, &asked.digests) {
        let message = format!("the grant is of another {name} than the one that lies here");
        return Err(refused(Diagnostic::error(Code::GrantDiffers, message).hint(PUT_BACK), &grant_path));
    }
    let mut files = Vec::new();
    for file in &set.files {
        let Some(path) = file.name.strip_prefix("inputs/").and_then(|p| p.parse::<RelativePath>().ok())
        else {
            unreachable!("a sealed set names inputs alone")
        };
        let to = path.below(&study.data);
        let encrypted = folder.join(MATERIAL).join(encrypted_name(&file.name));
        let plain = age::decrypt(&storage::read(&encrypted)?, identities)
            .map_err(|problem| Error::from(problem.at(Location::file(&encrypted))))?;
        if Digest::of(&plain) != file.sha256 {
            let message = "what it holds is not the file that was sealed";
            return Err(refused(Diagnostic::error(Code::SealedReadsDiffer, message), &encrypted));
        }
        if to.exists() && Digest::of(&storage::read(&to)?) != file.sha256 {
            let message = "another file lies where a sealed one belongs";
            let problem = Diagnostic::error(Code::SealedReadsDiffer, message);
            return Err(refused(problem.hint("move it away"), &to));
        }
        files.push((to, plain));
    }
    let places = files.iter().map(|(path, _)| path.clone()).collect();
    let opened = Opened { by: signed.statement.signer.name.clone(), files: places, granted };
    if dry_run {
        return Ok(opened);
    }
    let (request_name, grant_name) = request::names(opened.granted.number);
    let bytes = asked.to_bytes();
    let digests = BTreeMap::from([
        (request_name.clone(), Digest::of(&bytes)),
        (grant_name.clone(), Digest::of(&envelope)),
    ]);
    storage::write_atomic(&study.out.join(&request_name), &bytes)?;
    storage::write_atomic(&study.out.join(&grant_name), &envelope)?;
    // Recorded before the files are readable: what was handed out cannot be hidden.
    let known = |entry: &crate::evidence::ledger::Entry| {
        entry.event == Event::OpeningGranted && entry.digests == digests
    };
    if !ledger.entries().iter().any(known) {
        study.record(Event::OpeningGranted, outside, digests.clone(), None)?;
    }
    for (path, plain) in files {
        storage::write_atomic(&path, &plain)?;
    }
    Ok(opened)
}

/// Whether the reads are with a custodian still: `validate` says so before it looks for them.
///
/// # Errors
/// `grant-missing` (`Error::Lock`).
pub fn reads_are_here(study: &Study) -> Result<()> {
    let Some(set) = sealed_set(study)? else { return Ok(()) };
    if granted(&study.ledger()?) > 0 {
        return Ok(());
    }
    let count = set.files.len();
    let message = format!("{count} readers' files are sealed with a custodian, and no opening was granted");
    Err(lock(Code::GrantMissing, message, &study.folder, ASK))
}

const ASK: &str = "`sequester custodian request STUDY` asks for one, the custodian answers with `custodian \
                   grant`, and `custodian open` takes the answer";

fn granted(ledger: &Ledger) -> usize {
    ledger.count(Event::OpeningGranted)
}

/// Whether the custodian granted the opening that would be next, of these inputs.
///
/// # Errors
/// `grant-missing`, `grant-differs` (`Error::Lock`).
pub fn permits(study: &Study, inputs: &Digests) -> Result<()> {
    if sealed_set(study)?.is_none() {
        return Ok(());
    }
    let ledger = study.ledger()?;
    let number = ledger.count(Event::TestSetOpened) as u64 + 1;
    let (name, _) = request::names(number);
    let entry = ledger
        .entries()
        .iter()
        .find(|entry| entry.event == Event::OpeningGranted && entry.digests.contains_key(&name));
    let Some(entry) = entry else {
        let message = format!("opening {number} of the test set was not granted by the custodian");
        return Err(lock(Code::GrantMissing, message, &study.folder, ASK));
    };
    let path = study.out.join(&name);
    let bytes = storage::read(&path)?;
    let refused = |problem: Diagnostic| Error::Lock(vec![problem.at(Location::file(&path))]);
    let asked = OpeningRequest::parse(&bytes).map_err(refused)?;
    if entry.digests.get(&name) != Some(&Digest::of(&bytes)) {
        return Err(refused(Diagnostic::error(Code::GrantDiffers, "is not the request that was granted")));
    }
    match differing(inputs, &asked.digests) {
        None => Ok(()),
        Some(name) => {
            let message = format!("the grant is of another {name} than the one that lies here");
            Err(refused(Diagnostic::error(Code::GrantDiffers, message).hint(PUT_BACK)))
        }
    }
}

const PUT_BACK: &str = "put back what was there when the opening was asked for: that was granted";

/// The first name that two lists of digests do not hold alike.
fn differing<'a>(one: &'a Digests, other: &'a Digests) -> Option<&'a String> {
    one.keys().chain(other.keys()).find(|name| one.get(*name) != other.get(*name))
}
