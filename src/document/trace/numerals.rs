//! The numerals of a text: digits with their decimals and thousands, a minus sign, a sign of percent.

use std::ops::Range;

/// A numeral.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Numeral {
    /// Bytes of the text, without the signs.
    pub at: Range<usize>,
    /// Its digits as they stand, such as `1,000` or `0.871`.
    pub digits: String,
    /// Whether a sign of percent follows.
    pub percent: bool,
    /// Whether a letter, a digit of a digest or another sign makes it part of a name: `SHA-256`, `T1`,
    /// `510(k)`.
    pub in_name: bool,
}

impl Numeral {
    /// Its digits without thousands.
    pub fn plain(&self) -> String {
        self.digits.replace(',', "")
    }

    /// The decimals that are printed.
    pub fn decimals(&self) -> usize {
        self.digits.split_once('.').map_or(0, |(_, decimals)| decimals.len())
    }
}

/// Every numeral of a text, in order. `1,000` is one numeral, `1, 2` and `3/4` are two each, `1.2.3` is one
/// in a name.
pub fn numerals(text: &str) -> Vec<Numeral> {
    let chars: Vec<(usize, char)> = text.char_indices().collect();
    let at = |i: usize| chars.get(i).map_or(' ', |(_, c)| *c);
    let byte = |i: usize| chars.get(i).map_or(text.len(), |(b, _)| *b);
    let mut found = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        if !at(i).is_ascii_digit() {
            i += 1;
            continue;
        }
        let start = i;
        let mut points = 0;
        loop {
            let digit = at(i).is_ascii_digit();
            let point = at(i) == '.' && at(i + 1).is_ascii_digit();
            // Thousands have three digits behind a comma, and no fourth.
            let comma = at(i) == ','
                && points == 0
                && (i + 1..i + 4).all(|d| at(d).is_ascii_digit())
                && !at(i + 4).is_ascii_digit();
            if !(digit || point || comma) {
                break;
            }
            points += usize::from(point);
            i += 1;
        }
        let before = if start == 0 { ' ' } else { at(start - 1) };
        let earlier = if start < 2 { ' ' } else { at(start - 2) };
        let word = |c: char| c.is_alphabetic() || matches!(c, '_' | '#');
        // A hyphen behind a letter joins a name (`SHA-256`); one behind a digit a date or a range.
        let joined = matches!(before, '-' | '/') && earlier.is_alphabetic();
        let after = at(i);
        let called = after == '(' && at(i + 1).is_ascii_lowercase() && at(i + 2) == ')';
        let spaced =
            after == ' ' && at(i + 1) == '%' || matches!(after, '\u{a0}' | '\u{202f}') && at(i + 1) == '%';
        found.push(Numeral {
            at: byte(start)..byte(i),
            digits: text.get(byte(start)..byte(i)).unwrap_or_default().to_owned(),
            percent: after == '%' || spaced,
            in_name: word(before)
                || joined
                || called
                || points > 1
                || word(after) && !ends_word(&chars, i)
                || after == '-' && at(i + 1).is_alphabetic() && before == '-',
        });
    }
    found
}

/// Whether the letters that follow are a unit and no name: `2x`, `5s`, `60th`.
fn ends_word(chars: &[(usize, char)], from: usize) -> bool {
    let letters: String =
        chars.iter().skip(from).map(|(_, c)| *c).take_while(|c| c.is_alphanumeric()).collect();
    matches!(letters.as_str(), "x" | "s" | "ms" | "st" | "nd" | "rd" | "th" | "mm" | "cm" | "d" | "h" | "y")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numerals_are_told_from_names() {
        let of = |text: &str| -> Vec<String> {
            numerals(text)
                .into_iter()
                .map(|n| {
                    format!(
                        "{}{}{}",
                        n.digits,
                        if n.percent { "%" } else { "" },
                        if n.in_name { "!" } else { "" }
                    )
                })
                .collect()
        };
        assert_eq!(of("1,000 of 1,2 and 0.871, 87.2%."), ["1,000", "1", "2", "0.871", "87.2%"]);
        assert_eq!(of("436/500; 95 % CI 84.0% to 90.0%"), ["436", "500", "95%", "84.0%", "90.0%"]);
        assert_eq!(
            of("SHA-256, 510(k), DenseNet121, v1.2.3, 1.2.3"),
            ["256!", "510!", "121!", "1.2.3!", "1.2.3!"]
        );
        assert_eq!(of("2026-01-31, 18-44"), ["2026", "01", "31", "18", "44"]);
        assert_eq!(of("\u{2212}0.25 a1b2"), ["0.25", "1!", "2!"]);
        assert!(of("none").is_empty());
    }
}
