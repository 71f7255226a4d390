//! The page of a description, from few cases whose names try to be markup.

use super::*;
use crate::dataset::case::{Attributes, Case, Sex};
use crate::dataset::describe::{AgeBand, Description, Request, Set, Share, describe};
use crate::document::lint;
use crate::document::render::Files;

const HOSTILE: &str = "*Bold* _it_ `code` <script>alert(1)</script> | cell | {{ 7*7 }} \
                       ~~~~{table} 0 # > \\ &amp; [l](http://e.x)";

/// Two sets that share a patient.
fn described(name: &str, finding: &str) -> Description {
    let case = |id: u16, age: u16, positive: bool| Case {
        case_id: format!("C{id}").into(),
        patient_id: format!("P{}", id / 2).into(),
        age_years: Some(age),
        attributes: Attributes {
            sex: Some(Sex::F),
            findings: if positive { vec![finding.to_owned(), "Edema".to_owned()] } else { Vec::new() },
            source_label: Some(positive),
            ..Attributes::default()
        }
        .into(),
        ..Case::default()
    };
    let cases = [case(1, 40, true), case(2, 51, false), case(3, 70, true), case(4, 20, false)];
    let sets = [
        Set { name: name.to_owned(), cases: cases[..2].iter().collect() },
        Set { name: "other".to_owned(), cases: cases[2..].iter().collect() },
    ];
    let fields = ["case_id", "patient_id", "sex", "age_years", "findings", "label"].into();
    let positive = vec![finding.to_owned()];
    let bands = AgeBand::USUAL.to_vec();
    describe(&sets, &Request { positive, bands, fields, unlabelled_count: false, whole_first: false })
}

fn page(files: &Files) -> String {
    let path = "description.html".parse().expect("a path");
    String::from_utf8(files[&path].clone()).expect("text")
}

#[test]
fn names_of_sets_and_findings_stay_text() {
    let harmless = page(&render(&described("one", "Pneumonia")).expect("renders"));
    let hostile = page(&render(&described(HOSTILE, HOSTILE)).expect("renders"));
    for tag in ["<h1", "<h2", "<table", "<figure", "<svg", "<blockquote", "<p>", "<td", "<em", "<code"] {
        assert_eq!(hostile.matches(tag).count(), harmless.matches(tag).count(), "{tag}");
    }
    assert!(
        !hostile.contains("<script") && !hostile.contains("href=\"http") && hostile.contains("{{ 7*7 }}")
    );
    assert!(hostile.contains("What occurs beside *Bold* _it_ `code` &lt;script&gt;"), "{hostile}");
    assert!(
        hostile.contains("share 1 patients.") && hostile.contains("<h1 id=\"title\">Description of the data")
    );
}

#[test]
fn patients_without_a_label_have_a_line_of_their_own() {
    let line = |description: &Description| {
        overview_cells(description).into_iter().find(|line| line[0] == "Patients without a label")
    };
    let mut description = described("one", "Pneumonia");
    assert_eq!(line(&description), None);
    description.sets[1].positive_patients = Share::new(1, 1);
    assert_eq!(line(&description).expect("a line")[1..], ["0", "1"]);
    description.sets[1].positive_patients = Share::new(1, 2);
    assert_eq!(line(&description), None);
}

#[test]
fn every_share_has_one_decimal_beside_its_count() {
    assert_eq!(share(Share::new(1_431, 112_120)), "1,431/112,120 (1.3%)");
    assert_eq!(share(Share::new(0, 7)), "0/7 (0.0%)");
    assert_eq!(share(Share::new(3, 0)), "3/0");
}

#[test]
fn the_template_holds_no_number() {
    assert_eq!(lint::lint("description.md", include_str!("../../../templates/description.md")), []);
}
