//! Real DICOM files: the stored values of every grey image against pydicom's, which are kept as digests in
//! `fixtures/reference-values/dicom`, made by the script there.

use std::collections::BTreeMap;

use sequester::digest::Digest;
use sequester::imaging::dicom;

use crate::support::real_data;

/// Files that pydicom reads, or tries to, and that are refused here, with the code.
const REFUSED: [(&str, &str); 3] = [
    // Its scan header belongs to another process; two bytes of its size marker are wrong; its pixels are cut.
    ("dicom-pydicom/JPEG-lossy.dcm", "dicom-pixels-unreadable"),
    ("dicom-pydicom/JPEG2000-embedded-sequence-delimiter.dcm", "dicom-pixels-unreadable"),
    ("dicom-pydicom/MR_truncated.dcm", "dicom-unreadable"),
];

/// Pictures whose rounding the standard leaves to decoders, with one of how many pixels may differ by one
/// grey level: the irreversible wavelet of JPEG 2000 (of 65,536 levels), and JPEG of 12 bits (of 4,096),
/// where libjpeg-turbo 3.1.3 and pylibjpeg differ as much from each other. Sums may differ by as much.
const IRREVERSIBLE: [(&str, u64); 2] =
    [("dicom-pydicom/JPEG2000.dcm", 500), ("dicom-pydicom/JPGExtended.dcm", 70)];

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
        if let Some((_, one_of)) = IRREVERSIBLE.iter().find(|(irreversible, _)| irreversible == name) {
            let sum: i64 = stored.values.iter().sum();
            let squares: i64 = stored.values.iter().map(|value| value.pow(2)).sum();
            let apart = |ours: i64, key: &str| ours.abs_diff(expected[key].as_i64().expect("a sum"));
            let some = stored.values.len() as u64 / one_of;
            let (sum, squares) = (apart(sum, "sum"), apart(squares, "sum_of_squares"));
            assert_eq!(
                (&expected["rows"], &expected["columns"]),
                (&stored.rows.into(), &stored.columns.into())
            );
            // A step of one from at most 264 changes a square by at most 529.
            assert!(sum <= some && squares <= 529 * some, "{name}: {sum} and {squares} apart");
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
    let codes: Vec<(&str, &str)> = refused.iter().map(|(name, (code, _))| (*name, code.as_str())).collect();
    assert_eq!(codes, REFUSED, "{refused:#?}");
    assert_eq!(equal.values().sum::<usize>() + near + REFUSED.len(), files.len());
    assert_eq!((equal.values().sum::<usize>(), near), (57, 2));
    // Every kind of decoder is among them.
    for syntax in ["", ".1", ".1.99", ".2", ".4.80", ".4.81", ".4.90", ".4.91", ".5"]
        .map(|end| format!("1.2.840.10008.1.2{end}"))
    {
        assert!(equal.contains_key(syntax.as_str()), "no file of {syntax} was compared: {equal:?}");
    }
}
