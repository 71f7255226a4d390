//! Reading rounds: what is handed out, what comes back, and how far the reading is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use sequester::digest::Digest;
use sequester::imaging::viewed::Viewed;
use serde_json::{Value, json};

use crate::support::{Ran, Study, sequester};

/// Cases of the study below.
pub const CASES: usize = 12;

/// Readers R1 and R2, a comparison reader C and an adjudicator A; ids and names that spell the label.
pub fn study() -> Study {
    let study = Study::small();
    for reader in 1..=3 {
        std::fs::remove_file(study.file(&format!("reads/reader-{reader}.csv"))).expect("removes");
    }
    study.replace("protocol.toml", "cases = \"cases.csv\"", "cases = \"cases.csv\"\nimages = \"images\"");
    study.replace("protocol.toml", "cases = 80\npositives = 40\n", "");
    let role = |id: &str, role: &str| format!("\n[[reader]]\nid = \"{id}\"\nrole = \"{role}\"\n");
    let readers = role("R1", "reference")
        + &role("R2", "reference")
        + &role("C", "comparison")
        + &role("A", "adjudicator");
    study.replace("protocol.toml", "readers = 3\n", "");
    study.replace(
        "protocol.toml",
        "rule = \"majority\"\n",
        &format!("rule = \"adjudicated\"\nadjudicate = \"disagreement\"\n{readers}"),
    );
    let mut cases = String::from("case_id,patient_id,sex,age_years,view,label,findings,image\n");
    let mut scores = String::from("case_id,score\n");
    for i in 0..CASES {
        let positive = i % 2 == 0;
        let germ = if positive { "bacteria" } else { "virus" };
        let (label, finding) = (u8::from(positive), if positive { "Lobar_consolidation" } else { "" });
        let image = format!("IM-{i:04}-{germ}.png");
        cases += &format!("person{i}_{germ},patient-{i}-NAME,F,{},PA,{label},{finding},{image}\n", 30 + i);
        scores += &format!("person{i}_{germ},0.{}\n", 123_457 + i * 70_001);
        let picture =
            ::image::GrayImage::from_fn(40, 30, |x, y| ::image::Luma([(x * 5 + y + i as u32) as u8]));
        let path = study.file(&format!("images/{image}"));
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("creates");
        picture.save(path).expect("saves");
    }
    study.write("cases.csv", &cases);
    study.write("scores.csv", &scores);
    study
}

pub fn reads(study: &Study, command: &str, more: &[&str]) -> Ran {
    let folder = study.path().to_str().expect("UTF-8").to_owned();
    sequester(&[&["reads", command, &folder][..], more].concat())
}

fn done(ran: &Ran) {
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
}

fn refused(ran: &Ran, exit: i32, code: &str) {
    assert_eq!(ran.code, exit, "{}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains(&format!("error[{code}]")), "{code}: {}", ran.stderr);
    assert!(ran.stderr.contains("hint: "), "{}", ran.stderr);
}

pub fn map_of(study: &Study, round: &str) -> Value {
    serde_json::from_str(&study.read(&format!("reads/rounds/{round}.json"))).expect("JSON")
}

/// The case behind each code.
pub fn cases_by_code(map: &Value) -> BTreeMap<String, String> {
    let text = |value: &Value| value.as_str().expect("text").to_owned();
    let shown = map["shown"].as_array().expect("a list");
    shown.iter().map(|one| (text(&one["code"]), text(&one["case_id"]))).collect()
}

fn form_of(study: &Study, round: &str, reader: &str) -> String {
    study.read(&format!("rounds/{round}/{round}-{reader}.csv"))
}

/// A form filled by what `answer` says of each case.
fn filled(study: &Study, round: &str, reader: &str, answer: impl Fn(&str) -> &'static str) -> String {
    let cases = cases_by_code(&map_of(study, round));
    let form = form_of(study, round, reader);
    let mut lines = form.lines();
    let head = lines.next().expect("a header");
    let row = |line: &str| {
        let code = line.split(',').nth(1).expect("a code");
        let answer = answer(&cases[code]);
        let done = if answer.is_empty() { "" } else { "yes" };
        line.replacen(&format!("{code},,,,,"), &format!("{code},{answer},,,{done},"), 1)
    };
    std::iter::once(head.to_owned()).chain(lines.map(row)).map(|line| line + "\n").collect()
}

fn give_back(study: &Study, name: &str, text: &str, more: &[&str]) -> Ran {
    let path = study.file("outbox").join(name);
    std::fs::create_dir_all(path.parent().expect("a parent")).expect("creates");
    std::fs::write(&path, text).expect("writes");
    reads(study, "import", &[&[path.to_str().expect("UTF-8")], more].concat())
}

/// Forms of the readers, filled, outside of the study's own folders.
pub fn filled_by_all(study: &Study, round: &str) -> Vec<PathBuf> {
    let write = |reader: &str| {
        let differs = |case: &str| if case == "person3_virus" { "positive" } else { truth(case) };
        let text = if reader == "R2" {
            filled(study, round, reader, differs)
        } else {
            filled(study, round, reader, truth)
        };
        study.write(&format!("outbox/{reader}.csv"), &text);
        study.file(&format!("outbox/{reader}.csv"))
    };
    ["R1", "R2", "C"].map(write).into()
}

/// Makes R3 of the small study a copy of R1, and gives the reads times.
pub fn copied_and_timed(study: &Study) {
    study.replace("protocol.toml", "[scores]", "[reads]\ntime_column = \"time\"\n\n[scores]");
    let own = study.read("reads/reader-1.csv");
    for (reader, text) in
        [(1, own.clone()), (2, study.read("reads/reader-2.csv")), (3, own.replace(",R1,", ",R3,"))]
    {
        let timed = text.lines().enumerate().map(|(nth, line)| match nth {
            0 => format!("{line},time\n"),
            nth => format!("{line},2025-12-{:02} 10:{:02}\n", 1 + nth / 60, nth % 60),
        });
        study.write(&format!("reads/reader-{reader}.csv"), &timed.collect::<String>());
    }
}

fn truth(case: &str) -> &'static str {
    if case.ends_with("bacteria") { "positive" } else { "negative" }
}

/// A file as the page saves it.
fn page_file(study: &Study, round: &str, reader: &str, session: &str) -> String {
    let map = map_of(study, round);
    let cases = cases_by_code(&map);
    let page = study.read(&format!("rounds/{round}/{round}-{reader}.html"));
    let begin = page.find("id=\"round\">").expect("data") + "id=\"round\">".len();
    let data = page[begin..].split("</script>").next().expect("its end");
    let data: Value = serde_json::from_str(data).expect("JSON");
    let reads: Vec<Value> = data["cases"]
        .as_array()
        .expect("cases")
        .iter()
        .map(|case| {
            let code = case["code"].as_str().expect("a code");
            json!({
                "code": code, "answer": truth(&cases[code]), "confidence": null, "comment": "",
                "shown_at": "2026-01-01T10:00:00.000Z", "answered_at": "2026-01-01T10:00:03.000Z",
                "seconds": 3, "changes": 0,
            })
        })
        .collect();
    let mut file = json!({
        "format": data["format"], "study": data["study"], "round": round, "reader": reader,
        "worklist": data["worklist"], "session": session, "opened": "2026-01-01T09:00:00.000Z",
        "exported": "2026-01-01T11:00:00.000Z", "reads": reads,
    });
    let values =
        |object: &Value| object.as_object().expect("an object").values().cloned().collect::<Vec<_>>();
    let mut all = values(&file);
    all[8] = all[8].as_array().expect("reads").iter().map(|read| Value::Array(values(read))).collect();
    file["checksum"] = json!(Digest::of(Value::Array(all).to_string().as_bytes()).to_string());
    serde_json::to_string_pretty(&file).expect("writes")
}

#[test]
fn nothing_that_is_handed_out_says_more_than_codes() {
    let study = study();
    done(&reads(&study, "worklist", &["--round", "first"]));
    done(&reads(&study, "page", &["--round", "first", "--reader", "R1"]));
    done(&reads(&study, "page", &["--round", "first", "--reader", "R2", "--folder"]));
    let mut never: BTreeSet<String> = BTreeSet::new();
    let tables = study.read("cases.csv") + &study.read("scores.csv");
    for line in tables.lines().filter(|line| line.starts_with("person")) {
        let cells: Vec<&str> = line.split(',').collect();
        never.extend(cells.into_iter().filter(|cell| cell.len() > 3).map(str::to_owned));
    }
    assert!(never.len() > 4 * CASES, "{never:?}");
    never.extend(["bacteria", "virus", "patient-", "IM-00", "A small study", "Lobar"].map(str::to_owned));
    let out = crate::support::files(&study.file("rounds"));
    // Three forms, a page, and a page with its images.
    assert_eq!(out.len(), 3 + 1 + 1 + CASES, "{:?}", out.keys());
    for (path, bytes) in &out {
        let text = String::from_utf8(bytes.clone()).expect("text");
        let name = path.strip_prefix(study.path()).expect("below").to_string_lossy().into_owned();
        for word in &never {
            assert!(!text.contains(word.as_str()) && !name.contains(word.as_str()), "{name} holds {word}");
        }
        for outside in ["http://", "https://", "//cdn", "@import", "url("] {
            assert!(!text.contains(outside), "{name} holds {outside}");
        }
    }
    // The map alone knows.
    assert!(study.read("reads/rounds/first.json").contains("person0_bacteria"));
}

#[test]
fn a_round_is_made_once_and_never_overwritten() {
    let study = study();
    let first =
        reads(&study, "worklist", &["--round", "first", "--reader", "R1", "--reader", "R2", "--json"]);
    done(&first);
    let report: Value = serde_json::from_str(&first.stdout).expect("JSON");
    assert_eq!((report["cases"].as_u64(), report["already"].as_bool()), (Some(12), Some(false)));
    let whole = study.snapshot();
    let again = reads(&study, "worklist", &["--round", "first", "--reader", "R2", "--reader", "R1"]);
    done(&again);
    assert!(again.stdout.contains("there already"), "{}", again.stdout);
    assert_eq!(study.snapshot(), whole, "the same again writes nothing");
    for more in [&["--reader", "R1"][..], &["--reader", "R1", "--reader", "R2", "--reader", "C"]] {
        refused(&reads(&study, "worklist", &[&["--round", "first"], more].concat()), 1, "round-exists");
    }
    // A form with answers in it is left as it is.
    let answered = filled(&study, "first", "R1", truth);
    study.write("rounds/first/first-R1.csv", &answered);
    let again = reads(&study, "worklist", &["--round", "first", "--reader", "R1", "--reader", "R2"]);
    done(&again);
    assert!(again.stderr.contains("warning[file-exists]"), "{}", again.stderr);
    assert_eq!(form_of(&study, "first", "R1"), answered);
    done(&reads(&study, "worklist", &["--round", "second", "--reader", "R1"]));
    let codes = |round: &str| cases_by_code(&map_of(&study, round)).into_keys().collect::<BTreeSet<_>>();
    assert!(codes("first").is_disjoint(&codes("second")), "each round has codes of its own");
    let order = |nth: usize| map_of(&study, "first")["readers"][nth]["order"].clone();
    assert_ne!(order(0), order(1), "each reader has an order of their own");
}

#[test]
fn what_cannot_be_handed_out_is_refused_by_name() {
    let study = study();
    let whole = study.snapshot();
    for (more, exit, code) in [
        (&["--round", "../x"][..], 2, "round-name"),
        (&["--round", "x", "--reader", "R9"], 1, "round-reader"),
        (&["--round", "x", "--reader", "A"], 1, "round-reader"),
        (&["--round", "x", "--reader", "R1", "--adjudication"], 1, "round-empty"),
        (&["--round", "x", "--repeat", "13"], 2, "option-out-of-range"),
        (&["--round", "x", "--repeat", "3"], 1, "repeated-read"),
    ] {
        refused(&reads(&study, "worklist", more), exit, code);
    }
    refused(&reads(&study, "page", &["--round", "x", "--reader", "R1"]), 1, "round-unknown");
    assert_eq!(study.snapshot(), whole, "what was refused left nothing");
    done(&reads(&study, "worklist", &["--round", "first", "--reader", "R1"]));
    refused(&reads(&study, "page", &["--round", "first", "--reader", "R2"]), 1, "round-reader");
    let image = study.file("images/IM-0003-virus.png");
    let bytes = std::fs::read(&image).expect("reads");
    std::fs::write(&image, std::fs::read(study.file("images/IM-0001-virus.png")).expect("reads"))
        .expect("writes");
    refused(&reads(&study, "page", &["--round", "first", "--reader", "R1"]), 1, "round-image");
    assert!(!study.file("rounds/first/first-R1.html").exists());
    std::fs::write(&image, bytes).expect("writes");
    done(&reads(&study, "page", &["--round", "first", "--reader", "R1"]));
    let map = study.read("reads/rounds/first.json");
    study.write("reads/rounds/first.json", &map[..map.len() / 2]);
    refused(&reads(&study, "page", &["--round", "first", "--reader", "R1"]), 1, "round-unreadable");
    // Nobody is declared: somebody has to be named.
    let undeclared = Study::small();
    undeclared.replace("protocol.toml", "readers = 3", "readers = 3 # three");
    refused(&reads(&undeclared, "worklist", &["--round", "x"]), 1, "round-reader");
    let made = reads(&undeclared, "worklist", &["--round", "x", "--reader", "Any One/1"]);
    done(&made);
    assert!(made.stderr.contains("warning[round-without-images]"), "{}", made.stderr);
    let forms = crate::support::files(&undeclared.file("rounds/x"));
    assert_eq!(forms.len(), 1);
    refused(&reads(&undeclared, "page", &["--round", "x", "--reader", "Any One/1"]), 1, "images-missing");
}

#[test]
fn text_that_may_stand_in_a_picture_is_warned_of() {
    let folder = tempfile::tempdir().expect("a folder");
    let demo = folder.path().join("demo");
    let to = demo.to_str().expect("UTF-8");
    let small = ["--only-cohort", "--cases", "80", "--development", "60", "--size", "64"];
    done(&sequester(&[&["demo", to], &small[..]].concat()));
    let study = study();
    let mut dicom: Vec<PathBuf> =
        std::fs::read_dir(demo.join("dicom")).expect("lists").flatten().map(|entry| entry.path()).collect();
    dicom.sort();
    // What a reader sees at first is what the device gets: the declared window, and the polarity.
    for path in &dicom {
        let seen = Viewed::of(&std::fs::read(path).expect("reads"), path).expect("reads");
        let scored = sequester::imaging::dicom::load(path).expect("reads");
        assert_eq!((seen.width, seen.height), (scored.width(), scored.height()));
        for (value, pixel) in seen.values.iter().zip(scored.pixels()) {
            let grey = ((f64::from(*value) - seen.from) / (seen.to - seen.from)).clamp(0.0, 1.0);
            assert!((grey - f64::from(*pixel)).abs() < 1e-4, "{}: {grey} and {pixel}", path.display());
        }
    }
    let bytes = std::fs::read(&dicom[0]).expect("reads");
    std::fs::write(study.file("images/IM-0000-bacteria.png"), &bytes).expect("writes");
    let ran = reads(&study, "worklist", &["--round", "first"]);
    done(&ran);
    // What the demonstration writes says NO or nothing; the words follow.
    let silent = !bytes.windows(4).any(|tag| tag == [0x28, 0, 1, 3]);
    assert_eq!(ran.stderr.contains("warning[round-burned-in]"), silent, "{}", ran.stderr);
    // What the demonstration writes is Secondary Capture: told as such where nothing is said.
    let mut captured = bytes.clone();
    if let Some(tag) = captured.windows(4).position(|tag| tag == [0x28, 0, 1, 3]) {
        // Another element instead of Burned In Annotation.
        captured[tag + 2] = 3;
    }
    std::fs::write(study.file("images/IM-0000-bacteria.png"), &captured).expect("writes");
    let ran = reads(&study, "worklist", &["--round", "second"]);
    done(&ran);
    assert!(
        ran.stderr.contains("warning[round-burned-in]") && ran.stderr.contains("captures"),
        "{}",
        ran.stderr
    );
}

#[test]
fn forms_become_reads_of_the_cases_and_evidence_that_verifies() {
    let study = study();
    done(&reads(&study, "worklist", &["--round", "first"]));
    for file in filled_by_all(&study, "first") {
        let ran = reads(&study, "import", &[file.to_str().expect("UTF-8"), "--blinding", "images alone"]);
        done(&ran);
        let name = file.file_name().expect("a name").to_string_lossy().into_owned();
        assert!(ran.stdout.contains(&format!("reads/rounds/first/{name}")), "{}", ran.stdout);
    }
    refused(&reads(&study, "worklist", &["--round", "first", "--adjudication"]), 1, "round-exists");
    let round = reads(&study, "worklist", &["--round", "adjudication", "--adjudication"]);
    done(&round);
    assert!(round.stdout.contains("adjudication round adjudication: 1 case\n"), "{}", round.stdout);
    let given = filled(&study, "adjudication", "A", truth);
    done(&give_back(&study, "A.csv", &given, &[]));
    let table = reads(&study, "reference", &[]);
    done(&table);
    for i in 0..CASES {
        let case = format!("person{i}_{}", if i % 2 == 0 { "bacteria" } else { "virus" });
        let level = if i == 3 { "adjudicated" } else { "unanimous" };
        let row = table.stdout.lines().find(|line| line.starts_with(&format!("{case},"))).expect("a row");
        assert!(row.contains(truth(&case)) && row.contains(level), "{row}");
    }
    let ran = study.run("run", &[]);
    assert!([0, 10].contains(&ran.code), "{}", ran.stderr);
    let verified = study.run("verify", &[]);
    assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
    let bundle = crate::support::files(&study.file("evidence"));
    let holds = |name: &str| bundle.keys().any(|path| path.ends_with(name));
    for name in
        ["rounds/first.json", "rounds/first/R1.csv", "rounds/adjudication/A.csv", "reads/imports.json"]
    {
        assert!(holds(&format!("data/inputs/reads/{name}").replace("reads/reads", "reads")), "{name}");
    }
    for (path, bytes) in &bundle {
        let png = bytes.windows(8).any(|eight| eight == b"\x89PNG\r\n\x1a\n");
        assert!(!png && !path.to_string_lossy().ends_with(".html"), "{}", path.display());
    }
    // What came back is evidence: it cannot change.
    study.replace("reads/rounds/first/R1.csv", "positive", "negative");
    refused(&study.run("reads", &["--dry-run"]), 1, "reads-replaced");
    study.replace("reads/rounds/first/R1.csv", "negative", "positive");
    std::fs::remove_file(study.file("reads/rounds/first.json")).expect("removes");
    refused(&study.run("reads", &["--dry-run"]), 1, "reads-replaced");
}

#[test]
fn what_comes_back_from_elsewhere_twice_or_edited_has_its_own_code() {
    let study = study();
    done(&reads(&study, "worklist", &["--round", "first"]));
    done(&reads(&study, "worklist", &["--round", "second"]));
    done(&reads(&study, "page", &["--round", "first", "--reader", "R1"]));
    let good = page_file(&study, "first", "R1", "aa");
    let whole = study.snapshot();
    let old = study.read("reads/rounds/first.json");
    let edits: [(&str, String); 5] = [
        ("form-checksum", good.replacen("\"positive\"", "\"negative\"", 1)),
        ("form-unreadable", good[..good.len() / 2].to_owned()),
        ("form-other-round", filled(&study, "first", "R1", truth).replace(",first,", ",third,")),
        ("form-outdated", filled(&study, "first", "R1", truth).replace(",first,", ",second,")),
        ("form-reader", filled(&study, "first", "R1", truth).replace(",first,R1,", ",first,R9,")),
    ];
    for (code, text) in &edits {
        let name = if text.starts_with('{') { "x.json" } else { "x.csv" };
        refused(&give_back(&study, name, text, &[]), 1, code);
    }
    std::fs::remove_dir_all(study.file("outbox")).expect("removes");
    assert_eq!(study.snapshot(), whole, "what was refused left nothing");
    // The page is older than the round, which was made again.
    std::fs::remove_file(study.file("reads/rounds/first.json")).expect("removes");
    std::fs::remove_dir_all(study.file("rounds/first")).expect("removes");
    done(&reads(&study, "worklist", &["--round", "first"]));
    refused(&give_back(&study, "first-R1.json", &good, &[]), 1, "form-outdated");
    study.write("reads/rounds/first.json", &old);
    done(&give_back(&study, "first-R1.json", &good, &[]));
    // The same session again, another session, and a form beside the page: each is one file too many.
    let again = give_back(&study, "again.json", &good, &[]);
    refused(&again, 1, "form-twice");
    assert!(again.stderr.contains("saved twice"), "{}", again.stderr);
    done(&reads(&study, "page", &["--round", "first", "--reader", "R1"]));
    let other = page_file(&study, "first", "R1", "bb");
    let twice = give_back(&study, "other.json", &other, &[]);
    refused(&twice, 1, "form-twice");
    assert!(twice.stderr.contains("opened twice"), "{}", twice.stderr);
    // Which counts is decided, with a reason, and both stay.
    let decided =
        ["--supersedes", "reads/rounds/first/first-R1.json", "--reason", "the second reading counts"];
    done(&give_back(&study, "other.json", &other, &decided));
    assert!(study.file("reads/rounds/first/first-R1.json").is_file());
    // A form among the files of a platform.
    study.write("reads/form.csv", &form_of(&study, "second", "R2"));
    let misplaced = study.run("reads", &["--dry-run"]);
    assert_eq!(misplaced.code, 1);
    assert!(misplaced.stderr.contains("error[form-misplaced]"), "{}", misplaced.stderr);
}

#[test]
fn repeated_cases_count_as_the_protocol_declares() {
    let study = study();
    study.replace(
        "protocol.toml",
        "rule = \"adjudicated\"",
        "repeated_read = \"all-agree\"\nrule = \"adjudicated\"",
    );
    done(&reads(&study, "worklist", &["--round", "first", "--reader", "R1", "--repeat", "3"]));
    let map = map_of(&study, "first");
    assert_eq!(map["shown"].as_array().map(Vec::len), Some(15));
    done(&give_back(&study, "R1.csv", &filled(&study, "first", "R1", truth), &[]));
    let status = reads(&study, "status", &["--json"]);
    done(&status);
    let status: Value = serde_json::from_str(&status.stdout).expect("JSON");
    let r1 = status["readers"].as_array().expect("readers").iter().find(|r| r["id"] == "R1").expect("R1");
    assert_eq!((r1["read"].as_u64(), r1["set_aside"].as_u64()), (Some(12), Some(0)), "{r1}");
}

#[test]
fn the_status_says_who_is_missing_what_without_any_score() {
    let study = study();
    study.write("scores.csv", "not a table of scores");
    let before = reads(&study, "status", &["--json"]);
    done(&before);
    let before: Value = serde_json::from_str(&before.stdout).expect("JSON");
    assert_eq!(before["readers"].as_array().map(Vec::len), Some(4));
    assert_eq!(before["readers"][2]["missing"].as_array().map(Vec::len), Some(12));
    assert_eq!(before["readers"][2]["late"], true, "nobody has begun");
    done(&reads(&study, "worklist", &["--round", "first"]));
    let wrong = |case: &str| match case {
        "person3_virus" => "positive",
        "person4_bacteria" => "",
        other => truth(other),
    };
    done(&give_back(&study, "R1.csv", &filled(&study, "first", "R1", truth), &[]));
    done(&give_back(&study, "R2.csv", &filled(&study, "first", "R2", wrong), &[]));
    let csv = study.file("status.csv");
    let html = study.file("status.html");
    let files = ["--csv", csv.to_str().expect("UTF-8"), "--html", html.to_str().expect("UTF-8")];
    let ledger = study.file("ledger.jsonl");
    let recorded = std::fs::read(&ledger).expect("reads");
    let ran = reads(&study, "status", &files);
    done(&ran);
    assert_eq!(std::fs::read(&ledger).expect("reads"), recorded, "nothing is recorded");
    for says in [
        "12 cases, 4 readers",
        "missing of R2: 1: person4_bacteria",
        "reference readers disagree: 1: person3_virus",
        "needs adjudication: 1: person3_virus",
        "round first (reading), 12 cases: 2 of 3 readers gave something back; waiting for C",
        "and 2 more",
        "R1 and R2: same answer on 10 of 11",
    ] {
        assert!(ran.stdout.contains(says), "{says}: {}", ran.stdout);
    }
    let table = study.read("status.csv");
    assert!(table.contains("R2,reference,person4_bacteria,missing,,\n"), "{table}");
    assert!(table.contains("R1,reference,person3_virus,read,negative,\n"), "{table}");
    assert_eq!(table.lines().count(), 1 + 4 * CASES);
    let page = study.read("status.html");
    for says in ["person4_bacteria", "person3_virus", "Cohen&#39;s kappa", "Two-sided test for trend"] {
        assert!(page.contains(says) || page.contains(&says.replace("&#39;", "'")), "{says}");
    }
    assert!(
        !page.contains("http://") && !page.contains("https://") && !page.contains("<script"),
        "a page with everything in it"
    );
    // Another file is not replaced.
    refused(
        &reads(&study, "status", &["--csv", study.file("cases.csv").to_str().expect("UTF-8")]),
        1,
        "file-exists",
    );
}

#[test]
fn copies_and_drift_are_told_and_honest_readers_are_not() {
    let study = Study::small();
    let told = |study: &Study| {
        let ran = reads(study, "status", &["--json"]);
        done(&ran);
        serde_json::from_str::<Value>(&ran.stdout).expect("JSON")
    };
    assert_eq!(told(&study)["copies"], json!([]), "three readers with some errors each");
    let own = study.read("reads/reader-1.csv");
    study.write("reads/reader-3.csv", &own.replace(",R1,", ",R3,"));
    let copies = told(&study)["copies"].clone();
    let whats: Vec<&str> =
        copies.as_array().expect("a list").iter().filter_map(|c| c["what"].as_str()).collect();
    assert_eq!(whats, ["readers", "files"], "{copies}");
    assert_eq!(copies[0]["of"], json!(["R1", "R3"]));
    assert!(copies[0]["p"].as_f64().is_some_and(|p| p < 0.001), "{copies}");
    let ran = reads(&study, "status", &[]);
    assert!(ran.stdout.contains("probably copied") && ran.stdout.contains("no proof"), "{}", ran.stdout);
    // Times: one reader calls more and more cases positive, another one does not.
    study.replace("protocol.toml", "[scores]", "[reads]\ntime_column = \"time\"\n\n[scores]");
    let cases: Vec<&str> = own.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
    let timed = |reader: &str, positive: &dyn Fn(usize) -> bool| {
        let mut text = String::from("case_id,reader_id,read,time\n");
        for (nth, case) in cases.iter().enumerate() {
            let read = if positive(nth) { "positive" } else { "negative" };
            text += &format!("{case},{reader},{read},2025-12-{:02} 10:{:02}\n", 1 + nth / 60, nth % 60);
        }
        text
    };
    study.write("reads/reader-1.csv", &timed("R1", &|nth| nth * 7 % 120 < nth));
    study.write("reads/reader-2.csv", &timed("R2", &|nth| nth % 2 == 0));
    study.write("reads/reader-3.csv", &timed("R3", &|nth| nth % 3 == 0));
    let status = told(&study);
    let drift = |nth: usize| status["readers"][nth]["drift"].clone();
    assert_eq!((&drift(0)["told"], &drift(1)["told"]), (&json!(true), &json!(false)), "{}", drift(0));
    assert_eq!(drift(0)["parts"].as_array().map(Vec::len), Some(4));
    assert_eq!(status["readers"][0]["days_since"], 29);
    let ran = reads(&study, "status", &[]);
    assert!(ran.stdout.contains("R1: positive in each quarter"), "{}", ran.stdout);
}

/// The page in headless Chromium, or nothing: then the test says by name that it was skipped.
fn browser(test: &str) -> Option<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/read.mjs");
    let chromium = std::env::var_os("SEQUESTER_CHROMIUM").unwrap_or_else(|| "/usr/bin/chromium".into());
    let node =
        std::process::Command::new("node").arg("--version").output().is_ok_and(|ran| ran.status.success());
    let packages = script.with_file_name("node_modules").join("playwright-core");
    if node && Path::new(&chromium).is_file() && packages.is_dir() {
        return Some(script);
    }
    eprintln!("SKIPPED {test}: no Chromium, Node or playwright-core; scripts/setup-browser.sh installs them");
    None
}

fn driven(script: &Path, page: &Path, out: &Path) -> Value {
    let ran = std::process::Command::new("node").arg(script).args([page, out]).output().expect("starts");
    let stderr = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{stderr}");
    serde_json::from_slice(&ran.stdout).expect("JSON")
}

/// A study with twelve phantoms of the demonstration, two of them as DICOM with a window.
fn with_phantoms() -> Study {
    let study = study();
    let demo = study.file("demo");
    let small = ["--only-cohort", "--cases", "80", "--development", "60", "--size", "256"];
    done(&sequester(&[&["demo", demo.to_str().expect("UTF-8")], &small[..]].concat()));
    let list = |folder: &str| {
        let mut files: Vec<PathBuf> = std::fs::read_dir(demo.join(folder))
            .expect("lists")
            .flatten()
            .map(|entry| entry.path())
            .collect();
        files.sort();
        files
    };
    let (images, dicom) = (list("images"), list("dicom"));
    for i in 0..CASES {
        let germ = if i % 2 == 0 { "bacteria" } else { "virus" };
        let from = if i < 2 { &dicom[i] } else { &images[i] };
        std::fs::copy(from, study.file(&format!("images/IM-{i:04}-{germ}.png"))).expect("copies");
    }
    std::fs::remove_dir_all(demo).expect("removes");
    study
}

#[test]
fn a_reader_reads_on_the_page_with_the_keyboard_and_the_reads_come_in() {
    let Some(script) = browser("a_reader_reads_on_the_page_with_the_keyboard_and_the_reads_come_in") else {
        return;
    };
    let study = with_phantoms();
    done(&reads(&study, "worklist", &["--round", "first"]));
    let cases = cases_by_code(&map_of(&study, "first"));
    for (reader, in_folder) in [("R1", false), ("R2", true)] {
        let beside = study.file(&format!("rounds/first/first-{reader}"));
        let (page, more): (PathBuf, &[&str]) = if in_folder {
            (beside.join("page.html"), &["--folder"])
        } else {
            (beside.with_extension("html"), &[])
        };
        done(&reads(&study, "page", &[&["--round", "first", "--reader", reader], more].concat()));
        let out = study.file(&format!("first-{reader}.json"));
        let said = driven(&script, &page, &out);
        let empty = |key: &str| assert_eq!(said[key], json!([]), "{key}");
        ["axe", "requests", "faults"].into_iter().for_each(empty);
        assert_eq!(said["resumed"], "6 of 12 answered", "after a reload in the middle");
        assert_eq!(said["open_one"], "11 of 12 answered", "an answer was taken back");
        assert_eq!(said["name"], format!("first-{reader}.json"));
        assert_eq!(said["asked_after_saving"], 0);
        assert!(said["asked"].as_u64() > Some(0), "leaving without a file asks first");
        let number = |key: &str| said["picture"][key].as_f64().expect("a number");
        assert!((number("before") - number("inverted")).abs() > 1.0, "{}", said["picture"]);
        assert!(number("darker") < number("before") - 1.0, "{}", said["picture"]);
        assert!((number("back") - number("before")).abs() < 0.01, "{}", said["picture"]);
        assert_ne!(said["picture"]["zoomed"], said["picture"]["fitted"]);
        done(&reads(&study, "import", &[out.to_str().expect("UTF-8")]));
        // The same reads, case by case.
        let csv = study.file("status.csv");
        done(&reads(&study, "status", &["--csv", csv.to_str().expect("UTF-8")]));
        let table = study.read("status.csv");
        let answers = said["answers"].as_object().expect("answers");
        assert_eq!(answers.len(), CASES);
        for (code, answer) in answers {
            let row = format!("{reader},reference,{},read,{},", cases[code], answer.as_str().expect("text"));
            assert!(table.contains(&row), "{row}");
        }
    }
}
