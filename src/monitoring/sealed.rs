//! What a plan is sealed with: the cohort that the device was validated on, and what follows from it.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::plan::{ChartPlan, InputKind, Measure, MonitoringPlan};
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::digest::Digest;
use crate::statistics::monitoring::{Sides, average_run_length};
use crate::table::Table;
use crate::table::cell::number;

/// Version of `seal.json`; a change of meaning raises the number.
pub const SEAL_FORMAT: &str = "sequester-monitoring-seal/1";

/// A case of the cohort: no id, only what batches are compared with.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct CohortCase {
    /// Cases of one patient have one number, from 1.
    pub patient: u64,
    /// The score; `None`: refused.
    pub score: Option<f64>,
    /// The reference standard, where there is one.
    pub label: Option<bool>,
    /// Cells of the declared columns, by their names in batches; empty ones are left out.
    pub inputs: BTreeMap<String, String>,
}

/// The cohort.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ValidationCohort {
    /// In the order of the study.
    pub cases: Vec<CohortCase>,
}

/// What a plan was sealed with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Seal {
    /// [`SEAL_FORMAT`].
    pub format: String,
    /// The plan's id.
    pub plan: String,
    /// Digest of the plan's bytes.
    pub plan_sha256: Digest,
    /// Which study validated the device.
    pub study: String,
    /// Its version.
    pub study_version: String,
    /// Root digest of its evidence.
    pub bundle_root: Digest,
    /// Digest of the model's lock; absent for a device that was scored elsewhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock_sha256: Option<Digest>,
    /// Positive at or above.
    pub threshold: f64,
    /// Digest of `cohort.csv`.
    pub cohort_sha256: Digest,
    /// The charts with what they start from.
    pub charts: Vec<SealedChart>,
}

/// A chart with its value in control.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SealedChart {
    /// As in the plan.
    pub id: String,
    /// As in the plan.
    pub measure: String,
    /// The value in control.
    pub in_control: f64,
    /// Mean score: the standard deviation of a score.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deviation: Option<f64>,
    /// Cases of the cohort that the value is of; absent where the plan declares it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cohort_cases: Option<u64>,
    /// In standard errors of a batch.
    pub reference_value: f64,
    /// In standard errors of a batch.
    pub limit: f64,
    /// Batches up to a false alarm, on average.
    pub run_length: f64,
    /// Batches up to an alarm, on average, after a shift of one standard error of a batch.
    pub run_length_after_one: f64,
    /// The same after a shift of two.
    pub run_length_after_two: f64,
}

const HEADER: [&str; 3] = ["patient", "score", "label"];

impl ValidationCohort {
    /// `cohort.csv`: patient, score, label, and the declared columns of the plan.
    pub fn to_bytes(&self, plan: &MonitoringPlan) -> Vec<u8> {
        let columns: Vec<&str> = plan.inputs.iter().map(|input| input.column.as_str()).collect();
        let mut writer = csv::Writer::from_writer(Vec::new());
        let header: Vec<String> = HEADER
            .iter()
            .map(|name| (*name).to_owned())
            .chain(columns.iter().map(|c| format!("input: {c}")))
            .collect();
        let mut written = writer.write_record(&header).is_ok();
        for case in &self.cases {
            let label = match case.label {
                Some(true) => "1",
                Some(false) => "0",
                None => "",
            };
            let score = case.score.map(|score| score.to_string()).unwrap_or_default();
            let cell = |column: &&str| case.inputs.get(*column).cloned().unwrap_or_default();
            let fixed = [case.patient.to_string(), score, label.to_owned()];
            let record: Vec<String> = fixed.into_iter().chain(columns.iter().map(cell)).collect();
            written &= writer.write_record(&record).is_ok();
        }
        debug_assert!(written, "memory takes every record of one width");
        writer.into_inner().unwrap_or_default()
    }

    /// Reads `cohort.csv`.
    ///
    /// # Errors
    /// What the table's reader refuses, and each cell that is none that [`ValidationCohort::to_bytes`]
    /// writes.
    pub fn parse(path: &Path, bytes: &[u8], plan: &MonitoringPlan) -> Result<Self, Vec<Diagnostic>> {
        let table = Table::parse(path, bytes)?;
        let place = |name: &str| table.required(name).map_err(|problem| vec![problem]);
        let [patient, score, label] = [place(HEADER[0])?, place(HEADER[1])?, place(HEADER[2])?];
        let mut inputs = Vec::new();
        for input in &plan.inputs {
            inputs.push((input.column.clone(), place(&format!("input: {}", input.column))?));
        }
        let (mut cases, mut problems) = (Vec::new(), Vec::new());
        for row in table.rows() {
            let cell = |at: usize| row.get(Some(at)).map(str::trim).filter(|text| !text.is_empty());
            let refused =
                |column: &str, text: &str| table.unreadable(column, text, "not as it was sealed", row.line);
            let patient = cell(patient).and_then(|text| text.parse().ok());
            let score_text = cell(score);
            let score = score_text.and_then(number);
            let label = match cell(label) {
                Some("1") => Some(true),
                Some("0") => Some(false),
                None => None,
                Some(other) => {
                    problems.push(refused(HEADER[2], other));
                    None
                }
            };
            if patient.is_none() || score.is_some() != score_text.is_some() {
                problems.push(refused(HEADER[1], score_text.unwrap_or_default()));
            }
            let inputs = inputs.iter().filter_map(|(name, at)| Some((name.clone(), cell(*at)?.to_owned())));
            cases.push(CohortCase { patient: patient.unwrap_or(0), score, label, inputs: inputs.collect() });
        }
        if problems.is_empty() { Ok(Self { cases }) } else { Err(problems) }
    }

    /// One case of each patient, the first: what is compared as independent.
    pub fn first_of_patients(&self) -> Vec<&CohortCase> {
        let mut seen = std::collections::BTreeSet::new();
        self.cases.iter().filter(|case| seen.insert(case.patient)).collect()
    }

    /// Values of a column of numbers.
    pub fn numbers(&self, column: &str) -> Vec<f64> {
        let of = self.first_of_patients().into_iter();
        of.filter_map(|case| number(case.inputs.get(column)?)).collect()
    }

    /// Counts of the words of a column.
    pub fn words(&self, column: &str) -> BTreeMap<String, u64> {
        let mut counts = BTreeMap::new();
        for case in self.first_of_patients() {
            if let Some(word) = case.inputs.get(column) {
                *counts.entry(word.clone()).or_default() += 1;
            }
        }
        counts
    }

    /// Scores, one of each patient.
    pub fn scores(&self) -> Vec<f64> {
        self.first_of_patients().into_iter().filter_map(|case| case.score).collect()
    }
}

/// A share or a mean of the cohort: value, standard deviation of one case, cases.
fn of_cohort(measure: Measure, cohort: &ValidationCohort, threshold: f64) -> (f64, f64, u64) {
    let cases = cohort.first_of_patients();
    let call = |case: &&CohortCase| case.score.map(|score| score >= threshold);
    let share = |flags: Vec<bool>| {
        let (hits, n) = (flags.iter().filter(|f| **f).count() as f64, flags.len() as f64);
        let p = hits / n;
        (p, (p * (1.0 - p)).sqrt(), flags.len() as u64)
    };
    match measure {
        Measure::MeanScore => {
            let scores: Vec<f64> = cases.iter().filter_map(|case| case.score).collect();
            let n = scores.len() as f64;
            let mean = scores.iter().sum::<f64>() / n;
            let squares: f64 = scores.iter().map(|s| (s - mean).powi(2)).sum();
            (mean, (squares / (n - 1.0)).sqrt(), scores.len() as u64)
        }
        Measure::PositiveCalls => share(cases.iter().filter_map(call).collect()),
        Measure::Refusals => share(cases.iter().map(|case| case.score.is_none()).collect()),
        Measure::Prevalence => share(cases.iter().filter_map(|case| case.label).collect()),
        Measure::Sensitivity | Measure::Specificity => {
            let wanted = measure == Measure::Sensitivity;
            let of_class = cases.iter().filter(|case| case.label == Some(wanted));
            share(of_class.filter_map(call).map(|positive| positive == wanted).collect())
        }
    }
}

impl SealedChart {
    /// The chart with its value in control, that of the plan or the cohort's.
    ///
    /// # Errors
    /// `monitoring-chart` where the cohort has no value from which a batch could differ.
    pub fn new(
        plan: &ChartPlan,
        cohort: &ValidationCohort,
        threshold: f64,
        path: &Path,
    ) -> Result<Self, Diagnostic> {
        let (value, deviation, cases) = match (plan.in_control, plan.deviation) {
            (Some(value), deviation) => {
                (value, deviation.unwrap_or_else(|| (value * (1.0 - value)).sqrt()), None)
            }
            (None, _) => {
                let (value, deviation, cases) = of_cohort(plan.measure, cohort, threshold);
                (value, deviation, Some(cases))
            }
        };
        if !(value.is_finite() && deviation.is_finite() && deviation > 0.0) {
            let of = cases.map_or(String::new(), |cases| format!(" of {cases} cases"));
            let message = format!(
                "chart `{}`: the {}{of} is {value} in the validation, and no batch can be measured by what \
                 does not vary",
                plan.id,
                plan.measure.words(),
            );
            return Err(Diagnostic::error(Code::MonitoringChart, message)
                .at(Location::file(path))
                .hint("declare `in_control` in the [[chart]], or leave the chart out"));
        }
        let sides = if plan.watched == [true, true] { Sides::Two } else { Sides::One };
        let after = |shift: f64| average_run_length(plan.reference_value, plan.limit, shift, sides);
        Ok(Self {
            id: plan.id.clone(),
            measure: plan.measure.id().to_owned(),
            in_control: value,
            deviation: (plan.measure == Measure::MeanScore).then_some(deviation),
            cohort_cases: cases,
            reference_value: plan.reference_value,
            limit: plan.limit,
            run_length: plan.run_length,
            run_length_after_one: after(1.0).unwrap_or(plan.run_length),
            run_length_after_two: after(2.0).unwrap_or(plan.run_length),
        })
    }
}

impl ValidationCohort {
    /// What the plan asks of the cohort and it does not have.
    pub fn lacks(&self, plan: &MonitoringPlan, path: &Path) -> Vec<Diagnostic> {
        let mut problems = Vec::new();
        for input in &plan.inputs {
            let filled = self.cases.iter().filter(|case| case.inputs.contains_key(&input.column)).count();
            let unreadable = || {
                let mut words = self.cases.iter().filter_map(|case| case.inputs.get(&input.column));
                words.find(|word| number(word).is_none())
            };
            let message = if filled < 2 {
                format!("the cohort of the validation has no column `{}`", input.cohort)
            } else if let Some(word) = unreadable().filter(|_| input.kind == InputKind::Number) {
                format!("the cohort's `{}` is no number: `{word}`", input.cohort)
            } else {
                continue;
            };
            problems.push(Diagnostic::error(Code::MonitoringChart, message).at(Location::file(path)).hint(
                "name a column of the study's case table with `cohort_column`: age, sex, view, site, \
                 manufacturer, modality, body_part, country, or one that its protocol names",
            ));
        }
        problems
    }
}
