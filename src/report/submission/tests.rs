//! Whole documents from made-up but consistent results, and what must hold for each of them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::source::{Opening, Recorded, Rendered, Source, TrainingEpoch};
use super::*;
use crate::dataset::describe::Description;
use crate::dataset::gate::Gate;
use crate::diagnostic::{Code, Diagnostic};
use crate::digest::RelativePath;
use crate::document::lint;
use crate::model::lock::Lock;
use crate::protocol::Role;
use crate::report::banner::SYNTHETIC_BANNER;
use crate::statistics::confusion::Confusion;
use crate::statistics::estimate::{
    Estimate, Interval, IntervalMethod, ResamplingUnit, Scenario, SubgroupLevel,
};
use crate::statistics::metric::Metric;
use crate::statistics::multiplicity::Multiplicity;
use crate::statistics::operating_point::{ChosenBy, OperatingPointRule};
use crate::statistics::roc::{PrecisionRecallPoint, RocPoint};
use crate::statistics::roc_band::BandPoint;
use crate::statistics::warning::Warning;
use crate::study::results::*;

/// A two-sided 95% interval around a value, clipped to 0..1; the numbers are made up.
fn interval(method: IntervalMethod, value: f64, half: f64) -> Interval {
    let bootstrap = method == IntervalMethod::BootstrapPercentile;
    Interval {
        method,
        level: 0.95,
        lower: (value - half).max(0.0),
        upper: (value + half).min(1.0),
        unit: bootstrap.then_some(ResamplingUnit::Patient),
        replicates: bootstrap.then_some(2000),
        seed: bootstrap.then_some(7),
        dropped: bootstrap.then_some(3),
    }
}

fn proportion(id: &str, numerator: u64, denominator: u64, positives: u64, n: u64) -> Estimate {
    let value = numerator as f64 / denominator as f64;
    let half = 1.96 * (value * (1.0 - value) / denominator as f64).sqrt() + 0.5 / denominator as f64;
    Estimate {
        id: id.into(),
        value: Some(value),
        numerator: Some(numerator),
        denominator: Some(denominator),
        n,
        positives,
        threshold: Some(0.4012),
        intervals: vec![
            interval(IntervalMethod::ClopperPearson, value, half * 1.05),
            interval(IntervalMethod::Wilson, value, half),
        ],
        ..Estimate::default()
    }
}

fn index(id: &str, value: f64, half: f64, method: IntervalMethod, n: u64, positives: u64) -> Estimate {
    Estimate {
        id: id.into(),
        value: Some(value),
        n,
        positives,
        intervals: vec![interval(method, value, half)],
        ..Estimate::default()
    }
}

fn subgroup(name: &str, n: u64, auc: f64) -> Vec<Estimate> {
    let positives = n / 2;
    let half = 1.2 / (n as f64).sqrt() * 0.5;
    let mut list = vec![
        index("auc", auc, half, IntervalMethod::Delong, n, positives),
        proportion("sensitivity", positives * 7 / 8, positives.max(1), positives, n),
        proportion("specificity", (n - positives) * 6 / 7, (n - positives).max(1), positives, n),
    ];
    for e in &mut list {
        e.subgroup = name.to_owned().try_into().ok();
        if n < 30 {
            e.warnings.push(Warning::new(Code::SubgroupInsufficient, "fewer than 30 cases"));
        }
    }
    list
}

fn endpoint(
    metric: Metric,
    role: Role,
    method: IntervalMethod,
    value: f64,
    lower: f64,
    verdict: Verdict,
) -> EndpointResult {
    EndpointResult {
        id: metric.id().into(),
        metric,
        role,
        criterion: Some("lower > 0.80".into()),
        interval_method: method,
        fallback: None,
        value: Some(value),
        interval: Some(Interval { lower, upper: 2.0 * value - lower, ..interval(method, value, 0.0) }),
        bound: Some(lower),
        verdict: Some(verdict),
    }
}

/// A study as it should be.
/// Three cases for development and two of a test set.
fn description(findings: &[&str]) -> Description {
    use crate::dataset::case::{Case, Sex};
    use crate::dataset::describe::{AgeBand, Request, Set, describe};
    let case = |id: u16, sex, age_years, positive: bool| Case {
        case_id: format!("C{id}"),
        patient_id: format!("P{id}"),
        sex: Some(sex),
        age_years,
        view: Some(if positive { "AP" } else { "PA" }.to_owned()),
        findings: findings.iter().filter(|_| positive).map(|f| (*f).to_owned()).collect(),
        source_label: Some(positive),
        ..Case::default()
    };
    let development =
        [case(1, Sex::F, Some(40), true), case(2, Sex::M, Some(51), false), case(3, Sex::F, None, false)];
    let test = [case(4, Sex::M, Some(77), true), case(5, Sex::M, Some(60), false)];
    let sets = [
        Set { name: "Development".into(), cases: development.iter().collect() },
        Set { name: "Test set".into(), cases: test.iter().collect() },
    ];
    let fields = ["case_id", "patient_id", "sex", "age_years", "view", "findings", "label"].into();
    let positive = vec!["Pneumonia".to_owned()];
    describe(&sets, &Request { positive, bands: AgeBand::USUAL.to_vec(), fields, whole_first: false })
}

pub(super) fn realistic() -> Source {
    let row = |variable: &str, level: &str, cases: u64| CohortRow {
        variable: variable.into(),
        level: level.into(),
        cases,
        patients: cases * 9 / 10,
        positives: cases / 2,
    };
    let levels = [
        ("sex", "F", 437),
        ("sex", "M", 541),
        ("age", "18-44", 301),
        ("age", "45-64", 402),
        ("age", "65-80", 275),
        ("view", "PA", 611),
        ("view", "AP", 367),
        ("site", "Northern County General Hospital and Outpatient Imaging Center", 480),
        ("site", "Riverside Urgent Care", 474),
        ("site", "Harbor Clinic", 24),
        ("manufacturer", "Aurora Imaging", 600),
        ("manufacturer", "not recorded", 378),
    ];
    let mut estimates = vec![
        {
            let mut auc = index("auc", 0.871_49, 0.0234, IntervalMethod::Delong, 978, 486);
            auc.intervals.push(interval(IntervalMethod::BootstrapPercentile, 0.871_49, 0.0251));
            auc
        },
        proportion("sensitivity", 425, 486, 486, 978),
        proportion("specificity", 418, 492, 486, 978),
        proportion("ppv", 425, 499, 486, 978),
        proportion("npv", 418, 479, 486, 978),
        proportion("accuracy", 843, 978, 486, 978),
        index("f1", 0.8629, 0.021, IntervalMethod::BootstrapPercentile, 978, 486),
    ];
    for (id, value) in [("ppv", 0.234), ("npv", 0.9923), ("f1", 0.369)] {
        let mut e = index(id, value, 0.03, IntervalMethod::BootstrapPercentile, 978, 486);
        e.prevalence = Some(0.05);
        estimates.push(e);
    }
    for (name, value) in [
        ("true-positives", 43.7),
        ("false-negatives", 6.3),
        ("false-positives", 142.9),
        ("true-negatives", 807.1),
    ] {
        let mut e =
            index(&format!("per-1000-{name}"), value, 0.0, IntervalMethod::BootstrapPercentile, 978, 486);
        e.prevalence = Some(0.05);
        e.intervals.clear();
        estimates.push(e);
    }
    for (scenario, auc, sens, spec) in [
        (Scenario::BestCase, 0.879, (447, 500), (426, 500)),
        (Scenario::WorstCase, 0.842, (425, 500), (418, 500)),
    ] {
        let mut list = vec![
            index("auc", auc, 0.024, IntervalMethod::Delong, 1000, 500),
            proportion("sensitivity", sens.0, sens.1, 500, 1000),
            proportion("specificity", spec.0, spec.1, 500, 1000),
        ];
        for e in &mut list {
            e.scenario = Some(scenario);
        }
        estimates.extend(list);
    }
    for (i, (variable, level, n)) in levels.iter().enumerate() {
        estimates.extend(subgroup(&format!("{variable}={level}"), *n, 0.85 + 0.005 * (i % 7) as f64));
    }
    let steps = 60;
    let curve = |x: f64| x.powf(0.165);
    let roc: Vec<RocPoint> = (0..=steps)
        .map(|i| {
            let fpr = (f64::from(i) / f64::from(steps)).powi(2);
            RocPoint {
                threshold: (i > 0).then(|| 1.0 - f64::from(i) / f64::from(steps)),
                fpr,
                tpr: curve(fpr),
            }
        })
        .collect();
    let roc_band = (0..=100)
        .map(|i| {
            let fpr = f64::from(i) / 100.0;
            let half = 0.05 * (1.0 - fpr);
            BandPoint { fpr, lower: (curve(fpr) - half).max(0.0), upper: (curve(fpr) + half).min(1.0) }
        })
        .collect();
    let bump = |center: f64, total: f64| -> Vec<u64> {
        (0..20)
            .map(|i| {
                let z = (f64::from(i) / 20.0 + 0.025 - center) / 0.17;
                (total * 0.117 * (-z * z / 2.0).exp()).round() as u64
            })
            .collect()
    };
    let results = Results {
        format: FORMAT.into(),
        study: StudyIdentity {
            id: "pneumonia-exp2a".into(),
            title: "Standalone performance of a chest X-ray pneumonia classifier (experiment 2A)".into(),
            version: "1.0".into(),
            finding: "pneumonia".into(),
            synthetic: false,
        },
        flow: Flow {
            considered: 2480,
            considered_patients: 1920,
            excluded: [
                ("age", "age outside 18-80 years", 310, 310),
                ("view", "view other than PA or AP", 205, 260),
                ("prior-pneumonia", "pneumonia within 365 days before the image", 121, 160),
                ("quality", "image could not be read", 0, 0),
            ]
            .map(|(id, reason, count, count_any)| ReasonCount {
                id: id.into(),
                reason: reason.into(),
                count,
                count_any,
            })
            .to_vec(),
            eligible: 1844,
            not_sampled: 844,
            sampled: 1000,
            sampled_patients: 902,
            without_consensus: 14,
            without_score: 8,
            analysed: 978,
            analysed_patients: 884,
            positives: 486,
            negatives: 492,
        },
        cohort: levels.iter().map(|(v, l, n)| row(v, l, *n)).collect(),
        readers: [("R1", 1000, 481, 507, 12, 0, 0), ("R2", 997, 502, 480, 15, 0, 3), ("R3", 994, 470, 501, 21, 2, 6)]
            .map(|(id, reads, positive, negative, indeterminate, set_aside, missing)| ReaderSummary {
                id: id.into(),
                reads,
                positive,
                negative,
                indeterminate,
                set_aside,
                missing: Some(missing),
            })
            .to_vec(),
        consensus: ConsensusSummary {
            unanimous: 790,
            majority: 151,
            incomplete: 45,
            none: 14,
            positive: 490,
            negative: 496,
            cases_without: (1..=14).map(|i| format!("C{:04}", i * 61)).collect(),
        },
        agreement: vec![
            index("fleiss_kappa", 0.742, 0.031, IntervalMethod::BootstrapPercentile, 978, 486),
            Estimate { model: Some("R1 vs R2".into()), ..index("cohen_kappa", 0.761, 0.04, IntervalMethod::BootstrapPercentile, 971, 486) },
            Estimate { model: Some("R1 vs R3".into()), ..index("cohen_kappa", 0.733, 0.043, IntervalMethod::BootstrapPercentile, 968, 486) },
            Estimate { model: Some("R2 vs R3".into()), ..index("cohen_kappa", 0.729, 0.044, IntervalMethod::BootstrapPercentile, 961, 486) },
        ],
        operating_point: OperatingPointRecord {
            threshold: 0.401_250_332_593_918,
            rule: ChosenBy::Rule(OperatingPointRule::Sensitivity(0.9)),
            provenance: "tuning split of 1,210 cases of 960 patients, 388 positive; fixed before the test set was opened".into(),
        },
        method: AnalysisMethod {
            level: 0.95,
            resampling_unit: ResamplingUnit::Patient,
            replicates: 2000,
            seed: 7,
            subgroup_minimum: 30,
            intended_use_prevalence: Some(0.05),
            multiplicity: Multiplicity::CoPrimary,
            criterion_level: None,
            program_version: "0.1.0".into(),
        },
        estimates,
        endpoints: vec![
            endpoint(Metric::Auc, Role::Primary, IntervalMethod::Delong, 0.871_49, 0.8481, Verdict::Met),
            endpoint(Metric::Sensitivity, Role::Primary, IntervalMethod::ClopperPearson, 0.8745, 0.8418, Verdict::Met),
            endpoint(Metric::Specificity, Role::Primary, IntervalMethod::ClopperPearson, 0.8496, 0.8149, Verdict::Met),
            endpoint(Metric::F1, Role::Secondary, IntervalMethod::BootstrapPercentile, 0.8629, 0.8419, Verdict::Met),
        ],
        conclusion: Verdict::Met,
        poolability: None,
        curves: Curves {
            roc,
            roc_band,
            roc_band_method: None,
            histogram: ScoreHistogram {
                edges: (0..=20).map(|i| f64::from(i) / 20.0).collect(),
                positives: bump(0.66, 486.0),
                negatives: bump(0.27, 492.0),
            },
            confusion: Confusion { true_positives: 425, false_negatives: 61, false_positives: 74, true_negatives: 418 },
            precision_recall: (1..=40)
                .map(|i| {
                    let recall = f64::from(i) / 40.0;
                    PrecisionRecallPoint { threshold: 1.0 - recall, recall, precision: 0.97 - 0.45 * recall.powi(5) }
                })
                .collect(),
        },
        warnings: vec![
            Warning { code: Code::SubgroupInsufficient, message: "site = Harbor Clinic has 24 analysed cases, fewer than 30".into() },
            Warning { code: Code::CriterionMatchedNothing, message: "no case has view = LL".into() },
        ],
    };
    let training = (1..=32)
        .map(|epoch| {
            let t = f64::from(epoch);
            TrainingEpoch {
                epoch,
                stage: if epoch <= 17 { 1 } else { 2 },
                loss: 0.69 * (-t / 25.0).exp() + 0.02 * (t * 1.7).sin(),
                tuning_auc: Some(0.86 - 0.25 * (-t / 8.0).exp() + 0.008 * (t * 2.3).cos()),
            }
        })
        .collect();
    let protocol_text = include_str!("../../../protocols/pneumonia-exp2a.toml");
    let protocol: toml::Table = toml::from_str(protocol_text).expect("the protocol parses");
    let hex = |i: u8| crate::digest::Digest::of(&[i]).to_string();
    let lock: Value =
        serde_json::from_str(include_str!("../../../fixtures/report/lock.json")).expect("the lock parses");
    let typed: Lock = serde_json::from_value(lock.clone()).expect("the lock is valid");
    let mut digests: BTreeMap<String, String> = [
        "data/cases.csv",
        "data/device.toml",
        "data/ledger.jsonl",
        "data/model/lock.json",
        "data/protocol.toml",
        "data/reads/reader-1.csv",
        "data/reference.csv",
        "data/results.json",
        "data/scores.csv",
    ]
    .iter()
    .zip(2..)
    .map(|(path, i)| ((*path).to_owned(), hex(i)))
    .collect();
    let weights = lock["weights"]["sha256"].as_str().expect("a digest").to_owned();
    digests.insert("data/model/weights.safetensors".into(), weights);
    Source {
        results,
        description: Some(description(&["Edema", "Pneumonia"])),
        device: serde_json::json!({
            "submitter": {"name": "Example Diagnostics", "address": "1 Example Way", "contact": ""},
            "device": {"name": "PneumoDetect AI", "version": "1.0.0",
                "common_name": "Computer-assisted detection software for chest radiographs",
                "classification_name": "Radiological computer aided triage and notification software",
                "regulation": "21 CFR 892.2080",
                "product_code": "",
                "description": "Software that gives a score for pneumonia from one frontal chest radiograph.\n\nIt runs beside the picture archive and has no user interface of its own.",
                "intended_use": "To assist radiologists in the detection of pneumonia in frontal chest radiographs of adults.",
                "indications": "Adults of 18 to 80 years, PA and AP views, in hospital, urgent care and outpatient settings.",
                "limitations": ["Not for primary diagnosis.", "Not for patients under 18 years.", "Poor exposure and co-morbidities can lower performance."],
                "clinical_impact": "A false negative can delay treatment; a false positive can lead to an unneeded second reading."},
            "predicate": {"name": "ExampleTriage", "number": "", "manufacturer": "Example Predicate Company", "comparison": ""},
        }),
        protocol: crate::protocol::parse(std::path::Path::new("protocol.toml"), protocol_text)
            .expect("the protocol is valid"),
        protocol_text: protocol_text.to_owned(),
        lock: Some(typed),
        recorded: Recorded { protocol: serde_json::to_value(protocol).expect("a value"), lock: Some(lock) },
        training,
        root_digest: hex(0),
        digests,
        run_id: "2026-01-31T120000Z-4f2a".into(),
        date: "2026-01-31T12:00:00Z".into(),
        openings: vec![
            Opening { date: "2026-01-31T11:58:04Z".into(), reason: None, by: "not recorded".into() },
            Opening {
                date: "2026-02-02T09:10:00Z".into(),
                reason: Some("reader 3 delivered six reads late".into()),
                by: "A. Example (statistician)".into(),
            },
        ],
        templates: default_templates(),
        fonts: Vec::new(),
        program_version: "0.1.0".into(),
    }
}

/// Not met, by a bound that rounding would make look met, on generated data.
fn not_met() -> Source {
    let mut source = realistic();
    source.results.study.synthetic = true;
    source.results.conclusion = Verdict::NotMet;
    let auc = &mut source.results.endpoints[0];
    (auc.bound, auc.verdict) = (Some(0.799_96), Some(Verdict::NotMet));
    source
}

/// Everything excluded: nothing is evaluable, no model.
fn empty() -> Source {
    let mut source = realistic();
    let results = &mut source.results;
    results.flow = Flow {
        considered: 3,
        considered_patients: 3,
        excluded: vec![ReasonCount {
            id: "age".into(),
            reason: "age outside 18-80 years".into(),
            count: 3,
            count_any: 3,
        }],
        ..Flow::default()
    };
    results.cohort.clear();
    results.readers.clear();
    results.consensus = ConsensusSummary::default();
    results.agreement.clear();
    results.estimates = ["auc", "sensitivity", "specificity"]
        .map(|id| Estimate {
            id: id.into(),
            not_evaluable: Some("no positive and no negative cases".into()),
            ..Estimate::default()
        })
        .to_vec();
    for e in &mut results.endpoints {
        (e.value, e.interval, e.bound, e.verdict) = (None, None, None, Some(Verdict::NotEvaluable));
    }
    results.conclusion = Verdict::NotEvaluable;
    results.curves = Curves::default();
    results.warnings.clear();
    results.method.intended_use_prevalence = None;
    source.lock = None;
    source.training.clear();
    source.device = Value::Null;
    source.recorded = Recorded { protocol: Value::Null, lock: None };
    source.protocol.gate = Gate::default();
    source.protocol.sample.target = None;
    source.protocol.endpoints.clear();
    source.openings.clear();
    source.digests.clear();
    source
}

const HOSTILE: &str = "*Bold* _it_ `code` <script>alert(1)</script> #import \"/etc/passwd\" $x^2$ | cell | [l](http://e.x) ![i](http://e.x/i.png) \
     {{ 7*7 }} {% raw %} ~~~~{table} 0 \\ &amp; @ref <label> // /* \u{202e}evil \u{4e2d}\u{6587} \u{1f600} \u{0}";

/// Study text that tries to be markup, everywhere a study can put text.
fn hostile() -> Source {
    let mut source = realistic();
    let text = || HOSTILE.to_owned();
    let lines = format!("{HOSTILE}\n\n- {HOSTILE}\n\n~~~~{{table}} 0\n~~~~\n\n# {HOSTILE}\n<div>\n    code");
    source.description = Some(description(&[HOSTILE]));
    source.device = serde_json::json!({
    "submitter": {"name": HOSTILE, "address": lines, "contact": HOSTILE},
    "device": {"name": HOSTILE, "version": HOSTILE, "description": lines, "limitations": [HOSTILE, lines], "intended_use": lines},
    "predicate": {"name": HOSTILE},
        });
    let results = &mut source.results;
    results.study.title = text();
    results.study.id = text();
    results.study.finding = text();
    results.operating_point.provenance = lines.clone();
    results.readers[0].id = text();
    results.consensus.cases_without = vec![text()];
    results.flow.excluded[0].reason = text();
    results.cohort[0].level = text();
    results.warnings[0].message = lines.clone();
    results.agreement[0].model = Some(text());
    for e in &mut results.estimates {
        if e.subgroup == Some(SubgroupLevel::new("sex", "F")) {
            e.subgroup = Some(SubgroupLevel::new("sex", HOSTILE));
        }
    }
    source.run_id = text();
    source.protocol_text = format!("{lines}\n```\n~~~~\n~~~~~\n</code></pre><script>");
    if let Some(lock) = &mut source.lock {
        lock.experiment.experiment.stages[0].name = text();
        lock.gate.view = Some(vec![text()]);
    }
    source.protocol.endpoints[0].id = text();
    if let Some(lock) = &mut source.recorded.lock {
        lock["architecture"] = text().into();
        lock["experiment"]["initial_weights"] =
            serde_json::json!({"kind": "file", "name": lines, "sha256": HOSTILE});
        lock["experiment"]["experiment"]["stages"][0]["name"] = text().into();
        lock["preprocessing"][HOSTILE] = text().into();
    }
    source.recorded.protocol["study"]["title"] = text().into();
    source.openings[1].reason = Some(text());
    source
}

/// Twenty subgroup levels with absurd names, and one variable of a single level.
fn crowded() -> Source {
    let mut source = realistic();
    source.results.estimates.retain(|e| e.subgroup.is_none());
    for i in 0..34_u64 {
        let name = format!("site=Regional-Teaching-Hospital-With-A-Name-Of-No-Spaces-At-All-{i:02}");
        let mut list = subgroup(&name, 12 + 9 * i, 0.7 + 0.008 * i as f64);
        if i == 3 {
            for e in &mut list {
                (e.value, e.not_evaluable) = (None, Some("one class only".into()));
                e.intervals.clear();
            }
        }
        source.results.estimates.extend(list);
    }
    source.results.estimates.extend(subgroup("country=US", 978, 0.871));
    source
}

fn sources() -> Vec<(&'static str, Source)> {
    vec![
        ("realistic", realistic()),
        ("not-met", not_met()),
        ("empty", empty()),
        ("hostile", hostile()),
        ("crowded", crowded()),
    ]
}

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
    assert!(html.contains("*Bold* _it_ `code` &lt;script&gt;alert(1)&lt;/script&gt; #import &quot;/etc/passwd&quot; $x^2$ | cell |"));
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
    // What is asked for only where it may be printed.
    declared.retain(|field| field != "conclusion.text");
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
    // The submitter's words stand only where nothing speaks against them, and the program has none of its own.
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
