//! Tables of cases and NIH metadata, plain and gzipped.
#![cfg_attr(not(test), no_main)]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use sequester::dataset::cases::{self, CaseFormat};
use sequester::dataset::describe::{self, AgeBand, Request, Set};
use sequester::dataset::mapped::{self, CaseColumns, PatientFrom};

/// A table of another's making, as a protocol may declare it.
fn declared(patient_from: PatientFrom, header_row: Option<u64>) -> CaseColumns {
    let pattern =
        matches!(patient_from, PatientFrom::Case | PatientFrom::Image).then(|| "^([a-z]+)[0-9]".to_owned());
    let fields = ["case_id", "patient_id", "image", "sex", "age_years", "findings", "label"];
    let with_patient = patient_from == PatientFrom::Column;
    CaseColumns {
        columns: fields
            .into_iter()
            .filter(|field| with_patient || *field != "patient_id")
            .map(|field| (field, field.to_owned()))
            .collect(),
        case_pattern: Some("*.png".to_owned()),
        patient_from,
        patient_pattern: pattern,
        image_pattern: None,
        several_rows: true,
        positive: vec!["ill".to_owned()],
        negative: vec!["well".to_owned()],
        sheet: None,
        header_row,
    }
}

fuzz_target!(|bytes: &[u8]| {
    let path = Path::new("table.csv");
    let positive = ["Pneumonia".to_owned()];
    for format in [CaseFormat::Cases, CaseFormat::Nih] {
        let _ = cases::parse(path, bytes, format, &positive);
    }
    for from in [PatientFrom::Column, PatientFrom::Case, PatientFrom::Image, PatientFrom::EachCase] {
        let _ = mapped::parse(path, bytes, &declared(from, None), &positive);
        let _ = mapped::parse(path, bytes, &declared(from, Some(2)), &positive);
    }
    let _ = cases::parse(Path::new("table.csv.gz"), bytes, CaseFormat::Nih, &positive);
    if let Ok(read) = cases::parse_as(path, bytes, None, &positive) {
        // What was read is described: sums and quartiles of whatever the table says.
        let set = Set { name: "all".to_owned(), cases: read.cases.iter().collect() };
        let request = Request {
            positive: positive.to_vec(),
            bands: AgeBand::USUAL.to_vec(),
            fields: read.fields.clone(),
            unlabelled_count: false,
            whole_first: false,
        };
        let _ = describe::describe(&[set.clone(), set], &request);
    }
});
