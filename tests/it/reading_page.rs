//! The reading page in headless Chromium: read with the keyboard alone, kept over a reload, and taken in.

use std::path::PathBuf;

use sequester::statistics::agreement::ordinal::{Weights, weighted_kappa};
use serde_json::{Value, json};

use crate::reading::{
    CASES, Given, browser, cases_by_code, done, driven, filled, form_of, give_back, map_of, page_file,
    read_on_page, reads, study, truth, with_phantoms,
};

#[test]
fn a_reader_reads_on_the_page_with_the_keyboard_and_the_reads_come_in() {
    let Some(script) =
        browser("a_reader_reads_on_the_page_with_the_keyboard_and_the_reads_come_in", "read.mjs")
    else {
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
        let said = driven(&script, &[&page, &out]);
        let empty = |key: &str| assert_eq!(said[key], json!([]), "{key}");
        ["axe", "requests", "faults"].into_iter().for_each(empty);
        assert_eq!(said["resumed"], "6 of 12 answered", "after a reload in the middle");
        assert_eq!(said["elsewhere"], "12 of 12 answered", "in another window");
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
            // How sure the reader was and what the reader wrote come in with the answer.
            let [sure, wrote] = [0, 1].map(|nth| said["beside"][code][nth].as_str().expect("text"));
            let of = csv::Reader::from_reader(table.as_bytes())
                .into_records()
                .map(|row| row.expect("a row"))
                .find(|row| &row[0] == reader && row[2] == cases[code])
                .expect("a row");
            assert_eq!((&of[6], &of[7]), (sure, wrote), "{code}");
        }
    }
}

/// Scales with the level or number that stands for each of some places between the lowest and the highest.
const SCALES: [(&str, [&str; 5]); 4] = [
    ("min = 1, max = 5, positive_from = 4, indeterminate_from = 3", ["1", "2", "3", "4", "5"]),
    ("min = -2, max = 2, positive_from = 1", ["-2", "-1", "0", "1", "2"]),
    ("min = 1, max = 10, positive_from = 6", ["1", "3", "6", "9", "10"]),
    ("min = 0, max = 100, positive_from = 50", ["0", "12.5", "49.9", "50", "100"]),
];

#[test]
fn every_level_of_a_declared_scale_is_answered_by_key_and_readers_agree_more_or_less() {
    let name = "every_level_of_a_declared_scale_is_answered_by_key_and_readers_agree_more_or_less";
    let script = browser(name, "answer.mjs");
    for (nth, (scale, levels)) in SCALES.into_iter().enumerate() {
        let study = study();
        let reads_section = format!("[reads]\nscale = {{ {scale} }}\n\n[scores]");
        study.replace("protocol.toml", "[scores]", &reads_section);
        done(&reads(&study, "worklist", &["--round", "first"]));
        done(&reads(&study, "page", &["--round", "first", "--reader", "R1"]));
        let place = |case: &str| -> usize {
            let number: usize =
                case.trim_start_matches("person").split('_').next().and_then(|n| n.parse().ok()).expect("id");
            if truth(case) == "positive" { 3 + number / 2 % 2 } else { number / 2 % 3 }
        };
        // The second reader is one level beside the first one on every third case, and once cannot tell.
        let first = |case: &str| Given { confidence: Some(3), ..levels[place(case)].into() };
        let second = |case: &str| match (case, place(case)) {
            ("person5_virus", _) => "indeterminate",
            (_, at) if at % 3 == 1 => levels[at - 1],
            (_, at) => levels[at],
        };
        let page = study.file("rounds/first/first-R1.html");
        let file = match &script {
            Some(script) => {
                let (file, said) = read_on_page(&study, &page, script, first);
                assert_eq!(said["answered"], "12 of 12 answered");
                let offered = said["labels"].as_array().map(Vec::len);
                assert_eq!(offered, Some([7, 7, 12, 2][nth]), "{said}");
                assert!(said["about"][0].as_str().is_some_and(|text| text.contains("speaks most against")));
                file
            }
            None => page_file(&study, &page, "aa", first),
        };
        let form = form_of(&study, "first", "R2");
        let words = [
            "1, 2, 3, 4, 5, ind",
            "-2, -1, 0, 1, 2, ind",
            "8, 9, 10, ind",
            "a number from 0 to 100, or: ind",
        ];
        assert!(form.contains(words[nth]), "{form}");
        done(&give_back(&study, "R1.json", &file, &[]));
        done(&give_back(&study, "R2.csv", &filled(&study, "first", "R2", second), &[]));
        done(&give_back(&study, "C.csv", &filled(&study, "first", "C", first), &[]));
        done(&reads(&study, "worklist", &["--round", "last", "--adjudication"]));
        let settled = |case: &str| if truth(case) == "positive" { levels[4] } else { levels[0] };
        done(&give_back(&study, "A.csv", &filled(&study, "last", "A", settled), &[]));
        let ran = study.run("run", &[]);
        assert!([0, 10].contains(&ran.code), "{}{}", ran.stdout, ran.stderr);
        let results: Value =
            serde_json::from_str(&study.read("evidence/run-1/data/results.json")).expect("JSON");
        let found = results["ordinal_agreement"].as_array().expect("agreement on the scale");
        let linear = found.iter().find(|e| e["id"] == "weighted_kappa_linear").expect("kappa");
        assert_eq!((linear["model"].as_str(), linear["n"].as_u64()), (Some("R1 vs R2"), Some(11)));
        // The same from the answers themselves.
        let all: Vec<f64> = match nth {
            0 => (1..=5).map(f64::from).collect(),
            1 => (-2..=2).map(f64::from).collect(),
            2 => (1..=10).map(f64::from).collect(),
            // Numbers that are no whole ones: those that were given.
            _ => levels.iter().map(|level| level.parse().expect("a number")).collect(),
        };
        let at = |level: &str| {
            let value: f64 = level.parse().ok()?;
            all.iter().position(|known| (known - value).abs() < 1e-9)
        };
        let table: Vec<Vec<Option<usize>>> = (0..CASES)
            .map(|i| format!("person{i}_{}", if i % 2 == 0 { "bacteria" } else { "virus" }))
            .map(|case| vec![at(levels[place(&case)]), at(second(&case))])
            .collect();
        let direct = weighted_kappa(&table, 0, 1, &all, Weights::Linear).expect("a value").value;
        let value = linear["value"].as_f64().expect("a value");
        assert!((value - direct).abs() < 1e-12, "{scale}: {value} and {direct}");
        assert!(study.read("reports/run-1/truthing.md").contains("Weighted kappa, linear"), "{scale}");
        let derivation = study.read("evidence/run-1/data/derivation.csv");
        assert!(derivation.contains("C=3; R1=3"), "{scale}: {derivation}");
    }
}
