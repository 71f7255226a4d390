//! Sequester: from a declared protocol, sealed data, reader files and a locked model to a
//! reproducible, self-consistent report.
//!
//! The modules are the architecture; which may import which is stated in `ARCHITECTURE.md` and executed by
//! `tests/it/walls.rs`. No statistic is computed outside [`statistics`], no file is read by the pure modules
//! ([`eligibility`], [`sampling`], [`reads`], [`statistics`], [`study`]), and only [`cli`] reads the clock,
//! the environment and the terminal.

// Three rooms are packages of their own (their `Cargo.toml` says why); they are named like the others.
pub use sequester_diagnostic as diagnostic;
pub use sequester_kernels as kernels;
pub use sequester_statistics as statistics;

pub mod chained;
pub mod declared;
pub mod digest;
pub mod random;
pub mod storage;

pub mod attestation;
pub mod audit;
pub mod cli;
pub mod comparison;
pub mod custody;
pub mod dataset;
pub mod document;
pub mod eligibility;
pub mod evidence;
pub mod imaging;
pub mod inference;
pub mod interchange;
pub mod model;
pub mod monitoring;
pub mod protocol;
pub mod qualification;
pub mod reads;
pub mod report;
pub mod sampling;
pub mod study;
pub mod synthetic;
pub mod table;
pub mod timestamp;
pub mod workflow;
