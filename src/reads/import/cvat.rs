//! CVAT for images 1.1: the tags of whole images. An image without a tag was not answered: absence is never a
//! negative. Boxes and other shapes are marks. It is not exported who answered: one file a reader.
//!
//! Entities other than the five of XML are not expanded, so no text grows.

use std::collections::BTreeSet;
use std::path::Path;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::json::presence_only;
use super::place::some;
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::protocol::ReadsSource;
use crate::reads::export::{Answer, Export, NoRead, NoReadReason, SEVERAL};
use crate::table::xml::entity;

/// Elements of marks within an image.
const SHAPES: [&str; 8] = ["box", "polygon", "polyline", "points", "ellipse", "cuboid", "mask", "skeleton"];

/// An image as it is read.
struct Image {
    name: String,
    at: Location,
    tags: Vec<Tag>,
    shapes: bool,
}

/// A tag of the whole image.
struct Tag {
    label: String,
    attributes: Vec<(String, String)>,
    /// Made by a model.
    automatic: bool,
}

/// Answers of one reader's file.
///
/// # Errors
/// `xml-unreadable`, `export-unsupported` for other XML and for videos, `reads-presence-only` where no image
/// has a tag and some have shapes, `question-needed` where tags have several attributes.
pub fn read(
    path: &Path,
    bytes: &[u8],
    source: &ReadsSource,
    reader_id: Option<&str>,
) -> Result<Export, Vec<Diagnostic>> {
    let images = images(path, bytes).map_err(|problem| vec![problem])?;
    let tagged = images.iter().any(|image| !image.tags.is_empty());
    if !tagged && images.iter().any(|image| image.shapes) {
        return Err(vec![presence_only(path, "boxes and other shapes")]);
    }
    let attributes: BTreeSet<&str> = images
        .iter()
        .flat_map(|image| &image.tags)
        .flat_map(|tag| tag.attributes.iter().map(|(name, _)| name.as_str()))
        .collect();
    let question = match (&source.question, attributes.len()) {
        (Some(question), _) => Some(question.clone()),
        (None, 0) => None,
        (None, 1) => attributes.first().map(|name| (*name).to_owned()),
        (None, _) => {
            let message = format!("the tags have several attributes: {}", some(attributes.iter().copied()));
            let hint = "name the one that is read: question = \"...\" in [reads]";
            return Err(vec![
                Diagnostic::error(Code::QuestionNeeded, message).at(Location::file(path)).hint(hint),
            ]);
        }
    };
    let mut export = Export::default();
    let mut automatic = 0;
    for Image { name, at, tags, shapes } in images {
        automatic += tags.iter().filter(|tag| tag.automatic).count();
        let own = tags.iter().filter(|tag| !tag.automatic);
        let texts: Vec<&str> = match question.as_deref() {
            // A question is an attribute; the answer is its value.
            Some(question) if attributes_of(&tags, question) => own
                .flat_map(|tag| &tag.attributes)
                .filter(|(attribute, text)| attribute == question && !text.is_empty())
                .map(|(_, text)| text.as_str())
                .collect(),
            Some(_) => Vec::new(),
            None => own.map(|tag| tag.label.as_str()).filter(|label| !label.is_empty()).collect(),
        };
        if texts.is_empty() {
            let reason =
                if shapes || !tags.is_empty() { NoReadReason::Elsewhere } else { NoReadReason::Empty };
            let (case_id, reader_id) = (Some(name), reader_id.map(str::to_owned));
            export.no_reads.push(NoRead { case_id, reader_id, reason, comment: None, at });
            continue;
        }
        export.answers.push(Answer {
            text: texts.join(&SEVERAL.to_string()).into(),
            case_id: name.into(),
            reader_id: reader_id.unwrap_or_default().into(),
            time: None,
            session: None,
            confidence: None,
            comment: None,
            at,
        });
    }
    if automatic > 0 {
        let message =
            format!("{automatic} tags were made by a model: readers may have seen what a device said");
        let hint = "blinding: find out what was shown, and state it; such tags are not read";
        export
            .warnings
            .push(Diagnostic::warning(Code::PredictionsShown, message).at(Location::file(path)).hint(hint));
    }
    Ok(export)
}

fn attributes_of(tags: &[Tag], question: &str) -> bool {
    tags.iter().flat_map(|tag| &tag.attributes).any(|(attribute, _)| attribute == question)
}

/// The images of the file.
fn images(path: &Path, bytes: &[u8]) -> Result<Vec<Image>, Diagnostic> {
    let text = std::str::from_utf8(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes))
        .map_err(|error| unreadable(path, None, &error.to_string()))?;
    let line = |offset: u64| {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(text.len());
        text.as_bytes()[..offset].iter().filter(|byte| **byte == b'\n').count() as u64 + 1
    };
    let mut reader = Reader::from_str(text);
    reader.config_mut().expand_empty_elements = true;
    let (mut images, mut depth, mut rooted) = (Vec::<Image>::new(), 0_usize, false);
    let (mut open, mut tag, mut attribute): (bool, bool, Option<(String, String)>) = (false, false, None);
    // Lines are counted once and not from the beginning for each image.
    let (mut counted, mut lines) = (0_u64, 1_u64);
    loop {
        let before = reader.buffer_position();
        let event =
            reader.read_event().map_err(|error| unreadable(path, Some(line(before)), &error.to_string()))?;
        match event {
            Event::Start(element) => {
                let name = element.local_name().as_ref().to_owned();
                depth += 1;
                if depth == 1 {
                    rooted = name == "annotations";
                    if !rooted {
                        return Err(other_xml(Location::file(path)));
                    }
                }
                match name.as_str() {
                    "track" if depth == 2 => return Err(video(path)),
                    "image" if depth == 2 => {
                        let from = usize::try_from(counted).unwrap_or(0).min(text.len());
                        let to = usize::try_from(before).unwrap_or(0).min(text.len()).max(from);
                        lines +=
                            text.as_bytes()[from..to].iter().filter(|byte| **byte == b'\n').count() as u64;
                        counted = before;
                        open = true;
                        images.push(Image {
                            name: value(&element, "name").unwrap_or_default(),
                            at: Location::line(path, lines),
                            tags: Vec::new(),
                            shapes: false,
                        });
                    }
                    "tag" if open && depth == 3 => {
                        tag = true;
                        let made = value(&element, "source").unwrap_or_default();
                        let made = Tag {
                            label: value(&element, "label").unwrap_or_default(),
                            attributes: Vec::new(),
                            automatic: matches!(made.as_str(), "auto" | "semi-auto"),
                        };
                        if let Some(image) = images.last_mut() {
                            image.tags.push(made);
                        }
                    }
                    "attribute" if tag && depth == 4 => {
                        attribute = Some((value(&element, "name").unwrap_or_default(), String::new()));
                    }
                    shape if open && depth == 3 && SHAPES.contains(&shape) => {
                        if let Some(image) = images.last_mut() {
                            image.shapes = true;
                        }
                    }
                    _ => {}
                }
            }
            Event::Text(part) => {
                if let Some((_, text)) = &mut attribute {
                    text.push_str(&part);
                }
            }
            Event::CData(part) => {
                if let Some((_, text)) = &mut attribute {
                    text.push_str(&part);
                }
            }
            Event::GeneralRef(name) => {
                if let Some((_, text)) = &mut attribute {
                    text.push_str(&entity(&name));
                }
            }
            Event::End(_) => {
                match depth {
                    2 => open = false,
                    3 => tag = false,
                    4 => {
                        if let Some((name, text)) = attribute.take()
                            && let Some(tag) = images.last_mut().and_then(|image| image.tags.last_mut())
                        {
                            tag.attributes.push((name, text.trim().to_owned()));
                        }
                    }
                    _ => {}
                }
                depth = depth.saturating_sub(1);
            }
            Event::Eof => break,
            _ => {}
        }
    }
    if !rooted || depth > 0 {
        return Err(unreadable(path, None, "the file ends before its root element does"));
    }
    Ok(images)
}

fn value(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = element.try_get_attribute(name).ok()??;
    let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).ok()?;
    Some(value.trim().to_owned())
}

fn unreadable(path: &Path, line: Option<u64>, what: &str) -> Diagnostic {
    let at = line.map_or_else(|| Location::file(path), |line| Location::line(path, line));
    Diagnostic::error(Code::XmlUnreadable, format!("this is not XML, or not whole: {what}"))
        .at(at)
        .hint("export again as \"CVAT for images 1.1\"; a truncated file ends early")
}

/// Refuses XML of another kind.
pub fn other_xml(at: Location) -> Diagnostic {
    let message = "this is XML of another kind: the root of CVAT's is `annotations`";
    Diagnostic::error(Code::ExportUnsupported, message).at(at).hint(
        "export from CVAT as \"CVAT for images 1.1\"; the labels of Label Studio's project are no reads",
    )
}

fn video(path: &Path) -> Diagnostic {
    Diagnostic::error(Code::ExportUnsupported, "this is \"CVAT for video\": its tracks answer no whole image")
        .at(Location::file(path))
        .hint("export as \"CVAT for images 1.1\"")
}
