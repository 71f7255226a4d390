//! Special functions that the intervals rest on: normal distribution, incomplete beta and its
//! inverse, chi-squared tail.
//!
//! The complementary error function is `libm`'s (within one unit in the last place): `statrs` 0.19 is
//! off by 4.5·10⁻¹¹ at 1.386, that is at z = 1.96. `statrs` computes the incomplete beta from differences of
//! log-gammas, whose rounding error grows like n·ln n: at n = 10^5 about ten digits are left of the density.
//! Here the density comes from Loader's saddle-point expansion (2000, *Fast and accurate computation of
//! binomial probabilities*), which keeps full precision for any n, and the inverse is polished by Newton
//! steps on the log scale until it stands still.

use statrs::function::erf;

/// Standard normal distribution function.
pub fn normal_cdf(z: f64) -> f64 {
    0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
}

/// Two-sided p value of a standard normal statistic: 2·P(Z > |z|).
pub fn normal_two_sided(z: f64) -> f64 {
    libm::erfc(z.abs() * std::f64::consts::FRAC_1_SQRT_2)
}

/// Standard normal quantile of a probability in 0..1 (the ends give infinities).
pub fn normal_quantile(p: f64) -> f64 {
    if p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if p >= 1.0 {
        return f64::INFINITY;
    }
    if p > 0.5 { -lower_quantile(1.0 - p) } else { lower_quantile(p) }
}

/// z with P(|Z| <= z) = `level`: 1.959963984540054 at 0.95.
pub fn z_two_sided(level: f64) -> f64 {
    -lower_quantile((1.0 - level) / 2.0)
}

/// Quantile of p in (0, 0.5], polished by Newton steps on the complementary error function.
fn lower_quantile(p: f64) -> f64 {
    let mut z = -std::f64::consts::SQRT_2 * erf::erfc_inv(2.0 * p);
    for _ in 0..3 {
        let density = (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
        if density <= 0.0 || !density.is_finite() {
            break;
        }
        let step = (normal_cdf(z) - p) / density;
        if !step.is_finite() {
            break;
        }
        z -= step;
    }
    z
}

/// Upper tail of the chi-squared distribution with `df` > 0 degrees of freedom.
///
/// A sum of Poisson densities (of half-integers where `df` is odd, beside the complementary error function):
/// all terms are positive, so few digits are lost: within 7·10⁻¹⁴ of mpmath up to 1,000 degrees of freedom
/// (`statrs` 0.19: 6·10⁻¹³).
pub fn chi_squared_sf(x: f64, df: u64) -> f64 {
    if x.is_nan() || x <= 0.0 {
        return 1.0;
    }
    let half = x / 2.0;
    let odd = df % 2 == 1;
    let mut sum = if odd { libm::erfc(half.sqrt()) } else { 0.0 };
    let mut at = df as f64 / 2.0 - 1.0;
    if at < 0.0 {
        return sum;
    }
    // The terms rise to `half` and fall after it: begin where they matter, at the last or at the greatest.
    let last = at;
    let greatest = last.min(half.floor() + last.fract());
    let density = poisson_density(greatest, half);
    let mut term = density;
    at = greatest;
    loop {
        sum += term;
        term *= at / half;
        at -= 1.0;
        if at < 0.0 || term < sum * 1e-18 {
            break;
        }
    }
    let (mut term, mut at) = (density, greatest + 1.0);
    while at <= last {
        term *= half / at;
        sum += term;
        at += 1.0;
        if term < sum * 1e-18 {
            break;
        }
    }
    sum.min(1.0)
}

/// e^−m m^x / Γ(x + 1) for real x >= 0, m > 0, to full precision (Loader 2000).
fn poisson_density(x: f64, m: f64) -> f64 {
    if x == 0.0 {
        return (-m).exp();
    }
    (-stirling_error(x) - deviance_part(x, m)).exp() / (2.0 * std::f64::consts::PI * x).sqrt()
}

/// δ(x) = ln Γ(x+1) − (x+½) ln x + x − ½ ln 2π for x > 0: the error of Stirling's formula.
fn stirling_error(mut x: f64) -> f64 {
    let mut sum = 0.0;
    while x < 16.0 {
        sum += (x + 0.5) * (1.0 / x).ln_1p() - 1.0;
        x += 1.0;
    }
    let x2 = x * x;
    let tail = 1.0 / 1188.0 - (691.0 / 360_360.0 - 1.0 / (156.0 * x2)) / x2;
    sum + (1.0 / 12.0 - (1.0 / 360.0 - (1.0 / 1260.0 - (1.0 / 1680.0 - tail / x2) / x2) / x2) / x2) / x
}

/// x·ln(x/m) + m − x without cancellation near x = m (Loader's deviance part), x >= 0, m > 0.
pub(super) fn deviance_part(x: f64, m: f64) -> f64 {
    if x == 0.0 {
        return m;
    }
    if (x - m).abs() < 0.1 * (x + m) {
        let v = (x - m) / (x + m);
        let mut sum = (x - m) * v;
        let mut term = 2.0 * x * v;
        let v2 = v * v;
        for j in 1..1000 {
            term *= v2;
            let next = sum + term / f64::from(2 * j + 1);
            if next == sum {
                break;
            }
            sum = next;
        }
        return sum;
    }
    x * (x / m).ln() + m - x
}

/// Γ(n+1)/(Γ(x+1)Γ(n−x+1)) p^x q^(n−x) for real 0 <= x <= n and q = 1 − p, to full precision.
pub fn binomial_density(x: f64, n: f64, p: f64, q: f64) -> f64 {
    if p <= 0.0 {
        return f64::from(u8::from(x == 0.0));
    }
    if q <= 0.0 {
        return f64::from(u8::from(x == n));
    }
    if n == 0.0 {
        return 1.0;
    }
    let ln_power = |p: f64, q: f64| if p > 0.5 { (-q).ln_1p() } else { p.ln() };
    if x <= 0.0 {
        return (n * ln_power(q, p)).exp();
    }
    if x >= n {
        return (n * ln_power(p, q)).exp();
    }
    let y = n - x;
    let exponent = stirling_error(n)
        - stirling_error(x)
        - stirling_error(y)
        - deviance_part(x, n * p)
        - deviance_part(y, n * q);
    exponent.exp() * (n / (2.0 * std::f64::consts::PI * x * y)).sqrt()
}

/// Both tails of the binomial distribution: P(X <= k) and P(X >= k).
pub fn binomial_tails(k: u64, n: u64, p: f64) -> (f64, f64) {
    let (k_real, n_real) = (k as f64, n as f64);
    let at_most = if k >= n { 1.0 } else { incomplete_beta(1.0 - p, p, n_real - k_real, k_real + 1.0).0 };
    let at_least = if k == 0 { 1.0 } else { incomplete_beta(p, 1.0 - p, k_real, n_real - k_real + 1.0).0 };
    (at_most, at_least)
}

/// Regularised incomplete beta function: (I_x(a, b), 1 − I_x(a, b)) with `y` = 1 − x given
/// separately so that both tails keep their digits.
pub fn incomplete_beta(x: f64, y: f64, a: f64, b: f64) -> (f64, f64) {
    if x <= 0.0 {
        return (0.0, 1.0);
    }
    if y <= 0.0 {
        return (1.0, 0.0);
    }
    // x^a y^b / B(a, b)
    let weight = binomial_density(a, a + b, x, y) * a * b / (a + b);
    if x <= a / (a + b) {
        let lower = (weight * continued_fraction(x, y, a, b)).min(1.0);
        (lower, 1.0 - lower)
    } else {
        let upper = (weight * continued_fraction(y, x, b, a)).min(1.0);
        (1.0 - upper, upper)
    }
}

/// I_x(a, b) / (x^a y^b / B(a, b)) for x <= a/(a+b): the continued fraction as Didonato and Morris (1992,
/// *Significant digit computation of the incomplete beta function ratios*) arrange it. The usual
/// arrangement subtracts nearly equal numbers when x is close to 1.
fn continued_fraction(x: f64, y: f64, a: f64, b: f64) -> f64 {
    let c = 1.0 + (a * y - b * x);
    let (c0, c1) = (b / a, 1.0 + 1.0 / a);
    let (mut p, mut s) = (1.0, a + 1.0);
    let (mut numerators, mut denominators) = ((0.0, 1.0), (1.0, c / c1));
    let mut ratio = c1 / c;
    for n in 1..1_000_000 {
        let n = f64::from(n);
        let t = n / a;
        let w = n * (b - n) * x;
        let e = a / s;
        let alpha = p * (p + c0) * e * e * (w * x);
        let beta = n + w / s + (1.0 + t) / (c1 + t + t) * (c + n * (1.0 + y));
        p = 1.0 + t;
        s += 2.0;
        numerators = (numerators.1, alpha * numerators.0 + beta * numerators.1);
        denominators = (denominators.1, alpha * denominators.0 + beta * denominators.1);
        let next = numerators.1 / denominators.1;
        let settled = (next - ratio).abs() <= 1e-16 * next;
        ratio = next;
        if settled {
            break;
        }
        numerators = (numerators.0 / denominators.1, ratio);
        denominators = (denominators.0 / denominators.1, 1.0);
    }
    ratio
}

/// The x with I_x(a, b) = `p`; `q` = 1 − p is given separately so that either tail can be small.
///
/// Newton on ln I (or ln(1−I)) against logit x: both are concave, so the steps converge from
/// anywhere, and the result is accurate to a few units in the last place.
pub fn beta_quantile(p: f64, q: f64, a: f64, b: f64) -> f64 {
    if p <= 0.0 {
        return 0.0;
    }
    if q <= 0.0 {
        return 1.0;
    }
    let lower_side = p <= q;
    let target = if lower_side { p.ln() } else { q.ln() };
    let mut u = (a / b).ln();
    for _ in 0..200 {
        let (x, y) = logistic(u);
        let weight = binomial_density(a, a + b, x, y) * a * b / (a + b);
        let (lower, upper) = incomplete_beta(x, y, a, b);
        let tail = if lower_side { lower } else { upper };
        if tail <= 0.0 || weight <= 0.0 {
            // Far outside: walk back towards the middle.
            u = 0.5 * (u + (a / b).ln());
            continue;
        }
        let step = (tail.ln() - target) * tail / weight;
        u = if lower_side { u - step } else { u + step };
        if step.abs() <= 2e-16 * (1.0 + u.abs()) {
            break;
        }
    }
    logistic(u).0
}

/// The two-sided quantile of Student's t at a level: P(|T| <= t) = `level`, with `df` > 0 degrees of freedom.
/// T²/(df + T²) has the law Beta(½, df/2).
pub fn t_two_sided(level: f64, df: f64) -> f64 {
    let share = beta_quantile(level, 1.0 - level, 0.5, df / 2.0);
    (df * share / (1.0 - share)).sqrt()
}

/// The normal deviate whose tail is that of Student's t with `df` > 0 degrees of freedom at `t`.
pub fn normal_equivalent_of_t(t: f64, df: f64) -> f64 {
    if t == 0.0 || !t.is_finite() {
        return t;
    }
    let square = t * t;
    // P(|T| > |t|) = I(df/(df + t²); df/2, ½).
    let (tail, _) = incomplete_beta(df / (df + square), square / (df + square), df / 2.0, 0.5);
    // Below the smallest number a deviate can be told of, one stands for all.
    let deviate = if tail > f64::MIN_POSITIVE { -lower_quantile(tail / 2.0) } else { 37.5 };
    deviate.copysign(t)
}

/// (x, 1 − x) of a logit.
pub fn logistic(u: f64) -> (f64, f64) {
    let e = (-u.abs()).exp();
    let (small, large) = (e / (1.0 + e), 1.0 / (1.0 + e));
    if u >= 0.0 { (large, small) } else { (small, large) }
}

/// A sum that keeps the low-order part (Neumaier 1974).
#[derive(Clone, Copy, Debug, Default)]
pub struct CompensatedSum {
    sum: f64,
    rest: f64,
}

impl CompensatedSum {
    /// Adds one term.
    pub fn add(&mut self, x: f64) {
        let t = self.sum + x;
        self.rest += if self.sum.abs() >= x.abs() { (self.sum - t) + x } else { (x - t) + self.sum };
        self.sum = t;
    }

    /// The total.
    pub fn total(self) -> f64 {
        self.sum + self.rest
    }
}

impl FromIterator<f64> for CompensatedSum {
    fn from_iter<T: IntoIterator<Item = f64>>(iter: T) -> Self {
        let mut sum = Self::default();
        for x in iter {
            sum.add(x);
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_quantile_is_the_published_one() {
        assert!((z_two_sided(0.95) - 1.959_963_984_540_054_2).abs() < 1e-15);
        assert!((normal_quantile(0.8) - 0.841_621_233_572_914_2).abs() < 1e-15);
        assert!((normal_quantile(1e-10) + 6.361_340_902_404_056).abs() < 1e-13);
        assert_eq!(normal_quantile(0.5), 0.0);
        assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
    }

    #[test]
    fn students_t_on_the_normal_scale_keeps_its_tail() {
        for df in [1.0, 2.0, 7.0, 40.0, 1e4] {
            for level in [0.1, 0.5, 0.9, 0.95, 0.999] {
                let z = normal_equivalent_of_t(t_two_sided(level, df), df);
                assert!((z - z_two_sided(level)).abs() < 1e-9, "{df} {level}: {z}");
            }
        }
        // One degree of freedom is Cauchy's law: P(|T| > 1) = 1/2.
        assert!((normal_equivalent_of_t(-1.0, 1.0) + z_two_sided(0.5)).abs() < 1e-12);
        assert_eq!(normal_equivalent_of_t(0.0, 5.0), 0.0);
        assert!(normal_equivalent_of_t(1e300, 3.0).is_finite() && normal_equivalent_of_t(-40.0, 1e6) < -30.0);
    }

    #[test]
    fn beta_quantile_inverts_the_closed_forms() {
        for n in [1.0, 2.0, 10.0, 1e3, 1e6] {
            // I_x(1, n) = 1 − (1−x)^n
            let exact = -(0.975_f64.ln() / n).exp_m1();
            let got = beta_quantile(0.025, 0.975, 1.0, n);
            assert!((got / exact - 1.0).abs() < 1e-14, "{n}: {got} {exact}");
            let exact = -(0.025_f64.ln() / n).exp_m1();
            let got = beta_quantile(0.975, 0.025, 1.0, n);
            assert!((got / exact - 1.0).abs() < 1e-14, "{n}: {got} {exact}");
        }
        // I_x(1/2, 1/2) = 2/π asin √x
        let exact = (std::f64::consts::PI * 0.1 / 2.0).sin().powi(2);
        assert!((beta_quantile(0.1, 0.9, 0.5, 0.5) / exact - 1.0).abs() < 1e-14);
    }

    #[test]
    fn binomial_tails_of_a_fair_coin() {
        let (at_most, at_least) = binomial_tails(3, 10, 0.5);
        assert!((at_most - 176.0 / 1024.0).abs() < 1e-15);
        assert!((at_least - (1.0 - 56.0 / 1024.0)).abs() < 1e-15);
    }

    #[test]
    fn chi_squared_tail_with_two_degrees_is_exponential() {
        assert!((chi_squared_sf(3.0, 2) - (-1.5_f64).exp()).abs() < 1e-15);
    }
}
