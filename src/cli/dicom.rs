//! `sequester dicom check`: what the gate makes of DICOM files, before anything is scored.

use std::path::PathBuf;

use serde::Serialize;

use super::{Context, Outcome};
use crate::dataset::dicom::{self, Header};
use crate::dataset::gate::{Gate, Refusal};
use crate::diagnostic::{Diagnostic, Location, Result};
use crate::storage;

/// Look at DICOM files.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// Say of each file whether the gate accepts it, and every reason why not.
    Check(CheckArgs),
}

/// Arguments of `dicom check`.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// DICOM files.
    #[arg(required = true, value_name = "FILES")]
    pub files: Vec<PathBuf>,
    /// TOML file with the gate's rules: a protocol with `[gate]`, or the rules alone. Without it, only whether
    /// the image can be read is checked.
    #[arg(long, value_name = "FILE.toml")]
    pub gate: Option<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// When the gate cannot be read, and, after all files are reported, when one of them cannot be read.
pub fn run(args: &Args, context: Context) -> Result<Outcome> {
    let Command::Check(args) = &args.command;
    check(args, context)
}

/// What the gate makes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Verdict {
    Accepted,
    /// A value breaks a rule.
    Refused,
    /// No value breaks a rule, but one that a rule needs is missing.
    CannotTell,
    /// The header or the pixels cannot be read.
    Unreadable,
}

#[derive(Debug, Serialize)]
struct Reason {
    /// The element the rule looks at.
    tag: String,
    /// Its value as written.
    value: Option<String>,
    rule: String,
    message: String,
}

#[derive(Debug, Serialize)]
struct FileReport {
    file: PathBuf,
    verdict: Verdict,
    reasons: Vec<Reason>,
    warnings: Vec<Diagnostic>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Diagnostic>,
}

fn check(args: &CheckArgs, context: Context) -> Result<Outcome> {
    let gate = args.gate.as_ref().map_or_else(|| Ok(Gate::default()), read_gate)?;
    let reports: Vec<FileReport> = args.files.iter().map(|file| examine(file, &gate)).collect();
    if context.json {
        println!("{:#}", serde_json::json!({ "files": reports }));
    } else {
        reports.iter().for_each(print);
    }
    let errors: Vec<Diagnostic> = reports.into_iter().flat_map(|report| report.errors).collect();
    if errors.is_empty() { Ok(Outcome::Done) } else { Err(errors.into()) }
}

fn read_gate(path: &PathBuf) -> Result<Gate> {
    let wrong = |message: String| {
        Diagnostic::error("gate-unreadable", message)
            .at(Location::file(path))
            .hint("give a protocol with a [gate] table, or a file with its keys: modality, body_part, view, age_years")
    };
    let bytes = storage::read(path)?;
    let text = String::from_utf8(bytes).map_err(|_| wrong("the file is not UTF-8".to_owned()))?;
    let mut table: toml::Table = text.parse().map_err(|e: toml::de::Error| wrong(e.message().to_owned()))?;
    let rules = table.remove("gate").unwrap_or(toml::Value::Table(table));
    rules.try_into().map_err(|e: toml::de::Error| wrong(e.message().to_owned()).into())
}

fn examine(file: &PathBuf, gate: &Gate) -> FileReport {
    let header = match dicom::read_header(file) {
        Ok(header) => header,
        Err(error) => {
            return FileReport {
                file: file.clone(),
                verdict: Verdict::Unreadable,
                reasons: Vec::new(),
                warnings: Vec::new(),
                errors: error.diagnostics(),
            };
        }
    };
    let reasons: Vec<Reason> =
        gate.refusals(&header.observed).into_iter().map(|r| reason(r, &header)).collect();
    let errors = dicom::load(file).err().map_or_else(Vec::new, |error| error.diagnostics());
    let verdict = if !errors.is_empty() {
        Verdict::Unreadable
    } else if reasons.is_empty() {
        Verdict::Accepted
    } else if reasons.iter().all(|reason| reason.value.is_none()) {
        Verdict::CannotTell
    } else {
        Verdict::Refused
    };
    FileReport { file: file.clone(), verdict, reasons, warnings: header.warnings, errors }
}

fn reason(refusal: Refusal, header: &Header) -> Reason {
    let given = |tag: &str| header.values.get(tag).map(|raw| raw.value.clone());
    let tag = match refusal.rule.as_str() {
        "modality" => "(0008,0060)",
        "body_part" => "(0018,0015)",
        // The view came from PatientPosition when ViewPosition is absent and there is a view.
        "view" if given("(0018,5101)").is_none() && header.observed.view.is_some() => "(0018,5100)",
        "view" => "(0018,5101)",
        "age_years" => "(0010,1010)",
        _ => "(0028,0010)",
    };
    // A value that is there but says nothing (an age that is not one) is shown in the warning, not as a value.
    let value = refusal.value.as_ref().and_then(|_| given(tag));
    Reason { tag: tag.to_owned(), value, rule: refusal.rule, message: refusal.message }
}

fn print(report: &FileReport) {
    let verdict = match report.verdict {
        Verdict::Accepted => "accepted",
        Verdict::Refused => "refused",
        Verdict::CannotTell => "cannot tell",
        Verdict::Unreadable => "cannot be read",
    };
    println!("{}: {verdict}", report.file.display());
    for reason in &report.reasons {
        let value = reason.value.as_ref().map_or_else(|| "absent".to_owned(), |value| format!("`{value}`"));
        println!("  {:<17} {} {value}: {}", reason.rule, reason.tag, reason.message);
    }
    for warning in &report.warnings {
        println!("  {warning}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROTOCOL: &str = include_str!("../../protocols/pneumonia-exp2a.toml");

    #[test]
    fn the_gate_is_read_from_a_protocol_or_alone_and_nothing_else() {
        let home = tempfile::tempdir().expect("folder");
        let path = home.path().join("gate.toml");
        let read = |text: &str| {
            std::fs::write(&path, text).expect("writes");
            read_gate(&path)
        };
        let declared = read(PROTOCOL).expect("has a gate");
        assert_eq!(declared.view, Some(vec!["PA".to_owned(), "AP".to_owned()]));
        assert_eq!(read("view = [\"PA\"]\n").expect("rules").view, Some(vec!["PA".to_owned()]));
        assert_eq!(read("veiw = [\"PA\"]\n").expect_err("unknown").diagnostics()[0].code, "gate-unreadable");
    }

    /// Six files that were derived from NIH images; see the folder's README for what is in them.
    #[test]
    fn the_six_real_files_get_every_reason() {
        let data =
            std::env::var_os("SEQUESTER_DATA").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
        let folder = data.join("dicom-udacity");
        if !folder.is_dir() {
            eprintln!("SKIPPED: {} is not there; set SEQUESTER_DATA to test on real files", folder.display());
            return;
        }
        let home = tempfile::tempdir().expect("folder");
        let path = home.path().join("protocol.toml");
        std::fs::write(&path, PROTOCOL).expect("writes");
        let gate = read_gate(&path).expect("has a gate");
        let age = ("age_years", "(0010,1010)", "81");
        let expected: [&[(&str, &str, &str)]; 6] = [
            &[age],
            &[],
            &[],
            &[("body_part", "(0018,0015)", "RIBCAGE"), age],
            &[("modality", "(0008,0060)", "CT"), age],
            &[("view", "(0018,5100)", "XX"), age],
        ];
        for (number, expected) in expected.into_iter().enumerate() {
            let report = examine(&folder.join(format!("test{}.dcm", number + 1)), &gate);
            assert!(report.errors.is_empty(), "{:?}", report.errors);
            let found: Vec<(&str, &str, &str)> = report
                .reasons
                .iter()
                .map(|r| (r.rule.as_str(), r.tag.as_str(), r.value.as_deref().unwrap_or("")))
                .collect();
            assert_eq!(found, expected, "test{}.dcm", number + 1);
            let verdict = if expected.is_empty() { Verdict::Accepted } else { Verdict::Refused };
            assert_eq!(report.verdict, verdict);
            assert!(
                report.warnings.iter().any(|w| w.code == "dicom-age"),
                "ages without a unit are pointed out"
            );
        }
    }
}
