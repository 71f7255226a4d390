//! A new version under a predetermined change control plan, through the program: allowed, refused, accepted
//! and not, and a chain of three versions whose every broken link is found. Nothing is trained: locks and
//! scores are made up.

use std::path::{Path, PathBuf};

use sequester::digest::Digest;
use serde_json::{Value, json};

use crate::support::{Ran, Study, sequester};

const LOCK: &str = include_str!("../../fixtures/report/lock.json");

/// A locked model in a folder: the fixture's lock with weights of its own, and what `change` does to it.
pub fn model(folder: &Path, weights: &str, change: impl FnOnce(&mut Value)) {
    let mut lock: Value = serde_json::from_str(LOCK).expect("a lock");
    let digest = Digest::of(weights.as_bytes());
    lock["weights"] = json!({"path": "weights.safetensors", "sha256": digest, "bytes": weights.len()});
    lock["operating_point"]["threshold"] = json!(0.5);
    change(&mut lock);
    std::fs::create_dir_all(folder).expect("creates");
    std::fs::write(folder.join("weights.safetensors"), weights).expect("writes");
    std::fs::write(folder.join("lock.json"), lock.to_string()).expect("writes");
}

/// The first version: the small study, with a lock from which the threshold comes.
pub fn first() -> Study {
    let study = Study::small();
    study.replace("protocol.toml", "[scores]\nfile = \"scores.csv\"\n\n", "");
    study.replace(
        "protocol.toml",
        "source = \"declared\"\nthreshold = 0.5\nrationale = \"declared before the study\"",
        "source = \"lock\"",
    );
    model(&study.file("model"), "first weights", |_| {});
    let ran = study.run("validate", &[]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    study
}

/// Scores of the small study, each moved towards its label by so much; `of` says which cases.
pub fn scores(study: &Study, by: f64, of: impl Fn(usize) -> bool) -> String {
    let mut text = "case_id,score\n".to_owned();
    for (i, line) in study.read("scores.csv").lines().skip(1).enumerate() {
        let (case, score) = line.split_once(',').expect("two cells");
        let score: f64 = score.parse().expect("a number");
        let moved = if !of(i) {
            0.0
        } else if i % 2 == 0 {
            by
        } else {
            -by
        };
        text += &format!("{case},{:.4}\n", (score + moved).clamp(0.0, 1.0));
    }
    text
}

/// A better model and one that takes other images, each with scores, as `second` and `third`.
pub fn candidates(study: &Study, folder: &Path) {
    model(&folder.join("second"), "second weights", |_| {});
    model(&folder.join("third"), "third weights", |lock| lock["gate"]["view"] = json!(["PA"]));
    for name in ["second", "third"] {
        std::fs::write(folder.join(name).join("scores.csv"), scores(study, 0.05, all)).expect("writes");
    }
}

/// A study of the next version in a folder of its own.
pub struct Next {
    folder: tempfile::TempDir,
}

impl Next {
    /// Made from a predecessor; `edit` changes the plan before it is locked.
    pub fn of(predecessor: &Path, edit: impl Fn(String) -> String) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let next = Self { folder };
        let ran = sequester(&["change", "init", text(&next.study()), "--predecessor", text(predecessor)]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let plan = std::fs::read_to_string(next.plan()).expect("reads");
        std::fs::write(next.plan(), edit(plan)).expect("writes");
        next
    }

    pub fn study(&self) -> PathBuf {
        self.folder.path().join("study")
    }

    pub fn plan(&self) -> PathBuf {
        self.study().join("change/plan.toml")
    }

    pub fn bundle(&self, number: u32) -> PathBuf {
        self.study().join(format!("evidence/run-{number}"))
    }

    pub fn run(&self, command: &str) -> Ran {
        sequester(&["change", command, text(&self.plan())])
    }

    fn locked(self) -> Self {
        let ran = self.run("lock");
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        self
    }

    /// Holds a version against the plan.
    pub fn assess(&self, scores: &str, weights: &str, change: impl FnOnce(&mut Value)) -> Ran {
        let candidate =
            self.folder.path().join(format!("candidate-{}", Digest::of(weights.as_bytes()).short()));
        model(&candidate, weights, change);
        std::fs::write(candidate.join("scores.csv"), scores).expect("writes");
        let (lock, scores) = (candidate.join("lock.json"), candidate.join("scores.csv"));
        sequester(&["change", "assess", text(&self.plan()), "--lock", text(&lock), "--scores", text(&scores)])
    }
}

pub fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Overall alone, and with a margin that the small study can show.
fn overall(plan: String) -> String {
    plan.replace("by = [\"sex\", \"age\"]", "by = []").replace("margin = 0.05", "margin = 0.1")
}

fn all(_: usize) -> bool {
    true
}

fn copy(from: &Path, to: &Path) {
    for (path, bytes) in crate::support::files(from) {
        let to = to.join(path.strip_prefix(from).expect("below"));
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("makes");
        std::fs::write(to, bytes).expect("writes");
    }
}

/// Three versions, each accepted by the plan that names the one before; of the third one was refused first.
pub fn chain() -> (Study, Next, Next) {
    let v1 = first();
    let v2 = Next::of(v1.path(), overall).locked();
    let ran = v2.assess(&scores(&v1, 0.05, all), "second weights", |_| {});
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("change of weights: allowed"), "{}", ran.stdout);
    assert!(ran.stdout.contains("the new version is accepted by its plan"), "{}", ran.stdout);
    let v3 = Next::of(&v2.study(), overall).locked();
    let better = scores(&v1, 0.08, all);
    let refused = v3.assess(&better, "third weights", |lock| lock["gate"]["view"] = json!(["PA"]));
    assert_eq!(refused.code, 30, "{}{}", refused.stdout, refused.stderr);
    let ran = v3.assess(&better, "third weights", |lock| {
        lock["operating_point"]["threshold"] = json!(0.49);
    });
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("change of threshold: allowed"), "{}", ran.stdout);
    (v1, v2, v3)
}

#[test]
fn a_chain_of_three_versions_verifies_and_every_broken_link_is_found() {
    let (v1, v2, v3) = chain();
    let first_bundle = v1.file("evidence/run-1");
    let (a, b, c) = (text(&first_bundle).to_owned(), v2.bundle(1), v3.bundle(1));
    let (b, c) = (text(&b).to_owned(), text(&c).to_owned());

    let chain = sequester(&["verify", &c, "--predecessor", &b, &a]);
    assert_eq!(chain.code, 0, "{}{}", chain.stdout, chain.stderr);
    assert_eq!(chain.stdout.matches("the bundle follows its predecessor").count(), 2, "{}", chain.stdout);
    // Their order says nothing, and each holds by itself.
    assert_eq!(sequester(&["verify", &a, &c, &b]).code, 0);
    let alone = sequester(&["verify", &c]);
    assert_eq!(alone.code, 0, "{}{}", alone.stdout, alone.stderr);

    // A link that is not there.
    let open = sequester(&["verify", &c, &a]);
    assert_eq!(open.code, 21, "{}{}", open.stdout, open.stderr);
    assert!(open.stdout.contains("its predecessor, root "), "{}", open.stdout);
    assert_eq!(sequester(&["verify", &c, "--predecessor", &a]).code, 21);

    // A link that somebody made anew: another version of the same lock, whole in itself.
    let again = v2.study();
    std::fs::write(again.join("device.toml"), "[device]\nname = \"Another name\"\n").expect("writes");
    assert_eq!(sequester(&["validate", text(&again)]).code, 0);
    let other = v2.bundle(2);
    let broken = sequester(&["verify", &c, text(&other), &a]);
    assert_eq!(broken.code, 20, "{}{}", broken.stdout, broken.stderr);
    assert!(broken.stderr.contains("change-chain"), "{}", broken.stderr);
    // Beside it the one that is named decides.
    assert_eq!(sequester(&["verify", &c, text(&other), &b, &a]).code, 0);

    // A link that was tampered with.
    let folder = tempfile::tempdir().expect("a folder");
    let forged = folder.path().join("run-1");
    copy(&v2.bundle(1), &forged);
    let scores_there = forged.join("data/scores.csv");
    let tampered = std::fs::read_to_string(&scores_there).expect("reads").replacen("0.9", "0.8", 1);
    std::fs::write(&scores_there, tampered).expect("writes");
    assert_eq!(sequester(&["verify", &c, text(&forged), &a]).code, 20);
}

#[test]
fn the_documents_carry_the_plan_and_the_version_history() {
    let v1 = first();
    let v2 = Next::of(v1.path(), overall).locked();
    assert_eq!(v2.assess(&scores(&v1, 0.05, all), "second weights", |_| {}).code, 0);
    let study = v2.study();
    let ran = sequester(&["report", text(&study), "--documents", "all"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let page = |name: &str| {
        std::fs::read_to_string(study.join("reports/run-1").join(name))
            .unwrap_or_else(|e| panic!("{name}: {e}"))
    };
    let results: Value = serde_json::from_str(
        &std::fs::read_to_string(v2.bundle(1).join("data/results.json")).expect("reads"),
    )
    .expect("JSON");
    let version = &results["change"]["history"][0];
    let document = page("change.html");
    for part in [
        "Description of modifications",
        "Modification protocol",
        "Impact assessment",
        "Version history",
        "FDA guidance on predetermined change control plans, December 2024",
    ] {
        assert!(document.contains(part), "{part}");
    }
    for digest in [&version["root"], &version["lock_sha256"], &results["change"]["lock_sha256"]] {
        assert!(document.contains(digest.as_str().expect("a digest")), "{digest}");
    }
    let summary = page("summary.html");
    assert!(summary.contains("Outline of the predetermined change control plan"));
    // The summary is public.
    assert!(!summary.contains(version["root"].as_str().expect("a digest")));
    assert_eq!(sequester(&["verify", text(&study)]).code, 0);
    // What the guidance asks for is answered by the document, and not by what somebody typed.
    let coverage = page("coverage.csv");
    for number in 1..=6 {
        let row = coverage.lines().find(|line| line.starts_with(&format!("PCCP-{number},"))).expect("a row");
        assert!(row.contains(",printed,"), "{row}");
    }
    // Every number of the document has its source.
    let traced = sequester(&["report", text(&study), "--trace", "--json"]);
    let traced: Value = serde_json::from_str(&traced.stdout).expect("JSON");
    let strays: Vec<String> = untraced(&traced);
    assert_eq!(strays, [] as [&str; 0]);
    // A study without a plan has no such document.
    assert_eq!(v1.run("report", &["--documents", "all"]).code, 0);
    assert!(!v1.file("reports/run-1/change.html").exists());
    assert!(!v1.file("evidence/run-1/data/templates/change.md").exists());
    let verify = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/verify.py");
    if let Ok(second) = std::process::Command::new("python3").args([verify, text(&study)]).output() {
        let said = String::from_utf8_lossy(&second.stdout).into_owned();
        assert!(second.status.success(), "{said}");
    }
}

/// What of the plan's document a trace could not follow.
fn untraced(value: &Value) -> Vec<String> {
    match value {
        Value::Array(all) => all.iter().flat_map(untraced).collect(),
        Value::Object(fields) => {
            let of_plan = fields.get("document").is_some_and(|name| name == "change");
            if of_plan && fields.get("kind").is_some_and(|kind| kind == "untraced") {
                return vec![value.to_string()];
            }
            fields.values().flat_map(untraced).collect()
        }
        _ => Vec::new(),
    }
}

#[test]
fn what_the_plan_does_not_allow_is_refused_and_recorded() {
    let v1 = first();
    let v2 = Next::of(v1.path(), overall);
    let better = scores(&v1, 0.05, all);
    // Before the plan is locked.
    let early = v2.assess(&better, "second weights", |_| {});
    assert_eq!(early.code, 30, "{}", early.stderr);
    assert!(early.stderr.contains("change-plan-unlocked"), "{}", early.stderr);
    let v2 = v2.locked();
    type Change = fn(&mut Value);
    let forbidden: [(&str, Change); 3] = [
        ("gate", |lock| lock["gate"]["view"] = json!(["PA"])),
        ("preprocessing", |lock| lock["preprocessing"]["resolution"] = json!(512)),
        ("architecture", |lock| lock["base_layers"] = json!(7)),
    ];
    for (kind, change) in forbidden {
        let ran = v2.assess(&better, "second weights", change);
        assert_eq!(ran.code, 30, "{kind}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("change-forbidden") && ran.stderr.contains(kind), "{}", ran.stderr);
    }
    // Nothing was opened and nothing was put in the study's place of its model; the ledger says that it was
    // tried.
    assert!(!v2.bundle(1).exists() && !v2.study().join("model").exists());
    let ledger = std::fs::read_to_string(v2.study().join("ledger.jsonl")).expect("reads");
    assert_eq!(ledger.matches("\"event\":\"change-assessed\"").count(), 3, "{ledger}");
    assert_eq!(ledger.matches("test-set-opened").count(), 0);
    // Not by the way around the command either.
    let study = v2.study();
    model(&study.join("model"), "second weights", |lock| lock["gate"]["view"] = json!(["PA"]));
    std::fs::write(study.join("scores.csv"), &better).expect("writes");
    let around = sequester(&["validate", text(&study)]);
    assert_eq!(around.code, 30, "{}{}", around.stdout, around.stderr);
    assert!(around.stderr.contains("change-forbidden"), "{}", around.stderr);
    // The same lock is no change, and weights that are not the locked ones are none.
    let same = v2.assess(&better, "first weights", |_| {});
    assert_eq!(same.code, 1, "{}", same.stderr);
    assert!(same.stderr.contains("change-none"), "{}", same.stderr);
    let wrong = v2.assess(&better, "other weights", |lock| lock["weights"]["bytes"] = json!(1));
    assert_eq!(wrong.code, 0, "the digest decides: {}", wrong.stderr);
}

#[test]
fn a_plan_that_is_changed_after_it_was_locked_is_refused() {
    let v1 = first();
    let v2 = Next::of(v1.path(), overall).locked();
    assert!(v2.run("lock").stdout.contains("is as it was locked"));
    let plan = std::fs::read_to_string(v2.plan()).expect("reads");
    std::fs::write(v2.plan(), plan.replace("openings = 3", "openings = 4")).expect("writes");
    for ran in [v2.run("lock"), v2.assess(&scores(&v1, 0.05, all), "second weights", |_| {})] {
        assert_eq!(ran.code, 30, "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("change-plan-changed"), "{}", ran.stderr);
    }
    // Nor does it help to take it away.
    let study = v2.study();
    model(&study.join("model"), "second weights", |_| {});
    std::fs::write(study.join("scores.csv"), scores(&v1, 0.05, all)).expect("writes");
    std::fs::remove_file(v2.plan()).expect("removes");
    let without = sequester(&["validate", text(&study)]);
    assert_eq!(without.code, 30, "{}{}", without.stdout, without.stderr);
    assert!(without.stderr.contains("change-plan-changed"), "{}", without.stderr);
}

#[test]
fn openings_are_counted_and_end() {
    let v1 = first();
    let v2 = Next::of(v1.path(), |plan| overall(plan).replace("openings = 3", "openings = 2")).locked();
    let worse = scores(&v1, -0.3, all);
    for weights in ["second weights", "third weights"] {
        let ran = v2.assess(&worse, weights, |_| {});
        assert_eq!(ran.code, 10, "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stdout.contains("NOT accepted"), "{}", ran.stdout);
        // The same version again is not another opening.
        assert_eq!(v2.assess(&worse, weights, |_| {}).code, 10);
    }
    let good = v2.assess(&scores(&v1, 0.05, all), "fourth weights", |_| {});
    assert_eq!(good.code, 30, "{}{}", good.stdout, good.stderr);
    assert!(good.stderr.contains("change-openings") && good.stderr.contains("2 times"), "{}", good.stderr);
    let ledger = std::fs::read_to_string(v2.study().join("ledger.jsonl")).expect("reads");
    assert_eq!(ledger.matches("\"event\":\"test-set-opened\"").count(), 2);
    // What was not accepted has no successor.
    let folder = tempfile::tempdir().expect("a folder");
    let next = folder.path().join("study");
    let plan = next.join("change/plan.toml");
    sequester(&["change", "init", text(&next), "--predecessor", text(&v2.bundle(2))]);
    let refused = sequester(&["change", "lock", text(&plan)]);
    assert_eq!(refused.code, 20, "{}{}", refused.stdout, refused.stderr);
    assert!(refused.stderr.contains("not accepted"), "{}", refused.stderr);
    assert_eq!(sequester(&["verify", text(&v2.study())]).code, 0);
}

#[test]
fn a_subgroup_that_is_worse_is_not_outweighed_by_the_others() {
    let v1 = first();
    // Women (every third case) get worse, the others much better.
    let text = {
        let better = scores(&v1, 0.25, |i| i % 3 != 0);
        let worse = scores(&v1, -0.12, |i| i % 3 == 0);
        let pairs = better.lines().zip(worse.lines()).enumerate();
        pairs.map(|(n, (b, w))| if n > 0 && (n - 1) % 3 == 0 { w } else { b }).collect::<Vec<_>>().join("\n")
            + "\n"
    };
    let without = Next::of(v1.path(), overall).locked();
    let ran = without.assess(&text, "second weights", |_| {});
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let by_sex = |judged: &'static str| {
        move |plan: String| {
            plan.replace("by = [\"sex\", \"age\"]", "by = [\"sex\"]")
                .replace("margin = 0.05", "margin = 0.1")
                .replace("judged_by = \"interval\"", judged)
        }
    };
    for judged in ["judged_by = \"interval\"", "judged_by = \"estimate\""] {
        let with = Next::of(v1.path(), by_sex(judged)).locked();
        let ran = with.assess(&text, "second weights", |_| {});
        assert_eq!(ran.code, 10, "{judged}: {}{}", ran.stdout, ran.stderr);
        let line =
            |what: &str| ran.stdout.lines().find(|line| line.contains(what)).expect("a line").to_owned();
        assert!(line("auc (overall").ends_with(": met"), "{}", ran.stdout);
        assert!(line("sex=F").ends_with("NOT MET") || line("F").ends_with("NOT MET"), "{}", ran.stdout);
    }
    // Levels below the declared minimum are told and do not decide.
    let few = Next::of(v1.path(), |plan| {
        by_sex("judged_by = \"interval\"")(plan).replace("minimum = 0", "minimum = 1000")
    })
    .locked();
    let ran = few.assess(&text, "second weights", |_| {});
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stdout.contains("too few cases to be judged"), "{}", ran.stdout);
}

#[test]
fn a_predecessor_that_does_not_verify_is_refused() {
    let v1 = first();
    let v2 = Next::of(v1.path(), overall).locked();
    let tampered = v1.file("evidence/run-1/data/scores.csv");
    let honest = std::fs::read(&tampered).expect("reads");
    let changed = String::from_utf8_lossy(&honest).replacen("0.5", "0.6", 1);
    std::fs::write(&tampered, changed).expect("writes");
    let folder = tempfile::tempdir().expect("a folder");
    let next = folder.path().join("study");
    let bundle = v1.file("evidence/run-1");
    for ran in [
        v2.assess(&scores(&v1, 0.05, all), "second weights", |_| {}),
        sequester(&["change", "check", text(&v2.plan())]),
        sequester(&["change", "init", text(&next), "--predecessor", text(&bundle)]),
    ] {
        assert_eq!(ran.code, 20, "{}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("change-predecessor"), "{}", ran.stderr);
    }
    std::fs::write(&tampered, &honest).expect("writes");
    // What the study took from it is looked at as well.
    for name in
        ["change/scores.csv", "change/results.json", "change/ledger.jsonl", "change/lock.json", "cases.csv"]
    {
        let path = v2.study().join(name);
        let there = std::fs::read(&path).expect("reads");
        std::fs::write(&path, [&there[..], b"\n"].concat()).expect("writes");
        let ran = v2.assess(&scores(&v1, 0.05, all), "second weights", |_| {});
        assert_eq!(ran.code, 20, "{name}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains("change-chain"), "{name}: {}", ran.stderr);
        std::fs::write(&path, there).expect("writes");
    }
    // Elsewhere than the plan says.
    let moved = folder.path().join("moved");
    copy(&bundle, &moved);
    std::fs::remove_dir_all(&bundle).expect("removes");
    assert_eq!(sequester(&["change", "check", text(&v2.plan())]).code, 1);
    let there = sequester(&["change", "check", text(&v2.plan()), "--predecessor", text(&moved)]);
    assert_eq!(there.code, 0, "{}", there.stderr);
}

#[test]
fn a_study_without_a_lock_or_a_plan_is_told_so() {
    let without = Study::small();
    assert_eq!(without.run("validate", &[]).code, 0);
    let folder = tempfile::tempdir().expect("a folder");
    let next = folder.path().join("study");
    let ran = sequester(&["change", "init", text(&next), "--predecessor", text(without.path())]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("change-without-lock"), "{}", ran.stderr);
    let ran = sequester(&["change", "check", text(without.path())]);
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("change-plan-missing"), "{}", ran.stderr);
    let v1 = first();
    let v2 = Next::of(v1.path(), |plan| plan.replace("by = [\"sex\", \"age\"]", "by = [\"height\"]"));
    let ran = v2.run("check");
    assert_eq!(ran.code, 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("change-subgroup") && ran.stderr.contains("sex, age"), "{}", ran.stderr);
    // The plan as it is written works, and says what is to be written.
    let v2 = Next::of(v1.path(), |plan| plan);
    let ran = v2.run("check");
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(ran.stderr.contains("change-unwritten"), "{}", ran.stderr);
    let wide = Next::of(v1.path(), |plan| plan.replace("margin = 0.05", "margin = 0.9"));
    let ran = wide.run("check");
    assert!(ran.code == 0 && ran.stderr.contains("margin-wide"), "{}", ran.stderr);
    let again = sequester(&["change", "init", text(&v2.study()), "--predecessor", text(v1.path())]);
    assert!(again.code == 1 && again.stderr.contains("folder-exists"), "{}", again.stderr);
}

#[cfg(unix)]
#[test]
fn the_demonstration_accepts_the_second_version_and_refuses_the_third() {
    let (folder, v1) = (tempfile::tempdir().expect("a folder"), first());
    copy(v1.path(), &folder.path().join("v1"));
    candidates(&v1, folder.path());
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/scripts/demo-change.sh");
    let ran = std::process::Command::new("sh")
        .args([script, env!("CARGO_BIN_EXE_sequester"), text(folder.path())])
        .output()
        .expect("a shell");
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    assert!(ran.status.success(), "{said}{}", String::from_utf8_lossy(&ran.stderr));
    assert!(said.contains("the new version is accepted by its plan"), "{said}");
    assert!(said.contains("refused: the plan does not allow a change of gate"), "{said}");
}

#[test]
fn the_schema_of_a_plan_takes_what_the_program_takes() {
    let schema = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/schemas/change-plan.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(schema).expect("reads")).expect("JSON");
    let schema = jsonschema::validator_for(&schema).expect("a schema");
    let claim = sequester::protocol::change::Predecessor {
        bundle: "../v1".to_owned(),
        root: Digest::of(b"root"),
        lock: Digest::of(b"lock"),
    };
    let plan = sequester::protocol::change::template("x", &claim, &["sex".to_owned()]);
    let both = |text: &str| -> (bool, bool) {
        let value: Value = toml::from_str(text).expect("TOML");
        (schema.is_valid(&value), sequester::protocol::change::parse(Path::new("p"), text).is_ok())
    };
    assert_eq!(both(&plan), (true, true));
    for (from, to) in [
        ("openings = 3", "openings = 0"),
        ("openings = 3", "opening = 3"),
        ("kind = \"threshold\"", "kind = \"colour\""),
        ("metric = \"auc\"", "metric = \"luck\""),
        ("aim = \"non-inferiority\"", "aim = \"luck\""),
        ("judged_by = \"interval\"", "judged_by = \"eye\""),
        ("minimum = 0", "minimum = -1"),
        ("[impact]\n", "[impact]\nmore = 1\n"),
        ("[protocol]\ndata", "[protocol]\ndate"),
        ("sequester-change/1", "sequester-change/2"),
        ("id = \"x-changes\"", "id = \"X changes\""),
    ] {
        assert!(plan.contains(from), "{from}");
        assert_eq!(both(&plan.replacen(from, to, 1)), (false, false), "{to}");
    }
    for (from, to) in [
        ("margin = 0.05", "margin = 0.05\ninterval = \"delong\"\nfallback = \"none\""),
        ("minimum = 0", "minimum = 20\nmargin = 0.1"),
        ("by = [\"sex\"]\n", ""),
    ] {
        assert!(plan.contains(from), "{from}");
        assert_eq!(both(&plan.replacen(from, to, 1)), (true, true), "{to}");
    }
}
