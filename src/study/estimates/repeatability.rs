//! Precision of the device from repeated images of patients.

use std::collections::{BTreeMap, BTreeSet};

use crate::statistics::repeatability::{
    Agreement, Agreements, Differences, Image, Known, Partners, by_condition, components,
};
use crate::study::repeats::{RepeatedImage, Repeats};
use crate::study::results::{
    AtLevel, CallAgreement, CallShare, Limited, PairDifferences, Repeatability, Rules, UnderCondition,
};

/// Patients who are drawn: a figure has no use of more.
const MOST_POINTS: usize = 2000;

fn limited(known: Known) -> Limited {
    Limited { value: known.value, limits: known.limits }
}

fn count(n: usize) -> u64 {
    n as u64
}

/// Of repeated images at a threshold; `columns` name their conditions. None where no patient has two images.
pub fn repeatability(
    repeats: &Repeats,
    columns: &[String],
    threshold: f64,
    level: f64,
    rules: Rules,
) -> Option<Repeatability> {
    let all: Vec<Vec<Image>> = repeats.patients.values().map(|images| plain(images)).collect();
    let repeated: Vec<Vec<Image>> = all.iter().filter(|images| images.len() > 1).cloned().collect();
    let found = components(&all, level)?;
    let pair = |images: &Vec<Image>| [images[0].score, images[1].score];
    let differences: Vec<f64> = repeated.iter().map(pair).map(|[first, second]| second - first).collect();
    let points = repeated.iter().take(MOST_POINTS).map(pair);
    let agreement = Agreements::of(&repeated, threshold, Partners::All, level)?;
    Some(Repeatability {
        level,
        threshold,
        patients: count(repeated.len()),
        images: count(repeated.iter().map(Vec::len).sum()),
        single: count(all.iter().filter(|images| images.len() == 1).count()),
        refused: repeats.refused,
        within_sd: limited(found.within),
        coefficient: limited(found.repeatability),
        between_sd: found.between,
        intraclass: found.intraclass.map(limited),
        differences: of_differences(Differences::of(&differences, level)?, rules),
        agreement: of_calls(agreement),
        conditions: columns
            .iter()
            .enumerate()
            .map(|(place, column)| under_condition(repeats, column, place, threshold, level, rules))
            .collect(),
        points: points.map(|[first, second]| (f64::midpoint(first, second), second - first)).collect(),
    })
}

fn plain(images: &[RepeatedImage]) -> Vec<Image> {
    images.iter().map(|image| Image { score: image.score, condition: 0 }).collect()
}

fn of_differences(found: Differences, rules: Rules) -> PairDifferences {
    let found = if rules == Rules::Current { found.without_points() } else { found };
    PairDifferences {
        patients: found.patients,
        mean: limited(found.mean),
        sd: found.sd,
        lower: found.agreement.map(|limits| limited(limits.lower)),
        upper: found.agreement.map(|limits| limited(limits.upper)),
    }
}

fn of_calls(found: Agreements) -> CallAgreement {
    let share =
        |of: Agreement| CallShare { share: limited(of.share), images: of.images, patients: of.patients };
    CallAgreement {
        overall: share(found.overall),
        positive: found.positive.map(share),
        negative: found.negative.map(share),
    }
}

fn under_condition(
    repeats: &Repeats,
    column: &str,
    place: usize,
    threshold: f64,
    level: f64,
    rules: Rules,
) -> UnderCondition {
    let name = |image: &RepeatedImage| image.conditions.get(place).cloned().unwrap_or_default();
    let names: BTreeSet<String> = repeats.patients.values().flatten().map(name).collect();
    let numbers: BTreeMap<String, u32> = names.into_iter().zip(0..).collect();
    let number = |image: &RepeatedImage| numbers.get(&name(image)).copied().unwrap_or_default();
    let image = |image: &RepeatedImage| Image { score: image.score, condition: number(image) };
    let patients: Vec<Vec<Image>> =
        repeats.patients.values().map(|images| images.iter().map(image).collect()).collect();
    let spread = by_condition(&patients, level);
    let calls = |partners| Agreements::of(&patients, threshold, partners, level).map(of_calls);
    UnderCondition {
        column: column.to_owned(),
        levels: numbers
            .iter()
            .map(|(name, number)| at_level(&patients, name, *number, level, rules))
            .collect(),
        same_sd: spread.and_then(|s| s.same).map(limited),
        different_sd: spread.map(|s| limited(s.different)),
        condition_sd: spread.and_then(|s| s.condition),
        same: calls(Partners::Same),
        different: calls(Partners::Different),
    }
}

/// The images of a level, one entry a patient, empty where there is none.
fn of_level(patients: &[Vec<Image>], number: u32) -> Vec<Vec<Image>> {
    let own = |images: &Vec<Image>| images.iter().filter(|i| i.condition == number).copied().collect();
    patients.iter().map(own).collect()
}

fn at_level(patients: &[Vec<Image>], name: &str, number: u32, level: f64, rules: Rules) -> AtLevel {
    let own = of_level(patients, number);
    let mean = |images: &Vec<Image>| {
        (!images.is_empty()).then(|| images.iter().map(|i| i.score).sum::<f64>() / images.len() as f64)
    };
    let first = of_level(patients, 0);
    let both = own.iter().zip(&first).filter_map(|(own, first)| Some(mean(own)? - mean(first)?));
    let differences: Vec<f64> = if number == 0 { Vec::new() } else { both.collect() };
    AtLevel {
        level: name.to_owned(),
        patients: count(own.iter().filter(|images| !images.is_empty()).count()),
        images: count(own.iter().map(Vec::len).sum()),
        within_sd: components(&own, level).map(|found| limited(found.within)),
        difference: Differences::of(&differences, level).map(|found| of_differences(found, rules)),
    }
}
