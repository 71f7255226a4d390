//! Endpoints on readers as a population: with less without the device, and the device alone less the mean of
//! readers without it.

use super::cases::{StudyCase, count};
use super::plan::StudyPlan;
use crate::diagnostic::{Error, Location};
use crate::protocol::{Against, ComparativeEndpoint, Role};
use crate::statistics::comparative::Aim;
use crate::statistics::estimate::{Interval, IntervalMethod as By};
use crate::statistics::mrmc::Inference;
use crate::statistics::special::{t_two_sided, z_two_sided};
use crate::study::reader_study::{AnalysedReaders, DeviceScores, Line, Readings, record};
use crate::study::results::{ComparisonResult, ReaderStudyResult, Verdict};

/// The reader study of a study, with what its endpoints are judged by.
pub(super) struct StudiedReaders<'a> {
    readings: &'a Readings,
    analysed: AnalysedReaders,
    pub(super) result: ReaderStudyResult,
}

impl StudyPlan<'_> {
    /// Computes the reader study; nothing where none is declared.
    ///
    /// # Errors
    /// `reader-without-reads`.
    pub(super) fn reader_study<'r>(
        &self,
        drawn: &[StudyCase],
        readings: Option<&'r Readings>,
    ) -> crate::diagnostic::Result<Option<StudiedReaders<'r>>> {
        let Some((source, readings)) = self.protocol.reader_study.as_ref().zip(readings) else {
            return Ok(None);
        };
        let scores = drawn.iter().filter_map(|case| Some((case.case.case_id.as_str(), case.score?)));
        let device = DeviceScores { scores: scores.collect(), threshold: self.threshold };
        let level = self.protocol.analysis.level;
        let (result, analysed) = record(source, readings, &device, level).map_err(|error| {
            let at = Location::file(source.files.first().map_or("", String::as_str));
            Error::Input(error.diagnostics().into_iter().map(|d| d.at(at.clone())).collect())
        })?;
        Ok(Some(StudiedReaders { readings, analysed, result }))
    }

    /// An endpoint on it with its verdict.
    pub(super) fn of_readers(
        &self,
        endpoint: &ComparativeEndpoint,
        study: Option<&StudiedReaders<'_>>,
    ) -> ComparisonResult {
        let level = self.adjusted_level().filter(|_| endpoint.role == Role::Primary);
        let level = level.unwrap_or(self.protocol.analysis.level);
        let method = endpoint.interval.unwrap_or(By::ObuchowskiRockette);
        let mut out = ComparisonResult {
            id: endpoint.id.clone(),
            metric: endpoint.metric,
            role: endpoint.role,
            against: endpoint.against,
            comparator: String::new(),
            aim: endpoint.aim,
            margin: endpoint.margin,
            justification: endpoint.justification.clone(),
            prevalence: None,
            most_fpr: None,
            n: 0,
            positives: 0,
            patients: 0,
            without_comparator: 0,
            right: None,
            device: None,
            other: None,
            difference: None,
            not_evaluable: None,
            interval_method: method,
            interval: None,
            fallback: None,
            p_value: None,
            adjusted_p: None,
            verdict: Verdict::NotEvaluable,
        };
        let Some((study, source)) = study.zip(self.protocol.reader_study.as_ref()) else {
            out.not_evaluable = Some("there is no reader study".to_owned());
            return out;
        };
        let alone = endpoint.against == Against::ReaderPopulation;
        let report = if alone { study.analysed.device.as_ref() } else { Some(&study.analysed.readers) };
        let Some(report) = report else {
            out.not_evaluable.clone_from(&study.analysed.without_device);
            return out;
        };
        let [negatives, positives] = report.cases;
        let rated = count(study.readings.cases.len());
        out.n = count(negatives + positives);
        out.positives = count(positives);
        out.patients = report.patients.map_or(out.n, count);
        out.without_comparator = study.readings.not_rated + (rated - out.n);
        out.comparator = format!("{} readers without the device", report.readers.len());
        let by_u = method == By::UStatistic;
        let metric = endpoint.metric.id();
        let aided = source.aided.as_deref();
        out.other = report.mean_of(metric, &source.unaided);
        out.device = if alone {
            report.device_of(metric)
        } else {
            aided.and_then(|name| report.mean_of(metric, name))
        };
        let Some(line) = report.deciding(metric, source.holds_for, by_u, alone) else {
            if by_u && study.readings.clustered {
                let why = "U-statistics would take the cases of one patient as independent";
                out.not_evaluable = Some(why.to_owned());
                return out;
            }
            let said = report.merits.iter().find(|merit| merit.metric == metric);
            let said = said.and_then(|merit| merit.warnings.first()).map(|warning| warning.message.clone());
            out.not_evaluable = Some(said.unwrap_or_else(|| "there is no such estimate".to_owned()));
            return out;
        };
        out.difference = Some(line.value).filter(|value| value.is_finite());
        if by_u && !alone {
            // U-statistics weight readers by their pairs of cases: the means are theirs.
            out.other = report.u_mean_of(metric, &source.unaided);
            out.device = aided.and_then(|name| report.u_mean_of(metric, name));
        }
        self.judge(&mut out, line, level);
        out
    }

    fn judge(&self, out: &mut ComparisonResult, line: &Line, level: f64) {
        let Some(found) = line.found else {
            let why = "the variance of the difference is not above 0, so there is no interval";
            out.not_evaluable = Some(why.to_owned());
            return;
        };
        let half = found.se * found.df.map_or_else(|| z_two_sided(level), |df| t_two_sided(level, df));
        let limits = (found.estimate - half, found.estimate + half);
        out.interval = Some(Interval::closed(out.interval_method, level, limits));
        out.p_value = Some(p_of(out.aim, out.margin, &found));
        out.verdict = if out.aim.holds(out.margin, limits) { Verdict::Met } else { Verdict::NotMet };
    }
}

/// One-sided p value of H0, by the law of the interval.
fn p_of(aim: Aim, margin: f64, found: &Inference) -> f64 {
    match aim {
        Aim::Superiority => found.p_above(margin),
        Aim::NonInferiority => found.p_above(-margin),
        Aim::Equivalence => found.p_above(-margin).max(found.p_below(margin)),
    }
}
