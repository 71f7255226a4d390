//! What a step of a study gets from the world: the time that is recorded, and somebody who hears how far it is.

use std::fmt;

/// Hears what is being done.
pub trait Progress {
    /// A step has come to something new, in a few words.
    fn say(&self, step: &str, what: &str);
}

/// The world as a step sees it.
#[derive(Clone)]
pub struct Outside<'a> {
    /// RFC 3339, UTC, whole seconds: the time that ledger and documents take.
    pub at: String,
    /// Hears how far the step is.
    pub progress: &'a dyn Progress,
}

impl Outside<'_> {
    /// Tells what is being done.
    pub fn say(&self, step: &str, what: &str) {
        self.progress.say(step, what);
    }
}

impl fmt::Debug for Outside<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Outside").field("at", &self.at).finish_non_exhaustive()
    }
}
