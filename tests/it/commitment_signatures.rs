//! A commitment that somebody signs: from its file alone, taken into the study, and judged by `verify`.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::support::{Ran, Study, files, sequester};

const FILE: &str = "commitments/commitment-1.json";

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// A folder for keys and what is signed, apart from any study.
struct Desk(tempfile::TempDir);

impl Desk {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn file(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn key(&self, name: &str) -> PathBuf {
        let path = self.file(name);
        let made =
            sequester(&["keys", "new", "--out", text(&path), "--algorithm", "ed25519", "--no-passphrase"]);
        assert_eq!(made.code, 0, "{}", made.stderr);
        path
    }

    /// Signs the file of a commitment, which was sent; gives the signature.
    fn sign(&self, commitment: &Path, key: &str, who: [&str; 2]) -> PathBuf {
        let out = self.file(&format!("signed-by-{key}-{}", who[1]));
        let [name, role] = who;
        let ran = sequester(&[
            "sign",
            text(commitment),
            "--key",
            text(&self.file(key)),
            "--by",
            name,
            "--role",
            role,
            "--meaning",
            "review",
            "--signatures",
            text(&out),
        ]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        assert!(ran.stdout.contains("commit STUDY --signature"), "{}", ran.stdout);
        files(&out).into_keys().next().expect("a signature")
    }

    /// Writes `trust.toml`: signers with role and key, and what is required.
    fn trust(&self, signers: &[(&str, &str, &str)], rest: &str) -> String {
        let mut trust = "format = \"sequester-trust/1\"\n".to_owned();
        for (name, role, key) in signers {
            trust.push_str(&format!(
                "[[signer]]\nname = \"{name}\"\nroles = [\"{role}\"]\nkey_files = \"{key}.pub\"\n"
            ));
        }
        let path = self.file("trust.toml");
        std::fs::write(&path, trust + rest).expect("writes");
        text(&path).to_owned()
    }
}

/// Exit code, state and words of the question `bar`, and the codes that speak against the signatures.
fn asked(study: &Study, more: &[&str]) -> (i32, String, String, String) {
    let ran = study.run("verify", &[&["--json"][..], more].concat());
    let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let answers = report["answers"].as_array().expect("answers");
    let of = |question: &str| answers.iter().find(|answer| answer["question"] == question);
    let bar = of("bar").expect("the question");
    let wrong = of("signatures").and_then(|answer| answer["discrepancies"].as_array());
    let wrong: Vec<&str> = wrong.into_iter().flatten().filter_map(|p| p["code"].as_str()).collect();
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    (ran.code, text(&bar["answer"]), text(&bar["looked_at"]), wrong.join(" "))
}

fn done(ran: &Ran) {
    assert!([0, 10].contains(&ran.code), "{}{}", ran.stdout, ran.stderr);
}

#[test]
fn a_witness_who_signed_before_the_opening_shows_that_the_bar_came_first() {
    let (desk, study) = (Desk::new(), Study::small());
    desk.key("witness.pem");
    desk.key("sponsor.pem");
    done(&study.run("commit", &[]));
    // It is mailed: the witness has the file, under any name, and nothing of the study.
    let mailed = desk.file("mailed.json");
    std::fs::copy(study.file(FILE), &mailed).expect("copies");
    let sponsor = desk.sign(&mailed, "sponsor.pem", ["B. Example", "sponsor"]);
    let witness = desk.sign(&mailed, "witness.pem", ["A. Example", "witness"]);
    let before = study.snapshot();
    let dry = study.run("commit", &["--signature", text(&witness), "--dry-run"]);
    assert!(dry.code == 0 && study.snapshot() == before, "{}", dry.stderr);
    done(&study.run("commit", &["--signature", text(&sponsor)]));
    let ran = study.run("commit", &["--signature", text(&witness), "--json"]);
    let taken: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!((&taken["before_opening"], &taken["already"]), (&true.into(), &false.into()));
    assert_eq!(taken["files"][0], "commitments/commitment-1-signature-2.dsse.json");
    done(&study.run("commit", &["--signature", text(&witness)]));
    assert_eq!(study.read("ledger.jsonl").matches("commitment-signed").count(), 2, "once is enough");
    done(&study.run("validate", &[]));
    let both = [("A. Example", "witness", "witness.pem"), ("B. Example", "sponsor", "sponsor.pem")];
    let required = "[[required]]\nkind = \"committed\"\nrole = \"witness\"\n";
    let trust = desk.trust(&both, required);
    let (code, state, words, wrong) = asked(&study, &["--trust", &trust, "--require", "bar"]);
    assert_eq!((code, state.as_str(), wrong.as_str()), (0, "yes", ""), "{words}");
    assert!(words.contains("A. Example signed") && words.contains("for a custodian to show"), "{words}");
    // Nobody said who is a witness, or nobody is one: the sponsor can sign at any time.
    let (code, state, words, _) = asked(&study, &["--require", "bar"]);
    assert_eq!((code, state.as_str()), (21, "not-shown"), "{words}");
    assert!(words.contains("B. Example as sponsor") && words.contains("at any time"), "{words}");
    let stranger = desk.trust(&both[1..], "");
    let (code, _, _, wrong) = asked(&study, &["--trust", &stranger]);
    assert_eq!((code, wrong.as_str()), (20, "signer-unknown"));
    let python = Command::new("python3").arg("docs/verify.py").arg(study.path()).output().expect("runs");
    let said = String::from_utf8_lossy(&python.stdout);
    assert!(python.status.success(), "{said}");
    assert!(
        said.contains("A. Example as witness") || said.contains("not shown  Is what is signed"),
        "{said}"
    );
}

#[test]
fn what_is_no_signature_of_this_commitment_is_refused_and_a_late_one_shows_no_order() {
    let (desk, study) = (Desk::new(), Study::small());
    desk.key("witness.pem");
    done(&study.run("commit", &[]));
    let witness = desk.sign(&study.file(FILE), "witness.pem", ["A. Example", "witness"]);
    let refused = |file: &Path, code: &str| {
        let ran = study.run("commit", &["--signature", text(file)]);
        assert!(ran.code == 1 && ran.stderr.contains(code), "{code}: {}", ran.stderr);
    };
    let whole = std::fs::read(&witness).expect("reads");
    let other = desk.file("other.dsse.json");
    std::fs::write(&other, b"garbage").expect("writes");
    refused(&other, "signature-malformed");
    let mut flipped = whole.clone();
    let at = whole.len() - 20;
    flipped[at] ^= 1;
    std::fs::write(&other, &flipped).expect("writes");
    refused(&other, "signature-");
    // Of a commitment of another study.
    let second = Study::small();
    second.replace("protocol.toml", "lower > 0.70", "lower > 0.60");
    done(&second.run("commit", &[]));
    let ran = second.run("commit", &["--signature", text(&witness)]);
    assert!(ran.code == 1 && ran.stderr.contains("signature-foreign"), "{}", ran.stderr);
    let nothing =
        sequester(&["sign", text(&study.file("protocol.toml")), "--key", text(&desk.file("witness.pem"))]);
    assert_eq!(nothing.code, 2, "{}", nothing.stderr);
    assert_eq!(study.read("ledger.jsonl").matches("commitment-signed").count(), 0);
    // After the opening it comes in, and the opening does not rest on it.
    done(&study.run("validate", &[]));
    let ran = study.run("commit", &["--signature", text(&witness)]);
    assert!(ran.code == 0 && ran.stdout.contains("does not rest on this signature"), "{}", ran.stdout);
    let trust = desk.trust(&[("A. Example", "witness", "witness.pem")], "");
    let (_, state, words, _) = asked(&study, &["--trust", &trust]);
    assert_eq!(state, "not-shown", "{words}");
}
