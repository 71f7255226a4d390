//! Texts that were never filled in.

use super::Look;
use crate::diagnostic::Code;

/// What people write where something is to come.
const UNFINISHED: [&str; 9] =
    ["todo", "tbd", "fixme", "xxx", "to be determined", "to be defined", "lorem ipsum", "<...>", "???"];

impl Look<'_> {
    pub(super) fn texts(&mut self) {
        let unfinished: Vec<(String, String)> = self
            .places
            .texts()
            .iter()
            .filter(|(_, text)| {
                let said = text.to_lowercase();
                let word = |mark: &str| {
                    if mark.chars().all(|c| c.is_ascii_lowercase()) {
                        said.split(|c: char| !c.is_alphanumeric()).any(|word| word == mark)
                    } else {
                        said.contains(mark)
                    }
                };
                UNFINISHED.into_iter().any(word)
            })
            .cloned()
            .collect();
        for (key, text) in unfinished {
            self.asks(
                Code::TextUnfinished,
                &key,
                format!("`{key}` is not finished: \"{text}\""),
                "fill it before the protocol is locked: afterwards one changed byte is a violation",
            );
        }
    }
}
