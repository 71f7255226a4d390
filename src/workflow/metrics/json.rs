//! The report as JSON.

use serde_json::{Value, json};

use super::asked::{Asked, Part, Report, Sentences};
use crate::statistics::calibration::{Bin, Edge, reliability};
use crate::statistics::confusion::Confusion;
use crate::statistics::estimate::Estimate;
use crate::statistics::metric::{Metric, Sample};
use crate::statistics::poolability::Poolability;
use crate::statistics::roc::{partial_area, precision_recall_points, roc_points};
use crate::statistics::roc_band::roc_band;

impl Report {
    /// The document that `--json` prints.
    pub fn json(&self, asked: &Asked) -> Value {
        let table = |(threshold, name, c): &(f64, Option<String>, Confusion)| {
            json!({"threshold": threshold, "of": name, "tp": c.true_positives, "fn": c.false_negatives,
                "fp": c.false_positives, "tn": c.true_negatives})
        };
        let mut out = json!({
            "format": "sequester-metrics/1",
            "n": self.n,
            "positives": self.positives,
            "level": asked.level,
            "confusion": self.tables.iter().map(table).collect::<Vec<_>>(),
            "estimates": self.estimates,
            "warnings": self.warnings,
        });
        if !self.curve.is_empty() {
            out["reliability"] = json!(self.curve);
        }
        if !self.sentences.is_empty() {
            let of = |s: &Sentences| {
                let mut value =
                    json!({"threshold": s.threshold, "prevalence": s.prevalence, "sentences": s.lines});
                if let Some(model) = &s.model {
                    value["model"] = json!(model);
                }
                value
            };
            out["per_thousand"] = self.sentences.iter().map(of).collect();
        }
        if let Some(pool) = &self.poolability {
            out["poolability"] = poolability_value(pool);
        }
        if let Some(curves) = &self.curves {
            out["curves"] = curves.clone();
        }
        out
    }
}

/// The reliability curve of one model, one value a bin.
pub fn reliability_curve(asked: &Asked, labels: &[bool], model: Option<&str>, scores: &[f64]) -> Vec<Value> {
    let bins = reliability(labels, scores, None, &asked.bin_edges, Edge::Left);
    let of = |b: &Bin| {
        let mut value = json!({"lower": b.lower, "upper": b.upper, "cases": b.cases as u64,
            "mean_score": (b.cases > 0.0).then_some(b.mean_score),
            "observed": (b.cases > 0.0).then_some(b.observed)});
        if let Some(model) = model {
            value["model"] = json!(model);
        }
        value
    };
    bins.iter().map(of).collect()
}

/// What an estimate was made with beside its threshold, for JSON.
pub fn declared(asked: &Asked, sample: &Sample<'_>, id: &str) -> Option<Value> {
    match Metric::from_id(id)? {
        Metric::PartialAuc => Some(json!({"max_fpr": asked.max_fpr,
            "raw_area": partial_area(sample.labels, sample.scores, asked.max_fpr)})),
        Metric::Ece | Metric::Mce => Some(json!({"bin_edges": asked.bin_edges})),
        _ => None,
    }
}

/// The curves of each model.
pub fn curves(asked: &Asked, part: &Part<'_>) -> Value {
    let of = |name: &str, scores: &[f64]| {
        let sample = Sample { scores, ..part.sample() };
        let recall: Vec<Value> = precision_recall_points(part.labels, scores)
            .iter()
            .map(|p| json!({"threshold": p.threshold, "recall": p.recall, "precision": p.precision}))
            .collect();
        let (band, method) =
            roc_band(&sample, asked.unit, asked.bootstrap.replicates(), asked.seed, asked.level);
        let mut method = serde_json::to_value(&method).unwrap_or_default();
        split_warnings(&mut method);
        json!({
            "model": name,
            "roc": roc_points(part.labels, scores),
            "roc_band": band,
            "roc_band_method": method,
            "precision_recall": recall,
        })
    };
    let mut list = vec![of(&asked.score, part.scores)];
    if let (Some(name), Some(scores)) = (&asked.compare, part.other) {
        list.push(of(name, scores));
    }
    json!(list)
}

/// Turns `code: message` into its two parts.
fn split_warnings(value: &mut Value) {
    if let Some(list) = value.get_mut("warnings").and_then(Value::as_array_mut) {
        for warning in list {
            let text = warning.as_str().unwrap_or_default();
            let (code, message) = text.split_once(": ").unwrap_or(("note", text));
            *warning = json!({"code": code, "message": message});
        }
    }
}

/// The estimate as JSON: warnings as code and message, and the fields of `more` beside its own.
pub fn value_of(estimate: &Estimate, more: Option<Value>) -> Value {
    let mut value = serde_json::to_value(estimate).unwrap_or_default();
    split_warnings(&mut value);
    if let (Some(own), Some(Value::Object(more))) = (value.as_object_mut(), more) {
        own.extend(more);
    }
    value
}

/// Poolability with warnings as code and message.
fn poolability_value(pool: &Poolability) -> Value {
    let mut value = serde_json::to_value(pool).unwrap_or_default();
    split_warnings(&mut value);
    value
}
