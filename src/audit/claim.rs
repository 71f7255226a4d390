//! What somebody signs of a bundle: its verdicts as its results say them, and its ledger as it stands.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::answer::{Answer, SIGNATURES, State};
use super::history::History;
use crate::attestation::verified::{Endpoint, Head, Of, Verified};
use crate::diagnostic::{Diagnostic, Result};
use crate::digest::Digest;
use crate::evidence::bag::Payload;
use crate::evidence::bundle;
use crate::evidence::ledger::{Event, Ledger};

/// Of `results.json` what is signed, its numbers as they stand there.
#[derive(Deserialize)]
struct Recorded<'a> {
    study: RecordedStudy,
    #[serde(borrow)]
    operating_point: RecordedPoint<'a>,
    #[serde(borrow)]
    endpoints: Vec<RecordedEndpoint<'a>>,
    #[serde(borrow, default)]
    comparisons: Vec<RecordedComparison<'a>>,
    conclusion: String,
}

#[derive(Deserialize)]
struct RecordedStudy {
    id: String,
}

#[derive(Deserialize)]
struct RecordedPoint<'a> {
    #[serde(borrow)]
    threshold: &'a RawValue,
}

#[derive(Deserialize)]
struct RecordedEndpoint<'a> {
    id: String,
    metric: String,
    role: String,
    criterion: Option<String>,
    #[serde(borrow)]
    value: Option<&'a RawValue>,
    #[serde(borrow)]
    bound: Option<&'a RawValue>,
    verdict: Option<String>,
}

#[derive(Deserialize)]
struct RecordedComparison<'a> {
    id: String,
    metric: String,
    role: String,
    aim: String,
    comparator: String,
    #[serde(borrow)]
    margin: &'a RawValue,
    #[serde(borrow)]
    difference: Option<&'a RawValue>,
    verdict: String,
}

/// The verdicts of a bundle; the ledger's head and the answers are put in by who knows them.
pub(super) fn verdicts(payload: &Payload) -> Result<Verified> {
    let results = bundle::text(payload, bundle::RESULTS)?;
    let recorded: Recorded<'_> =
        serde_json::from_str(results).map_err(|e| bundle::unreadable(bundle::RESULTS, &e.to_string()))?;
    let text = |raw: Option<&RawValue>| raw.map(|raw| raw.get().to_owned());
    let mut endpoints: Vec<Endpoint> = recorded
        .endpoints
        .iter()
        .map(|e| Endpoint {
            bound: text(e.bound),
            criterion: e.criterion.clone(),
            id: e.id.clone(),
            metric: e.metric.clone(),
            role: e.role.clone(),
            value: text(e.value),
            verdict: e.verdict.clone(),
        })
        .collect();
    endpoints.extend(recorded.comparisons.iter().map(|c| Endpoint {
        bound: None,
        criterion: Some(format!("{} to {}, margin {}", c.aim, c.comparator, c.margin.get())),
        id: c.id.clone(),
        metric: c.metric.clone(),
        role: c.role.clone(),
        value: text(c.difference),
        verdict: Some(c.verdict.clone()),
    }));
    let run = bundle::environment(payload).map(|environment| environment.run).unwrap_or_default();
    let nothing = Head { events: 0, head: Digest::of(b""), of: Of::Bundle, openings: 0 };
    Ok(Verified {
        answers: BTreeMap::new(),
        conclusion: recorded.conclusion,
        endpoints,
        ledger: nothing,
        run,
        study: recorded.study.id,
        threshold: recorded.operating_point.threshold.get().to_owned(),
    })
}

/// The head of the study's own ledger, or of the bundle's where it lies by itself.
fn head(payload: &Payload, history: Option<&History>) -> Result<Head> {
    let (bytes, of) = match history.and_then(|history| history.ledger.as_deref()) {
        Some(bytes) => (bytes, Of::Study),
        None => (bundle::file(payload, bundle::LEDGER)?, Of::Bundle),
    };
    let ledger =
        Ledger::parse(Path::new(bundle::LEDGER), bytes).map_err(crate::diagnostic::Error::Evidence)?;
    let head = ledger.head().and_then(|head| head.parse().ok());
    let head = head.ok_or_else(|| bundle::unreadable(bundle::LEDGER, "there is no event"))?;
    Ok(Head {
        events: ledger.entries().len() as u64,
        head,
        of,
        openings: ledger.count(Event::TestSetOpened) as u64,
    })
}

/// What `sign` says of a bundle that was audited.
///
/// # Errors
/// `bundle-unreadable` where results or ledger cannot be read.
pub fn claim(payload: &Payload, history: Option<&History>, answers: &[Answer]) -> Result<Verified> {
    let word = |answer: &Answer| match answer.answer {
        State::Yes => "yes",
        State::No => "no",
        State::NotShown => "not-shown",
        State::NotApplicable => "not-applicable",
    };
    let of_bundle = answers.iter().filter(|answer| answer.question != SIGNATURES);
    Ok(Verified {
        answers: of_bundle.map(|a| (a.question.to_owned(), word(a).to_owned())).collect(),
        ledger: head(payload, history)?,
        ..verdicts(payload)?
    })
}

/// What the ledger that lies here contradicts of a signed head.
///
/// # Errors
/// `ledger-behind-signature`.
pub(super) fn ledger_holds(
    head: &Head,
    payload: &Payload,
    history: Option<&History>,
) -> std::result::Result<(), Diagnostic> {
    let own = bundle::file(payload, bundle::LEDGER).unwrap_or_default();
    let bytes = match (head.of, history) {
        (Of::Bundle, _) => own,
        (Of::Study, Some(history)) => history.ledger.as_deref().unwrap_or_default(),
        (Of::Study, None) => {
            // The study's own goes on from the bundle's: without it only the beginning can be held against.
            let here = own.iter().filter(|byte| **byte == b'\n').count() as u64;
            if head.events > here {
                return Ok(());
            }
            own
        }
    };
    let place = if head.of == Of::Study && history.is_some() { "ledger.jsonl" } else { "data/ledger.jsonl" };
    let at = crate::diagnostic::Location::file(place);
    head.stands_in(bytes).map_err(|problem| problem.at(at.clone()))?;
    let opened = bytes.split(|byte| *byte == b'\n').take(head.events as usize).filter(|line| {
        let entry = serde_json::from_slice::<crate::evidence::ledger::Entry>(line);
        entry.is_ok_and(|entry| entry.event == Event::TestSetOpened)
    });
    let openings = opened.count() as u64;
    if openings != head.openings {
        let message = format!("{} openings were signed, the ledger had {openings} then", head.openings);
        return Err(Diagnostic::error(crate::diagnostic::Code::StatementDiffers, message).at(at));
    }
    Ok(())
}
