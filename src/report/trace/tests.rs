//! Contradictions planted by kind into documents that had none, and every one found.

use std::collections::BTreeSet;

use super::*;
use crate::report::set;
use crate::report::submission::tests::{
    realistic::realistic,
    variants::{not_met, sources},
};
use crate::report::submission::{OF_SET, Rendered};
use crate::study::results::Verdict;

/// The codes of what is found, each once, in order of their names.
fn codes(source: &Source) -> Vec<&'static str> {
    let mut codes: Vec<&str> = found(source).iter().map(|finding| finding.code.as_str()).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// In validation report and truthing report.
fn found(source: &Source) -> Vec<Diagnostic> {
    let source = Source { traced: true, ..source.clone() };
    let rendered = crate::report::render(&source, Documents::Report, Formats::Traced).expect("renders");
    beside(&source, &rendered.files).expect("traces").findings
}

/// In one document of the set alone.
fn found_in(source: &Source, template: &str) -> Vec<Diagnostic> {
    let mut source = Source { traced: true, ..source.clone() };
    source.templates.retain(|name, _| name == template || !OF_SET.contains(&name.as_str()));
    let files = of_set(&source);
    assert_eq!(files.len(), 1, "{template}");
    beside(&source, &files).expect("traces").findings
}

/// What the set has of a source, without the reports.
fn of_set(source: &Source) -> Files {
    let files = set::parts(source, Formats::Traced).expect("renders").unwrap_or_default();
    let mut rendered = Rendered { files, to_complete: Vec::new() };
    set::mapped(source, Formats::Traced, None, &mut rendered).expect("renders");
    rendered.files
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
    for (name, mut source) in sources() {
        if name == "hostile" {
            // Its words hold paths, which are refused in public; what is refused is told by its code.
            let codes: BTreeSet<&str> =
                trace(&source).expect("traces").findings.iter().map(|f| f.code.as_str()).collect();
            assert_eq!(codes, ["summary-identifier"].into());
            source.templates.remove("summary.md");
        }
        let traced = trace(&source).expect("traces");
        let named: BTreeSet<&str> = traced.numerals.iter().map(|one| one.document.as_str()).collect();
        // Each document has numerals; a bundle without lock or readers has fewer parts, and as many
        // documents.
        assert!(named.len() >= 12, "{name}: {named:?}");
        let found: Vec<String> =
            traced.findings.iter().map(|f| format!("{}: {}", f.code.as_str(), f.message)).collect();
        alarms.extend(found.into_iter().map(|alarm| format!("{name}: {alarm}")));
    }
    assert!(alarms.is_empty(), "{}\n{}", alarms.len(), alarms.join("\n"));
}

#[test]
fn every_numeral_has_an_origin_and_most_come_by_name_or_from_the_evidence() {
    let trace = trace(&realistic()).expect("traces");
    let count = |kind: Kind| trace.numerals.iter().filter(|one| one.kind == kind).count();
    let untraced: Vec<&Traced> = trace.numerals.iter().filter(|one| one.kind == Kind::Untraced).collect();
    assert!(untraced.is_empty(), "{untraced:#?}");
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

/// A contradiction in the words of a template: what is planted, and by which code and which words it is
/// found.
struct Words {
    words: String,
    code: &'static str,
    named: String,
}

/// Without it the lint refuses a decimal in a template.
const LITERAL: &str = " {# literal: as the sponsor says #}";

/// Contradictions that any document can hold, in words that change from document to document.
fn words_for(turn: usize, study: &Source) -> Vec<Words> {
    let flow = &study.results.flow;
    let pick =
        |of: &[&str]| -> String { of.get(turn % of.len()).map(|t| (*t).to_owned()).unwrap_or_default() };
    let auc = study.results.estimates.iter().find(|e| e.id == "auc").and_then(|e| e.value).expect("an AUC");
    let wrong_auc = unprinted(study, auc - 0.013 - 0.004 * turn as f64);
    let n = format::count(other(flow.analysed) + turn as u64);
    let hex = ["c7ae061933bbc3d3", "0123456789abcdef", "deadbeef0011", "9f9f9f9f9f9f9f"][turn % 4];
    let percent = format!("{:.1}", 41.3 + turn as f64);
    let share = format!("{:.2}", study.results.operating_point.threshold);
    let one = |words: String, code: &'static str, named: &str| Words { words, code, named: named.to_owned() };
    vec![
        one(
            format!(
                "{} {n} {}.",
                pick(&["We analysed", "It rests on", "There were"]),
                pick(&["cases", "images"])
            ),
            "typed-contradicts",
            &n,
        ),
        // A right number of another thing: those who were considered are not those who were analysed.
        one(
            format!(
                "In all, {} cases were {}.",
                format::count(flow.considered),
                pick(&["analysed", "eligible"])
            ),
            "typed-contradicts",
            "that are",
        ),
        one(
            format!(
                "{} {wrong_auc}.{LITERAL}",
                pick(&["The AUC is", "AUROC:", "An area under the curve of"])
            ),
            "typed-contradicts",
            &wrong_auc,
        ),
        one(
            format!(
                "{} {percent}%.{LITERAL}",
                pick(&["Sensitivity reached", "The specificity is", "The PPV was"])
            ),
            "typed-contradicts",
            &percent,
        ),
        one(format!("It is the model {hex}."), "digest-stale", hex),
        one(
            pick(&[
                "The device is perfect.",
                "It works for all patients.",
                "It is FDA-cleared.",
                "It is infallible.",
            ]),
            "overclaim",
            &pick(&["perfect", "all patients", "FDA-cleared", "infallible"]),
        ),
        one(format!("See Table {}.", 70 + turn), "reference-missing", &format!("Table {}", 70 + turn)),
        one(
            format!("Looked at {} of them.", 4_111 + turn),
            "numeral-untraced",
            &format::count(4_111 + turn as u64).replace(',', ""),
        ),
        one(format!("It is 41 of 97 (55.5%).{LITERAL}"), "numbers-disagree", "41 of 97"),
        one(format!("In sum 41 + 17 = {}.", 60 + turn), "numbers-disagree", "41 + 17"),
        one(format!("From 0.41 to 0.389 it goes.{LITERAL}"), "numbers-disagree", "0.41"),
        // A sum that a template makes, and a rounding of its own.
        one(
            "Of {{ flow.analysed + 7901 }} there is no record.".to_owned(),
            "numeral-untraced",
            &(flow.analysed + 7901).to_string(),
        ),
        one(
            "The cut is {{ operating_point.threshold | decimals(n=2) }}.".to_owned(),
            if is_printed(study, &share) { "" } else { "numeral-untraced" },
            &share,
        ),
        one(
            format!(
                "{{{{ figure(id=\"roc\", caption=\"{}\") }}}}",
                pick(&["Agreement of readers", "Training loss"])
            ),
            "caption-unfit",
            &pick(&["agreement", "training"]),
        ),
    ]
}

/// Whether the evidence has such a numeral anyway.
fn is_printed(study: &Source, numeral: &str) -> bool {
    Known::of(study).number(numeral, false).is_some()
}

#[test]
fn every_document_of_the_set_shows_what_is_planted_in_it_and_nothing_else() {
    let study = realistic();
    let mut missed = Vec::new();
    let mut planted = 0;
    for (turn, template) in OF_SET.into_iter().enumerate() {
        // The plan has words of its own and none of the results; the map is asked for below; a study without
        // a change control plan has no document of one.
        if matches!(template, "plan.md" | "evidence-map.md" | "change.md") {
            continue;
        }
        missed.extend(found_in(&study, template).iter().map(|f| format!("{template} clean: {}", f.message)));
        let words = words_for(turn, &study);
        let mut source = study.clone();
        let text = source.templates.get_mut(template).expect("a template");
        words.iter().for_each(|one| text.push_str(&format!("\n\n{}\n", one.words)));
        let found = found_in(&source, template);
        for one in words.iter().filter(|one| !one.code.is_empty()) {
            planted += 1;
            let is_found = |f: &Diagnostic| {
                f.code.as_str() == one.code
                    && f.message.replace(',', "").contains(&one.named.replace(',', ""))
            };
            if !found.iter().any(is_found) {
                missed.push(format!("{template}: {} ({} {})", one.words, one.code, one.named));
            }
        }
    }
    assert!(planted >= 90, "{planted}");
    let missed_words = missed.join("\n");
    assert!(missed.is_empty(), "{} of {planted} missed\n{missed_words}", missed.len());
}

#[test]
fn every_typed_field_is_listed_as_typed_and_its_contradictions_are_found() {
    let mut source = realistic();
    let fields: Vec<&str> = set::fields().iter().map(|field| field.path.as_str()).collect();
    let words = [
        "It has an AUC of 0.4321.",
        "We analysed 99,991 cases.",
        "The device is infallible.",
        "It rests on model deadbeef0011.",
        "As Table 97 shows.",
    ];
    for (index, path) in fields.iter().enumerate() {
        let (group, key) = path.split_once('.').expect("a group");
        source.device[group][key] = format!("{} [{path}]", words[index % words.len()]).into();
    }
    let mut only = Source { traced: true, ..source };
    only.templates.retain(|name, _| name == "declarations.md" || !OF_SET.contains(&name.as_str()));
    let trace = beside(&only, &of_set(&only)).expect("traces");
    let codes = ["typed-contradicts", "typed-contradicts", "overclaim", "digest-stale", "reference-missing"];
    let mut missed = Vec::new();
    for (index, path) in fields.iter().enumerate() {
        let code = codes[index % codes.len()];
        let by_field = |f: &&Diagnostic| {
            f.code.as_str() == code && (code == "digest-stale" || f.message.contains(*path))
        };
        if !trace.findings.iter().any(|f| by_field(&f)) {
            missed.push(format!("{path}: {code}"));
        }
    }
    assert!(fields.len() > 100 && missed.is_empty(), "{}", missed.join("\n"));
    let typed = trace.numerals.iter().filter(|one| one.kind == Kind::Typed).count();
    assert!(typed > fields.len() / 2, "{typed}");
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
