//! Files made here, each wrong in one way; the real ones when they are there; and bytes that are no files.

use std::path::PathBuf;

use dicom_core::value::PixelFragmentSequence;
use dicom_core::{DataElement, Length, PrimitiveValue, Tag, VR};
use dicom_dictionary_std::tags;
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};
use proptest::prelude::*;

use crate::imaging::dicom::data_set::shown;
use crate::imaging::dicom::file::MOST_INFLATED;
use crate::imaging::dicom::header::{age, projection};
use crate::imaging::dicom::transfer_syntax::{DEFLATED, SYNTAXES};
use crate::imaging::dicom::*;
use crate::imaging::observed::Observed;

const EXPLICIT: &str = "1.2.840.10008.1.2.1";
const IMPLICIT: &str = "1.2.840.10008.1.2";
const BIG: &str = "1.2.840.10008.1.2.2";
const RLE: &str = "1.2.840.10008.1.2.5";
const BASELINE: &str = "1.2.840.10008.1.2.4.50";

/// A grey image of 3 columns and 2 rows, to be changed by a test.
fn base(allocated: u16, stored: u16) -> InMemDicomObject {
    let mut object = InMemDicomObject::new_empty();
    for (tag, vr, value) in [
        (tags::SOP_CLASS_UID, VR::UI, "1.2.840.10008.5.1.4.1.1.7"),
        (tags::SOP_INSTANCE_UID, VR::UI, "2.25.1"),
        (tags::STUDY_INSTANCE_UID, VR::UI, "2.25.2"),
        (tags::PATIENT_ID, VR::LO, "P1"),
        (tags::PATIENT_NAME, VR::PN, "HIDDEN^NAME"),
        (tags::STUDY_DESCRIPTION, VR::LO, "Pneumonia"),
        (tags::MODALITY, VR::CS, "dx"),
        (tags::BODY_PART_EXAMINED, VR::CS, "Chest "),
        (tags::VIEW_POSITION, VR::CS, "PA"),
        (tags::PATIENT_AGE, VR::AS, "058Y"),
        (tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME2"),
    ] {
        put(&mut object, tag, vr, value);
    }
    for (tag, value) in [
        (tags::SAMPLES_PER_PIXEL, 1),
        (tags::ROWS, 2),
        (tags::COLUMNS, 3),
        (tags::BITS_ALLOCATED, allocated),
        (tags::BITS_STORED, stored),
        (tags::HIGH_BIT, stored - 1),
        (tags::PIXEL_REPRESENTATION, 0),
    ] {
        number(&mut object, tag, value);
    }
    object
}

fn put(object: &mut InMemDicomObject, tag: Tag, vr: VR, value: &str) {
    object.put(DataElement::new(tag, vr, PrimitiveValue::from(value)));
}

fn number(object: &mut InMemDicomObject, tag: Tag, value: u16) {
    object.put(DataElement::new(tag, VR::US, PrimitiveValue::from(value)));
}

fn bytes8(object: &mut InMemDicomObject, pixels: &[u8]) {
    object.put(DataElement::new(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U8(pixels.into())));
}

fn words(object: &mut InMemDicomObject, pixels: &[u16]) {
    object.put(DataElement::new(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U16(pixels.into())));
}

fn fragments(object: &mut InMemDicomObject, pixels: Vec<Vec<u8>>) {
    let sequence = PixelFragmentSequence::new_fragments(pixels);
    object.put(DataElement::new_with_len(tags::PIXEL_DATA, VR::OB, Length::UNDEFINED, sequence));
}

fn file(object: InMemDicomObject, syntax: &str) -> Vec<u8> {
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(syntax)
        .media_storage_sop_class_uid("1.2.840.10008.5.1.4.1.1.7")
        .media_storage_sop_instance_uid("2.25.1");
    let mut bytes = Vec::new();
    object.with_meta(meta).expect("complete").write_all(&mut bytes).expect("writes");
    bytes
}

/// Preamble and file meta information, without a data set.
fn front(syntax: &str) -> Vec<u8> {
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(syntax)
        .media_storage_sop_class_uid("1.2.840.10008.5.1.4.1.1.7")
        .media_storage_sop_instance_uid("2.25.1")
        .build()
        .expect("complete");
    let mut bytes = vec![0; 128];
    bytes.extend_from_slice(b"DICM");
    meta.write(&mut bytes).expect("writes");
    bytes
}

/// Where the data set of a file with a preamble and a right group length begins.
fn start(bytes: &[u8]) -> usize {
    144 + u32::from_le_bytes(*bytes[140..].first_chunk().expect("a length")) as usize
}

/// The data set of an explicit file, deflated, behind a meta information that says so.
fn deflated(plain: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let start = start(plain);
    let mut packed = flate2::write::DeflateEncoder::new(front(DEFLATED), flate2::Compression::best());
    packed.write_all(&plain[start..]).expect("deflates");
    packed.finish().expect("deflates")
}

#[test]
fn a_deflated_file_is_the_same_image_and_a_cut_or_endless_one_is_refused() {
    let mut object = base(8, 8);
    bytes8(&mut object, &[0, 51, 102, 153, 204, 255]);
    let plain = file(object, EXPLICIT);
    let packed = deflated(&plain);
    assert_eq!(from_bytes(&packed).expect("decodes"), from_bytes(&plain).expect("decodes"));
    let header = header_from_bytes(&packed).expect("reads");
    assert_eq!(header.patient_id, "P1");
    assert_eq!(header.transfer_syntax, DEFLATED);
    for cut in [1, 20, 60] {
        let problem = from_bytes(&packed[..packed.len() - cut]).expect_err("is cut");
        assert_eq!(problem.code.as_str(), "dicom-unreadable", "{cut}");
    }
    let mut endless = plain.clone();
    endless.resize(usize::try_from(MOST_INFLATED).expect("fits") + plain.len(), 0);
    let problem = header_from_bytes(&deflated(&endless)).expect_err("is too large");
    assert!(problem.message.contains("more than"), "{}", problem.message);
}

fn pixels(object: InMemDicomObject, syntax: &str) -> Vec<f32> {
    let image = from_bytes(&file(object, syntax)).expect("decodes");
    assert_eq!((image.width(), image.height()), (3, 2));
    image.pixels().to_vec()
}

fn near(found: &[f32], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((f64::from(*found) - expected).abs() < 1e-6, "{found} instead of {expected}");
    }
}

#[test]
fn eight_bits_are_scaled_from_their_range_in_every_native_syntax() {
    for syntax in [EXPLICIT, IMPLICIT, "1.2.840.10008.1.2.2"] {
        let mut object = base(8, 8);
        // Words in the big-endian file hold two pixels each, the first in the low byte (PS3.5, annex D).
        if syntax.ends_with("2.2") {
            words(&mut object, &[0x3300, 0x9966, 0xFFCC]);
        } else {
            bytes8(&mut object, &[0, 51, 102, 153, 204, 255]);
        }
        near(&pixels(object, syntax), &[0.0, 0.2, 0.4, 0.6, 0.8, 1.0]);
    }
}

#[test]
fn pixels_are_padded_by_one_byte_or_by_a_row_of_zeros() {
    for padded in [&[0, 51, 255, 7][..], &[0, 51, 255, 0, 0, 0]] {
        let mut object = base(8, 8);
        number(&mut object, tags::ROWS, 1);
        bytes8(&mut object, padded);
        let image = from_bytes(&file(object, EXPLICIT)).expect("an image");
        near(image.pixels(), &[0.0, 0.2, 1.0]);
    }
}

#[test]
fn monochrome1_is_inverted() {
    let mut object = base(16, 12);
    put(&mut object, tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "MONOCHROME1");
    words(&mut object, &[0, 4095, 819, 0, 0, 0]);
    near(&pixels(object, EXPLICIT), &[1.0, 0.0, 0.8, 1.0, 1.0, 1.0]);
}

#[test]
fn signs_masks_and_high_bits_are_respected() {
    let mut object = base(16, 12);
    number(&mut object, tags::PIXEL_REPRESENTATION, 1);
    // 0x800 is the least value of 12 signed bits; the upper nibble is noise.
    words(&mut object, &[0xF800, 0x07FF, 0xA000, 0x0FFF, 0, 0]);
    near(
        &pixels(object, EXPLICIT),
        &[0.0, 1.0, 2048.0 / 4095.0, 2047.0 / 4095.0, 2048.0 / 4095.0, 2048.0 / 4095.0],
    );
    let mut object = base(16, 8);
    number(&mut object, tags::HIGH_BIT, 15);
    words(&mut object, &[0x00FF, 0xFF00, 0x3312, 0, 0, 0]);
    near(&pixels(object, EXPLICIT), &[0.0, 1.0, 0.2, 0.0, 0.0, 0.0]);
}

#[test]
fn samples_of_one_and_of_thirty_two_bits_are_read_in_either_order_of_bytes() {
    let mut object = base(1, 1);
    // The first pixel in the lowest bit, no padding between rows.
    bytes8(&mut object, &[0b0010_0110, 0]);
    near(&pixels(object, EXPLICIT), &[0.0, 1.0, 1.0, 0.0, 0.0, 1.0]);
    let samples = [0, u32::MAX, 1 << 31, 0x0001_0000, 1, 0x8000_0001];
    let expected = samples.map(|sample| f64::from(sample) / f64::from(u32::MAX));
    // The upper word of a sample comes first in Big Endian (PS3.5, 7.3).
    for (syntax, low, high) in [(IMPLICIT, 0, 1), (EXPLICIT, 0, 1), (BIG, 1, 0)] {
        let mut pixel_words = [0_u16; 12];
        for (pair, sample) in pixel_words.chunks_exact_mut(2).zip(samples) {
            pair[low] = sample as u16;
            pair[high] = (sample >> 16) as u16;
        }
        let mut object = base(32, 32);
        words(&mut object, &pixel_words);
        near(&pixels(object, syntax), &expected);
    }
    let mut object = base(32, 32);
    number(&mut object, tags::PIXEL_REPRESENTATION, 1);
    words(&mut object, &[0, 0x8000, 0xFFFF, 0x7FFF, 0, 0, 0, 0, 0, 0, 0, 0]);
    near(&pixels(object, EXPLICIT)[..3], &[0.0, 1.0, 0.5]);
}

#[test]
fn rescale_and_the_first_window_give_the_standards_formula() {
    let windowed = |function: Option<&str>| {
        let mut object = base(16, 12);
        put(&mut object, tags::RESCALE_SLOPE, VR::DS, "2");
        put(&mut object, tags::RESCALE_INTERCEPT, VR::DS, "-1000");
        put(&mut object, tags::WINDOW_CENTER, VR::DS, "100\\7");
        put(&mut object, tags::WINDOW_WIDTH, VR::DS, "201\\9");
        if let Some(function) = function {
            put(&mut object, tags::VOILUT_FUNCTION, VR::CS, function);
        }
        // Rescaled: -1000, -2, 0, 100, 198, 2000.
        words(&mut object, &[0, 499, 500, 550, 599, 1500]);
        pixels(object, EXPLICIT)
    };
    let linear: Vec<f64> = [-1000.0_f64, -2.0, 0.0, 100.0, 198.0, 2000.0]
        .iter()
        .map(|x| ((x - 99.5) / 200.0 + 0.5).clamp(0.0, 1.0))
        .collect();
    near(&windowed(None), &linear);
    near(&windowed(Some("LINEAR")), &linear);
    let exact = windowed(Some("LINEAR_EXACT"));
    near(&exact[2..5], &[0.5 - 100.0 / 201.0, 0.5, 0.5 + 98.0 / 201.0]);
    let sigmoid = windowed(Some("SIGMOID"));
    near(&sigmoid[3..5], &[0.5, 1.0 / (1.0 + (-4.0_f64 * 98.0 / 201.0).exp())]);
}

#[test]
fn rle_gives_the_samples_back() {
    // Two segments: high bytes 1 (six times), low bytes 0..=5.
    let mut packed = vec![0_u8; 64];
    packed[0] = 2;
    packed[4] = 64;
    packed[8] = 66;
    packed.extend([(-5_i8) as u8, 1, 5, 0, 1, 2, 3, 4, 5, 0]);
    let mut object = base(16, 16);
    fragments(&mut object, vec![packed.clone()]);
    let expected: Vec<f64> = (0..6).map(|low| (256.0 + f64::from(low)) / 65535.0).collect();
    near(&pixels(object, RLE), &expected);
    for short in 0..packed.len() - 1 {
        let mut object = base(16, 16);
        fragments(&mut object, vec![packed[..short].to_vec()]);
        assert!(from_bytes(&file(object, RLE)).is_err(), "{short} bytes were enough");
    }
}

#[test]
fn a_jpeg_picture_is_read_from_all_fragments_and_must_have_the_headers_size() {
    let picture = |width: u32, height: u32| {
        let mut bytes = Vec::new();
        let grey = image::GrayImage::from_pixel(width, height, image::Luma([128]));
        image::codecs::jpeg::JpegEncoder::new(&mut bytes).encode_image(&grey).expect("encodes");
        bytes
    };
    let whole = picture(3, 2);
    let (one, two) = whole.split_at(100);
    let mut object = base(8, 8);
    fragments(&mut object, vec![one.to_vec(), two.to_vec()]);
    near(&pixels(object, BASELINE), &[128.0 / 255.0; 6]);
    for (width, height) in [(30, 20), (1, 1), (2, 3)] {
        let mut object = base(8, 8);
        fragments(&mut object, vec![picture(width, height)]);
        let problem = from_bytes(&file(object, BASELINE)).expect_err("another size");
        assert_eq!(problem.code.as_str(), "dicom-pixels-unreadable");
        assert!(problem.message.contains(&format!("{width} x {height}")), "{}", problem.message);
    }
}

#[test]
fn what_is_not_read_is_refused_by_name() {
    type Change = fn(&mut InMemDicomObject);
    let cases: [(&str, &str, &str, Change); 20] = [
        (EXPLICIT, "dicom-colour", "RGB", |o| {
            put(o, tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "RGB");
            number(o, tags::SAMPLES_PER_PIXEL, 3);
        }),
        (EXPLICIT, "dicom-colour", "PALETTE COLOR", |o| {
            put(o, tags::PHOTOMETRIC_INTERPRETATION, VR::CS, "PALETTE COLOR");
        }),
        (EXPLICIT, "dicom-multi-frame", "12 frames", |o| put(o, tags::NUMBER_OF_FRAMES, VR::IS, "12")),
        (EXPLICIT, "dicom-bits", "24", |o| number(o, tags::BITS_ALLOCATED, 24)),
        (RLE, "dicom-bits", "1 bits allocated", |o| {
            number(o, tags::BITS_ALLOCATED, 1);
            number(o, tags::BITS_STORED, 1);
            number(o, tags::HIGH_BIT, 0);
        }),
        (BASELINE, "dicom-bits", "32 bits allocated", |o| number(o, tags::BITS_ALLOCATED, 32)),
        (EXPLICIT, "dicom-bits", "9 bits", |o| number(o, tags::BITS_STORED, 9)),
        (EXPLICIT, "dicom-bits", "high bit 8", |o| number(o, tags::HIGH_BIT, 8)),
        (EXPLICIT, "dicom-pixels-missing", "no pixel data", |o| {
            o.remove_element(tags::PIXEL_DATA);
        }),
        (EXPLICIT, "dicom-pixels-unreadable", "need 300 bytes", |o| number(o, tags::ROWS, 100)),
        // Two rows are there: one that is not said, and a column that is cut from each.
        (EXPLICIT, "dicom-pixels-unreadable", "take 3 bytes, and 6 are there", |o| {
            number(o, tags::ROWS, 1);
            bytes8(o, &[0, 0, 0, 0, 0, 9]);
        }),
        (EXPLICIT, "dicom-pixels-unreadable", "take 4 bytes, and 6 are there", |o| {
            number(o, tags::COLUMNS, 2);
            bytes8(o, &[0, 0, 0, 0, 9, 0]);
        }),
        // Zeros, but more than a row of them.
        (EXPLICIT, "dicom-pixels-unreadable", "take 2 bytes, and 6 are there", |o| {
            number(o, tags::ROWS, 1);
            number(o, tags::COLUMNS, 2);
        }),
        (EXPLICIT, "image-too-large", "pixels", |o| {
            number(o, tags::ROWS, 60_000);
            number(o, tags::COLUMNS, 60_000);
        }),
        (EXPLICIT, "dicom-window", "WindowWidth", |o| put(o, tags::WINDOW_CENTER, VR::DS, "1")),
        (EXPLICIT, "dicom-window", "`wide`", |o| {
            put(o, tags::WINDOW_CENTER, VR::DS, "1");
            put(o, tags::WINDOW_WIDTH, VR::DS, "wide");
        }),
        (EXPLICIT, "dicom-window", "is 0", |o| put(o, tags::RESCALE_SLOPE, VR::DS, "0")),
        ("1.2.840.10008.1.2.4.110", "dicom-transfer-syntax", "JPEG XL Lossless", |o| {
            fragments(o, vec![vec![0; 8]])
        }),
        ("1.2.840.10008.1.2.4.80", "dicom-pixels-unreadable", "JPEG-LS", |o| fragments(o, vec![vec![0; 8]])),
        ("1.2.840.10008.1.2.4.90", "dicom-pixels-unreadable", "JPEG 2000", |o| {
            fragments(o, vec![vec![0; 8]])
        }),
    ];
    for (syntax, code, says, change) in cases {
        let mut object = base(8, 8);
        bytes8(&mut object, &[0; 6]);
        change(&mut object);
        let bytes = file(object, syntax);
        let problem = from_bytes(&bytes).expect_err(says);
        assert_eq!(problem.code.as_str(), code, "{problem}");
        assert!(problem.message.contains(says), "{problem}");
        assert!(header_from_bytes(&bytes).is_ok(), "the header can be read all the same: {says}");
    }
}

#[test]
fn a_header_gives_the_gate_its_data_and_no_name() {
    let mut object = base(8, 8);
    bytes8(&mut object, &[0; 6]);
    let header = header_from_bytes(&file(object, IMPLICIT)).expect("reads");
    let observed = Observed {
        modality: Some("DX".to_owned()),
        body_part: Some("CHEST".to_owned()),
        view: Some("PA".to_owned()),
        age_years: Some(58),
        dimensions: Some((3, 2)),
        photometric: Some("MONOCHROME2".to_owned()),
        pixels: Some(Ok(())),
        ..Observed::default()
    };
    assert_eq!(header.observed, observed);
    assert_eq!(
        header.values["(0010,1010)"],
        RawValue { keyword: "PatientAge".to_owned(), value: "058Y".to_owned() }
    );
    assert_eq!((header.patient_id.as_str(), header.sop_instance_uid.as_str()), ("P1", "2.25.1"));
    assert_eq!((header.rows, header.columns), (Some(2), Some(3)));
    assert_eq!(header.transfer_syntax, IMPLICIT);
    assert!(header.warnings.is_empty());
    let shown = format!("{header:?}");
    assert!(!shown.contains("HIDDEN") && !shown.contains("Pneumonia"), "{shown}");
}

#[test]
fn ages_are_read_as_the_standard_and_the_exports_write_them() {
    for (text, years, doubtful) in [
        ("058Y", Some(58), false),
        ("000Y", Some(0), false),
        ("018M", Some(1), false),
        ("011M", Some(0), false),
        ("060W", Some(1), false),
        ("004W", Some(0), false),
        ("366D", Some(1), false),
        ("001D", Some(0), false),
        ("58Y", Some(58), false),
        ("058y", Some(58), false),
        ("81", Some(81), true),
        ("130Y", Some(130), false),
        ("131Y", None, true),
        ("411Y", None, true),
        ("411", None, true),
        ("-5Y", None, true),
        ("+5Y", None, true),
        ("5.5", None, true),
        ("Y", None, true),
        ("0058Y", None, true),
        ("058X", None, true),
        ("058Y\\060Y", None, true),
        ("fünf", None, true),
        ("é", None, true),
    ] {
        let (found, doubt) = age(text);
        assert_eq!(found, years, "{text}");
        assert_eq!(doubt.is_some(), doubtful, "{text}");
    }
}

#[test]
fn the_view_comes_from_patient_position_only_where_that_holds_no_position() {
    let some = |text: &str| Some(text.to_owned());
    for (view, position, expected, doubtful) in [
        (some("pa"), some("AP"), some("PA"), false),
        (None, some("AP"), some("AP"), true),
        (None, some("XX"), some("XX"), true),
        (None, some("HFS"), None, false),
        (None, None, None, false),
    ] {
        let (found, doubt) = projection(view, position);
        assert_eq!((found, doubt.is_some()), (expected, doubtful));
    }
}

#[test]
fn a_claimed_length_or_depth_costs_nothing() {
    let mut object = base(8, 8);
    bytes8(&mut object, &[0; 6]);
    let bytes = file(object, EXPLICIT);
    let start = start(&bytes);
    // 4 GB claimed by one element of a file of a few hundred bytes.
    let mut huge = bytes[..start].to_vec();
    huge.extend([0x08, 0x00, 0x05, 0x00, b'O', b'B', 0, 0, 0xF0, 0xFF, 0xFF, 0xFF]);
    // The same behind a representation that a parser may take to have a length of four bytes.
    let mut unknown = bytes[..start].to_vec();
    unknown.extend([0x08, 0x00, 0x05, 0x00, b'Z', b'Z', 2, 0, 0xF0, 0xFF, 0xFF, 0xFF]);
    assert!(header_from_bytes(&unknown).expect_err("not of the standard").message.contains("representation"));
    let problem = header_from_bytes(&huge).expect_err("claims too much");
    assert_eq!(problem.code.as_str(), "dicom-unreadable");
    assert!(problem.message.contains("4294967280"), "{problem}");
    // A sequence in a sequence in a sequence ...
    let mut deep = bytes[..start].to_vec();
    for _ in 0..100_000 {
        deep.extend([0x08, 0x00, 0x15, 0x11, b'S', b'Q', 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]);
        deep.extend([0xFE, 0xFF, 0x00, 0xE0, 0xFF, 0xFF, 0xFF, 0xFF]);
    }
    assert!(header_from_bytes(&deep).expect_err("too deep").message.contains("deeper"));
}

#[test]
fn every_truncation_of_a_file_is_an_error_or_a_shorter_header() {
    for syntax in [EXPLICIT, IMPLICIT] {
        let mut object = base(8, 8);
        bytes8(&mut object, &[9; 6]);
        let bytes = file(object, syntax);
        for end in 0..bytes.len() {
            let _ = header_from_bytes(&bytes[..end]);
            assert!(from_bytes(&bytes[..end]).is_err(), "{end} of {} bytes were enough", bytes.len());
        }
        assert!(from_bytes(&bytes).is_ok());
    }
}

/// Files of the folder `dicom-pydicom`, or nothing, loudly.
fn real_files() -> Vec<PathBuf> {
    let data =
        std::env::var_os("SEQUESTER_DATA").map_or_else(|| PathBuf::from("../shared/data"), PathBuf::from);
    let mut open = vec![data.join("dicom-pydicom")];
    let mut files = Vec::new();
    while let Some(folder) = open.pop() {
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            if path.is_dir() { open.push(path) } else { files.push(path) }
        }
    }
    files.sort();
    if files.is_empty() {
        eprintln!("SKIPPED: dicom-pydicom is not there; set SEQUESTER_DATA to test on real files");
    }
    files
}

#[test]
fn real_files_whole_cut_or_changed_never_panic() {
    // More rounds by SEQUESTER_FUZZ_ROUNDS, for a long run by hand.
    let rounds = std::env::var("SEQUESTER_FUZZ_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(8_usize);
    assert!(rounds < 1 << 20);
    for path in real_files() {
        let Ok(bytes) = std::fs::read(&path) else { continue };
        let _ = header_from_bytes(&bytes);
        let _ = from_bytes(&bytes);
        if bytes.len() > 150_000 {
            continue;
        }
        // A fixed walk through the file: cuts, and bytes flipped where the walk comes by.
        let mut state = bytes.len() as u64;
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as usize
        };
        for round in 0..rounds {
            let mut changed = bytes.clone();
            if round % 4 == 0 {
                changed.truncate(next() % bytes.len().max(1));
            }
            for _ in 0..=round % 24 {
                // Mostly near the front, where the lengths are.
                let reach = if next() % 3 == 0 { changed.len() } else { changed.len().min(2500) };
                if reach > 132 {
                    let at = 132 + next() % (reach - 132);
                    changed[at] = if next() % 2 == 0 { 0xFF } else { next() as u8 };
                }
            }
            let _ = header_from_bytes(&changed);
            let _ = from_bytes(&changed);
        }
    }
}

proptest! {
    #[test]
    fn no_bytes_panic(
        tail in proptest::collection::vec(any::<u8>(), 0..600),
        syntax in 0_usize..SYNTAXES.len(),
    ) {
        let mut changed = front(SYNTAXES[syntax].0);
        if SYNTAXES[syntax].0 == DEFLATED {
            changed.extend(front(EXPLICIT));
            changed.extend(&tail);
            changed = deflated(&changed[front(DEFLATED).len()..]);
        } else {
            changed.extend(&tail);
        }
        let _ = header_from_bytes(&changed);
        let _ = from_bytes(&changed);
        let _ = from_bytes(&tail);
    }

    #[test]
    fn flipped_bytes_never_panic(
        flips in proptest::collection::vec((132_usize..2000, any::<u8>()), 1..8),
        kind in 0..3,
    ) {
        let mut object = base(8, 8);
        let syntax = match kind {
            0 => EXPLICIT,
            1 => RLE,
            _ => BASELINE,
        };
        if kind == 0 {
            bytes8(&mut object, &[9; 6]);
        } else {
            fragments(&mut object, vec![vec![7; 80]]);
        }
        let mut bytes = file(object, syntax);
        for (at, value) in flips {
            let at = at % bytes.len();
            bytes[at] = value;
        }
        let _ = header_from_bytes(&bytes);
        let _ = from_bytes(&bytes);
    }
}

#[test]
fn what_descriptions_and_other_texts_give_away_is_said_without_their_words() {
    use crate::imaging::traces::Trace::{Date, Finding, Identifier, Name, Telephone};
    let mut object = base(8, 8);
    put(&mut object, tags::PATIENT_ID, VR::LO, "MRN-4711");
    put(&mut object, tags::IMAGE_COMMENTS, VR::LT, "Mr Hidden, seen 1931-07-17, call 555-123-4567");
    put(&mut object, tags::SERIES_DESCRIPTION, VR::LO, "PA upright");
    // No attribute of the profile, but free text that names the patient's number; and one that says nothing.
    put(&mut object, tags::MANUFACTURER_MODEL_NAME, VR::LO, "unit of mrn-4711");
    put(&mut object, tags::MANUFACTURER, VR::LO, "Example");
    put(&mut object, tags::BURNED_IN_ANNOTATION, VR::CS, "YES");
    let header = header_from_bytes(&file(object, EXPLICIT)).expect("reads");
    let found = |tag: Tag| {
        let found = header.identifiers.iter().find(|i| i.tag == shown(tag));
        found.map(|i| (i.kind, i.traces.iter().copied().collect::<Vec<_>>()))
    };
    assert_eq!(found(tags::STUDY_DESCRIPTION), Some(("description", vec![Finding])));
    assert_eq!(found(tags::IMAGE_COMMENTS), Some(("description", vec![Date, Telephone, Name])));
    assert_eq!(found(tags::SERIES_DESCRIPTION), Some(("description", vec![])));
    assert_eq!(found(tags::MANUFACTURER_MODEL_NAME), Some(("text", vec![Identifier])));
    assert_eq!(found(tags::MANUFACTURER), None);
    assert_eq!(found(tags::BURNED_IN_ANNOTATION), Some(("burned-in", vec![])));
}
