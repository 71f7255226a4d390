//! How the sample was drawn, and what follows for the cases that it was drawn from.

use std::collections::BTreeMap;

use super::cases::{Analysed, count, dense};
use crate::protocol::{Protocol, SampleMethod};
use crate::statistics::weighted::{WeightedCase, effective_number, measures};
use crate::study::Cohort;
use crate::study::results::{SampledStratum, Sampling, Weighted, WeightedEstimate};

/// Nothing where cases are drawn at random and a shortage is refused: the flow says it all.
pub(super) fn sampling(
    protocol: &Protocol,
    cohort: &Cohort,
    analysed: &[Analysed],
    threshold: f64,
) -> Option<Sampling> {
    let sample = &protocol.sample;
    if sample.method.is_random() && sample.shortage.refuses() {
        return None;
    }
    let by = match &sample.method {
        SampleMethod::Stratified { by, .. } => by.clone(),
        SampleMethod::Consecutive { order_by } => vec![order_by.clone()],
        SampleMethod::Random | SampleMethod::Enriched => Vec::new(),
    };
    // Where a case stands in the tables, by its id.
    let drawn: BTreeMap<&str, usize> =
        cohort.drawn.iter().map(|place| (cohort.cases[*place].case_id.as_str(), *place)).collect();
    let stratum_of = |case: &Analysed| {
        let place = drawn.get(case.case.case_id.as_str())?;
        cohort.draw.stratum_of.get(place).copied()
    };
    let weighted = sample.method.is_weighted();
    let strata = cohort.draw.strata.iter().enumerate().map(|(number, stratum)| SampledStratum {
        name: stratum.name.clone(),
        pool: stratum.pool,
        wanted: stratum.wanted,
        drawn: stratum.drawn,
        analysed: if weighted {
            count(analysed.iter().filter(|case| stratum_of(case) == Some(number)).count())
        } else {
            count(analysed.len())
        },
        weight: stratum.weight().filter(|_| weighted),
    });
    let mut strata: Vec<SampledStratum> = strata.collect();
    if !weighted && strata.len() > 1 {
        // Classes by the source label that have no weight: who of them is analysed is said of both together.
        for stratum in &mut strata {
            let of_class =
                |case: &&Analysed| case.case.source_label == Some(stratum.name == "source label positive");
            stratum.analysed = count(analysed.iter().filter(of_class).count());
        }
    }
    let eligible = cohort.failed.iter().filter(|reasons| reasons.is_empty()).count();
    let pool: u64 = strata.iter().map(|stratum| stratum.pool).sum();
    Some(Sampling {
        method: sample.method.name().to_owned(),
        by,
        other_images: if sample.one_image_per_patient { count(eligible).saturating_sub(pool) } else { 0 },
        lacking: cohort.draw.strata.iter().map(crate::sampling::Stratum::lacking).sum(),
        strata,
        weighted: weighted.then(|| {
            let patients = dense(analysed.iter().map(|case| case.case.patient_id.as_str()));
            let cases: Vec<WeightedCase> = analysed
                .iter()
                .zip(patients)
                .filter_map(|(case, patient)| {
                    let stratum = stratum_of(case)?;
                    Some(WeightedCase {
                        positive: case.positive,
                        called: case.score >= threshold,
                        weight: cohort.draw.strata.get(stratum)?.weight()?,
                        patient,
                        stratum: u32::try_from(stratum).unwrap_or(u32::MAX),
                    })
                })
                .collect();
            let level = protocol.analysis.level;
            Weighted {
                cases: cases.iter().map(|case| case.weight).sum(),
                effective: effective_number(cases.iter().map(|case| case.weight)),
                level,
                estimates: measures(&cases)
                    .into_iter()
                    .map(|(id, ratio)| WeightedEstimate {
                        id: id.to_owned(),
                        value: ratio.map(|ratio| ratio.value),
                        standard_error: ratio.and_then(|ratio| ratio.standard_error),
                        limits: ratio.and_then(|ratio| ratio.limits(level)),
                    })
                    .collect(),
            }
        }),
    })
}
