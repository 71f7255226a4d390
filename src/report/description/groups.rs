//! Age, sex and the other variables with levels.

use super::figures::{self, Series};
use super::pieces::{DRAWN, Pieces};
use super::words::{columns, level_words, names, row, share, table, variable};
use crate::dataset::describe::{AgeBin, Description, SetDescription, Share};
use crate::document::canvas::{BLUE, ORANGE};
use crate::document::text;
use crate::document::tree::Row;

pub(super) fn age_and_sex(description: &Description, pieces: &mut Pieces) {
    let sets = &description.sets;
    if sets.iter().all(|s| s.age.is_none()) {
        return;
    }
    let most = sets.iter().map(|s| s.age_histogram.len()).max().unwrap_or(0);
    let drawn = sets.iter().take(DRAWN).filter(|s| !s.age_histogram.is_empty()).map(|set| {
        let bins = &set.age_histogram;
        let positives: u64 = bins.iter().map(|b| b.positives).sum();
        let others: u64 = bins.iter().map(|b| b.images - b.positives).sum();
        let series = |name: &str, color, count: fn(&AgeBin) -> u64, of: u64| Series {
            name: format!("{name}, {}", text::one_line(&set.name)),
            color,
            values: (0..most).map(|i| Share::new(bins.get(i).map_or(0, count), of).value).collect(),
        };
        [
            series("other images", BLUE, |b| b.images - b.positives, others),
            series("positive images", ORANGE, |b| b.positives, positives),
        ]
    });
    let drawn: Vec<[Series; 2]> = drawn.collect();
    let largest = figures::largest(drawn.iter().flatten());
    let last = sets.iter().filter_map(|s| s.age_histogram.last()).map(|b| b.last).max().unwrap_or(99);
    let range = (0.0, f64::from(last) + 1.0);
    let images = drawn.iter().map(|series| figures::outlines("Age in years", range, series, true, largest));
    pieces.figure(
        "ages",
        "Ages in bins of five years, as shares of the positive and of the other images.".to_owned(),
        "Histogram of ages of the positive and of the other images.",
        images.collect(),
    );
    positives_by_age_and_sex(description, pieces);
}

/// Positive images by age band and sex, where both are recorded.
fn positives_by_age_and_sex(description: &Description, pieces: &mut Pieces) {
    let sets = &description.sets;
    if sets.iter().all(|s| s.by_age_and_sex.is_empty()) {
        return;
    }
    let mut keys: Vec<(&str, &str)> = Vec::new();
    for cell in sets.iter().flat_map(|s| &s.by_age_and_sex) {
        let key = (cell.age_band.as_str(), cell.sex.as_str());
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    let mut rows = Vec::new();
    let mut band = "";
    for &(age_band, sex) in &keys {
        if band != age_band {
            rows.push(Row::Group(if age_band.starts_with(|c: char| c.is_ascii_digit()) {
                match age_band.strip_suffix('-') {
                    Some(first) => format!("{first} years and over"),
                    None => format!("{age_band} years"),
                }
            } else {
                age_band.to_owned()
            }));
            band = age_band;
        }
        let cell = |s: &SetDescription| {
            let found = s.by_age_and_sex.iter().find(|c| c.age_band == age_band && c.sex == sex);
            found.map_or_else(|| "0/0".to_owned(), |c| share(c.positives))
        };
        rows.push(row(format!("\u{2003}{sex}"), sets.iter().map(cell)));
    }
    pieces.table(
        "positives-by-age-and-sex",
        table(
            "Positive images by age band and sex, of the labelled images",
            columns("Age and sex", names(description)),
            rows,
        ),
    );
    drawn_by_age_and_sex(description, &keys, pieces);
}

/// The same as bars, a group an age band.
fn drawn_by_age_and_sex(description: &Description, keys: &[(&str, &str)], pieces: &mut Pieces) {
    let sets = &description.sets;
    let mut bands: Vec<&str> = Vec::new();
    let mut sexes: Vec<&str> = Vec::new();
    for (band, sex) in keys {
        if !bands.contains(band) {
            bands.push(band);
        }
        if !sexes.contains(sex) {
            sexes.push(sex);
        }
    }
    let drawn = sets.iter().take(DRAWN).map(|set| {
        let series: Vec<Series> = sexes
            .iter()
            .enumerate()
            .map(|(i, sex)| Series {
                name: format!("{sex}, {}", text::one_line(&set.name)),
                color: crate::document::plot::color(i),
                values: bands
                    .iter()
                    .map(|b| {
                        let cell = set.by_age_and_sex.iter().find(|c| c.age_band == *b && c.sex == *sex);
                        cell.and_then(|c| c.positives.value)
                    })
                    .collect(),
            })
            .collect();
        series
    });
    let drawn: Vec<Vec<Series>> = drawn.collect();
    let largest = figures::largest(drawn.iter().flatten());
    let labels: Vec<String> = bands.iter().map(|band| level_words("age_band", band)).collect();
    let title = "Positive images, of the labelled images of that age and sex";
    let images = drawn.iter().map(|series| figures::bars(title, &labels, series, largest));
    pieces.figure(
        "positives-by-age-and-sex",
        "Share of positive images by age band and sex.".to_owned(),
        "Bars of the share of positive images by age band and sex; the numbers are those of the table.",
        images.collect(),
    );
}

pub(super) fn levels(description: &Description, pieces: &mut Pieces) {
    let sets = &description.sets;
    let Some(first) = sets.first().filter(|s| !s.covariates.is_empty()) else { return };
    let (mut images, mut positives) = (Vec::new(), Vec::new());
    for (place, covariate) in first.covariates.iter().enumerate() {
        let mut names: Vec<&str> = Vec::new();
        for level in sets.iter().filter_map(|s| s.covariates.get(place)).flat_map(|c| &c.levels) {
            if !names.contains(&level.level.as_str()) {
                names.push(&level.level);
            }
        }
        images.push(Row::Group(variable(&covariate.field, None)));
        positives.push(Row::Group(variable(&covariate.field, None)));
        for name in names {
            let find = |s: &SetDescription| {
                s.covariates.get(place).and_then(|c| c.levels.iter().find(|l| l.level == name)).cloned()
            };
            let label = format!("\u{2003}{}", level_words(&covariate.field, name));
            images.push(row(
                label.clone(),
                sets.iter().map(|s| share(find(s).map_or(Share::new(0, s.images), |l| l.images))),
            ));
            positives.push(row(
                label,
                sets.iter().map(|s| share(find(s).map_or(Share::new(0, 0), |l| l.positives))),
            ));
        }
    }
    pieces.table(
        "levels",
        table("Images at each level, of all images", columns("Level", names(description)), images),
    );
    pieces.table(
        "prevalence-by-level",
        table(
            "Positive images at each level, of the labelled images at that level",
            columns("Level", names(description)),
            positives,
        ),
    );
}
