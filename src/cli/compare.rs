//! `sequester compare`: several trained models, tables of scores or published counts on one sheet, and whether the
//! best is shown to be the best.

mod counts;
mod ensemble;
mod thresholds;

use std::path::{Path, PathBuf};

use clap::Args;

use self::thresholds::Thresholds;
use super::{Context, Outcome, say};
use crate::comparison;
use crate::comparison::{
    AucTest, CallTest, Cases, Comparison, Contender, Data, FORMAT, Family, Kind, Method, Settings, Split,
    Threshold,
};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::document::render::FontFile;
use crate::report::comparison as document;
use crate::statistics::operating_point::OperatingPointRule;
use crate::statistics::warning::Warning;
use crate::storage;
use crate::workflow::compare::{self as contender, Loaded, epochs};
use crate::workflow::report::publish;

/// So many can be told apart in a figure.
const MOST: usize = 12;

/// Compare trained models honestly: is the best one shown to be the best?
///
/// Each CONTENDER is a complete training run (a study, its model folder, or the run folder) or a table of scores with
/// the columns case_id, label, score and, where patients have several cases, patient_id. NAME= gives it a name;
/// without, a run has its experiment's id and a table its file's name. All must have scored the same cases with the same
/// labels. Every pair is compared by AUC (DeLong; Obuchowski where patients have several cases) and by calls at each
/// contender's own operating point (McNemar), with p values adjusted for their number after Holm. Runs are compared on
/// their tuning split: that selects a model, and is no performance claim. One run alone is shown without tests.
///
///   sequester compare runs/1a runs/1b runs/2a runs/2b --out comparison
///
///   sequester compare a=runs/1a b=scores-b.csv --ensemble both=a:0.5,b:0.5 --json
///
///   sequester compare --counts published.csv --positives 222 --negatives 16148
#[derive(Clone, Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct CompareArgs {
    /// Training runs and tables of scores.
    #[arg(value_name = "[NAME=]CONTENDER", required_unless_present = "counts", conflicts_with = "counts")]
    contenders: Vec<String>,
    /// Table of published numbers instead: name, auc and, where printed, tp, fn, fp, tn. Compared without pairing.
    #[arg(long, value_name = "FILE.csv")]
    counts: Option<PathBuf>,
    /// Published numbers: positive cases, where the table has no counts.
    #[arg(long, value_name = "N", requires_all = ["counts", "negatives"])]
    positives: Option<u64>,
    /// Published numbers: negative cases, where the table has no counts.
    #[arg(long, value_name = "N", requires_all = ["counts", "positives"])]
    negatives: Option<u64>,
    /// Where the sets of cases differ, compare the cases that all contenders scored, instead of refusing.
    #[arg(long, conflicts_with = "counts")]
    common: bool,
    /// Threshold of all contenders, or of one; repeat for several [default: of a locked run its own, else by --rule].
    #[arg(long, value_name = "[NAME=]T", allow_negative_numbers = true, conflicts_with = "counts")]
    threshold: Vec<String>,
    /// How the threshold of a contender without one is chosen on its own cases: youden, sensitivity=0.9, specificity=0.9,
    /// threshold=0.4 or cost=20@0.0136.
    #[arg(long, value_name = "RULE", default_value = "youden", conflicts_with = "counts")]
    rule: OperatingPointRule,
    /// Another contender: the average of others' scores with these weights, which sum to 1. The weights must have been
    /// fixed without looking at these cases.
    #[arg(long, value_name = "NAME=A:W,B:W", conflicts_with = "counts")]
    ensemble: Vec<String>,
    /// An average whose weights are chosen on these cases for the highest AUC: shown as exploratory, never tested.
    #[arg(long, value_name = "NAME=A,B", conflicts_with = "counts")]
    explore_ensemble: Vec<String>,
    /// Compare the highest AUC with each other one instead of all pairs. The same cases choose it: p values are too small.
    #[arg(long, conflicts_with = "reference")]
    against_best: bool,
    /// Compare this contender, named before the scores were seen, with each other one instead of all pairs.
    #[arg(long, value_name = "NAME")]
    reference: Option<String>,
    /// Two-sided confidence level of intervals; one minus it is the level of the tests.
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95)]
    level: f64,
    /// Bootstrap replicates; 0 for none.
    #[arg(long, value_name = "B", default_value_t = 2000)]
    bootstrap: u64,
    /// Seed of the bootstrap.
    #[arg(long, value_name = "N", default_value_t = 7)]
    seed: u64,
    /// Also write comparison.html, .pdf, .md, .json and figures/*.svg into this folder; it is replaced if it holds an
    /// earlier comparison.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Folder with a comparison.md of your own in place of the built-in one.
    #[arg(long, value_name = "DIR", requires = "out")]
    templates: Option<PathBuf>,
    /// A font for characters of names that the built-in fonts lack (.ttf, .otf, .ttc); may be given several times.
    #[arg(long, value_name = "FILE", requires = "out")]
    font: Vec<PathBuf>,
    /// Write no comparison.pdf.
    #[arg(long, requires = "out", conflicts_with = "font")]
    no_pdf: bool,
}

/// Runs the command.
///
/// # Errors
/// Whatever is wrong with runs, tables, names and weights; nothing is written then.
pub fn run(args: &CompareArgs, context: Context) -> Result<Outcome> {
    check(args)?;
    if let Some(folder) = &args.out {
        refuse_foreign(folder)?;
    }
    let comparison = match &args.counts {
        Some(path) => published(args, path)?,
        None => of_scores(args)?,
    };
    for warning in &comparison.warnings {
        eprintln!("warning[{}]: {}", warning.code, warning.message);
    }
    if let Some(folder) = &args.out {
        write(args, &comparison, folder, context)?;
    }
    if context.json {
        println!("{:#}", document::to_json(&comparison));
    } else {
        print(&comparison);
    }
    Ok(Outcome::Done)
}

fn check(args: &CompareArgs) -> Result<()> {
    if !(args.level > 0.0 && args.level < 1.0) {
        let message = format!("--level {} is not between 0 and 1", args.level);
        return Err(Error::usage(Diagnostic::error(Code::OptionOutOfRange, message).hint("use 0.95, say")));
    }
    if args.bootstrap > 10_000_000 {
        let message = format!("--bootstrap {} is above ten million", args.bootstrap);
        return Err(Error::usage(
            Diagnostic::error(Code::OptionOutOfRange, message).hint("2000 to 10000 are usual"),
        ));
    }
    Ok(())
}

/// An output folder with anything else than an earlier comparison in it is left alone.
fn refuse_foreign(folder: &Path) -> Result<()> {
    let occupied = match std::fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_some() && !folder.join("comparison.json").is_file(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => false,
        Err(e) => return Err(Error::io("list", folder, &e)),
    };
    if !occupied {
        return Ok(());
    }
    Err(Diagnostic::error(Code::OutOccupied, "the folder holds something else than an earlier comparison")
        .at(Location::file(folder))
        .hint("name a folder that does not exist yet")
        .into())
}

fn write(args: &CompareArgs, comparison: &Comparison, folder: &Path, context: Context) -> Result<()> {
    let mut templates = document::default_templates();
    if let Some(own) = &args.templates {
        let path = own.join(document::TEMPLATE);
        let text = String::from_utf8(storage::read(&path)?).map_err(|e| {
            Diagnostic::error(Code::Template, format!("not UTF-8: {e}")).at(Location::file(&path))
        })?;
        templates.insert(document::TEMPLATE.to_owned(), text);
    }
    let font = |path: &PathBuf| -> Result<FontFile> {
        Ok(FontFile { name: path.display().to_string(), bytes: storage::read(path)? })
    };
    let fonts = if args.no_pdf { None } else { Some(args.font.iter().map(font).collect::<Result<_>>()?) };
    let source =
        document::Source { comparison: comparison.clone(), date: context.timestamp(), templates, fonts };
    let files = document::render(&source).map_err(|error| match error {
        Error::Input(problems) => Error::Input(problems.into_iter().map(with_way_out).collect()),
        other => other,
    })?;
    publish(&files, folder)?;
    for name in files.keys().filter(|name| !name.as_str().starts_with("figures/")) {
        say("compare", &format!("wrote {}", name.below(folder).display()));
    }
    Ok(())
}

/// Characters that no font has, with what to do.
fn with_way_out(problem: Diagnostic) -> Diagnostic {
    if problem.code == Code::FontMissing {
        problem.hint("name a font that has them with --font FILE, or write no PDF with --no-pdf")
    } else {
        problem
    }
}

/// The family of comparisons, with the reference known to exist.
fn family(args: &CompareArgs, names: &[String]) -> Result<Family> {
    match &args.reference {
        Some(name) if names.contains(name) => Ok(Family::AgainstReference(name.clone())),
        Some(name) => Err(contender::unknown(name, names)),
        None if args.against_best => Ok(Family::AgainstBest),
        None => Ok(Family::AllPairs),
    }
}

fn settings(args: &CompareArgs, family: Family) -> Settings {
    Settings { level: args.level, family, replicates: args.bootstrap, seed: args.seed }
}

/// Published numbers, compared without pairing.
fn published(args: &CompareArgs, path: &Path) -> Result<Comparison> {
    let given = args.positives.zip(args.negatives);
    let (rows, mut warnings) = counts::read(path, given)?;
    let names: Vec<String> = rows.iter().map(|r| r.name.clone()).collect();
    too_many(names.len())?;
    let settings = Settings { replicates: 0, ..settings(args, family(args, &names)?) };
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
fn of_scores(args: &CompareArgs) -> Result<Comparison> {
    let loaded = contender::load(&args.contenders)?;
    too_many(loaded.len() + args.ensemble.len() + args.explore_ensemble.len())?;
    let shared = contender::align(&loaded, args.common)?;
    let mut names: Vec<String> = loaded.iter().map(|l| l.name.clone()).collect();
    let plans = ensemble::parse(&args.ensemble, &args.explore_ensemble, &mut names)?;
    let thresholds = Thresholds::parse(&args.threshold, &names)?;
    let settings = settings(args, family(args, &names)?);
    let cases = Cases { labels: &shared.labels, patients: shared.clusters.as_deref() };
    say(
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
        let point = thresholds.of(one, args.rule)?;
        entrants.push(entrant(&cases, &settings, scores.clone(), point, blank(one, shared.left_out(one))));
    }
    for plan in &plans {
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
        let weights = weights.unwrap_or_else(|| comparison::search_weights(cases.labels, &of_members));
        let scores = comparison::weighted_average(&of_members, &weights);
        let point = thresholds.of_scores(&plan.name, &shared, &scores, args.rule)?;
        let mut contender = blank_named(&plan.name, Kind::Ensemble);
        contender.title = "weighted average".to_owned();
        contender.exploratory = chosen;
        contender.members = members
            .iter()
            .zip(&weights)
            .map(|(member, weight)| comparison::Member { name: member.0.to_owned(), weight: *weight })
            .collect();
        entrants.push(entrant(&cases, &settings, scores, point, contender));
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
    let mut warnings = Vec::new();
    for one in contenders.iter().filter(|contender| contender.two_valued) {
        warnings.push(Warning {
            code: Code::TwoValuedScores,
            message: format!(
                "{} has two values alone: its ROC curve is one point, and its AUC the mean of sensitivity and \
                 specificity there; compare those",
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
    if !clustered && data.patients.is_none() {
        warnings.push(Warning {
            code: Code::PatientsUnknown,
            message: "no table names patients: cases are taken as independent".into(),
        });
    }
    let method = method(&settings, pairs.len(), auc_test, call_test);
    Ok(assembled(data, method, contenders, pairs, best, warnings))
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

fn print(comparison: &Comparison) {
    for sentence in document::conclusion(comparison) {
        println!("{sentence}");
    }
    println!("\n{}\n", document::statement(comparison));
    for plain in document::plain_tables(comparison) {
        println!("{}", plain.caption);
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        table.set_header(&plain.header);
        for mut row in plain.rows {
            row.resize(plain.header.len(), String::new());
            table.add_row(row);
        }
        println!("{table}");
        for note in plain.notes {
            println!(" {note}");
        }
        println!();
    }
    for sentence in document::method(comparison) {
        println!("{sentence}");
    }
}
