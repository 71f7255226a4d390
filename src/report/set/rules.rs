//! By which rules a requirement does not apply, and what of the results others ask for.

use super::drafts::levels_of;
use crate::report::submission::{Source, at, subgroup_levels, words};

fn typed(source: &Source, path: &str) -> String {
    at(&source.device, path).map(words).unwrap_or_default().trim().to_owned()
}

/// Why a requirement does not apply.
///
/// # Errors
/// Why the rule does not hold.
pub fn not_applicable(source: &Source, rule: &str) -> Result<String, String> {
    let (holds, reason, otherwise): (bool, &str, &str) = match rule {
        "software-only" => (
            typed(source, "device.form").to_lowercase().starts_with("software only"),
            "device.form says that the device is software only",
            "device.form does not say \"software only\"",
        ),
        "other-than-2080" => (
            is_other(source, &["892.2080"]),
            "device.regulation names another regulation than 21 CFR 892.2080",
            "the protocol declares no [triage]: time to notification is not computed",
        ),
        "other-than-2070" => (
            is_other(source, &["892.2070", "892.2090"]),
            "device.regulation names another regulation than 21 CFR 892.2070 and 892.2090",
            "the regulation asks for it",
        ),
        "one-site" => (
            is_one_site(source),
            "every analysed case is of one site",
            "results by site are not part of this evidence",
        ),
        "no-marks" => (true, "the device gives one score a case and marks no place", ""),
        "no-comparison" => (
            source.results.comparisons.is_empty(),
            "the protocol declares no comparison",
            "the comparison is not printed",
        ),
        "no-pccp" => (
            source.results.change.is_none()
                && ["modifications", "protocol", "impact"]
                    .iter()
                    .all(|key| typed(source, &format!("pccp.{key}")).is_empty()),
            "no predetermined change control plan is declared",
            "a predetermined change control plan is declared",
        ),
        "no-reader-files" => (
            !source.protocol.reference_standard.has_reads,
            "the reference standard was made elsewhere, and no reader's file is part of the study",
            "readers' files are part of the study",
        ),
        "no-prevalence" => (
            source.protocol.sample.target.as_ref().is_none_or(|target| target.positives.is_none()),
            "the sample is not enriched",
            "the sample is enriched, and analysis.intended_use_prevalence is not declared",
        ),
        "no-selection" => (true, "no document of this set claims that one model is better than another", ""),
        _ => (false, "", "no such rule"),
    };
    if holds { Ok(reason.to_owned()) } else { Err(otherwise.to_owned()) }
}

fn is_other(source: &Source, regulations: &[&str]) -> bool {
    let declared = typed(source, "device.regulation");
    !declared.is_empty() && !regulations.iter().any(|regulation| declared.contains(regulation))
}

fn is_one_site(source: &Source) -> bool {
    let results = &source.results;
    let sites = levels_of(results, "site");
    matches!(sites.as_slice(), [one] if one.cases == results.flow.analysed && one.cases > 0)
}

/// Whether the results have something.
///
/// # Errors
/// What they lack.
pub fn holds(source: &Source, rule: &str) -> Result<(), String> {
    let results = &source.results;
    let title =
        format!(" {} ", results.study.title.to_lowercase().replace(|c: char| !c.is_alphanumeric(), " "));
    let titled = |names: &[&str]| names.iter().any(|name| title.contains(name));
    let (holds, otherwise) = match rule {
        "intended-use" => (
            results.method.intended_use_prevalence.is_some(),
            "analysis.intended_use_prevalence is not declared",
        ),
        "sites" => (!levels_of(results, "site").is_empty(), "sites are not recorded"),
        "equipment" => (!levels_of(results, "manufacturer").is_empty(), "manufacturers are not recorded"),
        "severity" => (
            subgroup_levels(results).iter().any(|(variable, _)| {
                ["severity", "size", "subtype", "extent"]
                    .iter()
                    .any(|name| variable.to_lowercase().contains(name))
            }),
            "no subgroup of severity, size, extent or subtype is declared",
        ),
        "read-times" => (
            results.readers.iter().any(|reader| reader.first_read.is_some()),
            "the readers' files say no times of reading",
        ),
        "title-names-measure" => (
            titled(&[" accuracy", " performance", " sensitivity", " specificity", " auc ", " diagnostic"]),
            "study.title names no measure of diagnostic accuracy",
        ),
        "title-names-method" => (
            titled(&[
                " artificial intelligence",
                " deep learning",
                " machine learning",
                " neural network",
                " densenet",
                " algorithm",
                " ai ",
            ]),
            "study.title does not say that a learned method is studied",
        ),
        _ => (false, "no such rule"),
    };
    if holds { Ok(()) } else { Err(otherwise.to_owned()) }
}
