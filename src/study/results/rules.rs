//! Rules of deciding that changed after 1.0. A bundle is computed again by the rules of the version that made
//! it, so that what verified verifies, and its verdicts stay those that were handed in
//! (`docs/compatibility.md`).

use crate::statistics::comparative::deciding::{Side, Units};
use crate::table::id::Form;

/// Which rules hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rules {
    /// Of all before 1.1. A difference whose spread rests on one patient passed, where the metric was drawn
    /// or both values are shares of other cases; p values were read from whichever interval decides at each
    /// level, and were 1 where a drawn interval collapses at a level near 0; at the goal, `>=` was tested
    /// as `>`; beside a reader who decided fewer cases the device stood with all of its own; differences of
    /// repeated images that are one value had an interval; patients whose ids are written with other
    /// characters that look alike were not told; in subgroups and sensitivity analyses an interval stood that
    /// could not decide an endpoint there.
    First,
    /// From 1.1 on.
    Current,
}

impl Rules {
    /// Those of a version, as `major.minor.patch`.
    pub fn of(version: &str) -> Self {
        let parts: Vec<u64> = version.split('.').filter_map(|part| part.parse().ok()).collect();
        match parts[..] {
            [major, minor, _] if (major, minor) < (1, 1) => Self::First,
            _ => Self::Current,
        }
    }

    /// What ids of patients have in common that are probably one.
    pub fn ids(self) -> Form {
        match self {
            Self::First => Form::Folded,
            Self::Current => Form::Seen,
        }
    }

    /// What moves a difference of AUCs is counted as this.
    pub fn units(self) -> Units {
        match self {
            Self::First => Units::Cases,
            Self::Current => Units::Patients,
        }
    }

    /// Where limits have to lie for a criterion that is strict or not.
    pub fn side(self, strict: bool) -> Side {
        if strict || self == Self::First { Side::Beyond } else { Side::AtOrBeyond }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_keeps_the_rules_of_its_version() {
        for version in ["0.1.0", "0.2.0", "1.0.0", "1.0.17"] {
            assert_eq!(Rules::of(version), Rules::First, "{version}");
        }
        for version in [env!("CARGO_PKG_VERSION"), "1.1.0", "1.10.0", "2.0.0", "10.0.1"] {
            assert_eq!(Rules::of(version), Rules::Current, "{version}");
        }
    }
}
