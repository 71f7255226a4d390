//! What commands get from the outside: clock, terminal, cores, and the sign to stop.

use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::{ProgressBar, ProgressStyle};

use super::libtorch::Libtorch;
use crate::diagnostic::Diagnostic;
use crate::evidence::ledger::Who;
use crate::model::machine::Machine;
use crate::workflow::outside::{Outside, Progress};

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
        Outside { at: self.timestamp(), who: Who::default(), progress: &TERMINAL, stop: interrupted() }
    }
}

/// The clock, or the fixed time of a reproducible build.
pub fn now() -> chrono::DateTime<chrono::Utc> {
    std::env::var("SOURCE_DATE_EPOCH")
        .ok()
        .and_then(|text| chrono::DateTime::from_timestamp(text.parse().ok()?, 0))
        .unwrap_or_else(chrono::Utc::now)
}

/// Standard error, for a step that tells how far it is.
struct Terminal {
    bar: Mutex<Option<ProgressBar>>,
}

static TERMINAL: Terminal = Terminal { bar: Mutex::new(None) };

impl Terminal {
    fn bar(&self) -> MutexGuard<'_, Option<ProgressBar>> {
        self.bar.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Progress for Terminal {
    fn say(&self, step: &str, what: &str) {
        say(step, what);
    }

    fn warn(&self, warning: &Diagnostic) {
        eprintln!("{warning}");
    }

    fn begin(&self, step: &str, total: usize) {
        let bar = ProgressBar::new(total as u64);
        let template = format!("{step:>9}  {{wide_bar}} {{pos}}/{{len}} {{per_sec}} eta {{eta}}");
        let style = ProgressStyle::with_template(&template);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        *self.bar() = Some(bar);
    }

    fn at(&self, finished: usize) {
        if let Some(bar) = &*self.bar() {
            bar.set_position(finished as u64);
        }
    }

    fn end(&self) {
        if let Some(bar) = self.bar().take() {
            bar.finish_and_clear();
        }
    }
}

/// One line on standard error about what is being done.
pub fn say(step: &str, what: &str) {
    eprintln!("{step:>9}  {what}");
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
