//! The model card for programs: as JSON, and as XML of the applied model card of the Coalition for Health AI,
//! schema v0.2. Both say what the card for people says, from the same facts.

use serde_json::{Value as Json, json};

use super::shared::Shared;
use super::{drafts, facts};
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::document::text;
use crate::evidence::amendment::Amendment;
use crate::report::banner::banner_of;
use crate::report::submission::{Source, TO_COMPLETE, at, words};
use crate::report::wording;
use crate::study::results::{Rules, Verdict};

/// The namespace of the schema.
const NAMESPACE: &str = "https://mc.chai.org/v0.2/schema.xsd";

fn field(source: &Source, path: &str) -> String {
    let typed = at(&source.device, path).map(|value| match value {
        Json::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(" "),
        other => words(other),
    });
    typed
        .map(|t| text::clean(&t).trim().to_owned())
        .filter(|t| !t.is_empty())
        .unwrap_or_else(|| TO_COMPLETE.to_owned())
}

/// Several fields in one text; those that are empty are left out where one is filled.
fn several(source: &Source, paths: &[&str]) -> String {
    let all: Vec<String> =
        paths.iter().map(|path| field(source, path)).filter(|t| t != TO_COMPLETE).collect();
    if all.is_empty() { TO_COMPLETE.to_owned() } else { all.join("\n\n") }
}

/// Accepted limitations, and how many drafts are not decided.
fn limitations(source: &Source) -> (Vec<String>, usize) {
    let (drafts, _) = drafts::decided(source);
    let undecided = drafts.iter().filter(|d| d.decision.is_none()).count();
    let accepted = drafts
        .into_iter()
        .filter(|d| d.decision.as_ref().is_some_and(|decision| decision.accepted))
        .map(|d| d.draft.sentence)
        .collect();
    (accepted, undecided)
}

/// Whether the data say something about patients; in words where they do not.
/// Whether the card has to say that the protocol was amended after the opening; cards of versions before
/// 1.1 do not.
fn amended_late(source: &Source) -> bool {
    source.results.rules() == Rules::Current && source.amendments.iter().any(Amendment::is_after_opening)
}

fn caveat(source: &Source) -> Option<String> {
    let study = &source.results.study;
    banner_of(study.synthetic, study.rehearsal, amended_late(source))
}

/// `model-card.json`.
///
/// # Errors
/// None that a bundle can cause.
pub fn json(shared: &Shared) -> Result<Vec<u8>> {
    let source = &shared.source;
    let results = &source.results;
    let (accepted, undecided) = limitations(source);
    let primary = results.estimates.iter().filter(|e| e.subgroup.is_none() && e.scenario.is_none());
    let subgroups = results.estimates.iter().filter(|e| e.subgroup.is_some() && e.scenario.is_none());
    let typed = |paths: &[&str]| -> Json {
        let pairs = paths.iter().map(|path| {
            let value = at(&source.device, path).filter(|v| !words(v).trim().is_empty()).cloned();
            ((*path).to_owned(), value.unwrap_or(Json::Null))
        });
        Json::Object(pairs.collect())
    };
    let mut card = json!({
        "format": "sequester-model-card/1",
        "caveat": caveat(source),
        "study": {"id": results.study.id, "version": results.study.version, "title": results.study.title,
            "finding": results.study.finding},
        "evidence": {"run": source.run_id, "root_sha256": source.root_digest, "date": source.date},
        "typed_by_the_submitter": typed(&[
            "device.name", "device.version", "submitter.name", "submitter.contact", "device.intended_use",
            "device.indications", "device.users", "device.environment", "device.workflow",
            "device.automation",
            "device.benefits", "device.limitations", "labelling.warnings", "device.regulatory_status",
            "databases.training", "databases.validation", "monitoring.plan", "device.update",
        ]),
        "model": {
            "architecture": source.lock.as_ref().map(|lock| lock.architecture.to_string()),
            "weights_sha256": source.lock.as_ref().map(|lock| lock.weights.sha256.to_string()),
            "threshold": results.operating_point.threshold,
            "threshold_chosen_by": results.operating_point.rule,
            "threshold_from": results.operating_point.provenance,
        },
        "test_data": {"flow": results.flow, "cohort": results.cohort, "consensus": {
            "positive": results.consensus.positive, "negative": results.consensus.negative,
            "none": results.consensus.none}},
        "endpoints": results.endpoints,
        "conclusion": wording::verdict(Some(results.conclusion)),
        "estimates": primary.collect::<Vec<_>>(),
        "subgroups": subgroups.collect::<Vec<_>>(),
        "limitations": {"accepted": accepted, "drafted_and_not_decided": undecided},
    });
    if let (Json::Object(card), true) =
        (&mut card, !results.comparisons.is_empty() && results.rules() == Rules::Current)
    {
        card.insert("comparisons".to_owned(), json!(results.comparisons));
    }
    let mut bytes = serde_json::to_vec_pretty(&card)
        .map_err(|e| Diagnostic::error(Code::TemplateContext, e.to_string()))?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// An element with text, or with elements.
enum Node {
    Text(&'static str, String),
    Parent(&'static str, Vec<Node>),
}

use Node::{Parent, Text};

fn write(node: &Node, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    match node {
        Text(name, words) => {
            out.push_str(&format!("{indent}<{name}>{}</{name}>\n", text::html(words)));
        }
        Parent(name, children) => {
            out.push_str(&format!("{indent}<{name}>\n"));
            children.iter().for_each(|child| write(child, depth + 1, out));
            out.push_str(&format!("{indent}</{name}>\n"));
        }
    }
}

/// `model-card-chai.xml`. What the schema asks for and nobody typed is said to be open.
pub fn xml(shared: &Shared) -> Vec<u8> {
    let source = &shared.source;
    let children = [
        basic(source),
        release(source),
        summary(source),
        uses(source),
        warnings(source),
        trust(source),
        metrics(source),
        resources(source),
        Text("Bibliography", "none".to_owned()),
    ];
    let mut out =
        format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<AppliedModelCard xmlns=\"{NAMESPACE}\">\n");
    children.iter().for_each(|child| write(child, 1, &mut out));
    out.push_str("</AppliedModelCard>\n");
    out.into_bytes()
}

fn basic(source: &Source) -> Node {
    Parent(
        "BasicInfo",
        vec![
            Text("ModelName", field(source, "device.name")),
            Text("ModelDeveloper", field(source, "submitter.name")),
            Text(
                "DeveloperContact",
                several(source, &["submitter.contact", "submitter.address", "submitter.phone"]),
            ),
        ],
    )
}

fn release(source: &Source) -> Node {
    Parent(
        "ReleaseInfo",
        vec![
            Text("ReleaseStage", field(source, "device.regulatory_status")),
            Text("ReleaseDate", field(source, "software.versions")),
            Text("ReleaseVersion", field(source, "device.version")),
            Text("GlobalAvailability", field(source, "clinical.availability")),
            Text("RegulatoryApproval", field(source, "device.regulatory_status")),
        ],
    )
}

fn summary(source: &Source) -> Node {
    let results = &source.results;
    let mut words = vec![field(source, "device.description")];
    words.extend(caveat(source));
    let keywords = vec![Text("Keyword", results.study.finding.clone())];
    Parent("ModelSummary", vec![Text("Summary", words.join("\n\n")), Parent("Keywords", keywords)])
}

fn uses(source: &Source) -> Node {
    Parent(
        "UsesAndDirections",
        vec![
            Text("IntendedUseAndWorkflow", several(source, &["device.intended_use", "device.workflow"])),
            Text("PrimaryIntendedUsers", field(source, "device.users")),
            Text("HowToUse", field(source, "device.operating_instructions")),
            Text("TargetedPatientPopulation", field(source, "device.indications")),
            Text(
                "CautionedOutOfScopeSettings",
                several(source, &["device.limitations", "device.generalisability"]),
            ),
        ],
    )
}

fn warnings(source: &Source) -> Node {
    let (accepted, undecided) = limitations(source);
    let mut known = vec![several(source, &["device.limitations", "labelling.warnings"])];
    known.extend(accepted);
    if undecided > 0 {
        known.push(format!("{undecided} limitations drafted from the results are not decided yet."));
    }
    Parent(
        "Warnings",
        vec![
            Text("KnownRisksAndLimitations", known.join("\n\n")),
            Text(
                "KnownBiasesOrEthicalConsiderations",
                several(source, &["databases.limitations", "risk.hazards"]),
            ),
            Text("ClinicalRiskLevel", several(source, &["device.class", "device.clinical_impact"])),
        ],
    )
}

fn trust(source: &Source) -> Node {
    let results = &source.results;
    let model = source.lock.as_ref().map_or_else(
        || "Scored elsewhere; the model is not part of the evidence.".to_owned(),
        |lock| format!("Machine learning: convolutional network {}.", lock.architecture),
    );
    let output = format!(
        "One score a case; positive where it is at least {}.",
        crate::document::format::threshold(results.operating_point.threshold)
    );
    Parent(
        "TrustIngredients",
        vec![
            Parent(
                "AISystemFacts",
                vec![
                    Text("OutcomesAndOutputs", output),
                    Text("ModelType", model),
                    Text("InputDataSource", field(source, "databases.validation")),
                    Text(
                        "OutputAndInputDataTypes",
                        "Input: one chest radiograph. Output: a score and a call.".to_owned(),
                    ),
                    Text("DevelopmentDataCharacterization", field(source, "databases.training")),
                    Text(
                        "BiasMitigationApproaches",
                        several(source, &["databases.diversity", "databases.representativeness"]),
                    ),
                    Text("OngoingMaintenance", several(source, &["monitoring.plan", "device.update"])),
                    Text(
                        "Security",
                        several(source, &["cybersecurity.processes", "cybersecurity.documents"]),
                    ),
                    Text("Transparency", field(source, "device.explanation")),
                ],
            ),
            Parent(
                "TransparencyInformation",
                vec![
                    Text("FundingSource", field(source, "clinical.funding")),
                    Text("ThirdPartyInformation", field(source, "software.components")),
                    Text("StakeholdersConsulted", field(source, "quality.expertise")),
                ],
            ),
        ],
    )
}

fn metrics(source: &Source) -> Node {
    let results = &source.results;
    let goals: Vec<String> = results
        .endpoints
        .iter()
        .map(|e| {
            let goal = e.criterion.clone().unwrap_or_else(|| "no criterion".to_owned());
            format!("{} ({}): {goal}", wording::metric(e.metric.id()), e.role.name())
        })
        .collect();
    let goals = if goals.is_empty() { "no endpoint is declared".to_owned() } else { goals.join("; ") };
    let result = |label: String, value: &Json| {
        Parent("MetricResult", vec![Text("Label", label), Text("ValueJson", value.to_string())])
    };
    let overall: Vec<Node> = ["auc", "sensitivity", "specificity"]
        .iter()
        .filter_map(|id| facts::estimate(source, id))
        .map(|e| {
            result(wording::metric(&e.id), &json!({"value": e.value, "n": e.n, "intervals": e.intervals}))
        })
        .collect();
    let groups: Vec<Node> = results
        .estimates
        .iter()
        .filter(|e| e.scenario.is_none() && matches!(e.id.as_str(), "auc" | "sensitivity" | "specificity"))
        .filter_map(|e| {
            let name = e.subgroup.as_ref()?.to_string();
            let value = json!({"value": e.value, "n": e.n, "intervals": e.intervals});
            Some(result(format!("{}, {name}", wording::metric(&e.id)), &value))
        })
        .collect();
    let c = &results.curves.confusion;
    let safety = vec![result("Calls beside the reference standard".to_owned(), &json!(c))];
    let data = format!(
        "{} cases of {} patients, {} positive and {} negative by the reference standard.",
        results.flow.analysed, results.flow.analysed_patients, results.flow.positives, results.flow.negatives
    );
    let verdict = match results.conclusion {
        Verdict::Met => "Every primary endpoint of the protocol is met.",
        Verdict::NotMet => "At least one primary endpoint of the protocol is not met.",
        Verdict::NotEvaluable => "At least one primary endpoint of the protocol is not evaluable.",
    };
    let metric = |name: &'static str, goal: &str, results: Vec<Node>, meaning: &str| {
        let none = || vec![result("not evaluable".to_owned(), &Json::Null)];
        Parent(
            name,
            vec![
                Text("MetricGoal", goal.to_owned()),
                Parent("Results", if results.is_empty() { none() } else { results }),
                Text("Interpretation", meaning.to_owned()),
                Text("TestType", "Standalone performance study; no reader study.".to_owned()),
                Text("TestingDataDescription", data.clone()),
                Text(
                    "ValidationProcessAndJustification",
                    if amended_late(source) {
                        "A protocol that was amended after the test set was opened; the evidence can be \
                         verified, and says what was changed."
                    } else {
                        "A protocol locked before the test set was opened; the evidence can be verified."
                    }
                    .to_owned(),
                ),
            ],
        )
    };
    let described = "Subgroups describe; those with few cases show little.";
    Parent(
        "KeyMetrics",
        vec![
            metric("UsefulnessUsabilityEfficacy", &goals, overall, verdict),
            metric("FairnessEquity", "none declared", groups, described),
            metric(
                "SafetyReliability",
                "none declared",
                safety,
                "Missed and falsely called cases in the sample.",
            ),
        ],
    )
}

fn resources(source: &Source) -> Node {
    Parent(
        "Resources",
        vec![
            Text("EvaluationReferences", format!("Validation report, run {}.", source.run_id)),
            Text("ClinicalTrial", field(source, "clinical.registration")),
            Text("PeerReviewedPublications", field(source, "clinical.protocol_access")),
            Text("PatientConsentOrDisclosure", field(source, "clinical.protection")),
        ],
    )
}
