//! Reader studies: readers and cases as populations. Several readers rate the same cases in one or more
//! modalities (with and without the device, say), and a difference is to hold for other readers and other
//! cases than these. Obuchowski and Rockette's analysis with Hillis' degrees of freedom ([`analysis`]),
//! Gallas' U-statistics ([`u_statistics`]), the device alone beside the mean of the readers ([`device`]), and
//! how many readers and cases a study needs ([`design`]).
//!
//! A modality's name says nothing here: modalities, readers and cases are numbers from 0.

pub mod analysis;
mod cell;
mod covariance;
pub mod dbm;
pub mod design;
pub mod device;
mod inference;
mod moments;
mod shares;
pub mod u_statistics;

#[cfg(test)]
mod tests;

pub use analysis::{Analysis, Components, Global, MeanSquares, Population};
pub use cell::{Cell, ReaderStudy};
pub use covariance::{CovarianceMethod, Matrix, covariances};
pub use inference::{Inference, f_tail, t_two_sided_p};
pub use moments::{Moments, PairMoments};
pub use shares::{ShareUStatistic, Shares};
