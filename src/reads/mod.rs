//! Readers' reads as they came, and the reference standard: the consensus that is computed from them and never
//! typed. Sees no score.

pub mod consensus;
pub mod export;
pub mod files;
pub mod import;
