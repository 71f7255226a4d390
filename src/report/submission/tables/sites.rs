//! Whether the sites agree.

use crate::document::format::{self, Style};
use crate::document::text;
use crate::document::tree::{Column, Row, Table};
use crate::statistics::poolability::{Heterogeneity, Poolability, Share};
use crate::study::results::Results;

const NONE: &str = "\u{2013}";

fn share(share: &Share) -> String {
    let percent = |value| format::number(value, Style::Percent);
    let limits = || format!("({} to {})", percent(share.lower), percent(share.upper));
    share.value.map_or_else(|| NONE.to_owned(), |value| format!("{} {}", percent(value), limits()))
}

/// Each site, and all the others without it.
pub fn sites(results: &Results, level: &str) -> Table {
    let columns = vec![
        Column::left("Site", 1.0),
        Column::right("Cases"),
        Column::right("Positive"),
        Column::right("AUC"),
        Column::right("AUC without it"),
        Column::right(&format!("Sensitivity ({level} CI)")),
        Column::right(&format!("Specificity ({level} CI)")),
    ];
    let Some(pool) = &results.poolability else {
        return Table::or_none("The sites one by one", columns, Vec::new());
    };
    let index = |value: Option<f64>| {
        value.map_or_else(|| NONE.to_owned(), |value| format::number(value, Style::Index))
    };
    let at = pool.operating_points.first();
    let rows = pool.sites.iter().enumerate().map(|(place, site)| {
        let of = |shares: Option<&Share>| shares.map_or_else(|| NONE.to_owned(), share);
        Row::plain([
            site.site.clone(),
            format::count(site.cases),
            format::count(site.positives),
            index(site.auc),
            index(site.auc_without_site),
            of(at.and_then(|o| o.sensitivity.sites.get(place)).map(|s| &s.at_site)),
            of(at.and_then(|o| o.specificity.sites.get(place)).map(|s| &s.at_site)),
        ])
    });
    let mut table = Table::or_none("The sites one by one", columns, rows.collect());
    table.notes.push(
        "Intervals of a site: Clopper and Pearson (1934), exact, for independent cases. They are not \
         adjusted for their number."
            .to_owned(),
    );
    // The code of a warning is for programs.
    table.notes.extend(pool.warnings.iter().map(|warning| text::sentence(&warning.message)));
    table
}

/// A row, and why there is none of a test.
fn tested(name: &str, test: Option<&Heterogeneity>, why: Option<&str>) -> (Row, Option<String>) {
    let Some(test) = test else {
        let why = why.unwrap_or("fewer than two sites have a variance");
        let row = [name, NONE, "not evaluable", NONE, NONE, NONE];
        return (Row::plain(row.map(str::to_owned)), Some(format!("{name}: not evaluable, {why}.")));
    };
    let row = Row::plain([
        name.to_owned(),
        test.sites.to_string(),
        format!("{} = {}", test.test.describe(), format::fixed(test.statistic, 2)),
        test.degrees.to_string(),
        format::p_value(test.p_value),
        test.exact_p.map_or_else(|| NONE.to_owned(), format::p_value),
    ]);
    (row, None)
}

/// The tests of equality over sites.
pub fn poolability(results: &Results) -> Table {
    let rows = results.poolability.as_ref().map_or_else(Vec::new, |pool: &Poolability| {
        let mut rows = vec![
            tested("AUC", pool.auc.as_ref(), None),
            tested(
                "Share of positive cases",
                pool.prevalence.as_ref(),
                Some("every site has one class alone"),
            ),
        ];
        for point in &pool.operating_points {
            for (name, of) in [("Sensitivity", &point.sensitivity), ("Specificity", &point.specificity)] {
                rows.push(tested(name, of.test.as_ref(), of.not_evaluable.as_deref()));
            }
        }
        rows
    });
    let (rows, without): (Vec<Row>, Vec<Option<String>>) = rows.into_iter().unzip();
    let mut table = Table::or_none(
        "Tests of equality over the sites",
        vec![
            Column::left("Quantity", 1.0),
            Column::right("Sites"),
            Column::right("Statistic"),
            Column::right("Degrees of freedom"),
            Column::right("p value"),
            Column::right("Exact p value"),
        ],
        rows,
    );
    table.notes.push(
        "AUC: Cochran's Q (1954) with each site's variance. Shares: Pearson's chi-squared, by Rao and Scott \
         (1992) where patients have several cases; exact by Freeman and Halton (1951) where it can be \
         summed. A test of few cases may miss a difference: a large p value does not show that the sites \
         are alike."
            .to_owned(),
    );
    table.notes.extend(without.into_iter().flatten());
    table
}
