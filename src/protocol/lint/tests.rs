mod traps;

use std::collections::BTreeSet;
use std::path::Path;

use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::protocol::language::{EXAMPLE, Slips};
use crate::protocol::{disagreements_of_device, lint, parse, typed_results};

/// Everything that is said of a protocol's text: what keeps it from being one, or what is doubtful.
fn said(text: &str) -> Vec<Diagnostic> {
    let path = Path::new("protocol.toml");
    match parse(path, text) {
        Ok(protocol) => lint(path, text, &protocol),
        Err(problems) => problems,
    }
}

fn of_device(text: &str) -> Vec<Diagnostic> {
    let protocol = parse(Path::new("protocol.toml"), EXAMPLE).expect("valid");
    let path = Path::new("device.toml");
    let mut found = disagreements_of_device(path, text, &protocol);
    found.extend(typed_results(path, text));
    found
}

#[test]
fn nothing_is_doubtful_in_the_example() {
    assert_eq!(said(EXAMPLE), Vec::new());
}

#[test]
fn every_slip_is_caught_with_its_place_and_a_way_out() {
    let slips = Slips::all();
    assert!(slips.protocol.len() > 60 && slips.device.len() >= 5);
    let mut told = String::new();
    let mut distinct: BTreeSet<Code> = BTreeSet::new();
    let mut lines = |name: &str, bad: &str, code: Code, found: &[Diagnostic]| {
        let one = found.iter().find(|d| d.code == code);
        let one = one.unwrap_or_else(|| panic!("{name}: {code} is not among {found:#?} for\n{bad}"));
        assert!(one.hint.is_some(), "{code} has no way out: {one}");
        assert!(one.location.as_ref().is_some_and(|at| at.line.is_some()), "{code} has no place: {one}");
        distinct.insert(code);
        told += &format!("-- {bad}");
        told += if bad.ends_with('\n') { "" } else { "\n" };
        for diagnostic in found {
            told += &format!("{diagnostic}\n");
        }
        told += "\n";
    };
    for slip in &slips.protocol {
        assert_eq!(EXAMPLE.matches(&slip.good).count(), 1, "{slip:?}");
        lines("protocol", &slip.bad, slip.code, &said(&slip.protocol()));
    }
    for slip in &slips.device {
        assert_eq!(of_device(&format!("[device]\n{}\n", slip.good)), Vec::new(), "{slip:?}");
        lines("device", &slip.bad, slip.code, &of_device(&format!("[device]\n{}\n", slip.bad)));
    }
    assert!(distinct.len() >= 60, "{} codes only", distinct.len());
    insta::assert_snapshot!("slips", told);
}

#[test]
fn years_of_readers_and_results_of_the_predicate_are_nobodys_contradiction() {
    for text in [
        "[device]\nusers = \"radiologists with 5 to 10 years of experience\"\n",
        "[predicate]\ncomparison = \"the predicate has a sensitivity of 0.91\"\n",
        "[device]\nlimitations = [\"It is not for children.\"]\n",
        "not TOML",
    ] {
        assert_eq!(of_device(text), Vec::new(), "{text}");
    }
}

#[test]
fn what_the_source_project_contradicts_itself_in_is_caught() {
    let read = |name: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/source-project").join(name);
        std::fs::read_to_string(path).expect("reads")
    };
    let (text, device) = (read("protocol.toml"), read("device.toml"));
    let path = Path::new("protocol.toml");
    let protocol = parse(path, &text).expect("it can be read, which is what makes it dangerous");
    let mut found = lint(path, &text, &protocol);
    found.extend(disagreements_of_device(Path::new("device.toml"), &device, &protocol));
    found.extend(typed_results(Path::new("device.toml"), &device));
    for code in [
        // 1. Indications of 10-80 years, called adult; the plan has 18-80.
        Code::IndicationsDisagree,
        // 2. A validation AUC of .6345, of .6736, and 67.38 %.
        Code::ResultTyped,
        // 3. Metrics at 0.5, deployment at 0.40.
        Code::ThresholdDisagrees,
        // 5. F1 on a balanced set.
        Code::SampleNotComparable,
        // 6. "Prior pneumonia" without a definition.
        Code::ExclusionUndefined,
        // 7. Labels from text as the reference standard.
        Code::ReferenceFromReports,
    ] {
        assert!(found.iter().any(|d| d.code == code), "{code} is not among {found:#?}");
    }
    // 4. "40 % AP/Lateral" of frontal images.
    assert!(found.iter().any(|d| d.message.contains("lateral images")), "{found:#?}");
    let told: String = found.iter().map(|d| format!("{d}\n")).collect();
    insta::assert_snapshot!("source_project", told);
    assert!(found.iter().all(|d| d.severity == Severity::Warning), "{told}");
}
