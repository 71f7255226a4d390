//! The bootstrap: what is drawn, how a replicate is evaluated quickly, and the intervals.
//!
//! Every replicate has its own [`Stream`], so results do not depend on threads. A replicate that cannot
//! be evaluated (one class alone, an empty denominator) is left out of the quantiles and counted.
//! Quantiles are those of [`crate::quantile`].
//!
//! Why it is fast. The AUC does not depend on the order of neighbours of one class, so the larger
//! class collapses into the cells between distinct scores of the smaller; cell counts are drawn as
//! independent Poisson numbers conditioned on their sum, which is the multinomial law exactly; the smaller
//! class is drawn case by case against the cumulated cells. A 2×2 table needs three binomial draws.
//! Clustered resampling and paired differences sum the placements of the larger class among the weighted
//! smaller one, in one pass over memory from left to right.

mod collapsed;
mod jackknife;
mod placed;
mod resampler;

pub use jackknife::{auc_jackknife, confusion_jackknife, weighted_jackknife};
pub use placed::{auc, auc_difference};
pub use resampler::{
    Cases, Replicates, Resampler, acceleration, confusion_tables, confusion_with, replicate, weighted,
    weighted_each,
};
