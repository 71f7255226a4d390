//! Weighted averages as further contenders: what the command line says of them.

use super::contenders::{repeated, unknown};
use crate::diagnostic::{Code, Diagnostic, Error, Result};

/// How far the sum of weights may lie from 1.
const SLACK: f64 = 1e-9;
/// So many members can be searched in a moment.
const MOST_SEARCHED: usize = 5;

/// One average.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// Names of its members.
    pub members: Vec<String>,
    /// Weights in that order; `None`: they are chosen on the compared cases.
    pub weights: Option<Vec<f64>>,
}

fn wrong(text: &str, what: &str) -> Error {
    Error::usage(
        Diagnostic::error(Code::EnsembleMalformed, format!("the ensemble `{text}`: {what}")).hint(
            "write --ensemble both=a:0.5,b:0.5 or --explore-ensemble both=a,b, with names of contenders",
        ),
    )
}

/// Reads the options; names of averages are added to `names`.
///
/// # Errors
/// `ensemble-malformed` and `contender-unknown` as usage, `ensemble-weights`, `name-repeated`.
pub fn parse(fixed: &[String], searched: &[String], names: &mut Vec<String>) -> Result<Vec<Plan>> {
    let contenders = names.clone();
    let mut plans = Vec::new();
    for (text, search) in fixed.iter().map(|t| (t, false)).chain(searched.iter().map(|t| (t, true))) {
        let (name, rest) = text
            .split_once('=')
            .filter(|(name, _)| !name.trim().is_empty())
            .ok_or_else(|| wrong(text, "there is no name before `=`"))?;
        let plan = Plan { name: name.trim().to_owned(), ..members(text, rest, search, &contenders)? };
        if names.contains(&plan.name) {
            return Err(repeated(&plan.name));
        }
        names.push(plan.name.clone());
        plans.push(plan);
    }
    Ok(plans)
}

fn members(text: &str, rest: &str, search: bool, contenders: &[String]) -> Result<Plan> {
    let mut members: Vec<String> = Vec::new();
    let mut weights = Vec::new();
    for part in rest.split(',') {
        let member = if search {
            part.trim()
        } else {
            let (member, weight) =
                part.rsplit_once(':').ok_or_else(|| wrong(text, &format!("`{part}` has no weight")))?;
            let weight = weight.trim().parse::<f64>().ok().filter(|w| w.is_finite() && *w > 0.0);
            weights.push(weight.ok_or_else(|| {
                Diagnostic::error(
                    Code::EnsembleWeights,
                    format!("the ensemble `{text}`: the weight in `{part}` is not above 0"),
                )
                .hint("weights are positive numbers that sum to 1; leave out who has none")
            })?);
            member.trim()
        };
        if !contenders.iter().any(|c| c == member) {
            return Err(unknown(member, contenders));
        }
        if members.iter().any(|m| m == member) {
            return Err(wrong(text, &format!("`{member}` is there twice")));
        }
        members.push(member.to_owned());
    }
    if members.len() < 2 {
        return Err(wrong(text, "an average needs two members"));
    }
    if search && members.len() > MOST_SEARCHED {
        return Err(wrong(text, &format!("weights are searched for at most {MOST_SEARCHED} members")));
    }
    let sum: f64 = weights.iter().sum();
    if !search && (sum - 1.0).abs() > SLACK {
        return Err(Diagnostic::error(
            Code::EnsembleWeights,
            format!("the ensemble `{text}`: the weights sum to {sum}, not to 1"),
        )
        .hint("divide each weight by their sum")
        .into());
    }
    Ok(Plan { name: String::new(), members, weights: (!search).then_some(weights) })
}
