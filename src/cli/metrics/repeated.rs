//! `sequester metrics repeatability`: several images of one patient, scored by the device.

use std::path::PathBuf;

use clap::Args;
use serde_json::json;

use super::super::domain::{level, usage};
use crate::cli::{Context, Outcome};
use crate::diagnostic::Result;
use crate::storage;
use crate::study::results::{CallAgreement, CallShare, Limited, PairDifferences, Repeatability};
use crate::workflow::repeatability::{Asked, of_table};

/// How far scores and calls of several images of one patient lie apart.
///
/// FILE is a CSV with a header, one row an image; nobody has to judge the images. Prints the
/// standard deviation within patients, the repeatability coefficient, the share of the variance
/// between patients, mean and limits of agreement of the second image less the first, and positive
/// and negative percent agreement of the calls; with --condition the same under the same and under
/// different levels of a column.
///
/// Examples:
///
///   sequester metrics repeatability repeats.csv --threshold 0.4 --condition scanner,operator
#[derive(Debug, Args)]
#[command(verbatim_doc_comment)]
pub struct RepeatabilityArgs {
    /// CSV with a header, one row an image.
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,
    /// Column of the patient.
    #[arg(long, value_name = "COLUMN", default_value = "patient_id")]
    patient: String,
    /// Column of the scores: any numbers; an empty one is an image without a score.
    #[arg(long, value_name = "COLUMN", default_value = "score")]
    score: String,
    /// An image is called positive at or above this score.
    #[arg(long, value_name = "T", default_value_t = 0.5, allow_negative_numbers = true)]
    threshold: f64,
    /// Columns of conditions that should make no difference, such as the scanner, separated by commas.
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    condition: Vec<String>,
    /// Two-sided confidence level.
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95)]
    level: f64,
}

/// Runs the command.
///
/// # Errors
/// [`crate::diagnostic::Error::Usage`] for options outside their range; located diagnostics for everything
/// wrong in the file.
pub fn run(args: &RepeatabilityArgs, context: Context) -> Result<Outcome> {
    level(args.level)?;
    if !args.threshold.is_finite() {
        return Err(usage("the threshold is not a finite number", "use 0.5, say"));
    }
    let asked = Asked {
        patient: args.patient.clone(),
        score: args.score.clone(),
        conditions: args.condition.clone(),
        threshold: args.threshold,
        level: args.level,
    };
    let found = of_table(&args.file, &storage::read(&args.file)?, &asked)?;
    if context.json {
        let report = json!({"format": "sequester-repeatability/1", "repeatability": found});
        println!("{report:#}");
    } else {
        text(&found);
    }
    Ok(Outcome::Done)
}

fn limited(of: Option<&Limited>) -> String {
    of.map_or_else(
        || "not evaluable".to_owned(),
        |of| match of.limits {
            Some((low, high)) => format!("{:.5} ({low:.5} to {high:.5})", of.value),
            None => format!("{:.5}", of.value),
        },
    )
}

fn calls(name: &str, of: &CallAgreement) {
    let share = |of: Option<&CallShare>| {
        of.map_or_else(
            || "no such call".to_owned(),
            |of| format!("{}, {} images of {} patients", limited(Some(&of.share)), of.images, of.patients),
        )
    };
    println!("{name}agreement of calls  {}", share(Some(&of.overall)));
    println!("{name}positive agreement  {}", share(of.positive.as_ref()));
    println!("{name}negative agreement  {}", share(of.negative.as_ref()));
}

fn differences(of: &PairDifferences) {
    println!("  mean difference     {}", limited(Some(&of.mean)));
    if let (Some(lower), Some(upper)) = (&of.lower, &of.upper) {
        println!("  limits of agreement {:.5} to {:.5}", lower.value, upper.value);
    }
}

fn text(found: &Repeatability) {
    println!(
        "{} patients with {} scored images; {} with one, {} images without a score",
        found.patients, found.images, found.single, found.refused
    );
    println!("within patients, SD   {}", limited(Some(&found.within_sd)));
    println!("repeatability coeff.  {}", limited(Some(&found.coefficient)));
    println!("between patients, SD  {:.5}", found.between_sd);
    println!("share between         {}", limited(found.intraclass.as_ref()));
    println!("second image less first, {} patients", found.differences.patients);
    differences(&found.differences);
    println!("calls at {}", found.threshold);
    calls("  ", &found.agreement);
    for condition in &found.conditions {
        println!("by {}", condition.column);
        for level in &condition.levels {
            println!(
                "  {}: {} images of {} patients, SD within {}",
                level.level,
                level.images,
                level.patients,
                limited(level.within_sd.as_ref())
            );
            if let Some(difference) = &level.difference {
                println!("    less the first level, {} patients", difference.patients);
                print_indented(difference);
            }
        }
        println!("  same level, SD      {}", limited(condition.same_sd.as_ref()));
        println!("  other level, SD     {}", limited(condition.different_sd.as_ref()));
        if let Some(added) = condition.condition_sd {
            println!("  added by it, SD     {added:.5}");
        }
        for (name, of) in [("  same level, ", &condition.same), ("  other level, ", &condition.different)] {
            if let Some(of) = of {
                calls(name, of);
            }
        }
    }
}

fn print_indented(difference: &PairDifferences) {
    println!("    mean difference   {}", limited(Some(&difference.mean)));
}
