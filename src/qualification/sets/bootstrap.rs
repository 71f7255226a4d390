//! The bootstrap against its laws.

use serde_json::Value;

use crate::qualification::compared::{Compared, compare};
use crate::qualification::embedded::{Table, sets, table};
use crate::statistics::bootstrap::{self, Cases, Replicates, Resampler};
use crate::statistics::confusion::Confusion;
use crate::statistics::estimate::ResamplingUnit;
use crate::statistics::{auc, exact_law};

use super::{ABSOLUTE, scores};

/// Replicates that are drawn here: few, so that a qualification takes seconds; the tolerances follow from them.
const REPLICATES: u64 = 2_000;
/// The tables that replicates are drawn from: few cases, sites, patients with several cases, a reversed score.
const DRAWN: [&str; 4] = ["d01_tiny20", "d07_subgroups600", "d08_clustered", "d10_reversed300"];

fn resampler(t: &Table, unit: ResamplingUnit) -> Option<Resampler> {
    let cases = Cases { labels: &t.labels, patients: Some(&t.patients), sites: None };
    Resampler::new(unit, &cases).ok()
}

fn replicates(t: &Table, unit: ResamplingUnit, metric: &str) -> Option<Replicates> {
    let resampler = resampler(t, unit)?;
    if metric == "auc" {
        return Some(bootstrap::auc(&resampler, &t.labels, &t.scores, REPLICATES, 1));
    }
    let share = |(k, n): (u64, u64)| k as f64 / n as f64;
    let statistic = |c: &Confusion| match metric {
        "sens@0.5" => Some(share(c.sensitivity())),
        "spec@0.5" => Some(share(c.specificity())),
        _ => c.f1(),
    };
    let calls: Vec<bool> = t.scores.iter().map(|&s| s >= 0.5).collect();
    // The reference leaves out every replicate that lacks a class.
    let both = |c: &Confusion| (c.positives() > 0 && c.negatives() > 0).then(|| statistic(c)).flatten();
    Some(bootstrap::confusion_with(&resampler, &t.labels, &calls, REPLICATES, 1, both))
}

/// Laws of the embedded tables.
fn laws() -> impl Iterator<Item = (String, Value)> {
    sets("boot_reference").into_iter().filter(|(name, _)| scores::TABLES.contains(&name.as_str()))
}

/// Closed laws, and the acceleration of BCa.
pub fn exact() -> Vec<Compared> {
    let mut out = Vec::new();
    for (name, laws) in laws() {
        let t = table(&name);
        let c = Confusion::at(&t.labels, &t.scores, 0.5);
        for (key, law) in laws.as_object().into_iter().flatten() {
            let Some((scheme, metric)) = key.split_once("_exact.") else { continue };
            let (k, n) = match metric {
                "sens@0.5" => c.sensitivity(),
                "spec@0.5" => c.specificity(),
                _ => c.accuracy(),
            };
            for (p, expected) in law.as_object().into_iter().flatten() {
                let Ok(at) = p.parse::<f64>() else { continue };
                let fixed = scheme == "stratified" || metric.starts_with("acc");
                let computed = if fixed {
                    Some(exact_law::fixed_size_quantile(k, n, at))
                } else {
                    exact_law::mixed_size_quantiles(k, n, c.total(), &[at]).and_then(|q| q.first().copied())
                };
                out.push(compare(format!("{name} {key} {p}"), "closed law", expected, computed, ABSOLUTE));
            }
        }
        if let Some(cases) = resampler(&t, ResamplingUnit::Case) {
            let a = bootstrap::acceleration(&bootstrap::auc_jackknife(&cases, &t.labels, &t.scores));
            let expected = &laws["bca_iid.auc"]["a"];
            let at = format!("{name} bca_iid.auc.a");
            out.push(compare(at, "acceleration", expected, Some(a), ABSOLUTE));
        }
    }
    out
}

/// A deviation in units of what chance allows: `computed` is expected within `allowed` of `expected`.
fn within(at: String, key: &str, expected: &Value, computed: Option<f64>, allowed: f64) -> Compared {
    let mut found = compare(at, key, expected, computed, 1.0);
    if let (Some(expected), Some(computed)) = (expected.as_f64(), computed) {
        found.deviation = (computed - expected).abs() / allowed;
    }
    found
}

/// Replicates and BCa limits beside big runs of another program: the deviation is in units of what the
/// Monte Carlo errors of both allow (five standard errors, and one step of a discrete law).
pub fn drawn() -> Vec<Compared> {
    let mut out = Vec::new();
    for (name, laws) in laws().filter(|(name, _)| DRAWN.contains(&name.as_str())) {
        let t = table(&name);
        let counts = Confusion::at(&t.labels, &t.scores, 0.5);
        for (key, law) in laws.as_object().into_iter().flatten() {
            let Some((scheme, metric)) = key.split_once('.') else { continue };
            let unit = match scheme {
                "iid" => ResamplingUnit::Case,
                "stratified" => ResamplingUnit::CaseStratified,
                "cluster" => ResamplingUnit::Patient,
                _ => continue,
            };
            let ours = replicates(&t, unit, metric);
            let number = |value: &Value| value.as_f64().unwrap_or(f64::NAN);
            let both = (1.0 / REPLICATES as f64 + 1.0 / number(&law["B"])).sqrt();
            let se = number(&law["se"]);
            let our_mean = ours.as_ref().map(|r| r.values.iter().sum::<f64>() / r.values.len() as f64);
            let at = |what: &str| format!("{name} {key} {what}");
            out.push(within(at("mean"), "replicates", &law["mean"], our_mean, 5.0 * se * both));
            let our_se = ours.as_ref().and_then(Replicates::standard_error);
            out.push(within(at("se"), "replicates", &law["se"], our_se, 5.0 * se * both));
            let step = match metric {
                "auc" => 0.0,
                "spec@0.5" => 1.0 / counts.negatives() as f64,
                _ => 1.5 / counts.positives() as f64,
            };
            for (q, density) in [(0.025_f64, 0.0584), (0.5, 0.3989), (0.975, 0.0584)] {
                let allowed = 5.5 * (q * (1.0 - q)).sqrt() / density * se * both + step;
                let quantile = ours.as_ref().and_then(|r| r.quantile(q));
                let expected = &law["quantiles"][format!("{q}")];
                out.push(within(at(&format!("{q}")), "replicates", expected, quantile, allowed));
            }
        }
        bca(&name, &t, &laws["bca_iid.auc"], &mut out);
    }
    out
}

/// What a limit may differ by, in standard errors, at 20,000 replicates; the Monte Carlo error of a tail
/// quantile goes with the root of their number.
const OF_A_LIMIT: f64 = 0.13;

fn bca(name: &str, t: &Table, law: &Value, out: &mut Vec<Compared>) {
    let cases = resampler(t, ResamplingUnit::Case);
    let a = cases.map(|c| bootstrap::acceleration(&bootstrap::auc_jackknife(&c, &t.labels, &t.scores)));
    let drawn = replicates(t, ResamplingUnit::Case, "auc");
    let value = auc::auc(&t.labels, &t.scores);
    let limits = match (&drawn, value, a) {
        (Some(drawn), Some(value), Some(a)) => drawn.bca(value, a, super::LEVEL),
        _ => None,
    };
    let se = drawn.as_ref().and_then(Replicates::standard_error).unwrap_or(f64::NAN);
    let allowed = OF_A_LIMIT * se * (20_000.0 / REPLICATES as f64).sqrt();
    for (key, computed) in [("lo", limits.map(|l| l.0)), ("hi", limits.map(|l| l.1))] {
        let at = format!("{name} bca_iid.auc.{key}");
        out.push(within(at, "bca", &law[key], computed, allowed));
    }
}
