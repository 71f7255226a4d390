//! Run lengths and limits of cumulative sums.

use serde_json::Value;

use crate::qualification::compared::{Compared, compare};
use crate::qualification::embedded::input;
use crate::statistics::monitoring::{Sides, average_run_length, decision_limit};

use super::FLOOR;

/// `monitoring/ref_spc_0.7.2.csv`, in control and at shifts of one and three.
pub fn run_lengths() -> Vec<Compared> {
    let mut out = Vec::new();
    for line in input("monitoring/ref_spc_0.7.2.csv").lines().skip(1) {
        let cells: Vec<&str> = line.split(',').collect();
        let &[sums, k, target, limit, shift, length] = &cells[..] else { continue };
        let number = |text: &str| text.parse::<f64>().unwrap_or(f64::NAN);
        let sides = if sums == "one" { Sides::One } else { Sides::Two };
        let at = format!("{sums} k {k} in control {target} shift {shift}");
        let of = |text: &str| Value::String(text.to_owned());
        if shift == "0.00" {
            let found = decision_limit(number(k), number(target), sides);
            out.push(compare(format!("{at} limit"), "limit", &of(limit), found, FLOOR));
        }
        if ["0.00", "1.00", "3.00"].contains(&shift) {
            let found = average_run_length(number(k), number(limit), number(shift), sides);
            out.push(compare(at, sums, &of(length), found, FLOOR));
        }
    }
    out
}
