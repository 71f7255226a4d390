//! `sequester reads mrmc` and `sequester design mrmc`: reader studies, readers and cases random.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::domain::{between, usage};
use super::{Context, Outcome};
use crate::diagnostic::{Code, Diagnostic, Error, Result};
use crate::digest::Digest;
use crate::reads::ratings::{Columns, Ratings};
use crate::report::Formats;
use crate::report::reader_study::{Alone, render_alone};
use crate::statistics::comparative::Aim;
use crate::statistics::mrmc::design::{Assumed, Layout, Power, fewest_cases, fewest_readers, power};
use crate::statistics::mrmc::{CovarianceMethod, Population};
use crate::storage;
use crate::study::reader_study::{Asked, Line, Report, Section, record_of};
use crate::table::limited;
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum AimWord {
    Superiority,
    NonInferiority,
    Equivalence,
}

impl AimWord {
    fn aim(self) -> Aim {
        match self {
            Self::Superiority => Aim::Superiority,
            Self::NonInferiority => Aim::NonInferiority,
            Self::Equivalence => Aim::Equivalence,
        }
    }
}

/// How readers and cases meet, as a protocol names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum LayoutWord {
    /// All readers read all cases in both modalities.
    Crossed,
    /// Each modality has readers of its own.
    Nested,
    /// Groups of readers, each with cases of its own.
    SplitPlot,
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

/// What is said where a level, a power or an alpha is none.
const LEVELS: &str = "use 0.95 for a level, 0.05 for an alpha, say";

impl MrmcArgs {
    fn asked(&self) -> Result<Asked> {
        between("level", self.level, LEVELS)?;
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
        let aim = self.aim.map(AimWord::aim);
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
    let alike = ratings.alike(&args.file);
    if !alike.is_empty() {
        return Err(Error::Input(limited(alike, &args.file)));
    }
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

/// Readers and cases of a study of two modalities, or of the device alone beside readers.
///
/// By Hillis, Obuchowski and Berbaum (2011). Components of variance come from a pilot (`reads mrmc
/// --json` prints them) or are assumed; variances shrink with the number of cases. Give --readers,
/// --cases or both: with both the power is given, with one the fewest of the other that reach it.
///
/// All readers read all cases in both modalities, unless --layout says otherwise: nested readers are
/// counted in each modality, and need --reader-variance; a split-plot design has --groups of readers as
/// large as each other, and --cases are those of all groups. With --device-variance and --device-cov
/// the device alone stands beside the mean of the readers, who read in one modality: its figure varies
/// over cases, and --difference is device less readers.
///
/// Examples:
///
///   sequester design mrmc --difference 0.05 --variance 0.002 --cov1 0.0012 --cov2 0.0011 --cov3 0.0007 \
///       --interaction 0.0004 --pilot-cases 100 --readers 8
///   sequester design mrmc --aim equivalence --margin 0.05 --difference 0 --variance 0.002 --cov1 0.0012 \
///       --cov2 0.0011 --cov3 0.0007 --interaction 0.0004 --pilot-cases 100 --readers 8
///   sequester design mrmc --difference 0.03 --margin 0.05 --variance 0.002 --cov2 0.0011 \
///       --reader-variance 0.0006 --device-variance 0.0018 --device-cov 0.0009 --pilot-cases 100 --cases 300
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct MrmcDesignArgs {
    /// The true difference of the two modalities.
    #[arg(long, value_name = "D", allow_negative_numbers = true)]
    difference: f64,
    /// What is to be shown [default: superiority; with --margin non-inferiority].
    #[arg(long, value_name = "AIM")]
    aim: Option<AimWord>,
    /// Show that the first is not worse by this much, of equivalence that both are not further apart, of
    /// superiority that the first is better by more, instead of a difference from 0.
    #[arg(long, value_name = "D")]
    margin: Option<f64>,
    /// How readers and cases meet.
    #[arg(long, value_name = "LAYOUT", default_value = "crossed")]
    layout: LayoutWord,
    /// With --layout split-plot: groups of readers.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=10_000))]
    groups: Option<u32>,
    /// Variance of one reader's figure over cases.
    #[arg(long, value_name = "V")]
    variance: f64,
    /// Covariance of one reader's figures in the two modalities; of readers in both.
    #[arg(long, value_name = "V", allow_negative_numbers = true)]
    cov1: Option<f64>,
    /// Covariance of two readers in one modality.
    #[arg(long, value_name = "V", allow_negative_numbers = true)]
    cov2: f64,
    /// Covariance of two readers in two modalities; not of the device alone.
    #[arg(long, value_name = "V", allow_negative_numbers = true)]
    cov3: Option<f64>,
    /// Variance of modality by reader; below 0 counts as 0.
    #[arg(long, value_name = "V", default_value_t = 0.0, allow_negative_numbers = true)]
    interaction: f64,
    /// Variance of readers within a modality; of nested readers and of the device alone.
    #[arg(long, value_name = "V")]
    reader_variance: Option<f64>,
    /// Variance of the device's own figure over cases: the device alone is compared.
    #[arg(long, value_name = "V", requires = "device_cov")]
    device_variance: Option<f64>,
    /// Covariance of the device's figure and a reader's.
    #[arg(long, value_name = "V", allow_negative_numbers = true, requires = "device_variance")]
    device_cov: Option<f64>,
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

impl MrmcDesignArgs {
    /// How readers and cases meet, with the components that it needs.
    fn planned_layout(&self) -> Result<Layout> {
        let needed = |what: &str, value: Option<f64>| {
            value.ok_or_else(|| usage(format!("{what} is not given, and this layout needs it"), METHODS))
        };
        let of_readers = || needed("--reader-variance", self.reader_variance);
        if self.groups.is_some() && self.layout != LayoutWord::SplitPlot {
            return Err(usage("--groups is of --layout split-plot", METHODS));
        }
        if let (Some(device), Some(with_reader)) = (self.device_variance, self.device_cov) {
            if self.layout != LayoutWord::Crossed {
                let message = "beside the device alone readers read in one modality, all of them all cases";
                return Err(usage(message, "leave --layout out"));
            }
            return Ok(Layout::DeviceAlone { reader: of_readers()?, device, with_reader });
        }
        needed("--cov3", self.cov3)?;
        if self.layout == LayoutWord::Nested {
            return Ok(Layout::Nested { reader: of_readers()? });
        }
        needed("--cov1", self.cov1)?;
        let Some(groups) = self.groups.filter(|_| self.layout == LayoutWord::SplitPlot) else {
            return match self.layout {
                LayoutWord::SplitPlot => Err(usage("--layout split-plot needs --groups", METHODS)),
                _ => Ok(Layout::Crossed),
            };
        };
        if self.readers.is_some_and(|readers| !readers.is_multiple_of(groups)) {
            let message =
                format!("--readers is no multiple of {groups}, and groups are as large as each other");
            return Err(usage(message, "give another number of readers or of groups"));
        }
        Ok(Layout::SplitPlot { groups })
    }

    /// What is to be shown, and what of the difference it takes for that.
    fn claimed(&self) -> Result<(Aim, f64, Option<f64>)> {
        let aim = match (self.aim, self.margin) {
            (Some(aim), _) => aim.aim(),
            (None, Some(_)) => Aim::NonInferiority,
            (None, None) => Aim::Superiority,
        };
        if self.margin.is_some_and(|m| !(m > 0.0 && m < 1.0)) {
            return Err(usage("--margin is no margin", "give it without a sign, above 0 and below 1"));
        }
        let Some(margin) = self.margin else {
            if aim != Aim::Superiority {
                let hint = "the margin is the largest difference that does not matter clinically";
                return Err(usage("this aim needs a --margin above 0", hint));
            }
            return Ok((aim, self.difference, None));
        };
        Ok(match aim {
            Aim::Superiority => (aim, self.difference - margin, None),
            Aim::NonInferiority => (aim, self.difference + margin, None),
            Aim::Equivalence => (aim, self.difference, Some(margin)),
        })
    }
}

/// Runs `design mrmc`: for machines, and in words.
///
/// # Errors
/// Options out of range.
pub fn run_design(args: &MrmcDesignArgs) -> Result<(Value, String)> {
    between("power", args.power, LEVELS)?;
    between("alpha", args.alpha, LEVELS)?;
    let given = [args.cov1, args.cov3, args.reader_variance, args.device_variance, args.device_cov];
    let finite = [args.difference, args.variance, args.cov2, args.interaction];
    if finite.into_iter().chain(given.into_iter().flatten()).any(|x| !x.is_finite()) || args.variance <= 0.0 {
        return Err(usage(
            "--variance has to be above 0, and all numbers finite",
            "as `reads mrmc` prints them",
        ));
    }
    if [args.reader_variance, args.device_variance].into_iter().flatten().any(|x| x < 0.0) {
        return Err(usage("a variance of readers or of the device is below 0", "give 0 for a negative one"));
    }
    let own = [Some(args.cov2), args.cov1, args.cov3].into_iter().flatten().any(|c| c.abs() > args.variance);
    let with_device = args.device_cov.zip(args.device_variance);
    if own || with_device.is_some_and(|(cov, of)| cov * cov > of * args.variance) {
        return Err(usage(
            "a covariance is larger than the variances it is of: its correlation would be above 1",
            "look for a lost zero; `reads mrmc` prints variance and covariances of a pilot together",
        ));
    }
    let layout = args.planned_layout()?;
    // What the mean square of readers by modalities is expected to be (Hillis 2014), of crossed readers.
    let square = args.interaction + args.variance - args.cov1.unwrap_or_default() - args.cov2
        + args.cov3.unwrap_or_default();
    if matches!(layout, Layout::Crossed) && square <= 0.0 {
        return Err(usage(
            "with these components the expected mean square of readers by modalities is not above 0",
            "interaction + variance - cov1 - cov2 + cov3 has to be above 0, as in every pilot",
        ));
    }
    let (aim, difference, within) = args.claimed()?;
    let none_to_show = match within {
        Some(margin) => difference.abs() >= margin,
        None => difference == 0.0 || (args.margin.is_some() && difference < 0.0),
    };
    if none_to_show {
        let message = "the assumed difference is none that the study could show";
        let hint = "a true difference apart from 0, above minus the margin, or of equivalence within it";
        return Err(usage(message, hint));
    }
    let assumed = Assumed {
        layout,
        difference,
        within,
        interaction: args.interaction,
        variance: args.variance,
        cov1: args.cov1.unwrap_or_default(),
        cov2: args.cov2,
        cov3: args.cov3.unwrap_or_default(),
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
    let method = method_of(layout, aim);
    let value = json!({
        "what": "mrmc", "readers": readers, "cases": cases, "power": found.map(|f| f.power),
        "noncentrality": found.map(|f| f.noncentrality), "df2": found.and_then(|f| f.df2),
        "alpha": args.alpha, "wanted_power": args.power, "aim": aim.id(), "method": method,
    });
    Ok((value, design_text(args, readers, cases, found, &method)))
}

const METHODS: &str = "`sequester design mrmc --help` says which layout needs what";

/// By what the power is computed.
fn method_of(layout: Layout, aim: Aim) -> String {
    let layout = match layout {
        Layout::Crossed => "equation 10; two modalities, readers and cases crossed".to_owned(),
        Layout::Nested { .. } => {
            "with the mean squares of Hillis 2014; readers nested in two modalities, so many in each"
                .to_owned()
        }
        Layout::SplitPlot { groups } => {
            format!(
                "equation 10 with the covariances of {groups} groups of readers, each with cases of its own"
            )
        }
        Layout::DeviceAlone { .. } => {
            "with the mean square of the readers less the device, whose figure varies over cases".to_owned()
        }
    };
    let tests = if aim == Aim::Equivalence { "; two one-sided tests (Schuirmann 1987)" } else { "" };
    format!("Hillis, Obuchowski, Berbaum 2011, {layout}{tests}")
}

fn design_text(
    args: &MrmcDesignArgs,
    readers: Option<u32>,
    cases: Option<u32>,
    found: Option<Power>,
    method: &str,
) -> String {
    let Some(found) = found else {
        let (what, most) = match (args.readers, args.cases) {
            (Some(_), Some(_)) => return format!("these components have no variance above 0\n{method}"),
            (Some(_), None) => ("cases", MOST.0),
            _ => ("readers", MOST.1),
        };
        return format!(
            "no number of {what} up to {most} has a power above {}: the variance that does not shrink with \
             them is too large\n{method}",
            args.power
        );
    };
    let count = |n: Option<u32>| n.map_or_else(String::new, |n| n.to_string());
    let df = found.df2.map_or(String::new(), |df| format!(", {df:.1} degrees of freedom"));
    let each = if args.layout == LayoutWord::Nested { " in each modality" } else { "" };
    format!(
        "{} readers{each}, {} cases: power {:.4} at a two-sided alpha of {}{df}\n{method}",
        count(readers),
        count(cases),
        found.power,
        args.alpha
    )
}
