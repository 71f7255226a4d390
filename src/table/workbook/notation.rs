//! How a workbook writes days and names cells: a day is a number whose format shows a date, and a cell is
//! named `AB12`.

use chrono::{Duration, NaiveDate};

/// What the format of a cell shows a number as.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Shows {
    #[default]
    Number,
    /// A date or a time.
    Date,
    /// A hundred times as much, with a percent sign.
    Percent,
}

impl Shows {
    /// Of a format that every program knows, by its number (ECMA-376, 18.8.30).
    pub(super) fn known(id: u32) -> Self {
        match id {
            9 | 10 => Self::Percent,
            14..=22 | 27..=36 | 45..=47 | 50..=58 => Self::Date,
            _ => Self::Number,
        }
    }

    /// Of a format's code.
    pub(super) fn of(code: &str) -> Self {
        match () {
            () if shows_date(code) => Self::Date,
            () if shows_percent(code) => Self::Percent,
            () => Self::Number,
        }
    }
}

/// Whether a format's code shows percent: the sign outside quotes and escapes.
fn shows_percent(code: &str) -> bool {
    let (mut quoted, mut escaped) = (false, false);
    code.split(';').next().unwrap_or_default().chars().any(|sign| {
        match sign {
            _ if escaped => escaped = false,
            '\\' | '_' | '*' => escaped = true,
            '"' => quoted = !quoted,
            '%' if !quoted => return true,
            _ => {}
        }
        false
    })
}

/// What such a cell shows, and what stands in it when it is saved as text: `51%` of 0.51, with every digit
/// that the number has.
pub(super) fn percent(number: f64) -> String {
    let shortest = format!("{number:e}");
    let shifted = shortest.split_once('e').and_then(|(digits, exponent)| {
        let exponent: i32 = exponent.parse().ok()?;
        format!("{digits}e{}", exponent + 2).parse::<f64>().ok()
    });
    format!("{}%", shifted.unwrap_or(number * 100.0))
}

/// Whether a format's code shows a date or a time: a letter of one outside quotes, brackets and escapes.
fn shows_date(code: &str) -> bool {
    let (mut quoted, mut bracket, mut escaped) = (false, false, false);
    // The part for positive numbers alone.
    let elapsed = ["[h", "[H", "[m", "[M", "[s", "[S"].iter().any(|start| code.contains(start));
    for sign in code.split(';').next().unwrap_or_default().chars() {
        match sign {
            _ if escaped => escaped = false,
            '\\' | '_' | '*' => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '[' => bracket = true,
            ']' => bracket = false,
            // Elapsed hours, minutes and seconds stand in brackets; so do colours and conditions.
            'h' | 'H' | 'm' | 'M' | 's' | 'S' if bracket && elapsed => return true,
            'd' | 'D' | 'm' | 'M' | 'y' | 'Y' | 'h' | 'H' | 's' | 'S' if !bracket => {
                return !code.eq_ignore_ascii_case("general") && !code.eq_ignore_ascii_case("standard");
            }
            _ => {}
        }
    }
    false
}

/// A day by its number, as ISO 8601; the year 1900 has a 29 February there (ECMA-376, 18.17.4.1).
pub(super) fn date(number: f64, from_1904: bool) -> Option<String> {
    if !(0.0..3_000_000.0).contains(&number) {
        return None;
    }
    let start = match (from_1904, number < 60.0) {
        (true, _) => NaiveDate::from_ymd_opt(1904, 1, 1),
        (false, true) => NaiveDate::from_ymd_opt(1899, 12, 31),
        (false, false) => NaiveDate::from_ymd_opt(1899, 12, 30),
    }?;
    #[expect(clippy::cast_possible_truncation, reason = "checked above")]
    let seconds = (number * 86_400.0).round() as i64;
    let time = start.and_hms_opt(0, 0, 0)?.checked_add_signed(Duration::try_seconds(seconds)?)?;
    let form = if seconds % 86_400 == 0 { "%Y-%m-%d" } else { "%Y-%m-%dT%H:%M:%S" };
    Some(time.format(form).to_string())
}

/// Row and column of a name such as `AB12`.
pub(super) fn place(text: &str) -> Option<(u32, u32)> {
    let text = text.replace('$', "");
    let digits = text.find(|c: char| c.is_ascii_digit())?;
    let (letters, digits) = text.split_at(digits);
    let column = letters.bytes().try_fold(0_u32, |sum, byte| {
        let letter = byte.to_ascii_uppercase();
        letter.is_ascii_uppercase().then(|| sum.checked_mul(26)?.checked_add(u32::from(letter - b'A') + 1))?
    })?;
    Some((digits.parse().ok()?, column))
}

/// The corners of a range such as `A1:B2`.
pub(super) fn range(text: &str) -> Option<((u32, u32), (u32, u32))> {
    let (from, to) = text.split_once(':').unwrap_or((text, text));
    Some((place(from)?, place(to)?))
}

pub(super) fn letters(mut column: u32) -> String {
    let mut found = Vec::new();
    while column > 0 {
        found.push(b'A' + ((column - 1) % 26) as u8);
        column = (column - 1) / 26;
    }
    found.iter().rev().map(|byte| char::from(*byte)).collect()
}

/// A cell as a program for tables names it.
pub(super) fn shown((row, column): (u32, u32)) -> String {
    format!("{}{row}", letters(column))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_cells_are_read_and_written() {
        for (name, at) in
            [("A1", (1, 1)), ("Z9", (9, 26)), ("AA10", (10, 27)), ("XFD1048576", (1 << 20, 1 << 14))]
        {
            assert_eq!(place(name), Some(at), "{name}");
            assert_eq!(shown(at), name);
        }
        for name in ["", "A", "1", "ZZZZZZZZZZZZ1", "A99999999999", "Ä1"] {
            assert!(place(name).is_none_or(|(_, column)| column == 0), "{name}");
        }
    }

    #[test]
    fn a_day_is_known_by_its_number_and_a_format_by_its_letters() {
        assert_eq!(date(45_000.0, false).as_deref(), Some("2023-03-15"));
        assert_eq!(date(45_000.5, false).as_deref(), Some("2023-03-15T12:00:00"));
        assert_eq!(date(43_538.0, true).as_deref(), Some("2023-03-15"));
        assert_eq!(date(1.0, false).as_deref(), Some("1900-01-01"));
        assert_eq!(date(1e300, false), None);
        for code in ["yyyy-mm-dd", "d/m/yy", "[h]:mm", "[$-409]d. mmm", "hh:mm:ss"] {
            assert!(shows_date(code), "{code}");
        }
        for code in ["General", "0.00", "0000", "[Red]0", "\"days\" 0", "0\\d", "#,##0;[Red]-#,##0", "@"] {
            assert!(!shows_date(code), "{code}");
        }
    }

    #[test]
    fn a_percentage_is_known_by_its_sign_and_read_as_it_is_shown() {
        for code in ["0%", "0.00%", "[Red]0%", "#,##0 %;-0"] {
            assert_eq!(Shows::of(code), Shows::Percent, "{code}");
        }
        for code in ["General", "0\\%", "0\"%\"", "0;0%"] {
            assert_eq!(Shows::of(code), Shows::Number, "{code}");
        }
        assert_eq!(
            [9, 10, 14, 0].map(Shows::known),
            [Shows::Percent, Shows::Percent, Shows::Date, Shows::Number]
        );
        for (number, text) in
            [(0.51, "51%"), (1.0, "100%"), (0.29, "29%"), (0.005, "0.5%"), (0.0, "0%"), (-0.1, "-10%")]
        {
            assert_eq!(percent(number), text);
        }
    }
}
