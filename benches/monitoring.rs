//! False alarms of monitoring by simulation: charts in control run until their first alarm, and the mean of
//! their run lengths stands beside the declared one. `cargo bench --bench monitoring` prints the table of
//! docs/statistics.md. In the last rows the value in control is itself an estimate.

use sequester::statistics::monitoring::{
    Cusum, Sides, average_run_length, decision_limit, share_from_control,
};
use sequester::statistics::random::Stream;
use sequester::statistics::special::normal_quantile;

const CHARTS: usize = 2000;
/// Longer runs are cut here and said so: some estimates of a value in control are never far enough.
const LONGEST: u64 = 100_000;

/// Mean and standard error of run lengths; `start` draws what a chart keeps, `value` one batch.
fn run_lengths(
    chart: &Cusum,
    stream: &mut Stream,
    start: &dyn Fn(&mut Stream) -> f64,
    value: &dyn Fn(&mut Stream, f64) -> f64,
) -> (f64, f64) {
    let lengths: Vec<f64> = (0..CHARTS)
        .map(|_| {
            let kept = start(stream);
            let (mut sums, mut length) = ([0.0; 2], 0_u64);
            loop {
                let point = chart.step(sums, value(stream, kept));
                (sums, length) = ([point.up, point.down], length + 1);
                if point.alarm.is_some() || length == LONGEST {
                    break length as f64;
                }
            }
        })
        .collect();
    let n = lengths.len() as f64;
    let mean = lengths.iter().sum::<f64>() / n;
    let variance = lengths.iter().map(|l| (l - mean).powi(2)).sum::<f64>() / (n - 1.0);
    (mean, (variance / n).sqrt())
}

fn main() {
    let mut stream = Stream::new(20_260, 1);
    println!("| values | sums | k | declared | simulated | SE | in SE |");
    println!("|---|---|---|---|---|---|---|");
    let mut row = |what: &str,
                   k: f64,
                   wanted: f64,
                   sides: Sides,
                   start: &dyn Fn(&mut Stream) -> f64,
                   value: &dyn Fn(&mut Stream, f64) -> f64,
                   declared: f64| {
        let limit = decision_limit(k, wanted, sides).expect("in range");
        let watched = [true, sides == Sides::Two];
        let chart = Cusum { reference_value: k, limit, watched };
        let (mean, error) = run_lengths(&chart, &mut stream, start, value);
        let sums = if sides == Sides::Two { "two" } else { "one" };
        let off = (mean - declared) / error;
        println!("| {what} | {sums} | {k} | {declared:.1} | {mean:.1} | {error:.1} | {off:+.1} |");
    };
    let nothing = |_: &mut Stream| 0.0;
    let normal = |stream: &mut Stream, _: f64| normal_quantile(stream.unit());
    for sides in [Sides::One, Sides::Two] {
        for (k, wanted) in [(0.25, 50.0), (0.5, 100.0), (0.5, 370.0), (0.75, 100.0)] {
            row("normal", k, wanted, sides, &nothing, &normal, wanted);
        }
    }
    for n in [50, 200] {
        let mean = move |stream: &mut Stream, _: f64| {
            let sum: f64 = (0..n).map(|_| stream.unit().powi(2)).sum();
            (sum / f64::from(n) - 1.0 / 3.0) / (4.0 / 45.0 / f64::from(n)).sqrt()
        };
        row(&format!("means of {n} skewed scores"), 0.5, 100.0, Sides::Two, &nothing, &mean, 100.0);
    }
    for (p, n) in [(0.02, 50), (0.02, 300), (0.2, 50), (0.2, 300), (0.9, 100)] {
        let scores: Vec<f64> = (0..=n).map(|hits| share_from_control(hits, n, p)).collect();
        let share = |stream: &mut Stream, _: f64| scores[stream.binomial(n, p) as usize];
        for sides in [Sides::One, Sides::Two] {
            row(&format!("shares, {p} of {n}"), 0.5, 100.0, sides, &nothing, &share, 100.0);
        }
    }
    // The value in control is off by a normal error of so many standard errors of a month; beside the run
    // length under a shift by exactly that.
    for off in [0.25, 0.5, 1.0] {
        let start = |stream: &mut Stream| normal_quantile(stream.unit());
        let shifted = move |stream: &mut Stream, kept: f64| normal_quantile(stream.unit()) + off * kept;
        let limit = decision_limit(0.5, 100.0, Sides::Two).expect("in range");
        let beside = average_run_length(0.5, limit, off, Sides::Two).expect("in range");
        row(
            &format!("control estimated, {off} SE of a month"),
            0.5,
            100.0,
            Sides::Two,
            &start,
            &shifted,
            beside,
        );
    }
}
