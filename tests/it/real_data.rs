//! Real data, where they are there.

use crate::support::{real_data, sequester};

/// 935 NIH images with radiologists' reads and scores of a DenseNet121; 891 of them of adults of 18-80.
#[test]
fn the_three_reader_study_runs_from_the_files_as_they_were_published() {
    let Some(data) = real_data("the_three_reader_study_runs_from_the_files_as_they_were_published") else {
        return;
    };
    let out = tempfile::tempdir().expect("a folder");
    let study = concat!(env!("CARGO_MANIFEST_DIR"), "/protocols/nih-airspace-opacity");
    let (data, out) = (data.to_str().expect("UTF-8"), out.path().to_str().expect("UTF-8"));
    let ran = sequester(&["run", study, "--data", data, "--out", out, "--json"]);
    assert_eq!(ran.code, 10, "sensitivity does not reach its goal: {}", ran.stderr);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let flow = &report["flow"];
    assert_eq!((flow["considered"].as_u64(), flow["eligible"].as_u64()), (Some(4376), Some(891)));
    assert_eq!(flow["excluded"][0]["count"], 4376 - 935);
    assert_eq!(flow["excluded"][1]["count"], 44);
    assert_eq!((flow["analysed"].as_u64(), flow["without_consensus"].as_u64()), (Some(890), Some(1)));
    assert_eq!((flow["positives"].as_u64(), flow["negatives"].as_u64()), (Some(413), Some(477)));
    let verify = sequester(&["verify", out]);
    assert_eq!(verify.code, 0, "{}{}", verify.stdout, verify.stderr);
}

/// The source project's facts, and its numbers of images with whole patients.
#[test]
fn the_full_nih_metadata_hold_the_stated_facts_and_divide_into_the_stated_numbers() {
    let name = "the_full_nih_metadata_hold_the_stated_facts_and_divide_into_the_stated_numbers";
    let Some(data) = real_data(name) else { return };
    let at = |name: &str| data.join("nih-metadata").join(name).to_str().expect("UTF-8").to_owned();
    let (table, first, second) =
        (at("Data_Entry_2017_v2020.csv.gz"), at("train_val_list.txt.gz"), at("test_list.txt.gz"));
    let facts = concat!(env!("CARGO_MANIFEST_DIR"), "/protocols/nih-facts.toml");
    let json = |arguments: &[&str]| -> serde_json::Value {
        let ran = sequester(&[&["dataset"], arguments, &["--positive", "Pneumonia", "--json"]].concat());
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        serde_json::from_str(&ran.stdout).expect("JSON")
    };
    let described = json(&["describe", &table, "--facts", facts, "--split", &first, "--split", &second]);
    let facts = described["facts"].as_array().expect("facts");
    assert!(facts.len() == 8 && facts.iter().all(|f| f["holds"] == true), "{facts:?}");
    let images: Vec<_> =
        described["sets"].as_array().expect("sets").iter().map(|s| s["images"].as_u64()).collect();
    assert_eq!(images, [112_120, 86_524, 25_596].map(Some));
    assert_eq!(described["sets"][0]["covariates"][2]["levels"][0]["images"]["numerator"], 5402, "under 18");
    assert_eq!(described["comparisons"][0]["shared_patients"], 0);

    let out = tempfile::tempdir().expect("a folder");
    let folder = out.path().join("split");
    let to = folder.to_str().expect("UTF-8");
    let split = json(&["split", &table, "--sizes", "79113,16370,rest", "--seed", "3", "--out", to]);
    let images: Vec<_> =
        split["sets"].as_array().expect("sets").iter().map(|s| s["images"].as_u64()).collect();
    assert_eq!(images, [79_113, 16_370, 16_637].map(Some));
    assert_eq!(split["shared_patients"], 0);
    for comparison in split["comparisons"].as_array().expect("pairs") {
        assert_eq!(comparison["notable"], 0, "{comparison}");
    }
    // What was written is a case table of the wanted size, and the same command finds nothing to change.
    let again = sequester(&["dataset", "describe", &format!("{to}/training.csv"), "--json"]);
    let again: serde_json::Value = serde_json::from_str(&again.stdout).expect("JSON");
    assert_eq!(again["sets"][0]["images"], 79_113);
    assert_eq!(again["sets"][0]["positives"], split["sets"][0]["positives"]);
    let _ = json(&["split", &table, "--sizes", "79113,16370,rest", "--seed", "3", "--out", to]);
    let other = ["dataset", "split", &table, "--positive", "Pneumonia", "--seed", "4", "--out", to];
    let refused = sequester(&other);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("error[file-exists]"), "{}", refused.stderr);

    let official = json(&["split", &table, "--official", &first, &second, "--dry-run"]);
    let images: Vec<_> =
        official["sets"].as_array().expect("sets").iter().map(|s| s["images"].as_u64()).collect();
    assert_eq!(images, [86_524, 25_596].map(Some));
}

/// An older release with ages such as `060Y`, `411Y`, and one each in months and in days.
#[test]
fn the_dirty_ages_of_the_older_release_are_read_or_said() {
    let Some(data) = real_data("the_dirty_ages_of_the_older_release_are_read_or_said") else { return };
    let table = data.join("nih-metadata/sample_labels_5606.csv");
    let ran = sequester(&[
        "dataset",
        "describe",
        table.to_str().expect("UTF-8"),
        "--positive",
        "Pneumonia",
        "--json",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let described: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let set = &described["sets"][0];
    assert_eq!(set["images"], 5606);
    assert!(set["age"]["maximum"].as_u64().expect("an age") <= 122);
    assert_eq!(set["age"]["minimum"], 0, "months and days are below a year");
    let doubts = described["warnings"].as_array().expect("warnings").len() as u64;
    assert!(doubts > 0 && set["age"]["missing"].as_u64() == Some(doubts), "{doubts}");
}

/// The 621 images of a NIH sample, with the counts that its makers and their readers count on.
#[test]
fn the_index_of_the_621_images_has_the_counts_that_are_known() {
    let Some(data) = real_data("the_index_of_the_621_images_has_the_counts_that_are_known") else { return };
    let out = tempfile::tempdir().expect("a folder");
    // image,patient_id,age,sex,view,labels,pneumonia,...
    let index = std::fs::read_to_string(data.join("nih-metadata/nih_images_index.csv")).expect("reads");
    let mut cases = "case_id,patient_id,image,age_years,sex,view,findings,label\n".to_owned();
    for line in index.lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let [image, patient, age, sex, view, labels, label] = cells[..7] else { panic!("{line}") };
        let findings = if labels == "No Finding" { "" } else { labels };
        cases += &format!("{image},{patient},{image},{age},{sex},{view},{findings},{label}\n");
    }
    let table = out.path().join("cases.csv");
    std::fs::write(&table, cases).expect("writes");
    let images = data.join("nih-images-256");
    let ran = sequester(&[
        "dataset",
        "describe",
        table.to_str().expect("UTF-8"),
        "--positive",
        "Pneumonia",
        "--images",
        images.to_str().expect("UTF-8"),
        "--image-sample",
        "5",
        "--json",
    ]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(!ran.stderr.contains("identifier-telling"), "NIH's names name nobody: {}", ran.stderr);
    let description: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let set = &description["sets"][0];
    assert_eq!((set["images"].as_u64(), set["patients"].as_u64()), (Some(621), Some(621)));
    assert_eq!(set["positives"]["numerator"], 32);
    let level = |field: &str, level: &str| {
        let covariates = set["covariates"].as_array().expect("a list").iter();
        let levels =
            covariates.filter(|c| c["field"] == field).flat_map(|c| c["levels"].as_array().expect("a list"));
        levels.filter(|l| l["level"] == level).map(|l| l["images"]["numerator"].as_u64()).next().flatten()
    };
    assert_eq!((level("view", "PA"), level("view", "AP")), (Some(518), Some(103)));
    assert_eq!(level("age_band", "0-17"), Some(19));
    // Every image of the table is there.
    let intensity = set["intensity"].as_array().expect("a list");
    let there: u64 = intensity.iter().filter_map(|group| group["there"].as_u64()).sum();
    assert_eq!(there, 621);
}

/// Tests 1, 4, 5 and 6 of the Udacity files are one image: the same pixels and the same UIDs under different
/// headers.
#[test]
fn one_image_under_two_patients_is_found_by_uid_and_by_pixels() {
    let Some(data) = real_data("one_image_under_two_patients_is_found_by_uid_and_by_pixels") else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let table = |name: &str, rows: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, format!("case_id,patient_id,image\n{rows}")).expect("writes");
        path.to_str().expect("UTF-8").to_owned()
    };
    let training = table("training.csv", "a,p1,test1.dcm\nb,p2,test2.dcm\n");
    let test = table("test.csv", "c,p3,test4.dcm\n");
    let images = data.join("dicom-udacity");
    let images = images.to_str().expect("UTF-8");
    let ran = sequester(&["dataset", "leakage", &training, &test, "--images", images, "--json"]);
    assert_eq!(ran.code, 10, "{}", ran.stderr);
    let report: serde_json::Value = serde_json::from_str(&ran.stdout).expect("JSON");
    let found = report["in_common"].as_array().expect("a list");
    let kinds: Vec<_> =
        found.iter().map(|k| (k["kind"].as_str().expect("text"), k["count"].as_u64())).collect();
    assert_eq!(kinds, [("study", Some(1)), ("instance", Some(1)), ("pixels", Some(1))]);
}

/// The reads and adjudicated labels of the NIH images as they were published: no preparation, one protocol a part.
#[test]
fn the_majority_of_the_published_reads_differs_from_the_published_labels_as_often_as_it_does() {
    let name = "the_majority_of_the_published_reads_differs_from_the_published_labels_as_often_as_it_does";
    let Some(data) = real_data(name) else { return };
    let data = data.to_str().expect("UTF-8").to_owned();
    let reference = |study: &str| -> serde_json::Value {
        let ran = sequester(&["reads", "reference", study, "--data", &data, "--json"]);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        serde_json::from_str(&ran.stdout).expect("JSON")
    };
    let numbers = |report: &serde_json::Value| {
        let cases = |reads: u64| {
            let rows = report["reads_per_case"].as_array().expect("a list");
            rows.iter()
                .find(|row| row["reads"] == reads)
                .map_or(0, |row| row["cases"].as_u64().expect("a number"))
        };
        let number = |value: &serde_json::Value| value.as_u64().expect("a number");
        let repeated = report["repeated"].as_array().expect("a list").len();
        (
            number(&report["cases"]),
            number(&report["compared"]["differing"]),
            number(&report["none"]),
            [cases(1), cases(2), cases(3)],
            repeated,
        )
    };
    // Images, differences, without a majority, images with one, two and three readers, readers who read twice.
    let parts = [
        ("test", (1962, 114, 4, [0, 22, 1940], 4), 116),
        ("validation", (2414, 137, 7, [2, 25, 2387], 0), 142),
    ];
    for (part, expected, with_ties) in parts {
        let folder = format!("{}/protocols/nih-adjudicated-{part}", env!("CARGO_MANIFEST_DIR"));
        let report = reference(&folder);
        assert_eq!(numbers(&report), expected, "{part}");
        assert_eq!(report["indeterminate_reads"], 0, "{part}");
        let ids = report["compared"]["differences"].as_array().expect("a list");
        assert_eq!(ids.len() as u64, expected.1, "every difference is listed");
        let protocol = std::fs::read_to_string(format!("{folder}/protocol.toml")).expect("reads");
        let other = tempfile::tempdir().expect("a folder");
        let with = |from: &str, to: &str| {
            assert!(protocol.contains(from));
            std::fs::write(other.path().join("protocol.toml"), protocol.replace(from, to)).expect("writes");
            reference(other.path().to_str().expect("UTF-8"))
        };
        let tied = with("tie = \"none\"", "tie = \"negative\"");
        assert_eq!((&tied["compared"]["differing"], &tied["none"]), (&with_ties.into(), &0.into()), "{part}");
        // Readers may say that they cannot tell whether there is a nodule.
        let nodules = with("read_column = \"Airspace opacity\"", "read_column = \"Nodule/mass\"");
        assert!(nodules["indeterminate_reads"].as_u64() > Some(0), "{part}");
    }
}
