//! Which images are scored, and their scores: the gate's decision for every case, before the model sees a
//! pixel.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use super::scores::Score;
use crate::dataset::case::Case;
use crate::dataset::gate::Gate;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::Digest;
use crate::imaging::image_folder::ImageFolder;
use crate::imaging::observed::Observed;
use crate::imaging::{dicom, image};
use crate::model::scorer::Scorer;
use crate::storage;

/// An image that the gate accepted, or the score table's row that says why not.
#[derive(Clone, Debug)]
pub enum Admission {
    /// To be scored.
    Accepted,
    /// Not to be scored: every reason, joined.
    Refused(String),
}

/// A case's image on disk.
#[derive(Clone, Debug)]
pub struct Image {
    /// The case.
    pub case_id: String,
    /// The file.
    pub path: PathBuf,
    /// What the case table says of it; `None` for a file without a case, which speaks for itself.
    pub known: Option<Observed>,
}

impl Image {
    /// The image of a case in the image folder, or in one of NIH's folders below it.
    ///
    /// # Errors
    /// `image-missing` when the case table names no image; `image-outside` when it is a link that leads out.
    pub fn of_case(case: &Case, folder: &ImageFolder) -> Result<Self> {
        let named = case.image.as_ref().ok_or_else(|| {
            Diagnostic::error(Code::ImageMissing, format!("the case `{}` names no image", case.case_id))
                .hint("fill the column `image`, relative to `data.images`")
        })?;
        let known = Observed {
            modality: case.modality.as_deref().map(str::to_owned),
            body_part: case.body_part.as_deref().map(str::to_owned),
            view: case.view.as_deref().map(str::to_owned),
            age_years: case.age_years,
            ..Observed::default()
        };
        Ok(Self { case_id: case.case_id.to_string(), path: folder.inside(named)?, known: Some(known) })
    }

    /// The digest of the file and the gate's decision. A DICOM file is judged by its own header; another
    /// image by its case and its dimensions.
    ///
    /// # Errors
    /// When the file cannot be read, or is not the kind of file it claims to be.
    pub fn admit(&self, gate: &Gate) -> Result<(Digest, Admission)> {
        let bytes = storage::read(&self.path)?;
        let digest = Digest::of(&bytes);
        let mut rules = gate.clone();
        let observed = if image::is_dicom(&bytes) {
            dicom::read_header(&self.path)?.observed
        } else {
            rules = rules.without_header_rules();
            if !image::is_image(&bytes) {
                let message = "the content is neither PNG nor JPEG nor DICOM";
                return Err(Diagnostic::error(Code::ImageUnreadable, message)
                    .at(Location::file(&self.path))
                    .hint("name images; all cases of a study are scored with `sequester score STUDY`")
                    .into());
            }
            let mut observed = self.known.clone().ok_or_else(|| {
                Diagnostic::error(
                    Code::ImageWithoutHeader,
                    "this image says nothing about patient and projection, so the gate cannot judge it",
                )
                .at(Location::file(&self.path))
                .hint("score DICOM files, or score the image as a case of a study")
            })?;
            if gate.needs_dimensions() {
                let radiograph = image::from_bytes(&bytes, &self.path)?;
                observed.dimensions = Some((radiograph.width(), radiograph.height()));
            }
            observed
        };
        let reasons: Vec<String> =
            rules.refusals(&observed).into_iter().map(|refusal| refusal.message).collect();
        let admission =
            if reasons.is_empty() { Admission::Accepted } else { Admission::Refused(reasons.join("; ")) };
        Ok((digest, admission))
    }
}

/// Judges every image by the gate and scores those that it accepts: the rows of the score table, in the order
/// of the images. An image that cannot be read has its own error in its place. `done` hears how many of the
/// accepted ones are finished.
///
/// # Errors
/// [`Error::Interrupted`] when `stop` was raised.
pub fn score(
    scorer: &Scorer,
    gate: &Gate,
    images: &[Image],
    stop: &AtomicBool,
    done: impl FnMut(usize),
) -> Result<Vec<Result<Score>>> {
    let admitted: Vec<Result<(Digest, Admission)>> = images.iter().map(|image| image.admit(gate)).collect();
    let accepted: Vec<&Image> = images
        .iter()
        .zip(&admitted)
        .filter(|(_, admitted)| matches!(admitted, Ok((_, Admission::Accepted))))
        .map(|(image, _)| image)
        .collect();
    let mut values =
        scorer.score_each(accepted.len(), |nth| image::load(&accepted[nth].path), stop, done)?.into_iter();
    let row = |(image, admitted): (&Image, Result<(Digest, Admission)>)| {
        let (digest, admission) = admitted?;
        let (score, refused) = match admission {
            Admission::Refused(reasons) => (None, Some(reasons.into())),
            Admission::Accepted => {
                let value = values.next().unwrap_or_else(|| unreachable!("one value an accepted image"));
                (Some(value.map_err(|error| located(error, image))?), None)
            }
        };
        Ok(Score { score, refused, image_sha256: Some(Box::new(digest)), line: 0 })
    };
    Ok(images.iter().zip(admitted).map(row).collect())
}

/// What the network says of an image names no file by itself.
fn located(error: Error, image: &Image) -> Error {
    match error {
        Error::Input(mut problems) => {
            for problem in &mut problems {
                problem.location.get_or_insert_with(|| Location::file(&image.path));
            }
            Error::Input(problems)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_names_its_image_wherever_the_archives_put_it() {
        let folder = tempfile::tempdir().expect("folder");
        let archive = folder.path().join("images_002/images");
        std::fs::create_dir_all(&archive).expect("creates");
        std::fs::write(archive.join("a.png"), b"").expect("writes");
        let images = ImageFolder::open(folder.path()).expect("opens");
        let path = |image: Option<&str>| {
            let image = image.map(|name| name.parse().expect("a path"));
            Image::of_case(&Case { case_id: "c".into(), image, ..Case::default() }, &images)
        };
        assert_eq!(path(Some("a.png")).expect("found").path, archive.join("a.png"));
        assert_eq!(path(Some("b.png")).expect("named").path, folder.path().join("b.png"));
        assert_eq!(path(None).expect_err("refused").diagnostics()[0].code.as_str(), "image-missing");
    }
}
