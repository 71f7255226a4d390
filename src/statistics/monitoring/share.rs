//! How far a share lies from the one in control, on the scale of the charts.

use crate::special::{binomial_tails, normal_quantile};

/// Beyond this a value is taken as this: no more is said by a tail of 10⁻¹⁵.
pub const FARTHEST: f64 = 8.0;

/// The normal score of `hits` of `n` under the share `p` in 0..1, both excluded, standardised: its mean under
/// the binomial law is 0 and its standard deviation 1, whatever the number of cases. At most [`FARTHEST`]
/// from 0.
///
/// The score is that of the middle of the step, Φ⁻¹(P(X < k) + ½·P(X = k)) (Quesenberry 1991, *SPC Q charts
/// for a binomial parameter p: short or long runs*, Journal of Quality Technology 23; the middle after
/// Lancaster 1949). Of few expected hits it varies less than a normal value (0.86 at 50 cases of a share of
/// 0.02), and a chart whose limit is that of normal values would alarm too rarely.
pub fn share_from_control(hits: u64, n: u64, p: f64) -> f64 {
    let (mean, deviation) = moments(n, p);
    ((score(hits, n, p) - mean) / deviation).clamp(-FARTHEST, FARTHEST)
}

/// The score that is not standardised.
fn score(hits: u64, n: u64, p: f64) -> f64 {
    let (at_most, at_least) = binomial_tails(hits, n, p);
    let at = (at_most + at_least - 1.0).max(0.0);
    // From the smaller tail, so that a far value keeps its digits.
    let z = if at_most < at_least {
        normal_quantile(at_most - at / 2.0)
    } else {
        -normal_quantile(at_least - at / 2.0)
    };
    z.clamp(-FARTHEST, FARTHEST)
}

/// Mean and standard deviation of the score under the binomial law, by its sum over all hits that are no
/// further from the expected number than nine standard deviations and nine.
fn moments(n: u64, p: f64) -> (f64, f64) {
    let expected = n as f64 * p;
    let far = 9.0 * (expected * (1.0 - p)).sqrt() + 9.0;
    let (least, most) = ((expected - far).max(0.0) as u64, n.min((expected + far).ceil() as u64));
    let (mut mean, mut square) = (0.0, 0.0);
    for hits in least..=most {
        let (at_most, at_least) = binomial_tails(hits, n, p);
        let (chance, z) = ((at_most + at_least - 1.0).max(0.0), score(hits, n, p));
        mean += chance * z;
        square += chance * z * z;
    }
    (mean, (square - mean * mean).max(0.0).sqrt().max(f64::MIN_POSITIVE))
}
