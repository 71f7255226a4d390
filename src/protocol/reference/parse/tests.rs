//! What may be declared of readers and of the rule.

use super::*;
use crate::protocol::reference::tests::{GIVEN, parsed, reader, whole};

#[test]
fn what_contradicts_itself_is_told_with_its_code() {
    use ReaderRole::{Adjudicator, Comparison, Reference};
    let given = "given = { file = \"c.csv\", label_column = \"c\", source = \"culture\" }";
    let table: [(&str, &[ReaderRole], Code, &str); 27] = [
        ("rule = \"majority\"", &[], Code::KeyMissing, "readers"),
        ("rule = \"majority\"\nreaders = 0", &[], Code::ValueRange, "must be 1 to 10000"),
        ("rule = \"median\"\nreaders = 3", &[], Code::ValueUnknown, "\"k-of-n\""),
        ("rule = \"majority\"\nfixed_readers = false", &[], Code::KeyMissing, "minimum_agreeing"),
        ("rule = \"majority\"\nreaders = 3\nminimum_agreeing = 4", &[], Code::ValueRange, "has 3 readers"),
        ("rule = \"unanimous\"\nreaders = 3\nminimum_agreeing = 2", &[], Code::ValueRange, "needs 3"),
        (
            "rule = \"majority\"\nreaders = 3\nminimum_reads = 4",
            &[],
            Code::ReferenceRule,
            "minimum_reads is 4",
        ),
        ("rule = \"k-of-n\"\nreaders = 3", &[], Code::KeyMissing, "agreeing"),
        ("rule = \"k-of-n\"\nreaders = 3\nagreeing = 4", &[], Code::ValueRange, "4 agreeing reads of 3"),
        ("rule = \"majority\"\nreaders = 3\nagreeing = 2", &[], Code::ReferenceRule, "k-of-n"),
        (
            "rule = \"majority\"\nreaders = 3\nadjudicate = \"no-majority\"",
            &[],
            Code::ReferenceRule,
            "adjudicated",
        ),
        ("rule = \"unanimous\"\nreaders = 3\ntie = \"positive\"", &[], Code::ReferenceRule, "no unanimity"),
        (
            "rule = \"majority\"\nreaders = 3\ntie = \"adjudicator\"",
            &[],
            Code::ReferenceRule,
            "no reader is declared",
        ),
        ("rule = \"panel\"", &[], Code::ReferenceRule, "no reader is declared"),
        ("rule = \"panel\"\ntie = \"none\"", &[Adjudicator], Code::ReferenceRule, "counts none"),
        ("rule = \"panel\"", &[Reference], Code::ReferenceRule, "no reader has that role"),
        ("rule = \"majority\"", &[Comparison], Code::ReferenceRule, "counts votes"),
        ("rule = \"majority\"", &[Reference, Adjudicator], Code::ReferenceRule, "asks no adjudicator"),
        ("rule = \"majority\"\nreaders = 3", &[Reference; 2], Code::ReferenceRule, "`readers` is 3, and 2"),
        ("rule = \"k-of-n\"\nagreeing = 3", &[Reference; 2], Code::ReferenceRule, "3 agreeing reads"),
        (
            "rule = \"adjudicated\"\nadjudicate = \"disagreement\"",
            &[Reference, Adjudicator],
            Code::ReferenceRule,
            "one reader cannot disagree",
        ),
        (
            "rule = \"adjudicated\"\nadjudicate = \"no-majority\"\ntie = \"negative\"",
            &[Reference, Reference, Adjudicator],
            Code::ReferenceRule,
            "sends a tie",
        ),
        ("rule = \"given\"", &[], Code::KeyMissing, "label_column"),
        (
            "rule = \"given\"\ngiven = { file = \"c.csv\", label_column = \"c\" }",
            &[],
            Code::KeyMissing,
            "source",
        ),
        (
            "rule = \"given\"\ngiven = { file = \"../c\", label_column = \"c\", source = \"s\" }",
            &[],
            Code::Path,
            "..",
        ),
        (
            "rule = \"given\"\ngiven = { file = \"c\", label_column = \"c\", source = \"s\", positive = \
             \"1\", negative = \"1\" }",
            &[],
            Code::ReadAmbiguous,
            "two meanings",
        ),
        ("rule = \"majority\"\nreaders = 3\nrequire_all = true", &[], Code::UnknownKey, "require_all"),
    ];
    for (keys, roles, code, words) in table {
        let problems = parsed(keys, roles).expect_err(keys);
        assert!(
            problems.iter().any(|p| p.code == code && p.to_string().contains(words)),
            "{keys}: {problems:?}"
        );
        assert!(
            problems.iter().all(|p| p.location.as_ref().is_some_and(|l| l.line.is_some())),
            "{problems:?}"
        );
    }
    let compared = format!("rule = \"given\"\n{given}\n{}", given.replace("given =", "compare_with ="));
    let problems = parsed(&compared, &[]).expect_err("nothing is computed");
    assert_eq!(problems[0].code, Code::ReferenceRule);
}

#[test]
fn what_is_at_the_edge_of_a_rule_is_still_valid() {
    use ReaderRole::{Adjudicator, Comparison, Ignored, Reference};
    let table: [(&str, &[ReaderRole]); 25] = [
        ("rule = \"majority\"\nreaders = 1", &[]),
        ("rule = \"majority\"\nreaders = 10000", &[]),
        ("rule = \"majority\"\nreaders = 3\nminimum_agreeing = 3\nminimum_reads = 3", &[]),
        ("rule = \"majority\"\nreaders = 3\nminimum_agreeing = 1", &[]),
        ("rule = \"majority\"\nreaders = 3\ntie = \"negative\"", &[]),
        ("rule = \"unanimous\"\nreaders = 3\nminimum_agreeing = 3\ntie = \"none\"", &[]),
        ("rule = \"k-of-n\"\nreaders = 3\nagreeing = 3\nminimum_agreeing = 3", &[]),
        ("rule = \"k-of-n\"\nreaders = 4\nagreeing = 1\ntie = \"positive\"", &[]),
        // Nobody fixed says how many read a case: `readers` or the number that must agree does.
        ("rule = \"majority\"\nreaders = 3\nfixed_readers = false", &[]),
        ("rule = \"majority\"\nminimum_agreeing = 2\nfixed_readers = false", &[]),
        ("rule = \"k-of-n\"\nagreeing = 2\nfixed_readers = false", &[]),
        ("rule = \"majority\"\nreaders = 3\nfixed_readers = false\nrequire_all_readers = true", &[]),
        ("rule = \"majority\"\nrequire_all_readers = true", &[Reference; 2]),
        // Readers who are declared are counted.
        ("rule = \"majority\"", &[Reference]),
        ("rule = \"majority\"\nreaders = 2", &[Reference, Comparison, Reference, Ignored]),
        ("rule = \"majority\"\nreaders = 2\nfixed_readers = false", &[Reference; 3]),
        ("rule = \"majority\"\nreaders = 3\nfixed_readers = false", &[Reference; 3]),
        ("rule = \"majority\"\nminimum_agreeing = 3\nminimum_reads = 3", &[Reference; 3]),
        ("rule = \"k-of-n\"\nagreeing = 3", &[Reference; 3]),
        ("rule = \"majority\"\ntie = \"adjudicator\"", &[Reference, Adjudicator]),
        ("rule = \"adjudicated\"\nadjudicate = \"no-majority\"", &[Reference, Reference, Adjudicator]),
        (
            "rule = \"adjudicated\"\nadjudicate = \"disagreement\"\ntie = \"adjudicator\"",
            &[Reference, Reference, Adjudicator],
        ),
        ("rule = \"panel\"", &[Adjudicator]),
        ("rule = \"panel\"\nreaders = 2", &[Adjudicator, Reference, Reference]),
        (&format!("rule = \"given\"\n{GIVEN}"), &[Reference]),
    ];
    for (keys, roles) in table {
        let found = parsed(keys, roles);
        assert!(found.is_ok(), "{keys} {roles:?}: {found:?}");
    }
}

#[test]
fn one_fault_is_one_problem() {
    use ReaderRole::{Adjudicator, Reference};
    let two = "two meanings";
    let given = |more: &str| format!("rule = \"given\"\n{}", GIVEN.replace(" }", &format!(", {more} }}")));
    let table: [(&str, &[ReaderRole], Code, &str); 31] = [
        ("", &[Reference], Code::KeyMissing, "`reference_standard.rule`"),
        ("rule = \"majority\"", &[], Code::KeyMissing, "`reference_standard.readers`"),
        ("rule = \"unanimous\"", &[], Code::KeyMissing, "`reference_standard.readers`"),
        ("rule = \"majority\"\nreaders = 10001", &[], Code::ValueRange, "`readers` is 10001"),
        ("rule = \"majority\"\nreaders = 0", &[], Code::ValueRange, "`readers` is 0"),
        ("rule = \"majority\"\nfixed_readers = false", &[], Code::KeyMissing, "`minimum_agreeing`"),
        (
            "rule = \"unanimous\"\nfixed_readers = false",
            &[Reference; 3],
            Code::KeyMissing,
            "`minimum_agreeing`",
        ),
        (
            "rule = \"majority\"\nminimum_agreeing = 2\nfixed_readers = false\nrequire_all_readers = true",
            &[],
            Code::ReferenceRule,
            "nobody knows who all readers of a case are",
        ),
        (
            "rule = \"majority\"\nreaders = 3\nminimum_agreeing = 4",
            &[],
            Code::ValueRange,
            "a case has 3 readers",
        ),
        ("rule = \"unanimous\"\nreaders = 3\nminimum_agreeing = 4", &[], Code::ValueRange, "rule needs 3"),
        (
            "rule = \"k-of-n\"\nreaders = 3\nagreeing = 2\nminimum_agreeing = 3",
            &[],
            Code::ValueRange,
            "rule needs 2",
        ),
        (
            "rule = \"k-of-n\"\nreaders = 3\nagreeing = 2\nminimum_agreeing = 1",
            &[],
            Code::ValueRange,
            "rule needs 2",
        ),
        (
            "rule = \"k-of-n\"\nreaders = 3\nagreeing = 4",
            &[],
            Code::ValueRange,
            "4 agreeing reads of 3 readers",
        ),
        (
            "rule = \"majority\"\nreaders = 3\nminimum_reads = 4",
            &[],
            Code::ReferenceRule,
            "minimum_reads is 4",
        ),
        ("rule = \"unanimous\"\nreaders = 3\ntie = \"negative\"", &[], Code::ReferenceRule, "no unanimity"),
        (
            "rule = \"adjudicated\"\nadjudicate = \"no-majority\"\ntie = \"positive\"",
            &[Reference, Reference, Adjudicator],
            Code::ReferenceRule,
            "sends a tie",
        ),
        ("rule = \"adjudicated\"", &[Reference, Reference, Adjudicator], Code::KeyMissing, "adjudicate"),
        ("rule = \"majority\"\nreaders = 3\nagreeing = 2", &[], Code::ReferenceRule, "`agreeing` belongs to"),
        (
            "rule = \"k-of-n\"\nagreeing = 1\nadjudicate = \"no-majority\"\nreaders = 3",
            &[],
            Code::ReferenceRule,
            "`adjudicate` belongs to",
        ),
        (
            &format!("rule = \"majority\"\nreaders = 3\n{GIVEN}"),
            &[],
            Code::ReferenceRule,
            "`given` belongs to",
        ),
        ("rule = \"panel\"", &[], Code::ReferenceRule, "no reader is declared"),
        (
            "rule = \"panel\"\nminimum_agreeing = 1",
            &[Adjudicator],
            Code::ReferenceRule,
            "`minimum_agreeing` is about votes",
        ),
        (
            "rule = \"panel\"\nrequire_all_readers = true",
            &[Adjudicator],
            Code::ReferenceRule,
            "`require_all_readers` is about",
        ),
        (
            "rule = \"panel\"\nminimum_reads = 1",
            &[Adjudicator],
            Code::ReferenceRule,
            "`minimum_reads` is about votes",
        ),
        ("rule = \"majority\"\nreaders = 2", &[Reference; 3], Code::ReferenceRule, "`readers` is 2, and 3"),
        (
            "rule = \"majority\"\nreaders = 4\nfixed_readers = false",
            &[Reference; 3],
            Code::ReferenceRule,
            "`readers` is 4, and 3",
        ),
        (
            "rule = \"majority\"\nminimum_agreeing = 4",
            &[Reference; 3],
            Code::ReferenceRule,
            "4 reads are needed, and 3",
        ),
        (
            "rule = \"majority\"\nminimum_reads = 4",
            &[Reference; 3],
            Code::ReferenceRule,
            "4 reads are needed, and 3",
        ),
        (&given("positive = \"Grown\", negative = \"grown\""), &[], Code::ReadAmbiguous, two),
        (&given("negative = \"none\", indeterminate = [\"a\", \"None\"]"), &[], Code::ReadAmbiguous, two),
        (
            &GIVEN.replace("given", "rule = \"given\"\ngiven").replace("\"c.csv\"", "[]"),
            &[],
            Code::ValueEmpty,
            "names no table",
        ),
    ];
    for (keys, roles, code, words) in table {
        let found = parsed(keys, roles).expect_err(keys);
        let [problem] = &found[..] else { panic!("{keys}: {found:#?}") };
        assert!(problem.code == code && problem.message.contains(words), "{keys}: {problem:?}");
    }
    let missing = whole("").expect_err("no section");
    assert_eq!(
        missing.iter().map(|p| p.message.as_str()).collect::<Vec<_>>(),
        ["`reference_standard` is missing: a table"]
    );
}

#[test]
fn who_reads_is_said_of_all_or_of_each() {
    use ReaderRole::{Ignored, Reference};
    let said = "qualification = \"radiologist\"";
    let rule = "[reference_standard]\nrule = \"majority\"\n";
    let each = format!("{rule}{}{}", reader("a", Reference, said), reader("b", Ignored, ""));
    assert_eq!(whole(&each).expect("said of each who counts").qualification, None);
    let one = format!("{rule}{}{}", reader("a", Reference, said), reader("b", Reference, ""));
    let found = whole(&one).expect_err("not said of one");
    assert_eq!((found.len(), found[0].code), (1, Code::KeyMissing));
    assert!(found[0].message.contains("`reference_standard.qualification`"), "{found:?}");
    assert!(whole(&one.replacen("rule = ", &format!("{said}\nrule = "), 1)).is_ok());
    assert!(whole(&format!("{rule}readers = 3")).is_err(), "of all who read and are not declared");
    // Of a table, the table says it; of what nobody reads there is nothing to say.
    assert!(whole(&format!("{rule}readers_file = \"r.csv\"")).is_ok());
    let given = whole(&format!("[reference_standard]\nrule = \"given\"\n{GIVEN}")).expect("nobody reads");
    assert_eq!((given.qualification, given.has_reads), (None, false));
    let read = parsed(&format!("rule = \"given\"\n{GIVEN}"), &[]).expect("read beside");
    assert!(read.has_reads);
    assert!(whole(&each).expect("read").has_reads);
}

#[test]
fn what_is_said_of_a_reader_is_kept_within_its_range() {
    use ReaderRole::Reference;
    let of = |more: &str| {
        let typed = format!("[reference_standard]\nrule = \"majority\"\n{}", reader("a", Reference, more));
        whole(&typed).map(|rule| match rule.declared {
            DeclaredReaders::Listed(listed) => listed,
            other => panic!("{other:?}"),
        })
    };
    let all = "qualification = \"q\"\nspecialty = \"s\"\nyears = 80\nlabelled_training_data = true";
    let expected = DeclaredReader {
        id: "a".to_owned(),
        role: Reference,
        qualification: Some("q".to_owned()),
        specialty: Some("s".to_owned()),
        years: Some(80.0),
        labelled_training_data: true,
    };
    assert_eq!(of(all).expect("valid"), [expected]);
    let least = of("qualification = \"q\"\nyears = 0").expect("valid").remove(0);
    assert_eq!((least.years, least.specialty, least.labelled_training_data), (Some(0.0), None, false));
    for (more, code) in [
        ("qualification = \"q\"\nyears = 80.5", Code::ValueRange),
        ("qualification = \"q\"\nyears = -1", Code::ValueRange),
        ("qualification = \"q\"\nother = 1", Code::UnknownKey),
        ("qualification = \" \"", Code::ValueEmpty),
    ] {
        let found = of(more).expect_err(more);
        assert_eq!((found.len(), found[0].code), (1, code), "{more}: {found:?}");
    }
    let rule = "[reference_standard]\nqualification = \"q\"\nrule = \"majority\"\n";
    let twice = format!("{rule}{}{}", reader("a", Reference, ""), reader("a", Reference, ""));
    let found = whole(&twice).expect_err("twice");
    assert_eq!((found.len(), found[0].code), (1, Code::DuplicateId), "{found:?}");
    let both = format!("{rule}readers_file = \"r.csv\"\n{}", reader("a", Reference, ""));
    let found = whole(&both).expect_err("declared twice");
    assert_eq!((found.len(), found[0].code), (1, Code::ReferenceRule), "{found:?}");
    let outside = whole(&format!("{rule}readers = 3\nreaders_file = \"../r.csv\"")).expect_err("a path");
    assert_eq!((outside.len(), outside[0].code), (1, Code::Path), "{outside:?}");
}

#[test]
fn a_table_of_labels_has_its_defaults_and_keeps_what_is_said() {
    let of = |table: &str| match whole(&format!(
        "[reference_standard]\nrule = \"given\"\ngiven = {{ {table} }}"
    )) {
        Ok(ReferenceRule { rule: ConsensusRule::Given(labels), .. }) => labels,
        other => panic!("{table}: {other:?}"),
    };
    let one = |word: &str| vec![word.to_owned()];
    let least = of("file = \"c.csv\", label_column = \"c\", source = \"culture\"");
    let expected = LabelTable {
        files: vec!["c.csv".parse().expect("a path")],
        from_reads: false,
        case_pattern: None,
        case_column: "case_id".to_owned(),
        label_column: "c".to_owned(),
        positive: one("positive"),
        negative: one("negative"),
        indeterminate: one("indeterminate"),
        source: "culture".to_owned(),
    };
    assert_eq!(least, expected);
    let all = of(
        "file = \"c.csv\", case_column = \"id\", label_column = \"c\", positive = \"1\", negative = \"0\", \
                  indeterminate = \"?\", source = \"culture\"",
    );
    let (positive, negative, indeterminate) = (one("1"), one("0"), one("?"));
    assert_eq!(
        all,
        LabelTable { case_column: "id".to_owned(), positive, negative, indeterminate, ..expected }
    );
    let rule = "[reference_standard]\nrule = \"given\"\n";
    for (table, code) in [
        ("label_column = \"c\", source = \"s\"", Code::KeyMissing),
        ("file = \"c.csv\", source = \"s\"", Code::KeyMissing),
        ("file = \"c.csv\", label_column = \"c\", source = \"s\", other = 1", Code::UnknownKey),
        ("file = [\"c.csv\", \"../d\"], label_column = \"c\", source = \"s\"", Code::Path),
    ] {
        let found = whole(&format!("{rule}given = {{ {table} }}")).expect_err(table);
        assert_eq!((found.len(), found[0].code), (1, code), "{table}: {found:?}");
    }
}
