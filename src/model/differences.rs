//! Where two values differ, key by key: of locks, results, or anything else that is read as JSON.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::lock::Lock;

/// A value that is not the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Differing {
    /// Which: keys joined by dots; members of a list by their id.
    pub key: String,
    /// What the first says; `None` where it says nothing.
    pub first: Option<String>,
    /// What the second says.
    pub second: Option<String>,
}

/// Every difference of two locks by meaning, sorted by key.
pub fn of_locks(first: &Lock, second: &Lock) -> Vec<Differing> {
    let value = |lock| serde_json::to_value(lock).unwrap_or(Value::Null);
    of_values(&value(first), &value(second))
}

/// Every difference of two values, sorted by key.
pub fn of_values(first: &Value, second: &Value) -> Vec<Differing> {
    let (mut a, mut b) = (BTreeMap::new(), BTreeMap::new());
    flatten(first, String::new(), &mut a);
    flatten(second, String::new(), &mut b);
    of_maps(&a, &b)
}

/// Every key of two maps at which they do not say the same.
pub fn of_maps(first: &BTreeMap<String, String>, second: &BTreeMap<String, String>) -> Vec<Differing> {
    let keys: BTreeSet<&String> = first.keys().chain(second.keys()).collect();
    keys.into_iter()
        .filter_map(|key| {
            let (a, b) = (first.get(key), second.get(key));
            (a != b).then(|| Differing { key: key.clone(), first: a.cloned(), second: b.cloned() })
        })
        .collect()
}

/// What tells members of a list from each other, in this order.
const NAMES: [&str; 8] = ["id", "name", "metric", "subgroup", "level", "scenario", "model", "reader"];

fn flatten(value: &Value, key: String, out: &mut BTreeMap<String, String>) {
    let below = |inner: &str| if key.is_empty() { inner.to_owned() } else { format!("{key}.{inner}") };
    match value {
        Value::Null => {}
        Value::Object(members) => {
            for (name, member) in members {
                flatten(member, below(name), out);
            }
        }
        Value::Array(members) => {
            let names: Vec<Option<String>> = members.iter().map(name_of).collect();
            let distinct: BTreeSet<&Option<String>> = names.iter().collect();
            let by_name = distinct.len() == members.len() && names.iter().all(Option::is_some);
            for (number, (member, name)) in members.iter().zip(&names).enumerate() {
                let name = match name {
                    Some(name) if by_name => name.clone(),
                    _ => (number + 1).to_string(),
                };
                flatten(member, below(&name), out);
            }
        }
        Value::String(text) => {
            out.insert(key, text.clone());
        }
        other => {
            out.insert(key, other.to_string());
        }
    }
}

/// The values by which people tell it from its neighbours.
fn name_of(member: &Value) -> Option<String> {
    let parts: Vec<String> = NAMES
        .iter()
        .filter_map(|name| match member.get(*name)? {
            Value::String(text) => Some(text.clone()),
            Value::Object(inner) => {
                let inner: Vec<&str> = inner.values().filter_map(Value::as_str).collect();
                (!inner.is_empty()).then(|| inner.join("="))
            }
            _ => None,
        })
        .collect();
    (!parts.is_empty()).then(|| format!("[{}]", parts.join(", ")))
}
