//! The bundle itself: openings of the test set, warnings, files.

use crate::diagnostic::Code;
use crate::document::tree::{Cell, Column, Look, Row, Table};
use crate::evidence::bundle::SCORING;
use crate::report::submission::source::Source;
use crate::study::MANIFESTS;
use crate::study::results::{Results, SiteAnswer};

pub fn openings(source: &Source) -> Table {
    let rows = source
        .openings
        .iter()
        .enumerate()
        .map(|(index, opening)| {
            Row::plain([
                (index + 1).to_string(),
                opening.date.clone(),
                opening.by.clone(),
                opening.reason.clone().unwrap_or_else(|| {
                    if index == 0 { "first opening" } else { "no reason recorded" }.to_owned()
                }),
            ])
        })
        .collect();
    Table::or_none(
        "Openings of the sealed test set",
        vec![
            Column::right("Opening"),
            Column::left("Date", 0.6),
            Column::left("By", 0.6),
            Column::left("Reason", 1.0),
        ],
        rows,
    )
}

/// What keeps the study apart from the development of the model, and what makes its scores repeatable: what
/// the evidence shows, and what it does not.
pub fn separation(source: &Source) -> Table {
    const NOT_SHOWN: &str = "not shown";
    let holds = |name: &str| source.digests.contains_key(&format!("data/model/{name}"));
    let manifests = MANIFESTS.iter().any(|name| holds(name));
    let mut rows = Vec::new();
    let mut row = |question: &str, answer: &str, how: &str| {
        rows.push(Row::plain([question, answer, how].map(str::to_owned)));
    };
    let considered = "every considered case beside the manifests of training and tuning";
    let absent = "the evidence holds no manifest of training and tuning";
    for (question, compared) in [
        ("Patients among those of training or tuning", "by patient id"),
        ("Cases among those of training or tuning", "by case id"),
        ("Image files among those of training or tuning", "by SHA-256 of the file, where it was recorded"),
    ] {
        let how = if manifests { format!("{considered}, {compared}") } else { absent.to_owned() };
        row(question, if manifests { "none" } else { NOT_SHOWN }, &how);
    }
    if let Some(sites) = &source.results.sites {
        let answer = match sites.answer {
            SiteAnswer::Yes => "none",
            SiteAnswer::No => "NO: some are",
            SiteAnswer::NotShown => NOT_SHOWN,
        };
        let how = if sites.stated { format!("stated in the protocol; {}", sites.why()) } else { sites.why() };
        row("Sites among those of training or tuning", answer, &how);
    }
    row(
        "Nearly equal images on both sides, or twice in the test set",
        NOT_SHOWN,
        "the evidence holds no pixels; \"sequester dataset leakage\" with the images compares them",
    );
    let repeated = if source.lock.is_none() {
        "the device was scored elsewhere; nothing here can score again"
    } else if holds(SCORING) {
        "the bundle records which kind of machine scored: \"sequester verify --rescore\" asks for the \
         same bits there"
    } else {
        "what scored is not recorded: \"sequester verify --rescore\" compares within a tolerance"
    };
    row("Recorded scores come again from the images", NOT_SHOWN, repeated);
    let mut table = Table::new(
        "Separation from development, and scores that come again",
        vec![
            Column::left("Question", 0.8),
            Column::left("Answer", 0.3),
            Column::left("How, or why not", 1.0),
        ],
        rows,
    );
    let probable = source.results.warnings.iter().filter(|w| w.code == Code::PatientProbablyShared);
    table.notes.extend(probable.map(|w| format!("{w}.")));
    table
}

pub fn warnings(results: &Results) -> Table {
    let rows = results.warnings.iter().map(|w| Row::plain([w.code.to_string(), w.message.clone()])).collect();
    Table::or_none(
        "Warnings of the analysis",
        vec![Column::left("Code", 0.5), Column::left("Meaning", 1.0)],
        rows,
    )
}

pub fn digests(source: &Source) -> Table {
    let rows = source
        .digests
        .iter()
        .map(|(path, digest)| {
            Row::Cells(vec![Cell::new(path.clone()), Cell::new(digest.clone()).look(Look::Code)])
        })
        .collect();
    Table::or_none(
        "Files of the evidence bundle and their SHA-256 digests",
        vec![Column::left("File", 0.48), Column::left("SHA-256", 1.0)],
        rows,
    )
}
