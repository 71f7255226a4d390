//! What a PDF of the set must be to be archival (PDF/A-2a, ISO 19005-2) and accessible (PDF/UA-1,
//! ISO 14289-1), read back from its bytes with another library than the one that wrote it.
//!
//! veraPDF, which both standards' makers use, comes from no package registry that this project installs from.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use lopdf::{Dictionary, Document, Object};

use crate::support::{Study, files, with_pdf};

/// One node of the structure tree.
#[derive(Debug)]
struct Node {
    kind: String,
    alt: Option<String>,
    scope: Option<String>,
    has_box: bool,
    kids: Vec<Node>,
    /// Marked content that it holds by itself.
    content: usize,
}

impl Node {
    /// It and all below it.
    fn all(&self) -> Vec<&Node> {
        let mut found = vec![self];
        found.extend(self.kids.iter().flat_map(Node::all));
        found
    }
}

fn at<'a>(document: &'a Document, from: &'a Dictionary, key: &str) -> Option<&'a Object> {
    let object = from.get(key.as_bytes()).ok()?;
    document.dereference(object).ok().map(|(_, object)| object)
}

fn dictionary<'a>(document: &'a Document, from: &'a Dictionary, key: &str) -> Option<&'a Dictionary> {
    at(document, from, key)?.as_dict().ok()
}

fn name(document: &Document, from: &Dictionary, key: &str) -> Option<String> {
    Some(String::from_utf8_lossy(at(document, from, key)?.as_name().ok()?).into_owned())
}

/// The attributes of a node: one dictionary or several.
fn attributes<'a>(document: &'a Document, node: &'a Dictionary) -> Vec<&'a Dictionary> {
    let resolved = |object: &'a Object| document.dereference(object).ok().and_then(|(_, o)| o.as_dict().ok());
    match at(document, node, "A") {
        Some(Object::Array(list)) => list.iter().filter_map(resolved).collect(),
        Some(object) => resolved(object).into_iter().collect(),
        None => Vec::new(),
    }
}

fn read(document: &Document, node: &Dictionary) -> Node {
    let mut found = Node {
        kind: name(document, node, "S").unwrap_or_else(|| "StructTreeRoot".to_owned()),
        alt: at(document, node, "Alt").and_then(|o| lopdf::decode_text_string(o).ok()),
        scope: attributes(document, node).iter().find_map(|a| name(document, a, "Scope")),
        has_box: attributes(document, node).iter().any(|a| a.has(b"BBox")),
        kids: Vec::new(),
        content: 0,
    };
    let kids = match at(document, node, "K") {
        Some(Object::Array(list)) => list.clone(),
        Some(object) => vec![object.clone()],
        None => Vec::new(),
    };
    for kid in kids {
        match document.dereference(&kid).map(|(_, object)| object) {
            Ok(Object::Dictionary(kid)) if kid.has(b"S") => found.kids.push(read(document, kid)),
            Ok(_) => found.content += 1,
            Err(_) => {}
        }
    }
    found
}

/// Everything that is wrong with a PDF.
fn problems(bytes: &[u8]) -> Vec<String> {
    let document = Document::load_mem(bytes).expect("reads");
    let catalog = document.catalog().expect("a catalogue");
    let mut wrong = Vec::new();
    let mut ask = |is: bool, what: String| {
        if !is {
            wrong.push(what);
        }
    };
    // The file.
    let marked = dictionary(&document, catalog, "MarkInfo").and_then(|info| at(&document, info, "Marked"));
    ask(marked.and_then(|m| m.as_bool().ok()) == Some(true), "is not marked as tagged".into());
    let language = at(&document, catalog, "Lang").and_then(|o| lopdf::decode_text_string(o).ok());
    ask(language.as_deref() == Some("en-US"), format!("language {language:?}"));
    let shown = dictionary(&document, catalog, "ViewerPreferences")
        .and_then(|view| at(&document, view, "DisplayDocTitle")?.as_bool().ok());
    ask(shown == Some(true), "a viewer shows the file name and not the title".into());
    ask(!document.is_encrypted() && !catalog.has(b"OpenAction"), "encrypted, or acts by itself".into());
    let intents = at(&document, catalog, "OutputIntents").and_then(|o| o.as_array().ok());
    ask(intents.is_some_and(|list| !list.is_empty()), "no output intent".into());
    let metadata = at(&document, catalog, "Metadata").and_then(|o| o.as_stream().ok());
    let metadata = metadata.and_then(|s| s.get_plain_content().ok()).unwrap_or_default();
    let metadata = String::from_utf8_lossy(&metadata).into_owned();
    for part in
        ["<pdfaid:part>2<", "<pdfaid:conformance>A<", "<pdfuaid:part>1<", "<dc:title>", "<dc:language>"]
    {
        ask(metadata.contains(part), format!("the metadata lack {part}"));
    }
    let outlines = dictionary(&document, catalog, "Outlines");
    ask(outlines.is_some_and(|o| o.has(b"First")), "no bookmarks".into());
    // The tree.
    let root = dictionary(&document, catalog, "StructTreeRoot");
    let Some(root) = root else { return vec!["no structure tree".to_owned()] };
    let tree = read(&document, root);
    ask(tree.kids.len() == 1 && tree.kids[0].kind == "Document", "the tree's root is no document".into());
    let mut level = 0;
    for node in tree.all() {
        match node.kind.as_str() {
            "Figure" => {
                let alt = node.alt.as_deref().unwrap_or_default().trim();
                ask(alt.len() > 8, format!("a figure without words: {alt:?}"));
                ask(node.has_box, format!("a figure without its place: {alt:?}"));
            }
            "Table" => {
                let cells = node.all();
                let headers: Vec<_> = cells.iter().filter(|cell| cell.kind == "TH").collect();
                // A table of facts has its keys in the first column and no header.
                let named = cells.iter().any(|cell| cell.kind == "THead");
                ask(!named || !headers.is_empty(), "a header row without header cells".into());
                ask(headers.iter().all(|cell| cell.scope.is_some()), "a header cell without scope".into());
            }
            kind if kind.len() == 2 && kind.starts_with('H') => {
                let next: u32 = kind[1..].parse().unwrap_or(0);
                ask(next >= 1 && next <= level + 1, format!("heading {next} after {level}"));
                level = next;
            }
            _ => {}
        }
    }
    let kinds: BTreeSet<&str> = tree.all().iter().map(|node| node.kind.as_str()).collect();
    ask(kinds.contains("H1") && kinds.contains("P"), format!("only {kinds:?}"));
    // Pages: their order of tabs, and nothing on them that is neither tagged nor an artifact.
    for (number, id) in document.get_pages() {
        let page = document.get_dictionary(id).expect("a page");
        ask(page.has(b"StructParents"), format!("page {number} is not in the tree"));
        let notes = at(&document, page, "Annots").and_then(|o| o.as_array().ok());
        if let Some(notes) = notes.filter(|notes| !notes.is_empty()) {
            ask(
                name(&document, page, "Tabs").as_deref() == Some("S"),
                format!("page {number}: order of tabs"),
            );
            for note in notes.iter().filter_map(|o| document.dereference(o).ok()?.1.as_dict().ok()) {
                ask(
                    note.has(b"Contents") && note.has(b"StructParent"),
                    format!("page {number}: a bare link"),
                );
            }
        }
        let content = document.get_and_decode_page_content(id).expect("content");
        let mut depth: usize = 0;
        for operation in &content.operations {
            match operation.operator.as_str() {
                "BDC" | "BMC" => depth += 1,
                "EMC" => depth = depth.saturating_sub(1),
                "Tj" | "TJ" | "'" | "\"" | "Do" | "f" | "F" | "f*" | "S" | "s" | "B" | "B*" | "b" | "b*"
                | "sh" | "BI" => {
                    ask(depth > 0, format!("page {number}: {} outside of the tree", operation.operator));
                }
                _ => {}
            }
        }
        ask(depth == 0, format!("page {number}: marks that do not end"));
    }
    // Fonts are in the file, and their letters can be read.
    for object in document.objects.values().filter_map(|object| object.as_dict().ok()) {
        let kind = name(&document, object, "Type").unwrap_or_default();
        if kind == "FontDescriptor" {
            let embedded =
                ["FontFile", "FontFile2", "FontFile3"].iter().any(|key| object.has(key.as_bytes()));
            ask(embedded, format!("a font that is not embedded: {:?}", name(&document, object, "FontName")));
        }
        if kind == "Font" && name(&document, object, "Subtype").as_deref() == Some("Type0") {
            ask(object.has(b"ToUnicode"), "a font whose letters cannot be read".into());
        }
        ask(!object.has(b"JS") && !object.has(b"EF"), "a script or an attachment".into());
    }
    wrong.sort();
    wrong.dedup();
    wrong
}

fn rendered(study: &Study) -> BTreeMap<String, Vec<u8>> {
    assert!(matches!(study.run("validate", &[]).code, 0 | 10));
    let folder = study.path().to_str().expect("UTF-8");
    let ran = with_pdf(&["report", folder, "--documents", "all"]);
    assert_eq!(ran.code, 0, "{}{}", ran.stdout, ran.stderr);
    let found = files(&study.file("reports/run-1"));
    let is_pdf = |path: &Path| path.extension().is_some_and(|ending| ending == "pdf");
    let named = |path: &Path| path.file_name().expect("a name").to_string_lossy().into_owned();
    found.into_iter().filter(|(path, _)| is_pdf(path)).map(|(path, bytes)| (named(&path), bytes)).collect()
}

#[test]
fn every_pdf_of_the_set_is_archival_and_accessible() {
    let pdfs = rendered(&Study::small());
    assert!(pdfs.len() >= 12, "{:?}", pdfs.keys());
    let wrong: BTreeMap<&String, Vec<String>> = pdfs
        .iter()
        .map(|(name, bytes)| (name, problems(bytes)))
        .filter(|(_, problems)| !problems.is_empty())
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}
