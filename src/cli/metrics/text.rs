//! The report in words and tables.

use std::collections::BTreeSet;

use crate::statistics::estimate::{Estimate, SubgroupLevel};
use crate::statistics::metric::Metric;
use crate::statistics::poolability::{Heterogeneity, Poolability, Share, ShareOverSites};
use crate::workflow::metrics::Report;

/// Everything of a report, for people; `max_fpr` is where the partial AUC ends.
pub fn text(report: &Report, max_fpr: f64) -> String {
    let mut out = format!("{} cases, {} positive\n", report.n, report.positives);
    for (threshold, name, c) in &report.tables {
        let of = name.as_ref().map_or(String::new(), |n| format!("{n}, "));
        out += &format!(
            "{of}score >= {threshold}: TP {}  FN {}  FP {}  TN {}\n",
            c.true_positives, c.false_negatives, c.false_positives, c.true_negatives
        );
    }
    let mut sections: Vec<Option<&SubgroupLevel>> = vec![None];
    for row in &report.rows {
        if !sections.contains(&row.subgroup.as_ref()) {
            sections.push(row.subgroup.as_ref());
        }
    }
    for section in sections {
        if let Some(name) = section {
            out += &format!("\n{name}\n");
        }
        let rows: Vec<&Estimate> = report.rows.iter().filter(|r| r.subgroup.as_ref() == section).collect();
        out += &format!("{}\n", text_table(&rows));
    }
    if report.rows.iter().any(|r| r.id == Metric::PartialAuc.id()) {
        out += &format!("partial_auc: false positive rates 0 to {}, standardised (McClish 1989)\n", max_fpr);
    }
    for of in &report.sentences {
        if report.sentences.len() > 1 {
            let model = of.model.as_ref().map_or(String::new(), |m| format!("{m}, "));
            out += &format!("{model}score >= {}, prevalence {}:\n", of.threshold, of.prevalence);
        }
        for line in &of.lines {
            out += &format!("{line}\n");
        }
    }
    if let Some(pool) = &report.poolability {
        out += &poolability_text(pool);
    }
    let mut said = BTreeSet::new();
    for warning in &report.warnings {
        out += &format!("warning[{}]: {}\n", warning.code, warning.message);
    }
    for row in &report.rows {
        for warning in &row.warnings {
            let of = row.subgroup.as_ref().map_or(String::new(), |s| format!(" ({s})"));
            if said.insert((warning.clone(), of.clone())) {
                out += &format!("warning[{}]: {}{of}: {}\n", warning.code, row.id, warning.message);
            }
        }
    }
    out
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

fn p_text(p: f64) -> String {
    if p < 0.0001 { "< 0.0001".into() } else { format!("{p:.4}") }
}

/// One line an estimate, and one more for each further interval.
pub fn text_table(rows: &[&Estimate]) -> comfy_table::Table {
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
