//! Tables and figures whose numbers come from one place.

use crate::document::format;
use crate::document::origins::Origin;
use crate::study::results::Results;

/// Where the numbers of a table or a figure come from.
pub(super) struct Place {
    what: &'static str,
    how: &'static str,
    of: Of,
    recorded: &'static str,
}

/// Of how many a table is.
#[derive(Clone, Copy)]
enum Of {
    /// Considered cases.
    Considered,
    /// Cases that were drawn.
    Sampled,
    /// Analysed cases.
    Analysed,
    /// It says so itself.
    Itself,
}

impl Place {
    pub(super) fn origin(&self, results: &Results) -> Origin {
        let flow = &results.flow;
        let cases = |n: u64, patients: u64, which: &str| {
            format!("{} {which} cases of {} patients", format::count(n), format::count(patients))
        };
        let n = match self.of {
            Of::Considered => cases(flow.considered, flow.considered_patients, "considered"),
            Of::Sampled => cases(flow.sampled, flow.sampled_patients, "sampled"),
            Of::Analysed => cases(flow.analysed, flow.analysed_patients, "analysed"),
            Of::Itself => "as the table says".to_owned(),
        };
        Origin {
            what: self.what.to_owned(),
            how: format!("{}.", self.how),
            n,
            recorded: self.recorded.to_owned(),
        }
    }
}

const fn place(what: &'static str, how: &'static str, of: Of, recorded: &'static str) -> Place {
    Place { what, how, of, recorded }
}

/// By the ids of tables.
pub(super) fn of_table(id: &str) -> Option<Place> {
    Some(match id {
        "flow" => place(
            "Flow of cases",
            "counted: each case at the first criterion that excludes it, then drawn with the protocol's seed",
            Of::Considered,
            "the case table, images and protocol; results.json, flow",
        ),
        "eligibility" => place(
            "Eligibility",
            "counted by criterion: as the first that excludes a case, and as any",
            Of::Considered,
            "the case table and protocol; results.json, flow, excluded",
        ),
        "cohort" => place(
            "Characteristics of the cases",
            "counted by level; shares are of the analysed cases, of positives within the level",
            Of::Analysed,
            "the case table; results.json, cohort",
        ),
        "population" => place(
            "The intended population",
            "counted by level, beside the shares that were typed; differences of both",
            Of::Analysed,
            "the case table; results.json, cohort; device.toml, population",
        ),
        "consensus" | "reads-per-case" | "label-differences" | "repeated-reads" => place(
            "Reference standard",
            "counted: the declared rule applied to the readers' answers of each case",
            Of::Sampled,
            "readers' files and protocol; results.json, consensus; derivation.csv case by case",
        ),
        "readers" => place(
            "Readers",
            "counted: the answers in each reader's file",
            Of::Sampled,
            "readers' files; results.json, readers",
        ),
        "confusion" | "grid" | "site-two-by-two" | "wrong-by-subgroup" => place(
            "Cases by device and reference standard",
            "counted: positive where the score is at least the operating point",
            Of::Analysed,
            "scores and reference standard; results.json, curves, confusion, and estimates",
        ),
        "calibration-in-use" | "net-benefit" => place(
            "At the prevalence of intended use",
            "cases of each class weighted to the declared prevalence",
            Of::Analysed,
            "scores, reference standard and protocol; results.json, in_intended_use",
        ),
        "poolability" | "sites" | "site-left-out" | "site-sets" => place(
            "Sites",
            "estimates of each site, tests of their difference, and each site left out",
            Of::Analysed,
            "scores, reference standard and the column of sites; results.json, poolability and sites",
        ),
        "site-flow" => place(
            "Flow of cases at each site",
            "counted: what became of each case considered, by the site that its case table records",
            Of::Considered,
            "cases.csv and the case tables among the inputs",
        ),
        "separation" => place(
            "Shared patients",
            "counted: patients of the study beside those of development, by the digests in the lock",
            Of::Considered,
            "the case table and model/lock.json",
        ),
        "sampling" | "weighted" => place(
            "Sampling",
            "counted by stratum; a case stands for the eligible cases of its stratum over those drawn",
            Of::Sampled,
            "the case table and protocol; results.json, sampling",
        ),
        "other-standards" => place(
            "Other reference standards",
            "the primary endpoints with the reference standard by another rule",
            Of::Itself,
            "scores and readers' answers; results.json, other_standards",
        ),
        "beside-readers" => place(
            "Readers beside the device",
            "sensitivity and specificity of each reader who has no part in the reference standard",
            Of::Itself,
            "readers' answers and reference standard; results.json, beside_readers",
        ),
        "repeatability" | "repeatability-conditions" => place(
            "Repeatability",
            "differences of scores of two images of one patient",
            Of::Itself,
            "the table of repeated images; results.json, repeatability",
        ),
        "sample-size" | "planned-and-achieved" => place(
            "Sample size",
            "what the protocol planned beside the cases that were analysed",
            Of::Analysed,
            "the protocol; results.json, sample_sizes",
        ),
        "family" => place(
            "Endpoints together",
            "the declared rule of multiplicity applied to the p values",
            Of::Itself,
            "results.json, family",
        ),
        "development" | "training" | "stages" => place(
            "Development of the model",
            "as recorded while the model was trained and locked",
            Of::Itself,
            "model/lock.json and the training log",
        ),
        "processing-time" | "time-to-notification" => place(
            "Times",
            "order statistics of the processing times; waiting times by the declared queue",
            Of::Itself,
            "the column of processing times and the protocol; results.json, triage",
        ),
        _ => return None,
    })
}

/// By the ids of figures.
pub(super) fn of_figure(id: &str) -> Option<Place> {
    Some(match id {
        "curves" => place(
            "Curve over all thresholds",
            "sensitivity, specificity and precision at every score that occurs",
            Of::Analysed,
            "scores and reference standard; results.json, curves",
        ),
        "histogram" => place(
            "Distribution of scores",
            "counted: scores in bins of equal width, by reference standard",
            Of::Analysed,
            "scores and reference standard; results.json, curves",
        ),
        "forest" => place(
            "Subgroups",
            "the estimates of the table of subgroups, drawn",
            Of::Analysed,
            "results.json, estimates",
        ),
        "f1" => place(
            "F1 over thresholds",
            "harmonic mean of precision and recall at every point of their curve",
            Of::Analysed,
            "results.json, curves, precision_recall",
        ),
        _ => return None,
    })
}
