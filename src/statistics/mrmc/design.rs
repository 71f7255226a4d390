//! How many readers and cases a reader study needs (Hillis, Obuchowski, Berbaum 2011, equation 10): two
//! modalities, crossed with readers and cases. Components come from a pilot, or are declared.

use super::analysis::Population;
use crate::statistics::special::{incomplete_beta, normal_cdf, normal_quantile, t_two_sided};

/// What is assumed. Variances and covariances are those of a study of `pilot_cases` cases, and shrink as
/// their inverse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Assumed {
    /// True difference of the two modalities, plus the margin where non-inferiority is to be shown.
    pub difference: f64,
    /// Variance of modality by reader; below 0 counts as 0.
    pub interaction: f64,
    /// Variance of a figure of merit over cases.
    pub variance: f64,
    /// Covariance of the same reader in two modalities.
    pub cov1: f64,
    /// Covariance of two readers in one modality.
    pub cov2: f64,
    /// Covariance of two readers in two modalities; above `cov2` it counts as equal.
    pub cov3: f64,
    /// Cases of the study the covariances come from.
    pub pilot_cases: f64,
}

/// The power of a study.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Power {
    /// Non-centrality.
    pub noncentrality: f64,
    /// Denominator degrees of freedom; none with fixed readers.
    pub df2: Option<f64>,
    /// What F has to exceed; none with fixed readers.
    pub critical: Option<f64>,
    /// Probability that the test of the difference rejects.
    pub power: f64,
}

/// The power with `readers` (two at least, unless they are fixed) and `cases`, of the two-sided test at
/// `alpha`. None where the assumptions give no variance.
pub fn power(
    assumed: &Assumed,
    readers: u32,
    cases: u32,
    population: Population,
    alpha: f64,
) -> Option<Power> {
    let count = f64::from(readers);
    let shrunk = assumed.pilot_cases / f64::from(cases);
    let interaction = assumed.interaction.max(0.0);
    let apart = (assumed.cov2 - assumed.cov3).max(0.0);
    let own = shrunk * (assumed.variance - assumed.cov1 - apart);
    let shared = shrunk * count * apart;
    let (denominator, df2) = match population {
        Population::ReadersAndCases => {
            let alone = interaction + own;
            (alone + shared, Some(((alone + shared) / alone).powi(2) * (count - 1.0)))
        }
        Population::Readers => (interaction + own, Some(count - 1.0)),
        Population::Cases => (own + shared, None),
    };
    let lawful = denominator > 0.0 && count >= 1.0 && df2.is_none_or(|df| df.is_finite() && df > 0.0);
    if !lawful {
        return None;
    }
    let noncentrality = assumed.difference.powi(2) * count / 2.0 / denominator;
    Some(match df2 {
        Some(df) => {
            let critical = t_two_sided(1.0 - alpha, df).powi(2);
            let power = noncentral_f_tail(critical, df, noncentrality);
            Power { noncentrality, df2, critical: Some(critical), power }
        }
        None => {
            let (z, shift) = (normal_quantile(1.0 - alpha / 2.0), noncentrality.sqrt());
            let power = normal_cdf(shift - z) + normal_cdf(-shift - z);
            Power { noncentrality, df2, critical: None, power }
        }
    })
}

/// The fewest cases, up to `most`, with a power above `wanted`; power rises with cases.
pub fn fewest_cases(
    assumed: &Assumed,
    readers: u32,
    population: Population,
    alpha: f64,
    wanted: f64,
    most: u32,
) -> Option<(u32, Power)> {
    let of = |cases: u32| power(assumed, readers, cases, population, alpha).filter(|p| p.power > wanted);
    fewest(of, 1, most)
}

/// The fewest readers, up to `most`, with a power above `wanted`; power rises with readers.
pub fn fewest_readers(
    assumed: &Assumed,
    cases: u32,
    population: Population,
    alpha: f64,
    wanted: f64,
    most: u32,
) -> Option<(u32, Power)> {
    let of = |readers: u32| power(assumed, readers, cases, population, alpha).filter(|p| p.power > wanted);
    fewest(of, 2, most)
}

fn fewest(of: impl Fn(u32) -> Option<Power>, least: u32, most: u32) -> Option<(u32, Power)> {
    of(most)?;
    let (mut low, mut high) = (least, most);
    while low < high {
        let middle = low + (high - low) / 2;
        if of(middle).is_some() {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    of(high).map(|power| (high, power))
}

/// P(F' > f) with 1 and `df2` degrees of freedom: central laws weighted by Poisson's, from its middle
/// outwards.
fn noncentral_f_tail(f: f64, df2: f64, noncentrality: f64) -> f64 {
    let half = noncentrality / 2.0;
    let (x, y) = (f / (f + df2), df2 / (f + df2));
    let tail = |j: f64| incomplete_beta(x, y, 0.5 + j, df2 / 2.0).1;
    let middle = half.floor();
    let log_weight = if half > 0.0 {
        middle * half.ln() - half - statrs::function::gamma::ln_gamma(middle + 1.0)
    } else {
        0.0
    };
    let first = log_weight.exp();
    let mut sum = first * tail(middle);
    let (mut weight, mut j) = (first, middle);
    loop {
        j += 1.0;
        weight *= half / j;
        if weight < 1e-18 {
            break;
        }
        sum += weight * tail(j);
    }
    let (mut weight, mut j) = (first, middle);
    while j > 0.0 && weight > 1e-18 {
        weight *= j / half;
        j -= 1.0;
        sum += weight * tail(j);
    }
    sum.min(1.0)
}
