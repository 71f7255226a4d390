//! One writer at a time in a folder, and what a killed one left behind.

use std::fs::{self, File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};

/// How names begin of what is written beside and not yet in its place.
pub(super) const BESIDE: &str = ".sequester-";

/// Folders of which this process is the writer.
static MINE: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// The right to write in a folder; it ends when this is dropped, or with the process, however that ends.
#[derive(Debug)]
pub struct Alone {
    /// `None` where the process had the right already, or the file system knows no locks.
    held: Option<(File, PathBuf)>,
}

impl Alone {
    /// Becomes the only writer in a folder and its parts, and removes what a killed writer left beside its
    /// files there.
    ///
    /// The folder itself is locked (`flock`), so nothing is written for it, and a process that is killed
    /// leaves no lock. On file systems without locks, and on systems where a folder cannot be opened, there
    /// is no guard.
    ///
    /// # Errors
    /// `study-busy` when another process writes there; when the folder cannot be created.
    pub fn in_folder(folder: &Path, parts: &[&str]) -> Result<Self> {
        super::create_folder(folder)?;
        let path = fs::canonicalize(folder).map_err(|e| Error::io("look at", folder, &e))?;
        let mut mine = MINE.lock().unwrap_or_else(PoisonError::into_inner);
        if mine.contains(&path) {
            return Ok(Self { held: None });
        }
        let Ok(file) = File::open(&path) else { return Ok(Self { held: None }) };
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let problem = Diagnostic::error(Code::StudyBusy, "another process is writing here");
                return Err(problem
                    .at(Location::file(folder))
                    .hint("wait until it has ended; the same command then does what is left to do")
                    .into());
            }
            Err(TryLockError::Error(_)) => return Ok(Self { held: None }),
        }
        mine.push(path.clone());
        let held = Some((file, path));
        drop(mine);
        let alone = Self { held };
        for part in std::iter::once("").chain(parts.iter().copied()) {
            clear(&folder.join(part));
        }
        Ok(alone)
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        if let Some((_, path)) = &self.held {
            MINE.lock().unwrap_or_else(PoisonError::into_inner).retain(|held| held != path);
        }
    }
}

/// Removes what was begun and never put in its place. What cannot be removed stays: it is in nobody's way.
fn clear(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if !entry.file_name().to_string_lossy().starts_with(BESIDE) {
            continue;
        }
        let _ = match entry.file_type() {
            Ok(kind) if kind.is_dir() => fs::remove_dir_all(entry.path()),
            _ => fs::remove_file(entry.path()),
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_writer_left_goes_and_nothing_else() {
        let folder = tempfile::tempdir().expect("a folder");
        let at = |name: &str| folder.path().join(name);
        fs::create_dir_all(at(".sequester-abc/deep")).expect("creates");
        fs::create_dir_all(at("evidence/.sequester-def")).expect("creates");
        for name in
            [".sequester-xyz", "ledger.jsonl", ".hidden", "evidence/.sequester-def/copy", "other.sequester-"]
        {
            fs::write(at(name), "x").expect("writes");
        }
        let alone = Alone::in_folder(folder.path(), &["evidence", "reports"]).expect("nobody else");
        let mut left: Vec<String> = fs::read_dir(folder.path())
            .expect("lists")
            .flatten()
            .map(|e| e.file_name().to_string_lossy().into_owned())
            .collect();
        left.sort();
        assert_eq!(left, [".hidden", "evidence", "ledger.jsonl", "other.sequester-"]);
        assert_eq!(fs::read_dir(at("evidence")).expect("lists").count(), 0);
        // A step within a step of the same process is no other writer.
        assert!(Alone::in_folder(folder.path(), &[]).is_ok());
        drop(alone);
        assert!(Alone::in_folder(folder.path(), &[]).is_ok());
    }
}
