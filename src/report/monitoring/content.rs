//! The report as a kind of document.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::source::{MonitoringSource, NO_CLAIM};
use super::{figures, tables};
use crate::diagnostic::Result;
use crate::document::content::Content;
use crate::document::render::{Files, add, compose};
use crate::document::tree::{Facts, Figure, Table};
use crate::document::{format, text};
use crate::monitoring::judgement::MonthJudged;
use crate::monitoring::month::Month;

/// Where the document starts.
pub const TEMPLATE: &str = "monitoring.md";
/// The template that comes with the program.
pub fn default_template() -> &'static str {
    include_str!("../../../templates/monitoring.md")
}

/// All files of the report: `monitoring.html`, `monitoring.pdf` (feature `pdf`), `monitoring.md`,
/// `monitoring.json`, `figures/*.svg`.
///
/// # Errors
/// What is wrong in the template; `font-missing` where no font has a character of a batch's words.
pub fn render(source: &MonitoringSource, template: &str) -> Result<Files> {
    let templates = BTreeMap::from([(TEMPLATE.to_owned(), template.to_owned())]);
    let content = Arc::new(Watched(source.clone()));
    let mut files = compose(&content, TEMPLATE, &templates)?.files("monitoring", source.fonts.as_deref())?;
    add(&mut files, "monitoring.json", source.data.clone())?;
    Ok(files)
}

struct Watched(MonitoringSource);

impl Content for Watched {
    fn facts(&self) -> Facts {
        let MonitoringSource { plan, ledger_head, date, .. } = &self.0;
        let running = format!("Monitoring \u{2013} {}", plan.title);
        Facts {
            title: format!("Monitoring: {}", plan.title),
            running_title: text::fit(&text::one_line(&running), 8.0, 460.0),
            author: String::new(),
            banner: None,
            footer: format!(
                "Ledger of batches SHA-256 {}\u{2026}",
                ledger_head.get(..16).unwrap_or(ledger_head)
            ),
            date: date.clone(),
            identifier: format!("monitoring {} {ledger_head}", plan.id),
        }
    }

    fn context(&self) -> Json {
        let MonitoringSource { plan, seal, judgement, unanswered, .. } = &self.0;
        let months = &judgement.months;
        let words = |months: &[Month]| months.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let of = |pick: &dyn Fn(&MonthJudged) -> bool| -> Vec<Month> {
            months.iter().filter(|month| pick(month)).map(|month| month.month).collect()
        };
        let without_labels = of(&|month| month.labels == 0);
        let alarmed = of(&|month| !month.alarms.is_empty());
        let small = of(&|month| !month.enough);
        json!({
            "id": plan.id,
            "title": plan.title,
            "study": seal.study,
            "study_version": seal.study_version,
            "batches": months.len(),
            "first": months.first().map(|month| month.month.to_string()),
            "last": months.last().map(|month| month.month.to_string()),
            "alarmed": words(&alarmed),
            "unanswered": words(unanswered),
            "has_alarms": !alarmed.is_empty(),
            "has_unanswered": !unanswered.is_empty(),
            "has_answers": !self.0.answers.is_empty(),
            "small": words(&small),
            "has_small": !small.is_empty(),
            "batch_minimum": plan.batch_minimum,
            "has_labels": without_labels.len() < months.len(),
            "all_labels": without_labels.is_empty() && !months.is_empty(),
            "without_labels": words(&without_labels),
            "no_claim": NO_CLAIM,
            "has_performance": months.iter().any(|month| !month.performance.is_empty()),
            "has_charts": !plan.charts.is_empty(),
            "has_scores": plan.columns.score.is_some(),
            "has_caveats": !judgement.caveats.is_empty(),
            "level": format::level(plan.level),
            "alpha": format::number(plan.drift.alpha, format::Style::Percent),
            "minimum_difference": format::fixed(plan.drift.minimum_difference, 2),
            "missing": format::number(plan.limits.missing, format::Style::Percent),
            "duplicates": format::number(plan.limits.duplicates, format::Style::Percent),
            "program_version": env!("CARGO_PKG_VERSION"),
            "date": self.0.date,
        })
    }

    fn table_ids(&self) -> &[&str] {
        tables::IDS
    }

    fn table(&self, id: &str, _: &str) -> Option<Table> {
        tables::build(&self.0, id)
    }

    fn figure_ids(&self) -> &[&str] {
        &["charts", "scores", "shares"]
    }

    fn figure(&self, id: &str) -> Option<Figure> {
        match id {
            "charts" => Some(figures::charts(&self.0)),
            "scores" => Some(figures::scores(&self.0)),
            "shares" => Some(figures::shares(&self.0)),
            _ => None,
        }
    }
}
