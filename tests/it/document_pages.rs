//! The pages of the set in headless Chromium, as somebody at 200 % and somebody with a telephone sees them.

use std::path::PathBuf;

use serde_json::json;

use crate::reading::{browser, driven};
use crate::support::{Study, files};

/// A study whose words are as long and as foreign as words get.
fn study() -> Study {
    let study = Study::small();
    let long = "Radiological-Institute_of.the/UniversityHospital".repeat(3);
    let foreign = "\u{5d1}\u{5d9}\u{5ea} \u{5d7}\u{5d5}\u{5dc}\u{5d9}\u{5dd} \u{80ba}\u{708e} <b>bold</b>";
    study.write(
        "device.toml",
        &format!(
            "[device]\nname = \"{long}\"\nintended_use = \"{foreign}\"\nlimitations = [\"{foreign}\", \
             \"{long}\"]\n\n[[comparison]]\ncharacteristic = \"{long}\"\nsubject = \"auto:auc\"\npredicate = \
             \"{long}\"\ndiscussion = \"{foreign}\"\nsource = \"{long}\"\nsame = false\n"
        ),
    );
    study
}

#[test]
fn every_page_is_read_at_200_percent_and_on_a_telephone() {
    let test = "every_page_is_read_at_200_percent_and_on_a_telephone";
    let Some(script) = browser(test, "documents.mjs") else { return };
    let study = study();
    for (command, more) in
        [("validate", &[][..]), ("report", &["--documents", "all"][..]), ("report", &["--explore"][..])]
    {
        let ran = study.run(command, more);
        assert!(matches!(ran.code, 0 | 10), "{command}: {}{}", ran.stdout, ran.stderr);
    }
    let written = files(&study.file("reports/run-1")).into_keys();
    let pages: Vec<PathBuf> = written
        .filter(|path| path.extension().is_some_and(|ending| ending == "html"))
        .chain([study.file("views/run-1/evidence.html")])
        .collect();
    assert!(pages.len() >= 14, "{pages:?}");
    let said = driven(&script, &pages.iter().map(PathBuf::as_path).collect::<Vec<_>>());
    for key in ["requests", "faults"] {
        assert_eq!(said[key], json!([]), "{key}");
    }
    for (page, found) in said["pages"].as_object().expect("pages") {
        assert_eq!(*found, json!([]), "{page}");
    }
}
