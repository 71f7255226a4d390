//! What stands beside the kappas: agreement and prevalence of each pair, subgroups and sites, repeated reads.

use super::rows::method_note;
use crate::diagnostic::Code;
use crate::document::format;
use crate::document::tree::{Cell, Column, Look, Row, Table};
use crate::report::{origins, wording};
use crate::statistics::estimate::Estimate;
use crate::study::results::Results;

/// More pairs than this are told by those that agree least.
const MOST_PAIRS: usize = 15;

fn with_interval(estimate: Option<&Estimate>) -> String {
    match estimate {
        Some(e) if e.value.is_some() && !e.intervals.is_empty() => {
            format!("{} ({})", wording::value(e), wording::interval(e))
        }
        Some(e) => wording::value(e),
        None => "\u{2013}".to_owned(),
    }
}

/// Estimates of one model, by their ids.
fn of<'a>(list: &'a [Estimate], model: &str, id: &str) -> Option<&'a Estimate> {
    list.iter().find(|e| e.id == id && e.model.as_deref() == Some(model))
}

fn models(list: &[Estimate]) -> Vec<&str> {
    let mut models: Vec<&str> = list.iter().filter_map(|e| e.model.as_deref()).collect();
    models.dedup();
    models
}

/// One row a pair of reference readers.
pub fn explained(results: &Results, level: &str) -> Table {
    let list = &results.agreement_explained;
    let mut pairs = models(list);
    let all = pairs.len();
    if all > MOST_PAIRS {
        let share = |pair: &str| of(list, pair, "percent_agreement").and_then(|e| e.value).unwrap_or(2.0);
        pairs.sort_by(|a, b| share(a).total_cmp(&share(b)));
        pairs.truncate(MOST_PAIRS);
    }
    let rows = pairs.iter().map(|pair| {
        let agreement = of(list, pair, "percent_agreement");
        let kappa = of(&results.agreement, pair, "cohen_kappa");
        let estimated = |e: Option<&Estimate>| origins::cell(with_interval(e), e);
        let index = |id: &str| {
            let found = of(list, pair, id);
            origins::cell(found.map_or_else(String::new, wording::value), found)
        };
        Row::Cells(vec![
            Cell::new(*pair),
            Cell::new(agreement.map_or_else(String::new, |e| format::count(e.n))),
            estimated(agreement),
            estimated(kappa),
            estimated(of(list, pair, "gwet_ac1")),
            index("prevalence_index"),
            index("bias_index"),
        ])
    });
    let rows = rows.collect();
    let mut table = Table::or_none(
        "Pairs of readers: agreement, kappa, and what a low kappa may come from",
        vec![
            Column::left("Pair", 0.0),
            Column::right("Cases"),
            Column::right(&format!("Agreement ({level} CI)")),
            Column::right(&format!("Cohen's kappa ({level} CI)")),
            Column::right(&format!("Gwet's AC1 ({level} CI)")),
            Column::right("Prevalence index"),
            Column::right("Bias index"),
        ],
        rows,
    );
    if all > 0 {
        table.notes.push(
            "Prevalence index: how far the answers are on one side, from none (as many yes as no) to one \
             (all alike). Where it is high, agreement by chance is high, and kappa is low although readers \
             agree; AC1 depends on it little. Bias index: the difference of the two readers' shares of \
             positive answers (Byrt, Bishop and Carlin). Both describe these reads and have no interval."
                .to_owned(),
        );
    }
    if all > MOST_PAIRS {
        table.notes.push(format!(
            "Of {} pairs the {} that agree least are shown; results.json has each.",
            format::count(all as u64),
            format::count(MOST_PAIRS as u64)
        ));
    }
    table.notes.extend(method_note(&list.iter().collect::<Vec<_>>()));
    table
}

/// One row a level of a subgroup or a site.
pub fn by_group(results: &Results, level: &str) -> Table {
    let list = &results.agreement_by_group;
    let mut groups = Vec::new();
    for estimate in list {
        if let Some(group) = estimate.subgroup.as_ref().filter(|group| !groups.contains(group)) {
            groups.push(group);
        }
    }
    let mut rows = Vec::new();
    let mut variable = "";
    for group in groups {
        if group.variable != variable {
            variable = &group.variable;
            rows.push(Row::Group(crate::document::text::humanise(variable)));
        }
        let of = |id: &str| list.iter().find(|e| e.id == id && e.subgroup.as_ref() == Some(group));
        let (fleiss, ac1) = (of("fleiss_kappa"), of("gwet_ac1"));
        let few = [fleiss, ac1].into_iter().flatten().any(is_insufficient);
        let look = if few { Look::Muted } else { Look::Plain };
        let name = if few { format!("{} \u{2020}", group.level) } else { group.level.clone() };
        let n = ac1.or(fleiss).map_or(0, |e| e.n);
        let cells = [name, format::count(n), with_interval(fleiss), with_interval(ac1)];
        rows.push(Row::Cells(cells.into_iter().map(|text| Cell::new(text).look(look)).collect()));
    }
    let mut table = Table::or_none(
        "Agreement of the reference readers in subgroups and sites",
        vec![
            Column::left("Group", 1.0),
            Column::right("Cases"),
            Column::right(&format!("Fleiss' kappa ({level} CI)")),
            Column::right(&format!("Gwet's AC1 ({level} CI)")),
        ],
        rows,
    );
    if list.iter().any(is_insufficient) {
        table.notes.push(format!(
            "\u{2020} Fewer cases than the protocol's minimum of {}.",
            format::count(results.method.subgroup_minimum)
        ));
    }
    table.notes.extend(method_note(&list.iter().collect::<Vec<_>>()));
    table
}

fn is_insufficient(estimate: &Estimate) -> bool {
    estimate.warnings.iter().any(|warning| warning.code == Code::Insufficient)
}

/// One row a coefficient on the declared scale.
pub fn on_scale(results: &Results, level: &str) -> Table {
    let list = &results.ordinal_agreement;
    let rows = list.iter().map(|e| {
        let between = e.model.clone().unwrap_or_else(|| "all readers".to_owned());
        Row::Cells(vec![
            Cell::new(wording::metric(&e.id)),
            Cell::new(between),
            origins::cell(wording::value(e), Some(e)),
            Cell::new(wording::interval(e)),
            Cell::count(e.n),
        ])
    });
    let mut table = Table::or_none(
        "Agreement of the reference readers on the declared scale",
        vec![
            Column::left("Measure", 1.0),
            Column::left("Between", 1.0),
            Column::right("Value"),
            Column::right(&format!("{level} CI")),
            Column::right("Cases"),
        ],
        rows.collect(),
    );
    table.notes.push(
        "Of the numbers that the readers gave, before the declared cut made yes and no of them. Two answers \
         agree the less the farther they are from each other, in proportion to the distance (linear) or to \
         its square (quadratic)."
            .to_owned(),
    );
    table.notes.extend(method_note(&list.iter().collect::<Vec<_>>()));
    table
}

/// One row a reader who read cases twice.
pub fn intra_reader(results: &Results, level: &str) -> Table {
    let list = &results.intra_reader;
    let rows = models(list).into_iter().map(|model| {
        let agreement = of(list, model, "percent_agreement");
        Row::plain([
            model.to_owned(),
            agreement.map_or_else(String::new, |e| format::count(e.n)),
            with_interval(agreement),
            with_interval(of(list, model, "cohen_kappa")),
            with_interval(of(list, model, "gwet_ac1")),
        ])
    });
    let rows = rows.collect();
    let mut table = Table::or_none(
        "Readers with themselves: the first two reads of cases that were read again",
        vec![
            Column::left("Reader", 1.0),
            Column::right("Cases"),
            Column::right(&format!("Agreement ({level} CI)")),
            Column::right(&format!("Cohen's kappa ({level} CI)")),
            Column::right(&format!("Gwet's AC1 ({level} CI)")),
        ],
        rows,
    );
    table.notes.push(
        "In the order of time where every read of the case has one, else of the files. Cases of which one of \
         the two reads says neither yes nor no are left out. Every read is kept; what several count as in \
         the reference standard is declared."
            .to_owned(),
    );
    table.notes.extend(method_note(&list.iter().collect::<Vec<_>>()));
    table
}
