//! `sequester dicom`: what the gate makes of DICOM files before anything is scored, and what identifies a
//! person in them.

use std::path::{Path, PathBuf};

use serde::Serialize;

use super::{Context, Outcome};
use crate::dataset::gate::{self, Check, Gate, Verdict};
use crate::diagnostic::{Code, Diagnostic, Location, Result, shown};
use crate::imaging::dicom;
use crate::imaging::dicom::{Header, Identifier};

/// Look at DICOM files.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Check(CheckArgs),
    Phi(PhiArgs),
}

/// Say of each file whether the intended-use gate accepts it: every rule with tag, value and outcome.
///
/// A file is accepted when every rule passes, rejected when one fails, and "cannot tell" when none fails but
/// a datum that a rule needs is missing or unreadable. That the pixels can be read is always a rule.
/// Identifying attributes are named, without their values; they do not change the verdict.
///
/// Exits with 0 when every file is accepted, with 10 when a file is rejected or the gate cannot tell, and
/// with 1 when a file could not be read; the other files are judged all the same.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// DICOM files.
    #[arg(required = true, value_name = "FILES")]
    pub files: Vec<PathBuf>,
    /// TOML file with the gate's rules: a protocol with `[gate]`, or the rules alone. Without it, only
    /// whether the image can be read is checked.
    #[arg(long, value_name = "FILE")]
    pub gate: Option<PathBuf>,
}

/// Name what identifies a person in headers and file names, never the values.
///
/// Names, identifiers, dates, addresses, private attributes, text burned into the picture, and descriptions,
/// which may also give the finding away: of descriptions and other free text it is said what they seem to
/// hold (a date, a telephone number, a finding, the patient's name or identifier). Exits with 0 when nothing
/// is found, with 10 when something is, and with 1 when a file could not be read.
#[derive(Debug, clap::Args)]
pub struct PhiArgs {
    /// DICOM files.
    #[arg(required = true, value_name = "FILES")]
    pub files: Vec<PathBuf>,
}

/// Runs the command.
///
/// # Errors
/// When the gate cannot be read. What is wrong with single files is reported with the others.
pub fn run(args: &Args, context: Context) -> Result<Outcome> {
    match &args.command {
        Command::Check(args) => check(args, context),
        Command::Phi(args) => phi(args, context),
    }
}

/// One rule and one file.
#[derive(Debug, Serialize)]
struct RuleReport {
    rule: &'static str,
    /// The element the rule looks at.
    tag: &'static str,
    keyword: &'static str,
    /// Its value as written; of a birth date the age alone.
    value: Option<String>,
    outcome: gate::Outcome,
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Code>,
}

#[derive(Debug, Serialize)]
struct FileReport {
    #[serde(serialize_with = "shown")]
    path: PathBuf,
    verdict: Verdict,
    rules: Vec<RuleReport>,
    phi: Vec<Identifier>,
    warnings: Vec<Diagnostic>,
    errors: Vec<Diagnostic>,
}

fn check(args: &CheckArgs, context: Context) -> Result<Outcome> {
    let gate = args.gate.as_deref().map_or_else(|| Ok(Gate::default()), super::score::read_gate)?;
    let reports: Vec<FileReport> = args.files.iter().map(|file| examine(file, &gate)).collect();
    if context.json {
        println!("{:#}", serde_json::json!({ "gate": gate, "files": reports }));
    } else {
        reports.iter().for_each(print);
    }
    let no = reports.iter().any(|report| report.verdict != Verdict::Accept);
    Ok(ending(reports.iter().flat_map(|report| &report.errors), no))
}

/// Errors go to standard error; the report on standard output stays one document.
fn ending<'a>(errors: impl Iterator<Item = &'a Diagnostic>, no: bool) -> Outcome {
    let mut failed = false;
    for error in errors {
        eprintln!("{error}");
        failed = true;
    }
    match (failed, no) {
        (true, _) => Outcome::NotAllCouldBeDone,
        (false, true) => Outcome::CriterionNotMet,
        (false, false) => Outcome::Done,
    }
}

fn examine(file: &Path, gate: &Gate) -> FileReport {
    let mut report = FileReport {
        path: file.to_path_buf(),
        verdict: Verdict::CannotTell,
        rules: Vec::new(),
        phi: Vec::new(),
        warnings: Vec::new(),
        errors: Vec::new(),
    };
    let header = match dicom::read_header(file) {
        Ok(header) => header,
        Err(error) => {
            report.errors = error.diagnostics();
            return report;
        }
    };
    let checks = gate.checks(&header.observed);
    // What the header does not rule out is decoded: an image that is cut is found here, not at scoring.
    if matches!(header.observed.pixels, Some(Ok(())))
        && let Err(error) = dicom::load(file)
    {
        report.errors = error.diagnostics();
    }
    let broken = (!report.errors.is_empty()).then_some(gate::Outcome::CannotTell);
    report.verdict = Verdict::of(checks.iter().map(|check| check.outcome).chain(broken));
    report.rules = checks.into_iter().map(|check| describe(check, &header)).collect();
    if broken.is_some()
        && let Some(rule) = report.rules.iter_mut().find(|rule| rule.rule == "pixel_data")
    {
        rule.outcome = gate::Outcome::CannotTell;
        rule.message = report.errors.first().map_or_else(String::new, |error| error.message.clone());
        rule.code = report.errors.first().map(|error| error.code);
    }
    report.phi = header.identifiers;
    report.warnings = header.warnings;
    report
}

fn describe(check: Check, header: &Header) -> RuleReport {
    let given = |tag: &str| header.values.get(tag).map(|raw| raw.value.chars().take(64).collect::<String>());
    let (tag, keyword) = match check.rule {
        "modality" => ("(0008,0060)", "Modality"),
        "body_part" => ("(0018,0015)", "BodyPartExamined"),
        // The view came from PatientPosition when ViewPosition is absent and there is a view.
        "view" if given("(0018,5101)").is_none() && header.observed.view.is_some() => {
            ("(0018,5100)", "PatientPosition")
        }
        "view" => ("(0018,5101)", "ViewPosition"),
        "age_years" if header.observed.age_years.is_none() && check.value.is_some() => {
            ("(0010,0030)", "PatientBirthDate")
        }
        "age_years" => ("(0010,1010)", "PatientAge"),
        "photometric_interpretation" => ("(0028,0004)", "PhotometricInterpretation"),
        "burned_in_annotation" => ("(0028,0301)", "BurnedInAnnotation"),
        "pixel_data" => ("(7FE0,0010)", "PixelData"),
        _ => ("(0028,0010)", "Rows"),
    };
    // Columns and rows are judged together; a malformed age is shown as it was written.
    let value = if keyword == "Rows" { check.value } else { given(tag).or(check.value) };
    let (rule, outcome, message, code) = (check.rule, check.outcome, check.message, check.code);
    RuleReport { rule, tag, keyword, value, outcome, message, code }
}

fn print(report: &FileReport) {
    let verdict = match report.verdict {
        Verdict::Accept => "accept",
        Verdict::Reject => "reject",
        Verdict::CannotTell => "cannot tell",
    };
    println!("{}: {verdict}", report.path.display());
    for rule in &report.rules {
        let outcome = match rule.outcome {
            gate::Outcome::Pass => "pass",
            gate::Outcome::Fail => "FAIL",
            gate::Outcome::CannotTell => "CANNOT TELL",
        };
        let value = rule.value.as_ref().map_or_else(|| "-".to_owned(), |value| format!("`{value}`"));
        let code = rule.code.map_or_else(String::new, |code| format!(" [{code}]"));
        println!("  {outcome:<11} {:<26} {} {value}: {}{code}", rule.rule, rule.tag, rule.message);
    }
    print_identifiers(&report.phi);
    for warning in &report.warnings {
        println!("  {warning}");
    }
}

fn print_identifiers(found: &[Identifier]) {
    for one in found {
        let traces: Vec<String> = one.traces.iter().map(ToString::to_string).collect();
        let seems = if traces.is_empty() { String::new() } else { format!(": {}", traces.join(", ")) };
        println!("  phi         {:<26} {} {}{seems}", one.kind, one.tag, one.keyword);
    }
}

fn phi(args: &PhiArgs, context: Context) -> Result<Outcome> {
    let mut reports = Vec::new();
    let mut errors = Vec::new();
    let mut any = false;
    for file in &args.files {
        let (found, doubt, wrong) = match dicom::read_header(file) {
            Ok(header) => {
                let unsaid =
                    (header.observed.burned_in.is_none() && header.observed.pixels.is_some()).then(|| {
                        Diagnostic::warning(
                            Code::DicomBurnedInUnknown,
                            "BurnedInAnnotation (0028,0301) is absent: text may be burned into the picture",
                        )
                        .at(Location::file(file))
                        .hint("look at the picture")
                    });
                (header.identifiers, unsaid, Vec::new())
            }
            Err(error) => (Vec::new(), None, error.diagnostics()),
        };
        any |= !found.is_empty();
        if !context.json {
            println!("{}: {} identifying attributes", file.display(), found.len());
            print_identifiers(&found);
            doubt.iter().for_each(|doubt| println!("  {doubt}"));
        }
        let warnings: Vec<&Diagnostic> = doubt.iter().collect();
        let path = file.display().to_string();
        reports
            .push(serde_json::json!({ "path": path, "phi": found, "warnings": warnings, "errors": wrong }));
        errors.extend(wrong);
    }
    if context.json {
        println!("{:#}", serde_json::json!({ "files": reports }));
    }
    Ok(ending(errors.iter(), any))
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
            super::super::score::read_gate(&path)
        };
        let declared = read(PROTOCOL).expect("has a gate");
        assert_eq!(declared.view, Some(vec!["PA".to_owned(), "AP".to_owned()]));
        assert_eq!(read("view = [\"PA\"]\n").expect("rules").view, Some(vec!["PA".to_owned()]));
        assert_eq!(
            read("veiw = [\"PA\"]\n").expect_err("unknown").diagnostics()[0].code.as_str(),
            "unknown-key"
        );
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
        let gate = super::super::score::read_gate(&path).expect("has a gate");
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
                .rules
                .iter()
                .filter(|r| r.outcome != gate::Outcome::Pass)
                .map(|r| (r.rule, r.tag, r.value.as_deref().unwrap_or("")))
                .collect();
            assert_eq!(found, expected, "test{}.dcm", number + 1);
            let verdict = if expected.is_empty() { Verdict::Accept } else { Verdict::Reject };
            assert_eq!(report.verdict, verdict);
            assert!(
                report.warnings.iter().any(|w| w.code.as_str() == "dicom-age"),
                "ages without a unit are pointed out"
            );
        }
    }
}
