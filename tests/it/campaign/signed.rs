//! What nobody can find without a signature, and what is done to signatures themselves: everything is found
//! where one is kept and `verify --trust` asks for it.

use std::path::Path;

use sequester::attestation::verified::ROOT;
use sequester::attestation::{
    Algorithm, Kind as Said, Meaning, PrivateKey, Signer, Statement, Subject as Meant, Trust, seal,
};
use sequester::audit::{self, Audit, Beside, History, Signatures, State};
use sequester::diagnostic::{Code, Diagnostic, Result};
use sequester::evidence::bag;
use sequester::random::Stream;

use super::kinds::{Expect, KINDS, View};
use super::subject::{self, Subject};
use super::tree::Tree;

/// Two studies on every change, all of them twice with `SEQUESTER_CAMPAIGN`: each is audited whole each time.
fn effort() -> (usize, usize) {
    if std::env::var_os("SEQUESTER_CAMPAIGN").is_some() { (usize::MAX, 2) } else { (2, 1) }
}

fn key(seed: u8) -> PrivateKey {
    PrivateKey::generate(Algorithm::Ed25519, &mut |bytes: &mut [u8]| bytes.fill(seed))
}

/// Where the signatures of a subject's bundle lie.
fn place(subject: &Subject) -> String {
    subject.bag.replace("evidence", "signatures")
}

fn trust() -> Trust {
    let text = format!(
        "format = \"sequester-trust/1\"\n[[signer]]\nname = \"A. Example\"\nroles = [\"statistician\"]\n\
         keys = \"{}\"\n[[required]]\nkind = \"verified\"\nmeaning = \"approval\"\n",
        key(7).public().to_openssh()
    );
    let read = |name: &str| Err(Diagnostic::error(Code::FileMissing, name.to_owned()));
    Trust::parse(Path::new("trust.toml"), &text, &read).expect("valid")
}

/// A bundle in its study, or by itself, asked with its signatures.
fn asked(folder: &Path, bag: &str, signatures: &str, view: View, trust: &Trust) -> Result<Audit> {
    let bundle = folder.join(bag);
    let history = match view {
        View::Study => History::around(&bundle)?,
        View::Alone => None,
    };
    let signatures = Signatures::in_folder(&folder.join(signatures))?;
    let beside = Beside {
        history: history.as_ref(),
        signatures: Some(&signatures),
        trust: Some(trust),
        ..Beside::default()
    };
    audit::audit(&bundle, &beside)
}

/// An envelope of the study as it lies in a folder, by a key under a name.
fn envelope(folder: &Path, subject: &Subject, key: &PrivateKey) -> Vec<u8> {
    let bundle = folder.join(&subject.bag);
    let history = History::around(&bundle).expect("a study");
    let opened = bag::open(&bundle).expect("a bundle");
    let beside = Beside { history: history.as_ref(), ..Beside::default() };
    let audit = audit::audit(&bundle, &beside).expect("audited");
    assert!(audit.holds(), "{}: {:?}", subject.name, audit.answers);
    let claim = audit::claim(&opened.payload, history.as_ref(), &audit.answers).expect("a claim");
    let statement = Statement {
        kind: Said::Verified,
        subjects: vec![Meant { name: ROOT.to_owned(), digest: opened.root.expect("a root") }],
        signer: Signer {
            key: key.public().to_base64(),
            meaning: Meaning::Approval,
            name: "A. Example".to_owned(),
            role: "statistician".to_owned(),
        },
        at: "2026-01-31T12:00:00Z".to_owned(),
        program: "sequester 0.2.0".to_owned(),
        claim: claim.to_claim(),
    };
    seal(&statement, key).expect("seals")
}

/// Whether something is contradicted, or what is required is not there.
fn is_told(told: &Result<Audit>) -> bool {
    told.as_ref().is_ok_and(|audit| !audit.holds() || !audit.unsigned.is_empty())
}

#[test]
fn what_nothing_else_tells_a_signature_does() {
    let trust = trust();
    let (studies, rounds) = effort();
    let mut missed = Vec::new();
    for (number, subject) in (0..).zip(subject::all().iter().rev().take(studies)) {
        let place = place(subject);
        let file = format!("{place}/approval.dsse.json");
        let temporary = tempfile::tempdir().expect("a folder");
        let folder = temporary.path();
        let mut signed = subject.tree.clone();
        signed.write(folder, &Tree::default());
        let good = envelope(folder, subject, &key(7));
        signed.put(&file, good.clone());
        let mut there = subject.tree.clone();
        let mut told = |tree: Tree, bag: &str, view: View| {
            tree.write(folder, &there);
            there = tree;
            asked(folder, bag, &place, view, &trust)
        };
        for view in [View::Study, View::Alone] {
            let honest = told(signed.clone(), &subject.bag, view).expect("audited");
            let asked = honest.answers.last().expect("answers");
            assert_eq!((asked.question, asked.answer), ("signatures", State::Yes), "{}", asked.looked_at);
        }
        let mut stream = Stream::new(super::SEED, 1_000_000 + number);
        for kind in KINDS.iter().filter(|kind| matches!(kind.expect, Expect::Signature | Expect::Root)) {
            for _ in 0..rounds {
                let Some(mut made) = (kind.make)(subject, &mut stream) else { continue };
                made.tree.put(&file, good.clone());
                if !is_told(&told(made.tree, &made.bag, kind.view)) {
                    missed.push(format!("{} of {}: {}", kind.name, subject.name, made.note));
                }
            }
        }
        let mut forged = |what: &str, change: &mut dyn FnMut(&mut Tree)| {
            let mut tree = signed.clone();
            change(&mut tree);
            if !is_told(&told(tree, &subject.bag, View::Study)) {
                missed.push(format!("{what} of {}", subject.name));
            }
        };
        for _ in 0..4 * rounds {
            let bit = stream.below(good.len() as u64 * 8) as usize;
            forged("a bit of a signature", &mut |tree| {
                let mut bytes = good.clone();
                bytes[bit / 8] ^= 1 << (bit % 8);
                tree.put(&file, bytes);
            });
        }
        forged("a signature that is gone", &mut |tree| drop(tree.files.remove(&file)));
        forged("a signature cut", &mut |tree| tree.put(&file, &good[..good.len() / 2]));
        forged("a stranger among the signatures", &mut |tree| tree.put(&format!("{place}/notes.txt"), "x"));
        forged("a folder among the signatures", &mut |tree| {
            tree.folders.insert(format!("{place}/old"));
        });
        let thief = envelope(folder, subject, &key(8));
        forged("a signature by another key in place", &mut |tree| tree.put(&file, thief.clone()));
        forged("a signature by another key beside", &mut |tree| {
            tree.put(&format!("{place}/other.dsse.json"), thief.clone());
        });
        let ledger = subject.tree.text("ledger.jsonl");
        let lines: Vec<&str> = ledger.split_inclusive('\n').collect();
        // Every k is tried in `audit::signed`.
        for k in [1, 2, lines.len() - 1] {
            forged("the end of the ledger cut off", &mut |tree| {
                tree.put("ledger.jsonl", lines[..lines.len() - k].concat());
            });
        }
    }
    assert!(missed.is_empty(), "{missed:#?}");
}
