//! Every statistic of a table of labels and scores, without a study: what `sequester metrics` prints.

mod asked;
mod json;
mod plan;

use serde_json::{Value, json};

use self::json::{curves, declared, reliability_curve};
use self::plan::{left_out, plan};
use crate::diagnostic::Code;
use crate::statistics::at_prevalence;
use crate::statistics::confusion::Confusion;
use crate::statistics::estimate::{Estimate, SubgroupLevel};
use crate::statistics::metric::{
    Metric, Sample, estimate, estimate_at_prevalence, estimate_difference, estimate_mcnemar,
};
use crate::statistics::poolability::poolability;
use crate::statistics::warning::Warning;
use crate::table::labelled::LabelledScores;

use self::asked::Part;
pub use self::asked::{Asked, Bootstrap, Report, Sentences, Wanted};
pub use self::json::value_of;

impl Report {
    /// Of a table; `now` hears what is being computed.
    pub fn new(asked: &Asked, table: &LabelledScores, now: &dyn Fn(&str)) -> Self {
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
        let sites = asked.site.as_ref().and_then(|s| table.groups.iter().find(|g| g.name == *s));
        let sites = sites.map(|g| g.ids.as_slice());
        let all = Part {
            labels: &table.labels,
            scores: &table.scores,
            other: table.second.as_deref(),
            patients: table.clusters.as_ref().map(|c| &c.ids[..]),
            sites,
        };
        report.part(asked, &all, None, now);
        if asked.bootstrap == Bootstrap::Exact {
            let without: Vec<&str> =
                asked.wanted.metrics.iter().filter(|m| !m.is_of_table()).map(|m| m.id()).collect();
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
        report.subgroups(asked, table, sites, now);
        if let (Some(name), Some(sites)) = (&asked.site, sites) {
            let levels = table.groups.iter().find(|g| g.name == *name).map_or(&[][..], |g| &g.levels);
            let sample = Sample { sites: Some(sites), ..all.sample() };
            report.poolability = poolability(&sample, &asked.threshold, levels, asked.level);
            if report.poolability.is_none() {
                report.warnings.push(Warning {
                    code: Code::OneSite,
                    message: format!("{name} has one value, so there is nothing to compare between sites"),
                });
            }
        }
        if asked.curves {
            report.curves = Some(curves(asked, &all));
        }
        if asked.wanted.metrics.iter().any(|m| m.needs_probabilities()) {
            report.curve = models(asked, &all)
                .into_iter()
                .filter(|(_, scores)| are_probabilities(scores))
                .flat_map(|(model, scores)| reliability_curve(asked, all.labels, model, scores))
                .collect();
        }
        report.warnings.sort();
        report.warnings.dedup();
        report
    }

    /// The same of every level of the columns of subgroups.
    fn subgroups(
        &mut self,
        asked: &Asked,
        table: &LabelledScores,
        sites: Option<&[u32]>,
        now: &dyn Fn(&str),
    ) {
        for group in table.groups.iter().filter(|g| asked.subgroup.contains(&g.name)) {
            for (level, name) in (0_u32..).zip(&group.levels) {
                let rows: Vec<usize> = (0..self.n).filter(|&i| group.ids[i] == level).collect();
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
                self.part(asked, &part, Some(SubgroupLevel::new(&group.name, name)), now);
            }
        }
    }

    /// Every estimate of the whole table or of one subgroup.
    fn part(&mut self, asked: &Asked, part: &Part<'_>, subgroup: Option<SubgroupLevel>, now: &dyn Fn(&str)) {
        let sample = part.sample();
        let n = part.labels.len();
        let small = subgroup.is_some() && (n as u64) < asked.subgroup_minimum;
        let mut out: Vec<(Estimate, Option<Value>)> = Vec::new();
        for (model, scores) in models(asked, part) {
            let sample = Sample { scores, ..sample };
            let probabilities = are_probabilities(scores);
            if !probabilities && !asked.named && subgroup.is_none() {
                let what = model.unwrap_or(&asked.score);
                self.warnings.push(Warning {
                    code: Code::NotProbabilities,
                    message: format!("{what} has values outside 0..1: calibration is not computed"),
                });
            }
            let mut add = |mut estimate: Estimate| {
                estimate.model = model.map(str::to_owned);
                let more = declared(asked, &sample, &estimate.id);
                out.push((estimate, more));
            };
            for &metric in &asked.wanted.metrics {
                if metric.needs_probabilities() && !probabilities && !asked.named {
                    continue;
                }
                let of = subgroup.as_ref().map_or(String::new(), |s| format!(", {s}"));
                now(&format!("{}{of}", metric.id()));
                if subgroup.is_none() && left_out(asked, metric, n) {
                    self.warnings.push(Warning {
                        code: Code::BootstrapLeftOut,
                        message: format!(
                            "{}: no bootstrap of {n} cases x {} replicates unless asked for with --metric {}",
                            metric.id(),
                            asked.bootstrap,
                            metric.id()
                        ),
                    });
                }
                let plan = plan(asked, metric, n);
                if metric.needs_threshold() {
                    for &threshold in &asked.threshold {
                        add(estimate(metric, &sample, Some(threshold), &plan));
                    }
                } else {
                    add(estimate(metric, &sample, None, &plan));
                }
            }
            for &threshold in &asked.threshold {
                let table = Confusion::at(sample.labels, scores, threshold);
                let name = match (&subgroup, model) {
                    (Some(s), Some(m)) => Some(format!("{m}, {s}")),
                    (Some(s), None) => Some(s.to_string()),
                    (None, m) => m.map(str::to_owned),
                };
                self.tables.push((threshold, name, table));
                if let Some(prevalence) = asked.prevalence {
                    for metric in [Metric::Ppv, Metric::Npv, Metric::F1] {
                        let plan = plan(asked, metric, n);
                        add(estimate_at_prevalence(metric, &sample, threshold, prevalence, &plan));
                    }
                    let lines =
                        at_prevalence::per_thousand(&table, prevalence).filter(|_| subgroup.is_none());
                    self.sentences.extend(lines.map(|lines| Sentences {
                        threshold,
                        model: model.map(str::to_owned),
                        prevalence,
                        lines,
                    }));
                }
            }
        }
        out.extend(of_two_models(asked, part));
        for (mut estimate, more) in out {
            estimate.subgroup.clone_from(&subgroup);
            if small {
                estimate.warnings.insert(
                    0,
                    Warning::new(
                        Code::Insufficient,
                        format!("{n} cases, fewer than the {} that a subgroup needs", asked.subgroup_minimum),
                    ),
                );
            }
            self.estimates.push(value_of(&estimate, more));
            self.rows.push(estimate);
        }
    }
}

/// What compares two models.
fn of_two_models(asked: &Asked, part: &Part<'_>) -> Vec<(Estimate, Option<Value>)> {
    let mut out = Vec::new();
    let (sample, n) = (part.sample(), part.labels.len());
    if let (Some(other), Some(name)) = (part.other, &asked.compare) {
        let pair = format!("{} - {name}", asked.score);
        if asked.wanted.difference {
            let mut difference = estimate_difference(&sample, other, &plan(asked, Metric::Auc, n));
            difference.model = Some(pair.clone());
            out.push((difference, None));
        }
        for &threshold in asked.threshold.iter().filter(|_| asked.wanted.mcnemar) {
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
    out
}

/// Each model with its name, where there are two.
fn models<'a>(asked: &'a Asked, part: &Part<'a>) -> Vec<(Option<&'a str>, &'a [f64])> {
    match (&asked.compare, part.other) {
        (Some(name), Some(other)) => {
            vec![(Some(asked.score.as_str()), part.scores), (Some(name.as_str()), other)]
        }
        _ => vec![(None, part.scores)],
    }
}

fn are_probabilities(scores: &[f64]) -> bool {
    scores.iter().all(|s| (0.0..=1.0).contains(s))
}
