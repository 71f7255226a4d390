//! Whole documents from made-up but consistent results, and what must hold for each of them.

use super::source::{Rendered, Source};
use super::*;
#[cfg(feature = "pdf")]
use crate::diagnostic::Code;
use crate::diagnostic::Diagnostic;
use crate::digest::RelativePath;
use crate::document::lint;
use crate::report::banner::SYNTHETIC_BANNER;
#[cfg(feature = "pdf")]
use crate::statistics::estimate::SubgroupLevel;
use crate::study::results::Verdict;
use realistic::realistic;
use variants::{HOSTILE, empty, hostile, not_met, sources};

pub(in crate::report) mod realistic;
pub(in crate::report) mod variants;

/// Every format; the hostile study has characters of which no font is at hand.
fn rendering(source: &Source) -> crate::diagnostic::Result<Rendered> {
    let hostile = source.run_id == HOSTILE;
    render(source, if hostile { Formats::WithoutPdf } else { Formats::All })
}

fn file(rendered: &Rendered, name: &str) -> String {
    let path: RelativePath = name.parse().expect("a path");
    String::from_utf8(rendered.files[&path].clone()).expect("text")
}

/// A section of the Markdown, from its heading to the next of the same level.
fn section(markdown: &str, heading: &str) -> String {
    let start = markdown.find(&format!("## {heading}\n")).expect("the section is there");
    let rest = &markdown[start..];
    let end = rest[3..].find("\n## ").map_or(rest.len(), |i| i + 3);
    rest[..end].trim_end().to_owned() + "\n"
}

#[test]
fn every_document_renders_to_the_same_bytes_twice() {
    for (name, source) in sources() {
        let first = rendering(&source).unwrap_or_else(|e| panic!("{name}: {e}"));
        let second = rendering(&source).unwrap_or_else(|e| panic!("{name}: {e}"));
        assert_eq!(first, second, "{name}");
        if let Some(folder) = option_env!("SEQUESTER_PREVIEW") {
            for (path, bytes) in &first.files {
                let path = path.below(&std::path::Path::new(folder).join(name));
                crate::storage::write_atomic(&path, bytes).expect("writes the preview");
            }
        }
    }
}

#[test]
fn the_page_needs_nothing_else() {
    for (name, source) in sources() {
        let html = file(&rendering(&source).expect("renders"), "report.html");
        assert!(
            html.split("<style>")
                .nth(1)
                .and_then(|s| s.split("</style>").next())
                .is_some_and(|style| !style.contains("/etc/passwd")),
            "{name}"
        );
        for attribute in [
            " src=", "<link", "<script", "<iframe", "<object", "<embed", "<img", "url(", "@import", "onload=",
        ] {
            // In the hostile study the words stand as text, with every bracket and quote escaped.
            assert!(
                !html.contains(attribute) || name == "hostile" && !attribute.starts_with('<'),
                "{name}: {attribute}"
            );
        }
        assert!(!html.contains("href=\"http"), "{name}");
        assert!(html.contains("<title>") && html.contains("lang=\"en\""));
    }
}

#[test]
fn hostile_study_text_stays_text_in_every_language() {
    let source = hostile();
    let rendered = rendering(&source).expect("renders");
    let html = file(&rendered, "report.html");
    let escaped = "*Bold* _it_ `code` &lt;script&gt;alert(1)&lt;/script&gt; \
                   #import &quot;/etc/passwd&quot; $x^2$ | cell |";
    assert!(html.contains(escaped));
    assert!(!html.contains("<em>it</em>") && !html.contains("<strong>Bold") && !html.contains("{{ 49 }}"));
    assert!(!html.contains('\u{202e}') && !html.contains('\u{0}'));
    // As many tables, figures, headings as the same document with harmless text: nothing was injected or
    // lost.
    let harmless = file(&rendering(&realistic()).expect("renders"), "report.html");
    for tag in ["<table", "<figure", "<h2", "<h3", "<svg", "<nav", "<pre", "<footer"] {
        assert_eq!(html.matches(tag).count(), harmless.matches(tag).count(), "{tag}");
    }
}

#[test]
fn every_svg_is_well_formed_and_self_contained() {
    for (name, source) in sources() {
        for (path, bytes) in rendering(&source).expect("renders").files {
            if !path.as_str().ends_with(".svg") {
                continue;
            }
            let svg = String::from_utf8(bytes).expect("text");
            assert!(!svg.contains("NaN") && !svg.contains("inf\""), "{name}/{path}");
            assert!(!svg.contains("<script") && !svg.contains("href") || name == "hostile", "{name}/{path}");
            let (mut depth, mut rest) = (0_i32, svg.as_str());
            while let Some(at) = rest.find('<') {
                rest = &rest[at + 1..];
                let tag = &rest[..rest.find('>').expect("a tag ends")];
                assert!(!tag.contains('<'), "{name}/{path}: {tag}");
                depth += if tag.starts_with('/') { -1 } else { i32::from(!tag.ends_with('/')) };
            }
            assert_eq!(depth, 0, "{name}/{path}");
        }
    }
}

#[cfg(feature = "pdf")]
#[test]
fn the_pdf_is_tagged_archival_and_holds_no_attachment() {
    for (name, source) in sources() {
        if name == "hostile" {
            continue;
        }
        let rendered = rendering(&source).expect("renders");
        let path: RelativePath = "report.pdf".parse().expect("a path");
        let bytes = &rendered.files[&path];
        let has = |what: &str| bytes.windows(what.len()).any(|w| w == what.as_bytes());
        assert!(bytes.starts_with(b"%PDF-1.7"), "{name}");
        assert!(has("<pdfaid:part>2</pdfaid:part>") && has("<pdfuaid:part>1</pdfuaid:part>"), "{name}");
        assert!(has("<pdfaid:conformance>A</pdfaid:conformance>"), "{name}");
        assert!(!has("/JavaScript") && !has("/EmbeddedFile") && !has("/Encrypt"), "{name}");
        assert!(has("2026-01-31T12:00:00"), "{name}: the date is the bundle's");
    }
}

#[cfg(feature = "pdf")]
#[test]
fn what_no_font_has_is_named_with_its_field_before_anything_is_typeset() {
    let mut source = realistic();
    source.device["device"]["name"] = "\u{80ba}\u{708e} Reader".into();
    let error = render(&source, Formats::All).expect_err("is refused").diagnostics();
    assert!(!error.is_empty() && error.iter().all(|problem| problem.code == Code::FontMissing), "{error:?}");
    assert!(error.iter().all(|p| p.message.contains("\u{708e} (U+708E), \u{80ba} (U+80BA)")), "{error:?}");
    assert!(error.iter().any(|p| p.message.contains("(device.toml: device.name)")), "{error:?}");
    assert!(error.iter().all(|p| p.hint.as_ref().is_some_and(|h| h.contains("--no-pdf"))), "{error:?}");
    let files = render(&source, Formats::WithoutPdf).expect("renders").files;
    assert!(files.keys().all(|path| !path.as_str().ends_with(".pdf")));
    let html = std::str::from_utf8(&files[&"report.html".parse().expect("a path")]).expect("text");
    assert!(html.contains("\u{80ba}\u{708e} Reader"));
    // A level of a subgroup is drawn as well.
    let mut source = realistic();
    for e in &mut source.results.estimates {
        if e.subgroup == Some(SubgroupLevel::new("sex", "F")) {
            e.subgroup = Some(SubgroupLevel::new("sex", "\u{5973}"));
        }
    }
    let error = render(&source, Formats::All).expect_err("is refused").diagnostics();
    let places: Vec<&str> = error.iter().map(|p| p.message.as_str()).collect();
    assert!(
        places.iter().any(|p| p.contains("Figure")) && places.iter().any(|p| p.contains("Table")),
        "{places:?}"
    );
}

fn problem(source: &Source) -> Diagnostic {
    let error = rendering(source).expect_err("is refused");
    error.diagnostics().into_iter().next().expect("a diagnostic")
}

fn with_template(name: &str, text: &str) -> Source {
    let mut source = realistic();
    source.templates.insert(name.into(), text.into());
    source
}

#[test]
fn a_template_that_asks_for_what_does_not_exist_is_refused_at_its_line() {
    let check = |text: &str, code: &str, message: &str| {
        let problem = problem(&with_template("limits.md", text));
        assert_eq!((problem.code.as_str(), problem.message.as_str()), (code, message), "{text}");
        let place = problem.location.expect("a place").to_string();
        assert!(place.starts_with("templates/limits.md:3:"), "{place}");
    };
    check(
        "## Limits\n\nThe {{ estimate(id=\"aucc\") }}\n",
        "unknown-estimate",
        "results.json has no estimate `aucc`",
    );
    check(
        "## Limits\n\n{{ estimate(id=\"auc\", subgroup=\"sex=X\") }}\n",
        "unknown-estimate",
        "results.json has no estimate `auc`, subgroup `sex=X`",
    );
    let tables = format!("there is no table `nope`; tables are {}", tables::IDS.join(", "));
    check("## Limits\n\n{{ table(id=\"nope\") }}\n", "unknown-table", &tables);
    let figures = format!("there is no figure `nope`; figures are {}", figures::IDS.join(", "));
    check("## Limits\n\n{{ figure(id=\"nope\") }}\n", "unknown-figure", &figures);
    check(
        "## Limits\n\n{{ digest(of=\"nope\") }}\n",
        "unknown-digest",
        "the bundle's manifest has no `nope`",
    );
}

#[test]
fn a_template_cannot_hold_a_number_raw_html_or_an_image() {
    let number = problem(&with_template("conclusion.md", "## Conclusion\n\nThe AUC is 0.87.\n"));
    assert_eq!(number.code.as_str(), "literal-number");
    assert_eq!(number.location.expect("a place").to_string(), "templates/conclusion.md:3:12");
    assert_eq!(problem(&with_template("limits.md", "## Limits\n\n<b>x</b>\n")).code.as_str(), "raw-html");
    assert_eq!(
        problem(&with_template("limits.md", "## Limits\n\n<div>\nx\n</div>\n")).code.as_str(),
        "raw-html"
    );
    assert_eq!(
        problem(&with_template("limits.md", "![x](http://e.x/a.png)\n")).code.as_str(),
        "image-in-template"
    );
    assert_eq!(
        problem(&with_template("limits.md", "~~~~{table} 99\n~~~~\n")).code.as_str(),
        "unknown-placeholder"
    );
    assert_eq!(problem(&with_template("limits.md", "{% if %}\n")).code.as_str(), "template-syntax");
}

#[test]
fn the_default_templates_hold_no_number() {
    for (name, text) in default_templates() {
        assert_eq!(lint::lint(&name, &text), [], "{name}");
    }
}

#[test]
fn the_example_device_asks_for_exactly_what_the_templates_print() {
    let mut source = realistic();
    let example: toml::Table = toml::from_str(DEVICE_EXAMPLE).expect("parses");
    source.device = serde_json::to_value(&example).expect("a value");
    let rendered = rendering(&source).expect("renders");
    let mut listed: Vec<&str> = rendered.to_complete.iter().filter_map(|l| l.split(": ").next()).collect();
    let mut declared: Vec<String> = example
        .iter()
        .filter_map(|(group, fields)| Some((group, fields.as_table()?)))
        .flat_map(|(group, fields)| fields.keys().map(move |field| format!("{group}.{field}")))
        .collect();
    // What is asked for only where it may be printed, and what only other documents of the set ask for.
    let of_report =
        ["general", "design", "training", "databases", "ground-truth", "validation-plan", "conclusion"];
    let templates = default_templates();
    let asks = |field: &str| {
        let call = format!("device(path=\"{field}\"");
        of_report.iter().any(|name| templates[&format!("{name}.md")].contains(&call))
    };
    declared.retain(|field| field != "conclusion.text" && asks(field));
    listed.sort_unstable();
    declared.sort_unstable();
    assert_eq!(listed, declared);
}

#[test]
fn the_conclusion_follows_the_verdicts() {
    let conclusion =
        |source: &Source| section(&file(&rendering(source).expect("renders"), "report.md"), "Conclusion");
    insta::assert_snapshot!("conclusion-met", conclusion(&realistic()));
    insta::assert_snapshot!("conclusion-not-met", conclusion(&not_met()));
    insta::assert_snapshot!("conclusion-not-evaluable", conclusion(&empty()));
    let mut synthetic = realistic();
    synthetic.results.study.synthetic = true;
    assert!(conclusion(&synthetic).contains("cases are synthetic;"), "no conclusion from synthetic data");
    // The submitter's words stand only where nothing speaks against them, and the program has none of its
    // own.
    let mut complete = realistic();
    for (group, key, text) in [
        ("predicate", "name", "Example predicate"),
        ("nonclinical", "summary", "Verified by example."),
        ("conclusion", "text", "The device performs as the predicate does."),
    ] {
        complete.device[group][key] = text.into();
    }
    let printed = |source: &Source| conclusion(source).contains("performs as the predicate does");
    assert!(printed(&complete), "{}", conclusion(&complete));
    let mut lacking = [complete.clone(), complete.clone(), complete.clone(), complete.clone()];
    lacking[0].results.conclusion = Verdict::NotMet;
    lacking[1].results.study.synthetic = true;
    lacking[2].device["predicate"]["name"] = "".into();
    lacking[3].device["nonclinical"]["summary"] = " ".into();
    assert!(lacking.iter().all(|source| !printed(source)));
    for source in [&complete, &realistic(), &not_met()] {
        assert!(!conclusion(source).contains("as safe and"), "the program asserts no equivalence");
    }
}

#[test]
fn sections_read_as_they_did() {
    let markdown = file(&rendering(&realistic()).expect("renders"), "report.md");
    insta::assert_snapshot!("validation-results", section(&markdown, "Validation Results"));
    insta::assert_snapshot!("algorithm-training", section(&markdown, "Algorithm Training"));
    insta::assert_snapshot!("ground-truth", section(&markdown, "Ground Truth"));
    insta::assert_snapshot!("databases", section(&markdown, "Databases"));
    let elsewhere = file(&rendering(&empty()).expect("renders"), "report.md");
    insta::assert_snapshot!("scored-elsewhere-training", section(&elsewhere, "Algorithm Training"));
    insta::assert_snapshot!("nothing-evaluable-results", section(&elsewhere, "Validation Results"));
}

#[test]
fn synthetic_data_are_named_on_every_page() {
    let rendered = rendering(&not_met()).expect("renders");
    let html = file(&rendered, "report.html");
    assert!(html.matches(SYNTHETIC_BANNER).count() >= 3);
    assert!(html.contains("<header class=\"running\">") && html.contains("<strong>SYNTHETIC DATA"));
    assert!(!file(&rendering(&realistic()).expect("renders"), "report.html").contains("SYNTHETIC DATA"));
}

#[test]
fn a_bound_that_misses_its_limit_by_little_is_not_rounded_onto_it() {
    let markdown = file(&rendering(&not_met()).expect("renders"), "report.md");
    assert!(section(&markdown, "Conclusion").contains("bound 0.79996"));
}
