//! Scores: case to probability, as a table. Sees no read and no acceptance criterion.

pub mod engines;
pub mod images;
pub mod scores;
pub mod scoring;
pub mod shards;
