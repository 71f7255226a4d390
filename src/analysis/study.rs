//! A study's results from its cases: flow, cohort table, readers, estimates, subgroups, scenarios and
//! the verdict of each endpoint. Pure.

use std::collections::{BTreeMap, BTreeSet};

use super::agreement;
use super::estimate::{Estimate, Interval, IntervalMethod, ResamplingUnit};
use super::metric::{Metric, Plan, Sample, estimate, estimate_at_prevalence};
use super::poolability::poolability;
use super::results::*;
use super::roc::{precision_recall_points, roc_points};
use super::roc_band::roc_band;
use crate::dataset::case::Case;
use crate::diagnostic::Diagnostic;
use crate::protocol::{self, Endpoint, Field, Protocol, Role, Subgroup};
use crate::reference_standard::consensus::{Assembled, Basis, Consensus};
use crate::reference_standard::reads::Read;

/// A drawn case where score and reference standard meet.
#[derive(Clone, Copy, Debug)]
pub struct StudyCase<'a> {
    /// The case.
    pub case: &'a Case,
    /// Its reference standard.
    pub consensus: Consensus,
    /// Its score; `None` when the device refused it.
    pub score: Option<f64>,
}

/// One case in an analysis: truth and score are both there.
#[derive(Clone, Copy)]
struct Analysed<'a> {
    case: &'a Case,
    positive: bool,
    score: f64,
}

/// Computes everything a document may print.
///
/// # Errors
/// `one-class` when the analysed cases are all positive or all negative.
pub fn analyse(
    protocol: &Protocol,
    considered: &[Case],
    failed: &[Vec<usize>],
    drawn: &[StudyCase],
    assembled: &Assembled,
    operating_point: OperatingPointRecord,
) -> Result<Results, Vec<Diagnostic>> {
    let analysed: Vec<Analysed> = drawn
        .iter()
        .filter_map(|c| Some(Analysed { case: c.case, positive: c.consensus.positive()?, score: c.score? }))
        .collect();
    let flow = flow(protocol, considered, failed, drawn, &analysed);
    if flow.positives == 0 || flow.negatives == 0 {
        return Err(vec![one_class(&flow)]);
    }
    let threshold = operating_point.threshold;
    let plan = StudyPlan::new(protocol, threshold);
    let mut estimates = plan.overall(&analysed);
    let endpoints: Vec<EndpointResult> = protocol
        .endpoints
        .iter()
        .map(|endpoint| endpoint_result(endpoint, &estimates, plan.adjusted_level()))
        .collect();
    estimates.extend(plan.at_intended_use_prevalence(&analysed));
    estimates.extend(plan.per_thousand(&analysed));
    estimates.extend(plan.subgroups(&analysed));
    estimates.extend(plan.scenarios(drawn));
    let primary: Vec<Verdict> =
        endpoints.iter().filter(|e| e.role == "primary").filter_map(|e| e.verdict).collect();
    let conclusion = if primary.contains(&Verdict::NotMet) {
        Verdict::NotMet
    } else if primary.contains(&Verdict::NotEvaluable) || primary.is_empty() {
        Verdict::NotEvaluable
    } else {
        Verdict::Met
    };
    let labels: Vec<bool> = analysed.iter().map(|a| a.positive).collect();
    let scores: Vec<f64> = analysed.iter().map(|a| a.score).collect();
    let consensus = consensus_summary(drawn);
    let columns = Columns::of(&analysed);
    let (roc_band, band_method) = roc_band(
        &columns.sample(),
        plan.unit,
        protocol.analysis.replicates.min(BAND_REPLICATES),
        protocol.analysis.seed,
        protocol.analysis.level,
    );
    let synthetic = drawn.iter().any(|c| c.case.is_synthetic());
    let mut results = Results {
        format: FORMAT.to_owned(),
        study: StudyIdentity {
            id: protocol.study.id.clone(),
            title: protocol.study.title.clone(),
            version: protocol.study.version.clone(),
            finding: protocol.study.finding.clone(),
            synthetic,
        },
        cohort: cohort_table(protocol, &analysed),
        readers: readers(protocol, drawn, assembled),
        agreement: reader_estimates(&plan, drawn, assembled),
        method: AnalysisMethod {
            level: protocol.analysis.level,
            resampling_unit: plan.unit,
            replicates: protocol.analysis.replicates,
            seed: protocol.analysis.seed,
            subgroup_minimum: protocol.analysis.subgroup_minimum,
            intended_use_prevalence: protocol.analysis.intended_use_prevalence,
            multiplicity: protocol.analysis.multiplicity,
            criterion_level: plan.adjusted_level(),
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
        },
        curves: Curves {
            roc: roc_points(&labels, &scores),
            roc_band,
            roc_band_method: Some(band_method),
            histogram: histogram(&analysed),
            confusion: Confusion::at(&labels, &scores, threshold),
            precision_recall: precision_recall_points(&labels, &scores)
                .into_iter()
                .map(|p| PrecisionRecallPoint {
                    threshold: p.threshold,
                    recall: p.recall,
                    precision: p.precision,
                })
                .collect(),
        },
        poolability: poolability(
            &columns.sample(),
            &[threshold],
            &site_names(&analysed),
            protocol.analysis.level,
        ),
        flow,
        consensus,
        operating_point,
        estimates,
        endpoints,
        conclusion,
        warnings: Vec::new(),
    };
    results.warnings = warnings(&results, protocol);
    Ok(results)
}

fn one_class(flow: &Flow) -> Diagnostic {
    let which = if flow.positives == 0 { "negative" } else { "positive" };
    let message = if flow.analysed == 0 {
        "no case has both a consensus and a score".to_owned()
    } else {
        format!("all {} analysed cases are {which} by the reference standard", flow.analysed)
    };
    Diagnostic::error("one-class", message)
        .hint("discrimination needs both classes: check the readers' files and the meaning of their reads in [reads]")
}

fn count(n: usize) -> u64 {
    n as u64
}

fn patients<'a>(cases: impl Iterator<Item = &'a Case>) -> u64 {
    count(cases.map(|case| case.patient_id.as_str()).collect::<BTreeSet<_>>().len())
}

fn flow(
    protocol: &Protocol,
    considered: &[Case],
    failed: &[Vec<usize>],
    drawn: &[StudyCase],
    analysed: &[Analysed],
) -> Flow {
    let excluded: Vec<ReasonCount> = protocol
        .eligibility
        .iter()
        .enumerate()
        .map(|(index, criterion)| ReasonCount {
            id: criterion.id.clone(),
            reason: criterion.reason.clone(),
            count: count(failed.iter().filter(|reasons| reasons.first() == Some(&index)).count()),
            count_any: count(failed.iter().filter(|reasons| reasons.contains(&index)).count()),
        })
        .collect();
    let eligible = count(failed.iter().filter(|reasons| reasons.is_empty()).count());
    let without_consensus = count(drawn.iter().filter(|c| c.consensus.positive().is_none()).count());
    let sampled = count(drawn.len());
    let positives = count(analysed.iter().filter(|a| a.positive).count());
    Flow {
        considered: count(considered.len()),
        considered_patients: patients(considered.iter()),
        excluded,
        eligible,
        not_sampled: eligible - sampled,
        sampled,
        sampled_patients: patients(drawn.iter().map(|c| c.case)),
        without_consensus,
        without_score: sampled - without_consensus - count(analysed.len()),
        analysed: count(analysed.len()),
        analysed_patients: patients(analysed.iter().map(|a| a.case)),
        positives,
        negatives: count(analysed.len()) - positives,
    }
}

fn consensus_summary(drawn: &[StudyCase]) -> ConsensusSummary {
    let mut summary = ConsensusSummary::default();
    for case in drawn {
        match case.consensus {
            Consensus::Reached { positive, basis } => {
                *match basis {
                    Basis::Unanimous => &mut summary.unanimous,
                    Basis::Majority => &mut summary.majority,
                    Basis::Incomplete => &mut summary.incomplete,
                } += 1;
                *(if positive { &mut summary.positive } else { &mut summary.negative }) += 1;
            }
            Consensus::None => {
                summary.none += 1;
                summary.cases_without.push(case.case.case_id.clone());
            }
        }
    }
    summary.cases_without.sort();
    summary
}

const NOT_RECORDED: &str = "not recorded";

/// The level of a case in a subgroup variable.
fn level_of(subgroup: &Subgroup, case: &Case) -> String {
    match subgroup {
        Subgroup::Field { field } => field.of(case).unwrap_or_else(|| NOT_RECORDED.to_owned()),
        Subgroup::Age { bands } => match case.age_years {
            None => NOT_RECORDED.to_owned(),
            Some(age) => bands
                .iter()
                .find(|(from, to)| (*from..=*to).contains(&age))
                .map_or_else(|| "outside the bands".to_owned(), |(from, to)| format!("{from}-{to}")),
        },
    }
}

fn variable_of(subgroup: &Subgroup) -> &'static str {
    match subgroup {
        Subgroup::Field { field } => field.name(),
        Subgroup::Age { .. } => "age",
    }
}

/// Levels in the order of the protocol (bands) or of the alphabet, `not recorded` last.
fn levels<'a>(subgroup: &Subgroup, analysed: &[Analysed<'a>]) -> Vec<(String, Vec<Analysed<'a>>)> {
    let mut by_level: BTreeMap<String, Vec<Analysed>> = BTreeMap::new();
    for case in analysed {
        by_level.entry(level_of(subgroup, case.case)).or_default().push(*case);
    }
    if let Subgroup::Age { bands } = subgroup {
        for (from, to) in bands {
            by_level.entry(format!("{from}-{to}")).or_default();
        }
    }
    let band = |level: &str| match subgroup {
        Subgroup::Age { bands } => bands.iter().position(|(from, to)| format!("{from}-{to}") == level),
        Subgroup::Field { .. } => None,
    };
    let mut levels: Vec<_> = by_level.into_iter().collect();
    levels
        .sort_by_key(|(level, _)| (level == NOT_RECORDED, band(level).unwrap_or(usize::MAX), level.clone()));
    levels
}

fn cohort_table(protocol: &Protocol, analysed: &[Analysed]) -> Vec<CohortRow> {
    let mut subgroups = protocol.subgroups.clone();
    for always in [Subgroup::Field { field: Field::Sex }, Subgroup::Field { field: Field::View }] {
        if !subgroups.contains(&always) {
            subgroups.push(always);
        }
    }
    let mut rows = Vec::new();
    for subgroup in &subgroups {
        for (level, cases) in levels(subgroup, analysed) {
            rows.push(CohortRow {
                variable: variable_of(subgroup).to_owned(),
                level,
                cases: count(cases.len()),
                patients: patients(cases.iter().map(|c| c.case)),
                positives: count(cases.iter().filter(|c| c.positive).count()),
            });
        }
    }
    rows
}

fn readers(protocol: &Protocol, drawn: &[StudyCase], assembled: &Assembled) -> Vec<ReaderSummary> {
    let mut summaries: BTreeMap<&str, ReaderSummary> = assembled
        .readers
        .iter()
        .map(|id| {
            let summary = ReaderSummary {
                id: id.clone(),
                reads: 0,
                positive: 0,
                negative: 0,
                indeterminate: 0,
                set_aside: 0,
                missing: None,
            };
            (id.as_str(), summary)
        })
        .collect();
    for case in drawn {
        let Some(reads) = assembled.cases.get(&case.case.case_id) else { continue };
        for (reader, read) in &reads.reads {
            if let Some(summary) = summaries.get_mut(reader.as_str()) {
                summary.reads += 1;
                *match read {
                    Read::Positive => &mut summary.positive,
                    Read::Negative => &mut summary.negative,
                    Read::Indeterminate => &mut summary.indeterminate,
                } += 1;
            }
        }
        for reader in &reads.set_aside {
            if let Some(summary) = summaries.get_mut(reader.as_str()) {
                summary.set_aside += 1;
            }
        }
    }
    let mut summaries: Vec<_> = summaries.into_values().collect();
    if protocol.reference_standard.fixed_readers {
        for summary in &mut summaries {
            summary.missing = Some(count(drawn.len()) - summary.reads - summary.set_aside);
        }
    } else {
        summaries.retain(|summary| summary.reads + summary.set_aside > 0);
    }
    summaries
}

/// Most readers that are shown one by one beside the device.
const MOST_READERS_BESIDE: usize = 6;

/// Agreement of the readers, and the device beside each of them.
fn reader_estimates(plan: &StudyPlan, drawn: &[StudyCase], assembled: &Assembled) -> Vec<Estimate> {
    let (table, readers) = (read_matrix(drawn, assembled), reader_ids(assembled));
    let mut out = agreement::estimates(&table, 2, &readers, plan.protocol.analysis.level);
    if readers.len() <= MOST_READERS_BESIDE {
        let calls: Vec<Option<bool>> =
            drawn.iter().map(|c| c.score.map(|score| score >= plan.threshold)).collect();
        let exact = plan.plan(vec![IntervalMethod::ClopperPearson]);
        out.extend(agreement::device_beside_readers(&readers, &table, &calls, &exact));
    }
    out
}

fn reader_ids(assembled: &Assembled) -> Vec<String> {
    assembled.readers.iter().cloned().collect()
}

/// Drawn cases by readers; a read that does not say yes or no is `None`.
fn read_matrix(drawn: &[StudyCase], assembled: &Assembled) -> Vec<Vec<Option<bool>>> {
    drawn
        .iter()
        .map(|case| {
            let reads = assembled.cases.get(&case.case.case_id);
            assembled
                .readers
                .iter()
                .map(|reader| match reads.and_then(|r| r.reads.get(reader)) {
                    Some(Read::Positive) => Some(true),
                    Some(Read::Negative) => Some(false),
                    Some(Read::Indeterminate) | None => None,
                })
                .collect()
        })
        .collect()
}

/// The band is a picture: more replicates than this do not change it visibly.
const BAND_REPLICATES: u64 = 1000;

/// How many bins the score histogram has.
const BINS: usize = 20;

fn histogram(analysed: &[Analysed]) -> ScoreHistogram {
    let mut histogram = ScoreHistogram {
        edges: (0..=BINS).map(|k| k as f64 / BINS as f64).collect(),
        positives: vec![0; BINS],
        negatives: vec![0; BINS],
    };
    for case in analysed {
        let after = histogram.edges.partition_point(|edge| *edge <= case.score);
        let bin = after.saturating_sub(1).min(BINS - 1);
        let counts = if case.positive { &mut histogram.positives } else { &mut histogram.negatives };
        counts[bin] += 1;
    }
    histogram
}

/// Dense numbers for ids, in order of first occurrence.
fn dense<'a>(ids: impl Iterator<Item = &'a str>) -> Vec<u32> {
    let mut numbers = BTreeMap::new();
    ids.map(|id| {
        let next = numbers.len() as u32;
        *numbers.entry(id).or_insert(next)
    })
    .collect()
}

fn site_of(case: &Case) -> &str {
    case.site.as_deref().unwrap_or(NOT_RECORDED)
}

/// The sites in the order of their dense numbers.
fn site_names(cases: &[Analysed]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for case in cases {
        let name = site_of(case.case);
        if !names.iter().any(|n| n == name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// Analysed cases as the statistics take them.
struct Columns {
    labels: Vec<bool>,
    scores: Vec<f64>,
    patients: Vec<u32>,
    sites: Vec<u32>,
}

impl Columns {
    fn of(cases: &[Analysed]) -> Self {
        Self {
            labels: cases.iter().map(|c| c.positive).collect(),
            scores: cases.iter().map(|c| c.score).collect(),
            patients: dense(cases.iter().map(|c| c.case.patient_id.as_str())),
            sites: dense(cases.iter().map(|c| site_of(c.case))),
        }
    }

    fn sample(&self) -> Sample<'_> {
        Sample {
            labels: &self.labels,
            scores: &self.scores,
            patients: Some(&self.patients),
            sites: Some(&self.sites),
        }
    }
}

/// Everything reported overall, in this order.
const OVERALL: [Metric; 14] = [
    Metric::Auc,
    Metric::Sensitivity,
    Metric::Specificity,
    Metric::Ppv,
    Metric::Npv,
    Metric::Accuracy,
    Metric::F1,
    Metric::BalancedAccuracy,
    Metric::Youden,
    Metric::Mcc,
    Metric::LrPositive,
    Metric::LrNegative,
    Metric::DiagnosticOddsRatio,
    Metric::AveragePrecision,
];

struct StudyPlan<'a> {
    protocol: &'a Protocol,
    threshold: f64,
    unit: ResamplingUnit,
}

impl<'a> StudyPlan<'a> {
    fn new(protocol: &'a Protocol, threshold: f64) -> Self {
        Self { protocol, threshold, unit: protocol.analysis.resampling_unit }
    }

    /// The level that primary criteria are judged at, where it is not the level of all intervals.
    fn adjusted_level(&self) -> Option<f64> {
        let criteria = self.protocol.endpoints.iter().filter(|e| is_judged(e)).count();
        let level = self.protocol.analysis.criterion_level(criteria);
        (level != self.protocol.analysis.level).then_some(level)
    }

    /// The method the protocol declares for a metric, if it does.
    fn declared(&self, metric: Metric) -> Option<IntervalMethod> {
        let endpoint = self.protocol.endpoints.iter().find(|e| e.metric == metric.id())?;
        interval_method(&endpoint.interval)
    }

    fn one(&self, metric: Metric, cases: &[Analysed], methods: &[IntervalMethod]) -> Estimate {
        let mut in_order: Vec<IntervalMethod> = self.declared(metric).into_iter().collect();
        for method in methods {
            if metric.accepts(*method) && !in_order.contains(method) {
                in_order.push(*method);
            }
        }
        let columns = Columns::of(cases);
        estimate(metric, &columns.sample(), Some(self.threshold), &self.plan(in_order))
    }

    fn plan(&self, methods: Vec<IntervalMethod>) -> Plan {
        let analysis = &self.protocol.analysis;
        Plan::new(analysis.level, methods, self.unit, analysis.replicates, analysis.seed)
    }

    fn overall(&self, cases: &[Analysed]) -> Vec<Estimate> {
        use IntervalMethod::{BootstrapPercentile, ClopperPearson, Delong, Log, Obuchowski, Wilson};
        let methods = [Delong, Obuchowski, ClopperPearson, Wilson, Log, BootstrapPercentile];
        let mut estimates: Vec<Estimate> =
            OVERALL.iter().map(|metric| self.one(*metric, cases, &methods)).collect();
        if let Some(level) = self.adjusted_level() {
            let columns = Columns::of(cases);
            for endpoint in self.protocol.endpoints.iter().filter(|e| is_judged(e)) {
                let method = interval_method(&endpoint.interval);
                let place = estimates.iter_mut().find(|e| e.id == endpoint.metric);
                if let (Some(place), Some(metric), Some(method)) =
                    (place, Metric::from_id(&endpoint.metric), method)
                {
                    let plan = Plan { level, ..self.plan(vec![method]) };
                    let judged = estimate(metric, &columns.sample(), Some(self.threshold), &plan);
                    place.intervals.extend(judged.intervals.into_iter().filter(|i| i.method == method));
                }
            }
        }
        estimates
    }

    /// What 1,000 patients at the prevalence of intended use may expect, with the exact limits of sensitivity and
    /// specificity.
    fn per_thousand(&self, cases: &[Analysed]) -> Vec<Estimate> {
        let Some(prevalence) = self.protocol.analysis.intended_use_prevalence else { return Vec::new() };
        let shares = [(Metric::Sensitivity, prevalence), (Metric::Specificity, 1.0 - prevalence)];
        let names = [["true-positives", "false-negatives"], ["true-negatives", "false-positives"]];
        let mut out = Vec::new();
        for ((metric, share), [right, wrong]) in shares.into_iter().zip(names) {
            let of = self.one(metric, cases, &[IntervalMethod::ClopperPearson]);
            let Some(value) = of.value else { continue };
            let exact = of.intervals.iter().find(|i| i.method == IntervalMethod::ClopperPearson);
            let scale = 1000.0 * share;
            let mut add = |name: &str, value: f64, limits: Option<(f64, f64)>| {
                let interval =
                    exact.zip(limits).map(|(i, (lower, upper))| Interval { lower, upper, ..i.clone() });
                out.push(Estimate {
                    id: format!("per-1000-{name}"),
                    value: Some(value),
                    standard_error: None,
                    numerator: None,
                    denominator: None,
                    intervals: interval.into_iter().collect(),
                    prevalence: Some(prevalence),
                    ..of.clone()
                });
            };
            add(right, scale * value, exact.map(|i| (scale * i.lower, scale * i.upper)));
            add(
                wrong,
                scale * (1.0 - value),
                exact.map(|i| (scale * (1.0 - i.upper), scale * (1.0 - i.lower))),
            );
        }
        out
    }

    fn at_intended_use_prevalence(&self, cases: &[Analysed]) -> Vec<Estimate> {
        let Some(prevalence) = self.protocol.analysis.intended_use_prevalence else { return Vec::new() };
        let columns = Columns::of(cases);
        let plan = self.plan(vec![
            IntervalMethod::Log,
            IntervalMethod::ClopperPearson,
            IntervalMethod::BootstrapPercentile,
        ]);
        [Metric::Ppv, Metric::Npv, Metric::F1]
            .into_iter()
            .map(|metric| {
                estimate_at_prevalence(metric, &columns.sample(), self.threshold, prevalence, &plan)
            })
            .collect()
    }

    fn subgroups(&self, cases: &[Analysed]) -> Vec<Estimate> {
        use IntervalMethod::{ClopperPearson, Delong, Wilson};
        let mut estimates = Vec::new();
        for subgroup in &self.protocol.subgroups {
            for (level, members) in levels(subgroup, cases) {
                for metric in [Metric::Auc, Metric::Sensitivity, Metric::Specificity, Metric::F1] {
                    let mut estimate = self.one(metric, &members, &[Delong, ClopperPearson, Wilson]);
                    estimate.subgroup = Some(format!("{}={level}", variable_of(subgroup)));
                    let minimum = self.protocol.analysis.subgroup_minimum;
                    if estimate.n < minimum {
                        estimate.warnings.push(format!(
                            "insufficient: {} cases, fewer than the {minimum} that the protocol asks for",
                            estimate.n
                        ));
                    }
                    estimates.push(estimate);
                }
            }
        }
        estimates
    }

    /// Incomplete cases counted for and against the device, and the unanimous cases alone.
    fn scenarios(&self, drawn: &[StudyCase]) -> Vec<Estimate> {
        let called = |score: f64| score >= self.threshold;
        let filled = |device_is_right: bool| -> Vec<Analysed> {
            drawn
                .iter()
                .map(|c| {
                    let (positive, score) = match (c.consensus.positive(), c.score) {
                        (Some(positive), Some(score)) => (positive, score),
                        (Some(positive), None) => {
                            (positive, f64::from(u8::from(positive == device_is_right)))
                        }
                        (None, Some(score)) => (called(score) == device_is_right, score),
                        // Nothing is known: a positive case, found or missed.
                        (None, None) => (true, f64::from(u8::from(device_is_right))),
                    };
                    Analysed { case: c.case, positive, score }
                })
                .collect()
        };
        let unanimous: Vec<Analysed> = drawn
            .iter()
            .filter_map(|c| match c.consensus {
                Consensus::Reached { positive, basis: Basis::Unanimous } => {
                    Some(Analysed { case: c.case, positive, score: c.score? })
                }
                _ => None,
            })
            .collect();
        let mut estimates = Vec::new();
        for (name, cases) in
            [("best-case", filled(true)), ("worst-case", filled(false)), ("unanimous-only", unanimous)]
        {
            for metric in [Metric::Auc, Metric::Sensitivity, Metric::Specificity, Metric::F1] {
                let mut estimate =
                    self.one(metric, &cases, &[IntervalMethod::Delong, IntervalMethod::ClopperPearson]);
                estimate.scenario = Some(name.to_owned());
                estimates.push(estimate);
            }
        }
        estimates
    }
}

/// Whether an endpoint is one of several that decide.
fn is_judged(endpoint: &Endpoint) -> bool {
    endpoint.role == Role::Primary && endpoint.criterion.is_some()
}

fn interval_method(name: &str) -> Option<IntervalMethod> {
    serde_json::from_value(serde_json::Value::String(name.to_owned())).ok()
}

/// The verdict on an endpoint; `adjusted` is the level of primary criteria where multiplicity changes it.
fn endpoint_result(endpoint: &Endpoint, estimates: &[Estimate], adjusted: Option<f64>) -> EndpointResult {
    let estimate = estimates.iter().find(|e| e.id == endpoint.metric);
    let method = interval_method(&endpoint.interval).unwrap_or(IntervalMethod::Wald);
    let adjusted = adjusted.filter(|_| is_judged(endpoint));
    let wanted = |i: &&Interval| i.method == method && adjusted.is_none_or(|level| i.level == level);
    let interval = estimate.and_then(|e| e.intervals.iter().find(wanted)).cloned();
    let bound =
        endpoint.criterion.as_ref().zip(interval.as_ref()).map(|(criterion, interval)| {
            match criterion.bound {
                protocol::Bound::Lower => interval.lower,
                protocol::Bound::Upper => interval.upper,
            }
        });
    let verdict = endpoint.criterion.as_ref().map(|criterion| match &interval {
        None => Verdict::NotEvaluable,
        Some(interval) if criterion.accepts(interval.lower, interval.upper) => Verdict::Met,
        Some(_) => Verdict::NotMet,
    });
    EndpointResult {
        id: endpoint.id.clone(),
        metric: endpoint.metric.clone(),
        role: if endpoint.role == Role::Primary { "primary" } else { "secondary" }.to_owned(),
        criterion: endpoint.criterion.as_ref().map(|c| c.text.clone()),
        interval_method: method,
        value: estimate.and_then(|e| e.value),
        interval,
        bound,
        verdict,
    }
}

fn warnings(results: &Results, protocol: &Protocol) -> Vec<Warning> {
    let mut warnings = BTreeSet::new();
    let mut warn = |code: &str, message: String| {
        warnings.insert(Warning { code: code.to_owned(), message });
    };
    let flow = &results.flow;
    if results.study.synthetic {
        warn(
            "synthetic",
            "The cases were made by a program. Nothing here says anything about patients.".to_owned(),
        );
    }
    if flow.analysed > flow.analysed_patients {
        let ignoring: Vec<&str> = results
            .endpoints
            .iter()
            .filter(|e| {
                !matches!(
                    e.interval_method,
                    IntervalMethod::Obuchowski
                        | IntervalMethod::BootstrapPercentile
                        | IntervalMethod::BootstrapBasic
                        | IntervalMethod::BootstrapBca
                )
            })
            .map(|e| e.id.as_str())
            .collect();
        if !ignoring.is_empty() {
            warn(
                "clustered-cases",
                format!(
                    "{} cases come from {} patients. The declared intervals of {} take cases as independent; the \
                     intervals resampled by {} stand beside them.",
                    flow.analysed,
                    flow.analysed_patients,
                    ignoring.join(", "),
                    match results.method.resampling_unit {
                        ResamplingUnit::Case | ResamplingUnit::CaseStratified => "case",
                        ResamplingUnit::Patient => "patient",
                        ResamplingUnit::Site => "site",
                        ResamplingUnit::SiteThenPatient => "site and patient",
                    }
                ),
            );
        }
    }
    if flow.without_consensus > 0 {
        warn(
            "no-consensus",
            format!("{} of {} cases have no consensus.", flow.without_consensus, flow.sampled),
        );
    }
    if flow.without_score > 0 {
        warn("no-score", format!("{} of {} cases have no score.", flow.without_score, flow.sampled));
    }
    for reason in flow.excluded.iter().filter(|r| r.count_any == 0) {
        warn("criterion-matched-nothing", format!("The criterion {} excluded no case.", reason.id));
    }
    let small: BTreeSet<&str> = results
        .estimates
        .iter()
        .filter(|e| e.n < results.method.subgroup_minimum)
        .filter_map(|e| e.subgroup.as_deref())
        .collect();
    if !small.is_empty() {
        let list = small.into_iter().collect::<Vec<_>>().join(", ");
        let minimum = results.method.subgroup_minimum;
        warn("subgroup-insufficient", format!("Fewer than {minimum} cases: {list}."));
    }
    if protocol.endpoints.iter().any(|e| e.metric == "f1") {
        warn(
            "prevalence-dependent",
            format!(
                "F1, PPV and NPV depend on the prevalence; in the analysed set it is {} of {}.",
                flow.positives, flow.analysed
            ),
        );
    }
    warnings.into_iter().collect()
}
