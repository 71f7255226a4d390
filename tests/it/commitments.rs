//! Was the bar set before the result? Commitments, their tokens, and what `verify` answers.

use std::path::Path;
use std::process::Command;

use sequester::digest::Digest;
use serde_json::Value;

use crate::support::{Ran, Study, sequester};
use crate::timestamps::Authority;

const FILE: &str = "commitments/commitment-1.json";

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// The state of the question, and what it says.
fn bar(study: &Study, more: &[&str]) -> (i32, String, String) {
    let ran = study.run("verify", &[&["--json"][..], more].concat());
    let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let answers = report["answers"].as_array().expect("answers");
    let answer = answers.iter().find(|answer| answer["question"] == "bar");
    let of = |key: &str| answer.map_or(String::new(), |a| a[key].as_str().expect("text").to_owned());
    let codes: Vec<&str> = answer
        .and_then(|answer| answer["discrepancies"].as_array())
        .into_iter()
        .flatten()
        .filter_map(|problem| problem["code"].as_str())
        .collect();
    let words = if codes.is_empty() { of("looked_at") } else { codes.join(" ") };
    (ran.code, of("answer"), words)
}

fn done(ran: &Ran) {
    assert!([0, 10].contains(&ran.code), "{}", ran.stderr);
}

#[test]
fn the_bar_is_shown_by_a_token_on_which_the_opening_rests() {
    let at = Authority::new();
    let study = Study::small();
    let before = study.snapshot();
    let dry = study.run("commit", &["--dry-run"]);
    assert_eq!(dry.code, 0, "{}", dry.stderr);
    assert_eq!(study.snapshot(), before, "a dry run writes nothing");
    let refused = study.run("commit", &["--token", text(&at.path("root.pem"))]);
    assert!(refused.code == 1 && refused.stderr.contains("commitment-missing"), "{}", refused.stderr);

    let ran = study.run("commit", &[]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let digest = Digest::of(study.read(FILE).as_bytes()).to_string();
    assert!(ran.stdout.contains(&digest) && ran.stdout.contains("lower > 0.70"), "{}", ran.stdout);
    assert_eq!(
        dry.stdout.lines().skip(1).collect::<Vec<_>>(),
        ran.stdout.lines().skip(1).collect::<Vec<_>>()
    );
    assert!(ran.stdout.contains(study.read("commitments/commitment-1.txt").trim_end()));
    let mail = study.read("commitments/commitment-1.txt");
    assert!(mail.contains(&digest));
    // As the text says: any program that computes SHA-256 gives the digest.
    let sum = Command::new("sha256sum").arg(study.file(FILE)).output().expect("runs").stdout;
    assert!(String::from_utf8_lossy(&sum).starts_with(&digest));
    let json = study.run("commit", &["--json"]);
    let report: Value = serde_json::from_str(&json.stdout).expect("JSON");
    assert_eq!((report["already"].as_bool(), report["sha256"].as_str()), (Some(true), Some(digest.as_str())));
    assert_eq!(report["commitment"]["seed"], "1");
    assert_eq!(study.read("ledger.jsonl").matches("commitment-made").count(), 1);

    let (root, token) = (at.path("root.pem"), at.stamp(&study.file(FILE)));
    let other = at.stamp(&study.file("protocol.toml"));
    for (file, tsa, code) in [
        (&root, &root, "timestamp-unreadable"),
        (&other, &root, "timestamp-other-bytes"),
        (&token, &token, "certificate-unreadable"),
    ] {
        let ran = study.run("commit", &["--token", text(file), "--tsa", text(tsa)]);
        assert!(ran.code == 1 && ran.stderr.contains(code), "{code}: {}", ran.stderr);
    }
    let ran = study.run("commit", &["--token", text(&token), "--tsa", text(&root), "--dry-run"]);
    assert!(ran.code == 0 && !study.read("ledger.jsonl").contains("commitment-stamped"), "{}", ran.stderr);
    let ran = study.run("commit", &["--token", text(&token), "--tsa", text(&root), "--json"]);
    let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    assert_eq!(report["before_opening"], true);
    assert_eq!(report["stamp"]["authority"], "Test tsa");

    done(&study.run("validate", &[]));
    let (code, state, words) = bar(&study, &["--tsa", text(&root), "--require", "bar"]);
    assert_eq!((code, state.as_str()), (0, "yes"), "{words}");
    assert!(words.contains("rests on the token") && words.contains("is for a custodian to show"), "{words}");
    let (code, state, words) = bar(&study, &["--require", "bar"]);
    assert_eq!((code, state.as_str()), (21, "not-shown"), "{words}");
    assert!(words.contains("--tsa"), "{words}");
    // An authority that nobody trusts, and a token that was changed where the manifests were repaired.
    let (code, state, words) = bar(&study, &["--tsa", text(&Authority::new().path("root.pem"))]);
    assert_eq!((code, state.as_str(), words.as_str()), (20, "no", "timestamp-untrusted"));
    let late = study.run("commit", &[]);
    assert!(late.code == 30 && late.stderr.contains("commitment-late"), "{}", late.stderr);
    // The second program agrees that nothing is contradicted.
    let python = Command::new("python3").arg("docs/verify.py").arg(study.path()).output().expect("runs");
    assert!(python.status.success(), "{}", String::from_utf8_lossy(&python.stdout));
}

#[test]
fn a_token_that_came_later_than_the_result_shows_no_bar() {
    let at = Authority::new();
    let root = at.path("root.pem");
    let study = Study::small();
    done(&study.run("commit", &[]));
    done(&study.run("validate", &[]));
    let (_, state, words) = bar(&study, &["--tsa", text(&root)]);
    assert_eq!(state, "not-shown");
    assert!(words.contains("nothing but the ledger"), "{words}");
    // The result is stamped, and the commitment only then.
    at.stamp(&study.file("evidence/run-1/tagmanifest-sha256.txt"));
    let token = at.stamp(&study.file(FILE));
    let ran = study.run("commit", &["--token", text(&token), "--tsa", text(&root)]);
    assert!(ran.code == 0 && ran.stdout.contains("does not rest on this token"), "{}", ran.stdout);
    done(&study.run("validate", &[]));
    let run_2 = study.file("evidence/run-2/tagmanifest-sha256.txt");
    let bound = study.file("evidence/run-1/tagmanifest-sha256.txt.tsr");
    // The later bundle holds the token; the bound lies beside the first one, and is of its manifest alone.
    std::fs::copy(bound, format!("{}.tsr", run_2.display())).expect("copies");
    let (code, state, words) = bar(&study, &["--tsa", text(&root)]);
    assert_eq!((code, state.as_str(), words.as_str()), (20, "no", "timestamp-other-bytes"));
    at.stamp(&run_2);
    let (_, state, words) = bar(&study, &["--tsa", text(&root)]);
    assert_eq!(state, "not-shown");
    assert!(words.contains("nothing shows that the opening came later"), "{words}");
}

#[test]
fn a_bundle_that_was_stamped_before_its_commitment_answers_no() {
    let at = Authority::new();
    let root = at.path("root.pem");
    let study = Study::small();
    done(&study.run("commit", &[]));
    done(&study.run("validate", &[]));
    // The commitment's token is two years later than that of the bundle, which is made now.
    let token = at.stamp_in_year(&study.file(FILE), "2028");
    done(&study.run("commit", &["--token", text(&token), "--tsa", text(&root)]));
    done(&study.run("validate", &[]));
    at.stamp(&study.file("evidence/run-2/tagmanifest-sha256.txt"));
    let (code, state, words) = bar(&study, &["--tsa", text(&root)]);
    assert_eq!((code, state.as_str(), words.as_str()), (20, "no", "commitment-late"));
    let said = study.run("verify", &["--tsa", text(&root)]);
    assert!(said.stdout.contains("NO"), "{}", said.stdout);
    assert!(said.stderr.contains("the earliest token of it is of 2028"), "{}", said.stderr);
}

#[test]
fn another_seed_protocol_or_lock_than_was_committed_to_answers_no() {
    let at = Authority::new();
    let root = at.path("root.pem");
    for (from, to, codes) in [
        // The draw, and with it protocol, seed and cases.
        ("seed = 1", "seed = 2", 3),
        // The threshold: protocol and bar.
        ("lower > 0.70", "lower > 0.60", 2),
    ] {
        let study = Study::small();
        done(&study.run("commit", &[]));
        let token = at.stamp(&study.file(FILE));
        done(&study.run("commit", &["--token", text(&token)]));
        study.replace("protocol.toml", from, to);
        let folder = text(study.path());
        let ran = sequester(&["protocol", "amend", folder, "--reason", "a better one"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        done(&study.run("validate", &[]));
        let (code, state, words) = bar(&study, &["--tsa", text(&root)]);
        assert_eq!((code, state.as_str()), (20, "no"), "{from}");
        assert_eq!(words.matches("commitment-differs").count(), codes, "{from}: {words}");
        // Committed anew before the opening, it is the last commitment that counts.
        let again = Study::small();
        done(&again.run("commit", &[]));
        again.replace("protocol.toml", from, to);
        let folder = text(again.path());
        assert_eq!(sequester(&["protocol", "amend", folder, "--reason", "a better one"]).code, 0);
        let ran = again.run("commit", &[]);
        assert!(ran.stdout.contains("commitment-2.json"), "{}{}", ran.stdout, ran.stderr);
        let token = at.stamp(&again.file("commitments/commitment-2.json"));
        done(&again.run("commit", &["--token", text(&token), "--tsa", text(&root)]));
        done(&again.run("validate", &[]));
        let (code, state, words) = bar(&again, &["--tsa", text(&root)]);
        assert_eq!((code, state.as_str()), (0, "yes"), "{words}");
        assert!(words.starts_with("commitments/commitment-2.json"), "{words}");
    }
}

#[test]
fn without_a_commitment_nobody_is_asked_and_nothing_is_shown() {
    let study = Study::small();
    done(&study.run("validate", &[]));
    assert_eq!(bar(&study, &[]).1, "", "the question is not asked");
    let at = Authority::new();
    let (code, state, words) = bar(&study, &["--tsa", text(&at.path("root.pem")), "--require", "bar"]);
    assert_eq!((code, state.as_str()), (21, "not-shown"));
    assert!(words.contains("nothing was committed to"), "{words}");
}
