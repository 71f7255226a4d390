//! A few phantoms as DICOM files (Secondary Capture Image Storage, PS3.3 A.8.1) whose headers tell the truth:
//! the image is synthetic, and the subject is a phantom.

use dicom_core::{DataElement, PrimitiveValue, Tag, VR, dicom_value};
use dicom_dictionary_std::{tags, uids};
use dicom_object::{FileMetaTableBuilder, InMemDicomObject};

use super::{Cohort, Item};
use crate::digest::Digest;

/// How one file is written.
#[derive(Clone, Copy, Debug)]
pub(super) struct Form {
    /// Explicit VR, or the older implicit one; little endian both.
    pub(super) explicit: bool,
    /// Bits stored: 8 in one byte, or 12 in two.
    pub(super) twelve_bits: bool,
    /// Lowest value is white.
    pub(super) monochrome1: bool,
    /// Stored values are to be rescaled and windowed.
    pub(super) windowed: bool,
    /// Age and view are left out, as some senders do.
    pub(super) silent: bool,
}

/// A UID under 2.25, the arc of UUIDs (PS3.5 B.2), from a digest of a name: the same for the same name.
fn uid(name: &str) -> String {
    let digest = Digest::of(name.as_bytes());
    let mut bytes = [0_u8; 16];
    bytes.copy_from_slice(&digest.as_bytes()[..16]);
    // Version 8 (custom) and the variant of RFC 9562.
    bytes[6] = (bytes[6] & 0x0F) | 0x80;
    bytes[8] = (bytes[8] & 0x3F) | 0x80;
    format!("2.25.{}", u128::from_be_bytes(bytes))
}

/// The bytes of a DICOM file.
pub(super) fn encode(cohort: &Cohort, item: &Item, form: Form) -> Result<Vec<u8>, String> {
    let case = &item.case;
    let name = |what: &str, of: &str| {
        uid(&format!("sequester synthetic {what} {} {} {of}", cohort.settings.seed, cohort.settings.size))
    };
    let instance = name("instance", &case.case_id);
    let mut object = InMemDicomObject::new_empty();
    let mut text = |tag: Tag, vr: VR, value: &str| {
        object.put(DataElement::new(tag, vr, PrimitiveValue::from(value)));
    };
    text(tags::SOP_CLASS_UID, VR::UI, uids::SECONDARY_CAPTURE_IMAGE_STORAGE);
    text(tags::SOP_INSTANCE_UID, VR::UI, &instance);
    text(tags::STUDY_INSTANCE_UID, VR::UI, &name("study", &case.case_id));
    text(tags::SERIES_INSTANCE_UID, VR::UI, &name("series", &case.case_id));
    let date = item.study_date.format("%Y%m%d").to_string();
    text(tags::STUDY_DATE, VR::DA, &date);
    text(tags::STUDY_TIME, VR::TM, "000000");
    text(tags::ACCESSION_NUMBER, VR::SH, "");
    text(tags::STUDY_ID, VR::SH, "");
    text(tags::REFERRING_PHYSICIAN_NAME, VR::PN, "");
    text(tags::PATIENT_NAME, VR::PN, "SYNTHETIC^PHANTOM");
    text(tags::PATIENT_ID, VR::LO, &case.patient_id);
    text(tags::PATIENT_BIRTH_DATE, VR::DA, "");
    text(tags::PATIENT_SEX, VR::CS, &case.sex.map_or(String::new(), |sex| sex.to_string()));
    text(tags::QUALITY_CONTROL_SUBJECT, VR::CS, "YES");
    text(tags::MODALITY, VR::CS, case.modality.as_deref().unwrap_or("OT"));
    text(tags::CONVERSION_TYPE, VR::CS, "SYN");
    text(tags::MANUFACTURER, VR::LO, case.manufacturer.as_deref().unwrap_or(""));
    let site = case.site.as_deref().map(|site| format!("{site} (synthetic)"));
    text(tags::INSTITUTION_NAME, VR::LO, site.as_deref().unwrap_or(""));
    text(tags::BODY_PART_EXAMINED, VR::CS, case.body_part.as_deref().unwrap_or(""));
    text(tags::SERIES_NUMBER, VR::IS, "1");
    text(tags::INSTANCE_NUMBER, VR::IS, "1");
    text(tags::PATIENT_ORIENTATION, VR::CS, "");
    text(tags::IMAGE_COMMENTS, VR::LT, "synthetic phantom");
    text(tags::BURNED_IN_ANNOTATION, VR::CS, "NO");
    if !form.silent {
        if let Some(age) = case.age_years {
            text(tags::PATIENT_AGE, VR::AS, &format!("{age:03}Y"));
        }
        text(tags::VIEW_POSITION, VR::CS, case.view.as_deref().unwrap_or(""));
    }
    text(
        tags::PHOTOMETRIC_INTERPRETATION,
        VR::CS,
        if form.monochrome1 { "MONOCHROME1" } else { "MONOCHROME2" },
    );
    let highest: u16 = if form.twelve_bits { 4095 } else { 255 };
    if form.windowed {
        // Output 0..highest in units moved by 1000, as a display pipeline might want.
        text(tags::RESCALE_SLOPE, VR::DS, "1");
        text(tags::RESCALE_INTERCEPT, VR::DS, "-1000");
        text(tags::RESCALE_TYPE, VR::LO, "US");
        let half = (f64::from(highest) + 1.0) / 2.0;
        text(tags::WINDOW_CENTER, VR::DS, &format!("{}", half - 1000.0));
        text(tags::WINDOW_WIDTH, VR::DS, &format!("{}", 2.0 * half));
        text(tags::VOILUT_FUNCTION, VR::CS, "LINEAR");
    }
    let size = cohort.settings.size as u16;
    let stored = if form.twelve_bits { 12 } else { 8 };
    for (tag, value) in [
        (tags::SAMPLES_PER_PIXEL, 1),
        (tags::ROWS, size),
        (tags::COLUMNS, size),
        (tags::BITS_ALLOCATED, if form.twelve_bits { 16 } else { 8 }),
        (tags::BITS_STORED, stored),
        (tags::HIGH_BIT, stored - 1),
        (tags::PIXEL_REPRESENTATION, 0),
    ] {
        object.put(DataElement::new(tag, VR::US, dicom_value!(U16, [value])));
    }
    let image = cohort.image(item);
    let sample = |value: &f32| {
        let value = (value * f32::from(highest)).round() as u16;
        if form.monochrome1 { highest - value } else { value }
    };
    let samples = image.pixels().iter().map(sample);
    let pixels = if form.twelve_bits {
        DataElement::new(tags::PIXEL_DATA, VR::OW, PrimitiveValue::U16(samples.collect()))
    } else {
        let mut bytes: Vec<u8> = samples.map(|value| value as u8).collect();
        if bytes.len() % 2 == 1 {
            bytes.push(0);
        }
        // Implicit VR knows pixel data as OW alone (PS3.5 A.1).
        let vr = if form.explicit { VR::OB } else { VR::OW };
        DataElement::new(tags::PIXEL_DATA, vr, PrimitiveValue::U8(bytes.into()))
    };
    object.put(pixels);
    let syntax =
        if form.explicit { uids::EXPLICIT_VR_LITTLE_ENDIAN } else { uids::IMPLICIT_VR_LITTLE_ENDIAN };
    let meta = FileMetaTableBuilder::new()
        .transfer_syntax(syntax)
        .media_storage_sop_class_uid(uids::SECONDARY_CAPTURE_IMAGE_STORAGE)
        .media_storage_sop_instance_uid(instance);
    let mut bytes = Vec::new();
    let file = object.with_meta(meta).map_err(|error| error.to_string())?;
    file.write_all(&mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}
