//! Templates to one Markdown text. Values from a study are escaped for Markdown on their way in; tables,
//! figures and whatever else a [`Content`] has are asked for by id, and an id that does not exist is an error
//! with the template's name and line.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use tera::{Context, ErrorKind, Function, Kwargs, State, Tera, TeraResult, Value};

use super::budget::{self, Budget, Counted, Limited};
use super::content::{Answer, Arguments, Content, Refusal};
use super::trace::marks;
use super::tree::Piece;
use super::{format, origins, text};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};

/// Templates filled in.
#[derive(Debug)]
pub struct Filled {
    /// The Markdown.
    pub markdown: String,
    /// What its placeholders stand for.
    pub pieces: Vec<Piece>,
}

/// Renders the main template.
///
/// # Errors
/// What is wrong in a template, with its place.
pub fn fill<C: Content>(
    content: &Arc<C>,
    main: &str,
    templates: &BTreeMap<String, String>,
) -> Result<Filled> {
    let whole: usize = templates.values().map(String::len).sum();
    if whole > budget::LARGEST_TEMPLATES {
        let message = format!("the templates have {whole} bytes, at most {}", budget::LARGEST_TEMPLATES);
        return Err(Diagnostic::error(Code::TemplateCost, message)
            .hint("leave out what is not needed")
            .into());
    }
    let mut counted: BTreeMap<&str, Counted> = BTreeMap::new();
    let mut refused = Vec::new();
    for (name, text) in templates {
        match budget::counted(name, text) {
            Ok(template) => drop(counted.insert(name, template)),
            Err(problems) => refused.extend(problems),
        }
    }
    if !refused.is_empty() {
        return Err(refused.into());
    }
    budget::flat(main, &counted)?;
    let mut tera = engine(content.traced());
    let shared = Arc::new(Shared {
        content: Arc::clone(content),
        pieces: Mutex::new(Vec::new()),
        refused: Mutex::new(None),
        budget: Budget::default(),
    });
    tera.register_function(budget::STEP, Step(Arc::clone(&shared)));
    for &name in ["table", "figure", "origins"].iter().chain(content.functions()) {
        tera.register_function(name, Call { name, shared: Arc::clone(&shared) });
    }
    // A template is text that somebody may have made: it marks nothing by itself.
    let texts = counted.iter().map(|(name, template)| (*name, origins::without_marks(&template.text)));
    tera.add_raw_templates(texts).map_err(|e| located(&e, Code::TemplateSyntax, None, &counted))?;
    if !templates.contains_key(main) {
        return Err(Diagnostic::error(Code::TemplateMissing, format!("there is no template `{main}`"))
            .hint(
                "put it into the study's templates folder, or remove the folder to use the default templates",
            )
            .into());
    }
    let context = Context::from_serialize(&content.context())
        .map_err(|e| Diagnostic::error(Code::TemplateContext, e.to_string()))?;
    let mut text = Limited::default();
    let rendered = tera.render_to(main, &context, &mut text);
    if text.full {
        return Err(budget::too_long().into());
    }
    rendered.map_err(|e| {
        let refused = shared.refused.lock().unwrap_or_else(PoisonError::into_inner).take();
        located(&e, Code::Template, refused, &counted)
    })?;
    let markdown = String::from_utf8_lossy(&text.bytes);
    drop(tera);
    let pieces = shared.pieces.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(Filled { markdown: tidy(&markdown), pieces })
}

/// A template engine that escapes what comes from a study for Markdown, with the filters of all documents.
fn engine(traced: bool) -> Tera {
    let mut tera = Tera::new();
    tera.autoescape_on([".md"]);
    if traced {
        tera.set_escape_fn(|input, output| {
            output.write_all(
                marks::marked(&origins::without_marks(&text::markdown(input)), "a value").as_bytes(),
            )
        });
    } else {
        tera.set_escape_fn(|input, output| {
            output.write_all(origins::without_marks(&text::markdown(input)).as_bytes())
        });
    }
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

struct Shared<C> {
    content: Arc<C>,
    pieces: Mutex<Vec<Piece>>,
    /// Why a function gave nothing: the template engine carries texts alone.
    refused: Mutex<Option<Diagnostic>>,
    budget: Budget,
}

/// Counts a turn of a loop.
struct Step<C>(Arc<Shared<C>>);

impl<C: Content> Function<TeraResult<Value>> for Step<C> {
    fn call(&self, _: Kwargs, _: &State) -> TeraResult<Value> {
        self.0.spend(1)?;
        Ok(Value::safe_string(""))
    }

    fn is_safe(&self) -> bool {
        true
    }
}

struct Call<C> {
    name: &'static str,
    shared: Arc<Shared<C>>,
}

impl<C: Content> Function<TeraResult<Value>> for Call<C> {
    fn call(&self, kwargs: Kwargs, _: &State) -> TeraResult<Value> {
        self.shared.spend(10)?;
        let arguments = Arguments(&kwargs);
        let answer = match self.name {
            "table" => self.shared.table(&arguments),
            "figure" => self.shared.figure(&arguments),
            "origins" => Ok(Answer::Piece(Piece::Origins)),
            name => self.shared.content.answer(name, &arguments),
        };
        match answer {
            Ok(Answer::Markdown(text)) if self.shared.content.traced() => {
                let text = origins::without_marks(&text);
                let from = arguments.named(self.name);
                Ok(Value::safe_string(&marks::marked(&text, &from)))
            }
            Ok(Answer::Markdown(text)) => Ok(Value::safe_string(&origins::without_marks(&text))),
            Ok(Answer::Number { markdown, key }) => {
                let named = arguments.named(self.name);
                let traced = self.shared.content.traced();
                let text = if traced { marks::marked(&markdown, &named) } else { markdown };
                Ok(Value::safe_string(&origins::marked(&text, &key)))
            }
            Ok(Answer::Flag(flag)) => Ok(Value::from(flag)),
            Ok(Answer::Piece(piece)) => Ok(self.shared.place(piece)),
            Err(Refusal::Argument(error)) => Err(error),
            Err(Refusal::Said(diagnostic)) => Err(self.shared.refuse(*diagnostic)),
        }
    }

    /// The functions escape what they give.
    fn is_safe(&self) -> bool {
        true
    }
}

impl<C: Content> Shared<C> {
    /// Keeps what is said in its own words, and gives the engine its error.
    fn refuse(&self, diagnostic: Diagnostic) -> tera::Error {
        let error = tera::Error::message(diagnostic.message.clone());
        *self.refused.lock().unwrap_or_else(PoisonError::into_inner) = Some(diagnostic);
        error
    }

    fn spend(&self, steps: u64) -> TeraResult<()> {
        self.budget.spend(steps).map_err(|diagnostic| self.refuse(diagnostic))
    }

    fn table(&self, arguments: &Arguments<'_>) -> Result<Answer, Refusal> {
        let id = arguments.required("id")?;
        let path = arguments.optional("path")?.unwrap_or_default();
        let Some(mut table) = self.content.table(&id, &path) else {
            let known = self.content.table_ids().join(", ");
            let message = format!("there is no table `{id}`; tables are {known}");
            return Err(Diagnostic::error(Code::UnknownTable, message).into());
        };
        if let Some(caption) = arguments.optional("caption")? {
            table.caption = self.caption(&caption, &table.caption);
        }
        if table.rows.is_empty() {
            return Ok(Answer::Markdown(String::new()));
        }
        Ok(Answer::Piece(Piece::Table(table)))
    }

    fn figure(&self, arguments: &Arguments<'_>) -> Result<Answer, Refusal> {
        let id = arguments.required("id")?;
        let Some(mut figure) = self.content.figure(&id) else {
            let known = self.content.figure_ids().join(", ");
            let message = format!("there is no figure `{id}`; figures are {known}");
            return Err(Diagnostic::error(Code::UnknownFigure, message).into());
        };
        if let Some(caption) = arguments.optional("caption")? {
            figure.caption = self.caption(&caption, &figure.caption);
        }
        if let Some(alt) = arguments.optional("alt")? {
            figure.alt = text::one_line(&alt);
        }
        if figure.images.is_empty() {
            return Ok(Answer::Markdown(String::new()));
        }
        Ok(Answer::Piece(Piece::Figure(figure)))
    }

    /// A caption that a template gives, in place of the one that the table or the figure has.
    fn caption(&self, given: &str, own: &str) -> String {
        let given = text::one_line(given);
        if self.content.traced() { marks::marked(&given, &format!("caption {own}")) } else { given }
    }

    fn place(&self, piece: Piece) -> Value {
        let piece = match piece {
            Piece::Text(text) if self.content.traced() => {
                Piece::Text(marks::marked(&text, "a text of the bundle"))
            }
            piece => piece,
        };
        let mut pieces = self.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        let placeholder = origins::without_marks(&piece.placeholder(pieces.len()));
        pieces.push(piece);
        Value::safe_string(&placeholder)
    }
}

/// A template engine's error as a diagnostic with the template's name and line; what a function refused in
/// its own words.
fn located(
    error: &tera::Error,
    code: Code,
    refused: Option<Diagnostic>,
    counted: &BTreeMap<&str, Counted>,
) -> Error {
    let (message, location) = match error.kind() {
        ErrorKind::SyntaxError(report) | ErrorKind::RenderingError(report) => {
            let path = std::path::PathBuf::from("templates").join(report.filename());
            let span = report.span();
            let template = counted.get(report.filename());
            let line = span.start_line.saturating_sub(1);
            let column = template.map_or(span.start_col, |template| template.column(line, span.start_col));
            let location = Location {
                path: path.into(),
                line: Some(span.start_line as u64),
                column: Some(column as u64 + 1),
            };
            (report.message().to_owned(), Some(location))
        }
        other => (other.to_string(), None),
    };
    let diagnostic = refused.unwrap_or_else(|| Diagnostic::error(code, message));
    match location {
        Some(location) => diagnostic.at(location).into(),
        None => diagnostic.into(),
    }
}
