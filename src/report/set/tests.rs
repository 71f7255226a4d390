//! The set from made-up but consistent results: what stands in it, what is refused, and what bad input
//! becomes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::coverage::{self, State};
use super::kinds::{KINDS, MAP, PLAN};
use super::outline;
use super::requirements::{fields, requirements};
use crate::digest::RelativePath;
use crate::document::lint;
use crate::report::Documents;
use crate::report::citations::citations;
use crate::report::submission::tests::realistic::{realistic, subgroup};
use crate::report::submission::tests::variants::{hostile, sources};
use crate::report::submission::{
    DEVICE_EXAMPLE, Formats, OF_SET, Rendered, Source, change_templates, default_templates,
};
use crate::study::results::{
    CohortRow, Limited, ProcessingTime, QuantileOfTime, ReaderSummary, TriageResult, Waiting,
};

type Files = BTreeMap<RelativePath, Vec<u8>>;

/// A study as it should be, rendered once for all tests that look at it.
fn rendered() -> &'static Files {
    static RENDERED: LazyLock<Files> = LazyLock::new(|| files(&realistic()));
    &RENDERED
}

/// The same with every field filled.
fn rendered_filled() -> &'static Files {
    static RENDERED: LazyLock<Files> = LazyLock::new(|| files(&filled()));
    &RENDERED
}

/// One document of the set alone.
fn only(source: &Source, template: &str) -> crate::diagnostic::Result<Files> {
    only_as(source, template, Formats::WithoutPdf)
}

/// The same in other formats.
fn only_as(source: &Source, template: &str, formats: Formats) -> crate::diagnostic::Result<Files> {
    let mut source = source.clone();
    source.templates.retain(|name, _| name == template || !OF_SET.contains(&name.as_str()));
    let files = super::parts(&source, formats)?.unwrap_or_default();
    let mut rendered = Rendered { files, to_complete: Vec::new() };
    super::mapped(&source, formats, None, &mut rendered)?;
    Ok(rendered.files)
}

fn files(source: &Source) -> Files {
    crate::report::render(source, Documents::All, Formats::WithoutPdf).unwrap_or_else(|e| panic!("{e}")).files
}

fn text(files: &Files, name: &str) -> String {
    String::from_utf8(files[&name.parse().expect("a path")].clone()).expect("text")
}

fn refused(source: &Source, template: &str) -> Vec<String> {
    let error = only(source, template).expect_err("is refused");
    error.diagnostics().iter().map(|p| format!("{}: {}", p.code, p.message)).collect()
}

/// Every field of the device file filled with words of its own.
fn filled() -> Source {
    let mut source = realistic();
    for field in fields() {
        let (group, key) = field.path.split_once('.').expect("a group");
        let is_list = matches!(key, "limitations" | "warnings" | "reference_devices");
        let words = format!("Typed for {}.", field.path.replace(['.', '_'], " "));
        source.device[group][key] = if is_list { serde_json::json!([words]) } else { words.into() };
    }
    source.device["population"] = serde_json::json!([
        {"characteristic": "sex", "level": "F", "percent": 51.3, "source": "A register, 2024, table 3"},
        {"characteristic": "view", "level": "lateral", "percent": 7, "source": "Ten sites, 2023"},
        {"characteristic": "ethnicity", "level": "Hispanic", "percent": 19.1, "source": "A census"},
    ]);
    source.device["device"]["form"] = "software only".into();
    source.device["device"]["regulation"] = "21 CFR 892.2050".into();
    // Readers' files with times, and a subgroup of severity: what the results of a full study hold.
    for reader in &mut source.results.readers {
        reader.first_read = Some("2026-01-20T09:00:00Z".into());
        reader.last_read = Some("2026-01-24T16:00:00Z".into());
    }
    for (level, auc) in [("severity=mild", 0.81), ("severity=severe", 0.93)] {
        source.results.estimates.extend(subgroup(level, 120, auc));
    }
    source
}

/// The same of a device for triage, with a worklist.
fn triaged() -> Source {
    let mut source = filled();
    source.device["device"]["regulation"] = "21 CFR 892.2080".into();
    let text = "\n[triage]\nprocessing_column = \"seconds\"\narrivals_per_hour = 6\nprevalence = 0.05\n\
                reading_minutes = 4\nsource = \"worklists of a year\"\n";
    let protocol = format!("{}{text}", crate::protocol::language::EXAMPLE);
    let protocol = crate::protocol::parse(std::path::Path::new("p"), &protocol).expect("valid");
    source.protocol.triage = protocol.triage;
    let of = |value: f64| Limited { value, limits: Some((0.9 * value, 1.1 * value)) };
    source.results.triage = Some(TriageResult {
        level: 0.95,
        processing: Some(ProcessingTime {
            column: "seconds".into(),
            cases: 300,
            mean: of(9.25),
            standard_deviation: Some(2.5),
            quantiles: vec![QuantileOfTime { share: 0.5, time: of(8.75) }],
            longest: 31.5,
        }),
        waiting: Some(Waiting {
            sensitivity: of(0.8725),
            specificity: of(0.8125),
            level_of_each: 0.975,
            occupancy: 0.4,
            flagged_share: 0.22,
            processing_minutes: 0.15,
            without_device: 2.65,
            flagged: of(1.95),
            unflagged: of(3.15),
            positive: of(2.05),
            negative: of(2.85),
            saved: of(0.5),
        }),
    });
    source
}

#[test]
fn a_triage_device_prints_what_its_controls_ask_for_and_every_number_is_traced() {
    let source = triaged();
    let all = files(&source);
    let answers = super::coverage_of(&source, &all);
    for id in ["892.2080-1ii", "892.2080-1iii", "892.2080-2vi", "PRAC-8"] {
        let answer = answers.iter().find(|a| a.requirement.id == id).expect("there");
        assert_eq!(answer.state, State::Printed, "{id}: {}", answer.note);
    }
    let report = text(&all, "report.html");
    assert!(
        report.contains("Saved for an examination with the finding") && report.contains("0.450 to 0.550")
    );
    assert!(!report.contains("That the device saves time is not shown"));
    let trace = crate::report::trace::trace(&source).expect("traces");
    assert!(trace.findings.is_empty(), "{:#?}", trace.findings);
    let mut none_saved = source.clone();
    if let Some(waiting) = none_saved.results.triage.as_mut().and_then(|triage| triage.waiting.as_mut()) {
        waiting.saved = Limited { value: 0.1, limits: Some((-0.2, 0.4)) };
    }
    assert!(text(&files(&none_saved), "report.html").contains("That the device saves time is not shown"));
    let mut undeclared = filled();
    undeclared.device["device"]["regulation"] = "21 CFR 892.2080".into();
    let answers = super::coverage_of(&undeclared, &files(&undeclared));
    let answer = answers.iter().find(|a| a.requirement.id == "892.2080-1iii").expect("there");
    assert_eq!(answer.state, State::Empty, "{}", answer.places);
}

#[test]
fn a_bundle_with_the_templates_has_every_document_and_one_without_has_none() {
    let all = rendered();
    let of_change = change_templates();
    for kind in KINDS.into_iter().chain([&MAP, &PLAN]) {
        for ending in ["html", "md"] {
            let name = format!("{}.{ending}", kind.name);
            // Only a new version under a plan has the plan's document.
            let wanted = !of_change.contains_key(kind.template);
            assert_eq!(all.contains_key(&name.parse().expect("a path")), wanted, "{name}");
        }
    }
    for name in ["summary.txt", "model-card.json", "model-card-chai.xml", "coverage.csv"] {
        assert!(all.contains_key(&name.parse().expect("a path")), "{name}");
    }
    assert_eq!(*all, files(&realistic()), "the same bytes");
    if let Some(folder) = option_env!("SEQUESTER_PREVIEW") {
        for (name, source) in [("set", realistic()), ("set-filled", filled()), ("set-crowded", crowded())] {
            for (path, bytes) in &files(&source) {
                let path = path.below(&std::path::Path::new(folder).join(name));
                crate::storage::write_atomic(&path, bytes).expect("writes the preview");
            }
        }
    }
    let mut old = realistic();
    for kind in KINDS.into_iter().chain([&MAP, &PLAN]) {
        old.templates.remove(kind.template);
    }
    let of_old = files(&old);
    let names: BTreeSet<String> = of_old.keys().map(ToString::to_string).collect();
    assert!(names.iter().all(|name| ["report.", "truthing", "figures/"].iter().any(|s| name.starts_with(s))));
    for name in ["report.html", "truthing.html"] {
        assert_eq!(text(&of_old, name), text(all, name), "{name} does not depend on the set");
    }
}

#[test]
fn the_summary_has_each_clause_once_and_withholds_its_conclusion() {
    let all = rendered();
    let summary = text(all, "summary.html");
    let outline = outline::read(&summary);
    for clause in ["(a)(1)", "(a)(2)", "(a)(3)", "(a)(4)", "(a)(5)", "(a)(6)", "(b)(1)", "(b)(2)", "(b)(3)"] {
        let heads = outline.sections.iter().filter(|s| s.title.ends_with(&format!("21 CFR 807.92{clause}")));
        assert_eq!(heads.count(), 1, "{clause}");
    }
    assert!(outline.sections.iter().any(|s| s.title == "510(k) Summary"));
    assert!(summary.contains("there is no summary of the non-clinical data;"));
    let source = realistic();
    let root = &source.root_digest[..16];
    assert!(!summary.contains(root) && text(all, "report.html").contains(root), "a digest is not public");
    let plain = text(all, "summary.txt");
    assert!(plain.contains("510(k) Summary") && !plain.contains('<') && !plain.contains("~~~~"));
    assert!(text(rendered_filled(), "summary.txt").contains("Typed for conclusion text."));
    let mut synthetic = filled();
    synthetic.results.study.synthetic = true;
    let plain = text(&only(&synthetic, "summary.md").expect("renders"), "summary.txt");
    assert!(!plain.contains("Typed for conclusion text.") && plain.contains("cases are synthetic;"));
}

#[test]
fn what_identifies_somebody_does_not_reach_the_public_summary() {
    let check = |change: &dyn Fn(&mut Source), expected: &str| {
        let mut source = realistic();
        change(&mut source);
        let said = refused(&source, "summary.md");
        assert!(said.iter().any(|s| s.starts_with("summary-identifier") && s.contains(expected)), "{said:?}");
    };
    let describe = |source: &mut Source, words: &str| source.device["device"]["description"] = words.into();
    check(&|s| describe(s, "As in case C0001, it works."), "`C0001`");
    check(&|s| describe(s, "Of patient (P0001)."), "`P0001`");
    check(&|s| describe(s, "See /home/x/scores."), "`/home/x/scores`");
    check(&|s| describe(s, "See reads-1.csv."), "`reads-1.csv`");
    check(&|s| describe(s, &format!("Root {}.", s.root_digest.clone())), "digest");
    check(
        &|s| {
            let id = s.results.readers[0].id.clone();
            describe(s, &format!("Read by {id}."));
        },
        "id of a reader",
    );
}

#[test]
fn a_comparison_prints_facts_by_id_and_refuses_what_is_not_there() {
    let row = |subject: &str| {
        serde_json::json!([{"characteristic": "Sensitivity", "subject": subject, "predicate": "91.0%",
            "source": "K123456, page 7", "same": false, "discussion": "Other cases."}])
    };
    let mut source = realistic();
    source.device["comparison"] = row("auto:sensitivity");
    let page = text(&only(&source, "predicate.md").expect("renders"), "predicate.md");
    let sensitivity = source.results.estimates.iter().find(|e| e.id == "sensitivity").expect("there");
    let words = crate::report::wording::value(sensitivity);
    assert!(page.contains(&words) && page.contains("91.0%") && page.contains("K123456, page 7"), "{page}");
    assert!(text(&only(&source, "summary.md").expect("renders"), "summary.md").contains("K123456, page 7"));
    source.device["comparison"] = row("auto:lock.architecture");
    assert!(text(&only(&source, "predicate.md").expect("renders"), "predicate.md").contains("densenet121"));
    source.device["comparison"] = row("auto:sensitivty");
    assert!(
        refused(&source, "predicate.md")[0]
            .starts_with("unknown-fact: there is no fact `sensitivty`; there are cases,")
    );
    source.device["comparison"] = row("auto:lock.nothing");
    assert!(refused(&source, "predicate.md")[0].contains("the lock has no `nothing`"));
    source.device_text =
        "[[comparison]]\ncharacteristic = \"x\"\nsubject = \"y\"\npredicate = \"0.9\"\nsame = true\n".into();
    assert!(refused(&source, "predicate.md")[0].starts_with("comparison-source"));
}

#[test]
fn every_requirement_has_a_row_and_every_place_of_the_map_is_there() {
    let mut seen = BTreeSet::new();
    for requirement in requirements() {
        assert!(seen.insert(&requirement.id), "{} twice", requirement.id);
        assert!(citations().iter().any(|c| c.key == requirement.citation), "{}", requirement.id);
        assert!(requirement.is_automatic || !requirement.field.is_empty(), "{} has no field", requirement.id);
    }
    let automatic = requirements().iter().filter(|r| r.is_automatic).count();
    assert_eq!((requirements().len(), automatic), (352, 225));
    for (source, all) in [(realistic(), rendered()), (filled(), rendered_filled())] {
        let answers = super::coverage_of(&source, all);
        assert!(answers.iter().all(|a| !a.note.contains("no such rule")));
        for (page, anchor) in answers.iter().flat_map(|a| &a.anchors) {
            assert!(text(all, page).contains(&format!(" id=\"{anchor}\"")), "{page}#{anchor}");
        }
        let table = text(all, "coverage.csv");
        assert_eq!(table.lines().count(), 353);
        assert_eq!(String::from_utf8(coverage::table(&answers).expect("writes")).expect("text"), table);
    }
}

#[test]
fn a_filled_device_file_leaves_little_empty_and_an_empty_one_claims_nothing() {
    let source = filled();
    let answers = super::coverage_of(&source, rendered_filled());
    let empty: Vec<String> = answers
        .iter()
        .filter(|a| a.state == State::Empty)
        .map(|a| format!("{}: {}", a.requirement.id, a.note))
        .collect();
    assert!(empty.len() < 20, "{empty:#?}");
    assert!(empty.iter().all(|e| !e.contains("no document prints it")), "{empty:#?}");
    let mut none = realistic();
    none.device = serde_json::json!({});
    let answers = super::coverage_of(&none, &files(&none));
    assert_eq!(super::count(&answers, false, State::Typed), 0);
    assert_eq!(super::count(&answers, true, State::Typed), 0);
    let of = |id: &str| answers.iter().find(|a| a.requirement.id == id).expect("there").clone();
    assert_eq!(of("eSTAR-biocomp").state, State::Empty);
    assert_eq!(of("807.92-b1").note, "nonclinical.summary is empty");
    assert_eq!(of("STARD-19").state, State::Printed);
}

#[test]
fn the_table_of_coverage_in_the_docs_is_what_is_computed() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/requirements-coverage.csv");
    let mut table = csv::Reader::from_path(&path).expect("reads");
    let rows = table.records().map(|row| row.expect("a row"));
    let before: BTreeMap<String, String> = rows.map(|row| (row[0].to_owned(), row[2].to_owned())).collect();
    let full = super::coverage_of(&filled(), rendered_filled());
    let few = super::coverage_of(&realistic(), rendered());
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    let computed = ["every field filled", "few fields filled", "where, or why not"];
    let header = ["id", "fill", "read by hand before"].into_iter().chain(computed);
    writer.write_record(header).expect("writes");
    for (full, few) in full.iter().zip(&few) {
        let id = &full.requirement.id;
        let fill = if full.requirement.is_automatic { "auto" } else { "manual" };
        // Where it stands, or by which rule it does not; and what a study with few fields lacks.
        let mut why = if full.places.is_empty() { full.note.clone() } else { full.places.clone() };
        if few.state == State::Empty && full.state != State::Empty {
            why = format!("{why}; otherwise {}", few.note);
        }
        writer
            .write_record([id, fill, &before[id], full.state.name(), few.state.name(), &why])
            .expect("writes");
    }
    let computed = String::from_utf8(writer.into_inner().expect("ends")).expect("text");
    if std::env::var_os("SEQUESTER_WRITE_COVERAGE").is_some() {
        std::fs::write(&path, &computed).expect("writes");
    }
    let written = std::fs::read_to_string(&path).expect("reads");
    assert_eq!(written, computed, "SEQUESTER_WRITE_COVERAGE=1 writes it");
    // What the program answers is answered, or a rule says why it is not; a PDF is another build's.
    let open: Vec<&str> = full
        .iter()
        .filter(|a| a.requirement.is_automatic && a.state == State::Empty)
        .map(|a| a.requirement.id.as_str())
        .collect();
    assert_eq!(open, ["eSTAR-pack"]);
}

#[test]
fn the_list_of_main_templates_is_one_list() {
    let names: BTreeSet<&str> = KINDS.into_iter().chain([&MAP, &PLAN]).map(|kind| kind.template).collect();
    assert_eq!(names, OF_SET.into_iter().collect());
}

#[test]
fn the_map_follows_the_templates() {
    let mut source = realistic();
    let text_of = |source: &Source, id: &str| {
        let answers = super::coverage_of(source, &files(source));
        answers.into_iter().find(|a| a.requirement.id == id).expect("there")
    };
    let answers = super::coverage_of(&source, rendered());
    let printed = answers.iter().find(|a| a.requirement.id == "STARD-23").expect("there");
    assert_eq!(printed.state, State::Printed);
    let results = source.templates["validation-results.md"].replace("{{ table(id=\"confusion\") }}", "");
    source.templates.insert("validation-results.md".into(), results);
    let gone = text_of(&source, "STARD-23");
    assert_eq!(gone.state, State::Empty, "what a template left out is not printed");
    assert!(gone.note.contains("Device against reference standard"), "{}", gone.note);
}

#[test]
fn limitations_are_drafted_and_decided() {
    let mut source = realistic();
    let (drafts, _) = super::drafts::decided(&source);
    let ids: BTreeSet<&str> = drafts.iter().map(|d| d.draft.id.as_str()).collect();
    assert_eq!(ids.len(), drafts.len(), "each has an id of its own");
    let first = drafts[0].draft.clone();
    let labelling = text(&only(&source, "labelling.md").expect("renders"), "labelling.md");
    assert!(labelling.contains("limitations that were drafted from the results are not decided"));
    source.device["limitation"] = serde_json::json!([
        {"id": first.id, "accepted": true},
        {"id": "gone.with.these.results", "accepted": false, "reason": "Corrected."},
    ]);
    let labelling = text(&only(&source, "labelling.md").expect("renders"), "labelling.md");
    assert!(labelling.contains("gone.with.these.results"), "a decision without a draft is shown");
    assert!(labelling.contains("| accepted |"), "{labelling}");
    let card = text(&only(&source, "model-card.md").expect("renders"), "model-card.json");
    let card: serde_json::Value = serde_json::from_str(&card).expect("JSON");
    assert_eq!(card["limitations"]["accepted"], serde_json::json!([first.sentence]));
}

/// The elements of the schema in their order, each with whether it has to stand; a repeated name is one.
const CARD: &str = "\
    AppliedModelCard(BasicInfo(ModelName ModelDeveloper DeveloperContact) ReleaseInfo(ReleaseStage \
    ReleaseDate ReleaseVersion GlobalAvailability RegulatoryApproval) ModelSummary(Summary \
    Keywords(Keyword)) UsesAndDirections(IntendedUseAndWorkflow PrimaryIntendedUsers HowToUse \
    TargetedPatientPopulation CautionedOutOfScopeSettings) Warnings(KnownRisksAndLimitations \
    KnownBiasesOrEthicalConsiderations ClinicalRiskLevel) \
    TrustIngredients(AISystemFacts(OutcomesAndOutputs ModelType InputDataSource \
    OutputAndInputDataTypes DevelopmentDataCharacterization BiasMitigationApproaches \
    OngoingMaintenance Security Transparency) TransparencyInformation(FundingSource \
    ThirdPartyInformation StakeholdersConsulted)) KeyMetrics(UsefulnessUsabilityEfficacy(M) \
    FairnessEquity(M) SafetyReliability(M)) Resources(EvaluationReferences ClinicalTrial \
    PeerReviewedPublications PatientConsentOrDisclosure) Bibliography)";

#[test]
fn the_card_has_the_elements_of_its_schema_in_their_order() {
    use quick_xml::events::Event;
    for (name, source) in sources() {
        let shared = super::shared::Shared { source, answers: Vec::new() };
        let xml = String::from_utf8(super::card::xml(&shared)).expect("text");
        let mut reader = quick_xml::Reader::from_str(&xml);
        let mut shape = String::new();
        let mut inside_results = false;
        loop {
            match reader.read_event().unwrap_or_else(|e| panic!("{name}: {e}")) {
                Event::Start(tag) => {
                    let name = tag.name();
                    let tag: &str = name.as_ref();
                    inside_results |= tag == "Results";
                    if !inside_results {
                        if !shape.is_empty() && !shape.ends_with('(') {
                            shape.push(' ');
                        }
                        shape.push_str(&format!("{tag}("));
                    }
                }
                Event::End(tag) => {
                    if !inside_results {
                        shape.push(')');
                    }
                    inside_results &= AsRef::<str>::as_ref(&tag.name()) != "Results";
                }
                Event::Eof => break,
                _ => {}
            }
        }
        let shape = shape.replace("()", "");
        let metric =
            "MetricGoal Interpretation TestType TestingDataDescription ValidationProcessAndJustification";
        assert_eq!(shape, CARD.replace("(M)", &format!("({metric})")), "{name}");
        assert!(xml.matches("<MetricResult>").count() >= 3, "{name}");
    }
}

#[test]
fn templates_cite_what_the_table_has_and_hold_no_number() {
    let known: Vec<&str> = citations().iter().map(|c| c.citation.as_str()).collect();
    let mut templates = default_templates();
    templates.extend(change_templates());
    let mut cited = 0;
    for kind in KINDS.into_iter().chain([&MAP, &PLAN]) {
        let template = &templates[kind.template];
        assert_eq!(lint::lint(kind.template, template), [], "{}", kind.template);
        for (at, _) in template.match_indices("table(id=\"citations\", path=\"") {
            let keys = template[at..].split('"').nth(3).expect("keys");
            for key in keys.split_whitespace() {
                assert!(citations().iter().any(|c| c.key == key), "{}: {key}", kind.template);
            }
        }
        for (at, _) in template.match_indices("21 CFR ") {
            let section: String =
                template[at + 7..].chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect();
            let section = section.trim_end_matches('.');
            assert!(known.iter().any(|c| c.contains(section)), "{}: 21 CFR {section}", kind.template);
            cited += 1;
        }
    }
    assert!(cited > 20, "{cited}");
    // Every page that cites says how far what it cites was confirmed; that of the readers cites nothing.
    for (path, bytes) in rendered().iter().filter(|(path, _)| path.as_str().ends_with(".html")) {
        let page = String::from_utf8(bytes.clone()).expect("text");
        let (words, marks) = page.split_once("Citations, and how far").unwrap_or((&page, ""));
        let words: String =
            outline::read(words).sections.iter().map(|s| format!("{} {} ", s.title, s.words)).collect();
        for one in citations() {
            // The regulation of a device is typed, and so is what it names.
            let typed = one.citation.contains("892.");
            let is_number = one.citation.starts_with("21 CFR") || one.citation.starts_with("RFC");
            if is_number && !typed && !one.citation.contains(" and ") && words.contains(&one.citation) {
                assert!(marks.contains(&one.citation), "{path} cites {}", one.citation);
            }
        }
    }
    // The same of the parts of the report.
    for (name, template) in &templates {
        for number in ["21 CFR ", "ISO ", "IEC ", "RFC "].iter().flat_map(|of| {
            template.match_indices(of).map(|(at, of)| {
                let digits =
                    template[at + of.len()..].chars().take_while(|c| c.is_ascii_digit() || *c == '.');
                format!("{of}{}", digits.collect::<String>().trim_end_matches('.'))
            })
        }) {
            let is_known = known.iter().any(|c| c.contains(number.trim_start_matches("21 CFR ")));
            assert!(is_known, "{name}: {number}");
        }
    }
    for citation in citations() {
        assert!(!citation.mark.is_empty() && !citation.citation.is_empty(), "{}", citation.key);
    }
}

#[test]
fn every_field_of_the_device_file_is_known_and_every_known_one_is_in_it() {
    let example: toml::Table = toml::from_str(DEVICE_EXAMPLE).expect("parses");
    let written: BTreeSet<String> = example
        .iter()
        .filter_map(|(group, fields)| Some((group, fields.as_table()?)))
        .flat_map(|(group, fields)| fields.keys().map(move |key| format!("{group}.{key}")))
        .collect();
    let known: BTreeSet<String> = fields().iter().map(|field| field.path.clone()).collect();
    assert_eq!(written, known);
    for requirement in requirements().iter().filter(|r| r.field.contains('.')) {
        for path in requirement.field.split(", ").filter(|path| !path.contains(".toml")) {
            assert!(known.contains(path), "{}: {path}", requirement.id);
        }
    }
}

/// 30 sites, 60 readers, 40 levels of a subgroup, each with a name in another script or without end.
fn crowded() -> Source {
    crowded_with("\u{6d4b}\u{8bd5}\u{533b}\u{9662}")
}

/// The same with a name of the first sites and scanners.
fn crowded_with(first: &str) -> Source {
    let mut source = filled();
    let names = [first, "\u{5d1}\u{5d9}\u{5ea} \u{5d7}\u{5d5}\u{5dc}\u{5d9}\u{5dd}", "A-Name-Without-End-"];
    source.results.cohort.extend((0..30_u64).map(|i| CohortRow {
        variable: "site".into(),
        level: format!("{}{i}", names[(i % 3) as usize].repeat(if i == 2 { 20 } else { 1 })),
        cases: 30 + i,
        patients: 20 + i,
        positives: 10,
    }));
    source.results.readers.extend((0..60).map(|i| ReaderSummary {
        id: format!("Lector-{i}"),
        reads: 100,
        ..ReaderSummary::default()
    }));
    for i in 0..40_u64 {
        source.results.estimates.extend(subgroup(
            &format!("scanner={}{i}", names[(i % 3) as usize]),
            20 + i,
            0.6,
        ));
    }
    source.device["device"]["name"] = "<script>alert(1)</script> *x* {{ 49 }} | \u{202e}gnp.exe".into();
    source
}

#[test]
fn bad_input_stays_text_and_large_studies_render() {
    // Its words hold paths, which are refused in public; the other documents take them as words.
    let mut words = hostile();
    assert!(refused(&words, "summary.md").iter().all(|said| said.starts_with("summary-identifier")));
    words.templates.remove("summary.md");
    let crowd = files(&crowded());
    for all in [&crowd, &files(&words)] {
        for (path, bytes) in all {
            if path.as_str().ends_with(".html") {
                let page = String::from_utf8(bytes.clone()).expect("text");
                assert!(!page.contains("<script") && !page.contains("NaN"), "{path}");
                assert!(!page.contains('\u{202e}'), "{path}");
            }
        }
    }
    let summary = text(&crowd, "summary.html");
    assert!(!summary.contains("Lector-"), "no reader is named in public");
    let labelling = text(&crowd, "labelling.html");
    assert!(labelling.matches("scanner").count() + labelling.matches("Scanner").count() > 40);
}

#[test]
fn bad_input_is_written_as_a_draft_too() {
    let mut words = hostile();
    words.templates.remove("summary.md");
    let empty = sources().into_iter().find(|(name, _)| *name == "empty").expect("there").1;
    for source in [crowded(), words, empty] {
        let rendered =
            crate::report::render(&source, Documents::All, Formats::Drafts).unwrap_or_else(|e| panic!("{e}"));
        assert!(rendered.files.len() >= KINDS.len() - 1);
        for (path, bytes) in &rendered.files {
            let said = crate::document::writers::docx::words(bytes).expect("a draft");
            assert!(said.contains("draft") && !said.contains('\u{202e}') && !said.contains("NaN"), "{path}");
        }
    }
}

#[cfg(feature = "pdf")]
#[test]
fn a_pdf_shows_other_scripts_or_is_refused_with_the_way_out() {
    let error = only_as(&crowded(), "model-card.md", Formats::All).expect_err("no font has them");
    let found = error.diagnostics();
    assert!(!found.is_empty() && found.iter().all(|p| p.code == crate::diagnostic::Code::FontMissing));
    assert!(found.iter().all(|p| p.hint.as_ref().is_some_and(|h| h.contains("fonts/"))), "{found:?}");
    // What the fonts have is printed, whatever its direction, its length and its number.
    let files = only_as(&crowded_with("Clinic"), "model-card.md", Formats::All).expect("renders");
    assert!(files[&"model-card.pdf".parse().expect("a path")].starts_with(b"%PDF-1.7"));
}

#[test]
fn a_template_that_includes_itself_or_asks_for_nothing_known_is_refused() {
    let with = |text: &str| {
        let mut source = realistic();
        source.templates.insert("summary.md".into(), text.into());
        refused(&source, "summary.md")[0].clone()
    };
    assert!(with("# S\n\n---\n\n{% include \"summary.md\" %}\n").starts_with("template"), "a loop");
    assert!(
        with("# S\n\n---\n\n{{ table(id=\"nope\") }}\n")
            .starts_with("unknown-table: there is no table `nope`")
    );
    assert!(
        with("# S\n\n---\n\n{{ fact(id=\"nope\") }}\n").starts_with("unknown-fact: there is no fact `nope`")
    );
    assert!(with("# S\n\n---\n\nThe AUC is 0.87.\n").starts_with("literal-number"));
}
