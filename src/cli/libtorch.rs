//! Libtorch in a program of its own. Loading it costs a fifth of a second before `main`, so the everyday
//! program is linked without it and starts `sequester-torch`, the same command line with libtorch, for what
//! needs it.

use std::path::{Path, PathBuf};
use std::process::{Command as Process, ExitCode};

use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::model::lock::Lock;
use crate::model::run::RunState;
use crate::model::scorer::Scorer;
use crate::workflow::train::TrainRequest;

/// What a program can do that is linked with libtorch, handed in by its `main`.
#[derive(Debug)]
pub struct Libtorch {
    /// What scores on a device of libtorch are made by.
    pub arithmetic: fn() -> String,
    /// Trains, or continues.
    pub train: fn(&TrainRequest) -> Result<RunState>,
    /// A locked model's folder, workers, the device.
    pub open_scorer: fn(&Path, usize, &str) -> Result<Scorer>,
    /// Writes a locked model's TorchScript; gives the images compared and the largest difference of a logit.
    pub torchscript: fn(&Path, &Lock, &Path) -> Result<(usize, f64)>,
}

/// Names the program with libtorch where it does not lie beside this one.
const VARIABLE: &str = "SEQUESTER_TORCH";

/// Where the program with libtorch is: as the environment says, else in the folder of this program.
fn place() -> PathBuf {
    if let Some(named) = std::env::var_os(VARIABLE).filter(|name| !name.is_empty()) {
        return PathBuf::from(named);
    }
    let name = format!("sequester-torch{}", std::env::consts::EXE_SUFFIX);
    match std::env::current_exe() {
        Ok(this) => this.with_file_name(name),
        Err(_) => PathBuf::from(name),
    }
}

/// The program with libtorch, if it is there. Where it is not, a command goes on to where it needs libtorch,
/// so that everything else that is wrong is said first.
pub(super) fn program() -> Option<PathBuf> {
    Some(place()).filter(|program| program.is_file())
}

/// Runs this very command line in the program with libtorch, which takes the place of this process where the
/// system can do that; elsewhere its exit code is handed through.
///
/// # Errors
/// When it does not start.
pub(super) fn hand_over(program: &Path) -> Result<ExitCode> {
    let mut process = Process::new(program);
    process.args(std::env::args_os().skip(1));
    // Should it name this very program, that one looks beside itself instead of starting itself for ever.
    process.env_remove(VARIABLE);
    #[cfg(unix)]
    let failed = std::os::unix::process::CommandExt::exec(&mut process);
    #[cfg(not(unix))]
    let failed = match process.status() {
        // Ctrl-C reaches both; the other says what it kept.
        Ok(status) => {
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            return Ok(ExitCode::from(code.unwrap_or(1)));
        }
        Err(error) => error,
    };
    Err(Error::io("start", program, &failed))
}

/// How to get the program.
pub(super) const REMEDY: &str = "build it with `cargo build --release --features torch` (`make demo` sets \
    libtorch up) and leave both programs in one folder, or name it in SEQUESTER_TORCH";

/// What a program without libtorch says where it would need it.
pub(super) fn missing(what: &str) -> Diagnostic {
    Diagnostic::error(
        Code::TorchMissing,
        format!("`{what}` needs libtorch, and `sequester-torch`, the program with it, is not there"),
    )
    .at(Location::file(place()))
    .hint(REMEDY)
}
