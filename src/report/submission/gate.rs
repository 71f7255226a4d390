//! The checks of an image before it is scored, as documents name them.

use super::source::Source;
use crate::dataset::gate::{BurnedIn, Gate};

/// A declared check.
pub struct Check {
    /// As the protocol has it.
    pub rule: &'static str,
    /// In words.
    pub name: &'static str,
    /// The DICOM attributes that it reads.
    pub attribute: &'static str,
    /// What it accepts.
    pub accepted: String,
}

/// The checks of the locked model in the lock's order; of the protocol by name where no model is part of the
/// study.
pub fn checks(source: &Source) -> Vec<Check> {
    match &source.lock {
        Some(lock) => of(&lock.gate),
        None => {
            let mut checks = of(&source.protocol.gate);
            checks.sort_by_key(|check| check.rule);
            checks
        }
    }
}

fn of(gate: &Gate) -> Vec<Check> {
    let list = |values: &Option<Vec<String>>| values.as_ref().map(|values| values.join(", "));
    let checks = [
        ("modality", "Modality", "(0008,0060)", list(&gate.modality)),
        ("body_part", "Body part examined", "(0018,0015)", list(&gate.body_part)),
        (
            "view",
            "View position, or patient position where it holds the projection",
            "(0018,5101)",
            list(&gate.view),
        ),
        (
            "age_years",
            "Patient's age",
            "(0010,1010)",
            gate.age_years.map(|age| format!("{} to {} years", age.min, age.max)),
        ),
        (
            "age_from_dates",
            "Age from birth date and study date",
            "(0010,0030), (0008,0020)",
            gate.age_from_dates.then(|| "where the age is not given".to_owned()),
        ),
        (
            "minimum_dimension",
            "Rows and columns",
            "(0028,0010), (0028,0011)",
            gate.minimum_dimension.map(|pixels| format!("at least {pixels} pixels")),
        ),
        (
            "maximum_dimension",
            "Rows and columns",
            "(0028,0010), (0028,0011)",
            gate.maximum_dimension.map(|pixels| format!("at most {pixels} pixels")),
        ),
        (
            "aspect_ratio",
            "Columns divided by rows",
            "(0028,0011), (0028,0010)",
            // As the files have it: a whole number keeps its decimal.
            gate.aspect_ratio.map(|ratio| format!("{:?} to {:?}", ratio.min, ratio.max)),
        ),
        (
            "photometric_interpretation",
            "Photometric interpretation",
            "(0028,0004)",
            list(&gate.photometric_interpretation),
        ),
        (
            "burned_in_annotation",
            "Burned-in annotation",
            "(0028,0301)",
            gate.burned_in_annotation.map(|accepted| {
                match accepted {
                    BurnedIn::NotYes => "not YES",
                    BurnedIn::No => "NO",
                }
                .to_owned()
            }),
        ),
    ];
    let declared = |(rule, name, attribute, accepted): (_, _, _, Option<String>)| {
        Some(Check { rule, name, attribute, accepted: accepted? })
    };
    checks.into_iter().filter_map(declared).collect()
}
