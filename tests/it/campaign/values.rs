//! One value of a file changed: a number, a word, a cell, a member more or less.

use sequester::random::Stream;
use serde_json::Value;

/// Another text of the same kind: another digit where there is one, else another letter.
fn other_text(text: &str, stream: &mut Stream) -> String {
    let places: Vec<usize> =
        text.char_indices().filter(|(_, c)| c.is_ascii_digit()).map(|(at, _)| at).collect();
    if places.is_empty() {
        return format!("{text}x");
    }
    let at = places[stream.below(places.len() as u64) as usize];
    let digit = text.as_bytes()[at] - b'0';
    let other = (u64::from(digit) + 1 + stream.below(9)) % 10;
    format!("{}{other}{}", &text[..at], &text[at + 1..])
}

fn scalars(value: &Value, path: &str, out: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                scalars(member, &format!("{path}/{name}"), out);
            }
        }
        Value::Array(members) => {
            for (number, member) in members.iter().enumerate() {
                scalars(member, &format!("{path}/{number}"), out);
            }
        }
        _ => out.push(path.to_owned()),
    }
}

fn other_scalar(value: &Value, stream: &mut Stream) -> Value {
    match value {
        Value::Bool(flag) => Value::from(!flag),
        Value::Number(number) => match (number.as_u64(), number.as_f64()) {
            (Some(whole), _) => Value::from(whole + 1 + stream.below(3)),
            (None, Some(x)) => Value::from(x * 0.5 + 0.25),
            _ => Value::Null,
        },
        Value::String(text) => Value::from(other_text(text, stream)),
        _ => Value::from(1),
    }
}

/// One scalar of a JSON document with another value; where it stands. None where there is none.
pub fn json(bytes: &[u8], stream: &mut Stream) -> Option<(Vec<u8>, String)> {
    let mut value: Value = serde_json::from_slice(bytes).ok()?;
    let mut places = Vec::new();
    scalars(&value, "", &mut places);
    let place = places.get(stream.below(places.len() as u64) as usize)?.clone();
    let found = value.pointer_mut(&place)?;
    *found = other_scalar(found, stream);
    let mut out = serde_json::to_vec_pretty(&value).ok()?;
    out.push(b'\n');
    Some((out, place))
}

/// One line of JSON lines with another value.
pub fn json_line(bytes: &[u8], stream: &mut Stream) -> Option<(Vec<u8>, String)> {
    let mut lines: Vec<Vec<u8>> = bytes.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
    let full = lines.iter().filter(|line| !line.is_empty()).count();
    let nth = stream.below(full as u64) as usize;
    let mut value: Value = serde_json::from_slice(lines.get(nth)?).ok()?;
    let mut places = Vec::new();
    scalars(&value, "", &mut places);
    let place = places.get(stream.below(places.len() as u64) as usize)?.clone();
    let found = value.pointer_mut(&place)?;
    *found = other_scalar(found, stream);
    lines[nth] = serde_json::to_vec(&value).ok()?;
    Some((lines.join(&b'\n'), place))
}

/// One value of a TOML document; its key.
pub fn toml(bytes: &[u8], stream: &mut Stream) -> Option<(Vec<u8>, String)> {
    let text = String::from_utf8(bytes.to_vec()).ok()?;
    let lines: Vec<&str> = text.lines().collect();
    let with: Vec<usize> = (0..lines.len())
        .filter(|n| lines[*n].contains(" = ") && !lines[*n].trim_start().starts_with('#'))
        .collect();
    let nth = *with.get(stream.below(with.len() as u64) as usize)?;
    let (key, value) = lines[nth].split_once(" = ")?;
    let other = match value.trim() {
        "true" => "false".to_owned(),
        "false" => "true".to_owned(),
        value if value.contains(|c: char| c.is_ascii_digit()) => other_text(value, stream),
        value if value.len() > 2 && value.starts_with('"') => value.replacen('"', "\"x", 1),
        value => format!("{value} # x"),
    };
    let key = key.to_owned();
    let line = format!("{key} = {other}");
    let out: String = lines
        .iter()
        .enumerate()
        .map(|(n, old)| if n == nth { format!("{line}\n") } else { format!("{old}\n") })
        .collect();
    Some((out.into_bytes(), key))
}

/// One cell, or a row more or less, or two rows in each other's place.
pub fn csv(bytes: &[u8], stream: &mut Stream) -> Option<(Vec<u8>, String)> {
    let text = String::from_utf8(bytes.to_vec()).ok()?;
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    let rows = lines.len().checked_sub(1).filter(|n| *n > 0)?;
    let row = 1 + stream.below(rows as u64) as usize;
    let what = match stream.below(10) {
        0 => {
            lines.remove(row);
            "a row less".to_owned()
        }
        1 => {
            let copy = lines[row].clone();
            lines.push(copy);
            "a row twice".to_owned()
        }
        2 => {
            let other = 1 + stream.below(rows as u64) as usize;
            if lines[other] == lines[row] {
                return None;
            }
            lines.swap(row, other);
            "rows in another order".to_owned()
        }
        _ => {
            // Cells with commas in quotes are left as they are.
            if lines[row].contains('"') {
                return None;
            }
            let header: Vec<String> = lines[0].split(',').map(str::to_owned).collect();
            let mut cells: Vec<String> = lines[row].split(',').map(str::to_owned).collect();
            let at = stream.below(cells.len() as u64) as usize;
            cells[at] = match cells[at].as_str() {
                "positive" => "negative".to_owned(),
                "negative" => "positive".to_owned(),
                "F" => "M".to_owned(),
                "M" => "F".to_owned(),
                "0" => "1".to_owned(),
                "1" => "0".to_owned(),
                cell => other_text(cell, stream),
            };
            lines[row] = cells.join(",");
            format!("cell of {}", header.get(at)?)
        }
    };
    Some((lines.iter().map(|line| format!("{line}\n")).collect::<String>().into_bytes(), what))
}

/// One value of a file, by the ending of its name.
pub fn of(path: &str, bytes: &[u8], stream: &mut Stream) -> Option<(Vec<u8>, String)> {
    let (out, what) = match path.rsplit_once('.')?.1 {
        "json" => json(bytes, stream)?,
        "jsonl" => json_line(bytes, stream)?,
        "toml" => toml(bytes, stream)?,
        "csv" => csv(bytes, stream)?,
        _ => return None,
    };
    (out != bytes).then_some((out, what))
}
