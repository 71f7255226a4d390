//! A reader study from its ratings: figures of merit of every reader, their means and differences by every
//! method, and the device alone beside the readers. What `sequester reads mrmc` prints, and what a study's
//! endpoints are judged by.

use serde_json::{Map, Value, json};

use crate::diagnostic::{Code, Diagnostic, Error, Result};
use crate::reads::ratings::Ratings;
use crate::statistics::comparative::Aim;
use crate::statistics::mrmc::analysis::{Effects, Meeting, analyse};
use crate::statistics::mrmc::device::{AgainstDevice, against_device, u_against_device};
use crate::statistics::mrmc::u_statistics::{self, UEstimate};
use crate::statistics::mrmc::{
    Analysis, CovarianceMethod, Inference, Matrix, Moments, Population, ReaderStudy, Shares, covariances,
};
use crate::statistics::warning::Warning;

/// What is asked of the ratings.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Two-sided confidence level.
    pub level: f64,
    /// Covariances of areas; the one that fits where it is not given.
    pub covariances: Option<CovarianceMethod>,
    /// Whom the decision is for.
    pub population: Population,
    /// What is to be shown of the first modality less the second.
    pub aim: Option<Aim>,
    /// Its margin, without a sign.
    pub margin: f64,
    /// The two modalities that are compared where there are more, or in another order.
    pub between: Option<[String; 2]>,
    /// The modality that is the device alone.
    pub device: Option<String>,
    /// Ratings at or above it are positive calls.
    pub threshold: Option<f64>,
    /// The same of the device's scores; its calls are set beside the readers' where it is given.
    pub device_threshold: Option<f64>,
}

/// One line of the results.
#[derive(Clone, Debug)]
pub struct Line {
    /// What is estimated: a modality, a difference, a reader in a modality.
    pub of: String,
    /// The estimate; none where it is not evaluable.
    pub found: Option<Inference>,
    /// The estimate; NaN where it is not evaluable.
    pub value: f64,
}

/// Lines of one method.
#[derive(Clone, Debug)]
pub struct Section {
    /// Its id.
    pub id: &'static str,
    /// What it is, in words with its source.
    pub method: String,
    /// The lines.
    pub lines: Vec<Line>,
    /// The test that all modalities are alike, as (name, statistic, df1, df2, p).
    pub global: Option<(&'static str, f64, f64, Option<f64>, f64)>,
}

/// One figure of merit.
#[derive(Clone, Debug)]
pub struct Merit {
    /// `auc`, `sensitivity` or `specificity`.
    pub metric: &'static str,
    /// Each reader's value in each modality: (modality, reader, value).
    pub each: Vec<(usize, String, f64)>,
    /// The sections.
    pub sections: Vec<Section>,
    /// Components of variance by name.
    pub components: Vec<(&'static str, f64)>,
    /// What is to be known of it.
    pub warnings: Vec<Warning>,
}

/// The answer to the aim.
#[derive(Clone, Debug)]
pub struct Decision {
    /// What is compared.
    pub of: String,
    /// In words.
    pub words: String,
    /// Shown; none where there is no interval.
    pub shown: Option<bool>,
}

/// Everything.
#[derive(Clone, Debug)]
pub struct Report {
    /// The modalities that are compared, as they are named.
    pub modalities: Vec<String>,
    /// Readers.
    pub readers: Vec<String>,
    /// Negative and positive cases.
    pub cases: [usize; 2],
    /// Ratings.
    pub ratings: usize,
    /// Patients, where they are known.
    pub patients: Option<usize>,
    /// How readers and cases meet, in words.
    pub design: &'static str,
    /// Confidence level.
    pub level: f64,
    /// Figures of merit.
    pub merits: Vec<Merit>,
    /// The decision, where an aim was given.
    pub decision: Option<Decision>,
    /// How the file was read.
    pub notes: Vec<Diagnostic>,
}

fn usage(message: impl Into<String>, hint: impl Into<String>) -> Error {
    Error::usage(Diagnostic::error(Code::OptionOutOfRange, message).hint(hint.into()))
}

/// The place of a modality that is named.
fn modality(ratings: &Ratings, name: &str) -> Result<usize> {
    ratings.modalities.iter().position(|known| known == name).ok_or_else(|| {
        usage(
            format!("no rating is of the modality `{name}`"),
            format!("the modalities are {}", ratings.modalities.join(", ")),
        )
    })
}

/// How readers and modalities meet; none where some readers are in one modality and some in all.
fn meeting(study: &ReaderStudy) -> Option<Meeting> {
    let readers = study.readers();
    if readers.windows(2).all(|two| two[0] == two[1]) {
        let apart = study.has_cases_within_readers();
        return Some(if apart { Meeting::CasesWithinReaders } else { Meeting::Crossed });
    }
    let all: usize = readers.iter().map(Vec::len).sum();
    let distinct: std::collections::BTreeSet<&usize> = readers.iter().flatten().collect();
    (distinct.len() == all).then_some(Meeting::ReadersWithinModalities)
}

impl Report {
    /// Of ratings.
    ///
    /// # Errors
    /// A modality that is not there, a reader without ratings of one class, an aim without two modalities.
    pub fn new(ratings: &Ratings, asked: &Asked) -> Result<Self> {
        let device = asked.device.as_deref().map(|name| modality(ratings, name)).transpose()?;
        let mut of: Vec<usize> = (0..ratings.modalities.len()).filter(|m| Some(*m) != device).collect();
        if let Some([first, second]) = &asked.between {
            of = vec![modality(ratings, first)?, modality(ratings, second)?];
            if of[0] == of[1] || of.iter().any(|m| Some(*m) == device) {
                let hint = "name two modalities of the readers";
                return Err(usage("--between names a modality twice, or the device", hint));
            }
        }
        if device.is_some() && of.len() != 1 {
            let hint = "leave ratings of the other modalities out of the file";
            return Err(usage("the device alone is set beside the readers of one modality", hint));
        }
        let compared = if device.is_some() { 1 } else { of.len() };
        if asked.aim.is_some() && device.is_none() && compared != 2 {
            let message = format!("an aim compares two modalities, and there are {compared}");
            return Err(usage(message, "name them: --between FIRST,SECOND"));
        }
        let study = ratings.study(&of).map_err(Error::Input)?;
        let names: Vec<String> = of.iter().map(|m| ratings.modalities[*m].clone()).collect();
        let names = Names { modalities: &names, readers: &ratings.readers };
        let met = meeting(&study);
        let mut merits = vec![areas(&study, &names, met, asked)];
        if let Some(threshold) = asked.threshold {
            merits.extend(shares(ratings, &of, &study, &names, met, threshold, asked));
        }
        if let Some(device) = device {
            let whole = ratings.study(&[of[0], device]).map_err(Error::Input)?;
            merits[0].beside_device(&whole, &ratings.modalities[device], &names, asked)?;
            if let (Some(readers), Some(own)) = (asked.threshold, asked.device_threshold) {
                let cuts = [(of[0], readers), (device, own)];
                for merit in &mut merits[1..] {
                    merit.shares_beside_device(ratings, &cuts, &names, asked);
                }
            }
        }
        let design = match met {
            Some(Meeting::Crossed) if study.is_fully_read() => {
                "every reader read every case in all modalities"
            }
            Some(Meeting::Crossed) => "the same readers in all modalities; not every reader read every case",
            Some(Meeting::CasesWithinReaders) => {
                "the same readers in all modalities, each with cases of their own"
            }
            Some(Meeting::ReadersWithinModalities) => "other readers in each modality",
            None => "some readers in all modalities, some not",
        };
        let mut report = Self {
            modalities: names.modalities.to_vec(),
            readers: names.all_readers(&study),
            cases: ratings.cases(),
            ratings: ratings.count(),
            patients: ratings.patients(),
            design,
            level: asked.level,
            merits,
            decision: None,
            notes: ratings.notes.clone(),
        };
        report.decision = asked.aim.map(|aim| report.decide(aim, asked));
        Ok(report)
    }

    /// The line that decides of a metric: the difference for a population by Obuchowski and Rockette's model,
    /// or by U-statistics.
    pub fn deciding(&self, metric: &str, population: Population, by_u: bool, device: bool) -> Option<&Line> {
        let id = match (by_u, device, population) {
            (true, true, _) => "device-u-statistics",
            (true, false, _) => "u-statistics",
            (false, true, Population::ReadersAndCases) => "device-readers-and-cases",
            (false, true, Population::Cases) => "device-cases",
            (false, true, Population::Readers) => "device-readers",
            (false, false, Population::ReadersAndCases) => "readers-and-cases",
            (false, false, Population::Cases) => "cases",
            (false, false, Population::Readers) => "readers",
        };
        let merit = self.merits.iter().find(|merit| merit.metric == metric)?;
        merit.sections.iter().find(|s| s.id == id)?.lines.last()
    }

    fn section(&self, metric: &str, holds: impl Fn(&str) -> bool) -> Option<&Section> {
        self.merits.iter().find(|merit| merit.metric == metric)?.sections.iter().find(|s| holds(s.id))
    }

    /// The mean of a modality's readers.
    pub fn mean_of(&self, metric: &str, modality: &str) -> Option<f64> {
        let merit = self.merits.iter().find(|merit| merit.metric == metric)?;
        let place = self.modalities.iter().position(|name| name == modality)?;
        let own: Vec<f64> = merit.each.iter().filter(|(m, ..)| *m == place).map(|(.., x)| *x).collect();
        let mean = own.iter().sum::<f64>() / own.len() as f64;
        Some(mean).filter(|mean| mean.is_finite())
    }

    /// The average that U-statistics give of a modality.
    pub fn u_mean_of(&self, metric: &str, modality: &str) -> Option<f64> {
        let section = self.section(metric, |id| id == "u-statistics")?;
        section.lines.iter().find(|line| line.of == modality).map(|line| line.value)
    }

    /// The device's own figure.
    pub fn device_of(&self, metric: &str) -> Option<f64> {
        let section =
            self.section(metric, |id| id.starts_with("device-") && !id.ends_with("u-statistics"))?;
        section.lines.first().map(|line| line.value).filter(|value| value.is_finite())
    }

    /// The interval of the area decides, of the population that was asked for.
    fn decide(&self, aim: Aim, asked: &Asked) -> Decision {
        let line = self.deciding("auc", asked.population, false, asked.device.is_some());
        let of = line.map_or_else(String::new, |line| line.of.clone());
        let margin = asked.margin;
        let found = line.and_then(|line| line.found);
        let shown = found.map(|found| aim.holds(margin, found.limits));
        let wanted = match aim {
            Aim::Superiority => format!("the lower limit above {margin}"),
            Aim::NonInferiority => format!("the lower limit above -{margin}"),
            Aim::Equivalence => format!("both limits within -{margin} and {margin}"),
        };
        let words = match shown {
            Some(true) => format!("{} is shown: {wanted}", aim.id()),
            Some(false) => format!("{} is not shown: it needs {wanted}", aim.id()),
            None => format!("{} is not evaluable: there is no interval", aim.id()),
        };
        Decision { of, words, shown }
    }
}

/// Names for lines.
struct Names<'a> {
    modalities: &'a [String],
    readers: &'a [String],
}

impl Names<'_> {
    /// Those who rated anything of these modalities.
    fn all_readers(&self, study: &ReaderStudy) -> Vec<String> {
        let there: std::collections::BTreeSet<usize> = study.readers().into_iter().flatten().collect();
        there.into_iter().map(|reader| self.readers[reader].clone()).collect()
    }

    fn difference(&self, a: usize, b: usize) -> String {
        format!("{} - {}", self.modalities[a], self.modalities[b])
    }
}

fn line(of: String, value: f64, found: Option<Inference>) -> Line {
    Line { of, found, value }
}

/// The line of an area or a share: its limits are cut to 0 and 1.
fn line_of_share(of: String, value: f64, found: Option<Inference>) -> Line {
    let cut = |x: f64| x.clamp(0.0, 1.0);
    let found = found.map(|f| Inference { limits: (cut(f.limits.0), cut(f.limits.1)), ..f });
    Line { of, found, value }
}

/// The section of one population.
fn section(
    id: &'static str,
    method: String,
    names: &Names<'_>,
    merit: &[Vec<f64>],
    effects: &Effects,
) -> Section {
    let mean = |i: usize| merit[i].iter().sum::<f64>() / merit[i].len() as f64;
    let mut lines: Vec<Line> = effects
        .means
        .iter()
        .enumerate()
        .map(|(i, found)| line_of_share(names.modalities[i].clone(), mean(i), *found))
        .collect();
    lines.extend(
        effects
            .differences
            .iter()
            .map(|(a, b, found)| line(names.difference(*a, *b), mean(*a) - mean(*b), *found)),
    );
    let global =
        effects.global.map(|g| (if g.df2.is_some() { "F" } else { "chi2" }, g.statistic, g.df1, g.df2, g.p));
    Section { id, method, lines, global }
}

impl Merit {
    fn new(metric: &'static str, study: &ReaderStudy, names: &Names<'_>, merit: &[Vec<f64>]) -> Self {
        let each = study
            .readers()
            .iter()
            .zip(merit)
            .enumerate()
            .flat_map(|(i, (readers, of))| {
                readers
                    .iter()
                    .zip(of)
                    .map(move |(r, x)| (i, names.readers[*r].clone(), *x))
                    .collect::<Vec<_>>()
            })
            .collect();
        Self { metric, each, sections: Vec::new(), components: Vec::new(), warnings: Vec::new() }
    }

    fn warn(&mut self, code: Code, message: impl Into<String>) {
        self.warnings.push(Warning { code, message: message.into() });
    }

    fn add(&mut self, names: &Names<'_>, merit: &[Vec<f64>], found: &Analysis, by: &str) {
        let method = |what: &str| format!("{what}; Obuchowski-Rockette 1995, Hillis 2007, covariances {by}");
        self.sections.push(section(
            "readers-and-cases",
            method("for other readers and other cases"),
            names,
            merit,
            &found.readers_and_cases,
        ));
        self.sections.push(section(
            "cases",
            method("for other cases, these readers"),
            names,
            merit,
            &found.cases.effects,
        ));
        self.sections.push(section(
            "readers",
            "for other readers, these cases; paired t over readers".to_owned(),
            names,
            merit,
            &found.readers,
        ));
        let lines = found.cases.readers.iter().map(|(i, j, inference)| {
            let own = self.each.iter().filter(|(m, ..)| m == i).nth(*j);
            let (reader, value) = own.map_or(("", f64::NAN), |(_, reader, value)| (reader.as_str(), *value));
            line_of_share(format!("{reader}, {}", names.modalities[*i]), value, *inference)
        });
        let lines = lines.collect();
        self.sections.push(Section {
            id: "each-reader",
            method: method("each reader, other cases"),
            lines,
            global: None,
        });
        let differences = found.cases.differences.iter().map(|(reader, a, b, inference)| {
            let value = merit[*a][*reader] - merit[*b][*reader];
            let own = self.each.iter().filter(|(m, ..)| m == a).nth(*reader);
            let reader = own.map_or("", |(_, reader, _)| reader.as_str());
            line(format!("{reader}, {}", names.difference(*a, *b)), value, *inference)
        });
        let lines: Vec<Line> = differences.collect();
        if !lines.is_empty() {
            self.sections.push(Section {
                id: "each-reader-difference",
                method: method("each reader's difference, other cases"),
                lines,
                global: None,
            });
        }
        let c = &found.components;
        let several = merit.len() > 1;
        self.components = [
            ("variance", Some(c.variance)),
            ("cov1", c.cov1.filter(|_| several)),
            ("cov2", Some(c.cov2)),
            ("cov3", Some(c.cov3).filter(|_| several)),
            ("readers", c.reader),
            ("modality_by_reader", c.interaction),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect();
        let negative: Vec<&str> =
            self.components.iter().filter(|(_, value)| *value < 0.0).map(|(name, _)| *name).collect();
        if !negative.is_empty() {
            let message = format!(
                "negative estimates: {}; they stand as they are, and Cov2 - Cov3 counts as 0 where it is \
                 negative and readers are random",
                negative.join(", ")
            );
            self.warn(Code::VarianceNotPositive, message);
        }
    }

    /// The first `shares` are averages, the others differences.
    fn add_u(&mut self, averages: &[(String, UEstimate)], shares: usize, level: f64) {
        let mut lines = Vec::new();
        for (place, (of, estimate)) in averages.iter().enumerate() {
            if estimate.variance <= 0.0 {
                let message = format!("the unbiased variance of {of} is not above 0: there is no interval");
                self.warn(Code::VarianceNotPositive, message);
            }
            let make = if place < shares { line_of_share } else { line };
            lines.push(make(of.clone(), estimate.estimate, estimate.infer(level)));
        }
        let method = "for other readers and other cases; U-statistics, unbiased (Gallas 2006, 2009), readers \
                      weighted by their pairs of cases";
        self.sections.push(Section { id: "u-statistics", method: method.to_owned(), lines, global: None });
    }

    /// The device alone; `whole` has the readers' modality and then the device's.
    fn beside_device(
        &mut self,
        whole: &ReaderStudy,
        device: &str,
        names: &Names<'_>,
        asked: &Asked,
    ) -> Result<()> {
        if whole.modalities[1].len() != 1 {
            let message = format!("`{device}` has {} readers; a device is one", whole.modalities[1].len());
            return Err(usage(message, "give the device's scores under one name in the reader's column"));
        }
        let moments = Moments::new(whole);
        let method = asked.covariances.unwrap_or_else(|| CovarianceMethod::of_study(whole));
        let aucs = whole.aucs();
        let of = format!("{device} - {}", names.modalities[0]);
        let found = covariances(whole, &moments, method)
            .and_then(|matrix| against_device(&aucs[0], aucs[1][0], &matrix, asked.level));
        let Some(found) = found else {
            self.warn(
                Code::IntervalNotEvaluable,
                "the device cannot be set beside the readers: two readers at \
                      least, and two cases of each class, are needed",
            );
            return Ok(());
        };
        self.add_device(device, &of, &found, method.id());
        if whole.patients.is_none()
            && let Some((u, _)) = u_against_device(whole, &moments, 0, 1)
        {
            let value = -u.estimate;
            let lines = vec![line(of, value, turned(u.infer(asked.level)))];
            let method = "the device alone, for other readers and other cases; U-statistics of the \
                          difference of kernels";
            self.sections.push(Section {
                id: "device-u-statistics",
                method: method.to_owned(),
                lines,
                global: None,
            });
        }
        Ok(())
    }
}

impl Merit {
    /// The device alone, for the three populations.
    fn add_device(&mut self, device: &str, of: &str, found: &AgainstDevice, by: &str) {
        let by = format!("(Hupse 2013, Chakraborty 2017), covariances {by}");
        let parts = [
            ("device-readers-and-cases", "for other readers and other cases", found.readers_and_cases),
            ("device-cases", "for other cases, these readers", found.cases),
            ("device-readers", "for other readers, these cases", found.of_readers),
        ];
        for (id, what, inference) in parts {
            self.sections.push(Section {
                id,
                method: format!("the device alone, {what} {by}"),
                lines: vec![
                    line_of_share(device.to_owned(), found.device, found.of_device),
                    line(of.to_owned(), -found.difference, turned(inference)),
                ],
                global: None,
            });
        }
    }

    /// The device's share beside the mean of the readers'. `cuts` are the readers' modality and the device's,
    /// each with the rating from which on one is a positive call.
    fn shares_beside_device(
        &mut self,
        ratings: &Ratings,
        cuts: &[(usize, f64); 2],
        names: &Names<'_>,
        asked: &Asked,
    ) {
        let positive = self.metric == "sensitivity";
        let shares = ratings.shares(cuts, positive);
        let (matrix, by) = covariances_of_shares(ratings, &shares, positive);
        let device = &ratings.modalities[cuts[1].0];
        let of = format!("{device} - {}", names.modalities[0]);
        let found = shares.shares().zip(matrix).and_then(|(values, matrix)| {
            against_device(values.first()?, *values.get(1)?.first()?, &matrix, asked.level)
        });
        match found {
            Some(found) => self.add_device(device, &of, &found, by),
            None => self.warn(
                Code::IntervalNotEvaluable,
                "the device cannot be set beside the readers: two readers at least, and two cases of the \
                 class, are needed",
            ),
        }
    }
}

/// The other way round.
fn turned(one: Option<Inference>) -> Option<Inference> {
    one.map(|one| Inference {
        estimate: -one.estimate,
        limits: (-one.limits.1, -one.limits.0),
        statistic: -one.statistic,
        ..one
    })
}

/// Covariances of shares, which leave the cases of one patient together where patients are known.
fn covariances_of_shares(
    ratings: &Ratings,
    shares: &Shares,
    positive: bool,
) -> (Option<Matrix>, &'static str) {
    match ratings.numbered_patients() {
        Some(patients) => {
            (shares.clustered_covariances(&patients[usize::from(positive)]), "linearised over patients")
        }
        None => (shares.covariances(), "unbiased"),
    }
}

/// Areas under the curves.
fn areas(study: &ReaderStudy, names: &Names<'_>, met: Option<Meeting>, asked: &Asked) -> Merit {
    let aucs = study.aucs();
    let mut merit = Merit::new("auc", study, names, &aucs);
    let moments = Moments::new(study);
    let method = asked.covariances.unwrap_or_else(|| CovarianceMethod::of_study(study));
    if study.patients.is_some() && !method.minds_patients() {
        let message = format!("{} takes the cases of one patient as independent", method.id());
        merit.warn(Code::ClusteringIgnored, message);
    }
    match (met, covariances(study, &moments, method)) {
        (None, _) => merit.warn(
            Code::IntervalNotEvaluable,
            "some readers are in one modality only: leave them out, or take the U-statistics",
        ),
        (_, None) => {
            let message = format!(
                "{} covariances need two cases of each class for every reader{}",
                method.id(),
                if study.is_fully_read() { "" } else { ", and some of them every reader on every case" }
            );
            merit.warn(Code::IntervalNotEvaluable, message);
        }
        (Some(met), Some(matrix)) => match analyse(&aucs, &matrix, met, asked.level) {
            Some(found) => merit.add(names, &aucs, &found, method.id()),
            None => merit.warn(
                Code::IntervalNotEvaluable,
                "one reader is no sample of readers: two in each modality are needed",
            ),
        },
    }
    if study.patients.is_some() {
        merit.warn(
            Code::ClusteringIgnored,
            "U-statistics are left out: they would take the cases of one patient as independent",
        );
    } else if study.modalities.iter().all(|of| of.len() > 1) {
        let averages = u_statistics::averages(study, &moments);
        let mut all: Vec<(String, UEstimate)> =
            names.modalities.iter().cloned().zip(averages.iter().map(|(u, _)| *u)).collect();
        for a in 0..averages.len() {
            for b in a + 1..averages.len() {
                let (found, _) = u_statistics::difference(study, &moments, &averages, a, b);
                all.push((names.difference(a, b), found));
            }
        }
        merit.add_u(&all, names.modalities.len(), asked.level);
    }
    merit
}

/// Sensitivity and specificity at a threshold.
fn shares(
    ratings: &Ratings,
    of: &[usize],
    study: &ReaderStudy,
    names: &Names<'_>,
    met: Option<Meeting>,
    threshold: f64,
    asked: &Asked,
) -> Vec<Merit> {
    let one = |(metric, positive): (&'static str, bool)| {
        let cuts: Vec<(usize, f64)> = of.iter().map(|modality| (*modality, threshold)).collect();
        let shares = ratings.shares(&cuts, positive);
        let values = shares.shares()?;
        let mut merit = Merit::new(metric, study, names, &values);
        let (matrix, by) = covariances_of_shares(ratings, &shares, positive);
        match met.zip(matrix).and_then(|(met, matrix)| analyse(&values, &matrix, met, asked.level)) {
            Some(found) => merit.add(names, &values, &found, by),
            None => merit.warn(Code::IntervalNotEvaluable, "two readers in each modality are needed"),
        }
        if study.patients.is_some() {
            merit.warn(
                Code::ClusteringIgnored,
                "U-statistics are left out: they would take the cases of one patient as independent",
            );
        } else if values.iter().all(|of| of.len() > 1) {
            let mut all: Vec<(String, UEstimate)> =
                names.modalities.iter().cloned().zip(shares.averages()).collect();
            for a in 0..of.len() {
                for b in a + 1..of.len() {
                    all.push((names.difference(a, b), shares.difference(a, b)));
                }
            }
            merit.add_u(&all, names.modalities.len(), asked.level);
        }
        Some(merit)
    };
    [("sensitivity", true), ("specificity", false)].into_iter().filter_map(one).collect()
}

/// A number, or nothing where there is none.
fn number(x: f64) -> Value {
    if x.is_finite() { json!(x) } else { Value::Null }
}

fn line_json(line: &Line) -> Value {
    let mut out = json!({"of": line.of, "estimate": number(line.value)});
    if let (Some(found), Some(fields)) = (line.found, out.as_object_mut()) {
        let more = json!({
            "standard_error": found.se, "lower": found.limits.0, "upper": found.limits.1,
            "degrees_of_freedom": found.df.map(number), "statistic": number(found.statistic),
            "p": number(found.p),
        });
        fields.extend(more.as_object().cloned().unwrap_or_default());
    }
    out
}

impl Report {
    /// For machines: `sequester-reader-study/1`.
    pub fn json(&self) -> Value {
        let merit = |merit: &Merit| {
            let sections: Vec<Value> = merit
                .sections
                .iter()
                .map(|section| {
                    let global = section.global.map(|(name, statistic, df1, df2, p)| {
                        json!({"statistic": name, "value": statistic, "df1": df1, "df2": df2, "p": p})
                    });
                    json!({
                        "id": section.id, "method": section.method, "all_alike": global,
                        "lines": section.lines.iter().map(line_json).collect::<Vec<_>>(),
                    })
                })
                .collect();
            let each: Vec<Value> = merit
                .each
                .iter()
                .map(|(m, r, x)| json!({"modality": self.modalities[*m], "reader": r, "value": number(*x)}))
                .collect();
            let components: Map<String, Value> =
                merit.components.iter().map(|(name, x)| ((*name).to_owned(), number(*x))).collect();
            json!({
                "metric": merit.metric, "readers": each, "components": components, "sections": sections,
                "warnings": merit.warnings,
            })
        };
        let decision =
            self.decision.as_ref().map(|d| json!({"of": d.of, "shown": d.shown, "words": d.words}));
        json!({
            "format": "sequester-reader-study/1", "level": self.level, "modalities": self.modalities,
            "readers": self.readers, "negatives": self.cases[0], "positives": self.cases[1],
            "ratings": self.ratings, "patients": self.patients, "design": self.design,
            "merits": self.merits.iter().map(merit).collect::<Vec<_>>(),
            "decision": decision,
        })
    }
}
