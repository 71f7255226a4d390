//! Stored arrays of equal length in one file: resized images, and what frozen layers make of them. Read and
//! written from several workers; the system's page cache keeps in memory what fits.
//!
//! ```text
//! <name>.f32     the records, 32-bit floats, little-endian, one after the other
//! <name>.marks   for each record the digest it was made from and the digest of its bytes; zeros: not yet
//!                written
//! <name>.key     the digest that the whole was made from, written when everything is on disk
//! ```
//!
//! An interrupted file goes on with the records that it has; each is checked against its mark first.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::diagnostic::{Error, Result};
use crate::digest::Digest;
use crate::kernels;
use crate::storage;

/// Bytes of a mark: two digests.
const MARK: usize = 64;

/// `count` records of `len` floats.
#[derive(Debug)]
pub struct Records {
    path: PathBuf,
    file: Mutex<File>,
    marks: Mutex<File>,
    count: usize,
    len: usize,
}

impl Records {
    /// Opens the file, or creates it with room on disk for every record; one of another size is discarded.
    ///
    /// # Errors
    /// When it cannot be created, or the disk has no room.
    pub fn open(path: &Path, count: usize, len: usize) -> Result<Self> {
        if let Some(folder) = path.parent() {
            storage::create_folder(folder)?;
        }
        let records = count * len * 4;
        let sizes = [(path.to_path_buf(), records), (path.with_extension("marks"), count * MARK)];
        let fits = |(path, size): &(PathBuf, usize)| {
            std::fs::metadata(path).is_ok_and(|found| found.len() == *size as u64)
        };
        if !sizes.iter().all(fits) {
            for file in [marker(path), path.to_path_buf(), path.with_extension("marks")] {
                let _ = std::fs::remove_file(file);
            }
        }
        let open = |(path, size): &(PathBuf, usize)| -> Result<Mutex<File>> {
            let wrong = |e: std::io::Error| Error::io("write", path, &e);
            let mut options = OpenOptions::new();
            let file =
                options.read(true).write(true).create(true).truncate(false).open(path).map_err(wrong)?;
            if let Err(e) = allocate(&file, *size as u64) {
                let _ = std::fs::remove_file(path);
                return Err(wrong(e));
            }
            Ok(Mutex::new(file))
        };
        let (file, marks) = (open(&sizes[0])?, open(&sizes[1])?);
        if count > 0 {
            // When the file was last used stands in the time of its marks: a byte is written as it is.
            let mut byte = [0];
            with(&marks, |file| read_at(file, &mut byte, 0).and_then(|()| write_at(file, &byte, 0)))
                .map_err(|e| Error::io("write", &sizes[1].0, &e))?;
        }
        Ok(Self { path: path.to_path_buf(), file, marks, count, len })
    }

    /// Bytes on disk.
    pub fn bytes(&self) -> u64 {
        (self.count * (self.len * 4 + MARK)) as u64
    }

    /// Whether every record is there and was made from what `key` stands for.
    pub fn is_finished(&self, key: &Digest) -> bool {
        std::fs::read_to_string(marker(&self.path)).is_ok_and(|found| found.trim() == key.to_string())
    }

    /// Whether a record is there, undamaged, and was made from what `key` stands for.
    pub fn has(&self, index: usize, key: &Digest) -> bool {
        let mut mark = [0; MARK];
        let mut bytes = vec![0; self.len * 4];
        with(&self.marks, |file| read_at(file, &mut mark, (index * MARK) as u64)).is_ok()
            && mark[..32] == key.as_bytes()[..]
            && with(&self.file, |file| read_at(file, &mut bytes, self.offset(index))).is_ok()
            && mark[32..] == Digest::of(&bytes).as_bytes()[..]
    }

    /// Marks every record as written, after they are on disk.
    ///
    /// # Errors
    /// When the marker cannot be written.
    pub fn finish(&self, key: &Digest) -> Result<()> {
        let wrong = |e: std::io::Error| Error::io("write", &self.path, &e);
        with(&self.file, |file| file.sync_data()).map_err(wrong)?;
        storage::write_atomic(&marker(&self.path), format!("{key}\n").as_bytes())
    }

    /// Writes one record of the declared length, made from what `key` stands for.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, index: usize, key: &Digest, values: &[f32]) -> Result<()> {
        debug_assert_eq!(values.len(), self.len);
        let bytes = kernels::to_bytes(values);
        let mut mark = [0; MARK];
        mark[..32].copy_from_slice(key.as_bytes());
        mark[32..].copy_from_slice(Digest::of(&bytes).as_bytes());
        let wrong = |e: std::io::Error| Error::io("write", &self.path, &e);
        if self.is_marked() {
            let _ = std::fs::remove_file(marker(&self.path));
        }
        with(&self.file, |file| write_at(file, &bytes, self.offset(index))).map_err(wrong)?;
        with(&self.marks, |file| write_at(file, &mark, (index * MARK) as u64)).map_err(wrong)
    }

    /// Appends one record to `out`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read_into(&self, index: usize, out: &mut Vec<f32>) -> Result<()> {
        let mut bytes = vec![0_u8; self.len * 4];
        with(&self.file, |file| read_at(file, &mut bytes, self.offset(index)))
            .map_err(|e| Error::io("read", &self.path, &e))?;
        out.extend(kernels::from_bytes(&bytes));
        Ok(())
    }

    fn is_marked(&self) -> bool {
        marker(&self.path).exists()
    }

    fn offset(&self, index: usize) -> u64 {
        (index * self.len * 4) as u64
    }
}

fn with<T>(file: &Mutex<File>, work: impl FnOnce(&File) -> std::io::Result<T>) -> std::io::Result<T> {
    work(&file.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
}

fn marker(path: &Path) -> PathBuf {
    path.with_extension("key")
}

/// Room on disk now, not only when the last record is written.
#[cfg(target_os = "linux")]
fn allocate(file: &File, size: u64) -> std::io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    if size == 0 {
        return Ok(());
    }
    match fallocate(file, FallocateFlags::empty(), 0, size) {
        // A file system that cannot promise room gets a file of the size.
        Err(rustix::io::Errno::OPNOTSUPP) => file.set_len(size),
        other => other.map_err(Into::into),
    }
}

#[cfg(not(target_os = "linux"))]
fn allocate(file: &File, size: u64) -> std::io::Result<()> {
    file.set_len(size)
}

#[cfg(unix)]
fn write_at(file: &File, bytes: &[u8], offset: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::write_all_at(file, bytes, offset)
}

#[cfg(unix)]
fn read_at(file: &File, bytes: &mut [u8], offset: u64) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, bytes, offset)
}

#[cfg(not(unix))]
fn write_at(mut file: &File, bytes: &[u8], offset: u64) -> std::io::Result<()> {
    use std::io::{Seek as _, Write as _};
    file.seek(std::io::SeekFrom::Start(offset))?;
    file.write_all(bytes)
}

#[cfg(not(unix))]
fn read_at(mut file: &File, bytes: &mut [u8], offset: u64) -> std::io::Result<()> {
    use std::io::{Read as _, Seek as _};
    file.seek(std::io::SeekFrom::Start(offset))?;
    file.read_exact(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_survive_and_only_a_finished_file_with_the_same_key_counts_as_whole() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("cache/planes.f32");
        let [key, one] = [b"all", b"one"].map(|bytes| Digest::of(bytes));
        let records = Records::open(&path, 3, 2).expect("creates");
        records.write(2, &one, &[1.5, -0.0]).expect("writes");
        assert!(!records.is_finished(&key));
        records.finish(&key).expect("marks");
        assert!(!records.is_finished(&one));
        let again = Records::open(&path, 3, 2).expect("opens");
        assert!(again.is_finished(&key));
        let mut values = Vec::new();
        again.read_into(2, &mut values).expect("reads");
        assert_eq!(values.iter().map(|v| v.to_bits()).collect::<Vec<_>>(), [1.5_f32, -0.0].map(f32::to_bits));
        again.write(1, &one, &[0.0, 0.0]).expect("writes");
        assert!(!again.is_finished(&key), "it is being changed");
    }

    #[test]
    fn opening_is_use_and_leaves_the_records_as_they_are() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("planes.f32");
        let key = Digest::of(b"one");
        Records::open(&path, 1, 2).expect("creates").write(0, &key, &[1.0, 2.0]).expect("writes");
        let marks = path.with_extension("marks");
        let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1000);
        File::options().write(true).open(&marks).expect("opens").set_modified(long_ago).expect("sets");
        let time = || std::fs::metadata(&marks).expect("there").modified().expect("a time");
        assert_eq!(time(), long_ago);
        assert!(Records::open(&path, 1, 2).expect("opens").has(0, &key));
        assert!(time() > long_ago);
    }

    #[test]
    fn an_interrupted_file_keeps_its_undamaged_records() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("planes.f32");
        let [one, other] = [b"one", b"two"].map(|bytes| Digest::of(bytes));
        let records = Records::open(&path, 3, 2).expect("creates");
        records.write(0, &one, &[1.0, 2.0]).expect("writes");
        records.write(1, &one, &[3.0, 4.0]).expect("writes");
        drop(records);
        let mut bytes = std::fs::read(&path).expect("reads");
        bytes[9] ^= 1;
        std::fs::write(&path, bytes).expect("damages record 1");
        let again = Records::open(&path, 3, 2).expect("opens");
        let have = |key| (0..3).map(|i| again.has(i, key)).collect::<Vec<_>>();
        assert_eq!(have(&one), [true, false, false]);
        assert_eq!(have(&other), [false, false, false]);
        // Another size is another cache.
        let larger = Records::open(&path, 4, 2).expect("creates");
        assert!(!larger.has(0, &one));
    }
}
