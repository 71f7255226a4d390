//! Streams over the parameters of every codec, against what their encoders were given. `scripts/decoders.sh`
//! does the same for more than two thousand, beside GDCM and pydicom; `docs/decoders.md` has its figures.
//! This is every so manieth of them.

use sequester::digest::Digest;
use sequester::imaging::dicom;
use serde_json::Value;

fn streams() -> Vec<Value> {
    let text = include_str!("../../fixtures/reference-values/dicom/streams.json");
    let mut all: Value = serde_json::from_str(text).expect("JSON");
    all["streams"].as_array_mut().map(std::mem::take).expect("streams")
}

/// RFC 4648, without line breaks.
fn from_base64(text: &str) -> Vec<u8> {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let places = text.bytes().filter_map(|byte| ALPHABET.iter().position(|&letter| letter == byte));
    let places: Vec<u8> = places.map(|place| u8::try_from(place).expect("six bits")).collect();
    places
        .chunks(4)
        .flat_map(|four| {
            let word =
                four.iter().fold(0_u32, |sum, &bits| sum << 6 | u32::from(bits)) << (6 * (4 - four.len()));
            word.to_be_bytes()[1..four.len()].to_vec()
        })
        .collect()
}

fn file(stream: &Value) -> Vec<u8> {
    let data = from_base64(stream["file"].as_str().expect("text"));
    [&[0; 128][..], b"DICM", &data].concat()
}

#[test]
fn every_stream_gives_what_its_encoder_was_given_or_is_refused_by_name() {
    let mut kinds = std::collections::BTreeSet::new();
    for stream in streams() {
        let name = stream["name"].as_str().expect("text");
        kinds.insert(name.split('/').next().expect("a kind").to_owned());
        let found = dicom::stored_from_bytes(&file(&stream));
        if stream["values"].is_null() && stream["values_sha256"].is_null() {
            let problem = found.expect_err(name);
            let code = problem.code.as_str();
            let codes = ["dicom-pixels-unreadable", "dicom-colour", "dicom-transfer-syntax"];
            assert!(codes.contains(&code) && problem.hint.is_some(), "{name}: {problem}");
            continue;
        }
        let found = found.unwrap_or_else(|problem| panic!("{name}: {problem}")).values;
        if let Some(digest) = stream["values_sha256"].as_str() {
            let bytes: Vec<u8> = found.iter().flat_map(|value| value.to_le_bytes()).collect();
            assert_eq!(Digest::of(&bytes).to_string(), digest, "{name}: {found:?}");
            continue;
        }
        let values = stream["values"].as_array().expect("values");
        assert_eq!(found.len(), values.len(), "{name}");
        let tolerance = stream["tolerance"].as_u64().expect("a number");
        for (found, value) in found.iter().zip(values) {
            assert!(
                found.abs_diff(value.as_i64().expect("a number")) <= tolerance,
                "{name}: {found} {value}"
            );
        }
    }
    assert_eq!(kinds.len(), 10, "{kinds:?}");
}

/// A few thousand streams with random damage, always the same.
#[test]
fn damaged_streams_never_panic() {
    let mut state = 20_261_127_u64;
    let mut next = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize
    };
    // More rounds by SEQUESTER_FUZZ_ROUNDS, for a long run by hand.
    let rounds = std::env::var("SEQUESTER_FUZZ_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(24_usize);
    let mut tried = 0;
    for stream in streams() {
        let whole = file(&stream);
        for round in 0..rounds {
            let mut bytes = whole.clone();
            for _ in 0..=round % 5 {
                // Mostly in the pixels, where the codecs are.
                let begin = if next() % 4 == 0 { 132 } else { (bytes.len() / 2).min(430) };
                let at = begin + next() % (bytes.len() - begin).max(1);
                match (bytes.get_mut(at), next() % 6) {
                    (Some(byte), 0..=2) => *byte = next() as u8,
                    (Some(byte), 3) => *byte = 0xFF,
                    (Some(byte), 4) => *byte ^= 1 << (next() % 8),
                    (_, _) => bytes.truncate(at.max(200)),
                }
            }
            let stored = dicom::stored_from_bytes(&bytes);
            let picture = dicom::from_bytes(&bytes);
            if let (Ok(stored), Ok(picture)) = (stored, picture) {
                assert_eq!(stored.values.len(), picture.pixels().len());
                assert!(picture.pixels().iter().all(|pixel| (0.0..=1.0).contains(pixel)));
            }
            tried += 1;
        }
    }
    assert!(tried >= 100 * rounds);
}
