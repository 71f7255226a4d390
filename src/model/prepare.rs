//! From image files to the planes a training reads: each image is read once, digested, decoded and resized.
//! What was decoded before, from a file with the same digest, is not decoded again.

use std::path::Path;
use std::sync::atomic::AtomicBool;

use super::parallel::{self, Pool};
use super::preprocessing::Preprocessing;
use super::records::Records;
use super::run::Sample;
use crate::diagnostic::{Code, Diagnostic, Error, Result};
use crate::digest::Digest;
use crate::imaging::image;
use crate::storage;

/// At most this many unreadable images are listed; the rest is counted.
const LISTED: usize = 50;

/// Resized images on disk, and the digest of each image file.
#[derive(Debug)]
pub struct Planes {
    records: Records,
    /// In the order of the samples.
    pub digests: Vec<Digest>,
}

impl Planes {
    /// The plane of one sample.
    ///
    /// # Errors
    /// When it cannot be read back.
    pub fn plane(&self, index: usize) -> Result<Vec<f32>> {
        let mut plane = Vec::new();
        self.records.read_into(index, &mut plane)?;
        Ok(plane)
    }
}

/// Reads every image. `done` hears how many are finished.
///
/// # Errors
/// Every image that is missing or unreadable, all at once; [`Error::Interrupted`].
pub fn prepare(
    samples: &[Sample],
    preprocessing: &Preprocessing,
    cache: &Path,
    workers: usize,
    stop: &AtomicBool,
    done: impl FnMut(usize),
) -> Result<Planes> {
    let pool = Pool::new(workers, || {})?;
    let planned = planned(samples, preprocessing);
    let path = cache.join(format!("planes-{}.f32", &planned.to_string()[..16]));
    let records = Records::open(&path, samples.len(), preprocessing.plane_len())?;
    let one = |sample: &Sample, index: usize| -> Result<Digest> {
        let bytes = storage::read(&sample.image)?;
        let digest = Digest::of(&bytes);
        if !records.has(index, &digest) {
            let radiograph = image::from_bytes(&bytes, &sample.image)?;
            records.write(index, &digest, &preprocessing.plane(&radiograph))?;
        }
        Ok(digest)
    };
    let results = parallel::each(
        &pool,
        samples.len(),
        stop,
        done,
        || (),
        |(), index| {
            // A full disk stops the work; a bad image is collected with the others.
            match one(&samples[index], index) {
                Err(Error::Input(problems)) if problems.iter().all(|p| p.code != Code::DiskFull) => {
                    Ok(Err(problems))
                }
                Err(error) => Err(error),
                Ok(digest) => Ok(Ok(digest)),
            }
        },
    )?;
    let mut digests = Vec::with_capacity(results.len());
    let mut problems = Vec::new();
    for (result, sample) in results.into_iter().zip(samples) {
        match result {
            Ok(digest) => digests.push(digest),
            Err(list) => problems.extend(list.into_iter().map(|mut problem| {
                problem.message = format!("case {}: {}", sample.case_id, problem.message);
                problem
            })),
        }
    }
    if problems.is_empty() {
        return Ok(Planes { records, digests });
    }
    let more = problems.len().saturating_sub(LISTED);
    problems.truncate(LISTED);
    if more > 0 {
        problems.push(Diagnostic::error(Code::ImageUnreadable, format!("and {more} more images")));
    }
    Err(Error::Input(problems))
}

/// Changes whenever the numbers of a plane do: part of the name of their file.
const VERSION: &str = "planes-2";

/// Which planes are wanted, in which order: names their file.
fn planned(samples: &[Sample], preprocessing: &Preprocessing) -> Digest {
    let mut text = format!("{VERSION} {} {:?}", preprocessing.resolution, preprocessing.filter);
    for sample in samples {
        text.push_str(&format!("\n{:?}", sample.case_id));
    }
    Digest::of(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::model::preprocessing::Filter;

    #[test]
    fn every_bad_image_is_named_at_once_and_good_ones_are_digested() {
        let folder = tempfile::tempdir().expect("folder");
        let good = folder.path().join("good.png");
        image_file(&good);
        storage::write_atomic(&folder.path().join("bad.png"), b"not an image").expect("writes");
        let sample = |name: &str| Sample {
            case_id: name.to_owned(),
            patient_id: name.to_owned(),
            label: true,
            site: None,
            image: folder.path().join(name),
        };
        let preprocessing = Preprocessing {
            resolution: 8,
            filter: Filter::TriangleAntialiased,
            mean: [0.0; 3],
            std: [1.0; 3],
        };
        let never = AtomicBool::new(false);
        let cache: PathBuf = folder.path().join("cache");
        let run = |samples: &[Sample]| prepare(samples, &preprocessing, &cache, 2, &never, |_| {});
        let error = run(&[sample("bad.png"), sample("good.png"), sample("none.png")]).expect_err("refused");
        let codes: Vec<_> = error.diagnostics().iter().map(|d| d.code.as_str()).collect();
        assert_eq!(codes, ["image-unreadable", "file-missing"]);
        assert!(error.to_string().contains("case bad.png"), "{error}");
        let planes = run(&[sample("good.png")]).expect("reads");
        assert_eq!(planes.digests, [Digest::of_file(&good).expect("reads")]);
        let plane = planes.plane(0).expect("there");
        assert_eq!(plane.len(), 64);
        // The same again without decoding: the cache holds it under the file's digest.
        let names = || std::fs::read_dir(&cache).expect("lists").count();
        let before = names();
        let again = run(&[sample("good.png")]).expect("reads");
        assert_eq!((again.plane(0).expect("there"), names()), (plane, before));
        // Another image under the same name is decoded.
        ::image::GrayImage::from_pixel(12, 10, ::image::Luma([200])).save(&good).expect("saves");
        let changed = run(&[sample("good.png")]).expect("reads");
        assert!(changed.plane(0).expect("there").iter().all(|v| (v - 200.0 / 255.0).abs() < 1e-6));
    }

    fn image_file(path: &Path) {
        let pixels = ::image::GrayImage::from_fn(12, 10, |x, y| ::image::Luma([(x * y) as u8]));
        pixels.save(path).expect("saves");
    }
}
