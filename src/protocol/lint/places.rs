//! Where a key stands in the text of a protocol.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::declared::Document;
use crate::diagnostic::Location;

/// The places of all keys of a text, and its texts.
#[derive(Clone, Debug)]
pub struct Places {
    whole: Location,
    found: BTreeMap<String, Location>,
    texts: Vec<(String, String)>,
}

impl Places {
    /// Finds all keys. Of a text that is not TOML nothing is found, and every place is its beginning.
    pub fn new(path: &Path, text: &str) -> Self {
        let document = Document::new(path, text);
        let whole = Location { path: path.into(), line: Some(1), column: Some(1) };
        let mut places = Self { whole, found: BTreeMap::new(), texts: Vec::new() };
        if let Some(table) = document.parse() {
            let place = |span: Range<usize>| document.location(span);
            places.table("", table.get_ref(), &place);
        }
        places
    }

    fn table(&mut self, name: &str, table: &DeTable<'_>, place: &dyn Fn(Range<usize>) -> Location) {
        for (key, value) in table.iter() {
            let key: &str = key.get_ref();
            let name = if name.is_empty() { key.to_owned() } else { format!("{name}.{key}") };
            self.value(&name, value, place);
        }
    }

    fn value(&mut self, name: &str, value: &Spanned<DeValue<'_>>, place: &dyn Fn(Range<usize>) -> Location) {
        self.found.insert(name.to_owned(), place(value.span()));
        match value.get_ref() {
            DeValue::Table(table) => self.table(name, table, place),
            DeValue::Array(array) => {
                for (index, item) in array.iter().enumerate() {
                    self.value(&format!("{name}[{}]", index + 1), item, place);
                }
            }
            DeValue::String(text) => self.texts.push((name.to_owned(), text.to_string())),
            _ => {}
        }
    }

    /// Where a key is, such as `endpoint[2].interval` (counted from 1): its value, or the nearest table
    /// around it, or the beginning of the file.
    pub fn at(&self, name: &str) -> Location {
        let mut name = name;
        loop {
            if let Some(location) = self.found.get(name) {
                return location.clone();
            }
            match name.rfind(['.', '[']) {
                Some(end) => name = &name[..end],
                None => return self.whole.clone(),
            }
        }
    }

    /// Whether the key was typed.
    pub fn has(&self, name: &str) -> bool {
        self.found.contains_key(name)
    }

    /// Every text of the document: the key, and what stands there.
    pub fn texts(&self) -> &[(String, String)] {
        &self.texts
    }
}
