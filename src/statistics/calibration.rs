//! Calibration of probabilities: Brier score, log loss, logistic recalibration, binned errors.
//!
//! Scores are probabilities in 0..1. `weights`, where taken, says how often each case counts (a bootstrap
//! replicate); none means once.

use crate::special::{CompensatedSum, logistic};

/// Weight of case `i`.
fn weight(weights: Option<&[u32]>, i: usize) -> f64 {
    weights.map_or(1.0, |w| f64::from(w[i]))
}

/// Mean squared difference of probability and outcome (Brier 1950). None without cases.
pub fn brier(labels: &[bool], scores: &[f64], weights: Option<&[u32]>) -> Option<f64> {
    mean_over(labels, scores, weights, |label, score| {
        let miss = if label { 1.0 - score } else { score };
        Some(miss * miss)
    })
}

/// Logarithmic score (Good 1952): mean of −ln(probability given to what occurred), in nats, from 0. None
/// without cases, or where probability zero was given to what occurred.
pub fn log_loss(labels: &[bool], scores: &[f64], weights: Option<&[u32]>) -> Option<f64> {
    mean_over(labels, scores, weights, |label, score| {
        let loss = if label { -score.ln() } else { -(-score).ln_1p() };
        loss.is_finite().then_some(loss)
    })
}

fn mean_over(
    labels: &[bool],
    scores: &[f64],
    weights: Option<&[u32]>,
    term: impl Fn(bool, f64) -> Option<f64>,
) -> Option<f64> {
    let (mut sum, mut count) = (CompensatedSum::default(), 0.0);
    for (i, (&label, &score)) in labels.iter().zip(scores).enumerate() {
        let w = weight(weights, i);
        if w > 0.0 {
            sum.add(w * term(label, score)?);
            count += w;
        }
    }
    (count > 0.0).then(|| sum.total() / count)
}

/// Standard error of the mean of the Brier or log-loss terms: s/√n, for n >= 2.
pub fn mean_standard_error(terms: &[f64]) -> Option<f64> {
    let n = terms.len() as f64;
    if terms.len() < 2 {
        return None;
    }
    let mean = terms.iter().copied().collect::<CompensatedSum>().total() / n;
    let squares: CompensatedSum = terms.iter().map(|t| (t - mean) * (t - mean)).collect();
    Some((squares.total() / (n - 1.0) / n).sqrt())
}

/// A fitted coefficient.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Coefficient {
    /// Estimate.
    pub value: f64,
    /// Standard error from the information matrix.
    pub standard_error: f64,
}

/// Logistic recalibration (Cox 1958): logit P(positive) = intercept + slope · logit(score).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recalibration {
    /// Calibration intercept.
    pub intercept: Coefficient,
    /// Calibration slope; 1 is ideal.
    pub slope: Coefficient,
}

fn logits(scores: &[f64]) -> Option<Vec<f64>> {
    scores.iter().map(|&s| (s > 0.0 && s < 1.0).then(|| s.ln() - (-s).ln_1p())).collect()
}

/// Fits slope and intercept by Newton's method. None when a score is 0 or 1, a class is empty, the scores are
/// constant, or the classes are separated (no finite maximum).
pub fn recalibrate(labels: &[bool], scores: &[f64], weights: Option<&[u32]>) -> Option<Recalibration> {
    recalibrate_logits(labels, &logits(scores)?, weights)
}

/// [`recalibrate`] on logits that were computed before.
pub fn recalibrate_logits(labels: &[bool], logits: &[f64], weights: Option<&[u32]>) -> Option<Recalibration> {
    if separated(labels, logits, weights) {
        return None;
    }
    Start::nowhere().fit(labels, logits, weights).map(|(fit, _)| fit)
}

/// One sample that is fitted again and again with other weights, as a bootstrap does. Its logits are taken
/// once, and the fit of a replicate begins at that of the sample, from where Newton's method needs three
/// steps and not nine. The maximum is the same; where it is not reached from there, the search begins anew.
pub struct Refits<'a> {
    labels: &'a [bool],
    logits: Option<Vec<f64>>,
    recalibrated: Option<(Recalibration, Start)>,
    in_the_large: Option<Coefficient>,
}

impl<'a> Refits<'a> {
    /// Fits the sample, each case counted once.
    pub fn new(labels: &'a [bool], scores: &[f64]) -> Self {
        let logits = logits(scores);
        let cases = logits.as_deref();
        let recalibrated =
            cases.filter(|x| !separated(labels, x, None)).and_then(|x| Start::nowhere().fit(labels, x, None));
        let in_the_large = cases.and_then(|x| in_the_large_logits(labels, x, None, None));
        Self { labels, logits, recalibrated, in_the_large }
    }

    /// [`recalibrate`] with other weights; without, of the sample.
    pub fn recalibrate(&self, weights: Option<&[u32]>) -> Option<Recalibration> {
        let (fitted, start) = (&self.recalibrated.as_ref()?.0, &self.recalibrated.as_ref()?.1);
        if weights.is_none() {
            return Some(*fitted);
        }
        let logits = self.logits.as_deref()?;
        if separated(self.labels, logits, weights) {
            return None;
        }
        let near = newton(&Counted::of(self.labels, logits, weights), false, start);
        near.or_else(|| Start::nowhere().fit(self.labels, logits, weights)).map(|(fit, _)| fit)
    }

    /// [`in_the_large`] with other weights; without, of the sample.
    pub fn in_the_large(&self, weights: Option<&[u32]>) -> Option<Coefficient> {
        if weights.is_none() {
            return self.in_the_large;
        }
        let near = self.in_the_large.map(|c| c.value);
        in_the_large_logits(self.labels, self.logits.as_deref()?, weights, near)
    }
}

/// Where Newton's method begins: α + b·(x − c). One that is near the maximum ends with the first step that is
/// small, since the next would be its square.
#[derive(Clone, Copy, Debug)]
struct Start {
    alpha: f64,
    b: f64,
    c: f64,
    near: bool,
}

impl Start {
    fn nowhere() -> Self {
        Self { alpha: 0.0, b: 0.0, c: 0.0, near: false }
    }

    fn fit(self, labels: &[bool], logits: &[f64], weights: Option<&[u32]>) -> Option<(Recalibration, Self)> {
        let cases = Counted::of(labels, logits, weights);
        // Undamped steps are the quicker ones and nearly always converge.
        newton(&cases, false, &self).or_else(|| newton(&cases, true, &self))
    }
}

/// The cases that count, in their order: what does not count adds nothing to any sum, and of a replicate that
/// is more than a third.
struct Counted {
    cases: Vec<CountedCase>,
}

#[derive(Clone, Copy)]
struct CountedCase {
    weight: f64,
    x: f64,
    label: bool,
}

impl Counted {
    fn of(labels: &[bool], logits: &[f64], weights: Option<&[u32]>) -> Self {
        let case = |(i, (&label, &x))| CountedCase { weight: weight(weights, i), x, label };
        let all = labels.iter().zip(logits).enumerate().map(case);
        Self { cases: all.filter(|case| case.weight != 0.0).collect() }
    }
}

/// Sums that keep their low-order parts, as [`CompensatedSum`] does: side by side, so that a processor adds
/// several at once.
struct SumsOf<const N: usize> {
    sums: [f64; N],
    rests: [f64; N],
}

impl<const N: usize> SumsOf<N> {
    fn new() -> Self {
        Self { sums: [0.0; N], rests: [0.0; N] }
    }

    #[inline]
    fn add(&mut self, terms: [f64; N]) {
        for ((sum, rest), x) in self.sums.iter_mut().zip(&mut self.rests).zip(terms) {
            let t = *sum + x;
            let (large, small) = if sum.abs() >= x.abs() { (*sum, x) } else { (x, *sum) };
            *rest += (large - t) + small;
            *sum = t;
        }
    }

    fn totals(&self) -> [f64; N] {
        std::array::from_fn(|i| self.sums[i] + self.rests[i])
    }
}

/// Newton's method on α + b·(x − c), where c follows the mean of x under the weights of the information
/// matrix: then its off-diagonal vanishes, and no digits are lost where the scores lie close together far
/// from ½. Damped: a step that would lower the likelihood is halved.
fn newton(counted: &Counted, damped: bool, start: &Start) -> Option<(Recalibration, Start)> {
    let likelihood = |alpha: f64, b: f64, c: f64| -> f64 {
        let term = |case: &CountedCase| {
            let u = alpha + b * (case.x - c);
            let against = if case.label { -u } else { u };
            -case.weight * (against.max(0.0) + (-against.abs()).exp().ln_1p())
        };
        counted.cases.iter().map(term).collect::<CompensatedSum>().total()
    };
    let (mut alpha, mut b, mut c) = (start.alpha, start.b, start.c);
    let mut calm = if start.near { 2 } else { 0 };
    for _ in 0..if damped { 1000 } else { 60 } {
        let mut sums = SumsOf::<5>::new();
        for case in &counted.cases {
            let x = case.x - c;
            let (p, q) = logistic(alpha + b * x);
            let residual = case.weight * if case.label { q } else { -p };
            let v = case.weight * p * q;
            sums.add([residual, residual * x, v, v * x, v * x * x]);
        }
        let [g0, g1, h00, h01, h11] = sums.totals();
        let shift = h01 / h00;
        // Spread of x around its weighted mean.
        let spread = h11 - h01 * shift;
        if !(h00 > 0.0 && spread > 0.0 && spread.is_finite()) {
            return None;
        }
        let db = (g1 - shift * g0) / spread;
        let mut dalpha = g0 / h00 - shift * db;
        let mut db = db;
        if damped {
            let here = likelihood(alpha, b, c);
            for _ in 0..60 {
                if likelihood(alpha + dalpha, b + db, c) >= here {
                    break;
                }
                (dalpha, db) = (dalpha / 2.0, db / 2.0);
            }
        }
        alpha += dalpha;
        b += db;
        if alpha.abs() > 1e9 || b.abs() > 1e9 || !alpha.is_finite() || !b.is_finite() {
            return None;
        }
        // Now on the mean that the information has here.
        alpha += b * shift;
        c += shift;
        let still = |step: f64, value: f64, within: f64| step.abs() <= within * (1.0 + value.abs());
        if still(dalpha, alpha, 1e-15) && still(db, b, 1e-15) {
            calm += 2;
        } else if still(dalpha, alpha, 1e-9) && still(db, b, 1e-9) {
            calm += 1;
        }
        if calm >= 3 {
            let fit = Recalibration {
                intercept: Coefficient {
                    value: alpha - b * c,
                    standard_error: (1.0 / h00 + c * c / spread).sqrt(),
                },
                slope: Coefficient { value: b, standard_error: spread.sqrt().recip() },
            };
            return Some((fit, Start { alpha, b, c, near: true }));
        }
    }
    None
}

/// Whether a threshold separates the classes (also when they touch in one value), in either direction.
fn separated(labels: &[bool], x: &[f64], weights: Option<&[u32]>) -> bool {
    let mut range = [(f64::INFINITY, f64::NEG_INFINITY); 2];
    for (i, (&label, &x)) in labels.iter().zip(x).enumerate() {
        if weight(weights, i) > 0.0 {
            let r = &mut range[usize::from(label)];
            *r = (r.0.min(x), r.1.max(x));
        }
    }
    // An empty class has an inverted range and counts as separated.
    range[0].1 <= range[1].0 || range[1].1 <= range[0].0
}

/// Calibration in the large: the intercept with logit(score) as offset; 0 is ideal. None as for
/// [`recalibrate`], except that separated classes are allowed.
pub fn in_the_large(labels: &[bool], scores: &[f64], weights: Option<&[u32]>) -> Option<Coefficient> {
    in_the_large_logits(labels, &logits(scores)?, weights, None)
}

/// [`in_the_large`] on logits that were computed before, from a value that is near the root where one is
/// known.
fn in_the_large_logits(
    labels: &[bool],
    logits: &[f64],
    weights: Option<&[u32]>,
    near: Option<f64>,
) -> Option<Coefficient> {
    let (mut positives, mut total) = (0.0, 0.0);
    for (i, &label) in labels.iter().enumerate() {
        let w = weight(weights, i);
        total += w;
        positives += if label { w } else { 0.0 };
    }
    if positives == 0.0 || positives == total {
        return None;
    }
    let mut ends = (f64::INFINITY, f64::NEG_INFINITY);
    for (i, &x) in logits.iter().enumerate() {
        if weight(weights, i) > 0.0 {
            ends = (ends.0.min(x), ends.1.max(x));
        }
    }
    let counted = Counted::of(labels, logits, weights);
    // The mean probability is the share of positives somewhere between these two.
    let share = (positives / (total - positives)).ln();
    let (mut low, mut high) = (share - ends.1, share - ends.0);
    let mut a = near.unwrap_or(0.0).clamp(low, high);
    let mut calm = if near.is_some() { 2 } else { 0 };
    for _ in 0..2000 {
        // Observed minus expected positives: whole numbers apart from what is small, so that no digits are
        // lost where probabilities are near 0 and 1.
        let mut whole = positives;
        let mut sums = SumsOf::<2>::new();
        for case in &counted.cases {
            let w = case.weight;
            let (p, q) = logistic(a + case.x);
            let small = if p > q { w * q } else { -w * p };
            whole -= if p > q { w } else { 0.0 };
            sums.add([small, w * p * q]);
        }
        let [_, information] = sums.totals();
        sums.add([whole, 0.0]);
        let [gradient, _] = sums.totals();
        if gradient > 0.0 {
            low = a
        } else {
            high = a
        }
        let step = gradient / information;
        let next = a + step;
        // Newton where it stays inside what is known to hold the root, else the middle of that.
        let inside = next >= low && next <= high && step.is_finite();
        let next = match () {
            () if gradient == 0.0 => a,
            () if inside => next,
            () => low + (high - low) / 2.0,
        };
        let step = next - a;
        a = next;
        let scale = 1.0 + a.abs();
        if gradient == 0.0 || step.abs() <= 1e-15 * scale {
            calm += 2;
        } else if step.abs() <= 1e-9 * scale {
            calm += 1;
        }
        if calm >= 3 {
            return (information > 0.0)
                .then(|| Coefficient { value: a, standard_error: information.sqrt().recip() });
        }
    }
    None
}

/// Which side of a bin its edge belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Edge {
    /// [a, b), the last bin closed (the rule of torchmetrics). What Sequester reports.
    Left,
    /// (a, b], the first bin closed (the rule of scikit-learn's `calibration_curve`).
    Right,
}

/// One bin of the reliability curve.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Bin {
    /// Lower edge.
    pub lower: f64,
    /// Upper edge.
    pub upper: f64,
    /// Cases in the bin.
    pub cases: f64,
    /// Mean score; 0 in an empty bin.
    pub mean_score: f64,
    /// Share of positives; 0 in an empty bin.
    pub observed: f64,
    gap: f64,
}

/// Edges k/`bins` of `bins` >= 1 bins of equal width.
pub fn equal_edges(bins: usize) -> Vec<f64> {
    (0..=bins).map(|k| k as f64 / bins as f64).collect()
}

/// The bins between `edges` (at least two, ascending, from 0 to 1), empty ones included.
pub fn reliability(
    labels: &[bool],
    scores: &[f64],
    weights: Option<&[u32]>,
    edges: &[f64],
    edge: Edge,
) -> Vec<Bin> {
    let bins = edges.len().saturating_sub(1).max(1);
    let mut sums = vec![(CompensatedSum::default(), 0.0, 0.0); bins];
    for (i, (&label, &score)) in labels.iter().zip(scores).enumerate() {
        let w = weight(weights, i);
        let after = match edge {
            Edge::Left => edges.partition_point(|e| *e <= score),
            Edge::Right => edges.partition_point(|e| *e < score),
        };
        let bin = after.saturating_sub(1).min(bins - 1);
        sums[bin].0.add(w * score);
        sums[bin].1 += if label { w } else { 0.0 };
        sums[bin].2 += w;
    }
    let bin = |(k, (scores, positives, cases)): (usize, (CompensatedSum, f64, f64))| {
        let mut gap = scores;
        gap.add(-positives);
        let per_case = |v: f64| if cases > 0.0 { v / cases } else { 0.0 };
        Bin {
            lower: edges[k],
            upper: edges[k + 1],
            cases,
            mean_score: per_case(scores.total()),
            observed: per_case(positives),
            gap: gap.total().abs(),
        }
    };
    sums.into_iter().enumerate().map(bin).collect()
}

/// Expected calibration error (Naeini, Cooper and Hauskrecht 2015) Σ nᵦ/N·|mean score − share of positives|,
/// in 0..=1. None without cases.
pub fn expected_error(bins: &[Bin]) -> Option<f64> {
    let cases: f64 = bins.iter().map(|b| b.cases).sum();
    let gaps: CompensatedSum = bins.iter().map(|b| b.gap).collect();
    (cases > 0.0).then(|| gaps.total() / cases)
}

/// Maximum calibration error (Naeini, Cooper and Hauskrecht 2015) over bins that hold a case, in 0..=1. None
/// without cases.
pub fn maximum_error(bins: &[Bin]) -> Option<f64> {
    bins.iter().filter(|b| b.cases > 0.0).map(|b| b.gap / b.cases).reduce(f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn sums_side_by_side_are_the_sums_one_by_one(
            terms in proptest::collection::vec((-1e300_f64..1e300, -1.0_f64..1.0, -1e-9_f64..1e9), 0..60),
        ) {
            let mut beside = SumsOf::<3>::new();
            let mut alone = [CompensatedSum::default(); 3];
            for (a, b, c) in terms {
                beside.add([a, b, c]);
                for (sum, x) in alone.iter_mut().zip([a, b, c]) {
                    sum.add(x);
                }
            }
            let bits = |totals: [f64; 3]| totals.map(f64::to_bits);
            proptest::prop_assert_eq!(bits(beside.totals()), bits(alone.map(CompensatedSum::total)));
        }

        #[test]
        fn a_case_that_does_not_count_changes_no_bit(
            cases in proptest::collection::vec((proptest::bool::ANY, 0.01_f64..0.99, 0_u32..3), 4..40),
        ) {
            let split = |cases: &[(bool, f64, u32)]| -> (Vec<bool>, Vec<f64>, Vec<u32>) {
                let labels = cases.iter().map(|case| case.0).collect();
                (labels, cases.iter().map(|case| case.1).collect(), cases.iter().map(|case| case.2).collect())
            };
            let counted: Vec<_> = cases.iter().filter(|case| case.2 > 0).copied().collect();
            let (all, fewer) = (split(&cases), split(&counted));
            let fit = |of: &(Vec<bool>, Vec<f64>, Vec<u32>)| {
                (recalibrate(&of.0, &of.1, Some(&of.2)), in_the_large(&of.0, &of.1, Some(&of.2)))
            };
            proptest::prop_assert_eq!(fit(&all), fit(&fewer));
        }
    }
    use proptest::prelude::*;

    #[test]
    fn separated_or_constant_scores_have_no_slope() {
        let labels = [false, false, true, true];
        assert_eq!(recalibrate(&labels, &[0.1, 0.2, 0.7, 0.8], None), None);
        assert_eq!(recalibrate(&labels, &[0.1, 0.5, 0.5, 0.8], None), None);
        assert_eq!(recalibrate(&labels, &[0.5; 4], None), None);
        assert_eq!(recalibrate(&[true; 4], &[0.1, 0.5, 0.5, 0.8], None), None);
        assert!(recalibrate(&labels, &[0.1, 0.6, 0.5, 0.8], None).is_some());
        assert!(in_the_large(&labels, &[1e-9, 1e-9, 1e-9, 1e-9], None).is_some());
    }

    #[test]
    fn saturated_scores_still_have_a_calibration_in_the_large() {
        // One positive among p(a + x): q(a + x) = p(a − x) with x = logit(1 − 10⁻¹²) has the root 0 by
        // symmetry.
        let fit = in_the_large(&[true, false], &[1.0 - 1e-12, 1e-12], None).expect("fits");
        assert!(fit.value.abs() < 1e-3, "{fit:?}");
        let shifted = in_the_large(&[true, false, true], &[1e-12, 1.0 - 1e-12, 1e-12], None).expect("fits");
        assert!(shifted.value.is_finite() && shifted.standard_error.is_finite(), "{shifted:?}");
    }

    proptest! {
        /// A fit that begins at the sample's is the fit, whatever the weights: also where these leave no
        /// maximum.
        #[test]
        fn a_refit_is_the_fit(
            cases in proptest::collection::vec((any::<bool>(), 0.001_f64..0.999, 0_u32..4), 4..60),
        ) {
            let labels: Vec<bool> = cases.iter().map(|c| c.0).collect();
            let scores: Vec<f64> = cases.iter().map(|c| c.1).collect();
            let weights: Vec<u32> = cases.iter().map(|c| c.2).collect();
            let refits = Refits::new(&labels, &scores);
            let close = |a: f64, b: f64| (a - b).abs() <= 1e-9 * (1.0 + a.abs().max(b.abs()));
            prop_assert_eq!(refits.in_the_large(None), in_the_large(&labels, &scores, None));
            prop_assert_eq!(refits.recalibrate(None), recalibrate(&labels, &scores, None));
            let whole = in_the_large(&labels, &scores, Some(&weights));
            match (refits.in_the_large(Some(&weights)), whole) {
                (Some(near), Some(whole)) => prop_assert!(close(near.value, whole.value), "{near:?} \
                 {whole:?}"),
                (None, None) => {}
                other => prop_assert!(false, "{other:?}"),
            }
            // A sample without a fit has no replicates.
            if refits.recalibrate(None).is_none() {
                return Ok(());
            }
            match (refits.recalibrate(Some(&weights)), recalibrate(&labels, &scores, Some(&weights))) {
                (Some(near), Some(whole)) => {
                    prop_assert!(close(near.slope.value, whole.slope.value), "{near:?} {whole:?}");
                    prop_assert!(close(near.intercept.value, whole.intercept.value), "{near:?} {whole:?}");
                }
                (None, None) => {}
                other => prop_assert!(false, "{other:?}"),
            }
        }
    }

    #[test]
    fn doubling_every_case_changes_no_value() {
        let labels = [false, true, false, true, true];
        let scores = [0.1, 0.3, 0.6, 0.5, 0.9];
        let twice = [2; 5];
        assert_eq!(brier(&labels, &scores, None), brier(&labels, &scores, Some(&twice)));
        let (one, two) = (
            recalibrate(&labels, &scores, None).expect("fits"),
            recalibrate(&labels, &scores, Some(&twice)).expect("fits"),
        );
        assert!((one.slope.value - two.slope.value).abs() < 1e-14);
    }
}
