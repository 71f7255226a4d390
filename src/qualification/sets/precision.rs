//! Several images of one patient, and the power of a comparison.

use serde_json::Value;

use crate::qualification::compared::{Compared, compare};
use crate::qualification::embedded::{reference, sets};
use crate::statistics::comparative::Aim;
use crate::statistics::comparative::power::{Claim, ExpectedAreas, ExpectedShares};
use crate::statistics::design::Size;
use crate::statistics::repeatability::{
    Agreements, Differences, Image, Known, Partners, by_condition, components,
};
use crate::statistics::sizing::PairedShares;

use super::{ABSOLUTE, LEVEL};

fn number(value: &Value) -> f64 {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).unwrap_or(f64::NAN)
}

/// A value with its limits beside three values of a reference.
fn known(out: &mut Vec<Compared>, at: &str, key: &str, expected: &Value, found: Option<Known>) {
    let limits = found.and_then(|found| found.limits);
    let parts = [found.map(|f| f.value), limits.map(|l| l.0), limits.map(|l| l.1)];
    for (place, (name, computed)) in ["value", "lower", "upper"].iter().zip(parts).enumerate() {
        out.push(compare(format!("{at} {key} {name}"), key, &expected[place], computed, ABSOLUTE));
    }
}

/// `repeatability.json`.
pub fn repeatability() -> Vec<Compared> {
    let mut out = Vec::new();
    for (place, set) in reference("repeatability").as_array().into_iter().flatten().enumerate() {
        let image = |v: &Value| Image {
            score: number(&v[0]),
            condition: v[1].as_u64().and_then(|c| u32::try_from(c).ok()).unwrap_or_default(),
        };
        let of = |v: &Value| v.as_array().into_iter().flatten().map(image).collect::<Vec<_>>();
        let patients: Vec<Vec<Image>> = set["patients"].as_array().into_iter().flatten().map(of).collect();
        let (expected, at) = (&set["found"], format!("set {}", place + 1));
        let found = components(&patients, LEVEL);
        known(&mut out, &at, "within", &expected["within"], found.as_ref().map(|f| f.within));
        known(
            &mut out,
            &at,
            "intraclass",
            &expected["intraclass"],
            found.as_ref().and_then(|f| f.intraclass),
        );
        let between = found.as_ref().map(|f| f.between);
        out.push(compare(format!("{at} between"), "between", &expected["between"], between, ABSOLUTE));
        let repeated = patients.iter().filter(|images| images.len() > 1);
        let differences: Vec<f64> = repeated.map(|i| i[1].score - i[0].score).collect();
        let pairs = Differences::of(&differences, LEVEL);
        known(&mut out, &at, "mean", &expected["mean"], pairs.as_ref().map(|p| p.mean));
        let sd = pairs.as_ref().and_then(|p| p.sd);
        out.push(compare(format!("{at} sd"), "mean", &expected["sd"], sd, ABSOLUTE));
        let limits = pairs.as_ref().and_then(|p| p.agreement.as_ref());
        for (end, limit) in [("lower", limits.map(|l| l.lower)), ("upper", limits.map(|l| l.upper))] {
            known(&mut out, &format!("{at} {end}"), "limits", &expected[end], limit);
        }
        let calls = Agreements::of(&patients, 0.5, Partners::All, LEVEL);
        for (kind, found) in [
            ("overall", calls.as_ref().map(|c| &c.overall)),
            ("positive", calls.as_ref().and_then(|c| c.positive.as_ref())),
            ("negative", calls.as_ref().and_then(|c| c.negative.as_ref())),
        ] {
            known(&mut out, &format!("{at} {kind}"), "agreement", &expected[kind], found.map(|f| f.share));
        }
        let by = by_condition(&patients, LEVEL);
        known(&mut out, &at, "different", &expected["different"], by.as_ref().map(|b| b.different));
        if !expected["same"].is_null() {
            known(&mut out, &at, "same", &expected["same"], by.as_ref().and_then(|b| b.same));
        }
    }
    out
}

fn claim(row: &[Value]) -> Option<Claim> {
    let aim = Aim::NAMES.iter().find(|(name, _)| Some(*name) == row[0].as_str())?.1;
    Some(Claim { aim, margin: number(&row[1]), alpha: number(&row[2]) })
}

/// A number of cases; they are whole in the reference.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "whole numbers up to some hundreds"
)]
fn cases(value: &Value) -> u64 {
    number(value) as u64
}

/// `comparative_power.json`: the power of a comparison, by the normal law and exactly.
pub fn power() -> Vec<Compared> {
    let mut out = Vec::new();
    for (kind, rows) in &sets("comparative_power") {
        for (place, row) in rows.as_array().into_iter().flatten().enumerate() {
            let row = row.as_array().map_or(&[][..], Vec::as_slice);
            let Some(claim) = row.first().and_then(|_| claim(row)) else { continue };
            let of = |place: usize| row.get(place).map_or(f64::NAN, number);
            let found = match kind.as_str() {
                "paired" => {
                    let pair = PairedShares { device_alone: of(3), other_alone: of(4) };
                    vec![
                        (6, "paired", pair.power_of(claim, of(5))),
                        (7, "exactly", pair.exact_power_of(claim, cases(&row[5]))),
                    ]
                }
                "independent" => {
                    let shares = ExpectedShares { device: of(3), other: of(4) };
                    let exactly = shares.exact_power_of(claim, [cases(&row[5]), cases(&row[6])]);
                    vec![
                        (7, "independent", shares.power_of(claim, [of(5), of(6)])),
                        (8, "independent", exactly),
                    ]
                }
                "areas" => {
                    let areas = ExpectedAreas { device: of(3), other: of(4), correlation: of(5) };
                    let size = Size { positives: of(6), negatives: of(7) };
                    vec![(8, "areas", areas.power_of(claim, [size; 2]))]
                }
                _ => continue,
            };
            for (column, key, computed) in found {
                // Exact sums are given for small studies, the normal law for large ones.
                if let Some(expected) = row.get(column).filter(|expected| !expected.is_null()) {
                    let at = format!("{kind} {} column {column}", place + 1);
                    out.push(compare(at, key, expected, computed, ABSOLUTE));
                }
            }
        }
    }
    out
}
