//! The bootstrap of AUCs through placements: of one AUC when units are patients or sites, and of the
//! difference of two AUCs of the same cases.
//!
//! "Minor" is the smaller class. Twice the number of minor cases that score below a major case (ties once)
//! follows from the cumulated weights of the minor cases in the order of their scores, at a place that is the
//! same in every replicate. So a replicate sorts nothing: it fills one small table a score from the minor
//! weights and sums weight × table entry over the major cases, in the order in which they lie in memory.

use crate::bootstrap::collapsed::{CollapsedAuc, octal_digits};
use crate::bootstrap::resampler::{MANY_LEAVES, Replicates, Resampler, SLACK, draw_many, replicate};
use crate::estimate::ResamplingUnit;
use crate::random::{AliasTables, Law, Stream};
use crate::ranks::key;

/// Up to so many cases the difference of two doubled counts of the smaller class fits a signed number of 32
/// bits.
const MOST_CASES: usize = 1 << 30;

/// Up to so many cases it fits 16 bits without a sign: the tables of a replicate are half as large.
const MOST_NARROW_CASES: usize = 1 << 15;

/// Replicates of the AUC (ties half).
pub fn auc(resampler: &Resampler, labels: &[bool], scores: &[f64], replicates: u64, seed: u64) -> Replicates {
    if !matches!(resampler.unit, ResamplingUnit::Case | ResamplingUnit::CaseStratified) {
        return by_leaf(resampler, labels, [scores], replicates, seed);
    }
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

/// Replicates of AUC(a) − AUC(b) on the same draws.
pub fn auc_difference(
    resampler: &Resampler,
    labels: &[bool],
    scores_a: &[f64],
    scores_b: &[f64],
    replicates: u64,
    seed: u64,
) -> Replicates {
    let scores = [scores_a, scores_b];
    let by_case = matches!(resampler.unit, ResamplingUnit::Case | ResamplingUnit::CaseStratified);
    if !by_case || labels.len() > MOST_CASES {
        return by_leaf(resampler, labels, scores, replicates, seed);
    }
    let stratified = resampler.unit == ResamplingUnit::CaseStratified;
    if labels.len() <= MOST_NARROW_CASES {
        paired_by_case::<u16>(labels, scores, stratified, replicates, seed)
    } else {
        paired_by_case::<u32>(labels, scores, stratified, replicates, seed)
    }
}

fn paired_by_case<T: Width>(
    labels: &[bool],
    scores: [&[f64]; 2],
    stratified: bool,
    replicates: u64,
    seed: u64,
) -> Replicates {
    let plan = PairedByCase::<T>::new(labels, scores, stratified);
    Replicates::collect(replicate(
        replicates,
        seed,
        || plan.scratch(),
        |scratch, stream| plan.run(scratch, stream),
    ))
}

/// The cases by class, with one placement a score.
struct Classes<const K: usize> {
    positives_are_minor: bool,
    /// Indices of the cases of each class: by the first score, and as they lie.
    minor: Vec<u32>,
    major: Vec<u32>,
    scores: [Placement; K],
    /// For each major case its cut in each score.
    cuts: Vec<[u32; K]>,
}

/// Where the major cases of one score lie among the minor ones.
struct Placement {
    /// The minor cases (their numbers within the class) by ascending score.
    order: Vec<u32>,
    /// The places that occur: minor cases below, and minor cases not above.
    cuts: Vec<(u32, u32)>,
}

/// Counts and places of cases. Narrow ones keep the tables of a replicate in the nearest cache.
trait Width: Copy + Default + Send + Sync {
    /// A number that fits.
    fn of(number: u32) -> Self;
    fn place(self) -> usize;
    fn plus(self, other: Self) -> Self;
    fn minus(self, other: Self) -> i64;
}

impl Width for u16 {
    #[inline]
    fn of(number: u32) -> Self {
        number as Self
    }
    #[inline]
    fn place(self) -> usize {
        usize::from(self)
    }
    #[inline]
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
    #[inline]
    fn minus(self, other: Self) -> i64 {
        i64::from(self) - i64::from(other)
    }
}

impl Width for u32 {
    #[inline]
    fn of(number: u32) -> Self {
        number
    }
    #[inline]
    fn place(self) -> usize {
        self as usize
    }
    #[inline]
    fn plus(self, other: Self) -> Self {
        self.wrapping_add(other)
    }
    #[inline]
    fn minus(self, other: Self) -> i64 {
        i64::from(self.wrapping_sub(other) as i32)
    }
}

impl Placement {
    /// The placement of one score, and the cut of each major case.
    fn new(minor: &[u64], major: &[u64]) -> (Self, Vec<u32>) {
        let mut order: Vec<u32> = (0..minor.len() as u32).collect();
        order.sort_by_key(|&i| minor[i as usize]);
        let sorted: Vec<u64> = order.iter().map(|&i| minor[i as usize]).collect();
        let place =
            |k: &u64| (sorted.partition_point(|m| m < k) as u32, sorted.partition_point(|m| m <= k) as u32);
        let places: Vec<(u32, u32)> = major.iter().map(place).collect();
        let mut cuts = places.clone();
        cuts.sort_unstable();
        cuts.dedup();
        let cut_of_major = places.iter().map(|p| cuts.partition_point(|c| c < p) as u32).collect();
        (Self { order, cuts }, cut_of_major)
    }

    /// Fills `wins`, one entry a cut: twice the weight of the minor cases below plus the weight of those
    /// tied.
    fn fill(&self, weight_of_minor: impl Fn(u32) -> u32, cumulated: &mut [u64], wins: &mut [u64]) {
        let mut sum = 0_u64;
        for (place, &minor) in cumulated[1..].iter_mut().zip(&self.order) {
            sum = sum.wrapping_add(u64::from(weight_of_minor(minor)));
            *place = sum;
        }
        for (entry, &(below, up_to)) in wins.iter_mut().zip(&self.cuts) {
            *entry = cumulated[below as usize].wrapping_add(cumulated[up_to as usize]);
        }
    }
}

impl<const K: usize> Classes<K> {
    fn new(labels: &[bool], scores: [&[f64]; K]) -> Self {
        let (positives, negatives): (Vec<u32>, Vec<u32>) =
            (0..labels.len() as u32).partition(|&i| labels[i as usize]);
        let positives_are_minor = positives.len() <= negatives.len();
        let (mut minor, major) =
            if positives_are_minor { (positives, negatives) } else { (negatives, positives) };
        // In the order of the first score, so that one pass at least reads its weights from left to right.
        if let Some(first) = scores.first() {
            minor.sort_by_key(|&i| key(first[i as usize]));
        }
        let mut cuts = vec![[0; K]; major.len()];
        let mut index = 0;
        let scores = scores.map(|scores| {
            let keys = |class: &[u32]| class.iter().map(|&i| key(scores[i as usize])).collect::<Vec<u64>>();
            let (placement, cut_of_major) = Placement::new(&keys(&minor), &keys(&major));
            for (cuts, cut) in cuts.iter_mut().zip(cut_of_major) {
                cuts[index] = cut;
            }
            index += 1;
            placement
        });
        Self { positives_are_minor, minor, major, scores, cuts }
    }

    /// Buffers: cumulated weights, and the wins of each score.
    fn buffers(&self) -> (Vec<u64>, [Vec<u64>; K]) {
        let wins = std::array::from_fn(|k| vec![0; self.scores[k].cuts.len()]);
        (vec![0; self.minor.len() + 1], wins)
    }

    /// From sums of weight × wins: the AUC, or with two scores the first minus the second.
    fn statistic(&self, sums: [u64; K], minor: u64, major: u64) -> Option<f64> {
        if minor == 0 || major == 0 {
            return None;
        }
        let pairs = 2.0 * minor as f64 * major as f64;
        let first = sums.first().copied().unwrap_or_default();
        // `wins` count minor cases below major ones: the AUC itself when the positives are the major class.
        Some(match sums.get(1) {
            None if self.positives_are_minor => (pairs - first as f64) / pairs,
            None => first as f64 / pairs,
            Some(&second) => {
                // Wrapping sums: their difference is exact as a signed number.
                let difference = first.wrapping_sub(second) as i64 as f64;
                if self.positives_are_minor { -difference / pairs } else { difference / pairs }
            }
        })
    }
}

/// Replicates that draw patients or sites: the weight of a case is that of its leaf.
fn by_leaf<const K: usize>(
    resampler: &Resampler,
    labels: &[bool],
    scores: [&[f64]; K],
    replicates: u64,
    seed: u64,
) -> Replicates {
    let classes = Classes::new(labels, scores);
    let leaves =
        |class: &[u32]| -> Vec<u32> { class.iter().map(|&i| resampler.leaf_of_case[i as usize]).collect() };
    let leaf_of_minor = leaves(&classes.minor);
    let mut major: Vec<(u32, [u32; K])> =
        leaves(&classes.major).into_iter().zip(classes.cuts.iter().copied()).collect();
    // From left to right through the weights.
    major.sort_unstable();
    let buffers = || (vec![0_u32; resampler.leaves], classes.buffers());
    Replicates::collect(replicate(replicates, seed, buffers, |(weights, (cumulated, wins)), stream| {
        resampler.draw(stream, weights);
        let weight_of = |minor: u32| weights[leaf_of_minor[minor as usize] as usize];
        for (placement, wins) in classes.scores.iter().zip(wins.iter_mut()) {
            placement.fill(weight_of, cumulated, wins);
        }
        let minor_drawn = cumulated.last().copied().unwrap_or_default();
        let (mut major_drawn, mut sums) = (0_u64, [0_u64; K]);
        for (leaf, cuts) in &major {
            let weight = u64::from(weights[*leaf as usize]);
            major_drawn = major_drawn.wrapping_add(weight);
            for ((sum, wins), &cut) in sums.iter_mut().zip(wins.iter()).zip(cuts) {
                *sum = sum.wrapping_add(weight.wrapping_mul(wins[cut as usize]));
            }
        }
        classes.statistic(sums, minor_drawn, major_drawn)
    }))
}

/// The paired difference when cases are drawn: weights are used as they are drawn, and never stored.
struct PairedByCase<T> {
    classes: Classes<2>,
    stratified: bool,
    minor: PoissonRuns,
    /// [`Placement`] of each score.
    placements: [NarrowPlacement<T>; 2],
    /// Cells of major cases that no replicate can tell apart, with their two cuts, in the order of `major`.
    cuts: Vec<[T; 2]>,
    major: PoissonRuns,
}

/// A [`Placement`] in numbers of one width.
struct NarrowPlacement<T> {
    order: Vec<T>,
    cuts: Vec<(T, T)>,
}

struct Scratch<T> {
    weights: Vec<T>,
    cumulated: Vec<T>,
    wins: [Vec<T>; 2],
}

impl<T: Width> NarrowPlacement<T> {
    fn new(wide: &Placement) -> Self {
        Self {
            order: wide.order.iter().map(|&i| T::of(i)).collect(),
            cuts: wide.cuts.iter().map(|c| (T::of(c.0), T::of(c.1))).collect(),
        }
    }

    /// [`Placement::fill`].
    fn fill(&self, weights: &[T], cumulated: &mut [T], wins: &mut [T]) {
        let mut sum = T::default();
        for (place, &minor) in cumulated[1..].iter_mut().zip(&self.order) {
            sum = sum.plus(weights[minor.place()]);
            *place = sum;
        }
        for (entry, &(below, up_to)) in wins.iter_mut().zip(&self.cuts) {
            *entry = cumulated[below.place()].plus(cumulated[up_to.place()]);
        }
    }
}

impl<T: Width> PairedByCase<T> {
    fn new(labels: &[bool], scores: [&[f64]; 2], stratified: bool) -> Self {
        let classes = Classes::new(labels, scores);
        let (minor, major) = (classes.minor.len() as f64, classes.major.len() as f64);
        // The number drawn of a class varies around its size.
        let spread = if stratified { 0.0 } else { minor * major / (minor + major).max(1.0) };
        let mut sorted = classes.cuts.clone();
        sorted.sort_unstable();
        let mut cells: Vec<(u64, [u32; 2])> =
            sorted.chunk_by(|a, b| a == b).map(|same| (same.len() as u64, same[0])).collect();
        // Cells of one size share a law.
        cells.sort_unstable();
        let sizes: Vec<u64> = cells.iter().map(|c| c.0).collect();
        let [first, second] = &classes.scores;
        Self {
            stratified,
            minor: PoissonRuns::new(&vec![1; classes.minor.len()], spread),
            placements: [NarrowPlacement::new(first), NarrowPlacement::new(second)],
            cuts: cells.iter().map(|c| c.1.map(T::of)).collect(),
            major: PoissonRuns::new(&sizes, spread),
            classes,
        }
    }

    fn scratch(&self) -> Scratch<T> {
        let zeros = |length| vec![T::default(); length];
        let size = self.classes.minor.len();
        let wins = std::array::from_fn(|k| zeros(self.placements[k].cuts.len()));
        Scratch { weights: zeros(size), cumulated: zeros(size + 1), wins }
    }

    fn run(&self, scratch: &mut Scratch<T>, stream: &mut Stream) -> Option<f64> {
        let size = self.classes.minor.len() as u64;
        let total = size + self.classes.major.len() as u64;
        let minor =
            if self.stratified { size } else { stream.binomial(total, size as f64 / total.max(1) as f64) };
        let major = total - minor;
        if minor == 0 || major == 0 {
            return None;
        }
        let Scratch { weights, cumulated, wins } = scratch;
        self.minor.draw(
            minor,
            stream,
            weights,
            |w| w.fill(T::default()),
            |w, cell, times| {
                w[cell] = w[cell].plus(T::of(times));
            },
        );
        for (placement, wins) in self.placements.iter().zip(wins.iter_mut()) {
            placement.fill(weights, cumulated, wins);
        }
        let [first, second] = wins;
        let mut sum = 0_u64;
        self.major.draw(
            major,
            stream,
            &mut sum,
            |s| *s = 0,
            |s, cell, times| {
                let [a, b] = self.cuts[cell];
                let difference = first[a.place()].minus(second[b.place()]);
                *s = s.wrapping_add((difference * i64::from(times)) as u64);
            },
        );
        self.classes.statistic([sum, 0], minor, major)
    }
}

/// How the cases of one class are drawn into cells, ordered by size, so that neighbours share a law.
struct PoissonRuns {
    cell_of_case: Vec<u32>,
    tables: AliasTables,
    /// Cells of one size. Empty for a small class.
    runs: Vec<Run>,
}

struct Run {
    /// The laws whose sum each cell takes; for cells of one case the one law of two neighbours.
    laws: Vec<Law>,
    /// Whether these are cells of one case.
    singles: bool,
    /// The first cell after the run.
    end: usize,
}

impl PoissonRuns {
    /// `sizes` ascending; the number drawn of the class varies with variance `spread`.
    fn new(sizes: &[u64], spread: f64) -> Self {
        let mut cell_of_case = Vec::new();
        for (cell, &size) in (0_u32..).zip(sizes) {
            cell_of_case.extend(std::iter::repeat_n(cell, size as usize));
        }
        let class = cell_of_case.len() as f64;
        let slack = SLACK * (class + spread).sqrt();
        let mut out = Self { cell_of_case, tables: AliasTables::default(), runs: Vec::new() };
        if out.cell_of_case.len() < MANY_LEAVES {
            return out;
        }
        let rate = 1.0 - slack / class;
        let mut end = 0;
        for same in sizes.chunk_by(|a, b| a == b) {
            end += same.len();
            let singles = same[0] == 1;
            let laws = if singles {
                vec![out.tables.add_poisson_pair(rate)]
            } else {
                octal_digits(same[0]).map(|part| out.tables.add_poisson(part as f64 * rate)).collect()
            };
            out.runs.push(Run { laws, singles, end });
        }
        out
    }

    /// Multinomial counts of `total` draws: `hit` gets cells, some more than once, each with a number of
    /// times; `clear` undoes all hits. Given their sum Poisson numbers are multinomial; sums above `total`
    /// are refused, and the rest is drawn case by case.
    #[inline]
    fn draw<S: ?Sized>(
        &self,
        total: u64,
        stream: &mut Stream,
        state: &mut S,
        clear: impl Fn(&mut S),
        hit: impl Fn(&mut S, usize, u32),
    ) {
        let missing = loop {
            clear(state);
            let (mut sum, mut start) = (0_u64, 0);
            for Run { laws, singles, end } in &self.runs {
                match laws[..] {
                    [law] if *singles => {
                        let mut cell = start;
                        while cell + 1 < *end {
                            let [one, two] = self.tables.draw_two(law, stream);
                            sum = sum.wrapping_add(u64::from(one)).wrapping_add(u64::from(two));
                            hit(state, cell, one);
                            hit(state, cell + 1, two);
                            cell += 2;
                        }
                        if cell < *end {
                            let [one, _] = self.tables.draw_two(law, stream);
                            sum = sum.wrapping_add(u64::from(one));
                            hit(state, cell, one);
                        }
                    }
                    _ => {
                        for cell in start..*end {
                            let drawn = laws.iter().map(|&law| self.tables.draw(law, stream));
                            let times = drawn.fold(0, u32::wrapping_add);
                            sum = sum.wrapping_add(u64::from(times));
                            hit(state, cell, times);
                        }
                    }
                }
                start = *end;
            }
            if sum <= total {
                break total - sum;
            }
        };
        draw_many(stream, missing, self.cell_of_case.len() as u32, |case| {
            hit(state, self.cell_of_case[case as usize] as usize, 1);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bootstrap::resampler::{Cases, weighted};
    use crate::estimate::ResamplingUnit as Unit;

    type Columns = (Vec<bool>, Vec<f64>, Vec<f64>, Vec<u32>, Vec<u32>);

    /// Numbers of 16 bits give what numbers of 32 give, to the last bit, up to the largest set they are used
    /// for.
    #[test]
    fn narrow_tables_change_no_replicate() {
        for (n, positives) in [(7, 3), (900, 20), (5000, 2500), (MOST_NARROW_CASES, MOST_NARROW_CASES / 2)] {
            let (labels, a, b, ..) = cases(n, positives);
            for stratified in [false, true] {
                let narrow = paired_by_case::<u16>(&labels, [&a, &b], stratified, 40, 3);
                let wide = paired_by_case::<u32>(&labels, [&a, &b], stratified, 40, 3);
                assert_eq!(narrow, wide, "{n} {positives} {stratified}");
            }
        }
    }

    /// Cases with ties, two correlated scores, patients of one to four cases at three sites.
    fn cases(n: usize, positives: usize) -> Columns {
        let mut stream = Stream::new(11, n as u64);
        let labels: Vec<bool> = (0..n).map(|i| (i * 7919) % n < positives).collect();
        let a: Vec<f64> =
            labels.iter().map(|&l| f64::from(stream.below(40) + if l { 8 } else { 0 }) / 50.0).collect();
        let b = a.iter().map(|s| (s * 50.0 + f64::from(stream.below(12))).floor() / 70.0).collect();
        let patients: Vec<u32> = (0..n as u32).map(|i| i * 2 / 5).collect();
        let sites = patients.iter().map(|p| p % 3).collect();
        (labels, a, b, patients, sites)
    }

    /// AUC of weighted cases by all pairs, None when a class is empty.
    fn slow(labels: &[bool], scores: &[f64], weights: &[u32]) -> Option<f64> {
        let (mut wins, mut pairs) = (0.0, 0.0);
        for (i, &x) in scores.iter().enumerate().filter(|(i, _)| labels[*i]) {
            for (j, &y) in scores.iter().enumerate().filter(|(j, _)| !labels[*j]) {
                let w = f64::from(weights[i]) * f64::from(weights[j]);
                pairs += w;
                wins += w * if x > y {
                    1.0
                } else if x == y {
                    0.5
                } else {
                    0.0
                };
            }
        }
        (pairs > 0.0).then(|| wins / pairs)
    }

    #[test]
    fn drawn_by_patient_or_site_every_replicate_is_the_one_by_all_pairs() {
        for (n, positives) in [(60, 9), (61, 50), (12, 1)] {
            let (labels, a, b, patients, sites) = cases(n, positives);
            let cases = Cases { labels: &labels, patients: Some(&patients), sites: Some(&sites) };
            for unit in [Unit::Patient, Unit::Site, Unit::SiteThenPatient] {
                let resampler = Resampler::new(unit, &cases).expect("unit");
                let fast = auc_difference(&resampler, &labels, &a, &b, 200, 5);
                let direct =
                    weighted(&resampler, 200, 5, |w| Some(slow(&labels, &a, w)? - slow(&labels, &b, w)?));
                assert_eq!(fast.dropped, direct.dropped);
                assert!(fast.values.iter().zip(&direct.values).all(|(x, y)| (x - y).abs() < 1e-13));
                let fast = auc(&resampler, &labels, &a, 200, 5);
                let direct = weighted(&resampler, 200, 5, |w| slow(&labels, &a, w));
                assert!(fast.values.iter().zip(&direct.values).all(|(x, y)| (x - y).abs() < 1e-13));
            }
        }
    }

    /// Largest distance of two empirical distributions.
    fn distance(a: &Replicates, b: &Replicates) -> f64 {
        let at = |r: &Replicates, x: f64| {
            r.values.partition_point(|v| *v <= x + 1e-12) as f64 / r.values.len() as f64
        };
        a.values.iter().chain(&b.values).map(|&x| (at(a, x) - at(b, x)).abs()).fold(0.0, f64::max)
    }

    #[test]
    fn paired_differences_by_case_have_the_law_of_plain_resampling() {
        // The larger class of 2,200 cases is drawn by runs, all else one by one.
        for (n, positives) in [(300, 140), (300, 280), (20, 6), (2200, 30)] {
            let (labels, a, b, ..) = cases(n, positives);
            let cases = Cases { labels: &labels, patients: None, sites: None };
            for unit in [Unit::Case, Unit::CaseStratified] {
                let resampler = Resampler::new(unit, &cases).expect("unit");
                let fast = auc_difference(&resampler, &labels, &a, &b, 4000, 5);
                let plain =
                    weighted(&resampler, 4000, 6, |w| Some(slow(&labels, &a, w)? - slow(&labels, &b, w)?));
                // Kolmogorov and Smirnov: 1.95 √(2/4000) is passed by chance once in a thousand.
                assert!(
                    distance(&fast, &plain) < 1.95 * (2.0_f64 / 4000.0).sqrt(),
                    "{n} {positives} {unit:?}"
                );
            }
        }
    }

    #[test]
    fn one_class_alone_drops_every_replicate() {
        let labels = [true; 5];
        let scores = [0.1, 0.2, 0.3, 0.4, 0.5];
        let cases = Cases { labels: &labels, patients: Some(&[0, 0, 1, 1, 2]), sites: None };
        for unit in [Unit::Case, Unit::CaseStratified, Unit::Patient] {
            let resampler = Resampler::new(unit, &cases).expect("unit");
            assert_eq!(auc_difference(&resampler, &labels, &scores, &scores, 50, 1).dropped, 50);
            assert_eq!(auc(&resampler, &labels, &scores, 50, 1).dropped, 50);
        }
    }
}
