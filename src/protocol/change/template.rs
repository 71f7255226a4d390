//! The plan that `change init` writes: it works as it stands, and says what people have to write.

use super::Predecessor;

/// How a text begins that nobody has written yet.
pub const UNWRITTEN: &str = "TO BE WRITTEN";

const TEMPLATE: &str = include_str!("template.toml");

/// A commented plan for a predecessor; `subgroups` are those of its protocol.
pub fn template(study: &str, predecessor: &Predecessor, subgroups: &[String]) -> String {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let named: Vec<String> = subgroups.iter().map(|name| quoted(name)).collect();
    let id: String = study.chars().take(56).chain("-changes".chars()).collect();
    let filled = [
        ("{ID}", quoted(&id)),
        ("{TITLE}", quoted(&format!("Predetermined change control plan of {study}"))),
        ("{ROOT}", predecessor.root.to_string()),
        ("{LOCK}", predecessor.lock.to_string()),
        ("{BUNDLE}", quoted(&predecessor.bundle)),
        ("{SUBGROUPS}", named.join(", ")),
    ];
    // Each place once and in one pass: what is filled in is never filled again.
    let mut out = String::new();
    let mut rest = TEMPLATE;
    while let Some((at, (place, text))) =
        filled.iter().filter_map(|fill| Some((rest.find(fill.0)?, fill))).min_by_key(|(at, _)| *at)
    {
        out.push_str(&rest[..at]);
        out.push_str(text);
        rest = &rest[at + place.len()..];
    }
    out + rest
}
