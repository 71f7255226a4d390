//! What a second person keeps: files that are encrypted to somebody's key, so that who holds them cannot read
//! them alone.

pub mod age;
mod canonical;
pub mod commitment;
pub mod grant;
pub mod register;
pub mod request;
pub mod sealed;
pub mod signed;
