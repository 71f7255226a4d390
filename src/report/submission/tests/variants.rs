//! Sources of documents that differ from a study as it should be in one way each.

use serde_json::Value;

use super::realistic::{description, realistic, subgroup};
use crate::dataset::gate::Gate;
use crate::report::submission::source::{Recorded, Source};
use crate::statistics::estimate::{Estimate, SubgroupLevel};
use crate::study::results::*;

/// Not met, by a bound that rounding would make look met, on generated data.
pub fn not_met() -> Source {
    let mut source = realistic();
    source.results.study.synthetic = true;
    source.results.conclusion = Verdict::NotMet;
    let auc = &mut source.results.endpoints[0];
    (auc.bound, auc.verdict) = (Some(0.799_96), Some(Verdict::NotMet));
    source
}

/// Everything excluded: nothing is evaluable, no model.
pub fn empty() -> Source {
    let mut source = realistic();
    let results = &mut source.results;
    results.flow = Flow {
        considered: 3,
        considered_patients: 3,
        excluded: vec![ReasonCount {
            id: "age".into(),
            reason: "age outside 18-80 years".into(),
            count: 3,
            count_any: 3,
        }],
        ..Flow::default()
    };
    results.cohort.clear();
    results.readers.clear();
    results.consensus = ConsensusSummary::default();
    results.agreement.clear();
    results.agreement_explained.clear();
    results.agreement_by_group.clear();
    results.beside_readers = None;
    results.other_standards = None;
    results.estimates = ["auc", "sensitivity", "specificity"]
        .map(|id| Estimate {
            id: id.into(),
            not_evaluable: Some("no positive and no negative cases".into()),
            ..Estimate::default()
        })
        .to_vec();
    for e in &mut results.endpoints {
        (e.value, e.interval, e.bound, e.verdict) = (None, None, None, Some(Verdict::NotEvaluable));
    }
    results.conclusion = Verdict::NotEvaluable;
    results.curves = Curves::default();
    results.warnings.clear();
    results.method.intended_use_prevalence = None;
    source.lock = None;
    source.training.clear();
    source.device = Value::Null;
    source.recorded = Recorded { protocol: Value::Null, lock: None };
    source.protocol.gate = Gate::default();
    source.protocol.sample.target = None;
    source.protocol.endpoints.clear();
    source.openings.clear();
    source.digests.clear();
    source
}

pub(super) const HOSTILE: &str = "*Bold* _it_ `code` <script>alert(1)</script> #import \"/etc/passwd\" \
 $x^2$ | \
                       cell | [l](http://e.x) ![i](http://e.x/i.png) {{ 7*7 }} {% raw %} ~~~~{table} 0 \\ \
                       &amp; @ref <label> // /* \u{202e}evil \u{4e2d}\u{6587} \u{1f600} \u{0}";

/// Study text that tries to be markup, everywhere a study can put text.
pub fn hostile() -> Source {
    let mut source = realistic();
    let text = || HOSTILE.to_owned();
    let lines = format!("{HOSTILE}\n\n- {HOSTILE}\n\n~~~~{{table}} 0\n~~~~\n\n# {HOSTILE}\n<div>\n    code");
    source.description = Some(description(&[HOSTILE]));
    source.device = serde_json::json!({
    "submitter": {"name": HOSTILE, "address": lines, "contact": HOSTILE},
    "device": {"name": HOSTILE, "version": HOSTILE, "description": lines,
        "limitations": [HOSTILE, lines], "intended_use": lines},
    "predicate": {"name": HOSTILE},
        });
    let results = &mut source.results;
    results.study.title = text();
    results.study.id = text();
    results.study.finding = text();
    results.operating_point.provenance = lines.clone();
    results.readers[0].id = text();
    results.consensus.cases_without = vec![text()];
    results.flow.excluded[0].reason = text();
    results.cohort[0].level = text();
    results.warnings[0].message = lines.clone();
    results.agreement[0].model = Some(text());
    for e in &mut results.estimates {
        if e.subgroup == Some(SubgroupLevel::new("sex", "F")) {
            e.subgroup = Some(SubgroupLevel::new("sex", HOSTILE));
        }
    }
    source.run_id = text();
    source.protocol_text = format!("{lines}\n```\n~~~~\n~~~~~\n</code></pre><script>");
    if let Some(lock) = &mut source.lock {
        lock.experiment.experiment.stages[0].name = text();
        lock.gate.view = Some(vec![text()]);
    }
    source.protocol.endpoints[0].id = text();
    if let Some(lock) = &mut source.recorded.lock {
        lock["architecture"] = text().into();
        lock["experiment"]["initial_weights"] =
            serde_json::json!({"kind": "file", "name": lines, "sha256": HOSTILE});
        lock["experiment"]["experiment"]["stages"][0]["name"] = text().into();
        lock["preprocessing"][HOSTILE] = text().into();
    }
    source.recorded.protocol["study"]["title"] = text().into();
    source.openings[1].reason = Some(text());
    source
}

/// Twenty subgroup levels with absurd names, and one variable of a single level.
fn crowded() -> Source {
    let mut source = realistic();
    source.results.estimates.retain(|e| e.subgroup.is_none());
    for i in 0..34_u64 {
        let name = format!("site=Regional-Teaching-Hospital-With-A-Name-Of-No-Spaces-At-All-{i:02}");
        let mut list = subgroup(&name, 12 + 9 * i, 0.7 + 0.008 * i as f64);
        if i == 3 {
            for e in &mut list {
                (e.value, e.not_evaluable) = (None, Some("one class only".into()));
                e.intervals.clear();
            }
        }
        source.results.estimates.extend(list);
    }
    source.results.estimates.extend(subgroup("country=US", 978, 0.871));
    source
}

pub fn sources() -> Vec<(&'static str, Source)> {
    vec![
        ("realistic", realistic()),
        ("not-met", not_met()),
        ("empty", empty()),
        ("hostile", hostile()),
        ("crowded", crowded()),
    ]
}
