//! `[data.columns]`: which columns of a case table of another's making are which.

use std::collections::BTreeMap;

use regex::Regex;

use crate::dataset::cases::{COLUMNS, CaseFormat};
use crate::dataset::mapped::{CaseColumns, PatientFrom};
use crate::declared::Section;
use crate::diagnostic::{Code, Diagnostic};

/// The table below `key` as typed; `None` where it is not there or empty.
pub(super) fn case_columns(
    parent: &Section,
    key: &'static str,
    format: CaseFormat,
) -> Option<Box<CaseColumns>> {
    let section = parent.section(key);
    let declared: BTreeMap<&'static str, String> = COLUMNS
        .into_iter()
        .filter(|field| section.has(field))
        .map(|field| (field, section.required_string(field)))
        .collect();
    let columns = CaseColumns {
        case_pattern: section.string("case_pattern"),
        patient_from: section.choice("patient_from", &PatientFrom::NAMES, PatientFrom::Column),
        patient_pattern: section.string("patient_pattern"),
        image_pattern: section.string("image_pattern"),
        several_rows: section.choice("rows", &[("cases", false), ("several", true)], false),
        positive: section.strings("positive").unwrap_or_default(),
        negative: section.strings("negative").unwrap_or_default(),
        sheet: section.string("sheet"),
        header_row: section.has("header_row").then(|| section.whole("header_row").unwrap_or(1)),
        columns: declared,
    };
    let own = section.is_empty() && key == "development_columns";
    if !section.is_present() || own {
        section.finish();
        return None;
    }
    if format == CaseFormat::Nih {
        let message = format!("`{key}` and format = \"nih\": one of them says where the fields stand");
        parent.wrong(key, Code::ColumnsKeyUnused, message);
    }
    check(&section, &columns);
    section.finish();
    Some(Box::new(columns))
}

fn check(section: &Section, declared: &CaseColumns) {
    let has = |field: &str| declared.columns.contains_key(field);
    if !has("case_id") {
        section.required_string("case_id");
    }
    let stars = |text: &Option<String>| text.as_deref().map_or(1, |text| text.matches('*').count());
    for (key, pattern) in
        [("case_pattern", &declared.case_pattern), ("image_pattern", &declared.image_pattern)]
    {
        if stars(pattern) != 1 {
            let message = format!("`{key}` must hold one `*`, which stands for the case");
            section.wrong(key, Code::ValueRange, message);
        }
    }
    let unused = |key: &'static str, message: &str| section.wrong(key, Code::ColumnsKeyUnused, message);
    if has("image") && declared.image_pattern.is_some() {
        unused("image_pattern", "`image` and `image_pattern`: one of them says where the image lies");
    }
    match declared.patient_from {
        PatientFrom::Column if !has("patient_id") => {
            let message = "nothing says which cases are of one patient: `patient_id` names the column";
            section.report(Diagnostic::error(Code::KeyMissing, message).at(section.here()).hint(
                "or patient_from = \"case\" or \"image\" with a `patient_pattern` such as \
                 \"^(person[0-9]+)_\"; where nobody knows, patient_from = \"each-case\", which documents \
                 print",
            ));
        }
        PatientFrom::Column => {}
        _ if has("patient_id") => {
            unused(
                "patient_from",
                "`patient_id` and another `patient_from` than \"column\": one of them holds",
            );
        }
        PatientFrom::EachCase if declared.patient_pattern.is_some() => {
            unused("patient_pattern", "where each case is a patient of its own, no pattern is looked for");
        }
        PatientFrom::Case | PatientFrom::Image if declared.patient_pattern.is_none() => {
            let message = "patient_from = \"case\" and \"image\" need a `patient_pattern`: a regular \
                           expression whose first group is the patient, such as \"^(person[0-9]+)_\"";
            section.wrong("patient_from", Code::KeyMissing, message);
        }
        PatientFrom::Image if !has("image") && declared.image_pattern.is_none() => {
            let message = "patient_from = \"image\" needs the image: `image` names its column";
            section.wrong("patient_from", Code::KeyMissing, message);
        }
        _ => {}
    }
    if let Some(pattern) = &declared.patient_pattern
        && let Err(e) = Regex::new(pattern)
    {
        let why = e.to_string().lines().last().unwrap_or_default().trim().to_owned();
        section.wrong("patient_pattern", Code::Regex, format!("no regular expression: {why}"));
    }
    let words = !declared.positive.is_empty() || !declared.negative.is_empty();
    if words && !has("label") {
        unused(
            if declared.positive.is_empty() { "negative" } else { "positive" },
            "`positive` and `negative` are words of the label: `label` names its column",
        );
    }
    if words && (declared.positive.is_empty() || declared.negative.is_empty()) {
        let key = if declared.positive.is_empty() { "negative" } else { "positive" };
        let message = "`positive` and `negative` belong together: what is neither of both is an error";
        section.wrong(key, Code::KeyMissing, message);
    }
    let both = declared
        .positive
        .iter()
        .find(|word| declared.negative.iter().any(|other| word.to_lowercase() == other.to_lowercase()));
    if let Some(word) = both {
        section.wrong("negative", Code::ReadAmbiguous, format!("the label \"{word}\" has two meanings"));
    }
    if declared.header_row == Some(0) {
        section.wrong("header_row", Code::ValueRange, "rows are counted from 1");
    }
}
