//! Crates and their licences against what the project takes (`deny.toml`), without a network: the list of
//! packages that the program carries is that of `Cargo.lock`, and each licence can be met.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).expect(name)
}

fn table(name: &str) -> toml::Table {
    read(name).parse().expect("TOML")
}

/// Packages of the list by name and version, with their licences.
fn listed() -> BTreeMap<(String, String), String> {
    let list = read("src/interchange/packages.tsv");
    let rows = list.lines().skip(1).map(|line| line.split('\t').collect::<Vec<_>>());
    rows.map(|row| ((row[0].to_owned(), row[1].to_owned()), row[2].to_owned())).collect()
}

fn texts(value: &toml::Value) -> Vec<String> {
    value.as_array().expect("a list").iter().map(|one| one.as_str().expect("a text").to_owned()).collect()
}

/// The ways to satisfy an SPDX expression, each as the licences that have to be met together.
fn ways(expression: &str) -> Vec<BTreeSet<String>> {
    // Top-level words outside of brackets.
    let parts = |text: &str, word: &str| -> Vec<String> {
        let (mut depth, mut parts) = (0, vec![String::new()]);
        for token in text.replace('(', " ( ").replace(')', " ) ").split_whitespace() {
            match token {
                "(" => depth += 1,
                ")" => depth -= 1,
                _ => {}
            }
            if depth == 0 && token == word {
                parts.push(String::new());
            } else {
                let last = parts.last_mut().expect("one part");
                last.push_str(&format!("{token} "));
            }
        }
        parts.iter().map(|part| part.trim().to_owned()).collect()
    };
    let any = parts(expression, "OR");
    if any.len() > 1 {
        return any.iter().flat_map(|part| ways(part)).collect();
    }
    let all = parts(expression, "AND");
    if all.len() > 1 {
        return all.iter().map(|part| ways(part)).fold(vec![BTreeSet::new()], |done, next| {
            done.iter().flat_map(|one| next.iter().map(move |other| one | other)).collect()
        });
    }
    match expression.strip_prefix('(').and_then(|rest| rest.strip_suffix(')')) {
        Some(inner) => ways(inner.trim()),
        None => vec![BTreeSet::from([expression.to_owned()])],
    }
}

#[test]
fn expressions_of_licences_are_read() {
    let of = |text: &str| -> Vec<Vec<String>> {
        ways(text).into_iter().map(|way| way.into_iter().collect()).collect()
    };
    assert_eq!(of("MIT"), [["MIT"]]);
    assert_eq!(of("MIT OR Apache-2.0 WITH LLVM-exception"), [["MIT"], ["Apache-2.0 WITH LLVM-exception"]]);
    assert_eq!(of("(MIT OR Zlib) AND Unicode-3.0"), [["MIT", "Unicode-3.0"], ["Unicode-3.0", "Zlib"]]);
}

#[test]
fn every_crate_has_a_licence_that_is_taken_and_nothing_is_taken_that_no_crate_has() {
    let deny = table("deny.toml");
    let taken: BTreeSet<String> = texts(&deny["licenses"]["allow"]).into_iter().collect();
    let (mut wrong, mut used) = (Vec::new(), BTreeSet::new());
    for ((name, version), licence) in listed() {
        let all = ways(&licence);
        if !all.iter().any(|way| way.is_subset(&taken)) {
            wrong.push(format!("{name} {version}: {licence:?}"));
        }
        used.extend(all.into_iter().flatten());
    }
    assert!(wrong.is_empty(), "not taken by deny.toml:\n{}", wrong.join("\n"));
    let idle: Vec<&String> = taken.difference(&used).collect();
    assert!(idle.is_empty(), "deny.toml takes {idle:?}, which no crate has");
}

#[test]
fn the_list_of_packages_is_that_of_the_lock_file_and_all_come_from_one_registry() {
    let lock = table("Cargo.lock");
    let deny = table("deny.toml");
    let refused: Vec<&str> = deny["bans"]["deny"]
        .as_array()
        .expect("a list")
        .iter()
        .filter_map(|one| one["name"].as_str())
        .collect();
    assert_eq!(deny["sources"]["unknown-registry"].as_str(), Some("deny"));
    // Those of the benches and of the fuzz targets are written apart from this one: all name one registry.
    let sources: BTreeSet<String> = ["Cargo.lock", "benches/engines/Cargo.lock", "fuzz/Cargo.lock"]
        .into_iter()
        .flat_map(|lock| table(lock)["package"].as_array().cloned().expect("packages"))
        .filter_map(|package| package.get("source").and_then(toml::Value::as_str).map(str::to_owned))
        .collect();
    assert!(sources.len() == 1 && sources.iter().all(|one| one.starts_with("registry+")), "{sources:?}");
    let manifest = table("Cargo.toml");
    let rooms = texts(&manifest["workspace"]["members"]).into_iter().map(|room| format!("{room}/Cargo.toml"));
    let own: BTreeSet<String> = std::iter::once("Cargo.toml".to_owned())
        .chain(rooms)
        .map(|path| table(&path)["package"]["name"].as_str().expect("a name").to_owned())
        .collect();
    let mut locked = BTreeSet::new();
    for package in lock["package"].as_array().expect("packages") {
        let text = |key: &str| package.get(key).and_then(toml::Value::as_str).map(str::to_owned);
        let (name, version) = (text("name").expect("a name"), text("version").expect("a version"));
        assert!(!refused.contains(&name.as_str()), "{name} is refused by deny.toml");
        match text("source") {
            Some(_) => {
                assert!(text("checksum").is_some_and(|sum| sum.len() == 64), "{name} has no digest");
            }
            None => assert!(own.contains(&name), "only the program and its rooms have no source: {name}"),
        }
        locked.insert((name, version));
    }
    let listed: BTreeSet<(String, String)> = listed().into_keys().collect();
    assert_eq!(listed, locked, "scripts/packages.py writes the list");
}

#[test]
fn fonts_that_come_with_the_program_have_their_licence_beside_them() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/fonts");
    let page = read("docs/licences.md");
    let licence = std::fs::read_to_string(folder.join("LICENSE")).expect("a licence");
    assert!(licence.contains("SIL OPEN FONT LICENSE") && page.contains("SIL Open Font License 1.1"));
    for font in std::fs::read_dir(&folder).expect("lists").flatten() {
        let name = font.file_name().to_string_lossy().into_owned();
        let known = name == "LICENSE" || (name.starts_with("LiberationSans-") && name.ends_with(".ttf"));
        assert!(known && page.contains("Liberation Sans"), "{name} is not in docs/licences.md");
    }
}

/// What `rust-version` says is not below what a dependency asks for, as far as its sources are here.
#[test]
fn no_dependency_asks_for_a_later_compiler_than_the_program() {
    let number = |text: &str| -> Vec<u32> { text.split('.').filter_map(|part| part.parse().ok()).collect() };
    let own = table("Cargo.toml");
    let own = number(own["workspace"]["package"]["rust-version"].as_str().expect("a version"));
    let ran = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked", "--all-features"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo");
    if !ran.status.success() {
        eprintln!("SKIPPED compilers of dependencies: {}", String::from_utf8_lossy(&ran.stderr));
        return;
    }
    let metadata: serde_json::Value = serde_json::from_slice(&ran.stdout).expect("JSON");
    let packages = metadata["packages"].as_array().expect("packages");
    assert!(packages.len() > 300, "{} packages", packages.len());
    for package in packages {
        if let Some(asked) = package["rust_version"].as_str() {
            assert!(number(asked) <= own, "{} {} asks for Rust {asked}", package["name"], package["version"]);
        }
    }
}
