//! What differs between two locks, or between two bundles: by meaning, not by bytes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::exhibit::{Exhibit, What, lock_in};
use crate::diagnostic::{Code, Diagnostic, Location, Result};
use crate::digest::Digest;
use crate::evidence::bag::Opened;
use crate::evidence::bundle;

/// One value that is not the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// `lock`, `protocol`, `device`, `results`, `ledger`, `environment`, `inputs`, `templates`.
    pub part: &'static str,
    /// Which value: keys joined by dots; members of a list by their id.
    pub key: String,
    /// What the first says; `None` where it says nothing.
    pub first: Option<String>,
    /// What the second says.
    pub second: Option<String>,
}

/// Every difference between two exhibits of one kind, sorted by part and key.
///
/// # Errors
/// `not-comparable` for anything but two locks or two bundles; a bundle whose files cannot be understood.
pub fn differences(first: &Exhibit, second: &Exhibit) -> Result<Vec<Difference>> {
    let mut all = Vec::new();
    match (&first.what, &second.what) {
        (What::Lock { lock: a, .. }, What::Lock { lock: b, .. }) => {
            let value = |lock| serde_json::to_value(lock).unwrap_or(Value::Null);
            compare("lock", &value(a), &value(b), &mut all);
        }
        (What::Bundle(a), What::Bundle(b)) => bundles((first, a), (second, b), &mut all)?,
        _ => {
            let message = format!(
                "{} is a {}, {} a {}",
                first.path.display(),
                first.kind().words(),
                second.path.display(),
                second.kind().words()
            );
            let problem = Diagnostic::error(Code::NotComparable, message);
            return Err(problem.hint("name two locks or models, or two bundles or studies").into());
        }
    }
    Ok(all)
}

type Of<'a> = (&'a Exhibit, &'a Opened);

fn bundles(first: Of<'_>, second: Of<'_>, all: &mut Vec<Difference>) -> Result<()> {
    let toml = |(of, opened): Of<'_>, name: &str| -> Result<Value> {
        let Ok(text) = bundle::text(&opened.payload, name) else { return Ok(Value::Null) };
        toml::from_str(text).map_err(|e| unreadable(of, name, &e.to_string()))
    };
    let json = |(of, opened): Of<'_>, name: &str| -> Result<Value> {
        let Ok(bytes) = bundle::file(&opened.payload, name) else { return Ok(Value::Null) };
        serde_json::from_slice(bytes).map_err(|e| unreadable(of, name, &e.to_string()))
    };
    for (part, name) in [("protocol", bundle::PROTOCOL), ("device", bundle::DEVICE)] {
        compare(part, &toml(first, name)?, &toml(second, name)?, all);
    }
    let lock = |(of, opened): Of<'_>| -> Result<Value> {
        let Some(bytes) = lock_in(opened) else { return Ok(Value::Null) };
        serde_json::from_slice(bytes).map_err(|e| unreadable(of, bundle::MODEL_LOCK, &e.to_string()))
    };
    compare("lock", &lock(first)?, &lock(second)?, all);
    for (part, name) in [("results", bundle::RESULTS), ("environment", bundle::ENVIRONMENT)] {
        compare(part, &json(first, name)?, &json(second, name)?, all);
    }
    let events = |(_, opened): Of<'_>| -> BTreeMap<String, String> {
        let text = bundle::text(&opened.payload, bundle::LEDGER).unwrap_or_default();
        text.lines().enumerate().map(|(n, line)| (format!("{:03}", n + 1), line.to_owned())).collect()
    };
    maps("ledger", &events(first), &events(second), all);
    for (part, folder) in [("inputs", bundle::INPUTS), ("templates", bundle::TEMPLATES)] {
        let files = |(_, opened): Of<'_>| -> BTreeMap<String, String> {
            let inside = bundle::below(&opened.payload, folder);
            inside.iter().map(|(path, bytes)| (path.to_string(), Digest::of(bytes).to_string())).collect()
        };
        maps(part, &files(first), &files(second), all);
    }
    Ok(())
}

fn unreadable(of: &Exhibit, name: &str, why: &str) -> crate::diagnostic::Error {
    let problem = Diagnostic::error(Code::NotComparable, format!("cannot be understood: {why}"));
    problem.at(Location::file(of.path.join("data").join(Path::new(name)))).into()
}

fn compare(part: &'static str, first: &Value, second: &Value, all: &mut Vec<Difference>) {
    let (mut a, mut b) = (BTreeMap::new(), BTreeMap::new());
    flatten(first, String::new(), &mut a);
    flatten(second, String::new(), &mut b);
    maps(part, &a, &b, all);
}

fn maps(
    part: &'static str,
    first: &BTreeMap<String, String>,
    second: &BTreeMap<String, String>,
    all: &mut Vec<Difference>,
) {
    let keys: BTreeSet<&String> = first.keys().chain(second.keys()).collect();
    for key in keys {
        let (a, b) = (first.get(key), second.get(key));
        if a != b {
            all.push(Difference { part, key: key.clone(), first: a.cloned(), second: b.cloned() });
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn found(first: &Value, second: &Value) -> Vec<(String, Option<String>, Option<String>)> {
        let mut all = Vec::new();
        compare("results", first, second, &mut all);
        all.into_iter().map(|d| (d.key, d.first, d.second)).collect()
    }

    #[test]
    fn a_member_is_known_by_its_id_and_not_by_its_place() {
        let first = json!({"estimates": [{"id": "auc", "value": 0.9}, {"id": "f1", "value": 0.8}]});
        let second = json!({"estimates": [{"id": "f1", "value": 0.8}, {"id": "auc", "value": 0.91}]});
        let one = |text: &str| Some(text.to_owned());
        assert_eq!(found(&first, &second), [("estimates.[auc].value".to_owned(), one("0.9"), one("0.91"))]);
        assert_eq!(found(&first, &first), []);
    }

    #[test]
    fn what_one_side_lacks_is_nothing_there() {
        let first = json!({"gate": {"age": {"min": 18}}, "views": ["PA", "AP"]});
        let second = json!({"gate": {}, "views": ["PA"]});
        let one = |text: &str| Some(text.to_owned());
        assert_eq!(
            found(&first, &second),
            [("gate.age.min".to_owned(), one("18"), None), ("views.2".to_owned(), one("AP"), None)]
        );
    }
}
