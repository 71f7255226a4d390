//! The device against the predicate or against comparison readers, on the same cases.

use std::collections::BTreeSet;

use super::cases::{Analysed, Columns, count};
use super::plan::StudyPlan;
use super::reader_study::StudiedReaders;
use super::readers::apart;
use crate::diagnostic::Code;
use crate::protocol::{Against, ComparativeEndpoint, Fallback, PredicateOutput, Role};
use crate::statistics::comparative::deciding::{
    PAIRED, PRECISION, Units, decide_auc, decide_contrast, decide_paired, independent_units,
    moving_partial_areas, p_by_inversion, paired_limits,
};
use crate::statistics::comparative::{AucDifference, Contrast, Linearised};
use crate::statistics::estimate::{Interval, IntervalMethod as By, ResamplingUnit};
use crate::statistics::metric::{
    Decision, Fault, Metric, Plan, estimate_contrast, estimate_difference, partial_auc_of,
};
use crate::statistics::paired_shares::PairedShares;
use crate::study::comparators::{Given, Predicate};
use crate::study::results::{ComparisonResult, FallbackRecord, Rules, Verdict};
use crate::study::{ReferenceStandard, yes_or_no};

type Call = Option<bool>;

/// The cases of one comparison, and what it is compared with.
pub(super) struct Compared<'a> {
    pub(super) cases: Vec<Analysed<'a>>,
    /// The predicate's scores; empty where it gives answers, or where readers are compared with.
    pub(super) scores: Vec<f64>,
    /// Calls of each comparator, one entry a case.
    pub(super) calls: Vec<Vec<Call>>,
    /// In words.
    pub(super) name: String,
    /// Analysed cases that are left out.
    pub(super) without: u64,
}

/// What is found of one comparison: values, how the interval decides at a level, and the statistic of its
/// test.
struct Found<'f> {
    values: [f64; 2],
    difference: f64,
    right: Option<[u64; 4]>,
    method: By,
    at: Box<dyn Fn(f64) -> Decision + 'f>,
    /// The declared interval at a level, whether it decides or not.
    declared: Box<dyn Fn(f64) -> Option<Interval> + 'f>,
    z: Option<Box<dyn Fn(f64) -> Option<f64> + 'f>>,
}

impl StudyPlan<'_> {
    /// Every declared comparison in its order.
    pub(super) fn comparisons(
        &self,
        analysed: &[Analysed],
        reference: &ReferenceStandard,
        predicate: &Predicate,
        reader_study: Option<&StudiedReaders<'_>>,
    ) -> Vec<ComparisonResult> {
        let of = |endpoint: &ComparativeEndpoint| {
            let compared = match endpoint.against {
                Against::Predicate => self.with_predicate(analysed, predicate),
                Against::ComparisonReaders => self.with_readers(analysed, reference),
                Against::UnaidedReaders | Against::ReaderPopulation => {
                    return self.of_readers(endpoint, reader_study);
                }
            };
            self.comparison(endpoint, &compared)
        };
        self.protocol.comparisons.iter().map(of).collect()
    }

    fn with_predicate<'a>(&self, analysed: &[Analysed<'a>], predicate: &Predicate) -> Compared<'a> {
        let source = self.protocol.predicate.as_ref();
        let threshold = source.and_then(|source| match source.output {
            PredicateOutput::Scores { threshold, .. } => threshold,
            PredicateOutput::Answers { .. } => None,
        });
        let (mut cases, mut scores, mut calls) = (Vec::new(), Vec::new(), Vec::new());
        for case in analysed {
            match predicate.get(case.case.case_id.as_str()) {
                Some(Given::Score(score)) => {
                    scores.push(*score);
                    calls.push(threshold.map(|threshold| *score >= threshold));
                }
                Some(Given::Answer(answer)) => calls.push(Some(*answer)),
                None => continue,
            }
            cases.push(*case);
        }
        let without = count(analysed.len() - cases.len());
        let name = source.map_or_else(String::new, |source| source.name.clone());
        Compared { cases, scores, calls: vec![calls], name, without }
    }

    /// Cases that at least one of the readers decided.
    fn with_readers<'a>(&self, analysed: &[Analysed<'a>], reference: &ReferenceStandard) -> Compared<'a> {
        let readers = apart(&self.protocol.reference_standard, reference);
        let read = |case: &Analysed, reader: &String| -> Call {
            let reads = reference.assembled.cases.get(&case.case.case_id);
            yes_or_no(reads.and_then(|reads| reads.reads.get(reader)).copied())
        };
        let decided = |case: &&Analysed| readers.iter().any(|reader| read(case, reader).is_some());
        let cases: Vec<Analysed> = analysed.iter().filter(decided).copied().collect();
        let calls = readers.iter().map(|r| cases.iter().map(|case| read(case, r)).collect()).collect();
        Compared {
            without: count(analysed.len() - cases.len()),
            name: readers.join(", "),
            cases,
            scores: Vec::new(),
            calls,
        }
    }

    fn comparison(&self, endpoint: &ComparativeEndpoint, compared: &Compared) -> ComparisonResult {
        let level = self.adjusted_level().filter(|_| endpoint.role == Role::Primary);
        self.comparison_at(endpoint, compared, level.unwrap_or(self.protocol.analysis.level))
    }

    /// One comparison by the interval of a level.
    pub(super) fn comparison_at(
        &self,
        endpoint: &ComparativeEndpoint,
        compared: &Compared,
        level: f64,
    ) -> ComparisonResult {
        let columns = Columns::of(&compared.cases);
        let patients: BTreeSet<u32> = columns.patients.iter().copied().collect();
        let mut out = ComparisonResult {
            id: endpoint.id.clone(),
            metric: endpoint.metric,
            role: endpoint.role,
            against: endpoint.against,
            comparator: compared.name.clone(),
            aim: endpoint.aim,
            margin: endpoint.margin,
            justification: endpoint.justification.clone(),
            prevalence: endpoint.prevalence,
            most_fpr: (endpoint.metric == Metric::PartialAuc).then_some(endpoint.most_fpr),
            n: count(compared.cases.len()),
            positives: count(columns.labels.iter().filter(|l| **l).count()),
            patients: count(patients.len()),
            without_comparator: compared.without,
            right: None,
            device: None,
            other: None,
            difference: None,
            not_evaluable: None,
            interval_method: endpoint.interval.unwrap_or(By::Delta),
            interval: None,
            fallback: None,
            p_value: None,
            adjusted_p: None,
            verdict: Verdict::NotEvaluable,
        };
        let found = match endpoint.metric {
            Metric::Auc => self.areas(endpoint, compared, &columns),
            Metric::PartialAuc => self.partial_areas(endpoint, compared, &columns),
            _ => self.calls(endpoint, compared, &columns),
        };
        let found = match found {
            Ok(found) => found,
            Err(reason) => {
                out.not_evaluable = Some(reason);
                return out;
            }
        };
        let Decision { interval, fault } = (found.at)(level);
        out.device = Some(found.values[0]);
        out.other = Some(found.values[1]);
        out.difference = Some(found.difference);
        out.right = found.right;
        out.interval_method = found.method;
        out.fallback = fault.map(|Fault { code, message }| FallbackRecord {
            rule: endpoint.fallback,
            reason: code,
            message,
            declared: (found.declared)(level),
        });
        if let Some(interval) = &interval {
            out.p_value = p_of(endpoint, &found, interval.method, self.rules);
            let holds = endpoint.aim.holds(endpoint.margin, (interval.lower, interval.upper));
            out.verdict = if holds { Verdict::Met } else { Verdict::NotMet };
        }
        out.interval = interval;
        out
    }

    /// The plan of one method at a level.
    fn at_level(&self, method: By, level: f64) -> Plan {
        Plan { level, ..self.plan(vec![method]) }
    }

    fn areas<'f>(
        &'f self,
        endpoint: &'f ComparativeEndpoint,
        compared: &'f Compared,
        columns: &'f Columns,
    ) -> Result<Found<'f>, String> {
        let sample = columns.sample();
        let clustered = is_clustered(columns.patients.iter().copied());
        let method = endpoint.interval.unwrap_or(if clustered { By::Obuchowski } else { By::Delong });
        let patients = (method == By::Obuchowski).then_some(&columns.patients[..]);
        let found = AucDifference::of(sample.labels, sample.scores, &compared.scores, patients)
            .ok_or("there are no positive or no negative cases for which both scores are known")?;
        let decide = move |level: f64| {
            let plan = self.at_level(method, level);
            decide_auc(&sample, &compared.scores, method, &plan, endpoint.fallback, self.rules.units())
        };
        let declared = move |level: f64| {
            let plan = self.at_level(method, level);
            if self.rules == Rules::First {
                return decide_auc(&sample, &compared.scores, method, &plan, Fallback::None, Units::Cases)
                    .interval
                    .filter(|i| i.method == method);
            }
            let found = estimate_difference(&sample, &compared.scores, &plan);
            found.intervals.into_iter().find(|i| i.method == method)
        };
        let z = matches!(method, By::Delong | By::Obuchowski)
            .then(|| -> Box<dyn Fn(f64) -> Option<f64>> { Box::new(move |delta| found.z(delta)) });
        Ok(Found {
            values: found.values,
            difference: found.difference,
            right: None,
            method,
            at: Box::new(decide),
            declared: Box::new(declared),
            z,
        })
    }

    fn partial_areas<'f>(
        &'f self,
        endpoint: &'f ComparativeEndpoint,
        compared: &'f Compared,
        columns: &'f Columns,
    ) -> Result<Found<'f>, String> {
        let sample = columns.sample();
        let method = endpoint.interval.unwrap_or(By::BootstrapPercentile);
        let device = partial_auc_of(sample.labels, sample.scores, endpoint.most_fpr);
        let other = partial_auc_of(sample.labels, &compared.scores, endpoint.most_fpr);
        let none = "there are no positive or no negative cases for which both scores are known";
        let values = [device(None).ok_or(none)?, other(None).ok_or(none)?];
        let moving = match self.rules {
            Rules::First if sample.scores == compared.scores => 0,
            Rules::First => 2,
            Rules::Current => moving_partial_areas(&sample, &compared.scores, endpoint.most_fpr),
        };
        let statistic = move |w: Option<&[u32]>| Some(device(w)? - other(w)?);
        let drawn = move |level: f64| {
            let plan = self.at_level(method, level);
            let found = estimate_contrast("partial_auc_difference", &sample, &plan, &statistic);
            found.intervals.into_iter().find(|i| i.method == method)
        };
        let drawn = std::rc::Rc::new(drawn);
        let (for_decision, for_record) = (std::rc::Rc::clone(&drawn), drawn);
        let at = move |level: f64| self.decide_drawn(for_decision(level), columns, moving);
        Ok(Found {
            values,
            difference: values[0] - values[1],
            right: None,
            method,
            at: Box::new(at),
            declared: Box::new(move |level| for_record(level)),
            z: None,
        })
    }

    /// A drawn interval decides unless it is none, a point, takes patients apart, or rests on too few
    /// patients that move; nothing stands in for it.
    fn decide_drawn(&self, interval: Option<Interval>, columns: &Columns, moving: u64) -> Decision {
        let by_case = matches!(self.unit, ResamplingUnit::Case | ResamplingUnit::CaseStratified);
        let fault = match &interval {
            _ if by_case && is_clustered(columns.patients.iter().copied()) => Some((
                Code::ClusteringIgnored,
                "the bootstrap draws cases and takes those of one patient as independent",
            )),
            None => Some((Code::IntervalNotEvaluable, "the declared interval does not exist on these cases")),
            Some(i) if i.is_point() => Some((Code::IntervalCollapsed, "the declared interval is a point")),
            Some(_) if moving == 0 => {
                Some((Code::AtBoundary, "no patient's cases move the difference, so nothing varies"))
            }
            Some(_) if moving == 1 => Some((
                Code::RestsOnOneCase,
                "one patient's cases alone move the difference, so the spread rests on them",
            )),
            Some(_) => None,
        };
        match fault {
            None => Decision { interval, fault: None },
            Some((code, message)) => {
                Decision { interval: None, fault: Some(Fault { code, message: message.to_owned() }) }
            }
        }
    }

    fn calls<'f>(
        &'f self,
        endpoint: &'f ComparativeEndpoint,
        compared: &'f Compared,
        columns: &'f Columns,
    ) -> Result<Found<'f>, String> {
        let (metric, labels) = (endpoint.metric, &columns.labels);
        if compared.calls.is_empty() {
            return Err("no reader of that role read a case".to_owned());
        }
        let device = Linearised::calls(&columns.scores, self.threshold);
        let of = |calls: &[Call]| Linearised::of(metric, labels, calls, endpoint.prevalence);
        let others = compared.calls.iter().map(|calls| of(calls)).collect::<Result<Vec<_>, _>>();
        let (first, others) = match (of(&device), others) {
            (Ok(first), Ok(others)) => (first, others),
            (Err(reason), _) | (_, Err(reason)) => return Err(reason),
        };
        let class = match metric {
            Metric::Sensitivity => Some(true),
            Metric::Specificity => Some(false),
            _ => None,
        };
        let counts = move |i: usize| class.is_none_or(|class| columns.labels[i] == class);
        // Beside a reader who did not decide all of them: on the cases that the reader decided.
        let complete = compared.calls.iter().all(|calls| calls.iter().all(Option::is_some));
        let beside = match self.rules {
            Rules::First => vec![first],
            Rules::Current if complete => vec![first],
            Rules::Current => {
                let theirs = |calls: &Vec<Call>| -> Vec<Call> {
                    device.iter().zip(calls).map(|(own, call)| own.filter(|_| call.is_some())).collect()
                };
                compared.calls.iter().map(|calls| of(&theirs(calls))).collect::<Result<Vec<_>, _>>()?
            }
        };
        let contrast = Contrast::beside(&beside, &others, Some(&columns.patients), counts)
            .ok_or("there is nothing to compare with")?;
        let contrast = match endpoint.prevalence {
            Some(_) => contrast.of_both_classes(labels, Some(&columns.patients)),
            None => contrast,
        };
        let contrast = match self.rules {
            Rules::First => Contrast { moving: contrast.contributing, ..contrast },
            Rules::Current => contrast,
        };
        let of_class = || (0..labels.len()).filter(|i| counts(*i)).map(|i| columns.patients[i]);
        let clustered = is_clustered(of_class());
        let units = class.map(|_| independent_units(of_class()));
        let shares = class.filter(|_| endpoint.against == Against::Predicate).map(|class| {
            let mut shares = PairedShares::default();
            for i in (0..labels.len()).filter(|i| counts(*i)) {
                shares.count(device[i] == Some(class), compared.calls[0][i] == Some(class));
            }
            shares
        });
        let method = endpoint.interval.unwrap_or(match shares {
            Some(_) if !clustered => By::Tango,
            _ => By::Delta,
        });
        let (values, difference) = (contrast.values, contrast.difference);
        let right = shares.map(|s| [s.both, s.only_first, s.only_second, s.neither]);
        let rule = endpoint.fallback;
        if let Some(shares) = shares.filter(|_| PAIRED.contains(&method)) {
            let declared = move |level: f64| {
                let limits = paired_limits(&shares, method, level)?;
                Some(Interval::closed(method, level, limits))
            };
            let at = move |level: f64| {
                if !clustered {
                    return decide_paired(&shares, method, level, rule);
                }
                let together = decide_contrast(&contrast, By::Delta, level, rule, units);
                let interval = match rule {
                    Fallback::None => None,
                    Fallback::EffectiveNumber => together.interval,
                    Fallback::Patients => {
                        let still = Contrast { moving: 0, ..contrast.clone() };
                        decide_contrast(&still, By::Delta, level, rule, units).interval
                    }
                };
                let message =
                    "the declared interval takes the cases of one patient as independent".to_owned();
                Decision { interval, fault: Some(Fault { code: Code::ClusteringIgnored, message }) }
            };
            let z = (method == By::Tango)
                .then(|| -> Box<dyn Fn(f64) -> Option<f64>> { Box::new(move |delta| shares.tango_z(delta)) });
            let found = Found {
                values,
                difference,
                right,
                method,
                at: Box::new(at),
                declared: Box::new(declared),
                z,
            };
            return Ok(found);
        }
        if method.draws_replicates() {
            let drawn = self.drawn(endpoint, compared, columns, device, method);
            let drawn = std::rc::Rc::new(drawn);
            let (for_decision, for_record) = (std::rc::Rc::clone(&drawn), drawn);
            let moving = contrast.moving;
            let found = Found {
                values,
                difference,
                right,
                method,
                at: Box::new(move |level| self.decide_drawn(for_decision(level), columns, moving)),
                declared: Box::new(move |level| for_record(level)),
                z: None,
            };
            return Ok(found);
        }
        let for_z = contrast.clone();
        let for_record = contrast.clone();
        Ok(Found {
            values,
            difference,
            right,
            method,
            at: Box::new(move |level| decide_contrast(&contrast, By::Delta, level, rule, units)),
            declared: Box::new(move |level| {
                let limits = for_record.limits(level)?;
                Some(Interval::closed(By::Delta, level, limits))
            }),
            z: Some(Box::new(move |delta| for_z.z(delta))),
        })
    }

    /// The difference of two metrics of calls from weighted cases, as its interval at a level.
    fn drawn<'f>(
        &'f self,
        endpoint: &'f ComparativeEndpoint,
        compared: &'f Compared,
        columns: &'f Columns,
        device: Vec<Call>,
        method: By,
    ) -> impl Fn(f64) -> Option<Interval> + 'f {
        let sample = columns.sample();
        let statistic = move |weights: Option<&[u32]>| {
            let of = |calls: &[Call]| weighted_metric(endpoint, sample.labels, calls, weights);
            Some(of(&device)? - of(&compared.calls[0])?)
        };
        move |level: f64| {
            let plan = self.at_level(method, level);
            // The prevalence of intended use is not the sample's, so each class keeps its size.
            let unit = match (endpoint.prevalence, plan.unit) {
                (Some(_), ResamplingUnit::Case) => ResamplingUnit::CaseStratified,
                (_, unit) => unit,
            };
            let found = estimate_contrast("difference", &sample, &Plan { unit, ..plan }, &statistic);
            found.intervals.into_iter().find(|i| i.method == method)
        }
    }
}

/// A metric of calls where each case counts as often as its weight says.
fn weighted_metric(
    endpoint: &ComparativeEndpoint,
    labels: &[bool],
    calls: &[Call],
    weights: Option<&[u32]>,
) -> Option<f64> {
    use crate::statistics::at_prevalence;
    use crate::statistics::confusion::Confusion;
    let mut table = Confusion::default();
    for (i, (label, call)) in labels.iter().zip(calls).enumerate() {
        let weight = weights.map_or(1, |w| u64::from(w[i]));
        match (label, (*call)?) {
            (true, true) => table.true_positives += weight,
            (true, false) => table.false_negatives += weight,
            (false, true) => table.false_positives += weight,
            (false, false) => table.true_negatives += weight,
        }
    }
    match (endpoint.prevalence, endpoint.metric) {
        (Some(p), Metric::Ppv) => at_prevalence::of_table(&table, p, at_prevalence::ppv),
        (Some(p), Metric::Npv) => at_prevalence::of_table(&table, p, at_prevalence::npv),
        (Some(p), _) => at_prevalence::of_table(&table, p, at_prevalence::f1),
        (None, metric) => metric.of_table(&table),
    }
}

fn is_clustered(patients: impl Iterator<Item = u32>) -> bool {
    let mut seen = BTreeSet::new();
    patients.into_iter().any(|patient| !seen.insert(patient))
}

/// One-sided p value of the interval that decides: by its own statistic, or by the levels at which it does
/// not.
fn p_of(endpoint: &ComparativeEndpoint, found: &Found, decides: By, rules: Rules) -> Option<f64> {
    if let Some(z) = found.z.as_ref().filter(|_| decides == found.method) {
        return endpoint.aim.p(endpoint.margin, z);
    }
    let precision = PRECISION[usize::from(decides.draws_replicates())];
    // The method that decides, at every level: others may decide elsewhere, where the declared one collapses.
    let limits = |level: f64| {
        let found = match rules {
            Rules::First => (found.at)(level).interval,
            Rules::Current if decides == found.method => (found.declared)(level),
            Rules::Current => (found.at)(level).interval.filter(|i| i.method == decides),
        };
        found.map(|i| (i.lower, i.upper))
    };
    Some(p_by_inversion(endpoint.aim, endpoint.margin, precision, &limits))
}
