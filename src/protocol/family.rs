//! The endpoints that a rule of multiplicity decides about together, and their shares of α.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Role;
use crate::declared::Section;
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::statistics::multiplicity::{Graph, Multiplicity, Rule};

/// Primary and key secondary endpoints in the order of the text, where the rule looks at all of them.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Family {
    /// Ids of the endpoints.
    pub endpoints: Vec<String>,
    /// Their shares of α; empty where the rule takes none.
    pub weights: Vec<f64>,
    /// What each passes on to which; empty but for a graph.
    pub transitions: Vec<Vec<f64>>,
}

impl Family {
    /// The rule with its shares.
    pub fn rule(&self, multiplicity: Multiplicity) -> Rule {
        match multiplicity {
            Multiplicity::Holm => Rule::Holm,
            Multiplicity::Hochberg => Rule::Hochberg,
            Multiplicity::FixedSequence => Rule::FixedSequence,
            Multiplicity::Fallback => Rule::Fallback(self.weights.clone()),
            Multiplicity::Graph => {
                let graph = Graph::new(self.weights.clone(), self.transitions.clone());
                // Shares were checked where the protocol was read; without a graph the strictest rule holds.
                graph.map_or(Rule::Bonferroni, Rule::Graph)
            }
            Multiplicity::CoPrimary | Multiplicity::Bonferroni => Rule::Bonferroni,
        }
    }
}

/// What an endpoint says of its share.
pub(super) struct Share {
    pub(super) id: String,
    pub(super) role: Role,
    weight: Option<f64>,
    passes_on: Vec<(String, f64)>,
    at: Location,
}

impl Share {
    /// Of the endpoint's section.
    pub(super) fn of(section: &Section, id: &str, role: Role) -> Self {
        Self {
            id: id.to_owned(),
            role,
            weight: section.share("weight"),
            passes_on: section.shares("passes_on").unwrap_or_default(),
            at: section.here(),
        }
    }
}

/// The family under a rule, from all endpoints in the order of the text; none under rules that judge each by
/// itself.
pub(super) fn family(root: &Section, shares: &[Share], rule: Multiplicity) -> Option<Family> {
    let uncovered = |share: &Share, message: String, hint: &str| {
        let problem = Diagnostic::error(Code::MultiplicityUncovered, message);
        root.report(problem.at(share.at.clone()).hint(hint.to_owned()));
    };
    for share in shares {
        let id = &share.id;
        if share.role == Role::KeySecondary && !rule.adjusts_p() {
            uncovered(
                share,
                format!("`{id}` is a key secondary endpoint, and `{}` covers primary ones alone", rule.id()),
                "declare multiplicity \"fixed-sequence\", \"fallback\", \"graph\", \"holm\" or \
                 \"hochberg\", or the role \"secondary\"",
            );
        }
        let takes = rule.takes_weights() && share.role != Role::Secondary;
        if share.weight.is_some() && !takes {
            uncovered(
                share,
                format!("`{id}` has a `weight`, and `{}` takes none of it", rule.id()),
                "shares of α belong to primary and key secondary endpoints under \"fallback\" or \"graph\"",
            );
        }
        if !share.passes_on.is_empty() && (rule != Multiplicity::Graph || share.role == Role::Secondary) {
            uncovered(
                share,
                format!("`{id}` has `passes_on`, and `{}` takes none of it", rule.id()),
                "transitions belong to primary and key secondary endpoints under \"graph\"",
            );
        }
        if takes && share.weight.is_none() {
            uncovered(
                share,
                format!("`{id}` has no `weight`, and `{}` needs the share of each", rule.id()),
                "add weight = 0.5, say; 0 where it gets its share from others alone",
            );
        }
    }
    if !rule.adjusts_p() {
        return None;
    }
    let judged: Vec<&Share> = shares.iter().filter(|s| s.role != Role::Secondary).collect();
    let endpoints: Vec<String> = judged.iter().map(|s| s.id.clone()).collect();
    if !rule.takes_weights() {
        return Some(Family { endpoints, weights: Vec::new(), transitions: Vec::new() });
    }
    let weights: Vec<f64> = judged.iter().map(|s| s.weight.unwrap_or_default()).collect();
    let places: BTreeMap<&str, usize> = endpoints.iter().map(String::as_str).zip(0..).collect();
    let mut transitions = vec![vec![0.0; judged.len()]; judged.len()];
    for (from, share) in judged.iter().enumerate() {
        for (to, part) in &share.passes_on {
            match places.get(to.as_str()) {
                Some(to) => transitions[from][*to] += part,
                None => {
                    let message =
                        format!("`{}` passes on to `{to}`, which is no endpoint of its rule", share.id);
                    let hint = format!("primary and key secondary endpoints are: {}", endpoints.join(", "));
                    let problem = Diagnostic::error(Code::GraphShares, message);
                    root.report(problem.at(share.at.clone()).hint(hint));
                }
            }
        }
    }
    let checked = match rule {
        Multiplicity::Graph => Graph::new(weights.clone(), transitions.clone()),
        _ => Graph::in_order(&weights),
    };
    if let Err(fault) = checked
        && !judged.is_empty()
    {
        let problem = Diagnostic::error(Code::GraphShares, fault.describe(&endpoints));
        let hint = "shares of α add up to at most 1, and so does what each endpoint passes on to others";
        root.report(problem.at(root.at("endpoint")).hint(hint));
    }
    let transitions = if rule == Multiplicity::Graph { transitions } else { Vec::new() };
    Some(Family { endpoints, weights, transitions })
}
