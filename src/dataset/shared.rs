//! The one check of shared patients: what sets of cases that must be separate have in common by patient, case
//! and image file. `train` asks it of its two sides, `dataset split` of its sets, and `check`, `dataset`,
//! `score`, `validate` and `verify` of a study beside what its model was made from. `dataset leakage` shows
//! the same comparison pair by pair, and reads the images for more.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::case::Case;
use super::leakage::{self, Item, Kind};
use crate::diagnostic::{Code, Diagnostic, Error, Result, few};
use crate::digest::Digest;
use crate::table::Table;
use crate::table::id::{self, Alike, Form};

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
    /// Patients of two sets whose ids differ in form alone, the first set's first: probably the same.
    pub probable: BTreeSet<(String, String)>,
}

impl Shared {
    /// Nothing is in two sets; patients that are probably the same do not count.
    pub fn is_empty(&self) -> bool {
        self.patients.is_empty() && self.cases.is_empty() && self.files.is_empty()
    }
}

/// What is said of patients of two sets that are probably the same, where there are any.
pub fn probably_shared(found: &Shared, one: &str, other: &str) -> Option<Diagnostic> {
    let count = found.probable.len();
    if count == 0 {
        return None;
    }
    let unseen = found.probable.iter().any(|(a, b)| id::differ_unseen([a.as_str(), b]));
    let pairs = found.probable.iter().map(|(a, b)| match unseen {
        true => format!("`{}` and `{}`", id::visible(a), id::visible(b)),
        false => format!("`{a}` and `{b}`"),
    });
    let message = format!(
        "{count} patients of {one} are probably patients of {other}: {}; {}",
        few::and_so_on(pairs, NAMED),
        if unseen { id::UNSEEN_DIFFERENCE } else { id::DIFFERENCE }
    );
    Some(
        Diagnostic::warning(Code::PatientProbablyShared, message)
            .hint("write the ids of one patient alike everywhere, or say --distinct-ids where they differ"),
    )
}

/// Patients, and cases, of one set that are probably the same: a warning for each of the two.
pub fn alike(cases: &[Case]) -> Vec<Diagnostic> {
    let mut found = Vec::new();
    let mut look = |what: &str, ids: Alike<'_>| {
        let groups: Vec<String> = ids.groups().into_iter().take(NAMED + 1).map(id::named).collect();
        if !groups.is_empty() {
            let more = if groups.len() > NAMED { "; ..." } else { "" };
            let some = groups.iter().take(NAMED).map(String::as_str).collect::<Vec<_>>().join("; ");
            let message = format!("{what} are probably the same: {some}{more}; {}", id::DIFFERENCE);
            found.push(
                Diagnostic::warning(Code::IdsAlike, message)
                    .hint("where they are the same, write one id; ids are compared as they stand"),
            );
        }
    };
    look("patients", cases.iter().map(|c| c.patient_id.as_str()).collect());
    look("cases", cases.iter().map(|c| c.case_id.as_str()).collect());
    found
}

/// Compares sets of cases; set 0 is the first. Patients whose ids have one form are probably the same.
pub fn shared(items: &[Item], form: Form) -> Shared {
    let mut shared = Shared::default();
    let mut files: BTreeSet<Digest> = BTreeSet::new();
    for pair in leakage::in_common(items, 0, form).pairs {
        let (one, other) = (&items[pair.first], &items[pair.second]);
        if one.set == other.set {
            continue;
        }
        match pair.kind {
            Kind::Patient => {
                shared.patients.insert(one.patient_id.to_string());
            }
            Kind::Case => {
                shared.cases.insert(one.case_id.to_string());
            }
            Kind::File => files.extend(one.file),
            Kind::ProbablePatient => {
                shared.probable.insert((one.patient_id.to_string(), other.patient_id.to_string()));
            }
            _ => {}
        }
    }
    for item in items.iter().filter(|item| item.set == 0) {
        let file = item.file.is_some_and(|file| files.contains(&file));
        if file {
            shared.files.insert(item.case_id.to_string());
        }
        let other = shared.patients.contains(item.patient_id.as_str())
            || shared.cases.contains(item.case_id.as_str());
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
    few::and_so_on(ids, NAMED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patients_cases_and_files_are_counted_from_the_first_set() {
        let item = |set, case: &str, patient: &str, file: &[u8]| Item {
            set,
            case_id: case.into(),
            patient_id: patient.into(),
            file: Some(Digest::of(file)),
            ..Item::default()
        };
        let own = [item(0, "a", "P", b"1"), item(0, "b", "P", b"2"), item(0, "c", "Q", b"3")];
        let twice = [item(0, "d", "R", b"3"), item(0, "e", "S", b"5")];
        let other = [item(1, "x", "P", b"9"), item(1, "y", "Z", b"3"), item(1, "e", "T", b"8")];
        let all = [&own[..], &twice[..], &other[..]].concat();
        let ids = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        let expected = Shared {
            patients: ids(&["P"]),
            cases: ids(&["e"]),
            files: ids(&["c", "d"]),
            of_first: 5,
            ..Shared::default()
        };
        assert_eq!(shared(&all, Form::Seen), expected);
        assert!(shared(&all[..5], Form::Seen).is_empty());
    }

    #[test]
    fn probable_patients_are_said_with_their_number_and_the_first_ten() {
        let with = |count: usize| {
            let pair = |n: usize| (format!("P{n:02}"), format!("p{n}"));
            let found = Shared { probable: (0..count).map(pair).collect(), ..Shared::default() };
            probably_shared(&found, "the study", "development").map(|warning| warning.message)
        };
        assert_eq!(with(0), None);
        let one = with(1).expect("a warning");
        assert!(
            one.starts_with("1 patients of the study are probably patients of development: `P00` and `p0`; "),
            "{one}"
        );
        assert!(!with(10).expect("a warning").contains("...") && with(10).expect("one").contains("`P09`"));
        assert!(with(11).expect("a warning").contains(", ...") && !with(11).expect("one").contains("`P10`"));
        assert!(Shared { probable: [("P".into(), "p".into())].into(), ..Shared::default() }.is_empty());
        let ids = |n: usize| (0..n).map(|i| format!("{i:02}")).collect::<BTreeSet<_>>();
        assert_eq!((some(&ids(0)), some(&ids(2))), (String::new(), "00, 01".to_owned()));
        assert!(some(&ids(10)).ends_with("09") && some(&ids(11)).ends_with("09, ..."));
    }

    #[test]
    fn any_one_thing_in_common_is_not_nothing() {
        let one: BTreeSet<String> = ["x".to_owned()].into();
        assert!(Shared::default().is_empty());
        assert!(!Shared { patients: one.clone(), ..Shared::default() }.is_empty());
        assert!(!Shared { cases: one.clone(), ..Shared::default() }.is_empty());
        assert!(!Shared { files: one, ..Shared::default() }.is_empty());
    }

    #[test]
    fn ids_of_one_set_that_are_alike_are_warned_of_by_kind() {
        let case = |case: &str, patient: &str| Case {
            case_id: case.into(),
            patient_id: patient.into(),
            ..Case::default()
        };
        let said = |cases: &[Case]| alike(cases).into_iter().map(|w| w.message).collect::<Vec<_>>();
        assert_eq!(said(&[case("a", "p1"), case("b", "p1"), case("c", "p2")]), [] as [&str; 0]);
        let found = said(&[case("a", "p1"), case("A", "P 1")]);
        assert_eq!(found.len(), 2);
        assert!(found[0].starts_with("patients are probably the same: `P 1`, `p1`; "), "{found:?}");
        assert!(found[1].starts_with("cases are probably the same: `A`, `a`; "), "{found:?}");
        let many = |n: usize| {
            let cases: Vec<Case> = (0..n)
                .flat_map(|i| {
                    [case(&format!("c{i}-"), &format!("p{i}")), case(&format!("d{i}-"), &format!("P{i}"))]
                })
                .collect();
            said(&cases).remove(0)
        };
        assert!(!many(10).contains("...") && many(10).contains("`P9`"));
        assert!(many(11).contains("; ...") && !many(11).contains("`P9`, `p9`; `"), "{}", many(11));
    }

    #[test]
    fn digests_are_read_by_case_where_a_table_has_them() {
        let digest = Digest::of(b"x");
        let read = |text: &str| recorded_digests(Path::new("t.csv"), text.as_bytes()).expect("reads");
        let own = read(&format!("case_id,image_sha256\na,{digest}\nb,\nc,no digest\n"));
        assert_eq!(own, BTreeMap::from([("a".to_owned(), digest)]));
        assert_eq!(read(&format!("Image Index,image_sha256\na.png,{digest}\n")).len(), 1);
        assert_eq!(read("case_id,other\na,b\n"), BTreeMap::new());
        assert_eq!(read(&format!("other,image_sha256\na,{digest}\n")), BTreeMap::new());
        let cases = [Case { case_id: "a".into(), patient_id: "P".into(), ..Case::default() }];
        let found = items(3, &cases, |case| own.get(case.case_id.as_str()).copied());
        assert_eq!(
            (found[0].set, found[0].case_id.as_str(), found[0].patient_id.as_str(), found[0].file),
            (3, "a", "P", Some(digest))
        );
    }

    #[test]
    fn patients_that_are_probably_the_same_are_pairs_of_the_two_sets() {
        let item = |set, case: &str, patient: &str| Item {
            set,
            case_id: case.into(),
            patient_id: patient.into(),
            ..Item::default()
        };
        let found = shared(
            &[item(0, "a", "P1"), item(0, "b", "Q"), item(1, "c", "p 01"), item(1, "d", "R")],
            Form::Seen,
        );
        assert_eq!(found.probable, [("P1".to_owned(), "p 01".to_owned())].into());
        assert_eq!((found.of_first, found.is_empty()), (0, true));
        // What one set has twice is no matter of two sets.
        let twice = Item { file: Some(Digest::of(b"x")), ..item(0, "a", "P") };
        let again = Item { case_id: "b".into(), ..twice.clone() };
        assert_eq!(shared(&[twice, again], Form::Seen), Shared::default());
    }
}
