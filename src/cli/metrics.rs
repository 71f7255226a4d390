//! `sequester metrics`: every statistic of a table of scores, without a study.

mod repeated;
mod several;
mod text;
mod two;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use super::domain::{between, level, replicates, usage};
use super::progress::doing;
use super::who::WhoArgs;
use super::{Context, Outcome};
use crate::diagnostic::{Code, Diagnostic, Error, Result};
use crate::statistics::calibration::equal_edges;
use crate::statistics::estimate::ResamplingUnit;
use crate::statistics::metric::Metric;
use crate::storage;
use crate::table::labelled::{LabelledScores, Wanted as WantedColumns};
use crate::workflow::examined;
use crate::workflow::metrics::{Asked, Bootstrap, Report, Wanted};
use crate::workflow::outside::Outside;

pub use text::text_table;

/// Compute every statistic of a table of labels and scores.
///
/// FILE is a CSV with a header, one row a case. Higher scores mean positive; a case is called positive at
/// or above a threshold; the direction is never flipped. Prints a readable table, or with --json all
/// estimates with every interval that exists for them. Numbers in JSON read back exactly.
///
/// The whole table is held in memory, about 60 bytes a row with one score: ten million rows took 0.53 GB.
/// Bootstraps that would take minutes on so many cases are left out with a warning, unless --metric asks for
/// them.
///
/// Scores of a study (its score table, or what lies in its evidence) are looked at outside the protocol: the
/// study's ledger gets the event scores-examined, and its documents print it.
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct MetricsArgs {
    #[command(subcommand)]
    command: Option<MetricsCommand>,
    /// CSV with a header, one row a case.
    #[arg(value_name = "FILE.csv", required = true)]
    file: Option<PathBuf>,
    /// Column of the reference standard: 1/0, true/false, yes/no or positive/negative.
    #[arg(long, value_name = "COLUMN", default_value = "label")]
    label: String,
    /// The value of the label column that means positive; any one other value is then negative.
    #[arg(long, value_name = "VALUE")]
    positive: Option<String>,
    /// Column of the scores.
    #[arg(long, value_name = "COLUMN", default_value = "score")]
    score: String,
    /// Column of a second model's scores of the same cases, compared pairwise.
    #[arg(long, value_name = "COLUMN")]
    compare: Option<String>,
    /// Thresholds for calls; repeat or separate by commas.
    #[arg(
        long,
        value_name = "T",
        value_delimiter = ',',
        default_value = "0.5",
        allow_negative_numbers = true
    )]
    threshold: Vec<f64>,
    /// Column that says which cases belong together, usually the patient.
    #[arg(long, alias = "cluster", value_name = "COLUMN")]
    patient: Option<String>,
    /// Column of the site: for resampling by site, and to test whether AUC, sensitivity, specificity and
    /// prevalence are the same at every site (two sites at least), with each site and with all others. With
    /// --patient, sites are compared between patients.
    #[arg(long, value_name = "COLUMN")]
    site: Option<String>,
    /// Columns that define subgroups, separated by commas.
    #[arg(long, alias = "by", value_name = "COLUMNS", value_delimiter = ',')]
    subgroup: Vec<String>,
    /// Subgroups with fewer cases are marked insufficient.
    #[arg(long, value_name = "N", default_value_t = 30)]
    subgroup_minimum: u64,
    /// Only these metrics, by id, separated by commas; with --compare, auc brings auc_difference along and
    /// accuracy mcnemar.
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    metric: Vec<String>,
    /// Bootstrap replicates; 0 for none. "exact" sums the law that replicates tend to: of every metric of a
    /// 2x2 table, where cases are drawn (--unit case or case-stratified).
    #[arg(long, value_name = "B", default_value_t = Bootstrap::Replicates(2000))]
    bootstrap: Bootstrap,
    /// Seed of the bootstrap.
    #[arg(long, value_name = "N", default_value_t = 7)]
    seed: u64,
    /// What the bootstrap draws [default: patient with --patient, else case].
    #[arg(long, value_name = "UNIT")]
    unit: Option<Unit>,
    /// Two-sided confidence level.
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95)]
    level: f64,
    /// Also carry PPV, NPV and F1 to this prevalence.
    #[arg(long, value_name = "P")]
    prevalence: Option<f64>,
    /// Upper end of the false positive rates of the partial AUC.
    #[arg(long, value_name = "RATE", default_value_t = 0.1)]
    max_fpr: f64,
    /// Edges of the bins of ece, mce and the reliability curve, ascending from 0 to 1 [default: ten equal
    /// bins].
    #[arg(long, value_name = "EDGES", value_delimiter = ',')]
    bin_edges: Vec<f64>,
    /// Also give the ROC curve with its pointwise bootstrap band and the precision-recall curve, in JSON.
    #[arg(long, requires = "json")]
    curves: bool,
    /// Leave out rows with an empty label or score, and say how many, instead of refusing the file.
    #[arg(long)]
    skip_missing: bool,
}

#[derive(Debug, Subcommand)]
enum MetricsCommand {
    Paired(Box<two::PairedArgs>),
    Unpaired(two::UnpairedArgs),
    Multiplicity(several::MultiplicityArgs),
    Repeatability(repeated::RepeatabilityArgs),
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Unit {
    Case,
    CaseStratified,
    Patient,
    Site,
    SiteThenPatient,
}

impl From<Unit> for ResamplingUnit {
    fn from(unit: Unit) -> Self {
        match unit {
            Unit::Case => Self::Case,
            Unit::CaseStratified => Self::CaseStratified,
            Unit::Patient => Self::Patient,
            Unit::Site => Self::Site,
            Unit::SiteThenPatient => Self::SiteThenPatient,
        }
    }
}

/// Runs the command.
///
/// # Errors
/// [`Error::Usage`] for options outside their range; located diagnostics for everything wrong in the file.
pub fn run(args: &MetricsArgs, context: Context) -> Result<Outcome> {
    let file = match (&args.command, &args.file) {
        (Some(MetricsCommand::Paired(args)), _) => return two::run_paired(args, context),
        (Some(MetricsCommand::Unpaired(args)), _) => return two::run_unpaired(args, context),
        (Some(MetricsCommand::Multiplicity(args)), _) => return several::run(args, context),
        (Some(MetricsCommand::Repeatability(args)), _) => return repeated::run(args, context),
        (None, Some(file)) => file,
        (None, None) => return Err(usage("no file is named", "sequester metrics FILE.csv")),
    };
    check(args)?;
    let asked = asked(args)?;
    let mut groups: Vec<String> = asked.subgroup.clone();
    groups.extend(args.site.iter().filter(|&s| !asked.subgroup.contains(s)).cloned());
    let columns = WantedColumns {
        label: &args.label,
        positive: args.positive.as_deref(),
        score: &args.score,
        second: args.compare.as_deref(),
        cluster: args.patient.as_deref(),
        groups: &groups,
        skip_missing: Some(args.skip_missing),
        ..WantedColumns::default()
    };
    let bytes = storage::read(file)?;
    let table = LabelledScores::parse(file, &bytes, &columns).map_err(Error::Input)?;
    drop(bytes);
    // `--by` means a subgroup here: who acts is told by the environment.
    note_examined(file, &WhoArgs::default().outside(context)?)?;
    let report = Report::new(&asked, &table, &|what: &str| doing("metrics", what));
    if context.json {
        println!("{:#}", report.json(&asked));
    } else {
        print!("{}", text::text(&report, args.max_fpr));
    }
    Ok(Outcome::Done)
}

/// Records that a study's own scores are looked at, and says so.
pub fn note_examined(table: &Path, outside: &Outside<'_>) -> Result<()> {
    if let Some(study) = examined::record(table, outside)? {
        eprintln!(
            "note: these are scores of the study in {}: its ledger now says that they were looked at \
             outside the protocol (scores-examined), and its documents print it",
            study.display()
        );
    }
    Ok(())
}

/// Estimates that need --compare.
const OF_TWO_MODELS: [&str; 2] = ["auc_difference", "mcnemar"];

/// The options as what is asked of the table.
fn asked(args: &MetricsArgs) -> Result<Asked> {
    Ok(Asked {
        score: args.score.clone(),
        compare: args.compare.clone(),
        threshold: once(&args.threshold),
        clustered: args.patient.is_some(),
        site: args.site.clone(),
        subgroup: once(&args.subgroup),
        subgroup_minimum: args.subgroup_minimum,
        named: !args.metric.is_empty(),
        wanted: wanted(args)?,
        bootstrap: args.bootstrap,
        seed: args.seed,
        unit: unit_of(args),
        level: args.level,
        prevalence: args.prevalence,
        max_fpr: args.max_fpr,
        bin_edges: if args.bin_edges.is_empty() { equal_edges(10) } else { args.bin_edges.clone() },
        curves: args.curves,
    })
}

/// Each once, in the order given: a repeated threshold or column would give every estimate twice.
fn once<T: PartialEq + Clone>(list: &[T]) -> Vec<T> {
    let mut once = Vec::new();
    for one in list {
        if !once.contains(one) {
            once.push(one.clone());
        }
    }
    once
}

/// Which estimates.
///
/// # Errors
/// Ids that are unknown, or that compare where there is nothing to compare with.
fn wanted(args: &MetricsArgs) -> Result<Wanted> {
    if args.metric.is_empty() {
        return Ok(Wanted { metrics: Metric::ALL.to_vec(), difference: true, mcnemar: true });
    }
    let mut wanted = Wanted { metrics: Vec::new(), difference: false, mcnemar: false };
    for id in &args.metric {
        let of_two = OF_TWO_MODELS.contains(&id.as_str());
        if of_two && args.compare.is_none() {
            let message = format!("{id} compares two models, and there is no --compare");
            let hint = "name the column of the second model's scores with --compare";
            return Err(usage(message, hint));
        }
        let metric = Metric::from_id(id);
        if metric.is_none() && !of_two {
            let known: Vec<&str> = Metric::ALL.iter().map(|m| m.id()).chain(OF_TWO_MODELS).collect();
            let message = format!("there is no metric {id:?}");
            let hint = format!("known are {}", known.join(", "));
            return Err(Error::usage(Diagnostic::error(Code::MetricUnknown, message).hint(hint)));
        }
        wanted.metrics.extend(metric.filter(|m| !wanted.metrics.contains(m)));
        wanted.difference |= id == OF_TWO_MODELS[0] || metric == Some(Metric::Auc);
        wanted.mcnemar |= id == OF_TWO_MODELS[1] || metric == Some(Metric::Accuracy);
    }
    Ok(wanted)
}

/// What the bootstrap draws unless it is said.
fn unit_of(args: &MetricsArgs) -> ResamplingUnit {
    match args.unit {
        Some(unit) => unit.into(),
        None if args.patient.is_some() => ResamplingUnit::Patient,
        None => ResamplingUnit::Case,
    }
}

/// Options are in their ranges.
fn check(args: &MetricsArgs) -> Result<()> {
    level(args.level)?;
    if let Some(bad) = args.threshold.iter().find(|t| !t.is_finite()) {
        return Err(usage(format!("--threshold {bad} is not a finite number"), "use 0.5, say"));
    }
    if let Some(prevalence) = args.prevalence {
        between("prevalence", prevalence, "use 0.05, say")?;
    }
    if !(args.max_fpr > 0.0 && args.max_fpr <= 1.0) {
        return Err(usage(format!("--max-fpr {} is not in 0..1", args.max_fpr), "use 0.1, say"));
    }
    replicates(args.bootstrap.replicates(), args.level)?;
    let by_case = matches!(unit_of(args), ResamplingUnit::Case | ResamplingUnit::CaseStratified);
    if args.bootstrap == Bootstrap::Exact && !by_case {
        return Err(usage(
            "--bootstrap exact needs a law in closed form, and there is none where patients or sites are \
             drawn",
            "give a number of replicates, or draw cases with --unit case-stratified",
        ));
    }
    check_columns(args)?;
    let ascending = args.bin_edges.windows(2).all(|w| w[0] < w[1]);
    let whole = args.bin_edges.first() == Some(&0.0) && args.bin_edges.last() == Some(&1.0);
    let fit = args.bin_edges.is_empty() || (ascending && whole);
    if !fit {
        let given: Vec<String> = args.bin_edges.iter().map(f64::to_string).collect();
        return Err(usage(
            format!("--bin-edges {} do not ascend from 0 to 1", given.join(",")),
            "use 0,0.25,0.5,0.75,1, say",
        ));
    }
    Ok(())
}

/// Columns of their own, and those that the unit of the bootstrap needs.
fn check_columns(args: &MetricsArgs) -> Result<()> {
    let columns = [
        ("--label", Some(&args.label)),
        ("--score", Some(&args.score)),
        ("--compare", args.compare.as_ref()),
    ];
    for (place, (second, column)) in columns.iter().enumerate() {
        if let Some((first, _)) = columns[..place].iter().find(|c| column.is_some() && c.1 == *column) {
            return Err(usage(
                format!("{second} names the column {:?} that {first} names, too", column.map_or("", |c| c)),
                "label, score and the other model's score are columns of their own",
            ));
        }
    }
    match args.unit {
        Some(Unit::Patient | Unit::SiteThenPatient) if args.patient.is_none() => {
            return Err(usage(
                "--unit draws patients, and there is no --patient",
                "add --patient patient_id",
            ));
        }
        Some(Unit::Site | Unit::SiteThenPatient) if args.site.is_none() => {
            return Err(usage("--unit draws sites, and there is no --site", "add --site site"));
        }
        _ => {}
    }
    Ok(())
}
