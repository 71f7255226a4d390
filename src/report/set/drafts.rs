//! Limitations of the device, drafted by rule from the results: the labelling carries those that the
//! submitter accepts, and names those that are not decided yet.

use super::device::{self, Decision};
use super::population;
use crate::document::{format, text};
use crate::report::submission::{Source, in_subgroup, is_insufficient, subgroup_levels};
use crate::report::wording;
use crate::statistics::estimate::{Estimate, SubgroupLevel};
use crate::study::results::{CohortRow, Results, Rules};

/// A drafted limitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// Names it in `device.toml`; the same results give the same ids.
    pub id: String,
    /// The sentence.
    pub sentence: String,
    /// The rule that drafted it.
    pub rule: &'static str,
}

/// A draft with what was decided on it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decided {
    /// The draft.
    pub draft: Draft,
    /// What the submitter decided; none where nothing is decided.
    pub decision: Option<Decision>,
}

/// Measures whose subgroups are looked at.
const MEASURES: [&str; 3] = ["auc", "sensitivity", "specificity"];

/// Rows of the cohort at a variable, without those where it is not recorded.
pub fn levels_of<'a>(results: &'a Results, variable: &str) -> Vec<&'a CohortRow> {
    let recorded = |row: &&CohortRow| row.variable == variable && row.level != "not recorded";
    results.cohort.iter().filter(recorded).collect()
}

/// How many limitations are drafted, and how many of these are not decided yet.
pub fn drafted(source: &Source) -> [usize; 2] {
    let (drafts, _) = decided(source);
    [drafts.len(), drafts.iter().filter(|draft| draft.decision.is_none()).count()]
}

/// Every draft, with what was decided, and decisions on what is no draft.
pub fn decided(source: &Source) -> (Vec<Decided>, Vec<Decision>) {
    let mut decisions = device::decisions(&source.device);
    let drafts = drafts(source)
        .into_iter()
        .map(|draft| {
            let place = decisions.iter().position(|decision| decision.id == draft.id);
            Decided { decision: place.map(|place| decisions.remove(place)), draft }
        })
        .collect();
    (drafts, decisions)
}

/// Every draft, in a fixed order.
fn drafts(source: &Source) -> Vec<Draft> {
    let results = &source.results;
    let mut found = Vec::new();
    for (variable, level) in subgroup_levels(results) {
        found.extend(insufficient(results, &variable, &level));
        found.extend(MEASURES.iter().filter_map(|id| below(results, id, &variable, &level)));
    }
    found.extend(not_seen(source));
    found.extend(not_in_sample(source));
    found.extend(of_sample(source));
    found
}

fn draft(id: &[&str], rule: &'static str, sentence: String) -> Draft {
    let id: Vec<String> = id.iter().map(|part| text::slug(part)).collect();
    Draft { id: id.join("."), sentence, rule }
}

fn named(variable: &str, level: &str) -> String {
    format!("{} {}", text::humanise(variable).to_lowercase(), text::one_line(level))
}

/// A level with too few cases.
fn insufficient(results: &Results, variable: &str, level: &str) -> Option<Draft> {
    let subgroup = Some(SubgroupLevel::new(variable, level));
    let own = |e: &&Estimate| e.subgroup == subgroup && e.scenario.is_none() && e.prevalence.is_none();
    let estimates: Vec<&Estimate> = results.estimates.iter().filter(own).collect();
    if !estimates.iter().any(|e| is_insufficient(results, e)) {
        return None;
    }
    let cases = estimates.iter().map(|e| e.n).max().unwrap_or_default();
    let sentence = format!(
        "Performance is not established for {}: the study analysed {} such cases, and its minimum for a \
         subgroup, or for a class in it, is not reached.",
        named(variable, level),
        format::count(cases)
    );
    Some(draft(&["insufficient", variable, level], "too few cases of a level", sentence))
}

/// A level whose interval lies below the overall estimate.
fn below(results: &Results, id: &str, variable: &str, level: &str) -> Option<Draft> {
    let own = in_subgroup(results, id, variable, level)?;
    let primary =
        |e: &&Estimate| e.id == id && e.subgroup.is_none() && e.scenario.is_none() && e.prevalence.is_none();
    let overall = results.estimates.iter().find(primary)?;
    let upper = own.intervals.first()?.upper;
    if upper >= overall.value? {
        return None;
    }
    let sentence = format!(
        "For {}, the {} is lower than in all cases: {}, beside {}.",
        named(variable, level),
        in_sentence(id),
        wording::sentence(own),
        wording::value(overall)
    );
    Some(draft(
        &["below", id, variable, level],
        "upper bound of a level below the overall estimate",
        sentence,
    ))
}

/// A measure's name within a sentence.
fn in_sentence(id: &str) -> String {
    let name = wording::metric(id);
    if name == name.to_uppercase() { name } else { name.to_lowercase() }
}

/// Views that the checks accept and no analysed case has.
fn not_seen(source: &Source) -> Vec<Draft> {
    let gate = source.lock.as_ref().map_or(&source.protocol.gate, |lock| &lock.gate);
    let seen = levels_of(&source.results, "view");
    if seen.is_empty() {
        return Vec::new();
    }
    let accepted = gate.view.iter().flatten();
    accepted
        .filter(|view| !seen.iter().any(|row| row.level.eq_ignore_ascii_case(view)))
        .map(|view| {
            let sentence = format!(
                "Images of view {} pass the checks, and no analysed case has that view: performance there is \
                 not known.",
                text::one_line(view)
            );
            draft(&["not-seen", "view", view], "a level that the checks accept and no case has", sentence)
        })
        .collect()
}

/// Levels that the submitter says the intended population has, and no analysed case.
fn not_in_sample(source: &Source) -> Vec<Draft> {
    let levels = population::without_cases(source).into_iter();
    levels
        .map(|(variable, level)| {
            let sentence = format!(
                "The intended population includes {}, and no analysed case is of that level: performance \
                 there is not known.",
                named(&variable, &level)
            );
            let rule = "a level that the intended population has and no case";
            draft(&["not-in-sample", &variable, &level], rule, sentence)
        })
        .collect()
}

/// What holds for the sample as a whole.
fn of_sample(source: &Source) -> Vec<Draft> {
    let results = &source.results;
    let flow = &results.flow;
    let mut found = Vec::new();
    if flow.without_consensus > 0 {
        let sentence = format!(
            "{} of {} sampled cases had no reference standard; performance in cases on which readers do not \
             agree is not known.",
            format::count(flow.without_consensus),
            format::count(flow.sampled)
        );
        found.push(draft(&["no-reference-standard"], "cases without a reference standard", sentence));
    }
    if flow.without_score > 0 {
        let sentence = format!(
            "The device gave no score for {} of {} sampled cases.",
            format::count(flow.without_score),
            format::count(flow.sampled)
        );
        found.push(draft(&["no-score"], "cases without a score", sentence));
    }
    let target = source.protocol.sample.target.as_ref();
    if target.is_some_and(|target| target.positives.is_some()) {
        let share = format::share(flow.positives, flow.analysed);
        let (sentence, rule) = match results.rules() {
            Rules::First => (
                format!("The sample was enriched: {share} of its analysed cases are positive."),
                "an enriched sample",
            ),
            // It may have been thinned.
            Rules::Current => (
                format!(
                    "The share of positive cases was chosen by the design of the sample: {share} of its \
                     analysed cases are positive."
                ),
                "a share of positives that was chosen",
            ),
        };
        let sentence = format!("{sentence} Predictive values in use depend on the prevalence there.");
        found.push(draft(&["enriched"], rule, sentence));
    }
    if levels_of(results, "site").len() < 2 {
        let sentence =
            "The study does not show how performance differs between sites: fewer than two sites are \
                        recorded."
                .to_owned();
        found.push(draft(&["sites"], "fewer than two sites", sentence));
    }
    found
}
