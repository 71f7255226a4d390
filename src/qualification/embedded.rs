//! The inputs and reference values that the program holds: files of `fixtures/reference-values`, byte for
//! byte. The scripts that made them, with the packages and versions, lie beside them in the repository.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

macro_rules! reference_files {
    ($($name:literal),* $(,)?) => {
        /// Reference values by the name of their file.
        const REFERENCES: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../fixtures/reference-values/ref/", $name, ".json")))),*
        ];
    };
}

macro_rules! input_files {
    ($($name:literal),* $(,)?) => {
        /// Input tables by the name of their file.
        const INPUTS: &[(&str, &str)] = &[
            $(($name, include_str!(concat!("../../fixtures/reference-values/", $name)))),*
        ];
    };
}

reference_files![
    "boot_reference",
    "chi_squared",
    "clustered",
    "comparative_auc",
    "comparative_multiplicity",
    "comparative_paired",
    "comparative_paired_ExactCIdiff2.1",
    "comparative_power",
    "comparative_unpaired",
    "design",
    "exact",
    "nominal_statsmodels0.15.0_krippendorff0.9.0_irrCAC0.4.4",
    "ordinal_statsmodels0.15.0_irrCAC0.4.4",
    "paired_shares",
    "power_py",
    "qualification",
    "qualification_reader_studies",
    "readers_exact",
    "repeatability",
    "sites_R4.2.2",
    "sites_exact",
    "triage",
];

// d04 with its 16,370 rows is left out: a megabyte that no other path of the code runs on.
input_files![
    "comparative/multiplicity.json",
    "comparative/paired.csv",
    "comparative/unpaired.csv",
    "inputs/d01_tiny20.csv",
    "inputs/d02_bal1000.csv",
    "inputs/d03_prev1000.csv",
    "inputs/d05_ties2000.csv",
    "inputs/d06_perfect200.csv",
    "inputs/d07_subgroups600.csv",
    "inputs/d08_clustered.csv",
    "inputs/d09_const50.csv",
    "inputs/d10_reversed300.csv",
    "inputs/n01_four120.csv",
    "inputs/n02_five150.csv",
    "inputs/n03_three40.csv",
    "inputs/r01_full200.csv",
    "inputs/r02_missing200.csv",
    "inputs/r03_skewed500.csv",
    "inputs/r04_heavy_missing60.csv",
    "monitoring/ref_spc_0.7.2.csv",
    "mrmc/inputs/m10_tiny_negvar.csv",
    "mrmc/inputs/m3_device.csv",
    "mrmc/inputs/m7_clusters.csv",
];

/// Generated DICOM files with what their encoders were given.
pub const DICOM_STREAMS: &str = include_str!("../../fixtures/reference-values/dicom/streams.json");

/// Every embedded file with its text, for the list that a report prints.
pub fn files() -> impl Iterator<Item = (String, &'static str)> {
    let references = REFERENCES.iter().map(|(name, text)| (format!("ref/{name}.json"), *text));
    let inputs = INPUTS.iter().map(|(name, text)| ((*name).to_owned(), *text));
    references.chain(inputs).chain([("dicom/streams.json".to_owned(), DICOM_STREAMS)])
}

fn text(list: &'static [(&'static str, &'static str)], name: &str) -> &'static str {
    list.iter().find(|(own, _)| *own == name).map_or("", |(_, text)| text)
}

/// A file of reference values. An empty value where the name is none: then nothing is compared, which no
/// requirement takes for an answer.
pub fn reference(name: &str) -> Value {
    // Infinities and NaN of other packages are not JSON.
    serde_json::from_str(&text(REFERENCES, name).replace("NaN", "null")).unwrap_or_default()
}

/// The same where its values stand by the name of an input.
pub fn sets(name: &str) -> Map<String, Value> {
    match reference(name) {
        Value::Object(sets) => sets,
        _ => Map::new(),
    }
}

/// The text of an input.
pub fn input(name: &str) -> &'static str {
    text(INPUTS, name)
}

/// One table of scores.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// Positive by the reference standard.
    pub labels: Vec<bool>,
    /// Scores of the device.
    pub scores: Vec<f64>,
    /// Scores of a second device.
    pub scores_b: Vec<f64>,
    /// Patients as dense numbers.
    pub patients: Vec<u32>,
    /// Sites by name.
    pub sites: Vec<String>,
}

impl Table {
    /// The rows that a condition on their place keeps.
    pub fn only(&self, keep: impl Fn(usize) -> bool) -> Self {
        let rows: Vec<usize> = (0..self.labels.len()).filter(|&row| keep(row)).collect();
        Self {
            labels: rows.iter().map(|&row| self.labels[row]).collect(),
            scores: rows.iter().map(|&row| self.scores[row]).collect(),
            scores_b: rows.iter().map(|&row| self.scores_b[row]).collect(),
            patients: rows.iter().map(|&row| self.patients[row]).collect(),
            sites: rows.iter().map(|&row| self.sites[row].clone()).collect(),
        }
    }
}

/// Rows of a comma-separated input without its header; no cell there holds a comma or a quotation mark.
fn rows(name: &str) -> impl Iterator<Item = Vec<&'static str>> {
    input(name).lines().skip(1).map(|line| line.split(',').collect())
}

/// A table of scores (`d01_tiny20`, ...).
pub fn table(name: &str) -> Table {
    let mut out = Table::default();
    let mut ids: BTreeMap<&str, u32> = BTreeMap::new();
    for row in rows(&format!("inputs/{name}.csv")) {
        let &[_, patient, site, _, _, _, label, score, score_b] = row.as_slice() else { continue };
        let (Ok(score), Ok(score_b)) = (score.parse(), score_b.parse()) else { continue };
        let next = u32::try_from(ids.len()).unwrap_or(u32::MAX);
        out.patients.push(*ids.entry(patient).or_insert(next));
        out.sites.push(site.to_owned());
        out.labels.push(label == "1");
        out.scores.push(score);
        out.scores_b.push(score_b);
    }
    out
}

/// Readers' answers (`r01_full200`, `n01_four120`, ...): names, and one row a case with one answer a reader.
pub fn reads(name: &str) -> (Vec<&'static str>, Vec<Vec<Option<&'static str>>>) {
    let mut cases: BTreeMap<&str, BTreeMap<&str, &str>> = BTreeMap::new();
    for row in rows(&format!("inputs/{name}.csv")) {
        let &[case, reader, answer] = row.as_slice() else { continue };
        cases.entry(case).or_default().insert(reader, answer);
    }
    let names: BTreeSet<&str> = cases.values().flat_map(|reads| reads.keys().copied()).collect();
    let of_case =
        |reads: &BTreeMap<&str, &'static str>| names.iter().map(|name| reads.get(name).copied()).collect();
    let table = cases.values().map(of_case).collect();
    (names.into_iter().collect(), table)
}

/// Readings of a reader study, one a row: reader, case, modality, truth, rating, and patient where there is
/// one.
pub fn readings(name: &str) -> Vec<Vec<&'static str>> {
    rows(&format!("mrmc/inputs/{name}.csv")).filter(|row| row.len() > 4).collect()
}

/// Counts of a table of `comparative/`, by its name.
pub fn counts(name: &str) -> BTreeMap<&'static str, Vec<u64>> {
    rows(&format!("comparative/{name}.csv"))
        .filter_map(|row| {
            let counts: Result<Vec<u64>, _> = row.get(1..)?.iter().map(|cell| cell.parse()).collect();
            Some((*row.first()?, counts.ok()?))
        })
        .collect()
}
