//! Ids that people take for one and computers do not: the same letters in another Unicode form, characters
//! that are not seen, a number that a program for tables has written with an exponent. Looked for before a
//! study is opened; what a bundle holds was matched as it stands, and is not judged again.

use std::collections::{BTreeMap, BTreeSet};

use crate::diagnostic::{Code, Diagnostic, Location, few};
use crate::study::{self, Cohort, Inputs};
use crate::table::id::{self, Alike, Form};

/// So many places are named.
const NAMED: usize = 10;

/// Patients, and cases, that are probably the same: a warning for each of the two.
pub fn of_cases(cohort: &Cohort) -> Vec<Diagnostic> {
    let patients = cohort.cases.iter().map(|case| case.patient_id.as_str());
    let cases = cohort.cases.iter().map(|case| case.case_id.as_str());
    let kinds = [("patients", Alike::of(patients, Form::Seen)), ("cases", Alike::of(cases, Form::Seen))];
    let told = |(what, alike): (&str, Alike<'_>)| {
        let groups = alike.groups().into_iter().filter(|ids| id::differ_unseen(ids.iter().copied()));
        let names: Vec<String> = groups.map(id::named_visibly).collect();
        (!names.is_empty()).then(|| {
            let message = format!(
                "{what} are probably the same: {}; {}",
                few::and_so_on(&names, NAMED),
                id::UNSEEN_DIFFERENCE
            );
            Diagnostic::warning(Code::IdsAlike, message)
                .hint("where they are the same, write one id; ids are compared as they stand")
        })
    };
    kinds.into_iter().filter_map(told).collect()
}

/// Readers that are probably one person, and reads of cases that are probably the study's.
pub fn of_reads(inputs: &Inputs, cohort: &Cohort) -> Vec<Diagnostic> {
    let Ok(so_far) = study::reads_so_far(inputs, cohort) else { return Vec::new() };
    let mut readers: BTreeSet<&str> = so_far.rows.iter().map(|row| row.reader_id.as_str()).collect();
    let declared = so_far.standard.roster.declared();
    readers.extend(declared.into_iter().flat_map(|declared| declared.keys().map(String::as_str)));
    // Of those that are alike in form already is told elsewhere.
    let mut problems: Vec<Diagnostic> = Alike::of(readers, Form::Seen)
        .groups()
        .into_iter()
        .filter(|ids| id::differ_unseen(ids.iter().copied()))
        .map(|ids| {
            let message = format!(
                "the readers {} are probably one: their names look alike, written with other characters",
                id::named_visibly(ids.iter().copied())
            );
            let first = so_far.rows.iter().find(|row| ids.contains(&row.reader_id.as_str()));
            let problem = Diagnostic::error(Code::ReadersAlike, message);
            match first {
                Some(row) => problem.at(Location::line(&row.file, row.line)),
                None => problem,
            }
            .hint("write one id for one reader, in new files from the readers")
        })
        .collect();
    let known: BTreeSet<&str> = cohort.cases.iter().map(|case| case.case_id.as_str()).collect();
    let unknown: Vec<_> = so_far.rows.iter().filter(|row| !known.contains(row.case_id.as_str())).collect();
    if !unknown.is_empty() {
        let forms: BTreeMap<String, &str> = known.iter().map(|known| (id::seen(known), *known)).collect();
        let meant = unknown.into_iter().filter_map(|row| Some((row, *forms.get(&id::seen(&row.case_id))?)));
        problems.extend(meant.take(NAMED).map(|(row, meant)| {
            let message = format!(
                "the case `{}` is not in the case table; `{}` is, and probably meant",
                id::visible(&row.case_id),
                id::visible(meant)
            );
            Diagnostic::error(Code::UnknownCase, message)
                .at(Location::line(&row.file, row.line))
                .hint("correct the id in a new file from the reader; the file that came stays as it is")
        }));
    }
    problems
}
