//! Agreement between readers on a two-valued finding: Cohen's, Fleiss' and Conger's kappa,
//! Krippendorff's alpha and Gwet's AC1, with missing reads. Pure: a table in, numbers out.
//!
//! A table has one row a case and one entry a reader: `Some(true)` positive, `Some(false)` negative, `None`
//! not read (or indeterminate, where the protocol says that this is no vote). Every row has the
//! same number of entries; shorter rows count as missing. Standard errors are for inference to a
//! population of cases with these readers.

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
    /// Both positive, first positive only, second positive only, both negative.
    pub table: [u64; 4],
}

impl Cohen {
    /// Share of cases on which they agree; none without common cases.
    pub fn observed_agreement(&self) -> Option<f64> {
        (self.cases > 0).then(|| (self.table[0] + self.table[3]) as f64 / self.cases as f64)
    }

    /// Prevalence- and bias-adjusted kappa, 2·agreement − 1 (Byrt, Bishop and Carlin 1993).
    pub fn pabak(&self) -> Option<f64> {
        self.observed_agreement().map(|agreement| 2.0 * agreement - 1.0)
    }
}

/// Cohen's kappa of readers `a` and `b` over the cases that both read.
pub fn cohen(table: &[Vec<Option<bool>>], a: usize, b: usize) -> Cohen {
    let mut counts = [0_u64; 4];
    for row in table {
        if let (Some(Some(x)), Some(Some(y))) = (row.get(a), row.get(b)) {
            counts[usize::from(!x) * 2 + usize::from(!y)] += 1;
        }
    }
    cohen_of_counts(counts)
}

/// Cohen's kappa of a 2×2 table: both positive, first only, second only, both negative.
pub fn cohen_of_counts(counts: [u64; 4]) -> Cohen {
    let cases: u64 = counts.iter().sum();
    let mut out = Cohen { kappa: None, null_standard_error: None, cases, table: counts };
    let n = cases as f64;
    // p[i][j]: first reader says i, second says j; 0 is negative.
    let share = |k: u64| k as f64 / n;
    let p = [[share(counts[3]), share(counts[2])], [share(counts[1]), share(counts[0])]];
    let rows = [p[0][0] + p[0][1], p[1][0] + p[1][1]];
    let columns = [p[0][0] + p[1][0], p[0][1] + p[1][1]];
    let expected = rows[0] * columns[0] + rows[1] * columns[1];
    let same_throughout = counts[0] == cases || counts[3] == cases;
    if cases == 0 || same_throughout {
        return out;
    }
    let observed = p[0][0] + p[1][1];
    let room = 1.0 - expected;
    let value = (observed - expected) / room;
    let (mut agreeing, mut disagreeing, mut null) = (0.0, 0.0, 0.0);
    for i in 0..2 {
        let weight = room - (rows[i] + columns[i]) * (1.0 - observed);
        agreeing += p[i][i] * weight * weight;
        let other = 1 - i;
        disagreeing += p[i][other] * (rows[other] + columns[i]) * (rows[other] + columns[i]);
        null += rows[i] * columns[i] * (rows[i] + columns[i]);
    }
    let centre = observed * expected - 2.0 * expected + observed;
    let variance =
        (agreeing + (1.0 - observed) * (1.0 - observed) * disagreeing - centre * centre) / (n * room.powi(4));
    let null_variance = (expected + expected * expected - null) / (n * room * room);
    out.kappa = Some(Coefficient { value, standard_error: Some(variance.max(0.0).sqrt()), cases });
    out.null_standard_error = Some(null_variance.max(0.0).sqrt());
    out
}

/// Reads of one case: how many, and how many of them positive.
fn tallies(table: &[Vec<Option<bool>>]) -> Vec<(u64, u64)> {
    table
        .iter()
        .map(|row| {
            let reads = row.iter().flatten();
            (reads.clone().count() as u64, reads.filter(|r| **r).count() as u64)
        })
        .filter(|t| t.0 > 0)
        .collect()
}

fn reader_count(table: &[Vec<Option<bool>>]) -> usize {
    table.iter().map(Vec::len).max().unwrap_or(0)
}

/// Fleiss' kappa (1971) on the cases that every reader read, with the standard error under no
/// agreement (Fleiss, Nee and Landis 1979) as `standard_error`. None when there is no such case, fewer
/// than two readers, or only one answer.
pub fn fleiss_complete(table: &[Vec<Option<bool>>]) -> Option<Coefficient> {
    let readers = reader_count(table) as u64;
    let complete: Vec<u64> = tallies(table).iter().filter(|t| t.0 == readers).map(|t| t.1).collect();
    let n = complete.len() as u64;
    let positive: u64 = complete.iter().sum();
    if n == 0 || readers < 2 || positive == 0 || positive == n * readers {
        return None;
    }
    let (nf, m) = (n as f64, readers as f64);
    let agreeing: u64 = complete
        .iter()
        .map(|&c| c * c.saturating_sub(1) + (readers - c) * (readers - c).saturating_sub(1))
        .sum();
    let observed = agreeing as f64 / (nf * m * (m - 1.0));
    let p = positive as f64 / (nf * m);
    let both = p * (1.0 - p);
    let expected = 1.0 - 2.0 * both;
    // With two categories the 1979 variance reduces to 2/(n·m·(m−1)).
    let variance = 2.0 / (nf * m * (m - 1.0));
    Some(Coefficient {
        value: (observed - expected) / (1.0 - expected),
        standard_error: Some(variance.sqrt()),
        cases: n,
    })
}

/// Krippendorff's alpha (nominal) over cases with at least two reads; the standard error is the delete-one-case
/// jackknife's. None when no case has two reads or only one answer was given.
pub fn krippendorff(table: &[Vec<Option<bool>>]) -> Option<Coefficient> {
    let pairable: Vec<(u64, u64)> = tallies(table).into_iter().filter(|t| t.0 >= 2).collect();
    let reads: u64 = pairable.iter().map(|t| t.0).sum();
    let positive: u64 = pairable.iter().map(|t| t.1).sum();
    let part = |t: &(u64, u64)| 2.0 * (t.1 * (t.0 - t.1)) as f64 / (t.0 - 1) as f64;
    let disagreement: f64 = pairable.iter().map(part).sum();
    let alpha = |disagreement: f64, reads: f64, positive: f64| -> Option<f64> {
        let expected = 2.0 * positive * (reads - positive);
        (expected > 0.0).then(|| 1.0 - disagreement * (reads - 1.0) / expected)
    };
    let value = alpha(disagreement, reads as f64, positive as f64)?;
    let without: Option<Vec<f64>> = pairable
        .iter()
        .map(|t| alpha(disagreement - part(t), (reads - t.0) as f64, (positive - t.1) as f64))
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
    Some(((n - 1.0) / n * squares).sqrt())
}

/// Gwet's AC1 (2008) with missing reads and the variance of Gwet (2014) over cases. None when no case has two
/// reads.
pub fn gwet_ac1(table: &[Vec<Option<bool>>]) -> Option<Coefficient> {
    gwet(table, Chance::Ac1)
}

/// Fleiss' kappa as Gwet (2014) generalises it to missing reads, with his variance over cases; equal to
/// [`fleiss_complete`] when nothing is missing. None as there.
pub fn fleiss(table: &[Vec<Option<bool>>]) -> Option<Coefficient> {
    gwet(table, Chance::Fleiss)
}

#[derive(Clone, Copy, PartialEq)]
enum Chance {
    Ac1,
    Fleiss,
}

fn gwet(table: &[Vec<Option<bool>>], chance: Chance) -> Option<Coefficient> {
    let tallies = tallies(table);
    let all = tallies.len() as f64;
    let pairable = tallies.iter().filter(|t| t.0 >= 2).count() as f64;
    if pairable == 0.0 {
        return None;
    }
    let share = |t: &(u64, u64)| t.1 as f64 / t.0 as f64;
    let agreement = |t: &(u64, u64)| -> f64 {
        if t.0 < 2 {
            return 0.0;
        }
        let (r, a) = (t.0 as f64, t.1 as f64);
        let b = r - a;
        (a * (a - 1.0) + b * (b - 1.0)) / (r * (r - 1.0))
    };
    let p = tallies.iter().map(share).sum::<f64>() / all;
    let observed = tallies.iter().map(agreement).sum::<f64>() / pairable;
    let expected = match chance {
        Chance::Ac1 => 2.0 * p * (1.0 - p),
        Chance::Fleiss => p * p + (1.0 - p) * (1.0 - p),
    };
    let room = 1.0 - expected;
    if room <= 1e-15 {
        return None;
    }
    let value = (observed - expected) / room;
    let mut squares = 0.0;
    for t in &tallies {
        let x = share(t);
        let (expected_here, own) = match chance {
            Chance::Ac1 => (x * (1.0 - p) + (1.0 - x) * p, expected),
            Chance::Fleiss => (x * p + (1.0 - x) * (1.0 - p), expected),
        };
        let here = if t.0 >= 2 { all / pairable * (agreement(t) - own) / room } else { 0.0 };
        let deviation = here - 2.0 * (1.0 - value) * (expected_here - expected) / room - value;
        squares += deviation * deviation;
    }
    let standard_error = (all > 1.0).then(|| (squares / (all * (all - 1.0))).sqrt());
    Some(Coefficient { value, standard_error, cases: tallies.len() as u64 })
}

/// Conger's kappa (1980): chance agreement from each reader's own rate, so that two readers give Cohen's
/// kappa. Missing reads as in Gwet (2014): agreement over cases with two reads, rates over each reader's own
/// cases. The standard error is the delete-one-case jackknife's. None when it is undefined.
pub fn conger(table: &[Vec<Option<bool>>]) -> Option<Coefficient> {
    let readers = reader_count(table);
    let mut total = CongerSums { agreement: 0.0, pairable: 0.0, rates: vec![(0.0, 0.0); readers] };
    let rows: Vec<&Vec<Option<bool>>> =
        table.iter().filter(|row| row.iter().flatten().next().is_some()).collect();
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

struct CongerSums {
    agreement: f64,
    pairable: f64,
    /// Reads and positive reads of each reader.
    rates: Vec<(f64, f64)>,
}

impl CongerSums {
    fn add(&mut self, row: &[Option<bool>], sign: f64) {
        let reads = row.iter().flatten().count() as f64;
        let positive = row.iter().flatten().filter(|r| **r).count() as f64;
        if reads >= 2.0 {
            let negative = reads - positive;
            self.pairable += sign;
            self.agreement +=
                sign * (positive * (positive - 1.0) + negative * (negative - 1.0)) / (reads * (reads - 1.0));
        }
        for (rate, read) in self.rates.iter_mut().zip(row) {
            if let Some(read) = read {
                rate.0 += sign;
                rate.1 += if *read { sign } else { 0.0 };
            }
        }
    }

    fn kappa(&self) -> Option<f64> {
        if self.pairable < 0.5 || self.rates.len() < 2 || self.rates.iter().any(|r| r.0 < 0.5) {
            return None;
        }
        let rates: Vec<f64> = self.rates.iter().map(|r| r.1 / r.0).collect();
        let readers = rates.len() as f64;
        let mut expected = 0.0;
        for (i, p) in rates.iter().enumerate() {
            for q in &rates[i + 1..] {
                expected += p * q + (1.0 - p) * (1.0 - q);
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
    fn one_answer_throughout_is_undefined_for_kappa_and_one_for_ac1() {
        let table = read("--- --- ---");
        assert_eq!(cohen(&table, 0, 1).kappa, None);
        assert_eq!(fleiss(&table), None);
        assert_eq!(fleiss_complete(&table), None);
        assert_eq!(krippendorff(&table), None);
        assert_eq!(conger(&table), None);
        assert_eq!(gwet_ac1(&table).expect("ac1").value, 1.0);
    }

    #[test]
    fn nothing_read_gives_none_and_never_nan() {
        let table = read("... +.. .-.");
        assert_eq!(gwet_ac1(&table), None);
        assert_eq!(krippendorff(&table), None);
        assert_eq!(conger(&table), None);
        assert_eq!(gwet_ac1(&[]), None);
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
