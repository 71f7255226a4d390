//! What commands get from the outside: clock, cores, and the sign to stop.

use std::sync::atomic::AtomicBool;

use super::libtorch::Libtorch;
use super::progress::TERMINAL;
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

/// The time that the user set.
fn given_time() -> Option<chrono::DateTime<chrono::Utc>> {
    let text = std::env::var("SOURCE_DATE_EPOCH").ok()?;
    chrono::DateTime::from_timestamp(text.parse().ok()?, 0)
}

/// Cores of this machine.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
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
