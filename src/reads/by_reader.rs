//! What a few readers said of one case: a sorted list, which takes a fifth of the memory of a tree.

use std::ops::Index;

use crate::table::Word;

/// One value a reader, sorted by reader.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByReader<T>(Vec<(Word, T)>);

impl<T> Default for ByReader<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> ByReader<T> {
    /// Puts a reader's value there, in place of the one that was.
    pub fn insert(&mut self, reader: Word, value: T) {
        match self.place(&reader) {
            Ok(place) => self.0[place].1 = value,
            Err(place) => {
                // There are few, and none is added later.
                self.0.reserve_exact(1);
                self.0.insert(place, (reader, value));
            }
        }
    }

    fn place(&self, reader: &str) -> Result<usize, usize> {
        self.0.binary_search_by(|(known, _)| known.as_str().cmp(reader))
    }

    /// A reader's value.
    pub fn get(&self, reader: &str) -> Option<&T> {
        self.place(reader).ok().map(|place| &self.0[place].1)
    }

    /// Whether the reader has one.
    pub fn contains_key(&self, reader: &str) -> bool {
        self.place(reader).is_ok()
    }

    /// The readers, sorted.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(reader, _)| reader.as_str())
    }

    /// The values, by reader.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        self.0.iter().map(|(_, value)| value)
    }

    /// Readers with their values, sorted by reader.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &T)> {
        self.0.iter().map(|(reader, value)| (reader.as_str(), value))
    }

    /// How many readers.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether no reader has a value.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T> Index<&str> for ByReader<T> {
    type Output = T;

    /// The value of a reader who has one.
    fn index(&self, reader: &str) -> &T {
        &self.0[self.place(reader).unwrap_or(usize::MAX)].1
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    proptest::proptest! {
        #[test]
        fn it_holds_what_a_tree_of_the_same_readers_holds(
            put in proptest::collection::vec(("[a-cA]{0,2}", 0_u8..9), 0..12),
        ) {
            let mut ours = ByReader::default();
            let mut tree = BTreeMap::new();
            for (reader, value) in &put {
                ours.insert(Word::from(reader.as_str()), *value);
                tree.insert(reader.as_str(), *value);
            }
            let all: Vec<(&str, u8)> = tree.iter().map(|(reader, value)| (*reader, *value)).collect();
            proptest::prop_assert_eq!(ours.iter().map(|(reader, v)| (reader, *v)).collect::<Vec<_>>(), all);
            proptest::prop_assert!(ours.keys().eq(tree.keys().copied()) && ours.values().eq(tree.values()));
            proptest::prop_assert_eq!((ours.len(), ours.is_empty()), (tree.len(), tree.is_empty()));
            for reader in ["", "a", "A", "ab", "zz"] {
                proptest::prop_assert_eq!(ours.get(reader), tree.get(reader));
                proptest::prop_assert_eq!(ours.contains_key(reader), tree.contains_key(reader));
            }
            for (reader, value) in &tree {
                proptest::prop_assert_eq!(ours[reader], *value);
            }
        }
    }
}
