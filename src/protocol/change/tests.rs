//! Plans as typed: the template works, and what is wrong is named where it stands.

use super::*;
use crate::declared::replaced;
use proptest::prelude::*;

fn claim() -> Predecessor {
    Predecessor {
        bundle: "../v1/evidence/run-1".to_owned(),
        root: Digest::of(b"root"),
        lock: Digest::of(b"lock"),
    }
}

fn text() -> String {
    template("pneumonia", &claim(), &["sex".to_owned(), "age \"of\" case".to_owned()])
}

fn codes(text: &str) -> Vec<(&'static str, u64)> {
    let problems = parse(Path::new("plan.toml"), text).expect_err("is refused");
    let line = |p: &Diagnostic| p.location.as_ref().and_then(|l| l.line).unwrap_or(0);
    problems.iter().map(|p| (p.code.as_str(), line(p))).collect()
}

#[test]
fn the_template_is_a_plan_whose_texts_are_to_be_written() {
    let plan = parse(Path::new("plan.toml"), &text()).expect("valid");
    assert_eq!(plan.predecessor, claim());
    assert_eq!(plan.subgroups.by.as_deref().map(<[String]>::len), Some(2));
    assert!(plan.allows(ChangeKind::Weights) && plan.allows(ChangeKind::Threshold));
    assert!(!plan.allows(ChangeKind::Gate) && !plan.allows(ChangeKind::Architecture));
    assert_eq!(plan.unwritten().len(), 10, "{:?}", plan.unwritten());
    let written = text().replace(UNWRITTEN, "Written");
    assert_eq!(parse(Path::new("p"), &written).expect("valid").unwritten(), [] as [&str; 0]);
    assert!(text().lines().all(|line| line.chars().count() <= 120));
}

#[test]
fn a_wrong_value_is_one_problem() {
    let problems = |text: &str| parse(Path::new("plan.toml"), text).err();
    let (mistyped, unknown) =
        (replaced::of_another_type(&text(), problems), replaced::words(&text(), problems));
    assert!(mistyped > 50 && unknown > 5, "{mistyped} {unknown}");
}

#[test]
fn margins_that_give_half_of_a_device_away_are_told_of_each_acceptance_and_of_the_levels() {
    let told = |text: &str| -> Vec<String> {
        let plan = parse(Path::new("plan.toml"), text).expect("valid");
        plan.wide_margins().into_iter().map(|one| one.message).collect()
    };
    assert_eq!(told(&text()), [] as [&str; 0]);
    let wide = told(&text().replace("margin = 0.05", "margin = 0.9"));
    let margins = text().matches("margin = 0.05").count();
    assert_eq!(wide.len(), margins, "{wide:?}");
    assert!(wide.iter().all(|one| one.contains("worse by 0.9: half of what lies")), "{wide:?}");
    let levels = told(&text().replace("[subgroups]", "[subgroups]\nmargin = 0.25"));
    assert!(levels.len() == 1 && levels[0].starts_with("`subgroups.margin`"), "{levels:?}");
}

#[test]
fn what_is_wrong_is_named_where_it_stands() {
    let line = |text: &str, what: &str| {
        text.lines().position(|line| line.contains(what)).map_or(0, |at| at as u64 + 1)
    };
    let table = [
        ("sequester-change/1", "sequester-change/9", "format-unknown"),
        ("openings = 3", "openings = 0", "value-range"),
        ("openings = 3", "openings = 1001", "value-range"),
        ("kind = \"threshold\"", "kind = \"weights\"", "duplicate-id"),
        ("kind = \"threshold\"", "kind = \"colour\"", "value-unknown"),
        ("margin = 0.05", "margin = -0.05", "margin"),
        ("margin = 0.05", "margin = 0", "margin"),
        ("metric = \"auc\"", "metric = \"luck\"", "value-unknown"),
        ("metric = \"auc\"", "metric = \"auc\"\nagainst = \"comparison-readers\"", "endpoint-keys"),
        ("judged_by = \"interval\"", "judged_by = \"eye\"", "value-unknown"),
        ("minimum = 0", "minimum = 0\nmaximum = 1", "unknown-key"),
        ("benefits = [", "benefits = []\nbenefit = [", "value-empty"),
        ("together = \"", "together = \" \"\nalone = \"", "value-empty"),
        ("id = \"pneumonia-changes\"", "id = \"Pneumonia Changes\"", "value-unknown"),
    ];
    for (from, to, code) in table {
        let plan = text();
        assert!(plan.contains(from), "{from}");
        let changed = plan.replacen(from, to, 1);
        let found = codes(&changed);
        assert!(found.iter().any(|(c, at)| *c == code && *at > 0), "{to}: {found:?}");
        if code == "value-range" {
            assert_eq!(found, [(code, line(&changed, "openings ="))]);
        }
    }
    let gain = text().replace("aim = \"non-inferiority\"", "aim = \"superiority\"");
    assert_eq!(codes(&gain).first().map(|c| c.0), Some("margin"));
    assert!(parse(Path::new("p"), &gain.replace("minimum = 0", "margin = 0.1")).is_ok());
    let root = Digest::of(b"root").to_string();
    assert_eq!(codes(&text().replace(&root, "beef"))[0].0, "value-unknown");
    for gone in ["[predecessor]", "[protocol]", "[test_set]", "[impact]", "[plan]"] {
        let without = text().replace(gone, "[elsewhere]");
        assert!(codes(&without).iter().any(|(code, _)| *code == "key-missing"), "{gone}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever stands in place of a line, there is a plan or a located problem, and no panic.
    #[test]
    fn any_line_is_read_or_named(at in 0_usize..60, typed in "[ -~\n]{0,60}") {
        let plan = text();
        let mut lines: Vec<&str> = plan.lines().collect();
        let place = at % lines.len();
        lines[place] = &typed;
        if let Err(problems) = parse(Path::new("p"), &lines.join("\n")) {
            prop_assert!(!problems.is_empty());
            prop_assert!(problems.iter().all(|problem| problem.location.is_some()));
        }
    }

    /// Texts of people go through the template as they are.
    #[test]
    fn a_study_of_any_name_gets_a_plan(bundle in "\\PC{1,40}", subgroup in "\\PC{1,20}") {
        let claim = Predecessor { bundle: bundle.clone(), ..claim() };
        let text = template("x", &claim, std::slice::from_ref(&subgroup));
        match parse(Path::new("p"), &text) {
            Ok(plan) => {
                prop_assert_eq!(plan.predecessor.bundle, bundle);
                prop_assert_eq!(plan.subgroups.by, Some(vec![subgroup]));
            }
            Err(problems) => prop_assert!(bundle.trim().is_empty(), "{:?}", problems),
        }
    }
}
