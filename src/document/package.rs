//! The parts of an Office document (ECMA-376-2): a ZIP file. Written so that the same parts give the same
//! bytes, and read within limits: what is read was given by somebody.

use std::io::{Cursor, Read as _, Write as _};

use zip::result::ZipResult;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipArchive, ZipWriter};

/// Bytes that a part may inflate to.
const LARGEST: u64 = 64 << 20;

/// Parts by name, in the order in which they are to stand, as one file. Every part has the first time that a
/// ZIP file can say.
///
/// # Errors
/// When a name stands twice.
pub fn written(parts: &[(String, Vec<u8>)]) -> ZipResult<Vec<u8>> {
    let mut file = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Deflated)
        .last_modified_time(DateTime::default());
    for (name, bytes) in parts {
        file.start_file(name.as_str(), options)?;
        file.write_all(bytes)?;
    }
    Ok(file.finish()?.into_inner())
}

/// A part as text; `None` where there is none, or none that can be read.
pub fn part(bytes: &[u8], name: &str) -> Option<String> {
    let mut archive = ZipArchive::new(Cursor::new(bytes)).ok()?;
    let mut part = archive.by_name(name).ok()?.take(LARGEST);
    let mut text = Vec::new();
    part.read_to_end(&mut text).ok()?;
    // A part of exactly that size may have been cut.
    (u64::try_from(text.len()).is_ok_and(|read| read < LARGEST)).then_some(())?;
    String::from_utf8(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn parts_come_back_and_the_same_parts_are_the_same_bytes() {
        let parts = [("a.xml".to_owned(), b"<a/>".to_vec()), ("b/c.xml".to_owned(), vec![b'x'; 5000])];
        let file = written(&parts).expect("writes");
        assert_eq!(file, written(&parts).expect("writes"));
        assert_eq!(part(&file, "a.xml").as_deref(), Some("<a/>"));
        assert_eq!(part(&file, "b/c.xml").map(|t| t.len()), Some(5000));
        assert_eq!(part(&file, "d.xml"), None);
    }

    proptest! {
        #[test]
        fn no_bytes_end_the_reading(
            bytes in proptest::collection::vec(any::<u8>(), 0..200),
            at in 0..400_usize,
        ) {
            prop_assert_eq!(part(&bytes, "a.xml"), None);
            let mut file = written(&[("a.xml".to_owned(), b"<a/>".to_vec())]).expect("writes");
            let at = at % file.len();
            file.splice(at..at, bytes);
            let _ = part(&file, "a.xml");
        }
    }
}
