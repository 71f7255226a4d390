//! `sequester monitor versions`: better model or easier data?

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::json;

use super::domain::usage;
use super::{Context, Outcome};
use crate::diagnostic::{Code, Diagnostic, Location, Result};
use crate::monitoring::versions::{BothVersions, told_apart};
use crate::storage;
use crate::table::labelled::{LabelledScores, Wanted};

/// Better model or easier data? Two versions on old and on new data.
///
/// Each table has the label and the scores of both versions, one row a case. Of the AUC and, with thresholds,
/// of sensitivity and specificity: the gain of the new version on new data, what it gained or lost on old
/// data, how far the data have changed, and the whole change, each with an interval. Versions are compared on
/// the same cases (paired), data as independent: no case and no patient may be in both tables.
#[derive(Debug, Args)]
pub struct VersionsArgs {
    /// The old data: CSV with a header, one row a case.
    #[arg(value_name = "OLD-DATA.csv")]
    old_data: PathBuf,
    /// The new data.
    #[arg(value_name = "NEW-DATA.csv")]
    new_data: PathBuf,
    /// Column of the old version's scores.
    #[arg(long, value_name = "COLUMN", default_value = "old")]
    old_score: String,
    /// Column of the new version's scores.
    #[arg(long, value_name = "COLUMN", default_value = "new")]
    new_score: String,
    /// Column of the reference standard: 1/0, true/false, yes/no or positive/negative.
    #[arg(long, value_name = "COLUMN", default_value = "label")]
    label: String,
    /// Column of the case.
    #[arg(long, value_name = "COLUMN", default_value = "case_id")]
    case: String,
    /// Column that says which cases belong together, usually the patient.
    #[arg(long, value_name = "COLUMN")]
    patient: Option<String>,
    /// Threshold of the old version: positive at or above.
    #[arg(long, value_name = "T", requires = "new_threshold", allow_negative_numbers = true)]
    old_threshold: Option<f64>,
    /// Threshold of the new version.
    #[arg(long, value_name = "T", requires = "old_threshold", allow_negative_numbers = true)]
    new_threshold: Option<f64>,
    /// Two-sided confidence level.
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95)]
    level: f64,
    /// Leave out rows with an empty label or score, and say how many, instead of refusing the file.
    #[arg(long)]
    skip_missing: bool,
}

/// A table with the names that have to differ between the two.
struct Named {
    both: BothVersions,
    cases: BTreeSet<String>,
    patients: BTreeSet<String>,
}

/// Runs the command.
///
/// # Errors
/// Whatever is wrong with the tables; `versions-shared`; a level outside 0 to 1.
pub fn run(args: &VersionsArgs, context: Context) -> Result<Outcome> {
    if !(args.level > 0.0 && args.level < 1.0) {
        let message = format!("the level is {}, must be between 0 and 1", args.level);
        return Err(usage(message, "0.95 is a usual one"));
    }
    let (old, new) = (read(args, &args.old_data)?, read(args, &args.new_data)?);
    shared("case", &old.cases, &new.cases, &args.new_data)?;
    shared("patient", &old.patients, &new.patients, &args.new_data)?;
    let found = told_apart(
        &old.both,
        &new.both,
        args.old_threshold.zip(args.new_threshold).map(<[f64; 2]>::from),
        args.level,
    );
    if context.json {
        let cases = |named: &Named| {
            let positives = named.both.labels.iter().filter(|label| **label).count();
            json!({"cases": named.both.labels.len(), "positives": positives})
        };
        let report = json!({"format": "sequester-versions/1", "level": args.level, "old_data": cases(&old),
            "new_data": cases(&new), "components": found});
        println!("{report:#}");
        return Ok(Outcome::Done);
    }
    println!("old data: {} cases, new data: {} cases", old.both.labels.len(), new.both.labels.len());
    let mut measure = "";
    for one in &found {
        if one.measure != measure {
            measure = one.measure;
            println!("\n{measure}");
        }
        let value = one.value.map_or("no value".to_owned(), |value| format!("{value:.4}"));
        let interval = one.interval.as_ref().map(|i| format!(" ({:.4} to {:.4})", i.lower, i.upper));
        let how = if one.paired { ", same cases" } else { "" };
        println!("  {:<56} {value}{}{how}", one.component.words(), interval.unwrap_or_default());
        if let Some(note) = &one.note {
            println!("    {note}");
        }
    }
    Ok(Outcome::Done)
}

fn read(args: &VersionsArgs, path: &Path) -> Result<Named> {
    let wanted = Wanted {
        label: &args.label,
        score: &args.old_score,
        second: Some(&args.new_score),
        case: Some(&args.case),
        cluster: args.patient.as_deref(),
        skip_missing: Some(args.skip_missing),
        ..Wanted::default()
    };
    let table = LabelledScores::parse(path, &storage::read(path)?, &wanted)?;
    for warning in &table.warnings {
        eprintln!("{warning}");
    }
    let patients = table.clusters.as_ref().map(|group| group.levels.iter().cloned().collect());
    Ok(Named {
        both: BothVersions {
            labels: table.labels,
            old: table.scores,
            new: table.second.unwrap_or_default(),
            patients: table.clusters.map(|group| group.ids),
        },
        cases: table.cases.into_iter().collect(),
        patients: patients.unwrap_or_default(),
    })
}

fn shared(what: &str, old: &BTreeSet<String>, new: &BTreeSet<String>, path: &Path) -> Result<()> {
    let both: Vec<&String> = old.intersection(new).collect();
    if both.is_empty() {
        return Ok(());
    }
    let some: Vec<&str> = both.iter().take(10).map(|id| id.as_str()).collect();
    let message = format!("{} {what}s are in both tables: {}", both.len(), some.join(", "));
    Err(Diagnostic::error(Code::VersionsShared, message)
        .at(Location::file(path))
        .hint("old and new data are compared as independent: leave the common ones out of one of the two")
        .into())
}
