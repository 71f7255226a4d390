//! A document of the set as a kind of document: the submission's words, numbers, tables and figures, and
//! those that only the set has.

use std::sync::{Arc, LazyLock};

use serde_json::{Value as Json, json};

use super::coverage::{self, Answer, State};
use super::kinds::Kind;
use super::shared::Shared;
use super::{device, drafts, facts, figures, performance, population, privacy, tables};
use crate::diagnostic::{Code, Diagnostic};
use crate::document::content::{Answer as Said, Arguments, Content, Notice, Refusal};
use crate::document::origins::Origin;
use crate::document::text;
use crate::document::tree::{Facts, Figure, Link, Row, Table};
use crate::report::origins;
use crate::report::submission::{Submission, at, words};
use crate::report::wording;

/// A document in the making.
pub struct Part {
    /// Which.
    pub kind: &'static Kind,
    /// What it shares with the report.
    pub submission: Submission,
    /// What it shares with the others.
    pub shared: Arc<Shared>,
}

impl Part {
    /// A document of a kind.
    pub fn of(kind: &'static Kind, shared: &Arc<Shared>) -> Self {
        Self { kind, submission: Submission::of(shared.source.clone()), shared: Arc::clone(shared) }
    }
}

static TABLES: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| tables::IDS.into_iter().chain(Submission::TABLES.iter().copied()).collect());
static FIGURES: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| figures::IDS.into_iter().chain(Submission::FIGURES.iter().copied()).collect());

/// Whether a table says nothing but that.
fn is_empty(table: &Table) -> bool {
    !table.rows.iter().any(|row| matches!(row, Row::Cells(_)))
}

impl Content for Part {
    fn facts(&self) -> Facts {
        let facts = self.submission.facts();
        let title = self.kind.title;
        let study = &self.shared.source.results.study;
        // The public summary names neither run nor digest.
        let footer = if self.kind.is_public {
            text::fit(
                &text::one_line(&format!("{title} \u{2013} study {} version {}", study.id, study.version)),
                8.0,
                460.0,
            )
        } else {
            facts.footer
        };
        Facts {
            title: format!("{title}: {}", facts.title),
            running_title: text::fit(&format!("{title} \u{2013} {}", facts.running_title), 8.0, 460.0),
            identifier: format!("{} {}", self.kind.name, facts.identifier),
            footer,
            ..facts
        }
    }

    fn notice(&self) -> Option<Notice> {
        self.submission.notice()
    }

    fn traced(&self) -> bool {
        self.submission.traced()
    }

    fn context(&self) -> Json {
        let mut context = self.submission.context();
        if let Json::Object(fields) = &mut context {
            let source = &self.shared.source;
            let given = |path: &str| at(&source.device, path).is_some_and(|v| !words(v).trim().is_empty());
            let (drafts, _) = drafts::decided(source);
            let accepted: Vec<&str> = drafts
                .iter()
                .filter(|d| d.decision.as_ref().is_some_and(|decision| decision.accepted))
                .map(|d| d.draft.sentence.as_str())
                .collect();
            let undecided = drafts.iter().filter(|d| d.decision.is_none()).count();
            let answers = &self.shared.answers;
            let count = |automatic, state| coverage::count(answers, automatic, state);
            let totals = |automatic| {
                let [printed, typed] = [State::Printed, State::Typed].map(|state| count(automatic, state));
                json!({
                    "all": answers.iter().filter(|a| a.requirement.is_automatic == automatic).count(),
                    "filled": printed + typed,
                    "printed": printed, "typed": typed,
                    "not_applicable": count(automatic, State::NotApplicable),
                    "empty": count(automatic, State::Empty),
                })
            };
            let plan_of_changes =
                ["pccp.modifications", "pccp.protocol", "pccp.impact"].iter().any(|path| given(path));
            let change = source.results.change.as_ref();
            let placed = |a: &&Answer| !a.requirement.is_automatic && !a.requirement.field.is_empty();
            let fields_of_people = answers.iter().filter(placed).count();
            let more = json!({
                "accepted_limitations": accepted,
                "undecided_limitations": undecided,
                "drafted_limitations": drafts.len(),
                "has_plan_of_changes": plan_of_changes,
                "has_change": change.is_some(),
                "change_verdict": wording::verdict(change.map(|change| change.verdict)),
                "searched_ids": privacy::searched(source),
                "automatic": totals(true),
                "manual": totals(false),
                "requirements": answers.len(),
                "fields": fields_of_people,
                "has_site_sets": !is_empty(&performance::site_sets(source)),
                "has_population": population::is_declared(source),
                "has_predicate_rows": !device::comparisons(&source.device).is_empty(),
                "limitations_given": given("device.limitations"),
                "warnings_given": given("labelling.warnings"),
            });
            if let Json::Object(more) = more {
                fields.extend(more);
            }
        }
        context
    }

    fn origin(&self, key: &str) -> Option<Origin> {
        origins::origin(&self.shared.source, key, self.kind.is_public)
    }

    fn origin_notes(&self) -> Vec<String> {
        origins::notes(&self.shared.source, self.kind.is_public)
    }

    fn table_ids(&self) -> &[&str] {
        &TABLES
    }

    fn table(&self, id: &str, path: &str) -> Option<Table> {
        if tables::IDS.contains(&id) {
            let mut table = tables::build(&self.shared, id, path)?;
            if let Some(key) = origins::of_table(id) {
                table.link = Link::Key(key);
            }
            return Some(table);
        }
        self.submission.table(id, path)
    }

    fn figure_ids(&self) -> &[&str] {
        &FIGURES
    }

    fn figure(&self, id: &str) -> Option<Figure> {
        if figures::IDS.contains(&id) {
            let mut figure = figures::build(&self.shared.source, id)?;
            if let Some(key) = origins::of_figure(id) {
                figure.link = Link::Key(key);
            }
            return Some(figure);
        }
        self.submission.figure(id)
    }

    fn functions(&self) -> &'static [&'static str] {
        &["estimate", "has", "digest", "device", "value", "text_of", "fact", "given"]
    }

    fn answer(&self, function: &str, arguments: &Arguments<'_>) -> Result<Said, Refusal> {
        let source = &self.shared.source;
        match function {
            "fact" => {
                let id = arguments.required("id")?;
                let found = facts::fact(source, &id);
                let refused = |why: String| Refusal::from(Diagnostic::error(Code::UnknownFact, why));
                let markdown = text::markdown(&found.map_err(refused)?);
                Ok(match facts::estimate(source, &id) {
                    Some(estimate) => Said::Number { markdown, key: origins::of_estimate(estimate) },
                    None => Said::Markdown(markdown),
                })
            }
            "given" => {
                let path = arguments.required("path")?;
                let given = at(&source.device, &path).is_some_and(|v| !words(v).trim().is_empty());
                Ok(Said::Flag(given))
            }
            _ => self.submission.answer(function, arguments),
        }
    }
}
