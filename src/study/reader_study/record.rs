//! A reader study's figures as results hold them and documents print them.

use super::asked::Asked;
use super::curves::curves;
use super::figures_of_merit::{Line, Merit};
use super::gathered::Readings;
use super::report::Report;
use super::sessions;
use crate::diagnostic::Result;
use crate::protocol::ReaderStudySource;
use crate::protocol::reader_study::population_name;
use crate::reads::ratings::Ratings;
use crate::statistics::warning::Warning;
use crate::study::results::{
    AllAlike, DeclaredReading, ReaderEstimate, ReaderInference, ReaderMerit, ReaderMethod, ReaderStudyResult,
    ReaderValue, VarianceComponent,
};

/// The device alone: its scores of the cases, and from which on one is a positive call.
#[derive(Clone, Debug)]
pub struct DeviceScores<'a> {
    /// By case.
    pub scores: Vec<(&'a str, f64)>,
    /// The operating point.
    pub threshold: f64,
}

/// The device's name among the modalities; no word of a protocol is it, since those are trimmed.
const DEVICE: &str = "device alone";

/// Both analyses of a study: with and without the device, and the device alone beside readers without it.
#[derive(Clone, Debug)]
pub struct AnalysedReaders {
    /// With less without; one modality alone where nothing was read with the device.
    pub readers: Report,
    /// The device beside those without, where it gives scores.
    pub device: Option<Report>,
    /// Why the device is not beside them.
    pub without_device: Option<String>,
}

/// What is asked of a study's ratings.
fn asked(source: &ReaderStudySource, level: f64) -> Asked {
    Asked {
        level,
        covariances: source.covariances,
        population: source.holds_for,
        aim: None,
        margin: 0.0,
        between: source.aided.as_ref().map(|aided| [aided.clone(), source.unaided.clone()]),
        device: None,
        threshold: source.scale.positive_from,
        device_threshold: None,
    }
}

/// Computes everything of a study's ratings.
///
/// # Errors
/// `reader-without-reads` for a reader who rated no case of one class in a modality.
pub fn record(
    source: &ReaderStudySource,
    readings: &Readings,
    device: &DeviceScores<'_>,
    level: f64,
) -> Result<(ReaderStudyResult, AnalysedReaders)> {
    let asked = asked(source, level);
    let readers = Report::new(&readings.ratings, &asked)?;
    let mut out = record_of(&readers, &readings.ratings, &asked);
    let (beside, why) = beside(source, readings, device, &asked);
    if let Some(report) = &beside {
        out.device = Some(DEVICE.to_owned());
        out.add_device(report);
    }
    out.declared = Some(DeclaredReading {
        design: source.design,
        order: source.order,
        washout_days: source.washout_days,
        scale: (source.scale.min, source.scale.max),
        positive_from: source.scale.positive_from,
        threshold: device.threshold,
    });
    out.missing = readings.missing;
    out.without_reference = readings.without_reference;
    out.not_rated = readings.not_rated;
    out.sessions = sessions::sessions(&readings.counted);
    out.least_days = sessions::least_days(&readings.counted);
    out.reading_time = sessions::time_difference(&readings.counted, level);
    out.warnings.extend(readings.warnings.iter().map(Warning::of));
    out.warnings.sort();
    out.warnings.dedup();
    Ok((out, AnalysedReaders { readers, device: beside, without_device: why }))
}

/// The device beside readers without it, on the cases that both rated.
fn beside(
    source: &ReaderStudySource,
    readings: &Readings,
    device: &DeviceScores<'_>,
    asked: &Asked,
) -> (Option<Report>, Option<String>) {
    let scored = device.scores.iter().filter(|(case, _)| readings.cases.contains(*case));
    let scored: std::collections::BTreeMap<&str, f64> = scored.copied().collect();
    let mut ratings = readings.ratings.only(|case| scored.contains_key(case), &source.unaided);
    for (case, score) in &scored {
        ratings.add([DEVICE, case, DEVICE], *score);
    }
    let asked = Asked {
        between: None,
        device: Some(DEVICE.to_owned()),
        device_threshold: Some(device.threshold),
        ..asked.clone()
    };
    match Report::new(&ratings, &asked) {
        Ok(report) => (Some(report), None),
        Err(error) => {
            let said = error.diagnostics().first().map(|d| d.message.clone()).unwrap_or_default();
            (None, Some(format!("the device cannot be set beside the readers: {said}")))
        }
    }
}

/// A report of ratings as results hold it.
pub fn record_of(report: &Report, ratings: &Ratings, asked: &Asked) -> ReaderStudyResult {
    let mut warnings: Vec<Warning> = report.notes.iter().map(Warning::of).collect();
    warnings.sort();
    warnings.dedup();
    ReaderStudyResult {
        level: report.level,
        holds_for: population_name(asked.population).to_owned(),
        declared: None,
        modalities: report.modalities.clone(),
        device: asked.device.clone(),
        readers: report.readers.clone(),
        design: report.design.to_owned(),
        negatives: report.cases[0] as u64,
        positives: report.cases[1] as u64,
        patients: report.patients.map(|n| n as u64),
        ratings: report.ratings as u64,
        missing: 0,
        without_reference: 0,
        not_rated: 0,
        merits: report.merits.iter().map(|merit| merit_of(merit, report)).collect(),
        curves: curves(ratings),
        sessions: Vec::new(),
        least_days: None,
        reading_time: None,
        warnings,
    }
}

fn merit_of(merit: &Merit, report: &Report) -> ReaderMerit {
    let finite = |x: &f64| x.is_finite();
    ReaderMerit {
        metric: merit.metric.to_owned(),
        each: merit
            .each
            .iter()
            .filter(|(.., value)| finite(value))
            .map(|(place, reader, value)| ReaderValue {
                modality: report.modalities[*place].clone(),
                reader: reader.clone(),
                value: *value,
            })
            .collect(),
        methods: methods(merit, |_| true),
        components: merit
            .components
            .iter()
            .filter(|(_, value)| finite(value))
            .map(|(name, value)| VarianceComponent { name: (*name).to_owned(), value: *value })
            .collect(),
        warnings: merit.warnings.clone(),
    }
}

fn methods(merit: &Merit, holds: impl Fn(&str) -> bool) -> Vec<ReaderMethod> {
    let sections = merit.sections.iter().filter(|section| holds(section.id));
    sections
        .map(|section| ReaderMethod {
            id: section.id.to_owned(),
            method: section.method.clone(),
            lines: section.lines.iter().filter(|line| line.value.is_finite()).map(line_of).collect(),
            all_alike: section.global.filter(|(_, value, ..)| value.is_finite()).map(
                |(name, value, df1, df2, p)| AllAlike { statistic: name.to_owned(), value, df1, df2, p },
            ),
        })
        .collect()
}

fn line_of(line: &Line) -> ReaderEstimate {
    let found = line.found.map(|found| ReaderInference {
        standard_error: found.se,
        lower: found.limits.0,
        upper: found.limits.1,
        degrees_of_freedom: found.df,
        p: found.p,
    });
    ReaderEstimate { of: line.of.clone(), value: line.value, found }
}

impl ReaderStudyResult {
    /// What the device alone has beside the readers, and what is said of that.
    fn add_device(&mut self, report: &Report) {
        for merit in &report.merits {
            let own = self.merits.iter_mut().find(|own| own.metric == merit.metric);
            let Some(own) = own else { continue };
            own.methods.extend(methods(merit, |id| id.starts_with("device-")));
            for warning in &merit.warnings {
                if !own.warnings.contains(warning) {
                    own.warnings.push(warning.clone());
                }
            }
        }
    }
}
