//! Reading TOML without stopping at the first problem: every access records what is wrong and where,
//! and every key that nobody asked for is an error at the end.

#[cfg(test)]
pub mod replaced;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::ops::Range;
use std::path::{Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::{Code, Diagnostic, Location};

/// What the parser says of lists and of tables in one line.
const INSIDE: [&str; 4] = ["array elements", "in array", "inline table", "key-value pairs"];

/// A TOML text with the problems found in it so far.
pub struct Document<'a> {
    path: PathBuf,
    text: &'a str,
    problems: RefCell<Vec<Diagnostic>>,
    /// Where values of another type stand, or lists that hold one.
    mistyped: RefCell<Vec<Location>>,
    explained: bool,
}

impl<'a> Document<'a> {
    /// Nothing is parsed yet.
    pub fn new(path: &Path, text: &'a str) -> Self {
        Self {
            path: path.to_path_buf(),
            text,
            problems: RefCell::default(),
            mistyped: RefCell::default(),
            explained: false,
        }
    }

    /// Keys of this document can be asked for with `sequester explain`: problems that name no other way out
    /// name that one.
    #[must_use]
    pub fn explained(self) -> Self {
        Self { explained: true, ..self }
    }

    /// Parses; syntax errors are recorded, one of each line.
    pub fn parse(&self) -> Option<Spanned<DeTable<'a>>> {
        let (table, errors) = DeTable::parse_recoverable(self.text);
        let mut line = None;
        for error in &errors {
            let message = error.message().lines().next().unwrap_or("not TOML").to_owned();
            let location = self.location(error.span().unwrap_or(0..0));
            // What else is wrong on the line follows from it.
            if line == location.line {
                continue;
            }
            line = location.line;
            let inside = INSIDE.iter().any(|words| message.contains(words));
            let hint = if inside {
                "a list ends with `]` and a table in one line with `}`, commas stand between: one that \
                 begins here or above may have no end"
            } else {
                "`key = value`, one on a line, texts in quotes, each key once in its table"
            };
            self.report(Diagnostic::error(Code::TomlSyntax, message).at(location).hint(hint));
            // All that follows is taken for a part of a list or table without an end.
            if inside {
                break;
            }
        }
        errors.is_empty().then_some(table)
    }

    /// Records a problem.
    pub fn report(&self, problem: Diagnostic) {
        self.problems.borrow_mut().push(problem);
    }

    /// Records a problem at a key such as `endpoint[2].interval`.
    fn report_at_key(&self, key: &str, problem: Diagnostic) {
        let mut name = String::new();
        let mut inside = false;
        for c in key.chars() {
            match c {
                '[' => inside = true,
                ']' => inside = false,
                c if !inside => name.push(c),
                _ => {}
            }
        }
        let hint = format!("`sequester explain {name}` says what may stand there");
        self.report(if self.explained { problem.hint(hint) } else { problem });
    }

    /// Line and column of a place in the text.
    pub fn location(&self, span: Range<usize>) -> Location {
        let start = (0..=span.start.min(self.text.len())).rev().find(|&i| self.text.is_char_boundary(i));
        let before = &self.text[..start.unwrap_or(0)];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or("").chars().count() + 1;
        Location { path: self.path.as_path().into(), line: Some(line as u64), column: Some(column as u64) }
    }

    /// Everything recorded, in the order of the text.
    pub fn into_problems(self) -> Vec<Diagnostic> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|p| p.location.as_ref().map(|l| (l.line, l.column)));
        // What else is wrong with a value follows from its being of another type.
        let mistyped = self.mistyped.into_inner();
        let follows = |p: &Diagnostic| p.location.as_ref().is_some_and(|place| mistyped.contains(place));
        problems.retain(|p| p.code == Code::ValueType || !follows(p));
        problems.dedup_by(|a, b| (a.code, &a.message, &a.location) == (b.code, &b.message, &b.location));
        problems
    }
}

/// Pairs as typed: of numbers, or of texts.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TypedBands {
    /// Pairs of finite numbers; empty where texts were typed.
    pub numbers: Vec<(f64, f64)>,
    /// Pairs of texts; empty where numbers were typed.
    pub texts: Vec<(String, String)>,
}

/// A table of the document. [`Section::finish`] reports the keys that were never asked for.
pub struct Section<'d, 'a> {
    document: &'d Document<'a>,
    table: Option<&'d DeTable<'a>>,
    name: String,
    span: Range<usize>,
    asked: RefCell<BTreeSet<&'static str>>,
    /// Keys of which a problem is told.
    faulty: RefCell<BTreeSet<&'static str>>,
    /// A choice is none of those that there are, so that nobody knows which keys belong to it.
    undecided: Cell<bool>,
}

impl<'d, 'a> Section<'d, 'a> {
    /// The document's own table.
    pub fn root(document: &'d Document<'a>, table: &'d Spanned<DeTable<'a>>) -> Self {
        Self::new(document, Some(table.get_ref()), String::new(), table.span())
    }

    fn new(
        document: &'d Document<'a>,
        table: Option<&'d DeTable<'a>>,
        name: String,
        span: Range<usize>,
    ) -> Self {
        let (asked, faulty, undecided) = (RefCell::default(), RefCell::default(), Cell::new(false));
        Self { document, table, name, span, asked, faulty, undecided }
    }

    fn path(&self, key: &str) -> String {
        if self.name.is_empty() { key.to_owned() } else { format!("{}.{key}", self.name) }
    }

    /// Whether the table stands in the document.
    pub fn is_present(&self) -> bool {
        self.table.is_some()
    }

    /// Whether it stands there without a key.
    pub fn is_empty(&self) -> bool {
        self.table.is_some_and(|table| table.is_empty())
    }

    /// Whether the key stands in the table.
    pub fn has(&self, key: &'static str) -> bool {
        self.value(key).is_some()
    }

    fn value(&self, key: &'static str) -> Option<&'d Spanned<DeValue<'a>>> {
        self.asked.borrow_mut().insert(key);
        self.table.and_then(|table| table.get(key))
    }

    /// Where a key's value is, or the table where there is none.
    pub fn at(&self, key: &'static str) -> Location {
        let span = self.value(key).map_or_else(|| self.span.clone(), Spanned::span);
        self.document.location(span)
    }

    /// Where a byte of a text is that stands at a key; the text's beginning where it is written with escapes.
    pub fn within(&self, key: &'static str, byte: usize) -> Location {
        let Some(span) = self.value(key).map(Spanned::span) else { return self.here() };
        let raw = self.document.text.get(span.clone()).unwrap_or_default();
        let quotes = if raw.starts_with("\"\"\"") || raw.starts_with("'''") { 3 } else { 1 };
        if raw.starts_with('"') && raw.contains('\\') {
            return self.document.location(span);
        }
        // A line end right behind three quotes is not of the text.
        let inner = raw.get(quotes..).unwrap_or_default();
        let skipped = match (quotes, inner) {
            (3, inner) if inner.starts_with("\r\n") => 2,
            (3, inner) if inner.starts_with('\n') => 1,
            _ => 0,
        };
        let start = (span.start + quotes + skipped + byte).min(span.end);
        self.document.location(start..span.end)
    }

    /// Where the table is.
    pub fn here(&self) -> Location {
        self.document.location(self.span.clone())
    }

    /// Whether a problem of one of these keys is told already, so that what their values say together is none
    /// of its own.
    pub fn faulty(&self, keys: &[&'static str]) -> bool {
        let faulty = self.faulty.borrow();
        keys.iter().any(|key| faulty.contains(key))
    }

    /// Records a problem at a key.
    pub fn wrong(&self, key: &'static str, code: Code, message: impl Into<String>) {
        self.faulty.borrow_mut().insert(key);
        self.document.report_at_key(&self.path(key), Diagnostic::error(code, message).at(self.at(key)));
    }

    /// Records any problem.
    pub fn report(&self, problem: Diagnostic) {
        self.document.report(problem);
    }

    fn mistyped(&self, key: &'static str, expected: &str, found: &Spanned<DeValue<'a>>) {
        let kind = found.get_ref().type_str();
        let message = format!("`{}` must be {expected}, not {kind}", self.path(key));
        let at = self.document.location(found.span());
        self.faulty.borrow_mut().insert(key);
        self.document.mistyped.borrow_mut().push(self.at(key));
        self.document.report_at_key(&self.path(key), Diagnostic::error(Code::ValueType, message).at(at));
    }

    fn missing(&self, key: &'static str, expected: &str) {
        self.faulty.borrow_mut().insert(key);
        let message = format!("`{}` is missing: {expected}", self.path(key));
        let problem = Diagnostic::error(Code::KeyMissing, message).at(self.here());
        self.document.report_at_key(&self.path(key), problem);
    }

    /// A sub-table; reading from an absent one gives nothing and reports nothing by itself.
    pub fn section(&self, key: &'static str) -> Section<'d, 'a> {
        let value = self.value(key);
        let table = value.and_then(|v| {
            let table = v.get_ref().as_table();
            if table.is_none() {
                self.mistyped(key, "a table", v);
            }
            table
        });
        let span = value.map_or_else(|| self.span.clone(), Spanned::span);
        Section::new(self.document, table, self.path(key), span)
    }

    /// A sub-table that has to be there.
    pub fn required_section(&self, key: &'static str) -> Section<'d, 'a> {
        if self.value(key).is_none() {
            self.missing(key, "a table");
        }
        self.section(key)
    }

    /// An array of tables, in order; absent: empty.
    pub fn sections(&self, key: &'static str) -> Vec<Section<'d, 'a>> {
        let Some(value) = self.value(key) else { return Vec::new() };
        let Some(array) = value.get_ref().as_array() else {
            self.mistyped(key, "an array of tables", value);
            return Vec::new();
        };
        let mut sections = Vec::new();
        for (index, item) in array.iter().enumerate() {
            match item.get_ref().as_table() {
                Some(table) => {
                    let name = format!("{}[{}]", self.path(key), index + 1);
                    sections.push(Section::new(self.document, Some(table), name, item.span()));
                }
                None => self.mistyped(key, "an array of tables", item),
            }
        }
        sections
    }

    /// Text.
    pub fn string(&self, key: &'static str) -> Option<String> {
        let value = self.value(key)?;
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.mistyped(key, "text", value);
        }
        text.map(str::to_owned)
    }

    /// Text that has to be there and is not blank.
    pub fn required_string(&self, key: &'static str) -> String {
        if self.value(key).is_none() && self.table.is_some() {
            self.missing(key, "text");
        }
        let text = self.string(key).unwrap_or_default();
        if self.has(key) && text.trim().is_empty() {
            self.wrong(key, Code::ValueEmpty, format!("`{}` is empty", self.path(key)));
        }
        text
    }

    /// The `id` of one of several sections; `seen` has those of the sections before it, which are `of` these.
    pub fn id(&self, seen: &mut BTreeSet<String>, of: &str) -> String {
        let id = self.required_string("id");
        if !self.faulty(&["id"]) && !seen.insert(id.clone()) {
            self.wrong("id", Code::DuplicateId, format!("two {of} have the id `{id}`"));
        }
        id
    }

    /// The version of the file's format, which has to be `own`.
    pub fn format(&self, own: &str) {
        self.format_or(own, None);
    }

    /// The same; a file of a former version is told the way out.
    pub fn format_or(&self, own: &str, former: Option<(&str, &'static str)>) {
        let found = self.required_string("format");
        if !self.has("format") || found == own {
            return;
        }
        let message = format!("the format is \"{found}\", this program reads \"{own}\"");
        let problem = Diagnostic::error(Code::FormatUnknown, message).at(self.at("format"));
        let way_out = former.filter(|(of, _)| *of == found).map(|(_, way_out)| way_out);
        self.report(match way_out {
            Some(way_out) => problem.hint(way_out),
            None => problem,
        });
    }

    /// A list of texts; one text counts as a list of one.
    pub fn strings(&self, key: &'static str) -> Option<Vec<String>> {
        let value = self.value(key)?;
        if let Some(one) = value.get_ref().as_str() {
            return Some(vec![one.to_owned()]);
        }
        let Some(array) = value.get_ref().as_array() else {
            self.mistyped(key, "a list of texts", value);
            return None;
        };
        let mut list = Vec::new();
        for item in array {
            match item.get_ref().as_str() {
                Some(text) => list.push(text.to_owned()),
                None => self.mistyped(key, "a list of texts", item),
            }
        }
        Some(list)
    }

    /// A truth value.
    pub fn boolean(&self, key: &'static str) -> Option<bool> {
        let value = self.value(key)?;
        let truth = value.get_ref().as_bool();
        if truth.is_none() {
            self.mistyped(key, "true or false", value);
        }
        truth
    }

    /// A finite number; whole numbers count.
    pub fn number(&self, key: &'static str) -> Option<f64> {
        let value = self.value(key)?;
        let number = match value.get_ref() {
            DeValue::Integer(integer) => integer.as_str().parse::<f64>().ok(),
            DeValue::Float(float) => float.as_str().replace('_', "").parse::<f64>().ok(),
            _ => {
                self.mistyped(key, "a number", value);
                return None;
            }
        };
        let finite = number.filter(|n| n.is_finite());
        if finite.is_none() {
            self.wrong(key, Code::ValueRange, format!("`{}` must be a finite number", self.path(key)));
        }
        finite
    }

    /// A list of finite numbers; whole numbers count.
    pub fn numbers(&self, key: &'static str) -> Option<Vec<f64>> {
        let value = self.value(key)?;
        let as_number = |item: &Spanned<DeValue<'a>>| match item.get_ref() {
            DeValue::Integer(integer) => integer.as_str().parse::<f64>().ok(),
            DeValue::Float(float) => float.as_str().replace('_', "").parse::<f64>().ok(),
            _ => None,
        };
        let numbers: Option<Vec<f64>> = value
            .get_ref()
            .as_array()
            .and_then(|list| list.iter().map(|item| as_number(item).filter(|n| n.is_finite())).collect());
        if numbers.is_none() {
            self.mistyped(key, "a list of finite numbers", value);
        }
        numbers
    }

    /// A share as a number or as a fraction in a text, such as `0.25` or `"1/3"`.
    pub fn share(&self, key: &'static str) -> Option<f64> {
        let value = self.value(key)?;
        let share = share_of(value.get_ref());
        if share.is_none() {
            self.mistyped(key, "a number, or a fraction such as \"1/3\"", value);
        }
        share
    }

    /// Shares by name, such as `{ sensitivity = 0.5, specificity = "1/2" }`, in the order of the text.
    pub fn shares(&self, key: &'static str) -> Option<Vec<(String, f64)>> {
        let value = self.value(key)?;
        let Some(table) = value.get_ref().as_table() else {
            self.mistyped(key, "a table of shares, such as { other = 0.5 }", value);
            return None;
        };
        let mut found = Vec::new();
        for (name, value) in table.iter() {
            match share_of(value.get_ref()) {
                Some(share) => found.push((name.span().start, name.get_ref().to_string(), share)),
                None => self.mistyped(key, "a table of shares, such as { other = 0.5 }", value),
            }
        }
        found.sort_by_key(|(start, _, _)| *start);
        Some(found.into_iter().map(|(_, name, share)| (name, share)).collect())
    }

    /// A number in an open or closed range given in words by `range`.
    pub fn number_in(&self, key: &'static str, range: &str, accept: impl Fn(f64) -> bool) -> Option<f64> {
        let number = self.number(key)?;
        if accept(number) {
            return Some(number);
        }
        self.wrong(key, Code::ValueRange, format!("`{}` is {number}, must be {range}", self.path(key)));
        None
    }

    /// A number in a range that has to be there; `None` where it is not, and that is reported.
    pub fn required_number_in(
        &self,
        key: &'static str,
        range: &str,
        accept: impl Fn(f64) -> bool,
    ) -> Option<f64> {
        if self.value(key).is_none() && self.table.is_some() {
            self.missing(key, "a number");
        }
        self.number_in(key, range, accept)
    }

    /// A whole number, not negative.
    pub fn whole(&self, key: &'static str) -> Option<u64> {
        let value = self.value(key)?;
        let DeValue::Integer(integer) = value.get_ref() else {
            self.mistyped(key, "a whole number", value);
            return None;
        };
        let parsed =
            u64::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|n| *n <= i64::MAX as u64);
        if parsed.is_none() {
            let message = format!("`{}` is {integer}, must be a whole number from 0", self.path(key));
            self.wrong(key, Code::ValueRange, message);
        }
        parsed
    }

    /// A whole number that has to be there.
    pub fn required_whole(&self, key: &'static str) -> u64 {
        if self.value(key).is_none() && self.table.is_some() {
            self.missing(key, "a whole number");
        }
        self.whole(key).unwrap_or_default()
    }

    /// Pairs of whole numbers, such as age bands.
    pub fn pairs(&self, key: &'static str) -> Option<Vec<(u64, u64)>> {
        let value = self.value(key)?;
        let as_pair = |item: &Spanned<DeValue<'a>>| {
            let array = item.get_ref().as_array()?;
            let mut numbers = array.iter().map(|n| n.get_ref().as_integer()?.as_str().parse::<u64>().ok());
            match (numbers.next(), numbers.next(), numbers.next()) {
                (Some(Some(a)), Some(Some(b)), None) => Some((a, b)),
                _ => None,
            }
        };
        let pairs = value.get_ref().as_array().and_then(|a| a.iter().map(as_pair).collect());
        if pairs.is_none() {
            self.mistyped(key, "a list of pairs of whole numbers", value);
        }
        pairs
    }

    /// Pairs of finite numbers, or pairs of texts, such as bands of a number or of days: one of the two
    /// lists is empty.
    pub fn bands(&self, key: &'static str) -> Option<TypedBands> {
        let value = self.value(key)?;
        let number = |item: &Spanned<DeValue<'a>>| match item.get_ref() {
            DeValue::Integer(integer) => integer.as_str().parse::<f64>().ok(),
            DeValue::Float(float) => float.as_str().replace('_', "").parse::<f64>().ok(),
            _ => None,
        };
        let pair = |item: &Spanned<DeValue<'a>>, typed: &mut TypedBands| {
            let [from, to] = item.get_ref().as_array()?.iter().collect::<Vec<_>>()[..] else { return None };
            if let (Some(from), Some(to)) = (from.get_ref().as_str(), to.get_ref().as_str()) {
                typed.texts.push((from.to_owned(), to.to_owned()));
            } else {
                let finite = |item| number(item).filter(|n| n.is_finite());
                typed.numbers.push((finite(from)?, finite(to)?));
            }
            Some(())
        };
        let mut typed = TypedBands::default();
        let all = value.get_ref().as_array().and_then(|list| {
            let read: Option<()> = list.iter().try_for_each(|item| pair(item, &mut typed));
            read.filter(|()| typed.numbers.is_empty() || typed.texts.is_empty())
        });
        if all.is_none() {
            self.mistyped(key, "a list of pairs of numbers, or of days", value);
        }
        all.map(|()| typed)
    }

    /// One of several words; absent: `default`.
    pub fn choice<T: Copy>(&self, key: &'static str, choices: &[(&str, T)], default: T) -> T {
        let Some(word) = self.string(key) else {
            self.undecided.set(self.undecided.get() || self.has(key));
            return default;
        };
        if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == word) {
            return *choice;
        }
        self.undecided.set(true);
        let names: Vec<_> = choices.iter().map(|(name, _)| format!("\"{name}\"")).collect();
        let message = format!("`{}` is \"{word}\", must be one of {}", self.path(key), names.join(", "));
        self.wrong(key, Code::ValueUnknown, message);
        default
    }

    /// Reports every key that nobody asked for, with the nearest one that exists; none where a choice is to
    /// say first which keys there are.
    pub fn finish(self) {
        let Some(table) = self.table.filter(|_| !self.undecided.get()) else { return };
        let asked = self.asked.borrow();
        for (key, _) in table.iter() {
            let name: &str = key.get_ref();
            if asked.contains(name) {
                continue;
            }
            let nearest = asked.iter().map(|known| (distance(name, known), *known)).min();
            let hint = match nearest {
                Some((d, known)) if d <= 3 => format!("did you mean `{known}`?"),
                _ => format!("the keys here are: {}", asked.iter().copied().collect::<Vec<_>>().join(", ")),
            };
            let message = format!("unknown key `{}`", self.path(name));
            self.document.report(
                Diagnostic::error(Code::UnknownKey, message)
                    .at(self.document.location(key.span()))
                    .hint(hint),
            );
        }
    }
}

/// A number, or a fraction in a text.
fn share_of(value: &DeValue<'_>) -> Option<f64> {
    match value {
        DeValue::Integer(integer) => integer.as_str().parse::<f64>().ok(),
        DeValue::Float(float) => float.as_str().replace('_', "").parse::<f64>().ok(),
        DeValue::String(text) => fraction(text),
        _ => None,
    }
    .filter(|n| n.is_finite())
}

/// A number as text, or a fraction of two, such as `1/3`; none where it is not finite.
pub fn fraction(text: &str) -> Option<f64> {
    let number = |text: &str| text.trim().parse::<f64>().ok();
    let value = match text.split_once('/') {
        Some((above, below)) => number(above)? / number(below)?,
        None => number(text)?,
    };
    value.is_finite().then_some(value)
}

/// Levenshtein distance, for suggestions only.
pub fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, ca) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, cb) in b.iter().enumerate() {
            let substitute = diagonal + usize::from(ca != *cb);
            diagonal = row[j + 1];
            row[j + 1] = substitute.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}
