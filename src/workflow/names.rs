//! The names of everything that a study's bundle takes from outside, through the one check of
//! [`crate::evidence::names`], before anything is locked or opened.

use super::report;
use super::study::Study;
use crate::diagnostic::{Diagnostic, Location};
use crate::evidence::bundle;
use crate::evidence::names::{self, Named};

/// Errors and warnings about the names of inputs and templates, whether the files are there or not.
pub fn of_study(study: &Study) -> Vec<Diagnostic> {
    let (mut named, mut found) = study.named_inputs();
    match report::templates(&study.folder) {
        Ok(templates) => {
            for name in templates.into_keys() {
                let at = Location::file(study.folder.join(bundle::TEMPLATES).join(&name));
                match names::path_of(&format!("{}/{name}", bundle::TEMPLATES), at.clone()) {
                    Ok(path) => named.push(Named { path, at }),
                    Err(problem) => found.push(problem),
                }
            }
        }
        Err(error) => found.extend(error.diagnostics()),
    }
    found.extend(names::check(&named));
    found
}
