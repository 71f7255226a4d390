//! The one check of shared patients: what sets of cases that must be separate have in common by patient, case
//! and image file. `train` asks it of its two sides, `dataset split` of its sets, and `check`, `dataset`,
//! `score`, `validate` and `verify` of a study beside what its model was made from. `dataset leakage` shows
//! the same comparison pair by pair, and reads the images for more.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::case::Case;
use super::leakage::{self, Item, Kind};
use crate::diagnostic::{Error, Result};
use crate::digest::Digest;
use crate::table::Table;

/// So many ids are named in a message.
const NAMED: usize = 10;

/// What is in more than one set; everything sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shared {
    /// Ids of patients.
    pub patients: BTreeSet<String>,
    /// Ids of cases.
    pub cases: BTreeSet<String>,
    /// Cases of the first set whose image file, by its digest, another set has as well.
    pub files: BTreeSet<String>,
    /// Cases of the first set that share any of these.
    pub of_first: usize,
}

impl Shared {
    /// Nothing is in two sets.
    pub fn is_empty(&self) -> bool {
        self.patients.is_empty() && self.cases.is_empty() && self.files.is_empty()
    }
}

/// Compares sets of cases; set 0 is the first.
pub fn shared(items: &[Item]) -> Shared {
    let mut shared = Shared::default();
    let mut files: BTreeSet<Digest> = BTreeSet::new();
    for pair in leakage::in_common(items, 0).pairs {
        let (one, other) = (&items[pair.first], &items[pair.second]);
        if one.set == other.set {
            continue;
        }
        match pair.kind {
            Kind::Patient => {
                shared.patients.insert(one.patient_id.clone());
            }
            Kind::Case => {
                shared.cases.insert(one.case_id.clone());
            }
            Kind::File => files.extend(one.file),
            _ => {}
        }
    }
    for item in items.iter().filter(|item| item.set == 0) {
        let file = item.file.is_some_and(|file| files.contains(&file));
        if file {
            shared.files.insert(item.case_id.clone());
        }
        let other = shared.patients.contains(&item.patient_id) || shared.cases.contains(&item.case_id);
        shared.of_first += usize::from(file || other);
    }
    shared
}

/// The cases of a set, with the digests of image files that are known.
pub fn items<'a>(
    set: usize,
    cases: impl IntoIterator<Item = &'a Case>,
    digest: impl Fn(&Case) -> Option<Digest>,
) -> Vec<Item> {
    let item = |case: &Case| Item {
        set,
        case_id: case.case_id.clone(),
        patient_id: case.patient_id.clone(),
        file: digest(case),
        ..Item::default()
    };
    cases.into_iter().map(item).collect()
}

/// The digests of image files that a table of cases holds in a column `image_sha256`, by case.
///
/// # Errors
/// When this is no table.
pub fn recorded_digests(path: &Path, bytes: &[u8]) -> Result<BTreeMap<String, Digest>> {
    let table = Table::parse(path, bytes).map_err(Error::Input)?;
    let case = table.column("case_id").or_else(|| table.column("Image Index"));
    let (Some(case), Some(digest)) = (case, table.column("image_sha256")) else {
        return Ok(BTreeMap::new());
    };
    let pair = |row: crate::table::Row<'_>| {
        Some((row.get(Some(case))?.to_owned(), row.get(Some(digest))?.parse().ok()?))
    };
    Ok(table.rows().filter_map(pair).collect())
}

/// The first ids of a list, for a message.
pub fn some(ids: &BTreeSet<String>) -> String {
    let more = if ids.len() > NAMED { ", ..." } else { "" };
    format!("{}{more}", ids.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patients_cases_and_files_are_counted_from_the_first_set() {
        let item = |set, case: &str, patient: &str, file: &[u8]| Item {
            set,
            case_id: case.to_owned(),
            patient_id: patient.to_owned(),
            file: Some(Digest::of(file)),
            ..Item::default()
        };
        let own = [item(0, "a", "P", b"1"), item(0, "b", "P", b"2"), item(0, "c", "Q", b"3")];
        let twice = [item(0, "d", "R", b"3"), item(0, "e", "S", b"5")];
        let other = [item(1, "x", "P", b"9"), item(1, "y", "Z", b"3"), item(1, "e", "T", b"8")];
        let all = [&own[..], &twice[..], &other[..]].concat();
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        let expected =
            Shared { patients: ids(&["P"]), cases: ids(&["e"]), files: ids(&["c", "d"]), of_first: 5 };
        assert_eq!(shared(&all), expected);
        assert!(shared(&all[..5]).is_empty());
    }
}
