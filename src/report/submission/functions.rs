//! The functions of a submission's templates: estimates, digests, fields of the device file and recorded
//! values, asked for by id or path. What they give is escaped for Markdown.

use std::sync::{Mutex, PoisonError};

use serde_json::Value as Json;

use super::source::Source;
use super::values::{TO_COMPLETE, at, words};
use crate::diagnostic::{Code, Diagnostic};
use crate::document::content::{Answer, Arguments, Refusal};
use crate::document::tree::Piece;
use crate::document::{format, text};
use crate::report::{origins, wording};
use crate::statistics::estimate::{Estimate, Scenario};

fn refused(code: Code, message: &str) -> Refusal {
    Diagnostic::error(code, message.to_owned()).into()
}

/// Whether there is such an estimate.
pub fn has(source: &Source, arguments: &Arguments<'_>) -> Result<Answer, Refusal> {
    find(source, arguments).map(|found| Answer::Flag(found.is_ok()))
}

/// A file of the bundle, as it is.
pub fn text_of(source: &Source, arguments: &Arguments<'_>) -> Result<Answer, Refusal> {
    match arguments.required("id")?.as_str() {
        "protocol" => Ok(Answer::Piece(Piece::Text(source.protocol_text.clone()))),
        other => Err(refused(Code::UnknownText, &format!("there is no text `{other}`; texts are protocol"))),
    }
}

/// The estimate that the arguments name, or the error that says there is none.
fn find<'a>(source: &'a Source, arguments: &Arguments<'_>) -> Result<Result<&'a Estimate, Refusal>, Refusal> {
    let id = arguments.required("id")?;
    let subgroup = arguments.optional("subgroup")?;
    let scenario = arguments.optional("scenario")?;
    let model = arguments.optional("model")?;
    let intended_use = match arguments.optional("prevalence")?.as_deref() {
        None | Some("sample") => false,
        Some("intended-use") => true,
        Some(other) => {
            return Err(refused(
                Code::UnknownEstimate,
                &format!("prevalence is `sample` or `intended-use`, not `{other}`"),
            ));
        }
    };
    let results = &source.results;
    let found = results.estimates.iter().chain(&results.agreement).find(|e| {
        e.id == id
            && e.subgroup.as_ref().map(ToString::to_string) == subgroup
            && e.scenario.map(Scenario::name) == scenario.as_deref()
            && e.model == model
            && e.prevalence.is_some() == intended_use
    });
    Ok(found.ok_or_else(|| {
        let mut wanted = format!("`{id}`");
        for (name, value) in [("subgroup", subgroup), ("scenario", scenario), ("model", model)] {
            if let Some(value) = value {
                wanted.push_str(&format!(", {name} `{value}`"));
            }
        }
        if intended_use {
            wanted.push_str(", at the prevalence of intended use");
        }
        Diagnostic::error(Code::UnknownEstimate, format!("results.json has no estimate {wanted}"))
            .hint("the ids are in results.json; guard what not every study has with {% if has(id=...) %}")
            .into()
    }))
}

pub fn estimate(source: &Source, arguments: &Arguments<'_>) -> Result<Answer, Refusal> {
    let estimate = find(source, arguments)??;
    let show = arguments.optional("show")?.unwrap_or_else(|| "full".to_owned());
    let text = match show.as_str() {
        "full" => wording::sentence(estimate),
        "value" => wording::value(estimate),
        "interval" => wording::interval(estimate),
        "count" => wording::fraction(estimate).unwrap_or_else(|| wording::value(estimate)),
        "n" => format::count(estimate.n),
        "prevalence" => estimate.prevalence.map(format::prevalence).unwrap_or_default(),
        "p-value" => estimate.p_value.map(format::p_value).unwrap_or_else(|| "no test".to_owned()),
        other => {
            let known = "full, value, interval, count, n, prevalence, p-value";
            return Err(refused(Code::UnknownShow, &format!("show is one of {known}, not `{other}`")));
        }
    };
    Ok(Answer::Number { markdown: text::markdown(&text), key: origins::of_estimate(estimate) })
}

pub fn digest(source: &Source, arguments: &Arguments<'_>) -> Result<Answer, Refusal> {
    let of = arguments.optional("of")?.unwrap_or_else(|| "root".to_owned());
    let digest = match of.as_str() {
        "root" => Some(&source.root_digest),
        path => source.digests.get(path),
    };
    let Some(digest) = digest else {
        return Err(refused(Code::UnknownDigest, &format!("the bundle's manifest has no `{of}`")));
    };
    let short = arguments.flag("short")?;
    let digest = if short { digest.get(..12).unwrap_or(digest) } else { digest };
    let plain: String = digest.chars().filter(char::is_ascii_alphanumeric).collect();
    Ok(Answer::Markdown(format!("`{plain}`")))
}

/// A field that only people can fill; an empty one is named and listed.
pub fn device(
    source: &Source,
    to_complete: &Mutex<Vec<String>>,
    arguments: &Arguments<'_>,
) -> Result<Answer, Refusal> {
    let path = arguments.required("path")?;
    let what = arguments.optional("what")?.unwrap_or_default();
    let optional = arguments.flag("optional")?;
    let found = at(&source.device, &path);
    let markdown = match found {
        Some(Json::String(text)) => text::markdown_paragraphs(text),
        Some(Json::Array(items)) => {
            let items: Vec<String> = items
                .iter()
                .map(|item| text::markdown(&words(item)))
                .filter(|item| !item.is_empty())
                .map(|item| format!("- {item}\n"))
                .collect();
            if items.is_empty() { String::new() } else { format!("\n\n{}\n", items.concat()) }
        }
        Some(other) => text::markdown(&words(other)),
        None => String::new(),
    };
    if markdown.is_empty() {
        if optional {
            return Ok(Answer::Markdown(String::new()));
        }
        let line = format!("{path}: {what}");
        let mut missing = to_complete.lock().unwrap_or_else(PoisonError::into_inner);
        let listed = missing.iter().any(|m| m.split(": ").next() == Some(path.as_str()));
        if !listed {
            missing.push(line);
        }
        return Ok(Answer::Markdown(format!("*{}*", text::markdown(TO_COMPLETE))));
    }
    Ok(Answer::Markdown(markdown))
}

/// A fact of the lock, the protocol or the device file, by its path.
pub fn value(source: &Source, arguments: &Arguments<'_>) -> Result<Answer, Refusal> {
    let of = arguments.required("of")?;
    let path = arguments.optional("path")?.unwrap_or_default();
    let missing = arguments.optional("missing")?.unwrap_or_else(|| "not recorded".to_owned());
    let from = match of.as_str() {
        "lock" => source.recorded.lock.as_ref(),
        "protocol" => Some(&source.recorded.protocol),
        "device" => Some(&source.device),
        other => {
            return Err(refused(
                Code::UnknownValue,
                &format!("`of` is lock, protocol or device, not `{other}`"),
            ));
        }
    };
    // A key left at its default is not written in the protocol, and holds all the same.
    let effective = match (of.as_str(), from.and_then(|v| at(v, &path))) {
        ("protocol", None) => serde_json::to_value(&source.protocol).ok(),
        _ => None,
    };
    let found = from.and_then(|v| at(v, &path)).or_else(|| effective.as_ref().and_then(|v| at(v, &path)));
    let words = found.filter(|v| !v.is_null()).map(words).unwrap_or(missing);
    Ok(Answer::Markdown(text::markdown(&words)))
}
