//! `sequester metrics paired` and `unpaired`: two devices against each other, without a study.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::super::domain::{between, level, usage};
use super::super::{Context, Outcome};
use crate::diagnostic::{Code, Diagnostic, Error, Result};
use crate::statistics::comparative::Aim;
use crate::storage;
use crate::table::labelled::{LabelledScores, Wanted};
use crate::workflow::comparisons::{
    Answer, Asked, Comparison, IndependentRow, PairedRow, Report, Scored, Table, independent,
    independent_rows, paired, paired_rows, scored,
};

/// What is to be shown.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum AimWord {
    Superiority,
    NonInferiority,
    Equivalence,
}

#[derive(Debug, Args)]
struct AimArgs {
    /// What the first is to show of the second. Superiority: better, by --margin where it is given.
    /// Non-inferiority: not worse by --margin or more. Equivalence: neither worse nor better by --margin.
    /// Ends with code 10 where it is not shown.
    #[arg(long, value_name = "AIM")]
    aim: Option<AimWord>,
    /// Margin of the difference, in units of the metric and without a sign: 0.05 is five percentage points.
    #[arg(long, value_name = "D", allow_negative_numbers = true)]
    margin: Option<f64>,
    /// Two-sided confidence level. One-sided tests have the error (1 - level)/2, so that the interval decides
    /// the same.
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95)]
    level: f64,
}

impl AimArgs {
    fn asked(&self) -> Result<Asked> {
        level(self.level)?;
        if let Some(bad) = self.margin.filter(|m| !(0.0..1.0).contains(m)) {
            let hint = "give it without a sign, from 0 and below 1: 0.05 is five percentage points";
            return Err(usage(format!("--margin {bad} is no margin"), hint));
        }
        let aim = self.aim.map(|aim| match aim {
            AimWord::Superiority => Aim::Superiority,
            AimWord::NonInferiority => Aim::NonInferiority,
            AimWord::Equivalence => Aim::Equivalence,
        });
        if let Some(aim) = aim.filter(|aim| *aim != Aim::Superiority)
            && self.margin.unwrap_or(0.0) == 0.0
        {
            let message = format!("--aim {} needs a --margin above 0", aim.id());
            return Err(usage(
                message,
                "the margin is the largest difference that does not matter clinically",
            ));
        }
        Ok(Asked { level: self.level, aim, margin: self.margin })
    }
}

/// Compare two devices on the same cases: counts, or two columns of scores.
///
/// A table of counts has one row a comparison. Either four columns by who is right (both,
/// only_first, only_second, neither), or eight by the calls of the two, first the first's: d_pp,
/// d_pn, d_np, d_nn of the positive cases and n_pp, n_pn, n_np, n_nn of the negative ones; then
/// sensitivity, specificity and both predictive values are compared. A column id, table or name
/// names the row. Counts can be given on the command line instead. Each case is taken for a patient
/// of its own.
///
/// With --compare the file is a table of scores, one row a case, and areas and calls at thresholds
/// are compared; with --patient the cases of one patient are kept together.
///
/// Differences are the first less the second. Every interval and test that exists is printed; what
/// does not exist says why. Where --aim asks for a decision, Tango's score interval decides a
/// share, DeLong's (with --patient Obuchowski's) an area, and an exact one where these see no
/// spread.
///
/// Examples:
///
///   sequester metrics paired --cells 70,12,6,12 --aim non-inferiority --margin 0.05
///   sequester metrics paired counts.csv --json
///   sequester metrics paired scores.csv --score new --compare predicate --threshold 0.4 \
///       --compare-threshold 0.5 --patient patient_id --aim non-inferiority --margin 0.05
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct PairedArgs {
    /// CSV with a header: counts, or with --compare scores.
    #[arg(value_name = "FILE.csv", required_unless_present = "cells", conflicts_with = "cells")]
    file: Option<PathBuf>,
    /// Four counts by who is right: both, the first alone, the second alone, neither; or eight by the calls.
    #[arg(long, value_name = "N,N,N,N", value_delimiter = ',', num_args = 1)]
    cells: Vec<u64>,
    #[command(flatten)]
    aim: AimArgs,
    /// Column of a second model's scores of the same cases, compared pairwise.
    #[arg(long, value_name = "COLUMN", requires = "file")]
    compare: Option<String>,
    /// Column of the reference standard: 1/0, true/false, yes/no or positive/negative.
    #[arg(long, value_name = "COLUMN", default_value = "label")]
    label: String,
    /// The value of the label column that means positive; any one other value is then negative.
    #[arg(long, value_name = "VALUE")]
    positive: Option<String>,
    /// Column of the scores.
    #[arg(long, value_name = "COLUMN", default_value = "score")]
    score: String,
    /// The first calls a case positive at or above this score.
    #[arg(long, value_name = "T", default_value_t = 0.5, allow_negative_numbers = true)]
    threshold: f64,
    /// The second calls a case positive at or above this score [default: as --threshold].
    #[arg(long, value_name = "T", allow_negative_numbers = true)]
    compare_threshold: Option<f64>,
    /// Column that says which cases belong together, usually the patient.
    #[arg(long, value_name = "COLUMN")]
    patient: Option<String>,
    /// Also compare PPV, NPV and F1 at this prevalence.
    #[arg(long, value_name = "P")]
    prevalence: Option<f64>,
}

/// Runs `metrics paired`.
///
/// # Errors
/// [`Error::Usage`] for options outside their range; located diagnostics for everything wrong in the file.
pub fn run_paired(args: &PairedArgs, context: Context) -> Result<Outcome> {
    let asked = args.aim.asked()?;
    if args.compare.is_some() {
        return say(&Report::new(&asked, vec![scores(args, &asked)?]), context);
    }
    let rows = match &args.file {
        Some(path) => paired_rows(path, &storage::read(path)?).map_err(Error::Input)?,
        None => vec![PairedRow::of("counts", &args.cells).map_err(counts_wrong)?],
    };
    let tables = rows.iter().map(|row| paired(row, &asked)).collect();
    say(&Report::new(&asked, tables), context)
}

fn counts_wrong(message: String) -> Error {
    let hint = "four counts by who is right, such as 70,12,6,12, or eight by the calls of the two";
    Error::usage(Diagnostic::error(Code::CountMalformed, message).hint(hint))
}

fn scores(args: &PairedArgs, asked: &Asked) -> Result<Table> {
    let at = Scored {
        first: args.threshold,
        second: args.compare_threshold.unwrap_or(args.threshold),
        prevalence: args.prevalence,
    };
    if !(at.first.is_finite() && at.second.is_finite()) {
        return Err(usage("a threshold is not a finite number", "use 0.5, say"));
    }
    if let Some(prevalence) = args.prevalence {
        between("prevalence", prevalence, "use 0.05, say")?;
    }
    let own = [Some(&args.label), Some(&args.score), args.compare.as_ref()];
    if own[0] == own[1] || own[0] == own[2] || own[1] == own[2] {
        let hint = "label, score and the other model's score are columns of their own";
        return Err(usage("two of --label, --score and --compare name one column", hint));
    }
    let columns = Wanted {
        label: &args.label,
        positive: args.positive.as_deref(),
        score: &args.score,
        second: args.compare.as_deref(),
        cluster: args.patient.as_deref(),
        ..Wanted::default()
    };
    let path = args.file.clone().unwrap_or_default();
    let table = LabelledScores::parse(&path, &storage::read(&path)?, &columns).map_err(Error::Input)?;
    for warning in &table.warnings {
        eprintln!("{warning}");
    }
    Ok(scored(&table, &at, asked))
}

/// Compare two devices on different cases: two shares.
///
/// A table has one row a comparison with the columns x1, n1, x2, n2: right and all of the first and
/// of the second; a column id, pair or name names the row. Counts can be given on the command line
/// instead.
///
/// Differences are the first less the second. Where --aim asks for a decision, the score interval
/// of Miettinen and Nurminen decides.
///
/// Examples:
///
///   sequester metrics unpaired --cells 45,60,38,60
///   sequester metrics unpaired pairs.csv --aim non-inferiority --margin 0.1 --json
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct UnpairedArgs {
    /// CSV with a header: x1, n1, x2, n2.
    #[arg(value_name = "FILE.csv", required_unless_present = "cells", conflicts_with = "cells")]
    file: Option<PathBuf>,
    /// Right and all of the first, then of the second.
    #[arg(long, value_name = "N,N,N,N", value_delimiter = ',', num_args = 1)]
    cells: Vec<u64>,
    #[command(flatten)]
    aim: AimArgs,
}

/// Runs `metrics unpaired`.
///
/// # Errors
/// As [`run_paired`].
pub fn run_unpaired(args: &UnpairedArgs, context: Context) -> Result<Outcome> {
    let asked = args.aim.asked()?;
    let rows = match &args.file {
        Some(path) => independent_rows(path, &storage::read(path)?).map_err(Error::Input)?,
        None => {
            let row = match args.cells[..] {
                [x1, n1, x2, n2] => IndependentRow::of("counts", [x1, n1], [x2, n2]),
                _ => Err(format!("there are {} counts, and two shares have four", args.cells.len())),
            };
            let hint = "right and all of the first, then of the second, such as 45,60,38,60";
            let wrong = |message| Error::usage(Diagnostic::error(Code::CountMalformed, message).hint(hint));
            vec![row.map_err(wrong)?]
        }
    };
    let tables = rows.iter().map(|row| independent(row, &asked)).collect();
    say(&Report::new(&asked, tables), context)
}

fn say(report: &Report, context: Context) -> Result<Outcome> {
    if context.json {
        println!("{:#}", serde_json::json!(report));
    } else {
        print!("{}", text(report));
    }
    Ok(if report.all_shown() { Outcome::Done } else { Outcome::CriterionNotMet })
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "none".to_owned(), |v| format!("{v:.6}"))
}

fn p_value(p: f64) -> String {
    if p < 1e-4 { format!("{p:.2e}") } else { format!("{p:.6}") }
}

/// For people.
fn text(report: &Report) -> String {
    let mut out = format!("first less second, intervals at level {}\n", report.level);
    for table in &report.tables {
        out += &format!("\n{}\n", table.id);
        for comparison in &table.comparisons {
            out += &section(comparison);
        }
    }
    out
}

fn section(c: &Comparison) -> String {
    let counts: Vec<String> = c.counts.iter().map(|(name, count)| format!("{name} {count}")).collect();
    let mut out = format!(
        "{}: first {}, second {}, difference {}{}\n",
        c.what,
        number(c.first),
        number(c.second),
        number(c.difference),
        c.ratio.map_or_else(String::new, |r| format!(", ratio {r:.6}")),
    );
    out += &format!("  {}\n", counts.join(", "));
    for i in &c.intervals {
        out += &format!("  {:10} {:.6} to {:.6}  {}\n", i.of, i.lower, i.upper, i.name);
    }
    for test in &c.tests {
        let statistic = test.statistic.map_or_else(String::new, |s| format!(", statistic {s:.6}"));
        out += &format!("  equality   p {}{statistic}  {}: {}\n", p_value(test.p), test.id, test.name);
    }
    for m in &c.margin_tests {
        out += &format!(
            "  margin {:<4} first not worse: p {}; second not worse: p {}; equivalent: p {}  {}\n",
            m.margin,
            p_value(m.lower.p),
            p_value(m.upper.p),
            p_value(m.equivalence_p),
            m.method.id()
        );
    }
    for none in &c.unavailable {
        out += &format!("  no {}: {}\n", none.what, none.reason);
    }
    if let Some(d) = &c.decision {
        let answer = match d.answer {
            Answer::Shown => "shown",
            Answer::NotShown => "not shown",
            Answer::NotEvaluable => "not evaluable",
        };
        let p =
            d.p.map_or_else(String::new, |p| format!(", one-sided p {} at alpha {:.4}", p_value(p), d.alpha));
        let by = d
            .interval
            .as_ref()
            .map_or_else(String::new, |i| format!(", {:.6} to {:.6} by {}", i.lower, i.upper, i.name));
        out += &format!("  {}: {answer} (H0 {}, H1 {}){by}{p}\n", d.aim, d.h0, d.h1);
        if let Some(because) = &d.because {
            out += &format!("    {because}\n");
        }
    }
    out
}
