//! Paths that a protocol names.

use crate::declared::Section;
use crate::diagnostic::Code;
use crate::digest::RelativePath;

/// A relative path as typed; a wrong one is recorded.
pub(super) fn path(section: &Section, key: &'static str) -> Option<RelativePath> {
    let text = section.string(key)?;
    text.parse()
        .map_err(|e: crate::digest::RelativePathError| section.wrong(key, Code::Path, e.to_string()))
        .ok()
}

/// The same where it has to be there, or has a default.
pub(super) fn required_path(section: &Section, key: &'static str, default: Option<&str>) -> RelativePath {
    if !section.has(key) && default.is_none() && section.is_present() {
        section.required_string(key);
    }
    path(section, key).unwrap_or_else(|| {
        // A placeholder only where an error has been recorded or the default is a constant.
        default.unwrap_or("missing").parse().unwrap_or_else(|_| unreachable!("constant path"))
    })
}
