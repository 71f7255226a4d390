//! Two protocols compared by meaning: the typed protocol against the typed protocol, key by key. Comments,
//! white space, the order of keys and a default that is typed out are in neither, so they are no difference.
//!
//! What stands in a list is compared by its id, or as a set where the order says nothing. An order that alone
//! differs is told apart from a change.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Map, Value};

use super::Protocol;

/// One key that does not mean the same.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Change {
    /// Where it stands, as protocols name it: `analysis.level`, `endpoint[auc].criterion`.
    pub key: String,
    /// What was declared, in words; `None`: nothing.
    pub before: Option<String>,
    /// What is declared, in words; `None`: nothing.
    pub after: Option<String>,
}

impl Change {
    /// `analysis.level: 0.95 -> 0.9`, with "not declared" for nothing.
    pub fn in_words(&self) -> String {
        let words = |side: &Option<String>| side.clone().unwrap_or_else(|| NOT_DECLARED.to_owned());
        format!("{}: {} \u{2192} {}", self.key, words(&self.before), words(&self.after))
    }
}

/// Said of a side that declares nothing.
pub const NOT_DECLARED: &str = "not declared";

/// How two protocols differ.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Meaning {
    /// Keys that do not mean the same, sorted.
    pub changes: Vec<Change>,
    /// Lists of which the order alone differs, and whose order says nothing about what is done; sorted.
    pub reordered: Vec<String>,
}

impl Meaning {
    /// Whether both protocols say the same.
    pub fn is_same(&self) -> bool {
        self.changes.is_empty()
    }
}

/// Every key that means something else in `after` than in `before`.
pub fn compare(before: &Protocol, after: &Protocol) -> Meaning {
    let mut found = Meaning::default();
    match (serde_json::to_value(before), serde_json::to_value(after)) {
        (Ok(a), Ok(b)) => {
            let ordered = ranked(&a) || ranked(&b);
            walk("", &top_level(a), &top_level(b), ordered, &mut found);
        }
        // Nothing in a protocol has no JSON; said rather than passed over.
        _ => found.changes.push(Change { key: "protocol".to_owned(), before: None, after: None }),
    }
    found.changes.sort();
    found.reordered.sort();
    found
}

/// Whether the rule for several endpoints goes by their order. Those that do not are named: of a rule that is
/// not known here the order counts.
fn ranked(protocol: &Value) -> bool {
    const UNRANKED: [&str; 6] = ["co-primary", "bonferroni", "holm", "hochberg", "none", "all"];
    let rule = &protocol["analysis"]["multiplicity"];
    let name = rule.as_str().or_else(|| rule["rule"].as_str()).or_else(|| rule["kind"].as_str());
    name.is_none_or(|name| !UNRANKED.contains(&name))
}

/// The names that protocols use for what the typed protocol calls otherwise.
fn top_level(value: Value) -> Value {
    let Value::Object(mut fields) = value else { return value };
    for (typed, declared) in [("endpoints", "endpoint"), ("subgroups", "subgroup")] {
        if let Some(value) = fields.remove(typed) {
            fields.insert(declared.to_owned(), value);
        }
    }
    // Endpoints that compare stand under the same key as those that do not.
    if let Some(Value::Array(comparisons)) = fields.remove("comparisons")
        && let Some(Value::Array(endpoints)) = fields.get_mut("endpoint")
    {
        endpoints.extend(comparisons);
    }
    let target = fields.get_mut("sample").and_then(Value::as_object_mut).and_then(|s| s.remove("target"));
    if let (Some(Value::Object(target)), Some(Value::Object(sample))) = (target, fields.get_mut("sample")) {
        sample.extend(target);
    }
    if let Some(Value::Object(sample)) = fields.get_mut("sample")
        && let Some(one) = sample.remove("one_image_per_patient")
    {
        let word = if one == Value::Bool(true) { "one" } else { "any" };
        sample.insert("images_per_patient".to_owned(), Value::from(word));
    }
    if let Some(Value::Array(criteria)) = fields.get_mut("eligibility") {
        for rule in criteria.iter_mut().filter_map(|criterion| criterion.get_mut("rule")) {
            // Said by `per` where each image is judged by itself.
            if rule["per"] == "image"
                && let Some(rule) = rule.as_object_mut()
            {
                rule.remove("holds");
            }
        }
    }
    let planning = fields.get_mut("planning").and_then(Value::as_object_mut);
    if let Some(expected) = planning.and_then(|planning| planning.remove("expected")) {
        fields.insert("expected".to_owned(), expected);
    }
    let readers = fields.get_mut("reference_standard").and_then(Value::as_object_mut);
    if let Some(reference) = readers
        && let Some(Value::Object(mut declared)) = reference.remove("declared")
    {
        if let Some(file) = declared.remove("file") {
            reference.insert("readers_file".to_owned(), file);
        }
        if let Some(listed) = declared.remove("listed") {
            fields.insert("reader".to_owned(), listed);
        }
    }
    Value::Object(fields)
}

fn walk(path: &str, before: &Value, after: &Value, ordered: bool, found: &mut Meaning) {
    let (before, after) = (simplified(before), simplified(after));
    if before == after {
        return;
    }
    match (&before, &after) {
        (Value::Object(a), Value::Object(b)) => {
            for key in a.keys().chain(b.keys().filter(|key| !a.contains_key(*key))) {
                let null = Value::Null;
                let inner = join(path, key);
                let (a, b) = (a.get(key).unwrap_or(&null), b.get(key).unwrap_or(&null));
                walk(&inner, a, b, ordered, found);
            }
        }
        (Value::Array(a), Value::Array(b)) => lists(path, a, b, ordered, found),
        // A list of things with ids that is there on one side alone is told entry by entry.
        (Value::Array(a), Value::Null) if by_id(a).is_some() => lists(path, a, &[], ordered, found),
        (Value::Null, Value::Array(b)) if by_id(b).is_some() => lists(path, &[], b, ordered, found),
        (Value::Object(a), Value::Null) => walk(path, &Value::Object(a.clone()), &empty(), ordered, found),
        (Value::Null, Value::Object(b)) => walk(path, &empty(), &Value::Object(b.clone()), ordered, found),
        _ => {
            let (before, after) = (words(&before), words(&after));
            // An empty list and nothing say the same.
            if before != after {
                found.changes.push(Change { key: path.to_owned(), before, after });
            }
        }
    }
}

fn empty() -> Value {
    Value::Object(Map::new())
}

fn join(path: &str, key: &str) -> String {
    // The kind of an eligibility rule stands beside its id, not below it.
    if key == "rule" && path.starts_with("eligibility[") {
        return path.to_owned();
    }
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

/// Two lists: by id, or as sets where their order says nothing.
fn lists(path: &str, before: &[Value], after: &[Value], ordered: bool, found: &mut Meaning) {
    let (Some(a), Some(b)) = (by_id(before), by_id(after)) else {
        let sorted = |list: &[Value]| {
            let mut texts: Vec<String> = list.iter().map(ToString::to_string).collect();
            texts.sort();
            texts
        };
        let all = |list: &[Value]| words(&Value::Array(list.to_vec()));
        if sorted(before) != sorted(after) {
            let (before, after) = (all(before), all(after));
            found.changes.push(Change { key: path.to_owned(), before, after });
        } else {
            found.reordered.push(path.to_owned());
        }
        return;
    };
    let null = Value::Null;
    for id in a.keys().chain(b.keys().filter(|id| !a.contains_key(*id))) {
        let (a, b) = (a.get(id).copied().unwrap_or(&null), b.get(id).copied().unwrap_or(&null));
        let inner = format!("{path}[{id}]");
        match (a, b) {
            (Value::Null, there) => {
                found.changes.push(Change { key: inner, before: None, after: words(there) })
            }
            (there, Value::Null) => {
                found.changes.push(Change { key: inner, before: words(there), after: None })
            }
            _ => walk(&inner, a, b, ordered, found),
        }
    }
    let order = |list: &[Value]| list.iter().filter_map(id_of).collect::<Vec<_>>();
    let common = |list: &[Value]| {
        let both = |id: &String| a.contains_key(id) && b.contains_key(id);
        order(list).into_iter().filter(both).collect::<Vec<_>>()
    };
    let (first, second) = (common(before), common(after));
    if first == second {
        return;
    }
    if ordered && path == "endpoint" {
        let key = format!("{path}, in the order");
        found.changes.push(Change { key, before: Some(first.join(", ")), after: Some(second.join(", ")) });
    } else {
        found.reordered.push(path.to_owned());
    }
}

/// What is told apart by an id, by it; `None` for a list of which something has none, or two have the same.
fn by_id(list: &[Value]) -> Option<BTreeMap<String, &Value>> {
    let named: BTreeMap<String, &Value> =
        list.iter().map(|entry| Some((id_of(entry)?, entry))).collect::<Option<_>>()?;
    (named.len() == list.len()).then_some(named)
}

fn id_of(entry: &Value) -> Option<String> {
    let entry = entry.as_object()?;
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    if let (Some(by), field) = (text("by"), text("field")) {
        return Some(field.unwrap_or(by).to_owned());
    }
    ["id", "path", "endpoint", "name"].into_iter().find_map(|key| text(key).map(str::to_owned))
}

/// A value without what was only typed otherwise: a criterion is its bound and its goal, however many zeros
/// the goal was written with.
fn simplified(value: &Value) -> Value {
    let Some(fields) = value.as_object() else { return value.clone() };
    let get = |key: &str| fields.get(key);
    if let (Some(Value::String(bound)), Some(Value::Bool(strict)), Some(goal), Some(_)) =
        (get("bound"), get("strict"), get("goal"), get("text"))
    {
        let sign = match (bound.as_str(), strict) {
            ("upper", true) => "<",
            ("upper", false) => "<=",
            (_, true) => ">",
            (_, false) => ">=",
        };
        return Value::String(format!("{bound} {sign} {goal}"));
    }
    let mut fields = fields.clone();
    // Derived from whether the section is there: its keys say it already.
    fields.retain(|key, value| !(key == "external" && value.is_boolean() && get("case_column").is_some()));
    Value::Object(fields)
}

/// A value in words; nothing for what says nothing.
fn words(value: &Value) -> Option<String> {
    Some(match value {
        Value::Null => return None,
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.clone(),
        Value::Array(list) if list.is_empty() => return None,
        Value::Array(list) if list.iter().all(Value::is_number) && list.len() == 2 => {
            format!("{} to {}", list[0], list[1])
        }
        Value::Array(list) => list.iter().filter_map(words).collect::<Vec<_>>().join(", "),
        Value::Object(_) => {
            let Value::Object(fields) = simplified(value) else { return words(&simplified(value)) };
            let said = fields.iter().filter(|(key, _)| *key != "id");
            let said = said.filter_map(|(key, value)| Some(format!("{key} {}", words(value)?)));
            let said: Vec<String> = said.collect();
            if said.is_empty() { "declared".to_owned() } else { said.join("; ") }
        }
    })
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::protocol::parse;

    const TEXT: &str = include_str!("../../protocols/pneumonia-exp2a.toml");

    fn parsed(text: &str) -> Protocol {
        parse(Path::new("p.toml"), text).expect("valid")
    }

    fn told(now: &str) -> Vec<String> {
        compare(&parsed(TEXT), &parsed(now)).changes.iter().map(Change::in_words).collect()
    }

    #[test]
    fn comments_spaces_zeros_and_the_order_of_blocks_are_no_change_of_meaning() {
        let blocks = |text: &str| -> Vec<String> {
            let mut parts: Vec<String> = Vec::new();
            for line in text.lines() {
                if line.starts_with('[') || parts.is_empty() {
                    parts.push(String::new());
                }
                if let Some(last) = parts.last_mut() {
                    last.push_str(line);
                    last.push('\n');
                }
            }
            parts
        };
        let mut turned = blocks(TEXT);
        let first = turned.remove(0);
        turned.reverse();
        turned.insert(0, first);
        for now in [
            format!("# words\n{TEXT}"),
            TEXT.replace("level = 0.95", "level   =  0.950 # two-sided"),
            TEXT.replace("lower > 0.80", "lower  >  0.8"),
            turned.concat(),
        ] {
            assert_ne!(now, TEXT);
            assert_eq!(told(&now), Vec::<String>::new(), "{now}");
        }
        let turned = compare(&parsed(TEXT), &parsed(&turned.concat()));
        assert!(turned.is_same() && turned.reordered.contains(&"endpoint".to_owned()), "{turned:?}");
    }

    #[test]
    fn every_change_is_told_under_the_key_that_protocols_use() {
        for (from, to, expected) in [
            ("level = 0.95", "level = 0.9", "analysis.level: 0.95 \u{2192} 0.9"),
            ("lower > 0.80", "lower > 0.70", "endpoint[auc].criterion: lower > 0.8 \u{2192} lower > 0.7"),
            ("cases = 1000", "cases = 900", "sample.cases: 1000 \u{2192} 900"),
            (
                "[reads]\n",
                "[reads]\nread_column = \"answer\"\n",
                "reads.read_column: not declared \u{2192} answer",
            ),
        ] {
            assert!(TEXT.contains(from), "{from}");
            assert!(told(&TEXT.replacen(from, to, 1)).contains(&expected.to_owned()), "{to}: {:?}", told(to));
        }
    }

    #[test]
    fn an_order_counts_where_the_rule_for_several_endpoints_goes_by_it() {
        let (a, b) = (parsed(TEXT), parsed(TEXT));
        let mut b = b;
        b.endpoints.reverse();
        assert!(compare(&a, &b).is_same());
        let mut found = Meaning::default();
        let value = |p: &Protocol| top_level(serde_json::to_value(p).expect("JSON"));
        walk("", &value(&a), &value(&b), true, &mut found);
        assert_eq!(found.changes[0].key, "endpoint, in the order");
        assert!(!ranked(&serde_json::json!({"analysis": {"multiplicity": "bonferroni"}})));
        assert!(ranked(&serde_json::json!({"analysis": {"multiplicity": {"rule": "fixed-sequence"}}})));
    }

    #[test]
    fn a_comparison_turned_round_tells_the_same_keys() {
        let now = TEXT.replace("level = 0.95", "level = 0.9").replace("seed = 20240117", "seed = 1");
        let (there, back) = (compare(&parsed(TEXT), &parsed(&now)), compare(&parsed(&now), &parsed(TEXT)));
        assert_eq!(there.changes.len(), 2, "{there:?}");
        for (a, b) in there.changes.iter().zip(&back.changes) {
            assert_eq!((&a.key, &a.before, &a.after), (&b.key, &b.after, &b.before));
        }
    }
}
