//! The coefficients of cases that count several times: what a bootstrap of patients needs. Values are those
//! of the table in which each case stands as often as it counts; a test holds them to it.

use super::{Chance, CongerSums, Tally, places, reader_count};

/// A table prepared for many weightings of its cases. What is divided is divided once; a case that does not
/// count adds 0 and changes no sum.
pub(super) struct Weighted {
    cases: Vec<Case>,
    /// Of each case and answer, the share of the case's reads and their number.
    shares: Vec<(f64, f64)>,
    rows: Vec<Vec<Option<usize>>>,
    answers: usize,
    readers: usize,
}

/// What the coefficients take from a case; nothing of one without a read.
struct Case {
    /// Which one.
    nth: usize,
    reads: f64,
    /// 1 where two reads can agree, else 0.
    pairable: f64,
    /// Agreeing pairs over all pairs.
    agreement: f64,
    /// Ordered pairs that disagree, and what they are divided by: the reads but one.
    disagreeing: f64,
    others: f64,
    /// Ordered pairs that agree, and all.
    alike: f64,
    pairs: f64,
}

impl Weighted {
    pub(super) fn new<A: Copy + Ord>(table: &[Vec<Option<A>>]) -> Self {
        let (rows, answers) = places(table);
        let (mut cases, mut shares) = (Vec::new(), Vec::new());
        for (nth, row) in rows.iter().enumerate() {
            let mut tally = Tally { reads: 0, of: vec![0; answers] };
            for answer in row.iter().flatten() {
                tally.reads += 1;
                tally.of[*answer] += 1;
            }
            if tally.reads == 0 {
                continue;
            }
            let is_pairable = tally.reads >= 2;
            let pairs = tally.reads * (tally.reads - 1);
            cases.push(Case {
                nth,
                reads: tally.reads as f64,
                pairable: f64::from(u8::from(is_pairable)),
                agreement: tally.agreement(),
                disagreeing: (pairs - tally.agreeing()) as f64,
                others: if is_pairable { (tally.reads - 1) as f64 } else { 1.0 },
                alike: tally.agreeing() as f64,
                pairs: if is_pairable { pairs as f64 } else { 1.0 },
            });
            shares.extend((0..answers).map(|answer| (tally.share(answer), tally.of[answer] as f64)));
        }
        Self { cases, shares, rows, answers, readers: reader_count(table) }
    }

    /// Cases that were read, how often each counts, and its shares.
    fn read<'a>(&'a self, weights: &'a [u32]) -> impl Iterator<Item = (f64, &'a Case, &'a [(f64, f64)])> {
        let shares = self.shares.chunks_exact(self.answers.max(1));
        self.cases.iter().zip(shares).map(|(case, shares)| (f64::from(weights[case.nth]), case, shares))
    }

    pub(super) fn gwet_ac1(&self, weights: &[u32], categories: usize) -> Option<f64> {
        self.sums(weights).gwet_ac1(categories)
    }

    /// Fleiss' kappa and Gwet's AC1, which rest on the same sums.
    pub(super) fn fleiss_and_ac1(&self, weights: &[u32], categories: usize) -> [Option<f64>; 2] {
        let sums = self.sums(weights);
        [sums.gwet(Chance::Fleiss), sums.gwet_ac1(categories)]
    }

    /// Fleiss' kappa, Conger's, Krippendorff's alpha and Gwet's AC1.
    pub(super) fn overall(&self, weights: &[u32], categories: usize) -> [Option<f64>; 4] {
        let [fleiss, ac1] = self.fleiss_and_ac1(weights, categories);
        [fleiss, self.conger(weights), self.krippendorff(weights), ac1]
    }

    fn sums(&self, weights: &[u32]) -> Sums {
        let (mut all, mut pairable, mut agreement) = (0.0, 0.0, 0.0);
        let mut shares = vec![0.0; self.answers];
        for (weight, case, of) in self.read(weights) {
            all += weight;
            pairable += weight * case.pairable;
            agreement += weight * case.agreement;
            for (sum, (share, _)) in shares.iter_mut().zip(of) {
                *sum += weight * share;
            }
        }
        Sums { all, pairable, agreement, shares }
    }

    pub(super) fn krippendorff(&self, weights: &[u32]) -> Option<f64> {
        let (mut reads, mut disagreement) = (0.0, 0.0);
        let mut totals = vec![0.0; self.answers];
        for (weight, case, of) in self.read(weights) {
            let weight = weight * case.pairable;
            reads += weight * case.reads;
            disagreement += weight * case.disagreeing / case.others;
            for (total, (_, of)) in totals.iter_mut().zip(of) {
                *total += weight * of;
            }
        }
        let expected = reads * reads - totals.iter().map(|k| k * k).sum::<f64>();
        (expected > 0.5).then(|| 1.0 - disagreement * (reads - 1.0) / expected)
    }

    pub(super) fn conger(&self, weights: &[u32]) -> Option<f64> {
        let mut sums = CongerSums::new(self.readers, self.answers);
        for case in &self.cases {
            let weight = f64::from(weights[case.nth]);
            sums.agreement += weight * case.alike / case.pairs;
            sums.pairable += weight * case.pairable;
            for (rates, read) in sums.rates.iter_mut().zip(&self.rows[case.nth]) {
                if let Some(read) = read {
                    rates[*read] += weight;
                }
            }
        }
        sums.kappa()
    }

    /// Cohen's kappa of two readers, prepared for many weightings.
    pub(super) fn cohen(&self, a: usize, b: usize) -> impl Fn(&[u32]) -> Option<f64> + Sync + Send + use<> {
        let of = |row: &[Option<usize>], reader: usize| row.get(reader).copied().flatten();
        let pair = |(case, row): (usize, &Vec<Option<usize>>)| Some((case, of(row, a)?, of(row, b)?));
        let pairs: Vec<(usize, usize, usize)> = self.rows.iter().enumerate().filter_map(pair).collect();
        let answers = self.answers;
        move |weights| {
            let (mut first, mut second) = (vec![0_u64; answers], vec![0_u64; answers]);
            let (mut n, mut agreed) = (0, 0);
            for (case, x, y) in &pairs {
                let weight = u64::from(weights[*case]);
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
            let pairs = [
                (weighted.fleiss_and_ac1(weights, 3)[0], fleiss(&repeated)),
                (weighted.conger(weights), conger(&repeated)),
                (weighted.krippendorff(weights), krippendorff(&repeated)),
                (weighted.gwet_ac1(weights, 3), gwet_ac1(&repeated, 3)),
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
}
