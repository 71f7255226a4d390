//! What a template may cost. Templates come out of bundles that somebody hands over, and the engine that
//! fills them knows no limits: nested loops run for ever, a text that is doubled forty times fills every
//! memory, an expression that is deep enough ends the program. So what can grow without bound is refused
//! before it is parsed, every turn of a loop, every part that is included and every function that is called
//! counts against a budget, and the text stops at its largest size.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::diagnostic::{Code, Diagnostic, Location};

/// Bytes of all templates of a document together.
pub const LARGEST_TEMPLATES: usize = 2 << 20;
/// Characters of a tag, `{{ ... }}` or `{% ... %}`.
pub const LONGEST_TAG: usize = 1_000;
/// Brackets within each other in a tag, and blocks within each other in a template.
pub const DEEPEST: usize = 32;
/// Parts that include parts.
pub const DEEPEST_INCLUDE: usize = 8;
/// Turns of loops and parts that are included, in one document; a function that is called is ten.
pub const MOST_STEPS: u64 = 100_000;
/// Bytes of the text that templates give.
pub const LARGEST_TEXT: usize = 4 << 20;

/// The tags that templates may use: none that binds a name, since a text that is bound can be doubled.
const TAGS: [&str; 11] =
    ["if", "elif", "else", "endif", "for", "endfor", "include", "break", "continue", "raw", "endraw"];
/// The filters that templates may use: none whose result can be longer than what it was given by more than a
/// little. Those that would change a number or let text become markup are refused by the lint, which says
/// why.
const FILTERS: [&str; 26] = [
    "abs",
    "capitalize",
    "count",
    "decimals",
    "default",
    "first",
    "float",
    "get",
    "int",
    "last",
    "length",
    "lower",
    "nth",
    "percent",
    "pluralize",
    "round",
    "safe",
    "str",
    "title",
    "trim",
    "trim_end",
    "trim_start",
    "truncate",
    "upper",
    "wordcount",
    "words",
];
/// The function that counts a turn.
pub const STEP: &str = "step";

/// What was spent of one document.
#[derive(Debug, Default)]
pub struct Budget {
    steps: AtomicU64,
}

impl Budget {
    /// Spends steps, or says that there are none left.
    pub fn spend(&self, steps: u64) -> Result<(), Diagnostic> {
        let spent = self.steps.fetch_add(steps, Ordering::Relaxed).saturating_add(steps);
        if spent <= MOST_STEPS {
            return Ok(());
        }
        let message = format!("the templates go on after {MOST_STEPS} turns of loops, includes and calls");
        Err(refused(message).hint("take long lists from a table: {{ table(id=\"...\") }}"))
    }
}

fn refused(message: impl Into<String>) -> Diagnostic {
    Diagnostic::error(Code::TemplateCost, message)
}

/// Takes the text of a document until it is too long.
#[derive(Debug, Default)]
pub struct Limited {
    /// What came.
    pub bytes: Vec<u8>,
    /// More came than is taken.
    pub full: bool,
}

impl io::Write for Limited {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > LARGEST_TEXT {
            self.full = true;
            return Err(io::Error::from(io::ErrorKind::FileTooLarge));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// What is said of a text that is too long.
pub fn too_long() -> Diagnostic {
    refused(format!("the templates give more than {LARGEST_TEXT} bytes of text"))
        .hint("a document of this length is read by nobody: leave out what repeats itself")
}

/// A template in which every turn of a loop and every include counts.
#[derive(Clone, Debug, Default)]
pub struct Counted {
    /// The template for the engine.
    pub text: String,
    /// Line and column (both from 0, the column in the text for the engine) where something was put in, and
    /// how long it is.
    inserted: Vec<(usize, usize, usize)>,
    /// Names in quotes in the tags that include.
    includes: BTreeSet<String>,
}

/// Refuses parts that include parts too deeply: the engine goes into each before it comes back. A circle is
/// left to the engine, which says where it is.
///
/// # Errors
/// `template-cost`.
pub fn flat(main: &str, templates: &BTreeMap<&str, Counted>) -> Result<(), Diagnostic> {
    let mut level: BTreeSet<&str> = BTreeSet::from([main]);
    let mut seen = BTreeSet::new();
    for _ in 0..=DEEPEST_INCLUDE {
        let here = level.iter().filter_map(|name| templates.get(name));
        let next: BTreeSet<&str> = here.flat_map(|t| t.includes.iter().map(String::as_str)).collect();
        // Each level once: what came round in a circle adds none.
        if next.is_empty() || !seen.insert(next.clone()) {
            return Ok(());
        }
        level = next;
    }
    let message = format!("parts include parts more than {DEEPEST_INCLUDE} levels deep");
    Err(refused(message).hint("include them from the main template, one behind the other"))
}

impl Counted {
    /// A column of the text for the engine as one of the template.
    pub fn column(&self, line: usize, column: usize) -> usize {
        let before = self.inserted.iter().filter(|(at, start, _)| *at == line && *start < column);
        column.saturating_sub(before.map(|(_, _, length)| length).sum())
    }
}

/// Where a scan stands.
struct Scan<'a> {
    name: &'a str,
    line: usize,
    column: usize,
    problems: Vec<Diagnostic>,
}

impl Scan<'_> {
    fn refuse(&mut self, message: String, hint: &str) {
        if self.problems.len() < 20 {
            let path = PathBuf::from("templates").join(self.name);
            let (line, column) = (Some(self.line as u64 + 1), Some(self.column as u64 + 1));
            self.problems.push(refused(message).at(Location { path: path.into(), line, column }).hint(hint));
        }
    }

    fn pass(&mut self, text: &str) {
        for c in text.chars() {
            (self.line, self.column) =
                if c == '\n' { (self.line + 1, 0) } else { (self.line, self.column + 1) };
        }
    }
}

/// Refuses what could cost without bound, and lets the rest count.
///
/// # Errors
/// `template-cost` with every place.
pub fn counted(name: &str, template: &str) -> Result<Counted, Vec<Diagnostic>> {
    let mut scan = Scan { name, line: 0, column: 0, problems: Vec::new() };
    let mut out = Counted {
        text: String::with_capacity(template.len() + 1024),
        inserted: Vec::new(),
        includes: BTreeSet::new(),
    };
    let (mut rest, mut blocks) = (template, Blocks::default());
    let mut put_in: usize = 0;
    while let Some(at) = next_tag(rest) {
        let (before, from) = rest.split_at(at);
        scan.pass(before);
        if before.contains('\n') {
            put_in = 0;
        }
        out.text.push_str(before);
        let kind = from.as_bytes().get(1).copied().unwrap_or_default();
        let length = match kind {
            b'#' => from.find("#}").map(|end| end + 2),
            kind => tag_length(from, kind),
        };
        let Some(length) = length else {
            // The engine says where a tag does not end; it must get so far.
            look_at(from, &mut scan);
            rest = from;
            break;
        };
        let (tag, after) = from.split_at(length);
        let words = tag.get(2..).unwrap_or_default().trim_start_matches('-').trim_start();
        let word: String = words.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
        if kind != b'#' {
            look_at(tag, &mut scan);
        }
        if kind == b'%' {
            blocks.tag(&word, &mut scan);
        }
        scan.pass(tag);
        out.text.push_str(tag);
        if tag.contains('\n') {
            put_in = 0;
        }
        rest = after;
        if word == "raw" && kind == b'%' {
            // Text that the engine does not look at.
            let end = rest.find("endraw").unwrap_or(rest.len());
            let close = rest[..end].rfind("{%").unwrap_or(end);
            let (raw, after) = rest.split_at(close);
            scan.pass(raw);
            out.text.push_str(raw);
            if raw.contains('\n') {
                put_in = 0;
            }
            rest = after;
        }
        if kind == b'%' && word == "include" {
            // Every second part between quotes is a name.
            out.includes.extend(tag.split(['"', '\'', '`']).skip(1).step_by(2).map(str::to_owned));
        }
        if kind == b'%' && ["for", "include"].contains(&word.as_str()) {
            let step = if tag.ends_with("-%}") { "{{ step() -}}" } else { "{{ step() }}" };
            out.inserted.push((scan.line, scan.column + put_in, step.len()));
            put_in += step.len();
            out.text.push_str(step);
        }
    }
    out.text.push_str(rest);
    if scan.problems.is_empty() { Ok(out) } else { Err(scan.problems) }
}

/// The blocks that are open.
#[derive(Default)]
struct Blocks {
    depth: usize,
    /// The depth outside each open block.
    outside: Vec<usize>,
}

impl Blocks {
    /// Refuses a tag that is none of a document's, or is too deep.
    fn tag(&mut self, word: &str, scan: &mut Scan<'_>) {
        if !TAGS.contains(&word) {
            scan.refuse(
                format!("the tag `{word}` is none that a document's template may use"),
                "use if, for and include: names that are bound could grow without bound",
            );
        }
        match word {
            "if" | "for" => {
                self.outside.push(self.depth);
                self.depth += 1;
            }
            "elif" => self.depth += 1,
            "endif" | "endfor" => self.depth = self.outside.pop().unwrap_or(0),
            _ => {}
        }
        if self.depth == DEEPEST + 1 {
            scan.refuse(
                format!("more than {DEEPEST} blocks within each other"),
                "put a part into a template of its own, and include it",
            );
        }
    }
}

/// Where the next tag or comment begins. One pass: a search for each kind of tag would read the whole rest
/// again at every tag.
fn next_tag(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let opens = |at: usize| matches!(bytes.get(at + 1), Some(b'{' | b'%' | b'#'));
    text.match_indices('{').map(|(at, _)| at).find(|at| opens(*at))
}

/// The length of a tag: to its end outside quotes.
fn tag_length(from: &str, kind: u8) -> Option<usize> {
    let close: &[u8] = if kind == b'{' { b"}}" } else { b"%}" };
    let bytes = from.as_bytes();
    let (mut at, mut quote) = (2, None);
    while at < bytes.len() {
        match (quote, bytes[at]) {
            (None, b'"' | b'\'' | b'`') => quote = Some(bytes[at]),
            (Some(q), c) if q == c => quote = None,
            (None, _) if bytes[at..].starts_with(close) => return Some(at + 2),
            _ => {}
        }
        at += 1;
    }
    None
}

/// What a tag may not hold.
fn look_at(tag: &str, scan: &mut Scan<'_>) {
    if tag.chars().count() > LONGEST_TAG {
        scan.refuse(
            format!("a tag of more than {LONGEST_TAG} characters"),
            "a tag asks for one thing: leave out the rest",
        );
        return;
    }
    let (mut quote, mut depth, mut deepest) = (None, 0_usize, 0);
    for (at, c) in tag.char_indices() {
        match (quote, c) {
            (None, '"' | '\'' | '`') => quote = Some(c),
            (Some(q), c) if q == c => quote = None,
            (Some(_), _) => {}
            (None, '(' | '[' | '{') => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, '~') => {
                scan.refuse(
                    "texts are put together with `~`".to_owned(),
                    "write one behind the other: {{ a }}{{ b }}",
                );
            }
            (None, '|') => {
                let word = word_at(&tag[at + 1..]);
                if !word.is_empty() && !FILTERS.contains(&word) {
                    scan.refuse(
                        format!("the filter `{word}` is none that a document's template may use"),
                        "filters that can make a text longer without bound are left out",
                    );
                }
            }
            (None, 'r') if word_at(&tag[at..]) == "range" && !tag[..at].ends_with(is_part) => {
                scan.refuse(
                    "the function `range` counts without data".to_owned(),
                    "loop over a list of the results",
                );
            }
            _ => {}
        }
    }
    if deepest > DEEPEST {
        scan.refuse(format!("more than {DEEPEST} brackets within each other"), "ask for one thing at a time");
    }
}

fn is_part(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '.'
}

fn word_at(text: &str) -> &str {
    let text = text.trim_start();
    let end = text.find(|c: char| !(c.is_alphanumeric() || c == '_')).unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusals(template: &str) -> usize {
        counted("t.md", template).err().map_or(0, |problems| problems.len())
    }

    #[test]
    fn what_grows_without_bound_is_refused() {
        for template in [
            "{% set x = \"a\" %}",
            "{%- set_global x = 1 -%}",
            "{% filter upper %}x{% endfilter %}",
            "{% block a %}{% endblock %}",
            "{% component x() %}{% endcomponent %}",
            "{{ a ~ a }}",
            "{{ a | replace(from=\"\", to=\"aaaa\") }}",
            "{{ a|join(sep=\"x\") }}",
            "{% for x in range(end=100000) %}{% endfor %}",
            "{% if a | indent %}{% endif %}",
        ] {
            assert!(refusals(template) >= 1, "{template}");
        }
        assert_eq!(refusals(&format!("{{{{ {}a{} }}}}", "(".repeat(40), ")".repeat(40))), 1);
        assert_eq!(refusals(&format!("{{{{ {}a }}}}", "not ".repeat(300))), 1);
        assert_eq!(refusals(&"{% if a %}".repeat(40)), 1);
        assert_eq!(refusals(&format!("{{% if a %}}{}{{% endif %}}", "{% elif b %}".repeat(40))), 1);
    }

    #[test]
    fn what_is_bounded_counts_and_stays_where_it_was() {
        let template = "a {# ~ {% set x %} #}\n{% for x in a -%} {{ \"~ | join\" }}{% endfor %}\n\
                        {% include \"b.md\" %}{% raw %}{% set %}{% endraw %}{{ a.range | upper }}";
        let counted = counted("t.md", template).expect("allowed");
        assert_eq!(
            counted.text,
            "a {# ~ {% set x %} #}\n{% for x in a -%}{{ step() -}} {{ \"~ | join\" }}{% endfor %}\n\
             {% include \"b.md\" %}{{ step() }}{% raw %}{% set %}{% endraw %}{{ a.range | upper }}"
        );
        assert_eq!(counted.column(1, 31), 18, "behind what was put in");
        assert_eq!(counted.column(1, 3), 3);
        let many = "{% if a %}{% endif %}".repeat(100);
        assert_eq!(refusals(&many), 0);
    }

    #[test]
    fn a_budget_ends() {
        let budget = Budget::default();
        assert!(budget.spend(MOST_STEPS).is_ok());
        assert!(budget.spend(1).is_err());
    }
}
