//! The `sequester` program.

fn main() -> std::process::ExitCode {
    println!("not yet");
    std::process::ExitCode::SUCCESS
}
