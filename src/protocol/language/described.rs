//! What the keys mean, as `docs/protocol.md` says it: one text for the page, the schema and `explain`.

const PAGE: &str = include_str!("../../../docs/protocol.md");

/// A row of one of the page's tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// What may stand there, in words.
    pub kind: String,
    /// What holds where the key is absent.
    pub default: String,
    /// What it does.
    pub meaning: String,
    /// A line as it may stand in a protocol; empty: none.
    pub example: String,
}

/// All rows of the page.
#[derive(Clone, Debug, Default)]
pub struct Described {
    rows: Vec<(String, Row)>,
}

/// The tables that a heading speaks of: `## [gate]`, `## [[endpoint]] – at least one primary`.
fn tables_of(heading: &str) -> Option<Vec<String>> {
    let name = |part: &str| part.trim_matches(['[', ']']).to_owned();
    let quoted = heading.split('`').skip(1).step_by(2);
    let tables: Vec<String> = quoted.filter(|part| part.starts_with('[')).map(name).collect();
    if heading.starts_with("# ") {
        return Some(vec![String::new()]);
    }
    (!tables.is_empty()).then_some(tables)
}

/// Cells of a row; a `|` inside of backquotes does not part them.
fn cells(line: &str) -> Vec<String> {
    let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
    inner.split(" | ").map(|cell| cell.trim().to_owned()).collect()
}

impl Described {
    /// Reads the page that comes with the program; a test finds a row for every key.
    pub fn all() -> Self {
        let mut rows = Vec::new();
        let mut tables: Vec<String> = Vec::new();
        let mut of_keys = false;
        for line in PAGE.lines() {
            if line.starts_with('#') {
                tables = tables_of(line).unwrap_or_default();
                of_keys = false;
            } else if line.starts_with("| key |") {
                of_keys = true;
            } else if line.starts_with("| `") && of_keys {
                let cells = cells(line);
                let [names, kind, default, meaning, more @ ..] = &cells[..] else { continue };
                let example = more.first().map(|text| text.trim_matches('`').to_owned()).unwrap_or_default();
                for name in names.split('`').skip(1).step_by(2) {
                    for table in &tables {
                        let key = if table.is_empty() { name.to_owned() } else { format!("{table}.{name}") };
                        let own = example.split('=').next().unwrap_or_default().trim() == name;
                        let row = Row {
                            kind: kind.clone(),
                            default: default.clone(),
                            meaning: meaning.clone(),
                            example: if own { example.clone() } else { String::new() },
                        };
                        rows.push((key, row));
                    }
                }
            } else if !line.starts_with('|') {
                of_keys = false;
            }
        }
        Self { rows }
    }

    /// Every row with its key.
    pub fn rows(&self) -> &[(String, Row)] {
        &self.rows
    }

    /// The row of a key such as `endpoint.interval`; of a key inside a table that has one row alone, that
    /// row.
    pub fn of(&self, path: &str) -> Option<&Row> {
        let row = |path: &str| self.rows.iter().find(|(name, _)| name == path).map(|(_, row)| row);
        let same = path
            .strip_prefix("data.development_columns.")
            .or_else(|| path.strip_prefix("operating_point.columns."))
            .map(|name| format!("data.columns.{name}"))
            .or_else(|| {
                path.strip_prefix("model.operating_point.").map(|name| format!("operating_point.{name}"))
            });
        row(path).or_else(|| same.and_then(|path| row(&path))).or_else(|| {
            // `gate.age_years.min`: said where the table is.
            path.rsplit_once('.').and_then(|(table, _)| table.contains('.').then(|| row(table)).flatten())
        })
    }
}
