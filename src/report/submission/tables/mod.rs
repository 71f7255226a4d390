//! The tables of a submission by their ids, one file a topic, each from the facts of the bundle alone.

use crate::document::tree::{Column, Table};
use crate::document::{format, text};
use crate::report::submission::source::Source;
use crate::report::submission::values::at;
use crate::report::{citations, description};

mod agreement;
mod beside_readers;
pub(in crate::report) mod brought;
mod by_level;
mod changes;
pub(in crate::report) mod comparisons;
mod estimates;
mod evidence;
pub(in crate::report) mod flow;
mod front;
mod intended_use;
mod model;
mod other_standards;
mod parts;
mod protocol;
mod readers;
mod repeatability;
mod rows;
mod sample_size;
mod sampling;
mod sites;
pub(in crate::report) mod triage;

/// The ids of all tables, for the error that names them.
pub const IDS: &[&str] = &[
    "title",
    "cohort",
    "flow",
    "eligibility",
    "sampling",
    "weighted",
    "readers",
    "brought-files",
    "qualifications",
    "consensus",
    "reads-per-case",
    "repeated-reads",
    "label-differences",
    "agreement",
    "agreement-explained",
    "agreement-by-group",
    "intra-reader",
    "ordinal-agreement",
    "endpoints",
    "comparisons",
    "comparisons-declared",
    "family",
    "results",
    "intervals",
    "calibration",
    "intended-use",
    "calibration-in-use",
    "net-benefit",
    "repeatability",
    "repeatability-conditions",
    "triage-declared",
    "processing-time",
    "time-to-notification",
    "confusion",
    "subgroups",
    "sample-size",
    "planned-and-achieved",
    "sites",
    "poolability",
    "separation",
    "sensitivity-analyses",
    "other-standards",
    "beside-readers",
    "gate",
    "acceptance",
    "lock",
    "stages",
    "development",
    "training",
    "openings",
    "amendments",
    "deviations",
    "warnings",
    "digests",
    "citations",
    "description",
    "description-findings",
    "description-missing",
    "to-complete",
];

/// A table by its id; `path` selects a part of the lock. `None`: there is no such id.
pub fn build(source: &Source, id: &str, path: &str, to_complete: &[String]) -> Option<Table> {
    let results = &source.results;
    let level = format::level(results.method.level);
    Some(match id {
        "title" => front::title(source),
        "cohort" => flow::cohort(results),
        "flow" => flow::flow(results),
        "eligibility" => flow::eligibility(source),
        "sampling" => sampling::sampling(results),
        "weighted" => sampling::weighted(results),
        "readers" => readers::readers(results),
        "brought-files" => brought::files(source),
        "qualifications" => readers::qualifications(results),
        "consensus" => readers::consensus(source),
        "reads-per-case" => readers::reads_per_case(results),
        "repeated-reads" => readers::repeated_reads(results),
        "label-differences" => readers::label_differences(results),
        "agreement" => readers::agreement(results, &level),
        "agreement-explained" => agreement::explained(results, &level),
        "agreement-by-group" => agreement::by_group(results, &level),
        "intra-reader" => agreement::intra_reader(results, &level),
        "ordinal-agreement" => agreement::on_scale(results, &level),
        "endpoints" => estimates::endpoints(results, &level),
        "comparisons" => comparisons::comparisons(results, &level),
        "comparisons-declared" => comparisons::declared(&source.protocol),
        "family" => comparisons::family(results),
        "results" => estimates::overall(results, &level),
        "intervals" => estimates::intervals(results),
        "calibration" => estimates::calibration(results, &level),
        "sample-size" => sample_size::sample_size(source),
        "planned-and-achieved" => sample_size::planned_and_achieved(source),
        "sites" => sites::sites(results, &level),
        "poolability" => sites::poolability(results),
        "separation" => evidence::separation(source),
        "intended-use" => estimates::intended_use(results, &level),
        "calibration-in-use" => intended_use::calibration(results),
        "net-benefit" => intended_use::net_benefit(results),
        "repeatability" => repeatability::repeatability(results),
        "repeatability-conditions" => repeatability::conditions(results),
        "triage-declared" => triage::declared(&source.protocol),
        "processing-time" => triage::processing_time(results, &level),
        "time-to-notification" => triage::time_to_notification(source, &level),
        "confusion" => estimates::confusion(results),
        "subgroups" => parts::subgroups(results, &level),
        "sensitivity-analyses" => parts::sensitivity_analyses(results, &level),
        "other-standards" => other_standards::other_standards(results, &level),
        "beside-readers" => beside_readers::beside_readers(results, &level),
        "gate" => protocol::gate(source),
        "acceptance" => protocol::acceptance(source),
        "lock" => model::facts(
            source.recorded.lock.as_ref().and_then(|lock| at(lock, path)),
            if path.is_empty() {
                "The locked model".to_owned()
            } else {
                text::humanise(&path.replace('.', " "))
            },
        ),
        "stages" => model::stages(source),
        "development" => model::development(source),
        "training" => model::training(source),
        "openings" => evidence::openings(source),
        "amendments" => changes::amendments(source),
        "deviations" => changes::deviations(source),
        "warnings" => evidence::warnings(results),
        "digests" => evidence::digests(source),
        "citations" => citations::table(path),
        "to-complete" => front::completion(to_complete),
        _ if id.starts_with("description") && IDS.contains(&id) => {
            let nothing = Table::or_none("The data", vec![Column::left("", 1.0)], Vec::new());
            let part = id.trim_start_matches("description");
            source.description.as_ref().map_or(Some(nothing), |d| description::for_submission(d, part))?
        }
        _ => return None,
    })
}
