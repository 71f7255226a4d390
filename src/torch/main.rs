//! The `sequester-torch` program: the command line of `sequester` with libtorch. `sequester` starts it for
//! what needs libtorch.
//!
//! Nothing of this is in the library. A library that names `tch` links libtorch into every program that uses
//! it: the C++ bindings have initialisers that no linker drops.

mod engine;
mod screen;
mod train;

use sequester::cli::Libtorch;

/// What this program can do and `sequester` cannot.
static LIBTORCH: Libtorch = Libtorch {
    arithmetic: || format!("libtorch {} on a graphics processor", engine::LIBTORCH_VERSION),
    train: train::train_run,
    open_scorer: |folder, workers, device| engine::open_scorer(folder, workers, engine::device(device)?),
    torchscript: |folder, lock, out| engine::torchscript(folder, lock, out).map(|a| (a.images, a.largest)),
};

fn main() -> std::process::ExitCode {
    sequester::cli::run(Some(&LIBTORCH))
}
