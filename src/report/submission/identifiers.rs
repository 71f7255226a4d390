//! The ids of a study's cases and patients: of a large one there are millions, so they are one text.

use std::cmp::Ordering;
use std::io::Read;

/// Ids, each once and sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identifiers {
    /// All of them, one after another.
    text: String,
    /// Where each begins and ends there; a table that can be read has less than four gigabytes.
    places: Vec<(u32, u32)>,
}

impl Identifiers {
    fn at(&self, (from, to): (u32, u32)) -> &str {
        &self.text[from as usize..to as usize]
    }

    /// Whether this is one of them.
    pub fn contains(&self, id: &str) -> bool {
        self.places.binary_search_by(|place| self.at(*place).cmp(id)).is_ok()
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.places.iter().map(|place| self.at(*place))
    }

    /// Takes one more; [`Identifiers::sort`] follows the last. An empty one is none.
    fn push(&mut self, id: &str) {
        let (from, to) = (u32::try_from(self.text.len()), u32::try_from(self.text.len() + id.len()));
        if let (false, Ok(from), Ok(to)) = (id.is_empty(), from, to) {
            self.text.push_str(id);
            self.places.push((from, to));
        }
    }

    fn sort(&mut self) {
        let mut places = std::mem::take(&mut self.places);
        places.sort_unstable_by(|a, b| self.at(*a).cmp(self.at(*b)));
        places.dedup_by(|a, b| self.at(*a).cmp(self.at(*b)) == Ordering::Equal);
        places.shrink_to_fit();
        self.places = places;
        self.text.shrink_to_fit();
    }

    /// Those of a table's columns of this name.
    ///
    /// # Errors
    /// Where this is no table.
    pub fn of_table(bytes: impl Read, columns: &[&str]) -> Result<Self, csv::Error> {
        let mut table = csv::ReaderBuilder::new().from_reader(bytes);
        let headers = table.headers()?;
        let places: Vec<usize> =
            columns.iter().filter_map(|name| headers.iter().position(|header| header == *name)).collect();
        let mut found = Self::default();
        let mut row = csv::StringRecord::new();
        while table.read_record(&mut row)? {
            places.iter().filter_map(|place| row.get(*place)).for_each(|id| found.push(id));
        }
        found.sort();
        Ok(found)
    }
}

impl<'a> FromIterator<&'a str> for Identifiers {
    fn from_iter<I: IntoIterator<Item = &'a str>>(ids: I) -> Self {
        let mut found = Self::default();
        ids.into_iter().for_each(|id| found.push(id));
        found.sort();
        found
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    proptest::proptest! {
        #[test]
        fn they_are_a_set_of_what_is_not_empty(
            ids in proptest::collection::vec("[ab\u{e9}]{0,3}", 0..30),
        ) {
            let found: Identifiers = ids.iter().map(String::as_str).collect();
            let texts = ids.iter().map(String::as_str).filter(|id| !id.is_empty());
            let expected: BTreeSet<&str> = texts.collect();
            proptest::prop_assert!(found.iter().eq(expected.iter().copied()));
            for id in ["", "a", "b", "ab", "\u{e9}"] {
                proptest::prop_assert_eq!(found.contains(id), expected.contains(id));
            }
        }
    }

    #[test]
    fn they_are_read_from_the_columns_that_are_there() {
        let found =
            Identifiers::of_table(&b"patient_id,x,case_id\np,1,b\np,2,a\n"[..], &["case_id", "patient_id"]);
        assert!(found.expect("a table").iter().eq(["a", "b", "p"]));
        assert!(Identifiers::of_table(&b"x,y\n1\n"[..], &["x"]).is_err());
    }
}
