//! The pages of the project: every link leads somewhere, the book has every page, and the page on the command
//! line names no option that is not there.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every page that people read, without those of evidence and of templates.
fn pages() -> Vec<PathBuf> {
    fn below(folder: &Path, found: &mut Vec<PathBuf>) {
        let mut entries: Vec<PathBuf> =
            std::fs::read_dir(folder).expect("lists").flatten().map(|entry| entry.path()).collect();
        entries.sort();
        for path in entries {
            if path.is_dir() {
                below(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    for file in std::fs::read_dir(root()).expect("lists").flatten() {
        if file.path().extension().is_some_and(|extension| extension == "md") {
            found.push(file.path());
        }
    }
    ["docs", "protocols", "reports"].iter().for_each(|folder| below(&root().join(folder), &mut found));
    found.push(root().join("fuzz/README.md"));
    found.push(root().join("fixtures/reference-values/README.md"));
    found
}

/// The lines of a page outside of code, and of each what stands outside of `code`.
fn prose(page: &str) -> Vec<(usize, String)> {
    let (mut inside, mut found) = (false, Vec::new());
    for (nth, line) in page.lines().enumerate() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        } else if !inside {
            let plain: Vec<&str> = line.split('`').step_by(2).collect();
            found.push((nth + 1, plain.join("`")));
        }
    }
    assert!(!inside, "code is not closed");
    found
}

/// What a link to a heading ends with, as GitHub and mdBook name it.
fn anchors(page: &str) -> BTreeSet<String> {
    let (mut inside, mut count, mut found) = (false, BTreeMap::<String, usize>::new(), BTreeSet::new());
    for line in page.lines() {
        if line.trim_start().starts_with("```") {
            inside = !inside;
        }
        let Some(heading) = line.strip_prefix('#').filter(|_| !inside) else { continue };
        let heading = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = heading.chars().filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        let name: String = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        let before = count.entry(name.clone()).or_default();
        found.insert(if *before == 0 { name } else { format!("{name}-{before}") });
        *before += 1;
    }
    found
}

/// The targets of the links in a line.
fn targets(line: &str) -> Vec<&str> {
    line.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect()
}

#[test]
fn every_link_of_every_page_leads_somewhere() {
    let (mut wrong, mut links) = (Vec::new(), 0);
    for path in pages() {
        let page = std::fs::read_to_string(&path).expect("a page");
        let name = path.strip_prefix(root()).expect("below").display().to_string();
        for (line, text) in prose(&page) {
            for target in targets(&text) {
                if target.starts_with("https://") {
                    continue;
                }
                links += 1;
                let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
                let to =
                    if file.is_empty() { path.clone() } else { path.parent().expect("a folder").join(file) };
                if !to.exists() {
                    wrong.push(format!("{name}:{line}: {target} is not there"));
                } else if !anchor.is_empty() {
                    let page = std::fs::read_to_string(&to).expect("a page");
                    if !anchors(&page).contains(anchor) {
                        wrong.push(format!("{name}:{line}: {target} has no such heading"));
                    }
                }
            }
        }
    }
    assert!(links > 150, "only {links} links were found");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_that_pages_name_are_there() {
    let name =
        regex::Regex::new(r"`((?:docs|src|tests|scripts|protocols|fixtures|benches)/[A-Za-z0-9_./-]+)`");
    let (name, mut wrong) = (name.expect("a pattern"), Vec::new());
    for path in pages() {
        // What was said of an older state stays said.
        if path.ends_with("CHANGELOG.md") {
            continue;
        }
        let page = std::fs::read_to_string(&path).expect("a page");
        for found in name.captures_iter(&page) {
            if !root().join(&found[1]).exists() {
                wrong.push(format!("{}: {} is not there", path.display(), &found[1]));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_book_has_every_page_once() {
    let summary = std::fs::read_to_string(root().join("docs/SUMMARY.md")).expect("the summary");
    let mut listed: Vec<&str> = summary.lines().flat_map(targets).collect();
    listed.sort_unstable();
    let mut there: Vec<String> = std::fs::read_dir(root().join("docs"))
        .expect("lists")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .filter(|name| name.ends_with(".md") && name != "SUMMARY.md")
        .collect();
    there.sort_unstable();
    assert_eq!(listed, there);
    let book = std::fs::read_to_string(root().join("book.toml")).expect("the book");
    let book: toml::Table = book.parse().expect("TOML");
    assert_eq!(book["book"]["src"].as_str(), Some("docs"));
    // What is built for people without a network asks for nothing from one.
    assert!(!book.to_string().contains("http"), "{book}");
}

/// Options that stand in a page of the program's help.
fn options(text: &str) -> BTreeSet<String> {
    let option = regex::Regex::new("--[a-z][a-z-]*[a-z]").expect("a pattern");
    option.find_iter(text).map(|found| found.as_str().to_owned()).collect()
}

#[test]
fn the_page_on_the_command_line_names_what_is_there() {
    let read = |name: &str| std::fs::read_to_string(root().join("docs").join(name)).expect("a page");
    let (page, commands) = (read("command-line.md"), read("commands.md"));
    let there = options(&commands);
    // Words of earlier versions, which are understood and no longer shown, and an option of `sbatch`.
    let older: BTreeSet<String> = page
        .split("| older word |")
        .nth(1)
        .and_then(|rest| rest.split("\n\n").next())
        .map(options)
        .expect("the table of older words");
    let unknown: Vec<String> = options(&page)
        .into_iter()
        .filter(|option| !there.contains(option) && !older.contains(option) && option != "--array")
        .collect();
    assert!(unknown.is_empty(), "docs/command-line.md names {unknown:?}");
    // And every schema of what `--json` prints is listed there.
    for entry in std::fs::read_dir(root().join("docs/schemas")).expect("lists").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        // Those of files are in docs/compatibility.md.
        if name == "formats" {
            continue;
        }
        assert!(page.contains(&format!("schemas/{name}")), "docs/command-line.md does not name {name}");
    }
}

#[test]
fn the_readme_shows_a_command_before_its_second_screen() {
    let readme = std::fs::read_to_string(root().join("README.md")).expect("the README");
    let first = readme.lines().position(|line| line.starts_with("cargo install")).expect("a command");
    assert!(first < 80, "the first command stands in line {first}");
}
