//! The bill of materials of a model: a CycloneDX component with a model card.

use serde_json::{Map, Value, json};

use super::bundled::{Bundled, Estimate, number, said, several};
use super::{head, property, sha256};

/// The data that the results rest on.
const TEST_SET: &str = "data-test-set";
/// The data that the model was trained on.
const TRAINING_SET: &str = "data-training-set";

/// The bill of materials of the device of a bundle: which model, on which data, how it performed with which
/// intervals, in which slices, and what people say of its use. Every number is the text of `results.json`.
pub fn model_bom(of: &Bundled) -> Value {
    let trained = of.lock.as_ref().map(|lock| &lock["experiment"]["training"]).filter(|t| t.is_object());
    let metadata = json!({
        "timestamp": of.created,
        "component": component(of, trained.is_some()),
    });
    let mut bom = head(&format!("model {}", of.root), &metadata);
    let mut data = vec![test_set(of)];
    data.extend(trained.map(training_set));
    let references: Vec<Value> = data.iter().map(|component| component["bom-ref"].clone()).collect();
    let mut dependencies = vec![json!({"ref": "model", "dependsOn": references})];
    dependencies.extend(references.iter().map(|reference| json!({"ref": reference})));
    bom["components"] = json!(data);
    bom["dependencies"] = json!(dependencies);
    bom
}

fn component(of: &Bundled, trained: bool) -> Value {
    let device = &of.device["device"];
    let mut out = Map::new();
    let mut put = |key: &str, value: Value| {
        out.insert(key.to_owned(), value);
    };
    put("type", json!("machine-learning-model"));
    put("bom-ref", json!("model"));
    put("name", json!(said(&device["name"]).unwrap_or("the device of the study")));
    if let Some(version) = said(&device["version"]) {
        put("version", json!(version));
    }
    if let Some(description) = said(&device["description"]) {
        put("description", json!(description));
    }
    if let Some(digest) = of.lock.as_ref().and_then(|lock| lock["weights"]["sha256"].as_str()) {
        put("hashes", sha256(digest));
    }
    put("modelCard", model_card(of, trained));
    let mut properties = vec![
        property("evidence-root-sha256", &of.root),
        property("study", &format!("{} version {}", of.study("id"), of.study("version"))),
        property("conclusion", of.results["conclusion"].as_str().unwrap_or_default()),
        property("synthetic", if of.results["study"]["synthetic"] == true { "true" } else { "false" }),
    ];
    if of.results["study"]["rehearsal"] == true {
        properties.push(property("rehearsal", "true"));
    }
    for endpoint in of.results["endpoints"].as_array().into_iter().flatten() {
        let text = |key: &str| endpoint[key].as_str().unwrap_or("none").to_owned();
        let bound = number(&endpoint["bound"]).unwrap_or_else(|| "none".to_owned());
        let told = format!("{}: {}, bound {bound}", text("verdict"), text("criterion"));
        properties.push(property(&format!("endpoint:{}", text("id")), &told));
    }
    put("properties", json!(properties));
    Value::Object(out)
}

fn model_card(of: &Bundled, trained: bool) -> Value {
    let mut parameters = json!({
        "task": "classification",
        "inputs": [{"format": "image"}],
        "outputs": [{"format": "score"}],
    });
    let mut datasets = vec![json!({"ref": TEST_SET})];
    if let Some(lock) = &of.lock {
        if let Some(architecture) = said(&lock["architecture"]) {
            parameters["modelArchitecture"] = json!(architecture);
        }
        if trained {
            parameters["approach"] = json!({"type": "supervised"});
            datasets.push(json!({"ref": TRAINING_SET}));
        }
    }
    parameters["datasets"] = json!(datasets);
    let metrics: Vec<Value> = of.estimates().flat_map(performance).collect();
    let mut card = json!({
        "modelParameters": parameters,
        "quantitativeAnalysis": {"performanceMetrics": metrics},
    });
    let considerations = considerations(&of.device["device"]);
    if !considerations.is_empty() {
        card["considerations"] = Value::Object(considerations);
    }
    card
}

/// One entry an interval; one without where there is none, and with the reason where there is no value.
fn performance(estimate: Estimate<'_>) -> Vec<Value> {
    let mut parts: Vec<String> =
        estimate.level().map(|(variable, level)| format!("{variable}={level}")).into_iter().collect();
    parts.extend(estimate.conditions().into_iter().map(|(key, value)| format!("{key}={value}")));
    let entry = |kind: String, value: String| {
        let mut entry = json!({"type": kind, "value": value});
        if !parts.is_empty() {
            entry["slice"] = json!(parts.join("; "));
        }
        entry
    };
    let Some(value) = estimate.value() else {
        let why = estimate.0["not_evaluable"].as_str().unwrap_or("no reason was recorded");
        return vec![entry(estimate.id().to_owned(), format!("not evaluable: {why}"))];
    };
    let with: Vec<Value> = estimate
        .intervals()
        .map(|interval| {
            let written = |key: &str| number(&interval[key]).unwrap_or_default();
            let method = interval["method"].as_str().unwrap_or_default();
            let kind = format!("{} ({method}, level {})", estimate.id(), written("level"));
            let mut entry = entry(kind, value.clone());
            entry["confidenceInterval"] =
                json!({"lowerBound": written("lower"), "upperBound": written("upper")});
            entry
        })
        .collect();
    if with.is_empty() { vec![entry(estimate.id().to_owned(), value)] } else { with }
}

fn considerations(device: &Value) -> Map<String, Value> {
    let mut out = Map::new();
    let uses = [several(&device["intended_use"]), several(&device["indications"])].concat();
    for (key, texts) in [
        ("users", several(&device["users"])),
        ("useCases", uses),
        ("technicalLimitations", several(&device["limitations"])),
        ("performanceTradeoffs", several(&device["clinical_impact"])),
    ] {
        if !texts.is_empty() {
            out.insert(key.to_owned(), json!(texts));
        }
    }
    out
}

fn data(
    reference: &str,
    name: &str,
    description: &str,
    digest: Option<&str>,
    counts: &[(&str, &Value)],
) -> Value {
    let properties: Vec<Value> =
        counts.iter().filter_map(|(key, value)| Some(property(key, &number(value)?))).collect();
    let mut component = json!({
        "type": "data",
        "bom-ref": reference,
        "name": name,
        "description": description,
        "data": [{"type": "dataset", "name": name}],
    });
    if let Some(digest) = digest {
        component["hashes"] = sha256(digest);
    }
    if !properties.is_empty() {
        component["properties"] = json!(properties);
    }
    component
}

fn test_set(of: &Bundled) -> Value {
    let flow = &of.results["flow"];
    let digest = of.digest("cases.csv");
    let description = "The sealed cohort of the study; the digest is that of its list (data/cases.csv).";
    let counts = [
        ("cases", &flow["analysed"]),
        ("patients", &flow["analysed_patients"]),
        ("positives", &flow["positives"]),
        ("negatives", &flow["negatives"]),
    ];
    data(TEST_SET, "test set", description, digest.as_deref(), &counts)
}

fn training_set(training: &Value) -> Value {
    let description = "The cases that the model was trained on; the digest is that of their list.";
    let counts = [
        ("cases", &training["cases"]),
        ("patients", &training["patients"]),
        ("positives", &training["positives"]),
    ];
    data(TRAINING_SET, "training set", description, training["manifest_sha256"].as_str(), &counts)
}
