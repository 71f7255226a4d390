//! `sequester reads worklist`: a reading round, and the form of each of its readers.

use clap::Args;
use serde_json::json;

use super::study::StudyArgs;
use super::{Context, Outcome};
use crate::diagnostic::{Code, Diagnostic, Error, Result};
use crate::digest::Digest;
use crate::workflow::reading_sessions::{self, MadeSessions};
use crate::workflow::round::{self, Made, Request};

/// Make a reading round: which cases are read, under which codes, and in which order.
///
/// Readers see codes and no ids, because ids can spell the label. Codes follow from a secret that is drawn
/// for each round; which case a code is stands in reads/rounds/NAME.json, which stays in the study. Each
/// reader has an own random order, from the protocol's seed. No score, label, other read, patient id, file
/// name or DICOM text goes out; of images that may have text in the picture you are warned.
///
/// Each reader gets a form, OUT/rounds/NAME/NAME-READER.csv, to be filled in a program for tables: `answer`
/// is positive, negative, indeterminate or uninterpretable (or a number of the declared scale), `completed`
/// is yes. `sequester reads page` makes a page to read on instead. `sequester reads import` takes both back.
///
/// A round that is there is never overwritten: the same command again writes nothing, another one needs
/// another name.
///
/// With --sessions the forms are those of [reader_study]: a table of ratings a reader and session,
/// OUT/rounds/reader-study/, with the columns that the protocol names. Codes, another one in each session,
/// stand in the table of `reader_study.case_map`, which stays in the study. Which readers begin with the
/// device, and with which half of the cases, is counterbalanced.
#[derive(Debug, Args)]
pub struct WorklistArgs {
    #[command(flatten)]
    study: StudyArgs,
    /// Name of the round: up to 40 letters, digits, - and _.
    #[arg(long, value_name = "NAME", required_unless_present = "sessions")]
    round: Option<String>,
    /// Who reads. Repeatable [default: every declared reference and comparison reader; with --adjudication
    /// every adjudicator].
    #[arg(long, value_name = "ID")]
    reader: Vec<String>,
    /// The cases that the readers leave to adjudication, instead of all drawn ones.
    #[arg(long)]
    adjudication: bool,
    /// Show so many cases twice, far apart and under two codes, to see whether a reader agrees with
    /// themselves.
    #[arg(long, value_name = "N", default_value_t = 0)]
    repeat: usize,
    /// The sessions of [reader_study] instead of a round; --reader names everybody who reads.
    #[arg(long, conflicts_with_all = ["round", "adjudication", "repeat"])]
    sessions: bool,
}

/// Runs the command.
///
/// # Errors
/// Whatever is wrong in the study's files or in what was asked for; nothing is written then.
pub fn run(args: &WorklistArgs, context: Context) -> Result<Outcome> {
    let study = args.study.open()?;
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(|e| {
        let message = format!("this machine gives no random numbers, from which codes follow: {e}");
        Error::from(Diagnostic::error(Code::Io, message))
    })?;
    let secret = Digest::of(&secret);
    if args.sessions {
        let made = reading_sessions::make(&study, &args.reader, secret, &context.outside())?;
        return Ok(told(&made, context));
    }
    let request = Request {
        name: args.round.as_deref().unwrap_or_default(),
        adjudication: args.adjudication,
        readers: &args.reader,
        repeated: args.repeat,
        secret,
    };
    let made = round::make(&study, &request, &context.outside())?;
    for warning in &made.warnings {
        eprintln!("{warning}");
    }
    if context.json {
        let Made { round, .. } = &made;
        let readers: Vec<_> = round
            .readers
            .iter()
            .map(|part| {
                json!({
                    "id": part.id, "form": made.forms.get(&part.id),
                    "worklist": round.worklist(&part.id).map(|digest| digest.to_string()),
                })
            })
            .collect();
        let report = json!({
            "round": round.name, "kind": round.kind.name(), "file": made.file, "already": made.already,
            "cases": round.cases().len(), "repeated": round.shown.len() - round.cases().len(),
            "readers": readers, "warnings": made.warnings,
        });
        println!("{report:#}");
        return Ok(Outcome::Done);
    }
    print!("{}", text(&made));
    Ok(Outcome::Done)
}

/// What was made of a reader study.
fn told(made: &MadeSessions, context: Context) -> Outcome {
    for warning in &made.warnings {
        eprintln!("{warning}");
    }
    if context.json {
        let readers: Vec<_> = made
            .forms
            .iter()
            .map(|form| json!({"id": form.reader, "form": form.path, "worklist": form.digest.to_string()}))
            .collect();
        let report = json!({
            "round": reading_sessions::NAME, "kind": reading_sessions::NAME, "file": made.codes,
            "already": made.already, "cases": made.cases, "repeated": 0, "readers": readers,
            "warnings": made.warnings,
        });
        println!("{report:#}");
        return Outcome::Done;
    }
    println!("reader study: {} cases", made.cases);
    if made.already {
        println!("the codes are there already");
    }
    println!("codes and cases: {} (stays in the study)", made.codes.display());
    for form in &made.forms {
        println!("session {} of {}: {}", form.session, form.reader, form.path.display());
    }
    Outcome::Done
}

fn text(made: &Made) -> String {
    let round = &made.round;
    let repeated = match round.shown.len() - round.cases().len() {
        0 => String::new(),
        repeated => format!(", {repeated} of them shown twice"),
    };
    let cases = round.cases().len();
    let cases = if cases == 1 { "1 case".to_owned() } else { format!("{cases} cases") };
    let mut out = format!("{} round {}: {cases}{repeated}\n", round.kind.name(), round.name);
    if made.already {
        out += "it is there already, as it is asked for\n";
    }
    out += &format!("codes and cases: {} (stays in the study)\n", made.file.display());
    for (reader, form) in &made.forms {
        out += &format!("form of {reader}: {}\n", form.display());
    }
    out +=
        &format!("a page instead of a form: sequester reads page STUDY --round {} --reader ID\n", round.name);
    out
}
