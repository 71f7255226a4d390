//! The plan as a kind of document.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::{compared, figures, tables, words};
use crate::diagnostic::Result;
use crate::document::content::{Content, Notice};
use crate::document::font::FontFile;
use crate::document::render::{Files, Look, Wanted, compose};
use crate::document::tree::{Facts, Figure, Table};
use crate::document::{format, text};
use crate::protocol::{Incomplete, Protocol, Role};
use crate::report::banner::REHEARSAL_BANNER;
use crate::report::graph;
use crate::report::submission::Formats;
use crate::report::wording;
use crate::study::planning::SizePlan;
use crate::study::results::Rules;

/// Where the document starts.
const TEMPLATE: &str = "plan.md";

/// Everything that a plan prints: plain values. No clock, no file.
#[derive(Clone, Debug)]
pub struct Source {
    /// The protocol.
    pub protocol: Protocol,
    /// SHA-256 of its text.
    pub digest: String,
    /// When this very text was locked; `None`: it is not locked.
    pub locked_at: Option<String>,
    /// Times that the test set has been opened.
    pub openings: usize,
    /// What has to stand on every page, of evidence that exists: that it is synthetic, that the protocol was
    /// amended after the opening.
    pub banner: Option<String>,
    /// Of which version the plan is, as `major.minor.patch`: of the program, or of the one that made the
    /// bundle it belongs to.
    pub version: String,
    /// What the protocol can be expected to show.
    pub plan: SizePlan,
    /// RFC 3339.
    pub date: String,
    /// Fonts for what the built-in ones lack.
    pub fonts: Vec<FontFile>,
    /// How a draft looks.
    pub look: Look,
}

impl Source {
    /// The rules of that version.
    pub(super) fn rules(&self) -> Rules {
        Rules::of(&self.version)
    }
}

/// All files of the plan: `plan.html`, `plan.pdf` (feature `pdf`), `plan.md`, `figures/*.svg`.
///
/// # Errors
/// `font-missing` where no font has a character of the protocol's words.
pub fn render(source: &Source, formats: Formats) -> Result<Files> {
    render_with(source, include_str!("../../../templates/plan.md"), None, formats)
}

/// The same from another template, since a bundle holds its own; `notice` says so where it is not that of the
/// program.
///
/// # Errors
/// As [`render`], and what is wrong in the template.
pub fn render_with(
    source: &Source,
    template: &str,
    notice: Option<Notice>,
    formats: Formats,
) -> Result<Files> {
    let templates = BTreeMap::from([(TEMPLATE.to_owned(), template.to_owned())]);
    let planned = Planned { source: source.clone(), notice, traced: formats == Formats::Traced };
    let wanted = match formats {
        Formats::All => Wanted::WithPdf(&source.fonts),
        Formats::WithoutPdf => Wanted::Pages,
        Formats::Traced => Wanted::Traced,
        Formats::Drafts => Wanted::Draft(&source.look),
    };
    compose(&Arc::new(planned), TEMPLATE, &templates)?.files("plan", wanted)
}

struct Planned {
    source: Source,
    notice: Option<Notice>,
    traced: bool,
}

impl Content for Planned {
    fn notice(&self) -> Option<Notice> {
        self.notice.clone()
    }

    fn traced(&self) -> bool {
        self.traced
    }

    fn facts(&self) -> Facts {
        let Source { protocol, digest, date, .. } = &self.source;
        let study = &protocol.study;
        let title = format!("Statistical analysis plan: {}", study.title);
        let running =
            format!("Statistical analysis plan \u{2013} study {} version {}", study.id, study.version);
        Facts {
            title,
            running_title: text::fit(&text::one_line(&running), 8.0, 460.0),
            author: String::new(),
            banner: self
                .source
                .banner
                .clone()
                .or_else(|| study.rehearsal.then(|| REHEARSAL_BANNER.to_owned())),
            footer: format!("Protocol SHA-256 {}\u{2026}", digest.get(..16).unwrap_or(digest)),
            date: date.clone(),
            identifier: format!("plan {} {digest}", study.id),
        }
    }

    fn context(&self) -> Json {
        let Source { protocol, plan, .. } = &self.source;
        let analysis = &protocol.analysis;
        let planning = &protocol.planning;
        let percent = |value: f64| format::number(value, format::Style::Percent);
        let handling = |rule: Incomplete| match rule {
            Incomplete::Exclude => "left out of the primary analysis, and counted",
            Incomplete::Refuse => "none is allowed: the analysis stops",
        };
        let rules = self.source.rules();
        let family = protocol.family.as_ref().filter(|_| rules == Rules::Current);
        let in_family = |id: &String| family.is_some_and(|family| family.endpoints.contains(id));
        let endpoints = || protocol.endpoints.iter().zip(&plan.endpoints);
        let compared = protocol.comparisons.iter().filter(|e| e.role == Role::Primary).count();
        let primary = protocol.endpoints.iter().filter(|e| words::is_judged(e)).count() + compared;
        json!({
            "study": protocol.study,
            "locked_at": self.source.locked_at,
            "openings": self.source.openings,
            "hypotheses": endpoints()
                .map(|(e, planned)| words::hypothesis(e, planned, in_family(&e.id), rules))
                .collect::<Vec<_>>(),
            "prospects": endpoints()
                .map(|(endpoint, planned)| words::prospect(plan, endpoint, planned, rules))
                .collect::<Vec<_>>(),
            "primary": primary,
            "multiplicity": words::multiplicity(protocol, words::criteria(protocol)),
            "has_comparisons": !protocol.comparisons.is_empty(),
            "comparison_prospects": compared::prospects(&self.source),
            "any_compared": plan.comparisons.iter().any(|planned| planned.expected.is_some()),
            "has_graph": graph::Drawn::of(protocol).is_some(),
            "level": format::level(analysis.level),
            "replicates": analysis.replicates,
            "resampling_unit": wording::resampling_unit(analysis.resampling_unit),
            "seed": analysis.seed.to_string(),
            "power": percent(plan.power),
            "has_target": plan.planned.is_some(),
            "cases": plan.planned.map(|planned| planned.cases),
            "positive_share": plan.positive_share.map(percent),
            "unusable": (planning.unusable > 0.0).then(|| percent(planning.unusable)),
            "clustered": plan.design_effect > 1.0,
            "design_effect": format::fixed(plan.design_effect, 2),
            "images_per_patient": format::fixed(planning.images_per_patient, 2),
            "icc": format::fixed(planning.icc, 2),
            "one_image": protocol.sample.one_image_per_patient,
            "together": plan.together.map(|together| json!({
                "at_least": percent(together.at_least), "if_independent": percent(together.if_independent),
            })),
            "any_expected": !planning.expected.is_empty(),
            "any_uncertain": planning.expected.iter().any(|expected| expected.range.is_some()),
            "repeatability": protocol.repeatability.as_ref().map(|source| json!({
                "file": source.file.to_string(), "conditions": source.conditions.join(", "),
            })),
            "has_triage": protocol.triage.is_some(),
            "processing_column": protocol.triage.as_ref().and_then(|triage| triage.processing_column.clone()),
            "missing_score": handling(analysis.missing_score),
            "no_consensus": handling(analysis.no_consensus),
            "has_subgroups": !protocol.subgroups.is_empty(),
            "subgroup_minimum": analysis.subgroup_minimum,
            "prevalence": analysis.intended_use_prevalence.map(format::prevalence),
            "reference": words::reference(protocol),
            "scores": words::scores(protocol),
            "operating_point": words::operating_point(protocol),
            "gate": words::gate(protocol),
        })
    }

    fn table_ids(&self) -> &[&str] {
        tables::IDS
    }

    fn table(&self, id: &str, _: &str) -> Option<Table> {
        tables::build(&self.source, id)
    }

    fn figure_ids(&self) -> &[&str] {
        &["power", "multiplicity-graph"]
    }

    fn figure(&self, id: &str) -> Option<Figure> {
        match id {
            "power" => Some(figures::power(&self.source)),
            "multiplicity-graph" => Some(graph::figure(&self.source.protocol)),
            _ => None,
        }
    }
}
