//! Every statistic of the project, pure: no files, no clock, no global generator; results do not
//! depend on the number of threads.

pub mod agreement;
pub mod bootstrap;
pub mod calibration;
pub mod comparison;
pub mod confusion;
pub mod design;
pub mod estimate;
pub mod exact_law;
pub mod mcnemar;
pub mod metric;
pub mod operating_point;
pub mod poolability;
pub mod proportion;
pub mod random;
pub mod results;
pub mod roc;
pub mod roc_band;
pub mod special;
pub mod study;
pub mod transported;
