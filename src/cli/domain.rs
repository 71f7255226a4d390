//! What the number of an option may be, and how a command line that asks for something else is refused.

use crate::diagnostic::{Code, Diagnostic, Error, Result};

/// A usage error with a way out.
pub(super) fn usage(message: impl Into<String>, hint: &str) -> Error {
    Error::usage(Diagnostic::error(Code::OptionOutOfRange, message).hint(hint))
}

/// A number between 0 and 1, both excluded.
///
/// # Errors
/// [`Error::Usage`] for any other.
pub(super) fn between(option: &str, value: f64, hint: &str) -> Result<()> {
    if value > 0.0 && value < 1.0 {
        return Ok(());
    }
    Err(usage(format!("--{option} {value} is not between 0 and 1"), hint))
}

/// A confidence level.
///
/// # Errors
/// [`Error::Usage`] where it is none.
pub(super) fn level(value: f64) -> Result<()> {
    between("level", value, "use 0.95, say")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_ends_and_what_is_no_number_are_refused() {
        for value in [0.0, 1.0, -0.95, 95.0, f64::NAN, f64::INFINITY] {
            let Err(Error::Usage(problem)) = level(value) else { panic!("{value} is accepted") };
            assert_eq!(problem.message, format!("--level {value} is not between 0 and 1"));
        }
        assert!(level(0.95).is_ok() && level(f64::MIN_POSITIVE).is_ok());
    }
}
