//! A study in memory as a forger has it: its files, and everything that a forger without a key can repair.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use sequester::digest::Digest;
use sequester::evidence::bag::Payload;
use serde_json::Value;

/// Paths relative to the study, with what lies there.
#[derive(Clone, Debug, Default)]
pub struct Tree {
    /// Files.
    pub files: BTreeMap<String, Vec<u8>>,
    /// Folders without a file.
    pub folders: BTreeSet<String>,
}

impl Tree {
    /// Everything below a folder.
    pub fn read(folder: &Path) -> Self {
        let relative = |path: std::path::PathBuf| {
            path.strip_prefix(folder).expect("below").to_str().expect("UTF-8").to_owned()
        };
        let files = crate::support::files(folder).into_iter().map(|(path, bytes)| (relative(path), bytes));
        Self { files: files.collect(), folders: BTreeSet::new() }
    }

    /// Makes a folder hold this, where it holds `before`.
    pub fn write(&self, folder: &Path, before: &Self) {
        for gone in before.files.keys().filter(|path| !self.files.contains_key(*path)) {
            std::fs::remove_file(folder.join(gone)).expect("removes");
            let mut above = folder.join(gone);
            while above.pop() && above != folder && std::fs::remove_dir(&above).is_ok() {}
        }
        for gone in before.folders.difference(&self.folders) {
            let _ = std::fs::remove_dir_all(folder.join(gone));
        }
        for (path, bytes) in &self.files {
            if before.files.get(path) != Some(bytes) {
                let to = folder.join(path);
                std::fs::create_dir_all(to.parent().expect("a parent")).expect("makes");
                std::fs::write(to, bytes).expect("writes");
            }
        }
        for path in &self.folders {
            std::fs::create_dir_all(folder.join(path)).expect("makes");
        }
    }

    /// The payload of a bundle.
    pub fn payload(&self, bag: &str) -> Payload {
        let prefix = format!("{bag}/data/");
        let inside = self.files.range(prefix.clone()..).take_while(|(path, _)| path.starts_with(&prefix));
        inside
            .map(|(path, bytes)| (path[prefix.len()..].parse().expect("a path"), bytes.clone().into()))
            .collect()
    }

    /// The root digest of a bundle.
    pub fn root(&self, bag: &str) -> Digest {
        Digest::of(&self.files[&format!("{bag}/tagmanifest-sha256.txt")])
    }

    /// A text.
    pub fn text(&self, path: &str) -> String {
        String::from_utf8(self.files[path].clone()).expect("text")
    }

    /// Puts a text.
    pub fn put(&mut self, path: &str, text: impl Into<Vec<u8>>) {
        self.files.insert(path.to_owned(), text.into());
    }

    /// Writes every manifest of a bundle again, as its payload is now.
    pub fn seal(&mut self, bag: &str) {
        let prefix = format!("{bag}/data/");
        let payload: Vec<(String, Digest, usize)> = self
            .files
            .iter()
            .filter(|(path, _)| path.starts_with(&prefix))
            .map(|(path, bytes)| (path[bag.len() + 1..].to_owned(), Digest::of(bytes), bytes.len()))
            .collect();
        let manifest: String =
            payload.iter().map(|(path, digest, _)| format!("{digest}  {path}\n")).collect();
        self.put(&format!("{bag}/manifest-sha256.txt"), manifest);
        let octets: usize = payload.iter().map(|(_, _, length)| length).sum();
        let info = self.text(&format!("{bag}/bag-info.txt"));
        let kept: String =
            info.lines().filter(|l| !l.starts_with("Payload-Oxum")).map(|l| format!("{l}\n")).collect();
        self.put(&format!("{bag}/bag-info.txt"), format!("{kept}Payload-Oxum: {octets}.{}\n", payload.len()));
        self.seal_tags(bag);
    }

    /// Writes the tag manifest alone again.
    pub fn seal_tags(&mut self, bag: &str) {
        let line = |name: &str| {
            let bytes = self.files.get(&format!("{bag}/{name}"));
            bytes.map(|bytes| format!("{}  {name}\n", Digest::of(bytes))).unwrap_or_default()
        };
        let tags: String = ["bag-info.txt", "bagit.txt", "manifest-sha256.txt"].map(line).concat();
        self.put(&format!("{bag}/tagmanifest-sha256.txt"), tags);
    }
}

/// The events of a ledger.
pub fn events(bytes: &[u8]) -> Vec<Value> {
    let lines = bytes.split(|b| *b == b'\n').filter(|line| !line.is_empty());
    lines.map(|line| serde_json::from_slice(line).expect("an event")).collect()
}

/// A ledger whose chain is whole: numbered and hashed again.
pub fn chained(events: &[Value]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut previous = "0".repeat(64);
    for (number, event) in events.iter().enumerate() {
        let mut event = event.clone();
        event["sequence"] = Value::from(number as u64 + 1);
        event["previous"] = Value::from(previous);
        let line = serde_json_canonicalizer::to_string(&event).expect("JSON");
        previous = Digest::of(line.as_bytes()).to_string();
        out.extend(line.as_bytes());
        out.push(b'\n');
    }
    out
}

/// The ledger of a bundle says of each of its files what the file is now.
pub fn follow(tree: &mut Tree, bag: &str) {
    let path = format!("{bag}/data/ledger.jsonl");
    let mut events = events(&tree.files[&path]);
    for event in &mut events {
        let Some(digests) = event["digests"].as_object_mut() else { continue };
        for (name, digest) in digests {
            let file = tree.files.get(&format!("{bag}/data/{name}"));
            if let Some(bytes) = file {
                *digest = Value::from(Digest::of(bytes).to_string());
            }
        }
    }
    tree.put(&path, chained(&events));
}
