use std::path::Path;

use crate::protocol::{Against, PredicateOutput, Protocol, Role, parse};
use crate::statistics::comparative::Aim;
use crate::statistics::estimate::IntervalMethod;
use crate::statistics::multiplicity::Multiplicity;

/// A study at score level with one endpoint on a goal; `more` is appended, `analysis` stands in `[analysis]`.
fn text(analysis: &str, more: &str) -> String {
    format!(
        r#"format = "sequester-protocol/2"
[study]
id = "compared"
title = "A device beside its predicate"
version = "1.0"
finding = "pneumonia"
[data]
cases = "cases.csv"
[reference_standard]
readers = 1
rule = "majority"
qualification = "radiologist"
[scores]
file = "scores.csv"
[operating_point]
source = "declared"
threshold = 0.5
rationale = "as released"
[analysis]
seed = 7
{analysis}
[[endpoint]]
id = "seen"
metric = "auc"
role = "primary"
interval = "delong"
criterion = "lower > 0.7"
{more}"#
    )
}

const PREDICATE: &str = "\n[predicate]\nname = \"Device A 1.0\"\nfile = \"predicate.csv\"\nthreshold = 0.4\n";
const COMPARED: &str = r#"[[endpoint]]
id = "found"
metric = "sensitivity"
role = "primary"
against = "predicate"
aim = "non-inferiority"
margin = 0.05
justification = "one in twenty"
"#;

fn valid(analysis: &str, more: &str) -> Protocol {
    parse(Path::new("protocol.toml"), &text(analysis, more)).unwrap_or_else(|p| panic!("{p:#?}"))
}

/// The codes of all problems, each of which has a way out but where the message says it.
fn codes(analysis: &str, more: &str) -> Vec<&'static str> {
    let problems = parse(Path::new("protocol.toml"), &text(analysis, more)).expect_err("problems");
    assert!(problems.iter().all(|p| p.location.as_ref().is_some_and(|l| l.line.is_some())), "{problems:#?}");
    problems.iter().map(|p| p.code.as_str()).collect()
}

fn edited(from: &str, to: &str) -> String {
    let both = format!("{COMPARED}{PREDICATE}");
    assert!(both.contains(from), "{from}");
    both.replace(from, to)
}

#[test]
fn a_comparison_is_read_with_what_it_says() {
    let protocol = valid("", &format!("{COMPARED}{PREDICATE}"));
    let [found] = &protocol.comparisons[..] else { panic!("{:?}", protocol.comparisons) };
    assert_eq!(
        (found.against, found.aim, found.role),
        (Against::Predicate, Aim::NonInferiority, Role::Primary)
    );
    assert_eq!((found.margin, found.interval), (0.05, None));
    assert_eq!(found.justification.as_deref(), Some("one in twenty"));
    let predicate = protocol.predicate.as_ref().expect("declared");
    let scores = PredicateOutput::Scores { column: "score".to_owned(), threshold: Some(0.4) };
    assert_eq!((predicate.name.as_str(), &predicate.output), ("Device A 1.0", &scores));
    assert_eq!((protocol.endpoints.len(), &protocol.family), (1, &None));

    let answers = edited("threshold = 0.4", "answer_column = \"call\"");
    let output = valid("", &answers).predicate.expect("declared").output;
    assert_eq!(output, PredicateOutput::Answers { column: "call".to_owned() });
    let named = edited("margin = 0.05", "margin = 0.05\ninterval = \"newcombe\"\nfallback = \"none\"");
    assert_eq!(valid("", &named).comparisons[0].interval, Some(IntervalMethod::Newcombe));
    // Superiority needs no margin, and without one no reason for it.
    let better = edited(
        "aim = \"non-inferiority\"\nmargin = 0.05\njustification = \"one in twenty\"\n",
        "aim = \"superiority\"\n",
    );
    assert_eq!(valid("", &better).comparisons[0].margin, 0.0);
}

#[test]
fn every_wrong_comparison_has_its_code() {
    let margin = |to: &str| edited("margin = 0.05", to);
    for (more, expected) in [
        (margin(""), vec!["margin"]),
        (margin("margin = -0.05"), vec!["margin"]),
        (margin("margin = 0.0"), vec!["margin"]),
        (margin("margin = 5"), vec!["margin"]),
        (edited("justification = \"one in twenty\"\n", ""), vec!["justification-missing"]),
        (edited("\"one in twenty\"", "\" \""), vec!["justification-missing"]),
        (COMPARED.to_owned(), vec!["comparator-missing"]),
        (PREDICATE.to_owned(), vec!["comparator-missing"]),
        (edited("\"predicate\"", "\"comparison-readers\""), vec!["comparator-missing", "comparator-missing"]),
        (edited("threshold = 0.4\n", ""), vec!["comparator-missing"]),
        (edited("threshold = 0.4", "threshold = 0.4\nanswer_column = \"call\""), vec!["endpoint-keys"]),
        (edited("\"sensitivity\"", "\"mcc\""), vec!["value-unknown"]),
        (margin("margin = 0.05\ninterval = \"delong\""), vec!["value-unknown"]),
        (margin("margin = 0.05\ncriterion = \"lower > 0.8\""), vec!["endpoint-keys"]),
        (margin("margin = 0.05\nprevalence = 0.1"), vec!["endpoint-keys"]),
        (margin("margin = 0.05\nmax_fpr = 0.2"), vec!["endpoint-keys"]),
        (edited("aim = \"non-inferiority\"", "aim = \"better\""), vec!["value-unknown"]),
        (edited("aim = \"non-inferiority\"\n", ""), vec!["key-missing"]),
        (edited("against = \"predicate\"\n", ""), vec!["endpoint-keys"; 3]),
    ] {
        let mut found = codes("", &more);
        // Without `against` the keys of a goal are missing, and the predicate is compared with nothing.
        if !more.contains("against") && more.contains("[[endpoint]]") {
            found.retain(|code| *code == "endpoint-keys");
        }
        assert_eq!(found, expected, "{more}");
    }
    let areas = edited("\"sensitivity\"", "\"auc\"").replace("threshold = 0.4", "answer_column = \"call\"");
    assert_eq!(codes("", &areas), ["comparator-missing"], "answers have no area");
    let readers = edited("\"predicate\"", "\"comparison-readers\"").replace("\"sensitivity\"", "\"auc\"");
    assert!(codes("", &readers).contains(&"endpoint-keys"), "readers have no scores");
}

#[test]
fn a_family_has_its_shares_or_is_refused() {
    let rule = |name: &str| format!("multiplicity = \"{name}\"");
    let both = format!("{COMPARED}{PREDICATE}");
    for (name, expected) in [
        ("holm", Multiplicity::Holm),
        ("hochberg", Multiplicity::Hochberg),
        ("fixed-sequence", Multiplicity::FixedSequence),
    ] {
        let protocol = valid(&rule(name), &both);
        assert_eq!(protocol.analysis.multiplicity, expected);
        assert_eq!(protocol.family.expect("a family").endpoints, ["seen", "found"]);
    }
    // The first endpoint's section is the last before what is appended, so its share stands at the front.
    let shares = |first: &str, second: &str| {
        format!("{first}\n{}", both.replace("aim =", &format!("{second}\naim =")))
    };
    let graph =
        shares("weight = \"1/2\"\npasses_on = { found = 1 }", "weight = 0.5\npasses_on = { seen = \"1/3\" }");
    let family = valid(&rule("graph"), &graph).family.expect("a family");
    assert_eq!(family.weights, [0.5, 0.5]);
    assert_eq!(family.transitions, [vec![0.0, 1.0], vec![1.0 / 3.0, 0.0]]);
    assert!(valid(&rule("fallback"), &shares("weight = 0.7", "weight = 0.3")).family.is_some());
    for (name, first, second, expected) in [
        ("graph", "weight = 0.7", "weight = 0.6", vec!["graph-shares"]),
        ("graph", "weight = 0.5\npasses_on = { seen = 1 }", "weight = 0.5", vec!["graph-shares"]),
        ("graph", "weight = 0.5\npasses_on = { nobody = 1 }", "weight = 0.5", vec!["graph-shares"]),
        ("graph", "weight = 0.5\npasses_on = { found = 1.5 }", "weight = 0.5", vec!["graph-shares"]),
        ("graph", "weight = -0.1", "weight = 0.5", vec!["graph-shares"]),
        ("fallback", "weight = 0.5", "", vec!["multiplicity-uncovered"]),
        (
            "fallback",
            "weight = 0.5\npasses_on = { found = 1 }",
            "weight = 0.5",
            vec!["multiplicity-uncovered"],
        ),
        ("holm", "weight = 0.5", "weight = 0.5", vec!["multiplicity-uncovered"; 2]),
        ("graph", "weight = \"half\"", "weight = 0.5", vec!["value-type", "multiplicity-uncovered"]),
    ] {
        let mut found = codes(&rule(name), &shares(first, second));
        found.sort_unstable();
        let mut expected = expected;
        expected.sort_unstable();
        assert_eq!(found, expected, "{name} {first} {second}");
    }
    let key = both.replace("\"primary\"", "\"key-secondary\"");
    assert_eq!(codes("", &key), ["multiplicity-uncovered"], "co-primary covers primary endpoints alone");
    let protocol = valid(&rule("fixed-sequence"), &key);
    assert_eq!(protocol.comparisons[0].role, Role::KeySecondary);
}
