//! Text that somebody gave, on one line: of a ledger or a statement, and of a shell.

/// Whether nothing in it ends a line, moves a cursor or turns the direction of what follows.
pub fn stays_in_line(text: &str) -> bool {
    let turns = |c: char| matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    !text.chars().any(|c| c.is_control() || turns(c))
}

/// One word of a shell.
pub fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/._-+=:,@%".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_shell_would_read_is_quoted() {
        for plain in ["evidence/run-1", "a_b-c.d", "x=1,2", "me@host:/100%"] {
            assert_eq!(shell_word(plain), plain);
        }
        for (text, expected) in
            [("", "''"), ("a b", "'a b'"), ("it's", r"'it'\''s'"), ("$(x)", "'$(x)'"), ("é", "'é'")]
        {
            assert_eq!(shell_word(text), expected);
        }
    }

    #[test]
    fn what_leaves_its_line_is_told() {
        for bad in ["a\nb", "a\u{1b}[2J", "\u{202e}a", "a\u{2066}b", "\u{2028}", "\u{7}"] {
            assert!(!stays_in_line(bad), "{bad:?}");
        }
        assert!(stays_in_line("") && stays_in_line("Ä. Example, M.D."));
    }
}
