//! The JSON schema of `protocol.toml`, for editors and for `taplo lint`: draft 7, which they read. What a
//! schema cannot say is in the descriptions, marked as seen by `sequester check` alone.

use serde_json::{Map, Value, json};

use super::described::Described;
use super::key::{Key, Kind, Need};
use super::keys;
use crate::protocol::COMPARABLE;
use crate::statistics::metric::Metric;

/// Where the schema of this version lies, for the line `#:schema` of a protocol.
pub const SCHEMA_FILE: &str = "protocol.schema.json";

/// A relative path as `digest::RelativePath` takes it: no empty component, none of `.` and `..`, no
/// backslash, colon or control character.
const PATH: &str = concat!(
    r"^([^./\\:\x00-\x1f\x7f-\x9f]",
    r"[^/\\:\x00-\x1f\x7f-\x9f]*",
    r"|\.[^./\\:\x00-\x1f\x7f-\x9f][^/\\:\x00-\x1f\x7f-\x9f]*",
    r"|\.\.[^/\\:\x00-\x1f\x7f-\x9f]+)",
    r"(/([^./\\:\x00-\x1f\x7f-\x9f]",
    r"[^/\\:\x00-\x1f\x7f-\x9f]*",
    r"|\.[^./\\:\x00-\x1f\x7f-\x9f][^/\\:\x00-\x1f\x7f-\x9f]*",
    r"|\.\.[^/\\:\x00-\x1f\x7f-\x9f]+))*$"
);

/// The schema, with the meaning of every key.
pub fn schema() -> Value {
    let described = Described::all();
    let mut root = table(&keys::root(), "", &described);
    let endpoint = &mut root["properties"]["endpoint"];
    endpoint["minItems"] = json!(1);
    endpoint["contains"] = json!({"properties": {"role": {"const": "primary"}}, "required": ["role"]});
    if let Some(rules) = endpoint["items"]["allOf"].as_array_mut() {
        rules.extend(of_endpoints());
    }
    let year = json!({"type": "integer", "minimum": 0, "maximum": 150});
    let of_age = json!({
        "if": {"properties": {"by": {"const": "age"}}, "required": ["by"]},
        "then": {"required": ["bands"], "properties": {"bands": {"items": {"items": year}}}},
    });
    if let Some(rules) = root["properties"]["subgroup"]["items"]["allOf"].as_array_mut() {
        rules.push(of_age);
    }
    let mut whole = Map::new();
    whole.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
    whole.insert("title".to_owned(), json!("protocol.toml of Sequester"));
    if let Value::Object(root) = root {
        whole.extend(root);
    }
    Value::Object(whole)
}

/// A table: its keys, which have to be there, and which may be there with which others.
fn table(keys: &[Key], name: &str, described: &Described) -> Value {
    let mut properties = Map::new();
    let mut required = Vec::new();
    let mut beside = Map::new();
    let mut rules = Vec::new();
    for key in keys {
        let path = if name.is_empty() { key.name.to_owned() } else { format!("{name}.{}", key.name) };
        properties.insert(key.name.to_owned(), property(key, &path, described));
        if !key.beside.is_empty() {
            beside.insert(key.name.to_owned(), json!(key.beside));
        }
        match &key.need {
            Need::Required => required.push(key.name),
            Need::Optional => {}
            Need::RequiredWhen(other, words) => {
                rules.push(json!({"if": holds(keys, other, words), "then": {"required": [key.name]}}));
            }
            Need::OnlyWhen(other, words, always) => {
                let mut rule = json!({
                    "if": holds(keys, other, words),
                    "else": {"properties": {key.name: false}},
                });
                if *always {
                    rule["then"] = json!({"required": [key.name]});
                }
                rules.push(rule);
            }
        }
    }
    let mut value = json!({"type": "object", "properties": properties, "additionalProperties": false});
    if !required.is_empty() {
        value["required"] = json!(required);
    }
    if !beside.is_empty() {
        value["dependencies"] = Value::Object(beside);
    }
    if !rules.is_empty() {
        value["allOf"] = Value::Array(rules);
    }
    if name == "data.development_columns" {
        // A table of development cases that has our own columns is declared as an empty one.
        value = json!({"anyOf": [{"type": "object", "maxProperties": 0}, value]});
    }
    value
}

/// Another key has one of these words, by its default where it is absent.
fn holds(keys: &[Key], other: &str, words: &[&str]) -> Value {
    let default = keys.iter().find(|key| key.name == other).and_then(|key| match &key.kind {
        Kind::Choice { default, .. } => *default,
        _ => None,
    });
    let mut condition = json!({"properties": {other: {"enum": words}}});
    if !default.is_some_and(|default| words.contains(&default)) {
        condition["required"] = json!([other]);
    }
    condition
}

fn property(key: &Key, path: &str, described: &Described) -> Value {
    let mut value = kind(&key.kind, path, described);
    let mut about = described.of(path).map(|row| row.meaning.clone()).unwrap_or_default();
    if !key.ours.is_empty() {
        let before = if about.is_empty() { "" } else { " " };
        about += &format!("{before}(Seen by `sequester check` alone: {}.)", key.ours);
    }
    if !about.is_empty() {
        value["description"] = json!(about);
    }
    if let Kind::Choice { default: Some(default), .. } = &key.kind {
        value["default"] = json!(default);
    }
    value
}

fn kind(kind: &Kind, path: &str, described: &Described) -> Value {
    let one = |of: &Kind| self::kind(of, path, described);
    match kind {
        Kind::Text => json!({"type": "string"}),
        Kind::Words => json!({"type": "string", "pattern": r"\S"}),
        Kind::Form(pattern) => json!({"type": "string", "pattern": pattern}),
        Kind::Path => json!({"type": "string", "pattern": PATH}),
        Kind::Choice { words, .. } => json!({"type": "string", "enum": words}),
        Kind::List { of, least } => {
            let mut list = json!({"type": "array", "items": one(of)});
            if *least > 0 {
                list["minItems"] = json!(least);
            }
            json!({"anyOf": [one(of), list]})
        }
        Kind::Flag => json!({"type": "boolean"}),
        Kind::Whole { least, most } => {
            let mut whole = json!({"type": "integer", "minimum": least});
            if let Some(most) = most {
                whole["maximum"] = json!(most);
            }
            whole
        }
        Kind::Number { from, to } => {
            let mut number = json!({"type": "number"});
            for (end, included, excluded) in
                [(from, "minimum", "exclusiveMinimum"), (to, "maximum", "exclusiveMaximum")]
            {
                if let Some(end) = end {
                    number[if end.included { included } else { excluded }] = json!(end.at);
                }
            }
            number
        }
        Kind::Pairs => {
            let pair = |end: Value| json!({"type": "array", "items": end, "minItems": 2, "maxItems": 2});
            let (number, day) = (pair(json!({"type": "number"})), pair(json!({"type": "string"})));
            let list = |pair: Value| json!({"type": "array", "items": pair, "minItems": 1});
            json!({"anyOf": [list(number), list(day)]})
        }
        Kind::Numbers => json!({"type": "array", "items": {"type": "number"}}),
        Kind::Share => share(),
        Kind::Shares => json!({"type": "object", "additionalProperties": share()}),
        Kind::Table(keys) => table(keys, path, described),
        Kind::Tables(keys) => json!({"type": "array", "items": table(keys, path, described)}),
    }
}

/// A number, or a fraction of two.
fn share() -> Value {
    let fraction = r"^\s*[+-]?[0-9]+(\.[0-9]*)?\s*(/\s*[0-9]+(\.[0-9]*)?\s*)?$";
    json!({"anyOf": [{"type": "number"}, {"type": "string", "pattern": fraction}]})
}

/// What stands in an endpoint that is judged by a goal, and in one that is compared.
fn of_endpoints() -> Vec<Value> {
    let compared = json!({"required": ["against"]});
    let mut rules = vec![
        json!({
            "if": compared,
            "then": {"properties": {"criterion": false}},
            "else": {"required": ["interval"]},
        }),
        json!({
            "if": {
                "properties": {"role": {"enum": ["primary", "key-secondary"]}},
                "required": ["role"],
                "not": compared,
            },
            "then": {"required": ["criterion"]},
        }),
    ];
    rules.extend(Metric::ENDPOINTS.iter().map(|metric| {
        let methods: Vec<&str> = metric.methods().map(|method| method.id()).collect();
        json!({
            "if": {
                "properties": {"metric": {"const": metric.id()}},
                "required": ["metric"],
                "not": compared,
            },
            "then": {"properties": {"interval": {"enum": methods}}},
        })
    }));
    let goals: Vec<&str> = Metric::ENDPOINTS.iter().map(|metric| metric.id()).collect();
    let comparable: Vec<&str> = COMPARABLE.iter().map(|metric| metric.id()).collect();
    rules.push(json!({
        "if": compared,
        "then": {"properties": {"metric": {"enum": comparable}}},
        "else": {"properties": {"metric": {"enum": goals}}},
    }));
    rules
}
