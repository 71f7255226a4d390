//! What one reader rated in one modality, and the study of them all.

use crate::ranks;

/// Ratings of one reader in one modality, one a case of the study; none where the case was not read.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Ratings as integers with the same order: of the negatives, of the positives.
    keys: [Vec<Option<u64>>; 2],
    /// Twice the kernel summed over the other class, one a negative; 0 where it was not read. The kernel is 1
    /// where the positive is rated higher, ½ where both are rated alike.
    pub(super) by_negative: Vec<u64>,
    /// The same, one a positive.
    pub(super) by_positive: Vec<u64>,
    /// Twice the kernel summed over all pairs.
    pub(super) total: u64,
    /// Negatives and positives that were read.
    pub(super) read: [u64; 2],
}

impl Cell {
    /// Of finite ratings; higher means positive. None where a class was not read at all.
    pub fn new(negatives: &[Option<f64>], positives: &[Option<f64>]) -> Result<Self, bool> {
        let keys = [negatives, positives]
            .map(|class| class.iter().map(|rating| rating.map(ranks::key)).collect::<Vec<_>>());
        let sorted = [&keys[0], &keys[1]].map(|class| {
            let mut read: Vec<u64> = class.iter().flatten().copied().collect();
            read.sort_unstable();
            read
        });
        if let Some(class) = sorted.iter().position(Vec::is_empty) {
            return Err(class == 1);
        }
        let below = |of: &[u64], key: u64| of.partition_point(|k| *k < key) as u64;
        let up_to = |of: &[u64], key: u64| of.partition_point(|k| *k <= key) as u64;
        let count = |of: &[u64]| of.len() as u64;
        let by_negative: Vec<u64> = keys[0]
            .iter()
            .map(|key| {
                key.map_or(0, |key| 2 * count(&sorted[1]) - below(&sorted[1], key) - up_to(&sorted[1], key))
            })
            .collect();
        let by_positive: Vec<u64> = keys[1]
            .iter()
            .map(|key| key.map_or(0, |key| below(&sorted[0], key) + up_to(&sorted[0], key)))
            .collect();
        let total = by_negative.iter().sum();
        let read = [count(&sorted[0]), count(&sorted[1])];
        Ok(Self { keys, by_negative, by_positive, total, read })
    }

    /// The area under the empirical curve.
    pub fn auc(&self) -> f64 {
        self.total as f64 / (2.0 * self.read[0] as f64 * self.read[1] as f64)
    }

    /// Whether a case was read: of the negatives, of the positives.
    pub(super) fn reads(&self, positive: bool) -> impl Iterator<Item = bool> + '_ {
        self.keys[usize::from(positive)].iter().map(Option::is_some)
    }

    /// Whether every case was read.
    pub fn is_full(&self) -> bool {
        self.keys.iter().flatten().all(Option::is_some)
    }

    /// Twice the kernel of a pair; 0 where one was not read.
    pub(super) fn kernel(&self, negative: usize, positive: usize) -> u8 {
        match (self.keys[0][negative], self.keys[1][positive]) {
            (Some(x), Some(y)) => u8::from(y > x) * 2 + u8::from(y == x),
            _ => 0,
        }
    }

    /// Twice the kernels of a negative with every positive.
    pub(super) fn row(&self, negative: usize, out: &mut [u8]) {
        match self.keys[0][negative] {
            None => out.fill(0),
            Some(x) => {
                for (out, y) in out.iter_mut().zip(&self.keys[1]) {
                    *out = y.map_or(0, |y| u8::from(y > x) * 2 + u8::from(y == x));
                }
            }
        }
    }
}

/// Every reader's ratings in every modality.
#[derive(Clone, Debug, PartialEq)]
pub struct ReaderStudy {
    /// Readers of each modality, ascending, with their ratings.
    pub modalities: Vec<Vec<(usize, Cell)>>,
    /// Negative and positive cases of the study.
    pub cases: [usize; 2],
    /// The patient of each negative and of each positive, where patients have several cases.
    pub patients: Option<[Vec<u32>; 2]>,
}

impl ReaderStudy {
    /// All cells, modality after modality, and in each reader after reader.
    pub fn cells(&self) -> Vec<&Cell> {
        self.modalities.iter().flatten().map(|(_, cell)| cell).collect()
    }

    /// The areas under the curves, one list a modality.
    pub fn aucs(&self) -> Vec<Vec<f64>> {
        self.modalities.iter().map(|of| of.iter().map(|(_, cell)| cell.auc()).collect()).collect()
    }

    /// The readers of each modality.
    pub fn readers(&self) -> Vec<Vec<usize>> {
        self.modalities.iter().map(|of| of.iter().map(|(reader, _)| *reader).collect()).collect()
    }

    /// Every reader reads every case in each modality of theirs.
    pub fn is_fully_read(&self) -> bool {
        self.cells().iter().all(|cell| cell.is_full())
    }

    /// No case was read by two readers: each reader has cases of their own.
    pub fn has_cases_within_readers(&self) -> bool {
        let mut read_by: [Vec<Option<usize>>; 2] = self.cases.map(|n| vec![None; n]);
        for (reader, cell) in self.modalities.iter().flatten() {
            for positive in [false, true] {
                for (by, read) in read_by[usize::from(positive)].iter_mut().zip(cell.reads(positive)) {
                    if read && *by.get_or_insert(*reader) != *reader {
                        return false;
                    }
                }
            }
        }
        let readers: std::collections::BTreeSet<usize> = self.readers().into_iter().flatten().collect();
        readers.len() > 1
    }
}
