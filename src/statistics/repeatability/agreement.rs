//! Agreement of calls of two images of a patient.

use std::collections::BTreeMap;

use super::{Patients, t_quantile};
use crate::proportion::{Limits, clopper_pearson, clopper_pearson_effective};
use crate::repeatability::variance::Known;
use crate::special::t_two_sided;

/// Which other images of a patient an image is compared with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Partners {
    /// All of them.
    All,
    /// Those under its own condition.
    Same,
    /// Those under other conditions.
    Different,
}

/// How often the calls of two images of a patient are the same. Of an image that is called positive
/// (negative, or either), the share of the patient's other images that are called like it, as a mean over
/// such images: of two images a patient that is 2·both/(2·both + one alone), the specific agreement of
/// Fleiss (1981, 13.1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreements {
    /// Of either call.
    pub overall: Agreement,
    /// Of positive calls; none where no image with a partner is called positive.
    pub positive: Option<Agreement>,
    /// Of negative calls.
    pub negative: Option<Agreement>,
}

/// A share of agreement.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Agreement {
    /// The share, with its limits.
    pub share: Known,
    /// Images that it counts: those of its kind that have a partner.
    pub images: u64,
    /// Their patients.
    pub patients: u64,
}

/// What a patient adds to a share: the sum of the shares of its images, and how many images there are.
type Part = (f64, f64);

impl Agreements {
    /// Of calls at a threshold (positive is a score at or above it); none where no image has a partner.
    pub fn of(patients: &Patients, threshold: f64, partners: Partners, level: f64) -> Option<Self> {
        let [mut overall, mut positive, mut negative]: [Vec<Part>; 3] = Default::default();
        for images in patients {
            // Calls by condition, so that a patient of many images costs no more than they are.
            let mut counts: BTreeMap<u32, [u64; 2]> = BTreeMap::new();
            let mut all = [0_u64; 2];
            for image in images {
                let call = usize::from(image.score >= threshold);
                counts.entry(image.condition).or_default()[call] += 1;
                all[call] += 1;
            }
            let mut parts = [(0.0, 0.0); 2];
            for own in counts.values() {
                for (call, part) in parts.iter_mut().enumerate().filter(|(call, _)| own[*call] > 0) {
                    let others = match partners {
                        Partners::All => [all[call] - 1, all[1 - call]],
                        Partners::Same => [own[call] - 1, own[1 - call]],
                        Partners::Different => [all[call] - own[call], all[1 - call] - own[1 - call]],
                    };
                    let partners = others[0] + others[1];
                    if partners > 0 {
                        part.0 += own[call] as f64 * others[0] as f64 / partners as f64;
                        part.1 += own[call] as f64;
                    }
                }
            }
            let both = (parts[0].0 + parts[1].0, parts[0].1 + parts[1].1);
            let lists = [(&mut overall, both), (&mut negative, parts[0]), (&mut positive, parts[1])];
            lists.into_iter().filter(|(_, part)| part.1 > 0.0).for_each(|(list, part)| list.push(part));
        }
        Some(Self {
            overall: agreement(&overall, level)?,
            positive: agreement(&positive, level),
            negative: agreement(&negative, level),
        })
    }
}

fn agreement(parts: &[Part], level: f64) -> Option<Agreement> {
    let (alike, images) = parts.iter().fold((0.0, 0.0), |(a, b), (x, y)| (a + x, b + y));
    if images == 0.0 {
        return None;
    }
    let value = alike / images;
    let limits = limits(parts, value, images, level);
    Some(Agreement {
        share: Known { value, limits: Some(limits) },
        images: images as u64,
        patients: parts.len() as u64,
    })
}

/// Clopper-Pearson limits on the effective number of images (Korn and Graubard 1998), from the variance of
/// the share as a ratio over patients; on patients, where they do not differ and nothing is to be learnt of
/// their spread, or where the effective number would be above that of the images.
fn limits(parts: &[Part], value: f64, images: f64, level: f64) -> Limits {
    let patients = parts.len() as f64;
    let on_patients = || {
        let whole = parts.iter().filter(|(alike, all)| alike >= all).count() as u64;
        let any = parts.iter().filter(|(alike, _)| *alike > 0.0).count() as u64;
        let count = parts.len() as u64;
        let (low, high) = (clopper_pearson(whole, count, level).0, clopper_pearson(any, count, level).1);
        (low.min(value), high.max(value))
    };
    let squares: f64 = parts.iter().map(|(alike, all)| (alike - value * all).powi(2)).sum();
    let variance = patients / (patients - 1.0) * squares / (images * images);
    if patients < 2.0 || variance <= 1e-15 {
        return on_patients();
    }
    let independent = (value * (1.0 - value) / variance).min(images);
    let quotient = t_two_sided(level, (images - 1.0).max(1.0)) / t_quantile(level, parts.len());
    let effective = independent * quotient * quotient;
    clopper_pearson_effective(value * effective, effective, level)
}
