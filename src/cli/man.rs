//! `sequester man`: manual pages, from the same declaration as `--help`.

use std::path::{Path, PathBuf};

use clap::{Args, Command};

use super::{Context, Outcome};
use crate::diagnostic::{Error, Result};
use crate::storage;

/// Write the manual pages into a folder, one a command.
///
/// `man -l DIR/sequester-verify.1` shows one; below a folder `man1` of the manual path (`manpath`) they are
/// found by their names. They say what `--help` says.
#[derive(Debug, Args)]
pub struct ManArgs {
    /// Folder for the pages; it is made where it is not there.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Runs the command.
///
/// # Errors
/// When a page cannot be written.
pub fn run(args: &ManArgs, mut program: Command, context: Context) -> Result<Outcome> {
    program.build();
    let mut pages = Vec::new();
    collect(&program, &mut pages)?;
    storage::create_folder(&args.folder)?;
    for (name, page) in &pages {
        storage::write_atomic(&args.folder.join(name), page)?;
    }
    if context.json {
        let names: Vec<&str> = pages.iter().map(|(name, _)| name.as_str()).collect();
        println!("{:#}", serde_json::json!({"folder": args.folder, "pages": names}));
    } else {
        println!("{} pages: {}", pages.len(), args.folder.join("sequester.1").display());
    }
    Ok(Outcome::Done)
}

/// The page of a command and those of its commands, with their file names.
fn collect(command: &Command, pages: &mut Vec<(String, Vec<u8>)>) -> Result<()> {
    let name = command.get_display_name().unwrap_or_else(|| command.get_name()).to_owned();
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone())
        .title(name.to_uppercase())
        .source(concat!("sequester ", env!("CARGO_PKG_VERSION")))
        .manual("Sequester")
        .render(&mut page)
        .map_err(|e| Error::io("write", Path::new(&name), &e))?;
    pages.push((format!("{name}.1"), page));
    for inner in command.get_subcommands().filter(|inner| inner.get_name() != "help" && !inner.is_hide_set())
    {
        collect(inner, pages)?;
    }
    Ok(())
}
