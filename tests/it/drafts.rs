//! Drafts as DOCX: beside the record, told from what was edited, and read by other programs without losing a
//! number.

use std::collections::BTreeMap;
use std::io::{Cursor, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{Study, sequester};

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// The parts of a DOCX.
fn parts(file: &Path) -> BTreeMap<String, Vec<u8>> {
    let bytes = std::fs::read(file).expect("reads");
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).expect("a ZIP file");
    (0..archive.len())
        .map(|index| {
            let mut part = archive.by_index(index).expect("a part");
            let mut bytes = Vec::new();
            part.read_to_end(&mut bytes).expect("inflates");
            (part.name().expect("a name").into_owned(), bytes)
        })
        .collect()
}

/// Writes the parts again, with one of them changed: what a program for text does.
fn rewrite(file: &Path, change: impl Fn(&str) -> String) {
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts(file) {
        out.start_file(&*name, zip::write::SimpleFileOptions::default()).expect("starts");
        if name == "word/document.xml" {
            let text = String::from_utf8(bytes).expect("UTF-8");
            out.write_all(change(&text).as_bytes()).expect("writes");
        } else {
            out.write_all(&bytes).expect("writes");
        }
    }
    std::fs::write(file, out.finish().expect("ends").into_inner()).expect("writes");
}

/// How often each number stands in a text.
fn numbers(text: &str) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    let of_number = |c: char| c.is_ascii_digit() || matches!(c, '.' | ',');
    for run in text.split(|c: char| !of_number(c)) {
        let run = run.trim_matches(['.', ',']);
        if !run.is_empty() {
            *found.entry(run.to_owned()).or_insert(0) += 1;
        }
    }
    found
}

/// The text of the parts that hold text, without what is between tags.
fn plain(parts: &BTreeMap<String, Vec<u8>>) -> String {
    let document = String::from_utf8(parts["word/document.xml"].clone()).expect("UTF-8");
    let mut out = String::new();
    for paragraph in document.split("</w:p>") {
        for run in paragraph.split("<w:t xml:space=\"preserve\">").skip(1) {
            out.push_str(run.split("</w:t>").next().expect("ends"));
        }
        out.push('\n');
    }
    ["&lt;<", "&gt;>", "&quot;\"", "&#39;'", "&amp;&"].iter().fold(out, |text, pair| {
        let (entity, sign) = pair.split_at(pair.len() - 1);
        text.replace(entity, sign)
    })
}

/// A validated study with its drafts.
fn drafted() -> Study {
    let study = Study::small();
    assert_eq!(study.run("validate", &[]).code, 0);
    let ran = study.run("report", &["--docx"]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    study
}

#[test]
fn a_draft_is_beside_the_record_and_what_was_edited_is_told() {
    let study = drafted();
    let draft = study.file("drafts/run-1/report.docx");
    let first = std::fs::read(&draft).expect("reads");
    assert_eq!(study.run("report", &["--docx"]).code, 0, "the same bytes are no other draft");
    assert_eq!(std::fs::read(&draft).expect("reads"), first);
    assert_eq!(study.run("verify", &[]).code, 0, "the record is what it was");
    let bundle = study.file("evidence/run-1");
    let against = |file: &Path| sequester(&["verify", text(&bundle), "--against", text(file), "--json"]);
    let ran = against(&draft);
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    assert!(ran.stdout.contains("a draft is no evidence"), "{}", ran.stdout);

    // Another form with the same words is neither right nor wrong.
    rewrite(&draft, |xml| xml.replace("<w:cantSplit/>", ""));
    let ran = against(&draft);
    assert_eq!(ran.code, 21, "{}", ran.stdout);
    assert!(ran.stdout.contains("has the words and numbers of report.docx"), "{}", ran.stdout);
    let refused = study.run("report", &["--docx"]);
    assert_eq!(refused.code, 1);
    assert!(refused.stderr.contains("draft-there") && refused.stderr.contains("--out"), "{}", refused.stderr);

    // A number that was edited is named.
    let number = plain(&parts(&draft))
        .split_whitespace()
        .find(|word| word.ends_with('%') && word.contains('.'))
        .expect("a percentage")
        .to_owned();
    rewrite(&draft, |xml| xml.replacen(&number, "99.9%", 1));
    let ran = against(&draft);
    assert_eq!(ran.code, 20, "{}", ran.stdout);
    assert!(ran.stdout.contains("99.9%"), "{}", ran.stdout);
    let elsewhere = study.file("elsewhere");
    let ran = study.run("report", &["--docx", "--out", text(&elsewhere)]);
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(std::fs::read(elsewhere.join("report.docx")).expect("reads"), first);
}

#[test]
fn a_draft_has_headings_captions_references_headers_of_tables_and_alternative_texts() {
    let study = drafted();
    let parts = parts(&study.file("drafts/run-1/report.docx"));
    let part = |name: &str| String::from_utf8(parts[name].clone()).expect("UTF-8");
    let document = part("word/document.xml");
    let count = |what: &str| document.matches(what).count();
    assert!(count("w:val=\"Heading1\"") > 5 && count("w:val=\"Heading2\"") > 5);
    let tables = count("SEQ Table");
    assert!(tables > 5 && count("SEQ Figure") > 3);
    // The captions' labels, in order.
    for number in 1..=tables {
        assert_eq!(count(&format!("w:name=\"_RefTable{number}\"")), 1);
    }
    assert!(count("<w:tblHeader/>") >= tables, "every numbered table repeats its header");
    assert_eq!(count("<w:drawing>"), count(" descr=\""));
    assert_eq!(count(" descr=\"\""), 0, "every figure has an alternative text");
    // Every reference leads somewhere.
    for reference in document.split(" REF ").skip(1) {
        let bookmark = reference.split(' ').next().expect("a bookmark");
        assert_eq!(count(&format!("w:name=\"{bookmark}\"")), 1, "{bookmark}");
    }
    assert!(count(" REF ") > 0);
    for anchor in document.split("w:anchor=\"").skip(1) {
        let name = anchor.split('"').next().expect("a name");
        assert_eq!(count(&format!("w:name=\"{name}\"")), 1, "{name}");
    }
    let pictures = parts.keys().filter(|name| name.ends_with(".emf")).count();
    assert_eq!(pictures, count("<a:blip "));
    assert!(document.contains("it is no evidence") && part("word/footer1.xml").contains("Editable draft"));
    for (name, bytes) in &parts {
        if name.ends_with(".xml") || name.ends_with(".rels") {
            let xml = String::from_utf8(bytes.clone()).expect("UTF-8");
            let mut reader = quick_xml::Reader::from_str(&xml);
            while !matches!(reader.read_event().expect(name), quick_xml::events::Event::Eof) {}
        }
    }
}

#[test]
fn a_company_has_its_own_styles() {
    let study = drafted();
    let own = study.file("house.docx");
    std::fs::copy(study.file("drafts/run-1/report.docx"), &own).expect("copies");
    // The program's own file is one that has every style: a colour tells which was taken.
    let mut out = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in parts(&own) {
        out.start_file(&*name, zip::write::SimpleFileOptions::default()).expect("starts");
        let bytes = match name.as_str() {
            "word/styles.xml" => String::from_utf8(bytes).expect("UTF-8").replace("1F4E8C", "00AA00").into(),
            _ => bytes,
        };
        out.write_all(&bytes).expect("writes");
    }
    std::fs::write(&own, out.finish().expect("ends").into_inner()).expect("writes");
    let styles = |folder: &str| {
        let part = parts(&study.file(&format!("{folder}/report.docx")))["word/styles.xml"].clone();
        String::from_utf8(part).expect("UTF-8")
    };
    let named = ["--docx", "--out"];
    let out = study.file("named");
    let ran = study.run("report", &[&named[..], &[text(&out), "--docx-template", text(&own)]].concat());
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert!(styles("named").contains("00AA00") && !styles("drafts/run-1").contains("00AA00"));
    let folder = study.file("templates");
    std::fs::create_dir_all(&folder).expect("makes");
    std::fs::copy(&own, folder.join("style.docx")).expect("copies");
    let out = study.file("placed");
    assert_eq!(study.run("report", &[&named[..], &[text(&out)]].concat()).code, 0);
    assert!(styles("placed").contains("00AA00"));
    let ran = study.run("report", &["--docx", "--docx-template", text(&study.file("protocol.toml"))]);
    assert_eq!(ran.code, 1);
    assert!(ran.stderr.contains("docx-template"), "{}", ran.stderr);
}

/// Python with `python-docx`, where `scripts/setup-office.sh` made it.
fn python(test: &str) -> Option<PathBuf> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join(".deps/office/bin/python");
    let python = std::env::var_os("SEQUESTER_OFFICE_PYTHON").map_or(own, PathBuf::from);
    let works =
        Command::new(&python).args(["-c", "import docx"]).output().is_ok_and(|ran| ran.status.success());
    if !works {
        eprintln!("SKIPPED {test}: no python-docx; scripts/setup-office.sh installs it");
    }
    works.then_some(python)
}

#[test]
fn python_docx_reads_every_number_and_keeps_it() {
    let Some(python) = python("python_docx_reads_every_number_and_keeps_it") else { return };
    let study = drafted();
    let draft = study.file("drafts/run-1/report.docx");
    let saved = study.file("saved.docx");
    let script = "
import sys, docx
document = docx.Document(sys.argv[1])
headings = sum(p.style.name.startswith('Heading') for p in document.paragraphs)
print(headings, len(document.tables), len(document.inline_shapes))
document.save(sys.argv[2])
";
    let ran = Command::new(python).args(["-c", script, text(&draft), text(&saved)]).output().expect("starts");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let told = String::from_utf8(ran.stdout).expect("UTF-8");
    let counts: Vec<usize> = told.split_whitespace().map(|n| n.parse().expect("a count")).collect();
    assert!(counts.iter().all(|count| *count > 3), "headings, tables, figures: {counts:?}");
    assert_eq!(numbers(&plain(&parts(&saved))), numbers(&plain(&parts(&draft))));
    let bundle = study.file("evidence/run-1");
    let ran = sequester(&["verify", text(&bundle), "--against", text(&saved)]);
    assert_eq!(ran.code, 21, "{}", ran.stdout);
}

#[test]
fn libreoffice_opens_a_draft_and_loses_no_number() {
    let test = "libreoffice_opens_a_draft_and_loses_no_number";
    let program = std::env::var_os("SEQUESTER_SOFFICE").unwrap_or_else(|| "/usr/bin/soffice".into());
    // LibreOffice may be there without its program for text.
    let writer = Path::new(&program).canonicalize().map(|path| path.with_file_name("libswlo.so"));
    if !writer.is_ok_and(|library| library.is_file()) {
        eprintln!("SKIPPED {test}: no LibreOffice Writer; scripts/setup-office.sh installs it");
        return;
    }
    let study = drafted();
    let draft = study.file("drafts/run-1/report.docx");
    let profile = tempfile::tempdir().expect("a folder");
    let ran = Command::new(program)
        .arg(format!("-env:UserInstallation=file://{}", text(profile.path())))
        .args(["--headless", "--convert-to", "txt:Text (encoded):UTF8", "--outdir", text(profile.path())])
        .arg(&draft)
        .output()
        .expect("starts");
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    let converted = std::fs::read_to_string(profile.path().join("report.txt")).expect("was converted");
    let there = numbers(&converted);
    for (number, count) in numbers(&plain(&parts(&draft))) {
        assert!(there.get(&number).is_some_and(|found| *found >= count), "{number} is there {count} times");
    }
}
