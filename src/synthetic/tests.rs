//! The cohort as a whole: the same for the same seed, honest about what it is, and shaped as the declared
//! study needs it.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;
use std::path::Path;

use super::*;
use crate::dataset::cases::{CaseFormat, read};
use crate::digest::Digest;

const SMALL: Settings = Settings { seed: 5, pool: 40, development: 10, size: 48 };

fn cohort(settings: Settings) -> Cohort {
    Cohort::generate(&settings).expect("in range")
}

fn quiet(_: Progress) -> ControlFlow<()> {
    ControlFlow::Continue(())
}

/// Digest of every file below a folder, by relative path.
fn digests(folder: &Path) -> BTreeMap<String, Digest> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_path_buf()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(next).expect("lists") {
            let path = entry.expect("entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("below").display().to_string();
                found.insert(name, Digest::of_file(&path).expect("reads"));
            }
        }
    }
    found
}

#[test]
fn one_thread_and_four_write_the_same_bytes() {
    let home = tempfile::tempdir().expect("folder");
    let written = [1, 4].map(|threads| {
        let folder = home.path().join(format!("study-{threads}"));
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| write(&cohort(SMALL), &folder, "x = 1\n", &quiet)).expect("writes");
        digests(&folder)
    });
    assert_eq!(written[0], written[1]);
    assert_eq!(written[0].keys().filter(|name| name.starts_with("images/")).count(), 50);
    let other = home.path().join("other");
    write(&cohort(Settings { seed: 6, ..SMALL }), &other, "x = 1\n", &quiet).expect("writes");
    let other = digests(&other);
    assert_ne!(written[0]["cases.csv"], other["cases.csv"]);
    assert_ne!(written[0].values().collect::<BTreeSet<_>>(), other.values().collect());
}

#[test]
fn the_tables_read_back_as_they_were_planned() {
    let home = tempfile::tempdir().expect("folder");
    let folder = home.path().join("study");
    let cohort = cohort(SMALL);
    write(&cohort, &folder, "", &quiet).expect("writes");
    for (name, items) in [("cases.csv", cohort.pool()), ("development.csv", cohort.development())] {
        let read = read(&folder.join(name), CaseFormat::Cases, &[]).expect("reads");
        assert!(read.warnings.is_empty(), "{:?}", read.warnings);
        let planned: Vec<Case> = items
            .iter()
            .zip(&read.cases)
            .map(|(item, case)| Case { line: case.line, ..item.case.clone() })
            .collect();
        assert_eq!(read.cases, planned);
        for case in &read.cases {
            let image = case.image.as_ref().expect("named").below(&folder.join("images"));
            let bytes = std::fs::read(image).expect("reads");
            assert!(bytes.windows(17).any(|w| w == b"synthetic phantom"), "{} does not say so", case.case_id);
        }
    }
    let text = std::fs::read_to_string(folder.join("reads/reader-1.csv")).expect("reads");
    assert!(text.starts_with("case_id,reader_id,read,read_at\nP"), "{text}");
}

#[test]
fn the_written_protocol_names_the_files_and_a_sample_the_pool_can_give() {
    let home = tempfile::tempdir().expect("folder");
    let folder = home.path().join("study");
    let cohort = cohort(SMALL);
    write(&cohort, &folder, "", &quiet).expect("writes");
    let text = std::fs::read_to_string(folder.join("protocol.toml")).expect("reads");
    let protocol: toml::Table = text.parse().expect("is TOML");
    let declared: toml::Table =
        include_str!("../../protocols/pneumonia-exp2a.toml").parse().expect("is TOML");
    assert_eq!(protocol["data"]["development"].as_str(), Some("development.csv"));
    assert_eq!(protocol["model"]["experiment"].as_str(), Some("experiment.toml"));
    let per_class = cohort.sample_per_class() as i64;
    assert!((5..=13).contains(&per_class), "{per_class}");
    assert_eq!(protocol["sample"]["cases"].as_integer(), Some(2 * per_class));
    assert_eq!(protocol["sample"]["positives"].as_integer(), Some(per_class));
    for key in ["study", "gate", "eligibility", "reference_standard", "analysis", "endpoint", "subgroup"] {
        assert_eq!(protocol[key], declared[key], "{key}");
    }
    let device: toml::Table = DEVICE.parse().expect("is TOML");
    assert!(device["device"]["name"].as_str().is_some_and(|name| name.contains("synthetic")));
}

#[test]
fn every_seed_gives_the_declared_sample_and_every_reason_for_exclusion() {
    for seed in 1..=12 {
        let cohort = cohort(Settings { seed, ..Settings::default() });
        assert_eq!(cohort.summary().sample, 1000, "seed {seed}: {:?}", cohort.summary());
        let count =
            |fits: &dyn Fn(&Case) -> bool| cohort.pool().iter().filter(|item| fits(&item.case)).count();
        assert!(count(&|case| case.age_years.is_some_and(|age| age < 18)) > 10);
        assert!(count(&|case| case.age_years.is_some_and(|age| age > 80)) > 10);
        assert!(count(&|case| case.view.as_deref() == Some("LL")) > 30);
        assert!(count(&|case| case.days_since_prior_finding.is_some_and(|days| days <= 365)) > 30);
        assert!(count(&|case| case.days_since_prior_finding.is_some_and(|days| days > 365)) > 30);
        assert!(count(&|case| case.days_since_prior_finding.is_none()) > 900);
        for letter in ["A", "B", "C", "D"] {
            assert!(
                count(&|case| case.manufacturer.as_deref() == Some(&*format!("Manufacturer {letter}"))) > 60,
                "{letter}"
            );
        }
        let patients =
            |items: &[Item]| items.iter().map(|i| i.case.patient_id.clone()).collect::<BTreeSet<_>>();
        assert!(patients(cohort.pool()).is_disjoint(&patients(cohort.development())));
        let sites =
            |items: &[Item]| items.iter().filter_map(|i| i.case.site.clone()).collect::<BTreeSet<_>>();
        let (pool, development) = (sites(cohort.pool()), sites(cohort.development()));
        assert_eq!(pool.union(&development).count(), 5);
        assert!(pool.difference(&development).count() > 0 && development.difference(&pool).count() > 0);
    }
}

#[test]
fn the_label_is_wrong_for_a_few_per_cent_and_nothing_else_gives_it_away() {
    let cohort = cohort(Settings { pool: 20_000, development: 0, ..Settings::default() });
    let items = cohort.pool();
    let share = |among: &dyn Fn(&Item) -> bool, fits: &dyn Fn(&Item) -> bool| {
        let among: Vec<_> = items.iter().filter(|item| among(item)).collect();
        among.iter().filter(|item| fits(item)).count() as f64 / among.len() as f64
    };
    let wrong = share(&|_| true, &|i| i.case.source_label != Some(i.truth.pneumonia));
    assert!((0.02..0.06).contains(&wrong), "{wrong}");
    let finding = |name: &'static str| move |i: &Item| i.case.findings.iter().any(|f| f == name);
    let same = |name: &str, fits: &dyn Fn(&Item) -> bool| {
        let (ill, well) = (share(&|i| i.truth.pneumonia, fits), share(&|i| !i.truth.pneumonia, fits));
        // Four standard errors of a difference of two shares of about 10,000 images each.
        let bound = 4.0 * (ill * (1.0 - ill) / 9000.0 + well * (1.0 - well) / 9000.0).sqrt();
        assert!((ill - well).abs() < bound, "{name}: {ill} with pneumonia, {well} without");
        assert!(well > 0.01, "{name} is hardly there: {well}");
    };
    for name in ["Effusion", "Nodule", "Atelectasis", "Edema"] {
        same(name, &finding(name));
    }
    same("AP", &|i| i.case.view.as_deref() == Some("AP"));
    same("wires", &|i| i.phantom.shadows.iter().any(|s| matches!(s, phantom::Shadow::Wires { .. })));
    same("pacemaker", &|i| i.phantom.shadows.iter().any(|s| matches!(s, phantom::Shadow::Pacemaker { .. })));
}

#[test]
fn readers_differ_in_skill_and_leave_a_few_cases_open() {
    let cohort = cohort(Settings { pool: 6000, development: 0, ..Settings::default() });
    let truth: BTreeMap<&str, bool> =
        cohort.pool().iter().map(|i| (i.case.case_id.as_str(), i.truth.pneumonia)).collect();
    let mut skill = Vec::new();
    for (reader, reads) in cohort.reads() {
        let distinct: BTreeSet<&str> = reads.iter().map(|read| read.case_id.as_str()).collect();
        assert_eq!(distinct.len(), reads.len(), "{reader} read a case twice");
        let missing = cohort.pool().len() - reads.len();
        assert!((5..150).contains(&missing), "{reader}: {missing} missing");
        let doubtful = reads.iter().filter(|read| read.value == ReadValue::Indeterminate).count();
        assert!((10..300).contains(&doubtful), "{reader}: {doubtful} indeterminate");
        assert!(reads.is_sorted_by_key(|read| read.read_at));
        let rate = |is: bool, said: ReadValue| {
            let of_these: Vec<_> = reads
                .iter()
                .filter(|r| truth[r.case_id.as_str()] == is && r.value != ReadValue::Indeterminate)
                .collect();
            of_these.iter().filter(|r| r.value == said).count() as f64 / of_these.len() as f64
        };
        skill.push((rate(true, ReadValue::Positive), rate(false, ReadValue::Negative)));
    }
    assert!(
        skill.iter().all(|&(sensitivity, specificity)| sensitivity > 0.8 && specificity > 0.85),
        "{skill:?}"
    );
    assert!(
        skill.iter().all(|&(sensitivity, specificity)| sensitivity < 0.99 && specificity < 0.999),
        "{skill:?}"
    );
    // The third calls more, the second less.
    assert!(skill[2].0 > skill[0].0 && skill[0].0 > skill[1].0, "{skill:?}");
    assert!(skill[2].1 < skill[0].1, "{skill:?}");
}

#[test]
fn an_image_has_dark_lungs_a_bright_heart_and_an_opacity_where_it_was_drawn() {
    let cohort = cohort(Settings { pool: 60, development: 0, size: 96, ..Settings::default() });
    let mut looked_at = 0;
    for item in cohort.pool().iter().filter(|i| i.case.view.as_deref() == Some("PA")) {
        let bare = Item {
            phantom: phantom::Phantom { shadows: Vec::new(), ..item.phantom.clone() },
            ..item.clone()
        };
        let image = cohort.image(&bare);
        assert!(image.pixels().iter().all(|value| (0.0..=1.0).contains(value)));
        let mean = |u: f32, v: f32| {
            let at = |x: f32| ((x + 1.0) * 48.0) as usize;
            let (column, row) = (at(u), at(v));
            let patch = (row - 2..row + 3).flat_map(|r| (column - 2..column + 3).map(move |c| r * 96 + c));
            patch.map(|pixel| image.pixels()[pixel]).sum::<f32>() / 25.0
        };
        let heart = mean(0.08, 0.15);
        assert!(heart > mean(-0.38, -0.1) + 0.15 && heart > mean(0.4, -0.2) + 0.15, "{}", item.case.case_id);
        assert!(mean(-0.4, 0.75) > mean(-0.38, -0.1) + 0.1, "belly of {}", item.case.case_id);
        let shadow = phantom::Shadow::Opacity {
            side: -1.0,
            place: (0.5, 0.5),
            extent: (0.2, 0.2),
            angle: 0.0,
            strength: 0.8,
            patchy: 0.0,
            phase: (3.0, 9.0),
        };
        let ill = Item {
            phantom: phantom::Phantom { shadows: vec![shadow], ..bare.phantom.clone() },
            ..bare.clone()
        };
        let ill = cohort.image(&ill);
        let (mut right, mut left) = (0.0, 0.0);
        for (pixel, (with, without)) in ill.pixels().iter().zip(image.pixels()).enumerate() {
            *(if pixel % 96 < 48 { &mut right } else { &mut left }) += with - without;
        }
        assert!(right > 10.0 && left.abs() < 0.1 * right, "{}: {right} {left}", item.case.case_id);
        looked_at += 1;
    }
    assert!(looked_at > 20);
}

#[test]
fn what_is_there_already_is_refused_and_an_interruption_leaves_nothing() {
    let home = tempfile::tempdir().expect("folder");
    let folder = home.path().join("study");
    let stop = |now: Progress| if now.done > 5 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) };
    let error = write(&cohort(SMALL), &folder, "", &stop).expect_err("interrupted");
    assert_eq!(error.exit_code(), 130);
    assert_eq!(std::fs::read_dir(home.path()).expect("lists").count(), 0);
    std::fs::create_dir(&folder).expect("creates");
    let error = write(&cohort(SMALL), &folder, "", &quiet).expect_err("exists");
    assert_eq!(error.diagnostics()[0].code.as_str(), "folder-exists");
    assert!(error.diagnostics()[0].hint.is_some());
    assert_eq!(std::fs::read_dir(&folder).expect("lists").count(), 0);
}

#[test]
fn settings_out_of_range_are_all_named() {
    let wrong = Settings { seed: 1, pool: 0, development: 0, size: 5000 };
    let problems = Cohort::generate(&wrong).expect_err("out of range").diagnostics();
    assert_eq!(problems.len(), 2, "{problems:?}");
}
