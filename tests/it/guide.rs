//! The guides are typed as they stand, and answer as they say. `SEQUESTER_WRITE_GUIDE=1` writes the answers
//! into them.

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

/// The guide with what each command answers, and how many there are.
fn answered(guide: &str, typed: impl Fn(&str) -> String) -> (String, usize) {
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
            let shown = typed(command).replace(env!("CARGO_PKG_VERSION"), "VERSION");
            out.push_str(&format!("{line}\n{shown}\n"));
            continue;
        }
        out.push_str(&format!("{line}\n"));
    }
    (out, commands)
}

fn compare(path: &Path, guide: &str, out: &str) {
    if std::env::var_os("SEQUESTER_WRITE_GUIDE").is_some() {
        std::fs::write(path, out).expect("writes");
        return;
    }
    for (nth, (says, happens)) in guide.lines().zip(out.lines()).enumerate() {
        assert_eq!(says, happens, "{}, line {}", path.display(), nth + 1);
    }
    assert_eq!(guide.lines().count(), out.lines().count());
}

#[test]
fn the_coordinator_s_guide_is_what_happens() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/guide-coordinator.md");
    let guide = std::fs::read_to_string(&path).expect("the guide");
    let folder = tempfile::tempdir().expect("a folder");
    copy(&fixtures().join("guide"), folder.path());
    let (out, commands) = answered(&guide, |command| typed(folder.path(), command));
    assert!(commands >= 12, "{commands}");
    compare(&path, &guide, &out);
}

/// Every digest, whole or shortened, is another one as soon as a bundle is written again.
#[cfg(unix)]
fn without_digests(text: &str) -> String {
    let digest = regex::Regex::new("\\b([0-9a-f]{64}|[0-9a-f]{12})\\b").expect("a pattern");
    digest.replace_all(text, "DIGEST").into_owned()
}

#[cfg(unix)]
#[test]
fn the_auditor_s_guide_is_what_happens() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path = root.join("docs/guide-auditor.md");
    let guide = std::fs::read_to_string(&path).expect("the guide");
    let folder = tempfile::tempdir().expect("a folder");
    copy(&root.join("fixtures/evidence/v2/scored-elsewhere"), &folder.path().join("received/run-1"));
    // The forger's tool, as scripts/tamper.sh has it.
    let tamper = std::fs::read_to_string(root.join("scripts/tamper.sh")).expect("the script");
    let from = tamper.find("repair() {").expect("a function");
    let end = from + tamper[from..].find("\n}\n").expect("its end") + 3;
    let repair = format!("bag=$1\n{}\nrepair\n", &tamper[from..end]);
    std::fs::write(folder.path().join("repair.sh"), repair).expect("writes");
    let program = Path::new(env!("CARGO_BIN_EXE_sequester")).parent().expect("a folder");
    let paths = std::env::var("PATH").unwrap_or_default();
    let (out, commands) = answered(&guide, |command| {
        let ran = Command::new("sh")
            .args(["-c", &format!("{{ {command}; }} 2>&1")])
            .current_dir(folder.path())
            .env("PATH", format!("{}:{paths}", program.display()))
            .env("NO_COLOR", "1")
            .output()
            .expect("a shell");
        without_digests(String::from_utf8(ran.stdout).expect("text").trim_end())
    });
    assert!(commands >= 7, "{commands}");
    compare(&path, &guide, &out);
}
