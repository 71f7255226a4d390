//! What a cell means: numbers, whole numbers, yes and no, declared words.
//!
//! Programs that keep a column of whole numbers beside gaps as floating point write `50.0` for 50 and `1.0`
//! for a label of 1; such a cell is the whole number. `50.5` is none.

use std::fmt;

/// Beyond this a floating point number does not tell neighbouring whole numbers apart.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// A finite number; decimals are written with a point.
pub fn number(text: &str) -> Option<f64> {
    text.parse().ok().filter(|value: &f64| value.is_finite())
}

/// A whole number, also written with a fraction of zeros or with an exponent.
pub fn whole(text: &str) -> Option<i64> {
    text.parse().ok().or_else(|| {
        let value = number(text).filter(|v| v.fract() == 0.0 && v.abs() < EXACT)?;
        #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^53")]
        Some(value as i64)
    })
}

/// Why a cell is no whole number of the kind that is wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotWhole;

impl fmt::Display for NotWhole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("must be a whole number, and not too large")
    }
}

/// A whole number within the range of its type.
///
/// # Errors
/// For everything else.
pub fn whole_of<T: TryFrom<i64>>(text: &str) -> Result<T, NotWhole> {
    whole(text).and_then(|value| T::try_from(value).ok()).ok_or(NotWhole)
}

/// Yes or no in words or as a number, such as `1`, `1.00`, `0.0`; upper and lower case alike.
pub fn binary(text: &str) -> Option<bool> {
    const POSITIVE: [&str; 4] = ["1", "true", "yes", "positive"];
    const NEGATIVE: [&str; 4] = ["0", "false", "no", "negative"];
    let is = |list: &[&str]| list.iter().any(|word| is_word(word, text));
    if is(&POSITIVE) {
        return Some(true);
    }
    is(&NEGATIVE).then_some(false)
}

/// What [`binary`] reads, for messages.
pub const BINARY: &str = "1/0, true/false, yes/no, positive/negative";

/// Whether a cell says a declared word: upper and lower case alike, a whole number with or without a
/// fraction of zeros.
pub fn is_word(word: &str, text: &str) -> bool {
    word.eq_ignore_ascii_case(text)
        || (!(word.is_ascii() && text.is_ascii()) && word.to_lowercase() == text.to_lowercase())
        || (starts_like_a_number(text) && whole(word).is_some_and(|w| whole(text) == Some(w)))
}

/// How a word is compared where many are: the form in which equal words are the same text.
pub fn key_of(text: &str) -> String {
    match whole(text).filter(|_| starts_like_a_number(text)) {
        Some(value) => value.to_string(),
        None => text.to_lowercase(),
    }
}

fn starts_like_a_number(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.'))
}

/// The beginning of a text, for messages.
pub fn short(text: &str) -> String {
    text.chars().take(60).collect()
}

/// The cell as a message shows it.
pub fn shown(text: &str) -> String {
    let short: String = text.chars().take(40).collect();
    if short.is_empty() { "it is empty".into() } else { format!("{short:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_whole_number_may_have_a_fraction_of_zeros_and_no_other() {
        for (text, value) in [("50", 50), ("50.0", 50), ("50.", 50), ("-3.00", -3), ("1e3", 1000), ("+7", 7)]
        {
            assert_eq!(whole(text), Some(value), "{text}");
        }
        for text in ["", "50.5", "x", "50,0", "1e300", "nan", "inf", "0x10", "5 0"] {
            assert_eq!(whole(text), None, "{text}");
        }
        assert_eq!(whole_of::<u16>("70000"), Err(NotWhole));
        assert_eq!(whole_of::<u16>("-1.0"), Err(NotWhole));
        assert_eq!(whole_of::<u16>("81.0"), Ok(81));
        assert_eq!(whole("9007199254740993"), Some(9_007_199_254_740_993), "digits are exact");
        assert_eq!(whole("9007199254740993.0"), None, "a float of this size is not");
    }

    #[test]
    fn yes_and_no_are_read_in_every_spelling_and_nothing_else() {
        for text in ["1", "1.0", "1.00", "TRUE", "yes", "Positive"] {
            assert_eq!(binary(text), Some(true), "{text}");
        }
        for text in ["0", "0.0", "-0", "false", "No", "NEGATIVE"] {
            assert_eq!(binary(text), Some(false), "{text}");
        }
        for text in ["", "2", "0.5", "y", "nan", "1.0.0"] {
            assert_eq!(binary(text), None, "{text}");
        }
    }

    #[test]
    fn words_are_compared_without_case_and_numbers_by_value() {
        assert!(is_word("Ödem", "ödem") && is_word("1", "1.0") && is_word("1.0", "1") && !is_word("1", "10"));
        assert!(!is_word("infinity", "inf") && !is_word("", "0"));
        assert_eq!(
            (key_of("2.0").as_str(), key_of("Mass").as_str(), key_of("e5").as_str()),
            ("2", "mass", "e5")
        );
    }
}
