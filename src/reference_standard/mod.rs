//! The reference standard: reads as they came, and the consensus that is computed from them and never
//! typed. Pure. Sees no score.

pub mod agreement;
pub mod consensus;
pub mod reads;
