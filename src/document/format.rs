//! How numbers are written. Values are rounded here and nowhere before, to the nearest digit that is
//! printed: three decimals for areas and indices, percent with one decimal beside its count for
//! proportions, and for ratios, which have no scale of their own, three digits that count.

/// The rule in words, printed in every document.
pub const RULE: &str = "Numbers are rounded once, when they are printed, from the unrounded values in \
                        results.json: areas, kappa and other indices to three decimals, proportions to \
                        percent with one decimal beside their counts, ratios to three significant digits (a \
                        thousand and more to the whole number; nothing but a ratio of zero is printed as \
                        0). A confidence bound that rounding would make equal to its acceptance limit is \
                        printed with more decimals. Percentages in counts tables are the count over the \
                        stated total.";

/// How a quantity is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// 0.871
    Index,
    /// 87.1%
    Percent,
    /// 5.43, 54.3, 543, 0.0543
    Ratio,
    /// 12
    Count,
}

/// A number in a style. Not finite: `not evaluable`.
pub fn number(value: f64, style: Style) -> String {
    if !value.is_finite() {
        return "not evaluable".to_owned();
    }
    match style {
        Style::Index => fixed(value, 3),
        Style::Percent => format!("{}%", fixed(hundredfold(value), 1)),
        Style::Ratio => ratio(value),
        // What is expected of a thousand is none only where it is none.
        Style::Count if value > 0.0 && value < 0.5 => "< 1".to_owned(),
        Style::Count => grouped(&fixed(value, 0)),
    }
}

/// Ratios below this are printed as smaller than it: more zeros say nothing.
const SMALLEST: f64 = 1e-6;

/// Three significant digits, whatever the size: two ends of an interval are equally exact, and none looks
/// like zero that is not.
fn ratio(value: f64) -> String {
    if value == 0.0 {
        return "0".to_owned();
    }
    if value.abs() < SMALLEST {
        return if value > 0.0 { "< 0.000001" } else { "> \u{2212}0.000001" }.to_owned();
    }
    // Of the rounded number, so that 9.996 is 10.0 and not 10.00.
    let written = format!("{value:.2e}");
    let exponent = written.split_once('e').and_then(|(_, e)| e.parse::<i32>().ok()).unwrap_or_default();
    let decimals = usize::try_from(2 - exponent).unwrap_or_default();
    let text = fixed(value, decimals);
    match text.strip_prefix('\u{2212}') {
        Some(size) => format!("\u{2212}{}", grouped(size)),
        None => grouped(&text),
    }
}

/// A share in percent, to the last digit: of the shortest decimal that is this value, so that 0.2875, which
/// is 23 of 80, gives 28.75 as 100 * 23 / 80 does. A product with 100 is rounded, here to
/// 28.749999999999996, and one share would be printed as 28.7% here and as 28.8% there.
pub fn hundredfold(value: f64) -> f64 {
    let shortest = format!("{value:e}");
    let shifted = shortest.split_once('e').and_then(|(digits, exponent)| {
        let exponent: i32 = exponent.parse().ok()?;
        format!("{digits}e{}", exponent + 2).parse().ok()
    });
    shifted.unwrap_or(value * 100.0)
}

/// A fixed number of decimals, with a true minus sign and no negative zero.
pub fn fixed(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    match text.strip_prefix('-') {
        Some(rest) if rest.bytes().all(|b| matches!(b, b'0' | b'.')) => rest.to_owned(),
        Some(rest) => format!("\u{2212}{rest}"),
        None => text,
    }
}

/// How often, in words: `once`, `twice`, `3 times`.
pub fn times(count: usize) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        _ => format!("{} times", grouped(&count.to_string())),
    }
}

/// A number with its noun: `1 file`, `2 files`; for nouns that take an `s`.
pub fn counted(count: usize, noun: &str) -> String {
    format!("{} {noun}{}", grouped(&count.to_string()), if count == 1 { "" } else { "s" })
}

/// A count with commas between thousands.
pub fn count(value: u64) -> String {
    grouped(&value.to_string())
}

fn grouped(digits: &str) -> String {
    let mut out = String::new();
    let plain = digits.chars().all(|c| c.is_ascii_digit());
    for (index, c) in digits.chars().enumerate() {
        if plain && index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(c);
    }
    out
}

/// A count over its total in percent; a dash when the total is zero.
pub fn share(part: u64, whole: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "counts of cases are far below 2^53")]
    if whole == 0 {
        "\u{2013}".to_owned()
    } else {
        format!("{}%", fixed(100.0 * part as f64 / whole as f64, 1))
    }
}

/// A level such as 0.95 as `95%`.
pub fn level(level: f64) -> String {
    let text = fixed(hundredfold(level), 2);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A prevalence: percent with as many decimals as it has, up to two, at least one.
pub fn prevalence(value: f64) -> String {
    let text = fixed(hundredfold(value), 2);
    format!("{}%", text.strip_suffix('0').unwrap_or(&text))
}

/// A value that was typed: as [`number`], with as many decimals more as it was typed with.
pub fn exactly(value: f64, style: Style) -> String {
    let usual = number(value, style);
    let (scaled, sign) = match style {
        Style::Percent => (hundredfold(value), "%"),
        _ => (value, ""),
    };
    let decimals = usual.trim_end_matches('%').split_once('.').map_or(0, |(_, digits)| digits.len());
    let shortest = scaled.to_string().split_once('.').map_or(0, |(_, digits)| digits.len());
    if shortest > decimals { format!("{}{sign}", fixed(scaled, shortest)) } else { usual }
}

/// A threshold: four decimals.
pub fn threshold(value: f64) -> String {
    fixed(value, 4)
}

/// A p value: three decimals, `< 0.001` below.
pub fn p_value(value: f64) -> String {
    if value < 0.001 { "< 0.001".to_owned() } else { fixed(value, 3) }
}

/// The same behind the letter: `= 0.250`, `< 0.001`.
pub fn p_is(value: f64) -> String {
    let text = p_value(value);
    if text.starts_with('<') { text } else { format!("= {text}") }
}

/// A confidence bound beside its criterion: on the criterion's own scale, with three decimals or
/// [more](decimals_apart).
pub fn bound(bound: f64, criterion: Option<&str>) -> String {
    fixed(bound, decimals_apart(bound, criterion, 3))
}

/// So many decimals, from `least` to 9, that rounding does not make a bound equal to the limit of its
/// criterion.
pub fn decimals_apart(bound: f64, criterion: Option<&str>, least: usize) -> usize {
    let limit = criterion.and_then(|c| c.split_whitespace().last()).and_then(|last| last.parse::<f64>().ok());
    decimals_from(bound, limit.as_slice(), least)
}

/// The same beside several limits.
pub fn decimals_from(bound: f64, limits: &[f64], least: usize) -> usize {
    let equal = |decimals: &usize| {
        limits.iter().any(|limit| bound != *limit && fixed(bound, *decimals) == fixed(*limit, *decimals))
    };
    (least..9).find(|decimals| !equal(decimals)).unwrap_or(9)
}

/// A value as [`number`] writes it, with so many decimals more that it does not look like one of the limits
/// that it is compared with.
pub fn apart(value: f64, limits: &[f64], style: Style) -> String {
    let usual = number(value, style);
    if !limits.iter().any(|limit| value != *limit && number(*limit, style) == usual) {
        return usual;
    }
    match style {
        Style::Percent => {
            let limits: Vec<f64> = limits.iter().map(|limit| hundredfold(*limit)).collect();
            let value = hundredfold(value);
            format!("{}%", fixed(value, decimals_from(value, &limits, 1)))
        }
        _ => fixed(value, decimals_from(value, limits, 3)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_was_typed_keeps_its_decimals() {
        for (value, style, printed) in [
            (0.8, Style::Index, "0.800"),
            (0.9996, Style::Index, "0.9996"),
            (0.9655, Style::Percent, "96.55%"),
            (0.7, Style::Percent, "70.0%"),
            (0.8125, Style::Percent, "81.25%"),
            (3.0, Style::Ratio, "3.00"),
        ] {
            assert_eq!(exactly(value, style), printed);
        }
    }

    #[test]
    fn numbers_are_rounded_when_printed() {
        assert_eq!(number(0.87149, Style::Index), "0.871");
        assert_eq!(number(0.8725, Style::Percent), "87.2%");
        // 0.2875 * 100 is 28.749999999999996.
        assert_eq!((number(0.2875, Style::Percent), share(23, 80)), ("28.8%".to_owned(), "28.8%".to_owned()));
        assert_eq!(number(-0.0001, Style::Index), "0.000");
        assert_eq!(number(-0.25, Style::Index), "\u{2212}0.250");
        assert_eq!(number(f64::NAN, Style::Index), "not evaluable");
        let ratios = [(0.0, "0"), (0.012, "0.0120"), (0.0996, "0.0996"), (0.099_96, "0.100"), (0.3, "0.300")];
        let around_one = [(5.4321, "5.43"), (9.9949, "9.99"), (9.996, "10.0"), (74.24, "74.2")];
        let larger = [(99.96, "100"), (999.6, "1,000"), (10_804.38, "10,804"), (-1234.0, "\u{2212}1,234")];
        let ratios = ratios.into_iter().chain(around_one).chain([(4e-7, "< 0.000001"), (1e-6, "0.00000100")]);
        for (value, written) in ratios.chain(larger) {
            assert_eq!(number(value, Style::Ratio), written);
        }
        assert_eq!(count(1_234_567), "1,234,567");
        let counts = [(0.0, "0"), (0.34, "< 1"), (0.6, "1"), (1499.6, "1,500")];
        for (value, written) in counts {
            assert_eq!(number(value, Style::Count), written);
        }
        assert_eq!(count(100), "100");
        assert_eq!((level(0.95).as_str(), level(0.975).as_str()), ("95%", "97.5%"));
        assert_eq!((prevalence(0.05).as_str(), prevalence(0.0136).as_str()), ("5.0%", "1.36%"));
        assert_eq!((p_is(0.0004).as_str(), p_is(0.25).as_str()), ("< 0.001", "= 0.250"));
        assert_eq!((p_value(0.0004).as_str(), p_value(0.25).as_str()), ("< 0.001", "0.250"));
    }

    #[test]
    fn a_bound_never_looks_equal_to_the_limit_it_misses() {
        assert_eq!(bound(0.79996, Some("lower > 0.80")), "0.79996");
        assert_eq!(bound(0.8412, Some("lower > 0.80")), "0.841");
        assert_eq!(bound(0.8, Some("lower > 0.80")), "0.800");
        assert_eq!(bound(0.8, None), "0.800");
        for (value, style, printed) in [
            (-0.050_04, Style::Percent, "\u{2212}5.004%"),
            (-0.049_6, Style::Percent, "\u{2212}4.96%"),
            (-0.05, Style::Percent, "\u{2212}5.0%"),
            (-0.051, Style::Percent, "\u{2212}5.1%"),
            (0.049_999, Style::Index, "0.049999"),
            (0.05, Style::Index, "0.050"),
            (0.047, Style::Index, "0.047"),
        ] {
            assert_eq!(apart(value, &[0.05, -0.05], style), printed);
        }
    }

    proptest! {
        /// What is printed of a ratio is within half a unit of its third digit, has three of them, and is
        /// zero for zero alone; a larger ratio is never printed as a smaller one.
        #[test]
        fn a_ratio_has_three_significant_digits(
            (digits, exponent, more) in (1.0_f64..10.0, -5_i32..7, 1.0_f64..100.0)
        ) {
            let value = digits * 10_f64.powi(exponent);
            let read = |text: &str| text.replace(',', "").parse::<f64>().expect("a number");
            let printed = number(value, Style::Ratio);
            let plain = printed.replace(',', "");
            let significant = plain.trim_start_matches(['0', '.']).bytes().filter(u8::is_ascii_digit).count();
            prop_assert!(significant == 3 || significant > 3 && !plain.contains('.'), "{value}: {printed}");
            let half = 0.5 * 10_f64.powi((exponent - 2).min(0));
            prop_assert!((read(&printed) - value).abs() <= half * (1.0 + 1e-9), "{value}: {printed}");
            prop_assert!(read(&printed) > 0.0);
            prop_assert!(read(&number(value * more, Style::Ratio)) >= read(&printed));
            prop_assert_eq!(number(-value, Style::Ratio), format!("\u{2212}{printed}"));
        }

        /// A share is one text, whether it comes as a number or as two counts.
        #[test]
        fn a_share_is_printed_alike_as_a_number_and_as_counts((part, whole) in (0_u64..1_001, 1_u64..1_001)) {
            prop_assume!(part <= whole);
            prop_assert_eq!(number(part as f64 / whole as f64, Style::Percent), share(part, whole));
        }
    }
}
