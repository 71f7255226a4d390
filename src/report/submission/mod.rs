//! The submission document of a study, from the facts of its evidence bundle. Nothing is computed here: every
//! number comes from `results.json` by the id of an estimate and is only formatted, so that an auditor
//! renders the same bytes from the same bundle.

mod bundle;
mod by_site;
mod content;
mod context;
mod figures;
mod functions;
mod gate;
mod identifiers;
mod list;
mod render;
mod source;
mod subgroups;
pub(in crate::report) mod tables;
mod templates;
mod truth;
mod values;

#[cfg(test)]
pub(in crate::report) mod tests;

pub use bundle::{fonts_of, from_bundle};
pub use by_site::SiteFlow;
pub(in crate::report) use content::Submission;
pub use identifiers::Identifiers;
pub use list::{Offered, offered};
pub(in crate::report) use render::with_way_out;
pub use render::{DEVICE_EXAMPLE, Formats, MAIN_TEMPLATE, render};
pub use source::{Maker, Opening, Recorded, Rendered, Source, Step, TrainingEpoch};
pub(in crate::report) use subgroups::{in_subgroup, is_insufficient, subgroup_levels};
#[cfg(test)]
pub(in crate::report) use templates::OF_SET;
pub(in crate::report) use templates::of_report;
pub use templates::{change_templates, default_templates, own_templates};
pub(in crate::report) use values::{TO_COMPLETE, at, words};
