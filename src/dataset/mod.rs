//! Cases and patients: what comes in, before any decision about it.

pub mod ages;
pub mod allocation;
pub mod case;
pub mod cases;
pub mod describe;
pub mod facts;
pub mod folder;
pub mod gate;
pub mod leakage;
pub mod lists;
pub mod mapped;
pub mod nih;
pub mod other_columns;
pub mod shared;
pub mod split;
pub mod standardised;
