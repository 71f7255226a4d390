//! What is told on standard error while a command works: lines about its steps, bars with the time that is
//! left, and after two silent seconds the time that a step has taken. Bars are for a terminal alone.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::diagnostic::Diagnostic;
use crate::workflow::outside::Progress;

/// How much is told of what is being done; warnings and errors always are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Args)]
pub struct Loudness {
    /// Tell nothing of what is being done: standard error has warnings and errors alone.
    #[arg(long, short, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Tell also which program runs, when each step began, and how long all of it took.
    #[arg(long, short, global = true)]
    pub verbose: bool,
}

/// How long a step is silent before it is said that it still goes on.
const SILENCE: Duration = Duration::from_secs(2);

/// The program's start, and what its user wants to hear.
static BEGAN: OnceLock<(Instant, Loudness)> = OnceLock::new();

/// What the terminal shows at the moment.
struct Screen {
    /// Step and words of the last line.
    doing: String,
    /// When something was told last; `None` while somebody is asked, or nothing is done.
    told: Option<Instant>,
    /// Shown while a step is silent.
    waiting: Option<ProgressBar>,
    /// Bars that may still be on the terminal.
    bars: Vec<ProgressBar>,
}

static SCREEN: Mutex<Screen> =
    Mutex::new(Screen { doing: String::new(), told: None, waiting: None, bars: Vec::new() });

fn screen() -> MutexGuard<'static, Screen> {
    SCREEN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Screen {
    /// Takes away what says that the work goes on.
    fn clear(&mut self) {
        if let Some(bar) = self.waiting.take() {
            bar.finish_and_clear();
        }
    }
}

fn loudness() -> Loudness {
    BEGAN.get().map(|(_, loudness)| *loudness).unwrap_or_default()
}

fn since_start() -> Duration {
    BEGAN.get().map(|(began, _)| began.elapsed()).unwrap_or_default()
}

/// Begins to tell of a command: `what` is said of it in the first line of `--verbose`.
pub fn begin(loudness: Loudness, what: &str) {
    let _ = BEGAN.set((Instant::now(), loudness));
    if loudness.verbose {
        say("sequester", what);
    }
    screen().told = Some(Instant::now());
    if !loudness.quiet && !ProgressBar::new_spinner().is_hidden() {
        std::thread::spawn(|| {
            loop {
                // Wakes early at most, and nothing waits for it: what is shown depends on the moment alone.
                std::thread::park_timeout(Duration::from_millis(200));
                tick();
            }
        });
    }
}

/// Shows how long a silent step has taken, unless a bar is there.
fn tick() {
    // A bar may be printing a line above itself, which waits for this lock: it is asked without it.
    let bars = screen().bars.clone();
    let busy = bars.iter().any(|bar| !bar.is_finished());
    let mut screen = screen();
    if busy || screen.bars.len() != bars.len() {
        screen.clear();
        return;
    }
    screen.bars.clear();
    let Some(silent) = screen.told.map(|told| told.elapsed()).filter(|silent| *silent >= SILENCE) else {
        return;
    };
    let words = format!("{}, since {} s", screen.doing, silent.as_secs());
    let waiting = screen.waiting.get_or_insert_with(|| {
        let style = ProgressStyle::with_template("{spinner} {msg}");
        ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()))
    });
    waiting.set_message(words);
    waiting.tick();
}

/// Ends the telling: nothing of it stays on the terminal. In `--verbose` the last line says how long it took.
pub fn end(exit_code: u8) {
    ask();
    if loudness().verbose {
        say("sequester", &format!("exit code {exit_code}"));
    }
    ask();
}

/// Somebody is about to be asked something: nothing is shown until the next line.
pub fn ask() {
    let mut screen = screen();
    screen.clear();
    screen.told = None;
}

/// Writes a line where nothing else is shown at that moment.
pub fn undisturbed<T>(write: impl FnOnce() -> T) -> T {
    let mut screen = screen();
    screen.clear();
    if screen.told.is_some() {
        screen.told = Some(Instant::now());
    }
    write()
}

/// One line on standard error about what is being done.
pub fn say(step: &str, what: &str) {
    let Loudness { quiet, verbose } = loudness();
    if verbose {
        eprintln!("{step:>9}  [{:>6.1} s] {what}", since_start().as_secs_f64());
    } else if !quiet {
        eprintln!("{step:>9}  {what}");
    }
    let mut screen = screen();
    screen.doing = format!("{step:>9}  {what}");
    screen.told = Some(Instant::now());
}

/// What is being done now, shown where the step is silent for long.
pub fn doing(step: &str, what: &str) {
    screen().doing = format!("{step:>9}  {what}");
}

/// A bar that is shown on a terminal, unless the user wants none. `template` as [`ProgressStyle`] takes it;
/// `length`: how many things there are, where that is known.
pub fn bar(template: &str, length: Option<usize>) -> ProgressBar {
    let target = if loudness().quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(length.map(|length| length as u64), target);
    let style = ProgressStyle::with_template(template);
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    let mut screen = screen();
    screen.clear();
    screen.bars.push(bar.clone());
    bar
}

/// Standard error, for a step that tells how far it is.
pub(super) struct Terminal {
    bar: Mutex<Option<ProgressBar>>,
}

pub(super) static TERMINAL: Terminal = Terminal { bar: Mutex::new(None) };

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
        let template = format!("{step:>9}  {{wide_bar}} {{pos}}/{{len}} {{per_sec}} eta {{eta}}");
        *self.bar() = Some(bar(&template, Some(total)));
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
