//! Stored arrays of equal length in one file: resized images, and what frozen layers make of them. Read and
//! written from several workers; the system's page cache keeps in memory what fits.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::diagnostic::{Error, Result};
use crate::digest::Digest;
use crate::storage;

/// `count` records of `len` floats.
#[derive(Debug)]
pub struct Records {
    path: PathBuf,
    file: Mutex<File>,
    len: usize,
}

impl Records {
    /// Opens what an earlier attempt finished under the same key, if there is such a file.
    pub fn finished(path: &Path, key: &Digest, len: usize) -> Option<Self> {
        let marker = std::fs::read_to_string(marker(path)).ok()?;
        if marker.trim() != key.to_string() {
            return None;
        }
        let file = File::open(path).ok()?;
        Some(Self { path: path.to_path_buf(), file: Mutex::new(file), len })
    }

    /// A new file; one of the same name is discarded.
    ///
    /// # Errors
    /// When the file cannot be created or the disk is full.
    pub fn create(path: &Path, count: usize, len: usize) -> Result<Self> {
        let wrong = |e: std::io::Error| Error::io("write", path, &e);
        if let Some(folder) = path.parent() {
            storage::create_folder(folder)?;
        }
        let _ = std::fs::remove_file(marker(path));
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(true)
            .open(path)
            .map_err(wrong)?;
        file.set_len((count * len * 4) as u64).map_err(wrong)?;
        Ok(Self { path: path.to_path_buf(), file: Mutex::new(file), len })
    }

    /// Marks every record as written.
    ///
    /// # Errors
    /// When the marker cannot be written.
    pub fn finish(&self, key: &Digest) -> Result<()> {
        storage::write_atomic(&marker(&self.path), format!("{key}\n").as_bytes())
    }

    /// Writes one record of the declared length.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn write(&self, index: usize, values: &[f32]) -> Result<()> {
        debug_assert_eq!(values.len(), self.len);
        let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.with_file(|file| write_at(file, &bytes, self.offset(index)))
            .map_err(|e| Error::io("write", &self.path, &e))
    }

    /// Appends one record to `out`.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn read_into(&self, index: usize, out: &mut Vec<f32>) -> Result<()> {
        let mut bytes = vec![0_u8; self.len * 4];
        self.with_file(|file| read_at(file, &mut bytes, self.offset(index)))
            .map_err(|e| Error::io("read", &self.path, &e))?;
        out.extend(bytes.as_chunks::<4>().0.iter().map(|four| f32::from_le_bytes(*four)));
        Ok(())
    }

    fn offset(&self, index: usize) -> u64 {
        (index * self.len * 4) as u64
    }

    fn with_file<T>(&self, work: impl FnOnce(&File) -> std::io::Result<T>) -> std::io::Result<T> {
        let file = self.file.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        work(&file)
    }
}

fn marker(path: &Path) -> PathBuf {
    path.with_extension("key")
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
    fn records_survive_and_only_a_finished_file_with_the_same_key_is_opened() {
        let folder = tempfile::tempdir().expect("folder");
        let path = folder.path().join("cache/planes.f32");
        let key = Digest::of(b"key");
        let records = Records::create(&path, 3, 2).expect("creates");
        records.write(2, &[1.5, -0.0]).expect("writes");
        assert!(Records::finished(&path, &key, 2).is_none());
        records.finish(&key).expect("marks");
        assert!(Records::finished(&path, &Digest::of(b"other"), 2).is_none());
        let again = Records::finished(&path, &key, 2).expect("there");
        let mut values = Vec::new();
        again.read_into(2, &mut values).expect("reads");
        assert_eq!(values.iter().map(|v| v.to_bits()).collect::<Vec<_>>(), [1.5_f32, -0.0].map(f32::to_bits));
        Records::create(&path, 3, 2).expect("creates");
        assert!(Records::finished(&path, &key, 2).is_none());
    }
}
