//! CPU seconds of ours, one line of JSON each; `benches/compare.sh` runs it beside its peers.

use sequester::statistics::auc;
use sequester::statistics::bootstrap;
use sequester::statistics::bootstrap::{Cases, Replicates, Resampler};
use sequester::statistics::confusion::Confusion;
use sequester::statistics::estimate::ResamplingUnit;
use sequester::statistics::random::Stream;
use sequester::statistics::special::normal_quantile;

/// CPU time of all threads, where the system tells; else the time since the first call.
fn cpu() -> f64 {
    let tasks = std::fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let read = |task: std::fs::DirEntry| std::fs::read_to_string(task.path().join("schedstat")).ok();
    let nanoseconds = |text: String| text.split(' ').next().and_then(|t| t.parse::<f64>().ok());
    let spent: f64 = tasks.filter_map(read).filter_map(nanoseconds).sum();
    if spent > 0.0 {
        return spent * 1e-9;
    }
    static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    START.get_or_init(std::time::Instant::now).elapsed().as_secs_f64()
}

/// Seconds a call, over as many calls as take a third of a second.
fn seconds<R>(mut work: impl FnMut() -> R) -> f64 {
    std::hint::black_box(work());
    let (start, mut calls) = (cpu(), 0.0);
    loop {
        std::hint::black_box(work());
        calls += 1.0;
        let spent = cpu() - start;
        if spent > 0.35 {
            return spent / calls;
        }
    }
}

fn report(what: &str, n: usize, positives: usize, replicates: u64, seconds: f64) {
    println!(
        "{{\"what\":\"{what}\",\"n\":{n},\"positives\":{positives},\"replicates\":{replicates},\
         \"seconds\":{seconds:e}}}"
    );
}

fn main() {
    // CPU time is what is compared: one thread, so that waiting threads do not count.
    let _ = rayon::ThreadPoolBuilder::new().num_threads(1).build_global();
    let mut stream = Stream::new(3, 0);
    let sizes = [
        (1000, 500),
        (16_370, 223),
        (16_370, 8185),
        (112_120, 1431),
        (1_000_000, 13_600),
        (1_000_000, 500_000),
    ];
    for (n, positives) in sizes {
        let labels: Vec<bool> = (0..n).map(|i| i < positives).collect();
        let mut normal = || normal_quantile(stream.unit());
        let scores: Vec<f64> =
            labels.iter().map(|&l| 1.0 / (1.0 + (-normal() - if l { 1.2 } else { 0.0 }).exp())).collect();
        let other: Vec<f64> = scores.iter().map(|s| 0.7 * s + 0.05 * normal()).collect();
        report("delong", n, positives, 0, seconds(|| auc::auc_sums(&labels, &scores).delong_variance()));
        if n >= 1_000_000 {
            continue;
        }
        let patients: Vec<u32> = (0..n as u32).map(|i| i / 3).collect();
        let cases = Cases { labels: &labels, patients: Some(&patients), sites: None };
        let by = |unit| Resampler::new(unit, &cases).expect("unit");
        let (by_case, by_patient) = (by(ResamplingUnit::Case), by(ResamplingUnit::Patient));
        let calls: Vec<bool> = scores.iter().map(|&s| s >= 0.5).collect();
        let share = |(k, n): (u64, u64)| (n > 0).then(|| k as f64 / n as f64);
        for replicates in [2000, 10_000] {
            let four = seconds(|| {
                let auc = bootstrap::auc(&by_case, &labels, &scores, replicates, 7);
                let drawn = bootstrap::confusion_tables(&by_case, &labels, &calls, replicates, 7);
                let of = |f: &dyn Fn(&Confusion) -> Option<f64>| {
                    Replicates::collect(drawn.iter().map(f).collect()).percentile(0.95)
                };
                (
                    auc.percentile(0.95),
                    of(&|t| share(t.sensitivity())),
                    of(&|t| share(t.specificity())),
                    of(&|t| t.f1()),
                )
            });
            report("auc+sensitivity+specificity+f1", n, positives, replicates, four);
        }
        let clustered = seconds(|| bootstrap::auc(&by_patient, &labels, &scores, 2000, 7));
        report("auc by patient", n, positives, 2000, clustered);
        let paired = seconds(|| bootstrap::auc_difference(&by_case, &labels, &scores, &other, 2000, 7));
        report("auc difference", n, positives, 2000, paired);
        let both = seconds(|| bootstrap::auc_difference(&by_patient, &labels, &scores, &other, 2000, 7));
        report("auc difference by patient", n, positives, 2000, both);
    }
}
