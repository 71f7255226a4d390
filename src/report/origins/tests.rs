use std::collections::BTreeSet;

use super::*;
use crate::report::submission::Formats;
use crate::report::submission::tests::realistic::realistic;
use crate::report::submission::tests::variants::sources;
use crate::report::{Documents, render};
use crate::statistics::metric::Metric;

fn page(source: &Source, name: &str) -> String {
    let files = render(source, Documents::All, Formats::WithoutPdf).expect("renders").files;
    String::from_utf8(files[&name.parse().expect("a path")].clone()).expect("text")
}

/// What stands between two texts, for every first one.
fn between<'a>(text: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    text.split(start).skip(1).filter_map(|rest| rest.split(end).next()).collect()
}

#[test]
fn every_quantity_of_the_results_has_a_formula() {
    for metric in Metric::ALL {
        assert!(formulas::formula(metric.id()).contains(' '), "{metric:?}");
    }
    for (name, source) in sources() {
        for (_, estimate) in all(&source.results) {
            let known = Metric::from_id(&estimate.id.replace('-', "_")).is_some()
                || formulas::OTHERS.iter().any(|(start, _)| estimate.id.replace('_', "-").starts_with(start));
            assert!(known || name == "hostile", "{}", estimate.id);
        }
    }
}

#[test]
fn every_mark_leads_to_one_row_and_every_row_is_led_to() {
    for (name, mut source) in sources() {
        if name == "hostile" {
            // Its words hold paths, which are refused in public.
            source.templates.remove("summary.md");
        }
        let files = render(&source, Documents::All, Formats::WithoutPdf).expect("renders").files;
        for (path, bytes) in files.iter().filter(|(path, _)| path.as_str().ends_with(".html")) {
            let page = String::from_utf8(bytes.clone()).expect("text");
            let rows = between(&page, "<tr id=\"o-", "\"");
            let distinct: BTreeSet<&str> = rows.iter().copied().collect();
            assert_eq!(distinct.len(), rows.len(), "{name} {path}");
            let led: BTreeSet<&str> =
                between(&page, "<a class=\"from\" href=\"#o-", "\"").into_iter().collect();
            assert_eq!(led, distinct, "{name} {path}");
            assert_eq!(page.contains("id=\"o-all\""), !rows.is_empty(), "{name} {path}");
            let style = page.split("</style>").next().unwrap_or_default();
            assert_eq!(style.contains("#o-a"), !rows.is_empty(), "{name} {path}");
        }
    }
}

#[test]
fn a_number_says_formula_method_n_inputs_digest_and_command() {
    let source = realistic();
    let page = page(&source, "report.html");
    let sensitivity = source.results.estimates.iter().find(|e| e.id == "sensitivity").expect("there");
    let value = wording::value(sensitivity);
    let link = between(&page, "<a class=\"from\" href=\"#o-", "</a>")
        .into_iter()
        .find(|link| link.ends_with(&format!(">{value}")))
        .expect("a link");
    let mark = link.split('"').next().expect("a mark");
    let row = between(&page, &format!("<tr id=\"o-{mark}\">"), "</tr>")[0];
    for words in ["Sensitivity", "TP / (TP + FN)", "CI", "results.json"] {
        assert!(row.contains(words), "{words}: {row}");
    }
    assert!(row.contains(&format::count(sensitivity.n)), "{row}");
    let all = between(&page, "id=\"o-all\">", "</p>")[0];
    assert!(all.contains("sequester verify evidence/") && all.contains("SHA-256"), "{all}");
    // Once a row, however often its number is printed.
    assert_eq!(
        page.matches("TP / (TP + FN)").count(),
        between(&page, "<tr id=\"o-", "</tr>").iter().filter(|row| row.contains("TP / (TP + FN)")).count()
    );
}

#[test]
fn a_document_without_the_table_has_no_marks_and_the_public_one_names_no_input() {
    let mut source = realistic();
    source.templates.insert("origins.md".to_owned(), String::new());
    let without = page(&source, "report.html");
    assert!(!without.contains("class=\"from\"") && !without.contains("o-all"));
    let summary = page(&realistic(), "summary.html");
    assert!(summary.contains("class=\"from\"") && !summary.contains("data/"), "names no file");
}

#[test]
fn what_a_study_says_marks_nothing() {
    let mut source = realistic();
    let forged = "87.3% \u{100002}\u{100165}\u{100002}99.9%\u{100003}";
    source.device["device"]["clinical_impact"] = forged.into();
    source.results.study.title = forged.to_owned();
    let page = page(&source, "report.html");
    assert!(page.contains("99.9%") && !page.contains(">99.9%</a>"));
}

#[test]
fn the_rows_are_traced_with_everything_else() {
    let trace = crate::report::trace::trace(&realistic()).expect("traces");
    let rows = trace.numerals.iter().filter(|n| n.place.contains("row \"[")).count();
    assert!(rows > 20, "{rows}");
}
