//! `sequester metrics`: every statistic of a table of scores, without a study.

use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use super::{Context, Outcome};
use crate::diagnostic::{Code, Diagnostic, Error, Result};
use crate::statistics::calibration::{Bin, Edge, equal_edges, reliability};
use crate::statistics::confusion::Confusion;
use crate::statistics::estimate::{Estimate, IntervalMethod, ResamplingUnit, SubgroupLevel};
use crate::statistics::metric::{
    Metric, Plan, Sample, estimate, estimate_at_prevalence, estimate_difference, estimate_mcnemar,
};
use crate::statistics::poolability::{Heterogeneity, Poolability, Share, ShareOverSites, poolability};
use crate::statistics::roc::{partial_area, precision_recall_points, roc_points};
use crate::statistics::roc_band::roc_band;
use crate::statistics::transported;
use crate::statistics::warning::Warning;
use crate::storage;
use crate::table::labelled::{LabelledScores, Wanted as WantedColumns};

/// Compute every statistic of a table of labels and scores.
///
/// FILE is a CSV with a header, one row a case. Higher scores mean positive; a case is called positive at
/// or above a threshold; the direction is never flipped. Prints a readable table, or with --json all
/// estimates with every interval that exists for them. Numbers in JSON read back exactly.
///
/// The whole table is held in memory, about 60 bytes a row with one score: ten million rows took 0.53 GB.
/// Bootstraps that would take minutes on so many cases are left out with a warning, unless --metric asks for
/// them.
#[derive(Clone, Debug, Args)]
pub struct MetricsArgs {
    /// CSV with a header, one row a case.
    #[arg(value_name = "FILE.csv")]
    file: PathBuf,
    /// Column of the reference standard: 1/0, true/false, yes/no or positive/negative.
    #[arg(long, value_name = "COLUMN", default_value = "label")]
    label: String,
    /// The value of the label column that means positive; any one other value is then negative.
    #[arg(long, value_name = "VALUE")]
    positive: Option<String>,
    /// Column of the scores.
    #[arg(long, value_name = "COLUMN", default_value = "score")]
    score: String,
    /// Column of a second model's scores of the same cases, compared pairwise.
    #[arg(long, value_name = "COLUMN")]
    compare: Option<String>,
    /// Thresholds for calls; repeat or separate by commas.
    #[arg(
        long,
        value_name = "T",
        value_delimiter = ',',
        default_value = "0.5",
        allow_negative_numbers = true
    )]
    threshold: Vec<f64>,
    /// Column that says which cases belong together, usually the patient.
    #[arg(long, alias = "cluster", value_name = "COLUMN")]
    patient: Option<String>,
    /// Column of the site: for resampling by site, and to test whether AUC, sensitivity, specificity and
    /// prevalence are the same at every site (two sites at least), with each site and with all others. With
    /// --patient, sites are compared between patients.
    #[arg(long, value_name = "COLUMN")]
    site: Option<String>,
    /// Columns that define subgroups, separated by commas.
    #[arg(long, alias = "by", value_name = "COLUMNS", value_delimiter = ',')]
    subgroup: Vec<String>,
    /// Subgroups with fewer cases are marked insufficient.
    #[arg(long, value_name = "N", default_value_t = 30)]
    subgroup_minimum: u64,
    /// Only these metrics, by id, separated by commas; with --compare, auc brings auc_difference along and
    /// accuracy mcnemar.
    #[arg(long, value_name = "IDS", value_delimiter = ',')]
    metric: Vec<String>,
    /// Bootstrap replicates; 0 for none. "exact" sums the law that replicates tend to: of every metric of a
    /// 2x2 table, where cases are drawn (--unit case or case-stratified).
    #[arg(long, value_name = "B", default_value_t = Bootstrap::Replicates(2000))]
    bootstrap: Bootstrap,
    /// Seed of the bootstrap.
    #[arg(long, value_name = "N", default_value_t = 7)]
    seed: u64,
    /// What the bootstrap draws [default: patient with --patient, else case].
    #[arg(long, value_name = "UNIT")]
    unit: Option<Unit>,
    /// Two-sided confidence level.
    #[arg(long, value_name = "LEVEL", default_value_t = 0.95)]
    level: f64,
    /// Also carry PPV, NPV and F1 to this prevalence.
    #[arg(long, value_name = "P")]
    prevalence: Option<f64>,
    /// Upper end of the false positive rates of the partial AUC.
    #[arg(long, value_name = "RATE", default_value_t = 0.1)]
    max_fpr: f64,
    /// Edges of the bins of ece, mce and the reliability curve, ascending from 0 to 1 [default: ten equal
    /// bins].
    #[arg(long, value_name = "EDGES", value_delimiter = ',')]
    bin_edges: Vec<f64>,
    /// Also give the ROC curve with its pointwise bootstrap band and the precision-recall curve, in JSON.
    #[arg(long, requires = "json")]
    curves: bool,
    /// Leave out rows with an empty label or score, and say how many, instead of refusing the file.
    #[arg(long)]
    skip_missing: bool,
}

/// How bootstrap intervals are made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bootstrap {
    /// From so many replicates.
    Replicates(u64),
    /// From the law itself.
    Exact,
}

impl Bootstrap {
    fn replicates(self) -> u64 {
        match self {
            Self::Replicates(count) => count,
            Self::Exact => 0,
        }
    }
}

impl std::fmt::Display for Bootstrap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Replicates(count) => count.fmt(f),
            Self::Exact => f.write_str("exact"),
        }
    }
}

impl std::str::FromStr for Bootstrap {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "exact" => Ok(Self::Exact),
            _ => {
                text.parse().map(Self::Replicates).map_err(|_| "not a number of replicates, nor exact".into())
            }
        }
    }
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Unit {
    Case,
    CaseStratified,
    Patient,
    Site,
    SiteThenPatient,
}

impl From<Unit> for ResamplingUnit {
    fn from(unit: Unit) -> Self {
        match unit {
            Unit::Case => Self::Case,
            Unit::CaseStratified => Self::CaseStratified,
            Unit::Patient => Self::Patient,
            Unit::Site => Self::Site,
            Unit::SiteThenPatient => Self::SiteThenPatient,
        }
    }
}

/// Statistics by brute-force leave-one-out are offered up to this many cases.
const MOST_CASES_FOR_JACKKNIFE: usize = 5000;
/// Unless asked for by --metric, model fits are bootstrapped up to this many cases times replicates,
const MOST_WORK_FOR_FITS: u64 = 10_000_000;
/// and statistics that pass over all cases in each replicate up to this many: about a minute each on one
/// core.
const MOST_WORK_FOR_PASSES: u64 = 4_000_000_000;

/// Runs the command.
///
/// # Errors
/// [`Error::Usage`] for options outside their range; located diagnostics for everything wrong in the file.
pub fn run(args: &MetricsArgs, context: Context) -> Result<Outcome> {
    let wanted = checked(args)?;
    let args = &without_repeats(args);
    let mut groups: Vec<String> = args.subgroup.clone();
    groups.extend(args.site.iter().filter(|&s| !args.subgroup.contains(s)).cloned());
    let columns = WantedColumns {
        label: &args.label,
        positive: args.positive.as_deref(),
        score: &args.score,
        second: args.compare.as_deref(),
        cluster: args.patient.as_deref(),
        groups: &groups,
        skip_missing: Some(args.skip_missing),
        ..WantedColumns::default()
    };
    let bytes = storage::read(&args.file)?;
    let table = LabelledScores::parse(&args.file, &bytes, &columns).map_err(Error::Input)?;
    drop(bytes);
    let report = Report::new(args, &wanted, &table);
    if context.json {
        println!("{:#}", report.json(args));
    } else {
        print!("{}", report.text(args));
    }
    Ok(Outcome::Done)
}

/// What is asked for.
struct Wanted {
    /// Of each model.
    metrics: Vec<Metric>,
    /// Of two models: the difference of their AUCs.
    difference: bool,
    /// Of two models: McNemar's test.
    mcnemar: bool,
}

impl Wanted {
    /// # Errors
    /// Ids that are unknown, or that compare where there is nothing to compare with.
    fn new(args: &MetricsArgs) -> Result<Self> {
        if args.metric.is_empty() {
            return Ok(Self { metrics: Metric::ALL.to_vec(), difference: true, mcnemar: true });
        }
        let mut wanted = Self { metrics: Vec::new(), difference: false, mcnemar: false };
        for id in &args.metric {
            let of_two = OF_TWO_MODELS.contains(&id.as_str());
            if of_two && args.compare.is_none() {
                let message = format!("{id} compares two models, and there is no --compare");
                let hint = "name the column of the second model's scores with --compare";
                return Err(Error::usage(Diagnostic::error(Code::OptionOutOfRange, message).hint(hint)));
            }
            let metric = Metric::from_id(id);
            if metric.is_none() && !of_two {
                let known: Vec<&str> = Metric::ALL.iter().map(|m| m.id()).chain(OF_TWO_MODELS).collect();
                let message = format!("there is no metric {id:?}");
                let hint = format!("known are {}", known.join(", "));
                return Err(Error::usage(Diagnostic::error(Code::MetricUnknown, message).hint(hint)));
            }
            wanted.metrics.extend(metric.filter(|m| !wanted.metrics.contains(m)));
            wanted.difference |= id == OF_TWO_MODELS[0] || metric == Some(Metric::Auc);
            wanted.mcnemar |= id == OF_TWO_MODELS[1] || metric == Some(Metric::Accuracy);
        }
        Ok(wanted)
    }
}

/// Estimates that need --compare.
const OF_TWO_MODELS: [&str; 2] = ["auc_difference", "mcnemar"];

/// Each threshold and each subgroup column once, in the order given: a repeated one would give every estimate
/// twice.
fn without_repeats(args: &MetricsArgs) -> MetricsArgs {
    let mut once = MetricsArgs { threshold: Vec::new(), subgroup: Vec::new(), ..args.clone() };
    for &threshold in &args.threshold {
        if !once.threshold.contains(&threshold) {
            once.threshold.push(threshold);
        }
    }
    for column in &args.subgroup {
        if !once.subgroup.contains(column) {
            once.subgroup.push(column.clone());
        }
    }
    once
}

/// What is asked for; options are in their ranges.
fn checked(args: &MetricsArgs) -> Result<Wanted> {
    let usage = |message: String, hint: &str| {
        Error::usage(Diagnostic::error(Code::OptionOutOfRange, message).hint(hint))
    };
    if !(args.level > 0.0 && args.level < 1.0) {
        return Err(usage(format!("--level {} is not between 0 and 1", args.level), "use 0.95, say"));
    }
    if let Some(bad) = args.threshold.iter().find(|t| !t.is_finite()) {
        return Err(usage(format!("--threshold {bad} is not a finite number"), "use 0.5, say"));
    }
    if let Some(bad) = args.prevalence.filter(|p| !(*p > 0.0 && *p < 1.0)) {
        return Err(usage(format!("--prevalence {bad} is not between 0 and 1"), "use 0.05, say"));
    }
    if !(args.max_fpr > 0.0 && args.max_fpr <= 1.0) {
        return Err(usage(format!("--max-fpr {} is not in 0..1", args.max_fpr), "use 0.1, say"));
    }
    if args.bootstrap.replicates() > 10_000_000 {
        return Err(usage(
            format!("--bootstrap {} is above ten million", args.bootstrap),
            "2000 to 10000 are usual",
        ));
    }
    let by_case = matches!(unit_of(args), ResamplingUnit::Case | ResamplingUnit::CaseStratified);
    if args.bootstrap == Bootstrap::Exact && !by_case {
        return Err(usage(
            "--bootstrap exact needs a law in closed form, and there is none where patients or sites are \
             drawn"
                .into(),
            "give a number of replicates, or draw cases with --unit case-stratified",
        ));
    }
    let columns = [
        ("--label", Some(&args.label)),
        ("--score", Some(&args.score)),
        ("--compare", args.compare.as_ref()),
    ];
    for (place, (second, column)) in columns.iter().enumerate() {
        if let Some((first, _)) = columns[..place].iter().find(|c| column.is_some() && c.1 == *column) {
            return Err(usage(
                format!("{second} names the column {:?} that {first} names, too", column.map_or("", |c| c)),
                "label, score and the other model's score are columns of their own",
            ));
        }
    }
    match args.unit {
        Some(Unit::Patient | Unit::SiteThenPatient) if args.patient.is_none() => {
            return Err(usage(
                "--unit draws patients, and there is no --patient".into(),
                "add --patient patient_id",
            ));
        }
        Some(Unit::Site | Unit::SiteThenPatient) if args.site.is_none() => {
            return Err(usage("--unit draws sites, and there is no --site".into(), "add --site site"));
        }
        _ => {}
    }
    let ascending = args.bin_edges.windows(2).all(|w| w[0] < w[1]);
    let whole = args.bin_edges.first() == Some(&0.0) && args.bin_edges.last() == Some(&1.0);
    let fit = args.bin_edges.is_empty() || (ascending && whole);
    if !fit {
        let given: Vec<String> = args.bin_edges.iter().map(f64::to_string).collect();
        return Err(usage(
            format!("--bin-edges {} do not ascend from 0 to 1", given.join(",")),
            "use 0,0.25,0.5,0.75,1, say",
        ));
    }
    Wanted::new(args)
}

/// Everything that is printed.
struct Report {
    n: usize,
    positives: usize,
    estimates: Vec<Value>,
    rows: Vec<Estimate>,
    warnings: Vec<Warning>,
    tables: Vec<(f64, Option<String>, Confusion)>,
    sentences: Vec<Sentences>,
    curve: Vec<Value>,
    poolability: Option<Poolability>,
    curves: Option<Value>,
}

/// What 1,000 patients may expect of one model at one threshold.
struct Sentences {
    threshold: f64,
    model: Option<String>,
    prevalence: f64,
    lines: Vec<String>,
}

impl Report {
    fn new(args: &MetricsArgs, wanted: &Wanted, table: &LabelledScores) -> Self {
        let mut report = Self {
            n: table.labels.len(),
            positives: table.labels.iter().filter(|&&l| l).count(),
            estimates: Vec::new(),
            rows: Vec::new(),
            warnings: table.warnings.iter().map(Warning::of).collect(),
            tables: Vec::new(),
            sentences: Vec::new(),
            curve: Vec::new(),
            poolability: None,
            curves: None,
        };
        let sites = args.site.as_ref().and_then(|s| table.groups.iter().find(|g| g.name == *s));
        let sites = sites.map(|g| g.ids.as_slice());
        let all = Part {
            labels: &table.labels,
            scores: &table.scores,
            other: table.second.as_deref(),
            patients: table.clusters.as_ref().map(|c| &c.ids[..]),
            sites,
        };
        report.part(args, wanted, &all, None);
        if args.bootstrap == Bootstrap::Exact {
            let without: Vec<&str> =
                wanted.metrics.iter().filter(|m| !m.is_of_table()).map(|m| m.id()).collect();
            if !without.is_empty() {
                report.warnings.push(Warning {
                    code: Code::BootstrapLeftOut,
                    message: format!(
                        "the bootstrap law of {} has no closed form: give a number of replicates for it",
                        without.join(", ")
                    ),
                });
            }
        }
        for group in table.groups.iter().filter(|g| args.subgroup.contains(&g.name)) {
            for (level, name) in (0_u32..).zip(&group.levels) {
                let rows: Vec<usize> = (0..report.n).filter(|&i| group.ids[i] == level).collect();
                let pick =
                    |ids: Option<&[u32]>| ids.map(|ids| rows.iter().map(|&i| ids[i]).collect::<Vec<u32>>());
                let labels: Vec<bool> = rows.iter().map(|&i| table.labels[i]).collect();
                let scores: Vec<f64> = rows.iter().map(|&i| table.scores[i]).collect();
                let other: Option<Vec<f64>> =
                    table.second.as_ref().map(|other| rows.iter().map(|&i| other[i]).collect());
                let (patients, sites) = (pick(table.clusters.as_ref().map(|c| &c.ids[..])), pick(sites));
                let part = Part {
                    labels: &labels,
                    scores: &scores,
                    other: other.as_deref(),
                    patients: patients.as_deref(),
                    sites: sites.as_deref(),
                };
                report.part(args, wanted, &part, Some(SubgroupLevel::new(&group.name, name)));
            }
        }
        if let (Some(name), Some(sites)) = (&args.site, sites) {
            let levels = table.groups.iter().find(|g| g.name == *name).map_or(&[][..], |g| &g.levels);
            let sample = Sample { sites: Some(sites), ..all.sample() };
            report.poolability = poolability(&sample, &args.threshold, levels, args.level);
            if report.poolability.is_none() {
                report.warnings.push(Warning {
                    code: Code::OneSite,
                    message: format!("{name} has one value, so there is nothing to compare between sites"),
                });
            }
        }
        if args.curves {
            report.curves = Some(curves(args, &all));
        }
        if wanted.metrics.iter().any(|m| m.needs_probabilities()) {
            report.curve = models(args, &all)
                .into_iter()
                .filter(|(_, scores)| are_probabilities(scores))
                .flat_map(|(model, scores)| reliability_curve(args, all.labels, model, scores))
                .collect();
        }
        report.warnings.sort();
        report.warnings.dedup();
        report
    }

    /// Every estimate of the whole table or of one subgroup.
    fn part(
        &mut self,
        args: &MetricsArgs,
        wanted: &Wanted,
        part: &Part<'_>,
        subgroup: Option<SubgroupLevel>,
    ) {
        let sample = part.sample();
        let n = part.labels.len();
        let progress = spinner();
        let small = subgroup.is_some() && (n as u64) < args.subgroup_minimum;
        let mut out: Vec<(Estimate, Option<Value>)> = Vec::new();
        for (model, scores) in models(args, part) {
            let sample = Sample { scores, ..sample };
            let probabilities = are_probabilities(scores);
            if !probabilities && args.metric.is_empty() && subgroup.is_none() {
                let what = model.unwrap_or(&args.score);
                self.warnings.push(Warning {
                    code: Code::NotProbabilities,
                    message: format!("{what} has values outside 0..1: calibration is not computed"),
                });
            }
            let mut add = |mut estimate: Estimate| {
                estimate.model = model.map(str::to_owned);
                let more = declared(args, &sample, &estimate.id);
                out.push((estimate, more));
            };
            for &metric in &wanted.metrics {
                if metric.needs_probabilities() && !probabilities && args.metric.is_empty() {
                    continue;
                }
                progress.set_message(format!(
                    "{}{}",
                    metric.id(),
                    subgroup.as_ref().map_or(String::new(), |s| format!(", {s}"))
                ));
                if subgroup.is_none() && left_out(args, metric, n) {
                    self.warnings.push(Warning {
                        code: Code::BootstrapLeftOut,
                        message: format!(
                            "{}: no bootstrap of {n} cases x {} replicates unless asked for with --metric {}",
                            metric.id(),
                            args.bootstrap,
                            metric.id()
                        ),
                    });
                }
                let plan = plan(args, metric, n);
                if metric.needs_threshold() {
                    for &threshold in &args.threshold {
                        add(estimate(metric, &sample, Some(threshold), &plan));
                    }
                } else {
                    add(estimate(metric, &sample, None, &plan));
                }
            }
            for &threshold in &args.threshold {
                let table = Confusion::at(sample.labels, scores, threshold);
                let name = match (&subgroup, model) {
                    (Some(s), Some(m)) => Some(format!("{m}, {s}")),
                    (Some(s), None) => Some(s.to_string()),
                    (None, m) => m.map(str::to_owned),
                };
                self.tables.push((threshold, name, table));
                if let Some(prevalence) = args.prevalence {
                    for metric in [Metric::Ppv, Metric::Npv, Metric::F1] {
                        let plan = plan(args, metric, n);
                        add(estimate_at_prevalence(metric, &sample, threshold, prevalence, &plan));
                    }
                    let lines = transported::per_thousand(&table, prevalence).filter(|_| subgroup.is_none());
                    self.sentences.extend(lines.map(|lines| Sentences {
                        threshold,
                        model: model.map(str::to_owned),
                        prevalence,
                        lines,
                    }));
                }
            }
        }
        if let (Some(other), Some(name)) = (part.other, &args.compare) {
            let pair = format!("{} - {name}", args.score);
            if wanted.difference {
                let mut difference = estimate_difference(&sample, other, &plan(args, Metric::Auc, n));
                difference.model = Some(pair.clone());
                out.push((difference, None));
            }
            for &threshold in args.threshold.iter().filter(|_| wanted.mcnemar) {
                let (mut estimate, test) = estimate_mcnemar(&sample, other, threshold);
                estimate.model = Some(pair.clone());
                let tests = json!({
                    "only_first_correct": test.only_first_correct,
                    "only_second_correct": test.only_second_correct,
                    "exact_p": test.exact_p(), "mid_p": test.mid_p(),
                    "statistic": test.statistic(), "p": test.p(),
                    "corrected_statistic": test.corrected_statistic(), "corrected_p": test.corrected_p(),
                });
                out.push((estimate, Some(json!({"tests": tests}))));
            }
        }
        progress.finish_and_clear();
        for (mut estimate, more) in out {
            estimate.subgroup.clone_from(&subgroup);
            if small {
                estimate.warnings.insert(
                    0,
                    Warning::new(
                        Code::Insufficient,
                        format!("{n} cases, fewer than the {} that a subgroup needs", args.subgroup_minimum),
                    ),
                );
            }
            self.estimates.push(value_of(&estimate, more));
            self.rows.push(estimate);
        }
    }

    fn json(&self, args: &MetricsArgs) -> Value {
        let table = |(threshold, name, c): &(f64, Option<String>, Confusion)| {
            json!({"threshold": threshold, "of": name, "tp": c.true_positives, "fn": c.false_negatives,
                "fp": c.false_positives, "tn": c.true_negatives})
        };
        let mut out = json!({
            "format": "sequester-metrics/1",
            "n": self.n,
            "positives": self.positives,
            "level": args.level,
            "confusion": self.tables.iter().map(table).collect::<Vec<_>>(),
            "estimates": self.estimates,
            "warnings": self.warnings,
        });
        if !self.curve.is_empty() {
            out["reliability"] = json!(self.curve);
        }
        if !self.sentences.is_empty() {
            let of = |s: &Sentences| {
                let mut value =
                    json!({"threshold": s.threshold, "prevalence": s.prevalence, "sentences": s.lines});
                if let Some(model) = &s.model {
                    value["model"] = json!(model);
                }
                value
            };
            out["per_thousand"] = self.sentences.iter().map(of).collect();
        }
        if let Some(pool) = &self.poolability {
            out["poolability"] = poolability_value(pool);
        }
        if let Some(curves) = &self.curves {
            out["curves"] = curves.clone();
        }
        out
    }

    fn text(&self, args: &MetricsArgs) -> String {
        let mut out = format!("{} cases, {} positive\n", self.n, self.positives);
        for (threshold, name, c) in &self.tables {
            let of = name.as_ref().map_or(String::new(), |n| format!("{n}, "));
            out += &format!(
                "{of}score >= {threshold}: TP {}  FN {}  FP {}  TN {}\n",
                c.true_positives, c.false_negatives, c.false_positives, c.true_negatives
            );
        }
        let mut sections: Vec<Option<&SubgroupLevel>> = vec![None];
        for row in &self.rows {
            if !sections.contains(&row.subgroup.as_ref()) {
                sections.push(row.subgroup.as_ref());
            }
        }
        for section in sections {
            if let Some(name) = section {
                out += &format!("\n{name}\n");
            }
            let rows: Vec<&Estimate> = self.rows.iter().filter(|r| r.subgroup.as_ref() == section).collect();
            out += &format!("{}\n", text_table(&rows));
        }
        if self.rows.iter().any(|r| r.id == Metric::PartialAuc.id()) {
            out += &format!(
                "partial_auc: false positive rates 0 to {}, standardised (McClish 1989)\n",
                args.max_fpr
            );
        }
        for of in &self.sentences {
            if self.sentences.len() > 1 {
                let model = of.model.as_ref().map_or(String::new(), |m| format!("{m}, "));
                out += &format!("{model}score >= {}, prevalence {}:\n", of.threshold, of.prevalence);
            }
            for line in &of.lines {
                out += &format!("{line}\n");
            }
        }
        if let Some(pool) = &self.poolability {
            out += &poolability_text(pool);
        }
        let mut said = BTreeSet::new();
        for warning in &self.warnings {
            out += &format!("warning[{}]: {}\n", warning.code, warning.message);
        }
        for row in &self.rows {
            for warning in &row.warnings {
                let of = row.subgroup.as_ref().map_or(String::new(), |s| format!(" ({s})"));
                if said.insert((warning.clone(), of.clone())) {
                    out += &format!("warning[{}]: {}{of}: {}\n", warning.code, row.id, warning.message);
                }
            }
        }
        out
    }
}

/// Says on a terminal which metric is being computed.
fn spinner() -> ProgressBar {
    let style = ProgressStyle::with_template("{spinner} {elapsed} {msg}");
    let bar =
        ProgressBar::new_spinner().with_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
    bar.enable_steady_tick(std::time::Duration::from_millis(200));
    bar
}

/// The rows of the whole table or of a subgroup.
struct Part<'a> {
    labels: &'a [bool],
    scores: &'a [f64],
    other: Option<&'a [f64]>,
    patients: Option<&'a [u32]>,
    sites: Option<&'a [u32]>,
}

impl Part<'_> {
    fn sample(&self) -> Sample<'_> {
        Sample { labels: self.labels, scores: self.scores, patients: self.patients, sites: self.sites }
    }
}

/// Each model with its name, where there are two.
fn models<'a>(args: &'a MetricsArgs, part: &Part<'a>) -> Vec<(Option<&'a str>, &'a [f64])> {
    match (&args.compare, part.other) {
        (Some(name), Some(other)) => {
            vec![(Some(args.score.as_str()), part.scores), (Some(name.as_str()), other)]
        }
        _ => vec![(None, part.scores)],
    }
}

fn are_probabilities(scores: &[f64]) -> bool {
    scores.iter().all(|s| (0.0..=1.0).contains(s))
}

/// The bins of calibration.
fn bin_edges(args: &MetricsArgs) -> Vec<f64> {
    if args.bin_edges.is_empty() { equal_edges(10) } else { args.bin_edges.clone() }
}

/// The reliability curve of one model, one value a bin.
fn reliability_curve(args: &MetricsArgs, labels: &[bool], model: Option<&str>, scores: &[f64]) -> Vec<Value> {
    let bins = reliability(labels, scores, None, &bin_edges(args), Edge::Left);
    let of = |b: &Bin| {
        let mut value = json!({"lower": b.lower, "upper": b.upper, "cases": b.cases as u64,
            "mean_score": (b.cases > 0.0).then_some(b.mean_score),
            "observed": (b.cases > 0.0).then_some(b.observed)});
        if let Some(model) = model {
            value["model"] = json!(model);
        }
        value
    };
    bins.iter().map(of).collect()
}

/// What an estimate was made with beside its threshold, for JSON.
fn declared(args: &MetricsArgs, sample: &Sample<'_>, id: &str) -> Option<Value> {
    match Metric::from_id(id)? {
        Metric::PartialAuc => Some(json!({"max_fpr": args.max_fpr,
            "raw_area": partial_area(sample.labels, sample.scores, args.max_fpr)})),
        Metric::Ece | Metric::Mce => Some(json!({"bin_edges": bin_edges(args)})),
        _ => None,
    }
}

/// Whether a bootstrap of so many cases takes so long that it has to be asked for by --metric.
fn left_out(args: &MetricsArgs, metric: Metric, n: usize) -> bool {
    let most = match metric {
        _ if metric.is_fitted() => MOST_WORK_FOR_FITS,
        Metric::AveragePrecision | Metric::PartialAuc => MOST_WORK_FOR_PASSES,
        _ if metric.needs_probabilities() => MOST_WORK_FOR_PASSES,
        _ => return false,
    };
    args.metric.is_empty() && args.bootstrap.replicates().saturating_mul(n as u64) > most
}

/// What the bootstrap draws unless it is said.
fn unit_of(args: &MetricsArgs) -> ResamplingUnit {
    match args.unit {
        Some(unit) => unit.into(),
        None if args.patient.is_some() => ResamplingUnit::Patient,
        None => ResamplingUnit::Case,
    }
}

/// The curves of each model.
fn curves(args: &MetricsArgs, part: &Part<'_>) -> Value {
    let of = |name: &str, scores: &[f64]| {
        let sample = Sample { scores, ..part.sample() };
        let recall: Vec<Value> = precision_recall_points(part.labels, scores)
            .iter()
            .map(|p| json!({"threshold": p.threshold, "recall": p.recall, "precision": p.precision}))
            .collect();
        let (band, method) =
            roc_band(&sample, unit_of(args), args.bootstrap.replicates(), args.seed, args.level);
        let mut method = serde_json::to_value(&method).unwrap_or_default();
        split_warnings(&mut method);
        json!({
            "model": name,
            "roc": roc_points(part.labels, scores),
            "roc_band": band,
            "roc_band_method": method,
            "precision_recall": recall,
        })
    };
    let mut list = vec![of(&args.score, part.scores)];
    if let (Some(name), Some(scores)) = (&args.compare, part.other) {
        list.push(of(name, scores));
    }
    json!(list)
}

/// All methods that are to be shown for a metric on so many cases.
fn plan(args: &MetricsArgs, metric: Metric, n: usize) -> Plan {
    use IntervalMethod as By;
    let mut methods = vec![
        By::Delong,
        By::DelongLogit,
        By::HanleyMcneil,
        By::UStatistic,
        By::ClopperPearson,
        By::Wilson,
        By::AgrestiCoull,
        By::Jeffreys,
        By::Log,
        By::Wald,
        By::Hoeffding,
    ];
    if args.patient.is_some() {
        methods.splice(0..0, [By::Obuchowski, By::KornGraubard, By::ClopperPearsonPatients]);
    }
    let fit = metric.is_fitted();
    let weighted =
        metric.needs_probabilities() || matches!(metric, Metric::AveragePrecision | Metric::PartialAuc);
    let too_long = left_out(args, metric, n);
    if args.bootstrap == Bootstrap::Exact {
        methods.push(By::BootstrapExact);
    }
    if args.bootstrap.replicates() > 0 && !too_long {
        methods.extend([By::BootstrapPercentile, By::BootstrapBasic]);
        if !weighted || (n <= MOST_CASES_FOR_JACKKNIFE && !fit) || !args.metric.is_empty() {
            methods.push(By::BootstrapBca);
        }
    }
    let unit = unit_of(args);
    let bin_edges = bin_edges(args);
    Plan {
        partial_fpr: args.max_fpr,
        bin_edges,
        ..Plan::new(args.level, methods, unit, args.bootstrap.replicates(), args.seed)
    }
}

/// Turns `code: message` into its two parts.
fn split_warnings(value: &mut Value) {
    if let Some(list) = value.get_mut("warnings").and_then(Value::as_array_mut) {
        for warning in list {
            let text = warning.as_str().unwrap_or_default();
            let (code, message) = text.split_once(": ").unwrap_or(("note", text));
            *warning = json!({"code": code, "message": message});
        }
    }
}

/// The estimate as JSON: warnings as code and message, and the fields of `more` beside its own.
pub(super) fn value_of(estimate: &Estimate, more: Option<Value>) -> Value {
    let mut value = serde_json::to_value(estimate).unwrap_or_default();
    split_warnings(&mut value);
    if let (Some(own), Some(Value::Object(more))) = (value.as_object_mut(), more) {
        own.extend(more);
    }
    value
}

/// Poolability with warnings as code and message.
fn poolability_value(pool: &Poolability) -> Value {
    let mut value = serde_json::to_value(pool).unwrap_or_default();
    split_warnings(&mut value);
    value
}

fn poolability_text(pool: &Poolability) -> String {
    let test = |name: &str, test: Option<&Heterogeneity>, why: Option<&String>| match test {
        Some(test) => {
            let exact = test.exact_p.map_or(String::new(), |p| format!(", exact p = {}", p_text(p)));
            format!(
                "{name} between {} sites: {} = {:.2}, p = {}{exact}, I2 = {:.0} %\n",
                test.sites,
                test.test.describe(),
                test.statistic,
                p_text(test.p_value),
                100.0 * test.i_squared
            )
        }
        None => {
            let why = why.map_or("fewer than two sites have a variance", String::as_str);
            format!("{name} between sites: not evaluable, {why}\n")
        }
    };
    let mut out = String::from("\nsites\n");
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["site", "cases", "positive", "AUC", "AUC without it"]);
    let number = |v: Option<f64>| v.map_or("-".into(), |v| format!("{v:.4}"));
    for site in &pool.sites {
        let (cases, positives) = (site.cases.to_string(), site.positives.to_string());
        let aucs = [number(site.auc), number(site.auc_without_site)];
        table.add_row([&[site.site.clone(), cases, positives][..], &aucs].concat());
    }
    out += &format!("{table}\n");
    let share = |s: &Share| match s.value {
        Some(v) => format!("{v:.4} ({:.4} to {:.4})", s.lower, s.upper),
        None => "-".into(),
    };
    for point in &pool.operating_points {
        let mut table = comfy_table::Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        let at = format!(">= {}", point.threshold);
        table.set_header([at.as_str(), "sensitivity", "without it", "specificity", "without it"]);
        for (place, site) in pool.sites.iter().enumerate() {
            let of =
                |s: &ShareOverSites| [share(&s.sites[place].at_site), share(&s.sites[place].without_site)];
            table.add_row(
                [&[site.site.clone()][..], &of(&point.sensitivity), &of(&point.specificity)].concat(),
            );
        }
        out += &format!("{table}\n");
    }
    out += &test("AUC", pool.auc.as_ref(), None);
    out += &test("prevalence", pool.prevalence.as_ref(), Some(&"every site has one class alone".to_owned()));
    for point in &pool.operating_points {
        for (name, of) in [("sensitivity", &point.sensitivity), ("specificity", &point.specificity)] {
            let name = format!("{name} at >= {}", point.threshold);
            out += &test(&name, of.test.as_ref(), of.not_evaluable.as_ref());
        }
    }
    for warning in &pool.warnings {
        out += &format!("warning[{}]: {}\n", warning.code, warning.message);
    }
    out
}

pub(super) fn p_text(p: f64) -> String {
    if p < 0.0001 { "< 0.0001".into() } else { format!("{p:.4}") }
}

/// One line an estimate, and one more for each further interval.
pub(super) fn text_table(rows: &[&Estimate]) -> comfy_table::Table {
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(["metric", "at", "value", "interval", "method"]);
    for row in rows {
        let mut at: Vec<String> = row.model.iter().cloned().collect();
        at.extend(row.threshold.map(|t| format!(">= {t}")));
        at.extend(row.prevalence.map(|p| format!("prevalence {p}")));
        let mut value = row.value.map_or("-".into(), |v| format!("{v:.4}"));
        if let (Some(k), Some(n)) = (row.numerator, row.denominator) {
            value += &format!(" ({k}/{n})");
        }
        if let Some(p) = row.p_value {
            value += &format!(", p {}", p_text(p));
        }
        let mut first = [row.id.clone(), at.join(", "), value, String::new(), String::new()];
        if let Some(reason) = &row.not_evaluable {
            first[3] = "not evaluable".into();
            first[4].clone_from(reason);
        }
        let mut lines = row.intervals.iter().map(|i| {
            let dropped = i.dropped.filter(|d| *d > 0).map_or(String::new(), |d| format!(", {d} dropped"));
            let of = i.replicates.map_or(String::new(), |b| format!(" ({b}{dropped})"));
            (
                format!("{:.4} to {:.4}", i.lower, i.upper),
                format!("{}{of}", i.method.describe(row.quantity())),
            )
        });
        if let Some((interval, method)) = lines.next() {
            first[3] = interval;
            first[4] = method;
        }
        table.add_row(first);
        for (interval, method) in lines {
            table.add_row(["".into(), "".into(), "".into(), interval, method]);
        }
    }
    table
}
