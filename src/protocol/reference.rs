//! `[reference_standard]`: who reads, and how reads become what a case is judged by.

use serde::Serialize;

use super::reader::Section;
use crate::diagnostic::Code;

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

/// What happens when a reader read a case more than once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RepeatedRead {
    /// An error.
    Refuse,
    /// The reader's reads of that case do not vote, are counted and shown.
    SetAside,
}

/// How reads become the reference standard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReferenceRule {
    /// Who reads, in words.
    pub qualification: String,
    /// A case without three reads may still have a consensus.
    pub require_all_readers: bool,
    /// Agreeing votes that make a consensus: 2 (majority) or 3 (unanimous).
    pub minimum_agreeing: u8,
    /// Indeterminate reads.
    pub indeterminate: IndeterminateRule,
    /// Repeated reads.
    pub repeated_read: RepeatedRead,
    /// The same readers read every case, so that an absent read is a missing one.
    pub fixed_readers: bool,
}

/// `[reference_standard]` as typed.
pub(super) fn reference_standard(section: Section) -> ReferenceRule {
    if section.is_present() {
        let readers = section.required_whole("readers");
        if section.has("readers") && readers != 3 {
            section.wrong(
                "readers",
                Code::ValueRange,
                format!("{readers} readers: the consensus is of three"),
            );
        }
        section.required_string("rule");
    }
    let rule: u8 = section.choice("rule", &[("majority", 2), ("unanimous", 3)], 2);
    let minimum_agreeing = section.whole("minimum_agreeing").unwrap_or(u64::from(rule));
    if minimum_agreeing != u64::from(rule) {
        section.wrong(
            "minimum_agreeing",
            Code::ValueRange,
            format!("minimum_agreeing is {minimum_agreeing}, but the declared rule needs {rule}"),
        );
    }
    let reference = ReferenceRule {
        qualification: section.required_string("qualification"),
        require_all_readers: section.boolean("require_all_readers").unwrap_or(false),
        minimum_agreeing: rule,
        indeterminate: section.choice(
            "indeterminate",
            &[
                ("no-vote", IndeterminateRule::NoVote),
                ("positive", IndeterminateRule::Positive),
                ("negative", IndeterminateRule::Negative),
            ],
            IndeterminateRule::NoVote,
        ),
        repeated_read: section.choice(
            "repeated_read",
            &[("refuse", RepeatedRead::Refuse), ("set-aside", RepeatedRead::SetAside)],
            RepeatedRead::Refuse,
        ),
        fixed_readers: section.boolean("fixed_readers").unwrap_or(true),
    };
    section.finish();
    reference
}
