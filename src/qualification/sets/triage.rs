//! Processing times, and waiting on a worklist.

use serde_json::Value;

use crate::qualification::compared::{Compared, compare};
use crate::qualification::embedded::reference;
use crate::statistics::durations::Durations;
use crate::statistics::queue::{Discipline, ReadingTime, Worklist};

use super::LEVEL;

fn number(value: &Value) -> f64 {
    value.as_f64().or_else(|| value.as_str()?.parse().ok()).unwrap_or(f64::NAN)
}

/// `triage.json`.
pub fn triage() -> Vec<Compared> {
    let all = reference("triage");
    let mut out = Vec::new();
    for (place, set) in all["queues"].as_array().into_iter().flatten().enumerate() {
        let (given, found) = (&set["given"], &set["found"]);
        let of = |key: &str| number(&given[key]);
        let law = |mean| ReadingTime { mean, cv: of("cv") };
        let list = Worklist {
            arrivals: of("arrivals"),
            prevalence: of("prevalence"),
            positive: law(of("positive")),
            negative: law(of("negative")),
            discipline: match given["preemptive"].as_bool() {
                Some(true) => Discipline::Preemptive,
                _ => Discipline::NonPreemptive,
            },
        };
        let waits = list.waits(of("sensitivity"), of("specificity"));
        for (key, computed) in [
            ("without", waits.map(|w| w.without_device)),
            ("flagged", waits.map(|w| w.flagged)),
            ("unflagged", waits.map(|w| w.unflagged)),
            ("positive", waits.map(|w| w.positive)),
            ("share", waits.map(|w| w.flagged_share)),
        ] {
            out.push(compare(format!("list {} {key}", place + 1), "waiting", &found[key], computed, 0.0));
        }
    }
    for (place, set) in all["durations"].as_array().into_iter().flatten().enumerate() {
        let values = set["given"].as_array().into_iter().flatten().map(number);
        let durations = Durations::of(values);
        let mean = durations.as_ref().map(Durations::mean);
        let limits = durations.as_ref().and_then(|d| d.mean_limits(LEVEL));
        let parts = [mean, limits.map(|l| l.0), limits.map(|l| l.1)];
        for ((name, computed), expected) in ["mean", "lower", "upper"]
            .iter()
            .zip(parts)
            .zip(set["found"]["mean"].as_array().into_iter().flatten())
        {
            out.push(compare(format!("times {} {name}", place + 1), "mean", expected, computed, 0.0));
        }
        for row in set["found"]["quantiles"].as_array().into_iter().flatten() {
            let share = number(&row[0]);
            let limits = durations.as_ref().and_then(|d| d.quantile_limits(share, LEVEL));
            let parts =
                [durations.as_ref().map(|d| d.quantile(share)), limits.map(|l| l.0), limits.map(|l| l.1)];
            for (index, (name, computed)) in ["value", "lower", "upper"].iter().zip(parts).enumerate() {
                let (expected, at) = (&row[index + 1], format!("times {} {share} {name}", place + 1));
                // Where there are no limits in the reference there are none here.
                if expected.is_null() && computed.is_none() {
                    continue;
                }
                out.push(compare(at, "quantiles", expected, computed, 0.0));
            }
        }
    }
    out
}
