//! A page to look at the evidence with: ROC with a threshold to move, the flow with its cases, subgroups, the
//! cases with filters, and where each number comes from. One file that asks nobody for anything; it is no
//! document of the record, and says so.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::{Value as Json, json};

use super::submission::{Source, Submission};
use super::wording;
use crate::diagnostic::Result;
use crate::document::content::Content as _;
use crate::document::format;
use crate::document::page::{Fill, fill, source_of};
use crate::document::text::html;
use crate::document::tree::{Align, Row, Table};
use crate::statistics::estimate::{Estimate, Scenario};
use crate::study::Derivation;

const TEMPLATE: &str = include_str!("../../templates/explore/page.html");
const STYLE: &str = include_str!("../../templates/explore/page.css");
const SCRIPT: &str = include_str!("../../templates/explore/page.js");

/// A case as the bundle's tables have it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Case {
    /// The case.
    pub id: String,
    /// Its patient.
    pub patient: String,
    /// `excluded`, `not-sampled`, `no-consensus`, `no-score` or `analysed`.
    pub status: String,
    /// The criterion under which it is counted; empty where none excluded it.
    pub excluded_by: String,
    /// The device's score in 0..=1, where there is one.
    pub score: Option<f64>,
    /// Why there is none; may be empty.
    pub refused: String,
}

/// The page. The same bundle gives the same bytes.
///
/// # Errors
/// `template` when the page's own template does not fit.
pub fn page(source: &Source, cases: &[Case]) -> Result<String> {
    let boxes = boxes(source);
    let cases = shown(source, cases, &boxes);
    let content = Submission::of(source.clone());
    let facts = content.facts();
    let data = json!({ "threshold": source.results.operating_point.threshold, "cases": cases });
    let script_type = "default-src 'none'; base-uri 'none'; form-action 'none'; img-src data:";
    let policy = format!("{script_type}; script-src {}; style-src {}", source_of(SCRIPT), source_of(STYLE));
    let banner = facts
        .banner
        .as_ref()
        .map(|banner| format!("<p class=\"notice\"><strong>{}</strong></p>", html(banner)))
        .unwrap_or_default();
    let run = format!("Evidence {} with the root digest {}", source.run_id, source.root_digest);
    let judged = |id: &str, is_there: bool| {
        let table = is_there.then(|| content.table(id, "")).flatten();
        table.map(|table| table_of(&table)).unwrap_or_default()
    };
    let results = &source.results;
    let endpoints = [
        judged("endpoints", !results.endpoints.is_empty() || results.comparisons.is_empty()),
        judged("comparisons", !results.comparisons.is_empty()),
        judged("family", results.family.is_some()),
    ]
    .concat();
    let forest = content
        .figure("forest")
        .filter(|figure| !figure.images.is_empty())
        .map(|figure| {
            let drawings: String = figure.images.iter().map(|image| image.svg.as_str()).collect();
            format!("{drawings}<p>{}</p>", html(&figure.caption))
        })
        .unwrap_or_else(|| "<p>The protocol declares no subgroups.</p>".to_owned());
    let places = [
        ("policy", Fill::Text(&policy)),
        ("title", Fill::Text(&facts.title)),
        ("style", Fill::Own(STYLE)),
        ("run", Fill::Text(&run)),
        ("banner", Fill::Own(&banner)),
        ("endpoints", Fill::Own(&endpoints)),
        ("flow", Fill::Own(&flow(&boxes))),
        ("forest", Fill::Own(&forest)),
        ("numbers", Fill::Own(&numbers(source))),
        ("data", Fill::Json(&data)),
        ("script", Fill::Own(SCRIPT)),
    ];
    Ok(fill(TEMPLATE, &places)?)
}

/// A box of the flow: its words, its count, and which cases are in it.
struct Shown {
    words: String,
    count: u64,
    holds: Box<dyn Fn(&Standing<'_>) -> bool>,
}

/// How a case stands in the flow.
struct Standing<'a> {
    status: &'a str,
    excluded_by: &'a str,
    reference: &'a str,
}

fn boxes(source: &Source) -> Vec<Shown> {
    let flow = &source.results.flow;
    let status = |words: &str, count: u64, wanted: &'static [&'static str]| Shown {
        words: words.to_owned(),
        count,
        holds: Box::new(move |case| wanted.contains(&case.status)),
    };
    let mut all =
        vec![Shown { words: "considered".to_owned(), count: flow.considered, holds: Box::new(|_| true) }];
    for reason in flow.excluded.iter().filter(|reason| reason.count > 0) {
        let id = reason.id.clone();
        all.push(Shown {
            words: format!("excluded: {}", reason.reason),
            count: reason.count,
            holds: Box::new(move |case| case.status == "excluded" && case.excluded_by == id),
        });
    }
    all.push(Shown {
        words: "eligible".to_owned(),
        count: flow.eligible,
        holds: Box::new(|case| case.status != "excluded"),
    });
    all.push(status("eligible and not drawn", flow.not_sampled, &["not-sampled"]));
    all.push(status("drawn", flow.sampled, &["no-consensus", "no-score", "analysed"]));
    all.push(status("without reference standard", flow.without_consensus, &["no-consensus"]));
    all.push(status("without score", flow.without_score, &["no-score"]));
    all.push(status("analysed", flow.analysed, &["analysed"]));
    for (words, count, label) in [
        ("analysed, positive", flow.positives, "positive"),
        ("analysed, negative", flow.negatives, "negative"),
    ] {
        all.push(Shown {
            words: words.to_owned(),
            count,
            holds: Box::new(move |case| case.status == "analysed" && case.reference == label),
        });
    }
    all
}

fn flow(boxes: &[Shown]) -> String {
    let mut out = String::from("<ol class=\"flow\">\n");
    for (number, shown) in boxes.iter().enumerate() {
        let _ = writeln!(
            out,
            "<li><button type=\"button\" data-box=\"{number}\"><strong>{}</strong> <span>{}</span>\
             </button></li>",
            format::count(shown.count),
            html(&shown.words),
        );
    }
    out.push_str("</ol>");
    out
}

/// Every case with what the page shows of it.
fn shown(source: &Source, cases: &[Case], boxes: &[Shown]) -> Vec<Json> {
    let derived: BTreeMap<&str, &Derivation> =
        source.derivation.iter().map(|case| (case.case_id.as_str(), case)).collect();
    let one = |case: &Case| {
        let derivation = derived.get(case.id.as_str());
        let reference = derivation.map_or("", |d| d.reference.as_str());
        let standing = Standing { status: &case.status, excluded_by: &case.excluded_by, reference };
        let within: Vec<usize> =
            boxes.iter().enumerate().filter(|(_, shown)| (shown.holds)(&standing)).map(|(n, _)| n).collect();
        let level = derivation.map_or("", |d| d.level.as_str());
        json!({
            "id": case.id,
            "patient": case.patient,
            "status": case.status,
            "reference": reference,
            "how": if case.excluded_by.is_empty() { level } else { case.excluded_by.as_str() },
            "score": case.score,
            "refused": case.refused,
            "readers": derivation.map_or("", |d| d.readers.as_str()),
            "boxes": within,
        })
    };
    cases.iter().map(one).collect()
}

/// A table of the documents.
fn table_of(table: &Table) -> String {
    let align = |index: usize| match table.columns.get(index).map(|column| column.align) {
        Some(Align::Right) => " class=\"r\"",
        _ => "",
    };
    let mut out = format!(
        "<div class=\"wide\" tabindex=\"0\" role=\"group\" aria-label=\"{0}\"><table><caption>\
         {0}</caption><thead><tr>",
        html(&table.caption)
    );
    for (index, column) in table.columns.iter().enumerate() {
        let _ = write!(out, "<th scope=\"col\"{}>{}</th>", align(index), html(&column.header));
    }
    out.push_str("</tr></thead><tbody>\n");
    for row in &table.rows {
        match row {
            Row::Group(words) => {
                let _ = writeln!(
                    out,
                    "<tr><th scope=\"rowgroup\" colspan=\"{}\">{}</th></tr>",
                    table.columns.len(),
                    html(words)
                );
            }
            Row::Cells(cells) => {
                out.push_str("<tr>");
                for (index, cell) in cells.iter().enumerate() {
                    let _ = match index {
                        0 => write!(out, "<th scope=\"row\">{}</th>", html(&cell.text)),
                        _ => write!(out, "<td{}>{}</td>", align(index), html(&cell.text)),
                    };
                }
                out.push_str("</tr>\n");
            }
        }
    }
    out.push_str("</tbody></table></div>");
    for note in &table.notes {
        let _ = write!(out, "<p>{}</p>", html(note));
    }
    out
}

/// Of every estimate how it was computed, and what computes it again.
fn numbers(source: &Source) -> String {
    let name = |estimate: &Estimate| {
        let mut name = wording::metric(&estimate.id);
        let scenario = estimate.scenario.map(Scenario::name);
        let subgroup = estimate.subgroup.as_ref().map(ToString::to_string);
        for more in [subgroup, scenario.map(str::to_owned), estimate.model.clone()].into_iter().flatten() {
            let _ = write!(name, ", {more}");
        }
        if let Some(prevalence) = estimate.prevalence {
            let _ = write!(name, ", at a prevalence of {}", format::prevalence(prevalence));
        }
        name
    };
    let mut out = format!(
        "<p>Every number is from <code>data/results.json</code> (SHA-256 <code>\
         {}</code>), which <code>sequester \
         verify</code> computes again from the bundle's inputs.</p>\n<div class=\"wide\" tabindex=\"0\" \
         role=\"group\" aria-label=\"Estimates\"><table><thead><tr><th scope=\"col\">Estimate</th><th \
         class=\"r\" scope=\"col\">Value</th><th class=\"r\" scope=\"col\">Counted</th><th class=\"r\" \
         scope=\"col\">Cases</th><th \
         scope=\"col\">Interval</th><th scope=\"col\">Method</th></tr></thead><tbody>\n",
        html(source.digests.get("data/results.json").map_or("", String::as_str))
    );
    for estimate in source.results.estimates.iter().chain(&source.results.agreement) {
        let first = estimate.intervals.first();
        let interval = first.map(|i| format!("{}: {}", format::level(i.level), wording::interval(estimate)));
        let method = first.map(|i| wording::method(i, estimate.quantity()));
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{}</th><td class=\"r\">{}</td><td class=\"r\">{}</td><td \
             class=\"r\">{}</td><td>{}</td><td>{}</td></tr>",
            html(&name(estimate)),
            html(&wording::value(estimate)),
            html(&wording::fraction(estimate).unwrap_or_default()),
            format::count(estimate.n),
            html(&interval.unwrap_or_default()),
            html(&method.unwrap_or_default()),
        );
    }
    out.push_str("</tbody></table></div>");
    out
}
