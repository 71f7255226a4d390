//! BagIt 1.0 (RFC 8493) with SHA-256 manifests in one canonical form: sorted by path, lower-case
//! digests, two spaces, LF. One byte that differs anywhere is a discrepancy.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::diagnostic::{Code, Diagnostic, Error, Location, Result};
use crate::digest::{Digest, RelativePath};
use crate::storage;

/// `bagit.txt`.
const DECLARATION: &str = "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n";
const PAYLOAD_MANIFEST: &str = "manifest-sha256.txt";
const TAG_MANIFEST: &str = "tagmanifest-sha256.txt";

/// A bundle in memory: everything below `data/`, by path relative to it.
pub type Payload = BTreeMap<RelativePath, Vec<u8>>;

/// Writes a bag beside `target` and moves it there when it is complete. Gives the root digest: the
/// SHA-256 of `tagmanifest-sha256.txt`.
///
/// # Errors
/// When the target exists or something cannot be written; nothing is left behind then.
pub fn write(target: &Path, payload: &Payload, info: &[(&str, String)]) -> Result<Digest> {
    let parent = target.parent().unwrap_or(Path::new("."));
    storage::create_folder(parent)?;
    let beside = tempfile::Builder::new()
        .prefix(".sequester-")
        .tempdir_in(parent)
        .map_err(|e| Error::io("create a folder in", parent, &e))?;
    let bag = beside.path().join("bag");
    storage::create_folder(&bag)?;
    for (path, bytes) in payload {
        storage::write_atomic(&path.below(&bag.join("data")), bytes)?;
    }
    let octets: u64 = payload.values().map(|bytes| bytes.len() as u64).sum();
    let mut lines = String::new();
    for (label, value) in info {
        lines.push_str(&format!("{label}: {}\n", value.replace(['\n', '\r'], " ")));
    }
    lines.push_str(&format!("Payload-Oxum: {octets}.{}\n", payload.len()));
    let manifest: String = payload
        .iter()
        .map(|(path, bytes)| manifest_line(Digest::of(bytes), &format!("data/{path}")))
        .collect();
    let tags = BTreeMap::from([
        ("bag-info.txt", lines),
        ("bagit.txt", DECLARATION.to_owned()),
        (PAYLOAD_MANIFEST, manifest),
    ]);
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
    // RFC 8493, 2.1.3: CR, LF and % in a path are percent-encoded; RelativePath allows neither CR nor LF.
    format!("{digest}  {}\n", path.replace('%', "%25"))
}

/// A bag as it lies on disk.
#[derive(Clone, Debug, Default)]
pub struct Opened {
    /// Everything below `data/` that could be read.
    pub payload: Payload,
    /// The digest of the tag manifest as it lies there.
    pub root: Option<Digest>,
    /// Every byte that is not the one that was recorded, sorted.
    pub discrepancies: Vec<Diagnostic>,
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
    let mut files = BTreeMap::new();
    list(folder, "", &mut files, &mut opened.discrepancies)?;
    let text = |name: &str| files.get(name).map(|bytes| String::from_utf8_lossy(bytes).into_owned());
    let payload_recorded =
        parse_manifest(folder, PAYLOAD_MANIFEST, text(PAYLOAD_MANIFEST), &mut opened.discrepancies);
    let tags_recorded = parse_manifest(folder, TAG_MANIFEST, text(TAG_MANIFEST), &mut opened.discrepancies);
    opened.root = files.get(TAG_MANIFEST).map(|bytes| Digest::of(bytes));
    if files.get("bagit.txt").is_some_and(|bytes| bytes != DECLARATION.as_bytes()) {
        opened.discrepancies.push(found(
            folder,
            "bagit.txt",
            Code::BagDeclaration,
            "not a BagIt 1.0 declaration",
        ));
    }
    for required in ["bag-info.txt", "bagit.txt", PAYLOAD_MANIFEST] {
        if !tags_recorded.contains_key(required) {
            opened.discrepancies.push(found(
                folder,
                TAG_MANIFEST,
                Code::ManifestIncomplete,
                &format!("{required} is not in the tag manifest"),
            ));
        }
    }
    for (path, digest) in payload_recorded.iter().chain(&tags_recorded) {
        match files.get(path.as_str()) {
            None => opened.discrepancies.push(found(folder, path, Code::FileLost, "recorded, but not there")),
            Some(bytes) if Digest::of(bytes) != *digest => {
                let message =
                    format!("changed: recorded {}, found {}", digest.short(), Digest::of(bytes).short());
                opened.discrepancies.push(found(folder, path, Code::FileChanged, &message));
            }
            Some(_) => {}
        }
    }
    for (path, bytes) in files {
        let recorded = payload_recorded.contains_key(&path) || tags_recorded.contains_key(&path);
        // Detached signatures lie beside the tag manifest and cannot be in it.
        let signature = path.starts_with("tagmanifest-sha256.txt.");
        if !recorded && !signature && path != TAG_MANIFEST {
            opened.discrepancies.push(found(folder, &path, Code::FileExtra, "there, but not recorded"));
        }
        if let Some(inner) = path.strip_prefix("data/")
            && let Ok(inner) = inner.parse()
        {
            opened.payload.insert(inner, bytes);
        }
    }
    opened.discrepancies.sort();
    opened.discrepancies.dedup();
    Ok(opened)
}

fn found(folder: &Path, path: &str, code: Code, message: &str) -> Diagnostic {
    Diagnostic::error(code, message).at(Location::file(folder.join(path)))
}

fn list(
    folder: &Path,
    below: &str,
    files: &mut BTreeMap<String, Vec<u8>>,
    discrepancies: &mut Vec<Diagnostic>,
) -> Result<()> {
    let here = folder.join(below);
    let entries = fs::read_dir(&here).map_err(|e| Error::io("list", &here, &e))?;
    for entry in entries {
        let entry = entry.map_err(|e| Error::io("list", &here, &e))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if below.is_empty() { name } else { format!("{below}/{name}") };
        let kind = entry.file_type().map_err(|e| Error::io("look at", &entry.path(), &e))?;
        if kind.is_dir() {
            list(folder, &path, files, discrepancies)?;
        } else if kind.is_file() {
            files.insert(path, storage::read(&entry.path())?);
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
        let file = |path: &str, text: &str| (path.parse().expect("path"), text.as_bytes().to_vec());
        let payload = Payload::from([file("a.txt", "alpha"), file("reads/100%.csv", "beta")]);
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
            ["data/a.txt", "data/reads/100%.csv", "bagit.txt", "bag-info.txt", PAYLOAD_MANIFEST, TAG_MANIFEST]
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
}
