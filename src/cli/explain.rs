//! `sequester explain`: what a key of a protocol or a code means, what may stand there, and why.

use std::path::Path;

use clap::Args;
use serde_json::{Value, json};

use super::{Context, Outcome};
use crate::declared::distance;
use crate::diagnostic::{Code, Diagnostic, Error, Result};
use crate::protocol;
use crate::protocol::language::{self, Described, Key, Reasons, Slips};

/// The page that says what every code means; the same that is in the manual.
const CODES: &str = include_str!("../../docs/diagnostics.md");

/// Say what a key of protocol.toml or the code of a problem means.
///
/// Of a key (`endpoint.interval`, or `interval` alone): what may stand there, what holds where it is absent,
/// what it does and why, with a line that may stand in a protocol and one that may not. Of a code
/// (`bands-gap`): what it means, the way out and the reason, with lines as they should be and as somebody
/// wrote them. Without a name: the list of both.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// A key, a table or a code.
    #[arg(value_name = "KEY|CODE")]
    name: Option<String>,
    /// Print the JSON schema of protocol.toml, for editors, and nothing else.
    #[arg(long, conflicts_with = "name")]
    schema: bool,
    /// Print the reference of all keys as one page of Markdown, and nothing else.
    #[arg(long, conflicts_with_all = ["name", "schema"])]
    all: bool,
}

/// Runs the command.
///
/// # Errors
/// Usage error for a name that is neither, with the nearest that are.
pub fn run(args: &ExplainArgs, context: Context) -> Result<Outcome> {
    if args.schema {
        println!("{:#}", language::schema());
        return Ok(Outcome::Done);
    }
    if args.all {
        if context.json {
            println!("{:#}", json!({"reference": language::reference()}));
        } else {
            print!("{}", language::reference());
        }
        return Ok(Outcome::Done);
    }
    let keys = language::all_keys(&language::root(), "");
    let documents = match &args.name {
        None => return list(&keys, context),
        Some(name) => named(name, &keys)?,
    };
    if context.json {
        println!("{:#}", json!({"explained": documents}));
    } else {
        let told: Vec<String> = documents.iter().map(told).collect();
        println!("{}", told.join("\n\n"));
    }
    Ok(Outcome::Done)
}

fn list(keys: &[(String, Key)], context: Context) -> Result<Outcome> {
    let paths: Vec<&str> = keys.iter().map(|(path, _)| path.as_str()).collect();
    let codes: Vec<&str> = Code::ALL.iter().map(|code| code.as_str()).collect();
    if context.json {
        println!("{:#}", json!({"keys": paths, "codes": codes}));
    } else {
        println!("Keys of protocol.toml:");
        for path in paths {
            println!("  {path}");
        }
        println!("\nCodes of problems:");
        for code in codes {
            println!("  {code}");
        }
    }
    Ok(Outcome::Done)
}

/// `[[endpoint]]`, `endpoint[2].interval` and `endpoint.interval` are one way to say it each.
fn plain(name: &str) -> String {
    let bare = name.trim().trim_start_matches('[').trim_end_matches(']');
    let mut plain = String::new();
    let mut inside = false;
    for c in bare.chars() {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            c if !inside => plain.push(c),
            _ => {}
        }
    }
    plain
}

/// Whatever has that name: keys by their path or by its end, else a code.
fn named(name: &str, keys: &[(String, Key)]) -> Result<Vec<Value>> {
    let wanted = plain(name);
    let described = Described::all();
    let reasons = Reasons::all();
    let exact: Vec<&(String, Key)> = keys.iter().filter(|(path, _)| *path == wanted).collect();
    let found = if exact.is_empty() {
        keys.iter().filter(|(path, _)| path.rsplit('.').next() == Some(wanted.as_str())).collect()
    } else {
        exact
    };
    // A key and a code can have one name.
    let keys_of_name = found.into_iter().map(|(path, key)| of_key(path, key, &described, &reasons));
    let code_of_name = Code::from_text(&wanted).map(|code| of_code(code, &reasons));
    let all: Vec<Value> = keys_of_name.chain(code_of_name).collect();
    if !all.is_empty() {
        return Ok(all);
    }
    let short = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
    let mut near: Vec<(usize, String)> = keys
        .iter()
        .map(|(path, _)| (distance(&wanted, path).min(distance(&wanted, &short(path))), path.clone()))
        .chain(Code::ALL.iter().map(|code| (distance(&wanted, code.as_str()), code.to_string())))
        .collect();
    near.sort();
    near.dedup();
    let some: Vec<String> = near.into_iter().take(3).map(|(_, name)| format!("`{name}`")).collect();
    Err(Error::usage(
        Diagnostic::error(Code::NameUnknown, format!("`{wanted}` is no key of protocol.toml and no code"))
            .hint(format!("the nearest are {}; `sequester explain` lists all", some.join(", "))),
    ))
}

fn of_key(path: &str, key: &Key, described: &Described, reasons: &Reasons) -> Value {
    let row = described.of(path).cloned().unwrap_or_default();
    let typed = |value: &str| format!("{} = {value}", key.name);
    json!({
        "key": path,
        "values": key.kind.in_words(),
        "need": key.needed(),
        "default": row.default,
        "meaning": row.meaning,
        "also_checked": key.ours,
        "reason": reasons.key.get(path),
        "good": typed(&language::good(key, path, described)),
        "bad": typed(&language::bad(&key.kind)),
    })
}

/// The cells of a code's row in the page of codes.
fn row_of(code: Code) -> Vec<String> {
    let start = format!("| `{code}` |");
    let line = CODES.lines().find(|line| line.starts_with(&start)).unwrap_or_default();
    line.trim().trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect()
}

fn of_code(code: Code, reasons: &Reasons) -> Value {
    let row = row_of(code);
    let cell = |place: usize| row.get(place).cloned().unwrap_or_default();
    let slips = Slips::all();
    let examples: Vec<Value> = slips
        .protocol
        .iter()
        .filter(|slip| slip.code == code)
        .map(|slip| (slip, "protocol.toml"))
        .chain(slips.device.iter().filter(|slip| slip.code == code).map(|slip| (slip, "device.toml")))
        .map(|(slip, file)| {
            let (good, bad) = (slip.good.trim_end(), slip.bad.trim_end());
            json!({"file": file, "good": good, "bad": bad, "says": says(slip, file)})
        })
        .collect();
    json!({
        "code": code,
        "meaning": cell(1),
        "way_out": cell(2),
        "exit": cell(3),
        "reason": reasons.code.get(code.as_str()),
        "examples": examples,
    })
}

/// What the program says of a slip.
fn says(slip: &language::Slip, file: &str) -> String {
    let path = Path::new(file);
    let found = if file == "protocol.toml" {
        let text = slip.protocol();
        match protocol::parse(path, &text) {
            Ok(valid) => protocol::lint(path, &text, &valid),
            Err(problems) => problems,
        }
    } else {
        match protocol::parse(Path::new("protocol.toml"), language::EXAMPLE) {
            Ok(valid) => {
                let mut found = protocol::disagreements_of_device(path, &slip.bad, &valid);
                found.extend(protocol::typed_results(path, &slip.bad));
                found
            }
            Err(problems) => problems,
        }
    };
    found.iter().find(|d| d.code == slip.code).map_or_else(String::new, |d| d.message.clone())
}

/// The same for people.
fn told(document: &Value) -> String {
    let text = |key: &str| document[key].as_str().unwrap_or_default();
    let mut lines: Vec<String> = Vec::new();
    if !text("key").is_empty() {
        lines.push(text("key").to_owned());
        // The page marks with it what is needed unless something else is declared.
        let required = text("default") == "**required**";
        let unless = required && text("need") == "may be absent";
        let needed = if unless { "required, but for what `checked` says" } else { text("need") };
        for (name, value) in [
            ("values", text("values")),
            ("needed", needed),
            ("default", if required { "" } else { text("default") }),
            ("does", text("meaning")),
            ("checked", text("also_checked")),
            ("why", text("reason")),
            ("good", text("good")),
            ("bad", text("bad")),
        ] {
            if !value.is_empty() {
                lines.push(format!("  {name:<9}{value}"));
            }
        }
        return lines.join("\n");
    }
    lines.push(text("code").to_owned());
    let exit = if text("exit") == "–" { "a warning, which stops nothing" } else { text("exit") };
    for (name, value) in
        [("means", text("meaning")), ("way out", text("way_out")), ("exit", exit), ("why", text("reason"))]
    {
        if !value.is_empty() {
            lines.push(format!("  {name:<9}{value}"));
        }
    }
    for example in document["examples"].as_array().into_iter().flatten() {
        let part = |key: &str| example[key].as_str().unwrap_or_default().to_owned();
        let indented =
            |text: &str| text.lines().map(|line| format!("      {line}")).collect::<Vec<_>>().join("\n");
        lines.push(format!("\n  {}, as it should be:\n{}", part("file"), indented(&part("good"))));
        let bad = if part("bad").is_empty() { "(left out)".to_owned() } else { part("bad") };
        lines.push(format!("  as somebody wrote it:\n{}", indented(&bad)));
        lines.push(format!("  said of it: {}", part("says")));
    }
    lines.join("\n")
}
