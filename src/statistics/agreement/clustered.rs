//! The coefficients of cases that count several times: what a bootstrap of patients needs. Values are those
//! of the table in which each case stands as often as it counts; a test holds them to it.

use std::collections::BTreeMap;

use super::{Chance, CongerSums, Tally, places, reader_count};

/// A table prepared for many weightings of its cases. Cases with the same answers of every reader are one
/// pattern, and most sums need to know only how often each pattern counts. What is divided is divided once; a
/// case that does not count adds 0 and changes no sum.
pub(super) struct Weighted {
    /// Which pattern each case is.
    pattern_of: Vec<u32>,
    /// The patterns, as places of the answers.
    rows: Vec<Vec<Option<usize>>>,
    reads: Whole,
    /// 1 where two reads can agree, else 0.
    pairable: Whole,
    /// 1 where there is a read, else 0.
    read: Whole,
    /// Reads of each answer, where two reads can agree.
    of: Vec<Whole>,
    /// Agreeing pairs over all pairs.
    agreement: Addend,
    /// The same for Conger's kappa, divided after the weighting.
    alike: Addend,
    /// Ordered pairs that disagree over the reads but one.
    disagreeing: Addend,
    /// Of each answer the share of the case's reads.
    shares: Vec<Addend>,
    answers: usize,
    readers: usize,
}

/// What each pattern adds to a sum of whole numbers.
type Whole = Vec<u64>;

/// How often each case counts, and each pattern.
pub(super) struct Weighting<'a> {
    of_cases: &'a [u32],
    of_patterns: Vec<u64>,
}

impl Weighting<'_> {
    fn whole(&self, addends: &Whole) -> f64 {
        self.of_patterns.iter().zip(addends).map(|(weight, addend)| weight * addend).sum::<u64>() as f64
    }
}

/// What each pattern adds to a sum: weight · `by` / `over`.
struct Addend {
    by: Vec<f64>,
    over: Vec<f64>,
    /// Every addend is a multiple of 1/1024 and so every sum exact, in whatever order it is added up.
    is_exact: bool,
    is_divided: bool,
}

impl FromIterator<(f64, f64)> for Addend {
    fn from_iter<I: IntoIterator<Item = (f64, f64)>>(terms: I) -> Self {
        let (by, over): (Vec<f64>, Vec<f64>) = terms.into_iter().unzip();
        let is_exact = by.iter().zip(&over).all(|(by, over)| {
            let scaled = by / over * 1024.0;
            scaled.fract() == 0.0 && scaled / 1024.0 * over == *by
        });
        let is_divided = over.iter().any(|over| *over != 1.0);
        Self { by, over, is_exact, is_divided }
    }
}

/// Sums of which the processor adds up so many at a time: an addition waits for the one before it.
const AT_A_TIME: usize = 4;

impl Weighted {
    pub(super) fn new<A: Copy + Ord>(table: &[Vec<Option<A>>]) -> Self {
        let mut known: BTreeMap<&[Option<A>], u32> = BTreeMap::new();
        let mut patterns: Vec<Vec<Option<A>>> = Vec::new();
        let pattern_of = table
            .iter()
            .map(|row| {
                *known.entry(row).or_insert_with(|| {
                    patterns.push(row.clone());
                    patterns.len() as u32 - 1
                })
            })
            .collect();
        let (rows, answers) = places(&patterns);
        let tallies: Vec<Tally> = rows
            .iter()
            .map(|row| {
                let mut tally = Tally { reads: 0, of: vec![0; answers] };
                for answer in row.iter().flatten() {
                    tally.reads += 1;
                    tally.of[*answer] += 1;
                }
                tally
            })
            .collect();
        let whole = |of: &dyn Fn(&Tally) -> u64| -> Whole { tallies.iter().map(of).collect() };
        let is_pairable = |tally: &Tally| tally.reads >= 2;
        let paired = |tally: &Tally, number: u64| if is_pairable(tally) { number } else { 0 };
        // Of a case with fewer reads there is no pair: 0 over 1.
        let ratio = |tally: &Tally, by: u64, over: u64| {
            if is_pairable(tally) { (by as f64, over as f64) } else { (0.0, 1.0) }
        };
        let pairs = |tally: &Tally| tally.reads * tally.reads.saturating_sub(1);
        Self {
            reads: whole(&|t| paired(t, t.reads)),
            pairable: whole(&|t| paired(t, 1)),
            read: whole(&|t| t.reads.min(1)),
            of: (0..answers).map(|answer| whole(&|t| paired(t, t.of[answer]))).collect(),
            agreement: tallies.iter().map(|t| (t.agreement(), 1.0)).collect(),
            alike: tallies.iter().map(|t| ratio(t, t.agreeing(), pairs(t))).collect(),
            disagreeing: tallies
                .iter()
                .map(|t| ratio(t, pairs(t) - t.agreeing(), t.reads.saturating_sub(1)))
                .collect(),
            shares: (0..answers)
                .map(|answer| {
                    let share = |t: &Tally| if t.reads == 0 { 0.0 } else { t.share(answer) };
                    tallies.iter().map(|t| (share(t), 1.0)).collect()
                })
                .collect(),
            readers: reader_count(table),
            pattern_of,
            rows,
            answers,
        }
    }

    /// How often each pattern counts where each case counts as often as `weights` says.
    pub(super) fn weighting<'a>(&self, weights: &'a [u32]) -> Weighting<'a> {
        // Cases one after another are often of one pattern: each adds to a sum of its own.
        let mut lanes = vec![[0_u64; AT_A_TIME]; self.rows.len()];
        let (patterns, last) = self.pattern_of.as_chunks::<AT_A_TIME>();
        let (each, of_last) = weights.as_chunks::<AT_A_TIME>();
        for ([a, b, c, d], [v, w, x, y]) in patterns.iter().zip(each) {
            // Written out: as a loop over the four it takes three times as long.
            for (lane, pattern, weight) in [(0, a, v), (1, b, w), (2, c, x), (3, d, y)] {
                let sum: &mut u64 = &mut lanes[*pattern as usize][lane];
                *sum = sum.wrapping_add(u64::from(*weight));
            }
        }
        for (pattern, weight) in last.iter().zip(of_last) {
            lanes[*pattern as usize][0] += u64::from(*weight);
        }
        let of_patterns = lanes.into_iter().map(|lanes| lanes.iter().sum()).collect();
        Weighting { of_cases: weights, of_patterns }
    }

    /// The sums of some addends: as if the cases were added up one by one, in their order.
    fn sums(&self, weighting: &Weighting<'_>, addends: &[&Addend]) -> Vec<f64> {
        let mut sums = vec![0.0; addends.len()];
        let (mut products, mut quotients) = (Vec::new(), Vec::new());
        for (place, addend) in addends.iter().enumerate() {
            if addend.is_exact {
                let terms = weighting.of_patterns.iter().zip(&addend.by).zip(&addend.over);
                sums[place] = terms.map(|((weight, by), over)| *weight as f64 * by / over).sum();
            } else if addend.is_divided {
                quotients.push(place);
            } else {
                products.push(place);
            }
        }
        let weights = weighting.of_cases;
        for (places, divided) in [(products, false), (quotients, true)] {
            for places in places.chunks(AT_A_TIME) {
                let here: Vec<&Addend> = places.iter().map(|place| addends[*place]).collect();
                let found = match (here.len(), divided) {
                    (1, false) => self.one_by_one::<1, false>(weights, &here),
                    (1, true) => self.one_by_one::<1, true>(weights, &here),
                    (_, false) => self.one_by_one::<AT_A_TIME, false>(weights, &here),
                    (_, true) => self.one_by_one::<AT_A_TIME, true>(weights, &here),
                };
                for (place, sum) in places.iter().zip(found) {
                    sums[*place] = sum;
                }
            }
        }
        sums
    }

    /// Sums of up to `N` addends, case by case.
    fn one_by_one<const N: usize, const DIVIDED: bool>(
        &self,
        weights: &[u32],
        addends: &[&Addend],
    ) -> Vec<f64> {
        let at = |of: fn(&Addend) -> &[f64], pattern: usize| {
            std::array::from_fn::<f64, N, _>(|nth| addends.get(nth).map_or(1.0, |a| of(a)[pattern]))
        };
        let by: Vec<[f64; N]> = (0..self.rows.len()).map(|p| at(|a| &a.by, p)).collect();
        let cases = self.pattern_of.iter().zip(weights);
        let cases = cases.map(|(pattern, weight)| (*pattern as usize, f64::from(*weight)));
        let mut sums = [0.0; N];
        if DIVIDED {
            let over: Vec<[f64; N]> = (0..self.rows.len()).map(|p| at(|a| &a.over, p)).collect();
            for (pattern, weight) in cases {
                for ((sum, by), over) in sums.iter_mut().zip(&by[pattern]).zip(&over[pattern]) {
                    *sum += weight * by / over;
                }
            }
        } else {
            for (pattern, weight) in cases {
                for (sum, by) in sums.iter_mut().zip(&by[pattern]) {
                    *sum += weight * by;
                }
            }
        }
        sums.into()
    }

    /// Fleiss' kappa and Gwet's AC1, which rest on the same sums.
    pub(super) fn fleiss_and_ac1(&self, weighting: &Weighting<'_>, categories: usize) -> [Option<f64>; 2] {
        let (sums, _) = self.agreed(weighting, None);
        [sums.gwet(Chance::Fleiss), sums.gwet_ac1(categories)]
    }

    /// Fleiss' kappa, Conger's, Krippendorff's alpha and Gwet's AC1.
    pub(super) fn overall(&self, weighting: &Weighting<'_>, categories: usize) -> [Option<f64>; 4] {
        let (sums, disagreement) = self.agreed(weighting, Some(&self.disagreeing));
        [
            sums.gwet(Chance::Fleiss),
            self.conger(weighting),
            self.alpha(weighting, disagreement),
            sums.gwet_ac1(categories),
        ]
    }

    /// What Fleiss' kappa and AC1 rest on, and one sum more.
    fn agreed(&self, weighting: &Weighting<'_>, more: Option<&Addend>) -> (Sums, f64) {
        let addends: Vec<&Addend> =
            std::iter::once(&self.agreement).chain(&self.shares).chain(more).collect();
        let mut found = self.sums(weighting, &addends);
        let more = more.and_then(|_| found.pop()).unwrap_or_default();
        let agreement = found.remove(0);
        let (all, pairable) = (weighting.whole(&self.read), weighting.whole(&self.pairable));
        (Sums { all, pairable, agreement, shares: found }, more)
    }

    /// Krippendorff's alpha.
    #[cfg(test)]
    fn krippendorff(&self, weighting: &Weighting<'_>) -> Option<f64> {
        self.alpha(weighting, self.sums(weighting, &[&self.disagreeing])[0])
    }

    fn alpha(&self, weighting: &Weighting<'_>, disagreement: f64) -> Option<f64> {
        let reads = weighting.whole(&self.reads);
        let totals = self.of.iter().map(|of| weighting.whole(of));
        let expected = reads * reads - totals.map(|k| k * k).sum::<f64>();
        (expected > 0.5).then(|| 1.0 - disagreement * (reads - 1.0) / expected)
    }

    fn conger(&self, weighting: &Weighting<'_>) -> Option<f64> {
        let mut sums = CongerSums::new(self.readers, self.answers);
        sums.agreement = self.sums(weighting, &[&self.alike])[0];
        sums.pairable = weighting.whole(&self.pairable);
        for (row, weight) in self.rows.iter().zip(&weighting.of_patterns) {
            for (rates, read) in sums.rates.iter_mut().zip(row) {
                if let Some(read) = read {
                    rates[*read] += *weight as f64;
                }
            }
        }
        sums.kappa()
    }

    /// Patterns in which both readers gave an answer: which, and the two.
    fn both(&self, a: usize, b: usize) -> Vec<(usize, usize, usize)> {
        let of = |row: &[Option<usize>], reader: usize| row.get(reader).copied().flatten();
        let pair = |(nth, row): (usize, &Vec<Option<usize>>)| Some((nth, of(row, a)?, of(row, b)?));
        self.rows.iter().enumerate().filter_map(pair).collect()
    }

    /// Cohen's kappa of two readers, prepared for many weightings.
    pub(super) fn cohen(
        &self,
        a: usize,
        b: usize,
    ) -> impl Fn(&Weighting<'_>) -> Option<f64> + Sync + Send + use<> {
        let (pairs, answers) = (self.both(a, b), self.answers);
        move |weighting| {
            let (mut first, mut second) = (vec![0_u64; answers], vec![0_u64; answers]);
            let (mut n, mut agreed) = (0, 0);
            for (pattern, x, y) in &pairs {
                let weight = weighting.of_patterns[*pattern];
                first[*x] += weight;
                second[*y] += weight;
                n += weight;
                agreed += if x == y { weight } else { 0 };
            }
            let expected: u64 = first.iter().zip(&second).map(|(x, y)| x * y).sum();
            // With one and the same answer throughout chance agreement is complete.
            let (n, expected, agreed) = (n as f64, expected as f64, agreed as f64);
            (n * n > expected).then(|| (agreed * n - expected) / (n * n - expected))
        }
    }

    /// Gwet's AC1 of two readers on the cases that both decided, prepared for many weightings.
    pub(super) fn ac1_of_two(
        &self,
        a: usize,
        b: usize,
        categories: usize,
    ) -> impl Fn(&Weighting<'_>) -> Option<f64> + Sync + Send + use<> {
        let (pairs, answers) = (self.both(a, b), self.answers);
        move |weighting| {
            let (mut all, mut agreed) = (0, 0);
            let mut given = vec![0_u64; answers];
            for (pattern, x, y) in &pairs {
                let weight = weighting.of_patterns[*pattern];
                all += weight;
                agreed += if x == y { weight } else { 0 };
                given[*x] += weight;
                given[*y] += weight;
            }
            let shares = given.iter().map(|reads| *reads as f64 / 2.0).collect();
            let sums = Sums { all: all as f64, pairable: all as f64, agreement: agreed as f64, shares };
            sums.gwet_ac1(categories)
        }
    }

    /// Share of agreeing reads of two readers on the cases that both decided, prepared for many weightings.
    pub(super) fn share(
        &self,
        a: usize,
        b: usize,
    ) -> impl Fn(&Weighting<'_>) -> Option<f64> + Sync + Send + use<> {
        let pairs = self.both(a, b);
        move |weighting| {
            let (mut all, mut agreed) = (0, 0);
            for (pattern, x, y) in &pairs {
                let weight = weighting.of_patterns[*pattern];
                all += weight;
                agreed += if x == y { weight } else { 0 };
            }
            (all > 0).then(|| agreed as f64 / all as f64)
        }
    }
}

/// What Fleiss' kappa and AC1 rest on.
struct Sums {
    all: f64,
    pairable: f64,
    agreement: f64,
    /// Of each answer.
    shares: Vec<f64>,
}

impl Sums {
    fn gwet_ac1(&self, categories: usize) -> Option<f64> {
        (categories >= 2).then(|| self.gwet(Chance::Ac1 { categories: categories as f64 })).flatten()
    }

    fn gwet(&self, chance: Chance) -> Option<f64> {
        if self.pairable < 0.5 {
            return None;
        }
        let shares = self.shares.iter().map(|share| share / self.all);
        let expected: f64 = match chance {
            Chance::Ac1 { categories } => shares.map(|p| p * (1.0 - p)).sum::<f64>() / (categories - 1.0),
            Chance::Fleiss => shares.map(|p| p * p).sum(),
        };
        let room = 1.0 - expected;
        (room > 1e-15).then(|| (self.agreement / self.pairable - expected) / room)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{cohen, conger, fleiss, gwet_ac1, krippendorff};
    use super::*;

    proptest::proptest! {
        #[test]
        fn a_case_that_counts_twice_is_two_cases(
            table in proptest::collection::vec(
                proptest::collection::vec(proptest::option::weighted(0.7, 0_u8..3), 4), 1..12),
            weights in proptest::collection::vec(0_u32..4, 12),
        ) {
            let weights = &weights[..table.len()];
            let repeated: Vec<Vec<Option<u8>>> = table
                .iter()
                .zip(weights)
                .flat_map(|(row, weight)| vec![row.clone(); *weight as usize])
                .collect();
            let weighted = Weighted::new(&table);
            let weights = &weighted.weighting(weights);
            let pairs = [
                (weighted.fleiss_and_ac1(weights, 3)[0], fleiss(&repeated)),
                (weighted.conger(weights), conger(&repeated)),
                (weighted.krippendorff(weights), krippendorff(&repeated)),
                (weighted.fleiss_and_ac1(weights, 3)[1], gwet_ac1(&repeated, 3)),
                (weighted.cohen(1, 3)(weights), cohen(&repeated, 1, 3).kappa),
            ];
            for (number, (ours, theirs)) in pairs.into_iter().enumerate() {
                let theirs = theirs.map(|found| found.value);
                proptest::prop_assert_eq!(ours.is_some(), theirs.is_some(), "{}", number);
                let distance = (ours.unwrap_or_default() - theirs.unwrap_or_default()).abs();
                proptest::prop_assert!(distance < 1e-12, "{} {:?} {:?}", number, ours, theirs);
            }
        }
    }

    /// Every coefficient as sums over the cases, one after another: the order in which evidence has them.
    struct Straight<'a> {
        tallies: Vec<(Tally, f64)>,
        rows: Vec<(&'a Vec<Option<usize>>, f64)>,
        answers: usize,
        readers: usize,
    }

    impl<'a> Straight<'a> {
        fn new(rows: &'a [Vec<Option<usize>>], weights: &[u32], readers: usize, answers: usize) -> Self {
            let rows: Vec<_> = rows.iter().zip(weights.iter().map(|weight| f64::from(*weight))).collect();
            let tallied = |row: &[Option<usize>]| {
                let mut tally = Tally { reads: 0, of: vec![0; answers] };
                row.iter().flatten().for_each(|answer| {
                    tally.reads += 1;
                    tally.of[*answer] += 1;
                });
                tally
            };
            let mut tallies: Vec<_> = rows.iter().map(|(row, weight)| (tallied(row), *weight)).collect();
            tallies.retain(|(tally, _)| tally.reads > 0);
            Self { tallies, rows, answers, readers }
        }

        fn sums(&self) -> Sums {
            let mut sums = Sums { all: 0.0, pairable: 0.0, agreement: 0.0, shares: vec![0.0; self.answers] };
            for (tally, weight) in &self.tallies {
                sums.all += weight;
                sums.pairable += if tally.reads >= 2 { *weight } else { 0.0 };
                sums.agreement += weight * tally.agreement();
                for (answer, sum) in sums.shares.iter_mut().enumerate() {
                    *sum += weight * tally.share(answer);
                }
            }
            sums
        }

        fn krippendorff(&self) -> Option<f64> {
            let (mut reads, mut disagreement) = (0.0, 0.0);
            let mut totals = vec![0.0; self.answers];
            for (tally, weight) in self.tallies.iter().filter(|(tally, _)| tally.reads >= 2) {
                let pairs = tally.reads * (tally.reads - 1);
                reads += weight * tally.reads as f64;
                disagreement += weight * (pairs - tally.agreeing()) as f64 / (tally.reads - 1) as f64;
                for (total, of) in totals.iter_mut().zip(&tally.of) {
                    *total += weight * *of as f64;
                }
            }
            let expected = reads * reads - totals.iter().map(|k| k * k).sum::<f64>();
            (expected > 0.5).then(|| 1.0 - disagreement * (reads - 1.0) / expected)
        }

        fn conger(&self) -> Option<f64> {
            let mut sums = CongerSums::new(self.readers, self.answers);
            for (tally, weight) in self.tallies.iter().filter(|(tally, _)| tally.reads >= 2) {
                sums.pairable += weight;
                let pairs = tally.reads * (tally.reads - 1);
                sums.agreement += weight * tally.agreeing() as f64 / pairs as f64;
            }
            for (row, weight) in &self.rows {
                for (rates, read) in sums.rates.iter_mut().zip(*row) {
                    if let Some(read) = read {
                        rates[*read] += weight;
                    }
                }
            }
            sums.kappa()
        }
    }

    proptest::proptest! {
        #[test]
        fn patterns_change_no_bit_of_what_the_cases_give_one_after_another(
            readers in 1_usize..8,
            answers in 1_usize..5,
            seed in 0_u64..10_000,
            size in 1_usize..300,
            missing in 0_u32..60,
        ) {
            let mut stream = crate::random::Stream::new(seed, 0);
            let table: Vec<Vec<Option<u32>>> = (0..size)
                .map(|_| {
                    let mut read = || (stream.below(100) >= missing).then(|| stream.below(answers as u32));
                    (0..readers).map(|_| read()).collect()
                })
                .collect();
            let weights: Vec<u32> = (0..size).map(|_| stream.below(4) * stream.below(4)).collect();
            let weighted = Weighted::new(&table);
            let weighting = &weighted.weighting(&weights);
            let (rows, answers) = places(&table);
            let straight = Straight::new(&rows, &weights, readers, answers);
            let sums = straight.sums();
            let bits = |found: &[Option<f64>]| -> Vec<Option<u64>> {
                found.iter().map(|value| value.map(f64::to_bits)).collect()
            };
            let expected =
                [sums.gwet(Chance::Fleiss), straight.conger(), straight.krippendorff(), sums.gwet_ac1(4)];
            proptest::prop_assert_eq!(bits(&weighted.overall(weighting, 4)), bits(&expected));
            let two = [expected[0], expected[3]];
            proptest::prop_assert_eq!(bits(&weighted.fleiss_and_ac1(weighting, 4)), bits(&two));
            let (mut all, mut agreed) = (0, 0);
            for (row, weight) in rows.iter().zip(&weights) {
                if let (Some(a), Some(b)) = (row[0], row[readers - 1]) {
                    all += weight;
                    agreed += if a == b { *weight } else { 0 };
                }
            }
            let both = |row: &Vec<Option<usize>>| match (row[0], row[readers - 1]) {
                (Some(a), Some(b)) => vec![Some(a), Some(b)],
                _ => vec![None, None],
            };
            let two: Vec<Vec<Option<usize>>> = rows.iter().map(both).collect();
            let (two, answers) = places(&two);
            let ac1 = Straight::new(&two, &weights, 2, answers).sums().gwet_ac1(4);
            let ours = weighted.ac1_of_two(0, readers - 1, 4)(weighting);
            proptest::prop_assert_eq!(bits(&[ours]), bits(&[ac1]));
            let share = (all > 0).then(|| f64::from(agreed) / f64::from(all));
            proptest::prop_assert_eq!(weighted.share(0, readers - 1)(weighting), share);
        }
    }
}
