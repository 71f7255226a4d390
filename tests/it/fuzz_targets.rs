//! The targets of the fuzzer (`fuzz/`), compiled against the program as it is and run on seeds and on seeds
//! with a byte changed, by any toolchain and without the fuzzer: none panics, whatever the bytes.

use std::path::Path;

use sequester::random::Stream;

#[path = "../../fuzz/fuzz_targets/bundle.rs"]
mod bundle;
#[path = "../../fuzz/fuzz_targets/case_tables.rs"]
mod case_tables;
#[path = "../../fuzz/fuzz_targets/declared.rs"]
mod declared;
#[path = "../../fuzz/fuzz_targets/dicom_header.rs"]
mod dicom_header;
#[path = "../../fuzz/fuzz_targets/dicom_pixels.rs"]
mod dicom_pixels;
#[path = "../../fuzz/fuzz_targets/images.rs"]
mod images;
#[path = "../../fuzz/fuzz_targets/language.rs"]
mod language;
#[path = "../../fuzz/fuzz_targets/ledger.rs"]
mod ledger;
#[path = "../../fuzz/fuzz_targets/lists.rs"]
mod lists;
#[path = "../../fuzz/fuzz_targets/monitoring.rs"]
mod monitoring;
#[path = "../../fuzz/fuzz_targets/reads.rs"]
mod reads;
#[path = "../../fuzz/fuzz_targets/reads_exports.rs"]
mod reads_exports;
#[path = "../../fuzz/fuzz_targets/scores.rs"]
mod scores;
#[path = "../../fuzz/fuzz_targets/signatures.rs"]
mod signatures;
#[path = "../../fuzz/fuzz_targets/templates.rs"]
mod templates;
#[path = "../../fuzz/fuzz_targets/timestamp.rs"]
mod timestamp;
#[path = "../../fuzz/fuzz_targets/weights.rs"]
mod weights;

/// A target with its name.
type Target = (&'static str, fn(&[u8]));

/// Every target, as a function of bytes.
const TARGETS: [Target; 17] = [
    ("bundle", bundle::run),
    ("case_tables", case_tables::run),
    ("declared", declared::run),
    ("dicom_header", dicom_header::run),
    ("dicom_pixels", dicom_pixels::run),
    ("images", images::run),
    ("language", language::run),
    ("ledger", ledger::run),
    ("lists", lists::run),
    ("monitoring", monitoring::run),
    ("reads", reads::run),
    ("reads_exports", reads_exports::run),
    ("scores", scores::run),
    ("signatures", signatures::run),
    ("templates", templates::run),
    ("timestamp", timestamp::run),
    ("weights", weights::run),
];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_target_is_compiled_here_declared_and_described() {
    let read = |name: &str| std::fs::read_to_string(root().join(name)).expect("reads");
    let (manifest, readme) = (read("fuzz/Cargo.toml"), read("fuzz/README.md"));
    let mut there: Vec<String> = std::fs::read_dir(root().join("fuzz/fuzz_targets"))
        .expect("lists")
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().replace(".rs", ""))
        .collect();
    there.sort();
    assert_eq!(there, TARGETS.map(|(name, _)| name));
    for name in there {
        assert!(manifest.contains(&format!("name = \"{name}\"")), "{name} is not declared");
        assert!(readme.contains(&format!("`{name}`")), "{name} is not described");
    }
}

/// Small files of the repository in the forms that are read.
fn seeds() -> Vec<Vec<u8>> {
    let folders = ["protocols", "templates", "fixtures/report", "fixtures/reads/traps"];
    let bag = "fixtures/evidence/v2/locked-model/data";
    let mut paths = Vec::new();
    for folder in folders.into_iter().chain([bag, "fixtures/evidence/v2/locked-model/data/model"]) {
        let entries = std::fs::read_dir(root().join(folder)).expect("lists");
        paths.extend(entries.map(|entry| entry.expect("an entry").path()).filter(|path| path.is_file()));
    }
    paths.sort();
    let mut seeds: Vec<Vec<u8>> = paths
        .iter()
        .map(|path| std::fs::read(path).expect("reads"))
        .filter(|bytes| bytes.len() < 20_000)
        .collect();
    let texts = [
        "",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOpsklCcKnBvdRbVLE6tHMdBaXWDKhAUDOMGHPLqDgzZ\n",
        "{\"payload\":\"e30=\",\"payloadType\":\"application/vnd.in-toto+json\",\"signatures\":[]}\n",
        "x  data/results.json\n%%\nx  bagit.txt\n%%\nBagIt-Version: 1.0\n%%\nPayload-Oxum: 1.1\n%%\n{}\n\
         %%\n{}\n",
        "case_id,score,refused,image_sha256\na,0.25,,\nb,,age 81 is outside 18-80 years,\n",
    ];
    seeds.extend(texts.map(|text| text.as_bytes().to_vec()));
    seeds
}

#[test]
fn no_target_fails_on_a_seed_or_on_one_with_a_byte_changed() {
    let seeds = seeds();
    assert!(seeds.len() > 60, "{}", seeds.len());
    for (nth, (name, run)) in TARGETS.iter().enumerate() {
        let mut stream = Stream::new(7, nth as u64);
        for (number, seed) in seeds.iter().enumerate() {
            // Every third file goes to each target, and all of them to some; with a byte before it for those
            // whose first byte says what the rest is.
            if (number + nth) % 3 != 0 {
                continue;
            }
            run(seed);
            let mut other = [&[(number % 13) as u8][..], seed].concat();
            let at = stream.below(other.len() as u64) as usize;
            other[at] ^= 1 << stream.below(8);
            run(&other);
        }
        eprintln!("{name}: done");
    }
}
