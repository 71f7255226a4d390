//! Cases, patients and images: what comes in, before any decision about it. Imports `digest` alone
//! (besides `diagnostic` and `storage`).

pub mod case;
pub mod cases;
pub mod gate;
pub mod radiograph;
pub mod table;
