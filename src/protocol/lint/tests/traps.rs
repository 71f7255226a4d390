//! Each check on more than its own example: the same fault in other words and at other places, and what
//! looks like it and is none.

use super::said;
use crate::diagnostic::Code;
use crate::protocol::language::EXAMPLE;

/// The example with something in place of something that stands there once.
fn with(from: &str, to: &str) -> String {
    assert_eq!(EXAMPLE.matches(from).count(), 1, "{from}");
    EXAMPLE.replacen(from, to, 1)
}

fn fires(code: Code, text: &str) {
    let found = said(text);
    assert!(found.iter().any(|d| d.code == code), "{code} is not among {found:#?} for\n{text}");
}

fn is_silent(code: Code, text: &str) {
    let found = said(text);
    assert!(!found.iter().any(|d| d.code == code), "{code} is among {found:#?} for\n{text}");
}

#[test]
fn estimates_are_told_from_bounds_however_they_are_written() {
    for typed in [
        "sensitivity > 0.80",
        "sensitivity>0.80",
        ">=0.8",
        "\u{2265} 0.8",
        "AUROC > 0.8",
        "the observed sensitivity exceeds 0.8",
        "point estimate above 0.8",
        "sens >= .8",
        "mean accuracy > 0.8",
        "0.80",
    ] {
        let text = with("criterion = \"lower > 0.75\"", &format!("criterion = \"{typed}\""));
        fires(Code::CriterionOnEstimate, &text);
    }
    for typed in ["lower limit > 0.8", "lower>0.8", "the lower bound of sensitivity > 0.8", "lower"] {
        let text = with("criterion = \"lower > 0.75\"", &format!("criterion = \"{typed}\""));
        fires(Code::Criterion, &text);
    }
}

#[test]
fn thresholds_that_were_found_on_the_cases_they_are_judged_on_say_so_in_many_words() {
    let rationale = "chosen on the tuning split, which no patient of this sample is in";
    for typed in [
        "maximises Youden on the test set",
        "the best F1 in the test data",
        "chosen on the validation cohort",
        "optimised on this dataset",
        "gives 90 % sensitivity in these patients",
        "the optimum of the held-out set",
        "from the ROC curve of the final evaluation images",
        "the same cases gave it. It looked best",
    ] {
        fires(Code::ThresholdOnTestSet, &with(rationale, typed));
    }
    for typed in [
        "chosen on the tuning split of other patients",
        "fixed on 2022 data, none of which are in this study",
        "declared before any case of the test set was scored",
        "as the released version 1.3 is used",
        "from patients outside the study population",
    ] {
        is_silent(Code::ThresholdOnTestSet, &with(rationale, typed));
    }
}

#[test]
fn reasons_for_exclusion_are_held_to_what_the_rule_looks_at() {
    let view = "reason = \"view other than PA or AP\"";
    for typed in [
        "previous pneumonia",
        "inadequate inspiration",
        "comorbidity",
        "image of poor quality",
        "not suitable",
        "protocol violation",
        "excluded by the committee",
    ] {
        fires(Code::ExclusionUndefined, &with(view, &format!("reason = \"{typed}\"")));
    }
    for typed in ["lateral images", "neither PA nor AP", "other projection", "Aufnahme weder PA noch AP"] {
        is_silent(Code::ExclusionUndefined, &with(view, &format!("reason = \"{typed}\"")));
    }
    let age = "reason = \"age outside 18-80 years\"";
    fires(Code::ExclusionUndefined, &with(age, "reason = \"not eligible\""));
    for typed in [
        "minors and those above 80",
        "patients younger than 18 or older than 80",
        "Alter unter \
                   18",
    ] {
        is_silent(Code::ExclusionUndefined, &with(age, &format!("reason = \"{typed}\"")));
    }
}

/// An endpoint that is compared, before the subgroups of the example.
fn compared(keys: &str) -> String {
    let predicate = "[predicate]\nname = \"an earlier version\"\nfile = \"earlier.csv\"\nthreshold = 0.5\n\n";
    let endpoint = "[[endpoint]]\nid = \"compared\"\nagainst = \"predicate\"\n";
    let why = "justification = \"what two readings differ by\"\n";
    let block = format!("{predicate}{endpoint}{why}{keys}\n\n[[subgroup]]\nby = \"sex\"\n");
    with("[[subgroup]]\nby = \"sex\"\n", &block)
}

#[test]
fn what_is_asked_of_goals_is_asked_of_comparisons() {
    let worse = "role = \"primary\"\naim = \"non-inferiority\"\nmargin = 0.05\n";
    for metric in ["ppv", "npv", "f1"] {
        let text = compared(&format!("{worse}metric = \"{metric}\""));
        fires(Code::PrevalenceDependent, &text);
        fires(Code::SampleNotComparable, &text);
        let carried = compared(&format!("{worse}metric = \"{metric}\"\nprevalence = 0.05"));
        is_silent(Code::PrevalenceDependent, &carried);
        is_silent(Code::SampleNotComparable, &carried);
    }
    let sensitivity = format!("{worse}metric = \"sensitivity\"\n");
    for interval in ["tango", "newcombe", "wald", "agresti-min"] {
        let text = compared(&format!("{sensitivity}interval = \"{interval}\""));
        is_silent(Code::IntervalAssumesOneImage, &text);
        let any = text.replacen("images_per_patient = \"one\"\n", "", 1);
        fires(Code::IntervalAssumesOneImage, &any);
    }
    let few = compared(&format!("{sensitivity}interval = \"delta\""));
    is_silent(Code::IntervalFewCases, &few);
    fires(Code::IntervalFewCases, &few.replacen("positives = 200", "positives = 20", 1));
    fires(Code::FallbackNone, &compared(&format!("{sensitivity}fallback = \"none\"")));
    fires(Code::MarginWide, &compared(&sensitivity.replace("0.05", "0.5")));
    is_silent(
        Code::MarginWide,
        &compared(
            "role = \"primary\"\naim = \"superiority\"\nmargin = 0.3\nmetric \
                                           = \"auc\"",
        ),
    );
    fires(Code::Margin, &compared(&sensitivity.replace("0.05", "-0.05")));
    let unjustified =
        compared(&sensitivity).replacen("justification = \"what two readings differ by\"\n", "", 1);
    fires(Code::JustificationMissing, &unjustified);
    fires(Code::TextUnfinished, &compared(&sensitivity).replacen("what two readings differ by", "tbd", 1));
    // A second one that asks the same, and a third that does not.
    let again = "\n[[endpoint]]\nid = \"again\"\nagainst = \"predicate\"\njustification = \"as above\"\n";
    let twice = compared(&format!("{sensitivity}{again}{sensitivity}"));
    fires(Code::EndpointRepeated, &twice);
    let (before, after) = twice.rsplit_once("metric = \"sensitivity\"").expect("the second");
    let other = format!("{before}metric = \"specificity\"{after}");
    is_silent(Code::EndpointRepeated, &other);
}

/// The place of a problem is that of its own endpoint, wherever compared ones stand between.
#[test]
fn places_count_every_endpoint_of_the_text() {
    let compared = compared("role = \"primary\"\naim = \"superiority\"\nmetric = \"auc\"");
    let (head, tail) = compared.split_once("[[endpoint]]\nid = \"compared\"").expect("there");
    let (block, rest) = tail.split_once("\n\n[[subgroup]]").expect("subgroups");
    let first = format!("[[endpoint]]\nid = \"compared\"{block}\n\n[[endpoint]]\nid = \"auc\"");
    let text = format!("{head}[[subgroup]]{rest}").replacen("[[endpoint]]\nid = \"auc\"", &first, 1);
    let text = text.replacen("criterion = \"lower > 0.75\"", "criterion = \"lower > 0.45\"", 1);
    let text = text.replacen("criterion = \"lower > 0.80\"", "criterion = \"lower > 0.5\"", 1);
    let found = said(&text);
    let one = found.iter().find(|d| d.code == Code::GoalAtChance).expect("an AUC of a coin");
    let line = one.location.as_ref().and_then(|at| at.line).expect("a line") as usize;
    assert_eq!(text.lines().nth(line - 1), Some("criterion = \"lower > 0.5\""), "{found:#?}");
}

/// An expectation before the subgroups of the example.
fn expected(endpoint: &str, value: f64) -> String {
    let block = format!(
        "[[expected]]\nendpoint = \"{endpoint}\"\nvalue = {value}\nsource = \"a \
         pilot\"\n\n[[subgroup]]\nby = \"sex\"\n"
    );
    with("[[subgroup]]\nby = \"sex\"\n", &block)
}

#[test]
fn what_is_expected_is_held_to_the_goal_at_every_endpoint_and_size() {
    // Goals of the example: an AUC and a sensitivity above .80, a specificity above .75, of 200 cases a
    // class.
    for (endpoint, value) in
        [("auc", 0.6736), ("auc", 0.8), ("auc", 0.81), ("sensitivity", 0.8), ("sensitivity", 0.82)]
    {
        fires(Code::GoalBeyondExpected, &expected(endpoint, value));
        is_silent(Code::PowerShort, &expected(endpoint, value));
    }
    for (endpoint, value) in [("specificity", 0.76), ("specificity", 0.5)] {
        fires(Code::GoalBeyondExpected, &expected(endpoint, value));
    }
    for (endpoint, value) in [("auc", 0.85), ("sensitivity", 0.87), ("specificity", 0.83)] {
        fires(Code::PowerShort, &expected(endpoint, value));
        is_silent(Code::GoalBeyondExpected, &expected(endpoint, value));
    }
    for (endpoint, value) in [("auc", 0.95), ("sensitivity", 0.92), ("specificity", 0.9)] {
        is_silent(Code::GoalBeyondExpected, &expected(endpoint, value));
        is_silent(Code::PowerShort, &expected(endpoint, value));
    }
    // The same value with clusters, with fewer cases, and where nobody says how many there will be.
    let enough = expected("sensitivity", 0.92);
    let clustered = format!("{enough}\n[planning]\nimages_per_patient = 3\nicc = 0.8\n");
    fires(Code::PowerShort, &clustered);
    let fewer = enough.replacen("cases = 400\npositives = 200", "cases = 60\npositives = 30", 1);
    fires(Code::GoalBeyondExpected, &fewer);
    let open = expected("sensitivity", 0.82).replacen("cases = 400\npositives = 200\n", "", 1);
    is_silent(Code::GoalBeyondExpected, &open);
    // A secondary endpoint may be short of power, and not beyond what is expected.
    let secondary = |value| {
        let text = expected("specificity", value);
        let (head, tail) = text.split_once("metric = \"specificity\"\nrole = \"primary\"").expect("there");
        format!("{head}metric = \"specificity\"\nrole = \"secondary\"{tail}")
    };
    is_silent(Code::PowerShort, &secondary(0.8));
    fires(Code::GoalBeyondExpected, &secondary(0.7));
}
