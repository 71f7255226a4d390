//! How often each interval of a difference contains the truth: `cargo bench --bench coverage_comparisons`
//! prints the last section of `docs/coverage.md`.
//!
//! Two scores a case are normal, 1.2 and 0.9 apart between the classes and correlated .5 within one, with a
//! patient's share of the spread where cases are clustered (three images a patient, one label a patient). The
//! first calls positive from .6 on, the second from .45 on, so that sensitivity = specificity = Φ(.6) and
//! Φ(.45).

use std::collections::BTreeMap;

use sequester::statistics::comparative::deciding::{
    PAIRED, Units, decide_auc, decide_contrast, decide_paired, independent_units, paired_limits,
};
use sequester::statistics::comparative::{
    AucDifference, Contrast, IndependentShares, Linearised, PairedCalls, PredictiveValue,
};
use sequester::statistics::estimate::{IntervalMethod as By, Quantity, ResamplingUnit};
use sequester::statistics::metric::{Fallback, Metric, Plan, Sample, estimate_contrast, partial_auc_of};
use sequester::statistics::random::Stream;
use sequester::statistics::special::{normal_cdf, normal_quantile};

const RUNS: u64 = 1000;
const DRAWN_RUNS: u64 = 200;
const REPLICATES: u64 = 200;
const LEVEL: f64 = 0.95;
const SETTINGS: [(usize, f64); 5] = [(50, 0.5), (200, 0.1), (200, 0.5), (1000, 0.1), (1000, 0.5)];
const APART: [f64; 2] = [1.2, 0.9];
const DECLARED: f64 = 0.05;
const MOST_FPR: f64 = 0.2;

struct Table {
    labels: Vec<bool>,
    scores: [Vec<f64>; 2],
    patients: Vec<u32>,
}

fn draw(n: usize, prevalence: f64, clustered: bool, stream: &mut Stream) -> Table {
    let mut out = Table { labels: vec![], scores: [vec![], vec![]], patients: vec![] };
    let pair = |stream: &mut Stream| {
        let first = normal_quantile(stream.unit());
        [first, 0.5 * first + 0.75_f64.sqrt() * normal_quantile(stream.unit())]
    };
    let mut patient = 0;
    while out.labels.len() < n {
        let label = stream.unit() < prevalence;
        let shared = pair(stream);
        for _ in 0..if clustered { 3 } else { 1 } {
            let own = pair(stream);
            for k in 0..2 {
                let spread = if clustered { 0.8 * own[k] + 0.6 * shared[k] } else { own[k] };
                out.scores[k].push(spread + if label { APART[k] } else { 0.0 });
            }
            out.labels.push(label);
            out.patients.push(patient);
        }
        patient += 1;
    }
    out
}

/// Value of one device in the population.
fn truth(metric: Metric, device: usize, p: f64) -> f64 {
    let rate = normal_cdf(APART[device] / 2.0);
    match metric {
        Metric::Auc => normal_cdf(APART[device] / 2.0_f64.sqrt()),
        Metric::PartialAuc => {
            const STEPS: u32 = 100_000;
            let at = |i: u32| (f64::from(i) + 0.5) / f64::from(STEPS);
            let height = |u: f64| normal_cdf(APART[device] + normal_quantile(MOST_FPR * u));
            let area = MOST_FPR * (0..STEPS).map(|i| height(at(i))).sum::<f64>() / f64::from(STEPS);
            let least = MOST_FPR * MOST_FPR / 2.0;
            0.5 * (1.0 + (area - least) / (MOST_FPR - least))
        }
        Metric::Ppv => p * rate / (p * rate + (1.0 - p) * (1.0 - rate)),
        Metric::Npv => (1.0 - p) * rate / ((1.0 - p) * rate + p * (1.0 - rate)),
        Metric::F1 => 2.0 * p * rate / (p * rate + (1.0 - p) * (1.0 - rate) + p),
        _ => rate,
    }
}

/// What was seen of one interval in one setting.
#[derive(Clone, Copy, Default)]
struct Seen {
    runs: u64,
    there: u64,
    held: u64,
    width: f64,
}

/// By row (what, clustered, method) and setting.
type Rows = BTreeMap<(usize, String), Vec<Seen>>;

struct Record<'r> {
    rows: &'r mut Rows,
    setting: usize,
    order: usize,
}

impl Record<'_> {
    fn add(&mut self, name: String, limits: Option<(f64, f64)>, truth: f64) {
        let key = self.rows.keys().find(|(_, known)| *known == name).cloned();
        let key = key.unwrap_or_else(|| {
            self.order = self.rows.len();
            (self.order, name)
        });
        let seen =
            &mut self.rows.entry(key).or_insert_with(|| vec![Seen::default(); SETTINGS.len()])[self.setting];
        seen.runs += 1;
        if let Some((lower, upper)) = limits.filter(|(l, u)| l.is_finite() && u.is_finite()) {
            seen.there += 1;
            seen.held += u64::from(lower <= truth && truth <= upper);
            seen.width += upper - lower;
        }
    }
}

fn of_counts(table: &Table, p: f64, record: &mut Record<'_>) {
    let mut calls = PairedCalls::default();
    for (i, label) in table.labels.iter().enumerate() {
        let call = |k: usize| table.scores[k][i] >= APART[k] / 2.0;
        calls.count(*label, call(0), call(1));
    }
    let shares = calls.sensitivities();
    let gap = truth(Metric::Sensitivity, 0, p) - truth(Metric::Sensitivity, 1, p);
    let ratio = truth(Metric::Sensitivity, 0, p) / truth(Metric::Sensitivity, 1, p);
    for method in PAIRED.into_iter().filter(|m| *m != By::ExactPaired) {
        let name = format!("sensitivity_difference | no | {}", method.describe(Quantity::Share));
        record.add(name, paired_limits(&shares, method, LEVEL), gap);
    }
    let decided = decide_paired(&shares, By::Tango, LEVEL, Fallback::EffectiveNumber).interval;
    let name = "sensitivity_difference | no | **what decides** (Tango, or exact)".to_owned();
    record.add(name, decided.map(|i| (i.lower, i.upper)), gap);
    record.add("sensitivity_ratio | no | log scale".into(), shares.ratio_wald(LEVEL), ratio);
    let name = format!("sensitivity_ratio | no | {}", By::RatioScore.describe(Quantity::Share));
    record.add(name, shares.ratio_score(LEVEL), ratio);
    let relative = calls.relative(PredictiveValue::Positive);
    let ratio = truth(Metric::Ppv, 0, p) / truth(Metric::Ppv, 1, p);
    let name = "ppv_ratio | no | Moskowitz and Pepe (2006), log scale".to_owned();
    record.add(name, relative.map(|r| r.limits(LEVEL)), ratio);
}

fn of_calls(table: &Table, p: f64, clustered: &str, record: &mut Record<'_>) {
    let calls = [0, 1].map(|k| Linearised::calls(&table.scores[k], APART[k] / 2.0));
    for (metric, prevalence) in [
        (Metric::Sensitivity, None),
        (Metric::Specificity, None),
        (Metric::Ppv, None),
        (Metric::Npv, None),
        (Metric::F1, None),
        (Metric::Ppv, Some(DECLARED)),
        (Metric::Npv, Some(DECLARED)),
        (Metric::F1, Some(DECLARED)),
    ] {
        let at = prevalence.unwrap_or(p);
        let gap = truth(metric, 0, at) - truth(metric, 1, at);
        let of = |k: usize| Linearised::of(metric, &table.labels, &calls[k], prevalence).ok();
        let class = match metric {
            Metric::Sensitivity => Some(true),
            Metric::Specificity => Some(false),
            _ => None,
        };
        let counts = |i: usize| class.is_none_or(|class| table.labels[i] == class);
        let contrast = of(0)
            .zip(of(1))
            .and_then(|(first, second)| Contrast::of(&first, &[second], Some(&table.patients), counts))
            .map(|c| match prevalence {
                Some(_) => c.of_both_classes(&table.labels, Some(&table.patients)),
                None => c,
            });
        let carried = if prevalence.is_some() { format!(" at {DECLARED}") } else { String::new() };
        let name = format!("{}_difference{carried} | {clustered} | linearised", metric.id());
        record.add(name, contrast.as_ref().and_then(|c| c.limits(LEVEL)), gap);
        if class.is_some() && clustered == "yes" {
            let all = 0..table.labels.len();
            let units = independent_units(all.filter(|i| counts(*i)).map(|i| table.patients[i]));
            let decided = contrast.as_ref().and_then(|c| {
                decide_contrast(c, By::Delta, LEVEL, Fallback::EffectiveNumber, Some(units)).interval
            });
            let name =
                format!("{}_difference | yes | **what decides** (linearised, or Hoeffding)", metric.id());
            record.add(name, decided.map(|i| (i.lower, i.upper)), gap);
        }
    }
}

fn of_areas(table: &Table, p: f64, clustered: &str, record: &mut Record<'_>) {
    let gap = truth(Metric::Auc, 0, p) - truth(Metric::Auc, 1, p);
    let together = clustered == "yes";
    let patients = together.then_some(&table.patients[..]);
    let found = AucDifference::of(&table.labels, &table.scores[0], &table.scores[1], patients);
    let method = if together { By::Obuchowski } else { By::Delong };
    let name = format!("auc_difference | {clustered} | {}", method.describe(Quantity::Area));
    record.add(name, found.and_then(|f| f.limits(LEVEL)), gap);
    let sample = Sample {
        labels: &table.labels,
        scores: &table.scores[0],
        patients: Some(&table.patients),
        sites: None,
    };
    let plan = Plan::new(LEVEL, vec![], ResamplingUnit::Patient, 0, 0);
    let decided =
        decide_auc(&sample, &table.scores[1], method, &plan, Fallback::EffectiveNumber, Units::Patients)
            .interval;
    let name = format!("auc_difference | {clustered} | **what decides**");
    record.add(name, decided.map(|i| (i.lower, i.upper)), gap);
}

fn of_partial_areas(table: &Table, p: f64, clustered: &str, run: u64, record: &mut Record<'_>) {
    let gap = truth(Metric::PartialAuc, 0, p) - truth(Metric::PartialAuc, 1, p);
    let sample = Sample {
        labels: &table.labels,
        scores: &table.scores[0],
        patients: Some(&table.patients),
        sites: None,
    };
    let [first, second] = [0, 1].map(|k| partial_auc_of(&table.labels, &table.scores[k], MOST_FPR));
    let methods = vec![By::BootstrapPercentile];
    let plan = Plan::new(LEVEL, methods, ResamplingUnit::Patient, REPLICATES, run);
    let found = estimate_contrast("difference", &sample, &plan, |w| Some(first(w)? - second(w)?));
    let name = format!("partial_auc_difference | {clustered} | bootstrap percentile");
    record.add(name, found.intervals.first().map(|i| (i.lower, i.upper)), gap);
}

fn of_different_cases(n: usize, stream: &mut Stream, record: &mut Record<'_>) {
    let rates = [0, 1].map(|k| normal_cdf(APART[k] / 2.0));
    let [x, y] = rates.map(|rate| (0..n / 2).filter(|_| stream.unit() < rate).count() as u64);
    let half = (n / 2) as u64;
    let Some(shares) = IndependentShares::new([x, half], [y, half]) else { return };
    for (method, limits) in [
        (By::MiettinenNurminen, shares.score(LEVEL, true)),
        (By::Mee, shares.score(LEVEL, false)),
        (By::Newcombe, shares.newcombe(LEVEL)),
        (By::AgrestiCaffo, shares.agresti_caffo(LEVEL)),
        (By::Wald, shares.wald(LEVEL)),
    ] {
        let name =
            format!("share_difference, half the cases each | no | {}", method.describe(Quantity::Share));
        record.add(name, Some(limits), rates[0] - rates[1]);
    }
}

fn show(seen: &Seen) -> String {
    if seen.there < 20 {
        return "–".to_owned();
    }
    let (there, held) = (seen.there as f64, seen.held as f64);
    let coverage = held / there;
    let error = 3.0 * (LEVEL * (1.0 - LEVEL) / there).sqrt();
    let arrow = match coverage - LEVEL {
        d if d < -error => " ↓",
        d if d > error => " ↑",
        _ => "",
    };
    let part = if seen.there < seen.runs {
        format!(" ({:.0} %)", 100.0 * there / seen.runs as f64)
    } else {
        String::new()
    };
    format!("{:.1}{arrow} · {:.3}{part}", 100.0 * coverage, seen.width / there)
}

fn main() {
    let mut rows = Rows::new();
    for (setting, (n, p)) in SETTINGS.into_iter().enumerate() {
        for run in 0..RUNS {
            let mut stream = Stream::new(1000 + setting as u64, run);
            let mut record = Record { rows: &mut rows, setting, order: 0 };
            let table = draw(n, p, false, &mut stream);
            of_counts(&table, p, &mut record);
            of_calls(&table, p, "no", &mut record);
            of_areas(&table, p, "no", &mut record);
            of_different_cases(n, &mut stream, &mut record);
            let together = draw(n, p, true, &mut stream);
            of_calls(&together, p, "yes", &mut record);
            of_areas(&together, p, "yes", &mut record);
            if run < DRAWN_RUNS && n <= 200 {
                of_partial_areas(&table, p, "no", run, &mut record);
                of_partial_areas(&together, p, "yes", run, &mut record);
            }
        }
    }
    let titles: Vec<String> = SETTINGS.iter().map(|(n, p)| format!("{n}, {p}")).collect();
    println!("| what | clustered | method | {} |", titles.join(" | "));
    println!("|---|---|---|{}", "---|".repeat(SETTINGS.len()));
    let mut lines: Vec<(&String, String)> = rows
        .iter()
        .map(|((_, name), seen)| (name, seen.iter().map(show).collect::<Vec<_>>().join(" | ")))
        .collect();
    lines.sort_by_key(|(name, _)| name.split(" | ").take(2).map(str::to_owned).collect::<Vec<_>>());
    for (name, cells) in lines {
        println!("| {name} | {cells} |");
    }
}
