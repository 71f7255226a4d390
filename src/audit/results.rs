//! Do the recorded inputs give the recorded results?

use super::answer::Answer;
use crate::diagnostic::{Code, Diagnostic, Location, Result};
use crate::evidence::bag::Opened;
use crate::study::Derived;

/// What the inputs give beside what is recorded.
pub(super) fn results(opened: &Opened, derived: &Result<Derived>) -> Answer {
    let words = "Do the recorded inputs give the recorded results, byte for byte?";
    let derived = match derived {
        Ok(derived) => derived,
        Err(error) => return Answer::of("results", words, "the inputs".to_owned(), error.diagnostics()),
    };
    let mut problems = Vec::new();
    for (path, bytes) in &derived.files {
        let at = Location::file(format!("data/{path}"));
        match opened.payload.get(path) {
            None => {
                problems.push(Diagnostic::error(Code::ResultLost, "derived, but not in the bundle").at(at))
            }
            Some(recorded) if recorded != bytes => {
                let (recorded, bytes) = (recorded.read(), bytes.read());
                let line = recorded
                    .split(|b| *b == b'\n')
                    .zip(bytes.split(|b| *b == b'\n'))
                    .position(|(a, b)| a != b)
                    .map(|index| index as u64 + 1);
                let text = |bytes: &[u8]| {
                    let line =
                        bytes.split(|b| *b == b'\n').nth(line.unwrap_or(1) as usize - 1).unwrap_or_default();
                    String::from_utf8_lossy(line).trim().chars().take(80).collect::<String>()
                };
                let message = format!("recorded `{}`, the inputs give `{}`", text(&recorded), text(&bytes));
                problems.push(Diagnostic::error(Code::ResultDiffers, message).at(Location { line, ..at }));
            }
            Some(_) => {}
        }
    }
    let looked_at = format!(
        "{} estimates of {} cases computed again",
        derived.results.estimates.len() + derived.results.agreement.len(),
        derived.results.flow.analysed
    );
    Answer::of("results", words, looked_at, problems)
}
