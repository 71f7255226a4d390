//! Whose key is whose, what each may say, and which statements are required: `trust.toml`.

use std::collections::BTreeSet;
use std::path::Path;

use super::envelope::Signed;
use super::key::PublicKey;
use super::statement::{Kind, Meaning, is_name};
use crate::declared::{Document, Section};
use crate::diagnostic::{Code, Diagnostic};

/// Version of the file.
pub const FORMAT: &str = "sequester-trust/1";

/// Somebody whose signatures count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedSigner {
    /// Printed name, as statements have it.
    pub name: String,
    /// The roles in which the person signs.
    pub roles: Vec<String>,
    /// What the person's signatures may mean.
    pub meanings: Vec<Meaning>,
    /// The person's keys.
    pub keys: Vec<PublicKey>,
    /// First day on which the keys count, `2026-01-31`; none: from ever.
    pub from: Option<String>,
    /// Last day, the whole of it; none: for ever.
    pub until: Option<String>,
}

/// A statement that somebody has to make, or may.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// What kind.
    pub kind: Kind,
    /// By whom; none: by any trusted signer.
    pub by: Option<String>,
    /// In which role.
    pub role: Option<String>,
    /// Meaning what.
    pub meaning: Option<Meaning>,
    /// By how many different persons.
    pub count: usize,
}

/// `trust.toml`, valid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// Everybody, each name once.
    pub signers: Vec<TrustedSigner>,
    /// What has to be there.
    pub required: Vec<Demand>,
    /// What is asked for and may be absent.
    pub optional: Vec<Demand>,
}

/// Reads a file that `trust.toml` names, relative to it.
pub type ReadFile<'a> = &'a dyn Fn(&str) -> Result<Vec<u8>, Diagnostic>;

impl Trust {
    /// Reads `trust.toml`; `read` gives the key files that it names.
    ///
    /// # Errors
    /// Every problem with its place.
    pub fn parse(path: &Path, text: &str, read: ReadFile<'_>) -> Result<Self, Vec<Diagnostic>> {
        let document = Document::new(path, text);
        let mut trust = Self::default();
        if let Some(table) = document.parse() {
            let root = Section::root(&document, &table);
            root.format(FORMAT);
            for section in root.sections("signer") {
                let signer = signer(&section, read);
                let taken = trust.signers.iter().any(|other| other.name == signer.name);
                let shared = trust.signers.iter().flat_map(|o| &o.keys).any(|key| signer.keys.contains(key));
                if taken {
                    let message = format!("`{}` is named twice", signer.name);
                    section.wrong("name", Code::DuplicateId, message);
                }
                if shared {
                    section.wrong("keys", Code::DuplicateId, "another signer has one of these keys");
                }
                trust.signers.push(signer);
                section.finish();
            }
            if trust.signers.is_empty() {
                root.report(
                    Diagnostic::error(Code::KeyMissing, "nobody is trusted: no `[[signer]]`")
                        .at(root.here())
                        .hint("a table with `name`, `roles` and `keys` for each person"),
                );
            }
            for (key, list) in [("required", &mut trust.required), ("optional", &mut trust.optional)] {
                for section in root.sections(key) {
                    let demand = demand(&section, &trust.signers);
                    section.finish();
                    list.extend(demand);
                }
            }
            root.finish();
        }
        let problems = document.into_problems();
        if problems.is_empty() { Ok(trust) } else { Err(problems) }
    }

    /// Who made a signed statement, and whether the person may: known key, own name, a role and a meaning of
    /// the person's, and a time at which the key counts. `at` is the time to judge by, RFC 3339 in UTC: the
    /// one in the statement, or an earlier one that a time stamp shows.
    ///
    /// # Errors
    /// `signer-unknown`, `signer-not-entitled`, `key-expired`.
    pub fn judge(&self, signed: &Signed, at: &str) -> Result<&TrustedSigner, Diagnostic> {
        let signer = &signed.statement.signer;
        let Some(person) = self.signers.iter().find(|person| person.keys.contains(&signed.key)) else {
            let message = format!(
                "the key {}... of \"{}\" is nobody's that is trusted",
                signed.key.id().short(),
                signer.name
            );
            return Err(Diagnostic::error(Code::SignerUnknown, message)
                .hint("a key that should count belongs into trust.toml, got from its owner"));
        };
        let not_entitled = |what: String| Err(Diagnostic::error(Code::SignerNotEntitled, what));
        if person.name != signer.name {
            return not_entitled(format!(
                "signed as \"{}\" with the key of \"{}\"",
                signer.name, person.name
            ));
        }
        if !person.roles.contains(&signer.role) {
            let roles = person.roles.join(", ");
            return not_entitled(format!(
                "{} signed as \"{}\" and may as: {roles}",
                person.name, signer.role
            ));
        }
        if !person.meanings.contains(&signer.meaning) {
            let may: Vec<&str> = person.meanings.iter().map(|meaning| meaning.name()).collect();
            let (meaning, may) = (signer.meaning.name(), may.join(", "));
            return not_entitled(format!("{} signed meaning {meaning} and may: {may}", person.name));
        }
        let day = at.get(..10).unwrap_or_default();
        let early = person.from.as_deref().is_some_and(|from| day < from);
        let late = person.until.as_deref().is_some_and(|until| day > until);
        if early || late {
            let (from, until) = (person.from.as_deref(), person.until.as_deref());
            let (from, until) = (from.unwrap_or("ever"), until.unwrap_or("further notice"));
            let message =
                format!("{} signed on {day}; the key counts from {from} until {until}", person.name);
            return Err(Diagnostic::error(Code::KeyExpired, message));
        }
        Ok(person)
    }
}

impl Demand {
    /// Whether a statement is one that is asked for.
    fn fits(&self, signed: &Signed) -> bool {
        let signer = &signed.statement.signer;
        self.kind == signed.statement.kind
            && self.by.as_ref().is_none_or(|by| *by == signer.name)
            && self.role.as_ref().is_none_or(|role| *role == signer.role)
            && self.meaning.is_none_or(|meaning| meaning == signer.meaning)
    }

    /// How many different persons made it, among statements that [`Trust::judge`] accepted.
    pub fn met_by(&self, accepted: &[Signed]) -> usize {
        let names: BTreeSet<&str> = accepted
            .iter()
            .filter(|signed| self.fits(signed))
            .map(|signed| signed.statement.signer.name.as_str())
            .collect();
        names.len()
    }

    /// Whether as many did as are asked for.
    pub fn is_met(&self, accepted: &[Signed]) -> bool {
        self.met_by(accepted) >= self.count
    }

    /// In words.
    pub fn words(&self) -> String {
        let mut words = format!("`{}`", self.kind.name());
        if let Some(meaning) = self.meaning {
            words.push_str(&format!(" meaning {}", meaning.name()));
        }
        if let Some(by) = &self.by {
            words.push_str(&format!(" by {by}"));
        }
        if let Some(role) = &self.role {
            words.push_str(&format!(" as {role}"));
        }
        if self.count > 1 {
            words.push_str(&format!(", by {} persons", self.count));
        }
        words
    }
}

fn signer(section: &Section<'_, '_>, read: ReadFile<'_>) -> TrustedSigner {
    let name = section.required_string("name");
    if !name.trim().is_empty() && !is_name(&name) {
        let message = "`name` holds a character that does not print, or space around it";
        section.wrong("name", Code::WhoInvalid, message);
    }
    let roles = texts(section, "roles", "in which roles the person signs");
    let meanings = match section.strings("meanings") {
        None => Meaning::ALL.to_vec(),
        Some(words) => words.iter().filter_map(|word| meaning(section, "meanings", word)).collect(),
    };
    let mut keys = Vec::new();
    let inline = section.strings("keys").unwrap_or_default();
    let named = section.strings("key_files").unwrap_or_default();
    if inline.is_empty() && named.is_empty() {
        let problem =
            Diagnostic::error(Code::KeyMissing, format!("`{name}` has neither `keys` nor `key_files`"));
        section
            .report(problem.at(section.here()).hint("the public key as its owner gave it, PEM or OpenSSH"));
    }
    let mut take = |key: &'static str, text: &str| match PublicKey::parse(text) {
        Ok(public) if keys.contains(&public) => {
            section.wrong(key, Code::DuplicateId, "a key is named twice");
        }
        Ok(public) => keys.push(public),
        Err(problem) => section.report(problem.at(section.at(key))),
    };
    for text in &inline {
        take("keys", text);
    }
    for file in &named {
        match read(file).map(String::from_utf8) {
            Ok(Ok(text)) => take("key_files", &text),
            Ok(Err(_)) => section.wrong("key_files", Code::KeyUnreadable, format!("`{file}` is not text")),
            Err(problem) => section.report(problem),
        }
    }
    let (from, until) = (day(section, "valid_from"), day(section, "valid_until"));
    if let (Some(first), Some(last)) = (&from, &until)
        && first > last
    {
        section.wrong(
            "valid_until",
            Code::ValueRange,
            format!("`valid_until` {last} is before `valid_from` {first}"),
        );
    }
    TrustedSigner { name, roles, meanings, keys, from, until }
}

fn demand(section: &Section<'_, '_>, signers: &[TrustedSigner]) -> Option<Demand> {
    let word = section.required_string("kind");
    let kind = Kind::ALL.into_iter().find(|kind| kind.name() == word);
    if section.has("kind") && kind.is_none() {
        let all: Vec<&str> = Kind::ALL.iter().map(|kind| kind.name()).collect();
        section.wrong("kind", Code::ValueUnknown, format!("`{word}` is none of: {}", all.join(", ")));
    }
    let by = section.string("by");
    if let Some(by) = &by
        && !signers.iter().any(|signer| signer.name == *by)
    {
        section.wrong("by", Code::ValueUnknown, format!("`{by}` is no `[[signer]]` of this file"));
    }
    let role = section.string("role");
    if let Some(role) = &role
        && !signers.iter().any(|signer| signer.roles.contains(role))
    {
        section.wrong("role", Code::ValueUnknown, format!("nobody in this file has the role `{role}`"));
    }
    let word = section.string("meaning");
    let meaning = word.as_deref().and_then(|word| meaning(section, "meaning", word));
    let count = section.whole("count").unwrap_or(1);
    let most = signers.len() as u64;
    if count == 0 || count > most.max(1) {
        section.wrong(
            "count",
            Code::ValueRange,
            format!("`count` is {count}, must be 1 to {most}, the persons here"),
        );
    }
    Some(Demand { kind: kind?, by, role, meaning, count: count as usize })
}

fn meaning(section: &Section<'_, '_>, key: &'static str, word: &str) -> Option<Meaning> {
    let found = Meaning::ALL.into_iter().find(|meaning| meaning.name() == word);
    if found.is_none() {
        let all: Vec<&str> = Meaning::ALL.iter().map(|meaning| meaning.name()).collect();
        section.wrong(key, Code::ValueUnknown, format!("`{word}` is none of: {}", all.join(", ")));
    }
    found
}

fn texts(section: &Section<'_, '_>, key: &'static str, what: &str) -> Vec<String> {
    let list = section.strings(key).unwrap_or_default();
    if list.is_empty() {
        let problem = Diagnostic::error(Code::KeyMissing, format!("`{key}` is missing or empty: {what}"));
        section.report(problem.at(section.here()));
    }
    if list.iter().any(|text| !is_name(text)) {
        section.wrong(
            key,
            Code::WhoInvalid,
            format!("`{key}` holds an empty text, or one that does not print"),
        );
    }
    list
}

fn day(section: &Section<'_, '_>, key: &'static str) -> Option<String> {
    let text = section.string(key)?;
    if text.len() == 10 && chrono::NaiveDate::parse_from_str(&text, "%Y-%m-%d").is_ok() {
        return Some(text);
    }
    section.wrong(key, Code::ValueUnknown, format!("`{text}` is no day such as \"2026-01-31\""));
    None
}
