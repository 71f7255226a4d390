//! What differs between two locks, or between two bundles: by meaning, not by bytes.

use std::collections::BTreeMap;
use std::path::Path;

use serde::Serialize;
use serde_json::Value;

use super::exhibit::{Exhibit, What, lock_in};
use crate::diagnostic::{Code, Diagnostic, Location, Result};
use crate::evidence::bag::Opened;
use crate::evidence::bundle;
use crate::model::differences::{self, Differing};

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
            all.extend(differences::of_locks(a, b).into_iter().map(|found| of_part("lock", found)));
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
            inside.iter().map(|(path, bytes)| (path.to_string(), bytes.digest().to_string())).collect()
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
    all.extend(differences::of_values(first, second).into_iter().map(|found| of_part(part, found)));
}

fn maps(
    part: &'static str,
    first: &BTreeMap<String, String>,
    second: &BTreeMap<String, String>,
    all: &mut Vec<Difference>,
) {
    all.extend(differences::of_maps(first, second).into_iter().map(|found| of_part(part, found)));
}

fn of_part(part: &'static str, Differing { key, first, second }: Differing) -> Difference {
    Difference { part, key, first, second }
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
