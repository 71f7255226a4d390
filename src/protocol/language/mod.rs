//! The language of `protocol.toml` as data: every key and what may stand there, the JSON schema that
//! follows from it, and what goes wrong, by example.
//!
//! The parser stays where a message can name the place and the way out; that it asks for the same keys and
//! words is tested key by key.

mod described;
mod examples;
mod key;
mod keys;
mod reasons;
mod reference;
mod schema;
mod slips;

pub use described::{Described, Row};
pub use examples::{bad, good};
pub use key::{End, Key, Kind, Need};
pub use keys::root;
pub use reasons::Reasons;
pub use reference::reference;
pub use schema::{SCHEMA_FILE, schema};
pub use slips::{EXAMPLE, Slip, Slips};

/// Every key below `keys` with its path, such as `endpoint.interval`, tables before their keys.
pub fn all_keys(keys: &[Key], table: &str) -> Vec<(String, Key)> {
    let mut found = Vec::new();
    for key in keys {
        let path = if table.is_empty() { key.name.to_owned() } else { format!("{table}.{}", key.name) };
        found.push((path.clone(), key.clone()));
        found.extend(all_keys(key.keys(), &path));
    }
    found
}

#[cfg(test)]
mod tests;
