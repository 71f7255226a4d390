//! `[[endpoint]]` with `against`, and `[predicate]`: what the device is compared with on the same cases, what
//! is to be shown, by which margin and why that margin.

use serde::{Deserialize, Serialize};

use super::Role;
use crate::declared::Section;
use crate::diagnostic::{Code, Diagnostic};
use crate::digest::RelativePath;
use crate::statistics::comparative::{Aim, deciding::PAIRED};
use crate::statistics::estimate::{IntervalMethod, ResamplingUnit};
use crate::statistics::metric::{Fallback, Metric};

/// Metrics that can be compared, in this order.
pub const COMPARABLE: [Metric; 7] = [
    Metric::Auc,
    Metric::PartialAuc,
    Metric::Sensitivity,
    Metric::Specificity,
    Metric::Ppv,
    Metric::Npv,
    Metric::F1,
];

/// What the device is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Against {
    /// The predicate, or an earlier version: its scores or answers on the same cases.
    Predicate,
    /// The mean of the readers of role `comparison`.
    ComparisonReaders,
    /// The reader study's readers without the device, beside the same or other readers with it.
    UnaidedReaders,
    /// The mean of the reader study's readers without the device, beside the device alone.
    ReaderPopulation,
}

impl Against {
    /// All with their names in protocols.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("predicate", Self::Predicate),
        ("comparison-readers", Self::ComparisonReaders),
        ("unaided-readers", Self::UnaidedReaders),
        ("reader-population", Self::ReaderPopulation),
    ];

    /// Whether it is judged by the ratings of `[reader_study]`.
    pub fn is_reader_study(self) -> bool {
        matches!(self, Self::UnaidedReaders | Self::ReaderPopulation)
    }

    /// Whether the metric can be compared with it at all.
    pub fn compares(self, metric: Metric) -> bool {
        match self {
            Self::Predicate => COMPARABLE.contains(&metric),
            Self::ComparisonReaders => {
                COMPARABLE.contains(&metric) && !matches!(metric, Metric::Auc | Metric::PartialAuc)
            }
            Self::UnaidedReaders | Self::ReaderPopulation => {
                matches!(metric, Metric::Auc | Metric::Sensitivity | Metric::Specificity)
            }
        }
    }

    /// Whether intervals of this metric and method exist against it. Where each case is a patient of its own
    /// or not is a matter of the cases.
    pub fn accepts(self, metric: Metric, method: IntervalMethod) -> bool {
        use IntervalMethod as By;
        let by_calls = method == By::Delta;
        match (self, metric) {
            _ if !self.compares(metric) => false,
            // The device's calls have no U-statistic with each reader's: its share is one for all of them.
            (Self::ReaderPopulation, Metric::Sensitivity | Metric::Specificity) => {
                method == By::ObuchowskiRockette
            }
            (Self::UnaidedReaders | Self::ReaderPopulation, _) => {
                matches!(method, By::ObuchowskiRockette | By::UStatistic)
            }
            (Self::ComparisonReaders, Metric::Auc | Metric::PartialAuc) => false,
            (Self::ComparisonReaders, _) => by_calls,
            (_, Metric::Auc) => matches!(method, By::Delong | By::Obuchowski) || method.draws_replicates(),
            (_, Metric::PartialAuc) => method.draws_replicates(),
            (_, Metric::Sensitivity | Metric::Specificity) => {
                by_calls || PAIRED.contains(&method) || method.draws_replicates()
            }
            _ => by_calls || method.draws_replicates(),
        }
    }
}

/// An endpoint on the difference of the device and what it is compared with.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ComparativeEndpoint {
    /// Unique id.
    pub id: String,
    /// The metric of both.
    pub metric: Metric,
    /// Role.
    pub role: Role,
    /// With what.
    pub against: Against,
    /// What is to be shown.
    pub aim: Aim,
    /// From 0 for superiority, else above 0; below 1.
    pub margin: f64,
    /// Why this margin; always there where the margin is above 0.
    pub justification: Option<String>,
    /// How its interval is computed; `None`: as fits the cases.
    pub interval: Option<IntervalMethod>,
    /// What decides where that interval is none.
    pub fallback: Fallback,
    /// PPV, NPV and F1: at this prevalence instead of the sample's.
    pub prevalence: Option<f64>,
    /// Partial AUC: up to this false positive rate.
    pub most_fpr: f64,
}

/// A margin of this size gives away half of what lies between a useless and a perfect device.
const HALF_OF_ALL: f64 = 0.25;

/// What is to be said of a margin by which a device may be worse, of what and in which metric, where it is
/// that wide.
pub(super) fn wide(of: &str, margin: f64, metric: &str) -> Option<Diagnostic> {
    (margin >= HALF_OF_ALL).then(|| {
        let message = format!(
            "`{of}` lets the device be worse by {margin}: half of what lies between a device without skill \
             and a perfect one, in {metric}"
        );
        Diagnostic::warning(Code::MarginWide, message)
            .hint("margins are a part of what the predicate is worth; 0.05 is five percentage points")
    })
}

/// The scores or answers of the predicate on the study's cases.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct PredicateSource {
    /// Its name and version, for documents.
    pub name: String,
    /// Relative to the data folder.
    pub file: RelativePath,
    /// Column of the case id.
    pub case_column: String,
    /// Where its scores or answers stand.
    pub output: PredicateOutput,
}

/// What the predicate gave.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind")]
pub enum PredicateOutput {
    /// Scores on any scale, higher meaning positive.
    Scores {
        /// Their column.
        column: String,
        /// It calls positive at or above this; `None`: no endpoint compares calls.
        threshold: Option<f64>,
    },
    /// Positive or negative alone.
    Answers {
        /// Their column.
        column: String,
    },
}

impl PredicateOutput {
    /// The column.
    pub fn column(&self) -> &str {
        match self {
            Self::Scores { column, .. } | Self::Answers { column } => column,
        }
    }
}

/// `[predicate]`, where it is; `file` has been read by the caller.
pub(super) fn predicate(section: Section, file: RelativePath) -> Option<PredicateSource> {
    if !section.is_present() {
        return None;
    }
    let name = section.required_string("name");
    let case_column = section.string("case_column").unwrap_or_else(|| "case_id".to_owned());
    let (score, answer) = (section.string("score_column"), section.string("answer_column"));
    let threshold = section.number("threshold");
    if answer.is_some() && (score.is_some() || threshold.is_some()) {
        section.wrong(
            "answer_column",
            Code::EndpointKeys,
            "the predicate gives either answers (`answer_column`) or scores (`score_column`, `threshold`)",
        );
    }
    let output = match answer {
        Some(column) => PredicateOutput::Answers { column },
        None => PredicateOutput::Scores { column: score.unwrap_or_else(|| "score".to_owned()), threshold },
    };
    section.finish();
    Some(PredicateSource { name, file, case_column, output })
}

/// An endpoint with `against`. The caller has read `id` and `role`.
pub(super) fn comparative(
    section: &Section,
    id: String,
    role: Role,
    unit: ResamplingUnit,
) -> ComparativeEndpoint {
    section.required_string("metric");
    let metric = section.choice("metric", &COMPARABLE.map(|m| (m.id(), m)), Metric::Auc);
    let against = section.choice("against", &Against::NAMES, Against::Predicate);
    section.required_string("aim");
    let aim = section.choice("aim", &Aim::NAMES, Aim::NonInferiority);
    let margin = margin(section, aim);
    let justification = section.string("justification").filter(|text| !text.trim().is_empty());
    if margin > 0.0 && justification.is_none() && !section.faulty(&["justification"]) {
        let message = "the margin has no clinical justification";
        section.report(
            Diagnostic::error(Code::JustificationMissing, message).at(section.at("margin")).hint(
                "add justification = \"...\": why a difference of this size does not matter clinically",
            ),
        );
    }
    if section.has("criterion") {
        section.wrong(
            "criterion",
            Code::EndpointKeys,
            "an endpoint with `against` is judged by `aim` and `margin`, and has no `criterion`",
        );
        section.string("criterion");
    }
    let known = !section.faulty(&["metric", "against"]);
    let comparable = against.compares(metric);
    if known && !comparable {
        let message = if against.is_reader_study() {
            format!("a reader study compares auc, sensitivity and specificity, and not `{}`", metric.id())
        } else {
            format!("readers give answers and no scores, so `{}` is not compared with theirs", metric.id())
        };
        section.wrong("metric", Code::EndpointKeys, message);
    }
    let methods: Vec<(&str, IntervalMethod)> = IntervalMethod::ALL
        .into_iter()
        .filter(|m| against.accepts(metric, *m) && m.exists_for(unit))
        .map(|m| (m.id(), m))
        .collect();
    // Which intervals there are, the metric says.
    let interval = (known && section.has("interval"))
        .then(|| section.choice("interval", &methods, IntervalMethod::Delta))
        .filter(|_| comparable);
    let fallback = section.choice("fallback", &Fallback::NAMES, Fallback::default());
    if against.is_reader_study() && section.has("fallback") {
        let message = "nothing stands in for the interval of a reader study: where it is none, the endpoint \
                       is not evaluable";
        section.wrong("fallback", Code::EndpointKeys, message);
    }
    let fallback = if against.is_reader_study() { Fallback::None } else { fallback };
    let inside = |p: f64| p > 0.0 && p < 1.0;
    let prevalence = section.number_in("prevalence", "between 0 and 1, both excluded", inside);
    if known && prevalence.is_some() && !matches!(metric, Metric::Ppv | Metric::Npv | Metric::F1) {
        let message = format!("`{}` does not depend on the prevalence", metric.id());
        section.wrong("prevalence", Code::EndpointKeys, message);
    }
    let most_fpr = section.number_in("max_fpr", "above 0 and at most 1", |r| r > 0.0 && r <= 1.0);
    if known && most_fpr.is_some() && metric != Metric::PartialAuc {
        section.wrong("max_fpr", Code::EndpointKeys, "only `partial_auc` ends at a false positive rate");
    }
    ComparativeEndpoint {
        id,
        metric,
        role,
        against,
        aim,
        margin,
        justification,
        interval,
        fallback,
        prevalence,
        most_fpr: most_fpr.unwrap_or(0.1),
    }
}

fn margin(section: &Section, aim: Aim) -> f64 {
    let wrong = |message: String, hint: &str| {
        section
            .report(Diagnostic::error(Code::Margin, message).at(section.at("margin")).hint(hint.to_owned()));
    };
    let hint = "a margin is given without a sign, in units of the metric: 0.05 is five percentage points";
    match (section.number("margin"), aim) {
        (None, Aim::Superiority) => 0.0,
        (None, _) => {
            if !section.has("margin") {
                wrong(format!("`{}` needs a `margin` above 0", aim.id()), hint);
            }
            0.0
        }
        (Some(margin), _) if margin < 0.0 => {
            wrong(format!("the margin {margin} has the wrong sign"), hint);
            0.0
        }
        (Some(margin), _) if margin >= 1.0 => {
            wrong(format!("the margin {margin} is no difference of two values in 0 to 1"), hint);
            0.0
        }
        (Some(0.0), Aim::NonInferiority | Aim::Equivalence) => {
            let word = aim.id();
            wrong(
                format!("with a margin of 0 nothing is shown by `{word}`"),
                "declare superiority, or a margin",
            );
            0.0
        }
        (Some(margin), _) => margin,
    }
}

/// Keys of a comparison on an endpoint that has no `against`.
pub(super) fn refuse_without_against(section: &Section) {
    for key in ["aim", "margin", "justification", "prevalence", "max_fpr"] {
        if section.has(key) {
            let message = format!("`{key}` needs `against`: an endpoint without it is judged by `criterion`");
            section.wrong(key, Code::EndpointKeys, message);
        }
    }
}

/// What is compared is declared, and what is declared is compared.
pub(super) fn check_comparators(
    root: &Section,
    comparisons: &[ComparativeEndpoint],
    predicate: Option<&PredicateSource>,
    has_comparison_readers: bool,
) {
    let wrong = |message: String, hint: &str| {
        let problem = Diagnostic::error(Code::ComparatorMissing, message);
        root.report(problem.at(root.at("endpoint")).hint(hint.to_owned()));
    };
    for endpoint in comparisons {
        let id = &endpoint.id;
        match endpoint.against {
            Against::ComparisonReaders if !has_comparison_readers => wrong(
                format!("`{id}` is compared with comparison readers, and no reader has that role"),
                "declare them: [[reader]] with role = \"comparison\"",
            ),
            Against::Predicate => {
                let Some(predicate) = predicate else {
                    wrong(
                        format!("`{id}` is compared with the predicate, and its scores are not declared"),
                        "add [predicate] with name, file, score_column and threshold (or answer_column)",
                    );
                    continue;
                };
                let by_scores = matches!(endpoint.metric, Metric::Auc | Metric::PartialAuc);
                match &predicate.output {
                    PredicateOutput::Answers { .. } if by_scores => wrong(
                        format!("`{id}` compares scores, and the predicate gives answers alone"),
                        "compare sensitivity and specificity, or declare its `score_column`",
                    ),
                    PredicateOutput::Scores { threshold: None, .. } if !by_scores => wrong(
                        format!("`{id}` compares calls, and the predicate has no threshold"),
                        "add `threshold` to [predicate], as the predicate is used",
                    ),
                    _ => {}
                }
            }
            Against::ComparisonReaders | Against::UnaidedReaders | Against::ReaderPopulation => {}
        }
    }
    if predicate.is_some() && !comparisons.iter().any(|e| e.against == Against::Predicate) {
        let problem = Diagnostic::error(
            Code::ComparatorMissing,
            "[predicate] is declared, and no endpoint is compared with it",
        );
        let hint = "add `against = \"predicate\"` to an endpoint, or remove [predicate]";
        root.report(problem.at(root.at("predicate")).hint(hint));
    }
}

#[cfg(test)]
mod tests;
