//! Endpoints whose criterion cannot fail, cannot be met, or judges something else than is meant.

use super::Look;
use crate::diagnostic::Code;
use crate::protocol::{Bound, Endpoint, Role};
use crate::statistics::estimate::IntervalMethod;
use crate::statistics::metric::{Fallback, Metric};
use crate::statistics::proportion::clopper_pearson;

/// With fewer cases of a class a normal interval covers less often than its level says (`docs/coverage.md`).
pub const FEW: u64 = 30;
/// Goals from here on lie so near to 1 that a bootstrap of quantiles is short of errors to draw.
const NEAR_ONE: f64 = 0.95;

/// Whether a greater value is a better device.
fn more_is_better(metric: Metric) -> bool {
    metric != Metric::LrNegative
}

/// What a device without any skill has, where that does not depend on the sample.
fn at_chance(metric: Metric) -> Option<f64> {
    match metric {
        Metric::Auc | Metric::BalancedAccuracy => Some(0.5),
        Metric::Youden | Metric::Mcc => Some(0.0),
        Metric::LrPositive | Metric::LrNegative | Metric::DiagnosticOddsRatio => Some(1.0),
        _ => None,
    }
}

/// Whether the interval rests on a normal law of the estimate.
pub fn is_normal(method: IntervalMethod) -> bool {
    use IntervalMethod::{Delong, DelongLogit, HanleyMcneil, Log, Obuchowski, UStatistic, Wald};
    matches!(method, Delong | DelongLogit | HanleyMcneil | Obuchowski | UStatistic | Log | Wald)
}

impl Look<'_> {
    pub(super) fn endpoints(&mut self) {
        let protocol = self.protocol;
        for (index, endpoint) in protocol.endpoints.iter().enumerate() {
            let place = self.endpoint_place(&endpoint.id);
            self.goal(endpoint, &place);
            self.reachable(endpoint, &place);
            self.interval(endpoint, &place);
            self.sampled(endpoint, &place);
            let twin = protocol.endpoints[..index]
                .iter()
                .find(|other| other.metric == endpoint.metric && other.criterion == endpoint.criterion);
            if let Some(twin) = twin {
                self.asks(
                    Code::EndpointRepeated,
                    &format!("{place}.metric"),
                    format!("the endpoints `{}` and `{}` ask the same of one metric", twin.id, endpoint.id),
                    "keep one: a question that is asked twice counts twice where levels are divided",
                );
            }
        }
        self.together();
    }

    /// What stands in the criterion.
    fn goal(&mut self, endpoint: &Endpoint, place: &str) {
        let Some(criterion) = &endpoint.criterion else { return };
        let place = format!("{place}.criterion");
        let (id, goal, metric) = (&endpoint.id, criterion.goal, endpoint.metric);
        let (least, greatest) = metric.range();
        let below = criterion.bound == Bound::Lower;
        if below != more_is_better(metric) {
            let (better, write) =
                if more_is_better(metric) { ("more", "lower >") } else { ("less", "upper <") };
            self.refuses(
                Code::CriterionWrongWay,
                &place,
                format!(
                    "`{id}` is met by a bad device: {better} is better of {}, and \"{}\" asks for the \
                         opposite",
                    metric.id(),
                    criterion.text
                ),
                format!("write `criterion = \"{write} {goal}\"`"),
            );
            return;
        }
        if goal > greatest
            || goal < least
            || (criterion.strict && goal == if below { greatest } else { least })
        {
            let percent = goal > 1.0 && goal <= 100.0 && greatest == 1.0;
            let hint = if percent {
                format!("shares are written from 0 to 1: {}", goal / 100.0)
            } else {
                "give a goal inside that range; `sequester design` says what a sample of this size can show"
                    .into()
            };
            self.refuses(
                Code::GoalOutOfRange,
                &place,
                format!(
                    "no result meets `{id}`: {} lies between {least} and {greatest}, and the criterion is \
                         \"{}\"",
                    metric.id(),
                    criterion.text
                ),
                hint,
            );
        } else if goal == if below { least } else { greatest } {
            self.refuses(
                Code::GoalSaysNothing,
                &place,
                format!("every result meets `{id}`: no bound of {} is beyond {goal}", metric.id()),
                "give the goal that the clinical need sets, and say in the plan where it comes from",
            );
        } else if at_chance(metric).is_some_and(|chance| if below { goal <= chance } else { goal >= chance })
        {
            self.asks(
                Code::GoalAtChance,
                &place,
                format!(
                    "a device without any skill has {} {}: the goal {goal} of `{id}` asks for hardly more",
                    metric.id(),
                    at_chance(metric).unwrap_or_default()
                ),
                "give the goal that the clinical need sets; better than chance is no claim of a device",
            );
        }
    }

    /// Cases that a share is counted over, where the sample's composition is declared; the second is
    /// whether it is the size of a class by the source label, which the reference standard may change.
    fn counted(&self, metric: Metric) -> Option<(u64, bool)> {
        let target = self.protocol.sample.target?;
        let positives = target.positives.filter(|n| (1..target.cases).contains(n));
        match metric {
            Metric::Sensitivity => positives.map(|n| (n, true)).or(Some((target.cases, false))),
            Metric::Specificity => {
                positives.map(|n| (target.cases - n, true)).or(Some((target.cases, false)))
            }
            Metric::Accuracy | Metric::Ppv | Metric::Npv => Some((target.cases, false)),
            _ => None,
        }
    }

    /// Whether a perfect result would do, and one error less than perfect.
    fn reachable(&mut self, endpoint: &Endpoint, place: &str) {
        let Some(criterion) = endpoint.criterion.as_ref().filter(|c| c.bound == Bound::Lower) else { return };
        let Some((n, of_class)) = self.counted(endpoint.metric) else { return };
        if n == 0 || !(0.0..1.0).contains(&criterion.goal) {
            return;
        }
        let level = self.protocol.analysis.level;
        let lower = |right: u64| clopper_pearson(right, n, level).0;
        let place = format!("{place}.criterion");
        // Of n right answers out of n the exact lower limit is (alpha / 2)^(1/n): Clopper and Pearson 1934.
        let needed = (((1.0 - level) / 2.0).ln() / criterion.goal.ln()).ceil();
        if !criterion.accepts(lower(n), 1.0) {
            let message = format!(
                "`{}` cannot be met: when all {n} cases it counts are right, the exact lower limit is \
                 {:.3}, and \
                 the criterion is \"{}\"",
                endpoint.id,
                lower(n),
                criterion.text
            );
            let hint =
                format!("{needed} such cases without an error are the least; a smaller goal needs fewer");
            if of_class {
                // The reference standard may find more of them than the source label says.
                self.asks(Code::GoalUnreachable, &place, message, hint);
            } else {
                self.refuses(Code::GoalUnreachable, &place, message, hint);
            }
        } else if !criterion.accepts(lower(n - 1), 1.0) {
            self.asks(
                Code::GoalNearPerfect,
                &place,
                format!(
                    "`{}` is met by a perfect result alone: with one error among {n} cases the exact lower \
                     limit \
                     is {:.3}",
                    endpoint.id,
                    lower(n - 1)
                ),
                "draw more cases, or lower the goal: `sequester design` gives the power of both",
            );
        }
    }

    /// Whether the interval fits the sample.
    fn interval(&mut self, endpoint: &Endpoint, place: &str) {
        let at = format!("{place}.interval");
        let (id, method) = (&endpoint.id, endpoint.interval);
        if let Some(target) = self.protocol.sample.target
            && is_normal(method)
        {
            let positives = target.positives.unwrap_or(target.cases);
            let smaller = positives.min(target.cases - target.positives.unwrap_or(0));
            if smaller < FEW {
                self.asks(
                    Code::IntervalFewCases,
                    &at,
                    format!(
                        "`{id}` takes its estimate as normally distributed (`{}`), and the smaller class has \
                         {smaller} cases at most",
                        method.id()
                    ),
                    format!(
                        "draw at least {FEW} cases of each class, or declare an exact interval or a bootstrap"
                    ),
                );
            }
        }
        let quantiles =
            matches!(method, IntervalMethod::BootstrapPercentile | IntervalMethod::BootstrapBasic);
        let near_one = endpoint
            .criterion
            .as_ref()
            .is_some_and(|c| c.goal >= NEAR_ONE && endpoint.metric.range().1 == 1.0);
        if quantiles && near_one {
            self.asks(
                Code::IntervalNearLimit,
                &at,
                format!(
                    "`{id}` is to be shown near 1 with `{}`: where there is hardly an error to draw, its \
                         limits are too near to the estimate",
                    method.id()
                ),
                "declare `clopper-pearson`, `korn-graubard` or `wilson`; Efron and Tibshirani 1993, \
                 chapter 13",
            );
        }
        let several = !self.protocol.sample.one_image_per_patient;
        let alone = matches!(
            method,
            IntervalMethod::Delong
                | IntervalMethod::DelongLogit
                | IntervalMethod::HanleyMcneil
                | IntervalMethod::UStatistic
                | IntervalMethod::ClopperPearson
                | IntervalMethod::Wilson
                | IntervalMethod::AgrestiCoull
                | IntervalMethod::Jeffreys
                | IntervalMethod::Wald
                | IntervalMethod::Log
        );
        if several && alone {
            self.asks(
                Code::IntervalAssumesOneImage,
                &at,
                format!(
                    "`{id}` takes every case as independent (`{}`), and several images of a patient may be \
                         drawn",
                    method.id()
                ),
                "draw one image a patient (`sample.images_per_patient = \"one\"`), or declare `obuchowski`, \
                 `korn-graubard` or a bootstrap of patients",
            );
        }
        if endpoint.role == Role::Primary && endpoint.fallback == Fallback::None {
            self.asks(
                Code::FallbackNone,
                &format!("{place}.fallback"),
                format!("where the interval of `{id}` is none or collapses, the study shows nothing"),
                "`fallback = \"effective-number\"` or \"patients\" judges it by an exact interval then",
            );
        }
    }

    /// Whether the sample's composition goes into the value.
    fn sampled(&mut self, endpoint: &Endpoint, place: &str) {
        if !endpoint.metric.depends_on_prevalence() {
            return;
        }
        let at = format!("{place}.metric");
        let (id, metric) = (&endpoint.id, endpoint.metric.id());
        if self.protocol.analysis.intended_use_prevalence.is_none() {
            self.asks(
                Code::PrevalenceDependent,
                &at,
                format!("the endpoint `{id}` depends on the prevalence of the sample"),
                "declare `analysis.intended_use_prevalence`, so that it is also shown where the device is \
                 used",
            );
        }
        let enriched = self.protocol.sample.target.and_then(|t| t.positives.map(|p| (p, t.cases)));
        if let Some((positives, cases)) = enriched
            && endpoint.criterion.is_some()
        {
            self.asks(
                Code::SampleNotComparable,
                &at,
                format!(
                    "`{id}` is judged in a sample with {positives} positives of {cases} by declaration: its \
                     {metric} is that of this mixture, and can be compared with no other sample's"
                ),
                "judge sensitivity and specificity, which the mixture does not change; of 2A of the source \
                 project \
                 F1 is 0.063 at 1.36 % and 0.515 at 50 %",
            );
        }
        if endpoint.role == Role::Primary {
            self.asks(
                Code::PrimaryDependsOnSample,
                &at,
                format!(
                    "the primary endpoint `{id}` is {metric}, which follows from how common the \
                 finding is in \
                         the sample"
                ),
                "let sensitivity, specificity or the AUC be primary, and this one secondary",
            );
        }
    }

    /// What the endpoints leave open together.
    fn together(&mut self) {
        let endpoints = &self.protocol.endpoints;
        let judged = |metric: Metric| endpoints.iter().any(|e| e.metric == metric && e.criterion.is_some());
        let both =
            judged(Metric::BalancedAccuracy) || judged(Metric::Youden) || judged(Metric::DiagnosticOddsRatio);
        let first = |metric: Metric| {
            let goals = endpoints.iter().filter(|e| e.metric == metric).map(|e| e.id.as_str());
            let compared = self.protocol.comparisons.iter().filter(|e| e.metric == metric);
            goals.chain(compared.map(|e| e.id.as_str())).next().unwrap_or_default()
        };
        // What is compared is judged too: its margin is the goal.
        let compared = |metric: Metric| self.protocol.comparisons.iter().any(|e| e.metric == metric);
        let (sensitivity, specificity) = (
            judged(Metric::Sensitivity) || compared(Metric::Sensitivity),
            judged(Metric::Specificity) || compared(Metric::Specificity),
        );
        if sensitivity != specificity && !both {
            let (one, other) = if sensitivity {
                (Metric::Sensitivity, "specificity")
            } else {
                (Metric::Specificity, "sensitivity")
            };
            let place = format!("{}.metric", self.endpoint_place(first(one)));
            self.asks(
                Code::EndpointOneSided,
                &place,
                format!("{} is judged and {other} is not: a threshold can buy one with the other", one.id()),
                format!("add an endpoint for {other} with a criterion"),
            );
        }
        let at_threshold = endpoints.iter().any(|e| e.metric.needs_threshold() && e.criterion.is_some())
            || self.protocol.comparisons.iter().any(|e| e.metric.needs_threshold());
        if !at_threshold {
            self.asks(
                Code::ThresholdUnjudged,
                "endpoint[1].metric",
                "no endpoint is judged at the operating point, at which the device is used",
                "add endpoints for sensitivity and specificity with a criterion",
            );
        }
    }
}
