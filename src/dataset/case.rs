//! A case: one image of one patient, with what is known about it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::ops::{Deref, DerefMut};
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::diagnostic::Diagnostic;
use crate::digest::RelativePath;
use crate::table::Word;

/// Patient's Sex (0010,0040): F, M or O.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Sex {
    /// Female.
    F,
    /// Male.
    M,
    /// Other, as DICOM has it.
    O,
}

impl fmt::Display for Sex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F => "F",
            Self::M => "M",
            Self::O => "O",
        })
    }
}

impl FromStr for Sex {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let is = |words: [&str; 2]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
        if is(["F", "female"]) {
            Ok(Self::F)
        } else if is(["M", "male"]) {
            Ok(Self::M)
        } else if is(["O", "other"]) {
            Ok(Self::O)
        } else {
            Err(format!("`{text}` is not F, M or O; where it is not known, the cell is empty"))
        }
    }
}

/// One image of one patient. Fields that the data do not give are `None`; whether that matters is
/// for the protocol to say. What many cases have alike they share: [`Attributes`], whose fields are read as
/// if they were the case's own.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Case {
    /// Unique in the table. NIH: the image's file name.
    pub case_id: Word,
    /// Images of one patient share it.
    pub patient_id: Word,
    /// Image file, relative to the image folder.
    pub image: Option<RelativePath>,
    /// Completed years at the time of the image.
    pub age_years: Option<u16>,
    /// Number of the examination in the patient's history, from 0 (NIH's "Follow-up #").
    pub follow_up: Option<u32>,
    /// Days since the patient's most recent earlier episode of the finding; `None`: none is known.
    pub days_since_prior_finding: Option<u32>,
    /// Line in the table it came from, counted from 1 with the header as line 1.
    pub line: u64,
    /// What else is known of it.
    pub attributes: Arc<Attributes>,
}

/// What is known of a case and holds for many: a large table has few kinds of them, and each is held once.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Attributes {
    /// Findings that came with the image (NIH's "Finding Labels"), sorted; empty: none.
    pub findings: Vec<String>,
    /// The label that came with the data, for example from report text. It trains and it enriches
    /// the sample; it is never the reference standard.
    pub source_label: Option<bool>,
    /// Patient's sex.
    pub sex: Option<Sex>,
    /// View Position (0018,5101), upper case: `PA`, `AP`, `LL`, ...
    pub view: Option<Word>,
    /// Where it was acquired.
    pub site: Option<Word>,
    /// Country of the site, ISO 3166 alpha-2.
    pub country: Option<Word>,
    /// Manufacturer (0008,0070).
    pub manufacturer: Option<Word>,
    /// Modality (0008,0060), upper case.
    pub modality: Option<Word>,
    /// Body Part Examined (0018,0015), upper case.
    pub body_part: Option<Word>,
    /// `synthetic` for generated cases; documents then say so.
    pub origin: Option<Word>,
    /// Cells of columns that the protocol names beyond these, where they are not empty; numbers and days in
    /// one form.
    pub other: BTreeMap<String, String>,
}

impl Case {
    /// Whether a program made this case.
    pub fn is_synthetic(&self) -> bool {
        self.origin.as_deref() == Some("synthetic")
    }
}

impl Deref for Case {
    type Target = Attributes;

    fn deref(&self) -> &Attributes {
        &self.attributes
    }
}

/// Changes the attributes of this case alone.
impl DerefMut for Case {
    fn deref_mut(&mut self) -> &mut Attributes {
        Arc::make_mut(&mut self.attributes)
    }
}

/// The kinds of attributes so far, each once.
#[derive(Debug, Default)]
pub struct Kinds(BTreeSet<Arc<Attributes>>);

impl Kinds {
    /// The attributes, as they are held already where another case has them too.
    pub fn shared(&mut self, attributes: Attributes) -> Arc<Attributes> {
        if let Some(known) = self.0.get(&attributes) {
            return known.clone();
        }
        let shared = Arc::new(attributes);
        self.0.insert(shared.clone());
        shared
    }
}

/// Changes the attributes of all cases, each with the line that it came from; those that are alike
/// afterwards share them.
pub fn change_all(cases: &mut [Case], mut change: impl FnMut(u64, &mut Attributes)) {
    let mut kinds = Kinds::default();
    for case in cases {
        let mut attributes = Attributes::clone(&case.attributes);
        change(case.line, &mut attributes);
        case.attributes = kinds.shared(attributes);
    }
}

/// The cases of one or more tables, in file order, and the fields that any of the tables gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Cases {
    /// In file order.
    pub cases: Vec<Case>,
    /// Names out of `cases::COLUMNS` that the tables have.
    pub fields: BTreeSet<&'static str>,
    /// What was read with a doubt: implausible ages that were taken as missing, findings that NIH does not
    /// have.
    pub warnings: Vec<Diagnostic>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_that_are_alike_share_what_is_known_of_them_and_one_changes_alone() {
        let mut kinds = Kinds::default();
        let mut case = |line, sex| {
            let attributes = kinds.shared(Attributes { sex, ..Attributes::default() });
            Case { line, attributes, ..Case::default() }
        };
        let mut cases = [case(2, Some(Sex::F)), case(3, None), case(4, Some(Sex::F))];
        let share =
            |cases: &[Case], a: usize, b: usize| Arc::ptr_eq(&cases[a].attributes, &cases[b].attributes);
        assert!(share(&cases, 0, 2) && !share(&cases, 0, 1));
        cases[0].site = Some("north".into());
        assert_eq!((cases[0].site.as_deref(), cases[2].site.as_deref()), (Some("north"), None));
        change_all(&mut cases, |line, of| of.site = (line > 2).then(|| "south".into()));
        assert_eq!(cases.each_ref().map(|case| case.site.as_deref()), [None, Some("south"), Some("south")]);
        change_all(&mut cases, |_, of| *of = Attributes::default());
        assert!(share(&cases, 0, 1) && share(&cases, 0, 2));
    }
}
