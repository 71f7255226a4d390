//! The tables of a comparison by their ids.

use super::differences::{collapsed, difference, spread};
use crate::comparison::{AucTest, Comparison, Contender, Kind, Split};
use crate::document::format;
use crate::document::tree::{Cell, Column, Look, Row, Table};
use crate::report::wording;
use crate::statistics::estimate::Estimate;

/// The ids of all tables, for the error that names them.
pub const IDS: &[&str] = &[
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

/// Whether a table has anything to show for this comparison.
pub fn applies(comparison: &Comparison, id: &str) -> bool {
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

pub fn table(comparison: &Comparison, id: &str) -> Option<Table> {
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
    Cell::new(text).look(if best { Look::Strong } else { Look::Plain })
}

fn with_interval(contender: &Contender, id: &str) -> String {
    let estimate = contender.estimate(id);
    match estimate.and_then(|e| Some((e, spread(e)?))) {
        Some((e, interval)) if e.value.is_some() => {
            format!("{} ({})", wording::value(e), wording::limits(interval, wording::style(e)))
        }
        _ => value_of(estimate),
    }
}

fn value_of(estimate: Option<&Estimate>) -> String {
    estimate.and_then(|e| e.value).map_or_else(
        || "\u{2013}".to_owned(),
        |value| estimate.map_or_else(String::new, |e| format::number(value, wording::style(e))),
    )
}

fn p_cell(p: Option<f64>) -> String {
    p.map_or_else(|| "\u{2013}".to_owned(), format::p_value)
}

fn data(comparison: &Comparison) -> Table {
    let data = &comparison.data;
    let from = match data.split {
        Split::Tuning => "tuning split of the training runs",
        Split::Given => "tables of scores",
        Split::PublishedCounts => "printed numbers",
    };
    let mut rows = vec![Row::plain(vec!["Origin".into(), from.into()])];
    if data.split != Split::PublishedCounts {
        let fact = |name: &str, value: String| Row::plain(vec![name.to_owned(), value]);
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
    Table::or_none(
        "What is compared".to_owned(),
        vec![Column::left("Fact", 0.6), Column::left("Value", 1.0)],
        rows,
    )
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
    let mut columns = vec![Column::left("Contender", 1.0), Column::right("AUC")];
    if !published {
        columns.push(Column::right("AP"));
    }
    columns.extend([
        Column::right("Sensitivity"),
        Column::right("Specificity"),
        Column::right("PPV"),
        Column::right("F1"),
    ]);
    let mut table = Table::or_none(format!("Contenders, with {level} confidence intervals"), columns, rows);
    let of = |id: &str| {
        let found = comparison.contenders.iter().filter_map(|c| c.estimate(id));
        found.filter_map(|e| Some(wording::method(e.intervals.first()?, e.quantity()))).next()
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
            "Where such an interval is a single point, because the cases do not vary, the exact \
             Clopper-Pearson interval stands instead; it takes cases as independent."
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
            Some(Row::plain(cells))
        })
        .collect();
    let columns = vec![
        Column::left("Contender", 1.0),
        Column::right("True positive"),
        Column::right("False negative"),
        Column::right("False positive"),
        Column::right("True negative"),
        Column::right("Accuracy"),
    ];
    Table::or_none("Counts at each operating point".to_owned(), columns, rows)
}

fn operating_points(comparison: &Comparison) -> Table {
    let rows = comparison
        .contenders
        .iter()
        .filter_map(|c| {
            let point = c.operating_point.as_ref()?;
            Some(Row::plain(vec![
                c.name.clone(),
                format::threshold(point.threshold),
                point.rule.clone(),
                point.provenance.clone(),
            ]))
        })
        .collect();
    let columns = vec![
        Column::left("Contender", 0.8),
        Column::right("Threshold"),
        Column::left("Rule", 1.6),
        Column::left("Origin", 0.8),
    ];
    Table::or_none(
        "Operating points: positive is a score at or above the threshold".to_owned(),
        columns,
        rows,
    )
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
        Column::left("Difference", 1.0),
        Column::right("AUC"),
        Column::right(&format!("{level} CI")),
        Column::right("p"),
        Column::right("Adjusted p"),
    ];
    let mut caption = "Differences of AUC".to_owned();
    if unpaired {
        columns.push(Column::right("Correlation needed"));
        caption.push_str(", unpaired approximation");
    }
    let mut table = Table::or_none(caption, columns, rows);
    if unpaired {
        table.notes.push(format!(
            "Correlation needed: how high the correlation of the two AUCs on the same cases would have to \
             be for the unadjusted interval at level {level} to exclude zero."
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
            rows.push(Row::plain(vec![
                wording::metric(&call.id),
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
        Column::left("Share of right calls", 1.0),
        Column::right("Cases"),
        Column::right("Only first right"),
        Column::right("Only second right"),
        Column::right("Difference"),
        Column::right("p"),
        Column::right("Adjusted p"),
    ];
    Table::or_none(
        "Differences of calls, each contender at its own operating point".to_owned(),
        columns,
        rows,
    )
}

fn calibration(comparison: &Comparison) -> Table {
    let rows = comparison
        .contenders
        .iter()
        .filter(|c| !c.curves.reliability.is_empty())
        .map(|c| {
            Row::plain(vec![
                c.name.clone(),
                with_interval(c, "brier"),
                value_of(c.estimate("ece")),
                with_interval(c, "calibration_slope"),
                with_interval(c, "calibration_intercept"),
            ])
        })
        .collect();
    let columns = vec![
        Column::left("Contender", 1.0),
        Column::right("Brier score"),
        Column::right("ECE"),
        Column::right("Slope"),
        Column::right("Intercept"),
    ];
    let mut table = Table::or_none("Calibration of scores as probabilities".to_owned(), columns, rows);
    table.notes.push(
        "ECE: expected calibration error, ten equal bins. Ideal are slope one and intercept zero. Intervals \
         take cases as independent."
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
            Some(Row::plain(vec![
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
        Column::left("Contender", 0.6),
        Column::left("Experiment", 1.4),
        Column::right("Epochs"),
        Column::right("Kept epoch"),
        Column::right("Training loss"),
        Column::right("Tuning loss"),
    ];
    Table::or_none("Trainings; losses are those of the kept epoch".to_owned(), columns, rows)
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
            Row::plain(vec![c.name.clone(), members.join(" + "), origin.to_owned()])
        })
        .collect();
    let columns =
        vec![Column::left("Ensemble", 0.6), Column::left("Score", 1.2), Column::left("Weights", 1.0)];
    Table::or_none("Ensembles: weighted averages of scores".to_owned(), columns, rows)
}

fn warnings(comparison: &Comparison) -> Table {
    let rows =
        comparison.warnings.iter().map(|w| Row::plain(vec![w.code.to_string(), w.message.clone()])).collect();
    Table::or_none("Warnings".to_owned(), vec![Column::left("Code", 0.5), Column::left("Message", 1.5)], rows)
}
