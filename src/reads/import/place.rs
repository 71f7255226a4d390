//! Where something stands: the name of a file, times, cells of a table.

use std::path::Path;

use chrono::{DateTime, NaiveDate, NaiveDateTime};

use crate::diagnostic::{Code, Diagnostic, Location, few};
use crate::protocol::{ReaderFrom, ReadsSource};
use crate::reads::export::{Answer, NoRead, NoReadReason};
pub use crate::table::cell::short;
use crate::table::pattern::star;
use crate::table::{Row, Table, Word, Words, cell};

/// The reader that the name of a file or of its folder says; `None` where neither is declared.
///
/// # Errors
/// `reader-pattern` where the name does not fit the declared pattern.
pub fn reader_of_path(path: &Path, source: &ReadsSource) -> Result<Option<String>, Diagnostic> {
    let (name, what) = match source.reader_from {
        ReaderFrom::File => (path.file_name(), "file"),
        ReaderFrom::Folder => (path.parent().and_then(Path::file_name), "folder"),
        _ => return Ok(None),
    };
    let name = name.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let reader = match (&source.reader_pattern, source.reader_from) {
        (Some(pattern), _) => star(pattern, &name).map(str::to_owned),
        // Without its ending, and without the one of a compressed file.
        (None, ReaderFrom::File) => {
            let name = name.strip_suffix(".gz").unwrap_or(&name);
            Some(name.rsplit_once('.').map_or(name, |(stem, _)| stem).to_owned()).filter(|s| !s.is_empty())
        }
        (None, _) => Some(name.clone()).filter(|name| !name.is_empty()),
    };
    reader.map(Some).ok_or_else(|| {
        let pattern = source.reader_pattern.as_deref().unwrap_or("*");
        Diagnostic::error(
            Code::ReaderPattern,
            format!("the {what}'s name `{name}` does not say who read: it does not fit `{pattern}`"),
        )
        .at(Location::file(path))
        .hint("declare `reader_pattern` in [reads]: `*` stands for the reader; or rename the file")
    })
}

/// A time as programs write it: a date, or a date with hours and minutes, the year first. A zone is taken off
/// by going to UTC. Day and month in an order that the text does not say are no time.
pub fn time(text: &str, format: Option<&str>) -> Option<NaiveDateTime> {
    const FORMS: [&str; 6] = [
        "%Y-%m-%dT%H:%M:%S%.f",
        "%Y-%m-%d %H:%M:%S%.f",
        "%Y-%m-%dT%H:%M",
        "%Y-%m-%d %H:%M",
        "%Y/%m/%d %H:%M:%S%.f",
        "%Y/%m/%d %H:%M",
    ];
    if let Some(format) = format {
        return NaiveDateTime::parse_from_str(text, format)
            .ok()
            .or_else(|| NaiveDate::parse_from_str(text, format).ok()?.and_hms_opt(0, 0, 0));
    }
    if let Ok(zoned) = DateTime::parse_from_rfc3339(text) {
        return Some(zoned.naive_utc());
    }
    const ZONED: [&str; 3] = ["%Y-%m-%d %H:%M:%S%.f%#z", "%Y-%m-%dT%H:%M%#z", "%Y-%m-%d %H:%M%#z"];
    if let Some(zoned) = ZONED.iter().find_map(|form| DateTime::parse_from_str(text, form).ok()) {
        return Some(zoned.naive_utc());
    }
    let utc = text.strip_suffix(" UTC").unwrap_or(text);
    FORMS.iter().find_map(|form| NaiveDateTime::parse_from_str(utc, form).ok()).or_else(|| {
        let date = |form| NaiveDate::parse_from_str(text, form).ok();
        date("%Y-%m-%d").or_else(|| date("%Y/%m/%d"))?.and_hms_opt(0, 0, 0)
    })
}

/// Columns of a table beside those of the case, the reader and the answer.
pub struct Extra {
    complete: Option<usize>,
    time: Option<usize>,
    session: Option<usize>,
    confidence: Option<usize>,
    comment: Option<usize>,
}

impl Extra {
    /// Finds the declared ones; a `*` in the column of completion is left to the caller.
    pub fn of(table: &Table, source: &ReadsSource, missing: &mut Vec<Diagnostic>) -> Self {
        let mut find = |name: &Option<String>| {
            let name = name.as_deref().filter(|name| !name.contains('*'))?;
            table.required(name).map_err(|problem| missing.push(problem)).ok()
        };
        Self {
            complete: find(&source.complete_column),
            time: find(&source.time_column),
            session: find(&source.session_column),
            confidence: find(&source.confidence_column),
            comment: find(&source.comment_column),
        }
    }

    /// The same with another column of completion.
    #[must_use]
    pub fn completed_by(&self, complete: Option<usize>) -> Self {
        Self { complete, ..*self }
    }
}

/// Whether a cell says that the answer was completed.
pub fn is_complete(text: Option<&str>, values: &[String]) -> bool {
    text.is_some_and(|text| values.iter().any(|value| cell::is_word(value, text)))
}

/// One cell of a table that may hold an answer.
pub struct Place<'t> {
    /// The row that it stands in.
    pub row: Row<'t>,
    /// The case.
    pub case_id: &'t str,
    /// The reader.
    pub reader_id: &'t str,
    /// The answer's words, where there are any.
    pub text: Option<String>,
}

impl Place<'_> {
    /// The answer, or why it is none.
    ///
    /// # Errors
    /// `time-unreadable` for a time that is none.
    pub fn answer(
        self,
        extra: &Extra,
        source: &ReadsSource,
        at: Location,
        words: &mut Words,
    ) -> Result<Result<Answer, NoRead>, Diagnostic> {
        let none = |reason| {
            let (case_id, reader_id) = (Some(self.case_id.to_owned()), Some(self.reader_id.to_owned()));
            let comment = self.row.get(extra.comment).map(str::to_owned);
            Ok(Err(NoRead { case_id, reader_id, reason, comment, at: at.clone() }))
        };
        if extra.complete.is_some() && !is_complete(self.row.get(extra.complete), &source.complete_values) {
            return none(NoReadReason::NotCompleted);
        }
        let Some(text) = self.text else { return none(NoReadReason::Empty) };
        let given = match self.row.get(extra.time) {
            None => None,
            Some(text) => Some(time(text, source.time_format.as_deref()).ok_or_else(|| {
                Diagnostic::error(Code::TimeUnreadable, format!("`{}` is no time", short(text)))
                    .at(at.clone())
                    .hint(
                        "times are read with the year first, such as 2026-03-01 14:05; for another form \
                         declare \
                         `time_format`, such as \"%m/%d/%Y %H:%M\"",
                    )
            })?),
        };
        let mut shared = |column| self.row.get(column).map(|text| words.word(text));
        let (session, confidence) = (shared(extra.session), shared(extra.confidence));
        Ok(Ok(Answer {
            case_id: self.case_id.into(),
            reader_id: words.word(self.reader_id),
            text: words.word(&text),
            time: given,
            session,
            confidence,
            comment: self.row.get(extra.comment).map(Word::from),
            at,
        }))
    }
}

/// Up to eight names of many, for messages.
pub fn some<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let all: Vec<&str> = names.into_iter().collect();
    few::and_more(all.into_iter().map(short), 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_where_it_can_be_read_in_one_way_only() {
        let shown = |text: &str| time(text, None).map(|time| time.to_string());
        assert_eq!(shown("2026-03-01 14:05").as_deref(), Some("2026-03-01 14:05:00"));
        assert_eq!(shown("2026-03-01T14:05:06.5Z").as_deref(), Some("2026-03-01 14:05:06.500"));
        assert_eq!(shown("2026-03-01T14:05:06+02:00").as_deref(), Some("2026-03-01 12:05:06"));
        assert_eq!(shown("2026-03-01 14:05:06.000001+00:00").as_deref(), Some("2026-03-01 14:05:06.000001"));
        assert_eq!(shown("2026-03-01T10:00Z").as_deref(), Some("2026-03-01 10:00:00"));
        assert_eq!(shown("2026-03-01T10:00+01:00").as_deref(), Some("2026-03-01 09:00:00"));
        assert_eq!(shown("2026-03-01 10:00-0230").as_deref(), Some("2026-03-01 12:30:00"));
        assert_eq!(shown("2026-03-01 14:05:06 UTC").as_deref(), Some("2026-03-01 14:05:06"));
        assert_eq!(shown("2026-03-01").as_deref(), Some("2026-03-01 00:00:00"));
        // readr::write_excel_csv2, and a CSV of LibreOffice.
        assert_eq!(shown("2026/03/01 14:05:06").as_deref(), Some("2026-03-01 14:05:06"));
        assert_eq!(shown("2026-03-01 9:05:06").as_deref(), Some("2026-03-01 09:05:06"));
        for text in ["02/09/2022 11:28", "55:02", "", "2026-13-01", "6/17/19"] {
            assert_eq!(shown(text), None, "{text}");
        }
        let declared = time("02/09/2022 11:28", Some("%m/%d/%Y %H:%M")).map(|time| time.to_string());
        assert_eq!(declared.as_deref(), Some("2022-02-09 11:28:00"));
        assert_eq!(time("x", Some("%")), None, "a form that is none reads nothing");
    }
}
