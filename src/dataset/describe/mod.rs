//! What sets of cases look like, in exact counts, and how far they lie apart. No file is read here: images
//! come in as histograms ([`crate::imaging::intensity`]), and `report` draws.

mod age_band;
mod compare;
mod counts;
mod description;
mod levels;
mod numbers;
mod request;
mod sets;

pub use age_band::{AgeBand, NOT_RECORDED, age_level};
pub use description::{
    AgeAndSex, AgeBin, CoOccurrence, Combination, Comorbidity, Comparison, Covariate, Description,
    Difference, DifferenceKind, FORMAT, Fact, Finding, ImagesPerPatient, Input, Level, Missing,
    SetDescription, file_name,
};
pub use levels::{FIELDS, has_field, level};
pub use numbers::{Numbers, Share};
pub use request::{Request, Set};
pub use sets::{describe, shared_patients};

#[cfg(test)]
mod tests;
