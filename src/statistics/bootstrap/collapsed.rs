//! The case bootstrap of one AUC on collapsed cells.

use std::collections::BTreeMap;

use crate::bootstrap::resampler::draw_many;
use crate::random::{AliasTables, Law, Stream};
use crate::ranks::groups;

/// The case bootstrap of the AUC on collapsed cells.
///
/// "Minor" is the smaller class. Runs of neighbours of one class (and tied groups) are cells: for the minor
/// cases of run r, 2·(major cases below) + (major cases tied) is `cumulated[low[r]] + cumulated[high[r]]`.
pub(super) struct CollapsedAuc {
    positives_are_minor: bool,
    stratified: bool,
    minor: u64,
    major: u64,
    low: Vec<u32>,
    high: Vec<u32>,
    minor_cells: Cells,
    major_cells: Cells,
}

/// How the cases of one class are drawn into its cells.
struct Cells {
    cell_of_case: Vec<u32>,
    cells: usize,
    /// Poisson numbers conditioned on their sum, then topped up case by case; without them, every case is
    /// drawn by itself.
    poisson: Option<PoissonCells>,
}

/// Poisson numbers of all cells. A cell of size s is the sum of independent numbers for the octal digits of
/// s, so that a few small tables, which stay in the nearest cache, serve every size.
struct PoissonCells {
    tables: AliasTables,
    /// Law and cell of each number, by ascending cell.
    numbers: Vec<(Law, u32)>,
}

pub(super) struct Scratch {
    minor: Drawn,
    major: Drawn,
    placement: Vec<u32>,
}

/// Counts of one class.
struct Drawn {
    /// Counts drawn case by case, by cell.
    single: Vec<u32>,
    /// Counts of all cells up to and with each, after a leading 0.
    cumulated: Vec<u32>,
}

impl Drawn {
    fn new(cells: usize) -> Self {
        Self { single: vec![0; cells], cumulated: vec![0; cells + 1] }
    }
}

impl CollapsedAuc {
    /// None when a class is empty.
    pub(super) fn new(labels: &[bool], scores: &[f64], stratified: bool) -> Option<Self> {
        let groups = groups(labels, scores);
        let positives: u64 = groups.iter().map(|g| g.positives).sum();
        let negatives = labels.len() as u64 - positives;
        if positives == 0 || negatives == 0 {
            return None;
        }
        let positives_are_minor = positives <= negatives;
        let (minor, major) =
            if positives_are_minor { (positives, negatives) } else { (negatives, positives) };
        let (mut low, mut high) = (Vec::new(), Vec::new());
        let (mut minor_sizes, mut major_sizes): (Vec<u64>, Vec<u64>) = (Vec::new(), Vec::new());
        // Which class may still join the last cell.
        let (mut minor_open, mut major_open) = (false, false);
        for g in &groups {
            let (here_minor, here_major) =
                if positives_are_minor { (g.positives, g.negatives) } else { (g.negatives, g.positives) };
            let tied = here_minor > 0 && here_major > 0;
            if here_minor > 0 {
                match minor_sizes.last_mut().filter(|_| minor_open && !tied) {
                    Some(last) => *last += here_minor,
                    None => {
                        minor_sizes.push(here_minor);
                        low.push(major_sizes.len() as u32);
                        high.push(major_sizes.len() as u32 + u32::from(tied));
                    }
                }
            }
            if here_major > 0 {
                match major_sizes.last_mut().filter(|_| major_open && !tied) {
                    Some(last) => *last += here_major,
                    None => major_sizes.push(here_major),
                }
            }
            (minor_open, major_open) = (!tied && here_minor > 0, !tied && here_major > 0);
        }
        // The number drawn of a class varies around its size.
        let spread = if stratified { 0.0 } else { minor as f64 * major as f64 / (minor + major) as f64 };
        Some(Self {
            positives_are_minor,
            stratified,
            minor,
            major,
            low,
            high,
            minor_cells: Cells::new(&minor_sizes, minor, spread),
            major_cells: Cells::new(&major_sizes, major, spread),
        })
    }

    pub(super) fn scratch(&self) -> Scratch {
        Scratch {
            minor: Drawn::new(self.minor_cells.cells),
            major: Drawn::new(self.major_cells.cells),
            placement: vec![0; self.low.len()],
        }
    }

    /// One replicate.
    pub(super) fn run(&self, scratch: &mut Scratch, stream: &mut Stream) -> Option<f64> {
        let total = self.minor + self.major;
        let minor = if self.stratified {
            self.minor
        } else {
            stream.binomial(total, self.minor as f64 / total as f64)
        };
        let major = total - minor;
        if minor == 0 || major == 0 {
            return None;
        }
        self.major_cells.draw(major, &mut scratch.major, stream);
        let below = &scratch.major.cumulated;
        for ((placement, &low), &high) in scratch.placement.iter_mut().zip(&self.low).zip(&self.high) {
            *placement = below[low as usize] + below[high as usize];
        }
        let wins: u64 = if self.minor_cells.poisson.is_some() {
            self.minor_cells.draw(minor, &mut scratch.minor, stream);
            let counts = scratch.minor.cumulated.windows(2).map(|w| u64::from(w[1] - w[0]));
            counts.zip(&scratch.placement).map(|(count, &placement)| count * u64::from(placement)).sum()
        } else {
            let mut wins = 0;
            let (cells, size) = (&self.minor_cells.cell_of_case, self.minor as u32);
            draw_many(stream, minor, size, |case| {
                wins = u64::wrapping_add(wins, u64::from(scratch.placement[cells[case as usize] as usize]));
            });
            wins
        };
        let pairs = 2 * minor * major;
        let wins = if self.positives_are_minor { wins } else { pairs - wins };
        Some(wins as f64 / pairs as f64)
    }
}
impl Cells {
    /// `class` cases in cells of `sizes`; the number drawn varies with variance `spread`.
    fn new(sizes: &[u64], class: u64, spread: f64) -> Self {
        let mut cell_of_case = Vec::with_capacity(class as usize);
        for (cell, &size) in (0_u32..).zip(sizes) {
            cell_of_case.extend(std::iter::repeat_n(cell, size as usize));
        }
        let mut out = Self { cell_of_case, cells: sizes.len(), poisson: None };
        // The Poisson sum must rarely exceed the number to draw: stay below it by one standard deviation.
        let slack = (class as f64 + spread).sqrt();
        let digits: u32 = sizes.iter().map(|&s| octal_digits(s).count() as u32).sum();
        // Rough costs in nanoseconds: a draw of a case misses the nearer caches when the class is large.
        let single = if class < 8192 { 1.6 } else { 4.0 };
        let by_poisson = f64::from(digits) * 1.6 / 0.84 + sizes.len() as f64 + 1.3 * slack * single;
        if by_poisson >= class as f64 * single || slack * 2.0 > class as f64 {
            return out;
        }
        let rate = (class as f64 - slack) / class as f64;
        let mut tables = AliasTables::default();
        let mut laws: BTreeMap<u64, Law> = BTreeMap::new();
        let mut numbers = Vec::with_capacity(digits as usize);
        for (cell, &size) in (0_u32..).zip(sizes) {
            for part in octal_digits(size) {
                let law = *laws.entry(part).or_insert_with(|| tables.add_poisson(part as f64 * rate));
                numbers.push((law, cell));
            }
        }
        out.poisson = Some(PoissonCells { tables, numbers });
        out
    }

    /// Multinomial counts of `total` draws, cumulated.
    fn draw(&self, total: u64, drawn: &mut Drawn, stream: &mut Stream) {
        let missing = match &self.poisson {
            None => {
                drawn.cumulated.fill(0);
                total
            }
            // Given their sum, Poisson counts are multinomial; refusing sums above `total` conditions on the
            // sum alone, and the rest is drawn case by case.
            Some(poisson) => loop {
                let mut sum = 0_u32;
                for &(law, cell) in &poisson.numbers {
                    // At most 2³² cases: no sum can wrap.
                    sum = sum.wrapping_add(poisson.tables.draw(law, stream));
                    drawn.cumulated[cell as usize + 1] = sum;
                }
                if u64::from(sum) <= total {
                    break total - u64::from(sum);
                }
            },
        };
        drawn.single.fill(0);
        let size = self.cell_of_case.len() as u32;
        draw_many(stream, missing, size, |case| {
            drawn.single[self.cell_of_case[case as usize] as usize] += 1;
        });
        let mut sum = 0;
        for (cumulated, &single) in drawn.cumulated[1..].iter_mut().zip(&drawn.single) {
            sum = single.wrapping_add(sum);
            *cumulated = cumulated.wrapping_add(sum);
        }
    }
}

/// The parts d·8^k of a number by its octal digits, at most 8⁶ each: a larger number has several of those.
pub(super) fn octal_digits(mut size: u64) -> impl Iterator<Item = u64> {
    const LARGEST: u64 = 1 << 18;
    let mut unit = 1;
    std::iter::from_fn(move || {
        while size > 0 {
            if unit == LARGEST {
                size -= 1;
                return Some(LARGEST);
            }
            let (digit, part) = (size % 8, unit);
            size /= 8;
            unit *= 8;
            if digit > 0 {
                return Some(digit * part);
            }
        }
        None
    })
}
