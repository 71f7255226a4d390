//! Readers' reads as they came, and the reference standard: who reads, what their reads count as, and the
//! answer that is computed from them and never typed. Sees no score.

pub mod assemble;
pub mod by_reader;
pub mod case_map;
pub mod consensus;
pub mod export;
pub mod files;
pub mod form;
pub mod import;
pub mod labels;
pub mod privacy;
pub mod ratings;
pub mod reader_study;
pub mod register;
pub mod returned;
pub mod roster;
pub mod round;
pub mod sessions;
pub mod status;
pub mod words;
