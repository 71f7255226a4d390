//! `change/plan.toml`: a predetermined change control plan. Which predecessor, which kinds of change, how a
//! new version is made and by what it is accepted, how often the test set may be opened for it, and what it
//! means for patients. After the FDA's guidance on predetermined change control plans (December 2024):
//! description of modifications, modification protocol, impact assessment.

mod template;

use std::collections::BTreeSet;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::comparisons::{comparative, wide};
use super::{Against, ComparativeEndpoint, Protocol, ResamplingUnit, Role};
use crate::declared::{Document, Section};
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::digest::Digest;
use crate::statistics::comparative::Aim;

pub use template::{UNWRITTEN, template};

/// Version of the format; a change of meaning raises the number.
pub const FORMAT: &str = "sequester-change/1";
/// Folder of the plan and of what was taken from the predecessor's bundle, below the data folder.
pub const FOLDER: &str = "change";
/// The plan, in [`FOLDER`].
pub const PLAN: &str = "change/plan.toml";
/// The predecessor's lock.
pub const LOCK: &str = "change/lock.json";
/// The predecessor's scores of the sampled cases.
pub const SCORES: &str = "change/scores.csv";
/// The predecessor's results.
pub const RESULTS: &str = "change/results.json";
/// The predecessor's ledger.
pub const LEDGER: &str = "change/ledger.jsonl";
/// All of them; they are there together or not at all.
pub const FILES: [&str; 5] = [PLAN, LOCK, SCORES, RESULTS, LEDGER];
/// Most openings that a plan may ask for.
const MOST_OPENINGS: u64 = 1000;

/// What of a device is another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// The weights, by another training: also the development data, how it was trained, and where the tuning
    /// scores came from.
    Weights,
    /// The threshold, or the rule that chose it.
    Threshold,
    /// What is done to an image before the network sees it.
    Preprocessing,
    /// Which images the device accepts.
    Gate,
    /// The network.
    Architecture,
}

impl ChangeKind {
    /// All with their names in plans.
    pub const NAMES: [(&'static str, Self); 5] = [
        ("weights", Self::Weights),
        ("threshold", Self::Threshold),
        ("preprocessing", Self::Preprocessing),
        ("gate", Self::Gate),
        ("architecture", Self::Architecture),
    ];

    /// As plans write it.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, kind)| *kind == self).map_or("", |(name, _)| name)
    }
}

/// A valid plan.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChangePlan {
    /// Kebab-case id.
    pub id: String,
    /// Title for documents.
    pub title: String,
    /// What is built on.
    pub predecessor: Predecessor,
    /// Kinds of change that are allowed, each once, in order of declaration.
    pub modifications: Vec<Modification>,
    /// How a new version is made.
    pub method: ModificationProtocol,
    /// Comparisons with the predecessor by which a new version is accepted.
    pub acceptance: Vec<ComparativeEndpoint>,
    /// How they hold in subgroups.
    pub subgroups: SubgroupRule,
    /// How often the test set may be opened under this plan; every opening counts, accepted or not.
    pub openings: u64,
    /// What the changes mean.
    pub impact: Impact,
}

/// What a plan builds on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Predecessor {
    /// Where its bundle lies, relative to the study's folder or absolute; no document prints it.
    pub bundle: String,
    /// Root digest of the bundle.
    pub root: Digest,
    /// Digest of its lock.
    pub lock: Digest,
}

/// A kind of change that is allowed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Modification {
    /// Which.
    pub kind: ChangeKind,
    /// What will be changed, in words.
    pub description: String,
    /// Why, in words.
    pub reason: String,
}

/// How a new version is made, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ModificationProtocol {
    /// How data are collected, labelled and kept apart.
    pub data: String,
    /// How it is trained.
    pub training: String,
    /// How it is evaluated, beside what `[[acceptance]]` declares.
    pub evaluation: String,
    /// How it is brought to users, and what they are told.
    pub update: String,
}

/// By what a level of a subgroup is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum JudgedBy {
    /// The interval of the difference, as overall.
    Interval,
    /// The observed difference alone: that it is not worse is seen, and not shown.
    Estimate,
}

impl JudgedBy {
    /// Both with their names in plans.
    pub const NAMES: [(&'static str, Self); 2] = [("interval", Self::Interval), ("estimate", Self::Estimate)];
}

/// How acceptance holds in subgroups.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct SubgroupRule {
    /// Names of subgroups of the protocol; `None`: every declared one.
    pub by: Option<Vec<String>>,
    /// Margin in each level; `None`: that of the endpoint.
    pub margin: Option<f64>,
    /// What judges.
    pub judged_by: JudgedBy,
    /// Levels with fewer compared cases are reported and not judged.
    pub minimum: u64,
}

/// What the changes mean, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Impact {
    /// What is gained.
    pub benefits: Vec<String>,
    /// What may go wrong, and what is done about it.
    pub risks: Vec<ChangeRisk>,
    /// What several changes together may do.
    pub together: String,
}

/// A risk with its mitigation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChangeRisk {
    /// What may go wrong.
    pub risk: String,
    /// What is done about it.
    pub mitigation: String,
}

impl ChangePlan {
    /// Whether a kind of change is allowed.
    pub fn allows(&self, kind: ChangeKind) -> bool {
        self.modifications.iter().any(|modification| modification.kind == kind)
    }

    /// What the plan cannot mean beside the protocol that it is of.
    pub fn disagreements(&self, path: &Path, protocol: &Protocol) -> Vec<Diagnostic> {
        let declared: Vec<String> = protocol.subgroups.iter().map(|s| s.by.name()).collect();
        let unknown = self.subgroups.by.iter().flatten().filter(|name| !declared.contains(name));
        unknown
            .map(|name| {
                let message = format!("`subgroups.by` names \"{name}\", which the protocol does not declare");
                let hint = if declared.is_empty() {
                    "the protocol declares no subgroup".to_owned()
                } else {
                    format!("it declares: {}", declared.join(", "))
                };
                Diagnostic::error(Code::ChangeSubgroup, message).at(Location::file(path)).hint(hint)
            })
            .collect()
    }

    /// Margins by which a new version may be worse that a reviewer will ask about.
    pub fn wide_margins(&self) -> Vec<Diagnostic> {
        let may_be_worse = self.acceptance.iter().filter(|endpoint| endpoint.aim != Aim::Superiority);
        let overall = may_be_worse.filter_map(|one| wide(&one.id, one.margin, one.metric.id()));
        let in_levels = self.subgroups.margin.and_then(|margin| {
            let metrics: Vec<&str> = self.acceptance.iter().map(|one| one.metric.id()).collect();
            wide("subgroups.margin", margin, &metrics.join(" and "))
        });
        overall.chain(in_levels).collect()
    }

    /// Names of texts that nobody has written yet, as the template leaves them.
    pub fn unwritten(&self) -> Vec<&'static str> {
        let ModificationProtocol { data, training, evaluation, update } = &self.method;
        let impact = &self.impact;
        let of = |texts: Vec<&String>| texts.iter().any(|text| text.trim_start().starts_with(UNWRITTEN));
        [
            ("modification.description", of(self.modifications.iter().map(|m| &m.description).collect())),
            ("modification.reason", of(self.modifications.iter().map(|m| &m.reason).collect())),
            ("protocol.data", of(vec![data])),
            ("protocol.training", of(vec![training])),
            ("protocol.evaluation", of(vec![evaluation])),
            ("protocol.update", of(vec![update])),
            ("acceptance.justification", of(self.acceptance.iter().flat_map(|e| &e.justification).collect())),
            ("impact.benefits", of(impact.benefits.iter().collect())),
            ("impact.risk", of(impact.risks.iter().flat_map(|r| [&r.risk, &r.mitigation]).collect())),
            ("impact.together", of(vec![&impact.together])),
        ]
        .into_iter()
        .filter_map(|(name, is)| is.then_some(name))
        .collect()
    }
}

/// Reads a plan. `path` is for messages.
///
/// # Errors
/// Everything that is wrong, in the order of the text, each with its line and a stable code.
pub fn parse(path: &Path, text: &str) -> Result<ChangePlan, Vec<Diagnostic>> {
    let document = Document::new(path, text);
    let table = document.parse();
    let plan = table.as_ref().map(|table| root(Section::root(&document, table)));
    let problems = document.into_problems();
    match plan {
        Some(plan) if problems.is_empty() => Ok(plan),
        _ => Err(problems),
    }
}

fn root(root: Section) -> ChangePlan {
    root.format(FORMAT);
    let about = root.required_section("plan");
    let (id, title) = (about.required_string("id"), about.required_string("title"));
    let is_id = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if !id.is_empty() && (id.len() > 64 || !id.chars().all(is_id)) {
        let message = format!("`plan.id` is \"{id}\", must be 1 to 64 small letters, digits and hyphens");
        about.wrong("id", Code::ValueUnknown, message);
    }
    about.finish();
    let predecessor = predecessor(root.required_section("predecessor"));
    let modifications = modifications(&root);
    let method = method(root.required_section("protocol"));
    let acceptance = acceptance(&root);
    let subgroups = subgroups(root.section("subgroups"));
    let gains = acceptance.iter().any(|endpoint| endpoint.aim == Aim::Superiority);
    if gains && subgroups.margin.is_none() && subgroups.by.as_ref().is_none_or(|by| !by.is_empty()) {
        root.report(
            Diagnostic::error(
                Code::Margin,
                "an acceptance aims at superiority, and no subgroup can show that",
            )
            .at(root.at("subgroups"))
            .hint("add `margin` to [subgroups]: how much worse a level may be; or `by = []`"),
        );
    }
    let test_set = root.required_section("test_set");
    let openings = test_set.required_whole("openings");
    if test_set.has("openings") && !(1..=MOST_OPENINGS).contains(&openings) {
        let message = format!("`test_set.openings` is {openings}, must be from 1 to {MOST_OPENINGS}");
        test_set.wrong("openings", Code::ValueRange, message);
    }
    test_set.finish();
    let impact = impact(root.required_section("impact"));
    root.finish();
    ChangePlan { id, title, predecessor, modifications, method, acceptance, subgroups, openings, impact }
}

fn predecessor(section: Section) -> Predecessor {
    let digest = |key: &'static str| {
        let text = section.required_string(key);
        text.parse::<Digest>().unwrap_or_else(|e| {
            if !text.trim().is_empty() {
                section.wrong(key, Code::ValueUnknown, format!("`predecessor.{key}`: {e}"));
            }
            Digest::of(b"")
        })
    };
    let (root, lock) = (digest("root"), digest("lock"));
    let bundle = section.required_string("bundle");
    section.finish();
    Predecessor { bundle, root, lock }
}

fn modifications(root: &Section) -> Vec<Modification> {
    let mut found: Vec<Modification> = Vec::new();
    let sections = root.sections("modification");
    let none = sections.is_empty() && !root.faulty(&["modification"]);
    for section in sections {
        section.required_string("kind");
        let kind = section.choice("kind", &ChangeKind::NAMES, ChangeKind::Weights);
        if !section.faulty(&["kind"]) && found.iter().any(|other| other.kind == kind) {
            let message = format!("the kind \"{}\" is declared twice", kind.name());
            section.wrong("kind", Code::DuplicateId, message);
        }
        let description = section.required_string("description");
        let reason = section.required_string("reason");
        section.finish();
        found.push(Modification { kind, description, reason });
    }
    if none {
        let message = "no [[modification]]: a plan without a kind of change allows none";
        root.report(
            Diagnostic::error(Code::KeyMissing, message)
                .at(root.here())
                .hint("add [[modification]] with kind, description and reason"),
        );
    }
    found
}

fn method(section: Section) -> ModificationProtocol {
    let [data, training, evaluation, update] =
        ["data", "training", "evaluation", "update"].map(|key| section.required_string(key));
    section.finish();
    ModificationProtocol { data, training, evaluation, update }
}

fn acceptance(root: &Section) -> Vec<ComparativeEndpoint> {
    let (mut ids, mut found) = (BTreeSet::new(), Vec::new());
    for section in root.sections("acceptance") {
        let id = section.id(&mut ids, "comparisons");
        // The study's own level holds: all of them have to be met, so none is adjusted.
        let endpoint = comparative(&section, id, Role::Primary, ResamplingUnit::Patient);
        if endpoint.against != Against::Predicate {
            let message = "a new version is compared with its predecessor; leave `against` out";
            section.wrong("against", Code::EndpointKeys, message);
        }
        section.finish();
        found.push(endpoint);
    }
    if found.is_empty() && !root.faulty(&["acceptance"]) {
        let message = "no [[acceptance]]: nothing says when a new version is accepted";
        root.report(
            Diagnostic::error(Code::KeyMissing, message)
                .at(root.here())
                .hint("add [[acceptance]] with id, metric, aim, margin and justification"),
        );
    }
    found
}

fn subgroups(section: Section) -> SubgroupRule {
    let by = section.strings("by");
    if let Some(by) = &by {
        let twice = |name: &String| by.iter().filter(|other| *other == name).count() > 1;
        if by.iter().any(twice) {
            section.wrong("by", Code::DuplicateId, "`subgroups.by` names a subgroup twice");
        }
    }
    let inside = |margin: f64| margin > 0.0 && margin < 1.0;
    let margin = section.number_in("margin", "between 0 and 1, both excluded", inside);
    let judged_by = section.choice("judged_by", &JudgedBy::NAMES, JudgedBy::Interval);
    let minimum = section.whole("minimum").unwrap_or(0);
    section.finish();
    SubgroupRule { by, margin, judged_by, minimum }
}

fn impact(section: Section) -> Impact {
    let benefits = section.strings("benefits").unwrap_or_default();
    if section.is_present() && (benefits.is_empty() || benefits.iter().any(|text| text.trim().is_empty())) {
        let message = "`impact.benefits` has to name at least one benefit, and none that is empty";
        section.wrong("benefits", Code::ValueEmpty, message);
    }
    let mut risks = Vec::new();
    for risk in section.sections("risk") {
        risks.push(ChangeRisk {
            risk: risk.required_string("risk"),
            mitigation: risk.required_string("mitigation"),
        });
        risk.finish();
    }
    if section.is_present() && risks.is_empty() {
        let message = "no [[impact.risk]]: a change without any risk is not believed";
        section.report(
            Diagnostic::error(Code::KeyMissing, message)
                .at(section.here())
                .hint("add [[impact.risk]] with risk and mitigation"),
        );
    }
    let together = section.required_string("together");
    section.finish();
    Impact { benefits, risks, together }
}

#[cfg(test)]
mod tests;
