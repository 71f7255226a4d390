//! What is installed, and what is not.

use std::path::Path;

use super::Given;
use crate::digest::Digest;
use crate::document::lint;
use crate::qualification::requirement::{Installation, Test};
use crate::qualification::requirements::all;
use crate::qualification::sets::Set;
use crate::qualification::{Finding, OwnFile, embedded};
use crate::report::{default_templates, own_templates};
use crate::storage;

/// The fonts of PDF documents, in the order of their names.
const FONTS: &[(&str, &[u8])] = &[
    #[cfg(feature = "pdf")]
    ("LiberationSans-Bold.ttf", include_bytes!("../../../templates/fonts/LiberationSans-Bold.ttf")),
    #[cfg(feature = "pdf")]
    (
        "LiberationSans-BoldItalic.ttf",
        include_bytes!("../../../templates/fonts/LiberationSans-BoldItalic.ttf"),
    ),
    #[cfg(feature = "pdf")]
    ("LiberationSans-Italic.ttf", include_bytes!("../../../templates/fonts/LiberationSans-Italic.ttf")),
    #[cfg(feature = "pdf")]
    ("LiberationSans-Regular.ttf", include_bytes!("../../../templates/fonts/LiberationSans-Regular.ttf")),
];

/// Templates, fonts and reference values that this program holds.
pub fn own_files() -> Vec<OwnFile> {
    let file = |kind, name: &str, bytes: &[u8]| OwnFile {
        kind,
        name: name.to_owned(),
        sha256: Digest::of(bytes).to_string(),
    };
    let mut files: Vec<OwnFile> =
        default_templates().iter().map(|(name, text)| file("template", name, text.as_bytes())).collect();
    files.extend(FONTS.iter().map(|(name, bytes)| file("font", name, bytes)));
    files.extend(embedded::files().map(|(name, text)| file("reference", &name, text.as_bytes())));
    files
}

/// Looks at one thing.
pub fn look(what: Installation, given: &Given<'_>, work: &Path) -> Finding {
    let program = &given.program;
    match what {
        Installation::Digest => Finding::of(
            program.bytes > 0,
            "the SHA-256 of the file that runs; compare it with the one that was published or installed",
            format!("{} ({} bytes)", program.sha256, program.bytes),
        ),
        Installation::Build => Finding::of(
            !program.version.is_empty(),
            "version, features, kind of build, digest of Cargo.lock",
            format!(
                "Sequester {}, features: {}, {} build, Cargo.lock {}",
                program.version,
                if program.features.is_empty() { "none".to_owned() } else { program.features.join(", ") },
                program.build,
                program.cargo_lock_sha256
            ),
        ),
        Installation::Platform => {
            let place = &given.machine;
            let processor = place.processor.as_deref().unwrap_or("the system does not tell its processor");
            Finding::of(
                true,
                "operating system, processor, vector instructions, cores",
                format!(
                    "{}-{}, {processor}, {} instructions, {} cores",
                    place.arch, place.os, place.vectors, place.cores
                ),
            )
        }
        Installation::Templates => templates(),
        Installation::Fonts if FONTS.is_empty() => Finding::not_applicable(
            "fonts for PDF",
            "built without the feature pdf: documents are HTML and Markdown",
        ),
        Installation::Fonts => Finding::of(
            FONTS.len() == 4 && FONTS.iter().all(|(_, bytes)| bytes.starts_with(&[0, 1, 0, 0])),
            "four fonts, listed with their digests",
            format!("{} fonts", FONTS.len()),
        ),
        Installation::References => references(),
        Installation::Storage => written(work),
        Installation::Libtorch => match &given.libtorch {
            Some(place) => Finding::of(
                true,
                "the program with libtorch, or that there is none",
                format!("it is {place}"),
            ),
            None => Finding::not_applicable(
                "the program with libtorch, or that there is none",
                "there is none: nothing is trained here, and scoring is done on the processor",
            ),
        },
    }
}

fn templates() -> Finding {
    let built_in = default_templates();
    let own = own_templates(&built_in);
    let typed: usize = built_in.iter().map(|(name, text)| lint::lint(name, text).len()).sum();
    Finding::of(
        !built_in.is_empty() && own.is_empty() && typed == 0,
        "every template is known to this version, and none holds a typed number",
        format!("{} templates, {} unknown, {typed} typed numbers", built_in.len(), own.len()),
    )
}

fn references() -> Finding {
    let files = embedded::files().count();
    let empty: Vec<String> =
        embedded::files().filter(|(_, text)| text.is_empty()).map(|(name, _)| name).collect();
    // What is compared is counted by each requirement; here only that every set has one.
    let named = |set: Set| all().any(|r| matches!(r.test, Test::Values { set: own, .. } if own == set));
    let unnamed = Set::ALL.into_iter().filter(|set| !named(*set)).count();
    Finding::of(
        empty.is_empty() && unnamed == 0,
        "every embedded file is there, listed with its digest, and used",
        format!("{files} files, {} empty, {unnamed} sets without a requirement", empty.len()),
    )
}

fn written(work: &Path) -> Finding {
    let expected = "a file written beside, synced and renamed holds the same bytes";
    let path = work.join("written.bin");
    let bytes: Vec<u8> = (0..=255).cycle().take(100_000).collect();
    let done = storage::write_atomic(&path, &bytes).and_then(|()| storage::read(&path));
    match done {
        Ok(read) => Finding::of(read == bytes, expected, format!("{} bytes", read.len())),
        Err(error) => Finding::of(false, expected, error.to_string()),
    }
}

/// What is not there, and what it would be for.
pub fn absent(given: &Given<'_>) -> Vec<String> {
    let mut absent = Vec::new();
    if !cfg!(feature = "pdf") {
        absent.push("the feature pdf: no PDF documents".to_owned());
    }
    if given.libtorch.is_none() {
        absent.push("the program with libtorch: no training, no scoring on a graphics processor".to_owned());
    }
    if given.machine.processor.is_none() {
        absent.push(
            "the name of the processor: scores made here are compared within a tolerance, never to the last \
             bit"
            .to_owned(),
        );
    }
    absent.push(
        "this qualification does not test: the accuracy of any device, training, graphics processors, \
         readers' platforms, and whatever your own procedures add (performance qualification)"
            .to_owned(),
    );
    absent
}
