//! OpenSSF Model Signing 1.0: which files a model has, in a sigstore bundle v0.3 with a DSSE envelope. Signed
//! here with P-256 keys; read in every form that the specification allows, and refused by name where this
//! program cannot check it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::encoding::{base64, from_base64};
use super::envelope::{PAYLOAD_TYPE, pae};
use super::key::{Algorithm, PublicKey};
use super::private::PrivateKey;
use crate::diagnostic::{Code, Diagnostic};
use crate::digest::Digest;

const MEDIA_TYPE: &str = "application/vnd.dev.sigstore.bundle";
const STATEMENT: &str = "https://in-toto.io/Statement/v1";
const PREDICATE: &str = "https://model_signing/signature/v1.0";
/// Names at the top of a model's folder that are never signed (6.2 of the specification).
const NEVER: [&str; 4] = [".git", ".gitattributes", ".github", ".gitignore"];
/// Bytes of a signature: a hundred thousand files.
pub const LARGEST: usize = 64 << 20;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Bundle {
    media_type: String,
    verification_material: Material,
    dsse_envelope: Envelope,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Material {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    public_key: Option<KeyHint>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    x509_certificate_chain: Option<Chain>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    certificate: Option<Certificate>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tlog_entries: Option<Vec<Value>>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct KeyHint {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    raw_bytes: Option<String>,
}

#[derive(Serialize, Deserialize)]
struct Chain {
    certificates: Vec<Certificate>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Certificate {
    raw_bytes: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Envelope {
    payload: String,
    payload_type: String,
    signatures: Vec<EnvelopeSignature>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EnvelopeSignature {
    sig: String,
    #[serde(default)]
    keyid: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Statement {
    #[serde(rename = "_type")]
    kind: String,
    subject: Vec<Subject>,
    predicate_type: String,
    predicate: Predicate,
}

#[derive(Serialize, Deserialize)]
struct Subject {
    name: String,
    digest: BTreeMap<String, String>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Predicate {
    serialization: Serialization,
    resources: Vec<Resource>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Resource {
    name: String,
    algorithm: String,
    digest: String,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Serialization {
    method: String,
    hash_type: String,
    allow_symlinks: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    shard_size: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    ignore_paths: Option<Vec<String>>,
}

/// How a signature says whose it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Signing {
    /// By a key; SHA-256 of its PEM where the signature gives it.
    Key(Option<String>),
    /// By a certificate of an authority.
    Certificate,
    /// By a short-lived certificate and a public log.
    Sigstore,
}

/// A well-formed signature of a model.
#[derive(Clone, Debug)]
pub struct ModelSignature {
    /// How it is signed.
    pub signing: Signing,
    resources: Vec<Resource>,
    serialization: Serialization,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

fn wrong(why: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Code::SignatureMalformed, format!("no signature of a model: {}", why.into()))
        .hint("OpenSSF Model Signing 1.0 says what is one; `model_signing verify` may say more")
}

fn cannot(what: &str) -> Diagnostic {
    Diagnostic::error(Code::SignatureUnsupported, format!("this program cannot check {what}"))
        .hint("the public client of OpenSSF Model Signing can: `model_signing verify`")
}

/// A path within a folder that leads nowhere else: no `..`, no root, no part that is empty or `.`.
fn is_inside(path: &str) -> bool {
    let plain = |part: &str| !part.is_empty() && part != "." && part != "..";
    path.split('/').all(plain) && !path.chars().any(|c| c == '\\' || c.is_control())
}

/// The path of a part of a file, `path:start:end`, where it is one.
fn of_shard(name: &str) -> Option<&str> {
    let mut parts = name.rsplitn(3, ':');
    let (end, start, path) = (parts.next()?, parts.next()?, parts.next()?);
    let number =
        |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse::<u64>().ok()).flatten();
    (number(start)? < number(end)?).then_some(path)
}

/// Hexadecimal digits of a digest of this algorithm.
fn digits(algorithm: &str) -> Option<usize> {
    match algorithm {
        "sha256" | "blake3" => Some(64),
        "blake2b" => Some(128),
        _ => None,
    }
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

/// SHA-256 of all digests in their order (6.5.1).
fn root(resources: &[Resource]) -> Digest {
    let byte =
        |pair: &[u8]| std::str::from_utf8(pair).ok().and_then(|pair| u8::from_str_radix(pair, 16).ok());
    let bytes = resources.iter().flat_map(|resource| resource.digest.as_bytes().chunks(2).filter_map(byte));
    Digest::of(&bytes.collect::<Vec<u8>>())
}

/// Whether a path lies at one of these, or below it.
fn is_below(path: &str, places: impl IntoIterator<Item = impl AsRef<str>>) -> bool {
    places.into_iter().any(|place| {
        path.strip_prefix(place.as_ref()).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    })
}

/// Whether a file of a model's folder is never signed.
pub fn is_never_signed(path: &str) -> bool {
    is_below(path, NEVER)
}

/// Signs a model: the digest of every file by its path below the folder, which is named.
///
/// # Errors
/// `signature-unsupported` for a key that is not P-256; `signature-malformed` for a folder without files, or
/// a path that leads elsewhere.
pub fn sign(folder: &str, files: &BTreeMap<String, Digest>, key: &PrivateKey) -> Result<Vec<u8>, Diagnostic> {
    let public = key.public();
    if public.algorithm() != Algorithm::P256 {
        let message = "OpenSSF Model Signing has no ed25519 keys".to_owned();
        return Err(Diagnostic::error(Code::SignatureUnsupported, message)
            .hint("`sequester keys new --algorithm p256` makes one that it takes"));
    }
    if files.is_empty() || !files.keys().all(|path| is_inside(path)) {
        return Err(wrong("the folder has no file, or one whose path leads elsewhere"));
    }
    let resource = |(name, digest): (&String, &Digest)| Resource {
        name: name.clone(),
        algorithm: "sha256".to_owned(),
        digest: digest.to_string(),
    };
    let resources: Vec<Resource> = files.iter().map(resource).collect();
    let statement = Statement {
        kind: STATEMENT.to_owned(),
        subject: vec![Subject {
            name: folder.to_owned(),
            digest: BTreeMap::from([("sha256".to_owned(), root(&resources).to_string())]),
        }],
        predicate_type: PREDICATE.to_owned(),
        predicate: Predicate {
            serialization: Serialization {
                method: "files".to_owned(),
                hash_type: "sha256".to_owned(),
                allow_symlinks: false,
                shard_size: None,
                ignore_paths: Some(NEVER.map(str::to_owned).to_vec()),
            },
            resources,
        },
    };
    let payload = super::encoding::canonical(&statement);
    let bundle = Bundle {
        media_type: format!("{MEDIA_TYPE}.v0.3+json"),
        verification_material: Material {
            public_key: Some(KeyHint { hint: Some(hint(&public)), raw_bytes: None }),
            x509_certificate_chain: None,
            certificate: None,
            tlog_entries: Some(Vec::new()),
        },
        dsse_envelope: Envelope {
            payload: base64(&payload),
            payload_type: PAYLOAD_TYPE.to_owned(),
            signatures: vec![EnvelopeSignature {
                sig: base64(&key.sign(&pae(PAYLOAD_TYPE, &payload))),
                keyid: Some(String::new()),
            }],
        },
    };
    let mut bytes = super::encoding::canonical(&bundle);
    bytes.push(b'\n');
    Ok(bytes)
}

/// How a signature names a key: SHA-256 of its PEM.
fn hint(key: &PublicKey) -> String {
    Digest::of(key.to_pem().as_bytes()).to_string()
}

impl ModelSignature {
    /// Reads a signature.
    ///
    /// # Errors
    /// `signature-malformed` for whatever the specification refuses, paths that lead out of the model's
    /// folder among it.
    pub fn parse(bytes: &[u8]) -> Result<Self, Diagnostic> {
        if bytes.len() > LARGEST {
            return Err(wrong("larger than any"));
        }
        let bundle: Bundle = serde_json::from_slice(bytes).map_err(|e| wrong(e.to_string()))?;
        if !bundle.media_type.starts_with(MEDIA_TYPE) {
            return Err(wrong("`mediaType` is that of no sigstore bundle"));
        }
        let signing = signing(&bundle.verification_material)?;
        let envelope = bundle.dsse_envelope;
        if envelope.payload_type != PAYLOAD_TYPE {
            return Err(wrong("the envelope carries no in-toto statement"));
        }
        let [signature] = &envelope.signatures[..] else {
            return Err(wrong(format!("{} signatures in the envelope", envelope.signatures.len())));
        };
        let signature = from_base64(&signature.sig).filter(|sig| !sig.is_empty());
        let signature = signature.ok_or_else(|| wrong("the signature is no base64"))?;
        let payload = from_base64(&envelope.payload).ok_or_else(|| wrong("the payload is no base64"))?;
        let statement: Statement = serde_json::from_slice(&payload).map_err(|e| wrong(e.to_string()))?;
        if statement.kind != STATEMENT || statement.predicate_type != PREDICATE {
            return Err(wrong("the statement is not one on a model's signature"));
        }
        let Predicate { serialization, resources } = statement.predicate;
        check_serialization(&serialization)?;
        check_resources(&serialization, &resources)?;
        let [subject] = &statement.subject[..] else { return Err(wrong("not exactly one subject")) };
        if subject.name.is_empty() || subject.digest.get("sha256") != Some(&root(&resources).to_string()) {
            return Err(wrong("the root digest is not that of the listed files"));
        }
        Ok(Self { signing, resources, serialization, payload, signature })
    }

    /// Whether this key signed it.
    ///
    /// # Errors
    /// `signature-invalid`; `signature-unsupported` where it is signed with a certificate.
    pub fn check_key(&self, key: &PublicKey) -> Result<(), Diagnostic> {
        let Signing::Key(named) = &self.signing else {
            return Err(cannot("signatures with certificates"));
        };
        let other = named.as_ref().is_some_and(|named| *named != hint(key));
        if other
            || key.algorithm() != Algorithm::P256
            || !key.verifies(&pae(PAYLOAD_TYPE, &self.payload), &self.signature)
        {
            return Err(Diagnostic::error(Code::SignatureInvalid, "the signature is not one by this key"));
        }
        Ok(())
    }

    /// Whether a file of the folder is one that the signature leaves out.
    pub fn leaves_out(&self, path: &str) -> bool {
        is_never_signed(path) || is_below(path, self.serialization.ignore_paths.iter().flatten())
    }

    /// Every difference between the files that were signed and those that are there, by path.
    ///
    /// # Errors
    /// `signature-unsupported` where files were signed in parts, with another digest than SHA-256, or through
    /// links.
    pub fn differences(
        &self,
        there: &BTreeMap<String, Digest>,
    ) -> Result<Vec<(String, Diagnostic)>, Diagnostic> {
        if self.serialization.method != "files" {
            return Err(cannot("files that were signed in parts"));
        }
        if self.serialization.hash_type != "sha256" {
            return Err(cannot(&format!("digests of {}", self.serialization.hash_type)));
        }
        if self.serialization.allow_symlinks {
            return Err(cannot("what was signed through links"));
        }
        let signed: BTreeMap<&str, &str> = self
            .resources
            .iter()
            .map(|resource| (resource.name.as_str(), resource.digest.as_str()))
            .collect();
        let mut found = Vec::new();
        for (path, digest) in &signed {
            match there.get(*path) {
                None => found.push((*path, Code::FileLost, "signed, but not there".to_owned())),
                Some(here) if here.to_string() != **digest => {
                    let message = format!("changed: signed {}, found {}", &digest[..12], here.short());
                    found.push((*path, Code::FileChanged, message));
                }
                Some(_) => {}
            }
        }
        for path in there.keys().filter(|path| !signed.contains_key(path.as_str()) && !self.leaves_out(path))
        {
            found.push((path, Code::FileExtra, "there, but not signed".to_owned()));
        }
        found.sort();
        let told =
            |(path, code, message): (&str, Code, String)| (path.to_owned(), Diagnostic::error(code, message));
        Ok(found.into_iter().map(told).collect())
    }

    /// How many files were signed.
    pub fn count(&self) -> usize {
        self.resources.len()
    }
}

fn signing(material: &Material) -> Result<Signing, Diagnostic> {
    let logged = material.tlog_entries.as_ref().is_some_and(|entries| !entries.is_empty());
    match (&material.public_key, &material.x509_certificate_chain, &material.certificate) {
        (Some(key), None, None) if key.hint.is_some() || key.raw_bytes.is_some() => {
            Ok(Signing::Key(key.hint.clone().filter(|hint| !hint.is_empty())))
        }
        (None, Some(chain), None)
            if !chain.certificates.is_empty()
                && chain.certificates.iter().all(|c| !c.raw_bytes.is_empty()) =>
        {
            Ok(Signing::Certificate)
        }
        (None, None, Some(certificate)) if logged && !certificate.raw_bytes.is_empty() => {
            Ok(Signing::Sigstore)
        }
        _ => Err(wrong("nothing says whose signature it is, or two things do")),
    }
}

fn check_serialization(serialization: &Serialization) -> Result<(), Diagnostic> {
    let sharded = match serialization.method.as_str() {
        "files" => false,
        "shards" => true,
        _ => return Err(wrong("`method` is neither `files` nor `shards`")),
    };
    if serialization.shard_size.is_some_and(|size| size > 0) != sharded
        || (serialization.shard_size == Some(0))
    {
        return Err(wrong("`shard_size` is there for `shards` alone, and above 0"));
    }
    if digits(&serialization.hash_type).is_none() {
        return Err(wrong("`hash_type` is none that the specification knows"));
    }
    let pattern = |path: &str| path.contains(['*', '?', '[']);
    let ignored = serialization.ignore_paths.iter().flatten();
    if let Some(path) = ignored.into_iter().find(|path| !is_inside(path) || pattern(path)) {
        return Err(wrong(format!("the path `{}` that is left out leads elsewhere", path.escape_debug())));
    }
    Ok(())
}

fn check_resources(serialization: &Serialization, resources: &[Resource]) -> Result<(), Diagnostic> {
    if resources.is_empty() {
        return Err(wrong("it lists no file"));
    }
    let mut names: Vec<&str> = Vec::with_capacity(resources.len());
    for resource in resources {
        let name = resource.name.as_str();
        let path = if serialization.method == "shards" { of_shard(name) } else { Some(name) };
        if !path.is_some_and(is_inside) {
            return Err(wrong(format!("the path `{}` leads out of the model's folder", name.escape_debug())));
        }
        let known = digits(&resource.algorithm).is_some_and(|digits| is_hex(&resource.digest, digits));
        if !known || resource.algorithm != serialization.hash_type {
            return Err(wrong(format!(
                "`{}` has no digest of {}",
                name.escape_debug(),
                serialization.hash_type
            )));
        }
        names.push(name);
    }
    names.sort_unstable();
    if names.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(wrong("it lists a file twice"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(algorithm: Algorithm, seed: u8) -> PrivateKey {
        PrivateKey::generate(algorithm, &mut |bytes: &mut [u8]| bytes.fill(seed))
    }

    fn files(names: &[&str]) -> BTreeMap<String, Digest> {
        names.iter().map(|name| ((*name).to_owned(), Digest::of(name.as_bytes()))).collect()
    }

    /// A signature whose statement, or whose bundle, was changed and signed again.
    fn changed(change: &dyn Fn(&mut Value, &mut Value)) -> Vec<u8> {
        let private = key(Algorithm::P256, 7);
        let bytes = sign("model", &files(&["a", "b/c"]), &private).expect("signs");
        let mut bundle: Value = serde_json::from_slice(&bytes).expect("JSON");
        let payload = bundle["dsseEnvelope"]["payload"].as_str().and_then(from_base64).expect("base64");
        let mut statement: Value = serde_json::from_slice(&payload).expect("JSON");
        change(&mut bundle, &mut statement);
        let payload = serde_json::to_vec(&statement).expect("JSON");
        bundle["dsseEnvelope"]["payload"] = base64(&payload).into();
        let signature = private.sign(&pae(PAYLOAD_TYPE, &payload));
        if bundle["dsseEnvelope"]["signatures"][0]["sig"].is_string() {
            bundle["dsseEnvelope"]["signatures"][0]["sig"] = base64(&signature).into();
        }
        serde_json::to_vec(&bundle).expect("JSON")
    }

    #[test]
    fn a_model_that_is_signed_is_the_one_that_is_there() {
        let private = key(Algorithm::P256, 7);
        let there = files(&["a", "b/c", "b.d"]);
        let signed =
            ModelSignature::parse(&sign("model", &there, &private).expect("signs")).expect("well-formed");
        assert!(signed.check_key(&private.public()).is_ok());
        for other in [key(Algorithm::P256, 8), key(Algorithm::Ed25519, 7)] {
            assert_eq!(signed.check_key(&other.public()).expect_err("another").code, Code::SignatureInvalid);
        }
        assert_eq!(signed.count(), 3);
        assert_eq!(signed.differences(&there).expect("looked at"), []);
        let mut other = files(&["a", "b/c", "e", ".git/x", "sub/.git"]);
        other.insert("a".to_owned(), Digest::of(b"x"));
        let found = signed.differences(&other).expect("looked at");
        let found: Vec<(&str, &str)> =
            found.iter().map(|(path, p)| (path.as_str(), p.code.as_str())).collect();
        let expected =
            [("a", "file-changed"), ("b.d", "file-lost"), ("e", "file-extra"), ("sub/.git", "file-extra")];
        assert_eq!(found, expected);
        assert_eq!(
            sign("m", &there, &key(Algorithm::Ed25519, 7)).expect_err("no such key").code,
            Code::SignatureUnsupported
        );
        assert!(sign("m", &files(&[]), &private).is_err() && sign("m", &files(&["../a"]), &private).is_err());
    }

    #[test]
    fn what_the_specification_refuses_is_malformed() {
        assert!(ModelSignature::parse(&changed(&|_, _| {})).is_ok());
        for path in ["../a", "b/../../a", "/a", "b//c", "./a", "a/", "..", "", "a\\b", "a\nb"] {
            let named = |_: &mut Value, s: &mut Value| s["predicate"]["resources"][0]["name"] = path.into();
            assert_eq!(
                ModelSignature::parse(&changed(&named)).expect_err(path).code,
                Code::SignatureMalformed
            );
            let ignored = |_: &mut Value, s: &mut Value| {
                s["predicate"]["serialization"]["ignore_paths"] = serde_json::json!([path]);
            };
            assert!(ModelSignature::parse(&changed(&ignored)).is_err(), "{path:?} is left out");
        }
        type Change = (&'static str, fn(&mut Value, &mut Value));
        let changes: [Change; 18] = [
            ("no subject", |_, s| s["subject"] = serde_json::json!([])),
            ("another root", |_, s| s["subject"][0]["digest"]["sha256"] = "00".repeat(32).into()),
            ("another predicate", |_, s| s["predicateType"] = "https://model_signing/Digests/v0.1".into()),
            ("another type", |_, s| s["_type"] = "https://in-toto.io/Statement/v0.1".into()),
            ("an unknown key", |_, s| s["predicate"]["card"] = 1.into()),
            ("no file", |_, s| s["predicate"]["resources"] = serde_json::json!([])),
            ("a file twice", |_, s| s["predicate"]["resources"][1]["name"] = "a".into()),
            ("no digest", |_, s| s["predicate"]["resources"][0]["digest"] = "xy".into()),
            ("another algorithm", |_, s| s["predicate"]["resources"][0]["algorithm"] = "md5".into()),
            ("an unknown method", |_, s| s["predicate"]["serialization"]["method"] = "guess".into()),
            ("a shard size of files", |_, s| s["predicate"]["serialization"]["shard_size"] = 5.into()),
            ("shards without a size", |_, s| s["predicate"]["serialization"]["method"] = "shards".into()),
            ("no media type", |b, _| b["mediaType"] = "application/json".into()),
            ("no key", |b, _| b["verificationMaterial"] = serde_json::json!({})),
            ("no log", |b, _| {
                b["verificationMaterial"] = serde_json::json!({"certificate": {"rawBytes": "AA=="}})
            }),
            ("no signature", |b, _| b["dsseEnvelope"]["signatures"] = serde_json::json!([])),
            ("another payload", |b, _| b["dsseEnvelope"]["payloadType"] = "text/plain".into()),
            ("two signatures", |b, _| {
                let one = b["dsseEnvelope"]["signatures"][0].clone();
                b["dsseEnvelope"]["signatures"] = serde_json::json!([one, one]);
            }),
        ];
        for (what, change) in changes {
            let found = ModelSignature::parse(&changed(&change));
            assert_eq!(found.expect_err(what).code, Code::SignatureMalformed, "{what}");
        }
        let twice =
            String::from_utf8(changed(&|_, _| {})).expect("text").replacen('{', "{\"mediaType\":\"x\",", 1);
        assert!(ModelSignature::parse(twice.as_bytes()).is_err(), "a key twice");
        for bytes in [&b""[..], b"{}", b"[]", b"\xff"] {
            assert!(ModelSignature::parse(bytes).is_err());
        }
    }

    #[test]
    fn what_is_well_formed_and_not_checked_here_is_refused_by_name() {
        let private = key(Algorithm::P256, 7).public();
        let blake = changed(&|_, s| {
            s["predicate"]["serialization"]["hash_type"] = "blake3".into();
            for resource in s["predicate"]["resources"].as_array_mut().expect("a list") {
                resource["algorithm"] = "blake3".into();
            }
        });
        let shards = changed(&|_, s| {
            s["predicate"]["serialization"]["method"] = "shards".into();
            s["predicate"]["serialization"]["shard_size"] = 5.into();
            for resource in s["predicate"]["resources"].as_array_mut().expect("a list") {
                resource["name"] = format!("{}:0:5", resource["name"].as_str().expect("a name")).into();
            }
        });
        let links = changed(&|_, s| s["predicate"]["serialization"]["allow_symlinks"] = true.into());
        for bytes in [blake, shards, links] {
            let signed = ModelSignature::parse(&bytes).expect("well-formed");
            assert!(signed.check_key(&private).is_ok());
            let problem = signed.differences(&files(&["a", "b/c"])).expect_err("not here");
            assert_eq!(problem.code, Code::SignatureUnsupported);
        }
        let certificate = changed(&|b, _| {
            b["verificationMaterial"] =
                serde_json::json!({"x509CertificateChain": {"certificates": [{"rawBytes": "AA=="}]}});
        });
        let signed = ModelSignature::parse(&certificate).expect("well-formed");
        assert_eq!(signed.check_key(&private).expect_err("not here").code, Code::SignatureUnsupported);
    }

    #[test]
    fn a_flipped_bit_of_a_models_signature_is_found() {
        let private = key(Algorithm::P256, 7);
        let there = files(&["a", "b/c"]);
        let bytes = sign("model", &there, &private).expect("signs");
        let text = String::from_utf8(bytes.clone()).expect("text");
        // What the key does not sign: the name of the format's version and an id that nobody reads.
        let free = |at: usize| {
            let inside =
                |part: &str| text.find(part).is_some_and(|from| (from..from + part.len()).contains(&at));
            inside(".v0.3+json")
                || inside("\"keyid\":\"\",")
                || inside("\"tlogEntries\":[]")
                || at + 1 == text.len()
        };
        for bit in (0..bytes.len() * 8).step_by(5).filter(|bit| !free(bit / 8)) {
            let mut flipped = bytes.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            let read = ModelSignature::parse(&flipped);
            let holds = read.is_ok_and(|signed| {
                signed.check_key(&private.public()).is_ok()
                    && signed.differences(&there).is_ok_and(|differences| differences.is_empty())
            });
            assert!(!holds, "bit {bit}: {}", String::from_utf8_lossy(&flipped));
        }
    }
}
