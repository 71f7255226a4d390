//! Sentences that say more than a validation study shows.

use crate::report::submission::Source;
use crate::study::results::Verdict;

/// A phrase that is found in words, and why it is too much.
struct Phrase {
    /// In lower case; a word that begins so is meant with every ending.
    words: &'static str,
    why: &'static str,
    /// Whether it may stand where every primary endpoint is met on cases of patients.
    may_be_met: bool,
}

const fn never(words: &'static str, why: &'static str) -> Phrase {
    Phrase { words, why, may_be_met: false }
}

const fn where_met(words: &'static str, why: &'static str) -> Phrase {
    Phrase { words, why, may_be_met: true }
}

const PROOF: &str = "a study estimates with an interval and proves nothing";
const EVERYBODY: &str = "the study shows its own population alone";
const AGENCY: &str = "what an agency has decided is not in the evidence";
const COMPARED: &str = "no comparison that is met is in the evidence";
const NOT_MET: &str = "not every primary endpoint is met on cases of patients";

const PHRASES: &[Phrase] = &[
    never("prove", PROOF),
    never("guarantee", PROOF),
    never("without doubt", PROOF),
    never("beyond doubt", PROOF),
    never("ensures that no", PROOF),
    never("never misses", PROOF),
    never("infallible", PROOF),
    never("error-free", PROOF),
    never("no false negatives", PROOF),
    never("no false positives", PROOF),
    never("eliminates", PROOF),
    never("zero risk", PROOF),
    never("no risk", PROOF),
    never("risk-free", PROOF),
    never("perfect", PROOF),
    never("unbiased", PROOF),
    never("no bias", PROOF),
    never("free of bias", PROOF),
    never("all patients", EVERYBODY),
    never("any patient", EVERYBODY),
    never("all populations", EVERYBODY),
    never("every population", EVERYBODY),
    never("all hospitals", EVERYBODY),
    never("any hospital", EVERYBODY),
    never("any scanner", EVERYBODY),
    never("all scanners", EVERYBODY),
    never("generalises to", EVERYBODY),
    never("generalizes to", EVERYBODY),
    never("worldwide", EVERYBODY),
    never("fda approved", AGENCY),
    never("fda-approved", AGENCY),
    never("approved by the fda", AGENCY),
    never("cleared by the fda", AGENCY),
    never("fda cleared", AGENCY),
    never("fda-cleared", AGENCY),
    never("replaces the radiologist", "the study is standalone: it shows no reading with the device"),
    never("replace radiologists", "the study is standalone: it shows no reading with the device"),
    never("improves readers", "the study is standalone: it shows no reading with the device"),
    never("improves the performance of", "the study is standalone: it shows no reading with the device"),
    never("saves lives", "no outcome of patients is in the evidence"),
    never("reduces mortality", "no outcome of patients is in the evidence"),
    where_met("superior", COMPARED),
    where_met("non-inferior", COMPARED),
    where_met("noninferior", COMPARED),
    where_met("outperform", COMPARED),
    where_met("better than", COMPARED),
    where_met("as good as", COMPARED),
    where_met("exceeds radiologists", COMPARED),
    where_met("best-in-class", COMPARED),
    where_met("best in class", COMPARED),
    where_met("state of the art", COMPARED),
    where_met("state-of-the-art", COMPARED),
    where_met("safe and effective", NOT_MET),
    where_met("as safe and as effective", NOT_MET),
    where_met("substantially equivalent", NOT_MET),
    where_met("all endpoints are met", NOT_MET),
    where_met("all endpoints were met", NOT_MET),
    where_met("all primary endpoints", NOT_MET),
    where_met("every endpoint is met", NOT_MET),
    where_met("met every", NOT_MET),
    where_met("met all", NOT_MET),
    where_met("meets all", NOT_MET),
    where_met("meets every", NOT_MET),
    where_met("was successful", NOT_MET),
    where_met("succeeded", NOT_MET),
    where_met("clinically validated", NOT_MET),
];

/// Words that turn a phrase round where they stand before it in its sentence, or make it a plan.
const TURNED: &[&str] = &[
    "not", "no", "never", "nothing", "cannot", "neither", "whether", "if", "unless", "without", "nor", "may",
    "none", "would", "should", "must", "fails", "least", "margin",
];

/// Every phrase of a text that says too much for this study, and why.
pub(super) fn overclaims(source: &Source, text: &str) -> Vec<(String, &'static str)> {
    let results = &source.results;
    let met = results.conclusion == Verdict::Met && !results.study.synthetic && !results.study.rehearsal;
    let compared = results.comparisons.iter().any(|c| c.verdict == Verdict::Met);
    let lower = text.to_ascii_lowercase();
    let mut found = Vec::new();
    for phrase in PHRASES {
        let may_be = phrase.may_be_met && if phrase.why == COMPARED { compared } else { met };
        if may_be {
            continue;
        }
        for (at, _) in lower.match_indices(phrase.words) {
            let begins =
                !lower.get(..at).and_then(|t| t.chars().next_back()).is_some_and(char::is_alphanumeric);
            let sentence = lower.get(..at).unwrap_or_default().rsplit(['.', ';', '\n', '!', '?']).next();
            let turned =
                sentence.unwrap_or_default().split(|c: char| !c.is_alphabetic()).any(|w| TURNED.contains(&w));
            if begins && !turned {
                let words = text.get(at..at + phrase.words.len()).unwrap_or(phrase.words);
                found.push((words.to_owned(), phrase.why));
                break;
            }
        }
    }
    found
}
