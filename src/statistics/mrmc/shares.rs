//! Binary ratings: sensitivity or specificity of every reader in every modality, over the cases of one class.

use super::covariance::Matrix;
use super::u_statistics::UEstimate;

/// Of one class: whether each reader answered each case rightly, in every modality; none where it was not
/// read. The order of cells is that of [`super::ReaderStudy::cells`].
#[derive(Clone, Debug, PartialEq)]
pub struct Shares {
    /// Readers of each modality, with their answers.
    pub modalities: Vec<Vec<(usize, Vec<Option<bool>>)>>,
}

/// An average share or a difference, with its variance by U-statistics.
pub type ShareUStatistic = UEstimate;

/// Sums of products of answers of one case or of any two, and how many: (sums, counts).
#[derive(Clone, Copy, Debug, Default)]
struct PairSums {
    sums: [i128; 2],
    counts: [i128; 2],
}

/// Moments over readers: the same reader and case, the same reader, the same case, neither.
#[derive(Clone, Copy, Debug)]
struct FourMoments {
    unbiased: f64,
    mle: f64,
    case: f64,
    reader: f64,
}

fn pair(a: &[Option<bool>], b: &[Option<bool>]) -> PairSums {
    let right = |x: &[Option<bool>]| x.iter().filter(|x| **x == Some(true)).count() as i128;
    let read = |x: &[Option<bool>]| x.iter().flatten().count() as i128;
    let both = a.iter().zip(b).filter_map(|(x, y)| x.zip(*y));
    let (rights, reads) =
        both.fold((0, 0), |(rights, reads), (x, y)| (rights + i128::from(x && y), reads + 1));
    PairSums { sums: [rights, right(a) * right(b)], counts: [reads, read(a) * read(b)] }
}

fn ratio(sum: i128, count: i128) -> f64 {
    if count == 0 { 0.0 } else { sum as f64 / count as f64 }
}

/// all/n − apart/m, in integers as long as they hold.
fn less(all: i128, n: i128, apart: i128, m: i128) -> f64 {
    if n == 0 || m == 0 {
        return f64::NAN;
    }
    let exact = all.checked_mul(m).zip(apart.checked_mul(n)).and_then(|(x, y)| x.checked_sub(y));
    match exact.zip(n.checked_mul(m)) {
        Some((difference, product)) => difference as f64 / product as f64,
        None => all as f64 / n as f64 - apart as f64 / m as f64,
    }
}

impl Shares {
    /// Each reader's share in each modality; none where a reader read nothing.
    pub fn shares(&self) -> Option<Vec<Vec<f64>>> {
        let share = |answers: &[Option<bool>]| {
            let read = answers.iter().flatten().count();
            let right = answers.iter().flatten().filter(|x| **x).count();
            (read > 0).then(|| right as f64 / read as f64)
        };
        self.modalities.iter().map(|of| of.iter().map(|(_, answers)| share(answers)).collect()).collect()
    }

    /// Their covariances without bias, which are the jackknife's where all is read.
    pub fn covariances(&self) -> Option<Matrix> {
        let cells: Vec<&[Option<bool>]> = self.modalities.iter().flatten().map(|(_, a)| &a[..]).collect();
        let matrix = Matrix::of(cells.len(), |a, b| {
            let PairSums { sums, counts } = pair(cells[a], cells[b]);
            less(sums[1], counts[1], sums[1] - sums[0], counts[1] - counts[0])
        });
        let known = (0..cells.len()).all(|a| (0..cells.len()).all(|b| matrix.at(a, b).is_finite()));
        known.then_some(matrix)
    }

    /// Their covariances where patients have several cases: by the sums of each patient's deviations
    /// (linearised; Obuchowski 1998). `patients` has one number a case of the class. Where each case is a
    /// patient of its own these are [`Self::covariances`] of a complete reading. None with fewer than two
    /// patients, or a reader without reads.
    pub fn clustered_covariances(&self, patients: &[u32]) -> Option<Matrix> {
        let shares: Vec<f64> = self.shares()?.concat();
        let cells: Vec<&[Option<bool>]> = self.modalities.iter().flatten().map(|(_, a)| &a[..]).collect();
        let numbers: std::collections::BTreeMap<u32, usize> = {
            let distinct: std::collections::BTreeSet<u32> = patients.iter().copied().collect();
            distinct.into_iter().zip(0..).collect()
        };
        let count = numbers.len() as f64;
        if numbers.len() < 2 {
            return None;
        }
        // Deviations of each patient, over the reads of the cell.
        let deviations: Vec<Vec<f64>> = cells
            .iter()
            .zip(&shares)
            .map(|(answers, share)| {
                let mut of = vec![0.0; numbers.len()];
                let read = answers.iter().flatten().count() as f64;
                for (answer, patient) in answers.iter().zip(patients) {
                    if let (Some(answer), Some(place)) = (answer, numbers.get(patient)) {
                        of[*place] += (f64::from(u8::from(*answer)) - share) / read;
                    }
                }
                of
            })
            .collect();
        let factor = count / (count - 1.0);
        Some(Matrix::of(cells.len(), |a, b| {
            factor * deviations[a].iter().zip(&deviations[b]).map(|(x, y)| x * y).sum::<f64>()
        }))
    }

    fn moments(&self, first: usize, second: usize) -> FourMoments {
        let (mut sums, mut counts) = ([0_i128; 4], [0_i128; 4]);
        for (reader, answers) in &self.modalities[first] {
            for (other, others) in &self.modalities[second] {
                let found = pair(answers, others);
                for k in 0..2 {
                    sums[2 + k] += found.sums[k];
                    counts[2 + k] += found.counts[k];
                    if reader == other {
                        sums[k] += found.sums[k];
                        counts[k] += found.counts[k];
                    }
                }
            }
        }
        let apart = |v: &[i128; 4]| [v[0], v[1] - v[0], v[2] - v[0], v[3] - v[1] - v[2] + v[0]];
        let (unbiased, of) = (apart(&sums), apart(&counts));
        let mle: [f64; 4] = std::array::from_fn(|k| ratio(sums[k], counts[k]));
        let all = counts[3] as f64;
        let coefficient = |k: usize| of[k] as f64 / all - f64::from(u8::from(k == 3));
        FourMoments {
            unbiased: less(sums[3], counts[3], unbiased[3], of[3]),
            mle: (0..4).map(|k| coefficient(k) * mle[k]).sum(),
            case: mle[2] - mle[3],
            reader: mle[1] - mle[3],
        }
    }

    fn average(&self, modality: usize) -> f64 {
        let answers = || self.modalities[modality].iter().flat_map(|(_, answers)| answers.iter().flatten());
        answers().filter(|x| **x).count() as f64 / answers().count() as f64
    }

    /// Degrees of freedom of cases and of readers.
    fn freedom(&self, modality: usize) -> [f64; 3] {
        let cases = self.modalities[modality].first().map_or(0, |(_, answers)| answers.len());
        let readers = self.modalities[modality].len();
        // The third place has no component.
        [cases as f64 - 1.0, readers as f64 - 1.0, f64::INFINITY]
    }

    /// The average share of each modality with its variance, readers and cases random.
    pub fn averages(&self) -> Vec<ShareUStatistic> {
        (0..self.modalities.len())
            .map(|modality| {
                let m = self.moments(modality, modality);
                let components = [m.case, m.reader, 0.0];
                let variances = [m.unbiased, m.mle];
                UEstimate::new(self.average(modality), variances, components, self.freedom(modality), 0.5)
            })
            .collect()
    }

    /// The difference of two modalities, the first less the second.
    pub fn difference(&self, first: usize, second: usize) -> ShareUStatistic {
        let [a, b] = [first, second].map(|modality| self.moments(modality, modality));
        let ab = self.moments(first, second);
        let joined = |of: fn(&FourMoments) -> f64| of(&a) + of(&b) - 2.0 * of(&ab);
        let (df_a, df_b) = (self.freedom(first), self.freedom(second));
        UEstimate::new(
            self.average(first) - self.average(second),
            [joined(|m| m.unbiased), joined(|m| m.mle)],
            [joined(|m| m.case), joined(|m| m.reader), 0.0],
            std::array::from_fn(|k| df_a[k].min(df_b[k])),
            0.0,
        )
    }
}
