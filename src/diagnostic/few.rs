//! The first few of many names, as a message tells them: all of a large study would be no message.

use std::fmt::Display;

/// The first `most`, and how many more there are: `a, b and 3 more`.
pub fn and_more<I>(names: I, most: usize) -> String
where
    I: IntoIterator<Item: Display, IntoIter: ExactSizeIterator>,
{
    let mut names = names.into_iter();
    let first = first(&mut names, most);
    match names.len() {
        0 => first,
        more => format!("{first} and {more} more"),
    }
}

/// The first `most`, and whether there are more: `a, b, ...`. For messages that give the number elsewhere.
pub fn and_so_on<I>(names: I, most: usize) -> String
where
    I: IntoIterator<Item: Display, IntoIter: ExactSizeIterator>,
{
    let mut names = names.into_iter();
    let first = first(&mut names, most);
    if names.len() == 0 { first } else { format!("{first}, ...") }
}

fn first(names: &mut impl Iterator<Item: Display>, most: usize) -> String {
    names.take(most).map(|name| name.to_string()).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn more_is_said_only_where_there_are_more() {
        let none: [&str; 0] = [];
        assert_eq!((and_more(none, 2), and_so_on(none, 2)), (String::new(), String::new()));
        assert_eq!((and_more(["a", "b"], 2), and_so_on(["a", "b"], 2)), ("a, b".into(), "a, b".into()));
        let five = [1, 2, 3, 4, 5];
        assert_eq!((and_more(five, 2), and_so_on(five, 2)), ("1, 2 and 3 more".into(), "1, 2, ...".into()));
    }

    /// Of a million names, a few are written.
    #[test]
    fn what_is_not_shown_is_not_written() {
        let mut written = 0;
        let names = (0..9).inspect(|_| written += 1);
        assert_eq!(and_more(names, 1), "0 and 8 more");
        assert_eq!(written, 1);
    }
}
