//! Everything that a template can ask for in this study, with what it gives now.

use serde::Serialize;
use serde_json::Value as Json;

use super::source::Source;
use super::{context, figures, tables, values};
use crate::report::wording;
use crate::statistics::estimate::Scenario;

/// Something that a template can ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Offered {
    /// As it is written in a template.
    pub call: String,
    /// What it gives in this study, in one line.
    pub gives: String,
}

/// Items of a list that are named one by one; a template walks through longer ones.
const NAMED: usize = 3;

/// Every name, function and id of the submission's templates. Tables and figures that would be empty are left
/// out.
pub fn offered(source: &Source) -> Vec<Offered> {
    let mut all = Vec::new();
    names(&context::context(source), "", &mut all);
    let results = &source.results;
    for estimate in results.estimates.iter().chain(&results.agreement) {
        let mut call = format!("id={:?}", estimate.id);
        let scenario = estimate.scenario.map(Scenario::name);
        let subgroup = estimate.subgroup.as_ref().map(ToString::to_string);
        for (name, value) in [
            ("subgroup", subgroup),
            ("scenario", scenario.map(str::to_owned)),
            ("model", estimate.model.clone()),
        ] {
            if let Some(value) = value {
                call.push_str(&format!(", {name}={value:?}"));
            }
        }
        if estimate.prevalence.is_some() {
            call.push_str(", prevalence=\"intended-use\"");
        }
        all.push(Offered { call: format!("{{{{ estimate({call}) }}}}"), gives: wording::sentence(estimate) });
    }
    for id in tables::IDS {
        if let Some(table) = tables::build(source, id, "", &[]).filter(|table| !table.rows.is_empty()) {
            let rows = table.rows.len();
            let gives = if table.caption.is_empty() { "a list".to_owned() } else { table.caption };
            all.push(Offered {
                call: format!("{{{{ table(id={id:?}) }}}}"),
                gives: format!("{gives} ({rows} rows)"),
            });
        }
    }
    for id in figures::IDS {
        if let Some(figure) = figures::build(source, id).filter(|figure| !figure.images.is_empty()) {
            all.push(Offered { call: format!("{{{{ figure(id={id:?}) }}}}"), gives: figure.caption });
        }
    }
    let gives = "the table of where the marked numbers come from".to_owned();
    all.push(Offered { call: "{{ origins() }}".to_owned(), gives });
    for path in source.digests.keys() {
        let gives = source.digests.get(path).cloned().unwrap_or_default();
        all.push(Offered { call: format!("{{{{ digest(of={path:?}) }}}}"), gives });
    }
    all.push(Offered { call: "{{ digest(of=\"root\") }}".to_owned(), gives: source.root_digest.clone() });
    let mut fields = Vec::new();
    names(&source.device, "", &mut fields);
    all.extend(fields.into_iter().filter_map(|field| {
        let path = field.call.strip_prefix("{{ ")?.strip_suffix(" }}")?.to_owned();
        Some(Offered { call: format!("{{{{ device(path={path:?}) }}}}"), gives: field.gives })
    }));
    all
}

/// Names below a value, with what they are.
fn names(value: &Json, path: &str, all: &mut Vec<Offered>) {
    match value {
        Json::Object(fields) if !fields.is_empty() => {
            for (key, value) in fields {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                names(value, &path, all);
            }
        }
        Json::Array(items) => {
            let texts: Vec<String> = items.iter().take(NAMED).map(values::words).collect();
            let more = items.len().saturating_sub(NAMED);
            let more = if more > 0 { format!(", and {more} more") } else { String::new() };
            all.push(Offered {
                call: format!("{{{{ {path} }}}}"),
                gives: short(&format!("{} in a list: {}{more}", items.len(), texts.join(", "))),
            });
        }
        other => all.push(Offered { call: format!("{{{{ {path} }}}}"), gives: short(&values::words(other)) }),
    }
}

/// One line of it.
fn short(text: &str) -> String {
    const MOST: usize = 100;
    let line = crate::document::text::one_line(text);
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}\u{2026}", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::document::render::compose;
    use crate::report::submission::content::Submission;
    use crate::report::submission::tests::realistic::realistic;

    #[test]
    fn everything_that_is_offered_can_be_asked_for() {
        let source = realistic();
        let offered = offered(&source);
        assert!(offered.len() > 150, "{}", offered.len());
        let calls = |start: &str| offered.iter().filter(|one| one.call.starts_with(start)).count();
        assert!(calls("{{ estimate(") > 20 && calls("{{ table(") > 15 && calls("{{ figure(") > 3);
        assert!(calls("{{ digest(") > 1 && calls("{{ flow.") > 8 && calls("{{ device(") > 5);
        // Lists are walked through, and no text by themselves.
        let words: Vec<&str> = offered
            .iter()
            .filter(|one| !one.gives.contains(" in a list: "))
            .map(|one| one.call.as_str())
            .collect();
        let template = format!("## All\n\n{}\n", words.join("\n\n"));
        let mut source = source;
        source.templates.insert("submission.md".to_owned(), template);
        let content = Arc::new(Submission::of(source.clone()));
        let templates = crate::report::submission::of_report(&source.templates);
        let composed = compose(&content, "submission.md", &templates).expect("renders");
        for one in offered.iter().filter(|one| one.call.starts_with("{{ table(")) {
            let caption = one.gives.rsplit_once(" (").map_or("", |(caption, _)| caption);
            let printed =
                caption == "a list" || composed.markdown.contains(&crate::document::text::markdown(caption));
            assert!(printed, "{}", one.gives);
        }
    }
}
