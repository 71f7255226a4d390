//! The network itself, on libtorch: forward pass, training, scoring. The only module that names `tch`.
//!
//! Every operation runs with one thread inside libtorch; work is spread over images instead. Results
//! therefore do not depend on the number of workers, and OpenMP threads never wait on one another.

mod inference;
mod network;
#[cfg(test)]
mod reference;
mod scorer;
mod train;
mod workers;

use tch::{Device, TchError};

use crate::diagnostic::{Diagnostic, Error, Result};

pub use network::{Dropout, Network, NormMode};
pub use scorer::Scorer;
pub use train::{Progress, TrainInput, train};

/// The version of libtorch that this program was built with, as its `build-version` says.
pub const LIBTORCH_VERSION: &str = match option_env!("SEQUESTER_LIBTORCH_VERSION") {
    Some(version) => version,
    None => "unknown",
};

/// The device of this name: `cpu`, `cuda` or `cuda:1`.
///
/// # Errors
/// `processor-unknown` for another name, `processor-missing` when this libtorch has no such device.
pub fn device(name: &str) -> Result<Device> {
    let number = match name.split_once(':') {
        _ if name == "cpu" => return Ok(Device::Cpu),
        _ if name == "cuda" => Some(0),
        Some(("cuda", number)) => number.parse::<usize>().ok(),
        _ => None,
    };
    let Some(number) = number else {
        let message = format!("there is no device \"{name}\"");
        return Err(Error::Usage(
            Diagnostic::error("processor-unknown", message)
                .hint("--device cpu, --device cuda or --device cuda:1"),
        ));
    };
    if !tch::Cuda::is_available() || i64::try_from(number).is_ok_and(|n| n >= tch::Cuda::device_count()) {
        let message = format!("libtorch finds no device \"{name}\"");
        return Err(Diagnostic::error("processor-missing", message)
            .hint("set LIBTORCH to a libtorch that was built for CUDA, on a machine with such a processor; or --device cpu")
            .into());
    }
    Ok(Device::Cuda(number))
}

/// An operation of libtorch that failed: mostly memory.
fn failed(error: TchError) -> Error {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default().to_owned();
    Diagnostic::error("torch-failed", format!("libtorch reports: {first}"))
        .hint("with too little memory, declare a smaller `shard_size` or use fewer workers")
        .into()
}
