//! The command line: one file a subcommand. The only place that reads the clock, the environment and
//! the terminal.

pub mod demo;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::diagnostic::Result;

/// Regulatory validation and audit harness for imaging AI.
#[derive(Debug, Parser)]
#[command(name = "sequester", version, about, max_term_width = 110)]
pub struct Cli {
    /// Print one JSON document on standard output instead of text.
    #[arg(long, global = true)]
    pub json: bool,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Args),
}

/// How a command that could do its work ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Exit code 0.
    Done,
    /// Exit code 10: the work is done, and an acceptance criterion is not met.
    CriterionNotMet,
}

/// What every subcommand gets from the outside.
#[derive(Clone, Copy, Debug)]
pub struct Context {
    /// Print JSON on standard output.
    pub json: bool,
    /// The time that is written into ledgers and documents: `SOURCE_DATE_EPOCH` where it is set.
    pub now: chrono::DateTime<chrono::Utc>,
}

/// Parses the command line, runs, reports, and gives the documented exit code.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let context = Context { json: cli.json, now: chrono::Utc::now() };
    match dispatch(cli.command, context) {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::CriterionNotMet) => ExitCode::from(10),
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(error.exit_code())
        }
    }
}

fn dispatch(command: Command, context: Context) -> Result<Outcome> {
    match command {
        Command::Demo(args) => demo::run(&args, context),
    }
}
