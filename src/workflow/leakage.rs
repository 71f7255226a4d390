//! What sets of cases have in common, from their tables and, where they are given, their images.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use rayon::prelude::*;

use super::outside::Outside;
use crate::dataset::case::Cases;
use crate::dataset::cases::{self, CaseFormat};
use crate::dataset::leakage::{self, Item, Pair};
use crate::dataset::shared;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::{Digest, RelativePath};
use crate::imaging::image_folder::ImageFolder;
use crate::imaging::{dicom, image};
use crate::storage;
use crate::table::id::Form;

/// So many images are read between two looks at how far it is.
const CHUNK: usize = 64;

/// What is compared.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// Tables of cases, one set each.
    pub tables: &'a [PathBuf],
    /// Their format, where the header does not say it.
    pub format: Option<CaseFormat>,
    /// The folder of the images, where they are read.
    pub images: Option<&'a Path>,
    /// Bits of 256 in which the hashes of near-duplicates may differ.
    pub distance: u32,
}

/// What was found.
#[derive(Clone, Debug)]
pub struct Found {
    /// Every case, in the order of the tables.
    pub items: Vec<Item>,
    /// Pairs with something in common.
    pub pairs: Vec<Pair>,
    /// What was read with a doubt, and what was not compared.
    pub warnings: Vec<Diagnostic>,
}

/// What the sets have in common.
///
/// # Errors
/// Whatever is wrong in the tables or images, located; [`Error::Interrupted`].
pub fn in_common(asked: &Asked<'_>, outside: &Outside<'_>) -> Result<Found> {
    let mut items = Vec::new();
    let mut images: Vec<PathBuf> = Vec::new();
    let mut warnings: Vec<Diagnostic> = Vec::new();
    let folder = asked.images.map(ImageFolder::open).transpose()?;
    for (set, path) in asked.tables.iter().enumerate() {
        warnings.extend(read(asked.format, folder.as_ref(), set, path, &mut items, &mut images)?);
    }
    if asked.images.is_some() {
        look(&mut items, &images, outside)?;
    }
    let leakage::Found { pairs, crowded } = leakage::in_common(&items, asked.distance, Form::Seen);
    warnings.extend((crowded > 0).then(|| {
        let most = leakage::MOST_COMPARED;
        let message = format!(
            "{crowded} images share a part of their hash with more than {most} others and were not compared \
             with all of them"
        );
        Diagnostic::warning(Code::LeakageCrowded, message).hint(
            "a near-duplicate among them that shares no other part may be missed; compare smaller tables",
        )
    }));
    Ok(Found { items, pairs, warnings })
}

/// The cases of one table.
fn read(
    format: Option<CaseFormat>,
    folder: Option<&ImageFolder>,
    set: usize,
    path: &Path,
    items: &mut Vec<Item>,
    images: &mut Vec<PathBuf>,
) -> Result<Vec<Diagnostic>> {
    let bytes = storage::read(path)?;
    let Cases { cases, warnings, .. } = cases::parse_as(path, &bytes, format, &[]).map_err(Error::Input)?;
    let recorded = shared::recorded_digests(path, &bytes)?;
    for case in cases {
        if let Some(folder) = folder {
            let relative = match &case.image {
                Some(image) => image.clone(),
                None => case.case_id.parse::<RelativePath>().map_err(|reason| {
                    Error::from(
                        Diagnostic::error(
                            Code::PathUnsafe,
                            format!("the case id is no path below --images: {reason}"),
                        )
                        .at(Location::line(path, case.line))
                        .hint("give the table an image column"),
                    )
                })?,
            };
            images.push(folder.inside(&relative)?);
        }
        items.push(Item {
            set,
            file: recorded.get(case.case_id.as_str()).copied(),
            site: case.site.clone(),
            case_id: case.case_id,
            patient_id: case.patient_id,
            ..Item::default()
        });
    }
    Ok(warnings)
}

/// Reads the images on all cores.
fn look(items: &mut [Item], images: &[PathBuf], outside: &Outside<'_>) -> Result<()> {
    outside.progress.begin("leakage", images.len());
    let mut problems = Vec::new();
    let mut finished = 0;
    for (items, images) in items.chunks_mut(CHUNK).zip(images.chunks(CHUNK)) {
        if outside.stop.load(Ordering::Relaxed) {
            break;
        }
        let found: Vec<Diagnostic> =
            items.par_iter_mut().zip(images).filter_map(|(item, path)| fill(item, path)).collect();
        problems.extend(found);
        finished += images.len();
        outside.progress.at(finished);
    }
    outside.progress.end();
    if outside.stop.load(Ordering::Relaxed) {
        return Err(Error::Interrupted("nothing was written; run the same command again".into()));
    }
    if problems.is_empty() { Ok(()) } else { Err(Error::Input(problems)) }
}

/// What an image says; what is wrong with it otherwise.
fn fill(item: &mut Item, path: &Path) -> Option<Diagnostic> {
    let read = storage::read(path).and_then(|bytes| {
        let header = if image::is_dicom(&bytes) { Some(dicom::read_header(path)?) } else { None };
        Ok((Digest::of(&bytes), image::from_bytes(&bytes, path)?, header))
    });
    let (file, picture, header) = match read {
        Ok(read) => read,
        Err(error) => {
            return Some(error.diagnostics().first().cloned().unwrap_or_else(|| {
                Diagnostic::error(Code::ImageUnreadable, error.to_string()).at(Location::file(path))
            }));
        }
    };
    let given = |uid: String| (!uid.is_empty()).then_some(uid);
    if let Some(header) = header {
        item.study = given(header.study_instance_uid);
        item.instance = given(header.sop_instance_uid);
    }
    item.file = Some(file);
    item.pixels = Some(leakage::pixel_digest(&picture));
    item.hash = Some(leakage::difference_hash(&picture));
    None
}
