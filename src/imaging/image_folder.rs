//! Where an image lies below a folder: at its path, or in one of the folders that NIH's twelve archives
//! unpack to (`images_001/images/00000001_000.png`, ...), which the metadata do not name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::RelativePath;
use crate::storage;

/// A folder of images.
#[derive(Clone, Debug)]
pub struct ImageFolder {
    root: PathBuf,
    /// File name → path, for the files in `images_*/` and `images_*/images/`.
    parts: BTreeMap<String, PathBuf>,
}

impl ImageFolder {
    /// Lists the folders `images_*` below `root`, where there are any; nothing else is read.
    ///
    /// # Errors
    /// When a folder cannot be listed; `image-ambiguous` when two of the folders hold a file of the same
    /// name.
    pub fn open(root: &Path) -> Result<Self> {
        let mut parts: BTreeMap<String, PathBuf> = BTreeMap::new();
        let mut twice = Vec::new();
        for part in storage::listed(root)? {
            let name = part.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
            let number = name.strip_prefix("images_").or_else(|| name.strip_prefix("images-"));
            let numbered = number.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
            if !numbered || !part.is_dir() {
                continue;
            }
            let inner = part.join("images");
            let mut files = storage::listed(&part)?;
            if inner.is_dir() {
                files.extend(storage::listed(&inner)?);
            }
            for file in files {
                let Some(name) = file.file_name().and_then(|n| n.to_str()).map(str::to_owned) else {
                    continue;
                };
                if file == inner {
                    continue;
                }
                if let Some(first) = parts.get(&name) {
                    twice.push(format!("{} and {}", first.display(), file.display()));
                } else {
                    parts.insert(name, file);
                }
            }
        }
        if twice.is_empty() {
            return Ok(Self { root: root.to_path_buf(), parts });
        }
        let shown = twice.iter().take(3).cloned().collect::<Vec<_>>().join("; ");
        let message = format!("{} names stand in two of the image folders: {shown}", twice.len());
        Err(Diagnostic::error(Code::ImageAmbiguous, message)
            .at(Location::file(root))
            .hint("which of them is meant cannot be told: keep one of each")
            .into())
    }

    /// The image's path. A file at the path itself comes first; what is nowhere gets the path where it would
    /// be looked for, so that reading it says so.
    pub fn locate(&self, image: &RelativePath) -> PathBuf {
        let own = image.below(&self.root);
        match self.parts.get(image.as_str()) {
            Some(part) if !own.is_file() => part.clone(),
            _ => own,
        }
    }
}

impl ImageFolder {
    /// [`locate`](Self::locate), where no link below the folder leads out of it: such an image would lie
    /// where nobody looks when the folder is sealed, copied or de-identified. The folder may be a link
    /// itself.
    ///
    /// # Errors
    /// `image-outside`; what following a link reports.
    pub fn inside(&self, image: &RelativePath) -> Result<PathBuf> {
        let path = self.locate(image);
        let mut below = path.ancestors().take_while(|part| *part != self.root);
        if below.any(Path::is_symlink) {
            stays(&self.root, &path)?;
        }
        Ok(path)
    }
}

/// Refuses a path whose links lead out of the folder.
pub(crate) fn stays(folder: &Path, path: &Path) -> Result<()> {
    let real = |path: &Path| path.canonicalize().map_err(|e| Error::io("follow the link", path, &e));
    if real(path)?.starts_with(real(folder)?) {
        return Ok(());
    }
    Err(Diagnostic::error(Code::ImageOutside, "the link leads out of the folder of images")
        .at(Location::file(path))
        .hint("put the image itself into the folder")
        .into())
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

    #[test]
    fn an_image_is_found_at_its_path_or_in_the_folders_of_the_archives() {
        let files =
            ["images_001/images/a.png", "images_012/images/b.png", "images_003/c.png", "d.png", "x/e.png"];
        let folder = folder(&[&files[..], &["images_old/a.png", "images_001/images/d.png"]].concat());
        let images = ImageFolder::open(folder.path()).expect("opens");
        let at = |name: &str| {
            let path = images.locate(&name.parse().expect("a path"));
            path.strip_prefix(folder.path()).expect("below").to_str().expect("text").to_owned()
        };
        let found = ["a.png", "b.png", "c.png", "d.png", "x/e.png", "nowhere.png"].map(at);
        assert_eq!(found, [files[0], files[1], files[2], "d.png", "x/e.png", "nowhere.png"]);
    }

    #[test]
    fn a_name_in_two_folders_and_a_folder_that_is_not_there_are_refused() {
        let twice = folder(&["images_001/images/a.png", "images_002/a.png"]);
        let error = ImageFolder::open(twice.path()).expect_err("refused");
        assert_eq!(error.diagnostics()[0].code.as_str(), "image-ambiguous");
        let error = ImageFolder::open(Path::new("/nowhere/at/all")).expect_err("refused");
        assert_eq!(error.diagnostics()[0].code.as_str(), "file-missing");
    }

    #[cfg(unix)]
    #[test]
    fn a_link_may_be_the_folder_and_may_not_leave_it() {
        use std::os::unix::fs::symlink;
        let home = tempfile::tempdir().expect("folder");
        let at = |name: &str| home.path().join(name);
        for folder in ["images/sub", "other"] {
            std::fs::create_dir_all(at(folder)).expect("creates");
        }
        for file in ["images/a.png", "images/sub/b.png", "other/c.png"] {
            std::fs::write(at(file), b"").expect("writes");
        }
        symlink(at("images"), at("link")).expect("links");
        symlink(at("images/a.png"), at("images/within.png")).expect("links");
        symlink(at("other/c.png"), at("images/out.png")).expect("links");
        symlink(at("other"), at("images/sub/out")).expect("links");
        let code = |folder: &str, image: &str| {
            let image: RelativePath = image.parse().expect("a path");
            ImageFolder::open(&at(folder))
                .expect("opens")
                .inside(&image)
                .err()
                .map(|error| error.diagnostics()[0].code.as_str())
        };
        for folder in ["images", "link"] {
            for image in ["a.png", "sub/b.png", "within.png", "not-there.png"] {
                assert_eq!(code(folder, image), None, "{folder}/{image}");
            }
            for image in ["out.png", "sub/out/c.png"] {
                assert_eq!(code(folder, image), Some("image-outside"), "{folder}/{image}");
            }
        }
    }
}
