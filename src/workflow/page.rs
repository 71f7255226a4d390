//! The page on which a reader reads: one file with everything in it, or a page beside a folder of images.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::outside::Outside;
use super::round::{handed_out, image_folder, image_of, inputs_so_far, open};
use super::study::Study;
use crate::dataset::case::Case;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::Digest;
use crate::document::page::{Fill, base64, fill, source_of};
use crate::imaging::image_folder::ImageFolder;
use crate::imaging::viewed::Viewed;
use crate::reads::form::READING;
use crate::reads::round::{Part, Round, Shown};
use crate::storage;
use crate::study;

const TEMPLATE: &str = include_str!("../../templates/reading/page.html");
const STYLE: &str = include_str!("../../templates/reading/page.css");
const SCRIPT: &str = include_str!("../../templates/reading/page.js");

/// What a page offers where the protocol has no scale.
const ANSWERS: [(&str, &str); 4] = [
    ("positive", "Present"),
    ("negative", "Absent"),
    ("indeterminate", "Cannot tell"),
    ("uninterpretable", "Image cannot be read"),
];
/// Keys of the two without a decision, where numbers are the others.
const KEYS_OF_DOUBT: [&str; 2] = ["X", "Q"];
/// Keys of levels that no digit stands for: letters that do nothing else on the page.
const KEYS_OF_LEVELS: [&str; 11] = ["A", "B", "D", "E", "G", "H", "J", "K", "L", "M", "O"];

/// A page that was written.
#[derive(Clone, Debug)]
pub struct Written {
    /// The page.
    pub page: PathBuf,
    /// Cases on it, repeated ones as often as they are shown.
    pub cases: usize,
    /// Bytes of it and of the images beside it.
    pub bytes: u64,
    /// What the page belongs to.
    pub worklist: Digest,
}

/// Writes the page of a reader. With `in_folder` the images lie in a folder beside it, one script a code: a
/// browser lets no page from disk look at the values of pictures beside it.
///
/// # Errors
/// `round-unknown`, `round-reader`; `round-image` where an image is another one than when the round was made,
/// or the round was made without images; what an image is refused for.
pub fn write(
    study: &Study,
    name: &str,
    reader: &str,
    in_folder: bool,
    outside: &Outside<'_>,
) -> Result<Written> {
    let round = open(study, name)?;
    let (Some(part), Some(worklist)) = (round.part(reader), round.worklist(reader)) else {
        let readers: Vec<&str> = round.readers.iter().map(|part| part.id.as_str()).collect();
        let message = format!("the reader `{}` has no part in the round `{name}`", reader.escape_debug());
        return Err(Diagnostic::error(Code::RoundReader, message)
            .hint(format!("its readers are {}", readers.join(", ")))
            .into());
    };
    let cohort = study::cohort(&inputs_so_far(study)?)?;
    let folder = image_folder(study)?.ok_or_else(|| {
        Diagnostic::error(Code::ImagesMissing, "the study's images are not at hand")
            .hint("name their folder in `data.images`, or say with --data where it lies")
    })?;
    let source = Source { cases: &cohort.cases, folder, round: &round };
    let beside = handed_out(study, name, reader);
    let page = if in_folder { beside.join("page.html") } else { beside.with_extension("html") };
    outside.progress.begin("page", part.order.len());
    let written = if in_folder {
        in_a_folder(&source, part, worklist, &page, outside)
    } else {
        in_one_file(&source, part, worklist, &page, outside)
    };
    outside.progress.end();
    Ok(Written { bytes: written?, page, cases: part.order.len(), worklist })
}

/// Where images come from.
struct Source<'a> {
    cases: &'a [Case],
    folder: ImageFolder,
    round: &'a Round,
}

impl Source<'_> {
    /// The image behind a code, which is the one that the round was made with.
    fn image(&self, code: &str) -> Result<Viewed> {
        let shown = self.round.shown(code);
        let found = shown
            .and_then(|shown| Some((shown, self.cases.iter().find(|case| *case.case_id == *shown.case_id)?)));
        let Some((shown, case)) = found else {
            let message = format!("the case behind the code `{code}` is in no case table");
            return Err(Diagnostic::error(Code::UnknownCase, message)
                .hint("the case tables are others than when the round was made")
                .into());
        };
        let path = image_of(case, &self.folder)?;
        let bytes = storage::read(&path)?;
        same(shown, &bytes, &path)?;
        Viewed::of(&bytes, &path)
    }
}

fn same(shown: &Shown, bytes: &[u8], path: &Path) -> Result<()> {
    let wrong = |message: String| {
        Error::from(Diagnostic::error(Code::RoundImage, message).at(Location::file(path)).hint(
            "put the image back as it was; or make a new round, with another name, and have it read there",
        ))
    };
    match shown.image_sha256 {
        None => Err(wrong("the round was made without images, and is bound to none".to_owned())),
        Some(digest) if digest != Digest::of(bytes) => {
            let (was, is) = (digest.short(), Digest::of(bytes).short());
            Err(wrong(format!("the image was {was}... when the round was made, and is {is}... now")))
        }
        Some(_) => Ok(()),
    }
}

/// What the page is told of an image, and the image as base64 of a PNG.
fn encoded(image: &Viewed, code: &str) -> Result<(Value, String)> {
    let about = json!({
        "code": code, "bits": image.bits(), "most": image.most, "from": image.from, "to": image.to,
    });
    Ok((about, base64(&image.png()?)))
}

fn in_one_file(
    source: &Source<'_>,
    part: &Part,
    worklist: Digest,
    page: &Path,
    outside: &Outside<'_>,
) -> Result<u64> {
    // Images go to disk as they come: all of them may not fit into memory. What is told of them stands before
    // them, so they are kept in a file beside it until that is known.
    let mut kept = tempfile::tempfile().map_err(|e| Error::io("write", page, &e))?;
    let mut cases = Vec::new();
    for (nth, code) in part.order.iter().enumerate() {
        let (about, image) = encoded(&source.image(code)?, code)?;
        cases.push(about);
        writeln!(kept, "<script type=\"text/plain\" data-code=\"{code}\">{image}</script>")
            .map_err(|e| Error::io("write", page, &e))?;
        outside.progress.at(nth + 1);
    }
    let (before, after) = frame(source.round, part, worklist, &cases, false)?;
    let rewind = |file: &mut std::fs::File| std::io::Seek::rewind(file);
    rewind(&mut kept).map_err(|e| Error::io("read", page, &e))?;
    storage::write_atomic_with(page, |out| {
        out.write_all(before.as_bytes())?;
        std::io::copy(&mut kept, out)?;
        out.write_all(after.as_bytes())
    })?;
    std::fs::metadata(page).map(|about| about.len()).map_err(|e| Error::io("read", page, &e))
}

fn in_a_folder(
    source: &Source<'_>,
    part: &Part,
    worklist: Digest,
    page: &Path,
    outside: &Outside<'_>,
) -> Result<u64> {
    let images = page.with_file_name("images");
    let (mut cases, mut bytes) = (Vec::new(), 0);
    for (nth, code) in part.order.iter().enumerate() {
        let (about, image) = encoded(&source.image(code)?, code)?;
        cases.push(about);
        let script = format!("(window.sequesterImages ??= {{}})[\"{code}\"] = \"{image}\";\n");
        bytes += script.len() as u64;
        storage::write_atomic(&images.join(format!("{code}.js")), script.as_bytes())?;
        outside.progress.at(nth + 1);
    }
    // The page last: where it is, all its images are.
    let (before, after) = frame(source.round, part, worklist, &cases, true)?;
    let text = before + &after;
    storage::write_atomic(page, text.as_bytes())?;
    Ok(bytes + text.len() as u64)
}

/// What stands before and behind the images.
fn frame(
    round: &Round,
    part: &Part,
    worklist: Digest,
    cases: &[Value],
    in_folder: bool,
) -> Result<(String, String)> {
    let (answers, number) = answers(round);
    let data = json!({
        "format": READING, "study": round.study, "round": round.name, "reader": part.id,
        "worklist": worklist.to_string(), "folder": in_folder, "answers": answers, "number": number,
        "scale": direction(round), "cases": cases,
    });
    let scripts = if in_folder { " file: 'self'" } else { "" };
    let policy = format!(
        "default-src 'none'; img-src data:; style-src {}; script-src {}{scripts}; base-uri 'none'; \
         form-action 'none'",
        source_of(STYLE),
        source_of(SCRIPT)
    );
    let question = format!("Is {} present?", round.finding);
    let (before, after) = TEMPLATE
        .split_once("{{images}}")
        .ok_or_else(|| Diagnostic::error(Code::Template, "the page has no place `images`"))?;
    let before = fill(
        before,
        &[
            ("policy", Fill::Text(&policy)),
            ("round", Fill::Text(&round.name)),
            ("reader", Fill::Text(&part.id)),
            ("style", Fill::Own(STYLE)),
            ("question", Fill::Text(&question)),
            ("data", Fill::Json(&data)),
        ],
    )?;
    Ok((before, fill(after, &[("script", Fill::Own(SCRIPT))])?))
}

/// The answers to choose from with their keys, and the range of a number that is typed.
fn answers(round: &Round) -> (Vec<Value>, Option<Value>) {
    let of = |value: &str, label: &str, key: &str| json!({"value": value, "label": label, "key": key});
    let level = |(level, key): (i32, String)| {
        let level = level.to_string();
        json!({"value": level, "label": level, "key": key, "level": true})
    };
    let Some(numbers) = round.numbers else {
        let keys = ["1", "2", "3", "4"];
        let all = ANSWERS.iter().zip(keys).map(|((value, label), key)| of(value, label, key));
        return (all.collect(), None);
    };
    let doubt = ANSWERS[2..].iter().zip(KEYS_OF_DOUBT).map(|((value, label), key)| of(value, label, key));
    if let Some(levels) = numbers.levels() {
        let keys = keys_of(&levels);
        return (levels.into_iter().zip(keys).map(level).chain(doubt).collect(), None);
    }
    (doubt.collect(), Some(json!({"min": numbers.min, "max": numbers.max})))
}

/// The key of each level of a scale: its own digit; 0 for a ten where 0 is none; letters beside them, and for
/// all of a scale that goes below 0, where a digit would be read as another level.
fn keys_of(levels: &[i32]) -> Vec<String> {
    let mut letters = KEYS_OF_LEVELS.iter().map(|letter| (*letter).to_owned());
    let below = levels.iter().any(|level| *level < 0);
    let key = |level: &i32| match level {
        0..=9 if !below => Some(level.to_string()),
        10 if !below && !levels.contains(&0) => Some("0".to_owned()),
        _ => letters.next(),
    };
    levels.iter().filter_map(key).collect()
}

/// What a number says, where numbers are the answers.
fn direction(round: &Round) -> Option<String> {
    let numbers = round.numbers?;
    let (min, max, finding) = (numbers.min, numbers.max, &round.finding);
    Some(format!("{min} speaks most against {finding}, {max} most for it."))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::reads::round::Numbers;

    #[test]
    fn every_level_of_every_scale_has_a_key_of_its_own_that_does_nothing_else() {
        let acts = ["N", "P", "U", "C", "I", "F", "+", "-"].into_iter().chain(KEYS_OF_DOUBT);
        let taken: BTreeSet<String> = acts.map(str::to_owned).collect();
        for min in -12..=12 {
            for width in 2..=10 {
                let numbers = Numbers { min: f64::from(min), max: f64::from(min + width) };
                let levels = numbers.levels().expect("levels");
                let keys = keys_of(&levels);
                let different: BTreeSet<&String> = keys.iter().collect();
                assert_eq!((keys.len(), different.len()), (levels.len(), levels.len()), "{levels:?}");
                assert!(keys.iter().all(|key| !taken.contains(key)), "{keys:?}");
                // A digit stands for itself, but for 0 as ten.
                for (level, key) in levels.iter().zip(&keys) {
                    let digit = key.parse::<i32>().ok();
                    assert!(digit.is_none_or(|d| d == *level || (d == 0 && *level == 10)), "{level} {key}");
                }
            }
        }
    }
}
