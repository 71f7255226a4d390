//! Average run lengths of cumulative sums of independent normal values.
//!
//! Page (1954, *Continuous inspection schemes*, Biometrika 41): the average run length L(x) of a sum that
//! stands at x solves L(x) = 1 + L(0)·Φ(k − x − μ) + ∫₀ʰ L(y)·φ(y − x + k − μ) dy. The integral is taken by
//! Gauss-Legendre quadrature and the linear system that is left is solved (Goel and Wu 1971, *Determination
//! of A.R.L. and a contour nomogram for CUSUM charts to control normal mean*, Technometrics 13). Of a chart
//! with two sums that start at 0: 1/L = 1/L⁺ + 1/L⁻ (Kemp 1961, *The average run length of the cumulative sum
//! chart when a V-mask is used*, JRSS B 23).

use super::linear::solved;
use crate::special::normal_cdf;

/// Longer average run lengths are not given: the system that gives them is singular to the digits that
/// numbers have. Ten digits are good up to a run length of a hundred thousand, five at this one.
pub const LARGEST_RUN_LENGTH: f64 = 1e9;
/// Limits beyond which none is looked for.
const LARGEST_LIMIT: f64 = 60.0;

/// Which shifts a chart is to find.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sides {
    /// One sum: upwards alone, or downwards alone.
    One,
    /// Two sums, one upwards and one downwards.
    Two,
}

/// Nodes and weights of Gauss-Legendre quadrature over 0..`end`.
fn gauss_legendre(count: usize, end: f64) -> Vec<(f64, f64)> {
    let n = count as f64;
    let node = |index: usize| {
        let mut x = (std::f64::consts::PI * (index as f64 + 0.75) / (n + 0.5)).cos();
        let mut slope = 1.0;
        // Newton's steps from a guess that is close: they settle in four or five.
        for _ in 0..50 {
            let (mut before, mut value) = (1.0, x);
            for degree in 2..=count {
                let d = degree as f64;
                let next = ((2.0 * d - 1.0) * x * value - (d - 1.0) * before) / d;
                before = value;
                value = next;
            }
            slope = n * (x * value - before) / (x * x - 1.0);
            let step = value / slope;
            x -= step;
            if step.abs() < 1e-15 {
                break;
            }
        }
        (end * (1.0 + x) / 2.0, end / ((1.0 - x * x) * slope * slope))
    };
    (0..count).map(node).collect()
}

/// The average run length of one upward sum that starts at 0. Beyond [`LARGEST_RUN_LENGTH`] it has fewer
/// digits, in the end none.
fn one_sided(k: f64, h: f64, shift: f64) -> Option<f64> {
    // The kernel is as wide as the standard deviation, 1: four nodes on each, and some at the ends, are
    // enough for eleven digits.
    let nodes = gauss_legendre(16 + 4 * h.ceil() as usize, h);
    let places: Vec<f64> = std::iter::once(0.0).chain(nodes.iter().map(|node| node.0)).collect();
    let density = |z: f64| (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
    let row = |(i, &x): (usize, &f64)| -> Vec<f64> {
        let to_zero = normal_cdf(k - x - shift);
        let between = nodes.iter().map(|(y, weight)| weight * density(y - x + k - shift));
        let moves = std::iter::once(to_zero).chain(between).enumerate();
        moves.map(|(j, chance)| if i == j { 1.0 - chance } else { -chance }).collect()
    };
    let system = places.iter().enumerate().map(row).collect();
    let lengths = solved(system, vec![1.0; places.len()])?;
    lengths.first().copied().filter(|length| *length >= 1.0)
}

/// The average number of values up to and with the first at which a sum lies above the limit `h`, sums
/// starting at 0.
///
/// `k` ≥ 0 is the reference value and `h` in 0..=60 the limit, both in standard deviations of a value;
/// `shift` is the mean of the values in standard deviations (0: in control). `None` outside these ranges, and
/// where the run length is above [`LARGEST_RUN_LENGTH`].
pub fn average_run_length(k: f64, h: f64, shift: f64, sides: Sides) -> Option<f64> {
    let fits = (0.0..=10.0).contains(&k) && h > 0.0 && h <= LARGEST_LIMIT && shift.abs() <= 20.0;
    if !fits {
        return None;
    }
    let length = match sides {
        Sides::One => one_sided(k, h, shift)?,
        Sides::Two => {
            // The longer of the two needs few digits: its share of the rate is small. Where it has none, it
            // is so long that it has no share.
            let rate = [shift, -shift].map(|shift| one_sided(k, h, shift).map_or(0.0, f64::recip));
            (rate[0] + rate[1]).recip()
        }
    };
    (length <= LARGEST_RUN_LENGTH).then_some(length)
}

/// The limit at which the average run length in control is `run_length`, to as many digits as run lengths
/// have. `None` where no limit in 0..=60 has it: a run length that a limit of 0 exceeds already, or one above
/// [`LARGEST_RUN_LENGTH`].
pub fn decision_limit(k: f64, run_length: f64, sides: Sides) -> Option<f64> {
    if !(1.0..=LARGEST_RUN_LENGTH).contains(&run_length) {
        return None;
    }
    // The logarithm of the run length is close to a straight line in the limit.
    let apart = |h: f64| average_run_length(k, h, 0.0, sides).map(|length| (length / run_length).ln());
    let (mut low, mut high) = (1e-6, 1e-6);
    let mut at_low = apart(low)?;
    if at_low >= 0.0 {
        return None;
    }
    let mut at_high = loop {
        high += 1.0;
        let found = (high <= LARGEST_LIMIT).then(|| apart(high)).flatten();
        match found {
            Some(found) if found < 0.0 => (low, at_low) = (high, found),
            Some(found) => break found,
            // A run length that is too long to be given is longer than the one wanted.
            None if high <= LARGEST_LIMIT => break f64::INFINITY,
            None => return None,
        }
    };
    for _ in 0..100 {
        let chord = low + (high - low) * at_low / (at_low - at_high);
        let inside = chord > low && chord < high && at_high.is_finite();
        let middle = if inside { chord } else { f64::midpoint(low, high) };
        match apart(middle) {
            Some(found) if found.abs() < 1e-13 => return Some(middle),
            Some(found) if found < 0.0 => {
                (low, at_low) = (middle, found);
                // Halved so that both ends move (the Illinois rule: Dowell and Jarratt 1971).
                at_high /= 2.0;
            }
            found => {
                (high, at_high) = (middle, found.unwrap_or(f64::INFINITY));
                at_low /= 2.0;
            }
        }
        if high - low < 1e-14 * high {
            break;
        }
    }
    Some(f64::midpoint(low, high))
}
