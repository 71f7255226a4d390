//! Obuchowski and Rockette's analysis of a figure of merit (an area, a sensitivity, a specificity) of every
//! reader in every modality, with the degrees of freedom of Hillis (2007, 2014), which are real numbers and
//! are not rounded. What is generalised to is said: to readers and cases, to cases with these readers, or to
//! readers with these cases.
//!
//! Where Cov2 < Cov3, the term of their difference is 0 in the analysis of random readers; with fixed readers
//! it stays as it is, since that is the variance of the contrast, and [`FixedReaders::truncated`] has the
//! other custom beside it. Components of variance are not cut at 0: a negative one is said.

use super::covariance::Matrix;
use super::inference::{Inference, f_tail};
use crate::special::chi_squared_sf;

/// Whom the result is to hold for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Population {
    /// Other readers, other cases.
    ReadersAndCases,
    /// Other cases, these readers.
    Cases,
    /// Other readers, these cases.
    Readers,
}

/// Mean squares of the figures of merit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MeanSquares {
    /// Of modalities; none where there is one.
    pub modality: Option<f64>,
    /// Of readers (within modalities where they are nested in them).
    pub reader: f64,
    /// Of modality by reader; none where there is one modality, or readers are nested.
    pub interaction: Option<f64>,
}

/// Components of variance.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Components {
    /// Variance of a figure of merit over cases.
    pub variance: f64,
    /// Covariance of the same reader in two modalities; none where readers are nested in modalities.
    pub cov1: Option<f64>,
    /// Covariance of two readers in a modality.
    pub cov2: f64,
    /// Covariance of two readers in two modalities.
    pub cov3: f64,
    /// Of readers; can be negative.
    pub reader: Option<f64>,
    /// Of modality by reader; can be negative.
    pub interaction: Option<f64>,
}

/// The test that all modalities are alike.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Global {
    /// What the mean square of modalities is divided by.
    pub denominator: f64,
    /// F, or χ² with fixed readers.
    pub statistic: f64,
    /// Degrees of freedom of modalities.
    pub df1: f64,
    /// Degrees of freedom of the denominator; none for χ².
    pub df2: Option<f64>,
    /// P value.
    pub p: f64,
}

/// What holds for one population.
#[derive(Clone, Debug, PartialEq)]
pub struct Effects {
    /// All modalities alike; none where there is one, or the denominator is not above 0.
    pub global: Option<Global>,
    /// The denominator, where it is known, above 0 or not.
    pub denominator: Option<f64>,
    /// Differences of the means of two modalities, the first less the second.
    pub differences: Vec<(usize, usize, Option<Inference>)>,
    /// The mean of each modality by its own readers (Hillis 2007, section 5.3); tested against ½.
    pub means: Vec<Option<Inference>>,
}

/// With these readers.
#[derive(Clone, Debug, PartialEq)]
pub struct FixedReaders {
    /// With Cov2 − Cov3 as it is.
    pub effects: Effects,
    /// With max(Cov2 − Cov3, 0).
    pub truncated: Effects,
    /// Each reader: the figure in each modality, as (modality, place in its list of readers).
    pub readers: Vec<(usize, usize, Option<Inference>)>,
    /// Each reader: differences of two modalities, as (reader, first, second); the variance is pooled over
    /// modalities. Empty where readers are nested.
    pub differences: Vec<(usize, usize, usize, Option<Inference>)>,
}

/// What one modality gives by its own readers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct OfModality {
    /// Mean square of its readers.
    pub reader: f64,
    /// Mean variance of a reader's figure over cases.
    pub variance: f64,
    /// Mean covariance of two readers, negative or not.
    pub cov2: f64,
}

/// The analysis with one method for the covariances.
#[derive(Clone, Debug, PartialEq)]
pub struct Analysis {
    /// Mean squares.
    pub mean_squares: MeanSquares,
    /// Components.
    pub components: Components,
    /// Each modality alone.
    pub modalities: Vec<OfModality>,
    /// Random readers, random cases.
    pub readers_and_cases: Effects,
    /// Fixed readers, random cases.
    pub cases: FixedReaders,
    /// Random readers, fixed cases.
    pub readers: Effects,
}

/// How readers and cases meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meeting {
    /// The same readers in all modalities.
    Crossed,
    /// The same readers in all modalities, each with cases of their own: readers are independent.
    CasesWithinReaders,
    /// Readers of their own in each modality.
    ReadersWithinModalities,
}

fn mean(values: impl IntoIterator<Item = f64>) -> f64 {
    let (mut sum, mut n) = (0.0, 0.0);
    for value in values {
        sum += value;
        n += 1.0;
    }
    if n > 0.0 { sum / n } else { 0.0 }
}

fn square(x: f64) -> f64 {
    x * x
}

/// Pairs of modalities, the first before the second.
fn pairs(modalities: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..modalities).flat_map(move |a| (a + 1..modalities).map(move |b| (a, b)))
}

/// The analysis; `merit` has one list of readers a modality, `covariances` counts them one after the other.
/// None where a modality has fewer than two readers: then readers are no population.
pub fn analyse(merit: &[Vec<f64>], covariances: &Matrix, meeting: Meeting, level: f64) -> Option<Analysis> {
    if merit.is_empty() || merit.iter().any(|of| of.len() < 2) {
        return None;
    }
    match meeting {
        Meeting::ReadersWithinModalities => Some(nested(merit, covariances, level)),
        Meeting::Crossed | Meeting::CasesWithinReaders => {
            let same = merit.iter().all(|of| of.len() == merit[0].len());
            same.then(|| Crossed::new(merit, covariances, meeting, level).analysis())
        }
    }
}

/// What its readers give of one modality; `own` are their covariances.
fn of_modality(merit: &[f64], own: impl Fn(usize, usize) -> f64) -> OfModality {
    let readers = merit.len();
    let estimate = mean(merit.iter().copied());
    let apart = (0..readers).flat_map(|a| (0..readers).filter(move |b| a != *b).map(move |b| (a, b)));
    OfModality {
        reader: merit.iter().map(|x| square(x - estimate)).sum::<f64>() / (readers as f64 - 1.0),
        variance: mean((0..readers).map(|j| own(j, j))),
        cov2: mean(apart.map(|(a, b)| own(a, b))),
    }
}

/// The mean of one modality for the three populations.
fn means_of(merit: &[f64], of: &OfModality, level: f64) -> [Option<Inference>; 3] {
    let count = merit.len() as f64;
    let estimate = mean(merit.iter().copied());
    let cov2 = of.cov2.max(0.0);
    let whole = of.reader + count * cov2;
    let df = (of.reader > 0.0).then(|| square(whole / of.reader) * (count - 1.0));
    let infer = |variance: f64, df: Option<f64>| Inference::new(estimate, variance, df, 0.5, level);
    [
        df.and_then(|df| infer(whole / count, Some(df))),
        infer((of.variance + (count - 1.0) * cov2) / count, None),
        infer(of.reader / count, Some(count - 1.0)),
    ]
}

/// The means of all modalities, one list a population.
fn all_means(merit: &[Vec<f64>], of: &[OfModality], level: f64) -> [Vec<Option<Inference>>; 3] {
    let mut means: [Vec<Option<Inference>>; 3] = Default::default();
    for (merit, of) in merit.iter().zip(of) {
        for (list, found) in means.iter_mut().zip(means_of(merit, of, level)) {
            list.push(found);
        }
    }
    means
}

/// F of modalities over a denominator.
fn f_test(modality: f64, denominator: f64, df1: f64, df2: f64) -> Option<Global> {
    let lawful = denominator > 0.0 && df2 > 0.0 && df2.is_finite();
    lawful.then(|| {
        let statistic = modality / denominator;
        Global { denominator, statistic, df1, df2: Some(df2), p: f_tail(statistic, df1, df2) }
    })
}

/// χ² of modalities over a denominator.
fn chi_test(modality: f64, denominator: f64, modalities: usize) -> Option<Global> {
    (denominator > 0.0).then(|| {
        let df1 = (modalities - 1) as f64;
        let statistic = df1 * modality / denominator;
        Global { denominator, statistic, df1, df2: None, p: chi_squared_sf(statistic, modalities as u64 - 1) }
    })
}

/// Readers and modalities crossed.
struct Crossed<'a> {
    merit: &'a [Vec<f64>],
    covariances: &'a Matrix,
    independent: bool,
    level: f64,
    /// Means of the modalities.
    of: Vec<f64>,
}

impl<'a> Crossed<'a> {
    fn new(merit: &'a [Vec<f64>], covariances: &'a Matrix, meeting: Meeting, level: f64) -> Self {
        let of = merit.iter().map(|readers| mean(readers.iter().copied())).collect();
        let independent = meeting == Meeting::CasesWithinReaders;
        Self { merit, covariances, independent, level, of }
    }

    fn modalities(&self) -> usize {
        self.merit.len()
    }

    fn readers(&self) -> usize {
        self.merit[0].len()
    }

    /// The covariance of a reader in a modality and another reader in another.
    fn covariance(&self, i: usize, j: usize, k: usize, l: usize) -> f64 {
        if self.independent && j != l {
            return 0.0;
        }
        self.covariances.at(i * self.readers() + j, k * self.readers() + l)
    }

    /// The mean covariance of cells whose modalities are the same or not, and readers the same or not.
    fn mean_covariance(&self, same_modality: bool, same_reader: bool) -> f64 {
        let (modalities, readers) = (self.modalities(), self.readers());
        let mut found = Vec::new();
        for i in 0..modalities {
            for k in (0..modalities).filter(|k| (*k == i) == same_modality) {
                for j in 0..readers {
                    for l in (0..readers).filter(|l| (*l == j) == same_reader) {
                        found.push(self.covariance(i, j, k, l));
                    }
                }
            }
        }
        mean(found)
    }

    fn mean_squares(&self) -> MeanSquares {
        let (modalities, readers) = (self.modalities() as f64, self.readers() as f64);
        let all = mean(self.merit.iter().flatten().copied());
        let of_reader: Vec<f64> =
            (0..self.readers()).map(|j| mean(self.merit.iter().map(|of| of[j]))).collect();
        let reader = modalities * of_reader.iter().map(|x| square(x - all)).sum::<f64>() / (readers - 1.0);
        if self.modalities() < 2 {
            return MeanSquares { modality: None, reader, interaction: None };
        }
        let modality = readers * self.of.iter().map(|x| square(x - all)).sum::<f64>() / (modalities - 1.0);
        let apart = |(i, j): (usize, usize)| self.merit[i][j] - self.of[i] - of_reader[j] + all;
        let cells = (0..self.modalities()).flat_map(|i| (0..self.readers()).map(move |j| (i, j)));
        let interaction =
            cells.map(|cell| square(apart(cell))).sum::<f64>() / ((modalities - 1.0) * (readers - 1.0));
        MeanSquares { modality: Some(modality), reader, interaction: Some(interaction) }
    }

    fn differences(&self, variance: f64, df: Option<f64>) -> Vec<(usize, usize, Option<Inference>)> {
        pairs(self.modalities())
            .map(|(a, b)| (a, b, Inference::new(self.of[a] - self.of[b], variance, df, 0.0, self.level)))
            .collect()
    }

    fn analysis(&self) -> Analysis {
        let (modalities, readers) = (self.modalities() as f64, self.readers() as f64);
        let squares = self.mean_squares();
        let variance = self.mean_covariance(true, true);
        let cov1 = self.mean_covariance(false, true);
        let (cov2, cov3) = if self.independent {
            (0.0, 0.0)
        } else {
            (self.mean_covariance(true, false), self.mean_covariance(false, false))
        };
        let components = Components {
            variance,
            cov1: Some(cov1),
            cov2,
            cov3,
            reader: squares.interaction.map(|tr| (squares.reader - tr) / modalities - cov1 + cov3),
            interaction: squares.interaction.map(|tr| tr - variance + cov1 + (cov2 - cov3)),
        };
        let each = self.merit.iter().enumerate();
        let alone: Vec<OfModality> =
            each.map(|(i, merit)| of_modality(merit, |j, l| self.covariance(i, j, i, l))).collect();
        let [both, of_cases, of_readers] = all_means(self.merit, &alone, self.level);
        let (df1, freedom) = (modalities - 1.0, (modalities - 1.0) * (readers - 1.0));
        let squared = squares.modality.zip(squares.interaction);
        let readers_and_cases = {
            let whole = squared.map(|(_, tr)| tr + readers * (cov2 - cov3).max(0.0));
            let df2 = whole.zip(squared).map(|(whole, (_, tr))| square(whole / tr) * freedom);
            let global = squared.zip(whole.zip(df2));
            Effects {
                denominator: whole,
                global: global.and_then(|((t, _), (whole, df2))| f_test(t, whole, df1, df2)),
                differences: self.differences(2.0 * whole.unwrap_or(f64::NAN) / readers, df2),
                means: both,
            }
        };
        let fixed = |apart: f64| {
            let whole = squared.map(|_| variance - cov1 + (readers - 1.0) * apart);
            Effects {
                denominator: whole,
                global: squared.zip(whole).and_then(|((t, _), w)| chi_test(t, w, self.modalities())),
                differences: self.differences(2.0 * whole.unwrap_or(f64::NAN) / readers, None),
                means: of_cases.clone(),
            }
        };
        let of_readers = Effects {
            denominator: squares.interaction,
            global: squared.and_then(|(t, tr)| f_test(t, tr, df1, freedom)),
            differences: self
                .differences(2.0 * squares.interaction.unwrap_or(f64::NAN) / readers, Some(freedom)),
            means: of_readers,
        };
        Analysis {
            mean_squares: squares,
            components,
            modalities: alone,
            readers_and_cases,
            cases: FixedReaders {
                effects: fixed(cov2 - cov3),
                truncated: fixed((cov2 - cov3).max(0.0)),
                readers: self.each_reader(),
                differences: self.each_difference(),
            },
            readers: of_readers,
        }
    }

    fn each_reader(&self) -> Vec<(usize, usize, Option<Inference>)> {
        let cells = (0..self.modalities()).flat_map(|i| (0..self.readers()).map(move |j| (i, j)));
        let infer = |i: usize, j: usize| {
            Inference::new(self.merit[i][j], self.covariance(i, j, i, j), None, 0.5, self.level)
        };
        cells.map(|(i, j)| (i, j, infer(i, j))).collect()
    }

    fn each_difference(&self) -> Vec<(usize, usize, usize, Option<Inference>)> {
        let modalities = self.modalities();
        let mut out = Vec::new();
        for j in 0..self.readers() {
            let own = mean((0..modalities).map(|i| self.covariance(i, j, i, j)));
            let other = mean(
                (0..modalities)
                    .flat_map(|i| (0..modalities).filter(move |k| *k != i).map(move |k| (i, k)))
                    .map(|(i, k)| self.covariance(i, j, k, j)),
            );
            for (a, b) in pairs(modalities) {
                let difference = self.merit[a][j] - self.merit[b][j];
                let infer = Inference::new(difference, 2.0 * (own - other), None, 0.0, self.level);
                out.push((j, a, b, infer));
            }
        }
        out
    }
}

/// Readers nested in modalities (Hillis 2014). The number of readers that stands for unequal ones is the
/// coefficient of the expected mean square, (N − Σnᵢ²/N)/(I−1).
fn nested(merit: &[Vec<f64>], covariances: &Matrix, level: f64) -> Analysis {
    let modalities = merit.len();
    let sizes: Vec<f64> = merit.iter().map(|of| of.len() as f64).collect();
    let all: f64 = sizes.iter().sum();
    let starts: Vec<usize> = merit
        .iter()
        .scan(0, |from, of| {
            *from += of.len();
            Some(*from - of.len())
        })
        .collect();
    let of: Vec<f64> = merit.iter().map(|readers| mean(readers.iter().copied())).collect();
    let grand = merit.iter().flatten().sum::<f64>() / all;
    let degrees = all - modalities as f64;
    let within = merit.iter().zip(&of).flat_map(|(readers, of)| readers.iter().map(move |x| square(x - of)));
    let reader = within.sum::<f64>() / degrees;
    let df1 = modalities as f64 - 1.0;
    let modality = (modalities > 1)
        .then(|| sizes.iter().zip(&of).map(|(n, of)| n * square(of - grand)).sum::<f64>() / df1);
    let owner: Vec<usize> =
        merit.iter().enumerate().flat_map(|(i, of)| std::iter::repeat_n(i, of.len())).collect();
    let cells = owner.len();
    let mean_where = |wanted: &dyn Fn(usize, usize) -> bool| {
        let mut found = Vec::new();
        for x in 0..cells {
            found.extend((0..cells).filter(|y| wanted(x, *y)).map(|y| covariances.at(x, y)));
        }
        mean(found)
    };
    let variance = mean_where(&|x, y| x == y);
    let cov2 = mean_where(&|x, y| x != y && owner[x] == owner[y]);
    let cov3 = mean_where(&|x, y| owner[x] != owner[y]);
    let alone: Vec<OfModality> = (merit.iter().zip(&starts))
        .map(|(merit, start)| of_modality(merit, |j, l| covariances.at(start + j, start + l)))
        .collect();
    let [both, of_cases, of_readers] = all_means(merit, &alone, level);
    let readers = (all - sizes.iter().map(|n| n * n).sum::<f64>() / all) / df1;
    let differences = |whole: Option<f64>, df: Option<f64>| -> Vec<(usize, usize, Option<Inference>)> {
        pairs(modalities)
            .map(|(a, b)| {
                let variance = (1.0 / sizes[a] + 1.0 / sizes[b]) * whole.unwrap_or(f64::NAN);
                (a, b, Inference::new(of[a] - of[b], variance, df, 0.0, level))
            })
            .collect()
    };
    let whole = modality.map(|_| reader + readers * (cov2 - cov3).max(0.0));
    let df2 = whole.map(|whole| square(whole / reader) * degrees);
    let readers_and_cases = Effects {
        denominator: whole,
        global: modality.zip(whole.zip(df2)).and_then(|(t, (w, df2))| f_test(t, w, df1, df2)),
        differences: differences(whole, df2),
        means: both,
    };
    let whole = modality.map(|_| variance - cov2 + readers * (cov2 - cov3).max(0.0));
    let fixed = Effects {
        denominator: whole,
        global: modality.zip(whole).and_then(|(t, w)| chi_test(t, w, modalities)),
        differences: differences(whole, None),
        means: of_cases,
    };
    let each = (0..modalities).flat_map(|i| (0..merit[i].len()).map(move |j| (i, j)));
    let each = each.map(|(i, j)| {
        let own = covariances.at(starts[i] + j, starts[i] + j);
        (i, j, Inference::new(merit[i][j], own, None, 0.5, level))
    });
    Analysis {
        mean_squares: MeanSquares { modality, reader, interaction: None },
        components: Components { variance, cov1: None, cov2, cov3, reader: None, interaction: None },
        modalities: alone,
        readers_and_cases,
        cases: FixedReaders {
            truncated: fixed.clone(),
            effects: fixed,
            readers: each.collect(),
            differences: Vec::new(),
        },
        readers: Effects {
            denominator: modality.map(|_| reader),
            global: modality.and_then(|t| f_test(t, reader, df1, degrees)),
            differences: differences(modality.map(|_| reader), Some(degrees)),
            means: of_readers,
        },
    }
}
