//! Executes the walls of ARCHITECTURE.md: which module may import which, and who may touch the world.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Leaves that every module may import.
const LEAVES: [&str; 6] = ["declared", "diagnostic", "digest", "random", "storage", "vectorised"];

/// What each module may import besides the leaves. The same table stands in ARCHITECTURE.md.
const WALLS: &[(&str, &[&str])] = &[
    ("digest", &[]),
    ("diagnostic", &[]),
    ("random", &[]),
    ("storage", &[]),
    ("declared", &[]),
    ("vectorised", &[]),
    ("table", &[]),
    ("statistics", &[]),
    ("imaging", &[]),
    ("dataset", &["imaging", "table"]),
    ("protocol", &["dataset", "statistics"]),
    ("eligibility", &["dataset", "imaging", "protocol"]),
    ("sampling", &["dataset", "protocol", "eligibility"]),
    ("reads", &["protocol", "table"]),
    ("model", &["dataset", "imaging", "statistics"]),
    ("inference", &["dataset", "imaging", "sampling", "model", "table"]),
    ("comparison", &["statistics"]),
    ("synthetic", &["dataset", "imaging"]),
    (
        "study",
        &[
            "dataset",
            "protocol",
            "eligibility",
            "sampling",
            "reads",
            "model",
            "inference",
            "statistics",
            "table",
        ],
    ),
    ("evidence", &["study", "protocol", "model", "inference", "dataset", "sampling", "reads", "eligibility"]),
    ("report", &["dataset", "evidence", "statistics", "comparison", "study"]),
    (
        "audit",
        &[
            "dataset",
            "imaging",
            "protocol",
            "statistics",
            "study",
            "evidence",
            "report",
            "model",
            "inference",
            "table",
        ],
    ),
];

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn rust_files(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("lists").flatten() {
        let path = entry.path();
        if path.is_dir() {
            rust_files(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("tests.rs") {
            files.push(path);
        }
    }
}

/// Code without comments and without unit tests, which stand last in a file.
fn code(path: &Path) -> String {
    let text = std::fs::read_to_string(path).expect("reads");
    let text = text.split("\n#[cfg(test)]\nmod tests").next().unwrap_or_default();
    let code = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
    text.lines().map(code).collect::<Vec<_>>().join("\n")
}

/// Module → (file, code) for every file below `src/`.
fn modules() -> BTreeMap<String, Vec<(String, String)>> {
    let mut files = Vec::new();
    rust_files(&source(), &mut files);
    let mut modules: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for path in files {
        let relative = path.strip_prefix(source()).expect("below src");
        let first = relative.components().next().expect("a name").as_os_str().to_string_lossy().into_owned();
        let module = first.trim_end_matches(".rs").to_owned();
        modules.entry(module).or_default().push((relative.display().to_string(), code(&path)));
    }
    modules
}

/// Top-level modules of the crate that a text names: `crate::x` and `use crate::{x, y::z}`.
fn imports(code: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (position, _) in code.match_indices("crate::") {
        let rest = &code[position + "crate::".len()..];
        if let Some(group) = rest.strip_prefix('{') {
            let mut depth = 0;
            let mut name = String::new();
            let mut at_start = true;
            for c in group.chars() {
                match c {
                    '{' => depth += 1,
                    '}' if depth == 0 => break,
                    '}' => depth -= 1,
                    ',' if depth == 0 => {
                        found.insert(std::mem::take(&mut name));
                        at_start = true;
                    }
                    c if depth == 0 && at_start && (c.is_alphanumeric() || c == '_') => name.push(c),
                    ':' if depth == 0 => at_start = false,
                    _ => {}
                }
            }
            found.insert(name);
        } else {
            found.insert(rest.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect());
        }
    }
    found.retain(|name| !name.is_empty());
    found
}

#[test]
fn every_module_imports_only_what_its_wall_allows() {
    let walls: BTreeMap<&str, &[&str]> = WALLS.iter().copied().collect();
    let mut wrong = Vec::new();
    for (module, files) in modules() {
        if ["lib", "main", "torch", "cli"].contains(&module.as_str()) {
            continue;
        }
        let Some(allowed) = walls.get(module.as_str()) else {
            wrong.push(format!(
                "the module `{module}` has no wall: add it to the table and to ARCHITECTURE.md"
            ));
            continue;
        };
        for (file, code) in files {
            for name in imports(&code) {
                let leaf = LEAVES.contains(&name.as_str()) && !LEAVES.contains(&module.as_str());
                // A leaf may import `diagnostic`, which imports nothing.
                let fine = name == module || leaf || name == "diagnostic" || allowed.contains(&name.as_str());
                if !fine {
                    wrong.push(format!("{file} imports `{name}`"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "walls are broken:\n{}", wrong.join("\n"));
}

/// The library is linked into the everyday program and the auditor's, which must not load libtorch.
#[test]
fn only_the_program_with_libtorch_names_its_bindings() {
    for (module, files) in modules() {
        for (file, code) in files {
            let names = code.contains("tch::") || code.contains("extern crate tch");
            assert!(!names || module == "torch", "{file} names tch");
        }
    }
}

#[test]
fn pure_modules_touch_no_file_no_clock_and_no_environment() {
    let modules = modules();
    for module in ["eligibility", "sampling", "reads", "statistics", "comparison", "study", "protocol"] {
        for (file, code) in &modules[module] {
            for world in
                ["std::fs", "std::env", "std::time", "Utc::now", "Local::now", "storage::", "thread_rng"]
            {
                assert!(!code.contains(world), "{file} names {world}");
            }
        }
    }
}

#[test]
fn only_the_command_line_reads_clock_and_environment_and_writes_to_the_terminal() {
    for (module, files) in modules() {
        if ["cli", "main", "torch"].contains(&module.as_str()) {
            continue;
        }
        for (file, code) in files {
            for world in
                ["std::env::var", "Utc::now", "Local::now", "SystemTime::now", "println!", "eprintln!"]
            {
                assert!(!code.contains(world), "{file} names {world}");
            }
        }
    }
}

#[test]
fn the_import_reader_sees_groups_and_paths() {
    let code = "use crate::{digest::Digest, dataset::{case, gate}};\nlet x = crate::report::render(&s);";
    let expected = ["dataset", "digest", "report"].map(str::to_owned);
    assert_eq!(imports(code), BTreeSet::from(expected));
}
