//! Reads, consensus, agreement and adjudication. Sees no scores: blinding is an import rule.

pub mod agreement;
