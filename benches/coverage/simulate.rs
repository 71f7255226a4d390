//! How often intervals held the truth, in the cells of a table: one a prevalence and a size.

use std::collections::BTreeMap;

use rayon::prelude::*;
use sequester::statistics::estimate::{Estimate, IntervalMethod as By, Quantity};
use sequester::statistics::metric::Metric;

pub const RUNS: u64 = 1000;
pub const REPLICATES: u64 = 400;
/// Fewer intervals than this say nothing of their coverage.
pub const FEW: u64 = 20;
pub const SIZES: [usize; 3] = [50, 200, 1000];
pub const PREVALENCES: [f64; 2] = [0.02, 0.5];

/// Intervals that were seen, those that held the truth, and the sum of their widths.
#[derive(Clone, Copy, Default)]
pub struct Seen {
    pub count: u64,
    pub holds: u64,
    pub width: f64,
    pub runs: u64,
}

/// Every method of one metric: its cells in the order of prevalences and sizes.
pub type Rows = BTreeMap<By, Vec<Seen>>;

pub fn simulate(
    rows: &mut Rows,
    cell: usize,
    cells: usize,
    runs: u64,
    expected: f64,
    one: impl Fn(u64) -> Estimate + Sync + Send,
    wanted: impl Fn(By) -> bool + Sync + Send,
) {
    let found: Vec<Vec<(By, bool, f64)>> = (0..runs)
        .into_par_iter()
        .map(|run| {
            let estimate = one(run);
            let intervals = estimate.intervals.iter().filter(|i| wanted(i.method));
            intervals
                .map(|i| (i.method, i.lower <= expected && expected <= i.upper, i.upper - i.lower))
                .collect()
        })
        .collect();
    for (method, holds, width) in found.into_iter().flatten() {
        let seen = &mut rows.entry(method).or_insert_with(|| vec![Seen::default(); cells])[cell];
        seen.count += 1;
        seen.holds += u64::from(holds);
        seen.width += width;
    }
    for cells in rows.values_mut() {
        cells[cell].runs = runs;
    }
}

/// "93.0 ↓ · 0.245", with the share of tables that gave an interval where it is below 99 %.
fn show(seen: &Seen) -> String {
    if seen.count < FEW {
        return "–".into();
    }
    let count = seen.count as f64;
    let share = seen.holds as f64 / count;
    // Outside what 99 of 100 simulations of an exact interval would give.
    let error = 2.576 * (0.95 * 0.05 / count).sqrt();
    let mark = match share - 0.95 {
        off if off < -error => " ↓",
        off if off > error => " ↑",
        _ => "",
    };
    let evaluable = count / seen.runs as f64;
    let of = if evaluable < 0.99 { format!(" ({:.0} %)", 100.0 * evaluable) } else { String::new() };
    format!("{:.1}{mark} · {:.3}{of}", 100.0 * share, seen.width / count)
}

pub fn print(name: &str, clustered: bool, rows: &Rows) {
    for (method, cells) in rows.iter().filter(|(_, cells)| cells.iter().any(|c| c.count >= FEW)) {
        let cells: Vec<String> = cells.iter().map(show).collect();
        let of = if clustered { "yes" } else { "no" };
        let quantity = Metric::from_id(name).map_or(Quantity::Projected, Metric::quantity);
        println!("| {name} | {of} | {} | {} |", method.describe(quantity), cells.join(" | "));
    }
}

pub fn header() {
    let cells: Vec<String> =
        PREVALENCES.iter().flat_map(|p| SIZES.iter().map(move |n| format!("{n}, {p}"))).collect();
    println!("| metric | clustered | method | {} |", cells.join(" | "));
    println!("|---|---|---|{}", "---|".repeat(cells.len()));
}

pub fn settings() -> Vec<(usize, f64, usize)> {
    PREVALENCES
        .iter()
        .flat_map(|&p| SIZES.iter().map(move |&n| (p, n)))
        .enumerate()
        .map(|(cell, (p, n))| (cell, p, n))
        .collect()
}
