//! DICOM Structured Reports of TID 1500 (PS3.16): one report a reader and a case. The observer of type Person
//! is the reader; answers are qualitative evaluations: codes or texts in a measurement group, below a
//! measurement, or in the container of evaluations of the whole report. Any code may be the evaluation, so
//! `question` picks one by the meaning or the value of its concept where there are several, and picks what is
//! never taken by itself, such as the finding.
//!
//! Relationship types are not looked at: writers get them wrong.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::{NaiveDate, NaiveTime};

use super::place::{short, some};
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::imaging::dicom::{self, Coded, ContentItem, ContentValue, Report};
use crate::protocol::ReadsSource;
use crate::reads::export::{Answer, Export, NoRead, NoReadReason, SEVERAL};

/// Imaging Measurement Report, the root of TID 1500.
const REPORT: &str = "126000";
/// Imaging Measurements, and Measurement Group.
const MEASUREMENTS: &str = "126010";
const GROUP: &str = "125007";
/// Qualitative Evaluations (TID 1500), in its own scheme.
const EVALUATIONS: (&str, &str) = ("C0034375", "UMLS");
/// Observer Type; its values; Person Observer Name.
const OBSERVER_TYPE: &str = "121005";
const DEVICE: &str = "121007";
const PERSON_NAME: &str = "121008";
/// Concepts that describe a measurement group and evaluate nothing: finding, tracking, method, laterality,
/// time points, session, algorithm, derivation, purpose, source.
const DESCRIBING: [&str; 20] = [
    "121071", "112039", "112040", "126070", "126071", "126072", "126073", "126074", "126100", "111001",
    "111002", "111003", "121401", "121135", "121139", "121049", "121046", "121058", "125005", "121321",
];
/// The same in other schemes: finding site, laterality, topographical modifier, method, derivation, category,
/// time point, session.
const DESCRIBING_ELSEWHERE: [&str; 15] = [
    "G-C0E3",
    "363698007",
    "G-C171",
    "272741003",
    "G-A1F8",
    "106233006",
    "G-C306",
    "370129005",
    "C94970",
    "G-C036",
    "276214006",
    "C0449450",
    "121207",
    "C2348792",
    "C67447",
];
/// Names by which writers say that nobody is named.
const NOBODY: [&str; 4] = ["unknown", "anonymous", "anon", "none"];

/// An evaluation.
struct Evaluation<'r> {
    concept: &'r Coded,
    text: String,
}

/// The answer of a report.
///
/// # Errors
/// `dicom-unreadable`; `dicom-sr-template` for a report of another template, `dicom-sr-device` for one of a
/// device, `value-missing` where no reader or no case is named, `question-needed`, `reads-presence-only` for
/// measurements without an evaluation.
pub fn read(
    path: &Path,
    bytes: &[u8],
    source: &ReadsSource,
    reader_of_path: Option<&str>,
) -> Result<Export, Vec<Diagnostic>> {
    let at = Location::file(path);
    let located = |problem: Diagnostic| vec![problem.at(at.clone())];
    let report = dicom::report(bytes).map_err(located)?;
    let root = &report.root;
    if !root.is_named(REPORT) {
        let name = root.name.as_ref().map_or("without a name", |name| name.meaning.as_str());
        let message =
            format!("the report is `{}`, and `Imaging Measurement Report` (TID 1500) is read", short(name));
        let hint =
            "export the answers as a table, one row a reader and a case, and declare format = \"table\"";
        return Err(located(Diagnostic::error(Code::DicomSrTemplate, message).hint(hint)));
    }
    let evaluations = evaluations(root);
    let question = question(&evaluations, root, source).map_err(located)?;
    let reader_id = match reader_of_path {
        Some(reader) => reader.to_owned(),
        None => observer(root).map_err(located)?,
    };
    let case_id = case(&report, source).map_err(located)?;
    let picked = picked(root, &evaluations, question.as_deref());
    let mut export = Export { warnings: flags(&report, path), ..Export::default() };
    if picked.is_empty() {
        export.no_reads.push(NoRead {
            case_id: Some(case_id),
            reader_id: Some(reader_id),
            reason: NoReadReason::Empty,
            comment: None,
            at,
        });
        return Ok(export);
    }
    export.answers.push(Answer {
        case_id: case_id.into(),
        reader_id: reader_id.into(),
        text: picked.join(&SEVERAL.to_string()).into(),
        time: content_time(&report),
        session: None,
        confidence: None,
        comment: None,
        at,
    });
    Ok(export)
}

/// What a reader should know of the report's own state.
fn flags(report: &Report, path: &Path) -> Vec<Diagnostic> {
    let mut said = Vec::new();
    if report.completion != "COMPLETE" {
        let flag = if report.completion.is_empty() { "absent" } else { &report.completion };
        said.push(format!("the report's completion flag is {flag}: more may have been meant to be answered"));
    }
    if report.verification != "VERIFIED" {
        said.push("no person has verified the report (UNVERIFIED)".to_owned());
    }
    let flags = said.into_iter().map(|message| Diagnostic::warning(Code::DicomSrState, message));
    let irregular = report.irregular.iter().map(|what| Diagnostic::warning(Code::DicomIrregular, what));
    flags.chain(irregular).map(|warning| warning.at(Location::file(path))).collect()
}

/// The person who observed.
fn observer(root: &ContentItem) -> Result<String, Diagnostic> {
    let items = root.all();
    let mut people: BTreeSet<String> = BTreeSet::new();
    for item in items.iter().filter(|item| item.is_named(PERSON_NAME)) {
        if let ContentValue::Text(name) = &item.value {
            people.insert(name.trim_matches('^').replace('^', " ").trim().to_owned());
        }
    }
    let is_device = |code: &Coded| code.is(DEVICE, "DCM") || code.meaning == "Device";
    let by_device = items.iter().any(|item| {
        item.is_named(OBSERVER_TYPE) && matches!(&item.value, ContentValue::Code(code) if is_device(code))
    });
    people.retain(|name| {
        let words: Vec<String> = name.split_whitespace().map(str::to_lowercase).collect();
        !words.is_empty() && !words.iter().all(|word| NOBODY.contains(&word.as_str()))
    });
    let mut names = people.iter();
    match (names.next(), names.next()) {
        (Some(one), None) => Ok(one.clone()),
        (Some(_), Some(_)) => {
            let message =
                format!("the report names several persons: {}", some(people.iter().map(String::as_str)));
            let hint = "one report a reader; or declare reader_from = \"file\" or \"folder\"";
            Err(Diagnostic::error(Code::ValueMissing, message).hint(hint))
        }
        (None, _) if by_device => {
            let message = "the observer of the report is a device: its evaluation is no read of a person";
            let hint = "a device's results are scores; give the readers' reports";
            Err(Diagnostic::error(Code::DicomSrDevice, message).hint(hint))
        }
        (None, _) => {
            let message = "the report names no person as its observer";
            let hint = "declare reader_from = \"file\" or \"folder\", with one file or one folder a reader";
            Err(Diagnostic::error(Code::ValueMissing, message).hint(hint))
        }
    }
}

/// The case by the declared attribute.
fn case(report: &Report, source: &ReadsSource) -> Result<String, Diagnostic> {
    const IMAGE: &str = "ReferencedSOPInstanceUID";
    let wanted = source.case_column.as_deref().unwrap_or(IMAGE);
    let found = match wanted {
        "PatientID" => report.patient_id.clone(),
        "StudyInstanceUID" => report.study_instance_uid.clone(),
        "AccessionNumber" => report.accession_number.clone(),
        IMAGE => {
            let images: BTreeSet<String> = report
                .root
                .all()
                .into_iter()
                .filter(|item| item.kind == "IMAGE")
                .filter_map(|item| match &item.value {
                    ContentValue::Reference(uid) => Some(uid.clone()),
                    _ => None,
                })
                .collect();
            if images.len() > 1 {
                let message = format!("the report is of {} images, and a case is one", images.len());
                let hint = "declare case_column = \"StudyInstanceUID\", \"AccessionNumber\" or \
                            \"PatientID\" where \
                            the case table names cases so";
                return Err(Diagnostic::error(Code::ValueMissing, message).hint(hint));
            }
            images.into_iter().next().unwrap_or_default()
        }
        other => {
            let message = format!("`{}` is no attribute that names a case", short(other));
            let hint = "`case_column` is \"ReferencedSOPInstanceUID\", \"StudyInstanceUID\", \
                        \"AccessionNumber\" or \
                        \"PatientID\"";
            return Err(Diagnostic::error(Code::ColumnMissing, message).hint(hint));
        }
    };
    if found.is_empty() {
        let message = format!("the report has no {wanted}, which is declared to name the case");
        let hint = "declare another `case_column`: \"ReferencedSOPInstanceUID\", \"StudyInstanceUID\", \
                    \"AccessionNumber\" or \"PatientID\"";
        return Err(Diagnostic::error(Code::ValueMissing, message).hint(hint));
    }
    Ok(found)
}

/// The words of an item that may be an answer: the meaning of a code, its value where it has none, or a text.
fn words(item: &ContentItem) -> Option<String> {
    let text = match &item.value {
        ContentValue::Code(code) if code.meaning.is_empty() => &code.value,
        ContentValue::Code(code) => &code.meaning,
        ContentValue::Text(text) => text,
        _ => return None,
    };
    Some(text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// Codes and texts that evaluate something, where TID 1500 has them.
fn evaluations(root: &ContentItem) -> Vec<Evaluation<'_>> {
    let evaluates = |item: &ContentItem| {
        let codes = ["CODE", "TEXT"].contains(&item.kind.as_str());
        codes && item.name.as_ref().is_some_and(|name| !describes(name))
    };
    let mut found = Vec::new();
    for container in root.all() {
        let of_group = container.is_named(GROUP) || container.is_named(MEASUREMENTS);
        let of_report = container.name.as_ref().is_some_and(|name| name.is(EVALUATIONS.0, EVALUATIONS.1));
        if !of_group && !of_report {
            continue;
        }
        for item in &container.children {
            let below = if item.kind == "NUM" { &item.children[..] } else { std::slice::from_ref(item) };
            for item in below.iter().filter(|item| evaluates(item)) {
                if let (Some(concept), Some(text)) = (&item.name, words(item)) {
                    found.push(Evaluation { concept, text });
                }
            }
        }
    }
    found
}

fn describes(name: &Coded) -> bool {
    (name.scheme == "DCM" && DESCRIBING.contains(&name.value.as_str()))
        || DESCRIBING_ELSEWHERE.contains(&name.value.as_str())
}

fn is_concept(concept: &Coded, wanted: &str) -> bool {
    concept.meaning.eq_ignore_ascii_case(wanted) || concept.value == wanted
}

/// The question that is read: the declared one, or the only one.
fn question(
    evaluations: &[Evaluation<'_>],
    root: &ContentItem,
    source: &ReadsSource,
) -> Result<Option<String>, Diagnostic> {
    if let Some(wanted) = &source.question {
        return Ok(Some(wanted.clone()));
    }
    let concepts: BTreeSet<(&str, &str)> =
        evaluations.iter().map(|one| (one.concept.value.as_str(), one.concept.scheme.as_str())).collect();
    if concepts.len() > 1 {
        let names = evaluations.iter().map(|one| one.concept.meaning.as_str());
        let names: BTreeSet<&str> = names.collect();
        let message = format!("the report answers several questions: {}", some(names));
        let hint = "name the one that is read by its meaning or code: question = \"...\" in [reads]";
        return Err(Diagnostic::error(Code::QuestionNeeded, message).hint(hint));
    }
    if concepts.is_empty() {
        let measured = root.all().iter().any(|item| item.kind == "NUM" || item.is_named(GROUP));
        if measured {
            let message = "the report holds measurements or marks and no evaluation: an image without one \
                           cannot \
                           be told from one that nobody read";
            let hint = "let readers evaluate each image (TID 1500, qualitative evaluations); where the \
                        finding of a \
                        group is the answer, declare question = \"Finding\"";
            return Err(Diagnostic::error(Code::ReadsPresenceOnly, message).hint(hint));
        }
    }
    Ok(evaluations.first().map(|one| one.concept.value.clone()))
}

/// The words of all answers to the question.
fn picked(root: &ContentItem, evaluations: &[Evaluation<'_>], question: Option<&str>) -> Vec<String> {
    let Some(question) = question else { return Vec::new() };
    let among: Vec<String> = evaluations
        .iter()
        .filter(|one| is_concept(one.concept, question))
        .map(|one| one.text.clone())
        .collect();
    if !among.is_empty() {
        return among;
    }
    // What is never taken by itself, such as the finding, is taken when it is asked for.
    let asked = |item: &&ContentItem| item.name.as_ref().is_some_and(|name| is_concept(name, question));
    root.all().into_iter().filter(asked).filter_map(words).collect()
}

/// When the content was made (PS3.5, 6.2: DA and TM).
fn content_time(report: &Report) -> Option<chrono::NaiveDateTime> {
    let (date, time) = &report.content_time;
    let date = NaiveDate::parse_from_str(date, "%Y%m%d").ok()?;
    let time = NaiveTime::parse_from_str(time.get(..6)?, "%H%M%S").ok()?;
    Some(date.and_time(time))
}
