//! Which templates are those of the program, and what a document says where they are not.

use std::collections::BTreeMap;

use super::source::Source;
use crate::digest::Digest;
use crate::document::content::Notice;
use crate::document::{lint, text};
use crate::report::wording;

/// `SHA-256  name` of the templates that earlier versions came with: bundles hold them, and render from them.
const KNOWN: &str = include_str!("../../../templates/known-sha256.txt");

/// The templates that come with the program. A study may replace any of them.
pub fn default_templates() -> BTreeMap<String, String> {
    macro_rules! templates {
        ($($name:literal),* $(,)?) => {
            [$(($name, include_str!(concat!("../../../templates/", $name)))),*]
        };
    }
    templates![
        "submission.md",
        "truthing.md",
        "reader-study.md",
        "title.md",
        "general.md",
        "design.md",
        "training.md",
        "initial-weights.md",
        "databases.md",
        "ground-truth.md",
        "validation-plan.md",
        "validation-results.md",
        "limits.md",
        "conclusion.md",
        "verification.md",
        "appendix.md",
        "origins.md",
        "differences.md",
        "plan.md",
        "summary.md",
        "predicate.md",
        "data.md",
        "sites.md",
        "algorithm.md",
        "software.md",
        "labelling.md",
        "model-card.md",
        "fda-submission.md",
        "declarations.md",
        "evidence-map.md",
    ]
    .into_iter()
    .map(|(name, text)| (name.to_owned(), text.to_owned()))
    .collect()
}

/// The templates that a study of a new version under a change control plan has beside them.
pub fn change_templates() -> BTreeMap<String, String> {
    let text = include_str!("../../../templates/change.md");
    BTreeMap::from([("change.md".to_owned(), text.to_owned())])
}

/// Main templates of the documents beside report and truthing report, which have functions of their own.
pub const OF_SET: [&str; 13] = [
    "plan.md",
    "summary.md",
    "predicate.md",
    "data.md",
    "sites.md",
    "algorithm.md",
    "software.md",
    "labelling.md",
    "model-card.md",
    "fda-submission.md",
    "declarations.md",
    "evidence-map.md",
    "change.md",
];

/// The templates of report and truthing report: all but those of the set.
pub fn of_report(templates: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let own = templates.iter().filter(|(name, _)| !OF_SET.contains(&name.as_str()));
    own.map(|(name, text)| (name.clone(), text.clone())).collect()
}

/// Names of the templates that this program did not come with, in this version or an earlier one.
pub fn own_templates<T: AsRef<[u8]>>(templates: &BTreeMap<String, T>) -> Vec<String> {
    let mut built_in = default_templates();
    built_in.extend(change_templates());
    let is_known = |name: &str, bytes: &[u8]| {
        built_in.get(name).is_some_and(|text| text.as_bytes() == bytes)
            || KNOWN.lines().any(|line| line == format!("{}  {name}", Digest::of(bytes)))
    };
    let own = templates.iter().filter(|(name, bytes)| !is_known(name, bytes.as_ref()));
    own.map(|(name, _)| name.clone()).collect()
}

/// What a document says first and last where its words are not those of the program: a template can say
/// anything, and cannot take this away.
pub fn notice(source: &Source) -> Option<Notice> {
    let own = own_templates(&source.templates);
    if own.is_empty() {
        return None;
    }
    let names: Vec<String> = own.iter().map(|name| text::markdown(name)).collect();
    let conclusion = wording::verdict(Some(source.results.conclusion));
    let first = format!(
        "> [!WARNING]\n> **The words of this document are not those of sequester**: templates of its \
         own are {}. \
         Recorded is: the primary endpoints are **{conclusion}**; `sequester verify` computes it again.\n",
        names.join(", ")
    );
    let mut last = String::new();
    for name in &own {
        for mark in source.templates.get(name).map(|text| lint::marks(text)).unwrap_or_default() {
            last.push_str(&format!(
                "- {}, line {}: {} \u{2013} {}\n",
                text::markdown(name),
                mark.line,
                text::markdown(&mark.reason),
                text::markdown(&mark.text)
            ));
        }
    }
    if !last.is_empty() {
        last = format!(
            "## Numbers typed in templates\n\nNothing in the evidence was computed or compared for \
             them:\n\n{last}"
        );
    }
    Some(Notice { first, last })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_known_by_its_name_and_its_bytes() {
        let mut templates = default_templates();
        assert_eq!(own_templates(&templates), Vec::<String>::new());
        let title = templates["title.md"].clone();
        templates.insert("conclusion.md".to_owned(), title);
        templates.insert("more.md".to_owned(), String::new());
        templates.get_mut("limits.md").expect("there").push(' ');
        assert_eq!(own_templates(&templates), ["conclusion.md", "limits.md", "more.md"]);
    }

    #[test]
    fn the_templates_of_every_bundle_that_is_kept_are_known() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/evidence");
        let mut looked = 0;
        for version in ["v1", "v2"] {
            for bundle in std::fs::read_dir(folder.join(version)).expect("lists").flatten() {
                let templates: BTreeMap<String, Vec<u8>> =
                    std::fs::read_dir(bundle.path().join("data/templates"))
                        .expect("lists")
                        .flatten()
                        .map(|file| {
                            let bytes = std::fs::read(file.path()).expect("reads");
                            (file.file_name().to_string_lossy().into_owned(), bytes)
                        })
                        .collect();
                looked += templates.len();
                let lines: Vec<String> = own_templates(&templates)
                    .into_iter()
                    .map(|name| format!("{}  {name}", Digest::of(&templates[&name])))
                    .collect();
                assert_eq!(lines, Vec::<String>::new(), "belong into templates/known-sha256.txt");
            }
        }
        assert!(looked > 20, "{looked}");
    }
}
