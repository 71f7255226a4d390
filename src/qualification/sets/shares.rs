//! Shares: patients with several cases, and two devices on the same or on different cases.

use crate::qualification::compared::{Compared, Values, beside, compare};
use crate::qualification::embedded::{counts, reference, sets};
use crate::statistics::clustered::Shares;
use crate::statistics::comparative::{
    IndependentShares, MarginTests, PairedCalls, PredictiveValue, exact_interval, unconditional_p,
};
use crate::statistics::paired_shares::PairedShares;
use crate::statistics::special::{binomial_density, normal_two_sided};

use super::{ABSOLUTE, FLOOR, LEVEL};

/// `clustered.json`: patients with several cases.
pub fn clustered() -> Vec<Compared> {
    let all = reference("clustered");
    let mut out = Vec::new();
    for (number, table) in all["tables"].as_array().into_iter().flatten().enumerate() {
        let level = table["level"].as_f64().unwrap_or(LEVEL);
        let rows: Vec<(u64, u64)> = serde_json::from_value(table["patients"].clone()).unwrap_or_default();
        let cases =
            rows.iter().zip(0..).flat_map(|(&(right, n), patient)| (0..n).map(move |i| (patient, i < right)));
        let shares = Shares::of(rows.len(), cases);
        let (korn, patients) = (shares.korn_graubard(level), shares.on_patients(level));
        for (key, computed) in [
            ("design_effect", shares.design_effect()),
            ("effective_number", shares.effective_number(level)),
            ("kg_lower", korn.map(|limits| limits.0)),
            ("kg_upper", korn.map(|limits| limits.1)),
            ("patients_lower", patients.map(|limits| limits.0)),
            ("patients_upper", patients.map(|limits| limits.1)),
        ] {
            if computed.is_some() || !table[key].is_null() {
                out.push(compare(format!("table {} {key}", number + 1), key, &table[key], computed, FLOOR));
            }
        }
    }
    out
}

/// `paired_shares.json`: a reader and the device on the same cases.
pub fn paired_shares() -> Vec<Compared> {
    let mut out = Vec::new();
    for (name, table) in &sets("paired_shares") {
        let cells: Vec<u64> = serde_json::from_value(table["counts"].clone()).unwrap_or_default();
        let &[both, only_first, only_second, neither] = cells.as_slice() else { continue };
        let shares = PairedShares { both, only_first, only_second, neither };
        for (key, limits) in [("tango", shares.tango(LEVEL)), ("newcombe", shares.newcombe(LEVEL))] {
            let at = |end: &str| format!("{name} {key} {end}");
            let expected = |place: usize| &table[key][place];
            out.push(compare(at("lower"), key, expected(0), limits.map(|l| l.0), FLOOR));
            out.push(compare(at("upper"), key, expected(1), limits.map(|l| l.1), FLOOR));
        }
    }
    out
}

fn put(out: &mut Values, key: &str, value: Option<f64>) {
    out.insert(key.to_owned(), value);
}

fn put_limits(out: &mut Values, key: &str, limits: Option<(f64, f64)>) {
    let separator = if key.ends_with('_') { "" } else { "." };
    put(out, &format!("{key}{separator}lo"), limits.map(|limits| limits.0));
    put(out, &format!("{key}{separator}hi"), limits.map(|limits| limits.1));
}

fn put_margin(out: &mut Values, margin: f64, method: &str, tests: Option<MarginTests>) {
    let key = |what: &str| format!("m{margin:.2}.{method}_{what}");
    put(out, &key("ni.z"), tests.map(|t| t.lower.z));
    put(out, &key("ni.p"), tests.map(|t| t.lower.p));
    // Wald's test has a reference for the lower side alone.
    if method != "wald" {
        put(out, &key("upper.z"), tests.map(|t| t.upper.z));
        put(out, &key("upper.p"), tests.map(|t| t.upper.p));
    }
    put(out, &key("tost.p"), tests.map(|t| t.equivalence_p));
}

fn paired_side(shares: &PairedShares) -> Values {
    let mut out = Values::new();
    for (key, count) in [
        ("n", shares.cases()),
        ("both", shares.both),
        ("onlyA", shares.only_first),
        ("onlyB", shares.only_second),
        ("neither", shares.neither),
    ] {
        put(&mut out, key, Some(count as f64));
    }
    put(&mut out, "estA", shares.shares().map(|s| s[0]));
    put(&mut out, "estB", shares.shares().map(|s| s[1]));
    put(&mut out, "diff", shares.difference());
    put(&mut out, "wald.se", shares.wald_se());
    put_limits(&mut out, "wald", shares.wald(LEVEL));
    put(&mut out, "agresti_min.est", shares.agresti_min_estimate());
    put_limits(&mut out, "agresti_min", shares.agresti_min(LEVEL));
    put_limits(&mut out, "bonett_price", shares.bonett_price(LEVEL));
    put_limits(&mut out, "tango", shares.tango(LEVEL));
    put(&mut out, "newcombe10.phi", Some(shares.phi(true)));
    put(&mut out, "newcombe8.phi", Some(shares.phi(false)));
    put_limits(&mut out, "newcombe10", shares.newcombe(LEVEL));
    put_limits(&mut out, "newcombe8", shares.newcombe_uncorrected(LEVEL));
    let test = shares.discordant();
    put(&mut out, "mcnemar.stat", test.statistic());
    put(&mut out, "mcnemar.p", test.p());
    put(&mut out, "mcnemar.exact_p", test.exact_p());
    put(&mut out, "mcnemar.midp", test.mid_p());
    // Where both are equal, the mid-p of the paper's text is 1 less half of what was seen.
    let text = if shares.only_first == shares.only_second && test.exact_p().is_some() {
        let n = (shares.only_first + shares.only_second) as f64;
        Some(1.0 - binomial_density(n / 2.0, n, 0.5, 0.5) / 2.0)
    } else {
        test.mid_p()
    };
    put(&mut out, "mcnemar.midp_fagerland", text);
    put(&mut out, "mcnemar.uncond_p", unconditional_p(shares));
    for margin in [0.05, 0.10] {
        put_margin(&mut out, margin, "tango", MarginTests::of(margin, |d| shares.tango_z(d)));
        put_margin(&mut out, margin, "wald", MarginTests::of(margin, |d| shares.wald_z(d)));
    }
    let ratio_se = shares.ratio_log_se();
    // A ratio of 0 has no logarithm.
    put(&mut out, "ratio.est", shares.ratio().filter(|_| ratio_se.is_some()));
    put(&mut out, "ratio.se_log", ratio_se);
    put_limits(&mut out, "ratio.wald_", shares.ratio_wald(LEVEL));
    let z = ratio_se.filter(|se| *se > 0.0).and_then(|se| Some(shares.ratio()?.ln() / se));
    put(&mut out, "ratio.wald_p", z.map(normal_two_sided));
    put_limits(&mut out, "ratio.tang_", shares.ratio_score(LEVEL));
    out
}

fn predictive(calls: &PairedCalls) -> Values {
    let mut out = Values::new();
    for (name, of) in [("ppv", PredictiveValue::Positive), ("npv", PredictiveValue::Negative)] {
        let key = |what: &str| format!("{name}.{what}");
        let values = calls.values(of);
        put(&mut out, &key("A"), values.map(|v| v[0]));
        put(&mut out, &key("B"), values.map(|v| v[1]));
        put(&mut out, &key("diff"), values.map(|v| v[0] - v[1]));
        for (test, found) in [("gs", calls.generalised_score(of)), ("wgs", calls.weighted_score(of))] {
            put(&mut out, &key(&format!("{test}.stat")), found.map(|t| t.statistic));
            put(&mut out, &key(&format!("{test}.p")), found.map(|t| t.p));
        }
        let relative = calls.relative(of);
        put(&mut out, &key("rel.est"), relative.map(|r| r.value));
        put(&mut out, &key("rel.se_log"), relative.map(|r| r.log_se));
        put(&mut out, &key("rel.p"), relative.and_then(|r| r.p()));
        put_limits(&mut out, &key("rel"), relative.map(|r| r.limits(LEVEL)));
    }
    out
}

fn calls(cells: &[u64]) -> PairedCalls {
    let mut calls = PairedCalls::default();
    for (place, count) in cells.iter().enumerate() {
        for _ in 0..*count {
            calls.count(place < 4, place & 2 == 0, place & 1 == 0);
        }
    }
    calls
}

/// What a key of a table of shares is of: without the side and the margin.
fn of_shares(key: &str) -> String {
    let key = key.strip_prefix("sens.").or_else(|| key.strip_prefix("spec.")).unwrap_or(key);
    let margin = key.strip_prefix("m0.05.").or_else(|| key.strip_prefix("m0.10."));
    let predictive = key.strip_prefix("ppv.").or_else(|| key.strip_prefix("npv."));
    let head = |text: &str| text.split(['.', '_']).next().unwrap_or_default().to_owned();
    match (margin, predictive) {
        (Some(rest), _) => format!("margin {}", head(rest)),
        (None, Some(rest)) => format!("predictive {}", head(rest)),
        (None, None) => match key.split_once('.') {
            Some(("mcnemar", "uncond_p")) => "mcnemar unconditional".to_owned(),
            Some(("ratio", rest)) if rest.starts_with("tang") => "ratio score".to_owned(),
            Some((method, _)) => method.to_owned(),
            None => "counts".to_owned(),
        },
    }
}

/// `comparative_paired.json`: two devices on the same cases.
pub fn paired() -> Vec<Compared> {
    let reference = sets("comparative_paired");
    let mut out = Vec::new();
    for (name, cells) in counts("paired") {
        let Some(truth) = reference.get(name).and_then(|t| t.as_object()) else { continue };
        let calls = calls(&cells);
        let mut ours = predictive(&calls);
        for (side, shares) in [("sens", calls.sensitivities()), ("spec", calls.specificities())] {
            ours.extend(
                paired_side(&shares).into_iter().map(|(key, value)| (format!("{side}.{key}"), value)),
            );
        }
        out.extend(beside(name, truth, &ours, ABSOLUTE, of_shares));
    }
    out
}

/// `comparative_paired_ExactCIdiff2.1.json`: the exact interval, on that package's grid.
pub fn exact_paired() -> Vec<Compared> {
    let tables = counts("paired");
    let mut out = Vec::new();
    for (name, values) in &sets("comparative_paired_ExactCIdiff2.1") {
        let Some(cells) = tables.get(name.as_str()) else { continue };
        let calls = calls(cells);
        for (side, shares) in [("sens", calls.sensitivities()), ("spec", calls.specificities())] {
            let key = |end: &str| format!("{side}.exact_wang_only.{end}");
            if values.get(key("lo")).is_none() {
                continue;
            }
            let found = exact_interval(&shares, LEVEL);
            for (end, computed) in [("lo", found.map(|f| f.0)), ("hi", found.map(|f| f.1))] {
                let at = format!("{name} {}", key(end));
                out.push(compare(at, "exact-paired", &values[key(end)], computed, ABSOLUTE));
            }
        }
    }
    out
}

/// `comparative_unpaired.json`: two devices on different cases.
pub fn unpaired() -> Vec<Compared> {
    let reference = sets("comparative_unpaired");
    let mut out = Vec::new();
    for (name, cells) in counts("unpaired") {
        let Some(truth) = reference.get(name).and_then(|t| t.as_object()) else { continue };
        let &[k, n, other_k, other_n] = cells.as_slice() else { continue };
        let Some(shares) = IndependentShares::new([k, n], [other_k, other_n]) else { continue };
        let mut ours = Values::new();
        put(&mut ours, "diff", Some(shares.difference()));
        put_limits(&mut ours, "wald", Some(shares.wald(LEVEL)));
        put_limits(&mut ours, "agresti_caffo", Some(shares.agresti_caffo(LEVEL)));
        put_limits(&mut ours, "newcombe", Some(shares.newcombe(LEVEL)));
        for (method, unbiased) in [("mn", true), ("mee", false)] {
            put_limits(&mut ours, method, Some(shares.score(LEVEL, unbiased)));
            for margin in [0.05, 0.10] {
                put_margin(&mut ours, margin, method, shares.margin_tests(margin, unbiased));
            }
        }
        out.extend(beside(name, truth, &ours, ABSOLUTE, of_shares));
    }
    out
}
