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

/// So many replicates at most.
const REPLICATES: u64 = 10_000_000;

/// A number of bootstrap replicates: none, or as many as both limits at `level` need to be quantiles of them,
/// 2/(1 - level) - 1 (Davison and Hinkley 1997, section 5.2).
///
/// # Errors
/// [`Error::Usage`] for fewer, and above ten million.
pub(super) fn replicates(count: u64, level: f64) -> Result<()> {
    let hint = "2000 to 10000 are usual";
    if count > REPLICATES {
        return Err(usage(format!("--bootstrap {count} is above ten million"), hint));
    }
    let least = (2.0 / (1.0 - level) - 1.0 - 1e-6).ceil();
    if count > 0 && (count as f64) < least {
        let message = format!(
            "--bootstrap {count} is too few: limits at level {level} are quantiles of at least {least}"
        );
        return Err(usage(message, hint));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_quantiles_of_enough_replicates() {
        for (count, level) in [(1, 0.95), (38, 0.95), (198, 0.99), (1998, 0.999), (10_000_001, 0.95)] {
            assert!(matches!(replicates(count, level), Err(Error::Usage(_))), "{count} at {level}");
        }
        for (count, level) in [(0, 0.95), (39, 0.95), (199, 0.99), (1999, 0.999), (19, 0.9), (3, 0.5)] {
            assert!(replicates(count, level).is_ok(), "{count} at {level}");
        }
    }

    #[test]
    fn both_ends_and_what_is_no_number_are_refused() {
        for value in [0.0, 1.0, -0.95, 95.0, f64::NAN, f64::INFINITY] {
            let Err(Error::Usage(problem)) = level(value) else { panic!("{value} is accepted") };
            assert_eq!(problem.message, format!("--level {value} is not between 0 and 1"));
        }
        assert!(level(0.95).is_ok() && level(f64::MIN_POSITIVE).is_ok());
    }
}
