//! The `sequester` program: everything is in the library.

fn main() -> std::process::ExitCode {
    sequester::cli::run(None)
}
