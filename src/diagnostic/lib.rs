//! What is wrong, where it is, and the way out: the one form in which every module reports a problem.
//!
//! Nothing is printed here; `cli` renders diagnostics for people or as JSON.

mod code;
pub mod few;
pub mod line;

use std::fmt;
use std::path::Path;
use std::sync::Arc;

use serde::{Serialize, Serializer};

pub use code::Code;

/// How bad it is. Only errors stop the work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The work cannot be done as asked.
    Error,
    /// The work is done, and the reader of the result should know this.
    Warning,
}

/// Where a problem lies: a file, and in it a line and a column, both counted from 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Location {
    /// The file as the user named it; the places in one table share it.
    #[serde(serialize_with = "shown")]
    pub path: Arc<Path>,
    /// Line, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub line: Option<u64>,
    /// Column in characters, counted from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub column: Option<u64>,
}

/// A path as text, for what holds text alone, such as JSON: what is not UTF-8 of it is shown by U+FFFD. A
/// path itself would be an error there.
///
/// # Errors
/// Those of the serializer.
pub fn shown<S: Serializer>(path: &Path, serializer: S) -> std::result::Result<S::Ok, S::Error> {
    serializer.collect_str(&path.display())
}

impl Default for Location {
    fn default() -> Self {
        Self::file("")
    }
}

impl Location {
    /// A whole file.
    pub fn file(path: impl AsRef<Path>) -> Self {
        Self { path: path.as_ref().into(), line: None, column: None }
    }

    /// A line of a file, counted from 1.
    pub fn line(path: impl AsRef<Path>, line: u64) -> Self {
        Self { path: path.as_ref().into(), line: Some(line), column: None }
    }
}

/// The text of a file.
///
/// # Errors
/// A problem with this code, line and column where it stops being UTF-8.
pub fn utf8<'b>(path: &Path, bytes: &'b [u8], code: Code) -> std::result::Result<&'b str, Diagnostic> {
    std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let line = before.iter().filter(|b| **b == b'\n').count() as u64 + 1;
        let start = before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        let column =
            String::from_utf8_lossy(before.get(start..).unwrap_or_default()).chars().count() as u64 + 1;
        let byte = bytes.get(error.valid_up_to()).copied().unwrap_or_default();
        Diagnostic::error(code, format!("the byte {byte:#04x} here is no UTF-8 text"))
            .at(Location { path: path.into(), line: Some(line), column: Some(column) })
            .hint("save the file as UTF-8, which editors offer when they save")
    })
}

impl fmt::Display for Location {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.path.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(column) = self.column {
            write!(f, ":{column}")?;
        }
        Ok(())
    }
}

/// One problem with a stable code. Codes are kebab-case, listed in `docs/diagnostics.md`, and never reused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Diagnostic {
    /// Error or warning.
    pub severity: Severity,
    /// Stable code, such as `duplicate-case`.
    pub code: Code,
    /// What is wrong, with the values.
    pub message: String,
    /// Where it is, when it is somewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<Location>,
    /// The way out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Diagnostic {
    /// An error without a place or a hint yet.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Error, code, message: message.into(), location: None, hint: None }
    }

    /// A warning without a place or a hint yet.
    pub fn warning(code: Code, message: impl Into<String>) -> Self {
        Self { severity: Severity::Warning, ..Self::error(code, message) }
    }

    /// The same at a place.
    #[must_use]
    pub fn at(mut self, location: Location) -> Self {
        self.location = Some(location);
        self
    }

    /// The same with a way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        write!(f, "{severity}[{}]: {}", self.code, self.message)?;
        if let Some(location) = &self.location {
            write!(f, "\n  --> {location}")?;
        }
        if let Some(hint) = &self.hint {
            write!(f, "\n  hint: {hint}")?;
        }
        Ok(())
    }
}

/// Why a command could not do its work. The exit code follows from the variant alone.
#[derive(Debug)]
pub enum Error {
    /// The input is not as it must be, or the work failed: exit code 1.
    Input(Vec<Diagnostic>),
    /// The command line asks for something that does not exist: exit code 2.
    Usage(Box<Diagnostic>),
    /// The evidence is not intact: exit code 20.
    Evidence(Vec<Diagnostic>),
    /// A protocol or model lock is violated: exit code 30.
    Lock(Vec<Diagnostic>),
    /// The user interrupted; what was done so far is kept and can be resumed: exit code 130.
    Interrupted(String),
}

/// What a fallible step gives.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// A file operation that failed, with the path and a hint where there is one.
    pub fn io(doing: &str, path: &Path, source: &std::io::Error) -> Self {
        let mut diagnostic =
            Diagnostic::error(Code::Io, format!("cannot {doing}: {source}")).at(Location::file(path));
        match source.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => {
                diagnostic.code = Code::DiskFull;
                diagnostic = diagnostic
                    .hint("free some space and run the same command again; nothing was half-written");
            }
            std::io::ErrorKind::NotFound => {
                diagnostic.code = Code::FileMissing;
                diagnostic =
                    diagnostic.hint("look how the name is spelt, and in which folder you are; `ls` lists it");
            }
            std::io::ErrorKind::IsADirectory => {
                diagnostic =
                    diagnostic.hint("this is a folder, and a file is asked for: name the file in it");
            }
            _ => {}
        }
        Self::Input(vec![diagnostic])
    }

    /// The command line asks for something that does not exist.
    pub fn usage(diagnostic: Diagnostic) -> Self {
        Self::Usage(Box::new(diagnostic))
    }

    /// The documented exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Input(_) => 1,
            Self::Usage(_) => 2,
            Self::Evidence(_) => 20,
            Self::Lock(_) => 30,
            Self::Interrupted(_) => 130,
        }
    }

    /// Everything that is wrong, in the order found.
    pub fn diagnostics(&self) -> Vec<Diagnostic> {
        match self {
            Self::Input(list) | Self::Evidence(list) | Self::Lock(list) => list.clone(),
            Self::Usage(one) => vec![Diagnostic::clone(one)],
            Self::Interrupted(what) => vec![Diagnostic::error(Code::Interrupted, what.clone())],
        }
    }
}

impl From<Diagnostic> for Error {
    fn from(diagnostic: Diagnostic) -> Self {
        Self::Input(vec![diagnostic])
    }
}

impl From<Vec<Diagnostic>> for Error {
    fn from(diagnostics: Vec<Diagnostic>) -> Self {
        Self::Input(diagnostics)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, diagnostic) in self.diagnostics().iter().enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}
