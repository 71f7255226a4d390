//! Tables of performance in the forms that labelling, cards and site reports have. Nothing is computed:
//! counts are those of the results, and so are estimates with their intervals.

use super::facts::estimate;
use crate::document::format::{self, Style};
use crate::document::text;
use crate::document::tree::{Cell, Column, Look, Row, Table};
use crate::report::submission::{Source, in_subgroup, is_insufficient, subgroup_levels};
use crate::report::{origins, wording};
use crate::statistics::estimate::Estimate;
use crate::statistics::poolability::{OperatingPointOverSites, Share};

const NONE: &str = "\u{2013}";

/// Value and interval.
fn with_interval(estimate: Option<&Estimate>) -> String {
    match estimate {
        None => NONE.to_owned(),
        Some(e) => match e.intervals.first() {
            Some(i) if e.value.is_some() => {
                format!("{} ({})", wording::value(e), wording::limits(i, wording::style(e)))
            }
            _ => wording::value(e),
        },
    }
}

/// The first of these ids that was estimated.
fn first<'a>(source: &'a Source, ids: &[&str]) -> Option<&'a Estimate> {
    ids.iter().find_map(|id| estimate(source, id))
}

/// The table of two by two with every measure in its margin (draft guidance of January 2025, appendix F).
pub fn grid(source: &Source) -> Table {
    let results = &source.results;
    let c = &results.curves.confusion;
    let used = [
        first(source, &["sensitivity"]),
        first(source, &["specificity"]),
        first(source, &["ppv"]),
        first(source, &["npv"]),
        first(source, &["lr_positive", "lr-positive", "plr"]),
        first(source, &["lr_negative", "lr-negative", "nlr"]),
    ];
    let [sensitivity, specificity, ppv, npv, plr, nlr] = used;
    let named =
        |name: &str, of: Option<&Estimate>| origins::cell(format!("{name} {}", with_interval(of)), of);
    let strong = |text: &str| Cell::new(text).look(Look::Strong);
    let rows = vec![
        Row::Cells(vec![
            strong("Device positive"),
            Cell::count(c.true_positives),
            Cell::count(c.false_positives),
            named("PPV", ppv),
        ]),
        Row::Cells(vec![
            strong("Device negative"),
            Cell::count(c.false_negatives),
            Cell::count(c.true_negatives),
            named("NPV", npv),
        ]),
        Row::Cells(vec![
            strong("Total"),
            Cell::count(c.true_positives + c.false_negatives),
            Cell::count(c.false_positives + c.true_negatives),
            Cell::new(format!(
                "Positive cases in the sample {}",
                format::share(results.flow.positives, results.flow.analysed)
            )),
        ]),
        Row::Cells(vec![
            strong("Of the class"),
            named("Sensitivity", sensitivity),
            named("Specificity", specificity),
            Cell::new(""),
        ]),
        Row::Cells(vec![
            strong("Likelihood ratio"),
            named("LR+", plr),
            named("LR\u{2212}", nlr),
            Cell::new(""),
        ]),
    ];
    let level = format::level(results.method.level);
    let mut table = Table::or_none(
        format!("Device against reference standard, with every measure and its two-sided {level} interval"),
        vec![
            Column::left("", 0.5),
            Column::left("Reference positive", 1.0),
            Column::left("Reference negative", 1.0),
            Column::left("Of the call", 1.0),
        ],
        rows,
    );
    let shown: Vec<&Estimate> = used.into_iter().flatten().collect();
    let methods = shown.iter().filter_map(|e| {
        let interval = e.intervals.first()?;
        Some(format!("{}: {}", wording::metric(&e.id), wording::method(interval, e.quantity())))
    });
    let methods: Vec<String> = methods.collect();
    if !methods.is_empty() {
        table.notes.push(format!("{}.", methods.join("; ")));
    }
    table.notes.push("PPV and NPV hold at the share of positive cases in the sample.".to_owned());
    table
}

/// Each level of each subgroup with its share of the analysed cases.
pub fn subgroup_shares(source: &Source) -> Table {
    let results = &source.results;
    let level = format::level(results.method.level);
    let mut current = String::new();
    let mut rows = Vec::new();
    for (variable, name) in subgroup_levels(results) {
        if variable != current {
            current.clone_from(&variable);
            rows.push(Row::Group(text::humanise(&variable)));
        }
        let of = |id: &str| in_subgroup(results, id, &variable, &name);
        let all = ["auc", "sensitivity", "specificity"].map(of);
        let cases = all.iter().flatten().map(|e| e.n).max().unwrap_or_default();
        let thin = all.iter().flatten().any(|e| is_insufficient(results, e));
        let look = if thin { Look::Muted } else { Look::Plain };
        let mut cells = vec![
            Cell::new(if thin { format!("{name} \u{2020}") } else { name.clone() }),
            Cell::count(cases),
            Cell::new(format::share(cases, results.flow.analysed)),
        ];
        cells.extend(all.map(|e| origins::cell(with_interval(e), e)));
        rows.push(Row::Cells(cells.into_iter().map(|cell| cell.look(look)).collect()));
    }
    let mut table = Table::or_none(
        "Subgroups with their share of the sample",
        vec![
            Column::left("Subgroup", 0.8),
            Column::right("Cases"),
            Column::right("Share"),
            Column::right(&format!("AUC ({level} CI)")),
            Column::right(&format!("Sensitivity ({level} CI)")),
            Column::right(&format!("Specificity ({level} CI)")),
        ],
        rows,
    );
    if results.estimates.iter().any(|e| e.subgroup.is_some()) {
        table.notes.push(
            "\u{2020} Too few cases, or too few of one class, to rely on. Subgroups describe; a \
             claim of one is \
             made only where the protocol declares it."
                .to_owned(),
        );
    }
    table
}

/// Missed and falsely called cases of each level: where the device fails.
pub fn wrong_by_subgroup(source: &Source) -> Table {
    let results = &source.results;
    let wrong = |e: Option<&Estimate>| {
        let counts = e.and_then(|e| Some((e.denominator?.checked_sub(e.numerator?)?, e.denominator?)));
        counts.map_or_else(
            || NONE.to_owned(),
            |(wrong, of)| format!("{} of {}", format::count(wrong), format::count(of)),
        )
    };
    let c = &results.curves.confusion;
    let mut rows = vec![Row::Cells(vec![
        Cell::new("All analysed cases").look(Look::Strong),
        Cell::new(format!(
            "{} of {}",
            format::count(c.false_negatives),
            format::count(c.true_positives + c.false_negatives)
        )),
        Cell::new(format!(
            "{} of {}",
            format::count(c.false_positives),
            format::count(c.false_positives + c.true_negatives)
        )),
    ])];
    let mut current = String::new();
    for (variable, name) in subgroup_levels(results) {
        if variable != current {
            current.clone_from(&variable);
            rows.push(Row::Group(text::humanise(&variable)));
        }
        let of = |id: &str| wrong(in_subgroup(results, id, &variable, &name));
        rows.push(Row::plain([name.clone(), of("sensitivity"), of("specificity")]));
    }
    Table::or_none(
        "Wrong answers by subgroup",
        vec![
            Column::left("Subgroup", 1.0),
            Column::right("Missed, of positive cases"),
            Column::right("Called, of negative cases"),
        ],
        rows,
    )
}

/// The operating point of the study among those that were looked at over sites.
fn over_sites(source: &Source) -> Option<&OperatingPointOverSites> {
    source.results.poolability.as_ref()?.operating_points.first()
}

/// The counts of each site.
pub fn site_two_by_two(source: &Source) -> Table {
    let pool = source.results.poolability.as_ref();
    let sites = pool.map_or(&[][..], |pool| &pool.sites);
    let right = |share: Option<&Share>| share.map(|s| (s.numerator, s.denominator - s.numerator));
    let mut total = [0; 4];
    let mut rows = Vec::new();
    for (place, site) in sites.iter().enumerate() {
        let at = over_sites(source);
        let sensitivity = at.and_then(|at| at.sensitivity.sites.get(place)).map(|s| &s.at_site);
        let specificity = at.and_then(|at| at.specificity.sites.get(place)).map(|s| &s.at_site);
        let (Some((tp, missed)), Some((tn, called))) = (right(sensitivity), right(specificity)) else {
            continue;
        };
        let counts = [tp, missed, called, tn];
        total.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        let mut cells = vec![site.site.clone(), format::count(site.cases)];
        cells.extend(counts.map(format::count));
        rows.push(Row::plain(cells));
    }
    if !rows.is_empty() {
        let mut cells = vec![
            Cell::new("All of them").look(Look::Strong),
            Cell::count(total.iter().sum()).look(Look::Strong),
        ];
        cells.extend(total.map(|count| Cell::count(count).look(Look::Strong)));
        rows.push(Row::Cells(cells));
    }
    Table::or_none(
        "Device against reference standard at each site, at the operating point",
        vec![
            Column::left("Site", 1.0),
            Column::right("Cases"),
            Column::right("True positive"),
            Column::right("False negative"),
            Column::right("False positive"),
            Column::right("True negative"),
        ],
        rows,
    )
}

/// Everything without each site.
pub fn site_left_out(source: &Source) -> Table {
    let pool = source.results.poolability.as_ref();
    let sites = pool.map_or(&[][..], |pool| &pool.sites);
    let of = |share: Option<&Share>| {
        let percent = |value| format::number(value, Style::Percent);
        let said = share.and_then(|s| Some((s.value?, s)));
        said.map_or_else(
            || NONE.to_owned(),
            |(value, s)| format!("{} ({} to {})", percent(value), percent(s.lower), percent(s.upper)),
        )
    };
    let rows = sites.iter().enumerate().map(|(place, site)| {
        let at = over_sites(source);
        let without = |shares: Option<&crate::statistics::poolability::ShareOverSites>| {
            of(shares.and_then(|shares| shares.sites.get(place)).map(|s| &s.without_site))
        };
        Row::plain([
            site.site.clone(),
            site.auc_without_site.map_or_else(|| NONE.to_owned(), |auc| format::number(auc, Style::Index)),
            without(at.map(|at| &at.sensitivity)),
            without(at.map(|at| &at.specificity)),
        ])
    });
    let level =
        pool.map_or_else(|| format::level(source.results.method.level), |pool| format::level(pool.level));
    Table::or_none(
        "The results without each site",
        vec![
            Column::left("Left out", 1.0),
            Column::right("AUC"),
            Column::right(&format!("Sensitivity ({level} CI)")),
            Column::right(&format!("Specificity ({level} CI)")),
        ],
        rows.collect(),
    )
}

/// The flow of cases at each site.
pub fn site_flow(source: &Source) -> Table {
    let rows = source.flow_by_site.iter().map(|flow| {
        let counts = [
            flow.considered,
            flow.excluded,
            flow.not_sampled,
            flow.without_reference,
            flow.without_score,
            flow.analysed,
        ];
        Row::plain(std::iter::once(flow.site.clone()).chain(counts.map(format::count)))
    });
    Table::or_none(
        "Flow of cases at each site",
        vec![
            Column::left("Site", 1.0),
            Column::right("Considered"),
            Column::right("Excluded"),
            Column::right("Eligible, not drawn"),
            Column::right("Without reference standard"),
            Column::right("Without score"),
            Column::right("Analysed"),
        ],
        rows.collect(),
    )
}

/// Which sites are in which set of data.
pub fn site_sets(source: &Source) -> Table {
    let sets = source.description.as_ref().map_or(&[][..], |description| &description.sets);
    let mut sites: Vec<&str> = Vec::new();
    let of = |set: &crate::dataset::describe::SetDescription| -> Vec<(String, u64)> {
        let sites = set.covariates.iter().filter(|covariate| covariate.field == "site");
        sites.flat_map(|covariate| &covariate.levels).map(|l| (l.level.clone(), l.images.numerator)).collect()
    };
    let counted: Vec<Vec<(String, u64)>> = sets.iter().map(of).collect();
    for (site, _) in counted.iter().flatten() {
        if !sites.contains(&site.as_str()) {
            sites.push(site);
        }
    }
    let rows: Vec<Row> = if sets.len() < 2 {
        Vec::new()
    } else {
        let row = |site: &&str| {
            let counts =
                counted.iter().map(|set| set.iter().find(|(name, _)| name == site).map_or(0, |(_, n)| *n));
            let mut cells = vec![(*site).to_owned()];
            cells.extend(counts.map(format::count));
            Row::plain(cells)
        };
        sites.iter().map(row).collect()
    };
    let mut columns = vec![Column::left("Site", 1.0)];
    columns.extend(sets.iter().map(|set| Column::right(&format!("Images, {}", set.name))));
    Table::or_none("Sites of development and of test", columns, rows)
}
