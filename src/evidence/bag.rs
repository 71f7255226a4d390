//! BagIt 1.0 (RFC 8493) with SHA-256 manifests in one canonical form: sorted by path, lower-case
//! digests, two spaces, LF. One byte that differs anywhere is a discrepancy.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write;
use std::path::Path;

use rayon::prelude::*;

use super::names::{self, Named};
use crate::diagnostic::{Code, Diagnostic, Error, Location, Result, Severity};
use crate::digest::{Bytes, Digest, RelativePath};
use crate::storage;

/// `bagit.txt`.
const DECLARATION: &str = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
const PAYLOAD_MANIFEST: &str = "manifest-sha256.txt";
/// The manifest of the manifests; its digest is the root.
pub const TAG_MANIFEST: &str = "tagmanifest-sha256.txt";
const INFO: &str = "bag-info.txt";
/// The label with the size of the payload (RFC 8493, 2.2.2).
const OXUM: &str = "Payload-Oxum";
/// Everything that the tag manifest names, no more and no less.
const TAGS: [&str; 3] = [INFO, "bagit.txt", PAYLOAD_MANIFEST];
/// How a detached signature or time stamp of the tag manifest ends; it lies beside and cannot be in it.
const SIGNATURES: [&str; 11] =
    ["asc", "crt", "gpg", "minisig", "ots", "p7s", "pem", "sig", "sigstore", "sigstore.json", "tsr"];

/// Files and folders of a bundle.
pub const MOST_FILES: usize = 100_000;
/// Folders within each other.
pub const DEEPEST: usize = 32;
/// Bytes of all files together.
pub const LARGEST: u64 = 16 << 30;
/// Bytes of a manifest: more than it takes to name [`MOST_FILES`] files.
pub const LARGEST_MANIFEST: u64 = 64 << 20;

/// A bundle in memory: everything below `data/`, by path relative to it.
pub type Payload = BTreeMap<RelativePath, Bytes>;

/// Writes a bag beside `target` and moves it there when it is complete. Gives the root digest: the
/// SHA-256 of `tagmanifest-sha256.txt`.
///
/// # Errors
/// When the target exists, a name has no place in a bundle ([`names::check`]), or something cannot be
/// written; nothing is left behind then.
pub fn write(target: &Path, payload: &Payload, info: &[(&str, String)]) -> Result<Digest> {
    let named =
        |path: &RelativePath| Named { path: path.clone(), at: Location::file(format!("data/{path}")) };
    let mut refused = names::check(&payload.keys().map(named).collect::<Vec<_>>());
    refused.retain(|problem| problem.severity == Severity::Error);
    if !refused.is_empty() {
        return Err(refused.into());
    }
    let parent = target.parent().unwrap_or(Path::new("."));
    storage::create_folder(parent)?;
    let beside = tempfile::Builder::new()
        .prefix(".sequester-")
        .tempdir_in(parent)
        .map_err(|e| Error::io("create a folder in", parent, &e))?;
    let bag = beside.path().join("bag");
    storage::create_folder(&bag)?;
    for (path, bytes) in payload {
        storage::write_atomic_with(&path.below(&bag.join("data")), |out| {
            bytes.pieces().try_for_each(|piece| out.write_all(&piece))
        })?;
    }
    let octets: u64 = payload.values().map(|bytes| bytes.len() as u64).sum();
    let mut lines = String::new();
    for (label, value) in info {
        lines.push_str(&label_line(label, &label_value(value)));
    }
    lines.push_str(&label_line(OXUM, &format!("{octets}.{}", payload.len())));
    let manifest: String =
        payload.iter().map(|(path, bytes)| manifest_line(bytes.digest(), &format!("data/{path}"))).collect();
    let tags =
        BTreeMap::from([(INFO, lines), ("bagit.txt", DECLARATION.to_owned()), (PAYLOAD_MANIFEST, manifest)]);
    let tag_manifest: String =
        tags.iter().map(|(name, text)| manifest_line(Digest::of(text.as_bytes()), name)).collect();
    for (name, text) in &tags {
        storage::write_atomic(&bag.join(name), text.as_bytes())?;
    }
    storage::write_atomic(&bag.join(TAG_MANIFEST), tag_manifest.as_bytes())?;
    set_readable(&bag)?;
    storage::publish_folder(&bag, target)?;
    Ok(Digest::of(tag_manifest.as_bytes()))
}

/// A text as `bag-info.txt` holds it: tools end a line there at each control character and separator.
pub fn label_value(text: &str) -> String {
    text.replace(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'), " ")
}

fn label_line(label: &str, value: &str) -> String {
    format!("{label}: {value}\n")
}

/// The temporary folder is private; evidence is to be read by others.
fn set_readable(folder: &Path) -> Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o755))
            .map_err(|e| Error::io("set the mode of", folder, &e))?;
    }
    Ok(())
}

fn manifest_line(digest: Digest, path: &str) -> String {
    // RFC 8493, 2.1.3: CR, LF and % in a path are percent-encoded. RelativePath allows neither CR nor LF;
    // bundles with a % were written before `names` refused it.
    format!("{digest}  {}\n", path.replace('%', "%25"))
}

/// A bag as it lies on disk.
#[derive(Clone, Debug, Default)]
pub struct Opened {
    /// Everything below `data/` that could be read.
    pub payload: Payload,
    /// The digest of the tag manifest as it lies there.
    pub root: Option<Digest>,
    /// Labels and values of `bag-info.txt`, in its order.
    pub info: Vec<(String, String)>,
    /// Every byte that is not the one that was recorded, sorted.
    pub discrepancies: Vec<Diagnostic>,
}

impl Opened {
    /// Labels and values as [`write`] takes them: it adds the Payload-Oxum itself.
    pub fn labels(&self) -> Vec<(&str, String)> {
        let given = self.info.iter().filter(|(label, _)| label != OXUM);
        given.map(|(label, value)| (label.as_str(), value.clone())).collect()
    }
}

/// Reads a bag and compares it with its manifests in both directions.
///
/// # Errors
/// When the folder is not there or is not a bag at all.
pub fn open(folder: &Path) -> Result<Opened> {
    if !folder.join("bagit.txt").is_file() && !folder.join(PAYLOAD_MANIFEST).is_file() {
        return Err(Diagnostic::error(Code::NotABundle, "there is no evidence bundle here")
            .at(Location::file(folder))
            .hint("name a study folder or a folder below its `evidence/`")
            .into());
    }
    let mut opened = Opened::default();
    let mut there = There::default();
    list(folder, "", &mut there, &mut opened.discrepancies)?;
    let files = read_all(folder, &there.files)?;
    let text = |name: &str| files.get(name).map(|bytes| String::from_utf8_lossy(&bytes.read()).into_owned());
    let payload_recorded =
        parse_manifest(folder, PAYLOAD_MANIFEST, text(PAYLOAD_MANIFEST), &mut opened.discrepancies);
    let tags_recorded = parse_manifest(folder, TAG_MANIFEST, text(TAG_MANIFEST), &mut opened.discrepancies);
    opened.root = files.get(TAG_MANIFEST).map(Bytes::digest);
    if files.get("bagit.txt").is_some_and(|bytes| *bytes.read() != *DECLARATION.as_bytes()) {
        opened.discrepancies.push(found(
            folder,
            "bagit.txt",
            Code::BagDeclaration,
            "not a BagIt 1.0 declaration",
        ));
    }
    let info = text(INFO).unwrap_or_default();
    opened.info = info
        .lines()
        .map(|line| line.split_once(": ").unwrap_or((line, "")))
        .map(|(label, value)| (label.to_owned(), value.to_owned()))
        .collect();
    // As `write` writes it; what says the same in another form was not written so.
    let written: String = opened.info.iter().map(|(label, value)| label_line(label, value)).collect();
    if files.get(INFO).is_some_and(|bytes| *bytes.read() != *written.as_bytes()) {
        opened.discrepancies.push(found(
            folder,
            INFO,
            Code::ManifestForm,
            "not one `Label: value` a line, each line ended by a line feed",
        ));
    }
    let oxum = oxum(folder, &opened.info, &files);
    for required in TAGS {
        if !tags_recorded.contains_key(required) {
            opened.discrepancies.push(found(
                folder,
                TAG_MANIFEST,
                Code::ManifestIncomplete,
                &format!("{required} is not in the tag manifest"),
            ));
        }
    }
    // A name that a manifest holds, though no bundle has a file there.
    let strays = payload_recorded.keys().filter(|path| !path.starts_with("data/"));
    for path in strays.chain(tags_recorded.keys().filter(|path| !TAGS.contains(&path.as_str()))) {
        opened.discrepancies.push(found(
            folder,
            path,
            Code::FileExtra,
            "recorded in a manifest, but no part of a bundle",
        ));
    }
    let recorded: BTreeMap<&String, &Digest> = payload_recorded.iter().chain(&tags_recorded).collect();
    compare(folder, &recorded, &files, &mut opened.discrepancies);
    let parents: BTreeSet<&str> = files.keys().flat_map(|path| parents(path)).collect();
    for path in there.folders.iter().filter(|path| !parents.contains(path.as_str())) {
        opened.discrepancies.push(found(
            folder,
            path,
            Code::FileExtra,
            "an empty folder: there, but not recorded",
        ));
    }
    for (path, bytes) in files {
        if let Some(inner) = path.strip_prefix("data/")
            && let Ok(inner) = inner.parse()
        {
            opened.payload.insert(inner, bytes);
        }
    }
    let payload = folder.join("data");
    let in_payload = |p: &Diagnostic| p.location.as_ref().is_none_or(|l| l.path.starts_with(&payload));
    if !opened.discrepancies.iter().any(in_payload) {
        // Else whatever is lost or added is named already.
        opened.discrepancies.extend(oxum);
    }
    opened.discrepancies.sort();
    opened.discrepancies.dedup();
    Ok(opened)
}

/// The bag says how many octets in how many files its payload has (RFC 8493, 2.2.2).
fn oxum(folder: &Path, info: &[(String, String)], files: &BTreeMap<String, Bytes>) -> Option<Diagnostic> {
    let said: Vec<&str> =
        info.iter().filter(|(label, _)| label == OXUM).map(|(_, value)| value.as_str()).collect();
    let payload = files.iter().filter(|(path, _)| path.starts_with("data/"));
    let (octets, count) =
        payload.fold((0_u64, 0_u64), |(octets, count), (_, bytes)| (octets + bytes.len() as u64, count + 1));
    let there = format!("{octets}.{count}");
    (said != [there.as_str()]).then(|| {
        let message = format!("{OXUM} is `{}`, the payload has {there}", said.join("`, `"));
        found(folder, INFO, Code::PayloadOxum, &message)
    })
}

/// Every file with its digest, on all cores: the largest first, so that no core waits for one that began
/// late. One that is large is whole in memory only while it is hashed.
fn read_all(folder: &Path, files: &BTreeMap<String, u64>) -> Result<BTreeMap<String, Bytes>> {
    let mut by_size: Vec<(&String, &u64)> = files.iter().collect();
    by_size.sort_by_key(|(_, bytes)| std::cmp::Reverse(**bytes));
    let read = |path: &String| -> Result<Bytes> {
        let bytes = storage::read(&folder.join(path))?;
        let digest = Digest::of(&bytes);
        Ok(Bytes::of_digest(bytes, digest))
    };
    let found: BTreeMap<&String, Result<Bytes>> =
        by_size.par_iter().with_max_len(1).map(|(path, _)| (*path, read(path))).collect();
    found.into_iter().map(|(path, found)| Ok((path.clone(), found?))).collect()
}

/// What is recorded against what is there, in both directions.
fn compare(
    folder: &Path,
    recorded: &BTreeMap<&String, &Digest>,
    files: &BTreeMap<String, Bytes>,
    discrepancies: &mut Vec<Diagnostic>,
) {
    let is_signature = |path: &str| {
        let ending = path.strip_prefix(TAG_MANIFEST).and_then(|rest| rest.strip_prefix('.'));
        ending.is_some_and(|ending| SIGNATURES.contains(&ending))
    };
    let extra: BTreeMap<&String, String> = files
        .keys()
        .filter(|path| !recorded.contains_key(path) && *path != TAG_MANIFEST && !is_signature(path))
        .map(|path| (path, names::folded(path)))
        .collect();
    for path in extra.keys() {
        discrepancies.push(found(folder, path, Code::FileExtra, "there, but not recorded"));
    }
    for (path, digest) in recorded {
        match files.get(path.as_str()) {
            None => {
                let problem = found(folder, path, Code::FileLost, "recorded, but not there");
                let folded = names::folded(path);
                let other = extra.iter().find(|(_, other)| **other == folded);
                discrepancies.push(match other {
                    Some((other, _)) => problem.hint(format!(
                        "`{}` is there: a name that differs in capitals, Unicode form or trailing dots \
                         alone, as some file systems and archives change it",
                        other.escape_debug()
                    )),
                    None => problem,
                });
            }
            Some(bytes) if bytes.digest() != **digest => {
                let there = bytes.digest().short();
                let message = format!("changed: recorded {}, found {there}", digest.short());
                discrepancies.push(found(folder, path, Code::FileChanged, &message));
            }
            Some(_) => {}
        }
    }
}

/// The folders above a file.
fn parents(path: &str) -> impl Iterator<Item = &str> {
    path.match_indices('/').map(|(end, _)| &path[..end])
}

/// What lies on disk.
#[derive(Default)]
struct There {
    /// How many bytes each has, by path.
    files: BTreeMap<String, u64>,
    /// Every folder.
    folders: BTreeSet<String>,
    /// Bytes of all files.
    bytes: u64,
}

impl There {
    /// Refuses what no bundle of ours comes near, before it is read: whoever hands it over pays nothing for
    /// it.
    fn within(&mut self, folder: &Path, path: &str, bytes: u64) -> Result<()> {
        let refused = |message: String| {
            let problem = Diagnostic::error(Code::TooLarge, message).at(Location::file(folder.join(path)));
            Err(problem
                .hint("this is no bundle that sequester wrote: `docs/limits.md` has the limits")
                .into())
        };
        if self.files.len() + self.folders.len() >= MOST_FILES {
            return refused(format!("the bundle has more than {MOST_FILES} files and folders"));
        }
        if path.matches('/').count() > DEEPEST {
            return refused(format!("more than {DEEPEST} folders within each other"));
        }
        if !path.contains('/') && bytes > LARGEST_MANIFEST {
            return refused(format!("has {bytes} bytes, a manifest at most {LARGEST_MANIFEST}"));
        }
        storage::fits(&folder.join(path), bytes)?;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.bytes > LARGEST {
            return refused(format!("the bundle has more than {LARGEST} bytes"));
        }
        Ok(())
    }
}

fn found(folder: &Path, path: &str, code: Code, message: &str) -> Diagnostic {
    Diagnostic::error(code, message).at(Location::file(folder.join(path)))
}

fn list(folder: &Path, below: &str, there: &mut There, discrepancies: &mut Vec<Diagnostic>) -> Result<()> {
    let here = folder.join(below);
    let entries = fs::read_dir(&here).map_err(|e| Error::io("list", &here, &e))?;
    for entry in entries {
        let entry = entry.map_err(|e| Error::io("list", &here, &e))?;
        let name = entry.file_name();
        let Some(name) = name.to_str() else {
            // A manifest is UTF-8: it cannot name this, whatever it resembles.
            let shown = if below.is_empty() { String::new() } else { format!("{below}/") };
            let shown = format!("{shown}{}", name.to_string_lossy());
            discrepancies.push(found(
                folder,
                &shown,
                Code::FileExtra,
                "there, but not recorded: its name is not UTF-8",
            ));
            continue;
        };
        let path = if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") };
        let kind = entry.file_type().map_err(|e| Error::io("look at", &entry.path(), &e))?;
        let bytes = if kind.is_file() { entry.metadata().map_or(0, |metadata| metadata.len()) } else { 0 };
        there.within(folder, &path, bytes)?;
        if kind.is_dir() {
            list(folder, &path, there, discrepancies)?;
            there.folders.insert(path);
        } else if kind.is_file() {
            there.files.insert(path, bytes);
        } else {
            discrepancies.push(found(folder, &path, Code::FileKind, "neither a file nor a folder (a link?)"));
        }
    }
    Ok(())
}

fn parse_manifest(
    folder: &Path,
    name: &'static str,
    text: Option<String>,
    discrepancies: &mut Vec<Diagnostic>,
) -> BTreeMap<String, Digest> {
    let mut recorded = BTreeMap::new();
    let Some(text) = text else {
        discrepancies.push(found(folder, name, Code::FileLost, "there is no manifest"));
        return recorded;
    };
    for (index, line) in text.lines().enumerate() {
        let entry = line.split_once("  ").and_then(|(digest, path)| {
            Some((digest.parse().ok()?, path.replace("%25", "%").parse::<RelativePath>().ok()?))
        });
        match entry {
            Some((digest, path)) => {
                recorded.insert(path.to_string(), digest);
            }
            None => discrepancies.push(
                Diagnostic::error(Code::ManifestLine, "not `<sha256>  <path>`")
                    .at(Location::line(folder.join(name), index as u64 + 1)),
            ),
        }
    }
    let canonical: String = recorded.iter().map(|(path, digest)| manifest_line(*digest, path)).collect();
    if canonical != text {
        discrepancies.push(found(
            folder,
            name,
            Code::ManifestForm,
            "not in the canonical form it was written in",
        ));
    }
    recorded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bag() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().expect("folder");
        let target = folder.path().join("run-1");
        let file = |path: &str, text: &str| (path.parse().expect("path"), text.into());
        let payload = Payload::from([file("a.txt", "alpha"), file("reads/a b.csv", "beta")]);
        let root = write(&target, &payload, &[("Source-Organization", "x\ny".to_owned())]).expect("writes");
        let opened = open(&target).expect("opens");
        assert_eq!(opened.discrepancies, []);
        assert_eq!(opened.root, Some(root));
        assert_eq!(opened.payload, payload);
        (folder, target)
    }

    #[test]
    fn every_changed_byte_in_every_file_is_reported() {
        let (_folder, target) = bag();
        for name in
            ["data/a.txt", "data/reads/a b.csv", "bagit.txt", "bag-info.txt", PAYLOAD_MANIFEST, TAG_MANIFEST]
        {
            let path = target.join(name);
            let original = fs::read(&path).expect("reads");
            for position in 0..original.len() {
                let mut changed = original.clone();
                changed[position] ^= 1;
                fs::write(&path, &changed).expect("writes");
                let opened = open(&target).expect("opens");
                assert!(!opened.discrepancies.is_empty(), "{name} byte {position}");
            }
            fs::write(&path, &original).expect("writes");
        }
        assert_eq!(open(&target).expect("opens").discrepancies, []);
    }

    /// What remains says something else in the same form: whether that is true, the bundle's contents say.
    #[test]
    fn a_changed_form_or_oxum_of_the_labels_is_told_as_such() {
        let (_folder, target) = bag();
        let path = target.join(INFO);
        let original = fs::read(&path).expect("reads");
        let info = open(&target).expect("opens").info;
        let is_told = |changed: &[u8], what: &str| {
            fs::write(&path, changed).expect("writes");
            let opened = open(&target).expect("opens");
            let at = Some(Location::file(&path));
            let codes = [Code::ManifestForm, Code::PayloadOxum];
            let told = opened.discrepancies.iter().any(|p| p.location == at && codes.contains(&p.code));
            let octets =
                |info: &[(String, String)]| info.iter().find(|(name, _)| name == "Payload-Oxum").cloned();
            assert!(told || opened.info != info && octets(&opened.info) == octets(&info), "{what}");
        };
        for at in 0..original.len() {
            let mut cut = original.clone();
            cut.remove(at);
            is_told(&cut, &format!("without byte {at}"));
            for put in [b' ', b'\r', b'\n', b'\t', 0xff] {
                let mut longer = original.clone();
                longer.insert(at, put);
                is_told(&longer, &format!("{put} at byte {at}"));
            }
            for bit in 0..8 {
                let mut flipped = original.clone();
                flipped[at] ^= 1 << bit;
                is_told(&flipped, &format!("bit {bit} of byte {at}"));
            }
        }
    }

    #[test]
    fn missing_and_extra_files_are_reported_in_both_directions() {
        let (_folder, target) = bag();
        fs::write(target.join("data/b.txt"), "x").expect("writes");
        fs::remove_file(target.join("data/a.txt")).expect("removes");
        let codes: Vec<_> =
            open(&target).expect("opens").discrepancies.iter().map(|d| d.code.as_str()).collect();
        assert_eq!(codes, ["file-extra", "file-lost"]);
    }

    #[test]
    fn an_existing_target_is_not_touched() {
        let (_folder, target) = bag();
        assert!(write(&target, &Payload::new(), &[]).is_err());
        assert_eq!(open(&target).expect("opens").discrepancies, []);
    }
    #[test]
    fn whatever_no_manifest_names_is_a_discrepancy() {
        let (_folder, target) = bag();
        let extra = |path: &str| {
            let opened = open(&target).expect("opens");
            let places: Vec<_> = opened.discrepancies.iter().map(|d| d.location.clone()).collect();
            let codes: Vec<_> = opened.discrepancies.iter().map(|d| d.code).collect();
            assert!(codes.contains(&Code::FileExtra), "{path}: {codes:?}");
            assert!(places.contains(&Some(Location::file(target.join(path)))), "{path}: {places:?}");
        };
        for path in [
            "tagmanifest-sha256.txt.d/x",
            "tagmanifest-sha256.txt.asc/x",
            "tagmanifest-sha256.txt.",
            "tagmanifest-sha256.txt.exe",
            "tagmanifest-sha256.txt.old",
            "tagmanifest-sha256.txt.asc.d",
            "manifest-md5.txt",
            "fetch.txt",
            "notes/x",
            "data/A.txt",
            ".DS_Store",
        ] {
            storage::write_atomic(&target.join(path), b"x").expect("writes");
            extra(path);
            fs::remove_file(target.join(path)).expect("removes");
            if let Some((folder, _)) = path.split_once('/').filter(|(folder, _)| *folder != "data") {
                // What is left is an empty folder.
                extra(folder);
                fs::remove_dir(target.join(folder)).expect("removes");
            }
        }
        for folder in ["data/empty", "tagmanifest-sha256.txt.asc", "data/reads/x/y"] {
            fs::create_dir_all(target.join(folder)).expect("creates");
            extra(folder);
            fs::remove_dir_all(target.join(folder.strip_suffix("/y").unwrap_or(folder))).expect("removes");
        }
        for signature in ["asc", "sig", "p7s", "tsr", "sigstore.json"] {
            fs::write(target.join(format!("{TAG_MANIFEST}.{signature}")), "x").expect("writes");
        }
        assert_eq!(open(&target).expect("opens").discrepancies, []);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_name_that_is_not_utf8_is_a_discrepancy_also_beside_its_double() {
        use std::os::unix::ffi::OsStrExt as _;
        let folder = tempfile::tempdir().expect("folder");
        let target = folder.path().join("run-1");
        let payload = Payload::from([("a\u{fffd}".parse().expect("path"), b"x".to_vec().into())]);
        write(&target, &payload, &[]).expect("writes");
        fs::write(target.join("data").join(std::ffi::OsStr::from_bytes(b"a\xff")), "x").expect("writes");
        let opened = open(&target).expect("opens");
        assert_eq!(opened.discrepancies.iter().map(|d| d.code).collect::<Vec<_>>(), [Code::FileExtra]);
        assert_eq!(opened.payload, payload);
    }

    /// Manifests with these payload and tag entries, as somebody who forges them would write them.
    fn rewrite(target: &Path, payload: &[&str], tags: &[&str]) {
        let line =
            |path: &&str| manifest_line(Digest::of(&fs::read(target.join(path)).expect("reads")), path);
        fs::write(target.join(PAYLOAD_MANIFEST), payload.iter().map(line).collect::<String>())
            .expect("writes");
        fs::write(target.join(TAG_MANIFEST), tags.iter().map(line).collect::<String>()).expect("writes");
    }

    #[test]
    fn a_manifest_names_what_a_bundle_has_and_nothing_else() {
        let (_folder, target) = bag();
        fs::write(target.join("evil.txt"), "x").expect("writes");
        let (payload, tags) = (["data/a.txt", "data/reads/a b.csv"], TAGS);
        rewrite(&target, &payload, &[&tags[..], &["evil.txt"]].concat());
        assert!(open(&target).expect("opens").discrepancies.iter().any(|d| d.code == Code::FileExtra));
        rewrite(&target, &[&payload[..], &["evil.txt"]].concat(), &tags);
        assert!(open(&target).expect("opens").discrepancies.iter().any(|d| d.code == Code::FileExtra));
        fs::remove_file(target.join("evil.txt")).expect("removes");
        rewrite(&target, &payload, &tags);
        assert_eq!(open(&target).expect("opens").discrepancies, []);
    }

    #[test]
    fn a_bundle_with_a_percent_sign_of_an_earlier_version_still_verifies() {
        let (_folder, target) = bag();
        fs::rename(target.join("data/reads/a b.csv"), target.join("data/reads/100%25%.csv"))
            .expect("renames");
        rewrite(&target, &["data/a.txt", "data/reads/100%25%.csv"], &TAGS);
        let opened = open(&target).expect("opens");
        assert_eq!(opened.discrepancies, []);
        assert!(opened.payload.contains_key(&"reads/100%25%.csv".parse().expect("path")));
    }

    #[test]
    fn a_name_that_another_system_changed_is_lost_with_a_word_where_it_went() {
        let (_folder, target) = bag();
        fs::rename(target.join("data/a.txt"), target.join("data/A.TXT")).expect("renames");
        let opened = open(&target).expect("opens");
        let lost = opened.discrepancies.iter().find(|d| d.code == Code::FileLost).expect("lost");
        assert!(lost.hint.as_ref().is_some_and(|hint| hint.contains("data/A.TXT")), "{lost}");
    }

    #[test]
    fn a_name_without_a_place_in_a_bundle_is_not_written() {
        let folder = tempfile::tempdir().expect("folder");
        for names in [&["a%.csv"][..], &["a", "A"], &["x/a ", "b"], &["a\u{2028}b"]] {
            let payload = names.iter().map(|name| (name.parse().expect("path"), Vec::new().into())).collect();
            assert!(write(&folder.path().join("run-1"), &payload, &[]).is_err(), "{names:?}");
        }
        assert_eq!(fs::read_dir(folder.path()).expect("lists").count(), 0);
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(64))]

        /// Whatever names are admitted, a bag of them holds; and what is refused alone has its reason.
        #[test]
        fn a_bag_of_admitted_names_holds(
            given in proptest::collection::vec("[a-cA-C%.: \
                ~*#é\u{301}e\u{2028}\u{a0}\u{3000}肺ß\\\\/\n\r-]{1,8}", 1..12),
        ) {
            let mut payload = Payload::new();
            for (number, name) in given.iter().enumerate() {
                let Ok(path) = name.parse::<RelativePath>() else { continue };
                let mut with = payload.clone();
                with.insert(path.clone(), vec![number as u8].into());
                let at = |path: &RelativePath| Location::file(path.as_str());
                let named = |path: &RelativePath| Named { path: path.clone(), at: at(path) };
                let found = names::check(&with.keys().map(named).collect::<Vec<_>>());
                // A file cannot be a folder as well.
                let below = |rest: &str| rest.starts_with('/');
                let is_prefix = |a: &str, b: &str| b.strip_prefix(a).is_some_and(below);
                let clash = payload.keys().any(|other| {
                    is_prefix(other.as_str(), path.as_str()) || is_prefix(path.as_str(), other.as_str())
                });
                if !clash && !found.iter().any(|problem| problem.severity == Severity::Error) {
                    payload = with;
                }
            }
            let folder = tempfile::tempdir().expect("folder");
            let target = folder.path().join("run-1");
            let root = write(&target, &payload, &[]).expect("writes");
            let opened = open(&target).expect("opens");
            proptest::prop_assert_eq!(&opened.discrepancies, &[]);
            proptest::prop_assert_eq!(opened.root, Some(root));
            proptest::prop_assert_eq!(opened.payload, payload);
        }
    }
}
