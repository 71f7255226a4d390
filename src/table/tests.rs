//! What tables are read, and which are refused.

use std::path::Path;

use proptest::prelude::*;

use super::labelled::{LabelledScores, Wanted};
use super::*;
use crate::diagnostic::Diagnostic;

fn read(bytes: &[u8]) -> Result<Table, Vec<Diagnostic>> {
    Table::parse(Path::new("t.csv"), bytes)
}

type Lines = Vec<(u64, Vec<String>)>;

/// Header, cells of all rows with their lines, and codes of the notes.
fn seen(bytes: &[u8]) -> (Vec<String>, Lines, Vec<&'static str>) {
    let table = read(bytes).expect("reads");
    let cells = |row: Row<'_>| {
        (0..table.header().len()).map(|c| row.get(Some(c)).unwrap_or_default().to_owned()).collect()
    };
    let rows = table.rows().map(|r| (r.line, cells(r))).collect();
    (table.header().to_vec(), rows, table.notes().iter().map(|n| n.code.as_str()).collect())
}

fn problem(bytes: &[u8]) -> (&'static str, Option<u64>) {
    let problems = read(bytes).expect_err("refused");
    assert!(problems[0].hint.is_some(), "{problems:?}");
    (problems[0].code.as_str(), problems[0].location.as_ref().and_then(|l| l.line))
}

fn utf16(text: &str, big: bool) -> Vec<u8> {
    let unit = |u: u16| if big { u.to_be_bytes() } else { u.to_le_bytes() };
    std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(unit).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    out.write_all(bytes).expect("writes");
    out.finish().expect("ends")
}

#[test]
fn what_excel_writes_is_read_as_the_same_table() {
    let plain = seen(b"a,b\n1,x\n2,y\n");
    assert_eq!(plain.2, [""; 0]);
    let same: [(&[u8], &[&str], u64); 8] = [
        (b"\xef\xbb\xbfa,b\r\n1,x\r\n2,y\r\n", &[], 0),
        (b"\xef\xbb\xbfa;b\r\n1;x\r\n2;y\r\n", &["table-separator"], 0),
        (b"a\tb\n1\tx\n2\ty\n", &["table-separator"], 0),
        (b"sep=;\r\na;b\r\n1;x\r\n2;y\r\n", &["table-separator"], 1),
        (b"\"sep=,\"\na,b\n1,x\n2,y\n", &[], 1),
        (b"\"a\";\"b\"\n\"1\";x\n2;y\n", &["table-separator"], 0),
        (&utf16("a\tb\r\n1\tx\r\n2\ty\r\n", false), &["table-utf16", "table-separator"], 0),
        (&utf16("a,b\n1,x\n2,y\n,\n,\n", true), &["table-utf16", "rows-empty"], 0),
    ];
    for (bytes, notes, shift) in same {
        let (header, rows, codes) = seen(bytes);
        let shifted: Vec<_> = plain.1.iter().map(|(line, cells)| (line + shift, cells.clone())).collect();
        assert_eq!(
            (&header, &rows, &codes[..]),
            (&plain.0, &shifted, notes),
            "{}",
            String::from_utf8_lossy(bytes)
        );
    }
}

#[test]
fn a_header_with_two_kinds_of_separator_is_read_only_where_the_rows_decide() {
    assert_eq!(seen(b"a,b;c,d\n1,2,3\n").0, ["a", "b;c", "d"]);
    assert_eq!(seen(b"size[x,y];b\n1;2\n").0, ["size[x,y]", "b"]);
    assert_eq!(seen(b"\"a,b\";c\n1;2\n").0, ["a,b", "c"]);
    assert_eq!(problem(b"a,b;c\n1,2;3\n"), ("table-separator", Some(1)));
    assert_eq!(seen(b"sep=;\na,b;c\n1,2;3\n").0, ["a,b", "c"]);
    assert_eq!(problem(b"sep=|\na|b\n"), ("table-separator", Some(1)));
    // Nothing fits: the complaint is the one about the rows.
    assert_eq!(problem(b"a,b;c\n1\n"), ("row-length", Some(2)));
}

#[test]
fn what_is_no_table_is_refused_by_name_and_line() {
    let gzip = gzip(b"a,b\n1,x\n2,y\n");
    assert_eq!(seen(&gzip).1.len(), 2, "gzip under another name");
    assert_eq!(problem(&gzip[..gzip.len() - 9]), ("table-unreadable", None));
    for (bytes, why) in [
        (&[&gzip[..], b"?"].concat(), "1 bytes follow"),
        (&[&gzip[..], &gzip, &[0; 512]].concat(), "512 bytes follow"),
        (&[&gzip[..], &gzip[..12]].concat(), "not a whole gzip file"),
        (&[&gzip[..gzip.len() - 9], b"?"].concat(), "not a whole gzip file"),
        (&gzip[..4].to_vec(), "not a whole gzip file"),
    ] {
        let problems = text(Path::new("t.csv"), bytes).expect_err(why);
        assert!(problems[0].message.contains(why), "{}", problems[0].message);
    }
    for bytes in [&b"PK\x03\x04rest"[..], b"\x89PNG....", b"%PDF-1.7", b"a\0,\0b\0", b"\xff\xd8\xff\xe0"] {
        assert_eq!(problem(bytes), ("table-unreadable", None));
    }
    assert_eq!(problem(b"a,b\n1,Gr\xfc\xdfe\n"), ("table-unreadable", Some(2)));
    assert_eq!(problem(b"\xff\xfea\0,\0b\0\n\0\xd8"), ("table-unreadable", Some(2)));
    assert_eq!(problem(b""), ("table-empty", None));
    assert_eq!(problem(b"\xef\xbb\xbf\n\n"), ("table-empty", None));
}

#[test]
fn a_quote_that_is_never_closed_is_found_before_it_swallows_rows() {
    assert_eq!(problem(b"a,b\n1,\"x\n2,y\n"), ("quote-unclosed", Some(2)));
    assert_eq!(problem(b"sep=;\na;b\n1;2\n\"3;y\n4;z"), ("quote-unclosed", Some(4)));
    let fine = seen(b"a,b\n1,\"x\ny \"\"z\"\"\"\n2,5\" tube\n");
    assert_eq!(
        fine.1,
        [
            (2, vec!["1".to_owned(), "x\ny \"z\"".to_owned()]),
            (4, vec!["2".to_owned(), "5\" tube".to_owned()])
        ]
    );
}

#[test]
fn ten_thousand_columns_are_a_table_and_a_short_complaint() {
    let names: Vec<String> = (0..10_000).map(|i| format!("c{i}")).collect();
    let text = format!("{}\n{}\n", names.join(","), vec!["1"; 10_000].join(","));
    let table = read(text.as_bytes()).expect("reads");
    assert_eq!((table.header().len(), table.rows().len()), (10_000, 1));
    let missing = table.required("case_id").expect_err("missing");
    assert!(missing.hint.expect("hint").ends_with("c11 and 9988 more"));
    let twice = text.replacen("c7,", "c8,", 1);
    assert_eq!(problem(twice.as_bytes()), ("column-duplicate", Some(1)));
}

#[test]
fn a_line_is_counted_whatever_ends_it_and_wherever_a_blank_one_stands() {
    for end in ["\n", "\r\n", "\r"] {
        let text = ["", "a,b", "", "1,x", "", "", "\"2\",y", "3", "4,z"].join(end);
        let problems = read(text.as_bytes()).expect_err("a short row");
        let lines: Vec<_> = problems.iter().map(|p| p.location.as_ref().and_then(|l| l.line)).collect();
        assert_eq!(lines, [Some(8)], "{end:?}");
        let fine = text.replace(&format!("{end}3{end}"), &format!("{end}3,w{end}"));
        let lines: Vec<u64> = seen(fine.as_bytes()).1.iter().map(|r| r.0).collect();
        assert_eq!(lines, [4, 7, 8, 9], "{end:?}");
        let latin =
            fine.replace('w', "w\u{1}").into_bytes().into_iter().map(|b| if b == 1 { 0xfc } else { b });
        assert_eq!(problem(&latin.collect::<Vec<u8>>()), ("table-unreadable", Some(8)), "{end:?}");
    }
}

#[test]
fn a_quote_that_swallows_text_is_found_whatever_closes_it() {
    // Two inch marks without their partners: the second closes the first.
    assert_eq!(problem(b"l,s,note\n1,0.9,\"5 mm\n0,0.8,\n1,0.7,\"7 mm\n"), ("quote-unclosed", Some(2)));
    assert_eq!(problem(b"l,s,note\n1,0.9,\"5 mm\n1,\"7 mm\",\n"), ("quote-unclosed", Some(3)));
    // The next quoted cell's opening quote is taken for the closing one.
    assert_eq!(problem(b"l,s,note\n1,0.9,\"5 mm\n0,0.8,x\n1,0.7,\"\n0,1,\n"), ("quote-unclosed", Some(2)));
    // A quote that belongs to the text was not doubled.
    assert_eq!(problem(b"l,s,note\n1,0.9,\"5\" tube\",x\n"), ("quote-unclosed", Some(2)));
    let remark = seen(b"case,read,note\n1,yes,\"hazy, left\nsee prior\nno change\"\n2,no,\"a\" \n");
    assert_eq!(remark.1.len(), 2, "lines that are no rows are text");
}

#[test]
fn a_sep_line_is_read_however_a_spreadsheet_wrote_it() {
    for first in ["sep=;", "SEP=;", "\"sep=;\"", "sep=;;;"] {
        assert_eq!(seen(format!("{first}\r\na;b\r\n1;2\r\n").as_bytes()).1[0].0, 3, "{first}");
    }
    assert_eq!(problem(b"sep=;,\na;b\n"), ("table-separator", Some(1)));
}

/// Line and cells of a row.
fn cells(table: &Table, row: Row<'_>) -> (u64, Vec<String>) {
    let width = table.header().len();
    (row.line, (0..width).map(|c| row.get(Some(c)).unwrap_or_default().to_owned()).collect())
}

/// A cell as a writer of CSV quotes it.
fn quoted(cell: &str, separator: char, always: bool) -> String {
    if always || cell.contains([separator, '"', '\n', '\r']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn a_table_in_parts_is_the_table(text in "[ab,;\"\r\n ]{0,60}", header in "x,y|x", most in 1_usize..4) {
        let (path, bytes) = (Path::new("t.csv"), format!("{header}\n{text}"));
        let (mut rows, mut asked) = (Vec::new(), 0);
        let parts = Table::in_parts_of(most, path, bytes.as_bytes(), |part| {
            asked += 1;
            assert!(part.rows().len() <= most);
            rows.extend(part.rows().map(|row| cells(part, row)));
            Ok(())
        });
        match (Table::parse(path, bytes.as_bytes()), parts) {
            (Ok(whole), Ok(parts)) => {
                prop_assert_eq!(rows, whole.rows().map(|row| cells(&whole, row)).collect::<Vec<_>>());
                prop_assert_eq!((parts.header(), parts.notes()), (whole.header(), whole.notes()));
                prop_assert!(asked > 0 && parts.rows().len() == 0);
                let refused = Table::in_parts_of(most, path, bytes.as_bytes(), |part| {
                    Err(vec![part.required("absent").expect_err("absent")])
                });
                prop_assert_eq!(refused.expect_err("refused").len(), 1);
            }
            (whole, parts) => prop_assert_eq!(whole.err(), parts.err()),
        }
    }

    #[test]
    fn a_table_in_pieces_is_the_table(
        text in "[ab,;\u{e9}\r\n ]{0,80}",
        header in "x,y|x",
        most in 1_usize..4,
        size in 1_usize..9,
    ) {
        let (path, first) = (Path::new("t.csv"), format!("{header}\n{}", "a,b\n".repeat(400)));
        let bytes = format!("{first}{text}");
        let pieces = || {
            let rest = text.as_bytes().chunks(size).map(<[u8]>::to_vec);
            std::iter::once(first.clone().into_bytes()).chain(rest)
        };
        let lines: Vec<Vec<u8>> = source::lines_of(pieces()).collect();
        prop_assert_eq!(lines.concat(), bytes.as_bytes());
        // Not where a mark or a quote stands in it; and there have to be pieces.
        for sign in ["\u{feff}", "\"", "\0"] {
            let with = pieces().chain([sign.as_bytes().to_vec(), b"\n".to_vec()]);
            prop_assert!(!source::can_be_in_pieces(with));
        }
        prop_assert_eq!(source::can_be_in_pieces(pieces()), lines.len() > 1);
        let mut rows = Vec::new();
        let texts = lines.into_iter().map(|line| String::from_utf8(line).expect("whole lines"));
        let parts = Table::of_pieces(most, path, texts, |part| {
            assert!(part.rows().len() <= most);
            rows.extend(part.rows().map(|row| cells(part, row)));
            Ok(())
        });
        match (Table::parse(path, bytes.as_bytes()), parts) {
            (Ok(whole), Ok(parts)) => {
                prop_assert_eq!(rows, whole.rows().map(|row| cells(&whole, row)).collect::<Vec<_>>());
                prop_assert_eq!((parts.header(), parts.notes()), (whole.header(), whole.notes()));
            }
            (whole, parts) => prop_assert_eq!(whole.err(), parts.err()),
        }
    }

    /// Whatever program wrote the table, the same cells are read on the right lines.
    #[test]
    fn a_table_reads_the_same_in_every_dialect(
        rows in prop::collection::vec(prop::collection::vec("[a-zü肺0-9.\"',; -]{0,6}", 3), 1..6),
        separator in prop::sample::select(vec![',', ';', '\t']),
        end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
        always in any::<bool>(),
        blank in any::<bool>(),
        encoding in 0..5_u8,
    ) {
        let header = ["first", "second", "third"].map(str::to_owned);
        let write = |cells: &[String]| {
            let cells: Vec<String> = cells.iter().map(|c| quoted(c, separator, always)).collect();
            cells.join(&separator.to_string()) + end
        };
        let mut text = if separator == ',' { String::new() } else { format!("sep={separator}{end}") };
        let before = u64::from(separator != ',');
        text += &write(&header);
        let gap = if blank { end } else { "" };
        let mut expected: Lines = Vec::new();
        for (nth, row) in rows.iter().enumerate() {
            text += gap;
            text += &write(row);
            let line = before + 2 + nth as u64 + u64::from(blank) * (nth as u64 + 1);
            let cells: Vec<String> = row.iter().map(|c| c.trim().to_owned()).collect();
            if cells.iter().any(|c| !c.is_empty()) {
                expected.push((line, cells));
            }
        }
        let bytes = match encoding {
            0 => text.into_bytes(),
            1 => [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            2 | 3 => utf16(&text, encoding == 3),
            _ => gzip(text.as_bytes()),
        };
        let (names, found, _) = seen(&bytes);
        prop_assert_eq!(names, header);
        prop_assert_eq!(found, expected);
    }

    /// No row is lost: a table is refused, or every label in it was counted.
    #[test]
    fn a_table_with_broken_quotes_is_refused_or_read_whole(
        rows in prop::collection::vec((any::<bool>(), "[a\"]{0,3}"), 1..8),
    ) {
        let mut text = "label,score,note\n".to_owned();
        for (label, note) in &rows {
            text += &format!("{},0.5,{note}\n", u8::from(*label));
        }
        let wanted = Wanted { label: "label", score: "score", ..Wanted::default() };
        if let Ok(table) = LabelledScores::parse(Path::new("t.csv"), text.as_bytes(), &wanted) {
            prop_assert_eq!(table.labels.len(), rows.len(), "{}", text);
        }
    }
}

#[test]
fn labelled_scores_are_read_as_a_program_for_tables_writes_them() {
    let wanted = Wanted {
        label: "label",
        score: "score",
        case: Some("case_id"),
        cluster: Some("patient_id"),
        cluster_optional: true,
        ..Wanted::default()
    };
    let parse = |text: &str| LabelledScores::parse(Path::new("t.csv"), text.as_bytes(), &wanted);
    let table = parse("case_id,label,score\na,1.0,0.5\nb,0.0,1\n,,\n").expect("reads");
    assert_eq!((table.labels, table.scores, table.cases.len()), (vec![true, false], vec![0.5, 1.0], 2));
    assert_eq!(table.warnings.iter().map(|w| w.code.as_str()).collect::<Vec<_>>(), ["rows-empty"]);
    let codes = |text: &str| -> Vec<(&'static str, Option<u64>)> {
        let problems = parse(text).expect_err("problems");
        assert!(problems.iter().all(|p| p.hint.is_some()), "{problems:?}");
        problems.iter().map(|p| (p.code.as_str(), p.location.as_ref().and_then(|l| l.line))).collect()
    };
    assert_eq!(
        codes("case_id,label,score,patient_id\na,2,0.5,p\n\na,1,x,p\n,1,0.5,p\nb,1,0.1,\nc,1\n"),
        [
            ("label-not-binary", Some(2)),
            ("score-not-a-number", Some(4)),
            ("duplicate-case", Some(4)),
            ("case-id-missing", Some(5)),
            ("cluster-missing", Some(6)),
            ("row-length", Some(7)),
        ]
    );
    assert_eq!(codes("case_id,score\n"), [("column-missing", Some(1))]);
    assert_eq!(codes("case_id,label,score\n"), [("table-empty", None)]);
}
