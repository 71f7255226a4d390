//! The truthing report from made-up but consistent results.

use super::content::MAIN_TEMPLATE;
use super::*;
use crate::digest::RelativePath;
use crate::document::lint;
use crate::report::submission::tests::realistic::realistic;
use crate::report::submission::tests::variants::{empty, hostile};
use crate::report::submission::{Formats, Source, default_templates};
use crate::study::Derivation;

fn files(source: &Source) -> std::collections::BTreeMap<RelativePath, Vec<u8>> {
    render(source, Formats::WithoutPdf).expect("renders").expect("a report").files
}

fn text(source: &Source, name: &str) -> String {
    String::from_utf8(files(source)[&name.parse().expect("a path")].clone()).expect("text")
}

#[test]
fn it_says_who_read_what_they_saw_and_where_every_answer_comes_from() {
    let source = realistic();
    assert_eq!(files(&source), files(&source));
    let page = text(&source, "truthing.html");
    for words in [
        "Truthing report: Standalone performance",
        "images alone, no score",
        "2026-01-20T09:00:00Z, by A. Example (coordinator)",
        "R1=positive; R2=negative; R3=negative",
        "How sure, as stated",
        "R1=2; R2=4",
        "R1: faint, at the left base | R2: *motion*",
        "none (too few agree)",
        "exploratory",
        "This is no reader study",
    ] {
        assert!(page.contains(words), "{words}");
    }
    let markdown = text(&source, "truthing.md");
    assert!(markdown.contains("Cases on which reference readers disagree"), "{markdown}");
    let disagreeing = markdown.split("Cases on which reference readers disagree").nth(1).expect("there");
    let disagreeing = disagreeing.split("~~~~").next().expect("the table");
    assert!(!disagreeing.contains("C0001") && disagreeing.contains("C0002") && disagreeing.contains("C0003"));
    insta::assert_snapshot!("truthing", markdown);
}

#[test]
fn a_qualification_that_fills_lines_stands_once_and_not_beside_every_reader() {
    for (words, fits) in
        [("board-certified radiologist", true), ("certified by their board, and by the source", false)]
    {
        let words = words.repeat(if fits { 1 } else { 2 });
        let mut source = realistic();
        for reader in &mut source.results.readers {
            reader.qualification = None;
        }
        source.protocol.reference_standard.qualification = Some(words.clone());
        let readers = source.results.readers.len();
        let markdown = text(&source, "truthing.md");
        let table = markdown.split("The readers, as declared").nth(1).expect("there");
        let table = table.split("##").next().expect("a table");
        assert_eq!(table.matches(&words).count(), if fits { readers } else { 1 }, "{table}");
        assert_eq!(table.matches("as for all").count(), if fits { 0 } else { readers }, "{table}");
    }
}

#[test]
fn what_is_not_recorded_is_said_so() {
    let mut source = realistic();
    source.brought[0].import = None;
    source.device["ground_truth"]["instructions"] = "".into();
    let markdown = text(&source, "truthing.md");
    assert!(markdown.contains("No statement on what the readers saw was recorded with their files."));
    assert!(markdown.contains("to be completed by the submitter"));
    let nobody = text(&empty(), "truthing.md");
    assert!(!nobody.contains("NaN"), "{nobody}");
}

#[test]
fn a_large_study_is_bounded_in_the_document_and_whole_in_the_table_beside_it() {
    let mut source = realistic();
    source.derivation = (0..1234)
        .map(|i| Derivation { case_id: format!("=case{i:04}"), ..source.derivation[0].clone() })
        .collect();
    let markdown = text(&source, "truthing.md");
    assert!(markdown.contains("Of 1,234 cases the first 500 are shown; truthing-cases.csv has each."));
    assert!(markdown.contains("case0499") && !markdown.contains("case0500"));
    let table = text(&source, "truthing-cases.csv");
    assert_eq!(table.lines().count(), 1235);
    assert!(!table.contains("How sure") && !table.contains("Comments"), "nobody said so");
    assert!(table.lines().skip(1).all(|line| line.starts_with("'=case")), "no cell is a formula");
}

#[test]
fn the_words_of_a_study_stay_words() {
    let mut source = hostile();
    let mut derivation = source.derivation.to_vec();
    derivation[0].readers = "<script>alert(1)</script> {{ 49 }} | R1=positive".into();
    source.derivation = derivation.into();
    source.brought[0].import.as_mut().expect("recorded").blinding = Some("<b>all</b> *of it*".into());
    let page = text(&source, "truthing.html");
    assert!(!page.contains("<script>") && !page.contains("<b>all"), "{page}");
    assert!(page.contains("&lt;script&gt;alert(1)") && page.contains("&lt;b&gt;all&lt;/b&gt; *of it*"));
}

#[test]
fn a_bundle_without_its_template_has_none_and_the_template_holds_no_number() {
    let mut source = realistic();
    source.templates.remove(MAIN_TEMPLATE);
    assert_eq!(render(&source, Formats::WithoutPdf).expect("renders"), None);
    let rendered = crate::report::render(&source, crate::report::Documents::Report, Formats::WithoutPdf)
        .expect("renders");
    assert!(rendered.files.keys().all(|path| !path.as_str().starts_with("truthing")));
    let both = crate::report::render(&realistic(), crate::report::Documents::Report, Formats::WithoutPdf)
        .expect("renders");
    for name in ["report.html", "truthing.html", "truthing.md", "truthing-cases.csv"] {
        assert!(both.files.contains_key(&name.parse().expect("a path")), "{name}");
    }
    assert_eq!(lint::lint(MAIN_TEMPLATE, &default_templates()[MAIN_TEMPLATE]), []);
}

#[test]
fn a_template_of_the_study_may_ask_for_every_table() {
    let mut source = realistic();
    for id in tables::IDS.iter() {
        source
            .templates
            .insert(MAIN_TEMPLATE.into(), format!("# T\n\n---\n\n{{{{ table(id=\"{id}\") }}}}\n"));
        assert!(text(&source, "truthing.md").contains("table"), "{id}");
    }
    source.templates.insert(MAIN_TEMPLATE.into(), "# T\n\n---\n\n{{ table(id=\"endpoints\") }}\n".into());
    let error = render(&source, Formats::WithoutPdf).expect_err("is refused").diagnostics();
    assert_eq!(error[0].code.as_str(), "unknown-table");
}

#[test]
fn sixty_answers_to_a_case_are_counted_in_the_document_and_kept_beside_it() {
    let mut source = realistic();
    let mut cases: Vec<Derivation> = source.derivation.to_vec();
    let answer = |reader: u32| if reader.is_multiple_of(3) { "negative" } else { "positive" };
    let answers: Vec<String> = (1..=60).map(|reader| format!("R{reader}={}", answer(reader))).collect();
    cases[0].readers = answers.join("; ");
    source.derivation = cases.into();
    let page = text(&source, "truthing.html");
    assert!(page.contains("negative: 20; positive: 40") && !page.contains("R59=positive"), "{page}");
    assert!(page.contains("more than eight answers"));
    assert!(text(&source, "truthing-cases.csv").contains("R59=positive; R60=negative"));
}
