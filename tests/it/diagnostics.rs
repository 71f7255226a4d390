//! Every diagnostic code of the source stands in `docs/diagnostics.md`, and every code there is in the source.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Files in which a code reaches `Diagnostic` through a variable. How their callers name it is in [`PLACES`];
/// another file with such a call needs its way added there first.
const COMPUTED: [&str; 11] = [
    "cli/score_table.rs",
    "cli/split.rs",
    "dataset/cases.rs",
    "dataset/split.rs",
    "declared.rs",
    "diagnostic.rs",
    "evidence/bag.rs",
    "inference/scores.rs",
    "model/weights.rs",
    "report/template.rs",
    "study/derive.rs",
];

/// Calls that take a code: the name, whether it is called as a method, and which argument is the code.
const PLACES: [(&str, bool, usize); 10] = [
    ("wrong", true, 1),
    ("wrong", false, 0),
    ("report", false, 0),
    ("usage", false, 0),
    ("warn", false, 0),
    ("coded", false, 0),
    ("required", false, 1),
    ("incomplete", false, 1),
    ("located", false, 1),
    ("found", false, 2),
];

/// As much of Rust's grammar as is needed to tell code from comments and strings.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Token {
    Word(String),
    Text(String),
    Mark(char),
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// `r"..."`, `r#"..."#`, `br"..."`: the text and where it ends.
fn raw_string(chars: &[char], start: usize) -> Option<(String, usize)> {
    let mut i = start + usize::from(chars[start] == 'b');
    if chars.get(i) != Some(&'r') {
        return None;
    }
    i += 1;
    let hashes_at = |i: usize| chars[i..].iter().take_while(|c| **c == '#').count();
    let hashes = hashes_at(i);
    i += hashes;
    if chars.get(i) != Some(&'"') {
        return None;
    }
    let begin = i + 1;
    let end = (begin..chars.len()).find(|&i| chars[i] == '"' && hashes_at(i + 1) >= hashes)?;
    Some((chars[begin..end].iter().collect(), end + 1 + hashes))
}

fn tokens(source: &str) -> Vec<Token> {
    let chars: Vec<char> = source.chars().collect();
    let at = |i: usize| chars.get(i).copied().unwrap_or('\0');
    let mut tokens = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        let c = at(i);
        if c == '/' && at(i + 1) == '/' {
            while i < chars.len() && at(i) != '\n' {
                i += 1;
            }
        } else if c == '/' && at(i + 1) == '*' {
            let mut depth = 0_u32;
            while i < chars.len() {
                match (at(i), at(i + 1)) {
                    ('/', '*') => {
                        depth += 1;
                        i += 2;
                    }
                    ('*', '/') => {
                        depth -= 1;
                        i += 2;
                    }
                    _ => i += 1,
                }
                if depth == 0 {
                    break;
                }
            }
        } else if let Some((text, end)) = raw_string(&chars, i) {
            tokens.push(Token::Text(text));
            i = end;
        } else if c == '"' {
            let start = i + 1;
            i = start;
            while i < chars.len() && at(i) != '"' {
                i += if at(i) == '\\' { 2 } else { 1 };
            }
            let end = i.min(chars.len());
            tokens.push(Token::Text(chars[start..end].iter().collect()));
            i += 1;
        } else if c == '\'' && at(i + 1) == '\\' {
            i += 3;
            while i < chars.len() && at(i) != '\'' {
                i += 1;
            }
            i += 1;
            tokens.push(Token::Mark('\''));
        } else if c == '\'' && at(i + 2) == '\'' {
            i += 3;
            tokens.push(Token::Mark('\''));
        } else if is_word(c) {
            let start = i;
            while is_word(at(i)) {
                i += 1;
            }
            tokens.push(Token::Word(chars[start..i].iter().collect()));
        } else {
            // A lifetime's apostrophe is skipped, its name is a word.
            if !c.is_whitespace() && c != '\'' {
                tokens.push(Token::Mark(c));
            }
            i += 1;
        }
    }
    tokens
}

/// The arguments of a call whose opening parenthesis is at `open`.
fn arguments(tokens: &[Token], open: usize) -> Vec<&[Token]> {
    let mut arguments = Vec::new();
    let mut start = open + 1;
    let mut depth = 0_u32;
    for (i, token) in tokens.iter().enumerate().skip(open + 1) {
        match token {
            Token::Mark('(' | '[' | '{') => depth += 1,
            Token::Mark(')' | ']' | '}') if depth == 0 => {
                arguments.push(&tokens[start..i]);
                return arguments;
            }
            Token::Mark(')' | ']' | '}') => depth -= 1,
            Token::Mark(',') if depth == 0 => {
                arguments.push(&tokens[start..i]);
                start = i + 1;
            }
            _ => {}
        }
    }
    arguments
}

/// An argument that is one string literal and nothing else.
fn literal<'a>(arguments: &[&'a [Token]], index: usize) -> Option<&'a str> {
    match arguments.get(index).copied() {
        Some([Token::Text(text)]) => Some(text.as_str()),
        _ => None,
    }
}

fn is_code(text: &str) -> bool {
    let plain =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    text.split('-').all(plain)
}

/// Codes by the files that name them, and the files that hand a computed code to `Diagnostic`.
#[derive(Default)]
struct Scan {
    codes: BTreeMap<String, BTreeSet<String>>,
    computed: BTreeSet<String>,
}

impl Scan {
    fn add(&mut self, text: &str, file: &str) {
        let code = text.trim_end_matches(':');
        if is_code(code) {
            self.codes.entry(code.to_owned()).or_default().insert(file.to_owned());
        }
    }

    fn file(&mut self, file: &str, source: &str) {
        let tokens = tokens(source);
        let word = |i: usize| match tokens.get(i) {
            Some(Token::Word(word)) => word.as_str(),
            _ => "",
        };
        let mark = |i: usize| match tokens.get(i) {
            Some(Token::Mark(mark)) => *mark,
            _ => ' ',
        };
        for i in 0..tokens.len() {
            // An estimate's warning: `code: message`.
            if let Token::Text(text) = &tokens[i]
                && file.starts_with("analysis/")
                && let Some((code, _)) = text.split_once(": ")
            {
                self.add(code, file);
            }
            // `x.code = "..."`, `let code = if ... { "..." } else { "..." }`, `code: "...".into()`.
            if word(i) == "code" && matches!(mark(i + 1), '=' | ':') && !matches!(mark(i + 2), '=' | ':') {
                for token in &tokens[i + 2..] {
                    match token {
                        Token::Mark(';' | ',') => break,
                        Token::Text(text) => self.add(text, file),
                        _ => {}
                    }
                }
            }
            if mark(i + 1) != '(' || word(i).is_empty() || (i > 0 && word(i - 1) == "fn") {
                continue;
            }
            let arguments = arguments(&tokens, i + 1);
            let of_diagnostic = i > 2
                && mark(i - 1) == ':'
                && mark(i - 2) == ':'
                && matches!(word(i - 3), "Diagnostic" | "Self");
            if matches!(word(i), "error" | "warning") && of_diagnostic {
                match literal(&arguments, 0) {
                    Some(code) => self.add(code, file),
                    None => {
                        self.computed.insert(file.to_owned());
                    }
                }
            }
            let method = i > 0 && mark(i - 1) == '.';
            for (name, as_method, index) in PLACES {
                if word(i) == name
                    && method == as_method
                    && let Some(code) = literal(&arguments, index)
                {
                    self.add(code, file);
                }
            }
        }
    }
}

/// The source without its unit tests, which stand last in a file.
fn without_tests(text: &str) -> &str {
    const MARK: &str = "\n#[cfg(test)]\n";
    for (at, _) in text.match_indices(MARK) {
        let next = text[at + MARK.len()..].lines().next().unwrap_or_default();
        if next.ends_with("mod tests {") {
            return &text[..at];
        }
    }
    text
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("lists").flatten() {
        let path = entry.path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
            files.push(path);
        }
    }
}

fn scan() -> Scan {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    rust_files(&source, &mut files);
    let mut scan = Scan::default();
    for path in files {
        let text = std::fs::read_to_string(&path).expect("reads");
        let file = path.strip_prefix(&source).expect("below src").to_string_lossy().replace('\\', "/");
        scan.file(&file, without_tests(&text));
    }
    scan
}

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

fn documented() -> Vec<String> {
    rows().iter().map(|row| row[0].trim_matches('`').to_owned()).collect()
}

#[test]
fn every_code_of_the_source_is_documented() {
    let documented: BTreeSet<String> = documented().into_iter().collect();
    let scan = scan();
    assert!(scan.codes.len() > 150, "the scan finds only {} codes", scan.codes.len());
    let missing: Vec<_> = scan.codes.iter().filter(|(code, _)| !documented.contains(*code)).collect();
    assert!(missing.is_empty(), "not in docs/diagnostics.md: {missing:#?}");
}

#[test]
fn every_documented_code_is_in_the_source() {
    let scan = scan();
    let lost: Vec<_> = documented().into_iter().filter(|code| !scan.codes.contains_key(code)).collect();
    assert!(lost.is_empty(), "in docs/diagnostics.md, but nowhere in src/: {lost:#?}");
}

#[test]
fn a_code_reaches_a_diagnostic_only_in_ways_that_the_scan_knows() {
    let known: BTreeSet<String> = COMPUTED.iter().map(|file| (*file).to_owned()).collect();
    assert_eq!(scan().computed, known, "add how callers name the code to PLACES, then the file to COMPUTED");
}

#[test]
fn every_row_is_complete_and_stands_once() {
    let mut seen = BTreeSet::new();
    for row in rows() {
        assert_eq!(row.len(), 4, "{row:?}");
        assert!(row.iter().all(|cell| !cell.is_empty()), "{row:?}");
        assert!(is_code(row[0].trim_matches('`')), "{row:?}");
        assert!(["1", "2", "20", "30", "130", "–"].contains(&row[3].as_str()), "{row:?}");
        assert!(seen.insert(row[0].clone()), "{} stands twice", row[0]);
    }
}

#[test]
fn the_scan_tells_code_from_comments_and_strings() {
    let mut scan = Scan::default();
    scan.file(
        "x.rs",
        r##"
        // Diagnostic::error("in-comment", "x")
        /* /* Diagnostic::error("in-block", "x") */ */
        fn f<'a>(c: char) -> bool { c == '"' || c == '\'' }
        let s = r#"Diagnostic::error("in-raw", "x")"#;
        let t = "Diagnostic::error(\"in-text\", \"x\")";
        Diagnostic::error(
            "one-code",
            format!("a, b ({})", 1),
        );
        section.wrong("key", "two-code", "message");
        let code = if a == "Patient ID" { "three-code" } else { "four-code" };
        if d.code == "compared-code" {}
        found(folder, &path(a, b), "five-code", "message");
        "##,
    );
    let codes: Vec<&str> = scan.codes.keys().map(String::as_str).collect();
    assert_eq!(codes, ["five-code", "four-code", "one-code", "three-code", "two-code"]);
    assert!(scan.computed.is_empty());
}
