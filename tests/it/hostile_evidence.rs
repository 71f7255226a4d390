//! A bundle that somebody made to cost: every limit of `docs/limits.md` is reached, and what is beyond it is
//! refused with a code and a way out. Without the limits each of these hangs, fills the memory or ends the
//! program: that a test ends is what it shows, and no clock is looked at.

use std::fs::File;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use sequester::diagnostic::Diagnostic;
use sequester::evidence::bag;
use sequester::report::{self, Formats};

use crate::support::{Study, files, sequester};

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/evidence/v2/scored-elsewhere")
}

/// What is said of documents of the honest bundle with one other template.
fn rendered_with(name: &str, template: &str) -> Vec<Diagnostic> {
    let opened = bag::open(&fixture()).expect("opens");
    let mut source = report::from_bundle(&opened.payload, opened.root).expect("reads");
    source.templates.insert(name.to_owned(), template.to_owned());
    report::render(&source, report::Documents::Report, Formats::WithoutPdf)
        .err()
        .map_or(Vec::new(), |e| e.diagnostics())
}

#[test]
fn templates_that_run_for_ever_double_or_nest_are_refused() {
    let loops = "{% for a in openings %}".repeat(20) + &"{% endfor %}".repeat(20);
    let long_list = "{% for f in protocol_text %}{% for g in protocol_text %}{% for h in protocol_text %}\
                     {% endfor %}{% endfor %}{% endfor %}";
    let characters = "{% for a in [1,2,3,4,5,6,7,8,9,10] %}".repeat(12) + &"{% endfor %}".repeat(12);
    let doubled = "{% set x = protocol_text %}".to_owned() + &"{% set x = x ~ x %}".repeat(40);
    let longer = "{{ protocol_text | replace(from=\"e\", to=\"eeeeeeeeeeeeeeeeeeee\") }}".to_owned();
    let written =
        "{% for a in [1,2,3,4,5,6,7,8,9,10] %}".repeat(4) + "{{ protocol_text }}" + &"{% endfor %}".repeat(4);
    for (what, template) in [
        ("loops over digits", characters),
        ("a doubled text", doubled),
        ("a text that grows", longer),
        ("more text than anybody reads", written),
        ("quotes", format!("{} deep\n", ">".repeat(20_000))),
        ("lists", format!("{} deep\n", "- ".repeat(20_000))),
        ("brackets", format!("{{{{ {}1{} }}}}", "(".repeat(50_000), ")".repeat(50_000))),
        ("an open tag", format!("{{{{ {}", "[".repeat(50_000))),
        ("ifs", "{% if synthetic %}".repeat(20_000) + &"{% endif %}".repeat(20_000)),
        ("elifs", "{% if synthetic %}".to_owned() + &"{% elif synthetic %}".repeat(20_000) + "{% endif %}"),
        ("a large template", "a ".repeat(2 << 20)),
    ] {
        let said = rendered_with("limits.md", &template);
        assert!(
            said.iter().any(|d| d.code.as_str() == "template-cost" && d.hint.is_some()),
            "{what}: {said:?}"
        );
    }
    // Loops that have nothing to go through, or over what is no list, end by themselves or with their place.
    rendered_with("limits.md", &loops);
    rendered_with("limits.md", long_list);
}

#[test]
fn parts_that_include_parts_twice_are_counted() {
    let opened = bag::open(&fixture()).expect("opens");
    let mut source = report::from_bundle(&opened.payload, opened.root).expect("reads");
    for n in 0..40 {
        let twice = format!("{{% include \"p{}.md\" %}}", n + 1).repeat(2);
        source.templates.insert(format!("p{n}.md"), twice);
    }
    source.templates.insert("p40.md".to_owned(), String::new());
    source.templates.insert("limits.md".to_owned(), "{% include \"p0.md\" %}".to_owned());
    let said = report::render(&source, report::Documents::Report, Formats::WithoutPdf)
        .expect_err("refused")
        .diagnostics();
    assert_eq!(said[0].code.as_str(), "template-cost", "{said:?}");
}

/// A copy of the bundle that can be spoilt.
fn copy() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let bag = folder.path().join("run-1");
    for (path, bytes) in files(&fixture()) {
        let to = bag.join(path.strip_prefix(fixture()).expect("below"));
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("makes");
        std::fs::write(to, bytes).expect("writes");
    }
    (folder, bag)
}

/// `verify` ends, with the exit code and the code of a diagnostic.
fn ends(bag: &Path, code: i32, says: &str) {
    let ran = sequester(&["verify", bag.to_str().expect("UTF-8")]);
    assert_eq!(ran.code, code, "{says}: {}{}", ran.stdout, ran.stderr);
    assert!(ran.stderr.contains(&format!("[{says}]")), "{says}: {}", ran.stderr);
}

#[test]
fn sizes_that_no_bundle_has_are_refused_before_they_are_read() {
    let sparse =
        |path: &Path, length: u64| File::create(path).expect("creates").set_len(length).expect("sets");
    let (_folder, bag) = copy();
    sparse(&bag.join("data/inputs/cases.csv"), 1 << 42);
    ends(&bag, 1, "too-large");
    let (_folder, bag) = copy();
    sparse(&bag.join("manifest-sha256.txt"), (64 << 20) + 1);
    ends(&bag, 1, "too-large");
    let (_folder, bag) = copy();
    sparse(&bag.join("data/inputs/cases.csv"), 2 << 30);
    ends(&bag, 1, "too-large");
    let (_folder, bag) = copy();
    let mut deep = bag.join("data");
    (0..40).for_each(|_| deep.push("a"));
    std::fs::create_dir_all(&deep).expect("makes");
    ends(&bag, 1, "too-large");
}

#[test]
fn a_manifest_of_many_lines_is_read_in_time() {
    let (_folder, bag) = copy();
    let line = format!("{}  data/x\n", "0".repeat(64));
    let mut file = File::options().append(true).open(bag.join("manifest-sha256.txt")).expect("opens");
    file.write_all(line.repeat(300_000).as_bytes()).expect("writes");
    ends(&bag, 20, "manifest-form");
}

#[test]
fn pipes_links_and_circles_are_no_files_and_are_not_opened() {
    let pipe = |path: &Path| {
        assert!(std::process::Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
    };
    let (_folder, bag) = copy();
    pipe(&bag.join("data/inputs/pipe.csv"));
    ends(&bag, 20, "file-kind");
    let (_folder, bag) = copy();
    std::os::unix::fs::symlink(&bag, bag.join("data/inputs/circle")).expect("links");
    ends(&bag, 20, "file-kind");
    let (_folder, bag) = copy();
    std::fs::remove_file(bag.join("data/inputs/cases.csv")).expect("removes");
    std::os::unix::fs::symlink("/dev/zero", bag.join("data/inputs/cases.csv")).expect("links");
    ends(&bag, 20, "file-kind");
    // Beside a bundle, among the documents.
    let study = Study::small();
    assert_eq!(study.run("run", &[]).code, 0);
    std::os::unix::fs::symlink(study.path(), study.file("reports/run-1/circle")).expect("links");
    ends(study.path(), 20, "report-extra");
    std::fs::remove_file(study.file("reports/run-1/circle")).expect("removes");
    pipe(&study.file("reports/run-1/pipe"));
    ends(study.path(), 20, "report-extra");
}

#[test]
fn a_table_that_inflates_without_end_is_told_as_that() {
    let study = Study::small();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(b"case_id,patient_id\n").expect("memory");
    let zeros = vec![b'a'; 1 << 20];
    for _ in 0..40 {
        gzip.write_all(&zeros).expect("memory");
    }
    std::fs::write(study.file("cases.csv"), gzip.finish().expect("memory")).expect("writes");
    let ran = study.run("check", &[]);
    assert!(
        ran.stdout.contains("too-large") || ran.stderr.contains("too-large"),
        "{}{}",
        ran.stdout,
        ran.stderr
    );
    // A table that is only large, and shrinks as tables do, is read.
    let table: String = (0..2_000).map(|n| format!("C{n},P{n}\n")).collect();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(format!("case_id,patient_id\n{table}").as_bytes()).expect("memory");
    let bytes = gzip.finish().expect("memory");
    let read = sequester::table::Table::parse(Path::new("cases.csv.gz"), &bytes).expect("a table");
    assert_eq!(read.rows().count(), 2_000);
}

#[test]
fn ids_that_a_program_for_tables_would_compute_are_told_and_stay_as_they_are() {
    let study = Study::small();
    for name in ["cases.csv", "scores.csv", "reads/reader-1.csv", "reads/reader-2.csv", "reads/reader-3.csv"]
    {
        study.write(name, &study.read(name).replace("C003", "=C003"));
    }
    let checked = study.run("check", &[]);
    assert!(checked.stdout.contains("cell-formula") || checked.stderr.contains("cell-formula"));
    assert_eq!(study.run("run", &[]).code, 0);
    assert!(study.read("evidence/run-1/data/cases.csv").contains("\n=C003,"), "read back equal");
    assert_eq!(study.run("verify", &[]).code, 0);
}
