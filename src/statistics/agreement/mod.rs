//! Agreement between readers on a nominal finding: Cohen's, Fleiss' and Conger's kappa, Krippendorff's alpha
//! and Gwet's AC1, for any number of answers, with missing reads. Pure: a table in, numbers out.
//!
//! A table has one row a case and one entry a reader: an answer of any ordered type (`true` and `false` for a
//! two-valued finding; the order means nothing), or `None` for not read (or indeterminate, where the protocol
//! says that this is no vote). Every row has the same number of entries; shorter rows count as missing.
//! Standard errors are for inference to a population of cases with these readers.

mod clustered;
#[cfg(test)]
mod clustered_tests;
pub mod estimates;
pub mod explained;
pub mod ordinal;

/// A coefficient with its standard error.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coefficient {
    /// At most 1; 0 is the agreement of chance.
    pub value: f64,
    /// Large-sample standard error; none where it cannot be estimated.
    pub standard_error: Option<f64>,
    /// Cases that it rests on.
    pub cases: u64,
}

/// Cohen's kappa of two readers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Cohen {
    /// Kappa (Cohen 1960) with the standard error of Fleiss, Cohen and Everitt (1969); none when both
    /// readers gave one and the same answer throughout.
    pub kappa: Option<Coefficient>,
    /// Standard error under the hypothesis of no agreement beyond chance.
    pub null_standard_error: Option<f64>,
    /// Cases read by both.
    pub cases: u64,
    /// Cases on which they agree.
    pub agreed: u64,
}

impl Cohen {
    /// Share of cases on which they agree; none without common cases.
    pub fn observed_agreement(&self) -> Option<f64> {
        (self.cases > 0).then(|| self.agreed as f64 / self.cases as f64)
    }

    /// Prevalence- and bias-adjusted kappa of two answers, 2·agreement − 1 (Byrt, Bishop and Carlin 1993).
    pub fn pabak(&self) -> Option<f64> {
        self.observed_agreement().map(|agreement| 2.0 * agreement - 1.0)
    }
}

/// The distinct answers of a table, ascending.
fn answers<A: Copy + Ord>(table: &[Vec<Option<A>>]) -> Vec<A> {
    let mut all: Vec<A> = table.iter().flatten().flatten().copied().collect();
    all.sort_unstable();
    all.dedup();
    all
}

/// Cohen's kappa of readers `a` and `b` over the cases that both read.
pub fn cohen<A: Copy + Ord>(table: &[Vec<Option<A>>], a: usize, b: usize) -> Cohen {
    let pairs: Vec<(A, A)> = table
        .iter()
        .filter_map(|row| Some((row.get(a).copied().flatten()?, row.get(b).copied().flatten()?)))
        .collect();
    let mut answers: Vec<A> = pairs.iter().flat_map(|p| [p.0, p.1]).collect();
    answers.sort_unstable();
    answers.dedup();
    let place = |answer: A| answers.partition_point(|x| *x < answer);
    let mut counts = vec![vec![0; answers.len()]; answers.len()];
    for (x, y) in pairs {
        counts[place(x)][place(y)] += 1;
    }
    cohen_of_square(&counts)
}

/// Cohen's kappa of a 2×2 table: both positive, first only, second only, both negative.
pub fn cohen_of_counts(counts: [u64; 4]) -> Cohen {
    cohen_of_square(&[vec![counts[3], counts[2]], vec![counts[1], counts[0]]])
}

/// Cohen's kappa of a square table: `counts[i][j]` cases of which the first reader says i and the second j.
pub fn cohen_of_square(counts: &[Vec<u64>]) -> Cohen {
    let cases: u64 = counts.iter().flatten().sum();
    let categories = counts.len();
    let agreed: u64 = (0..categories).map(|i| counts[i][i]).sum();
    let mut out = Cohen { kappa: None, null_standard_error: None, cases, agreed };
    if cases == 0 || (0..categories).any(|i| counts[i][i] == cases) {
        return out;
    }
    let n = cases as f64;
    let p: Vec<Vec<f64>> = counts.iter().map(|row| row.iter().map(|&k| k as f64 / n).collect()).collect();
    let rows: Vec<f64> = p.iter().map(|row| row.iter().sum()).collect();
    let columns: Vec<f64> = (0..categories).map(|j| p.iter().map(|row| row[j]).sum()).collect();
    let expected: f64 = rows.iter().zip(&columns).map(|(r, c)| r * c).sum();
    let observed = agreed as f64 / n;
    let room = 1.0 - expected;
    let value = (observed - expected) / room;
    let (mut agreeing, mut disagreeing, mut null) = (0.0, 0.0, 0.0);
    for i in 0..categories {
        let weight = room - (rows[i] + columns[i]) * (1.0 - observed);
        agreeing += p[i][i] * weight * weight;
        for j in (0..categories).filter(|j| *j != i) {
            disagreeing += p[i][j] * (rows[j] + columns[i]) * (rows[j] + columns[i]);
        }
        null += rows[i] * columns[i] * (rows[i] + columns[i]);
    }
    let centre = observed * expected - 2.0 * expected + observed;
    let variance =
        (agreeing + (1.0 - observed) * (1.0 - observed) * disagreeing - centre * centre) / (n * room.powi(4));
    let null_variance = (expected + expected * expected - null) / (n * room * room);
    // Rounding makes 1e-33 of a variance that is 0, for example where one reader gave one answer throughout.
    let variance = if no_variance(counts) == Some(true) { 0.0 } else { variance.max(0.0) };
    out.kappa = Some(Coefficient { value, standard_error: Some(variance.sqrt()), cases });
    out.null_standard_error = Some(null_variance.max(0.0).sqrt());
    out
}

/// Whether the variance of Cohen's kappa is exactly 0, in whole numbers; none where those become too large.
fn no_variance(counts: &[Vec<u64>]) -> Option<bool> {
    let counts: Vec<Vec<i128>> =
        counts.iter().map(|row| row.iter().map(|&k| i128::from(k)).collect()).collect();
    let rows: Vec<i128> = counts.iter().map(|row| row.iter().sum()).collect();
    let columns: Vec<i128> = (0..counts.len()).map(|j| counts.iter().map(|row| row[j]).sum()).collect();
    let n: i128 = rows.iter().sum();
    // All intermediate values are below 8·n⁶.
    if n > 1_000_000 {
        return None;
    }
    let observed: i128 = (0..counts.len()).map(|i| counts[i][i]).sum();
    let expected: i128 = rows.iter().zip(&columns).map(|(r, c)| r * c).sum();
    let (mut agreeing, mut disagreeing) = (0, 0);
    for i in 0..counts.len() {
        let weight = n * n - expected - (rows[i] + columns[i]) * (n - observed);
        agreeing += counts[i][i] * weight * weight;
        for j in (0..counts.len()).filter(|j| *j != i) {
            disagreeing += counts[i][j] * (rows[j] + columns[i]) * (rows[j] + columns[i]);
        }
    }
    let centre = observed * expected - 2 * expected * n + observed * n * n;
    Some(n * (agreeing + (n - observed) * (n - observed) * disagreeing) == centre * centre)
}

/// A standard error this small is the rounding of 0: one case that differs changes a coefficient by some 1/n,
/// and so its standard error.
const ROUNDING: f64 = 1e-12;

fn without_rounding(standard_error: f64) -> f64 {
    if standard_error < ROUNDING { 0.0 } else { standard_error }
}

/// Reads of one case.
struct Tally {
    /// How many.
    reads: u64,
    /// How many of each answer.
    of: Vec<u64>,
}

impl Tally {
    /// Ordered pairs of reads that agree.
    fn agreeing(&self) -> u64 {
        self.of.iter().map(|&k| k * k.saturating_sub(1)).sum()
    }

    /// Agreeing pairs over all pairs; 0 below two reads.
    fn agreement(&self) -> f64 {
        if self.reads < 2 {
            return 0.0;
        }
        self.agreeing() as f64 / (self.reads * (self.reads - 1)) as f64
    }

    fn share(&self, answer: usize) -> f64 {
        self.of[answer] as f64 / self.reads as f64
    }
}

/// Cases with at least one read.
fn tallies<A: Copy + Ord>(table: &[Vec<Option<A>>]) -> Vec<Tally> {
    let answers = answers(table);
    let tally = |row: &Vec<Option<A>>| {
        let mut tally = Tally { reads: 0, of: vec![0; answers.len()] };
        for answer in row.iter().flatten() {
            tally.reads += 1;
            tally.of[answers.partition_point(|x| x < answer)] += 1;
        }
        tally
    };
    table.iter().map(tally).filter(|t| t.reads > 0).collect()
}

fn reader_count<A>(table: &[Vec<Option<A>>]) -> usize {
    table.iter().map(Vec::len).max().unwrap_or(0)
}

/// Fleiss' kappa (1971) on the cases that every reader read, with the standard error under no
/// agreement (Fleiss, Nee and Landis 1979) as `standard_error`. None when there is no such case, fewer
/// than two readers, or only one answer.
pub fn fleiss_complete<A: Copy + Ord>(table: &[Vec<Option<A>>]) -> Option<Coefficient> {
    let readers = reader_count(table) as u64;
    let mut complete = tallies(table);
    complete.retain(|t| t.reads == readers);
    let n = complete.len() as u64;
    if n == 0 || readers < 2 {
        return None;
    }
    let categories = complete[0].of.len();
    let totals: Vec<u64> = (0..categories).map(|c| complete.iter().map(|t| t.of[c]).sum()).collect();
    if totals.contains(&(n * readers)) {
        return None;
    }
    let (nf, m) = (n as f64, readers as f64);
    let agreeing: u64 = complete.iter().map(Tally::agreeing).sum();
    let observed = agreeing as f64 / (nf * m * (m - 1.0));
    let shares = totals.iter().map(|&k| k as f64 / (nf * m));
    let expected: f64 = shares.clone().map(|p| p * p).sum();
    let both: f64 = shares.clone().map(|p| p * (1.0 - p)).sum();
    let skew: f64 = shares.map(|p| p * (1.0 - p) * (1.0 - 2.0 * p)).sum();
    let variance = 2.0 / (nf * m * (m - 1.0)) * (both * both - skew) / (both * both);
    Some(Coefficient {
        value: (observed - expected) / (1.0 - expected),
        standard_error: Some(variance.max(0.0).sqrt()),
        cases: n,
    })
}

/// Krippendorff's alpha (nominal) over cases with at least two reads; the standard error is the
/// delete-one-case jackknife's. None when no case has two reads or only one answer was given.
pub fn krippendorff<A: Copy + Ord>(table: &[Vec<Option<A>>]) -> Option<Coefficient> {
    let mut pairable = tallies(table);
    pairable.retain(|t| t.reads >= 2);
    let categories = pairable.first()?.of.len();
    let reads: u64 = pairable.iter().map(|t| t.reads).sum();
    let totals: Vec<u64> = (0..categories).map(|c| pairable.iter().map(|t| t.of[c]).sum()).collect();
    let part = |t: &Tally| (t.reads * (t.reads - 1) - t.agreeing()) as f64 / (t.reads - 1) as f64;
    let disagreement: f64 = pairable.iter().map(part).sum();
    let alpha = |disagreement: f64, reads: u64, totals: &mut dyn Iterator<Item = u64>| -> Option<f64> {
        // Whole numbers: pairs of different answers among all reads.
        let expected = reads * reads - totals.map(|k| k * k).sum::<u64>();
        (expected > 0).then(|| 1.0 - disagreement * (reads as f64 - 1.0) / expected as f64)
    };
    let value = alpha(disagreement, reads, &mut totals.iter().copied())?;
    let without: Option<Vec<f64>> = pairable
        .iter()
        .map(|t| {
            let mut left = totals.iter().zip(&t.of).map(|(all, own)| all - own);
            alpha(disagreement - part(t), reads - t.reads, &mut left)
        })
        .collect();
    let cases = pairable.len() as u64;
    Some(Coefficient { value, standard_error: without.and_then(|w| jackknife(&w)), cases })
}

/// Standard error of leave-one-out values; none below two.
fn jackknife(values: &[f64]) -> Option<f64> {
    let n = values.len() as f64;
    if values.len() < 2 {
        return None;
    }
    let mean = values.iter().sum::<f64>() / n;
    let squares: f64 = values.iter().map(|v| (v - mean) * (v - mean)).sum();
    Some(without_rounding(((n - 1.0) / n * squares).sqrt()))
}

/// Gwet's AC1 (2008) with missing reads and the variance of Gwet (2014) over cases. `categories` is how many
/// answers there are to choose from, given or not: chance agreement depends on it. None when no case has two
/// reads, or there is no choice.
pub fn gwet_ac1<A: Copy + Ord>(table: &[Vec<Option<A>>], categories: usize) -> Option<Coefficient> {
    (categories >= 2).then(|| gwet(table, Chance::Ac1 { categories: categories as f64 })).flatten()
}

/// Fleiss' kappa as Gwet (2014) generalises it to missing reads, with his variance over cases; equal to
/// [`fleiss_complete`] when nothing is missing. None as there.
pub fn fleiss<A: Copy + Ord>(table: &[Vec<Option<A>>]) -> Option<Coefficient> {
    gwet(table, Chance::Fleiss)
}

#[derive(Clone, Copy, PartialEq)]
enum Chance {
    Ac1 { categories: f64 },
    Fleiss,
}

fn gwet<A: Copy + Ord>(table: &[Vec<Option<A>>], chance: Chance) -> Option<Coefficient> {
    let tallies = tallies(table);
    let all = tallies.len() as f64;
    let pairable = tallies.iter().filter(|t| t.reads >= 2).count() as f64;
    if pairable == 0.0 {
        return None;
    }
    let answers = 0..tallies[0].of.len();
    let p: Vec<f64> =
        answers.clone().map(|c| tallies.iter().map(|t| t.share(c)).sum::<f64>() / all).collect();
    let observed = tallies.iter().map(Tally::agreement).sum::<f64>() / pairable;
    // Chance agreement of shares x with the shares of all reads.
    let with = |x: &dyn Fn(usize) -> f64| -> f64 {
        match chance {
            Chance::Ac1 { categories } => {
                answers.clone().map(|c| x(c) * (1.0 - p[c])).sum::<f64>() / (categories - 1.0)
            }
            Chance::Fleiss => answers.clone().map(|c| x(c) * p[c]).sum(),
        }
    };
    let expected = with(&|c| p[c]);
    let room = 1.0 - expected;
    if room <= 1e-15 {
        return None;
    }
    let value = (observed - expected) / room;
    let mut squares = 0.0;
    for t in &tallies {
        let expected_here = with(&|c| t.share(c));
        let here = if t.reads >= 2 { all / pairable * (t.agreement() - expected) / room } else { 0.0 };
        let deviation = here - 2.0 * (1.0 - value) * (expected_here - expected) / room - value;
        squares += deviation * deviation;
    }
    let standard_error = (all > 1.0).then(|| without_rounding((squares / (all * (all - 1.0))).sqrt()));
    Some(Coefficient { value, standard_error, cases: tallies.len() as u64 })
}

/// Conger's kappa (1980): chance agreement from each reader's own rates, so that two readers give Cohen's
/// kappa. Missing reads as in Gwet (2014): agreement over cases with two reads, rates over each reader's own
/// cases; a reader without a read has no rates and is no reader. The standard error is the delete-one-case
/// jackknife's of that very coefficient: a case that is all that a reader read takes the reader with it. None
/// when it is undefined.
pub fn conger<A: Copy + Ord>(table: &[Vec<Option<A>>]) -> Option<Coefficient> {
    let (rows, answers) = places(table);
    let rows: Vec<Vec<Option<usize>>> =
        rows.into_iter().filter(|row| row.iter().flatten().next().is_some()).collect();
    let mut total = CongerSums::new(reader_count(table), answers);
    for row in &rows {
        total.add(row, 1.0);
    }
    let value = total.kappa()?;
    let without: Option<Vec<f64>> = rows
        .iter()
        .map(|row| {
            total.add(row, -1.0);
            let left = total.kappa();
            total.add(row, 1.0);
            left
        })
        .collect();
    Some(Coefficient { value, standard_error: without.and_then(|w| jackknife(&w)), cases: rows.len() as u64 })
}

/// The table with the place of each answer among the answers that were given, and how many those are.
fn places<A: Copy + Ord>(table: &[Vec<Option<A>>]) -> (Vec<Vec<Option<usize>>>, usize) {
    let answers = answers(table);
    let place = |read: A| answers.partition_point(|x| *x < read);
    (table.iter().map(|row| row.iter().map(|read| read.map(place)).collect()).collect(), answers.len())
}

struct CongerSums {
    agreement: f64,
    pairable: f64,
    /// Reads of each answer by each reader.
    rates: Vec<Vec<f64>>,
}

impl CongerSums {
    fn new(readers: usize, answers: usize) -> Self {
        Self { agreement: 0.0, pairable: 0.0, rates: vec![vec![0.0; answers]; readers] }
    }

    fn add(&mut self, row: &[Option<usize>], sign: f64) {
        let reads: Vec<usize> = row.iter().flatten().copied().collect();
        let count = reads.len() as f64;
        if reads.len() >= 2 {
            let alike: usize =
                reads.iter().map(|r| reads.iter().filter(|other| *other == r).count() - 1).sum();
            self.pairable += sign;
            self.agreement += sign * alike as f64 / (count * (count - 1.0));
        }
        for (rates, read) in self.rates.iter_mut().zip(row) {
            if let Some(read) = read {
                rates[*read] += sign;
            }
        }
    }

    fn kappa(&self) -> Option<f64> {
        let with_total = |rates: &'_ Vec<f64>| rates.iter().sum::<f64>();
        let read: Vec<(&Vec<f64>, f64)> =
            self.rates.iter().map(|rates| (rates, with_total(rates))).filter(|(_, all)| *all > 0.5).collect();
        if self.pairable < 0.5 || read.len() < 2 {
            return None;
        }
        let readers = read.len() as f64;
        let mut expected = 0.0;
        for (i, (p, all)) in read.iter().enumerate() {
            for (q, others) in &read[i + 1..] {
                expected += p.iter().zip(*q).map(|(p, q)| p / all * (q / others)).sum::<f64>();
            }
        }
        expected /= readers * (readers - 1.0) / 2.0;
        let room = 1.0 - expected;
        (room > 1e-15).then(|| (self.agreement / self.pairable - expected) / room)
    }
}

/// Each reader against the majority of the others: the 2×2 table over cases where the others
/// have a strict majority.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AgainstOthers {
    /// The reader's place in the table.
    pub reader: usize,
    /// Both positive, reader positive only, others positive only, both negative.
    pub table: [u64; 4],
    /// Cases that the reader read but the others gave no majority for.
    pub undecided: u64,
}

/// The majority of the readers other than one, on one case; none where they are tied or silent.
pub fn majority_without(row: &[Option<bool>], reader: usize) -> Option<bool> {
    let others = row.iter().enumerate().filter(|(i, _)| *i != reader);
    let votes: i64 = others.flat_map(|(_, r)| *r).map(|r| if r { 1 } else { -1 }).sum();
    (votes != 0).then_some(votes > 0)
}

/// [`AgainstOthers`] for every reader.
pub fn against_others(table: &[Vec<Option<bool>>]) -> Vec<AgainstOthers> {
    (0..reader_count(table))
        .map(|reader| {
            let mut out = AgainstOthers { reader, table: [0; 4], undecided: 0 };
            for row in table {
                let Some(Some(own)) = row.get(reader) else { continue };
                match majority_without(row, reader) {
                    None => out.undecided += 1,
                    Some(others) => out.table[usize::from(!own) * 2 + usize::from(!others)] += 1,
                }
            }
            out
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<Vec<Option<bool>>> {
        let one = |c: char| match c {
            '+' => Some(true),
            '-' => Some(false),
            _ => None,
        };
        text.split_whitespace().map(|row| row.chars().map(one).collect()).collect()
    }

    #[test]
    fn conger_of_two_readers_is_cohen() {
        let table = read("++ +- -- -- -+ ++ -- --");
        let pair = cohen(&table, 0, 1).kappa.expect("kappa").value;
        assert!((conger(&table).expect("conger").value - pair).abs() < 1e-15);
    }

    #[test]
    fn a_reader_with_few_reads_or_none_leaves_conger_defined() {
        let without = read("++ +- -- -- -+ ++");
        let with_empty = read("++. +-. --. --. -+. ++.");
        assert_eq!(conger(&with_empty), conger(&without));
        let few = conger(&read("+++ +-. --. --. -+. ++.")).expect("conger");
        assert!(few.standard_error.is_some_and(|se| se > 0.0), "{few:?}");
    }

    #[test]
    fn a_variance_of_zero_is_zero() {
        // One reader says yes throughout, with all shares of the other's answers.
        for n in 1_u64..200 {
            for yes in 1..n {
                let kappa = cohen_of_counts([yes, n - yes, 0, 0]).kappa.expect("kappa");
                assert_eq!(kappa.standard_error, Some(0.0), "{yes} of {n}");
                let alike = cohen_of_counts([yes, 0, 0, n - yes]).kappa.expect("kappa");
                assert_eq!(alike.standard_error, Some(0.0), "{yes} of {n}");
            }
        }
        assert!(cohen_of_counts([500, 1, 0, 499]).kappa.expect("kappa").standard_error > Some(1e-4));
        let alike = read("+++ --- +++ --- --- +++ --- +++");
        for found in [fleiss(&alike), conger(&alike), krippendorff(&alike), gwet_ac1(&alike, 2)] {
            assert_eq!(found.expect("defined").standard_error, Some(0.0));
        }
    }

    #[test]
    fn one_answer_throughout_is_undefined_for_kappa_and_one_for_ac1() {
        let table = read("--- --- ---");
        assert_eq!(cohen(&table, 0, 1).kappa, None);
        assert_eq!(fleiss(&table), None);
        assert_eq!(fleiss_complete(&table), None);
        assert_eq!(krippendorff(&table), None);
        assert_eq!(conger(&table), None);
        assert_eq!(gwet_ac1(&table, 2).expect("ac1").value, 1.0);
    }

    #[test]
    fn names_and_order_of_answers_mean_nothing() {
        let one = |c: char| (c != '.').then(|| c.to_digit(10).expect("digit"));
        let read = |text: &str| -> Vec<Vec<Option<u32>>> {
            text.split_whitespace().map(|row| row.chars().map(one).collect()).collect()
        };
        let table = read("111 122 333 3.3 121 232 .11 222 313");
        let renamed = read("222 277 000 0.0 272 707 .22 777 020");
        let all = |t: &[Vec<Option<u32>>]| {
            [cohen(t, 0, 1).kappa, fleiss(t), fleiss_complete(t), krippendorff(t), conger(t), gwet_ac1(t, 3)]
                .map(|k| k.expect("defined"))
        };
        for (a, b) in all(&table).iter().zip(all(&renamed)) {
            assert!((a.value - b.value).abs() < 1e-14, "{a:?} {b:?}");
            let (a, b) = (a.standard_error.expect("error"), b.standard_error.expect("error"));
            assert!((a - b).abs() < 1e-14, "{a} {b}");
        }
        // An answer that nobody gave makes agreement by chance rarer.
        assert!(gwet_ac1(&table, 4).expect("ac1").value > gwet_ac1(&table, 3).expect("ac1").value);
        assert_eq!(gwet_ac1(&table, 1), None);
    }

    #[test]
    fn nothing_read_gives_none_and_never_nan() {
        let table = read("... +.. .-.");
        assert_eq!(gwet_ac1(&table, 2), None);
        assert_eq!(krippendorff(&table), None);
        assert_eq!(conger(&table), None);
        assert_eq!(gwet_ac1::<bool>(&[], 2), None);
    }

    #[test]
    fn each_reader_meets_the_majority_of_the_others() {
        let table = read("++- +++ --+ .+- +.");
        let all = against_others(&table);
        assert_eq!(all[2].table, [1, 1, 2, 0]);
        assert_eq!(all[2].undecided, 0);
        assert_eq!(all[0].table, [1, 0, 0, 0]);
        assert_eq!(all[0].undecided, 3);
    }
}
