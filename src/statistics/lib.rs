//! Every statistic of the project and the vocabulary of results, pure: no files, no clock, no global
//! generator; results do not depend on the number of threads. Imports leaves alone, so that every other room
//! may use its types.

pub mod agreement;
pub mod at_prevalence;
pub mod auc;
pub mod auc_bounds;
pub mod bootstrap;
pub mod calibration;
pub mod clustered;
pub mod comparative;
pub mod confusion;
pub mod design;
pub mod durations;
pub mod estimate;
pub mod exact_law;
pub mod intended_use;
pub mod mcnemar;
pub mod metric;
pub mod monitoring;
pub mod mrmc;
pub mod multiplicity;
pub mod operating_point;
pub mod paired_shares;
pub mod poolability;
pub mod proportion;
pub mod quantile;
pub mod queue;
pub mod random;
pub mod ranks;
pub mod repeatability;
pub mod roc;
pub mod roc_band;
pub mod sizing;
pub mod special;
pub mod square_and_add;
pub mod trend;
pub mod warning;
pub mod weighted;
