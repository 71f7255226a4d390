//! What a step of a study gets from the world: the time that is recorded, somebody who hears how far it
//! is, and a sign to stop.

use std::fmt;
use std::sync::atomic::AtomicBool;

use crate::diagnostic::Diagnostic;
use crate::evidence::ledger::Who;

/// Hears what is being done.
pub trait Progress {
    /// A step has come to something new, in a few words.
    fn say(&self, step: &str, what: &str);
    /// What a user should know and what stops no step.
    fn warn(&self, warning: &Diagnostic);
    /// A step begins to go through so many things.
    fn begin(&self, step: &str, total: usize);
    /// So many of them are finished.
    fn at(&self, finished: usize);
    /// The step is through, or gave up.
    fn end(&self);
}

/// The world as a step sees it.
#[derive(Clone)]
pub struct Outside<'a> {
    /// Reads the clock: a study is trained, scored and validated in one command, and each of its events has a
    /// time of its own.
    pub clock: fn() -> String,
    /// The user gave the time.
    pub clock_set: bool,
    /// Who acts, as somebody said.
    pub who: Who,
    /// Hears how far the step is.
    pub progress: &'a dyn Progress,
    /// Raised to stop where the step can go on later.
    pub stop: &'a AtomicBool,
}

impl Outside<'_> {
    /// RFC 3339, UTC, whole seconds: the time that ledger and documents take.
    pub fn at(&self) -> String {
        (self.clock)()
    }

    /// Tells what is being done.
    pub fn say(&self, step: &str, what: &str) {
        self.progress.say(step, what);
    }

    /// Tells what stops nothing and should be known.
    pub fn warn(&self, warnings: &[Diagnostic]) {
        for warning in warnings {
            self.progress.warn(warning);
        }
    }
}

impl fmt::Debug for Outside<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outside").field("who", &self.who).finish_non_exhaustive()
    }
}
