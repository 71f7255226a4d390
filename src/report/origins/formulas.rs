//! What is computed, in one line a quantity, as `docs/statistics.md` has it with its sources.

use crate::statistics::metric::Metric;

/// The formula of an estimate by its id; of one that no list has its name alone.
pub(super) fn formula(id: &str) -> String {
    if let Some(metric) = Metric::from_id(&id.replace('-', "_")) {
        return of_metric(metric).to_owned();
    }
    let bare = id.replace('_', "-");
    let known = OTHERS.iter().find(|(name, _)| bare.starts_with(name));
    known.map_or_else(|| crate::report::wording::metric(id), |(_, formula)| (*formula).to_owned())
}

/// The same of an estimate that was carried to another prevalence.
pub(super) fn at_prevalence(id: &str) -> String {
    if id.replace('_', "-").starts_with("per-1000") {
        return formula(id);
    }
    format!("{}, from sensitivity and specificity at that prevalence", crate::report::wording::metric(id))
}

fn of_metric(metric: Metric) -> &'static str {
    match metric {
        Metric::Auc => {
            "share of pairs of a positive and a negative case whose scores are in order, ties half"
        }
        Metric::AveragePrecision => "sum of precision over steps of recall, from high to low thresholds",
        Metric::PartialAuc => "area under the ROC curve up to the declared false positive rate, standardised",
        Metric::Sensitivity => "TP / (TP + FN)",
        Metric::Specificity => "TN / (TN + FP)",
        Metric::Ppv => "TP / (TP + FP)",
        Metric::Npv => "TN / (TN + FN)",
        Metric::Accuracy => "(TP + TN) / n",
        Metric::Prevalence => "(TP + FN) / n",
        Metric::F1 => "harmonic mean of positive predictive value and sensitivity",
        Metric::BalancedAccuracy => "mean of sensitivity and specificity",
        Metric::Youden => "sensitivity less the false positive rate",
        Metric::Mcc => "correlation of the device's answer and the reference standard",
        Metric::LrPositive => "sensitivity / false positive rate",
        Metric::LrNegative => "false negative rate / specificity",
        Metric::DiagnosticOddsRatio => "TP TN / (FP FN)",
        Metric::Brier => "mean squared difference of score and outcome",
        Metric::LogLoss => "mean negative logarithm of the probability given to the outcome",
        Metric::Ece => "mean distance of score and outcome over bins of the score",
        Metric::Mce => "largest distance of score and outcome over bins of the score",
        Metric::CalibrationSlope => "slope of the logistic regression of the outcome on the score's logit",
        Metric::CalibrationIntercept => {
            "intercept of the logistic regression of the outcome on the score's logit"
        }
        Metric::CalibrationInTheLarge => {
            "intercept of the logistic regression of the outcome with the score's logit as offset"
        }
    }
}

/// By the beginnings of their ids, with hyphens.
pub(super) const OTHERS: &[(&str, &str)] = &[
    ("cohen-kappa", "agreement beyond chance of two readers, by Cohen"),
    ("conger-kappa", "agreement beyond chance of several readers, by Conger"),
    ("mcnemar", "difference of the shares of right answers on the same cases"),
    ("fleiss-kappa", "agreement beyond chance of several readers, by Fleiss"),
    ("weighted-kappa", "agreement beyond chance of two readers with weights of the scale"),
    ("krippendorff-alpha", "agreement beyond chance of any readers, by Krippendorff"),
    ("gwet-ac", "agreement beyond chance by Gwet"),
    ("percent-agreement", "cases with the same answer / cases that both answered"),
    ("prevalence-index", "difference of both-positive and both-negative shares"),
    ("bias-index", "difference of the two readers' shares of positive answers"),
    ("per-1000", "the share at the prevalence of intended use, of a thousand cases"),
    ("sensitivity-difference", "difference of two sensitivities on the same cases"),
    ("specificity-difference", "difference of two specificities on the same cases"),
    ("auc-difference", "difference of two areas on the same cases"),
];
