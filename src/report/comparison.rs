//! The document of a comparison, through the same templates, tables and typesetter as a study's. Nothing is computed
//! here: every number comes out of [`Comparison`] and is only formatted.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;
use tera::{Context, Function, Kwargs, State, TeraResult, Value};

use super::document::{self, Align, Cell, Column, Facts, Look, Piece, Row, Table};
use super::template::{coded, engine, located, tidy};
use super::{figures, format, html, lint, tables, text};
use crate::comparison::{Against, AucTest, CallTest, Comparison, Contender, Family, Kind, Split, Verdict};
use crate::diagnostic::{Code, Diagnostic, Result};
use crate::digest::{Digest, RelativePath};
use crate::statistics::estimate::{Estimate, Interval};

/// Where the document starts.
pub const TEMPLATE: &str = "comparison.md";

/// The ids of all tables, for the error that names them.
pub const TABLES: &[&str] = &[
    "data",
    "contenders",
    "counts",
    "operating-points",
    "pairs",
    "calls",
    "calibration",
    "training",
    "ensembles",
    "warnings",
];

/// What a document is made of.
#[derive(Clone, Debug)]
pub struct Source {
    /// Everything that is printed.
    pub comparison: Comparison,
    /// RFC 3339.
    pub date: String,
    /// Template name → text.
    pub templates: BTreeMap<String, String>,
}

/// The templates that come with the program.
pub fn default_templates() -> BTreeMap<String, String> {
    BTreeMap::from([(TEMPLATE.to_owned(), include_str!("../../templates/comparison.md").to_owned())])
}

/// The comparison as JSON, with its conclusion in words: what `--json` prints and the document is identified by.
pub fn to_json(comparison: &Comparison) -> serde_json::Value {
    let mut value = json!(comparison);
    value["conclusion"] = json!(conclusion(comparison));
    value
}

/// Renders `comparison.html`, `comparison.pdf` (feature `pdf`), `comparison.md`, `comparison.json` and the figures.
///
/// # Errors
/// As [`super::render`].
pub fn render(source: &Source) -> Result<BTreeMap<RelativePath, Vec<u8>>> {
    let problems: Vec<Diagnostic> =
        source.templates.iter().flat_map(|(name, text)| lint::lint(name, text)).collect();
    if !problems.is_empty() {
        return Err(problems.into());
    }
    let data = format!("{:#}\n", to_json(&source.comparison)).into_bytes();
    let digest = Digest::of(&data).to_string();
    let (markdown, pieces) = fill(source, &digest)?;
    let facts = facts(source, &digest);
    let document = document::assemble(&markdown, pieces, facts)?;
    let mut files = BTreeMap::new();
    let mut add = |path: &str, bytes: Vec<u8>| -> Result<()> {
        let path: RelativePath =
            path.parse().map_err(|e| Diagnostic::error(Code::FigureName, format!("{e}")))?;
        files.insert(path, bytes);
        Ok(())
    };
    for figure in document.figures() {
        add(&format!("figures/{}.svg", figure.name), figure.svg.clone().into_bytes())?;
    }
    add("comparison.json", data)?;
    add("comparison.md", markdown.into_bytes())?;
    add("comparison.html", html::page(&document).into_bytes())?;
    #[cfg(feature = "pdf")]
    add("comparison.pdf", super::pdf::compile(&document)?)?;
    Ok(files)
}

fn facts(source: &Source, digest: &str) -> Facts {
    let comparison = &source.comparison;
    let names: Vec<&str> = comparison.contenders.iter().map(|c| c.name.as_str()).collect();
    let running = text::one_line(&format!("Comparison of {}", names.join(", ")));
    Facts {
        title: "Comparison of models".to_owned(),
        running_title: text::fit(&running, 8.0, 460.0),
        author: String::new(),
        banner: comparison.data.synthetic.then(|| tables::SYNTHETIC_BANNER.to_owned()),
        footer: format!(
            "Sequester {} \u{2013} comparison.json {}\u{2026}",
            comparison.program_version,
            digest.get(..16).unwrap_or(digest)
        ),
        date: source.date.clone(),
        identifier: format!("sequester comparison {digest}"),
    }
}

/// The Markdown, and what its placeholders stand for.
fn fill(source: &Source, digest: &str) -> Result<(String, Vec<Piece>)> {
    let mut tera = engine();
    let shared = Arc::new(Shared { source: source.clone(), pieces: Mutex::new(Vec::new()) });
    for name in ["table", "figure"] {
        tera.register_function(name, Call { name, shared: Arc::clone(&shared) });
    }
    tera.add_raw_templates(source.templates.iter().map(|(name, text)| (name.as_str(), text.as_str())))
        .map_err(|e| located(&e, Code::TemplateSyntax))?;
    let comparison = &source.comparison;
    let context = json!({
        "contenders": comparison.contenders.len(),
        "names": comparison.contenders.iter().map(|c| &c.name).collect::<Vec<_>>(),
        "conclusion": conclusion(comparison),
        "statement": statement(comparison),
        "method": method(comparison),
        "verdict": comparison.best.as_ref().map(|b| b.verdict),
        "data": comparison.data,
        "date": source.date,
        "digest": digest,
        "program_version": comparison.program_version,
        "level": format::level(comparison.method.level),
        "published": comparison.data.split == Split::PublishedCounts,
        "has_pairs": applies(comparison, "pairs"),
        "has_calls": applies(comparison, "calls"),
        "has_roc": comparison.contenders.iter().any(|c| !c.curves.roc.is_empty()),
        "has_counts": applies(comparison, "counts"),
        "has_calibration": applies(comparison, "calibration"),
        "has_training": applies(comparison, "training"),
        "has_ensembles": applies(comparison, "ensembles"),
        "has_warnings": applies(comparison, "warnings"),
    });
    let context = Context::from_serialize(&context)
        .map_err(|e| Diagnostic::error(Code::TemplateContext, e.to_string()))?;
    let markdown = tera.render(TEMPLATE, &context).map_err(|e| located(&e, Code::Template))?;
    drop(tera);
    let pieces = shared.pieces.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok((tidy(&markdown), pieces))
}

struct Shared {
    source: Source,
    pieces: Mutex<Vec<Piece>>,
}

struct Call {
    name: &'static str,
    shared: Arc<Shared>,
}

impl Function<TeraResult<Value>> for Call {
    fn call(&self, kwargs: Kwargs, _: &State) -> TeraResult<Value> {
        let id = kwargs.must_get::<String>("id")?;
        let caption = kwargs.get::<String>("caption")?.map(|caption| text::one_line(&caption));
        let comparison = &self.shared.source.comparison;
        let piece = if self.name == "table" {
            let Some(mut table) = table(comparison, &id) else {
                let known = TABLES.join(", ");
                return Err(coded(
                    Code::UnknownTable,
                    &format!("there is no table `{id}`; tables are {known}"),
                ));
            };
            table.caption = caption.unwrap_or(table.caption);
            Piece::Table(table)
        } else {
            let Some(mut figure) = figures::comparison::build(comparison, &id) else {
                let known = figures::comparison::IDS.join(", ");
                return Err(coded(
                    Code::UnknownFigure,
                    &format!("there is no figure `{id}`; figures are {known}"),
                ));
            };
            figure.caption = caption.unwrap_or(figure.caption);
            Piece::Figure(figure)
        };
        let mut pieces = self.shared.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        let placeholder = piece.placeholder(pieces.len());
        pieces.push(piece);
        Ok(Value::safe_string(&placeholder))
    }

    /// The functions escape what they give.
    fn is_safe(&self) -> bool {
        true
    }
}

/// A difference of areas: three decimals, more where that would print nothing but zeros.
fn difference(value: f64) -> String {
    (3..=5)
        .map(|decimals| format::fixed(value, decimals))
        .find(|text| value == 0.0 || text.bytes().any(|b| matches!(b, b'1'..=b'9')))
        .unwrap_or_else(|| format::fixed(value, 6))
}

/// `p = 0.610`, `p < 0.001`.
fn p_equals(p: Option<f64>) -> String {
    match p.map(format::p_value) {
        Some(text) if text.starts_with('<') => format!("adjusted p {text}"),
        Some(text) => format!("adjusted p = {text}"),
        None => "no test: the difference does not vary".to_owned(),
    }
}

fn p_cell(p: Option<f64>) -> String {
    p.map_or_else(|| "\u{2013}".to_owned(), format::p_value)
}

fn list(names: &[String]) -> String {
    match names {
        [] => String::new(),
        [one] => one.clone(),
        [many @ .., last] => format!("{} and {last}", many.join(", ")),
    }
}

/// Whether the best is shown to be the best, in plain sentences; the first one is the answer.
pub fn conclusion(comparison: &Comparison) -> Vec<String> {
    let mut sentences = Vec::new();
    match &comparison.best {
        Some(best) => {
            let auc = format::fixed(best.auc, 3);
            let lead = if best.tied.is_empty() {
                format!("The highest AUC ({}, {auc})", best.name)
            } else {
                let first = std::slice::from_ref(&best.name);
                let names: Vec<String> = first.iter().chain(&best.tied).cloned().collect();
                sentences.push(format!("{} tie for the highest AUC ({auc}).", list(&names)));
                format!("That of {}", best.name)
            };
            let words = |a: &Against| {
                format!("{} (difference {}, {})", a.name, difference(a.difference), p_equals(a.adjusted_p))
            };
            let others = best.against.iter().filter(|a| !best.tied.contains(&a.name));
            let (shown, open): (Vec<&Against>, Vec<&Against>) = others.partition(|a| a.shown);
            match open[..] {
                [] if shown.is_empty() && !best.tied.is_empty() => {}
                [] if shown.is_empty() => {
                    sentences.push(format!("{lead} was not compared with any other one."));
                }
                [] => {
                    let others: Vec<String> = shown.iter().map(|a| words(a)).collect();
                    let those = if others.len() == 1 { "that" } else { "those" };
                    sentences
                        .push(format!("{lead} is shown to be higher than {those} of {}.", list(&others)));
                }
                [one] => sentences.push(format!(
                    "{lead} is not shown to be higher than that of {}: difference {}, {}.",
                    one.name,
                    difference(one.difference),
                    p_equals(one.adjusted_p)
                )),
                _ => {
                    let others: Vec<String> = open.iter().map(|a| words(a)).collect();
                    sentences
                        .push(format!("{lead} is not shown to be higher than those of {}.", list(&others)));
                }
            }
            if !open.is_empty() && !shown.is_empty() {
                let others: Vec<String> = shown.iter().map(|a| words(a)).collect();
                sentences.push(format!("It is shown to be higher than {}.", list(&others)));
            }
            if !best.not_compared.is_empty() {
                sentences.push(format!("It was not compared with {}.", list(&best.not_compared)));
            }
            if best.verdict == Verdict::NotShown {
                sentences.push(
                    "Not shown to be higher does not mean shown to be equal: these cases cannot tell."
                        .to_owned(),
                );
            }
        }
        None => {
            let tested: Vec<&Contender> = comparison.contenders.iter().filter(|c| !c.exploratory).collect();
            let words = |c: &&Contender| {
                let auc = c.estimate("auc").map_or_else(|| "not evaluable".to_owned(), format::sentence);
                format!("{}: AUC {auc}. One contender alone is compared with nothing.", c.name)
            };
            sentences.extend(tested.first().map(words));
        }
    }
    for contender in comparison.contenders.iter().filter(|c| c.exploratory) {
        let auc = contender.estimate("auc").map_or_else(|| "not evaluable".to_owned(), format::value);
        sentences.push(format!(
            "Exploratory: the weights of {} were chosen on these cases, so its AUC ({auc}) is too high by an unknown \
             amount, and it is not tested.",
            contender.name
        ));
    }
    sentences
}

/// What the cases are, and so what the figures are worth.
pub fn statement(comparison: &Comparison) -> String {
    match comparison.data.split {
        Split::Tuning => "Tuning split, selection only: these cases chose the epoch of each run and its operating point. The \
                          figures select a model; they are no claim about performance."
            .to_owned(),
        Split::Given => "Cases as the tables give them. The program does not know whether they took part in development; \
                         if they did, the figures are too high."
            .to_owned(),
        Split::PublishedCounts => "Unpaired approximation from printed numbers: the scores of single cases are not known, so \
                                   models are compared as if each had been tested on cases of its own, with the standard \
                                   errors of Hanley and McNeil (1982). On the same cases the AUCs are correlated and the true \
                                   p values are smaller by an unknown amount."
            .to_owned(),
    }
}

/// How it was compared, in sentences.
pub fn method(comparison: &Comparison) -> Vec<String> {
    let method = &comparison.method;
    let mut out = Vec::new();
    out.push(match method.auc_test {
        AucTest::Delong => "AUCs are compared on the same cases after DeLong et al. (1988).".to_owned(),
        AucTest::Obuchowski => {
            "Patients have several cases, so AUCs are compared after Obuchowski (1997), with patients as clusters."
                .to_owned()
        }
        AucTest::HanleyMcneilUnpaired => {
            "AUCs are compared without pairing, from standard errors after Hanley and McNeil (1982).".to_owned()
        }
    });
    out.extend(method.call_test.map(|test| match test {
        CallTest::McnemarExact => {
            "Calls at the contenders' own operating points are compared by McNemar's exact test (1947).".to_owned()
        }
        CallTest::Obuchowski1998 => {
            "Calls at the contenders' own operating points are compared after Obuchowski (1998), with patients as clusters."
                .to_owned()
        }
    }));
    let count = format::count(method.comparisons);
    let plural = if method.comparisons == 1 { "comparison" } else { "comparisons" };
    let family = match &method.family {
        Family::AllPairs => format!("all pairs: {count} {plural}"),
        Family::AgainstBest => format!(
            "the highest AUC against each other one: {count} {plural}. The same cases chose which one is highest, so \
             these p values are too small; the comparison of all pairs is free of that"
        ),
        Family::AgainstReference(name) => format!("{name} against each other one: {count} {plural}"),
    };
    if method.comparisons > 0 {
        out.push(format!(
            "P values are two-sided and adjusted after Holm (1979) within each kind of test, over {family}."
        ));
    }
    if method.replicates > 0 {
        out.push(format!(
            "Bootstrap intervals are of the percentile kind, {} replicates, seed {}, drawn by {}.",
            format::count(method.replicates),
            method.seed,
            if comparison.data.clustered { "patient" } else { "case" }
        ));
    }
    out
}

/// Whether a table has anything to show for this comparison.
fn applies(comparison: &Comparison, id: &str) -> bool {
    let any = |has: fn(&Contender) -> bool| comparison.contenders.iter().any(has);
    match id {
        "ensembles" => any(|c| c.kind == Kind::Ensemble),
        "operating-points" => any(|c| c.operating_point.is_some()),
        "counts" => any(|c| c.confusion.is_some()),
        "pairs" => !comparison.pairs.is_empty(),
        "calls" => comparison.pairs.iter().any(|p| !p.calls.is_empty()),
        "calibration" => any(|c| !c.curves.reliability.is_empty()),
        "training" => any(|c| !c.training.is_empty()),
        "warnings" => !comparison.warnings.is_empty(),
        _ => true,
    }
}

/// The tables for a terminal, in order; warnings are printed as such.
pub fn plain_tables(comparison: &Comparison) -> Vec<PlainTable> {
    let ids = [
        "contenders",
        "ensembles",
        "operating-points",
        "counts",
        "pairs",
        "calls",
        "calibration",
        "training",
    ];
    let shown = ids.into_iter().filter(|id| applies(comparison, id));
    shown.filter_map(|id| plain_table(comparison, id)).collect()
}

/// A table of the comparison as plain texts: caption, header, rows, notes. `None`: there is no such id.
fn plain_table(comparison: &Comparison, id: &str) -> Option<PlainTable> {
    let table = table(comparison, id)?;
    let rows = table.rows.into_iter().map(|row| match row {
        Row::Cells(cells) => cells.into_iter().map(|c| c.text).collect(),
        Row::Group(name) => vec![name],
    });
    Some(PlainTable {
        caption: table.caption,
        header: table.columns.into_iter().map(|c| c.header).collect(),
        rows: rows.collect(),
        notes: table.notes,
    })
}

/// A table for the terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlainTable {
    /// What it shows.
    pub caption: String,
    /// Names of the columns.
    pub header: Vec<String>,
    /// Rows of cells.
    pub rows: Vec<Vec<String>>,
    /// Notes below.
    pub notes: Vec<String>,
}

fn left(header: &str, weight: f64) -> Column {
    Column { header: header.to_owned(), align: Align::Left, weight }
}

fn right(header: &str) -> Column {
    Column { header: header.to_owned(), align: Align::Right, weight: 0.0 }
}

fn make(caption: String, columns: Vec<Column>, rows: Vec<Row>) -> Table {
    let rows = if rows.is_empty() { vec![Row::Group("None.".to_owned())] } else { rows };
    Table { caption, number: 0, columns, rows, notes: Vec::new() }
}

fn row(texts: Vec<String>) -> Row {
    Row::Cells(texts.into_iter().map(Cell::new).collect())
}

/// The name, with its mark where it is the best or exploratory.
fn name_cell(comparison: &Comparison, contender: &Contender) -> Cell {
    let best = comparison
        .best
        .as_ref()
        .is_some_and(|b| b.name == contender.name || b.tied.contains(&contender.name));
    let text = if contender.exploratory {
        format!("{} (exploratory)", contender.name)
    } else {
        contender.name.clone()
    };
    Cell { text, look: if best { Look::Strong } else { Look::Plain } }
}

fn with_interval(contender: &Contender, id: &str) -> String {
    let estimate = contender.estimate(id);
    match estimate.and_then(|e| Some((e, spread(e)?))) {
        Some((e, interval)) if e.value.is_some() => {
            format!("{} ({})", format::value(e), format::limits(interval, format::style(e)))
        }
        _ => value_of(estimate),
    }
}

/// The declared interval, or the exact one beside it where that has collapsed to a point: from cases that do not vary
/// the bootstrap draws nothing else.
pub(super) fn spread(estimate: &Estimate) -> Option<&Interval> {
    let wide = estimate.intervals.iter().find(|i| i.lower < i.upper);
    wide.or(estimate.intervals.first())
}

/// Whether [`spread`] is not the declared interval.
fn collapsed(estimate: &Estimate) -> bool {
    estimate.intervals.first().is_some_and(|i| i.lower >= i.upper)
        && estimate.intervals.iter().any(|i| i.lower < i.upper)
}

fn value_of(estimate: Option<&Estimate>) -> String {
    estimate.and_then(|e| e.value).map_or_else(
        || "\u{2013}".to_owned(),
        |value| estimate.map_or_else(String::new, |e| format::number(value, format::style(e))),
    )
}

fn table(comparison: &Comparison, id: &str) -> Option<Table> {
    Some(match id {
        "data" => data(comparison),
        "contenders" => contenders(comparison),
        "counts" => counts(comparison),
        "operating-points" => operating_points(comparison),
        "pairs" => pairs(comparison),
        "calls" => calls(comparison),
        "calibration" => calibration(comparison),
        "training" => training(comparison),
        "ensembles" => ensembles(comparison),
        "warnings" => warnings(comparison),
        _ => return None,
    })
}

fn data(comparison: &Comparison) -> Table {
    let data = &comparison.data;
    let from = match data.split {
        Split::Tuning => "tuning split of the training runs",
        Split::Given => "tables of scores",
        Split::PublishedCounts => "printed numbers",
    };
    let mut rows = vec![row(vec!["Origin".into(), from.into()])];
    if data.split != Split::PublishedCounts {
        let fact = |name: &str, value: String| row(vec![name.to_owned(), value]);
        rows.push(fact("Cases", format::count(data.cases)));
        rows.push(fact("Positive", format::count(data.positives)));
        rows.push(fact("Negative", format::count(data.negatives)));
        rows.push(fact("Patients", data.patients.map_or_else(|| "not recorded".to_owned(), format::count)));
        let left_out: Vec<String> = comparison
            .contenders
            .iter()
            .filter(|c| c.left_out > 0)
            .map(|c| format!("{}: {}", c.name, format::count(c.left_out)))
            .collect();
        if data.common_only {
            rows.push(fact("Left out, not common to all", left_out.join(", ")));
        }
    }
    make("What is compared".to_owned(), vec![left("Fact", 0.6), left("Value", 1.0)], rows)
}

fn contenders(comparison: &Comparison) -> Table {
    let level = format::level(comparison.method.level);
    let published = comparison.data.split == Split::PublishedCounts;
    let rows = comparison
        .contenders
        .iter()
        .map(|c| {
            let mut cells = vec![name_cell(comparison, c), Cell::new(with_interval(c, "auc"))];
            if !published {
                cells.push(Cell::new(value_of(c.estimate("average_precision"))));
            }
            cells.push(Cell::new(with_interval(c, "sensitivity")));
            cells.push(Cell::new(with_interval(c, "specificity")));
            cells.push(Cell::new(value_of(c.estimate("ppv"))));
            cells.push(Cell::new(value_of(c.estimate("f1"))));
            Row::Cells(cells)
        })
        .collect();
    let mut columns = vec![left("Contender", 1.0), right("AUC")];
    if !published {
        columns.push(right("AP"));
    }
    columns.extend([right("Sensitivity"), right("Specificity"), right("PPV"), right("F1")]);
    let mut table = make(format!("Contenders, with {level} confidence intervals"), columns, rows);
    let of = |id: &str| {
        let found = comparison.contenders.iter().filter_map(|c| c.estimate(id));
        found.filter_map(|e| e.intervals.first()).map(format::method).next()
    };
    if let Some(method) = of("auc") {
        table.notes.push(format!("AUC interval: {method}."));
    }
    if let Some(method) = of("sensitivity") {
        table.notes.push(format!("Intervals of sensitivity and specificity: {method}."));
    }
    let shown = ["auc", "sensitivity", "specificity"];
    let mut all = comparison.contenders.iter().flat_map(|c| shown.iter().filter_map(|id| c.estimate(id)));
    if all.any(collapsed) {
        table.notes.push(
            "Where such an interval is a single point, because the cases do not vary, the exact Clopper-Pearson interval \
             stands instead; it takes cases as independent."
                .to_owned(),
        );
    }
    if !published {
        table
            .notes
            .push("AP: average precision. What needs a threshold holds at each contender's own.".to_owned());
    }
    table
}

fn counts(comparison: &Comparison) -> Table {
    let rows = comparison
        .contenders
        .iter()
        .filter_map(|c| {
            let t = c.confusion?;
            let counts = [t.true_positives, t.false_negatives, t.false_positives, t.true_negatives];
            let mut cells = vec![c.name.clone()];
            cells.extend(counts.map(format::count));
            cells.push(value_of(c.estimate("accuracy")));
            Some(row(cells))
        })
        .collect();
    let columns = vec![
        left("Contender", 1.0),
        right("True positive"),
        right("False negative"),
        right("False positive"),
        right("True negative"),
        right("Accuracy"),
    ];
    make("Counts at each operating point".to_owned(), columns, rows)
}

fn operating_points(comparison: &Comparison) -> Table {
    let rows = comparison
        .contenders
        .iter()
        .filter_map(|c| {
            let point = c.operating_point.as_ref()?;
            Some(row(vec![
                c.name.clone(),
                format::threshold(point.threshold),
                point.rule.clone(),
                point.provenance.clone(),
            ]))
        })
        .collect();
    let columns = vec![left("Contender", 0.8), right("Threshold"), left("Rule", 1.6), left("Origin", 0.8)];
    make("Operating points: positive is a score at or above the threshold".to_owned(), columns, rows)
}

fn pairs(comparison: &Comparison) -> Table {
    let level = format::level(comparison.method.level);
    let unpaired = comparison.method.auc_test == AucTest::HanleyMcneilUnpaired;
    let rows = comparison
        .pairs
        .iter()
        .map(|pair| {
            let e = &pair.auc_difference;
            let first = e.intervals.first();
            let mut cells = vec![
                Cell::new(format!("{} \u{2212} {}", pair.first, pair.second)),
                Cell::new(e.value.map_or_else(|| "\u{2013}".to_owned(), difference)),
                Cell::new(first.map_or_else(
                    || "\u{2013}".to_owned(),
                    |i| format!("{} to {}", difference(i.lower), difference(i.upper)),
                )),
                Cell::new(p_cell(e.p_value)),
                Cell::new(p_cell(pair.adjusted_p)),
            ];
            if unpaired {
                let needed =
                    pair.correlation_needed.map_or_else(|| "\u{2013}".to_owned(), |r| format::fixed(r, 4));
                cells.push(Cell::new(needed));
            }
            Row::Cells(cells)
        })
        .collect();
    let mut columns = vec![
        left("Difference", 1.0),
        right("AUC"),
        right(&format!("{level} CI")),
        right("p"),
        right("Adjusted p"),
    ];
    let mut caption = "Differences of AUC".to_owned();
    if unpaired {
        columns.push(right("Correlation needed"));
        caption.push_str(", unpaired approximation");
    }
    let mut table = make(caption, columns, rows);
    if unpaired {
        table.notes.push(format!(
            "Correlation needed: how high the correlation of the two AUCs on the same cases would have to be for the \
             unadjusted interval at level {level} to exclude zero."
        ));
    }
    table
}

fn calls(comparison: &Comparison) -> Table {
    let mut rows = Vec::new();
    for pair in &comparison.pairs {
        rows.push(Row::Group(format!("{} \u{2212} {}", pair.first, pair.second)));
        for call in &pair.calls {
            let percent = |value: f64| format::number(value, format::Style::Percent);
            rows.push(row(vec![
                format::metric(&call.id),
                format::count(call.n),
                format::count(call.only_first_correct),
                format::count(call.only_second_correct),
                call.difference.map_or_else(|| "\u{2013}".to_owned(), percent),
                p_cell(call.p_value),
                p_cell(call.adjusted_p),
            ]));
        }
    }
    let columns = vec![
        left("Share of right calls", 1.0),
        right("Cases"),
        right("Only first right"),
        right("Only second right"),
        right("Difference"),
        right("p"),
        right("Adjusted p"),
    ];
    make("Differences of calls, each contender at its own operating point".to_owned(), columns, rows)
}

fn calibration(comparison: &Comparison) -> Table {
    let rows = comparison
        .contenders
        .iter()
        .filter(|c| !c.curves.reliability.is_empty())
        .map(|c| {
            row(vec![
                c.name.clone(),
                with_interval(c, "brier"),
                value_of(c.estimate("ece")),
                with_interval(c, "calibration_slope"),
                with_interval(c, "calibration_intercept"),
            ])
        })
        .collect();
    let columns =
        vec![left("Contender", 1.0), right("Brier score"), right("ECE"), right("Slope"), right("Intercept")];
    let mut table = make("Calibration of scores as probabilities".to_owned(), columns, rows);
    table.notes.push(
        "ECE: expected calibration error, ten equal bins. Ideal are slope one and intercept zero. Intervals take cases as \
         independent."
            .to_owned(),
    );
    let ids = ["brier", "ece", "calibration_slope", "calibration_intercept"];
    for contender in comparison.contenders.iter().filter(|c| !c.curves.reliability.is_empty()) {
        // Slope and intercept are one fit with one reason.
        let mut said = Vec::new();
        for estimate in ids.iter().filter_map(|id| contender.estimate(id)) {
            let Some(why) = estimate.not_evaluable.as_ref().filter(|why| !said.contains(why)) else {
                continue;
            };
            table.notes.push(format!("{}: not evaluable where a dash stands: {why}.", contender.name));
            said.push(why);
        }
    }
    table
}

fn training(comparison: &Comparison) -> Table {
    let rows = comparison
        .contenders
        .iter()
        .filter_map(|c| {
            let last = c.training.last()?;
            let best = c.training.iter().reduce(|a, b| if b.tuning_auc > a.tuning_auc { b } else { a })?;
            Some(row(vec![
                c.name.clone(),
                c.title.clone(),
                format::count(u64::from(last.epoch)),
                format::count(u64::from(best.epoch)),
                format::fixed(best.training_loss, 4),
                format::fixed(best.tuning_loss, 4),
            ]))
        })
        .collect();
    let columns = vec![
        left("Contender", 0.6),
        left("Experiment", 1.4),
        right("Epochs"),
        right("Kept epoch"),
        right("Training loss"),
        right("Tuning loss"),
    ];
    make("Trainings; losses are those of the kept epoch".to_owned(), columns, rows)
}

fn ensembles(comparison: &Comparison) -> Table {
    let rows = comparison
        .contenders
        .iter()
        .filter(|c| c.kind == Kind::Ensemble)
        .map(|c| {
            let members: Vec<String> =
                c.members.iter().map(|m| format!("{} \u{d7} {}", m.weight, m.name)).collect();
            let origin = if c.exploratory {
                "exploratory: chosen on these cases"
            } else {
                "given beforehand on the command line"
            };
            row(vec![c.name.clone(), members.join(" + "), origin.to_owned()])
        })
        .collect();
    let columns = vec![left("Ensemble", 0.6), left("Score", 1.2), left("Weights", 1.0)];
    make("Ensembles: weighted averages of scores".to_owned(), columns, rows)
}

fn warnings(comparison: &Comparison) -> Table {
    let rows = comparison.warnings.iter().map(|w| row(vec![w.code.to_string(), w.message.clone()])).collect();
    make("Warnings".to_owned(), vec![left("Code", 0.5), left("Message", 1.5)], rows)
}
