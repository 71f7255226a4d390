//! The rule as a table, and that a forbidden kind is refused whatever else there is.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::evidence::ledger::Ledger;
use crate::protocol::change::{Predecessor, template};

const AT: &str = "2026-01-01T00:00:00Z";

fn plan() -> (ChangePlan, Digest) {
    let claim = Predecessor { bundle: "b".to_owned(), root: Digest::of(b"root"), lock: Digest::of(b"lock") };
    let text = template("x", &claim, &[]);
    (change::parse(Path::new("p"), &text).expect("valid"), Digest::of(text.as_bytes()))
}

/// A ledger in which the plan of a digest was locked and the test set was opened so often.
fn ledger(locked: Option<Digest>, openings: usize) -> Ledger {
    let mut ledger = Ledger::default();
    let mut add = |event, name: &str, digest| {
        ledger
            .append(event, AT, Digests::from([(name.to_owned(), digest)]), Some("a reason".to_owned()))
            .expect("order");
    };
    add(Event::ProtocolLocked, "protocol.toml", Digest::of(b"p"));
    if let Some(digest) = locked {
        add(Event::ChangePlanLocked, "inputs/change/plan.toml", digest);
    }
    for event in [Event::TestSetSealed, Event::ModelLocked, Event::ReferenceStandardLocked] {
        add(event, "x", Digest::of(b"x"));
    }
    for number in 0..openings {
        add(Event::TestSetOpened, "x", Digest::of(&number.to_le_bytes()));
        add(Event::ResultsRecorded, "x", Digest::of(&number.to_le_bytes()));
    }
    ledger
}

#[test]
fn every_branch_of_the_rule() {
    let (plan, digest) = plan();
    let other = Digest::of(b"other");
    let gate = [ChangeKind::Gate];
    let table = [
        (None, 0, &[][..], Some(Refusal::NotLocked)),
        (Some(other), 0, &[][..], Some(Refusal::PlanChanged(Some(other)))),
        (Some(digest), 0, &[][..], None),
        (Some(digest), 2, &[][..], None),
        (Some(digest), 3, &[][..], Some(Refusal::Openings(3))),
        (Some(digest), 4, &[][..], Some(Refusal::Openings(4))),
        (Some(digest), 0, &gate[..], Some(Refusal::Forbidden(gate.to_vec()))),
        (Some(digest), 3, &gate[..], Some(Refusal::Forbidden(gate.to_vec()))),
        (Some(other), 3, &gate[..], Some(Refusal::PlanChanged(Some(other)))),
    ];
    for (number, (locked, openings, forbidden, expected)) in table.into_iter().enumerate() {
        let ledger = ledger(locked, openings);
        assert_eq!(refusal(ledger.entries(), &plan, digest, forbidden), expected, "row {number}");
    }
}

#[test]
fn an_event_of_a_plan_names_what_it_is_about_and_nothing_else() {
    let (plan, lock, scores) = ("inputs/change/plan.toml", bundle::MODEL_LOCK, "inputs/scores.csv");
    let is_whole_of = |event, names: &[&str]| {
        let digests = names.iter().map(|name| ((*name).to_owned(), Digest::of(name.as_bytes()))).collect();
        let mut entry = ledger(Some(Digest::of(b"plan")), 0).entries()[0].clone();
        (entry.event, entry.digests) = (event, digests);
        is_whole(&entry, "scores.csv")
    };
    // Every choice of four names, of which one is foreign.
    for choice in 0_u8..16 {
        let of = [plan, lock, scores, "inputs/cases.csv"];
        let names: Vec<&str> = (0..4).filter(|bit| choice >> bit & 1 == 1).map(|bit| of[bit]).collect();
        assert_eq!(is_whole_of(Event::ChangePlanLocked, &names), names == [plan], "{names:?}");
        assert_eq!(is_whole_of(Event::ChangeAssessed, &names), names == [plan, lock, scores], "{names:?}");
    }
    assert!(!is_whole_of(Event::ChangeAssessed, &[plan, lock, "inputs/other.csv"]));
}

#[test]
fn a_plan_is_locked_once_and_before_an_opening() {
    let (_, digest) = plan();
    let digests = || Digests::from([("inputs/change/plan.toml".to_owned(), digest)]);
    let mut twice = ledger(Some(digest), 0);
    assert!(twice.append(Event::ChangePlanLocked, AT, digests(), None).is_err());
    let mut late = ledger(None, 1);
    assert!(late.append(Event::ChangePlanLocked, AT, digests(), None).is_err());
    let mut unlocked = ledger(None, 0);
    assert!(unlocked.append(Event::ChangeAssessed, AT, digests(), None).is_err());
    let mut first = Ledger::default();
    assert!(first.append(Event::ChangePlanLocked, AT, digests(), None).is_err());
}

proptest! {
    /// Whatever was opened and however the plan was locked: a forbidden kind is never studied.
    #[test]
    fn a_forbidden_kind_is_always_refused(openings in 0_usize..6, locked in 0_u8..3,
                                          kinds in prop::collection::btree_set(0_usize..5, 1..5)) {
        let (plan, digest) = plan();
        let kinds: Vec<ChangeKind> = kinds.into_iter().map(|at| ChangeKind::NAMES[at].1).collect();
        let forbidden: Vec<ChangeKind> = kinds.iter().copied().filter(|kind| !plan.allows(*kind)).collect();
        let locked = [None, Some(digest), Some(Digest::of(b"other"))][usize::from(locked)];
        let ledger = ledger(locked, openings);
        let found = refusal(ledger.entries(), &plan, digest, &forbidden);
        let may = forbidden.is_empty() && locked == Some(digest) && (openings as u64) < plan.openings;
        prop_assert_eq!(found.is_none(), may);
        if let Some(why) = found {
            use Code::{ChangeForbidden, ChangeOpenings, ChangePlanChanged, ChangePlanUnlocked};
            let codes = [ChangePlanUnlocked, ChangePlanChanged, ChangeForbidden, ChangeOpenings];
            prop_assert!(codes.contains(&why.problem(plan.openings).code));
        }
    }
}
