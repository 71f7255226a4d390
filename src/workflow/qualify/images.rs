//! DICOM decoding: generated files of every codec with what their encoders were given.

use serde_json::Value;

use crate::digest::Digest;
use crate::imaging::dicom;
use crate::qualification::{Finding, embedded::DICOM_STREAMS};

/// Codes under which a file that cannot be read is refused.
const REFUSALS: [&str; 3] = ["dicom-pixels-unreadable", "dicom-colour", "dicom-transfer-syntax"];

/// RFC 4648, without line breaks.
fn from_base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let places = text.bytes().filter_map(|byte| ALPHABET.iter().position(|&letter| letter == byte));
    let places: Vec<u32> = places.filter_map(|place| u32::try_from(place).ok()).collect();
    places
        .chunks(4)
        .flat_map(|four| {
            let word = four.iter().fold(0_u32, |sum, &bits| sum << 6 | bits) << (6 * (4 - four.len()));
            word.to_be_bytes()[1..four.len()].to_vec()
        })
        .collect()
}

/// Whether a file gives what it should; what is wrong otherwise.
fn check(stream: &Value) -> Result<bool, String> {
    let data = from_base64(stream["file"].as_str().unwrap_or_default());
    let file = [&[0; 128][..], b"DICM", &data].concat();
    let found = dicom::stored_from_bytes(&file);
    if stream["values"].is_null() && stream["values_sha256"].is_null() {
        return match found {
            Ok(_) => Err("was read, and is to be refused".to_owned()),
            Err(problem) if REFUSALS.contains(&problem.code.as_str()) => Ok(false),
            Err(problem) => Err(format!("is refused with another code: {problem}")),
        };
    }
    let found = found.map_err(|problem| format!("is not read: {problem}"))?.values;
    if let Some(digest) = stream["values_sha256"].as_str() {
        let bytes: Vec<u8> = found.iter().flat_map(|value| value.to_le_bytes()).collect();
        return if Digest::of(&bytes).to_string() == digest {
            Ok(true)
        } else {
            Err("has other pixels".into())
        };
    }
    let values = stream["values"].as_array().map_or(&[][..], Vec::as_slice);
    let tolerance = stream["tolerance"].as_u64().unwrap_or(0);
    let close = |(found, value): (&i64, &Value)| {
        value.as_i64().is_some_and(|value| found.abs_diff(value) <= tolerance)
    };
    let equal = !values.is_empty() && values.len() == found.len() && found.iter().zip(values).all(close);
    if equal { Ok(true) } else { Err("has other pixels".to_owned()) }
}

/// Decodes every embedded file.
pub fn decode() -> Finding {
    let all: Value = serde_json::from_str(DICOM_STREAMS).unwrap_or_default();
    let streams = all["streams"].as_array().map_or(&[][..], Vec::as_slice);
    let (mut read, mut refused, mut wrong) = (0, 0, Vec::new());
    for stream in streams {
        match check(stream) {
            Ok(true) => read += 1,
            Ok(false) => refused += 1,
            Err(why) => wrong.push(format!("{} {why}", stream["name"].as_str().unwrap_or("a file"))),
        }
    }
    let expected = "every pixel as the encoder got it (lossy JPEG: within the decoder's tolerance), or a \
                    refusal by name";
    let mut found = format!("{read} files decoded, {refused} refused by name");
    if let Some(first) = wrong.first() {
        found = format!("{found}; {} wrong, the first: {first}", wrong.len());
    }
    Finding::of(read > 0 && refused > 0 && wrong.is_empty(), expected, found)
}
