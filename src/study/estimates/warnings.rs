//! What the reader of the results has to know.

use std::collections::BTreeSet;

use crate::diagnostic::Code;
use crate::protocol::{Fallback, Protocol};
use crate::statistics::estimate::Quantity;
use crate::statistics::metric::Metric;
use crate::statistics::warning::Warning;
use crate::study::results::{Results, SiteAnswer};

pub(super) fn warnings(results: &Results, protocol: &Protocol) -> Vec<Warning> {
    let mut warnings = BTreeSet::new();
    let mut warn = |code: Code, message: String| {
        warnings.insert(Warning { code, message });
    };
    let flow = &results.flow;
    if results.study.synthetic {
        warn(
            Code::Synthetic,
            "The cases were made by a program. Nothing here says anything about patients.".to_owned(),
        );
    }
    if results.study.rehearsal {
        warn(
            Code::Rehearsal,
            "This is a rehearsal: scores and reads were simulated. Nothing here says anything about the \
             device."
                .to_owned(),
        );
    }
    if flow.analysed > flow.analysed_patients {
        let ignoring: Vec<&str> = results
            .endpoints
            .iter()
            .filter(|e| e.fallback.as_ref().is_some_and(|f| f.reason == Code::ClusteringIgnored))
            .map(|e| e.id.as_str())
            .collect();
        if !ignoring.is_empty() {
            warn(
                Code::ClusteredCases,
                format!(
                    "{} cases come from {} patients. The declared intervals of {} take cases as \
                     independent, so they do not decide.",
                    flow.analysed,
                    flow.analysed_patients,
                    ignoring.join(", "),
                ),
            );
        }
    }
    for endpoint in &results.endpoints {
        let Some(fallback) = &endpoint.fallback else { continue };
        let of = endpoint.metric.quantity();
        let decided = match &endpoint.interval {
            Some(interval) => format!("the interval by {} decides", interval.method.describe(of)),
            None if fallback.rule == Fallback::None => {
                "the protocol declares that no other interval decides".to_owned()
            }
            None => "no other interval can decide on these cases".to_owned(),
        };
        warn(
            Code::FallbackDecided,
            format!(
                "{}, declared by {}: {} ({}); {decided}.",
                endpoint.id,
                endpoint.interval_method.describe(of),
                fallback.message,
                fallback.reason
            ),
        );
    }
    for compared in &results.comparisons {
        let Some(fallback) = &compared.fallback else { continue };
        let of = Quantity::Projected;
        let decided = match &compared.interval {
            Some(interval) => format!("the interval by {} decides", interval.method.describe(of)),
            None => "no other interval decides".to_owned(),
        };
        warn(
            Code::FallbackDecided,
            format!(
                "{}, by {}: {} ({}); {decided}.",
                compared.id,
                compared.interval_method.describe(of),
                fallback.message,
                fallback.reason
            ),
        );
    }
    if flow.without_consensus > 0 {
        warn(
            Code::NoConsensus,
            format!(
                "{} of {} cases have no {}.",
                flow.without_consensus,
                flow.sampled,
                if protocol.reference_standard.rule.is_vote() { "consensus" } else { "reference standard" }
            ),
        );
    }
    if flow.without_score > 0 {
        warn(Code::NoScore, format!("{} of {} cases have no score.", flow.without_score, flow.sampled));
    }
    for reason in flow.excluded.iter().filter(|r| r.count_any == 0) {
        warn(Code::CriterionMatchedNothing, format!("The criterion {} excluded no case.", reason.id));
    }
    let small: BTreeSet<String> = results
        .estimates
        .iter()
        .filter(|e| e.n < results.method.subgroup_minimum)
        .filter_map(|e| e.subgroup.as_ref().map(ToString::to_string))
        .collect();
    if !small.is_empty() {
        let list = small.into_iter().collect::<Vec<_>>().join(", ");
        let minimum = results.method.subgroup_minimum;
        warn(Code::SubgroupInsufficient, format!("Fewer than {minimum} cases: {list}."));
    }
    if protocol.endpoints.iter().any(|e| e.metric == Metric::F1) {
        warn(
            Code::PrevalenceDependent,
            format!(
                "F1, PPV and NPV depend on the prevalence; in the analysed set it is {} of {}.",
                flow.positives, flow.analysed
            ),
        );
    }
    if let Some(weighted) = results.sampling.as_ref().and_then(|sampling| sampling.weighted.as_ref()) {
        let prevalence = weighted.estimates.iter().find(|e| e.id == "prevalence").and_then(|e| e.value);
        warn(
            Code::PrevalenceDependent,
            format!(
                "The sample was drawn by strata: F1, PPV, NPV and accuracy of the analysed set hold at its \
                 prevalence, {} of {}. Weighted, the prevalence among the cases that could be drawn is {}.",
                flow.positives,
                flow.analysed,
                prevalence.map_or_else(|| "not known".to_owned(), |p| format!("{:.2} %", 100.0 * p)),
            ),
        );
    }
    if let Some(sites) = results.sites.as_ref().filter(|sites| sites.answer == SiteAnswer::NotShown) {
        let message =
            format!("That no site of the study is one of development is not shown: {}.", sites.why());
        warn(Code::SitesNotShown, message);
    }
    warnings.into_iter().collect()
}
