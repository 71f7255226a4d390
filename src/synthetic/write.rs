//! The cohort as a study on disk, written beside its final place and moved there when it is complete.

use std::fmt::Write as _;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::prelude::*;

use super::dicom::{Form, encode};
use super::{Cohort, Item};
use crate::dataset::case::Case;
use crate::dataset::cases::COLUMNS;
use crate::diagnostic::{Code, Location};
use crate::diagnostic::{Diagnostic, Error, Result};
use crate::storage;

/// What is being written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Images of both sets.
    Images,
    /// Everything else.
    Tables,
}

/// How far the writing is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What is being written.
    pub part: Part,
    /// Files written of it.
    pub done: usize,
    /// Files of it.
    pub total: usize,
}

const PROTOCOL: &str = include_str!("../../protocols/pneumonia-exp2a.toml");

/// Writes a complete study: `cases.csv`, `development.csv`, `images/`, `dicom/`, `reads/`, `protocol.toml`,
/// `experiment.toml` (the text given), `device.toml` and `README.txt`. `progress` is called from several
/// threads; when it breaks, what was written is removed.
///
/// # Errors
/// `folder-exists` when `folder` is there already, `interrupted`, `disk-full`, and other failures to write;
/// the folder is then not there.
pub fn write(
    cohort: &Cohort,
    folder: &Path,
    experiment: &str,
    progress: &(dyn Fn(Progress) -> ControlFlow<()> + Sync),
) -> Result<()> {
    refuse_existing(folder)?;
    let parent = folder.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    storage::create_folder(parent)?;
    let beside = tempfile::Builder::new()
        .prefix(".sequester-demo-")
        .tempdir_in(parent)
        .map_err(|e| Error::io("create a folder in", parent, &e))?;
    // Named as it will be, so that messages about files in it make sense.
    let study = beside.path().join(folder.file_name().unwrap_or("study".as_ref()));
    for name in ["images", "dicom", "reads"] {
        storage::create_folder(&study.join(name))?;
    }

    let items: Vec<&Item> = cohort.pool.iter().chain(&cohort.development).collect();
    let done = AtomicUsize::new(0);
    items.par_iter().try_for_each(|item| -> Result<()> {
        let Some(image) = &item.case.image else { return Ok(()) };
        let bytes = png(cohort, item).map_err(|e| Error::io("encode", Path::new(image.as_str()), &e))?;
        put(&image.below(&study.join("images")), &bytes)?;
        let done = done.fetch_add(1, Ordering::Relaxed) + 1;
        report(progress, Progress { part: Part::Images, done, total: items.len() }, folder)
    })?;

    let mut files: Vec<(String, Vec<u8>)> = vec![
        ("cases.csv".to_owned(), table(&cohort.pool)),
        ("development.csv".to_owned(), table(&cohort.development)),
        ("protocol.toml".to_owned(), protocol(cohort).into_bytes()),
        ("experiment.toml".to_owned(), experiment.as_bytes().to_vec()),
        ("device.toml".to_owned(), DEVICE.as_bytes().to_vec()),
    ];
    for (reader, reads) in cohort.reads() {
        let mut text = String::from("case_id,reader_id,read,read_at\n");
        for read in &reads {
            let _ = writeln!(text, "{},{reader},{},{}", read.case_id, read.value.as_str(), read.read_at);
        }
        files.push((format!("reads/{reader}.csv"), text.into_bytes()));
    }
    let samples = dicom_samples(cohort);
    for (item, form, _) in &samples {
        let name = format!("dicom/{}.dcm", item.case.case_id);
        let bytes = encode(cohort, item, *form)
            .map_err(|e| Diagnostic::error(Code::DicomEncode, e).at(Location::file(folder.join(&name))))?;
        files.push((name, bytes));
    }
    files.push(("README.txt".to_owned(), readme(cohort, &samples).into_bytes()));
    for (index, (name, bytes)) in files.iter().enumerate() {
        storage::write_atomic(&study.join(name), bytes)?;
        report(progress, Progress { part: Part::Tables, done: index + 1, total: files.len() }, folder)?;
    }
    storage::sync_folder(&study.join("images"))?;
    storage::publish_folder(&study, folder)
}

/// The same refusal before hours of work as after.
pub(super) fn refuse_existing(folder: &Path) -> Result<()> {
    if folder.symlink_metadata().is_ok() {
        return Err(Diagnostic::error(Code::FolderExists, format!("{} is there already", folder.display()))
            .at(Location::file(folder))
            .hint("name a folder that does not exist yet, or remove this one first")
            .into());
    }
    Ok(())
}

fn report(
    progress: &(dyn Fn(Progress) -> ControlFlow<()> + Sync),
    now: Progress,
    folder: &Path,
) -> Result<()> {
    match progress(now) {
        ControlFlow::Continue(()) => Ok(()),
        ControlFlow::Break(()) => Err(Error::Interrupted(format!("{} was not written", folder.display()))),
    }
}

/// One of many files in a folder that is not published yet: synced, but without a temporary name.
fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || -> std::io::Result<()> {
        let mut file = std::fs::File::create_new(path)?;
        file.write_all(bytes)?;
        file.sync_data()
    };
    write().map_err(|e| Error::io("write", path, &e))
}

/// An 8-bit grey PNG that says what it is.
fn png(cohort: &Cohort, item: &Item) -> std::io::Result<Vec<u8>> {
    let image = cohort.image(item);
    let samples: Vec<u8> = image.pixels().iter().map(|value| (value * 255.0).round() as u8).collect();
    let mut bytes = Vec::with_capacity(samples.len());
    let mut encoder = png::Encoder::new(&mut bytes, image.width(), image.height());
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    encoder.add_text_chunk("Comment".to_owned(), "synthetic phantom, not a patient".to_owned())?;
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&samples)?;
    writer.finish()?;
    Ok(bytes)
}

/// `cases.csv` of a study at score level: no image is named.
pub(super) fn table_without_images(items: &[Item]) -> Vec<u8> {
    let blind = |item: &Item| Item { case: Case { image: None, ..item.case.clone() }, ..item.clone() };
    table(&items.iter().map(blind).collect::<Vec<_>>())
}

/// `cases.csv` or `development.csv`. No value holds a comma, a quote or a line break.
fn table(items: &[Item]) -> Vec<u8> {
    let mut text = COLUMNS.join(",");
    text.push('\n');
    for item in items {
        let case = &item.case;
        let or_empty = |value: Option<&str>| value.unwrap_or_default().to_owned();
        let number = |value: Option<u32>| value.map_or(String::new(), |n| n.to_string());
        let fields = [
            case.case_id.to_string(),
            case.patient_id.to_string(),
            case.image.as_ref().map_or(String::new(), |path| path.to_string()),
            or_empty(case.site.as_deref()),
            or_empty(case.country.as_deref()),
            or_empty(case.manufacturer.as_deref()),
            case.sex.map_or(String::new(), |sex| sex.to_string()),
            number(case.age_years.map(u32::from)),
            or_empty(case.view.as_deref()),
            or_empty(case.modality.as_deref()),
            or_empty(case.body_part.as_deref()),
            number(case.follow_up),
            number(case.days_since_prior_finding),
            case.findings.join("|"),
            case.source_label.map_or("", |label| if label { "1" } else { "0" }).to_owned(),
            or_empty(case.origin.as_deref()),
        ];
        text.push_str(&fields.join(","));
        text.push('\n');
    }
    text.into_bytes()
}

/// The declared protocol of experiment 2A with this study's files, and with its sample where the pool is too
/// small for 1,000 cases.
fn protocol(cohort: &Cohort) -> String {
    let per_class = cohort.sample_per_class();
    let mut text = String::with_capacity(PROTOCOL.len() + 200);
    // `demo` writes the schema beside it, by which editors complete the protocol.
    text.push_str("#:schema ./protocol.schema.json\n");
    for line in PROTOCOL.lines() {
        let key = line.split(['=', '#']).next().unwrap_or_default().trim();
        if line.trim_start().starts_with("# development =") {
            text.push_str("development = \"development.csv\" # other patients, for training and tuning; never in the study\n");
            text.push_str("\n[model]\nexperiment = \"experiment.toml\"\n");
        } else if key == "cases" && line.contains("1000") {
            text.push_str(&line.replace("1000", &(2 * per_class).to_string()));
            text.push('\n');
        } else if key == "positives" && line.contains("500") {
            text.push_str(&line.replace("500", &per_class.to_string()));
            text.push('\n');
        } else {
            text.push_str(line);
            text.push('\n');
        }
    }
    text
}

type Sample<'a> = (&'a Item, Form, &'static str);

/// Up to eight images of the pool for `dicom/`, with what the declared gate makes of each.
fn dicom_samples(cohort: &Cohort) -> Vec<Sample<'_>> {
    let adult = |item: &Item| item.case.age_years.is_some_and(|age| (18..=80).contains(&age));
    let view = |item: &Item, view: &str| item.case.view.as_deref() == Some(view);
    type Choice<'c> = (&'c dyn Fn(&Item) -> bool, [bool; 5], &'static str);
    let choices: [Choice<'_>; 8] = [
        (&|i| adult(i) && view(i, "PA"), [true, false, false, false, false], "accepted"),
        (&|i| adult(i) && view(i, "AP"), [true, true, false, true, false], "accepted (12 bits, windowed)"),
        (&|i| adult(i) && view(i, "PA"), [false, false, true, false, false], "accepted (MONOCHROME1)"),
        (&|i| adult(i) && view(i, "AP"), [false, true, true, true, false], "accepted (12 bits, MONOCHROME1)"),
        (&|i| adult(i) && view(i, "LL"), [true, false, false, false, false], "refused: lateral view"),
        (
            &|i| i.case.age_years.is_some_and(|age| age < 18) && !view(i, "LL"),
            [true, false, false, false, false],
            "refused: under 18",
        ),
        (
            &|i| i.case.age_years.is_some_and(|age| age > 80) && !view(i, "LL"),
            [false, false, false, false, false],
            "refused: over 80",
        ),
        (
            &|i| adult(i) && view(i, "PA"),
            [true, false, false, false, true],
            "refused: neither age nor view is in the header",
        ),
    ];
    let mut chosen: Vec<Sample<'_>> = Vec::new();
    for (fits, [explicit, twelve_bits, monochrome1, windowed, silent], verdict) in choices {
        let fresh =
            |item: &&Item| chosen.iter().all(|(other, ..)| other.case.patient_id != item.case.patient_id);
        if let Some(item) = cohort.pool.iter().filter(fresh).find(|item| fits(item)) {
            chosen.push((item, Form { explicit, twelve_bits, monochrome1, windowed, silent }, verdict));
        }
    }
    chosen
}

/// A device file that says of itself that it is invented.
pub const DEVICE: &str = r#"# What only people can write. This device does not exist: the text is here to show a complete document.
# Empty values are to be filled by the submitter of a real device.

[submitter]
name = "Example Submitter (synthetic demonstration)"
contact = ""
address = ""
phone = ""

[device]
name = "Example Device (synthetic demonstration)"
version = "0.0.0-demonstration"
common_name = "Computer-assisted detection software for chest radiographs"
classification_name = ""
regulation = ""
product_code = ""
description = "A densely connected convolutional network that gives each frontal chest radiograph a score between 0 and 1 for pneumonia. In this demonstration it was trained and tested on synthetic phantoms alone; it has no medical use."
intended_use = "Demonstration of a validation study on synthetic phantoms. Not for use with patients."
indications = "None. In a real submission: detection of pneumonia on PA or AP chest radiographs of patients of 18 to 80 years."
limitations = "All images, patients, labels and readers are synthetic. No conclusion about clinical performance can be drawn."

[predicate]
name = ""
number = ""
comparison = ""

# The intended population in numbers, beside which the data description sets the analysed cases.
[[population]]
characteristic = "sex"
level = "F"
percent = 51
source = "Invented for this demonstration"

[[population]]
characteristic = "sex"
level = "M"
percent = 49
source = "Invented for this demonstration"

[[population]]
characteristic = "age"
level = "18-44"
percent = 35
source = "Invented for this demonstration"

[[population]]
characteristic = "age"
level = "45-64"
percent = 35
source = "Invented for this demonstration"

[[population]]
characteristic = "age"
level = "65-80"
percent = 30
source = "Invented for this demonstration"
"#;

/// What [`DEVICE`] says of a device that was trained, and what is true of one whose scores are invented.
const DESCRIBED: [&str; 2] = [
    "A densely connected convolutional network that gives each frontal chest radiograph a score between 0 and 1 \
     for pneumonia. In this demonstration it was trained and tested on synthetic phantoms alone; it has no \
     medical use.",
    "A device that gives each frontal chest radiograph a score between 0 and 1 for pneumonia. It does not \
     exist: its scores were invented with the cases, and no network made them.",
];

/// The same of a device that is scored elsewhere: there is neither a network nor an image.
pub fn device_elsewhere() -> String {
    DEVICE.replace(DESCRIBED[0], DESCRIBED[1]).replace("on synthetic phantoms. Not", "on invented cases. Not")
}

fn readme(cohort: &Cohort, samples: &[Sample<'_>]) -> String {
    let Cohort { settings, pool, development } = cohort;
    let mut text = format!(
        "This folder is a SYNTHETIC study. No image, patient, label or reader in it is real.\n\n\
         The images are phantoms that a program drew; the readers are simulated. Use it to try the program and\n\
         to see its documents, never to conclude anything about a device.\n\n\
         seed {}, {} images to sample a study from, {} images of other patients for training and tuning,\n\
         {} x {} pixels\n\n\
         cases.csv        images from which the study is sampled\n\
         development.csv  images for training and tuning; other patients, partly other sites\n\
         images/          the images of both tables (PNG, 8 bits, grey)\n\
         dicom/           a few of them as DICOM, see below\n\
         reads/           what three simulated readers said; a few reads are missing or indeterminate\n\
         protocol.toml    what the study will do\n\
         experiment.toml  how the model is trained\n\
         device.toml      what only people can write about a device\n\n\
         The column `label` imitates a label from report text: a few per cent of it is wrong.\n\n\
         DICOM files, and what the protocol's gate makes of each:\n",
        settings.seed,
        pool.len(),
        development.len(),
        settings.size,
        settings.size,
    );
    for (item, _, verdict) in samples {
        let _ = writeln!(text, "  {}.dcm  {verdict}", item.case.case_id);
    }
    text
}
