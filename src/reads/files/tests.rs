//! What answers mean by the protocol, and what is none.

use super::*;
use crate::protocol;

/// What a protocol with these keys in `[reads]` says of reads.
fn source(keys: &str) -> ReadsSource {
    let declared = include_str!("../../../protocols/pneumonia-exp2a.toml");
    let start = declared.find("[reads]").expect("there");
    let end = start + declared[start..].find("\n[").expect("another section");
    let typed = format!("{}[reads]\n{keys}\n{}", &declared[..start], &declared[end..]);
    protocol::parse(Path::new("p.toml"), &typed).unwrap_or_else(|e| panic!("{keys}: {e:#?}")).reads
}

fn answer(text: &str) -> Answer {
    Answer {
        case_id: "c".into(),
        reader_id: "r".into(),
        text: text.replace('+', &SEVERAL.to_string()).into(),
        time: None,
        session: None,
        confidence: None,
        comment: None,
        at: Location::line("reads.csv", 2),
    }
}

/// What an answer means; `+` stands between its choices.
fn meaning(keys: &str, text: &str) -> Result<Option<Read>, Code> {
    let source = source(keys);
    Meaning { source: &source }.of(&answer(text)).map_err(|problem| {
        assert_eq!(problem.location, Some(Location::line("reads.csv", 2)));
        assert!(problem.hint.is_some());
        problem.code
    })
}

#[test]
fn a_word_means_what_is_declared_and_no_other_means_anything() {
    let keys = "positive = [\"yes\", \"1\"]\nnegative = \"no\"\nindeterminate = \"?\"\n\
                uninterpretable = \"bad\"\nmissing = [\"NA\"]";
    for (text, read) in [
        ("yes", Some(Read::Positive)),
        ("YES", Some(Read::Positive)),
        ("1.0", Some(Read::Positive)),
        ("no", Some(Read::Negative)),
        ("?", Some(Read::Indeterminate)),
        ("bad", Some(Read::Uninterpretable)),
        ("na", None),
        (" yes ", Some(Read::Positive)),
        ("", None),
        ("  +  ", None),
    ] {
        assert_eq!(meaning(keys, text), Ok(read), "{text:?}");
    }
    for text in ["positive", "0", "2", "yes!"] {
        assert_eq!(meaning(keys, text), Err(Code::ReadUnknown), "{text:?}");
    }
}

#[test]
fn several_choices_mean_the_same_or_one_positive_suffices_as_declared() {
    use Read::{Indeterminate, Negative, Positive, Uninterpretable};
    let agree = |text: &str| meaning("missing = \"NA\"", text);
    assert_eq!(agree("positive+POSITIVE"), Ok(Some(Positive)));
    assert_eq!(agree("NA+negative"), Ok(Some(Negative)), "what is missing contradicts nothing");
    assert_eq!(agree("positive+negative"), Err(Code::ChoicesContradict));
    assert_eq!(agree("negative+negative+indeterminate"), Err(Code::ChoicesContradict));
    assert_eq!(agree("positive+maybe"), Err(Code::ReadUnknown));
    let any = |text: &str| meaning("several = \"any-positive\"", text);
    let words = [
        ("negative", Negative),
        ("uninterpretable", Uninterpretable),
        ("indeterminate", Indeterminate),
        ("positive", Positive),
    ];
    // From the weakest to the strongest: a doubt outweighs a negative, a positive everything.
    for (weak, (one, _)) in words.iter().enumerate() {
        for (strong, (other, read)) in words.iter().enumerate().filter(|(strong, _)| *strong >= weak) {
            assert_eq!(any(&format!("{one}+{other}")), Ok(Some(*read)), "{weak} {strong}");
            assert_eq!(any(&format!("{other}+{one}")), Ok(Some(*read)), "{weak} {strong}");
        }
    }
    assert_eq!(any("negative+positive+negative"), Ok(Some(Positive)));
}

#[test]
fn a_number_on_the_scale_is_read_by_its_cuts_and_words_come_before_numbers() {
    let scale = "scale = { min = 0, max = 100, positive_from = 60, indeterminate_from = 40 }\n\
                 uninterpretable = [\"9\"]\nindeterminate = \"unsure\"\nmissing = [\"8\"]";
    for (text, read) in [
        ("0", Some(Read::Negative)),
        ("39.9", Some(Read::Negative)),
        ("40", Some(Read::Indeterminate)),
        ("59.9", Some(Read::Indeterminate)),
        ("60", Some(Read::Positive)),
        ("60 %", Some(Read::Positive)),
        ("100%", Some(Read::Positive)),
        ("9", Some(Read::Uninterpretable)),
        ("8", None),
        ("Unsure", Some(Read::Indeterminate)),
    ] {
        assert_eq!(meaning(scale, text), Ok(read), "{text}");
    }
    for text in ["-0.1", "100.1", "60,5", "positive", "NaN", "%"] {
        assert_eq!(meaning(scale, text), Err(Code::ReadOffScale), "{text}");
    }
    let plain = "scale = { min = 0, max = 1, positive_from = 0.5 }";
    assert_eq!(meaning(plain, "0.49"), Ok(Some(Read::Negative)));
    assert_eq!(meaning(plain, "0.5"), Ok(Some(Read::Positive)));
}

#[test]
fn the_truth_of_imrmc_is_one_or_nought_whatever_words_readers_use() {
    let given = |format: &str, text: &str| {
        let source = source(&format!("format = \"{format}\"\npositive = \"P\""));
        Meaning { source: &source }.of_given(&answer(text)).map_err(|problem| problem.code)
    };
    assert_eq!(given("imrmc", "1"), Ok(Some(Read::Positive)));
    assert_eq!(given("imrmc", "0"), Ok(Some(Read::Negative)));
    assert_eq!(given("imrmc", "P"), Err(Code::ReadUnknown));
    assert_eq!(given("table", "p"), Ok(Some(Read::Positive)));
    assert_eq!(given("table", "1"), Err(Code::ReadUnknown));
}

fn read(keys: &str, text: &str) -> Result<ReadFile, Vec<Code>> {
    read_file(Path::new("reads.csv"), text.as_bytes(), &source(keys))
        .map_err(|problems| problems.iter().map(|p| p.code).collect())
}

#[test]
fn a_file_gives_its_reads_in_order_and_apart_from_them_what_is_none() {
    let keys = "complete_column = \"done\"\ncomplete_values = \"2\"\ntime_column = \"t\"\nmissing = \"NA\"";
    let text = "case_id,reader_id,read,done,t\n\
                b,R1,positive,2,2024-05-01 10:00\na,R1,negative,2,\nc,R1,positive,0,\nd,R1,,2,\ne,R1,NA,2,\n\
                f,truth,positive,2,\ng,truth,other,2,\n";
    let file = read(keys, text).expect("reads");
    let said: Vec<_> = file.rows.iter().map(|r| (r.case_id.as_str(), r.read, r.line)).collect();
    assert_eq!(said, [("b", Read::Positive, 2), ("a", Read::Negative, 3)]);
    assert!(file.rows[0].time.is_some() && file.rows[1].time.is_none());
    assert!(file.rows.iter().all(|r| r.reader_id == "R1" && r.file.as_path() == Path::new("reads.csv")));
    let mut none: Vec<_> = file.no_reads.iter().map(|n| (n.case_id.as_deref(), n.reason)).collect();
    none.sort_unstable();
    let (open, empty) = (NoReadReason::NotCompleted, NoReadReason::Empty);
    assert_eq!(none, [(Some("c"), open), (Some("d"), empty), (Some("e"), empty)]);
    // A truth that stands among the reads is no read; its words mean something or nothing.
    assert_eq!(file.given.iter().map(|r| r.case_id.as_str()).collect::<Vec<_>>(), ["f"]);
    let warnings: Vec<_> = file.warnings.iter().map(|w| (w.code, w.message.as_str())).collect();
    assert_eq!(
        warnings,
        [
            (Code::ReadsNotCounted, "1 answers are not marked as completed: they are no reads"),
            (
                Code::ReadsGiven,
                "2 labels are marked as ground truth: they are no reads and do not vote; 1 of them have \
                 words with a declared meaning"
            ),
        ]
    );
    assert_eq!(parse(Path::new("reads.csv"), text.as_bytes(), &source(keys)).expect("reads"), file.rows);
    let plain = read("", "case_id,reader_id,read\na,R1,positive\nb,R1,\n").expect("reads");
    assert_eq!(
        (plain.warnings, plain.no_reads.len()),
        (Vec::new(), 1),
        "an empty answer is nothing to warn of"
    );
    let wrong = read("", "case_id,reader_id,read\na,R1,x\nb,R1,positive\nc,R1,y\n").expect_err("words");
    assert_eq!(
        wrong,
        [Code::ReadUnknown, Code::ReadUnknown, Code::ReadsWords],
        "all at once, with the way out"
    );
}

#[test]
fn answers_that_do_not_count_are_counted_in_a_warning() {
    let of = |reasons: &[NoReadReason]| {
        let none = |(line, reason): (u64, &NoReadReason)| NoRead {
            case_id: None,
            reader_id: None,
            reason: *reason,
            comment: None,
            at: Location::line("reads.csv", line),
        };
        let none: Vec<NoRead> = (2..).zip(reasons).map(none).collect();
        not_counted(Path::new("reads.csv"), &none).map(|w| {
            assert_eq!(w.code, Code::ReadsNotCounted);
            (w.message, w.location.and_then(|l| l.line))
        })
    };
    use NoReadReason::{Cancelled, Elsewhere, Empty, NotCompleted};
    assert_eq!(of(&[]), None);
    assert_eq!(of(&[Empty, Elsewhere]), None);
    let told = |message: &str, line| Some((message.to_owned(), Some(line)));
    assert_eq!(
        of(&[Empty, NotCompleted, NotCompleted]),
        told("2 answers are not marked as completed: they are no reads", 3)
    );
    assert_eq!(of(&[Cancelled, Empty]), told("1 answers were cancelled: they are no reads", 2));
    assert_eq!(
        of(&[Elsewhere, Cancelled, NotCompleted]),
        told("1 answers are not marked as completed and 1 were cancelled: no reads", 3)
    );
    // What has no line, such as an item of JSON, is told at its file.
    let item =
        NoRead { case_id: None, reader_id: None, reason: Cancelled, comment: None, at: Location::default() };
    let told = not_counted(Path::new("a.json"), &[item]).expect("a warning");
    assert_eq!(told.location, Some(Location::file("a.json")));
}

#[test]
fn boxes_of_a_reader_on_a_case_are_one_read_positive_where_one_is() {
    let keys = "rows = \"boxes\"\ntime_column = \"t\"";
    let text = "case_id,reader_id,read,t\n\
                a,R1,negative,2024-05-01 10:00\nb,R1,negative,\na,R2,negative,\n\
                a,R1,positive,2024-05-01 12:00\na,R1,negative,2024-05-01 11:00\nb,R1,negative,\n";
    let file = read(keys, text).expect("boxes");
    let said: Vec<_> =
        file.rows.iter().map(|r| (r.case_id.as_str(), r.reader_id.as_str(), r.read, r.line)).collect();
    let (positive, negative) = (Read::Positive, Read::Negative);
    assert_eq!(said, [("a", "R1", positive, 2), ("b", "R1", negative, 3), ("a", "R2", negative, 4)]);
    let noon = chrono::NaiveDate::from_ymd_opt(2024, 5, 1).and_then(|day| day.and_hms_opt(12, 0, 0));
    assert_eq!((file.rows[0].time, file.rows[1].time), (noon, None));
    assert_eq!(
        read("", "case_id,reader_id,read\na,R1,negative\na,R1,positive\n").expect("reads").rows.len(),
        2
    );
}

#[test]
fn a_case_that_was_read_and_has_no_box_is_negative() {
    let source = source("rows = \"boxes\"\nread_list = \"list.csv\"\ncase_pattern = \"*.png\"");
    let text = b"case_id,reader_id,read\na.png,R1,positive\n";
    let rows = read_file(Path::new("reads.csv"), text, &source).expect("boxes").rows;
    let list = |text: &str| without_boxes(Path::new("list.csv"), text.as_bytes(), &source, None, &rows);
    let found = list("case_id,reader_id\na.png,R1\na.png,R2\nb.png,R1\nb.png,R1\n").expect("a list");
    let said: Vec<_> =
        found.iter().map(|r| (r.case_id.as_str(), r.reader_id.as_str(), r.read, r.line)).collect();
    assert_eq!(said, [("a", "R2", Read::Negative, 3), ("b", "R1", Read::Negative, 4)]);
    assert!(found.iter().all(|r| r.file.as_path() == Path::new("list.csv") && r.time.is_none()));
    let problems = |text: &str| {
        let problems = list(text).expect_err(text);
        problems.iter().map(|p| (p.code, p.location.as_ref().and_then(|l| l.line))).collect::<Vec<_>>()
    };
    assert_eq!(problems("case_id,reader_id\nb.png,R1\n"), [(Code::ReadUnlisted, Some(2))]);
    assert_eq!(problems("case_id,reader_id\na.png,R1\nb,R1\n"), [(Code::CasePattern, Some(3))]);
    assert_eq!(problems("case_id,reader_id\na.png,R1\nb.png,\n"), [(Code::ValueMissing, Some(3))]);
    assert_eq!(problems("case,reader_id\na.png,R1\n"), [(Code::ColumnMissing, Some(1))]);
}

#[test]
fn a_row_says_which_case_and_which_reader_it_is() {
    let table =
        Table::parse(Path::new("t.csv"), b"c,r,x\na,R1,1\n,R1,1\nb,,1\nd,R2,\n,,1\n").expect("a table");
    let found = said(&table, ["c", "r", "x"]).expect("columns");
    let rows: Vec<_> = found.rows.iter().map(|r| (r.case_id, r.reader_id, r.answer, r.line)).collect();
    assert_eq!(rows, [("a", "R1", Some("1"), 2), ("d", "R2", None, 5)]);
    let problems: Vec<_> = found
        .problems
        .iter()
        .map(|p| (p.message.as_str(), p.location.as_ref().and_then(|l| l.line)))
        .collect();
    let (case, reader) = ("the cell `c` is empty", "the cell `r` is empty");
    assert_eq!(problems, [(case, Some(3)), (reader, Some(4)), (case, Some(6)), (reader, Some(6))]);
    assert_eq!(said(&table, ["c", "y", "z"]).expect_err("columns").len(), 2);
}

#[test]
fn reads_have_their_words() {
    let words = [Read::Positive, Read::Negative, Read::Indeterminate, Read::Uninterpretable].map(Read::name);
    assert_eq!(words, ["positive", "negative", "indeterminate", "uninterpretable"]);
}
