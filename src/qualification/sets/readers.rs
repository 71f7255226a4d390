//! Agreement of readers against exact arithmetic, irrCAC, krippendorff and statsmodels.

use serde_json::Value;

use crate::qualification::compared::{Compared, Values, beside, compare};
use crate::qualification::embedded::{reads, sets};
use crate::statistics::agreement::ordinal::{Weights, gwet_ac2, weighted_kappa};
use crate::statistics::agreement::{self, Coefficient};

use super::{ABSOLUTE, FLOOR};

/// The last part of `cohen.R1-R2.kappa`, other keys as they are.
fn of_pair(key: &str) -> String {
    let last = key.rsplit('.').next().unwrap_or(key);
    if key.starts_with("cohen.") { last.to_owned() } else { key.to_owned() }
}

/// `readers_exact.json`: two answers.
pub fn exact() -> Vec<Compared> {
    let reference = sets("readers_exact");
    let mut out = Vec::new();
    for (name, truth) in &reference {
        let (names, given) = reads(name);
        let table: Vec<Vec<Option<bool>>> =
            given.iter().map(|row| row.iter().map(|read| read.map(|r| r == "1")).collect()).collect();
        let mut ours = Values::new();
        let mut put = |key: &str, value: Option<f64>| {
            ours.insert(key.to_owned(), value);
        };
        put("n_cases_any", Some(table.len() as f64));
        for i in 0..names.len() {
            for j in i + 1..names.len() {
                let pair = agreement::cohen(&table, i, j);
                let key = |what: &str| format!("cohen.{}-{}.{what}", names[i], names[j]);
                put(&key("n"), Some(pair.cases as f64));
                put(&key("kappa"), pair.kappa.map(|kappa| kappa.value));
                put(&key("se"), pair.kappa.and_then(|kappa| kappa.standard_error));
                put(&key("se0"), pair.null_standard_error);
                put(&key("po"), pair.observed_agreement());
                put(&key("pabak"), pair.pabak());
            }
        }
        let complete = agreement::fleiss_complete(&table);
        put("fleiss_complete.n", complete.map(|kappa| kappa.cases as f64));
        put("fleiss_complete.kappa", complete.map(|kappa| kappa.value));
        put("fleiss_complete.se0", complete.and_then(|kappa| kappa.standard_error));
        put("kripp_alpha", agreement::krippendorff(&table).map(|alpha| alpha.value));
        let ac1 = agreement::gwet_ac1(&table, 2);
        put("gwet.ac1", ac1.map(|ac1| ac1.value));
        put("gwet.ac1_se", ac1.and_then(|ac1| ac1.standard_error));
        let fleiss = agreement::fleiss(&table);
        put("gwet.fleiss_gwet", fleiss.map(|kappa| kappa.value));
        put("gwet.fleiss_gwet_se", fleiss.and_then(|kappa| kappa.standard_error));
        if let Some(truth) = truth.as_object() {
            out.extend(beside(name, truth, &ours, FLOOR, of_pair));
        }
    }
    out
}

/// `nominal_*.json`: any number of answers.
pub fn nominal() -> Vec<Compared> {
    let mut out = Vec::new();
    for (name, truth) in &sets("nominal_statsmodels0.15.0_krippendorff0.9.0_irrCAC0.4.4") {
        let (names, table) = reads(name);
        let categories = truth["categories"].as_u64().and_then(|n| usize::try_from(n).ok()).unwrap_or(0);
        let value = |found: Option<Coefficient>| found.map(|c| c.value);
        let se = |found: Option<Coefficient>| found.and_then(|c| c.standard_error);
        let (ac1, fleiss) = (agreement::gwet_ac1(&table, categories), agreement::fleiss(&table));
        let alpha = value(agreement::krippendorff(&table));
        let mut check = |key: &str, statistic: &str, computed: Option<f64>| {
            out.push(compare(format!("{name} {key}"), statistic, &truth[key], computed, ABSOLUTE));
        };
        check("ac1#irrCAC", "ac1", value(ac1));
        check("ac1_se#irrCAC", "ac1", se(ac1));
        check("fleiss#irrCAC", "fleiss", value(fleiss));
        check("fleiss_se#irrCAC", "fleiss", se(fleiss));
        check("conger#irrCAC", "conger", value(agreement::conger(&table)));
        check("kripp_alpha#irrCAC", "alpha", alpha);
        check("kripp_alpha#krippendorff", "alpha", alpha);
        for i in 0..names.len() {
            for j in i + 1..names.len() {
                let pair = agreement::cohen(&table, i, j);
                let key = |what: &str| format!("cohen.{} vs {}.{what}", names[i], names[j]);
                check(&key("n"), "kappa", Some(pair.cases as f64));
                check(&key("kappa"), "kappa", value(pair.kappa));
                check(&key("se"), "kappa", se(pair.kappa));
            }
        }
    }
    out
}

/// `ordinal_*.json`: answers on a scale.
pub fn ordinal() -> Vec<Compared> {
    let mut out = Vec::new();
    for (name, of) in &sets("ordinal_statsmodels0.15.0_irrCAC0.4.4") {
        let place = |cell: &Value| cell.as_u64().and_then(|place| usize::try_from(place).ok());
        let row =
            |row: &Value| row.as_array().into_iter().flatten().map(place).collect::<Vec<Option<usize>>>();
        let rows: Vec<Vec<Option<usize>>> = of["rows"].as_array().into_iter().flatten().map(row).collect();
        let scale: Vec<f64> = (0..of["answers"].as_u64().unwrap_or(0)).map(|k| k as f64).collect();
        let readers = rows.first().map_or(0, Vec::len);
        let mut check = |key: &str, statistic: &str, computed: Option<f64>| {
            out.push(compare(format!("{name} {key}"), statistic, &of[key], computed, ABSOLUTE));
        };
        for weights in Weights::ALL {
            let ac2 = gwet_ac2(&rows, &scale, weights);
            let key = format!("ac2.{}", weights.name());
            check(&key, "ac2", ac2.map(|c| c.value));
            check(&format!("{key}.se"), "ac2", ac2.and_then(|c| c.standard_error));
            for a in 0..readers {
                for b in a + 1..readers {
                    let kappa = weighted_kappa(&rows, a, b, &scale, weights);
                    let key = format!("kappa.{}.{a}.{b}", weights.name());
                    check(&key, "weighted kappa", kappa.map(|c| c.value));
                    check(&format!("{key}.se"), "weighted kappa", kappa.and_then(|c| c.standard_error));
                }
            }
        }
    }
    out
}
