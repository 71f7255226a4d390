//! Run lengths of cumulative sums against R's spc 0.7.2 (`fixtures/reference-values/monitoring`), and the
//! chart on the series that FDA's AIM-CU shows, beside a plain computation.

use sequester::statistics::monitoring::{Cusum, Sides, average_run_length, decision_limit};

use sequester::statistics::random::Stream;
use sequester::statistics::special::normal_quantile;

use crate::reference_values::folder;
use crate::support::real_data;

struct Row {
    sides: Sides,
    k: f64,
    target: f64,
    limit: f64,
    shift: f64,
    run_length: f64,
}

fn rows() -> Vec<Row> {
    let path = folder().join("monitoring/ref_spc_0.7.2.csv");
    let mut reader = csv::Reader::from_path(path).expect("opens");
    let rows = reader.records().map(|row| {
        let row = row.expect("a row");
        let number = |at: usize| row[at].parse::<f64>().expect("a number");
        let sides = if &row[0] == "one" { Sides::One } else { Sides::Two };
        Row {
            sides,
            k: number(1),
            target: number(2),
            limit: number(3),
            shift: number(4),
            run_length: number(5),
        }
    });
    rows.collect()
}

/// 3 reference values, 8 run lengths and 16 shifts, one and two sums.
#[test]
fn run_lengths_agree_with_spc() {
    let rows = rows();
    assert_eq!(rows.len(), 768);
    let mut worst = 0.0_f64;
    for row in &rows {
        let found = average_run_length(row.k, row.limit, row.shift, row.sides).expect("in range");
        let off = (found / row.run_length - 1.0).abs();
        assert!(off < 1e-8, "{:?} k {} h {} shift {}: {found}", row.sides, row.k, row.limit, row.shift);
        worst = worst.max(off);
    }
    println!("largest relative deviation {worst:e}");
}

#[test]
fn limits_of_a_run_length_agree_with_spc() {
    for row in rows().iter().filter(|row| row.shift == 0.0) {
        let found = decision_limit(row.k, row.target, row.sides).expect("in range");
        let off = (found / row.limit - 1.0).abs();
        assert!(
            off < 1e-8,
            "{:?} k {} run length {}: {found}, not {}",
            row.sides,
            row.k,
            row.target,
            row.limit
        );
    }
}

/// Mean and standard deviation of the first 60 batches; reference value 0.5, limit for a run length of 100.
#[test]
fn the_series_of_aim_cu_alarms_where_a_plain_computation_does() {
    let Some(data) = real_data("the_series_of_aim_cu_alarms_where_a_plain_computation_does") else { return };
    let mut reader = csv::Reader::from_path(data.join("interop/aim-cu/spec-60-60.csv")).expect("opens");
    let series: Vec<f64> =
        reader.records().map(|r| r.expect("a row")[1].parse().expect("a number")).collect();
    assert_eq!(series.len(), 120);
    let before = &series[..60];
    let mean = before.iter().sum::<f64>() / 60.0;
    let deviation = (before.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 59.0).sqrt();
    let values: Vec<f64> = series.iter().map(|v| (v - mean) / deviation).collect();
    for (k, run_length) in [(0.25, 50.0), (0.5, 100.0), (0.5, 370.0), (0.75, 1000.0)] {
        let limit = decision_limit(k, run_length, Sides::Two).expect("in range");
        let chart = Cusum { reference_value: k, limit, watched: [true, true] };
        let found: Vec<usize> = chart
            .points(&values, false)
            .iter()
            .enumerate()
            .filter_map(|(index, point)| point.alarm.map(|_| index))
            .collect();
        // In the series' own units and in the form of a random walk: S⁻ is how far the walk of (mean − y)/σ
        // − k stands above its lowest point.
        let mut plain = Vec::new();
        let mut walks = [(0.0_f64, 0.0_f64); 2];
        for (index, y) in series.iter().enumerate() {
            let mut signals = false;
            for (walk, sign) in walks.iter_mut().zip([1.0, -1.0]) {
                walk.0 += sign * (y - mean) - k * deviation;
                walk.1 = walk.1.min(walk.0);
                signals |= walk.0 - walk.1 > limit * deviation;
            }
            if signals {
                plain.push(index);
            }
        }
        assert_eq!(found, plain, "k {k}, run length {run_length}");
        let first = found.iter().find(|index| **index >= 60).expect("the change is found");
        println!("k {k}, run length {run_length}: first alarm behind the change at batch {first}");
    }
}

/// Charts in control until their first alarm: the mean of their run lengths lies within three standard errors
/// of the one that the limit was made for. Values are normal, or standardised means of 40 uniform scores.
#[test]
fn false_alarms_come_as_often_as_declared() {
    let mut stream = Stream::new(20_261, 1);
    for (sides, watched) in [(Sides::One, [true, false]), (Sides::Two, [true, true])] {
        for of_scores in [false, true] {
            let limit = decision_limit(0.5, 40.0, sides).expect("in range");
            let chart = Cusum { reference_value: 0.5, limit, watched };
            let lengths: Vec<f64> = (0..if of_scores { 400 } else { 1000 })
                .map(|_| {
                    let (mut sums, mut length) = ([0.0_f64; 2], 0.0);
                    loop {
                        let z = if of_scores {
                            // Of a uniform number: mean 1/2, variance 1/12.
                            let sum: f64 = (0..40).map(|_| stream.unit()).sum();
                            (sum / 40.0 - 0.5) / (1.0_f64 / 12.0 / 40.0).sqrt()
                        } else {
                            normal_quantile(stream.unit())
                        };
                        let point = chart.step(sums, z);
                        (sums, length) = ([point.up, point.down], length + 1.0);
                        if point.alarm.is_some() {
                            break length;
                        }
                    }
                })
                .collect();
            let n = lengths.len() as f64;
            let mean = lengths.iter().sum::<f64>() / n;
            let error = (lengths.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt();
            assert!((mean - 40.0).abs() < 3.0 * error, "{sides:?} {of_scores}: {mean} with error {error}");
        }
    }
}
