//! Arithmetic in typed words: a share beside its counts, and a sum beside its parts, that do not hold.

use crate::document::format;
use crate::document::trace::numerals::{Numeral, numerals};

/// Every share and every sum of a text that is not that of the numbers beside it, in words.
pub(super) fn wrong(text: &str) -> Vec<String> {
    let found = numerals(text);
    let between = |a: &Numeral, b: &Numeral| {
        text.get(a.at.end..b.at.start).unwrap_or_default().trim_matches(['%', ' ', '\u{a0}'])
    };
    let is_of = |words: &str| matches!(words, "/" | "of" | "out of" | "of the" | "of all");
    let mut wrong = Vec::new();
    for three in found.windows(3) {
        let [a, b, c] = three else { continue };
        // `436/500 (87.2%)`, `436 of 500, 87.2%`; and `87.2% (436/500)`.
        let near =
            |words: &str| matches!(words, "(" | "," | ":" | "=" | "is" | "are" | "or" | "cases (" | "; ");
        let share = if is_of(between(a, b)) && c.percent && near(between(b, c)) {
            Some((a, b, c))
        } else if a.percent && is_of(between(b, c)) && near(between(a, b)) {
            Some((b, c, a))
        } else {
            None
        };
        if let Some((part, whole, percent)) = share
            && !part.percent
            && !whole.percent
            && let Some(message) = wrong_share(part, whole, percent)
        {
            wrong.push(message);
        }
        let sum = between(a, b) == "+" && between(b, c) == "=";
        let value = |n: &Numeral| n.plain().parse::<f64>().ok();
        if sum
            && let (Some(one), Some(other), Some(total)) = (value(a), value(b), value(c))
            && (one + other - total).abs() > 1e-9
        {
            wrong.push(format!("{} + {} is not {}", a.digits, b.digits, c.digits));
        }
    }
    wrong
}

fn wrong_share(part: &Numeral, whole: &Numeral, percent: &Numeral) -> Option<String> {
    let (k, n): (f64, f64) = (part.plain().parse().ok()?, whole.plain().parse().ok()?);
    if n <= 0.0 || part.decimals() > 0 || whole.decimals() > 0 {
        return None;
    }
    let right = format::fixed(100.0 * k / n, percent.decimals());
    (right != percent.plain())
        .then(|| format!("{} of {} is {right}%, and not {}%", part.digits, whole.digits, percent.digits))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_share_or_a_sum_that_does_not_hold_is_named() {
        for (text, expected) in [
            ("436/500 (87.2%)", 0),
            ("It found 436 of 500 (88.0%).", 1),
            ("88.1% (436/500; 95% CI 84.0% to 90.0%)", 1),
            ("87.2% (436/500; 95% CI 84.0% to 90.0%)", 0),
            ("436 out of 500, 87%", 0),
            ("12 + 30 = 41", 1),
            ("12 + 30 = 42", 0),
            ("2 of 3 readers, 95% CI", 0),
        ] {
            assert_eq!(wrong(text).len(), expected, "{text}: {:?}", wrong(text));
        }
    }

    proptest! {
        #[test]
        fn what_holds_is_never_named_and_what_does_not_always(
            whole in 1..100_000_u64, share in 0.0..=1.0_f64, decimals in 0..3_usize, off in 2..40_u32,
        ) {
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a share of a count")]
            let part = (whole as f64 * share) as u64;
            let right = 100.0 * part as f64 / whole as f64;
            let (part, whole) = (format::count(part), format::count(whole));
            let percent = format::fixed(right, decimals);
            for text in [format!("{part} of {whole} ({percent}%)"), format!("{percent}% ({part}/{whole})")] {
                prop_assert!(wrong(&text).is_empty(), "{text}");
            }
            let percent = format::fixed(right + f64::from(off), decimals);
            prop_assert_eq!(wrong(&format!("{part} of {whole} ({percent}%)")).len(), 1);
        }
    }
}
