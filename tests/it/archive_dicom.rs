//! DICOM as archives write it: irregular in one way each, over the encodings; read with the right values and
//! a warning, or refused with the true reason.

use proptest::prelude::*;
use sequester::imaging::dicom::{self, Header};

/// How a data set is encoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Implicit,
    Explicit,
    Big,
}

const FORMS: [Form; 3] = [Form::Implicit, Form::Explicit, Form::Big];

type Tag = (u16, u16);

impl Form {
    fn uid(self) -> &'static [u8] {
        match self {
            Self::Implicit => b"1.2.840.10008.1.2\0",
            Self::Explicit => b"1.2.840.10008.1.2.1\0",
            Self::Big => b"1.2.840.10008.1.2.2\0",
        }
    }

    fn short(self, value: u16) -> [u8; 2] {
        if self == Self::Big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    fn long(self, value: u32) -> [u8; 4] {
        if self == Self::Big { value.to_be_bytes() } else { value.to_le_bytes() }
    }

    /// An element whose length is `length`, whatever its value.
    fn claimed(self, (group, element): Tag, vr: [u8; 2], value: &[u8], length: u32) -> Vec<u8> {
        let mut out = [self.short(group), self.short(element)].concat();
        match (self, &vr) {
            (Self::Implicit, _) => out.extend(self.long(length)),
            (_, b"OB" | b"OW" | b"SQ" | b"UN") => {
                out.extend(vr);
                out.extend([0, 0]);
                out.extend(self.long(length));
            }
            _ => {
                out.extend(vr);
                out.extend(self.short(u16::try_from(length).expect("short")));
            }
        }
        out.extend(value);
        out
    }

    fn element(self, tag: Tag, vr: [u8; 2], value: &[u8]) -> Vec<u8> {
        self.claimed(tag, vr, value, u32::try_from(value.len()).expect("small"))
    }

    /// An item of undefined length and its delimiter, or one of the length of its content.
    fn item(self, content: &[u8], defined: bool) -> Vec<u8> {
        let length = if defined { u32::try_from(content.len()).expect("small") } else { u32::MAX };
        let mut out = self.bare(0xE000, length);
        out.extend(content);
        if !defined {
            out.extend(self.bare(0xE00D, 0));
        }
        out
    }

    fn bare(self, element: u16, length: u32) -> Vec<u8> {
        [&self.short(0xFFFE)[..], &self.short(element), &self.long(length)].concat()
    }
}

const MODALITY: Tag = (0x0008, 0x0060);
const PATIENT_NAME: Tag = (0x0010, 0x0010);
const PATIENT_AGE: Tag = (0x0010, 0x1010);
const BODY_PART: Tag = (0x0018, 0x0015);
const VIEW: Tag = (0x0018, 0x5101);
const PHOTOMETRIC: Tag = (0x0028, 0x0004);
const ROWS: Tag = (0x0028, 0x0010);
const PIXELS: Tag = (0x7FE0, 0x0010);

/// The data set of a chest radiograph of 3 x 2 pixels, in the order of tags.
fn chest(form: Form) -> Vec<(Tag, [u8; 2], Vec<u8>)> {
    let short = |value| form.short(value).to_vec();
    vec![
        (MODALITY, *b"CS", b"DX".to_vec()),
        (PATIENT_NAME, *b"PN", b"NO^NAME ".to_vec()),
        (PATIENT_AGE, *b"AS", b"045Y".to_vec()),
        (BODY_PART, *b"CS", b"CHEST ".to_vec()),
        (VIEW, *b"CS", b"PA".to_vec()),
        ((0x0028, 0x0002), *b"US", short(1)),
        (PHOTOMETRIC, *b"CS", b"MONOCHROME2 ".to_vec()),
        (ROWS, *b"US", short(2)),
        ((0x0028, 0x0011), *b"US", short(3)),
        ((0x0028, 0x0100), *b"US", short(8)),
        ((0x0028, 0x0101), *b"US", short(8)),
        ((0x0028, 0x0102), *b"US", short(7)),
        ((0x0028, 0x0103), *b"US", short(0)),
        (PIXELS, *b"OB", vec![0, 51, 102, 153, 204, 255]),
    ]
}

fn encoded(form: Form, elements: &[(Tag, [u8; 2], Vec<u8>)]) -> Vec<u8> {
    elements.iter().flat_map(|(tag, vr, value)| form.element(*tag, *vr, value)).collect()
}

/// The chest with further elements, put where they belong.
fn with(form: Form, more: &[(Tag, [u8; 2], Vec<u8>)]) -> Vec<u8> {
    let mut all = chest(form);
    all.retain(|(tag, ..)| more.iter().all(|(other, ..)| other != tag));
    all.extend(more.iter().cloned());
    all.sort_by_key(|(tag, ..)| *tag);
    encoded(form, &all)
}

/// A file whose meta information says how long it is, right or wrong or not at all.
fn file_of(form: Form, group_length: Option<i32>, data: &[u8]) -> Vec<u8> {
    let mut meta = Form::Explicit.element((2, 2), *b"UI", b"1.2.840.10008.5.1.4.1.1.7\0");
    meta.extend(Form::Explicit.element((2, 0x10), *b"UI", form.uid()));
    let mut out = [&[0; 128][..], b"DICM"].concat();
    if let Some(wrong_by) = group_length {
        let length = i32::try_from(meta.len()).expect("small") + wrong_by;
        out.extend(Form::Explicit.element((2, 0), *b"UL", &length.to_le_bytes()));
    }
    out.extend(meta);
    out.extend(data);
    out
}

fn file(form: Form, data: &[u8]) -> Vec<u8> {
    file_of(form, Some(0), data)
}

fn header(bytes: &[u8]) -> Header {
    dicom::header_from_bytes(bytes).expect("reads")
}

/// Header and pixels of the chest, whatever else is in the file; the messages of the warnings.
fn is_the_chest(bytes: &[u8]) -> Vec<String> {
    let header = header(bytes);
    let observed = &header.observed;
    assert_eq!(observed.modality.as_deref(), Some("DX"));
    assert_eq!(observed.body_part.as_deref(), Some("CHEST"));
    assert_eq!(observed.view.as_deref(), Some("PA"));
    assert_eq!(observed.age_years, Some(45));
    assert_eq!(observed.pixels, Some(Ok(())));
    assert!(header.identifiers.iter().any(|i| i.kind == "name"), "{:?}", header.identifiers);
    assert_eq!(dicom::stored_from_bytes(bytes).expect("reads").values, [0, 51, 102, 153, 204, 255]);
    header.warnings.iter().map(|warning| format!("{}: {}", warning.code, warning.message)).collect()
}

fn refused(bytes: &[u8]) -> (String, String) {
    let problem = dicom::from_bytes(bytes).expect_err("refused");
    (problem.code.to_string(), problem.message)
}

#[test]
fn a_regular_file_is_read_in_every_encoding_without_a_warning() {
    for form in FORMS {
        assert!(is_the_chest(&file(form, &encoded(form, &chest(form)))).is_empty(), "{form:?}");
    }
}

#[test]
fn the_dictionary_tells_what_a_standard_attribute_of_unknown_representation_is() {
    for unknown in 1..14 {
        let mut elements = chest(Form::Explicit);
        // One, or all of them but the pixels.
        let wanted = if unknown == 13 { 0..13 } else { unknown - 1..unknown };
        elements[wanted].iter_mut().for_each(|(_, vr, _)| *vr = *b"UN");
        assert!(is_the_chest(&file(Form::Explicit, &encoded(Form::Explicit, &elements))).is_empty());
    }
    // PS3.5, 6.2.2: UN is never put in another order.
    let mut elements = chest(Form::Big);
    let (_, vr, value) = &mut elements[7];
    (*vr, *value) = (*b"UN", 2_u16.to_le_bytes().to_vec());
    is_the_chest(&file(Form::Big, &encoded(Form::Big, &elements)));
    // A table that would have to be applied is one, whatever its representation.
    let table = Form::Implicit.item(&Form::Implicit.element((0x28, 0x3003), *b"LO", b"CURVE "), true);
    let lut = file(Form::Explicit, &with(Form::Explicit, &[((0x28, 0x3000), *b"UN", table)]));
    assert_eq!(refused(&lut).0, "dicom-lookup-table");
}

/// CP-246: a sequence that somebody did not know, of undefined length, is in Implicit VR Little Endian
/// inside.
#[test]
fn an_unknown_sequence_of_undefined_length_is_implicit_inside() {
    for (form, inner, defined) in [
        (Form::Explicit, Form::Implicit, true),
        (Form::Explicit, Form::Implicit, false),
        (Form::Big, Form::Implicit, false),
        // Against the rule, as some write it.
        (Form::Explicit, Form::Explicit, false),
    ] {
        let nested = inner.item(&inner.element((0x0008, 0x0100), *b"SH", b"ABCD"), defined);
        let sequence = inner.element((0x0040, 0x0275), *b"SQ", &nested);
        let content = [inner.element((0x0010, 0x0010), *b"PN", b"A^NAME"), sequence].concat();
        // Items of UN have the order of what is inside.
        let items = [inner.item(&content, defined), inner.item(&[], defined), inner.bare(0xE0DD, 0)].concat();
        let private = form.claimed((0x2001, 0x105F), *b"UN", &items, u32::MAX);
        let mut elements = chest(form);
        let pixels = elements.pop().into_iter().collect::<Vec<_>>();
        let data = [encoded(form, &elements), private, encoded(form, &pixels)].concat();
        assert!(is_the_chest(&file(form, &data)).is_empty(), "{form:?} {inner:?} {defined}");
        let cut = file(form, &data[..data.len() - 40]);
        assert_eq!(refused(&cut).0, "dicom-unreadable");
    }
}

#[test]
fn meta_information_that_is_short_of_something_is_read_with_a_warning() {
    for form in FORMS {
        let data = encoded(form, &chest(form));
        let said = is_the_chest(&file_of(form, None, &data));
        assert_eq!(said.len(), 1, "{said:?}");
        assert!(said[0].starts_with("dicom-irregular: ") && said[0].contains("no group length"), "{said:?}");
        for wrong_by in [-70, -1, 1, 2, 500, -54] {
            let said = is_the_chest(&file_of(form, Some(wrong_by), &data));
            assert!(said.len() == 1 && said[0].contains("ends at byte"), "{said:?}");
        }
        let whole = file(form, &data);
        let said = is_the_chest(&whole[132..]);
        assert!(said.len() == 1 && said[0].contains("no preamble"), "{said:?}");
        assert!(dicom::is_dicom(&whole) && dicom::is_dicom(&whole[132..]));
        if form != Form::Big {
            let said = is_the_chest(&data);
            assert!(said.len() == 2 && said[1].contains("no meta information"), "{said:?}");
            assert!(dicom::is_dicom(&data));
        }
    }
    // In another encoding than the file says.
    for (says, is) in [(Form::Explicit, Form::Implicit), (Form::Implicit, Form::Explicit)] {
        let said = is_the_chest(&file(says, &encoded(is, &chest(is))));
        assert!(said.len() == 1 && said[0].contains("VR Little Endian"), "{said:?}");
    }
    let without_syntax = [&[0; 128][..], b"DICM", &encoded(Form::Explicit, &chest(Form::Explicit))].concat();
    let (code, message) = refused(&without_syntax);
    assert!(code == "dicom-unreadable" && message.contains("no transfer syntax"), "{message}");
    for other in [&b"\x89PNG\r\n\x1a\n"[..], b"\xff\xd8\xff\xe0\0\x10JFIF", b"08,1,2,3,4", b"", b"\x08\0"] {
        assert!(!dicom::is_dicom(other));
    }
}

#[test]
fn odd_lengths_are_read_whether_they_are_padded_or_not() {
    for form in FORMS {
        for padding in [&b""[..], b" ", b"\0"] {
            let mut data = Vec::new();
            for (tag, vr, value) in chest(form) {
                if tag == BODY_PART {
                    data.extend(form.claimed(tag, vr, &[b"CHEST", padding].concat(), 5));
                } else {
                    data.extend(form.element(tag, vr, &value));
                }
            }
            let said = is_the_chest(&file(form, &data));
            assert!(said.len() == 1 && said[0].contains("(0018,0015) has an odd length"), "{said:?}");
        }
        // An odd number of pixels, as bytes and as words, is no odd thing to find in a file.
        for vr in [*b"OB", *b"OW"] {
            let more = [(ROWS, *b"US", form.short(1).to_vec()), (PIXELS, vr, vec![7, 8, 9])];
            if form != Form::Big || vr == *b"OB" {
                let stored = dicom::stored_from_bytes(&file(form, &with(form, &more))).expect("reads");
                assert_eq!(stored.values, [7, 8, 9]);
            }
        }
        let short = with(form, &[((0x0028, 0x0010), *b"US", vec![2, 0, 0])]);
        let (code, message) = refused(&file(form, &short));
        assert!(code == "dicom-unreadable" && message.contains("no multiple of 2"), "{message}");
    }
}

#[test]
fn zeros_behind_the_last_element_are_left_and_other_bytes_are_not() {
    for form in FORMS {
        for count in [1, 2, 7, 8, 9, 512] {
            let mut bytes = file(form, &encoded(form, &chest(form)));
            bytes.extend(vec![0; count]);
            is_the_chest(&bytes);
            bytes.push(1);
            assert_eq!(refused(&bytes).0, "dicom-unreadable");
        }
    }
    // Padding of values, of either kind.
    let padded = with(
        Form::Explicit,
        &[
            (BODY_PART, *b"CS", b" CHEST\0\0".to_vec()),
            (VIEW, *b"CS", b"PA\0\0\0 ".to_vec()),
            (PATIENT_AGE, *b"AS", b"045Y  ".to_vec()),
            (PHOTOMETRIC, *b"CS", b"MONOCHROME2\0\0\0".to_vec()),
        ],
    );
    assert!(is_the_chest(&file(Form::Explicit, &padded)).is_empty());
}

/// What is present and empty says nothing: it is as absent, and never as given.
#[test]
fn empty_attributes_are_as_absent() {
    const OPTIONAL: [(Tag, [u8; 2]); 11] = [
        ((0x0028, 0x0008), *b"IS"),
        ((0x0028, 0x0101), *b"US"),
        ((0x0028, 0x0102), *b"US"),
        ((0x0028, 0x0103), *b"US"),
        ((0x0028, 0x1050), *b"DS"),
        ((0x0028, 0x1051), *b"DS"),
        ((0x0028, 0x1052), *b"DS"),
        ((0x0028, 0x1053), *b"DS"),
        ((0x0028, 0x1056), *b"CS"),
        ((0x0028, 0x3000), *b"SQ"),
        ((0x0028, 0x3010), *b"SQ"),
    ];
    for form in FORMS {
        for (number, (tag, vr)) in OPTIONAL.into_iter().enumerate() {
            let blanks: &[&[u8]] =
                if matches!(&vr, b"US" | b"SQ") { &[b""] } else { &[b"", b"  ", b"\0\0", b"\\ "] };
            for blank in blanks {
                is_the_chest(&file(form, &with(form, &[(tag, vr, blank.to_vec())])));
            }
            let all: Vec<_> = OPTIONAL[..=number].iter().map(|&(tag, vr)| (tag, vr, Vec::new())).collect();
            is_the_chest(&file(form, &with(form, &all)));
        }
        for (tag, says) in [
            (ROWS, "Rows"),
            ((0x0028, 0x0100), "BitsAllocated"),
            ((0x0028, 0x0002), "SamplesPerPixel"),
            (PHOTOMETRIC, "photometric"),
        ] {
            let vr = if tag == PHOTOMETRIC { *b"CS" } else { *b"US" };
            let (_, message) = refused(&file(form, &with(form, &[(tag, vr, Vec::new())])));
            assert!(message.contains(says), "{message}");
        }
        let header = header(&file(
            form,
            &with(
                form,
                &[
                    (MODALITY, *b"CS", Vec::new()),
                    (PATIENT_AGE, *b"AS", b"    ".to_vec()),
                    (BODY_PART, *b"CS", Vec::new()),
                    (VIEW, *b"CS", b"  ".to_vec()),
                    ((0x0028, 0x0301), *b"CS", Vec::new()),
                ],
            ),
        ));
        let observed = &header.observed;
        assert_eq!((&observed.modality, &observed.body_part, &observed.view), (&None, &None, &None));
        assert_eq!((observed.age_years, &observed.burned_in), (None, &None));
        assert!(!header.values.contains_key("(0018,5101)"));
        assert!(header.warnings.is_empty(), "{:?}", header.warnings);
        assert_eq!(
            refused(&file(form, &with(form, &[(PIXELS, *b"OB", Vec::new())]))).0,
            "dicom-pixels-missing"
        );
    }
}

/// A table beside a window is an alternative to it; beside an empty one it would have to be applied.
#[test]
fn a_lookup_table_is_dropped_for_a_window_with_values_alone() {
    for form in FORMS {
        let table = form.item(&form.element((0x28, 0x3003), *b"LO", b"CURVE "), false);
        let table = [table, form.bare(0xE0DD, 0)].concat();
        let file_with = |centre: Option<&[u8]>, width: Option<&[u8]>| {
            let mut more = vec![((0x28, 0x3010), *b"SQ", table.clone())];
            more.extend(centre.map(|value| ((0x28, 0x1050), *b"DS", value.to_vec())));
            more.extend(width.map(|value| ((0x28, 0x1051), *b"DS", value.to_vec())));
            file(form, &with(form, &more))
        };
        for (centre, width) in [
            (None, None),
            (Some(&b""[..]), Some(&b""[..])),
            (Some(b"  "), Some(b"\\ ")),
            (Some(b"128 "), Some(b"")),
            (Some(b""), Some(b"256 ")),
            (Some(b"128 "), None),
        ] {
            let bytes = file_with(centre, width);
            assert_eq!(refused(&bytes).0, "dicom-lookup-table", "{centre:?} {width:?}");
            let admitted = header(&bytes).observed.pixels.expect("known");
            assert_eq!(admitted.expect_err("refused").code.as_str(), "dicom-lookup-table");
        }
        is_the_chest(&file_with(Some(b"128 "), Some(b"256 ")));
    }
}

#[test]
fn numbers_that_are_none_are_refused_and_never_a_default() {
    for (tag, vr, value, says) in [
        ((0x0028, 0x0008), *b"IS", &b"two "[..], "NumberOfFrames (0028,0008) `two`"),
        ((0x0028, 0x0008), *b"IS", b"-1", "`-1`"),
        ((0x0028, 0x0101), *b"US", &[8, 0, 8, 0], "BitsStored (0028,0101) `8\\8`"),
        ((0x0028, 0x0101), *b"SH", b"most", "`most`"),
        ((0x0028, 0x0103), *b"US", &[2, 0], "neither 0 nor 1"),
        ((0x0028, 0x0103), *b"OB", &[0, 1], "a value of OB"),
    ] {
        let (code, message) =
            refused(&file(Form::Explicit, &with(Form::Explicit, &[(tag, vr, value.to_vec())])));
        assert_eq!(code, "dicom-pixels-unreadable");
        assert!(message.contains(says), "{message}");
    }
    for one in [&b"1 "[..], b"01", b" 1", b"+1"] {
        let more = [((0x0028, 0x0008), *b"IS", one.to_vec())];
        is_the_chest(&file(Form::Explicit, &with(Form::Explicit, &more)));
    }
}

#[test]
fn a_presentation_shape_that_contradicts_the_photometric_interpretation_is_said() {
    for (photometric, shape, said) in [
        ("MONOCHROME1 ", "IDENTITY", true),
        ("MONOCHROME1 ", "INVERSE ", false),
        ("MONOCHROME2 ", "INVERSE ", true),
        ("MONOCHROME2 ", "inverse ", true),
        ("MONOCHROME2 ", "IDENTITY", false),
        ("MONOCHROME2 ", "", false),
    ] {
        for form in FORMS {
            let bytes = file(
                form,
                &with(
                    form,
                    &[
                        (PHOTOMETRIC, *b"CS", photometric.as_bytes().to_vec()),
                        ((0x2050, 0x0020), *b"CS", shape.as_bytes().to_vec()),
                    ],
                ),
            );
            let codes: Vec<&str> = header(&bytes).warnings.iter().map(|w| w.code.as_str()).collect();
            assert_eq!(
                codes,
                if said { vec!["dicom-presentation"] } else { vec![] },
                "{photometric} {shape}"
            );
            // The photometric interpretation is followed.
            let first = dicom::from_bytes(&bytes).expect("reads").pixels()[0];
            assert_eq!(first, if photometric.starts_with("MONOCHROME1") { 1.0 } else { 0.0 });
        }
    }
}

#[test]
fn an_element_that_stands_twice_is_said() {
    let mut elements = chest(Form::Explicit);
    elements.insert(5, (VIEW, *b"CS", b"AP".to_vec()));
    let header = header(&file(Form::Explicit, &encoded(Form::Explicit, &elements)));
    assert_eq!(header.observed.view.as_deref(), Some("AP"));
    assert!(header.warnings[0].message.contains("(0018,5101) stands twice"), "{:?}", header.warnings);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 2000,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn damaged_archive_files_never_panic(
        form in 0_usize..3,
        kind in 0_usize..4,
        damage in proptest::collection::vec(
            (any::<proptest::sample::Index>(), any::<u8>(), 0_usize..4),
            1..6
        ),
    ) {
        let form = FORMS[form];
        let inner = form.item(&form.element((0x28, 0x3003), *b"LO", b"CURVE "), false);
        let data = match kind {
            0 => encoded(form, &chest(form)),
            1 => with(form, &[((0x28, 0x3010), *b"SQ", [inner, form.bare(0xE0DD, 0)].concat())]),
            2 => with(form, &[((0x20, 0x0020), *b"UN", form.claimed((8, 0x1140), *b"UN", &inner, u32::MAX))]),
            _ => chest(form).iter().flat_map(|(tag, _, value)| form.element(*tag, *b"UN", value)).collect(),
        };
        let mut bytes = file(form, &data);
        if damage.len() % 2 == 0 {
            bytes.drain(..132);
        }
        for (place, byte, how) in damage {
            if bytes.is_empty() {
                break;
            }
            let at = place.index(bytes.len());
            match how {
                0 | 1 => bytes[at] = byte,
                2 => bytes.truncate(at),
                _ => bytes.insert(at, byte),
            }
        }
        let _ = dicom::header_from_bytes(&bytes);
        let _ = dicom::from_bytes(&bytes);
        let _ = dicom::stored_from_bytes(&bytes);
    }
}
