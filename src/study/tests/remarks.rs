//! What readers say beside their answers: how sure they are, and what they write.

use super::*;
use crate::reads::status::{self, Moment, Seen};
use crate::study::Derivation;

const COLUMNS: (&str, &str) =
    ("[scores]\n", "[reads]\nconfidence_column = \"sure\"\ncomment_column = \"note\"\n[scores]\n");

/// Eight cases of a reader; c01 to c03 with what is said beside the answer.
fn said(reader: &str, beside: [&str; 3]) -> String {
    let row = |case: usize| {
        let read = if case.is_multiple_of(2) { "positive" } else { "negative" };
        format!("c{case:02},{reader},{read},{}\n", beside.get(case - 1).unwrap_or(&","))
    };
    format!("case_id,reader_id,read,sure,note\n{}", (1..=8).map(row).collect::<String>())
}

fn with(beside: [[&str; 3]; 3]) -> Inputs {
    let [r1, r2, r3] = beside;
    study(&[COLUMNS])
        .with("reads/r1.csv", said("r1", r1))
        .with("reads/r2.csv", said("r2", r2))
        .with("reads/r3.csv", said("r3", r3))
}

#[test]
fn how_sure_readers_were_and_what_they_wrote_stands_beside_who_said_what() {
    let beside = [
        ["4,\"line one\nline  two\"", ",", "  , "],
        ["2,", ",\"a, b; \"\"c\"\"\"", ","],
        [",=1+1", ",", "high,"],
    ];
    let inputs = with(beside);
    let derived = inputs.derived();
    let table = &derived.files[&"derivation.csv".parse().expect("a path")];
    let cases = Derivation::parse(Path::new("derivation.csv"), &table.read()).expect("a table");
    let of = |case: &str| cases.iter().find(|found| found.case_id == case).expect(case);
    assert_eq!(of("c01").confidence, "r1=4; r2=2");
    assert_eq!(of("c01").comments, "r1: line one line two | r3: =1+1");
    assert_eq!((of("c02").confidence.as_str(), of("c02").comments.as_str()), ("", "r2: a, b; \"c\""));
    assert_eq!((of("c03").confidence.as_str(), of("c03").comments.as_str()), ("r3=high", ""));
    assert_eq!((of("c04").confidence.as_str(), of("c04").comments.as_str()), ("", ""));
    // Nobody's answer is another one for it.
    let silent = with([[","; 3]; 3]).derived();
    assert_eq!(text(&derived, "reference.csv"), text(&silent, "reference.csv"));
}

#[test]
fn a_study_in_which_nobody_said_more_has_the_columns_that_it_always_had() {
    let header = |inputs: &Inputs| {
        let derived = inputs.derived();
        text(&derived, "derivation.csv").lines().next().expect("a header").to_owned()
    };
    let plain = header(&study(&[]));
    assert!(plain.ends_with(",label_that_came,readers"), "{plain}");
    assert_eq!(header(&with([[","; 3]; 3])), plain);
    assert_eq!(header(&with([["1,", ",", ","], [","; 3], [","; 3]])), format!("{plain},confidence"));
    assert_eq!(header(&with([[",x", ",", ","], [","; 3], [","; 3]])), format!("{plain},comments"));
}

#[test]
fn the_coordinator_sees_comments_with_and_without_an_answer() {
    let inputs = with([["4,blurred", ",", ","], [","; 3], [",", ",=now", ","]]).changed(
        "reads/r2.csv",
        "c02,r2,positive,,\n",
        "c02,r2,,,does not open\n",
    );
    let cohort = cohort(&inputs).expect("a cohort");
    let so_far = reads_so_far(&inputs, &cohort).expect("reads");
    let cases: Vec<&str> = cohort.drawn_cases().map(|case| case.case_id.as_str()).collect();
    let seen = Seen {
        cases: &cases,
        roster: &so_far.standard.roster,
        assembled: &so_far.standard.assembled,
        voting: &so_far.standard.voting,
        fixed: true,
        consensus: &so_far.standard.consensus,
        rows: &so_far.rows,
        no_reads: &so_far.no_reads,
        rounds: &[],
        now: Moment::default(),
        late_after: 7,
    };
    let status = status::status(&seen);
    let told: Vec<_> =
        status.comments.iter().map(|c| (&*c.case_id, &*c.reader, c.answer, &*c.comment)).collect();
    assert_eq!(
        told,
        [
            ("c01", "r1", "negative", "blurred"),
            ("c02", "r2", "no answer", "does not open"),
            ("c02", "r3", "positive", "=now"),
        ]
    );
    let table = String::from_utf8(status::csv(&seen, &status)).expect("text");
    assert!(table.starts_with("reader_id,role,case_id,state,read,time,confidence,comment\n"), "{table}");
    for row in [
        "r1,reference,c01,read,negative,,4,blurred\n",
        "r2,reference,c02,missing,,,,does not open\n",
        "r3,reference,c02,read,positive,,,'=now\n",
        "r3,reference,c03,read,negative,,,\n",
    ] {
        assert!(table.contains(row), "{row}: {table}");
    }
}
