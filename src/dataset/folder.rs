//! A table of development cases from a folder whose sub-folders are the classes, as public collections come.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use regex::Regex;

use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::RelativePath;
use crate::imaging::image_folder;

/// File names that are taken as images, by their ending in any case.
const IMAGES: [&str; 4] = ["png", "jpg", "jpeg", "dcm"];

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

/// One image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The path without its ending.
    pub case_id: String,
    /// What the pattern found in the file's name.
    pub patient_id: String,
    /// Path below the folder.
    pub image: String,
    /// Whether its class is positive.
    pub label: bool,
}

/// The images of the sub-folders of `folder`. A file's class is the name of the sub-folder; its patient is
/// the first group of `patient` in the file's name, or the whole match where it has no group.
///
/// # Errors
/// `folder-class-unknown` when a positive class has no folder; `folder-patient` for names in which the
/// pattern finds nothing; `folder-empty`; `path-unsafe` for a name that is no path a table can hold;
/// `image-outside` for a link that leads out of the folder.
pub fn read(folder: &Path, positive: &BTreeSet<String>, patient: &Regex) -> Result<Found> {
    let mut found = Found { rows: Vec::new(), classes: BTreeMap::new(), others: 0 };
    let mut without = Vec::new();
    for class_folder in sorted(folder)? {
        let class = name(&class_folder);
        // A link is not followed: where it leads to is in the folder under its own name, or must not be
        // taken.
        if class_folder.is_symlink() && class_folder.is_dir() {
            image_folder::stays(folder, &class_folder)?;
        }
        if class_folder.is_symlink() || !class_folder.is_dir() || class.starts_with('.') {
            continue;
        }
        for file in sorted(&class_folder)? {
            let file_name = name(&file);
            let (stem, ending) = file_name.rsplit_once('.').unwrap_or((file_name.as_str(), ""));
            let image = IMAGES.contains(&ending.to_ascii_lowercase().as_str());
            if image && file.is_symlink() {
                image_folder::stays(folder, &file)?;
            }
            if !image || file.is_symlink() || !file.is_file() || stem.is_empty() {
                found.others += 1;
                continue;
            }
            let matched = patient.captures(&file_name).and_then(|c| c.get(1).or_else(|| c.get(0)));
            let Some(patient_id) = matched.map(|m| m.as_str()).filter(|text| !text.is_empty()) else {
                without.push(format!("{class}/{file_name}"));
                continue;
            };
            let path = format!("{class}/{file_name}");
            path.parse::<RelativePath>().map_err(|reason| {
                Diagnostic::error(Code::PathUnsafe, format!("a table cannot name this file: {reason}"))
                    .at(Location::file(&file))
                    .hint("rename it")
            })?;
            *found.classes.entry(class.clone()).or_default() += 1;
            found.rows.push(Row {
                case_id: format!("{class}/{stem}"),
                patient_id: patient_id.to_owned(),
                image: path,
                label: positive.contains(&class),
            });
        }
    }
    if !without.is_empty() {
        let shown = without.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
        let message =
            format!("the pattern finds no patient in the names of {} images: {shown}", without.len());
        return Err(Diagnostic::error(Code::FolderPatient, message)
            .at(Location::file(folder))
            .hint(
                "--patient takes a regular expression whose first group is the patient, such as \
                '^(person\\d+|.*IM-\\d+)'",
            )
            .into());
    }
    if found.rows.is_empty() {
        let problem = Diagnostic::error(Code::FolderEmpty, "no sub-folder holds an image");
        return Err(problem
            .at(Location::file(folder))
            .hint(
                "name the folder whose sub-folders are the classes, such as train/ with NORMAL/ and \
                PNEUMONIA/",
            )
            .into());
    }
    let unknown: Vec<Diagnostic> = positive
        .iter()
        .filter(|class| !found.classes.contains_key(*class))
        .map(|class| {
            let known = found.classes.keys().cloned().collect::<Vec<_>>().join(", ");
            Diagnostic::error(Code::FolderClassUnknown, format!("no sub-folder \"{class}\" holds images"))
                .at(Location::file(folder))
                .hint(format!("the classes are {known}"))
        })
        .collect();
    if unknown.is_empty() { Ok(found) } else { Err(Error::Input(unknown)) }
}

/// The table's bytes: `case_id,patient_id,image,label`.
///
/// # Errors
/// None that memory does not give.
pub fn table(rows: &[Row]) -> Result<Vec<u8>> {
    let failed = |e: csv::Error| Diagnostic::error(Code::TableUnwritable, e.to_string());
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["case_id", "patient_id", "image", "label"]).map_err(failed)?;
    for row in rows {
        let label = if row.label { "1" } else { "0" };
        writer.write_record([&row.case_id, &row.patient_id, &row.image, label]).map_err(failed)?;
    }
    writer.into_inner().map_err(|e| Diagnostic::error(Code::TableUnwritable, e.to_string()).into())
}

fn name(path: &Path) -> String {
    path.file_name().map_or(String::new(), |name| name.to_string_lossy().into_owned())
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>> {
    let wrong = |e: std::io::Error| Error::io("read", folder, &e);
    let entries = std::fs::read_dir(folder).map_err(wrong)?;
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>().map_err(wrong)?;
    paths.sort();
    Ok(paths)
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

    fn read_with(files: &[&str], pattern: &str) -> Result<Found> {
        let positive = BTreeSet::from(["PNEUMONIA".to_owned()]);
        read(folder(files).path(), &positive, &Regex::new(pattern).expect("pattern"))
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
        let pattern = Regex::new(r"^p\d").expect("pattern");
        let inside = folder(&["PNEUMONIA/p1.png"]);
        symlink(inside.path().join("PNEUMONIA/p1.png"), inside.path().join("PNEUMONIA/p2.png"))
            .expect("links");
        let found = read(inside.path(), &positive, &pattern).expect("reads");
        assert_eq!((found.rows.len(), found.others), (1, 1));
        let elsewhere = folder(&["p3.png"]);
        for (from, to) in [("PNEUMONIA/p3.png", "p3.png"), ("NORMAL", "")] {
            let folder = folder(&["PNEUMONIA/p1.png"]);
            symlink(elsewhere.path().join(to), folder.path().join(from)).expect("links");
            let refused = read(folder.path(), &positive, &pattern).expect_err("refused");
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
