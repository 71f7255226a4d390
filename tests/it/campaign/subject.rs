//! The honest studies that are mutated.

use std::collections::BTreeMap;
use std::path::Path;

use sequester::digest::Digest;
use sequester::evidence::bag::TAG_MANIFEST;
use sequester::evidence::ledger::{Event, Ledger};
use sequester::report::{self, Formats};

use super::tree::Tree;
use crate::support::Study;

/// An honest study.
pub struct Subject {
    /// What it is called in messages.
    pub name: &'static str,
    /// Everything in it.
    pub tree: Tree,
    /// The newest bundle, `evidence/run-N`.
    pub bag: String,
    /// Its documents, `reports/run-N`.
    pub reports: String,
}

impl Subject {
    /// Files of the bundle with their paths in the study.
    pub fn bundle(&self) -> Vec<String> {
        let prefix = format!("{}/", self.bag);
        self.tree.files.keys().filter(|path| path.starts_with(&prefix)).cloned().collect()
    }

    /// Files below `data/` that a test holds of.
    pub fn data(&self, wanted: impl Fn(&str) -> bool) -> Vec<String> {
        let prefix = format!("{}/data/", self.bag);
        self.bundle().into_iter().filter(|path| path.strip_prefix(&prefix).is_some_and(&wanted)).collect()
    }

    /// The documents.
    pub fn documents(&self) -> Vec<String> {
        let prefix = format!("{}/", self.reports);
        self.tree.files.keys().filter(|path| path.starts_with(&prefix)).cloned().collect()
    }
}

/// The documents of a bundle, without PDF.
pub fn rendered(tree: &Tree, bag: &str) -> Option<Vec<(String, Vec<u8>)>> {
    let source = report::from_bundle(&tree.payload(bag), Some(tree.root(bag))).ok()?;
    let files = report::render(&source, report::Documents::Report, Formats::WithoutPdf).ok()?.files;
    Some(files.into_iter().map(|(path, bytes)| (path.to_string(), bytes)).collect())
}

/// A bundle that was kept by itself gets a study around it: ledger and documents.
fn fixture(name: &'static str) -> Subject {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/evidence/v2").join(name);
    let bag = "evidence/run-1".to_owned();
    let mut tree = Tree::default();
    for (path, bytes) in Tree::read(&folder).files {
        tree.files.insert(format!("{bag}/{path}"), bytes);
    }
    let own = &tree.files[&format!("{bag}/data/ledger.jsonl")];
    let mut ledger = Ledger::parse(Path::new("ledger.jsonl"), own).expect("holds");
    let at = ledger.entries().last().expect("events").at.clone();
    let digests = BTreeMap::from([(TAG_MANIFEST.to_owned(), tree.root(&bag))]);
    ledger.append(Event::EvidencePublished, &at, digests, None).expect("in order");
    tree.put("ledger.jsonl", ledger.to_bytes());
    subject(name, tree, bag)
}

/// A study with two runs, the second with other words; with a rule over columns, strata and weights.
fn twice() -> Subject {
    let study = Study::small();
    study.replace(
        "protocol.toml",
        "[sample]\n",
        "[[eligibility]]\nid = \"adults\"\nkind = \"rule\"\nper = \"patient\"\n\
         rule = \"age_years >= 18 and sex is not missing\"\ndefinition = \"every image is of an adult\"\n\
         reason = \"a patient who was a child at one of the images\"\n\n[sample]\nmethod = \"enriched\"\n",
    );
    assert_eq!(study.run("validate", &[]).code, 0);
    study.write("device.toml", "[device]\nname = \"Another name\"\n");
    assert_eq!(study.run("validate", &["--by", "A. Person", "--role", "statistician"]).code, 0);
    subject("small", Tree::read(study.path()), "evidence/run-2".to_owned())
}

/// A study whose reads were sealed with a custodian, whose bar was committed to, and one opening granted.
fn granted() -> Subject {
    let study = crate::custody::granted();
    subject("custodian", Tree::read(study.path()), "evidence/run-1".to_owned())
}

/// A study whose readers rated the cases with and without the device.
fn read_with_and_without() -> Subject {
    let study = Study::small();
    crate::reader_study_endpoint::add_to(&study);
    let ran = study.run("validate", &[]);
    assert!([0, 10].contains(&ran.code), "{}{}", ran.stdout, ran.stderr);
    subject("reader-study", Tree::read(study.path()), "evidence/run-1".to_owned())
}

/// The third version of a device, under a change control plan that follows the second's.
fn third_version() -> Subject {
    let (_, _, third) = crate::changes::chain();
    subject("third-version", Tree::read(&third.study()), "evidence/run-1".to_owned())
}

fn subject(name: &'static str, mut tree: Tree, bag: String) -> Subject {
    let reports = bag.replace("evidence", "reports");
    for (path, bytes) in rendered(&tree, &bag).expect("renders") {
        tree.files.insert(format!("{reports}/{path}"), bytes);
    }
    Subject { name, tree, bag, reports }
}

/// All of them.
pub fn all() -> Vec<Subject> {
    vec![
        fixture("scored-elsewhere"),
        fixture("locked-model"),
        fixture("adjudicated"),
        twice(),
        granted(),
        read_with_and_without(),
        third_version(),
    ]
}

/// The digest of what nobody has.
pub fn nowhere() -> Digest {
    Digest::of(b"nowhere")
}
