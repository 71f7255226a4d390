//! The results as CDISC Analysis Results Standard 1.0: one analysis a metric and a way of grouping, with each
//! number as the text of `results.json`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::bundled::{Bundled, Estimate, number, said};

/// The set of all analysed cases.
const ANALYSED: &str = "analysed";

/// A key of ids: letters, digits and `-`, as other programs take them.
fn slug(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || c == '_' || c == '.' {
            out.push(c);
        } else if !out.ends_with('-') {
            out.push('-');
        }
    }
    out.trim_matches('-').to_owned()
}

/// Ids that are told apart although their slugs may be equal: the second one of a slug gets a number.
#[derive(Default)]
struct Ids(BTreeMap<String, String>);

impl Ids {
    fn of(&mut self, prefix: &str, text: &str) -> String {
        let key = format!("{prefix}\u{0}{text}");
        if let Some(known) = self.0.get(&key) {
            return known.clone();
        }
        let base = format!("{prefix}-{}", slug(text));
        let taken: BTreeSet<&String> = self.0.values().collect();
        let mut id = base.clone();
        let mut next = 2;
        while taken.contains(&id) {
            id = format!("{base}-{next}");
            next += 1;
        }
        self.0.insert(key, id.clone());
        id
    }
}

/// An analysis while it is put together.
struct Analysis<'a> {
    /// What is computed.
    metric: &'a str,
    /// Over which variable it is grouped.
    variable: Option<&'a str>,
    /// Scenario, model, prevalence, threshold.
    conditions: Vec<(&'static str, String)>,
    /// Its estimates.
    estimates: Vec<Estimate<'a>>,
}

/// The reporting event of a bundle.
pub fn reporting_event(of: &Bundled) -> Value {
    let mut ids = Ids::default();
    let analyses = analyses(of);
    let groupings = groupings(&analyses, &mut ids);
    let methods = methods(&analyses, &mut ids);
    let mut written: Vec<Value> = analyses.iter().map(|a| analysis(a, of, &mut ids)).collect();
    let endpoints = of.results["endpoints"].as_array().map_or(&[][..], Vec::as_slice);
    written.extend(endpoints.iter().map(|endpoint| verdict(endpoint, &mut ids)));
    let contents: Vec<Value> = written
        .iter()
        .zip(1..)
        .map(|(analysis, order)| {
            json!({"name": analysis["name"], "level": 1, "order": order, "analysisId": analysis["id"]})
        })
        .collect();
    let verdicts = (!endpoints.is_empty()).then(verdict_method);
    json!({
        "id": format!("{}-{}", slug(of.study("id")), of.root.get(..16).unwrap_or(&of.root)),
        "version": 1,
        "name": of.study("title"),
        "description": format!(
            "Results of study {} version {}; root digest of the evidence {}{}",
            of.study("id"),
            of.study("version"),
            of.root,
            warning(of)
        ),
        "mainListOfContents": {
            "name": "Analyses",
            "label": "Every estimate and every endpoint",
            "contentsList": {"listItems": contents},
        },
        "referenceDocuments": [
            reference("protocol", "Protocol", "data/protocol.toml", of),
            reference("results", "Results", "data/results.json", of),
        ],
        "analysisSets": [{
            "id": ANALYSED,
            "name": "Analysed cases",
            "label": format!(
                "{} cases of {} patients",
                number(&of.results["flow"]["analysed"]).unwrap_or_default(),
                number(&of.results["flow"]["analysed_patients"]).unwrap_or_default()
            ),
            "level": 1,
            "order": 1,
        }],
        "analysisGroupings": groupings,
        "methods": methods.into_iter().chain(verdicts).collect::<Vec<_>>(),
        "analyses": written,
    })
}

/// What has to be said of results that no patient stands behind.
fn warning(of: &Bundled) -> &'static str {
    let study = &of.results["study"];
    if study["rehearsal"] == true {
        ". REHEARSAL: scores and reads were simulated"
    } else if study["synthetic"] == true {
        ". SYNTHETIC DATA: no clinical meaning"
    } else {
        ""
    }
}

fn reference(id: &str, name: &str, location: &str, of: &Bundled) -> Value {
    let inner = location.strip_prefix("data/").unwrap_or(location);
    let digest = of.digest(inner).map_or(String::new(), |digest| format!("SHA-256 {digest}"));
    json!({"id": id, "name": name, "location": location, "description": digest})
}

/// Estimates that differ by the level of one variable alone are one analysis.
fn analyses(of: &Bundled) -> Vec<Analysis<'_>> {
    let mut found: Vec<Analysis<'_>> = Vec::new();
    for estimate in of.estimates() {
        let (metric, conditions) = (estimate.id(), estimate.conditions());
        let variable = estimate.level().map(|(variable, _)| variable);
        let same = found.iter_mut().find(|analysis| {
            analysis.metric == metric && analysis.variable == variable && analysis.conditions == conditions
        });
        match same {
            Some(analysis) => analysis.estimates.push(estimate),
            None => found.push(Analysis { metric, variable, conditions, estimates: vec![estimate] }),
        }
    }
    found
}

fn groupings(analyses: &[Analysis<'_>], ids: &mut Ids) -> Vec<Value> {
    let mut levels: Vec<(&str, Vec<&str>)> = Vec::new();
    for analysis in analyses {
        let Some(variable) = analysis.variable else { continue };
        let place = levels.iter().position(|(name, _)| *name == variable).unwrap_or_else(|| {
            levels.push((variable, Vec::new()));
            levels.len() - 1
        });
        for (_, level) in analysis.estimates.iter().filter_map(|estimate| estimate.level()) {
            if !levels[place].1.contains(&level) {
                levels[place].1.push(level);
            }
        }
    }
    levels
        .into_iter()
        .map(|(variable, levels)| {
            let groups: Vec<Value> = levels
                .into_iter()
                .zip(1..)
                .map(|(level, order)| {
                    json!({
                        "id": ids.of("group", &format!("{variable}={level}")),
                        "name": level,
                        "level": 1,
                        "order": order,
                        "condition": {
                            "dataset": "cases.csv", "variable": variable, "comparator": "EQ", "value": [level],
                        },
                    })
                })
                .collect();
            json!({
                "id": ids.of("by", variable),
                "name": variable,
                "groupingDataset": "cases.csv",
                "groupingVariable": variable,
                "dataDriven": false,
                "groups": groups,
            })
        })
        .collect()
}

/// Numbers of an estimate: name, key in `results.json`.
const PARTS: [(&str, &str); 7] = [
    ("value", "value"),
    ("standard error", "standard_error"),
    ("p value", "p_value"),
    ("numerator", "numerator"),
    ("denominator", "denominator"),
    ("cases", "n"),
    ("positive cases", "positives"),
];

/// Every operation of a metric, with the number that an estimate has for it.
fn operations(estimate: Estimate<'_>) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = PARTS
        .iter()
        .filter_map(|(name, key)| Some(((*name).to_owned(), number(&estimate.0[*key])?)))
        .collect();
    for interval in estimate.intervals() {
        let method = interval["method"].as_str().unwrap_or_default();
        let level = number(&interval["level"]).unwrap_or_default();
        for end in ["lower", "upper"] {
            if let Some(value) = number(&interval[end]) {
                out.push((format!("{end} limit, {method}, level {level}"), value));
            }
        }
    }
    out
}

fn methods(analyses: &[Analysis<'_>], ids: &mut Ids) -> Vec<Value> {
    let mut by_metric: Vec<(&str, Vec<String>)> = Vec::new();
    for analysis in analyses {
        let place = by_metric.iter().position(|(name, _)| *name == analysis.metric).unwrap_or_else(|| {
            by_metric.push((analysis.metric, Vec::new()));
            by_metric.len() - 1
        });
        let names = &mut by_metric[place].1;
        for (name, _) in analysis.estimates.iter().flat_map(|estimate| operations(*estimate)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    by_metric
        .into_iter()
        .map(|(metric, mut names)| {
            // The reason for no value is told in the place of the value.
            if !names.iter().any(|name| name == "value") {
                names.insert(0, "value".to_owned());
            }
            let operations: Vec<Value> = names
                .iter()
                .zip(1..)
                .map(|(name, order)| {
                    json!({"id": ids.of("op", &format!("{metric} {name}")), "name": name, "order": order})
                })
                .collect();
            json!({
                "id": ids.of("method", metric),
                "name": metric,
                "description": "docs/statistics.md of the program states formula and source",
                "operations": operations,
            })
        })
        .collect()
}

/// The role of an endpoint, and how ARS says it.
fn purpose(role: Option<&str>) -> Value {
    let term = match role {
        Some("primary") => "PRIMARY OUTCOME MEASURE",
        Some("secondary") => "SECONDARY OUTCOME MEASURE",
        _ => "EXPLORATORY OUTCOME MEASURE",
    };
    json!({"controlledTerm": term})
}

fn analysis(analysis: &Analysis<'_>, of: &Bundled, ids: &mut Ids) -> Value {
    let metric = analysis.metric;
    let conditions: Vec<String> =
        analysis.conditions.iter().map(|(key, value)| format!("{key} {value}")).collect();
    let by = analysis.variable.map(|variable| format!("by {variable}"));
    let name = [vec![metric.to_owned()], by.into_iter().collect(), conditions].concat().join(", ");
    // An endpoint is about all cases, and no scenario.
    let whole = analysis.variable.is_none() && analysis.conditions.iter().all(|(key, _)| *key != "scenario");
    let endpoints = of.results["endpoints"].as_array().into_iter().flatten();
    let role = endpoints.filter(|_| whole).find(|e| e["metric"] == metric).and_then(|e| e["role"].as_str());
    let mut results = Vec::new();
    for estimate in &analysis.estimates {
        let group = estimate.level().map(|(variable, level)| {
            json!([{
                "groupingId": ids.of("by", variable),
                "groupId": ids.of("group", &format!("{variable}={level}")),
            }])
        });
        let mut numbers = operations(*estimate);
        if estimate.value().is_none() {
            let why = said(&estimate.0["not_evaluable"]).unwrap_or("no reason was recorded");
            numbers.push((format!("not evaluable: {why}"), String::new()));
        }
        for (operation, value) in numbers {
            let mut result = match operation.strip_prefix("not evaluable: ") {
                // There is no number, and the reason is what is shown.
                Some(_) => json!({
                    "operationId": ids.of("op", &format!("{metric} value")), "formattedValue": operation,
                }),
                None => json!({
                    "operationId": ids.of("op", &format!("{metric} {operation}")), "rawValue": value,
                }),
            };
            if let Some(group) = &group {
                result["resultGroups"] = group.clone();
            }
            results.push(result);
        }
    }
    let mut out = json!({
        "id": ids.of("analysis", &name),
        "version": 1,
        "name": name,
        "reason": {"controlledTerm": "SPECIFIED IN PROTOCOL"},
        "purpose": purpose(role),
        "documentRefs": [{"referenceDocumentId": "results"}],
        "analysisSetId": ANALYSED,
        "dataset": "scores.csv",
        "variable": "score",
        "methodId": ids.of("method", metric),
        "results": results,
    });
    if let Some(variable) = analysis.variable {
        out["orderedGroupings"] =
            json!([{"order": 1, "groupingId": ids.of("by", variable), "resultsByGroup": true}]);
    }
    out
}

const VERDICT: [&str; 5] = ["criterion", "value", "bound that is judged", "verdict", "metric"];

fn verdict_method() -> Value {
    let operations: Vec<Value> = VERDICT
        .iter()
        .zip(1..)
        .map(|(name, order)| json!({"id": format!("op-endpoint-{}", slug(name)), "name": name, "order": order}))
        .collect();
    json!({
        "id": "method-endpoint",
        "name": "Judgement of an endpoint",
        "description": "The declared criterion is compared with the limit of the interval that decides",
        "operations": operations,
    })
}

fn verdict(endpoint: &Value, ids: &mut Ids) -> Value {
    let text = |key: &str| endpoint[key].as_str().map(str::to_owned);
    let id = text("id").unwrap_or_default();
    let found = [
        text("criterion"),
        number(&endpoint["value"]),
        number(&endpoint["bound"]),
        text("verdict"),
        text("metric"),
    ];
    let results: Vec<Value> = VERDICT
        .iter()
        .zip(found)
        .filter_map(|(name, value)| {
            Some(json!({"operationId": format!("op-endpoint-{}", slug(name)), "rawValue": value?}))
        })
        .collect();
    json!({
        "id": ids.of("endpoint", &id),
        "version": 1,
        "name": format!("Endpoint {id}"),
        "reason": {"controlledTerm": "SPECIFIED IN PROTOCOL"},
        "purpose": purpose(endpoint["role"].as_str()),
        "documentRefs": [{"referenceDocumentId": "protocol"}],
        "analysisSetId": ANALYSED,
        "methodId": "method-endpoint",
        "results": results,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::interchange::model_bom;

    /// A bundle with one metric at levels of any names.
    fn bundled(levels: &[String], value: f64) -> Bundled {
        let estimates: Vec<Value> = levels
            .iter()
            .map(|level| {
                let interval = json!({"method": "wilson", "level": 0.95, "lower": value, "upper": 1.0});
                json!({"id": "auc", "value": value, "subgroup": format!("site={level}"), "intervals": [interval]})
            })
            .collect();
        Bundled {
            root: "00".repeat(32),
            results: json!({
                "study": {"id": "s", "title": "t", "version": "1"},
                "flow": {"analysed": 1, "analysed_patients": 1},
                "estimates": estimates,
            }),
            device: Value::Null,
            lock: None,
            created: "2026-01-01T00:00:00Z".to_owned(),
            digests: BTreeMap::new(),
        }
    }

    proptest! {
        #[test]
        fn whatever_levels_are_called_each_has_an_id_of_its_own(
            levels in prop::collection::btree_set(".{0,6}|[ab _.-]{0,4}", 1..8),
            value in -1e300_f64..1e300,
        ) {
            let levels: Vec<String> = levels.into_iter().collect();
            let bundled = bundled(&levels, value);
            let event = reporting_event(&bundled);
            let groups = event["analysisGroupings"][0]["groups"].as_array().cloned().unwrap_or_default();
            let ids: BTreeSet<&str> = groups.iter().filter_map(|group| group["id"].as_str()).collect();
            prop_assert_eq!(ids.len(), levels.len());
            let names: Vec<&str> = groups.iter().filter_map(|group| group["name"].as_str()).collect();
            prop_assert_eq!(&names, &levels);
            for result in event["analyses"][0]["results"].as_array().into_iter().flatten() {
                let id = result["resultGroups"][0]["groupId"].as_str().unwrap_or_default();
                prop_assert!(ids.contains(id));
            }
            // A number is the text that the results have, and reads back as the same number.
            let metric = &model_bom(&bundled)["metadata"]["component"]["modelCard"]["quantitativeAnalysis"];
            let text = metric["performanceMetrics"][0]["value"].as_str().unwrap_or_default().to_owned();
            prop_assert_eq!(&text, &bundled.results["estimates"][0]["value"].to_string());
            prop_assert_eq!(text.parse::<f64>().ok(), Some(value));
        }
    }

    #[test]
    fn results_that_hold_nothing_give_an_event_without_analyses() {
        let mut nothing = bundled(&[], 0.0);
        nothing.results = Value::Null;
        let event = reporting_event(&nothing);
        assert_eq!(event["analyses"].as_array().map(Vec::len), Some(0));
        assert_eq!(model_bom(&nothing)["specVersion"], "1.7");
    }
}
