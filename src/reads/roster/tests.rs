//! Who reads: tables of readers, roles, and ids that differ in form alone.

use std::path::PathBuf;

use super::*;
use crate::reads::files::Read;

/// The rule of a protocol with these keys in `[reference_standard]` and these sections of readers.
fn rule(keys: &str, readers: &str) -> ReferenceRule {
    let declared = include_str!("../../../protocols/pneumonia-exp2a.toml");
    let start = declared.find("[reference_standard]").expect("there");
    let end = start + declared[start..].find("\n[reads]").expect("there");
    let (before, after) = (&declared[..start], &declared[end..]);
    let typed = format!("{before}[reference_standard]\n{keys}\n{readers}{after}");
    protocol::parse(Path::new("p.toml"), &typed).unwrap_or_else(|e| panic!("{e:#?}")).reference_standard
}

const QUALIFIED: &str = "qualification = \"radiologist\"\nrule = \"majority\"\nreaders_file = \"r.csv\"";
/// Nothing is said of all readers.
const OF_EACH: &str = "rule = \"majority\"\nreaders_file = \"r.csv\"";

/// The readers of a table under a rule, or each problem as its code and line.
fn of(keys: &str, table: &str) -> Result<Vec<DeclaredReader>, Vec<(Code, Option<u64>)>> {
    let found = Roster::of(&rule(keys, ""), Some((Path::new("r.csv"), table.as_bytes())));
    match found {
        Ok(roster) => Ok(roster.declared().expect("declared").values().cloned().collect()),
        Err(problems) => {
            assert!(
                problems.iter().all(|p| p.hint.is_some() || p.code == Code::ColumnMissing),
                "{problems:?}"
            );
            Err(problems.iter().map(|p| (p.code, p.location.as_ref().and_then(|l| l.line))).collect())
        }
    }
}

#[test]
fn a_table_of_readers_says_who_reads_in_which_role_and_what_is_known_of_each() {
    let table = "id,role,qualification,specialty,years,labelled_training_data,town\n\
                 b,Reference,radiologist,thorax,80,yes,x\n\
                 a,ADJUDICATOR,radiologist,,0,no,\n\
                 c,comparison,,,7.5,,\n\
                 d,ignored,,,,,\n\
                 e,reference,,,,,\n";
    let keys = format!("{QUALIFIED}\ntie = \"adjudicator\"");
    let found = of(&keys, table).expect("a table");
    let text = |text: &str| Some(text.to_owned());
    let reader = |id: &str, role| DeclaredReader {
        id: id.to_owned(),
        role,
        qualification: None,
        specialty: None,
        years: None,
        labelled_training_data: false,
    };
    let expected = [
        DeclaredReader {
            qualification: text("radiologist"),
            years: Some(0.0),
            ..reader("a", ReaderRole::Adjudicator)
        },
        DeclaredReader {
            qualification: text("radiologist"),
            specialty: text("thorax"),
            years: Some(80.0),
            labelled_training_data: true,
            ..reader("b", ReaderRole::Reference)
        },
        DeclaredReader { years: Some(7.5), ..reader("c", ReaderRole::Comparison) },
        reader("d", ReaderRole::Ignored),
        reader("e", ReaderRole::Reference),
    ];
    assert_eq!(found, expected);
    assert_eq!(of(QUALIFIED, "id,role\na,reference\n").expect("no more is needed").len(), 1);
}

#[test]
fn what_is_wrong_in_a_table_of_readers_is_told_with_its_line() {
    let wrong = |rows: &str| {
        let header = "id,role,qualification,specialty,years,labelled_training_data";
        of(OF_EACH, &format!("{header}\na,reference,q,,,\n{rows}\n")).expect_err(rows)
    };
    assert_eq!(wrong(",reference,q,,,"), [(Code::ValueMissing, Some(3))]);
    assert_eq!(wrong("a,reference,q,,,"), [(Code::DuplicateId, Some(3))]);
    assert_eq!(wrong("b,reader,q,,,"), [(Code::ValueUnknown, Some(3))]);
    assert_eq!(wrong("b,,q,,,"), [(Code::ValueUnknown, Some(3))]);
    assert_eq!(wrong("b,reference,q,,80.5,"), [(Code::ValueRange, Some(3))]);
    assert_eq!(wrong("b,reference,q,,-1,"), [(Code::ValueRange, Some(3))]);
    assert_eq!(wrong("b,reference,q,,many,"), [(Code::ValueRange, Some(3))]);
    assert_eq!(wrong("b,reference,q,,,maybe"), [(Code::ValueUnknown, Some(3))]);
    // Everybody but the ignored is qualified by something that is said.
    assert_eq!(wrong("b,reference,,,,"), [(Code::ValueMissing, Some(3))]);
    assert_eq!(wrong("b,comparison,,,,"), [(Code::ValueMissing, Some(3))]);
    let header = "id,role,qualification\n";
    assert_eq!(of(OF_EACH, &format!("{header}a,reference,q\nb,ignored,\n")).expect("valid").len(), 2);
    assert_eq!(of(QUALIFIED, "id,role\na,reference\nb,reference\n").expect("said of all").len(), 2);
    // All at once.
    assert_eq!(wrong("b,reader,q,,,\nc,reference,q,,x,").len(), 2);
    assert_eq!(of(QUALIFIED, "name,task\n").expect_err("columns").len(), 2);
    assert_eq!(of(QUALIFIED, "id,role\n").expect_err("nobody"), [(Code::TableEmpty, None)]);
    // The roles fit the rule.
    assert_eq!(
        of(QUALIFIED, "id,role\na,adjudicator\n").expect_err("no vote"),
        [(Code::ReferenceRule, None)]
    );
    assert_eq!(
        of(QUALIFIED, "id,role\nR1,reference\nr01,reference\n").expect_err("one"),
        [(Code::ReadersAlike, None)]
    );
}

/// A column of a name that is nearly a known one would be left out without a word.
#[test]
fn a_column_that_is_nearly_a_known_one_is_refused_and_another_one_is_not() {
    let with = |column: &str, known: &str| {
        let cells = ",".repeat(known.matches(',').count());
        of(QUALIFIED, &format!("id,role,{column}{known}\na,reference,{cells}\n"))
            .map(|readers| readers.len())
            .map_err(|problems| problems[0])
    };
    let refused = Err((Code::ColumnMissing, Some(1)));
    for column in ["qualifications", "Qualification", "speciality", "year", "labeled_training_data"] {
        assert_eq!(with(column, ""), refused, "{column}");
    }
    for column in ["hospital", "role2", "ages", "experience"] {
        assert_eq!(with(column, ""), Ok(1), "{column}");
    }
    // Where the known one is there, nothing is left out.
    assert_eq!(with("qualifications", ",qualification"), Ok(1));
}

#[test]
fn where_nobody_is_declared_everybody_is_a_reference_reader() {
    let nobody = "qualification = \"q\"\nrule = \"majority\"\nreaders = 3";
    let roster = Roster::of(&rule(nobody, ""), None).expect("nobody");
    assert_eq!(roster.declared(), None);
    assert_eq!((roster.role("anybody"), roster.reader("anybody")), (Some(ReaderRole::Reference), None));
    assert_eq!(roster.of_role(ReaderRole::Reference).count(), 0);
    assert_eq!(roster.undeclared(&[row("anybody", 2)]), None);
    // A table that is not there yet declares nobody either.
    assert_eq!(Roster::of(&rule(QUALIFIED, ""), None), Ok(Roster::default()));
}

fn row(reader: &str, line: u64) -> ReadRow {
    ReadRow {
        rating: None,
        case_id: "c".into(),
        reader_id: reader.into(),
        read: Read::Positive,
        time: None,
        remark: crate::reads::files::Remark::default(),
        file: "reads.csv".into(),
        line,
    }
}

fn two() -> Roster {
    let readers =
        "[[reader]]\nid = \"R1\"\nrole = \"reference\"\n[[reader]]\nid = \"R2\"\nrole = \"ignored\"\n";
    Roster::of(&rule("qualification = \"q\"\nrule = \"majority\"", readers), None).expect("two")
}

#[test]
fn declared_readers_have_their_role_and_nobody_else_has_one() {
    let roster = two();
    assert_eq!(roster.declared().map(BTreeMap::len), Some(2));
    assert_eq!(roster.role("R1"), Some(ReaderRole::Reference));
    assert_eq!((roster.role("R2"), roster.role("R3")), (Some(ReaderRole::Ignored), None));
    assert_eq!(roster.reader("R1").map(|r| r.id.as_str()), Some("R1"));
    assert_eq!(roster.of_role(ReaderRole::Reference).collect::<Vec<_>>(), ["R1"]);
    assert_eq!(roster.of_role(ReaderRole::Adjudicator).count(), 0);
}

#[test]
fn readers_who_are_not_declared_are_told_at_once_with_the_number_of_their_reads() {
    let roster = two();
    assert_eq!(roster.undeclared(&[row("R1", 2), row("R2", 3)]), None);
    let one = roster.undeclared(&[row("R1", 2), row("Q9", 3)]).expect("Q9");
    assert_eq!((one.code, one.location), (Code::ReaderUndeclared, Some(Location::line("reads.csv", 3))));
    assert_eq!(one.message, "1 reader is not declared: `Q9` (1 read)");
    let some = roster.undeclared(&[row("r 1", 4), row("Q9", 5), row("r 1", 6)]).expect("two");
    assert_eq!(some.location, Some(Location::line("reads.csv", 4)));
    assert_eq!(
        some.message,
        "2 readers are not declared: `Q9` (1 read), `r 1` (2 reads, `R1` is probably meant)"
    );
}

#[test]
fn readers_whose_ids_differ_in_form_alone_are_refused_where_the_second_is_first_read() {
    let file = PathBuf::from("reads.csv");
    let of = |reads: &[(&str, u64)]| -> Vec<_> {
        let reads = reads.iter().map(|(reader, line)| (*reader, &file, *line));
        colliding(reads).into_iter().map(|p| (p.code, p.location)).collect()
    };
    let at = |line| (Code::ReadersAlike, Some(Location::line("reads.csv", line)));
    assert_eq!(of(&[("R1", 2), ("R2", 3), ("R1", 4)]), []);
    assert_eq!(of(&[("R1", 2), ("r1", 3), ("R1", 4), ("r1", 5)]), [at(3)]);
    assert_eq!(of(&[("1", 2), ("01", 3), ("a", 4), ("A", 5)]), [at(2), at(4)], "in the order of the ids");
}
