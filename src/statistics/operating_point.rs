//! The rule of an operating point, and the threshold it chooses on a tuning table. Never on the test set:
//! what calls this says where the table came from.
//!
//! Candidates are the distinct scores of the table, and a case is called positive at or above the
//! threshold. Ties between candidates are resolved so that the result does not depend on the order
//! of cases: each rule states how. A threshold above every score is never chosen: a device that calls
//! nothing positive is an error with the way out, wherever the rule was declared.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::confusion::{Confusion, share};
use crate::ranks::{Group, groups, score_of};
use sequester_diagnostic::{Code, Diagnostic};

/// How a threshold is chosen. A case is positive when its score is at or above it.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum OperatingPointRule {
    /// The score with the largest sensitivity + specificity - 1 (Youden 1950); of several the lowest, which
    /// has the highest sensitivity.
    Youden,
    /// The highest score at which the sensitivity is at least this, in 0..1.
    Sensitivity(f64),
    /// The lowest score at which the specificity is at least this, in 0..1.
    Specificity(f64),
    /// The lowest expected cost, `ratio * prevalence * (1 - sensitivity) + (1 - prevalence) * (1 -
    /// specificity)` with both taken on the tuning cases (Metz, Semin Nucl Med 1978); of several thresholds
    /// the lowest.
    Cost {
        /// What a missed positive costs, in false alarms. Above 0.
        ratio: f64,
        /// Of the intended use, not of the tuning cases. Between 0 and 1.
        prevalence: f64,
    },
    /// Given beforehand.
    Threshold(f64),
}

impl FromStr for OperatingPointRule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || {
            format!(
                "`{text}` is not youden, sensitivity=0.9, specificity=0.9, threshold=0.4 (a number in \
                 0..=1 after the `=`) or \
                 cost=20@0.0136 (a missed positive costs as much as 20 false alarms, at a prevalence of \
                 0.0136)"
            )
        };
        if text == "youden" {
            return Ok(Self::Youden);
        }
        let (name, value) = text.split_once('=').ok_or_else(expected)?;
        if name.trim() == "cost" {
            let (ratio, prevalence) = value.split_once('@').ok_or_else(expected)?;
            let [ratio, prevalence] = [ratio, prevalence].map(|text| text.trim().parse::<f64>());
            return match (ratio, prevalence) {
                (Ok(ratio), Ok(prevalence))
                    if ratio > 0.0 && ratio.is_finite() && prevalence > 0.0 && prevalence < 1.0 =>
                {
                    Ok(Self::Cost { ratio, prevalence })
                }
                _ => Err(expected()),
            };
        }
        let value: f64 = value.trim().parse().map_err(|_| expected())?;
        match name.trim() {
            "sensitivity" if value > 0.0 && value <= 1.0 => Ok(Self::Sensitivity(value)),
            "specificity" if value > 0.0 && value <= 1.0 => Ok(Self::Specificity(value)),
            "threshold" if (0.0..=1.0).contains(&value) => Ok(Self::Threshold(value)),
            _ => Err(expected()),
        }
    }
}

impl fmt::Display for OperatingPointRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Youden => f.write_str("youden"),
            Self::Sensitivity(value) => write!(f, "sensitivity={value}"),
            Self::Specificity(value) => write!(f, "specificity={value}"),
            Self::Cost { ratio, prevalence } => write!(f, "cost={ratio}@{prevalence}"),
            Self::Threshold(value) => write!(f, "threshold={value}"),
        }
    }
}

impl OperatingPointRule {
    /// The rule's name in protocols.
    pub fn name(self) -> &'static str {
        match self {
            Self::Youden => "youden",
            Self::Sensitivity(_) => "sensitivity",
            Self::Specificity(_) => "specificity",
            Self::Cost { .. } => "cost",
            Self::Threshold(_) => "threshold",
        }
    }

    /// The number a protocol declares with it, where it is one.
    pub fn target(self) -> Option<f64> {
        match self {
            Self::Sensitivity(target) | Self::Specificity(target) | Self::Threshold(target) => Some(target),
            Self::Youden | Self::Cost { .. } => None,
        }
    }

    /// For documents.
    pub fn describe(self) -> String {
        match self {
            Self::Youden => {
                "the largest sensitivity + specificity - 1 on the tuning split (Youden 1950); of several \
                 thresholds the lowest"
                    .to_owned()
            }
            Self::Sensitivity(value) => {
                format!("the highest threshold with a sensitivity of at least {value} on the tuning split")
            }
            Self::Specificity(value) => {
                format!("the lowest threshold with a specificity of at least {value} on the tuning split")
            }
            Self::Cost { ratio, prevalence } => format!(
                "the lowest expected cost on the tuning split, where a missed positive costs as much as \
                 {ratio} false alarms, at a prevalence of {prevalence}; of several thresholds the lowest"
            ),
            Self::Threshold(value) => format!("fixed beforehand at {value}, not chosen on data"),
        }
    }
}

/// What gave a threshold: a number of the protocol, or a rule. Written as `declared` or as the rule prints.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schemas", derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
pub enum ChosenBy {
    /// Declared beforehand, with its rationale.
    Declared,
    /// By a rule on tuning cases.
    Rule(OperatingPointRule),
}

impl fmt::Display for ChosenBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Declared => f.write_str("declared"),
            Self::Rule(rule) => rule.fmt(f),
        }
    }
}

impl From<ChosenBy> for String {
    fn from(chosen_by: ChosenBy) -> Self {
        chosen_by.to_string()
    }
}

impl TryFrom<String> for ChosenBy {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if text == "declared" { Ok(Self::Declared) } else { text.parse().map(Self::Rule) }
    }
}

/// A chosen threshold and what it does on the table it was chosen on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChosenThreshold {
    /// Positive is score >= threshold.
    pub threshold: f64,
    /// Counts on the table it was chosen on.
    pub table: Confusion,
}

/// Applies a rule to a tuning table (`labels` and finite `scores`, one entry a case).
///
/// # Errors
/// `tuning-one-class` when a class is empty; `operating-point` when no observed score satisfies the rule, or
/// calling nothing positive would cost least.
pub fn choose(
    rule: OperatingPointRule,
    labels: &[bool],
    scores: &[f64],
) -> Result<ChosenThreshold, Diagnostic> {
    let positives = labels.iter().filter(|label| **label).count();
    let negatives = labels.len() - positives;
    if positives == 0 || negatives == 0 {
        return Err(Diagnostic::error(
            Code::TuningOneClass,
            format!("the tuning cases are {positives} positive and {negatives} negative; both are needed"),
        )
        .hint("give tuning cases of both classes"));
    }
    if let OperatingPointRule::Threshold(threshold) = rule {
        return Ok(ChosenThreshold { threshold, table: Confusion::at(labels, scores, threshold) });
    }
    let steps = steps(labels, scores);
    let found = match rule {
        OperatingPointRule::Youden => {
            // Compared as whole numbers, so that ties are exact.
            let index = |t: &Confusion| {
                i128::from(t.true_positives) * i128::from(t.negatives())
                    - i128::from(t.false_positives) * i128::from(t.positives())
            };
            // Of equals the last wins: the lowest threshold.
            steps.iter().max_by_key(|step| index(&step.table))
        }
        OperatingPointRule::Sensitivity(target) => {
            steps.iter().find(|step| sensitivity(step).is_some_and(|s| s >= target))
        }
        OperatingPointRule::Specificity(target) => {
            let reached = |step: &&ChosenThreshold| specificity(step).is_some_and(|s| s >= target);
            steps.iter().take_while(reached).last()
        }
        OperatingPointRule::Cost { ratio, prevalence } => {
            // Per positive and per negative case of the tuning table.
            let miss = ratio * prevalence / positives as f64;
            let alarm = (1.0 - prevalence) / negatives as f64;
            cheapest(&steps, positives, miss, alarm)
        }
        OperatingPointRule::Threshold(_) => None,
    };
    found.copied().ok_or_else(|| unreached(rule, &steps, labels.len()))
}

fn sensitivity(step: &ChosenThreshold) -> Option<f64> {
    let (k, n) = step.table.sensitivity();
    share(k, n)
}

fn specificity(step: &ChosenThreshold) -> Option<f64> {
    let (k, n) = step.table.specificity();
    share(k, n)
}

/// Distinct scores from the highest, each with what it gives as a threshold.
fn steps(labels: &[bool], scores: &[f64]) -> Vec<ChosenThreshold> {
    let groups = groups(labels, scores);
    let m: u64 = groups.iter().map(|g| g.positives).sum();
    let n: u64 = groups.iter().map(|g| g.negatives).sum();
    let (mut tp, mut fp) = (0, 0);
    let step = |g: &Group| {
        tp += g.positives;
        fp += g.negatives;
        let table = Confusion {
            true_positives: tp,
            false_negatives: m - tp,
            false_positives: fp,
            true_negatives: n - fp,
        };
        ChosenThreshold { threshold: score_of(g.key), table }
    };
    groups.iter().rev().map(step).collect()
}

/// Of equal costs the last wins: the lowest threshold. `None` where calling nobody positive costs less than
/// any.
fn cheapest(steps: &[ChosenThreshold], positives: usize, miss: f64, alarm: f64) -> Option<&ChosenThreshold> {
    let (mut best, mut lowest) = (None, positives as f64 * miss);
    for step in steps {
        let cost = step.table.false_negatives as f64 * miss + step.table.false_positives as f64 * alarm;
        if cost <= lowest {
            (best, lowest) = (Some(step), cost);
        }
    }
    best
}

/// Why no observed score will do, and the way out.
fn unreached(rule: OperatingPointRule, steps: &[ChosenThreshold], cases: usize) -> Diagnostic {
    let problem = |message: String, hint: String| Diagnostic::error(Code::OperatingPoint, message).hint(hint);
    let message = |why: &str| format!("the rule `{rule}` gives no threshold on {cases} tuning cases: {why}");
    let highest = steps.first().and_then(|step| Some((step.threshold, specificity(step)?)));
    match (rule, highest) {
        (OperatingPointRule::Cost { .. }, _) => problem(
            message("by it, calling no case positive costs least"),
            "name what a missed positive costs where the device is used, or choose by another rule"
                .to_owned(),
        ),
        (_, Some((score, reached))) => problem(
            message(&format!("at the highest score, {score}, the specificity is {reached}")),
            "name a target that a score reaches, or declare a threshold beforehand with its reason"
                .to_owned(),
        ),
        (_, None) => problem(message("there are none"), "give tuning cases of both classes".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn threshold(rule: &str, rows: &[(f64, bool)]) -> f64 {
        chosen(rule, rows).expect("chooses").threshold
    }

    fn chosen(rule: &str, rows: &[(f64, bool)]) -> Result<ChosenThreshold, Diagnostic> {
        let (scores, labels): (Vec<f64>, Vec<bool>) = rows.iter().copied().unzip();
        choose(rule.parse().expect("a rule"), &labels, &scores)
    }

    fn refused(rule: &str, rows: &[(f64, bool)], code: Code) {
        let problem = chosen(rule, rows).expect_err("refused");
        assert_eq!(problem.code, code, "{problem:?}");
        assert!(problem.hint.is_some(), "{problem:?}");
    }

    const ROWS: [(f64, bool); 6] =
        [(0.9, true), (0.8, false), (0.7, true), (0.6, true), (0.3, false), (0.1, false)];

    #[test]
    fn youden_takes_the_largest_index_and_of_ties_the_lowest_threshold() {
        // At 0.6: sensitivity 1, specificity 2/3.
        assert_eq!(threshold("youden", &ROWS), 0.6);
        // At 0.8 and at 0.2 the index is one half; the lower has the higher sensitivity.
        assert_eq!(threshold("youden", &[(0.8, true), (0.5, false), (0.2, true), (0.1, false)]), 0.2);
    }

    #[test]
    fn a_wanted_sensitivity_gives_the_highest_threshold_that_reaches_it() {
        assert_eq!(threshold("sensitivity=0.6", &ROWS), 0.7);
        assert_eq!(threshold("sensitivity=0.7", &ROWS), 0.6);
        assert_eq!(threshold("sensitivity=1", &ROWS), 0.6);
        assert_eq!(threshold("sensitivity=0.5", &[(0.5, true), (0.5, false)]), 0.5);
    }

    #[test]
    fn a_wanted_specificity_gives_the_lowest_threshold_that_reaches_it() {
        assert_eq!(threshold("specificity=0.6", &ROWS), 0.6);
        assert_eq!(threshold("specificity=1", &ROWS), 0.9);
        assert_eq!(threshold("specificity=0.3", &ROWS), 0.3);
        // A threshold above every score would call nothing positive: whoever chose, it is refused.
        refused("specificity=1", &[(0.5, false), (0.4, true)], Code::OperatingPoint);
        refused("specificity=0.9", &[(0.9, false), (0.2, true)], Code::OperatingPoint);
    }

    #[test]
    fn a_cost_gives_the_cheapest_threshold_at_the_prevalence_of_use() {
        // Costs at a ratio of 1 and a prevalence of 0.5 are the errors: 0.6 has one false alarm alone.
        assert_eq!(threshold("cost=1@0.5", &ROWS), 0.6);
        // At 1 %, misses cost 0.01 * ratio / 3 each and alarms 0.33: with a ratio of 1 nobody but 0.9 is
        // worth calling.
        assert_eq!(threshold("cost=1@0.01", &ROWS), 0.9);
        refused("cost=1@0.01", &[(0.9, false), (0.2, true)], Code::OperatingPoint);
        assert_eq!(threshold("cost=1000@0.01", &[(0.9, false), (0.2, true), (0.1, false)]), 0.2);
    }

    #[test]
    fn a_fixed_threshold_is_kept_and_one_class_is_refused() {
        assert_eq!(threshold("threshold=0.4", &ROWS), 0.4);
        for rule in ["youden", "threshold=0.4", "sensitivity=0.9"] {
            refused(rule, &[(0.2, true), (0.9, true)], Code::TuningOneClass);
        }
    }

    #[test]
    fn rules_read_back_as_they_print_and_others_are_refused() {
        for text in ["youden", "sensitivity=0.9", "specificity=0.9", "threshold=0.4", "cost=20@0.0136"] {
            assert_eq!(text.parse::<OperatingPointRule>().expect("a rule").to_string(), text);
        }
        for text in [
            "",
            "best",
            "threshold",
            "threshold=2",
            "sensitivity=0",
            "threshold=x",
            "youden=1",
            "cost=20",
            "cost=0@0.5",
            "cost=2@1",
        ] {
            assert!(text.parse::<OperatingPointRule>().is_err(), "{text}");
        }
        for text in ["declared", "youden", "specificity=0.9"] {
            let json = format!("\"{text}\"");
            let by: ChosenBy = serde_json::from_str(&json).expect("reads");
            assert_eq!(serde_json::to_string(&by).expect("writes"), json);
        }
        assert!(serde_json::from_str::<ChosenBy>("\"sensitivity >= 0.9\"").is_err());
    }

    #[test]
    fn the_table_of_a_chosen_threshold_is_that_of_calling_at_or_above_it() {
        for rule in ["youden", "sensitivity=0.6", "specificity=0.6", "cost=1@0.5", "threshold=0.65"] {
            let (scores, labels): (Vec<f64>, Vec<bool>) = ROWS.iter().copied().unzip();
            let point = chosen(rule, &ROWS).expect("chooses");
            assert_eq!(point.table, Confusion::at(&labels, &scores, point.threshold), "{rule}");
        }
    }

    #[test]
    fn a_cost_counts_misses_and_alarms_by_the_size_of_each_class() {
        // A miss costs 2 * 0.4 / 2 = 0.4 and an alarm 0.6 / 4 = 0.15. At 0.9: one miss. At 0.5: two alarms,
        // which costs less; at 0.8: one miss and one alarm. Calling nobody costs two misses.
        let rows = [(0.9, true), (0.8, false), (0.6, false), (0.5, true), (0.3, false), (0.1, false)];
        assert_eq!(threshold("cost=2@0.4", &rows), 0.5);
        // A miss at 0.1 and an alarm at 0.225: now one miss costs less than two alarms.
        assert_eq!(threshold("cost=2@0.1", &rows), 0.9);
        // At three false alarms a miss costs 0.3 / 2 = 0.15, less than two alarms, and undivided more.
        assert_eq!(threshold("cost=3@0.1", &rows), 0.9);
        // Of equal costs the lowest threshold: one miss at 0.25 beside one alarm at 0.25.
        let tie = [(0.9, true), (0.8, false), (0.7, true), (0.1, false)];
        assert_eq!(threshold("cost=1@0.5", &tie), 0.7);
        // As expensive as calling nobody is still a threshold.
        assert_eq!(threshold("cost=1@0.5", &[(0.9, false), (0.8, true)]), 0.8);
    }

    #[test]
    fn what_a_rule_says_of_itself() {
        let table = [
            ("youden", "youden", None, "(Youden 1950)"),
            (
                "sensitivity=0.9",
                "sensitivity",
                Some(0.9),
                "the highest threshold with a sensitivity of at least 0.9",
            ),
            (
                "specificity=0.8",
                "specificity",
                Some(0.8),
                "the lowest threshold with a specificity of at least 0.8",
            ),
            ("cost=20@0.01", "cost", None, "20 false alarms, at a prevalence of 0.01"),
            ("threshold=0.4", "threshold", Some(0.4), "fixed beforehand at 0.4"),
        ];
        for (text, name, target, words) in table {
            let rule: OperatingPointRule = text.parse().expect("a rule");
            assert_eq!((rule.name(), rule.target()), (name, target));
            assert!(rule.describe().contains(words), "{}", rule.describe());
        }
        for text in ["sensitivity=1", "specificity=1", "threshold=0", "threshold=1"] {
            assert!(text.parse::<OperatingPointRule>().is_ok(), "{text}");
        }
        for text in [
            "sensitivity=1.1",
            "sensitivity=-0.1",
            "specificity=0",
            "specificity=1.1",
            "threshold=-0.1",
            "threshold=1.1",
            "cost=-1@0.5",
            "cost=inf@0.5",
            "cost=2@0",
            "cost=2@-1",
            "cost=2@1.5",
            "other=0.5",
        ] {
            assert!(text.parse::<OperatingPointRule>().is_err(), "{text}");
        }
        assert_eq!(ChosenBy::Declared.to_string(), "declared");
    }

    #[test]
    fn a_refused_rule_says_what_the_highest_score_reaches() {
        let problem =
            chosen("specificity=1", &[(0.5, false), (0.4, true), (0.3, false)]).expect_err("refused");
        assert!(problem.message.contains("at the highest score, 0.5, the specificity is 0.5"), "{problem:?}");
        let cost = chosen("cost=1@0.01", &[(0.9, false), (0.2, true)]).expect_err("refused");
        assert!(cost.message.contains("calling no case positive costs least"), "{cost:?}");
        let one = chosen("youden", &[(0.5, false), (0.4, false), (0.3, false)]).expect_err("refused");
        assert!(one.message.contains("0 positive and 3 negative"), "{one:?}");
    }
}
