//! What identifies a person in DICOM images stays there: a study whose images carry marked names,
//! identifiers, dates and private attributes runs to the end, and no byte of them is in what it writes or
//! says. Only with libtorch.

use std::path::Path;

use dicom_core::{DataElement, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use sequester::imaging::image;

use crate::support::{files, holds, sequester, with_pdf};

const MARK: &str = "QZXVPERSON";
const BIRTH: &str = "19310717";
const STUDY: &str = "2.25.930117770011";

/// The image at `path` as a DICOM file whose every identifying attribute is marked.
fn dicom(path: &Path, age: &str) -> Vec<u8> {
    let picture = image::load(path).expect("reads");
    let mut object = InMemDicomObject::new_empty();
    let marked = |what: &str| format!("{MARK} {what}");
    let texts = [
        (tags::SOP_CLASS_UID, VR::UI, "1.2.840.10008.5.1.4.1.1.7".to_owned()),
        (tags::SOP_INSTANCE_UID, VR::UI, format!("{STUDY}.1")),
        (tags::STUDY_INSTANCE_UID, VR::UI, STUDY.to_owned()),
        (tags::PATIENT_NAME, VR::PN, format!("{MARK}^Q")),
        (tags::PATIENT_ID, VR::LO, marked("id")),
        (tags::OTHER_PATIENT_NAMES, VR::PN, format!("{MARK}^O")),
        (tags::PATIENT_BIRTH_DATE, VR::DA, BIRTH.to_owned()),
        (tags::PATIENT_ADDRESS, VR::LO, marked("street")),
        (tags::ACCESSION_NUMBER, VR::SH, MARK.to_owned()),
        (tags::REFERRING_PHYSICIAN_NAME, VR::PN, format!("{MARK}^R")),
        (tags::INSTITUTION_NAME, VR::LO, marked("hospital")),
        (tags::STUDY_DESCRIPTION, VR::LO, marked("described")),
        (tags::IMAGE_COMMENTS, VR::LT, marked("remarked")),
        (Tag(0x0009, 0x0010), VR::LO, marked("private")),
        (tags::MODALITY, VR::CS, "DX".to_owned()),
        (tags::BODY_PART_EXAMINED, VR::CS, "CHEST".to_owned()),
        (tags::VIEW_POSITION, VR::CS, "PA".to_owned()),
        (tags::PATIENT_AGE, VR::AS, age.to_owned()),
        (tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2".to_owned()),
    ];
    for (tag, vr, value) in texts {
        object.put(DataElement::new(tag, vr, PrimitiveValue::from(value)));
    }
    for (tag, value) in [
        (tags::SAMPLES_PER_PIXEL, 1),
        (tags::ROWS, picture.height() as u16),
        (tags::COLUMNS, picture.width() as u16),
        (tags::BITS_ALLOCATED, 8),
        (tags::BITS_STORED, 8),
        (tags::HIGH_BIT, 7),
        (tags::PIXEL_REPRESENTATION, 0),
    ] {
        object.put(DataElement::new(tag, VR::US, PrimitiveValue::from(value)));
    }
    let pixels: Vec<u8> = picture.pixels().iter().map(|&value| (255.0 * value).round() as u8).collect();
    object.put(DataElement::new(tags::PIXEL_DATA, VR::OB, PrimitiveValue::from(pixels)));
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax("1.2.840.10008.1.2.1")
        .media_storage_sop_class_uid("1.2.840.10008.5.1.4.1.1.7")
        .media_storage_sop_instance_uid(format!("{STUDY}.1"));
    let mut bytes = Vec::new();
    object.with_meta(meta).expect("complete").write_all(&mut bytes).expect("writes");
    bytes
}

/// The text of a PDF by poppler's `pdftotext`, which undoes compression and fonts; empty, and said so,
/// without it.
#[cfg(feature = "pdf")]
fn pdf_text(path: &Path) -> String {
    match std::process::Command::new("pdftotext").arg(path).arg("-").output() {
        Ok(ran) if ran.status.success() => {
            let text = String::from_utf8_lossy(&ran.stdout).into_owned();
            assert!(text.contains("Description of Validation Dataset"), "the text is there: {text}");
            text
        }
        other => {
            eprintln!("SKIPPED: the text of the PDF was not searched: no pdftotext ({other:?})");
            String::new()
        }
    }
}

fn marks(bytes: &[u8]) -> Vec<&'static str> {
    let lower = bytes.to_ascii_lowercase();
    // A birth date may also be written with hyphens.
    let all = [MARK, BIRTH, "1931-07-17", STUDY];
    all.into_iter().filter(|mark| holds(&lower, &mark.to_ascii_lowercase())).collect()
}

#[test]
fn no_identifying_byte_of_an_image_reaches_evidence_reports_or_terminal() {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().join("study");
    let study = folder.to_str().expect("UTF-8");
    let sizes = ["--cases", "120", "--development", "40", "--size", "48", "--only-cohort"];
    let ran = sequester(&[&["demo", study], &sizes[..]].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let experiment =
        include_str!("../../protocols/exp-random-smoke.toml").replace("resolution = 96", "resolution = 32");
    std::fs::write(folder.join("experiment.toml"), experiment).expect("writes");
    for (index, path) in files(&folder.join("images")).keys().enumerate() {
        // Content tells what a file is, not its name. Every ninth is refused by the age in its header.
        let age = if index % 9 == 4 { "091Y" } else { "058Y" };
        std::fs::write(path, dicom(path, age)).expect("writes");
    }

    // The marks are there, and are named without their values.
    let image = files(&folder.join("images")).into_iter().next().expect("images");
    assert_eq!(marks(&image.1), [MARK, BIRTH, STUDY]);
    let image = image.0.to_str().expect("UTF-8").to_owned();
    let ran = sequester(&["dicom", "phi", &image, "--json"]);
    assert_eq!(ran.code, 10, "{}", ran.stderr);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(report["files"][0]["phi"].as_array().expect("a list").len(), 11, "{report:#}");
    for told in [ran, sequester(&["dicom", "phi", &image])] {
        assert_eq!(marks(format!("{}{}", told.stdout, told.stderr).as_bytes()), [""; 0]);
    }

    let ran = with_pdf(&["run", study]);
    assert!([0, 10].contains(&ran.code), "{}{}", ran.stdout, ran.stderr);
    let scores = std::fs::read_to_string(folder.join("scores.csv")).expect("reads");
    assert!(scores.contains("age 91"), "one image at least was refused by its header: {scores}");
    assert_eq!(marks(format!("{}{}", ran.stdout, ran.stderr).as_bytes()), [""; 0]);
    let written = files(&folder);
    for kind in ["evidence/run-1/data/results.json", "reports/run-1/report.html", "model/lock.json"] {
        assert!(written.contains_key(&folder.join(kind)), "{kind} was written");
    }
    #[cfg(feature = "pdf")]
    assert_eq!(
        marks(pdf_text(&folder.join("reports/run-1/report.pdf")).as_bytes()),
        [""; 0],
        "in the PDF's text"
    );
    for (path, bytes) in written.iter().filter(|(path, _)| !path.starts_with(folder.join("images"))) {
        assert_eq!(marks(bytes), [""; 0], "in {}", path.display());
    }
}
