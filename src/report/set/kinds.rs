//! Which documents the set has beside report and truthing report.

/// A kind of document: one main template, which a study may replace.
#[derive(Debug)]
pub struct Kind {
    /// The name of its files, `NAME.html`, and of it in the list of requirements.
    pub name: &'static str,
    /// Its main template. A bundle without it has no such document.
    pub template: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// Whether it is public: nothing in it may identify a case, a patient, a reader or an input.
    pub is_public: bool,
}

const fn kind(name: &'static str, template: &'static str, title: &'static str) -> Kind {
    Kind { name, template, title, is_public: false }
}

/// The 510(k) summary, the one public document.
pub const SUMMARY: Kind =
    Kind { name: "summary", template: "summary.md", title: "510(k) Summary", is_public: true };

/// The map of requirements, which is rendered last, from what the others are.
pub const MAP: Kind = kind("evidence-map", "evidence-map.md", "Evidence map");

/// The card for people; beside it lie one for programs and one as XML.
pub const CARD: Kind = kind("model-card", "model-card.md", "Model card");

/// All but the map, in the order in which they are rendered.
pub const KINDS: [&Kind; 11] = [
    &SUMMARY,
    &kind("predicate", "predicate.md", "Comparison with the predicate"),
    &kind("data", "data.md", "Data description"),
    &kind("sites", "sites.md", "Site report"),
    &kind("algorithm", "algorithm.md", "Algorithm description"),
    &kind("software", "software.md", "Software and model record"),
    &kind("labelling", "labelling.md", "Performance section of the labelling"),
    &CARD,
    &kind("fda-submission", "fda-submission.md", "FDA submission"),
    &kind("declarations", "declarations.md", "What the submitter declares"),
    &kind("change", "change.md", "Predetermined change control plan"),
];

/// The statistical analysis plan, which has a content of its own.
pub const PLAN: Kind = kind("plan", "plan.md", "Statistical analysis plan");

/// What a document is called, by the name of its files.
pub fn title_of(name: &str) -> &'static str {
    match name {
        "report" => "Validation report",
        "truthing" => "Truthing report",
        "reader-study" => "Reader-study report",
        _ => {
            let mut all = KINDS.into_iter().chain([&MAP, &PLAN]);
            all.find(|kind| kind.name == name).map_or("Document", |kind| kind.title)
        }
    }
}

/// Whether a page is one of the set, by the name of its file.
pub fn is_of_set(file: &str) -> bool {
    let stem = file.split('.').next().unwrap_or_default();
    KINDS.into_iter().chain([&MAP, &PLAN]).any(|kind| kind.name == stem)
}
