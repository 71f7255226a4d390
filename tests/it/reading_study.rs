//! A whole study of readers, generated: five who vote, two who read beside the device, one who adjudicates;
//! worklists, pages, forms, import, consensus, evidence, and what the documents say of it.

use std::collections::{BTreeMap, BTreeSet};

use sequester::digest::Digest;
use serde_json::Value;

use crate::reading::{
    Given, browser, cases_by_code, done, filled, give_back, map_of, page_file, read_on_page, reads, refused,
};
use crate::support::{Study, files, sequester};

const CASES: usize = 36;
const VOTERS: [&str; 5] = ["R1", "R2", "R3", "R4", "R5"];
const BESIDE: [&str; 2] = ["C1", "C2"];
const REPEATED: usize = 6;

/// A number below 1,000 that follows from a text alone.
fn drawn(of: &str) -> u32 {
    let digest = Digest::of(of.as_bytes());
    let bytes = digest.as_bytes();
    u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]) % 1000
}

fn id(number: usize) -> String {
    format!("ward{number:02}_{}", if is_positive(number) { "lobar" } else { "healthy" })
}

fn is_positive(number: usize) -> bool {
    number % 9 < 4
}

fn score(number: usize) -> f64 {
    let noise = f64::from(drawn(&format!("score {number}"))) / 1000.0;
    if is_positive(number) { 0.30 + 0.69 * noise } else { 0.01 + 0.60 * noise }
}

/// What a reader says of a case: wrong on some, now and then undecided; the adjudicator knows.
fn says(reader: &str, case: &str) -> Given {
    let truth = if case.ends_with("lobar") { "positive" } else { "negative" };
    let other = if truth == "positive" { "negative" } else { "positive" };
    let luck = drawn(&format!("{reader} reads {case}"));
    let (errs, doubts) = match reader {
        "A1" => (0, 0),
        "R1" | "R2" | "R3" | "R4" | "R5" => (90, 120),
        _ => (180, 200),
    };
    let answer = if luck < errs {
        other
    } else if luck < doubts {
        "indeterminate"
    } else {
        truth
    };
    let comment = match luck % 8 {
        0 => format!("faint; \"{reader}\" would ask for a lateral view, <b>= again</b>"),
        _ => String::new(),
    };
    Given { answer: answer.to_owned(), confidence: Some(u64::from(1 + luck % 5)), comment }
}

/// Cases of 27 patients at two sites, with a picture each; ids and file names spell the label.
fn study() -> Study {
    let study = Study::small();
    for reader in 1..=3 {
        std::fs::remove_file(study.file(&format!("reads/reader-{reader}.csv"))).expect("removes");
    }
    study.replace("protocol.toml", "cases = \"cases.csv\"", "cases = \"cases.csv\"\nimages = \"images\"");
    study.replace("protocol.toml", "cases = 80\npositives = 40\n", "");
    let mut readers = String::new();
    let who = "qualification = \"board-certified radiologist\"\nspecialty = \"thoracic imaging\"\n";
    for (role, ids) in [("reference", &VOTERS[..]), ("comparison", &BESIDE), ("adjudicator", &["A1"])] {
        for (nth, id) in ids.iter().enumerate() {
            let years = 5 + 2 * nth;
            readers += &format!("\n[[reader]]\nid = \"{id}\"\nrole = \"{role}\"\nyears = {years}\n{who}");
        }
    }
    study.replace("protocol.toml", "readers = 3\nqualification = \"radiologist\"\n", "");
    let rule = "rule = \"adjudicated\"\nadjudicate = \"disagreement\"\nrepeated_read = \"all-agree\"\n";
    study.replace("protocol.toml", "rule = \"majority\"\n", &format!("{rule}{readers}"));
    let interval = "interval = \"clopper-pearson-patients\"\ncriterion = \"lower > 0.20\"\n";
    let endpoint = format!(
        "[[endpoint]]\nid = \"sensitivity\"\nmetric = \"sensitivity\"\nrole = \"primary\"\n{interval}"
    );
    let sex = "[[subgroup]]\nby = \"sex\"";
    study.replace("protocol.toml", sex, &format!("{endpoint}\n{sex}"));
    study.replace("protocol.toml", "subgroup_minimum = 20", "subgroup_minimum = 5");
    let mut cases = String::from("case_id,patient_id,sex,age_years,view,site,label,image\n");
    let mut scores = String::from("case_id,score\n");
    for number in 0..CASES {
        let case = id(number);
        // Every fourth patient has two images.
        let patient = number - usize::from(number % 4 == 3);
        let sex = if number % 3 == 0 { "F" } else { "M" };
        let site = if number % 2 == 0 { "north" } else { "south" };
        let label = u8::from(is_positive(number));
        let image = format!("IMG-{case}.png");
        let age = 30 + number;
        cases += &format!("{case},holder-{patient:02}-X,{sex},{age},PA,{site},{label},{image}\n");
        scores += &format!("{case},{:.6}\n", score(number));
        let grey = |x: u32, y: u32| ::image::Luma([(x * 3 + y * 2 + 7 * number as u32) as u8]);
        let path = study.file(&format!("images/{image}"));
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("creates");
        ::image::GrayImage::from_fn(64, 48, grey).save(path).expect("saves");
    }
    study.write("cases.csv", &cases);
    study.write("scores.csv", &scores);
    study
}

/// What came back of the first round in words: the read of a case that counts, by the declared rule.
fn counts(study: &Study, reader: &str, case: &str) -> Option<String> {
    let map = map_of(study, "first");
    let shown = map["shown"].as_array().expect("a list").iter().filter(|one| one["case_id"] == case).count();
    assert!(shown == 1 || shown == 2);
    Some(says(reader, case).answer)
}

/// Nothing that was handed out holds an id, a name, a label or a score of the study.
fn nothing_leaks(study: &Study) {
    let mut never: BTreeSet<String> =
        ["ward", "lobar", "healthy", "holder", "IMG-", "north", "A small study"].map(str::to_owned).into();
    never.extend((0..CASES).map(|number| format!("{:.6}", score(number))));
    for (path, bytes) in files(&study.file("rounds")) {
        let name = path.strip_prefix(study.path()).expect("below").to_string_lossy().into_owned();
        let text = String::from_utf8_lossy(&bytes);
        for word in &never {
            assert!(!name.contains(word.as_str()) && !text.contains(word.as_str()), "{name} holds {word}");
        }
    }
}

fn list<'a>(value: &'a Value, key: &str) -> &'a Vec<Value> {
    value[key].as_array().unwrap_or_else(|| panic!("{key} is no list in {value}"))
}

fn json(ran: &crate::support::Ran) -> Value {
    done(ran);
    serde_json::from_str(&ran.stdout).expect("JSON")
}

/// The first round goes out and comes back: two readers on the page, the others on forms.
fn first_round(study: &Study, script: Option<&std::path::Path>) {
    done(&reads(study, "worklist", &["--round", "first", "--repeat", &REPEATED.to_string()]));
    for reader in VOTERS.iter().chain(&BESIDE) {
        let given = |case: &str| says(reader, case);
        let (name, text) = match *reader {
            "R1" | "C1" => {
                let in_folder = *reader == "C1";
                let more: &[&str] = if in_folder { &["--folder"] } else { &[] };
                done(&reads(study, "page", &[&["--round", "first", "--reader", reader], more].concat()));
                let beside = study.file(&format!("rounds/first/first-{reader}"));
                let page = if in_folder { beside.join("page.html") } else { beside.with_extension("html") };
                let text = match script {
                    Some(script) => read_on_page(study, &page, script, given).0,
                    None => page_file(study, &page, reader, given),
                };
                (format!("{reader}.json"), text)
            }
            _ => (format!("{reader}.csv"), filled(study, "first", reader, given)),
        };
        let said = ["--by", "A. Example", "--role", "coordinator", "--blinding", "images alone, no score"];
        let ran = give_back(study, &name, &text, &said);
        done(&ran);
        assert!(ran.stdout.contains("free text that becomes evidence"), "{}", ran.stdout);
    }
}

/// Cases on which the votes of the readers are not all given and equal.
fn open_cases(study: &Study) -> BTreeSet<String> {
    let disagree = |case: &String| {
        let said: BTreeSet<String> = VOTERS.iter().filter_map(|reader| counts(study, reader, case)).collect();
        said.contains("positive") && said.contains("negative")
    };
    (0..CASES).map(id).filter(disagree).collect()
}

#[test]
fn a_study_of_eight_readers_goes_from_worklist_to_the_truthing_report() {
    let name = "a_study_of_eight_readers_goes_from_worklist_to_the_truthing_report";
    let script = browser(name, "answer.mjs");
    let study = study();
    first_round(&study, script.as_deref());
    let status = json(&reads(&study, "status", &["--json"]));
    let disagreed: BTreeSet<&str> =
        list(&status, "disagreements").iter().filter_map(|one| one["case_id"].as_str()).collect();
    let open = open_cases(&study);
    assert_eq!(disagreed, open.iter().map(String::as_str).collect());
    assert!((8..20).contains(&open.len()), "{} of {CASES} cases go to adjudication", open.len());
    let waits: BTreeSet<&str> = list(&status, "to_adjudicate").iter().filter_map(Value::as_str).collect();
    assert!(disagreed.is_subset(&waits), "{waits:?}");
    for reader in list(&status, "readers") {
        let waiting = reader["id"] == "A1";
        let missing = list(reader, "missing").len();
        assert_eq!(missing, if waiting { waits.len() } else { 0 }, "{reader}");
    }

    // The adjudicator sees those alone, under other codes, and nothing of what the readers said.
    done(&reads(&study, "worklist", &["--round", "second", "--adjudication"]));
    let second = cases_by_code(&map_of(&study, "second"));
    assert_eq!(second.values().map(String::as_str).collect::<BTreeSet<_>>(), waits);
    assert!(second.keys().all(|code| !cases_by_code(&map_of(&study, "first")).contains_key(code)));
    done(&reads(&study, "page", &["--round", "second", "--reader", "A1"]));
    nothing_leaks(&study);
    let page = study.file("rounds/second/second-A1.html");
    let settled = |case: &str| says("A1", case);
    let text = match &script {
        Some(script) => read_on_page(&study, &page, script, settled).0,
        None => page_file(&study, &page, "A1", settled),
    };
    refused(&reads(&study, "worklist", &["--round", "second"]), 1, "round-exists");
    done(&give_back(&study, "A1.json", &text, &[]));
    let csv = study.file("reference.csv");
    done(&reads(&study, "reference", &["--out", csv.to_str().expect("UTF-8")]));
    let rows: Vec<csv::StringRecord> =
        csv::Reader::from_path(&csv).expect("opens").into_records().map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), CASES);
    for row in &rows {
        let truth = if row[0].ends_with("lobar") { "positive" } else { "negative" };
        let level = if waits.contains(&row[0]) { "adjudicated" } else { "unanimous" };
        if level == "adjudicated" {
            assert_eq!((&row[1], &row[2]), (truth, level), "{row:?}");
        }
    }
    assert!(!study.file("evidence").exists(), "nothing was opened for all this");

    for command in ["reads", "validate", "report"] {
        let more: &[&str] = if command == "report" { &["--no-pdf"] } else { &[] };
        let ran = study.run(command, more);
        assert!([0, 10].contains(&ran.code), "{command}: {}{}", ran.stdout, ran.stderr);
    }
    let verified = study.run("verify", &[]);
    assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
    let results = serde_json::from_str(&study.read("evidence/run-1/data/results.json")).expect("JSON");
    in_the_results(&results, waits.len() as u64);
    let reference = rows.iter().map(|row| (row[0].to_owned(), &row[1] == "positive")).collect();
    beside_the_device(&results, &reference);
    in_the_truthing_report(&study, waits.len());
    for (path, bytes) in files(&study.file("evidence")) {
        let png = bytes.windows(8).any(|eight| eight == b"\x89PNG\r\n\x1a\n");
        assert!(!png && !path.to_string_lossy().ends_with(".html"), "{}", path.display());
    }
}

/// Reads by role, agreement and what another reference standard gives.
fn in_the_results(results: &Value, adjudicated: u64) {
    let readers: BTreeMap<&str, &Value> =
        list(results, "readers").iter().map(|one| (one["id"].as_str().expect("an id"), one)).collect();
    assert_eq!(readers.len(), 8);
    for (id, reader) in readers {
        let (role, reads) = match id {
            "A1" => ("adjudicator", adjudicated),
            _ if BESIDE.contains(&id) => ("comparison", CASES as u64),
            _ => ("reference", CASES as u64),
        };
        assert_eq!((reader["role"].as_str(), reader["reads"].as_u64()), (Some(role), Some(reads)), "{id}");
    }
    assert_eq!(results["consensus"]["adjudicated"].as_u64(), Some(adjudicated));
    assert_eq!(results["consensus"]["none"].as_u64(), Some(0), "{}", results["consensus"]);
    let pairs = list(results, "agreement_explained");
    assert_eq!(pairs.len(), 10 * 4, "ten pairs of voters");
    assert!(pairs.iter().all(|e| !e["model"].as_str().is_some_and(|m| m.contains('C') || m.contains('A'))));
    let sites: BTreeSet<&str> = list(results, "agreement_by_group")
        .iter()
        .filter_map(|e| e["subgroup"].as_str()?.strip_prefix("site="))
        .collect();
    assert_eq!(sites, BTreeSet::from(["north", "south"]));
    // Patients with two images stay together.
    let fleiss = list(results, "agreement").iter().find(|e| e["id"] == "fleiss_kappa").expect("kappa");
    assert_eq!(fleiss["intervals"][0]["unit"], "patient", "{fleiss}");
    // A reader says the same of a case that comes twice, so each reader agrees with that reader wholly.
    let twice: Vec<&Value> =
        list(results, "intra_reader").iter().filter(|e| e["id"] == "percent_agreement").collect();
    assert!(twice.len() >= 5, "{twice:?}");
    assert!(twice.iter().all(|e| e["value"].as_f64() == Some(1.0)), "{twice:?}");
    let analyses = list(&results["other_standards"], "analyses");
    let count = |name: &str| analyses.iter().filter(|a| a["standard"] == name).count();
    for (name, times) in [
        ("unanimous-only", 1),
        ("one-reader", 5),
        ("without-reader", 5),
        ("split-for-device", 1),
        ("split-against-device", 1),
        ("indeterminate-positive", 1),
        ("indeterminate-negative", 1),
    ] {
        assert_eq!(count(name), times, "{name}");
    }
    // What is best and worst for the device are bounds of what the split cases can do.
    let value = |name: &str| {
        let of = analyses.iter().find(|a| a["standard"] == name).expect(name);
        let all = list(of, "estimates");
        all.iter().find(|e| e["id"] == "sensitivity").and_then(|e| e["value"].as_f64()).expect("a value")
    };
    let declared = list(results, "endpoints")
        .iter()
        .find(|e| e["id"] == "sensitivity")
        .and_then(|e| e["value"].as_f64())
        .expect("a value");
    assert!(value("split-against-device") <= declared && declared <= value("split-for-device"));
}

/// Each comparison reader, and the device, on the cases that the reader decided, counted here again.
fn beside_the_device(results: &Value, reference: &BTreeMap<String, bool>) {
    let beside = list(&results["beside_readers"], "readers");
    assert_eq!(beside.len(), 2);
    for reader in beside {
        let id_of = reader["reader"].as_str().expect("an id");
        for (share, positive) in [("sensitivity", true), ("specificity", false)] {
            let [mut right, mut device, mut all] = [0; 3];
            for number in (0..CASES).filter(|number| reference[&id(*number)] == positive) {
                match says(id_of, &id(number)).answer.as_str() {
                    "indeterminate" => continue,
                    answer => right += u64::from((answer == "positive") == positive),
                }
                all += 1;
                device += u64::from((score(number) >= 0.5) == positive);
            }
            let share = &reader[share];
            let of = |what: &str| (share[what]["numerator"].as_u64(), share[what]["denominator"].as_u64());
            assert_eq!(of("reader"), (Some(right), Some(all)), "{id_of}: {share}");
            assert_eq!(of("device"), (Some(device), Some(all)), "{id_of}: {share}");
            let difference = &share["difference"];
            let expected = (device as f64 - right as f64) / all as f64;
            assert!((difference["value"].as_f64().expect("a value") - expected).abs() < 1e-12, "{share}");
            assert!(difference["intervals"][0]["lower"].is_f64() && difference["p_value"] != Value::Null);
        }
    }
    assert_eq!(results["beside_readers"]["mean"]["readers"], 2);
}

/// What a reviewer reads.
fn in_the_truthing_report(study: &Study, adjudicated: usize) {
    let report = study.read("reports/run-1/truthing.md");
    let page = study.read("reports/run-1/truthing.html");
    for words in [
        "board-certified radiologist",
        "thoracic imaging",
        "images alone, no score",
        "by A. Example (coordinator)",
        "Cases on which reference readers disagree",
        "What readers wrote, as it came",
        "would ask for a lateral view",
        "How sure, as stated",
        "This is no reader study",
        "Mean of 2 readers",
        "the declared rule without R5",
        "what R3 says",
        "first vs second read",
        "Annex: From the Reads of Each Case to Its Answer",
    ] {
        assert!(page.contains(words) || report.contains(words), "{words}");
    }
    assert!(page.contains("&lt;b&gt;= again&lt;/b&gt;") && !page.contains("<b>= again"), "comments are text");
    let annex = report.split("Annex: From the Reads").nth(1).expect("the annex");
    for number in 0..CASES {
        assert!(annex.contains(&id(number).replace('_', "\\_")) || annex.contains(&id(number)), "{number}");
    }
    let table = study.read("reports/run-1/truthing-cases.csv");
    let rows: Vec<csv::StringRecord> =
        csv::Reader::from_reader(table.as_bytes()).into_records().map(|row| row.expect("a row")).collect();
    assert_eq!(rows.len(), CASES);
    let of_level = rows.iter().filter(|row| row.iter().any(|cell| cell == "adjudicated")).count();
    assert_eq!(of_level, adjudicated);
    for row in &rows {
        for reader in VOTERS {
            assert!(row[1].contains(&format!("{reader}=")), "{row:?}");
        }
        for reader in BESIDE {
            assert!(row[1].contains(&format!("{reader}={} (comparison)", says(reader, &row[0]).answer)));
        }
        // What R2 wrote is there, whether the case was shown once or twice.
        let wrote = says("R2", &row[0]).comment;
        assert!(wrote.is_empty() || row[row.len() - 1].contains(&format!("R2: {wrote}")), "{row:?}");
    }
}

#[test]
fn comments_are_kept_out_of_the_evidence_on_request_and_the_reads_stay() {
    let study = study();
    // A pattern of everything means files: neither what was withheld nor the rounds.
    study.replace("protocol.toml", "[scores]", "[reads]\nfiles = [\"reads/*\"]\n\n[scores]");
    done(&reads(&study, "worklist", &["--round", "first", "--reader", "R1", "--reader", "R2"]));
    done(&reads(&study, "page", &["--round", "first", "--reader", "R1"]));
    let named = |case: &str| Given { comment: "ask a.b@example.org about it".to_owned(), ..says("R1", case) };
    let text = page_file(&study, &study.file("rounds/first/first-R1.html"), "aa", named);
    let told = give_back(&study, "R1.json", &text, &["--dry-run"]);
    done(&told);
    assert!(told.stderr.contains("`comment` identifies a person"), "{}", told.stderr);
    assert!(told.stdout.contains(&format!("{CASES} comments: free text")), "{}", told.stdout);
    let form = filled(&study, "first", "R2", |case: &str| says("R2", case));
    for (name, text) in [("R1.json", text), ("R2.csv", form)] {
        let ran = give_back(&study, name, &text, &["--withhold", "comment"]);
        done(&ran);
        assert!(!ran.stdout.contains("free text") && !ran.stderr.contains("identifies"), "{}", ran.stderr);
        let again = give_back(&study, name, &text, &["--withhold", "comment"]);
        assert!(again.stdout.contains("imported already"), "{}{}", again.stdout, again.stderr);
    }
    let kept = study.read("reads/rounds/first/R1.json") + &study.read("reads/rounds/first/R2.csv");
    assert!(!kept.contains("comment") && !kept.contains("example.org"), "{kept}");
    assert!(study.read("reads/rounds/first/withheld/R1.json").contains("example.org"), "the original stays");
    let csv = study.file("status.csv");
    let status = reads(&study, "status", &["--csv", csv.to_str().expect("UTF-8")]);
    done(&status);
    let table = study.read("status.csv");
    assert!(table.starts_with("reader_id,role,case_id,state,read,time,confidence\n"), "{table}");
    for number in 0..CASES {
        let case = id(number);
        let Given { answer, confidence, .. } = says("R1", &case);
        let sure = confidence.expect("a number");
        let row = format!("R1,reference,{case},read,{answer},2026-01-01T10:00:03Z,{sure}\n");
        assert!(table.contains(&row), "{row}{table}");
    }
    // What was withheld from cannot be edited either.
    study.replace("reads/rounds/first/R1.json", "\"positive\"", "\"negative\"");
    refused(&sequester(&["reads", "status", study.path().to_str().expect("UTF-8")]), 1, "reads-replaced");
}
