//! The network itself, on libtorch: forward pass, training, scoring. The only module that names `tch`.
//!
//! Every operation runs with one thread inside libtorch; work is spread over images instead. Results
//! therefore do not depend on the number of workers, and OpenMP threads never wait on one another.

mod densenet;
#[cfg(test)]
mod reference;

use tch::TchError;

use crate::diagnostic::{Diagnostic, Error, Result};

pub use densenet::{Dropout, Network, NormMode};

/// An operation of libtorch that failed: mostly memory.
fn failed(error: TchError) -> Error {
    let text = error.to_string();
    let first = text.lines().next().unwrap_or_default().to_owned();
    Diagnostic::error("torch-failed", format!("libtorch reports: {first}"))
        .hint("with too little memory, declare a smaller `shard_size` or use fewer workers")
        .into()
}

/// A pool whose threads run libtorch with one thread each.
fn pool(workers: usize) -> Result<rayon::ThreadPool> {
    rayon::ThreadPoolBuilder::new()
        .num_threads(workers.max(1))
        .start_handler(|_| tch::set_num_threads(1))
        .build()
        .map_err(|e| Diagnostic::error("threads", format!("cannot start the workers: {e}")).into())
}
