//! `device.toml` against the protocol: the words that people write about the device, where they contradict
//! what the study does.

use std::collections::BTreeSet;
use std::path::Path;

use super::Places;
use crate::diagnostic::{Code, Diagnostic};
use crate::protocol::{Field, OperatingPointSource, Protocol, Rule};

/// Words that turn a sentence round.
const NEGATIONS: [&str; 10] = [
    "not",
    "no",
    "never",
    "except",
    "excluding",
    "excluded",
    "exclude",
    "outside",
    "contraindicated",
    "without",
];
/// Names of lateral projections in the gate.
const LATERAL: [&str; 5] = ["LL", "RL", "LAT", "LATERAL", "LLD"];
/// Quantities of which a number in a text is a result.
const RESULTS: [&str; 9] =
    ["auc", "auroc", "sensitivity", "specificity", "f1", "accuracy", "precision", "recall", "ppv"];

/// A sentence of the device file.
struct Sentence<'a> {
    key: &'a str,
    text: String,
    words: Vec<String>,
}

impl Sentence<'_> {
    fn has(&self, word: &str) -> bool {
        self.words.iter().any(|own| own == word)
    }

    fn is_negated(&self) -> bool {
        NEGATIONS.iter().any(|word| self.has(word))
    }

    /// Numbers as typed, percentages as shares.
    fn numbers(&self) -> Vec<f64> {
        let typed = |c: char| !(c.is_ascii_digit() || c == '.' || c == '%');
        let number = |word: &str| {
            let bare = word.trim_end_matches('%').trim_matches('.');
            let dotted = if word.starts_with('.') { format!("0.{bare}") } else { bare.to_owned() };
            let value: f64 = dotted.parse().ok()?;
            Some(if word.contains('%') { value / 100.0 } else { value })
        };
        self.text.replace(" %", "%").split(typed).filter_map(number).collect()
    }
}

fn sentences(places: &Places) -> Vec<Sentence<'_>> {
    let mut found = Vec::new();
    for (key, text) in places.texts() {
        // A full stop ends a sentence where a blank follows; one in a number does not.
        for sentence in text.replace(['\n', ';'], " . ").split(". ") {
            let lower = sentence.to_lowercase();
            let words =
                lower.split(|c: char| !c.is_alphanumeric()).filter(|w| !w.is_empty()).map(str::to_owned);
            found.push(Sentence { key, words: words.collect(), text: sentence.to_owned() });
        }
    }
    found
}

/// Ages, views and thresholds that `device.toml` speaks of and that are not those of the protocol. A text
/// that is not TOML says nothing here.
pub fn disagreements_of_device(path: &Path, text: &str, protocol: &Protocol) -> Vec<Diagnostic> {
    let places = Places::new(path, text);
    let sentences = sentences(&places);
    let mut found = Vec::new();
    for sentence in &sentences {
        let at = |one: Diagnostic| one.at(places.at(sentence.key));
        found.extend(ages(sentence, protocol).map(at));
        found.extend(views(sentence, protocol).map(at));
    }
    found.extend(thresholds(&places, &sentences, protocol));
    found.extend(triage(&places, protocol));
    found
}

/// A device for triage is asked how much time it saves.
fn triage(places: &Places, protocol: &Protocol) -> Option<Diagnostic> {
    let of_triage = |(key, text): &&(String, String)| key == "device.regulation" && text.contains("892.2080");
    let (key, _) = places.texts().iter().find(of_triage).filter(|_| protocol.triage.is_none())?;
    let message =
        "the regulation asks for effective triage, and the protocol declares no worklist to judge it by";
    let hint = "declare [triage] before the results are known: `sequester explain triage.arrivals_per_hour`";
    Some(Diagnostic::warning(Code::TriageUndeclared, message).at(places.at(key)).hint(hint))
}

/// The ages of the study and where they are declared.
fn declared_ages(protocol: &Protocol) -> Option<(u16, u16, &'static str)> {
    let gate = protocol.gate.age_years.map(|age| (age.min, age.max, "the gate"));
    gate.or_else(|| {
        protocol.eligibility.iter().find_map(|criterion| match criterion.rule {
            Rule::Age { min, max } => Some((min, max, "the protocol")),
            _ => None,
        })
    })
}

fn ages(sentence: &Sentence<'_>, protocol: &Protocol) -> Option<Diagnostic> {
    let (min, max, who) = declared_ages(protocol)?;
    // Years of somebody who reads are no ages of patients.
    if ["experience", "practice", "training"].iter().any(|word| sentence.has(word)) {
        return None;
    }
    let hint = "let the indications, the gate and the criteria mean the same patients";
    let disagrees =
        |message: String| Some(Diagnostic::warning(Code::IndicationsDisagree, message).hint(hint));
    let of_age =
        sentence.words.iter().any(|w| w.starts_with("year") || ["age", "ages", "aged"].contains(&w.as_str()));
    let numbers: Vec<u16> =
        sentence.words.iter().filter_map(|w| w.parse().ok()).filter(|n| (1..=120).contains(n)).collect();
    if let [from, to] = numbers[..]
        && of_age
        && from < to
        && (from, to) != (min, max)
    {
        return disagrees(format!("the text speaks of {from}-{to} years, {who} admits {min}-{max}"));
    }
    if sentence.is_negated() {
        return None;
    }
    if min < 18 && ["adult", "adults"].iter().any(|w| sentence.has(w)) {
        return disagrees(format!("the text speaks of adults, {who} admits {min}-{max} years"));
    }
    let young = ["pediatric", "paediatric", "children", "infants", "adolescents", "neonates"];
    if let Some(word) = young.iter().find(|w| sentence.has(w)).filter(|_| min >= 18) {
        return disagrees(format!("the text speaks of {word}, {who} admits {min}-{max} years"));
    }
    None
}

fn views(sentence: &Sentence<'_>, protocol: &Protocol) -> Option<Diagnostic> {
    let by_criterion = protocol.eligibility.iter().find_map(|criterion| match &criterion.rule {
        Rule::OneOf { field: Field::View, allowed } => Some(allowed),
        _ => None,
    });
    let admitted = protocol.gate.view.as_ref().or(by_criterion)?;
    let lateral = admitted.iter().any(|view| LATERAL.contains(&view.as_str()));
    let says = |word: &str| sentence.has(word) && !sentence.is_negated();
    let message = if says("lateral") && !lateral {
        format!("the text speaks of lateral images, the study admits {}", admitted.join(", "))
    } else if (says("frontal") || says("posteroanterior")) && !sentence.has("lateral") && lateral {
        format!("the text speaks of frontal images, the study admits {}", admitted.join(", "))
    } else {
        return None;
    };
    Some(
        Diagnostic::warning(Code::IndicationsDisagree, message)
            .hint("let the indications, the gate and the criteria mean the same images"),
    )
}

/// Thresholds of the text: all of them, and the protocol's, have to be one.
fn thresholds(places: &Places, sentences: &[Sentence<'_>], protocol: &Protocol) -> Option<Diagnostic> {
    let about = |s: &&Sentence<'_>| {
        s.has("threshold")
            || s.has("cutoff")
            || (s.has("cut") && s.has("off"))
            || (s.has("operating") && s.has("point"))
    };
    let mut named: Vec<(f64, &str)> = Vec::new();
    for sentence in sentences.iter().filter(about) {
        named.extend(
            sentence.numbers().into_iter().filter(|n| *n > 0.0 && *n < 1.0).map(|n| (n, sentence.key)),
        );
    }
    let declared = match &protocol.operating_point {
        OperatingPointSource::Declared { threshold, .. } => Some(*threshold),
        _ => None,
    };
    let (first, _) = *named.first()?;
    let right = declared.unwrap_or(first);
    let (other, key) = named.iter().find(|(n, _)| (n - right).abs() > 1e-9)?;
    let message = match declared {
        Some(declared) => {
            format!("the text speaks of a threshold of {other}, the protocol declares {declared}")
        }
        None => format!("the text speaks of two thresholds, {right} and {other}"),
    };
    Some(
        Diagnostic::warning(Code::ThresholdDisagrees, message)
            .at(places.at(key))
            .hint("a device has one operating point: the one that is validated is the one that is released"),
    )
}

/// Results that somebody typed into `device.toml`: documents print those of the evidence, and two numbers
/// for one thing are found here.
pub fn typed_results(path: &Path, text: &str) -> Vec<Diagnostic> {
    let places = Places::new(path, text);
    let mut found = Vec::new();
    for name in RESULTS {
        let mut values: Vec<(f64, &str)> = Vec::new();
        let sentences = sentences(&places);
        // What is said of the predicate is somebody else's result.
        let of_predicate = |key: &str| key.starts_with("predicate") || key.starts_with("comparison");
        for sentence in sentences.iter().filter(|s| s.has(name) && !of_predicate(s.key)) {
            let share = |n: &f64| *n > 0.0 && *n < 1.0;
            values.extend(sentence.numbers().into_iter().filter(share).map(|n| (n, sentence.key)));
        }
        let Some((_, key)) = values.first() else { continue };
        let distinct: BTreeSet<String> = values.iter().map(|(n, _)| format!("{n}")).collect();
        let list = distinct.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let several = if distinct.len() > 1 { ": they cannot all be right" } else { "" };
        found.push(
            Diagnostic::warning(Code::ResultTyped, format!("{name} is typed as {list}{several}"))
                .at(places.at(key))
                .hint("take it out: a template prints the number of the evidence with its interval"),
        );
    }
    found
}
