//! `[planning]` and `[[expected]]`: what the size of a study rests on before there are data. Nothing here has
//! a part in a result or a verdict; the plan of the analysis is made from it, and documents print it.

use std::collections::BTreeSet;

use serde::Serialize;

use super::reader::Section;
use super::{Endpoint, Protocol};
use crate::diagnostic::{Code, Diagnostic};

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
        self.expected.iter().find(|expected| expected.endpoint == endpoint.id)
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
}

/// `[planning]` and `[[expected]]` as typed.
pub(super) fn planning(root: &Section, endpoints: &[Endpoint]) -> Planning {
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
        let known = endpoints.iter().any(|e| e.id == endpoint);
        if section.has("endpoint") && !known {
            let ids: Vec<&str> = endpoints.iter().map(|e| e.id.as_str()).collect();
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
            _ => {
                let message = "`range` is a lowest and a highest value between 0 and 1, with `value` in it";
                section.wrong("range", Code::ValueRange, message);
                (value, value)
            }
        });
        if range.is_none() && section.has("spread") {
            section.wrong("spread", Code::KeyMissing, "`spread` needs a `range`");
        }
        let spread = section.choice("spread", &Spread::NAMES, Spread::Triangular);
        let source = section.required_string("source");
        section.finish();
        planning.expected.push(Expected { endpoint, value, range, spread, source });
    }
    planning
}

impl Protocol {
    /// Share of positive cases that the sample is planned to have; `None` where nothing says so.
    pub fn planned_positive_share(&self) -> Option<f64> {
        let target = self.sample.target.as_ref();
        let typed = target.and_then(|t| Some(t.positives? as f64 / t.cases.max(1) as f64));
        typed.or(self.planning.positive_share).filter(|share| *share > 0.0 && *share < 1.0)
    }
}
