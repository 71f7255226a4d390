//! A small study at score level, written into a temporary folder, and the program run on it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Number of cases in the small study.
pub const CASES: usize = 120;

/// A study in a temporary folder that goes when the value goes.
pub struct Study {
    folder: tempfile::TempDir,
}

/// What the program did.
pub struct Ran {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        Self {
            code: output.status.code().expect("an exit code, not a signal"),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }
}

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sequester"));
    command.args(arguments).env("SOURCE_DATE_EPOCH", "1767225600");
    if !cfg!(feature = "torch") {
        // An earlier build may have left the program with libtorch beside this one.
        command.env("SEQUESTER_TORCH", "/nowhere/sequester-torch");
    }
    command
}

/// Runs the program with a fixed clock; documents without PDF, since setting their pages is most of what a
/// run costs and shows nothing that [`with_pdf`] does not.
pub fn sequester(arguments: &[&str]) -> Ran {
    let mut arguments = arguments.to_vec();
    let sets_pages = matches!(arguments.first(), Some(&("run" | "report" | "plan")));
    if sets_pages && !arguments.contains(&"--no-pdf") {
        arguments.insert(1, "--no-pdf");
    }
    with_pdf(&arguments)
}

/// Runs the program with a fixed clock.
pub fn with_pdf(arguments: &[&str]) -> Ran {
    program(arguments).output().expect("the program starts").into()
}

/// Runs the program by the clock of this computer.
pub fn by_the_clock(arguments: &[&str]) -> Ran {
    program(arguments).env_remove("SOURCE_DATE_EPOCH").output().expect("the program starts").into()
}

/// The same, with one Ctrl-C as soon as the work has begun. The work has to take so long that it cannot be
/// done by then.
#[cfg(unix)]
#[expect(clippy::disallowed_methods, reason = "another process is waited for")]
pub fn interrupted_once(arguments: &[&str], begun: impl Fn() -> bool) -> Ran {
    use std::process::Stdio;
    use std::time::Duration;

    let mut child =
        program(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
    while !begun() {
        assert!(child.try_wait().expect("waits").is_none(), "the program ended by itself");
        std::thread::sleep(Duration::from_millis(5));
    }
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &pid]).status().expect("kill").success());
    child.wait_with_output().expect("ends").into()
}

const PROTOCOL: &str = r#"format = "sequester-protocol/2"

[study]
id = "small"
title = "A small study"
version = "1.0"
finding = "pneumonia"

[data]
cases = "cases.csv"

[gate]
view = ["PA", "AP"]
age_years = { min = 18, max = 80 }

[[eligibility]]
id = "age"
kind = "age"
min = 18
max = 80
missing = "exclude"
reason = "age outside 18-80 years"

[sample]
cases = 80
positives = 40
seed = 1

[reference_standard]
readers = 3
qualification = "radiologist"
rule = "majority"

[scores]
file = "scores.csv"

[operating_point]
source = "declared"
threshold = 0.5
rationale = "declared before the study"

[analysis]
level = 0.95
resampling_unit = "patient"
replicates = 200
seed = 7
no_consensus = "exclude"
intended_use_prevalence = 0.1
subgroup_minimum = 20

[[endpoint]]
id = "auc"
metric = "auc"
role = "primary"
interval = "delong"
criterion = "lower > 0.70"

[[subgroup]]
by = "sex"
[[subgroup]]
by = "age"
bands = [[18, 49], [50, 80]]
"#;

impl Study {
    /// 120 cases of 60 patients, three readers with a few disagreements, and a decent device.
    pub fn small() -> Self {
        let study = Self { folder: tempfile::tempdir().expect("a folder") };
        study.write("protocol.toml", PROTOCOL);
        study.write("device.toml", "[device]\nname = \"Example device\"\n");
        let mut cases = String::from("case_id,patient_id,sex,age_years,view,label\n");
        let mut scores = String::from("case_id,score\n");
        let mut reads = [0, 1, 2].map(|_| String::from("case_id,reader_id,read\n"));
        for i in 0..CASES {
            let positive = i % 2 == 0;
            let sex = if i % 3 == 0 { "F" } else { "M" };
            let age = if i % 30 == 7 { 12 } else { 20 + (i * 7) % 60 };
            cases.push_str(&format!("C{i:03},P{:03},{sex},{age},PA,{}\n", i / 2, u8::from(positive)));
            let noise = (i * 37 % 100) as f64 / 100.0;
            let score = if positive { 0.35 + 0.6 * noise } else { 0.05 + 0.6 * noise };
            scores.push_str(&format!("C{i:03},{score:.4}\n"));
            for (reader, text) in reads.iter_mut().enumerate() {
                let wrong = (i + 5 * reader) % 17 == 0;
                let read = if positive != wrong { "positive" } else { "negative" };
                text.push_str(&format!("C{i:03},R{},{read}\n", reader + 1));
            }
        }
        study.write("cases.csv", &cases);
        study.write("scores.csv", &scores);
        for (reader, text) in reads.iter().enumerate() {
            study.write(&format!("reads/reader-{}.csv", reader + 1), text);
        }
        study
    }

    /// The folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// A file's path.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path().join(name)
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.file(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("creates");
        std::fs::write(path, text).expect("writes");
    }

    /// A file's text.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.file(name)).expect("reads")
    }

    /// Replaces a text that must occur in a file.
    pub fn replace(&self, name: &str, from: &str, to: &str) {
        let text = self.read(name);
        assert!(text.contains(from), "{name} does not hold {from:?}");
        self.write(name, &text.replacen(from, to, 1));
    }

    /// Runs a command on the study.
    pub fn run(&self, command: &str, more: &[&str]) -> Ran {
        let folder = self.path().to_str().expect("UTF-8").to_owned();
        let mut arguments = vec![command, folder.as_str()];
        arguments.extend(more);
        sequester(&arguments)
    }

    /// Every file below the folder, with its bytes.
    pub fn snapshot(&self) -> std::collections::BTreeMap<PathBuf, Vec<u8>> {
        files(self.path())
    }
}

/// Whether a text stands among bytes. Looked for as fast as `regex` does it, also where the tests themselves
/// are not optimised: programs and weights have hundreds of megabytes.
pub fn holds(bytes: &[u8], text: &str) -> bool {
    regex::bytes::Regex::new(&regex::escape(text)).expect("a text").is_match(bytes)
}

/// Every file below a folder, with its bytes.
pub fn files(folder: &Path) -> std::collections::BTreeMap<PathBuf, Vec<u8>> {
    let mut found = std::collections::BTreeMap::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.insert(path.clone(), std::fs::read(&path).expect("reads"));
        }
    }
    found
}

/// A copy of a bundle of `fixtures/evidence`, by itself in a folder of its own.
pub fn bundle_copy(version: u8, name: &str) -> (tempfile::TempDir, PathBuf) {
    let source =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fixtures/evidence/v{version}")).join(name);
    let folder = tempfile::tempdir().expect("a folder");
    let bag = folder.path().join("run-1");
    for (path, bytes) in files(&source) {
        let to = bag.join(path.strip_prefix(&source).expect("below"));
        std::fs::create_dir_all(to.parent().expect("a folder")).expect("makes");
        std::fs::write(to, bytes).expect("writes");
    }
    (folder, bag)
}

/// The folder of real data, or nothing: then the test says loudly that it was skipped.
pub fn real_data(test: &str) -> Option<PathBuf> {
    let folder = std::env::var_os("SEQUESTER_DATA")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"), PathBuf::from);
    if folder.is_dir() {
        return Some(folder);
    }
    eprintln!("SKIPPED {test}: no real data in {}; set SEQUESTER_DATA", folder.display());
    None
}
