//! What is looked at to say how far the reading is, and what is said then.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDateTime;
use serde::Serialize;

use crate::reads::assemble::Assembled;
use crate::reads::consensus::{Consensus, Voting};
use crate::reads::export::NoRead;
use crate::reads::files::ReadRow;
use crate::reads::roster::Roster;

/// A time without a zone, in UTC.
pub type Moment = NaiveDateTime;

/// What is looked at.
#[derive(Debug)]
pub struct Seen<'a> {
    /// The drawn cases.
    pub cases: &'a [&'a str],
    /// Who reads, and what for.
    pub roster: &'a Roster,
    /// The reads that count.
    pub assembled: &'a Assembled,
    /// The rule with its numbers.
    pub voting: &'a Voting,
    /// The same readers read every case.
    pub fixed: bool,
    /// One answer a drawn case.
    pub consensus: &'a [Consensus],
    /// Every read.
    pub rows: &'a [ReadRow],
    /// What is no read.
    pub no_reads: &'a [NoRead],
    /// The reading rounds.
    pub rounds: &'a [Assigned],
    /// Now.
    pub now: Moment,
    /// A reader who has cases left and gave none for longer than so many days is late.
    pub late_after: i64,
}

/// A round and who reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: &'static str,
    /// Its cases.
    pub cases: BTreeSet<String>,
    /// Its readers.
    pub readers: Vec<String>,
    /// Those from whom something came back.
    pub returned: BTreeSet<String>,
}

/// How far it is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Status {
    /// Version of this form.
    pub format: &'static str,
    /// Drawn cases.
    pub cases: usize,
    /// By id.
    pub readers: Vec<ReaderStatus>,
    /// By name.
    pub rounds: Vec<RoundStatus>,
    /// Cases that reference readers answered with yes and with no.
    pub disagreements: Vec<Disagreement>,
    /// Cases that wait for an adjudicator and lack no read of a reference reader.
    pub to_adjudicate: Vec<String>,
    /// Other cases without a reference standard, by reason.
    pub open: BTreeMap<&'static str, Vec<String>>,
    /// Reference readers two by two, on the cases that both answered with yes or no.
    pub pairs: Vec<Pair>,
    /// All reference readers together; none below two readers or without common cases.
    pub overall: Overall,
    /// Readers, or files, whose reads are the same beyond what the others make probable.
    pub copies: Vec<Copied>,
    /// What readers wrote; absent where nobody wrote.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub comments: Vec<Commented>,
}

/// What a reader wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Commented {
    /// The case.
    pub case_id: String,
    /// Who.
    pub reader: String,
    /// The answer beside it, or `no answer`.
    pub answer: &'static str,
    /// As it came.
    pub comment: String,
}

/// One reader.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReaderStatus {
    /// The reader.
    pub id: String,
    /// What the reads are for.
    pub role: &'static str,
    /// Cases that the reader is to read; none where nothing says so.
    pub expected: Option<usize>,
    /// Of the drawn cases read, set aside ones included.
    pub read: usize,
    /// With the finding.
    pub positive: usize,
    /// Without it.
    pub negative: usize,
    /// The reader could not tell.
    pub indeterminate: usize,
    /// The images could not be read.
    pub uninterpretable: usize,
    /// Read more than once, and set aside by the declared rule.
    pub set_aside: usize,
    /// Begun or answered, and not marked as completed.
    pub not_completed: usize,
    /// Expected and not read.
    pub missing: Option<Vec<String>>,
    /// When the last read was given, where files say so.
    pub last_read: Option<NaiveDateTime>,
    /// Whole days since then.
    pub days_since: Option<i64>,
    /// Cases are missing, and the last read is longer ago than asked for, or there is none.
    pub late: bool,
    /// How the share of positive answers goes along the time.
    pub drift: Drift,
}

/// The share of positive answers along the order of time.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Drift {
    /// Reads with yes or no and a time.
    pub reads: usize,
    /// Positive answers and answers, in equal parts of the order.
    pub parts: Vec<[usize; 2]>,
    /// Two-sided, of a test for trend (Cochran 1954, Armitage 1955) over the places in the order.
    pub p: Option<f64>,
    /// It is improbable by chance alone.
    pub told: bool,
    /// Why there is no test.
    pub why_none: Option<&'static str>,
}

/// One round.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RoundStatus {
    /// Its name.
    pub name: String,
    /// What it is for.
    pub kind: &'static str,
    /// Its cases.
    pub cases: usize,
    /// From whom something came back.
    pub returned: Vec<String>,
    /// From whom nothing did.
    pub waiting: Vec<String>,
}

/// A case on which reference readers differ.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Disagreement {
    /// The case.
    pub case_id: String,
    /// Readers with yes.
    pub positive: Vec<String>,
    /// Readers with no.
    pub negative: Vec<String>,
    /// Readers who could not tell or not read it.
    pub undecided: Vec<String>,
}

/// Two reference readers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Pair {
    /// Who.
    pub readers: [String; 2],
    /// Cases that both answered with yes or no.
    pub cases: u64,
    /// With the same answer.
    pub agreed: u64,
    /// Cohen's kappa; none where both gave one and the same answer throughout.
    pub kappa: Option<f64>,
}

/// All reference readers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Overall {
    /// Krippendorff's alpha, nominal.
    pub alpha: Option<f64>,
    /// Gwet's AC1.
    pub ac1: Option<f64>,
}

/// Reads that are the same.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Copied {
    /// `readers` or `files`.
    pub what: &'static str,
    /// Two ids or two files.
    pub of: [String; 2],
    /// Cases that both have.
    pub cases: usize,
    /// With the same read.
    pub same: usize,
    /// With the same read at the same second.
    pub same_time: usize,
    /// So probable are so few differences if the two differ as rarely as any other pair of readers does
    /// (lower 95 % limit); none without another pair.
    pub p: Option<f64>,
}
