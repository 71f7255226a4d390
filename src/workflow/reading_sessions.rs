//! The sessions of a reader study on disk: codes that stay in the study, and a form a reader and session,
//! which is a table of ratings once it is filled.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use super::outside::Outside;
use super::round::handed_out;
use super::study::Study;
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::Digest;
use crate::protocol::{CaseMapTable, ReaderStudySource, ReadingDesign, ReadingOrder};
use crate::reads::sessions::{Codes, Placed, codes, sessions};
use crate::storage;
use crate::study::{self, Step};
use crate::table::Table;

/// The name of the folder of forms below what is handed out.
pub const NAME: &str = "reader-study";
/// Columns of the table of codes and of forms that no protocol names.
const SESSION: &str = "session";
const POSITION: &str = "position";

/// A form that was made.
#[derive(Clone, Debug)]
pub struct Form {
    /// Who reads.
    pub reader: String,
    /// From 1.
    pub session: usize,
    /// Where it lies.
    pub path: PathBuf,
    /// SHA-256 of the empty form.
    pub digest: Digest,
}

/// What was made.
#[derive(Clone, Debug)]
pub struct MadeSessions {
    /// The table of codes.
    pub codes: PathBuf,
    /// It was there before.
    pub already: bool,
    /// Cases that are read.
    pub cases: usize,
    /// The forms.
    pub forms: Vec<Form>,
    /// What the coordinator should know.
    pub warnings: Vec<Diagnostic>,
}

fn wrong(study: &Study, code: Code, message: impl Into<String>, hint: &str) -> Error {
    let at = Location::file(study.folder.join("protocol.toml"));
    Diagnostic::error(code, message).at(at).hint(hint.to_owned()).into()
}

/// Makes the sessions, or finds that codes are there, and writes the forms that are not.
///
/// # Errors
/// `key-missing` where the protocol declares no reader study, no order or no `case_map`; `reading-design` for
/// designs whose groups nobody declared; `round-reader`; `round-exists` where the codes are of other cases;
/// what is wrong in the case tables.
pub fn make(
    study: &Study,
    readers: &[String],
    secret: Digest,
    outside: &Outside<'_>,
) -> Result<MadeSessions> {
    let (source, map, order) = declared(study)?;
    let readers = checked(readers)?;
    let inputs = study.inputs(Step::Cohort)?;
    let cohort = study::cohort(&inputs)?;
    let cases: BTreeSet<String> = cohort.drawn_cases().map(|case| case.case_id.to_string()).collect();
    outside.say("worklist", "making the sessions");
    let path = map.file.below(&study.data);
    let already = path.is_file();
    let codes = if already {
        read_codes(&path, map, &cases)?
    } else {
        let ids = cohort.cases.iter().flat_map(|case| [&case.case_id, &case.patient_id]);
        let never: BTreeSet<String> = ids.map(|id| id.to_lowercase()).collect();
        let made = codes(&secret, &cases, &never);
        storage::write_atomic(&path, &code_table(map, &made)?)?;
        made
    };
    let mut made =
        MadeSessions { codes: path, already, cases: cases.len(), forms: Vec::new(), warnings: Vec::new() };
    for (reader, of) in sessions(order, &codes, &readers, study.protocol.sample.seed) {
        for (place, rows) in of.iter().enumerate() {
            let session = place + 1;
            let form = form(source, &reader, session, rows)?;
            let base = handed_out(study, NAME, &reader);
            let name = base.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let path = base.with_file_name(format!("{name}-session-{session}.csv"));
            if !path.exists() {
                storage::write_atomic(&path, &form)?;
            } else if storage::read(&path)? != form {
                let message =
                    "the form is there already, with ratings or other contents: it is left as it is";
                made.warnings.push(Diagnostic::warning(Code::FileExists, message).at(Location::file(&path)));
            }
            made.forms.push(Form { reader: reader.clone(), session, path, digest: Digest::of(&form) });
        }
    }
    Ok(made)
}

/// What the protocol has to say for sessions to be made.
fn declared(study: &Study) -> Result<(&ReaderStudySource, &CaseMapTable, ReadingOrder)> {
    let Some(source) = &study.protocol.reader_study else {
        let hint = "add [reader_study]; docs/protocol.md has an example";
        return Err(wrong(study, Code::KeyMissing, "the protocol declares no [reader_study]", hint));
    };
    if source.design != ReadingDesign::Crossed {
        let message = "sessions are made of a crossed design: who reads which cases is declared nowhere";
        let hint = "make the lists of each group yourself; the tables of ratings are read as they come";
        return Err(wrong(study, Code::ReadingDesign, message, hint));
    }
    let Some(order) = source.order else {
        let hint = "sessions are of reads with and without the device: declare `aided` and `order`";
        return Err(wrong(study, Code::KeyMissing, "`reader_study.order` is not declared", hint));
    };
    let Some(map) = &source.case_map else {
        let hint = "readers see codes: case_map = { file = \"codes.csv\", id_column = \"code\" } says where \
                    the codes lie";
        return Err(wrong(study, Code::KeyMissing, "`reader_study.case_map` is not declared", hint));
    };
    Ok((source, map, order))
}

fn checked(readers: &[String]) -> Result<BTreeSet<String>> {
    let problem = |message: String, hint: &str| -> Error {
        Error::usage(Diagnostic::error(Code::RoundReader, message).hint(hint.to_owned()))
    };
    if readers.is_empty() {
        return Err(problem("nobody reads".to_owned(), "name each reader: --reader R1 --reader R2"));
    }
    for id in readers {
        if id.trim().is_empty() || id.trim() != id || id.chars().any(char::is_control) {
            let message = format!("`{}` is no reader's id", id.escape_debug());
            return Err(problem(message, "give the id as the tables of ratings will have it"));
        }
    }
    Ok(readers.iter().cloned().collect())
}

fn written(writer: csv::Writer<Vec<u8>>) -> Result<Vec<u8>> {
    writer.into_inner().map_err(|e| Diagnostic::error(Code::TableUnwritable, e.to_string()).into())
}

fn record(writer: &mut csv::Writer<Vec<u8>>, cells: &[&str]) -> Result<()> {
    writer.write_record(cells).map_err(|e| Diagnostic::error(Code::TableUnwritable, e.to_string()).into())
}

fn code_table(map: &CaseMapTable, codes: &Codes) -> Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    record(&mut writer, &[&map.id_column, &map.case_column, SESSION])?;
    for (case, codes) in codes {
        for (code, session) in codes.iter().zip(["1", "2"]) {
            record(&mut writer, &[code, case, session])?;
        }
    }
    written(writer)
}

/// The codes that were handed out before: those of the same cases, two each.
fn read_codes(path: &Path, map: &CaseMapTable, cases: &BTreeSet<String>) -> Result<Codes> {
    let bytes = storage::read(path)?;
    let table = Table::parse(path, &bytes).map_err(Error::Input)?;
    let [code, case, session] =
        [map.id_column.as_str(), map.case_column.as_str(), SESSION].map(|name| table.required(name));
    let (code, case, session) = (code?, case?, session?);
    let mut found = Codes::new();
    for row in table.rows() {
        let (Some(code), Some(case)) = (row.get(Some(code)), row.get(Some(case))) else { continue };
        let place = usize::from(row.get(Some(session)) == Some("2"));
        found.entry(case.to_owned()).or_default()[place] = code.to_owned();
    }
    let same: BTreeSet<&String> = found.keys().collect();
    let whole = found.values().flatten().all(|code| !code.is_empty());
    let wanted: BTreeSet<&String> = cases.iter().collect();
    if same != wanted || !whole {
        let message = "the codes are there, and are not those of the drawn cases in two sessions";
        return Err(Diagnostic::error(Code::RoundExists, message)
            .at(Location::file(path))
            .hint("what was handed out stays valid: name another file in `reader_study.case_map`")
            .into());
    }
    Ok(found)
}

/// An empty form: a table of ratings whose rating is to be filled, with the columns that the protocol names.
fn form(source: &ReaderStudySource, reader: &str, session: usize, rows: &[Placed]) -> Result<Vec<u8>> {
    let named = [&source.reader_column, &source.case_column, &source.modality_column, &source.rating_column];
    let more = [&source.time_column, &source.seconds_column];
    let mut header: Vec<&str> = named.map(String::as_str).to_vec();
    header.extend(more.iter().filter_map(|name| name.as_deref()));
    let own: Vec<&str> = [POSITION, SESSION].into_iter().filter(|name| !header.contains(name)).collect();
    let mut writer = csv::Writer::from_writer(Vec::new());
    let cells = |first: [&str; 4], position: &str, session: &str| -> Vec<String> {
        let mut cells: Vec<String> = first.map(str::to_owned).to_vec();
        cells.resize(header.len(), String::new());
        for name in &own {
            cells.push(if *name == POSITION { position } else { session }.to_owned());
        }
        cells
    };
    let heads: Vec<&str> = header.iter().chain(&own).copied().collect();
    record(&mut writer, &heads)?;
    let session = session.to_string();
    for (place, placed) in rows.iter().enumerate() {
        let word = if placed.aided { source.aided.as_deref() } else { Some(source.unaided.as_str()) };
        let position = (place + 1).to_string();
        let row = cells([reader, &placed.code, word.unwrap_or_default(), ""], &position, &session);
        let row: Vec<&str> = row.iter().map(String::as_str).collect();
        record(&mut writer, &row)?;
    }
    written(writer)
}
