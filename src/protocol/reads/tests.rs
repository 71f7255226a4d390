//! What `[reads]` may say: each key where its format looks at it, and nowhere else.

use std::path::Path;

use super::*;
use crate::protocol::parse;

/// What a protocol with these keys in `[reads]` says of reads, or each problem as `code message`.
fn of(keys: &str) -> Result<ReadsSource, Vec<String>> {
    let declared = include_str!("../../../protocols/pneumonia-exp2a.toml");
    let start = declared.find("[reads]").expect("there");
    let end = start + 1 + declared[start + 1..].find("\n[").expect("another section");
    let typed = format!("{}[reads]\n{keys}\n{}", &declared[..start], &declared[end..]);
    match parse(Path::new("p.toml"), &typed) {
        Ok(protocol) => Ok(protocol.reads),
        Err(problems) => Err(problems.iter().map(|p| format!("{} {}", p.code.as_str(), p.message)).collect()),
    }
}

fn valid(keys: &str) -> ReadsSource {
    of(keys).unwrap_or_else(|problems| panic!("{keys}: {problems:#?}"))
}

/// The keys have one problem alone, which begins like that.
fn refused(keys: &str, expected: &str) {
    let found = of(keys).expect_err(keys);
    let [problem] = &found[..] else { panic!("{keys}: {found:#?}") };
    assert!(problem.starts_with(expected), "{keys}\n{problem}");
}

/// What a format needs to be valid at all.
fn least(format: &str) -> String {
    let more = match format {
        "wide" => "reader_columns = \"*_read\"",
        "cvat" => "reader_from = \"file\"",
        "v7" => "reader_from = \"folder\"",
        _ => "",
    };
    format!("format = \"{format}\"\n{more}\n")
}

#[test]
fn what_is_not_said_of_reads_has_its_default() {
    let word = |word: &str| vec![word.to_owned()];
    let expected = ReadsSource {
        files: word("reads/*.csv"),
        format: ReadsFormat::Table,
        case_column: None,
        case_pattern: None,
        case_map: None,
        case_columns: Vec::new(),
        reader_from: ReaderFrom::Column,
        reader_column: None,
        reader_columns: Vec::new(),
        reader_pattern: None,
        read_column: None,
        question: None,
        complete_column: None,
        complete_values: Vec::new(),
        time_column: None,
        time_format: None,
        session_column: None,
        confidence_column: None,
        comment_column: None,
        events: Vec::new(),
        instrument: None,
        rows: RowsAre::Reads,
        read_list: None,
        several: SeveralChoices::Agree,
        cancelled_not_exported: false,
        sheet: None,
        header_row: None,
        positive: word("positive"),
        negative: word("negative"),
        indeterminate: word("indeterminate"),
        uninterpretable: word("uninterpretable"),
        missing: Vec::new(),
        scale: None,
    };
    assert_eq!(valid(""), expected);
    // Columns of readers are the readers, without saying so twice; columns of cases are not.
    assert_eq!(valid(&least("wide")).reader_from, ReaderFrom::Header);
    assert_eq!(valid("format = \"wide\"\ncase_columns = \"C*\"").reader_from, ReaderFrom::Column);
    assert_eq!(
        valid("format = \"redcap\"\nreader_columns = [\"r1\", \"r2\"]").reader_from,
        ReaderFrom::Header
    );
    assert_eq!(valid("format = \"redcap\"").reader_from, ReaderFrom::Column);
}

#[test]
fn what_is_said_of_reads_is_kept() {
    let table = valid(
        r#"files = ["a/*.csv", "b.csv"]
case_column = "c"
case_pattern = "IMG-*.png"
reader_column = "r"
read_column = "x"
complete_column = "done"
complete_values = ["2", "yes"]
time_column = "t"
time_format = "%d.%m.%Y"
session_column = "s"
confidence_column = "k"
comment_column = "n"
rows = "boxes"
read_list = "list.csv"
several = "any-positive"
sheet = "Sheet 1"
header_row = 3
positive = ["1"]
negative = ["0"]
indeterminate = ["?"]
uninterpretable = ["bad"]
missing = ["NA", "-"]"#,
    );
    let text = |text: &str| Some(text.to_owned());
    let list = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
    assert_eq!(table.files, list(&["a/*.csv", "b.csv"]));
    assert_eq!((table.case_column, table.case_pattern), (text("c"), text("IMG-*.png")));
    assert_eq!((table.reader_column, table.read_column), (text("r"), text("x")));
    assert_eq!((table.complete_column, table.complete_values), (text("done"), list(&["2", "yes"])));
    assert_eq!((table.time_column, table.time_format), (text("t"), text("%d.%m.%Y")));
    let beside = (table.session_column, table.confidence_column, table.comment_column);
    assert_eq!(beside, (text("s"), text("k"), text("n")));
    assert_eq!((table.rows, table.several), (RowsAre::Boxes, SeveralChoices::AnyPositive));
    assert_eq!(table.read_list.as_ref().map(RelativePath::as_str), Some("list.csv"));
    assert_eq!((table.sheet, table.header_row), (text("Sheet 1"), Some(3)));
    assert_eq!((table.positive, table.negative), (list(&["1"]), list(&["0"])));
    assert_eq!((table.indeterminate, table.uninterpretable), (list(&["?"]), list(&["bad"])));
    assert_eq!(table.missing, list(&["NA", "-"]));

    let redcap = valid("format = \"redcap\"\nreader_from = \"event\"\nevents = [\"e1\"]\ninstrument = \"i\"");
    assert_eq!((redcap.events, redcap.instrument), (list(&["e1"]), text("i")));
    assert_eq!(redcap.reader_from, ReaderFrom::Event);
    let studio = valid("format = \"label-studio\"\nquestion = \"q\"\ncancelled = \"not-exported\"");
    assert_eq!((studio.question, studio.cancelled_not_exported), (text("q"), true));
    assert!(!valid("format = \"label-studio\"\ncancelled = \"exported\"").cancelled_not_exported);
    let wide = valid("format = \"wide\"\ncase_columns = [\"C*\"]");
    assert_eq!((wide.case_columns, wide.reader_columns), (list(&["C*"]), list(&[])));
    assert_eq!(valid(&least("wide")).reader_columns, list(&["*_read"]));
    let file = valid("reader_from = \"file\"\nreader_pattern = \"reader-*.csv\"");
    assert_eq!((file.reader_from, file.reader_pattern), (ReaderFrom::File, text("reader-*.csv")));
    for (name, format) in ReadsFormat::NAMES {
        assert_eq!(valid(&least(name)).format, format);
        assert_eq!(format.name(), name);
    }
}

/// Each key with a value, and the formats that have a place for it (`docs/protocol.md`).
#[test]
fn a_key_belongs_to_the_formats_that_look_at_it() {
    let all: Vec<&str> = ReadsFormat::NAMES.iter().map(|(name, _)| *name).collect();
    let table: [(&str, &str, &str); 17] = [
        ("case_column", "\"c\"", "table wide redcap label-studio dicom-sr grand-challenge"),
        ("read_column", "\"c\"", "table redcap"),
        ("question", "\"q\"", "label-studio imrmc dicom-sr cvat v7 grand-challenge"),
        ("time_column", "\"c\"", "table redcap label-studio grand-challenge"),
        ("time_format", "\"%Y\"", "table redcap"),
        ("session_column", "\"c\"", "table redcap"),
        ("confidence_column", "\"c\"", "table redcap"),
        ("comment_column", "\"c\"", "table redcap"),
        ("events", "[\"e\"]", "redcap"),
        ("instrument", "\"i\"", "redcap"),
        ("rows", "\"reads\"", "table"),
        ("several", "\"agree\"", "table redcap label-studio dicom-sr cvat v7 grand-challenge"),
        ("cancelled", "\"exported\"", "label-studio"),
        ("sheet", "\"s\"", "table wide redcap label-studio"),
        ("header_row", "1", "table wide redcap label-studio"),
        ("complete_column", "\"c\"\ncomplete_values = \"2\"", "table wide redcap"),
        ("missing", "\"NA\"", "table wide redcap label-studio imrmc dicom-sr cvat v7 grand-challenge"),
    ];
    for (key, value, formats) in table {
        for format in &all {
            let found = of(&format!("{}{key} = {value}", least(format)));
            let fits = formats.split(' ').any(|name| name == *format);
            assert_eq!(found.is_ok(), fits, "{key} with {format}: {found:?}");
            let says = format!("reads-key-unused `reads.{key}` has no meaning with format = \"{format}\": ");
            let told = |p: &[String]| p[0] == format!("{says}it belongs to {}", formats.replace(' ', ", "));
            assert!(found.as_ref().err().is_none_or(|problems| told(problems)), "{found:?}");
        }
    }
    for format in &all {
        let fits = ["table", "redcap", "label-studio", "grand-challenge"].contains(format);
        assert_eq!(of(&format!("{}reader_column = \"r\"", least(format))).is_ok(), fits, "{format}");
    }
    assert!(of("format = \"wide\"\ncase_columns = \"C*\"\nreader_column = \"r\"").is_ok());
}

#[test]
fn the_places_of_reads_fit_together() {
    for from in ["event", "instance", "record"] {
        refused(&format!("reader_from = \"{from}\""), "reads-key-unused events, instances and double entry");
        valid(&format!("format = \"redcap\"\nreader_from = \"{from}\""));
    }
    for from in ["file", "folder", "column"] {
        for format in ["table", "redcap", "label-studio"] {
            valid(&format!("format = \"{format}\"\nreader_from = \"{from}\""));
        }
    }
    // One `*` is what is looked for.
    for (pattern, stars) in [("a", 0), ("a-*", 1), ("*-*", 2)] {
        for (key, more) in [("case_pattern", ""), ("reader_pattern", "reader_from = \"file\"\n")] {
            let found = of(&format!("{more}{key} = \"{pattern}\""));
            assert_eq!(found.is_ok(), stars == 1, "{key} {pattern}: {found:?}");
            assert!(found.err().is_none_or(|p| p[0].starts_with("value-range `reads.") && p.len() == 1));
        }
        for key in ["reader_columns", "case_columns"] {
            let found = of(&format!("format = \"wide\"\n{key} = [\"{pattern}\", \"b\"]"));
            assert_eq!(found.is_ok(), stars < 2, "{key} {pattern}: {found:?}");
        }
    }
    // Readers in headers, and their columns.
    refused("format = \"wide\"", "key-missing name the readers' columns");
    refused("format = \"redcap\"\nreader_from = \"header\"", "key-missing name the readers' columns");
    let together = "reads-key-unused `reader_columns` and reader_from = \"header\" belong together";
    refused("format = \"wide\"\nreader_columns = \"*_r\"\nreader_from = \"file\"", together);
    refused("format = \"redcap\"\nreader_columns = \"*_r\"\nreader_from = \"column\"", together);
    let found = of("reader_from = \"header\"").expect_err("a table has no such headers");
    assert!(found.iter().any(|p| p.starts_with(together)), "{found:?}");
    refused(
        "format = \"wide\"\nreader_columns = \"*_r\"\ncase_columns = \"C*\"\nreader_from = \"header\"",
        "reads-key-unused one row a case",
    );
    refused("reader_pattern = \"r-*\"", "reads-key-unused `reader_pattern` needs");
    valid("reader_from = \"folder\"\nreader_pattern = \"r-*\"");
    for from in ["file", "folder"] {
        refused(
            &format!("reader_column = \"r\"\nreader_from = \"{from}\""),
            "reads-key-unused `reader_column` and another",
        );
    }
    valid("reader_column = \"r\"\nreader_from = \"column\"");
    // What was completed is a column and what it says.
    let both = "key-missing `complete_column` and `complete_values` belong together";
    refused("complete_column = \"c\"", both);
    refused("complete_values = [\"2\"]", both);
    refused("format = \"wide\"\nreader_columns = \"*_r\"\ncomplete_column = \"c\"", both);
    valid("complete_column = \"c\"\ncomplete_values = [\"2\"]");
    valid("format = \"redcap\"\ncomplete_column = \"c\"");
    let starred = "complete_column = \"*_done\"\ncomplete_values = [\"2\"]";
    refused(starred, "reads-key-unused a `*` in `complete_column`");
    valid(&format!("{}{starred}", least("wide")));
    // What exports no annotator needs one file or folder a reader.
    for (format, says) in [("cvat", "key-missing CVAT exports"), ("v7", "key-missing V7 exports")] {
        refused(&format!("format = \"{format}\""), says);
        for from in ["file", "folder"] {
            valid(&format!("format = \"{format}\"\nreader_from = \"{from}\""));
        }
    }
    refused("read_list = \"l.csv\"", "reads-key-unused `read_list` belongs to rows");
    refused("rows = \"boxes\"\nread_list = \"../l.csv\"", "path ");
    refused("header_row = 0", "value-range rows are counted from 1");
    assert_eq!(valid("header_row = 1").header_row, Some(1));
    refused("other = 1", "unknown-key ");
    refused("files = [\"a.csv\", \"/b.csv\"]", "path `/b.csv`");
}

#[test]
fn a_word_of_readers_has_one_meaning_and_is_not_empty() {
    for key in ["positive", "negative", "indeterminate", "uninterpretable", "missing"] {
        refused(&format!("{key} = [\"a\", \"A\"]"), "read-ambiguous the read \"A\" has two meanings");
        refused(&format!("{key} = [\" \"]"), &format!("value-empty `reads.{key}` holds an empty text"));
    }
    refused("negative = [\"Positive\"]", "read-ambiguous the read \"Positive\"");
    refused("missing = [\"indeterminate\"]", "read-ambiguous the read \"indeterminate\"");
}

#[test]
fn a_scale_has_its_cuts_within_its_ends() {
    let scale = |more: &str| format!("scale = {{ min = 1, max = 5, {more} }}");
    let expected = Scale { min: 1.0, max: 5.0, positive_from: 4.0, indeterminate_from: None };
    assert_eq!(valid(&scale("positive_from = 4")).scale, Some(expected));
    let doubt = valid(&scale("positive_from = 4, indeterminate_from = 3")).scale;
    assert_eq!(doubt, Some(Scale { indeterminate_from: Some(3.0), ..expected }));
    // At most the highest number, above the lowest: some answers are positive and some are not.
    valid(&scale("positive_from = 5"));
    valid(&scale("positive_from = 1.5"));
    let cut = "value-range the cut of `reads.scale`";
    for wrong in ["positive_from = 1", "positive_from = 0", "positive_from = 5.5"] {
        refused(&scale(wrong), cut);
    }
    for wrong in [1.0, 0.0, 4.0, 4.5, 6.0] {
        refused(&scale(&format!("positive_from = 4, indeterminate_from = {wrong}")), cut);
    }
    for (table, key) in [
        ("max = 5, positive_from = 4", "min"),
        ("min = 0, max = 1", "positive_from"),
        ("min = 0, positive_from = 1", "max"),
    ] {
        refused(&format!("scale = {{ {table} }}"), &format!("key-missing `reads.scale` needs `{key}`"));
    }
    refused(&scale("positive_from = 4, other = 1"), "unknown-key ");
}
