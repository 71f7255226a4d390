//! Words of the lists that come with the program (requirements, fields, citations), and what the map of
//! requirements says of each: they are printed as they are, and their numerals are no results.

use std::collections::{BTreeMap, BTreeSet};

use crate::document::render::Files;
use crate::document::trace::numerals::Numeral;
use crate::report::citations::citations;
use crate::report::set::{fields, requirements};

/// Why a text of a list may hold numerals, and counts that follow from the list.
#[derive(Debug, Default)]
pub(super) struct Listed {
    texts: BTreeMap<String, &'static str>,
    /// How many requirements stand how, of each source and of all.
    counts: BTreeSet<u64>,
}

const REQUIREMENTS: &str = "the list of requirements";
const PLACE: &str = "a place in the documents, read from the pages";
const FIELDS: &str = "the list of fields";
const CITATIONS: &str = "the table of citations";

impl Listed {
    /// Of the lists, and of the table of coverage among the files where it is there.
    pub(super) fn of(files: &Files) -> Self {
        let mut listed = Self::default();
        for requirement in requirements() {
            listed.add(&requirement.id, REQUIREMENTS);
            listed.add(&requirement.requirement, REQUIREMENTS);
        }
        for field in fields() {
            listed.add(&field.what, FIELDS);
            let asking = requirements().iter().filter(|r| r.field.split(", ").any(|path| path == field.path));
            let ids: Vec<&str> = asking.map(|r| r.id.as_str()).collect();
            listed.add(&ids.join(", "), REQUIREMENTS);
        }
        for one in citations() {
            for text in [&one.citation, &one.subject, &one.mark] {
                listed.add(text, CITATIONS);
            }
            listed.add(&format!("{} [{}]", one.citation, one.mark), CITATIONS);
        }
        listed.counts.extend([requirements().len() as u64, fields().len() as u64]);
        if let Some((_, bytes)) = files.iter().find(|(path, _)| path.as_str() == "coverage.csv") {
            listed.coverage(bytes);
        }
        listed
    }

    fn add(&mut self, text: &str, reason: &'static str) {
        self.texts.insert(text.to_owned(), reason);
    }

    /// Whether the numeral is such a count, in a document that prints them.
    pub(super) fn has(&self, document: &str, numeral: &Numeral) -> bool {
        let prints = matches!(document, "evidence-map" | "declarations");
        prints && !numeral.percent && numeral.plain().parse().is_ok_and(|count| self.counts.contains(&count))
    }

    /// Why the numerals of a text are no results; `None`: it is of no list.
    pub(super) fn reason(&self, text: &str) -> Option<&'static str> {
        self.texts.get(text.trim()).copied()
    }

    /// `id,fill,state,where,note`.
    fn coverage(&mut self, bytes: &[u8]) {
        let citation: BTreeMap<&str, &str> =
            requirements().iter().map(|r| (r.id.as_str(), r.citation.as_str())).collect();
        let mut counts: BTreeMap<[String; 3], u64> = BTreeMap::new();
        let mut table = csv::ReaderBuilder::new().from_reader(bytes);
        for row in table.records().flatten() {
            let cell = |place: usize| row.get(place).unwrap_or_default().to_owned();
            let (id, fill, state) = (cell(0), cell(1), cell(2));
            self.add(&cell(3), PLACE);
            self.add(&cell(4), PLACE);
            self.add(&format!("missing: {}", cell(4)), PLACE);
            let of = citation.get(id.as_str()).copied().unwrap_or_default();
            for source in [of, ""] {
                *counts.entry([source.to_owned(), fill.clone(), state.clone()]).or_default() += 1;
            }
        }
        // Of all by who answers them, and those that are filled.
        for fill in ["auto", "manual"] {
            let all = || counts.iter().filter(|([source, of, _], _)| source.is_empty() && of == fill);
            let filled = all().filter(|([_, _, state], _)| ["printed", "typed"].contains(&state.as_str()));
            self.counts.insert(filled.map(|(_, n)| n).sum());
            self.counts.insert(all().map(|(_, n)| n).sum());
        }
        self.counts.extend(counts.into_values());
        // A state that nothing has is counted too.
        self.counts.insert(0);
    }
}
