//! What has a reference of its own: `qualification.json`, sizes of studies, tails of laws.

use serde_json::Value;

use crate::dataset::standardised;
use crate::qualification::compared::{Compared, Values, beside, compare};
use crate::qualification::embedded::{reference, sets};
use crate::statistics::auc_bounds::{Extreme, extreme_labels};
use crate::statistics::comparative::{Contrast, Linearised};
use crate::statistics::confusion::Confusion;
use crate::statistics::design::{self, AucVariance};
use crate::statistics::estimate::{IntervalMethod as By, ResamplingUnit};
use crate::statistics::metric::{
    Metric, Plan, Sample, estimate, estimate_at_prevalence, estimate_from_table,
};
use crate::statistics::special::{chi_squared_sf, normal_two_sided, z_two_sided};
use crate::statistics::square_and_add::{Limited, difference};
use crate::statistics::weighted::{WeightedCase, measures};
use crate::statistics::{
    agreement, auc, exact_law, intended_use, mcnemar, poolability, proportion, quantile, sizing,
};

use super::{FLOOR, LEVEL};

fn numbers(value: &Value) -> Vec<f64> {
    let number = |value: &Value| match value {
        Value::String(text) => text.parse().unwrap_or(f64::NAN),
        other => other.as_f64().unwrap_or(f64::NAN),
    };
    value.as_array().into_iter().flatten().map(number).collect()
}

fn yes(value: &Value) -> Vec<bool> {
    numbers(value).into_iter().map(|n| n != 0.0).collect()
}

fn ids(value: &Value) -> Vec<u32> {
    serde_json::from_value(value.clone()).unwrap_or_default()
}

fn limits(values: &mut Values, name: &str, found: Option<(f64, f64)>) {
    values.insert(format!("{name}lo"), found.map(|limits| limits.0));
    values.insert(format!("{name}hi"), found.map(|limits| limits.1));
}

fn plan(methods: Vec<By>) -> Plan {
    Plan::new(LEVEL, methods, ResamplingUnit::Case, 0, 1)
}

/// Everything in `qualification.json`; the statistic is the name of its set.
pub fn qualification() -> Vec<Compared> {
    let all = sets("qualification");
    let mut out = Vec::new();
    for (name, set) in &all {
        let ours = match name.as_str() {
            "projections" => projections(set),
            "transported" => transported(set),
            "in_use" => in_use(set),
            "hoeffding" => hoeffding(set),
            "separated" => separated(set),
            "u_statistic" => u_statistic(set),
            "extremes" => extremes(set),
            "standardised" => standardised_differences(),
            "indices" => indices(set),
            "cochran" => cochran(set),
            "clustered_mcnemar" => clustered_mcnemar(set),
            "linearised" => linearised(set),
            "square_and_add" => square_and_add(set),
            "sizing" => sizes(),
            "percentile" => percentile(set),
            "weighted" => weighted(set),
            "normal" => Values::from([
                ("z95".to_owned(), Some(z_two_sided(0.95))),
                ("z90".to_owned(), Some(z_two_sided(0.90))),
                ("p196".to_owned(), Some(normal_two_sided(1.96))),
            ]),
            "quantile" => ["0.025", "0.5", "0.9"]
                .into_iter()
                .map(|p| {
                    let at = p.parse().unwrap_or(f64::NAN);
                    (p.to_owned(), quantile::of_ascending(&numbers(&set["values"]), at))
                })
                .collect(),
            _ => continue,
        };
        if let Some(expected) = set["expected"].as_object() {
            out.extend(beside(name, expected, &ours, FLOOR, |key| statistic(name, key)));
        }
    }
    out
}

/// The statistic of a key: of sets with several statistics, the set and the first part of the key.
fn statistic(set: &str, key: &str) -> String {
    if ["sizing", "in_use", "projections", "transported", "standardised"].contains(&set) {
        let part = key.split(['.', '_']).next().unwrap_or_default();
        return format!("{set} {part}");
    }
    set.to_owned()
}

fn table_of(set: &Value) -> Option<Confusion> {
    let cells: [u64; 4] = serde_json::from_value(set["table"].clone()).ok()?;
    let [true_positives, false_negatives, false_positives, true_negatives] = cells;
    Some(Confusion { true_positives, false_negatives, false_positives, true_negatives })
}

fn projections(set: &Value) -> Values {
    let mut values = Values::new();
    let Some(table) = table_of(set) else { return values };
    for (metric, name) in [
        (Metric::Youden, "youden_index."),
        (Metric::BalancedAccuracy, "balanced_accuracy."),
        (Metric::Mcc, "mcc."),
        (Metric::LrPositive, "lr_positive."),
        (Metric::LrNegative, "lr_negative."),
        (Metric::DiagnosticOddsRatio, "diagnostic_odds_ratio."),
        (Metric::F1, "f1."),
    ] {
        let found = estimate_from_table(metric, &table, &plan(vec![By::ClopperPearson]));
        limits(&mut values, name, found.intervals.first().map(|i| (i.lower, i.upper)));
    }
    values
}

/// One case a row of a table: its label, and 1 or 0 as its score.
fn expanded(table: &Confusion) -> (Vec<bool>, Vec<f64>) {
    [
        (true, 1.0, table.true_positives),
        (true, 0.0, table.false_negatives),
        (false, 1.0, table.false_positives),
        (false, 0.0, table.true_negatives),
    ]
    .into_iter()
    .flat_map(|(label, score, count)| (0..count).map(move |_| (label, score)))
    .unzip()
}

fn transported(set: &Value) -> Values {
    let mut values = Values::new();
    let Some(table) = table_of(set) else { return values };
    let prevalence = set["prevalence"].as_str().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN);
    let (labels, scores) = expanded(&table);
    let sample = Sample { labels: &labels, scores: &scores, patients: None, sites: None };
    for (metric, name) in [(Metric::Ppv, "ppv"), (Metric::Npv, "npv"), (Metric::F1, "f1")] {
        for (method, key) in [(By::ClopperPearson, "cp"), (By::Log, "log")] {
            let found = estimate_at_prevalence(metric, &sample, 0.5, prevalence, &plan(vec![method]));
            values.insert(name.to_owned(), found.value);
            let interval = found.intervals.first().map(|i| (i.lower, i.upper));
            if metric != Metric::F1 || method == By::ClopperPearson {
                limits(&mut values, &format!("{name}.{key}_"), interval);
            }
        }
    }
    values
}

fn in_use(set: &Value) -> Values {
    let mut values = Values::new();
    let (labels, scores, patients) = (yes(&set["labels"]), numbers(&set["scores"]), ids(&set["patients"]));
    let number = |key: &str| set[key].as_str().and_then(|text| text.parse().ok()).unwrap_or(f64::NAN);
    let (prevalence, threshold) = (number("prevalence"), number("threshold"));
    let cases = intended_use::Cases { labels: &labels, scores: &scores, patients: &patients };
    let mut put = |name: &str, known: Option<intended_use::Known>| {
        values.insert(name.to_owned(), known.map(|known| known.value));
        limits(&mut values, &format!("{name}."), known.and_then(|known| known.limits));
    };
    let found = intended_use::calibration(&cases, prevalence, LEVEL);
    put("oe", found.as_ref().and_then(|f| f.observed_to_expected));
    put("intercept", found.as_ref().and_then(|f| f.intercept));
    put("slope", found.as_ref().and_then(|f| f.slope));
    put("net_benefit", intended_use::net_benefit(&cases, prevalence, threshold, LEVEL));
    values.insert("mean_score".to_owned(), found.map(|f| f.mean_score));
    values
}

fn hoeffding(set: &Value) -> Values {
    let mut values = Values::new();
    for (index, row) in set["rows"].as_array().into_iter().flatten().enumerate() {
        let (mean, n) = (row[0].as_str().and_then(|text| text.parse().ok()), row[1].as_u64());
        let found = mean.zip(n).map(|(mean, n)| proportion::hoeffding(mean, n, LEVEL));
        limits(&mut values, &format!("{index}."), found);
    }
    values
}

/// The interval of an AUC whose pairs were all won.
fn separated(set: &Value) -> Values {
    let count = |key: &str| set[key].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
    let (positives, negatives) = (count("positives"), count("negatives"));
    let labels: Vec<bool> = (0..positives + negatives).map(|case| case < positives).collect();
    let scores: Vec<f64> = labels.iter().map(|label| if *label { 0.8 } else { 0.2 }).collect();
    let sample = Sample { labels: &labels, scores: &scores, patients: None, sites: None };
    let found = estimate(Metric::Auc, &sample, None, &plan(vec![By::Delong]));
    let exact = found.intervals.iter().find(|interval| interval.method == By::ClopperPearson);
    Values::from([("lo".to_owned(), exact.map(|interval| interval.lower))])
}

fn u_statistic(set: &Value) -> Values {
    let found = auc::auc_sums(&yes(&set["labels"]), &numbers(&set["scores"])).u_statistic_variance();
    Values::from([("variance".to_owned(), found)])
}

fn extremes(set: &Value) -> Values {
    let (positives, negatives, unknown) =
        (numbers(&set["positives"]), numbers(&set["negatives"]), numbers(&set["unknown"]));
    let of = |extreme: Extreme| {
        let open = extreme_labels(&positives, &negatives, &unknown, extreme);
        let labels: Vec<bool> =
            positives.iter().map(|_| true).chain(negatives.iter().map(|_| false)).collect();
        let scores = [&positives[..], &negatives, &unknown].concat();
        auc::auc(&[labels, open].concat(), &scores)
    };
    Values::from([
        ("largest".to_owned(), of(Extreme::Largest)),
        ("smallest".to_owned(), of(Extreme::Smallest)),
    ])
}

fn standardised_differences() -> Values {
    Values::from([
        ("continuous".to_owned(), standardised::continuous((61.2, 9.5), (58.4, 11.25))),
        ("binary".to_owned(), standardised::binary((30, 120), (70, 180))),
        ("categorical".to_owned(), standardised::categorical(&[20, 30, 50], &[40, 25, 55])),
    ])
}

/// What stands beside a kappa.
fn indices(set: &Value) -> Values {
    let counts = numbers(&set["counts"]);
    let answers = [(true, true), (true, false), (false, true), (false, false)];
    let rows: Vec<Vec<Option<bool>>> = answers
        .iter()
        .zip(&counts)
        .flat_map(|(&(a, b), count)| std::iter::repeat_n(vec![Some(a), Some(b)], *count as usize))
        .collect();
    let found = agreement::explained::pair(&rows, LEVEL, None);
    let of = |id: &str| found.iter().find(|estimate| estimate.id == id).and_then(|estimate| estimate.value);
    ["percent_agreement", "prevalence_index", "bias_index"]
        .into_iter()
        .map(|id| (id.to_owned(), of(id)))
        .collect()
}

fn cochran(set: &Value) -> Values {
    let pairs: Vec<(f64, f64)> = set["estimates"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|row| Some((*numbers(row).first()?, *numbers(row).get(1)?)))
        .collect();
    let found = poolability::cochran(&pairs);
    Values::from([
        ("statistic".to_owned(), found.map(|f| f.statistic)),
        ("p".to_owned(), found.map(|f| f.p_value)),
        ("i_squared".to_owned(), found.map(|f| f.i_squared)),
    ])
}

fn clustered_mcnemar(set: &Value) -> Values {
    let (labels, first, second) = (yes(&set["labels"]), yes(&set["first"]), yes(&set["second"]));
    let p = mcnemar::clustered_p(&labels, &first, &second, &ids(&set["patients"]));
    Values::from([("p".to_owned(), p)])
}

fn linearised(set: &Value) -> Values {
    let patients = ids(&set["patients"]);
    let labels = vec![true; patients.len()];
    let of = |key: &str| {
        let calls: Vec<Option<bool>> = yes(&set[key]).into_iter().map(Some).collect();
        Linearised::of(Metric::Sensitivity, &labels, &calls, None).ok()
    };
    let contrast = of("first")
        .zip(of("second"))
        .and_then(|(first, second)| Contrast::of(&first, &[second], Some(&patients), |_| true));
    let mut values = Values::from([
        ("difference".to_owned(), contrast.as_ref().map(|c| c.difference)),
        ("se".to_owned(), contrast.as_ref().and_then(|c| c.se)),
    ]);
    limits(&mut values, "", contrast.and_then(|c| c.limits(LEVEL)));
    values
}

/// Percentile limits without drawing.
fn percentile(set: &Value) -> Values {
    let mut values = Values::new();
    let found = table_of(set).and_then(|t| exact_law::percentile(Metric::Youden, &t, true, LEVEL));
    limits(&mut values, "", found.map(|f| (f.lower, f.upper)));
    values
}

/// Measures of a weighted sample with their standard errors.
fn weighted(set: &Value) -> Values {
    let (labels, calls, weights) = (yes(&set["labels"]), yes(&set["calls"]), numbers(&set["weights"]));
    let (patients, strata) = (ids(&set["patients"]), ids(&set["strata"]));
    let case = |row: usize| {
        Some(WeightedCase {
            positive: *labels.get(row)?,
            called: *calls.get(row)?,
            weight: *weights.get(row)?,
            patient: *patients.get(row)?,
            stratum: *strata.get(row)?,
        })
    };
    let cases: Vec<WeightedCase> = (0..labels.len()).filter_map(case).collect();
    let mut values = Values::new();
    for (id, found) in measures(&cases) {
        values.insert(id.to_owned(), found.map(|found| found.value));
        values.insert(format!("{id}.se"), found.and_then(|found| found.standard_error));
    }
    values
}

fn square_and_add(set: &Value) -> Values {
    let of = |key: &str| match numbers(&set[key]).as_slice() {
        &[value, lower, upper] => Some(Limited { value, lower, upper }),
        _ => None,
    };
    let found = of("first").zip(of("second")).map(|(first, second)| difference(first, second));
    let mut values = Values::new();
    limits(&mut values, "", found.map(|f| (f.lower, f.upper)));
    values
}

fn sizes() -> Values {
    let by = AucVariance::Obuchowski;
    let bound = sizing::auc_bound_size(by, 0.9, 0.8, 2.0, LEVEL, 0.8);
    let width = sizing::auc_width_size(by, 0.9, 2.0, 0.05, LEVEL);
    let pairs = sizing::PairedShares { device_alone: 0.06, other_alone: 0.04 }.size(0.05, 0.025, 0.8);
    let calibration = sizing::calibration_size(0.85, 0.05, 0.4, 0.4, LEVEL);
    let goals = design::goals(0.3, 0.98, 0.1);
    let pilot = design::Size { positives: 40.0, negatives: 80.0 };
    let paired = design::paired_auc_size(pilot, 0.03 + 0.05, 0.0009, 0.05, 0.8);
    let uncertain = sizing::Uncertain::Uniform { low: 0.2, high: 0.8 };
    [
        ("auc_bound.positives", bound.map(|size| size.positives)),
        ("auc_width.positives", width.map(|size| size.positives)),
        ("tango.pairs", pairs),
        ("observed_to_expected.cases", calibration.map(|size| size.observed_to_expected)),
        ("slope.cases", calibration.map(|size| size.slope)),
        ("paired_auc.positives", paired.map(|size| size.positives)),
        ("assurance", sizing::assurance(uncertain, |x| Some(x * x))),
        ("design_effect", design::design_effect(1.8, 0.6, 0.4)),
        ("goal.sensitivity", goals.map(|goals| goals.sensitivity)),
        ("goal.specificity", goals.map(|goals| goals.specificity)),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}

/// `design.json` and `power_py.json`: sizes of studies.
pub fn design() -> Vec<Compared> {
    let mut out = Vec::new();
    for (number, row) in reference("design").as_array().into_iter().flatten().enumerate() {
        let of = |key: &str| row[key].as_f64().unwrap_or(f64::NAN);
        let size = design::auc_size(
            AucVariance::Obuchowski,
            of("auc"),
            of("goal"),
            of("ratio"),
            of("alpha"),
            of("power"),
        );
        let at = format!("design {} positives", number + 1);
        out.push(compare(at, "auc size", &row["positives"], size.map(|s| s.positives), FLOOR));
    }
    let py = reference("power_py");
    for (null, truth) in [(0.8, 0.9), (0.85, 0.9), (0.7, 0.8)] {
        let key = format!("exact binomial one-sided alpha=.025 p0={null} p1={truth} power=.8");
        let found = design::binomial_size(null, truth, 0.025, 0.8);
        let count = |n: Option<u64>| n.map(|n| n as f64);
        for (part, computed) in
            [("first_n", count(found.map(|f| f.first))), ("stable_n", count(found.map(|f| f.stable)))]
        {
            out.push(compare(format!("{key} {part}"), "binomial size", &py[&key][part], computed, FLOOR));
        }
    }
    for (key, by_wilson) in [
        ("smallest n: CP width<=.1 at k=round(.9n)", false),
        ("smallest n: Wilson width<=.1 at k=round(.9n)", true),
    ] {
        let found = design::width_size(0.9, 0.1, LEVEL, by_wilson).map(|n| n as f64);
        out.push(compare(key.to_owned(), "width", &py[key], found, FLOOR));
    }
    let key = "statsmodels samplesize_confint_proportion p=.9 half=.05";
    out.push(compare(key.to_owned(), "width", &py[key], design::normal_width_size(0.9, 0.05, LEVEL), FLOOR));
    out
}

/// `chi_squared.json`: tails of the chi-squared law, relative.
pub fn tails() -> Vec<Compared> {
    let mut out = Vec::new();
    for row in reference("chi_squared").as_array().into_iter().flatten() {
        let x = row[1].as_str().and_then(|text| text.parse::<f64>().ok());
        let computed = row[0].as_u64().zip(x).map(|(degrees, x)| chi_squared_sf(x, degrees));
        let at = format!("{} degrees at {}", row[0], row[1].as_str().unwrap_or_default());
        out.push(compare(at, "chi-squared", &row[2], computed, 1e-300));
    }
    out
}
