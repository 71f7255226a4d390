//! A device in use, beside the cohort that it was validated on: the plan that is declared and sealed before
//! the first batch, batches of scores, what is judged of them, and the ledger of batches. Pure: bytes in,
//! values out. Nothing here says how well a device performs unless a batch has labels.

pub mod batch;
pub mod judgement;
pub mod ledger;
pub mod month;
pub mod plan;
mod plan_parse;
mod quoted;
pub mod sealed;
pub mod versions;
pub mod watched;

#[cfg(test)]
mod tests;
