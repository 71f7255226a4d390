//! The command line: one file a subcommand. The only place that reads the clock, the environment and
//! the terminal.

/// Prints a line. A reader that has gone away (`| head`) is no reason to panic, as the standard macro does.
macro_rules! println {
    ($($argument:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout(), $($argument)*);
    }};
}

mod agreement;
mod cache;
mod case_tables;
mod check;
mod compare;
mod dataset;
mod demo;
mod describe;
mod design;
mod dicom;
mod export;
mod folder;
mod init;
mod leakage;
mod libtorch;
mod lock;
mod metrics;
mod outcome;
mod reads;
mod report;
mod run;
mod score;
mod score_table;
mod split;
mod study;
mod train;
mod validate;
mod verify;

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use clap::{CommandFactory as _, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};

use crate::diagnostic::{Error, Result};
use crate::workflow::outside::{Outside, Progress};
use outcome::EXIT_CODES;

pub use libtorch::Libtorch;
pub use outcome::Outcome;
pub use train::{Store, TrainRequest};

/// Regulatory validation and audit harness for imaging AI.
///
/// From a declared protocol, sealed data, readers' files and a locked model (or the scores of a device
/// that lives elsewhere) to evidence that anybody can recompute and a 510(k)-style document.
///
/// A study is a folder with protocol.toml. `sequester run STUDY` does every step that is not done yet;
/// each step is also a command of its own. Start with `sequester demo DIR` or `sequester init DIR`.
#[derive(Debug, Parser)]
#[command(name = "sequester", version, max_term_width = 100, after_help = EXIT_CODES)]
pub struct Cli {
    /// Print one JSON document on standard output instead of text.
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Args),
    Init(init::InitArgs),
    Dicom(dicom::Args),
    Check(check::CheckArgs),
    Dataset(dataset::DatasetArgs),
    Train(train::TrainArgs),
    Cache(cache::CacheArgs),
    Compare(compare::CompareArgs),
    Lock(lock::LockArgs),
    Export(export::ExportArgs),
    Score(score::ScoreArgs),
    Reads(reads::ReadsArgs),
    Validate(validate::ValidateArgs),
    Report(report::ReportArgs),
    Verify(verify::VerifyArgs),
    Run(run::RunArgs),
    Metrics(Box<metrics::MetricsArgs>),
    Design(design::DesignArgs),
    /// Write shell completions to standard output.
    Completions {
        /// bash, zsh, fish, elvish or powershell.
        shell: clap_complete::Shell,
    },
}

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

    /// What a step of a study gets: this time, and the terminal to tell how far it is.
    fn outside(&self) -> Outside<'static> {
        Outside { at: self.timestamp(), progress: &TERMINAL, stop: interrupted() }
    }
}

/// The clock, or the fixed time of a reproducible build.
fn now() -> chrono::DateTime<chrono::Utc> {
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
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// What the numbers of a forward pass depend on here.
fn machine() -> crate::model::machine::Machine {
    let told = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = told.lines().find_map(|line| line.strip_prefix("model name")?.split_once(':'));
    crate::model::machine::Machine::this(name.map(|(_, name)| name.trim().to_owned()))
}

/// Raised by Ctrl-C; long work looks at it and stops where it can be resumed.
pub fn interrupted() -> &'static AtomicBool {
    static INTERRUPTED: AtomicBool = AtomicBool::new(false);
    &INTERRUPTED
}

/// Parses the command line, runs, reports, and gives the documented exit code. The program that is linked with libtorch
/// hands it in.
pub fn run(libtorch: Option<&'static Libtorch>) -> ExitCode {
    let cli = Cli::parse();
    let context = Context { json: cli.json, now: now(), libtorch };
    if libtorch.is_none()
        && let Some(program) = libtorch::program_for(&cli.command)
    {
        return libtorch::hand_over(&program).unwrap_or_else(|error| {
            fail(&error, context);
            ExitCode::from(error.exit_code())
        });
    }
    // A second Ctrl-C ends at once.
    // Without the handler Ctrl-C ends the program at once; what is on disk is complete then, too.
    let _ = ctrlc::set_handler(|| {
        if interrupted().swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
    });
    match dispatch(cli.command, context) {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            fail(&error, context);
            ExitCode::from(error.exit_code())
        }
    }
}

fn fail(error: &Error, context: Context) {
    let diagnostics = error.diagnostics();
    if context.json && !diagnostics.is_empty() {
        println!("{:#}", serde_json::json!({"exit_code": error.exit_code(), "diagnostics": diagnostics}));
    }
    if !diagnostics.is_empty() {
        eprintln!("{error}");
    }
}

fn dispatch(command: Command, context: Context) -> Result<Outcome> {
    match command {
        Command::Demo(args) => demo::run(&args, context),
        Command::Init(args) => init::run(&args, context),
        Command::Dicom(args) => dicom::run(&args, context),
        Command::Check(args) => check::run(&args, context),
        Command::Dataset(args) => dataset::run(&args, context),
        Command::Train(args) => train::run(&args, context),
        Command::Export(args) => export::run(&args, context),
        Command::Cache(args) => cache::run(&args, context),
        Command::Compare(args) => compare::run(&args, context),
        Command::Lock(args) => lock::run(&args, context),
        Command::Score(args) => score::run(&args, context),
        Command::Reads(args) => reads::run(&args, context),
        Command::Validate(args) => validate::run(&args, context),
        Command::Report(args) => report::run(&args, context),
        Command::Verify(args) => verify::run(&args, context),
        Command::Run(args) => run::run(&args, context),
        Command::Metrics(args) => metrics::run(&args, context),
        Command::Design(args) => design::run(&args, context),
        Command::Completions { shell } => {
            clap_complete::generate(shell, &mut Cli::command(), "sequester", &mut std::io::stdout());
            Ok(Outcome::Done)
        }
    }
}
