//! How numbers are written. Values are rounded here and nowhere before, to the nearest digit that is
//! printed: three decimals for areas and indices, percent with one decimal beside its count for
//! proportions, two decimals for ratios.

use crate::statistics::estimate::{Estimate, Interval, ResamplingUnit};
use crate::statistics::multiplicity::Multiplicity;
use crate::study::results::{AnalysisMethod, Verdict};

/// The rule in words, printed in every document.
pub const RULE: &str = "Numbers are rounded once, when they are printed, from the unrounded values in results.json: \
areas, kappa and other indices to three decimals, proportions to percent with one decimal beside their counts, ratios \
to two decimals. A confidence bound that rounding would make equal to its acceptance limit is printed with more \
decimals. Percentages in counts tables are the count over the stated total.";

/// How a quantity is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// 0.871
    Index,
    /// 87.1%
    Percent,
    /// 5.43
    Ratio,
    /// 12
    Count,
}

/// How an estimate is written, from its id and whether it has counts.
pub fn style(estimate: &Estimate) -> Style {
    style_of(&estimate.id, estimate.denominator.is_some())
}

/// How a metric is written.
pub fn style_of(id: &str, has_counts: bool) -> Style {
    let id = id.replace('_', "-");
    match id.as_str() {
        "sensitivity" | "specificity" | "ppv" | "npv" | "accuracy" | "prevalence" | "percent-agreement" => {
            Style::Percent
        }
        id if id.starts_with("lr") || id.ends_with("likelihood-ratio") || id.ends_with("odds-ratio") => {
            Style::Ratio
        }
        "plr" | "nlr" | "dor" => Style::Ratio,
        id if id.starts_with("per-1000-") => Style::Count,
        _ if has_counts => Style::Percent,
        _ => Style::Index,
    }
}

/// A number in a style. Not finite: `not evaluable`.
pub fn number(value: f64, style: Style) -> String {
    if !value.is_finite() {
        return "not evaluable".to_owned();
    }
    match style {
        Style::Index => fixed(value, 3),
        Style::Percent => format!("{}%", fixed(value * 100.0, 1)),
        Style::Ratio => fixed(value, 2),
        Style::Count => grouped(&fixed(value, 0)),
    }
}

/// A fixed number of decimals, with a true minus sign and no negative zero.
pub fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|b| matches!(b, b'0' | b'.')) => rest.to_owned(),
        Some(rest) => format!("\u{2212}{rest}"),
        None => text,
    }
}

/// A count with commas between thousands.
pub fn count(value: u64) -> String {
    grouped(&value.to_string())
}

fn grouped(digits: &str) -> String {
    let mut out = String::new();
    let plain = digits.chars().all(|c| c.is_ascii_digit());
    for (index, c) in digits.chars().enumerate() {
        if plain && index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A count over its total in percent; a dash when the total is zero.
pub fn share(part: u64, whole: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^53")]
    if whole == 0 {
        "\u{2013}".to_owned()
    } else {
        format!("{}%", fixed(100.0 * part as f64 / whole as f64, 1))
    }
}

/// A level such as 0.95 as `95%`.
pub fn level(level: f64) -> String {
    let text = fixed(level * 100.0, 2);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
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
    }
}

/// A prevalence: percent with as many decimals as it has, up to two, at least one.
pub fn prevalence(value: f64) -> String {
    let text = fixed(value * 100.0, 2);
    format!("{}%", text.strip_suffix('0').unwrap_or(&text))
}

/// A threshold: four decimals.
pub fn threshold(value: f64) -> String {
    fixed(value, 4)
}

/// A p value: three decimals, `< 0.001` below.
pub fn p_value(value: f64) -> String {
    if value < 0.001 { "< 0.001".to_owned() } else { fixed(value, 3) }
}

/// An interval's limits.
pub fn limits(interval: &Interval, style: Style) -> String {
    format!("{} to {}", number(interval.lower, style), number(interval.upper, style))
}

/// An interval's method with what is needed to compute it again.
pub fn method(interval: &Interval) -> String {
    let mut text = interval.method.describe().to_owned();
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

/// The first, declared interval; a dash when there is none.
pub fn interval(estimate: &Estimate) -> String {
    estimate.intervals.first().map_or_else(|| "\u{2013}".to_owned(), |i| limits(i, style(estimate)))
}

/// Value, count, interval and method, for running text.
pub fn sentence(estimate: &Estimate) -> String {
    let mut parts = Vec::new();
    parts.extend(fraction(estimate));
    if let Some(first) = estimate.intervals.first() {
        let limits = limits(first, style(estimate));
        parts.push(format!("{} CI {limits}, {}", level(first.level), method(first)));
    }
    let value = value(estimate);
    if parts.is_empty() { value } else { format!("{value} ({})", parts.join("; ")) }
}

/// A confidence bound beside its criterion: on the criterion's own scale, with so many decimals that
/// rounding does not make it equal to the limit it is compared with.
pub fn bound(bound: f64, criterion: Option<&str>) -> String {
    let limit = criterion.and_then(|c| c.split_whitespace().last()).and_then(|last| last.parse::<f64>().ok());
    let mut decimals = 3;
    if let Some(limit) = limit {
        while decimals < 9 && bound != limit && fixed(bound, decimals) == fixed(limit, decimals) {
            decimals += 1;
        }
    }
    fixed(bound, decimals)
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
        "f1" => "F1 score".to_owned(),
        "ppv" => "Positive predictive value".to_owned(),
        "npv" => "Negative predictive value".to_owned(),
        "mcc" => "Matthews correlation coefficient".to_owned(),
        "lr-positive" | "lr+" | "plr" => "Positive likelihood ratio".to_owned(),
        "lr-negative" | "lr-" | "nlr" => "Negative likelihood ratio".to_owned(),
        "mcnemar" => "Difference of accuracy (McNemar)".to_owned(),
        "cohen-kappa" => "Cohen's kappa".to_owned(),
        "fleiss-kappa" => "Fleiss' kappa".to_owned(),
        "percent-agreement" => "Agreement".to_owned(),
        "krippendorff-alpha" => "Krippendorff's alpha".to_owned(),
        "gwet-ac1" => "Gwet's AC1".to_owned(),
        id => super::text::humanise(id),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::estimate::IntervalMethod;

    #[test]
    fn numbers_are_rounded_when_printed() {
        assert_eq!(number(0.87149, Style::Index), "0.871");
        assert_eq!(number(0.8725, Style::Percent), "87.2%");
        assert_eq!(number(-0.0001, Style::Index), "0.000");
        assert_eq!(number(-0.25, Style::Index), "\u{2212}0.250");
        assert_eq!(number(f64::NAN, Style::Index), "not evaluable");
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(100), "100");
        assert_eq!((level(0.95).as_str(), level(0.975).as_str()), ("95%", "97.5%"));
        assert_eq!((prevalence(0.05).as_str(), prevalence(0.0136).as_str()), ("5.0%", "1.36%"));
        assert_eq!((p_value(0.0004).as_str(), p_value(0.25).as_str()), ("< 0.001", "0.250"));
    }

    #[test]
    fn a_bound_never_looks_equal_to_the_limit_it_misses() {
        assert_eq!(bound(0.79996, Some("lower > 0.80")), "0.79996");
        assert_eq!(bound(0.8412, Some("lower > 0.80")), "0.841");
        assert_eq!(bound(0.8, Some("lower > 0.80")), "0.800");
        assert_eq!(bound(0.8, None), "0.800");
    }

    #[test]
    fn a_proportion_is_a_sentence_with_count_interval_and_method() {
        let interval = Interval {
            method: IntervalMethod::ClopperPearson,
            level: 0.95,
            lower: 0.8396,
            upper: 0.8999,
            unit: None,
            replicates: None,
            seed: None,
            dropped: None,
        };
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
