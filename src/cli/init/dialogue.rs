//! A few questions on a terminal; never where nobody sits at it.

use std::io::{BufRead as _, IsTerminal as _, Write as _};

use clap::ValueEnum as _;

use super::kinds::{Kind, Scored};

/// What the study is to be; `None` where standard input or output is no terminal, or the answer is empty.
pub(super) fn ask() -> Option<(Kind, Scored)> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return None;
    }
    eprintln!("What does the device do?");
    for (index, kind) in Kind::value_variants().iter().enumerate() {
        eprintln!("  {}  {}", index + 1, kind.in_words());
    }
    let kind = *Kind::value_variants().get(
        number(
            "1 to 5, or nothing for the protocol of experiment \
     2A",
        )? - 1,
    )?;
    eprintln!("Where does it score?");
    eprintln!("  1  elsewhere: its scores are brought as a table");
    eprintln!("  2  here: it is trained in the study (needs libtorch)");
    let scored = if number("1 or 2")? == 2 { Scored::Here } else { Scored::Elsewhere };
    Some((kind, scored))
}

/// A number from 1; `None` where the line is empty or the input ends.
fn number(what: &str) -> Option<usize> {
    loop {
        eprint!("{what}: ");
        let _ = std::io::stderr().flush();
        let mut line = String::new();
        if std::io::stdin().lock().read_line(&mut line).ok()? == 0 || line.trim().is_empty() {
            return None;
        }
        if let Some(number) = line.trim().parse().ok().filter(|n| (1..=5).contains(n)) {
            return Some(number);
        }
    }
}
