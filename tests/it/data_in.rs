//! Data as they come in, by the program: images in NIH's folders, NIH's labels, and the cache of images.

use std::path::Path;
use std::time::{Duration, SystemTime};

use crate::support::sequester;

const HEADER: &str =
    "Image Index,Finding Labels,Follow-up #,Patient ID,Patient Age,Patient Gender,View Position\n";

/// A grey image whose pattern differs by `kind`.
fn picture(path: &Path, kind: u32) {
    std::fs::create_dir_all(path.parent().expect("a folder")).expect("creates");
    let pixels = image::GrayImage::from_fn(64, 64, |x, y| {
        let value = (x * (kind * 7 + 3) + y * (kind * 13 + 1)) ^ (x * y * (kind + 1) / 9);
        image::Luma([(value % 256) as u8])
    });
    pixels.save(path).expect("saves");
}

fn json(text: &str) -> serde_json::Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn leakage_reads_images_where_the_archives_put_them() {
    let folder = tempfile::tempdir().expect("folder");
    let at = |name: &str| folder.path().join(name);
    let text = |name: &str| at(name).to_str().expect("text").to_owned();
    picture(&at("nih/images_001/images/00000001_000.png"), 1);
    picture(&at("nih/images_002/images/00000002_000.png"), 2);
    picture(&at("nih/images_012/images/00000003_000.png"), 3);
    std::fs::copy(at("nih/images_001/images/00000001_000.png"), at("nih/images_012/images/00000004_000.png"))
        .expect("copies");
    // The first picture a little brighter: other bytes, other pixels, the same look.
    let brighter = image::open(at("nih/images_001/images/00000001_000.png")).expect("opens").brighten(3);
    brighter.save(at("nih/images_012/images/00000006_000.png")).expect("saves");
    let table = |name: &str, patients: &[u32]| {
        let rows = patients.iter().map(|p| format!("{p:08}_000.png,No Finding,0,{p},50,F,PA\n"));
        std::fs::write(at(name), HEADER.to_owned() + &rows.collect::<String>()).expect("writes");
    };
    table("one.csv", &[1, 2]);
    table("two.csv", &[3]);
    table("copy.csv", &[4]);
    table("lost.csv", &[5]);
    table("alike.csv", &[6]);
    let run = |second: &str| {
        let [one, second, images] = [text("one.csv"), text(second), text("nih")];
        sequester(&["dataset", "leakage", &one, &second, "--format", "nih", "--images", &images, "--json"])
    };
    let apart = run("two.csv");
    assert_eq!(apart.code, 0, "{}", apart.stderr);
    assert_eq!(json(&apart.stdout)["images_read"], true);
    assert_eq!(json(&apart.stdout)["sets"][0]["table"], "one.csv", "the folder is nobody's business");
    let copied = run("copy.csv");
    assert_eq!(copied.code, 10, "{}", copied.stderr);
    let found = json(&copied.stdout)["in_common"].clone();
    assert_eq!(found[0]["kind"], "file", "{found}");
    assert_eq!(found[0]["pairs"][0]["second"]["case_id"], "00000004_000.png");
    let alike = run("alike.csv");
    assert_eq!(alike.code, 10, "{}", alike.stderr);
    let found = json(&alike.stdout)["in_common"].clone();
    assert_eq!(
        (&found[0]["kind"], found.as_array().map(Vec::len)),
        (&"near-duplicate".into(), Some(1)),
        "{found}"
    );
    let lost = run("lost.csv");
    assert_eq!(lost.code, 1);
    assert!(lost.stdout.contains("file-missing") || lost.stderr.contains("file-missing"), "{}", lost.stdout);
}

#[test]
fn names_in_case_tables_are_warned_about_and_never_repeated() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("cases.csv");
    let rows = "C1,P1,a/Doe_John_1970.png\nC2,P2,b/0002.png\nC3,P3_1970-01-31,c/0003.png\n";
    std::fs::write(&path, format!("case_id,patient_id,image\n{rows}")).expect("writes");
    let ran = sequester(&["dataset", "describe", path.to_str().expect("text"), "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let warnings = &json(&ran.stdout)["warnings"];
    assert_eq!(warnings[0]["code"], "identifier-telling", "{warnings}");
    let message = warnings[0]["message"].as_str().expect("text");
    assert!(message.starts_with("2 case ids") && message.ends_with("lines 2, 4"), "{message}");
    for told in [&ran.stdout, &ran.stderr] {
        assert!(!told.contains("Doe") && !told.contains("1970"), "{told}");
    }
}

#[test]
fn an_nih_image_that_nobody_labelled_is_no_negative() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("Data_Entry_2017.csv");
    let run = |rows: &str| {
        std::fs::write(&path, format!("{HEADER}{rows}")).expect("writes");
        let table = path.to_str().expect("text");
        sequester(&["dataset", "describe", table, "--positive", "Pneumonia", "--json"])
    };
    let empty = run("a.png,Pneumonia,0,1,50,F,PA\nb.png,,0,2,50,F,PA\n");
    assert_eq!(empty.code, 1);
    assert!(
        empty.stdout.contains("finding-labels-missing") || empty.stderr.contains("finding-labels-missing")
    );
    let odd = run("a.png,Pneumonia|No Finding,0,1,50,F,PA\nb.png,Cough,0,2,50,F,PA\n");
    assert_eq!(odd.code, 0, "{}", odd.stderr);
    let document = json(&odd.stdout);
    let codes: Vec<_> = document["warnings"].as_array().expect("a list").iter().map(|w| &w["code"]).collect();
    assert_eq!(codes, ["finding-contradiction", "finding-unknown"]);
    assert_eq!(document["inputs"][0]["name"], "Data_Entry_2017.csv");
}

#[test]
fn patients_whose_label_is_not_known_are_not_counted_as_negative() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("cases.csv");
    let run = |table: &str, more: &[&str]| {
        std::fs::write(&path, table).expect("writes");
        let ran = sequester(&[&["dataset", "describe", path.to_str().expect("text")], more].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stdout
    };
    let line = |told: &str, name: &str| {
        let line = told.lines().find_map(|line| line.trim().strip_prefix(name));
        line.map(|rest| rest.trim().to_owned())
    };
    let nobody = "case_id,patient_id\nc1,p1\nc2,p2\n";
    let told = run(nobody, &[]);
    assert_eq!(line(&told, "Patients with a positive image").as_deref(), Some("0/0"), "{told}");
    assert_eq!(line(&told, "Patients without a label").as_deref(), Some("2"), "{told}");
    let set = json(&run(nobody, &["--json"]))["sets"][0].clone();
    let share = serde_json::json!({"numerator": 0, "denominator": 0, "value": null});
    assert_eq!((&set["positives"], &set["positive_patients"]), (&share, &share));
    let some = run("case_id,patient_id,label\nc1,p1,1\nc2,p1,\nc3,p2,0\nc4,p3,\n", &[]);
    assert_eq!(line(&some, "Patients with a positive image").as_deref(), Some("1/2 (50.0%)"), "{some}");
    assert_eq!(line(&some, "Patients without a label").as_deref(), Some("1"), "{some}");
    let all = run("case_id,patient_id,label\nc1,p1,1\nc3,p2,0\n", &[]);
    assert_eq!(line(&all, "Patients without a label"), None, "{all}");
}

#[test]
fn an_age_is_in_one_band_and_one_that_nobody_has_is_said() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("cases.csv");
    let rows = "c1,p1,15\nc2,p2,122\nc3,p3,123\nc4,p4,999\n";
    std::fs::write(&path, format!("case_id,patient_id,age_years\n{rows}")).expect("writes");
    let run = |more: &[&str]| {
        sequester(&[&["dataset", "describe", path.to_str().expect("text"), "--json"], more].concat())
    };
    for bands in ["0-17,10-20", "0-17,17-20", "18-39,0-17", "81-,90-95"] {
        let ran = run(&["--age-bands", bands]);
        assert_eq!(ran.code, 2, "{bands}: {}", ran.stderr);
        assert_eq!(json(&ran.stdout)["diagnostics"][0]["code"], "option-out-of-range", "{bands}");
    }
    let ran = run(&["--age-bands", "0-17,18-"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let document = json(&ran.stdout);
    assert_eq!(document["sets"][0]["age"]["maximum"], 999);
    let [warning] = &document["warnings"].as_array().expect("a list")[..] else {
        panic!("{}", document["warnings"])
    };
    assert_eq!((&warning["code"], &warning["location"]["line"]), (&"age-implausible".into(), &4.into()));
    let message = warning["message"].as_str().expect("text");
    assert!(message.starts_with("2 ages") && message.ends_with("lines 4, 5"), "{message}");
}

#[test]
fn pruning_bounds_the_cache_and_goes_on_where_it_stopped() {
    let folder = tempfile::tempdir().expect("folder");
    let put = |name: &str, bytes: usize, seconds: u64| {
        let path = folder.path().join(name);
        std::fs::write(&path, vec![0; bytes]).expect("writes");
        let file = std::fs::File::options().write(true).open(&path).expect("opens");
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)).expect("sets");
    };
    for (part, seconds) in [
        ("planes-00000000000000aa", 30),
        ("planes-00000000000000bb", 10),
        ("activations-00000000000000cc", 20),
    ] {
        put(&format!("{part}.f32"), 900, seconds);
        put(&format!("{part}.marks"), 100, seconds);
    }
    put("notes.txt", 5000, 1);
    let path = folder.path().to_str().expect("text");
    let prune = |more: &[&str]| {
        let ran = sequester(&[&["cache", "prune", path, "--json", "--to"], more].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        let document = json(&ran.stdout);
        let names: Vec<String> = document["parts"]
            .as_array()
            .expect("a list")
            .iter()
            .map(|p| p["part"].as_str().expect("a name").to_owned())
            .collect();
        (names, document["left_bytes"].as_u64().expect("a number"))
    };
    let total =
        || json(&sequester(&["cache", "list", path, "--json"]).stdout)["bytes"].as_u64().expect("bytes");
    assert_eq!(total(), 3000);
    let first = vec!["planes-00000000000000bb".to_owned()];
    assert_eq!(prune(&["2kB", "--dry-run"]), (first.clone(), 2000));
    assert_eq!(total(), 3000, "a dry run removes nothing");
    assert_eq!(prune(&["2kB"]), (first, 2000));
    assert_eq!(total(), 2000);
    // A prune that was stopped within a part left one of its files.
    std::fs::remove_file(folder.path().join("activations-00000000000000cc.marks")).expect("removes");
    assert_eq!(prune(&["1000"]), (vec!["activations-00000000000000cc".to_owned()], 1000));
    assert_eq!(prune(&["1000"]), (Vec::new(), 1000), "there is nothing left to do");
    assert_eq!(prune(&["0"]).1, 0);
    assert!(folder.path().join("notes.txt").is_file(), "other files stay");
    assert_eq!(sequester(&["cache", "prune", path, "--to", "much"]).code, 2);
    assert_eq!(sequester(&["cache", "prune", path]).code, 2);
}
