//! The campaign against a chain of versions: whoever changes a predecessor and repairs everything in its
//! bundle, or changes in the last version what was copied from the predecessor, breaks the chain.

use sequester::evidence::bundle;
use sequester::random::Stream;
use sequester::study;

use super::tree::{Tree, follow};
use super::{SEED, values};
use crate::changes::{chain, text};
use crate::support::sequester;

/// A bundle with one value of a file changed, and everything that follows from it made to agree where it can.
fn forged(honest: &Tree, bag: &str, name: &str, stream: &mut Stream) -> Tree {
    let path = format!("{bag}/data/{name}");
    let made = (0..100).find_map(|_| {
        let mut tree = honest.clone();
        let (bytes, _) = values::of(&path, &tree.files[&path], stream)?;
        tree.put(&path, bytes);
        Some(tree)
    });
    let mut tree = made.unwrap_or_else(|| panic!("{path} has no value"));
    let derived = bundle::inputs(&tree.payload(bag)).ok().and_then(|inputs| study::derive(&inputs).ok());
    for (name, bytes) in derived.into_iter().flat_map(|derived| derived.files) {
        tree.put(&format!("{bag}/data/{name}"), bytes.read().into_owned());
    }
    follow(&mut tree, bag);
    tree.seal(bag);
    tree
}

#[test]
fn a_forged_link_breaks_the_chain_of_versions() {
    let (v1, v2, v3) = chain();
    let studies = [v1.path().to_path_buf(), v2.study(), v3.study()];
    let honest: Vec<Tree> = studies.iter().map(|study| Tree::read(&study.join("evidence"))).collect();
    let place = tempfile::tempdir().expect("a folder");
    let folder = |version: usize| place.path().join(format!("v{version}"));
    for (version, tree) in honest.iter().enumerate() {
        tree.write(&folder(version), &Tree::default());
    }
    let verified = || {
        let [a, b, c] = [0, 1, 2].map(|version| folder(version).join("run-1"));
        sequester(&["verify", text(&c), "--predecessor", text(&b), text(&a)])
    };
    let whole = verified();
    assert_eq!(whole.code, 0, "{}{}", whole.stdout, whole.stderr);
    let copies = ["plan.toml", "lock.json", "scores.csv", "results.json", "ledger.jsonl"];
    let copies = copies.map(|name| format!("inputs/change/{name}"));
    let own = ["environment.json", "device.toml", "inputs/scores.csv", "model/lock.json"];
    let links = (0..2).flat_map(|version| own.map(|name| (version, name)));
    let links =
        links.chain([1, 2].into_iter().flat_map(|version| copies.iter().map(move |n| (version, n.as_str()))));
    for (nth, (version, name)) in links.enumerate() {
        let mut stream = Stream::new(SEED + 3, nth as u64);
        let tree = forged(&honest[version], "run-1", name, &mut stream);
        tree.write(&folder(version), &honest[version]);
        let told = verified();
        assert!([1, 20, 21].contains(&told.code), "v{}: {name}: {}", version + 1, told.stdout);
        honest[version].write(&folder(version), &tree);
    }
    assert_eq!(verified().code, 0, "every link is mended");
}
