//! Readers whose reads are the same to the last one: a file that came twice, under two names, would vote
//! twice. The analysis asks the same of reads that are nearly so, after the opening; this is known before it.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic, Location, few};
use crate::digest::Digest;
use crate::reads::files::ReadRow;
use crate::study::{self, Cohort, Inputs};

/// Below so many reads the same ones are no surprise.
const READS: usize = 10;

/// So many readers are named.
const NAMED: usize = 10;

/// A warning of each group of readers who read the same cases and gave the same reads, of both kinds.
pub(super) fn copied(inputs: &Inputs, cohort: &Cohort) -> Vec<Diagnostic> {
    let came = study::reads_that_came(inputs, cohort);
    let mut of_reader: BTreeMap<&str, Vec<&ReadRow>> = BTreeMap::new();
    for row in &came {
        of_reader.entry(&row.reader_id).or_default().push(row);
    }
    let mut alike: BTreeMap<Digest, Vec<&ReadRow>> = BTreeMap::new();
    for mut rows in of_reader.into_values() {
        rows.sort_by(|a, b| a.case_id.cmp(&b.case_id));
        let (Some(first), true) = (rows.first(), rows.len() >= READS) else { continue };
        if rows.iter().any(|row| row.read != first.read) {
            let text: String = rows.iter().map(|row| format!("{}\0{:?}\n", row.case_id, row.read)).collect();
            alike.entry(Digest::of(text.as_bytes())).or_default().push(first);
        }
    }
    let warning = |rows: Vec<&ReadRow>| {
        let second = rows.get(1)?;
        let message = format!(
            "the readers {} read the same cases and gave the same read on each of them",
            few::and_so_on(rows.iter().map(|row| row.reader_id.as_str()), NAMED)
        );
        let hint = "ask whether they are as many people who read apart, and whether a file came twice";
        Some(
            Diagnostic::warning(Code::ReadsIdentical, message)
                .at(Location::line(&second.file, second.line))
                .hint(hint),
        )
    };
    alike.into_values().filter_map(warning).collect()
}
