//! Agreement of readers as estimates. The coefficients are those of [`crate::agreement`];
//! intervals are value ± z·standard error within −1..1.

use super::clustered::Weighted;
use crate::agreement;
use crate::agreement::Coefficient;
use crate::bootstrap::{Cases, Replicates, Resampler, weighted, weighted_each};
use crate::confusion::Confusion;
use crate::estimate::{Estimate, Interval, IntervalMethod, ResamplingUnit};
use crate::metric::{Metric, Plan, Sample, estimate_from_table, estimate_mcnemar};
use crate::special::z_two_sided;
use crate::warning::Warning;
use sequester_diagnostic::Code;

/// Patients of the cases of a table, and how a bootstrap draws them.
#[derive(Clone, Copy, Debug)]
pub struct Clusters<'a> {
    /// Patient of each row.
    pub patients: &'a [u32],
    /// How many replicates.
    pub replicates: u64,
    /// Seed of the replicates.
    pub seed: u64,
}

/// Cohen's kappa of every pair (`model` is "R1 vs R2"), whatever the number of readers, then Fleiss',
/// Conger's, Krippendorff's and Gwet's coefficient over all readers. `table` has one row a case and one entry
/// a reader, in the order of `readers`; `None`: no determinate read. `categories`: how many answers there are
/// to choose from (2 for yes and no).
///
/// Where a patient has several cases that were read, standard error and interval are those of a bootstrap of
/// patients; asymptotic ones take cases for independent. A pair that gives the same read on all its cases, or
/// nearly so, has a warning.
pub fn estimates<A: Copy + Ord>(
    table: &[Vec<Option<A>>],
    categories: usize,
    readers: &[String],
    level: f64,
    clusters: Option<&Clusters<'_>>,
) -> Vec<Estimate> {
    let mut out = Vec::new();
    let mut pairs = Vec::new();
    for first in 0..readers.len() {
        for second in first + 1..readers.len() {
            let pair = agreement::cohen(table, first, second);
            let mut estimate = of_cohen(&pair, level);
            estimate.model = Some(format!("{} vs {}", readers[first], readers[second]));
            out.push(estimate);
            pairs.push((first, second, pair));
        }
    }
    out.extend(overall(table, categories, level));
    if let Some((clustered, weighted)) = Clustered::of(table, level, clusters) {
        let kappas: Vec<_> = pairs.iter().map(|(first, second, _)| weighted.cohen(*first, *second)).collect();
        clustered.put_all(out.iter_mut().collect(), |weights| {
            let weighting = weighted.weighting(weights);
            let overall = weighted.overall(&weighting, categories);
            kappas.iter().map(|kappa| kappa(&weighting)).chain(overall).collect()
        });
    }
    for (estimate, (first, second, pair)) in out.iter_mut().zip(&pairs) {
        estimate.warnings.extend(copied(&readers[*first], &readers[*second], pair));
    }
    out
}

/// Fleiss' kappa and Gwet's AC1 over all readers, as in [`estimates`].
pub fn fleiss_and_ac1<A: Copy + Ord>(
    table: &[Vec<Option<A>>],
    categories: usize,
    level: f64,
    clusters: Option<&Clusters<'_>>,
) -> [Estimate; 2] {
    let undefined = why_undefined(table);
    let mut found = [
        of_coefficient("fleiss_kappa", agreement::fleiss(table), undefined, level),
        of_coefficient(
            "gwet_ac1",
            agreement::gwet_ac1(table, categories),
            why_no_ac1(categories, undefined),
            level,
        ),
    ];
    if let Some((clustered, weighted)) = Clustered::of(table, level, clusters) {
        clustered.put_all(found.each_mut().into(), |weights| {
            weighted.fleiss_and_ac1(&weighted.weighting(weights), categories).into()
        });
    }
    found
}

fn overall<A: Copy + Ord>(table: &[Vec<Option<A>>], categories: usize, level: f64) -> [Estimate; 4] {
    let undefined = why_undefined(table);
    let no_ac1 = why_no_ac1(categories, undefined);
    [
        ("fleiss_kappa", agreement::fleiss(table), undefined),
        ("conger_kappa", agreement::conger(table), undefined),
        ("krippendorff_alpha", agreement::krippendorff(table), undefined),
        ("gwet_ac1", agreement::gwet_ac1(table, categories), no_ac1),
    ]
    .map(|(id, found, why)| of_coefficient(id, found, why, level))
}

fn why_no_ac1(categories: usize, undefined: &'static str) -> &'static str {
    if categories < 2 { "there is no choice of answers" } else { undefined }
}

/// Why a coefficient over all readers has no value, where it has none.
fn why_undefined<A: Copy + Ord>(table: &[Vec<Option<A>>]) -> &'static str {
    let reads = |row: &&Vec<Option<A>>| row.iter().flatten().count();
    let mut pairable = table.iter().filter(|row| reads(row) >= 2).peekable();
    if pairable.peek().is_none() {
        return "no case has two reads";
    }
    let mut answers: Vec<A> = table.iter().flatten().flatten().copied().collect();
    answers.sort_unstable();
    answers.dedup();
    if answers.len() < 2 {
        "only one answer was given"
    } else {
        "only one answer was given where two readers read"
    }
}

/// Whether a patient has several cases with a read.
pub(super) fn has_several<A>(table: &[Vec<Option<A>>], patients: &[u32]) -> bool {
    let read = |(row, _): &(&Vec<Option<A>>, &u32)| row.iter().any(Option::is_some);
    let mut of_read: Vec<u32> =
        table.iter().zip(patients).filter(read).map(|(_, patient)| *patient).collect();
    of_read.sort_unstable();
    of_read.windows(2).any(|two| two[0] == two[1])
}

/// A bootstrap of patients.
pub(super) struct Clustered {
    resampler: Resampler,
    replicates: u64,
    seed: u64,
    level: f64,
}

impl Clustered {
    /// With the table prepared for it; nothing where no patient has several cases that were read.
    pub(super) fn of<A: Copy + Ord>(
        table: &[Vec<Option<A>>],
        level: f64,
        clusters: Option<&Clusters<'_>>,
    ) -> Option<(Self, Weighted)> {
        let clusters = clusters.filter(|clusters| has_several(table, clusters.patients))?;
        let labels = vec![false; table.len()];
        let cases = Cases { labels: &labels, patients: Some(clusters.patients), sites: None };
        let resampler = Resampler::new(ResamplingUnit::Patient, &cases).ok()?;
        let (replicates, seed) = (clusters.replicates, clusters.seed);
        Some((Self { resampler, replicates, seed, level }, Weighted::new(table)))
    }

    /// Replaces standard error and interval, which take cases for independent, by those of the bootstrap.
    pub(super) fn put(
        &self,
        estimate: &mut Estimate,
        statistic: impl Fn(&[u32]) -> Option<f64> + Sync + Send,
    ) {
        if estimate.value.is_some() {
            self.take(estimate, &weighted(&self.resampler, self.replicates, self.seed, statistic));
        }
    }

    /// The same of several estimates whose cases are drawn once for all; `statistics` gives one value of
    /// each.
    pub(super) fn put_all(
        &self,
        estimates: Vec<&mut Estimate>,
        statistics: impl Fn(&[u32]) -> Vec<Option<f64>> + Sync + Send,
    ) {
        if estimates.iter().all(|estimate| estimate.value.is_none()) {
            return;
        }
        let count = estimates.len();
        let drawn = weighted_each(&self.resampler, self.replicates, self.seed, count, statistics);
        for (estimate, drawn) in estimates.into_iter().zip(&drawn).filter(|(e, _)| e.value.is_some()) {
            self.take(estimate, drawn);
        }
    }

    fn take(&self, estimate: &mut Estimate, drawn: &Replicates) {
        let of_interval = |w: &Warning| matches!(w.code, Code::NoSpread | Code::IntervalNotEvaluable);
        estimate.warnings.retain(|warning| !of_interval(warning));
        estimate.intervals.clear();
        estimate.standard_error = drawn.standard_error();
        let Some((lower, upper)) = drawn.percentile(self.level) else {
            let why = "no replicate of the bootstrap of patients could be evaluated";
            estimate.warnings.push(Warning::new(Code::IntervalNotEvaluable, why));
            return;
        };
        let interval = Interval {
            method: IntervalMethod::BootstrapPercentile,
            level: self.level,
            lower,
            upper,
            unit: Some(ResamplingUnit::Patient),
            replicates: Some(self.replicates),
            seed: Some(self.seed),
            dropped: Some(drawn.dropped),
        };
        if interval.is_point() {
            estimate.standard_error = Some(0.0);
            let why =
                "every replicate of the bootstrap of patients gives the same value, so there is no interval";
            estimate.warnings.push(Warning::new(Code::NoSpread, why));
        } else {
            estimate.intervals.push(interval);
        }
    }
}

/// Below so many common cases identical reads are no surprise.
const COMMON_CASES: u64 = 10;
/// Readers who work apart do not reach such a kappa; a share alone would also be high for a rare finding.
const KAPPA_OF_A_COPY: f64 = 0.95;

/// Said of two readers whose reads are the same, or nearly so, where both gave more than one answer.
fn copied(first: &str, second: &str, pair: &agreement::Cohen) -> Option<Warning> {
    let kappa = pair.kappa?.value;
    let share = pair.observed_agreement()?;
    (pair.cases >= COMMON_CASES && kappa >= KAPPA_OF_A_COPY).then(|| {
        let message = format!(
            "{first} and {second} gave the same read on {} of the {} cases that both read ({:.1} %): are \
             they two people, and did they read apart?",
            pair.agreed,
            pair.cases,
            100.0 * share
        );
        Warning::new(Code::ReadsIdentical, message)
    })
}

/// Each reader against the majority of the others: `cohen_kappa`, `sensitivity` and `specificity` with the
/// others as reference (`model` is "R1 vs majority of the others"). Ties among the others are left out and
/// counted in a warning.
pub fn against_others(readers: &[String], table: &[Vec<Option<bool>>], plan: &Plan) -> Vec<Estimate> {
    let mut out = Vec::new();
    for (reader, against) in readers.iter().zip(agreement::against_others(table)) {
        let [both, reader_only, others_only, neither] = against.table;
        let counts = Confusion {
            true_positives: both,
            false_positives: reader_only,
            false_negatives: others_only,
            true_negatives: neither,
        };
        let mut estimates = vec![of_cohen(&agreement::cohen_of_counts(against.table), plan.level)];
        estimates.extend(
            [Metric::Sensitivity, Metric::Specificity].map(|m| estimate_from_table(m, &counts, plan)),
        );
        for mut estimate in estimates {
            estimate.model = Some(format!("{reader} vs majority of the others"));
            if against.undecided > 0 {
                estimate.warnings.push(Warning::new(
                    Code::OthersUndecided,
                    format!(
                        "{} cases that {reader} read are left out, because the others have no \
                     majority there",
                        against.undecided
                    ),
                ));
            }
            out.push(estimate);
        }
    }
    out
}

/// The device beside each reader, on the cases that the reader decided, the device called and the other
/// readers have a majority on, which is the reference there: sensitivity and specificity of both ("R1 /
/// others", "device / others, cases of R1") and `mcnemar`, accuracy of the device minus that of the reader
/// with the exact p value. `calls` has one entry a row of `table`; `None`: no call.
pub fn device_beside_readers(
    readers: &[String],
    table: &[Vec<Option<bool>>],
    calls: &[Option<bool>],
    plan: &Plan,
) -> Vec<Estimate> {
    let mut out = Vec::new();
    for (place, reader) in readers.iter().enumerate() {
        let (mut labels, mut own, mut device) = (Vec::new(), Vec::new(), Vec::new());
        for (row, call) in table.iter().zip(calls) {
            let (Some(Some(read)), Some(call)) = (row.get(place), call) else { continue };
            let Some(others) = agreement::majority_without(row, place) else { continue };
            labels.push(others);
            own.push(*read);
            device.push(*call);
        }
        for (calls, name) in
            [(&own, format!("{reader} / others")), (&device, format!("device / others, cases of {reader}"))]
        {
            let mut counts = Confusion::default();
            for (&label, &call) in labels.iter().zip(calls) {
                counts.count(label, call);
            }
            for metric in [Metric::Sensitivity, Metric::Specificity] {
                let mut estimate = estimate_from_table(metric, &counts, plan);
                estimate.model = Some(name.clone());
                out.push(estimate);
            }
        }
        let score = |calls: &[bool]| calls.iter().map(|&c| f64::from(u8::from(c))).collect::<Vec<f64>>();
        let (device, own) = (score(&device), score(&own));
        let sample = Sample { labels: &labels, scores: &device, patients: None, sites: None };
        let (mut estimate, _) = estimate_mcnemar(&sample, &own, 0.5);
        estimate.threshold = None;
        estimate.model = Some(format!("device - {reader}, by the others"));
        out.push(estimate);
    }
    out
}

/// Cohen's kappa of each reader with the reference standard ("R1 vs reference standard"), on the cases that
/// the reader decided and that have one. `reference` has one entry a row of `table`; `None`: nothing follows.
/// Where a patient has several cases the interval is that of a bootstrap of patients, as in [`estimates`].
pub fn with_reference(
    readers: &[String],
    table: &[Vec<Option<bool>>],
    reference: &[Option<bool>],
    level: f64,
    clusters: Option<&Clusters<'_>>,
) -> Vec<Estimate> {
    let one = |(place, reader): (usize, &String)| {
        let pairs: Vec<Vec<Option<bool>>> = table
            .iter()
            .zip(reference)
            .map(|(row, truth)| vec![row.get(place).copied().flatten(), *truth])
            .collect();
        let both = |row: &Vec<Option<bool>>| row.iter().all(Option::is_some);
        let compared: Vec<Vec<Option<bool>>> =
            pairs.into_iter().map(|row| if both(&row) { row } else { vec![None, None] }).collect();
        let mut estimate = of_cohen(&agreement::cohen(&compared, 0, 1), level);
        if let Some((clustered, weighted)) = Clustered::of(&compared, level, clusters) {
            let kappa = weighted.cohen(0, 1);
            clustered.put(&mut estimate, |weights| kappa(&weighted.weighting(weights)));
        }
        estimate.model = Some(format!("{reader} vs reference standard"));
        estimate
    };
    readers.iter().enumerate().map(one).collect()
}

fn of_cohen(pair: &agreement::Cohen, level: f64) -> Estimate {
    let why = if pair.cases == 0 {
        "the two have no case in common"
    } else {
        "both gave one and the same answer throughout"
    };
    let mut out = of_coefficient("cohen_kappa", pair.kappa, why, level);
    out.n = pair.cases;
    out.numerator = Some(pair.agreed);
    out.denominator = Some(pair.cases);
    // The general reason is that cases do not vary in their agreement; here they may.
    if pair.kappa.is_some_and(|kappa| kappa.standard_error == Some(0.0)) && pair.agreed < pair.cases {
        out.warnings.retain(|warning| warning.code != Code::NoSpread);
        out.warnings.push(Warning::new(
            Code::NoSpread,
            "the asymptotic variance is exactly 0 (one of the two gave one answer throughout), so there \
             is no interval",
        ));
    }
    out
}

pub(super) fn of_coefficient(
    id: &str,
    coefficient: Option<Coefficient>,
    why_none: &str,
    level: f64,
) -> Estimate {
    let mut out = Estimate { id: id.into(), ..Estimate::default() };
    let Some(found) = coefficient else {
        out.not_evaluable = Some(why_none.into());
        return out;
    };
    out.value = Some(found.value);
    out.n = found.cases;
    out.standard_error = found.standard_error;
    match found.standard_error {
        Some(se) if se > 0.0 => {
            let half = z_two_sided(level) * se;
            let limits = ((found.value - half).max(-1.0), (found.value + half).min(1.0));
            out.intervals.push(Interval::closed(IntervalMethod::Wald, level, limits));
        }
        Some(_) => out.warnings.push(Warning::new(
            Code::NoSpread,
            "the cases do not vary in their agreement, so there is no standard error and no interval",
        )),
        None => out.warnings.push(Warning::new(
            Code::IntervalNotEvaluable,
            if found.cases < 2 {
                "one case gives no standard error, and so no interval"
            } else {
                "without one of the cases it is undefined, so the jackknife gives no standard error \
                     and there is \
                     no interval"
            },
        )),
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reader_apart_agrees_with_the_reference_standard_on_the_cases_that_both_have() {
        let (yes, no) = (Some(true), Some(false));
        // What the reader said, and what the case is.
        let rows = [(yes, yes), (no, yes), (no, no), (yes, no), (yes, yes), (None, yes), (yes, None)];
        let table: Vec<Vec<Option<bool>>> = rows.iter().map(|row| vec![row.0]).collect();
        let truth: Vec<Option<bool>> = rows.iter().map(|row| row.1).collect();
        let readers = ["C1".to_owned()];
        let [found] = &with_reference(&readers, &table, &truth, 0.95, None)[..] else { panic!("one") };
        assert_eq!(
            (found.id.as_str(), found.numerator, found.denominator),
            ("cohen_kappa", Some(3), Some(5))
        );
        assert_eq!(found.model.as_deref(), Some("C1 vs reference standard"));
        assert_eq!(found.intervals[0].method, IntervalMethod::Wald);
        // Two of the cases are of one patient.
        let patients = [0, 0, 1, 2, 3, 4, 5];
        let clusters = Clusters { patients: &patients, replicates: 100, seed: 1 };
        let by_patient = with_reference(&readers, &table, &truth, 0.95, Some(&clusters));
        assert_eq!(by_patient[0].value, found.value);
        assert_eq!(by_patient[0].intervals[0].unit, Some(ResamplingUnit::Patient));
        // The only patient with two cases has none that both decided twice.
        let patients = [0, 1, 2, 3, 4, 5, 5];
        let clusters = Clusters { patients: &patients, replicates: 100, seed: 1 };
        assert_eq!(with_reference(&readers, &table, &truth, 0.95, Some(&clusters))[0], *found);
    }

    #[test]
    fn the_device_is_judged_on_the_cases_and_by_the_reference_of_each_reader() {
        let (yes, no) = (Some(true), Some(false));
        // Readers R1, R2, R3, and what the device calls.
        let rows = [
            (vec![yes, yes, yes], yes),
            (vec![no, yes, yes], yes),
            (vec![yes, no, no], no),
            (vec![no, no, no], yes),
            // The others are tied for R1, nobody else reads for R2's and R3's part.
            (vec![yes, yes, no], no),
            // No call.
            (vec![yes, yes, yes], None),
        ];
        let (table, calls): (Vec<_>, Vec<_>) = rows.into_iter().unzip();
        let readers = ["R1", "R2", "R3"].map(str::to_owned);
        let plan = Plan::new(0.95, vec![IntervalMethod::ClopperPearson], ResamplingUnit::Case, 0, 0);
        let all = device_beside_readers(&readers, &table, &calls, &plan);
        assert_eq!(all.len(), 15);
        let of = |id: &str, model: &str| {
            let found = all.iter().find(|e| e.id == id && e.model.as_deref() == Some(model)).expect(model);
            (found.numerator, found.denominator, found.p_value)
        };
        // By the others R1's cases are + + - -, R1 says + - + -, the device + + - +.
        assert_eq!(of("sensitivity", "R1 / others"), (Some(1), Some(2), None));
        assert_eq!(of("specificity", "R1 / others"), (Some(1), Some(2), None));
        assert_eq!(of("sensitivity", "device / others, cases of R1"), (Some(2), Some(2), None));
        assert_eq!(of("specificity", "device / others, cases of R1"), (Some(1), Some(2), None));
        // Only the device is right on two, only R1 on one: an exact p of 1.
        assert_eq!(of("mcnemar", "device - R1, by the others"), (Some(2), Some(3), Some(1.0)));
    }
}
