//! Readers who have no part in the reference standard, judged by it with the device on the same cases.

use super::cases::{StudyCase, count, dense};
use super::plan::StudyPlan;
use super::readers::apart;
use crate::diagnostic::Code;
use crate::statistics::bootstrap::{Cases, Resampler, weighted};
use crate::statistics::estimate::{Estimate, Interval, IntervalMethod, ResamplingUnit};
use crate::statistics::mcnemar::{McNemar, clustered_p};
use crate::statistics::metric::{Metric, Plan, Sample, estimate, sound_first};
use crate::statistics::paired_shares::PairedShares;
use crate::statistics::warning::Warning;
use crate::study::results::{BesideReader, BesideReaders, MeanOfReaders, PairedTest, ShareBeside};
use crate::study::{ReferenceStandard, yes_or_no};

/// A case that a reader decided and that has a reference standard.
#[derive(Clone, Copy)]
struct Decided<'a> {
    case: &'a StudyCase<'a>,
    positive: bool,
    read: bool,
    /// What the device calls it; `None`: it gave no score.
    call: Option<bool>,
}

impl StudyPlan<'_> {
    /// Nothing where every reader has a part in the reference standard.
    pub(super) fn beside_readers(
        &self,
        drawn: &[StudyCase],
        reference: &ReferenceStandard,
    ) -> Option<BesideReaders> {
        let readers: Vec<BesideReader> = apart(&self.protocol.reference_standard, reference)
            .iter()
            .map(|reader| self.beside(reader, drawn, reference))
            .collect();
        let both = |r: &BesideReader| Some((r.sensitivity.reader.value?, r.specificity.reader.value?));
        let shares: Vec<(f64, f64)> = readers.iter().filter_map(both).collect();
        let n = shares.len() as f64;
        let mean = (shares.len() > 1).then(|| MeanOfReaders {
            readers: count(shares.len()),
            sensitivity: shares.iter().map(|s| s.0).sum::<f64>() / n,
            specificity: shares.iter().map(|s| s.1).sum::<f64>() / n,
        });
        (!readers.is_empty()).then_some(BesideReaders { readers, mean })
    }

    fn beside(&self, reader: &str, drawn: &[StudyCase], reference: &ReferenceStandard) -> BesideReader {
        let mut undecided = 0;
        let mut decided = Vec::new();
        for case in drawn {
            let reads = reference.assembled.cases.get(&case.case.case_id);
            let read = reads.and_then(|reads| reads.reads.get(reader)).copied();
            let Some(positive) = case.consensus.positive() else { continue };
            match yes_or_no(read) {
                Some(read) => decided.push(Decided {
                    case,
                    positive,
                    read,
                    call: case.score.map(|score| score >= self.threshold),
                }),
                None => undecided += u64::from(read.is_some()),
            }
        }
        BesideReader {
            reader: reader.to_owned(),
            role: reference.roster.declared().and_then(|_| reference.roster.role(reader)),
            undecided,
            sensitivity: self.share_beside(reader, Metric::Sensitivity, &decided),
            specificity: self.share_beside(reader, Metric::Specificity, &decided),
        }
    }

    fn share_beside(&self, reader: &str, metric: Metric, decided: &[Decided]) -> ShareBeside {
        let called: Vec<Decided> = decided.iter().filter(|d| d.call.is_some()).copied().collect();
        let mut of_reader = self.share(metric, decided, |d| d.read);
        of_reader.model = Some(reader.to_owned());
        let mut of_device = self.share(metric, &called, |d| d.call == Some(true));
        of_device.model = Some(format!("device, cases of {reader}"));
        // The class alone of which the share is.
        let class: Vec<Decided> =
            called.into_iter().filter(|d| d.positive == (metric == Metric::Sensitivity)).collect();
        let mut shares = PairedShares::default();
        for d in &class {
            shares.count(d.call == Some(d.positive), d.read == d.positive);
        }
        let patients = dense(class.iter().map(|d| d.case.patient));
        let several = patients.iter().max().is_some_and(|most| (*most as usize) + 1 < class.len());
        let mut difference = self.difference(&class, &shares, several.then_some(&patients));
        difference.id = format!("{}_difference", metric.id());
        difference.model = Some(format!("device - {reader}"));
        ShareBeside {
            reader: of_reader,
            device: of_device,
            difference,
            right: [shares.both, shares.only_first, shares.only_second, shares.neither],
            test: if several { PairedTest::Obuchowski } else { PairedTest::McnemarExact },
        }
    }

    /// Sensitivity or specificity of calls; where patients have several cases with intervals that leave them
    /// together.
    fn share(&self, metric: Metric, cases: &[Decided], call: impl Fn(&Decided) -> bool) -> Estimate {
        let labels: Vec<bool> = cases.iter().map(|d| d.positive).collect();
        let scores: Vec<f64> = cases.iter().map(|d| f64::from(u8::from(call(d)))).collect();
        let patients = dense(cases.iter().map(|d| d.case.patient));
        let sites = dense(cases.iter().map(|d| d.case.site));
        let sample =
            Sample { labels: &labels, scores: &scores, patients: Some(&patients), sites: Some(&sites) };
        use IntervalMethod::{ClopperPearson, ClopperPearsonPatients, KornGraubard};
        let several = patients.iter().max().is_some_and(|most| (*most as usize) + 1 < cases.len());
        let methods = match several {
            true => vec![KornGraubard, ClopperPearsonPatients, ClopperPearson],
            false => vec![ClopperPearson],
        };
        let mut found = estimate(metric, &sample, Some(0.5), &self.plan(methods));
        sound_first(&mut found, metric, &sample, Some(0.5));
        // The call is the reader's own.
        found.threshold = None;
        found
    }

    /// The device less the reader on the cases of one class.
    fn difference(&self, class: &[Decided], shares: &PairedShares, patients: Option<&Vec<u32>>) -> Estimate {
        let analysis = &self.protocol.analysis;
        let mut out = Estimate {
            value: shares.difference(),
            n: shares.cases(),
            positives: count(class.iter().filter(|d| d.positive).count()),
            ..Estimate::default()
        };
        if out.value.is_none() {
            out.not_evaluable = Some("no case of the class was read and scored".to_owned());
            return out;
        }
        let plain = |method, limits: Option<(f64, f64)>| {
            limits.map(|limits| Interval::closed(method, analysis.level, limits))
        };
        out.intervals.extend(plain(IntervalMethod::Tango, shares.tango(analysis.level)));
        out.intervals.extend(plain(IntervalMethod::Newcombe, shares.newcombe(analysis.level)));
        let test = McNemar { only_first_correct: shares.only_first, only_second_correct: shares.only_second };
        out.p_value = test.exact_p();
        if let Some(patients) = patients {
            let labels: Vec<bool> = class.iter().map(|d| d.positive).collect();
            let calls: Vec<bool> = class.iter().map(|d| d.call == Some(true)).collect();
            let reads: Vec<bool> = class.iter().map(|d| d.read).collect();
            out.p_value = clustered_p(&labels, &calls, &reads, patients);
            match by_patient(class, patients, &self.plan(Vec::new())) {
                Some(interval) => out.intervals.insert(0, interval),
                None => out.warnings.push(Warning::new(
                    Code::NoSpread,
                    "every replicate of the bootstrap of patients gives the same difference, so there is no \
                     interval that leaves patients together",
                )),
            }
            out.warnings.push(Warning::new(
                Code::ClusteringIgnored,
                "the score interval and Newcombe's take the cases of one patient as independent",
            ));
        }
        if out.p_value.is_none() {
            out.warnings.push(Warning::new(
                Code::NoDiscordantCase,
                "both are right on the same cases, so there is no test",
            ));
        }
        out
    }
}

/// The percentile interval of a bootstrap of patients; none where it is a point.
fn by_patient(class: &[Decided], patients: &[u32], plan: &Plan) -> Option<Interval> {
    let labels = vec![false; class.len()];
    let cases = Cases { labels: &labels, patients: Some(patients), sites: None };
    let resampler = Resampler::new(ResamplingUnit::Patient, &cases).ok()?;
    let gaps: Vec<i64> = class
        .iter()
        .map(|d| i64::from(d.call == Some(d.positive)) - i64::from(d.read == d.positive))
        .collect();
    let drawn = weighted(&resampler, plan.replicates, plan.seed, |weights| {
        let n: u64 = weights.iter().map(|w| u64::from(*w)).sum();
        let sum: i64 = weights.iter().zip(&gaps).map(|(w, gap)| i64::from(*w) * gap).sum();
        (n > 0).then(|| sum as f64 / n as f64)
    });
    let (lower, upper) = drawn.percentile(plan.level)?;
    let interval = Interval {
        method: IntervalMethod::BootstrapPercentile,
        level: plan.level,
        lower,
        upper,
        unit: Some(ResamplingUnit::Patient),
        replicates: Some(plan.replicates),
        seed: Some(plan.seed),
        dropped: Some(drawn.dropped),
    };
    (!interval.is_point()).then_some(interval)
}
