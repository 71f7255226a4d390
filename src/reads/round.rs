//! A reading round: which cases are read under which codes, who reads them, and in which order. Pure.
//!
//! Readers see codes, because ids can spell the label (`person12_bacteria`). A code follows from a secret of
//! the round, and nobody without the round's file finds the case behind it; the order follows from the codes
//! and the protocol's seed, so that it says nothing of the case table either.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::diagnostic::{Code, Diagnostic, Location};
use crate::digest::Digest;
use crate::protocol::ReadsSource;
use crate::random::Stream;

/// Version of the file.
pub const FORMAT: &str = "sequester-round/1";

/// Signs of codes, of which no two look alike, and of which none makes a word: no vowel, no 0, 1, 2, 5, 8.
const LETTERS: &[u8] = b"CDFGHJKMNPQRTVWX";
const SIGNS: &[u8] = b"34679CDFGHJKMNPQRTVWX";
/// Signs of a code.
const LENGTH: usize = 6;
/// Orders that are tried until the two showings of repeated cases stand far apart.
const ORDERS: u64 = 200;

/// What a round is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RoundKind {
    /// Readers read the drawn cases.
    Reading,
    /// Adjudicators decide where the readers did not.
    Adjudication,
}

impl RoundKind {
    /// In JSON and in words.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reading => "reading",
            Self::Adjudication => "adjudication",
        }
    }
}

/// Numbers that can be answered.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Numbers {
    /// The lowest.
    pub min: f64,
    /// The highest.
    pub max: f64,
}

/// So many whole numbers are offered one by one.
const MOST_LEVELS: f64 = 11.0;

impl Numbers {
    /// The levels of an ordinal scale, ascending: the whole numbers of a scale that has few of them. `None`:
    /// a number is typed, as on a scale from 0 to 1, whose numbers are probabilities.
    pub fn levels(self) -> Option<Vec<i32>> {
        let whole = |number: f64| number.fract() == 0.0 && number.abs() <= 1e6;
        let width = self.max - self.min;
        let few = whole(self.min) && whole(self.max) && width > 1.5 && width < MOST_LEVELS;
        few.then(|| (self.min as i32..=self.max as i32).collect())
    }
}

/// One case under one code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// What readers see.
    pub code: String,
    /// The case.
    pub case_id: String,
    /// Which showing of the case it is, from 1.
    pub showing: u32,
    /// Digest of the image file; none where the study's images are not at hand.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image_sha256: Option<Digest>,
}

/// A reader's part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// The reader.
    pub id: String,
    /// The codes in the order in which they are read.
    pub order: Vec<String>,
}

/// A round: the map from codes to cases, which stays in the study.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Round {
    /// [`FORMAT`].
    pub format: String,
    /// The study's id.
    pub study: String,
    /// The round's name.
    pub name: String,
    /// What it is for.
    pub kind: RoundKind,
    /// What is looked for.
    pub finding: String,
    /// The numbers that can be answered, where the protocol has a scale.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub numbers: Option<Numbers>,
    /// The protocol's seed, from which the orders follow.
    pub seed: u64,
    /// From which the codes follow: 64 hexadecimal digits.
    pub secret: Digest,
    /// By code.
    pub shown: Vec<Shown>,
    /// By id.
    pub readers: Vec<Part>,
}

/// What a round is made from.
#[derive(Clone, Debug)]
pub struct Asked<'a> {
    /// The study's id.
    pub study: &'a str,
    /// The round's name.
    pub name: &'a str,
    /// What it is for.
    pub kind: RoundKind,
    /// What is looked for.
    pub finding: &'a str,
    /// What the protocol's words and numbers mean.
    pub source: &'a ReadsSource,
    /// The protocol's seed.
    pub seed: u64,
    /// From which the codes follow.
    pub secret: Digest,
    /// The cases with the digests of their images.
    pub cases: &'a [(String, Option<Digest>)],
    /// The readers.
    pub readers: &'a BTreeSet<String>,
    /// So many cases are shown twice.
    pub repeated: usize,
    /// Ids, in small letters: no code holds one.
    pub never: &'a BTreeSet<String>,
}

impl Round {
    /// Makes a round. The same asked gives the same round, in whatever order the cases come.
    pub fn new(asked: &Asked<'_>) -> Self {
        let mut shown: BTreeMap<String, Shown> = BTreeMap::new();
        let mut add = |case: &(String, Option<Digest>), showing: u32| {
            let code = (0..u64::MAX)
                .map(|attempt| code(&asked.secret, &case.0, showing, attempt))
                .find(|code| !shown.contains_key(code) && !holds(code, asked.never))
                .unwrap_or_default();
            let (case_id, image_sha256) = case.clone();
            shown.insert(code.clone(), Shown { code: code.clone(), case_id, showing, image_sha256 });
            code
        };
        let mut cases: Vec<&(String, Option<Digest>)> = asked.cases.iter().collect();
        cases.sort();
        let mut first: Vec<(String, &(String, Option<Digest>))> =
            cases.into_iter().map(|case| (add(case, 1), case)).collect();
        // By code, so that which cases are shown twice says nothing of the case table.
        first.sort();
        Stream::new(asked.seed, stream(&["repeated", asked.name])).shuffle(&mut first);
        for (_, case) in first.iter().take(asked.repeated) {
            add(case, 2);
        }
        let shown: Vec<Shown> = shown.into_values().collect();
        let readers = asked
            .readers
            .iter()
            .map(|id| Part { id: id.clone(), order: order(&shown, asked.seed, &["order", asked.name, id]) });
        Self {
            format: FORMAT.to_owned(),
            study: asked.study.to_owned(),
            name: asked.name.to_owned(),
            kind: asked.kind,
            finding: asked.finding.to_owned(),
            numbers: asked.source.scale.map(|scale| Numbers { min: scale.min, max: scale.max }),
            seed: asked.seed,
            secret: asked.secret,
            readers: readers.collect(),
            shown,
        }
    }

    /// Reads a round's file. `path` is for messages.
    ///
    /// # Errors
    /// `round-unreadable` for what is none, or contradicts itself: a code or a showing twice, an order that
    /// does not hold every code once.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, Diagnostic> {
        let wrong = |message: String| {
            Diagnostic::error(Code::RoundUnreadable, message).at(Location::file(path)).hint(
                "put back the file that `sequester reads worklist` wrote: without it nobody knows which case \
                 a code is",
            )
        };
        let round: Self =
            serde_json::from_slice(bytes).map_err(|e| wrong(format!("this is no reading round: {e}")))?;
        if round.format != FORMAT {
            return Err(wrong(format!(
                "the format is \"{}\", this program reads \"{FORMAT}\"",
                round.format.escape_debug()
            )));
        }
        let codes: BTreeSet<&String> = round.shown.iter().map(|shown| &shown.code).collect();
        let showings: BTreeSet<_> = round.shown.iter().map(|shown| (&shown.case_id, shown.showing)).collect();
        if codes.len() != round.shown.len() || showings.len() != round.shown.len() {
            return Err(wrong("a code or a showing of a case stands twice".to_owned()));
        }
        let ids: BTreeSet<&String> = round.readers.iter().map(|part| &part.id).collect();
        if ids.len() != round.readers.len() {
            return Err(wrong("a reader stands twice".to_owned()));
        }
        for part in &round.readers {
            let ordered: BTreeSet<&String> = part.order.iter().collect();
            if ordered != codes || part.order.len() != codes.len() {
                return Err(wrong(format!("the order of `{}` does not hold every code once", part.id)));
            }
        }
        Ok(round)
    }

    /// The file's bytes.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = serde_json::to_vec_pretty(self).unwrap_or_default();
        bytes.push(b'\n');
        bytes
    }

    /// A reader's part.
    pub fn part(&self, reader: &str) -> Option<&Part> {
        self.readers.iter().find(|part| part.id == reader)
    }

    /// What stands behind a code.
    pub fn shown(&self, code: &str) -> Option<&Shown> {
        self.shown.binary_search_by(|shown| shown.code.as_str().cmp(code)).ok().map(|at| &self.shown[at])
    }

    /// The cases, each once.
    pub fn cases(&self) -> BTreeSet<&str> {
        self.shown.iter().map(|shown| shown.case_id.as_str()).collect()
    }

    /// Digest of a reader's worklist: everything that a form or a page shows, images by their digests. No id
    /// enters it beside the reader's; `None` for a reader who has no part.
    pub fn worklist(&self, reader: &str) -> Option<Digest> {
        let part = self.part(reader)?;
        let images: Vec<(&str, Option<String>)> = part
            .order
            .iter()
            .map(|code| {
                let image = self.shown(code).and_then(|shown| shown.image_sha256);
                (code.as_str(), image.map(|digest| digest.to_string()))
            })
            .collect();
        let numbers = self.numbers.map(|numbers| (numbers.min, numbers.max));
        let what = (self.kind.name(), &self.finding, numbers);
        let all = (FORMAT, &self.study, &self.name, what, reader, self.secret.to_string(), images);
        serde_json::to_vec(&all).ok().map(|bytes| Digest::of(&bytes))
    }
}

/// The code of a case's showing; another attempt gives another one.
pub(super) fn code(secret: &Digest, case_id: &str, showing: u32, attempt: u64) -> String {
    let digest = Digest::of(format!("{secret}\n{showing}\n{attempt}\n{case_id}").as_bytes());
    let sign = |(nth, byte): (usize, &u8)| {
        // A letter first: no program for tables takes it for a number.
        let signs = if nth == 0 { LETTERS } else { SIGNS };
        char::from(signs[usize::from(*byte) % signs.len()])
    };
    digest.as_bytes().iter().take(LENGTH).enumerate().map(sign).collect()
}

/// Whether a code holds one of some ids, in small letters; shorter ones than three signs no code can avoid.
pub(super) fn holds(code: &str, ids: &BTreeSet<String>) -> bool {
    let code = code.to_lowercase();
    (0..code.len()).any(|from| (from + 3..=code.len()).any(|to| ids.contains(&code[from..to])))
}

/// The number of a stream of the protocol's seed that nothing else draws from.
pub(super) fn stream(of: &[&str]) -> u64 {
    let digest = Digest::of(format!("sequester-round\n{}", of.join("\n")).as_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&digest.as_bytes()[..8]);
    u64::from_le_bytes(first)
}

/// A random order of the codes in which two showings of a case do not follow closely: the first of several
/// orders with a quarter of the list between them, or else the one with the most.
fn order(shown: &[Shown], seed: u64, of: &[&str]) -> Vec<String> {
    let mut generator = Stream::new(seed, stream(of));
    let twice = shown.iter().any(|one| one.showing > 1);
    let mut best: Option<(usize, Vec<usize>)> = None;
    for _ in 0..if twice { ORDERS } else { 1 } {
        let mut places: Vec<usize> = (0..shown.len()).collect();
        generator.shuffle(&mut places);
        let mut last: BTreeMap<&str, usize> = BTreeMap::new();
        let gaps = places
            .iter()
            .enumerate()
            .filter_map(|(at, place)| last.insert(&shown[*place].case_id, at).map(|before| at - before));
        let gap = gaps.min().unwrap_or(shown.len());
        if best.as_ref().is_none_or(|(widest, _)| gap > *widest) {
            best = Some((gap, places));
        }
        if gap >= shown.len() / 4 {
            break;
        }
    }
    best.into_iter().flat_map(|(_, places)| places).map(|place| shown[place].code.clone()).collect()
}

/// Whether a text can name a round: it names files, too.
pub fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    !text.is_empty() && text.len() <= 40 && text.chars().all(plain)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol;

    fn source() -> ReadsSource {
        let text = include_str!("../../protocols/pneumonia-exp2a.toml");
        protocol::parse(Path::new("p.toml"), text).expect("valid").reads
    }

    fn round(secret: &str, ids: &[String], repeated: usize) -> Round {
        let cases: Vec<(String, Option<Digest>)> =
            ids.iter().map(|id| (id.clone(), Some(Digest::of(id.as_bytes())))).collect();
        Round::new(&Asked {
            study: "s",
            name: "first",
            kind: RoundKind::Reading,
            finding: "pneumonia",
            source: &source(),
            seed: 7,
            secret: Digest::of(secret.as_bytes()),
            cases: &cases,
            readers: &["R1", "R2"].map(str::to_owned).into(),
            repeated,
            never: &BTreeSet::new(),
        })
    }

    fn ids(count: usize) -> Vec<String> {
        (0..count).map(|i| format!("person{i}_bacteria")).collect()
    }

    #[test]
    fn codes_and_orders_do_not_follow_from_ids_without_the_secret() {
        let (one, other) = (round("a", &ids(50), 0), round("b", &ids(50), 0));
        let codes = |round: &Round| -> BTreeSet<String> {
            round.shown.iter().map(|shown| shown.code.clone()).collect()
        };
        assert!(codes(&one).is_disjoint(&codes(&other)));
        let cases_in_order = |round: &Round| -> Vec<String> {
            let case = |code: &String| round.shown(code).expect("shown").case_id.clone();
            round.readers[0].order.iter().map(case).collect()
        };
        assert_ne!(cases_in_order(&one), cases_in_order(&other), "the seed alone does not give the order");
        assert_ne!(one.readers[0].order, one.readers[1].order, "each reader has an own order");
        assert_ne!(one.worklist("R1"), one.worklist("R2"));
        assert_eq!(one.worklist("R3"), None);
    }

    #[test]
    fn a_scale_of_a_few_whole_numbers_has_levels_and_another_one_is_typed() {
        let levels = |min, max| Numbers { min, max }.levels();
        assert_eq!(levels(1.0, 5.0), Some(vec![1, 2, 3, 4, 5]));
        assert_eq!(levels(-2.0, 2.0).map(|levels| levels.len()), Some(5));
        assert_eq!(levels(0.0, 10.0).map(|levels| levels.len()), Some(11));
        for (min, max) in [(0.0, 1.0), (0.0, 11.0), (0.0, 100.0), (0.5, 3.0), (0.0, 1.5), (1e9, 1e9 + 3.0)] {
            assert_eq!(levels(min, max), None, "{min} to {max}");
        }
    }

    #[test]
    fn repeated_cases_have_codes_of_their_own_and_stand_apart() {
        let round = round("a", &ids(40), 8);
        assert_eq!((round.shown.len(), round.cases().len()), (48, 40));
        for part in &round.readers {
            let mut last: BTreeMap<&str, usize> = BTreeMap::new();
            for (at, code) in part.order.iter().enumerate() {
                let case = &round.shown(code).expect("shown").case_id;
                if let Some(before) = last.insert(case, at) {
                    assert!(at - before >= 6, "{case} at {before} and {at}");
                }
            }
        }
    }

    #[test]
    fn a_round_round_trips_and_what_contradicts_itself_is_refused() {
        let good = round("a", &ids(5), 1);
        let parse = |round: &Round| Round::parse(Path::new("r.json"), &round.to_bytes());
        assert_eq!(parse(&good).expect("good"), good);
        let mut twice = good.clone();
        twice.shown[1].code = twice.shown[0].code.clone();
        let mut short = good.clone();
        short.readers[0].order.pop();
        let mut same = good.clone();
        same.readers[1] = same.readers[0].clone();
        let other = Round { format: "sequester-round/2".to_owned(), ..good.clone() };
        for bad in [twice, short, same, other] {
            assert_eq!(parse(&bad).expect_err("refused").code, Code::RoundUnreadable);
        }
        let bytes = good.to_bytes();
        for at in 0..bytes.len() - 2 {
            assert!(Round::parse(Path::new("r"), &bytes[..at]).is_err(), "cut at {at}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(32) })]

        #[test]
        fn the_order_of_the_case_table_does_not_matter(
            (ids, turned) in prop::collection::btree_set("[A-Za-z0-9_]{1,12}", 1..30)
                .prop_map(|ids| ids.into_iter().collect::<Vec<_>>())
                .prop_flat_map(|ids| (Just(ids.clone()), Just(ids).prop_shuffle())),
            repeated in 0..5_usize,
        ) {
            let (round, again) = (round("a", &ids, repeated), round("a", &turned, repeated));
            prop_assert_eq!(&round, &again);
            let held = round.shown[0].code[1..5].to_lowercase();
            prop_assert!(holds(&round.shown[0].code, &[held].into()));
            for shown in &round.shown {
                let plain = |c: char| SIGNS.contains(&(c as u8));
                prop_assert!(shown.code.len() == LENGTH && shown.code.chars().all(plain));
                prop_assert_eq!(round.shown(&shown.code), Some(shown));
            }
        }
    }
}
