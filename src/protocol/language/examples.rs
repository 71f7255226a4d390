//! A line as it may stand in a protocol, and one that may not, for every key.

use regex::Regex;

use super::described::Described;
use super::key::{Key, Kind};

/// A value that a key takes, as typed: from the page where it has one.
pub fn good(key: &Key, path: &str, described: &Described) -> String {
    let row = described.of(path).filter(|row| !row.example.is_empty());
    let typed = row.and_then(|row| row.example.split_once('=')).filter(|(name, _)| name.trim() == key.name);
    typed.map_or_else(|| value(&key.kind), |(_, value)| value.trim().to_owned())
}

fn value(kind: &Kind) -> String {
    match kind {
        Kind::Text | Kind::Words => "\"as it is called there\"".to_owned(),
        Kind::Form(pattern) => {
            let fits = |text: &&str| Regex::new(pattern).is_ok_and(|regex| regex.is_match(text));
            let found = ["example-1", "image-*.png", "lower > 0.80"].into_iter().find(fits);
            format!("\"{}\"", found.unwrap_or_default())
        }
        Kind::Path => "\"folder/table.csv\"".to_owned(),
        Kind::Choice { words, .. } => format!("\"{}\"", words.first().copied().unwrap_or_default()),
        Kind::List { of, least } => {
            let items = vec![value(of); usize::try_from(*least).unwrap_or(1).max(1)];
            format!("[{}]", items.join(", "))
        }
        Kind::Flag => "true".to_owned(),
        Kind::Whole { least, .. } => (*least).max(1).to_string(),
        Kind::Number { from, to } => {
            let (from, to) = (from.map_or(0.0, |end| end.at), to.map_or(1.0, |end| end.at));
            format!("{}", f64::midpoint(from, to))
        }
        Kind::Pairs => "[[18, 44], [45, 80]]".to_owned(),
        Kind::Numbers => "[0.1, 0.2]".to_owned(),
        Kind::Share => "\"1/2\"".to_owned(),
        Kind::Shares => "{ sensitivity = \"1/2\" }".to_owned(),
        Kind::Table(keys) | Kind::Tables(keys) => {
            let required = keys.iter().filter(|key| key.need == super::Need::Required);
            let inner: Vec<String> =
                required.map(|key| format!("{} = {}", key.name, value(&key.kind))).collect();
            let table = format!("{{ {} }}", inner.join(", "));
            if matches!(kind, Kind::Table(_)) { table } else { format!("[{table}]") }
        }
    }
}

/// A value that a key does not take.
pub fn bad(kind: &Kind) -> String {
    match kind {
        Kind::Text => "1".to_owned(),
        Kind::Words => "\" \"".to_owned(),
        Kind::Form(pattern) => {
            let other = |text: &&str| Regex::new(pattern).is_ok_and(|regex| !regex.is_match(text));
            let found = ["auc > 0.80", "a*b*c"].into_iter().find(other);
            format!("\"{}\"", found.unwrap_or_default())
        }
        Kind::Path => "\"../elsewhere.csv\"".to_owned(),
        Kind::Choice { .. } => "\"maybe\"".to_owned(),
        Kind::List { of, .. } => match &**of {
            Kind::Text => "[1]".to_owned(),
            of => format!("[{}]", bad(of)),
        },
        Kind::Flag => "\"yes\"".to_owned(),
        Kind::Whole { most: Some(most), .. } => (most + 1).to_string(),
        Kind::Whole { .. } => "-1".to_owned(),
        Kind::Number { to: Some(to), .. } => format!("{}", to.at * 100.0),
        Kind::Number { from: Some(from), .. } => format!("{}", from.at - 1.0),
        Kind::Number { .. } => "\"high\"".to_owned(),
        Kind::Pairs => "[18, 44, 80]".to_owned(),
        Kind::Numbers => "[\"high\"]".to_owned(),
        Kind::Share | Kind::Shares => "\"half\"".to_owned(),
        Kind::Table(_) | Kind::Tables(_) => "\"see the plan\"".to_owned(),
    }
}
