//! SHA-256 digests and the relative paths that manifests are made of. Imports nothing of the project.

use std::borrow::Cow;
use std::fmt;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::sync::{Arc, OnceLock};

use arcstr::Substr;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest as _, Sha256};

/// The bytes of a file, read once and shared by whoever needs them. A large study's files are most of its
/// memory, and tables are mostly repetition: a large file that shrinks is held as LZ4 blocks, and is whole
/// only while somebody reads it.
#[derive(Clone, Default)]
pub struct Bytes(Arc<Held>);

#[derive(Default)]
struct Held {
    /// As they are; of packed ones once somebody asked for all of them for good.
    whole: OnceLock<Vec<u8>>,
    packed: Option<Packed>,
    /// Once somebody asked for it.
    digest: OnceLock<Digest>,
}

/// Blocks that are packed each for itself.
struct Packed {
    blocks: Vec<Vec<u8>>,
    /// How many bytes they all hold.
    length: usize,
}

/// Files below this many bytes are never packed.
const PACKED_FROM: usize = 1 << 20;
/// So many bytes are in a block, in the last one fewer.
const BLOCK: usize = 1 << 20;

impl Bytes {
    /// All of them, for as long as somebody holds the answer.
    pub fn read(&self) -> Cow<'_, [u8]> {
        match (self.0.whole.get(), &self.0.packed) {
            (Some(whole), _) => Cow::Borrowed(whole),
            (None, Some(packed)) => Cow::Owned(packed.whole()),
            (None, None) => Cow::Borrowed(&[]),
        }
    }

    /// All of them, and they stay whole from now on: not for what large studies have large.
    pub fn as_slice(&self) -> &[u8] {
        match &self.0.packed {
            Some(packed) => self.0.whole.get_or_init(|| packed.whole()),
            None => self.0.whole.get().map_or(&[], Vec::as_slice),
        }
    }

    /// The same where their digest was computed already, while they were whole.
    pub fn of_digest(bytes: Vec<u8>, digest: Digest) -> Self {
        let bytes = Self::from(bytes);
        let _ = bytes.0.digest.set(digest);
        bytes
    }

    /// All of them one piece after another, of which large files are never whole.
    pub fn pieces(&self) -> impl Iterator<Item = Cow<'_, [u8]>> {
        let whole = self.0.whole.get().map(Vec::as_slice);
        let packed = if whole.is_some() { None } else { self.0.packed.as_ref() };
        let blocks = packed.map_or(&[][..], |packed| &packed.blocks);
        whole.map(Cow::Borrowed).into_iter().chain(blocks.iter().map(|block| Cow::Owned(unpacked(block))))
    }

    /// Whether they come in pieces at all.
    pub fn is_packed(&self) -> bool {
        self.0.whole.get().is_none() && self.0.packed.is_some()
    }

    /// The same as a reader.
    pub fn reader(&self) -> impl Read {
        Pieces { pieces: self.pieces(), now: Cow::Borrowed(&[]), at: 0 }
    }

    /// Their digest, computed once.
    pub fn digest(&self) -> Digest {
        *self.0.digest.get_or_init(|| {
            let mut hasher = Sha256::new();
            self.pieces().for_each(|piece| hasher.update(&piece));
            Digest(hasher.finalize().into())
        })
    }

    /// How many they are.
    pub fn len(&self) -> usize {
        self.0.packed.as_ref().map_or_else(|| self.0.whole.get().map_or(0, Vec::len), |packed| packed.length)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

fn unpacked(block: &[u8]) -> Vec<u8> {
    // Nobody but `Packed::of` packs, and nobody changes what it packed.
    lz4_flex::block::decompress(block, BLOCK).unwrap_or_else(|e| unreachable!("packed here: {e}"))
}

impl Packed {
    /// Where that halves them, their first block too: of weights and archives no more is tried.
    fn of(bytes: &[u8]) -> Option<Self> {
        let (mut blocks, mut size) = (Vec::new(), 0);
        for block in bytes.chunks(BLOCK) {
            let mut packed = lz4_flex::block::compress(block);
            size += packed.len();
            if size >= bytes.len() / 2 || blocks.is_empty() && size >= block.len() / 2 {
                return None;
            }
            packed.shrink_to_fit();
            blocks.push(packed);
        }
        Some(Self { blocks, length: bytes.len() })
    }

    fn whole(&self) -> Vec<u8> {
        let mut whole = Vec::with_capacity(self.length);
        self.blocks.iter().for_each(|block| whole.extend_from_slice(&unpacked(block)));
        whole
    }
}

/// Bytes that are packed while they are written, so that what is large is never whole.
#[derive(Default)]
pub struct Packing {
    blocks: Vec<Vec<u8>>,
    /// What the blocks hold.
    length: usize,
    block: Vec<u8>,
}

impl Packing {
    fn pack(&mut self) {
        let mut packed = lz4_flex::block::compress(&self.block);
        packed.shrink_to_fit();
        self.length += self.block.len();
        self.blocks.push(packed);
        self.block.clear();
    }

    /// What was written.
    pub fn bytes(mut self) -> Bytes {
        if self.blocks.is_empty() {
            return self.block.into();
        }
        if !self.block.is_empty() {
            self.pack();
        }
        let packed = Packed { blocks: self.blocks, length: self.length };
        if packed.blocks.iter().map(Vec::len).sum::<usize>() >= packed.length / 2 {
            return packed.whole().into();
        }
        Bytes(Arc::new(Held { packed: Some(packed), ..Held::default() }))
    }
}

impl Write for Packing {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(BLOCK - self.block.len());
        self.block.extend_from_slice(&bytes[..taken]);
        if self.block.len() == BLOCK {
            self.pack();
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Pieces<'b, I: Iterator<Item = Cow<'b, [u8]>>> {
    pieces: I,
    now: Cow<'b, [u8]>,
    at: usize,
}

impl<'b, I: Iterator<Item = Cow<'b, [u8]>>> Read for Pieces<'b, I> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.at == self.now.len() {
            let Some(next) = self.pieces.next() else { return Ok(0) };
            (self.now, self.at) = (next, 0);
        }
        let read = (&self.now[self.at..]).read(into)?;
        self.at += read;
        Ok(read)
    }
}

impl From<Vec<u8>> for Bytes {
    fn from(bytes: Vec<u8>) -> Self {
        if bytes.len() >= PACKED_FROM
            && let Some(packed) = Packed::of(&bytes)
        {
            return Self(Arc::new(Held { packed: Some(packed), ..Held::default() }));
        }
        Self(Arc::new(Held { whole: bytes.into(), ..Held::default() }))
    }
}

impl From<String> for Bytes {
    fn from(text: String) -> Self {
        text.into_bytes().into()
    }
}

impl From<&str> for Bytes {
    fn from(text: &str) -> Self {
        text.as_bytes().to_vec().into()
    }
}

impl PartialEq for Bytes {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0.packed, &other.0.packed) {
            // The same bytes are packed the same.
            (Some(one), Some(another)) => one.length == another.length && one.blocks == another.blocks,
            _ => self.len() == other.len() && self.read() == other.read(),
        }
    }
}

impl Eq for Bytes {}

impl PartialEq<Vec<u8>> for Bytes {
    fn eq(&self, other: &Vec<u8>) -> bool {
        self.len() == other.len() && *self.read() == **other
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.len())
    }
}

/// A SHA-256 digest (FIPS 180-4), written as 64 lower-case hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Digest(#[cfg_attr(test, schemars(with = "String", regex(pattern = "^[0-9a-f]{64}$")))] [u8; 32]);

impl Digest {
    /// The digest of bytes in memory.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of everything a reader gives, in constant memory.
    ///
    /// # Errors
    /// What the reader reports.
    pub fn of_reader(mut reader: impl Read) -> io::Result<Self> {
        let mut hasher = Sha256::new();
        let mut buffer = vec![0_u8; 1 << 16];
        loop {
            let read = reader.read(&mut buffer)?;
            if read == 0 {
                return Ok(Self(hasher.finalize().into()));
            }
            hasher.update(&buffer[..read]);
        }
    }

    /// The digest of a file's bytes.
    ///
    /// # Errors
    /// When the file cannot be opened or read.
    pub fn of_file(path: &Path) -> io::Result<Self> {
        Self::of_reader(std::fs::File::open(path)?)
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The first 12 digits, for people to compare at a glance; never for verification.
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

/// A text that is not 64 lower-case hexadecimal digits.
#[derive(Debug, PartialEq, Eq)]
pub struct DigestError(String);

impl fmt::Display for DigestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is not a SHA-256 digest (64 lower-case hexadecimal digits)", self.0)
    }
}

impl std::error::Error for DigestError {}

impl FromStr for Digest {
    type Err = DigestError;

    fn from_str(text: &str) -> Result<Self, DigestError> {
        let wrong = || DigestError(text.chars().take(80).collect());
        if text.len() != 64 || !text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(wrong());
        }
        let mut bytes = [0_u8; 32];
        for (byte, pair) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            let pair = std::str::from_utf8(pair).map_err(|_| wrong())?;
            *byte = u8::from_str_radix(pair, 16).map_err(|_| wrong())?;
        }
        Ok(Self(bytes))
    }
}

impl Serialize for Digest {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A path inside a bundle or a study: relative, `/`-separated, without `.`, `..`, empty or control
/// components.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RelativePath(#[cfg_attr(test, schemars(with = "String"))] Substr);

/// A path that would lead outside, or that tables and manifests cannot hold.
#[derive(Debug, PartialEq, Eq)]
pub struct RelativePathError(String);

impl fmt::Display for RelativePathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}` is not a plain relative path (no leading `/`, no `..`, no backslash, no control \
             characters)",
            self.0
        )
    }
}

impl std::error::Error for RelativePathError {}

impl RelativePath {
    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The path below a folder.
    pub fn below(&self, folder: &Path) -> PathBuf {
        self.0.split('/').fold(folder.to_path_buf(), |path, part| path.join(part))
    }
}

impl FromStr for RelativePath {
    type Err = RelativePathError;

    fn from_str(text: &str) -> Result<Self, RelativePathError> {
        Self::plain(text).map(|()| Self(text.into()))
    }
}

impl TryFrom<Substr> for RelativePath {
    type Error = RelativePathError;

    /// Of a part of a longer text, which it shares.
    fn try_from(text: Substr) -> Result<Self, RelativePathError> {
        Self::plain(&text).map(|()| Self(text))
    }
}

impl RelativePath {
    fn plain(text: &str) -> Result<(), RelativePathError> {
        let plain = !text.is_empty()
            && text.split('/').all(|part| !part.is_empty() && part != "." && part != "..")
            && !text.chars().any(|c| c == '\\' || c.is_control())
            && !text.contains(':');
        if plain { Ok(()) } else { Err(RelativePathError(text.escape_default().to_string())) }
    }
}

impl fmt::Display for RelativePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for RelativePath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RelativePath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_bytes_are_the_bytes_and_have_their_digest() {
        let lines = |of: u32| (0..60_000).map(|n| format!("C{:06},{n},AP\n", n % of)).collect::<String>();
        // Xorshift (Marsaglia, 2003): nothing repeats.
        let mut state = 2_463_534_242_u32;
        let noise: Vec<u8> = (0..PACKED_FROM)
            .map(|_| {
                state ^= state << 13;
                state ^= state >> 17;
                state ^= state << 5;
                state.to_le_bytes()[0]
            })
            .collect();
        let table = lines(9_000).into_bytes();
        assert!(table.len() < PACKED_FROM && table.repeat(2).len() > PACKED_FROM);
        for (bytes, is_packed) in
            [(table.repeat(2), true), (table, false), (noise, false), (Vec::new(), false)]
        {
            let held = Bytes::from(bytes.clone());
            assert_eq!(held.is_packed(), is_packed);
            assert_eq!((held.len(), held.is_empty()), (bytes.len(), bytes.is_empty()));
            assert_eq!((&*held.read(), held.digest()), (&bytes[..], Digest::of(&bytes)));
            assert_eq!(held.pieces().collect::<Vec<_>>().concat(), bytes);
            let mut again = Vec::new();
            held.reader().read_to_end(&mut again).expect("memory");
            assert_eq!(again, bytes);
            let mut packing = Packing::default();
            bytes.chunks(7919).for_each(|chunk| packing.write_all(chunk).expect("memory"));
            let written = packing.bytes();
            assert_eq!((written.0.packed.is_some(), written == held), (is_packed, true));
            let (same, mut other) = (Bytes::from(bytes.clone()), bytes.clone());
            assert!(held == bytes && held == same);
            assert_eq!(held.as_slice(), bytes);
            assert!(!held.is_packed());
            // Whole by now, and the same.
            assert_eq!(*held.read(), bytes);
            other.push(b'x');
            let longer = Bytes::from(other.clone());
            assert!(held != longer && held != other);
            if let Some(last) = other.get_mut(bytes.len() / 2) {
                *last ^= 1;
                other.truncate(bytes.len().max(1));
                let changed = Bytes::from(other);
                assert!(held != changed);
            }
        }
    }

    #[test]
    fn digest_of_abc_matches_fips_180_4() {
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(Digest::of(b"abc").to_string(), expected);
        assert_eq!(Digest::of_reader(&b"abc"[..]).expect("reads"), expected.parse().expect("parses"));
    }

    #[test]
    fn digest_refuses_upper_case_and_wrong_length() {
        let good = Digest::of(b"").to_string();
        assert!(good.to_uppercase().parse::<Digest>().is_err());
        assert!(good[1..].parse::<Digest>().is_err());
        assert!("é".repeat(32).parse::<Digest>().is_err());
    }

    #[test]
    fn paths_that_lead_outside_are_refused() {
        for bad in ["", "/etc/passwd", "..", "a/../b", "a//b", "./a", "a\\b", "C:/a", "a\nb"] {
            assert!(bad.parse::<RelativePath>().is_err(), "{bad:?} was accepted");
        }
        assert_eq!(
            "reads/reader-1.csv".parse::<RelativePath>().expect("plain").as_str(),
            "reads/reader-1.csv"
        );
    }
}
