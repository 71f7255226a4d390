//! A table of development cases from a folder whose sub-folders are the classes, as public collections
//! come.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use regex::Regex;

use crate::diagnostic::{Code, Diagnostic, Error, Location, Result, few};
use crate::digest::RelativePath;
use crate::imaging::{dicom, image_folder};
use crate::storage;

/// File names that are taken as images, by their ending in any case.
const IMAGES: [&str; 4] = ["png", "jpg", "jpeg", "dcm"];

/// Columns of the UIDs.
const UIDS: [&str; 2] = ["sop_instance_uid", "study_instance_uid"];

/// What was found, as rows of a case table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// By path.
    pub rows: Vec<Row>,
    /// Images by class.
    pub classes: BTreeMap<String, usize>,
    /// Files that are no images by their name.
    pub others: usize,
}

/// What is looked for in the names of files.
#[derive(Clone, Debug)]
pub struct Wanted<'a> {
    /// Classes that are positive; empty: nobody asks, and no label is written.
    pub positive: &'a BTreeSet<String>,
    /// Finds the patient in a file's name: the first group, or the whole match. `None`: each image is taken
    /// as a patient of its own.
    pub patient: Option<&'a Regex>,
    /// Finds the class in a file's name, in the same way; images may then lie in the folder itself. `None`:
    /// the class is the sub-folder.
    pub class: Option<&'a Regex>,
    /// The UIDs in the header of DICOM files are written, so that readers' files that name them find their
    /// cases.
    pub uids: bool,
}

impl Wanted<'_> {
    fn is_labelled(&self) -> bool {
        !self.positive.is_empty()
    }
}

/// One image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The path without its ending.
    pub case_id: String,
    /// What the pattern found in the file's name.
    pub patient_id: String,
    /// Path below the folder.
    pub image: String,
    /// Whether its class is positive, where classes are asked for.
    pub label: Option<bool>,
    /// SOP Instance UID and Study Instance UID, where they are asked for and the file is DICOM.
    pub uids: Option<[String; 2]>,
}

/// The images of `folder` and its sub-folders, one level deep. A file's class is the name of the
/// sub-folder, or stands in its name; so does its patient.
///
/// # Errors
/// `folder-class-unknown` when no image has a positive class; `folder-patient` and `folder-class` for names
/// in which the patterns find nothing; `folder-empty`; `path-unsafe` for a name that is no path a table can
/// hold; `image-outside` for a link that leads out of the folder.
pub fn read(folder: &Path, wanted: &Wanted<'_>) -> Result<Found> {
    let mut images = Images {
        top: folder,
        wanted,
        found: Found { rows: Vec::new(), classes: BTreeMap::new(), others: 0 },
        patientless: Vec::new(),
        classless: Vec::new(),
    };
    for (sub_folder, place) in folders(folder, wanted)? {
        for file in storage::listed(&place)? {
            images.file(&sub_folder, &file)?;
        }
    }
    let problems = images.problems();
    if problems.is_empty() { Ok(images.found) } else { Err(Error::Input(problems)) }
}

/// The folders that are looked into, each with its name below `folder`: `folder` itself where its files can
/// have a class, and those in it.
fn folders(folder: &Path, wanted: &Wanted<'_>) -> Result<Vec<(String, PathBuf)>> {
    let mut folders = Vec::new();
    if wanted.class.is_some() || !wanted.is_labelled() {
        folders.push((String::new(), folder.to_path_buf()));
    }
    for sub_folder in storage::listed(folder)? {
        let named = name(&sub_folder);
        // A link is not followed: where it leads to is in the folder under its own name, or must not be
        // taken.
        if sub_folder.is_symlink() && sub_folder.is_dir() {
            image_folder::stays(folder, &sub_folder)?;
        }
        if !sub_folder.is_symlink() && sub_folder.is_dir() && !named.starts_with('.') {
            folders.push((named, sub_folder));
        }
    }
    Ok(folders)
}

/// What has been found so far.
struct Images<'a> {
    top: &'a Path,
    wanted: &'a Wanted<'a>,
    found: Found,
    /// Names in which the pattern finds no patient.
    patientless: Vec<String>,
    /// Names in which the pattern finds no class.
    classless: Vec<String>,
}

impl Images<'_> {
    /// Takes a file of a sub-folder, whose name is empty for the folder itself.
    fn file(&mut self, sub_folder: &str, file: &Path) -> Result<()> {
        let wanted = self.wanted;
        let file_name = name(file);
        let (stem, ending) = file_name.rsplit_once('.').unwrap_or((file_name.as_str(), ""));
        let image = IMAGES.contains(&ending.to_ascii_lowercase().as_str());
        if image && file.is_symlink() {
            image_folder::stays(self.top, file)?;
        }
        if sub_folder.is_empty() && file.is_dir() {
            return Ok(());
        }
        if !image || file.is_symlink() || !file.is_file() || stem.is_empty() {
            self.found.others += 1;
            return Ok(());
        }
        let below = |name: &str| {
            if sub_folder.is_empty() { name.to_owned() } else { format!("{sub_folder}/{name}") }
        };
        let path = below(&file_name);
        let class = match wanted.class {
            Some(pattern) => within(pattern, &file_name),
            None => Some(sub_folder),
        };
        let patient_id = match wanted.patient {
            Some(pattern) => within(pattern, &file_name).map(str::to_owned),
            None => Some(below(stem)),
        };
        if class.is_none() {
            self.classless.push(path.clone());
        }
        if patient_id.is_none() {
            self.patientless.push(path.clone());
        }
        let (Some(class), Some(patient_id)) = (class, patient_id) else { return Ok(()) };
        path.parse::<RelativePath>().map_err(|reason| {
            Diagnostic::error(Code::PathUnsafe, format!("a table cannot name this file: {reason}"))
                .at(Location::file(file))
                .hint("rename it")
        })?;
        if wanted.is_labelled() {
            *self.found.classes.entry(class.to_owned()).or_default() += 1;
        }
        let uids = if wanted.uids { uids(file)? } else { None };
        self.found.rows.push(Row {
            case_id: below(stem),
            patient_id,
            image: path,
            label: wanted.is_labelled().then(|| wanted.positive.contains(class)),
            uids,
        });
        Ok(())
    }

    /// What is wrong with all of them together; where names do not say what they should, that alone.
    fn problems(&self) -> Vec<Diagnostic> {
        let patient_hint = "--patient-pattern takes a regular expression whose first group is the patient, \
                            such as '^(person\\d+|.*IM-\\d+)'";
        let class_hint = "--label-pattern takes a regular expression whose first group is the class, such \
                          as '_(\\d)\\.png$'; an image without one is no negative";
        let problems: Vec<_> = [
            self.not_found(Code::FolderPatient, "patient", &self.patientless, patient_hint),
            self.not_found(Code::FolderClass, "class", &self.classless, class_hint),
        ]
        .into_iter()
        .flatten()
        .collect();
        if !problems.is_empty() {
            return problems;
        }
        if self.found.rows.is_empty() {
            let labelled = self.wanted.is_labelled();
            let message = if labelled { "no sub-folder holds an image" } else { "no image is in the folder" };
            let problem = Diagnostic::error(Code::FolderEmpty, message).at(Location::file(self.top));
            return vec![problem.hint(
                "name the folder whose sub-folders are the classes, such as train/ with NORMAL/ and \
                 PNEUMONIA/; where the class stands in the names, say so with --label-pattern",
            )];
        }
        self.unknown_classes()
    }

    fn not_found(&self, code: Code, what: &str, names: &[String], hint: &str) -> Option<Diagnostic> {
        let shown = few::and_so_on(names, 5);
        let message = format!("the pattern finds no {what} in the names of {} images: {shown}", names.len());
        (!names.is_empty()).then(|| Diagnostic::error(code, message).at(Location::file(self.top)).hint(hint))
    }

    /// Classes that were asked for and are nowhere.
    fn unknown_classes(&self) -> Vec<Diagnostic> {
        let classes = &self.found.classes;
        let known = classes.keys().cloned().collect::<Vec<_>>().join(", ");
        let missing = if self.wanted.class.is_some() {
            "no image has the class"
        } else {
            "no sub-folder holds images:"
        };
        let unknown = self.wanted.positive.iter().filter(|class| !classes.contains_key(*class));
        unknown
            .map(|class| {
                Diagnostic::error(Code::FolderClassUnknown, format!("{missing} \"{class}\""))
                    .at(Location::file(self.top))
                    .hint(format!("the classes are {known}"))
            })
            .collect()
    }
}

/// The UIDs of a DICOM file; `None` for another kind.
fn uids(file: &Path) -> Result<Option<[String; 2]>> {
    let is_dicom = file.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("dcm"));
    if !is_dicom {
        return Ok(None);
    }
    let header = dicom::read_header(file)?;
    Ok(Some([header.sop_instance_uid, header.study_instance_uid]))
}

/// The table's bytes: `case_id,patient_id,image`, `label` where classes were asked for, and UIDs where
/// there are any.
///
/// # Errors
/// None that memory does not give.
pub fn table(rows: &[Row]) -> Result<Vec<u8>> {
    let failed = |e: csv::Error| Diagnostic::error(Code::TableUnwritable, e.to_string());
    let mut writer = csv::Writer::from_writer(Vec::new());
    let labelled = rows.iter().any(|row| row.label.is_some());
    let with_uids = rows.iter().any(|row| row.uids.is_some());
    let mut header = vec!["case_id", "patient_id", "image"];
    header.extend(labelled.then_some("label"));
    header.extend(with_uids.then_some(UIDS).into_iter().flatten());
    writer.write_record(&header).map_err(failed)?;
    for row in rows {
        let mut cells = vec![row.case_id.as_str(), &row.patient_id, &row.image];
        cells.extend(row.label.map(|label| if label { "1" } else { "0" }));
        if with_uids {
            let uids = row.uids.as_ref();
            cells.extend((0..UIDS.len()).map(|nth| uids.map_or("", |uids| uids[nth].as_str())));
        }
        writer.write_record(&cells).map_err(failed)?;
    }
    writer.into_inner().map_err(|e| Diagnostic::error(Code::TableUnwritable, e.to_string()).into())
}

/// What a pattern finds: its first group, or the whole match.
fn within<'t>(pattern: &Regex, text: &'t str) -> Option<&'t str> {
    let found = pattern.captures(text).and_then(|c| c.get(1).or_else(|| c.get(0)));
    found.map(|found| found.as_str()).filter(|text| !text.is_empty())
}

fn name(path: &Path) -> String {
    path.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("folder");
        for file in files {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().expect("parent")).expect("creates");
            std::fs::write(path, b"").expect("writes");
        }
        folder
    }

    fn read_named(
        folder: &tempfile::TempDir,
        positive: &BTreeSet<String>,
        patient: Option<&str>,
        class: Option<&str>,
    ) -> Result<Found> {
        let [patient, class] =
            [patient, class].map(|text| text.map(|text| Regex::new(text).expect("pattern")));
        read(
            folder.path(),
            &Wanted { positive, patient: patient.as_ref(), class: class.as_ref(), uids: false },
        )
    }

    #[test]
    fn classes_may_stand_in_names_and_each_image_may_be_a_patient_of_its_own() {
        let files = ["CHN_0001_0.png", "CHN_0002_1.png", "more/CHN_0003_1.png", "more/readme.txt"];
        let positive = BTreeSet::from(["1".to_owned()]);
        let class = Some(r"_(\d)\.png$");
        let found = read_named(&folder(&files), &positive, Some(r"^CHN_(\d+)"), class).expect("reads");
        let rows: Vec<(&str, &str, bool)> = found
            .rows
            .iter()
            .map(|r| (r.case_id.as_str(), r.patient_id.as_str(), r.label == Some(true)))
            .collect();
        let expected =
            [("CHN_0001_0", "0001", false), ("CHN_0002_1", "0002", true), ("more/CHN_0003_1", "0003", true)];
        assert_eq!(rows, expected);
        assert_eq!(found.others, 1);
        let own = read_named(&folder(&files), &positive, None, class).expect("reads");
        assert!(own.rows.iter().all(|row| row.patient_id == row.case_id));
        let unlabelled = read_named(&folder(&files), &BTreeSet::new(), None, None).expect("reads");
        assert_eq!((unlabelled.rows.len(), unlabelled.classes.len()), (3, 0));
        let text = String::from_utf8(table(&unlabelled.rows).expect("writes")).expect("text");
        assert!(
            text.starts_with("case_id,patient_id,image\nCHN_0001_0,CHN_0001_0,CHN_0001_0.png\n"),
            "{text}"
        );
        // An image whose name says no class is no negative, and both patterns are told at once.
        let odd = folder(&["CHN_0001_1.png", "x.png"]);
        let refused = read_named(&odd, &positive, Some(r"^CHN_(\d+)"), class).expect_err("refused");
        let codes: Vec<&str> = refused.diagnostics().iter().map(|d| d.code.as_str()).collect();
        assert_eq!(codes, ["folder-patient", "folder-class"]);
    }

    fn read_with(files: &[&str], pattern: &str) -> Result<Found> {
        let positive = BTreeSet::from(["PNEUMONIA".to_owned()]);
        read_named(&folder(files), &positive, Some(pattern), None)
    }

    #[test]
    fn patients_and_labels_come_from_names_and_folders() {
        let files = [
            "PNEUMONIA/person12_bacteria_46.jpeg",
            "PNEUMONIA/person12_bacteria_47.JPEG",
            "NORMAL/IM-0115-0001.jpeg",
            "NORMAL/NORMAL2-IM-0501-0001.jpeg",
            "NORMAL/notes.txt",
            "readme.png",
        ];
        let found = read_with(&files, r"^(person\d+|.*IM-\d+)").expect("reads");
        assert_eq!((found.classes["NORMAL"], found.classes["PNEUMONIA"], found.others), (2, 2, 1));
        let patients: Vec<&str> = found.rows.iter().map(|r| r.patient_id.as_str()).collect();
        assert_eq!(patients, ["IM-0115", "NORMAL2-IM-0501", "person12", "person12"]);
        let text = String::from_utf8(table(&found.rows).expect("writes")).expect("text");
        assert!(text.contains("NORMAL/IM-0115-0001,IM-0115,NORMAL/IM-0115-0001.jpeg,0\n"), "{text}");
        assert!(
            text.contains("PNEUMONIA/person12_bacteria_47,person12,PNEUMONIA/person12_bacteria_47.JPEG,1\n")
        );
    }

    #[cfg(unix)]
    #[test]
    fn a_link_out_of_the_folder_is_refused_and_one_inside_is_passed_over() {
        use std::os::unix::fs::symlink;
        let positive = BTreeSet::from(["PNEUMONIA".to_owned()]);
        let pattern = Some(r"^p\d");
        let inside = folder(&["PNEUMONIA/p1.png"]);
        symlink(inside.path().join("PNEUMONIA/p1.png"), inside.path().join("PNEUMONIA/p2.png"))
            .expect("links");
        let found = read_named(&inside, &positive, pattern, None).expect("reads");
        assert_eq!((found.rows.len(), found.others), (1, 1));
        let elsewhere = folder(&["p3.png"]);
        for (from, to) in [("PNEUMONIA/p3.png", "p3.png"), ("NORMAL", "")] {
            let folder = folder(&["PNEUMONIA/p1.png"]);
            symlink(elsewhere.path().join(to), folder.path().join(from)).expect("links");
            let refused = read_named(&folder, &positive, pattern, None).expect_err("refused");
            assert_eq!(refused.diagnostics()[0].code.as_str(), "image-outside", "{from}");
        }
    }

    #[test]
    fn names_without_a_patient_unknown_classes_and_empty_folders_are_refused() {
        let code = |files: &[&str], pattern| {
            read_with(files, pattern).expect_err("refused").diagnostics()[0].code.as_str()
        };
        assert_eq!(code(&["PNEUMONIA/a.png", "PNEUMONIA/p1.png"], r"^p\d"), "folder-patient");
        assert_eq!(code(&["NORMAL/p1.png"], r"^p\d"), "folder-class-unknown");
        assert_eq!(code(&["p1.png"], r"^p\d"), "folder-empty");
    }
}
