//! What is taken from a bundle: its files as values, and numbers as they are written.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::digest::Digest;

/// The files of a verified bundle that an export is made of.
#[derive(Clone, Debug, PartialEq)]
pub struct Bundled {
    /// Digest of the tag manifest.
    pub root: String,
    /// `results.json`.
    pub results: Value,
    /// `device.toml` as a value.
    pub device: Value,
    /// `model/lock.json`; `None` where the device was scored elsewhere.
    pub lock: Option<Value>,
    /// When the bundle was written, RFC 3339.
    pub created: String,
    /// Digests of the bundle's files by path.
    pub digests: BTreeMap<String, Digest>,
}

/// A number as it is written in the results.
pub fn number(value: &Value) -> Option<String> {
    value.is_number().then(|| value.to_string())
}

/// A text that says something.
pub fn said(value: &Value) -> Option<&str> {
    value.as_str().map(str::trim).filter(|text| !text.is_empty())
}

/// Texts of a key that holds one or several.
pub fn several(value: &Value) -> Vec<String> {
    match value {
        Value::Array(all) => all.iter().filter_map(said).map(str::to_owned).collect(),
        one => said(one).map(str::to_owned).into_iter().collect(),
    }
}

/// One estimate of the results.
#[derive(Clone, Copy, Debug)]
pub struct Estimate<'a>(pub &'a Value);

impl<'a> Estimate<'a> {
    /// What it is.
    pub fn id(self) -> &'a str {
        self.0["id"].as_str().unwrap_or_default()
    }

    /// Its value as it is written; none where it is not evaluable.
    pub fn value(self) -> Option<String> {
        number(&self.0["value"])
    }

    /// Its intervals.
    pub fn intervals(self) -> impl Iterator<Item = &'a Value> {
        self.0["intervals"].as_array().into_iter().flatten()
    }

    /// A level of a subgroup: variable and level.
    pub fn level(self) -> Option<(&'a str, &'a str)> {
        let subgroup = self.0["subgroup"].as_str()?;
        Some(subgroup.split_once('=').unwrap_or((subgroup, "")))
    }

    /// What it is of besides a subgroup, in order: a scenario, another model, a prevalence, a threshold.
    pub fn conditions(self) -> Vec<(&'static str, String)> {
        let text = |key: &'static str| Some((key, said(&self.0[key])?.to_owned()));
        let written = |key: &'static str| Some((key, number(&self.0[key])?));
        [text("scenario"), text("model"), written("prevalence"), written("threshold")]
            .into_iter()
            .flatten()
            .collect()
    }
}

impl Bundled {
    /// Every estimate of the device, in their order.
    pub fn estimates(&self) -> impl Iterator<Item = Estimate<'_>> {
        self.results["estimates"].as_array().into_iter().flatten().map(Estimate)
    }

    /// A text of the results.
    pub fn study(&self, key: &str) -> &str {
        self.results["study"][key].as_str().unwrap_or_default()
    }

    /// The digest of a file of the bundle.
    pub fn digest(&self, name: &str) -> Option<String> {
        self.digests.get(name).map(ToString::to_string)
    }
}
