//! Estimates, intervals and verdicts in words: what every kind of document says about a quantity, with the
//! numbers as `document::format` writes them.

use crate::diagnostic::Code;
use crate::document::format::{Style, apart, count, level, number};
use crate::document::text;
use crate::statistics::estimate::{Estimate, Interval, Quantity, ResamplingUnit};
use crate::statistics::multiplicity::Multiplicity;
use crate::study::results::{AnalysisMethod, ComparisonResult, EndpointResult, Rules, Verdict};

/// How an estimate is written, from its id and whether it has counts.
pub fn style(estimate: &Estimate) -> Style {
    style_of(&estimate.id, estimate.denominator.is_some())
}

/// How a metric is written.
pub fn style_of(id: &str, has_counts: bool) -> Style {
    let id = id.replace('_', "-");
    match id.as_str() {
        "sensitivity-difference"
        | "specificity-difference"
        | "sensitivity"
        | "specificity"
        | "ppv"
        | "npv"
        | "accuracy"
        | "prevalence"
        | "percent-agreement" => Style::Percent,
        id if id.starts_with("lr") || id.ends_with("likelihood-ratio") || id.ends_with("odds-ratio") => {
            Style::Ratio
        }
        "plr" | "nlr" | "dor" => Style::Ratio,
        id if id.starts_with("per-1000-") => Style::Count,
        // Indices that are no share, whatever counts stand beside them.
        id if id.ends_with("kappa") || id.ends_with("alpha") || id.ends_with("ac1") => Style::Index,
        _ if has_counts => Style::Percent,
        _ => Style::Index,
    }
}

/// What several primary endpoints mean, in words.
pub fn multiplicity(method: &AnalysisMethod) -> String {
    match (method.multiplicity, method.criterion_level) {
        (Multiplicity::CoPrimary, _) => {
            "co-primary; all have to be met, so each is judged at the full level (intersection-union test)"
                .to_owned()
        }
        (Multiplicity::Bonferroni, None) => {
            "Bonferroni; there is one criterion, so it keeps the level".to_owned()
        }
        (Multiplicity::Bonferroni, Some(each)) => format!(
            "Bonferroni; each claim stands by itself and is judged by its interval at level {}",
            level(each)
        ),
        (rule, _) => stepwise(rule).to_owned(),
    }
}

/// Rules that decide about all endpoints together, in words.
pub fn stepwise(rule: Multiplicity) -> &'static str {
    match rule {
        Multiplicity::Holm => {
            "Holm; from the smallest p value on, each is judged at α divided by the number that is left"
        }
        Multiplicity::Hochberg => {
            "Hochberg; from the largest p value on, at α, α/2, α/3, ...: for p values that are independent \
             or positively dependent"
        }
        Multiplicity::FixedSequence => {
            "fixed sequence; each is judged at the whole α in the declared order, until the first that is \
             not met"
        }
        Multiplicity::Fallback => {
            "fallback; each has a share of α in the declared order, and what is met hands its share to the \
             next"
        }
        Multiplicity::Graph => {
            "graph (Bretz et al. 2009); each has a share of α, and what is met passes its share on along the \
             declared transitions"
        }
        Multiplicity::CoPrimary | Multiplicity::Bonferroni => "",
    }
}

/// An interval's limits.
pub fn limits(interval: &Interval, style: Style) -> String {
    format!("{} to {}", number(interval.lower, style), number(interval.upper, style))
}

/// A difference or a limit of a comparison, with so many decimals that it does not look like the margin.
pub fn beside_margin(c: &ComparisonResult, value: f64, rules: Rules) -> String {
    let style = style_of(c.metric.id(), false);
    match rules {
        Rules::First => number(value, style),
        Rules::Current => apart(value, &[c.margin, -c.margin], style),
    }
}

/// The limits of a comparison: see [`beside_margin`].
pub fn limits_beside_margin(c: &ComparisonResult, interval: &Interval, rules: Rules) -> String {
    let limit = |value: f64| beside_margin(c, value, rules);
    format!("{} to {}", limit(interval.lower), limit(interval.upper))
}

/// An interval's method with what is needed to compute it again; `of` is what it is of.
pub fn method(interval: &Interval, of: Quantity) -> String {
    let mut text = interval.method.describe(of).to_owned();
    if let Some(replicates) = interval.replicates {
        text = format!("{text}, {} replicates", count(replicates));
    }
    if let Some(unit) = interval.unit {
        text = format!("{text} by {}", resampling_unit(unit));
    }
    if let Some(seed) = interval.seed {
        text = format!("{text}, seed {seed}");
    }
    if let Some(dropped) = interval.dropped.filter(|d| *d > 0) {
        text = format!("{text}, {} replicates without a value left out", count(dropped));
    }
    text
}

/// What a bootstrap draws, in words.
pub fn resampling_unit(unit: ResamplingUnit) -> &'static str {
    match unit {
        ResamplingUnit::Case => "case",
        ResamplingUnit::CaseStratified => "case within each class",
        ResamplingUnit::Patient => "patient",
        ResamplingUnit::Site => "site",
        ResamplingUnit::SiteThenPatient => "site, then patient",
    }
}

/// An estimate's value alone; the reason when there is none.
pub fn value(estimate: &Estimate) -> String {
    match estimate.value {
        Some(value) => number(value, style(estimate)),
        None => not_evaluable(estimate),
    }
}

/// Why there is no value, in words.
pub fn not_evaluable(estimate: &Estimate) -> String {
    match &estimate.not_evaluable {
        Some(reason) => format!("not evaluable ({reason})"),
        None => "not evaluable".to_owned(),
    }
}

/// The count behind a proportion, or nothing.
pub fn fraction(estimate: &Estimate) -> Option<String> {
    Some(format!("{}/{}", count(estimate.numerator?), count(estimate.denominator?)))
}

/// The first interval, which is the one to quote; a dash when there is none.
pub fn interval(estimate: &Estimate) -> String {
    estimate.intervals.first().map_or_else(|| "\u{2013}".to_owned(), |i| limits(i, style(estimate)))
}

/// Value, count, interval and method, for running text.
pub fn sentence(estimate: &Estimate) -> String {
    let mut parts = Vec::new();
    parts.extend(fraction(estimate));
    if let Some(first) = estimate.intervals.first() {
        let limits = limits(first, style(estimate));
        parts.push(format!("{} CI {limits}, {}", level(first.level), method(first, estimate.quantity())));
    }
    let value = value(estimate);
    if parts.is_empty() { value } else { format!("{value} ({})", parts.join("; ")) }
}

/// Which interval decides an endpoint in place of the declared one, and why; none where the declared one
/// does.
pub fn fallback(endpoint: &EndpointResult) -> Option<String> {
    let fallback = endpoint.fallback.as_ref()?;
    let of = endpoint.metric.quantity();
    let declared = endpoint.interval_method.describe(of);
    let style = style_of(endpoint.metric.id(), false);
    let limits = fallback.declared.as_ref().map_or(String::new(), |i| format!(", {}", limits(i, style)));
    let decided = match &endpoint.interval {
        Some(interval) => format!("judged by {}", interval.method.describe(of)),
        None => "not judged".to_owned(),
    };
    Some(format!(
        "{decided} (fallback \"{}\") and not by the declared interval ({declared}{limits}): {} ({})",
        fallback.rule.id(),
        fallback.message,
        fallback.reason
    ))
}

/// The warning that an interval takes the cases of one patient as independent, as it stands beside a number.
pub fn clustering(estimate: &Estimate) -> Option<String> {
    let found = estimate.warnings.iter().find(|w| w.code == Code::ClusteringIgnored)?;
    Some(found.to_string())
}

/// A verdict in words.
pub fn verdict(verdict: Option<Verdict>) -> &'static str {
    match verdict {
        Some(Verdict::Met) => "met",
        Some(Verdict::NotMet) => "not met",
        Some(Verdict::NotEvaluable) => "not evaluable",
        None => "no criterion",
    }
}

/// A metric's name in documents.
pub fn metric(id: &str) -> String {
    match id.replace('_', "-").as_str() {
        "auc" => "AUC".to_owned(),
        "partial-auc" => "Partial AUC".to_owned(),
        "f1" => "F1 score".to_owned(),
        "brier" => "Brier score".to_owned(),
        "youden" => "Youden's index".to_owned(),
        "ppv" => "Positive predictive value".to_owned(),
        "npv" => "Negative predictive value".to_owned(),
        "mcc" => "Matthews correlation coefficient".to_owned(),
        "lr-positive" | "lr+" | "plr" => "Positive likelihood ratio".to_owned(),
        "lr-negative" | "lr-" | "nlr" => "Negative likelihood ratio".to_owned(),
        "sensitivity-difference" => "Difference of sensitivity".to_owned(),
        "specificity-difference" => "Difference of specificity".to_owned(),
        "mcnemar" => "Difference of accuracy (McNemar)".to_owned(),
        "cohen-kappa" => "Cohen's kappa".to_owned(),
        "fleiss-kappa" => "Fleiss' kappa".to_owned(),
        "percent-agreement" => "Agreement".to_owned(),
        "weighted-kappa-linear" => "Weighted kappa, linear".to_owned(),
        "weighted-kappa-quadratic" => "Weighted kappa, quadratic".to_owned(),
        "gwet-ac2-linear" => "Gwet's AC2, linear".to_owned(),
        "gwet-ac2-quadratic" => "Gwet's AC2, quadratic".to_owned(),
        "krippendorff-alpha" => "Krippendorff's alpha".to_owned(),
        "gwet-ac1" => "Gwet's AC1".to_owned(),
        id => text::humanise(id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::estimate::IntervalMethod;

    #[test]
    fn a_proportion_is_a_sentence_with_count_interval_and_method() {
        let interval = Interval::closed(IntervalMethod::ClopperPearson, 0.95, (0.8396, 0.8999));
        let estimate = Estimate {
            id: "sensitivity".into(),
            value: Some(0.872),
            numerator: Some(436),
            denominator: Some(500),
            intervals: vec![interval],
            ..Estimate::default()
        };
        assert_eq!(
            sentence(&estimate),
            "87.2% (436/500; 95% CI 84.0% to 90.0%, Clopper and Pearson (1934), exact)"
        );
    }
}
