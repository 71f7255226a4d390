//! Contradictions planted by kind into documents that had none, and every one found.

use super::*;
use crate::report::submission::tests::{
    realistic::realistic,
    variants::{not_met, sources},
};
use crate::study::results::Verdict;

/// The codes of what is found, each once, in order of their names.
fn codes(source: &Source) -> Vec<&'static str> {
    let mut codes: Vec<&str> = found(source).iter().map(|finding| finding.code.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

fn found(source: &Source) -> Vec<Diagnostic> {
    trace(source).expect("traces").findings
}

/// The study with words in a field of its device file.
fn typed_words(words: &str) -> Source {
    let mut source = realistic();
    source.device["device"]["clinical_impact"] = words.into();
    source
}

/// The study with words at the end of a template.
fn templated(name: &str, words: &str) -> Source {
    let mut source = realistic();
    let text = source.templates.get_mut(name).expect("a template");
    text.push_str(&format!("\n\n{words}\n"));
    source
}

#[test]
fn nothing_is_found_where_nothing_was_planted() {
    let mut alarms = Vec::new();
    for (name, source) in sources() {
        let found: Vec<String> =
            found(&source).iter().map(|f| format!("{}: {}", f.code.as_str(), f.message)).collect();
        alarms.extend(found.into_iter().map(|alarm| format!("{name}: {alarm}")));
    }
    assert!(alarms.is_empty(), "{}\n{}", alarms.len(), alarms.join("\n"));
}

#[test]
fn every_numeral_has_an_origin_and_most_come_by_name_or_from_the_evidence() {
    let trace = trace(&realistic()).expect("traces");
    let count = |kind: Kind| trace.numerals.iter().filter(|one| one.kind == kind).count();
    assert_eq!(count(Kind::Untraced), 0);
    assert!(
        count(Kind::Named) > 50 && count(Kind::Recorded) > 500,
        "{} {}",
        count(Kind::Named),
        count(Kind::Recorded)
    );
    let auc = trace.numerals.iter().find(|one| one.from.starts_with("estimate auc"));
    assert!(auc.is_some() || trace.numerals.iter().any(|one| one.from.contains("auc")));
    assert!(trace.numerals.iter().all(|one| one.kind == Kind::Untraced || !one.from.is_empty()));
}

/// A number that is not among those.
fn other(than: u64) -> u64 {
    than + 7919
}

/// A value near this one that no sentence on the AUC of all cases has.
fn unprinted(study: &Source, near: f64) -> String {
    let results = &study.results;
    let overall = results.estimates.iter().filter(|e| e.id.contains("auc") && e.subgroup.is_none());
    let mut printed: Vec<String> = overall.map(crate::report::wording::sentence).collect();
    printed.extend(results.endpoints.iter().filter_map(|e| e.criterion.clone()));
    printed.extend(
        results.endpoints.iter().filter_map(|e| Some(format::bound(e.bound?, e.criterion.as_deref()))),
    );
    let limits = results.estimates.iter().filter(|e| e.id.contains("auc")).flat_map(|e| &e.intervals);
    printed.extend(limits.map(|i| format!("{:.3} {:.3}", i.lower, i.upper)));
    let all = printed.join(" ");
    (0..100)
        .map(|step| format!("{:.3}", near - 0.0013 * f64::from(step)))
        .find(|text| !all.contains(text))
        .expect("one")
}

/// What is planted: in words, where it stands, and how it is found.
struct Planted {
    what: String,
    source: Source,
    code: &'static str,
}

/// Contradictions of every kind; `turn` chooses among the ways in which one can be written.
fn planted(turn: usize) -> Vec<Planted> {
    let study = realistic();
    let results = &study.results;
    let flow = &results.flow;
    let pick =
        |of: &[&str]| -> String { of.get(turn % of.len()).map(|t| (*t).to_owned()).unwrap_or_default() };
    let auc = results.estimates.iter().find(|e| e.id == "auc").and_then(|e| e.value).expect("an AUC");
    let sensitivity =
        results.estimates.iter().find(|e| e.id == "sensitivity").and_then(|e| e.value).expect("one");
    let shift = 0.011 + 0.01 * (turn % 3) as f64;
    let wrong_auc = unprinted(&study, auc - shift);
    let mut all = Vec::new();
    let mut typed = |what: &str, words: String, code: &'static str| {
        all.push(Planted { what: format!("{what}: {words}"), source: typed_words(&words), code });
    };
    let noun = pick(&["cases", "radiographs", "images", "examinations"]);
    let verb = pick(&["We analysed", "The validation has", "In total", "It was tested on"]);
    typed(
        "a wrong n",
        format!("{verb} {} {noun}.", format::count(other(flow.analysed))),
        "typed-contradicts",
    );
    typed(
        "a wrong n of patients",
        format!("There were {} patients.", other(flow.analysed_patients)),
        "typed-contradicts",
    );
    typed(
        "wrong positives",
        format!("Of these, {} positive cases were found.", other(flow.positives)),
        "typed-contradicts",
    );
    let readers = pick(&["nine readers", "eleven radiologists", "17 readers", "twelve radiologists"]);
    typed("wrong readers", format!("The reference standard comes from {readers}."), "typed-contradicts");
    let named = pick(&["AUC of", "The AUC was", "an area under the curve of", "AUROC:"]);
    typed("a wrong AUC", format!("{named} {wrong_auc}."), "typed-contradicts");
    typed("unlike rounding", format!("{named} {auc:.2}, as measured."), "typed-contradicts");
    typed("unlike rounding of more digits", format!("{named} {auc:.5}."), "typed-contradicts");
    let percent = 100.0 * (sensitivity - shift);
    typed("a wrong percentage", format!("Sensitivity reached {percent:.1}%."), "typed-contradicts");
    typed(
        "a wrong percentage before its name",
        format!("A {percent:.1}% sensitivity was seen."),
        "typed-contradicts",
    );
    typed(
        "a wrong threshold",
        format!("The threshold is {}.", pick(&["0.123", "0.77", "0.999", "0.021"])),
        "typed-contradicts",
    );
    typed("ends rounded unlike", "The interval runs from 0.84 to 0.899.".to_owned(), "numbers-disagree");
    typed("ends turned round", "The interval runs from 0.91 to 0.84.".to_owned(), "numbers-disagree");
    let hex = pick(&["c7ae061933bbc3d3", "0123456789abcdef0123", "deadbeef00112233", "9f9f9f9f9f9f"]);
    typed("a stale digest", format!("The model {hex} was tested."), "digest-stale");
    for words in [
        pick(&[
            "The study proves that the device works.",
            "This guarantees a correct result.",
            "It is infallible.",
        ]),
        pick(&["It works for all patients.", "It generalises to every site.", "It runs on any scanner."]),
        pick(&[
            "The device is superior to its predicate.",
            "It outperforms radiologists.",
            "It is non-inferior.",
        ]),
        pick(&["The device is FDA approved.", "It was cleared by the FDA.", "An FDA-cleared algorithm."]),
        pick(&["It never misses a pneumonia.", "It eliminates errors.", "There are no false negatives."]),
    ] {
        typed("an overclaim", words, "overclaim");
    }
    typed("a table that is not there", format!("As Table {} shows.", 90 + turn), "reference-missing");
    typed("a figure that is not there", format!("As Figure {} shows.", 80 + turn), "reference-missing");
    let mut template = |what: &str, name: &str, words: String, code: &'static str| {
        all.push(Planted { what: format!("{what}: {words}"), source: templated(name, &words), code });
    };
    let name = pick(&["limits.md", "conclusion.md", "validation-plan.md", "general.md"]);
    template("a typed count", &name, format!("We looked at {} things.", 41 + turn), "numeral-untraced");
    template(
        "a typed n in a template",
        &name,
        format!("There were {} cases.", other(flow.sampled)),
        "typed-contradicts",
    );
    template("a digest in a template", &name, format!("Model {hex}."), "digest-stale");
    template("an overclaim in a template", &name, "The device is perfect.".to_owned(), "overclaim");
    let caption = pick(&["Calibration of the device", "Agreement of the readers", "Loss in training"]);
    template(
        "a caption of another figure",
        &name,
        format!("{{{{ figure(id=\"roc\", caption=\"{caption}\") }}}}"),
        "caption-unfit",
    );
    template(
        "a number in a caption",
        &name,
        "{{ figure(id=\"roc\", caption=\"ROC curve of 431 things\") }}".to_owned(),
        "numeral-untraced",
    );
    type Change = fn(&mut crate::study::results::Results);
    let changes: [(&str, Change); 5] = [
        ("a flow that does not add up", |r| r.flow.analysed += 1),
        ("fewer eligible than sampled", |r| r.flow.eligible -= 1),
        ("a numerator of another study", |r| {
            let one = r.estimates.iter_mut().find(|e| e.id == "sensitivity" && e.numerator.is_some());
            one.expect("one").numerator = Some(1);
        }),
        ("an endpoint with a value of its own", |r| {
            r.endpoints[0].value = r.endpoints[0].value.map(|v| v - 0.01)
        }),
        ("a verdict against its bound", |r| {
            let one = r.endpoints.iter_mut().find(|e| e.verdict == Some(Verdict::Met)).expect("one");
            one.bound = Some(-1.0);
        }),
    ];
    for (what, change) in changes {
        let mut source = realistic();
        change(&mut source.results);
        all.push(Planted { what: what.to_owned(), source, code: "numbers-disagree" });
    }
    let mut not_met = not_met();
    let claim = pick(&["All endpoints were met.", "It met all goals.", "The device is safe and effective."]);
    not_met.device["device"]["clinical_impact"] = claim.clone().into();
    all.push(Planted { what: claim, source: not_met, code: "overclaim" });
    all
}

#[test]
fn thirty_contradictions_are_found_each_as_what_it_is() {
    let planted = planted(0);
    assert!(planted.len() >= 30, "{}", planted.len());
    let missed: Vec<String> = planted
        .iter()
        .filter(|one| !codes(&one.source).contains(&one.code))
        .map(|one| format!("{} is no {}: {:?}", one.what, one.code, codes(&one.source)))
        .collect();
    assert!(missed.is_empty(), "{} missed\n{}", missed.len(), missed.join("\n"));
}

/// The same kinds in other words and numbers, without the documents around them.
#[test]
fn what_is_found_does_not_hang_on_the_words_of_one_example() {
    let study = realistic();
    let claims = Claims::of(&study);
    let auc = study.results.estimates.iter().find(|e| e.id == "auc").and_then(|e| e.value).expect("an AUC");
    let mut missed = Vec::new();
    for turn in 0..200_u64 {
        let wrong = unprinted(&study, auc - 0.0015 - 0.001 * turn as f64);
        let n = 100_003 + 7 * turn;
        for words in [
            format!("AUC {wrong}"),
            format!("the AUC (standalone) of {wrong} was reached"),
            format!("With {n} cases the study is large."),
            format!("{} retrospective images", format::count(n)),
            format!("positive predictive value: {wrong}7"),
        ] {
            if claims.contradictions(&words).is_empty() {
                missed.push(words);
            }
        }
        // What the evidence has contradicts nothing, in whatever words.
        for words in [
            format!("AUC {auc:.3}"),
            format!("The {} cases were analysed.", format::count(study.results.flow.analysed)),
            format!("{} years of practice, {} seconds", turn, turn),
            format!("at least {turn} readers"),
        ] {
            if let Some(wrong) = claims.contradictions(&words).first() {
                missed.push(format!("false alarm: {words}: {} of {}", wrong.numeral, wrong.of));
            }
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
