//! Several hypotheses in a file: TOML, JSON or a table, and what every rule says of them.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use crate::declared::{Document, Section, fraction};
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::statistics::multiplicity::{Graph, GraphFault, Rule, adjusted, is_rejected};
use crate::table::{Table, cell};

/// One set of hypotheses, in their order.
#[derive(Clone, Debug)]
pub struct Hypotheses {
    /// Its name.
    pub id: String,
    /// Names of the hypotheses.
    names: Vec<String>,
    p: Vec<f64>,
    /// Shares of α; none where the file has none.
    weights: Option<Vec<f64>>,
    /// What each passes on; none where the file says nothing of it.
    graph: Option<Graph>,
}

/// What every rule says of a set.
#[derive(Clone, Debug, Serialize)]
pub struct Multiple {
    /// Its name.
    pub id: String,
    /// The error that all share.
    pub alpha: f64,
    /// The hypotheses in their order.
    pub hypotheses: Vec<Adjusted>,
    /// In which order the graph rejects, as far as it does at α.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rejections: Option<Vec<String>>,
}

/// One hypothesis.
#[derive(Clone, Debug, Serialize)]
pub struct Adjusted {
    /// Its name.
    pub id: String,
    /// Its p value.
    pub p: f64,
    /// Its share of α, where the file has shares.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight: Option<f64>,
    /// What it passes on, to whom, where the file says so.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub transitions: BTreeMap<String, f64>,
    /// Adjusted p values by the name of the rule.
    pub adjusted: BTreeMap<&'static str, f64>,
    /// Whether it is rejected at α, by the name of the rule.
    pub rejected: BTreeMap<&'static str, bool>,
    /// Its share of α after all rejections of the graph; 0 for what is rejected.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub weight_left: Option<f64>,
    /// What it would pass on then.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub transitions_left: BTreeMap<String, f64>,
}

/// Adjusts the p values of a set by every rule that it has the shares for.
pub fn multiple(set: &Hypotheses, alpha: f64) -> Multiple {
    let (m, p) = (set.names.len(), &set.p);
    let mut rules = vec![
        ("bonferroni", Rule::Bonferroni),
        ("holm", Rule::Holm),
        ("hochberg", Rule::Hochberg),
        ("hommel", Rule::Hommel),
        ("fixed-sequence", Rule::FixedSequence),
        ("fallback-equal", Rule::Fallback(vec![1.0 / m as f64; m])),
    ];
    if let Some(weights) = &set.weights {
        rules.push(("fallback", Rule::Fallback(weights.clone())));
        rules.push(("weighted-bonferroni", Rule::WeightedBonferroni(weights.clone())));
        // Its shares are of the whole α.
        if (weights.iter().sum::<f64>() - 1.0).abs() < 1e-9 {
            rules.push(("weighted-holm", Rule::WeightedHolm(weights.clone())));
        }
    }
    rules.extend(set.graph.clone().map(|graph| ("graph", Rule::Graph(graph))));
    let found: Vec<(&'static str, Vec<f64>)> =
        rules.iter().map(|(name, rule)| (*name, adjusted(rule, p))).collect();
    let by_graph = set.graph.as_ref().map(|graph| {
        let adjusted = graph.adjusted(p);
        let rejected: Vec<bool> = adjusted.iter().map(|a| is_rejected(*a, alpha)).collect();
        (graph.after(&rejected), graph.steps(p))
    });
    let named = |row: &[f64]| -> BTreeMap<String, f64> {
        let given = set.names.iter().cloned().zip(row.iter().copied());
        given.filter(|(_, part)| *part > 0.0).collect()
    };
    let hypotheses = (0..m).map(|i| Adjusted {
        id: set.names[i].clone(),
        p: p[i],
        weight: set.weights.as_ref().map(|w| w[i]),
        transitions: set.graph.as_ref().map(|g| named(&g.transitions()[i])).unwrap_or_default(),
        adjusted: found.iter().map(|(name, a)| (*name, a[i])).collect(),
        rejected: found.iter().map(|(name, a)| (*name, is_rejected(a[i], alpha))).collect(),
        weight_left: by_graph.as_ref().map(|(left, _)| left.weights()[i]),
        transitions_left: by_graph
            .as_ref()
            .map(|(left, _)| named(&left.transitions()[i]))
            .unwrap_or_default(),
    });
    let rejections = by_graph.as_ref().map(|(_, steps)| {
        let at_alpha = steps.iter().filter(|step| is_rejected(step.adjusted, alpha));
        at_alpha.map(|step| set.names[step.rejected].clone()).collect()
    });
    Multiple { id: set.id.clone(), alpha, hypotheses: hypotheses.collect(), rejections }
}

/// One hypothesis as typed.
#[derive(Default)]
struct Typed {
    id: String,
    p: Option<f64>,
    weight: Option<f64>,
    transitions: Option<Vec<(String, f64)>>,
    at: Option<Location>,
}

fn problem(message: impl Into<String>, at: Option<Location>) -> Diagnostic {
    let found = Diagnostic::error(Code::HypothesisMalformed, message);
    match at {
        Some(at) => found.at(at),
        None => found,
    }
}

impl Hypotheses {
    /// Of a file: TOML with `[[hypothesis]]`, JSON, or a table with the columns `id` and `p`.
    ///
    /// # Errors
    /// Everything that is wrong in it.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Vec<Self>, Vec<Diagnostic>> {
        let ending = path.extension().and_then(|e| e.to_str()).map(str::to_ascii_lowercase);
        match ending.as_deref() {
            Some("toml") => Self::of_toml(path, bytes).map(|set| vec![set]),
            Some("json") => Self::of_json(path, bytes),
            _ => Self::of_table(path, bytes).map(|set| vec![set]),
        }
    }

    fn of_typed(id: String, typed: Vec<Typed>, place: &Location) -> Result<Self, Vec<Diagnostic>> {
        let mut problems = Vec::new();
        let mut names: BTreeSet<&str> = BTreeSet::new();
        let at = |one: &Typed| Some(one.at.clone().unwrap_or_else(|| place.clone()));
        if typed.is_empty() {
            problems.push(problem("there is no hypothesis", Some(place.clone())));
        }
        for one in &typed {
            if one.id.trim().is_empty() || !names.insert(&one.id) {
                let what = if one.id.trim().is_empty() { "no id" } else { "the id of another" };
                problems.push(problem(format!("a hypothesis has {what}: `{}`", one.id), at(one)));
            }
            if !one.p.is_some_and(|p| (0.0..=1.0).contains(&p)) {
                problems.push(problem(format!("`{}` has no p value from 0 to 1", one.id), at(one)));
            }
        }
        let weighted = typed.iter().filter(|one| one.weight.is_some()).count();
        if weighted > 0 && weighted < typed.len() {
            let message = "some hypotheses have a weight and some have none: give each its share of α, 0 too";
            problems.push(problem(message, Some(place.clone())));
        }
        for one in &typed {
            for (to, _) in one.transitions.iter().flatten() {
                if !names.contains(to.as_str()) {
                    problems
                        .push(problem(format!("`{}` passes on to `{to}`, which is none", one.id), at(one)));
                }
            }
        }
        let passes = typed.iter().any(|one| one.transitions.is_some());
        if passes && weighted == 0 {
            let message = "transitions without weights: give each hypothesis its share of α";
            problems.push(problem(message, Some(place.clone())));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let names: Vec<String> = typed.iter().map(|one| one.id.clone()).collect();
        let weights: Vec<f64> = typed.iter().filter_map(|one| one.weight).collect();
        let row = |one: &Typed| -> Vec<f64> {
            let part = |name: &String| {
                let given = one.transitions.iter().flatten().filter(|(to, _)| to == name);
                given.map(|(_, part)| *part).sum::<f64>()
            };
            names.iter().map(part).collect()
        };
        let fault = |fault: GraphFault| vec![problem(fault.describe(&names), Some(place.clone()))];
        let graph = match (weighted > 0, passes) {
            (true, true) => {
                Some(Graph::new(weights.clone(), typed.iter().map(row).collect()).map_err(fault)?)
            }
            // Weights alone are checked, too.
            (true, false) => {
                Graph::in_order(&weights).map_err(fault)?;
                None
            }
            _ => None,
        };
        let p = typed.iter().filter_map(|one| one.p).collect();
        Ok(Self { id, names, p, weights: (weighted > 0).then_some(weights), graph })
    }

    fn of_toml(path: &Path, bytes: &[u8]) -> Result<Self, Vec<Diagnostic>> {
        let place = Location::file(path);
        let text = std::str::from_utf8(bytes)
            .map_err(|e| vec![Diagnostic::error(Code::NotUtf8, e.to_string()).at(place.clone())])?;
        let document = Document::new(path, text);
        let table = document.parse();
        let typed: Vec<Typed> = table.as_ref().map_or_else(Vec::new, |table| {
            let root = Section::root(&document, table);
            let sections = root.sections("hypothesis");
            let typed = sections.into_iter().map(|section| {
                let one = Typed {
                    id: section.required_string("id"),
                    p: section.share("p"),
                    weight: section.share("weight"),
                    transitions: section.shares("transitions"),
                    at: Some(section.here()),
                };
                section.finish();
                one
            });
            let typed = typed.collect();
            root.finish();
            typed
        });
        let problems = document.into_problems();
        if !problems.is_empty() {
            return Err(problems);
        }
        Self::of_typed("hypotheses".to_owned(), typed, &place)
    }

    /// One set or a list of sets: `{"id", "hypotheses": [{"id", "p", "weight", "transitions"}]}`, or
    /// `{"id", "p": [...], "w": [...], "G": [[...]]}` with hypotheses H1, H2, ...; numbers may be fractions
    /// in texts.
    fn of_json(path: &Path, bytes: &[u8]) -> Result<Vec<Self>, Vec<Diagnostic>> {
        let place = Location::file(path);
        let value: Value = serde_json::from_slice(bytes)
            .map_err(|e| vec![problem(format!("not JSON: {e}"), Some(place.clone()))])?;
        let sets = match value {
            Value::Array(sets) => sets,
            one => vec![one],
        };
        let (mut out, mut problems) = (Vec::new(), Vec::new());
        if sets.is_empty() {
            problems.push(problem("there is no set of hypotheses", Some(place.clone())));
        }
        for (number, set) in sets.iter().enumerate() {
            let id = set["id"].as_str().map_or_else(|| format!("set {}", number + 1), str::to_owned);
            let typed = typed_of_json(set)
                .map_err(|what| vec![problem(format!("{}: {what}", cell::short(&id)), Some(place.clone()))]);
            match typed.and_then(|typed| Self::of_typed(id, typed, &place)) {
                Ok(set) => out.push(set),
                Err(found) => problems.extend(found),
            }
        }
        if problems.is_empty() { Ok(out) } else { Err(problems) }
    }

    fn of_table(path: &Path, bytes: &[u8]) -> Result<Self, Vec<Diagnostic>> {
        let table = Table::parse(path, bytes)?;
        let (id, p) = match (table.required("id"), table.required("p")) {
            (Ok(id), Ok(p)) => (id, p),
            (id, p) => return Err([id.err(), p.err()].into_iter().flatten().collect()),
        };
        let weight = table.column("weight");
        let names: Vec<String> =
            table.rows().filter_map(|row| row.get(Some(id)).map(str::to_owned)).collect();
        let columns: Vec<(String, usize)> =
            names.iter().filter_map(|name| Some((name.clone(), table.column(name)?))).collect();
        let mut problems = Vec::new();
        let known = |column: &String| {
            ["id", "p", "weight"].contains(&column.as_str()) || columns.iter().any(|(name, _)| name == column)
        };
        for column in table.header().iter().filter(|column| !known(column)) {
            let message = format!("the column `{}` is no hypothesis", cell::short(column));
            let hint = "columns are id, p, weight, and the ids of hypotheses for what is passed on to them";
            problems.push(problem(message, Some(table.at(1))).hint(hint));
        }
        let mut typed = Vec::new();
        for row in table.rows() {
            let mut number = |column: Option<usize>| {
                let text = row.get(column)?;
                let found = fraction(text);
                if found.is_none() {
                    let message = format!("\"{}\" is no number", cell::shown(text));
                    problems.push(problem(message, Some(table.at(row.line))));
                }
                found
            };
            let given =
                columns.iter().filter_map(|(name, place)| Some((name.clone(), number(Some(*place))?)));
            let transitions: Vec<(String, f64)> = given.collect();
            typed.push(Typed {
                id: row.get(Some(id)).unwrap_or_default().to_owned(),
                p: number(Some(p)),
                weight: number(weight),
                transitions: (!columns.is_empty()).then_some(transitions),
                at: Some(table.at(row.line)),
            });
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        Self::of_typed("hypotheses".to_owned(), typed, &Location::file(path))
    }
}

fn number_of(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| fraction(value.as_str()?))
}

fn typed_of_json(set: &Value) -> Result<Vec<Typed>, String> {
    if let Some(list) = set["hypotheses"].as_array() {
        let one = |value: &Value| -> Result<Typed, String> {
            let id = value["id"].as_str().unwrap_or_default().to_owned();
            let weight = value.get("weight").map(|w| number_of(w).ok_or_else(|| format!("{w} is no weight")));
            let transitions = value.get("transitions").map(|given| -> Result<Vec<(String, f64)>, String> {
                let given = given.as_object().ok_or("transitions are an object of ids and shares")?;
                let part = |(to, part): (&String, &Value)| {
                    Ok((to.clone(), number_of(part).ok_or_else(|| format!("{part} is no share"))?))
                };
                given.iter().map(part).collect()
            });
            Ok(Typed {
                id,
                p: number_of(&value["p"]),
                weight: weight.transpose()?,
                transitions: transitions.transpose()?,
                at: None,
            })
        };
        return list.iter().map(one).collect();
    }
    let numbers = |value: &Value, what: &str| -> Result<Vec<f64>, String> {
        let list = value.as_array().ok_or_else(|| format!("`{what}` is no list"))?;
        list.iter().map(|v| number_of(v).ok_or_else(|| format!("`{what}` holds {v}, no number"))).collect()
    };
    let p = numbers(&set["p"], "p")?;
    let m = p.len();
    let weights = set.get("w").map(|w| numbers(w, "w")).transpose()?;
    let rows = match set.get("G") {
        None => None,
        Some(rows) => {
            let rows = rows.as_array().ok_or("`G` is no list of rows")?;
            Some(rows.iter().map(|row| numbers(row, "G")).collect::<Result<Vec<_>, _>>()?)
        }
    };
    let fits = weights.as_ref().is_none_or(|w| w.len() == m)
        && rows.as_ref().is_none_or(|rows| rows.len() == m && rows.iter().all(|row| row.len() == m));
    if !fits {
        return Err(format!("`w` needs {m} shares and `G` {m} rows of {m}, as there are {m} p values"));
    }
    let name = |i: usize| format!("H{}", i + 1);
    let one = |i: usize| Typed {
        id: name(i),
        p: Some(p[i]),
        weight: weights.as_ref().map(|w| w[i]),
        transitions: rows.as_ref().map(|rows| (0..m).map(|j| (name(j), rows[i][j])).collect()),
        at: None,
    };
    Ok((0..m).map(one).collect())
}
