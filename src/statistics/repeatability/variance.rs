//! Variance components within and between patients.

use std::collections::BTreeMap;

use super::{Patients, t_quantile};
use crate::proportion::Limits;

/// A value with the limits of its interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Known {
    /// The value.
    pub value: f64,
    /// Lower and upper limit; none where nothing varies, or with fewer than two patients.
    pub limits: Option<Limits>,
}

impl Known {
    /// The same multiplied by a number above 0.
    #[must_use]
    pub fn times(self, factor: f64) -> Self {
        Self {
            value: self.value * factor,
            limits: self.limits.map(|(low, high)| (low * factor, high * factor)),
        }
    }

    /// The square root of what is not negative.
    fn root(self) -> Self {
        Self { value: self.value.sqrt(), limits: self.limits.map(|(low, high)| (low.sqrt(), high.sqrt())) }
    }
}

/// Components of the variance of a score (one-way analysis of variance, patients random; Searle, Casella and
/// McCulloch 1992, chapter 3; Bland and Altman 1999; Raunig et al. 2015).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Components {
    /// Standard deviation of the images of one patient.
    pub within: Known,
    /// z·√2 times that: two images of one patient differ by less with a probability of the level, where their
    /// differences are normal.
    pub repeatability: Known,
    /// Standard deviation of patients; 0 where the estimate of its square is negative.
    pub between: f64,
    /// Share of the variance that is between patients.
    pub intraclass: Option<Known>,
}

/// Sums over patients, from which everything follows, so that one patient is taken out without a second look
/// at the others.
#[derive(Clone, Copy, Debug, Default)]
struct Sums {
    patients: f64,
    images: f64,
    /// Σn².
    squares: f64,
    /// Σn·mean and Σn·mean².
    means: f64,
    mean_squares: f64,
    /// Σ(x − mean)².
    within: f64,
}

impl Sums {
    fn of(scores: impl Iterator<Item = f64> + Clone, origin: f64) -> Self {
        let n = scores.clone().count() as f64;
        let mean = scores.clone().map(|x| x - origin).sum::<f64>() / n;
        let within = scores.map(|x| (x - origin - mean).powi(2)).sum();
        Self {
            patients: 1.0,
            images: n,
            squares: n * n,
            means: n * mean,
            mean_squares: n * mean * mean,
            within,
        }
    }

    fn add(self, other: Self, sign: f64) -> Self {
        Self {
            patients: self.patients + sign * other.patients,
            images: self.images + sign * other.images,
            squares: self.squares + sign * other.squares,
            means: self.means + sign * other.means,
            mean_squares: self.mean_squares + sign * other.mean_squares,
            within: self.within + sign * other.within,
        }
    }

    /// Mean square within patients; none where no patient has two images.
    fn within(&self) -> Option<f64> {
        let freedom = self.images - self.patients;
        (freedom > 0.5).then(|| (self.within / freedom).max(0.0))
    }

    /// Mean square between patients, and how many images a patient count for it.
    fn between(&self) -> Option<(f64, f64)> {
        let freedom = self.patients - 1.0;
        if freedom < 0.5 {
            return None;
        }
        let spread = (self.mean_squares - self.means * self.means / self.images).max(0.0);
        Some((spread / freedom, (self.images - self.squares / self.images) / freedom))
    }

    /// The intraclass correlation, and images a patient.
    fn intraclass(&self) -> Option<(f64, f64)> {
        let (within, (between, n)) = (self.within()?, self.between()?);
        let below = between + (n - 1.0) * within;
        (below > 0.0).then(|| ((between - within) / below, n))
    }
}

/// The components; none where no patient has two images. Limits are those of the logarithm of the variance
/// (of Fisher's transform of the correlation) with the variance of its delete-one-patient jackknife, so that
/// neither the scores nor their spread need be the same in all patients.
pub fn components(patients: &Patients, level: f64) -> Option<Components> {
    let all = || patients.iter().flatten().map(|image| image.score);
    let count = all().count();
    if count == 0 {
        return None;
    }
    let origin = all().sum::<f64>() / count as f64;
    let of = |images: &Vec<super::Image>| Sums::of(images.iter().map(|image| image.score), origin);
    let each: Vec<Sums> = patients.iter().filter(|images| !images.is_empty()).map(of).collect();
    let total = each.iter().fold(Sums::default(), |sum, one| sum.add(*one, 1.0));
    let within = total.within()?;
    let repeated: Vec<Sums> = each.iter().filter(|one| one.images > 1.5).copied().collect();
    let known = Known { value: within, limits: jackknife_of_log(&repeated, level) }.root();
    let (between, images) = total.between().unwrap_or((within, 1.0));
    let intraclass = total
        .intraclass()
        .map(|(value, _)| Known { value, limits: jackknife_of_correlation(&each, total, level) });
    let z = crate::special::z_two_sided(level);
    Some(Components {
        within: known,
        repeatability: known.times(z * std::f64::consts::SQRT_2),
        between: if images > 0.0 { ((between - within) / images).max(0.0).sqrt() } else { 0.0 },
        intraclass,
    })
}

/// Limits of a pooled variance Σs/Σf from each unit's sum of squares and degrees of freedom.
fn jackknife_of_log(units: &[Sums], level: f64) -> Option<Limits> {
    let parts: Vec<(f64, f64)> = units.iter().map(|one| (one.within, one.images - one.patients)).collect();
    ratio_on_log_scale(&parts, level)
}

/// Limits of Σa/Σb, both above 0, on the log scale by the jackknife over units; none where a unit holds all.
fn ratio_on_log_scale(parts: &[(f64, f64)], level: f64) -> Option<Limits> {
    let (a, b) = parts.iter().fold((0.0, 0.0), |(a, b), (x, y)| (a + x, b + y));
    let estimate = (a / b).ln();
    let mut without = Vec::with_capacity(parts.len());
    for (x, y) in parts {
        // A unit that holds all of the spread but rounding leaves no variance to look at.
        if a - x <= 1e-12 * a || b - y <= 1e-12 * b {
            return None;
        }
        without.push(((a - x) / (b - y)).ln());
    }
    let half = t_quantile(level, parts.len()) * jackknife(&without)?.sqrt();
    Some(((estimate - half).exp(), (estimate + half).exp()))
}

/// (K − 1)/K times the squares of the leave-one-out estimates around their mean; none with fewer than two.
fn jackknife(without: &[f64]) -> Option<f64> {
    let count = without.len() as f64;
    if count < 2.0 || without.iter().any(|x| !x.is_finite()) {
        return None;
    }
    let mean = without.iter().sum::<f64>() / count;
    let variance = (count - 1.0) / count * without.iter().map(|x| (x - mean).powi(2)).sum::<f64>();
    (variance > 0.0).then_some(variance)
}

/// Limits of the intraclass correlation from Fisher's transform ½·ln((1 + (n − 1)ρ)/(1 − ρ)).
fn jackknife_of_correlation(each: &[Sums], total: Sums, level: f64) -> Option<Limits> {
    let (_, n) = total.intraclass()?;
    if n <= 1.0 {
        return None;
    }
    let transform = |rho: f64| 0.5 * ((1.0 + (n - 1.0) * rho) / (1.0 - rho)).ln();
    let back = |z: f64| {
        let e = (2.0 * z).exp();
        (e - 1.0) / (e + n - 1.0)
    };
    let of = |sums: &Sums| sums.intraclass().map(|(rho, _)| transform(rho));
    let centre = of(&total).filter(|z| z.is_finite())?;
    let without = each.iter().map(|one| of(&total.add(*one, -1.0))).collect::<Option<Vec<f64>>>()?;
    let half = t_quantile(level, each.len()) * jackknife(&without)?.sqrt();
    Some((back(centre - half), back(centre + half)))
}

/// What conditions add: the standard deviation of images of one patient under the same condition, that of
/// images under different ones, and the part that the condition adds (0 where it is negative).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ByCondition {
    /// Same patient, same condition (repeatability); none where no patient has two such images.
    pub same: Option<Known>,
    /// Same patient, different conditions (reproducibility): the root of half the mean squared difference,
    /// where each patient counts once.
    pub different: Known,
    /// The part that the condition and its interplay with patients add.
    pub condition: Option<f64>,
}

/// Scores with the sum of their squares around their mean (Welford 1962).
#[derive(Clone, Copy, Debug, Default)]
struct Group {
    count: f64,
    mean: f64,
    squares: f64,
}

impl Group {
    fn add(&mut self, score: f64) {
        self.count += 1.0;
        let before = score - self.mean;
        self.mean += before / self.count;
        self.squares += before * (score - self.mean);
    }
}

/// None where no patient has images under two conditions.
pub fn by_condition(patients: &Patients, level: f64) -> Option<ByCondition> {
    let mut same: Vec<(f64, f64)> = Vec::new();
    let mut different: Vec<(f64, f64)> = Vec::new();
    for images in patients {
        let mut groups: BTreeMap<u32, Group> = BTreeMap::new();
        let mut all = Group::default();
        let origin = images.first().map_or(0.0, |image| image.score);
        for image in images {
            groups.entry(image.condition).or_default().add(image.score - origin);
            all.add(image.score - origin);
        }
        let squares: f64 = groups.values().map(|group| group.squares).sum();
        let freedom: f64 = groups.values().map(|group| group.count - 1.0).sum();
        if freedom > 0.0 {
            same.push((squares, freedom));
        }
        // The squared differences of n scores, each pair once, add up to n times the squares around their
        // mean.
        let of_pairs = |group: &Group| group.count * group.squares;
        let sum = (of_pairs(&all) - groups.values().map(of_pairs).sum::<f64>()).max(0.0) / 2.0;
        let count_pairs = |group: &Group| group.count * (group.count - 1.0) / 2.0;
        let pairs = count_pairs(&all) - groups.values().map(count_pairs).sum::<f64>();
        if pairs > 0.5 {
            different.push((sum / pairs, 1.0));
        }
    }
    let known = |parts: &[(f64, f64)]| {
        let (a, b) = parts.iter().fold((0.0, 0.0), |(a, b), (x, y)| (a + x, b + y));
        (b > 0.0).then(|| Known { value: a / b, limits: ratio_on_log_scale(parts, level) })
    };
    let (same, different) = (known(&same), known(&different)?);
    let condition = same.map(|same| (different.value - same.value).max(0.0).sqrt());
    Some(ByCondition { same: same.map(Known::root), different: different.root(), condition })
}
