//! Numerals that may stand in words though no file of the evidence has them: `templates/numerals.toml`.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::document::trace::numerals::Numeral;

/// One kind of numeral with its reason.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Allowed {
    /// What stands there; `#` for any digits.
    text: String,
    /// Why.
    pub(super) reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct List {
    allowed: Vec<Allowed>,
}

static LIST: LazyLock<Vec<Allowed>> = LazyLock::new(|| {
    let list: Result<List, _> = toml::from_str(include_str!("../../../templates/numerals.toml"));
    list.map(|list| list.allowed).unwrap_or_default()
});

/// Why a numeral may stand where it does; the first entry that covers it.
pub(super) fn reason(text: &str, numeral: &Numeral) -> Option<&'static str> {
    LIST.iter().find(|allowed| covers(&allowed.text, text, numeral)).map(|allowed| allowed.reason.as_str())
}

/// Whether the words of an entry stand around the numeral.
fn covers(entry: &str, text: &str, numeral: &Numeral) -> bool {
    // The longest entry has a few dozen bytes: further back it cannot begin.
    let from = numeral.at.start.saturating_sub(2 * entry.len() + 24);
    (from..=numeral.at.start)
        .filter(|start| text.is_char_boundary(*start))
        .any(|start| matched(entry, &text[start..]).is_some_and(|end| start + end >= numeral.at.end))
}

/// How many bytes of a text the entry takes at its beginning.
fn matched(entry: &str, text: &str) -> Option<usize> {
    let mut at = 0;
    for c in entry.chars() {
        let rest = text.get(at..)?;
        if c == '#' {
            let digits = rest.bytes().take_while(|b| b.is_ascii_digit() || matches!(b, b'.' | b',')).count();
            // A point at the end of a sentence is none of the digits.
            let digits = rest.get(..digits)?.trim_end_matches(['.', ',']).len();
            if digits == 0 {
                return None;
            }
            at += digits;
        } else {
            at += rest.strip_prefix(c).map(|_| c.len_utf8())?;
        }
    }
    Some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::document::trace::numerals::numerals;

    #[test]
    fn an_entry_covers_its_numeral_and_no_other() {
        assert!(LIST.len() > 10 && LIST.iter().all(|allowed| allowed.reason.len() > 10));
        let of =
            |text: &str| -> Vec<bool> { numerals(text).iter().map(|n| reason(text, n).is_some()).collect() };
        assert_eq!(of("21 CFR 892.2080 and 21 cases"), [true, true, false]);
        assert_eq!(of("510(k) of 510 cases"), [true, false]);
        assert_eq!(of("Clopper and Pearson (1934), 1934 cases"), [true, false]);
    }
}
