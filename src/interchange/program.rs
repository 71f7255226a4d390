//! The bill of materials of the program: every package that is compiled into it, on any platform.

use serde_json::{Value, json};

use super::{head, property, sha256};
use crate::digest::Digest;

/// Packages of Cargo.lock with licences, written by `scripts/packages.py`.
const PACKAGES: &str = include_str!("packages.tsv");
/// The list of exact versions that the program is built from.
const CARGO_LOCK: &[u8] = include_bytes!("../../Cargo.lock");

/// The features that a program was built with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Features {
    /// PDF documents.
    pub pdf: bool,
    /// libtorch.
    pub torch: bool,
}

struct Package<'a> {
    name: &'a str,
    version: &'a str,
    licence: &'a str,
    sha256: &'a str,
    needed: &'a str,
    depends: &'a str,
}

impl Package<'_> {
    /// `name@version`.
    fn reference(&self) -> String {
        format!("{}@{}", self.name, self.version)
    }

    fn component(&self) -> Value {
        let mut component = json!({
            "type": if self.needed == "program" { "application" } else { "library" },
            "bom-ref": self.reference(),
            "name": self.name,
            "version": self.version,
        });
        // A room of the program is in no registry: nobody may look it up there.
        if self.needed == "program" || !self.sha256.is_empty() {
            let version = self.version.replace('+', "%2B");
            component["purl"] = json!(format!("pkg:cargo/{}@{version}", self.name));
        }
        if !self.licence.is_empty() {
            component["licenses"] = json!([{"expression": self.licence}]);
        }
        if !self.sha256.is_empty() {
            component["hashes"] = sha256(self.sha256);
        }
        component
    }
}

fn packages() -> Vec<Package<'static>> {
    PACKAGES
        .lines()
        .skip(1)
        .filter_map(|line| match line.split('\t').collect::<Vec<_>>()[..] {
            [name, version, licence, sha256, needed, depends] => {
                Some(Package { name, version, licence, sha256, needed, depends })
            }
            _ => None,
        })
        .collect()
}

/// The bill of materials of the program built with these features. `sha256_of_program` is the digest of the
/// file that runs, where it is known.
pub fn program_bom(features: Features, sha256_of_program: Option<&str>) -> Value {
    let all = packages();
    let lock = Digest::of(CARGO_LOCK).to_string();
    let part_of = |package: &Package<'_>| match package.needed {
        "program" | "always" => true,
        "pdf" => features.pdf,
        "torch" => features.torch,
        _ => false,
    };
    let built: Vec<&Package<'_>> = all.iter().filter(|package| part_of(package)).collect();
    let references: Vec<String> = built.iter().map(|package| package.reference()).collect();
    let names = [("pdf", features.pdf), ("torch", features.torch)];
    let names: Vec<&str> = names.into_iter().filter(|feature| feature.1).map(|feature| feature.0).collect();
    let mut program = built
        .iter()
        .find(|package| package.needed == "program")
        .map_or(Value::Null, |package| package.component());
    if let Some(digest) = sha256_of_program {
        program["hashes"] = sha256(digest);
    }
    let told = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    program["properties"] = json!([property("cargo-lock-sha256", &lock), property("features", &told)]);
    let serial_of = format!("program {lock} {} {}", names.join(","), sha256_of_program.unwrap_or_default());
    let mut bom = head(&serial_of, &json!({"component": program}));
    bom["components"] = built
        .iter()
        .filter(|package| package.needed != "program")
        .map(|package| package.component())
        .collect();
    bom["dependencies"] = built
        .iter()
        .map(|package| {
            let depends: Vec<&str> =
                package.depends.split(' ').filter(|name| references.iter().any(|own| own == name)).collect();
            json!({"ref": package.reference(), "dependsOn": depends})
        })
        .collect();
    bom
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use super::*;

    /// Every package of `Cargo.lock` with its checksum.
    fn locked() -> BTreeMap<(String, String), String> {
        let text = String::from_utf8_lossy(CARGO_LOCK).into_owned();
        let mut out = BTreeMap::new();
        for entry in text.split("[[package]]").skip(1) {
            let value = |key: &str| {
                let line = entry.lines().find_map(|line| line.strip_prefix(&format!("{key} = \"")));
                line.map(|rest| rest.trim_end_matches('"').to_owned())
            };
            let name = (value("name").expect("name"), value("version").expect("version"));
            out.insert(name, value("checksum").unwrap_or_default());
        }
        out
    }

    #[test]
    fn the_list_of_packages_is_that_of_the_lock_file() {
        let listed: BTreeMap<(String, String), String> = packages()
            .iter()
            .map(|p| ((p.name.to_owned(), p.version.to_owned()), p.sha256.to_owned()))
            .collect();
        assert_eq!(listed, locked(), "run scripts/packages.py");
        for package in packages() {
            assert!(!package.licence.is_empty() && !package.licence.contains('/'), "{}", package.name);
        }
    }

    #[test]
    fn each_feature_brings_its_packages_and_nothing_refers_to_what_is_not_there() {
        let of = |pdf, torch| program_bom(Features { pdf, torch }, None);
        let count = |bom: &Value| bom["components"].as_array().map_or(0, Vec::len);
        let (bare, full) = (of(false, false), of(true, true));
        assert!(count(&bare) > 100 && count(&of(true, false)) > count(&bare) + 100);
        assert!(count(&of(false, true)) > count(&bare));
        for bom in [&bare, &full] {
            let all = bom["components"].as_array().expect("components");
            let nowhere: Vec<_> = all.iter().filter(|c| c["purl"].is_null()).map(|c| &c["name"]).collect();
            assert_eq!(nowhere, ["sequester-diagnostic", "sequester-kernels", "sequester-statistics"]);
            let mut references: BTreeSet<&str> = all.iter().filter_map(|c| c["bom-ref"].as_str()).collect();
            assert_eq!(references.len(), all.len());
            references.insert(bom["metadata"]["component"]["bom-ref"].as_str().expect("the program"));
            for dependency in bom["dependencies"].as_array().expect("dependencies") {
                assert!(references.contains(dependency["ref"].as_str().expect("ref")));
                for on in dependency["dependsOn"].as_array().expect("list") {
                    assert!(references.contains(on.as_str().expect("ref")), "{on}");
                }
            }
            let names = |name: &str| all.iter().any(|c| c["name"] == name);
            assert!(names("serde_json") && !names("proptest"));
        }
        assert_ne!(bare["serialNumber"], full["serialNumber"]);
        assert_eq!(of(true, false).to_string(), of(true, false).to_string());
    }
}
