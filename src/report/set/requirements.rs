//! What regulations, guidances and reporting lists ask for, and the fields that people fill. Two lists that
//! were made by hand, each one line a row, held in the program.

use std::sync::LazyLock;

/// Something that is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// Such as `807.92-b2`.
    pub id: String,
    /// The key of its citation.
    pub citation: String,
    /// What is asked for, in words of this program's own.
    pub requirement: String,
    /// Whether the program can answer it by itself; otherwise a person does.
    pub is_automatic: bool,
    /// What answers it, see [`super::coverage`].
    pub evidence: String,
    /// Where a person types what answers it; empty where nobody has to.
    pub field: String,
}

/// A field of `device.toml`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Field {
    /// Such as `device.name`.
    pub path: String,
    /// What it says.
    pub what: String,
}

/// Every requirement, in the order of its source.
pub fn requirements() -> &'static [Requirement] {
    static ALL: LazyLock<Vec<Requirement>> = LazyLock::new(|| {
        let row = |[id, citation, requirement, fill, evidence, field]: [String; 6]| Requirement {
            id,
            citation,
            requirement,
            is_automatic: fill == "auto",
            evidence,
            field,
        };
        rows(include_str!("requirements.csv")).into_iter().map(row).collect()
    });
    &ALL
}

/// Every field of `device.toml` but those of tables that repeat.
pub fn fields() -> &'static [Field] {
    static ALL: LazyLock<Vec<Field>> = LazyLock::new(|| {
        let rows = rows(include_str!("fields.csv"));
        rows.into_iter().map(|[path, what]| Field { path, what }).collect()
    });
    &ALL
}

/// Rows of a list below its header; a test holds that each has its columns.
fn rows<const N: usize>(text: &str) -> Vec<[String; N]> {
    let mut table = csv::ReaderBuilder::new().from_reader(text.as_bytes());
    let cells = |row: csv::StringRecord| {
        let cells: Vec<String> = row.iter().map(str::to_owned).collect();
        <[String; N]>::try_from(cells).ok()
    };
    table.records().filter_map(|row| row.ok().and_then(cells)).collect()
}
