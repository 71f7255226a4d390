//! Patterns with one `*`, which stands for what is looked for.

/// What `*` stands for in a text: the pattern holds one, `?` is any one sign, the rest stands for itself.
/// `None` where the text does not fit, or `*` would be empty.
pub fn star<'t>(pattern: &str, text: &'t str) -> Option<&'t str> {
    let (before, after) = pattern.split_once('*')?;
    let same = |pattern: char, sign: char| pattern == '?' || pattern == sign;
    let mut rest = text.chars();
    for wanted in before.chars() {
        if !same(wanted, rest.next()?) {
            return None;
        }
    }
    for wanted in after.chars().rev() {
        if !same(wanted, rest.next_back()?) {
            return None;
        }
    }
    Some(rest.as_str()).filter(|star| !star.is_empty())
}

/// The case within what an export says: the last component of a path or URL unless the pattern itself holds a
/// `/`.
pub fn case_in<'t>(pattern: &str, text: &'t str) -> Option<&'t str> {
    let text = if pattern.contains('/') { text } else { text.rsplit('/').next().unwrap_or(text) };
    star(pattern, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_what_stands_between_and_never_nothing() {
        let check = |pattern: &str, text: &str, expect: Option<&str>| {
            assert_eq!(star(pattern, text), expect, "{pattern} {text}");
        };
        check("r*_read", "r1_read", Some("1"));
        check("*.csv", "AB.csv", Some("AB"));
        check("????????-*.png", "1a2b3c4d-C001.png", Some("C001"));
        check("r*_read", "r_read", None);
        check("r*_read", "read", None);
        check("*é", "aé", Some("a"));
        check("ab*ba", "aba", None);
        assert_eq!(case_in("*.png", "/data/upload/29/C001.png"), Some("C001"));
        assert_eq!(case_in("/d/*/x.png", "/d/C001/x.png"), Some("C001"));
    }
}
