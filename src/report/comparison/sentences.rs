//! A comparison in sentences: its conclusion, what its cases are, how it was done.

use super::differences::difference;
use crate::comparison::{Against, AucTest, CallTest, Comparison, Contender, Family, Split, Verdict};
use crate::document::format;
use crate::report::wording;

/// `p = 0.610`, `p < 0.001`.
fn p_equals(p: Option<f64>) -> String {
    match p.map(format::p_is) {
        Some(text) => format!("adjusted p {text}"),
        None => "no test: the difference does not vary".to_owned(),
    }
}

fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [many @ .., last] => format!("{} and {last}", many.join(", ")),
    }
}

/// Whether the best is shown to be the best, in plain sentences; the first one is the answer.
pub fn conclusion(comparison: &Comparison) -> Vec<String> {
    let mut sentences = Vec::new();
    match &comparison.best {
        Some(best) => {
            let auc = format::fixed(best.auc, 3);
            let lead = if best.tied.is_empty() {
                format!("The highest AUC ({}, {auc})", best.name)
            } else {
                let first = std::slice::from_ref(&best.name);
                let names: Vec<String> = first.iter().chain(&best.tied).cloned().collect();
                sentences.push(format!("{} tie for the highest AUC ({auc}).", list(&names)));
                format!("That of {}", best.name)
            };
            let words = |a: &Against| {
                format!("{} (difference {}, {})", a.name, difference(a.difference), p_equals(a.adjusted_p))
            };
            let others = best.against.iter().filter(|a| !best.tied.contains(&a.name));
            let (shown, open): (Vec<&Against>, Vec<&Against>) = others.partition(|a| a.shown);
            match open[..] {
                [] if shown.is_empty() && !best.tied.is_empty() => {}
                [] if shown.is_empty() => {
                    sentences.push(format!("{lead} was not compared with any other one."));
                }
                [] => {
                    let others: Vec<String> = shown.iter().map(|a| words(a)).collect();
                    let those = if others.len() == 1 { "that" } else { "those" };
                    sentences
                        .push(format!("{lead} is shown to be higher than {those} of {}.", list(&others)));
                }
                [one] => sentences.push(format!(
                    "{lead} is not shown to be higher than that of {}: difference {}, {}.",
                    one.name,
                    difference(one.difference),
                    p_equals(one.adjusted_p)
                )),
                _ => {
                    let others: Vec<String> = open.iter().map(|a| words(a)).collect();
                    sentences
                        .push(format!("{lead} is not shown to be higher than those of {}.", list(&others)));
                }
            }
            if !open.is_empty() && !shown.is_empty() {
                let others: Vec<String> = shown.iter().map(|a| words(a)).collect();
                sentences.push(format!("It is shown to be higher than {}.", list(&others)));
            }
            if !best.not_compared.is_empty() {
                sentences.push(format!("It was not compared with {}.", list(&best.not_compared)));
            }
            if best.verdict == Verdict::NotShown {
                sentences.push(
                    "Not shown to be higher does not mean shown to be equal: these cases cannot tell."
                        .to_owned(),
                );
            }
        }
        None => {
            let tested: Vec<&Contender> =
                comparison.contenders.iter().filter(|c| !c.exploratory && !c.two_valued).collect();
            let words = |c: &&Contender| {
                let auc = c.estimate("auc").map_or_else(|| "not evaluable".to_owned(), wording::sentence);
                let alone = if comparison.contenders.iter().any(|c| c.two_valued && !c.exploratory) {
                    "Its AUC is compared with none: the others give no curve."
                } else {
                    "One contender alone is compared with nothing."
                };
                format!("{}: AUC {auc}. {alone}", c.name)
            };
            sentences.extend(tested.first().map(words));
        }
    }
    for contender in comparison.contenders.iter().filter(|c| c.two_valued && !c.exploratory) {
        sentences.push(format!(
            "{} gives two values alone: its AUC is the mean of its sensitivity and specificity, and no \
             difference of AUCs with it is a finding. Compare sensitivity and specificity.",
            contender.name
        ));
    }
    for contender in comparison.contenders.iter().filter(|c| c.exploratory) {
        let auc = contender.estimate("auc").map_or_else(|| "not evaluable".to_owned(), wording::value);
        sentences.push(format!(
            "Exploratory: the weights of {} were chosen on these cases, so its AUC ({auc}) is too high by \
             an unknown amount, and it is not tested.",
            contender.name
        ));
    }
    sentences
}

/// What the cases are, and so what the figures are worth.
pub fn statement(comparison: &Comparison) -> String {
    match comparison.data.split {
        Split::Tuning => "Tuning split, selection only: these cases chose the epoch of each run and its \
                          operating point. The figures select a model; they are no claim about performance."
            .to_owned(),
        Split::Given => "Cases as the tables give them. The program does not know whether they took part in \
                         development; if they did, the figures are too high."
            .to_owned(),
        Split::PublishedCounts => "Unpaired approximation from printed numbers: the scores of single cases \
                                   are not known, so models are compared as if each had been tested on \
                                   cases of its own, with the standard errors of Hanley and McNeil (1982). \
                                   On the same cases the AUCs are correlated and the true p values are \
                                   smaller by an unknown amount."
            .to_owned(),
    }
}

/// How it was compared, in sentences.
pub fn method(comparison: &Comparison) -> Vec<String> {
    let method = &comparison.method;
    let mut out = Vec::new();
    out.push(match method.auc_test {
        AucTest::Delong => "AUCs are compared on the same cases after DeLong et al. (1988).".to_owned(),
        AucTest::Obuchowski => {
            "Patients have several cases, so AUCs are compared after Obuchowski (1997), with patients as \
             clusters."
                .to_owned()
        }
        AucTest::HanleyMcneilUnpaired => {
            "AUCs are compared without pairing, from standard errors after Hanley and McNeil \
             (1982)."
                .to_owned()
        }
    });
    out.extend(method.call_test.map(|test| {
        match test {
            CallTest::McnemarExact => {
                "Calls at the contenders' own operating points are compared by McNemar's exact test \
             (1947)."
                    .to_owned()
            }
            CallTest::Obuchowski1998 => {
                "Calls at the contenders' own operating points are compared after Obuchowski (1998), with \
             patients as clusters."
                    .to_owned()
            }
        }
    }));
    let count = format::count(method.comparisons);
    let plural = if method.comparisons == 1 { "comparison" } else { "comparisons" };
    let family = match &method.family {
        Family::AllPairs => format!("all pairs: {count} {plural}"),
        Family::AgainstBest => format!(
            "the highest AUC against each other one: {count} {plural}. The same cases chose which one is \
             highest, so these p values are too small; the comparison of all pairs is free of that"
        ),
        Family::AgainstReference(name) => format!("{name} against each other one: {count} {plural}"),
    };
    if method.comparisons > 0 {
        out.push(format!(
            "P values are two-sided and adjusted after Holm (1979) within each kind of test, over {family}."
        ));
    }
    if method.replicates > 0 {
        out.push(format!(
            "Bootstrap intervals are of the percentile kind, {} replicates, seed {}, drawn by {}.",
            format::count(method.replicates),
            method.seed,
            if comparison.data.clustered { "patient" } else { "case" }
        ));
    }
    out
}
