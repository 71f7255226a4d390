//! The network itself, on libtorch: forward pass, training, scoring. The only module that names `tch`.
//!
//! Every operation runs with one thread inside libtorch; work is spread over images instead. Results
//! therefore do not depend on the number of workers, and OpenMP threads never wait on one another.

mod export;
pub mod inference;
pub mod network;
#[cfg(test)]
mod reference;
mod scorer;
mod train;
mod workers;

use sequester::diagnostic::{Code, Diagnostic, Error, Result};
use tch::{Device, TchError};

pub use export::torchscript;

pub use scorer::open as open_scorer;
pub use train::{Progress, TrainInput, train};

/// The version of libtorch that this program was built with, as its `build-version` says.
pub const LIBTORCH_VERSION: &str = match option_env!("SEQUESTER_LIBTORCH_VERSION") {
    Some(version) => version,
    None => "unknown",
};

/// What the numbers of a training depend on besides its inputs: the version of libtorch and, unless it is the
/// processor, the kind of device.
pub fn arithmetic(device: Device) -> String {
    match device {
        Device::Cpu => LIBTORCH_VERSION.to_owned(),
        _ => format!("{LIBTORCH_VERSION} on a graphics processor"),
    }
}

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
        return Err(Error::usage(
            Diagnostic::error(Code::ProcessorUnknown, message)
                .hint("--device cpu, --device cuda or --device cuda:1"),
        ));
    };
    if !tch::Cuda::is_available() || i64::try_from(number).is_ok_and(|n| n >= tch::Cuda::device_count()) {
        let message = format!("libtorch finds no device \"{name}\"");
        return Err(Diagnostic::error(Code::ProcessorMissing, message)
            .hint(
                "set LIBTORCH to a libtorch that was built for CUDA, on a machine with such a \
                processor; or --device cpu",
            )
            .into());
    }
    Ok(Device::Cuda(number))
}

/// Whether a failure is one that a smaller shard may not have.
fn is_out_of_memory(error: &Error) -> bool {
    error.diagnostics().iter().any(|d| d.code == Code::OutOfMemory)
}

/// An operation of libtorch that failed: mostly memory.
fn failed(error: TchError) -> Error {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default().to_owned();
    // The processor's allocator says the first or the second, the graphics processor's the third.
    if ["can't allocate memory", "not enough memory", "out of memory"].iter().any(|t| text.contains(t)) {
        return Diagnostic::error(Code::OutOfMemory, format!("libtorch has too little memory: {first}"))
            .hint(
                "use fewer workers, declare a smaller `shard_size`, or declare a `smallest_shard_size` \
                to halve down to",
            )
            .into();
    }
    Diagnostic::error(Code::TorchFailed, format!("libtorch reports: {first}")).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allocation_that_cannot_be_is_told_from_other_failures() {
        let options = (tch::Kind::Float, Device::Cpu);
        assert!(is_out_of_memory(&failed(tch::Tensor::f_empty([1 << 50], options).expect_err("too large"))));
        let (a, b) = (tch::Tensor::zeros([2, 3], options), tch::Tensor::zeros([2, 3], options));
        assert_eq!(failed(a.f_mm(&b).expect_err("shapes")).diagnostics()[0].code.as_str(), "torch-failed");
    }

    #[test]
    fn devices_have_names_and_others_are_refused() {
        assert_eq!(device("cpu").expect("there"), Device::Cpu);
        for name in ["", "gpu", "cuda:", "cuda:x", "cuda:-1"] {
            assert_eq!(
                device(name).expect_err("refused").diagnostics()[0].code.as_str(),
                "processor-unknown",
                "{name}"
            );
        }
        assert_eq!(
            device("cuda:99").expect_err("not here").diagnostics()[0].code.as_str(),
            "processor-missing"
        );
    }
}
