//! `[reads]`: which platform wrote the readers' files, where the answers stand in them, and what their words
//! mean.
//!
//! A key that the declared format does not look at is an error, so that nobody believes in a rule that does
//! nothing.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::declared::Section;
use crate::diagnostic::Code;
use crate::digest::RelativePath;

/// What wrote the readers' files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReadsFormat {
    /// A table with one row a read, or one row a box.
    Table,
    /// A table with one column a reader, or one column a case.
    Wide,
    /// REDCap, flat CSV, raw or label.
    Redcap,
    /// Label Studio: JSON, JSON_MIN, CSV or TSV.
    LabelStudio,
    /// iMRMC, list mode.
    Imrmc,
    /// DICOM Structured Reports of TID 1500.
    DicomSr,
    /// CVAT for images 1.1, tags of whole images.
    Cvat,
    /// V7 Darwin JSON 2, properties of items.
    V7,
    /// Grand Challenge: answers, or the table of its ground truth.
    GrandChallenge,
}

impl ReadsFormat {
    /// All of them with the names that protocols use.
    pub const NAMES: [(&'static str, Self); 9] = [
        ("table", Self::Table),
        ("wide", Self::Wide),
        ("redcap", Self::Redcap),
        ("label-studio", Self::LabelStudio),
        ("imrmc", Self::Imrmc),
        ("dicom-sr", Self::DicomSr),
        ("cvat", Self::Cvat),
        ("v7", Self::V7),
        ("grand-challenge", Self::GrandChallenge),
    ];

    /// The name in protocols.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(_, format)| *format == self).map_or("", |(name, _)| name)
    }
}

/// Where it stands who read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ReaderFrom {
    /// In a column, or where the format has it.
    Column,
    /// In the file's name.
    File,
    /// In the name of the folder that the file lies in.
    Folder,
    /// In the names of columns: one column a reader.
    Header,
    /// REDCap: in the event.
    Event,
    /// REDCap: in the number of the repeat instance.
    Instance,
    /// REDCap: in the record's ending `--1`, `--2` of double data entry.
    Record,
}

impl ReaderFrom {
    /// All of them with the names that protocols use.
    pub const NAMES: [(&'static str, Self); 7] = [
        ("column", Self::Column),
        ("file", Self::File),
        ("folder", Self::Folder),
        ("header", Self::Header),
        ("event", Self::Event),
        ("instance", Self::Instance),
        ("record", Self::Record),
    ];
}

/// What one row of a table is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowsAre {
    /// The answer of a reader on a case.
    Reads,
    /// One box, of which a reader draws any number on a case.
    Boxes,
}

/// What several choices within one answer give.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum SeveralChoices {
    /// All must mean the same.
    Agree,
    /// Positive if any is.
    AnyPositive,
}

/// A scale with the number from which an answer is positive.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Scale {
    /// The lowest number that can be answered.
    pub min: f64,
    /// The highest.
    pub max: f64,
    /// Positive is an answer of this or above.
    pub positive_from: f64,
    /// An answer of this or above, and below `positive_from`, is indeterminate.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub indeterminate_from: Option<f64>,
}

/// A table that says which case a foreign id stands for: a UID, an accession number, a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CaseMapTable {
    /// The table, relative to the data folder; it may be a case table.
    pub file: RelativePath,
    /// Its column of the case id.
    pub case_column: String,
    /// Its column of the foreign id.
    pub id_column: String,
}

/// Where reads come from.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReadsSource {
    /// Files relative to the data folder; the last component may hold `*`.
    pub files: Vec<String>,
    /// What wrote them.
    pub format: ReadsFormat,
    /// Where the case stands; `None`: where the format has it.
    pub case_column: Option<String>,
    /// How the case stands in its cell: `*` is the case, `?` any sign.
    pub case_pattern: Option<String>,
    /// Where it stands which case an id of the readers' files is; `None`: they name the cases themselves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub case_map: Option<CaseMapTable>,
    /// Wide, one row a reader: the columns of the cases, by name or with a `*` that is the case.
    pub case_columns: Vec<String>,
    /// Where the reader stands.
    pub reader_from: ReaderFrom,
    /// Column of the reader's id; `None`: where the format has it.
    pub reader_column: Option<String>,
    /// Columns of the readers, by name or with a `*` that is the reader.
    pub reader_columns: Vec<String>,
    /// How the reader stands in the name of a file or folder: `*` is the reader.
    pub reader_pattern: Option<String>,
    /// Column of the answer.
    pub read_column: Option<String>,
    /// Which of several questions is read: a control, a concept, a property, a modality.
    pub question: Option<String>,
    /// Column that says whether the answer was completed.
    pub complete_column: Option<String>,
    /// What it says then.
    pub complete_values: Vec<String>,
    /// Column of the time.
    pub time_column: Option<String>,
    /// Its form, in the signs of `strftime`, where it is none that can be read in one way only.
    pub time_format: Option<String>,
    /// Column of the reading session.
    pub session_column: Option<String>,
    /// Column of the reader's confidence.
    pub confidence_column: Option<String>,
    /// Column of what the reader wrote beside the answer.
    pub comment_column: Option<String>,
    /// REDCap: the events that hold reads; empty: all.
    pub events: Vec<String>,
    /// REDCap: the repeating instrument that holds reads.
    pub instrument: Option<String>,
    /// What one row is.
    pub rows: RowsAre,
    /// Boxes: the table of which reader read which case, where a case without a box has no row.
    pub read_list: Option<RelativePath>,
    /// What several choices within one answer give.
    pub several: SeveralChoices,
    /// Stated: what readers cancelled is not in the export.
    pub cancelled_not_exported: bool,
    /// Sheet of a workbook.
    pub sheet: Option<String>,
    /// Row of a workbook that names the columns, from 1.
    pub header_row: Option<u64>,
    /// Texts that mean positive.
    pub positive: Vec<String>,
    /// Texts that mean negative.
    pub negative: Vec<String>,
    /// Texts that mean indeterminate.
    pub indeterminate: Vec<String>,
    /// Texts that mean that the image cannot be read.
    pub uninterpretable: Vec<String>,
    /// Texts that mean that there is no answer.
    pub missing: Vec<String>,
    /// What numbers mean.
    pub scale: Option<Scale>,
}

impl ReadsSource {
    /// Tables beside the readers' files that their reading needs.
    pub fn tables(&self) -> impl Iterator<Item = &RelativePath> {
        self.read_list.iter().chain(self.case_map.iter().map(|map| &map.file))
    }
}

/// Formats that are tables with columns of a coordinator's naming.
const TABLES: &[ReadsFormat] = &[ReadsFormat::Table, ReadsFormat::Wide, ReadsFormat::Redcap];

/// Which formats look at a key that not every format looks at.
pub(super) const KEYS: [(&str, &[ReadsFormat]); 21] = {
    use ReadsFormat::{Cvat, DicomSr, GrandChallenge, Imrmc, LabelStudio, Redcap, Table, V7, Wide};
    const WITH_CASE: &[ReadsFormat] = &[Table, Wide, Redcap, LabelStudio, DicomSr, GrandChallenge];
    const WORKBOOK: &[ReadsFormat] = &[Table, Wide, Redcap, LabelStudio];
    [
        ("case_column", WITH_CASE),
        ("case_columns", &[Wide]),
        ("reader_column", &[Table, Wide, Redcap, LabelStudio, GrandChallenge]),
        ("reader_columns", &[Wide, Redcap]),
        ("read_column", &[Table, Redcap]),
        ("question", &[LabelStudio, Imrmc, DicomSr, Cvat, V7, GrandChallenge]),
        ("complete_column", TABLES),
        ("complete_values", TABLES),
        ("time_column", &[Table, Redcap, LabelStudio, GrandChallenge]),
        ("time_format", &[Table, Redcap]),
        ("session_column", &[Table, Redcap]),
        ("confidence_column", &[Table, Redcap]),
        ("comment_column", &[Table, Redcap]),
        ("events", &[Redcap]),
        ("instrument", &[Redcap]),
        ("rows", &[Table]),
        ("read_list", &[Table]),
        ("several", &[Table, Redcap, LabelStudio, DicomSr, Cvat, V7, GrandChallenge]),
        ("cancelled", &[LabelStudio]),
        ("sheet", WORKBOOK),
        ("header_row", WORKBOOK),
    ]
};

/// `[reads]` as typed.
pub(super) fn reads(section: Section) -> ReadsSource {
    let words = |key, default: &str| section.strings(key).unwrap_or_else(|| vec![default.to_owned()]);
    let list = |key| section.strings(key).unwrap_or_default();
    let format = section.choice("format", &ReadsFormat::NAMES, ReadsFormat::Table);
    let wide = format == ReadsFormat::Wide && !section.has("case_columns");
    let headed = wide || (format == ReadsFormat::Redcap && section.has("reader_columns"));
    let reads = ReadsSource {
        files: words("files", "reads/*.csv"),
        format,
        case_column: section.string("case_column"),
        case_pattern: section.string("case_pattern"),
        case_map: case_map(&section),
        case_columns: list("case_columns"),
        reader_from: section.choice(
            "reader_from",
            &ReaderFrom::NAMES,
            if headed { ReaderFrom::Header } else { ReaderFrom::Column },
        ),
        reader_column: section.string("reader_column"),
        reader_columns: list("reader_columns"),
        reader_pattern: section.string("reader_pattern"),
        read_column: section.string("read_column"),
        question: section.string("question"),
        complete_column: section.string("complete_column"),
        complete_values: list("complete_values"),
        time_column: section.string("time_column"),
        time_format: section.string("time_format"),
        session_column: section.string("session_column"),
        confidence_column: section.string("confidence_column"),
        comment_column: section.string("comment_column"),
        events: list("events"),
        instrument: section.string("instrument"),
        rows: section.choice("rows", &[("reads", RowsAre::Reads), ("boxes", RowsAre::Boxes)], RowsAre::Reads),
        read_list: section.string("read_list").and_then(|path| {
            let parsed = path.parse::<RelativePath>();
            parsed.map_err(|error| section.wrong("read_list", Code::Path, format!("`{path}`: {error}"))).ok()
        }),
        several: section.choice(
            "several",
            &[("agree", SeveralChoices::Agree), ("any-positive", SeveralChoices::AnyPositive)],
            SeveralChoices::Agree,
        ),
        cancelled_not_exported: section.choice(
            "cancelled",
            &[("exported", false), ("not-exported", true)],
            false,
        ),
        sheet: section.string("sheet"),
        header_row: section.has("header_row").then(|| section.whole("header_row").unwrap_or(1)),
        positive: words("positive", "positive"),
        negative: words("negative", "negative"),
        indeterminate: words("indeterminate", "indeterminate"),
        uninterpretable: words("uninterpretable", "uninterpretable"),
        missing: list("missing"),
        scale: scale(&section),
    };
    check_files(&section, &reads);
    check_words(&section, &reads);
    check_keys(&section, &reads);
    check_places(&section, &reads);
    section.finish();
    reads
}

/// `case_map` as typed.
pub(super) fn case_map(section: &Section) -> Option<CaseMapTable> {
    let table = section.section("case_map");
    if !table.is_present() {
        return None;
    }
    let path = table.required_string("file");
    let file = path.parse::<RelativePath>().map_err(|e| table.wrong("file", Code::Path, e.to_string())).ok();
    // Asked for whatever the file is: a key that is known is not unknown beside a wrong one.
    let case_column = table.string("case_column").unwrap_or_else(|| "case_id".to_owned());
    let id_column = table.required_string("id_column");
    let map = file.map(|file| CaseMapTable { file, case_column, id_column });
    table.finish();
    map
}

fn scale(section: &Section) -> Option<Scale> {
    let declared = section.section("scale");
    if !declared.is_present() {
        return None;
    }
    for key in ["min", "max", "positive_from"] {
        if !declared.has(key) {
            let message = format!(
                "`reads.scale` needs `{key}`: which numbers can be answered, and from which on \
                                   the finding is present"
            );
            section.wrong("scale", Code::KeyMissing, message);
        }
    }
    let scale = Scale {
        min: declared.number("min").unwrap_or(0.0),
        max: declared.number("max").unwrap_or(1.0),
        positive_from: declared.number("positive_from").unwrap_or(1.0),
        indeterminate_from: declared.number("indeterminate_from"),
    };
    let within = |cut: f64| cut > scale.min && cut <= scale.max;
    let apart = !within(scale.positive_from)
        || scale.indeterminate_from.is_some_and(|from| !within(from) || from >= scale.positive_from);
    let numbers = ["min", "max", "positive_from", "indeterminate_from"];
    if apart && !section.faulty(&["scale"]) && !declared.faulty(&numbers) {
        let message = "the cut of `reads.scale` must be above `min` and at most `max`, and \
                       `indeterminate_from` \
                       below `positive_from`";
        section.wrong("scale", Code::ValueRange, message);
    }
    declared.finish();
    Some(scale)
}

fn check_files(section: &Section, reads: &ReadsSource) {
    for file in &reads.files {
        if file.parse::<RelativePath>().is_err() {
            section.wrong("files", Code::Path, format!("`{file}` is not a plain relative path"));
        }
    }
}

fn check_words(section: &Section, reads: &ReadsSource) {
    let mut seen = BTreeSet::new();
    let lists: [(&str, &[String]); 5] = [
        ("positive", &reads.positive),
        ("negative", &reads.negative),
        ("indeterminate", &reads.indeterminate),
        ("uninterpretable", &reads.uninterpretable),
        ("missing", &reads.missing),
    ];
    for (key, words) in lists {
        for value in words {
            if !seen.insert(value.to_lowercase()) {
                section.wrong(key, Code::ReadAmbiguous, format!("the read \"{value}\" has two meanings"));
            }
            if value.trim().is_empty() {
                let message = format!("`reads.{key}` holds an empty text: an empty answer is no read");
                section.wrong(key, Code::ValueEmpty, message);
            }
        }
    }
}

fn check_keys(section: &Section, reads: &ReadsSource) {
    for (key, formats) in KEYS {
        if section.has(key) && !formats.contains(&reads.format) {
            let names: Vec<&str> = formats.iter().map(|format| format.name()).collect();
            let message = format!(
                "`reads.{key}` has no meaning with format = \"{}\": it belongs to {}",
                reads.format.name(),
                names.join(", ")
            );
            section.wrong(key, Code::ReadsKeyUnused, message);
        }
    }
}

/// Whether what is declared of the places fits together.
fn check_places(section: &Section, reads: &ReadsSource) {
    let stars = |text: &str| text.matches('*').count();
    for (key, pattern) in [("case_pattern", &reads.case_pattern), ("reader_pattern", &reads.reader_pattern)] {
        if pattern.as_deref().is_some_and(|pattern| stars(pattern) != 1) {
            let message = format!("`reads.{key}` must hold one `*`, which stands for what is looked for");
            section.wrong(key, Code::ValueRange, message);
        }
    }
    for (key, columns) in [("reader_columns", &reads.reader_columns), ("case_columns", &reads.case_columns)] {
        if columns.iter().any(|name| stars(name) > 1) {
            section.wrong(key, Code::ValueRange, format!("a name in `reads.{key}` may hold one `*`"));
        }
    }
    let from = reads.reader_from;
    let redcap_only = matches!(from, ReaderFrom::Event | ReaderFrom::Instance | ReaderFrom::Record);
    if redcap_only && reads.format != ReadsFormat::Redcap {
        let message = "events, instances and double entry are REDCap's: format = \"redcap\"";
        section.wrong("reader_from", Code::ReadsKeyUnused, message);
    }
    if from == ReaderFrom::Header && reads.reader_columns.is_empty() {
        let message =
            "name the readers' columns: reader_columns = \"*_read\", where `*` is the reader, or a list";
        section.wrong("reader_from", Code::KeyMissing, message);
    }
    let headers = matches!(reads.format, ReadsFormat::Wide | ReadsFormat::Redcap);
    if (from == ReaderFrom::Header && !headers)
        || (from != ReaderFrom::Header && !reads.reader_columns.is_empty() && headers)
    {
        let message = "`reader_columns` and reader_from = \"header\" belong together, with format = \
                       \"wide\" or \
                       \"redcap\"";
        section.wrong("reader_from", Code::ReadsKeyUnused, message);
    }
    if !reads.case_columns.is_empty() && !reads.reader_columns.is_empty() {
        let message = "one row a case (`reader_columns`) or one row a reader (`case_columns`), not both";
        section.wrong("case_columns", Code::ReadsKeyUnused, message);
    }
    if reads.reader_pattern.is_some() && !matches!(from, ReaderFrom::File | ReaderFrom::Folder) {
        let message = "`reader_pattern` needs reader_from = \"file\" or \"folder\"";
        section.wrong("reader_pattern", Code::ReadsKeyUnused, message);
    }
    if from != ReaderFrom::Column && reads.reader_column.is_some() {
        let message = "`reader_column` and another `reader_from` than \"column\": one of them holds";
        section.wrong("reader_column", Code::ReadsKeyUnused, message);
    }
    let completes = [ReadsFormat::Table, ReadsFormat::Wide].contains(&reads.format);
    if completes && reads.complete_column.is_some() == reads.complete_values.is_empty() {
        let message = "`complete_column` and `complete_values` belong together: which column, and what it \
                       says \
                       of an answer that was completed";
        section.wrong("complete_column", Code::KeyMissing, message);
    }
    let starred = reads.complete_column.as_deref().is_some_and(|name| name.contains('*'));
    if starred && from != ReaderFrom::Header {
        let message = "a `*` in `complete_column` is the reader of `reader_columns`, which is not declared";
        section.wrong("complete_column", Code::ReadsKeyUnused, message);
    }
    if reads.format == ReadsFormat::Cvat && !matches!(from, ReaderFrom::File | ReaderFrom::Folder) {
        let message =
            "CVAT exports no annotator: one file a reader, and reader_from = \"file\" or \"folder\"";
        section.wrong("format", Code::KeyMissing, message);
    }
    if reads.format == ReadsFormat::V7 && !matches!(from, ReaderFrom::File | ReaderFrom::Folder) {
        let message = "V7 exports no annotator of an item's properties: one folder a reader, and \
                       reader_from = \"folder\"";
        section.wrong("format", Code::KeyMissing, message);
    }
    if reads.read_list.is_some() && reads.rows != RowsAre::Boxes {
        let message = "`read_list` belongs to rows = \"boxes\": a table of reads has a row for every read";
        section.wrong("read_list", Code::ReadsKeyUnused, message);
    }
    if reads.header_row == Some(0) {
        section.wrong("header_row", Code::ValueRange, "rows are counted from 1");
    }
}

#[cfg(test)]
mod tests;
