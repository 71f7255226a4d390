//! What follows from a declared rule and its readers, and protocols with `[reference_standard]` as typed.

use std::path::Path;

use super::*;
use crate::diagnostic::Diagnostic;
use crate::protocol::parse;

/// A protocol with these keys in `[reference_standard]`, and these readers.
pub(super) fn parsed(keys: &str, roles: &[ReaderRole]) -> Result<ReferenceRule, Vec<Diagnostic>> {
    let declared = include_str!("../../../protocols/pneumonia-exp2a.toml");
    let start = declared.find("[reference_standard]").expect("there");
    let end = start + declared[start..].find("\n[reads]").expect("there");
    let readers: String = roles
        .iter()
        .enumerate()
        .map(|(n, role)| format!("[[reader]]\nid = \"R{n}\"\nrole = \"{}\"\n", role.name()))
        .collect();
    let (before, after) = (&declared[..start], &declared[end..]);
    let typed = format!("{before}[reference_standard]\nqualification = \"q\"\n{keys}\n{readers}{after}");
    parse(Path::new("p.toml"), &typed).map(|protocol| protocol.reference_standard)
}

/// `text` with `[reference_standard]` and `[[reader]]` as typed here; no reads are declared.
pub(super) fn whole(reference: &str) -> Result<ReferenceRule, Vec<Diagnostic>> {
    let declared = include_str!("../../../protocols/pneumonia-exp2a.toml");
    let start = declared.find("[reference_standard]").expect("there");
    let reads = start + declared[start..].find("\n[reads]").expect("there");
    let end = reads + 2 + declared[reads + 2..].find("\n[").expect("another section");
    let typed = format!("{}{reference}\n{}", &declared[..start], &declared[end..]);
    parse(Path::new("p.toml"), &typed).map(|protocol| protocol.reference_standard)
}

/// A reader of a role, with more keys.
pub(super) fn reader(id: &str, role: ReaderRole, more: &str) -> String {
    format!("[[reader]]\nid = \"{id}\"\nrole = \"{}\"\n{more}\n", role.name())
}

pub(super) const GIVEN: &str = "given = { file = \"c.csv\", label_column = \"c\", source = \"culture\" }";

#[test]
fn numbers_follow_from_the_readers_where_they_are_not_declared() {
    use ReaderRole::{Adjudicator, Comparison, Reference};
    let of = |keys: &str, roles: &[ReaderRole], voters| {
        let rule = parsed(keys, roles).unwrap_or_else(|e| panic!("{keys}: {e:?}"));
        (rule.reads_per_case(voters), rule.agreeing(voters), rule.least_reads(voters), rule.needs_all_equal())
    };
    assert_eq!(of("rule = \"majority\"\nreaders = 3", &[], None), (Some(3), 2, 0, false));
    assert_eq!(of("rule = \"majority\"\nreaders = 4", &[], None), (Some(4), 3, 0, false));
    let all = "rule = \"unanimous\"\nrequire_all_readers = true";
    assert_eq!(of(all, &[Reference, Comparison, Reference], Some(2)), (Some(2), 2, 2, true));
    let any = "rule = \"majority\"\nfixed_readers = false\nminimum_agreeing = 1\nminimum_reads = 2";
    assert_eq!(of(any, &[Reference; 5], Some(5)), (None, 1, 2, false));
    let two = "rule = \"adjudicated\"\nadjudicate = \"disagreement\"";
    assert_eq!(of(two, &[Reference, Reference, Adjudicator], Some(2)), (Some(2), 2, 0, true));
}

#[test]
fn numbers_of_reads_follow_from_rule_and_readers() {
    use ReaderRole::{Adjudicator, Reference};
    let reads = |keys: &str, roles: &[ReaderRole], voters| {
        let rule = parsed(keys, roles).unwrap_or_else(|e| panic!("{keys}: {e:?}"));
        (rule.reads_per_case(voters), rule.agreeing(voters), rule.least_reads(voters))
    };
    // More than half of any number; all of them where one vote that differs is one too many.
    for n in 1..=9 {
        let of = |rule: &str| reads(&format!("rule = {rule}\nreaders = {n}"), &[], None);
        assert_eq!(of("\"majority\""), (Some(n), n / 2 + 1, 0));
        assert_eq!(of("\"unanimous\""), (Some(n), n, 0));
        assert_eq!(of("\"k-of-n\"\nagreeing = 1"), (Some(n), 1, 0));
        assert_eq!(of("\"majority\"\nrequire_all_readers = true"), (Some(n), n / 2 + 1, n));
        assert_eq!(of("\"majority\"\nminimum_agreeing = 1\nminimum_reads = 1"), (Some(n), 1, 1));
    }
    let adjudicated = |on: &str| {
        let readers = [Reference, Reference, Reference, Adjudicator];
        reads(&format!("rule = \"adjudicated\"\nadjudicate = \"{on}\""), &readers, Some(3))
    };
    assert_eq!(adjudicated("disagreement"), (Some(3), 3, 0));
    assert_eq!(adjudicated("no-majority"), (Some(3), 2, 0));
    // Where other readers read each case, those who are declared say nothing of the number on one.
    let other = "rule = \"unanimous\"\nfixed_readers = false\nminimum_agreeing = 2";
    assert_eq!(reads(other, &[Reference; 5], Some(5)), (None, 2, 0));
}

#[test]
fn an_adjudicator_is_asked_by_three_rules_and_votes_count_but_in_two() {
    use ReaderRole::{Adjudicator, Reference};
    let readers = [Reference, Reference, Adjudicator];
    let of = |keys: &str, roles: &[ReaderRole]| {
        let rule = parsed(keys, roles).unwrap_or_else(|e| panic!("{keys}: {e:?}"));
        (rule.rule.name(), rule.has_adjudication(), rule.rule.is_vote(), rule.needs_all_equal())
    };
    let given = format!("rule = \"given\"\n{GIVEN}");
    assert_eq!(of("rule = \"majority\"", &readers[..2]), ("majority", false, true, false));
    assert_eq!(of("rule = \"majority\"\ntie = \"adjudicator\"", &readers), ("majority", true, true, false));
    assert_eq!(of("rule = \"unanimous\"", &readers[..2]), ("unanimous", false, true, true));
    assert_eq!(of("rule = \"k-of-n\"\nagreeing = 1", &readers[..2]), ("k-of-n", false, true, false));
    let adjudicated = |on: &str| of(&format!("rule = \"adjudicated\"\nadjudicate = \"{on}\""), &readers);
    assert_eq!(adjudicated("disagreement"), ("adjudicated", true, true, true));
    assert_eq!(adjudicated("no-majority"), ("adjudicated", true, true, false));
    assert_eq!(of("rule = \"panel\"", &readers[2..]), ("panel", true, false, false));
    assert_eq!(of(&given, &[]), ("given", false, false, false));
}

#[test]
fn the_tables_a_reference_standard_rests_on_are_its_labels_and_its_readers() {
    let of = |reference: &str| {
        let rule =
            whole(&format!("[reference_standard]\nqualification = \"q\"\n{reference}")).expect(reference);
        let columns: Vec<_> = rule.label_tables().map(|table| table.label_column.clone()).collect();
        let files: Vec<_> = rule.files().map(|path| path.as_str().to_owned()).collect();
        (columns.concat(), files.join(" "))
    };
    let of = |reference: &str| {
        let (columns, files) = of(reference);
        format!("{columns}: {files}")
    };
    assert_eq!(of("rule = \"majority\"\nreaders = 3"), ": ");
    assert_eq!(of("rule = \"majority\"\nreaders_file = \"r.csv\""), ": r.csv");
    let compared = "compare_with = { file = [\"a.csv\", \"b.csv\"], label_column = \"l\", source = \"s\" }";
    assert_eq!(of(&format!("rule = \"majority\"\nreaders = 3\n{compared}")), "l: a.csv b.csv");
    assert_eq!(of(&format!("rule = \"given\"\n{GIVEN}\nreaders_file = \"r.csv\"")), "c: r.csv c.csv");
}
