//! Where the words of two documents differ.

use std::time::Instant;

/// A place where two documents do not say the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unlike {
    /// The words before it, as both have them.
    pub after: String,
    /// What the handed document says.
    pub handed: String,
    /// What the evidence renders to.
    pub rendered: String,
}

impl Unlike {
    /// Whether a number is on either side.
    pub fn is_number(&self) -> bool {
        self.handed.chars().chain(self.rendered.chars()).any(|c| c.is_ascii_digit())
    }
}

/// Every place where the words differ, in order; after `until` the rest counts as one place.
pub fn unlike(handed: &[String], rendered: &[String], until: Instant) -> Vec<Unlike> {
    const BEFORE: usize = 6;
    let operations =
        similar::capture_diff_slices_deadline(similar::Algorithm::Myers, handed, rendered, Some(until));
    operations
        .into_iter()
        .filter(|operation| operation.tag() != similar::DiffTag::Equal)
        .map(|operation| {
            let (old, new) = (operation.old_range(), operation.new_range());
            let some = |words: &[String], range: std::ops::Range<usize>| {
                words.get(range).unwrap_or_default().join(" ")
            };
            let start = old.start.saturating_sub(BEFORE);
            Unlike {
                after: some(handed, start..old.start),
                handed: some(handed, old),
                rendered: some(rendered, new),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    #[test]
    fn a_number_that_was_changed_is_named_with_the_words_before_it() {
        let rendered = words("the sensitivity was 95.6% (454/475) and the specificity 83.9%");
        let handed = words("the sensitivity was 97.6% (454/475) and the specificity 83.9%");
        let found = unlike(&handed, &rendered, soon());
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].after, "the sensitivity was");
        assert_eq!((found[0].handed.as_str(), found[0].rendered.as_str()), ("97.6%", "95.6%"));
        assert!(found[0].is_number());
    }

    #[test]
    fn what_differs_in_words_alone_is_no_number() {
        let found = unlike(&words("every endpoint is MET"), &words("every endpoint is NOT MET"), soon());
        assert_eq!(found.len(), 1);
        assert!(!found[0].is_number());
        assert_eq!(found[0].rendered, "NOT");
    }

    #[test]
    fn what_is_the_same_differs_nowhere() {
        let text = words("AUC 0.97 (0.96 to 0.98)");
        assert_eq!(unlike(&text, &text, soon()), []);
        assert_eq!(unlike(&[], &text, soon()).len(), 1);
    }
}
