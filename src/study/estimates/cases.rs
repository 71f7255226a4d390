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
    /// Its reference standard.
    pub consensus: Consensus,
    /// Its score; `None` when the device refused it.
    pub score: Option<f64>,
}

/// One case in an analysis: truth and score are both there.
#[derive(Clone, Copy)]
pub(super) struct Analysed<'a> {
    pub(super) case: &'a Case,
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

/// Dense numbers for ids, in order of first occurrence.
pub(super) fn dense<'a>(ids: impl Iterator<Item = &'a str>) -> Vec<u32> {
    let mut numbers = BTreeMap::new();
    ids.map(|id| {
        let next = numbers.len() as u32;
        *numbers.entry(id).or_insert(next)
    })
    .collect()
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
            patients: dense(cases.iter().map(|c| c.case.patient_id.as_str())),
            sites: dense(cases.iter().map(|c| site_of(c.case))),
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
