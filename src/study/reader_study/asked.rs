//! What is asked of a reader study: whom the decision is for, what is to be shown, which modality is the
//! device alone, and from which rating on a call is positive.

use crate::diagnostic::{Code, Diagnostic, Error};
use crate::statistics::comparative::Aim;
use crate::statistics::mrmc::{CovarianceMethod, Population};

/// What is asked of the ratings.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Two-sided confidence level.
    pub level: f64,
    /// Covariances of areas; the one that fits where it is not given.
    pub covariances: Option<CovarianceMethod>,
    /// Whom the decision is for.
    pub population: Population,
    /// What is to be shown of the first modality less the second.
    pub aim: Option<Aim>,
    /// Its margin, without a sign.
    pub margin: f64,
    /// The two modalities that are compared where there are more, or in another order.
    pub between: Option<[String; 2]>,
    /// The modality that is the device alone.
    pub device: Option<String>,
    /// Ratings at or above it are positive calls.
    pub threshold: Option<f64>,
    /// The same of the device's scores; its calls are set beside the readers' where it is given.
    pub device_threshold: Option<f64>,
}

/// What is asked does not fit the ratings.
pub(super) fn usage(message: impl Into<String>, hint: impl Into<String>) -> Error {
    Error::usage(Diagnostic::error(Code::OptionOutOfRange, message).hint(hint.into()))
}
