//! The list of codes and `docs/diagnostics.md` are equal, and every code is used.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use sequester::diagnostic::Code;

/// The cells of every row of the document whose first cell is a code.
fn rows() -> Vec<Vec<String>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/diagnostics.md");
    let text = std::fs::read_to_string(path).expect("reads");
    let cells = |line: &str| -> Vec<String> {
        let line = line.trim().trim_start_matches('|').trim_end_matches('|');
        line.split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    text.lines().filter(|line| line.starts_with("| `")).map(cells).collect()
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("lists").flatten() {
        let path = entry.path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

#[test]
fn the_list_of_codes_and_the_document_are_equal() {
    let documented: Vec<String> = rows().iter().map(|row| row[0].trim_matches('`').to_owned()).collect();
    let listed: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    assert_eq!(listed, documented, "src/diagnostic/code.rs and docs/diagnostics.md differ");
}

#[test]
fn every_code_is_used_outside_the_list() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    let mut used = BTreeSet::new();
    for path in files.iter().filter(|path| !path.ends_with("diagnostic/code.rs")) {
        let text = std::fs::read_to_string(path).expect("reads");
        for (at, mark) in text.match_indices("Code::") {
            let name: String =
                text[at + mark.len()..].chars().take_while(|c| c.is_ascii_alphanumeric()).collect();
            used.insert(name);
        }
    }
    let named = Code::ALL.iter().map(|code| format!("{code:?}"));
    let unused: Vec<String> = named.filter(|name| !used.contains(name)).collect();
    assert_eq!(unused, Vec::<String>::new(), "codes that nothing reports");
}

#[test]
fn codes_are_kebab_case_and_come_back_from_their_text() {
    for code in Code::ALL {
        let text = code.as_str();
        let plain = |part: &str| {
            !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit())
        };
        assert!(text.split('-').all(plain), "{text}");
        assert_eq!(Code::from_text(text), Some(*code));
        let json = serde_json::to_string(code).expect("writes");
        assert_eq!(
            (json.as_str(), serde_json::from_str::<Code>(&json).ok()),
            (&*format!("\"{text}\""), Some(*code))
        );
    }
}

#[test]
fn every_row_is_complete_and_stands_once() {
    let mut seen = BTreeSet::new();
    for row in rows() {
        assert_eq!(row.len(), 4, "{row:?}");
        assert!(row.iter().all(|cell| !cell.is_empty()), "{row:?}");
        assert!(["1", "2", "10", "20", "21", "30", "130", "–"].contains(&row[3].as_str()), "{row:?}");
        assert!(seen.insert(row[0].clone()), "{} stands twice", row[0]);
    }
}
