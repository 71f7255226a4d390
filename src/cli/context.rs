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
        stamp(self.now)
    }

    /// What a step of a study gets: the clock, nobody's name, and the terminal to tell how far it is.
    pub fn outside(&self) -> Outside<'static> {
        Outside {
            clock: || stamp(now()),
            clock_set: clock_set(),
            who: Who::default(),
            progress: &TERMINAL,
            stop: interrupted(),
        }
    }
}

/// RFC 3339, UTC, whole seconds.
fn stamp(time: chrono::DateTime<chrono::Utc>) -> String {
    time.to_rfc3339_opts(chrono::SecondsFormat::Secs, true)
}

/// The clock, or the fixed time of a reproducible build. What is set and is no time stops every command
/// before anything is done ([`clock_is_a_time`]).
pub fn now() -> chrono::DateTime<chrono::Utc> {
    given_time().ok().flatten().unwrap_or_else(chrono::Utc::now)
}

/// Whether the user set the time.
pub(super) fn clock_set() -> bool {
    given_time().is_ok_and(|time| time.is_some())
}

/// The variable that fixes the clock.
const CLOCK: &str = "SOURCE_DATE_EPOCH";

/// 9999-12-31T23:59:59Z.
const LAST_SECOND: i64 = 253_402_300_799;

/// Whether what sets the time, if anything does, is a time.
///
/// # Errors
/// As [`given_time`].
pub(super) fn clock_is_a_time() -> Result<()> {
    given_time().map(|_| ())
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

/// The time that the user set; none where nobody did.
///
/// # Errors
/// `usage` where it is no whole number of seconds since 1970, or after the year 9999, which RFC 3339 cannot
/// write: with the time of the clock in its place the documents would not be those that were asked for
/// (reproducible-builds.org, specification of `SOURCE_DATE_EPOCH`: a malformed value ends the build).
fn given_time() -> Result<Option<chrono::DateTime<chrono::Utc>>> {
    let Some(text) = variable(CLOCK, Code::Usage)? else { return Ok(None) };
    let seconds = text.parse().ok().filter(|seconds| (0..=LAST_SECOND).contains(seconds));
    let time = seconds.and_then(|seconds| chrono::DateTime::from_timestamp(seconds, 0));
    time.map(Some).ok_or_else(|| {
        let message = format!("the variable {CLOCK} is no time: `{}`", text.escape_debug());
        let problem = Diagnostic::error(Code::Usage, message);
        Error::usage(
            problem.hint("set it to whole seconds since 1970, as `date +%s` prints them, or unset it"),
        )
    })
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
