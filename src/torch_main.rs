//! The `sequester-torch` program: the same command line, linked with libtorch. `sequester` starts it where it needs it.

fn main() -> std::process::ExitCode {
    sequester::cli::run(Some(&sequester::cli::LIBTORCH))
}
