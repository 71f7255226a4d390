//! Reading rounds among the files of a study: `rounds/NAME.json` in the readers' folder says which case a
//! code is, and what came back lies beside it in `rounds/NAME/`. A round is part of a study once something
//! came back from it.

use crate::digest::RelativePath;
use crate::protocol::Protocol;
use crate::reads::round::is_name;

/// What a file of a round is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OfRound<'p> {
    /// The round of this name itself.
    Map(&'p str),
    /// What came back from it.
    Returned(&'p str),
}

/// The folder of rounds, relative to the data folder: in that of the first pattern of readers' files.
pub fn folder(protocol: &Protocol) -> Option<String> {
    let folder = protocol.reads.files.first()?.rsplit_once('/').map(|(folder, _)| folder);
    Some(folder.map_or_else(|| "rounds".to_owned(), |folder| format!("{folder}/rounds")))
}

/// Where the file of a round lies, and the folder of what comes back from it. `None`: no name of a round, or
/// a protocol without readers' files.
pub fn places(protocol: &Protocol, name: &str) -> Option<(RelativePath, String)> {
    let within = format!("{}/{name}", folder(protocol)?);
    Some((format!("{within}.json").parse().ok()?, within)).filter(|_| is_name(name))
}

/// The names of rounds among the names of files in the folder of rounds.
pub fn named<'n>(names: impl Iterator<Item = &'n str>) -> impl Iterator<Item = &'n str> {
    names.filter_map(|name| name.strip_suffix(".json")).filter(|name| is_name(name))
}

/// What a file is to a round; `None`: nothing.
pub fn of_round<'p>(protocol: &Protocol, path: &'p RelativePath) -> Option<OfRound<'p>> {
    of(protocol, path.as_str())
}

/// Whether a path is one of a round's.
pub fn is_of_round(protocol: &Protocol, path: &str) -> bool {
    of(protocol, path).is_some()
}

fn of<'p>(protocol: &Protocol, path: &'p str) -> Option<OfRound<'p>> {
    let within = path.strip_prefix(&folder(protocol)?)?.strip_prefix('/')?;
    match within.split_once('/') {
        None => within.strip_suffix(".json").filter(|name| is_name(name)).map(OfRound::Map),
        Some((name, file)) => (is_name(name) && !file.contains('/')).then_some(OfRound::Returned(name)),
    }
}
