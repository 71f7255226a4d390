//! A synthetic study: chest X-ray phantoms, patients, a report-derived label and three simulated readers, so
//! that the whole flow can be run where no data may go. Nothing in it comes from a person, and every file
//! says so.
//!
//! Everything follows from [`Settings`]: the same settings give the same bytes on any number of threads.
//! (Sines and powers come from the platform's mathematical library, so another platform may differ in the
//! last bit of a pixel.)

mod canvas;
mod dicom;
mod phantom;
mod plan;
mod random;
mod readers;
mod render;
mod sample;
mod write;

use std::collections::BTreeSet;

use chrono::NaiveDate;

use crate::dataset::case::Case;
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::imaging::radiograph::Radiograph;

pub use sample::sample;
pub use write::{DEVICE, Part, Progress, device_elsewhere, write};

/// What the cohort follows from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Seed of every draw.
    pub seed: u64,
    /// Images from which a study is sampled, 1..=100,000.
    pub pool: usize,
    /// Images of other patients for training and tuning, 0..=100,000.
    pub development: usize,
    /// Columns and rows of an image, 32..=2048.
    pub size: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { seed: 1, pool: 1500, development: 1400, size: 256 }
    }
}

/// Which table an image is in; no patient is in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Set {
    /// `cases.csv`.
    Pool,
    /// `development.csv`.
    Development,
}

/// What is true of an image; known here alone, and written to no file of the study.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Truth {
    /// Whether pneumonia was drawn.
    pub pneumonia: bool,
    /// How conspicuous it is, 0 (absent) to 1.
    pub severity: f64,
    /// How much else there is that could be taken for it, 0 and up.
    pub mimicry: f64,
}

/// One image before it has pixels.
#[derive(Clone, Debug)]
pub struct Item {
    /// Its row in the table.
    pub case: Case,
    /// Its table.
    pub set: Set,
    /// What is true of it.
    pub truth: Truth,
    /// Day of the examination in an invented calendar.
    pub study_date: NaiveDate,
    phantom: phantom::Phantom,
    stream: u64,
}

/// What a simulated reader said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReadValue {
    /// Pneumonia is present.
    Positive,
    /// It is not.
    Negative,
    /// The reader could not decide.
    Indeterminate,
}

impl ReadValue {
    /// As the read files spell it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Positive => "positive",
            Self::Negative => "negative",
            Self::Indeterminate => "indeterminate",
        }
    }
}

/// One read of one case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// The case.
    pub case_id: String,
    /// What was said.
    pub value: ReadValue,
    /// Day of the read in the invented calendar.
    pub read_at: NaiveDate,
}

/// How much is in one table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SetSummary {
    /// Rows.
    pub images: usize,
    /// Different patients.
    pub patients: usize,
    /// Rows with the label.
    pub positives: usize,
}

/// How much is in a cohort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// `cases.csv`.
    pub pool: SetSummary,
    /// `development.csv`.
    pub development: SetSummary,
    /// Simulated readers.
    pub readers: usize,
    /// Cases that the written protocol samples.
    pub sample: usize,
    /// Size on disk, estimated.
    pub bytes: u64,
}

/// A planned cohort: every image and every read, without pixels and without files.
#[derive(Clone, Debug)]
pub struct Cohort {
    settings: Settings,
    pool: Vec<Item>,
    development: Vec<Item>,
}

impl Cohort {
    /// Plans the cohort. Cheap: nothing is drawn.
    ///
    /// # Errors
    /// `synthetic-settings` when a setting is out of range.
    pub fn generate(settings: &Settings) -> Result<Self> {
        let mut problems = Vec::new();
        let mut within = |name: &str, value: usize, low: usize, high: usize| {
            if !(low..=high).contains(&value) {
                let message = format!("{name} {value} is outside {low}..={high}");
                problems.push(Diagnostic::error(Code::SyntheticSettings, message));
            }
        };
        within("pool", settings.pool, 1, 100_000);
        within("development", settings.development, 0, 100_000);
        within("size", settings.size, 32, 2048);
        if !problems.is_empty() {
            return Err(problems.into());
        }
        Ok(Self {
            settings: *settings,
            pool: plan::plan(settings, Set::Pool),
            development: plan::plan(settings, Set::Development),
        })
    }

    /// What it follows from.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Images of `cases.csv`, in its order.
    pub fn pool(&self) -> &[Item] {
        &self.pool
    }

    /// Images of `development.csv`, in its order; patients that are not in the pool.
    pub fn development(&self) -> &[Item] {
        &self.development
    }

    /// Reader ids and their reads of the pool, in the order in which each reader read. A few reads are
    /// missing, a few indeterminate; readers do not know which cases will be sampled.
    pub fn reads(&self) -> Vec<(String, Vec<Reading>)> {
        readers::reads(self.settings.seed, &self.pool)
    }

    /// Draws an image of the cohort.
    pub fn image(&self, item: &Item) -> Radiograph {
        let size = self.settings.size;
        let pixels = render::render(&item.phantom, size, self.settings.seed, item.stream);
        Radiograph::new(size as u32, size as u32, pixels)
    }

    /// How much of what there is.
    pub fn summary(&self) -> Summary {
        let count = |items: &[Item]| SetSummary {
            images: items.len(),
            patients: items.iter().map(|item| &item.case.patient_id).collect::<BTreeSet<_>>().len(),
            positives: items.iter().filter(|item| item.case.source_label == Some(true)).count(),
        };
        let images = (self.pool.len() + self.development.len()) as u64;
        let pixels = (self.settings.size * self.settings.size) as u64;
        Summary {
            pool: count(&self.pool),
            development: count(&self.development),
            readers: readers::COUNT,
            sample: 2 * self.sample_per_class(),
            // A noisy grey image hardly compresses: measured at about 0.7 bytes a pixel.
            bytes: images * (pixels * 7 / 10 + 400),
        }
    }

    /// The largest balanced sample of the shape of the declared one (1,000 of 1,500 images, half of them with
    /// the label) that the pool can give: adults of 18 to 80, PA or AP, no episode within 365 days.
    fn sample_per_class(&self) -> usize {
        let eligible = |label: bool| {
            let fits = |case: &Case| {
                case.source_label == Some(label)
                    && case.age_years.is_some_and(|age| (18..=80).contains(&age))
                    && case.view.as_deref().is_some_and(|view| view != "LL")
                    && case.days_since_prior_finding.is_none_or(|days| days > 365)
            };
            self.pool.iter().filter(|item| fits(&item.case)).count()
        };
        (self.settings.pool / 3).min(500).min(eligible(true)).min(eligible(false))
    }
}

#[cfg(test)]
mod tests;
