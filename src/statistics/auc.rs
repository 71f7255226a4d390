//! The area under the ROC curve with its variances: DeLong, Hanley and McNeil, the unbiased U-statistic, and
//! Obuchowski for clustered data; for one score and for two scores of the same cases.
//!
//! Ties between a positive and a negative count half, and the direction is never flipped: higher
//! scores mean positive. Everything up to the last division is integer arithmetic: the placement of
//! a case is kept doubled (2 × cases of the other class below + cases tied), so an AUC or a DeLong
//! variance is the correctly rounded quotient of exact sums, in one sort.

use crate::ranks::{dense_ids, each_group, key, sorted_classes};
use crate::special::z_two_sided;

/// The exact sums behind one AUC. From [`auc_sums`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AucSums {
    /// Positive cases.
    pub positives: u64,
    /// Negative cases.
    pub negatives: u64,
    /// 2 × pairs in which the positive scores higher + pairs tied.
    pub wins: u128,
    /// Pairs tied.
    pub ties: u128,
    /// Sum of squared doubled placements of the positives.
    pub positive_squares: u128,
    /// Sum of squared doubled placements of the negatives.
    pub negative_squares: u128,
}

/// One sort, one merge. `labels` and `scores` have one entry a case; scores are finite.
pub fn auc_sums(labels: &[bool], scores: &[f64]) -> AucSums {
    let (positives, negatives) = sorted_classes(labels, scores);
    let (m, n) = (positives.len() as u64, negatives.len() as u64);
    let mut sums =
        AucSums { positives: m, negatives: n, wins: 0, ties: 0, positive_squares: 0, negative_squares: 0 };
    let (mut below_p, mut below_n) = (0_u64, 0_u64);
    each_group(&positives, &negatives, |g| {
        let a = u128::from(2 * below_n + g.negatives);
        let b = u128::from(2 * (m - below_p) - g.positives);
        sums.wins += u128::from(g.positives) * a;
        sums.positive_squares += u128::from(g.positives) * a * a;
        sums.negative_squares += u128::from(g.negatives) * b * b;
        sums.ties += u128::from(g.positives) * u128::from(g.negatives);
        below_p += g.positives;
        below_n += g.negatives;
    });
    sums
}

impl AucSums {
    /// P(score of a positive > score of a negative) + ½ P(equal) (Mann and Whitney 1947; Bamber 1975).
    /// None when a class is empty.
    pub fn auc(&self) -> Option<f64> {
        let pairs = 2.0 * self.positives as f64 * self.negatives as f64;
        (pairs > 0.0).then(|| self.wins as f64 / pairs)
    }

    /// Variance of DeLong, DeLong and Clarke-Pearson (1988). None unless both classes have two cases.
    pub fn delong_variance(&self) -> Option<f64> {
        let (m, n) = (u128::from(self.positives), u128::from(self.negatives));
        if m < 2 || n < 2 {
            return None;
        }
        let square = self.wins * self.wins;
        let among_positives = (m * self.positive_squares - square) as f64;
        let among_negatives = (n * self.negative_squares - square) as f64;
        let (m, n) = (m as f64, n as f64);
        Some(
            among_positives / (4.0 * m * m * (m - 1.0) * n * n)
                + among_negatives / (4.0 * n * n * (n - 1.0) * m * m),
        )
    }

    /// Standard error of Hanley and McNeil (1982) with Q1 = A/(2−A), Q2 = 2A²/(1+A).
    pub fn hanley_mcneil_se(&self) -> Option<f64> {
        let auc = self.auc()?;
        Some(hanley_mcneil_variance(auc, self.positives as f64, self.negatives as f64).max(0.0).sqrt())
    }

    /// The unbiased estimate of Var(AUC) (Bamber 1975; the one-reader case of Gallas 2006, which iMRMC
    /// computes). It can be negative in small samples. None unless both classes have two cases.
    pub fn u_statistic_variance(&self) -> Option<f64> {
        let (m, n) = (u128::from(self.positives), u128::from(self.negatives));
        if m < 2 || n < 2 {
            return None;
        }
        // A² − M4 over one denominator, where M4 averages products of pairs that share no case.
        let kernel_squares = 2 * self.wins - self.ties;
        let gain = m * n * (self.positive_squares + self.negative_squares - kernel_squares);
        let loss = self.wins * self.wins * (m + n - 1);
        let top = if gain >= loss { (gain - loss) as f64 } else { -((loss - gain) as f64) };
        let (m, n) = (m as f64, n as f64);
        Some(top / (4.0 * m * m * n * n * (m - 1.0) * (n - 1.0)))
    }
}

/// Variance of Hanley and McNeil (1982) of a true AUC in 0..1 with `m` positives and `n` negatives.
pub fn hanley_mcneil_variance(auc: f64, m: f64, n: f64) -> f64 {
    let q1 = auc / (2.0 - auc);
    let q2 = 2.0 * auc * auc / (1.0 + auc);
    let square = auc * auc;
    (auc * (1.0 - auc) + (m - 1.0) * (q1 - square) + (n - 1.0) * (q2 - square)) / (m * n)
}

/// The AUC, ties half; none when a class is empty.
pub fn auc(labels: &[bool], scores: &[f64]) -> Option<f64> {
    auc_sums(labels, scores).auc()
}

/// value ± z·se, clipped to 0..1.
pub fn clipped_interval(value: f64, se: f64, level: f64) -> (f64, f64) {
    let half = z_two_sided(level) * se;
    ((value - half).max(0.0), (value + half).min(1.0))
}

/// Symmetric on the logit scale: logit A ± z·se/(A(1−A)). None at A = 0, A = 1 or without spread.
pub fn logit_interval(value: f64, se: f64, level: f64) -> Option<(f64, f64)> {
    if value <= 0.0 || value >= 1.0 || se <= 0.0 {
        return None;
    }
    let centre = value.ln() - (-value).ln_1p();
    let half = z_two_sided(level) * se / (value * (1.0 - value));
    let logistic = |u: f64| crate::special::logistic(u).0;
    Some((logistic(centre - half), logistic(centre + half)))
}

/// Doubled placement of every case: cases of the other class that it wins against count 2, ties 1.
/// The sum over the positives equals the sum over the negatives.
pub fn placements(labels: &[bool], scores: &[f64]) -> Vec<u64> {
    let mut order: Vec<(u64, u32)> = scores.iter().zip(0..).map(|(&s, i)| (key(s), i)).collect();
    order.sort_unstable();
    let total_positives = labels.iter().filter(|&&l| l).count() as u64;
    let mut out = vec![0; labels.len()];
    let (mut below_p, mut below_n) = (0_u64, 0_u64);
    for tied in order.chunk_by(|a, b| a.0 == b.0) {
        let positives = tied.iter().filter(|t| labels[t.1 as usize]).count() as u64;
        let negatives = tied.len() as u64 - positives;
        for &(_, case) in tied {
            out[case as usize] = if labels[case as usize] {
                2 * below_n + negatives
            } else {
                2 * (total_positives - below_p) - positives
            };
        }
        below_p += positives;
        below_n += negatives;
    }
    out
}

/// Two scores of the same cases, compared (DeLong et al. 1988).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Paired {
    /// AUC of the first.
    pub auc_a: f64,
    /// AUC of the second.
    pub auc_b: f64,
    /// First minus second.
    pub difference: f64,
    /// Variance of the first; none when it cannot be estimated.
    pub variance_a: Option<f64>,
    /// Variance of the second.
    pub variance_b: Option<f64>,
    /// Covariance.
    pub covariance: Option<f64>,
    /// Variance of the difference, from the differences of placements, without cancellation.
    pub difference_variance: Option<f64>,
}

/// Sums of a class: Σu·v and the class size, in doubled placements.
fn class_covariance(u: &[i128], v: &[i128]) -> Option<f64> {
    let k = u.len() as i128;
    if k < 2 {
        return None;
    }
    let product: i128 = u.iter().zip(v).map(|(x, y)| x * y).sum();
    let (su, sv): (i128, i128) = (u.iter().sum(), v.iter().sum());
    Some((k * product - su * sv) as f64 / (k as f64 * (k as f64 - 1.0)))
}

/// Paired comparison of two scores on the same cases; clusters (dense or not) switch from DeLong's
/// covariance to Obuchowski's (1997). None when a class is empty.
pub fn paired(
    labels: &[bool],
    scores_a: &[f64],
    scores_b: &[f64],
    clusters: Option<&[u32]>,
) -> Option<Paired> {
    let (a, b) = (placements(labels, scores_a), placements(labels, scores_b));
    let m = labels.iter().filter(|&&l| l).count() as i128;
    let n = labels.len() as i128 - m;
    if m == 0 || n == 0 {
        return None;
    }
    let wins =
        |p: &[u64]| -> i128 { p.iter().zip(labels).filter(|(_, l)| **l).map(|(&x, _)| i128::from(x)).sum() };
    let (wins_a, wins_b) = (wins(&a), wins(&b));
    let pairs = 2.0 * m as f64 * n as f64;
    let spread = |p: &dyn Fn(usize) -> i128, q: &dyn Fn(usize) -> i128| -> Option<f64> {
        match clusters {
            Some(clusters) => obuchowski_covariance(labels, clusters, p, q),
            None => {
                let class = |label: bool, f: &dyn Fn(usize) -> i128| -> Vec<i128> {
                    (0..labels.len()).filter(|&i| labels[i] == label).map(f).collect()
                };
                let among_positives = class_covariance(&class(true, p), &class(true, q))?;
                let among_negatives = class_covariance(&class(false, p), &class(false, q))?;
                let (m, n) = (m as f64, n as f64);
                Some(among_positives / (4.0 * n * n * m) + among_negatives / (4.0 * m * m * n))
            }
        }
    };
    let of_a = |i: usize| i128::from(a[i]);
    let of_b = |i: usize| i128::from(b[i]);
    let of_difference = |i: usize| i128::from(a[i]) - i128::from(b[i]);
    Some(Paired {
        auc_a: wins_a as f64 / pairs,
        auc_b: wins_b as f64 / pairs,
        difference: (wins_a - wins_b) as f64 / pairs,
        variance_a: spread(&of_a, &of_a),
        variance_b: spread(&of_b, &of_b),
        covariance: spread(&of_a, &of_b),
        difference_variance: spread(&of_difference, &of_difference),
    })
}

/// Variance of the AUC for clustered data, Obuchowski (1997), with the factors I10/(I10−1),
/// I01/(I01−1) and I/(I−1). `clusters` has one id a case. None unless two clusters hold positives
/// and two hold negatives, or when the estimate is negative.
pub fn obuchowski_variance(labels: &[bool], scores: &[f64], clusters: &[u32]) -> Option<f64> {
    let p = placements(labels, scores);
    let of = |i: usize| i128::from(p[i]);
    obuchowski_covariance(labels, clusters, &of, &of).filter(|v| *v >= 0.0)
}

fn obuchowski_covariance(
    labels: &[bool],
    clusters: &[u32],
    p: &dyn Fn(usize) -> i128,
    q: &dyn Fn(usize) -> i128,
) -> Option<f64> {
    #[derive(Clone, Copy, Default)]
    struct Cluster {
        positives: i128,
        negatives: i128,
        p: [i128; 2],
        q: [i128; 2],
    }
    let (dense, count) = dense_ids(clusters);
    let mut table = vec![Cluster::default(); count];
    let (mut m, mut n, mut wins_p, mut wins_q) = (0_i128, 0_i128, 0_i128, 0_i128);
    for (i, &label) in labels.iter().enumerate() {
        let cluster = &mut table[dense[i] as usize];
        let (x, y) = (p(i), q(i));
        if label {
            m += 1;
            cluster.positives += 1;
            cluster.p[0] += x;
            cluster.q[0] += y;
            wins_p += x;
            wins_q += y;
        } else {
            n += 1;
            cluster.negatives += 1;
            cluster.p[1] += x;
            cluster.q[1] += y;
        }
    }
    let all = table.len() as f64;
    let with_positives = table.iter().filter(|c| c.positives > 0).count() as f64;
    let with_negatives = table.iter().filter(|c| c.negatives > 0).count() as f64;
    if with_positives < 2.0 || with_negatives < 2.0 {
        return None;
    }
    // Deviations times 2mn, as integers; products fall back to floating point where a few huge clusters
    // would overflow 128 bits.
    let (mut s10, mut s01, mut s11) = (ProductSum::default(), ProductSum::default(), ProductSum::default());
    for c in &table {
        let p10 = c.p[0] * m - c.positives * wins_p;
        let q10 = c.q[0] * m - c.positives * wins_q;
        let p01 = c.p[1] * n - c.negatives * wins_p;
        let q01 = c.q[1] * n - c.negatives * wins_q;
        s10.add(p10, q10);
        s01.add(p01, q01);
        s11.add(p10, q01);
        s11.add(q10, p01);
    }
    let (s10, s01, s11) = (s10.total(), s01.total(), s11.total());
    let (m, n) = (m as f64, n as f64);
    let scale = 4.0 * m * m * n * n;
    Some(
        with_positives / (with_positives - 1.0) * s10 / (scale * m * m)
            + with_negatives / (with_negatives - 1.0) * s01 / (scale * n * n)
            + all / (all - 1.0) * s11 / (scale * m * n),
    )
}

/// Sum of products of integers: exact while it fits 128 bits.
#[derive(Clone, Copy, Default)]
struct ProductSum {
    exact: i128,
    rest: f64,
}

impl ProductSum {
    fn add(&mut self, x: i128, y: i128) {
        match x.checked_mul(y).and_then(|product| self.exact.checked_add(product)) {
            Some(sum) => self.exact = sum,
            None => self.rest += x as f64 * y as f64,
        }
    }

    fn total(self) -> f64 {
        self.exact as f64 + self.rest
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn brute(labels: &[bool], scores: &[f64]) -> Vec<Vec<f64>> {
        let class = |l: bool| -> Vec<f64> {
            labels.iter().zip(scores).filter(|(x, _)| **x == l).map(|(_, &s)| s).collect()
        };
        let (pos, neg) = (class(true), class(false));
        let kernel = |p: f64, q: f64| {
            if p > q {
                1.0
            } else if p == q {
                0.5
            } else {
                0.0
            }
        };
        pos.iter().map(|&p| neg.iter().map(|&q| kernel(p, q)).collect()).collect()
    }

    fn sample() -> impl Strategy<Value = (Vec<bool>, Vec<f64>)> {
        prop::collection::vec((any::<bool>(), 0..12_i32), 4..40)
            .prop_map(|v| v.into_iter().map(|(l, s)| (l, f64::from(s) / 8.0 - 0.5)).unzip())
    }

    proptest! {
        #[test]
        fn auc_and_u_statistic_match_enumeration((labels, scores) in sample()) {
            let k = brute(&labels, &scores);
            let sums = auc_sums(&labels, &scores);
            let (m, n) = (k.len(), k.first().map_or(0, Vec::len));
            if m == 0 || n == 0 {
                prop_assert_eq!(sums.auc(), None);
                return Ok(());
            }
            let mean = k.iter().flatten().sum::<f64>() / (m * n) as f64;
            prop_assert!((sums.auc().expect("auc") - mean).abs() < 1e-15);
            if m < 2 || n < 2 { return Ok(()); }
            let mut apart = 0.0;
            for i in 0..m { for j in 0..n { for i2 in 0..m { for j2 in 0..n {
                if i != i2 && j != j2 { apart += k[i][j] * k[i2][j2]; }
            }}}}
            let unbiased = mean * mean - apart / (m * (m - 1) * n * (n - 1)) as f64;
            prop_assert!((sums.u_statistic_variance().expect("variance") - unbiased).abs() < 1e-13);
        }

        #[test]
        fn monotone_transforms_leave_the_auc_and_label_swap_mirrors_it((labels, scores) in sample()) {
            let plain = auc_sums(&labels, &scores);
            let moved: Vec<f64> = scores.iter().map(|s| s.powi(3) * 7.0 + s).collect();
            prop_assert_eq!(plain, auc_sums(&labels, &moved));
            let swapped: Vec<bool> = labels.iter().map(|l| !l).collect();
            let mirrored = auc_sums(&swapped, &scores);
            if let (Some(a), Some(b)) = (plain.auc(), mirrored.auc()) {
                prop_assert!((a + b - 1.0).abs() < 1e-15);
                prop_assert_eq!(plain.delong_variance(), mirrored.delong_variance());
            }
        }

        #[test]
        fn every_case_its_own_cluster_is_delong((labels, scores) in sample()) {
            let ids: Vec<u32> = (0..labels.len() as u32).map(|i| i * 3).collect();
            let own = obuchowski_variance(&labels, &scores, &ids);
            match auc_sums(&labels, &scores).delong_variance() {
                Some(v) => prop_assert!((own.expect("variance") - v).abs() <= 1e-15),
                None => prop_assert_eq!(own, None),
            }
        }
    }
}
