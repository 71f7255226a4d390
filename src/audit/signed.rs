//! Who signed this bundle, as what, meaning what, and when by their own clock?
//!
//! A signature counts where its bytes are whole, it is about this bundle and this ledger, and `trust.toml`
//! says whose key it is. Anything else that lies among the signatures is a discrepancy: a signature that
//! nobody can place is worse than none.

use serde::Serialize;

use super::answer::{Answer, SIGNATURES, State};
use super::claim;
use super::committed::Committed;
use super::history::History;
use super::signatures::{Found, Signatures};
use crate::attestation::verified::{Of, ROOT, Verified};
use crate::attestation::{Kind, Signed, Trust};
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::evidence::bag::Opened;

const WORDS: &str = "Who signed, as what, meaning what?";

/// A signature that holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Signature {
    /// The file among the signatures.
    pub file: String,
    /// What kind of statement.
    pub kind: &'static str,
    /// Printed name.
    pub name: String,
    /// In which role.
    pub role: String,
    /// What it means: `review`, `approval`, `authorship`.
    pub meaning: &'static str,
    /// When, by the signer's clock.
    pub at: String,
    /// The key's id.
    pub key: String,
    /// Whether `trust.toml` vouches for the key; false where nobody was asked.
    pub trusted: bool,
}

/// What is judged: the signatures beside the bundle, and those of commitments in it.
#[derive(Clone, Copy)]
pub(super) struct Lying<'a> {
    pub(super) signatures: &'a Signatures,
    pub(super) committed: &'a [Committed],
}

/// What was found.
pub(super) struct Judged {
    pub(super) answer: Answer,
    pub(super) signatures: Vec<Signature>,
    /// Required by `trust.toml` and not there.
    pub(super) missing: Vec<String>,
}

/// What signatures of the study's other runs contradict: the ledger that they were signed with is the one of
/// all runs. Signatures that count nowhere are left to the question about their own run.
pub(super) fn heads(
    opened: &Opened,
    history: Option<&History>,
    others: &[Signatures],
    trust: Option<&Trust>,
) -> Vec<Diagnostic> {
    let mut problems = Vec::new();
    for (signatures, Found { file, signed }) in others
        .iter()
        .flat_map(|signatures| signatures.found().into_iter().map(move |found| (signatures, found)))
    {
        let Some(signed) = signed.ok().filter(|signed| signed.statement.kind == Kind::Verified) else {
            continue;
        };
        let counts = trust.is_none_or(|trust| trust.judge(&signed, &signed.statement.at).is_ok());
        let Some(said) = Verified::of(&signed.statement.claim).ok().filter(|_| counts) else { continue };
        if said.ledger.of == Of::Study && history.is_some() {
            let behind = claim::ledger_holds(&said.ledger, &opened.payload, history).err();
            problems.extend(behind.map(|problem| problem.at(signatures.place(&file))));
        }
    }
    problems
}

/// The answer; without `trust` whose keys they are is not asked. What other runs' signatures contradict comes
/// in.
pub(super) fn judged(
    opened: &Opened,
    history: Option<&History>,
    lying: Lying<'_>,
    trust: Option<&Trust>,
    heads: Vec<Diagnostic>,
) -> Judged {
    let (mut problems, mut accepted, mut told) = (heads, Vec::<Signed>::new(), Vec::new());
    let Lying { signatures, committed } = lying;
    let beside = signatures.found().into_iter().map(|Found { file, signed }| {
        let (at, wrong) =
            (signatures.place(&file), signed.as_ref().map_or(vec![], |s| about(s, opened, history)));
        (file, at, signed, wrong)
    });
    // That they are of their commitments was asked where they were read.
    let inside = committed.iter().map(|found| {
        let at = Location::file(format!("data/{}", found.file));
        (found.file.clone(), at, found.signed.clone(), Vec::new())
    });
    for (file, at, signed, mut wrong) in beside.chain(inside) {
        let signed = match signed {
            Ok(signed) => signed,
            Err(problem) => {
                problems.push(problem);
                continue;
            }
        };
        if let Some(trust) = trust {
            wrong.extend(trust.judge(&signed, &signed.statement.at).err());
        }
        if !wrong.is_empty() {
            let placed = |problem: Diagnostic| match problem.location {
                Some(_) => problem,
                None => problem.at(at.clone()),
            };
            problems.extend(wrong.into_iter().map(placed));
            continue;
        }
        let statement = &signed.statement;
        told.push(Signature {
            file,
            kind: statement.kind.name(),
            name: statement.signer.name.clone(),
            role: statement.signer.role.clone(),
            meaning: statement.signer.meaning.name(),
            at: statement.at.clone(),
            key: signed.key.id().to_string(),
            trusted: trust.is_some(),
        });
        // One statement signed twice, in whatever way, is one.
        if !accepted.iter().any(|other| other.digest == signed.digest) {
            accepted.push(signed);
        }
    }
    let unmet = |demands: &[crate::attestation::trust::Demand]| -> Vec<String> {
        demands.iter().filter(|demand| !demand.is_met(&accepted)).map(|demand| demand.words()).collect()
    };
    let (missing, open) =
        trust.map_or((Vec::new(), Vec::new()), |t| (unmet(&t.required), unmet(&t.optional)));
    let answer = answer(problems, &told, trust.is_some(), &missing, &open);
    Judged { answer, signatures: told, missing }
}

fn answer(
    problems: Vec<Diagnostic>,
    told: &[Signature],
    asked: bool,
    missing: &[String],
    open: &[String],
) -> Answer {
    let who = |s: &Signature| {
        let of = if s.kind == Kind::Committed.name() { " of the commitment" } else { "" };
        format!("{} as {}, meaning {}{of}, {} by the signer's clock", s.name, s.role, s.meaning, s.at)
    };
    let mut words = if told.is_empty() {
        "unsigned".to_owned()
    } else {
        told.iter().map(who).collect::<Vec<_>>().join("; ")
    };
    if !told.is_empty() && !asked {
        words.push_str("; each by the key that it names itself: --trust says whose keys count");
    }
    if !missing.is_empty() {
        words.push_str(&format!("; required and not there: {}", missing.join(", ")));
    }
    if !open.is_empty() && !told.is_empty() {
        words.push_str(&format!("; unsigned: {}", open.join(", ")));
    }
    if !problems.is_empty() {
        return Answer::of(SIGNATURES, WORDS, words, problems);
    }
    if asked && missing.is_empty() && !told.is_empty() {
        return Answer::of(SIGNATURES, WORDS, words, Vec::new());
    }
    Answer::open(SIGNATURES, WORDS, State::NotShown, &words)
}

/// What a statement says that this bundle and this ledger contradict.
fn about(signed: &Signed, opened: &Opened, history: Option<&History>) -> Vec<Diagnostic> {
    match signed.statement.kind {
        Kind::Verified => verified(signed, opened, history),
        Kind::Granted => {
            let message =
                "is a custodian's grant: it belongs to an opening, in `custody/`, and says nothing here";
            let hint = "take it out of the signatures";
            vec![Diagnostic::error(Code::SignatureForeign, message).hint(hint)]
        }
        Kind::Committed => {
            let message = "is of a commitment, and says nothing of a bundle";
            let hint = "`sequester commit STUDY --signature FILE` takes it, before the test set is opened";
            vec![Diagnostic::error(Code::SignatureForeign, message).hint(hint)]
        }
    }
}

fn verified(signed: &Signed, opened: &Opened, history: Option<&History>) -> Vec<Diagnostic> {
    let said = match Verified::of(&signed.statement.claim) {
        Ok(said) => said,
        Err(problem) => return vec![problem],
    };
    let root = signed.statement.subject(ROOT);
    if root.is_none() || root != opened.root || signed.statement.subjects.len() != 1 {
        let named = root.map_or("none".to_owned(), |root| format!("{}...", root.short()));
        let here = opened.root.map_or("none".to_owned(), |root| format!("{}...", root.short()));
        let message = format!("is about the bundle {named}, this one is {here}");
        let hint = "it was signed for another bundle, or this one was changed since";
        return vec![Diagnostic::error(Code::SignatureForeign, message).hint(hint)];
    }
    let mut problems: Vec<Diagnostic> =
        claim::ledger_holds(&said.ledger, &opened.payload, history).err().into_iter().collect();
    match claim::verdicts(&opened.payload) {
        Ok(here) => {
            let same = Verified { answers: said.answers.clone(), ledger: said.ledger.clone(), ..here };
            if same != said {
                let message = "says other verdicts, thresholds or numbers than the results of the bundle";
                problems.push(Diagnostic::error(Code::StatementDiffers, message));
            }
        }
        Err(error) => problems.extend(error.diagnostics()),
    }
    problems
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::attestation::verified::{Endpoint, Head};
    use crate::attestation::{Algorithm, Meaning, PrivateKey, Signer, Statement, Subject, seal};
    use crate::digest::Digest;
    use crate::evidence::bag::Payload;
    use crate::evidence::bundle::{self, Environment};
    use crate::evidence::ledger::{Event, Ledger};

    const RESULTS: &str = r#"{"study": {"id": "s"}, "operating_point": {"threshold": 0.50},
        "endpoints": [{"id": "auc", "metric": "auc", "role": "primary", "criterion": "lower > 0.70",
                       "value": 0.9000, "bound": 8e-1, "verdict": "met"}],
        "comparisons": [{"id": "c", "metric": "auc", "role": "secondary", "aim": "non-inferior",
                         "comparator": "P", "margin": 0.050, "difference": null, "verdict": "not-evaluable"}],
        "conclusion": "met"}"#;

    fn study() -> (Opened, History, Ledger) {
        let mut ledger = Ledger::default();
        let mut add = |event, name: &str| {
            let digests = BTreeMap::from([("x".to_owned(), Digest::of(name.as_bytes()))]);
            ledger.append(event, "2026-01-01T00:00:00Z", digests, Some("why".to_owned())).expect("in order");
        };
        for event in [
            Event::ProtocolLocked,
            Event::TestSetSealed,
            Event::ModelLocked,
            Event::ReferenceStandardLocked,
            Event::TestSetOpened,
            Event::ResultsRecorded,
        ] {
            add(event, event.name());
        }
        let own = ledger.to_bytes();
        let mut add = |event, name: &str| {
            let digests = BTreeMap::from([("x".to_owned(), Digest::of(name.as_bytes()))]);
            ledger.append(event, "2026-01-01T00:00:00Z", digests, Some("why".to_owned())).expect("in order");
        };
        add(Event::EvidencePublished, "A");
        add(Event::TestSetOpened, "B");
        add(Event::ResultsRecorded, "C");
        let environment = Environment {
            format: bundle::FORMAT.to_owned(),
            run: "run-1".to_owned(),
            created: "2026-01-01T00:00:00Z".to_owned(),
            clock: None,
            program: "sequester 0.2.0".to_owned(),
            platform: "x".to_owned(),
            cargo_lock_sha256: "x".to_owned(),
        };
        let path = |name: &str| name.parse().expect("a path");
        let payload = Payload::from([
            (path(bundle::LEDGER), own.into()),
            (path(bundle::ENVIRONMENT), serde_json::to_vec(&environment).expect("JSON").into()),
            (path(bundle::RESULTS), RESULTS.into()),
        ]);
        let opened = Opened { payload, root: Some(Digest::of(b"root")), ..Opened::default() };
        let history =
            History { ledger: Some(ledger.to_bytes()), run: "run-1".to_owned(), ..History::default() };
        (opened, history, ledger)
    }

    fn signed(opened: &Opened, history: Option<&History>, change: &dyn Fn(&mut Verified)) -> Signed {
        let key = PrivateKey::generate(Algorithm::Ed25519, &mut |bytes: &mut [u8]| bytes.fill(7));
        let mut claim = claim(&opened.payload, history, &[]).expect("a claim");
        change(&mut claim);
        let statement = Statement {
            kind: Kind::Verified,
            subjects: vec![Subject { name: ROOT.to_owned(), digest: Digest::of(b"root") }],
            signer: Signer {
                key: key.public().to_base64(),
                meaning: Meaning::Approval,
                name: "A. Example".to_owned(),
                role: "statistician".to_owned(),
            },
            at: "2026-01-31T12:00:00Z".to_owned(),
            program: "sequester 0.2.0".to_owned(),
            claim: claim.to_claim(),
        };
        crate::attestation::open_envelope(&seal(&statement, &key).expect("seals")).expect("opens")
    }

    fn codes(problems: &[Diagnostic]) -> Vec<&'static str> {
        problems.iter().map(|problem| problem.code.as_str()).collect()
    }

    #[test]
    fn numbers_are_signed_as_the_results_write_them() {
        let (opened, history, _) = study();
        let said = claim(&opened.payload, Some(&history), &[]).expect("a claim");
        assert_eq!(said.threshold, "0.50");
        let endpoint =
            |e: &Endpoint| (e.criterion.clone(), e.value.clone(), e.bound.clone(), e.verdict.clone());
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            endpoint(&said.endpoints[0]),
            (text("lower > 0.70"), text("0.9000"), text("8e-1"), text("met"))
        );
        assert_eq!(
            endpoint(&said.endpoints[1]),
            (text("non-inferior to P, margin 0.050"), None, None, text("not-evaluable"))
        );
        assert_eq!((said.ledger.of, said.ledger.events, said.ledger.openings), (Of::Study, 9, 2));
        let alone = claim(&opened.payload, None, &[]).expect("a claim");
        assert_eq!((alone.ledger.of, alone.ledger.events, alone.ledger.openings), (Of::Bundle, 6, 1));
    }

    #[test]
    fn every_number_of_events_that_is_cut_off_behind_a_signed_head_is_found() {
        let (opened, history, ledger) = study();
        let whole = signed(&opened, Some(&history), &|_| {});
        assert!(about(&whole, &opened, Some(&history)).is_empty());
        let lines: Vec<&[u8]> =
            history.ledger.as_deref().expect("there").split_inclusive(|b| *b == b'\n').collect();
        for k in 1..=lines.len() {
            let cut = History { ledger: Some(lines[..lines.len() - k].concat()), ..history.clone() };
            assert_eq!(
                codes(&about(&whole, &opened, Some(&cut))),
                ["ledger-behind-signature"],
                "{k} cut off"
            );
        }
        let gone = History { ledger: None, ..history.clone() };
        assert_eq!(codes(&about(&whole, &opened, Some(&gone))), ["ledger-behind-signature"]);
        // What comes later stands beside what was signed.
        let mut later = ledger;
        later
            .append(Event::EvidencePublished, "2026-01-02T00:00:00Z", BTreeMap::new(), None)
            .expect("in order");
        let later = History { ledger: Some(later.to_bytes()), ..history.clone() };
        assert!(about(&whole, &opened, Some(&later)).is_empty());
        // Without its study the bundle's ledger is the beginning of what was signed.
        assert!(about(&whole, &opened, None).is_empty());
        let early = signed(&opened, None, &|said| said.ledger.of = Of::Study);
        assert!(about(&early, &opened, None).is_empty());
        let other = |said: &mut Verified| said.ledger = Head { of: Of::Study, ..said.ledger.clone() };
        let other = signed(&opened, None, &|said| {
            other(said);
            said.ledger.head = Digest::of(b"x");
        });
        assert_eq!(codes(&about(&other, &opened, None)), ["ledger-behind-signature"]);
    }

    #[test]
    fn a_statement_that_says_anything_else_than_the_bundle_is_found() {
        let (opened, history, _) = study();
        let found = |change: &dyn Fn(&mut Verified)| {
            codes(&about(&signed(&opened, Some(&history), change), &opened, Some(&history)))
        };
        assert_eq!(found(&|said| said.conclusion = "not-met".to_owned()), ["statement-differs"]);
        assert_eq!(found(&|said| said.threshold = "0.5".to_owned()), ["statement-differs"]);
        assert_eq!(found(&|said| said.run = "run-2".to_owned()), ["statement-differs"]);
        assert_eq!(found(&|said| said.study = "t".to_owned()), ["statement-differs"]);
        assert_eq!(found(&|said| said.endpoints.truncate(1)), ["statement-differs"]);
        assert_eq!(found(&|said| said.endpoints[0].bound = None), ["statement-differs"]);
        assert_eq!(found(&|said| said.ledger.openings = 1), ["statement-differs"]);
        let foreign = Opened { root: Some(Digest::of(b"other")), ..opened.clone() };
        let whole = signed(&opened, Some(&history), &|_| {});
        assert_eq!(codes(&about(&whole, &foreign, Some(&history))), ["signature-foreign"]);
    }
}
