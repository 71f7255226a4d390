//! What a protocol can be expected to show before there are data: power, sizes, widths and assurance of its
//! endpoints, from what `[planning]` and `[[expected]]` declare. Nothing of this enters a result.

use serde::Serialize;

use crate::protocol::question::{Asked, Question};
use crate::protocol::{Expected, Protocol, Role, Spread};
use crate::statistics::sizing::{Uncertain, assurance};

/// Points of a curve of power against cases.
const POINTS: u64 = 80;

/// The plan of a study's size.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SizePlan {
    /// The probability asked for.
    pub power: f64,
    /// By which sizes for independent cases are multiplied.
    pub design_effect: f64,
    /// The sample as declared; `None`: every eligible case is taken, and nobody knows how many.
    pub planned: Option<PlannedSize>,
    /// Share of positive cases; `None`: nothing says so.
    pub positive_share: Option<f64>,
    /// One entry an endpoint, in their order.
    pub endpoints: Vec<PlannedEndpoint>,
    /// One entry an endpoint that is compared, in their order. Values are the device's, intervals those of
    /// the difference.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub comparisons: Vec<PlannedEndpoint>,
    /// All primary criteria together, where each one's power is known.
    pub together: Option<Together>,
}

/// How many cases there will be.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct PlannedSize {
    /// Sampled.
    pub cases: u64,
    /// With a score and a reference standard.
    pub usable: f64,
    /// Usable positive and negative cases, where the share of positives is known.
    pub positives: Option<f64>,
    /// Those without the finding.
    pub negatives: Option<f64>,
}

/// The power to meet every primary criterion.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Together {
    /// Whatever they have to do with each other (Bonferroni's inequality).
    pub at_least: f64,
    /// If they had nothing to do with each other.
    pub if_independent: f64,
}

/// What is planned of one endpoint.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PlannedEndpoint {
    /// Its id.
    pub endpoint: String,
    /// The two-sided level at which its criterion is judged.
    pub level: f64,
    /// What is expected of it.
    pub expected: Option<Expected>,
    /// What can be said.
    pub prospect: Prospect,
    /// At the planned size, where the value is what is expected.
    pub at_planned: Option<AtPlanned>,
    /// Sampled cases for the probability asked for.
    pub cases_needed: Option<u64>,
    /// Power at the planned size for several true values, whatever is expected.
    pub what_if: Vec<WhatIf>,
    /// Power against sampled cases.
    pub curve: Vec<CurvePoint>,
}

/// What can be said of the chance of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Prospect {
    /// The planned size suffices.
    Enough,
    /// It does not.
    TooFew,
    /// The expected value does not satisfy the criterion: no number of cases makes it likely.
    CannotBeShown,
    /// Nothing is expected of it, or how many cases there will be is not said.
    NotDeclared,
    /// There is no criterion to meet.
    NoCriterion,
    /// For this measure no power is computed here.
    NotComputed,
}

/// An endpoint at the planned size.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct AtPlanned {
    /// Cases that count for it, after the design effect.
    pub effective: f64,
    /// The probability that the criterion is met.
    pub power: f64,
    /// The same as the sum over every table, where `power` is the normal approximation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exact_power: Option<f64>,
    /// That probability averaged over the range that is thought possible.
    pub assurance: Option<f64>,
    /// The interval that is to be expected.
    pub interval: (f64, f64),
    /// The smallest true value (the largest, for an upper bound) that is shown with the probability asked
    /// for.
    pub shown_from: Option<f64>,
}

/// Power if the true value were this.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct WhatIf {
    /// The true value.
    pub value: f64,
    /// The power.
    pub power: f64,
}

/// A point of a curve.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct CurvePoint {
    /// Sampled cases.
    pub cases: u64,
    /// Power at the expected value.
    pub power: f64,
    /// At both ends of its range.
    pub at_ends: Option<(f64, f64)>,
}

/// The plan of a protocol's size.
pub fn size_plan(protocol: &Protocol) -> SizePlan {
    let planning = &protocol.planning;
    let share = protocol.planned_positive_share();
    let planned = protocol.sample.target.as_ref().map(|target| {
        let usable = target.cases as f64 * (1.0 - planning.unusable);
        PlannedSize {
            cases: target.cases,
            usable,
            positives: share.map(|share| usable * share),
            negatives: share.map(|share| usable * (1.0 - share)),
        }
    });
    let of_goal = |endpoint| planned_endpoint(protocol, Declared::of(endpoint), &protocol.question(endpoint));
    let endpoints: Vec<PlannedEndpoint> = protocol.endpoints.iter().map(of_goal).collect();
    let comparisons: Vec<PlannedEndpoint> = protocol
        .comparisons
        .iter()
        .map(|endpoint| {
            let asked = protocol.compared_question(endpoint, planning.of_id(&endpoint.id));
            planned_endpoint(protocol, Declared { id: &endpoint.id, role: endpoint.role }, &asked)
        })
        .collect();
    let primary = protocol.endpoints.iter().zip(&endpoints).filter(|(e, _)| e.role == Role::Primary);
    let compared = protocol.comparisons.iter().zip(&comparisons).filter(|(e, _)| e.role == Role::Primary);
    let deciding = primary.map(|(_, planned)| planned).chain(compared.map(|(_, planned)| planned));
    let powers: Option<Vec<f64>> = deciding.map(|planned| Some(planned.at_planned?.power)).collect();
    let together = powers.filter(|powers| powers.len() > 1).map(|powers| Together {
        at_least: (1.0 - powers.iter().map(|power| 1.0 - power).sum::<f64>()).max(0.0),
        if_independent: powers.iter().product(),
    });
    let design_effect = protocol.planned_design_effect();
    SizePlan {
        power: planning.power,
        design_effect,
        planned,
        positive_share: share,
        endpoints,
        comparisons,
        together,
    }
}

/// An endpoint as far as a plan needs it, whether it has a goal or is compared.
#[derive(Clone, Copy)]
struct Declared<'a> {
    id: &'a str,
    role: Role,
}

impl<'a> Declared<'a> {
    fn of(endpoint: &'a crate::protocol::Endpoint) -> Self {
        Self { id: &endpoint.id, role: endpoint.role }
    }
}

fn planned_endpoint<Q: Question>(
    protocol: &Protocol,
    endpoint: Declared<'_>,
    asked: &Asked<Q>,
) -> PlannedEndpoint {
    let planning = &protocol.planning;
    let mut planned = PlannedEndpoint {
        endpoint: endpoint.id.to_owned(),
        level: protocol.planned_level(endpoint.role),
        expected: planning.of_id(endpoint.id).cloned(),
        prospect: Prospect::NotDeclared,
        at_planned: None,
        cases_needed: None,
        what_if: Vec::new(),
        curve: Vec::new(),
    };
    let question = match asked {
        Asked::Question(question) => question,
        Asked::NoCriterion => return PlannedEndpoint { prospect: Prospect::NoCriterion, ..planned },
        Asked::NotComputed => return PlannedEndpoint { prospect: Prospect::NotComputed, ..planned },
        Asked::NotDeclared => return planned,
    };
    let cases = protocol.sample.target.as_ref().map(|target| target.cases as f64);
    if let Some(cases) = cases {
        let what_if = question.values().into_iter();
        planned.what_if =
            what_if.map(|value| WhatIf { value, power: question.power(value, cases) }).collect();
    }
    if let Some(expected) = planned.expected.clone() {
        answer(question, &expected, cases, planning.power, &mut planned);
    }
    planned
}

/// Everything that follows from an expectation.
fn answer(
    question: &impl Question,
    expected: &Expected,
    cases: Option<f64>,
    power: f64,
    planned: &mut PlannedEndpoint,
) {
    let value = expected.value;
    let can_be_shown = question.satisfies(value);
    if can_be_shown {
        planned.cases_needed = question.needed(value, power);
    }
    planned.at_planned = cases.map(|cases| AtPlanned {
        effective: question.counted(cases),
        power: question.power(value, cases),
        exact_power: question.exact_power(value, cases),
        assurance: uncertain(expected)
            .and_then(|over| assurance(over, |value| Some(question.power(value, cases)))),
        interval: question.interval(value, cases),
        shown_from: question.shown_from(cases, power),
    });
    planned.prospect = match planned.at_planned {
        _ if !can_be_shown => Prospect::CannotBeShown,
        Some(at) if at.exact_power.unwrap_or(at.power) >= power => Prospect::Enough,
        Some(_) => Prospect::TooFew,
        None => Prospect::NotDeclared,
    };
    let needed = planned.cases_needed.map_or(0.0, |needed| needed as f64).min(50_000.0);
    let last = (needed * 1.6).max(cases.unwrap_or(0.0) * 1.5).max(100.0);
    planned.curve = (1..=POINTS)
        .map(|index| {
            let cases = (last * index as f64 / POINTS as f64).round();
            CurvePoint {
                cases: cases as u64,
                power: question.power(value, cases),
                at_ends: expected
                    .range
                    .map(|(low, high)| (question.power(low, cases), question.power(high, cases))),
            }
        })
        .collect();
}

/// The range of an expectation as a distribution.
fn uncertain(expected: &Expected) -> Option<Uncertain> {
    let (low, high) = expected.range?;
    Some(match expected.spread {
        Spread::Uniform => Uncertain::Uniform { low, high },
        Spread::Triangular => Uncertain::Triangular { low, mode: expected.value, high },
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::statistics::design::{AucVariance, Size, auc_bound_power, binomial_power, binomial_size};

    const VARIANCE: AucVariance = AucVariance::HanleyMcneil;

    const TEXT: &str = include_str!("../../protocols/pneumonia-exp2a.toml");

    fn plan(more: &str) -> SizePlan {
        size_plan(&crate::protocol::parse(Path::new("p"), &format!("{TEXT}\n{more}")).expect("valid"))
    }

    fn expected(endpoint: &str, value: f64, more: &str) -> String {
        format!("[[expected]]\nendpoint = \"{endpoint}\"\nvalue = {value}\nsource = \"a pilot\"\n{more}\n")
    }

    #[test]
    fn what_the_source_project_expected_cannot_be_shown() {
        // An AUC of .6736 and a bound above .80.
        let plan = plan(&expected("auc", 0.6736, ""));
        let auc = &plan.endpoints[0];
        assert_eq!((auc.prospect, auc.cases_needed), (Prospect::CannotBeShown, None));
        assert!(auc.at_planned.expect("planned").power < 1e-6);
        assert!(auc.curve.iter().all(|point| point.power < 0.025), "more cases do not help");
        assert_eq!(plan.endpoints[1].prospect, Prospect::NotDeclared);
        assert_eq!(plan.endpoints[3].prospect, Prospect::NotDeclared, "F1");
    }

    #[test]
    fn an_f1_needs_the_specificity_that_goes_with_it() {
        let with = plan;
        let f1 = |plan: &SizePlan| PlannedEndpoint { expected: None, ..plan.endpoints[3].clone() };
        let alone = f1(&with(&expected("f1", 0.82, "")));
        assert_eq!((alone.prospect, alone.at_planned), (Prospect::NotDeclared, None));
        let beside = f1(&with(&expected("f1", 0.82, "specificity = 0.85")));
        let elsewhere = with(&format!("{}{}", expected("f1", 0.82, ""), expected("specificity", 0.85, "")));
        assert_eq!(beside, f1(&elsewhere), "declared with it, or with the endpoint that measures it");
        let at = beside.at_planned.expect("planned");
        assert!(beside.prospect == Prospect::Enough && at.power > 0.99, "{beside:?}");
        assert!(at.interval.0 < 0.82 && 0.82 < at.interval.1);
        let shown = at.shown_from.expect("a value");
        assert!((0.75..0.82).contains(&shown));
        let just = f1(&with(&expected("f1", shown, "specificity = 0.85")));
        assert!((just.at_planned.expect("planned").power - 0.9).abs() < 1e-6, "the power that is asked for");
        assert!(just.cases_needed.is_some_and(|cases| cases.abs_diff(1000) <= 1), "{:?}", just.cases_needed);
        // No sensitivity gives this value with so low a specificity.
        let impossible = f1(&with(&expected("f1", 0.95, "specificity = 0.3")));
        assert_eq!(impossible.at_planned.expect("planned").power, 0.0);
        let wrong = format!("{TEXT}\n{}", expected("f1", 0.82, "sensitivity = 0.8"));
        let error = crate::protocol::parse(Path::new("p"), &wrong).expect_err("of a PPV alone");
        assert_eq!(error[0].code.as_str(), "endpoint-keys");
    }

    #[test]
    fn power_and_size_are_those_of_the_design_commands() {
        let plan = plan(&format!("{}{}", expected("auc", 0.85, ""), expected("sensitivity", 0.85, "")));
        let [auc, sensitivity, ..] = &plan.endpoints[..] else { panic!("endpoints") };
        let each = Size { positives: 500.0, negatives: 500.0 };
        let power = auc_bound_power(VARIANCE, 0.85, 0.8, each, 0.95).expect("power");
        assert_eq!((auc.at_planned.expect("planned").power, auc.prospect), (power, Prospect::Enough));
        let at = sensitivity.at_planned.expect("planned");
        assert_eq!((at.power, at.effective), (binomial_power(500, 0.8, 0.85, 0.025), 500.0));
        assert_eq!(sensitivity.prospect, Prospect::TooFew);
        let stable = binomial_size(0.8, 0.85, 0.025, 0.9).expect("size").stable;
        assert_eq!(sensitivity.cases_needed, Some(2 * stable));
    }

    #[test]
    fn clusters_unusable_cases_and_uncertainty_cost_power() {
        let plain = plan(&expected("sensitivity", 0.86, ""));
        let power = |plan: &SizePlan| plan.endpoints[1].at_planned.expect("planned").power;
        for planning in ["images_per_patient = 2\nicc = 0.5", "unusable = 0.2"] {
            let costs = plan(&format!("[planning]\n{planning}\n{}", expected("sensitivity", 0.86, "")));
            assert!(power(&costs) < power(&plain) - 0.01, "{planning}");
            assert!(costs.endpoints[1].cases_needed > plain.endpoints[1].cases_needed, "{planning}");
        }
        let range = plan(&expected("sensitivity", 0.86, "range = [0.78, 0.9]\nspread = \"uniform\""));
        let at = range.endpoints[1].at_planned.expect("planned");
        assert!(at.assurance.expect("an assurance") < at.power);
    }

    #[test]
    fn an_upper_bound_is_a_lower_bound_of_the_opposite() {
        let lower = plan(&expected("sensitivity", 0.85, ""));
        let text = TEXT.replace("criterion = \"lower > 0.80\"", "criterion = \"upper < 0.20\"");
        let text = text.replacen("criterion = \"upper < 0.20\"", "criterion = \"lower > 0.80\"", 1);
        let text = format!("{text}\n{}", expected("sensitivity", 0.15, ""));
        let upper = size_plan(&crate::protocol::parse(Path::new("p"), &text).expect("valid"));
        let (a, b) = (&lower.endpoints[1], &upper.endpoints[1]);
        assert_eq!((a.prospect, a.cases_needed), (b.prospect, b.cases_needed));
        let (a, b) = (a.at_planned.expect("planned"), b.at_planned.expect("planned"));
        assert!((a.power - b.power).abs() < 1e-9);
        assert!((a.shown_from.expect("a value") + b.shown_from.expect("a value") - 1.0).abs() < 1e-9);
    }
}
