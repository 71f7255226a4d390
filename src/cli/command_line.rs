//! What was typed: the command line parsed, or the answer to one that is wrong.

use std::ffi::OsString;
use std::path::Path;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{ArgAction, Command, Parser};

use crate::declared::distance;
use crate::diagnostic::{Code, Diagnostic, Error, Result};

/// The command line, parsed. The first of `words` is the program.
///
/// # Errors
/// What clap answers instead of a command: help and the version too.
pub fn parse<C: Parser>(words: &[OsString]) -> Result<C, clap::Error> {
    let mistyped = mistyped(&C::command(), words.get(1..).unwrap_or_default());
    // What a group takes besides commands, such as a study, would swallow the word.
    if let Some(word) = mistyped.as_ref().filter(|word| word.swallowed) {
        return Err(word.answer(C::command()));
    }
    C::try_parse_from(words).map_err(|mut error| {
        // Of short words clap finds none alike.
        let without = error.kind() == ErrorKind::InvalidSubcommand
            && error.get(ContextKind::SuggestedSubcommand).is_none();
        if let Some(word) = mistyped.filter(|_| without) {
            error.insert(ContextKind::SuggestedSubcommand, ContextValue::Strings(vec![word.nearest]));
        }
        error
    })
}

/// Whether a JSON document is asked for, as far as that can be told of a line that does not parse.
pub fn asks_for_json(words: &[OsString]) -> bool {
    let options = words.iter().skip(1).take_while(|word| *word != "--");
    options.filter_map(|word| word.to_str()).any(|word| word == "--json" || word.starts_with("--json="))
}

/// Whether JSON can say every word: a path that is not UTF-8 would stand there as another one.
///
/// # Errors
/// [`Error::Usage`] with `not-utf8` where one is none.
pub fn are_text(words: &[OsString]) -> Result<()> {
    let Some(word) = words.iter().skip(1).find(|word| word.to_str().is_none()) else { return Ok(()) };
    let message = format!("`{}` is not UTF-8, and --json could not name it", word.display());
    let hint = "leave --json out, or name the file or folder by a link whose path is UTF-8";
    Err(Error::usage(Diagnostic::error(Code::NotUtf8, message).hint(hint)))
}

/// What is wrong with a command line, in the form of every other problem.
pub fn problem(error: &clap::Error) -> Diagnostic {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        // Its text is the whole help page.
        return Diagnostic::error(Code::Usage, "the command line ends where a command is due")
            .hint("the same with `--help` lists the commands");
    }
    let text = error.render().to_string();
    let (message, more) = text.trim_end().split_once("\n\n").unwrap_or((text.trim_end(), ""));
    let message = message.strip_prefix("error: ").unwrap_or(message);
    let one_line = |text: &str, between: &str| -> String {
        text.lines().map(str::trim).collect::<Vec<_>>().join(between)
    };
    let tips: Vec<&str> = more.lines().filter_map(|line| line.trim().strip_prefix("tip: ")).collect();
    let usage = more.split("\n\n").find_map(|paragraph| paragraph.strip_prefix("Usage: "));
    let hint = match usage {
        _ if !tips.is_empty() => tips.join("; "),
        Some(usage) => format!("usage: {}", one_line(usage, ", or ")),
        None => "`--help` says what may stand there".to_owned(),
    };
    Diagnostic::error(Code::Usage, one_line(message, " ")).hint(hint)
}

/// A word in a command's place that is none.
struct Mistyped {
    /// The commands before it.
    group: Vec<String>,
    word: String,
    nearest: String,
    /// Whether its group takes other words, so that it passes for one of them.
    swallowed: bool,
}

impl Mistyped {
    /// What clap says of a command that it does not know.
    fn answer(&self, mut program: Command) -> clap::Error {
        program.build();
        let mut group = program;
        for name in &self.group {
            if let Some(inner) = group.find_subcommand(name).cloned() {
                group = inner;
            }
        }
        let mut error = clap::Error::new(ErrorKind::InvalidSubcommand).with_cmd(&group);
        error.insert(ContextKind::InvalidSubcommand, ContextValue::String(self.word.clone()));
        let nearest = ContextValue::Strings(vec![self.nearest.clone()]);
        error.insert(ContextKind::SuggestedSubcommand, nearest);
        error.insert(ContextKind::Usage, ContextValue::StyledStr(group.render_usage()));
        error
    }
}

/// The first word that stands where a command is due, if it is none and close to one.
fn mistyped(program: &Command, words: &[OsString]) -> Option<Mistyped> {
    let mut path: Vec<&str> = Vec::new();
    let mut group = program;
    for word in words {
        let word = word.to_str()?;
        if is_switch(word, [program, group]) || (path.is_empty() && word == "help") {
            continue;
        }
        match group.find_subcommand(word) {
            Some(inner) => {
                path.push(inner.get_name());
                group = inner;
            }
            None => return near(group, &path, word),
        }
    }
    None
}

/// Whether this is an option that takes nothing and goes on with what follows.
fn is_switch(word: &str, of: [&Command; 2]) -> bool {
    let goes_on = |argument: &&clap::Arg| matches!(argument.get_action(), ArgAction::SetTrue);
    let mut known = of.into_iter().flat_map(Command::get_arguments).filter(goes_on);
    match (word.strip_prefix("--"), word.strip_prefix('-')) {
        (Some(long), _) => known.any(|argument| argument.get_long() == Some(long)),
        (None, Some(letters)) => {
            let short: Vec<char> = known.filter_map(clap::Arg::get_short).collect();
            !letters.is_empty() && letters.chars().all(|letter| short.contains(&letter))
        }
        (None, None) => false,
    }
}

/// The command of a group that was meant, where a word differs from its name by one or two letters and by no
/// more than half of its own. A file or folder of that name is what it says.
fn near(group: &Command, path: &[&str], word: &str) -> Option<Mistyped> {
    let swallowed = group.get_positionals().next().is_some();
    if word.starts_with('-') || word.contains(['/', '\\', '.']) || (swallowed && Path::new(word).exists()) {
        return None;
    }
    let names = group.get_subcommands().filter(|inner| !inner.is_hide_set()).map(Command::get_name);
    let (apart, nearest) = names.map(|name| (distance(word, name), name)).min()?;
    (apart <= 2 && 2 * apart <= word.chars().count()).then(|| Mistyped {
        group: path.iter().map(|name| (*name).to_owned()).collect(),
        word: word.to_owned(),
        nearest: nearest.to_owned(),
        swallowed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Cli;

    fn answered(line: &str) -> String {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        parse::<Cli>(&words).expect_err(line).render().to_string()
    }

    #[test]
    fn a_word_in_a_commands_place_is_answered_with_the_nearest() {
        let says = |typed: &str, nearest: &str, usage: &str| {
            format!(
                "error: unrecognized subcommand '{typed}'\n\n  tip: a similar subcommand exists: '{nearest}'\
                 \n\nUsage: {usage}\n\nFor more information, try '--help'.\n"
            )
        };
        let dataset = "sequester dataset [OPTIONS] <STUDY>\n       sequester dataset <COMMAND>";
        for line in [
            "sequester dataset descibe",
            "sequester dataset descibe x",
            "sequester --json dataset -q descibe x --json",
        ] {
            assert_eq!(answered(line), says("descibe", "describe", dataset), "{line}");
        }
        let keys = "sequester keys [OPTIONS] <COMMAND>";
        assert_eq!(answered("sequester keys nw"), says("nw", "new", keys));
        // clap's own answer is the same.
        assert_eq!(answered("sequester keys pubilc key"), says("pubilc", "public", keys));
    }

    #[test]
    fn a_study_or_file_is_no_mistyped_command() {
        for line in [
            "sequester dataset study",
            "sequester reads ./status",
            "sequester reads statuses.d",
            "sequester metrics pair.csv",
            "sequester reads pa",
            "sequester dataset -- descibe",
            "sequester dataset --out descibe x",
            "sequester dataset describe descibe",
        ] {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert!(parse::<Cli>(&words).is_ok(), "{line}");
        }
    }

    #[test]
    fn what_clap_says_is_a_problem_like_any_other() {
        let found = |line: &str| {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            let problem = problem(&parse::<Cli>(&words).expect_err(line));
            assert_eq!((problem.code, &problem.location), (Code::Usage, &None));
            (problem.message, problem.hint.expect("a way out"))
        };
        let said = |message: &str, hint: &str| (message.to_owned(), hint.to_owned());
        assert_eq!(
            found("sequester check --json"),
            said(
                "the following required arguments were not provided: <STUDY>",
                "usage: sequester check --json <STUDY>"
            )
        );
        assert_eq!(
            found("sequester completions bahs"),
            said(
                "invalid value 'bahs' for '<SHELL>' [possible values: bash, elvish, fish, powershell, zsh]",
                "a similar value exists: 'bash'"
            )
        );
        assert_eq!(found("sequester dataset descibe --json").1, "a similar subcommand exists: 'describe'");
        assert_eq!(found("sequester --json keys").1, "the same with `--help` lists the commands");
    }

    #[test]
    fn json_is_asked_for_before_what_is_no_option() {
        for (line, asked) in [
            ("sequester check --json", true),
            ("sequester --json", true),
            ("sequester check --json=1", true),
            ("sequester check -- --json", false),
            ("sequester check --jsons", false),
            ("--json", false),
        ] {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            assert_eq!(asks_for_json(&words), asked, "{line}");
        }
    }
}
