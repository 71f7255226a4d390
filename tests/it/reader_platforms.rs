//! Real exports of readers' platforms: each is read as its manifest says, or refused by the right name.

use std::path::{Path, PathBuf};

use sequester::diagnostic::Diagnostic;
use sequester::reads::export::{Export, NoReadReason, SEVERAL};
use sequester::reads::import::{export, sniff};

use crate::reads_formats::{codes, declared};
use crate::support::real_data;

/// The folder with the files, or nothing: then the test says loudly that it was skipped.
fn folder(test: &str) -> Option<PathBuf> {
    let folder = real_data(test)?.join("reader-platforms");
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED {test}: no {}", folder.display());
    None
}

fn read(folder: &Path, file: &str, keys: &str) -> Result<Export, Vec<Diagnostic>> {
    let bytes = std::fs::read(folder.join(file)).unwrap_or_else(|e| panic!("{file}: {e}"));
    let source = declared(keys).unwrap_or_else(|problems| panic!("{file}: {problems:#?}"));
    let name = Path::new(file).file_name().expect("a name");
    export(&Path::new("reads").join(name), &bytes, &source)
}

/// What is read: case, reader and words, several choices with a `+` between them.
fn answers(export: &Export) -> Vec<(String, String, String)> {
    let answers = export.answers.iter();
    answers.map(|a| (a.case_id.to_string(), a.reader_id.to_string(), a.text.replace(SEVERAL, "+"))).collect()
}

fn reads(folder: &Path, file: &str, keys: &str) -> Export {
    read(folder, file, keys).unwrap_or_else(|problems| panic!("{file}: {problems:#?}"))
}

fn refused(folder: &Path, file: &str, keys: &str, code: &str) {
    let problems = read(folder, file, keys).expect_err(file);
    assert!(codes(&problems).contains(&code), "{file}: {problems:#?}");
    assert!(problems.iter().all(|p| p.location.is_some() && p.hint.is_some()), "{file}: {problems:#?}");
}

fn triples(list: &[(&str, &str, &str)]) -> Vec<(String, String, String)> {
    list.iter().map(|(case, reader, text)| ((*case).into(), (*reader).into(), (*text).into())).collect()
}

fn count(export: &Export, reason: NoReadReason) -> usize {
    export.no_reads.iter().filter(|none| none.reason == reason).count()
}

#[test]
fn redcaps_projects_are_read_as_their_manifest_says() {
    let Some(data) = folder("redcaps_projects_are_read_as_their_manifest_says") else { return };
    let at = |file: &str| format!("redcap/{file}");
    let bp =
        "format = \"redcap\"\ninstrument = \"bp\"\nreader_from = \"instance\"\nread_column = \"bp_systolic\"";
    let four = triples(&[("1", "1", "110"), ("1", "2", "111"), ("1", "3", "112"), ("2", "1", "114")]);
    for name in ["redcapr_repeating-instruments-sparse", "redcapr_repeating-instruments"] {
        assert_eq!(answers(&reads(&data, &at(&format!("{name}.data.csv")), bp)), four, "{name}");
    }
    for name in [
        "arm-multiple-delete",
        "arm-single-longitudinal",
        "blank-for-gray-status",
        "checkboxes-1",
        "decimal-comma-and-dot",
        "nonnumeric-record-id",
        "potentially-problematic-values",
        "repeating-instruments-sparse",
    ] {
        refused(&data, &at(&format!("redcapr_{name}.dictionary.csv")), bp, "export-without-reads");
    }
    refused(&data, &at("redcapr_arm-single-longitudinal.event.csv"), bp, "export-without-reads");

    let by_event =
        |column: &str| format!("format = \"redcap\"\nreader_from = \"event\"\nread_column = \"{column}\"");
    let weights = reads(&data, &at("redcapr_arm-single-longitudinal.data.csv"), &by_event("weight"));
    assert_eq!(weights.answers.len(), 9);
    assert_eq!(weights.answers[1].reader_id, "dischage_arm_1", "events as they are spelt");
    let images = reads(&data, &at("redcapr_arm-single-longitudinal.data.csv"), &by_event("image_profile"));
    assert_eq!((images.answers.len(), count(&images, NoReadReason::Empty)), (5, 4));
    let arms = reads(&data, &at("redcapr_arm-multiple-delete.data.csv"), &by_event("position"));
    assert_eq!(arms.answers.len(), 60, "the event is part of the key");

    let one =
        |column: &str| format!("format = \"redcap\"\nreader_from = \"file\"\nread_column = \"{column}\"");
    let boxes = |column: &str| {
        let export = reads(&data, &at("redcapr_checkboxes-1.data.csv"), &one(column));
        answers(&export).into_iter().map(|(case, _, text)| (case, text)).collect::<Vec<_>>()
    };
    let pair = |case: &str, text: &str| (case.to_owned(), text.to_owned());
    // Record 2 is not complete, record 4 was never opened; record 3 has no box of the second field ticked.
    assert_eq!(boxes("check_one"), [pair("1", "1"), pair("3", "1+2+3+4")]);
    assert_eq!(boxes("check_two"), [pair("1", "a+c")]);
    let gray = reads(&data, &at("redcapr_blank-for-gray-status.data.csv"), &one("interpreter_needed"));
    let cases: Vec<&str> = gray.answers.iter().map(|a| a.case_id.as_str()).collect();
    assert_eq!(cases, ["1", "3", "5"], "2 and 6 are not complete, 4 is blank");
    assert_eq!((count(&gray, NoReadReason::NotCompleted), count(&gray, NoReadReason::Empty)), (2, 1));
    let health = reads(&data, &at("redcapr_blank-for-gray-status.data.csv"), &one("weight"));
    assert_eq!(health.answers.len(), 2, "only the completed forms of records 3 and 4");

    let commas = reads(&data, &at("redcapr_decimal-comma-and-dot.data.csv"), &one("weight_comma"));
    assert_eq!(answers(&commas)[0].2, "52,3", "as it stands; a scale refuses it (`read-off-scale`)");
    let named = reads(&data, &at("redcapr_nonnumeric-record-id.data.csv"), &one("name"));
    assert_eq!(answers(&named).len(), 1);
    assert_eq!((named.answers[0].case_id.as_str(), named.answers[0].text.as_str()), ("b", "Bob"));
    let timed = one("integer_before_validation") + "\ntime_column = \"time_1\"";
    refused(&data, &at("redcapr_potentially-problematic-values.data.csv"), &timed, "time-unreadable");

    let weight = "format = \"redcap\"\ninstrument = \"weight\"\nreader_from = \"instance\"\nread_column = \
                  \"weight_pounds\"\n\
                  time_column = \"weight_date\"\ntime_format = \"%m/%d/%Y\"";
    let weights = reads(&data, &at("phpcap_repeating-forms.csv"), weight);
    let keys: Vec<_> = weights.answers.iter().map(|a| format!("{}#{}", a.case_id, a.reader_id)).collect();
    let complete = ["1001#1", "1001#2", "1001#3", "1002#2", "1002#3", "1002#4", "1003#2", "1003#3", "1003#4"];
    assert_eq!(keys, complete);
    let second = weights.answers[1].time.expect("a time");
    assert_eq!(second.format("%Y-%m-%d").to_string(), "2022-02-09", "month first, as another row shows");

    let sexes = "case_column = \"record_id\"\nreader_from = \"file\"\nread_column = \"sex\"";
    let sexes = reads(&data, &at("redcap-etl_multiple-choice_raw+label.csv"), sexes);
    let of = |text: &str| sexes.answers.iter().filter(|a| a.text == text).count();
    assert_eq!((of("0-1"), of("1.2")), (34, 16), "codes are texts");
    refused(&data, &at("redcap-etl_multiple-choice_raw+label.csv"), &one("sex"), "redcap-completion");

    let visits = "format = \"redcap\"\ncase_column = \"record_id\"\nreader_from = \"instance\"\nread_column \
                  = \"weight_kg\"";
    let visits = reads(&data, &at("redcap-etl_repeating-events_label-fields.csv"), visits);
    assert_eq!(visits.answers.len(), 400, "repeating events and repeating instruments");
    assert_eq!(count(&visits, NoReadReason::Elsewhere), 200, "the form does not stand in these rows");

    let survey = "format = \"redcap\"\ninstrument = \"survey\"\nreader_from = \"instance\"\nread_column = \
                  \"description\"";
    let survey = reads(&data, &at("redcap-cypress_repeating-event+instrument.csv"), survey);
    let keys: Vec<_> = survey.answers.iter().map(|a| format!("{}#{}", a.case_id, a.reader_id)).collect();
    let all = ["1#1", "1#2", "2#1", "2#2", "3#1", "3#2", "4#1", "5#1", "6#1", "7#1", "8#1"];
    assert_eq!(keys, all);
    let named = "format = \"redcap\"\nreader_from = \"instance\"\nread_column = \"lname\"";
    let named = reads(&data, &at("redcap-cypress_repeating-event+instrument.csv"), named);
    assert_eq!(named.answers.len(), 8, "the second instance of record 1 is not complete");
}

#[test]
fn label_studios_exports_are_read_as_their_manifest_says() {
    let Some(data) = folder("label_studios_exports_are_read_as_their_manifest_says") else { return };
    let at = |file: &str| format!("label-studio/{file}");
    let of = |key: &str| format!("format = \"label-studio\"\ncase_column = \"{key}\"");
    let rejected = reads(&data, &at("sdk_csv_test.json"), &of("id"));
    assert!(rejected.answers.is_empty());
    assert_eq!(count(&rejected, NoReadReason::NotCompleted), 2, "both were rejected in a review");
    assert_eq!(codes(&rejected.warnings), ["predictions-shown", "reads-none", "reads-rejected"]);
    let history = reads(&data, &at("sdk_csv_test_history.json"), &of("id"));
    assert_eq!(answers(&history), triples(&[("6141", "14", "Positive")]), "a history is not counted again");
    let colliding = reads(&data, &at("sdk_csv_test_colliding_keys.json"), &of("text"));
    assert_eq!(answers(&colliding), triples(&[("This is a sample sentence", "1", "positive")]));
    let mixed = reads(&data, &at("sdk_csv_test_colliding_keys_mixed.json"), &of("id"));
    assert_eq!(answers(&mixed), triples(&[("1", "1", "positive")]));
    assert_eq!(count(&mixed, NoReadReason::Empty), 1, "nobody annotated task 2");
    for file in ["sdk_jsonmin_data.json", "sdk_jsonmin_data_repeater.json"] {
        refused(&data, &at(file), &of("id"), "reads-presence-only");
    }
    refused(&data, &at("sdk_jsonmin_label_config.xml"), &of("id"), "export-without-reads");
    let one = reads(&data, &at("ls_previous_export.json"), &of("id"));
    assert_eq!(answers(&one), triples(&[("1234", "42", "Cat")]), "one task and no list");
    let humor = of("text") + "\ncancelled = \"not-exported\"";
    let humor = reads(&data, &at("ls_humor_dataset_2_annotations.json"), &humor);
    assert_eq!((humor.answers.len(), humor.given.len()), (1, 1), "ground truth is no read");
    assert_eq!(humor.answers[0].reader_id, "reviewer@example.com");
    let unsaid = reads(&data, &at("ls_humor_dataset_2_annotations.json"), &of("text"));
    assert!(unsaid.answers.is_empty(), "nothing says whether it was cancelled");
    refused(&data, &at("docs_json_min_example.json"), &of("image"), "label-studio-cancelled");
}

#[test]
fn dicom_reports_are_read_as_their_manifest_says() {
    let Some(data) = folder("dicom_reports_are_read_as_their_manifest_says") else { return };
    let at = |file: &str| format!("dicom-sr/{file}");
    let of = |more: &str| format!("format = \"dicom-sr\"\ncase_column = \"StudyInstanceUID\"\n{more}");
    refused(&data, &at("mdai_sample_SR.dcm"), &of(""), "dicom-sr-template");
    let file = at("highdicom_sr_document.dcm");
    refused(&data, &file, &of(""), "question-needed");
    for (question, answer) in [("Normality", "Normal"), ("121403", "Not significant")] {
        let export = reads(&data, &file, &of(&format!("question = \"{question}\"")));
        assert_eq!((&*export.answers[0].reader_id, &*export.answers[0].text), ("Foo", answer));
        assert_eq!(codes(&export.warnings), ["dicom-sr-state", "dicom-sr-state"], "partial and unverified");
    }
    for name in ["dcmjs_structured_report.dcm", "dcmqi_sr-example.dcm"] {
        refused(&data, &at(name), &of(""), "reads-presence-only");
    }
    let finding = reads(
        &data,
        &at("dcmjs_structured_report.dcm"),
        &of("question = \"Finding\"\nreader_from = \"file\""),
    );
    assert_eq!(finding.answers[0].text, "ExampleText");
    refused(&data, &at("dcmjs_structured_report.dcm"), &of("question = \"Finding\""), "value-missing");
    for name in ["tid1500-qualitative", "tid1500-ct-liver-example", "tid1500-example-nan"] {
        refused(&data, &at(&format!("dcmqi_sr-{name}.json")), &of(""), "export-unsupported");
    }
}

#[test]
fn the_other_platforms_are_read_as_their_manifest_says() {
    let Some(data) = folder("the_other_platforms_are_read_as_their_manifest_says") else { return };
    let grand = |question: &str| format!("format = \"grand-challenge\"\nquestion = \"{question}\"");
    let truth = reads(&data, "grand-challenge/gc_ground_truth.csv", &grand("mchoice"));
    assert_eq!((truth.answers.len(), truth.given.len()), (0, 3), "the reference, and no reader");
    assert_eq!(truth.given[0].text.replace(SEVERAL, "+"), "option1+option2");
    let optional = reads(&data, "grand-challenge/gc_ground_truth.csv", &grand("choice_optional"));
    assert_eq!(count(&optional, NoReadReason::Empty), 3);
    let newer = reads(&data, "grand-challenge/gc_ground_truth_new.csv", &grand("foo"));
    assert_eq!(newer.given[0].text, "no");
    let problems =
        read(&data, "grand-challenge/gc_ground_truth_invalid.csv", &grand("foo")).expect_err("quotes");
    assert_eq!(codes(&problems), ["json-unreadable"]);
    assert_eq!(problems[0].location.as_ref().and_then(|l| l.line), Some(2), "the row is named");

    let imrmc = |more: &str| format!("format = \"imrmc\"\n{more}");
    let list = reads(&data, "imrmc/didsr_input_lf.imrmc", &imrmc("question = \"testA\""));
    assert_eq!((list.answers.len(), list.given.len()), (400, 80));
    refused(&data, "imrmc/didsr_input_lf.imrmc", &imrmc(""), "question-needed");
    let split = "imrmc/viper_mrmcInput_split-plot.csv";
    for (modality, scores) in [("FFDM", 3454), ("SFM", 3457)] {
        let export = reads(&data, split, &imrmc(&format!("question = \"{modality}\"")));
        assert_eq!((export.answers.len(), export.given.len()), (scores, 419));
    }

    let truth = "case_column = \"caseID\"\nreader_column = \"readerID\"\nread_column = \"cancerStatus365\"";
    let truth = reads(&data, "csv-reads/viper_casesViper.csv", truth);
    assert_eq!((truth.answers.len(), truth.given.len()), (0, 715), "the reference, and no reader");
    for name in ["melody_demo_scores_models.csv", "melody_demo_truth.csv"] {
        refused(&data, &format!("csv-reads/{name}"), "case_column = \"case_name\"", "column-missing");
    }

    let cvat = "format = \"cvat\"\nreader_from = \"file\"";
    refused(&data, "cvat-v7/datumaro_cvat_for_images.xml", cvat, "reads-presence-only");
    let v7 = |question: &str| format!("format = \"v7\"\nreader_from = \"folder\"\nquestion = \"{question}\"");
    for name in ["v7_item-level-properties_no-annotations.json", "v7_annotations+item-level-properties.json"]
    {
        let file = format!("cvat-v7/{name}");
        let several = reads(&data, &file, &v7("test_item_level_property_multi_select"));
        assert_eq!(answers(&several), triples(&[("image_1.jpg", "reads", "1+2")]), "{name}");
        let single = reads(&data, &file, &v7("test_item_level_property_single_select"));
        assert_eq!(answers(&single), triples(&[("image_1.jpg", "reads", "1")]), "{name}");
        refused(&data, &file, "format = \"v7\"\nreader_from = \"folder\"", "question-needed");
    }
    refused(&data, "cvat-v7/v7_csv_tags.csv", "", "column-missing");

    let sheets = "xlsx/mtdgan_brain_blind_reader_study.xlsx";
    refused(&data, sheets, "", "workbook-sheet");
    let blocks = "sheet = \"Brain_Reader_Sheet\"\nheader_row = 5";
    refused(&data, sheets, blocks, "column-duplicate");
    let survey = |criterion: u8| {
        format!("format = \"wide\"\nreader_column = \"ResponseId\"\ncase_columns = \"*_{criterion}\"")
    };
    for (criterion, empty) in [(1, 2), (2, 1), (3, 1)] {
        let export = reads(&data, "xlsx/clinsumm_qualtrics_result.xlsx", &survey(criterion));
        assert_eq!((export.answers.len(), count(&export, NoReadReason::Empty)), (500 - empty, empty));
        assert!(export.no_reads.iter().all(|none| none.reader_id.as_deref() == Some("R_231Ud2d03sfPG6c")));
    }
    refused(&data, "xlsx/clinsumm_blind_order.json", "format = \"label-studio\"", "export-unsupported");
}

/// Every file is known by its content, whatever its name.
#[test]
fn each_real_file_is_known_by_its_content() {
    let Some(data) = folder("each_real_file_is_known_by_its_content") else { return };
    let manifest = std::fs::read(data.join("MANIFEST.csv")).expect("reads");
    let mut rows = csv_rows(&manifest);
    assert_eq!(rows.len(), 54);
    rows.retain(|file| !file.contains("dictionary") && !file.contains("event.csv"));
    for file in rows {
        let bytes = std::fs::read(data.join(&file)).expect("reads");
        let guess = sniff(Path::new("x"), &bytes);
        let folder = file.split('/').next().expect("a folder");
        let format = guess.format.map(|format| format.name());
        let expected: &[Option<&str>] = match (folder, file.as_str()) {
            // What an ETL program writes keeps REDCap's columns; tables of truth are tables.
            ("redcap", _) => &[Some("redcap")],
            ("dicom-sr", name) if name.ends_with(".json") => &[None],
            ("dicom-sr", _) => &[Some("dicom-sr")],
            (
                "label-studio",
                "label-studio/sdk_jsonmin_label_config.xml" | "label-studio/docs_json_min_example.json",
            ) => &[None],
            ("label-studio", _) => &[Some("label-studio")],
            ("imrmc", _) => &[Some("imrmc")],
            ("grand-challenge", _) => &[Some("grand-challenge")],
            ("cvat-v7", name) if name.ends_with(".xml") => &[Some("cvat")],
            ("cvat-v7", name) if name.ends_with(".json") => &[Some("v7")],
            (_, name) if name.ends_with(".json") => &[None],
            _ => &[Some("table"), Some("wide")],
        };
        assert!(expected.contains(&format), "{file}: {guess:?}");
    }
}

/// The first cells of a table.
fn csv_rows(bytes: &[u8]) -> Vec<String> {
    let mut reader = csv::Reader::from_reader(bytes);
    reader.records().map(|row| row.expect("a row")[0].to_owned()).collect()
}
