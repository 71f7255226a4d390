//! Moments of pairs of readers: sums of products of kernels of pairs of cases that share the negative, the
//! positive, both or neither. They are integers; what is divided is divided last.

use super::cell::ReaderStudy;

/// Four sums of products of kernels (four times, since a kernel is kept twice) and how many products each
/// has: pairs of cases that are the same in both; that share the positive at least; the negative at least; of
/// any. The order is that of Gallas (2006).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PairMoments {
    /// Sums, times four.
    pub sums: [i128; 4],
    /// Numbers of products.
    pub counts: [i128; 4],
}

impl PairMoments {
    pub(super) fn add(&mut self, other: &Self) {
        for k in 0..4 {
            self.sums[k] += other.sums[k];
            self.counts[k] += other.counts[k];
        }
    }

    /// The covariance of the two areas without bias: their product less the unbiased estimate of the product
    /// of their expectations, from products that share no case.
    pub(super) fn covariance(&self) -> f64 {
        unbiased(self.sums[3], self.counts[3], apart(&self.sums), apart(&self.counts))
    }
}

/// What shares neither negative nor positive.
pub(super) fn apart(v: &[i128; 4]) -> i128 {
    v[3] - v[1] - v[2] + v[0]
}

/// (all / n − apart / m) / 4 in integers as long as they hold; NaN where there is nothing apart.
pub(super) fn unbiased(all: i128, n: i128, apart: i128, m: i128) -> f64 {
    if n == 0 || m == 0 {
        return f64::NAN;
    }
    let exact = all.checked_mul(m).zip(apart.checked_mul(n)).and_then(|(x, y)| x.checked_sub(y));
    match exact.zip(n.checked_mul(m)) {
        Some((difference, product)) => difference as f64 / product as f64 / 4.0,
        None => (all as f64 / n as f64 - apart as f64 / m as f64) / 4.0,
    }
}

/// The moments of every pair of cells.
#[derive(Clone, Debug)]
pub struct Moments {
    cells: usize,
    pairs: Vec<PairMoments>,
}

impl Moments {
    /// Of a study. Work: cells² · negatives · positives.
    pub fn new(study: &ReaderStudy) -> Self {
        let cells = study.cells();
        let count = cells.len();
        let [negatives, positives] = study.cases;
        // One negative after the other, so that no matrix of kernels is kept.
        let mut products = vec![0_i128; count * count];
        let mut rows = vec![0_u8; count * positives];
        for negative in 0..negatives {
            for (cell, row) in cells.iter().zip(rows.chunks_exact_mut(positives.max(1))) {
                cell.row(negative, row);
            }
            for a in 0..count {
                let row = &rows[a * positives..(a + 1) * positives];
                for b in a..count {
                    let other = &rows[b * positives..(b + 1) * positives];
                    products[a * count + b] += i128::from(dot(row, other));
                }
            }
        }
        let reads: Vec<[Vec<bool>; 2]> =
            cells.iter().map(|cell| [false, true].map(|class| cell.reads(class).collect())).collect();
        let shared = |a: usize, b: usize, class: usize| {
            let both = reads[a][class].iter().zip(&reads[b][class]).filter(|(x, y)| **x && **y);
            both.count() as i128
        };
        let sum = |x: &[u64], y: &[u64]| -> i128 {
            x.iter().zip(y).map(|(x, y)| i128::from(*x) * i128::from(*y)).sum()
        };
        let mut pairs = vec![PairMoments::default(); count * count];
        for (a, cell) in cells.iter().enumerate() {
            for (b, other) in cells.iter().enumerate().skip(a) {
                let [n, m] = cell.read.map(i128::from);
                let [n2, m2] = other.read.map(i128::from);
                let (both_negatives, both_positives) = (shared(a, b, 0), shared(a, b, 1));
                let moments = PairMoments {
                    sums: [
                        products[a * count + b],
                        sum(&cell.by_positive, &other.by_positive),
                        sum(&cell.by_negative, &other.by_negative),
                        i128::from(cell.total) * i128::from(other.total),
                    ],
                    counts: [
                        both_negatives * both_positives,
                        n * n2 * both_positives,
                        m * m2 * both_negatives,
                        n * m * n2 * m2,
                    ],
                };
                pairs[a * count + b] = moments;
                pairs[b * count + a] = moments;
            }
        }
        Self { cells: count, pairs }
    }

    /// Of two cells, counted as [`ReaderStudy::cells`] does.
    pub fn pair(&self, a: usize, b: usize) -> &PairMoments {
        &self.pairs[a * self.cells + b]
    }
}

/// The product of two rows of kernels.
fn dot(a: &[u8], b: &[u8]) -> u64 {
    // 4 · 4,096 fits 16 bits; short runs let the compiler use wide instructions.
    a.chunks(4_096)
        .zip(b.chunks(4_096))
        .map(|(a, b)| u64::from(a.iter().zip(b).map(|(x, y)| u16::from(x * y)).sum::<u16>()))
        .sum()
}
