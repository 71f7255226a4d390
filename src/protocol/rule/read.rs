//! From the text of a rule to what it asks, or what is wrong with it and where.
//!
//! ```text
//! rule    = and { "or" and }
//! and     = test { "and" test }
//! test    = "not" test | "(" rule ")" | column relation value
//!         | column [ "not" ] "in" "[" value { "," value } "]" | column "between" value "and" value
//!         | column "has" ( text | "[" text { "," text } "]" ) | column "is" [ "not" ] "missing"
//!         | "days" "from" column "to" column relation number
//!         | ( "earlier" | "later" ) [ "where" "(" rule ")" ] [ "within" number "days" ] "by" column
//!         | ( "first" | "last" ) [ "where" "(" rule ")" ] "by" column
//! ```
//! Words are read in any case; a column whose name is no plain word stands in backquotes, a text in quotes, a
//! day as `2024-01-31` without.

use super::kinds::{Use, Used, kinds, mistyped, resolved};
use super::token::{Fault, Token, WORDS, syntax, tokens};
use super::{Column, Direction, Expr, Relation, Value};
use crate::dataset::case::Sex;
use crate::dataset::other_columns::CellKind;

/// A rule has at most so many characters.
pub const LONGEST: usize = 4000;
/// Parentheses, `not` and `where` stand in each other at most so deep.
const DEEPEST: usize = 40;

/// Reads a rule.
///
/// # Errors
/// The first thing that is wrong, with its place in the text.
pub fn read(text: &str) -> Result<Expr, Fault> {
    if text.chars().count() > LONGEST {
        return Err(syntax(0, format!("a rule has at most {LONGEST} characters")));
    }
    let tokens = tokens(text)?;
    let mut parser = Parser { tokens: &tokens, next: 0, end: text.len(), uses: Vec::new() };
    let expr = parser.rule(0)?;
    if let Some((at, token)) = parser.peek() {
        return Err(syntax(at, format!("the rule is complete before {}", token.told())));
    }
    Ok(resolved(expr, &kinds(&parser.uses)?))
}

struct Parser<'a> {
    tokens: &'a [(usize, Token)],
    next: usize,
    end: usize,
    uses: Vec<Used>,
}

fn unfinished(at: usize, wanted: &str) -> Fault {
    syntax(at, format!("the rule ends where {wanted} should stand"))
}

impl Parser<'_> {
    fn peek(&self) -> Option<(usize, &Token)> {
        self.tokens.get(self.next).map(|(at, token)| (*at, token))
    }

    fn at(&self) -> usize {
        self.peek().map_or(self.end, |(at, _)| at)
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some((_, Token::Word(found))) if found.eq_ignore_ascii_case(word))
    }

    fn takes(&mut self, word: &str) -> bool {
        let is = self.is_word(word);
        self.next += usize::from(is);
        is
    }

    fn takes_sign(&mut self, sign: &str) -> bool {
        let is = matches!(self.peek(), Some((_, Token::Sign(found))) if *found == sign);
        self.next += usize::from(is);
        is
    }

    fn wanted<T>(&self, what: &str) -> Result<T, Fault> {
        Err(match self.peek() {
            Some((at, token)) => syntax(at, format!("{} stands where {what} should stand", token.told())),
            None => unfinished(self.end, what),
        })
    }

    fn word(&mut self, word: &str) -> Result<(), Fault> {
        if self.takes(word) { Ok(()) } else { self.wanted(&format!("`{word}`")) }
    }

    fn sign(&mut self, sign: &str) -> Result<(), Fault> {
        if self.takes_sign(sign) { Ok(()) } else { self.wanted(&format!("`{sign}`")) }
    }

    fn rule(&mut self, depth: usize) -> Result<Expr, Fault> {
        let mut parts = vec![self.and(depth)?];
        while self.takes("or") {
            parts.push(self.and(depth)?);
        }
        Ok(joined(parts, Expr::Any))
    }

    fn and(&mut self, depth: usize) -> Result<Expr, Fault> {
        let mut parts = vec![self.test(depth)?];
        while self.takes("and") {
            parts.push(self.test(depth)?);
        }
        Ok(joined(parts, Expr::All))
    }

    fn test(&mut self, depth: usize) -> Result<Expr, Fault> {
        let at = self.at();
        if depth > DEEPEST {
            return Err(syntax(at, format!("a rule is at most {DEEPEST} parentheses deep")));
        }
        if self.takes("not") {
            return Ok(Expr::Not(Box::new(self.test(depth + 1)?)));
        }
        if self.takes_sign("(") {
            let inner = self.rule(depth + 1)?;
            self.sign(")")?;
            return Ok(inner);
        }
        for (word, direction) in [("earlier", Direction::Earlier), ("later", Direction::Later)] {
            if self.takes(word) {
                let only = self.only(depth)?;
                let within = if self.takes("within") { Some(self.window()?) } else { None };
                self.word("by")?;
                let kind = if within.is_some() { Use::Is(CellKind::Date) } else { Use::Order };
                let by = self.column(kind)?;
                return Ok(Expr::Other { direction, by, within, only });
            }
        }
        for (word, direction) in [("first", Direction::Earlier), ("last", Direction::Later)] {
            if self.takes(word) {
                let only = self.only(depth)?;
                self.word("by")?;
                let by = self.column(Use::Order)?;
                return Ok(Expr::Extreme { direction, by, only });
            }
        }
        if self.takes("days") {
            self.word("from")?;
            let from = self.column(Use::Is(CellKind::Date))?;
            self.word("to")?;
            let to = self.column(Use::Is(CellKind::Date))?;
            let relation = self.relation()?;
            let Some((_, Token::Number(days))) = self.peek() else { return self.wanted("a number of days") };
            let days = *days;
            self.next += 1;
            return Ok(Expr::Span { from, to, relation, days });
        }
        self.of_column()
    }

    fn only(&mut self, depth: usize) -> Result<Option<Box<Expr>>, Fault> {
        if !self.takes("where") {
            return Ok(None);
        }
        self.sign("(")?;
        let only = self.rule(depth + 1)?;
        self.sign(")")?;
        Ok(Some(Box::new(only)))
    }

    fn window(&mut self) -> Result<u32, Fault> {
        let at = self.at();
        let Some((_, Token::Number(days))) = self.peek() else { return self.wanted("a number of days") };
        let days = *days;
        self.next += 1;
        if days < 0.0 || days.fract() != 0.0 || days > 100_000.0 {
            return Err(syntax(
                at,
                format!("a window is a whole number of days from 0 to 100000, not {days}"),
            ));
        }
        if !self.takes("days") {
            self.word("day")?;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, 0 to 100000")]
        Ok(days as u32)
    }

    /// The next token as a column that is used so.
    fn column(&mut self, used: Use) -> Result<Column, Fault> {
        let at = self.at();
        let name = match self.peek() {
            Some((_, Token::Column(name))) => name.clone(),
            Some((_, Token::Word(word))) if !WORDS.contains(&word.to_lowercase().as_str()) => word.clone(),
            _ => return self.wanted("the name of a column"),
        };
        self.next += 1;
        self.uses.push((at, name.clone(), used));
        // Kinds are known when the whole rule is read.
        Ok(Column { name, kind: CellKind::Text })
    }

    fn relation(&mut self) -> Result<Relation, Fault> {
        let found = match self.peek() {
            Some((_, Token::Sign("="))) => Relation::Equal,
            Some((_, Token::Sign("!="))) => Relation::Unequal,
            Some((_, Token::Sign("<"))) => Relation::Below,
            Some((_, Token::Sign("<="))) => Relation::AtMost,
            Some((_, Token::Sign(">"))) => Relation::Above,
            Some((_, Token::Sign(">="))) => Relation::AtLeast,
            _ => return self.wanted("`=`, `!=`, `<`, `<=`, `>`, `>=`, `in`, `between`, `has` or `is`"),
        };
        self.next += 1;
        Ok(found)
    }

    fn of_column(&mut self) -> Result<Expr, Fault> {
        let column = self.column(Use::Whatever)?;
        let negated = self.takes("not");
        let not = |expr: Expr| if negated { Expr::Not(Box::new(expr)) } else { expr };
        if self.takes("in") {
            let mut values = Vec::new();
            self.sign("[")?;
            loop {
                values.push(self.value(&column)?);
                if !self.takes_sign(",") {
                    break;
                }
            }
            self.sign("]")?;
            values.sort_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal));
            values.dedup();
            return Ok(not(Expr::OneOf { column, values }));
        }
        if negated {
            return self.wanted("`in`");
        }
        if self.takes("is") {
            let negated = self.takes("not");
            self.word("missing")?;
            let missing = Expr::Missing { column };
            return Ok(if negated { Expr::Not(Box::new(missing)) } else { missing });
        }
        if self.takes("has") {
            return self.has(column);
        }
        if self.takes("between") {
            let at = self.at();
            let low = self.value(&column)?;
            self.word("and")?;
            let high = self.value(&column)?;
            if matches!(low, Value::Text(_)) {
                return Err(no_order(at));
            }
            if low > high {
                return Err(syntax(
                    at,
                    format!("nothing is between {low} and {high}: the first is the greater"),
                ));
            }
            let side = |relation, value| Expr::Compare { column: column.clone(), relation, value };
            return Ok(Expr::All(vec![side(Relation::AtLeast, low), side(Relation::AtMost, high)]));
        }
        let relation = self.relation()?;
        let at = self.at();
        let value = self.value(&column)?;
        if matches!(value, Value::Text(_)) && !relation.is_equality() {
            return Err(no_order(at));
        }
        Ok(Expr::Compare { column, relation, value })
    }

    fn has(&mut self, column: Column) -> Result<Expr, Fault> {
        let at = self.uses.last().map_or(0, |(at, ..)| *at);
        if Column::kind_of_field(&column.name).is_some() && column.name != "findings" {
            let message = format!("`{}` is no list, which `has` asks for", column.name);
            return Err(mistyped(
                at,
                message,
                "`findings`, or a column whose cells are lists with `|` or `;`",
            ));
        }
        self.uses.push((at, column.name.clone(), Use::Is(CellKind::Text)));
        let mut values = Vec::new();
        let list = self.takes_sign("[");
        loop {
            let Some((_, Token::Text(text))) = self.peek() else { return self.wanted("a text in quotes") };
            values.push(text.trim().to_owned());
            self.next += 1;
            if !list || !self.takes_sign(",") {
                break;
            }
        }
        if list {
            self.sign("]")?;
        }
        values.sort();
        values.dedup();
        Ok(Expr::Has { column, values })
    }

    /// A value beside a column, in the form in which the column's cells are.
    fn value(&mut self, column: &Column) -> Result<Value, Fault> {
        let at = self.at();
        let (value, kind) = match self.peek() {
            Some((_, Token::Text(text))) => (Value::Text(text.clone()), CellKind::Text),
            Some((_, Token::Number(number))) => (Value::Number(*number + 0.0), CellKind::Number),
            Some((_, Token::Day(day))) => (Value::Day(day.clone()), CellKind::Date),
            Some((_, Token::Word(word))) if !WORDS.contains(&word.to_lowercase().as_str()) => {
                let message = format!("`{word}` stands where a value should stand");
                let hint = format!("a text stands in quotes: \"{word}\"");
                return Err(Fault { hint, ..syntax(at, message) });
            }
            _ => return self.wanted("a value"),
        };
        self.next += 1;
        self.uses.push((at, column.name.clone(), Use::Is(kind)));
        let Value::Text(text) = value else { return Ok(value) };
        let name = column.name.as_str();
        let hint = |words: &str| format!("`{name}` is {words}");
        Ok(Value::Text(match name {
            "view" | "modality" | "body_part" => text.to_uppercase(),
            "sex" => match text.parse::<Sex>() {
                Ok(sex) => sex.to_string(),
                Err(message) => return Err(mistyped(at, message, hint("\"F\", \"M\" or \"O\""))),
            },
            "label" if !["positive", "negative"].contains(&text.as_str()) => {
                let message = format!("no label is \"{text}\"");
                return Err(mistyped(at, message, hint("\"positive\" or \"negative\"")));
            }
            "findings" => {
                let message = "`findings` is a list: what it holds is asked for with `has`";
                return Err(mistyped(at, message, format!("findings has \"{text}\"")));
            }
            _ => text,
        }))
    }
}

fn no_order(at: usize) -> Fault {
    mistyped(at, "texts have no order", "numbers and days stand without quotes: 2024-01-31")
}

/// One part is itself; parts of the same word stand in one list.
fn joined(parts: Vec<Expr>, list: fn(Vec<Expr>) -> Expr) -> Expr {
    let is_any = matches!(list(Vec::new()), Expr::Any(_));
    let mut flat = Vec::new();
    for part in parts {
        match part {
            Expr::Any(inner) if is_any => flat.extend(inner),
            Expr::All(inner) if !is_any => flat.extend(inner),
            other => flat.push(other),
        }
    }
    match <[Expr; 1]>::try_from(flat) {
        Ok([one]) => one,
        Err(flat) => list(flat),
    }
}
