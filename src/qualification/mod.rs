//! Installation and operational qualification: what has to hold, why it matters, what shows it, and what was
//! found on this machine. Reference values are embedded; nothing is read from outside.
//!
//! Statistics are computed here; what needs files, a study or documents is done in
//! [`crate::workflow::qualify`] and comes in as [`Finding`].

mod compared;
pub mod embedded;
pub mod requirement;
pub mod requirements;
pub mod sets;

use std::collections::BTreeMap;

use serde::Serialize;

pub use compared::Compared;
use requirement::{Requirement, Test};
use sets::Set;

/// Version of the JSON document.
pub const FORMAT: &str = "sequester-qualification/1";

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Outcome {
    /// The requirement holds here.
    Passed,
    /// It does not.
    Failed,
    /// It is about something that is not part of this installation; the words say what.
    NotApplicable,
}

impl Outcome {
    /// For people.
    pub fn words(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "FAILED",
            Self::NotApplicable => "not applicable",
        }
    }
}

/// What a test that is not about numbers found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// How it ended.
    pub outcome: Outcome,
    /// What was done and expected.
    pub expected: String,
    /// What was found.
    pub found: String,
}

impl Finding {
    /// Passed where `holds`.
    pub fn of(holds: bool, expected: impl Into<String>, found: impl Into<String>) -> Self {
        let outcome = if holds { Outcome::Passed } else { Outcome::Failed };
        Self { outcome, expected: expected.into(), found: found.into() }
    }

    /// Nothing to test here.
    pub fn not_applicable(expected: impl Into<String>, found: impl Into<String>) -> Self {
        Self { outcome: Outcome::NotApplicable, expected: expected.into(), found: found.into() }
    }
}

/// Numbers behind a test of values.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Numbers {
    /// What made the reference.
    pub reference: &'static str,
    /// Values that were compared.
    pub compared: usize,
    /// The largest deviation that is accepted.
    pub tolerance: f64,
    /// What it is measured in.
    pub measure: &'static str,
    /// The largest deviation found; `None` where one of two values is missing.
    pub largest_deviation: Option<f64>,
    /// Where it is.
    pub at: String,
    /// The reference value there, as it is written.
    pub expected: Option<String>,
    /// The value computed there.
    pub computed: Option<f64>,
    /// Every value beyond the tolerance, in words, the first ten.
    pub beyond: Vec<String>,
}

/// A requirement with what its test found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Tested {
    /// Of the requirement.
    pub id: &'static str,
    /// What has to hold.
    pub requirement: &'static str,
    /// Where `docs/statistics.md` states it.
    pub documented: &'static [&'static str],
    /// What follows where it does not hold.
    pub harm: &'static str,
    /// How bad that is: `high`, `medium` or `low`.
    pub severity: &'static str,
    /// How the test ended.
    pub outcome: Outcome,
    /// What was done and expected.
    pub expected: String,
    /// What was found.
    pub found: String,
    /// Of a test of values.
    pub numbers: Option<Numbers>,
}

/// Every set of references computed here.
#[derive(Clone, Debug, Default)]
pub struct Computed(BTreeMap<Set, Vec<Compared>>);

impl Computed {
    /// Computes every set again.
    pub fn all() -> Self {
        Self(Set::ALL.into_iter().map(|set| (set, set.compute())).collect())
    }

    /// Every comparison of a set.
    pub fn of(&self, set: Set) -> &[Compared] {
        self.0.get(&set).map_or(&[], Vec::as_slice)
    }

    /// What a test of values found.
    pub fn numbers(&self, set: Set, keys: &[&str], tolerance: f64) -> Numbers {
        let own: Vec<&Compared> =
            self.of(set).iter().filter(|one| keys.contains(&one.key.as_str())).collect();
        let worst = own.iter().max_by(|a, b| a.deviation.total_cmp(&b.deviation));
        let beyond = own.iter().filter(|one| one.deviation > tolerance).take(10);
        let value = |value: Option<f64>| value.map_or("no value".to_owned(), |value| format!("{value:?}"));
        Numbers {
            reference: set.reference(),
            compared: own.len(),
            tolerance,
            measure: set.measure(),
            largest_deviation: worst.map(|one| one.deviation).filter(|deviation| deviation.is_finite()),
            at: worst.map(|one| one.at.clone()).unwrap_or_default(),
            expected: worst.and_then(|one| one.expected.clone()),
            computed: worst.and_then(|one| one.computed),
            beyond: beyond
                .map(|one| {
                    let expected = one.expected.as_deref().unwrap_or("no value");
                    format!("{}: {} here, {expected} in the reference", one.at, value(one.computed))
                })
                .collect(),
        }
    }
}

/// A requirement on numbers with its result. A statistic of which nothing was compared has not passed.
pub fn tested_values(requirement: &Requirement, computed: &Computed) -> Option<Tested> {
    let Test::Values { set, keys, tolerance } = requirement.test else { return None };
    let numbers = computed.numbers(set, keys, tolerance);
    let missing = keys.iter().find(|key| !computed.of(set).iter().any(|one| one.key == **key));
    let holds = numbers.compared > 0 && missing.is_none() && numbers.beyond.is_empty();
    let found = match (missing, numbers.largest_deviation) {
        (Some(key), _) => format!("nothing was compared for {key}"),
        (None, Some(largest)) => {
            format!("{} values, largest deviation {largest:.1e} ({})", numbers.compared, numbers.at)
        }
        (None, None) => {
            format!("{} values; a value is missing on one side ({})", numbers.compared, numbers.at)
        }
    };
    let expected = format!("within {tolerance:e} {} of {}", numbers.measure, numbers.reference);
    let finding = Finding::of(holds, expected, found);
    Some(Tested { numbers: Some(numbers), ..tested(requirement, finding) })
}

/// A requirement with a finding.
pub fn tested(requirement: &Requirement, finding: Finding) -> Tested {
    Tested {
        id: requirement.id,
        requirement: requirement.text,
        documented: requirement.documented,
        harm: requirement.risk.harm,
        severity: requirement.risk.severity.word(),
        outcome: finding.outcome,
        expected: finding.expected,
        found: finding.found,
        numbers: None,
    }
}

/// The program that was qualified.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Program {
    /// `major.minor.patch`.
    pub version: String,
    /// SHA-256 of the file that ran.
    pub sha256: String,
    /// Its bytes.
    pub bytes: u64,
    /// Features that it was built with.
    pub features: Vec<String>,
    /// `release` or `debug`.
    pub build: String,
    /// SHA-256 of the list of its dependencies.
    pub cargo_lock_sha256: String,
}

/// The machine that it was qualified on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Place {
    /// Operating system.
    pub os: String,
    /// Instruction set.
    pub arch: String,
    /// Vector instructions that are used.
    pub vectors: String,
    /// Model of the processor, where the system tells it.
    pub processor: Option<String>,
    /// Cores.
    pub cores: usize,
}

/// A whole qualification.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Qualification {
    /// [`FORMAT`].
    pub format: &'static str,
    /// When, RFC 3339.
    pub at: String,
    /// Whether no test failed.
    pub passed: bool,
    /// The program.
    pub program: Program,
    /// The machine.
    pub machine: Place,
    /// Files that the program is made with, by kind and name, with their SHA-256.
    pub files: Vec<OwnFile>,
    /// Every requirement with its result, in order.
    pub tests: Vec<Tested>,
    /// What is not there, and what it would be for.
    pub absent: Vec<String>,
}

/// A file that the program holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct OwnFile {
    /// `template`, `font` or `reference`.
    pub kind: &'static str,
    /// Its name.
    pub name: String,
    /// Its SHA-256.
    pub sha256: String,
}

impl Qualification {
    /// Tests that ended so.
    pub fn count(&self, outcome: Outcome) -> usize {
        self.tests.iter().filter(|test| test.outcome == outcome).count()
    }
}

#[cfg(test)]
mod tests;
