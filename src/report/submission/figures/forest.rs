//! Rows with intervals: subgroups, sites, and pairs of readers.

use super::panels::{Line, Panels, Shown};
use crate::document::canvas::Canvas;
use crate::document::text;
use crate::report::submission::subgroups::{in_subgroup, is_insufficient, subgroup_levels};
use crate::report::wording;
use crate::statistics::estimate::Estimate;
use crate::statistics::poolability::Share;
use crate::study::results::Results;

const METRICS: [&str; 3] = ["auc", "sensitivity", "specificity"];

/// More pairs than this are shown by those that agree least, as in the table.
const MOST_PAIRS: usize = 15;

/// The estimate in all analysed cases.
fn overall<'a>(results: &'a Results, id: &str) -> Option<&'a Estimate> {
    let all = |e: &&Estimate| e.subgroup.is_none() && e.scenario.is_none() && e.prevalence.is_none();
    results.estimates.iter().filter(|e| e.id == id).find(all)
}

fn measures(results: &Results) -> Vec<(String, Option<f64>)> {
    METRICS.iter().map(|id| (wording::metric(id), overall(results, id).and_then(|e| e.value))).collect()
}

/// Every level of every subgroup.
pub fn subgroups(results: &Results) -> Vec<Canvas> {
    let mut lines = Vec::new();
    let mut current = String::new();
    for (variable, level) in subgroup_levels(results) {
        if variable != current {
            lines.push(Line::Head(text::humanise(&variable)));
            current.clone_from(&variable);
        }
        let of = METRICS.map(|id| in_subgroup(results, id, &variable, &level));
        let shown =
            of.iter().map(|e| Shown::of(*e, e.is_some_and(|e| is_insufficient(results, e)))).collect();
        lines.push(Line::Row { name: level, cases: of.iter().flatten().map(|e| e.n).next(), shown });
    }
    let panels = Panels {
        rows: "Subgroup",
        counted: "Cases",
        panels: measures(results),
        empty: "The protocol declares no subgroups.",
    };
    panels.drawings(&lines)
}

/// Every site; the AUC of a site has no interval in the results.
pub fn sites(results: &Results) -> Vec<Canvas> {
    let Some(pool) = &results.poolability else { return Vec::new() };
    let at = pool.operating_points.first();
    let share = |share: Option<&Share>, open| match share.map(|s| (s, s.value)) {
        None => Shown::Nothing,
        Some((_, None)) => Shown::NotEvaluable,
        Some((s, Some(value))) => Shown::Value { value, limits: Some((s.lower, s.upper)), open },
    };
    let row = |(place, site): (usize, &crate::statistics::poolability::Site)| {
        let open = site.cases < results.method.subgroup_minimum;
        let auc = site.auc.map_or(Shown::NotEvaluable, |value| Shown::Value { value, limits: None, open });
        let of_site = |list: &crate::statistics::poolability::ShareOverSites| {
            share(list.sites.get(place).map(|s| &s.at_site), open)
        };
        let shown = vec![
            auc,
            at.map_or(Shown::Nothing, |at| of_site(&at.sensitivity)),
            at.map_or(Shown::Nothing, |at| of_site(&at.specificity)),
        ];
        Line::Row { name: site.site.clone(), cases: Some(site.cases), shown }
    };
    let lines: Vec<Line> = pool.sites.iter().enumerate().map(row).collect();
    let panels = Panels {
        rows: "Site",
        counted: "Cases",
        panels: measures(results),
        empty: "Fewer than two sites are recorded.",
    };
    panels.drawings(&lines)
}

/// Every pair of reference readers.
pub fn agreement(results: &Results) -> Vec<Canvas> {
    let list = &results.agreement_explained;
    let of = |list: &'_ [Estimate], pair: &str, id: &str| -> Option<Estimate> {
        list.iter().find(|e| e.id == id && e.model.as_deref() == Some(pair)).cloned()
    };
    let mut pairs: Vec<&str> = list.iter().filter_map(|e| e.model.as_deref()).collect();
    pairs.dedup();
    if pairs.is_empty() {
        return Vec::new();
    }
    if pairs.len() > MOST_PAIRS {
        let share = |pair: &str| of(list, pair, "percent_agreement").and_then(|e| e.value).unwrap_or(2.0);
        pairs.sort_by(|a, b| share(a).total_cmp(&share(b)));
        pairs.truncate(MOST_PAIRS);
    }
    let row = |pair: &&str| {
        let agreement = of(list, pair, "percent_agreement");
        let all =
            [agreement.clone(), of(&results.agreement, pair, "cohen_kappa"), of(list, pair, "gwet_ac1")];
        Line::Row {
            name: (*pair).to_owned(),
            cases: agreement.map(|e| e.n),
            shown: all.iter().map(|e| Shown::of(e.as_ref(), false)).collect(),
        }
    };
    let lines: Vec<Line> = pairs.iter().map(row).collect();
    let titles = ["Agreement", "Cohen's kappa", "Gwet's AC1"];
    let panels = Panels {
        rows: "Pair of readers",
        counted: "Cases",
        panels: titles.map(|title| (title.to_owned(), None)).to_vec(),
        empty: "No two readers read the same cases.",
    };
    panels.drawings(&lines)
}
