//! On what kind of machine a network ran. Sums of 32-bit floats depend on it: on one kind they are equal to
//! the last bit, on two kinds they are close.

use serde::{Deserialize, Serialize};

use super::forward;
use super::lock::Program;

/// Everything that the numbers of a forward pass depend on besides weights and image.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(deny_unknown_fields)]
pub struct Machine {
    /// The program: another one may sum in another order.
    pub code: Program,
    /// The arithmetic: version of [`forward`], or of libtorch with the device.
    pub arithmetic: String,
    /// Operating system.
    pub os: String,
    /// Instruction set.
    pub arch: String,
    /// Vector instructions that the arithmetic uses, such as `V4`.
    pub vectors: String,
    /// Model of the processor, where the system tells it: the matrix product cuts its blocks by the caches.
    pub processor: Option<String>,
}

impl Machine {
    /// The machine this runs on, for [`forward`]. The processor's name is the caller's to find.
    pub fn this(processor: Option<String>) -> Self {
        let vectors = format!("{:?}", crate::kernels::Arch::new());
        Self {
            code: Program::this(),
            arithmetic: forward::VERSION.to_owned(),
            os: std::env::consts::OS.to_owned(),
            arch: std::env::consts::ARCH.to_owned(),
            // `V4(V4 { .. })`: the name is enough.
            vectors: vectors.split(['(', ' ']).next().unwrap_or_default().to_owned(),
            processor,
        }
    }

    /// Whether numbers must be equal to the last bit on both. Not knowing the processor is not knowing.
    pub fn is_same_kind(&self, other: &Self) -> bool {
        self == other && self.processor.is_some()
    }

    /// For a person.
    pub fn describe(&self) -> String {
        let processor = self.processor.as_deref().unwrap_or("processor unknown");
        let Program { version, cargo_lock_sha256 } = &self.code;
        let dependencies = cargo_lock_sha256.short();
        format!(
            "{} of Sequester {version} (dependencies {dependencies}) on {}-{} {} ({processor})",
            self.arithmetic, self.arch, self.os, self.vectors
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_known_and_equal_machine_is_of_the_same_kind() {
        let known = Machine::this(Some("A".to_owned()));
        assert!(known.is_same_kind(&Machine::this(Some("A".to_owned()))));
        assert!(!known.is_same_kind(&Machine::this(Some("B".to_owned()))));
        assert!(!Machine::this(None).is_same_kind(&Machine::this(None)));
        let code = Program { version: "9".to_owned(), ..Program::this() };
        assert!(!known.is_same_kind(&Machine { code, ..known.clone() }));
        assert!(!known.is_same_kind(&Machine { arithmetic: "forward-0".to_owned(), ..known.clone() }));
        assert!(!known.vectors.is_empty() && known.vectors.chars().all(|c| c.is_ascii_alphanumeric()));
    }
}
