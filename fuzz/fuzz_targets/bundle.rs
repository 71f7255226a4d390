//! A bundle whose manifests are foreign: the bytes, cut at lines of `%%`, become its files, and it is
//! audited.
#![cfg_attr(not(test), no_main)]

use libfuzzer_sys::fuzz_target;
use sequester::audit;

fuzz_target!(|bytes: &[u8]| {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(folder.path().join("data")).expect("a folder");
    let names = [
        "manifest-sha256.txt",
        "tagmanifest-sha256.txt",
        "bagit.txt",
        "bag-info.txt",
        "data/ledger.jsonl",
        "data/results.json",
    ];
    let mut rest = bytes;
    for name in names {
        let at = rest.windows(3).position(|w| w == b"%%\n");
        let (part, after) = at.map_or((rest, &[][..]), |at| (&rest[..at], &rest[at + 3..]));
        std::fs::write(folder.path().join(name), part).expect("writes");
        rest = after;
    }
    let _ = audit::audit(folder.path(), &audit::Beside::default());
});
