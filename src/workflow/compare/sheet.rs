//! The sheet itself: contenders, pairs, what is best, and warnings.

use std::path::Path;

use super::contenders::{self, Loaded, Shared, epochs};
use super::thresholds::Thresholds;
use super::{counts, ensemble};
use crate::comparison;
use crate::comparison::{
    AucTest, CallTest, Cases, Comparison, Contender, Data, FORMAT, Family, Kind, Method, Settings, Split,
    Threshold,
};
use crate::diagnostic::{Code, Diagnostic, Error, Result};
use crate::statistics::operating_point::OperatingPointRule;
use crate::statistics::warning::Warning;
use crate::workflow::outside::Outside;

/// So many can be told apart in a figure.
const MOST: usize = 12;

/// What is compared, and how.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Runs and tables, `NAME=PATH` or `PATH`.
    pub contenders: &'a [String],
    /// Averages with weights, `NAME=A:W,B:W`.
    pub ensembles: &'a [String],
    /// Averages whose weights are searched, `NAME=A,B`.
    pub explored: &'a [String],
    /// `T` or `NAME=T`.
    pub thresholds: &'a [String],
    /// Chooses the threshold of a contender without one.
    pub rule: OperatingPointRule,
    /// Where the sets of cases differ, the common ones are compared.
    pub common: bool,
    /// Compared with each other one.
    pub reference: Option<&'a str>,
    /// The highest AUC is compared with each other one.
    pub against_best: bool,
    /// Two-sided confidence level.
    pub level: f64,
    /// Of the bootstrap.
    pub replicates: u64,
    /// Of the bootstrap.
    pub seed: u64,
}

/// The family of comparisons, with the reference known to exist.
fn family(asked: &Asked<'_>, names: &[String]) -> Result<Family> {
    match asked.reference {
        Some(name) if names.iter().any(|known| known == name) => {
            Ok(Family::AgainstReference(name.to_owned()))
        }
        Some(name) => Err(contenders::unknown(name, names)),
        None if asked.against_best => Ok(Family::AgainstBest),
        None => Ok(Family::AllPairs),
    }
}

fn settings(asked: &Asked<'_>, family: Family) -> Settings {
    Settings { level: asked.level, family, replicates: asked.replicates, seed: asked.seed }
}

/// Published numbers, compared without pairing. `given`: positive and negative cases, where the table has no
/// counts.
///
/// # Errors
/// Everything wrong in the table; a reference that is not there; too many rows.
pub fn published(asked: &Asked<'_>, path: &Path, given: Option<(u64, u64)>) -> Result<Comparison> {
    let (rows, mut warnings) = counts::read(path, given)?;
    let names: Vec<String> = rows.iter().map(|r| r.name.clone()).collect();
    too_many(names.len())?;
    let settings = Settings { replicates: 0, ..settings(asked, family(asked, &names)?) };
    let contenders: Vec<Contender> = rows.iter().map(|row| comparison::from_counts(row, &settings)).collect();
    let pairs = comparison::compare_published(&contenders, &settings);
    let best = comparison::best(&contenders, &pairs, settings.level);
    warnings.push(Warning {
        code: Code::UnpairedApproximation,
        message: "single cases are not known: the models are compared as if each had cases of its own".into(),
    });
    let data = Data {
        split: Split::PublishedCounts,
        cases: 0,
        positives: 0,
        negatives: 0,
        patients: None,
        clustered: false,
        common_only: false,
        synthetic: false,
    };
    let method = method(&settings, pairs.len(), AucTest::HanleyMcneilUnpaired, None);
    Ok(assembled(data, method, contenders, pairs, best, warnings))
}

fn method(settings: &Settings, comparisons: usize, auc_test: AucTest, call_test: Option<CallTest>) -> Method {
    Method {
        level: settings.level,
        family: settings.family.clone(),
        comparisons: comparisons as u64,
        correction: "holm".to_owned(),
        auc_test,
        call_test,
        replicates: settings.replicates,
        seed: settings.seed,
    }
}

fn assembled(
    data: Data,
    method: Method,
    contenders: Vec<Contender>,
    pairs: Vec<comparison::Pair>,
    best: Option<comparison::Best>,
    warnings: Vec<Warning>,
) -> Comparison {
    Comparison {
        format: FORMAT.to_owned(),
        program_version: env!("CARGO_PKG_VERSION").to_owned(),
        data,
        method,
        contenders,
        pairs,
        best,
        warnings,
    }
}

fn too_many(count: usize) -> Result<()> {
    if count <= MOST {
        return Ok(());
    }
    Err(Diagnostic::error(
        Code::TooManyContenders,
        format!("{count} contenders; at most {MOST} are compared"),
    )
    .hint("compare fewer: every further one also costs the others power")
    .into())
}

/// One contender with its scores of the compared cases.
struct Entrant {
    contender: Contender,
    scores: Vec<f64>,
}

/// Runs and tables, compared case by case.
///
/// # Errors
/// Whatever is wrong with runs, tables, names and weights.
pub fn of_scores(asked: &Asked<'_>, outside: &Outside<'_>) -> Result<Comparison> {
    let loaded = contenders::load(asked.contenders)?;
    too_many(loaded.len() + asked.ensembles.len() + asked.explored.len())?;
    let shared = contenders::align(&loaded, asked.common)?;
    let mut names: Vec<String> = loaded.iter().map(|l| l.name.clone()).collect();
    let plans = ensemble::parse(asked.ensembles, asked.explored, &mut names)?;
    let thresholds = Thresholds::parse(asked.thresholds, &names)?;
    let settings = settings(asked, family(asked, &names)?);
    let cases = Cases { labels: &shared.labels, patients: shared.clusters.as_deref() };
    outside.say(
        "compare",
        &format!(
            "{} {} on {} cases, {} positive",
            names.len(),
            if names.len() == 1 { "contender" } else { "contenders" },
            shared.labels.len(),
            shared.labels.iter().filter(|l| **l).count()
        ),
    );

    let mut entrants: Vec<Entrant> = Vec::new();
    for (one, scores) in loaded.iter().zip(&shared.scores) {
        let point = thresholds.of(one, asked.rule)?;
        entrants.push(entrant(&cases, &settings, scores.clone(), point, blank(one, shared.left_out(one))));
    }
    for plan in &plans {
        let average = average(plan, &loaded, &shared);
        let point = thresholds.of_scores(&plan.name, &shared, &average.scores, asked.rule)?;
        entrants.push(entrant(&cases, &settings, average.scores, point, average.contender));
    }

    let (contenders, scores): (Vec<Contender>, Vec<Vec<f64>>) =
        entrants.into_iter().map(|e| (e.contender, e.scores)).unzip();
    let scores: Vec<&[f64]> = scores.iter().map(Vec::as_slice).collect();
    if let Family::AgainstReference(name) = &settings.family
        && contenders.iter().any(|c| c.name == *name && c.exploratory)
    {
        let message = format!("{name} has weights chosen on these cases and cannot be the reference");
        return Err(Error::usage(
            Diagnostic::error(Code::ReferenceExploratory, message)
                .hint("name a contender that was fixed beforehand"),
        ));
    }
    let pairs = comparison::compare_pairs(&cases, &contenders, &scores, &settings);
    let best = comparison::best(&contenders, &pairs, settings.level);
    let clustered = shared.clusters.is_some();
    let auc_test = if clustered { AucTest::Obuchowski } else { AucTest::Delong };
    let call_test = if clustered { CallTest::Obuchowski1998 } else { CallTest::McnemarExact };
    let call_test = (!pairs.is_empty()).then_some(call_test);
    let positives = shared.labels.iter().filter(|l| **l).count() as u64;
    let any_run = loaded.iter().any(|l| l.kind == Kind::Run);
    let data = Data {
        split: if any_run { Split::Tuning } else { Split::Given },
        cases: shared.labels.len() as u64,
        positives,
        negatives: shared.labels.len() as u64 - positives,
        patients: shared.patients,
        clustered,
        common_only: shared.differ,
        synthetic: loaded.iter().any(|l| l.synthetic),
    };
    let warnings = warnings(&contenders, &loaded, &shared, &data);
    let method = method(&settings, pairs.len(), auc_test, call_test);
    Ok(assembled(data, method, contenders, pairs, best, warnings))
}

/// A weighted average, as a contender that is not measured yet.
fn average(plan: &ensemble::Plan, loaded: &[Loaded], shared: &Shared) -> Entrant {
    let mut members: Vec<(&str, &[f64])> = plan
        .members
        .iter()
        .filter_map(|name| {
            let index = loaded.iter().position(|l| l.name == *name)?;
            Some((loaded[index].name.as_str(), shared.scores[index].as_slice()))
        })
        .collect();
    // In order of names, so that the order in which they are given cannot change the last digit.
    let mut weights = plan.weights.clone();
    if let Some(weights) = &mut weights {
        let mut both: Vec<_> = members.iter().copied().zip(weights.iter().copied()).collect();
        both.sort_by(|a, b| a.0.0.cmp(b.0.0));
        (members, *weights) = both.into_iter().unzip();
    } else {
        members.sort_by(|a, b| a.0.cmp(b.0));
    }
    let of_members: Vec<&[f64]> = members.iter().map(|m| m.1).collect();
    let chosen = weights.is_none();
    let weights = weights.unwrap_or_else(|| comparison::search_weights(&shared.labels, &of_members));
    let scores = comparison::weighted_average(&of_members, &weights);
    let mut contender = blank_named(&plan.name, Kind::Ensemble);
    contender.title = "weighted average".to_owned();
    contender.exploratory = chosen;
    contender.members = members
        .iter()
        .zip(&weights)
        .map(|(member, weight)| comparison::Member { name: member.0.to_owned(), weight: *weight })
        .collect();
    Entrant { contender, scores }
}

/// What readers of the sheet have to know.
fn warnings(contenders: &[Contender], loaded: &[Loaded], shared: &Shared, data: &Data) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for one in contenders.iter().filter(|contender| contender.two_valued) {
        warnings.push(Warning {
            code: Code::TwoValuedScores,
            message: format!(
                "{} has two values alone: its ROC curve is one point, and its AUC the mean of sensitivity \
                 and specificity there; compare those",
                one.name
            ),
        });
    }
    if shared.differ {
        let left: Vec<String> =
            loaded.iter().map(|l| format!("{} of {}", shared.left_out(l), l.name)).collect();
        warnings.push(Warning {
            code: Code::CommonCasesOnly,
            message: format!(
                "the contenders did not score the same cases: {} common ones are compared, left out are {}",
                data.cases,
                left.join(", ")
            ),
        });
    }
    if !data.clustered && data.patients.is_none() {
        warnings.push(Warning {
            code: Code::PatientsUnknown,
            message: "no table names patients: cases are taken as independent".into(),
        });
    }
    warnings
}

fn entrant(
    cases: &Cases<'_>,
    settings: &Settings,
    scores: Vec<f64>,
    point: Threshold,
    contender: Contender,
) -> Entrant {
    let (estimates, confusion, curves) = comparison::measure(cases, &scores, point.threshold, settings);
    let contender = Contender {
        operating_point: Some(point),
        confusion: Some(confusion),
        estimates,
        curves,
        two_valued: comparison::two_valued(&scores),
        ..contender
    };
    Entrant { contender, scores }
}

fn blank_named(name: &str, kind: Kind) -> Contender {
    Contender {
        name: name.to_owned(),
        kind,
        title: String::new(),
        exploratory: false,
        two_valued: false,
        members: Vec::new(),
        scores_sha256: None,
        left_out: 0,
        operating_point: None,
        confusion: None,
        estimates: Vec::new(),
        curves: comparison::Curves::default(),
        training: Vec::new(),
    }
}

fn blank(loaded: &Loaded, left_out: u64) -> Contender {
    Contender {
        title: loaded.title.clone(),
        scores_sha256: Some(loaded.scores_sha256.to_string()),
        left_out,
        training: epochs(&loaded.history),
        ..blank_named(&loaded.name, loaded.kind)
    }
}
