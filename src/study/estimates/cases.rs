//! Drawn and analysed cases, and their columns as the statistics take them.

use std::collections::{BTreeMap, BTreeSet};

use crate::dataset::case::Case;
use crate::reads::consensus::Consensus;
use crate::statistics::metric::Sample;

/// A drawn case where score and reference standard meet.
#[derive(Clone, Copy, Debug)]
pub struct StudyCase<'a> {
    /// The case.
    pub case: &'a Case,
    /// Number of its patient among the drawn cases.
    pub patient: u32,
    /// Number of its site among the drawn cases; where none is recorded, one of its own.
    pub site: u32,
    /// Its reference standard.
    pub consensus: Consensus,
    /// Its score; `None` when the device refused it.
    pub score: Option<f64>,
}

impl<'a> StudyCase<'a> {
    /// Drawn cases with what came of them. Patients and sites are numbered once: of a large study looking
    /// their names up again for every estimate is most of the work.
    pub fn all(of: impl Iterator<Item = (&'a Case, Consensus, Option<f64>)>) -> Vec<Self> {
        let (mut patients, mut sites) = (BTreeMap::new(), BTreeMap::new());
        of.map(|(case, consensus, score)| {
            let patient = number(&mut patients, case.patient_id.as_str());
            let site = number(&mut sites, site_of(case));
            Self { case, patient, site, consensus, score }
        })
        .collect()
    }

    /// The case with the truth and the score that an analysis takes.
    pub(super) fn analysed(&self, positive: bool, score: f64) -> Analysed<'a> {
        Analysed { case: self.case, patient: self.patient, site: self.site, positive, score }
    }
}

/// The number of an id, in order of first occurrence.
fn number<'a>(numbers: &mut BTreeMap<&'a str, u32>, id: &'a str) -> u32 {
    let next = numbers.len() as u32;
    *numbers.entry(id).or_insert(next)
}

/// One case in an analysis: truth and score are both there.
#[derive(Clone, Copy)]
pub(super) struct Analysed<'a> {
    pub(super) case: &'a Case,
    pub(super) patient: u32,
    pub(super) site: u32,
    pub(super) positive: bool,
    pub(super) score: f64,
}

/// The level of what is not recorded.
pub(super) const NOT_RECORDED: &str = "not recorded";

pub(super) fn count(n: usize) -> u64 {
    n as u64
}

pub(super) fn patients<'a>(cases: impl Iterator<Item = &'a Case>) -> u64 {
    count(cases.map(|case| case.patient_id.as_str()).collect::<BTreeSet<_>>().len())
}

/// Dense numbers for those of some of the drawn cases, in order of first occurrence.
pub(super) fn dense(numbers: impl Iterator<Item = u32>) -> Vec<u32> {
    const NONE: u32 = u32::MAX;
    let mut out: Vec<u32> = numbers.collect();
    let most = out.iter().max().map_or(0, |most| *most as usize + 1);
    let (mut anew, mut next) = (vec![NONE; most], 0);
    for number in &mut out {
        let place = &mut anew[*number as usize];
        if *place == NONE {
            *place = next;
            next += 1;
        }
        *number = *place;
    }
    out
}

pub(super) fn site_of(case: &Case) -> &str {
    case.site.as_deref().unwrap_or(NOT_RECORDED)
}

/// The sites in the order of their dense numbers.
pub(super) fn site_names(cases: &[Analysed]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for case in cases {
        let name = site_of(case.case);
        if !names.iter().any(|n| n == name) {
            names.push(name.to_owned());
        }
    }
    names
}

/// Analysed cases as the statistics take them.
pub(super) struct Columns {
    pub(super) labels: Vec<bool>,
    pub(super) scores: Vec<f64>,
    pub(super) patients: Vec<u32>,
    pub(super) sites: Vec<u32>,
}

impl Columns {
    pub(super) fn of(cases: &[Analysed]) -> Self {
        Self {
            labels: cases.iter().map(|c| c.positive).collect(),
            scores: cases.iter().map(|c| c.score).collect(),
            patients: dense(cases.iter().map(|c| c.patient)),
            sites: dense(cases.iter().map(|c| c.site)),
        }
    }

    pub(super) fn sample(&self) -> Sample<'_> {
        Sample {
            labels: &self.labels,
            scores: &self.scores,
            patients: Some(&self.patients),
            sites: Some(&self.sites),
        }
    }
}
