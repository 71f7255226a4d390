//! Files encrypted to a custodian beside the public client `age`.

use std::path::{Path, PathBuf};
use std::process::Command;

use sequester::custody::age;
use sequester::digest::Digest;
use serde_json::Value;

use crate::support::{Ran, Study, files, sequester};

/// Whether the public client is there; says so loudly where it is not.
fn client(test: &str) -> bool {
    let there = Command::new("age").arg("--version").output().is_ok_and(|ran| ran.status.success());
    if !there {
        eprintln!("SKIPPED {test}: the program `age` is not there (Debian: apt-get install age)");
    }
    there
}

fn run(folder: &Path, program: &str, words: &[&str]) -> bool {
    Command::new(program).args(words).current_dir(folder).output().expect("runs").status.success()
}

#[test]
fn the_public_client_reads_what_is_written_here_and_writes_what_is_read_here() {
    if !client("the_public_client_reads_what_is_written_here_and_writes_what_is_read_here") {
        return;
    }
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let mut count = 0_u8;
    let mut random = |buffer: &mut [u8]| {
        count += 1;
        buffer.iter_mut().enumerate().for_each(|(i, byte)| *byte = count.wrapping_mul(31) ^ i as u8);
    };
    let ours = age::Identity::generate(&mut random);
    std::fs::write(at("ours.key"), ours.to_text().as_bytes()).expect("writes");
    assert!(run(folder.path(), "age-keygen", &["-o", "theirs.key"]));
    let theirs = std::fs::read_to_string(at("theirs.key")).expect("reads");
    let theirs = age::identities(&theirs).expect("a key of age-keygen").remove(0);
    let plain: Vec<u8> = (0..200_000_u32).flat_map(u32::to_le_bytes).collect();
    for length in [0, 1, 65_536, plain.len()] {
        let plain = &plain[..length];
        let sealed =
            age::encrypt(plain, &[ours.recipient(), theirs.recipient()], &mut random).expect("encrypts");
        std::fs::write(at("sealed.age"), sealed).expect("writes");
        for key in ["ours.key", "theirs.key"] {
            assert!(run(folder.path(), "age", &["-d", "-i", key, "-o", "back", "sealed.age"]), "{key}");
            // Version 1.1 writes no file of nothing.
            assert_eq!(std::fs::read(at("back")).unwrap_or_default(), plain);
            let _ = std::fs::remove_file(at("back"));
        }
        std::fs::write(at("plain"), plain).expect("writes");
        let to = [ours.recipient().to_string(), theirs.recipient().to_string()];
        assert!(run(folder.path(), "age", &["-r", &to[0], "-r", &to[1], "-o", "back.age", "plain"]));
        let sealed = std::fs::read(at("back.age")).expect("reads");
        for key in [&ours, &theirs] {
            let back = age::decrypt(&sealed, std::slice::from_ref(key)).expect("decrypts");
            assert_eq!(back.as_slice(), plain);
        }
    }
    // What the client refuses is refused here: another key, a changed byte, armour by name.
    let stranger = age::Identity::generate(&mut random);
    let sealed = std::fs::read(at("back.age")).expect("reads");
    assert_eq!(age::decrypt(&sealed, &[stranger]).expect_err("another key").code.as_str(), "age-other-key");
    assert!(run(
        folder.path(),
        "age",
        &["-a", "-r", &ours.recipient().to_string(), "-o", "armoured", "plain"]
    ));
    let armoured = std::fs::read(at("armoured")).expect("reads");
    let refused = age::decrypt(&armoured, &[ours]).expect_err("armoured");
    assert!(refused.message.contains("armoured"), "{refused}");
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// A custodian with keys and a ledger, and the study's key.
pub struct Keys {
    folder: tempfile::TempDir,
    custodian: String,
    study: String,
}

impl Keys {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        assert!(run(
            folder.path(),
            "openssl",
            &["genpkey", "-algorithm", "ed25519", "-out", "custodian.key"]
        ));
        let words = ["pkey", "-in", "custodian.key", "-pubout", "-out", "custodian.pub"];
        assert!(run(folder.path(), "openssl", &words));
        let key = |name: &str| {
            let ran = sequester(&["custodian", "key", text(&folder.path().join(name)), "--json"]);
            assert_eq!(ran.code, 0, "{}", ran.stderr);
            let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
            report["recipient"].as_str().expect("a recipient").to_owned()
        };
        let (custodian, study) = (key("custodian.age"), key("study.age"));
        let trust = "format = \"sequester-trust/1\"\n[[signer]]\nname = \"The Custodian\"\nroles = \
                     [\"custodian\"]\nkey_files = [\"custodian.pub\"]\n";
        std::fs::write(folder.path().join("trust.toml"), trust).expect("writes");
        Self { folder, custodian, study }
    }

    fn at(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Seals the reads of a study, whose plain files go, and hands the folder to the custodian.
    fn seal(&self, study: &Study) -> Ran {
        let grants_by = self.at("custodian.pub");
        let folder = text(study.path());
        let words =
            ["custodian", "seal", folder, "--recipient", &self.custodian, "--grants-by", text(&grants_by)];
        let ran = sequester(&[&words[..], &["--remove"]].concat());
        for (path, bytes) in files(&study.file("custody/sealed")) {
            let to = self.at("sealed").join(path.strip_prefix(study.file("custody/sealed")).expect("below"));
            std::fs::create_dir_all(to.parent().expect("a folder")).expect("makes");
            std::fs::write(to, bytes).expect("writes");
        }
        ran
    }

    fn request(&self, study: &Study, more: &[&str]) -> Ran {
        let words = ["custodian", "request", text(study.path())];
        sequester(&[&words[..], more].concat())
    }

    fn grant(&self, request: &Path, out: &str, more: &[&str]) -> Ran {
        let files =
            ["sealed", "custodian.age", "custodian.key", "grants.jsonl", out].map(|name| self.at(name));
        let [sealed, identity, key, ledger, out] = files.each_ref().map(|path| text(path));
        let words = [
            "custodian",
            "grant",
            text(request),
            "--sealed",
            sealed,
            "--identity",
            identity,
            "--key",
            key,
            "--name",
            "The Custodian",
            "--recipient",
            &self.study,
            "--custodian",
            ledger,
            "--out",
            out,
        ];
        sequester(&[&words[..], more].concat())
    }

    fn open(&self, study: &Study, grant: &str) -> Ran {
        let (grant, identity) = (self.at(grant), self.at("study.age"));
        sequester(&["custodian", "open", text(study.path()), text(&grant), "--identity", text(&identity)])
    }

    /// Every command of an opening, by the name of the schema of what it prints; the study is taken along.
    pub fn words_of_an_opening(&self, study: &Study) -> Vec<(&'static str, Vec<String>)> {
        let kept = self.at("study");
        for (path, bytes) in study.snapshot() {
            let to = kept.join(path.strip_prefix(study.path()).expect("below"));
            std::fs::create_dir_all(to.parent().expect("a folder")).expect("makes");
            std::fs::write(to, bytes).expect("writes");
        }
        let at = |name: &str| text(&self.at(name)).to_owned();
        let words = |line: &str| -> Vec<String> {
            let path = |word: &str| word.strip_prefix('@').map_or(word.to_owned(), at);
            line.split(' ').map(path).collect()
        };
        let to = [&self.custodian, &self.study];
        let seal = format!("custodian seal @study --recipient {} --grants-by @custodian.pub", to[0]);
        let grant = format!(
            "custodian grant @study/request.json --sealed @study/custody/sealed --identity @custodian.age \
             --key @custodian.key --name Custodian --recipient {} --custodian @own.jsonl --out @answer",
            to[1]
        );
        vec![
            ("custodian-key", words("custodian key @another.age")),
            ("custodian-seal", words(&format!("{seal} --dry-run"))),
            ("custodian-seal", words(&seal)),
            ("dataset", words("dataset @study")),
            ("custodian-request", words("custodian request @study")),
            ("commit", words("commit @study")),
            ("custodian-request", words("custodian request @study --reason why")),
            ("custodian-grant", words(&grant)),
            ("custodian-open", words("custodian open @study @answer --identity @study.age")),
            ("validate", words("validate @study")),
            ("verify", words("verify @study --custodian @own.jsonl")),
        ]
    }

    /// The next opening, from the request to the reads in their places.
    fn opened(&self, study: &Study, grant: &str, more: &[&str]) {
        for ran in [
            self.request(study, more),
            self.grant(&study.file("request.json"), grant, &[]),
            self.open(study, grant),
        ] {
            assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
        }
    }

    /// State and codes of a question.
    fn asked(&self, study: &Study, question: &str, with_ledger: bool) -> (String, String) {
        let (trust, ledger) = (self.at("trust.toml"), self.at("grants.jsonl"));
        let mut words = vec!["verify", text(study.path()), "--json", "--trust", text(&trust)];
        if with_ledger {
            words.extend(["--custodian", text(&ledger)]);
        }
        let report: Value = serde_json::from_str(&sequester(&words).stdout).expect("JSON");
        let answers = report["answers"].as_array().expect("answers");
        let answer = answers.iter().find(|answer| answer["question"] == question).expect("asked");
        let problems = answer["discrepancies"].as_array().expect("a list").iter();
        let codes: std::collections::BTreeSet<&str> =
            problems.map(|problem| problem["code"].as_str().expect("a code")).collect();
        let words = if codes.is_empty() {
            answer["looked_at"].as_str().expect("words").to_owned()
        } else {
            codes.into_iter().collect::<Vec<_>>().join(" ")
        };
        (answer["answer"].as_str().expect("a state").to_owned(), words)
    }
}

fn done(ran: &Ran) {
    assert!([0, 10].contains(&ran.code), "{}{}", ran.stdout, ran.stderr);
}

/// A study whose reads are sealed and whose bar is committed to.
fn sealed(keys: &Keys) -> Study {
    let study = Study::small();
    done(&keys.seal(&study));
    done(&study.run("commit", &[]));
    study
}

/// A study with one opening that its custodian granted.
pub fn granted() -> Study {
    let keys = Keys::new();
    let study = sealed(&keys);
    keys.opened(&study, "grant-1", &[]);
    done(&study.run("validate", &[]));
    study
}

/// Bundles, documents and ledger of a study go as if nothing had been.
fn forget(study: &Study, ledger: &str) {
    for folder in ["evidence", "reports"] {
        let _ = std::fs::remove_dir_all(study.file(folder));
    }
    study.write("ledger.jsonl", ledger);
}

#[test]
fn an_opening_goes_through_the_custodian_and_is_counted() {
    let keys = Keys::new();
    let study = Study::small();
    let before = study.snapshot();
    let grants_by = keys.at("custodian.pub");
    let words = ["custodian", "seal", text(study.path()), "--recipient", &keys.custodian, "--grants-by"];
    let dry = sequester(&[&words[..], &[text(&grants_by), "--remove", "--dry-run"]].concat());
    assert_eq!((dry.code, study.snapshot()), (0, before), "{}", dry.stderr);
    let sealing = keys.seal(&study);
    assert!(sealing.stdout.contains("sealed 3 files"), "{}{}", sealing.stdout, sealing.stderr);
    assert!(!study.file("reads/reader-1.csv").exists() && study.file("custody/sealed.json").is_file());
    assert!(age::is_encrypted(
        &std::fs::read(study.file("custody/sealed/reads/reader-1.csv.age")).expect("reads")
    ));
    let again = keys.seal(&study);
    assert!(again.code == 30 && again.stderr.contains("already-sealed"), "{}", again.stderr);
    done(&study.run("commit", &[]));
    // Without the grant the opening cannot run.
    for command in ["validate", "run"] {
        let ran = study.run(command, &[]);
        assert!(ran.code == 30 && ran.stderr.contains("grant-missing"), "{command}: {}", ran.stderr);
    }
    let dry = keys.request(&study, &["--dry-run"]);
    assert!(dry.code == 0 && !study.file("request.json").exists(), "{}", dry.stderr);
    done(&keys.request(&study, &[]));
    let dry = keys.grant(&study.file("request.json"), "grant-1", &["--dry-run"]);
    assert!(
        dry.code == 0 && !keys.at("grants.jsonl").exists() && !keys.at("grant-1").exists(),
        "{}",
        dry.stderr
    );
    let granted = keys.grant(&study.file("request.json"), "grant-1", &[]);
    assert!(granted.stdout.contains("granted opening 1 of small"), "{}{}", granted.stdout, granted.stderr);
    let register = std::fs::read(keys.at("grants.jsonl")).expect("reads");
    let same = keys.grant(&study.file("request.json"), "again", &[]);
    assert!(same.stdout.contains("granted before"), "{}{}", same.stdout, same.stderr);
    assert_eq!(std::fs::read(keys.at("grants.jsonl")).expect("reads"), register, "counted once");
    let grants =
        ["grant-1", "again"].map(|name| std::fs::read(keys.at(name).join("grant.json")).expect("reads"));
    assert_eq!(grants[0], grants[1]);
    done(&keys.open(&study, "grant-1"));
    assert!(study.file("reads/reader-3.csv").is_file());
    // Inputs that were changed since are not those that were granted.
    let scores = study.read("scores.csv");
    study.replace("scores.csv", "C000,0.3", "C000,0.9");
    let ran = study.run("validate", &[]);
    assert!(ran.code == 30 && ran.stderr.contains("grant-differs"), "{}", ran.stderr);
    study.write("scores.csv", &scores);
    done(&study.run("validate", &[]));
    let (state, words) = keys.asked(&study, "custody", true);
    assert_eq!(state, "yes", "{words}");
    assert!(words.contains("1 openings, 1 grants") && words.contains("The Custodian"), "{words}");
    assert!(keys.asked(&study, "custody", false).1.contains("was not given"));
    let (state, words) = keys.asked(&study, "bar", true);
    assert!(state == "yes" && words.contains("the custodian's first grant names"), "{words}");
    // Whose key it is has to be said by whoever asks.
    let ran = study.run("verify", &["--require", "custody"]);
    assert!(ran.code == 21 && ran.stdout.contains("(--trust)"), "{}", ran.stdout);
    // A further opening needs a reason, a request and a grant.
    study.replace("scores.csv", "C000,0.3", "C000,0.4");
    let ran = study.run("validate", &["--reason", "a score was mistyped"]);
    assert!(ran.code == 30 && ran.stderr.contains("grant-missing"), "{}", ran.stderr);
    done(&keys.request(&study, &[]));
    let ran = keys.grant(&study.file("request.json"), "grant-2", &[]);
    assert!(ran.code == 30 && ran.stderr.contains("has no reason"), "{}", ran.stderr);
    keys.opened(&study, "grant-2", &["--reason", "a score was mistyped"]);
    done(&study.run("validate", &["--reason", "a score was mistyped"]));
    let (state, words) = keys.asked(&study, "custody", true);
    assert!(state == "yes" && words.contains("2 openings, 2 grants"), "{words}");
    let python = Command::new("python3").arg("docs/verify.py").arg(study.path()).output().expect("runs");
    assert!(python.status.success(), "{}", String::from_utf8_lossy(&python.stdout));
}

#[test]
fn a_second_folder_and_other_seeds_are_counted_as_further_openings() {
    let keys = Keys::new();
    let study = sealed(&keys);
    // A copy of the folder, and in it another seed.
    let second = Study::small();
    for (path, bytes) in study.snapshot() {
        let name = path.strip_prefix(study.path()).expect("below").to_str().expect("UTF-8").to_owned();
        std::fs::create_dir_all(second.file(&name).parent().expect("a folder")).expect("makes");
        std::fs::write(second.file(&name), bytes).expect("writes");
    }
    std::fs::remove_dir_all(second.file("reads")).expect("removes");
    second.replace("protocol.toml", "seed = 1", "seed = 2");
    let amended = sequester(&["protocol", "amend", text(second.path()), "--reason", "another draw"]);
    assert_eq!(amended.code, 0, "{}", amended.stderr);
    done(&second.run("commit", &[]));
    keys.opened(&study, "grant-1", &[]);
    done(&study.run("validate", &[]));
    done(&keys.request(&second, &[]));
    let ran = keys.grant(&second.file("request.json"), "grant-second", &[]);
    assert!(ran.code == 30 && ran.stderr.contains("opening-number"), "{}", ran.stderr);
    assert!(!keys.at("grant-second").exists());
    // The first folder's grant opens nothing in the second: it is of another ledger.
    let ran = keys.open(&second, "grant-1");
    assert!(ran.code == 30 && ran.stderr.contains("grant-differs"), "{}", ran.stderr);
    // Whoever carries the reads over by hand has no grant either.
    for reader in 1..=3 {
        let name = format!("reads/reader-{reader}.csv");
        second.write(&name, &study.read(&name));
    }
    let ran = second.run("validate", &[]);
    assert!(ran.code == 30 && ran.stderr.contains("grant-missing"), "{}", ran.stderr);
    // A study of its own that forgot its custodian is known by the custodian's ledger.
    let own = Study::small();
    done(&own.run("validate", &[]));
    assert_eq!(keys.asked(&own, "custody", true), ("no".to_owned(), "opening-hidden".to_owned()));
}

#[test]
fn two_grants_at_once_are_one_grant() {
    let keys = Keys::new();
    let study = sealed(&keys);
    let second = Study::small();
    for (path, bytes) in study.snapshot() {
        let name = path.strip_prefix(study.path()).expect("below").to_str().expect("UTF-8").to_owned();
        std::fs::create_dir_all(second.file(&name).parent().expect("a folder")).expect("makes");
        std::fs::write(second.file(&name), bytes).expect("writes");
    }
    std::fs::remove_dir_all(second.file("reads")).expect("removes");
    // Another request: the same one is answered with the same grant.
    second.replace("protocol.toml", "seed = 1", "seed = 2");
    let amended = sequester(&["protocol", "amend", text(second.path()), "--reason", "another draw"]);
    assert_eq!(amended.code, 0, "{}", amended.stderr);
    for own in [&study, &second] {
        done(&own.run("commit", &[]));
        done(&keys.request(own, &[]));
    }
    for _ in 0..6 {
        let codes: Vec<i32> = std::thread::scope(|scope| {
            let each = [(&study, "ga"), (&second, "gb")];
            let running = each.map(|(own, out)| {
                let (keys, request) = (&keys, own.file("request.json"));
                scope.spawn(move || keys.grant(&request, out, &[]).code)
            });
            running.into_iter().map(|one| one.join().expect("ends")).collect()
        });
        let ledger = std::fs::read_to_string(keys.at("grants.jsonl")).expect("a ledger");
        // The other one was refused: as the second opening, or while the first was counted.
        assert!(codes.iter().filter(|code| **code == 0).count() == 1, "{codes:?}");
        assert!(codes.iter().all(|code| [0, 1, 30].contains(code)), "{codes:?}");
        assert_eq!(ledger.lines().count(), 1, "{ledger}");
        assert_eq!(keys.at("ga").exists(), codes[0] == 0);
        assert_eq!(keys.at("gb").exists(), codes[1] == 0);
        std::fs::remove_file(keys.at("grants.jsonl")).expect("removes");
        for out in ["ga", "gb"] {
            let _ = std::fs::remove_dir_all(keys.at(out));
        }
    }
}

#[test]
fn an_erased_opening_and_rewritten_reads_are_found() {
    let keys = Keys::new();
    let study = sealed(&keys);
    let beginning = study.read("ledger.jsonl");
    keys.opened(&study, "grant-1", &[]);
    done(&study.run("validate", &[]));
    // The opening is erased, and everything is done again with another score.
    forget(&study, &beginning);
    study.replace("scores.csv", "C000,0.3", "C000,0.9");
    done(&keys.request(&study, &[]));
    let ran = keys.grant(&study.file("request.json"), "grant-2", &[]);
    assert!(ran.code == 30 && ran.stderr.contains("opening-number"), "{}", ran.stderr);
    // The old grant is of other inputs.
    let ran = keys.open(&study, "grant-1");
    assert!(ran.code == 30 && ran.stderr.contains("grant-differs"), "{}", ran.stderr);
    let ran = study.run("validate", &[]);
    assert!(ran.code == 30 && ran.stderr.contains("grant-missing"), "{}", ran.stderr);

    let keys = Keys::new();
    let study = sealed(&keys);
    keys.opened(&study, "grant-1", &[]);
    done(&study.run("validate", &[]));
    // The second opening is never shown: the custodian's ledger tells it.
    let first = study.snapshot();
    study.replace("scores.csv", "C000,0.3", "C000,0.9");
    keys.opened(&study, "grant-2", &["--reason", "another score"]);
    done(&study.run("validate", &["--reason", "another score"]));
    assert_eq!(keys.asked(&study, "custody", true).0, "yes");
    let second = study.snapshot();
    for path in second.keys().filter(|path| !first.contains_key(*path)) {
        std::fs::remove_file(path).expect("removes");
    }
    let _ = std::fs::remove_dir_all(study.file("evidence/run-2"));
    for (path, bytes) in &first {
        std::fs::write(path, bytes).expect("writes");
    }
    assert_eq!(keys.asked(&study, "custody", false).0, "yes", "nothing here tells it");
    assert_eq!(keys.asked(&study, "custody", true), ("no".to_owned(), "opening-hidden".to_owned()));

    // Reads that were rewritten after the grant, and everything derived from them.
    let ran = study.run("validate", &[]);
    done(&ran);
    study.replace("reads/reader-1.csv", "C002,R1,positive", "C002,R1,negative");
    let ran = study.run("validate", &["--reason", "a better read"]);
    assert!(ran.code == 30 && ran.stderr.contains("grant-missing"), "{}", ran.stderr);
    let ran = keys.request(&study, &["--reason", "a better read"]);
    assert!(ran.code == 30 && ran.stderr.contains("sealed-reads-differ"), "{}", ran.stderr);
}

/// The ledger of a bundle with its events changed, and every manifest repaired.
fn forge(bag: &Path, change: impl FnOnce(&mut Vec<Value>)) {
    let path = bag.join("data/ledger.jsonl");
    let text = std::fs::read_to_string(&path).expect("reads");
    let mut events: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    change(&mut events);
    let (mut previous, mut out) = ("0".repeat(64), String::new());
    for (index, event) in events.iter_mut().enumerate() {
        event["sequence"] = (index + 1).into();
        event["previous"] = previous.into();
        let line = serde_json_canonicalizer::to_string(event).expect("JSON");
        previous = Digest::of(line.as_bytes()).to_string();
        out += &(line + "\n");
    }
    std::fs::write(&path, out).expect("writes");
    crate::audit::seal(bag);
}

#[test]
fn a_forged_bundle_contradicts_its_grant() {
    let keys = Keys::new();
    let study = sealed(&keys);
    keys.opened(&study, "grant-1", &[]);
    done(&study.run("validate", &[]));
    let (trust, bag) = (keys.at("trust.toml"), study.file("evidence/run-1"));
    let folder = tempfile::tempdir().expect("a folder");
    let copied = |name: &str| {
        let to = folder.path().join(name).join("run-1");
        for (path, bytes) in files(&bag) {
            let to = to.join(path.strip_prefix(&bag).expect("below"));
            std::fs::create_dir_all(to.parent().expect("a folder")).expect("makes");
            std::fs::write(to, bytes).expect("writes");
        }
        to
    };
    let asked = |bag: &Path| {
        let ran = sequester(&["verify", text(bag), "--json", "--trust", text(&trust)]);
        let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
        let answers = report["answers"].as_array().expect("answers");
        let answer = answers.iter().find(|answer| answer["question"] == "custody");
        answer.map_or("not asked".to_owned(), |answer| {
            let problems = answer["discrepancies"].as_array().expect("a list").iter();
            let codes: std::collections::BTreeSet<&str> =
                problems.map(|problem| problem["code"].as_str().expect("a code")).collect();
            let state = answer["answer"].as_str().expect("a state");
            format!("{state} {}", codes.into_iter().collect::<Vec<_>>().join(" ")).trim_end().to_owned()
        })
    };
    assert_eq!(asked(&copied("honest")), "yes");
    let position =
        |events: &[Value], name: &str| events.iter().position(|e| e["event"] == name).expect("there");
    type Change<'a> = &'a dyn Fn(&mut Vec<Value>);
    let table: [(&str, Change<'_>, &str); 5] = [
        // The opening was erased and done again: the custodian had counted none before, the ledger another
        // head.
        ("no-grant", &|events| drop(events.remove(position(events, "opening-granted"))), "no grant-missing"),
        (
            "other-inputs",
            &|events| {
                let at = position(events, "test-set-opened");
                events[at]["digests"]["inputs/scores.csv"] = Digest::of(b"better").to_string().into();
            },
            "no grant-differs",
        ),
        (
            "twice",
            &|events| {
                let at = position(events, "test-set-opened");
                let mut again = events[at].clone();
                again["reason"] = "another look".into();
                events.insert(at + 1, again);
            },
            "no grant-missing",
        ),
        ("rewritten-ledger", &|events| events[0]["by"] = "Somebody Else".into(), "no grant-differs"),
        ("sealed-forgotten", &|events| drop(events.remove(position(events, "reads-sealed"))), "not asked"),
    ];
    for (name, change, expected) in table {
        let bag = copied(name);
        forge(&bag, change);
        assert_eq!(asked(&bag), expected, "{name}");
        // Forgotten altogether, it is known by the custodian's ledger.
        let ledger = keys.at("grants.jsonl");
        let ran = sequester(&["verify", text(&bag), "--custodian", text(&ledger)]);
        assert_eq!(ran.code, 20, "{name}");
    }
    // Any flipped bit of grant, request or list of sealed files, where every digest is repaired.
    for file in ["custody/grant-1.json", "custody/request-1.json", "custody/sealed.json"] {
        let bag = copied(&file.replace('/', "-"));
        let path = bag.join("data").join(file);
        let honest = std::fs::read(&path).expect("reads");
        for step in 0..6 {
            let mut changed = honest.clone();
            let at = (step * 7919 + 13) % changed.len();
            changed[at] ^= 1 << (step % 8);
            std::fs::write(&path, &changed).expect("writes");
            forge(&bag, |events| {
                for event in events.iter_mut() {
                    if let Some(digest) = event["digests"].get_mut(file) {
                        *digest = Digest::of(&changed).to_string().into();
                    }
                }
            });
            assert!(asked(&bag).starts_with("no "), "{file}, byte {at}: {}", asked(&bag));
        }
    }
    // A custodian whom nobody trusts, in another role, or with a key that no longer counts.
    for (from, to) in [
        ("The Custodian", "Somebody Else"),
        ("[\"custodian\"]", "[\"reviewer\"]"),
        ("key_files", "valid_until = \"2020-01-01\"\nkey_files"),
    ] {
        let honest = std::fs::read_to_string(&trust).expect("reads");
        std::fs::write(&trust, honest.replace(from, to)).expect("writes");
        assert!(asked(&bag).starts_with("no "), "{to}: {}", asked(&bag));
        std::fs::write(&trust, honest).expect("writes");
    }
    // The custodian's own ledger, cut and of somebody else.
    let ledger = keys.at("grants.jsonl");
    let whole = std::fs::read(&ledger).expect("reads");
    for bytes in [&whole[..whole.len() - 1], b"", b"no ledger\n"] {
        std::fs::write(&ledger, bytes).expect("writes");
        let ran = sequester(&["verify", text(&bag), "--custodian", text(&ledger)]);
        assert_eq!(ran.code, 20, "{}", String::from_utf8_lossy(bytes));
    }
}

#[test]
fn wrong_and_lost_keys_are_told_and_open_nothing() {
    let mut keys = Keys::new();
    let study = sealed(&keys);
    done(&keys.request(&study, &[]));
    let request = study.file("request.json");
    // The study's key where the custodian's belongs; the file is not decrypted, and nothing is counted.
    let kept = std::fs::read(keys.at("custodian.age")).expect("reads");
    std::fs::copy(keys.at("study.age"), keys.at("custodian.age")).expect("copies");
    let ran = keys.grant(&request, "grant-1", &[]);
    assert!(ran.code == 1 && ran.stderr.contains("age-other-key"), "{}", ran.stderr);
    assert!(!keys.at("grants.jsonl").exists() && !keys.at("grant-1").exists());
    std::fs::write(keys.at("custodian.age"), kept).expect("writes");
    // Another signing key than the one that was named when the reads were sealed.
    let kept = std::fs::read(keys.at("custodian.key")).expect("reads");
    assert!(run(
        keys.folder.path(),
        "openssl",
        &["genpkey", "-algorithm", "ed25519", "-out", "custodian.key"]
    ));
    let ran = keys.grant(&request, "grant-1", &[]);
    assert!(ran.code == 1 && ran.stderr.contains("grant-differs"), "{}", ran.stderr);
    assert!(!keys.at("grants.jsonl").exists());
    std::fs::write(keys.at("custodian.key"), kept).expect("writes");
    // The study lost its key: the same request is granted to another one as well, and counted once.
    done(&keys.grant(&request, "grant-1", &[]));
    std::fs::remove_file(keys.at("study.age")).expect("removes");
    let ran = sequester(&["custodian", "key", text(&keys.at("study.age")), "--json"]);
    let report: Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let ran = keys.open(&study, "grant-1");
    assert!(ran.code == 1 && ran.stderr.contains("age-other-key"), "{}", ran.stderr);
    assert!(!study.read("ledger.jsonl").contains("opening-granted"));
    keys.study = report["recipient"].as_str().expect("a recipient").to_owned();
    done(&keys.grant(&request, "grant-1", &[]));
    let counted = std::fs::read_to_string(keys.at("grants.jsonl")).expect("reads");
    assert_eq!(counted.lines().count(), 1);
    // An encrypted file that was damaged on its way.
    let file = keys.at("grant-1").join("files/reads/reader-2.csv.age");
    let mut bytes = std::fs::read(&file).expect("reads");
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    std::fs::write(&file, &bytes).expect("writes");
    let ran = keys.open(&study, "grant-1");
    assert!(ran.code == 1 && ran.stderr.contains("age-damaged"), "{}", ran.stderr);
    assert!(!study.file("reads/reader-1.csv").exists());
    // A key file is never replaced, and only its owner reads it.
    let ran = sequester(&["custodian", "key", text(&keys.at("study.age"))]);
    assert_eq!(ran.code, 1, "{}", ran.stdout);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(keys.at("study.age")).expect("there").permissions().mode();
        assert_eq!(mode & 0o077, 0);
    }
}
