//! What the tests of reading rounds share: a study whose ids spell the label, forms and files of the page as
//! readers give them back, and headless Chromium.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use sequester::digest::Digest;
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

pub fn done(ran: &Ran) {
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
}

pub fn refused(ran: &Ran, exit: i32, code: &str) {
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

pub fn form_of(study: &Study, round: &str, reader: &str) -> String {
    study.read(&format!("rounds/{round}/{round}-{reader}.csv"))
}

/// What a reader says of a case.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// The answer's word; empty: none.
    pub answer: String,
    /// How sure, from 1 to 5.
    pub confidence: Option<u64>,
    /// What the reader writes.
    pub comment: String,
}

impl From<&str> for Given {
    fn from(answer: &str) -> Self {
        Self { answer: answer.to_owned(), ..Self::default() }
    }
}

/// A form filled by what `says` gives for each case.
pub fn filled<G: Into<Given>>(study: &Study, round: &str, reader: &str, says: impl Fn(&str) -> G) -> String {
    let cases = cases_by_code(&map_of(study, round));
    let form = form_of(study, round, reader);
    let mut form = csv::Reader::from_reader(form.as_bytes());
    let mut out = csv::Writer::from_writer(Vec::new());
    let header = form.headers().expect("a header").clone();
    out.write_record(&header).expect("writes");
    for row in form.records() {
        let row = row.expect("a row");
        let Given { answer, confidence, comment } = says(&cases[&row[1]]).into();
        let done = if answer.is_empty() { "" } else { "yes" }.to_owned();
        let confidence = confidence.map(|sure| sure.to_string()).unwrap_or_default();
        let own = [answer, confidence, comment, done];
        let cells = row.iter().take(2).map(str::to_owned).chain(own);
        out.write_record(cells.chain(row.iter().skip(6).map(str::to_owned))).expect("writes");
    }
    String::from_utf8(out.into_inner().expect("writes")).expect("text")
}

pub fn give_back(study: &Study, name: &str, text: &str, more: &[&str]) -> Ran {
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
            let comment = |case: &str| if case == "person3_virus" { "faint" } else { "" }.to_owned();
            filled(study, round, reader, |case: &str| Given {
                comment: comment(case),
                ..differs(case).into()
            })
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

/// What is so, by the words of the id.
pub fn truth(case: &str) -> &'static str {
    if case.ends_with("bacteria") { "positive" } else { "negative" }
}

/// What the page of a reader is told, with its codes in their order.
fn data_of(page: &Path) -> Value {
    let page = std::fs::read_to_string(page).expect("reads");
    let begin = page.find("id=\"round\">").expect("data") + "id=\"round\">".len();
    let data = page[begin..].split("</script>").next().expect("its end");
    serde_json::from_str(data).expect("JSON")
}

/// A file as the page saves it.
pub fn page_file<G: Into<Given>>(
    study: &Study,
    page: &Path,
    session: &str,
    says: impl Fn(&str) -> G,
) -> String {
    let data = data_of(page);
    let cases = cases_by_code(&map_of(study, data["round"].as_str().expect("a name")));
    let reads: Vec<Value> = data["cases"]
        .as_array()
        .expect("cases")
        .iter()
        .map(|case| {
            let code = case["code"].as_str().expect("a code");
            let Given { answer, confidence, comment } = says(&cases[code]).into();
            let answered = (!answer.is_empty()).then_some("2026-01-01T10:00:03.000Z");
            json!({
                "code": code, "answer": answered.map(|_| answer), "confidence": confidence,
                "comment": comment, "shown_at": "2026-01-01T10:00:00.000Z", "answered_at": answered,
                "seconds": 3, "changes": 0,
            })
        })
        .collect();
    let mut file = json!({
        "format": data["format"], "study": data["study"], "round": data["round"], "reader": data["reader"],
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

/// A script of `tests/browser`, or nothing: then the test says by name that it was skipped.
pub fn browser(test: &str, script: &str) -> Option<PathBuf> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser").join(script);
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

/// What a script says of a page.
pub fn driven(script: &Path, arguments: &[&Path]) -> Value {
    let ran = std::process::Command::new("node").arg(script).args(arguments).output().expect("starts");
    let stderr = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{stderr}");
    serde_json::from_slice(&ran.stdout).expect("JSON")
}

/// A reader answers every case on the page with the keyboard: the file that the page saves, and the words of
/// its answers.
pub fn read_on_page<G: Into<Given>>(
    study: &Study,
    page: &Path,
    script: &Path,
    says: impl Fn(&str) -> G,
) -> (String, Value) {
    let data = data_of(page);
    let cases = cases_by_code(&map_of(study, data["round"].as_str().expect("a name")));
    let given = |(code, case): (&String, &String)| {
        let Given { answer, confidence, comment } = says(case).into();
        (code.clone(), json!({"answer": answer, "confidence": confidence, "comment": comment}))
    };
    let plan: serde_json::Map<String, Value> = cases.iter().map(given).collect();
    let [plan_file, out] = ["plan.json", "saved.json"].map(|name| study.file("desk").join(name));
    std::fs::create_dir_all(study.file("desk")).expect("creates");
    std::fs::write(&plan_file, Value::Object(plan).to_string()).expect("writes");
    let said = driven(script, &[page, &out, &plan_file]);
    for key in ["faults", "requests", "axe"] {
        assert_eq!(said[key], json!([]), "{key}");
    }
    (std::fs::read_to_string(out).expect("reads"), said)
}

/// A study with twelve phantoms of the demonstration, two of them as DICOM with a window.
pub fn with_phantoms() -> Study {
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
