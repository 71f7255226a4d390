//! The value of a batch on a chart, and how many standard errors it lies from the value in control.

use super::batch::BatchRow;
use super::plan::Measure;
use super::sealed::SealedChart;
use crate::statistics::monitoring::{FARTHEST, share_from_control};

/// A batch on a chart, before the sum.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Standardised {
    /// The measure's value.
    pub value: f64,
    /// Cases it is of.
    pub cases: u64,
    /// In standard errors; above 0 where the value is above that in control.
    pub z: f64,
}

/// The value of rows that are one a patient; `None` where no row has what the measure is of.
///
/// A mean: (mean − μ)·√n/σ. A share: [`share_from_control`].
pub(super) fn from_control(
    measure: Measure,
    chart: &SealedChart,
    rows: &[&BatchRow],
) -> Option<Standardised> {
    if measure == Measure::MeanScore {
        let scores: Vec<f64> = rows.iter().filter_map(|row| row.score).collect();
        let n = scores.len() as f64;
        let mean = scores.iter().sum::<f64>() / n;
        let z = (mean - chart.in_control) * n.sqrt() / chart.deviation?;
        return z.is_finite().then_some(Standardised {
            value: mean,
            cases: scores.len() as u64,
            z: z.clamp(-FARTHEST, FARTHEST),
        });
    }
    let flags: Vec<bool> = match measure {
        Measure::PositiveCalls => rows.iter().filter_map(|row| row.call).collect(),
        Measure::Refusals => {
            let known = rows.iter().filter(|row| row.call.is_some() || row.refused.is_some());
            known.map(|row| row.refused.is_some()).collect()
        }
        Measure::Prevalence => rows.iter().filter_map(|row| row.label).collect(),
        Measure::Sensitivity | Measure::Specificity => {
            let wanted = measure == Measure::Sensitivity;
            let of_class = rows.iter().filter(|row| row.label == Some(wanted));
            of_class.filter_map(|row| row.call).map(|call| call == wanted).collect()
        }
        Measure::MeanScore => Vec::new(),
    };
    let (hits, n) = (flags.iter().filter(|flag| **flag).count() as u64, flags.len() as u64);
    if n == 0 {
        return None;
    }
    let z = share_from_control(hits, n, chart.in_control);
    Some(Standardised { value: hits as f64 / n as f64, cases: n, z })
}
