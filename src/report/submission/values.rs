//! Values of the device file, the protocol and the lock by a template's path, in words.

use serde_json::Value;

/// What to print for a field that only people can fill.
pub const TO_COMPLETE: &str = "[to be completed by the submitter]";

/// A value below a dotted path; the empty path is the value itself.
pub fn at<'a>(value: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').filter(|part| !part.is_empty()).try_fold(value, |value, part| match value {
        Value::Array(items) => part.parse::<usize>().ok().and_then(|index| items.get(index)),
        _ => value.get(part),
    })
}

/// A value of a lock or a protocol in words; numbers exactly as recorded.
pub fn words(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Array(items) => items.iter().map(words).collect::<Vec<_>>().join(", "),
        Value::Object(map) => {
            map.iter().map(|(key, value)| format!("{key} = {}", words(value))).collect::<Vec<_>>().join("; ")
        }
    }
}
