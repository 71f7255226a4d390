//! Who reads, and what for: the readers that a protocol or its table of readers declares.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::declared::distance;
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::protocol::{self, DeclaredReader, DeclaredReaders, MOST_YEARS, ReaderRole, ReferenceRule};
use crate::reads::files::ReadRow;
use crate::table::id::{self, Alike};
use crate::table::{Table, cell, limited};

/// The declared readers; where none is declared, whoever read is a reference reader.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Roster {
    declared: Option<BTreeMap<String, DeclaredReader>>,
}

impl Roster {
    /// The readers of a rule; `table` holds path and bytes of the table that it names, where it names one.
    ///
    /// # Errors
    /// Everything wrong in the table; `readers-alike` for ids that differ in form alone; `reference-rule`
    /// where the readers of the table do not fit the rule.
    pub fn of(rule: &ReferenceRule, table: Option<(&Path, &[u8])>) -> Result<Self, Vec<Diagnostic>> {
        let readers = match (&rule.declared, table) {
            (DeclaredReaders::Undeclared, _) | (DeclaredReaders::File(_), None) => return Ok(Self::default()),
            (DeclaredReaders::Listed(listed), _) => listed.clone(),
            (DeclaredReaders::File(_), Some((path, bytes))) => read(path, bytes, rule)?,
        };
        let alike: Alike<'_> = readers.iter().map(|reader| reader.id.as_str()).collect();
        let place = || table.map_or_else(Location::default, |(path, _)| Location::file(path));
        let problems: Vec<Diagnostic> = alike
            .groups()
            .into_iter()
            .map(|ids| {
                let names = id::named(ids.iter().copied());
                let message = format!("the declared readers {names} are probably one: {}", id::DIFFERENCE);
                Diagnostic::error(Code::ReadersAlike, message).at(place()).hint(ONE_ID)
            })
            .collect();
        if !problems.is_empty() {
            return Err(problems);
        }
        Ok(Self { declared: Some(readers.into_iter().map(|reader| (reader.id.clone(), reader)).collect()) })
    }

    /// The declared readers by their id; `None` where none is declared.
    pub fn declared(&self) -> Option<&BTreeMap<String, DeclaredReader>> {
        self.declared.as_ref()
    }

    /// What is declared of a reader.
    pub fn reader(&self, id: &str) -> Option<&DeclaredReader> {
        self.declared.as_ref()?.get(id)
    }

    /// What a reader's reads are for; `None` for a reader who is not among the declared ones.
    pub fn role(&self, id: &str) -> Option<ReaderRole> {
        match &self.declared {
            None => Some(ReaderRole::Reference),
            Some(readers) => readers.get(id).map(|reader| reader.role),
        }
    }

    /// The ids of the declared readers of a role.
    pub fn of_role(&self, role: ReaderRole) -> impl Iterator<Item = &str> {
        let readers = self.declared.iter().flat_map(BTreeMap::values);
        readers.filter(move |reader| reader.role == role).map(|reader| reader.id.as_str())
    }

    /// One error that lists every reader who read and is not declared.
    pub fn undeclared(&self, rows: &[ReadRow]) -> Option<Diagnostic> {
        let declared = self.declared.as_ref()?;
        let mut found: BTreeMap<&str, u64> = BTreeMap::new();
        let mut first = None;
        for row in rows.iter().filter(|row| !declared.contains_key(row.reader_id.as_str())) {
            *found.entry(&row.reader_id).or_default() += 1;
            first.get_or_insert(row);
        }
        let first = first?;
        let alike: Alike<'_> = declared.keys().map(String::as_str).collect();
        let told: Vec<String> = found
            .iter()
            .map(|(id, reads)| {
                let meant = alike.likely(id);
                let meant = meant.map_or_else(String::new, |id| format!(", `{id}` is probably meant"));
                format!("`{id}` ({reads} {}{meant})", if *reads == 1 { "read" } else { "reads" })
            })
            .collect();
        let message = format!(
            "{} {} not declared: {}",
            told.len(),
            if told.len() == 1 { "reader is" } else { "readers are" },
            told.join(", ")
        );
        Some(
            Diagnostic::error(Code::ReaderUndeclared, message)
                .at(Location::line(&first.file, first.line))
                .hint("declare each with its role; \"ignored\" counts a reader's reads and uses none"),
        )
    }
}

/// What a table of readers may say of each beside `id` and `role`.
const KNOWN_OF_READERS: [&str; 4] = ["qualification", "specialty", "years", "labelled_training_data"];

const ONE_ID: &str = "write one id for one reader, and ids that differ in more than their form for two";

/// Readers whose ids differ in form alone: two votes of one person, or one id of two.
///
/// `reads` are readers with the file and line of each read.
pub fn colliding<'a, P: AsRef<Path> + 'a>(
    reads: impl Iterator<Item = (&'a str, &'a P, u64)>,
) -> Vec<Diagnostic> {
    let mut first: BTreeMap<&str, (&P, u64)> = BTreeMap::new();
    for (reader, file, line) in reads {
        first.entry(reader).or_insert((file, line));
    }
    let alike: Alike<'_> = first.keys().copied().collect();
    alike
        .groups()
        .into_iter()
        .map(|ids| {
            let places = ids.iter().filter_map(|id| first.get(id)).skip(1);
            let place = places.map(|(file, line)| Location::line(file, *line)).next().unwrap_or_default();
            let message = format!(
                "the readers {} are probably one: {}",
                id::named(ids.iter().copied()),
                id::DIFFERENCE
            );
            Diagnostic::error(Code::ReadersAlike, message).at(place).hint(ONE_ID)
        })
        .collect()
}

/// A table of readers: `id` and `role`, and what else is known of them.
fn read(path: &Path, bytes: &[u8], rule: &ReferenceRule) -> Result<Vec<DeclaredReader>, Vec<Diagnostic>> {
    let table = Table::parse(path, bytes)?;
    let mut problems = Vec::new();
    let [id, role] = ["id", "role"].map(|name| table.required(name).map_err(|p| problems.push(p)).ok());
    if !problems.is_empty() {
        return Err(problems);
    }
    for name in KNOWN_OF_READERS.into_iter().filter(|name| table.column(name).is_none()) {
        let near = |header: &&String| {
            !KNOWN_OF_READERS.contains(&header.as_str())
                && distance(&header.to_lowercase(), name) <= (name.len() / 3).min(3)
        };
        if let Some(header) = table.header().iter().find(near) {
            // A misspelt column would be left out in silence.
            let message = format!("the column `{header}` is not known, and `{name}` is probably meant");
            let problem = Diagnostic::error(Code::ColumnMissing, message).at(table.at(1));
            problems.push(problem.hint("rename the column, or give it a name that is less like it"));
        }
    }
    let column = |name| table.column(name);
    let mut readers: Vec<DeclaredReader> = Vec::new();
    let mut ids = BTreeSet::new();
    for row in table.rows() {
        let mut wrong = |code, message: String, hint: &str| {
            problems.push(Diagnostic::error(code, message).at(table.at(row.line)).hint(hint));
        };
        let text = |name| row.get(column(name)).map(str::to_owned);
        let Some(name) = row.get(id) else {
            wrong(
                Code::ValueMissing,
                "the cell `id` is empty".to_owned(),
                "say who it is, or remove the row",
            );
            continue;
        };
        if !ids.insert(name.to_owned()) {
            wrong(Code::DuplicateId, format!("two rows have the id `{name}`"), "one row a reader");
        }
        let said = row.get(role).unwrap_or_default();
        let role =
            ReaderRole::NAMES.iter().find(|(role, _)| cell::is_word(role, said)).map(|(_, role)| *role);
        if role.is_none() {
            let message = format!("the role of `{name}` is no role: {}", cell::shown(said));
            wrong(Code::ValueUnknown, message, "roles are reference, comparison, adjudicator and ignored");
        }
        let years = text("years").and_then(|text| {
            let years = cell::number(&text).filter(|years| (0.0..=MOST_YEARS).contains(years));
            if years.is_none() {
                let message = format!("the years of `{name}` are no number of years: {}", cell::shown(&text));
                wrong(
                    Code::ValueRange,
                    message,
                    "give years of experience from 0 to 80, or leave the cell empty",
                );
            }
            years
        });
        let labelled = text("labelled_training_data").map_or(Some(false), |text| {
            let truth = cell::binary(&text);
            if truth.is_none() {
                let message = format!(
                    "whether `{name}` labelled training data is neither yes nor no: {}",
                    cell::shown(&text)
                );
                wrong(Code::ValueUnknown, message, "write yes or no");
            }
            truth
        });
        let reader = DeclaredReader {
            id: name.to_owned(),
            role: role.unwrap_or(ReaderRole::Ignored),
            qualification: text("qualification"),
            specialty: text("specialty"),
            years,
            labelled_training_data: labelled.unwrap_or(false),
        };
        let unsaid = reader.qualification.is_none() && rule.qualification.is_none();
        if unsaid && role.is_some_and(|role| role != ReaderRole::Ignored) {
            wrong(
                Code::ValueMissing,
                format!("nothing says what `{name}` is qualified by"),
                "fill the column `qualification`, or say it of all in `reference_standard.qualification`",
            );
        }
        readers.push(reader);
    }
    if readers.is_empty() && problems.is_empty() {
        let problem = Diagnostic::error(Code::TableEmpty, "the table of readers names nobody");
        problems.push(problem.at(Location::file(path)).hint("one row a reader: id, role"));
    }
    if problems.is_empty()
        && let Err(message) = protocol::fits(rule, &readers)
    {
        let hint = "roles are reference, comparison, adjudicator and ignored";
        problems.push(Diagnostic::error(Code::ReferenceRule, message).at(Location::file(path)).hint(hint));
    }
    if problems.is_empty() { Ok(readers) } else { Err(limited(problems, path)) }
}

#[cfg(test)]
mod tests;
