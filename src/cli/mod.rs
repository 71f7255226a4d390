//! The command line: one file a subcommand. The only place that reads the clock, the environment and
//! the terminal.

/// Prints a line as [`terminal::out`] does, and never panics.
macro_rules! println {
    () => { $crate::cli::terminal::out(format_args!("")) };
    ($($argument:tt)*) => { $crate::cli::terminal::out(format_args!($($argument)*)) };
}

/// Prints text that has its line ends in the same way.
macro_rules! print {
    ($($argument:tt)*) => { $crate::cli::terminal::part(format_args!($($argument)*)) };
}

/// A line on standard error.
macro_rules! eprintln {
    ($($argument:tt)*) => { $crate::cli::terminal::error(format_args!($($argument)*)) };
}

mod agreement;
mod cache;
mod case_tables;
mod change;
mod check;
mod clusters;
mod command_line;
mod commit;
mod compare;
mod comparison_design;
mod context;
mod custodian;
mod cusum_design;
mod dataset;
mod demo;
mod describe;
mod design;
mod dicom;
mod domain;
mod exhibits;
mod explain;
mod export;
mod folder;
mod import;
mod init;
mod keys;
mod leakage;
mod libtorch;
mod lock;
mod man;
mod metrics;
mod monitor;
mod mrmc;
mod outcome;
mod page;
mod passphrase;
mod plan;
mod progress;
mod protocol;
mod qualify;
mod reads;
mod reference;
mod rehearse;
mod report;
mod run;
mod score;
mod shards;
mod sign;
mod sizes;
mod split;
mod status;
mod study;
mod terminal;
mod train;
mod validate;
mod verify;
mod versions;
mod who;
mod worklist;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::Ordering;

use clap::{CommandFactory as _, Parser, Subcommand};

use crate::diagnostic::{Diagnostic, Error, Result};
use context::{cores, machine, now};
use outcome::EXIT_CODES;

pub use context::{Context, interrupted};
pub use libtorch::Libtorch;
pub use outcome::Outcome;
pub use progress::{bar, say};

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
    #[command(flatten)]
    loudness: progress::Loudness,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Args),
    Init(init::InitArgs),
    Explain(explain::ExplainArgs),
    Dicom(dicom::Args),
    Check(check::CheckArgs),
    Protocol(protocol::ProtocolArgs),
    Commit(commit::CommitArgs),
    Custodian(Box<custodian::CustodianArgs>),
    Plan(plan::PlanArgs),
    Rehearse(rehearse::RehearseArgs),
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
    Change(change::ChangeArgs),
    Sign(sign::SignArgs),
    Keys(keys::KeysArgs),
    Run(run::RunArgs),
    Monitor(monitor::MonitorArgs),
    Qualify(qualify::QualifyArgs),
    Metrics(Box<metrics::MetricsArgs>),
    Design(design::DesignArgs),
    /// Write shell completions to standard output.
    Completions {
        /// bash, zsh, fish, elvish or powershell.
        shell: clap_complete::Shell,
    },
    Man(man::ManArgs),
}

/// Parses the command line, runs, reports, and gives the documented exit code. The program that is linked
/// with libtorch hands it in.
pub fn run(libtorch: Option<&'static Libtorch>) -> ExitCode {
    let words: Vec<OsString> = std::env::args_os().collect();
    let cli: Cli = match command_line::parse(&words) {
        Ok(cli) => cli,
        Err(answer) => return ExitCode::from(answered(&answer, command_line::asks_for_json(&words))),
    };
    let context = Context { json: cli.json, now: now(), libtorch };
    let elsewhere = match libtorch {
        None if needs_libtorch(&cli.command) => libtorch::program(),
        // The same program again, because what it is linked with has been loaded with another rounding.
        Some(_) if on_graphics_processor(&cli.command) && !libtorch::is_exact() => {
            std::env::current_exe().ok()
        }
        _ => None,
    };
    if let Some(program) = elsewhere {
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
    progress::begin(cli.loudness, &program(libtorch));
    let can_begin = || {
        context::clock_is_a_time()?;
        if context.json { command_line::are_text(&words) } else { Ok(()) }
    };
    let code = match can_begin().and_then(|()| dispatch(cli.command, context)) {
        Ok(outcome) => outcome.exit_code(),
        Err(error) => {
            fail(&error, context);
            error.exit_code()
        }
    };
    let code = delivered(code);
    progress::end(code);
    ExitCode::from(code)
}

/// Says what clap answers instead of a command: help, the version, or what is wrong with the line. The exit
/// code.
fn answered(answer: &clap::Error, json: bool) -> u8 {
    if !answer.use_stderr() {
        terminal::of_clap(answer);
        return delivered(0);
    }
    let error = Error::usage(command_line::problem(answer));
    if json {
        document(&error, &error.diagnostics());
    }
    terminal::of_clap(answer);
    delivered(error.exit_code())
}

/// The exit code, once it is known whether the answer arrived: one that nobody could read is none, whatever
/// it was.
fn delivered(code: u8) -> u8 {
    let Some(kind) = terminal::arrived() else { return code };
    let error = Error::io("write", Path::new("standard output"), &kind.into());
    eprintln!("{error}");
    error.exit_code()
}

/// Which program this is, where it runs, and with which clock.
fn program(libtorch: Option<&'static Libtorch>) -> String {
    let with = if libtorch.is_some() { ", with libtorch" } else { "" };
    let clock = if context::clock_set() { "SOURCE_DATE_EPOCH" } else { "of this machine" };
    format!("{}{with}; cores: {}; clock: {clock}", env!("CARGO_PKG_VERSION"), cores())
}

/// Whether a command is for the program with libtorch.
fn needs_libtorch(command: &Command) -> bool {
    match command {
        Command::Train(_) => true,
        Command::Demo(args) => demo::trains(args),
        Command::Run(args) => run::trains(args),
        Command::Score(args) => score::on_graphics_processor(args),
        Command::Export(args) => export::needs_libtorch(args),
        _ => false,
    }
}

/// Whether a command has the network run on a graphics processor.
fn on_graphics_processor(command: &Command) -> bool {
    match command {
        Command::Train(args) => train::on_graphics_processor(args),
        Command::Score(args) => score::on_graphics_processor(args),
        _ => false,
    }
}

fn fail(error: &Error, context: Context) {
    let diagnostics = error.diagnostics();
    if context.json && !diagnostics.is_empty() {
        document(error, &diagnostics);
    }
    if !diagnostics.is_empty() {
        eprintln!("{error}");
    }
}

/// The document that is printed in place of an answer.
fn document(error: &Error, diagnostics: &[Diagnostic]) {
    println!("{:#}", serde_json::json!({"exit_code": error.exit_code(), "diagnostics": diagnostics}));
}

fn dispatch(command: Command, context: Context) -> Result<Outcome> {
    match command {
        Command::Demo(args) => demo::run(&args, context),
        Command::Init(args) => init::run(&args, context),
        Command::Explain(args) => explain::run(&args, context),
        Command::Dicom(args) => dicom::run(&args, context),
        Command::Check(args) => check::run(&args, context),
        Command::Rehearse(args) => rehearse::run(&args, context),
        Command::Commit(args) => commit::run(&args, context),
        Command::Custodian(args) => custodian::run(&args, context),
        Command::Plan(args) => plan::run(&args, context),
        Command::Protocol(args) => protocol::run(&args, context),
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
        Command::Change(args) => change::run(&args, context),
        Command::Sign(args) => sign::run(&args, context),
        Command::Keys(args) => keys::run(&args, context),
        Command::Run(args) => run::run(&args, context),
        Command::Monitor(args) => monitor::run(&args, context),
        Command::Qualify(args) => qualify::run(&args, context),
        Command::Metrics(args) => metrics::run(&args, context),
        Command::Design(args) => design::run(&args, context),
        Command::Completions { shell } => {
            terminal::bytes(&completions(shell));
            Ok(Outcome::Done)
        }
        Command::Man(args) => man::run(&args, Cli::command(), context),
    }
}

/// The script of a shell. Into memory: where its generator cannot write, it panics.
fn completions(shell: clap_complete::Shell) -> Vec<u8> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "sequester", &mut script);
    script
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use clap::ValueEnum as _;

    use super::*;

    /// What an option takes, where commands say it in several words for one thing.
    const SEVERAL: [(&str, &[&str]); 9] = [
        ("expected", &["AUC", "P"]),
        ("goal", &["AUC", "P"]),
        ("out", &["DIR", "FILE"]),
        ("positive", &["FINDING", "NAME", "VALUE"]),
        ("subgroup", &["COLUMNS", "VARIABLE"]),
        ("threshold", &["T", "[NAME=]T"]),
        ("device", &["DEVICE"]),
        ("images", &["DIR"]),
        ("reader", &["COLUMN", "ID"]),
    ];

    fn collect(command: &clap::Command, found: &mut BTreeMap<String, BTreeSet<String>>) {
        for argument in command.get_arguments() {
            let Some(long) = argument.get_long().filter(|_| !argument.is_hide_set()) else { continue };
            let names = argument.get_value_names().unwrap_or_default();
            let takes = if argument.get_action().takes_values() {
                names.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(" ")
            } else {
                String::new()
            };
            found.entry(long.to_owned()).or_default().insert(takes);
        }
        for inner in command.get_subcommands() {
            collect(inner, found);
        }
    }

    #[test]
    fn an_option_means_the_same_in_every_command() {
        let mut found = BTreeMap::new();
        collect(&Cli::command(), &mut found);
        let several: BTreeMap<&str, &[&str]> = SEVERAL.into_iter().collect();
        for (option, takes) in &found {
            let takes: Vec<&str> = takes.iter().map(String::as_str).collect();
            match several.get(option.as_str()) {
                Some(known) => assert_eq!(takes, *known, "--{option}"),
                None => assert_eq!(takes.len(), 1, "--{option} takes {takes:?}"),
            }
        }
    }

    #[test]
    fn completions_look_on_a_terminal_as_they_are() {
        for shell in clap_complete::Shell::value_variants() {
            let script = String::from_utf8(completions(*shell)).expect("text");
            assert!(script.contains("sequester") && script.contains("leakage"), "{shell}");
            let obeyed = script.chars().find(|c| c.is_control() && *c != '\n' && *c != '\t');
            assert_eq!(obeyed, None, "{shell}");
        }
    }

    #[test]
    fn older_words_of_options_are_understood() {
        for line in [
            "metrics t.csv --cluster p --by site",
            "dataset describe t.csv --by site",
            "dataset split t.csv --images 1,2,rest --out o",
            "dataset folder d --positive p --patient (x) --out o",
            "dataset leakage t.csv --nih",
            "train --cases c --tuning t --images i --experiment e --out o --positive-finding p",
            "lock --run r --out o --operating-point youden",
            "reads agreement t.csv --label l --device d",
        ] {
            let words = std::iter::once("sequester").chain(line.split(' '));
            assert!(Cli::try_parse_from(words).is_ok(), "{line}");
        }
    }
}
