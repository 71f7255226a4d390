//! `[[eligibility]]`: who is in the study.

use std::collections::BTreeSet;

use super::gate::{upper, years};
use super::paths::required_path;
use super::rule::{self, DeclaredRule, Expr, Holds, Per};
use super::*;
use crate::declared::Section;
use crate::diagnostic::{Code, Diagnostic};

#[derive(Clone, Copy)]
enum Kind {
    Age,
    OneOf,
    PriorFinding,
    ListedIn,
    Gate,
    Rule,
}

/// `[[eligibility]]` as typed, in the order of the text.
pub(super) fn eligibility(root: &Section) -> Vec<Criterion> {
    let mut ids = BTreeSet::new();
    let mut criteria = Vec::new();
    for section in root.sections("eligibility") {
        let id = section.id(&mut ids, "criteria");
        let reason = section.required_string("reason");
        let missing = section.choice(
            "missing",
            &[("exclude", Missing::Exclude), ("include", Missing::Include)],
            Missing::Exclude,
        );
        section.required_string("kind");
        let kind = section.choice(
            "kind",
            &[
                ("age", Kind::Age),
                ("one-of", Kind::OneOf),
                ("prior-finding", Kind::PriorFinding),
                ("listed-in", Kind::ListedIn),
                ("gate", Kind::Gate),
                ("rule", Kind::Rule),
            ],
            Kind::Gate,
        );
        let rule = match kind {
            Kind::Age => {
                let (min, max) = (years(&section, "min"), years(&section, "max"));
                if min > max && !section.faulty(&["min", "max"]) {
                    section.wrong("min", Code::ValueRange, format!("min {min} is above max {max}"));
                }
                Rule::Age { min, max }
            }
            Kind::OneOf => {
                section.required_string("field");
                let field = section.choice("field", &Field::NAMES, Field::View);
                let allowed = section.strings("allowed").unwrap_or_default();
                if allowed.is_empty() && !section.faulty(&["allowed"]) {
                    section.wrong("allowed", Code::ValueEmpty, "`allowed` must list at least one value");
                }
                let in_capitals =
                    matches!(field, Field::View | Field::Modality | Field::BodyPart | Field::Sex);
                Rule::OneOf { field, allowed: if in_capitals { upper(allowed) } else { allowed } }
            }
            Kind::PriorFinding => {
                section.required_string("source");
                let source = if section.choice(
                    "source",
                    &[("days_since_prior_finding", true), ("earlier-images", false)],
                    true,
                ) {
                    let days = section.required_whole("lookback_days");
                    PriorSource::Days { lookback_days: u32::try_from(days).unwrap_or(u32::MAX) }
                } else {
                    let findings = section.strings("findings").unwrap_or_default();
                    if findings.is_empty() {
                        section.wrong(
                            "findings",
                            Code::ValueEmpty,
                            "`findings` must list at least one finding label",
                        );
                    }
                    PriorSource::EarlierImages { findings }
                };
                Rule::NoPriorFinding { source }
            }
            Kind::ListedIn => Rule::ListedIn {
                path: required_path(&section, "file", None),
                column: section.required_string("column"),
            },
            Kind::Gate => Rule::Gate,
            Kind::Rule => declared(&section),
        };
        let definition = if matches!(kind, Kind::Rule) {
            Some(section.required_string("definition"))
        } else {
            section.has("definition").then(|| section.required_string("definition"))
        };
        // Without its kind nobody knows which keys a criterion has.
        if section.has("kind") {
            section.finish();
        }
        criteria.push(Criterion { id, reason, definition, missing, rule });
    }
    criteria
}

#[derive(Clone, Copy)]
enum Together {
    Image,
    Study,
    Patient,
}

/// A boolean rule over columns.
fn declared(section: &Section) -> Rule {
    let text = section.required_string("rule");
    let rule = match rule::read(&text) {
        Ok(rule) => rule,
        Err(fault) => {
            // A blank text is told as one.
            if !text.trim().is_empty() {
                let at = section.within("rule", fault.at);
                section.report(Diagnostic::error(fault.code, fault.message).at(at).hint(fault.hint));
            }
            Expr::All(Vec::new())
        }
    };
    let per = section.choice(
        "per",
        &[("image", Together::Image), ("study", Together::Study), ("patient", Together::Patient)],
        Together::Image,
    );
    let per = match per {
        Together::Image => Per::Image,
        Together::Study => Per::Study { study_column: section.required_string("study_column") },
        Together::Patient => Per::Patient,
    };
    let holds = if per == Per::Image {
        Holds::Every
    } else {
        section.choice("holds", &[("every", Holds::Every), ("any", Holds::Any)], Holds::Every)
    };
    Rule::Declared(DeclaredRule { rule, per, holds })
}
