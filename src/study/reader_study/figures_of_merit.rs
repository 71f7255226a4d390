//! The figures of merit of a reader study: areas, sensitivity and specificity of every reader, and their
//! means and differences by Obuchowski and Rockette's model and by U-statistics. The device alone beside
//! the readers is in `standalone`.

use super::asked::Asked;
use crate::diagnostic::Code;
use crate::reads::ratings::Ratings;
use crate::statistics::mrmc::analysis::{Effects, Meeting, analyse};
use crate::statistics::mrmc::u_statistics::{self, UEstimate};
use crate::statistics::mrmc::{
    Analysis, CovarianceMethod, Inference, Matrix, Moments, ReaderStudy, Shares, covariances,
};
use crate::statistics::warning::Warning;

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

/// Names for lines.
pub(super) struct Names<'a> {
    pub(super) modalities: &'a [String],
    pub(super) readers: &'a [String],
}

impl Names<'_> {
    /// Those who rated anything of these modalities.
    pub(super) fn all_readers(&self, study: &ReaderStudy) -> Vec<String> {
        let there: std::collections::BTreeSet<usize> = study.readers().into_iter().flatten().collect();
        there.into_iter().map(|reader| self.readers[reader].clone()).collect()
    }

    fn difference(&self, a: usize, b: usize) -> String {
        format!("{} - {}", self.modalities[a], self.modalities[b])
    }
}

pub(super) fn line(of: String, value: f64, found: Option<Inference>) -> Line {
    Line { of, found, value }
}

/// The line of an area or a share: its limits are cut to 0 and 1.
pub(super) fn line_of_share(of: String, value: f64, found: Option<Inference>) -> Line {
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

    pub(super) fn warn(&mut self, code: Code, message: impl Into<String>) {
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
}

/// Covariances of shares, which leave the cases of one patient together where patients are known.
pub(super) fn covariances_of_shares(
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
pub(super) fn areas(study: &ReaderStudy, names: &Names<'_>, met: Option<Meeting>, asked: &Asked) -> Merit {
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
pub(super) fn shares(
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
