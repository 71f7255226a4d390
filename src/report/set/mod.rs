//! The documents beside validation report and truthing report: the 510(k) summary, the comparison with the
//! predicate, reports of data, sites, algorithm and software, labelling and cards, the source project's own
//! document, what the submitter declares, and the map that says which of them answers which requirement.
//! Each is a template on the same engine; a bundle whose templates lack one has no such document.

mod card;
mod change;
mod content;
mod coverage;
mod device;
mod drafts;
mod ecopy;
mod facts;
mod figures;
mod kinds;
mod outline;
mod performance;
mod plain;
mod population;
mod privacy;
mod render;
mod requirements;
mod rules;
mod shared;
mod tables;

#[cfg(test)]
mod tests;

pub use coverage::{Answer, State, count};
pub use device::{check as check_device, unknown_keys};
pub use drafts::drafted;
pub use ecopy::copies;
pub use kinds::is_of_set;
pub use population::{declared as intended_population, differences as population_differences};
pub use privacy::searched;
pub use render::{coverage_of, has_map, keep, mapped, parts};
pub use requirements::{fields, requirements};
