//! What a program for tables may have made of ids and answers in a workbook.

use super::cell;
use super::whole::Table;
use super::workbook::CellKind;
use crate::diagnostic::{Code, Diagnostic, Location};

/// Columns of a workbook in which a program for tables may have changed what stood there: ids and answers.
///
/// Gives a warning for each column of ids that holds numbers.
///
/// # Errors
/// `workbook-date` where an id or an answer was made a date, `workbook-number` for an id with more digits
/// than a number keeps.
pub fn typed(table: &Table, ids: &[usize], answers: &[usize]) -> Result<Vec<Diagnostic>, Vec<Diagnostic>> {
    /// A program for tables keeps so many digits of a number.
    const DIGITS: usize = 15;
    let (mut warnings, mut problems) = (Vec::new(), Vec::new());
    if !table.is_typed() {
        return Ok(warnings);
    }
    let name = |column: usize| table.header().get(column).map_or_else(String::new, |name| cell::short(name));
    for column in ids.iter().chain(answers).copied() {
        let (mut numbers, mut first) = (0_u64, 0);
        for row in table.rows() {
            let Some(text) = row.get(Some(column)) else { continue };
            let at = Location { column: Some(column as u64 + 1), ..table.at(row.line) };
            match row.kind(column) {
                CellKind::Date => {
                    let message =
                        format!("a program for tables made a date of a cell of `{}`: {text}", name(column));
                    let hint = "format the column as text, and enter what stood there again from the source";
                    problems.push(Diagnostic::error(Code::WorkbookDate, message).at(at).hint(hint));
                }
                CellKind::Number if ids.contains(&column) => {
                    let digits = text.bytes().filter(u8::is_ascii_digit).count();
                    if digits > DIGITS || text.contains(['e', 'E', '.']) {
                        let message = format!(
                            "`{}` of `{}` has lost digits: it is no whole id",
                            cell::short(text),
                            name(column)
                        );
                        let hint = "format the column as text, and enter it again from the source";
                        problems.push(Diagnostic::error(Code::WorkbookNumber, message).at(at).hint(hint));
                    }
                    numbers += 1;
                    if first == 0 {
                        first = row.line;
                    }
                }
                _ => {}
            }
        }
        if numbers > 0 {
            let message = format!(
                "{numbers} ids of `{}` are numbers in the workbook: if they had leading zeros, these are \
                 lost",
                name(column)
            );
            let hint = "ids are compared with the case table as they stand; format the column as text where \
                        it matters";
            warnings.push(Diagnostic::warning(Code::WorkbookNumber, message).at(table.at(first)).hint(hint));
        }
    }
    if problems.is_empty() { Ok(warnings) } else { Err(problems) }
}
