//! Ids that differ in form alone: zero padding, capitals, spaces, dots, or the `.0` that programs for tables
//! append to whole numbers. Such ids are probably the same. Evidence matches ids as they stand; the folded
//! form serves warnings and refusals alone.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization as _;

/// The form that ids have in common which differ in form alone.
///
/// Lower case; without blanks; numbers within it without leading zeros; `12.0` as `12`; without dots, but in
/// an id of nothing but digits and dots, such as the UID of DICOM, where they separate numbers.
pub fn folded(id: &str) -> String {
    let id = id.trim();
    let id = match id.split_once('.') {
        Some((whole, zeros)) if is_digits(whole) && !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => {
            whole
        }
        _ => id,
    };
    let numbers = id.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let mut out = String::with_capacity(id.len());
    let mut digits = String::new();
    // A number is ended by whatever is no digit, also by what is left out.
    let end = |digits: &mut String, out: &mut String| {
        let short = digits.trim_start_matches('0');
        out.push_str(if short.is_empty() && !digits.is_empty() { "0" } else { short });
        digits.clear();
    };
    for c in id.chars() {
        if c.is_ascii_digit() {
            digits.push(c);
            continue;
        }
        end(&mut digits, &mut out);
        if c.is_whitespace() || (c == '.' && !numbers) {
            continue;
        }
        out.extend(c.to_lowercase());
    }
    end(&mut digits, &mut out);
    out
}

/// Characters that are not seen: soft hyphen, joiners, marks of direction and of byte order.
fn is_unseen(c: char) -> bool {
    let marks = ['\u{ad}', '\u{180e}', '\u{feff}'];
    marks.contains(&c)
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}')
}

/// The form that ids have in common which people see as one: [`folded`], in one Unicode form (NFKC), without
/// characters that are not seen, without the sign that makes a text of a number (`'007`, `="007"`), and
/// with a whole number in digits that a program for tables wrote as `1.00E+05`.
pub fn seen(id: &str) -> String {
    let plain: String = match id.is_ascii() {
        true => id.to_owned(),
        false => id.nfkc().filter(|c| !is_unseen(*c)).collect(),
    };
    let text = plain.trim();
    let text = text.strip_prefix('\'').unwrap_or(text);
    let text = text.strip_prefix("=\"").and_then(|text| text.strip_suffix('"')).unwrap_or(text);
    let in_digits = text.contains(['e', 'E']).then(|| {
        let (digits, exponent) = text.split_once(['e', 'E'])?;
        let is_number = |text: &str| is_digits(&text.replace('.', ""));
        let exponent = exponent.strip_prefix('+').unwrap_or(exponent);
        let value = text.parse::<f64>().ok().filter(|value| value.fract() == 0.0 && value.abs() < 1e15)?;
        (is_number(digits) && is_digits(exponent)).then(|| format!("{value:.0}"))
    });
    folded(in_digits.flatten().as_deref().unwrap_or(text))
}

/// An id as a message shows it: what cannot be seen of it by its number.
pub fn visible(id: &str) -> String {
    let combining = |c: char| unicode_normalization::char::is_combining_mark(c);
    let shown = |c: char| match is_unseen(c)
        || combining(c)
        || (c.is_alphanumeric() && !c.is_ascii() && !id.nfkc().any(|n| n == c))
    {
        true => format!("\\u{{{:x}}}", u32::from(c)),
        false => c.to_string(),
    };
    id.chars().map(shown).collect()
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// What ids that are probably the same have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// [`folded`].
    #[default]
    Folded,
    /// [`seen`]: also what other characters look like.
    Seen,
}

impl Form {
    fn of(self, id: &str) -> String {
        match self {
            Self::Folded => folded(id),
            Self::Seen => seen(id),
        }
    }
}

/// Ids by their form: a sorted list of 24 bytes an id, because there are as many as cases.
#[derive(Clone, Debug, Default)]
pub struct Alike<'a> {
    form: Form,
    /// The hash of the form, and the id.
    ids: Vec<(u64, &'a str)>,
}

impl<'a> FromIterator<&'a str> for Alike<'a> {
    fn from_iter<I: IntoIterator<Item = &'a str>>(ids: I) -> Self {
        Self::of(ids, Form::Folded)
    }
}

impl<'a> Alike<'a> {
    /// Ids by a form.
    pub fn of(ids: impl IntoIterator<Item = &'a str>, form: Form) -> Self {
        let mut ids: Vec<(u64, &str)> = ids.into_iter().map(|id| (hash(&form.of(id)), id)).collect();
        ids.sort_unstable();
        ids.dedup();
        Self { form, ids }
    }

    /// Ids that are probably the same: groups of two and more, sorted by their form and within it.
    pub fn groups(&self) -> Vec<Vec<&'a str>> {
        let mut groups: BTreeMap<String, Vec<&'a str>> = BTreeMap::new();
        for of_hash in self.ids.chunk_by(|a, b| a.0 == b.0).filter(|of_hash| of_hash.len() > 1) {
            for (_, id) in of_hash {
                groups.entry(self.form.of(id)).or_default().push(id);
            }
        }
        groups.into_values().filter(|ids| ids.len() > 1).collect()
    }

    /// The known id that is probably meant by another one.
    pub fn likely(&self, id: &str) -> Option<&'a str> {
        let form = self.form.of(id);
        let wanted = hash(&form);
        let from = self.ids.partition_point(|(hash, _)| *hash < wanted);
        let mut of_hash = self.ids[from..].iter().take_while(|(hash, _)| *hash == wanted).map(|(_, id)| *id);
        of_hash.find(|known| *known != id && self.form.of(known) == form)
    }
}

/// FNV-1a of 64 bits (Fowler, Noll and Vo): forms of one hash are compared themselves.
fn hash(form: &str) -> u64 {
    form.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// The ids of a group as a message names them.
pub fn named<'a>(ids: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = ids.into_iter().map(|id| format!("`{id}`")).collect();
    quoted.join(", ")
}

/// The same of ids that people see as one: see [`visible`].
pub fn named_visibly<'a>(ids: impl IntoIterator<Item = &'a str>) -> String {
    let quoted: Vec<String> = ids.into_iter().map(|id| format!("`{}`", visible(id))).collect();
    quoted.join(", ")
}

/// How ids of one folded form differ, for messages.
pub const DIFFERENCE: &str = "they differ in zero padding, capitals, spaces or dots alone";

/// How ids differ that people see as one, for messages.
pub const UNSEEN_DIFFERENCE: &str = "they look alike, and are written with other characters";

/// Whether ids of one seen form differ in more than their folded form.
pub fn differ_unseen<'a>(ids: impl IntoIterator<Item = &'a str>) -> bool {
    let mut forms = ids.into_iter().map(folded);
    let first = forms.next();
    forms.any(|form| Some(form) != first)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ids_that_are_seen_as_one_have_one_form() {
        let same = [
            ["M\u{fc}ller", "Mu\u{308}ller"],
            ["R1", "R1\u{200b}"],
            ["R1", "\u{ff32}\u{ff11}"],
            ["C\u{ad}3", "c3"],
            ["\u{feff}a", "A"],
            ["1E5", "100000"],
            ["1.00E+05", "1e5"],
            ["'007", "7"],
            ["=\"007\"", "007"],
        ];
        for [one, other] in same {
            assert_eq!(seen(one), seen(other), "{one} and {other}");
        }
        for [one, other] in [
            ["1E5", "15"],
            ["E1", "1"],
            ["A1", "A2"],
            ["1e400", "1e401"],
            ["e", ""],
            ["M\u{fc}ller", "Muller"],
        ] {
            assert_ne!(seen(one), seen(other), "{one} and {other}");
        }
        let ids = ["b1", "R1", "B 1", "R1", "R2", "R2\u{200b}"];
        let groups = Alike::of(ids, Form::Seen).groups();
        assert_eq!(groups, [["B 1", "b1"], ["R2", "R2\u{200b}"]]);
        let unseen: Vec<bool> = groups.into_iter().map(differ_unseen).collect();
        assert_eq!(unseen, [false, true]);
        assert_eq!(named_visibly(["R1", "R1\u{200b}"]), "`R1`, `R1\\u{200b}`");
        assert_eq!(visible("C002\u{200b}"), "C002\\u{200b}");
        assert_eq!(visible("Mu\u{308}ller"), "Mu\\u{308}ller");
        assert_eq!(visible("M\u{fc}ller 7"), "M\u{fc}ller 7");
        assert_eq!(visible("\u{ff32}1"), "\\u{ff32}1");
    }

    #[test]
    fn ids_that_differ_in_form_alone_fold_to_one() {
        let same = [
            ["00000001", "1"],
            ["1.0", "1"],
            ["012.00", "12"],
            ["EF", "ef"],
            ["P 07", "p7"],
            ["Dr. Smith", "dr smith"],
            ["P.001", "P1"],
            ["00000013_008.png", "13_8.PNG"],
            [" a\u{a0}b", "AB"],
            ["0", "000"],
            ["1.2.840.010", "1.2.840.10"],
        ];
        for [one, other] in same {
            assert_eq!(folded(one), folded(other), "{one} and {other}");
        }
        let different = [
            ["1", "10"],
            ["P1", "P10"],
            ["1.23.4", "1.2.34"],
            ["1.5", "15"],
            ["a-1", "a1"],
            ["0", ""],
            ["13_008", "130_08"],
        ];
        for [one, other] in different {
            assert_ne!(folded(one), folded(other), "{one} and {other}");
        }
        let known: Alike<'_> = ["C001", "C002", "c 2"].into_iter().collect();
        assert_eq!(
            (known.likely("c1"), known.likely("C3"), known.likely("C001")),
            (Some("C001"), None, None)
        );
        let groups: Vec<String> = known.groups().into_iter().map(named).collect();
        assert_eq!(groups, ["`C002`, `c 2`"]);
    }

    proptest! {
        #[test]
        fn changing_the_form_of_an_id_does_not_change_its_fold(
            letters in "[a-z]{1,3}",
            number in 1..9999_u32,
            zeros in 0..4_usize,
            spaced in any::<bool>(),
            upper in any::<bool>(),
        ) {
            let mut other = format!("{letters}{}{}{number}", if spaced { " \
                " } else { "" }, "0".repeat(zeros));
            if upper {
                other = other.to_uppercase();
            }
            prop_assert_eq!(folded(&other), folded(&format!("{letters}{number}")));
            prop_assert_eq!(folded(&folded(&other)), folded(&other));
            prop_assert_eq!(folded(&format!("{}{number}.0", "0".repeat(zeros))), folded(&number.to_string()));
        }
    }

    #[test]
    fn a_point_and_zeros_are_cut_off_whole_numbers_alone() {
        assert_eq!(
            (folded("12.0"), folded("12.000"), folded("12.")),
            ("12".into(), "12".into(), "12.".into())
        );
        assert_eq!(
            (folded("12.50"), folded(".0"), folded("a1.0")),
            ("12.50".into(), ".0".into(), "a10".into())
        );
        assert_eq!((folded("1.0.0"), folded("01.2")), ("1.0.0".into(), "1.2".into()));
        assert_eq!(
            (folded(""), folded("  "), folded("007a00")),
            (String::new(), String::new(), "7a0".into())
        );
        // Each number loses its own zeros, also where a blank between two is left out.
        assert_eq!(folded("a 01 02"), "a12");
        assert_eq!(named(["a", "b"]), "`a`, `b`");
    }
}
