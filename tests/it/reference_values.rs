//! Every statistic against ground truth: exact rationals and 60-digit arithmetic in
//! `fixtures/reference-values/ref`, made by the scripts beside it, on every input in `inputs/`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use sequester::statistics::agreement;
use sequester::statistics::calibration;
use sequester::statistics::calibration::Edge;
use sequester::statistics::confusion::{Confusion, log_interval, share};
use sequester::statistics::operating_point;
use sequester::statistics::operating_point::OperatingPointRule;
use sequester::statistics::special::{normal_two_sided, z_two_sided};
use sequester::statistics::{auc, proportion, roc};

const BINARY: [&str; 10] = [
    "d01_tiny20",
    "d02_bal1000",
    "d03_prev1000",
    "d04_nih16370",
    "d05_ties2000",
    "d06_perfect200",
    "d07_subgroups600",
    "d08_clustered",
    "d09_const50",
    "d10_reversed300",
];
const READERS: [&str; 4] = ["r01_full200", "r02_missing200", "r03_skewed500", "r04_heavy_missing60"];
const LEVEL: f64 = 0.95;

pub(crate) fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("fixtures/reference-values")
}

pub(crate) fn reference(name: &str) -> serde_json::Value {
    let text = std::fs::read_to_string(folder().join(format!("ref/{name}.json"))).expect("reference file");
    // Infinities and NaN of other packages are not JSON.
    serde_json::from_str(&text.replace("NaN", "null")).expect("JSON")
}

/// One input table.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub labels: Vec<bool>,
    pub scores: Vec<f64>,
    pub scores_b: Vec<f64>,
    pub patients: Vec<u32>,
    pub sites: Vec<String>,
}

impl Table {
    fn only(&self, keep: impl Fn(usize) -> bool) -> Self {
        let rows: Vec<usize> = (0..self.labels.len()).filter(|&i| keep(i)).collect();
        Self {
            labels: rows.iter().map(|&i| self.labels[i]).collect(),
            scores: rows.iter().map(|&i| self.scores[i]).collect(),
            scores_b: rows.iter().map(|&i| self.scores_b[i]).collect(),
            patients: rows.iter().map(|&i| self.patients[i]).collect(),
            sites: rows.iter().map(|&i| self.sites[i].clone()).collect(),
        }
    }
}

pub(crate) fn table(name: &str) -> Table {
    let mut reader = csv::Reader::from_path(folder().join(format!("inputs/{name}.csv"))).expect("input");
    let mut out = Table::default();
    let mut ids: BTreeMap<String, u32> = BTreeMap::new();
    for row in reader.records() {
        let row = row.expect("row");
        let next = ids.len() as u32;
        out.patients.push(*ids.entry(row[1].to_string()).or_insert(next));
        out.sites.push(row[2].to_string());
        out.labels.push(&row[6] == "1");
        out.scores.push(row[7].parse().expect("score"));
        out.scores_b.push(row[8].parse().expect("score"));
    }
    out
}

/// Every table and the subgroups of d07, under the keys of `exact.json`.
fn units() -> Vec<(String, Table)> {
    let mut out = Vec::new();
    for name in BINARY {
        let table = table(name);
        out.push((name.to_string(), table.clone()));
        if name.starts_with("d07") {
            for site in table.sites.iter().collect::<BTreeSet<_>>() {
                out.push((format!("{name}|site={site}"), table.only(|i| &table.sites[i] == site)));
            }
        }
    }
    out
}

/// What was computed under which key, and how far it lies from the truth.
#[derive(Default)]
struct Comparison {
    /// Largest deviation by metric: |value − truth| / max(|truth|, 0.001).
    worst: BTreeMap<String, f64>,
    compared: usize,
    wrong: Vec<String>,
    untouched: BTreeSet<String>,
}

impl Comparison {
    fn check(&mut self, unit: &str, truth: &serde_json::Value, values: &BTreeMap<String, Option<f64>>) {
        let truth = truth.as_object().expect("object");
        for (key, expected) in truth {
            let expected = match expected {
                serde_json::Value::String(s) => s.parse::<f64>().expect("number"),
                serde_json::Value::Number(n) => n.as_f64().expect("number"),
                _ => continue,
            };
            let metric = match key.strip_prefix("thr0.") {
                Some(rest) => rest[2..].to_string(),
                None => key.clone(),
            };
            match values.get(key) {
                Some(Some(value)) => {
                    let deviation = (value - expected).abs() / expected.abs().max(1e-3);
                    let worst = self.worst.entry(metric).or_default();
                    *worst = worst.max(deviation);
                    self.compared += 1;
                    // A deviation that is not a number is wrong, too.
                    if deviation.is_nan() || deviation > 1e-12 {
                        self.wrong.push(format!("{unit} {key}: {value:?} is not {expected:?}"));
                    }
                }
                Some(None) => self.wrong.push(format!("{unit} {key}: no value, expected {expected}")),
                None => {
                    self.untouched.insert(metric);
                }
            }
        }
        for (key, value) in values {
            if !truth.contains_key(key) && value.is_some() {
                self.wrong.push(format!("{unit} {key}: {value:?} where the reference has none"));
            }
        }
    }

    fn assert(&self, least: usize) {
        assert!(
            self.wrong.is_empty(),
            "{} of {}:\n{}",
            self.wrong.len(),
            self.compared,
            self.wrong.join("\n")
        );
        assert!(self.untouched.is_empty(), "never computed: {:?}", self.untouched);
        assert!(self.compared >= least, "only {} values were compared", self.compared);
    }
}

type Values = BTreeMap<String, Option<f64>>;

fn discrimination(t: &Table, out: &mut Values) {
    let mut put = |key: &str, value: Option<f64>| {
        out.insert(key.into(), value);
    };
    let sums = auc::auc_sums(&t.labels, &t.scores);
    put("auc", sums.auc());
    put("auc_b", auc::auc(&t.labels, &t.scores_b));
    let (Some(auc), Some(_)) = (sums.auc(), sums.delong_variance()) else { return };
    let variance = sums.delong_variance().expect("variance");
    let se = variance.sqrt();
    put("delong_var", Some(variance));
    put("delong_se", Some(se));
    let z = z_two_sided(LEVEL);
    put("delong_lo_raw", Some(auc - z * se));
    put("delong_hi_raw", Some(auc + z * se));
    let clipped = auc::clipped_interval(auc, se, LEVEL);
    put("delong_lo", Some(clipped.0));
    put("delong_hi", Some(clipped.1));
    let logit = auc::logit_interval(auc, se, LEVEL);
    put("delong_logit_lo", logit.map(|l| l.0));
    put("delong_logit_hi", logit.map(|l| l.1));
    put("hanley_mcneil_se", sums.hanley_mcneil_se());
    for (bound, name) in [(0.1, "fpr10"), (0.2, "fpr20")] {
        let area = roc::partial_area(&t.labels, &t.scores, bound);
        put(&format!("pauc_{name}"), area);
        put(&format!("pauc_mcclish_{name}"), area.map(|a| roc::mcclish(a, bound)));
    }
    put("obuchowski_var", auc::obuchowski_variance(&t.labels, &t.scores, &t.patients));
    let paired = auc::paired(&t.labels, &t.scores, &t.scores_b, None).expect("pairs");
    put("delong_var_b", paired.variance_b);
    put("delong_cov", paired.covariance);
    if let Some(v) = paired.difference_variance.filter(|v| *v > 0.0) {
        put("auc_diff", Some(paired.difference));
        put("paired_se", Some(v.sqrt()));
        put("paired_z", Some(paired.difference / v.sqrt()));
        put("paired_p", Some(normal_two_sided(paired.difference / v.sqrt())));
        put("paired_diff_lo", Some(paired.difference - z * v.sqrt()));
        put("paired_diff_hi", Some(paired.difference + z * v.sqrt()));
    }
    put("ap", roc::average_precision(&t.labels, &t.scores));
    // Trapezoids over the precision-recall points, starting at precision 1: only to check the points.
    let (mut area, mut before) = (0.0, (0.0, 1.0));
    for p in roc::precision_recall_points(&t.labels, &t.scores) {
        area += (p.recall - before.0) * (p.precision + before.1) / 2.0;
        before = (p.recall, p.precision);
    }
    put("pr_auc_trapz", Some(area));
    let best =
        operating_point::choose(OperatingPointRule::Youden, &t.labels, &t.scores).expect("operating point");
    put("youden_max", best.table.youden());
    put("youden_thr_lowest", Some(best.threshold));
}

fn calibrated(t: &Table, fits: bool, out: &mut Values) {
    let mut put = |key: &str, value: Option<f64>| {
        out.insert(key.into(), value);
    };
    put("brier", calibration::brier(&t.labels, &t.scores, None));
    put("logloss", calibration::log_loss(&t.labels, &t.scores, None));
    for (edge, name) in [(Edge::Left, "left_closed"), (Edge::Right, "right_closed")] {
        let bins = calibration::reliability(&t.labels, &t.scores, None, &calibration::equal_edges(10), edge);
        put(&format!("ece10_{name}"), calibration::expected_error(&bins));
        put(&format!("mce10_{name}"), calibration::maximum_error(&bins));
    }
    if fits {
        let fit = calibration::recalibrate(&t.labels, &t.scores, None);
        put("cal_intercept", fit.map(|f| f.intercept.value));
        put("cal_intercept_se", fit.map(|f| f.intercept.standard_error));
        put("cal_slope", fit.map(|f| f.slope.value));
        put("cal_slope_se", fit.map(|f| f.slope.standard_error));
        put("cal_in_the_large", calibration::in_the_large(&t.labels, &t.scores, None).map(|c| c.value));
    }
}

fn at_threshold(t: &Table, threshold: f64, out: &mut Values) {
    let table = Confusion::at(&t.labels, &t.scores, threshold);
    let mut put = |key: &str, value: Option<f64>| {
        out.insert(format!("thr{threshold}.{key}"), value);
    };
    for (name, cell) in ["tp", "fn", "fp", "tn"].iter().zip(table.cells()) {
        put(name, Some(cell));
    }
    for (name, (k, n)) in [
        ("sens", table.sensitivity()),
        ("spec", table.specificity()),
        ("ppv", table.ppv()),
        ("npv", table.npv()),
        ("acc", table.accuracy()),
    ] {
        put(&format!("{name}.est"), share(k, n));
        if n == 0 {
            continue;
        }
        for (method, limits) in [
            ("cp", proportion::clopper_pearson(k, n, LEVEL)),
            ("wilson", proportion::wilson(k, n, LEVEL)),
            ("ac", proportion::agresti_coull_unclipped(k, n, LEVEL)),
            ("jeff_raw", proportion::jeffreys_raw(k, n, LEVEL)),
            ("jeff", proportion::jeffreys(k, n, LEVEL)),
            ("wald", proportion::wald_unclipped(k, n, LEVEL)),
        ] {
            put(&format!("{name}.{method}_lo"), Some(limits.0));
            put(&format!("{name}.{method}_hi"), Some(limits.1));
        }
    }
    put("f1", table.f1());
    put("mcc", table.mcc());
    put("youden", table.youden());
    put("balacc", table.balanced_accuracy());
    put("kappa_vs_truth", table.kappa().filter(|_| table.positives() > 0 && table.negatives() > 0));
    let limits = |value: Option<f64>, se: Option<f64>| Some(log_interval(value?, se?, LEVEL));
    for (name, value, se) in [
        ("lrpos", table.lr_positive(), table.lr_positive_log_se()),
        ("lrneg", table.lr_negative(), table.lr_negative_log_se()),
        ("dor", table.diagnostic_odds_ratio(), table.diagnostic_odds_ratio_log_se()),
    ] {
        // The reference has a ratio only where it also has an interval.
        let limits = limits(value, se);
        put(name, value.filter(|_| limits.is_some()));
        put(&format!("{name}_lo"), limits.map(|l| l.0));
        put(&format!("{name}_hi"), limits.map(|l| l.1));
    }
    let calls = |scores: &[f64]| -> Vec<bool> { scores.iter().map(|&s| s >= threshold).collect() };
    let test = sequester::statistics::mcnemar::mcnemar(&t.labels, &calls(&t.scores), &calls(&t.scores_b));
    put("mcnemar_b", Some(test.only_first_correct as f64));
    put("mcnemar_c", Some(test.only_second_correct as f64));
    put("mcnemar_exact_p", test.exact_p());
    put("mcnemar_midp", test.mid_p());
    put("mcnemar_stat", test.statistic());
    put("mcnemar_p", test.p());
    put("mcnemar_cc_stat", test.corrected_statistic());
    put("mcnemar_cc_p", test.corrected_p());
}

fn all_binary() -> Comparison {
    let exact = reference("exact");
    let mut comparison = Comparison::default();
    for (key, t) in units() {
        let mut values = Values::new();
        values.insert("n".into(), Some(t.labels.len() as f64));
        values.insert("n_pos".into(), Some(t.labels.iter().filter(|l| **l).count() as f64));
        discrimination(&t, &mut values);
        // The reference fits no slope to separated or constant scores; what we say there has its own test.
        calibrated(&t, exact[&key].get("cal_slope").is_some(), &mut values);
        at_threshold(&t, 0.5, &mut values);
        at_threshold(&t, 0.4, &mut values);
        // A sandwich with one common factor, for comparison only; we report Obuchowski's.
        let mut truth = exact[&key].clone();
        truth.as_object_mut().expect("object").remove("cluster_if_var");
        comparison.check(&key, &truth, &values);
    }
    comparison
}

#[test]
fn every_metric_on_every_input_is_within_1e_12_of_exact_arithmetic() {
    let comparison = all_binary();
    for (metric, worst) in &comparison.worst {
        println!("{metric:24} {worst:.1e}");
    }
    comparison.assert(2500);
}

fn reads(name: &str) -> (Vec<String>, Vec<Vec<Option<bool>>>) {
    let mut reader = csv::Reader::from_path(folder().join(format!("inputs/{name}.csv"))).expect("input");
    let mut cases: BTreeMap<String, BTreeMap<String, bool>> = BTreeMap::new();
    for row in reader.records() {
        let row = row.expect("row");
        cases.entry(row[0].into()).or_default().insert(row[1].into(), &row[2] == "1");
    }
    let names: BTreeSet<String> = cases.values().flat_map(|c| c.keys().cloned()).collect();
    let table = cases.values().map(|c| names.iter().map(|r| c.get(r).copied()).collect()).collect();
    (names.into_iter().collect(), table)
}

fn all_readers() -> Comparison {
    let exact = reference("readers_exact");
    let mut comparison = Comparison::default();
    for name in READERS {
        let (names, table) = reads(name);
        let mut values = Values::new();
        let mut put = |key: &str, value: Option<f64>| {
            values.insert(key.into(), value);
        };
        put("n_cases_any", Some(table.len() as f64));
        for i in 0..names.len() {
            for j in i + 1..names.len() {
                let pair = agreement::cohen(&table, i, j);
                let key = |what: &str| format!("cohen.{}-{}.{what}", names[i], names[j]);
                put(&key("n"), Some(pair.cases as f64));
                put(&key("kappa"), pair.kappa.map(|k| k.value));
                put(&key("se"), pair.kappa.and_then(|k| k.standard_error));
                put(&key("se0"), pair.null_standard_error);
                put(&key("po"), pair.observed_agreement());
                put(&key("pabak"), pair.pabak());
            }
        }
        let fleiss = agreement::fleiss_complete(&table);
        put("fleiss_complete.n", fleiss.map(|k| k.cases as f64));
        put("fleiss_complete.kappa", fleiss.map(|k| k.value));
        put("fleiss_complete.se0", fleiss.and_then(|k| k.standard_error));
        put("kripp_alpha", agreement::krippendorff(&table).map(|k| k.value));
        let ac1 = agreement::gwet_ac1(&table, 2);
        put("gwet.ac1", ac1.map(|k| k.value));
        put("gwet.ac1_se", ac1.and_then(|k| k.standard_error));
        let fleiss = agreement::fleiss(&table);
        put("gwet.fleiss_gwet", fleiss.map(|k| k.value));
        put("gwet.fleiss_gwet_se", fleiss.and_then(|k| k.standard_error));
        comparison.check(name, &exact[name], &values);
    }
    comparison
}

#[test]
fn reader_agreement_is_within_1e_12_of_exact_arithmetic() {
    let comparison = all_readers();
    for (metric, worst) in &comparison.worst {
        println!("{metric:24} {worst:.1e}");
    }
    comparison.assert(100);
}

#[test]
fn sample_sizes_and_power_match_proc_pwr_epir_and_statsmodels() {
    use sequester::statistics::design;
    use sequester::statistics::design::{AucVariance, Size};
    let r = reference("power_R");
    let mut compared = 0;
    for (key, row) in r.as_object().expect("object") {
        let Some(rest) = key.strip_prefix("power.roc.test one auc=") else { continue };
        let number = |name: &str| row[name].as_f64().expect("number");
        let auc: f64 = rest[..4].parse().expect("auc");
        // pROC finds sizes and powers by a root search that stops early.
        let close = |got: f64, expected: f64, within: f64| {
            assert!((got / expected - 1.0).abs() < within, "{key}: {got} {expected}");
        };
        if rest.contains("kappa=") {
            let kappa = number("ncontrols") / number("ncases");
            let size = design::auc_size(AucVariance::Obuchowski, auc, 0.5, kappa, 0.05, 0.8).expect("size");
            close(size.positives, number("ncases"), 1e-4);
            close(size.negatives, number("ncontrols"), 1e-4);
        } else {
            let size = Size { positives: number("ncases"), negatives: number("ncontrols") };
            close(
                design::auc_power(AucVariance::Obuchowski, auc, 0.5, size, 0.05).expect("power"),
                number("power"),
                1e-6,
            );
        }
        compared += 1;
    }
    assert_eq!(compared, 21);
    // The formulas themselves, without a package.
    let rows = reference("design");
    for row in rows.as_array().expect("list") {
        let of = |key: &str| row[key].as_f64().expect("number");
        let size = design::auc_size(
            AucVariance::Obuchowski,
            of("auc"),
            of("goal"),
            of("ratio"),
            of("alpha"),
            of("power"),
        )
        .expect("size");
        assert!((size.positives / of("positives") - 1.0).abs() < 1e-12, "{row}: {size:?}");
        assert!((size.negatives / (of("positives") * of("ratio")) - 1.0).abs() < 1e-12, "{row}: {size:?}");
        // The covariance that the formula leaves out makes a size smaller.
        assert!(size.positives > of("delta"), "{row}: {size:?}");
    }
    let buderer = r["epiR epi.ssdxsesp se=.9 Py=.0136 eps=.05 (Buderer)"].as_f64().expect("number");
    let got = design::buderer_size(0.9, 0.05, 0.0136, LEVEL).expect("size");
    assert!((got / buderer - 1.0).abs() < 1e-12, "{got} {buderer}");
    let py = reference("power_py");
    let normal = py["statsmodels samplesize_confint_proportion p=.9 half=.05"].as_f64().expect("number");
    assert!((design::normal_width_size(0.9, 0.05, LEVEL).expect("size") / normal - 1.0).abs() < 1e-12);
    for (null, truth) in [(0.8, 0.9), (0.85, 0.9), (0.7, 0.8)] {
        let row = &py[format!("exact binomial one-sided alpha=.025 p0={null} p1={truth} power=.8")];
        let ours = design::binomial_size(null, truth, 0.025, 0.8).expect("size");
        assert_eq!(Some(ours.first), row["first_n"].as_u64(), "{null} {truth}");
        assert_eq!(Some(ours.stable), row["stable_n"].as_u64(), "{null} {truth}");
    }
    let widths = [
        ("smallest n: CP width<=.1 at k=round(.9n)", false),
        ("smallest n: Wilson width<=.1 at k=round(.9n)", true),
    ];
    for (key, by_wilson) in widths {
        assert_eq!(design::width_size(0.9, 0.1, LEVEL, by_wilson), py[key].as_u64(), "{key}");
    }
}

/// Rows of the tables in `docs/statistics.md` that state a deviation: (reference keys, deviation).
fn documented() -> Vec<(Vec<String>, f64)> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/statistics.md");
    let text = std::fs::read_to_string(path).expect("docs");
    let mut out = Vec::new();
    for line in text.lines().filter(|l| l.starts_with('|')) {
        let line = line.replace("\\|", "");
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let (Some(keys), Some(Ok(deviation))) = (cells.get(4), cells.get(5).map(|d| d.parse::<f64>())) else {
            continue;
        };
        // Only rows that name reference keys; the table of speeds has numbers there too.
        if !keys.starts_with('`') {
            continue;
        }
        out.push((keys.split('`').filter(|k| !k.trim().is_empty()).map(str::to_owned).collect(), deviation));
    }
    out
}

#[test]
fn the_deviations_in_the_documentation_hold() {
    let mut worst = all_binary().worst;
    for (key, deviation) in all_readers().worst {
        let key =
            if key.starts_with("cohen.") { key.rsplit('.').next().unwrap_or("").to_owned() } else { key };
        let known = worst.entry(key).or_default();
        *known = known.max(deviation);
    }
    let rows = documented();
    assert!(rows.len() >= 30, "{}", rows.len());
    let mut stated = BTreeSet::new();
    for (keys, deviation) in rows {
        for key in keys {
            let measured = worst.get(&key).unwrap_or_else(|| panic!("{key} is not compared"));
            assert!(*measured <= deviation, "{key}: {measured:.1e}, the documentation says {deviation:.0e}");
            stated.insert(key);
        }
    }
    for key in worst.keys().filter(|k| !k.contains("wald") && !k.contains("jeff_raw")) {
        let counted = ["n", "n_pos", "n_cases_any", "kappa_vs_truth", "fleiss_complete.n"];
        assert!(stated.contains(key) || counted.contains(&key.as_str()), "{key} is not documented");
    }
}

#[test]
fn the_chi_squared_tail_is_within_1e_12_of_mpmath() {
    let mut worst = 0.0_f64;
    let rows = reference("chi_squared");
    let rows = rows.as_array().expect("rows");
    for row in rows {
        let number = |i: usize| row[i].as_str().expect("text").parse::<f64>().expect("number");
        let (df, x, expected) = (row[0].as_u64().expect("degrees"), number(1), number(2));
        let got = sequester::statistics::special::chi_squared_sf(x, df);
        let error = (got / expected - 1.0).abs();
        assert!(error < 1e-12, "{df} {x}: {got} {expected}");
        worst = worst.max(error);
    }
    println!("largest relative deviation of {} tails: {worst:.1e}", rows.len());
    assert!(rows.len() > 200);
}
