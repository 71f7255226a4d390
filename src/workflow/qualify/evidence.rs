//! Digests, canonical JSON, and evidence that was changed.

use std::path::Path;

use crate::audit::{self, Beside, State};
use crate::diagnostic::Result;
use crate::digest::Digest;
use crate::evidence::{bag, bundle};
use crate::qualification::Finding;
use crate::storage;

/// FIPS 180-4's examples.
pub fn sha256() -> Finding {
    let million = vec![b'a'; 1_000_000];
    let vectors: [(&str, &[u8], &str); 4] = [
        ("nothing", b"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        ("abc", b"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
        (
            "448 bits",
            b"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1",
        ),
        ("a million a", &million, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
    ];
    let wrong: Vec<&str> = vectors
        .iter()
        .filter(|(_, bytes, digest)| Digest::of(bytes).to_string() != *digest)
        .map(|(name, ..)| *name)
        .collect();
    let found = if wrong.is_empty() { "equal".to_owned() } else { format!("other for {}", wrong.join(", ")) };
    Finding::of(wrong.is_empty(), "the digests of four known texts", found)
}

/// The example of RFC 8785, section 3.2.
pub fn canonical_json() -> Finding {
    const GIVEN: &str = r#"{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }"#;
    const CANONICAL: &str = concat!(
        r#"{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"#,
        r#""string":"€$\u000f\nA'B\"\\\\\"/"}"#
    );
    let found = serde_json::from_str::<serde_json::Value>(GIVEN)
        .ok()
        .and_then(|value| serde_json_canonicalizer::to_string(&value).ok())
        .unwrap_or_default();
    Finding::of(found == CANONICAL, format!("the example of the RFC: {CANONICAL}"), found)
}

/// Flips one bit of each file of a bundle in turn, takes one away, and adds one.
pub fn changed_bytes(source: &Path, work: &Path) -> Finding {
    let expected = "every change is told: one bit in each file, a file taken away, a file added";
    match try_changes(source, &work.join("changed")) {
        Ok((tried, missed)) if missed.is_empty() => {
            Finding::of(tried > 3, expected, format!("{tried} changes, all found"))
        }
        Ok((tried, missed)) => {
            Finding::of(false, expected, format!("{tried} changes, not found: {}", missed.join(", ")))
        }
        Err(error) => Finding::of(false, expected, error.to_string()),
    }
}

fn try_changes(source: &Path, copy: &Path) -> Result<(usize, Vec<String>)> {
    let opened = bag::open(source)?;
    bag::write(copy, &opened.payload, &opened.labels())?;
    let tags = ["bag-info.txt", "bagit.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt"];
    let names = opened.payload.keys().map(|path| format!("data/{path}"));
    let names: Vec<String> = names.chain(tags.map(str::to_owned)).collect();
    // A change of the manifest of manifests alone is told by the root digest that somebody holds.
    let told = |opened: &bag::Opened, root| !opened.discrepancies.is_empty() || opened.root != root;
    let root = bag::open(copy)?.root;
    let mut missed = Vec::new();
    for name in &names {
        let path = copy.join(name);
        let bytes = storage::read(&path)?;
        let mut other = bytes.clone();
        match other.len() / 2 {
            0 => other.push(b'x'),
            middle => other[middle] ^= 1,
        }
        storage::write_atomic(&path, &other)?;
        if !told(&bag::open(copy)?, root) {
            missed.push(name.clone());
        }
        storage::write_atomic(&path, &bytes)?;
    }
    let added = copy.join("data/added.txt");
    storage::write_atomic(&added, b"not recorded")?;
    if !told(&bag::open(copy)?, root) {
        missed.push("an added file".to_owned());
    }
    let remove = |path: &Path| {
        std::fs::remove_file(path).map_err(|e| crate::diagnostic::Error::io("remove", path, &e))
    };
    remove(&added)?;
    remove(&copy.join("data").join(bundle::RESULTS))?;
    if !told(&bag::open(copy)?, root) {
        missed.push("a removed file".to_owned());
    }
    Ok((names.len() + 2, missed))
}

/// Changes a number of the results and writes every manifest again.
pub fn consistent_change(source: &Path, work: &Path) -> Finding {
    let expected = "bytes and manifests agree, and recomputation says that the results do not follow";
    match try_consistent(source, &work.join("consistent")) {
        Ok((true, found)) => Finding::of(true, expected, found),
        Ok((false, found)) => Finding::of(false, expected, found),
        Err(error) => Finding::of(false, expected, error.to_string()),
    }
}

fn try_consistent(source: &Path, copy: &Path) -> Result<(bool, String)> {
    let opened = bag::open(source)?;
    let mut payload = opened.payload.clone();
    let name = bundle::path("", bundle::RESULTS)?;
    let mut results: serde_json::Value =
        serde_json::from_slice(bundle::file(&payload, bundle::RESULTS)?).unwrap_or_default();
    let Some(value) = results.pointer_mut("/estimates/0/value") else {
        return Ok((false, "the results hold no estimate".to_owned()));
    };
    *value = serde_json::json!(value.as_f64().unwrap_or_default() / 2.0 + 0.25);
    payload.insert(name, format!("{results:#}\n").into());
    bag::write(copy, &payload, &opened.labels())?;
    let audit = audit::audit(copy, &Beside::default())?;
    let answer = |question: &str| audit.answers.iter().find(|a| a.question == question).map(|a| a.answer);
    let (bytes, results) = (answer("bytes"), answer("results"));
    let found = format!("bytes: {}, results: {}", words(bytes), words(results));
    Ok((bytes == Some(State::Yes) && results == Some(State::No), found))
}

fn words(state: Option<State>) -> &'static str {
    state.map_or("not asked", State::words)
}
