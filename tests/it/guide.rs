//! The coordinator's guide is typed as it stands, and answers as it says. `SEQUESTER_WRITE_GUIDE=1` writes
//! the answers into it.

use std::path::Path;
use std::process::Command;

use crate::reads_formats::fixtures;

/// A line that is typed, as words: blanks separate them, double quotes keep them together.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quoted, mut any) = (Vec::new(), String::new(), false, false);
    for c in line.chars() {
        match c {
            '"' => {
                quoted = !quoted;
                any = true;
            }
            ' ' if !quoted => {
                if any || !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
                any = false;
            }
            c => word.push(c),
        }
    }
    if any || !word.is_empty() {
        words.push(word);
    }
    assert!(!quoted, "a quote is not closed: {line}");
    words
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("creates");
    for entry in std::fs::read_dir(from).expect("lists").flatten() {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("copies");
        }
    }
}

/// What the terminal shows after a command.
fn typed(folder: &Path, line: &str) -> String {
    let mut words = words(line);
    assert_eq!(words.remove(0), "sequester", "{line}");
    let ran = Command::new(env!("CARGO_BIN_EXE_sequester"))
        .args(&words)
        .current_dir(folder)
        .env("SOURCE_DATE_EPOCH", "1767225600")
        .env("NO_COLOR", "1")
        .output()
        .expect("the program starts");
    let shown = [ran.stdout, ran.stderr].concat();
    String::from_utf8(shown).expect("text").trim_end().to_owned()
}

#[test]
fn the_coordinator_s_guide_is_what_happens() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide-coordinator.md");
    let guide = std::fs::read_to_string(&path).expect("the guide");
    let folder = tempfile::tempdir().expect("a folder");
    copy(&fixtures().join("guide"), folder.path());
    let mut out = String::new();
    let (mut inside, mut commands) = (false, 0);
    for line in guide.lines() {
        if inside && line == "```" {
            inside = false;
        } else if line == "```console" {
            inside = true;
        } else if inside {
            let Some(command) = line.strip_prefix("$ ") else { continue };
            commands += 1;
            // The version is another one in each release.
            let shown = typed(folder.path(), command).replace(env!("CARGO_PKG_VERSION"), "VERSION");
            out.push_str(&format!("{line}\n{shown}\n"));
            continue;
        }
        out.push_str(&format!("{line}\n"));
    }
    assert!(commands >= 12, "{commands}");
    if std::env::var_os("SEQUESTER_WRITE_GUIDE").is_some() {
        std::fs::write(&path, &out).expect("writes");
        return;
    }
    for (nth, (says, happens)) in guide.lines().zip(out.lines()).enumerate() {
        assert_eq!(says, happens, "docs/guide-coordinator.md, line {}", nth + 1);
    }
    assert_eq!(guide.lines().count(), out.lines().count());
}
