//! Which platform wrote a file, by its content. A guess is for a person to confirm: a study declares its
//! format.

use std::path::Path;

use super::json::{another_platform, first_keys, unknown};
use super::{cvat, grand_challenge, redcap};
use crate::diagnostic::{Diagnostic, Location};
use crate::imaging::dicom;
use crate::protocol::ReadsFormat;
use crate::table::{Table, text};

/// What a file seems to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guess {
    /// The format to declare; none where the file is of no format that is read.
    pub format: Option<ReadsFormat>,
    /// By what it is known, in words.
    pub why: String,
    /// Why it is not read, with the way out.
    pub refused: Option<Diagnostic>,
}

impl Guess {
    fn is(format: ReadsFormat, why: impl Into<String>) -> Self {
        Self { format: Some(format), why: why.into(), refused: None }
    }

    fn not(why: &str, refused: Diagnostic) -> Self {
        Self { format: None, why: why.to_owned(), refused: Some(refused) }
    }
}

/// Guesses the format of a reader's file by its content; `path` is for messages.
pub fn sniff(path: &Path, bytes: &[u8]) -> Guess {
    let at = Location::file(path);
    if dicom::is_dicom(bytes) {
        return Guess::is(ReadsFormat::DicomSr, "it is a DICOM file");
    }
    let begin = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    if begin.starts_with(b"{") || begin.starts_with(b"[") {
        return of_json(std::str::from_utf8(begin).unwrap_or_default(), at);
    }
    if begin.starts_with(b"<") {
        return of_xml(begin, at);
    }
    if grand_challenge::is_ground_truth(bytes) {
        return Guess::is(
            ReadsFormat::GrandChallenge,
            "its cells stand in single quotes, as in a table of ground truth of Grand Challenge",
        );
    }
    if let Ok(text) = text(path, bytes)
        && text.text.lines().any(|line| line.trim().eq_ignore_ascii_case("BEGIN DATA:"))
    {
        return Guess::is(ReadsFormat::Imrmc, "it has a line `BEGIN DATA:`");
    }
    match Table::parse(path, bytes) {
        Ok(table) => of_table(path, &table),
        // A workbook with several sheets is a table once one is named.
        Err(problems) => Guess {
            format: Some(ReadsFormat::Table),
            why: "it is no file of another kind; as a table it cannot be read yet".to_owned(),
            refused: problems.into_iter().next(),
        },
    }
}

fn of_json(text: &str, at: Location) -> Guess {
    let keys = first_keys(text);
    let has = |name: &str| keys.contains(name);
    if let Some(refused) = another_platform(&keys, at.clone()) {
        return Guess::not("it is JSON with the keys of a platform that is not read", refused);
    }
    if has("item") && has("version") {
        return Guess::is(ReadsFormat::V7, "it is JSON with `item` and `version`, as V7 writes");
    }
    if has("annotations") || has("completions") {
        return Guess::is(
            ReadsFormat::LabelStudio,
            "it is JSON of tasks with `annotations`, as Label Studio writes",
        );
    }
    if has("annotator") || has("annotation_id") || has("lead_time") {
        let why = "it is Label Studio's JSON_MIN, which does not say what was cancelled: export as JSON";
        return Guess::is(ReadsFormat::LabelStudio, why);
    }
    Guess::not("it is JSON, and no key is known", unknown(at))
}

fn of_xml(bytes: &[u8], at: Location) -> Guess {
    if bytes.windows(12).take(4096).any(|window| window == b"<annotations") {
        return Guess::is(ReadsFormat::Cvat, "it is XML with the root `annotations`, as CVAT writes");
    }
    Guess::not("it is XML, and not CVAT's", cvat::other_xml(at))
}

fn of_table(path: &Path, table: &Table) -> Guess {
    let has = |name: &str| table.column(name).is_some();
    if let Err(problems) = redcap::another_kind(path, table)
        && let Some(refused) = problems.into_iter().next()
    {
        return Guess::not("its columns are those of another file of REDCap", refused);
    }
    let own = [
        "redcap_event_name",
        "redcap_repeat_instrument",
        "redcap_repeat_instance",
        "redcap_data_access_group",
    ];
    if let Some(name) = own.iter().find(|name| has(name)) {
        return Guess::is(ReadsFormat::Redcap, format!("it has REDCap's column `{name}`"));
    }
    if let Some(name) = table.header().iter().find(|name| name.ends_with("_complete") || name.contains("___"))
    {
        let why = format!("it has a column `{name}`, as REDCap writes for a form or a checkbox");
        return Guess::is(ReadsFormat::Redcap, why);
    }
    if has("display_set") && has("question") && has("answer") {
        return Guess::is(
            ReadsFormat::GrandChallenge,
            "it has the columns `display_set`, `question` and `answer`",
        );
    }
    if has("annotation_id") && has("annotator") {
        let why = "it has the columns `annotation_id` and `annotator`, as Label Studio's CSV: JSON is \
                   better, because it \
                   says what was cancelled";
        return Guess::is(ReadsFormat::LabelStudio, why);
    }
    let who = |name: &&String| {
        ["reader", "rad_id", "rater", "annotator", "grader"]
            .iter()
            .any(|word| name.to_lowercase().contains(word))
    };
    let people: Vec<&String> = table.header().iter().filter(who).collect();
    match people[..] {
        [] => Guess::is(
            ReadsFormat::Table,
            "it is a table, and no column seems to name the reader: declare reader_from = \"file\", or \
             format = \
             \"wide\" where each reader has a column",
        ),
        [one] => {
            Guess::is(ReadsFormat::Table, format!("it is a table, and `{one}` seems to name the reader"))
        }
        _ => Guess::is(
            ReadsFormat::Wide,
            format!("it is a table, and {} columns seem to be those of readers", people.len()),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_guessed_by_the_content_of_a_file() {
        let check = |text: &str, format: Option<&str>| {
            let guess = sniff(Path::new("x"), text.as_bytes());
            assert_eq!(guess.format.map(ReadsFormat::name), format, "{text} {guess:?}");
            assert!(!guess.why.is_empty());
            assert_eq!(format.is_none(), guess.refused.is_some() && guess.format.is_none(), "{guess:?}");
        };
        check("case_id,reader_id,read\na,R1,positive\n", Some("table"));
        check("case_id,reader 1,reader 2\na,yes,no\n", Some("wide"));
        check("record_id,finding,reading_complete\na,1,2\n", Some("redcap"));
        check("record_id,redcap_event_name\na,x\n", Some("redcap"));
        check("record,event_id,field_name,value\na,1,x,1\n", None);
        check("[{\"id\": 1, \"annotations\": [], \"data\": {}}]", Some("label-studio"));
        check("{\"version\": \"2.0\", \"item\": {}}", Some("v7"));
        check("{\"labelGroups\": [], \"datasets\": []}", None);
        check("{\"a\": 1}", None);
        check("<annotations><version>1.1</version></annotations>", Some("cvat"));
        check("<View/>", None);
        check("free text\nBEGIN DATA:\nR1,a,m,1\n", Some("imrmc"));
        check("case,q\nx,'\"yes\"'\n", Some("grand-challenge"));
        check("answer,creator,display_set,question\n1,a,b,c\n", Some("grand-challenge"));
        check("annotation_id,annotator,finding\n1,a,yes\n", Some("label-studio"));
        check("", Some("table"));
    }
}
