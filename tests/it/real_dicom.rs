//! Real DICOM files: the stored values of every grey image against pydicom's, which are kept as digests in
//! `fixtures/reference-values/dicom`, made by the script there.

use std::collections::BTreeMap;

use sequester::dataset::dicom;
use sequester::digest::Digest;

use crate::support::real_data;

/// Files that pydicom reads, or tries to, and that are refused here, with the code.
const REFUSED: [(&str, &str); 9] = [
    ("dicom-pydicom/JPEG-lossy.dcm", "dicom-transfer-syntax"),
    ("dicom-pydicom/JPEG2000-embedded-sequence-delimiter.dcm", "dicom-pixels-unreadable"),
    ("dicom-pydicom/JPGExtended.dcm", "dicom-transfer-syntax"),
    ("dicom-pydicom/MR_truncated.dcm", "dicom-unreadable"),
    ("dicom-pydicom/liver_1frame.dcm", "dicom-bits"),
    ("dicom-pydicom/liver_expb_1frame.dcm", "dicom-bits"),
    ("dicom-pydicom/rtdose_1frame.dcm", "dicom-bits"),
    ("dicom-pydicom/rtdose_expb_1frame.dcm", "dicom-bits"),
    ("dicom-pydicom/rtdose_rle_1frame.dcm", "dicom-bits"),
];

/// Pictures in the irreversible wavelet of JPEG 2000, whose rounding the standard leaves to decoders: here one grey level
/// of 65,536 in about one pixel of a thousand. Sums may differ by as much.
const IRREVERSIBLE: [&str; 1] = ["dicom-pydicom/JPEG2000.dcm"];

#[test]
fn stored_values_are_pydicoms_or_the_file_is_refused_by_name() {
    let Some(data) = real_data("stored_values_are_pydicoms_or_the_file_is_refused_by_name") else { return };
    let reference: serde_json::Value =
        serde_json::from_str(include_str!("../../fixtures/reference-values/dicom/pixels.json"))
            .expect("JSON");
    let files = reference["files"].as_object().expect("files");
    let mut refused = BTreeMap::new();
    let mut wrong = Vec::new();
    let mut near = 0;
    let mut equal: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, expected) in files {
        let path = data.join(name);
        let digest = Digest::of_file(&path).expect("reads");
        assert_eq!(expected["sha256"], digest.to_string(), "{name} is another file");
        let stored = match dicom::stored(&path) {
            Ok(stored) => stored,
            Err(error) => {
                let problem = error.diagnostics().remove(0);
                refused.insert(name.as_str(), (problem.code, problem.message));
                continue;
            }
        };
        let bytes: Vec<u8> = stored.values.iter().flat_map(|value| value.to_le_bytes()).collect();
        if IRREVERSIBLE.contains(&name.as_str()) {
            let sum: i64 = stored.values.iter().map(|&value| i64::from(value)).sum();
            let squares: i64 = stored.values.iter().map(|&value| i64::from(value).pow(2)).sum();
            let apart = |ours: i64, key: &str| ours.abs_diff(expected[key].as_i64().expect("a sum"));
            let some = stored.values.len() as u64 / 500;
            let (sum, squares) = (apart(sum, "sum"), apart(squares, "sum_of_squares"));
            // A step of one from at most 255 changes a square by at most 511.
            assert!(sum <= some && squares <= 511 * some, "{name}: {sum} and {squares} apart");
            near += 1;
            continue;
        }
        let same = expected["rows"] == stored.rows
            && expected["columns"] == stored.columns
            && expected["values_sha256"] == Digest::of(&bytes).to_string();
        if same {
            *equal.entry(expected["transfer_syntax"].as_str().expect("a UID")).or_default() += 1;
        } else {
            let some = stored.values.iter().take(8).collect::<Vec<_>>();
            wrong.push(format!("{name}: {} bits, signed {}, {some:?}", stored.bits, stored.signed));
        }
    }
    assert!(wrong.is_empty(), "values differ from pydicom's:\n{}", wrong.join("\n"));
    let codes: Vec<(&str, &str)> = refused.iter().map(|(name, (code, _))| (*name, *code)).collect();
    assert_eq!(codes, REFUSED, "{refused:#?}");
    assert_eq!(equal.values().sum::<usize>() + near + REFUSED.len(), files.len());
    // Every kind of decoder is among them.
    for syntax in ["", ".1", ".1.99", ".2", ".4.80", ".4.81", ".4.90", ".4.91", ".5"]
        .map(|end| format!("1.2.840.10008.1.2{end}"))
    {
        assert!(equal.contains_key(syntax.as_str()), "no file of {syntax} was compared: {equal:?}");
    }
}
