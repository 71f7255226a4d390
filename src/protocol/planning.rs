//! `[planning]` and `[[expected]]`: what the size of a study rests on before there are data. Nothing here has
//! a part in a result or a verdict; the plan of the analysis is made from it, and documents print it.

use std::collections::BTreeSet;

use serde::Serialize;

use super::{ComparativeEndpoint, Endpoint, Protocol};
use crate::declared::Section;
use crate::diagnostic::{Code, Diagnostic};
use crate::statistics::metric::Metric;
use crate::statistics::sizing::PairedShares;

/// What is assumed about a study before there are data.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Planning {
    /// The probability with which each endpoint is to be met where the device is as expected.
    pub power: f64,
    /// Mean number of sampled images a patient.
    pub images_per_patient: f64,
    /// Coefficient of variation of that number.
    pub images_per_patient_cv: f64,
    /// Correlation of two images of one patient.
    pub icc: f64,
    /// Share of positive cases in the sample; where `sample.positives` says how many, it need not be said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub positive_share: Option<f64>,
    /// Share of sampled cases that will be without a score or a reference standard.
    pub unusable: f64,
    /// Expected performance, at most one entry an endpoint.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub expected: Vec<Expected>,
}

impl Default for Planning {
    fn default() -> Self {
        Self {
            power: 0.9,
            images_per_patient: 1.0,
            images_per_patient_cv: 0.0,
            icc: 0.0,
            positive_share: None,
            unusable: 0.0,
            expected: Vec::new(),
        }
    }
}

impl Planning {
    /// Whether nothing was declared.
    pub fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// What is expected of an endpoint.
    pub fn of(&self, endpoint: &Endpoint) -> Option<&Expected> {
        self.of_id(&endpoint.id)
    }

    /// What is expected of the endpoint with this id, whether it has a goal or is compared.
    pub fn of_id(&self, id: &str) -> Option<&Expected> {
        self.expected.iter().find(|expected| expected.endpoint == id)
    }
}

/// How an uncertain expectation is spread over its range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Spread {
    /// Most likely the value, and less so towards both ends.
    Triangular,
    /// Every value of the range as likely as any other.
    Uniform,
}

impl Spread {
    /// Both with the names that protocols use.
    pub const NAMES: [(&'static str, Self); 2] =
        [("triangular", Self::Triangular), ("uniform", Self::Uniform)];

    /// The name in protocols.
    pub fn name(self) -> &'static str {
        match self {
            Self::Triangular => "triangular",
            Self::Uniform => "uniform",
        }
    }
}

/// What is expected of one endpoint.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Expected {
    /// The endpoint's id.
    pub endpoint: String,
    /// The value that is thought most likely.
    pub value: f64,
    /// The lowest and the highest that is thought possible, where it is uncertain.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub range: Option<(f64, f64)>,
    /// How it is spread over the range.
    pub spread: Spread,
    /// Where the expectation comes from, in words.
    pub source: String,
    /// What the device is compared with: its value; there where the endpoint has `against`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comparator: Option<f64>,
    /// Sensitivity and specificity: share of the cases that count in which exactly one of both is right.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discordant: Option<f64>,
    /// AUC: correlation of the two estimates.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub correlation: Option<f64>,
    /// PPV: the sensitivity that is expected with it. Without it what is expected of the endpoint with that
    /// metric.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sensitivity: Option<f64>,
    /// NPV and F1: the specificity, in the same way.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub specificity: Option<f64>,
}

/// `[planning]` and `[[expected]]` as typed.
pub(super) fn planning(
    root: &Section,
    endpoints: &[Endpoint],
    comparisons: &[ComparativeEndpoint],
) -> Planning {
    let section = root.section("planning");
    let default = Planning::default();
    let mut planning = Planning {
        power: section
            .number_in("power", "0.5 to 0.999", |p| (0.5..=0.999).contains(&p))
            .unwrap_or(default.power),
        images_per_patient: section
            .number_in("images_per_patient", "1 to 1000", |n| (1.0..=1000.0).contains(&n))
            .unwrap_or(default.images_per_patient),
        images_per_patient_cv: section
            .number_in("images_per_patient_cv", "0 to 10", |cv| (0.0..=10.0).contains(&cv))
            .unwrap_or(default.images_per_patient_cv),
        icc: section.number_in("icc", "0 to 1", |rho| (0.0..=1.0).contains(&rho)).unwrap_or(default.icc),
        positive_share: section
            .number_in("positive_share", "between 0 and 1, both excluded", |p| p > 0.0 && p < 1.0),
        unusable: section
            .number_in("unusable", "0 to below 1", |p| (0.0..1.0).contains(&p))
            .unwrap_or(default.unusable),
        expected: Vec::new(),
    };
    section.finish();
    let mut seen = BTreeSet::new();
    for section in root.sections("expected") {
        let inside = |p: f64| p > 0.0 && p < 1.0;
        let endpoint = section.required_string("endpoint");
        let compared = comparisons.iter().find(|e| e.id == endpoint);
        let known = compared.is_some() || endpoints.iter().any(|e| e.id == endpoint);
        if section.has("endpoint") && !known {
            let ids = endpoints.iter().map(|e| e.id.as_str());
            let ids: Vec<&str> = ids.chain(comparisons.iter().map(|e| e.id.as_str())).collect();
            section.report(
                Diagnostic::error(Code::ExpectedEndpoint, format!("no endpoint has the id `{endpoint}`"))
                    .at(section.at("endpoint"))
                    .hint(format!("endpoints are {}", ids.join(", "))),
            );
        } else if !seen.insert(endpoint.clone()) {
            let message = format!("the endpoint `{endpoint}` has two expectations");
            section.wrong("endpoint", Code::DuplicateId, message);
        }
        if !section.has("value") {
            section.wrong("endpoint", Code::KeyMissing, "an expectation needs a `value` between 0 and 1");
        }
        let value = section.number_in("value", "between 0 and 1, both excluded", inside).unwrap_or(0.5);
        let range = section.numbers("range").map(|range| match range[..] {
            [low, high] if inside(low) && inside(high) && low < high && (low..=high).contains(&value) => {
                (low, high)
            }
            _ if section.faulty(&["value"]) => (value, value),
            _ => {
                let message = "`range` is a lowest and a highest value between 0 and 1, with `value` in it";
                section.wrong("range", Code::ValueRange, message);
                (value, value)
            }
        });
        if !section.has("range") && section.has("spread") {
            section.wrong("spread", Code::KeyMissing, "`spread` needs a `range`");
        }
        let spread = section.choice("spread", &Spread::NAMES, Spread::Triangular);
        let source = section.required_string("source");
        let beside = beside(&section, value, compared, known);
        let metric = endpoints.iter().find(|e| e.id == endpoint).map(|e| e.metric);
        let [sensitivity, specificity] = rates(&section, metric, known);
        section.finish();
        let rates = Expected { sensitivity, specificity, ..beside };
        planning.expected.push(Expected { endpoint, value, range, spread, source, ..rates });
    }
    planning
}

/// The other rate that a PPV, an NPV or an F1 rests on.
fn rates(section: &Section, metric: Option<Metric>, known: bool) -> [Option<f64>; 2] {
    ["sensitivity", "specificity"].map(|key| {
        let rate = section.number_in(key, "between 0 and 1, both excluded", |p| p > 0.0 && p < 1.0);
        let of = match metric {
            Some(Metric::Ppv) => "sensitivity",
            Some(Metric::Npv | Metric::F1) => "specificity",
            _ => "",
        };
        if known && section.has(key) && key != of {
            let message =
                "`sensitivity` is expected beside a PPV, `specificity` beside an NPV or an F1 with a goal";
            section.wrong(key, Code::EndpointKeys, message);
        }
        rate
    })
}

/// What is expected of what the device is compared with, and how far both go together; the other fields are
/// empty.
fn beside(section: &Section, value: f64, compared: Option<&ComparativeEndpoint>, known: bool) -> Expected {
    let inside = |p: f64| p > 0.0 && p < 1.0;
    let found = Expected {
        endpoint: String::new(),
        value,
        range: None,
        spread: Spread::Triangular,
        source: String::new(),
        comparator: section.number_in("comparator", "between 0 and 1, both excluded", inside),
        discordant: section.number_in("discordant", "above 0 and at most 1", |d| d > 0.0 && d <= 1.0),
        correlation: section.number_in("correlation", "0 to below 1", |r| (0.0..1.0).contains(&r)),
        sensitivity: None,
        specificity: None,
    };
    let Some(endpoint) = compared else {
        for key in ["comparator", "discordant", "correlation"].into_iter().filter(|k| known && section.has(k))
        {
            let message =
                format!("`{key}` is of an endpoint with `against`, and this one is judged by a goal");
            section.wrong(key, Code::EndpointKeys, message);
        }
        return found;
    };
    if !section.has("comparator") {
        let message = "an expectation of a comparison needs the `comparator`'s value too";
        section.wrong("endpoint", Code::KeyMissing, message);
    }
    let of_class = matches!(endpoint.metric, Metric::Sensitivity | Metric::Specificity);
    if section.has("discordant") && !of_class {
        let message =
            "`discordant` is of sensitivities and specificities: cases in which one of both is right";
        section.wrong("discordant", Code::EndpointKeys, message);
    } else if let (Some(discordant), Some(other)) = (found.discordant, found.comparator)
        && !section.faulty(&["value"])
        && PairedShares::new(value, other, discordant).is_none()
    {
        let message = format!(
            "no cases are right with {value} and {other}, and by exactly one of both in {discordant}: that \
             share lies between {:.4} and {:.4}",
            (value - other).abs(),
            (value + other).min(2.0 - value - other)
        );
        section.wrong("discordant", Code::ValueRange, message);
    }
    if section.has("correlation") && endpoint.metric != Metric::Auc {
        let message = "`correlation` is of two AUCs: that of both estimates";
        section.wrong("correlation", Code::EndpointKeys, message);
    }
    found
}

impl Protocol {
    /// Share of positive cases that the sample is planned to have; `None` where nothing says so.
    pub fn planned_positive_share(&self) -> Option<f64> {
        let target = self.sample.target.as_ref();
        let typed = target.and_then(|t| Some(t.positives? as f64 / t.cases.max(1) as f64));
        typed.or(self.planning.positive_share).filter(|share| *share > 0.0 && *share < 1.0)
    }
}
