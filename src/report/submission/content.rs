//! A study's submission as a kind of document.

use std::sync::{Mutex, PoisonError};

use serde_json::Value as Json;

use super::source::Source;
use super::{context, figures, functions, tables, templates};
use crate::diagnostic::{Code, Diagnostic};
use crate::document::content::{Answer, Arguments, Content, Notice, Refusal};
use crate::document::origins::Origin;
use crate::document::tree::{Facts, Figure, Link, Table};
use crate::report::origins;

/// A submission in the making.
#[derive(Debug)]
pub struct Submission {
    source: Source,
    /// Fields of `device.toml` that templates asked for and that are empty.
    to_complete: Mutex<Vec<String>>,
}

impl Submission {
    /// The ids of all tables.
    pub const TABLES: &'static [&'static str] = tables::IDS;
    /// The ids of all figures.
    pub const FIGURES: &'static [&'static str] = figures::IDS;

    /// Nothing is asked for yet.
    pub fn of(source: Source) -> Self {
        Self { source, to_complete: Mutex::new(Vec::new()) }
    }

    /// The empty fields of `device.toml`, in the order in which they were asked for.
    pub fn to_complete(&self) -> Vec<String> {
        self.to_complete.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Content for Submission {
    fn facts(&self) -> Facts {
        context::facts(&self.source)
    }

    fn traced(&self) -> bool {
        self.source.traced
    }

    fn context(&self) -> Json {
        context::context(&self.source)
    }

    fn notice(&self) -> Option<Notice> {
        templates::notice(&self.source)
    }

    fn origin(&self, key: &str) -> Option<Origin> {
        origins::origin(&self.source, key, false)
    }

    fn origin_notes(&self) -> Vec<String> {
        origins::notes(&self.source, false)
    }

    fn table_ids(&self) -> &[&str] {
        tables::IDS
    }

    fn table(&self, id: &str, path: &str) -> Option<Table> {
        let mut table = tables::build(&self.source, id, path, &self.to_complete())?;
        if let Some(key) = origins::of_table(id) {
            table.link = Link::Key(key);
        }
        Some(table)
    }

    fn figure_ids(&self) -> &[&str] {
        figures::IDS
    }

    fn figure(&self, id: &str) -> Option<Figure> {
        let mut figure = figures::build(&self.source, id)?;
        if let Some(key) = origins::of_figure(id) {
            figure.link = Link::Key(key);
        }
        Some(figure)
    }

    fn functions(&self) -> &'static [&'static str] {
        &["estimate", "has", "digest", "device", "value", "text_of"]
    }

    fn answer(&self, function: &str, arguments: &Arguments<'_>) -> Result<Answer, Refusal> {
        let source = &self.source;
        match function {
            "estimate" => functions::estimate(source, arguments),
            "has" => functions::has(source, arguments),
            "digest" => functions::digest(source, arguments),
            "device" => functions::device(source, &self.to_complete, arguments),
            "value" => functions::value(source, arguments),
            "text_of" => functions::text_of(source, arguments),
            _ => Err(Diagnostic::error(Code::Template, format!("there is no function `{function}`")).into()),
        }
    }
}
