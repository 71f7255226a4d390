//! The campaign asked of the second verifier: whatever it contradicts ours does not pass, and every byte that
//! ours finds changed it finds as well.

use std::process::Command;

use sequester::audit::State;
use sequester::random::Stream;

use super::kinds::{Expect, KINDS, Made, View};
use super::tree::Tree;
use super::{SEED, asked, subject};

/// Asks the verifier, as a module, of every folder after the first argument; one exit code a line.
const ASK: &str = "
import contextlib, importlib.util, io, sys
spec = importlib.util.spec_from_file_location('verify', sys.argv[1])
verify = importlib.util.module_from_spec(spec)
spec.loader.exec_module(verify)
for folder in sys.argv[2:]:
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        code = verify.main([folder])
    print(code)
";

#[test]
fn the_second_verifier_agrees_on_a_mutation_of_a_kind() {
    let top = tempfile::tempdir().expect("a folder");
    let subjects = subject::all();
    let mut ours = Vec::new();
    // Each costs a study and an audit: every eighth kind here, all of them where the campaign runs in full.
    let step = if std::env::var_os("SEQUESTER_CAMPAIGN").is_some() { 1 } else { 8 };
    for (number, kind) in KINDS.iter().enumerate().step_by(step) {
        let mut stream = Stream::new(SEED + 1, number as u64);
        let made = (0..50).find_map(|_| {
            let subject = &subjects[stream.below(subjects.len() as u64) as usize];
            (kind.make)(subject, &mut stream)
        });
        let Some(Made { tree, bag, note, .. }) = made else { panic!("{} applies to no study", kind.name) };
        let folder = top.path().join(number.to_string());
        tree.write(&folder, &Tree::default());
        let told = asked(&folder, &bag, kind.view);
        let found = told.as_ref().map(|audit| {
            let no = audit.answers.iter().filter(|answer| answer.answer == State::No);
            no.map(|answer| answer.question).collect::<Vec<_>>()
        });
        let target = if kind.view == View::Alone { folder.join(&bag) } else { folder };
        ours.push((kind, note, target, found.ok()));
    }
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/verify.py");
    let targets = ours.iter().map(|(_, _, target, _)| target);
    let ran = Command::new("python3").args(["-c", ASK, script]).args(targets).output();
    let Some(ran) = ran.ok().filter(|ran| !String::from_utf8_lossy(&ran.stderr).contains("tomllib")) else {
        eprintln!("SKIPPED the campaign of the second verifier: python3 is not there, or is older than 3.11");
        return;
    };
    let said = String::from_utf8_lossy(&ran.stdout).into_owned();
    let codes: Vec<&str> = said.lines().collect();
    assert_eq!(codes.len(), ours.len(), "{}", String::from_utf8_lossy(&ran.stderr));
    let mut both = 0;
    for ((kind, note, _, found), code) in ours.iter().zip(codes) {
        let what = format!("{}: {note}: ours {found:?}, the second {code}", kind.name);
        // What ours cannot read it refuses.
        let passes = found.as_ref().is_some_and(Vec::is_empty);
        assert!(!(passes && code == "20"), "{what}");
        assert!(!(kind.expect == Expect::Honest && code != "0"), "{what}");
        if found.as_ref().is_some_and(|found| found.contains(&"bytes")) {
            assert_eq!(code, "20", "{what}");
        }
        both += usize::from(!passes && code == "20");
    }
    assert!(2 * both > ours.len(), "{both} of {} are contradicted by both", ours.len());
}
