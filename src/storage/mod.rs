//! Writing without loss: beside, sync, rename, one writer at a time. Imports only [`crate::diagnostic`].

mod alone;

use std::fs::{self, File};
use std::io::{BufWriter, Read as _, Write};
use std::path::{Path, PathBuf};

use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};

pub use alone::Alone;

/// The whole file in memory, with a located error.
///
/// # Errors
/// When the file cannot be read.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    plain(path)?;
    if let Ok(metadata) = fs::metadata(path) {
        fits(path, metadata.len())?;
    }
    fs::read(path).map_err(|e| Error::io("read", path, &e))
}

/// At most the first `most` bytes of a file.
///
/// # Errors
/// When the file cannot be read.
pub fn beginning(path: &Path, most: u64) -> Result<Vec<u8>> {
    plain(path)?;
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes));
    read.map_err(|e| Error::io("read", path, &e))?;
    Ok(bytes)
}

/// Bytes of a file that is read as a whole. A sparse file claims any size and costs its maker nothing.
pub const LARGEST: u64 = 4 << 30;

/// Refuses a file that is too large to be read as a whole.
///
/// # Errors
/// `too-large`.
pub fn fits(path: &Path, bytes: u64) -> Result<()> {
    if bytes <= LARGEST {
        return Ok(());
    }
    let problem = Diagnostic::error(Code::TooLarge, format!("has {bytes} bytes, at most {LARGEST} are read"));
    Err(problem.at(Location::file(path)).hint("give the part that is needed").into())
}

/// Refuses pipes, devices and sockets before they are opened: reading one might never end.
fn plain(path: &Path) -> Result<()> {
    // What is not there is told by the opening.
    let Ok(metadata) = fs::metadata(path) else { return Ok(()) };
    if metadata.is_file() && is_hollow(&metadata) {
        let message = format!("claims {} bytes, of which nearly none are on the disk", metadata.len());
        let problem = Diagnostic::error(Code::TooLarge, message).at(Location::file(path));
        return Err(problem.hint("a sparse file: give the one that holds its bytes").into());
    }
    if metadata.is_file() || metadata.is_dir() {
        return Ok(());
    }
    let problem = Diagnostic::error(Code::NotAFile, "is no plain file but a pipe, a device or a socket");
    Err(problem.at(Location::file(path)).hint("copy what it gives into a file and name that").into())
}

/// Beyond a gigabyte, with less than a hundredth on the disk: reading it would take hours and give zeros.
fn is_hollow(metadata: &fs::Metadata) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt as _;
        metadata.len() > 1 << 30 && metadata.blocks() * 512 < metadata.len() / 100
    }
    #[cfg(not(unix))]
    {
        let _ = metadata;
        false
    }
}

/// A file to be read piece by piece, with a located error.
///
/// # Errors
/// When the file cannot be opened.
pub fn open(path: &Path) -> Result<File> {
    plain(path)?;
    File::open(path).map_err(|e| Error::io("read", path, &e))
}

/// What lies in a folder, in the order of the paths.
///
/// # Errors
/// `io`, with the folder.
pub fn listed(folder: &Path) -> Result<Vec<PathBuf>> {
    let wrong = |e: std::io::Error| Error::io("read the folder", folder, &e);
    let entries = fs::read_dir(folder).map_err(wrong)?;
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>().map_err(wrong)?;
    paths.sort();
    Ok(paths)
}

/// Creates a folder and its parents.
///
/// # Errors
/// When it cannot be created.
pub fn create_folder(path: &Path) -> Result<()> {
    fs::create_dir_all(path).map_err(|e| Error::io("create the folder", path, &e))
}

/// Replaces a file in one step: what was there stays until the new bytes are on disk.
///
/// # Errors
/// When the folder or the file cannot be written; the old file is then untouched.
pub fn write_atomic(path: &Path, bytes: &[u8]) -> Result<()> {
    write_atomic_with(path, |out| out.write_all(bytes))
}

/// Writes a file that its owner alone can read, where none is.
///
/// # Errors
/// When there is one, or it cannot be written.
pub fn write_secret(path: &Path, bytes: &[u8]) -> Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    create_folder(folder)?;
    let wrong = |e: std::io::Error| Error::io("write", path, &e);
    // A temporary file is its owner's alone.
    let mut beside = tempfile::Builder::new().prefix(alone::BESIDE).tempfile_in(folder).map_err(wrong)?;
    beside.write_all(bytes).map_err(wrong)?;
    beside.as_file().sync_all().map_err(wrong)?;
    beside.persist_noclobber(path).map_err(|e| wrong(e.error))?;
    sync_folder(folder)
}

/// As [`write_atomic`], for content that is produced as a stream.
///
/// # Errors
/// As [`write_atomic`], and whatever `fill` reports.
pub fn write_atomic_with(
    path: &Path,
    fill: impl FnOnce(&mut BufWriter<&mut File>) -> std::io::Result<()>,
) -> Result<()> {
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    create_folder(folder)?;
    let wrong = |e: std::io::Error| Error::io("write", path, &e);
    let mut beside = tempfile::Builder::new().prefix(alone::BESIDE).tempfile_in(folder).map_err(wrong)?;
    {
        let mut out = BufWriter::new(beside.as_file_mut());
        fill(&mut out).map_err(wrong)?;
        out.flush().map_err(wrong)?;
    }
    beside.as_file().sync_all().map_err(wrong)?;
    set_usual_mode(beside.as_file()).map_err(wrong)?;
    beside.persist(path).map_err(|e| wrong(e.error))?;
    sync_folder(folder)
}

/// Moves a finished folder to its final name; the target must not exist.
///
/// # Errors
/// When the target exists or the move fails.
pub fn publish_folder(finished: &Path, target: &Path) -> Result<()> {
    if let Some(parent) = target.parent() {
        create_folder(parent)?;
    }
    if target.exists() {
        let exists = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
        return Err(Error::io("write", target, &exists));
    }
    fs::rename(finished, target).map_err(|e| Error::io("write", target, &e))?;
    sync_folder(target.parent().unwrap_or(Path::new(".")))
}

/// Makes a rename durable (POSIX: the directory entry has to be synced as well).
///
/// # Errors
/// When the folder cannot be opened or synced.
pub fn sync_folder(folder: &Path) -> Result<()> {
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    #[cfg(unix)]
    File::open(folder).and_then(|f| f.sync_all()).map_err(|e| Error::io("sync", folder, &e))?;
    Ok(())
}

/// Temporary files are private by default; results are to be read by others.
fn set_usual_mode(file: &File) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        file.set_permissions(fs::Permissions::from_mode(0o644))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_beside_it() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("a.csv");
        write_atomic(&path, b"old").expect("writes");
        let failed = write_atomic_with(&path, |out| {
            out.write_all(b"half")?;
            Err(std::io::Error::from(std::io::ErrorKind::StorageFull))
        });
        assert_eq!(failed.expect_err("fails").diagnostics()[0].code.as_str(), "disk-full");
        assert_eq!(read(&path).expect("reads"), b"old");
        assert_eq!(fs::read_dir(folder.path()).expect("lists").count(), 1);
    }

    #[test]
    fn a_folder_is_published_only_where_nothing_lies() {
        let folder = tempfile::tempdir().expect("folder");
        let (from, to) = (folder.path().join("a"), folder.path().join("b"));
        create_folder(&from).expect("creates");
        create_folder(&to).expect("creates");
        assert!(publish_folder(&from, &to).is_err());
        fs::remove_dir(&to).expect("removes");
        publish_folder(&from, &to).expect("moves");
        assert!(to.is_dir() && !from.exists());
    }
}
