//! How often intervals and tests of reader studies are right: `cargo bench --bench reader_studies` prints the
//! section on reader studies of `docs/coverage.md`, and how long 2 modalities x 20 readers x 1,000 cases take;
//! with `-- speed` that alone, the seconds of the least of ten times.
//!
//! Ratings are those of Roe and Metz (1997): readers, cases and their interactions are normal, with the
//! variances of their twelve cases, of which FDA's iRoeMetz ships the configurations (`RMconfigurations`); 5
//! readers (in the last rows 10) and 100 cases, half of them positive. The variance of readers that is called
//! high rises with the area; the one that is called low does not.

use std::time::Instant;

use sequester::statistics::mrmc::analysis::{Meeting, analyse};
use sequester::statistics::mrmc::{Cell, CovarianceMethod, Moments, ReaderStudy, covariances, u_statistics};
use sequester::statistics::random::Stream;
use sequester::statistics::special::{normal_cdf, normal_quantile};

const RUNS: u64 = 10_000;
const LEVEL: f64 = 0.95;

/// Variances: of readers and of modality by reader; of cases, modality by case, reader by case, and error.
struct Structure {
    name: &'static str,
    reader: f64,
    case: f64,
    modality_case: f64,
    reader_case: f64,
    error: f64,
}

/// The four structures at each distance of the classes: with the high or low correlation of ratings (the
/// first letter), and the high or low variance of readers (the second).
fn structures(apart: f64) -> [Structure; 4] {
    let high = if apart < 1.0 {
        0.011
    } else if apart < 2.0 {
        0.03
    } else {
        0.056
    };
    let alike = |name, reader| Structure {
        name,
        reader,
        case: 0.3,
        modality_case: 0.3,
        reader_case: 0.2,
        error: 0.2,
    };
    let unlike = |name, reader| Structure {
        name,
        reader,
        case: 0.1,
        modality_case: 0.1,
        reader_case: 0.2,
        error: 0.6,
    };
    [alike("HL", 0.0055), unlike("LL", 0.0055), alike("HH", high), unlike("LH", high)]
}

impl Structure {
    /// The area that other readers and cases have, where the classes are `apart`.
    fn auc(&self, apart: f64) -> f64 {
        let cases = self.case + self.modality_case + self.reader_case + self.error;
        normal_cdf(apart / (2.0 * (cases + 2.0 * self.reader)).sqrt())
    }

    fn draw(&self, apart: [f64; 2], readers: usize, cases: usize, stream: &mut Stream) -> ReaderStudy {
        let mut normal = |variance: f64| variance.sqrt() * normal_quantile(stream.unit());
        // Readers differ in each class.
        let of_reader: Vec<[f64; 2]> = (0..readers).map(|_| [0, 1].map(|_| normal(self.reader))).collect();
        let of_both: Vec<Vec<[f64; 2]>> =
            (0..2).map(|_| (0..readers).map(|_| [0, 1].map(|_| normal(self.reader))).collect()).collect();
        let mut ratings = vec![vec![[Vec::new(), Vec::new()]; readers]; 2];
        for case in 0..cases {
            let class = case % 2;
            let own = normal(self.case);
            let with_modality = [0, 1].map(|_| normal(self.modality_case));
            for j in 0..readers {
                let with_reader = normal(self.reader_case);
                for i in 0..2 {
                    let shift = if class == 1 { apart[i] } else { 0.0 };
                    let noise = own + with_modality[i] + with_reader + normal(self.error);
                    let rating = shift + of_reader[j][class] + of_both[i][j][class] + noise;
                    ratings[i][j][class].push(Some(rating));
                }
            }
        }
        let modality = |of: Vec<[Vec<Option<f64>>; 2]>| {
            let cell = |[n, p]: &[Vec<Option<f64>>; 2]| Cell::new(n, p).expect("both classes");
            of.iter().enumerate().map(|(j, classes)| (j, cell(classes))).collect()
        };
        ReaderStudy {
            modalities: ratings.into_iter().map(modality).collect(),
            cases: [cases - cases / 2, cases / 2],
            patients: None,
        }
    }
}

/// Limits and p value of the difference, and limits of the first modality's mean.
type Found = ((f64, f64), f64, (f64, f64));

/// By each method.
fn found(study: &ReaderStudy) -> Vec<Option<Found>> {
    let moments = Moments::new(study);
    let aucs = study.aucs();
    let by = |method: CovarianceMethod| {
        let matrix = covariances(study, &moments, method)?;
        let of = analyse(&aucs, &matrix, Meeting::Crossed, LEVEL)?.readers_and_cases;
        let (difference, mean) = (of.differences[0].2?, of.means[0]?);
        Some((difference.limits, difference.p, mean.limits))
    };
    let averages = u_statistics::averages(study, &moments);
    let (difference, _) = u_statistics::difference(study, &moments, &averages, 0, 1);
    let u = difference.infer(LEVEL).zip(averages[0].0.infer(LEVEL)).map(|(d, m)| (d.limits, d.p, m.limits));
    let mle = |e: &u_statistics::UEstimate| e.infer_with(e.mle_variance, LEVEL);
    let biased = mle(&difference).zip(mle(&averages[0].0)).map(|(d, m)| (d.limits, d.p, m.limits));
    use CovarianceMethod::{DeLong, Jackknife, Unbiased};
    vec![by(DeLong), by(Jackknife), by(Unbiased), u, biased]
}

const METHODS: [&str; 5] = [
    "OR, DeLong",
    "OR, jackknife",
    "OR, unbiased",
    "U-statistics, unbiased",
    "U-statistics, maximum likelihood",
];

fn main() {
    if std::env::args().any(|argument| argument == "speed") {
        let least = (0..10).map(|_| u_statistics_of_a_large_study().0).fold(f64::INFINITY, f64::min);
        println!("{least}");
        return;
    }
    println!(
        "| structure | AUCs | readers | method | covers the difference | covers a mean | rejects | no interval |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    // Two areas have the power, with the variances of the second one.
    for (readers, apart) in [(5, [0.75; 2]), (5, [1.5; 2]), (5, [2.5; 2]), (5, [2.2, 1.5]), (10, [0.75; 2])] {
        for (number, structure) in (0..).zip(&structures(apart[1])) {
            let mut counts = [[0_u64; 4]; METHODS.len()];
            let true_auc = apart.map(|a| structure.auc(a));
            for run in 0..RUNS {
                let mut stream = Stream::new(20_261_127 + number, run);
                let study = structure.draw(apart, readers, 100, &mut stream);
                for (k, found) in found(&study).into_iter().enumerate() {
                    let Some((difference, p, mean)) = found else {
                        counts[k][3] += 1;
                        continue;
                    };
                    let truth = true_auc[0] - true_auc[1];
                    counts[k][0] += u64::from((difference.0..=difference.1).contains(&truth));
                    counts[k][1] += u64::from((mean.0..=mean.1).contains(&true_auc[0]));
                    counts[k][2] += u64::from(p < 0.05);
                }
            }
            for (method, [difference, mean, rejects, none]) in METHODS.iter().zip(counts) {
                let of = RUNS - none;
                let share = |n: u64| 100.0 * n as f64 / of as f64;
                println!(
                    "| {} | {:.3}, {:.3} | {readers} | {method} | {:.1} % | {:.1} % | {:.1} % | {none} |",
                    structure.name,
                    true_auc[0],
                    true_auc[1],
                    share(difference),
                    share(mean),
                    share(rejects)
                );
            }
        }
    }
    let (seconds, estimate, variance) = u_statistics_of_a_large_study();
    eprintln!(
        "2 x 20 x 1,000 by U-statistics: {seconds:.3} s, difference {estimate:.6}, variance {variance:.6e}"
    );
}

/// Of 2 modalities, 20 readers and 1,000 cases: seconds, and the difference with its variance.
fn u_statistics_of_a_large_study() -> (f64, f64, f64) {
    let study = structures(1.5)[0].draw([1.5, 1.2], 20, 1000, &mut Stream::new(1, 0));
    let began = Instant::now();
    let moments = Moments::new(&study);
    let averages = u_statistics::averages(&study, &moments);
    let (difference, _) = u_statistics::difference(&study, &moments, &averages, 0, 1);
    (began.elapsed().as_secs_f64(), difference.estimate, difference.variance)
}
