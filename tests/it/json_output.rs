//! What `--json` prints, against the schemas in `docs/schemas/`: every command has one, and its output keeps
//! to it.
//!
//! `SEQUESTER_WRITE_SCHEMAS=1 cargo test --test it json_output` writes them again from what the commands
//! print. A key that is new, gone or of another type is then a change of a file that a person reads, and
//! fails here until it is.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use crate::reference_values::folder as reference_values;
use crate::support::{Study, bundle_copy, sequester};

fn schemas() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schemas")
}

/// Outputs by the name of their schema.
#[derive(Default)]
struct Outputs(BTreeMap<&'static str, Vec<Value>>);

impl Outputs {
    fn add(&mut self, schema: &'static str, code: i32, arguments: &[&str]) {
        let ran = sequester(&[arguments, &["--json"]].concat());
        assert_eq!(ran.code, code, "{arguments:?}: {}{}", ran.stdout, ran.stderr);
        let value = serde_json::from_str(&ran.stdout)
            .unwrap_or_else(|e| panic!("{arguments:?} prints no JSON document: {e}\n{}", ran.stdout));
        self.0.entry(schema).or_default().push(value);
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// A device in use: a plan, three months, one of them with an alarm, and two versions.
fn monitoring(outputs: &mut Outputs) {
    let (_bundle, bundle) = bundle_copy(2, "scored-elsewhere");
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("watch");
    let watch = text(&place);
    outputs.add("monitor-init", 0, &["monitor", "init", watch]);
    let plan = std::fs::read_to_string(place.join("monitoring.toml")).expect("reads");
    let plan = plan
        .replace("# label = ", "label = ")
        .replace("batch_minimum = 50", "batch_minimum = 20")
        .replace("minimum_difference = 0.2 ", "minimum_difference = 2.0 ")
        .replace("# in_control = 0.21\n# deviation = 0.18", "in_control = 0.5\ndeviation = 0.25")
        + "\n[[performance]]\nmetric = \"auc\"\nat_least = 0.5\n\n[[performance]]\nmetric = \"accuracy\"\n";
    std::fs::write(place.join("monitoring.toml"), plan).expect("writes");
    outputs.add("monitor-seal", 0, &["monitor", "seal", watch, "--bundle", text(&bundle)]);
    let batch = folder.path().join("batch.csv");
    for (month, top, labels, code) in [(1, 100, false, 0), (2, 100, true, 0), (3, 25, false, 10)] {
        let mut table = "case_id,patient_id,score,refused,label,age,sex\n".to_owned();
        for row in 0..60 {
            // Scores from 0 or, in the last month, from .75 up to 1.
            let score = 1.0 - f64::from(row * 37 % 60) / 60.0 * f64::from(top) / 100.0;
            let label = if labels { (row * 7 % 3 % 2).to_string() } else { String::new() };
            let cells = if row == 5 { ",motion".to_owned() } else { format!("{score:.3},") };
            let sex = if row % 2 == 0 { "F" } else { "M" };
            table += &format!("m{month}c{row},m{month}p{row},{cells},{label},{},{sex}\n", 25 + row);
        }
        std::fs::write(&batch, table).expect("writes");
        let month = format!("2026-{month:02}");
        outputs.add("monitor-add", code, &["monitor", "add", watch, text(&batch), "--month", &month]);
    }
    outputs.add("monitor-status", 10, &["monitor", "status", watch]);
    outputs.add("monitor-report", 10, &["monitor", "report", watch, "--no-pdf"]);
    let reason = ["--reason", "looked at", "--by", "A. Example"];
    let answer = ["monitor", "answer", watch, "--month", "2026-03"];
    outputs.add("monitor-answer", 0, &[&answer[..], &reason[..]].concat());
    outputs.add("monitor-status", 0, &["monitor", "status", watch]);
    outputs.add("monitor-verify", 0, &["monitor", "verify", watch, "--bundle", text(&bundle)]);
    let mut tables = Vec::new();
    for (name, shift) in [("old", 0), ("new", 40)] {
        let mut table = "case_id,patient_id,label,old,new\n".to_owned();
        for row in 0..60 {
            let score = |step: i32| f64::from((row * step + row % 2 * (30 + shift)) % 100) / 100.0;
            table += &format!("{name}{row},{name}p{},{},{},{}\n", row / 2, row % 2, score(17), score(7));
        }
        let path = folder.path().join(format!("{name}.csv"));
        std::fs::write(&path, table).expect("writes");
        tables.push(text(&path).to_owned());
    }
    let plain = ["monitor", "versions", &tables[0], &tables[1]];
    outputs.add("monitor-versions", 0, &plain);
    let more = ["--patient", "patient_id", "--old-threshold", "0.5", "--new-threshold", "0.4"];
    outputs.add("monitor-versions", 0, &[&plain[..], &more[..]].concat());
    outputs.add("design-cusum", 0, &["design", "cusum", "--run-length", "100"]);
    outputs.add("design-cusum", 0, &["design", "cusum", "--limit", "4", "--sides", "one", "--shift", "0,1"]);
}

/// A study at score level, through every step and into each kind of error.
fn studies(outputs: &mut Outputs) {
    let study = Study::small();
    let folder = text(study.path());
    for command in ["check", "dataset", "reads", "validate", "report", "verify", "run"] {
        let schema = match command {
            "check" => "check",
            "dataset" => "dataset",
            "reads" => "reads",
            "validate" => "validate",
            "report" => "report",
            "verify" => "verify",
            _ => "run",
        };
        outputs.add(schema, 0, &[command, folder]);
    }
    outputs.add("report-coverage", 0, &["report", folder, "--coverage"]);
    outputs.add("report-trace", 0, &["report", folder, "--trace"]);
    outputs.add("report-values", 0, &["report", folder, "--list-values"]);
    study.replace("scores.csv", "C000,", "C000,0");
    outputs.add("error", 30, &["run", folder]);
    study.replace("evidence/run-1/data/scores.csv", "C002,", "C002,0");
    outputs.add("verify", 20, &["verify", folder]);
    study.replace("cases.csv", "C003,P001,F", "C002,P001,X");
    outputs.add("check", 1, &["check", folder]);
    outputs.add("error", 1, &["dataset", folder]);
    outputs.add("error", 2, &["dataset", folder, "--no-such-option"]);
}

/// Keys, a bundle and a model that are signed, and who asks.
fn signed(outputs: &mut Outputs) {
    let room = crate::model_signatures::Room::new();
    let (key, model) = (room.file("b.pem"), room.file("model"));
    let new = ["keys", "new", "--out", text(&key), "--no-passphrase"];
    outputs.add("keys-new", 0, &[&new[..], &["--dry-run"]].concat());
    outputs.add("keys-new", 0, &new);
    outputs.add("keys-public", 0, &["keys", "public", text(&key)]);
    outputs.add("sign-model", 0, &["sign", text(&model), "--key", text(&key), "--dry-run"]);
    outputs.add("sign-model", 0, &["sign", text(&model), "--key", text(&key)]);
    room.trust("b.pem.pub");
    let (signature, trust) = (room.file("signatures/model.sig"), room.file("trust.toml"));
    let asked = ["verify", text(&model), "--signature", text(&signature), "--trust", text(&trust)];
    outputs.add("verify-model", 0, &asked);
    let (_folder, bag) = bundle_copy(2, "scored-elsewhere");
    let there = room.file("signatures/run-1");
    let places = ["--signatures", text(&there)];
    let who = ["--key", text(&key), "--by", "A. Example", "--role", "engineer", "--meaning", "approval"];
    let sign = [&["sign", text(&bag)][..], &who, &places].concat();
    outputs.add("sign", 0, &[&sign[..], &["--dry-run"]].concat());
    outputs.add("sign", 0, &sign);
    let verify = ["verify", text(&bag)];
    outputs.add("verify", 0, &[&verify[..], &places, &["--trust", text(&trust)]].concat());
    let elsewhere = room.file("elsewhere");
    std::fs::create_dir(&elsewhere).expect("makes");
    let demand = "\n[[required]]\nkind = \"verified\"\n";
    let text_of = std::fs::read_to_string(&trust).expect("reads") + demand;
    std::fs::write(&trust, text_of).expect("writes");
    let nothing = ["--signatures", text(&elsewhere), "--trust", text(&trust)];
    outputs.add("verify", 21, &[&verify[..], &nothing].concat());
}

/// A protocol that is planned, rehearsed, locked, compared, amended and departed from.
fn protocols(outputs: &mut Outputs) {
    let study = Study::small();
    let folder = text(study.path());
    outputs.add("plan", 0, &["plan", folder, "--no-pdf"]);
    let expected =
        "\n[[expected]]\nendpoint = \"auc\"\nvalue = 0.9\nrange = [0.8, 0.95]\nsource = \"a pilot\"\n";
    study.write("protocol.toml", &(study.read("protocol.toml") + expected));
    outputs.add("plan", 0, &["plan", folder, "--no-pdf"]);
    outputs.add("rehearse", 0, &["rehearse", folder, "--dry-run"]);
    outputs.add("protocol-lock", 0, &["protocol", "lock", folder, "--dry-run"]);
    outputs.add("protocol-lock", 0, &["protocol", "lock", folder]);
    outputs.add("protocol-amend", 0, &["protocol", "amend", folder, "--dry-run"]);
    study.write("before.toml", &study.read("protocol.toml"));
    study.replace("protocol.toml", "seed = 7", "seed = 8");
    let before = study.file("before.toml");
    outputs.add("protocol-diff", 10, &["protocol", "diff", text(&before), folder]);
    outputs.add("protocol-diff", 0, &["protocol", "diff", folder, folder]);
    outputs.add("protocol-amend", 0, &["protocol", "amend", folder, "--reason", "another seed"]);
    let said = [
        "--date",
        "2020-01-02",
        "--grade",
        "minor",
        "--description",
        "a late read",
        "--impact",
        "none at all",
    ];
    let deviation = [&["protocol", "deviation", folder][..], &said].concat();
    outputs.add("protocol-deviation", 0, &[&deviation[..], &["--affects", "C001", "--dry-run"]].concat());
}

/// A new version under a change control plan.
fn changes(outputs: &mut Outputs) {
    let first = crate::changes::first();
    let folder = tempfile::tempdir().expect("a folder");
    let (study, candidate) = (folder.path().join("study"), folder.path().join("candidate"));
    let init = ["change", "init", text(&study), "--predecessor", text(first.path())];
    outputs.add("change-init", 0, &init);
    let plan = study.join("change/plan.toml");
    outputs.add("change-check", 0, &["change", "check", text(&plan)]);
    outputs.add("change-lock", 0, &["change", "lock", text(&plan), "--dry-run"]);
    outputs.add("change-lock", 0, &["change", "lock", text(&plan)]);
    crate::changes::model(&candidate, "second weights", |lock| lock["code"]["version"] = json!("9.9.9"));
    let (lock, scores) = (candidate.join("lock.json"), candidate.join("scores.csv"));
    let assess = ["change", "assess", text(&plan), "--lock", text(&lock), "--scores", text(&scores)];
    for (code, by) in [(0, 0.05), (10, -0.3)] {
        std::fs::write(&scores, crate::changes::scores(&first, by, |_| true)).expect("writes");
        outputs.add("change-assess", code, &assess);
    }
}

/// A commitment, before and after, and tokens of it.
fn commitments(outputs: &mut Outputs) {
    let (study, authority) = (Study::small(), crate::timestamps::Authority::new());
    let folder = text(study.path());
    outputs.add("commit", 0, &["commit", folder, "--dry-run"]);
    outputs.add("commit", 0, &["commit", folder]);
    let token = authority.stamp(&study.file("commitments/commitment-1.json"));
    let root = authority.path("root.pem");
    outputs.add("commit-token", 0, &["commit", folder, "--token", text(&token), "--dry-run"]);
    outputs.add("commit-token", 0, &["commit", folder, "--token", text(&token), "--tsa", text(&root)]);
    let (key, out) = (study.file("key.pem"), study.file("signed"));
    let made = ["keys", "new", "--out", text(&key), "--no-passphrase"];
    assert_eq!(sequester(&made).code, 0);
    let file = study.file("commitments/commitment-1.json");
    let who = ["--by", "A. Example", "--role", "witness", "--meaning", "review", "--signatures", text(&out)];
    outputs.add("sign-commitment", 0, &[&["sign", text(&file), "--key", text(&key)][..], &who].concat());
    let signature = crate::support::files(&out).into_keys().next().expect("a signature");
    outputs.add("commit-signature", 0, &["commit", folder, "--signature", text(&signature), "--dry-run"]);
    outputs.add("commit-signature", 0, &["commit", folder, "--signature", text(&signature)]);
}

/// What a study and its custodian do.
fn custody(outputs: &mut Outputs) {
    let keys = crate::custody::Keys::new();
    for (schema, arguments) in keys.words_of_an_opening(&Study::small()) {
        outputs.add(schema, 0, &arguments.iter().map(String::as_str).collect::<Vec<_>>());
    }
}

/// Readers with roles, reads that are irregular, and labels that came with them.
fn readers(outputs: &mut Outputs) {
    let study = Study::small();
    outputs.add("reads-reference", 0, &["reads", "reference", text(study.path())]);
    let corrected = study.file("corrected.csv");
    let text_of = study.read("reads/reader-1.csv").replace("C002,R1,positive", "C002,R1,negative");
    std::fs::write(&corrected, text_of).expect("writes");
    let folder = text(study.path());
    let (first, corrected) = (study.file("reads/reader-1.csv"), text(&corrected).to_owned());
    outputs.add("reads-import", 0, &["reads", "import", folder, text(&first), "--by", "A. Example"]);
    let asked = ["--supersedes", "reads/reader-1.csv", "--reason", "mistyped", "--dry-run"];
    let arguments = [&["reads", "import", folder, &corrected][..], &asked].concat();
    outputs.add("reads-import", 0, &arguments);
    let study = Study::small();
    let rule = "qualification = \"radiologist\"\nrule = \"majority\"\nfixed_readers = \
     false\nminimum_agreeing = 1\n\
                repeated_read = \"set-aside\"\ncompare_with = { file = \"cases.csv\", label_column = \
                \"label\", positive = [\"0\"], \
                negative = [\"1\"], source = \"the report\" }\n";
    let role = |id: &str, role: &str| format!("\n[[reader]]\nid = \"{id}\"\nrole = \"{role}\"\n");
    let roles = role("R1", "reference")
        + &role("R2", "reference")
        + &role("R3", "ignored")
        + &role("R4", "comparison");
    let three = "readers = 3\nqualification = \"radiologist\"\nrule = \"majority\"\n";
    study.replace("protocol.toml", three, &format!("{rule}{roles}"));
    study.replace("protocol.toml", "cases = 80\npositives = 40\n", "");
    study.write("reads/reader-1.csv", &(study.read("reads/reader-1.csv") + "C001,R1,positive\n"));
    let out = study.file("reference.csv");
    outputs.add("reads-reference", 0, &["reads", "reference", text(study.path()), "--out", text(&out)]);
    outputs.add("reads", 0, &["reads", text(study.path()), "--dry-run"]);
}

/// A round, what comes back from it, and the status before and after.
fn rounds(outputs: &mut Outputs) {
    let study = crate::reading::study();
    let folder = text(study.path());
    outputs.add("reads-status", 0, &["reads", "status", folder]);
    for _ in 0..2 {
        outputs.add("reads-worklist", 0, &["reads", "worklist", folder, "--round", "first"]);
    }
    outputs.add("reads-page", 0, &["reads", "page", folder, "--round", "first", "--reader", "R1"]);
    for file in crate::reading::filled_by_all(&study, "first") {
        outputs.add("reads-import", 0, &["reads", "import", folder, text(&file)]);
    }
    outputs.add("reads-status", 0, &["reads", "status", folder]);
    let small = Study::small();
    let named = ["--round", "x", "--reader", "R1"];
    outputs.add("reads-worklist", 0, &[&["reads", "worklist", text(small.path())], &named[..]].concat());
    crate::reading::copied_and_timed(&small);
    outputs.add("reads-status", 0, &["reads", "status", text(small.path())]);
}

/// A locked model scores, is exported, and its scores are verified.
fn models(outputs: &mut Outputs, dicom: &Path) {
    let study = crate::locked_model::study();
    let folder = text(study.path());
    let model = study.file("model");
    let run = model.join("run");
    let again = study.file("locked-again");
    outputs.add(
        "lock",
        0,
        &["lock", "--training-run", text(&run), "--out", text(&again), "--rule", "youden"],
    );
    outputs.add("score-plan", 0, &["score", folder, "--plan", "2"]);
    outputs.add("score-shard", 0, &["score", folder, "--shard", "1/2"]);
    outputs.add("score-shard", 0, &["score", folder, "--shard", "2/2"]);
    let job = study.file("score.sbatch");
    outputs.add("export-engine", 0, &["export", folder, "--engine", "slurm", "--out", text(&job)]);
    outputs.add("score", 0, &["score", folder, "--gather"]);
    outputs.add("score", 0, &["score", folder]);
    outputs.add("score-files", 0, &["score", "--model", text(&model), text(dicom)]);
    let validated = study.run("validate", &[]);
    assert!([0, 10].contains(&validated.code), "{}", validated.stderr);
    outputs.add("verify", 0, &["verify", folder, "--rescore"]);
    outputs.add("verify-several", 0, &["verify", folder, text(&model)]);
    let damaged = study.file("damaged.safetensors");
    std::fs::write(&damaged, b"\x09\0\0\0\0\0\0\0{").expect("writes");
    outputs.add("verify-several", 20, &["verify", text(&damaged), text(&model)]);
    outputs.add("verify-diff", 0, &["verify", "--diff", text(&model), text(&model)]);
    outputs.add("verify-diff", 10, &["verify", "--diff", text(&model), text(&again)]);
    let onnx = study.file("model.onnx");
    outputs.add("export", 0, &["export", text(&model), "--format", "onnx", "--out", text(&onnx)]);
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/evidence/v2/locked-model");
    let to = |name: &str| text(&study.file(name)).to_owned();
    let bom = ["export", text(&bundle), "--format", "ml-bom", "--out", &to("ml-bom.json")];
    outputs.add("export-interchange", 0, &bom);
    outputs.add("export-interchange", 0, &["export", "--format", "sbom", "--out", &to("sbom.json")]);
}

/// Gives the folder, and in it a DICOM file.
fn data(outputs: &mut Outputs) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    let demo = at("demo");
    let small = ["--only-cohort", "--cases", "80", "--development", "60", "--size", "64"];
    outputs.add("demo", 0, &[&["demo", text(&demo)], &small[..]].concat());
    outputs.add("init", 0, &["init", text(&at("new"))]);
    for name in [&["interval"][..], &["gate-disagrees"], &[]] {
        outputs.add("explain", 0, &[&["explain"], name].concat());
    }
    outputs.add("explain-all", 0, &["explain", "--all"]);
    outputs.add("man", 0, &["man", text(&at("man1"))]);
    let dicom = std::fs::read_dir(demo.join("dicom")).expect("lists").flatten().map(|e| e.path());
    let mut dicom: Vec<PathBuf> = dicom.collect();
    dicom.sort();
    let gate = at("gate.toml");
    std::fs::write(&gate, "view = [\"PA\"]\nmodality = [\"DX\"]\n").expect("writes");
    let files: Vec<&str> = dicom.iter().map(|p| text(p)).collect();
    outputs.add("dicom-check", 10, &[&["dicom", "check", "--gate", text(&gate)], &files[..]].concat());
    outputs.add("dicom-phi", 10, &[&["dicom", "phi"], &files[..1]].concat());
    let (cases, development) = (demo.join("cases.csv"), demo.join("development.csv"));
    let images = demo.join("images");
    let tables = [text(&cases), text(&development)];
    let with_images = ["--images", text(&images), "--image-sample", "5"];
    outputs.add("dataset-describe", 0, &[&["dataset", "describe"], &tables[..], &with_images].concat());
    outputs.add(
        "dataset-split",
        0,
        &["dataset", "split", tables[0], "--tuning", "0.2", "--test", "0.2", "--out", text(&at("split"))],
    );
    outputs.add("dataset-leakage", 0, &[&["dataset", "leakage"], &tables[..]].concat());
    for class in ["normal", "pneumonia"] {
        let to = at("classes").join(class);
        std::fs::create_dir_all(&to).expect("creates");
        let picture = ::image::GrayImage::from_fn(32, 32, |x, y| ::image::Luma([(x * y % 251) as u8]));
        picture.save(to.join(format!("person1_{class}_1.png"))).expect("saves");
    }
    outputs.add(
        "dataset-folder",
        0,
        &[
            "dataset",
            "folder",
            text(&at("classes")),
            "--positive",
            "pneumonia",
            "--patient-pattern",
            "(person[0-9]+)",
            "--out",
            text(&at("table.csv")),
        ],
    );
    std::fs::create_dir_all(at("cache")).expect("creates");
    outputs.add("cache-list", 0, &["cache", "list", text(&at("cache"))]);
    outputs.add("cache-prune", 0, &["cache", "prune", text(&at("cache")), "--to", "1M"]);
    outputs.add("cache-remove", 0, &["cache", "remove", text(&at("cache"))]);
    let first = dicom.first().expect("a DICOM file").clone();
    (folder, first)
}

fn statistics(outputs: &mut Outputs) {
    let inputs = reference_values().join("inputs");
    let input = |name: &str| inputs.join(name).to_str().expect("UTF-8").to_owned();
    let columns = std::fs::read_to_string(input("d01_tiny20.csv")).expect("reads");
    let header: Vec<&str> = columns.lines().next().expect("a header").split(',').collect();
    let (label, score) = (header[6], header[7]);
    let table = input("d07_subgroups600.csv");
    let plain = ["metrics", &table, "--label", label, "--score", score, "--bootstrap", "50"];
    outputs.add("metrics", 0, &plain);
    outputs.add("metrics", 0, &[&plain[..], &["--curves", "--prevalence", "0.1"]].concat());
    let given =
        |name: &str| reference_values().join("comparative").join(name).to_str().expect("UTF-8").to_owned();
    let aim = ["--aim", "equivalence", "--margin", "0.05"];
    outputs.add("metrics-paired", 10, &[&["metrics", "paired", &given("paired.csv")], &aim[..]].concat());
    let compared = ["metrics", "paired", &table, "--label", label, "--score", score, "--compare", header[8]];
    outputs.add("metrics-paired", 0, &compared);
    outputs.add(
        "metrics-unpaired",
        10,
        &[&["metrics", "unpaired", &given("unpaired.csv")], &aim[..]].concat(),
    );
    let beside = tempfile::tempdir().expect("a folder");
    let repeated = beside.path().join("repeats.csv");
    let rows = (0..24)
        .map(|i| format!("P{},{},{}\n", i / 3, f64::from(i * 7 % 24) / 24.0, ["a", "b"][i as usize % 2]));
    std::fs::write(&repeated, format!("patient_id,score,scanner\n{}", rows.collect::<String>()))
        .expect("writes");
    let plain = ["metrics", "repeatability", text(&repeated)];
    outputs.add("metrics-repeatability", 0, &plain);
    outputs.add("metrics-repeatability", 0, &[&plain[..], &["--condition", "scanner"]].concat());
    outputs.add("metrics-multiplicity", 0, &["metrics", "multiplicity", &given("multiplicity.json")]);
    outputs.add("design-auc", 0, &["design", "auc", "--expected", "0.85", "--goal", "0.8", "--cases", "500"]);
    outputs.add("design-proportion", 0, &["design", "proportion", "--expected", "0.9", "--goal", "0.8"]);
    let pilot = ["--pilot-se", "0.03", "--pilot-positives", "50", "--pilot-negatives", "50"];
    outputs.add(
        "design-difference",
        0,
        &[&["design", "difference", "--difference", "0.05"], &pilot[..]].concat(),
    );
    outputs.add(
        "design-goals",
        0,
        &["design", "goals", "--ppv", "0.5", "--npv", "0.95", "--prevalence", "0.2"],
    );
    let paired =
        ["--expected", "0.9", "--predicate", "0.88", "--margin", "0.05", "--cases", "300", "--share", "0.5"];
    outputs.add("design-noninferiority", 0, &[&["design", "noninferiority"], &paired[..]].concat());
    let compared = ["design", "comparison", "--aim", "non-inferiority", "--margin", "0.05"];
    let compared = [&compared[..], &["--expected", "0.9", "--predicate", "0.88", "--cases", "300"]].concat();
    for more in [&["--share", "0.5"][..], &["--unpaired"], &["--measure", "auc"]] {
        outputs.add("design-comparison", 0, &[&compared[..], more].concat());
    }
    let width = ["design", "precision", "--expected", "0.9", "--half-width", "0.05"];
    outputs.add("design-precision", 0, &[&width[..], &["--share", "0.5"]].concat());
    outputs.add("design-precision", 0, &[&width[..], &["--measure", "auc"]].concat());
    outputs.add(
        "design-calibration",
        0,
        &["design", "calibration", "--expected", "0.9", "--prevalence", "0.2"],
    );
    let components = ["--variance", "0.002", "--cov1", "0.0012", "--cov2", "0.0011", "--cov3", "0.0007"];
    let mrmc = ["design", "mrmc", "--difference", "0.05", "--pilot-cases", "100"];
    for more in [["--readers", "8"], ["--cases", "100"]] {
        outputs.add("design-mrmc", 0, &[&mrmc[..], &components[..], &more[..]].concat());
    }
    let studies = crate::reference_values::folder().join("mrmc/inputs");
    let study = |name: &str| text(&studies.join(name)).to_owned();
    outputs.add("reads-mrmc", 0, &["reads", "mrmc", &study("m1_crossed.csv"), "--threshold", "0.8"]);
    outputs.add("reads-mrmc", 0, &["reads", "mrmc", &study("m7_clusters.csv"), "--patient", "patient"]);
    let beside = ["--device-modality", "DEVICE", "--aim", "superiority", "--for", "readers"];
    outputs.add("reads-mrmc", 10, &[&["reads", "mrmc", &study("m3_device.csv")], &beside[..]].concat());
    let margin = ["design", "difference", "--difference", "0", "--margin", "0.05"];
    outputs.add("design-difference", 0, &[&margin[..], &pilot[..]].concat());
    let folder = tempfile::tempdir().expect("a folder");
    let reads = folder.path().join("reads.csv");
    let mut all = String::from("case_id,reader_id,read\n");
    let study = Study::small();
    for reader in 1..=3 {
        let own = study.read(&format!("reads/reader-{reader}.csv"));
        all.extend(own.lines().skip(1).map(|line| format!("{line}\n")));
    }
    std::fs::write(&reads, &all).expect("writes");
    outputs.add("reads-agreement", 0, &["reads", "agreement", text(&reads), "--read", "read"]);
    let mut tables = Vec::new();
    for (name, shift) in [("one", 0.0), ("two", 0.2)] {
        let mut table = String::from("case_id,patient_id,label,score\n");
        for i in 0..60 {
            let positive = i % 2;
            let score = 0.2
                + 0.3 * f64::from(positive)
                + 0.4 * f64::from(i * 37 % 61) / 61.0
                + shift * f64::from(i % 3);
            table.push_str(&format!("C{i},P{i},{positive},{:.4}\n", score / 2.0));
        }
        let path = folder.path().join(format!("{name}.csv"));
        std::fs::write(&path, table).expect("writes");
        tables.push(format!("{name}={}", path.display()));
    }
    outputs.add("compare", 0, &["compare", &tables[0], &tables[1], "--bootstrap", "50"]);
}

/// Only the build that trains prints the document of a training.
#[cfg(feature = "torch")]
fn trainings(outputs: &mut Outputs) {
    let bench = crate::training::Bench::new();
    let arguments = bench.arguments("model");
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    outputs.add("train", 0, &arguments);
}

/// What a qualification prints, and what it prints where a value is missing and the system tells less.
fn qualifications(outputs: &mut Outputs) {
    let passed = crate::qualify::printed();
    let mut failed = passed.clone();
    failed["machine"]["processor"] = Value::Null;
    let tests = failed["tests"].as_array_mut().expect("tests");
    let test = tests.iter_mut().find(|test| test["numbers"].is_object()).expect("a test of values");
    for key in ["largest_deviation", "expected", "computed"] {
        test["numbers"][key] = Value::Null;
    }
    test["numbers"]["beyond"] = json!(["d01_tiny20 auc: no value here, 0.5 in the reference"]);
    failed["program"]["features"] = json!(["pdf"]);
    outputs.0.insert("qualify", vec![passed, failed]);
}

fn outputs() -> Outputs {
    let mut outputs = Outputs::default();
    qualifications(&mut outputs);
    #[cfg(feature = "torch")]
    trainings(&mut outputs);
    studies(&mut outputs);
    protocols(&mut outputs);
    changes(&mut outputs);
    signed(&mut outputs);
    commitments(&mut outputs);
    custody(&mut outputs);
    readers(&mut outputs);
    rounds(&mut outputs);
    let (_folder, dicom) = data(&mut outputs);
    models(&mut outputs, &dicom);
    statistics(&mut outputs);
    monitoring(&mut outputs);
    outputs
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(n) if n.is_u64() || n.is_i64() => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Whether an object's keys are data (paths, digests, names) and not words of the format.
fn has_data_keys(objects: &[&Map<String, Value>]) -> bool {
    let plain = |key: &String| key.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    objects.iter().any(|object| object.keys().any(|key| !plain(key)))
}

/// The narrowest schema of this kind that holds for every value.
fn schema_of(values: &[&Value]) -> Value {
    let mut types: BTreeSet<&str> = values.iter().map(|value| type_of(value)).collect();
    if types.contains("number") {
        types.remove("integer");
    }
    let mut schema = Map::new();
    let names: Vec<&str> = types.iter().copied().collect();
    match names[..] {
        // Nothing was there: whatever it is when it is there.
        [] | ["null"] => return json!({}),
        [one] => schema.insert("type".to_owned(), json!(one)),
        _ => schema.insert("type".to_owned(), json!(names)),
    };
    if types.contains("array") {
        let items: Vec<&Value> = values.iter().filter_map(|v| v.as_array()).flatten().collect();
        schema.insert("items".to_owned(), schema_of(&items));
    }
    let objects: Vec<&Map<String, Value>> = values.iter().filter_map(|v| v.as_object()).collect();
    if types.contains("object") && has_data_keys(&objects) {
        let inner: Vec<&Value> = objects.iter().flat_map(|object| object.values()).collect();
        schema.insert("additionalProperties".to_owned(), schema_of(&inner));
    } else if types.contains("object") {
        let keys: BTreeSet<&String> = objects.iter().flat_map(|object| object.keys()).collect();
        let of = |key: &String| objects.iter().filter_map(|o| o.get(key)).collect::<Vec<_>>();
        let required: Vec<&&String> = keys.iter().filter(|key| of(key).len() == objects.len()).collect();
        schema.insert("required".to_owned(), json!(required));
        let properties: Map<String, Value> =
            keys.iter().map(|key| ((*key).clone(), schema_of(&of(key)))).collect();
        schema.insert("properties".to_owned(), Value::Object(properties));
        schema.insert("additionalProperties".to_owned(), json!(false));
    }
    Value::Object(schema)
}

#[test]
fn what_every_command_prints_keeps_to_its_schema() {
    let outputs = outputs();
    if std::env::var_os("SEQUESTER_WRITE_SCHEMAS").is_some() {
        std::fs::create_dir_all(schemas()).expect("creates");
        for (name, values) in &outputs.0 {
            let mut schema = Map::new();
            schema.insert("$schema".to_owned(), json!("https://json-schema.org/draft/2020-12/schema"));
            schema.insert("title".to_owned(), json!(format!("sequester {} --json", name.replace('-', " "))));
            let Value::Object(rest) = schema_of(&values.iter().collect::<Vec<_>>()) else {
                panic!("an object")
            };
            schema.extend(rest);
            let text = serde_json::to_string_pretty(&schema).expect("writes");
            std::fs::write(schemas().join(format!("{name}.json")), text + "\n").expect("writes");
        }
    }
    let mut wrong = Vec::new();
    for (name, values) in &outputs.0 {
        let path = schemas().join(format!("{name}.json"));
        let schema =
            std::fs::read_to_string(&path).unwrap_or_else(|_| panic!("there is no {}", path.display()));
        let schema: Value = serde_json::from_str(&schema).expect("JSON");
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        for value in values {
            let problems = validator.iter_errors(value);
            wrong.extend(problems.map(|p| format!("{name}{}: {p}", p.instance_path())));
            // A schema that accepts a document with a foreign key checks nothing.
            let mut foreign = value.clone();
            if let Some(object) = foreign.as_object_mut() {
                object.insert("foreign_key".to_owned(), json!(1));
                assert!(!validator.is_valid(&foreign), "{name} accepts a foreign key");
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let there: BTreeSet<String> = std::fs::read_dir(schemas())
        .expect("lists")
        .flatten()
        .filter(|entry| entry.path().is_file())
        .map(|entry| entry.path().file_stem().expect("a name").to_string_lossy().into_owned())
        .filter(|name| cfg!(feature = "torch") || name != "train")
        // Those of protocol.toml, trust.toml, change/plan.toml and monitoring.toml: other tests have them.
        .filter(|name| !["change-plan", "monitoring", "protocol", "trust"].contains(&name.as_str()))
        .collect();
    let tested: BTreeSet<String> = outputs.0.keys().map(|name| (*name).to_owned()).collect();
    assert_eq!(there, tested, "a schema without an output, or an output without a schema");
}
