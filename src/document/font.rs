//! Fonts beside the built-in ones.

/// A font that a user names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FontFile {
    /// File name, for messages.
    pub name: String,
    /// TrueType or OpenType.
    pub bytes: Vec<u8>,
}
