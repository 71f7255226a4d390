//! Predictive values and F1 at a stated prevalence: what sensitivity and specificity imply where the finding
//! is rarer or commoner than in the sample.
//!
//! Two intervals. `log`: PPV and NPV on the logit scale with the delta method (Mercaldo, Lau and Zhou
//! 2007), the prevalence taken as known. `clopper-pearson`: all three rise with sensitivity and with
//! specificity, which come from different cases; so exact limits of both at level^½ each, carried
//! through, cover with at least the declared level (conservative, and never degenerate).

use crate::confusion::{Confusion, share};
use crate::proportion::Limits;
use crate::special::z_two_sided;

/// p·se / (p·se + (1−p)(1−sp)); none where nothing is called positive.
pub fn ppv(sensitivity: f64, specificity: f64, prevalence: f64) -> Option<f64> {
    let (hit, miss) = (prevalence * sensitivity, (1.0 - prevalence) * (1.0 - specificity));
    (hit + miss > 0.0).then(|| hit / (hit + miss))
}

/// (1−p)·sp / ((1−p)·sp + p(1−se)); none where everything is called positive.
pub fn npv(sensitivity: f64, specificity: f64, prevalence: f64) -> Option<f64> {
    let (hit, miss) = ((1.0 - prevalence) * specificity, prevalence * (1.0 - sensitivity));
    (hit + miss > 0.0).then(|| hit / (hit + miss))
}

/// 2p·se / (p·se + (1−p)(1−sp) + p); none at prevalence 0 with specificity 1.
pub fn f1(sensitivity: f64, specificity: f64, prevalence: f64) -> Option<f64> {
    let hit = prevalence * sensitivity;
    let below = hit + (1.0 - prevalence) * (1.0 - specificity) + prevalence;
    (below > 0.0).then(|| 2.0 * hit / below)
}

/// Standard error of logit PPV: √((1−se)/(se·m) + sp/((1−sp)·n)); none at the boundary.
pub fn ppv_logit_se(table: &Confusion) -> Option<f64> {
    table.lr_positive_log_se()
}

/// Standard error of logit NPV: √(se/((1−se)·m) + (1−sp)/(sp·n)); none at the boundary.
pub fn npv_logit_se(table: &Confusion) -> Option<f64> {
    table.lr_negative_log_se()
}

/// value on the logit scale ± z·se.
pub fn logit_limits(value: f64, logit_se: f64, level: f64) -> Option<Limits> {
    if value <= 0.0 || value >= 1.0 {
        return None;
    }
    let centre = value.ln() - (-value).ln_1p();
    let half = z_two_sided(level) * logit_se;
    Some((crate::special::logistic(centre - half).0, crate::special::logistic(centre + half).0))
}

/// Limits of sensitivity and of specificity, carried through. `carried` is one of [`ppv`], [`npv`], [`f1`].
pub fn carried_limits(
    sensitivity: Limits,
    specificity: Limits,
    prevalence: f64,
    carried: fn(f64, f64, f64) -> Option<f64>,
) -> Limits {
    let lower = carried(sensitivity.0, specificity.0, prevalence).unwrap_or(0.0);
    (lower, carried(sensitivity.1, specificity.1, prevalence).unwrap_or(1.0))
}

/// The value at a prevalence from a table; none when a class is empty.
pub fn of_table(
    table: &Confusion,
    prevalence: f64,
    carried: fn(f64, f64, f64) -> Option<f64>,
) -> Option<f64> {
    let (sensitivity, specificity) = (table.sensitivity(), table.specificity());
    carried(share(sensitivity.0, sensitivity.1)?, share(specificity.0, specificity.1)?, prevalence)
}

/// What sensitivity and specificity of a table mean for 1,000 patients at a prevalence, in words with whole
/// numbers that add up. None when a class is empty or the prevalence is not in 0..1.
pub fn per_thousand(table: &Confusion, prevalence: f64) -> Option<Vec<String>> {
    if !(0.0..=1.0).contains(&prevalence) {
        return None;
    }
    let (sensitivity, specificity) = (table.sensitivity(), table.specificity());
    let with = (1000.0 * prevalence).round();
    let found = (with * share(sensitivity.0, sensitivity.1)?).round();
    let cleared = ((1000.0 - with) * share(specificity.0, specificity.1)?).round();
    let (without, missed) = (1000.0 - with, with - found);
    let alarmed = without - cleared;
    let called = found + alarmed;
    let patients = |n: f64| if n == 1.0 { "1 patient".to_owned() } else { format!("{n} patients") };
    let mut out = vec![
        format!(
            "Of 1,000 patients, {with} have the finding: {found} of them are called positive, {missed} are \
             missed."
        ),
        format!(
            "Of the {without} without it, {cleared} are called negative, {alarmed} are called positive by \
             mistake."
        ),
    ];
    if called > 0.0 {
        out.push(format!("Of {} called positive, {found} have the finding.", patients(called)));
    }
    if called < 1000.0 {
        out.push(format!("Of {} called negative, {missed} have the finding.", patients(1000.0 - called)));
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proportion::clopper_pearson;

    #[test]
    fn at_the_sample_prevalence_it_is_the_sample_value() {
        let table = Confusion {
            true_positives: 89,
            false_negatives: 133,
            false_positives: 2527,
            true_negatives: 13_621,
        };
        let p = 222.0 / 16_370.0;
        assert!((of_table(&table, p, ppv).expect("ppv") - 89.0 / 2616.0).abs() < 1e-15);
        assert!((of_table(&table, p, npv).expect("npv") - 13_621.0 / 13_754.0).abs() < 1e-15);
        assert!((of_table(&table, p, f1).expect("f1") - table.f1().expect("f1")).abs() < 1e-15);
        let exact = |(hits, n)| clopper_pearson(hits, n, 0.95_f64.sqrt());
        let (lower, upper) = carried_limits(exact(table.sensitivity()), exact(table.specificity()), p, ppv);
        assert!(lower < 89.0 / 2616.0 && 89.0 / 2616.0 < upper);
    }

    #[test]
    fn a_thousand_patients_add_up() {
        let table = Confusion {
            true_positives: 89,
            false_negatives: 133,
            false_positives: 2527,
            true_negatives: 13_621,
        };
        let sentences = per_thousand(&table, 0.05).expect("sentences");
        assert_eq!(
            sentences,
            [
                "Of 1,000 patients, 50 have the finding: 20 of them are called positive, 30 are missed.",
                "Of the 950 without it, 801 are called negative, 149 are called positive by mistake.",
                "Of 169 patients called positive, 20 have the finding.",
                "Of 831 patients called negative, 30 have the finding.",
            ]
        );
    }
}
