//! A study's results from its cases: flow, cohort table, readers, estimates, subgroups, scenarios and
//! the verdict of each endpoint. Pure.

mod agreement;
mod beside_readers;
mod by_level;
mod cases;
mod comparisons;
mod curves;
mod family;
mod flow;
mod intended_use;
mod other_standards;
mod overall;
mod plan;
mod reader_study;
mod readers;
mod repeatability;
mod sample_size;
mod sampling;
mod scenarios;
mod subgroups;
mod successor;
mod triage;
mod verdict;
mod warnings;

pub use cases::StudyCase;
pub use repeatability::repeatability;
pub use successor::acceptance;
pub use triage::triage;

use self::cases::{Analysed, Columns, site_names};
use self::curves::{BAND_REPLICATES, histogram};
use self::flow::{consensus_summary, flow, one_class};
use self::intended_use::in_intended_use;
use self::plan::StudyPlan;
use self::readers::{reader_estimates, readers};
use self::subgroups::cohort_table;
use self::warnings::warnings;
use crate::diagnostic::Diagnostic;
use crate::protocol::{Protocol, Role};
use crate::statistics::confusion::Confusion;
use crate::statistics::poolability::poolability;
use crate::statistics::roc::{PrecisionRecallPoint, precision_recall_points, roc_points};
use crate::statistics::roc_band::roc_band;
use crate::study::comparators::Predicate;
use crate::study::reader_study::Readings;
use crate::study::results::{
    AnalysisMethod, Curves, FORMAT, OperatingPointRecord, Results, Rules, StudyIdentity, Verdict,
};
use crate::study::{Cohort, ReferenceStandard};

/// What stands beside the device.
#[derive(Clone, Copy, Debug)]
pub struct Beside<'a> {
    /// The predicate's output; empty without one.
    pub predicate: &'a Predicate,
    /// Ratings of a reader study.
    pub readings: Option<&'a Readings>,
}

/// Computes everything a document may print, by the rules of a version of the program: that which runs, or
/// the one that made what is computed again.
///
/// # Errors
/// `one-class` when the analysed cases are all positive or all negative; `reader-without-reads` for a reader
/// of the reader study who rated no case of one class.
pub fn analyse(
    protocol: &Protocol,
    cohort: &Cohort,
    drawn: &[StudyCase],
    reference: &ReferenceStandard,
    beside: Beside<'_>,
    operating_point: OperatingPointRecord,
    version: &str,
) -> Result<Results, Vec<Diagnostic>> {
    let analysed: Vec<Analysed> =
        drawn.iter().filter_map(|c| Some(c.analysed(c.consensus.positive()?, c.score?))).collect();
    let flow = flow(protocol, cohort, drawn, &analysed);
    if flow.positives == 0 || flow.negatives == 0 {
        return Err(vec![one_class(&flow)]);
    }
    let threshold = operating_point.threshold;
    let plan = StudyPlan::new(protocol, threshold, Rules::of(version));
    let mut estimates = plan.overall(&analysed);
    let mut endpoints = plan.endpoints(&analysed, &mut estimates);
    let reader_study = plan.reader_study(drawn, beside.readings).map_err(|error| error.diagnostics())?;
    let mut comparisons = plan.comparisons(&analysed, reference, beside.predicate, reader_study.as_ref());
    let family = plan.family(&analysed, &mut endpoints, &mut comparisons);
    estimates.extend(plan.at_intended_use_prevalence(&analysed));
    estimates.extend(plan.per_thousand(&analysed));
    estimates.extend(plan.calibration(&analysed));
    estimates.extend(plan.subgroups(&analysed));
    let level_differences = plan.level_differences(&analysed, &estimates);
    estimates.extend(plan.scenarios(drawn));
    let mut primary: Vec<Verdict> =
        endpoints.iter().filter(|e| e.role == Role::Primary).filter_map(|e| e.verdict).collect();
    primary.extend(comparisons.iter().filter(|c| c.role == Role::Primary).map(|c| c.verdict));
    let conclusion = if primary.contains(&Verdict::NotMet) {
        Verdict::NotMet
    } else if primary.contains(&Verdict::NotEvaluable) || primary.is_empty() {
        Verdict::NotEvaluable
    } else {
        Verdict::Met
    };
    let labels: Vec<bool> = analysed.iter().map(|a| a.positive).collect();
    let scores: Vec<f64> = analysed.iter().map(|a| a.score).collect();
    let consensus = consensus_summary(protocol, cohort, drawn, reference);
    let columns = Columns::of(&analysed);
    let (roc_band, band_method) = roc_band(
        &columns.sample(),
        plan.unit,
        protocol.analysis.replicates.min(BAND_REPLICATES),
        protocol.analysis.seed,
        protocol.analysis.level,
    );
    let synthetic = drawn.iter().any(|c| c.case.is_synthetic());
    let mut results = Results {
        format: FORMAT.to_owned(),
        study: StudyIdentity {
            id: protocol.study.id.clone(),
            title: protocol.study.title.clone(),
            version: protocol.study.version.clone(),
            finding: protocol.study.finding.clone(),
            synthetic,
            rehearsal: protocol.study.rehearsal,
        },
        cohort: cohort_table(protocol, &analysed),
        in_intended_use: in_intended_use(protocol, &analysed, plan.rules),
        readers: readers(protocol, drawn, reference),
        agreement: reader_estimates(&plan, drawn, reference),
        agreement_explained: plan.agreement_explained(drawn, reference),
        agreement_by_group: plan.agreement_by_group(drawn, reference),
        ordinal_agreement: plan.ordinal_agreement(drawn, reference),
        intra_reader: plan.intra_reader(drawn, reference),
        method: AnalysisMethod {
            level: protocol.analysis.level,
            resampling_unit: plan.unit,
            replicates: protocol.analysis.replicates,
            seed: protocol.analysis.seed,
            subgroup_minimum: protocol.analysis.subgroup_minimum,
            intended_use_prevalence: protocol.analysis.intended_use_prevalence,
            multiplicity: protocol.analysis.multiplicity,
            criterion_level: plan.adjusted_level(),
            program_version: version.to_owned(),
        },
        curves: Curves {
            roc: roc_points(&labels, &scores),
            roc_band,
            roc_band_method: Some(band_method),
            histogram: histogram(&analysed),
            confusion: Confusion::at(&labels, &scores, threshold),
            precision_recall: precision_recall_points(&labels, &scores)
                .into_iter()
                .map(|p| PrecisionRecallPoint {
                    threshold: p.threshold,
                    recall: p.recall,
                    precision: p.precision,
                })
                .collect(),
        },
        poolability: poolability(
            &columns.sample(),
            &[threshold],
            &site_names(&analysed),
            protocol.analysis.level,
        ),
        sample_sizes: plan.sample_sizes(&endpoints, &flow),
        beside_readers: plan.beside_readers(drawn, reference),
        other_standards: Some(plan.other_standards(drawn, reference)),
        level_differences,
        level_claims: plan.level_claims(&analysed),
        reader_study: reader_study.map(|study| study.result),
        repeatability: None,
        triage: None,
        change: None,
        sampling: sampling::sampling(protocol, cohort, &analysed, threshold),
        sites: cohort.sites.clone(),
        flow,
        consensus,
        operating_point,
        estimates,
        endpoints,
        comparisons,
        family,
        conclusion,
        warnings: Vec::new(),
    };
    results.warnings = warnings(&results, protocol);
    Ok(results)
}
