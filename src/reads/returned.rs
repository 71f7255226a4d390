//! A form that came back, checked against its round: codes become cases, and its words get their meaning.

use std::collections::BTreeSet;
use std::path::Path;

use crate::diagnostic::{Code, Diagnostic, Location};
use crate::protocol::{ReadsFormat, ReadsSource, RowsAre, SeveralChoices};
use crate::reads::export::{Answer, Export, NoRead, NoReadReason};
use crate::reads::files::{self, ReadFile};
use crate::reads::form::{self, Entry, Form, Kept};
use crate::reads::round::Round;
use crate::table::{Word, limited};

/// What a form gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Returned {
    /// Its reads, by case.
    pub file: ReadFile,
    /// Who read.
    pub reader: String,
    /// The page's session; a form in a table has none.
    pub session: Option<String>,
}

/// Reads a form of a round. `source` says what numbers and words mean beside the form's own.
///
/// # Errors
/// `form-unreadable`, `form-checksum`; `form-other-round`, `form-reader`, `form-outdated` and `form-code` for
/// a form that is not of this round as it is; what its answers are refused for.
pub fn read(
    path: &Path,
    bytes: &[u8],
    kept: Kept,
    round: &Round,
    source: &ReadsSource,
) -> Result<Returned, Vec<Diagnostic>> {
    let form = form::parse(path, bytes, kept)?;
    of_this_round(&form, round).map_err(|problem| vec![problem.at(Location::file(path))])?;
    let mut export = Export::default();
    let mut problems = Vec::new();
    let mut seen = BTreeSet::new();
    for entry in form.entries {
        let Some(shown) = round.shown(&entry.code) else {
            let message = format!("the round has no code `{}`", entry.code.escape_debug());
            problems.push(Diagnostic::error(Code::FormCode, message).at(entry.at).hint(LEAVE));
            continue;
        };
        if !seen.insert(entry.code.clone()) {
            let message = format!("the code `{}` stands twice", entry.code);
            problems.push(Diagnostic::error(Code::FormCode, message).at(entry.at).hint(LEAVE));
            continue;
        }
        take(&mut export, entry, &shown.case_id, &form.reader);
    }
    if !problems.is_empty() {
        return Err(limited(problems, path));
    }
    let file = files::meant(path, export, &own(source))?;
    Ok(Returned { file, reader: form.reader, session: form.session })
}

const LEAVE: &str = "leave the column of the codes as it was: one row a code";

/// Takes a case of a form into an export: as an answer, or as no read.
fn take(export: &mut Export, entry: Entry, case_id: &str, reader: &str) {
    let Entry { answer, confidence, comment, completed, time, at, .. } = entry;
    let (case_id, reader_id) = (case_id.to_owned(), reader.to_owned());
    let reason = match answer {
        Some(text) if completed => {
            export.answers.push(Answer {
                case_id: case_id.into(),
                reader_id: reader_id.into(),
                text: text.into(),
                time,
                session: None,
                confidence: confidence.map(Word::from),
                comment: comment.map(Word::from),
                at,
            });
            return;
        }
        Some(_) => NoReadReason::NotCompleted,
        None => NoReadReason::Empty,
    };
    let (case_id, reader_id) = (Some(case_id), Some(reader_id));
    export.no_reads.push(NoRead { case_id, reader_id, reason, comment, at });
}

fn of_this_round(form: &Form, round: &Round) -> Result<(), Diagnostic> {
    let other_study = form.study.as_ref().filter(|study| **study != round.study);
    if form.round != round.name || other_study.is_some() {
        let study = other_study.map_or_else(String::new, |s| format!(" of the study `{}`", s.escape_debug()));
        let message =
            format!("it is of the round `{}`{study}, not of `{}`", form.round.escape_debug(), round.name);
        return Err(Diagnostic::error(Code::FormOtherRound, message).hint("ask for the file of this round"));
    }
    let Some(worklist) = round.worklist(&form.reader) else {
        let readers: Vec<&str> = round.readers.iter().map(|part| part.id.as_str()).collect();
        let message =
            format!("the reader `{}` has no part in the round `{}`", form.reader.escape_debug(), round.name);
        return Err(Diagnostic::error(Code::FormReader, message)
            .hint(format!("its readers are {}", readers.join(", "))));
    };
    if worklist != form.worklist {
        let message = format!(
            "it is of another worklist ({}...) than the round `{}` has for `{}` ({}...): of an older page, \
             or the round was made again",
            form.worklist.short(),
            round.name,
            form.reader.escape_debug(),
            worklist.short()
        );
        return Err(Diagnostic::error(Code::FormOutdated, message).hint(
            "put the round's file back as it was when this page was written, or have the cases read on the \
             page that belongs to the round now",
        ));
    }
    Ok(())
}

/// What words of a form mean: its own, and those that the protocol declares beside them.
fn own(source: &ReadsSource) -> ReadsSource {
    let mut own = ReadsSource {
        format: ReadsFormat::Table,
        rows: RowsAre::Reads,
        several: SeveralChoices::Agree,
        case_pattern: None,
        question: None,
        ..source.clone()
    };
    let declared = [&own.positive, &own.negative, &own.indeterminate, &own.uninterpretable, &own.missing];
    let taken: BTreeSet<String> = declared.into_iter().flatten().map(|word| word.to_lowercase()).collect();
    for (words, word) in [
        (&mut own.positive, "positive"),
        (&mut own.negative, "negative"),
        (&mut own.indeterminate, "indeterminate"),
        (&mut own.uninterpretable, "uninterpretable"),
    ] {
        if !taken.contains(word) {
            words.push(word.to_owned());
        }
    }
    own
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::digest::Digest;
    use crate::protocol;
    use crate::reads::files::Read;
    use crate::reads::round::{Asked, RoundKind};

    fn source() -> ReadsSource {
        let text = include_str!("../../protocols/pneumonia-exp2a.toml");
        protocol::parse(Path::new("p.toml"), text).expect("valid").reads
    }

    fn round(name: &str, secret: &str) -> Round {
        let cases: Vec<_> = (0..6).map(|i| (format!("case{i}"), None)).collect();
        Round::new(&Asked {
            study: "s",
            name,
            kind: RoundKind::Reading,
            finding: "pneumonia",
            source: &source(),
            seed: 7,
            secret: Digest::of(secret.as_bytes()),
            cases: &cases,
            readers: &["R1", "R2"].map(str::to_owned).into(),
            repeated: 0,
            never: &BTreeSet::new(),
        })
    }

    /// A file as the page writes it.
    fn page(round: &Round, change: impl Fn(&mut Value)) -> Vec<u8> {
        let answers = [json!("positive"), json!("negative"), json!("indeterminate"), Value::Null];
        let part = round.part("R1").expect("a part");
        let reads: Vec<Value> = part
            .order
            .iter()
            .enumerate()
            .map(|(nth, code)| {
                let answer = answers[nth % 4].clone();
                let time = if answer.is_null() { Value::Null } else { json!("2026-03-01T10:00:00.123Z") };
                json!({
                    "code": code, "answer": answer, "confidence": 4, "comment": "a \"b\" \u{e9}\n\u{7}",
                    "shown_at": "2026-03-01T09:59:00.000Z", "answered_at": time, "seconds": 3, "changes": 0,
                })
            })
            .collect();
        let worklist = round.worklist("R1").expect("a worklist").to_string();
        let mut file = json!({
            "format": form::READING, "study": "s", "round": round.name, "reader": "R1", "worklist": worklist,
            "session": "00ff", "opened": "2026-03-01T09:00:00.000Z", "exported": "2026-03-01T11:00:00.000Z",
            "reads": reads,
        });
        change(&mut file);
        let keys = ["format", "study", "round", "reader", "worklist", "session", "opened", "exported"];
        let mut all: Vec<Value> = keys.iter().map(|key| file[*key].clone()).collect();
        let values =
            |read: &Value| Value::Array(read.as_object().expect("an object").values().cloned().collect());
        all.push(file["reads"].as_array().expect("reads").iter().map(values).collect());
        if file.get("checksum").is_none() {
            file["checksum"] = json!(Digest::of(Value::Array(all).to_string().as_bytes()).to_string());
        }
        serde_json::to_vec_pretty(&file).expect("writes")
    }

    fn refused(bytes: &[u8], round: &Round) -> Vec<Code> {
        let problems =
            read(Path::new("f.json"), bytes, Kept::AsItCame, round, &source()).expect_err("refused");
        assert!(problems.iter().all(|problem| problem.hint.is_some()), "{problems:?}");
        // What words to declare is the way out of an unknown one.
        problems.into_iter().map(|problem| problem.code).filter(|code| *code != Code::ReadsWords).collect()
    }

    #[test]
    fn codes_become_cases_and_what_is_not_answered_is_no_read() {
        let round = round("first", "a");
        let found = read(Path::new("f.json"), &page(&round, |_| {}), Kept::AsItCame, &round, &source())
            .expect("reads");
        assert_eq!((found.file.rows.len(), found.file.no_reads.len()), (5, 1));
        let order = &round.part("R1").expect("a part").order;
        for (nth, said) in [(0, Read::Positive), (1, Read::Negative), (2, Read::Indeterminate)] {
            let case = &round.shown(&order[nth]).expect("shown").case_id;
            let row = found.file.rows.iter().find(|row| *row.case_id == **case).expect("a row");
            assert_eq!((row.read, row.time.is_some()), (said, true));
            let remark = (row.remark.confidence(), row.remark.comment());
            assert_eq!(remark, (Some("4"), Some("a \"b\" \u{e9}\n\u{7}")));
        }
        // Who does not answer may still say why.
        assert!(found.file.no_reads[0].comment.is_some(), "{:?}", found.file.no_reads);
        assert_eq!(found.session.as_deref(), Some("00ff"));
    }

    #[test]
    fn a_form_goes_out_empty_and_comes_back_filled_by_any_program_for_tables() {
        let round = round("first", "a");
        let empty = String::from_utf8(form::empty(&round, "R1").expect("a part")).expect("text");
        let none =
            read(Path::new("f.csv"), empty.as_bytes(), Kept::AsItCame, &round, &source()).expect("reads");
        assert_eq!((none.file.rows.len(), none.file.no_reads.len()), (0, 6));
        let answers = [
            "positive,3,,yes",
            "Negative,,\"a, b\",x",
            "indeterminate,,,1",
            "positive,,,no",
            "negative,,,",
            ",,,yes",
        ];
        let filled: String = empty
            .lines()
            .enumerate()
            .map(|(nth, line)| match nth {
                0 => format!("{line}\n"),
                nth => format!("{}\n", line.replacen(",,,,,", &format!(",{},", answers[nth - 1]), 1)),
            })
            .collect();
        let check = |bytes: &[u8]| {
            let found = read(Path::new("f.csv"), bytes, Kept::AsItCame, &round, &source()).expect("reads");
            let reasons: Vec<_> = found.file.no_reads.iter().map(|none| none.reason).collect();
            assert_eq!(found.file.rows.len(), 3, "{:?}", found.file);
            assert_eq!(
                reasons,
                [NoReadReason::NotCompleted, NoReadReason::NotCompleted, NoReadReason::Empty]
            );
            assert_eq!(found.file.rows[1].read, Read::Negative);
            let confidence = |nth: usize| found.file.rows[nth].remark.confidence();
            assert_eq!((confidence(0), confidence(1)), (Some("3"), None));
            found.file.rows[1].remark.comment().map(str::to_owned)
        };
        assert_eq!(check(filled.as_bytes()).as_deref(), Some("a, b"));
        let utf16: Vec<u8> = std::iter::once(0xfeff_u16)
            .chain(filled.replace("\"a, b\"", "").replace(',', "\t").encode_utf16())
            .flat_map(u16::to_le_bytes)
            .collect();
        assert!(form::is_form(Path::new("f.csv"), &utf16));
        assert_eq!(check(&utf16), None);
        assert_eq!(form::empty(&round, "R9"), None);
    }

    #[test]
    fn what_is_not_of_this_round_as_it_is_has_a_code_of_its_own() {
        let here = round("first", "a");
        let set = |key: &'static str, value: &'static str| move |file: &mut Value| file[key] = json!(value);
        let cases = [
            (page(&round("second", "a"), |_| {}), Code::FormOtherRound),
            (page(&here, set("study", "another")), Code::FormOtherRound),
            (page(&round("first", "b"), |_| {}), Code::FormOutdated),
            (page(&here, set("reader", "R9")), Code::FormReader),
            (page(&here, set("reader", "R2")), Code::FormOutdated),
            (page(&here, set("checksum", "00")), Code::FormChecksum),
            (page(&here, |file| file["reads"][0]["code"] = json!("ZZZZZZ")), Code::FormCode),
            (page(&here, |file| file["reads"][0] = file["reads"][1].clone()), Code::FormCode),
            (page(&here, |file| file["reads"][0]["answer"] = json!("perhaps")), Code::ReadUnknown),
            (page(&here, |file| file["reads"][0]["answered_at"] = json!("yesterday")), Code::FormUnreadable),
            (page(&here, set("format", "sequester-reading/2")), Code::FormUnreadable),
            (page(&here, set("worklist", "abc")), Code::FormUnreadable),
        ];
        for (nth, (bytes, code)) in cases.iter().enumerate() {
            assert_eq!(refused(bytes, &here), [*code], "{nth}");
        }
        let good = page(&here, |_| {});
        let edited =
            String::from_utf8(good.clone()).expect("text").replacen("\"negative\"", "\"positive\"", 1);
        assert_eq!(refused(edited.as_bytes(), &here), [Code::FormChecksum]);
        for at in 1..good.len() - 1 {
            assert_eq!(refused(&good[..at], &here), [Code::FormUnreadable], "cut at {at}");
        }
        let form = String::from_utf8(form::empty(&here, "R1").expect("a part")).expect("text");
        let rows: Vec<&str> = form.lines().collect();
        let mixed = form.replacen("first,R1", "first,R2", 1);
        let twice = format!("{form}{}\n", rows[1]);
        let done = form.replacen(",,,,,", ",positive,,,perhaps,", 1);
        for (text, code) in [
            (mixed, Code::FormUnreadable),
            (twice, Code::FormCode),
            (done, Code::FormUnreadable),
            (form.replace("sequester-form/1", "sequester-form/2"), Code::FormUnreadable),
            (form.replace("completed", "done"), Code::ColumnMissing),
        ] {
            assert_eq!(refused(text.as_bytes(), &here), [code], "{text}");
        }
    }

    #[test]
    fn what_was_taken_out_of_a_page_file_leaves_a_form_that_its_register_holds() {
        let round = round("first", "a");
        let whole = page(&round, |_| {});
        let columns = ["comment".to_owned()];
        let reduced =
            crate::reads::privacy::withhold(Path::new("f.json"), &whole, &columns, 1).expect("less");
        assert!(!String::from_utf8_lossy(&reduced).contains("comment"));
        assert_eq!(refused(&reduced, &round), [Code::FormChecksum]);
        let found =
            read(Path::new("f.json"), &reduced, Kept::Reduced, &round, &source()).expect("reads").file;
        assert_eq!(found.rows.len(), 5);
        assert!(
            found.rows.iter().all(|row| row.remark.comment().is_none() && row.remark.confidence().is_some())
        );
    }

    #[test]
    fn a_form_among_the_files_of_a_platform_is_refused_by_name() {
        let round = round("first", "a");
        for bytes in [page(&round, |_| {}), form::empty(&round, "R1").expect("a part")] {
            let problems = files::read_file(Path::new("f.csv"), &bytes, &source()).expect_err("refused");
            assert_eq!(problems[0].code, Code::FormMisplaced);
        }
    }
}
