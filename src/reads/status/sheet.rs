//! The reads as a table for the coordinator.

use std::collections::{BTreeMap, BTreeSet};

use chrono::NaiveDateTime;

use super::told::{Seen, Status};
use crate::protocol::ReaderRole;
use crate::reads::export::NoReadReason;

/// One row a reader, but for the ignored, and a drawn case: in which state it is, the read and its time, as
/// CSV. How sure the readers were and what they wrote stand in columns that are there where anybody said it;
/// of several reads of one reader on a case each, with a bar between.
pub fn csv(seen: &Seen<'_>, status: &Status) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    let mut times: BTreeMap<(&str, &str), NaiveDateTime> = BTreeMap::new();
    for row in seen.rows {
        if let Some(time) = row.time {
            let last = times.entry((&row.reader_id, &row.case_id)).or_insert(time);
            *last = (*last).max(time);
        }
    }
    let (remarks, nothing) = (remarks(seen), <[String; 2]>::default());
    let any = |nth: usize| remarks.values().any(|said| !said[nth].is_empty());
    let beside: Vec<usize> = (0..2).filter(|nth| any(*nth)).collect();
    let mut write = |cells: [&str; 6], said: [&str; 2]| {
        writer.write_record(cells.into_iter().chain(beside.iter().map(|nth| said[*nth]))).is_ok()
    };
    write(["reader_id", "role", "case_id", "state", "read", "time"], ["confidence", "comment"]);
    for reader in status.readers.iter().filter(|reader| reader.role != ReaderRole::Ignored.name()) {
        let missing: BTreeSet<&str> = reader.missing.iter().flatten().map(String::as_str).collect();
        let begun: BTreeSet<&str> = seen
            .no_reads
            .iter()
            .filter(|none| none.reader_id.as_deref() == Some(&reader.id))
            .filter(|none| none.reason == NoReadReason::NotCompleted)
            .filter_map(|none| none.case_id.as_deref())
            .collect();
        for case in seen.cases {
            let reads = seen.assembled.cases.get(*case);
            let read = reads.and_then(|reads| reads.reads.get(&reader.id));
            let set_aside = reads.is_some_and(|reads| reads.set_aside.contains(&reader.id));
            let state = match read {
                Some(_) => "read",
                None if set_aside => "set-aside",
                None if begun.contains(case) => "not-completed",
                None if missing.contains(case) => "missing",
                None => "not-expected",
            };
            let time = times.get(&(reader.id.as_str(), *case));
            let time = time.map(|time| time.format("%Y-%m-%dT%H:%M:%SZ").to_string()).unwrap_or_default();
            let said = remarks.get(&(reader.id.as_str(), *case)).unwrap_or(&nothing);
            write(
                [&reader.id, reader.role, case, state, read.map_or("", |read| read.name()), &time],
                [&said[0], &said[1]],
            );
        }
    }
    writer.into_inner().unwrap_or_default()
}

/// How sure each reader was of each case, and what the reader wrote, with an answer or without one.
fn remarks<'a>(seen: &'a Seen<'_>) -> BTreeMap<(&'a str, &'a str), [String; 2]> {
    let mut found: BTreeMap<(&str, &str), [String; 2]> = BTreeMap::new();
    let mut add = |reader, case, said: [Option<&str>; 2]| {
        for (nth, text) in said.into_iter().enumerate().filter_map(|(nth, text)| Some((nth, text?))) {
            let cell = &mut found.entry((reader, case)).or_default()[nth];
            if !cell.is_empty() {
                cell.push_str(" | ");
            }
            // A program for tables takes what begins like this for a formula.
            let formula = cell.is_empty() && text.starts_with(['=', '+', '@']);
            *cell += &format!("{}{text}", if formula { "'" } else { "" });
        }
    };
    for row in seen.rows {
        let said = [row.remark.confidence(), row.remark.comment()];
        add(row.reader_id.as_str(), row.case_id.as_str(), said);
    }
    for none in seen.no_reads {
        if let (Some(reader), Some(case)) = (&none.reader_id, &none.case_id) {
            add(reader, case, [None, none.comment.as_deref()]);
        }
    }
    found
}
