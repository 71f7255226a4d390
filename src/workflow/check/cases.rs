//! What the cases say about the protocol: levels that nobody is in, intervals that few cases do not carry,
//! sites that are known from the development. Source labels are counted as the draw counts them; no score
//! and no read is looked at.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::dataset::case::Case;
use crate::diagnostic::{Code, Diagnostic, Location, few};
use crate::model::lock::Lock;
use crate::protocol::rule::{Column, Datum, DeclaredRule, Expr, Value};
use crate::protocol::{FEW_CASES, Field, OperatingPointSource, Places, Rule, is_normal};
use crate::study::results::SiteAnswer;
use crate::study::{Cohort, Inputs};
use crate::workflow::study::Study;

/// So many values are named in a message.
const NAMED: usize = 10;

/// Everything that the drawn cohort makes doubtful in the protocol.
pub(super) fn expectations(study: &Study, inputs: &Inputs, cohort: &Cohort) -> Vec<Diagnostic> {
    let path = study.folder.join("protocol.toml");
    let places = Places::new(&path, &String::from_utf8_lossy(&study.protocol_bytes));
    let mut found = values(study, cohort, &places);
    found.extend(subgroups(study, cohort, &places));
    found.extend(few_cases(study, cohort, &places));
    found.extend(sites(study, inputs, cohort, &places));
    found
}

fn some(values: &BTreeSet<String>) -> String {
    few::and_so_on(values, NAMED)
}

/// Values that a criterion admits and no case has.
fn values(study: &Study, cohort: &Cohort, places: &Places) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    for (index, criterion) in study.protocol.eligibility.iter().enumerate() {
        if let Rule::Declared(rule) = &criterion.rule {
            found.extend(texts(
                &criterion.id,
                rule,
                cohort,
                &places.at(&format!("eligibility[{}].rule", index + 1)),
            ));
            continue;
        }
        let Rule::OneOf { field, allowed } = &criterion.rule else { continue };
        let known: BTreeSet<String> = cohort.cases.iter().filter_map(|case| field.of(case)).collect();
        let absent: Vec<&str> =
            allowed.iter().filter(|value| !known.contains(*value)).map(String::as_str).collect();
        if !absent.is_empty() {
            let message = format!(
                "the criterion `{}` admits {} = {}, which no case has",
                criterion.id,
                field.name(),
                absent.join(", ")
            );
            found.push(
                Diagnostic::warning(Code::ValueNotEncountered, message)
                    .at(places.at(&format!("eligibility[{}].allowed", index + 1)))
                    .hint(format!(
                        "the table has {}; a word that matches nothing is often misspelt",
                        some(&known)
                    )),
            );
        }
    }
    found
}

/// Texts that a boolean rule compares with and no case has.
fn texts(id: &str, rule: &DeclaredRule, cohort: &Cohort, place: &Location) -> Vec<Diagnostic> {
    let mut asked: BTreeMap<String, (Column, BTreeSet<String>)> = BTreeMap::new();
    let mut add = |column: &Column, text: &str| {
        let entry = asked.entry(column.name.clone()).or_insert_with(|| (column.clone(), BTreeSet::new()));
        entry.1.insert(text.to_owned());
    };
    rule.rule.walk(&mut |expr| match expr {
        Expr::Compare { column, value: Value::Text(text), .. } => add(column, text),
        Expr::OneOf { column, values } => values.iter().for_each(|value| {
            if let Value::Text(text) = value {
                add(column, text);
            }
        }),
        Expr::Has { column, values } => values.iter().for_each(|text| add(column, text)),
        _ => {}
    });
    let mut found = Vec::new();
    for (name, (column, texts)) in asked {
        let mut known: BTreeSet<String> = BTreeSet::new();
        for case in &cohort.cases {
            known.extend(column.entries(case).unwrap_or_default());
            if let Some(Datum::Text(text)) = column.datum(case) {
                known.insert(text);
            }
        }
        let absent: BTreeSet<String> = texts.difference(&known).cloned().collect();
        if !absent.is_empty() {
            let message = format!("the rule of `{id}` asks for {name} {}, which no case has", some(&absent));
            let hint =
                format!("the table has {}; a word that matches nothing is often misspelt", some(&known));
            found.push(Diagnostic::warning(Code::ValueNotEncountered, message).at(place.clone()).hint(hint));
        }
    }
    found
}

/// Levels of subgroups that are empty or cannot reach the size that the protocol asks for.
fn subgroups(study: &Study, cohort: &Cohort, places: &Places) -> Vec<Diagnostic> {
    let minimum = study.protocol.analysis.subgroup_minimum;
    let eligible = || (0..cohort.cases.len()).filter(|index| cohort.failed[*index].is_empty());
    let mut found = Vec::new();
    for (index, subgroup) in study.protocol.subgroups.iter().enumerate() {
        let count = |cases: &mut dyn Iterator<Item = &Case>| {
            let mut counts: BTreeMap<String, u64> = BTreeMap::new();
            for level in cases.filter_map(|case| subgroup.by.level(case)) {
                *counts.entry(level).or_default() += 1;
            }
            counts
        };
        let drawn = count(&mut cohort.drawn_cases());
        let could = count(&mut eligible().map(|index| &cohort.cases[index]));
        let place = places.at(&format!("subgroup[{}]", index + 1));
        let empty: BTreeSet<String> =
            subgroup.by.declared_levels().into_iter().filter(|level| !drawn.contains_key(level)).collect();
        if !empty.is_empty() {
            let message = format!("no drawn case has {} {}", subgroup.by.name(), some(&empty));
            found.push(
                Diagnostic::warning(Code::SubgroupNotEncountered, message)
                    .at(place.clone())
                    .hint("correct the level, or take it out: documents show it without a number"),
            );
        }
        if let Some(reference) = subgroup.reference.as_ref().filter(|level| !drawn.contains_key(*level)) {
            let message = format!(
                "no drawn case has {} {reference}, with which the others are to be compared",
                subgroup.by.name()
            );
            found.push(
                Diagnostic::warning(Code::SubgroupNotEncountered, message)
                    .at(places.at(&format!("subgroup[{}].reference", index + 1)))
                    .hint(format!("the levels are {}", some(&drawn.keys().cloned().collect()))),
            );
        }
        if drawn.is_empty() {
            let message =
                format!("no drawn case says its {}: the subgroup by it is empty", subgroup.by.name());
            found.push(
                Diagnostic::warning(Code::SubgroupNotEncountered, message)
                    .at(place.clone())
                    .hint("fill the column, or take the subgroup out"),
            );
        }
        let small: BTreeSet<String> = drawn
            .iter()
            .filter(|(_, n)| **n < minimum)
            .map(|(level, n)| {
                format!("{level} with {n} of {} eligible", could.get(level).copied().unwrap_or_default())
            })
            .collect();
        if !small.is_empty() {
            let message = format!(
                "levels of {} do not reach the {minimum} cases of `subgroup_minimum`: {}",
                subgroup.by.name(),
                some(&small)
            );
            found.push(
                Diagnostic::warning(Code::SubgroupUnreachable, message)
                    .at(place)
                    .hint("they are shown and marked insufficient; draw more cases, or declare wider levels"),
            );
        }
    }
    found
}

/// Normal intervals where the drawn cases of a class are few and the protocol does not say how many there
/// will be.
fn few_cases(study: &Study, cohort: &Cohort, places: &Places) -> Vec<Diagnostic> {
    let protocol = &study.protocol;
    let labelled: Vec<bool> = cohort.drawn_cases().filter_map(|case| case.source_label).collect();
    if protocol.sample.target.is_some_and(|t| t.positives.is_some()) || labelled.is_empty() {
        return Vec::new();
    }
    let positives = labelled.iter().filter(|label| **label).count() as u64;
    let smaller = positives.min(labelled.len() as u64 - positives);
    let few =
        protocol.endpoints.iter().enumerate().filter(|(_, e)| smaller < FEW_CASES && is_normal(e.interval));
    few.map(|(index, endpoint)| {
        let message = format!(
            "`{}` takes its estimate as normally distributed (`{}`), and by the source label the smaller \
             class of \
             the sample has {smaller} cases",
            endpoint.id,
            endpoint.interval.id()
        );
        Diagnostic::warning(Code::IntervalFewCases, message)
            .at(places.at(&format!("endpoint[{}].interval", index + 1)))
            .hint("draw more cases of that class, or declare an exact interval or a bootstrap")
    })
    .collect()
}

/// One site, none, or sites that the model knows.
fn sites(study: &Study, inputs: &Inputs, cohort: &Cohort, places: &Places) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let sites: BTreeSet<String> = cohort.drawn_cases().filter_map(|case| Field::Site.of(case)).collect();
    if sites.len() < 2 {
        let message = match sites.first() {
            Some(one) => format!(
                "every drawn case is of one site, {one}: how the device does elsewhere is \
             not shown"
            ),
            None => "no column says at which site a case was acquired: whether the result holds at more \
             than one is \
                     not shown"
                .to_owned(),
        };
        found.push(
            Diagnostic::warning(Code::OneSite, message)
                .at(places.at("data.cases"))
                .hint("bring cases of three or more sites, with a column `site`, or say why one will do"),
        );
    }
    let data = &study.protocol.data;
    let stated = data.development.is_some() || !data.development_sites.is_empty();
    match cohort.sites.as_ref().filter(|_| stated) {
        Some(separation) if separation.answer == SiteAnswer::NotShown => {
            let message =
                format!("that no site of the study is one of development is not shown: {}", separation.why());
            let hint = "a column `site` in the development table, filled in every row, shows it";
            let place = places.at("data.separate_sites");
            found.push(Diagnostic::warning(Code::SitesNotShown, message).at(place).hint(hint));
        }
        _ => {}
    }
    let Some(table) = &study.protocol.data.development else { return found };
    let Some(bytes) = inputs.files.get(&table.path) else { return found };
    // What is wrong with the table is told where it is read for the cohort.
    let Ok(development) = table.parse(Path::new(table.path.as_str()), bytes) else { return found };
    let known: BTreeSet<String> = development.cases.iter().filter_map(|case| Field::Site.of(case)).collect();
    let shared: BTreeSet<String> = sites.intersection(&known).cloned().collect();
    if !shared.is_empty() {
        let message = format!(
            "{} of the {} sites of the study are sites of the development data: {}",
            shared.len(),
            sites.len(),
            some(&shared)
        );
        found.push(
            Diagnostic::warning(Code::SiteOnBothSides, message).at(places.at("data.development")).hint(
                "test sites should in general be others than development sites; or say why this is no matter",
            ),
        );
    }
    found
}

/// Where the lock has another gate or threshold than the protocol.
pub(super) fn of_lock(study: &Study, lock: &Lock) -> Vec<Diagnostic> {
    let path = study.folder.join("protocol.toml");
    let places = Places::new(&path, &String::from_utf8_lossy(&study.protocol_bytes));
    let mut found = Vec::new();
    let locked = lock.operating_point.threshold;
    if let OperatingPointSource::Declared { threshold, .. } = &study.protocol.operating_point
        && *threshold != locked
    {
        let message =
            format!("the model was locked with the threshold {locked}, the protocol declares {threshold}");
        found.push(
            Diagnostic::warning(Code::ThresholdDisagrees, message)
                .at(places.at("operating_point.threshold"))
                .hint(
                    "`source = \"lock\"` takes that of the lock; or lock the model with the one that is \
                 released",
                ),
        );
    }
    if lock.gate != study.protocol.gate {
        let written = |gate| serde_json::to_string(gate).unwrap_or_default();
        let message = format!(
            "the model was locked with the gate {}, the protocol has {}",
            written(&lock.gate),
            written(&study.protocol.gate)
        );
        found.push(
            Diagnostic::warning(Code::GateDisagrees, message)
                .at(places.at("gate"))
                .hint("scores are made with the gate of the lock: let [gate] say the same"),
        );
    }
    found
}

#[cfg(test)]
mod tests {
    use super::some;

    #[test]
    fn long_lists_end_after_ten() {
        let many = (0..12).map(|n| format!("{n:02}")).collect();
        assert_eq!(some(&many), "00, 01, 02, 03, 04, 05, 06, 07, 08, 09, ...");
        assert_eq!(some(&["a".to_owned()].into()), "a");
    }
}
