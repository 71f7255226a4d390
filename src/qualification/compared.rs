//! Values that were computed here beside their reference values.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// One value and its reference.
#[derive(Clone, Debug, PartialEq)]
pub struct Compared {
    /// The input and the value, as the reference file calls them.
    pub at: String,
    /// Which statistic it is of: what a requirement names.
    pub key: String,
    /// The reference value as it is written; `None` where the reference has none, and there is one here.
    pub expected: Option<String>,
    /// The value computed here; `None` where there is none, and the reference has one.
    pub computed: Option<f64>,
    /// |computed − expected| / max(|expected|, floor); infinite where one of the two is missing.
    pub deviation: f64,
}

/// Our values by the keys of a reference file; none where a statistic is not defined on an input.
pub type Values = BTreeMap<String, Option<f64>>;

/// The text and the number of a reference value; `None` for what is no number (a list, a name).
fn number(value: &Value) -> Option<(String, f64)> {
    match value {
        Value::String(text) => Some((text.clone(), text.parse().ok()?)),
        Value::Number(number) => Some((number.to_string(), number.as_f64()?)),
        _ => None,
    }
}

/// Compares one value. `floor` > 0 is the size below which a deviation is absolute.
pub fn compare(at: String, key: &str, expected: &Value, computed: Option<f64>, floor: f64) -> Compared {
    let found = number(expected);
    let deviation = match (&found, computed) {
        // Infinities are equal to themselves, and their difference is no number.
        (Some((_, expected)), Some(computed)) if *expected == computed => 0.0,
        (Some((_, expected)), Some(computed)) => (computed - expected).abs() / expected.abs().max(floor),
        _ => f64::INFINITY,
    };
    let deviation = if deviation.is_nan() { f64::INFINITY } else { deviation };
    Compared { at, key: key.to_owned(), expected: found.map(|(text, _)| text), computed, deviation }
}

/// Compares everything that a reference has, and everything that there is here and not in the reference.
/// `key_of` gives the statistic of a key.
pub fn beside(
    unit: &str,
    reference: &Map<String, Value>,
    ours: &Values,
    floor: f64,
    key_of: impl Fn(&str) -> String,
) -> Vec<Compared> {
    let at = |key: &str| format!("{unit} {key}");
    let mut out: Vec<Compared> = reference
        .iter()
        .filter(|(_, expected)| number(expected).is_some())
        .map(|(key, expected)| {
            compare(at(key), &key_of(key), expected, ours.get(key).copied().flatten(), floor)
        })
        .collect();
    out.extend(
        ours.iter()
            .filter(|(key, value)| value.is_some() && !reference.contains_key(*key))
            .map(|(key, value)| compare(at(key), &key_of(key), &Value::Null, *value, floor)),
    );
    out
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_missing_on_one_side_is_infinitely_far() {
        let reference = json!({"a": "0.5", "b": 2.0, "c": "inf", "name": ["no number"]});
        let ours = Values::from([
            ("a".to_owned(), Some(0.5 + 5e-13)),
            ("b".to_owned(), None),
            ("c".to_owned(), Some(f64::INFINITY)),
            ("d".to_owned(), Some(1.0)),
            ("e".to_owned(), None),
        ]);
        let all = beside("t", reference.as_object().expect("object"), &ours, 1e-3, str::to_owned);
        let of = |key: &str| all.iter().find(|c| c.key == key).map(|c| c.deviation);
        assert!((of("a").expect("a") - 1e-12).abs() < 1e-15);
        assert_eq!(of("b"), Some(f64::INFINITY));
        assert_eq!(of("c"), Some(0.0));
        assert_eq!(of("d"), Some(f64::INFINITY));
        assert_eq!(all.len(), 4);
        let nan = compare("t".into(), "x", &json!("1"), Some(f64::NAN), 1.0);
        assert_eq!(nan.deviation, f64::INFINITY);
    }
}
