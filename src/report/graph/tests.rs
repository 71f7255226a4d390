use std::path::Path;

use super::*;
use crate::protocol::parse;

const TEXT: &str = include_str!("../../../protocols/pneumonia-exp2a.toml");

/// The protocol with its first endpoints under a rule; `shares` follow each endpoint's role.
fn protocol(rule: &str, shares: &[&str]) -> Protocol {
    let (head, rest) = TEXT.split_once("[[endpoint]]").expect("endpoints");
    let (_, tail) = rest.split_once("[[subgroup]]").expect("subgroups");
    let head = head.replacen("[analysis]", &format!("[analysis]\nmultiplicity = \"{rule}\""), 1);
    let mut text = head;
    for (index, share) in shares.iter().enumerate() {
        text += &format!(
            "[[endpoint]]\nid = \"claim-{index}\"\nmetric = \"sensitivity\"\nrole = \"primary\"\ninterval = \
             \"wilson\"\ncriterion = \"lower > 0.{}\"\n{share}\n",
            50 + index
        );
    }
    let text = format!("{text}[[subgroup]]{tail}");
    parse(Path::new("p"), &text).unwrap_or_else(|problems| panic!("{problems:#?}\n{text}"))
}

#[test]
fn every_box_and_arrow_is_in_the_words_beside_the_drawing() {
    let graph = protocol(
        "graph",
        &[
            "weight = 0.5\npasses_on = { claim-1 = 0.75, claim-2 = 0.25 }",
            "weight = 0.5\npasses_on = { claim-0 = 1 }",
            "weight = 0\npasses_on = { claim-1 = 1 }",
        ],
    );
    let figure = figure(&graph);
    assert_eq!(
        figure.alt,
        "claim-0 has 0.5 of \u{3b1} (0.0125); claim-1 has 0.5 of \u{3b1} (0.0125); claim-2 has 0 of \
         \u{3b1} (0). Once met: claim-0 passes 0.75 on to claim-1; claim-0 passes 0.25 on to claim-2; \
         claim-1 passes 1 on to claim-0; claim-2 passes 1 on to claim-1."
    );
    let svg = &figure.images[0].svg;
    for words in ["claim-0", "claim-1", "claim-2", "0.5 \u{b7} \u{3b1} = 0.0125", "0.75", "0.25"] {
        assert!(svg.contains(words), "{words}\n{svg}");
    }
    // No arrow is told from another by its colour alone: all are of one.
    assert_eq!(svg.matches("<polygon").count(), 4, "a head each");
}

#[test]
fn rules_that_are_graphs_are_drawn_and_others_are_not() {
    let two = ["", ""];
    let alt = |rule: &str, shares: &[&str]| figure(&protocol(rule, shares)).alt;
    assert!(alt("fixed-sequence", &two).starts_with("claim-0 has 1 of \u{3b1} (0.025); claim-1 has 0"));
    assert!(alt("holm", &two).contains("claim-1 passes 1 on to claim-0"));
    let shares = ["weight = 0.8", "weight = 0.2"];
    assert!(alt("fallback", &shares).ends_with("Once met: claim-0 passes 1 on to claim-1."));
    for rule in ["co-primary", "bonferroni", "hochberg"] {
        assert!(figure(&protocol(rule, &two)).images.is_empty(), "{rule}");
    }
    assert!(figure(&protocol("holm", &[""])).images.is_empty(), "one endpoint passes nothing on");
}

#[test]
fn no_arrow_passes_through_a_third_box_and_none_leaves_the_page() {
    for count in 2..=MOST {
        let (centres, height) = centres(count);
        for (x, y) in &centres {
            assert!(*x >= BOX.0 / 2.0 && *x <= WIDTH - BOX.0 / 2.0, "{centres:?}");
            assert!(*y >= BOX.1 / 2.0 && *y <= height - BOX.1 / 2.0, "{centres:?}");
        }
        let apart = |a: (f64, f64), b: (f64, f64)| (a.0 - b.0).abs() >= BOX.0 || (a.1 - b.1).abs() >= BOX.1;
        for (i, from) in centres.iter().enumerate() {
            for (j, to) in centres.iter().enumerate().skip(i + 1) {
                assert!(apart(*from, *to), "boxes {i} and {j} of {count} overlap");
                let others = centres.iter().enumerate().filter(|(k, _)| *k != i && *k != j);
                for (k, third) in others {
                    let inside = (0..=200).any(|step| {
                        let part = f64::from(step) / 200.0;
                        let at = (from.0 + part * (to.0 - from.0), from.1 + part * (to.1 - from.1));
                        (at.0 - third.0).abs() < BOX.0 / 2.0 && (at.1 - third.1).abs() < BOX.1 / 2.0
                    });
                    assert!(!inside, "the way from {i} to {j} of {count} passes behind {k}");
                }
            }
        }
    }
}
