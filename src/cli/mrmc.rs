//! `sequester reads mrmc` and `sequester design mrmc`: reader studies, readers and cases random.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::{Context, Outcome};
use crate::diagnostic::{Code, Diagnostic, Error, Result};
use crate::digest::Digest;
use crate::reads::ratings::{Columns, Ratings};
use crate::report::Formats;
use crate::report::reader_study::{Alone, render_alone};
use crate::statistics::comparative::Aim;
use crate::statistics::mrmc::design::{Assumed, Power, fewest_cases, fewest_readers, power};
use crate::statistics::mrmc::{CovarianceMethod, Population};
use crate::storage;
use crate::study::reader_study::{Asked, Line, Report, Section, record_of};
use crate::workflow::report::publish;

/// Whom the result is to hold for.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum PopulationWord {
    /// Other readers and other cases.
    ReadersAndCases,
    /// Other cases, these readers.
    Cases,
    /// Other readers, these cases.
    Readers,
}

impl PopulationWord {
    fn population(self) -> Population {
        match self {
            Self::ReadersAndCases => Population::ReadersAndCases,
            Self::Cases => Population::Cases,
            Self::Readers => Population::Readers,
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum CovariancesWord {
    Delong,
    Jackknife,
    Unbiased,
    Obuchowski,
    PatientJackknife,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum AimWord {
    Superiority,
    NonInferiority,
    Equivalence,
}

/// Analyse a reader study: readers and cases as populations.
///
/// FILE is a table with one row a rating (reader, case, modality, truth, rating), or the list that
/// FDA's iMRMC reads. Areas under the curves of every reader in every modality, their means and
/// differences: by Obuchowski and Rockette with Hillis' degrees of freedom, and by Gallas'
/// U-statistics; for other readers and other cases, for other cases with these readers, and for
/// other readers with these cases. Readers and cases may be crossed, readers may have cases of
/// their own or a modality of their own, and ratings may lack. Differences are the first modality
/// less the second, in the order of the file or of --between.
///
/// With --device-modality one modality is the device alone, and is set beside the mean of the
/// readers. With --threshold sensitivity and specificity are given as well. With --aim the interval
/// of the area decides, for the population of --for; ends with code 10 where it is not shown.
///
/// Examples:
///
///   sequester reads mrmc ratings.csv
///   sequester reads mrmc study.imrmc --between aided,unaided --aim superiority
///   sequester reads mrmc ratings.csv --device-modality DEVICE --aim non-inferiority --margin 0.05
///   sequester reads mrmc ratings.csv --export-imrmc study.imrmc
///   sequester reads mrmc ratings.csv --threshold 51 --report reader-study
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct MrmcArgs {
    /// CSV with a header, one row a rating; or a list that iMRMC reads.
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// Column of the reader.
    #[arg(long, value_name = "COLUMN", default_value = "reader")]
    reader: String,
    /// Column of the case.
    #[arg(long, value_name = "COLUMN", default_value = "case")]
    case: String,
    /// Column of the modality: with and without the device, say.
    #[arg(long, value_name = "COLUMN", default_value = "modality")]
    modality: String,
    /// Column of what is true: 1/0, yes/no, positive/negative.
    #[arg(long, value_name = "COLUMN", default_value = "truth")]
    label: String,
    /// Column of the rating; higher means positive. An empty cell was not read.
    #[arg(long, value_name = "COLUMN", default_value = "rating")]
    score: String,
    /// Column of the patient, where patients have several cases.
    #[arg(long, value_name = "COLUMN")]
    patient: Option<String>,
    /// The two modalities to compare, the first less the second.
    #[arg(long, value_name = "FIRST,SECOND", value_delimiter = ',', num_args = 1..)]
    between: Vec<String>,
    /// The modality that is the device alone.
    #[arg(long, value_name = "MODALITY")]
    device_modality: Option<String>,
    /// Ratings at or above it are positive calls: gives sensitivity and specificity.
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    threshold: Option<f64>,
    /// Covariances of areas [default: obuchowski with --patient (patient-jackknife where ratings lack), else
    /// delong (unbiased where ratings lack)].
    #[arg(long, value_name = "METHOD")]
    covariances: Option<CovariancesWord>,
    /// Whom the decision is to hold for.
    #[arg(long = "for", value_name = "POPULATION", default_value = "readers-and-cases")]
    population: PopulationWord,
    /// What is to be shown of the first less the second, or of the device less the readers.
    #[arg(long, value_name = "AIM")]
    aim: Option<AimWord>,
    /// Margin of the difference, without a sign.
    #[arg(long, value_name = "D", default_value_t = 0.0)]
    margin: f64,
    /// Two-sided confidence level.
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95)]
    level: f64,
    /// Also write the ratings as the list that iMRMC reads; an existing file is not replaced.
    #[arg(long, value_name = "FILE")]
    export_imrmc: Option<PathBuf>,
    /// Also write the reader-study report into this folder: HTML, PDF and Markdown. A folder that is there is
    /// replaced where it holds such a report.
    #[arg(long, value_name = "DIR")]
    report: Option<PathBuf>,
    /// With --report: no PDF.
    #[arg(long, requires = "report")]
    no_pdf: bool,
}

fn usage(message: impl Into<String>, hint: &str) -> Error {
    Error::usage(Diagnostic::error(Code::OptionOutOfRange, message).hint(hint))
}

fn checked_level(name: &str, level: f64) -> Result<()> {
    if level > 0.0 && level < 1.0 {
        return Ok(());
    }
    Err(usage(
        format!("--{name} {level} is not between 0 and 1"),
        "use 0.95 for a level, 0.05 for an alpha, say",
    ))
}

impl MrmcArgs {
    fn asked(&self) -> Result<Asked> {
        checked_level("level", self.level)?;
        if !(0.0..1.0).contains(&self.margin) {
            return Err(usage(
                format!("--margin {} is no margin", self.margin),
                "give it without a sign, below 1",
            ));
        }
        let between = match &self.between[..] {
            [] => None,
            [first, second] => Some([first.clone(), second.clone()]),
            _ => return Err(usage("--between names two modalities", "--between FIRST,SECOND")),
        };
        let aim = self.aim.map(|aim| match aim {
            AimWord::Superiority => Aim::Superiority,
            AimWord::NonInferiority => Aim::NonInferiority,
            AimWord::Equivalence => Aim::Equivalence,
        });
        if aim.is_some_and(|aim| aim != Aim::Superiority) && self.margin == 0.0 {
            let hint = "the margin is the largest difference that does not matter clinically";
            return Err(usage("this aim needs a --margin above 0", hint));
        }
        if aim.is_none() && self.margin > 0.0 {
            return Err(usage("--margin is of an --aim", "say what is to be shown"));
        }
        Ok(Asked {
            level: self.level,
            covariances: self.covariances.map(|word| match word {
                CovariancesWord::Delong => CovarianceMethod::DeLong,
                CovariancesWord::Jackknife => CovarianceMethod::Jackknife,
                CovariancesWord::Unbiased => CovarianceMethod::Unbiased,
                CovariancesWord::Obuchowski => CovarianceMethod::Obuchowski,
                CovariancesWord::PatientJackknife => CovarianceMethod::PatientJackknife,
            }),
            population: self.population.population(),
            aim,
            margin: self.margin,
            between,
            device: self.device_modality.clone(),
            threshold: self.threshold,
            device_threshold: None,
        })
    }
}

/// Runs the command.
///
/// # Errors
/// Options out of range, and located diagnostics for everything wrong in the file.
pub fn run(args: &MrmcArgs, context: Context) -> Result<Outcome> {
    let asked = args.asked()?;
    let columns = Columns {
        reader: &args.reader,
        case: &args.case,
        modality: &args.modality,
        truth: &args.label,
        rating: &args.score,
        patient: args.patient.as_deref(),
    };
    let bytes = storage::read(&args.file)?;
    let ratings = Ratings::parse(&args.file, &bytes, &columns).map_err(Error::Input)?;
    let report = Report::new(&ratings, &asked)?;
    if let Some(path) = &args.export_imrmc {
        let list = ratings.list().map_err(|problem| Error::Input(vec![problem]))?;
        if path.exists() {
            let problem = Diagnostic::error(Code::FileExists, format!("{} exists", path.display()));
            return Err(Error::usage(problem.hint("name another file")));
        }
        storage::write_atomic(path, list.as_bytes())?;
        eprintln!("{} ratings written to {}", ratings.count(), path.display());
    }
    if let Some(folder) = &args.report {
        let document = Alone {
            found: record_of(&report, &ratings, &asked),
            digest: Digest::of(&bytes).to_string(),
            date: context.timestamp(),
            program_version: env!("CARGO_PKG_VERSION").to_owned(),
            decision: report.decision.as_ref().map(|d| format!("{}: {}", d.of, d.words)),
        };
        let formats = if args.no_pdf { Formats::WithoutPdf } else { Formats::All };
        write(&document, folder, formats)?;
        eprintln!("the reader-study report is in {}", folder.display());
    }
    if context.json {
        println!("{:#}", report.json());
    } else {
        print!("{}", text(&report));
    }
    Ok(match report.decision.as_ref().map(|d| d.shown) {
        None | Some(Some(true)) => Outcome::Done,
        Some(_) => Outcome::CriterionNotMet,
    })
}

/// Writes the report; a folder of something else is not replaced.
fn write(document: &Alone, folder: &Path, formats: Formats) -> Result<()> {
    let is_ours = || folder.join("reader-study.html").is_file();
    let is_empty = || std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_none());
    if folder.exists() && !is_ours() && !is_empty() {
        let message = format!("{} exists, and holds no reader-study report", folder.display());
        let problem = Diagnostic::error(Code::FileExists, message);
        return Err(Error::usage(problem.hint("name another folder")));
    }
    publish(&render_alone(document, formats)?, folder)
}

fn p_text(p: f64) -> String {
    if p < 0.0001 { "< 0.0001".to_owned() } else { format!("{p:.4}") }
}

fn line_text(line: &Line, width: usize) -> String {
    let head = format!("  {:width$}  {:>8.4}", line.of, line.value);
    match line.found {
        None => format!("{head}  no interval\n"),
        Some(found) => {
            let df = found.df.map_or(String::new(), |df| format!("  df {df:.1}"));
            format!(
                "{head}  [{:.4}, {:.4}]  se {:.4}{df}  p {}\n",
                found.limits.0,
                found.limits.1,
                found.se,
                p_text(found.p)
            )
        }
    }
}

fn section_text(section: &Section) -> String {
    let mut out = format!("{}\n", section.method);
    let width = section.lines.iter().map(|line| line.of.chars().count()).max().unwrap_or(0);
    for line in &section.lines {
        out += &line_text(line, width);
    }
    if let Some((name, value, df1, df2, p)) = section.global {
        let df2 = df2.map_or(String::new(), |df2| format!(", {df2:.1}"));
        out += &format!("  all modalities alike: {name}({df1:.0}{df2}) = {value:.4}, p {}\n", p_text(p));
    }
    out
}

fn text(report: &Report) -> String {
    let patients = report.patients.map_or(String::new(), |n| format!(" of {n} patients"));
    let many = |n: usize, what: &str, more: &str| format!("{n} {}", if n == 1 { what } else { more });
    let mut out = format!(
        "{}, {}, {} cases{patients} ({} positive), {} ratings: {}\n",
        many(report.readers.len(), "reader", "readers"),
        many(report.modalities.len(), "modality", "modalities"),
        report.cases[0] + report.cases[1],
        report.cases[1],
        report.ratings,
        report.design
    );
    out += &format!("tests of one modality are against 0.5; intervals have the level {}\n", report.level);
    for note in &report.notes {
        out += &format!("{note}\n");
    }
    for merit in &report.merits {
        out += &format!("\n{}\n", merit.metric);
        for section in &merit.sections {
            out += &section_text(section);
        }
        if !merit.components.is_empty() {
            let parts: Vec<String> =
                merit.components.iter().map(|(name, x)| format!("{name} {x:.3e}")).collect();
            out += &format!("components of variance: {}\n", parts.join(", "));
        }
        for warning in &merit.warnings {
            out += &format!("warning[{}]: {}\n", warning.code, warning.message);
        }
    }
    if let Some(decision) = &report.decision {
        out += &format!("\n{}: {}\n", decision.of, decision.words);
    }
    out
}

/// Readers and cases of a study of two modalities, all readers reading all cases.
///
/// By Hillis, Obuchowski and Berbaum (2011). Components of variance come from a pilot (`reads mrmc
/// --json` prints them) or are assumed; variances shrink with the number of cases. Give --readers,
/// --cases or both: with both the power is given, with one the fewest of the other that reach it.
///
/// Example:
///
///   sequester design mrmc --difference 0.05 --variance 0.002 --cov1 0.0012 --cov2 0.0011 --cov3 0.0007 \
///       --interaction 0.0004 --pilot-cases 100 --readers 8
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct MrmcDesignArgs {
    /// The true difference of the two modalities.
    #[arg(long, value_name = "D", allow_negative_numbers = true)]
    difference: f64,
    /// Show that the first is not worse by this much, instead of a difference from 0.
    #[arg(long, value_name = "D")]
    margin: Option<f64>,
    /// Variance of one reader's figure over cases.
    #[arg(long, value_name = "V")]
    variance: f64,
    /// Covariance of one reader's figures in the two modalities.
    #[arg(long, value_name = "V", allow_negative_numbers = true)]
    cov1: f64,
    /// Covariance of two readers in one modality.
    #[arg(long, value_name = "V", allow_negative_numbers = true)]
    cov2: f64,
    /// Covariance of two readers in two modalities.
    #[arg(long, value_name = "V", allow_negative_numbers = true)]
    cov3: f64,
    /// Variance of modality by reader; below 0 counts as 0.
    #[arg(long, value_name = "V", default_value_t = 0.0, allow_negative_numbers = true)]
    interaction: f64,
    /// Cases of the study that the variances come from.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..))]
    pilot_cases: u32,
    /// Readers of the study.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=10_000))]
    readers: Option<u32>,
    /// Cases of the study.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=10_000_000))]
    cases: Option<u32>,
    /// Wanted power.
    #[arg(long, value_name = "P", default_value_t = 0.8)]
    power: f64,
    /// Two-sided significance level.
    #[arg(long, value_name = "ALPHA", default_value_t = 0.05)]
    alpha: f64,
    /// Whom the result is to hold for.
    #[arg(long = "for", value_name = "POPULATION", default_value = "readers-and-cases")]
    population: PopulationWord,
}

/// The most cases and readers that are looked for.
const MOST: (u32, u32) = (1_000_000, 1_000);

/// Runs `design mrmc`: for machines, and in words.
///
/// # Errors
/// Options out of range.
pub fn run_design(args: &MrmcDesignArgs) -> Result<(Value, String)> {
    checked_level("power", args.power)?;
    checked_level("alpha", args.alpha)?;
    let finite = [args.difference, args.variance, args.cov1, args.cov2, args.cov3, args.interaction];
    if finite.iter().any(|x| !x.is_finite()) || args.variance <= 0.0 {
        return Err(usage(
            "--variance has to be above 0, and all numbers finite",
            "as `reads mrmc` prints them",
        ));
    }
    if args.margin.is_some_and(|m| !(m > 0.0 && m < 1.0)) {
        return Err(usage("--margin is no margin", "give it without a sign, above 0 and below 1"));
    }
    let shift = args.difference + args.margin.unwrap_or(0.0);
    if shift == 0.0 || (args.margin.is_some() && shift < 0.0) {
        let message = "the assumed difference is none that the study could show";
        return Err(usage(message, "a true difference apart from 0, or above minus the margin"));
    }
    let assumed = Assumed {
        difference: shift,
        interaction: args.interaction,
        variance: args.variance,
        cov1: args.cov1,
        cov2: args.cov2,
        cov3: args.cov3,
        pilot_cases: f64::from(args.pilot_cases),
    };
    let population = args.population.population();
    let (readers, cases, found) = match (args.readers, args.cases) {
        (Some(readers), Some(cases)) => {
            (Some(readers), Some(cases), power(&assumed, readers, cases, population, args.alpha))
        }
        (Some(readers), None) => {
            let found = fewest_cases(&assumed, readers, population, args.alpha, args.power, MOST.0);
            (Some(readers), found.map(|f| f.0), found.map(|f| f.1))
        }
        (None, Some(cases)) => {
            let found = fewest_readers(&assumed, cases, population, args.alpha, args.power, MOST.1);
            (found.map(|f| f.0), Some(cases), found.map(|f| f.1))
        }
        (None, None) => {
            return Err(usage(
                "neither --readers nor --cases is given",
                "give one, and the other is computed",
            ));
        }
    };
    let value = json!({
        "what": "mrmc", "readers": readers, "cases": cases, "power": found.map(|f| f.power),
        "noncentrality": found.map(|f| f.noncentrality), "df2": found.and_then(|f| f.df2),
        "alpha": args.alpha, "wanted_power": args.power, "method": METHOD,
    });
    Ok((value, design_text(args, readers, cases, found)))
}

const METHOD: &str =
    "Hillis, Obuchowski, Berbaum 2011, equation 10; two modalities, readers and cases crossed";

fn design_text(
    args: &MrmcDesignArgs,
    readers: Option<u32>,
    cases: Option<u32>,
    found: Option<Power>,
) -> String {
    let Some(found) = found else {
        let (what, most) = if args.readers.is_some() { ("cases", MOST.0) } else { ("readers", MOST.1) };
        return format!(
            "no number of {what} up to {most} has a power above {}: the variance that does not shrink with \
             them is too large\n{METHOD}",
            args.power
        );
    };
    let count = |n: Option<u32>| n.map_or_else(String::new, |n| n.to_string());
    let df = found.df2.map_or(String::new(), |df| format!(", {df:.1} degrees of freedom"));
    format!(
        "{} readers, {} cases: power {:.4} at a two-sided alpha of {}{df}\n{METHOD}",
        count(readers),
        count(cases),
        found.power,
        args.alpha
    )
}
