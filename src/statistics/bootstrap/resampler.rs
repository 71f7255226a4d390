//! What is drawn, the replicates of it, and the intervals that are their quantiles.

use rayon::prelude::*;

use crate::confusion::Confusion;
use crate::estimate::ResamplingUnit;
use crate::quantile;
use crate::random::{AliasTables, Law, Stream};
use crate::ranks::dense_ids;
use crate::special::{normal_cdf, normal_quantile};

/// What is resampled. One entry a case everywhere.
#[derive(Clone, Copy, Debug)]
pub struct Cases<'a> {
    /// Reference standard.
    pub labels: &'a [bool],
    /// Patient of each case; needed by the units that draw patients.
    pub patients: Option<&'a [u32]>,
    /// Site of each case; needed by the units that draw sites.
    pub sites: Option<&'a [u32]>,
}

/// The evaluable replicates of one statistic.
#[derive(Clone, Debug, PartialEq)]
pub struct Replicates {
    /// Values, ascending.
    pub values: Vec<f64>,
    /// Replicates that could not be evaluated.
    pub dropped: u64,
}

impl Replicates {
    /// Sorts what could be evaluated and counts the rest.
    pub fn collect(values: Vec<Option<f64>>) -> Self {
        let drawn = values.len();
        let mut values: Vec<f64> = values.into_iter().flatten().filter(|v| v.is_finite()).collect();
        values.sort_unstable_by(f64::total_cmp);
        let dropped = (drawn - values.len()) as u64;
        Self { values, dropped }
    }

    /// Quantile at `p` in 0..1; none when no replicate could be evaluated.
    pub fn quantile(&self, p: f64) -> Option<f64> {
        quantile::of_ascending(&self.values, p)
    }

    /// Standard deviation of the replicates (n − 1); none below two.
    pub fn standard_error(&self) -> Option<f64> {
        let n = self.values.len() as f64;
        if self.values.len() < 2 {
            return None;
        }
        let mean = self.values.iter().sum::<f64>() / n;
        Some((self.values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt())
    }

    /// Percentile interval.
    pub fn percentile(&self, level: f64) -> Option<(f64, f64)> {
        let tail = (1.0 - level) / 2.0;
        Some((self.quantile(tail)?, self.quantile(1.0 - tail)?))
    }

    /// Basic (reverse percentile) interval: 2θ − upper, 2θ − lower. It can leave the range of the statistic.
    pub fn basic(&self, value: f64, level: f64) -> Option<(f64, f64)> {
        let (lower, upper) = self.percentile(level)?;
        Some((2.0 * value - upper, 2.0 * value - lower))
    }

    /// Bias-corrected and accelerated interval (Efron 1987). z₀ counts replicates at the estimate half. None
    /// when every replicate lies on one side of the estimate.
    pub fn bca(&self, value: f64, acceleration: f64, level: f64) -> Option<(f64, f64)> {
        let n = self.values.len();
        if n == 0 {
            return None;
        }
        let below = self.values.partition_point(|v| *v < value);
        let up_to = self.values.partition_point(|v| *v <= value);
        let z0 = normal_quantile((below + up_to) as f64 / (2 * n) as f64);
        let tail = (1.0 - level) / 2.0;
        let z = normal_quantile(tail);
        let corrected = |z: f64| normal_cdf(z0 + (z0 + z) / (1.0 - acceleration * (z0 + z)));
        if !z0.is_finite() || 1.0 - acceleration * (z0 - z) <= 0.0 || 1.0 - acceleration * (z0 + z) <= 0.0 {
            return None;
        }
        Some((self.quantile(corrected(z))?, self.quantile(corrected(-z))?))
    }
}

/// Acceleration from deviations of a jackknife: pairs (leave-one-out value, how many units give it).
/// Zero when the jackknife does not move.
pub fn acceleration(jackknife: &[(f64, u64)]) -> f64 {
    let count: u64 = jackknife.iter().map(|j| j.1).sum();
    if count == 0 {
        return 0.0;
    }
    let mean = jackknife.iter().map(|j| j.0 * j.1 as f64).sum::<f64>() / count as f64;
    let (mut squares, mut cubes) = (0.0, 0.0);
    for &(value, times) in jackknife {
        let deviation = mean - value;
        squares += times as f64 * deviation * deviation;
        cubes += times as f64 * deviation * deviation * deviation;
    }
    if squares > 0.0 { cubes / (6.0 * squares * squares.sqrt()) } else { 0.0 }
}

/// How units are drawn: the plan of one resampling unit on one set of cases.
#[derive(Clone, Debug)]
pub struct Resampler {
    /// What is drawn.
    pub unit: ResamplingUnit,
    /// The leaf (case, patient or site) of each case.
    pub leaf_of_case: Vec<u32>,
    /// How many leaves there are.
    pub leaves: usize,
    /// Groups of leaves that are drawn from separately (classes), or two-stage (patients by site).
    pub(super) blocks: Vec<Vec<u32>>,
    /// With many leaves: how often each is drawn at first; see [`Self::draw`].
    first_round: Option<(AliasTables, Law)>,
}

/// From this many leaves on, drawing one by one misses the nearer caches.
pub(super) const MANY_LEAVES: usize = 2048;
/// How many standard deviations the sum of a first round of Poisson numbers stays below the number to draw:
/// 98 % of first rounds are then kept, and few draws are left to make one by one.
pub(super) const SLACK: f64 = 2.0;

impl Resampler {
    /// Prepares a unit.
    ///
    /// # Errors
    /// In words, when the unit needs patients or sites that are not there.
    pub fn new(unit: ResamplingUnit, cases: &Cases<'_>) -> Result<Self, String> {
        let n = cases.labels.len();
        let own = || (0..n as u32).collect::<Vec<u32>>();
        let need = |ids: Option<&[u32]>, what: &str| {
            ids.map(dense_ids).ok_or(format!("the bootstrap draws {what}s, and no {what} is recorded"))
        };
        let (leaf_of_case, leaves, blocks) = match unit {
            ResamplingUnit::Case => (own(), n, Vec::new()),
            ResamplingUnit::CaseStratified => {
                let (positives, negatives) =
                    (0..n as u32).partition::<Vec<u32>, _>(|&i| cases.labels[i as usize]);
                let blocks = [positives, negatives].into_iter().filter(|b| !b.is_empty()).collect();
                (own(), n, blocks)
            }
            ResamplingUnit::Patient => {
                let (leaf, count) = need(cases.patients, "patient")?;
                (leaf, count, Vec::new())
            }
            ResamplingUnit::Site => {
                let (leaf, count) = need(cases.sites, "site")?;
                (leaf, count, Vec::new())
            }
            ResamplingUnit::SiteThenPatient => {
                let (patients, _) = need(cases.patients, "patient")?;
                let (sites, site_count) = need(cases.sites, "site")?;
                // A patient seen at two sites is two leaves.
                let pairs: Vec<(u32, u32)> = sites.iter().copied().zip(patients).collect();
                let mut distinct = pairs.clone();
                distinct.sort_unstable();
                distinct.dedup();
                let leaf = pairs.iter().map(|p| distinct.partition_point(|d| d < p) as u32).collect();
                let mut blocks = vec![Vec::new(); site_count];
                for (leaf, pair) in (0_u32..).zip(&distinct) {
                    blocks[pair.0 as usize].push(leaf);
                }
                (leaf, distinct.len(), blocks)
            }
        };
        let first_round = (leaves >= MANY_LEAVES && blocks.is_empty()).then(|| {
            let mut tables = AliasTables::default();
            let law = tables.add_poisson(1.0 - SLACK / (leaves as f64).sqrt());
            (tables, law)
        });
        Ok(Self { unit, leaf_of_case, leaves, blocks, first_round })
    }

    /// How often each leaf is drawn; `weights` has one entry a leaf.
    ///
    /// Many leaves are drawn in a first round of independent Poisson numbers, [`SLACK`] standard deviations
    /// short in their sum; sums that are too large are refused, and the rest is drawn one by one. That is the
    /// multinomial law exactly, in one pass from left to right.
    pub fn draw(&self, stream: &mut Stream, weights: &mut [u32]) {
        if let Some((tables, law)) = &self.first_round {
            loop {
                let mut sum = 0;
                for weight in weights.iter_mut() {
                    *weight = tables.draw(*law, stream);
                    sum = usize::wrapping_add(sum, *weight as usize);
                }
                if sum <= self.leaves {
                    draw_many(stream, (self.leaves - sum) as u64, self.leaves as u32, |i| {
                        weights[i as usize] += 1;
                    });
                    return;
                }
            }
        }
        weights.fill(0);
        match self.unit {
            ResamplingUnit::CaseStratified => {
                for block in &self.blocks {
                    draw_from(stream, block.len(), |i| weights[block[i as usize] as usize] += 1);
                }
            }
            ResamplingUnit::SiteThenPatient => {
                for _ in 0..self.blocks.len() {
                    let block = &self.blocks[stream.below(self.blocks.len() as u32) as usize];
                    draw_from(stream, block.len(), |i| weights[block[i as usize] as usize] += 1);
                }
            }
            ResamplingUnit::Case | ResamplingUnit::Patient | ResamplingUnit::Site => {
                draw_from(stream, self.leaves, |i| weights[i as usize] += 1);
            }
        }
    }
}

/// `n` draws with replacement from 0..n.
#[inline]
fn draw_from(stream: &mut Stream, n: usize, hit: impl FnMut(u32)) {
    draw_many(stream, n as u64, n as u32, hit);
}

/// Runs `replicates` replicates of anything; `scratch` makes the buffers of a thread.
pub fn replicate<S, R: Send>(
    replicates: u64,
    seed: u64,
    scratch: impl Fn() -> S + Sync + Send,
    run: impl Fn(&mut S, &mut Stream) -> R + Sync + Send,
) -> Vec<R> {
    (0..replicates as usize)
        .into_par_iter()
        .with_min_len(32)
        .map_init(scratch, |buffers, index| run(buffers, &mut Stream::new(seed, index as u64)))
        .collect()
}

/// Replicates of any statistic of weighted cases: `statistic` gets how often each case was drawn.
pub fn weighted(
    resampler: &Resampler,
    replicates: u64,
    seed: u64,
    statistic: impl Fn(&[u32]) -> Option<f64> + Sync + Send,
) -> Replicates {
    Replicates::collect(weightings(resampler, replicates, seed, statistic))
}

/// Replicates of several statistics of one drawing: each is the same as from [`weighted`] by itself, and the
/// cases are drawn once. `statistics` gets how often each case was drawn and gives `count` values.
pub fn weighted_each<V: AsRef<[Option<f64>]> + Send + Sync>(
    resampler: &Resampler,
    replicates: u64,
    seed: u64,
    count: usize,
    statistics: impl Fn(&[u32]) -> V + Sync + Send,
) -> Vec<Replicates> {
    let drawn = weightings(resampler, replicates, seed, statistics);
    let of = |nth: usize| drawn.iter().map(|values| values.as_ref().get(nth).copied().flatten()).collect();
    (0..count).map(|nth| Replicates::collect(of(nth))).collect()
}

/// What `of` gives of how often each case was drawn, of every replicate.
fn weightings<R: Send>(
    resampler: &Resampler,
    replicates: u64,
    seed: u64,
    of: impl Fn(&[u32]) -> R + Sync + Send,
) -> Vec<R> {
    let by_case = matches!(resampler.unit, ResamplingUnit::Case | ResamplingUnit::CaseStratified);
    let buffers = || (vec![0; resampler.leaves], vec![0; resampler.leaf_of_case.len()]);
    replicate(replicates, seed, buffers, |(leaves, cases), stream| {
        resampler.draw(stream, leaves);
        if by_case {
            return of(leaves);
        }
        for (weight, &leaf) in cases.iter_mut().zip(&resampler.leaf_of_case) {
            *weight = leaves[leaf as usize];
        }
        of(cases)
    })
}

/// Replicates of a number made from the 2×2 table of `labels` and `calls`.
pub fn confusion_with(
    resampler: &Resampler,
    labels: &[bool],
    calls: &[bool],
    replicates: u64,
    seed: u64,
    statistic: impl Fn(&Confusion) -> Option<f64>,
) -> Replicates {
    let drawn = confusion_tables(resampler, labels, calls, replicates, seed);
    Replicates::collect(drawn.iter().map(statistic).collect())
}

/// The 2×2 tables of all replicates, in their order: several statistics can be made from one drawing.
pub fn confusion_tables(
    resampler: &Resampler,
    labels: &[bool],
    calls: &[bool],
    replicates: u64,
    seed: u64,
) -> Vec<Confusion> {
    if matches!(resampler.unit, ResamplingUnit::Case | ResamplingUnit::CaseStratified) {
        let mut table = Confusion::default();
        for (&label, &call) in labels.iter().zip(calls) {
            table.count(label, call);
        }
        let stratified = resampler.unit == ResamplingUnit::CaseStratified;
        return replicate(replicates, seed, || (), |(), stream| resampled_table(&table, stratified, stream));
    }
    let mut tables = vec![[0_u32; 4]; resampler.leaves];
    for ((&leaf, &label), &call) in resampler.leaf_of_case.iter().zip(labels).zip(calls) {
        tables[leaf as usize][usize::from(!label) * 2 + usize::from(label != call)] += 1;
    }
    replicate(
        replicates,
        seed,
        || vec![0; resampler.leaves],
        |weights, stream| {
            resampler.draw(stream, weights);
            let mut sum = [0_u64; 4];
            for (&weight, table) in weights.iter().zip(&tables) {
                for (total, &count) in sum.iter_mut().zip(table) {
                    *total += u64::from(weight) * u64::from(count);
                }
            }
            Confusion {
                true_positives: sum[0],
                false_negatives: sum[1],
                true_negatives: sum[2],
                false_positives: sum[3],
            }
        },
    )
}

/// The table of one case bootstrap: multinomial as a chain of binomials.
fn resampled_table(table: &Confusion, stratified: bool, stream: &mut Stream) -> Confusion {
    let (m, total) = (table.positives(), table.total());
    let drawn = if stratified { m } else { stream.binomial(total, m as f64 / total.max(1) as f64) };
    let rest = total - drawn;
    let tp = stream.binomial(drawn, table.true_positives as f64 / m.max(1) as f64);
    let fp = stream.binomial(rest, table.false_positives as f64 / table.negatives().max(1) as f64);
    Confusion {
        true_positives: tp,
        false_negatives: drawn - tp,
        false_positives: fp,
        true_negatives: rest - fp,
    }
}
/// `times` draws with replacement from 0..`size`.
#[inline]
pub(super) fn draw_many(stream: &mut Stream, times: u64, size: u32, mut hit: impl FnMut(u32)) {
    for _ in 0..times / 2 {
        let (a, b) = stream.two_below(size);
        hit(a);
        hit(b);
    }
    if times % 2 == 1 {
        hit(stream.below(size));
    }
}
