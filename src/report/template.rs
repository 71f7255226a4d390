//! Templates to one Markdown text. Values from the study are escaped for Markdown on their way in;
//! estimates, tables and figures are asked for by id, and an id that does not exist is an error with the
//! template's name and line.

use std::sync::{Arc, Mutex, PoisonError};

use serde_json::{Value as Json, json};
use tera::{Context, ErrorKind, Function, Kwargs, State, Tera, TeraResult, Value};

use super::document::Piece;
use super::{MAIN_TEMPLATE, Source, figures, format, tables, text};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::statistics::estimate::{Estimate, Scenario};

/// Templates filled in.
pub struct Filled {
    /// The Markdown.
    pub markdown: String,
    /// What its placeholders stand for.
    pub pieces: Vec<Piece>,
    /// Fields of `device.toml` that are empty.
    pub to_complete: Vec<String>,
}

/// Renders the main template.
///
/// # Errors
/// What is wrong in a template, with its place.
pub fn fill(source: &Source) -> Result<Filled> {
    let mut tera = engine();
    let shared = Arc::new(Shared {
        source: source.clone(),
        pieces: Mutex::new(Vec::new()),
        to_complete: Mutex::new(Vec::new()),
    });
    for name in ["estimate", "has", "table", "figure", "digest", "device", "value", "text_of"] {
        tera.register_function(name, Call { name, shared: Arc::clone(&shared) });
    }
    tera.add_raw_templates(source.templates.iter().map(|(name, text)| (name.as_str(), text.as_str())))
        .map_err(|e| located(&e, Code::TemplateSyntax))?;
    if !source.templates.contains_key(MAIN_TEMPLATE) {
        return Err(Diagnostic::error(
            Code::TemplateMissing,
            format!("there is no template `{MAIN_TEMPLATE}`"),
        )
        .hint("put it into the study's templates folder, or remove the folder to use the default templates")
        .into());
    }
    let context = Context::from_serialize(&context(source))
        .map_err(|e| Diagnostic::error(Code::TemplateContext, e.to_string()))?;
    let markdown = tera.render(MAIN_TEMPLATE, &context).map_err(|e| located(&e, Code::Template))?;
    drop(tera);
    let taken = |list: &Mutex<Vec<String>>| list.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(Filled {
        markdown: tidy(&markdown),
        pieces: shared.pieces.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        to_complete: taken(&shared.to_complete),
    })
}

/// A template engine that escapes what comes from a study for Markdown, with the filters of all documents.
pub(super) fn engine() -> Tera {
    let mut tera = Tera::new();
    tera.autoescape_on([".md"]);
    tera.set_escape_fn(|input, output| output.write_all(text::markdown(input).as_bytes()));
    register_filters(&mut tera);
    tera
}

/// At most one empty line in a row outside code, no trailing white space, one final line break.
pub(super) fn tidy(markdown: &str) -> String {
    let mut out = String::with_capacity(markdown.len());
    let mut empty = true;
    for line in markdown.lines() {
        let line = line.trim_end();
        if line.is_empty() && empty {
            continue;
        }
        empty = line.is_empty();
        out.push_str(line);
        out.push('\n');
    }
    out
}

/// What templates see under a name.
fn context(source: &Source) -> Json {
    let results = &source.results;
    let endpoint = |e: &crate::study::results::EndpointResult| {
        let style = format::style_of(e.metric.id(), false);
        json!({
            "id": e.id,
            "metric": format::metric(e.metric.id()),
            "role": e.role,
            "criterion": e.criterion,
            "value": e.value.map(|v| format::number(v, style)),
            "limits": e.interval.as_ref().map(|i| format::limits(i, style)),
            "level": format::level(e.interval.as_ref().map_or(results.method.level, |i| i.level)),
            "bound": e.bound.map(|b| format::bound(b, e.criterion.as_deref())),
            "verdict": format::verdict(e.verdict),
        })
    };
    let endpoints: Vec<Json> = results.endpoints.iter().map(endpoint).collect();
    let any_insufficient =
        results.estimates.iter().any(|e| e.subgroup.is_some() && tables::is_insufficient(results, e));
    json!({
        "study": results.study,
        "flow": results.flow,
        "consensus": results.consensus,
        "readers": results.readers,
        "operating_point": results.operating_point,
        "exact_threshold": results.operating_point.threshold.to_string(),
        "method": {
            "level": format::level(results.method.level),
            "resampling_unit": format::resampling_unit(results.method.resampling_unit),
            "replicates": results.method.replicates,
            "seed": results.method.seed.to_string(),
            "subgroup_minimum": results.method.subgroup_minimum,
            "intended_use_prevalence": results.method.intended_use_prevalence.map(format::prevalence),
            "multiplicity": format::multiplicity(&results.method),
            "program_version": results.method.program_version,
        },
        "endpoints": endpoints,
        "conclusion": format::verdict(Some(results.conclusion)),
        "warnings": results.warnings,
        "synthetic": results.study.synthetic,
        "banner": tables::SYNTHETIC_BANNER,
        "has_model": source.lock.is_some(),
        "has_description": source.description.is_some(),
        "has_development": source.description.as_ref().is_some_and(|d| d.sets.len() > 1),
        "has_findings":
            source.description.as_ref().is_some_and(|d| d.sets.iter().any(|s| !s.findings.is_empty())),
        "has_training": !source.training.is_empty(),
        "has_precision_recall": !results.curves.precision_recall.is_empty(),
        "has_subgroups": results.estimates.iter().any(|e| e.subgroup.is_some()),
        "has_scenarios": results.estimates.iter().any(|e| e.scenario.is_some()),
        "any_insufficient": any_insufficient,
        "has_target": tables::at(&source.protocol, "sample.cases").is_some_and(|v| !v.is_null()),
        "enriched": tables::at(&source.protocol, "sample.positives").is_some_and(|v| !v.is_null()),
        "protocol": source.protocol,
        "protocol_text": source.protocol_text,
        "lock": source.lock,
        "openings": source.openings,
        "root_digest": source.root_digest,
        "run_id": source.run_id,
        "date": source.date,
        "program_version": source.program_version,
        "rounding_rule": format::RULE,
    })
}

fn register_filters(tera: &mut Tera) {
    tera.register_filter("count", |value: u64, _: Kwargs, _: &State| format::count(value));
    tera.register_filter("percent", |value: f64, _: Kwargs, _: &State| {
        format::number(value, format::Style::Percent)
    });
    tera.register_filter("decimals", |value: f64, kwargs: Kwargs, _: &State| -> TeraResult<String> {
        Ok(format::fixed(value, kwargs.get::<usize>("n")?.unwrap_or(3).min(12)))
    });
    tera.register_filter("words", |value: &str, _: Kwargs, _: &State| value.replace(['-', '_'], " "));
}

struct Shared {
    source: Source,
    pieces: Mutex<Vec<Piece>>,
    to_complete: Mutex<Vec<String>>,
}

struct Call {
    name: &'static str,
    shared: Arc<Shared>,
}

impl Function<TeraResult<Value>> for Call {
    fn call(&self, kwargs: Kwargs, _: &State) -> TeraResult<Value> {
        match self.name {
            "estimate" => self.shared.estimate(&kwargs),
            "has" => self.shared.find(&kwargs).map(|found| Value::from(found.is_ok())),
            "table" => self.shared.table(&kwargs),
            "figure" => self.shared.figure(&kwargs),
            "digest" => self.shared.digest(&kwargs),
            "device" => self.shared.device(&kwargs),
            "text_of" => self.shared.text_of(&kwargs),
            _ => self.shared.value(&kwargs),
        }
    }

    /// The functions escape what they give.
    fn is_safe(&self) -> bool {
        true
    }
}

/// An error that keeps its code through the template engine.
pub(super) fn coded(code: Code, message: &str) -> tera::Error {
    tera::Error::message(format!("[{code}] {message}"))
}

impl Shared {
    /// The estimate that the arguments name, or the error that says there is none.
    fn find(&self, kwargs: &Kwargs) -> TeraResult<std::result::Result<&Estimate, tera::Error>> {
        let id = kwargs.must_get::<String>("id")?;
        let subgroup = kwargs.get::<String>("subgroup")?;
        let scenario = kwargs.get::<String>("scenario")?;
        let model = kwargs.get::<String>("model")?;
        let intended_use = match kwargs.get::<String>("prevalence")?.as_deref() {
            None | Some("sample") => false,
            Some("intended-use") => true,
            Some(other) => {
                return Err(coded(
                    Code::UnknownEstimate,
                    &format!("prevalence is `sample` or `intended-use`, not `{other}`"),
                ));
            }
        };
        let results = &self.source.results;
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
            coded(Code::UnknownEstimate, &format!("results.json has no estimate {wanted}"))
        }))
    }

    fn estimate(&self, kwargs: &Kwargs) -> TeraResult<Value> {
        let estimate = self.find(kwargs)??;
        let show = kwargs.get::<String>("show")?.unwrap_or_else(|| "full".to_owned());
        let text = match show.as_str() {
            "full" => format::sentence(estimate),
            "value" => format::value(estimate),
            "interval" => format::interval(estimate),
            "count" => format::fraction(estimate).unwrap_or_else(|| format::value(estimate)),
            "n" => format::count(estimate.n),
            "prevalence" => estimate.prevalence.map(format::prevalence).unwrap_or_default(),
            "p-value" => estimate.p_value.map(format::p_value).unwrap_or_else(|| "no test".to_owned()),
            other => {
                let known = "full, value, interval, count, n, prevalence, p-value";
                return Err(coded(Code::UnknownShow, &format!("show is one of {known}, not `{other}`")));
            }
        };
        Ok(Value::safe_string(&text::markdown(&text)))
    }

    fn table(&self, kwargs: &Kwargs) -> TeraResult<Value> {
        let id = kwargs.must_get::<String>("id")?;
        let path = kwargs.get::<String>("path")?.unwrap_or_default();
        let missing = self.to_complete.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(mut table) = tables::build(&self.source, &id, &path, &missing) else {
            let known = tables::IDS.join(", ");
            return Err(coded(Code::UnknownTable, &format!("there is no table `{id}`; tables are {known}")));
        };
        if let Some(caption) = kwargs.get::<String>("caption")? {
            table.caption = text::one_line(&caption);
        }
        Ok(self.place(Piece::Table(table)))
    }

    fn figure(&self, kwargs: &Kwargs) -> TeraResult<Value> {
        let id = kwargs.must_get::<String>("id")?;
        let Some(mut figure) = figures::build(&self.source, &id) else {
            let known = figures::IDS.join(", ");
            return Err(coded(
                Code::UnknownFigure,
                &format!("there is no figure `{id}`; figures are {known}"),
            ));
        };
        if let Some(caption) = kwargs.get::<String>("caption")? {
            figure.caption = text::one_line(&caption);
        }
        if let Some(alt) = kwargs.get::<String>("alt")? {
            figure.alt = text::one_line(&alt);
        }
        Ok(self.place(Piece::Figure(figure)))
    }

    /// A file of the bundle, as it is.
    fn text_of(&self, kwargs: &Kwargs) -> TeraResult<Value> {
        match kwargs.must_get::<String>("id")?.as_str() {
            "protocol" => Ok(self.place(Piece::Text(self.source.protocol_text.clone()))),
            other => {
                Err(coded(Code::UnknownText, &format!("there is no text `{other}`; texts are protocol")))
            }
        }
    }

    fn place(&self, piece: Piece) -> Value {
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        let placeholder = piece.placeholder(pieces.len());
        pieces.push(piece);
        Value::safe_string(&placeholder)
    }

    fn digest(&self, kwargs: &Kwargs) -> TeraResult<Value> {
        let of = kwargs.get::<String>("of")?.unwrap_or_else(|| "root".to_owned());
        let digest = match of.as_str() {
            "root" => Some(&self.source.root_digest),
            path => self.source.digests.get(path),
        };
        let Some(digest) = digest else {
            return Err(coded(Code::UnknownDigest, &format!("the bundle's manifest has no `{of}`")));
        };
        let short = kwargs.get::<bool>("short")?.unwrap_or(false);
        let digest = if short { digest.get(..12).unwrap_or(digest) } else { digest };
        let plain: String = digest.chars().filter(char::is_ascii_alphanumeric).collect();
        Ok(Value::safe_string(&format!("`{plain}`")))
    }

    /// A field that only people can fill; an empty one is named and listed.
    fn device(&self, kwargs: &Kwargs) -> TeraResult<Value> {
        let path = kwargs.must_get::<String>("path")?;
        let what = kwargs.get::<String>("what")?.unwrap_or_default();
        let optional = kwargs.get::<bool>("optional")?.unwrap_or(false);
        let found = tables::at(&self.source.device, &path);
        let markdown = match found {
            Some(Json::String(text)) => text::markdown_paragraphs(text),
            Some(Json::Array(items)) => {
                let items: Vec<String> = items
                    .iter()
                    .map(|item| text::markdown(&tables::words(item)))
                    .filter(|item| !item.is_empty())
                    .map(|item| format!("- {item}\n"))
                    .collect();
                if items.is_empty() { String::new() } else { format!("\n\n{}\n", items.concat()) }
            }
            Some(other) => text::markdown(&tables::words(other)),
            None => String::new(),
        };
        if markdown.is_empty() {
            if optional {
                return Ok(Value::safe_string(""));
            }
            let line = format!("{path}: {what}");
            let mut missing = self.to_complete.lock().unwrap_or_else(PoisonError::into_inner);
            let listed = missing.iter().any(|m| m.split(": ").next() == Some(path.as_str()));
            if !listed {
                missing.push(line);
            }
            return Ok(Value::safe_string(&format!("*{}*", text::markdown(tables::TO_COMPLETE))));
        }
        Ok(Value::safe_string(&markdown))
    }

    /// A fact of the lock, the protocol or the device file, by its path.
    fn value(&self, kwargs: &Kwargs) -> TeraResult<Value> {
        let of = kwargs.must_get::<String>("of")?;
        let path = kwargs.get::<String>("path")?.unwrap_or_default();
        let missing = kwargs.get::<String>("missing")?.unwrap_or_else(|| "not recorded".to_owned());
        let from = match of.as_str() {
            "lock" => self.source.lock.as_ref(),
            "protocol" => Some(&self.source.protocol),
            "device" => Some(&self.source.device),
            other => {
                return Err(coded(
                    Code::UnknownValue,
                    &format!("`of` is lock, protocol or device, not `{other}`"),
                ));
            }
        };
        let words = from.and_then(|v| tables::at(v, &path)).map(tables::words).unwrap_or(missing);
        Ok(Value::safe_string(&text::markdown(&words)))
    }
}

/// The codes that template functions give.
const CODES: [Code; 7] = [
    Code::UnknownEstimate,
    Code::UnknownShow,
    Code::UnknownTable,
    Code::UnknownFigure,
    Code::UnknownDigest,
    Code::UnknownValue,
    Code::UnknownText,
];

/// A template engine's error as a diagnostic with the template's name and line.
pub(super) fn located(error: &tera::Error, code: Code) -> Error {
    let (message, location) = match error.kind() {
        ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => {
            let path = std::path::PathBuf::from("templates").join(report.filename());
            let span = report.span();
            let location = Location {
                path,
                line: Some(span.start_line as u64),
                column: Some(span.start_col as u64 + 1),
            };
            (report.message().to_owned(), Some(location))
        }
        other => (other.to_string(), None),
    };
    let mut diagnostic = Diagnostic::error(code, message.clone());
    for known in CODES {
        if let Some((_, rest)) = message.split_once(&format!("[{known}] ")) {
            diagnostic = Diagnostic::error(known, rest.to_owned());
            if known == Code::UnknownEstimate {
                diagnostic = diagnostic.hint(
                    "the ids are in results.json; guard what not every study has with {% if has(id=...) %}",
                );
            }
        }
    }
    match location {
        Some(location) => diagnostic.at(location).into(),
        None => diagnostic.into(),
    }
}
