//! Executes the walls of ARCHITECTURE.md: which module may import which, and who may touch the world.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::support::holds;

/// Leaves that every module may import.
const LEAVES: [&str; 7] = ["chained", "declared", "diagnostic", "digest", "kernels", "random", "storage"];

/// What each module may import besides the leaves. The same table stands in ARCHITECTURE.md.
const WALLS: &[(&str, &[&str])] = &[
    ("digest", &[]),
    // A line of a ledger holds the digest of the one before.
    ("chained", &["digest"]),
    ("diagnostic", &[]),
    ("random", &[]),
    ("storage", &[]),
    ("declared", &[]),
    ("kernels", &[]),
    ("table", &[]),
    ("statistics", &[]),
    ("imaging", &[]),
    ("document", &[]),
    ("attestation", &[]),
    ("dataset", &["imaging", "table"]),
    ("protocol", &["dataset", "statistics"]),
    ("eligibility", &["dataset", "imaging", "protocol"]),
    ("sampling", &["dataset", "protocol"]),
    // DICOM reports are files of answers: `imaging` reads their bytes and holds no score.
    ("reads", &["imaging", "protocol", "statistics", "table"]),
    ("model", &["dataset", "imaging", "statistics", "table"]),
    ("inference", &["dataset", "imaging", "model", "table"]),
    ("comparison", &["statistics"]),
    ("monitoring", &["dataset", "statistics", "table"]),
    ("synthetic", &["dataset", "imaging"]),
    ("timestamp", &[]),
    ("custody", &["attestation"]),
    ("qualification", &["dataset", "statistics"]),
    ("interchange", &[]),
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
    ("evidence", &["study", "protocol", "model", "custody"]),
    (
        "report",
        &[
            "document",
            "dataset",
            "protocol",
            "model",
            "qualification",
            "statistics",
            "study",
            "comparison",
            "evidence",
            "monitoring",
        ],
    ),
    (
        "audit",
        &[
            "attestation",
            "imaging",
            "study",
            "evidence",
            "report",
            "document",
            "model",
            "protocol",
            "inference",
            "custody",
            "timestamp",
        ],
    ),
    (
        "workflow",
        &[
            "attestation",
            "audit",
            "comparison",
            "custody",
            "dataset",
            "document",
            "evidence",
            "imaging",
            "inference",
            "interchange",
            "model",
            "monitoring",
            "protocol",
            "qualification",
            "reads",
            "report",
            "study",
            "table",
            "statistics",
            "timestamp",
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

/// Code without comments and without unit tests, which stand last in a file. In a room that is a package of
/// its own, `crate` is the room and leaves are packages: read as if the room lay in the program like others.
fn code(path: &Path) -> String {
    let mut text = std::fs::read_to_string(path).expect("reads");
    let relative = path.strip_prefix(source()).expect("below src");
    let room = relative.components().next().expect("a name").as_os_str().to_string_lossy();
    if source().join(&*room).join("Cargo.toml").is_file() {
        text = text.replace("crate::", &format!("crate::{room}::")).replace("sequester_", "crate::");
    }
    let own = text.split("\n#[cfg(test)]\nmod tests").next().unwrap_or_default();
    // To whom something is visible is no import.
    let mut parts = own.split("pub(in ");
    let first = parts.next().unwrap_or_default().to_owned();
    let text =
        parts.fold(first, |text, part| text + "pub" + part.split_once(')').map_or("", |(_, after)| after));
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

/// Paths that a text names, group imports written out: `use crate::{a::B, c}` gives `crate::a::B` and
/// `crate::c`.
fn paths(code: &str) -> Vec<Vec<String>> {
    fn tree(text: &str, before: &[String], out: &mut Vec<Vec<String>>) {
        let text = text.trim();
        let head = text.split('{').next().unwrap_or_default();
        let mut path = before.to_vec();
        path.extend(
            head.split("::")
                .map(str::trim)
                .filter(|part| !part.is_empty())
                .map(|part| part.split(" as ").next().unwrap_or_default().trim().to_owned()),
        );
        let Some((_, group)) = text.split_once('{') else {
            out.push(path);
            return;
        };
        let group = group.trim_end().trim_end_matches('}');
        let (mut depth, mut start) = (0_usize, 0);
        for (at, c) in group.char_indices() {
            match c {
                '{' => depth += 1,
                '}' => depth = depth.saturating_sub(1),
                ',' if depth == 0 => {
                    tree(&group[start..at], &path, out);
                    start = at + 1;
                }
                _ => {}
            }
        }
        if !group[start..].trim().is_empty() {
            tree(&group[start..], &path, out);
        }
    }
    let mut out = Vec::new();
    let mut rest = String::new();
    let mut statements = code.split_inclusive(';');
    for statement in &mut statements {
        let begin = statement.rfind("\nuse ").map(|at| at + 5);
        let begin = begin.or_else(|| {
            statement.rfind("use ").filter(|_| statement.trim().starts_with("use ")).map(|at| at + 4)
        });
        let begin = begin
            .or_else(|| statement.rfind("pub use ").map(|at| at + 8))
            .or_else(|| statement.rfind("    use ").map(|at| at + 8));
        match begin {
            Some(at) => {
                tree(statement[at..].trim_end_matches(';'), &[], &mut out);
                rest += &statement[..at];
            }
            None => rest += statement,
        }
    }
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
    for word in rest.split(|c| !is_part(c)).filter(|word| word.contains("::")) {
        out.push(word.split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect());
    }
    out
}

/// Every file as a module path (`metric/mod.rs` is `metric`), with its code.
fn file_modules() -> BTreeMap<Vec<String>, (String, String)> {
    let mut found = BTreeMap::new();
    for (_, files) in modules() {
        for (file, code) in files {
            let mut path: Vec<String> = file.trim_end_matches(".rs").split('/').map(str::to_owned).collect();
            if path.last().is_some_and(|last| ["mod", "lib", "main"].contains(&last.as_str())) {
                path.pop();
            }
            found.insert(path, (file, code));
        }
    }
    found
}

/// The absolute path that a path means in a module; none for other crates.
fn absolute(path: &[String], module: &[String]) -> Option<Vec<String>> {
    let first = path.first()?;
    if first == "crate" {
        return Some(path[1..].to_vec());
    }
    if first != "super" && first != "self" {
        return None;
    }
    let ups = path.iter().take_while(|part| *part == "super").count();
    let skip = ups.max(usize::from(first == "self"));
    let base = module.len().checked_sub(ups)?;
    Some([&module[..base], &path[skip..]].concat())
}

/// The file in which an absolute path ends; a name that a file re-exports leads on.
fn file_of(
    path: &[String],
    files: &BTreeMap<Vec<String>, (String, String)>,
    depth: usize,
) -> Option<Vec<String>> {
    let length = (1..=path.len()).rev().find(|length| files.contains_key(&path[..*length]))?;
    let (module, rest) = path.split_at(length);
    if let Some(name) = rest.first()
        && depth < 5
    {
        let (_, code) = &files[module];
        for line in code.split(';') {
            // What a file imports, its children may take from it.
            let Some((_, tree)) = line.rsplit_once("use ") else { continue };
            for reexport in paths(&format!("use {tree};")) {
                if reexport.last() == Some(name) {
                    let own: Vec<String> = match absolute(&reexport, module) {
                        Some(path) => path,
                        None => [module, &reexport[..]].concat(),
                    };
                    if own.as_slice() != path {
                        return file_of(&own, files, depth + 1);
                    }
                }
            }
        }
    }
    Some(module.to_vec())
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let files = file_modules();
    let mut imports: BTreeMap<&[String], BTreeSet<Vec<String>>> = BTreeMap::new();
    for (module, (_, code)) in &files {
        let all = paths(code);
        // `pdf::compile` after `use super::writers::pdf` is a path of that module.
        let imported: BTreeMap<&String, Vec<String>> =
            all.iter().filter_map(|path| Some((path.last()?, absolute(path, module)?))).collect();
        let meant = |path: &Vec<String>| {
            absolute(path, module).or_else(|| {
                let (first, rest) = path.split_first()?;
                let leads = imported.get(first).filter(|to| files.contains_key(*to))?;
                Some([&leads[..], rest].concat())
            })
        };
        let named = all.iter().filter_map(|path| file_of(&meant(path)?, &files, 0));
        imports.insert(module, named.filter(|other| other != module).collect());
    }
    // Files that import nothing that is left are taken away until nothing changes, then those that nothing
    // left imports.
    let mut left: BTreeSet<&[String]> = imports.keys().copied().collect();
    loop {
        let stays = |module: &&[String]| {
            let out = imports[*module].iter().any(|other| left.contains(other.as_slice()));
            let into = left.iter().any(|other| imports[*other].contains(*module));
            out && into
        };
        let next: BTreeSet<&[String]> = left.iter().copied().filter(|module| stays(module)).collect();
        if next.len() == left.len() {
            break;
        }
        left = next;
    }
    let told: Vec<String> = left
        .iter()
        .map(|module| {
            let to: Vec<_> = imports[*module]
                .iter()
                .filter(|o| left.contains(o.as_slice()))
                .map(|o| o.join("::"))
                .collect();
            format!("{} -> {}", module.join("::"), to.join(", "))
        })
        .collect();
    assert!(told.is_empty(), "files in or between circles:\n{}", told.join("\n"));
}

#[test]
fn every_allowance_is_used() {
    let modules = modules();
    let mut unused = Vec::new();
    for (module, allowed) in WALLS {
        let all: BTreeSet<String> = modules[*module].iter().flat_map(|(_, code)| imports(code)).collect();
        unused.extend(
            allowed.iter().filter(|name| !all.contains(**name)).map(|name| format!("{module}: {name}")),
        );
    }
    assert!(unused.is_empty(), "allowed, but never imported:\n{}", unused.join("\n"));
}

#[test]
fn no_super_path_leaves_its_module() {
    let mut wrong = Vec::new();
    for (module, (file, code)) in file_modules() {
        for path in paths(&code) {
            if path.first().is_some_and(|first| first == "super") {
                let inside =
                    absolute(&path, &module).is_some_and(|to| to.first() == module.first() && to.len() > 1);
                if !inside {
                    wrong.push(format!("{file}: {}", path.join("::")));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "paths with `super` that leave a module:\n{}", wrong.join("\n"));
}

#[test]
fn groups_are_written_out() {
    let told: Vec<String> = paths("use crate::{a::B, c::{d, E as F}};\nlet x = super::y::z(1);")
        .iter()
        .map(|p| p.join("::"))
        .collect();
    assert_eq!(told, ["crate::a::B", "crate::c::d", "crate::c::E", "super::y::z"]);
}

/// Whether a path of this code begins with the crate; `batch::` ends as `tch::` does, and is another name.
fn names_crate(code: &str, name: &str) -> bool {
    let begins = |at: usize| !code[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    code.match_indices(&format!("{name}::")).any(|(at, _)| begins(at))
        || code.contains(&format!("extern crate {name}"))
}

/// The library is linked into the everyday program and the auditor's, which must not load libtorch.
#[test]
fn only_the_program_with_libtorch_names_its_bindings() {
    for (module, files) in modules() {
        for (file, code) in files {
            assert!(!names_crate(&code, "tch") || module == "torch", "{file} names tch");
        }
    }
}

/// The program without PDF is compiled by `make lint` with these at hand, so that the compiler does not tell.
#[test]
fn only_what_sets_and_reads_pdfs_names_the_typesetter() {
    let mut found = BTreeSet::new();
    for (_, files) in modules() {
        for (file, code) in files {
            for name in ["lopdf", "typst", "typst_assets", "typst_layout", "typst_pdf"] {
                if names_crate(&code, name) {
                    found.insert(format!("{name} in {}", file.rsplit("src/").next().unwrap_or(&file)));
                }
            }
        }
    }
    let writer = |name: &str| format!("{name} in document/writers/pdf.rs");
    let mut expected = BTreeSet::from(["typst", "typst_assets", "typst_layout", "typst_pdf"].map(writer));
    expected.insert("lopdf in document/reading.rs".to_owned());
    assert_eq!(found, expected);
}

#[test]
fn the_everyday_program_is_not_linked_with_libtorch() {
    let library = std::fs::read_to_string(source().join("lib.rs")).expect("reads");
    assert!(!library.contains("mod torch"), "the library holds the room of libtorch");
    let loads = |program: &str| {
        let bytes = std::fs::read(program).expect("reads");
        ["libtorch.so", "libtorch_cpu.so"].iter().any(|name| holds(&bytes, name))
    };
    assert!(!loads(env!("CARGO_BIN_EXE_sequester")));
    // The same look finds it where it is.
    #[cfg(all(feature = "torch", target_os = "linux"))]
    assert!(loads(env!("CARGO_BIN_EXE_sequester-torch")));
}

#[test]
fn pure_modules_touch_no_file_no_clock_and_no_environment() {
    let modules = modules();
    for module in [
        "attestation",
        "eligibility",
        "sampling",
        "reads",
        "statistics",
        "comparison",
        "monitoring",
        "study",
        "protocol",
        "document",
    ] {
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
fn the_workflow_has_no_argument_parser_no_terminal_and_no_clock() {
    for (file, code) in &modules()["workflow"] {
        for world in ["clap", "indicatif", "comfy_table", "io::std", "std::env::var", "std::time", "chrono"] {
            assert!(!code.contains(world), "{file} names {world}");
        }
    }
}

#[test]
fn the_import_reader_sees_groups_and_paths() {
    let code = "use crate::{digest::Digest, dataset::{case, gate}};\nlet x = crate::report::render(&s);";
    let expected = ["dataset", "digest", "report"].map(str::to_owned);
    assert_eq!(imports(code), BTreeSet::from(expected));
}

#[test]
fn the_map_in_architecture_leads_to_files_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(root.join("ARCHITECTURE.md")).expect("reads");
    // Two pages of sixty lines: what does not fit is in docs/where.md.
    assert!(text.lines().count() <= 135, "{} lines", text.lines().count());
    let more = std::fs::read_to_string(root.join("docs/where.md")).expect("reads");
    let is_row = |line: &&str| line.starts_with("| ") && line.contains("? | `src/");
    assert!(text.lines().filter(is_row).count() >= 30, "questions");
    let rows: Vec<&str> = text.lines().chain(more.lines()).filter(is_row).collect();
    for row in rows {
        let path = row.split('`').nth(1).expect("a path");
        assert!(root.join(path).is_file(), "{row}");
    }
    for (room, _) in WALLS {
        assert!(text.contains(&format!("`{room}`")), "ARCHITECTURE.md does not name the room {room}");
    }
}

/// Columns of a line of code; `rustfmt` leaves longer comments, strings and what a macro holds.
const COLUMNS: usize = 110;

/// Files that still have longer lines.
const WITH_LONGER_LINES: [&str; 1] = ["src/synthetic/write.rs"];

#[test]
fn lines_have_at_most_so_many_columns() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut folders = vec![root.join("src"), root.join("tests")];
    let mut files = Vec::new();
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).expect("lists").flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    let mut long = Vec::new();
    let mut with_long = BTreeSet::new();
    for file in files {
        let name = file.strip_prefix(root).expect("below").to_string_lossy().replace('\\', "/");
        let text = std::fs::read_to_string(&file).expect("reads");
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| line.chars().count() > COLUMNS) {
            with_long.insert(name.clone());
            if !WITH_LONGER_LINES.contains(&name.as_str()) {
                long.push(format!("{name}:{number}: {} columns", line.chars().count()));
            }
        }
    }
    assert!(long.is_empty(), "{}", long.join("\n"));
    let done = WITH_LONGER_LINES.iter().find(|name| !with_long.contains(**name));
    assert!(done.is_none(), "{done:?} has no longer lines any more: take it off the list");
}
