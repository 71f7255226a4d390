//! The answers in all readers' files that count: those of a platform as the protocol declares them, and those
//! that came back from a reading round with the round's codes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::Inputs;
use super::imports::ReadersFiles;
use super::rounds::{OfRound, of_round, places};
use crate::diagnostic::{Code, Diagnostic, Location};
use crate::digest::RelativePath;
use crate::reads::case_map::CaseMap;
use crate::reads::files::{self as reads, ReadFile};
use crate::reads::form::Kept;
use crate::reads::returned::{self, Returned};
use crate::reads::round::Round;
use crate::table::Word;

/// The reads of all readers' files that count, and everything that is wrong in them.
/// `map` says which case an id of a platform is; a case id that is among `ids` is held as it is there.
pub fn read_all(
    inputs: &Inputs,
    files: &ReadersFiles<'_>,
    map: Option<&CaseMap>,
    ids: &BTreeSet<Word>,
) -> (Vec<ReadFile>, Vec<Diagnostic>) {
    let source = &inputs.protocol.reads;
    let mut rounds: BTreeMap<&str, Option<Round>> = BTreeMap::new();
    let mut given: BTreeMap<(&str, String), (&RelativePath, Option<String>)> = BTreeMap::new();
    let (mut read, mut problems) = (Vec::new(), Vec::new());
    for (path, bytes) in &files.counting {
        let place = Path::new(path.as_str());
        let Some(OfRound::Returned(name)) = of_round(&inputs.protocol, path) else {
            match reads::read_with(place, &bytes.read(), source, files.beside(path, map)) {
                Ok(file) => read.push(with_shared_ids(file, ids)),
                Err(more) => problems.extend(more),
            }
            continue;
        };
        // A round that cannot be read is told once.
        let round = rounds
            .entry(name)
            .or_insert_with(|| round(inputs, name).map_err(|problem| problems.push(problem)).ok());
        let Some(round) = round else { continue };
        let withheld = files.register.of(path).is_some_and(|import| import.withheld.is_some());
        let kept = if withheld { Kept::Reduced } else { Kept::AsItCame };
        match returned::read(place, &bytes.read(), kept, round, source) {
            Ok(one) => {
                let before = given.insert((name, one.reader.clone()), (path, one.session.clone()));
                problems.extend(before.map(|before| twice(path, &one, before)));
                read.push(with_shared_ids(one.file, ids));
            }
            Err(more) => problems.extend(more),
        }
    }
    (read, problems)
}

fn with_shared_ids(mut file: ReadFile, ids: &BTreeSet<Word>) -> ReadFile {
    for row in &mut file.rows {
        if let Some(id) = ids.get(row.case_id.as_str()) {
            row.case_id = id.clone();
        }
    }
    file
}

fn round(inputs: &Inputs, name: &str) -> Result<Round, Diagnostic> {
    let missing = |path: &str| {
        Diagnostic::error(Code::RoundUnknown, format!("there is no round `{name}`, and a form of it is here"))
            .at(Location::file(path))
            .hint("put its file back: without it nobody knows which case a code is")
    };
    let (path, _) = places(&inputs.protocol, name).ok_or_else(|| missing(name))?;
    let bytes = inputs.files.get(&path).ok_or_else(|| missing(path.as_str()))?;
    Round::parse(Path::new(path.as_str()), &bytes.read())
}

/// Two files of one reader in one round.
fn twice(
    path: &RelativePath,
    one: &Returned,
    (other, session): (&RelativePath, Option<String>),
) -> Diagnostic {
    let why = if one.session.is_some() && one.session == session {
        "both are of one session: the answers were saved twice"
    } else {
        "they are of two sessions: the page was opened twice, or a form was filled beside it"
    };
    let message = format!("`{other}` holds reads of `{}` in this round already; {why}", one.reader);
    Diagnostic::error(Code::FormTwice, message).at(Location::file(path.as_str())).hint(format!(
        "decide with the reader which counts; bring it in with --supersedes {other} --reason \"...\", and \
         both stay"
    ))
}
