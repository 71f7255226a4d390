//! How often each interval of repeatability contains the truth: `cargo bench --bench coverage_repeatability`
//! prints a section of `docs/coverage.md`.
//!
//! Scores of two kinds. Normal: a patient's mean is .45 with standard deviation .2, images around it with
//! .06. Logistic: the log odds of a patient are normal with standard deviation 2, images around them with
//! .6, so that scores near 0 and 1 vary less. Positive from .5 on.

use std::collections::BTreeMap;

use sequester::statistics::random::Stream;
use sequester::statistics::repeatability::{
    Agreements, Differences, Image, Known, Partners, by_condition, components,
};
use sequester::statistics::special::{normal_cdf, normal_quantile};

const RUNS: u64 = 2000;
const LEVEL: f64 = 0.95;
const THRESHOLD: f64 = 0.5;
/// Patients, and the fewest and the most images of one.
const SETTINGS: [(usize, usize, usize); 6] =
    [(20, 2, 2), (50, 2, 2), (200, 2, 2), (20, 4, 4), (50, 1, 5), (200, 1, 5)];

#[derive(Clone, Copy, PartialEq)]
enum Law {
    Normal,
    Logistic,
}

impl Law {
    fn score(self, patient: f64, image: f64) -> f64 {
        match self {
            Self::Normal => 0.45 + 0.2 * patient + 0.06 * image,
            Self::Logistic => 1.0 / (1.0 + (-2.0 * patient - 0.6 * image - 0.5).exp()),
        }
    }

    /// Probability that an image of a patient is called positive.
    fn positive(self, patient: f64) -> f64 {
        match self {
            Self::Normal => normal_cdf((0.45 + 0.2 * patient - THRESHOLD) / 0.06),
            Self::Logistic => normal_cdf((2.0 * patient + 0.5) / 0.6),
        }
    }

    /// Truths: standard deviation within patients, share of the variance between them, and agreement of
    /// positive, negative and all calls; means over 2000 quantiles of patients and 400 of images.
    fn truths(self) -> [f64; 5] {
        let quantiles = |n: u32| (0..n).map(move |i| normal_quantile((f64::from(i) + 0.5) / f64::from(n)));
        let (mut within, mut means, mut squares) = (0.0, 0.0, 0.0);
        let (mut p, mut pp, mut nn) = (0.0, 0.0, 0.0);
        for patient in quantiles(2000) {
            let scores: Vec<f64> = quantiles(400).map(|image| self.score(patient, image)).collect();
            let mean = scores.iter().sum::<f64>() / 400.0;
            within += scores.iter().map(|s| (s - mean).powi(2)).sum::<f64>() / 400.0 / 2000.0;
            means += mean / 2000.0;
            squares += mean * mean / 2000.0;
            let positive = self.positive(patient);
            p += positive / 2000.0;
            pp += positive * positive / 2000.0;
            nn += (1.0 - positive) * (1.0 - positive) / 2000.0;
        }
        let between = squares - means * means;
        [within.sqrt(), between / (between + within), pp / p, nn / (1.0 - p), pp + nn]
    }
}

#[derive(Clone, Copy, Default)]
struct Seen {
    there: u64,
    held: u64,
    width: f64,
}

type Rows = BTreeMap<(usize, &'static str), [Seen; SETTINGS.len()]>;

fn add(rows: &mut Rows, order: usize, name: &'static str, setting: usize, known: Option<Known>, truth: f64) {
    let seen = &mut rows.entry((order, name)).or_default()[setting];
    if let Some((lower, upper)) = known.and_then(|known| known.limits) {
        seen.there += 1;
        seen.held += u64::from(lower <= truth && truth <= upper);
        seen.width += upper - lower;
    }
}

fn patients(law: Law, setting: (usize, usize, usize), stream: &mut Stream) -> Vec<Vec<Image>> {
    let (count, least, most) = setting;
    (0..count)
        .map(|_| {
            let patient = normal_quantile(stream.unit());
            let images = least + ((stream.unit() * (most - least + 1) as f64) as usize).min(most - least);
            let image = |place: usize, z: f64| Image {
                score: law.score(patient, z),
                condition: u32::from(place % 2 == 1),
            };
            (0..images).map(|place| image(place, normal_quantile(stream.unit()))).collect()
        })
        .collect()
}

fn main() {
    for (name, law) in [("normal", Law::Normal), ("logistic", Law::Logistic)] {
        let [within, intraclass, positive, negative, overall] = law.truths();
        let mut rows = Rows::new();
        for (setting, of) in SETTINGS.into_iter().enumerate() {
            for run in 0..RUNS {
                let mut stream = Stream::new(run, setting as u64);
                let all = patients(law, of, &mut stream);
                let found = components(&all, LEVEL);
                add(
                    &mut rows,
                    0,
                    "standard deviation within patients",
                    setting,
                    found.map(|f| f.within),
                    within,
                );
                let correlation = found.and_then(|f| f.intraclass);
                add(&mut rows, 1, "share of the variance between patients", setting, correlation, intraclass);
                let pairs: Vec<f64> =
                    all.iter().filter(|i| i.len() > 1).map(|i| i[1].score - i[0].score).collect();
                let pairs = Differences::of(&pairs, LEVEL);
                add(&mut rows, 2, "mean difference", setting, pairs.map(|p| p.mean), 0.0);
                // Of normal differences; of others the limits are no quantiles of the law.
                let upper = pairs.and_then(|p| p.agreement).map(|a| a.upper);
                let limit = 1.959_963_984_540_054 * 2.0_f64.sqrt() * within;
                add(&mut rows, 3, "upper limit of agreement", setting, upper, limit);
                let by = by_condition(&all, LEVEL);
                let same = by.and_then(|b| b.same);
                add(&mut rows, 4, "standard deviation, same condition", setting, same, within);
                let different = by.map(|b| b.different);
                add(&mut rows, 5, "standard deviation, different conditions", setting, different, within);
                let calls = Agreements::of(&all, THRESHOLD, Partners::All, LEVEL);
                let share = calls.and_then(|c| c.positive).map(|a| a.share);
                add(&mut rows, 6, "positive percent agreement", setting, share, positive);
                let share = calls.and_then(|c| c.negative).map(|a| a.share);
                add(&mut rows, 7, "negative percent agreement", setting, share, negative);
                add(&mut rows, 8, "agreement of all calls", setting, calls.map(|c| c.overall.share), overall);
            }
        }
        for ((_, what), seen) in rows {
            let cells: Vec<String> = seen.iter().map(cell).collect();
            println!("| {what} | {name} | {} |", cells.join(" | "));
        }
    }
}

fn cell(seen: &Seen) -> String {
    if seen.there < 20 {
        return "\u{2013}".to_owned();
    }
    let there = seen.there as f64;
    let coverage = seen.held as f64 / there;
    let error = 2.576 * (LEVEL * (1.0 - LEVEL) / there).sqrt();
    let arrow = match coverage {
        c if c < LEVEL - error => " \u{2193}",
        c if c > LEVEL + error => " \u{2191}",
        _ => "",
    };
    let share = if seen.there * 100 < RUNS * 99 {
        format!(" ({:.0} %)", 100.0 * there / RUNS as f64)
    } else {
        String::new()
    };
    format!("{:.1}{arrow} \u{b7} {:.3}{share}", 100.0 * coverage, seen.width / there)
}
