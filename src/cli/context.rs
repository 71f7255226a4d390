//! What commands get from the outside: clock, cores, and the sign to stop.

use std::env::VarError;
use std::sync::atomic::AtomicBool;

use clap::builder::RangedU64ValueParser;

use super::libtorch::Libtorch;
use super::progress::TERMINAL;
use crate::diagnostic::{Code, Diagnostic, Error, Result};
use crate::evidence::ledger::Who;
use crate::model::machine::Machine;
use crate::workflow::outside::Outside;

/// What every subcommand gets from the outside.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// Print JSON on standard output.
    pub json: bool,
    /// The time that is written into ledgers and documents: `SOURCE_DATE_EPOCH` where it is set.
    pub now: chrono::DateTime<chrono::Utc>,
    /// Where this program is linked with it.
    pub libtorch: Option<&'static Libtorch>,
}

impl Context {
    /// RFC 3339, UTC, whole seconds.
    pub fn timestamp(&self) -> String {
        self.now.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
    }

    /// What a step of a study gets: this time, nobody's name, and the terminal to tell how far it is.
    pub fn outside(&self) -> Outside<'static> {
        Outside {
            at: self.timestamp(),
            clock_set: clock_set(),
            who: Who::default(),
            progress: &TERMINAL,
            stop: interrupted(),
        }
    }
}

/// The clock, or the fixed time of a reproducible build.
pub fn now() -> chrono::DateTime<chrono::Utc> {
    given_time().unwrap_or_else(chrono::Utc::now)
}

/// Whether the user set the time.
pub(super) fn clock_set() -> bool {
    given_time().is_some()
}

/// The variable that fixes the clock.
const CLOCK: &str = "SOURCE_DATE_EPOCH";

/// Whether what sets the time can be read at all.
///
/// # Errors
/// As [`variable`].
pub(super) fn clock_is_text() -> Result<()> {
    variable(CLOCK, Code::Usage).map(|_| ())
}

/// The text of a variable; none where it is not set.
///
/// # Errors
/// [`Error::Usage`] with this code where it is not UTF-8: what could be shown of it is not what was said.
pub(super) fn variable(name: &str, code: Code) -> Result<Option<String>> {
    match std::env::var(name) {
        Ok(text) => Ok(Some(text)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => {
            let problem = Diagnostic::error(code, format!("the variable {name} is not UTF-8 text"));
            Err(Error::usage(problem.hint("set it in UTF-8, or unset it")))
        }
    }
}

/// The time that the user set.
fn given_time() -> Option<chrono::DateTime<chrono::Utc>> {
    let text = std::env::var(CLOCK).ok()?;
    chrono::DateTime::from_timestamp(text.parse().ok()?, 0)
}

/// Cores of this machine.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// How many things an option has done at a time: one at least.
pub(super) fn from_one() -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(1..)
}

/// What the numbers of a forward pass depend on here.
pub fn machine() -> Machine {
    let told = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = told.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    Machine::this(name.map(|(_, name)| name.trim().to_owned()))
}

/// Raised by Ctrl-C; long work looks at it and stops where it can be resumed.
pub fn interrupted() -> &'static AtomicBool {
    static INTERRUPTED: AtomicBool = AtomicBool::new(false);
    &INTERRUPTED
}
