//! How long a million scored rows take to be put together from 64 shards, and how much memory:
//! `cargo bench --bench gather`.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Instant;

use sequester::dataset::case::{Attributes, Case};
use sequester::digest::Digest;
use sequester::inference::scores::{self, Score, Scores};
use sequester::inference::shards::{self, Gathered, PLAN_FORMAT, Part, Plan, Record, SHARD_FORMAT};

const CASES: usize = 1_000_000;
const SHARDS: u32 = 64;

fn case(number: usize) -> Case {
    Case {
        case_id: format!("{number:08}_000.png").into(),
        image: Some(format!("images/{number:08}_000.png").parse().expect("a path")),
        attributes: Attributes {
            view: Some("PA".into()),
            modality: Some("DX".into()),
            ..Attributes::default()
        }
        .into(),
        age_years: Some(50),
        ..Case::default()
    }
}

/// Most memory so far, in bytes, where the system tells it.
fn peak() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().strip_suffix(" kB")?.trim().parse::<u64>().ok().map(|kib| kib * 1024)
}

fn main() {
    // Written to a folder, so that nothing of the making counts as memory of the gathering.
    let folder = std::env::temp_dir().join(format!("gather-{}", std::process::id()));
    if std::env::args().nth(1).as_deref() != Some("gather") {
        std::fs::create_dir_all(&folder).expect("creates");
        let all: Vec<Case> = (0..CASES).map(case).collect();
        let list = shards::assign(&all, SHARDS).expect("images");
        let table = shards::cases_csv(&list);
        let digest = Digest::of(b"x");
        let plan = Plan {
            format: PLAN_FORMAT.to_owned(),
            lock_sha256: digest,
            weights_sha256: digest,
            cohort_sha256: digest,
            cases_sha256: Digest::of(&table),
            cases: CASES as u64,
            shards: SHARDS,
        };
        let plan_sha256 = Digest::of(&plan.to_bytes());
        std::fs::write(folder.join("plan.json"), plan.to_bytes()).expect("writes");
        std::fs::write(folder.join("cases.csv"), &table).expect("writes");
        for shard in 1..=SHARDS {
            let rows: Scores = list
                .iter()
                .enumerate()
                .filter(|(_, planned)| planned.shard == shard)
                .map(|(n, planned)| {
                    let image_sha256 = Some(Box::new(Digest::of(&n.to_be_bytes())));
                    let score = Some(1.0 / (2.0 + n as f64));
                    (planned.case.case_id.clone(), Score { score, refused: None, image_sha256, line: 0 })
                })
                .collect();
            let table = scores::to_csv(&rows);
            let record = Record {
                format: SHARD_FORMAT.to_owned(),
                plan_sha256,
                shard,
                machine: None,
                scores_sha256: Some(Digest::of(&table)),
            };
            std::fs::write(folder.join(format!("{shard}.csv")), table).expect("writes");
            std::fs::write(folder.join(format!("{shard}.json")), record.to_bytes()).expect("writes");
        }
        let me = std::env::current_exe().expect("a program");
        let done = std::process::Command::new(me).arg("gather").arg(&folder).status().expect("starts");
        std::fs::remove_dir_all(&folder).expect("removes");
        assert!(done.success());
        return;
    }
    let folder = std::env::args().nth(2).expect("a folder");
    let at = |name: &str| Path::new(&folder).join(name);
    let read = |name: &str| std::fs::read(at(name)).expect("reads");
    let began = Instant::now();
    let plan = Plan::parse(&at("plan.json"), &read("plan.json")).expect("a plan");
    let shard_of: BTreeMap<String, u32> =
        shards::shards_of(&at("cases.csv"), &read("cases.csv"), &plan).expect("cases");
    let mut gathered = Gathered::new(&plan, Digest::of(&plan.to_bytes()), &shard_of);
    for shard in 1..=SHARDS {
        let (record, table) = (format!("{shard}.json"), format!("{shard}.csv"));
        gathered.add(&Part {
            shard: Some(shard),
            folder: at(&table),
            record: Some(Record::parse(&at(&record), &read(&record)).expect("a record")),
            table: Some(read(&table)),
        });
    }
    let (rows, _) = gathered.finish().expect("gathers");
    let bytes = scores::to_csv(&rows);
    println!(
        "{CASES} rows of {SHARDS} shards: {:.1} s, {:.2} GB at most, table of {} MB, {}",
        began.elapsed().as_secs_f64(),
        peak().unwrap_or(0) as f64 / 1e9,
        bytes.len() / 1_000_000,
        Digest::of(&bytes).short()
    );
}
