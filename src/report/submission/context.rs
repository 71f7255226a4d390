//! What a submission says beside its text, and what its templates see under a name.

use serde_json::{Value as Json, json};

use super::source::Source;
use super::subgroups::is_insufficient;
use super::tables::comparisons;
use super::truth;
use super::values::{at, words};
use crate::document::trace::numerals::{Numeral, numerals};
use crate::document::tree::Facts;
use crate::document::{format, text};
use crate::evidence::amendment::Amendment;
use crate::protocol::Against;
use crate::report::banner::{SYNTHETIC_BANNER, banner_of};
use crate::report::graph;
use crate::report::wording;
use crate::study::results::{ComparisonResult, EndpointResult, Rules, Verdict};

/// What a submission says beside its text.
pub fn facts(source: &Source) -> Facts {
    let word = |path: [&str; 2]| {
        source.device.get(path[0]).and_then(|v| v.get(path[1])).and_then(|v| v.as_str()).unwrap_or_default()
    };
    let study = &source.results.study;
    let device =
        if word(["device", "name"]).trim().is_empty() { &study.title } else { word(["device", "name"]) };
    Facts {
        title: study.title.clone(),
        running_title: text::fit(
            &text::one_line(&format!("{device} \u{2013} study {} version {}", study.id, study.version)),
            8.0,
            460.0,
        ),
        author: text::one_line(word(["submitter", "name"])),
        banner: banner_of(study.synthetic, study.rehearsal, amended_after_opening(source)),
        footer: text::one_line(&format!(
            "Evidence {} \u{2013} root digest {}\u{2026}",
            text::fit(&text::one_line(&source.run_id), 8.0, 220.0),
            source.root_digest.get(..16).unwrap_or(&source.root_digest)
        )),
        date: source.date.clone(),
        identifier: format!("{} {} {}", study.id, source.run_id, source.root_digest),
    }
}

/// What templates see under a name.
pub fn context(source: &Source) -> Json {
    let results = &source.results;
    let endpoint = |e: &EndpointResult| {
        let style = wording::style_of(e.metric.id(), false);
        json!({
            "id": e.id,
            "metric": wording::metric(e.metric.id()),
            "role": e.role,
            "criterion": e.criterion,
            "value": e.value.map(|v| format::number(v, style)),
            "limits": e.interval.as_ref().map(|i| wording::limits(i, style)),
            "level": format::level(e.interval.as_ref().map_or(results.method.level, |i| i.level)),
            "bound": e.bound.map(|b| format::bound(b, e.criterion.as_deref())),
            "verdict": wording::verdict(e.verdict),
            "fallback": wording::fallback(e),
        })
    };
    let endpoints: Vec<Json> = results.endpoints.iter().map(endpoint).collect();
    let comparison = |c: &ComparisonResult| {
        let style = wording::style_of(c.metric.id(), false);
        json!({
            "id": c.id,
            "what": comparisons::aim_in_words(c),
            "role": c.role,
            "value": c.difference.map(|v| format::number(v, style)),
            "limits": c.interval.as_ref().map(|i| wording::limits_beside_margin(c, i, results.rules())),
            "level": format::level(c.interval.as_ref().map_or(results.method.level, |i| i.level)),
            "verdict": wording::verdict(Some(c.verdict)),
            "fallback": comparisons::why_not_declared(c),
        })
    };
    let comparisons: Vec<Json> = results.comparisons.iter().map(comparison).collect();
    let mut context = json!({
        "study": results.study,
        "flow": results.flow,
        "consensus": results.consensus,
        "reference": truth::context(source),
        "readers": results.readers,
        "operating_point": results.operating_point,
        "exact_threshold": results.operating_point.threshold.to_string(),
        "method": {
            "level": format::level(results.method.level),
            "resampling_unit": wording::resampling_unit(results.method.resampling_unit),
            "replicates": results.method.replicates,
            "seed": results.method.seed.to_string(),
            "subgroup_minimum": results.method.subgroup_minimum,
            "intended_use_prevalence": results.method.intended_use_prevalence.map(format::prevalence),
            "multiplicity": wording::multiplicity(&results.method),
            "program_version": results.method.program_version,
        },
        "endpoints": endpoints,
        "comparisons": comparisons,
        "conclusion": wording::verdict(Some(results.conclusion)),
        "conclusion_withheld": conclusion_withheld(source),
        "typed_numbers": typed_numbers(&source.device),
        "warnings": results.warnings,
        // A rehearsal's reads were made by a program as well.
        "synthetic": results.study.synthetic || results.study.rehearsal,
        "banner": banner_of(results.study.synthetic, results.study.rehearsal, false)
            .unwrap_or_else(|| SYNTHETIC_BANNER.to_owned()),
        "protocol": source.recorded.protocol,
        "protocol_text": source.protocol_text,
        "lock": source.recorded.lock,
        "openings": source.openings,
        "root_digest": source.root_digest,
        "run_id": source.run_id,
        "date": source.date,
        "program_version": source.program_version,
        "rounding_rule": format::RULE,
    });
    for more in [what_there_is(source), of_readers(source)] {
        if let (Json::Object(context), Json::Object(more)) = (&mut context, more) {
            context.extend(more);
        }
    }
    if let (Json::Object(context), Some(amendments)) = (&mut context, of_reads_alone(source)) {
        context.insert("amendments".to_owned(), amendments);
    }
    context
}

/// Which parts a document of this study has.
fn what_there_is(source: &Source) -> Json {
    let results = &source.results;
    json!({
        "has_model": source.lock.is_some(),
        "has_description": source.description.is_some(),
        "has_development": source.description.as_ref().is_some_and(|d| d.sets.len() > 1),
        "has_findings":
            source.description.as_ref().is_some_and(|d| d.sets.iter().any(|s| !s.findings.is_empty())),
        "has_training": !source.training.is_empty(),
        "has_precision_recall": !results.curves.precision_recall.is_empty(),
        "has_subgroups": results.estimates.iter().any(|e| e.subgroup.is_some()),
        "has_comparisons": !results.comparisons.is_empty(),
        "has_comparison_readers": results.comparisons.iter().any(|c| c.against == Against::ComparisonReaders),
        "has_repeatability": results.repeatability.is_some(),
        "has_conditions":
            results.repeatability.as_ref().is_some_and(|found| !found.conditions.is_empty()),
        "has_triage": results.triage.is_some(),
        "has_processing_time": results.triage.as_ref().is_some_and(|triage| triage.processing.is_some()),
        "has_waiting": results.triage.as_ref().is_some_and(|triage| triage.waiting.is_some()),
        // Readers with the device beside readers without it.
        "has_aided_readers": results.reader_study.is_some()
            && source.protocol.reader_study.as_ref().is_some_and(|study| study.aided.is_some()),
        "has_family": results.family.is_some(),
        "has_graph": graph::Drawn::of(&source.protocol).is_some(),
        "has_sample_sizes": !results.sample_sizes.is_empty(),
        "has_plan": results.sample_sizes.iter().any(|size| size.plan.is_some())
            || results.comparisons.iter().any(|c| source.protocol.planning.of_id(&c.id).is_some()),
        "has_sites": results.poolability.is_some(),
        "has_scenarios": results.estimates.iter().any(|e| e.scenario.is_some()),
        "any_insufficient":
            results.estimates.iter().any(|e| e.subgroup.is_some() && is_insufficient(results, e)),
        "has_target": source.protocol.sample.target.is_some(),
        "has_sampling": results.sampling.is_some(),
        "has_weighted": results.sampling.as_ref().is_some_and(|sampling| sampling.weighted.is_some()),
        "enriched": source.protocol.sample.target.as_ref().is_some_and(|target| target.positives.is_some()),
        "has_amendments": !source.amendments.is_empty(),
        "amended_after_opening": amended_after_opening(source),
        "has_deviations": !source.deviations.is_empty(),
        "clock_set": source.clock_set,
        "examined": source.examined,
        "scores_external": source.protocol.scores.external,
    })
}

/// Whether the protocol was amended after the test set was opened.
fn amended_after_opening(source: &Source) -> bool {
    source.amendments.iter().any(Amendment::is_after_opening)
}

/// What templates of earlier versions list, who say that nothing but words and columns of `[reads]` was
/// changed before the opening: where that is not so they are given nothing, and stop rather than say it.
fn of_reads_alone(source: &Source) -> Option<Json> {
    let of_reads = |amendment: &Amendment| {
        let changes = amendment.meaning.iter().flat_map(|meaning| &meaning.changes);
        !amendment.is_after_opening()
            && amendment.meaning.is_some()
            && changes.into_iter().all(|change| change.key.starts_with("reads."))
    };
    let told = |a: &Amendment| json!({"date": a.at, "by": a.by, "reason": a.reason});
    let all = source.amendments.iter().all(of_reads);
    all.then(|| source.amendments.iter().map(told).collect())
}

/// What there is of the readers.
fn of_readers(source: &Source) -> Json {
    let results = &source.results;
    json!({
        "has_pairs": !results.agreement_explained.is_empty(),
        "has_agreement_by_group": !results.agreement_by_group.is_empty(),
        "has_ordinal_agreement": !results.ordinal_agreement.is_empty(),
        "has_intra_reader": !results.intra_reader.is_empty(),
        "has_other_standards": results.other_standards.is_some(),
        "has_beside_readers": results.beside_readers.is_some(),
    })
}

/// Why the submitter's conclusion is not printed; nothing where it is.
fn conclusion_withheld(source: &Source) -> Vec<String> {
    let results = &source.results;
    let given = |path: &str| at(&source.device, path).is_some_and(|v| !words(v).trim().is_empty());
    let conditions = [
        (results.conclusion == Verdict::Met, "the primary endpoints are not all met"),
        (!results.study.synthetic, "cases are synthetic"),
        (!results.study.rehearsal, "this is a rehearsal: scores and reads were simulated"),
        (!amended_after_opening(source), "the protocol was amended after the test set was opened"),
        (given("predicate.name"), "the submitter names no predicate"),
        (given("nonclinical.summary"), "there is no summary of the non-clinical data"),
        (given("conclusion.text"), "the submitter has written none"),
    ];
    let mark = if results.rules() == Rules::Current { "" } else { ";" };
    let reasons = conditions.into_iter().filter(|(holds, _)| !holds);
    reasons.map(|(_, reason)| format!("{reason}{mark}")).collect()
}

/// Decimals and percentages in the submitter's words: which field holds which.
fn typed_numbers(device: &Json) -> Vec<Json> {
    fn walk(value: &Json, path: &str, out: &mut Vec<Json>) {
        match value {
            Json::Object(fields) => {
                for (key, value) in fields {
                    let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                    walk(value, &path, out);
                }
            }
            Json::Array(items) => items.iter().for_each(|item| walk(item, path, out)),
            Json::String(text) => {
                let numbers = typed_in(text);
                if !numbers.is_empty() {
                    out.push(json!({"path": path, "numbers": numbers.join(", ")}));
                }
            }
            Json::Number(number) if number.is_f64() => {
                out.push(json!({"path": path, "numbers": number.to_string()}));
            }
            _ => {}
        }
    }
    let mut out = Vec::new();
    walk(device, "", &mut out);
    out
}

/// Numbers of a text that may be results: with decimals, or a sign of percent. `1.2.3` is a version and
/// `892.2080` after CFR a clause.
fn typed_in(text: &str) -> Vec<String> {
    let is_clause = |numeral: &Numeral| {
        let before = text[..numeral.at.start].split_whitespace().next_back().unwrap_or_default();
        matches!(before, "CFR" | "CFR," | "Part" | "version" | "Version" | "v") && !numeral.percent
    };
    numerals(text)
        .into_iter()
        .filter(|numeral| !numeral.in_name && (numeral.percent || numeral.decimals() > 0))
        .filter(|numeral| !is_clause(numeral))
        .map(|numeral| format!("{}{}", numeral.digits, if numeral.percent { "%" } else { "" }))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_and_percentages_in_typed_words_are_found_and_versions_are_not() {
        let text =
            "Sensitivity was 0.87 (95% of sites), AUC 0.91; version 2.1, 21 CFR 892.2080, 1.2.3, 40 cases.";
        assert_eq!(typed_in(text), ["0.87", "95%", "0.91"]);
        assert_eq!(
            typed_in("A sensitivity of 87 % (0.82-0.91), in 1,234.5 hours."),
            ["87%", "0.82", "0.91", "1,234.5"]
        );
        let device = json!({"device": {"description": "AUC 0.9.", "limitations": ["none", "below 50%"]}});
        let found = typed_numbers(&device);
        assert_eq!(found[0], json!({"path": "device.description", "numbers": "0.9"}));
        assert_eq!(found[1], json!({"path": "device.limitations", "numbers": "50%"}));
    }
}
