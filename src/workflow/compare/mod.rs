//! Several trained models, tables of scores or published counts on one sheet.

mod contenders;
mod counts;
mod ensemble;
mod sheet;
mod thresholds;

pub use contenders::epochs;
pub use sheet::{Asked, of_scores, published};
