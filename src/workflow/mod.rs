//! The steps of a study on disk, and what is computed of files without one: what `sequester check`,
//! `dataset`, `lock`, `score`, `reads`, `validate`, `report` and `compare` do, without their options and
//! words. No argument parser, no terminal, no clock and no environment: those come in with
//! [`Outside`](outside::Outside).

pub mod amendment;
pub mod change;
pub mod change_permit;
pub mod check;
pub mod commitment;
pub mod commitment_signature;
pub mod compare;
pub mod comparisons;
pub mod custody;
pub mod dataset;
pub mod deviation;
pub mod drafts;
pub mod examined;
pub mod explore;
pub mod import;
pub mod intensities;
pub mod interchange;
pub mod leakage;
pub mod lock;
pub mod metrics;
pub mod model_signature;
pub mod monitor;
pub mod names;
pub mod outside;
pub mod page;
pub mod plan;
pub mod qualify;
pub mod reading_sessions;
pub mod reads;
pub mod rehearsal;
pub mod repeatability;
pub mod report;
pub mod round;
pub mod run;
pub mod score;
pub mod sharded;
pub mod sign;
pub mod signature_record;
pub mod spelling;
pub mod status;
pub mod study;
pub mod train;
pub mod validate;
