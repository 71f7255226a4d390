//! Was the bar set before the result that is recorded here? Told from tokens and grants alone: the times in a
//! ledger are those of a clock that whoever acts may set.
//!
//! What shows it: a token proves that the bytes of a commitment existed when it was given. No token proves
//! that a result did *not* exist yet. But an authority's signature cannot be known before it is made: where
//! the token's digest stands in the ledger before the opening, the chain makes every later line rest on it,
//! so that the opening was recorded after the commitment existed. A custodian's first grant that names the
//! commitment shows more: the reads were not to be had before. The signature of a witness, somebody whom the
//! auditor's `trust.toml` gives this role, is as a token without a time. `docs/custodian.md` has the whole
//! argument.

use std::path::Path;

use super::answer::{Answer, State};
use super::committed::Committed;
use super::ledger::Recomputed;
use crate::attestation::Trust;
use crate::custody::commitment::Commitment;
use crate::custody::signed::WITNESS;
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::digest::Digest;
use crate::evidence::bag::{Opened, TAG_MANIFEST};
use crate::evidence::bar;
use crate::evidence::bundle;
use crate::evidence::ledger::{Entry, Event, Ledger};
use crate::timestamp::{self, Authorities, Stamp};

const WORDS: &str = "Was the bar set before the result that is recorded here?";
const NAME: &str = "bar";
const ELSEWHERE: &str = "that nobody looked before, elsewhere, is for a custodian to show";

/// What an auditor brings to the question.
pub(super) struct Witnesses<'a> {
    /// Certificates of time-stamp authorities; `None`: none were given.
    pub(super) authorities: Option<&'a Authorities>,
    /// Of the tag manifest, where one lies beside it: a bound of when the result existed.
    pub(super) of_root: Option<(&'a [u8], &'a [u8])>,
    /// The commitment that the custodian's first grant names, where grants and custodian hold.
    pub(super) granted: Option<Digest>,
    /// Whose signatures count.
    pub(super) trust: Option<&'a Trust>,
    /// Signatures of commitments that the bundle holds.
    pub(super) committed: &'a [Committed],
}

/// A token of the commitment that holds.
struct Token {
    /// It stands in the ledger before the first opening.
    rests: bool,
    stamp: Stamp,
}

/// The answer; `None` where nothing was committed to and nobody asks.
pub(super) fn bar(opened: &Opened, recomputed: &Recomputed<'_>, witnesses: &Witnesses<'_>) -> Option<Answer> {
    let open = |why: &str| Some(Answer::open(NAME, WORDS, State::NotShown, why));
    let bytes = bundle::file(&opened.payload, bundle::LEDGER).ok()?;
    let ledger = Ledger::parse(Path::new(bundle::LEDGER), bytes).ok()?;
    let entries = ledger.entries();
    let made: Vec<(usize, &str)> = positions(entries, Event::CommitmentMade).collect();
    if made.is_empty() {
        return witnesses.authorities.and_then(|_| open("nothing was committed to (`sequester commit`)"));
    }
    let first = entries.iter().position(|entry| entry.event == Event::TestSetOpened).unwrap_or(entries.len());
    let Some((_, name)) = made.iter().rev().find(|(position, _)| *position < first) else {
        let line = made[0].0 + 1;
        let message = format!("line {line} of the ledger commits to a bar after the test set was opened");
        let at = Location::line("data/ledger.jsonl", line as u64);
        let late = Diagnostic::error(Code::CommitmentLate, message).at(at);
        return Some(Answer::of(NAME, WORDS, "the order of the ledger's events".to_owned(), vec![late]));
    };
    let at = || Location::file(format!("data/{name}"));
    let (Some(inputs), Some(cohort), Ok(protocol)) =
        (recomputed.inputs, recomputed.cohort, bundle::file(&opened.payload, bundle::PROTOCOL))
    else {
        return open("the inputs cannot be understood");
    };
    let committed = match bundle::file(&opened.payload, name) {
        Ok(bytes) => bytes,
        Err(error) => return Some(Answer::of(NAME, WORDS, (*name).to_owned(), error.diagnostics())),
    };
    let mut problems = Vec::new();
    match Commitment::parse(committed) {
        Ok(commitment) => {
            let found = bar::stated(inputs, cohort, protocol);
            let differing = commitment.differences(&found).into_iter();
            problems.extend(differing.map(|what| Diagnostic::error(Code::CommitmentDiffers, what).at(at())));
        }
        Err(problem) => problems.push(problem.at(at())),
    }
    let (tokens, unjudged) = tokens(opened, entries, (name, committed, first), witnesses, &mut problems);
    let bound = bound(witnesses, &mut problems);
    if !problems.is_empty() {
        return Some(Answer::of(NAME, WORDS, (*name).to_owned(), problems));
    }
    let earliest = tokens.iter().min_by_key(|token| token.stamp.latest());
    let resting = tokens.iter().filter(|token| token.rests).min_by_key(|token| token.stamp.latest());
    let yes = |words: String| Some(Answer::of(NAME, WORDS, words, Vec::new()));
    if witnesses.granted == Some(Digest::of(committed)) {
        return yes(format!(
            "the custodian's first grant names {name}: the reads were not to be had before it"
        ));
    }
    if let Some(Token { stamp, .. }) = resting {
        return yes(format!(
            "{name} existed by {} (token of {}, trusted by {}), and the opening's line rests on the token; \
             {ELSEWHERE}",
            stamp.at(),
            stamp.authority,
            stamp.trusted
        ));
    }
    let signers = signers(witnesses, name);
    if let Some(witness) = &signers.witness {
        return yes(format!(
            "{witness} signed {name} as `{WITNESS}`, and the opening's line rests on the signature; \
             {ELSEWHERE}"
        ));
    }
    match (earliest, bound) {
        (Some(token), Some(bound)) if token.stamp.earliest() > bound.latest() => {
            let message = format!(
                "the earliest token of it is of {}, and the result existed by {}",
                token.stamp.at(),
                bound.at()
            );
            let late = Diagnostic::error(Code::CommitmentLate, message).at(at());
            Some(Answer::of(NAME, WORDS, (*name).to_owned(), vec![late]))
        }
        (Some(token), _) => open(&format!(
            "{name} existed by {}, and nothing shows that the opening came later: the token came in after it",
            token.stamp.at()
        )),
        (None, _) if unjudged > 0 => open(&format!(
            "{name} has {unjudged} time-stamp tokens, and no certificate of an authority was given (--tsa)"
        )),
        _ if !signers.others.is_empty() => open(&format!(
            "{name} is signed by {}, and by nobody whom a trust file calls a `{WITNESS}`: whoever runs the \
             study can sign at any time; no time-stamp token, no custodian",
            signers.others.join(", ")
        )),
        _ => open(&format!(
            "{name} stands in the ledger before the opening, and nothing but the ledger of whoever made both \
             says so: no time-stamp token, no custodian"
        )),
    }
}

fn positions(entries: &[Entry], event: Event) -> impl Iterator<Item = (usize, &str)> {
    let of = entries.iter().enumerate().filter(move |(_, entry)| entry.event == event);
    of.flat_map(|(position, entry)| entry.digests.keys().map(move |name| (position, name.as_str())))
}

/// Tokens of the commitment that hold, and how many were not judged; one that does not hold is a problem.
fn tokens(
    opened: &Opened,
    entries: &[Entry],
    (name, committed, first): (&str, &[u8], usize),
    witnesses: &Witnesses<'_>,
    problems: &mut Vec<Diagnostic>,
) -> (Vec<Token>, usize) {
    let (mut tokens, mut unjudged) = (Vec::new(), 0);
    let stem = name.trim_end_matches(".json");
    let ours = positions(entries, Event::CommitmentStamped)
        .filter(|(_, token)| token.strip_prefix(stem).is_some_and(|rest| rest.starts_with("-token-")));
    for (position, token) in ours {
        // That it is not there, or another, is told with the ledger.
        let Ok(bytes) = bundle::file(&opened.payload, token) else { continue };
        let found = match witnesses.authorities {
            Some(authorities) => timestamp::check(bytes, committed, authorities).map(Some),
            None => timestamp::is_of(bytes, committed).map(|()| None),
        };
        match found {
            Ok(Some(stamp)) => tokens.push(Token { rests: position < first, stamp }),
            Ok(None) => unjudged += 1,
            Err(why) => {
                let at = Location::file(format!("data/{token}"));
                problems.push(Diagnostic::error(why.code(), why.to_string()).at(at));
            }
        }
    }
    (tokens, unjudged)
}

/// Who signed a commitment.
struct Signers {
    /// A trusted witness on whose signature the opening rests.
    witness: Option<String>,
    /// Everybody else whose signature is whole, with the role.
    others: Vec<String>,
}

fn signers(witnesses: &Witnesses<'_>, name: &str) -> Signers {
    let (mut witness, mut others) = (None, Vec::new());
    for found in witnesses.committed.iter().filter(|found| found.commitment == name) {
        // What does not hold is told with the signatures.
        let Ok(signed) = &found.signed else { continue };
        let (signer, at) = (&signed.statement.signer, &signed.statement.at);
        let counts = witnesses.trust.is_some_and(|trust| trust.judge(signed, at).is_ok());
        if counts && found.rests && signer.role == WITNESS {
            witness = witness.or_else(|| Some(signer.name.clone()));
        } else {
            others.push(format!("{} as {}", signer.name, signer.role));
        }
    }
    Signers { witness, others }
}

/// Until when the result existed at the latest, where a token of the tag manifest shows it.
fn bound(witnesses: &Witnesses<'_>, problems: &mut Vec<Diagnostic>) -> Option<Stamp> {
    let ((token, manifest), authorities) = witnesses.of_root.zip(witnesses.authorities)?;
    match timestamp::check(token, manifest, authorities) {
        Ok(stamp) => Some(stamp),
        Err(why) => {
            let at = Location::file(format!("{TAG_MANIFEST}.tsr"));
            problems.push(Diagnostic::error(why.code(), why.to_string()).at(at));
            None
        }
    }
}
