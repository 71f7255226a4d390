//! The reference standard: who reads, and how reads become what a case is judged by. How
//! `[reference_standard]` and `[[reader]]` are read is in `parse`.

pub(super) mod parse;

use serde::{Deserialize, Serialize};

use crate::digest::RelativePath;

/// What a reader's reads are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ReaderRole {
    /// Votes.
    Reference,
    /// Reads beside the device, and has no vote.
    Comparison,
    /// Decides where the reference readers do not; a panel's one label is given in the same way.
    Adjudicator,
    /// Their reads are counted and not used.
    Ignored,
}

impl ReaderRole {
    /// All roles with the names protocols and readers' tables use.
    pub const NAMES: [(&'static str, Self); 4] = [
        ("reference", Self::Reference),
        ("comparison", Self::Comparison),
        ("adjudicator", Self::Adjudicator),
        ("ignored", Self::Ignored),
    ];

    /// The name in protocols and results.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, role)| *role == self).map_or("", |(name, _)| name)
    }
}

/// A reader as declared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DeclaredReader {
    /// As the readers' files name them.
    pub id: String,
    /// What their reads are for.
    pub role: ReaderRole,
    /// Such as "board-certified radiologist".
    pub qualification: Option<String>,
    /// Such as "thoracic radiology".
    pub specialty: Option<String>,
    /// Years of experience.
    pub years: Option<f64>,
    /// Whether they labelled data that the device was trained on.
    pub labelled_training_data: bool,
}

/// So many years of experience a reader may have.
pub const MOST_YEARS: f64 = 80.0;

/// Where it is said who reads.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeclaredReaders {
    /// Nowhere: whoever read is a reference reader.
    Undeclared,
    /// In the protocol.
    Listed(Vec<DeclaredReader>),
    /// In a table, relative to the data folder.
    File(RelativePath),
}

/// How an indeterminate read votes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum IndeterminateRule {
    /// It does not vote.
    NoVote,
    /// As positive.
    Positive,
    /// As negative.
    Negative,
}

/// What an uninterpretable read does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum UninterpretableRule {
    /// It does not vote.
    NoVote,
    /// As an indeterminate read.
    AsIndeterminate,
    /// One such read of a reference reader leaves the case without a reference standard.
    ExcludeCase,
}

/// What happens when a reader read a case more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RepeatedRead {
    /// An error.
    Refuse,
    /// The reader's reads of that case do not vote, are counted and shown.
    SetAside,
    /// One positive row makes the read positive: for exports with a row a finding.
    AnyPositive,
    /// The last one by its time; an error where a time is missing or two are equal.
    Last,
    /// They count as one where all say the same, and are set aside where they do not.
    AllAgree,
}

/// What equal numbers of positive and negative votes give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TieRule {
    /// Nothing.
    None,
    /// Positive.
    Positive,
    /// Negative.
    Negative,
    /// What the adjudicator says.
    Adjudicator,
}

/// When the adjudicator is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdjudicateOn {
    /// Where the reference readers do not all say the same.
    Disagreement,
    /// Where they have no majority.
    NoMajority,
}

/// A table of labels that were not computed here.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LabelTable {
    /// The tables, relative to the data folder; the last component may hold one `*`. Empty where the readers'
    /// files mark the labels.
    pub files: Vec<RelativePath>,
    /// The labels are those that the readers' files mark as ground truth; `[reads]` says what they mean.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub from_reads: bool,
    /// How the case stands in its cell: `*` is the case, `?` any sign.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_pattern: Option<String>,
    /// Column of the case id.
    pub case_column: String,
    /// Column of the label.
    pub label_column: String,
    /// Texts that mean positive.
    pub positive: Vec<String>,
    /// Texts that mean negative.
    pub negative: Vec<String>,
    /// Texts that mean neither: the case has no reference standard.
    pub indeterminate: Vec<String>,
    /// Where the labels come from, in words, for documents.
    pub source: String,
}

/// How the reference standard comes about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ConsensusRule {
    /// More than half of the readers.
    Majority,
    /// All of them.
    Unanimous,
    /// So many agreeing reads.
    KOfN {
        /// So many.
        agreeing: u32,
    },
    /// The readers where they agree, otherwise the adjudicator.
    Adjudicated {
        /// When the adjudicator is asked.
        on: AdjudicateOn,
    },
    /// One label, agreed on by a panel and given as the reads of an adjudicator.
    Panel,
    /// It was made elsewhere.
    Given(LabelTable),
}

impl ConsensusRule {
    /// The name in protocols.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Majority => "majority",
            Self::Unanimous => "unanimous",
            Self::KOfN { .. } => "k-of-n",
            Self::Adjudicated { .. } => "adjudicated",
            Self::Panel => "panel",
            Self::Given(_) => "given",
        }
    }

    /// Whether votes of readers are counted.
    pub fn is_vote(&self) -> bool {
        !matches!(self, Self::Panel | Self::Given(_))
    }
}

/// How reads become the reference standard.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReferenceRule {
    /// Who reads, in words; absent where it is said of each reader, or where nobody reads.
    pub qualification: Option<String>,
    /// Who reads, one by one.
    pub declared: DeclaredReaders,
    /// Reads that a case is to have. `None`: as many as there are reference readers or, where the readers
    /// differ by case, any number.
    pub readers: Option<u32>,
    /// How they become one answer.
    pub rule: ConsensusRule,
    /// Agreeing votes that the answer needs; `None`: as many as follow from rule and number of readers.
    pub minimum_agreeing: Option<u32>,
    /// Reference readers who must have read a case, whatever they said.
    pub minimum_reads: Option<u32>,
    /// Every one of the readers must have read it.
    pub require_all_readers: bool,
    /// Equal numbers of votes.
    pub tie: TieRule,
    /// Indeterminate reads.
    pub indeterminate: IndeterminateRule,
    /// Uninterpretable reads.
    pub uninterpretable: UninterpretableRule,
    /// Repeated reads.
    pub repeated_read: RepeatedRead,
    /// The same readers read every case, so that an absent read is a missing one.
    pub fixed_readers: bool,
    /// Reads of cases that are in no case table are left out and counted, instead of refused.
    pub ignore_other_cases: bool,
    /// Labels that came with the reads, with which the computed ones are compared.
    pub compare_with: Option<LabelTable>,
    /// Whether readers' files are part of the study: always, but for a reference standard that is given.
    pub has_reads: bool,
}

impl ReferenceRule {
    /// Whether readers may be there who have no part in the reference standard; of readers in a table it is
    /// known once that is read.
    pub fn has_comparison_readers(&self) -> bool {
        match &self.declared {
            DeclaredReaders::Listed(readers) if self.rule.is_vote() => {
                readers.iter().any(|r| r.role == ReaderRole::Comparison)
            }
            DeclaredReaders::Undeclared => !self.rule.is_vote() && self.has_reads,
            DeclaredReaders::Listed(_) | DeclaredReaders::File(_) => true,
        }
    }

    /// Whether an adjudicator can be asked at all.
    pub fn has_adjudication(&self) -> bool {
        self.tie == TieRule::Adjudicator
            || matches!(self.rule, ConsensusRule::Adjudicated { .. } | ConsensusRule::Panel)
    }

    /// Reads that a case is to have; `voters` is the number of declared reference readers, where readers are
    /// declared. `None`: any number.
    pub fn reads_per_case(&self, voters: Option<u32>) -> Option<u32> {
        self.readers.or(voters.filter(|_| self.fixed_readers))
    }

    /// Whether one vote that differs is one too many.
    pub fn needs_all_equal(&self) -> bool {
        matches!(
            self.rule,
            ConsensusRule::Unanimous | ConsensusRule::Adjudicated { on: AdjudicateOn::Disagreement }
        )
    }

    /// Agreeing votes that an answer needs; `voters` as in [`ReferenceRule::reads_per_case`].
    pub fn agreeing(&self, voters: Option<u32>) -> u32 {
        let all = self.reads_per_case(voters).unwrap_or(1);
        let needed = match &self.rule {
            ConsensusRule::KOfN { agreeing } => *agreeing,
            _ if self.needs_all_equal() => all,
            _ => all / 2 + 1,
        };
        self.minimum_agreeing.unwrap_or(needed).max(1)
    }

    /// Reference readers who must have read a case, whatever they said.
    pub fn least_reads(&self, voters: Option<u32>) -> u32 {
        if self.require_all_readers {
            self.reads_per_case(voters).unwrap_or(1)
        } else {
            self.minimum_reads.unwrap_or(0)
        }
    }

    /// Tables of labels that were not computed here.
    pub fn label_tables(&self) -> impl Iterator<Item = &LabelTable> {
        let given = match &self.rule {
            ConsensusRule::Given(given) => Some(given),
            _ => None,
        };
        given.into_iter().chain(&self.compare_with)
    }

    /// Files beside the readers' own that the reference standard rests on.
    pub fn files(&self) -> impl Iterator<Item = &RelativePath> {
        let readers = match &self.declared {
            DeclaredReaders::File(path) => Some(path),
            _ => None,
        };
        readers.into_iter().chain(self.label_tables().flat_map(|table| &table.files))
    }
}

/// Whether the readers have the roles that the rule needs.
///
/// # Errors
/// What is missing, in words.
pub fn fits(reference: &ReferenceRule, readers: &[DeclaredReader]) -> Result<(), String> {
    let of = |role: ReaderRole| readers.iter().filter(|r| r.role == role).count();
    let name = reference.rule.name();
    if reference.has_adjudication() && of(ReaderRole::Adjudicator) == 0 {
        return Err(format!("the rule \"{name}\" needs an adjudicator, and no reader has that role"));
    }
    if !reference.has_adjudication() && of(ReaderRole::Adjudicator) > 0 {
        return Err(format!("the rule \"{name}\" asks no adjudicator, and a reader has that role"));
    }
    if reference.rule.is_vote() && of(ReaderRole::Reference) == 0 {
        return Err(format!("the rule \"{name}\" counts votes, and no reader has the role \"reference\""));
    }
    let n = of(ReaderRole::Reference);
    if let Some(typed) = reference.readers
        && (if reference.fixed_readers { typed as usize != n } else { typed as usize > n })
    {
        return Err(format!("`readers` is {typed}, and {n} readers have the role \"reference\""));
    }
    if let ConsensusRule::KOfN { agreeing } = &reference.rule
        && *agreeing as usize > n
    {
        return Err(format!(
            "{agreeing} agreeing reads are declared, and {n} readers have the role \"reference\""
        ));
    }
    if matches!(reference.rule, ConsensusRule::Adjudicated { .. }) && n < 2 {
        return Err(
            "one reader cannot disagree: the rule \"adjudicated\" needs two reference readers".to_owned()
        );
    }
    if let Some(minimum) = reference.minimum_agreeing.into_iter().chain(reference.minimum_reads).max()
        && minimum as usize > n
        && reference.rule.is_vote()
    {
        return Err(format!("{minimum} reads are needed, and {n} readers have the role \"reference\""));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
