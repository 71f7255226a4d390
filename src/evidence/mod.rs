//! What a run leaves: a BagIt bundle (RFC 8493) with a hash-chained ledger, written once and never
//! edited. Public tools can check it: `sha256sum -c manifest-sha256.txt`.

pub mod amendment;
pub mod bag;
pub mod bar;
pub mod bundle;
pub mod change;
pub mod deviation;
pub mod kept;
pub mod ledger;
pub mod names;
pub mod opening;
#[cfg(test)]
mod tests;
