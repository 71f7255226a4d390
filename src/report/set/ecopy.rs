//! The PDFs of a set as an eCopy asks for them: a number that orders them, a name in plain characters, and a
//! size that is taken. From general knowledge of FDA's guidance on the eCopy program (mark K in the table of
//! citations): the submitter confirms it on the day of submission.

use super::kinds::title_of;
use crate::diagnostic::{Code, Diagnostic, Location, Result};
use crate::document::render::{Files, add};

/// Bytes of a file.
const LARGEST: usize = 50_000_000;
/// Characters of a file's name with its ending.
const LONGEST: usize = 125;

/// Documents in the order in which they are read.
const ORDER: [&str; 14] = [
    "summary",
    "predicate",
    "report",
    "truthing",
    "plan",
    "data",
    "sites",
    "algorithm",
    "software",
    "labelling",
    "model-card",
    "fda-submission",
    "declarations",
    "evidence-map",
];

/// `001_510(k) Summary.pdf`: letters, digits, spaces, hyphens and brackets alone.
fn name(number: usize, title: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-' | '(' | ')');
    let plain: String = title.chars().filter(|c| is_plain(*c)).collect();
    let start = format!("{number:03}_{}", plain.trim());
    let start: String = start.chars().take(LONGEST - ".pdf".len()).collect();
    format!("{}.pdf", start.trim_end())
}

/// The PDFs among the files of a set, under such names.
///
/// # Errors
/// `typesetting` where there is none; `ecopy-too-large` for every file that would not be taken.
pub fn copies(files: &Files) -> Result<Files> {
    let mut copies = Files::new();
    let mut problems = Vec::new();
    for stem in ORDER {
        let own = format!("{stem}.pdf");
        let Some((_, bytes)) = files.iter().find(|(path, _)| path.as_str() == own) else { continue };
        if bytes.len() > LARGEST {
            let message = format!("{own} has {} bytes, an eCopy takes {LARGEST} a file", bytes.len());
            problems.push(
                Diagnostic::error(Code::EcopyTooLarge, message)
                    .at(Location::file(own))
                    .hint("split it, or leave out of its template what stands in another document"),
            );
        }
        let own = name(copies.len() + 1, title_of(stem));
        add(&mut copies, &own, bytes.clone())?;
    }
    if copies.is_empty() {
        let message = "there is no PDF to copy: this build writes none";
        return Err(Diagnostic::error(Code::Typesetting, message)
            .hint("use a build with the feature `pdf`, which is on by default")
            .into());
    }
    if problems.is_empty() { Ok(copies) } else { Err(problems.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_are_numbered_in_order_and_named_in_plain_characters() {
        let mut files = Files::new();
        for (name, bytes) in
            [("report.pdf", 3), ("report.html", 1), ("summary.pdf", 2), ("sites.pdf", LARGEST)]
        {
            add(&mut files, name, vec![0; bytes]).expect("a path");
        }
        let found = copies(&files).expect("small enough");
        let names: Vec<&str> = found.keys().map(|path| path.as_str()).collect();
        assert_eq!(names, ["001_510(k) Summary.pdf", "002_Validation report.pdf", "003_Site report.pdf"]);
        add(&mut files, "sites.pdf", vec![0; LARGEST + 1]).expect("a path");
        let refused = copies(&files).expect_err("too large").diagnostics();
        assert_eq!(refused[0].code.as_str(), "ecopy-too-large");
        assert_eq!(copies(&Files::new()).expect_err("none").diagnostics()[0].code.as_str(), "typesetting");
        let long = name(7, &"\u{e9}a/b:*?\"<>|~ ".repeat(40));
        assert!(long.len() <= LONGEST && long.is_ascii() && long.ends_with(".pdf"), "{long}");
        assert!(!long.contains(['/', ':', '*', '?', '"', '<', '>', '|', '~']), "{long}");
    }
}
