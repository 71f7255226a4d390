//! What a requirement on an installation is: its risk, and the test that shows it. The list of them is in
//! `requirements`.

use super::sets::Set;

/// How bad it is when a requirement does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// A wrong conclusion about a device may follow, unnoticed.
    High,
    /// A number that describes or plans may be wrong.
    Medium,
    /// Work is lost or hindered.
    Low,
}

impl Severity {
    /// For people.
    pub fn word(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Medium => "medium",
            Self::Low => "low",
        }
    }
}

/// What follows where a requirement does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Risk {
    /// In words.
    pub harm: &'static str,
    /// How bad.
    pub severity: Severity,
}

/// What is looked at of the program and its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Installation {
    /// The program's own digest.
    Digest,
    /// Version, features and dependencies.
    Build,
    /// Platform.
    Platform,
    /// Templates.
    Templates,
    /// Fonts.
    Fonts,
    /// The embedded reference values.
    References,
    /// A folder that can be written, and read back.
    Storage,
    /// Whether the program with libtorch is beside it.
    Libtorch,
}

/// What the program is made to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Operation {
    /// SHA-256 of known texts.
    Sha256,
    /// Canonical JSON.
    CanonicalJson,
    /// Generated DICOM files.
    Dicom,
    /// A study from its files to its conclusion.
    Study,
    /// The evidence of that study verifies.
    Verifies,
    /// A changed byte of any file of the evidence is found.
    ChangedByte,
    /// A consistent change, with manifests written again, is found.
    ConsistentChange,
    /// The same bytes with one thread and with all.
    Threads,
    /// The same seed gives the same replicates, another one others.
    Seed,
    /// A document renders to its known digest.
    DocumentDigest,
    /// The study's documents render twice to the same bytes.
    DocumentsTwice,
    /// An unmet criterion is an unmet criterion.
    NotMet,
}

/// What shows that a requirement holds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Test {
    /// Values beside references.
    Values {
        /// The set.
        set: Set,
        /// Its statistics that are of this requirement.
        keys: &'static [&'static str],
        /// The largest deviation that is accepted.
        tolerance: f64,
    },
    /// Something that the program does.
    Operation(Operation),
    /// Something that is there.
    Installation(Installation),
}

/// One requirement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Requirement {
    /// `IQ-...` or `OQ-...`; never given twice.
    pub id: &'static str,
    /// What has to hold.
    pub text: &'static str,
    /// Where `docs/statistics.md` states it: `Section: row of its table`, or words of its text.
    pub documented: &'static [&'static str],
    /// Ids of metrics and interval methods that it covers.
    pub covers: &'static [&'static str],
    /// What follows where it does not.
    pub risk: Risk,
    /// What shows it.
    pub test: Test,
}

/// A requirement on numbers.
pub(super) const fn values(
    id: &'static str,
    documented: &'static [&'static str],
    covers: &'static [&'static str],
    text: &'static str,
    risk: Risk,
    (set, keys, tolerance): (Set, &'static [&'static str], f64),
) -> Requirement {
    Requirement { id, text, documented, covers, risk, test: Test::Values { set, keys, tolerance } }
}

/// A requirement on the installation.
pub(super) const fn installed(
    id: &'static str,
    text: &'static str,
    risk: Risk,
    of: Installation,
) -> Requirement {
    Requirement { id, text, documented: &[], covers: &[], risk, test: Test::Installation(of) }
}

/// A requirement on what the program does.
pub(super) const fn does(id: &'static str, text: &'static str, risk: Risk, of: Operation) -> Requirement {
    Requirement { id, text, documented: &[], covers: &[], risk, test: Test::Operation(of) }
}
