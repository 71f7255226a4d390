//! Differences of areas, several endpoints, and sites.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::qualification::compared::{Compared, Values, beside, compare};
use crate::qualification::embedded::{input, sets, table};
use crate::statistics::comparative::{Aim, AucDifference, MarginTests};
use crate::statistics::multiplicity::{Graph, Rule, adjusted};
use crate::statistics::poolability::{equal_shares, equal_shares_of_patients};
use crate::statistics::special::normal_two_sided;

use super::{ABSOLUTE, FLOOR, scores};

/// `comparative_auc.json`: areas of two devices on the same cases.
pub fn areas() -> Vec<Compared> {
    let mut out = Vec::new();
    for (name, truth) in &sets("comparative_auc") {
        if !scores::TABLES.contains(&name.as_str()) {
            continue;
        }
        let t = table(name);
        let (Some(found), Some(truth)) =
            (AucDifference::of(&t.labels, &t.scores, &t.scores_b, None), truth.as_object())
        else {
            continue;
        };
        let mut ours = Values::new();
        let mut put = |key: &str, value: Option<f64>| {
            ours.insert(key.to_owned(), value);
        };
        put("auc", Some(found.values[0]));
        put("auc_b", Some(found.values[1]));
        put("diff", Some(found.difference));
        put("var_diff", found.variance);
        put("se", found.se());
        for (percent, level) in [(95, 0.95), (90, 0.90)] {
            put(&format!("lo{percent}"), found.limits(level).map(|limits| limits.0));
            put(&format!("hi{percent}"), found.limits(level).map(|limits| limits.1));
        }
        put("sup.z", found.z(0.0));
        put("sup.p2", found.z(0.0).map(normal_two_sided));
        let tests = MarginTests::of(0.05, |d| found.z(d));
        put("ni.z", tests.map(|t| t.lower.z));
        put("ni.p", Aim::NonInferiority.p(0.05, |d| found.z(d)));
        put("ni_b.z", tests.map(|t| -t.upper.z));
        put("ni_b.p", tests.map(|t| t.upper.p));
        put("tost.p_lower", tests.map(|t| t.lower.p));
        put("tost.p_upper", tests.map(|t| t.upper.p));
        put("tost.p", Aim::Equivalence.p(0.05, |d| found.z(d)));
        out.extend(beside(name, truth, &ours, ABSOLUTE, |_| "auc".to_owned()));
    }
    out
}

/// `1/3` or `0.25`; 0 where it is neither, which no reference value follows from.
fn fraction(value: &Value) -> f64 {
    let text = value.as_str().unwrap_or_default();
    let number = |text: &str| text.parse::<f64>().unwrap_or_default();
    text.split_once('/').map_or_else(|| number(text), |(above, below)| number(above) / number(below))
}

/// `comparative_multiplicity.json`: adjusted p values, rejections and what is left of a graph.
pub fn multiplicity() -> Vec<Compared> {
    let reference = sets("comparative_multiplicity");
    let graphs: Vec<Value> = serde_json::from_str(input("comparative/multiplicity.json")).unwrap_or_default();
    let mut out = Vec::new();
    for given in &graphs {
        let name = given["id"].as_str().unwrap_or_default();
        let Some(truth) = reference.get(name).and_then(Value::as_object) else { continue };
        let list = |of: &Value| -> Vec<f64> { of.as_array().into_iter().flatten().map(fraction).collect() };
        let (w, p) = (list(&given["w"]), list(&given["p"]));
        let rows: Vec<Vec<f64>> = given["G"].as_array().into_iter().flatten().map(list).collect();
        let Ok(graph) = Graph::new(w.clone(), rows) else { continue };
        let equal = vec![1.0 / p.len() as f64; p.len()];
        let mut rules = vec![
            ("bonferroni", Rule::Bonferroni),
            ("holm", Rule::Holm),
            ("hochberg", Rule::Hochberg),
            ("hommel", Rule::Hommel),
            ("fixed_sequence", Rule::FixedSequence),
            ("fallback_equal", Rule::Fallback(equal)),
            ("fallback_w", Rule::Fallback(w.clone())),
            ("weighted_bonferroni", Rule::WeightedBonferroni(w.clone())),
            ("graphical", Rule::Graph(graph.clone())),
        ];
        if (w.iter().sum::<f64>() - 1.0).abs() < 1e-12 {
            rules.push(("weighted_holm", Rule::WeightedHolm(w)));
        }
        let mut ours = Values::new();
        for (rule_name, rule) in rules {
            for (i, value) in adjusted(&rule, &p).into_iter().enumerate() {
                ours.insert(format!("{rule_name}.H{}", i + 1), Some(value));
            }
        }
        left_of(&graph, &p, &mut ours);
        let key_of = |key: &str| {
            let rule = key.split('.').next().unwrap_or_default();
            rule.strip_prefix("fallback").map_or(rule, |_| "fallback").to_owned()
        };
        out.extend(beside(name, truth, &ours, ABSOLUTE, key_of));
    }
    out
}

/// Rejections at two levels, and the weights and transitions after them.
fn left_of(graph: &Graph, p: &[f64], ours: &mut Values) {
    let found = graph.adjusted(p);
    for (name, alpha) in [("0.025", 0.025), ("0.05", 0.05)] {
        // An adjusted p value that is α but for rounding is rejected.
        let rejected: Vec<bool> = found.iter().map(|a| *a <= alpha * (1.0 + 1e-12)).collect();
        let left = graph.after(&rejected);
        for (i, rejected) in rejected.iter().enumerate() {
            let mut put = |what: &str, place: String, value: f64| {
                ours.insert(format!("graphical.{what}{name}.{place}"), Some(value));
            };
            put("reject", format!("H{}", i + 1), f64::from(u8::from(*rejected)));
            put("final_w", format!("H{}", i + 1), left.weights()[i]);
            for (j, part) in left.transitions()[i].iter().enumerate() {
                put("final_G", format!("{}{}", i + 1, j + 1), *part);
            }
        }
    }
}

/// `sites_R4.2.2.json` and `sites_exact.json`: whether shares are equal over sites.
pub fn sites() -> Vec<Compared> {
    let (from_r, exact) = (sets("sites_R4.2.2"), sets("sites_exact"));
    let mut out = Vec::new();
    for name in ["d07_subgroups600", "d08_clustered"] {
        let t = table(name);
        let ids: BTreeSet<&String> = t.sites.iter().collect();
        for what in ["sensitivity", "specificity", "prevalence"] {
            // Whether a case counts, and for what.
            let of = |row: usize| match what {
                "sensitivity" => t.labels[row].then(|| t.scores[row] >= 0.5),
                "specificity" => (!t.labels[row]).then(|| t.scores[row] < 0.5),
                _ => Some(t.labels[row]),
            };
            let mut shares = Vec::new();
            let mut patients = Vec::new();
            for site in &ids {
                let mut of_patient = std::collections::BTreeMap::<u32, (u64, u64)>::new();
                for row in (0..t.labels.len()).filter(|&row| &t.sites[row] == *site) {
                    if let Some(hit) = of(row) {
                        let counted = of_patient.entry(t.patients[row]).or_default();
                        *counted = (counted.0 + u64::from(hit), counted.1 + 1);
                    }
                }
                let sum = |pick: fn(&(u64, u64)) -> u64| of_patient.values().map(pick).sum::<u64>();
                shares.push((sum(|c| c.0), sum(|c| c.1)));
                patients.push(of_patient.into_values().collect::<Vec<_>>());
            }
            let (pearson, scott) = (equal_shares(&shares), equal_shares_of_patients(&patients));
            let exact_p = pearson.and_then(|p| p.exact_p);
            for (key, statistic, computed) in [
                ("statistic", "pearson", pearson.map(|p| p.statistic)),
                ("p", "pearson", pearson.map(|p| p.p_value)),
                ("smallest_expected", "pearson", pearson.and_then(|p| p.smallest_expected)),
                ("rao_scott", "rao-scott", scott.map(|p| p.statistic)),
                ("rao_scott_p", "rao-scott", scott.map(|p| p.p_value)),
            ] {
                let key = format!("{name}.{what}.{key}");
                let expected = from_r.get(&key).unwrap_or(&Value::Null);
                out.push(compare(key.clone(), statistic, expected, computed, FLOOR));
            }
            let key = format!("{name}.{what}.exact_p");
            // Beyond three million tables there is no exact p value.
            if let Some(expected) = exact.get(&key).filter(|_| exact_p.is_some()) {
                out.push(compare(key, "exact conditional", expected, exact_p, 1e-18));
            }
        }
    }
    out
}
