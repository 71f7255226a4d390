//! A page with a table of 1,000 cases by `document::writers::html` and by maud: the same elements and
//! classes.

use std::hint::black_box;
use std::time::Instant;

use maud::{DOCTYPE, PreEscaped, html};
use sequester::document::tree::{Align, Block, Cell, Column, Document, Facts, Look, Row, Table};
use sequester::document::writers::html::page;

const ROWS: usize = 1000;
const ROUNDS: usize = 50;

/// Prints what both need.
pub fn measure() {
    let table = table();
    let document = Document {
        facts: Facts {
            title: "Cases".to_owned(),
            running_title: "Cases".to_owned(),
            author: "Sequester".to_owned(),
            banner: None,
            footer: "Cases".to_owned(),
            date: "2026-01-01T00:00:00Z".to_owned(),
            identifier: "cases".to_owned(),
        },
        cover: Vec::new(),
        body: vec![Block::Table(table.clone())],
        footnotes: Vec::new(),
    };
    let (ours, theirs) = (page(&document), with_maud(&table));
    let rows = |page: &str| page.matches("<tr").count();
    assert_eq!(rows(&ours), rows(&theirs), "both write every row");
    println!("| a page of {ROWS} rows and 8 columns | ms | bytes |");
    println!("|---|---|---|");
    println!("| document::writers::html | {:.2} | {} |", best(|| page(&document)), ours.len());
    println!("| maud | {:.2} | {} |", best(|| with_maud(&table)), theirs.len());
}

/// Milliseconds of the fastest round.
fn best(write: impl Fn() -> String) -> f64 {
    let round = |_| {
        let started = Instant::now();
        black_box(write());
        started.elapsed().as_secs_f64() * 1e3
    };
    (0..ROUNDS).map(round).fold(f64::INFINITY, f64::min)
}

fn table() -> Table {
    let columns = ["case", "patient", "site", "device", "label"].map(|name| Column::left(name, 0.0));
    let numbers = ["score", "age", "images"].map(Column::right);
    let row = |number: usize| {
        let texts = [
            format!("C{number:04}"),
            format!("P{:04}", number / 2),
            format!("Site {}", number % 7),
            "A & B <1>".to_owned(),
            if number % 3 == 0 { "positive" } else { "negative" }.to_owned(),
            format!("0.{number:04}"),
            (20 + number % 70).to_string(),
            "1".to_owned(),
        ];
        let look = |at: usize| if at == 0 { Look::Code } else { Look::Plain };
        Row::Cells(texts.into_iter().enumerate().map(|(at, text)| Cell::new(text).look(look(at))).collect())
    };
    Table::new("Every case", columns.into_iter().chain(numbers).collect(), (0..ROWS).map(row).collect())
}

fn with_maud(table: &Table) -> String {
    let class = |at: usize| (table.columns[at].align == Align::Right).then_some("r");
    html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { "Cases" } }
            body { main {
                div.wide tabindex="0" {
                    table {
                        caption { strong { "Table 1." } " " (table.caption) }
                        thead { tr { @for (at, column) in table.columns.iter().enumerate() {
                            th scope="col" class=[class(at)] { (column.header) }
                        } } }
                        tbody {
                            @for row in &table.rows {
                                @if let Row::Cells(cells) = row {
                                    tr { @for (at, cell) in cells.iter().enumerate() {
                                        @if at == 0 {
                                            th scope="row" { code { (cell.text) } }
                                        } @else {
                                            td class=[class(at)] { (cell.text) }
                                        }
                                    } }
                                    (PreEscaped("\n"))
                                }
                            }
                        }
                    }
                }
            } }
        }
    }
    .into_string()
}
