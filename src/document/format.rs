//! How numbers are written. Values are rounded here and nowhere before, to the nearest digit that is
//! printed: three decimals for areas and indices, percent with one decimal beside its count for
//! proportions, and for ratios, which have no scale of their own, decimals by their size.

/// The rule in words, printed in every document.
pub const RULE: &str = "Numbers are rounded once, when they are printed, from the unrounded values in \
                        results.json: areas, kappa and other indices to three decimals, proportions to \
                        percent with one decimal beside their counts, ratios to two decimals (from ten on \
                        to one, from a hundred on to none, below a tenth to three). A confidence bound \
                        that rounding would make equal to its acceptance limit is printed with more \
                        decimals. Percentages in counts tables are the count over the stated total.";

/// How a quantity is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// 0.871
    Index,
    /// 87.1%
    Percent,
    /// 5.43, 54.3, 543, 0.054
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
        Style::Percent => format!("{}%", fixed(value * 100.0, 1)),
        Style::Ratio => ratio(value),
        Style::Count => grouped(&fixed(value, 0)),
    }
}

/// About three digits that count, whatever the size.
fn ratio(value: f64) -> String {
    // What rounds to ten or to a hundred is written as such.
    match value.abs() {
        size if size >= 99.95 => grouped(&fixed(value, 0)),
        size if size >= 9.995 => fixed(value, 1),
        size if size >= 0.0995 || size == 0.0 => fixed(value, 2),
        _ => fixed(value, 3),
    }
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
    let text = fixed(level * 100.0, 2);
    format!("{}%", text.trim_end_matches('0').trim_end_matches('.'))
}

/// A prevalence: percent with as many decimals as it has, up to two, at least one.
pub fn prevalence(value: f64) -> String {
    let text = fixed(value * 100.0, 2);
    format!("{}%", text.strip_suffix('0').unwrap_or(&text))
}

/// A threshold: four decimals.
pub fn threshold(value: f64) -> String {
    fixed(value, 4)
}

/// A p value: three decimals, `< 0.001` below.
pub fn p_value(value: f64) -> String {
    if value < 0.001 { "< 0.001".to_owned() } else { fixed(value, 3) }
}

/// A confidence bound beside its criterion: on the criterion's own scale, with so many decimals that
/// rounding does not make it equal to the limit it is compared with.
pub fn bound(bound: f64, criterion: Option<&str>) -> String {
    let limit = criterion.and_then(|c| c.split_whitespace().last()).and_then(|last| last.parse::<f64>().ok());
    let mut decimals = 3;
    if let Some(limit) = limit {
        while decimals < 9 && bound != limit && fixed(bound, decimals) == fixed(limit, decimals) {
            decimals += 1;
        }
    }
    fixed(bound, decimals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_rounded_when_printed() {
        assert_eq!(number(0.87149, Style::Index), "0.871");
        assert_eq!(number(0.8725, Style::Percent), "87.2%");
        assert_eq!(number(-0.0001, Style::Index), "0.000");
        assert_eq!(number(-0.25, Style::Index), "\u{2212}0.250");
        assert_eq!(number(f64::NAN, Style::Index), "not evaluable");
        let ratios = [(0.0, "0.00"), (0.012, "0.012"), (0.0996, "0.10"), (5.4321, "5.43"), (9.9949, "9.99")];
        let larger = [(9.996, "10.0"), (74.24, "74.2"), (99.96, "100"), (10_804.38, "10,804")];
        for (value, written) in ratios.into_iter().chain(larger) {
            assert_eq!(number(value, Style::Ratio), written);
        }
        assert_eq!(count(1_234_567), "1,234,567");
        assert_eq!(count(100), "100");
        assert_eq!((level(0.95).as_str(), level(0.975).as_str()), ("95%", "97.5%"));
        assert_eq!((prevalence(0.05).as_str(), prevalence(0.0136).as_str()), ("5.0%", "1.36%"));
        assert_eq!((p_value(0.0004).as_str(), p_value(0.25).as_str()), ("< 0.001", "0.250"));
    }

    #[test]
    fn a_bound_never_looks_equal_to_the_limit_it_misses() {
        assert_eq!(bound(0.79996, Some("lower > 0.80")), "0.79996");
        assert_eq!(bound(0.8412, Some("lower > 0.80")), "0.841");
        assert_eq!(bound(0.8, Some("lower > 0.80")), "0.800");
        assert_eq!(bound(0.8, None), "0.800");
    }
}
