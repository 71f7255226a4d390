//! How bright the images of sets of cases are, by group: what `dataset describe --images` shows.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::Ordering;

use rayon::prelude::*;

use super::outside::Outside;
use crate::dataset::case::Case;
use crate::dataset::describe::{Request, Set};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::{Digest, RelativePath};
use crate::imaging::image;
use crate::imaging::image_folder::ImageFolder;
use crate::imaging::intensity::{Histogram, Intensity};
use crate::table::limited;

/// So many images are read between two looks at how far it is.
const CHUNK: usize = 64;

/// A group of a set: its images, those of them that are there, and the case ids of those that are read.
struct Drawn<'a> {
    group: &'static str,
    of: u64,
    there: u64,
    read: Vec<&'a str>,
}

/// Reads `most` drawn images of each group of each set on all cores, each once, and sums them up by set and
/// group.
///
/// # Errors
/// `images-missing` without a single image; every one that cannot be read; [`Error::Interrupted`].
pub fn of_groups(
    sets: &[Set<'_>],
    folder: &ImageFolder,
    most: usize,
    request: &Request,
    outside: &Outside<'_>,
) -> Result<Vec<Vec<Intensity>>> {
    let paths = located(sets, folder)?;
    let drawn: Vec<Vec<Drawn<'_>>> = sets.iter().map(|set| draw(set, &paths, most, request)).collect();
    let histograms = read(&drawn, &paths, outside)?;
    let sum = |drawn: Drawn<'_>| {
        let images: Vec<&Histogram> = drawn.read.iter().filter_map(|id| histograms.get(id)).collect();
        Intensity::of(drawn.group, drawn.of, drawn.there, &images)
    };
    Ok(drawn.into_iter().map(|groups| groups.into_iter().map(sum).collect()).collect())
}

/// The images that are there, by case.
fn located<'a>(sets: &[Set<'a>], folder: &ImageFolder) -> Result<BTreeMap<&'a str, PathBuf>> {
    let mut paths: BTreeMap<&str, PathBuf> = BTreeMap::new();
    for case in sets.iter().flat_map(|s| &s.cases) {
        let image = case.image.clone().or_else(|| case.case_id.parse::<RelativePath>().ok());
        if let Some(image) = image {
            let path = folder.locate(&image);
            if path.is_file() {
                paths.insert(&case.case_id, path);
            }
        }
    }
    if !paths.is_empty() {
        return Ok(paths);
    }
    Err(Diagnostic::error(Code::ImagesMissing, "no image of the tables is in the folder of --images")
        .hint(
            "name the folder that holds the files of the column `image` (NIH: Image Index), or images_001/ \
             and so on",
        )
        .into())
}

/// Which images of a set are read: of each group those whose SHA-256 of the case id is smallest.
fn draw<'a>(
    set: &Set<'a>,
    paths: &BTreeMap<&str, PathBuf>,
    most: usize,
    request: &Request,
) -> Vec<Drawn<'a>> {
    let mut groups = Vec::new();
    for name in ["positive", "no finding", "other finding", "negative"] {
        let of_group = set.cases.iter().filter(|case| group(case, request) == Some(name));
        let members: Vec<&str> = of_group.map(|case| case.case_id.as_str()).collect();
        if members.is_empty() {
            continue;
        }
        let mut there: Vec<(Digest, &str)> = members
            .iter()
            .filter(|id| paths.contains_key(*id))
            .map(|id| (Digest::of(id.as_bytes()), *id))
            .collect();
        there.sort_unstable();
        let count = there.len() as u64;
        there.truncate(most);
        groups.push(Drawn {
            group: name,
            of: members.len() as u64,
            there: count,
            read: there.into_iter().map(|(_, id)| id).collect(),
        });
    }
    groups
}

/// The histogram of each image that was drawn.
fn read<'a>(
    drawn: &[Vec<Drawn<'a>>],
    paths: &BTreeMap<&str, PathBuf>,
    outside: &Outside<'_>,
) -> Result<BTreeMap<&'a str, Histogram>> {
    let ids: BTreeSet<&'a str> = drawn.iter().flatten().flat_map(|group| &group.read).copied().collect();
    let ids: Vec<&'a str> = ids.into_iter().collect();
    let histogram = |id: &&'a str| {
        let path = &paths[id];
        image::load(path).map(|picture| (*id, Histogram::of(&picture))).map_err(|error| {
            error.diagnostics().into_iter().next().unwrap_or_else(|| {
                Diagnostic::error(Code::ImageUnreadable, error.to_string()).at(Location::file(path))
            })
        })
    };
    let mut histograms = BTreeMap::new();
    let mut problems = Vec::new();
    let mut finished = 0;
    outside.progress.begin("describe", ids.len());
    for chunk in ids.chunks(CHUNK) {
        if outside.stop.load(Ordering::Relaxed) {
            break;
        }
        for read in chunk.par_iter().map(histogram).collect::<Vec<_>>() {
            match read {
                Ok((id, histogram)) => _ = histograms.insert(id, histogram),
                Err(problem) => problems.push(problem),
            }
        }
        finished += chunk.len();
        outside.progress.at(finished);
    }
    outside.progress.end();
    if outside.stop.load(Ordering::Relaxed) {
        return Err(Error::Interrupted("nothing was written; run the same command again".into()));
    }
    if let Some(place) = problems.first().and_then(|p| p.location.clone()) {
        return Err(Error::Input(limited(problems, &place.path)));
    }
    Ok(histograms)
}

/// The group of an image in the figures of intensities.
fn group(case: &Case, request: &Request) -> Option<&'static str> {
    let findings = request.fields.contains("findings");
    match case.source_label {
        Some(true) => Some("positive"),
        _ if findings && case.findings.is_empty() => Some("no finding"),
        _ if findings => Some("other finding"),
        Some(false) => Some("negative"),
        None => None,
    }
}
