//! Covariances of the areas under the curves of several readers and modalities, whose cases are the same.

use std::collections::BTreeMap;

use super::cell::{Cell, ReaderStudy};
use super::moments::Moments;

/// A symmetric matrix, one row and one column a cell.
#[derive(Clone, Debug, PartialEq)]
pub struct Matrix {
    size: usize,
    values: Vec<f64>,
}

impl Matrix {
    /// Of a function of two cells that does not mind their order.
    pub fn of(size: usize, mut value: impl FnMut(usize, usize) -> f64) -> Self {
        let mut values = vec![0.0; size * size];
        for a in 0..size {
            for b in a..size {
                let covariance = value(a, b);
                values[a * size + b] = covariance;
                values[b * size + a] = covariance;
            }
        }
        Self { size, values }
    }

    /// Of two cells.
    pub fn at(&self, a: usize, b: usize) -> f64 {
        self.values[a * self.size + b]
    }

    /// Rows.
    pub fn size(&self) -> usize {
        self.size
    }
}

/// How the covariances of areas are estimated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CovarianceMethod {
    /// One case left out after the other (Quenouille 1956); a case that a reader has not read changes nothing
    /// for them, and the factor is (K−1)/K with all cases of the study.
    Jackknife,
    /// DeLong, DeLong, Clarke-Pearson 1988; every reader has to read every case.
    DeLong,
    /// Without bias, from the moments of U-statistics (Gallas 2006).
    Unbiased,
    /// One patient left out after the other.
    PatientJackknife,
    /// Obuchowski 1997, of patients with several cases; every reader has to read every case.
    Obuchowski,
}

impl CovarianceMethod {
    /// All, in the order of the list.
    pub const ALL: [Self; 5] =
        [Self::Jackknife, Self::DeLong, Self::Unbiased, Self::PatientJackknife, Self::Obuchowski];

    /// The word for it.
    pub fn id(self) -> &'static str {
        match self {
            Self::Jackknife => "jackknife",
            Self::DeLong => "delong",
            Self::Unbiased => "unbiased",
            Self::PatientJackknife => "patient-jackknife",
            Self::Obuchowski => "obuchowski",
        }
    }

    /// It minds that patients have several cases.
    pub fn minds_patients(self) -> bool {
        matches!(self, Self::PatientJackknife | Self::Obuchowski)
    }

    /// What decides where nothing was asked for: the method of patients where they are given, and the one
    /// that needs no complete reading where reads are missing.
    pub fn of_study(study: &ReaderStudy) -> Self {
        match (study.patients.is_some(), study.is_fully_read()) {
            (true, true) => Self::Obuchowski,
            (true, false) => Self::PatientJackknife,
            (false, true) => Self::DeLong,
            (false, false) => Self::Unbiased,
        }
    }
}

/// The covariances of all cells; none where the method needs what the study lacks (complete reading,
/// patients, two cases of each class for every reader).
pub fn covariances(study: &ReaderStudy, moments: &Moments, method: CovarianceMethod) -> Option<Matrix> {
    let cells = study.cells();
    let size = cells.len();
    if cells.iter().any(|cell| cell.read.iter().any(|n| *n < 2)) {
        return None;
    }
    let full = study.is_fully_read();
    let matrix = match method {
        CovarianceMethod::Jackknife => jackknife(&cells.iter().map(|c| left_out(c)).collect::<Vec<_>>()),
        CovarianceMethod::DeLong if full => delong(&cells),
        CovarianceMethod::Unbiased => Matrix::of(size, |a, b| moments.pair(a, b).covariance()),
        CovarianceMethod::PatientJackknife => {
            let patients = study.patients.as_ref()?;
            let left: Option<Vec<_>> = cells.iter().map(|cell| patients_left_out(cell, patients)).collect();
            jackknife(&left?)
        }
        CovarianceMethod::Obuchowski if full => obuchowski(&cells, study.patients.as_ref()?)?,
        CovarianceMethod::DeLong | CovarianceMethod::Obuchowski => return None,
    };
    matrix.values.iter().all(|v| v.is_finite()).then_some(matrix)
}

/// The areas without each case: negatives, then positives.
pub(super) fn left_out(cell: &Cell) -> Vec<f64> {
    let auc = cell.auc();
    let [n, m] = cell.read.map(|n| n as f64);
    let without = |sums: &[u64], read: Vec<bool>, pairs: f64| -> Vec<f64> {
        let area = |(sum, read): (&u64, bool)| {
            if read { (cell.total - sum) as f64 / (2.0 * pairs) } else { auc }
        };
        sums.iter().zip(read).map(area).collect()
    };
    let mut out = without(&cell.by_negative, cell.reads(false).collect(), (n - 1.0) * m);
    out.extend(without(&cell.by_positive, cell.reads(true).collect(), n * (m - 1.0)));
    out
}

/// The areas without each patient; none where a patient has all cases of a class.
fn patients_left_out(cell: &Cell, patients: &[Vec<u32>; 2]) -> Option<Vec<f64>> {
    let mut of: BTreeMap<u32, [Vec<usize>; 2]> = BTreeMap::new();
    for (class, ids) in patients.iter().enumerate() {
        for (case, id) in ids.iter().enumerate() {
            of.entry(*id).or_default()[class].push(case);
        }
    }
    let read: [Vec<bool>; 2] = [false, true].map(|class| cell.reads(class).collect());
    of.values()
        .map(|[negatives, positives]| {
            let gone =
                |class: usize, cases: &[usize]| cases.iter().filter(|c| read[class][**c]).count() as u64;
            let [n, m] = [cell.read[0] - gone(0, negatives), cell.read[1] - gone(1, positives)];
            if n == 0 || m == 0 {
                return None;
            }
            let own: u64 = negatives
                .iter()
                .flat_map(|i| positives.iter().map(move |j| u64::from(cell.kernel(*i, *j))))
                .sum();
            let lost: u64 = negatives.iter().map(|i| cell.by_negative[*i]).sum::<u64>()
                + positives.iter().map(|j| cell.by_positive[*j]).sum::<u64>();
            Some((cell.total + own - lost) as f64 / (2.0 * n as f64 * m as f64))
        })
        .collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// Of the areas that remain when one after the other is left out.
fn jackknife(left: &[Vec<f64>]) -> Matrix {
    let centred: Vec<Vec<f64>> = left
        .iter()
        .map(|areas| {
            let mean = mean(areas);
            areas.iter().map(|area| area - mean).collect()
        })
        .collect();
    Matrix::of(left.len(), |a, b| {
        let n = centred[a].len() as f64;
        (n - 1.0) / n * centred[a].iter().zip(&centred[b]).map(|(x, y)| x * y).sum::<f64>()
    })
}

/// Components of each case less the area: of the negatives, of the positives.
fn placements(cell: &Cell) -> [Vec<f64>; 2] {
    let auc = cell.auc();
    let [n, m] = cell.read.map(|n| n as f64);
    let less = |sums: &[u64], others: f64| -> Vec<f64> {
        sums.iter().map(|sum| *sum as f64 / (2.0 * others) - auc).collect()
    };
    [less(&cell.by_negative, m), less(&cell.by_positive, n)]
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn delong(cells: &[&Cell]) -> Matrix {
    let placements: Vec<[Vec<f64>; 2]> = cells.iter().map(|cell| placements(cell)).collect();
    Matrix::of(cells.len(), |a, b| {
        let class = |class: usize| {
            let n = placements[a][class].len() as f64;
            dot(&placements[a][class], &placements[b][class]) / ((n - 1.0) * n)
        };
        class(0) + class(1)
    })
}

/// Sums of the components of each patient: Obuchowski 1997, with both cross terms of a covariance.
fn obuchowski(cells: &[&Cell], patients: &[Vec<u32>; 2]) -> Option<Matrix> {
    let mut numbers: BTreeMap<u32, usize> = BTreeMap::new();
    for id in patients.iter().flatten() {
        let next = numbers.len();
        numbers.entry(*id).or_insert(next);
    }
    let with = [0, 1]
        .map(|class: usize| patients[class].iter().collect::<std::collections::BTreeSet<_>>().len() as f64);
    let all = numbers.len() as f64;
    if with.iter().any(|n| *n < 2.0) {
        return None;
    }
    let sums: Vec<[Vec<f64>; 2]> = cells
        .iter()
        .map(|cell| {
            let placements = placements(cell);
            [0, 1].map(|class: usize| {
                let mut sums = vec![0.0; numbers.len()];
                for (id, placement) in patients[class].iter().zip(&placements[class]) {
                    sums[numbers[id]] += placement;
                }
                sums
            })
        })
        .collect();
    let [n, m] = [patients[0].len() as f64, patients[1].len() as f64];
    Some(Matrix::of(cells.len(), |a, b| {
        let (a, b) = (&sums[a], &sums[b]);
        let positive = with[1] / ((with[1] - 1.0) * m) * dot(&a[1], &b[1]);
        let negative = with[0] / ((with[0] - 1.0) * n) * dot(&a[0], &b[0]);
        let crossed = all / (all - 1.0) * (dot(&a[1], &b[0]) + dot(&a[0], &b[1]));
        positive / m + negative / n + crossed / (m * n)
    }))
}
