//! `sequester compare`: several trained models, tables of scores or published counts on one sheet, and
//! whether the best is shown to be the best.

use std::path::{Path, PathBuf};

use clap::Args;

use super::domain::{level, replicates};
use super::who::WhoArgs;
use super::{Context, Outcome, say};
use crate::comparison::Comparison;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::document::font::FontFile;
use crate::report::comparison as document;
use crate::statistics::operating_point::OperatingPointRule;
use crate::storage;
use crate::workflow::compare::{Asked, of_scores, published};
use crate::workflow::report::publish;

/// Compare trained models honestly: is the best one shown to be the best?
///
/// Each CONTENDER is a complete training run (a study, its model folder, or the run folder) or a
/// table of scores with the columns case_id, label, score and, where patients have several cases,
/// patient_id. NAME= gives it a name; without, a run has its experiment's id and a table its file's
/// name. All must have scored the same cases with the same labels. Every pair is compared by AUC
/// (DeLong; Obuchowski where patients have several cases) and by calls at each contender's own
/// operating point (McNemar), with p values adjusted for their number after Holm. Runs are compared
/// on their tuning split: that selects a model, and is no performance claim. One run alone is shown
/// without tests.
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
    /// Table of published numbers instead: name, auc and, where printed, tp, fn, fp, tn. Compared without
    /// pairing.
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
    /// Threshold of all contenders, or of one; repeat for several [default: of a locked run its own, else by
    /// --rule].
    #[arg(long, value_name = "[NAME=]T", allow_negative_numbers = true, conflicts_with = "counts")]
    threshold: Vec<String>,
    /// How the threshold of a contender without one is chosen on its own cases: youden, sensitivity=0.9,
    /// specificity=0.9, threshold=0.4 or cost=20@0.0136.
    #[arg(long, value_name = "RULE", default_value = "youden", conflicts_with = "counts")]
    rule: OperatingPointRule,
    /// Another contender: the average of others' scores with these weights, which sum to 1. The weights must
    /// have been fixed without looking at these cases.
    #[arg(long, value_name = "NAME=A:W,B:W", conflicts_with = "counts")]
    ensemble: Vec<String>,
    /// An average whose weights are chosen on these cases for the highest AUC: shown as exploratory, never
    /// tested.
    #[arg(long, value_name = "NAME=A,B", conflicts_with = "counts")]
    explore_ensemble: Vec<String>,
    /// Compare the highest AUC with each other one instead of all pairs. The same cases choose it: p values
    /// are too small.
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
    /// Also write comparison.html, .pdf, .md, .json and figures/*.svg into this folder; it is replaced if it
    /// holds an earlier comparison.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    /// Folder with a comparison.md of your own in place of the built-in one.
    #[arg(long, value_name = "DIR", requires = "out")]
    templates: Option<PathBuf>,
    /// A font for characters of names that the built-in fonts lack (.ttf, .otf, .ttc); may be given several
    /// times.
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
        Some(path) => published(&asked(args), path, args.positives.zip(args.negatives))?,
        None => {
            for contender in &args.contenders {
                let path = contender.split_once('=').map_or(contender.as_str(), |(_, path)| path);
                if Path::new(path).is_file() {
                    super::metrics::note_examined(Path::new(path), &WhoArgs::default().outside(context)?)?;
                }
            }
            of_scores(&asked(args), &context.outside())?
        }
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

fn asked(args: &CompareArgs) -> Asked<'_> {
    Asked {
        contenders: &args.contenders,
        ensembles: &args.ensemble,
        explored: &args.explore_ensemble,
        thresholds: &args.threshold,
        rule: args.rule,
        common: args.common,
        reference: args.reference.as_deref(),
        against_best: args.against_best,
        level: args.level,
        replicates: args.bootstrap,
        seed: args.seed,
    }
}

fn check(args: &CompareArgs) -> Result<()> {
    level(args.level)?;
    replicates(args.bootstrap, args.level)
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

/// Characters that no font has, with what to do.
fn with_way_out(problem: Diagnostic) -> Diagnostic {
    if problem.code == Code::FontMissing {
        problem.hint("name a font that has them with --font FILE, or write no PDF with --no-pdf")
    } else {
        problem
    }
}
