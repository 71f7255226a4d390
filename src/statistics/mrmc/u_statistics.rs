//! Gallas' one-shot estimates (2006; Gallas, Pennello, Myers 2007; Gallas, Bandos, Samuelson, Wagner 2009):
//! the variance of the area averaged over readers, with readers and cases random, from moments of
//! U-statistics; any design is allowed, each reader may read other cases. The average weights readers by
//! their pairs of cases. Patients with several cases are not minded.
//!
//! Moments in Gallas' order: of one reader, the same negative and positive, the same positive, the same
//! negative, neither; then the same four of two readers.

use super::cell::ReaderStudy;
use super::inference::Inference;
use super::moments::{Moments, PairMoments, apart, unbiased};

/// Moments, their coefficients, and what they give, for one modality or the covariance of two.
#[derive(Clone, Debug, PartialEq)]
pub struct Covariance {
    /// Unbiased moments M1 to M8; 0 where no such pair of ratings exists.
    pub moments: [f64; 8],
    /// Biased moments (maximum likelihood).
    pub mle_moments: [f64; 8],
    /// Coefficients; the last has its −1.
    pub coefficients: [f64; 8],
    /// The unbiased (co)variance; can be negative.
    pub value: f64,
    /// The one of maximum likelihood; not negative for a variance.
    pub mle: f64,
    /// The average of the second modality (for a variance the modality's own), weighted by pairs.
    pub auc: f64,
}

/// Components of variance of the biased moments that the degrees of freedom are made of: of negatives, of
/// positives, of readers; and their degrees of freedom.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Degrees {
    components: [f64; 3],
    freedom: [f64; 3],
}

/// An average or a difference of two, with its variance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UEstimate {
    /// The average, or the first less the second.
    pub estimate: f64,
    /// The unbiased variance; not above 0 where it says nothing.
    pub variance: f64,
    /// The variance of maximum likelihood.
    pub mle_variance: f64,
    degrees: Degrees,
    null: f64,
}

impl Degrees {
    /// Satterthwaite's degrees of freedom over negatives, positives and readers, at least the smallest.
    fn of(&self, variance: f64) -> Option<f64> {
        let parts = self.components.iter().zip(&self.freedom).map(|(b, df)| b * b / (df * df * df));
        let sum: f64 = parts.sum();
        let least = self.freedom.iter().copied().fold(f64::INFINITY, f64::min);
        (sum > 0.0 && sum.is_finite()).then(|| (variance * variance / sum).max(least))
    }
}

impl UEstimate {
    /// Degrees of freedom of a variance.
    pub fn df(&self, variance: f64) -> Option<f64> {
        (variance > 0.0).then(|| self.degrees.of(variance)).flatten()
    }

    /// Interval and test by Student's law with real degrees of freedom and the unbiased variance; none where
    /// that is not above 0.
    pub fn infer(&self, level: f64) -> Option<Inference> {
        self.infer_with(self.variance, level)
    }

    /// The same with a variance.
    pub fn infer_with(&self, variance: f64, level: f64) -> Option<Inference> {
        let df = self.df(variance)?;
        Inference::new(self.estimate, variance, Some(df), self.null, level)
    }

    /// As FDA's program gives it: degrees of freedom without their fraction, the normal law above 50.
    pub fn infer_as_imrmc(&self, variance: f64, level: f64) -> Option<Inference> {
        let df = self.df(variance)?;
        let df = (df <= 50.0).then(|| df.floor());
        Inference::new(self.estimate, variance, df, self.null, level)
    }

    /// By the normal law.
    pub fn infer_normal(&self, variance: f64, level: f64) -> Option<Inference> {
        Inference::new(self.estimate, variance, None, self.null, level)
    }

    pub(super) fn new(
        estimate: f64,
        [variance, mle_variance]: [f64; 2],
        components: [f64; 3],
        freedom: [f64; 3],
        null: f64,
    ) -> Self {
        Self { estimate, variance, mle_variance, degrees: Degrees { components, freedom }, null }
    }
}

/// Unbiased sums of eight: products that share what they are said to share and no more.
fn apart_eight(same: &[i128; 4], any: &[i128; 4]) -> [i128; 8] {
    let four = |v: &[i128; 4]| [v[0], v[1] - v[0], v[2] - v[0], apart(v)];
    let (a, b) = (four(same), four(any));
    [a[0], a[1], a[2], a[3], b[0] - a[0], b[1] - a[1], b[2] - a[2], b[3] - a[3]]
}

/// Sums over readers: of one reader with themselves, and of any two.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Summed {
    pub(super) same: PairMoments,
    pub(super) any: PairMoments,
}

impl Summed {
    /// Of two modalities of a study.
    pub(super) fn of(study: &ReaderStudy, moments: &Moments, first: usize, second: usize) -> Self {
        let start = |modality: usize| study.modalities[..modality].iter().map(Vec::len).sum::<usize>();
        let (from, to) = (start(first), start(second));
        let mut out = Self::default();
        for (a, (reader, _)) in study.modalities[first].iter().enumerate() {
            for (b, (other, _)) in study.modalities[second].iter().enumerate() {
                let pair = moments.pair(from + a, to + b);
                out.any.add(pair);
                if reader == other {
                    out.same.add(pair);
                }
            }
        }
        out
    }

    pub(super) fn covariance(&self, auc: f64) -> Covariance {
        let sums = apart_eight(&self.same.sums, &self.any.sums);
        let counts = apart_eight(&self.same.counts, &self.any.counts);
        let ratio = |sum: i128, count: i128| if count == 0 { 0.0 } else { sum as f64 / count as f64 / 4.0 };
        let all = self.any.counts[3];
        let moments: [f64; 8] = std::array::from_fn(|k| ratio(sums[k], counts[k]));
        let biased = |k: usize| match k {
            0..4 => ratio(self.same.sums[k], self.same.counts[k]),
            _ => ratio(self.any.sums[k - 4], self.any.counts[k - 4]),
        };
        let mle_moments: [f64; 8] = std::array::from_fn(biased);
        let coefficients: [f64; 8] =
            std::array::from_fn(|k| counts[k] as f64 / all as f64 - f64::from(u8::from(k == 7)));
        // The moments with their coefficients add up to a difference of two ratios of integers.
        let value = unbiased(self.any.sums[3], all, sums[7], counts[7]);
        let mle = coefficients.iter().zip(&mle_moments).map(|(c, m)| c * m).sum();
        Covariance { moments, mle_moments, coefficients, value, mle, auc }
    }
}

impl Covariance {
    /// Sums of coefficients of what shares a negative, a positive, a reader.
    fn shares(&self) -> [f64; 3] {
        let sum = |of: &[usize]| of.iter().map(|k| self.coefficients[*k]).sum::<f64>();
        [sum(&[0, 2, 4, 6]), sum(&[0, 1, 4, 5]), sum(&[0, 1, 2, 3])]
    }

    /// Components of the biased moments: of negatives, of positives, of readers; 0 where nothing shares one.
    pub fn mle_components(&self) -> [f64; 3] {
        self.components(&self.mle_moments)
    }

    /// Components of some moments.
    pub fn components(&self, m: &[f64; 8]) -> [f64; 3] {
        let raw = [m[6] - m[7], m[5] - m[7], m[3] - m[7]];
        let shares = self.shares();
        std::array::from_fn(|k| if shares[k] == 0.0 { 0.0 } else { raw[k] })
    }

    /// Degrees of freedom of negatives, positives and readers: one less than as many as stand for the design.
    pub(super) fn freedom(&self) -> [f64; 3] {
        self.shares().map(|share| if share == 0.0 { f64::NAN } else { (1.0 / share - 1.0).round() })
    }
}

/// The averages of all modalities, with their variances.
pub fn averages(study: &ReaderStudy, moments: &Moments) -> Vec<(UEstimate, Covariance)> {
    (0..study.modalities.len())
        .map(|modality| {
            let found = Summed::of(study, moments, modality, modality).covariance(weighted(study, modality));
            let variances = [found.value, found.mle];
            let (components, freedom) = (found.mle_components(), found.freedom());
            (UEstimate::new(found.auc, variances, components, freedom, 0.5), found)
        })
        .collect()
}

/// The average of a modality, its readers weighted by their pairs of cases.
fn weighted(study: &ReaderStudy, modality: usize) -> f64 {
    let cells = study.modalities[modality].iter().map(|(_, cell)| cell);
    let (sum, pairs) = cells.fold((0.0, 0.0), |(sum, pairs), cell| {
        (sum + cell.total as f64, pairs + 2.0 * cell.read[0] as f64 * cell.read[1] as f64)
    });
    sum / pairs
}

/// The difference of two modalities, the first less the second, and their covariance.
pub fn difference(
    study: &ReaderStudy,
    moments: &Moments,
    averages: &[(UEstimate, Covariance)],
    first: usize,
    second: usize,
) -> (UEstimate, Covariance) {
    let found = Summed::of(study, moments, first, second).covariance(weighted(study, second));
    let [(a, of_a), (b, of_b)] = [&averages[first], &averages[second]];
    let variances =
        [a.variance + b.variance - 2.0 * found.value, a.mle_variance + b.mle_variance - 2.0 * found.mle];
    let (x, y, xy) = (of_a.mle_components(), of_b.mle_components(), found.mle_components());
    let components = std::array::from_fn(|k| x[k] + y[k] - 2.0 * xy[k]);
    let (df_a, df_b) = (of_a.freedom(), of_b.freedom());
    let freedom = std::array::from_fn(|k| df_a[k].min(df_b[k]));
    (UEstimate::new(a.estimate - b.estimate, variances, components, freedom, 0.0), found)
}
