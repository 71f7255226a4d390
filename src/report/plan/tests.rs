use std::path::Path;

use super::*;
use crate::document::render::Look;
use crate::report::Formats;
use crate::study::planning::size_plan;

const TEXT: &str = include_str!("../../../protocols/pneumonia-exp2a.toml");

const EXPECTED: &str = r#"
[planning]
images_per_patient = 1.3
icc = 0.4
unusable = 0.05
[[expected]]
endpoint = "auc"
value = 0.6736
source = "tuning split of experiment 2A"
[[expected]]
endpoint = "sensitivity"
value = 0.86
range = [0.80, 0.92]
source = "tuning split of experiment 2A"
"#;

fn source(text: &str) -> Source {
    let protocol = crate::protocol::parse(Path::new("p"), text).expect("valid");
    Source {
        plan: size_plan(&protocol),
        protocol,
        digest: "ab".repeat(32),
        locked_at: None,
        openings: 0,
        banner: None,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        date: "2026-01-01T00:00:00Z".to_owned(),
        fonts: Vec::new(),
        look: Look::default(),
    }
}

fn markdown(source: &Source) -> String {
    let files = render(source, Formats::WithoutPdf).expect("renders");
    let found = files.iter().find(|(path, _)| path.as_str() == "plan.md").expect("a plan");
    String::from_utf8(found.1.clone()).expect("text")
}

#[test]
fn the_plan_says_what_the_size_can_and_cannot_show() {
    let plan = markdown(&source(&format!("{TEXT}{EXPECTED}")));
    for says in [
        "An AUC of 0.674 cannot show a lower bound above 0.800.",
        "AUC \u{2264} 0.800",
        "That is a test at a one-sided level of 2.5%.",
        "design effect 1.12",
        "(assurance)",
        "No expected value is declared, so no probability can be given for it.",
        "not locked yet",
    ] {
        assert!(plan.contains(says), "{says}\n{plan}");
    }
    let bare = markdown(&source(TEXT));
    assert!(bare.contains("declares no expected performance"), "{bare}");
    assert!(bare.contains("what-if") || bare.contains("if the true value were another"), "{bare}");
}

#[test]
fn comparisons_stand_in_the_plan_as_declared_and_are_counted() {
    let compared = r#"
[predicate]
name = "an earlier version"
file = "predicate.csv"
threshold = 0.5
[[endpoint]]
id = "against-the-earlier"
metric = "sensitivity"
role = "primary"
against = "predicate"
aim = "non-inferiority"
margin = 0.05
justification = "five points change no treatment"
"#;
    let plan = markdown(&source(&format!("{TEXT}{compared}")));
    for says in [
        "Comparisons as declared in the protocol",
        "the device's is below that of the predicate by 5.0% or more",
        "Margin of against-the-earlier: five points change no treatment",
        "Co-primary: all 4 criteria have to be met",
    ] {
        assert!(plan.contains(says), "{says}\n{plan}");
    }
    assert!(!markdown(&source(TEXT)).contains("Comparisons as declared"), "nothing is compared there");
}

#[test]
fn every_table_of_the_template_exists_and_a_hostile_word_stays_a_word() {
    let text = format!("{TEXT}{EXPECTED}").replace("tuning split", "<script>|*x*");
    let files = render(&source(&text), Formats::WithoutPdf).expect("renders");
    let html = files.iter().find(|(path, _)| path.as_str() == "plan.html").expect("a page");
    assert!(!String::from_utf8_lossy(html.1).contains("<script>"));
    for id in tables::IDS {
        assert!(tables::build(&source(TEXT), id).is_some(), "{id}");
    }
    assert!(tables::build(&source(TEXT), "other").is_none());
    assert!(files.keys().any(|path| path.as_str().starts_with("figures/power")));
}
