//! Ids that differ in form alone: zero padding, capitals, spaces, dots, or the `.0` that programs for tables
//! append to whole numbers. Such ids are probably the same. Evidence matches ids as they stand; the folded
//! form serves warnings and refusals alone.

use std::collections::BTreeMap;

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

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// Ids by their folded form: a sorted list of 24 bytes an id, because there are as many as cases.
#[derive(Clone, Debug, Default)]
pub struct Alike<'a> {
    /// The hash of the folded form, and the id.
    ids: Vec<(u64, &'a str)>,
}

impl<'a> FromIterator<&'a str> for Alike<'a> {
    fn from_iter<I: IntoIterator<Item = &'a str>>(ids: I) -> Self {
        let mut ids: Vec<(u64, &str)> = ids.into_iter().map(|id| (hash(&folded(id)), id)).collect();
        ids.sort_unstable();
        ids.dedup();
        Self { ids }
    }
}

impl<'a> Alike<'a> {
    /// Ids that are probably the same: groups of two and more, sorted by their form and within it.
    pub fn groups(&self) -> Vec<Vec<&'a str>> {
        let mut groups: BTreeMap<String, Vec<&'a str>> = BTreeMap::new();
        for of_hash in self.ids.chunk_by(|a, b| a.0 == b.0).filter(|of_hash| of_hash.len() > 1) {
            for (_, id) in of_hash {
                groups.entry(folded(id)).or_default().push(id);
            }
        }
        groups.into_values().filter(|ids| ids.len() > 1).collect()
    }

    /// The known id that is probably meant by another one.
    pub fn likely(&self, id: &str) -> Option<&'a str> {
        let form = folded(id);
        let wanted = hash(&form);
        let from = self.ids.partition_point(|(hash, _)| *hash < wanted);
        let mut of_hash = self.ids[from..].iter().take_while(|(hash, _)| *hash == wanted).map(|(_, id)| *id);
        of_hash.find(|known| *known != id && folded(known) == form)
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

/// How ids of one folded form differ, for messages.
pub const DIFFERENCE: &str = "they differ in zero padding, capitals, spaces or dots alone";

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

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
