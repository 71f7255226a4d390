//! What in a readers' file identifies a person, and the file without it.
//!
//! Evidence is handed on: an e-mail address of a reader or a patient's name has no business there. Columns
//! are found by their names and by cells that hold an e-mail address; what else a cell says, a comment above
//! all, nobody can know, and whoever brings the file in is told so.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

use crate::diagnostic::{Code, Diagnostic, Location};
use crate::table::{self, Rows};

/// Words of a column's name, without separators and capitals, that stand for a person.
const WORDS: [&str; 22] = [
    "address",
    "birthdate",
    "dateofbirth",
    "dob",
    "familyname",
    "firstname",
    "fullname",
    "givenname",
    "initials",
    "lastname",
    "mrn",
    "name",
    "patientname",
    "personname",
    "phone",
    "phonenumber",
    "readername",
    "ssn",
    "street",
    "surname",
    "telephone",
    "username",
];

/// Columns, or keys of a JSON file, that identify a person, each with the reason. `header_row` is the line
/// of a table
/// that names its columns.
pub fn identifying(path: &Path, bytes: &[u8], header_row: u64) -> BTreeMap<String, &'static str> {
    let mut found = BTreeMap::new();
    match serde_json::from_slice::<Value>(bytes) {
        Ok(value) => in_json("", &value, &mut found),
        Err(_) => in_table(path, bytes, header_row, &mut found),
    }
    found
}

fn by_name(name: &str) -> Option<&'static str> {
    let word: String = name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect();
    if word.contains("email") || word == "mail" {
        Some("its name says that it holds e-mail addresses")
    } else if WORDS.contains(&word.as_str()) {
        Some("its name says that it identifies a person")
    } else {
        None
    }
}

/// Whether one of the words of a text is an e-mail address.
fn is_email(text: &str) -> bool {
    text.contains('@') && text.split_whitespace().any(is_email_word)
}

fn is_email_word(word: &str) -> bool {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '@');
    let Some((user, host)) = word.split_once('@') else { return false };
    let plain = |text: &str| !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || c == '@');
    plain(user) && plain(host) && host.contains('.') && !host.starts_with('.') && !host.ends_with('.')
}

const EMAILS: &str = "it holds e-mail addresses";

fn in_table(path: &Path, bytes: &[u8], header_row: u64, found: &mut BTreeMap<String, &'static str>) {
    // What is no table says so when it is read.
    let Ok(text) = table::text(path, bytes) else { return };
    let Ok(mut rows) = Rows::below(path, &text, header_row) else { return };
    let names = rows.columns().names().to_vec();
    found.extend(names.iter().filter_map(|name| Some((name.clone(), by_name(name)?))));
    while let Some(row) = rows.next() {
        let Ok((_, record)) = row else { continue };
        for (name, _) in names.iter().zip(record).filter(|(_, cell)| is_email(cell)) {
            found.entry(name.clone()).or_insert(EMAILS);
        }
    }
}

fn in_json(key: &str, value: &Value, found: &mut BTreeMap<String, &'static str>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(key, value)| in_json(key, value, found)),
        Value::Array(items) => items.iter().for_each(|item| in_json(key, item, found)),
        Value::String(text) if !key.is_empty() => {
            let why = by_name(key).or_else(|| is_email(text).then_some(EMAILS));
            if let Some(why) = why {
                found.entry(key.to_owned()).or_insert(why);
            }
        }
        _ => {}
    }
}

/// The file without some columns, or, of a JSON file, without some keys at any depth. Lines above the one
/// that names
/// the columns (`header_row`) stay as they are.
///
/// # Errors
/// `column-missing` for a column or key that is not there; `withhold-unsupported` for a file that is neither
/// a table in text nor JSON; whatever is wrong with the table.
pub fn withhold(
    path: &Path,
    bytes: &[u8],
    columns: &[String],
    header_row: u64,
) -> Result<Vec<u8>, Vec<Diagnostic>> {
    if let Ok(mut value) = serde_json::from_slice::<Value>(bytes) {
        let missing: Vec<_> =
            columns.iter().filter(|key| !remove(&mut value, key)).map(|key| absent(path, key)).collect();
        if !missing.is_empty() {
            return Err(missing);
        }
        let mut bytes = serde_json::to_vec_pretty(&value).unwrap_or_default();
        bytes.push(b'\n');
        return Ok(bytes);
    }
    let text = table::text(path, bytes).map_err(|_| {
        let message = "columns can be withheld from a table in text and from JSON, and this is neither";
        let hint = "save the sheet as CSV, and import that";
        vec![Diagnostic::error(Code::WithholdUnsupported, message).at(Location::file(path)).hint(hint)]
    })?;
    let mut rows = Rows::below(path, &text, header_row)?;
    let names = rows.columns().names().to_vec();
    let missing: Vec<_> = columns.iter().filter(|c| !names.contains(c)).map(|c| absent(path, c)).collect();
    if !missing.is_empty() {
        return Err(missing);
    }
    let kept: Vec<usize> = (0..names.len()).filter(|nth| !columns.contains(&names[*nth])).collect();
    let mut writer = csv::Writer::from_writer(rows.above().as_bytes().to_vec());
    // Writing to memory does not fail.
    let mut write = |cells: Vec<&str>| drop(writer.write_record(cells));
    write(kept.iter().map(|nth| names[*nth].as_str()).collect());
    let mut problems = Vec::new();
    while let Some(row) = rows.next() {
        match row {
            Ok((_, record)) => write(kept.iter().map(|nth| record.get(*nth).unwrap_or_default()).collect()),
            Err(problem) => problems.push(problem),
        }
    }
    if !problems.is_empty() {
        return Err(problems);
    }
    Ok(writer.into_inner().unwrap_or_default())
}

fn absent(path: &Path, column: &str) -> Diagnostic {
    Diagnostic::error(Code::ColumnMissing, format!("there is no column or key `{column}` to withhold"))
        .at(Location::file(path))
        .hint("`reads import --dry-run` names the columns that identify a person")
}

/// Whether the key was anywhere.
fn remove(value: &mut Value, key: &str) -> bool {
    match value {
        Value::Object(fields) => {
            let here = fields.remove(key).is_some();
            fields.values_mut().fold(here, |found, value| remove(value, key) || found)
        }
        Value::Array(items) => {
            // All of them, so not the first that has it.
            let found: Vec<bool> = items.iter_mut().map(|item| remove(item, key)).collect();
            found.contains(&true)
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str =
        "case_id,Reader Name,read,contact\nc1,R1,positive,a.b@example.org\nc2,\"R, 2\",negative,\n";

    #[test]
    fn columns_that_identify_a_person_are_named_with_the_reason() {
        let found = identifying(Path::new("r.csv"), TABLE.as_bytes(), 1);
        let found: Vec<_> = found.iter().map(|(name, why)| (name.as_str(), *why)).collect();
        assert_eq!(
            found,
            [("Reader Name", "its name says that it identifies a person"), ("contact", EMAILS)]
        );
        let written = "case_id,comment\nc1,\"rotated; ask (a.b@example.org), please\"\n";
        let found = identifying(Path::new("r.csv"), written.as_bytes(), 1);
        assert_eq!(found.into_iter().collect::<Vec<_>>(), [("comment".to_owned(), EMAILS)]);
        let by = r#"{"completed_by": {"id": 3, "email": "x@y.org"}, "note": "@home"}"#;
        let json = format!(r#"[{{"id": 1, "annotations": [{by}]}}]"#);
        assert_eq!(
            identifying(Path::new("r.json"), json.as_bytes(), 1).into_keys().collect::<Vec<_>>(),
            ["email"]
        );
        for none in [&b"case_id,reader_id,read\nc1,R1,a @ b.c\n"[..], b"\xff\xfe\x00", b"", b"[[[["] {
            assert!(identifying(Path::new("r.csv"), none, 1).is_empty());
        }
    }

    #[test]
    fn what_is_withheld_is_gone_and_everything_else_is_read_alike() {
        let columns = ["Reader Name".to_owned(), "contact".to_owned()];
        let reduced = withhold(Path::new("r.csv"), TABLE.as_bytes(), &columns, 1).expect("reduced");
        assert_eq!(String::from_utf8_lossy(&reduced), "case_id,read\nc1,positive\nc2,negative\n");
        let titled = format!("Reads of site A\n\n{TABLE}");
        let reduced = withhold(Path::new("r.csv"), titled.as_bytes(), &columns, 3).expect("reduced");
        let expected = "Reads of site A\n\ncase_id,read\nc1,positive\nc2,negative\n";
        assert_eq!(String::from_utf8_lossy(&reduced), expected);
        assert_eq!(identifying(Path::new("r.csv"), titled.as_bytes(), 3).len(), 2);
        let problems =
            withhold(Path::new("r.csv"), TABLE.as_bytes(), &["x".to_owned()], 1).expect_err("absent");
        assert_eq!(problems[0].code, Code::ColumnMissing);
        let json = br#"{"a": [{"email": "x", "k": 1}], "email": 2}"#;
        let reduced = withhold(Path::new("r.json"), json, &["email".to_owned()], 1).expect("reduced");
        let reduced: Value = serde_json::from_slice(&reduced).expect("JSON");
        assert_eq!(reduced, serde_json::json!({"a": [{"k": 1}]}));
        let problems = withhold(Path::new("r.bin"), b"\xff\x00\xfa", &columns, 1).expect_err("no text");
        assert_eq!(problems[0].code, Code::WithholdUnsupported);
    }
}
