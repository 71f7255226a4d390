//! What a second person keeps: files that are encrypted to somebody's key, so that who holds them cannot read
//! them alone.

pub mod age;
pub mod commitment;
