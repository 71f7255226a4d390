//! A few questions on a terminal; never where nobody sits at it.

use std::io::{BufRead, IsTerminal as _, Write as _};

use clap::ValueEnum as _;

use super::kinds::{Kind, Scored};
use crate::cli::progress;

/// What the study is to be; `None` where standard input or output is no terminal, or the answer is empty.
pub(super) fn ask() -> Option<(Kind, Scored)> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return None;
    }
    progress::ask();
    answers(&mut std::io::stdin().lock())
}

/// The questions, with answers from here.
fn answers(input: &mut dyn BufRead) -> Option<(Kind, Scored)> {
    let kinds = Kind::value_variants();
    eprintln!("What does the device do?");
    for (index, kind) in kinds.iter().enumerate() {
        eprintln!("  {}  {}", index + 1, kind.in_words());
    }
    let which = "1 to 5, or nothing for the protocol of experiment 2A";
    let kind = *kinds.get(number(input, which, kinds.len())? - 1)?;
    eprintln!("Where does it score?");
    eprintln!("  1  elsewhere: its scores are brought as a table");
    eprintln!("  2  here: it is trained in the study (needs libtorch)");
    let scored = if number(input, "1 or 2", 2)? == 2 { Scored::Here } else { Scored::Elsewhere };
    Some((kind, scored))
}

/// A number from 1 to `most`, asked for again until it is one; `None` where the line is empty or the input
/// ends.
fn number(input: &mut dyn BufRead, what: &str, most: usize) -> Option<usize> {
    loop {
        // `eprint!` panics where nobody can be asked any more.
        let mut asked = std::io::stderr();
        let _ = write!(asked, "{what}: ").and_then(|()| asked.flush());
        let mut line = String::new();
        if input.read_line(&mut line).ok()? == 0 || line.trim().is_empty() {
            return None;
        }
        if let Some(number) = line.trim().parse().ok().filter(|n| (1..=most).contains(n)) {
            return Some(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(lines: &str) -> Option<(Kind, Scored)> {
        answers(&mut lines.as_bytes())
    }

    #[test]
    fn every_kind_and_place_can_be_answered() {
        for (index, kind) in Kind::value_variants().iter().enumerate() {
            assert_eq!(typed(&format!("{}\n1\n", index + 1)), Some((*kind, Scored::Elsewhere)));
            assert_eq!(typed(&format!(" {} \r\n2\n", index + 1)), Some((*kind, Scored::Here)));
        }
    }

    #[test]
    fn what_is_no_answer_is_asked_again_and_an_empty_line_asks_no_more() {
        let first = Kind::value_variants()[0];
        assert_eq!(typed("seven\n0\n6\n-1\n1\n3\n5\n2\n"), Some((first, Scored::Here)));
        for ends in ["", "\n", "1\n", "1\n\n", "x\n", "9\n9\n"] {
            assert_eq!(typed(ends), None, "{ends:?}");
        }
    }
}
