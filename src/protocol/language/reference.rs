//! The reference of all keys as a page, from the list that parser, schema and `explain` share.

use super::{Described, Key, Reasons, all_keys, bad, good, root};

/// What a table of the page begins with.
const HEADER: &str = "| key | what may stand there | needed | where it is absent | also checked | taken | \
                      refused |\n|---|---|---|---|---|---|---|\n";

/// What stands above the tables.
const INTRODUCTION: &str = "# Every key of `protocol.toml`\n\n\
    Written by the program (`sequester explain --all`) from the list by which `check` and the JSON schema \
    ([schemas/protocol.json](schemas/protocol.json)) go; a test holds it to that list, and the list to the \
    parser: each line in *taken* is taken by it, each in *refused* is not. What each key does is said in \
    [protocol.md](protocol.md), and together with the reason by `sequester explain KEY`. *Also checked*: \
    what the list cannot say and `sequester check` sees.\n";

/// A text in a cell: a `|` would part it, and what is linked to lies in the page that the text comes from.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace("](#", "](protocol.md#")
}

/// Code in a cell; nothing for no code.
fn code(text: &str) -> String {
    if text.is_empty() { String::new() } else { format!("`{}`", cell(text)) }
}

/// The page, in Markdown: one section a table, with a row a key, and the reasons with their sources at the
/// end.
pub fn reference() -> String {
    let (described, reasons) = (Described::all(), Reasons::all());
    let keys = all_keys(&root(), "");
    let mut page = INTRODUCTION.to_owned();
    let rows = |table: &str, keys: &[Key]| -> String {
        let of = |key: &Key| {
            let path = if table.is_empty() { key.name.to_owned() } else { format!("{table}.{}", key.name) };
            let absent = described.of(&path).map(|row| row.default.as_str()).unwrap_or_default();
            let typed = |value: &str| format!("{} = {value}", key.name);
            let (taken, refused) = match key.keys() {
                [] => (typed(&good(key, &path, &described)), typed(&bad(&key.kind))),
                _ => (String::new(), String::new()),
            };
            format!(
                "| `{}` | {} | {} | {} | {} | {} | {} |\n",
                key.name,
                cell(&key.kind.in_words()),
                cell(&key.needed()),
                cell(absent),
                cell(key.ours),
                code(&taken),
                code(&refused),
            )
        };
        keys.iter().map(of).collect()
    };
    page += &format!("\n## The file\n\n{HEADER}{}", rows("", &root()));
    for (path, key) in &keys {
        if !key.keys().is_empty() {
            page += &format!("\n## `{path}`\n\n{HEADER}{}", rows(path, key.keys()));
        }
    }
    page += "\n## Why a key is there\n\n| key | reason and source |\n|---|---|\n";
    for (path, reason) in &reasons.key {
        page += &format!("| `{path}` | {} |\n", cell(reason.trim()));
    }
    page
}
