//! How many readers and cases a reader study needs (Hillis, Obuchowski, Berbaum 2011, equation 10, of two
//! modalities crossed with readers and cases; the same argument with the mean squares of the other layouts,
//! Hillis 2007 and 2014). Components come from a pilot, or are declared.

use super::analysis::Population;
use crate::special::{incomplete_beta, normal_cdf, normal_quantile, t_two_sided};

/// How readers and cases meet, and what is compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Layout {
    /// Two modalities; all readers read all cases in both.
    Crossed,
    /// Two modalities with readers of their own, so many in each, who all read all cases.
    Nested {
        /// Variance of readers within a modality.
        reader: f64,
    },
    /// Two modalities; so many groups of readers as large as each other, each with as many cases of its own.
    SplitPlot {
        /// Groups; one is the crossed layout, as many as readers gives every reader cases of its own.
        groups: u32,
    },
    /// The device alone less the mean of the readers, who read in one modality. `cov1` and `cov3` say
    /// nothing.
    DeviceAlone {
        /// Variance of readers.
        reader: f64,
        /// Variance of the device's figure over cases.
        device: f64,
        /// Covariance of the device's figure and a reader's.
        with_reader: f64,
    },
}

/// What is assumed. Variances and covariances are those of a study of `pilot_cases` cases, and shrink as
/// their inverse.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Assumed {
    /// How readers and cases meet.
    pub layout: Layout,
    /// True difference that is compared, plus the margin where non-inferiority is to be shown.
    pub difference: f64,
    /// The margin on both sides where equivalence is to be shown.
    pub within: Option<f64>,
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

/// What a difference varies by: its variance is `times` (`readers` + `own` + J·`shared`)/J with J readers.
struct Spread {
    /// Of readers, whatever the number of cases.
    readers: f64,
    /// Of one reader over cases.
    own: f64,
    /// What all readers share over cases.
    shared: f64,
    times: f64,
    /// Degrees of freedom of the mean square of readers.
    degrees: f64,
}

impl Assumed {
    /// None where the layout does not fit the number of readers.
    fn spread(&self, readers: u32, cases: u32) -> Option<Spread> {
        let count = f64::from(readers);
        let shrunk = self.pilot_cases / f64::from(cases);
        let apart = (self.cov2 - self.cov3).max(0.0);
        let crossed = |shrunk: f64, shared: f64| Spread {
            readers: self.interaction.max(0.0),
            own: shrunk * (self.variance - self.cov1 - shared),
            shared: shrunk * shared,
            times: 2.0,
            degrees: count - 1.0,
        };
        match self.layout {
            Layout::Crossed => Some(crossed(shrunk, apart)),
            Layout::SplitPlot { groups } => {
                let fits = groups >= 1 && groups <= readers && readers.is_multiple_of(groups);
                // Only pairs of one group share cases, of which a group has its part.
                let pairs = (count / f64::from(groups) - 1.0) / (count - 1.0).max(1.0);
                fits.then(|| crossed(shrunk * f64::from(groups), apart * pairs))
            }
            Layout::Nested { reader } => Some(Spread {
                readers: reader.max(0.0),
                own: shrunk * (self.variance - self.cov2),
                shared: shrunk * apart,
                times: 2.0,
                degrees: 2.0 * (count - 1.0),
            }),
            Layout::DeviceAlone { reader, device, with_reader } => {
                let shared = (self.cov2 + device - 2.0 * with_reader).max(0.0);
                Some(Spread {
                    readers: reader.max(0.0),
                    own: shrunk * (self.variance + device - 2.0 * with_reader - shared),
                    shared: shrunk * shared,
                    times: 1.0,
                    degrees: count - 1.0,
                })
            }
        }
    }
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

/// The power with `readers` (two at least, unless they are fixed; in each modality where readers are nested)
/// and `cases`, of the two-sided test at `alpha`, or of both one-sided tests at half of it where equivalence
/// is to be shown. None where the assumptions give no variance, or the layout does not fit the readers.
pub fn power(
    assumed: &Assumed,
    readers: u32,
    cases: u32,
    population: Population,
    alpha: f64,
) -> Option<Power> {
    let count = f64::from(readers);
    let Spread { readers: of_readers, own, shared, times, degrees } = assumed.spread(readers, cases)?;
    let (denominator, df2) = match population {
        Population::ReadersAndCases => {
            let alone = of_readers + own;
            let whole = alone + count * shared;
            (whole, Some((whole / alone).powi(2) * degrees))
        }
        Population::Readers => (of_readers + own, Some(degrees)),
        Population::Cases => (own + count * shared, None),
    };
    let lawful = denominator > 0.0 && count >= 1.0 && df2.is_none_or(|df| df.is_finite() && df > 0.0);
    if !lawful {
        return None;
    }
    let variance = times * denominator / count;
    let noncentrality = assumed.difference.powi(2) / variance;
    if let Some(margin) = assumed.within {
        let power = both_one_sided(assumed.difference, margin, variance.sqrt(), df2, alpha);
        return Some(Power { noncentrality, df2, critical: None, power });
    }
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

/// The probability that the two-sided interval at 1 − `alpha` lies within ± `margin` (Schuirmann 1987, *A
/// comparison of the two one-sided tests procedure and the power approach*, Journal of Pharmacokinetics and
/// Biopharmaceutics 15): the estimate is normal, its squared standard error independent of it and χ² over its
/// degrees of freedom (Owen 1965, *A special case of a bivariate non-central t-distribution*, Biometrika 52).
fn both_one_sided(difference: f64, margin: f64, se: f64, df: Option<f64>, alpha: f64) -> f64 {
    let (above, below) = ((margin - difference) / se, (margin + difference) / se);
    let inside = |half: f64| (normal_cdf(above - half) - normal_cdf(half - below)).max(0.0);
    let Some(df) = df else { return inside(normal_quantile(1.0 - alpha / 2.0)) };
    let t = t_two_sided(1.0 - alpha, df);
    // Over the ratio v of the standard error that is found and the true one; beyond `most` no estimate is
    // inside. The density of v has a deviation of about 1/√(2 df).
    let far = 14.0 / (2.0 * df).sqrt();
    let (least, most) = ((1.0 - far).max(0.0), (1.0 + far).min((above + below) / (2.0 * t)));
    if most <= least {
        return 0.0;
    }
    let log_scale =
        std::f64::consts::LN_2 + df / 2.0 * (df / 2.0).ln() - statrs::function::gamma::ln_gamma(df / 2.0);
    let at = |v: f64| {
        let log_density = log_scale + (df - 1.0) * v.ln() - df / 2.0 * v * v;
        if v > 0.0 { log_density.exp() * inside(t * v) } else { 0.0 }
    };
    // Simpson's rule.
    const STEPS: usize = 2000;
    let step = (most - least) / STEPS as f64;
    let weight = |k: usize| if k == 0 || k == STEPS { 1.0 } else { 2.0 + 2.0 * (k % 2) as f64 };
    let sum: f64 = (0..=STEPS).map(|k| weight(k) * at(least + k as f64 * step)).sum();
    (sum * step / 3.0).clamp(0.0, 1.0)
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

/// The fewest readers, up to `most`, with a power above `wanted`; power rises with readers. In groups the
/// number is a multiple of theirs.
pub fn fewest_readers(
    assumed: &Assumed,
    cases: u32,
    population: Population,
    alpha: f64,
    wanted: f64,
    most: u32,
) -> Option<(u32, Power)> {
    let step = match assumed.layout {
        Layout::SplitPlot { groups } => groups.max(1),
        _ => 1,
    };
    let of = |times: u32| power(assumed, times * step, cases, population, alpha).filter(|p| p.power > wanted);
    let (times, found) = fewest(of, 2_u32.div_ceil(step), most / step)?;
    Some((times * step, found))
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
