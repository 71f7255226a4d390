//! A reader study for machines: the JSON `sequester-reader-study/1`.

use serde_json::{Map, Value, json};

use super::figures_of_merit::{Line, Merit};
use super::report::Report;

/// A number, or nothing where there is none.
fn number(x: f64) -> Value {
    if x.is_finite() { json!(x) } else { Value::Null }
}

fn line_json(line: &Line) -> Value {
    let mut out = json!({"of": line.of, "estimate": number(line.value)});
    if let (Some(found), Some(fields)) = (line.found, out.as_object_mut()) {
        let more = json!({
            "standard_error": found.se, "lower": found.limits.0, "upper": found.limits.1,
            "degrees_of_freedom": found.df.map(number), "statistic": number(found.statistic),
            "p": number(found.p),
        });
        fields.extend(more.as_object().cloned().unwrap_or_default());
    }
    out
}

impl Report {
    /// For machines: `sequester-reader-study/1`.
    pub fn json(&self) -> Value {
        let merit = |merit: &Merit| {
            let sections: Vec<Value> = merit
                .sections
                .iter()
                .map(|section| {
                    let global = section.global.map(|(name, statistic, df1, df2, p)| {
                        json!({"statistic": name, "value": statistic, "df1": df1, "df2": df2, "p": p})
                    });
                    json!({
                        "id": section.id, "method": section.method, "all_alike": global,
                        "lines": section.lines.iter().map(line_json).collect::<Vec<_>>(),
                    })
                })
                .collect();
            let each: Vec<Value> = merit
                .each
                .iter()
                .map(|(m, r, x)| json!({"modality": self.modalities[*m], "reader": r, "value": number(*x)}))
                .collect();
            let components: Map<String, Value> =
                merit.components.iter().map(|(name, x)| ((*name).to_owned(), number(*x))).collect();
            json!({
                "metric": merit.metric, "readers": each, "components": components, "sections": sections,
                "warnings": merit.warnings,
            })
        };
        let decision =
            self.decision.as_ref().map(|d| json!({"of": d.of, "shown": d.shown, "words": d.words}));
        json!({
            "format": "sequester-reader-study/1", "level": self.level, "modalities": self.modalities,
            "readers": self.readers, "negatives": self.cases[0], "positives": self.cases[1],
            "ratings": self.ratings, "patients": self.patients, "design": self.design,
            "merits": self.merits.iter().map(merit).collect::<Vec<_>>(),
            "decision": decision,
        })
    }
}
