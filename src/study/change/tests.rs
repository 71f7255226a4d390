//! Kinds of change found by comparing generated pairs of locks.

use std::collections::BTreeSet;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

const LOCK: &str = include_str!("../../../fixtures/report/lock.json");

fn lock() -> Lock {
    Lock::from_bytes(LOCK.as_bytes(), Path::new("lock.json")).expect("a lock")
}

fn changed(lock: &Lock, change: impl FnOnce(&mut Value)) -> Lock {
    let mut value = serde_json::to_value(lock).expect("a value");
    change(&mut value);
    Lock::from_bytes(value.to_string().as_bytes(), Path::new("lock.json")).expect("a lock")
}

/// Of which kind a change is, and what it does to a lock.
type Way = (Option<ChangeKind>, fn(&mut Value, u64));

/// Ways in which a lock can be another.
fn ways() -> Vec<Way> {
    use ChangeKind::{Architecture, Gate, Preprocessing, Threshold, Weights};
    vec![
        (Some(Weights), |v, n| {
            v["weights"]["sha256"] = json!(Digest::of(&n.to_le_bytes()));
        }),
        (Some(Weights), |v, n| v["weights"]["bytes"] = json!(1 + n)),
        (Some(Weights), |v, n| v["training"]["best_epoch"] = json!(1000 + n % 1000)),
        (Some(Weights), |v, n| v["experiment"]["training"]["cases"] = json!(1_000_000 + n)),
        (Some(Weights), |v, n| {
            v["experiment"]["tuning"]["manifest_sha256"] = json!(Digest::of(&n.to_le_bytes()));
        }),
        (Some(Weights), |v, n| v["operating_point"]["provenance"]["cases"] = json!(1_000_000 + n)),
        (Some(Threshold), |v, n| v["operating_point"]["threshold"] = json!(1.0 / (7.0 + n as f64))),
        (Some(Preprocessing), |v, n| v["preprocessing"]["resolution"] = json!(1000 + n % 1000)),
        (Some(Preprocessing), |v, n| {
            v["experiment"]["experiment"]["preprocessing"]["mean"][1] = json!(2.0 + n as f64);
        }),
        (Some(Gate), |v, n| v["gate"]["view"] = json!(["LL", format!("V{n}")])),
        (Some(Gate), |v, n| v["gate"]["age_years"] = json!({"min": n % 17, "max": 120})),
        (Some(Architecture), |v, n| v["base_layers"] = json!(1000 + n % 1000)),
        (None, |v, n| v["code"]["version"] = json!(format!("9.{n}.0"))),
        (None, |v, n| v["environment"]["libtorch"] = json!(format!("{n}"))),
        (None, |v, n| v["experiment"]["experiment"]["title"] = json!(format!("title {n}"))),
        (None, |v, n| v["experiment"]["experiment_sha256"] = json!(Digest::of(&n.to_le_bytes()))),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// The kinds that were changed are found, and no other; every difference belongs to one place.
    #[test]
    fn the_kinds_that_were_changed_are_found(chosen in prop::collection::btree_set(0_usize..16, 0..6),
                                             number in 0_u64..1_000_000) {
        let before = lock();
        let all = ways();
        let now = changed(&before, |value| chosen.iter().for_each(|way| (all[*way].1)(value, number)));
        let expected: BTreeSet<ChangeKind> = chosen.iter().filter_map(|way| all[*way].0).collect();
        let (found, circumstances) = kinds(&before, &now);
        prop_assert_eq!(found.keys().copied().collect::<BTreeSet<_>>(), expected);
        let counted = found.values().map(Vec::len).sum::<usize>() + circumstances.len();
        prop_assert_eq!(counted, differences::of_locks(&before, &now).len());
        prop_assert_eq!(circumstances.is_empty(), !chosen.iter().any(|way| all[*way].0.is_none()));
        // The other way round it is the same change.
        let (back, _) = kinds(&now, &before);
        prop_assert_eq!(back.keys().copied().collect::<BTreeSet<_>>(),
                        found.keys().copied().collect::<BTreeSet<_>>());
    }
}

#[test]
fn another_network_is_a_change_of_architecture() {
    let before = lock();
    let other =
        if before.architecture.to_string() == "densenet121" { "efficientnet-lite0" } else { "densenet121" };
    let now = changed(&before, |value| {
        value["architecture"] = json!(other);
        value["experiment"]["experiment"]["architecture"] = json!(other);
    });
    let (found, circumstances) = kinds(&before, &now);
    assert_eq!(found.keys().copied().collect::<Vec<_>>(), [ChangeKind::Architecture]);
    assert_eq!(found[&ChangeKind::Architecture].len(), 2);
    assert_eq!(circumstances, []);
    assert!(kinds(&before, &before).0.is_empty());
}

#[test]
fn openings_are_counted_in_a_ledger() {
    let event = |name: &str| format!("{{\"event\":\"{name}\"}}\n");
    let opened = event("test-set-opened");
    let text = [&opened, &event("results-recorded"), "no json\n", &opened].concat();
    assert_eq!(openings(text.as_bytes()), 2);
    assert_eq!(openings(b""), 0);
}
