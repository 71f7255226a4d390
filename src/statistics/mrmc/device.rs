//! The device alone beside the mean of the readers on the same cases: the device has no readers, its area is
//! not known without error, and the readers are a population (Hupse et al. 2013; Chakraborty 2017). Readers
//! less device.

use super::cell::ReaderStudy;
use super::covariance::Matrix;
use super::inference::Inference;
use super::moments::Moments;
use super::u_statistics::{Covariance, Summed, UEstimate};

/// The mean of the readers less the device.
#[derive(Clone, Debug, PartialEq)]
pub struct AgainstDevice {
    /// The device's area.
    pub device: f64,
    /// The device's area for other cases; tested against ½.
    pub of_device: Option<Inference>,
    /// The mean of the readers' areas.
    pub readers: f64,
    /// Readers less device.
    pub difference: f64,
    /// Mean square of the readers' differences.
    pub reader: f64,
    /// Mean variance of a reader's difference over cases.
    pub variance: f64,
    /// Mean covariance of two readers' differences.
    pub cov2: f64,
    /// For other readers and other cases.
    pub readers_and_cases: Option<Inference>,
    /// For other cases, these readers.
    pub cases: Option<Inference>,
    /// For other readers, these cases.
    pub of_readers: Option<Inference>,
}

/// By Obuchowski and Rockette's model: `readers` are the readers' figures, `covariances` theirs in order and
/// the device's last. None with fewer than two readers.
pub fn against_device(
    readers: &[f64],
    device: f64,
    covariances: &Matrix,
    level: f64,
) -> Option<AgainstDevice> {
    let count = readers.len();
    if count < 2 || covariances.size() != count + 1 {
        return None;
    }
    let n = count as f64;
    let own = |a: usize, b: usize| {
        covariances.at(a, b) - covariances.at(a, count) - covariances.at(count, b)
            + covariances.at(count, count)
    };
    let mean = readers.iter().sum::<f64>() / n;
    let reader = readers.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0);
    let variance = (0..count).map(|j| own(j, j)).sum::<f64>() / n;
    let apart = (0..count).flat_map(|a| (0..count).filter(move |b| a != *b).map(move |b| (a, b)));
    let cov2 = apart.map(|(a, b)| own(a, b)).sum::<f64>() / (n * (n - 1.0));
    let whole = reader + n * cov2.max(0.0);
    let df = (whole / reader).powi(2) * (n - 1.0);
    let infer = |variance: f64, df: Option<f64>| Inference::new(mean - device, variance, df, 0.0, level);
    Some(AgainstDevice {
        device,
        of_device: Inference::new(device, covariances.at(count, count), None, 0.5, level),
        readers: mean,
        difference: mean - device,
        reader,
        variance,
        cov2,
        readers_and_cases: infer(whole / n, Some(df)),
        cases: infer((variance + (n - 1.0) * cov2.max(0.0)) / n, None),
        of_readers: infer(reader / n, Some(n - 1.0)),
    })
}

/// By U-statistics of the kernel's difference: every reader against the device, which reads with each of
/// them. `readers` and `device` are modalities of the study; the device's has one cell. None where they are
/// not.
pub fn u_against_device(
    study: &ReaderStudy,
    moments: &Moments,
    readers: usize,
    device: usize,
) -> Option<(UEstimate, [f64; 8])> {
    let start = |modality: usize| study.modalities[..modality].iter().map(Vec::len).sum::<usize>();
    let [(_, cell)] = &study.modalities[device][..] else { return None };
    let (from, at) = (start(readers), start(device));
    let count = study.modalities[readers].len();
    if count < 2 {
        return None;
    }
    // The device as a reader with each: the same cell, so pairs of two readers are it with itself.
    let of = |pair: &dyn Fn(usize, usize) -> (usize, usize)| -> Covariance {
        let mut summed = Summed::default();
        for a in 0..count {
            for b in 0..count {
                let (x, y) = pair(a, b);
                let moments = moments.pair(x, y);
                summed.any.add(moments);
                if a == b {
                    summed.same.add(moments);
                }
            }
        }
        summed.covariance(f64::NAN)
    };
    let own = of(&|a, b| (from + a, from + b));
    let alone = of(&|_, _| (at, at));
    let crossed = of(&|a, _| (from + a, at));
    let joined = |x: &[f64; 8], y: &[f64; 8], xy: &[f64; 8]| -> [f64; 8] {
        std::array::from_fn(|k| x[k] + y[k] - 2.0 * xy[k])
    };
    let unbiased = joined(&own.moments, &alone.moments, &crossed.moments);
    let variance = own.value + alone.value - 2.0 * crossed.value;
    let mle = own.mle + alone.mle - 2.0 * crossed.mle;
    let (x, y, xy) = (own.mle_components(), alone.mle_components(), crossed.mle_components());
    let components = std::array::from_fn(|k| x[k] + y[k] - 2.0 * xy[k]);
    let aucs = study.modalities[readers].iter().map(|(_, cell)| cell.auc());
    let mean = aucs.sum::<f64>() / count as f64;
    let estimate = mean - cell.auc();
    Some((UEstimate::new(estimate, [variance, mle], components, own.freedom(), 0.0), unbiased))
}
