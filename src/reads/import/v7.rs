//! V7 Darwin JSON 2: one file an item, answered as properties of the item. Properties of single annotations,
//! and annotations themselves, are marks and no answers on the whole image. It is not exported who answered:
//! one folder a reader.

use std::collections::BTreeSet;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

use super::json::{another_platform, first_keys, presence_only, shown, text, unreadable};
use super::place::some;
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::protocol::ReadsSource;
use crate::reads::export::{Answer, Export, NoRead, NoReadReason, SEVERAL};

#[derive(Deserialize)]
struct Exported {
    version: String,
    item: Item,
    annotations: Option<Vec<Value>>,
    properties: Option<Vec<Property>>,
}

#[derive(Deserialize)]
struct Item {
    name: String,
}

#[derive(Deserialize)]
struct Property {
    name: String,
    value: Option<Value>,
}

/// The answer of one item.
///
/// # Errors
/// `json-unreadable`, `export-unsupported` for another version or platform, `reads-presence-only` for an item
/// with annotations and no property, `question-needed` for several properties.
pub fn read(
    path: &Path,
    bytes: &[u8],
    source: &ReadsSource,
    reader_id: Option<&str>,
) -> Result<Export, Vec<Diagnostic>> {
    let text = text(path, bytes)?;
    let at = Location::file(path);
    let exported: Exported = match serde_json::from_str(text) {
        Ok(exported) => exported,
        Err(error) => {
            let another = another_platform(&first_keys(text), at);
            return Err(vec![another.unwrap_or_else(|| unreadable(path, &error))]);
        }
    };
    if !exported.version.starts_with("2.") {
        let message = format!("this is V7's JSON of version {}, and 2 is read", exported.version);
        let hint = "export again as \"Darwin JSON 2.0\"";
        return Err(vec![Diagnostic::error(Code::ExportUnsupported, message).at(at).hint(hint)]);
    }
    let mut export = Export::default();
    let properties = exported.properties.unwrap_or_default();
    let names: BTreeSet<&str> = properties.iter().map(|property| property.name.as_str()).collect();
    let question = match (&source.question, names.len()) {
        (Some(question), _) => question.as_str(),
        (None, 0) if exported.annotations.is_some_and(|list| !list.is_empty()) => {
            return Err(vec![presence_only(path, "annotations")]);
        }
        (None, 0) => "",
        (None, 1) => names.first().copied().unwrap_or_default(),
        (None, _) => {
            let message = format!("the item has several properties: {}", some(names.iter().copied()));
            let hint = "name the one that is read: question = \"...\" in [reads]";
            return Err(vec![Diagnostic::error(Code::QuestionNeeded, message).at(at).hint(hint)]);
        }
    };
    let case_id = exported.item.name;
    let texts: Vec<String> = properties
        .iter()
        .filter(|property| property.name == question)
        .filter_map(|property| property.value.as_ref().map(shown))
        .filter(|text| !text.is_empty())
        .collect();
    if texts.is_empty() {
        export.no_reads.push(NoRead {
            case_id: Some(case_id),
            reader_id: reader_id.map(str::to_owned),
            reason: NoReadReason::Empty,
            comment: None,
            at,
        });
    } else {
        export.answers.push(Answer {
            case_id: case_id.into(),
            reader_id: reader_id.unwrap_or_default().into(),
            text: texts.join(&SEVERAL.to_string()).into(),
            time: None,
            session: None,
            confidence: None,
            comment: None,
            at,
        });
    }
    Ok(export)
}
