//! Which names of files may lie in a bundle: every name that comes from outside passes here before anything
//! is recorded, and [`super::bag::write`] asks once more. Pure: it sees names, no files.
//!
//! Refused is what one of the public tools cannot check, or what another file system makes one of two files:
//!
//! - `%`, CR and LF: RFC 8493 (2.1.3) encodes all three in a manifest, `bagit.py` decodes the last two alone,
//!   and `sha256sum -c` decodes none, so no manifest is right for all three readers;
//! - control characters and the separators U+2028 and U+2029, at which `bagit.py` ends a line, and a white
//!   space at the end of a name, which it cuts off; `\` and `:`, which are no part of a name on Windows
//!   ([`RelativePath`] refuses them);
//! - two names (or folders) that are equal when capitals, the Unicode form and trailing dots and spaces are
//!   left out of account: on macOS and Windows they are one file.
//!
//! Warned of is a name that this system keeps and another does not: reserved on Windows, in another Unicode
//! form than NFC, or with a character that does not show. A bundle that holds refused names already, from an
//! earlier version, is still verified.

use std::collections::{BTreeMap, BTreeSet};

use unicode_normalization::UnicodeNormalization as _;

use crate::diagnostic::{Code, Diagnostic, Location};
use crate::digest::RelativePath;

/// A name in a bundle, with the place that a message about it points to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Named {
    /// Path within the bundle's `data/`.
    pub path: RelativePath,
    /// Where the file lies.
    pub at: Location,
}

/// The name of a file or folder as the operating system gives it; a name that is not Unicode has no place in
/// a manifest and is an error at `at`.
///
/// # Errors
/// `file-name`.
pub fn of_system(name: &std::ffi::OsStr, at: Location) -> Result<String, Diagnostic> {
    name.to_str().map(str::to_owned).ok_or_else(|| {
        let shown = name.to_string_lossy().escape_debug().to_string();
        refused(&format!("the name `{shown}` is not UTF-8"), at)
    })
}

/// A path for a bundle from text.
///
/// # Errors
/// `file-name` where the text is no plain relative path.
pub fn path_of(text: &str, at: Location) -> Result<RelativePath, Diagnostic> {
    text.parse().map_err(|e: crate::digest::RelativePathError| refused(&e.to_string(), at))
}

fn refused(message: &str, at: Location) -> Diagnostic {
    Diagnostic::error(Code::FileName, message).at(at).hint(RENAME)
}

const RENAME: &str = "rename the file, and its name in the protocol where that holds it: a bundle must be \
                      checkable with `sha256sum -c` and any BagIt tool, on any system";

/// Everything that is wrong with names that are to lie in one bundle: errors and warnings, sorted.
pub fn check(names: &[Named]) -> Vec<Diagnostic> {
    let mut found: Vec<Diagnostic> = names.iter().filter_map(one).collect();
    let names: BTreeSet<&Named> = names.iter().collect();
    // What a file system that takes such names for equal would see, with the first name that has it.
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for named in names {
        let ends = named.path.as_str().match_indices('/').map(|(end, _)| end);
        for end in ends.chain([named.path.as_str().len()]) {
            let here = &named.path.as_str()[..end];
            let first = seen.entry(folded(here)).or_insert_with(|| here.to_owned());
            if first != here {
                let message = format!(
                    "`{}` and `{}` are one name on a file system that ignores capitals, Unicode forms or \
                     trailing dots and spaces",
                    first.escape_debug(),
                    here.escape_debug()
                );
                let problem = Diagnostic::error(Code::FileNamesAlike, message);
                found.push(problem.at(named.at.clone()).hint("rename one of them"));
                break;
            }
        }
    }
    found.sort();
    found.dedup();
    found
}

/// The one name as file systems that ignore capitals and Unicode forms, or cut trailing dots and spaces, see
/// it.
pub fn folded(path: &str) -> String {
    let component = |part: &str| {
        let lower: String =
            part.nfc().flat_map(char::to_uppercase).flat_map(char::to_lowercase).nfc().collect();
        lower.trim_end_matches(['.', ' ']).to_owned()
    };
    path.split('/').map(component).collect::<Vec<_>>().join("/")
}

/// What is wrong with a name by itself: an error, or else a warning.
fn one(named: &Named) -> Option<Diagnostic> {
    let text = named.path.as_str();
    let shown = text.escape_debug();
    let unlike = |c: &char| matches!(c, '%' | '\u{2028}' | '\u{2029}') || c.is_control();
    if let Some(c) = text.chars().find(unlike) {
        let message = format!(
            "`{shown}` holds {}, which tools that check a bundle do not read alike",
            if c == '%' { "`%`".to_owned() } else { format!("the character U+{:04X}", u32::from(c)) }
        );
        return Some(refused(&message, named.at.clone()));
    }
    if text.ends_with(char::is_whitespace) {
        let message = format!("`{shown}` ends with a white space, which tools that check a bundle cut off");
        return Some(refused(&message, named.at.clone()));
    }
    let why = text.split('/').find_map(unportable)?;
    let message = format!("`{shown}` {why}");
    Some(
        Diagnostic::warning(Code::FileNameUnportable, message)
            .at(named.at.clone())
            .hint("rename the file where the evidence may be unpacked on another system"),
    )
}

/// Why another system may not keep a component of a name.
fn unportable(part: &str) -> Option<&'static str> {
    let stem = part.split('.').next().unwrap_or_default().trim_end().to_uppercase();
    let numbered = |device: &str| {
        let number = stem.strip_prefix(device).and_then(|rest| {
            let mut characters = rest.chars();
            characters.next().filter(|_| characters.next().is_none())
        });
        number.is_some_and(|c| matches!(c, '0'..='9' | '¹' | '²' | '³'))
    };
    let reserved = ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$"].contains(&stem.as_str());
    if reserved || numbered("COM") || numbered("LPT") {
        Some("has a name that Windows reserves for a device")
    } else if part.ends_with(['.', ' ']) {
        Some("ends a name with a dot or a space, which Windows cuts off")
    } else if part.contains(['<', '>', '"', '|', '?', '*']) {
        Some("holds one of < > \" | ? *, which no name on Windows has")
    } else if part.chars().any(does_not_show) {
        Some("holds a character that does not show")
    } else if !unicode_normalization::is_nfc(part) {
        Some("is not in Unicode's form NFC, into which some systems and archives bring it")
    } else {
        None
    }
}

/// Marks of direction, joiners and other format characters: two names may look the same.
fn does_not_show(c: char) -> bool {
    let marks = matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
    marks || matches!(c, '\u{ad}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(names: &[&str]) -> Vec<&'static str> {
        let named = |name: &&str| Named { path: name.parse().expect("a path"), at: Location::file(name) };
        check(&names.iter().map(named).collect::<Vec<_>>()).iter().map(|d| d.code.as_str()).collect()
    }

    #[test]
    fn names_that_the_public_tools_read_differently_are_refused() {
        for name in ["100%.csv", "a%25", "%0A", "r/a\u{2028}b", "\u{2029}", "a ", "b/a\u{3000}", "a\u{a0}"] {
            assert_eq!(found(&[name]), ["file-name"], "{name:?}");
        }
        for good in
            ["a b.csv", " a", "reads/R-1.csv", "肺/读片.csv", "é.csv", "a*b/../c".split_at(1).0, "~a", "#"]
        {
            assert_eq!(found(&[good]), [] as [&str; 0], "{good:?}");
        }
    }

    #[test]
    fn names_that_another_system_makes_one_are_refused() {
        let table: [&[&str]; 8] = [
            &["reads/EF.csv", "reads/ef.csv"],
            &["reads/a.csv", "Reads/b.csv"],
            &["a", "A/b"],
            &["a.csv", "a.csv."],
            &["x/a", "x /b"],
            &["é", "E\u{301}"],
            &["Ω", "\u{2126}"],
            &["ς", "Σ"],
        ];
        for names in table {
            assert!(found(names).contains(&"file-names-alike"), "{names:?}");
        }
        assert_eq!(found(&["a/b", "a/c", "ab", "ä", "a"]), [] as [&str; 0]);
        // One file that was named twice is one.
        assert_eq!(found(&["a/b", "a/b"]), [] as [&str; 0]);
    }

    #[test]
    fn names_that_another_system_does_not_keep_are_warned_of() {
        for name in [
            "con",
            "reads/NUL.csv",
            "aux.tar.gz",
            "COM1",
            "lpt9.csv",
            "com¹.csv",
            "PRN /a",
            "conin$",
            "a./b",
            "a /b",
            "a.",
            "a?b",
            "a*",
            "\"a",
            "a\u{200b}b",
            "\u{202e}gpj.csv",
            "e\u{301}.csv",
            "\u{2126}",
        ] {
            assert_eq!(found(&[name]), ["file-name-unportable"], "{name:?}");
        }
        assert_eq!(found(&["console", "com10", "COM", "comb", "nully.csv"]), [] as [&str; 0]);
    }

    #[test]
    fn a_name_from_outside_is_a_plain_path_or_an_error_at_its_place() {
        let at = Location::file("here");
        assert_eq!(path_of("reads/a.csv", at.clone()).map(|p| p.to_string()), Ok("reads/a.csv".to_owned()));
        let problem = path_of("../a.csv", at.clone()).expect_err("refused");
        assert_eq!((problem.code, problem.location), (Code::FileName, Some(at.clone())));
        assert_eq!(of_system(std::ffi::OsStr::new("a.csv"), at.clone()), Ok("a.csv".to_owned()));
        assert_eq!(folded("A/É. /x"), folded("a/E\u{301}/x"));
        assert_ne!(folded("a/b"), folded("a/c"));
    }
}
