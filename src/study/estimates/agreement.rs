//! Agreement of the reference readers explained, in subgroups and sites, and of each reader with the same
//! reader's other reads.

use std::collections::BTreeMap;

use super::cases::{StudyCase, dense};
use super::plan::StudyPlan;
use super::readers::read_matrix;
use super::subgroups::level_of;
use crate::diagnostic::Code;
use crate::protocol::{Field, ReaderRole, Variable};
use crate::statistics::agreement::estimates::{Clusters, fleiss_and_ac1, with_reference};
use crate::statistics::agreement::{explained, ordinal};
use crate::statistics::estimate::{Estimate, SubgroupLevel};
use crate::statistics::warning::Warning;
use crate::study::{ReferenceStandard, yes_or_no};

/// A scale with more different answers is no ordered list of words any more.
const MOST_ANSWERS: usize = 101;

/// A case that a reader read twice: the first read and the second, both of them yes or no, or none.
struct Twice<'a> {
    case: &'a StudyCase<'a>,
    row: Vec<Option<bool>>,
}

impl StudyPlan<'_> {
    fn clusters<'a>(&self, patients: &'a [u32]) -> Clusters<'a> {
        let analysis = &self.protocol.analysis;
        Clusters { patients, replicates: analysis.replicates, seed: analysis.seed }
    }

    /// What stands beside the kappa of each pair of reference readers.
    pub(super) fn agreement_explained(
        &self,
        drawn: &[StudyCase],
        reference: &ReferenceStandard,
    ) -> Vec<Estimate> {
        let voters = reference.assembled.readers_of(&reference.roster, ReaderRole::Reference);
        let table = read_matrix(drawn, reference, &voters);
        let patients = dense(drawn.iter().map(|case| case.case.patient_id.as_str()));
        let level = self.protocol.analysis.level;
        let mut found = explained::pairs(&voters, &table, level, Some(&self.clusters(&patients)));
        // Where many readers differ by case most pairs have no case in common, and their kappa says so.
        found.retain(|estimate| estimate.n > 0);
        found
    }

    /// Fleiss' kappa and AC1 of the reference readers in each level of each declared subgroup, and of each
    /// site where two are recorded.
    pub(super) fn agreement_by_group(
        &self,
        drawn: &[StudyCase],
        reference: &ReferenceStandard,
    ) -> Vec<Estimate> {
        let voters = reference.assembled.readers_of(&reference.roster, ReaderRole::Reference);
        if voters.len() < 2 {
            return Vec::new();
        }
        let site = Variable::Field { field: Field::Site };
        let mut groups: Vec<Variable> = self.protocol.subgroups.iter().map(|s| s.by.clone()).collect();
        let mut sites: Vec<&str> = drawn.iter().filter_map(|case| case.case.site.as_deref()).collect();
        sites.sort_unstable();
        sites.dedup();
        if sites.len() > 1 && !groups.contains(&site) {
            groups.push(site);
        }
        let mut out = Vec::new();
        for group in &groups {
            let mut levels: BTreeMap<String, Vec<StudyCase>> = BTreeMap::new();
            for case in drawn {
                levels.entry(level_of(group, case.case)).or_default().push(*case);
            }
            for (name, cases) in levels {
                out.extend(self.agreement_of(&cases, reference, &voters).into_iter().map(|mut estimate| {
                    estimate.subgroup = Some(SubgroupLevel::new(group.name(), name.as_str()));
                    estimate
                }));
            }
        }
        out
    }

    fn agreement_of(
        &self,
        cases: &[StudyCase],
        reference: &ReferenceStandard,
        voters: &[String],
    ) -> Vec<Estimate> {
        let table = read_matrix(cases, reference, voters);
        let patients = dense(cases.iter().map(|case| case.case.patient_id.as_str()));
        let analysis = &self.protocol.analysis;
        let mut found: Vec<Estimate> =
            fleiss_and_ac1(&table, 2, analysis.level, Some(&self.clusters(&patients))).into();
        for estimate in &mut found {
            if estimate.n < analysis.subgroup_minimum {
                let minimum = analysis.subgroup_minimum;
                let message =
                    format!("{} cases, fewer than the {minimum} that the protocol asks for", estimate.n);
                estimate.warnings.push(Warning::new(Code::Insufficient, message));
            }
        }
        found
    }

    /// Weighted kappa and AC2 of the reference readers, where the protocol declares a scale: its whole
    /// numbers are the answers to choose from where every answer is one, else the answers that were given.
    pub(super) fn ordinal_agreement(
        &self,
        drawn: &[StudyCase],
        reference: &ReferenceStandard,
    ) -> Vec<Estimate> {
        let Some(scale) = &self.protocol.reads.scale else { return Vec::new() };
        let voters = reference.assembled.readers_of(&reference.roster, ReaderRole::Reference);
        let ratings: Vec<Vec<Option<f64>>> = drawn
            .iter()
            .map(|case| {
                let reads = reference.assembled.cases.get(&case.case.case_id);
                let of = |reader| reads.and_then(|r| r.ratings.get(reader)).map(|rating| rating.value());
                voters.iter().map(of).collect()
            })
            .collect();
        let mut given: Vec<f64> = ratings.iter().flatten().flatten().copied().collect();
        given.sort_by(f64::total_cmp);
        given.dedup();
        let whole = |value: &f64| value.fract() == 0.0;
        let steps = scale.max - scale.min;
        if given.iter().chain([&scale.min, &scale.max]).all(whole) && steps < MOST_ANSWERS as f64 {
            given = (0..=steps as u64).map(|step| scale.min + step as f64).collect();
        }
        if voters.len() < 2 || given.len() < 2 || given.len() > MOST_ANSWERS {
            return Vec::new();
        }
        let place = |value: &f64| given.partition_point(|answer| answer < value);
        let table: Vec<Vec<Option<usize>>> =
            ratings.iter().map(|row| row.iter().map(|r| r.as_ref().map(place)).collect()).collect();
        let patients = dense(drawn.iter().map(|case| case.case.patient_id.as_str()));
        let level = self.protocol.analysis.level;
        ordinal::estimates(&voters, &table, &given, level, Some(&self.clusters(&patients)))
    }

    /// Of each reader who read cases twice: how the first two reads agree, by time where the files say it.
    pub(super) fn intra_reader(&self, drawn: &[StudyCase], reference: &ReferenceStandard) -> Vec<Estimate> {
        let by_id: BTreeMap<&str, &StudyCase> =
            drawn.iter().map(|case| (case.case.case_id.as_str(), case)).collect();
        let mut twice: BTreeMap<&str, Vec<Twice>> = BTreeMap::new();
        for repeated in &reference.assembled.repeated {
            let (Some(case), [first, second, ..]) =
                (by_id.get(repeated.case_id.as_str()), &repeated.said[..])
            else {
                continue;
            };
            let row = match (yes_or_no(Some(*first)), yes_or_no(Some(*second))) {
                (Some(a), Some(b)) => vec![Some(a), Some(b)],
                _ => vec![None, None],
            };
            twice.entry(repeated.reader_id.as_str()).or_default().push(Twice { case, row });
        }
        let level = self.protocol.analysis.level;
        let mut out = Vec::new();
        for (reader, cases) in twice {
            let patients = dense(cases.iter().map(|twice| twice.case.case.patient_id.as_str()));
            let clusters = self.clusters(&patients);
            let two: Vec<Vec<Option<bool>>> = cases.into_iter().map(|twice| twice.row).collect();
            let second: Vec<Option<bool>> = two.iter().map(|row| row[1]).collect();
            let kappa = with_reference(&[reader.to_owned()], &two, &second, level, Some(&clusters));
            let all = kappa.into_iter().chain(explained::pair(&two, level, Some(&clusters)));
            let model = format!("{reader}, first vs second read");
            out.extend(all.map(|estimate| Estimate { model: Some(model.clone()), ..estimate }));
        }
        out
    }
}
