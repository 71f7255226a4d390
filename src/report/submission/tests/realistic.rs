//! A made-up but consistent source of documents: a study as it should be.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::dataset::describe::Description;
use crate::diagnostic::Code;
use crate::model::lock::Lock;
use crate::protocol::Role;
use crate::report::submission::by_site::SiteFlow;
use crate::report::submission::default_templates;
use crate::report::submission::source::{Maker, Opening, Recorded, Source, Step, TrainingEpoch};
use crate::statistics::confusion::Confusion;
use crate::statistics::estimate::{
    Estimate, Interval, IntervalMethod, ResamplingUnit, Scenario, SubgroupLevel,
};
use crate::statistics::metric::{Metric, Sample};
use crate::statistics::multiplicity::Multiplicity;
use crate::statistics::operating_point::{ChosenBy, OperatingPointRule};
use crate::statistics::poolability::{Poolability, poolability};
use crate::statistics::roc::{PrecisionRecallPoint, RocPoint};
use crate::statistics::roc_band::BandPoint;
use crate::statistics::warning::Warning;
use crate::study::Derivation;
use crate::study::imports::{BroughtFile, Import};
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

/// Of two sites with scores that overlap.
fn sites() -> Poolability {
    let scores: Vec<f64> = (0..40).map(|i| f64::from((i * 17) % 40) / 40.0).collect();
    let labels: Vec<bool> =
        scores.iter().enumerate().map(|(i, s)| s + f64::from(i as u32 % 3) / 8.0 > 0.55).collect();
    let at: Vec<u32> = (0..40).map(|i| u32::from(i % 3 == 0)).collect();
    let sample = Sample { labels: &labels, scores: &scores, patients: None, sites: Some(&at) };
    let names = ["Harbor Clinic", "Mountain Hospital"].map(str::to_owned);
    poolability(&sample, &[0.5], &names, 0.95).expect("two sites")
}

pub fn subgroup(name: &str, n: u64, auc: f64) -> Vec<Estimate> {
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

/// Three cases for development and two of a test set.
pub fn description(findings: &[&str]) -> Description {
    use crate::dataset::case::{Attributes, Case, Sex};
    use crate::dataset::describe::{AgeBand, Request, Set, describe};
    let case = |id: u16, sex, age_years, positive: bool| Case {
        case_id: format!("C{id}").into(),
        patient_id: format!("P{id}").into(),
        age_years,
        attributes: Attributes {
            sex: Some(sex),
            view: Some(if positive { "AP" } else { "PA" }.into()),
            findings: findings.iter().filter(|_| positive).map(|f| (*f).to_owned()).collect(),
            source_label: Some(positive),
            ..Attributes::default()
        }
        .into(),
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
    let bands = AgeBand::USUAL.to_vec();
    describe(&sets, &Request { positive, bands, fields, unlabelled_count: true, whole_first: false })
}

/// A coefficient of two readers.
fn pair(readers: &str, value: f64, half: f64, n: u64) -> Estimate {
    let drawn = IntervalMethod::BootstrapPercentile;
    Estimate { model: Some(readers.into()), ..index("cohen_kappa", value, half, drawn, n, 486) }
}

/// Variable, level and cases of the cohort.
const LEVELS: [(&str, &str, u64); 12] = [
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

fn estimates() -> Vec<Estimate> {
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
        index("brier", 0.1421, 0.011, IntervalMethod::Wald, 978, 486),
        index("calibration_in_the_large", 0.212, 0.16, IntervalMethod::Wald, 978, 486),
        index("calibration_intercept", 0.198, 0.17, IntervalMethod::Wald, 978, 486),
        index("calibration_slope", 0.871, 0.13, IntervalMethod::Wald, 978, 486),
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
    for (i, (variable, level, n)) in LEVELS.iter().enumerate() {
        estimates.extend(subgroup(&format!("{variable}={level}"), *n, 0.85 + 0.005 * (i % 7) as f64));
    }
    estimates
}

fn curves() -> Curves {
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
    Curves {
        roc,
        roc_band,
        roc_band_method: None,
        histogram: ScoreHistogram {
            edges: (0..=20).map(|i| f64::from(i) / 20.0).collect(),
            positives: bump(0.66, 486.0),
            negatives: bump(0.27, 492.0),
        },
        confusion: Confusion {
            true_positives: 425,
            false_negatives: 61,
            false_positives: 74,
            true_negatives: 418,
        },
        precision_recall: (1..=40)
            .map(|i| {
                let recall = f64::from(i) / 40.0;
                let precision = 0.97 - 0.45 * recall.powi(5);
                PrecisionRecallPoint { threshold: 1.0 - recall, recall, precision }
            })
            .collect(),
    }
}

/// Two readers beside the device.
fn beside_readers() -> BesideReaders {
    let share = |id: &str, reader: (u64, u64), device: u64, right: [u64; 4]| {
        let (k, n) = reader;
        let mut of_reader = proportion(id, k, n, 486, 978);
        of_reader.threshold = None;
        let mut difference = index(
            &format!("{id}_difference"),
            device as f64 / n as f64 - k as f64 / n as f64,
            0.03,
            IntervalMethod::Tango,
            n,
            n,
        );
        difference.p_value = Some(0.041);
        ShareBeside {
            reader: of_reader,
            device: proportion(id, device, n, 486, 978),
            difference,
            right,
            test: PairedTest::McnemarExact,
        }
    };
    let reader = |id: &str, undecided| BesideReader {
        reader: id.into(),
        role: Some(crate::protocol::ReaderRole::Comparison),
        undecided,
        sensitivity: share("sensitivity", (410, 486), 425, [388, 37, 22, 39]),
        specificity: share("specificity", (430, 492), 418, [380, 38, 50, 24]),
    };
    BesideReaders {
        readers: vec![reader("C1", 0), reader("C2", 4)],
        mean: Some(MeanOfReaders { readers: 2, sensitivity: 410.0 / 486.0, specificity: 430.0 / 492.0 }),
    }
}

/// Three analyses of the two primary endpoints.
fn other_standards() -> OtherStandards {
    let of = |standard, reader: Option<&str>, changed, value| UnderOtherStandard {
        standard,
        reader: reader.map(str::to_owned),
        cases: 940,
        without_answer: 60,
        changed,
        estimates: ["auc", "sensitivity"]
            .map(|id| Estimate {
                model: Some(id.to_owned()),
                ..index(id, value, 0.02, IntervalMethod::Delong, 940, 470)
            })
            .to_vec(),
    };
    OtherStandards {
        exploratory: true,
        analyses: vec![
            of(OtherStandard::UnanimousOnly, None, 0, 0.91),
            of(OtherStandard::OneReader, Some("R1"), 31, 0.88),
            of(OtherStandard::SplitAgainstDevice, None, 120, 0.79),
        ],
        left_out: vec!["indeterminate answers both ways: no answer is indeterminate".into()],
    }
}

/// Three cases: of one mind, split, and without an answer.
fn derivation() -> Vec<Derivation> {
    let case = |id: &str, reference: &str, level: &str, votes: (u64, u64), readers: &str| Derivation {
        case_id: id.into(),
        reference: reference.into(),
        level: level.into(),
        reason_for_none: if level == "none" { "too-few-agree".into() } else { String::new() },
        positive_reads: votes.0,
        negative_reads: votes.1,
        adjudication: String::new(),
        readers: readers.into(),
        confidence: String::new(),
        comments: String::new(),
    };
    vec![
        case("C0001", "positive", "unanimous", (3, 0), "R1=positive; R2=positive; R3=positive"),
        Derivation {
            confidence: "R1=2; R2=4".into(),
            comments: "R1: faint, at the left base | R2: *motion*".into(),
            ..case("C0002", "negative", "majority", (1, 2), "R1=positive; R2=negative; R3=negative")
        },
        case("C0003", "none", "none", (0, 1), "R1=negative; R2=indeterminate"),
    ]
}

fn results() -> Results {
    let (exact, drawn) = (IntervalMethod::ClopperPearson, IntervalMethod::BootstrapPercentile);
    let row = |variable: &str, level: &str, cases: u64| CohortRow {
        variable: variable.into(),
        level: level.into(),
        cases,
        patients: cases * 9 / 10,
        positives: cases / 2,
    };
    Results {
        sampling: None,
        sites: None,
        format: FORMAT.into(),
        study: StudyIdentity {
            id: "pneumonia-exp2a".into(),
            title: "Standalone performance of a chest X-ray pneumonia classifier (experiment 2A)".into(),
            version: "1.0".into(),
            finding: "pneumonia".into(),
            synthetic: false,
            rehearsal: false,
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
        cohort: LEVELS.iter().map(|(v, l, n)| row(v, l, *n)).collect(),
        readers: [
            ("R1", 1000, 481, 507, 12, 0, 0),
            ("R2", 997, 502, 480, 15, 0, 3),
            ("R3", 994, 470, 501, 21, 2, 6),
        ]
        .map(|(id, reads, positive, negative, indeterminate, set_aside, missing)| ReaderSummary {
            id: id.into(),
            reads,
            positive,
            negative,
            indeterminate,
            set_aside,
            missing: Some(missing),
            ..ReaderSummary::default()
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
            ..ConsensusSummary::default()
        },
        agreement_explained: [
            ("percent_agreement", 0.88),
            ("gwet_ac1", 0.762),
            ("prevalence_index", 0.012),
            ("bias_index", 0.021),
        ]
        .map(|(id, value)| {
            let agreement = id == "percent_agreement";
            let mut estimate = match agreement {
                true => proportion(id, 854, 971, 486, 971),
                false => index(id, value, 0.03, IntervalMethod::Wald, 971, 486),
            };
            estimate.threshold = None;
            estimate.model = Some("R1 vs R2".into());
            if id.ends_with("index") {
                estimate.intervals.clear();
            }
            estimate
        })
        .to_vec(),
        agreement_by_group: ["F", "M"]
            .into_iter()
            .flat_map(|level| {
                ["fleiss_kappa", "gwet_ac1"].map(|id| {
                    let mut estimate = index(id, 0.74, 0.05, IntervalMethod::Wald, 488, 240);
                    estimate.subgroup = Some(SubgroupLevel::new("sex", level));
                    estimate
                })
            })
            .collect(),
        ordinal_agreement: Vec::new(),
        intra_reader: Vec::new(),
        comparisons: Vec::new(),
        family: None,
        beside_readers: Some(beside_readers()),
        other_standards: Some(other_standards()),
        agreement: [
            index("fleiss_kappa", 0.742, 0.031, IntervalMethod::BootstrapPercentile, 978, 486),
            pair("R1 vs R2", 0.761, 0.04, 971),
            pair("R1 vs R3", 0.733, 0.043, 968),
            pair("R2 vs R3", 0.729, 0.044, 961),
        ]
        .to_vec(),
        operating_point: OperatingPointRecord {
            threshold: 0.401_250_332_593_918,
            rule: ChosenBy::Rule(OperatingPointRule::Sensitivity(0.9)),
            provenance: "tuning split of 1,210 cases of 960 patients, 388 positive; fixed before the \
                         test set was opened"
                .into(),
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
        estimates: estimates(),
        endpoints: vec![
            endpoint(Metric::Auc, Role::Primary, IntervalMethod::Delong, 0.871_49, 0.8481, Verdict::Met),
            endpoint(Metric::Sensitivity, Role::Primary, exact, 0.8745, 0.8418, Verdict::Met),
            endpoint(Metric::Specificity, Role::Primary, exact, 0.8496, 0.8149, Verdict::Met),
            endpoint(Metric::F1, Role::Secondary, drawn, 0.8629, 0.8419, Verdict::Met),
        ],
        level_differences: Vec::new(),
        level_claims: Vec::new(),
        conclusion: Verdict::Met,
        poolability: Some(sites()),
        in_intended_use: None,
        reader_study: None,
        repeatability: None,
        triage: None,
        change: None,
        sample_sizes: ["auc", "sensitivity", "specificity"]
            .into_iter()
            .zip([0.823, 0.8554, 0.8552])
            .map(|(endpoint, shown_from)| SampleSize {
                plan: None,
                endpoint: endpoint.into(),
                planned: Some([500, 500]),
                analysed: [486, 492],
                half_width: Some(0.0312),
                shown_from: Some(shown_from),
                power: 0.9,
            })
            .collect(),
        curves: curves(),
        warnings: vec![
            Warning::new(
                Code::SubgroupInsufficient,
                "site = Harbor Clinic has 24 analysed cases, fewer than 30",
            ),
            Warning { code: Code::CriterionMatchedNothing, message: "no case has view = LL".into() },
        ],
    }
}

fn device() -> Value {
    serde_json::json!({
        "submitter": {"name": "Example Diagnostics", "address": "1 Example Way", "contact": ""},
        "device": {"name": "PneumoDetect AI", "version": "1.0.0",
            "common_name": "Computer-assisted detection software for chest radiographs",
            "classification_name": "Radiological computer aided triage and notification software",
            "regulation": "21 CFR 892.2080",
            "product_code": "",
            "description": "Software that gives a score for pneumonia from one frontal chest \
            radiograph.\n\nIt runs beside the picture archive and has no user interface of its own.",
            "intended_use": "To assist radiologists in the detection of pneumonia in frontal chest \
            radiographs of adults.",
            "indications": "Adults of 18 to 80 years, PA and AP views, in hospital, urgent care and \
            outpatient settings.",
            "limitations": ["Not for primary diagnosis.", "Not for patients under 18 years.",
                "Poor exposure and co-morbidities can lower performance."],
            "clinical_impact": "A false negative can delay treatment; a false positive can lead to an \
            unneeded second reading."},
        "predicate": {"name": "ExampleTriage", "number": "",
            "manufacturer": "Example Predicate Company", "comparison": ""},
    })
}

/// The flow of the results over two sites.
fn flow_by_site() -> Vec<SiteFlow> {
    let flow = results().flow;
    let excluded = flow.excluded.iter().map(|reason| reason.count).sum();
    let all = [flow.not_sampled, excluded, flow.without_consensus, flow.without_score, flow.analysed];
    let site = |name: &str, of: fn(u64) -> u64| {
        let [not_sampled, excluded, without_reference, without_score, analysed] = all.map(of);
        let considered = not_sampled + excluded + without_reference + without_score + analysed;
        let site = name.to_owned();
        SiteFlow { site, considered, excluded, not_sampled, without_reference, without_score, analysed }
    };
    vec![site("A", |n| n / 3), site("B", |n| n - n / 3)]
}

/// A study as it should be.
pub fn realistic() -> Source {
    let training = (1..=32)
        .map(|epoch| {
            let t = f64::from(epoch);
            TrainingEpoch {
                epoch,
                stage: if epoch <= 17 { 1 } else { 2 },
                loss: 0.69 * (-t / 25.0).exp() + 0.02 * (t * 1.7).sin(),
                tuning_loss: Some(0.66 * (-t / 28.0).exp() + 0.04),
                tuning_auc: Some(0.86 - 0.25 * (-t / 8.0).exp() + 0.008 * (t * 2.3).cos()),
            }
        })
        .collect();
    let protocol_text = include_str!("../../../../protocols/pneumonia-exp2a.toml");
    let protocol: toml::Table = toml::from_str(protocol_text).expect("the protocol parses");
    let hex = |i: u8| crate::digest::Digest::of(&[i]).to_string();
    let lock: Value =
        serde_json::from_str(include_str!("../../../../fixtures/report/lock.json")).expect("the lock parses");
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
        results: results(),
        description: Some(description(&["Edema", "Pneumonia"])),
        device: device(),
        device_text: String::new(),
        steps: vec![Step {
            date: "2026-01-15T09:00:00Z".into(),
            event: "protocol-locked",
            by: "not recorded".into(),
            reason: None,
        }],
        maker: Maker {
            program: "sequester 0.1.0".into(),
            platform: "x86_64-linux".into(),
            libraries_sha256: hex(11),
        },
        identifiers: std::sync::Arc::new(["C0001", "P0001"].into_iter().collect()),
        protocol: crate::protocol::parse(std::path::Path::new("protocol.toml"), protocol_text)
            .expect("the protocol is valid"),
        protocol_text: protocol_text.to_owned(),
        lock: Some(typed),
        recorded: Recorded { protocol: serde_json::to_value(protocol).expect("a value"), lock: Some(lock) },
        derivation: derivation().into(),
        flow_by_site: flow_by_site().into(),
        training,
        root_digest: hex(0),
        digests,
        run_id: "2026-01-31T120000Z-4f2a".into(),
        date: "2026-01-31T12:00:00Z".into(),
        amendments: Vec::new(),
        clock_set: false,
        examined: 0,
        deviations: Vec::new(),
        brought: vec![BroughtFile {
            path: "reads/reader-1.csv".into(),
            sha256: hex(9),
            import: Some(Import {
                file: "reads/reader-1.csv".parse().expect("a path"),
                sha256: hex(9).parse().expect("a digest"),
                at: "2026-01-20T09:00:00Z".into(),
                by: Some("A. Example".into()),
                role: Some("coordinator".into()),
                blinding: Some("images alone, no score".into()),
                withheld: None,
                correction: None,
            }),
            superseded_by: None,
        }],
        openings: vec![
            Opening { date: "2026-01-31T11:58:04Z".into(), reason: None, by: "not recorded".into() },
            Opening {
                date: "2026-02-02T09:10:00Z".into(),
                reason: Some("reader 3 delivered six reads late".into()),
                by: "A. Example (statistician)".into(),
            },
        ],
        change_plan: None,
        templates: default_templates(),
        fonts: Vec::new(),
        traced: false,
        look: crate::document::render::Look::default(),
        program_version: "0.1.0".into(),
    }
}
