//! What is written to standard output and standard error.

use std::fmt;
use std::io::{self, IsTerminal as _, Write};
use std::sync::OnceLock;

use super::progress;

/// The first failure to write on standard output.
static FAILED: OnceLock<io::ErrorKind> = OnceLock::new();

/// Hands on what is written, with every control character but line ends and tabs as `\u001b`: names of files,
/// cells and messages come from outside and never move a cursor, set a title or hide a line. Inside JSON it
/// is the same text.
struct Plain<W: Write> {
    to: W,
    failed: Option<io::ErrorKind>,
}

impl<W: Write> Plain<W> {
    fn new(to: W) -> Self {
        Self { to, failed: None }
    }

    fn put(&mut self, text: &str) -> io::Result<()> {
        let obeyed = |c: char| c.is_control() && c != '\n' && c != '\t';
        let mut rest = text;
        while let Some(at) = rest.find(obeyed) {
            let (before, from) = rest.split_at(at);
            let mut after = from.chars();
            let code = after.next().map_or(0, u32::from);
            write!(self.to, "{before}\\u{code:04x}")?;
            rest = after.as_str();
        }
        self.to.write_all(rest.as_bytes())
    }
}

impl<W: Write> fmt::Write for Plain<W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.put(text).map_err(|error| {
            self.failed.get_or_insert(error.kind());
            fmt::Error
        })
    }
}

/// One line on standard output. Whether it arrived is told by [`arrived`].
pub fn out(line: fmt::Arguments<'_>) {
    part(format_args!("{line}\n"));
}

/// The same of text that has its line ends.
pub fn part(text: fmt::Arguments<'_>) {
    let failed = progress::undisturbed(|| {
        let mut out = Plain::new(io::stdout().lock());
        let _ = fmt::Write::write_fmt(&mut out, text);
        out.failed
    });
    if let Some(kind) = failed {
        let _ = FAILED.set(kind);
    }
}

/// Bytes as they are, such as a table or a script that another program reads; on a terminal as all text is.
pub fn bytes(bytes: &[u8]) {
    if io::stdout().is_terminal() {
        return part(format_args!("{}", String::from_utf8_lossy(bytes)));
    }
    if let Err(error) = progress::undisturbed(|| io::stdout().lock().write_all(bytes)) {
        let _ = FAILED.set(error.kind());
    }
}

/// What clap says, where it says it: help and the version on standard output, the rest on standard error.
/// Whether there are colours is decided there.
pub fn of_clap(answer: &clap::Error) {
    if let Err(error) = progress::undisturbed(|| answer.print())
        && !answer.use_stderr()
    {
        let _ = FAILED.set(error.kind());
    }
}

/// One line on standard error, where nothing can be done if it does not arrive.
pub fn error(line: fmt::Arguments<'_>) {
    progress::undisturbed(|| {
        let _ = fmt::Write::write_fmt(&mut Plain::new(io::stderr().lock()), format_args!("{line}\n"));
    });
}

/// Why standard output did not take everything; none where it did, or where its reader has gone away (`|
/// head`).
pub fn arrived() -> Option<io::ErrorKind> {
    if let Err(error) = io::stdout().lock().flush() {
        let _ = FAILED.set(error.kind());
    }
    FAILED.get().copied().filter(|kind| *kind != io::ErrorKind::BrokenPipe)
}

#[cfg(test)]
mod tests {
    use super::*;
    use fmt::Write as _;

    fn written(text: &str) -> String {
        let mut plain = Plain::new(Vec::new());
        plain.write_str(text).expect("memory");
        String::from_utf8(plain.to).expect("UTF-8")
    }

    #[test]
    fn nothing_reaches_a_terminal_that_it_obeys() {
        assert_eq!(written("a\u{1b}[2Jb\u{9b}c\rd\u{7f}"), "a\\u001b[2Jb\\u009bc\\u000dd\\u007f");
        assert_eq!(written("Ä\tb\nc 肺"), "Ä\tb\nc 肺");
        let json = serde_json::json!({"name": "a\u{9b}b\u{1b}"}).to_string();
        let read: serde_json::Value = serde_json::from_str(&written(&json)).expect("the same document");
        assert_eq!(read["name"], "a\u{9b}b\u{1b}");
    }
}
