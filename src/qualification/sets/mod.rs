//! What is computed here again beside its reference values: one set a file of references.

mod bootstrap;
mod differences;
mod formulas;
mod monitoring;
mod precision;
mod reader_studies;
mod readers;
mod scores;
mod shares;
mod triage;

use super::compared::Compared;

/// Confidence level of every reference.
const LEVEL: f64 = 0.95;
/// Deviations are relative down to this size, absolute below.
const FLOOR: f64 = 1e-3;
/// Deviations are absolute up to 1.
const ABSOLUTE: f64 = 1.0;

/// A set of reference values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Set {
    /// Every statistic of scores and of calls.
    Scores,
    /// Agreement of readers with two answers.
    Readers,
    /// Agreement with any number of answers.
    Nominal,
    /// Agreement on a scale.
    Ordinal,
    /// Shares of patients with several cases.
    Clustered,
    /// A reader and the device on the same cases.
    BesideReaders,
    /// Two devices on the same cases.
    Paired,
    /// The exact interval of their difference.
    ExactPaired,
    /// Two devices on different cases.
    Unpaired,
    /// Areas of two devices.
    Areas,
    /// Several endpoints.
    Multiplicity,
    /// Shares over sites.
    Sites,
    /// Closed laws of the bootstrap.
    Laws,
    /// Replicates that are drawn.
    Drawn,
    /// Sizes of studies.
    Design,
    /// Tails of the chi-squared law.
    Tails,
    /// Formulas with a reference of their own.
    Formulas,
    /// Several images of one patient.
    Repeatability,
    /// Processing times, and waiting on a worklist.
    Triage,
    /// Power of comparisons.
    Power,
    /// Reader studies.
    ReaderStudies,
    /// Cumulative sums.
    RunLengths,
}

impl Set {
    /// Every set.
    pub const ALL: [Self; 22] = [
        Self::Scores,
        Self::Readers,
        Self::Nominal,
        Self::Ordinal,
        Self::Clustered,
        Self::BesideReaders,
        Self::Paired,
        Self::ExactPaired,
        Self::Unpaired,
        Self::Areas,
        Self::Multiplicity,
        Self::Sites,
        Self::Laws,
        Self::Drawn,
        Self::Design,
        Self::Tails,
        Self::Formulas,
        Self::Repeatability,
        Self::Triage,
        Self::Power,
        Self::ReaderStudies,
        Self::RunLengths,
    ];

    /// Everything computed beside its reference.
    pub fn compute(self) -> Vec<Compared> {
        match self {
            Self::Scores => scores::exact(),
            Self::Readers => readers::exact(),
            Self::Nominal => readers::nominal(),
            Self::Ordinal => readers::ordinal(),
            Self::Clustered => shares::clustered(),
            Self::BesideReaders => shares::paired_shares(),
            Self::Paired => shares::paired(),
            Self::ExactPaired => shares::exact_paired(),
            Self::Unpaired => shares::unpaired(),
            Self::Areas => differences::areas(),
            Self::Multiplicity => differences::multiplicity(),
            Self::Sites => differences::sites(),
            Self::Laws => bootstrap::exact(),
            Self::Drawn => bootstrap::drawn(),
            Self::Design => formulas::design(),
            Self::Tails => formulas::tails(),
            Self::Formulas => formulas::qualification(),
            Self::Repeatability => precision::repeatability(),
            Self::Triage => triage::triage(),
            Self::Power => precision::power(),
            Self::ReaderStudies => reader_studies::reader_studies(),
            Self::RunLengths => monitoring::run_lengths(),
        }
    }

    /// The reference in words, with what made it.
    pub fn reference(self) -> &'static str {
        match self {
            Self::Scores => "exact.json: exact rationals and 60-digit arithmetic (make_exact.py)",
            Self::Readers => "readers_exact.json: exact rationals and 60 digits (make_readers_exact.py)",
            Self::Nominal => "irrCAC 0.4.4, krippendorff 0.9.0, statsmodels 0.15.0 (make_nominal.py)",
            Self::Ordinal => "statsmodels 0.15.0, irrCAC 0.4.4 (make_ordinal.py)",
            Self::Clustered => "clustered.json: 50 digits, from the papers' formulas (make_clustered.py)",
            Self::BesideReaders => "paired_shares.json: 50 digits (make_paired_shares.py)",
            Self::Paired => "comparative_paired.json: exact fractions and 50 digits (make_comparative.py)",
            Self::ExactPaired => "ExactCIdiff 2.1 (to its grid)",
            Self::Unpaired => {
                "comparative_unpaired.json: exact fractions and 50 digits (make_comparative.py)"
            }
            Self::Areas => "comparative_auc.json: exact fractions and 50 digits (make_comparative.py)",
            Self::Multiplicity => "comparative_multiplicity.json: exact fractions (make_comparative.py)",
            Self::Sites => "R 4.2.2 (make_sites.R) and whole numbers (make_sites_exact.py)",
            Self::Laws => "boot_reference.json: closed laws and exact jackknives (make_boot.py)",
            Self::Drawn => "boot_reference.json: 20,000 to 200,000 replicates of another program",
            Self::Design => {
                "the formulas (make_design.py), statsmodels 0.15.0 and exact sums (make_power.py)"
            }
            Self::Tails => "mpmath (make_chi_squared.py)",
            Self::Repeatability => "repeatability.json: exact fractions, 30 digits (make_repeatability.py)",
            Self::Triage => "triage.json: exact fractions, 30 digits (make_triage.py)",
            Self::Power => "comparative_power.json: 30 digits by another route (make_comparative_power.py)",
            Self::RunLengths => "R's spc 0.7.2 (monitoring/make_spc.R)",
            Self::ReaderStudies => "mrmc/ref/exact.json: exact fractions and 50 digits (make_exact.py)",
            Self::Formulas => "qualification.json: 50 digits, from the formulas (make_qualification.py)",
        }
    }

    /// What a deviation is measured in.
    pub fn measure(self) -> &'static str {
        match self {
            Self::Drawn => "in units of what the Monte Carlo errors of both allow",
            Self::Repeatability
            | Self::Power
            | Self::Paired
            | Self::ExactPaired
            | Self::Unpaired
            | Self::Areas
            | Self::Multiplicity
            | Self::Nominal
            | Self::Ordinal
            | Self::Laws => "relative above 1, absolute below",
            Self::Tails | Self::Triage => "relative",
            _ => "relative above 0.001, absolute below",
        }
    }
}
