//! What may stand in a protocol, key by key: each is read, and what may not stand is a problem of its own.

use std::path::Path;

use super::*;
use crate::dataset::case::{Attributes, Case, Sex};
use crate::dataset::gate::{AgeRange, AspectRange, BurnedIn};
use crate::declared::replaced;
use crate::diagnostic::Code;

/// The least that is valid.
const LEAST: &str = r#"format = "sequester-protocol/2"
[study]
id = "s"
title = "A study"
version = "1"
finding = "pneumonia"
[data]
[reference_standard]
readers = 3
rule = "majority"
qualification = "radiologist"
[operating_point]
source = "lock"
[analysis]
seed = 7
[[endpoint]]
id = "e"
metric = "auc"
role = "primary"
interval = "delong"
criterion = "lower > 0.8"
"#;

/// Whole protocols, as they are shipped.
const WHOLE: [&str; 3] = [
    include_str!("../../protocols/pneumonia-exp2a.toml"),
    include_str!("../../protocols/nih-adjudicated-test/protocol.toml"),
    include_str!("../../protocols/nih-airspace-opacity/protocol.toml"),
];

/// The least with texts replaced; a text that begins with `[` and is not there is appended.
fn text(edits: &[(&str, &str)]) -> String {
    let mut text = LEAST.to_owned();
    for (from, to) in edits {
        assert!(from.is_empty() || text.contains(from), "{from}");
        text = if from.is_empty() { format!("{text}{to}\n") } else { text.replacen(from, to, 1) };
    }
    text
}

fn valid(edits: &[(&str, &str)]) -> Protocol {
    let text = text(edits);
    parse(Path::new("protocol.toml"), &text).unwrap_or_else(|problems| panic!("{problems:#?}\n{text}"))
}

/// The problems of a text as `code message`.
fn problems(edits: &[(&str, &str)]) -> Vec<String> {
    let text = text(edits);
    let problems = parse(Path::new("protocol.toml"), &text).expect_err(&text);
    problems.iter().map(|p| format!("{} {}", p.code.as_str(), p.message)).collect()
}

/// Each text has one problem alone, which begins like that.
fn each_is_refused(table: &[(&str, &str, &str)]) {
    for (from, to, expected) in table {
        let found = problems(&[(from, to)]);
        let [problem] = &found[..] else { panic!("{to}: {found:#?}") };
        assert!(problem.starts_with(expected), "{to}\n{problem}");
    }
}

#[test]
fn a_wrong_value_is_one_problem() {
    let parsed = |text: &str| parse(Path::new("protocol.toml"), text).err();
    let mistyped: usize = WHOLE.map(|text| replaced::of_another_type(text, parsed)).iter().sum();
    let unknown: usize = WHOLE.map(|text| replaced::words(text, parsed)).iter().sum();
    assert!(mistyped > 200 && unknown > 20, "{mistyped} {unknown}");
}

#[test]
fn what_breaks_a_line_is_one_problem_there() {
    let text = WHOLE[0];
    for (from, to) in [
        ("age_years = { min = 18, max = 80 }", "age_years = { min = 18, max = 80"),
        ("age_years = { min = 18, max = 80 }", "age_years = { min = 18 max = 80 }"),
        ("age_years = { min = 18, max = 80 }", "age_years = { min = 18, max : 80 }"),
        ("allowed = [\"PA\", \"AP\"]", "allowed = [\"PA\", \"AP\""),
        ("allowed = [\"PA\", \"AP\"]", "allowed = [\"PA\" \"AP\"]"),
        ("allowed = [\"PA\", \"AP\"]", "allowed = [PA, AP]"),
        ("kind = \"one-of\"", "kind = one-of"),
        ("kind = \"one-of\"", "kind = \"one-of"),
        ("kind = \"one-of\"", "kind"),
        ("kind = \"one-of\"", "kind = "),
        ("[data]", "[data"),
        ("[data]", "data]"),
        ("[[eligibility]]", "[[eligibility]"),
    ] {
        assert!(text.contains(from), "{from}");
        let line = text[..text.find(from).expect("there")].matches('\n').count() as u64 + 1;
        let problems = parse(Path::new("p.toml"), &text.replacen(from, to, 1)).expect_err(to);
        let [problem] = &problems[..] else { panic!("{to}: {problems:#?}") };
        assert_eq!(problem.code, Code::TomlSyntax, "{to}");
        let found = problem.location.as_ref().and_then(|place| place.line).expect("a line");
        // Of what has no end the next that cannot be a part of it is told.
        assert!((line..=line + 5).contains(&found), "{to}: {problem:?}");
    }
}

/// The variables of the subgroups.
fn by(protocol: &Protocol) -> Vec<Variable> {
    protocol.subgroups.iter().map(|subgroup| subgroup.by.clone()).collect()
}

#[test]
fn what_is_not_said_has_its_default() {
    let found = valid(&[]);
    assert_eq!(found.data.cases.len(), 1);
    assert_eq!(
        (found.data.cases[0].path.as_str(), found.data.cases[0].format),
        ("cases.csv", CaseFormat::Cases)
    );
    assert_eq!((&found.data.images, &found.data.development, &found.data.source), (&None, &None, &None));
    assert_eq!(found.gate, Gate::default());
    assert_eq!((found.sample.target, found.sample.one_image_per_patient), (None, false));
    assert_eq!(found.reads.files, ["reads/*.csv"]);
    assert_eq!((found.scores.file.as_str(), found.scores.case_column.as_str()), ("scores.csv", "case_id"));
    assert_eq!((&found.scores.columns[..], found.scores.external), (&["score".to_owned()][..], false));
    assert_eq!((found.scores.combine, found.model), (Combine::Max, None));
    assert_eq!(found.operating_point, OperatingPointSource::Lock);
    let analysis = &found.analysis;
    assert_eq!((analysis.level, analysis.replicates, analysis.seed), (0.95, 2000, 7));
    assert_eq!((analysis.missing_score, analysis.no_consensus), (Incomplete::Exclude, Incomplete::Exclude));
    assert_eq!((analysis.intended_use_prevalence, analysis.subgroup_minimum), (None, 30));
    assert_eq!(analysis.resampling_unit, ResamplingUnit::Patient);
    assert_eq!(analysis.multiplicity, Multiplicity::CoPrimary);
    assert_eq!(found.endpoints[0].fallback, Fallback::EffectiveNumber);
    assert_eq!((found.eligibility, found.subgroups), (vec![], vec![]));
}

#[test]
fn what_is_said_of_data_and_gate_is_read() {
    let data = r#"[data]
cases = ["a.csv", "b.csv"]
format = "nih"
positive_findings = ["Pneumonia"]
images = "images"
development = "dev.csv"
modality = "dx"
body_part = "chest"
source = "somewhere"
[gate]
modality = ["dx", "cr"]
body_part = "chest"
view = ["pa"]
age_years = { min = 0, max = 150 }
age_from_dates = true
minimum_dimension = 512
maximum_dimension = 512
aspect_ratio = { min = 0.5, max = 0.5 }
photometric_interpretation = ["monochrome2"]
burned_in_annotation = "not-yes""#;
    let found = valid(&[("[data]", data)]);
    let paths: Vec<_> = found.data.cases.iter().map(|t| (t.path.as_str(), t.format)).collect();
    assert_eq!(paths, [("a.csv", CaseFormat::Nih), ("b.csv", CaseFormat::Nih)]);
    let development = found.data.development.expect("development");
    assert_eq!(
        (development.path.as_str(), &development.positive_findings[..]),
        ("dev.csv", &["Pneumonia".to_owned()][..])
    );
    assert_eq!(found.data.images.expect("images").as_str(), "images");
    assert_eq!(
        (found.data.modality.as_deref(), found.data.body_part.as_deref()),
        (Some("DX"), Some("CHEST"))
    );
    assert_eq!(found.data.source.as_deref(), Some("somewhere"));
    let list = |words: &[&str]| Some(words.iter().map(|&w| w.to_owned()).collect::<Vec<_>>());
    let gate = Gate {
        modality: list(&["DX", "CR"]),
        body_part: list(&["CHEST"]),
        view: list(&["PA"]),
        age_years: Some(AgeRange { min: 0, max: 150 }),
        age_from_dates: true,
        minimum_dimension: Some(512),
        maximum_dimension: Some(512),
        aspect_ratio: Some(AspectRange { min: 0.5, max: 0.5 }),
        photometric_interpretation: list(&["MONOCHROME2"]),
        burned_in_annotation: Some(BurnedIn::NotYes),
    };
    assert_eq!(found.gate, gate);
    // The same rules stand alone, or in a text of more.
    let table = &data[data.find("[gate]").expect("a gate")..];
    assert_eq!(parse_gate(Path::new("g"), table), Ok(gate.clone()));
    assert_eq!(parse_gate(Path::new("g"), table.trim_start_matches("[gate]\n")), Ok(gate));
    assert!(parse_gate(Path::new("g"), "modality = 1").is_err() && parse_gate(Path::new("g"), "[").is_err());
    assert!(parse_gate(Path::new("g"), "[gate]\nother = 1").is_err());
}

#[test]
fn what_is_said_of_sample_scores_and_model_is_read() {
    let sample = "[sample]\ncases = 10\npositives = 10\nseed = 3\nimages_per_patient = \"one\"";
    let found = valid(&[("", sample)]).sample;
    assert_eq!(found.target, Some(SampleTarget { cases: 10, positives: Some(10) }));
    assert_eq!((found.one_image_per_patient, found.seed), (true, 3));
    assert_eq!(
        valid(&[("", "[sample]\nimages_per_patient = \"one\"")]).sample.target,
        None,
        "no draw, no seed"
    );

    let scores =
        "[scores]\nfile = \"s.csv\"\ncase_column = \"id\"\ncolumns = [\"a\", \"b\"]\ncombine = \"mean\"";
    let declared = "source = \"declared\"\nthreshold = 1\nrationale = \"given\"";
    let found = valid(&[("source = \"lock\"", declared), ("", scores)]);
    assert_eq!((found.scores.file.as_str(), found.scores.case_column.as_str()), ("s.csv", "id"));
    assert_eq!(
        (&found.scores.columns[..], found.scores.combine),
        (&["a".to_owned(), "b".to_owned()][..], Combine::Mean)
    );
    assert!(found.scores.external);
    let point = OperatingPointSource::Declared { threshold: 1.0, rationale: "given".to_owned() };
    assert_eq!(found.operating_point, point);

    let development = ("[data]", "[data]\ndevelopment = \"dev.csv\"");
    let model = "[model]\nexperiment = \"exp.toml\"";
    let found = valid(&[development, ("", model)]).model.expect("a model");
    assert_eq!((found.experiment.as_str(), found.operating_point), ("exp.toml", OperatingPointRule::Youden));
    let with = |rule: &str| {
        let model = format!("{model}\n[model.operating_point]\n{rule}");
        valid(&[development, ("", &model)]).model.expect("a model").operating_point
    };
    assert_eq!(with("rule = \"sensitivity\"\ntarget = 1"), OperatingPointRule::Sensitivity(1.0));
    assert_eq!(with("rule = \"specificity\"\ntarget = 0.8"), OperatingPointRule::Specificity(0.8));
    assert_eq!(with("rule = \"youden\""), OperatingPointRule::Youden);

    let tuning = r#"source = "tuning"
cases = "t.csv"
format = "nih"
positive_findings = ["Mass"]
rule = "youden""#;
    let OperatingPointSource::Tuning { cases, rule } =
        valid(&[("source = \"lock\"", tuning)]).operating_point
    else {
        panic!("tuning")
    };
    assert_eq!(
        (cases.path.as_str(), cases.format, rule),
        ("t.csv", CaseFormat::Nih, OperatingPointRule::Youden)
    );
    assert_eq!(cases.positive_findings, ["Mass"]);
}

#[test]
fn what_is_said_of_the_analysis_is_read() {
    let analysis = r#"seed = 7
level = 0.9
resampling_unit = "site"
replicates = 100
missing_score = "refuse"
no_consensus = "refuse"
intended_use_prevalence = 0.01
subgroup_minimum = 5
multiplicity = "bonferroni""#;
    let found = valid(&[("seed = 7", analysis)]).analysis;
    assert_eq!((found.level, found.replicates, found.subgroup_minimum), (0.9, 100, 5));
    assert_eq!((found.missing_score, found.no_consensus), (Incomplete::Refuse, Incomplete::Refuse));
    assert_eq!((found.intended_use_prevalence, found.resampling_unit), (Some(0.01), ResamplingUnit::Site));
    // Several claims share what the level leaves; one alone keeps it, and so do co-primary endpoints.
    assert!((found.criterion_level(4) - 0.975).abs() < 1e-12);
    assert!((found.criterion_level(2) - 0.95).abs() < 1e-12);
    assert_eq!((found.criterion_level(1), found.criterion_level(0)), (0.9, 0.9));
    let together = Analysis { multiplicity: Multiplicity::CoPrimary, ..found };
    assert_eq!(together.criterion_level(2), 0.9);
    assert_eq!(valid(&[("seed = 7", "seed = 7\nreplicates = 1000000")]).analysis.replicates, 1_000_000);
}

#[test]
fn criteria_keep_their_order_and_words_of_tables_in_capitals_are_compared_in_capitals() {
    let criterion =
        |id: &str, rule: &str| format!("[[eligibility]]\nid = \"{id}\"\nreason = \"r {id}\"\n{rule}\n");
    let all = [
        criterion("a", "kind = \"age\"\nmin = 18\nmax = 18\nmissing = \"include\""),
        criterion("b", "kind = \"one-of\"\nfield = \"view\"\nallowed = [\"pa\"]"),
        criterion("c", "kind = \"one-of\"\nfield = \"site\"\nallowed = [\"North\"]"),
        criterion(
            "d",
            "kind = \"prior-finding\"\nsource = \"days_since_prior_finding\"\nlookback_days = 365",
        ),
        criterion("e", "kind = \"prior-finding\"\nsource = \"earlier-images\"\nfindings = [\"Mass\"]"),
        criterion("f", "kind = \"listed-in\"\nfile = \"l.csv\"\ncolumn = \"id\""),
        criterion("g", "kind = \"gate\""),
    ];
    let found = valid(&[("", &all.concat())]).eligibility;
    let one_of = |field, word: &str| Rule::OneOf { field, allowed: vec![word.to_owned()] };
    let expected = [
        Rule::Age { min: 18, max: 18 },
        one_of(Field::View, "PA"),
        one_of(Field::Site, "North"),
        Rule::NoPriorFinding { source: PriorSource::Days { lookback_days: 365 } },
        Rule::NoPriorFinding { source: PriorSource::EarlierImages { findings: vec!["Mass".to_owned()] } },
        Rule::ListedIn { path: "l.csv".parse().expect("a path"), column: "id".to_owned() },
        Rule::Gate,
    ];
    assert_eq!(found.iter().map(|c| c.rule.clone()).collect::<Vec<_>>(), expected);
    assert_eq!(found.iter().map(|c| c.id.as_str()).collect::<String>(), "abcdefg");
    assert_eq!((found[0].missing, found[1].missing), (Missing::Include, Missing::Exclude));
    assert_eq!(found[2].reason, "r c");
    let levels = "[[subgroup]]\nby = \"sex\"\n[[subgroup]]\nby = \"age\"\nbands = [[0, 17], [18, 150]]";
    assert_eq!(
        by(&valid(&[("", levels)])),
        [Variable::Field { field: Field::Sex }, Variable::Age { bands: vec![(0, 17), (18, 150)] }]
    );
}

#[test]
fn an_acceptance_criterion_compares_one_bound_with_its_goal() {
    let accepts = |text: &str| {
        let found = valid(&[("lower > 0.8", text)]).endpoints.remove(0).criterion.expect("a criterion");
        assert_eq!(found.text, text);
        [0.7, 0.8, 0.9].map(|bound| match found.bound {
            Bound::Lower => found.accepts(bound, 0.95),
            Bound::Upper => found.accepts(0.1, bound),
        })
    };
    assert_eq!(accepts("lower > 0.8"), [false, false, true]);
    assert_eq!(accepts("lower >= 0.8"), [false, true, true]);
    assert_eq!(accepts("upper < 0.8"), [true, false, false]);
    assert_eq!(accepts("upper <= 0.8"), [true, true, false]);
    for other in [
        "lower < 0.8",
        "upper > 0.8",
        "lower 0.8",
        "lower > 0.8 %",
        "auc > 0.8",
        "lower > inf",
        "lower > x",
        "",
    ] {
        let found = problems(&[("lower > 0.8", other)]);
        assert!(found[0].starts_with("criterion"), "{other}: {found:?}");
    }
}

#[test]
fn fields_have_the_name_and_the_value_of_the_case_table() {
    let word = |word: &str| Some(word.into());
    let case = Case {
        attributes: Attributes {
            sex: Some(Sex::F),
            view: word("PA"),
            site: word("north"),
            country: word("NO"),
            manufacturer: word("M"),
            modality: word("DX"),
            body_part: word("CHEST"),
            ..Attributes::default()
        }
        .into(),
        ..Case::default()
    };
    let found: Vec<_> = Field::NAMES.iter().map(|(_, f)| (f.name(), f.of(&case).expect("a value"))).collect();
    let expected = [
        ("sex", "F"),
        ("view", "PA"),
        ("site", "north"),
        ("country", "NO"),
        ("manufacturer", "M"),
        ("modality", "DX"),
        ("body_part", "CHEST"),
    ];
    assert_eq!(found, expected.map(|(name, value)| (name, value.to_owned())));
    assert!(Field::NAMES.iter().all(|(_, field)| field.of(&Case::default()).is_none()));
    assert_eq!((Role::Primary.name(), Role::Secondary.name()), ("primary", "secondary"));
}

#[test]
fn a_rule_is_written_as_it_is_declared() {
    let tuning = "source = \"tuning\"\ncases = \"t.csv\"\nrule = \"sensitivity\"\ntarget = 0.9";
    let found = serde_json::to_value(valid(&[("source = \"lock\"", tuning)])).expect("json");
    assert_eq!(found["operating_point"]["rule"], serde_json::json!({"rule": "sensitivity", "target": 0.9}));
}

#[test]
fn what_may_not_stand_in_study_data_and_gate_is_refused() {
    let long = format!("id = \"{}\"", "a".repeat(65));
    valid(&[("id = \"s\"", &format!("id = \"{}\"", "a0-".repeat(21)))]);
    each_is_refused(&[
        ("sequester-protocol/2", "sequester-protocol/3", "format-unknown the format is"),
        ("id = \"s\"", "id = \"S\"", "value-range `study.id`"),
        ("id = \"s\"", "id = \"a_b\"", "value-range `study.id`"),
        ("id = \"s\"", &long, "value-range `study.id`"),
        ("title = \"A study\"", "title = \" \"", "value-empty `study.title`"),
        ("[data]", "[data]\ncases = []", "value-empty `data.cases`"),
        ("[data]", "[data]\ncases = [\"../a.csv\", \"b.csv\"]", "path "),
        ("[data]", "[data]\nimages = \"/images\"", "path "),
        ("[data]", "[data]\ndevelopment = \"../d\"", "path "),
        ("[data]", "[data]\nother = 1", "unknown-key "),
        ("", "[gate]\nage_years = { min = 81, max = 80 }", "value-range min 81 is above max 80"),
        ("", "[gate]\nage_years = { min = 0, max = 151 }", "value-range `max` is 151"),
        ("", "[gate]\nage_years = { min = 0 }", "key-missing `gate.age_years.max`"),
        ("", "[gate]\nage_years = { min = 0, max = 1, x = 1 }", "unknown-key "),
        ("", "[gate]\naspect_ratio = { min = 2, max = 1 }", "value-range min 2 is above max 1"),
        ("", "[gate]\naspect_ratio = { min = 0, max = 1 }", "value-range `gate.aspect_ratio.min`"),
        ("", "[gate]\naspect_ratio = { max = 1 }", "key-missing `gate.aspect_ratio.min`"),
        ("", "[gate]\naspect_ratio = { min = 1, max = 1, x = 1 }", "unknown-key "),
        ("", "[gate]\nminimum_dimension = 2\nmaximum_dimension = 1", "value-range minimum_dimension 2"),
        ("", "[gate]\nage_from_dates = true", "key-missing `gate.age_from_dates`"),
        ("", "[gate]\nburned_in_annotation = \"yes\"", "value-unknown "),
        ("", "[gate]\nother = 1", "unknown-key "),
    ]);
    let hint = |format: &str| {
        let text = text(&[("sequester-protocol/2", format)]);
        parse(Path::new("p"), &text).expect_err("another format")[0].hint.clone().unwrap_or_default()
    };
    assert!(hint("sequester-protocol/1").contains("sequester 0.1"), "{}", hint("sequester-protocol/1"));
    assert_eq!(hint("sequester-protocol/3"), "");
    let without = problems(&[("format = \"sequester-protocol/2\"\n", "")]);
    assert_eq!(without.len(), 1, "the format is missing, and not also wrong: {without:?}");
}

#[test]
fn what_may_not_stand_in_criteria_and_subgroups_is_refused() {
    let criterion = |rule: &str| format!("[[eligibility]]\nid = \"a\"\nreason = \"r\"\n{rule}");
    let of = |rule: &str, expected: &str| each_is_refused(&[("", &criterion(rule), expected)]);
    of("kind = \"age\"\nmin = 81\nmax = 80", "value-range min 81 is above max 80");
    of("kind = \"one-of\"\nfield = \"view\"\nallowed = []", "value-empty `allowed`");
    of("kind = \"one-of\"\nallowed = [\"a\"]", "key-missing `eligibility[1].field`");
    of("kind = \"prior-finding\"\nsource = \"earlier-images\"", "value-empty `findings`");
    of(
        "kind = \"prior-finding\"\nsource = \"days_since_prior_finding\"",
        "key-missing `eligibility[1].lookback_days`",
    );
    of("kind = \"listed-in\"\ncolumn = \"a\"", "key-missing `eligibility[1].file`");
    of("kind = \"listed-in\"\nfile = \"../a\"\ncolumn = \"a\"", "path ");
    of("kind = \"gate\"\nmin = 1", "unknown-key ");
    of("missing = \"include\"", "key-missing `eligibility[1].kind`");
    let twice = criterion("kind = \"gate\"\n").repeat(2);
    each_is_refused(&[
        ("", &twice, "duplicate-id two criteria"),
        ("", "[[subgroup]]\nby = \"sex\"\n[[subgroup]]\nby = \"sex\"", "duplicate-id this subgroup"),
        ("", "[[subgroup]]\nby = \"sex\"\nbands = [[1, 2]]", "unknown-key "),
        ("", "[[subgroup]]\nby = \"age\"", "value-empty age needs `bands`"),
        ("", "[[subgroup]]\nby = \"age\"\nbands = [[2, 1]]", "value-range bands must ascend"),
        ("", "[[subgroup]]\nby = \"age\"\nbands = [[1, 151]]", "value-range bands must ascend"),
        ("", "[[subgroup]]\nby = \"age\"\nbands = [[1, 5], [5, 9]]", "value-range bands must ascend"),
        ("", "[[subgroup]]\nby = \"age\"\nbands = [[6, 9], [1, 5]]", "value-range bands must ascend"),
    ]);
    let one_year = "[[subgroup]]\nby = \"age\"\nbands = [[5, 5], [6, 6]]";
    assert_eq!(by(&valid(&[("", one_year)])), [Variable::Age { bands: vec![(5, 5), (6, 6)] }]);
}

#[test]
fn what_may_not_stand_in_sample_scores_and_model_is_refused() {
    let nih = "[data]\nformat = \"nih\"";
    let positives = "[sample]\ncases = 5\npositives = 2\nseed = 1\n[reference_standard]";
    let found = problems(&[("[data]", nih), ("[reference_standard]", positives)]);
    assert!(found[0].starts_with("source-label-missing "), "{found:?}");
    valid(&[("[data]", nih), ("[reference_standard]", &positives.replace("positives = 2\n", ""))]);
    valid(&[
        ("[data]", &format!("{nih}\npositive_findings = [\"Mass\"]")),
        ("[reference_standard]", positives),
    ]);
    valid(&[("[reference_standard]", positives)]);
    each_is_refused(&[
        ("", "[sample]\ncases = 5\npositives = 6\nseed = 1", "value-range 6 positives of 5 cases"),
        ("", "[sample]\ncases = 0\nseed = 1", "value-range `sample.cases`"),
        ("", "[sample]\npositives = 1\nseed = 1", "key-missing `sample.positives`"),
        ("", "[sample]\ncases = 5", "key-missing `sample.seed`"),
        ("", "[sample]\nother = 5", "unknown-key "),
        ("", "[model]\nexperiment = \"e.toml\"", "development-missing "),
        ("[data]", "[model]\nother = 1\nexperiment = \"e\"\n[data]\ndevelopment = \"d\"", "unknown-key "),
        ("[data]", "[model]\n[data]\ndevelopment = \"d\"", "key-missing `model.experiment`"),
        ("", "[scores]\nfile = \"s.csv\"", "operating-point-without-lock "),
    ]);
    let declared = "source = \"declared\"\nthreshold = 0\nrationale = \"given\"";
    let of = |more: &[(&str, &str)], expected: &str| {
        let found = problems(&[&[("source = \"lock\"", declared)], more].concat());
        assert!(found.len() == 1 && found[0].starts_with(expected), "{found:?}");
    };
    of(&[("", "[scores]\ncolumns = []")], "value-empty `scores.columns`");
    of(&[("", "[scores]\nfile = \"../s\"")], "path ");
    of(&[("", "[scores]\nother = 1")], "unknown-key ");
    let model = "[model]\nexperiment = \"e\"\n[scores]";
    of(&[("[data]", "[data]\ndevelopment = \"d\""), ("", model)], "model-and-scores ");
    let rule = |rule: &str, expected: &str| {
        let model = format!("[model]\nexperiment = \"e\"\n[model.operating_point]\n{rule}");
        let found = problems(&[("[data]", "[data]\ndevelopment = \"d\""), ("", &model)]);
        assert!(found.len() == 1 && found[0].starts_with(expected), "{rule}: {found:?}");
    };
    rule("rule = \"sensitivity\"", "key-missing the rule needs a `target`");
    rule("rule = \"specificity\"\ntarget = 0", "value-range ");
    rule("rule = \"sensitivity\"\ntarget = 1.1", "value-range ");
    rule("rule = \"youden\"\ntarget = 0.5", "unknown-key ");
    rule("", "key-missing `model.operating_point.rule`");
}

#[test]
fn what_may_not_stand_in_operating_point_analysis_and_endpoints_is_refused() {
    let point = |to: &str, expected: &str| each_is_refused(&[("source = \"lock\"", to, expected)]);
    point("source = \"declared\"\nrationale = \"r\"", "key-missing a declared operating point");
    point("source = \"declared\"\nthreshold = 0.5", "key-missing `operating_point.rationale`");
    point("source = \"declared\"\nthreshold = 1.5\nrationale = \"r\"", "value-range ");
    point("source = \"lock\"\nthreshold = 0.5", "unknown-key ");
    point("source = \"tuning\"\nrule = \"youden\"", "key-missing `operating_point.cases`");
    point("source = \"tuning\"\nrule = \"youden\"\ncases = \"t\"\nformat = \"nih\"", "source-label-missing ");
    point("", "key-missing `operating_point.source`");
    let analysis = |more: &str, expected: &str| each_is_refused(&[("seed = 7", more, expected)]);
    analysis("", "key-missing `analysis.seed`");
    analysis("seed = 7\nreplicates = 99", "value-range 99 replicates");
    analysis("seed = 7\nreplicates = 1000001", "value-range 1000001 replicates");
    for number in ["0.5", "1", "1.5", "0"] {
        analysis(&format!("seed = 7\nlevel = {number}"), "value-range `analysis.level`");
    }
    for number in ["0", "1", "-0.1", "2"] {
        analysis(&format!("seed = 7\nintended_use_prevalence = {number}"), "value-range ");
    }
    analysis("seed = 7\nother = 1", "unknown-key ");
    each_is_refused(&[
        ("[analysis]\nseed = 7\n", "", "key-missing `analysis` is missing"),
        ("[operating_point]\nsource = \"lock\"\n", "", "key-missing `operating_point` is missing"),
        ("criterion = \"lower > 0.8\"\n", "", "key-missing a primary endpoint needs a `criterion`"),
        ("role = \"primary\"", "role = \"secondary\"", "endpoint-missing "),
        ("role = \"primary\"", "role = \"primary\"\nother = 1", "unknown-key "),
        ("metric = \"auc\"\n", "", "key-missing `endpoint[1].metric`"),
        ("interval = \"delong\"\n", "", "key-missing `endpoint[1].interval`"),
        ("interval = \"delong\"", "interval = \"bootstrap-exact\"", "value-unknown "),
        ("interval = \"delong\"", "interval = \"delong\"\nfallback = \"other\"", "value-unknown "),
    ]);
    let second = "[[endpoint]]\nid = \"e\"\nmetric = \"auc\"\nrole = \"secondary\"\ninterval = \"delong\"";
    each_is_refused(&[("", second, "duplicate-id two endpoints")]);
    // A secondary endpoint needs no criterion; the exact law of the bootstrap needs single cases.
    assert_eq!(valid(&[("", &second.replace("\"e\"", "\"f\""))]).endpoints[1].criterion, None);
    let exact = [
        ("seed = 7", "seed = 7\nresampling_unit = \"case\""),
        ("\"delong\"", "\"bootstrap-exact\""),
        ("\"auc\"", "\"sensitivity\""),
    ];
    assert_eq!(valid(&exact).endpoints[0].interval, IntervalMethod::BootstrapExact);
    let fallback = [("\"delong\"", "\"delong\"\nfallback = \"none\"")];
    assert_eq!(valid(&fallback).endpoints[0].fallback, Fallback::None);
}

#[test]
fn what_readers_say_has_one_meaning() {
    let reads = r#"[reads]
files = ["a/*.csv", "b.csv"]
case_column = "c"
reader_column = "r"
read_column = "x"
positive = ["yes", "1"]
negative = "no"
indeterminate = ["?"]"#;
    let found = valid(&[("", reads)]).reads;
    let columns = [found.case_column, found.reader_column, found.read_column];
    assert_eq!(columns, ["c", "r", "x"].map(|name| Some(name.to_owned())));
    assert_eq!(
        (&found.positive[..], &found.negative[..]),
        (&["yes".to_owned(), "1".to_owned()][..], &["no".to_owned()][..])
    );
    assert_eq!(found.files, ["a/*.csv", "b.csv"]);
    let twice = problems(&[("", "[reads]\npositive = [\"Yes\"]\nnegative = [\"yes\"]")]);
    assert!(twice.len() == 1 && twice[0].starts_with("read-ambiguous "), "{twice:?}");
    let outside = problems(&[("", "[reads]\nfiles = [\"../a.csv\"]")]);
    assert!(outside.len() == 1 && outside[0].starts_with("path "), "{outside:?}");
}
