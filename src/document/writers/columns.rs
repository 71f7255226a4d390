//! How wide the columns of a table are, where its texts do not fit side by side. A typesetter that is told
//! "as wide as its content" of some columns and a share of the rest of others takes the rest for nothing,
//! and words then stand on each other.

use crate::document::text;
use crate::document::tree::{Cell, Column, Look, Row};

/// Width of the text on a page, in points; `templates/style.typ` sets page and margins.
const PAGE: f64 = 612.0 - 2.0 * 2.1 / 2.54 * 72.0;
/// Size of the text in a numbered table, in points.
const SIZE: f64 = 8.6;
/// Space at both sides of a cell, in points.
const INSET: f64 = 9.0;
/// Bold letters are so much wider.
const BOLD: f64 = 1.07;
/// Advance of a letter of the font for code, times the size it is set in.
const CODE: f64 = 0.602 * 0.8;

/// How wide, in points, a column is when its longest word fits, each of its cells, and its header as well.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Needs {
    words: f64,
    cells: f64,
    all: f64,
}

/// One of the widths that a column may have.
type Width = fn(&Needs) -> f64;

/// A table of more rows is not measured by the typesetter, which takes as long as setting it.
const MEASURED: usize = 100;

/// Columns as the typesetter takes them.
pub fn declared(columns: &[Column], rows: &[Row], longest: usize) -> Vec<String> {
    if let Some(shares) = shares(columns, rows, longest) {
        return shares.iter().map(|share| format!("{share:.1}fr")).collect();
    }
    let as_content = |place: usize| match rows.len() {
        ..=MEASURED => "auto".to_owned(),
        _ => format!("{:.1}pt", of_column(columns, rows, place, longest).all),
    };
    let of = |(place, column): (usize, &Column)| match column.weight {
        weight if weight > 0.0 => format!("{weight:.2}fr"),
        _ => as_content(place),
    };
    columns.iter().enumerate().map(of).collect()
}

/// The share of the page of every column; `None` where the columns fit as they were declared. `longest` is
/// the longest word that gets no place to break, in letters.
fn shares(columns: &[Column], rows: &[Row], longest: usize) -> Option<Vec<f64>> {
    let needs: Vec<Needs> =
        (0..columns.len()).map(|place| of_column(columns, rows, place, longest)).collect();
    if fits(columns, &needs) {
        return None;
    }
    // From the narrowest that is legible to the widest that is wanted, as far as the page goes.
    let steps: [[Width; 2]; 2] = [[|n| n.cells, |n| n.all], [|n| n.words, |n| n.cells]];
    for [narrow, wide] in steps {
        let [least, most] = [narrow, wide].map(|of| needs.iter().map(of).sum::<f64>());
        if least <= PAGE {
            let part = if most > least { ((PAGE - least) / (most - least)).min(1.0) } else { 0.0 };
            return Some(needs.iter().map(|n| narrow(n) + part * (wide(n) - narrow(n))).collect());
        }
    }
    Some(needs.iter().map(|n| n.words).collect())
}

/// Whether every column that shares the rest of the page gets room for its words from it.
fn fits(columns: &[Column], needs: &[Needs]) -> bool {
    let shared = |column: &Column| column.weight > 0.0;
    let fixed: f64 =
        columns.iter().zip(needs).filter(|(column, _)| !shared(column)).map(|(_, n)| n.all).sum();
    let weights: f64 = columns.iter().map(|column| column.weight.max(0.0)).sum();
    let rest = PAGE - fixed;
    rest >= 0.0
        && columns
            .iter()
            .zip(needs)
            .filter(|(column, _)| shared(column))
            .all(|(column, n)| rest * column.weight / weights >= n.words)
}

fn of_column(columns: &[Column], rows: &[Row], place: usize, longest: usize) -> Needs {
    let mut needs = Needs::default();
    let column = &columns[place];
    for row in rows {
        let Row::Cells(cells) = row else { continue };
        let Some(cell) = cells.get(place) else { continue };
        let (word, whole) = of_cell(cell, longest);
        needs.words = needs.words.max(word);
        needs.cells = needs.cells.max(whole);
    }
    let of_header = |text: &str| BOLD * SIZE * text::width(text);
    let word = words(&column.header, longest).map(|word| of_header(&word)).fold(0.0, f64::max);
    needs.words = needs.words.max(word);
    needs.cells = needs.cells.max(needs.words);
    if column.weight > 0.0 {
        // Sentences are broken into lines anyhow.
        needs.cells = needs.cells.min((PAGE / 4.0).max(needs.words));
    }
    // Where this is the last word, a letter more than was counted: bold ones and foreign ones are estimated.
    let spare = if rows.len() > MEASURED { SIZE / 2.0 } else { 0.0 };
    needs.all = needs.cells.max(of_header(&column.header)) + spare;
    Needs { words: needs.words + INSET, cells: needs.cells + INSET, all: needs.all + INSET }
}

/// The widest word of a cell, and all of it.
fn of_cell(cell: &Cell, longest: usize) -> (f64, f64) {
    let width = |text: &str| match cell.look {
        #[expect(clippy::cast_precision_loss, reason = "letters of a word")]
        Look::Code => CODE * SIZE * text.chars().count() as f64,
        Look::Strong | Look::Good | Look::Bad => BOLD * SIZE * text::width(text),
        Look::Plain | Look::Muted => SIZE * text::width(text),
    };
    let is_digest = cell.look == Look::Code && cell.text.chars().all(|c| c.is_ascii_hexdigit());
    let longest = if is_digest { usize::MAX } else { longest };
    let mark = cell.link.mark().map_or(0.0, |mark| 0.6 * SIZE * text::width(&format!("[{mark}]")));
    let word = words(&cell.text, longest).map(|word| width(&word)).fold(0.0, f64::max);
    (word + mark, width(&cell.text) + mark)
}

/// Parts of a text between which a line may be broken.
fn words(text: &str, longest: usize) -> impl Iterator<Item = String> + '_ {
    text.split_whitespace()
        .flat_map(|word| word.split_inclusive(['-', '\u{2013}']))
        .map(move |word| word.chars().take(longest).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rows(cells: &[&[&str]]) -> Vec<Row> {
        cells.iter().map(|row| Row::plain(row.iter().map(|cell| (*cell).to_owned()))).collect()
    }

    #[test]
    fn what_fits_stays_as_it_was_declared() {
        let columns = [Column::left("Measure", 1.0), Column::right("Estimate"), Column::right("95% CI")];
        assert_eq!(shares(&columns, &rows(&[&["Sensitivity", "93.7%", "91.2% to 95.7%"]]), 22), None);
        assert_eq!(shares(&columns, &[], 22), None);
        let all = [Column::right("A"), Column::right("B")];
        assert_eq!(shares(&all, &rows(&[&["1", "2"]]), 22), None);
    }

    #[test]
    fn a_long_table_is_not_measured_by_the_typesetter() {
        let columns = [Column::right("Case"), Column::left("What each reader said", 1.0)];
        let one: &[&str] = &["P000029_03", "reader-1=negative"];
        assert_eq!(declared(&columns, &rows(&[one; MEASURED]), 22), ["auto", "1.00fr"]);
        let long = declared(&columns, &rows(&[one; MEASURED + 1]), 22);
        let width: f64 = long[0].strip_suffix("pt").and_then(|w| w.parse().ok()).expect("points");
        assert!((SIZE * text::width(one[0]) + INSET..80.0).contains(&width), "{long:?}");
        assert_eq!(long[1], "1.00fr");
    }

    /// The first column shared a rest that there was not, and stood below the second.
    #[test]
    fn a_column_that_got_nothing_gets_room_for_its_words() {
        let interval = "99.3% (293/295; 97.6% to 99.9%)";
        let columns = [
            Column::left("Measure", 0.8),
            Column::right("Reader (95% CI)"),
            Column::right("Device, same cases (95% CI)"),
            Column::right("Device less reader, percentage points (95% CI)"),
            Column::right("p"),
        ];
        let rows = rows(&[&["Sensitivity", interval, interval, "0.3 (\u{2212}1.1 to 1.8)", "0.655"]]);
        let found = shares(&columns, &rows, 22).expect("it does not fit");
        assert!((found.iter().sum::<f64>() - PAGE).abs() < 1e-6, "{found:?}");
        let room = |place: usize, text: &str| found[place] >= SIZE * text::width(text) + INSET;
        assert!(room(0, "Sensitivity") && room(1, interval) && room(2, interval), "{found:?}");
    }

    proptest! {
        /// No column is narrower than its words while the page has room for all of these.
        #[test]
        fn every_column_has_room_for_its_words(
            cells in prop::collection::vec(prop::collection::vec("[a-z0-9 .%-]{0,40}", 6), 0..4),
            headers in prop::collection::vec("[A-Za-z ]{0,30}", 6),
            weights in prop::collection::vec(prop_oneof![Just(0.0), 0.1_f64..2.0], 6),
        ) {
            let columns: Vec<Column> = headers
                .iter()
                .zip(&weights)
                .map(|(header, weight)| Column { weight: *weight, ..Column::right(header) })
                .collect();
            let rows: Vec<Row> = cells.iter().map(|row| Row::plain(row.iter().cloned())).collect();
            let needs: Vec<Needs> = (0..6).map(|place| of_column(&columns, &rows, place, 22)).collect();
            let words: f64 = needs.iter().map(|n| n.words).sum();
            for n in &needs {
                prop_assert!(n.words <= n.cells && n.cells <= n.all);
            }
            match shares(&columns, &rows, 22) {
                None => prop_assert!(fits(&columns, &needs)),
                Some(found) if words <= PAGE => {
                    prop_assert!(found.iter().sum::<f64>() <= PAGE + 1e-6);
                    for (share, n) in found.iter().zip(&needs) {
                        prop_assert!(*share + 1e-6 >= n.words, "{found:?} {needs:?}");
                    }
                }
                Some(found) => prop_assert_eq!(found.len(), 6),
            }
        }
    }
}
