//! A study that the program brings along: 60 patients with one image each, three readers, the scores of a
//! device. What it must give is counted here another way.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rayon::ThreadPoolBuilder;

use crate::audit::{self, Beside};
use crate::diagnostic::{Diagnostic, Error, Result};
use crate::evidence::ledger::Who;
use crate::qualification::Finding;
use crate::report::Formats;
use crate::storage;
use crate::study::results::{Results, Verdict};
use crate::workflow::outside::{Outside, Progress};
use crate::workflow::run::{self, Engines};
use crate::workflow::study::Study;

/// Cases, each of a patient of its own.
const CASES: usize = 60;

const PROTOCOL: &str = r#"format = "sequester-protocol/2"

[study]
id = "qualification"
title = "A study to qualify the program with"
version = "1.0"
finding = "a finding"

[data]
cases = "cases.csv"

[reference_standard]
readers = 3
qualification = "made by the program"
rule = "majority"

[scores]
file = "scores.csv"

[operating_point]
source = "declared"
threshold = 0.5
rationale = "declared before the study"

[analysis]
level = 0.95
resampling_unit = "case"
replicates = 200
seed = 7

[[endpoint]]
id = "auc"
metric = "auc"
role = "primary"
interval = "delong"
criterion = "lower > CRITERION"

[[endpoint]]
id = "sensitivity"
metric = "sensitivity"
role = "secondary"
interval = "clopper-pearson"

[[subgroup]]
by = "sex"
"#;

/// What a case is: truth for the readers, who err now and then, and a score.
fn case(number: usize) -> (bool, f64, [bool; 3]) {
    let positive = number.is_multiple_of(2);
    let noise = (number * 37 % 100) as f64 / 100.0;
    let score = if positive { 0.35 + 0.6 * noise } else { 0.05 + 0.6 * noise };
    let reads = [0, 1, 2].map(|reader| {
        let wrong = (number + 5 * reader).is_multiple_of(17);
        positive != wrong
    });
    (positive, (score * 1e4).round() / 1e4, reads)
}

fn files(criterion: &str) -> BTreeMap<&'static str, String> {
    let mut cases = String::from("case_id,patient_id,sex,age_years,view\n");
    let mut scores = String::from("case_id,score\n");
    let mut reads = [0, 1, 2].map(|_| String::from("case_id,reader_id,read\n"));
    for number in 0..CASES {
        let (_, score, answers) = case(number);
        let sex = if number.is_multiple_of(3) { "F" } else { "M" };
        cases.push_str(&format!("Q{number:03},P{number:03},{sex},{},PA\n", 20 + number));
        scores.push_str(&format!("Q{number:03},{score:.4}\n"));
        for (reader, (text, answer)) in reads.iter_mut().zip(answers).enumerate() {
            let read = if answer { "positive" } else { "negative" };
            text.push_str(&format!("Q{number:03},R{},{read}\n", reader + 1));
        }
    }
    let [first, second, third] = reads;
    BTreeMap::from([
        ("protocol.toml", PROTOCOL.replace("CRITERION", criterion)),
        ("device.toml", "[device]\nname = \"The device of the qualification\"\n".to_owned()),
        ("cases.csv", cases),
        ("scores.csv", scores),
        ("reads/reader-1.csv", first),
        ("reads/reader-2.csv", second),
        ("reads/reader-3.csv", third),
    ])
}

/// AUC, and true positives and positives at 0.5, by counting pairs and cases one by one.
fn counted() -> (f64, (u64, u64)) {
    let truth = |reads: [bool; 3]| reads.into_iter().filter(|read| *read).count() >= 2;
    let all: Vec<(bool, f64)> = (0..CASES).map(case).map(|(_, score, reads)| (truth(reads), score)).collect();
    let (mut halves, mut pairs, mut hits, mut positives) = (0_u64, 0_u64, 0, 0);
    for (positive, score) in all.iter().filter(|(positive, _)| *positive) {
        positives += u64::from(*positive);
        hits += u64::from(*score >= 0.5);
        for (_, other) in all.iter().filter(|(positive, _)| !positive) {
            pairs += 1;
            halves += if score > other { 2 } else { u64::from(score == other) };
        }
    }
    (halves as f64 / (2 * pairs) as f64, (hits, positives))
}

/// A study that was run.
struct Ran {
    folder: PathBuf,
    bundle: PathBuf,
    results: Results,
    holds: bool,
}

/// The study run with one thread, with all, and with a criterion that cannot be met.
pub struct Studies {
    one: Result<Ran>,
    all: Result<Ran>,
    strict: Result<Ran>,
    threads: usize,
}

impl Studies {
    /// Runs them in folders of their own. An error is kept, and told by whoever asks.
    pub fn run(work: &Path, threads: usize, engines: &(impl Engines + Sync), outside: &Outside<'_>) -> Self {
        let study = |name: &str, criterion: &str, threads: usize| {
            run_in(&work.join(name), criterion, threads, engines, outside)
        };
        Self {
            one: study("one-thread", "0.70", 1),
            all: study("all-threads", "0.70", threads),
            strict: study("strict", "0.90", threads),
            threads,
        }
    }

    fn of(&self) -> std::result::Result<&Ran, String> {
        self.all.as_ref().map_err(ToString::to_string)
    }

    /// Asks something of the bundle, where there is one.
    pub fn with_bundle(&self, ask: impl Fn(&Path) -> Finding) -> Finding {
        match self.of() {
            Ok(ran) => ask(&ran.bundle),
            Err(why) => Finding::of(false, "a bundle of the study", format!("the study did not run: {why}")),
        }
    }

    /// Whether it concludes what follows from its files.
    pub fn conclusion(&self) -> Finding {
        let (auc, (hits, positives)) = counted();
        let expected = format!(
            "{CASES} cases, AUC {auc}, sensitivity {hits} of {positives}, the primary endpoint met: counted \
             pair by pair"
        );
        let results = match self.of() {
            Ok(ran) => &ran.results,
            Err(why) => return Finding::of(false, expected, format!("the study did not run: {why}")),
        };
        let whole = |id: &str| {
            results.estimates.iter().find(|e| e.id == id && e.subgroup.is_none() && e.scenario.is_none())
        };
        let (found_auc, found) = (whole("auc").and_then(|e| e.value), whole("sensitivity"));
        let share = found.and_then(|e| e.numerator.zip(e.denominator));
        let holds = found_auc.is_some_and(|found| (found - auc).abs() < 1e-15)
            && share == Some((hits, positives))
            && results.flow.analysed == CASES as u64
            && results.conclusion == Verdict::Met;
        let share = share.map_or("no value".to_owned(), |(k, n)| format!("{k} of {n}"));
        let found = format!(
            "{} cases, AUC {}, sensitivity {share}, {}",
            results.flow.analysed,
            found_auc.map_or("no value".to_owned(), |value| value.to_string()),
            words(results.conclusion)
        );
        Finding::of(holds, expected, found)
    }

    /// Whether a criterion that nothing meets is not met.
    pub fn not_met(&self) -> Finding {
        let expected = "the same study with the criterion lower > 0.90: not met";
        match &self.strict {
            Ok(ran) => Finding::of(
                ran.results.conclusion == Verdict::NotMet && ran.holds,
                expected,
                words(ran.results.conclusion),
            ),
            Err(error) => Finding::of(false, expected, format!("the study did not run: {error}")),
        }
    }

    /// Whether the auditor finds nothing wrong, in the study and in the bundle alone.
    pub fn verifies(&self) -> Finding {
        let expected =
            "every question is answered without a contradiction, in the study and of the bundle alone";
        match self.of() {
            Ok(ran) => {
                let alone = audit::audit(&ran.bundle, &Beside::default());
                let alone = alone.map(|audit| audit.holds());
                let found = format!(
                    "in the study: {}, alone: {}",
                    yes(ran.holds),
                    yes(alone.as_ref().is_ok_and(|h| *h))
                );
                Finding::of(ran.holds && alone.is_ok_and(|holds| holds), expected, found)
            }
            Err(why) => Finding::of(false, expected, format!("the study did not run: {why}")),
        }
    }

    /// Whether both runs wrote the same bytes.
    pub fn threads(&self) -> Finding {
        let expected = format!(
            "every file of the study (evidence, ledger, documents) equal with 1 and {} threads",
            self.threads
        );
        let (one, all) = match (&self.one, &self.all) {
            (Ok(one), Ok(all)) => (tree(&one.folder), tree(&all.folder)),
            (Err(error), _) | (_, Err(error)) => {
                return Finding::of(false, expected, format!("the study did not run: {error}"));
            }
        };
        match (one, all) {
            (Ok(one), Ok(all)) => {
                let different: Vec<&String> = one
                    .keys()
                    .chain(all.keys().filter(|name| !one.contains_key(*name)))
                    .filter(|name| one.get(*name) != all.get(*name))
                    .collect();
                let found = match different.first() {
                    None => format!("{} files, all equal", one.len()),
                    Some(first) => format!("{} files differ, the first is {first}", different.len()),
                };
                Finding::of(different.is_empty() && one.len() > 10, expected, found)
            }
            (Err(error), _) | (_, Err(error)) => Finding::of(false, expected, error.to_string()),
        }
    }
}

fn yes(holds: bool) -> &'static str {
    if holds { "holds" } else { "does NOT hold" }
}

fn words(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Met => "the primary endpoint is met",
        Verdict::NotMet => "the primary endpoint is not met",
        Verdict::NotEvaluable => "the primary endpoint is not evaluable",
    }
}

/// Tells nothing: what the study says is not what the user asked.
struct Quiet;

impl Progress for Quiet {
    fn say(&self, _: &str, _: &str) {}
    fn warn(&self, _: &Diagnostic) {}
    fn begin(&self, _: &str, _: usize) {}
    fn at(&self, _: usize) {}
    fn end(&self) {}
}

fn run_in(
    folder: &Path,
    criterion: &str,
    threads: usize,
    engines: &(impl Engines + Sync),
    outside: &Outside<'_>,
) -> Result<Ran> {
    for (name, text) in files(criterion) {
        storage::write_atomic(&folder.join(name), text.as_bytes())?;
    }
    let study = Study::open(folder, None, None)?;
    let _alone = study.alone()?;
    let pool = ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()
        .map_err(|e| Error::io("start threads for", folder, &std::io::Error::other(e)))?;
    let (clock, clock_set, stop) = (outside.clock, outside.clock_set, outside.stop);
    let ran = pool.install(|| {
        let quiet = Outside { clock, clock_set, who: Who::default(), progress: &Quiet, stop };
        run::run(&study, None, Formats::WithoutPdf, engines, &quiet)
    })?;
    Ok(Ran {
        folder: folder.to_path_buf(),
        bundle: ran.validated.bundle.clone(),
        holds: ran.audit.holds(),
        results: ran.validated.results,
    })
}

/// Everything below a folder by its path; what only says who writes is left out.
fn tree(folder: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
    let mut files = BTreeMap::new();
    let mut open = vec![(folder.to_path_buf(), String::new())];
    while let Some((place, name)) = open.pop() {
        let entries = std::fs::read_dir(&place).map_err(|e| Error::io("list", &place, &e))?;
        for entry in entries {
            let entry = entry.map_err(|e| Error::io("list", &place, &e))?;
            let (path, name) = (entry.path(), format!("{name}/{}", entry.file_name().to_string_lossy()));
            if path.is_dir() {
                open.push((path, name));
            } else if !entry.file_name().to_string_lossy().starts_with('.') {
                files.insert(name, storage::read(&path)?);
            }
        }
    }
    Ok(files)
}
