//! The figures of a submission by their ids, as SVG, each from the facts of the bundle alone.

use crate::document::canvas::Canvas;
use crate::document::tree::Figure;
use crate::document::{format, text};
use crate::report::graph;
use crate::report::submission::source::Source;
use crate::report::submission::subgroups::subgroup_levels;
use crate::report::wording;

mod curves;
mod flow;
mod forest;
mod panels;
mod reliability;
mod repeatability;

/// The ids of all figures, for the error that names them.
pub const IDS: &[&str] = &[
    "roc",
    "precision-recall",
    "histogram",
    "confusion",
    "reliability",
    "training",
    "forest",
    "sites",
    "agreement",
    "flow",
    "algorithm",
    "multiplicity-graph",
    "repeatability",
];

/// A figure by its id. `None`: there is no such id.
pub fn build(source: &Source, id: &str) -> Option<Figure> {
    if id == "multiplicity-graph" {
        return Some(graph::figure(&source.protocol));
    }
    let results = &source.results;
    let curves = &results.curves;
    let threshold = format::threshold(results.operating_point.threshold);
    let level = format::level(results.method.level);
    let auc = results
        .estimates
        .iter()
        .find(|e| e.id == "auc" && e.subgroup.is_none() && e.scenario.is_none())
        .map_or_else(|| "not evaluable".to_owned(), wording::sentence);
    let (caption, alt, images): (String, String, Vec<Canvas>) = match id {
        "roc" => {
            let band = if curves.roc_band.is_empty() {
                String::new()
            } else {
                format!(" The shaded band is the pointwise {level} confidence band.")
            };
            let readers = results.beside_readers.as_ref();
            let marks = match readers {
                None => "",
                Some(beside) if beside.mean.is_some() => {
                    " Squares are readers who have no part in the reference standard, each on the cases that \
                     the reader decided, the diamond their mean; this is no reader study."
                }
                Some(_) => {
                    " The square is a reader who has no part in the reference standard, on the cases that \
                     the reader decided; this is no reader study."
                }
            };
            let points = readers.map_or_else(String::new, |beside| {
                format!(" Points of {} readers beside it.", format::count(beside.readers.len() as u64))
            });
            (
                format!("ROC curve of the primary analysis.{band} The dot is the operating point.{marks}"),
                format!(
                    "Receiver operating characteristic curve, sensitivity against one minus specificity. \
                     AUC {auc}. The operating point is at a threshold of {threshold}.{points}"
                ),
                vec![curves::roc(source)],
            )
        }
        "precision-recall" => (
            "Precision-recall curve of the primary analysis, at the prevalence of the sample. The dot is \
             the operating point."
                .to_owned(),
            format!(
                "Precision, the positive predictive value, against recall, the sensitivity, at \
                     thresholds from high to low; the operating point is at {threshold}."
            ),
            vec![curves::precision_recall(source)],
        ),
        "histogram" => (
            "Scores of the analysed cases by reference standard. The dashed line is the operating \
             point."
                .to_owned(),
            format!(
                "Two histograms of the device's score from 0 to 1: {} cases positive and {} negative by the \
                 reference standard, with a dashed line at the threshold of {threshold}.",
                format::count(results.flow.positives),
                format::count(results.flow.negatives)
            ),
            vec![curves::histogram(source)],
        ),
        "confusion" => {
            let c = &curves.confusion;
            (
                "Cases by device and by reference standard at the operating point.".to_owned(),
                format!(
                    "Two by two table: {} true positives, {} false positives, {} false negatives, {} true \
                     negatives.",
                    format::count(c.true_positives),
                    format::count(c.false_positives),
                    format::count(c.false_negatives),
                    format::count(c.true_negatives)
                ),
                vec![curves::confusion(source)],
            )
        }
        "training" => (
            "Training loss, and AUC on the tuning split, by epoch. Dashed lines separate the \
             stages."
                .to_owned(),
            format!(
                "Two line charts over {} epochs: training loss above, AUC on the tuning split below.",
                source.training.len()
            ),
            vec![curves::training(source)],
        ),
        "forest" => (
            format!(
                "AUC, sensitivity and specificity in subgroups with {level} confidence intervals. The \
                 dashed line is the estimate in all analysed cases; open markers are subgroups too small to \
                 rely on."
            ),
            format!(
                "Forest plot of {} subgroups; the numbers are those of the subgroup table.",
                subgroup_levels(results).len()
            ),
            forest::subgroups(results),
        ),
        "reliability" => (
            format!(
                "Reliability: the share of positive cases at each score, in bins of the histogram of scores, \
                 with exact {level} confidence intervals. On the dashed line a score is a share of positive \
                 cases, at the share of positive cases in the sample."
            ),
            format!(
                "Reliability curve of {} analysed cases: the share of positive cases against the score. The \
                 measures of calibration are in the table beside it.",
                format::count(results.flow.analysed)
            ),
            vec![reliability::draw(source)],
        ),
        "sites" => (
            format!(
                "AUC, sensitivity and specificity of each site; shares with exact {level} confidence \
                 intervals. The dashed line is the estimate in all analysed cases; open markers are sites \
                 with fewer cases than the protocol's minimum for a subgroup."
            ),
            format!(
                "Forest plot of {} sites; the numbers are those of the table of sites.",
                format::count(results.poolability.as_ref().map_or(0, |pool| pool.sites.len() as u64))
            ),
            forest::sites(results),
        ),
        "agreement" => (
            format!(
                "Agreement of pairs of reference readers, with {level} confidence intervals: share of equal \
                 answers, and two coefficients that take chance into account."
            ),
            "Forest plot of the pairs of readers; the numbers are those of the table of pairs.".to_owned(),
            forest::agreement(results),
        ),
        "flow" => (
            "Flow of cases through the study (STARD).".to_owned(),
            format!(
                "Flow diagram: {} cases considered, {} eligible, {} sampled, {} analysed, of which {} \
                 positive and {} negative by the reference standard.",
                format::count(results.flow.considered),
                format::count(results.flow.eligible),
                format::count(results.flow.sampled),
                format::count(results.flow.analysed),
                format::count(results.flow.positives),
                format::count(results.flow.negatives)
            ),
            vec![flow::study(source)],
        ),
        "repeatability" => {
            let found = results.repeatability.as_ref();
            let limits = |of: Option<crate::study::results::Limited>| {
                of.map_or_else(|| "none".to_owned(), |of| format::fixed(of.value, 4))
            };
            let words = found.map_or_else(
                || "No repeated images are declared.".to_owned(),
                |found| {
                    format!(
                        "Scatter plot of {} patients: the difference of two scores against their mean. Mean \
                         difference {}, limits of agreement {} and {}.",
                        format::count(found.differences.patients),
                        format::fixed(found.differences.mean.value, 4),
                        limits(found.differences.lower),
                        limits(found.differences.upper)
                    )
                },
            );
            (
                "Two images of one patient: difference of the scores against their mean. Dashed: limits of \
                 agreement"
                    .to_owned(),
                words,
                found.map(repeatability::differences).into_iter().collect(),
            )
        }
        "algorithm" => (
            "The device from image to output.".to_owned(),
            "Flow chart: the image passes the DICOM checks or is refused; it is preprocessed, scored by the \
             network, and the score is compared with the operating point."
                .to_owned(),
            vec![flow::algorithm(source)],
        ),
        _ => return None,
    };
    Some(Figure::drawn(id, (caption, alt), images, |_| text::humanise(id)))
}
