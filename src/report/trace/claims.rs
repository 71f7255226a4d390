//! What typed words say of a quantity, beside what the evidence has of it: `AUC of 0.93`, `498 cases`, `three
//! readers`.

use std::collections::BTreeSet;

use crate::document::format;
use crate::document::trace::numerals::numerals;
use crate::report::submission::Source;
use crate::report::wording;

/// A quantity that words name, and every numeral that may stand beside its name.
struct Quantity {
    /// In words.
    name: String,
    /// How it is named, in lower case.
    words: Vec<String>,
    /// Numerals without thousands, with their percent sign.
    may_be: BTreeSet<String>,
    /// The same of parts of the cases, with the words that name a part, in lower case.
    within: Vec<(Vec<String>, BTreeSet<String>)>,
    /// Whether it is counted, so that its number stands before it.
    counted: bool,
    /// Numbers of those to whom something was done, by words for it: `analysed`, `eligible`.
    done: Vec<(&'static [&'static str], BTreeSet<String>)>,
}

/// What typed words may say.
pub(super) struct Claims {
    quantities: Vec<Quantity>,
    /// Names of levels and variables of subgroups, in lower case.
    parts: Vec<String>,
}

/// A number that the evidence does not have of the quantity beside it.
pub(super) struct Contradiction {
    /// The numeral or the word, as it stands.
    pub(super) numeral: String,
    /// The quantity.
    pub(super) of: String,
    /// What the evidence has, a few of it.
    pub(super) recorded: String,
}

/// Names that words have for the metrics of results.
const METRICS: &[(&str, &[&str])] = &[
    ("auc", &["auc", "area under the curve", "area under the roc", "auroc", "c-statistic"]),
    ("sensitivity", &["sensitivity", "recall", "true positive rate"]),
    ("specificity", &["specificity", "true negative rate"]),
    ("ppv", &["ppv", "positive predictive value", "precision"]),
    ("npv", &["npv", "negative predictive value"]),
    ("accuracy", &["accuracy"]),
    ("f1", &["f1", "f1 score"]),
    ("prevalence", &["prevalence"]),
    ("mcc", &["mcc", "matthews"]),
    ("kappa", &["kappa"]),
];

/// How things are named that are counted.
const CASES: &[&str] =
    &["case", "cases", "images", "radiographs", "examinations", "exams", "studies", "x-rays"];
const PATIENTS: &[&str] = &["patient", "patients", "subjects", "participants"];
const READERS: &[&str] = &["reader", "readers", "radiologist", "radiologists", "truther", "truthers"];
const SITES: &[&str] = &["site", "sites", "hospitals", "centers", "centres", "institutions"];
const POSITIVES: &[&str] = &["positive cases", "positives", "positive images", "positive examinations"];
const NEGATIVES: &[&str] = &["negative cases", "negatives", "negative images", "negative examinations"];

impl Claims {
    pub(super) fn of(source: &Source) -> Self {
        let results = &source.results;
        let mut quantities: Vec<Quantity> = METRICS
            .iter()
            .map(|(id, words)| {
                let mut may_be = BTreeSet::new();
                let mut within: Vec<(Vec<String>, BTreeSet<String>)> = Vec::new();
                let of_metric = |other: &str| other.replace('_', "-").split('-').any(|part| part == *id);
                for estimate in results
                    .estimates
                    .iter()
                    .chain(&results.agreement)
                    .chain(&results.ordinal_agreement)
                    .filter(|e| of_metric(&e.id))
                {
                    // What holds of a group or of another handling is meant where the words name it.
                    let group =
                        estimate.subgroup.as_ref().map(|level| vec![level.variable.as_str(), &level.level]);
                    let scenario =
                        estimate.scenario.map(|scenario| vec![scenario.name(), "case", "scenario"]);
                    let mut own = BTreeSet::new();
                    let may_be = match group.or(scenario) {
                        None => &mut may_be,
                        Some(names) => {
                            let names =
                                names.into_iter().map(|name| name.replace(['-', '_'], " ").to_lowercase());
                            within.push((names.collect(), BTreeSet::new()));
                            within.last_mut().map_or(&mut own, |(_, numbers)| numbers)
                        }
                    };
                    add(may_be, &wording::sentence(estimate));
                    let counts = [Some(estimate.n), Some(estimate.positives)];
                    counts.into_iter().flatten().for_each(|n| add(may_be, &n.to_string()));
                    // A share may be written as one: the same digits.
                    let share = |v: f64| format::fixed(v, 3);
                    let limits = estimate.intervals.iter().flat_map(|i| [i.lower, i.upper]);
                    limits.chain(estimate.value).for_each(|v| add(may_be, &share(v)));
                    if let Some(prevalence) = estimate.prevalence {
                        add(may_be, &format::prevalence(prevalence));
                    }
                }
                for endpoint in results.endpoints.iter().filter(|e| of_metric(e.metric.id())) {
                    let bound = endpoint.bound.map(|b| format::bound(b, endpoint.criterion.as_deref()));
                    add(&mut may_be, &bound.unwrap_or_default());
                    add(&mut may_be, endpoint.criterion.as_deref().unwrap_or_default());
                    for number in numerals(endpoint.criterion.as_deref().unwrap_or_default()) {
                        if let Ok(limit) = number.plain().parse::<f64>() {
                            add(&mut may_be, &format::level(limit));
                            add(&mut may_be, &limit.to_string());
                        }
                    }
                }
                for level in [results.method.level].into_iter().chain(results.method.intended_use_prevalence)
                {
                    add(&mut may_be, &format::level(level));
                    add(&mut may_be, &format::prevalence(level));
                }
                let words = words.iter().map(|word| (*word).to_owned()).collect();
                Quantity {
                    name: wording::metric(id),
                    words,
                    may_be,
                    within,
                    counted: false,
                    done: Vec::new(),
                }
            })
            .collect();
        let threshold = results.operating_point.threshold;
        let mut may_be = BTreeSet::new();
        add(&mut may_be, &format!("{} {threshold} {threshold:?}", format::threshold(threshold)));
        quantities.push(Quantity {
            name: "the threshold".to_owned(),
            words: ["threshold", "operating point", "cut-off", "cutoff"].map(str::to_owned).to_vec(),
            may_be,
            within: Vec::new(),
            counted: false,
            done: Vec::new(),
        });
        quantities.extend(counted(source));
        let mut parts: Vec<String> = Vec::new();
        for row in &results.cohort {
            for name in [&row.variable, &row.level] {
                let name = name.replace(['-', '_'], " ").to_lowercase();
                if !name.is_empty() && !parts.contains(&name) {
                    parts.push(name);
                }
            }
        }
        Self { quantities, parts }
    }

    /// Every number of typed words that the evidence does not have of the quantity that the words name.
    pub(super) fn contradictions(&self, text: &str) -> Vec<Contradiction> {
        let mut found = Vec::new();
        for sentence in sentences(text) {
            let lower = sentence.to_ascii_lowercase();
            for (at, end, plain, written) in spoken(&lower) {
                let Some(quantity) = self.beside(&lower, at, end) else { continue };
                if let Some((words, numbers)) = quantity.done_to(&lower, at, end)
                    && !numbers.contains(&plain)
                    && !bounded(&lower[..at])
                    && !self.names_a_part(&lower)
                {
                    let recorded: Vec<&str> = numbers.iter().map(String::as_str).collect();
                    found.push(Contradiction {
                        numeral: written,
                        of: format!("{} that are {words}", quantity.name),
                        recorded: recorded.join(", "),
                    });
                    continue;
                }
                if quantity.may_be.is_empty() || quantity.may_be.contains(&plain) || bounded(&lower[..at]) {
                    continue;
                }
                let spaced = lower.replace(['-', '_'], " ");
                let named = |names: &[String]| names.iter().any(|name| position(&spaced, name).is_some());
                if quantity.within.iter().any(|(names, numbers)| numbers.contains(&plain) && named(names)) {
                    continue;
                }
                let recorded: Vec<&str> = quantity.may_be.iter().take(6).map(String::as_str).collect();
                found.push(Contradiction {
                    numeral: written,
                    of: quantity.name.clone(),
                    recorded: recorded.join(", "),
                });
            }
        }
        found
    }

    /// Whether words name a level of a subgroup, whose numbers are its own.
    fn names_a_part(&self, sentence: &str) -> bool {
        let spaced = sentence.replace(['-', '_'], " ");
        self.parts.iter().any(|name| position(&spaced, name).is_some())
    }

    /// The quantity that a number is about: the thing counted right behind it, else the metric named last
    /// before it, else the one right behind it.
    fn beside(&self, sentence: &str, at: usize, end: usize) -> Option<&Quantity> {
        let after = sentence.get(end..)?.trim_start_matches(['%', ' ', '\u{a0}']);
        let behind = self
            .quantities
            .iter()
            .filter_map(|q| {
                // `500 cases`, and `500 retrospective cases`.
                let words = q.words.iter().filter_map(|word| {
                    let place = position(after, word)?;
                    let between = after.get(..place)?;
                    let few = between.split_whitespace().count() <= usize::from(q.counted)
                        && !between.contains([',', ';', '(']);
                    few.then_some((place, std::cmp::Reverse(word.len())))
                });
                words.min().map(|place| (place, q))
            })
            .min_by_key(|(place, _)| *place)
            .map(|(_, q)| q);
        if let Some(quantity) = behind {
            return Some(quantity);
        }
        // What is counted otherwise has no metric: `0.9 seconds`, `14 days`.
        let unit = after.split(|c: char| !c.is_alphabetic()).next().unwrap_or_default();
        if [
            "years", "year", "days", "day", "months", "weeks", "hours", "seconds", "minutes", "pixels", "mm",
            "ms", "epochs",
        ]
        .contains(&unit)
        {
            return None;
        }
        let before = sentence.get(..at)?;
        self.quantities
            .iter()
            .filter(|q| !q.counted)
            .filter_map(|q| {
                let last = q.words.iter().filter_map(|word| last_position(before, word)).max()?;
                Some((last, q))
            })
            .max_by_key(|(last, _)| *last)
            .filter(|(last, _)| {
                before.get(*last..).is_some_and(|words| words.split_whitespace().count() <= 8)
            })
            .map(|(_, q)| q)
    }
}

impl Quantity {
    /// What the words beside a number say was done to the things it counts, with the numbers of those to
    /// whom it was: `500 cases were analysed`, `500 analysed cases`, `analysed 500 cases`.
    fn done_to(&self, sentence: &str, at: usize, end: usize) -> Option<(&'static str, &BTreeSet<String>)> {
        if self.done.is_empty() {
            return None;
        }
        let words = |text: &str| -> Vec<String> {
            text.split_whitespace()
                .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned())
                .collect()
        };
        let after = sentence.get(end..)?;
        // Up to the next sign or number: what stands behind is said of something else.
        let ends = after.find(|c: char| matches!(c, ',' | ';' | '(' | ':') || c.is_ascii_digit());
        let after = words(after.get(..ends.unwrap_or(after.len()))?);
        let noun = after.iter().position(|word| self.words.contains(word))?;
        let linked =
            |word: &&String| !matches!(word.as_str(), "were" | "was" | "are" | "have" | "had" | "been");
        let behind = after.iter().skip(noun + 1).find(linked);
        let between = after.iter().take(noun);
        let before = words(sentence.get(..at)?);
        let said = between.chain(behind).chain(before.last());
        said.filter_map(|word| {
            let (names, numbers) = self.done.iter().find(|(names, _)| names.contains(&word.as_str()))?;
            Some((*names.first()?, numbers))
        })
        .next()
    }
}

/// What can be done to cases and patients, in the words for it.
const ANALYSED: &[&str] = &["analysed", "analyzed", "evaluated"];
const CONSIDERED: &[&str] = &["considered", "screened"];
const ELIGIBLE: &[&str] = &["eligible"];
const SAMPLED: &[&str] = &["sampled", "drawn"];
const EXCLUDED: &[&str] = &["excluded"];

/// Things that are counted, and the counts that the evidence has of them.
fn counted(source: &Source) -> Vec<Quantity> {
    let results = &source.results;
    let flow = &results.flow;
    let of = |name: &str, words: &[&str], counts: BTreeSet<u64>| Quantity {
        name: name.to_owned(),
        words: words.iter().map(|word| (*word).to_owned()).collect(),
        may_be: counts.into_iter().map(|n| n.to_string()).collect(),
        within: Vec::new(),
        counted: true,
        done: Vec::new(),
    };
    let groups = || results.estimates.iter().filter(|e| e.subgroup.is_some());
    let mut cases: BTreeSet<u64> = [
        flow.considered,
        flow.eligible,
        flow.not_sampled,
        flow.sampled,
        flow.without_consensus,
        flow.without_score,
        flow.analysed,
        flow.positives,
        flow.negatives,
        flow.excluded.iter().map(|reason| reason.count).sum(),
        results.method.subgroup_minimum,
    ]
    .into();
    cases.extend(flow.excluded.iter().flat_map(|reason| [reason.count, reason.count_any]));
    cases.extend(results.cohort.iter().map(|row| row.cases));
    cases.extend(groups().map(|e| e.n));
    let sample = &source.protocol.sample;
    for number in numerals(&serde_json::to_string(sample).unwrap_or_default()) {
        cases.extend(number.plain().parse::<u64>().ok());
    }
    let mut patients: BTreeSet<u64> =
        [flow.considered_patients, flow.sampled_patients, flow.analysed_patients].into();
    patients.extend(results.cohort.iter().map(|row| row.patients));
    let mut sets: Vec<u64> = Vec::new();
    if let Some(description) = source.description.as_ref().and_then(|d| serde_json::to_string(d).ok()) {
        // The sets of development are described in numbers of their own.
        sets.extend(numerals(&description).iter().filter_map(|n| n.plain().parse::<u64>().ok()));
    }
    cases.extend(&sets);
    patients.extend(&sets);
    let mut readers: BTreeSet<u64> = [results.readers.len() as u64].into();
    for role in results.readers.iter().map(|reader| reader.role) {
        readers.insert(results.readers.iter().filter(|reader| reader.role == role).count() as u64);
    }
    let voters = source.protocol.reference_standard.reads_per_case(None);
    readers.extend(voters.map(u64::from));
    let levels = results.cohort.iter().filter(|row| row.variable == "site").count() as u64;
    let sites: BTreeSet<u64> = if levels > 0 { [levels].into() } else { BTreeSet::new() };
    let consensus = &results.consensus;
    let mut positives: BTreeSet<u64> = [flow.positives, consensus.positive].into();
    let mut negatives: BTreeSet<u64> = [flow.negatives, consensus.negative].into();
    positives.extend(results.cohort.iter().map(|row| row.positives));
    negatives.extend(results.cohort.iter().map(|row| row.cases.saturating_sub(row.positives)));
    positives.extend(&sets);
    negatives.extend(&sets);
    let one = |n: u64| BTreeSet::from([n.to_string()]);
    let excluded = flow.excluded.iter().flat_map(|reason| [reason.count, reason.count_any]);
    let all_excluded: u64 = flow.excluded.iter().map(|reason| reason.count).sum();
    let excluded = excluded.chain([all_excluded]).map(|n| n.to_string()).collect();
    let done_to_cases = vec![
        (ANALYSED, one(flow.analysed)),
        (CONSIDERED, one(flow.considered)),
        (ELIGIBLE, one(flow.eligible)),
        (SAMPLED, one(flow.sampled)),
        (EXCLUDED, excluded),
    ];
    let done_to_patients = vec![
        (ANALYSED, one(flow.analysed_patients)),
        (CONSIDERED, one(flow.considered_patients)),
        (SAMPLED, one(flow.sampled_patients)),
    ];
    vec![
        Quantity { done: done_to_cases, ..of("cases", CASES, cases) },
        Quantity { done: done_to_patients, ..of("patients", PATIENTS, patients) },
        of("readers", READERS, readers),
        of("sites", SITES, sites),
        of("positive cases", POSITIVES, positives),
        of("negative cases", NEGATIVES, negatives),
    ]
}

fn add(set: &mut BTreeSet<String>, text: &str) {
    for numeral in numerals(text) {
        let sign = if numeral.percent { "%" } else { "" };
        set.insert(format!("{}{sign}", numeral.plain()));
        // `95 %` and `95` of an interval are one.
        set.insert(numeral.plain());
    }
}

/// Sentences: an end is a point or a line before a space or the end.
fn sentences(text: &str) -> Vec<&str> {
    let mut out = Vec::new();
    let mut start = 0;
    for (at, c) in text.char_indices() {
        let next = text.get(at + c.len_utf8()..).unwrap_or_default();
        let ends = matches!(c, '.' | '!' | '?' | ';') && next.chars().next().is_none_or(char::is_whitespace);
        if ends || c == '\n' {
            out.extend(text.get(start..at));
            start = at + c.len_utf8();
        }
    }
    out.extend(text.get(start..));
    out
}

/// Numbers of a sentence in digits and in words: where, what, as written.
fn spoken(sentence: &str) -> Vec<(usize, usize, String, String)> {
    let mut found: Vec<(usize, usize, String, String)> = numerals(sentence)
        .into_iter()
        .filter(|n| !n.in_name)
        .map(|n| {
            let sign = if n.percent { "%" } else { "" };
            (n.at.start, n.at.end, format!("{}{sign}", n.plain()), format!("{}{sign}", n.digits))
        })
        .collect();
    const WORDS: [&str; 12] =
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"];
    for (value, word) in WORDS.iter().enumerate().skip(1) {
        for (at, _) in sentence.match_indices(word).filter(|(at, _)| whole(sentence, *at, word)) {
            found.push((at, at + word.len(), (value + 1).to_string(), (*word).to_owned()));
        }
    }
    found.sort();
    found
}

/// Whether a number is an end that is named as one: `fewer than two sites`.
fn bounded(before: &str) -> bool {
    let before = before.trim_end();
    ["than", "least", "most", "to", "up to", "below", "above", "over", "under", "every", "each", "per"]
        .iter()
        .any(|word| before.ends_with(word) && whole(before, before.len() - word.len(), word))
}

fn whole(text: &str, at: usize, word: &str) -> bool {
    let letter = |c: char| c.is_alphanumeric() || c == '_';
    let before = text.get(..at).and_then(|t| t.chars().next_back());
    let after = text.get(at + word.len()..).and_then(|t| t.chars().next());
    !before.is_some_and(letter) && !after.is_some_and(letter)
}

fn position(text: &str, word: &str) -> Option<usize> {
    text.match_indices(word).map(|(at, _)| at).find(|at| whole(text, *at, word))
}

fn last_position(text: &str, word: &str) -> Option<usize> {
    text.rmatch_indices(word).map(|(at, _)| at).find(|at| whole(text, *at, word))
}
