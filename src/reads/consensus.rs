//! The reads of one case make an answer by the declared rule, or none; both are shown. Pure, and blind to who
//! read in which order.

use crate::protocol::{ConsensusRule, IndeterminateRule, ReferenceRule, TieRule, UninterpretableRule};
use crate::reads::files::Read;

/// How a case's reference standard came about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Basis {
    /// All votes given, and all equal.
    Unanimous,
    /// All votes given, and more for it than against it.
    Majority,
    /// Enough agreeing votes although a read is missing, set aside, or does not vote.
    Incomplete,
    /// As many votes for it as against it, decided as declared.
    Tie,
    /// An adjudicator or a panel decided.
    Adjudicated,
    /// It was made elsewhere.
    Given,
}

impl Basis {
    /// All, in the order of documents.
    pub const ALL: [Self; 6] =
        [Self::Unanimous, Self::Majority, Self::Incomplete, Self::Tie, Self::Adjudicated, Self::Given];

    /// The level in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unanimous => "unanimous",
            Self::Majority => "majority",
            Self::Incomplete => "incomplete",
            Self::Tie => "tie",
            Self::Adjudicated => "adjudicated",
            Self::Given => "given",
        }
    }
}

/// Why a case has no reference standard.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Undecided {
    /// Fewer reference readers read it than are needed.
    TooFewReads,
    /// Nobody's read votes.
    NoVote,
    /// As many votes for it as against it.
    Tie,
    /// Not enough votes agree.
    TooFewAgree,
    /// A reader could not read the images, and the protocol takes such a case out.
    Uninterpretable,
    /// The adjudicator, or the panel, did not read it yet.
    AwaitsAdjudication,
    /// The adjudicator, or the panel, could not decide.
    AdjudicatorUndecided,
    /// The table of a given reference standard has no label for it, or an indeterminate one.
    NotGiven,
}

impl Undecided {
    /// The name in tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::TooFewReads => "too-few-reads",
            Self::NoVote => "no-vote",
            Self::Tie => "tie",
            Self::TooFewAgree => "too-few-agree",
            Self::Uninterpretable => "uninterpretable",
            Self::AwaitsAdjudication => "awaits-adjudication",
            Self::AdjudicatorUndecided => "adjudicator-undecided",
            Self::NotGiven => "not-given",
        }
    }
}

/// What the reads of one case give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Consensus {
    /// Positive or negative.
    Reached {
        /// Whether the finding is present.
        positive: bool,
        /// How.
        basis: Basis,
    },
    /// The rule gives nothing.
    None(Undecided),
}

impl Consensus {
    /// Present, absent, or nothing.
    pub fn positive(self) -> Option<bool> {
        match self {
            Self::Reached { positive, .. } => Some(positive),
            Self::None(_) => None,
        }
    }
}

/// A declared rule with its numbers: what follows from the number of readers is filled in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Voting {
    /// Reads that a case is to have; `None`: any number.
    pub readers: Option<usize>,
    /// Agreeing votes that an answer needs.
    pub minimum_agreeing: usize,
    /// Reference readers who must have read a case, whatever they said.
    pub minimum_reads: usize,
    /// No vote may differ.
    pub all_equal: bool,
    /// As many votes for it as against it.
    pub tie: TieRule,
    /// An adjudicator decides where the votes do not.
    pub adjudicate: bool,
    /// No vote is counted: the adjudicator's read is the answer.
    pub panel: bool,
    /// How an indeterminate read votes.
    pub indeterminate: IndeterminateRule,
    /// What an uninterpretable one does.
    pub uninterpretable: UninterpretableRule,
}

impl Voting {
    /// The rule with its numbers; `reference_readers` is the number of declared readers who vote, where
    /// readers are declared.
    pub fn of(rule: &ReferenceRule, reference_readers: Option<u32>) -> Self {
        Self {
            readers: rule.reads_per_case(reference_readers).map(|n| n as usize),
            minimum_agreeing: rule.agreeing(reference_readers) as usize,
            minimum_reads: rule.least_reads(reference_readers) as usize,
            all_equal: rule.needs_all_equal(),
            tie: rule.tie,
            adjudicate: matches!(rule.rule, ConsensusRule::Adjudicated { .. }),
            panel: rule.rule == ConsensusRule::Panel,
            indeterminate: rule.indeterminate,
            uninterpretable: rule.uninterpretable,
        }
    }

    /// How a read votes; `None`: not.
    pub fn vote(&self, read: Read) -> Option<bool> {
        let indeterminate = match self.indeterminate {
            IndeterminateRule::Positive => Some(true),
            IndeterminateRule::Negative => Some(false),
            IndeterminateRule::NoVote => None,
        };
        match read {
            Read::Positive => Some(true),
            Read::Negative => Some(false),
            Read::Indeterminate => indeterminate,
            Read::Uninterpretable if self.uninterpretable == UninterpretableRule::AsIndeterminate => {
                indeterminate
            }
            Read::Uninterpretable => None,
        }
    }
}

/// The answer that follows from the reads of the reference readers on one case, one each, and from what an
/// adjudicator or a panel said of it.
pub fn consensus(reads: &[Read], adjudication: Option<Read>, voting: &Voting) -> Consensus {
    let adjudicated = || match adjudication {
        Some(Read::Positive) => Consensus::Reached { positive: true, basis: Basis::Adjudicated },
        Some(Read::Negative) => Consensus::Reached { positive: false, basis: Basis::Adjudicated },
        Some(Read::Indeterminate | Read::Uninterpretable) => Consensus::None(Undecided::AdjudicatorUndecided),
        None => Consensus::None(Undecided::AwaitsAdjudication),
    };
    let excludes = voting.uninterpretable == UninterpretableRule::ExcludeCase;
    if excludes && reads.contains(&Read::Uninterpretable) {
        return Consensus::None(Undecided::Uninterpretable);
    }
    if voting.panel {
        return adjudicated();
    }
    if reads.len() < voting.minimum_reads {
        return Consensus::None(Undecided::TooFewReads);
    }
    let undecided = |why| if voting.adjudicate { adjudicated() } else { Consensus::None(why) };
    let count = |answer| reads.iter().filter(|read| voting.vote(**read) == Some(answer)).count();
    let (positive, negative) = (count(true), count(false));
    if positive == negative {
        return match voting.tie {
            _ if positive == 0 => undecided(Undecided::NoVote),
            TieRule::None => undecided(Undecided::Tie),
            TieRule::Adjudicator => adjudicated(),
            TieRule::Positive => Consensus::Reached { positive: true, basis: Basis::Tie },
            TieRule::Negative => Consensus::Reached { positive: false, basis: Basis::Tie },
        };
    }
    let (votes, against) = (positive.max(negative), positive.min(negative));
    if votes < voting.minimum_agreeing || (voting.all_equal && against > 0) {
        return undecided(Undecided::TooFewAgree);
    }
    let complete = votes + against >= voting.readers.unwrap_or(reads.len().max(2));
    let basis = match (complete, against) {
        (false, _) => Basis::Incomplete,
        (true, 0) => Basis::Unanimous,
        (true, _) => Basis::Majority,
    };
    Consensus::Reached { positive: positive > negative, basis }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use Read::{Indeterminate as I, Negative as N, Positive as P, Uninterpretable as U};

    fn voting(readers: usize) -> Voting {
        Voting {
            readers: Some(readers),
            minimum_agreeing: readers / 2 + 1,
            minimum_reads: 0,
            all_equal: false,
            tie: TieRule::None,
            adjudicate: false,
            panel: false,
            indeterminate: IndeterminateRule::NoVote,
            uninterpretable: UninterpretableRule::NoVote,
        }
    }

    fn reached(positive: bool, basis: Basis) -> Consensus {
        Consensus::Reached { positive, basis }
    }

    #[test]
    fn a_majority_of_three_decides_and_two_agreeing_suffice() {
        let rule = voting(3);
        let table: [(&[Read], Consensus); 8] = [
            (&[P, P, P], reached(true, Basis::Unanimous)),
            (&[P, N, N], reached(false, Basis::Majority)),
            (&[P, P], reached(true, Basis::Incomplete)),
            (&[P, P, I], reached(true, Basis::Incomplete)),
            (&[P, N], Consensus::None(Undecided::Tie)),
            (&[P, N, I], Consensus::None(Undecided::Tie)),
            (&[N], Consensus::None(Undecided::TooFewAgree)),
            (&[], Consensus::None(Undecided::NoVote)),
        ];
        for (reads, expected) in table {
            assert_eq!(consensus(reads, Some(N), &rule), expected, "{reads:?}");
        }
    }

    #[test]
    fn declared_variants_change_what_counts() {
        let all = Voting { minimum_reads: 3, ..voting(3) };
        assert_eq!(consensus(&[P, P], None, &all), Consensus::None(Undecided::TooFewReads));
        assert_eq!(consensus(&[P, P, I], None, &all), reached(true, Basis::Incomplete));
        let positive = Voting { indeterminate: IndeterminateRule::Positive, ..voting(3) };
        assert_eq!(consensus(&[P, N, I], None, &positive), reached(true, Basis::Majority));
        assert_eq!(consensus(&[P, N, U], None, &positive), Consensus::None(Undecided::Tie));
        let as_indeterminate = Voting { uninterpretable: UninterpretableRule::AsIndeterminate, ..positive };
        assert_eq!(consensus(&[P, N, U], None, &as_indeterminate), reached(true, Basis::Majority));
        let out = Voting { uninterpretable: UninterpretableRule::ExcludeCase, ..voting(3) };
        assert_eq!(consensus(&[P, P, U], Some(P), &out), Consensus::None(Undecided::Uninterpretable));
        let unanimous = Voting { minimum_agreeing: 3, all_equal: true, ..voting(3) };
        assert_eq!(consensus(&[P, P, N], None, &unanimous), Consensus::None(Undecided::TooFewAgree));
        assert_eq!(consensus(&[P, P], None, &unanimous), Consensus::None(Undecided::TooFewAgree));
        assert_eq!(consensus(&[N, N, N], None, &unanimous), reached(false, Basis::Unanimous));
        let four = voting(4);
        assert_eq!(consensus(&[P, P, N, N], None, &four), Consensus::None(Undecided::Tie));
        assert_eq!(consensus(&[P, P, N], None, &four), Consensus::None(Undecided::TooFewAgree));
        let tie = Voting { tie: TieRule::Negative, ..four };
        assert_eq!(consensus(&[P, P, N, N], None, &tie), reached(false, Basis::Tie));
        assert_eq!(consensus(&[I, I, I, I], None, &tie), Consensus::None(Undecided::NoVote));
    }

    #[test]
    fn an_adjudicator_decides_where_the_readers_do_not_and_nowhere_else() {
        let two = Voting { minimum_agreeing: 2, all_equal: true, adjudicate: true, ..voting(2) };
        assert_eq!(consensus(&[P, P], Some(N), &two), reached(true, Basis::Unanimous));
        assert_eq!(consensus(&[P, N], Some(N), &two), reached(false, Basis::Adjudicated));
        assert_eq!(consensus(&[P], Some(N), &two), reached(false, Basis::Adjudicated));
        assert_eq!(consensus(&[P, N], None, &two), Consensus::None(Undecided::AwaitsAdjudication));
        assert_eq!(consensus(&[P, N], Some(I), &two), Consensus::None(Undecided::AdjudicatorUndecided));
        let three = Voting { adjudicate: true, ..voting(3) };
        assert_eq!(consensus(&[P, N, N], Some(P), &three), reached(false, Basis::Majority));
        assert_eq!(consensus(&[P, N, I], Some(P), &three), reached(true, Basis::Adjudicated));
        let tie = Voting { tie: TieRule::Adjudicator, ..voting(3) };
        assert_eq!(consensus(&[P, N], Some(P), &tie), reached(true, Basis::Adjudicated));
        assert_eq!(consensus(&[P], Some(P), &tie), Consensus::None(Undecided::TooFewAgree));
        let panel = Voting { panel: true, ..voting(3) };
        assert_eq!(consensus(&[N, N, N], Some(P), &panel), reached(true, Basis::Adjudicated));
        assert_eq!(consensus(&[N, N, N], None, &panel), Consensus::None(Undecided::AwaitsAdjudication));
    }

    /// The rule of three readers as it was before there were others: majority (2) or unanimous (3).
    fn of_three(reads: [Option<Read>; 3], needed: usize, voting: &Voting) -> Option<(bool, Basis)> {
        let votes: Vec<bool> = reads.iter().flatten().filter_map(|read| voting.vote(*read)).collect();
        let positive = votes.iter().filter(|vote| **vote).count();
        let negative = votes.len() - positive;
        if positive == negative || positive.max(negative) < needed {
            return None;
        }
        let basis = match (votes.len(), positive.max(negative)) {
            (3, 3) => Basis::Unanimous,
            (3, _) => Basis::Majority,
            _ => Basis::Incomplete,
        };
        Some((positive > negative, basis))
    }

    #[test]
    fn three_readers_give_what_they_always_gave() {
        use IndeterminateRule::{Negative, NoVote, Positive};
        let answers = [None, Some(P), Some(N), Some(I)];
        for indeterminate in [NoVote, Positive, Negative] {
            for (needed, all_equal) in [(2, false), (3, true)] {
                let rule = Voting { indeterminate, minimum_agreeing: needed, all_equal, ..voting(3) };
                for a in answers {
                    for b in answers {
                        for c in answers {
                            let reads: Vec<Read> = [a, b, c].into_iter().flatten().collect();
                            let found = match consensus(&reads, None, &rule) {
                                Consensus::Reached { positive, basis } => Some((positive, basis)),
                                Consensus::None(_) => None,
                            };
                            assert_eq!(found, of_three([a, b, c], needed, &rule), "{reads:?} {rule:?}");
                        }
                    }
                }
            }
        }
    }

    fn reads() -> impl Strategy<Value = Vec<Read>> {
        prop::collection::vec(prop::sample::select(vec![P, N, I, U]), 0..9)
    }

    fn rules() -> impl Strategy<Value = Voting> {
        let ties = prop::sample::select(vec![
            TieRule::None,
            TieRule::Positive,
            TieRule::Negative,
            TieRule::Adjudicator,
        ]);
        let indeterminate = prop::sample::select(vec![
            IndeterminateRule::NoVote,
            IndeterminateRule::Positive,
            IndeterminateRule::Negative,
        ]);
        let uninterpretable = prop::sample::select(vec![
            UninterpretableRule::NoVote,
            UninterpretableRule::AsIndeterminate,
            UninterpretableRule::ExcludeCase,
        ]);
        let numbers = (prop::option::of(1..9_usize), 1..9_usize, 0..4_usize);
        let flags = (any::<bool>(), any::<bool>(), any::<bool>());
        (numbers, flags, ties, indeterminate, uninterpretable).prop_map(
            |((readers, minimum_agreeing, minimum_reads), (all_equal, adjudicate, panel), tie, i, u)| {
                Voting {
                    readers,
                    minimum_agreeing,
                    minimum_reads,
                    all_equal,
                    // No protocol declares both: what the readers leave open goes to the adjudicator.
                    tie: if adjudicate { TieRule::None } else { tie },
                    adjudicate,
                    panel,
                    indeterminate: i,
                    uninterpretable: u,
                }
            },
        )
    }

    fn adjudication() -> impl Strategy<Value = Option<Read>> {
        prop::option::of(prop::sample::select(vec![P, N, I, U]))
    }

    fn mirror(read: Read) -> Read {
        match read {
            P => N,
            N => P,
            other => other,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn the_order_of_readers_does_not_matter(
            (reads, shuffled) in reads().prop_flat_map(|r| (Just(r.clone()), Just(r).prop_shuffle())),
            adjudication in adjudication(),
            rule in rules(),
        ) {
            let turned = consensus(&shuffled, adjudication, &rule);
            prop_assert_eq!(consensus(&reads, adjudication, &rule), turned);
        }

        #[test]
        fn swapped_answers_give_the_swapped_answer(
            reads in reads(), adjudication in adjudication(), rule in rules(),
        ) {
            let swapped: Vec<Read> = reads.iter().copied().map(mirror).collect();
            let rule_swapped = Voting {
                tie: match rule.tie {
                    TieRule::Positive => TieRule::Negative,
                    TieRule::Negative => TieRule::Positive,
                    other => other,
                },
                indeterminate: match rule.indeterminate {
                    IndeterminateRule::Positive => IndeterminateRule::Negative,
                    IndeterminateRule::Negative => IndeterminateRule::Positive,
                    IndeterminateRule::NoVote => IndeterminateRule::NoVote,
                },
                ..rule
            };
            let expected = match consensus(&reads, adjudication, &rule) {
                Consensus::Reached { positive, basis } => reached(!positive, basis),
                none @ Consensus::None(_) => none,
            };
            prop_assert_eq!(consensus(&swapped, adjudication.map(mirror), &rule_swapped), expected);
        }

        #[test]
        fn a_vote_more_for_it_never_turns_positive_to_negative(
            reads in reads().prop_filter("a read", |r| !r.is_empty()),
            which in any::<prop::sample::Index>(),
            adjudication in adjudication(),
            rule in rules(),
        ) {
            let before = consensus(&reads, adjudication, &rule).positive();
            let mut after = reads.clone();
            after[which.index(reads.len())] = P;
            let by_votes = |c: Consensus| !matches!(c, Consensus::Reached { basis: Basis::Adjudicated, .. });
            let found = consensus(&after, adjudication, &rule);
            if before == Some(true) && by_votes(found) {
                prop_assert_ne!(found.positive(), Some(false));
            }
        }

        #[test]
        fn k_of_n_is_what_counting_by_hand_gives(
            reads in prop::collection::vec(any::<bool>(), 0..9),
            k in 1..9_usize,
        ) {
            let said: Vec<Read> = reads.iter().map(|positive| if *positive { P } else { N }).collect();
            let rule = Voting { minimum_agreeing: k, readers: Some(reads.len().max(1)), ..voting(1) };
            let yes = reads.iter().filter(|r| **r).count();
            let no = reads.len() - yes;
            let expected = if yes >= k && yes > no {
                Some(true)
            } else if no >= k && no > yes {
                Some(false)
            } else {
                None
            };
            prop_assert_eq!(consensus(&said, None, &rule).positive(), expected);
        }

        #[test]
        fn nothing_follows_from_silence(adjudication in adjudication(), rule in rules()) {
            let rule = Voting { panel: false, adjudicate: false, ..rule };
            prop_assert_eq!(consensus(&[], adjudication, &rule).positive(), None);
        }
    }

    #[test]
    fn levels_and_reasons_have_their_words() {
        let levels = Basis::ALL.map(Basis::name);
        assert_eq!(levels, ["unanimous", "majority", "incomplete", "tie", "adjudicated", "given"]);
        let reasons = [
            (Undecided::TooFewReads, "too-few-reads"),
            (Undecided::NoVote, "no-vote"),
            (Undecided::Tie, "tie"),
            (Undecided::TooFewAgree, "too-few-agree"),
            (Undecided::Uninterpretable, "uninterpretable"),
            (Undecided::AwaitsAdjudication, "awaits-adjudication"),
            (Undecided::AdjudicatorUndecided, "adjudicator-undecided"),
            (Undecided::NotGiven, "not-given"),
        ];
        assert!(reasons.iter().all(|(why, word)| why.name() == *word));
    }
}
