//! The bootstrap: what is drawn, how a replicate is evaluated quickly, and the intervals.
//!
//! Every replicate has its own [`Stream`], so results do not depend on threads. A replicate that cannot
//! be evaluated (one class alone, an empty denominator) is left out of the quantiles and counted.
//! Quantiles are of type 7 (Hyndman and Fan 1996), as numpy's and R's default.
//!
//! Why it is fast. The AUC does not depend on the order of neighbours of one class, so the larger
//! class collapses into the cells between distinct scores of the smaller; cell counts are drawn as
//! independent Poisson numbers conditioned on their sum, which is the multinomial law exactly; the smaller
//! class is drawn case by case against the cumulated cells. A 2×2 table needs three binomial draws.
//! Clustered resampling draws cluster counts and makes one pass over the sorted cases.

use std::collections::BTreeMap;

use rayon::prelude::*;

use super::confusion::Confusion;
use super::estimate::ResamplingUnit;
use super::random::{AliasTables, Law, Stream};
use super::roc::{dense_ids, groups, key};
use super::special::{normal_cdf, normal_quantile};

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

    /// Quantile of type 7 at `p` in 0..1; none when no replicate could be evaluated.
    pub fn quantile(&self, p: f64) -> Option<f64> {
        quantile(&self.values, p)
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

/// Type 7 quantile of ascending values.
pub fn quantile(sorted: &[f64], p: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let at = p.clamp(0.0, 1.0) * last as f64;
    let below = at.floor() as usize;
    let low = sorted[below];
    let high = sorted[(below + 1).min(last)];
    Some(low + (at - below as f64) * (high - low))
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
    blocks: Vec<Vec<u32>>,
    /// With many leaves: how often each is drawn at first; see [`Self::draw`].
    first_round: Option<(AliasTables, Law)>,
}

/// From this many leaves on, drawing one by one misses the nearer caches.
const MANY_LEAVES: usize = 2048;

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
            let law = tables.add_poisson(1.0 - 1.0 / (leaves as f64).sqrt());
            (tables, law)
        });
        Ok(Self { unit, leaf_of_case, leaves, blocks, first_round })
    }

    /// The leaf of each case with leaves numbered by their lowest score, so that a pass over sorted cases finds
    /// its weights near each other. Units that draw in blocks keep their numbers.
    fn leaves_in_order(&self, scores: &[f64]) -> Vec<u32> {
        if !self.blocks.is_empty() {
            return self.leaf_of_case.clone();
        }
        let mut order: Vec<(u64, u32)> =
            scores.iter().zip(&self.leaf_of_case).map(|(&s, &l)| (key(s), l)).collect();
        order.sort_unstable();
        let mut number = vec![u32::MAX; self.leaves];
        let mut next = 0;
        for (_, leaf) in order {
            let place = &mut number[leaf as usize];
            if *place == u32::MAX {
                *place = next;
                next += 1;
            }
        }
        self.leaf_of_case.iter().map(|&leaf| number[leaf as usize]).collect()
    }

    /// How often each leaf is drawn; `weights` has one entry a leaf.
    ///
    /// Many leaves are drawn in a first round of independent Poisson numbers, one standard deviation short in
    /// their sum; sums that are too large are refused, and the rest is drawn one by one. That is the multinomial law
    /// exactly, in one pass from left to right.
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
    let by_case = matches!(resampler.unit, ResamplingUnit::Case | ResamplingUnit::CaseStratified);
    let buffers = || (vec![0; resampler.leaves], vec![0; resampler.leaf_of_case.len()]);
    Replicates::collect(replicate(replicates, seed, buffers, |(leaves, cases), stream| {
        resampler.draw(stream, leaves);
        if by_case {
            return statistic(leaves);
        }
        for (weight, &leaf) in cases.iter_mut().zip(&resampler.leaf_of_case) {
            *weight = leaves[leaf as usize];
        }
        statistic(cases)
    }))
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

/// Replicates of the AUC (ties half).
pub fn auc(resampler: &Resampler, labels: &[bool], scores: &[f64], replicates: u64, seed: u64) -> Replicates {
    match resampler.unit {
        ResamplingUnit::Case | ResamplingUnit::CaseStratified => {
            let stratified = resampler.unit == ResamplingUnit::CaseStratified;
            match CollapsedAuc::new(labels, scores, stratified) {
                Some(plan) => Replicates::collect(replicate(
                    replicates,
                    seed,
                    || plan.scratch(),
                    |scratch, stream| plan.run(scratch, stream),
                )),
                None => Replicates { values: Vec::new(), dropped: replicates },
            }
        }
        _ => {
            let order = SortedCases::new(labels, scores, &resampler.leaves_in_order(scores));
            Replicates::collect(replicate(
                replicates,
                seed,
                || vec![0; resampler.leaves],
                |weights, stream| {
                    resampler.draw(stream, weights);
                    order.auc(weights)
                },
            ))
        }
    }
}

/// Replicates of AUC(a) − AUC(b) on the same draws.
pub fn auc_difference(
    resampler: &Resampler,
    labels: &[bool],
    scores_a: &[f64],
    scores_b: &[f64],
    replicates: u64,
    seed: u64,
) -> Replicates {
    let leaf_of_case = resampler.leaves_in_order(scores_a);
    let first = SortedCases::new(labels, scores_a, &leaf_of_case);
    let second = SortedCases::new(labels, scores_b, &leaf_of_case);
    Replicates::collect(replicate(
        replicates,
        seed,
        || vec![0; resampler.leaves],
        |weights, stream| {
            resampler.draw(stream, weights);
            Some(first.auc(weights)? - second.auc(weights)?)
        },
    ))
}

/// Cases in ascending order of score, negatives before positives among equals, for one pass a replicate.
struct SortedCases {
    /// leaf << 1 | label.
    entries: Vec<u32>,
    /// Ranges of entries with one score and both classes: (start, first positive, end).
    mixed_ties: Vec<(u32, u32, u32)>,
}

impl SortedCases {
    fn new(labels: &[bool], scores: &[f64], leaf_of_case: &[u32]) -> Self {
        let mut order: Vec<(u64, bool, u32)> =
            scores.iter().zip(labels).zip(leaf_of_case).map(|((&s, &l), &leaf)| (key(s), l, leaf)).collect();
        order.sort_unstable();
        let mut mixed_ties = Vec::new();
        let mut start = 0;
        for tied in order.chunk_by(|a, b| a.0 == b.0) {
            let negatives = tied.iter().filter(|t| !t.1).count();
            if negatives > 0 && negatives < tied.len() {
                mixed_ties.push((start as u32, (start + negatives) as u32, (start + tied.len()) as u32));
            }
            start += tied.len();
        }
        let entries = order.iter().map(|&(_, label, leaf)| leaf << 1 | u32::from(label)).collect();
        Self { entries, mixed_ties }
    }

    fn auc(&self, weights: &[u32]) -> Option<f64> {
        let (mut below, mut positives, mut wins) = (0_u64, 0_u64, 0_u64);
        for &entry in &self.entries {
            let weight = u64::from(weights[(entry >> 1) as usize]);
            let label = u64::from(entry & 1);
            // Sums of at most 2³² draws, and products of two of them, fit 64 bits.
            let positive = weight & label.wrapping_neg();
            below = below.wrapping_add(weight.wrapping_sub(positive));
            positives = positives.wrapping_add(positive);
            wins = wins.wrapping_add(positive.wrapping_mul(below));
        }
        let of = |from: u32, to: u32| -> u64 {
            self.entries[from as usize..to as usize]
                .iter()
                .map(|e| u64::from(weights[(e >> 1) as usize]))
                .sum()
        };
        let ties: u64 = self.mixed_ties.iter().map(|&(a, b, c)| of(a, b) * of(b, c)).sum();
        (positives > 0 && below > 0)
            .then(|| (2.0 * wins as f64 - ties as f64) / (2.0 * positives as f64 * below as f64))
    }
}

/// The case bootstrap of the AUC on collapsed cells.
///
/// "Minor" is the smaller class. Runs of neighbours of one class (and tied groups) are cells: for the minor
/// cases of run r, 2·(major cases below) + (major cases tied) is `cumulated[low[r]] + cumulated[high[r]]`.
struct CollapsedAuc {
    positives_are_minor: bool,
    stratified: bool,
    minor: u64,
    major: u64,
    low: Vec<u32>,
    high: Vec<u32>,
    minor_cells: Cells,
    major_cells: Cells,
}

/// How the cases of one class are drawn into its cells.
struct Cells {
    cell_of_case: Vec<u32>,
    cells: usize,
    /// Poisson numbers conditioned on their sum, then topped up case by case; without them, every case is
    /// drawn by itself.
    poisson: Option<PoissonCells>,
}

/// Poisson numbers of all cells. A cell of size s is the sum of independent numbers for the octal digits of s, so
/// that a few small tables, which stay in the nearest cache, serve every size.
struct PoissonCells {
    tables: AliasTables,
    /// Law and cell of each number, by ascending cell.
    numbers: Vec<(Law, u32)>,
}

struct Scratch {
    minor: Drawn,
    major: Drawn,
    placement: Vec<u32>,
}

/// Counts of one class.
struct Drawn {
    /// Counts drawn case by case, by cell.
    single: Vec<u32>,
    /// Counts of all cells up to and with each, after a leading 0.
    cumulated: Vec<u32>,
}

impl Drawn {
    fn new(cells: usize) -> Self {
        Self { single: vec![0; cells], cumulated: vec![0; cells + 1] }
    }
}

impl CollapsedAuc {
    fn new(labels: &[bool], scores: &[f64], stratified: bool) -> Option<Self> {
        let groups = groups(labels, scores);
        let positives: u64 = groups.iter().map(|g| g.positives).sum();
        let negatives = labels.len() as u64 - positives;
        if positives == 0 || negatives == 0 {
            return None;
        }
        let positives_are_minor = positives <= negatives;
        let (minor, major) =
            if positives_are_minor { (positives, negatives) } else { (negatives, positives) };
        let (mut low, mut high) = (Vec::new(), Vec::new());
        let (mut minor_sizes, mut major_sizes): (Vec<u64>, Vec<u64>) = (Vec::new(), Vec::new());
        // Which class may still join the last cell.
        let (mut minor_open, mut major_open) = (false, false);
        for g in &groups {
            let (here_minor, here_major) =
                if positives_are_minor { (g.positives, g.negatives) } else { (g.negatives, g.positives) };
            let tied = here_minor > 0 && here_major > 0;
            if here_minor > 0 {
                match minor_sizes.last_mut().filter(|_| minor_open && !tied) {
                    Some(last) => *last += here_minor,
                    None => {
                        minor_sizes.push(here_minor);
                        low.push(major_sizes.len() as u32);
                        high.push(major_sizes.len() as u32 + u32::from(tied));
                    }
                }
            }
            if here_major > 0 {
                match major_sizes.last_mut().filter(|_| major_open && !tied) {
                    Some(last) => *last += here_major,
                    None => major_sizes.push(here_major),
                }
            }
            (minor_open, major_open) = (!tied && here_minor > 0, !tied && here_major > 0);
        }
        // The number drawn of a class varies around its size.
        let spread = if stratified { 0.0 } else { minor as f64 * major as f64 / (minor + major) as f64 };
        Some(Self {
            positives_are_minor,
            stratified,
            minor,
            major,
            low,
            high,
            minor_cells: Cells::new(&minor_sizes, minor, spread),
            major_cells: Cells::new(&major_sizes, major, spread),
        })
    }

    fn scratch(&self) -> Scratch {
        Scratch {
            minor: Drawn::new(self.minor_cells.cells),
            major: Drawn::new(self.major_cells.cells),
            placement: vec![0; self.low.len()],
        }
    }

    fn run(&self, scratch: &mut Scratch, stream: &mut Stream) -> Option<f64> {
        let total = self.minor + self.major;
        let minor = if self.stratified {
            self.minor
        } else {
            stream.binomial(total, self.minor as f64 / total as f64)
        };
        let major = total - minor;
        if minor == 0 || major == 0 {
            return None;
        }
        self.major_cells.draw(major, &mut scratch.major, stream);
        let below = &scratch.major.cumulated;
        for ((placement, &low), &high) in scratch.placement.iter_mut().zip(&self.low).zip(&self.high) {
            *placement = below[low as usize] + below[high as usize];
        }
        let wins: u64 = if self.minor_cells.poisson.is_some() {
            self.minor_cells.draw(minor, &mut scratch.minor, stream);
            let counts = scratch.minor.cumulated.windows(2).map(|w| u64::from(w[1] - w[0]));
            counts.zip(&scratch.placement).map(|(count, &placement)| count * u64::from(placement)).sum()
        } else {
            let mut wins = 0;
            let (cells, size) = (&self.minor_cells.cell_of_case, self.minor as u32);
            draw_many(stream, minor, size, |case| {
                wins = u64::wrapping_add(wins, u64::from(scratch.placement[cells[case as usize] as usize]));
            });
            wins
        };
        let pairs = 2 * minor * major;
        let wins = if self.positives_are_minor { wins } else { pairs - wins };
        Some(wins as f64 / pairs as f64)
    }
}

/// `times` draws with replacement from 0..`size`.
#[inline]
fn draw_many(stream: &mut Stream, times: u64, size: u32, mut hit: impl FnMut(u32)) {
    for _ in 0..times / 2 {
        let (a, b) = stream.two_below(size);
        hit(a);
        hit(b);
    }
    if times % 2 == 1 {
        hit(stream.below(size));
    }
}

impl Cells {
    /// `class` cases in cells of `sizes`; the number drawn varies with variance `spread`.
    fn new(sizes: &[u64], class: u64, spread: f64) -> Self {
        let mut cell_of_case = Vec::with_capacity(class as usize);
        for (cell, &size) in (0_u32..).zip(sizes) {
            cell_of_case.extend(std::iter::repeat_n(cell, size as usize));
        }
        let mut out = Self { cell_of_case, cells: sizes.len(), poisson: None };
        // The Poisson sum must rarely exceed the number to draw: stay below it by one standard deviation.
        let slack = (class as f64 + spread).sqrt();
        let digits: u32 = sizes.iter().map(|&s| octal_digits(s).count() as u32).sum();
        // Rough costs in nanoseconds: a draw of a case misses the nearer caches when the class is large.
        let single = if class < 8192 { 1.6 } else { 4.0 };
        let by_poisson = f64::from(digits) * 1.6 / 0.84 + sizes.len() as f64 + 1.3 * slack * single;
        if by_poisson >= class as f64 * single || slack * 2.0 > class as f64 {
            return out;
        }
        let rate = (class as f64 - slack) / class as f64;
        let mut tables = AliasTables::default();
        let mut laws: BTreeMap<u64, Law> = BTreeMap::new();
        let mut numbers = Vec::with_capacity(digits as usize);
        for (cell, &size) in (0_u32..).zip(sizes) {
            for part in octal_digits(size) {
                let law = *laws.entry(part).or_insert_with(|| tables.add_poisson(part as f64 * rate));
                numbers.push((law, cell));
            }
        }
        out.poisson = Some(PoissonCells { tables, numbers });
        out
    }

    /// Multinomial counts of `total` draws, cumulated.
    fn draw(&self, total: u64, drawn: &mut Drawn, stream: &mut Stream) {
        let missing = match &self.poisson {
            None => {
                drawn.cumulated.fill(0);
                total
            }
            // Given their sum, Poisson counts are multinomial; refusing sums above `total` conditions on the
            // sum alone, and the rest is drawn case by case.
            Some(poisson) => loop {
                let mut sum = 0_u32;
                for &(law, cell) in &poisson.numbers {
                    // At most 2³² cases: no sum can wrap.
                    sum = sum.wrapping_add(poisson.tables.draw(law, stream));
                    drawn.cumulated[cell as usize + 1] = sum;
                }
                if u64::from(sum) <= total {
                    break total - u64::from(sum);
                }
            },
        };
        drawn.single.fill(0);
        let size = self.cell_of_case.len() as u32;
        draw_many(stream, missing, size, |case| {
            drawn.single[self.cell_of_case[case as usize] as usize] += 1;
        });
        let mut sum = 0;
        for (cumulated, &single) in drawn.cumulated[1..].iter_mut().zip(&drawn.single) {
            sum = single.wrapping_add(sum);
            *cumulated = cumulated.wrapping_add(sum);
        }
    }
}

/// The parts d·8^k of a number by its octal digits, at most 8⁶ each: a larger number has several of those.
fn octal_digits(mut size: u64) -> impl Iterator<Item = u64> {
    const LARGEST: u64 = 1 << 18;
    let mut unit = 1;
    std::iter::from_fn(move || {
        while size > 0 {
            if unit == LARGEST {
                size -= 1;
                return Some(LARGEST);
            }
            let (digit, part) = (size % 8, unit);
            size /= 8;
            unit *= 8;
            if digit > 0 {
                return Some(digit * part);
            }
        }
        None
    })
}

/// Leave-one-unit-out values of the AUC, in closed form from the placements: each with how many units
/// give it. Empty when a class is empty; units whose removal empties a class are left out.
pub fn auc_jackknife(resampler: &Resampler, labels: &[bool], scores: &[f64]) -> Vec<(f64, u64)> {
    #[derive(Clone, Default)]
    struct Leaf {
        positives: Vec<u64>,
        negatives: Vec<u64>,
        placements: u128,
    }
    let placements = super::roc::placements(labels, scores);
    let m = labels.iter().filter(|&&l| l).count() as u64;
    let n = labels.len() as u64 - m;
    let wins: u128 = placements.iter().zip(labels).filter(|(_, l)| **l).map(|(&p, _)| u128::from(p)).sum();
    // Two-stage resampling is accelerated by its outer unit.
    let (units, unit_of_leaf) = if resampler.unit == ResamplingUnit::SiteThenPatient {
        let mut unit_of_leaf = vec![0; resampler.leaves];
        for (site, block) in resampler.blocks.iter().enumerate() {
            for &leaf in block {
                unit_of_leaf[leaf as usize] = site;
            }
        }
        (resampler.blocks.len(), unit_of_leaf)
    } else {
        (resampler.leaves, (0..resampler.leaves).collect())
    };
    let mut leaves = vec![Leaf::default(); units];
    for (case, (&leaf, &label)) in resampler.leaf_of_case.iter().zip(labels).enumerate() {
        let leaf = &mut leaves[unit_of_leaf[leaf as usize]];
        leaf.placements += u128::from(placements[case]);
        if label { leaf.positives.push(key(scores[case])) } else { leaf.negatives.push(key(scores[case])) }
    }
    let mut out = Vec::with_capacity(units);
    for leaf in &leaves {
        let (kept_m, kept_n) = (m - leaf.positives.len() as u64, n - leaf.negatives.len() as u64);
        if kept_m == 0 || kept_n == 0 {
            continue;
        }
        // Pairs inside the unit are in both sums of placements.
        let mut inside = 0_u128;
        for p in &leaf.positives {
            for q in &leaf.negatives {
                inside += match p.cmp(q) {
                    std::cmp::Ordering::Greater => 2,
                    std::cmp::Ordering::Equal => 1,
                    std::cmp::Ordering::Less => 0,
                };
            }
        }
        let kept = wins + inside - leaf.placements;
        out.push((kept as f64 / (2.0 * kept_m as f64 * kept_n as f64), 1));
    }
    out
}

/// Leave-one-unit-out values of a number made from the 2×2 table.
pub fn confusion_jackknife(
    resampler: &Resampler,
    labels: &[bool],
    calls: &[bool],
    statistic: fn(&Confusion) -> Option<f64>,
) -> Vec<(f64, u64)> {
    let mut table = Confusion::default();
    let mut tables = vec![Confusion::default(); resampler.leaves];
    for ((&leaf, &label), &call) in resampler.leaf_of_case.iter().zip(labels).zip(calls) {
        table.count(label, call);
        tables[leaf as usize].count(label, call);
    }
    if resampler.unit == ResamplingUnit::SiteThenPatient {
        let leaves = std::mem::take(&mut tables);
        for block in &resampler.blocks {
            let mut site = Confusion::default();
            for &leaf in block {
                site = plus(site, leaves[leaf as usize]);
            }
            tables.push(site);
        }
    }
    let key = |t: &Confusion| [t.true_positives, t.false_negatives, t.false_positives, t.true_negatives];
    tables.sort_unstable_by_key(key);
    let mut out = Vec::new();
    for same in tables.chunk_by(|a, b| a == b) {
        let kept = Confusion {
            true_positives: table.true_positives - same[0].true_positives,
            false_negatives: table.false_negatives - same[0].false_negatives,
            false_positives: table.false_positives - same[0].false_positives,
            true_negatives: table.true_negatives - same[0].true_negatives,
        };
        if let Some(value) = statistic(&kept) {
            out.push((value, same.len() as u64));
        }
    }
    out
}

fn plus(a: Confusion, b: Confusion) -> Confusion {
    Confusion {
        true_positives: a.true_positives + b.true_positives,
        false_negatives: a.false_negatives + b.false_negatives,
        false_positives: a.false_positives + b.false_positives,
        true_negatives: a.true_negatives + b.true_negatives,
    }
}

/// Leave-one-unit-out values of any statistic of weighted cases, by brute force: one evaluation a unit.
pub fn weighted_jackknife(
    resampler: &Resampler,
    statistic: impl Fn(&[u32]) -> Option<f64> + Sync + Send,
) -> Vec<(f64, u64)> {
    let values: Vec<Option<f64>> = (0..resampler.leaves as u32)
        .into_par_iter()
        .map_init(
            || vec![1_u32; resampler.leaf_of_case.len()],
            |weights, removed| {
                for (weight, &leaf) in weights.iter_mut().zip(&resampler.leaf_of_case) {
                    *weight = u32::from(leaf != removed);
                }
                statistic(weights)
            },
        )
        .collect();
    values.into_iter().flatten().map(|v| (v, 1)).collect()
}
