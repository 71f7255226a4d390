//! Texts that stand in very many rows and once in memory, such as a reader's id: of a large study the copies
//! would be most of it.

use std::borrow::Borrow;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Deref;
use std::path::Path;

use arcstr::{ArcStr, Substr};
use serde::{Serialize, Serializer};

/// A text that is shared by whoever holds it.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word(Substr);

impl Word {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text as the name of a file.
    pub fn as_path(&self) -> &Path {
        Path::new(self.as_str())
    }
}

impl Deref for Word {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for Word {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<Path> for Word {
    fn as_ref(&self) -> &Path {
        self.as_path()
    }
}

impl From<&str> for Word {
    fn from(text: &str) -> Self {
        Self(Substr::from(text))
    }
}

impl From<String> for Word {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<Word> for String {
    fn from(word: Word) -> Self {
        word.as_str().to_owned()
    }
}

impl Serialize for Word {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self)
    }
}

impl PartialEq<str> for Word {
    fn eq(&self, other: &str) -> bool {
        self.as_str() == other
    }
}

impl PartialEq<&str> for Word {
    fn eq(&self, other: &&str) -> bool {
        self.as_str() == *other
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().fmt(f)
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.as_str(), f)
    }
}

/// The texts so far, each once.
#[derive(Clone, Debug, Default)]
pub struct Words(BTreeSet<Word>);

impl Words {
    /// The text, as it is held already where it was there before.
    pub fn word(&mut self, text: &str) -> Word {
        if let Some(known) = self.0.get(text) {
            return known.clone();
        }
        let word = Word::from(text);
        self.0.insert(word.clone());
        word
    }
}

/// Texts of many rows that will be one: of a large table's ids the allocations would be as much as the texts.
#[derive(Debug, Default)]
pub struct Texts(String);

/// Where one of them stands.
pub type Place = (usize, usize);

impl Texts {
    /// Takes one more.
    pub fn push(&mut self, text: &str) -> Place {
        let from = self.0.len();
        self.0.push_str(text);
        (from, self.0.len())
    }

    /// All of them.
    pub fn shared(self) -> SharedTexts {
        SharedTexts(self.0.into())
    }
}

/// The texts as one, which is there as long as any of them.
#[derive(Debug)]
pub struct SharedTexts(ArcStr);

impl SharedTexts {
    /// The text that stands there.
    pub fn word(&self, place: Place) -> Word {
        Word(self.part(place))
    }

    /// The same, for types of others.
    pub fn part(&self, (from, to): Place) -> Substr {
        self.0.substr(from..to)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn words_are_the_texts_they_were_made_of_and_each_is_held_once(
            texts in proptest::collection::vec("[ab\u{e9}]{0,2}", 0..20),
        ) {
            let mut words = Words::default();
            let made: Vec<Word> = texts.iter().map(|text| words.word(text)).collect();
            for (word, text) in made.iter().zip(&texts) {
                proptest::prop_assert_eq!(word, text.as_str());
                proptest::prop_assert_eq!(word.to_string(), text.clone());
            }
            for (a, one) in made.iter().zip(&texts) {
                for (b, other) in made.iter().zip(&texts) {
                    proptest::prop_assert_eq!(Substr::shallow_eq(&a.0, &b.0), one == other);
                    proptest::prop_assert_eq!(a.cmp(b), one.cmp(other));
                }
            }
        }
    }
}
