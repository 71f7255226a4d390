//! Two devices and several hypotheses, on the command line and in a study from its files to its documents.

use serde_json::Value;

use crate::reference_values::folder;
use crate::support::{Ran, Study, real_data, sequester};

fn json(ran: &Ran) -> Value {
    serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}\n{}{}", ran.stdout, ran.stderr))
}

fn interval<'v>(comparison: &'v Value, method: &str) -> &'v Value {
    let list = comparison["intervals"].as_array().expect("intervals");
    let found = list.iter().find(|i| i["of"] == "difference" && i["method"] == method);
    found.unwrap_or_else(|| panic!("no {method} in {comparison:#}"))
}

fn apart(found: &Value, expected: &Value) -> f64 {
    let expected: f64 = expected.as_str().and_then(|t| t.parse().ok()).expect("a number");
    (found.as_f64().expect("a number") - expected).abs()
}

#[test]
fn a_table_of_counts_gives_the_exact_values_of_every_row() {
    let at = |name: &str| folder().join("comparative").join(name).to_str().expect("UTF-8").to_owned();
    let reference = crate::reference_values::reference("comparative_paired");
    let ran = sequester(&["metrics", "paired", &at("paired.csv"), "--margin", "0.05", "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let report = json(&ran);
    let tables = report["tables"].as_array().expect("tables");
    assert_eq!(tables.len(), 20);
    for table in tables {
        let expected = &reference[table["id"].as_str().expect("an id")];
        for (place, side) in ["sens", "spec"].into_iter().enumerate() {
            let found = &table["comparisons"][place];
            for (method, key) in
                [("tango", "tango"), ("newcombe", "newcombe10"), ("bonett-price", "bonett_price")]
            {
                let limits = interval(found, method);
                assert!(apart(&limits["lower"], &expected[format!("{side}.{key}.lo")]) < 1e-10);
                assert!(apart(&limits["upper"], &expected[format!("{side}.{key}.hi")]) < 1e-10);
            }
            let tests = found["margin_tests"].as_array().expect("tests");
            let tango = tests.iter().find(|t| t["method"] == "tango").expect("Tango's");
            assert!(apart(&tango["lower"]["p"], &expected[format!("{side}.m0.05.tango_ni.p")]) < 1e-10);
        }
    }
    let ran = sequester(&["metrics", "unpaired", &at("unpaired.csv"), "--json"]);
    let report = json(&ran);
    let reference = crate::reference_values::reference("comparative_unpaired");
    for table in report["tables"].as_array().expect("tables") {
        let expected = &reference[table["id"].as_str().expect("an id")];
        let limits = interval(&table["comparisons"][0], "miettinen-nurminen");
        assert!(apart(&limits["lower"], &expected["mn.lo"]) < 1e-10, "{table:#}");
    }
    let ran = sequester(&["metrics", "multiplicity", &at("multiplicity.json"), "--json"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let report = json(&ran);
    let reference = crate::reference_values::reference("comparative_multiplicity");
    let sets = report["sets"].as_array().expect("sets");
    assert_eq!(sets.len(), 10);
    for set in sets {
        let expected = &reference[set["id"].as_str().expect("an id")];
        for hypothesis in set["hypotheses"].as_array().expect("hypotheses") {
            let id = hypothesis["id"].as_str().expect("an id");
            for (rule, key) in [("holm", "holm"), ("hommel", "hommel"), ("graph", "graphical")] {
                assert!(apart(&hypothesis["adjusted"][rule], &expected[format!("{key}.{id}")]) < 1e-10);
            }
            let rejected = &expected[format!("graphical.reject0.025.{id}")] == "1";
            assert_eq!(hypothesis["rejected"]["graph"], rejected, "{set:#}");
        }
    }
}

/// Tables at every edge: the program ends as documented, and says why a value is not there.
#[test]
fn no_table_of_counts_is_answered_by_nothing() {
    let aims: [&[&str]; 4] = [
        &[],
        &["--aim", "superiority"],
        &["--aim", "non-inferiority", "--margin", "0.05"],
        &["--aim", "equivalence", "--margin", "0.999"],
    ];
    let counts = [
        "0,0,0,0",
        "1,0,0,0",
        "0,1,0,0",
        "0,0,0,1",
        "0,0,1000000,0",
        "1000000,0,0,0",
        "999999,1,0,0",
        "500000,3000,2900,494100",
        "0,0,0,0,0,0,0,0",
        "1,0,0,0,0,0,0,1",
        "0,5,0,0,0,0,7,0",
        "250000,1000,900,100,3000,2000,1000,741000",
    ];
    for aim in aims {
        for table in counts {
            let ran = sequester(&[&["metrics", "paired", "--cells", table, "--json"], aim].concat());
            assert!([0, 10].contains(&ran.code), "{table} {aim:?}: {}{}", ran.stdout, ran.stderr);
            for comparison in json(&ran)["tables"][0]["comparisons"].as_array().expect("comparisons") {
                let said = comparison["unavailable"].as_array().expect("a list");
                assert!(!comparison["difference"].is_null() || !said.is_empty(), "{table}: {comparison:#}");
                if !aim.is_empty() && !comparison["decision"].is_null() {
                    let answer = comparison["decision"]["answer"].as_str().expect("an answer");
                    assert_eq!(comparison["decision"]["interval"].is_null(), answer == "not-evaluable");
                }
            }
        }
        for pair in ["0,1,0,1", "1,1,0,1", "0,10,20,20", "1000000,1000000,0,1000000", "3,7,5,9"] {
            let ran = sequester(&[&["metrics", "unpaired", "--cells", pair, "--json"], aim].concat());
            assert!([0, 10].contains(&ran.code), "{pair} {aim:?}: {}{}", ran.stdout, ran.stderr);
        }
    }
}

#[test]
fn what_is_asked_wrongly_is_refused_with_a_way_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("writes");
        path.to_str().expect("UTF-8").to_owned()
    };
    for (arguments, code, said) in [
        (vec!["paired", "--cells", "1,2,3"], 2, "count-malformed"),
        (vec!["paired", "--cells", "1,2,3,2000000000000"], 2, "count-malformed"),
        (vec!["paired", "--cells", "1,2,3,4", "--aim", "equivalence"], 2, "option-out-of-range"),
        (vec!["paired", "--cells", "1,2,3,4", "--margin", "-0.05"], 2, "option-out-of-range"),
        (vec!["paired", "--cells", "1,2,3,4", "--margin", "5"], 2, "option-out-of-range"),
        (vec!["unpaired", "--cells", "5,4,1,2"], 2, "count-malformed"),
        (vec!["unpaired", "--cells", "0,0,1,2"], 2, "count-malformed"),
        (vec!["multiplicity", &file("a.csv", "id,p\nH1,0.01\nH1,0.02\n")], 1, "hypothesis-malformed"),
        (vec!["multiplicity", &file("b.csv", "id,p\nH1,1.5\n")], 1, "hypothesis-malformed"),
        (vec!["multiplicity", &file("c.csv", "id,p,weight\nH1,0.1,0.7\nH2,0.1,0.7\n")], 1, "more than 1"),
        (vec!["multiplicity", &file("d.csv", "id,p,weight\nH1,0.1,0.7\nH2,0.1,\n")], 1, "share of α"),
        (
            vec!["multiplicity", &file("e.csv", "id,p,weight,H2,H3\nH1,0.1,0.5,1,1\nH2,0.1,0.5,0,0\n")],
            1,
            "H3",
        ),
        (vec!["multiplicity", &file("f.json", "{\"p\": [0.1], \"w\": [1, 0]}")], 1, "hypothesis-malformed"),
        (vec!["multiplicity", &file("g.json", "[]")], 1, "hypothesis-malformed"),
        (vec!["multiplicity", &file("h.toml", "[[hypothesis]]\nid = \"a\"\nq = 1\n")], 1, "unknown-key"),
        (vec!["multiplicity", &file("i.toml", "")], 1, "hypothesis-malformed"),
        (vec!["paired", &file("j.csv", "id,both,only_first,only_second\na,1,2,3\n")], 1, "column-missing"),
        (
            vec!["paired", &file("k.csv", "both,only_first,only_second,neither\n1,2,x,4\n1,2,-3,4\n")],
            1,
            "count-malformed",
        ),
        (vec!["unpaired", &file("l.csv", "x1,n1,x2,n2\n1,2,3,2\n")], 1, "count-malformed"),
        (vec!["paired", &file("m.csv", "both,only_first,only_second,neither\n")], 1, "table-empty"),
    ] {
        let ran = sequester(&[&["metrics"], &arguments[..]].concat());
        assert_eq!(ran.code, code, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
        assert!(ran.stderr.contains(said), "{arguments:?}: {}", ran.stderr);
        assert!(!ran.stderr.contains("panicked"), "{}", ran.stderr);
    }
}

#[test]
fn hypotheses_are_read_alike_from_every_form() {
    let folder = tempfile::tempdir().expect("a folder");
    let forms = [
        (
            "a.toml",
            r#"[[hypothesis]]
id = "H1"
p = 0.02
weight = "1/2"
transitions = { H2 = 1 }
[[hypothesis]]
id = "H2"
p = 0.012
weight = 0.5
transitions = { H1 = 1.0 }
"#,
        ),
        ("a.csv", "id,p,weight,H1,H2\nH1,0.02,1/2,,1\nH2,0.012,0.5,1,0\n"),
        (
            "a.json",
            r#"{"hypotheses": [
                {"id": "H1", "p": "0.02", "weight": 0.5, "transitions": {"H2": 1}},
                {"id": "H2", "p": 0.012, "weight": "1/2", "transitions": {"H1": 1}}
            ]}"#,
        ),
        ("b.json", "{\"p\": [0.02, 0.012], \"w\": [0.5, 0.5], \"G\": [[0, 1], [1, 0]]}"),
    ];
    for (name, text) in forms {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("writes");
        let path = path.to_str().expect("UTF-8");
        let ran = sequester(&["metrics", "multiplicity", path, "--alpha", "0.05", "--json"]);
        assert_eq!(ran.code, 0, "{name}: {}", ran.stderr);
        let set = &json(&ran)["sets"][0];
        // Holm's graph: .012·2, then .02 at the whole α, not below what went before.
        let adjusted: Vec<f64> =
            (0..2).map(|i| set["hypotheses"][i]["adjusted"]["graph"].as_f64().expect("p")).collect();
        assert!(
            (adjusted[0] - 0.024).abs() < 1e-12 && (adjusted[1] - 0.024).abs() < 1e-12,
            "{name} {adjusted:?}"
        );
        assert_eq!(set["rejections"], serde_json::json!(["H2", "H1"]), "{name}");
        let text = sequester(&["metrics", "multiplicity", path]).stdout;
        assert!(text.contains("the graph rejects: H2, then H1"), "{text}");
    }
}

#[test]
fn two_columns_of_scores_are_compared_with_patients_kept_together() {
    let inputs = folder().join("inputs");
    let table = inputs.join("d08_clustered.csv").to_str().expect("UTF-8").to_owned();
    let header = std::fs::read_to_string(&table).expect("reads");
    let columns: Vec<&str> = header.lines().next().expect("a header").split(',').collect();
    let asked =
        ["metrics", "paired", &table, "--label", columns[6], "--score", columns[7], "--compare", columns[8]];
    let more = ["--aim", "non-inferiority", "--margin", "0.3", "--prevalence", "0.05", "--json"];
    let plain = json(&sequester(&[&asked[..], &more].concat()));
    let ran = sequester(&[&asked[..], &["--patient", columns[1]], &more].concat());
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let clustered = json(&ran);
    let of = |report: &Value, what: &str| -> Value {
        let list = report["tables"][0]["comparisons"].as_array().expect("comparisons").clone();
        list.into_iter().find(|c| c["what"] == what).unwrap_or_else(|| panic!("no {what}"))
    };
    let method = |report: &Value, what: &str| of(report, what)["decision"]["interval"]["method"].clone();
    assert_eq!((method(&plain, "auc"), method(&clustered, "auc")), ("delong".into(), "obuchowski".into()));
    assert_eq!(method(&plain, "sensitivity"), "tango");
    assert_eq!(method(&clustered, "sensitivity"), "delta");
    assert_eq!(of(&plain, "sensitivity")["difference"], of(&clustered, "sensitivity")["difference"]);
    assert!(of(&clustered, "ppv at 0.05")["difference"].is_number());
    let reference = crate::reference_values::reference("comparative_auc");
    let delong = interval(&of(&plain, "auc"), "delong").clone();
    assert!(apart(&delong["lower"], &reference["d08_clustered"]["lo95"]) < 1e-10);
}

/// A study whose device is compared with its predicate, from the files to the documents and back.
#[test]
fn a_study_with_a_predicate_is_validated_verified_and_reported() {
    let study = Study::small();
    let scores = study.read("scores.csv");
    // The predicate's scores are the device's, moved on every seventh case.
    let moved = scores.lines().skip(1).enumerate().map(|(i, line)| {
        let (case, score) = line.split_once(',').expect("two cells");
        let score: f64 = score.parse().expect("a number");
        format!("{case},{}\n", if i % 7 == 3 { score / 2.0 } else { score * 0.9 + 0.02 })
    });
    study.write("predicate.csv", &format!("case_id,score\n{}", moved.collect::<String>()));
    let endpoint = |id: &str, metric: &str, role: &str, margin: f64, weight: &str| {
        format!(
            "\n[[endpoint]]\nid = \"{id}\"\nmetric = \"{metric}\"\nrole = \"{role}\"\n\
             against = \"predicate\"\naim = \"non-inferiority\"\nmargin = {margin}\n\
             justification = \"it would not change who is read first\"\n{weight}\n"
        )
    };
    let more = endpoint("area", "auc", "key-secondary", 0.1, "weight = 0\npasses_on = { found = 1 }")
        + &endpoint("found", "sensitivity", "key-secondary", 0.15, "weight = 0\npasses_on = { area = 1 }")
        + "\n[predicate]\nname = \"Example device 1.0\"\nfile = \"predicate.csv\"\nthreshold = 0.5\n";
    study.replace(
        "protocol.toml",
        "criterion = \"lower > 0.70\"\n",
        &format!(
            "criterion = \"lower > 0.70\"\nweight = 1\n\
             passes_on = {{ area = \"1/2\", found = \"1/2\" }}\n{more}"
        ),
    );
    study.replace(
        "protocol.toml",
        "seed = 7\nno_consensus",
        "seed = 7\nmultiplicity = \"graph\"\nno_consensus",
    );
    let checked = study.run("check", &[]);
    assert_eq!(checked.code, 0, "{}{}", checked.stdout, checked.stderr);
    let ran = study.run("run", &["--json"]);
    assert!([0, 10].contains(&ran.code), "{}{}", ran.stdout, ran.stderr);
    let results: Value =
        serde_json::from_str(&study.read("evidence/run-1/data/results.json")).expect("results");
    let family = &results["family"];
    assert_eq!(family["rule"], "graph");
    assert_eq!(family["members"].as_array().map(Vec::len), Some(3));
    assert_eq!(results["comparisons"].as_array().map(Vec::len), Some(2));
    // Patients have several cases, and of each class one.
    assert_eq!(results["comparisons"][0]["interval_method"], "obuchowski");
    assert_eq!(results["comparisons"][1]["interval_method"], "tango");
    let alpha = family["alpha"].as_f64().expect("alpha");
    for member in family["members"].as_array().expect("members") {
        let met = member["adjusted_p"].as_f64().expect("p") <= alpha * (1.0 + 1e-12);
        assert_eq!(member["verdict"] == "met", met, "{member:#}");
    }
    let html = study.read("reports/run-1/report.html");
    for said in ["Example device 1.0", "who is read first", "non-inferiority", "Share of", "Adjusted p"] {
        assert!(html.contains(said), "the document does not say {said:?}");
    }
    let verified = study.run("verify", &[]);
    assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
    study.replace("evidence/run-1/data/inputs/predicate.csv", "C003,", "C003,0");
    assert_eq!(study.run("verify", &[]).code, 20, "a changed predicate is seen");
}

/// The study of 935 NIH images with another finding's scores as the predicate of the device.
#[test]
fn the_three_reader_study_is_compared_with_a_weaker_combination() {
    let Some(data) = real_data("the_three_reader_study_is_compared_with_a_weaker_combination") else {
        return;
    };
    let protocol = concat!(env!("CARGO_MANIFEST_DIR"), "/protocols/nih-airspace-opacity");
    let text = std::fs::read_to_string(format!("{protocol}/protocol.toml")).expect("reads");
    let scores = text.split("[scores]").nth(1).expect("scores come from elsewhere");
    let value = |key: &str| {
        let line = scores.lines().find(|l| l.starts_with(key)).unwrap_or_else(|| panic!("no {key}"));
        line.split_once('=').expect("a value").1.trim().to_owned()
    };
    let columns: Vec<String> =
        value("columns").trim_matches(['[', ']']).split(',').map(|c| c.trim().to_owned()).collect();
    let predicate = format!(
        "\n[predicate]\nname = \"one finding alone\"\nfile = {}\ncase_column = {}\n\
         score_column = {}\nthreshold = 0.5\n",
        value("file"),
        value("case_column"),
        columns[0]
    );
    let compared = "\n[[endpoint]]\nid = \"not-worse\"\nmetric = \"auc\"\nrole = \"secondary\"\n\
                    against = \"predicate\"\naim = \"non-inferiority\"\nmargin = 0.05\n\
                    justification = \"an example\"\n";
    let study = tempfile::tempdir().expect("a folder");
    let at = |name: &str| study.path().join(name).to_str().expect("UTF-8").to_owned();
    std::fs::create_dir(at("s")).expect("creates");
    for entry in std::fs::read_dir(protocol).expect("reads").flatten().filter(|e| e.path().is_file()) {
        std::fs::copy(entry.path(), study.path().join("s").join(entry.file_name())).expect("copies");
    }
    std::fs::write(at("s/protocol.toml"), format!("{text}{compared}{predicate}")).expect("writes");
    let data = data.to_str().expect("UTF-8");
    let ran = sequester(&["run", &at("s"), "--data", data, "--out", &at("out"), "--json"]);
    assert_eq!(ran.code, 10, "{}", ran.stderr);
    let text = std::fs::read_to_string(at("out/evidence/run-1/data/results.json")).expect("results");
    let results: Value = serde_json::from_str(&text).expect("JSON");
    let found = &results["comparisons"][0];
    assert_eq!(found["n"], results["flow"]["analysed"], "every analysed case has both scores");
    assert!(
        found["interval"]["lower"].as_f64().expect("a limit")
            < found["difference"].as_f64().expect("a value")
    );
    let verify = sequester(&["verify", &at("out")]);
    assert_eq!(verify.code, 0, "{}{}", verify.stdout, verify.stderr);
}
