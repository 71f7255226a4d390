//! The plan in words: hypotheses, what a planned size can and cannot show, and what the protocol declares.

use serde_json::{Value as Json, json};

use crate::document::format::{self, Style};
use crate::document::text;
use crate::protocol::{
    AcceptanceCriterion, Bound, ConsensusRule, Endpoint, OperatingPointSource, Protocol, Role,
};
use crate::report::wording;
use crate::statistics::multiplicity::Multiplicity;
use crate::study::planning::{PlannedEndpoint, Prospect, SizePlan};
use crate::study::results::Rules;

/// Whether an endpoint is one of those that decide.
pub fn is_judged(endpoint: &Endpoint) -> bool {
    endpoint.role == Role::Primary && endpoint.criterion.is_some()
}

/// A value of an endpoint as documents write it.
pub fn value(endpoint: &Endpoint, value: f64) -> String {
    format::number(value, wording::style_of(endpoint.metric.id(), false))
}

/// The goal, with as many decimals as it was typed with where those are more than the usual ones; plans of
/// bundles of versions before 1.1 have it rounded.
fn goal(endpoint: &Endpoint, criterion: &AcceptanceCriterion, rules: Rules) -> String {
    match rules {
        Rules::First => value(endpoint, criterion.goal),
        Rules::Current => format::exactly(criterion.goal, wording::style_of(endpoint.metric.id(), false)),
    }
}

/// Null and alternative in symbols.
pub fn symbols(endpoint: &Endpoint, rules: Rules) -> Option<[String; 2]> {
    let criterion = endpoint.criterion.as_ref()?;
    let (name, goal) = (wording::metric(endpoint.metric.id()), goal(endpoint, criterion, rules));
    let (null, alternative) = match criterion.bound {
        Bound::Lower => ("\u{2264}", ">"),
        Bound::Upper => ("\u{2265}", "<"),
    };
    Some([format!("{name} {null} {goal}"), format!("{name} {alternative} {goal}")])
}

/// One endpoint's hypotheses in words, and when the null hypothesis is rejected.
/// With a rule of multiplicity that decides about all endpoints together (`family`), an interval alone does
/// not decide.
pub fn hypothesis(endpoint: &Endpoint, planned: &PlannedEndpoint, family: bool, rules: Rules) -> Json {
    let name = text::within(&wording::metric(endpoint.metric.id()));
    let Some(criterion) = &endpoint.criterion else {
        let text = format!("The {name} is estimated with its interval. No hypothesis is tested.");
        let (id, estimator) = (&endpoint.id, estimator(endpoint));
        return json!({"id": id, "role": endpoint.role, "text": text, "estimator": estimator});
    };
    let goal = goal(endpoint, criterion, rules);
    let (null, alternative, limit, side) = match criterion.bound {
        Bound::Lower => ("or less", "above", "lower", if criterion.strict { "above" } else { "at or above" }),
        Bound::Upper => ("or more", "below", "upper", if criterion.strict { "below" } else { "at or below" }),
    };
    let method = endpoint.interval.describe(endpoint.metric.quantity());
    let (level, alpha) = (format::level(planned.level), alpha(planned.level));
    let decides = if family {
        format!(
            "The p value is the least one-sided error at which the {limit} limit of the two-sided interval \
             ({method}) lies {side} {goal}. The null hypothesis is rejected where the p value, adjusted by \
             the rule of multiplicity, is at most {alpha}, the one-sided error that all of them share."
        )
    } else {
        format!(
            "The null hypothesis is rejected where the {limit} limit of the two-sided {level} interval \
             ({method}) lies {side} {goal}. That is a test at a one-sided level of {alpha}."
        )
    };
    let text = format!(
        "Null hypothesis: the {name} of the device is {goal} {null}. Alternative: it is {alternative} \
         {goal}. {decides}"
    );
    let (id, estimator) = (&endpoint.id, estimator(endpoint));
    json!({"id": id, "role": endpoint.role, "text": text, "estimator": estimator})
}

/// How each measure is estimated.
pub fn estimator(endpoint: &Endpoint) -> &'static str {
    use crate::statistics::metric::Metric as M;
    match endpoint.metric {
        M::Auc => "share of pairs in which the positive case scores higher, ties half (Mann and Whitney)",
        M::AveragePrecision => "area under the steps of precision over recall",
        M::Sensitivity => "true positives / positive cases",
        M::Specificity => "true negatives / negative cases",
        M::Ppv => "true positives / cases that are called positive",
        M::Npv => "true negatives / cases that are called negative",
        M::Accuracy => "cases that are called right / all cases",
        M::F1 => "harmonic mean of sensitivity and predictive value",
        M::BalancedAccuracy => "mean of sensitivity and specificity",
        M::Youden => "sensitivity + specificity \u{2212} one",
        M::Mcc => "correlation of call and reference standard",
        M::LrPositive => "sensitivity / (one \u{2212} specificity)",
        M::LrNegative => "(one \u{2212} sensitivity) / specificity",
        M::DiagnosticOddsRatio => "odds of a positive call in positive / in negative cases",
        _ => "as the program's documentation of statistics defines it",
    }
}

/// The one-sided level of a bound of a two-sided interval.
pub fn alpha(level: f64) -> String {
    let percent = format!("{:.4}", (1.0 - level) * 50.0);
    format!("{}%", percent.trim_end_matches('0').trim_end_matches('.'))
}

/// What the planned size can show of an endpoint, and what it cannot.
pub fn prospect(plan: &SizePlan, endpoint: &Endpoint, planned: &PlannedEndpoint, rules: Rules) -> Json {
    let name = text::within(&wording::metric(endpoint.metric.id()));
    let percent = |value: f64| format::number(value, Style::Percent);
    let cases = plan.planned.map(|p| format::count(p.cases)).unwrap_or_default();
    let needed = planned.cases_needed.map(format::count);
    let at_power = percent(plan.power);
    let text = match (&endpoint.criterion, &planned.expected) {
        (Some(criterion), Some(expected)) => {
            let (value, goal) = (value(endpoint, expected.value), goal(endpoint, criterion, rules));
            let power = planned.at_planned.map(|at| percent(at.power)).unwrap_or_default();
            let chance = match planned.at_planned.and_then(|at| at.assurance) {
                Some(chance) => format!(
                    " Over the range that is thought possible the probability is {} (assurance).",
                    percent(chance)
                ),
                None => String::new(),
            };
            let (bound, side) = match criterion.bound {
                Bound::Lower => ("lower", "above"),
                Bound::Upper => ("upper", "below"),
            };
            match planned.prospect {
                Prospect::Enough => format!(
                    "If the true value is {value}, {cases} sampled cases meet the criterion with a \
                     probability of {power}.{}{chance}",
                    needed.map_or_else(String::new, |n| format!(
                        " For a probability of {at_power}, {n} would do."
                    ))
                ),
                Prospect::TooFew => format!(
                    "If the true value is {value}, {cases} sampled cases meet the criterion with a \
                     probability of {power} only. {}{chance}",
                    needed.map_or_else(
                        || format!("No number of cases up to a million gives a probability of {at_power}."),
                        |n| format!("For a probability of {at_power}, {n} cases are needed.")
                    )
                ),
                Prospect::CannotBeShown => format!(
                    "{} {name} of {value} cannot show {} {bound} bound {side} {goal}. What is expected does \
                     not satisfy the criterion itself, so it is met by chance alone, with a probability of \
                     at most about {}, and more cases make that rarer{}. The goal, or the device, has to be \
                     another one.{chance}",
                    article(&name, true),
                    article(bound, false),
                    alpha(planned.level),
                    planned.at_planned.map_or_else(String::new, |at| {
                        format!(" ({} with {cases} cases)", format::number(at.power, Style::Percent))
                    }),
                ),
                Prospect::NotDeclared => match needed {
                    Some(needed) => format!(
                        "How many cases there will be is not declared. If the true value is {value}, the \
                         criterion is met with a probability of {at_power} by {needed} sampled cases."
                    ),
                    None if plan.positive_share.is_some() => format!(
                        "No {} is expected beside it, so nothing can be said: it goes with the value, and \
                         [[expected]] takes it.",
                        if endpoint.metric == crate::statistics::metric::Metric::Ppv {
                            "sensitivity"
                        } else {
                            "specificity"
                        }
                    ),
                    None => "The share of positive cases is not declared, so nothing can be said.".to_owned(),
                },
                Prospect::NotComputed => not_computed(&name),
                Prospect::NoCriterion => no_criterion(),
            }
        }
        (Some(_), None) if planned.prospect == Prospect::NotComputed => not_computed(&name),
        (Some(_), None) => "No expected value is declared, so no probability can be given for it.".to_owned(),
        (None, _) => no_criterion(),
    };
    json!({"id": endpoint.id, "text": text, "bad": planned.prospect == Prospect::CannotBeShown
        || planned.prospect == Prospect::TooFew})
}

fn not_computed(name: &str) -> String {
    format!(
        "No probability is computed for this measure ({name}): the size of the study is not planned for it."
    )
}

fn no_criterion() -> String {
    "It is reported with its interval, and nothing has to be met.".to_owned()
}

fn article(word: &str, capital: bool) -> &'static str {
    let vowel =
        word.starts_with(['A', 'E', 'I', 'O', 'U', 'a', 'e', 'i', 'o', 'u']) || word.starts_with("F1");
    match (vowel, capital) {
        (true, true) => "An",
        (true, false) => "an",
        (false, true) => "A",
        (false, false) => "a",
    }
}

/// How many endpoints the rule of multiplicity decides about: those of the family where one is declared,
/// else whatever has to be met.
pub fn criteria(protocol: &Protocol) -> usize {
    let judged = protocol.endpoints.iter().filter(|endpoint| is_judged(endpoint)).count();
    let compared = protocol.comparisons.iter().filter(|endpoint| endpoint.role == Role::Primary).count();
    protocol.family.as_ref().map_or(judged + compared, |family| family.endpoints.len())
}

/// What several primary endpoints mean.
pub fn multiplicity(protocol: &Protocol, criteria: usize) -> String {
    let level = format::level(protocol.analysis.criterion_level(criteria));
    let rule = protocol.analysis.multiplicity;
    if criteria < 2 {
        return "There is one primary criterion, so nothing has to be adjusted.".to_owned();
    }
    if rule == Multiplicity::CoPrimary {
        return format!(
            "Co-primary: all {criteria} criteria have to be met, each at the full level of {level} \
             (intersection-union test, Berger 1982). The chance of a false claim is at most that of one of \
             them; the chance to meet all is smaller than that of each."
        );
    }
    if rule == Multiplicity::Bonferroni {
        return format!(
            "Bonferroni: each of {criteria} claims stands by itself and is judged by its interval at level \
             {level}."
        );
    }
    format!("{}. The power given below is that of each criterion by itself.", wording::stepwise(rule))
}

/// How the reference standard comes about, in words.
pub fn reference(protocol: &Protocol) -> String {
    let rule = &protocol.reference_standard;
    let readers = rule.readers.map(|n| format!(" of {n} readers")).unwrap_or_default();
    match &rule.rule {
        ConsensusRule::Majority => format!("a majority{readers}"),
        ConsensusRule::Unanimous => format!("the unanimous answer{readers}"),
        ConsensusRule::KOfN { agreeing } => format!("{agreeing} agreeing reads{readers}"),
        ConsensusRule::Adjudicated { .. } => {
            format!("the answer{readers} where they agree, else an adjudicator's")
        }
        ConsensusRule::Panel => "the one label that a panel agreed on".to_owned(),
        ConsensusRule::Given(table) => format!("labels that were made elsewhere: {}", table.source),
    }
}

/// Where the scores come from, in words.
pub fn scores(protocol: &Protocol) -> &'static str {
    if protocol.scores.external {
        "of a device that scores elsewhere"
    } else {
        "of the model that is locked in this study"
    }
}

/// Where the operating point comes from, in words.
pub fn operating_point(protocol: &Protocol) -> String {
    match &protocol.operating_point {
        OperatingPointSource::Lock => "that of the locked model, fixed on tuning data".to_owned(),
        OperatingPointSource::Declared { threshold, rationale } => {
            format!("score \u{2265} {}, declared beforehand: {rationale}", format::threshold(*threshold))
        }
        OperatingPointSource::Tuning { rule, .. } => {
            format!("chosen on scored cases of patients outside the study: {}", rule.describe())
        }
    }
}

/// Which images the device accepts, in words; nothing where the protocol declares no gate.
pub fn gate(protocol: &Protocol) -> Option<String> {
    let gate = &protocol.gate;
    let list = |name: &str, values: &Option<Vec<String>>| {
        values.as_ref().map(|values| format!("{name} {}", values.join(", ")))
    };
    let age = gate.age_years.map(|age| format!("{} to {} years", age.min, age.max));
    let parts: Vec<String> =
        [list("modality", &gate.modality), list("body part", &gate.body_part), list("view", &gate.view), age]
            .into_iter()
            .flatten()
            .collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}
