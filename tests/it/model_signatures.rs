//! OpenSSF Model Signing: a locked model signed here and checked by the public client `model_signing`, and the
//! other way round. `SEQUESTER_MODEL_SIGNING` names it where `scripts/setup-model-signing.sh` did not install
//! it.

use std::path::{Path, PathBuf};
use std::process::Command;

use sequester::attestation::oms::ModelSignature;
use sequester::digest::Digest;

use crate::support::{Ran, files, real_data, sequester};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// The public client; none where it is not there, which is said loudly.
fn client(test: &str) -> Option<PathBuf> {
    let named = std::env::var_os("SEQUESTER_MODEL_SIGNING").map(PathBuf::from);
    let found = named.unwrap_or_else(|| root().join(".deps/model-signing/bin/model_signing"));
    if found.is_file() {
        return Some(found);
    }
    eprintln!("SKIPPED {test}: no `model_signing`; scripts/setup-model-signing.sh installs it");
    None
}

/// A locked model with a few files beside it, and a key.
pub struct Room {
    _folder: tempfile::TempDir,
    top: PathBuf,
}

impl Room {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let top = folder.path().to_path_buf();
        let room = Self { _folder: folder, top };
        let weights = b"weights of nothing".to_vec();
        let lock = root().join("fixtures/evidence/v2/locked-model/data/model/lock.json");
        let lock = std::fs::read_to_string(lock).expect("reads");
        let mut lock: serde_json::Value = serde_json::from_str(&lock).expect("JSON");
        lock["weights"]["sha256"] = Digest::of(&weights).to_string().into();
        lock["weights"]["bytes"] = weights.len().into();
        let path = lock["weights"]["path"].as_str().expect("a path").to_owned();
        room.write(&format!("model/{path}"), &weights);
        room.write("model/lock.json", serde_json::to_string_pretty(&lock).expect("JSON").as_bytes());
        // A folder sorts otherwise than a file beside it by its whole path.
        room.write("model/run/log.jsonl", b"{}\n");
        room.write("model/run.txt", b"x");
        room.write("model/.gitignore", b"never signed");
        room.key("a.pem", "p256");
        room.trust("a.pem.pub");
        room
    }

    fn write(&self, name: &str, bytes: &[u8]) {
        let path = self.file(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("makes");
        std::fs::write(path, bytes).expect("writes");
    }

    pub fn file(&self, name: &str) -> PathBuf {
        self.top.join(name)
    }

    fn key(&self, name: &str, algorithm: &str) {
        let path = self.file(name);
        let made = ["keys", "new", "--out", text(&path), "--algorithm", algorithm, "--no-passphrase"];
        assert_eq!(sequester(&made).code, 0);
    }

    pub fn trust(&self, key: &str) {
        let trust = format!(
            "format = \"sequester-trust/1\"\n[[signer]]\nname = \"A. Example\"\nroles = [\"engineer\"]\n\
             key_files = \"{key}\"\n"
        );
        self.write("trust.toml", trust.as_bytes());
    }

    fn sign(&self, key: &str) -> Ran {
        sequester(&["sign", text(&self.file("model")), "--key", text(&self.file(key))])
    }

    fn verify(&self, signature: &str) -> Ran {
        let (model, signature, trust) = (self.file("model"), self.file(signature), self.file("trust.toml"));
        sequester(&["verify", text(&model), "--signature", text(&signature), "--trust", text(&trust)])
    }

    /// Runs the public client in the folder.
    fn client(&self, program: &Path, arguments: &[&str]) -> Ran {
        let ran = Command::new(program).args(arguments).current_dir(&self.top).output();
        ran.expect("the client starts").into()
    }
}

#[test]
fn a_model_is_signed_and_every_change_of_it_is_named() {
    let room = Room::new();
    let before = files(&room.file("model"));
    let ran = room.sign("a.pem");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(files(&room.file("model")), before, "nothing is written into the model's folder");
    let found = |expected: i32, codes: &[&str]| {
        let ran = room.verify("signatures/model.sig");
        assert_eq!(ran.code, expected, "{}{}", ran.stdout, ran.stderr);
        for code in codes {
            assert!(ran.stderr.contains(&format!("error[{code}]")), "{}", ran.stderr);
        }
    };
    found(0, &[]);
    room.write("model/run.txt", b"y");
    found(20, &["file-changed"]);
    assert_eq!(room.sign("a.pem").code, 1, "another signature lies there");
    std::fs::rename(room.file("model/run.txt"), room.file("model/ran.txt")).expect("renames");
    found(20, &["file-lost", "file-extra"]);
    std::fs::remove_file(room.file("model/ran.txt")).expect("removes");
    room.write("model/run.txt", b"x");
    found(0, &[]);
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("run.txt", room.file("model/link")).expect("links");
        let ran = room.verify("signatures/model.sig");
        assert!(ran.code != 0 && ran.stderr.contains("error[file-kind]"), "{}", ran.stderr);
        std::fs::remove_file(room.file("model/link")).expect("removes");
    }
    room.key("b.pem", "ed25519");
    room.trust("b.pem.pub");
    found(20, &["signer-unknown"]);
    let ran = room.sign("b.pem");
    assert!(ran.code == 1 && ran.stderr.contains("error[signature-unsupported]"), "{}", ran.stderr);
    room.write("model/weights.safetensors", b"other weights");
    let ran = room.sign("a.pem");
    assert!(ran.code == 30 && ran.stderr.contains("error[weights-differ]"), "{}", ran.stderr);
}

#[test]
fn the_public_client_takes_our_signature_and_we_take_its() {
    let Some(client) = client("the_public_client_takes_our_signature_and_we_take_its") else { return };
    let room = Room::new();
    assert_eq!(room.sign("a.pem").code, 0);
    let check = |signature: &str, key: &str| {
        let said = ["verify", "key", "model", "--public_key", key, "--signature", signature];
        room.client(&client, &said)
    };
    let ran = check("signatures/model.sig", "a.pem.pub");
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    room.key("b.pem", "p256");
    assert_ne!(check("signatures/model.sig", "b.pem.pub").code, 0, "another key");
    // Theirs, beside the folder and in it.
    for signature in ["theirs.sig", "model/theirs.sig"] {
        let said = ["sign", "key", "model", "--private_key", "b.pem", "--signature", signature];
        let ran = room.client(&client, &said);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        room.trust("b.pem.pub");
        let ran = room.verify(signature);
        assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        room.trust("a.pem.pub");
        assert_eq!(room.verify(signature).code, 20, "another key");
    }
    std::fs::remove_file(room.file("model/theirs.sig")).expect("removes");
    room.trust("b.pem.pub");
    room.write("model/run.txt", b"y");
    assert_ne!(check("signatures/model.sig", "a.pem.pub").code, 0, "a file was changed");
    let ran = room.verify("theirs.sig");
    assert!(ran.code == 20 && ran.stderr.contains("error[file-changed]"), "{}", ran.stderr);
}

/// The vectors of the specification come without keys: what they show is the form.
#[test]
fn the_vectors_of_the_specification_are_judged_as_their_folders_say() {
    let Some(data) = real_data("the_vectors_of_the_specification_are_judged_as_their_folders_say") else {
        return;
    };
    let vectors = files(&data.join("interop/oms/vectors"));
    let mut seen = [0, 0];
    for (path, bytes) in vectors {
        let valid = path.parent().is_some_and(|folder| folder.ends_with("valid"));
        assert_eq!(ModelSignature::parse(&bytes).is_ok(), valid, "{}", path.display());
        seen[usize::from(valid)] += 1;
    }
    assert!(seen.iter().all(|count| *count >= 3), "{seen:?}");
}
