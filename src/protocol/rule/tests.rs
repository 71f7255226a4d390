use proptest::prelude::*;

use super::*;
use crate::diagnostic::Code;

fn text(rule: &str) -> String {
    read(rule).unwrap_or_else(|fault| panic!("{rule}: {fault:?}")).to_string()
}

#[test]
fn a_rule_is_read_and_written_in_one_form() {
    for (typed, written) in [
        ("view in ['pa', \"AP\"]", "view in [\"AP\", \"PA\"]"),
        ("view not in ['LL']", "not view in [\"LL\"]"),
        ("age_years between 18 and 80", "age_years >= 18 and age_years <= 80"),
        ("a = 1 or b = 2 AND c = 3", "a = 1 or (b = 2 and c = 3)"),
        ("(a = 1 or b = 2) and c = 3", "(a = 1 or b = 2) and c = 3"),
        ("((a = 1) and (b = 2 and c = 3))", "a = 1 and b = 2 and c = 3"),
        ("not (a = 1 or not b <> 2)", "not (a = 1 or not b != 2)"),
        ("acquired \u{2265} 2024-01-31", "acquired >= 2024-01-31"),
        ("sex = 'female'", "sex = \"F\""),
        ("findings has 'Mass'", "findings has [\"Mass\"]"),
        ("`Study Date` is not missing", "not `Study Date` is missing"),
        ("`and` = 3", "`and` = 3"),
        ("day = 3 and `days` = 4", "day = 3 and `days` = 4"),
        ("name = 'a \"b\"'", "name = 'a \"b\"'"),
        ("days from ct to acquired <= 14", "days from ct to acquired <= 14"),
        ("not earlier within 30 days by acquired", "not earlier within 30 days by acquired"),
        ("later within 1 day by acquired", "later within 1 days by acquired"),
        (
            "earlier where (findings has [\"B\", \"A\", \"A\"]) by follow_up",
            "earlier where (findings has [\"A\", \"B\"]) by follow_up",
        ),
        (
            "first where (acquired >= 2024-01-01) by acquired",
            "first where (acquired >= 2024-01-01) by acquired",
        ),
    ] {
        assert_eq!(text(typed), written, "{typed}");
        assert_eq!(text(written), written, "{written}");
    }
}

#[test]
fn columns_are_read_as_the_rule_uses_them() {
    let rule =
        read("acquired >= 2024-01-01 and severity > 2.5 and race = 'x' and follow_up = 0 and first by seen");
    let columns: Vec<(String, CellKind)> =
        rule.expect("read").columns().into_iter().map(|c| (c.name.clone(), c.kind)).collect();
    let kind = |name: &str| columns.iter().find(|(known, _)| known == name).map(|(_, kind)| *kind);
    assert_eq!(kind("acquired"), Some(CellKind::Date));
    assert_eq!(kind("severity"), Some(CellKind::Number));
    assert_eq!(kind("race"), Some(CellKind::Text));
    assert_eq!(kind("follow_up"), Some(CellKind::Number));
    assert_eq!(kind("seen"), Some(CellKind::Date), "images are ordered by days unless numbers are asked for");
}

#[test]
fn what_is_wrong_is_told_with_its_place() {
    for (rule, at, code, words) in [
        ("", 0, Code::RuleSyntax, "ends where"),
        ("view", 4, Code::RuleSyntax, "ends where `=`"),
        ("view = ", 7, Code::RuleSyntax, "ends where a value"),
        ("view = PA", 7, Code::RuleSyntax, "`PA` stands where a value"),
        ("view = 'PA", 7, Code::RuleSyntax, "not closed"),
        ("view = ''", 7, Code::RuleSyntax, "not empty"),
        ("view = 'PA' view", 12, Code::RuleSyntax, "complete before `view`"),
        ("(view = 'PA'", 12, Code::RuleSyntax, "ends where `)`"),
        ("view in 'PA'", 8, Code::RuleSyntax, "where `[`"),
        ("a = 2024-13-01", 4, Code::RuleSyntax, "is no day"),
        ("a = 12abc", 4, Code::RuleSyntax, "neither a number"),
        ("a & b", 2, Code::RuleSyntax, "means nothing"),
        ("earlier within 30 by a", 18, Code::RuleSyntax, "where `day`"),
        ("earlier within -1 days by a", 15, Code::RuleSyntax, "whole number of days"),
        ("age_years between 80 and 18", 18, Code::RuleSyntax, "nothing is between"),
        ("a is nothing", 5, Code::RuleSyntax, "where `missing`"),
        ("view > 'PA'", 7, Code::RuleType, "no order"),
        ("acquired >= '2024-01-01'", 12, Code::RuleType, "no order"),
        ("age_years = '18'", 12, Code::RuleType, "holds numbers"),
        ("view = 3", 7, Code::RuleType, "holds texts"),
        ("a = 1 and a = 'x'", 14, Code::RuleType, "holds numbers, and is taken for texts"),
        ("first by site", 9, Code::RuleType, "ordered by days or numbers"),
        ("earlier within 3 days by follow_up", 25, Code::RuleType, "holds numbers, and is taken for days"),
        ("sex = 'X'", 6, Code::RuleType, "not F, M or O"),
        ("label = 'yes'", 8, Code::RuleType, "no label"),
        ("findings = 'Mass'", 11, Code::RuleType, "is a list"),
        ("view has 'PA'", 0, Code::RuleType, "is no list"),
        ("\u{e4} = 1 and ?", 11, Code::RuleSyntax, "means nothing"),
    ] {
        let fault = read(rule).expect_err(rule);
        assert_eq!((fault.at, fault.code), (at, code), "{rule}: {fault:?}");
        assert!(fault.message.contains(words) && !fault.hint.is_empty(), "{rule}: {fault:?}");
    }
    let deep = format!("{}a = 1{}", "(".repeat(5000), ")".repeat(5000));
    assert!(read(&deep).expect_err("deep").message.contains("at most"));
    let deep = format!("{}a = 1", "not ".repeat(900));
    assert!(read(&deep).expect_err("deep").message.contains("deep"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn no_text_makes_the_reader_panic(rule in ".{0,80}") {
        let _ = read(&rule);
    }

    #[test]
    fn no_words_of_the_language_make_it_panic_and_what_is_read_is_written_alike(
        words in prop::collection::vec(
            prop::sample::select(vec![
                "and", "or", "not", "in", "between", "is", "missing", "has", "days", "from", "to", "earlier",
                "later", "where", "within", "by", "first", "last", "(", ")", "[", "]", ",", "=", "<", ">=",
                "view", "age_years", "acquired", "'PA'", "\"x\"", "3", "-2.5", "2024-01-31", "findings",
                "`a b`", "30",
            ]),
            0..14,
        ),
    ) {
        let text = words.join(" ");
        if let Ok(rule) = read(&text) {
            let written = rule.to_string();
            prop_assert_eq!(read(&written).map_err(|fault| fault.message), Ok(rule), "{}", written);
        }
    }
}
