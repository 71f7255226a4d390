//! The network itself, on libtorch: forward pass, training, scoring. The only module that names `tch`.
//!
//! Every operation runs with one thread inside libtorch; work is spread over images instead. Results
//! therefore do not depend on the number of workers, and OpenMP threads never wait on one another.

mod densenet;
#[cfg(test)]
mod reference;
mod scorer;
mod train;
mod workers;

use tch::TchError;

use crate::diagnostic::{Diagnostic, Error};

pub use densenet::{Dropout, Network, NormMode};
pub use scorer::Scorer;
pub use train::{Progress, TrainInput, train};

/// The version of libtorch that this program was built with, as its `build-version` says.
pub const LIBTORCH_VERSION: &str = match option_env!("SEQUESTER_LIBTORCH_VERSION") {
    Some(version) => version,
    None => "unknown",
};

/// An operation of libtorch that failed: mostly memory.
fn failed(error: TchError) -> Error {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default().to_owned();
    Diagnostic::error("torch-failed", format!("libtorch reports: {first}"))
        .hint("with too little memory, declare a smaller `shard_size` or use fewer workers")
        .into()
}
