//! What single parts of the platforms' formats mean; whole files are in `reads_formats`.

use std::path::Path;

use super::{export, json, sniff};
use crate::diagnostic::{Code, Location};
use crate::protocol::{self, ReadsFormat, ReadsSource};
use crate::reads::export::{Export, NoReadReason};

/// What a protocol with these keys in `[reads]` says of reads.
fn source(keys: &str) -> ReadsSource {
    let declared = include_str!("../../../protocols/pneumonia-exp2a.toml");
    let start = declared.find("[reads]").expect("there");
    let end = start + declared[start..].find("\n[").expect("another section");
    let typed = format!("{}[reads]\n{keys}\n{}", &declared[..start], &declared[end..]);
    protocol::parse(Path::new("p.toml"), &typed).unwrap_or_else(|e| panic!("{keys}: {e:#?}")).reads
}

/// What a file says, or each problem as its code and line.
fn of(keys: &str, text: &str) -> Result<Export, Vec<(Code, Option<u64>)>> {
    let found = export(Path::new("reads.x"), text.as_bytes(), &source(keys));
    found.map_err(|problems| {
        problems.iter().map(|p| (p.code, p.location.as_ref().and_then(|l| l.line))).collect()
    })
}

#[test]
fn what_is_no_read_has_its_word_and_says_why() {
    use NoReadReason::{Cancelled, Elsewhere, Empty, NotCompleted};
    let reasons = [Empty, NotCompleted, Cancelled, Elsewhere];
    assert_eq!(reasons.map(NoReadReason::name), ["empty", "not-completed", "cancelled", "elsewhere"]);
    let words = [
        "answers are empty",
        "are not marked as completed",
        "were cancelled or skipped",
        "rows carry something else",
    ];
    assert_eq!(reasons.map(NoReadReason::words), words);
}

#[test]
fn a_part_of_a_text_has_its_line_and_column() {
    let text = "[\n {\"a\": 1},\n\n {\"b\": 2}]";
    let places = json::Places::of(Path::new("x.json"), text);
    let at = |part: &str| {
        let begin = text.find(part).expect("there");
        let place = places.at(&text[begin..begin + part.len()]);
        assert_eq!(&*place.path, Path::new("x.json"));
        (place.line, place.column)
    };
    assert_eq!(at("["), (Some(1), Some(1)));
    assert_eq!(at(" {\"a"), (Some(2), Some(1)));
    assert_eq!(at("{\"a"), (Some(2), Some(2)));
    assert_eq!(at("{\"b"), (Some(4), Some(2)));
    assert_eq!(at("]"), (Some(4), Some(10)));
    assert_eq!(places.at("elsewhere"), Location::file("x.json"));
}

#[test]
fn the_platform_is_known_by_any_of_its_marks_and_by_no_other() {
    let of = |text: &str| sniff(Path::new("x"), text.as_bytes()).format;
    let studio = Some(ReadsFormat::LabelStudio);
    for key in ["annotations", "completions", "annotator", "annotation_id", "lead_time"] {
        assert_eq!(of(&format!("[{{\"id\": 1, \"{key}\": 1}}]")), studio, "{key}");
        assert_eq!(of(&format!("\u{feff} {{\"{key}\": 1}}")), studio, "{key}");
    }
    let v7 = Some(ReadsFormat::V7);
    assert_eq!(of("{\"item\": 1, \"version\": 2}"), v7);
    for none in [
        "{\"item\": 1}",
        "{\"version\": 2}",
        "{\"other\": 1}",
        "[]",
        "{\"labelGroups\": 1, \"datasets\": 1}",
        "{\"Measurements\": 1, \"@schema\": 1}",
        "{\"Measurements\": 1, \"observerContext\": 1}",
        "{\"data_units\": 1, \"annotations\": 1}",
        "{\"label_hash\": 1}",
        "{\"classification_answers\": 1}",
        "{\"images\": 1, \"annotations\": 1, \"categories\": 1}",
    ] {
        assert_eq!(of(none), None, "{none}");
    }
    // Half of another platform's marks are none.
    assert_eq!(of("{\"images\": 1, \"annotations\": 1}"), studio);
    assert_eq!(of("{\"annotations\": 1, \"datasets\": 1, \"Measurements\": 1}"), studio);
    let cvat = Some(ReadsFormat::Cvat);
    assert_eq!(of("<?xml version=\"1.0\"?>\n<annotations/>"), cvat);
    assert_eq!(of("<annotations>"), cvat);
    for none in ["<annotation/>", "<View><Choices/></View>", "<?xml version=\"1.0\"?>"] {
        assert_eq!(of(none), None, "{none}");
    }
    assert_eq!(of(&format!("<!--{}--><annotations/>", " ".repeat(5000))), None, "it is not at the beginning");
    for (header, format) in [
        ("case,display_set,question,answer", ReadsFormat::GrandChallenge),
        ("case,display_set,question", ReadsFormat::Table),
        ("case,question,answer", ReadsFormat::Table),
        ("id,annotation_id,annotator", ReadsFormat::LabelStudio),
        ("id,annotation_id", ReadsFormat::Table),
        ("id,form_complete", ReadsFormat::Redcap),
        ("id,finding___1", ReadsFormat::Redcap),
        ("id,redcap_data_access_group", ReadsFormat::Redcap),
        ("id,Grader 1", ReadsFormat::Table),
        ("id,Grader 1,rater", ReadsFormat::Wide),
    ] {
        assert_eq!(
            of(&format!("{header}\n{}\n", header.replace(|c| c != ',', ""))),
            Some(format),
            "{header}"
        );
    }
}

const TRUTH: &str = "format = \"grand-challenge\"";

#[test]
fn a_table_of_ground_truth_gives_labels_and_no_reads() {
    let text = "case,finding,finding__explanation\n'a','\"present\"','\"seen\"'\n\n'b','null',''\n\
                'c','[\"x\", \"y\"]',\n'd','',\n";
    let found = of(TRUTH, text).expect("labels");
    assert_eq!(found.answers, []);
    let given: Vec<_> =
        found.given.iter().map(|a| (a.case_id.as_str(), a.text.as_str(), a.at.line)).collect();
    assert_eq!(given, [("a", "present", Some(2)), ("c", "x\u{1f}y", Some(5))]);
    assert!(found.given.iter().all(|a| a.reader_id == "ground truth" && a.time.is_none()));
    let none: Vec<_> = found.no_reads.iter().map(|n| (n.case_id.as_deref(), n.reason, n.at.line)).collect();
    let empty = NoReadReason::Empty;
    assert_eq!(none, [(Some("b"), empty, Some(4)), (Some("d"), empty, Some(6))]);

    let wrong = |row: &str| of(TRUTH, &format!("case,finding,other__explanation\n'x','\"y\"',''\n{row}\n"));
    assert_eq!(wrong("'a','\"present\"'").expect_err("cells"), [(Code::RowLength, Some(3))]);
    assert_eq!(wrong("'','\"present\"',''").expect_err("a case"), [(Code::ValueMissing, Some(3))]);
    assert_eq!(wrong("'a','present',''").expect_err("JSON"), [(Code::JsonUnreadable, Some(3))]);
    assert_eq!(wrong("'a','\"present\"','no json'").expect_err("JSON"), [(Code::JsonUnreadable, Some(3))]);
    assert_eq!(wrong("'a','{\"b\": 1}',''").expect_err("an object"), [(Code::JsonUnreadable, Some(3))]);
    assert_eq!(wrong("'a,'\"present\"',''").expect_err("quotes"), [(Code::JsonUnreadable, Some(3))]);
    // The case itself is no JSON, and need not be.
    assert_eq!(wrong("'a b','1',''").expect("labels").given.len(), 2);
    let two = "case,q1,q2\n'a','\"p\"','\"n\"'\n";
    assert_eq!(of(TRUTH, two).expect_err("which"), [(Code::QuestionNeeded, None)]);
    let named = |question: &str| of(&format!("{TRUTH}\nquestion = \"{question}\""), two);
    assert_eq!(named("q2").expect("labels").given[0].text, "n");
    assert_eq!(named("q3").expect_err("which"), [(Code::QuestionNeeded, None)]);
}

/// One task with one annotation.
fn task(annotation: &str) -> String {
    format!("[{{\"id\": 7, \"data\": {{\"case_id\": \"a\"}}, \"annotations\": [{annotation}]}}]")
}

/// An annotation of a reader that says yes, with more keys.
fn annotation(by: &str, more: &str) -> String {
    format!(
        "{{\"completed_by\": {by}, \"result\": [{{\"type\": \"choices\", \"from_name\": \"q\", \"value\": \
         {{\"choices\": [\"yes\"]}}}}]{more}}}"
    )
}

const STUDIO: &str = "format = \"label-studio\"";

#[test]
fn an_annotator_is_a_number_a_text_or_the_id_or_address_of_a_person() {
    let reader = |keys: &str, by: &str| {
        let found = of(&format!("{STUDIO}\n{keys}"), &task(&annotation(by, ", \"was_cancelled\": false")));
        found.map(|export| export.answers[0].reader_id.to_string()).map_err(|problems| problems[0].0)
    };
    assert_eq!(reader("", "3"), Ok("3".to_owned()));
    assert_eq!(reader("", "\" R1 \""), Ok("R1".to_owned()));
    assert_eq!(reader("", "{\"id\": 3, \"email\": \"x@y.org\"}"), Ok("3".to_owned()));
    assert_eq!(reader("", "{\"email\": \"x@y.org\"}"), Ok("x@y.org".to_owned()));
    let person = "{\"id\": 3, \"code\": \"R1\"}";
    assert_eq!(reader("reader_column = \"code\"", person), Ok("R1".to_owned()));
    assert_eq!(reader("reader_column = \"code\"", "3"), Ok("3".to_owned()));
    assert_eq!(reader("reader_column = \"other\"", person), Err(Code::ValueMissing));
    for nobody in ["null", "\"\"", "[1]", "true", "{}"] {
        assert_eq!(reader("", nobody), Err(Code::ValueMissing), "{nobody}");
    }
    assert_eq!(reader("reader_from = \"file\"", "null"), Ok("reads".to_owned()));
}

#[test]
fn an_annotation_that_was_cancelled_rejected_or_left_open_is_no_read() {
    let of = |keys: &str, more: &str| {
        let found = of(&format!("{STUDIO}\n{keys}"), &task(&annotation("1", more))).expect("an export");
        let reason = found.no_reads.first().map(|none| none.reason);
        assert_eq!(found.answers.len() + found.given.len() + found.no_reads.len(), 1, "{more}");
        (found.answers.len(), found.given.len(), reason)
    };
    let (open, cancelled) = (Some(NoReadReason::NotCompleted), Some(NoReadReason::Cancelled));
    assert_eq!(of("", ", \"was_cancelled\": false"), (1, 0, None));
    assert_eq!(of("", ", \"was_cancelled\": true"), (0, 0, cancelled));
    assert_eq!(of("", ", \"skipped\": true"), (0, 0, cancelled));
    assert_eq!(of("", ""), (0, 0, open), "nothing says whether it was cancelled");
    assert_eq!(of("cancelled = \"not-exported\"", ""), (1, 0, None));
    assert_eq!(of("", ", \"ground_truth\": true"), (0, 1, None));
    let whole = ", \"was_cancelled\": false";
    assert_eq!(of("", &format!("{whole}, \"last_action\": \"rejected\"")), (0, 0, open));
    assert_eq!(of("", &format!("{whole}, \"last_action\": \"accepted\"")), (1, 0, None));
    let reviews = |said: &str| of("", &format!("{whole}, \"reviews\": [{said}]"));
    assert_eq!(reviews("{\"accepted\": true}, {\"accepted\": false}"), (0, 0, open));
    assert_eq!(reviews("{\"accepted\": false}, {\"accepted\": true}"), (1, 0, None), "the last one holds");
}

#[test]
fn an_answer_is_one_on_the_whole_image_to_the_question_that_is_read() {
    let result = |kind: &str, name: &str, value: &str| {
        format!("{{\"type\": \"{kind}\", \"from_name\": \"{name}\", \"value\": {value}}}")
    };
    let with = |keys: &str, results: &[String]| {
        let annotation = format!(
            "{{\"completed_by\": 1, \"was_cancelled\": false, \"result\": [{}]}}",
            results.join(", ")
        );
        of(&format!("{STUDIO}\n{keys}"), &task(&annotation))
    };
    let text =
        |found: Result<Export, _>| found.expect("an export").answers.first().map(|a| a.text.to_string());
    let yes = result("choices", "q", "{\"choices\": [\"yes\"]}");
    // A region's choice, with a place in the image, is no answer on the image.
    for place in ["\"x\": 1", "\"points\": []"] {
        let region = result("choices", "q", &format!("{{{place}, \"choices\": [\"no\"]}}"));
        assert_eq!(text(with("", &[region.clone(), yes.clone()])), Some("yes".to_owned()));
        assert_eq!(with("", &[region]).expect_err("marks alone"), [(Code::ReadsPresenceOnly, None)]);
    }
    let other = result("choices", "r", "{\"choices\": [\"no\"]}");
    let both = [yes.clone(), other.clone()];
    assert_eq!(with("", &both).expect_err("which"), [(Code::QuestionNeeded, None)]);
    assert_eq!(text(with("question = \"r\"", &both)), Some("no".to_owned()));
    assert_eq!(with("question = \"s\"", &both).expect_err("which"), [(Code::QuestionNeeded, None)]);
    for (kind, value, said) in [
        ("rating", "{\"rating\": 4}", "4"),
        ("number", "{\"number\": 0.5}", "0.5"),
        ("textarea", "{\"text\": [\" a \", \"\"]}", "a"),
        ("pairwise", "{\"selected\": \"left\"}", "left"),
        ("taxonomy", "{\"taxonomy\": [[\"a\", \"b\"], [\"c\"]]}", "a / b\u{1f}c"),
        ("choices", "{\"choices\": [\"yes\", \"no\"]}", "yes\u{1f}no"),
    ] {
        assert_eq!(text(with("", &[result(kind, "q", value)])), Some(said.to_owned()), "{kind}");
    }
    let reason =
        |results: &[String]| with("question = \"q\"", results).expect("an export").no_reads[0].reason;
    assert_eq!(reason(&[result("choices", "q", "{\"choices\": []}")]), NoReadReason::Empty);
    assert_eq!(reason(&[]), NoReadReason::Empty);
    let marked = [result("choices", "q", "{\"choices\": null}"), other];
    assert_eq!(reason(&marked), NoReadReason::Elsewhere);
}
