//! What comes back from a reading round: the form that a reader filled in a program for tables, or the file
//! that the reading page wrote. Both name round, reader and worklist, and know cases by their codes alone.
//!
//! The page's file carries a checksum. It shows damage and a casual edit; whoever wants to forge a file can
//! compute it again, as the page does.

use std::collections::BTreeSet;
use std::path::Path;

use chrono::{DateTime, NaiveDateTime};
use serde::{Deserialize, Serialize};

use crate::diagnostic::{Code, Diagnostic, Location};
use crate::digest::Digest;
use crate::reads::round::Round;
use crate::table::{Table, cell, limited};

/// Version of the page's file.
pub const READING: &str = "sequester-reading/1";
/// Version of the form.
pub const FORM: &str = "sequester-form/1";

/// Columns of a form.
const COLUMNS: [&str; 11] = [
    "position",
    "code",
    "answer",
    "confidence",
    "comment",
    "completed",
    "answers",
    "round",
    "reader",
    "worklist",
    "form",
];

/// One case of a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The case's code.
    pub code: String,
    /// The answer's words.
    pub answer: Option<String>,
    /// How sure the reader is, as stated.
    pub confidence: Option<String>,
    /// What the reader wrote.
    pub comment: Option<String>,
    /// Whether the reader was done with it.
    pub completed: bool,
    /// When it was answered, in UTC, by the clock of the reader's machine.
    pub time: Option<NaiveDateTime>,
    /// Its place.
    pub at: Location,
}

/// A form as it came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Form {
    /// The study's id, where the file says it.
    pub study: Option<String>,
    /// The round.
    pub round: String,
    /// The reader.
    pub reader: String,
    /// Digest of what the reader was given.
    pub worklist: Digest,
    /// The reading session of the page; a form in a table has none.
    pub session: Option<String>,
    /// Its cases, as they stand in the file.
    pub entries: Vec<Entry>,
}

/// The page's file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Reading {
    format: String,
    study: String,
    round: String,
    reader: String,
    worklist: String,
    session: String,
    opened: String,
    exported: String,
    reads: Vec<PageRead>,
    checksum: String,
}

/// One case of the page's file.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PageRead {
    code: String,
    answer: Option<String>,
    confidence: Option<u64>,
    /// Absent where it was withheld.
    comment: Option<String>,
    shown_at: Option<String>,
    answered_at: Option<String>,
    /// For so long the case was shown, in whole seconds.
    seconds: u64,
    /// So often the answer was changed.
    changes: u64,
}

impl Reading {
    /// SHA-256 of all values in a fixed order as JSON without spaces; `page.js` writes the same text.
    fn computed_checksum(&self) -> Option<String> {
        let read = |read: &PageRead| {
            let PageRead { code, answer, confidence, comment, shown_at, answered_at, seconds, changes } =
                read.clone();
            (code, answer, confidence, comment, shown_at, answered_at, seconds, changes)
        };
        let reads: Vec<_> = self.reads.iter().map(read).collect();
        let names = (&self.format, &self.study, &self.round, &self.reader, &self.worklist);
        let (format, study, round, reader, worklist) = names;
        let (session, opened, exported) = (&self.session, &self.opened, &self.exported);
        let all = (format, study, round, reader, worklist, session, opened, exported, reads);
        serde_json::to_vec(&all).ok().map(|text| Digest::of(&text).to_string())
    }
}

/// Whether a file is a form of a round, by what stands at its beginning.
pub fn is_form(path: &Path, bytes: &[u8]) -> bool {
    if bytes.starts_with(b"PK") {
        let columns = |table: &Table| ["code", "worklist", "form"].iter().all(|c| table.column(c).is_some());
        return Table::parse(path, bytes).is_ok_and(|table| columns(&table));
    }
    // Without the zeros of UTF-16.
    let begin: Vec<u8> = bytes.iter().take(4096).copied().filter(|byte| *byte != 0).collect();
    let holds = |mark: &[u8]| begin.windows(mark.len()).any(|part| part == mark);
    holds(b"\"sequester-reading/") || holds(b"sequester-form/")
}

/// Refuses a form where readers' files of a platform lie.
///
/// # Errors
/// `form-misplaced`.
pub fn refuse(path: &Path, bytes: &[u8]) -> Result<(), Vec<Diagnostic>> {
    if !is_form(path, bytes) {
        return Ok(());
    }
    let message = "this is a form of a reading round: it knows cases by the round's codes alone";
    Err(vec![
        Diagnostic::error(Code::FormMisplaced, message)
            .at(Location::file(path))
            .hint("take it out of the folder and bring it in: `sequester reads import STUDY FILE`"),
    ])
}

/// Whether a form is as it came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// As the page or the reader's program wrote it.
    AsItCame,
    /// Something was taken out of it before it became evidence. Its checksum was that of the whole and was
    /// asked when it came in; what is left of it is held by the register of imports.
    Reduced,
}

/// Reads a form.
///
/// # Errors
/// `form-unreadable`, `form-checksum`; what a table is refused for.
pub fn parse(path: &Path, bytes: &[u8], kept: Kept) -> Result<Form, Vec<Diagnostic>> {
    let begin = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    if begin.starts_with(b"{") {
        return of_page(path, begin, kept).map_err(|problem| vec![problem.at(Location::file(path))]);
    }
    of_table(path, &Table::parse(path, bytes)?)
}

fn unreadable(message: String) -> Diagnostic {
    Diagnostic::error(Code::FormUnreadable, message)
        .hint("ask the reader for the file as the page wrote it, or for the form with all its columns")
}

fn of_page(path: &Path, bytes: &[u8], kept: Kept) -> Result<Form, Diagnostic> {
    let reading: Reading = serde_json::from_slice(bytes)
        .map_err(|e| unreadable(format!("this is no file of the reading page: {e}")))?;
    if reading.format != READING {
        let found = cell::shown(&reading.format);
        return Err(unreadable(format!("the format is {found}, this program reads \"{READING}\"")));
    }
    if kept == Kept::AsItCame && reading.computed_checksum().as_ref() != Some(&reading.checksum) {
        let message =
            "the checksum is not that of the contents: the file was changed after the page wrote it";
        return Err(Diagnostic::error(Code::FormChecksum, message).hint(
            "ask the reader to save the answers to a file again; an answer that was mistyped is corrected \
             on the page, not in the file",
        ));
    }
    let worklist = reading
        .worklist
        .parse()
        .map_err(|e: crate::digest::DigestError| unreadable(format!("`worklist`: {e}")))?;
    let time = |text: String| {
        let time = DateTime::parse_from_rfc3339(&text).map(|time| time.naive_utc());
        time.map_err(|_| unreadable(format!("{} is no time", cell::shown(&text))))
    };
    let entry = |read: PageRead| {
        Ok(Entry {
            code: read.code,
            completed: read.answer.is_some(),
            answer: read.answer,
            confidence: read.confidence.map(|confidence| confidence.to_string()),
            comment: read.comment.filter(|text| !text.trim().is_empty()),
            time: read.answered_at.map(time).transpose()?,
            at: Location::file(path),
        })
    };
    Ok(Form {
        study: Some(reading.study),
        round: reading.round,
        reader: reading.reader,
        worklist,
        session: Some(reading.session),
        entries: reading.reads.into_iter().map(entry).collect::<Result<_, Diagnostic>>()?,
    })
}

fn of_table(path: &Path, table: &Table) -> Result<Form, Vec<Diagnostic>> {
    let mut problems = Vec::new();
    let mut find = |name: &str| table.required(name).map_err(|problem| problems.push(problem)).ok();
    let [code, answer, completed] = ["code", "answer", "completed"].map(&mut find);
    let head = ["round", "reader", "worklist", "form"].map(&mut find);
    if !problems.is_empty() {
        return Err(problems);
    }
    let [confidence, comment] = ["confidence", "comment"].map(|name| table.column(name));
    let mut heads: BTreeSet<[Option<&str>; 4]> = BTreeSet::new();
    let mut entries = Vec::new();
    for row in table.rows() {
        let at = table.at(row.line);
        heads.insert(head.map(|column| row.get(column)));
        let done = row.get(completed).map(|text| {
            let done = cell::binary(text).or_else(|| cell::is_word("x", text).then_some(true));
            done.ok_or_else(|| {
                let message = format!("whether it is completed is neither yes nor no: {}", cell::shown(text));
                Diagnostic::error(Code::FormUnreadable, message).at(at.clone()).hint("write yes or no")
            })
        });
        match (row.get(code), done.transpose()) {
            (_, Err(problem)) => problems.push(problem),
            (None, _) => problems.push(
                Diagnostic::error(Code::ValueMissing, "the cell `code` is empty")
                    .at(at)
                    .hint("leave the column of the codes as it was"),
            ),
            (Some(code), Ok(completed)) => entries.push(Entry {
                code: code.to_owned(),
                answer: row.get(answer).map(str::to_owned),
                confidence: row.get(confidence).map(str::to_owned),
                comment: row.get(comment).map(str::to_owned),
                completed: completed == Some(true),
                time: None,
                at,
            }),
        }
    }
    let mut all = heads.into_iter();
    let (Some([Some(round), Some(reader), Some(worklist), Some(form)]), None) = (all.next(), all.next())
    else {
        let message = "the rows do not all name the same round, reader, worklist and form";
        problems.push(unreadable(message.to_owned()).at(Location::file(path)));
        return Err(limited(problems, path));
    };
    if form != FORM {
        let message = format!("the form is {}, this program reads \"{FORM}\"", cell::shown(form));
        problems.push(unreadable(message).at(Location::file(path)));
    }
    match worklist.parse() {
        Ok(worklist) if problems.is_empty() => Ok(Form {
            study: None,
            round: round.to_owned(),
            reader: reader.to_owned(),
            worklist,
            session: None,
            entries,
        }),
        Ok(_) => Err(limited(problems, path)),
        Err(error) => {
            problems.push(unreadable(format!("`worklist`: {error}")).at(Location::file(path)));
            Err(limited(problems, path))
        }
    }
}

/// The empty form of a reader, in their order; `None` for a reader who has no part in the round.
pub fn empty(round: &Round, reader: &str) -> Option<Vec<u8>> {
    let (part, worklist) = (round.part(reader)?, round.worklist(reader)?.to_string());
    let doubt = DOUBT.join(", ");
    let answers = match round.numbers.map(|numbers| (numbers, numbers.levels())) {
        None => format!("positive, negative, {doubt}"),
        Some((_, Some(levels))) => {
            let levels: Vec<String> = levels.iter().map(i32::to_string).collect();
            format!("{}, {doubt}", levels.join(", "))
        }
        Some((numbers, None)) => format!("a number from {} to {}, or: {doubt}", numbers.min, numbers.max),
    };
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS).ok()?;
    for (position, code) in part.order.iter().enumerate() {
        let position = (position + 1).to_string();
        let given = [&*position, code, "", "", "", "", &*answers, &*round.name, reader, &*worklist, FORM];
        writer.write_record(given).ok()?;
    }
    writer.into_inner().ok()
}

/// Answers that every form and page has, whatever the protocol's words: canonical words of the reads without
/// a decision.
pub const DOUBT: [&str; 2] = ["indeterminate", "uninterpretable"];
