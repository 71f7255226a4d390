//! Was every opening granted by the custodian, and is none hidden?
//!
//! A sealed set is opened by the custodian's signature alone, and each grant holds the number that the
//! custodian counted. So an opening without a grant, one of other inputs than were granted, and a ledger
//! with fewer openings than the last grant's number contradict each other without any trust. Whether the
//! key is a custodian's is for whoever trusts somebody to say; openings after the last grant that is here,
//! for the custodian's own ledger.

use std::collections::BTreeMap;
use std::path::Path;

use super::answer::{Answer, State};
use crate::attestation::Trust;
use crate::custody::grant::{Granted, ROLE};
use crate::custody::register::Register;
use crate::custody::request::{self, OpeningRequest};
use crate::custody::sealed::{self, SealedSet};
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::digest::{Bytes, Digest};
use crate::evidence::bag::Opened;
use crate::evidence::bundle;
use crate::evidence::ledger::{Event, Ledger};
use crate::study::{self, Inputs};

const WORDS: &str = "Was every opening granted by the custodian, and is none hidden?";
const NAME: &str = "custody";

/// What an auditor brings to the question.
#[derive(Clone, Copy, Default)]
pub(super) struct Custodian<'a> {
    /// The custodian's own ledger, got from the custodian.
    pub(super) register: Option<(&'a Path, &'a [u8])>,
    /// Whose keys count.
    pub(super) trust: Option<&'a Trust>,
    /// The ledger of the study around the bundle, which goes on after it.
    pub(super) study: Option<&'a [u8]>,
}

/// The answer, and the commitment that the first grant names where everything holds and the custodian is
/// trusted. No answer where nothing was sealed and nobody asks.
pub(super) fn custody(
    opened: &Opened,
    inputs: Option<&Inputs>,
    custodian: Custodian<'_>,
) -> (Option<Answer>, Option<Digest>) {
    let bytes = bundle::file(&opened.payload, bundle::LEDGER).unwrap_or_default();
    let Ok(ledger) = Ledger::parse(Path::new(bundle::LEDGER), bytes) else { return (None, None) };
    let sealed = ledger.last(Event::ReadsSealed).is_some();
    if !sealed && custodian.register.is_none() {
        return (None, None);
    }
    let mut problems = Vec::new();
    let found = if sealed { grants(opened, bytes, &ledger, inputs, &mut problems) } else { Found::default() };
    let hidden = custodian
        .register
        .map(|(path, bytes)| hidden(opened, path, bytes, &found, custodian.study))
        .unwrap_or_default();
    let knows_another = !hidden.is_empty();
    problems.extend(hidden);
    let openings = ledger.count(Event::TestSetOpened);
    let compared = match custodian.register {
        Some(_) if knows_another => "the custodian's own ledger says otherwise",
        Some(_) => "the custodian's own ledger knows no other",
        None => "the custodian's own ledger was not given (--custodian): later openings are not shown",
    };
    let mut looked_at = format!("{openings} openings, {} grants; {compared}", found.grants.len());
    let mut trusted = true;
    for (name, granted) in &found.grants {
        let judged = custodian.trust.map(|trust| {
            let signer = &granted.signed.statement.signer;
            let may = trust.judge(&granted.signed, &granted.signed.statement.at);
            if signer.role == ROLE { may.map(drop) } else { Err(not_a_custodian(&signer.role)) }
        });
        match judged {
            None => trusted = false,
            Some(Ok(())) => {}
            Some(Err(problem)) => problems.push(problem.at(Location::file(format!("data/{name}")))),
        }
    }
    if !problems.is_empty() {
        return (Some(Answer::of(NAME, WORDS, looked_at, problems)), None);
    }
    if !sealed {
        let why = "nothing was sealed with a custodian, whose ledger knows none of these files";
        return (Some(Answer::open(NAME, WORDS, State::NotShown, why)), None);
    }
    if !trusted {
        looked_at += "; whose key signed them was not said (--trust)";
        return (Some(Answer::open(NAME, WORDS, State::NotShown, &looked_at)), None);
    }
    let first = found.grants.values().find(|granted| granted.grant.number == 1);
    let commitment = first.and_then(|granted| granted.grant.commitment);
    if let Some(granted) = first {
        looked_at += &format!("; by {}", granted.signed.statement.signer.name);
    }
    (Some(Answer::of(NAME, WORDS, looked_at, Vec::new())), commitment)
}

fn not_a_custodian(role: &str) -> Diagnostic {
    Diagnostic::error(Code::GrantDiffers, format!("signed as \"{role}\", not as \"{ROLE}\""))
}

/// A grant with its signature.
struct Signed {
    grant: Granted,
    signed: crate::attestation::Signed,
}

/// What a bundle holds of its custodian.
#[derive(Default)]
struct Found {
    sealed: Option<SealedSet>,
    /// By the name of the file.
    grants: BTreeMap<String, Signed>,
}

/// Every opening has its grant, of its inputs, at its place; every readers' file is a sealed one.
fn grants(
    opened: &Opened,
    bytes: &[u8],
    ledger: &Ledger,
    inputs: Option<&Inputs>,
    problems: &mut Vec<Diagnostic>,
) -> Found {
    let mut found = Found::default();
    let of = |name: &str| bundle::file(&opened.payload, name).ok();
    let at = |name: &str| Location::file(format!("data/{name}"));
    let line = |position: usize| Location::line("data/ledger.jsonl", position as u64 + 1);
    // What is not there is told with the ledger, and is a discrepancy here too: nothing is shown without it.
    let sealed = match of(sealed::FILE).map(SealedSet::parse) {
        Some(Ok(sealed)) => sealed,
        Some(Err(problem)) => {
            problems.push(problem.at(at(sealed::FILE)));
            return found;
        }
        None => {
            let message = "the list of sealed files is not in the bundle";
            problems.push(Diagnostic::error(Code::GrantMissing, message).at(at(sealed::FILE)));
            return found;
        }
    };
    problems.extend(rewritten(inputs, &sealed));
    let entries = ledger.entries();
    let opening = |entry: &&(usize, &crate::evidence::ledger::Entry)| entry.1.event == Event::TestSetOpened;
    let all: Vec<(usize, &crate::evidence::ledger::Entry)> = entries.iter().enumerate().collect();
    let openings: Vec<_> = all.iter().filter(opening).collect();
    for (number, (position, entry)) in (1_u64..).zip(&openings) {
        let (request_name, grant_name) = request::names(number);
        let granted = entries[..*position].iter().any(|before| {
            before.event == Event::OpeningGranted
                && before.digests.contains_key(&request_name)
                && before.digests.contains_key(&grant_name)
        });
        let (true, Some(asked), Some(envelope)) = (granted, of(&request_name), of(&grant_name)) else {
            let message = format!("opening {number} of the test set has no grant before it");
            problems.push(Diagnostic::error(Code::GrantMissing, message).at(line(*position)));
            continue;
        };
        let asked = match OpeningRequest::parse(asked) {
            Ok(asked) => asked,
            Err(problem) => {
                problems.push(problem.at(at(&request_name)));
                continue;
            }
        };
        let (grant, signed) = match Granted::open(envelope) {
            Ok(found) => found,
            Err(problem) => {
                problems.push(problem.at(at(&grant_name)));
                continue;
            }
        };
        if let Err(problem) = grant.fits(&signed, &asked, &sealed) {
            problems.push(problem.at(at(&grant_name)));
        }
        let differs = |what: String| Diagnostic::error(Code::GrantDiffers, what).at(line(*position));
        if grant.number != number {
            problems.push(differs(format!(
                "by the ledger this is opening {number}, the custodian had granted {}",
                grant.number
            )));
        }
        let names = asked.digests.keys().chain(entry.digests.keys());
        for name in names.collect::<std::collections::BTreeSet<_>>() {
            if asked.digests.get(name) != entry.digests.get(name) {
                problems.push(differs(format!("opening {number} is of another {name} than was granted")));
            }
        }
        let until = bytes.split_inclusive(|byte| *byte == b'\n').take(*position).map(<[u8]>::len).sum();
        if !asked.ledger.stands_in(&bytes[..until]) {
            let message = format!("opening {number} was granted to another ledger than this one");
            problems.push(differs(message));
        }
        let made = |before: &crate::evidence::ledger::Entry| before.event == Event::CommitmentMade;
        let committed = entries[..*position].iter().filter(|before| made(before));
        if let Some(commitment) = asked.commitment
            && !committed.flat_map(|before| before.digests.values()).any(|digest| *digest == commitment)
        {
            let message =
                format!("opening {number} was granted for a commitment that the ledger does not name");
            problems.push(differs(message));
        }
        let cohort = entries[..*position].iter().rev().find(|before| before.event == Event::TestSetSealed);
        if cohort.and_then(|entry| entry.digests.values().next()) != Some(&asked.cohort) {
            problems.push(differs(format!("opening {number} was granted for other drawn cases")));
        }
        found.grants.insert(grant_name, Signed { grant, signed });
    }
    // A grant that no opening has used yet is one that was handed out: its files can be read.
    let (count, used) = (ledger.count(Event::OpeningGranted), openings.len());
    if count > used {
        let message = format!("{count} grants stand in the ledger, and {used} openings");
        let at = Location::file("data/ledger.jsonl");
        problems.push(Diagnostic::error(Code::OpeningHidden, message).at(at));
    }
    found.sealed = Some(sealed);
    found
}

/// Readers' files that are not those that were sealed.
fn rewritten(inputs: Option<&Inputs>, sealed: &SealedSet) -> Vec<Diagnostic> {
    let Some(inputs) = inputs else { return Vec::new() };
    let mut problems = Vec::new();
    let mut here = BTreeMap::new();
    for (path, bytes) in &inputs.files {
        here.insert(format!("{}/{path}", bundle::INPUTS), (path, bytes.digest()));
    }
    for (name, (path, digest)) in &here {
        let at = Location::file(format!("data/{name}"));
        let problem = |message: &str| Diagnostic::error(Code::SealedReadsDiffer, message).at(at.clone());
        match sealed.file(name) {
            Some(file) if file.sha256 == *digest => {}
            Some(_) => problems.push(problem("is not the file that was sealed with the custodian")),
            None if study::is_reference_file(&inputs.protocol, path) => {
                problems.push(problem("is a readers' file that was not sealed with the custodian"));
            }
            None => {}
        }
    }
    for file in sealed.files.iter().filter(|file| !here.contains_key(&file.name)) {
        let at = Location::file(format!("data/{}", file.name));
        let message = "was sealed with the custodian, and is not there";
        problems.push(Diagnostic::error(Code::SealedReadsDiffer, message).at(at));
    }
    problems
}

/// Grants of the custodian's ledger of which the study's ledger knows nothing, and grants here that the
/// custodian does not know.
fn hidden(
    opened: &Opened,
    path: &Path,
    bytes: &[u8],
    found: &Found,
    study: Option<&[u8]>,
) -> Vec<Diagnostic> {
    let register = match Register::parse(bytes) {
        Ok(register) => register,
        Err(problem) => return vec![problem.at(Location::file(path))],
    };
    // Whatever a study calls itself, its files are the same.
    let here: Vec<Digest> = opened.payload.values().map(Bytes::digest).collect();
    let sealed = found.sealed.as_ref().map_or_else(|| Digest::of(b""), SealedSet::digest);
    let mut known: Vec<Digest> = found.grants.values().map(|granted| granted.grant.request).collect();
    // The study's own ledger goes on after the bundle.
    if let Some(ledger) = study.and_then(|bytes| Ledger::parse(Path::new(bundle::LEDGER), bytes).ok()) {
        let granted = ledger.entries().iter().filter(|entry| entry.event == Event::OpeningGranted);
        known.extend(granted.flat_map(|entry| entry.digests.values().copied()));
    }
    let mut problems = Vec::new();
    for line in register.of(&here, sealed).filter(|line| !known.contains(&line.request)) {
        let message = format!(
            "the custodian granted opening {} of these files at {} to the study {}, and the evidence knows \
             nothing of it",
            line.number, line.at, line.study
        );
        problems
            .push(Diagnostic::error(Code::OpeningHidden, message).at(Location::line(path, line.sequence)));
    }
    for (name, granted) in &found.grants {
        if !register.lines().iter().any(|line| line.request == granted.grant.request) {
            let message = "the custodian's ledger does not know this grant";
            let at = Location::file(format!("data/{name}"));
            problems.push(Diagnostic::error(Code::GrantDiffers, message).at(at));
        }
    }
    problems
}
