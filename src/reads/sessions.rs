//! The sessions of a reader study: which case is read when, with or without the device, under which code.
//! Pure. Each reader has an own random order from the protocol's seed; which half of the readers begins with
//! the device, and which half of the cases, is turned round so that neither order nor cases favour a
//! modality.

use std::collections::{BTreeMap, BTreeSet};

use super::round::{code, holds, stream};
use crate::digest::Digest;
use crate::protocol::ReadingOrder;
use crate::random::Stream;

/// Codes of a case, one a session.
pub type Codes = BTreeMap<String, [String; 2]>;

/// A case to be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Placed {
    /// What the reader sees.
    pub code: String,
    /// With the device.
    pub aided: bool,
}

/// Codes for cases from a secret: another one in each session, so that no reader knows a case by its code.
/// `never` are ids in small letters that no code holds.
pub fn codes(secret: &Digest, cases: &BTreeSet<String>, never: &BTreeSet<String>) -> Codes {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    let mut one = |case: &str, session: u32| {
        let found = (0..u64::MAX)
            .map(|attempt| code(secret, case, session, attempt))
            .find(|code| !taken.contains(code) && !holds(code, never))
            .unwrap_or_default();
        taken.insert(found.clone());
        found
    };
    cases.iter().map(|case| (case.clone(), [1, 2].map(|session| one(case, session)))).collect()
}

/// The rows of each session of each reader, in the order in which they are read.
pub fn sessions(
    order: ReadingOrder,
    codes: &Codes,
    readers: &BTreeSet<String>,
    seed: u64,
) -> BTreeMap<String, Vec<Vec<Placed>>> {
    // By code, so that the draw says nothing of the case table.
    let mut all: Vec<&[String; 2]> = codes.values().collect();
    all.sort();
    let mut halves = all.clone();
    Stream::new(seed, stream(&["halves"])).shuffle(&mut halves);
    let first: BTreeSet<&String> = halves.iter().take(halves.len() / 2).map(|codes| &codes[0]).collect();
    // Which readers begin the other way round is drawn, too: half of them.
    let mut drawn: Vec<&String> = readers.iter().collect();
    Stream::new(seed, stream(&["readers"])).shuffle(&mut drawn);
    let turned: BTreeSet<&String> = drawn.into_iter().take(readers.len() / 2).collect();
    let of = |reader: &String| -> Vec<Vec<Placed>> {
        let turn = turned.contains(reader);
        let number = if order == ReadingOrder::Sequential { 1 } else { 2 };
        (0..number)
            .map(|session: usize| {
                let mut cases = all.clone();
                let name = if session == 0 { "first" } else { "second" };
                Stream::new(seed, stream(&["session", name, reader])).shuffle(&mut cases);
                let placed = |codes: &&[String; 2]| -> Vec<Placed> {
                    let aided = match order {
                        ReadingOrder::Sequential => {
                            return [false, true]
                                .map(|aided| Placed { code: codes[0].clone(), aided })
                                .into();
                        }
                        ReadingOrder::Independent => (session == 1) != turn,
                        ReadingOrder::Crossover => (first.contains(&codes[0]) != (session == 1)) != turn,
                    };
                    vec![Placed { code: codes[session].clone(), aided }]
                };
                cases.iter().flat_map(placed).collect()
            })
            .collect()
    };
    readers.iter().map(|reader| (reader.clone(), of(reader))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(order: ReadingOrder, cases: usize) -> (Codes, BTreeMap<String, Vec<Vec<Placed>>>) {
        let ids: BTreeSet<String> = (0..cases).map(|i| format!("case{i}")).collect();
        let codes = codes(&Digest::of(b"secret"), &ids, &BTreeSet::new());
        let readers: BTreeSet<String> = ["R1", "R2", "R3", "R4"].map(str::to_owned).into();
        let sessions = sessions(order, &codes, &readers, 7);
        (codes, sessions)
    }

    #[test]
    fn every_reader_reads_every_case_once_with_and_once_without() {
        for order in [ReadingOrder::Sequential, ReadingOrder::Independent, ReadingOrder::Crossover] {
            let (codes, all) = made(order, 21);
            for (reader, sessions) in &all {
                let mut seen: BTreeSet<(usize, bool)> = BTreeSet::new();
                let mut number = 0;
                for placed in sessions.iter().flatten() {
                    let case = codes.values().position(|of| of.contains(&placed.code)).expect("a code");
                    assert!(seen.insert((case, placed.aided)), "{reader} {placed:?}");
                    number += 1;
                }
                assert_eq!(number, 42, "{order:?}");
            }
        }
    }

    #[test]
    fn halves_are_counterbalanced_over_readers_and_sessions() {
        let (_, all) = made(ReadingOrder::Crossover, 20);
        let with = |rows: &[Placed]| rows.iter().filter(|placed| placed.aided).count();
        for sessions in all.values() {
            assert_eq!((with(&sessions[0]), with(&sessions[1])), (10, 10));
        }
        // A case is read with the device first by half of the readers.
        let first = |code: &str| {
            all.values().filter(|s| s[0].iter().any(|placed| placed.code == code && placed.aided)).count()
        };
        let (codes, _) = made(ReadingOrder::Crossover, 20);
        assert!(codes.values().all(|codes| first(&codes[0]) == 2));
        let (_, all) = made(ReadingOrder::Independent, 20);
        assert_eq!(all.values().filter(|sessions| with(&sessions[0]) == 20).count(), 2);
        assert!(all.values().all(|sessions| with(&sessions[0]) + with(&sessions[1]) == 20));
    }

    #[test]
    fn orders_are_each_readers_own_and_follow_from_the_seed() {
        let (codes, one) = made(ReadingOrder::Independent, 30);
        let (_, again) = made(ReadingOrder::Independent, 30);
        assert_eq!(one, again);
        let cases = |rows: &[Placed]| -> Vec<usize> {
            let case = |placed: &Placed| codes.values().position(|of| of.contains(&placed.code));
            rows.iter().filter_map(case).collect()
        };
        assert_ne!(cases(&one["R1"][0]), cases(&one["R2"][0]));
        assert_ne!(cases(&one["R1"][0]), cases(&one["R1"][1]), "the second session has an own order");
        let all: BTreeSet<&String> = codes.values().flatten().collect();
        assert_eq!(all.len(), 60, "no code tells that a case was read before");
    }
}
