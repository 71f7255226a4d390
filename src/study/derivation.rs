//! `derivation.csv` as a document reads it: from the reads of each case to its answer.

use std::path::Path;

use crate::diagnostic::{Code, Diagnostic, Location};
use crate::table::Table;

/// One sampled case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Derivation {
    /// The case.
    pub case_id: String,
    /// `positive`, `negative` or `none`.
    pub reference: String,
    /// Which part of the rule gave it.
    pub level: String,
    /// Why there is none; empty where there is one.
    pub reason_for_none: String,
    /// Positive reads of reference readers.
    pub positive_reads: u64,
    /// Negative reads of reference readers.
    pub negative_reads: u64,
    /// What an adjudicator or a panel said; empty where they said nothing.
    pub adjudication: String,
    /// Every reader with the answer: `R1=positive; R2=negative`.
    pub readers: String,
    /// How sure readers said that they are, `R1=4; R2=3`; empty where nobody did.
    pub confidence: String,
    /// What readers wrote, `R1: rotated`; empty where nobody did.
    pub comments: String,
}

impl Derivation {
    /// The rows of the table, in its order.
    ///
    /// # Errors
    /// Where it is no such table.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Vec<Self>, Vec<Diagnostic>> {
        let table = Table::parse(path, bytes)?;
        let mut problems = Vec::new();
        let names = [
            "case_id",
            "reference",
            "level",
            "reason_for_none",
            "positive_reads",
            "negative_reads",
            "adjudication",
            "readers",
        ];
        let places = names.map(|name| table.required(name).map_err(|p| problems.push(p)).ok());
        // Columns of the studies in which somebody said it.
        let beside = ["confidence", "comments"].map(|name| table.column(name));
        let mut cases = Vec::new();
        for row in table.rows() {
            let [confidence, comments] = beside.map(|column| row.get(column).unwrap_or_default().to_owned());
            let cells = places.map(|place| row.get(place).unwrap_or_default());
            let [case_id, reference, level, reason_for_none, positive, negative, adjudication, readers] =
                cells;
            let mut number = |cell: &str| {
                cell.parse::<u64>().unwrap_or_else(|e| {
                    let message = format!("`{cell}` is no number of reads: {e}");
                    let place = Location::line(path, row.line);
                    problems.push(Diagnostic::error(Code::BundleUnreadable, message).at(place));
                    0
                })
            };
            cases.push(Self {
                positive_reads: number(positive),
                negative_reads: number(negative),
                case_id: case_id.to_owned(),
                reference: reference.to_owned(),
                level: level.to_owned(),
                reason_for_none: reason_for_none.to_owned(),
                adjudication: adjudication.to_owned(),
                readers: readers.to_owned(),
                confidence,
                comments,
            });
        }
        if problems.is_empty() { Ok(cases) } else { Err(problems) }
    }
}
