//! Design of a study: how many cases, with what power, against which goal.
//!
//! `alpha` is two-sided unless a function says otherwise. Sizes are real numbers as the formulas give them;
//! round up when planning. Every function returns none for arguments outside its domain.

use crate::auc::hanley_mcneil_variance;
use crate::proportion::{clopper_pearson, wilson};
use crate::special::{binomial_tails, normal_cdf, normal_quantile};

/// A planned size.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Size {
    /// Positive cases.
    pub positives: f64,
    /// Negative cases.
    pub negatives: f64,
}

/// Which variance of an AUC a design rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AucVariance {
    /// Hanley and McNeil (1982).
    HanleyMcneil,
    /// Binormal approximation of Obuchowski (1994), Obuchowski and McClish (1997).
    Obuchowski,
}

impl AucVariance {
    /// Variance of an AUC estimate from `m` positives and `n` negatives when the true value is `auc`.
    pub fn of(self, auc: f64, m: f64, n: f64) -> f64 {
        match self {
            Self::HanleyMcneil => hanley_mcneil_variance(auc, m, n),
            Self::Obuchowski => {
                let square = 2.0 * normal_quantile(auc).powi(2);
                0.0099 * (-square / 2.0).exp() * ((5.0 * square + 8.0) / m + (square + 8.0) / n)
            }
        }
    }
}

fn inside(p: f64) -> bool {
    p > 0.0 && p < 1.0
}

/// Power to show that the AUC differs from `null` (both in (0, 1)) when it is `auc`.
pub fn auc_power(variance: AucVariance, auc: f64, null: f64, size: Size, alpha: f64) -> Option<f64> {
    if !(inside(auc) && inside(null) && inside(alpha) && size.positives >= 1.0 && size.negatives >= 1.0) {
        return None;
    }
    let sd = |true_value| variance.of(true_value, size.positives, size.negatives).sqrt();
    let z = normal_quantile(1.0 - alpha / 2.0);
    Some(normal_cdf(((auc - null).abs() - z * sd(null)) / sd(auc)))
}

/// Power that the lower limit of a two-sided interval at `level`, AUC − z·SE, lies above `goal` when the AUC
/// is `auc`: what an acceptance criterion on the confidence bound asks. Spread is that of the true value.
pub fn auc_bound_power(variance: AucVariance, auc: f64, goal: f64, size: Size, level: f64) -> Option<f64> {
    if !(inside(auc) && inside(goal) && inside(level) && size.positives >= 1.0 && size.negatives >= 1.0) {
        return None;
    }
    let sd = variance.of(auc, size.positives, size.negatives).sqrt();
    Some(normal_cdf((auc - goal) / sd - normal_quantile((1.0 + level) / 2.0)))
}

/// Smallest size with `power` to show that the AUC differs from `null` when it is `auc`, with
/// `negatives_per_positive` > 0. The same for both variances: power is the inverse of [`auc_power`].
pub fn auc_size(
    variance: AucVariance,
    auc: f64,
    null: f64,
    negatives_per_positive: f64,
    alpha: f64,
    power: f64,
) -> Option<Size> {
    let usable = inside(auc) && inside(null) && auc != null && inside(alpha) && inside(power);
    let ratio = negatives_per_positive > 0.0 && negatives_per_positive.is_finite();
    if !(usable && ratio) {
        return None;
    }
    let size = |m: f64| Size { positives: m, negatives: m * negatives_per_positive };
    if variance == AucVariance::Obuchowski {
        // The variance is exactly inverse to the size.
        let sd = |true_value| variance.of(true_value, 1.0, negatives_per_positive).sqrt();
        let reach = normal_quantile(1.0 - alpha / 2.0) * sd(null) + normal_quantile(power) * sd(auc);
        return (reach > 0.0).then(|| size((reach / (auc - null)).powi(2)));
    }
    let enough = |m: f64| {
        let size = size(m);
        size.negatives >= 1.0 && auc_power(variance, auc, null, size, alpha).is_some_and(|p| p >= power)
    };
    let mut high = 2.0;
    while !enough(high) {
        high *= 2.0;
        if high > 1e12 {
            return None;
        }
    }
    let mut low: f64 = high / 2.0;
    for _ in 0..200 {
        let middle = (low + high) / 2.0;
        if enough(middle) { high = middle } else { low = middle }
    }
    Some(size(high))
}

/// Size for a paired AUC difference from a pilot: the pilot's variance of the difference scales with 1/size
/// at the pilot's ratio of classes. Power is that of a two-sided z test.
pub fn paired_auc_size(
    pilot: Size,
    difference: f64,
    pilot_variance: f64,
    alpha: f64,
    power: f64,
) -> Option<Size> {
    let usable = difference != 0.0 && pilot_variance > 0.0;
    if !(usable && inside(alpha) && inside(power)) {
        return None;
    }
    let reach = normal_quantile(1.0 - alpha / 2.0) + normal_quantile(power);
    let scale = reach * reach * pilot_variance / (difference * difference);
    (reach > 0.0).then_some(Size { positives: pilot.positives * scale, negatives: pilot.negatives * scale })
}

/// An exact one-sided design for a proportion.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BinomialDesign {
    /// Smallest n with the power; a larger n can fall below it again, because counts are whole.
    pub first: u64,
    /// Smallest n from which the power is never lost again.
    pub stable: u64,
}

/// Successes needed out of `n` so that the one-sided exact test at `alpha` rejects p <= `null`: the
/// Clopper-Pearson lower limit at level 1 − 2α then exceeds `null`. None when even n do not suffice.
pub fn successes_needed(n: u64, null: f64, alpha: f64) -> Option<u64> {
    let (mut low, mut high) = (0, n + 1);
    while low < high {
        let middle = (low + high) / 2;
        if middle > n || binomial_tails(middle, n, null).1 <= alpha {
            high = middle
        } else {
            low = middle + 1
        }
    }
    (low <= n).then_some(low)
}

/// Power of that test when the proportion is `truth`.
pub fn binomial_power(n: u64, null: f64, truth: f64, alpha: f64) -> f64 {
    successes_needed(n, null, alpha).map_or(0.0, |k| binomial_tails(k, n, truth).1)
}

/// Smallest true proportion that the exact one-sided test of p <= `null` at `alpha` shows with `power`, given
/// `n` cases: what a study of this size can be expected to show. None where even n of n do not suffice.
pub fn binomial_shown_from(n: u64, null: f64, alpha: f64, power: f64) -> Option<f64> {
    if !(inside(null) && inside(alpha) && inside(power)) {
        return None;
    }
    let needed = successes_needed(n, null, alpha)?;
    Some(smallest(null, |truth| binomial_tails(needed, n, truth).1 >= power))
}

/// Smallest true AUC whose lower limit lies above `goal` with `power`, as [`auc_bound_power`] has it. None
/// outside its domain, and where no AUC below 1 does.
pub fn auc_shown_from(variance: AucVariance, goal: f64, size: Size, level: f64, power: f64) -> Option<f64> {
    let enough = |auc: f64| auc_bound_power(variance, auc, goal, size, level).is_some_and(|p| p >= power);
    let found = inside(power).then(|| smallest(goal, enough))?;
    enough(found).then_some(found)
}

/// Smallest value between `low` and 1 from which on `enough` holds, by bisection to the last bits; 1 where it
/// holds nowhere below.
fn smallest(mut low: f64, enough: impl Fn(f64) -> bool) -> f64 {
    let mut high = 1.0;
    for _ in 0..100 {
        let middle = f64::midpoint(low, high);
        if enough(middle) { high = middle } else { low = middle }
    }
    high
}

/// Smallest n for the exact one-sided test of p <= `null` at `alpha` with `power` at `truth` > `null`. None
/// when more than a million cases would be needed.
pub fn binomial_size(null: f64, truth: f64, alpha: f64, power: f64) -> Option<BinomialDesign> {
    if !(inside(null) && inside(truth) && truth > null && inside(alpha) && inside(power)) {
        return None;
    }
    let reach = normal_quantile(1.0 - alpha).max(0.0) * (null * (1.0 - null)).sqrt()
        + normal_quantile(power).max(0.0) * (truth * (1.0 - truth)).sqrt();
    // Far beyond the normal approximation the saw-tooth no longer reaches the power.
    let beyond = 200.0 + 2.5 * (reach / (truth - null)).powi(2);
    if beyond > 1e6 {
        return None;
    }
    let (mut first, mut stable) = (None, 1);
    let mut needed = 0;
    for n in 1..=beyond as u64 {
        while needed <= n && binomial_tails(needed, n, null).1 > alpha {
            needed += 1;
        }
        let reached = needed <= n && binomial_tails(needed, n, truth).1 >= power;
        if reached {
            first = first.or(Some(n));
        } else {
            stable = n + 1;
        }
    }
    Some(BinomialDesign { first: first?, stable })
}

/// Smallest n at which the two-sided interval of the proportion round(share·n)/n is at most `width` wide.
/// Halves are rounded to even. None above a million.
pub fn width_size(share: f64, width: f64, level: f64, by_wilson: bool) -> Option<u64> {
    if !((0.0..=1.0).contains(&share) && width > 0.0 && inside(level)) {
        return None;
    }
    (1..=1_000_000).find(|&n| {
        let k = ((share * n as f64).round_ties_even() as u64).min(n);
        let (lower, upper) = if by_wilson { wilson(k, n, level) } else { clopper_pearson(k, n, level) };
        upper - lower <= width
    })
}

/// Cases for a proportion with a normal-approximation half-width, z²p(1−p)/d².
pub fn normal_width_size(share: f64, half_width: f64, level: f64) -> Option<f64> {
    if !(inside(share) && half_width > 0.0 && inside(level)) {
        return None;
    }
    let z = normal_quantile((1.0 + level) / 2.0);
    Some(z * z * share * (1.0 - share) / (half_width * half_width))
}

/// All cases, when only a share `prevalence` of them counts for the proportion (Buderer 1996).
pub fn buderer_size(share: f64, half_width: f64, prevalence: f64, level: f64) -> Option<f64> {
    if !inside(prevalence) {
        return None;
    }
    normal_width_size(share, half_width, level).map(|n| n / prevalence)
}

/// Design effect of cluster sampling, 1 + ((1 + cv²)·mean − 1)·ρ, for clusters of mean size `mean` >= 1 with
/// coefficient of variation `cv` and intra-cluster correlation `rho` (Eldridge, Ashby and Kerry 2006).
/// Multiply a size for independent cases by it.
pub fn design_effect(mean: f64, cv: f64, rho: f64) -> Option<f64> {
    let usable = mean >= 1.0 && cv >= 0.0 && (-1.0..=1.0).contains(&rho);
    usable.then(|| (1.0 + ((1.0 + cv * cv) * mean - 1.0) * rho).max(0.0))
}

/// Performance goals.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Goals {
    /// Sensitivity to reach.
    pub sensitivity: f64,
    /// Specificity to reach.
    pub specificity: f64,
    /// LR+ that carries the prevalence to the wanted PPV.
    pub lr_positive: f64,
    /// LR− that carries the prevalence to the wanted 1 − NPV.
    pub lr_negative: f64,
}

/// Sensitivity and specificity that give a wanted PPV and NPV at a prevalence (the formulas of FDA DIDSR's
/// DxGoals): LR+ = odds(PPV)/odds(p), LR− = odds(1−NPV)/odds(p), sp = (LR+ − 1)/(LR+ − LR−),
/// se = LR+·(1 − LR−)/(LR+ − LR−). None unless 1 − NPV < p < PPV.
pub fn goals(ppv: f64, npv: f64, prevalence: f64) -> Option<Goals> {
    let odds = |p: f64| p / (1.0 - p);
    if !(inside(ppv) && inside(npv) && inside(prevalence)) {
        return None;
    }
    let (up, down) = (odds(ppv) / odds(prevalence), odds(1.0 - npv) / odds(prevalence));
    (up > 1.0 && down < 1.0).then(|| Goals {
        sensitivity: up * (1.0 - down) / (up - down),
        specificity: (up - 1.0) / (up - down),
        lr_positive: up,
        lr_negative: down,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_auc_that_is_shown_is_where_the_power_is_reached() {
        let size = Size { positives: 150.0, negatives: 250.0 };
        let by = AucVariance::HanleyMcneil;
        let found = auc_shown_from(by, 0.8, size, 0.95, 0.9).expect("below 1");
        let power = |auc| auc_bound_power(by, auc, 0.8, size, 0.95).expect("inside");
        assert!((power(found) - 0.9).abs() < 1e-9 && power(found - 1e-6) < 0.9, "{found}");
        let one = Size { positives: 1.0, negatives: 1.0 };
        assert!(auc_shown_from(by, 0.8, one, 0.95, 0.9).is_none_or(|auc| auc > 0.99));
        assert_eq!(auc_shown_from(by, 1.0, size, 0.95, 0.9), None);
    }

    #[test]
    fn dxgoals_example_of_the_background_comes_out() {
        let goals = goals(0.30, 0.98, 0.10).expect("goals");
        assert!((goals.sensitivity - 0.857).abs() < 5e-4, "{goals:?}");
        assert!((goals.specificity - 0.778).abs() < 5e-4, "{goals:?}");
        // And back: those give the wanted values at that prevalence.
        let ppv = crate::at_prevalence::ppv(goals.sensitivity, goals.specificity, 0.10).expect("ppv");
        let npv = crate::at_prevalence::npv(goals.sensitivity, goals.specificity, 0.10).expect("npv");
        assert!((ppv - 0.30).abs() < 1e-14 && (npv - 0.98).abs() < 1e-14);
    }

    #[test]
    fn the_balanced_thousand_has_the_power_that_the_plan_says() {
        // Clopper-Pearson lower limit above .80 needs 418 of 500.
        assert_eq!(successes_needed(500, 0.80, 0.025), Some(418));
        assert!((binomial_power(500, 0.80, 0.85, 0.025) - 0.83).abs() < 0.01);
        assert!(binomial_power(500, 0.80, 0.90, 0.025) > 0.999);
        // The same sums in exact decimals (50 digits), bisected.
        for (n, null, alpha, expected) in [
            (500, 0.8, 0.025, 0.855_304_088_594_396_4),
            (50, 0.9, 0.025, 0.997_895_008_295_863_2),
            (120, 0.7, 0.0125, 0.839_322_586_767_667_7),
        ] {
            let found = binomial_shown_from(n, null, alpha, 0.9).expect("enough cases");
            assert!((found - expected).abs() < 1e-12, "{n}: {found}");
        }
        assert_eq!(binomial_shown_from(20, 0.99, 0.025, 0.9), None, "20 of 20 do not show 0.99");
        let check = |auc, goal, each, expected: f64| {
            let size = Size { positives: each, negatives: each };
            let power = auc_bound_power(AucVariance::HanleyMcneil, auc, goal, size, 0.95).expect("power");
            assert!((power - expected).abs() < 0.015, "{auc} {goal} {each}: {power}");
        };
        check(0.85, 0.80, 500.0, 0.98);
        check(0.97, 0.95, 500.0, 0.95);
        check(0.96, 0.95, 500.0, 0.35);
        check(0.97, 0.95, 150.0, 0.51);
        check(0.6736, 0.65, 500.0, 0.30);
        check(0.6736, 0.80, 500.0, 0.0);
    }

    #[test]
    fn sizes_and_power_are_inverse() {
        for variance in [AucVariance::HanleyMcneil, AucVariance::Obuchowski] {
            let size = auc_size(variance, 0.85, 0.80, 4.0, 0.05, 0.9).expect("size");
            let power = auc_power(variance, 0.85, 0.80, size, 0.05).expect("power");
            assert!((power - 0.9).abs() < 1e-9, "{variance:?} {power}");
        }
    }

    #[test]
    fn nonsense_gives_none() {
        assert_eq!(goals(0.05, 0.98, 0.10), None);
        assert_eq!(binomial_size(0.9, 0.8, 0.025, 0.8), None);
        assert_eq!(auc_size(AucVariance::HanleyMcneil, 0.8, 0.8, 1.0, 0.05, 0.8), None);
        assert_eq!(design_effect(0.5, 0.0, 0.1), None);
    }
}
