//! Reading rounds: what is handed out, and what comes back.

use std::collections::BTreeSet;
use std::path::PathBuf;

use sequester::imaging::viewed::Viewed;
use serde_json::Value;

use crate::reading::{
    CASES, cases_by_code, done, filled, filled_by_all, form_of, give_back, map_of, page_file, reads, refused,
    study, truth, with_phantoms,
};
use crate::support::{Study, sequester};

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

/// Everything of the study that a reader should not see is changed, and what is handed out stays the same.
#[test]
fn what_is_handed_out_does_not_depend_on_what_readers_should_not_see() {
    let study = study();
    let hand_out = || {
        done(&reads(&study, "worklist", &["--round", "first"]));
        done(&reads(&study, "page", &["--round", "first", "--reader", "R1"]));
        done(&reads(&study, "page", &["--round", "first", "--reader", "C", "--folder"]));
        crate::support::files(&study.file("rounds"))
    };
    let before = hand_out();
    assert_eq!(before.len(), 3 + 1 + 1 + CASES);
    done(&give_back(&study, "R2.csv", &filled(&study, "first", "R2", truth), &[]));
    // Labels, findings, patients, ages, sexes, the order of the table and the names of its files.
    let table = study.read("cases.csv");
    let mut lines = table.lines();
    let header = lines.next().expect("a header");
    let changed = lines.enumerate().map(|(nth, line)| {
        let cells: Vec<&str> = line.split(',').collect();
        let label = if cells[5] == "1" { "0" } else { "1" };
        let image = format!("renamed-{nth}.png");
        std::fs::rename(study.file(&format!("images/{}", cells[7])), study.file(&format!("images/{image}")))
            .expect("renames");
        format!("{},someone-{nth},M,{},AP,{label},Mass,{image}\n", cells[0], 70 - nth)
    });
    let mut changed: Vec<String> = changed.collect();
    changed.reverse();
    study.write("cases.csv", &format!("{header}\n{}", changed.concat()));
    study.write("scores.csv", "case_id,score\nperson0_bacteria,0.999999\n");
    study.replace("protocol.toml", "title = \"A small study\"", "title = \"Another title\"");
    std::fs::remove_dir_all(study.file("rounds")).expect("removes");
    assert_eq!(hand_out(), before);
}

/// RFC 4648, as far as the page uses it.
fn from_base64(text: &str) -> Vec<u8> {
    const SIGNS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let places = text.bytes().filter_map(|sign| SIGNS.iter().position(|known| *known == sign));
    let (mut out, mut bits, mut held) = (Vec::new(), 0_u32, 0);
    for place in places {
        held = (held << 6) | place as u32;
        bits += 6;
        if bits >= 8 {
            bits -= 8;
            out.push((held >> bits) as u8);
            held &= (1 << bits) - 1;
        }
    }
    out
}

/// The images on a page are pixels alone: no text of the file that they come from is in them, or beside them.
#[test]
fn no_text_of_an_image_file_reaches_the_reader() {
    let study = with_phantoms();
    let mut marked =
        ::image::GrayImage::from_fn(40, 30, |x, y| ::image::Luma([(x * 5 + y) as u8])).into_raw();
    marked.truncate(40 * 30);
    let mut png = Vec::new();
    let mut encoder = ::png::Encoder::new(&mut png, 40, 30);
    encoder.set_color(::png::ColorType::Grayscale);
    encoder.add_text_chunk("Author".to_owned(), "HOLDER OF THE RECORD".to_owned()).expect("a text");
    encoder.write_header().expect("a header").write_image_data(&marked).expect("pixels");
    std::fs::write(study.file("images/IM-0004-bacteria.png"), &png).expect("writes");
    // What the two DICOM files say in letters: identifiers, names, dates and descriptions.
    let mut never: BTreeSet<String> = ["HOLDER OF THE RECORD".to_owned()].into();
    for name in ["IM-0000-bacteria.png", "IM-0001-virus.png"] {
        let bytes = std::fs::read(study.file(&format!("images/{name}"))).expect("reads");
        let header = &bytes[132..bytes.len().min(132 + 2048)];
        let words = header.split(|byte| !(byte.is_ascii_alphanumeric() || b".-^_ ".contains(byte)));
        let words = words.filter_map(|word| std::str::from_utf8(word).ok()).map(str::trim);
        never.extend(words.filter(|word| word.len() >= 8).map(str::to_owned));
    }
    assert!(never.len() > 8, "{never:?}");
    done(&reads(&study, "worklist", &["--round", "first"]));
    done(&reads(&study, "page", &["--round", "first", "--reader", "R1"]));
    let page = study.read("rounds/first/first-R1.html");
    let mut images = 0;
    for part in page.split("data-code=\"").skip(1) {
        let Some((_, image)) = part.split_once("\">") else { continue };
        let bytes = from_base64(image.split("</script>").next().expect("its end"));
        assert!(bytes.starts_with(b"\x89PNG\r\n\x1a\n"));
        let mut at = 8;
        while at < bytes.len() {
            let length = u32::from_be_bytes(bytes[at..at + 4].try_into().expect("four bytes")) as usize;
            let kind = String::from_utf8_lossy(&bytes[at + 4..at + 8]).into_owned();
            assert!(["IHDR", "IDAT", "IEND"].contains(&kind.as_str()), "a chunk {kind}");
            at += 12 + length;
        }
        images += 1;
    }
    assert_eq!(images, CASES);
    for word in &never {
        assert!(!page.contains(word.as_str()), "{word}");
    }
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
    let good = page_file(&study, &study.file("rounds/first/first-R1.html"), "aa", truth);
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
    let other = page_file(&study, &study.file("rounds/first/first-R1.html"), "bb", truth);
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
