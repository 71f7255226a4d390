//! Images a patient, and the intensities of images.

use super::figures::{self, Series};
use super::pieces::{DRAWN, Pieces};
use super::words::{columns, names, row, share, table};
use crate::dataset::describe::{Description, SetDescription, Share};
use crate::document::canvas::{BLUE, MUTED, ORANGE};
use crate::document::tree::Row;
use crate::document::{format, text};

/// Bins of the figure of images per patient: the first and the last number of images.
const IMAGES: [(u64, Option<u64>); 9] = [
    (1, Some(1)),
    (2, Some(2)),
    (3, Some(3)),
    (4, Some(4)),
    (5, Some(5)),
    (6, Some(10)),
    (11, Some(20)),
    (21, Some(50)),
    (51, None),
];

pub(super) fn patients(description: &Description, pieces: &mut Pieces) {
    let sets = &description.sets;
    let labels: Vec<String> = IMAGES
        .iter()
        .map(|(first, last)| match last {
            Some(last) if first == last => first.to_string(),
            Some(last) => format!("{first}\u{2013}{last}"),
            None => format!("{first} or more"),
        })
        .collect();
    let counted = |s: &SetDescription, (first, last): (u64, Option<u64>)| {
        let within = s
            .images_per_patient_counts
            .iter()
            .filter(|c| c.images >= first && last.is_none_or(|last| c.images <= last));
        Share::new(within.map(|c| c.patients).sum(), s.patients)
    };
    let rows = labels
        .iter()
        .zip(IMAGES)
        .map(|(label, bin)| row(label.clone(), sets.iter().map(|s| share(counted(s, bin)))))
        .collect();
    pieces.table(
        "images-per-patient",
        table(
            "Patients by their number of images, of all patients",
            columns("Images", names(description)),
            rows,
        ),
    );
    let series: Vec<Series> = sets
        .iter()
        .take(figures::MOST_SERIES)
        .enumerate()
        .map(|(i, s)| Series {
            name: s.name.clone(),
            color: crate::document::plot::color(i),
            values: IMAGES.map(|bin| counted(s, bin).value).to_vec(),
        })
        .collect();
    pieces.figure(
        "images-per-patient",
        "Patients by their number of images, of all patients.".to_owned(),
        "Bars of the share of patients by their number of images; the numbers are those of the table.",
        vec![figures::bars("Share of patients", &labels, &series, figures::largest(series.iter()))],
    );
}

pub(super) fn intensity(description: &Description, pieces: &mut Pieces) {
    let sets: Vec<&SetDescription> = description.sets.iter().filter(|s| !s.intensity.is_empty()).collect();
    if sets.is_empty() {
        return;
    }
    let mut rows = Vec::new();
    for set in &sets {
        if sets.len() > 1 {
            rows.push(Row::Group(text::one_line(&set.name)));
        }
        for group in &set.intensity {
            let pair = |mean: Option<f64>, sd: Option<f64>| match (mean, sd) {
                (Some(mean), Some(sd)) => format!("{} (SD {})", format::fixed(mean, 3), format::fixed(sd, 3)),
                (Some(mean), None) => format::fixed(mean, 3),
                _ => "\u{2013}".to_owned(),
            };
            rows.push(row(
                group.group.clone(),
                [
                    format::count(group.of),
                    format::count(group.there),
                    format::count(group.read),
                    pair(group.mean, group.mean_sd),
                    pair(group.contrast, group.contrast_sd),
                ]
                .into_iter(),
            ));
        }
    }
    let heads = ["Images", "There", "Read", "Mean intensity", "Contrast"].map(str::to_owned).into_iter();
    let mut listed = table("Intensities by group", columns("Group", heads), rows);
    listed.notes.push(
        "Mean intensity: mean over images of an image's mean. Contrast: mean over images of the standard \
         deviation within an image. SD: over images."
            .to_owned(),
    );
    pieces.table("intensity", listed);
    let drawn = sets.iter().take(DRAWN).map(|set| {
        let mut series: Vec<Series> = set
            .intensity
            .iter()
            .filter(|g| g.read > 0)
            .map(|g| Series {
                name: format!("{} ({}), {}", g.group, format::count(g.read), text::one_line(&set.name)),
                color: match g.group.as_str() {
                    "positive" => ORANGE,
                    "other finding" => MUTED,
                    _ => BLUE,
                },
                values: g.bins.iter().map(|v| Some(*v)).collect(),
            })
            .collect();
        // The healthy first: the first is filled, in the blue of the healthy.
        series.sort_by_key(|s| s.color != BLUE);
        series
    });
    let drawn: Vec<Vec<Series>> = drawn.collect();
    let largest = figures::largest(drawn.iter().flatten());
    let images =
        drawn.iter().map(|series| figures::outlines("Intensity", (0.0, 1.0), series, false, largest));
    pieces.figure(
        "intensity",
        "Distribution of intensities of healthy and diseased images, in 64 bins; in brackets the images \
         that were read."
            .to_owned(),
        "Outlines of the distributions of intensities by group.",
        images.collect(),
    );
}
